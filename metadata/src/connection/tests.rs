//! What a decision changes, what is remembered, and what is seen and written down of it.

use std::collections::{BTreeSet, HashMap};

use broker_core::{
    attribute::AttributeName as A,
    connection::{Category, DecidedBy, Terms},
    identifier::RelyingPartyId,
    moment::Timestamp,
};

use super::{
    Decided, Decision,
    export::{Processing, ProcessingRecord},
    remember_before, view,
};
use crate::{
    Registry,
    lint::Tongue,
    oidc::tests::good as good_client,
    organisation::document,
    revision::{Change, ChangeRefused, Entry, EntryId, Manifest, document_name},
    saml::tests::{NOW, organisation},
    settings::RelyingPartySettings,
};

const CLIENT: &str = "https://tidbok.granvik.example";

struct Scene {
    documents: HashMap<String, Vec<u8>>,
    manifest: Manifest,
}

impl Scene {
    /// One relying party that may be told these.
    fn telling(attributes: &[A]) -> Self {
        let mut scene = Self { documents: HashMap::new(), manifest: Manifest::default() };
        let mut record = organisation();
        record.entitled = A::ALL.iter().copied().collect();
        let document = scene.put(document(&record).expect("written"));
        scene.make(Change::AddOrganisation { number: record.number.clone(), document, logo: None });
        scene.tell(attributes);
        scene
    }

    fn put(&mut self, octets: Vec<u8>) -> String {
        let name = document_name(&octets);
        self.documents.insert(name.clone(), octets);
        name
    }

    fn make(&mut self, change: Change) {
        self.manifest = self.manifest.with(change).expect("made");
    }

    /// The relying party's registration changes, as it does when it is published.
    fn tell(&mut self, attributes: &[A]) {
        let before = self.registry();
        let mut client = good_client();
        client["purpose"] = "Boka <tid>".into();
        let document = self.put(client.to_string().into_bytes());
        let settings = RelyingPartySettings {
            attributes: Some(attributes.iter().copied().collect()),
            ..RelyingPartySettings::of(organisation().number)
        };
        let entry = Box::new(Entry::OidcClient { document, settings });
        self.make(Change::AddMetadata { id: EntryId::OidcClient(CLIENT.into()), entry });
        remember_before(&before, &mut self.manifest);
    }

    fn decide(&mut self, decision: Decision) {
        self.make(Change::Connection { decision: Box::new(decision) });
    }

    fn registry(&self) -> Registry {
        let find = |name: &str| self.documents.get(name).map(Vec::as_slice);
        Registry::build(1, &self.manifest, &find, None, NOW).expect("built")
    }

    fn seen(&self) -> view::View {
        view::view(&self.registry(), &organisation(), &client()).expect("registered")
    }
}

fn client() -> RelyingPartyId {
    CLIENT.into()
}

fn decided(open: bool, attributes: Option<&[A]>) -> Decided {
    let attributes = attributes.map(|names| names.iter().copied().collect());
    let terms = Terms { open, attributes };
    Decided { terms, at: Timestamp(1_800_000_000), by: "c2VhbGVk".to_owned(), legal_basis: None }
}

fn agree(decided: Option<Decided>) -> Decision {
    Decision::Agree { employer: organisation().number, relying_party: client(), decided }
}

#[test]
fn a_service_that_grows_is_seen_with_what_is_new_and_gets_the_old() {
    let mut scene = Scene::telling(&[A::DisplayName]);
    assert!(scene.seen().pending.is_empty());
    scene.tell(&[A::DisplayName, A::Mail]);
    let seen = scene.seen();
    assert_eq!((seen.leaves, seen.pending), (BTreeSet::from([A::DisplayName]), BTreeSet::from([A::Mail])));
    // Little by little is no way round.
    scene.tell(&[A::DisplayName, A::Mail, A::Surname]);
    assert_eq!(scene.seen().pending, BTreeSet::from([A::Mail, A::Surname]));
    scene.decide(agree(Some(decided(true, Some(&[A::DisplayName, A::Mail])))));
    let seen = scene.seen();
    assert_eq!(seen.leaves, BTreeSet::from([A::DisplayName, A::Mail]));
    assert_eq!(seen.pending, BTreeSet::from([A::Surname]));
}

#[test]
fn a_service_that_leaves_and_comes_back_asking_for_more_gets_the_old() {
    let mut scene = Scene::telling(&[A::DisplayName]);
    let before = scene.registry();
    scene.make(Change::Remove { id: EntryId::OidcClient(client()) });
    remember_before(&before, &mut scene.manifest);
    scene.tell(&[A::DisplayName, A::Mail]);
    assert_eq!(scene.seen().pending, BTreeSet::from([A::Mail]));
}

