//! What a person types. Each command is a file; this one is the grammar and the help.

mod check;
mod completions;
mod connection;
mod demo;
pub(crate) mod edit;
pub(crate) mod failure;
mod invite;
mod keys;
pub(crate) mod metadata;
pub(crate) mod organisation;
mod proposal;
mod revision;
mod saml;
mod serve;
mod source;
mod style;
mod suspend;
mod token;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueHint};
pub(crate) use style::{Lines, Tone};

/// A service-ID federation broker: staff of one organisation sign in to another's services with the e-ID that their employer gave them.
#[derive(Debug, Parser)]
#[command(
    name = "sparvidd",
    version,
    about,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Where to begin:\n  \
        sparvidd demo                          a whole federation on this machine, nothing to set up\n  \
        sparvidd keys init keys                the directory of what cannot be made again\n  \
        sparvidd check --config sparvidd.toml  every problem before the first start\n  \
        sparvidd serve --config sparvidd.toml  the broker\n\n\
        Then, on the same machine, add who may take part:\n  \
        sparvidd organisation add granvik.toml --config sparvidd.toml\n  \
        sparvidd metadata add idp-granvik.xml journal.json --config sparvidd.toml\n\n\
        A login failed (docs/operating.md):\n  \
        sparvidd failure CODE                  what the code on the page means, and who must act\n  \
        sparvidd saml check FILE --metadata IDP.xml\n  \
        \u{20}                                      what a captured Response looks like to the broker"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a whole federation on this machine: the broker, three organisations with an identity provider each, and a service to sign in to.
    Demo(demo::Arguments),
    /// Run the broker.
    Serve(ConfigArgument),
    /// Report every problem of a configuration: keys, store, certificates, templates. Exit code 0: none; 1: warnings only with --strict; 2: errors.
    Check(check::Arguments),
    /// The directory of keys and secrets that cannot be made again.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Organisation records: who answers for peers, and what they may claim.
    #[command(subcommand)]
    Organisation(organisation::Organisation),
    /// Metadata of identity providers (SAML XML) and relying parties (OIDC client metadata, JSON).
    #[command(subcommand)]
    Metadata(metadata::Metadata),
    /// Close a provider, a key, a relying party or an organisation at once: one person's act, on every node within seconds. Nothing but `resume` lifts it.
    #[command(subcommand)]
    Suspend(suspend::Suspend),
    /// Lift a suspension, deliberately.
    #[command(subcommand)]
    Resume(suspend::Resume),
    /// Which services an employer's staff may reach, and what each is told of them.
    #[command(subcommand)]
    Connection(connection::Connection),
    /// Revisions of the registry: who changed what, and how to bring one back.
    #[command(subcommand)]
    Revision(revision::Revision),
    /// Tokens for the API: who may propose and publish metadata over it, for which organisation.
    #[command(subcommand)]
    Token(token::Token),
    /// Proposals that wait for another person's approval.
    #[command(subcommand)]
    Proposal(proposal::Proposal),
    /// Other federations' metadata: aggregates, MDQ, single addresses.
    #[command(subcommand)]
    Source(source::Commands),
    /// Invite somebody who looks after an organisation's metadata to the page for operators: a link that opens it once.
    Invite(invite::Invite),
    /// SAML messages that somebody captured: what is wrong with one?
    #[command(subcommand)]
    Saml(saml::Saml),
    /// What an error code on a page or in the log means, and who must do what.
    Failure(failure::Arguments),
    /// Print completions for a shell.
    #[command(after_help = "For example: sparvidd completions bash > /etc/bash_completion.d/sparvidd")]
    Completions(completions::Arguments),
}

/// `--config FILE`
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgument {
    /// The configuration file (TOML; docs/configuration.md).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "SPARVIDD_CONFIG")]
    pub(crate) config: PathBuf,
}

/// Why a command did not do what was asked: said to the person, and the exit code for scripts.
pub(crate) struct Stopped {
    /// What to say, ready to print; empty when it has been said.
    pub(crate) message: String,
    /// 1: refused, nothing changed; 2: could not be run.
    pub(crate) code: u8,
}

impl Stopped {
    /// The command could not run at all.
    pub(crate) fn could_not(message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string(), code: 2 }
    }

    /// It ran, and what it was given was refused.
    pub(crate) fn refused(message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string(), code: 1 }
    }
}

/// Runs what was typed.
pub(crate) fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments.config),
        Command::Check(arguments) => check::run(&arguments),
        Command::Keys(keys) => keys::run(&keys),
        Command::Organisation(organisation) => organisation::run(&organisation),
        Command::Metadata(metadata) => metadata::run(&metadata),
        Command::Suspend(suspend) => suspend::run(&suspend),
        Command::Resume(resume) => suspend::resume(&resume),
        Command::Connection(connection) => connection::run(&connection),
        Command::Revision(revision) => revision::run(&revision),
        Command::Token(token) => token::run(&token),
        Command::Proposal(proposal) => proposal::run(&proposal),
        Command::Source(commands) => source::run(&commands),
        Command::Invite(invite) => invite::run(&invite),
        Command::Saml(saml) => saml::run(&saml),
        Command::Failure(arguments) => failure::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(stopped) => {
            if !stopped.message.is_empty() {
                let mut lines = Lines::to_stderr();
                lines.say(Tone::Stop, stopped.message.trim_end());
            }
            ExitCode::from(stopped.code)
        }
    }
}

/// What is said after a refusal.
fn unchanged(json: bool) -> String {
    if json { String::new() } else { "Nothing was changed: what was live is live.".to_owned() }
}

/// The runtime of a command that is not a server.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Stopped> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map(|runtime| runtime.block_on(future))
        .map_err(|error| Stopped::could_not(format!("the runtime cannot start: {error}")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_grammar_holds_together() {
        super::Cli::command().debug_assert();
    }
}
