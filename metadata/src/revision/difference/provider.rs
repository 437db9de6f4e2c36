//! An identity provider: its metadata, and what the operator decided.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::UNIX_EPOCH,
};

use broker_core::{identifier::ProviderId, moment::Timestamp, suspension::KeyFingerprint};

use super::{Kind, Told, day, hour, members, texts};
use crate::{
    key_use::KeyUse,
    lint::report::{Report, shortened},
    peer::{Contact, ContactKind, SamlBinding},
    revision::Entry,
    saml::{IdentityProvider, MOST_OCTETS, MetadataFile, key::KeyUse as Purpose},
};

/// The provider of that name in a document; `None`: it cannot be read, or is not there.
pub(in crate::revision) fn read(id: &ProviderId, octets: &[u8]) -> Option<IdentityProvider> {
    let file = MetadataFile::read(octets, MOST_OCTETS).ok()?;
    IdentityProvider::read(file.entity(id.as_str())?, &mut Report::new())
}

pub(super) fn compare(
    id: &ProviderId,
    before: Option<(&Entry, &[u8])>,
    after: Option<(&Entry, &[u8])>,
    seen: &KeyUse,
    told: &mut Told,
) {
    let old = before.map(|(_, octets)| read(id, octets));
    let new = after.map(|(_, octets)| read(id, octets));
    if matches!(old, Some(None)) || matches!(new, Some(None)) {
        told.unreadable();
    } else {
        let (old, new) = (old.flatten(), new.flatten());
        keys(id, old.as_ref(), new.as_ref(), seen, told);
        if let (Some(old), Some(new)) = (&old, &new) {
            document(old, new, told);
        }
    }
    if let (Some((before, _)), Some((after, _))) = (before, after) {
        settings(before, after, told);
    }
}

/// A key as a document has it: what for, and the latest end of its certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    signs: bool,
    encrypts: bool,
    until: Option<Timestamp>,
}

fn keys_of(provider: Option<&IdentityProvider>) -> BTreeMap<KeyFingerprint, Key> {
    let mut keys: BTreeMap<KeyFingerprint, Key> = BTreeMap::new();
    for declared in provider.iter().flat_map(|provider| &provider.keys).map(|key| &key.value) {
        let Ok(key) = &declared.key else { continue };
        let entry = keys.entry(KeyFingerprint::new(*key.thumbprint().as_bytes())).or_default();
        entry.signs |= declared.usage != Purpose::Encryption;
        entry.encrypts |= declared.usage != Purpose::Signing;
        let until = declared.certificate.as_ref().and_then(|certificate| {
            let seconds = certificate.not_after().duration_since(UNIX_EPOCH).ok()?.as_secs();
            i64::try_from(seconds).ok().map(Timestamp)
        });
        entry.until = entry.until.max(until);
    }
    keys
}

fn keys(
    id: &ProviderId,
    before: Option<&IdentityProvider>,
    after: Option<&IdentityProvider>,
    seen: &KeyUse,
    told: &mut Told,
) {
    let (old, new) = (keys_of(before), keys_of(after));
    let mut signing = old.values().filter(|key| key.signs).count();
    for (fingerprint, key) in new.iter().filter(|(fingerprint, _)| !old.contains_key(fingerprint)) {
        let (sv, en) = match (key.signs, signing) {
            (false, _) => ("En nyckel för kryptering", "A key for encryption"),
            (true, 0) => ("En signeringsnyckel", "A signing key"),
            (true, 1) => ("En andra signeringsnyckel", "A second signing key"),
            (true, _) => ("Ytterligare en signeringsnyckel", "Another signing key"),
        };
        signing += usize::from(key.signs);
        let until = until(*key);
        told.say(
            Kind::KeyAdded,
            format!("{sv} läggs till ({}{}).", fingerprint.short(), until.0),
            format!("{en} is added ({}{}).", fingerprint.short(), until.1),
        );
    }
    let mut left = old.values().filter(|key| key.signs).count();
    for (fingerprint, key) in old.iter().filter(|(fingerprint, _)| !new.contains_key(fingerprint)) {
        let only = key.signs && left == 1 && before.is_some();
        left = left.saturating_sub(usize::from(key.signs));
        let (sv, en) = match (key.signs, only) {
            (false, _) => ("En nyckel för kryptering", "A key for encryption"),
            (true, true) if old.values().filter(|key| key.signs).count() == 1 => {
                ("Den enda signeringsnyckeln", "The only signing key")
            }
            (true, _) => ("En signeringsnyckel", "A signing key"),
        };
        let (until, used) = (until(*key), used(id, *fingerprint, *key, seen));
        told.say(
            Kind::KeyRemoved,
            format!("{sv} tas bort ({}{}{}).", fingerprint.short(), until.0, used.0),
            format!("{en} is removed ({}{}{}).", fingerprint.short(), until.1, used.1),
        );
    }
    for (fingerprint, key) in &new {
        let Some(known) = old.get(fingerprint) else { continue };
        if (known.signs, known.encrypts) != (key.signs, key.encrypts) {
            let (sv, en) = purpose(*key);
            told.say(
                Kind::KeyPurpose,
                format!("Nyckeln {} används nu för {sv}.", fingerprint.short()),
                format!("The key {} is now for {en}.", fingerprint.short()),
            );
        }
        if known.until != key.until {
            let until =
                key.until.map(day).unwrap_or_else(|| ("okänt".to_owned(), "an unknown day".to_owned()));
            told.say(
                Kind::Certificate,
                format!(
                    "Nyckeln {} är densamma, i ett annat certifikat som gäller till {}.",
                    fingerprint.short(),
                    until.0
                ),
                format!(
                    "The key {} stays, in another certificate that is valid until {}.",
                    fingerprint.short(),
                    until.1
                ),
            );
        }
    }
}

