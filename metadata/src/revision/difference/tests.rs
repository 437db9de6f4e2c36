//! Each kind of sentence beside the change that brings it out, in both languages.

use std::collections::BTreeSet;

use broker_core::{
    assurance::{Assurance, AssuranceProfile},
    attribute::AttributeName,
    identifier::Language,
    moment::Timestamp,
    organisation::{LocalText, Organisation},
    subject::SubjectSource,
    suspension::KeyFingerprint,
};
use certs::mac::Secret;
use serde_json::{Value, json};

use super::{Kind, Sentence, day, describe, provider, texts};
use crate::{
    key_use::KeyUse,
    oidc::tests::good as good_client,
    organisation::document,
    revision::{Entry, EntryId},
    saml::tests::{NOW, certificate, good as good_provider, organisation},
    secret_hash::SecretHash,
    settings::{OidcProfile, ProviderSettings, RelyingPartySettings},
};

type Changing<T> = fn(&mut T);

const PROVIDER: &str = "https://idp.granvik.example/saml";

fn provider_entry(change: impl FnOnce(&mut ProviderSettings)) -> Entry {
    let mut settings = ProviderSettings::of(organisation().number, SubjectSource::SubjectId);
    change(&mut settings);
    Entry::SamlProvider { document: String::new(), settings }
}

fn client_entry(change: impl FnOnce(&mut RelyingPartySettings)) -> Entry {
    let mut settings = RelyingPartySettings::of(organisation().number);
    change(&mut settings);
    Entry::OidcClient { document: String::new(), settings }
}

fn record_entry() -> Entry {
    Entry::Organisation { document: String::new(), logo: None }
}

fn between(before: &str, after: &str, seen: &KeyUse) -> Vec<Sentence> {
    let entry = provider_entry(|_| ());
    let id = EntryId::SamlProvider(PROVIDER.into());
    describe(&id, Some((&entry, before.as_bytes())), Some((&entry, after.as_bytes())), seen)
}

fn clients(before: &Value, after: &Value) -> Vec<Sentence> {
    let entry = client_entry(|_| ());
    let (before, after) = (before.to_string(), after.to_string());
    let id = EntryId::OidcClient("tidbok".into());
    describe(&id, Some((&entry, before.as_bytes())), Some((&entry, after.as_bytes())), &KeyUse::default())
}

fn records(before: &Organisation, after: &Organisation) -> Vec<Sentence> {
    let (before, after) = (document(before).expect("written"), document(after).expect("written"));
    let entry = record_entry();
    let id = EntryId::Organisation(organisation().number);
    describe(&id, Some((&entry, &before)), Some((&entry, &after)), &KeyUse::default())
}

/// The one sentence, by its kind and in both languages.
#[track_caller]
fn only(told: &[Sentence], kind: Kind, sv: &str, en: &str) {
    let [one] = told else { panic!("{told:#?}") };
    assert_eq!((one.kind, one.sv.as_str(), one.en.as_str()), (kind, sv, en));
}

/// A correct provider with one signing key, and the fingerprint of that.
fn with_keys(certificates: &[&str]) -> String {
    let good = include_str!("../../saml/tests/idp.xml");
    let start = good.find("<md:KeyDescriptor use=\"signing\"").expect("a key");
    let end =
        good[start..].find("</md:KeyDescriptor>").expect("its end") + start + "</md:KeyDescriptor>".len();
    let descriptor = &good[start..end];
    let keys: String =
        certificates.iter().map(|certificate| descriptor.replace("CERTIFICATE", certificate)).collect();
    format!("{}{keys}{}", &good[..start], &good[end..]).replace("CERTIFICATE", certificates[0])
}

fn fingerprint(document: &str, at: usize) -> KeyFingerprint {
    let read = provider::read(&PROVIDER.into(), document.as_bytes()).expect("read");
    KeyFingerprint::new(*read.signing_keys()[at].thumbprint().as_bytes())
}

