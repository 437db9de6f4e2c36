//! Whole logins: what the relying party has in the end, by every way that leads there, over any nodes. Neighbours: `refuse.rs` has what must
//! not go well, `away.rs` what happens while the store is gone.

use std::time::Duration;

use broker_saml::status::SecondLevel;
use certs::xml_encryption::{BlockCipher, Encryption};
use serde_json::json;
use tests::{
    federation::{Federation, Plan, eventually, every_kind},
    node::Node,
    person::Person,
    relying_party::{RelyingParty, Returned},
    walk::{Outcome, Walk},
};

/// `loa3` as a broker says it whose assertion function has not been reviewed.
const LEAVING_LEVEL: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";

fn claim(name: &str) -> String {
    format!("https://id.oidc.se/claim/{name}")
}

/// Exactly what was asked for and is allowed, and nothing else.
fn assert_claims(outcome: &Outcome, person: &Person, party: &RelyingParty) {
    let mut id_token = outcome.id_token.clone();
    for checked in ["iss", "aud", "nonce", "iat", "exp", "at_hash"] {
        assert!(id_token.remove(checked).is_some(), "{checked} is missing");
    }
    let authenticated_at = id_token.remove("auth_time").and_then(|value| value.as_i64()).expect("auth_time");
    let ago = tests::chance::now().0 - authenticated_at;
    assert!((10..120).contains(&ago), "auth_time is when the provider authenticated her: {ago} s ago");
    let sub = id_token.remove("sub").expect("sub");
    assert_eq!(
        serde_json::Value::Object(id_token),
        json!({ "acr": LEAVING_LEVEL, claim("orgAffiliation"): person.org_affiliation })
    );
    let mut userinfo = outcome.userinfo.clone();
    if party.signed_userinfo {
        userinfo.retain(|name, _| !["iss", "aud", "iat", "exp"].contains(&name.as_str()));
    }
    assert_eq!(
        serde_json::Value::Object(userinfo),
        json!({
            "sub": sub,
            "name": person.display_name,
            "family_name": person.surname,
            "given_name": person.given_name,
            "email": person.mail,
            claim("orgName"): "Granviks kommun",
            claim("orgNumber"): "2120009903",
            claim("orgAffiliation"): person.org_affiliation,
        })
    );
    let sub = sub.as_str().expect("a text");
    assert!(person.values().iter().all(|value| !sub.contains(value.as_str())), "sub says nothing: {sub}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_signs_in_by_choice_and_notice() {
    let federation = Federation::start(Plan::default()).await;
    let person = Person::asa();
    let walk = Walk::new(&federation, person.clone());
    let outcome = walk.finish(federation.port()).await;
    assert_claims(&outcome, &person, federation.party());
    let lines = federation.nodes[0].log_lines();
    let signed_in: Vec<_> = lines.iter().filter(|line| line["outcome"] == "signed_in").collect();
    assert_eq!(signed_in.len(), 1);
    assert_eq!(signed_in[0]["relying_party"], "journal");
    assert!(federation.nodes[0].refusals().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_proving_who_asks_leads_to_the_same_claims() {
    let federation =
        Federation::start(Plan { notice: false, relying_parties: every_kind(), ..Plan::default() }).await;
    let person = Person::asa();
    let mut subjects = Vec::new();
    for party in &federation.relying_parties {
        let walk = Walk::between(&federation, party, &federation.granvik, person.clone());
        let outcome = walk.finish(federation.port()).await;
        assert_claims(&outcome, &person, party);
        subjects.push(outcome.userinfo["sub"].to_string());
    }
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), federation.relying_parties.len(), "each service knows her by another name");
    let again = Walk::new(&federation, person.clone()).finish(federation.port()).await;
    assert!(subjects.contains(&again.userinfo["sub"].to_string()), "and always by the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_the_service_names_is_not_chosen_again() {
    let federation = Federation::start(Plan::default()).await;
    let mut walk = Walk::new(&federation, Person::asa()).naming_the_provider();
    walk.step(federation.port()).await;
    assert_eq!(walk.next.name(), "assert");
    let _ = walk.finish(federation.port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_takes_post_and_signs_the_assertion_alone() {
    let federation = Federation::start(Plan { ec: true, ..Plan::default() }).await;
    let mut person = Person::asa();
    person.org_affiliation = "omli@2321009900".into();
    person.subject_id = "omli@fjorden.localhost".into();
    person.mail = "omli@fjorden.localhost".into();
    let mut walk = Walk::between(&federation, federation.party(), &federation.fjorden, person.clone());
    walk.until("assert", federation.port()).await;
    // Fjorden may not say personal numbers, and one that says them all the same is not listened to in that.
    let outcome = walk.finish(federation.port()).await;
    assert_eq!(outcome.userinfo[&claim("orgName")], "Region Fjorden");
    assert_eq!(outcome.userinfo["name"], person.display_name.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_encrypts_in_gcm_and_in_cbc() {
    let mut federation = Federation::start(Plan::default()).await;
    let person = Person::asa();
    for cipher in [BlockCipher::Aes256Gcm, BlockCipher::Aes128Cbc] {
        federation.granvik.encrypts = Some(Encryption { cipher, ..Encryption::default() });
        let outcome = Walk::new(&federation, person.clone()).finish(federation.port()).await;
        assert_claims(&outcome, &person, federation.party());
    }
    assert!(federation.nodes[0].refusals().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_on_the_embedded_store() {
    let federation = Federation::start(Plan { nodes: 0, ..Plan::default() }).await;
    let person = Person::asa();
    assert_claims(
        &Walk::new(&federation, person.clone()).finish(federation.port()).await,
        &person,
        federation.party(),
    );
    // The file is the node's while it serves; the command goes through it.
    let late = RelyingParty::with_basic("sen");
    federation.register(&late);
    becomes_live(&federation, &late).await;
    let walk = Walk::between(&federation, &late, &federation.granvik, person.clone());
    assert_claims(&walk.finish(federation.port()).await, &person, &late);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_take_turns_within_one_login() {
    let federation = Federation::start(Plan { nodes: 2, ..Plan::default() }).await;
    let person = Person::asa();
    for first in [0, 1] {
        let mut walk = Walk::new(&federation, person.clone());
        let mut turn = first;
        while walk.next.name() != "done" {
            walk.step(federation.nodes[turn % 2].port()).await;
            turn += 1;
        }
        assert_claims(&walk.outcome, &person, federation.party());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_well_when_its_node_is_killed_between_any_two_requests() {
    let mut federation = Federation::start(Plan { nodes: 2, ..Plan::default() }).await;
    let person = Person::asa();
    for cut in ["choose", "assert", "notice", "accept", "redeem", "userinfo"] {
        // What the walk borrows is given back for the kill: the login itself is all in the browser and the store.
        let id = federation.nodes[0].process_id();
        let mut walk = Walk::new(&federation, person.clone());
        walk.until(cut, federation.nodes[0].port()).await;
        kill(id);
        let outcome = walk.finish(federation.nodes[1].port()).await;
        assert_claims(&outcome, &person, federation.party());
        federation.nodes[0].kill_hard();
        federation.restart(0).await;
    }
}

/// SIGKILL, by number.
fn kill(process_id: u32) {
    let status = std::process::Command::new("kill").args(["-9", &process_id.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "the node could not be killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_forgets_relay_state_is_understood() {
    let federation = Federation::start(Plan::default()).await;
    let mut walk = Walk::new(&federation, Person::asa());
    walk.drop_relay_state = true;
    walk.until("assert", federation.port()).await;
    assert_eq!(walk.asked.as_ref().and_then(|asked| asked.relay_state.clone()), None);
    let _ = walk.finish(federation.port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_registered_and_removed_counts_on_every_node_within_two_seconds() {
    let federation = Federation::start(Plan { nodes: 2, notice: false, ..Plan::default() }).await;
    let late = RelyingParty::with_basic("sen");
    for node in &federation.nodes {
        assert!(!is_live(&federation, node, &late).await);
    }
    federation.register(&late);
    becomes_live(&federation, &late).await;
    let walk = Walk::between(&federation, &late, &federation.granvik, Person::asa());
    let _ = walk.finish(federation.nodes[1].port()).await;
    let _ = federation.command(&["metadata", "remove", "sen"]);
    for node in &federation.nodes {
        eventually("a removed relying party is unknown", TWO_SECONDS, || async {
            !is_live(&federation, node, &late).await
        })
        .await;
    }
    let listed = federation.command(&["metadata", "list", "--json"]);
    assert!(listed.contains("journal") && !listed.contains("\"sen\""), "{listed}");
}

/// The bound itself, and what a busy machine may add to it.
const TWO_SECONDS: Duration = Duration::from_millis(2_500);

async fn becomes_live(federation: &Federation, party: &RelyingParty) {
    for node in &federation.nodes {
        eventually("a relying party is live", TWO_SECONDS, || is_live(federation, node, party)).await;
    }
}

/// Whether a node knows a relying party: an error goes to its registered address, where an unknown one's stays on our page.
async fn is_live(federation: &Federation, node: &Node, party: &RelyingParty) -> bool {
    let attempt = party.begin().with("response_type", "none");
    let page = federation.browser().open(node.port(), &attempt.path()).await;
    page.location().starts_with(&party.redirect_uri)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_turns_back_is_said_to_the_service_as_access_denied() {
    let federation = Federation::start(Plan::default()).await;
    let port = federation.port();
    let denied = Returned::Error("access_denied".into());
    // At the choice.
    let mut walk = Walk::new(&federation, Person::asa());
    let page = walk.browser.open(port, &walk.attempt.path()).await;
    let cancel = page.links().into_iter().find(|link| link.ends_with("/cancel")).expect("a way back");
    let page = walk.browser.open(port, &cancel).await;
    assert_eq!(walk.party.returned(&federation.issuer, &walk.attempt, &page.first_button()), denied);
    // At the provider.
    walk = Walk::new(&federation, Person::asa());
    walk.until("assert", port).await;
    let form = walk.provider.refuse(walk.asked.as_ref().expect("asked"), SecondLevel::Cancel);
    let page = walk.browser.submit(port, &form).await;
    assert_eq!(walk.party.returned(&federation.issuer, &walk.attempt, &page.location()), denied);
    // At the notice.
    walk = Walk::new(&federation, Person::asa());
    walk.until("accept", port).await;
    let tests::walk::Next::Accept(mut form) = walk.next.clone() else { panic!("at the notice") };
    form.fields.retain(|(name, _)| name != "decision");
    let page = walk.browser.submit(port, &form.pressing("decision", "decline")).await;
    assert_eq!(walk.party.returned(&federation.issuer, &walk.attempt, &page.first_button()), denied);
    // Each has left its line, and nothing else has.
    let refusals = federation.nodes[0].refusals();
    let codes: Vec<_> = refusals.iter().filter_map(|line| line["code"].as_str()).collect();
    assert_eq!(codes, ["policy.notice_declined", "provider.cancelled", "policy.notice_declined"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_logins_in_one_browser_do_not_disturb_each_other() {
    let federation = Federation::start(Plan::default()).await;
    let port = federation.port();
    let mut one = Walk::new(&federation, Person::asa());
    one.until("assert", port).await;
    let mut other = Walk::new(&federation, Person::asa());
    other.browser.set_cookies(one.browser.cookies());
    other.until("accept", port).await;
    assert_eq!(other.browser.cookies().len(), 2);
    one.browser.set_cookies(other.browser.cookies());
    let _ = one.finish(port).await;
    let _ = other.finish(port).await;
}
