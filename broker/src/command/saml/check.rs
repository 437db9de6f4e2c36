//! `sparvidd saml check FILE --metadata IDP.xml`: what an operator reaches for when a login fails.

use std::path::PathBuf;

use broker_core::{assurance::Assurance, failure::FailureCode, moment::Timestamp};
use broker_saml::sp::{
    Allowed, SpSettings,
    inspect::{Against, Captured, inspect},
};
use certs::DecryptionKey;
use clap::{Args, ValueHint};
use metadata::SamlProvider;

use super::{
    super::{Stopped, style},
    input,
    report::{self, Held, Outcome},
};
use crate::moment;

pub(super) const EXAMPLES: &str = "\
Examples:
  A login failed a minute ago, and the browser's network log has the form that it posted:
    sparvidd saml check posted.txt --metadata idp-granvik.xml

  Held against what the broker sent and where it listens, at the time in the log:
    sparvidd saml check response.xml --metadata idp-granvik.xml --at 2026-03-02T08:15:30Z \\
        --acs https://login.example.se/saml/acs --audience https://login.example.se/saml/metadata

  The assertion is encrypted to a key of ours:
    sparvidd saml check posted.txt --metadata idp-granvik.xml --key keys/saml-decryption.pem

  For a script:
    sparvidd saml check - --metadata idp-granvik.xml --json < response.xml | jq .failure

Not looked at, since they need the broker's own state: whether the message was used before, and what
the organisation's record lets the provider say.";

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The captured Response; `-` for standard input.
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The provider's metadata. It may hold several providers: the one that the Response names is taken.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    metadata: PathBuf,
    /// The time of the login (RFC 3339). Left out: when the Response says that it was issued.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// Where the Response was posted. Left out: where it says that it goes.
    #[arg(long, value_name = "URL")]
    acs: Option<String>,
    /// Our entity ID. Left out: the first audience that it names.
    #[arg(long, value_name = "ENTITY_ID")]
    audience: Option<String>,
    /// The ID of the AuthnRequest. Left out: the one that it says it answers.
    #[arg(long, value_name = "ID")]
    in_response_to: Option<String>,
    /// A level that was demanded. Repeatable. Left out: none was.
    #[arg(long, value_name = "URI")]
    asked: Vec<String>,
    /// A key of ours that opens an encrypted assertion, PEM: saml-decryption.pem of the key directory. Repeatable.
    #[arg(long = "key", value_name = "PEM", value_hint = ValueHint::FilePath)]
    keys: Vec<PathBuf>,
    /// How much the provider's clock may differ, as the configuration says.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(i64).range(0..=300))]
    skew: i64,
    /// The Response itself must be signed, as the configuration may say.
    #[arg(long)]
    require_signed_response: bool,
    /// Let signatures with SHA-1 pass. No login does.
    #[arg(long)]
    allow_sha1: bool,
    /// Let a Response pass that names no request. No login does.
    #[arg(long)]
    allow_unsolicited: bool,
    /// Let an assertion pass that has no AudienceRestriction. No login does.
    #[arg(long)]
    allow_no_audience: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc3339(text).ok_or_else(|| "write it like 2026-03-02T08:15:30Z".to_owned())
}

impl Arguments {
    /// The options given that let something pass.
    fn allowances(&self) -> Vec<&'static str> {
        [
            ("--allow-sha1", self.allow_sha1),
            ("--allow-unsolicited", self.allow_unsolicited),
            ("--allow-no-audience", self.allow_no_audience),
        ]
        .into_iter()
        .filter_map(|(option, is_given)| is_given.then_some(option))
        .collect()
    }
}

/// Runs the checks and prints them.
pub(super) fn run(arguments: &Arguments) -> Result<(), Stopped> {
    let octets = input::message(&arguments.file)?;
    let captured = Captured::recognise(&octets);
    let provider = input::provider(&arguments.metadata, &captured)?;
    let keys = input::decryption_keys(&arguments.keys)?;
    let inspection = inspected(arguments, &captured, &provider, &keys, true);
    let allowances = arguments.allowances();
    // Whoever lets something pass is told what a login would have made of it.
    let at_login = (!allowances.is_empty() && inspection.result.is_ok())
        .then(|| {
            inspected(arguments, &captured, &provider, &keys, false).result.err().map(|failure| failure.code)
        })
        .flatten();
    let held = Held {
        file: arguments.file.display().to_string(),
        octets: octets.len(),
        provider: provider.policy.id.to_string(),
        at_is_given: arguments.at.is_some(),
        allowances,
        at_login,
    };
    let outcome = Outcome::new(held, &provider, inspection);
    if arguments.json {
        style::json(&outcome.to_json())?;
    } else {
        report::print(&outcome)?;
    }
    if outcome.is_accepted() { Ok(()) } else { Err(Stopped { message: String::new(), code: 1 }) }
}

fn inspected(
    arguments: &Arguments,
    captured: &Captured,
    provider: &SamlProvider,
    keys: &[DecryptionKey],
    lets_pass: bool,
) -> broker_saml::sp::inspect::Inspection {
    let settings = SpSettings {
        skew_seconds: arguments.skew,
        require_signed_response: arguments.require_signed_response,
        // Both give way to what is given or taken.
        ..SpSettings::new("", "")
    };
    let against = Against {
        at: arguments.at,
        acs_url: arguments.acs.clone(),
        audience: arguments.audience.clone(),
        in_response_to: arguments.in_response_to.clone(),
        asked: arguments.asked.iter().map(|level| Assurance::new(level.as_str())).collect(),
    };
    let allowed = Allowed {
        unsolicited: lets_pass && arguments.allow_unsolicited,
        no_audience: lets_pass && arguments.allow_no_audience,
        sha1: lets_pass && arguments.allow_sha1,
    };
    inspect(captured, provider, &settings, &against, allowed, keys, moment::now())
}

/// The option with which the command looks further.
pub(super) fn looks_further(code: FailureCode, found: &str) -> Option<&'static str> {
    match code {
        FailureCode::SignatureAlgorithm if found.contains("(signature.sha1)") => {
            Some("Look further, past this rule and here alone: --allow-sha1")
        }
        FailureCode::Unsolicited => Some("Look further, past this rule and here alone: --allow-unsolicited"),
        FailureCode::AudienceMismatch if found == "nothing" => {
            Some("Look further, past this rule and here alone: --allow-no-audience")
        }
        FailureCode::Undecryptable if found.contains("(encryption.no_key)") => {
            Some("Open it with a key of ours, from the key directory: --key saml-decryption.pem")
        }
        _ => None,
    }
}
