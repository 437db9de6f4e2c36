//! Who is there: one organisation, its identity provider, a relying party for each way to prove itself, and the broker between them.
//!
//! The registry is built from documents, as the product builds it. Keys are made from fixed scalars, so that what was signed for the
//! corpus verifies in every run; they guard nothing.

use std::{
    collections::HashMap,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{
    assurance::Assurance,
    moment::{Entropy, Moment, Timestamp},
    role::{Downstream as _, Inbound, Upstream as _, upstream::Remembered},
};
use broker_oidc::{
    claims::ClaimNames,
    op::{OidcOp, OpSettings},
};
use broker_saml::sp::{SamlSp, SpEntities, SpSettings};
use certs::{
    DecryptionKey, Jwk, JwkSet, PrivateKey, PublicKey, SignatureAlgorithm, Signer as _,
    keyring::Keyring,
    mac::{MacKey, Secret},
};
use metadata::{
    Registry,
    addition::{Choices, Prepared, Secrets, prepare},
    organisation,
    revision::{Change, Manifest, document_name},
};
use serde_json::json;

/// The time, as everybody here has it.
pub const NOW: Timestamp = Timestamp(1_795_305_600);
/// The identity provider.
pub const IDP: &str = "https://idp.granvik.example/saml";
/// The broker, as the identity provider knows it.
pub const SP: &str = "https://broker.example/saml/metadata";
/// Where the identity provider answers.
pub const ACS: &str = "https://broker.example/saml/acs";
/// The handle of the login that an answer is awaited for.
pub const HANDLE: &str = "Zm9vYmFyYmF6cXV4MDEyMw";
/// The level that the identity provider is certified for.
pub const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
/// The broker, as relying parties know it.
pub const ISSUER: &str = "https://broker.example";
/// Where relying parties redeem codes.
pub const TOKEN_ENDPOINT: &str = "https://broker.example/oidc/token";
/// The relying party that proves itself with a key.
pub const KEYED: &str = "https://tidbok.granvik.example";
/// The relying party that proves itself with a secret.
pub const SECRETIVE: &str = "https://journal.granvik.example";
/// Its secret.
pub const SECRET: &str = "secret-0123456789-abcdefghijklmnopqrstuv";

const ORGANISATION: &str = r#"
number = "2120001355"
name.sv = "Granviks kommun"
domains = ["granvik.example"]
scopes = ["granvik.example"]
ceiling = ["http://id.elegnamnden.se/loa/1.0/loa3"]
entitled = ["display_name", "given_name", "org_affiliation", "organisation_name", "organisation_number"]
support.email = "hjalp@granvik.example"
"#;

/// The identity provider's document, with its certificate.
#[must_use]
pub fn provider_document() -> String {
    include_str!("scene/idp.xml").replace("CERTIFICATE", &certificate())
}

/// The document of a relying party.
#[must_use]
pub fn client_document(client_id: &str) -> String {
    let mut document = json!({
        "client_id": client_id,
        "client_name#sv": "Tidboken",
        "client_name#en": "The time book",
        "redirect_uris": [format!("{client_id}/callback"), format!("{client_id}/other?tenant=1")],
        "scope": "openid https://id.oidc.se/scope/naturalPersonOrgId",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "contacts": ["drift@granvik.example"],
        "organization_identifier": "2120001355",
        "policy_uri": "https://granvik.example/personuppgifter",
        "client_uri": format!("{client_id}/"),
        "default_max_age": 3600,
        "default_acr_values": [LOA3],
    });
    if client_id == KEYED {
        document["token_endpoint_auth_method"] = json!("private_key_jwt");
        document["token_endpoint_auth_signing_alg"] = json!("ES256");
        document["jwks"] = json!(JwkSet::new(vec![Jwk::of(&key(2))]).to_json());
    } else {
        document["token_endpoint_auth_method"] = json!("client_secret_basic");
        document["client_secret"] = json!(SECRET);
    }
    document.to_string()
}

/// A P-256 key from a fixed scalar: RFC 5208 around RFC 5915, written by hand since nobody should make such keys easily.
fn key(scalar: u8) -> PrivateKey {
    let mut der = vec![
        0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
        0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04,
        0x20,
    ];
    der.extend_from_slice(&[scalar; 32]);
    PrivateKey::from_pkcs8_der(&der, SignatureAlgorithm::EcdsaSha256).expect("a scalar below the order")
}

fn decryption_key() -> DecryptionKey {
    let key = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key");
    DecryptionKey::from_private_key(&key).expect("RSA")
}

/// The identity provider's key, once more: keys cannot be copied.
#[must_use]
pub fn provider_key() -> PrivateKey {
    key(1)
}

fn certificate() -> String {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000);
    STANDARD.encode(key(1).self_signed_certificate("idp", start, 3_650).expect("a name and dates that fit"))
}

/// Entropy that repeats itself, so that every run is the same.
struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// [`NOW`], with entropy that repeats itself.
#[must_use]
pub fn moment() -> Moment<'static> {
    Moment { now: NOW, entropy: &Sevens }
}

