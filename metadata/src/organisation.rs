//! The record files of organisations: TOML for people, JSON for scripts, the same names in both.
//!
//! Unknown names are refused with the nearest known one. Neighbours: `lint::record` has the rules; `broker_core::organisation` is
//! what comes out; `revision` keeps it as JSON.

use std::collections::BTreeSet;

use broker_core::{
    assurance::Assurance,
    attribute::{AttributeName, form::is_hsa_beginning},
    identifier::{Language, RelyingPartyId},
    organisation::{LocalText, Logo, Organisation, OrganisationNumber, SupportContact},
};
use toml::de::{DeTable, DeValue};

use crate::{
    address::WebAddress,
    international::ascii,
    lint::{
        logo as logo_rule, record as rule,
        report::{Finding, Place, Report},
        rule::Rule,
    },
    oidc::is_client_id,
    revision::is_document_name,
};

const KEYS: [&str; 12] = [
    "number",
    "name",
    "domains",
    "scopes",
    "hsa_prefixes",
    "ceiling",
    "entitled",
    "may_assert",
    "support",
    "aliases",
    "logo",
    "relying_parties",
];
const SUPPORT_KEYS: [&str; 3] = ["email", "telephone", "url"];

/// A value of either notation, with its place.
struct Node {
    place: Place,
    value: Value,
}

enum Value {
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Place, Node)>),
    Number(u32),
    Other,
}

/// A record file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFile {
    /// The record. It has no logo yet, unless it is kept already: that is made of what `logo` names.
    pub organisation: Organisation,
    /// Where its logo is, if it names one: for [`crate::logo::prepare`].
    pub logo: Option<LogoSource>,
}

/// Where a logo is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogoSource {
    /// In a file beside the record.
    File(String),
    /// At an https address.
    Address(String),
    /// Where it is kept already: the file is a record that we wrote.
    Kept(Logo),
}

/// Reads a record file for its record alone.
pub fn read(text: &str) -> (Option<Organisation>, Report) {
    let (file, report) = read_file(text);
    (file.map(|file| file.organisation), report)
}

/// Reads a record file. It is there only when the report has no error.
pub fn read_file(text: &str) -> (Option<RecordFile>, Report) {
    let mut report = Report::new();
    let root = if text.trim_start().starts_with('{') { from_json(text) } else { from_toml(text) };
    let file = match root {
        Ok(root) => record_file(root, &mut report),
        Err(finding) => {
            report.add(finding);
            None
        }
    };
    (file.filter(|_| !report.has_errors()), report)
}

/// The octets of a record as it is kept.
///
/// # Errors
/// Never in practice: a record is plain data.
pub fn document(organisation: &Organisation) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(organisation)
}

fn record_file(root: Node, report: &mut Report) -> Option<RecordFile> {
    let Value::Table(entries) = root.value else {
        report.add(wrong_type("–", "{ … }", root.place));
        return None;
    };
    let mut number = None;
    let mut record = RecordParts::default();
    let mut logo_source = None;
    for (key, key_place, node) in entries {
        match key.as_str() {
            "number" => number = Some(text(node, "number", report)),
            "name" => record.name = names(node, report),
            "domains" => record.domains = list(node, "domains", report),
            "scopes" => record.scopes = list(node, "scopes", report),
            "hsa_prefixes" => record.hsa_prefixes = list(node, "hsa_prefixes", report),
            "ceiling" => record.ceiling = list(node, "ceiling", report),
            "entitled" => record.entitled = list(node, "entitled", report),
            "may_assert" => record.may_assert = list(node, "may_assert", report),
            "support" => record.support = support(node, report),
            "aliases" => record.aliases = list(node, "aliases", report),
            "logo" => logo_source = self::logo_source(node, report),
            "relying_parties" => record.relying_parties = Some(list(node, "relying_parties", report)),
            _ => report.add(unknown(&rule::UNKNOWN_KEY, &key, &KEYS, key_place)),
        }
    }
    let number = match number {
        Some(Some((written, place))) => {
            let parsed = OrganisationNumber::parse(&written);
            if parsed.is_none() {
                report.add(Finding::new(&rule::NUMBER, place).found(written));
            }
            parsed
        }
        Some(None) => None,
        None => {
            report.add(Finding::new(&rule::NUMBER, Place::File));
            None
        }
    };
    let mut organisation = record.judged(number, report)?;
    if let Some(LogoSource::Kept(logo)) = &logo_source {
        organisation.logo = Some(logo.clone());
    }
    Some(RecordFile { organisation, logo: logo_source })
}

/// The name of a file that lies beside the record, or an address. Nothing leads out of the record's folder: the file may come from elsewhere.
fn logo_source(node: Node, report: &mut Report) -> Option<LogoSource> {
    if let Value::Table(entries) = node.value {
        return kept_logo(entries).map(LogoSource::Kept).or_else(|| {
            report.add(wrong_type("logo", "\"…\"", node.place));
            None
        });
    }
    let (written, place) = text(node, "logo", report)?;
    if WebAddress::parse(&written).is_some_and(|address| address.is_https()) {
        return Some(LogoSource::Address(written));
    }
    let plain = !written.is_empty()
        && !written.starts_with('.')
        && written.chars().all(|letter| letter.is_alphanumeric() || "-_. ".contains(letter));
    if plain {
        return Some(LogoSource::File(written));
    }
    report.add(Finding::new(&logo_rule::SOURCE, place).found(written));
    None
}

