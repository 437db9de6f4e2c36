//! What a file breaks, where, and how to mend it: for people and, as JSON, for scripts.

use certs_xml::Position;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::lint::{
    excerpt::Lines,
    profile::{Profile, Profiles},
    rule::{Rule, Severity, Tongue},
};

/// Where in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line and a column, both counted from 1.
    At {
        /// The line.
        line: u32,
        /// The character within the line.
        column: u32,
    },
    /// A JSON pointer (RFC 6901).
    Pointer(String),
}

impl From<Position> for Place {
    fn from(position: Position) -> Self {
        Self::At { line: position.line, column: position.column }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::File => {}
            Self::At { line, column } => {
                map.serialize_entry("line", line)?;
                map.serialize_entry("column", column)?;
            }
            Self::Pointer(pointer) => map.serialize_entry("pointer", pointer)?,
        }
        map.end()
    }
}

/// One breach of one rule.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// How bad it is, in the profiles that the file is judged by.
    pub severity: Severity,
    /// The profiles that the file is judged by.
    judged_by: Profiles,
    /// Where.
    pub place: Place,
    /// The entity or organisation that it concerns, where a file has several.
    pub about: Option<String>,
    /// What stands there.
    pub found: Option<String>,
    /// What should.
    pub expected: Option<String>,
}

impl Finding {
    /// A breach of `rule` at `place`.
    #[must_use]
    pub fn new(rule: &'static Rule, place: impl Into<Place>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            judged_by: Profiles::BASE,
            place: place.into(),
            about: None,
            found: None,
            expected: None,
        }
    }

    /// Says what stands there.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(shortened(&found.into()));
        self
    }

    /// Says what should stand there.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Which of the profiles that the file is judged by have the rule; none where only the base has it.
    #[must_use]
    pub fn profiles(&self) -> Vec<Profile> {
        let held: Vec<Profile> = self.rule.holding(self.judged_by).map(|(profile, _)| profile).collect();
        if held == [Profile::Base] { Vec::new() } else { held }
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn what(&self, language: Tongue) -> String {
        self.filled(self.rule.what.in_tongue(language))
    }

    /// Why it matters, in words.
    #[must_use]
    pub fn why(&self, language: Tongue) -> String {
        self.filled(self.rule.why.in_tongue(language))
    }

    /// How to mend it, in words.
    #[must_use]
    pub fn fix(&self, language: Tongue) -> String {
        self.filled(self.rule.fix.in_tongue(language))
    }

    /// The finding as a person reads it in a terminal. `file` is what to call the file; with its lines, the one that it speaks of is shown.
    #[must_use]
    pub fn render(&self, file: &str, lines: Option<&Lines<'_>>, language: Tongue) -> String {
        let place = match (&self.place, lines.and_then(|lines| lines.position(&self.place))) {
            (_, Some((line, column))) => format!("{file}:{line}:{column}"),
            (Place::At { line, column }, None) => format!("{file}:{line}:{column}"),
            (Place::File, None) => file.to_owned(),
            (Place::Pointer(pointer), None) => format!("{file}#{pointer}"),
        };
        let fix = match language {
            Tongue::Swedish => "Så här",
            Tongue::English => "Mend it",
        };
        let excerpt = lines.and_then(|lines| lines.excerpt(&self.place)).map(|excerpt| {
            let number = excerpt.line.to_string();
            let margin = " ".repeat(number.len());
            let caret = " ".repeat(excerpt.indent);
            format!("  {margin} |\n  {number} | {}\n  {margin} | {caret}^\n", excerpt.text)
        });
        let profiles: Vec<&str> = self.profiles().into_iter().map(Profile::name).collect();
        format!(
            "{}: {}\n  --> {place}{}\n{}  {}\n  {fix}: {}\n  [{}{}]\n\n",
            self.severity.word(language),
            self.what(language),
            self.about.as_ref().map(|about| format!("  ({})", shortened(about))).unwrap_or_default(),
            excerpt.unwrap_or_default(),
            self.why(language),
            self.fix(language),
            self.rule.id,
            if profiles.is_empty() { String::new() } else { format!(": {}", profiles.join(", ")) },
        )
    }

    /// One pass, so that what a file says cannot bring placeholders of its own.
    fn filled(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 32);
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, from) = rest.split_at(open);
            out.push_str(before);
            let (value, after) = if let Some(after) = from.strip_prefix("{found}") {
                (self.found.as_deref(), after)
            } else if let Some(after) = from.strip_prefix("{expected}") {
                (self.expected.as_deref(), after)
            } else {
                (Some("{"), from.get(1..).unwrap_or_default())
            };
            out.push_str(value.unwrap_or("–"));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Words {
            what: String,
            why: String,
            fix: String,
        }
        let words =
            |language| Words { what: self.what(language), why: self.why(language), fix: self.fix(language) };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rule", self.rule.id)?;
        map.serialize_entry("severity", &self.severity)?;
        let profiles = self.profiles();
        if !profiles.is_empty() {
            map.serialize_entry("profiles", &profiles)?;
        }
        map.serialize_entry("source", self.rule.source)?;
        map.serialize_entry("place", &self.place)?;
        for (name, value) in [("about", &self.about), ("found", &self.found), ("expected", &self.expected)] {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("sv", &words(Tongue::Swedish))?;
        map.serialize_entry("en", &words(Tongue::English))?;
        map.end()
    }
}

