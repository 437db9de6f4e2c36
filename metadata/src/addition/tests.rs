use broker_core::{
    attribute::AttributeName,
    authority::Narrowing,
    organisation::{Organisation, OrganisationNumber},
    subject::SubjectSource,
};
use certs::mac::{MacKey, Secret};
use serde_json::json;

use super::{Choices, Prepared, Secrets, prepare};
use crate::{
    Registry,
    oidc::{Beginning, template, tests::good as good_client},
    organisation::document,
    revision::{Change, Entry, EntryId, Manifest, document_name},
    saml::tests::{NOW, good as good_provider, organisation},
};

const FRESH: &str = "fresh-secret-0123456789-abcdefghijkl";

fn mac_key() -> MacKey {
    Secret::from_octets([7; 32]).mac_key("client secrets")
}

/// A store in miniature: documents, and what they add up to.
struct Federation {
    documents: std::collections::HashMap<String, Vec<u8>>,
    manifest: Manifest,
}

impl Federation {
    fn of(organisations: &[Organisation]) -> Self {
        let mut federation = Self { documents: Default::default(), manifest: Manifest::default() };
        for organisation in organisations {
            let octets = document(organisation).expect("written");
            let name = document_name(&octets);
            federation.documents.insert(name.clone(), octets);
            let change =
                Change::AddOrganisation { number: organisation.number.clone(), document: name, logo: None };
            federation.manifest = federation.manifest.with(change).expect("added");
        }
        federation
    }

    fn registry(&self) -> Registry {
        Registry::build(1, &self.manifest, &|name| self.documents.get(name).map(Vec::as_slice), None, NOW)
            .expect("built")
    }

    fn prepare(&self, file: &str, choices: &Choices) -> Prepared {
        let key = mac_key();
        prepare(file.as_bytes(), choices, Secrets { key: &key, fresh: FRESH }, &self.registry(), NOW)
    }

    fn add(&mut self, file: &str, choices: &Choices) -> Prepared {
        let prepared = self.prepare(file, choices);
        for (name, octets) in &prepared.documents {
            self.documents.insert(name.clone(), octets.clone());
        }
        for change in &prepared.changes {
            self.manifest = self.manifest.with(change.clone()).expect("what was prepared can be done");
        }
        prepared
    }
}

fn other() -> Organisation {
    Organisation {
        number: OrganisationNumber::parse("2021006883").expect("a number"),
        domains: ["annan.example".to_owned()].into(),
        ..organisation()
    }
}

fn client(method: &str) -> serde_json::Value {
    let mut file = good_client();
    file["token_endpoint_auth_method"] = json!(method);
    file
}

#[test]
fn a_provider_is_added_with_its_source_pinned() {
    let mut federation = Federation::of(&[organisation(), other()]);
    let prepared = federation.add(&good_provider(), &Choices::default());
    assert!(!prepared.report.has_errors());
    assert_eq!(prepared.parties[0].subject_source, Some(SubjectSource::SubjectId));
    assert!(!prepared.parties[0].renewed);
    assert_eq!(federation.registry().saml_providers().count(), 1);
    // A new file that also offers less keeps the source.
    let fewer = good_provider().replace("attribute:subject-id", "attribute:other");
    let renewed = federation.add(&fewer, &Choices::default());
    assert!(renewed.parties[0].renewed);
    assert_eq!(renewed.parties[0].subject_source, Some(SubjectSource::SubjectId));
}

#[test]
fn another_source_is_refused_and_an_unknown_one_asked_for() {
    let mut federation = Federation::of(&[organisation()]);
    let silent =
        good_provider().replace("attribute:subject-id", "x").replace("nameid-format:persistent", "x");
    let undecided = federation.prepare(&silent, &Choices::default());
    assert!(undecided.report.has("registry.entity.subject_source_undecided") && undecided.changes.is_empty());
    let hsa = Choices { subject_source: Some(SubjectSource::EmployeeHsaId), ..Choices::default() };
    assert!(!federation.add(&silent, &hsa).report.has_errors());
    let changed = Choices { subject_source: Some(SubjectSource::SubjectId), ..Choices::default() };
    assert!(
        federation.prepare(&good_provider(), &changed).report.has("registry.entity.subject_source_changed")
    );
}

