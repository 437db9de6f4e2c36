//! What one login costs on the side of the SAML service provider: the request out, the handle looked up, the answer checked.
//!
//! `cargo bench -p broker-saml`. The budget stands in `docs/performance.md`; the raw key operations are in `certs/benches`.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
    sync::Arc,
};

use broker_core::{
    assurance::Assurance,
    attribute::{AttributeName, Attributes},
    authority::Authority,
    identifier::{ProviderId, RelyingPartyId},
    moment::{Entropy, Moment, Timestamp},
    organisation::{LocalText, Organisation, OrganisationNumber, SupportContact},
    policy::{Protocol, ProviderPolicy},
    request::{AuthenticationRequest, Freshness, RequestedAssurance},
    role::{Inbound, Outbound, Upstream},
    subject::SubjectSource,
};
use broker_saml::{
    attributes::to_saml,
    binding::post,
    idp::{AssertionToIssue, NameIdToIssue, Signed},
    name_id::PERSISTENT,
    sp::{SamlSp, SentRequest, SpEntities, SpSettings},
};
use certs::{PrivateKey, SignatureAlgorithm, Signer, query_signature::MessageParameter};
use criterion::{Criterion, criterion_group, criterion_main};
use metadata::{Registry, SamlBinding, SamlEndpoint, SamlProvider};

const NOW: Timestamp = Timestamp(1_795_000_000);
const IDP: &str = "https://idp.granvik.example/saml2/idp/metadata";
const SP: &str = "https://broker.example/saml/metadata";
const ACS: &str = "https://broker.example/saml/acs";
const HANDLE: &str = "Zm9vYmFyYmF6cXV4MDEyMw";
const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";

struct NoEntropy;
impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn registry(signer: &PrivateKey) -> Registry {
    let organisation = Arc::new(Organisation {
        number: OrganisationNumber::parse("2021006883").expect("a number"),
        name: LocalText(BTreeMap::new()),
        domains: ["granvik.example".to_owned()].into(),
        scopes: ["granvik.example".to_owned()].into(),
        hsa_prefixes: ["SE2021006883-".to_owned()].into(),
        ceiling: vec![Assurance::new(LOA3)],
        entitled: [].into(),
        may_assert: [].into(),
        support: SupportContact::default(),
        aliases: BTreeSet::new(),
        logo: None,
        relying_parties: None,
    });
    let policy = ProviderPolicy {
        id: ProviderId::from(IDP),
        protocol: Protocol::Saml,
        organisations: Vec::new(),
        authority: Authority::of(&organisation),
        organisation: organisation.clone(),
        display_name: LocalText::default(),
        keywords: vec![],
        subject_source: SubjectSource::SubjectId,
        assurance: vec![Assurance::new(LOA3)],
        hidden: false,
        behind: [].into(),
    };
    let provider = SamlProvider {
        policy: policy.into(),
        signing_keys: vec![signer.public_key().clone()],
        suspended_keys: Vec::new(),
        single_sign_on: vec![SamlEndpoint {
            binding: SamlBinding::Redirect,
            location: "https://idp.granvik.example/sso".into(),
            index: None,
            is_default: None,
            response_location: None,
        }],
        want_authn_requests_signed: true,
        name_id_formats: vec![],
        signing_methods: vec![],
        shows_user_messages: false,
        valid_until: None,
        contacts: vec![],
        error_url: None,
        names_requesters: false,
        service_provider: None,
    };
    Registry::from_peers([organisation], [Arc::new(provider)], [])
}

fn answer(signer: &PrivateKey, signed: Signed) -> Inbound {
    let mut attributes = Attributes::new();
    for (name, value) in [
        (AttributeName::DisplayName, "Anna Ålm"),
        (AttributeName::GivenName, "Anna"),
        (AttributeName::Surname, "Ålm"),
        (AttributeName::Mail, "anna.alm@granvik.example"),
        (AttributeName::OrgAffiliation, "aa01@2021006883"),
        (AttributeName::OrganisationName, "Granviks kommun"),
        (AttributeName::SubjectId, "aa01@granvik.example"),
    ] {
        attributes.add(name, value);
    }
    let xml = AssertionToIssue {
        issuer: IDP.into(),
        response_id: "_5b1d2b2f6a7c4a18b3f4d9a0c1e2f3a4".into(),
        assertion_id: "_8c2e3c307b8d5b29c405eab1d2f304b5".into(),
        issued_at: NOW,
        lifetime_seconds: 300,
        acs_url: ACS.into(),
        in_response_to: format!("_{HANDLE}"),
        audience: SP.into(),
        name_id: NameIdToIssue { format: PERSISTENT.into(), value: "p1".into(), sp_name_qualifier: None },
        authenticated_at: NOW,
        authn_context: LOA3.into(),
        authorities: vec![],
        session_index: Some("s1".into()),
        session_ends: None,
        attributes: to_saml(&attributes),
        signed,
    }
    .issue(signer)
    .expect("signed");
    let Outbound::Post { fields, .. } = post::encode(ACS, MessageParameter::Response, &xml, Some(HANDLE))
    else {
        unreachable!("a form")
    };
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Inbound { path: "/saml/acs".into(), form: Some(form.into_bytes()), ..Inbound::default() }
}

fn login(criterion: &mut Criterion) {
    let entities = SpEntities::only(SpSettings::new(SP, ACS));
    let rsa = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key");
    let certificate =
        rsa.self_signed_certificate("idp.granvik.example", std::time::UNIX_EPOCH, 36_500).expect("made");
    let rsa = rsa.with_certificate(certificate).expect("its certificate");
    let p256 = PrivateKey::generate_p256().expect("a key");
    let provider = ProviderId::from(IDP);
    let moment = Moment { now: NOW, entropy: &NoEntropy };
    for (name, key) in [("rsa2048", &rsa), ("p256", &p256)] {
        let registry = registry(key);
        let role = SamlSp { entities: &entities, registry: &registry, signer: key, decryption: &[] };
        let request = AuthenticationRequest {
            relying_party: RelyingPartyId::from("rp1"),
            providers: vec![],
            assurance: RequestedAssurance::default(),
            freshness: Freshness::default(),
            passive: false,
            attributes: vec![],
            languages: vec![],
            requesters: vec![],
            hops_left: None,
            login_hint: None,
            expected_subject: None,
            message: None,
        };
        criterion.bench_function(&format!("begin/{name}"), |bencher| {
            bencher.iter(|| role.begin(black_box(&request), &provider, HANDLE, moment).expect("begun"));
        });
        let sent = SentRequest {
            id: format!("_{HANDLE}"),
            asked: vec![],
            wished: false,
            at: NOW,
            freshness: Freshness::default(),
            entity_id: SP.into(),
        };
        let remembered = sent.remember().expect("remembered");
        for signed in [Signed::Response, Signed::Both] {
            let message = answer(key, signed);
            criterion.bench_function(&format!("handle/{name}/{signed:?}"), |bencher| {
                bencher.iter(|| role.handle(black_box(&message)).expect("a handle"));
            });
            criterion.bench_function(&format!("complete/{name}/{signed:?}"), |bencher| {
                bencher.iter(|| {
                    role.complete(black_box(&message), &provider, &remembered, moment).expect("accepted")
                });
            });
        }
    }
}

criterion_group!(benches, login);
criterion_main!(benches);
