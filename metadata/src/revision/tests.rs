use std::{cell::Cell, collections::HashMap, sync::Arc};

use broker_core::{
    identifier::{ProviderId, RelyingPartyId},
    moment::Timestamp,
    organisation::{Organisation, OrganisationNumber},
    routing::Peers as _,
    subject::SubjectSource,
};
use certs::mac::{MacKey, Secret};
use proptest::prelude::*;

use super::{BuildFailed, Change, ChangeRefused, Entry, EntryId, Head, HeadRefused, Manifest, document_name};
use crate::{
    Registry,
    oidc::tests::good as good_client,
    organisation::document,
    saml::tests::{NOW, good as good_provider, organisation},
    settings::{ProviderSettings, RelyingPartySettings},
};

fn key(octet: u8) -> MacKey {
    Secret::from_octets([octet; 32]).mac_key("registry head")
}

fn head(number: u64) -> Head {
    Head { number, manifest: document_name(b"manifest"), at: NOW, record: None }
}

mod heads {
    use super::*;

    #[test]
    fn a_head_survives_being_sealed() {
        assert_eq!(Head::open(&head(7).seal(&key(1)), &key(1)), Ok(head(7)));
    }

    #[test]
    fn a_head_of_another_key_or_with_any_octet_changed_is_refused() {
        let sealed = head(7).seal(&key(1));
        assert_eq!(Head::open(&sealed, &key(2)), Err(HeadRefused::Unauthenticated));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(Head::open(&changed, &key(1)), Err(HeadRefused::Unauthenticated), "octet {at}");
        }
        assert_eq!(Head::open(&sealed[..sealed.len() - 1], &key(1)), Err(HeadRefused::Unauthenticated));
        assert_eq!(Head::open(b"", &key(1)), Err(HeadRefused::Unauthenticated));
    }

    #[test]
    fn an_authentic_text_that_is_no_head_is_refused() {
        let odd = Head { manifest: "../x".into(), ..head(7) };
        assert_eq!(Head::open(&odd.seal(&key(1)), &key(1)), Err(HeadRefused::Malformed));
    }

    #[test]
    fn only_a_newer_head_or_the_same_follows() {
        assert_eq!(head(8).follows(&head(7)), Ok(()));
        assert_eq!(head(7).follows(&head(7)), Ok(()));
        assert_eq!(head(6).follows(&head(7)), Err(HeadRefused::Older { known: 7, offered: 6 }));
        let other = Head { at: Timestamp(1), ..head(7) };
        assert_eq!(other.follows(&head(7)), Err(HeadRefused::Forked { number: 7 }));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Head::open(&octets, &key(1)).is_err());
        }
    }
}

/// Documents by name, as the store has them.
#[derive(Default)]
struct Documents(HashMap<String, Vec<u8>>);

impl Documents {
    fn put(&mut self, octets: Vec<u8>) -> String {
        let name = document_name(&octets);
        self.0.insert(name.clone(), octets);
        name
    }

    fn build(
        &self,
        number: u64,
        manifest: &Manifest,
        previous: Option<&Registry>,
    ) -> Result<Registry, BuildFailed> {
        Registry::build(number, manifest, &|name| self.0.get(name).map(Vec::as_slice), previous, NOW)
    }
}

const PROVIDER: &str = "https://idp.granvik.example/saml";

fn provider_settings(source: SubjectSource) -> ProviderSettings {
    ProviderSettings::of(organisation().number, source)
}

fn add_organisation(documents: &mut Documents, organisation: &Organisation) -> Change {
    let octets = document(organisation).expect("written");
    Change::AddOrganisation {
        number: organisation.number.clone(),
        document: documents.put(octets),
        logo: None,
    }
}

fn add_provider(documents: &mut Documents, settings: ProviderSettings) -> Change {
    let document = documents.put(good_provider().into_bytes());
    Change::AddMetadata {
        id: EntryId::SamlProvider(PROVIDER.into()),
        entry: Box::new(Entry::SamlProvider { document, settings }),
    }
}

