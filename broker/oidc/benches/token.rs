//! What one redeemed code costs: an ID token by RS256 and by ES256, beside the bare signature that is in it.

use std::{collections::BTreeSet, hint::black_box, sync::Arc, time::SystemTime};

use broker_core::{
    assurance::AssuranceProfile,
    identifier::RelyingPartyId,
    moment::{Entropy, Moment, Timestamp},
    organisation::{LocalText, Organisation, OrganisationNumber, SupportContact},
    policy::{Protocol, RelyingPartyPolicy},
    role::Inbound,
};
use broker_oidc::{
    claims::ClaimNames,
    op::{OidcOp, OpSettings, grant::Grant},
};
use certs::{PrivateKey, SignatureAlgorithm, Signer as _, keyring::Keyring, mac::Secret};
use criterion::{Criterion, criterion_group, criterion_main};
use metadata::{
    peer::{ClientAuthentication, OidcClient},
    registry::Registry,
    secret_hash::SecretHash,
};
use serde_json::json;

const NOW: Timestamp = Timestamp(1_800_000_000);
const ADDRESS: &str = "https://tidbok.example/callback";

struct Zeros;
impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn client(hash: SecretHash, algorithm: SignatureAlgorithm) -> OidcClient {
    OidcClient {
        policy: Arc::new(RelyingPartyPolicy {
            id: RelyingPartyId::from("tidbok"),
            protocol: Protocol::Oidc,
            organisation: Arc::new(Organisation {
                number: OrganisationNumber::parse("2021006883").expect("a valid number"),
                name: LocalText::default(),
                domains: BTreeSet::new(),
                scopes: BTreeSet::new(),
                hsa_prefixes: BTreeSet::new(),
                ceiling: Vec::new(),
                entitled: BTreeSet::new(),
                may_assert: BTreeSet::new(),
                support: SupportContact::default(),
                aliases: BTreeSet::new(),
                logo: None,
                relying_parties: None,
            }),
            display_name: LocalText::default(),
            entitled: BTreeSet::new(),
            sector: "2021006883|tidbok.example".into(),
            providers: None,
            start_url: None,
            privacy_url: None,
            assurance_profile: AssuranceProfile::Plain,
            fail_on_missing_attribute: false,
        }),
        client_id: RelyingPartyId::from("tidbok"),
        redirect_uris: vec![ADDRESS.into()],
        authentication: ClientAuthentication::ClientSecretPost(hash),
        id_token_algorithm: algorithm,
        userinfo_algorithm: None,
        scopes: BTreeSet::from(["openid".to_owned()]),
        accepts_token_endpoint_audience: false,
        pkce_required: true,
        default_max_age: None,
        default_acr_values: Vec::new(),
        purpose: LocalText::default(),
        contacts: Vec::new(),
    }
}

/// A grant as it comes out of the store.
fn grant() -> Grant {
    serde_json::from_value(json!({
        "client_id": "tidbok",
        "redirect_uri": ADDRESS,
        "carried": {
            "nonce": "n-0S6",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "scopes": ["openid"],
            "placement": { "id_token": { "org_affiliation": null }, "userinfo": { "name": null, "org_affiliation": null } },
        },
        "identity": {
            "subject": "mzxw6ytboimzxw6ytboimzxw6ytboimzxw6ytboimzxw6ytboi23",
            "attributes": { "display_name": ["Anna Alm"], "org_affiliation": ["aa01@2021006883"] },
            "assurance": "http://id.swedenconnect.se/loa/1.0/uncertified-loa3",
            "authenticated_at": NOW.0 - 30,
            "session_ends": null,
            "provider": "https://idp.granvik.example",
            "authenticated_by": "https://idp.granvik.example",
            "authorities": [],
        },
        "reference": "K7QF-2M9X-4T",
        "issued": NOW.0,
    }))
    .expect("a grant as stored")
}

fn token(criterion: &mut Criterion) {
    let issuer = "https://sparvidd.example";
    let settings = OpSettings {
        issuer: issuer.into(),
        authorization_endpoint: format!("{issuer}/oidc/authorize"),
        token_endpoint: format!("{issuer}/oidc/token"),
        userinfo_endpoint: format!("{issuer}/oidc/userinfo"),
        jwks_uri: format!("{issuer}/oidc/jwks"),
        service_documentation: None,
        acr_values: Vec::new(),
        ui_locales: vec!["sv".into(), "en".into()],
        claim_names: ClaimNames::default(),
    };
    let client_secrets = Secret::from_octets([9; 32]).mac_key("client secrets");
    let mut keyring = Keyring::new();
    let keys = [
        PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("an RSA key"),
        PrivateKey::generate_p256().expect("an EC key"),
    ]
    .map(Arc::new);
    for key in &keys {
        keyring.publish(Arc::clone(key), SystemTime::UNIX_EPOCH).expect("a new key");
        keyring.activate(key.key_id(), SystemTime::UNIX_EPOCH).expect("published");
    }
    let form = format!(
        "grant_type=authorization_code&code=c&redirect_uri={ADDRESS}&client_id=tidbok&client_secret=secret\
         &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let message = Inbound { form: Some(form.into_bytes()), ..Inbound::default() };
    let grant = grant();
    let moment = Moment { now: NOW, entropy: &Zeros };
    for key in &keys {
        let algorithm = key.algorithm();
        let name = algorithm.jws_name().expect("a JWS algorithm");
        let hash = SecretHash::of(&client_secrets, "tidbok", "secret");
        let registry = Registry::from_peers([], [], [Arc::new(client(hash, algorithm))]);
        let op = OidcOp {
            settings: &settings,
            registry: &registry,
            keyring: &keyring,
            client_secrets: &client_secrets,
        };
        criterion.bench_function(&format!("redeem a code, {name}"), |bencher| {
            bencher.iter(|| {
                let request = op.token_request(black_box(&message), moment).expect("proven");
                let request = request.marked(true).expect("nothing to mark");
                op.exchange(&request, &grant, "an-access-token", moment).expect("tokens")
            });
        });
        criterion.bench_function(&format!("a bare signature, {name}"), |bencher| {
            bencher.iter(|| key.sign(black_box(b"a message to sign")).expect("a signature"));
        });
    }
}

criterion_group!(benches, token);
criterion_main!(benches);
