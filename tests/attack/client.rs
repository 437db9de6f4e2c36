//! Client assertions (RFC 7523), bent in every way. A refused one costs the relying party nothing: with its genuine twin the very same code is redeemed.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use certs::{PrivateKey, Signer as _, jwk::Jwk};
use serde_json::{Value, json};
use tests::{
    browser::encoded,
    chance,
    relying_party::{Authentication, RelyingParty},
    walk::Walk,
    wire::Reply,
};

use super::kit::{Bench, Running, Scenario};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client assertion before it is signed, and the form around it.
struct Assertion<'b> {
    bench: &'b Bench,
    header: Value,
    claims: Value,
    key: Key,
    /// More fields of the form, or others in place of those that are there.
    fields: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
}

enum Key {
    /// The relying party's own.
    Own,
    /// Some other.
    Other(Box<PrivateKey>),
    /// A secret, by HMAC with SHA-256.
    Secret(Vec<u8>),
    /// These octets are the signature.
    Octets(Vec<u8>),
}

fn key_of(party: &RelyingParty) -> &PrivateKey {
    let Authentication::Key(key) = &party.authentication else { panic!("a relying party with a key") };
    key
}

impl<'b> Assertion<'b> {
    fn genuine(bench: &'b Bench) -> Self {
        let party = bench.party("nyckel");
        let now = chance::now().0;
        Self {
            bench,
            header: json!({ "alg": "ES256" }),
            claims: json!({
                "iss": party.client_id, "sub": party.client_id, "aud": bench.federation.issuer,
                "jti": chance::text(), "iat": now, "exp": now + 60,
            }),
            key: Key::Own,
            fields: Vec::new(),
            headers: Vec::new(),
        }
    }

    fn text(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = match &self.key {
            Key::Own => key_of(self.bench.party("nyckel")).sign(signed.as_bytes()).expect("signed"),
            Key::Other(key) => key.sign(signed.as_bytes()).expect("signed"),
            Key::Secret(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes()).as_ref().to_vec()
            }
            Key::Octets(octets) => octets.clone(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    async fn post(&self, walk: &Walk<'_>) -> Reply {
        let mut fields = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", walk.outcome.code.clone()),
            ("redirect_uri", walk.party.redirect_uri.clone()),
            ("code_verifier", walk.attempt.verifier.clone()),
            ("client_assertion_type", TYPE.to_owned()),
            ("client_assertion", self.text()),
        ];
        for (name, value) in &self.fields {
            fields.retain(|(known, _)| known != name);
            if !value.is_empty() {
                fields.push((name, value.clone()));
            }
        }
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(self.headers.iter().map(|(name, value)| (*name, value.as_str())));
        self.bench.raw(walk, "POST", "/oidc/token", &headers, encoded(&fields)).await.reply
    }
}

/// One bent assertion, refused; then the genuine one with the same code.
async fn bent(bench: &Bench, bends: &[&(dyn for<'b> Fn(&mut Assertion<'b>) + Sync)]) {
    let walk = bench.with_code("nyckel").await;
    for (number, bend) in bends.iter().enumerate() {
        let mut assertion = Assertion::genuine(bench);
        bend(&mut assertion);
        let reply = assertion.post(&walk).await;
        let error = reply.json()["error"].as_str().unwrap_or_default().to_owned();
        let expected = [(401, "invalid_client"), (400, "invalid_request")];
        assert!(
            expected.contains(&(reply.status.as_u16(), error.as_str())),
            "bend {number}: {} {}",
            reply.status,
            reply.text()
        );
        assert!(reply.json().get("access_token").is_none() && reply.json().get("id_token").is_none());
    }
    let reply = Assertion::genuine(bench).post(&walk).await;
    assert_eq!(reply.status, 200, "the twin: {}", reply.text());
}

fn other_key() -> Key {
    Key::Other(Box::new(PrivateKey::generate_p256().expect("a key")))
}

fn set(
    claim: &'static str,
    value: impl Fn(&Assertion<'_>) -> Value + Sync,
) -> impl for<'b> Fn(&mut Assertion<'b>) + Sync {
    move |assertion: &mut Assertion<'_>| {
        let value = value(assertion);
        let claims = assertion.claims.as_object_mut().expect("an object");
        match value {
            Value::Null => drop(claims.remove(claim)),
            value => drop(claims.insert(claim.to_owned(), value)),
        }
    }
}

