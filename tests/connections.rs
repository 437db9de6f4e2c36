//! Employers open and close services to their staff: by default and by name, on every node within a minute, and for what is under way, too. A
//! service that asks for more gets what it got until somebody agrees.
//!
//! Neighbours: `broker_core::connection` has a test for each step of who decides.

use std::time::{Duration, Instant};

use serde_json::Value;
use tests::{
    federation::{Federation, Plan},
    person::Person,
    program, relying_party,
    walk::{Next, Outcome, Walk},
};

/// The time within which every node knows.
const WITHIN: Duration = Duration::from_secs(60);
const GRANVIK: &str = "2120009903";
const CLOSED: &str = "policy.connection_closed";

async fn federation() -> Federation {
    Federation::start(Plan { nodes: 2, notice: false, ec: true, ..Plan::default() }).await
}

/// Changes the registry by a command, and waits until every node has its revision; how long that took from the command's end.
async fn made(federation: &Federation, words: &[&str]) -> Duration {
    let said = federation.command(&[words, &["--as", "Ada", "--json"]].concat());
    let ended = Instant::now();
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    read(federation, &said["revision"], ended).await
}

async fn read(federation: &Federation, revision: &Value, since: Instant) -> Duration {
    let read = format!("\"revision\":{revision}");
    while !federation.nodes.iter().all(|node| node.log().contains(&read)) {
        assert!(since.elapsed() < WITHIN, "revision {revision} never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    since.elapsed()
}

/// A new login on a node.
fn login(federation: &Federation) -> Walk<'_> {
    Walk::new(federation, Person::asa()).naming_the_provider()
}

/// The code that a login which waits where the browser is fails with on a node.
async fn refused(federation: &Federation, walk: &Walk<'_>, node: usize) -> String {
    let port = federation.nodes[node].port();
    let sent = match &walk.next {
        Next::Authorize => walk.browser.open(port, &walk.attempt.path()).await,
        Next::Choose(address) => walk.browser.open(port, address).await,
        Next::Assert(form) => walk.browser.submit(port, form).await,
        other => panic!("{other:?}"),
    };
    federation.refused(&walk.browser, port, &sent).await.2
}

async fn told(federation: &Federation) -> Outcome {
    let mut last = Outcome::default();
    for node in &federation.nodes {
        last = login(federation).finish(node.port()).await;
    }
    last
}

fn shown(federation: &Federation) -> Value {
    let said = federation.command(&["connection", "show", "journal", "--organisation", GRANVIK, "--json"]);
    serde_json::from_str(&said).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_by_category_open_and_close_and_the_employer_has_the_last_word() {
    let federation = federation().await;
    let _ = told(&federation).await;
    let category = ["connection", "category", "journal", "care"];
    let _ = made(&federation, &category).await;
    let _ =
        made(&federation, &["connection", "default", "closed", "--federation", "--category", "care"]).await;
    for node in 0..2 {
        assert_eq!(refused(&federation, &login(&federation), node).await, CLOSED);
    }
    assert_eq!(shown(&federation)["decided_by"], "federation_category");
    let own = ["connection", "default", "open", "--organisation", GRANVIK, "--category", "care"];
    let _ = made(&federation, &own).await;
    let _ = told(&federation).await;
    let _ = made(&federation, &["connection", "close", "journal", "--organisation", GRANVIK]).await;
    assert_eq!(refused(&federation, &login(&federation), 1).await, CLOSED);
    // The other employer's people are not closed out by Granvik's word, but by the federation's.
    let open = ["connection", "open", "journal", "--organisation", "2321009900"];
    let _ = made(&federation, &open).await;
    assert_eq!(refused(&federation, &login(&federation), 0).await, CLOSED);
    let _ = made(&federation, &["connection", "reset", "journal", "--organisation", GRANVIK]).await;
    let _ = told(&federation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_closes_ends_what_is_under_way_on_every_node() {
    let federation = federation().await;
    let mut walks = Vec::new();
    for node in 0..2 {
        for hop in ["choose", "assert", "redeem", "userinfo"] {
            let mut walk = Walk::new(&federation, Person::asa());
            walk.until(hop, federation.nodes[node].port()).await;
            walks.push((node, walk));
        }
    }
    let took = made(&federation, &["connection", "close", "journal", "--organisation", GRANVIK]).await;
    println!("closed on both nodes after {took:?}");
    assert!(took < WITHIN);
    for (node, walk) in &walks {
        let port = federation.nodes[*node].port();
        match &walk.next {
            Next::Redeem(code) => {
                let reply =
                    walk.party.redeem(&walk.wire, port, &federation.issuer, &walk.attempt, code).await;
                assert_eq!(
                    (reply.status.as_u16(), reply.json()["error"].as_str()),
                    (400, Some("invalid_grant"))
                );
            }
            Next::Userinfo(token) => {
                let reply = relying_party::userinfo(&walk.wire, port, &federation.issuer, token).await;
                assert_eq!(reply.status, 401, "{}", reply.text());
                assert!(reply.body.is_empty(), "nothing of the person");
            }
            _ => assert_eq!(refused(&federation, walk, *node).await, CLOSED, "{}", walk.next.name()),
        }
    }
    // Opened again, a new login goes through.
    let _ = made(&federation, &["connection", "open", "journal", "--organisation", GRANVIK]).await;
    let _ = told(&federation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_grows_gets_the_old_set_until_the_employer_agrees() {
    let federation = federation().await;
    let register = |attributes: &[&str]| {
        let named: Vec<&str> = attributes.iter().flat_map(|name| ["--attribute", *name]).collect();
        let words =
            [&["metadata", "add", "journal.json", "--organisation", "2021009903"][..], &named].concat();
        let said = federation.command(&words);
        let number: u64 = said
            .split("Revision ")
            .nth(1)
            .and_then(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok())
            .unwrap_or_else(|| panic!("no revision: {said}"));
        (Value::from(number), Instant::now())
    };
    let (number, since) = register(&["display_name"]);
    let _ = read(&federation, &number, since).await;
    let _ = made(&federation, &["connection", "open", "journal", "--organisation", GRANVIK]).await;
    let person = Person::asa();
    let before = told(&federation).await;
    assert_eq!(before.userinfo["name"], person.display_name.as_str());
    assert!(!before.userinfo.contains_key("email"));
    // It asks for more: nobody is refused, and no more leaves.
    let (number, since) = register(&["display_name", "mail"]);
    let _ = read(&federation, &number, since).await;
    let after = told(&federation).await;
    assert!(!after.userinfo.contains_key("email") && after.id_token["sub"] == before.id_token["sub"]);
    assert_eq!(shown(&federation)["pending"], serde_json::json!(["mail"]));
    // The service's operator sees why.
    let listed = federation.command(&["connection", "show", "journal"]);
    assert!(listed.lines().any(|line| line.contains(GRANVIK) && line.contains("mail")), "{listed}");
    let lines: Vec<Value> = federation.nodes.iter().flat_map(tests::node::Node::log_lines).collect();
    assert!(lines.iter().any(|line| line["dropped_by_connection"] == "mail"));
    // The employer agrees, and names why it may.
    let agree = ["connection", "agree", "journal", "--organisation", GRANVIK, "--legal-basis", "Art. 6.1 e"];
    let _ = made(&federation, &agree).await;
    assert_eq!(told(&federation).await.userinfo["email"], person.mail.as_str());
    assert_eq!(shown(&federation)["pending"], serde_json::json!([]));

    // The record of processing says the same, and who decided; what lies in the store names nobody.
    let said = federation.command(&["connection", "export", "--organisation", GRANVIK]);
    let record: Value = serde_json::from_str(&said).expect("JSON");
    let one = &record["connections"][0];
    assert_eq!(record["controller"], GRANVIK);
    assert_eq!(one["leaves"], shown(&federation)["leaves"]);
    assert_eq!((&one["agreed_by"], &one["legal_basis"]), (&"Ada".into(), &"Art. 6.1 e".into()));
    for (form, language, words) in [("csv", "sv", "E-postadress"), ("html", "en", "<table")] {
        let words_said = federation.command(&[
            "connection",
            "export",
            "--organisation",
            GRANVIK,
            "--form",
            form,
            "--language",
            language,
        ]);
        assert!(words_said.contains(words) && words_said.contains("Ada"), "{words_said}");
    }

    // What a service does not ask for is not agreed to.
    let config = federation.nodes[0].config().to_str().expect("UTF-8").to_owned();
    let more = ["connection", "agree", "journal", "--organisation", GRANVIK, "--attribute", "birth_name"];
    let refused = program::attempt(federation.folder.path(), &[&more[..], &["--config", &config]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("does not ask for birth_name"), "{refused:?}");
}
