//! Codes and tokens in hands that they were not given to, without what belongs to them, or twice. Each step has a genuine twin in the same test.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::header;
use tests::{
    browser::encoded,
    relying_party::{self, Authentication},
    walk::{Next, Walk},
    wire::Reply,
};

use super::kit::{Bench, Scenario};

/// Refused with this status and error, and nothing is in the answer.
fn refused(reply: &Reply, status: u16, error: &str) {
    assert_eq!(
        (reply.status.as_u16(), reply.json()["error"].as_str()),
        (status, Some(error)),
        "{}",
        reply.text()
    );
    for name in ["access_token", "id_token", "refresh_token"] {
        assert!(reply.json().get(name).is_none(), "{name} was given");
    }
    assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
}

/// The code as the relying party would redeem it, with parameters changed: `None` leaves one out.
async fn redeemed(bench: &Bench, walk: &Walk<'_>, changes: &[(&str, Option<&str>)]) -> Reply {
    let mut fields = vec![
        ("grant_type".to_owned(), "authorization_code".to_owned()),
        ("code".to_owned(), walk.outcome.code.clone()),
        ("redirect_uri".to_owned(), walk.party.redirect_uri.clone()),
        ("code_verifier".to_owned(), walk.attempt.verifier.clone()),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    posted(bench, walk, "/oidc/token", encoded(&fields)).await
}

/// A body to the token endpoint, with the relying party's own credentials.
async fn posted(bench: &Bench, walk: &Walk<'_>, path: &str, body: String) -> Reply {
    let genuine = walk.party.token_request(&bench.federation.issuer, &walk.attempt, "x");
    let credentials = genuine.headers()[header::AUTHORIZATION].to_str().expect("ASCII").to_owned();
    let kind = "application/x-www-form-urlencoded";
    bench
        .raw(walk, "POST", path, &[("content-type", kind), ("authorization", &credentials)], body)
        .await
        .reply
}

async fn with_code(bench: &Bench) -> Walk<'_> {
    bench.with_code("journal").await
}

/// A second use is refused and ends what the first was given.
async fn twice(bench: &Bench) {
    let walk = with_code(bench).await;
    let (attempt, party) = (walk.attempt.clone(), walk.party);
    let federation = &bench.federation;
    let outcome = walk.finish(bench.port()).await;
    let again =
        party.redeem(&federation.wire, bench.port(), &federation.issuer, &attempt, &outcome.code).await;
    refused(&again, 400, "invalid_grant");
    let token = &outcome.access_token;
    let reply = relying_party::userinfo(&federation.wire, bench.port(), &federation.issuer, token).await;
    assert_eq!(reply.status, 401, "the access token is revoked");
}

/// Twelve at once: one wins.
async fn at_once(bench: &Bench) {
    let walk = with_code(bench).await;
    let all: Vec<_> = (0..12)
        .map(|_| {
            let (wire, port) = (bench.federation.wire.clone(), bench.port());
            let request =
                walk.party.token_request(&bench.federation.issuer, &walk.attempt, &walk.outcome.code);
            tokio::spawn(async move { wire.send(port, request).await.expect("an answer") })
        })
        .collect();
    let mut given = 0;
    for one in all {
        let reply = one.await.expect("an answer");
        if reply.status == 200 {
            given += 1;
        } else {
            refused(&reply, 400, "invalid_grant");
        }
    }
    assert_eq!(given, 1);
}

/// Another registered relying party, with all that belongs to the code: it stays good for its owner.
async fn another_client(bench: &Bench) {
    let walk = with_code(bench).await;
    let mut thief = bench.party("annan").clone();
    let federation = &bench.federation;
    for redirect_uri in [thief.redirect_uri.clone(), walk.party.redirect_uri.clone()] {
        thief.redirect_uri = redirect_uri;
        let (wire, code) = (&federation.wire, &walk.outcome.code);
        let reply = thief.redeem(wire, bench.port(), &federation.issuer, &walk.attempt, code).await;
        refused(&reply, 400, "invalid_grant");
    }
    bench.ends_well(walk).await;
}

/// Nobody, or somebody with a wrong secret.
async fn unproven(bench: &Bench) {
    let walk = with_code(bench).await;
    let federation = &bench.federation;
    let Authentication::Basic(secret) = walk.party.authentication.clone() else { panic!("by Basic") };
    for wrong in ["", "wrong", &secret[1..], &secret.to_uppercase(), &format!("{secret} ")] {
        let mut impostor = walk.party.clone();
        impostor.authentication = Authentication::Basic(wrong.to_owned());
        let (wire, code) = (&federation.wire, &walk.outcome.code);
        let reply = impostor.redeem(wire, bench.port(), &federation.issuer, &walk.attempt, code).await;
        refused(&reply, 401, "invalid_client");
    }
    // The right secret by a method that the relying party is not registered for.
    let mut by_post = walk.party.clone();
    by_post.authentication = Authentication::Post(secret);
    let (wire, code) = (&federation.wire, &walk.outcome.code);
    let reply = by_post.redeem(wire, bench.port(), &federation.issuer, &walk.attempt, code).await;
    refused(&reply, 401, "invalid_client");
    bench.ends_well(walk).await;
}