#[test]
fn a_name_is_never_taken_by_another_organisation() {
    let mut federation = Federation::of(&[organisation(), other()]);
    let _ = federation.add(&good_provider(), &Choices::default());
    let chosen = Choices { organisation: Some(other().number), ..Choices::default() };
    let taken = federation.prepare(&good_provider(), &chosen);
    assert!(taken.report.has("registry.entity.taken") && taken.changes.is_empty());
    let stated = good_provider().replace(">2120001355<", ">2021006883<");
    assert!(federation.prepare(&stated, &Choices::default()).report.has("registry.entity.taken"));
}

#[test]
fn a_display_name_of_another_organisation_is_warned_about() {
    let mut federation = Federation::of(&[organisation(), other()]);
    let _ = federation.add(&good_provider(), &Choices::default());
    let alike = good_provider()
        .replace("idp.granvik.example", "idp.annan.example")
        .replace(">2120001355<", ">2021006883<");
    let prepared = federation.prepare(&alike, &Choices::default());
    assert!(prepared.report.has("registry.entity.display_name_taken"));
    assert!(!prepared.report.has_errors());
    assert!(
        !federation
            .prepare(&good_provider(), &Choices::default())
            .report
            .has("registry.entity.display_name_taken")
    );
}

#[test]
fn a_change_of_sector_is_refused_unless_the_old_one_is_kept_by_name() {
    let mut federation = Federation::of(&[organisation()]);
    let mut file = good_client();
    let _ = federation.add(&file.to_string(), &Choices::default());
    file["redirect_uris"] = json!(["https://nya.granvik.example/callback"]);
    let moved = federation.prepare(&file.to_string(), &Choices::default());
    assert!(moved.report.has("registry.entity.sector_changed") && moved.changes.is_empty());
    file["sector_identifier_uri"] = json!("https://tidbok.granvik.example/");
    assert!(!federation.prepare(&file.to_string(), &Choices::default()).report.has_errors());
}

#[test]
fn what_the_operator_chose_stays_until_chosen_otherwise() {
    let mut federation = Federation::of(&[organisation()]);
    let file = good_client().to_string();
    let attributes = Some([AttributeName::DisplayName].into());
    let chosen = Choices { attributes, pkce_waived: Some(true), ..Choices::default() };
    let _ = federation.add(&file, &chosen);
    let _ = federation.add(&file, &Choices::default());
    let registry = federation.registry();
    let client = registry.oidc_client(&"https://tidbok.granvik.example".into()).expect("there");
    assert!(!client.pkce_required);
    assert_eq!(client.policy.entitled, [AttributeName::DisplayName].into());
}

#[test]
fn what_our_tools_write_is_taken_as_it_is() {
    let federation = Federation::of(&[organisation()]);
    let beginning = Beginning {
        client_id: "tidbok",
        name: "Tidboken",
        redirect_uri: "https://tidbok.granvik.example/callback",
        jwks: None,
    };
    let prepared = federation.prepare(&template(&beginning).to_string(), &Choices::default());
    assert!(!prepared.report.has_errors() && prepared.shown_secret.is_some());
    let keys = good_client()["jwks"].clone();
    let prepared = federation
        .prepare(&template(&Beginning { jwks: Some(keys), ..beginning }).to_string(), &Choices::default());
    assert!(!prepared.report.has_errors() && prepared.shown_secret.is_none());
}

#[test]
fn a_file_of_nobody_we_know_is_refused() {
    let federation = Federation::of(&[other()]);
    assert!(
        federation.prepare(&good_provider(), &Choices::default()).report.has("registry.organisation.unknown")
    );
}