fn add_client(documents: &mut Documents, name: &str) -> Change {
    let document = documents.put(good_client().to_string().into_bytes());
    Change::AddMetadata {
        id: EntryId::OidcClient(name.into()),
        entry: Box::new(Entry::OidcClient {
            document,
            settings: RelyingPartySettings::of(organisation().number),
        }),
    }
}

fn whole(documents: &mut Documents) -> Manifest {
    let changes = [
        add_organisation(documents, &organisation()),
        add_provider(documents, provider_settings(SubjectSource::SubjectId)),
        add_client(documents, "tidbok"),
    ];
    changes
        .into_iter()
        .try_fold(Manifest::default(), |manifest, change| manifest.with(change))
        .expect("changed")
}

#[test]
fn a_manifest_survives_being_written_and_has_one_name() {
    let manifest = whole(&mut Documents::default());
    let octets = manifest.to_document().expect("written");
    assert_eq!(Manifest::from_document(&octets), Ok(manifest.clone()));
    assert_eq!(manifest.name(), Ok(document_name(&octets)));
    assert_eq!(manifest.documents().count(), 3);
    assert!(Manifest::from_document(b"{\"entries\":{},\"more\":1}").is_err());
    let text = String::from_utf8(octets).expect("text");
    assert!(Manifest::from_document(text.replace("oidc-client:", "saml-provider:").as_bytes()).is_err());
}

#[test]
fn what_is_built_has_all_peers() {
    let mut documents = Documents::default();
    let manifest = whole(&mut documents);
    let registry = documents.build(3, &manifest, None).expect("built");
    assert_eq!(registry.number(), 3);
    assert!(registry.withheld().is_empty(), "{:?}", registry.withheld());
    assert!(registry.saml_provider(&ProviderId::from(PROVIDER)).is_some());
    assert!(registry.relying_party(&RelyingPartyId::from("tidbok")).is_some());
    assert_eq!(registry.voices().len(), 1);
    assert_eq!(registry.organisations().count(), 1);
}

#[test]
fn a_provider_whose_keys_cannot_be_used_any_more_stays_known() {
    let mut documents = Documents::default();
    let manifest = whole(&mut documents);
    let document =
        documents.put(good_provider().replace("use=\"signing\"", "use=\"encryption\"").into_bytes());
    let settings = provider_settings(SubjectSource::SubjectId);
    let id = EntryId::SamlProvider(PROVIDER.into());
    let entry = Box::new(Entry::SamlProvider { document, settings });
    let manifest = manifest.with(Change::AddMetadata { id, entry }).expect("changed");
    let registry = documents.build(4, &manifest, None).expect("built");
    assert!(registry.withheld().is_empty(), "{:?}", registry.withheld());
    let provider = registry.saml_provider(&ProviderId::from(PROVIDER)).expect("known");
    assert!(provider.signing_keys.is_empty(), "and the role refuses it");
}

#[test]
fn the_service_provider_that_asks_is_pinned_with_the_source() {
    let mut documents = Documents::default();
    let with = |manifest: &Manifest, documents: &mut Documents, source, name: Option<&str>| {
        let settings =
            ProviderSettings { service_provider: name.map(str::to_owned), ..provider_settings(source) };
        manifest.with(add_provider(documents, settings))
    };
    let begun = Manifest::default().with(add_organisation(&mut documents, &organisation())).expect("begun");
    let persistent = SubjectSource::PersistentNameId;
    let pinned = with(&begun, &mut documents, persistent, None).expect("added");
    assert!(with(&pinned, &mut documents, persistent, Some("main")).is_ok(), "what it was by default");
    assert_eq!(
        with(&pinned, &mut documents, persistent, Some("personal-number")),
        Err(ChangeRefused::ServiceProvider { id: EntryId::SamlProvider(PROVIDER.into()) })
    );
    let free = with(&begun, &mut documents, SubjectSource::SubjectId, None).expect("added");
    assert!(with(&free, &mut documents, SubjectSource::SubjectId, Some("personal-number")).is_ok());
}

