//! `docs/rules.md`, written from the rules, so that it cannot say anything else than the validator does.

use std::fmt::Write as _;

use crate::lint::{Profile, Rule, Severity, all_rules};

const HEAD: &str = "# Rules

Every rule that a file is judged by: what it finds, why that matters, how to mend it, and where the rule comes from. This page is written from the
rules themselves (`UPDATE_DOCS=1 cargo test -p metadata rules_md`); a test fails when it differs.

The same rules speak in `sparvidd metadata lint`, when a file is added, in the API, on the page for operators, and when a source is refreshed.
**E** an error refuses the file, **W** a warning and **n** a note never do. A profile is chosen with `--profile`, or for all that is added with
`[federation] profiles` ([configuration](configuration.md)); `base` always holds. An error of a chosen profile refuses what is added, but never
withholds what is registered already. Where profiles disagree, each has its own rule, and both are told.

";

/// The whole page.
#[must_use]
pub fn rules_document() -> String {
    let rules = all_rules();
    let mut out = HEAD.to_owned();
    let names: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
    let _ = writeln!(out, "| rule | {} |\n|---|{}", names.join(" | "), ":-:|".repeat(names.len()));
    for rule in &rules {
        let marks: Vec<_> = Profile::ALL.iter().map(|profile| mark(rule, *profile)).collect();
        let _ = writeln!(out, "| [`{}`](#{}) | {} |", rule.id, anchor(rule.id), marks.join(" | "));
    }
    for rule in &rules {
        let _ = write!(
            out,
            "\n## {}\n\n{} {}\n\n**Mend it:** {}\n\n**På svenska:** {} {} {}\n\nSource: {}.\n",
            rule.id,
            shown(rule.what.en),
            shown(rule.why.en),
            shown(rule.fix.en),
            shown(rule.what.sv),
            shown(rule.why.sv),
            shown(rule.fix.sv),
            rule.source,
        );
    }
    out
}

fn mark(rule: &Rule, profile: Profile) -> &'static str {
    match rule.profiles.iter().find(|(held, _)| *held == profile).map(|(_, severity)| severity) {
        Some(Severity::Error) => "E",
        Some(Severity::Warning) => "W",
        Some(Severity::Note) => "n",
        None => " ",
    }
}

/// Headings lose their dots in addresses.
fn anchor(id: &str) -> String {
    id.replace('.', "")
}

/// Text of a rule as Markdown: elements are no markup, and what a file fills in is an ellipsis.
fn shown(text: &str) -> String {
    text.replace("{found}", "…").replace("{expected}", "…").replace('<', "\\<").replace('*', "\\*")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn rules_md_says_what_the_validator_does() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
        let document = super::rules_document();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &document).expect("docs/rules.md written");
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap_or_default(),
            document,
            "docs/rules.md differs: run `UPDATE_DOCS=1 cargo test -p metadata rules_md`"
        );
    }
}
