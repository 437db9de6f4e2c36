//! A relying party: its file, and what the operator decided.

use std::collections::BTreeSet;

use broker_core::{attribute::AttributeName, identifier::ProviderId, suspension::KeyFingerprint};
use certs::SignatureAlgorithm;

use super::{Kind, Told, members, texts};
use crate::{
    lint::report::Report,
    oidc::{Method, Registration, RegistrationFile},
    revision::Entry,
    settings::RelyingPartySettings,
};

pub(super) fn compare(before: Option<(&Entry, &[u8])>, after: Option<(&Entry, &[u8])>, told: &mut Told) {
    let (Some((before, old)), Some((after, new))) = (before, after) else { return };
    let read = |octets| RegistrationFile::read(octets, &mut Report::new()).map(|file| file.registration);
    match (read(old), read(new)) {
        (Some(old), Some(new)) => registration(&old, &new, told),
        _ => told.unreadable(),
    }
    told.owner(Some(before), Some(after));
    if let (Entry::OidcClient { settings: old, .. }, Entry::OidcClient { settings: new, .. }) =
        (before, after)
    {
        settings(old, new, told);
    }
    let known =
        ["organisation", "secret", "pkce_waived", "fail_on_missing_attribute", "attributes", "providers"];
    told.rest(&members(Some(before)), &members(Some(after)), &known);
}

fn registration(old: &Registration, new: &Registration, told: &mut Told) {
    told.set(
        Kind::ReturnAddress,
        ("Returadressen", "The return address"),
        &texts(&old.redirect_uris),
        &texts(&new.redirect_uris),
    );
    told.value(
        Kind::Authentication,
        ("Sättet som den visar vem den är på", "The way in which it proves who it is"),
        Some(method(old.method)),
        Some(method(new.method)),
    );
    keys(old, new, told);
    let name = |algorithm: SignatureAlgorithm| algorithm.jws_name();
    told.value(
        Kind::Signing,
        ("Algoritmen som den signerar med", "The algorithm that it signs with"),
        old.assertion_algorithm.and_then(name),
        new.assertion_algorithm.and_then(name),
    );
    told.value(
        Kind::Signing,
        ("Algoritmen för dess ID-intyg", "The algorithm of its ID tokens"),
        name(old.id_token_algorithm),
        name(new.id_token_algorithm),
    );
    told.value(
        Kind::Signing,
        ("Algoritmen för dess userinfo-svar", "The algorithm of its userinfo answers"),
        old.userinfo_algorithm.and_then(name),
        new.userinfo_algorithm.and_then(name),
    );
    match (&old.scopes, &new.scopes) {
        (Some(old), Some(new)) => {
            told.set(Kind::AskedFor, ("Scopet", "The scope"), old, new);
        }
        (None, Some(new)) => {
            let scopes: Vec<&str> = new.iter().map(String::as_str).collect();
            let scopes = crate::lint::report::shortened(&scopes.join(" "));
            told.say(
                Kind::AskedFor,
                format!("Den får nu bara fråga efter {scopes}, inte efter alla scope."),
                format!("It may now ask for {scopes} alone, not for every scope."),
            );
        }
        (Some(_), None) => {
            told.say(Kind::AskedFor, "Den får nu fråga efter alla scope.", "It may now ask for every scope.")
        }
        (None, None) => {}
    }
    told.text(Kind::Name, ("Namnet", "The name"), &old.name, &new.name);
    told.value(
        Kind::Setting,
        ("Sektorns adress", "The address of its sector"),
        old.sector_identifier_uri.as_deref(),
        new.sector_identifier_uri.as_deref(),
    );
    let seconds = |age: Option<u32>| age.map(|age| format!("{age} s"));
    told.value(
        Kind::AskedFor,
        ("Inloggningens högsta ålder", "The highest age of a sign-in"),
        seconds(old.default_max_age).as_deref(),
        seconds(new.default_max_age).as_deref(),
    );
    told.list(
        Kind::Level,
        ("Tillitsnivån", "The level of assurance"),
        &old.default_acr_values,
        &new.default_acr_values,
    );
    let addresses = [
        (("Webbplatsen", "The home page"), &old.client_uri, &new.client_uri),
        (("Sidan om personuppgifter", "The privacy page"), &old.policy_uri, &new.policy_uri),
        (
            ("Adressen där en inloggning börjar", "The address where a login starts"),
            &old.initiate_login_uri,
            &new.initiate_login_uri,
        ),
    ];
    for (thing, old, new) in addresses {
        told.value(Kind::Presentation, thing, old.as_deref(), new.as_deref());
    }
    told.set(Kind::Contact, ("Kontakten", "The contact"), &texts(&old.contacts), &texts(&new.contacts));
    told.value(
        Kind::Owner,
        ("Organisationsnumret i filen", "The organisation number in the file"),
        old.organization_identifier.as_deref(),
        new.organization_identifier.as_deref(),
    );
}