#[test]
fn the_pinned_source_and_the_owner_do_not_change() {
    let mut documents = Documents::default();
    let manifest = whole(&mut documents);
    let id = || EntryId::SamlProvider(PROVIDER.into());
    assert!(manifest.with(add_provider(&mut documents, provider_settings(SubjectSource::SubjectId))).is_ok());
    assert_eq!(
        manifest.with(add_provider(&mut documents, provider_settings(SubjectSource::PersistentNameId))),
        Err(ChangeRefused::SubjectSource { id: id() })
    );
    let other =
        Organisation { number: OrganisationNumber::parse("2021006883").expect("a number"), ..organisation() };
    let moved = || ProviderSettings {
        organisation: other.number.clone(),
        ..provider_settings(SubjectSource::SubjectId)
    };
    assert_eq!(
        manifest.with(add_provider(&mut documents, moved())),
        Err(ChangeRefused::OrganisationUnknown { number: other.number.clone() })
    );
    let both = manifest.with(add_organisation(&mut documents, &other)).expect("added");
    assert_eq!(
        both.with(add_provider(&mut documents, moved())),
        Err(ChangeRefused::Taken { id: id(), owner: organisation().number })
    );
    // Removed first, everybody's identity is new, knowingly.
    let removed = both.with(Change::Remove { id: id() }).expect("removed");
    assert!(removed.with(add_provider(&mut documents, moved())).is_ok());
}

#[test]
fn a_record_that_is_needed_stays_and_an_entry_is_of_its_kind() {
    let mut documents = Documents::default();
    let manifest = whole(&mut documents);
    assert!(matches!(
        manifest.with(Change::Remove { id: EntryId::Organisation(organisation().number) }),
        Err(ChangeRefused::StillAnswering { .. })
    ));
    let absent = EntryId::OidcClient("nobody".into());
    assert_eq!(
        manifest.with(Change::Remove { id: absent.clone() }),
        Err(ChangeRefused::Absent { id: absent.clone() })
    );
    let Change::AddMetadata { entry, .. } =
        add_provider(&mut documents, provider_settings(SubjectSource::SubjectId))
    else {
        panic!("not metadata")
    };
    assert_eq!(
        manifest.with(Change::AddMetadata { id: absent.clone(), entry }),
        Err(ChangeRefused::WrongKind { id: absent })
    );
}

#[test]
fn unchanged_peers_are_taken_over_as_they_are() {
    let mut documents = Documents::default();
    let manifest = whole(&mut documents);
    let first = documents.build(1, &manifest, None).expect("built");
    let next = manifest.with(add_client(&mut documents, "annan")).expect("changed");
    // The provider's document is not even asked for again.
    let provider_document = manifest.entries[&EntryId::SamlProvider(PROVIDER.into())].document().to_owned();
    documents.0.remove(&provider_document);
    let second = documents.build(2, &next, Some(&first)).expect("built");
    let of =
        |registry: &Registry| registry.saml_provider(&ProviderId::from(PROVIDER)).cloned().expect("there");
    assert!(Arc::ptr_eq(&of(&first), &of(&second)));
    assert_eq!(second.oidc_clients().count(), 2);
    assert!(matches!(documents.build(2, &next, None), Err(BuildFailed::DocumentMissing { .. })));
}

#[test]
fn one_change_among_thousands_asks_for_one_document() {
    let mut documents = Documents::default();
    let mut manifest = whole(&mut documents);
    let Some(Entry::OidcClient { settings, .. }) =
        manifest.entries.get(&EntryId::OidcClient("tidbok".into())).cloned()
    else {
        panic!("no relying party")
    };
    for number in 0..3000 {
        let document = documents.put(good_client_named(number));
        let entry = Entry::OidcClient { document, settings: settings.clone() };
        manifest.entries.insert(EntryId::OidcClient(format!("party-{number}").as_str().into()), entry);
    }
    let first = documents.build(1, &manifest, None).expect("built");
    let next = manifest.with(add_client(&mut documents, "annan")).expect("changed");
    let asked = Cell::new(0);
    let find = |name: &str| {
        asked.set(asked.get() + 1);
        documents.0.get(name).map(Vec::as_slice)
    };
    let second = Registry::build(2, &next, &find, Some(&first), NOW).expect("built");
    assert_eq!(second.oidc_clients().count(), 3002);
    assert_eq!(asked.get(), 1);
}

