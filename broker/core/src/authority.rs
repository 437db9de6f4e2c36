//! What one provider may say of people: its organisation's record, cut by what its own document declares and by what the operator
//! narrowed it to (design decision 8). Nothing ever widens it.
//!
//! Neighbours: `organisation` has the record; `metadata` builds these when a provider joins; `release::authority` holds every answer to one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    assurance::Assurance,
    attribute::{
        AttributeName,
        form::{is_hsa_beginning, is_hsa_id, mail_address, scoped},
    },
    organisation::Organisation,
};

/// How one provider is held tighter than its organisation. Each part: `None` is what the organisation has; a set is intersected with that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrowing {
    /// The only scopes, in the record's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<BTreeSet<String>>,
    /// The only beginnings of HSA-ids, each at least as long as one of the record's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hsa_prefixes: Option<BTreeSet<String>>,
    /// The only attributes of those that need the record's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_assert: Option<BTreeSet<AttributeName>>,
    /// The highest levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<BTreeSet<Assurance>>,
}

impl Narrowing {
    /// Whether nothing is narrowed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What one provider may say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authority {
    /// Every spelling of a scope that may be met, lower case, with the one that leaves.
    scopes: BTreeMap<String, String>,
    /// The same of domains, for mail.
    domains: BTreeMap<String, String>,
    hsa_prefixes: BTreeSet<String>,
    may_assert: BTreeSet<AttributeName>,
    /// A level must lie under one of each.
    ceilings: Vec<BTreeSet<Assurance>>,
}

impl Authority {
    /// All that the record of an organisation grants.
    #[must_use]
    pub fn of(organisation: &Organisation) -> Self {
        let itself = |text: &String| (text.clone(), text.clone());
        let number = organisation.number.as_str().to_owned();
        Self {
            scopes: organisation.scopes.iter().chain([&number]).map(itself).collect(),
            domains: organisation.domains.iter().map(itself).collect(),
            // A record that says less than the hyphen would speak for others: such a prefix grants nothing.
            hsa_prefixes: organisation
                .hsa_prefixes
                .iter()
                .filter(|prefix| is_hsa_beginning(prefix))
                .map(|prefix| prefix.to_ascii_uppercase())
                .collect(),
            may_assert: organisation.may_assert.clone(),
            ceilings: vec![organisation.ceiling.iter().cloned().collect()],
        }
    }

    /// Nothing but these levels: of a provider that speaks for several organisations, until it has proven one.
    #[must_use]
    pub fn of_levels(levels: impl IntoIterator<Item = Assurance>) -> Self {
        Self { ceilings: vec![levels.into_iter().collect()], ..Self::default() }
    }

    /// Cuts it. What the narrowing names beyond what there is stays without effect.
    #[must_use]
    pub fn narrowed(mut self, narrowing: &Narrowing) -> Self {
        if let Some(scopes) = &narrowing.scopes {
            self.scopes.retain(|_, leaves| scopes.contains(leaves));
        }
        if let Some(prefixes) = &narrowing.hsa_prefixes {
            let own = self.hsa_prefixes;
            self.hsa_prefixes = prefixes
                .iter()
                .map(|prefix| prefix.to_ascii_uppercase())
                .filter(|prefix| own.iter().any(|wider| prefix.starts_with(wider.as_str())))
                .collect();
        }
        if let Some(names) = &narrowing.may_assert {
            self.may_assert.retain(|name| names.contains(name));
        }
        self.ceilings.extend(narrowing.ceiling.iter().cloned());
        self
    }

    /// Adds another spelling of each scope and domain: `spelled` gives the international form of an ASCII one, if it has one. A name in
    /// that very form is the same name, and leaves in its ASCII form; anything that only looks like it is not.
    #[must_use]
    pub fn also_spelled(mut self, spelled: impl Fn(&str) -> Option<String>) -> Self {
        for names in [&mut self.scopes, &mut self.domains] {
            let more: Vec<_> =
                names.values().filter_map(|leaves| Some((spelled(leaves)?, leaves.clone()))).collect();
            for (written, leaves) in more {
                names.entry(written).or_insert(leaves);
            }
        }
        self
    }

    /// The scope that a written one is, as it leaves: lower case and ASCII. `None`: not one of this provider's.
    #[must_use]
    pub fn scope(&self, written: &str) -> Option<&str> {
        // ASCII alone is folded: Unicode's own folding makes the Kelvin sign a k, and somebody else's scope ours.
        self.scopes.get(&written.to_ascii_lowercase()).map(String::as_str)
    }