/// A logo as our own records name it.
fn kept_logo(entries: Vec<(String, Place, Node)>) -> Option<Logo> {
    let members = entries.into_iter().map(|(key, _, node)| match node.value {
        Value::Text(text) => Some((key, serde_json::Value::from(text))),
        Value::Number(number) => Some((key, serde_json::Value::from(number))),
        _ => None,
    });
    let logo: Logo =
        serde_json::from_value(serde_json::Value::Object(members.collect::<Option<_>>()?)).ok()?;
    is_document_name(&logo.document).then_some(logo)
}

/// A list as written: each value with its place.
type Written = Vec<(String, Place)>;

#[derive(Default)]
struct RecordParts {
    name: LocalText,
    domains: Written,
    scopes: Written,
    hsa_prefixes: Written,
    ceiling: Written,
    entitled: Written,
    may_assert: Written,
    support: SupportContact,
    aliases: Written,
    relying_parties: Option<Written>,
}

impl RecordParts {
    /// Every fault is reported, also when the record is lost already.
    fn judged(self, number: Option<OrganisationNumber>, report: &mut Report) -> Option<Organisation> {
        if !crate::lint::saml::interface::has_swedish(&self.name) {
            report.add(Finding::new(&rule::NAME, Place::File));
        }
        if self.support == SupportContact::default() {
            report.add(Finding::new(&rule::SUPPORT_MISSING, Place::File));
        }
        if self.domains.is_empty() {
            report.add(Finding::new(&rule::NO_DOMAIN, Place::File));
        }
        let domains = named(self.domains);
        for (domain, place) in domains.iter().filter(|(domain, _)| is_host(domain) && is_too_wide(domain)) {
            report.add(Finding::new(&rule::DOMAIN_TOO_WIDE, place.clone()).found(domain));
        }
        let upper: Written = self
            .hsa_prefixes
            .into_iter()
            .map(|(prefix, place)| (prefix.to_ascii_uppercase(), place))
            .collect();
        Some(Organisation {
            domains: kept(domains, &rule::DOMAIN, is_host, report),
            scopes: kept(named(self.scopes), &rule::SCOPE, is_scope, report),
            hsa_prefixes: kept(upper, &rule::HSA_PREFIX, is_hsa_beginning, report),
            ceiling: kept(self.ceiling, &rule::CEILING, |uri| Assurance::new(uri).is_known(), report)
                .into_iter()
                .map(Assurance::new)
                .collect(),
            entitled: attributes(self.entitled, report),
            may_assert: attributes(self.may_assert, report),
            name: self.name,
            support: self.support,
            aliases: self
                .aliases
                .into_iter()
                .map(|(alias, _)| alias.trim().to_owned())
                .filter(|alias| !alias.is_empty())
                .collect(),
            logo: None,
            relying_parties: self.relying_parties.map(|written| {
                kept(written, &rule::RELYING_PARTY, is_client_id, report)
                    .into_iter()
                    .map(RelyingPartyId::new)
                    .collect()
            }),
            number: number?,
        })
    }
}

/// Names in their ASCII form, lower case; what has none stays as it is written, to be refused by its rule.
fn named(written: Written) -> Written {
    written.into_iter().map(|(value, place)| (ascii(&value).unwrap_or(value), place)).collect()
}

fn kept(
    written: Written,
    rule: &'static Rule,
    good: impl Fn(&str) -> bool,
    report: &mut Report,
) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for (value, place) in written {
        if good(&value) {
            values.insert(value);
        } else {
            report.add(Finding::new(rule, place).found(value));
        }
    }
    values
}

fn attributes(written: Written, report: &mut Report) -> BTreeSet<AttributeName> {
    let mut names = BTreeSet::new();
    for (key, place) in written {
        match AttributeName::from_key(&key) {
            Some(name) => {
                names.insert(name);
            }
            None => {
                let known: Vec<&str> = AttributeName::ALL.iter().map(|name| name.key()).collect();
                report.add(unknown(&rule::ATTRIBUTE, &key, &known, place));
            }
        }
    }
    names
}

fn names(node: Node, report: &mut Report) -> LocalText {
    let mut text_by_language = LocalText::default();
    let Value::Table(entries) = node.value else {
        report.add(wrong_type("name", "name.sv = \"…\"", node.place));
        return text_by_language;
    };
    for (key, key_place, value) in entries {
        let Some(language) = Language::from_tag(&key) else {
            report.add(unknown(&rule::UNKNOWN_KEY, &key, &["sv", "en"], key_place));
            continue;
        };
        if let Some((words, _)) = text(value, "name", report)
            && !words.trim().is_empty()
        {
            text_by_language.0.insert(language, words.trim().to_owned());
        }
    }
    text_by_language
}

