use broker_core::{
    failure::FailureCode,
    identifier::{ProviderId, RelyingPartyId},
    policy::ProviderPolicy,
    request::{Freshness, RequestedAssurance},
    role::{Inbound, Upstream},
    user_message::{LONGEST, MessageText, UserMessage},
};
use certs::AlgorithmPolicy;

use super::*;
use crate::{
    idp::{AuthnRequest, ReceivedAuthnRequest},
    sp::{
        SamlSp, SpEntities,
        tests::{ACS, HANDLE, IDP, KEY, LOA3, NOW, NoEntropy, OTHER_KEY, SP, endpoint, provider, registry},
    },
};

const POST_URL: &str = "https://idp.granvik.example/sso/post";
const REDIRECT_URL: &str = "https://idp.granvik.example/sso/redirect";

fn request() -> AuthenticationRequest {
    AuthenticationRequest {
        relying_party: RelyingPartyId::from("rp1"),
        providers: vec![],
        assurance: RequestedAssurance::default(),
        freshness: Freshness::default(),
        passive: false,
        attributes: vec![],
        languages: vec![],
        requesters: vec!["behind".into()],
        hops_left: None,
        login_hint: None,
        expected_subject: None,
        message: None,
    }
}

struct Case {
    request: AuthenticationRequest,
    provider: SamlProvider,
    settings: SpSettings,
}

impl Case {
    fn new() -> Self {
        Self { request: request(), provider: provider(), settings: SpSettings::new(SP, ACS) }
    }

    fn begin(&self) -> Result<Begun, FailureCode> {
        let registry = registry(self.provider.clone());
        let entities = SpEntities::only(self.settings.clone());
        let role = SamlSp { entities: &entities, registry: &registry, signer: &*KEY, decryption: &[] };
        let moment = Moment { now: NOW, entropy: &NoEntropy };
        role.begin(&self.request, &ProviderId::from(IDP), HANDLE, moment).map_err(|failure| failure.code)
    }

    /// What the provider reads, verified with our key.
    fn read(&self) -> AuthnRequest {
        let received = received(&self.begin().expect("a request").outbound);
        assert!(received.is_signed());
        assert_eq!(received.relay_state(), Some(HANDLE));
        let policy = AlgorithmPolicy::default();
        assert!(received.verified(&[OTHER_KEY.public_key().clone()], &policy).is_err());
        received.verified(&[KEY.public_key().clone()], &policy).expect("verified").into_value()
    }
}

fn received(outbound: &Outbound) -> ReceivedAuthnRequest {
    let message = match outbound {
        Outbound::Redirect { url } => {
            Inbound { query: url.split_once('?').map(|(_, query)| query.to_owned()), ..Inbound::default() }
        }
        Outbound::Post { fields, .. } => {
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            Inbound { form: Some(form.into_bytes()), ..Inbound::default() }
        }
    };
    ReceivedAuthnRequest::read(&message).expect("readable")
}

#[test]
fn a_request_says_who_asks_what_and_where_to_answer() {
    let read = Case::new().read();
    assert_eq!(read.id, format!("_{HANDLE}"));
    assert_eq!(handle_of(&read.id), Some(HANDLE));
    assert_eq!(read.issuer, SP);
    assert_eq!(read.destination.as_deref(), Some(REDIRECT_URL));
    assert_eq!(read.acs_url.as_deref(), Some(ACS));
    assert_eq!(read.protocol_binding.as_deref(), Some("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"));
    assert_eq!(read.issued_at, NOW);
    assert_eq!((read.force_authn, read.is_passive), (false, false));
    assert!(read.authn_contexts.is_empty() && read.requesters.is_empty() && read.providers.is_empty());
}

#[test]
fn both_bindings_say_the_same_but_for_the_destination() {
    let mut case = Case::new();
    let over_redirect = case.read();
    case.provider.single_sign_on = vec![endpoint(SamlBinding::Post, POST_URL)];
    let over_post = case.read();
    assert_eq!(over_post.destination.as_deref(), Some(POST_URL));
    assert_eq!(AuthnRequest { destination: over_redirect.destination.clone(), ..over_post }, over_redirect);
}

