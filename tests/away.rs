//! The store goes away and comes back; a node starts alone. Design section 8: documents serve, a login is told so, service resumes by itself.

use std::time::Duration;

use http::header::RETRY_AFTER;
use tests::{
    federation::{Federation, Plan, eventually},
    node::Node,
    person::Person,
    walk::Walk,
};

const DOCUMENTS: [&str; 4] = ["/.well-known/openid-configuration", "/oidc/jwks", "/saml/metadata", "/"];

/// Registered again what an emptied Redis server has lost is not the subject here: the server is paused instead.
fn signal(process_id: u32, signal: &str) {
    let status = std::process::Command::new("kill").args([signal, &process_id.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "no signal could be sent");
}

async fn documents_serve(federation: &Federation, port: u16) {
    for path in DOCUMENTS {
        assert_eq!(federation.document(port, path).await.status, 200, "{path}");
    }
}

/// A login is answered by a page that says so, with 503 and when to come back.
async fn says_that_the_store_is_away(federation: &Federation, port: u16) {
    let browser = federation.browser();
    let sent = browser.open(port, &federation.party().begin().path()).await;
    let (page, _, code) = federation.refused(&browser, port, &sent).await;
    assert_eq!(page.reply.status, 503);
    assert!(page.reply.header(RETRY_AFTER).parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert!(["broker.store_away", "broker.registry_stale"].contains(&code.as_str()), "{code}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_gone_documents_serve_and_logins_are_told_and_then_it_goes_on_by_itself() {
    let mut federation = Federation::start(Plan { nodes: 2, notice: false, ..Plan::default() }).await;
    let port = federation.port();
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
    // One login is under way when it happens, and one is at the token endpoint.
    let snapshot = federation.redis.as_ref().expect("Redis").snapshot();
    let mut under_way = Walk::new(&federation, Person::asa());
    under_way.until("redeem", port).await;
    let tests::walk::Next::Redeem(code) = under_way.next.clone() else { panic!("at the token endpoint") };
    let (attempt, party) = (under_way.attempt.clone(), federation.party().clone());
    drop(under_way);
    federation.redis.as_mut().expect("Redis").kill();
    for node in &federation.nodes {
        documents_serve(&federation, node.port()).await;
        says_that_the_store_is_away(&federation, node.port()).await;
    }
    let reply = party.redeem(&federation.wire, port, &federation.issuer, &attempt, &code).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(!reply.header(RETRY_AFTER).is_empty());
    let redis = federation.redis.as_mut().expect("Redis");
    redis.again();
    redis.restore(&snapshot);
    let port = federation.nodes[1].port();
    eventually("a login begins", Duration::from_secs(15), || async {
        let page = federation.browser().open(port, &federation.party().begin().path()).await;
        page.reply.status == 200
    })
    .await;
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_falls_silent_is_as_one_that_is_gone() {
    let federation = Federation::start(Plan { notice: false, ..Plan::default() }).await;
    let port = federation.port();
    let process_id = federation.redis.as_ref().expect("Redis").process_id();
    signal(process_id, "-STOP");
    let browser = federation.browser();
    let attempt = federation.party().begin();
    let path = attempt.path();
    let sent = tokio::time::timeout(Duration::from_secs(10), browser.open(port, &path)).await;
    documents_serve(&federation, port).await;
    signal(process_id, "-CONT");
    let (page, _, code) = federation.refused(&browser, port, &sent.expect("an answer in time")).await;
    assert_eq!((page.reply.status.as_u16(), code.as_str()), (503, "broker.store_away"));
    federation.nodes[0].well().await;
    // What was on its way to the store while it was silent may still run into its time limit.
    eventually("a login begins", Duration::from_secs(15), || async {
        let page = federation.browser().open(port, &federation.party().begin().path()).await;
        page.reply.status == 200
    })
    .await;
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_without_the_store_knows_the_last_good_registry() {
    let mut federation = Federation::start(Plan { notice: false, ..Plan::default() }).await;
    let (port, config) = (federation.port(), federation.nodes[0].config().to_owned());
    let snapshot = federation.redis.as_ref().expect("Redis").snapshot();
    federation.redis.as_mut().expect("Redis").kill();
    federation.nodes[0].kill_hard();
    federation.nodes[0] = Node::start_alone(port, &config).await;
    for path in ["/.well-known/openid-configuration", "/saml/metadata", "/"] {
        assert_eq!(federation.document(port, path).await.status, 200, "{path}");
    }
    let health = federation.document(port, "/health").await;
    assert_eq!(health.status, 503);
    assert!(health.json()["revision"].as_u64().is_some_and(|revision| revision > 0), "{}", health.text());
    says_that_the_store_is_away(&federation, port).await;
    let redis = federation.redis.as_mut().expect("Redis");
    redis.again();
    redis.restore(&snapshot);
    federation.nodes[0].well().await;
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
}
