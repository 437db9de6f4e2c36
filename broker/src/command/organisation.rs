//! x
#[derive(Debug, clap::Subcommand)] pub(crate) enum Organisation {A}
pub(crate) fn run(_: &Organisation) -> Result<(), super::Stopped> { Ok(()) }
