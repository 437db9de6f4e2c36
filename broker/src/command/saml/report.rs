//! What a check prints: every rule in order, what it wants, what there was, and what to do about the one that is broken.

use broker_core::{failure::FailureCode, identifier::Language};
use broker_saml::{
    attributes::from_saml_name,
    sp::{
        Verdict,
        inspect::{Inspection, Seen, Value},
    },
};
use metadata::SamlProvider;
use serde_json::json;

use super::super::{Lines, Stopped, Tone, edit};
use crate::page::{Branding, Pages, Reader};

/// What was held against what.
pub(super) struct Held {
    /// The file.
    pub(super) file: String,
    /// Its size.
    pub(super) octets: usize,
    /// The provider's entity ID.
    pub(super) provider: String,
    /// Whether somebody gave the time.
    pub(super) at_is_given: bool,
    /// The options that let something pass.
    pub(super) allowances: Vec<&'static str>,
    /// What a login would have been refused with, where those made the difference.
    pub(super) at_login: Option<FailureCode>,
}

/// One line of the report.
struct Row {
    id: &'static str,
    rule: &'static str,
    spec: &'static str,
    verdict: Verdict,
    expected: String,
    found: String,
}

/// Everything that is to be said.
pub(super) struct Outcome {
    held: Held,
    rows: Vec<Row>,
    inspection: Inspection,
    /// `None`: the metadata may no longer be used, so that no message is.
    result: Result<Seen, FailureCode>,
}

impl Outcome {
    /// Joins the run with what a login looks at before it: whether the provider's metadata may still be used.
    pub(super) fn new(held: Held, provider: &SamlProvider, mut inspection: Inspection) -> Self {
        let at = inspection.at;
        let verdict = match provider.valid_until {
            None => Verdict::NotApplicable,
            Some(until) if until <= at => Verdict::Failed(FailureCode::MetadataExpired),
            Some(_) => Verdict::Passed,
        };
        let has_expired = matches!(verdict, Verdict::Failed(_));
        let mut rows = vec![Row {
            id: "metadata.valid_until",
            rule: "The provider's metadata may be used at that time.",
            spec: "SAML Metadata 2.3.2",
            verdict,
            expected: provider.valid_until.map(|_| format!("a time after {at}")).unwrap_or_default(),
            found: provider.valid_until.map_or_else(|| "nothing".to_owned(), |until| until.to_string()),
        }];
        rows.extend(inspection.steps.drain(..).map(|step| Row {
            id: step.id.as_str(),
            rule: step.id.rule(),
            spec: step.id.spec(),
            verdict: if has_expired { Verdict::NotReached } else { step.verdict },
            expected: if has_expired { String::new() } else { step.expected.into_owned() },
            found: if has_expired { String::new() } else { step.found },
        }));
        let result = match (&inspection.result, has_expired) {
            (_, true) => Err(FailureCode::MetadataExpired),
            (Ok(seen), false) => Ok(seen.clone()),
            (Err(failure), false) => Err(failure.code),
        };
        Self { held, rows, inspection, result }
    }

    /// Whether every rule is kept.
    pub(super) fn is_accepted(&self) -> bool {
        self.result.is_ok()
    }

    /// For scripts. What the message says is there only when it was accepted: until then it is anybody's words.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let checks: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "id": row.id, "verdict": word(row.verdict).replace(' ', "_"), "expected": row.expected,
                    "found": row.found, "spec": row.spec,
                })
            })
            .collect();
        let seen = self.result.as_ref().ok();
        let attributes = seen.map(|seen| {
            let mut map = serde_json::Map::new();
            for attribute in &seen.attributes {
                let values = map.entry(attribute.name.clone()).or_insert_with(|| json!([]));
                if let Some(values) = values.as_array_mut() {
                    values.extend(attribute.values.iter().map(|value| json!(value)));
                }
            }
            map
        });
        let taken: Vec<_> = self
            .inspection
            .taken
            .iter()
            .map(|taken| json!({ "option": option(taken.what), "from": taken.from, "value": taken.value }))
            .collect();
        json!({
            "accepted": self.is_accepted(),
            "checks": checks,
            "issuer": seen.map(|seen| seen.issuer.as_str()),
            "name_id": seen.and_then(|seen| seen.name_id.as_ref()).map(|name| &name.value),
            "name_id_format": seen.and_then(|seen| seen.name_id.as_ref()).map(|name| &name.format),
            "attributes": attributes,
            "assurance": seen.and_then(|seen| seen.assurance.as_ref()).map(|level| level.as_str()),
            "failure": self.result.as_ref().err(),
            "taken_from_document": taken,
            "let_pass": self.held.allowances,
            "refused_at_login": self.held.at_login,
        })
    }
}

