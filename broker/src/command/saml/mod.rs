//! `sparvidd saml`: looks at SAML messages that somebody captured. Needs no configuration, no store and no keys.
//!
//! | file | what |
//! |---|---|
//! | `check.rs` | `saml check`: a Response, through a login's own checks |
//! | `input.rs` | files and standard input; the provider that a metadata file describes |
//! | `report.rs` | what a check prints, for people and for scripts |

mod check;
mod input;
mod report;

use clap::Subcommand;

use super::Stopped;

/// What to do with a message.
#[derive(Debug, Subcommand)]
pub(crate) enum Saml {
    /// Hold a captured Response against every check of a login, and say of each what was expected and what was there.
    ///
    /// FILE holds the Response as XML, or the SAMLResponse field as it was posted (Base64), or the whole body of the form; `-` reads standard input.
    /// What a person is called is shown when the Response is accepted, and goes nowhere else.
    /// Exit code 0: accepted; 1: refused; 2: could not be run.
    #[command(after_help = check::EXAMPLES)]
    Check(check::Arguments),
}

/// Runs it.
pub(crate) fn run(saml: &Saml) -> Result<(), Stopped> {
    match saml {
        Saml::Check(arguments) => check::run(arguments),
    }
}