#[test]
fn a_record_that_entitles_to_more_lets_no_more_leave_by_itself() {
    let mut scene = Scene::telling(&[A::DisplayName, A::Mail]);
    let narrow = |entitled: BTreeSet<A>| {
        crate::organisation::document(&broker_core::organisation::Organisation { entitled, ..organisation() })
    };
    let number = organisation().number;
    let name = scene.put(narrow(BTreeSet::from([A::DisplayName])).expect("written"));
    scene.make(Change::AddOrganisation { number: number.clone(), document: name, logo: None });
    let before = scene.registry();
    let name = scene.put(narrow(BTreeSet::from([A::DisplayName, A::Mail])).expect("written"));
    scene.make(Change::AddOrganisation { number, document: name, logo: None });
    remember_before(&before, &mut scene.manifest);
    assert_eq!(scene.seen().pending, BTreeSet::from([A::Mail]));
}

#[test]
fn a_decision_is_made_and_taken_back() {
    let mut scene = Scene::telling(&[A::DisplayName]);
    let untouched = scene.manifest.clone();
    scene.decide(agree(Some(decided(false, Some(&[])))));
    let seen = scene.seen();
    assert_eq!((seen.open, seen.decided_by), (false, DecidedBy::Agreement));
    assert!(seen.leaves.is_empty() && seen.since.is_some());
    let read = Manifest::from_document(&scene.manifest.to_document().expect("written")).expect("read");
    assert_eq!(read, scene.manifest);
    scene.decide(agree(None));
    assert_eq!(scene.manifest, untouched);
    assert!(
        !String::from_utf8(untouched.to_document().expect("written")).expect("UTF-8").contains("connections")
    );
}

#[test]
fn a_default_of_a_category_holds_for_its_services() {
    let mut scene = Scene::telling(&[A::DisplayName]);
    let care = Category::parse("care").expect("a category");
    let default = |employer, open| Decision::Default {
        employer,
        category: Some(care.clone()),
        decided: Some(decided(open, None)),
    };
    scene.decide(default(None, false));
    assert!(scene.seen().open);
    scene.decide(Decision::Category { relying_party: client(), category: Some(care.clone()) });
    assert_eq!((scene.seen().open, scene.seen().decided_by), (false, DecidedBy::FederationCategory));
    scene.decide(default(Some(organisation().number), true));
    assert_eq!((scene.seen().open, scene.seen().decided_by), (true, DecidedBy::EmployerCategory));
}

#[test]
fn nothing_is_decided_about_strangers_or_by_them() {
    let scene = Scene::telling(&[A::DisplayName]);
    let refused = |decision| scene.manifest.with(Change::Connection { decision: Box::new(decision) });
    let relying_party = RelyingPartyId::from("nobody");
    assert!(matches!(
        refused(Decision::Agree { employer: organisation().number, relying_party, decided: None }),
        Err(ChangeRefused::Absent { .. })
    ));
    let employer = broker_core::organisation::OrganisationNumber::parse("2120009903").expect("a number");
    assert!(matches!(
        refused(Decision::Default { employer: Some(employer), category: None, decided: None }),
        Err(ChangeRefused::OrganisationUnknown { .. })
    ));
}

#[test]
fn a_record_of_processing_says_what_is_seen_and_runs_nothing() {
    let mut scene = Scene::telling(&[A::DisplayName, A::Mail]);
    let basis =
        Decided { legal_basis: Some("=HYPERLINK(\"x\")".to_owned()), ..decided(true, Some(&[A::Mail])) };
    scene.decide(agree(Some(basis)));
    let view = scene.seen();
    let connections = vec![Processing { view: view.clone(), agreed_by: Some("Ada".to_owned()) }];
    let record = ProcessingRecord::new(&organisation(), connections, (NOW, 7));
    let json = serde_json::to_value(&record).expect("JSON");
    assert_eq!(json["connections"][0]["leaves"], serde_json::json!(["mail"]));
    assert_eq!(json["connections"][0]["agreed_by"], "Ada");
    assert!(!json.to_string().contains("c2VhbGVk"), "what is sealed stays inside");
    let label = |name: A| format!("<{}>", name.key());
    for tongue in [Tongue::Swedish, Tongue::English] {
        let csv = record.csv(tongue, &label);
        assert!(
            csv.contains("\"<mail>\"")
                && csv.contains("\"Ada\"")
                && csv.contains("\"'=HYPERLINK(\"\"x\"\")\""),
            "{csv}"
        );
        assert_eq!(csv.lines().count(), 2);
        let html = record.html(tongue, &label);
        assert!(
            html.contains("&lt;mail&gt;") && html.contains("Boka &lt;tid&gt;") && !html.contains("<mail>"),
            "{html}"
        );
    }
}
