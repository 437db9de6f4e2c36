//! `sparvidd failure [CODE]`: what a code on a page or in the log means, and who must do what.

use broker_core::{failure::FailureCode, identifier::Language};
use clap::Args;

use super::{Lines, Stopped, Tone, edit, style};
use crate::page::{Branding, Pages, Reader, failures_document, http_status};

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The code, such as provider.signature_invalid; without it: all of them.
    code: Option<String>,
    /// Everything about every code as Markdown: docs/failures.md.
    #[arg(long, conflicts_with_all = ["code", "json"])]
    markdown: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Prints it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Stopped> {
    let mut lines = Lines::to_stdout();
    if arguments.markdown {
        lines.say(Tone::Plain, failures_document(oidc_error).trim_end());
        return Ok(());
    }
    let codes: Vec<FailureCode> = match &arguments.code {
        None => FailureCode::ALL.to_vec(),
        Some(asked) => {
            vec![FailureCode::ALL.iter().copied().find(|code| code.as_str() == asked).ok_or_else(|| {
                let nearest = FailureCode::ALL
                    .iter()
                    .min_by_key(|code| strsim::damerau_levenshtein(code.as_str(), asked));
                Stopped::could_not(format!(
                    "There is no code {asked}. The nearest is {}.",
                    nearest.map_or("", |code| code.as_str())
                ))
            })?]
        }
    };
    let pages = Pages::new(None, Branding::default()).map_err(Stopped::could_not)?;
    let language =
        Language::from_tag(if edit::tongue() == metadata::lint::Tongue::Swedish { "sv" } else { "en" })
            .ok_or_else(|| Stopped::could_not("no language"))?;
    let (service, organisation) = match language.as_str() {
        "sv" => ("tjänsten", "din organisation"),
        _ => ("the service", "your organisation"),
    };
    let text = |code, reader| pages.failure_text(&language, code, reader, service, organisation);
    if arguments.json {
        let rows: Vec<_> = codes
            .iter()
            .map(|code| {
                serde_json::json!({
                    "code": code, "meaning": code.meaning(), "http_status": http_status(*code), "oidc_error": oidc_error(*code),
                    "employee": text(*code, Reader::EmployeeWhat), "provider_operator": text(*code, Reader::ProviderOperator),
                    "relying_party": text(*code, Reader::RelyingParty),
                })
            })
            .collect();
        return style::json(&rows);
    }
    if arguments.code.is_none() {
        let rows: Vec<Vec<String>> =
            codes.iter().map(|code| vec![code.to_string(), code.meaning().to_owned()]).collect();
        lines.table(&["code", "meaning"], &rows);
        return Ok(());
    }
    for code in codes {
        lines.say_parts(&[
            (Tone::Strong, code.as_str()),
            (Tone::Quiet, &format!("  HTTP {}, OIDC {}", http_status(code), oidc_error(code))),
        ]);
        lines.say(Tone::Plain, code.meaning());
        for (heading, readers) in [
            ("The person reads", &[Reader::EmployeeTitle, Reader::EmployeeWhat, Reader::EmployeeNext][..]),
            ("For the provider's operator", &[Reader::ProviderOperator]),
            ("For the relying party", &[Reader::RelyingParty]),
        ] {
            lines.gap();
            lines.say(Tone::Quiet, heading);
            for reader in readers {
                lines.say(Tone::Plain, format!("  {}", text(code, *reader)));
            }
        }
    }
    Ok(())
}

/// The OIDC map's word.
pub(crate) fn oidc_error(code: FailureCode) -> &'static str {
    broker_oidc::error_code::of(code).as_str()
}