#[test]
fn nothing_is_said_to_be_nothing_and_another_spelling_to_be_that() {
    let good = good_provider();
    only(&between(&good, &good, &KeyUse::default()), Kind::Nothing, "Ingenting ändras.", "Nothing changes.");
    let respelt = good.replacen("<md:", "\n<md:", 2);
    let told = between(&good, &respelt, &KeyUse::default());
    assert!(told[0].kind == Kind::Nothing && told[0].en.contains("another way"), "{told:?}");
}

#[test]
fn keys_that_come_and_go_are_told_with_their_end_and_when_they_were_seen() {
    let (old, new) = (certificate(365), certificate(30));
    let (one, two, other) = (with_keys(&[&old]), with_keys(&[&old, &new]), with_keys(&[&new]));
    let (first, second) = (fingerprint(&one, 0), fingerprint(&other, 0));
    let (sv, en) = day(NOW.plus(30 * 86_400));
    let told = between(&one, &two, &KeyUse::default());
    let added: Vec<_> = told.iter().filter(|one| one.kind == Kind::KeyAdded).collect();
    assert_eq!(
        added[0].en,
        format!("A second signing key is added ({}; its certificate is valid until {en}).", second.short())
    );
    assert_eq!(
        added[0].sv,
        format!("En andra signeringsnyckel läggs till ({}; certifikatet gäller till {sv}).", second.short())
    );

    let mut seen = KeyUse::default();
    let at = Timestamp::from_rfc3339("2026-06-12T14:20:00Z").expect("a time");
    let _ = seen.note(&PROVIDER.into(), first, at);
    let told = between(&two, &other, &seen);
    let gone: Vec<_> = told.iter().filter(|one| one.kind == Kind::KeyRemoved).collect();
    assert!(gone[0].en.starts_with("A signing key is removed ("), "{}", gone[0].en);
    assert!(gone[0].en.ends_with("; last seen 12 June 2026 at 14 UTC)."), "{}", gone[0].en);
    assert!(gone[0].sv.ends_with("; senast sedd 12 juni 2026 kl. 14 UTC)."), "{}", gone[0].sv);

    let told = between(&one, &other, &KeyUse::default());
    let gone: Vec<_> = told.iter().filter(|one| one.kind == Kind::KeyRemoved).collect();
    assert!(gone[0].en.starts_with("The only signing key is removed ("), "{}", gone[0].en);
    assert!(gone[0].sv.contains("; aldrig sedd i bruk)"), "{}", gone[0].sv);
}

#[test]
fn a_key_that_stays_is_told_to_stay() {
    let key = certs::PrivateKey::generate_p256().expect("generated");
    let wrapped = |days| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let start = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_305_600);
        STANDARD.encode(key.self_signed_certificate("idp", start, days).expect("made"))
    };
    let (before, after) = (with_keys(&[&wrapped(100)]), with_keys(&[&wrapped(200)]));
    let told = between(&before, &after, &KeyUse::default());
    assert!(told.iter().all(|one| one.kind == Kind::Certificate), "{told:#?}");
    assert!(told[0].en.contains("stays, in another certificate"), "{}", told[0].en);
    assert!(told[0].sv.contains("är densamma, i ett annat certifikat"), "{}", told[0].sv);
    let told = between(&before, &before.replace("use=\"signing\"", ""), &KeyUse::default());
    assert!(told.iter().any(|one| one.kind == Kind::KeyPurpose), "{told:#?}");
}

