//! `sparvidd metadata lint`: the one validator, for whoever has a file. It needs no configuration and changes nothing.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use ::metadata::lint::{
    Finding, MOST_OCTETS, Measure, Profile, Profiles, Report, Severity, all_rules, excerpt, rules_document,
    sarif::{Judged, sarif},
};
use broker_core::moment::Timestamp;
use certs::{PublicKey, certificate::Certificate};
use clap::{Args, ValueHint, builder::PossibleValuesParser};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::super::{
    Lines, Stopped, Tone,
    edit::{self, Edit},
    style,
};
use crate::{config::Config, moment};

/// Findings of one rule that are shown for a file, unless all are asked for.
const SHOWN_OF_A_RULE: usize = 10;
/// Files from this size on show how far it has come.
const WATCHED_OCTETS: usize = 4 * 1024 * 1024;

/// `metadata lint`
#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Files of any kind: SAML metadata of one entity or many, a relying party's registration, a discovery document, an organisation record.
    /// `-` reads standard input.
    #[arg(required_unless_present_any = ["rules", "rules_document"], value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Whose rules, beside the base: saml2int, sweden-connect, internetstiftelsen, swamid, swedish-oidc. Repeatable.
    #[arg(long = "profile", value_name = "PROFILE", value_delimiter = ',', value_parser = profiles())]
    profiles: Vec<String>,
    /// The moment that dates are seen from, for files that are old or not yet in force: 2026-11-22 or 2026-11-22T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// The certificate or public key (PEM) that the files must be signed with. Without it a signature is no ground for trust.
    #[arg(long, value_name = "CERT.pem", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// Also judge against what is registered: whose names, domains and keys the files may use.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Report as JSON, in Swedish and English.
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// Report as SARIF 2.1.0, for build services.
    #[arg(long)]
    sarif: bool,
    /// Show every finding, not only the first of each rule.
    #[arg(long)]
    all: bool,
    /// Say nothing of notes.
    #[arg(long)]
    quiet: bool,
    /// List the rules of the chosen profiles instead.
    #[arg(long)]
    rules: bool,
    /// Everything about every rule as Markdown: docs/rules.md.
    #[arg(long, hide = true)]
    rules_document: bool,
}

fn profiles() -> PossibleValuesParser {
    PossibleValuesParser::new(Profile::ALL.map(Profile::name))
}

/// A day stands for its beginning.
fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc3339(text)
        .or_else(|| Timestamp::from_rfc3339(&format!("{text}T00:00:00Z")))
        .ok_or_else(|| format!("{text} is no time: write 2026-11-22 or 2026-11-22T12:00:00Z"))
}

/// Judges every file; exit code 1 when one of them has an error, 2 when one cannot be judged.
pub(crate) async fn run(lint: &Lint) -> Result<(), Stopped> {
    let profiles: Profiles = lint.profiles.iter().filter_map(|name| Profile::from_name(name)).collect();
    if lint.rules_document {
        print!("{}", rules_document());
        return Ok(());
    }
    if lint.rules {
        rules(profiles);
        return Ok(());
    }
    let registered = registered(lint.config.as_deref()).await?;
    let keys = lint.key.as_deref().map(keys).transpose()?;
    let at = lint.at.unwrap_or_else(moment::now);
    let mut measure = Measure::new(profiles, at);
    measure.registry = registered.as_ref().map(Edit::registry);
    measure.signers = keys.as_deref();
    let mut judged = Vec::new();
    for path in &lint.files {
        let vast = std::fs::metadata(path).is_ok_and(|found| found.len() > most_octets());
        if vast && measure.signers.is_some() {
            let report = streamed(&measure, path, lint)?;
            judged.push((path.display().to_string(), Vec::new(), report));
            continue;
        }
        let octets = read(path)?;
        let name =
            if is_standard_input(path) { "standard input".to_owned() } else { path.display().to_string() };
        let report = watched(&measure, &octets, &name, lint);
        judged.push((name, octets, report));
    }
    let refused = judged.iter().any(|(_, _, report)| report.has_errors());
    if lint.sarif {
        let files: Vec<Judged<'_>> = judged
            .iter()
            .map(|(name, octets, report)| (name.as_str(), std::str::from_utf8(octets).ok(), report))
            .collect();
        style::json(&sarif(&files, env!("CARGO_PKG_VERSION")))?;
    } else if lint.json {
        let files: Vec<_> = judged
            .iter()
            .map(|(file, _, report)| {
                json!({
                    "file": file,
                    "refused": report.has_errors(),
                    "profiles": profiles.iter().collect::<Vec<_>>(),
                    "at": at.to_rfc3339(),
                    "findings": report.findings,
                })
            })
            .collect();
        style::json(&files)?;
    } else {
        let mut lines = Lines::to_stdout();
        for (name, octets, report) in &judged {
            told(name, octets, report, lint, &mut lines);
            summary(name, report, profiles, at, &mut lines);
        }
    }
    if refused { Err(Stopped::refused("")) } else { Ok(()) }
}

async fn registered(config: Option<&Path>) -> Result<Option<Edit>, Stopped> {
    let Some(path) = config else { return Ok(None) };
    let config = Config::read(path).map_err(Stopped::could_not)?;
    Ok(Some(Edit::of(config).await?))
}