#[test]
fn words_that_make_the_address_too_long_are_left_out_of_it() {
    let mut case = Case::new();
    case.provider.single_sign_on = vec![endpoint(SamlBinding::Redirect, REDIRECT_URL)];
    case.provider.shows_user_messages = true;
    let url = |case: &Case| match case.begin().expect("a request").outbound {
        Outbound::Redirect { url } => url,
        Outbound::Post { .. } => panic!("the provider takes no POST"),
    };
    let wordless = url(&case).len();
    let says = |case: &mut Case, words: String| {
        let text = MessageText::new(&words).expect("a text");
        case.request.message = Some(UserMessage::new(Some(text), [].into()).expect("a message"));
    };
    says(&mut case, "Hej".to_owned());
    assert!(url(&case).len() > wordless, "a short one travels");
    // Nothing in it repeats, so that it does not deflate.
    let long: String = (0..LONGEST as u32).filter_map(|at| char::from_u32(0x4e00 + at * 37)).collect();
    says(&mut case, long);
    assert!(url(&case).len() <= LONGEST_URL, "{}", url(&case).len());
    case.provider.single_sign_on.push(endpoint(SamlBinding::Post, POST_URL));
    assert!(matches!(case.begin().expect("a request").outbound, Outbound::Post { .. }), "the twin: by POST");
}

#[test]
fn force_authn_and_is_passive_are_written_out() {
    let xml = |case: &Case| {
        element(&case.request, &case.provider, POST_URL, &crate::sp::tests::sent(), &case.settings)
    };
    let mut case = Case::new();
    assert_eq!(xml(&case).attribute("ForceAuthn"), Some("false"));
    assert_eq!(xml(&case).attribute("IsPassive"), Some("false"));
    case.request.freshness.force = true;
    case.request.passive = true;
    assert_eq!(xml(&case).attribute("ForceAuthn"), Some("true"));
    assert_eq!(xml(&case).attribute("IsPassive"), Some("true"));
    case.request.freshness = Freshness { force: false, max_age: Some(60) };
    assert_eq!(
        xml(&case).attribute("ForceAuthn"),
        Some("false"),
        "in silence an old session may be young enough"
    );
    case.request.passive = false;
    assert_eq!(xml(&case).attribute("ForceAuthn"), Some("true"), "a max_age asks for a new authentication");
}

#[test]
fn a_persistent_name_is_asked_for_only_where_people_are_known_by_it() {
    let mut case = Case::new();
    assert_eq!(case.read().name_id_format, None);
    let policy =
        ProviderPolicy { subject_source: SubjectSource::PersistentNameId, ..(*case.provider.policy).clone() };
    case.provider.policy = policy.into();
    assert_eq!(case.read().name_id_format.as_deref(), Some(PERSISTENT));
}

#[test]
fn levels_are_asked_for_exactly_and_remembered() {
    let mut case = Case::new();
    let uncertified = Assurance::new("http://id.swedenconnect.se/loa/1.0/uncertified-loa3");
    case.request.assurance = RequestedAssurance { levels: vec![uncertified], essential: true, some: false };
    case.request.freshness = Freshness { force: false, max_age: Some(60) };
    let read = case.read();
    assert_eq!(read.authn_contexts, [LOA3]);
    assert_eq!(read.comparison.as_deref(), Some("exact"));
    let sent = SentRequest::recall(&case.begin().expect("a request").remembered).expect("recalled");
    let expected = SentRequest {
        id: format!("_{HANDLE}"),
        asked: vec![Assurance::new(LOA3)],
        wished: false,
        at: NOW,
        freshness: Freshness { force: false, max_age: Some(60) },
        entity_id: SP.into(),
    };
    assert_eq!(sent, expected);
}

