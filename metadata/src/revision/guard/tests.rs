//! Each hold beside a change like it that is not held.

use std::collections::HashMap;

use broker_core::{
    identifier::ProviderId,
    moment::Timestamp,
    organisation::{Organisation, OrganisationNumber},
    subject::SubjectSource,
    suspension::KeyFingerprint,
};

use super::{judge, needed};
use crate::{
    Registry,
    key_use::{KeyUse, LATELY_SECONDS},
    lint::Report,
    oidc::tests::good as good_client,
    organisation::document,
    revision::{
        Change, Entry, EntryId, Manifest, Suspension, Target, difference::read_provider, document_name,
    },
    saml::tests::{NOW, certificate, organisation},
    settings::{ProviderSettings, RelyingPartySettings},
};

const PROVIDER: &str = "https://idp.granvik.example/saml";
const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";

/// A correct provider with these signing certificates, the last of which may be for encryption.
fn with_keys(certificates: &[&str]) -> String {
    let good = include_str!("../../saml/tests/idp.xml");
    let start = good.find("<md:KeyDescriptor").expect("a key");
    let end = good.find("</md:KeyDescriptor>").expect("its end") + "</md:KeyDescriptor>".len();
    let keys: String = certificates.iter().map(|one| good[start..end].replace("CERTIFICATE", one)).collect();
    format!("{}{keys}{}", &good[..start], &good[end..])
}

/// What is registered, when its keys were seen, and every document.
struct Scene {
    documents: HashMap<String, Vec<u8>>,
    manifest: Manifest,
    seen: KeyUse,
}

impl Scene {
    /// With one provider.
    fn of(provider: &str) -> Self {
        let mut scene =
            Self { documents: HashMap::new(), manifest: Manifest::default(), seen: KeyUse::default() };
        let record = scene.record(&organisation());
        scene.manifest = scene.manifest.with(record).expect("added");
        let added = scene.provider(PROVIDER, provider);
        scene.manifest = scene.manifest.with(added).expect("added");
        scene
    }

    fn put(&mut self, octets: Vec<u8>) -> String {
        let name = document_name(&octets);
        self.documents.insert(name.clone(), octets);
        name
    }

    fn record(&mut self, record: &Organisation) -> Change {
        let document = self.put(document(record).expect("written"));
        Change::AddOrganisation { number: record.number.clone(), document, logo: None }
    }

    fn provider(&mut self, id: &str, xml: &str) -> Change {
        let document = self.put(xml.as_bytes().to_vec());
        let settings = ProviderSettings::of(organisation().number, SubjectSource::SubjectId);
        Change::AddMetadata {
            id: EntryId::SamlProvider(id.into()),
            entry: Box::new(Entry::SamlProvider { document, settings }),
        }
    }

    /// A relying party that asks for a level, and takes logins from these providers alone.
    fn asks_for(mut self, level: &str, only: Option<&str>) -> Self {
        let mut client = good_client();
        client["default_acr_values"] = serde_json::json!([level]);
        let document = self.put(client.to_string().into_bytes());
        let settings = RelyingPartySettings {
            providers: only.map(|id| [ProviderId::from(id)].into()),
            ..RelyingPartySettings::of(organisation().number)
        };
        let change = Change::AddMetadata {
            id: EntryId::OidcClient("https://tidbok.granvik.example".into()),
            entry: Box::new(Entry::OidcClient { document, settings }),
        };
        self.manifest = self.manifest.with(change).expect("added");
        self
    }

    /// The key of that place in the provider's document verified a message so many days ago.
    fn used(mut self, provider: &str, at: usize, days_ago: i64) -> Self {
        let _ = self.seen.note(&PROVIDER.into(), fingerprint(provider, at), NOW.plus(-days_ago * 86_400));
        self
    }

    fn registry(&self) -> Registry {
        let find = |name: &str| self.documents.get(name).map(Vec::as_slice);
        let registry = Registry::build(1, &self.manifest, &find, None, NOW).expect("built");
        assert!(registry.withheld().is_empty(), "{:?}", registry.withheld());
        registry
    }

    fn judged(&self, changes: &[Change]) -> Report {
        let registry = self.registry();
        let needed = needed(&registry, changes);
        let find = |name: &str| {
            assert!(needed.contains(name), "needed() does not name {name}");
            self.documents.get(name).map(Vec::as_slice)
        };
        judge(&registry, changes, &find, &self.seen, NOW)
    }

    /// The rules that hold a new document of the provider.
    fn renewed(&mut self, xml: &str) -> Vec<&'static str> {
        let change = self.provider(PROVIDER, xml);
        rules(&self.judged(&[change]))
    }
}

fn rules(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule.id).collect()
}

fn fingerprint(provider: &str, at: usize) -> KeyFingerprint {
    let read = read_provider(&PROVIDER.into(), provider.as_bytes()).expect("read");
    KeyFingerprint::new(*read.signing_keys()[at].thumbprint().as_bytes())
}

