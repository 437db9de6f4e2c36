//! A suspension is one person's act, holds on every node within seconds, ends what is under way at every hop, and nothing but a deliberate act
//! lifts it.

use std::time::{Duration, Instant};

use broker_saml::idp::Signed;
use tests::{
    federation::{Federation, Plan},
    person::Person,
    program,
    provider::Provider,
    relying_party,
    walk::{Next, Walk},
};

/// The time within which every node knows (the issue this was built for says five seconds).
const WITHIN: Duration = Duration::from_secs(5);

async fn federation(notice: bool) -> Federation {
    Federation::start(Plan { nodes: 2, notice, ec: true, ..Plan::default() }).await
}

/// Runs a command that changes the registry, and waits until every node has its revision; how long that took from the command's end.
async fn made(federation: &Federation, words: &[&str]) -> Duration {
    let said = federation.command(words);
    let ended = Instant::now();
    let number: u64 = said
        .split("Revision ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("no revision: {said}"));
    let read = format!("\"revision\":{number}");
    while !federation.nodes.iter().all(|node| node.log().contains(&read)) {
        assert!(ended.elapsed() < Duration::from_secs(60), "revision {number} never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ended.elapsed()
}

fn key_of(provider: &Provider) -> String {
    provider.public_key().thumbprint().to_string()
}

const WHY: [&str; 4] = ["--reason", "seen on a list", "--as", "Ada"];

/// A login that stands before the request of that name.
async fn waiting<'f>(federation: &'f Federation, hop: &str, node: usize) -> Walk<'f> {
    let mut walk = Walk::new(federation, Person::asa());
    walk.until(hop, federation.nodes[node].port()).await;
    walk
}

/// Takes the next step on `node`, which must fail; the code in the log, and for what the relying party asks by itself the error it reads.
async fn refused(federation: &Federation, walk: &Walk<'_>, node: usize) -> String {
    let port = federation.nodes[node].port();
    match &walk.next {
        Next::Redeem(code) => {
            let reply = walk.party.redeem(&walk.wire, port, &federation.issuer, &walk.attempt, code).await;
            assert!(matches!(reply.status.as_u16(), 400 | 401), "{}", reply.text());
            reply.json()["error"].as_str().expect("an error").to_owned()
        }
        Next::Userinfo(token) => {
            let reply = relying_party::userinfo(&walk.wire, port, &federation.issuer, token).await;
            assert_eq!(reply.status, 401, "{}", reply.text());
            assert!(reply.body.is_empty(), "nothing of the person");
            "invalid_token".to_owned()
        }
        next => {
            let sent = match next {
                Next::Authorize => walk.browser.open(port, &walk.attempt.path()).await,
                Next::Choose(address) | Next::Notice(address) => walk.browser.open(port, address).await,
                Next::Assert(form) | Next::Accept(form) => walk.browser.submit(port, form).await,
                other => panic!("{other:?}"),
            };
            federation.refused(&walk.browser, port, &sent).await.2
        }
    }
}

/// Somebody signs in over every node.
async fn signs_in(federation: &Federation) {
    for node in &federation.nodes {
        let _ = Walk::new(federation, Person::asa()).naming_the_provider().finish(node.port()).await;
    }
}

const HOPS: [&str; 6] = ["choose", "assert", "notice", "accept", "redeem", "userinfo"];

/// Suspends by `words` while a login waits at each hop on each node, looks at what becomes of them, and lifts it by `lift`.
async fn at_every_hop(
    federation: &Federation,
    words: &[&str],
    lift: &[&str],
    code: &str,
    client_error: &str,
) {
    let mut walks = Vec::new();
    for node in 0..2 {
        for hop in HOPS {
            walks.push((node, waiting(federation, hop, node).await));
        }
    }
    let took = made(federation, &[words, &WHY].concat()).await;
    assert!(took < WITHIN, "{words:?} took {took:?}");
    for (node, walk) in &walks {
        let found = refused(federation, walk, *node).await;
        let expected = match walk.next.name() {
            "redeem" => client_error,
            "userinfo" => "invalid_token",
            _ => code,
        };
        assert_eq!(found, expected, "{words:?} at {} on node {node}", walk.next.name());
    }
    // Nobody begins, either.
    for node in 0..2 {
        let walk = Walk::new(federation, Person::asa()).naming_the_provider();
        if code == "relying_party.suspended" {
            continue;
        }
        assert_eq!(refused(federation, &walk, node).await, code, "{words:?}: a new login");
    }
    let _ = made(federation, &[lift, &WHY].concat()).await;
    signs_in(federation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_ends_a_login_at_every_hop_on_every_node() {
    let federation = federation(true).await;
    let (provider, key) = (federation.granvik.entity_id.clone(), key_of(&federation.granvik));
    signs_in_with_notice(&federation).await;
    for (words, lift, code, client_error) in [
        (
            vec!["suspend", "provider", &provider],
            vec!["resume", "provider", &provider],
            "policy.provider_suspended",
            "invalid_grant",
        ),
        (
            vec!["suspend", "organisation", "2120009903"],
            vec!["resume", "organisation", "2120009903"],
            "policy.organisation_suspended",
            "invalid_grant",
        ),
        (
            vec!["suspend", "key", &provider, "--key", &key[..16]],
            vec!["resume", "key", &key],
            "policy.key_suspended",
            "invalid_grant",
        ),
        (
            vec!["suspend", "relying-party", "journal"],
            vec!["resume", "relying-party", "journal"],
            "relying_party.suspended",
            "invalid_client",
        ),
    ] {
        at_every_hop(&federation, &words, &lift, code, client_error).await;
    }
}

async fn signs_in_with_notice(federation: &Federation) {
    let _ = Walk::new(federation, Person::asa()).finish(federation.port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_lifts_a_suspension_but_a_deliberate_act() {
    let mut federation = federation(false).await;
    let (provider, key) = (federation.granvik.entity_id.clone(), key_of(&federation.granvik));
    signs_in(&federation).await;
    let before = federation.command(&["revision", "list", "--json"]);
    let before: serde_json::Value = serde_json::from_str(&before).expect("JSON");
    let number = before[0]["number"].as_u64().expect("a number").to_string();
    let _ = made(&federation, &[&["suspend", "key", &provider, "--compromised"][..], &WHY].concat()).await;
    let closed = |federation: &Federation| {
        let listed = federation.command(&["suspend", "list"]);
        assert!(
            listed.contains(&key) && listed.contains("(compromised)") && listed.contains("Ada"),
            "{listed}"
        );
    };
    let config = federation.nodes[0].config().to_str().expect("UTF-8").to_owned();
    let attempt = |federation: &Federation, words: &[&str]| {
        let words = [words, &["--config", &config]].concat();
        program::attempt(federation.folder.path(), &words)
    };
    let refused_at_once = async |federation: &Federation| {
        for node in 0..2 {
            let walk = Walk::new(federation, Person::asa()).naming_the_provider();
            assert_eq!(refused(federation, &walk, node).await, "policy.key_suspended");
        }
    };
    refused_at_once(&federation).await;

    // The same key again: the same file, another certificate around it, and another provider that brings it.
    let folder = federation.folder.path().to_owned();
    std::fs::write(folder.join("again.xml"), federation.granvik.metadata()).expect("a file");
    let added = made(&federation, &["metadata", "add", "again.xml", "--organisation", "2120009903"]).await;
    assert!(added < WITHIN);
    refused_at_once(&federation).await;
    // An earlier revision.
    let _ = attempt(&federation, &["revision", "restore", &number]);
    closed(&federation);
    refused_at_once(&federation).await;
    // Nodes that start again.
    for node in 0..2 {
        federation.nodes[node].kill_hard();
        federation.restart(node).await;
    }
    refused_at_once(&federation).await;
    // A mark of compromise is not lifted in passing.
    let lift = attempt(&federation, &[&["resume", "key", &key][..], &WHY].concat());
    assert_eq!(lift.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&lift.stderr).contains("was marked compromised"), "{lift:?}");
    closed(&federation);
    // Twice is once, and who is unknown is not suspended.
    let again = attempt(&federation, &[&["suspend", "key", &provider, "--compromised"][..], &WHY].concat());
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let nobody =
        attempt(&federation, &[&["suspend", "provider", "https://nobody.localhost"][..], &WHY].concat());
    assert_eq!(nobody.status.code(), Some(1), "{nobody:?}");
    // Another key opens the provider again, and the guard does not stand in the way.
    let next = federation.granvik.with_next_key(true);
    std::fs::write(folder.join("next.xml"), next.metadata()).expect("a file");
    let _ = made(&federation, &["metadata", "add", "next.xml", "--organisation", "2120009903"]).await;
    let (party, port) = (federation.party(), federation.port());
    let walk = Walk::between(&federation, party, &next, Person::asa()).naming_the_provider();
    let _ = walk.finish(port).await;
    closed(&federation);
}

/// How many forgeries: in a build that is not optimised a tenth, unless `FORGED` says.
fn forgeries() -> usize {
    let named = std::env::var("FORGED").ok().and_then(|number| number.parse().ok());
    named.unwrap_or(if cfg!(debug_assertions) { 1_000 } else { 10_000 })
}

/// Whoever has the compromised key signs what they like: no code ever comes back.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_compromised_key_signed_comes_back() {
    let federation = federation(false).await;
    let provider = federation.granvik.entity_id.clone();
    let next = federation.granvik.with_next_key(true);
    std::fs::write(federation.folder.path().join("both.xml"), federation.granvik.metadata_with(&next))
        .expect("a file");
    let _ = made(&federation, &["metadata", "add", "both.xml", "--organisation", "2120009903"]).await;
    // Both keys sign people in, until one is marked.
    signs_in(&federation).await;
    let stolen = key_of(&federation.granvik);
    let took = made(
        &federation,
        &[&["suspend", "key", &provider, "--key", &stolen, "--compromised"][..], &WHY].concat(),
    )
    .await;
    assert!(took < WITHIN, "{took:?}");

    let total = forgeries();
    let mut posted = 0;
    while posted < total {
        let node = posted / 8 % 2;
        let port = federation.nodes[node].port();
        let mut walk =
            Walk::between(&federation, federation.party(), &next, Person::asa()).naming_the_provider();
        walk.until("assert", port).await;
        let asked = walk.asked.clone().expect("asked");
        // As many as are looked at for one login; then the genuine answer still goes through.
        for number in 0..8 {
            let mut answer = federation.granvik.answer(&asked, &Person::numbered(posted + number));
            answer.signed = if number % 2 == 0 { Signed::Response } else { Signed::Assertion };
            let sent = walk.browser.submit(port, &federation.granvik.issue(&asked, &answer)).await;
            let address = sent.location();
            assert!(!address.contains("code=") && address.starts_with("/"), "{address}");
        }
        posted += 8;
        let _ = walk.finish(port).await;
    }
    let refusals: Vec<_> = federation.nodes.iter().flat_map(tests::node::Node::refusals).collect();
    let by_signature = refusals.iter().filter(|line| line["code"] == "provider.signature_invalid").count();
    assert_eq!(by_signature, posted, "each was refused for its signature");
    println!("{posted} forged answers, none came back");
}