fn purpose(key: Key) -> (&'static str, &'static str) {
    match (key.signs, key.encrypts) {
        (true, true) => ("signering och kryptering", "signing and encryption"),
        (true, false) => ("signering", "signing"),
        (false, _) => ("kryptering", "encryption"),
    }
}

fn until(key: Key) -> (String, String) {
    key.until.map(day).map_or_else(Default::default, |(sv, en)| {
        (format!("; certifikatet gäller till {sv}"), format!("; its certificate is valid until {en}"))
    })
}

fn used(id: &ProviderId, fingerprint: KeyFingerprint, key: Key, seen: &KeyUse) -> (String, String) {
    if !key.signs {
        return Default::default();
    }
    seen.last(id, fingerprint).map(hour).map_or_else(
        || ("; aldrig sedd i bruk".to_owned(), "; never seen in use".to_owned()),
        |(sv, en)| (format!("; senast sedd {sv}"), format!("; last seen {en}")),
    )
}

fn document(old: &IdentityProvider, new: &IdentityProvider, told: &mut Told) {
    endpoints(old, new, told);
    let name = ("Visningsnamnet", "The display name");
    told.text(Kind::Name, name, &old.display_name(), &new.display_name());
    let description = ("Beskrivningen", "The description");
    told.text(Kind::Presentation, description, &old.interface.description, &new.interface.description);
    let keyword = ("Sökordet", "The keyword");
    told.set(Kind::Presentation, keyword, &texts(&old.interface.keywords), &texts(&new.interface.keywords));
    told.set(
        Kind::Logo,
        ("Logotypen", "The logo"),
        &texts(&old.interface.logos),
        &texts(&new.interface.logos),
    );
    told.value(
        Kind::Presentation,
        ("Sidan om personuppgifter", "The privacy page"),
        old.interface.privacy_statement.as_deref(),
        new.interface.privacy_statement.as_deref(),
    );
    let page = |provider: &IdentityProvider| provider.error_url.as_ref().map(|url| url.value.clone());
    told.value(
        Kind::Presentation,
        ("Sidan för den som inte kan logga in", "The page for those who cannot sign in"),
        page(old).as_deref(),
        page(new).as_deref(),
    );
    let scopes = |provider: &IdentityProvider| -> BTreeSet<String> {
        let written = provider.scopes.iter().map(|scope| &scope.value);
        written
            .map(|scope| if scope.regexp { format!("{} (regexp)", scope.value) } else { scope.value.clone() })
            .collect()
    };
    told.set(Kind::Scope, ("Scopet", "The scope"), &scopes(old), &scopes(new));
    let contacts =
        |provider: &IdentityProvider| -> BTreeSet<String> { provider.contacts.iter().map(contact).collect() };
    told.set(Kind::Contact, ("Kontakten", "The contact"), &contacts(old), &contacts(new));
    valid_until(old, new, told);
    told.set(
        Kind::NameIdFormat,
        ("NameID-formatet", "The NameID format"),
        &texts(&old.name_id_formats),
        &texts(&new.name_id_formats),
    );
    let levels =
        |provider: &IdentityProvider| texts(provider.assurance.iter().map(|level| level.value.as_str()));
    told.set(Kind::Level, ("Tillitsnivån", "The level of assurance"), &levels(old), &levels(new));
    told.set(
        Kind::Category,
        ("Entitetskategorin", "The entity category"),
        &texts(&old.categories),
        &texts(&new.categories),
    );
    told.set(
        Kind::Attribute,
        ("Attributet", "The attribute"),
        &texts(&old.attributes),
        &texts(&new.attributes),
    );
    let methods =
        |provider: &IdentityProvider| texts(provider.signing_methods.iter().map(|uri| uri.value.as_str()));
    told.set(Kind::Signing, ("Signaturalgoritmen", "The signature algorithm"), &methods(old), &methods(new));
    told.flag(
        Kind::Signing,
        old.want_authn_requests_signed,
        new.want_authn_requests_signed,
        ("Den kräver nu signerade förfrågningar.", "It now demands signed requests."),
        ("Den kräver inte längre signerade förfrågningar.", "It no longer demands signed requests."),
    );
    let number = |provider: &IdentityProvider| {
        provider.organisation_number.as_ref().map(|number| number.value.clone())
    };
    told.value(
        Kind::Owner,
        ("Organisationsnumret i filen", "The organisation number in the file"),
        number(old).as_deref(),
        number(new).as_deref(),
    );
}