async fn changed(bench: &Bench, changes: &[(&str, Option<&str>)], status: u16, error: &str) {
    let walk = with_code(bench).await;
    refused(&redeemed(bench, &walk, changes).await, status, error);
    // What came with the right proof of who asks and the wrong rest is spent; what could not be read is not.
    let genuine = redeemed(bench, &walk, &[]).await;
    if error == "invalid_grant" {
        refused(&genuine, 400, "invalid_grant");
        let twin = with_code(bench).await;
        assert_eq!(redeemed(bench, &twin, &[]).await.status, 200);
    } else {
        assert_eq!(genuine.status, 200, "{}", genuine.text());
    }
}

async fn other_address(bench: &Bench) {
    for other in ["https://evil.example/callback", "", "https://annan.hamnverket.localhost/callback"] {
        changed(bench, &[("redirect_uri", Some(other))], 400, "invalid_grant").await;
    }
}

async fn verifier(bench: &Bench) {
    let other = bench.party("journal").begin().verifier;
    for wrong in [None, Some(""), Some(other.as_str()), Some("short")] {
        changed(bench, &[("code_verifier", wrong)], 400, "invalid_grant").await;
    }
    // The challenge itself, as with `plain`: everybody knows it who saw the request.
    let walk = with_code(bench).await;
    let challenge =
        walk.attempt.parameters.iter().find(|(name, _)| name == "code_challenge").expect("one").1.clone();
    refused(&redeemed(bench, &walk, &[("code_verifier", Some(&challenge))]).await, 400, "invalid_grant");
}

/// The request without a challenge is not begun, so that no verifier can be left out later.
async fn downgrade(bench: &Bench) {
    let party = bench.party("journal");
    let genuine = party.begin();
    for attempt in [
        genuine.clone().with("code_challenge", "").with("code_challenge_method", ""),
        genuine.clone().with("code_challenge_method", "plain").with("code_challenge", &genuine.verifier),
        genuine.clone().with("code_challenge_method", "S512"),
        genuine.clone().with("code_challenge", &"A".repeat(42)),
    ] {
        let browser = bench.federation.browser();
        let sent = browser.open(bench.port(), &attempt.path()).await;
        let returned = party.returned(&bench.federation.issuer, &attempt, &sent.location());
        assert_eq!(returned, relying_party::Returned::Error("invalid_request".into()));
        assert!(browser.cookies().is_empty(), "no login began");
    }
    bench.ends_well(bench.genuine("assert").await).await;
}

async fn other_grants(bench: &Bench) {
    for grant in [
        "refresh_token",
        "client_credentials",
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        changed(bench, &[("grant_type", Some(grant))], 400, "unsupported_grant_type").await;
    }
    changed(bench, &[("grant_type", None)], 400, "invalid_request").await;
}

/// Codes that are nearly one.
async fn shapes(bench: &Bench) {
    let walk = with_code(bench).await;
    let code = walk.outcome.code.clone();
    let turned = {
        let mut octets = URL_SAFE_NO_PAD.decode(&code).unwrap_or_else(|_| code.clone().into_bytes());
        octets[0] ^= 1;
        URL_SAFE_NO_PAD.encode(octets)
    };
    for other in
        [&code[1..], &format!("{code}A"), &format!("{code} "), &code.to_uppercase(), &turned, "../x", "*"]
    {
        refused(&redeemed(bench, &walk, &[("code", Some(other))]).await, 400, "invalid_grant");
    }
    refused(&redeemed(bench, &walk, &[("code", None)]).await, 400, "invalid_request");
    bench.ends_well(walk).await;
}

/// Parameters twice, in the address, or of another type.
async fn carried(bench: &Bench) {
    let walk = with_code(bench).await;
    let body = |code: &str| {
        encoded(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &walk.party.redirect_uri),
            ("code_verifier", &walk.attempt.verifier),
        ])
    };
    let code = &walk.outcome.code;
    refused(
        &posted(bench, &walk, "/oidc/token", format!("{}&code=x", body(code))).await,
        400,
        "invalid_request",
    );
    refused(
        &posted(bench, &walk, "/oidc/token", format!("{}&unknown=1&unknown=2", body(code))).await,
        400,
        "invalid_request",
    );
    refused(
        &posted(bench, &walk, &format!("/oidc/token?{}", body(code)), String::new()).await,
        400,
        "invalid_request",
    );
    let get = bench.raw(&walk, "GET", &format!("/oidc/token?{}", body(code)), &[], String::new()).await;
    assert_eq!(get.reply.status, 405);
    let json = serde_json::json!({ "grant_type": "authorization_code", "code": code }).to_string();
    let sent = bench.raw(&walk, "POST", "/oidc/token", &[("content-type", "application/json")], json).await;
    refused(&sent.reply, 400, "invalid_request");
    bench.ends_well(walk).await;
}