#[test]
fn every_part_of_a_providers_document_has_its_sentence() {
    let good = good_provider();
    let said = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        between(&good, &good.replace(from, to), &KeyUse::default())
    };
    let changed = [
        ("2030-01-01T00:00:00Z", "2029-01-01T00:00:00Z", Kind::ValidUntil, "shorter", "kortare"),
        ("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z", Kind::ValidUntil, "longer", "längre"),
        (" validUntil=\"2030-01-01T00:00:00Z\"", "", Kind::ValidUntil, "without an end", "utan slutdatum"),
        (
            ">granvik.example</shibmd:Scope>",
            ">annan.example</shibmd:Scope>",
            Kind::Scope,
            "The scope changes from granvik.example to annan.example.",
            "Scopet ändras från granvik.example till annan.example.",
        ),
        ("hjalp@granvik.example", "stod@granvik.example", Kind::Contact, "The contact", "Kontakten"),
        (
            "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
            Kind::NameIdFormat,
            "The NameID format",
            "NameID-formatet",
        ),
        (
            "http://id.elegnamnden.se/loa/1.0/loa3",
            "http://id.elegnamnden.se/loa/1.0/loa2",
            Kind::Level,
            "The level of assurance changes from",
            "Tillitsnivån ändras från",
        ),
        ("hide-from-discovery", "seen", Kind::Category, "The entity category", "Entitetskategorin"),
        ("WantAuthnRequestsSigned=\"true\"", "", Kind::Signing, "no longer demands", "kräver inte längre"),
        (
            "https://granvik.example/hjalp",
            "https://granvik.example/stod",
            Kind::Presentation,
            "cannot sign in",
            "inte kan logga in",
        ),
    ];
    for (from, to, kind, en, sv) in changed {
        let told = said(from, to);
        let found = told.iter().find(|one| one.kind == kind).unwrap_or_else(|| panic!("{kind:?}: {told:#?}"));
        assert!(found.en.contains(en) && found.sv.contains(sv), "{found:?}");
    }
    let told = said(">Granviks kommun</mdui:DisplayName>", ">Granviks stad</mdui:DisplayName>");
    assert!(
        told.iter().any(|one| one.kind == Kind::Name
            && one.en == "The display name in Swedish changes from Granviks kommun to Granviks stad."
            && one.sv == "Visningsnamnet på svenska ändras från Granviks kommun till Granviks stad."),
        "{told:#?}"
    );
}

#[test]
fn a_sign_on_address_that_moves_is_told_with_both() {
    let good = good_provider();
    let read = provider::read(&PROVIDER.into(), good.as_bytes()).expect("read");
    let place = read.single_sign_on[0].value.location.clone();
    let moved = "https://ny.granvik.example/sso";
    let told = between(&good, &good.replacen(&place, moved, 1), &KeyUse::default());
    only(
        &told,
        Kind::Endpoint,
        &format!("Inloggningsadressen för HTTP-Redirect ändras från {place} till {moved}."),
        &format!("The sign-on address over HTTP-Redirect changes from {place} to {moved}."),
    );
}

#[test]
fn every_setting_of_a_provider_has_its_sentence() {
    let good = good_provider();
    let id = EntryId::SamlProvider(PROVIDER.into());
    let said = |change: fn(&mut ProviderSettings)| {
        let (before, after) = (provider_entry(|_| ()), provider_entry(change));
        let octets = good.as_bytes();
        describe(&id, Some((&before, octets)), Some((&after, octets)), &KeyUse::default())
    };
    let cases: [(Changing<ProviderSettings>, &str); 5] = [
        (|settings| settings.hidden = true, "no longer shown where people choose"),
        (|settings| settings.names_requesters = true, "told which relying party asks"),
        (|settings| settings.behind = ["https://behind.example".into()].into(), "The provider behind it"),
        (|settings| settings.service_provider = Some("pnr".into()), "asks it pnr is added"),
        (|settings| settings.narrowing.scopes = Some(["a.example".into()].into()), "The field narrowing"),
    ];
    for (change, en) in cases {
        let told = said(change);
        assert!(told.len() == 1 && told[0].kind == Kind::Setting && told[0].en.contains(en), "{told:#?}");
    }
    let told = said(|settings| settings.subject_source = SubjectSource::PairwiseId);
    assert!(told[0].en.contains("subject_id to pairwise_id"), "{told:#?}");
}