fn keys(path: &Path) -> Result<Vec<PublicKey>, Stopped> {
    let octets = edit::read_file(path)?;
    let refused = |why: &dyn std::fmt::Display| {
        Stopped::could_not(format!(
            "{} holds no certificate that signatures can be checked with: {why}",
            path.display()
        ))
    };
    let text = std::str::from_utf8(&octets).map_err(|error| refused(&error))?;
    let certificates = Certificate::all_from_pem(text).map_err(|error| refused(&error))?;
    certificates
        .iter()
        .map(|certificate| certificate.public_key().cloned().map_err(|error| refused(&error)))
        .collect()
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The octets of a file, of at most [`MOST_OCTETS`].
fn read(path: &Path) -> Result<Vec<u8>, Stopped> {
    let name = path.display();
    let too_large = || {
        Stopped::could_not(format!(
            "{name} is larger than {} MiB. With --key CERT.pem, the certificate of its publisher, it is judged as it is read; without it, judge \
             the entities that you answer for one by one.",
            MOST_OCTETS / (1024 * 1024)
        ))
    };
    let could_not = |error: std::io::Error| Stopped::could_not(format!("{name} cannot be read: {error}"));
    let most = most_octets();
    let mut octets = Vec::new();
    if is_standard_input(path) {
        std::io::stdin().lock().take(most + 1).read_to_end(&mut octets).map_err(could_not)?;
    } else {
        let file = std::fs::File::open(path).map_err(could_not)?;
        if file.metadata().map_err(could_not)?.len() > most {
            return Err(too_large());
        }
        file.take(most + 1).read_to_end(&mut octets).map_err(could_not)?;
    }
    if octets.len() > MOST_OCTETS {
        return Err(too_large());
    }
    if octets.starts_with(&[0x1F, 0x8B]) {
        return Err(Stopped::could_not(format!("{name} is packed. Unpack it first (gunzip).")));
    }
    Ok(octets)
}

fn most_octets() -> u64 {
    u64::try_from(MOST_OCTETS).unwrap_or(u64::MAX)
}

/// Judges an aggregate as it is read.
fn streamed(measure: &Measure<'_>, path: &Path, lint: &Lint) -> Result<Report, Stopped> {
    let could_not =
        |error: std::io::Error| Stopped::could_not(format!("{} cannot be read: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(could_not)?;
    let bar = if lint.json || lint.sarif || !std::io::stderr().is_terminal() {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(file.metadata().map_err(could_not)?.len())
    };
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(path.display().to_string());
    let report = measure.aggregate(bar.wrap_read(std::io::BufReader::with_capacity(256 * 1024, file)));
    bar.finish_and_clear();
    Ok(report)
}

/// Judges a file, with a bar on a terminal where it takes a while.
fn watched(measure: &Measure<'_>, octets: &[u8], name: &str, lint: &Lint) -> Report {
    let silent = octets.len() < WATCHED_OCTETS || lint.json || lint.sarif || !std::io::stderr().is_terminal();
    if silent {
        return measure.document(octets);
    }
    let bar = ProgressBar::new(0).with_message(name.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    let report = measure.document_watched(octets, &mut |done, all| {
        bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    });
    bar.finish_and_clear();
    report
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Stop,
        Severity::Warning => Tone::Look,
        Severity::Note => Tone::Quiet,
    }
}

/// The findings, the worst first; of each rule the first few.
fn told(name: &str, octets: &[u8], report: &Report, lint: &Lint, lines: &mut Lines) {
    let text = std::str::from_utf8(octets).ok();
    let source = text.map(excerpt::Lines::of);
    let mut shown: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    let mut held: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    for finding in report.sorted() {
        if lint.quiet && finding.severity == Severity::Note {
            continue;
        }
        let of_rule = (finding.rule.id, finding.severity);
        let count = shown.entry(of_rule).or_default();
        *count += 1;
        if *count > SHOWN_OF_A_RULE && !lint.all {
            *held.entry(of_rule).or_default() += 1;
            continue;
        }
        say(finding, name, source.as_ref(), lines);
    }
    for ((rule, severity), count) in held {
        lines.say(tone(severity), format!("{count} more of [{rule}]; --all shows them"));
    }
}

fn say(finding: &Finding, name: &str, source: Option<&excerpt::Lines<'_>>, lines: &mut Lines) {
    let rendered = finding.render(name, source, edit::tongue());
    let (first, rest) = rendered.split_once('\n').unwrap_or((&rendered, ""));
    lines.say(tone(finding.severity), first);
    lines.say(Tone::Plain, rest.trim_end());
    lines.gap();
}

fn summary(name: &str, report: &Report, profiles: Profiles, at: Timestamp, lines: &mut Lines) {
    let counted = |severity, one: &str| {
        let count = report.count(severity);
        format!("{count} {one}{}", if count == 1 { "" } else { "s" })
    };
    let (errors, warnings) = (counted(Severity::Error, "error"), counted(Severity::Warning, "warning"));
    let notes = counted(Severity::Note, "note");
    let by: Vec<&str> = profiles.iter().map(Profile::name).collect();
    let (tone, verdict) =
        if report.has_errors() { (Tone::Stop, "refused") } else { (Tone::Good, "accepted") };
    lines.say(
        tone,
        format!(
            "{name}: {verdict}: {errors}, {warnings}, {notes} (by {}, as of {})",
            by.join(", "),
            at.to_rfc3339()
        ),
    );
}

fn rules(profiles: Profiles) {
    let rows: Vec<Vec<String>> = all_rules()
        .into_iter()
        .filter_map(|rule| {
            let severity = rule.severity_in(profiles)?;
            let by: Vec<&str> = rule.holding(profiles).map(|(profile, _)| profile.name()).collect();
            Some(vec![
                severity.word(::metadata::lint::Tongue::English).to_owned(),
                rule.id.to_owned(),
                by.join(", "),
                rule.source.to_owned(),
            ])
        })
        .collect();
    Lines::to_stdout().table(&["severity", "rule", "profiles", "source"], &rows);
}
