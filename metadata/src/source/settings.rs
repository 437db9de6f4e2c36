//! What the operator decides about a source. It stands in the configuration, never in the store.

use std::path::PathBuf;

use broker_core::{assurance::Assurance, attribute::AttributeName, subject::SubjectSource};
use serde::{Deserialize, Serialize};

use super::filter::What;
use crate::revision::document_name;

/// How a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A signed document with many entities.
    Aggregate,
    /// A responder that is asked for one entity at a time (Metadata Query Protocol).
    Mdq,
    /// The address of one entity.
    Entity,
}

/// `[[source]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// What it is called in the log and in commands.
    pub name: String,
    /// How it is asked.
    pub kind: SourceKind,
    /// Its address: https, or `file:` and a path. For MDQ the base.
    #[serde(default)]
    pub url: Option<String>,
    /// For MDQ: several bases, asked in this order.
    #[serde(default)]
    pub urls: Vec<String>,
    /// PEM files of certificates or public keys, received out of band. They verify this source and nothing else (IIP-MD03).
    pub keys: Vec<PathBuf>,
    /// A validUntil further ahead than this many seconds is refused (IIP-MD04).
    #[serde(default = "default_max_validity")]
    pub max_validity_seconds: u32,
    /// A document without validUntil is refused (IIP-MD04).
    #[serde(default = "yes")]
    pub require_valid_until: bool,
    /// How often it is asked, at least and at most, in seconds; within them its own cacheDuration counts.
    #[serde(default = "default_refresh")]
    pub refresh_seconds: [u32; 2],
    /// The largest document, in octets, as it comes and as it unfolds.
    #[serde(default = "default_largest")]
    pub largest_megabytes: u32,
    /// For MDQ: ask by `{sha1}` and the digest of the entity ID.
    #[serde(default)]
    pub by_sha1: bool,
    /// For MDQ: look-ups for names that strangers brought, a minute.
    #[serde(default = "default_look_ups")]
    pub look_ups_per_minute: u32,
    /// Which entities are taken, step by step.
    #[serde(default)]
    pub filters: Vec<Step>,
    /// What its publisher verifies of members, and what we therefore believe.
    pub vouches: Vouches,
}

/// `[source.vouches]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vouches {
    /// Organisation numbers (`mdorgext:OrganizationNumber`).
    #[serde(default)]
    pub organisation_number: bool,
    /// Scopes (`shibmd:Scope`).
    #[serde(default)]
    pub scopes: bool,
    /// Assurance certifications, up to these levels: at most one per vocabulary.
    #[serde(default)]
    pub ceiling: Vec<Assurance>,
    /// Attributes that its providers may assert beyond scope, HSA-id and mail.
    #[serde(default)]
    pub may_assert: Vec<AttributeName>,
    /// What subject identifiers of its providers' people are made from; pinned for each provider at first sight.
    pub subject_source: SubjectSource,
}

/// One step of a filter: what it keeps or drops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it is called; default: what it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Entities that have one of the values stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<What>,
    /// Entities that have one of the values go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop: Option<What>,
    /// The values.
    pub values: Vec<String>,
}