fn header(
    name: &'static str,
    value: impl Fn(&Assertion<'_>) -> Value + Sync,
) -> impl for<'b> Fn(&mut Assertion<'b>) + Sync {
    move |assertion: &mut Assertion<'_>| {
        let value = value(assertion);
        assertion.header[name] = value;
    }
}

/// Later than now by so many seconds.
fn later(seconds: i64) -> Value {
    json!(chance::now().0 + seconds)
}

fn none(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let unsigned = |alg: &'static str| {
            move |assertion: &mut Assertion<'_>| {
                assertion.header["alg"] = alg.into();
                assertion.key = Key::Octets(Vec::new());
            }
        };
        bent(
            bench,
            &[&unsigned("none"), &unsigned("None"), &unsigned("nOnE"), &unsigned(""), &unsigned("ES256")],
        )
        .await;
    })
}

fn symmetric(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let under = |secret: fn(&PrivateKey) -> Vec<u8>| {
            move |assertion: &mut Assertion<'_>| {
                assertion.header["alg"] = "HS256".into();
                assertion.key = Key::Secret(secret(key_of(assertion.bench.party("nyckel"))));
            }
        };
        let as_jwk = |key: &PrivateKey| Jwk::of(key).to_json().to_string().into_bytes();
        bent(
            bench,
            &[
                &under(|key| key.public_key().spki_der().to_vec()),
                &under(as_jwk),
                &under(|_| Vec::new()),
                &|assertion: &mut Assertion<'_>| {
                    assertion.key =
                        Key::Secret(key_of(assertion.bench.party("nyckel")).public_key().spki_der().to_vec());
                },
            ],
        )
        .await;
    })
}

fn signatures(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let octets = |octets: Vec<u8>| {
            move |assertion: &mut Assertion<'_>| assertion.key = Key::Octets(octets.clone())
        };
        bent(
            bench,
            &[
                &octets(vec![0; 64]),
                &octets(vec![1; 64]),
                &octets(vec![0; 63]),
                &octets(vec![0; 128]),
                &header("alg", |_| "ES384".into()),
                &header("alg", |_| "RS256".into()),
                &header("alg", |_| "es256".into()),
                &|assertion: &mut Assertion<'_>| assertion.key = other_key(),
            ],
        )
        .await;
    })
}

/// Another relying party's own key, over claims about this one; and the other way round.
fn anothers(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        bent(
            bench,
            &[
                &|assertion: &mut Assertion<'_>| {
                    let neighbour = key_of(assertion.bench.party("granne"));
                    let copy = PrivateKey::from_pkcs8_der(
                        &neighbour.to_pkcs8_der().expect("octets"),
                        neighbour.algorithm(),
                    );
                    assertion.key = Key::Other(Box::new(copy.expect("a key")));
                },
                &set("iss", |_| "granne".into()),
                &set("sub", |_| "granne".into()),
                &set("sub", |_| "journal".into()),
                &set("iss", |_| json!(["nyckel"])),
                &|assertion: &mut Assertion<'_>| assertion.fields = vec![("client_id", "granne".into())],
            ],
        )
        .await;
    })
}

fn audience(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let issuer = |assertion: &Assertion<'_>| assertion.bench.federation.issuer.clone();
        bent(
            bench,
            &[
                &set("aud", |_| Value::Null),
                &set("aud", |_| "https://evil.example".into()),
                &set("aud", |_| json!([])),
                &set("aud", move |assertion| json!([issuer(assertion), "https://evil.example"])),
                &set("aud", move |assertion| format!("{}/", issuer(assertion)).into()),
                &set("aud", move |assertion| issuer(assertion).to_uppercase().into()),
                &set("aud", move |assertion| format!("{}/oidc/userinfo", issuer(assertion)).into()),
                &set("aud", |_| json!({ "x": 1 })),
            ],
        )
        .await;
    })
}

fn times(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        bent(
            bench,
            &[
                &set("exp", |_| later(-120)),
                &set("exp", |_| Value::Null),
                &set("exp", |_| "2099-01-01T00:00:00Z".into()),
                &set("exp", |_| later(86_400)),
                &set("exp", |_| json!(1e300)),
                &set("exp", |_| json!(i64::MAX)),
                &set("exp", |_| json!(-1)),
                &set("iat", |_| later(600)),
                &set("nbf", |_| later(600)),
            ],
        )
        .await;
    })
}