fn method(method: Method) -> &'static str {
    match method {
        Method::ClientSecretBasic => "client_secret_basic",
        Method::ClientSecretPost => "client_secret_post",
        Method::PrivateKeyJwt => "private_key_jwt",
    }
}

fn keys(old: &Registration, new: &Registration, told: &mut Told) {
    let of = |registration: &Registration| -> BTreeSet<KeyFingerprint> {
        let keys = registration.keys.iter().flat_map(|keys| keys.keys());
        keys.map(|key| KeyFingerprint::new(*key.public_key().thumbprint().as_bytes())).collect()
    };
    let (old, new) = (of(old), of(new));
    for (count, key) in (old.len()..).zip(new.difference(&old)) {
        let (sv, en) = match count {
            0 => ("En nyckel", "A key"),
            1 => ("En andra nyckel", "A second key"),
            _ => ("Ytterligare en nyckel", "Another key"),
        };
        told.say(
            Kind::KeyAdded,
            format!("{sv} läggs till ({}).", key.short()),
            format!("{en} is added ({}).", key.short()),
        );
    }
    for key in old.difference(&new) {
        let (sv, en) =
            if old.len() == 1 { ("Den enda nyckeln", "The only key") } else { ("En nyckel", "A key") };
        told.say(
            Kind::KeyRemoved,
            format!("{sv} tas bort ({}).", key.short()),
            format!("{en} is removed ({}).", key.short()),
        );
    }
}

fn settings(old: &RelyingPartySettings, new: &RelyingPartySettings, told: &mut Told) {
    match (&old.secret, &new.secret) {
        (None, Some(_)) => told.say(Kind::Secret, "Den får en hemlighet.", "It gets a secret."),
        (Some(_), None) => {
            told.say(Kind::Secret, "Dess hemlighet upphör att gälla.", "Its secret ceases to hold.")
        }
        (Some(before), Some(after)) if before != after => told.say(
            Kind::Secret,
            "Dess hemlighet byts, och den gamla upphör genast att gälla.",
            "Its secret is renewed, and the old one ceases to hold at once.",
        ),
        _ => {}
    }
    told.flag(
        Kind::Setting,
        old.pkce_waived,
        new.pkce_waived,
        ("Den behöver inte längre använda PKCE.", "It need no longer use PKCE."),
        ("Den måste nu använda PKCE.", "It must now use PKCE."),
    );
    told.flag(
        Kind::Setting,
        old.fail_on_missing_attribute,
        new.fail_on_missing_attribute,
        (
            "En inloggning där något nödvändigt saknas misslyckas nu.",
            "A login that lacks something essential now fails.",
        ),
        (
            "En inloggning där något nödvändigt saknas går nu igenom utan det.",
            "A login that lacks something essential now goes through without it.",
        ),
    );
    let attributes = |names: &Option<BTreeSet<AttributeName>>| {
        names.as_ref().map(|names| texts(names.iter().map(|name| name.key())))
    };
    limited(
        Kind::Attribute,
        ("Attributet", "The attribute"),
        (attributes(&old.attributes), attributes(&new.attributes)),
        ("Vad den får följer nu av dess scope.", "What it is given now follows from its scopes."),
        told,
    );
    let providers = |names: &Option<BTreeSet<ProviderId>>| {
        names.as_ref().map(|names| texts(names.iter().map(ProviderId::as_str)))
    };
    limited(
        Kind::Setting,
        ("Legitimeringstjänsten som den tar emot från", "The provider that it takes logins from"),
        (providers(&old.providers), providers(&new.providers)),
        ("Den tar nu emot från alla legitimeringstjänster.", "It now takes logins from every provider."),
        told,
    );
}

/// A list that may be absent, which then limits nothing.
fn limited(
    kind: Kind,
    thing: (&str, &str),
    (old, new): (Option<BTreeSet<String>>, Option<BTreeSet<String>>),
    unlimited: (&str, &str),
    told: &mut Told,
) {
    match (old, new) {
        (Some(old), Some(new)) => told.set(kind, thing, &old, &new),
        (None, Some(new)) => told.set(kind, thing, &BTreeSet::new(), &new),
        (Some(_), None) => told.say(kind, unlimited.0, unlimited.1),
        (None, None) => {}
    }
}
