//! An OpenID Connect relying party in this process: PKCE, three ways to prove who it is, and every check of an ID token.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use certs::{
    JwkSet, PrivateKey, SignatureAlgorithm,
    jwk::Jwk,
    jws::{self, Expectation, ExpectedType},
};
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    browser::encoded,
    chance,
    wire::{Reply, Wire},
};

/// Everything that the relying parties here ask for.
pub const SCOPE: &str = "openid profile email https://id.oidc.se/scope/naturalPersonOrgId";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a relying party proves who it is.
#[derive(Clone)]
pub enum Authentication {
    /// `client_secret_basic`
    Basic(String),
    /// `client_secret_post`
    Post(String),
    /// `private_key_jwt`
    Key(Arc<PrivateKey>),
}

/// A relying party.
#[derive(Clone)]
pub struct RelyingParty {
    /// Its name.
    pub client_id: String,
    /// Where it takes answers.
    pub redirect_uri: String,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// What its ID tokens, and where it asks for that its userinfo answers, are signed with.
    pub algorithm: SignatureAlgorithm,
    /// Userinfo answers are signed.
    pub signed_userinfo: bool,
}

impl std::fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelyingParty").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A login that a relying party has begun, and what it remembers of it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The parameters of the authorization request.
    pub parameters: Vec<(String, String)>,
    /// `state`
    pub state: String,
    /// `nonce`
    pub nonce: String,
    /// The PKCE verifier.
    pub verifier: String,
}

impl Attempt {
    /// The path and query of the authorization request.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/oidc/authorize?{}", encoded(&self.parameters))
    }

    /// The same request with another value for a parameter; empty: without it.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.parameters.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// What came back through the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// A code.
    Code(String),
    /// An error.
    Error(String),
}

impl RelyingParty {
    /// One of `authentication`, with RS256 ID tokens and plain userinfo.
    #[must_use]
    pub fn new(client_id: &str, authentication: Authentication) -> Self {
        Self {
            client_id: client_id.to_owned(),
            redirect_uri: format!("https://{client_id}.hamnverket.localhost/callback"),
            authentication,
            algorithm: SignatureAlgorithm::RsaSha256,
            signed_userinfo: false,
        }
    }

    /// By a secret in the Authorization header.
    #[must_use]
    pub fn with_basic(client_id: &str) -> Self {
        // Signs that a form has to escape: RFC 6749 section 2.3.1 encodes them before Basic does.
        Self::new(client_id, Authentication::Basic(format!("{}+/=%:& ~", chance::text())))
    }

    /// By a key.
    #[must_use]
    pub fn with_key(client_id: &str) -> Self {
        Self::new(client_id, Authentication::Key(Arc::new(PrivateKey::generate_p256().expect("a key"))))
    }

    /// Where one starts anew.
    #[must_use]
    pub fn start_uri(&self) -> String {
        self.redirect_uri.replace("/callback", "/login")
    }

    /// Its client metadata, as its developer sends it to the federation.
    #[must_use]
    pub fn metadata(&self) -> String {
        let algorithm = self.algorithm.jws_name();
        let mut members = json!({
            "client_id": self.client_id,
            "client_name#sv": format!("Tjänsten {}", self.client_id),
            "redirect_uris": [self.redirect_uri],
            "initiate_login_uri": self.start_uri(),
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "scope": SCOPE,
            "id_token_signed_response_alg": algorithm,
        });
        match &self.authentication {
            Authentication::Basic(secret) => {
                members["token_endpoint_auth_method"] = "client_secret_basic".into();
                members["client_secret"] = secret.as_str().into();
            }
            Authentication::Post(secret) => {
                members["token_endpoint_auth_method"] = "client_secret_post".into();
                members["client_secret"] = secret.as_str().into();
            }
            Authentication::Key(key) => {
                members["token_endpoint_auth_method"] = "private_key_jwt".into();
                members["jwks"] = json!({ "keys": [Jwk::of(&**key).to_json()] });
            }
        }
        if self.signed_userinfo {
            members["userinfo_signed_response_alg"] = algorithm.into();
        }
        format!("{members:#}")
    }

