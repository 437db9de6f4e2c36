//! What the tests of this folder play in: one provider, three relying parties (one per method of authentication), keys made once.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
    time::SystemTime,
};

use broker_core::{
    assurance::{Assurance, AssuranceProfile, OutputMap},
    attribute::{AttributeName, Attributes},
    authority::Authority,
    identifier::{Language, ProviderId, Reference, RelyingPartyId},
    login::{Context, Login, Next, Release, Released},
    moment::{Entropy, Moment, Timestamp},
    organisation::{LocalText, Organisation, OrganisationNumber, SupportContact},
    policy::{Protocol, ProviderPolicy, RelyingPartyPolicy},
    release::Policy,
    request::AuthenticationRequest,
    result::AuthenticationResult,
    role::{
        Begun, Completion, Downstream as _, Fetched, Inbound, Outbound, Refusal, ReturnTo, Upstream,
        upstream::Remembered,
    },
    subject::{SubjectCandidate, SubjectSecret, SubjectSource},
    suspension::{KeyFingerprint, Suspensions},
};
use certs::{
    Jwk, JwkSet, PrivateKey, SignatureAlgorithm, Signer as _,
    jws::{self, Expectation, ExpectedType},
    keyring::Keyring,
    mac::{MacKey, Secret},
};
use form_urlencoded::Serializer;
use metadata::{
    peer::{ClientAuthentication, OidcClient, SamlProvider},
    registry::Registry,
    secret_hash::SecretHash,
};
use serde_json::{Map, Value};

use super::{OidcOp, OpSettings, grant::Grant, token_request::RedeemableRequest};
use crate::claims::ClaimNames;

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);
pub(crate) const ISSUER: &str = "https://sparvidd.example";
pub(crate) const TOKEN_ENDPOINT: &str = "https://sparvidd.example/oidc/token";
pub(crate) const PROVIDER: &str = "https://idp.granvik.example";
/// The key that verified the provider's answer.
pub(crate) const KEY: KeyFingerprint = KeyFingerprint::new([7; 32]);
pub(crate) const ADDRESS: &str = "https://tidbok.example/callback";
pub(crate) const SECRET: &str = "a secret: with % and +";
pub(crate) const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
pub(crate) const UNCERTIFIED3: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const ORG_ID_SCOPE: &str = "https://id.oidc.se/scope/naturalPersonOrgId";
pub(crate) const NUMBER_SCOPE: &str = "https://id.oidc.se/scope/naturalPersonNumber";

pub(crate) static RSA: LazyLock<Arc<PrivateKey>> = LazyLock::new(|| {
    Arc::new(PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("an RSA key"))
});
pub(crate) static EC: LazyLock<Arc<PrivateKey>> =
    LazyLock::new(|| Arc::new(PrivateKey::generate_p256().expect("an EC key")));
/// The key of the relying party that signs assertions.
pub(crate) static CLIENT_KEY: LazyLock<Arc<PrivateKey>> =
    LazyLock::new(|| Arc::new(PrivateKey::generate_p256().expect("an EC key")));

struct Zeros;
impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

pub(crate) fn at(now: Timestamp) -> Moment<'static> {
    Moment { now, entropy: &Zeros }
}

struct Pseudonyms;
impl SubjectSecret for Pseudonyms {
    fn pseudonym(&self, input: &[u8]) -> [u8; 32] {
        let mut folded = [7_u8; 32];
        for (at, byte) in input.iter().enumerate() {
            folded[at % 32] = folded[at % 32].wrapping_mul(31).wrapping_add(*byte);
        }
        folded
    }
}

/// A provider that is never really asked.
struct Nobody;
impl Upstream for Nobody {
    fn begin(
        &self,
        _: &AuthenticationRequest,
        _: &ProviderId,
        _: &str,
        _: Moment<'_>,
    ) -> Result<Begun, broker_core::failure::Failure> {
        Ok(Begun {
            outbound: Outbound::Redirect { url: PROVIDER.into() },
            remembered: Remembered(String::new()),
        })
    }

    fn handle(&self, _: &Inbound) -> Result<Option<String>, broker_core::failure::Failure> {
        Ok(None)
    }

    fn complete(
        &self,
        _: &Inbound,
        _: &ProviderId,
        _: &Remembered,
        _: Moment<'_>,
    ) -> Result<Completion, broker_core::failure::Failure> {
        unreachable!("the scene makes its results itself")
    }

    fn resume(
        &self,
        _: &Fetched,
        _: &ProviderId,
        _: &Remembered,
        _: Moment<'_>,
    ) -> Result<Completion, broker_core::failure::Failure> {
        unreachable!("the scene makes its results itself")
    }
}

