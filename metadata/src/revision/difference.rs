//! What a change changes, in words: for the author, for whoever approves, and for the log of a registry.
//!
//! Two versions of one entry go in, with their documents; plain sentences in Swedish and English come out. Only what a document or a setting
//! says is compared, so that another order or other white space is said to be what it is: nothing.
//!
//! | file | what |
//! |---|---|
//! | `difference.rs` | the sentences, and the comparison of values, sets and texts |
//! | `provider.rs` | an identity provider: keys, addresses, names, scopes, levels, settings |
//! | `relying_party.rs` | a relying party: return addresses, keys, secret, scopes, settings |
//! | `record.rs` | an organisation's record |
//!
//! Neighbours: `saml`, `oidc` and `organisation` read the documents; the command line, the API and the pages show the sentences; `guard` judges
//! the same change.

mod provider;
mod record;
mod relying_party;

use std::collections::BTreeSet;

use broker_core::{moment::Timestamp, organisation::LocalText};
pub(super) use provider::read as read_provider;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entry, EntryId};
use crate::{key_use::KeyUse, lint::report::shortened};

/// More values than these of one list are counted, not told one by one.
const MOST_TOLD: usize = 20;

/// What a sentence is about, for those who sort or count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing changes.
    Nothing,
    /// The entry is new.
    Added,
    /// The entry goes.
    Removed,
    /// One of the documents cannot be read, so that nothing can be said.
    Unreadable,
    /// Who answers for it.
    Owner,
    /// A key is added.
    KeyAdded,
    /// A key is removed.
    KeyRemoved,
    /// A key gets another use.
    KeyPurpose,
    /// The same key in another certificate.
    Certificate,
    /// Where messages go.
    Endpoint,
    /// What people know it by.
    Name,
    /// Other words and addresses for people.
    Presentation,
    /// A logo.
    Logo,
    /// A scope that is asserted.
    Scope,
    /// Whom to turn to.
    Contact,
    /// Until when the document may be used.
    ValidUntil,
    /// A NameID format.
    NameIdFormat,
    /// A level of assurance.
    Level,
    /// An entity category.
    Category,
    /// An attribute.
    Attribute,
    /// A signature algorithm, or what must be signed.
    Signing,
    /// Where answers go.
    ReturnAddress,
    /// How a relying party proves who it is.
    Authentication,
    /// A secret is made, renewed or dropped.
    Secret,
    /// What a relying party may ask for.
    AskedFor,
    /// A domain that is proven.
    Domain,
    /// Anything else that the operator decided.
    Setting,
}

/// One sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// What it is about.
    pub kind: Kind,
    /// In Swedish.
    pub sv: String,
    /// In English.
    pub en: String,
}

/// Says in words what becomes of the entry `id`. `None` before: it is new; `None` after: it goes. Each version is the entry and the octets of
/// its document. `seen` says when keys were last used.
///
/// Never empty: where nothing changes, one sentence says so.
#[must_use]
pub fn describe(
    id: &EntryId,
    before: Option<(&Entry, &[u8])>,
    after: Option<(&Entry, &[u8])>,
    seen: &KeyUse,
) -> Vec<Sentence> {
    let mut told = Told::default();
    match (before, after) {
        (None, None) => {}
        (None, Some((_, _))) => told.say(Kind::Added, format!("{id} är ny."), format!("{id} is new.")),
        (Some(_), None) => told.say(Kind::Removed, format!("{id} tas bort."), format!("{id} is removed.")),
        (Some(_), Some(_)) => {}
    }
    match id {
        EntryId::SamlProvider(provider) => provider::compare(provider, before, after, seen, &mut told),
        EntryId::OidcClient(_) => relying_party::compare(before, after, &mut told),
        EntryId::Organisation(_) => record::compare(before, after, &mut told),
    }
    if told.0.is_empty() {
        let same = before.map(|(_, octets)| octets) == after.map(|(_, octets)| octets);
        if same {
            told.say(Kind::Nothing, "Ingenting ändras.", "Nothing changes.");
        } else {
            told.say(
                Kind::Nothing,
                "Filen är skriven på ett annat sätt, men ingenting som den säger här ändras.",
                "The file is written in another way, but nothing that it says here changes.",
            );
        }
    }
    told.0
}

/// What has been said so far.
#[derive(Debug, Default)]
struct Told(Vec<Sentence>);

/// A thing in both languages, as it begins a sentence: `("Returadressen", "The return address")`.
type Thing<'t> = (&'t str, &'t str);

impl Told {
    fn say(&mut self, kind: Kind, sv: impl Into<String>, en: impl Into<String>) {
        self.0.push(Sentence { kind, sv: sv.into(), en: en.into() });
    }

    /// One value that there may be.
    fn value(&mut self, kind: Kind, thing: Thing<'_>, before: Option<&str>, after: Option<&str>) {
        let (sv, en) = thing;
        match (before.map(shortened), after.map(shortened)) {
            (Some(old), Some(new)) if before != after => self.say(
                kind,
                format!("{sv} ändras från {old} till {new}."),
                format!("{en} changes from {old} to {new}."),
            ),
            (None, Some(new)) => {
                self.say(kind, format!("{sv} {new} läggs till."), format!("{en} {new} is added."));
            }
            (Some(old), None) => {
                self.say(kind, format!("{sv} {old} tas bort."), format!("{en} {old} is removed."));
            }
            _ => {}
        }
    }