#[test]
fn every_part_of_a_relying_partys_file_has_its_sentence() {
    let good = good_client();
    let with = |member: &str, value: Value| {
        let mut changed = good.clone();
        changed[member] = value;
        clients(&good, &changed)
    };
    let first = good["redirect_uris"][0].as_str().expect("an address").to_owned();
    let told = with("redirect_uris", json!([first, "https://tidbok.granvik.example/ny"]));
    let added: Vec<_> = told.iter().filter(|one| one.en.ends_with("is added.")).collect();
    assert_eq!(added[0].kind, Kind::ReturnAddress);
    assert_eq!(added[0].sv, "Returadressen https://tidbok.granvik.example/ny läggs till.");
    let cases = [
        ("token_endpoint_auth_method", json!("client_secret_post"), Kind::Authentication, "proves who it is"),
        ("scope", json!("openid"), Kind::AskedFor, "The scope"),
        ("client_name#sv", json!("Tidboken 2"), Kind::Name, "The name in Swedish"),
        ("default_max_age", json!(60), Kind::AskedFor, "The highest age"),
        ("default_acr_values", json!(["http://id.elegnamnden.se/loa/1.0/loa4"]), Kind::Level, "level"),
        ("id_token_signed_response_alg", json!("ES256"), Kind::Signing, "ID tokens"),
        ("sector_identifier_uri", json!("https://x.granvik.example/"), Kind::Setting, "sector"),
        ("policy_uri", json!("https://tidbok.granvik.example/p"), Kind::Presentation, "privacy page"),
        ("contacts", json!(["ny@granvik.example"]), Kind::Contact, "The contact"),
    ];
    for (member, value, kind, en) in cases {
        let told = with(member, value);
        assert!(told.iter().any(|one| one.kind == kind && one.en.contains(en)), "{member}: {told:#?}");
    }
    let mut keyless = good.clone();
    let _ = keyless.as_object_mut().expect("an object").remove("jwks");
    if good.get("jwks").is_some() {
        let told = clients(&good, &keyless);
        assert!(told.iter().any(|one| one.kind == Kind::KeyRemoved), "{told:#?}");
        let told = clients(&keyless, &good);
        assert!(told.iter().any(|one| one.kind == Kind::KeyAdded), "{told:#?}");
    }
}

#[test]
fn every_setting_of_a_relying_party_has_its_sentence_and_its_secret_is_never_told() {
    let octets = good_client().to_string();
    let id = EntryId::OidcClient("tidbok".into());
    let key = Secret::from_octets([9; 32]).mac_key("client secret");
    let hash = |secret: &str| Some(SecretHash::of(&key, "tidbok", secret));
    let said = |before: Entry, after: Entry| {
        let octets = octets.as_bytes();
        describe(&id, Some((&before, octets)), Some((&after, octets)), &KeyUse::default())
    };
    let renewed = said(client_entry(|s| s.secret = hash("a")), client_entry(|s| s.secret = hash("b")));
    only(
        &renewed,
        Kind::Secret,
        "Dess hemlighet byts, och den gamla upphör genast att gälla.",
        "Its secret is renewed, and the old one ceases to hold at once.",
    );
    let made = said(client_entry(|_| ()), client_entry(|s| s.secret = hash("a")));
    only(&made, Kind::Secret, "Den får en hemlighet.", "It gets a secret.");
    let cases: [(Changing<RelyingPartySettings>, Kind, &str); 6] = [
        (|s| s.pkce_waived = true, Kind::Setting, "need no longer use PKCE"),
        (|s| s.fail_on_missing_attribute = true, Kind::Setting, "now fails"),
        (
            |s| s.attributes = Some([AttributeName::DisplayName].into()),
            Kind::Attribute,
            "display_name is added",
        ),
        (|s| s.providers = Some(["https://idp.example".into()].into()), Kind::Setting, "takes logins from"),
        (|s| s.profile = OidcProfile::Swedish, Kind::Setting, "The field profile changes"),
        (|s| s.assurance_profile = AssuranceProfile::Sambi, Kind::Setting, "The field assurance_profile"),
    ];
    for (change, kind, en) in cases {
        let told = said(client_entry(|_| ()), client_entry(change));
        assert!(told.len() == 1 && told[0].kind == kind && told[0].en.contains(en), "{told:#?}");
    }
}