pub(crate) struct Scene {
    pub(crate) settings: OpSettings,
    pub(crate) clients: Vec<OidcClient>,
    pub(crate) attributes: Attributes,
    registry: Registry,
    pub(crate) provider: ProviderPolicy,
    pub(crate) keyring: Keyring,
    client_secrets: MacKey,
}

impl Scene {
    pub(crate) fn genuine() -> Self {
        let client_secrets = Secret::from_octets([9; 32]).mac_key("client secrets");
        let hash = |client_id: &str| SecretHash::of(&client_secrets, client_id, SECRET);
        let key = JwkSet::new(vec![Jwk::of(CLIENT_KEY.as_ref())]);
        let clients = vec![
            client("tidbok", ClientAuthentication::ClientSecretBasic(hash("tidbok"))),
            client("journal", ClientAuthentication::ClientSecretPost(hash("journal"))),
            client("vardplan", ClientAuthentication::PrivateKeyJwt { keys: key, algorithm: None }),
        ];
        let mut keyring = Keyring::new();
        for signer in [&*RSA, &*EC] {
            keyring.publish(Arc::clone(signer), SystemTime::UNIX_EPOCH).expect("a new key");
            keyring.activate(signer.key_id(), SystemTime::UNIX_EPOCH).expect("published");
        }
        let mut attributes = Attributes::new();
        attributes.add(AttributeName::DisplayName, "Anna Alm");
        attributes.add(AttributeName::GivenName, "Anna");
        attributes.add(AttributeName::OrgAffiliation, "aa01@2021006883");
        attributes.add(AttributeName::PersonalIdentityNumber, "191212121212");
        attributes.add(AttributeName::Mail, "anna@granvik.example");
        let mut scene = Self {
            settings: OpSettings {
                issuer: ISSUER.into(),
                authorization_endpoint: format!("{ISSUER}/oidc/authorize"),
                token_endpoint: TOKEN_ENDPOINT.into(),
                userinfo_endpoint: format!("{ISSUER}/oidc/userinfo"),
                jwks_uri: format!("{ISSUER}/oidc/jwks"),
                service_documentation: None,
                acr_values: vec![Assurance::new(UNCERTIFIED3)],
                ui_locales: vec!["sv".into(), "en".into()],
                claim_names: ClaimNames::default(),
            },
            clients,
            attributes,
            registry: Registry::default(),
            provider: provider(),
            keyring,
            client_secrets,
        };
        scene.register();
        scene
    }

    /// Changes one relying party's registration.
    pub(crate) fn with(mut self, at: usize, change: impl FnOnce(&mut OidcClient)) -> Self {
        change(&mut self.clients[at]);
        self.register();
        self
    }

    /// With something suspended.
    pub(crate) fn under(mut self, suspensions: Suspensions) -> Self {
        self.registry = std::mem::take(&mut self.registry).with_suspensions(suspensions);
        self
    }

    /// Each way in which something can be suspended that the scene's login stands on, with a word for it.
    pub(crate) fn ways() -> [(&'static str, Suspensions); 4] {
        let number = || OrganisationNumber::parse("2021006883").expect("a number");
        let none = Suspensions::default;
        [
            ("relying party", Suspensions { relying_parties: ["tidbok".into()].into(), ..none() }),
            ("provider", Suspensions { providers: [PROVIDER.into()].into(), ..none() }),
            ("organisation", Suspensions { organisations: [number()].into(), ..none() }),
            ("key", Suspensions { keys: [KEY].into(), ..none() }),
        ]
    }

    fn register(&mut self) {
        self.registry = Registry::from_peers(
            [Arc::clone(&self.provider.organisation)],
            [Arc::new(SamlProvider {
                policy: Arc::new(self.provider.clone()),
                signing_keys: Vec::new(),
                suspended_keys: Vec::new(),
                single_sign_on: Vec::new(),
                want_authn_requests_signed: false,
                name_id_formats: Vec::new(),
                signing_methods: Vec::new(),
                shows_user_messages: false,
                valid_until: None,
                contacts: Vec::new(),
                error_url: None,
                names_requesters: false,
                service_provider: None,
            })],
            self.clients.iter().cloned().map(Arc::new),
        );
    }

    pub(crate) fn op(&self) -> OidcOp<'_> {
        OidcOp {
            settings: &self.settings,
            registry: &self.registry,
            keyring: &self.keyring,
            client_secrets: &self.client_secrets,
        }
    }

    pub(crate) fn receive(&self, asked: &Asked) -> Result<(AuthenticationRequest, ReturnTo), Box<Refusal>> {
        self.op().receive(&asked.by_get(), at(NOW))
    }