    /// A list whose order says nothing. One that goes while another comes is told as a change.
    fn set(&mut self, kind: Kind, thing: Thing<'_>, before: &BTreeSet<String>, after: &BTreeSet<String>) {
        let gone: Vec<&String> = before.difference(after).collect();
        let new: Vec<&String> = after.difference(before).collect();
        if let ([old], [new]) = (&gone[..], &new[..]) {
            return self.value(kind, thing, Some(old.as_str()), Some(new.as_str()));
        }
        for value in gone.iter().take(MOST_TOLD) {
            self.value(kind, thing, Some(value.as_str()), None);
        }
        for value in new.iter().take(MOST_TOLD) {
            self.value(kind, thing, None, Some(value.as_str()));
        }
        let more = gone.len().saturating_sub(MOST_TOLD) + new.len().saturating_sub(MOST_TOLD);
        if more > 0 {
            let (sv, en) = thing;
            self.say(
                kind,
                format!("{sv}: ytterligare {more} ändringar."),
                format!("{en}: {more} more changes."),
            );
        }
    }

    /// A list whose order counts.
    fn list(&mut self, kind: Kind, thing: Thing<'_>, before: &[String], after: &[String]) {
        let (old, new): (BTreeSet<_>, BTreeSet<_>) =
            (before.iter().cloned().collect(), after.iter().cloned().collect());
        if old != new {
            self.set(kind, thing, &old, &new);
        } else if before != after {
            let (sv, en) = thing;
            let order = shortened(&after.join(", "));
            self.say(
                kind,
                format!("{sv}: ordningen ändras till {order}."),
                format!("{en}: the order changes to {order}."),
            );
        }
    }

    /// A text in several languages.
    fn text(&mut self, kind: Kind, thing: Thing<'_>, before: &LocalText, after: &LocalText) {
        let languages: BTreeSet<_> = before.0.keys().chain(after.0.keys()).collect();
        for language in languages {
            let (sv, en) = match language.as_str() {
                "sv" => ("svenska".to_owned(), "Swedish".to_owned()),
                "en" => ("engelska".to_owned(), "English".to_owned()),
                tag => (format!("språket {tag}"), format!("the language {tag}")),
            };
            let thing = (format!("{} på {sv}", thing.0), format!("{} in {en}", thing.1));
            self.value(
                kind,
                (&thing.0, &thing.1),
                before.0.get(language).map(String::as_str),
                after.0.get(language).map(String::as_str),
            );
        }
    }

    /// Something that is or is not.
    fn flag(&mut self, kind: Kind, before: bool, after: bool, on: Thing<'_>, off: Thing<'_>) {
        if before != after {
            let (sv, en) = if after { on } else { off };
            self.say(kind, sv, en);
        }
    }

    /// Members of a record or of settings that no sentence of their own exists for: told by their names, so that nothing changes in silence.
    fn rest(&mut self, before: &Value, after: &Value, known: &[&str]) {
        let none = Map::new();
        let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names.into_iter().filter(|name| !known.contains(&name.as_str())) {
            let thing = (format!("Uppgiften {name}"), format!("The field {name}"));
            let written = |value: &Value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            self.value(
                Kind::Setting,
                (&thing.0, &thing.1),
                before.get(name).map(written).as_deref(),
                after.get(name).map(written).as_deref(),
            );
        }
    }

    /// Who answers for it.
    fn owner(&mut self, before: Option<&Entry>, after: Option<&Entry>) {
        let number = |entry: Option<&Entry>| {
            entry.and_then(Entry::organisation).map(|number| number.as_str().to_owned())
        };
        if let (Some(old), Some(new)) = (number(before), number(after)) {
            self.value(
                Kind::Owner,
                ("Organisationen som svarar för den", "The organisation that answers for it"),
                Some(&old),
                Some(&new),
            );
        }
    }

    fn unreadable(&mut self) {
        self.say(
            Kind::Unreadable,
            "Ett av dokumenten går inte att läsa, så vad som ändras i det kan inte sägas.",
            "One of the documents cannot be read, so what changes in it cannot be said.",
        );
    }
}

/// Texts of any kind as a set.
fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    values.into_iter().map(|value| value.as_ref().to_owned()).collect()
}

/// What settings say, as members: the secret is never among them.
fn members(entry: Option<&Entry>) -> Value {
    let settings = match entry {
        Some(Entry::SamlProvider { settings, .. }) => serde_json::to_value(settings),
        Some(Entry::OidcClient { settings, .. }) => serde_json::to_value(settings),
        Some(Entry::Organisation { .. }) | None => return Value::Null,
    };
    settings.unwrap_or_default()
}

/// A day as people write it: `12 juni 2026`, `12 June 2026`.
pub(super) fn day(at: Timestamp) -> (String, String) {
    const SV: [&str; 12] = [
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ];
    const EN: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let text = at.to_rfc3339();
    let parts = || {
        let month: usize = text.get(5..7)?.parse().ok()?;
        let day: u8 = text.get(8..10)?.parse().ok()?;
        let (year, month) = (text.get(0..4)?, month.checked_sub(1)?);
        Some((format!("{day} {} {year}", SV.get(month)?), format!("{day} {} {year}", EN.get(month)?)))
    };
    parts().unwrap_or_else(|| (text.clone(), text.clone()))
}

/// The hour in which something was last seen: `12 juni 2026 kl. 14 UTC`.
pub(super) fn hour(at: Timestamp) -> (String, String) {
    let (sv, en) = day(at);
    let text = at.to_rfc3339();
    let hour = text.get(11..13).unwrap_or_default();
    (format!("{sv} kl. {hour} UTC"), format!("{en} at {hour} UTC"))
}

#[cfg(test)]
mod tests;