fn identifiers(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let used = chance::text();
        // Used once, honestly.
        let walk = bench.with_code("nyckel").await;
        let mut first = Assertion::genuine(bench);
        first.claims["jti"] = used.as_str().into();
        assert_eq!(first.post(&walk).await.status, 200);
        bent(
            bench,
            &[
                &set("jti", move |_| used.as_str().into()),
                &set("jti", |_| Value::Null),
                &set("jti", |_| "".into()),
                &set("jti", |_| 1.into()),
                &set("jti", |_| "a".repeat(10_000).into()),
            ],
        )
        .await;
    })
}

/// A whole assertion again, beside another code: what somebody has who saw one request.
fn replayed(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let (first, second) = (bench.with_code("nyckel").await, bench.with_code("nyckel").await);
        let assertion = Assertion::genuine(bench);
        assert_eq!(assertion.post(&first).await.status, 200);
        let reply = assertion.post(&second).await;
        assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (401, Some("invalid_client")));
        assert_eq!(Assertion::genuine(bench).post(&second).await.status, 200, "the twin");
    })
}

fn key_names(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let named = |kid: &'static str| {
            move |assertion: &mut Assertion<'_>| {
                assertion.header["kid"] = kid.into();
                assertion.key = Key::Secret(Vec::new());
                assertion.header["alg"] = "HS256".into();
            }
        };
        bent(
            bench,
            &[
                &named("../../../../dev/null"),
                &named("/dev/null"),
                &named("http://127.0.0.1:9/key"),
                &named("' OR 1=1 --"),
                &named("$(id)"),
                &named("nyckel\u{0}"),
                &header("kid", |_| "somebody-else".into()),
                &header("kid", |_| json!(["a"])),
            ],
        )
        .await;
    })
}

/// Keys that the header brings along or points at.
fn brought_along(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let with = |name: &'static str, value: fn(&PrivateKey) -> Value| {
            move |assertion: &mut Assertion<'_>| {
                let key = PrivateKey::generate_p256().expect("a key");
                assertion.header[name] = value(&key);
                assertion.key = Key::Other(Box::new(key));
            }
        };
        bent(
            bench,
            &[
                &with("jwk", |key| Jwk::of(key).to_json()),
                &with("jku", |_| "http://127.0.0.1:9/jwks".into()),
                &with("x5u", |_| "http://127.0.0.1:9/x5u".into()),
                &with("x5c", |_| json!(["AAAA"])),
                &with("kid", |key| key.key_id().into()),
            ],
        )
        .await;
    })
}

fn headers(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        bent(
            bench,
            &[
                &header("crit", |_| json!(["exp"])),
                &header("crit", |_| json!([])),
                &|assertion: &mut Assertion<'_>| {
                    assertion.header["crit"] = json!(["b64"]);
                    assertion.header["b64"] = false.into();
                },
                &header("typ", |_| "at+jwt".into()),
                &header("typ", |_| "logout+jwt".into()),
                &header("alg", |_| 1.into()),
                &|assertion: &mut Assertion<'_>| assertion.header = json!([]),
                &|assertion: &mut Assertion<'_>| assertion.claims = json!("text"),
                &|assertion: &mut Assertion<'_>| assertion.claims = json!([]),
            ],
        )
        .await;
    })
}

/// Members twice, more parts, other serializations.
fn shapes(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let walk = bench.with_code("nyckel").await;
        let key = key_of(bench.party("nyckel"));
        let issuer = &bench.federation.issuer;
        let end = chance::now().0 + 60;
        let twice = format!(
            "{{\"iss\":\"nyckel\",\"sub\":\"granne\",\"sub\":\"nyckel\",\"aud\":\"{issuer}\",\"jti\":\"{}\",\"exp\":{end}}}",
            chance::text()
        );
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode("{\"alg\":\"ES256\"}"), URL_SAFE_NO_PAD.encode(twice));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).expect("signed"));
        let genuine = Assertion::genuine(bench).text();
        let parts: Vec<&str> = genuine.split('.').collect();
        let json =
            json!({ "payload": parts[1], "signatures": [{ "protected": parts[0], "signature": parts[2] }] });
        for text in [
            format!("{signed}.{signature}"),
            json.to_string(),
            format!("{genuine}."),
            format!(".{genuine}"),
            format!("{genuine}=="),
            format!("{}.{}", parts[0], parts[1]),
            format!("{}..{}", parts[0], parts[2]),
            "a".repeat(20_000),
            "..".to_owned(),
        ] {
            let mut assertion = Assertion::genuine(bench);
            assertion.fields = vec![("client_assertion", text)];
            let reply = assertion.post(&walk).await;
            assert!([400, 401, 413].contains(&reply.status.as_u16()), "{}: {}", reply.status, reply.text());
            assert!(reply.json().get("access_token").is_none());
        }
        assert_eq!(Assertion::genuine(bench).post(&walk).await.status, 200, "the twin");
    })
}