/// The option that says it.
fn option(value: Value) -> &'static str {
    match value {
        Value::At => "--at",
        Value::AcsUrl => "--acs",
        Value::Audience => "--audience",
        Value::InResponseTo => "--in-response-to",
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::NotApplicable => "not applicable",
        Verdict::NotReached => "not reached",
    }
}

/// For people.
pub(super) fn print(outcome: &Outcome) -> Result<(), Stopped> {
    let mut lines = Lines::to_stdout();
    lines.say_parts(&[
        (Tone::Strong, &outcome.held.file),
        (Tone::Quiet, &format!(", {} octets, held against ", outcome.held.octets)),
        (Tone::Strong, &plain(&outcome.held.provider)),
    ]);
    lines.gap();
    held_against(&mut lines, outcome);
    lines.gap();
    checks(&mut lines, &outcome.rows);
    lines.gap();
    match &outcome.result {
        Ok(seen) => accepted(&mut lines, outcome, seen),
        Err(code) => refused(&mut lines, outcome, *code)?,
    }
    Ok(())
}

fn held_against(lines: &mut Lines, outcome: &Outcome) {
    let inspection = &outcome.inspection;
    let at = Some(inspection.at.to_rfc3339());
    for (what, value) in [
        (Value::At, &at),
        (Value::AcsUrl, &inspection.acs_url),
        (Value::Audience, &inspection.audience),
        (Value::InResponseTo, &inspection.in_response_to),
    ] {
        let taken = inspection.taken.iter().find(|taken| taken.what == what);
        let (tone, whence) = match (taken, value) {
            (Some(taken), _) => (Tone::Look, format!("taken from the document: {}", taken.from)),
            (None, Some(_)) if what == Value::At && !outcome.held.at_is_given => {
                (Tone::Look, "the clock of this machine: the document has no time".to_owned())
            }
            (None, Some(_)) => (Tone::Quiet, "given".to_owned()),
            (None, None) => (Tone::Look, "not given, and the document has none".to_owned()),
        };
        let value = plain(value.as_deref().unwrap_or("-"));
        lines.say_parts(&[(Tone::Quiet, &format!("  {:<17} ", option(what))), (Tone::Plain, &value)]);
        lines.say(tone, format!("  {:<17} {whence}", ""));
    }
    let taken: Vec<&str> = inspection.taken.iter().map(|taken| option(taken.what)).collect();
    if !taken.is_empty() {
        lines.gap();
        lines.say(
            Tone::Look,
            format!("Taken from the document, which proves nothing about it: {}.", taken.join(", ")),
        );
        lines.say(Tone::Look, "Give them, and the message is held against what was really sent.");
    }
    if !outcome.held.allowances.is_empty() {
        lines.gap();
    }
    for allowance in &outcome.held.allowances {
        lines.say(Tone::Look, format!("{allowance}: let pass here. No login does that."));
    }
}

/// The widest name of a check, for the column.
fn width(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.id.len()).max().unwrap_or_default()
}