/// A code is no access token and the other way round; a token in an address is none.
async fn confused(bench: &Bench) {
    let mut walk = with_code(bench).await;
    let federation = &bench.federation;
    let at = |token: String| async move {
        relying_party::userinfo(&federation.wire, bench.port(), &federation.issuer, &token).await
    };
    assert_eq!(at(walk.outcome.code.clone()).await.status, 401);
    walk.step(bench.port()).await;
    let Next::Userinfo(token) = walk.next.clone() else { panic!("a token") };
    refused(&redeemed(bench, &walk, &[("code", Some(&token))]).await, 400, "invalid_grant");
    for wrong in [format!("{token}A"), token[1..].to_owned(), "null".to_owned(), token.to_lowercase()] {
        let reply = at(wrong).await;
        assert_eq!(reply.status, 401);
        assert!(reply.body.is_empty(), "nothing is said");
    }
    // RFC 6750 3.1: no token where tokens go, or one where they do not.
    let address = format!("/oidc/userinfo?access_token={token}");
    let sent = bench.raw(&walk, "GET", &address, &[], String::new()).await;
    assert!([400, 401].contains(&sent.reply.status.as_u16()) && sent.reply.body.is_empty());
    for scheme in ["Basic", "DPoP", "bearer2", ""] {
        let value = format!("{scheme} {token}");
        let sent =
            bench.raw(&walk, "GET", "/oidc/userinfo", &[("authorization", &value)], String::new()).await;
        assert!([400, 401].contains(&sent.reply.status.as_u16()) && sent.reply.body.is_empty(), "{scheme}");
    }
    bench.ends_well(walk).await;
}

/// No script of another site reads what the token endpoint or userinfo says.
async fn cross_origin(bench: &Bench) {
    let walk = with_code(bench).await;
    let headers = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    for path in ["/oidc/token", "/oidc/userinfo", "/oidc/authorize", "/saml/acs"] {
        let sent = bench.raw(&walk, "OPTIONS", path, &headers, String::new()).await;
        assert!(sent.reply.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none(), "{path}");
    }
    bench.ends_well(walk).await;
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a code twice",
        source: "RFC 6749 section 4.1.2, ASVS 10.4.2",
        run: |bench| Box::pin(twice(bench)),
    },
    Scenario {
        name: "a code twelve times at once",
        source: "RFC 6749 section 4.1.2",
        run: |bench| Box::pin(at_once(bench)),
    },
    Scenario {
        name: "a code with another relying party",
        source: "RFC 6749 section 4.1.3",
        run: |bench| Box::pin(another_client(bench)),
    },
    Scenario {
        name: "a code without the relying party's proof",
        source: "ASVS 10.4.10",
        run: |bench| Box::pin(unproven(bench)),
    },
    Scenario {
        name: "a code with another redirect_uri",
        source: "RFC 6749 section 4.1.3",
        run: |bench| Box::pin(other_address(bench)),
    },
    Scenario {
        name: "a code with another verifier or none",
        source: "RFC 7636 section 4.6",
        run: |bench| Box::pin(verifier(bench)),
    },
    Scenario {
        name: "PKCE downgrade",
        source: "RFC 9700 section 4.8.2, ASVS 10.4.6",
        run: |bench| Box::pin(downgrade(bench)),
    },
    Scenario { name: "other grants", source: "ASVS 10.4.4", run: |bench| Box::pin(other_grants(bench)) },
    Scenario {
        name: "codes that are nearly one",
        source: "RFC 6749 section 10.10",
        run: |bench| Box::pin(shapes(bench)),
    },
    Scenario {
        name: "token parameters twice, in the address, as JSON",
        source: "RFC 6749 section 3.2",
        run: |bench| Box::pin(carried(bench)),
    },
    Scenario {
        name: "a code as access token, a token as code, a token in an address",
        source: "RFC 9700 section 4.3.2",
        run: |bench| Box::pin(confused(bench)),
    },
    Scenario {
        name: "cross-origin reading",
        source: "RFC 9700 section 2.6; no CORS at authorize",
        run: |bench| Box::pin(cross_origin(bench)),
    },
];