    /// A scoped value as it leaves, when every part that a reader could take for its scope is this provider's. `one_at`: the attribute's
    /// own definition allows one `@` alone, as those of subject-id, pairwise-id and eduPersonPrincipalName do.
    #[must_use]
    pub fn scoped_value(&self, value: &str, one_at: bool) -> Option<String> {
        let (local, scope) = scoped(value)?;
        let leaves = self.scope(scope)?;
        // orgAffiliation is split at its last @, but not every reader does so: what stands after an earlier one must be ours as well.
        let others = local
            .split('@')
            .skip(1)
            .all(|part| !one_at && (self.scope(part).is_some() || self.domain(part).is_some()));
        others.then(|| format!("{local}@{leaves}"))
    }

    /// The domain, or the name under one, as it leaves.
    fn domain(&self, written: &str) -> Option<String> {
        let lower = written.to_ascii_lowercase();
        self.domains.iter().find_map(|(known, leaves)| {
            let front = lower.strip_suffix(known.as_str())?;
            let is_label = |label: &str| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            let under = front.is_empty()
                || front.strip_suffix('.').is_some_and(|labels| labels.split('.').all(is_label));
            under.then(|| format!("{front}{leaves}"))
        })
    }

    /// A mail address as it leaves, when it lies in a domain of the organisation's.
    #[must_use]
    pub fn mail(&self, value: &str) -> Option<String> {
        let (local, domain) = mail_address(value)?;
        Some(format!("{local}@{}", self.domain(domain)?))
    }

    /// Whether an HSA-id is well-formed and lies under a prefix of the organisation's.
    #[must_use]
    pub fn owns_hsa_id(&self, value: &str) -> bool {
        // ASCII alone: Unicode's own folding makes a long s an S.
        let upper = value.to_ascii_uppercase();
        is_hsa_id(value)
            && self
                .hsa_prefixes
                .iter()
                .any(|prefix| upper.len() > prefix.len() && upper.starts_with(prefix.as_str()))
    }

    /// Whether the beginning of an HSA-id is one of the prefixes, or longer than one.
    #[must_use]
    pub fn owns_hsa_prefix(&self, beginning: &str) -> bool {
        let upper = beginning.to_ascii_uppercase();
        is_hsa_beginning(beginning)
            && self.hsa_prefixes.iter().any(|prefix| upper.starts_with(prefix.as_str()))
    }

    /// Whether an attribute that needs the record's word may be said at all.
    #[must_use]
    pub fn may_assert(&self, name: AttributeName) -> bool {
        self.may_assert.contains(&name)
    }

