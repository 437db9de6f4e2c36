//! A rule: its stable name, how bad a breach is, and what to tell people about it, in Swedish and English.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It works, but not as well as it should, or not for long.
    Warning,
    /// The file is refused.
    Error,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self, language: Tongue) -> &'static str {
        match (self, language) {
            (Self::Error, Tongue::Swedish) => "fel",
            (Self::Warning, Tongue::Swedish) => "varning",
            (Self::Note, Tongue::Swedish) => "upplysning",
            (Self::Error, Tongue::English) => "error",
            (Self::Warning, Tongue::English) => "warning",
            (Self::Note, Tongue::English) => "note",
        }
    }
}

/// The languages of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tongue {
    /// sv.
    Swedish,
    /// en.
    English,
}

/// One text in both languages. `{found}` and `{expected}` stand for what the finding has of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Swedish.
    pub sv: &'static str,
    /// English.
    pub en: &'static str,
}

impl Text {
    /// The text in one language.
    #[must_use]
    pub fn in_tongue(self, language: Tongue) -> &'static str {
        match language {
            Tongue::Swedish => self.sv,
            Tongue::English => self.en,
        }
    }
}

/// What is looked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable name, such as `saml.idp.signing_key_missing`. Scripts and people refer to it; never change one.
    pub id: &'static str,
    /// How bad a breach is.
    pub severity: Severity,
    /// Where the rule comes from: a specification and its section, or a decision of ours.
    pub source: &'static str,
    /// What is wrong.
    pub what: Text,
    /// Why it matters.
    pub why: Text,
    /// How to mend it.
    pub fix: Text,
}

/// Declares the rules of one file, and the list of them.
macro_rules! rules {
    ($($name:ident = $severity:ident $id:literal, $source:literal,
        what: $what_sv:literal / $what_en:literal,
        why: $why_sv:literal / $why_en:literal,
        fix: $fix_sv:literal / $fix_en:literal;)*) => {
        $(pub(crate) static $name: crate::lint::rule::Rule = crate::lint::rule::Rule {
            id: $id,
            severity: crate::lint::rule::Severity::$severity,
            source: $source,
            what: crate::lint::rule::Text { sv: $what_sv, en: $what_en },
            why: crate::lint::rule::Text { sv: $why_sv, en: $why_en },
            fix: crate::lint::rule::Text { sv: $fix_sv, en: $fix_en },
        };)*
        /// Every rule of this file.
        pub(crate) static RULES: &[&crate::lint::rule::Rule] = &[$(&$name),*];
    };
}
pub(crate) use rules;
