//! x
#[derive(Debug, clap::Subcommand)] pub(crate) enum Metadata {A}
pub(crate) fn run(_: &Metadata) -> Result<(), super::Stopped> { Ok(()) }