fn methods(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        bent(
            bench,
            &[
                &|assertion: &mut Assertion<'_>| {
                    assertion.fields = vec![("client_secret", "x".into()), ("client_id", "nyckel".into())]
                },
                &|assertion: &mut Assertion<'_>| {
                    assertion.headers = vec![("authorization", "Basic bnlja2VsOg==".into())]
                },
                &|assertion: &mut Assertion<'_>| {
                    assertion.fields = vec![(
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:saml2-bearer".into(),
                    )]
                },
                &|assertion: &mut Assertion<'_>| {
                    assertion.fields = vec![("client_assertion_type", String::new())]
                },
                &|assertion: &mut Assertion<'_>| assertion.fields = vec![("client_assertion", String::new())],
                &|assertion: &mut Assertion<'_>| {
                    assertion.fields = vec![
                        ("client_assertion", String::new()),
                        ("client_assertion_type", String::new()),
                        ("client_id", "nyckel".into()),
                    ];
                },
                &|assertion: &mut Assertion<'_>| {
                    assertion.fields = vec![
                        ("client_assertion", String::new()),
                        ("client_assertion_type", String::new()),
                        ("client_id", "nyckel".into()),
                        ("client_secret", "nyckel".into()),
                    ];
                },
            ],
        )
        .await;
    })
}

/// An ID token of ours is signed by us and about somebody: it is no proof of who asks.
fn id_token(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let first = bench.with_code("nyckel").await;
        let given = Assertion::genuine(bench).post(&first).await.json();
        let token = given["id_token"].as_str().expect("an ID token").to_owned();
        bent(
            bench,
            &[&move |assertion: &mut Assertion<'_>| {
                assertion.fields = vec![("client_assertion", token.clone())];
            }],
        )
        .await;
    })
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "the algorithm none", source: "RFC 8725 section 2.1, ASVS 9.1.2", run: none },
    Scenario {
        name: "HMAC under the public key",
        source: "CVE-2016-10555, RFC 8725 section 2.1",
        run: symmetric,
    },
    Scenario {
        name: "signatures that are none, of other keys and algorithms",
        source: "CVE-2022-21449, RFC 8725 section 3.1",
        run: signatures,
    },
    Scenario { name: "another relying party's key or name", source: "RFC 7523 section 3", run: anothers },
    Scenario {
        name: "another audience, or ours among others",
        source: "CVE-2025-27370, CVE-2025-27371",
        run: audience,
    },
    Scenario { name: "times of an assertion", source: "RFC 7523 section 3", run: times },
    Scenario { name: "a jti used before, or none", source: "RFC 7523 section 3", run: identifiers },
    Scenario {
        name: "a whole assertion replayed with another code",
        source: "RFC 7523 section 3",
        run: replayed,
    },
    Scenario {
        name: "key names that are paths, addresses and commands",
        source: "CVE-2018-0114 class, RFC 8725 section 3.10",
        run: key_names,
    },
    Scenario {
        name: "keys that the header brings: jwk, jku, x5u, x5c",
        source: "CVE-2018-0114, RFC 8725 section 3.10, ASVS 9.1.3",
        run: brought_along,
    },
    Scenario {
        name: "crit, b64, types of other tokens",
        source: "RFC 7515 section 4.1.11, RFC 8725 section 3.11",
        run: headers,
    },
    Scenario {
        name: "members twice, more parts, other serializations",
        source: "RFC 7515 section 4",
        run: shapes,
    },
    Scenario {
        name: "two methods at once, or one that is not registered",
        source: "RFC 6749 section 2.3",
        run: methods,
    },
    Scenario { name: "our own ID token as an assertion", source: "RFC 8725 section 3.11", run: id_token },
];
