//! The service's dealings with the broker as an OpenID provider: discovery, the request, the code for tokens, userinfo.
//!
//! Every check of OpenID Connect Core 3.1.3.7 and 5.3.2 that applies to a confidential code-flow relying party is here; each that held is
//! noted, so that the page can say what was checked.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::moment::{Moment, Timestamp};
use certs::{
    DigestAlgorithm, JwkSet, PrivateKey, SignatureAlgorithm,
    jws::{Expectation, ExpectedType, JwsRefused, sign_compact, verify_compact},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, OnceCell};

use super::tries::{CLIENT_ID, Try};
use crate::{
    command::demo::{memory::random, texts::Text, web},
    moment,
};

/// How much the broker's clock may differ, seconds.
const SKEW: i64 = 60;
/// How long a client assertion is good for, seconds.
const ASSERTION_SECONDS: i64 = 60;
const ALGORITHMS: &[SignatureAlgorithm] = &[SignatureAlgorithm::EcdsaSha256];

/// What the discovery document says (OIDC Discovery 3), the parts that are used.
#[derive(Debug, Clone, Deserialize)]
struct Discovered {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// The broker, as the service knows it.
pub(super) struct Provider {
    issuer: String,
    redirect_uri: String,
    key: PrivateKey,
    discovered: OnceCell<Discovered>,
    keys: Mutex<Option<Arc<JwkSet>>>,
}

/// A login that has begun: what the answer must fit.
#[derive(Clone)]
pub(super) struct Begun {
    /// The way it was asked.
    pub(super) way: &'static Try,
    /// Which browser it is in.
    pub(super) browser: String,
    nonce: String,
    verifier: String,
    /// The provider that was named in the request, where one was.
    pub(super) provider: Option<String>,
}

impl Begun {
    /// A new one.
    pub(super) fn new(
        way: &'static Try,
        browser: String,
        provider: Option<String>,
        moment: Moment<'_>,
    ) -> Self {
        Self { way, browser, nonce: random(moment), verifier: random(moment), provider }
    }
}

/// What came of a login, checked.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// The ID token's claims.
    pub(super) id_token: Map<String, Value>,
    /// The userinfo claims.
    pub(super) userinfo: Map<String, Value>,
    /// Whether userinfo came signed.
    pub(super) userinfo_signed: bool,
    /// What was checked.
    pub(super) checks: Vec<Text>,
    /// When.
    pub(super) at: Timestamp,
}

/// Why the service does not take an answer: whose word it is, and the detail.
#[derive(Debug, Clone)]
pub(super) enum NotTaken {
    /// The broker said no (RFC 6749 section 5.2).
    Said {
        /// `error`.
        error: String,
        /// `error_description`.
        description: String,
    },
    /// What came does not hold, or nothing came.
    Fault(String),
}