impl SourceSettings {
    /// Every address, in the order in which they are asked.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.url.iter().chain(&self.urls).map(String::as_str)
    }

    /// A name for what decides which members a document gives. Another one: the document is read anew, even if it has not changed.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let deciding = (&self.kind, &self.url, &self.urls, &self.filters);
        document_name(&serde_json::to_vec(&deciding).unwrap_or_default())
    }

    /// In how many seconds to ask again, when the document said `cache_duration`.
    #[must_use]
    pub fn refresh_after(&self, cache_duration: Option<i64>) -> i64 {
        let [least, most] = self.refresh_seconds.map(i64::from);
        cache_duration.unwrap_or(most).clamp(least, most.max(least))
    }

    /// The largest document, in octets.
    #[must_use]
    pub fn largest(&self) -> usize {
        usize::try_from(self.largest_megabytes).unwrap_or(usize::MAX).saturating_mul(1024 * 1024)
    }

    /// What does not hold together; each a sentence and how to mend it.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, &'static str)> {
        let mut faults = Vec::new();
        let of = &self.name;
        let is_name = |name: &str| {
            (1..=40).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if !is_name(of) {
            faults.push((format!("a source is called {of:?}"), "Choose 1 to 40 of a-z, 0-9 and -."));
        }
        let addresses = self.addresses().count();
        if addresses == 0 || (addresses > 1 && self.kind != SourceKind::Mdq) {
            faults.push((
                format!("the source {of} has {addresses} addresses"),
                "Give one url; of an MDQ source several urls may be given.",
            ));
        }
        for address in self.addresses() {
            if !["https://", "http://", "file:"].iter().any(|scheme| address.starts_with(scheme)) {
                faults.push((
                    format!("the source {of} is at {address}"),
                    "Write https://..., or file: and a path.",
                ));
            }
            if self.kind == SourceKind::Mdq && (!address.ends_with('/') || address.starts_with("file:")) {
                faults.push((
                    format!("the base {address} of the source {of} does not end with a slash"),
                    "Write the base as https://mdq.example.org/ (Metadata Query Protocol 3.1.1).",
                ));
            }
        }
        if self.keys.is_empty() {
            faults.push((
                format!("the source {of} has no keys"),
                "Name the PEM file of the publisher's certificate, received over another channel.",
            ));
        }
        let [least, most] = self.refresh_seconds;
        if least < 1 || most < least || most > 86_400 {
            faults.push((
                format!("refresh_seconds of the source {of} is [{least}, {most}]"),
                "Write [least, most], from 1 to 86400.",
            ));
        }
        if !(600..=31_622_400).contains(&self.max_validity_seconds) {
            faults.push((
                format!("max_validity_seconds of the source {of} is {}", self.max_validity_seconds),
                "Choose 600 to 31622400 (a year).",
            ));
        }
        if !(1..=1024).contains(&self.largest_megabytes) {
            faults.push((
                format!("largest_megabytes of the source {of} is {}", self.largest_megabytes),
                "Choose 1 to 1024.",
            ));
        }
        if !(1..=6_000).contains(&self.look_ups_per_minute) {
            faults.push((
                format!("look_ups_per_minute of the source {of} is {}", self.look_ups_per_minute),
                "Choose 1 to 6000.",
            ));
        }
        for (number, step) in self.filters.iter().enumerate() {
            if step.keep.is_some() == step.drop.is_some() || step.values.is_empty() {
                faults.push((
                    format!("step {} of the filters of the source {of} keeps and drops nothing, or both", number + 1),
                    "Write { keep = \"registration-authority\", values = [\"...\"] }, or drop in place of keep.",
                ));
            }
        }
        if let Some(level) = self.vouches.ceiling.iter().find(|level| !level.is_known()) {
            faults.push((
                format!("the ceiling {level} of the source {of} is of no vocabulary that the broker knows"),
                "docs/authority.md lists the levels.",
            ));
        }
        if self.vouches.subject_source == SubjectSource::OidcSub {
            faults.push((
                format!("subject_source of the source {of} is oidc_sub"),
                "Choose subject_id, pairwise_id, persistent_name_id, org_affiliation or employee_hsa_id.",
            ));
        }
        faults
    }
}

impl Step {
    /// What it is called.
    #[must_use]
    pub fn title(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let (verb, what) = match (&self.keep, &self.drop) {
            (Some(what), _) => ("keep", Some(what)),
            (None, what) => ("drop", what.as_ref()),
        };
        format!("{verb} {} {}", what.map_or("", |what| what.key()), self.values.join(", "))
    }
}

fn default_max_validity() -> u32 {
    28 * 86_400
}

fn default_refresh() -> [u32; 2] {
    [300, 3_600]
}

fn default_largest() -> u32 {
    256
}

fn default_look_ups() -> u32 {
    60
}

fn yes() -> bool {
    true
}
