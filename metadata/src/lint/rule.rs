//! A rule: its stable name, how bad a breach is, and what to tell people about it, in Swedish and English.

use serde::{Deserialize, Serialize};

use crate::lint::profile::{Profile, Profiles};

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
    /// How bad a breach is in the base; for a rule that the base does not have, in the first profile that does.
    pub severity: Severity,
    /// The profiles that have the rule, each with how bad a breach is there.
    pub profiles: &'static [(Profile, Severity)],
    /// Where the rule comes from: a specification and its section, or a decision of ours.
    pub source: &'static str,
    /// What is wrong.
    pub what: Text,
    /// Why it matters.
    pub why: Text,
    /// How to mend it.
    pub fix: Text,
}

impl Rule {
    /// What `rules!` writes. A rule that no profile has does not compile.
    pub(crate) const fn declared(
        id: &'static str,
        profiles: &'static [(Profile, Severity)],
        source: &'static str,
        [what, why, fix]: [Text; 3],
    ) -> Self {
        Self { id, severity: profiles[0].1, profiles, source, what, why, fix }
    }

    /// How bad a breach is for who chose these profiles: the worst of those that have the rule. `None`: none of them has it.
    #[must_use]
    pub fn severity_in(&self, chosen: Profiles) -> Option<Severity> {
        self.holding(chosen).map(|(_, severity)| severity).max()
    }

    /// Those of the chosen profiles that have the rule, with how bad a breach is in each.
    pub fn holding(&self, chosen: Profiles) -> impl Iterator<Item = (Profile, Severity)> {
        self.profiles.iter().copied().filter(move |(profile, _)| chosen.contains(*profile))
    }
}

/// Declares the rules of one file, and the list of them. `NAME = Error "a.b.c"` is a rule of the base; `NAME = [Swamid: Error]` one of that
/// profile alone; `NAME = Note [Swamid: Error]` one of the base that is graver in a profile.
macro_rules! rules {
    ($($name:ident = $($severity:ident)? $([$($profile:ident: $within:ident),+])? $id:literal, $source:literal,
        what: $what_sv:literal / $what_en:literal,
        why: $why_sv:literal / $why_en:literal,
        fix: $fix_sv:literal / $fix_en:literal;)*) => {
        $(pub(crate) static $name: crate::lint::rule::Rule = crate::lint::rule::Rule::declared(
            $id,
            &[
                $((crate::lint::profile::Profile::Base, crate::lint::rule::Severity::$severity),)?
                $($((crate::lint::profile::Profile::$profile, crate::lint::rule::Severity::$within),)+)?
            ],
            $source,
            [
                crate::lint::rule::Text { sv: $what_sv, en: $what_en },
                crate::lint::rule::Text { sv: $why_sv, en: $why_en },
                crate::lint::rule::Text { sv: $fix_sv, en: $fix_en },
            ],
        );)*
        /// Every rule of this file.
        pub(crate) static RULES: &[&crate::lint::rule::Rule] = &[$(&$name),*];
    };
}
pub(crate) use rules;