fn fault(what: impl ToString) -> NotTaken {
    NotTaken::Fault(what.to_string())
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: String,
    id_token: String,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Provider {
    /// The broker of that issuer.
    pub(super) fn new(issuer: String, redirect_uri: String, key: PrivateKey) -> Self {
        Self { issuer, redirect_uri, key, discovered: OnceCell::new(), keys: Mutex::new(None) }
    }

    async fn discovered(&self) -> Result<&Discovered, NotTaken> {
        self.discovered
            .get_or_try_init(|| async {
                let url = format!("{}/.well-known/openid-configuration", self.issuer);
                let answer = web::get(&url, None).await.map_err(fault)?;
                let found: Discovered =
                    serde_json::from_slice(&answer.body).map_err(|error| fault(format!("{url}: {error}")))?;
                // OIDC Discovery 4.3: the document must be about the issuer that was asked for.
                if found.issuer != self.issuer {
                    return Err(fault(format!("{url} names the issuer {}", found.issuer)));
                }
                Ok(found)
            })
            .await
    }

    /// The parameters of the authorization request, in order.
    pub(super) fn request(&self, begun: &Begun, state: &str, language: &str) -> Vec<(String, String)> {
        let challenge = URL_SAFE_NO_PAD.encode(DigestAlgorithm::Sha256.digest(begun.verifier.as_bytes()));
        let mut parameters = vec![
            ("client_id".to_owned(), CLIENT_ID.to_owned()),
            ("response_type".to_owned(), "code".to_owned()),
            ("redirect_uri".to_owned(), self.redirect_uri.clone()),
            ("scope".to_owned(), begun.way.scopes.join(" ")),
            ("state".to_owned(), state.to_owned()),
            ("nonce".to_owned(), begun.nonce.clone()),
            ("code_challenge".to_owned(), challenge),
            ("code_challenge_method".to_owned(), "S256".to_owned()),
            ("claims".to_owned(), begun.way.claims().to_string()),
            ("ui_locales".to_owned(), language.to_owned()),
        ];
        if let Some(prompt) = begun.way.prompt {
            parameters.push(("prompt".to_owned(), prompt.to_owned()));
        }
        if let Some(provider) = &begun.provider {
            parameters.push(("https://id.oidc.se/param/authnProvider".to_owned(), provider.clone()));
        }
        parameters
    }

    /// Where the browser goes to sign in.
    pub(super) async fn authorization_url(
        &self,
        begun: &Begun,
        state: &str,
        language: &str,
    ) -> Result<String, NotTaken> {
        let endpoint = &self.discovered().await?.authorization_endpoint;
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.request(begun, state, language))
            .finish();
        Ok(format!("{endpoint}?{query}"))
    }

    /// Whether an answer says that it is the broker's (RFC 9207 section 2.4): a mix-up with another provider ends here.
    pub(super) async fn check_issuer(&self, said: Option<&str>) -> Result<(), NotTaken> {
        let discovered = self.discovered().await?;
        match said {
            Some(issuer) if issuer == self.issuer => Ok(()),
            None if !discovered.authorization_response_iss_parameter_supported => Ok(()),
            Some(other) => Err(fault(format!("the answer says that it is from {other}"))),
            None => Err(fault("the answer does not say whom it is from")),
        }
    }

    /// Changes the code for tokens, checks them, and asks for userinfo.
    pub(super) async fn redeem(&self, code: &str, begun: &Begun) -> Result<Received, NotTaken> {
        let discovered = self.discovered().await?;
        let assertion = self.client_assertion(moment::moment())?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &begun.verifier),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let answer = web::post_form(&discovered.token_endpoint, &fields).await.map_err(fault)?;
        if !answer.status.is_success() {
            return Err(match serde_json::from_slice::<ErrorAnswer>(&answer.body) {
                Ok(said) => NotTaken::Said { error: said.error, description: said.error_description },
                Err(_) => fault(format!("the token endpoint answered {}", answer.status)),
            });
        }
        let tokens: TokenAnswer = serde_json::from_slice(&answer.body).map_err(fault)?;
        if !tokens.token_type.eq_ignore_ascii_case("bearer") {
            return Err(fault("the access token is of another type than Bearer"));
        }
        let now = moment::now();
        let id_token = self.verified(&tokens.id_token, ExpectedType::AbsentOr("JWT")).await?;
        let mut checks = self.check_id_token(&id_token, begun, now)?;
        let (userinfo, userinfo_signed) =
            self.userinfo(&discovered.userinfo_endpoint, &tokens.access_token).await?;
        // OIDC Core 5.3.2: userinfo about somebody else must not be used.
        if userinfo.get("sub") != id_token.get("sub") {
            return Err(fault("userinfo is about somebody else than the ID token"));
        }
        checks.push(Text {
            sv: "Userinfo gäller samma person som ID-token (sub).",
            en: "Userinfo is about the same person as the ID token (sub).",
        });
        Ok(Received { id_token, userinfo, userinfo_signed, checks, at: now })
    }

    /// private_key_jwt (OIDC Core 9, RFC 7523): a fresh assertion for each call, the issuer as its only audience.
    fn client_assertion(&self, moment: Moment<'_>) -> Result<String, NotTaken> {
        let claims = json!({
            "iss": CLIENT_ID,
            "sub": CLIENT_ID,
            "aud": self.issuer,
            "jti": random(moment),
            "iat": moment.now.0,
            "exp": moment.now.plus(ASSERTION_SECONDS).0,
        });
        sign_compact(&self.key, Some("JWT"), claims.to_string().as_bytes()).map_err(fault)
    }

    /// The claims of a token that one of the broker's published keys signed. Keys are fetched anew once when none fits: they roll.
    async fn verified(
        &self,
        token: &str,
        token_type: ExpectedType<'_>,
    ) -> Result<Map<String, Value>, NotTaken> {
        let expectation = Expectation { algorithms: ALGORITHMS, token_type };
        let mut verified = verify_compact(token, &*self.keys(false).await?, expectation);
        if matches!(verified, Err(JwsRefused::UnknownKey)) {
            verified = verify_compact(token, &*self.keys(true).await?, expectation);
        }
        let payload = verified.map_err(fault)?.into_value();
        payload.object().ok_or_else(|| fault("the token holds no claims"))
    }

    async fn keys(&self, anew: bool) -> Result<Arc<JwkSet>, NotTaken> {
        let mut known = self.keys.lock().await;
        if let Some(keys) = known.as_ref().filter(|_| !anew) {
            return Ok(keys.clone());
        }
        let answer = web::get(&self.discovered().await?.jwks_uri, None).await.map_err(fault)?;
        let keys = Arc::new(JwkSet::from_json(&answer.body).map_err(fault)?);
        *known = Some(keys.clone());
        Ok(keys)
    }

    /// OIDC Core 3.1.3.7.
    fn check_id_token(
        &self,
        claims: &Map<String, Value>,
        begun: &Begun,
        now: Timestamp,
    ) -> Result<Vec<Text>, NotTaken> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| claims.get(name).and_then(Value::as_i64);
        if text("iss") != Some(&self.issuer) {
            return Err(fault("the ID token is from another issuer"));
        }
        let for_us = match claims.get("aud") {
            Some(Value::String(only)) => only == CLIENT_ID,
            Some(Value::Array(all)) => matches!(all.as_slice(), [only] if only == CLIENT_ID),
            _ => false,
        };
        if !for_us {
            return Err(fault("the ID token is for somebody else"));
        }
        if text("nonce") != Some(&begun.nonce) {
            return Err(fault("the ID token belongs to another login (nonce)"));
        }
        if time("exp").is_none_or(|until| until <= now.0.saturating_sub(SKEW)) {
            return Err(fault("the ID token has expired"));
        }
        if time("iat").is_none_or(|made| made > now.0.saturating_add(SKEW)) {
            return Err(fault("the ID token is from the future"));
        }
        if text("sub").is_none_or(str::is_empty) {
            return Err(fault("the ID token is about nobody"));
        }
        let mut checks = vec![
            Text {
                sv: "Svaret kom till samma webbläsare som frågade (state) och från rätt utfärdare (iss).",
                en: "The answer came to the browser that asked (state), from the right issuer (iss).",
            },
            Text {
                sv: "Koden byttes mot ett ID-token med tjänstens egen nyckel (private_key_jwt) och PKCE.",
                en: "The code was changed for an ID token with the service's own key (private_key_jwt) and PKCE.",
            },
            Text {
                sv: "ID-token är signerat med en nyckel som Spårvidd publicerar, och gäller än.",
                en: "The ID token is signed by a key that Spårvidd publishes, and is still valid.",
            },
            Text {
                sv: "ID-token är utfärdat till den här tjänsten (aud) för den här inloggningen (nonce).",
                en: "The ID token is for this service (aud) and for this login (nonce).",
            },
        ];
        if !begun.way.levels.is_empty() {
            // An essential acr: the relying party must look itself (OIDC Core 5.5.1.1).
            if text("acr").is_none_or(|level| !begun.way.levels.contains(&level)) {
                return Err(fault("the level is none of those that were required (acr)"));
            }
            checks.push(Text {
                sv: "Tillitsnivån är en av dem som krävdes (acr).",
                en: "The level is one of those required (acr).",
            });
        }
        if begun.way.prompt == Some("login") {
            if time("auth_time").is_none_or(|at| now.0.saturating_sub(at) > 600) {
                return Err(fault("the authentication is an earlier one (auth_time)"));
            }
            checks.push(Text {
                sv: "Legitimeringen är ny (auth_time).",
                en: "The authentication is a new one (auth_time).",
            });
        }
        Ok(checks)
    }

    async fn userinfo(
        &self,
        endpoint: &str,
        access_token: &str,
    ) -> Result<(Map<String, Value>, bool), NotTaken> {
        let answer = web::get(endpoint, Some(&format!("Bearer {access_token}"))).await.map_err(fault)?;
        if !answer.status.is_success() {
            return Err(fault(format!("the userinfo endpoint answered {}", answer.status)));
        }
        // The service is registered for signed answers (Swedish profile 4.1): an unsigned one is no answer.
        if answer.media_type != "application/jwt" {
            return Err(fault(format!("userinfo came as {} and not signed", answer.media_type)));
        }
        let token = std::str::from_utf8(&answer.body).map_err(fault)?;
        let claims = self.verified(token.trim(), ExpectedType::Any).await?;
        // OIDC Core 5.3.2: a signed answer says from whom and to whom.
        let for_us = match claims.get("aud") {
            Some(Value::String(only)) => only == CLIENT_ID,
            Some(Value::Array(all)) => all.iter().any(|one| one == CLIENT_ID),
            _ => false,
        };
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) || !for_us {
            return Err(fault("userinfo is from or for somebody else"));
        }
        Ok((claims, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn provider() -> Provider {
        let key = PrivateKey::generate_p256().expect("a key");
        Provider::new("http://broker.localhost".to_owned(), "http://rp.localhost/callback".to_owned(), key)
    }

    fn verdict(way: &str, change: impl FnOnce(&mut Map<String, Value>)) -> bool {
        let begun = Begun {
            way: Try::of(Some(way)),
            browser: String::new(),
            nonce: "n".to_owned(),
            verifier: String::new(),
            provider: None,
        };
        let claims = json!({
            "iss": "http://broker.localhost", "sub": "s", "aud": CLIENT_ID, "nonce": "n",
            "iat": NOW.0, "exp": NOW.0 + 300, "auth_time": NOW.0,
            "acr": "http://id.swedenconnect.se/loa/1.0/uncertified-loa3",
        });
        let mut claims = claims.as_object().cloned().expect("an object");
        change(&mut claims);
        provider().check_id_token(&claims, &begun, NOW).is_ok()
    }

    #[test]
    fn an_id_token_is_from_the_issuer_to_us_for_this_login_now() {
        assert!(verdict("usual", |_| {}));
        for (name, bad) in [
            ("iss", json!("http://other.localhost")),
            ("aud", json!("other")),
            ("aud", json!([CLIENT_ID, "other"])),
            ("nonce", json!("m")),
            ("exp", json!(NOW.0 - SKEW)),
            ("iat", json!(NOW.0 + SKEW + 1)),
            ("sub", json!("")),
        ] {
            assert!(
                !verdict("usual", |claims| drop(claims.insert(name.to_owned(), bad.clone()))),
                "{name}: {bad}"
            );
            assert!(!verdict("usual", |claims| drop(claims.remove(name))), "{name}");
        }
    }

    #[test]
    fn a_level_that_was_required_is_looked_for_and_only_then() {
        assert!(verdict("level3", |_| {}));
        assert!(!verdict("level3", |claims| drop(claims.remove("acr"))));
        assert!(!verdict("level4", |_| {}));
        assert!(verdict("usual", |claims| drop(claims.remove("acr"))));
    }

    #[test]
    fn a_new_authentication_that_was_required_is_new() {
        assert!(verdict("anew", |_| {}));
        let old = json!(NOW.0 - 3600);
        assert!(!verdict("anew", |claims| drop(claims.insert("auth_time".to_owned(), old.clone()))));
        assert!(verdict("usual", |claims| drop(claims.insert("auth_time".to_owned(), old.clone()))));
    }
}