#[test]
fn the_owner_is_found_by_the_host_when_the_file_has_no_number() {
    let federation = Federation::of(&[organisation(), other()]);
    let unnumbered = good_provider().replace("mdorgext:OrganizationNumber", "mdorgext:Other");
    let prepared = federation.prepare(&unnumbered, &Choices::default());
    assert_eq!(prepared.parties[0].organisation, organisation().number);
}

#[test]
fn a_few_entities_in_one_file_are_each_taken_and_too_many_are_not() {
    let mut federation = Federation::of(&[organisation()]);
    let one = good_provider();
    let body = one.split_once("?>").map(|(_, body)| body).expect("a declaration");
    let second = body.replace("granvik.example/saml", "granvik.example/saml2");
    let wrapped = |inner: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{inner}</md:EntitiesDescriptor>"
        )
    };
    assert!(!federation.add(&wrapped(&format!("{body}{second}")), &Choices::default()).report.has_errors());
    assert_eq!(federation.registry().saml_providers().count(), 2);
    let twice = federation.prepare(&wrapped(&format!("{body}{body}")), &Choices::default());
    assert!(twice.report.has("registry.entity.twice_in_file") && twice.changes.is_empty());
    let many = federation.prepare(&wrapped(&body.repeat(21)), &Choices::default());
    assert!(many.report.has("registry.file.too_many_entities"));
    assert!(federation.prepare(&wrapped(""), &Choices::default()).report.has("saml.entity.role_missing"));
}

#[test]
fn a_secret_is_made_once_shown_once_and_never_kept() {
    let mut federation = Federation::of(&[organisation()]);
    let file = client("client_secret_basic").to_string();
    let first = federation.add(&file, &Choices::default());
    assert_eq!(first.shown_secret.as_ref().map(|shown| shown.secret.as_str()), Some(FRESH));
    assert!(!format!("{first:?}").contains(FRESH));
    let kept = String::from_utf8(federation.manifest.to_document().expect("written")).expect("text");
    assert!(!kept.contains(FRESH));
    assert!(first.documents.iter().all(|(_, octets)| !String::from_utf8_lossy(octets).contains(FRESH)));
    assert_eq!(federation.registry().oidc_clients().count(), 1);
    // The same file again keeps the secret; only asking makes a new one.
    assert!(federation.add(&file, &Choices::default()).shown_secret.is_none());
    let renew = Choices { renew_secret: true, ..Choices::default() };
    assert!(federation.prepare(&file, &renew).shown_secret.is_some());
}