    /// What the relying party is told of a refused request: the error's code.
    pub(crate) fn error(&self, asked: &Asked) -> String {
        let refusal = self.receive(asked).expect_err("a refusal");
        let return_to = refusal.return_to.as_ref().expect("addressable");
        let outcome = broker_core::role::Outcome::Failed(&refusal.failure);
        match self.op().answer(return_to, outcome, None, at(NOW)).expect("an answer") {
            Outbound::Redirect { url } => {
                let query = url.split_once('?').expect("a query").1.to_owned();
                let pairs: Vec<(String, String)> =
                    form_urlencoded::parse(query.as_bytes()).into_owned().collect();
                assert!(pairs.contains(&("iss".into(), ISSUER.into())), "RFC 9207: errors too");
                let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
                let described = pairs.iter().find(|(name, _)| name == "error_description");
                assert!(described.is_some_and(|(_, text)| text.bytes().all(allowed)), "RFC 6749 4.1.2.1");
                pairs.into_iter().find(|(name, _)| name == "error").expect("an error").1
            }
            Outbound::Post { fields, .. } => {
                fields.into_iter().find(|(name, _)| name == "error").expect("an error").1
            }
        }
    }

    /// A whole login, from this request to a release.
    pub(crate) fn login(&self, asked: &Asked) -> Login<Released> {
        self.tried(asked).expect("released")
    }

    /// The same, which the release may end.
    pub(crate) fn tried(&self, asked: &Asked) -> Result<Login<Released>, broker_core::failure::Failure> {
        let (request, return_to) = self.receive(asked).expect("a good request");
        let relying_party = self
            .clients
            .iter()
            .find(|client| client.client_id == request.relying_party)
            .expect("registered")
            .policy
            .clone();
        let login = Login::begin(Context {
            reference: Reference::from_random([0; 10]),
            request,
            return_to,
            started: NOW,
            language: Language::from_tag("sv").expect("a tag"),
        });
        let routed = match login.route(&self.registry, &OutputMap::new(false)).expect("a route") {
            Next::Routed(routed) => routed,
            Next::Choice(choice) => {
                choice.chosen(&ProviderId::from(PROVIDER), None, &self.registry).expect("offered")
            }
        };
        let (awaiting, _) = routed.send(&Nobody, "handle", at(NOW)).map_err(|_| ()).expect("sent");
        let result = AuthenticationResult {
            provider: ProviderId::from(PROVIDER),
            key: Some(KEY),
            subjects: vec![SubjectCandidate {
                source: SubjectSource::SubjectId,
                value: "aa01@granvik.example".into(),
            }],
            attributes: self.attributes.clone(),
            assurance: Some(Assurance::new(LOA3)),
            authenticated_at: NOW.plus(-30),
            session_ends: None,
            authorities: vec!["https://behind.example".into()],
            passing_on: broker_core::result::PassingOn::default(),
        };
        let policy = Policy {
            provider: &self.provider,
            relying_party: &relying_party,
            output_map: &OutputMap::new(false),
            subject_secret: &Pseudonyms,
            suspensions: self.registry.suspensions(),
            connections: self.registry.connections(),
        };
        let authenticated = awaiting.authenticated(proven(result)).map_err(|_| ()).expect("fresh");
        match authenticated.release(policy, &self.op(), false).map_err(|refused| refused.failure)? {
            Release::Released(login) => Ok(login),
            Release::Notice(_) | Release::Elsewhere(_) => unreachable!("nothing is to be shown"),
        }
    }

    pub(crate) fn grant(&self, asked: &Asked) -> Grant {
        Grant::of(&self.login(asked), NOW).expect("a grant")
    }

    /// The first relying party, proven, with a good code.
    pub(crate) fn redeemable(&self) -> RedeemableRequest {
        self.op()
            .token_request(&token_message(), at(NOW))
            .expect("authenticated")
            .marked(true)
            .expect("first use")
    }
}

/// A token request of the first relying party that is right in everything.
pub(crate) fn token_message() -> Inbound {
    Inbound {
        form: Some(token_form(&[])),
        authorization: Some(basic("tidbok", SECRET)),
        ..Inbound::default()
    }
}

pub(crate) fn token_form(more: &[(&str, &str)]) -> Vec<u8> {
    Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", "the-code")
        .append_pair("redirect_uri", ADDRESS)
        .append_pair("code_verifier", VERIFIER)
        .extend_pairs(more)
        .finish()
        .into_bytes()
}

pub(crate) fn basic(client_id: &str, secret: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}