/// Everybody, and what they share.
#[derive(Debug)]
pub struct Scene {
    /// The identity provider's key.
    pub provider_key: PrivateKey,
    /// The key of the relying party [`KEYED`].
    pub client_key: PrivateKey,
    /// The peers.
    pub registry: Registry,
    /// What stands in the registry's manifest, by name.
    pub documents: HashMap<String, Vec<u8>>,
    /// What the broker remembers of the request that an answer is awaited for.
    pub remembered: Remembered,
    sp: SpEntities,
    decryption: [DecryptionKey; 1],
    own_key: PrivateKey,
    op: OpSettings,
    keyring: Keyring,
    client_secrets: MacKey,
}

/// The one scene: making it takes a while.
pub static SCENE: LazyLock<Scene> = LazyLock::new(Scene::new);

impl Scene {
    fn new() -> Self {
        let own_key = key(3);
        let mut scene = Self {
            provider_key: key(1),
            client_key: key(2),
            registry: Registry::default(),
            documents: HashMap::new(),
            remembered: Remembered(String::new()),
            sp: SpEntities::only(SpSettings::new(SP, ACS)),
            own_key,
            op: OpSettings {
                issuer: ISSUER.into(),
                authorization_endpoint: format!("{ISSUER}/oidc/authorize"),
                token_endpoint: TOKEN_ENDPOINT.into(),
                userinfo_endpoint: format!("{ISSUER}/oidc/userinfo"),
                jwks_uri: format!("{ISSUER}/oidc/jwks"),
                service_documentation: None,
                acr_values: vec![Assurance::new(LOA3)],
                ui_locales: vec!["sv".into(), "en".into()],
                claim_names: ClaimNames::default(),
            },
            decryption: [decryption_key()],
            keyring: keyring(),
            client_secrets: Secret::from_octets([9; 32]).mac_key("client secrets"),
        };
        let (organisation, _) = organisation::read(ORGANISATION);
        let octets =
            organisation::document(&organisation.expect("a whole record")).expect("what was read is written");
        let name = document_name(&octets);
        let number = broker_core::organisation::OrganisationNumber::parse("2120001355").expect("a number");
        let mut manifest = Manifest::default()
            .with(Change::AddOrganisation { number, document: name.clone(), logo: None })
            .expect("the first");
        scene.documents.insert(name, octets);
        scene.registry = scene.built(&manifest, &HashMap::new());
        for file in [provider_document(), client_document(KEYED), client_document(SECRETIVE)] {
            let prepared = scene.prepared(file.as_bytes());
            assert!(!prepared.report.has_errors(), "the scene's own files: {:?}", prepared.report);
            scene.documents.extend(prepared.documents);
            for change in prepared.changes {
                manifest = manifest.with(change).expect("what was prepared can be done");
            }
        }
        scene.registry = scene.built(&manifest, &HashMap::new());
        assert!(scene.registry.withheld().is_empty(), "the scene's own files are whole");
        let (request, _) = scene
            .op()
            .receive(&Inbound { query: Some(good_query()), ..Inbound::default() }, moment())
            .expect("a good request");
        let begun = scene.sp().begin(&request, &IDP.into(), HANDLE, moment()).expect("it can be sent");
        scene.remembered = begun.remembered;
        scene
    }

    /// What adding a file would do.
    #[must_use]
    pub fn prepared(&self, file: &[u8]) -> Prepared {
        let secrets = Secrets { key: &self.client_secrets, fresh: SECRET };
        prepare(file, &Choices::default(), secrets, &self.registry, NOW)
    }

    /// The registry of a manifest, with documents of the scene's and `more`.
    #[must_use]
    pub fn built(&self, manifest: &Manifest, more: &HashMap<String, Vec<u8>>) -> Registry {
        let document = |name: &str| more.get(name).or_else(|| self.documents.get(name)).map(Vec::as_slice);
        Registry::build(1, manifest, &document, None, NOW).expect("every document is there")
    }

    /// The broker towards identity providers.
    #[must_use]
    pub fn sp(&self) -> SamlSp<'_> {
        SamlSp {
            entities: &self.sp,
            registry: &self.registry,
            signer: &self.own_key,
            decryption: &self.decryption,
        }
    }

    /// What is encrypted to the broker is encrypted to this. It is another one in each run: RSA keys are not made from a scalar.
    #[must_use]
    pub fn recipient(&self) -> &PublicKey {
        self.decryption[0].public_key()
    }

    /// What the broker signs its own requests with.
    #[must_use]
    pub fn own_key(&self) -> &PrivateKey {
        &self.own_key
    }

    /// The broker towards relying parties.
    #[must_use]
    pub fn op(&self) -> OidcOp<'_> {
        OidcOp {
            settings: &self.op,
            registry: &self.registry,
            keyring: &self.keyring,
            client_secrets: &self.client_secrets,
        }
    }
}

fn keyring() -> Keyring {
    let mut keyring = Keyring::new();
    let signer = std::sync::Arc::new(key(4));
    keyring.publish(signer.clone(), SystemTime::UNIX_EPOCH).expect("a new key");
    keyring.activate(signer.key_id(), SystemTime::UNIX_EPOCH).expect("published");
    keyring
}

/// An authentication request that is right in everything.
#[must_use]
pub fn good_query() -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", KEYED)
        .append_pair("redirect_uri", &format!("{KEYED}/callback"))
        .append_pair("response_type", "code")
        .append_pair("scope", "openid https://id.oidc.se/scope/naturalPersonOrgId")
        .append_pair("state", "a state&=%+")
        .append_pair("nonce", "n-0S6")
        .append_pair("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        .append_pair("code_challenge_method", "S256")
        .finish()
}