#[test]
fn a_wish_is_remembered_as_one() {
    let mut case = Case::new();
    let uncertified = Assurance::new("http://id.swedenconnect.se/loa/1.0/uncertified-loa3");
    case.request.assurance = RequestedAssurance { levels: vec![uncertified], essential: false, some: false };
    let sent = SentRequest::recall(&case.begin().expect("a request").remembered).expect("recalled");
    assert!(sent.wished && sent.asked.contains(&Assurance::new(LOA3)));
}

#[test]
fn one_hop_is_counted() {
    let mut case = Case::new();
    assert_eq!(case.read().proxy_count, None);
    case.request.hops_left = Some(3);
    assert_eq!(case.read().proxy_count, Some(2));
}

#[test]
fn the_relying_party_is_named_only_where_the_provider_is_to_know() {
    let mut case = Case::new();
    assert!(case.read().requesters.is_empty());
    case.provider.names_requesters = true;
    assert_eq!(case.read().requesters, ["rp1", "behind"]);
}

#[test]
fn providers_behind_a_proxy_are_named_to_it_and_no_others() {
    let mut case = Case::new();
    case.request.providers = vec![ProviderId::from(IDP), "inner".into(), "other".into()];
    assert!(case.read().providers.is_empty());
    let behind = [ProviderId::from("other"), "inner".into(), "third".into()].into();
    case.provider.policy = ProviderPolicy { behind, ..(*case.provider.policy).clone() }.into();
    assert_eq!(case.read().providers, ["inner", "other"]);
    assert_eq!(case.read().proxy_count, None);
}

#[test]
fn a_long_request_goes_by_post_where_that_is_offered() {
    let mut case = Case::new();
    assert!(matches!(case.begin(), Ok(Begun { outbound: Outbound::Redirect { .. }, .. })));
    case.provider.names_requesters = true;
    // Text that does not deflate well.
    case.request.requesters =
        (0..200_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    assert!(matches!(case.begin(), Ok(Begun { outbound: Outbound::Post { .. }, .. })));
    case.provider.single_sign_on.retain(|endpoint| endpoint.binding == SamlBinding::Redirect);
    assert!(matches!(case.begin(), Ok(Begun { outbound: Outbound::Redirect { .. }, .. })));
}

#[test]
fn a_query_of_the_endpoint_is_kept() {
    let mut case = Case::new();
    case.provider.single_sign_on = vec![endpoint(SamlBinding::Redirect, "https://idp.example/sso?tenant=1")];
    let Ok(Begun { outbound: Outbound::Redirect { url }, .. }) = case.begin() else { panic!("a redirect") };
    assert!(url.starts_with("https://idp.example/sso?tenant=1&SAMLRequest="));
    assert_eq!(case.read().destination.as_deref(), Some("https://idp.example/sso?tenant=1"));
}

#[test]
fn a_provider_without_a_usable_endpoint_cannot_be_asked() {
    let mut case = Case::new();
    case.provider.single_sign_on = vec![endpoint(SamlBinding::Soap, POST_URL)];
    assert_eq!(case.begin().err(), Some(FailureCode::ProviderUnusable));
}

#[test]
fn expired_metadata_is_not_used() {
    let mut case = Case::new();
    case.provider.valid_until = Some(NOW.plus(1));
    assert!(case.begin().is_ok());
    case.provider.valid_until = Some(NOW);
    assert_eq!(case.begin().err(), Some(FailureCode::MetadataExpired));
}

#[test]
fn a_handle_fits_where_it_must() {
    for good in ["a", "Zm9v-_9", &"x".repeat(80)] {
        assert!(is_handle(good));
    }
    for bad in ["", "a b", "å", "a\"", &"x".repeat(81)] {
        assert!(!is_handle(bad), "{bad}");
    }
    assert_eq!(handle_of("_abc"), Some("abc"));
    assert_eq!(handle_of("abc"), None);
    assert_eq!(handle_of("_"), None);
}