    /// Begins a login.
    #[must_use]
    pub fn begin(&self) -> Attempt {
        let (state, nonce, verifier) = (chance::text(), chance::text(), chance::text() + &chance::text());
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let parameters = [
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        Attempt { parameters, state, nonce, verifier }
    }

    /// Reads the answer out of the address that the browser was sent to (RFC 6749 4.1.2, RFC 9207).
    #[must_use]
    pub fn returned(&self, issuer: &str, attempt: &Attempt, address: &str) -> Returned {
        let url = Url::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        assert_eq!(&url[..url::Position::AfterPath], self.redirect_uri);
        let one = |name: &str| {
            let mut values =
                url.query_pairs().filter(|(found, _)| found == name).map(|(_, value)| value.into_owned());
            let value = values.next();
            assert!(values.next().is_none(), "{name} stands twice in the answer");
            value
        };
        assert_eq!(one("state").as_deref(), Some(attempt.state.as_str()), "state");
        assert_eq!(one("iss").as_deref(), Some(issuer), "iss");
        match (one("code"), one("error")) {
            (Some(code), None) => Returned::Code(code),
            (None, Some(error)) => Returned::Error(error),
            _ => panic!("neither a code nor an error: {address}"),
        }
    }

    /// The token request for a code.
    #[must_use]
    pub fn token_request(&self, issuer: &str, attempt: &Attempt, code: &str) -> Request<Full<Bytes>> {
        let mut fields = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("code_verifier", attempt.verifier.clone()),
        ];
        let mut builder = Request::post("/oidc/token")
            .header(header::HOST, host(issuer))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match &self.authentication {
            Authentication::Basic(secret) => {
                let escaped = |text: &str| encoded(&[("", text)])[1..].to_owned();
                let pair = format!("{}:{}", escaped(&self.client_id), escaped(secret));
                builder = builder.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
            }
            Authentication::Post(secret) => {
                fields.push(("client_id", self.client_id.clone()));
                fields.push(("client_secret", secret.clone()));
            }
            Authentication::Key(key) => {
                let now = chance::now();
                let claims = json!({
                    "iss": self.client_id, "sub": self.client_id, "aud": issuer,
                    "jti": chance::text(), "iat": now.0, "exp": now.0 + 60,
                });
                let assertion =
                    jws::sign_compact(&**key, None, claims.to_string().as_bytes()).expect("signed");
                fields.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
                fields.push(("client_assertion", assertion));
            }
        }
        builder.body(Full::new(Bytes::from(encoded(&fields)))).expect("a request")
    }

    /// Redeems a code at the node on `port`, whatever comes of it.
    pub async fn redeem(&self, wire: &Wire, port: u16, issuer: &str, attempt: &Attempt, code: &str) -> Reply {
        let request = self.token_request(issuer, attempt, code);
        wire.send(port, request).await.unwrap_or_else(|error| panic!("the token endpoint: {error}"))
    }

    /// Checks an ID token (OpenID Connect Core 3.1.3.7, 3.1.3.8) and gives its claims.
    #[must_use]
    pub fn id_token(
        &self,
        issuer: &str,
        attempt: &Attempt,
        keys: &JwkSet,
        answer: &Value,
    ) -> Map<String, Value> {
        let token = answer["id_token"].as_str().expect("an ID token");
        let claims = self.verified(keys, token, ExpectedType::AbsentOr("JWT"));
        let access_token = answer["access_token"].as_str().expect("an access token");
        let half = digest(&SHA256, access_token.as_bytes()).as_ref()[..16].to_vec();
        assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(half));
        let now = chance::now().0;
        assert_eq!(claims["iss"], issuer);
        assert_eq!(claims["aud"], self.client_id.as_str());
        assert_eq!(claims["nonce"], attempt.nonce.as_str());
        let time = |name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("{name} is a number"));
        assert!(time("iat") <= now + 1 && time("exp") > now, "times: {claims:?} at {now}");
        assert!(time("exp") - time("iat") <= 300, "an ID token lives at most five minutes");
        claims
    }

    /// Checks a signed userinfo answer (OpenID Connect Core 5.3.2) and gives its claims.
    #[must_use]
    pub fn userinfo_token(&self, issuer: &str, keys: &JwkSet, token: &str) -> Map<String, Value> {
        let claims = self.verified(keys, token, ExpectedType::Any);
        assert_eq!(claims["iss"], issuer);
        assert_eq!(claims["aud"], self.client_id.as_str());
        claims
    }

    fn verified(&self, keys: &JwkSet, token: &str, token_type: ExpectedType<'_>) -> Map<String, Value> {
        let expectation = Expectation { algorithms: &[self.algorithm], token_type };
        let payload = jws::verify_compact(token, keys, expectation).expect("a signature of the broker");
        payload.into_value().object().expect("an object")
    }
}

/// Asks for what an access token opens, at the node on `port`, whatever comes of it.
pub async fn userinfo(wire: &Wire, port: u16, issuer: &str, access_token: &str) -> Reply {
    let request = Request::get("/oidc/userinfo")
        .header(header::HOST, host(issuer))
        .header(header::AUTHORIZATION, format!("Bearer {access_token}"))
        .body(Full::new(Bytes::new()))
        .expect("a request");
    wire.send(port, request).await.unwrap_or_else(|error| panic!("the userinfo endpoint: {error}"))
}

/// The host and port of an issuer.
fn host(issuer: &str) -> &str {
    issuer.split("://").nth(1).unwrap_or(issuer)
}