#[test]
fn the_only_key_seen_lately_is_not_removed_in_passing() {
    let (old, new) = (certificate(365), certificate(700));
    let (before, both, after) = (with_keys(&[&old]), with_keys(&[&old, &new]), with_keys(&[&new]));
    let mut scene = Scene::of(&before).used(&before, 0, 1);
    assert_eq!(scene.renewed(&after), ["guard.key.in_use_removed"]);
    assert_eq!(scene.renewed(&both), [""; 0], "the first step of the safe order");
    // The second step: both are published, only the old one has been seen.
    let mut scene = Scene::of(&both).used(&both, 0, 0);
    assert_eq!(scene.renewed(&after), ["guard.key.in_use_removed"], "it has not switched yet");
    // The last: the new one has verified messages.
    let mut scene = Scene::of(&both).used(&both, 0, 2).used(&both, 1, 0);
    assert_eq!(scene.renewed(&after), [""; 0]);
}

#[test]
fn a_hold_says_what_when_and_in_which_order() {
    let (old, new) = (certificate(365), certificate(700));
    let before = with_keys(&[&old]);
    let mut scene = Scene::of(&before).used(&before, 0, 1);
    let change = scene.provider(PROVIDER, &with_keys(&[&new]));
    let report = scene.judged(&[change]);
    let finding = &report.findings[0];
    let what = finding.what(crate::lint::Tongue::English);
    assert!(what.contains(&fingerprint(&before, 0).short()) && what.contains("2026-11-"), "{what}");
    let fix = finding.fix(crate::lint::Tongue::English);
    for (step, words) in [("1.", "both"), ("2.", "sign"), ("3.", "metadata show"), ("4.", "Remove")] {
        let from = fix.find(step).unwrap_or_else(|| panic!("{fix}"));
        assert!(fix[from..].contains(words), "{fix}");
    }
    assert_eq!(finding.about.as_deref(), Some(PROVIDER));
    assert!(!report.has_errors(), "a hold refuses nothing");
}

#[test]
fn keys_are_not_all_replaced_where_one_was_ever_in_use() {
    let (old, new) = (certificate(365), certificate(700));
    let (before, after) = (with_keys(&[&old]), with_keys(&[&new]));
    let long_ago = LATELY_SECONDS / 86_400 + 10;
    let mut scene = Scene::of(&before).used(&before, 0, long_ago);
    assert_eq!(scene.renewed(&after), ["guard.key.none_remains"]);
    let mut scene = Scene::of(&before);
    assert_eq!(scene.renewed(&after), [""; 0], "it was never in use");
}

#[test]
fn a_key_that_is_suspended_is_not_guarded() {
    let (old, new) = (certificate(365), certificate(700));
    let (before, after) = (with_keys(&[&old]), with_keys(&[&new]));
    let mut scene = Scene::of(&before).used(&before, 0, 0);
    let suspension = Suspension {
        target: Target::Key { provider: PROVIDER.into(), fingerprint: fingerprint(&before, 0) },
        at: NOW,
        by: "Ada".into(),
        reason: "stolen".into(),
        compromised: true,
    };
    scene.manifest =
        scene.manifest.with(Change::Suspend { suspension: Box::new(suspension) }).expect("suspended");
    assert_eq!(scene.renewed(&after), [""; 0]);
}

#[test]
fn a_validity_is_not_cut_short_in_passing() {
    let good = with_keys(&[&certificate(365)]);
    let until = |at: &str| good.replace("2030-01-01T00:00:00Z", at);
    let mut scene = Scene::of(&good);
    assert_eq!(scene.renewed(&until("2029-12-30T00:00:00Z")), ["guard.validity.shortened"]);
    assert_eq!(scene.renewed(&until("2029-12-31T12:00:00Z")), [""; 0], "by less than a day");
    assert_eq!(scene.renewed(&until("2031-01-01T00:00:00Z")), [""; 0]);
    let endless = good.replace(" validUntil=\"2030-01-01T00:00:00Z\"", "");
    let days = |days: i64| until(&Timestamp::to_rfc3339(NOW.plus(days * 86_400)));
    let mut scene = Scene::of(&endless);
    assert_eq!(scene.renewed(&days(6)), ["guard.validity.shortened"], "less than a week");
    assert_eq!(scene.renewed(&days(8)), [""; 0]);
    // A provider that publishes for a few days at a time does so every day.
    let mut scene = Scene::of(&days(4));
    assert_eq!(scene.renewed(&days(5)), [""; 0]);
}

#[test]
fn an_entity_id_does_not_change_in_passing() {
    let good = with_keys(&[&certificate(365)]);
    let mut scene = Scene::of(&good);
    let renamed = "https://idp.granvik.example/ny";
    let moved = scene.provider(renamed, &good.replace(PROVIDER, renamed));
    let gone = Change::Remove { id: EntryId::SamlProvider(PROVIDER.into()) };
    assert_eq!(rules(&scene.judged(&[gone, moved.clone()])), ["guard.entity.identifier_changed"]);
    assert_eq!(
        rules(&scene.judged(&[moved])),
        ["guard.entity.identifier_changed"],
        "its key and its address"
    );
    // Another provider of the same organisation, with a key and addresses of its own.
    let second = with_keys(&[&certificate(365)])
        .replace(PROVIDER, renamed)
        .replace("https://idp.granvik.example/sso", "https://idp2.granvik.example/sso");
    let added = scene.provider(renamed, &second);
    assert_eq!(rules(&scene.judged(&[added])), [""; 0]);
}