fn checks(lines: &mut Lines, rows: &[Row]) {
    let width = width(rows);
    for row in rows {
        let tone = match row.verdict {
            Verdict::Passed => Tone::Good,
            Verdict::Failed(_) => Tone::Stop,
            Verdict::NotApplicable | Verdict::NotReached => Tone::Quiet,
        };
        lines.say_parts(&[
            (tone, &format!("{:<14}  ", word(row.verdict))),
            (Tone::Plain, &format!("{:<width$}  ", row.id)),
            (Tone::Quiet, row.spec),
        ]);
        // What was not reached is one line: the eye is to stay with what was.
        if row.verdict == Verdict::NotReached {
            continue;
        }
        let tone = if matches!(row.verdict, Verdict::Failed(_)) { Tone::Stop } else { Tone::Quiet };
        let mut below = |text: &str| lines.say(tone, format!("{:16}{}", "", plain(text)));
        below(row.rule);
        match row.verdict {
            Verdict::NotApplicable => below(&format!("found     {}", row.found)),
            _ if row.expected == row.found => below(&format!("expected and found  {}", row.found)),
            _ => {
                below(&format!("expected  {}", row.expected));
                below(&format!("found     {}", row.found));
            }
        }
    }
}

fn accepted(lines: &mut Lines, outcome: &Outcome, seen: &Seen) {
    match outcome.held.at_login {
        None => lines.say(Tone::Good, "Accepted: every check of a login is kept."),
        Some(code) => lines.say(
            Tone::Look,
            format!(
                "Accepted here, with {}. A login is refused: {code}, {}",
                outcome.held.allowances.join(", "),
                code.meaning()
            ),
        ),
    }
    lines.gap();
    lines.say(Tone::Strong, "What the message says (personal data)");
    let name = seen.name_id.as_ref();
    let mut rows: Vec<(String, String)> = vec![
        ("issuer".to_owned(), seen.issuer.to_string()),
        ("NameID".to_owned(), name.map_or_else(|| "-".to_owned(), |name| name.value.clone())),
        (
            "format".to_owned(),
            name.and_then(|name| name.format.clone()).unwrap_or_else(|| "unspecified".to_owned()),
        ),
        ("level".to_owned(), seen.assurance.as_ref().map_or("-", |level| level.as_str()).to_owned()),
        ("signed in".to_owned(), seen.authenticated_at.to_rfc3339()),
    ];
    for attribute in &seen.attributes {
        let known = match from_saml_name(&attribute.name) {
            Some(known) => known.key().to_owned(),
            None => format!("{} (not read by a login)", attribute.name),
        };
        rows.push((known, attribute.values.join(" | ")));
    }
    let width = rows.iter().map(|(what, _)| what.chars().count()).max().unwrap_or_default().min(48);
    for (what, value) in rows {
        lines.say_parts(&[
            (Tone::Quiet, &format!("  {:<width$}  ", plain(&what))),
            (Tone::Plain, &plain(&value)),
        ]);
    }
}

fn refused(lines: &mut Lines, outcome: &Outcome, code: FailureCode) -> Result<(), Stopped> {
    let broken = outcome.rows.iter().find(|row| matches!(row.verdict, Verdict::Failed(_)));
    lines.say(
        Tone::Stop,
        match broken {
            Some(row) => format!("Refused by {}: {code}. {}", row.id, code.meaning()),
            None => format!("Refused: {code}. {}", code.meaning()),
        },
    );
    let language =
        Language::from_tag(if edit::tongue() == metadata::lint::Tongue::Swedish { "sv" } else { "en" })
            .ok_or_else(|| Stopped::could_not("no language"))?;
    let pages = Pages::new(None, Branding::default()).map_err(Stopped::could_not)?;
    let (service, organisation) = match language.as_str() {
        "sv" => ("tjänsten", "din organisation"),
        _ => ("the service", "your organisation"),
    };
    let text = pages.failure_text(&language, code, Reader::ProviderOperator, service, organisation);
    lines.gap();
    lines.say(Tone::Strong, "For the provider's operator");
    lines.say(Tone::Plain, format!("  {text}"));
    lines.gap();
    if let Some(how) = broken.and_then(|row| super::check::looks_further(code, &row.found)) {
        lines.say(Tone::Accent, how);
    }
    lines.say(Tone::Quiet, format!("What everybody is told about it: sparvidd failure {code}"));
    Ok(())
}

/// In one line and in its own order: a message must neither steer a terminal nor write lines of the report. No control characters, no
/// separators of lines, nothing that turns the direction of writing.
pub(super) fn plain(text: &str) -> String {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if steers(letter) { '\u{FFFD}' } else { letter }).collect()
}