/// Made without a new key each, to be quick.
fn good_client_named(number: usize) -> Vec<u8> {
    format!(
        r#"{{"client_name": "Tjänst {number}", "redirect_uris": ["https://t{number}.granvik.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": {JWKS}}}"#
    )
    .into_bytes()
}

/// The public key of RFC 7517 appendix A.1.
const JWKS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

#[test]
fn a_new_record_is_felt_by_every_peer_of_the_organisation() {
    let mut documents = Documents::default();
    let manifest = whole(&mut documents);
    let first = documents.build(1, &manifest, None).expect("built");
    let narrower = Organisation { entitled: std::collections::BTreeSet::new(), ..organisation() };
    let next = manifest.with(add_organisation(&mut documents, &narrower)).expect("changed");
    let second = documents.build(2, &next, Some(&first)).expect("built");
    let entitled = |registry: &Registry| {
        registry.relying_party(&RelyingPartyId::from("tidbok")).map(|party| party.entitled.len())
    };
    assert_eq!((entitled(&first), entitled(&second)), (Some(4), Some(0)));
    // A record without the domain withholds what lay within it, and says why.
    let elsewhere = Organisation { domains: ["annan.example".to_owned()].into(), ..organisation() };
    let next = manifest.with(add_organisation(&mut documents, &elsewhere)).expect("changed");
    let third = documents.build(3, &next, Some(&second)).expect("built");
    assert_eq!(third.withheld().len(), 2);
    assert!(third.withheld().iter().any(|withheld| withheld.report.has("saml.entity.id_outside_domains")));
    assert!(third.saml_provider(&ProviderId::from(PROVIDER)).is_none());
}

#[test]
fn an_altered_document_builds_nothing() {
    let mut documents = Documents::default();
    let manifest = whole(&mut documents);
    let name = manifest.entries[&EntryId::SamlProvider(PROVIDER.into())].document().to_owned();
    documents.0.insert(name, good_provider().into_bytes());
    assert!(matches!(documents.build(1, &manifest, None), Err(BuildFailed::DocumentAltered { .. })));
}

#[test]
fn an_expired_document_withholds_nobody_who_is_registered() {
    let mut documents = Documents::default();
    let manifest = whole(&mut documents);
    let later = Timestamp::from_rfc3339("2031-01-01T00:00:00Z").expect("a time");
    let registry =
        Registry::build(1, &manifest, &|name| documents.0.get(name).map(Vec::as_slice), None, later)
            .expect("built");
    let provider = registry.saml_provider(&ProviderId::from(PROVIDER)).expect("there");
    assert!(provider.valid_until.is_some_and(|until| until < later), "its role refuses it by name");
}

#[test]
fn a_logo_is_one_of_the_documents() {
    let mut documents = Documents::default();
    let logo = documents.put(b"a picture".to_vec());
    let Change::AddOrganisation { number, document, .. } = add_organisation(&mut documents, &organisation())
    else {
        panic!("a record")
    };
    let change = Change::AddOrganisation { number, document, logo: Some(logo.clone()) };
    let manifest = Manifest::default().with(change).expect("changed");
    assert!(manifest.documents().any(|name| name == logo));
    let octets = manifest.to_document().expect("written");
    assert_eq!(Manifest::from_document(&octets), Ok(manifest));
    let text = String::from_utf8(octets).expect("text").replace(&logo, "../../etc/passwd");
    assert!(Manifest::from_document(text.as_bytes()).is_err(), "its name is a digest");
}