#[test]
fn a_scope_is_not_taken_in_passing() {
    let scoped = |scopes: &[&str]| {
        let scope = |name: &&str| format!("<shibmd:Scope regexp=\"false\">{name}</shibmd:Scope>");
        let written: String = scopes.iter().map(scope).collect();
        with_keys(&[&certificate(365)])
            .replace("<shibmd:Scope regexp=\"false\">granvik.example</shibmd:Scope>", &written)
    };
    let one = scoped(&["granvik.example"]);
    let wide = Organisation {
        scopes: ["granvik.example".to_owned(), "ny.granvik.example".to_owned()].into(),
        ..organisation()
    };
    let mut scene = Scene::of(&one);
    let record = scene.record(&wide);
    scene.manifest = scene.manifest.with(record).expect("added");
    assert_eq!(scene.renewed(&scoped(&["ny.granvik.example"])), ["guard.scope.removed"]);
    assert_eq!(scene.renewed(&scoped(&["granvik.example", "ny.granvik.example"])), [""; 0]);
    // The same by the organisation's record.
    let narrower = Organisation { scopes: ["annan.granvik.example".to_owned()].into(), ..organisation() };
    let record = scene.record(&narrower);
    assert_eq!(rules(&scene.judged(&[record])), ["guard.scope.removed"]);
    let wider = scene.record(&organisation());
    assert_eq!(rules(&scene.judged(&[wider])), [""; 0], "the scope that no metadata names may go");
}

#[test]
fn the_binding_that_we_ask_over_does_not_go_in_passing() {
    let good = with_keys(&[&certificate(365)]);
    let without = |binding: &str| -> String {
        let marked = format!("bindings:{binding}\"");
        good.lines().filter(|line| !line.contains(&marked)).map(|line| format!("{line}\n")).collect()
    };
    let mut scene = Scene::of(&good).used(&good, 0, 0);
    assert_eq!(scene.renewed(&without("HTTP-Redirect")), ["guard.endpoint.binding_removed"]);
    assert_eq!(scene.renewed(&without("HTTP-POST")), [""; 0], "nobody is asked over it");
    let mut scene = Scene::of(&good);
    assert_eq!(scene.renewed(&without("HTTP-Redirect")), [""; 0], "nobody uses it");
}

#[test]
fn a_provider_in_use_is_not_removed_in_passing() {
    let good = with_keys(&[&certificate(365)]);
    let gone = || Change::Remove { id: EntryId::SamlProvider(PROVIDER.into()) };
    let scene = Scene::of(&good).used(&good, 0, 3);
    assert_eq!(rules(&scene.judged(&[gone()])), ["guard.entity.removed_in_use"]);
    let scene = Scene::of(&good).used(&good, 0, 40);
    assert_eq!(rules(&scene.judged(&[gone()])), [""; 0]);
}

#[test]
fn a_level_that_somebody_asks_for_is_not_lowered_in_passing() {
    let good = with_keys(&[&certificate(365)]);
    let lower = good.replace(LOA3, "http://id.elegnamnden.se/loa/1.0/loa2");
    assert_eq!(Scene::of(&good).asks_for(LOA3, None).renewed(&lower), ["guard.level.lowered"]);
    assert_eq!(Scene::of(&good).asks_for(LOA3, Some(PROVIDER)).renewed(&lower), ["guard.level.lowered"]);
    let elsewhere = Some("https://idp.other.example");
    assert_eq!(Scene::of(&good).asks_for(LOA3, elsewhere).renewed(&lower), [""; 0]);
    assert_eq!(Scene::of(&good).renewed(&lower), [""; 0], "nobody asks for it");
    // The same by the ceiling in the organisation's record.
    let mut scene = Scene::of(&good).asks_for(LOA3, None);
    let record = scene.record(&Organisation { ceiling: Vec::new(), ..organisation() });
    assert_eq!(rules(&scene.judged(&[record])), ["guard.level.lowered"]);
}

#[test]
fn what_cannot_be_compared_is_held() {
    let good = with_keys(&[&certificate(365)]);
    let mut scene = Scene::of(&good);
    let registry = scene.registry();
    let change = scene.provider(PROVIDER, &good);
    let report = judge(&registry, &[change], &|_| None, &scene.seen, NOW);
    assert_eq!(rules(&report), ["guard.entity.not_comparable"]);
}

#[test]
fn a_relying_party_or_an_organisation_that_is_new_is_not_held() {
    let good = with_keys(&[&certificate(365)]);
    let mut scene = Scene::of(&good);
    let other =
        Organisation { number: OrganisationNumber::parse("2021006883").expect("a number"), ..organisation() };
    let record = scene.record(&other);
    assert_eq!(rules(&scene.judged(&[record])), [""; 0]);
}