#[test]
fn a_secret_in_the_file_is_judged_hashed_and_stripped() {
    let mut federation = Federation::of(&[organisation()]);
    let mut file = client("client_secret_post");
    file["client_secret"] = json!("short");
    let weak = federation.prepare(&file.to_string(), &Choices::default());
    assert!(weak.report.has("oidc.secret.weak") && weak.changes.is_empty());
    let secret = "0123456789abcdefghijklmnopqrstuv";
    file["client_secret"] = json!(secret);
    let added = federation.add(&file.to_string(), &Choices::default());
    assert!(added.report.has("oidc.secret.in_file") && added.shown_secret.is_none());
    assert!(federation.documents.values().all(|octets| !String::from_utf8_lossy(octets).contains(secret)));
    let id = EntryId::OidcClient("https://tidbok.granvik.example".into());
    match federation.manifest.entries.get(&id) {
        Some(Entry::OidcClient { settings, .. }) => {
            assert!(settings.secret.as_ref().is_some_and(|hash| hash.verify(
                &mac_key(),
                "https://tidbok.granvik.example",
                secret
            )))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_id_is_the_files_or_the_operators() {
    let federation = Federation::of(&[organisation()]);
    let mut file = good_client();
    file.as_object_mut().expect("an object").remove("client_id");
    assert!(federation.prepare(&file.to_string(), &Choices::default()).report.has("oidc.client_id.missing"));
    let named = Choices { client_id: Some("tidbok".into()), ..Choices::default() };
    let prepared = federation.prepare(&file.to_string(), &named);
    assert_eq!(prepared.parties[0].id, EntryId::OidcClient("tidbok".into()));
    let bad = Choices { client_id: Some("tid bok".into()), ..Choices::default() };
    assert!(federation.prepare(&file.to_string(), &bad).report.has("oidc.client_id.malformed"));
}

#[test]
fn who_is_known_by_an_identifier_for_one_service_provider_is_always_asked_by_it() {
    let mut federation = Federation::of(&[organisation()]);
    let pinned = |federation: &Federation| {
        let registry = federation.registry();
        let provider = registry.saml_providers().next().expect("one").clone();
        provider.service_provider.clone()
    };
    for source in [SubjectSource::PersistentNameId, SubjectSource::PairwiseId] {
        let mut federation = Federation::of(&[organisation()]);
        let choices = Choices { subject_source: Some(source), ..Choices::default() };
        assert!(!federation.add(&good_provider(), &choices).report.has_errors());
        assert_eq!(pinned(&federation).as_deref(), Some("main"));
        let other = Choices { service_provider: Some("personal-number".to_owned()), ..Choices::default() };
        let changed = federation.prepare(&good_provider(), &other);
        assert!(changed.report.has("registry.entity.service_provider_changed") && changed.changes.is_empty());
        assert!(!federation.prepare(&good_provider(), &Choices::default()).report.has_errors());
    }
    // Where the identifier is the same for all of ours, the operator may choose, and choose anew.
    assert!(!federation.add(&good_provider(), &Choices::default()).report.has_errors());
    assert_eq!(pinned(&federation), None);
    let choices = Choices { service_provider: Some("main".to_owned()), ..Choices::default() };
    assert!(!federation.add(&good_provider(), &choices).report.has_errors());
    assert_eq!(pinned(&federation).as_deref(), Some("main"));
}

#[test]
fn nobody_stands_behind_another_organisations_provider() {
    let annan = Organisation { scopes: ["annan.example".to_owned()].into(), ..other() };
    let mut federation = Federation::of(&[organisation(), annan]);
    let theirs = good_provider()
        .replace("granvik", "annan")
        .replace(organisation().number.as_str(), other().number.as_str());
    let choices = Choices { organisation: Some(other().number), ..Choices::default() };
    let added = federation.add(&theirs, &choices);
    assert!(!added.report.has_errors(), "{:?}", added.report.findings);
    let behind = |name: &str| Choices { behind: Some([name.into()].into()), ..Choices::default() };
    let free = federation.prepare(&good_provider(), &behind("https://inner.example"));
    assert!(!free.report.has_errors());
    let registry = federation.registry();
    let taken = registry.saml_providers().next().expect("theirs").policy.id.clone();
    let refused = federation.prepare(&good_provider(), &behind(taken.as_str()));
    assert!(refused.report.has("registry.entity.behind_registered") && refused.changes.is_empty());
}

#[test]
fn a_name_that_another_organisations_provider_speaks_for_is_not_registered_under_it() {
    let annan = Organisation { scopes: ["annan.example".to_owned()].into(), ..other() };
    let mut federation = Federation::of(&[organisation(), annan]);
    let theirs = good_provider()
        .replace("granvik", "annan")
        .replace(organisation().number.as_str(), other().number.as_str());
    let own = Choices { organisation: Some(other().number), ..Choices::default() };
    let prepared = federation.prepare(&theirs, &own);
    let EntryId::SamlProvider(name) = prepared.parties[0].id.clone() else { panic!("a provider") };
    let behind = Choices { behind: Some([name].into()), ..Choices::default() };
    assert!(!federation.add(&good_provider(), &behind).report.has_errors(), "nobody has the name yet");
    let refused = federation.prepare(&theirs, &own);
    assert!(refused.report.has("registry.entity.named_behind") && refused.changes.is_empty());
    let without = Choices { behind: Some([].into()), ..Choices::default() };
    assert!(!federation.add(&good_provider(), &without).report.has_errors());
    assert!(!federation.prepare(&theirs, &own).report.has_errors(), "the twin: nobody speaks for it");
}

#[test]
fn a_narrowing_stays_until_chosen_otherwise_and_lies_within_the_record() {
    let mut federation = Federation::of(&[organisation()]);
    // Silent about scopes, so that the record's are the only bound.
    let file = good_provider().replace("<shibmd:Scope regexp=\"false\">granvik.example</shibmd:Scope>", "");
    let choosing = |scopes: &[&str]| Choices {
        narrowing: Some(Narrowing {
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            ..Narrowing::default()
        }),
        ..Choices::default()
    };
    let scopes = |federation: &Federation| {
        let registry = federation.registry();
        let provider = registry.saml_providers().next().expect("registered").policy.clone();
        (
            provider.authority.scope("granvik.example").is_some(),
            provider.authority.scope("2120001355").is_some(),
        )
    };
    let _ = federation.add(&file, &choosing(&["Granvik.example"]));
    assert_eq!(scopes(&federation), (true, false));
    let _ = federation.add(&file, &Choices::default());
    assert_eq!(scopes(&federation), (true, false), "a renewal keeps it");
    let none = Choices { narrowing: Some(Narrowing::default()), ..Choices::default() };
    let _ = federation.add(&file, &none);
    assert_eq!(scopes(&federation), (true, true));
    let outside = federation.prepare(&file, &choosing(&["granvik.exmaple"]));
    assert!(outside.report.has("registry.provider.narrowing_outside_record") && outside.changes.is_empty());
    let may_assert = [AttributeName::DateOfBirth].into();
    let narrowing = Narrowing { may_assert: Some(may_assert), ..Narrowing::default() };
    let ungranted = federation.prepare(&file, &Choices { narrowing: Some(narrowing), ..Choices::default() });
    assert!(ungranted.report.has("registry.provider.narrowing_outside_record"));
}

/// Granvik answers for the machine; it speaks for Granvik and Annan.
mod several {
    use super::*;

    const MACHINE: &str = "2120001355";

    fn annan() -> Organisation {
        Organisation { scopes: ["annan.example".to_owned()].into(), ..other() }
    }

    fn speaking(more: &[&Organisation], less: &[&Organisation]) -> Choices {
        let numbers = |of: &[&Organisation]| of.iter().map(|record| record.number.clone()).collect();
        Choices { speaks_for: numbers(more), speaks_no_more_for: numbers(less), ..Choices::default() }
    }

    fn voices(federation: &Federation) -> Vec<String> {
        let registry = federation.registry();
        let provider = registry.saml_providers().next().expect("registered").policy.clone();
        provider.organisations.iter().map(|voice| voice.organisation.number.to_string()).collect()
    }

    #[test]
    fn what_it_spoke_for_stays_until_it_is_taken_away() {
        let mut federation = Federation::of(&[organisation(), annan()]);
        let _ = federation.add(&good_provider(), &Choices::default());
        assert_eq!(voices(&federation), Vec::<String>::new(), "for its own alone");
        let added = federation.add(&good_provider(), &speaking(&[&annan()], &[]));
        assert!(!added.report.has_errors(), "{:?}", added.report.findings);
        assert_eq!(voices(&federation), ["2021006883", MACHINE], "its own people are not lost");
        assert_eq!(added.parties[0].speaks_for.len(), 2);
        let _ = federation.add(&good_provider(), &Choices::default());
        assert_eq!(voices(&federation).len(), 2, "a renewal keeps them");
        let file =
            good_provider().replace("<shibmd:Scope regexp=\"false\">granvik.example</shibmd:Scope>", "");
        let less = federation.add(&file, &speaking(&[], &[&organisation()]));
        assert!(!less.report.has_errors(), "{:?}", less.report.findings);
        assert_eq!(voices(&federation), ["2021006883"]);
    }

    #[test]
    fn numbers_that_fit_nothing_are_refused() {
        let mut federation = Federation::of(&[organisation()]);
        let _ = federation.add(&good_provider(), &Choices::default());
        for (choices, rule) in [
            (speaking(&[&annan()], &[]), "registry.organisations.unknown"),
            (speaking(&[], &[&annan()]), "registry.organisations.not_spoken_for"),
            (speaking(&[], &[&organisation()]), "registry.organisations.none"),
        ] {
            let refused = federation.prepare(&good_provider(), &choices);
            assert!(refused.report.has(rule) && refused.changes.is_empty(), "{rule}");
        }
    }

    #[test]
    fn a_scope_of_two_organisations_is_told() {
        let mut federation = Federation::of(&[organisation(), annan()]);
        let apart = federation.prepare(&good_provider(), &speaking(&[&annan(), &organisation()], &[]));
        assert!(!apart.report.has("registry.organisations.shared"));
        let sharing = Organisation { scopes: ["granvik.example".to_owned()].into(), ..other() };
        federation = Federation::of(&[organisation(), sharing]);
        let shared = federation.prepare(&good_provider(), &speaking(&[&annan(), &organisation()], &[]));
        assert!(shared.report.has("registry.organisations.shared") && !shared.report.has_errors());
    }

    #[test]
    fn its_document_may_declare_what_they_have_together_and_no_more() {
        let mut federation = Federation::of(&[organisation(), annan()]);
        let file =
            good_provider().replace(">granvik.example</shibmd:Scope>", ">annan.example</shibmd:Scope>");
        assert!(federation.prepare(&file, &Choices::default()).report.has("saml.idp.scope_outside_record"));
        let both = federation.add(&file, &speaking(&[&annan(), &organisation()], &[]));
        assert!(!both.report.has_errors(), "{:?}", both.report.findings);
        let registry = federation.registry();
        let provider = registry.saml_providers().next().expect("registered").policy.clone();
        let [annan, granvik] = provider.organisations.as_slice() else { panic!("two voices") };
        assert!(annan.authority.scope("annan.example").is_some());
        assert!(granvik.authority.scope("annan.example").is_none(), "each has its own alone");
        assert!(provider.authority.scope("annan.example").is_none(), "and the provider by itself has none");
    }

    #[test]
    fn a_record_that_a_provider_speaks_for_is_not_removed() {
        let mut federation = Federation::of(&[organisation(), annan()]);
        let _ = federation.add(&good_provider(), &speaking(&[&annan(), &organisation()], &[]));
        let remove = || Change::Remove { id: EntryId::Organisation(annan().number) };
        assert!(federation.manifest.with(remove()).is_err());
        let _ = federation.add(&good_provider(), &speaking(&[], &[&annan()]));
        assert!(federation.manifest.with(remove()).is_ok());
    }

    #[test]
    fn a_new_record_is_heard_by_each_voice() {
        let mut federation = Federation::of(&[organisation(), annan()]);
        let _ = federation.add(&good_provider(), &speaking(&[&annan(), &organisation()], &[]));
        let before = federation.registry();
        let renamed = Organisation { aliases: ["Grannen".to_owned()].into(), ..annan() };
        let octets = document(&renamed).expect("written");
        let name = document_name(&octets);
        federation.documents.insert(name.clone(), octets);
        let change = Change::AddOrganisation { number: renamed.number.clone(), document: name, logo: None };
        let manifest = federation.manifest.with(change).expect("changed");
        let find = |name: &str| federation.documents.get(name).map(Vec::as_slice);
        let after = Registry::build(2, &manifest, &find, Some(&before), NOW).expect("built");
        let provider = after.saml_providers().next().expect("registered").policy.clone();
        let voice = provider.voice_of(&renamed.number).expect("a voice");
        assert!(voice.organisation.aliases.contains("Grannen"));
    }
}