/// Only verifiers make a `Verified`, so the scene lets one verify a signature of its own.
fn proven(result: AuthenticationResult) -> certs_proof::Verified<AuthenticationResult> {
    let token = jws::sign_compact(EC.as_ref(), None, b"{}").expect("signed");
    let keys = JwkSet::new(vec![Jwk::of(EC.as_ref())]);
    let expectation =
        Expectation { algorithms: &[SignatureAlgorithm::EcdsaSha256], token_type: ExpectedType::Any };
    jws::verify_compact(&token, &keys, expectation).expect("our own signature").map(|_| result)
}

/// Verifies a JWT of ours against the published keys, and gives its claims.
pub(crate) fn opened(op: OidcOp<'_>, token: &str, algorithm: SignatureAlgorithm) -> Map<String, Value> {
    let keys = JwkSet::from_json(op.jwks_document().as_bytes()).expect("our own keys");
    let expectation = Expectation { algorithms: &[algorithm], token_type: ExpectedType::Is("JWT") };
    let verified = jws::verify_compact(token, &keys, expectation).expect("our own signature");
    verified.value().object().expect("an object")
}

/// A request that can be changed one parameter at a time.
#[derive(Clone)]
pub(crate) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(crate) fn genuine() -> Self {
        Self(
            [
                ("client_id", "tidbok"),
                ("redirect_uri", ADDRESS),
                ("response_type", "code"),
                ("scope", "openid"),
                ("state", "a state&=%+"),
                ("nonce", "n-0S6"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        )
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.0.push((name.into(), value.into()));
        self
    }

    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(present, _)| present != name);
        self
    }

    pub(crate) fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub(crate) fn by_get(&self) -> Inbound {
        Inbound { query: Some(self.encoded()), ..Inbound::default() }
    }

    pub(crate) fn by_post(&self) -> Inbound {
        Inbound { form: Some(self.encoded().into_bytes()), ..Inbound::default() }
    }
}

fn provider() -> ProviderPolicy {
    let organisation = Arc::new(Organisation {
        number: OrganisationNumber::parse("2021006883").expect("a valid number"),
        name: LocalText(
            Language::from_tag("sv").into_iter().map(|sv| (sv, "Granviks kommun".into())).collect(),
        ),
        domains: BTreeSet::from(["granvik.example".to_owned()]),
        scopes: BTreeSet::from(["granvik.example".to_owned()]),
        hsa_prefixes: BTreeSet::from(["SE2021006883-".to_owned()]),
        ceiling: vec![Assurance::new(LOA3)],
        entitled: BTreeSet::new(),
        may_assert: BTreeSet::from([AttributeName::PersonalIdentityNumber]),
        support: SupportContact::default(),
        aliases: BTreeSet::new(),
        logo: None,
        relying_parties: None,
    });
    ProviderPolicy {
        id: ProviderId::from(PROVIDER),
        protocol: Protocol::Saml,
        organisations: Vec::new(),
        authority: Authority::of(&organisation),
        organisation,
        display_name: LocalText::default(),
        keywords: Vec::new(),
        subject_source: SubjectSource::SubjectId,
        assurance: vec![Assurance::new(LOA3)],
        hidden: false,
        behind: BTreeSet::new(),
    }
}

fn client(client_id: &str, authentication: ClientAuthentication) -> OidcClient {
    OidcClient {
        policy: Arc::new(RelyingPartyPolicy {
            id: RelyingPartyId::from(client_id),
            protocol: Protocol::Oidc,
            organisation: provider().organisation,
            display_name: LocalText::default(),
            entitled: BTreeSet::from([
                AttributeName::DisplayName,
                AttributeName::GivenName,
                AttributeName::OrgAffiliation,
                AttributeName::OrganisationName,
                AttributeName::OrganisationNumber,
                AttributeName::PersonalIdentityNumber,
            ]),
            sector: format!("2021006883|{client_id}.example"),
            providers: None,
            start_url: None,
            privacy_url: None,
            assurance_profile: AssuranceProfile::Plain,
            fail_on_missing_attribute: false,
        }),
        client_id: RelyingPartyId::from(client_id),
        redirect_uris: vec![ADDRESS.into(), format!("https://{client_id}.example/other?tenant=1")],
        authentication,
        id_token_algorithm: SignatureAlgorithm::RsaSha256,
        userinfo_algorithm: None,
        scopes: ["openid", "profile", "email", ORG_ID_SCOPE, NUMBER_SCOPE].map(str::to_owned).into(),
        accepts_token_endpoint_audience: false,
        pkce_required: true,
        default_max_age: None,
        default_acr_values: Vec::new(),
        purpose: LocalText::default(),
        contacts: Vec::new(),
    }
}