fn support(node: Node, report: &mut Report) -> SupportContact {
    let mut contact = SupportContact::default();
    let Value::Table(entries) = node.value else {
        report.add(wrong_type("support", "[support]", node.place));
        return contact;
    };
    for (key, key_place, value) in entries {
        let slot = match key.as_str() {
            "email" => &mut contact.email,
            "telephone" => &mut contact.telephone,
            "url" => &mut contact.url,
            _ => {
                report.add(unknown(&rule::UNKNOWN_KEY, &key, &SUPPORT_KEYS, key_place));
                continue;
            }
        };
        *slot = text(value, &key, report).map(|(words, _)| words);
    }
    contact
}

fn text(node: Node, key: &str, report: &mut Report) -> Option<(String, Place)> {
    match node.value {
        Value::Text(text) => Some((text, node.place)),
        _ => {
            report.add(wrong_type(key, "\"…\"", node.place));
            None
        }
    }
}

fn list(node: Node, key: &str, report: &mut Report) -> Written {
    let Value::List(items) = node.value else {
        report.add(wrong_type(key, "[\"…\"]", node.place));
        return Vec::new();
    };
    items.into_iter().filter_map(|item| text(item, key, report)).collect()
}

fn wrong_type(key: &str, expected: &str, place: Place) -> Finding {
    Finding::new(&rule::TYPE, place).found(key).expected(expected)
}

/// Names the nearest of the known names, so that a slip of the finger is mended at once.
fn unknown(rule: &'static Rule, key: &str, known: &[&str], place: Place) -> Finding {
    let nearest = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(key, a).total_cmp(&strsim::jaro_winkler(key, b)))
        .copied()
        .unwrap_or_default();
    Finding::new(rule, place).found(key).expected(nearest)
}

/// A host name, or the number of a machine for tests on it. A label that says it is international must be so.
fn is_host(text: &str) -> bool {
    text.len() <= 253
        && (!text.contains("xn--") || ascii(text).as_deref() == Some(text))
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        })
}

/// A name without a dot covers a whole top-level domain. `localhost` is the machine itself and may be anybody's.
fn is_too_wide(domain: &str) -> bool {
    !domain.contains('.') && domain != "localhost"
}

fn is_scope(text: &str) -> bool {
    match OrganisationNumber::parse(text) {
        Some(number) => number.as_str() == text,
        None => is_host(text) && text.bytes().any(|byte| byte.is_ascii_lowercase()),
    }
}

fn from_toml(source: &str) -> Result<Node, Finding> {
    let place = |offset: usize| {
        let before = source.get(..offset).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place::At {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    };
    let table = DeTable::parse(source).map_err(|fault| {
        let start = fault.span().map_or(0, |span| span.start);
        Finding::new(&rule::UNREADABLE, place(start)).found(fault.message())
    })?;
    Ok(Node { place: Place::File, value: toml_table(table.into_inner(), &place) })
}

fn toml_table(table: DeTable<'_>, place: &dyn Fn(usize) -> Place) -> Value {
    Value::Table(
        table
            .into_iter()
            .map(|(key, value)| {
                let node_place = place(value.span().start);
                let node = Node { place: node_place, value: toml_value(value.into_inner(), place) };
                (key.get_ref().to_string(), place(key.span().start), node)
            })
            .collect(),
    )
}

fn toml_value(value: DeValue<'_>, place: &dyn Fn(usize) -> Place) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Array(items) => Value::List(
            items
                .into_iter()
                .map(|item| Node {
                    place: place(item.span().start),
                    value: toml_value(item.into_inner(), place),
                })
                .collect(),
        ),
        DeValue::Table(table) => toml_table(table, place),
        DeValue::Integer(integer) => integer.as_str().parse().map_or(Value::Other, Value::Number),
        _ => Value::Other,
    }
}

fn from_json(source: &str) -> Result<Node, Finding> {
    let value = serde_json::from_str(source).map_err(|fault| {
        let at = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        Finding::new(&rule::UNREADABLE, Place::At { line: at(fault.line()), column: at(fault.column()) })
            .found(fault.to_string())
    })?;
    Ok(json_node(value, String::new()))
}

fn json_node(value: serde_json::Value, pointer: String) -> Node {
    use serde_json::Value as Json;
    let inner = match value {
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| json_node(item, format!("{pointer}/{index}")))
                .collect(),
        ),
        Json::Object(members) => Value::Table(
            members
                .into_iter()
                .map(|(key, member)| {
                    let below = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    (key, Place::Pointer(below.clone()), json_node(member, below))
                })
                .collect(),
        ),
        Json::Number(number) => {
            number.as_u64().and_then(|number| u32::try_from(number).ok()).map_or(Value::Other, Value::Number)
        }
        Json::Null | Json::Bool(_) => Value::Other,
    };
    Node { place: Place::Pointer(pointer), value: inner }
}

#[cfg(test)]
mod tests;
