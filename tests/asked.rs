//! What a relying party can ask for beside a plain login, over a broker that runs: hints, silence, certain people, certain values, a message.
//! Each parameter's own rules are tested in `broker-oidc`; here is that they hold through the browser, the provider and the store.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_saml::status::SecondLevel;
use serde_json::json;
use tests::{
    browser::Page,
    federation::{Federation, Plan},
    person::Person,
    relying_party::{RelyingParty, Returned},
    walk::Walk,
};

const UNCERTIFIED3: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";
const MESSAGE: &str = "https://id.oidc.se/param/userMessage";
const AFFILIATION: &str = "https://id.oidc.se/claim/orgAffiliation";

fn quiet() -> Plan {
    Plan { notice: false, ..Plan::default() }
}

/// What the authorization request is answered with at once.
async fn answered_at_once(walk: &Walk<'_>) -> Returned {
    let federation = walk.federation;
    let page = walk.browser.open(federation.port(), &walk.attempt.path()).await;
    walk.party.returned(&federation.issuer, &walk.attempt, &page.location())
}

fn error(code: &str) -> Returned {
    Returned::Error(code.to_owned())
}

/// A whole login, and the ID token as it came.
async fn signed_in(federation: &Federation, person: Person) -> (String, serde_json::Value) {
    let port = federation.port();
    let mut walk = Walk::new(federation, person);
    walk.until("redeem", port).await;
    let code = walk.outcome.code.clone();
    let reply = walk.party.redeem(&walk.wire, port, &federation.issuer, &walk.attempt, &code).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let keys = federation.oidc_keys(port).await;
    let claims = walk.party.id_token(&federation.issuer, &walk.attempt, &keys, &reply.json());
    (reply.json()["id_token"].as_str().expect("an ID token").to_owned(), claims["sub"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_leads_to_the_organisation_and_stays_here() {
    let federation = Federation::start(quiet()).await;
    let person = Person::asa();
    let mut walk = Walk::new(&federation, person.clone());
    walk.attempt = walk.attempt.clone().with("login_hint", &person.mail);
    walk.step(federation.port()).await;
    assert_eq!(walk.next.name(), "assert", "no choice is shown");
    let url = walk.asked.as_ref().map(|asked| format!("{asked:?}")).expect("the provider was asked");
    assert!(!url.contains("asalill.bergviken"), "the hint is not sent on");
    let _ = walk.finish(federation.port()).await;
    assert!(!federation.logs().contains("asalill.bergviken"), "nor is it logged");
    let mut walk = Walk::new(&federation, person);
    walk.attempt = walk.attempt.clone().with("login_hint", "asa@somewhere.example");
    walk.step(federation.port()).await;
    assert_eq!(walk.next.name(), "choose", "a hint that says nothing changes nothing");
    let mut walk = Walk::new(&federation, Person::asa());
    walk.attempt = walk.attempt.clone().with("login_hint", "2120009903").with("prompt", "select_account");
    walk.step(federation.port()).await;
    assert_eq!(walk.next.name(), "choose", "who asks for the choice gets it");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_person_who_is_expected_is_let_through() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let (token, sub) = signed_in(&federation, Person::numbered(1)).await;
    let by_claims = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
    for (name, value) in [("id_token_hint", &token), ("claims", &by_claims)] {
        let mut walk = Walk::new(&federation, Person::numbered(1));
        walk.attempt = walk.attempt.clone().with(name, value);
        assert_eq!(walk.finish(port).await.id_token["sub"], sub, "{name}: the same person");
        let mut walk = Walk::new(&federation, Person::numbered(2));
        walk.attempt = walk.attempt.clone().with(name, value);
        walk.until("assert", port).await;
        let tests::walk::Next::Assert(form) = walk.next.clone() else { panic!("at the provider") };
        let sent = walk.browser.submit(port, &form).await;
        let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
        assert_eq!(code, "policy.subject_mismatch", "{name}: somebody else");
    }
    assert!(!federation.logs().contains(sub.as_str().expect("a text")), "nobody is named in the log");
    let mut walk = Walk::new(&federation, Person::asa());
    walk.attempt = walk.attempt.clone().with("id_token_hint", &format!("{token}x"));
    assert_eq!(answered_at_once(&walk).await, error("invalid_request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_refused_at_once_where_something_must_be_shown() {
    for (notice, named, told) in [
        (true, true, Some("interaction_required")),
        (false, false, Some("interaction_required")),
        (false, true, None),
    ] {
        let federation = Federation::start(Plan { notice, ..Plan::default() }).await;
        let mut walk = Walk::new(&federation, Person::asa());
        walk.attempt = walk.attempt.clone().with("prompt", "none");
        if named {
            walk = walk.naming_the_provider();
        }
        match told {
            Some(told) => assert_eq!(answered_at_once(&walk).await, error(told), "{notice} {named}"),
            None => {
                walk.until("assert", federation.port()).await;
                let asked = walk.asked.as_ref().expect("the provider was asked");
                assert!(asked.request.is_passive && !asked.request.force_authn);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_not_hers_is_left_out_and_never_seen() {
    let federation = Federation::start(quiet()).await;
    let person = Person::asa();
    for (value, comes) in [(person.org_affiliation.as_str(), true), ("somebody@2120009903", false)] {
        let mut walk = Walk::new(&federation, person.clone());
        let claims = json!({ "id_token": { AFFILIATION: { "essential": true, "value": value } } });
        walk.attempt = walk.attempt.clone().with("claims", &claims.to_string());
        let outcome = walk.finish(federation.port()).await;
        assert_eq!(outcome.id_token.contains_key(AFFILIATION), comes, "{value}");
        assert_eq!(outcome.userinfo.contains_key(AFFILIATION), comes, "{value}");
    }
    let logs = federation.logs();
    assert!(!logs.contains("somebody@") && !logs.contains(&person.org_affiliation));
}

/// A provider that knows no levels: it refuses whatever names one, and signs in whoever is asked for without.
async fn where_levels_are_refused(walk: &mut Walk<'_>, port: u16) -> Page {
    walk.until("assert", port).await;
    let asked = walk.asked.clone().expect("the provider was asked");
    assert!(!asked.request.authn_contexts.is_empty(), "levels are asked for");
    walk.browser.submit(port, &walk.provider.refuse(&asked, SecondLevel::NoAuthnContext)).await
}

fn lines(federation: &Federation, message: &str) -> usize {
    federation.nodes[0].log_lines().iter().filter(|line| line["message"] == message).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_is_wished_for_fails_no_login_at_a_provider_that_refuses_it() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    for silent in [false, true] {
        let mut walk = Walk::new(&federation, Person::asa()).naming_the_provider();
        walk.attempt = walk.attempt.clone().with("acr_values", UNCERTIFIED3);
        if silent {
            walk.attempt = walk.attempt.clone().with("prompt", "none");
        }
        let page = where_levels_are_refused(&mut walk, port).await;
        let first = walk.asked.clone().expect("asked");
        let refused = walk.next.clone();
        walk.arrive(port, &page).await;
        let second = walk.asked.clone().expect("asked again");
        assert!(second.request.authn_contexts.is_empty(), "without levels");
        assert_eq!(second.request.is_passive, silent);
        assert_ne!(second.request.id, first.request.id, "a trip of its own");
        // The first trip is over: neither its refusal nor a genuine answer to it does anything any more.
        let tests::walk::Next::Assert(late) = refused else { panic!("at the provider") };
        for form in [walk.provider.refuse(&first, SecondLevel::NoAuthnContext), late] {
            let sent = walk.browser.submit(port, &form).await;
            let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
            assert_eq!(code, "browser.page_expired");
        }
        let outcome = walk.finish(port).await;
        assert_eq!(outcome.id_token["acr"], UNCERTIFIED3, "and the level that came is told");
    }
    assert_eq!(lines(&federation, "asked again without levels"), 2);
    assert_eq!(
        lines(&federation, "login"),
        4 + 2,
        "one line for each that was refused, and for each that ended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_asked_again_once_and_never_for_what_is_demanded() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let told = |walk: &Walk<'_>, page: &Page| {
        walk.party.returned(&federation.issuer, &walk.attempt, &page.location())
    };
    let mut walk = Walk::new(&federation, Person::asa()).naming_the_provider();
    walk.attempt = walk.attempt.clone().with("acr_values", UNCERTIFIED3);
    let page = where_levels_are_refused(&mut walk, port).await;
    walk.arrive(port, &page).await;
    let asked = walk.asked.clone().expect("asked again");
    let page = walk.browser.submit(port, &walk.provider.refuse(&asked, SecondLevel::NoAuthnContext)).await;
    assert_eq!(
        told(&walk, &page),
        error("unmet_authentication_requirements"),
        "it is not asked a third time"
    );
    let mut walk = Walk::new(&federation, Person::asa()).naming_the_provider();
    let demand = json!({ "id_token": { "acr": { "essential": true, "value": UNCERTIFIED3 } } });
    walk.attempt = walk.attempt.clone().with("claims", &demand.to_string());
    let page = where_levels_are_refused(&mut walk, port).await;
    assert_eq!(told(&walk, &page), error("unmet_authentication_requirements"));
    assert_eq!(lines(&federation, "asked again without levels"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_must_end_with_a_level_does_or_is_told_so() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let demand = json!({ "id_token": { "acr": { "essential": true } } }).to_string();
    let mut walk = Walk::new(&federation, Person::asa()).naming_the_provider();
    walk.attempt = walk.attempt.clone().with("claims", &demand);
    walk.until("assert", port).await;
    let mut answer = walk.answer();
    answer.authn_context = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport".into();
    let form = walk.provider.issue(walk.asked.as_ref().expect("asked"), &answer);
    let sent = walk.browser.submit(port, &form).await;
    let (page, _, code) = federation.refused(&walk.browser, port, &sent).await;
    assert_eq!(code, "policy.assurance_too_low");
    let told = walk.party.returned(&federation.issuer, &walk.attempt, &page.first_button());
    assert_eq!(told, error("unmet_authentication_requirements"));
    assert!(walk.finish(port).await.id_token.contains_key("acr"), "the genuine answer has one");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relying_partys_words_stand_on_the_choice_and_on_the_notice() {
    let federation = Federation::start(Plan::default()).await;
    let port = federation.port();
    let message = |text: &str| json!({ "message#sv": STANDARD.encode(text) }).to_string();
    let mut walk = Walk::new(&federation, Person::asa());
    walk.attempt =
        walk.attempt.clone().with(MESSAGE, &message("Du ska signera ärende 7.")).with("ui_locales", "sv");
    let choice = walk.browser.open(port, &walk.attempt.path()).await.reply.text();
    for part in ["Tjänsten journal", "hälsar:", "<q>Du ska signera ärende 7.</q>"] {
        assert!(choice.contains(part), "{part} in {choice}");
    }
    walk.until("notice", port).await;
    let tests::walk::Next::Notice(address) = walk.next.clone() else { panic!("at the notice") };
    let notice = walk.browser.open(port, &address).await.reply.text();
    assert!(notice.contains("<q>Du ska signera ärende 7.</q>"), "{notice}");
    assert!(!federation.logs().contains("signera"));
    walk.attempt = walk.attempt.clone().with(MESSAGE, &message("Gå till evil.example"));
    assert_eq!(answered_at_once(&walk).await, error("invalid_request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_assertion_is_used_once_over_both_nodes() {
    let party = RelyingParty::with_key("signed");
    let federation = Federation::start(Plan { nodes: 2, relying_parties: vec![party], ..quiet() }).await;
    let ports = [federation.nodes[0].port(), federation.nodes[1].port()];
    for number in 0..20 {
        let mut walk = Walk::new(&federation, Person::numbered(number));
        walk.until("redeem", ports[0]).await;
        let code = walk.outcome.code.clone();
        // One request, octet by octet the same: with it a good answer for the code, and the second one must not even be asked for its code.
        let request = walk.party.token_request(&federation.issuer, &walk.attempt, &code);
        let (one, other) = tokio::join!(
            walk.wire.send(ports[0], request.clone()),
            walk.wire.send(ports[1], request.clone()),
        );
        let mut told: Vec<(u16, String)> = [one, other]
            .into_iter()
            .map(|reply| reply.expect("an answer"))
            .map(|reply| {
                (reply.status.as_u16(), reply.json()["error"].as_str().unwrap_or_default().to_owned())
            })
            .collect();
        told.sort();
        assert_eq!(told, [(200, String::new()), (401, "invalid_client".into())], "attempt {number}");
        let again = walk.wire.send(ports[number % 2], request).await.expect("an answer");
        assert_eq!(again.status, 401);
    }
}
