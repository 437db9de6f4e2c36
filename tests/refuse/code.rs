//! Codes in hands that they were not given to, and in the right ones twice. Neighbour: `../refuse.rs` walks there.

use tests::{
    browser::encoded,
    leak,
    person::Person,
    relying_party::{self, Authentication},
    walk::Walk,
    wire::Reply,
};

use super::{codes, ends_well, federation, nothing_is_told};

fn assert_oauth_error(reply: &Reply, status: u16, error: &str) {
    assert_eq!(
        (reply.status.as_u16(), reply.json()["error"].as_str()),
        (status, Some(error)),
        "{}",
        reply.text()
    );
    for token in ["access_token", "id_token"] {
        assert!(reply.json().get(token).is_none(), "{token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_worth_nothing_to_another_client_with_another_verifier_or_twice() {
    let federation = federation().await;
    let (port, wire, issuer) = (federation.port(), &federation.wire, &federation.issuer);
    let with_code = async || {
        let mut walk = Walk::new(&federation, Person::asa());
        walk.until("redeem", port).await;
        let code = walk.outcome.code.clone();
        (walk, code)
    };
    // Another client, which proves who it is, also with all that belongs to the code: it stays good for its owner.
    let (walk, code) = with_code().await;
    let other = &federation.relying_parties[1];
    assert_oauth_error(&other.redeem(wire, port, issuer, &walk.attempt, &code).await, 400, "invalid_grant");
    let mut posing = other.clone();
    posing.redirect_uri.clone_from(&walk.party.redirect_uri);
    assert_oauth_error(&posing.redeem(wire, port, issuer, &walk.attempt, &code).await, 400, "invalid_grant");
    // Nobody in particular.
    let mut impostor = federation.party().clone();
    impostor.authentication = Authentication::Basic("fel".into());
    assert_oauth_error(
        &impostor.redeem(wire, port, issuer, &walk.attempt, &code).await,
        401,
        "invalid_client",
    );
    let bare = encoded(&[
        ("grant_type", "authorization_code"),
        ("client_id", &walk.party.client_id),
        ("code", &code),
        ("redirect_uri", &walk.party.redirect_uri),
        ("code_verifier", &walk.attempt.verifier),
    ]);
    let reply = federation.browser().post(port, "/oidc/token", &bare).await.reply;
    assert_oauth_error(&reply, 401, "invalid_client");
    let attempt = walk.attempt.clone();
    nothing_is_told(&walk);
    let outcome = walk.finish(port).await;
    // Twice: the second time is refused, and ends what the first was given.
    let reply = relying_party::userinfo(wire, port, issuer, &outcome.access_token).await;
    assert_eq!(reply.status, 200);
    let reply = federation.party().redeem(wire, port, issuer, &attempt, &outcome.code).await;
    assert_oauth_error(&reply, 400, "invalid_grant");
    let reply = relying_party::userinfo(wire, port, issuer, &outcome.access_token).await;
    assert_eq!(reply.status, 401);
    assert!(reply.body.is_empty());
    assert_eq!(
        codes(&federation),
        [
            "relying_party.code_invalid",
            "relying_party.code_invalid",
            "relying_party.authentication_failed",
            "relying_party.authentication_failed",
            "relying_party.code_invalid",
            "relying_party.token_invalid",
        ]
    );
    assert_eq!(leak::in_logs(&federation, &[outcome.code, outcome.access_token]), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_without_what_belongs_to_it_is_spent_at_the_first_attempt() {
    let federation = federation().await;
    let (port, wire, issuer, party) =
        (federation.port(), &federation.wire, &federation.issuer, federation.party());
    let with_code = async || {
        let mut walk = Walk::new(&federation, Person::asa());
        walk.until("redeem", port).await;
        walk
    };
    let another = party.begin().verifier;
    for verifier in [another.as_str(), &another[..42], ""] {
        let walk = with_code().await;
        let mut attempt = walk.attempt.clone();
        attempt.verifier = verifier.to_owned();
        let reply = party.redeem(wire, port, issuer, &attempt, &walk.outcome.code).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(reply.json().get("access_token").is_none());
        nothing_is_told(&walk);
    }
    let walk = with_code().await;
    let mut attempt = walk.attempt.clone();
    attempt.verifier = another;
    assert_oauth_error(
        &party.redeem(wire, port, issuer, &attempt, &walk.outcome.code).await,
        400,
        "invalid_grant",
    );
    let genuine = party.redeem(wire, port, issuer, &walk.attempt, &walk.outcome.code).await;
    assert_oauth_error(&genuine, 400, "invalid_grant");
    let walk = with_code().await;
    let mut elsewhere = party.clone();
    elsewhere.redirect_uri = "https://evil.example/callback".into();
    let reply = elsewhere.redeem(wire, port, issuer, &walk.attempt, &walk.outcome.code).await;
    assert_oauth_error(&reply, 400, "invalid_grant");
    nothing_is_told(&walk);
    ends_well(with_code().await).await;
}