/// All that was found.
#[derive(Debug, Clone, Default, Serialize)]
#[must_use]
pub struct Report {
    /// In the order in which they were found.
    pub findings: Vec<Finding>,
    /// What is judged by.
    #[serde(skip)]
    profiles: Profiles,
}

impl Report {
    /// Nothing found, judged by the base alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing found, judged by these profiles.
    pub fn by(profiles: Profiles) -> Self {
        Self { findings: Vec::new(), profiles }
    }

    /// What is judged by.
    #[must_use]
    pub fn profiles(&self) -> Profiles {
        self.profiles
    }

    /// Adds one, as bad as the worst of the profiles that are judged by has it; none of them has the rule: it is no breach here.
    pub fn add(&mut self, mut finding: Finding) {
        let Some(severity) = finding.rule.severity_in(self.profiles) else {
            return;
        };
        finding.severity = severity;
        finding.judged_by = self.profiles;
        self.findings.push(finding);
    }

    /// How many there are of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Adds all of another, each about `entity` unless it says otherwise.
    pub fn add_about(&mut self, entity: &str, other: Self) {
        for mut finding in other.findings {
            finding.about.get_or_insert_with(|| entity.to_owned());
            self.findings.push(finding);
        }
    }

    /// Whether the file is refused.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether the rule of that name was broken.
    #[must_use]
    pub fn has(&self, rule_id: &str) -> bool {
        self.findings.iter().any(|finding| finding.rule.id == rule_id)
    }

    /// The report as a person reads it in a terminal, the worst first. `file` is what to call the file.
    #[must_use]
    pub fn render(&self, file: &str, language: Tongue) -> String {
        self.sorted().into_iter().map(|finding| finding.render(file, None, language)).collect()
    }

    /// The findings, the worst first; those of one severity as they were found.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Finding> {
        let mut sorted: Vec<&Finding> = self.findings.iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        sorted
    }
}

/// What a file says, short and harmless enough for a terminal and a log line.
pub(crate) fn shortened(text: &str) -> String {
    let mut shown: String =
        text.chars().take(200).map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter }).collect();
    if text.chars().nth(200).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Finding, Place, Report};
    use crate::lint::{
        profile::{Profile, Profiles},
        rule::{Rule, Severity, Text, Tongue},
    };

    static SWAMID: Rule = Rule {
        id: "test.swamid",
        severity: Severity::Warning,
        profiles: &[(Profile::Swamid, Severity::Warning), (Profile::Saml2int, Severity::Error)],
        ..RULE
    };

    #[test]
    fn a_profile_s_rule_is_a_breach_only_where_the_profile_is_chosen_and_as_bad_as_the_worst_has_it() {
        let judged = |profiles: &[Profile]| {
            let mut report = Report::by(profiles.iter().copied().collect());
            report.add(Finding::new(&SWAMID, Place::File));
            report.findings.first().map(|finding| (finding.severity, finding.profiles()))
        };
        assert_eq!(judged(&[]), None);
        assert_eq!(judged(&[Profile::Swamid]), Some((Severity::Warning, vec![Profile::Swamid])));
        let both = Some((Severity::Error, vec![Profile::Swamid, Profile::Saml2int]));
        assert_eq!(judged(&[Profile::Swamid, Profile::Saml2int]), both);
        let mut base = Report::by(Profiles::all());
        base.add(Finding::new(&ONE, Place::File));
        assert_eq!(base.findings[0].severity, Severity::Error);
    }

    const RULE: Rule = Rule {
        id: "test.rule",
        severity: Severity::Error,
        profiles: &[(Profile::Base, Severity::Error), (Profile::Swamid, Severity::Note)],
        source: "none",
        what: Text { sv: "{found} är inte {expected}", en: "{found} is not {expected}" },
        why: Text { sv: "Därför {att}.", en: "Because." },
        fix: Text { sv: "Skriv {expected}.", en: "Write {expected}." },
    };

    static ONE: Rule = RULE;

    #[test]
    fn what_a_file_says_brings_no_placeholders_and_no_control_characters() {
        let finding = Finding::new(&ONE, Place::File).found("{expected}\u{1b}[31m").expected("b");
        assert_eq!(finding.what(Tongue::English), "{expected}\u{FFFD}[31m is not b");
        assert_eq!(finding.why(Tongue::Swedish), "Därför {att}.");
        assert_eq!(Finding::new(&ONE, Place::File).what(Tongue::English), "– is not –");
    }

    #[test]
    fn a_report_is_json_with_both_languages() {
        let mut report = Report::new();
        report.add(Finding::new(&ONE, Place::Pointer("/jwks".into())).found("a").expected("b"));
        let json = serde_json::to_value(&report).expect("serialises");
        assert_eq!(json["findings"][0]["place"]["pointer"], "/jwks");
        assert_eq!(json["findings"][0]["sv"]["what"], "a är inte b");
        assert!(report.has_errors() && report.has("test.rule"));
    }

    #[test]
    fn a_rendered_report_says_what_where_why_and_how() {
        let mut report = Report::new();
        report.add(Finding::new(&ONE, Place::At { line: 3, column: 7 }).found("a").expected("b"));
        insta::assert_snapshot!(report.render("idp.xml", Tongue::English), @r"
        error: a is not b
          --> idp.xml:3:7
          Because.
          Mend it: Write b.
          [test.rule]
        ");
    }
}