fn endpoints(old: &IdentityProvider, new: &IdentityProvider, told: &mut Told) {
    let by_binding = |provider: &IdentityProvider| {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for endpoint in provider.single_sign_on.iter().map(|endpoint| &endpoint.value) {
            found.entry(binding(&endpoint.binding)).or_default().insert(endpoint.location.clone());
        }
        found
    };
    let (old, new) = (by_binding(old), by_binding(new));
    let none = BTreeSet::new();
    let bindings: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for binding in bindings {
        let thing =
            (format!("Inloggningsadressen för {binding}"), format!("The sign-on address over {binding}"));
        let (before, after) = (old.get(binding).unwrap_or(&none), new.get(binding).unwrap_or(&none));
        told.set(Kind::Endpoint, (&thing.0, &thing.1), before, after);
    }
}

fn binding(binding: &SamlBinding) -> String {
    match binding {
        SamlBinding::Redirect => "HTTP-Redirect".to_owned(),
        SamlBinding::Post => "HTTP-POST".to_owned(),
        SamlBinding::Soap => "SOAP".to_owned(),
        SamlBinding::Artifact => "HTTP-Artifact".to_owned(),
        SamlBinding::Other(uri) => shortened(uri),
    }
}

fn contact(contact: &Contact) -> String {
    let kind = match &contact.kind {
        ContactKind::Technical => "technical",
        ContactKind::Support => "support",
        ContactKind::Administrative => "administrative",
        ContactKind::Other(kind) => kind,
    };
    let parts = [contact.name.as_deref(), contact.email.as_deref(), contact.telephone.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    format!("{kind}: {}", parts.join(", "))
}

fn valid_until(old: &IdentityProvider, new: &IdentityProvider, told: &mut Told) {
    let until = |provider: &IdentityProvider| provider.valid_until.as_ref().map(|until| until.value);
    let (old, new) = (until(old), until(new));
    let written = |at: Timestamp| at.to_rfc3339();
    match (old, new) {
        (old, new) if old == new => {}
        (_, None) => told.say(
            Kind::ValidUntil,
            "Filen gäller nu utan slutdatum.",
            "The file is now valid without an end.",
        ),
        (None, Some(new)) => told.say(
            Kind::ValidUntil,
            format!("Filen gäller nu bara till {}.", written(new)),
            format!("The file is now valid only until {}.", written(new)),
        ),
        (Some(old), Some(new)) => {
            let (sv, en) = if new < old { ("kortare", "shorter") } else { ("längre", "longer") };
            told.say(
                Kind::ValidUntil,
                format!("Filen gäller {sv} tid: till {} i stället för {}.", written(new), written(old)),
                format!(
                    "The file is valid for a {en} time: until {} instead of {}.",
                    written(new),
                    written(old)
                ),
            );
        }
    }
}

fn settings(before: &Entry, after: &Entry, told: &mut Told) {
    told.owner(Some(before), Some(after));
    let (Entry::SamlProvider { settings: old, .. }, Entry::SamlProvider { settings: new, .. }) =
        (before, after)
    else {
        return;
    };
    told.value(
        Kind::Setting,
        ("Det som personernas identitet görs av", "What people's identity is made from"),
        Some(old.subject_source.key()),
        Some(new.subject_source.key()),
    );
    told.flag(
        Kind::Setting,
        old.hidden,
        new.hidden,
        ("Den visas inte längre där man väljer organisation.", "It is no longer shown where people choose."),
        ("Den visas nu där man väljer organisation.", "It is now shown where people choose."),
    );
    told.flag(
        Kind::Setting,
        old.names_requesters,
        new.names_requesters,
        ("Den får nu veta vilken tjänst som frågar.", "It is now told which relying party asks."),
        (
            "Den får inte längre veta vilken tjänst som frågar.",
            "It is no longer told which relying party asks.",
        ),
    );
    told.set(
        Kind::Setting,
        ("Den bakomliggande legitimeringstjänsten", "The provider behind it"),
        &texts(old.behind.iter().map(ProviderId::as_str)),
        &texts(new.behind.iter().map(ProviderId::as_str)),
    );
    told.value(
        Kind::Setting,
        ("Den tjänst hos oss som frågar den", "The service provider of ours that asks it"),
        old.service_provider.as_deref(),
        new.service_provider.as_deref(),
    );
    let known =
        ["organisation", "subject_source", "hidden", "names_requesters", "behind", "service_provider"];
    told.rest(&members(Some(before)), &members(Some(after)), &known);
}