#[test]
fn every_field_of_a_record_has_its_sentence() {
    let before = organisation();
    let said = |change: fn(&mut Organisation)| {
        let mut after = before.clone();
        change(&mut after);
        records(&before, &after)
    };
    let cases: [(Changing<Organisation>, Kind, &str, &str); 8] = [
        (
            |o| _ = o.domains.insert("ny.example".into()),
            Kind::Domain,
            "The domain ny.example is added.",
            "Domänen ny.example läggs till.",
        ),
        (
            |o| o.scopes.clear(),
            Kind::Scope,
            "The scope granvik.example is removed.",
            "Scopet granvik.example tas bort.",
        ),
        (
            |o| _ = o.hsa_prefixes.insert("SE2120001355-".into()),
            Kind::Scope,
            "HSA-ids SE2120001355-",
            "HSA-id SE2120001355-",
        ),
        (
            |o| o.ceiling = vec![Assurance::new("http://id.elegnamnden.se/loa/1.0/loa2")],
            Kind::Level,
            "The ceiling of assurance changes",
            "Taket för tillit ändras",
        ),
        (
            |o| _ = o.entitled.remove(&AttributeName::DisplayName),
            Kind::Attribute,
            "given the attribute display_name is removed",
            "få attributet display_name tas bort",
        ),
        (
            |o| _ = o.may_assert.insert(AttributeName::PersonalIdentityNumber),
            Kind::Attribute,
            "assert the attribute",
            "uppge attributet",
        ),
        (
            |o| o.support.telephone = Some("060-1".into()),
            Kind::Contact,
            "The support's telephone 060-1",
            "Supportens telefon 060-1",
        ),
        (
            |o| {
                o.name =
                    LocalText([(Language::from_tag("sv").expect("a tag"), "Granviks stad".into())].into())
            },
            Kind::Name,
            "The name in Swedish changes from Granviks kommun to Granviks stad.",
            "Namnet på svenska ändras från Granviks kommun till Granviks stad.",
        ),
    ];
    for (change, kind, en, sv) in cases {
        let told = said(change);
        assert!(
            told.len() == 1 && told[0].kind == kind && told[0].en.contains(en) && told[0].sv.contains(sv),
            "{told:#?}"
        );
    }
    let other = records(&before, &before);
    only(&other, Kind::Nothing, "Ingenting ändras.", "Nothing changes.");
}

#[test]
fn an_entry_that_comes_or_goes_is_told_first() {
    let good = good_provider();
    let entry = provider_entry(|_| ());
    let id = EntryId::SamlProvider(PROVIDER.into());
    let version = Some((&entry, good.as_bytes()));
    let told = describe(&id, None, version, &KeyUse::default());
    assert_eq!(
        (told[0].kind, told[0].sv.as_str()),
        (Kind::Added, "saml-provider:https://idp.granvik.example/saml är ny.")
    );
    assert!(told.iter().any(|one| one.kind == Kind::KeyAdded && one.en.starts_with("A signing key")));
    let told = describe(&id, version, None, &KeyUse::default());
    assert_eq!(told[0].kind, Kind::Removed);
    let told = describe(&id, version, Some((&entry, b"<x/>")), &KeyUse::default());
    assert_eq!(told[0].kind, Kind::Unreadable);
}

#[test]
fn another_owner_is_told() {
    let good = good_provider();
    let other = provider_entry(|settings| {
        settings.organisation =
            broker_core::organisation::OrganisationNumber::parse("2021006883").expect("a number");
    });
    let id = EntryId::SamlProvider(PROVIDER.into());
    let octets = good.as_bytes();
    let told =
        describe(&id, Some((&provider_entry(|_| ()), octets)), Some((&other, octets)), &KeyUse::default());
    assert_eq!(told[0].kind, Kind::Owner, "{told:#?}");
}

#[test]
fn a_long_list_is_counted_and_what_a_file_says_is_made_harmless() {
    let mut told = super::Told::default();
    let many: BTreeSet<String> = (0..50).map(|number| format!("v{number}")).collect();
    told.set(Kind::Logo, ("Logotypen", "The logo"), &BTreeSet::new(), &many);
    assert_eq!(told.0.len(), 21);
    assert_eq!(told.0[20].en, "The logo: 30 more changes.");
    let mut told = super::Told::default();
    told.set(Kind::Logo, ("Logotypen", "The logo"), &BTreeSet::new(), &texts(["a\u{1b}[31m"]));
    assert!(!told.0[0].en.contains('\u{1b}'), "{:?}", told.0);
}
