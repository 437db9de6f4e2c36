//! `sparvidd completions SHELL`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Stopped};

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which shell.
    shell: Shell,
}

/// Prints the completions on standard output.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Stopped> {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "sparvidd", &mut std::io::stdout());
    Ok(())
}