    /// Whether a level lies under every ceiling.
    #[must_use]
    pub fn covers(&self, level: &Assurance) -> bool {
        self.ceilings.iter().all(|ceiling| ceiling.iter().any(|top| level.is_within(top)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Authority, Narrowing};
    use crate::{
        assurance::Assurance,
        attribute::AttributeName,
        organisation::{LocalText, Organisation, OrganisationNumber, SupportContact},
    };

    const LOA: &str = "http://id.elegnamnden.se/loa/1.0/loa";

    fn organisation() -> Organisation {
        Organisation {
            number: OrganisationNumber::parse("2021006883").expect("a valid number"),
            name: LocalText::default(),
            domains: BTreeSet::from(["granvik.example".to_owned(), "xn--rksmrgs-5wao1o.example".to_owned()]),
            scopes: BTreeSet::from(["granvik.example".to_owned(), "xn--rksmrgs-5wao1o.example".to_owned()]),
            hsa_prefixes: BTreeSet::from(["SE2021006883-".to_owned(), "SE".to_owned()]),
            ceiling: vec![Assurance::new(format!("{LOA}3"))],
            entitled: BTreeSet::new(),
            may_assert: BTreeSet::from([AttributeName::PersonalIdentityNumber, AttributeName::DateOfBirth]),
            support: SupportContact::default(),
            aliases: BTreeSet::new(),
            logo: None,
            relying_parties: None,
        }
    }

    fn authority() -> Authority {
        Authority::of(&organisation()).also_spelled(|name| {
            (name == "xn--rksmrgs-5wao1o.example").then(|| "räksmörgås.example".to_owned())
        })
    }

    #[test]
    fn a_scope_is_compared_without_case_and_leaves_in_one_spelling() {
        for (written, leaves) in [
            ("aa01@granvik.example", "aa01@granvik.example"),
            ("Aa01@GRANVIK.Example", "Aa01@granvik.example"),
            ("aa01@2021006883", "aa01@2021006883"),
            ("aa01@xn--RKSMRGS-5wao1o.example", "aa01@xn--rksmrgs-5wao1o.example"),
            ("aa01@räksmörgås.example", "aa01@xn--rksmrgs-5wao1o.example"),
            ("anna@granvik.example@2021006883", "anna@granvik.example@2021006883"),
        ] {
            assert_eq!(authority().scoped_value(written, false).as_deref(), Some(leaves), "{written}");
        }
    }

    #[test]
    fn a_scope_that_is_only_like_ours_is_not_ours() {
        for foreign in [
            "aa01",
            "@granvik.example",
            "aa01@",
            "aa01@granvik.example.",
            "aa01@.granvik.example",
            "aa01@sub.granvik.example",
            "aa01@ granvik.example",
            "aa01@granvik.example ",
            "aa01@granvik.example\0",
            "aa01@granvik.example\0.evil.example",
            "aa01@granvik%2eexample",
            "aa01%40granvik.example@evil.example",
            "aa01@evil.example%40granvik.example",
            "aa01@granvik.example@evil.example",
            "aa01@evil.example@granvik.example",
            "aa01@@granvik.example",
            "aa01@5560160680@2021006883",
            "aa01@202100-6883",
            // Greek omicron, Cyrillic a, and letters that come apart.
            "aa01@gr\u{430}nvik.example",
            "aa01@r\u{e4}ksm\u{3bf}rg\u{e5}s.example",
            "aa01@ra\u{308}ksmo\u{308}rga\u{30a}s.example",
            "aa01@R\u{c4}KSM\u{d6}RG\u{c5}S.example",
            "aa01\u{ff20}evil.example@granvik.example",
            "aa01@granvik\u{3002}example",
            "aa01@granvi\u{212a}.example",
        ] {
            assert_eq!(authority().scoped_value(foreign, false), None, "{foreign:?}");
        }
    }

    #[test]
    fn an_attribute_with_one_at_by_definition_takes_no_second() {
        assert!(authority().scoped_value("aa01@granvik.example", true).is_some());
        assert_eq!(authority().scoped_value("anna@granvik.example@granvik.example", true), None);
    }

    #[test]
    fn mail_lies_within_a_domain() {
        for (written, leaves) in [
            ("anna@granvik.example", "anna@granvik.example"),
            ("anna@Post.GRANVIK.example", "anna@post.granvik.example"),
            ("anna@räksmörgås.example", "anna@xn--rksmrgs-5wao1o.example"),
        ] {
            assert_eq!(authority().mail(written).as_deref(), Some(leaves), "{written}");
        }
        for foreign in [
            "anna@evilgranvik.example",
            "anna@granvik.example.evil.example",
            "anna@granvik.example.",
            "anna@.granvik.example",
            "anna@a..granvik.example",
            "\"a@granvik.example\"@evil.example",
            "a@evil.example@granvik.example",
            "anna@evil.example",
            "anna@evil.example\u{3002}granvik.example",
            "anna@gr\u{430}nvik.example",
        ] {
            assert_eq!(authority().mail(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn an_hsa_prefix_covers_what_stands_behind_its_hyphen() {
        assert!(authority().owns_hsa_id("SE2021006883-AB12") && authority().owns_hsa_id("se2021006883-ab12"));
        for foreign in [
            "SE2321000016-AB12",
            "SE2021006883",
            "SE2021006883-",
            "SE2021006883-A B",
            "\u{17f}E2021006883-A1",
        ] {
            assert!(!authority().owns_hsa_id(foreign), "{foreign:?}: the record's `SE` grants nothing");
        }
    }

    #[test]
    fn narrowing_only_ever_cuts() {
        let texts = |values: &[&str]| Some(values.iter().map(|value| (*value).to_owned()).collect());
        let narrowed = authority().narrowed(&Narrowing {
            scopes: texts(&["granvik.example", "evil.example"]),
            hsa_prefixes: texts(&["SE2021006883-A", "SE2321000016-"]),
            may_assert: Some([AttributeName::DateOfBirth, AttributeName::Gender].into()),
            ceiling: Some(
                [Assurance::new(format!("{LOA}2")), Assurance::new("http://id.sambi.se/loa/loa3")].into(),
            ),
        });
        assert_eq!(narrowed.scope("granvik.example"), Some("granvik.example"));
        for cut in ["2021006883", "evil.example", "räksmörgås.example"] {
            assert_eq!(narrowed.scope(cut), None, "{cut}");
        }
        assert!(narrowed.owns_hsa_id("SE2021006883-A1"));
        assert!(!narrowed.owns_hsa_id("SE2021006883-B1") && !narrowed.owns_hsa_id("SE2321000016-A1"));
        assert!(narrowed.may_assert(AttributeName::DateOfBirth));
        assert!(!narrowed.may_assert(AttributeName::PersonalIdentityNumber));
        assert!(!narrowed.may_assert(AttributeName::Gender));
        assert!(narrowed.covers(&Assurance::new(format!("{LOA}2"))));
        assert!(!narrowed.covers(&Assurance::new(format!("{LOA}3"))));
        assert!(!narrowed.covers(&Assurance::new("http://id.sambi.se/loa/loa3")));
        assert_eq!(authority().narrowed(&Narrowing::default()), authority());
        assert_eq!(
            authority()
                .narrowed(&Narrowing { scopes: texts(&[]), ..Narrowing::default() })
                .scope("granvik.example"),
            None
        );
    }
}
