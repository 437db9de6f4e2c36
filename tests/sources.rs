//! Other federations' metadata, through the whole program: who joins, what is refused, and that logins go on meanwhile.

use std::time::Duration;

use broker_saml::idp::Signed;
use tests::{
    chance,
    federation::{Federation, Plan, eventually},
    person::Person,
    provider::{Provider, TakenBy},
    publisher::{Publisher, Said},
    walk::Walk,
};

/// For something to come about on a machine that is slow.
const SOON: Duration = Duration::from_secs(60);
const FRESH: Said = Said { made: 0, valid: Some(86_400) };

fn schools() -> Provider {
    let mut provider =
        Provider::new("Granviks skolor", "skolor.granvik.localhost", "2120009903", TakenBy::Redirect, false);
    provider.signed = Signed::Response;
    provider
}

fn source(name: &str, kind: &str, publisher: &Publisher, path: &str, more: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl = \"{}\"\nkeys = [\"{}\"]\nrefresh_seconds = [1, 1]\n{more}\n\
         [source.vouches]\nscopes = true\norganisation_number = true\nsubject_source = \"subject_id\"\nceiling = [\"{}\"]\n",
        publisher.url(path),
        publisher.certificate().display(),
        tests::provider::LOA3,
    )
}

fn plan(nodes: usize, sources: &[String]) -> Plan {
    let more = format!("[outbound]\nallow = [\"127.0.0.0/8\"]\n{}", sources.concat());
    Plan { nodes, notice: false, more, ..Plan::default() }
}

/// Whether a relying party that names the provider gets there.
async fn is_known(federation: &Federation, port: u16, provider: &Provider) -> bool {
    let walk = Walk::between(federation, federation.party(), provider, Person::asa()).naming_the_provider();
    let page = walk.browser.open(port, &walk.attempt.path()).await;
    page.reply.header(http::header::LOCATION).starts_with("https://skolor.granvik.localhost/")
}

async fn until_known(federation: &Federation, port: u16, provider: &Provider) {
    let _ = eventually("the provider is known", SOON, || is_known(federation, port, provider)).await;
}

async fn until_logged(federation: &Federation, words: &str) {
    let _ = eventually(words, SOON, || async { federation.logs().contains(words) }).await;
}

async fn signs_in(federation: &Federation, port: u16, provider: &Provider) {
    let walk = Walk::between(federation, federation.party(), provider, Person::asa()).naming_the_provider();
    let outcome = walk.finish(port).await;
    assert!(!outcome.access_token.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_only_an_aggregate_knows_signs_people_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let publisher = Publisher::start(folder.path()).await;
    let schools = schools();
    publisher.put("/all.xml", publisher.aggregate(&[schools.metadata()], FRESH));
    let federation =
        Federation::start(plan(1, &[source("skolan", "aggregate", &publisher, "/all.xml", "")])).await;
    let port = federation.port();
    until_known(&federation, port, &schools).await;
    signs_in(&federation, port, &schools).await;

    // The provider's key is replaced: both are there for a while, and nobody is locked out.
    let renewed = self::schools();
    let both = schools.metadata().replace(
        "</md:KeyDescriptor>",
        &format!("</md:KeyDescriptor>{}", key_descriptor(&renewed.metadata())),
    );
    publisher.put("/all.xml", publisher.aggregate(&[both], Said { made: 1, ..FRESH }));
    until_logged(&federation, "\"changed\":1").await;
    signs_in(&federation, port, &schools).await;
    signs_in(&federation, port, &renewed).await;

    // What is tampered with, older, expired or good for too long is refused, and logins go on with what was there.
    let good = publisher.aggregate(&[renewed.metadata()], Said { made: 2, ..FRESH });
    let tampered = String::from_utf8(good).expect("UTF-8").replace("Granviks skolor", "Granviks skola");
    let cases = [
        (tampered.into_bytes(), "its signature is refused"),
        (
            publisher.aggregate(&[renewed.metadata()], Said { made: -3_600, ..FRESH }),
            "somebody serves an old one",
        ),
        (publisher.aggregate(&[renewed.metadata()], Said { made: 5, valid: Some(-5) }), "it was valid until"),
        (publisher.aggregate(&[renewed.metadata()], Said { made: 5, valid: None }), "it has no validUntil"),
        (
            publisher.aggregate(&[renewed.metadata()], Said { made: 5, valid: Some(90 * 86_400) }),
            "seconds ahead",
        ),
    ];
    for (document, words) in cases {
        publisher.put("/all.xml", document);
        until_logged(&federation, words).await;
        signs_in(&federation, port, &schools).await;
    }
}

fn said(federation: &Federation, words: &[&str]) -> serde_json::Value {
    serde_json::from_str(&federation.command(words)).expect("JSON")
}

fn key_descriptor(metadata: &str) -> String {
    let from = metadata.find("<md:KeyDescriptor").expect("a key");
    let to = metadata.find("</md:KeyDescriptor>").expect("its end") + "</md:KeyDescriptor>".len();
    metadata[from..to].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows_is_looked_up_once_and_must_be_answered_by_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let publisher = Publisher::start(folder.path()).await;
    let schools = schools();
    let place = |id: &str| format!("/mdq/entities/{}", id.replace(':', "%3A").replace('/', "%2F"));
    let until = chance::now().plus(86_400);
    let path = place(&schools.entity_id);
    let federation = Federation::start(plan(1, &[source("fraga", "mdq", &publisher, "/mdq/", "")])).await;
    let port = federation.port();

    // Another entity in the answer is refused; that there is nothing is remembered.
    let mut other = self::schools();
    other.entity_id = "https://skolor.granvik.localhost/other".to_owned();
    publisher.put(&place(&other.entity_id), publisher.entity(&schools.metadata(), until));
    assert!(!is_known(&federation, port, &other).await);
    assert!(federation.logs().contains("about another entity"), "{}", federation.logs());
    assert!(!is_known(&federation, port, &other).await);
    assert_eq!(publisher.asked(&place(&other.entity_id)), 1, "asked again for what is not there");

    publisher.put(&path, publisher.entity(&schools.metadata(), until));
    signs_in(&federation, port, &schools).await;
    signs_in(&federation, port, &schools).await;
    assert!(publisher.asked(&path) >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_share_the_work_and_believe_nobody_without_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let publisher = Publisher::start(folder.path()).await;
    let schools = schools();
    let mut unwanted = self::schools();
    unwanted.entity_id = "https://skolor.granvik.localhost/unwanted".to_owned();
    let mut nobody = self::schools();
    nobody.entity_id = "https://idp.nobody.example/saml".to_owned();
    let mut stranger = self::schools();
    stranger.entity_id = "https://idp.fjorden.localhost/saml".to_owned();
    let all = [&schools, &unwanted, &nobody, &stranger].map(Provider::metadata);
    publisher.put("/first.xml", publisher.aggregate(&all, FRESH));
    publisher.put("/second.xml", publisher.aggregate(&all[..1], FRESH));
    let seldom = |source: String| source.replace("[1, 1]", "[3600, 3600]");
    let dropping = format!(
        "filters = [{{ name = \"not that one\", drop = \"entity\", values = [\"{}\"] }}]",
        unwanted.entity_id
    );
    let sources = [
        seldom(source("forst", "aggregate", &publisher, "/first.xml", &dropping)),
        seldom(source("sedan", "aggregate", &publisher, "/second.xml", "")),
    ];
    let mut federation = Federation::start(plan(2, &sources)).await;
    let ports: Vec<u16> = federation.nodes.iter().map(|node| node.port()).collect();
    for port in &ports {
        until_known(&federation, *port, &schools).await;
        signs_in(&federation, *port, &schools).await;
    }
    let _ = eventually("both were read", SOON, || async { publisher.asked("/second.xml") > 0 }).await;
    assert_eq!(
        (publisher.asked("/first.xml"), publisher.asked("/second.xml")),
        (1, 1),
        "one node asks for all"
    );

    let _ = eventually("the second source joined", SOON, || async {
        said(&federation, &["source", "list", "--json"])[1]["withheld"] == 1
    })
    .await;
    let first = said(&federation, &["source", "show", "forst", "--json"]);
    assert_eq!(first["steps"][0], serde_json::json!({ "step": "not that one", "removed": 1 }));
    assert_eq!(first["providers"][0]["id"], schools.entity_id.as_str());
    assert_eq!(first["providers"].as_array().map(Vec::len), Some(1), "{first}");
    let why = |show: &serde_json::Value, provider: &Provider| {
        let withheld = show["withheld"].as_array().expect("a list");
        let one = withheld.iter().find(|one| one["id"] == provider.entity_id.as_str());
        one.and_then(|one| one["why"].as_str()).unwrap_or_default().to_owned()
    };
    assert!(why(&first, &nobody).contains("nobody answers for it"), "{first}");
    // What is registered always wins.
    assert!(why(&first, &stranger).contains("it is registered here"), "{first}");
    let second = said(&federation, &["source", "show", "sedan", "--json"]);
    assert!(why(&second, &schools).contains("a source before this one"), "{second}");

    // The node that asked is killed: the other takes over, and what is new goes live there.
    federation.nodes[0].kill_hard();
    let renewed = self::schools();
    publisher.put("/first.xml", publisher.aggregate(&[renewed.metadata()], Said { made: 1, ..FRESH }));
    let told = federation.command(&["source", "refresh", "forst"]);
    assert!(told.contains("1 changed") && told.contains("2 gone"), "{told}");
    let _ = eventually("the new key is live", SOON, || async {
        let known = said(&federation, &["source", "show", "forst", "--json"]);
        known["held"]["counts"]["members"] == 1
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    signs_in(&federation, ports[1], &renewed).await;

    // Whoever writes to the store by hand is not believed, and that is seen.
    let redis = federation.redis.as_ref().expect("a Redis server");
    let head = redis.snapshot()["sv:head:{sources}"].clone();
    redis.overwrite("sv:head:{sources}", b"sparvidd registry head 1\n99\n");
    let _ = eventually("an alarm", SOON, || async {
        let health = federation.document(ports[1], "/health").await;
        !health.json()["alarms"]["sources"].is_null()
    })
    .await;
    signs_in(&federation, ports[1], &renewed).await;
    redis.overwrite("sv:head:{sources}", &head);
    let _ = eventually("the alarm is over", SOON, || async {
        federation.document(ports[1], "/health").await.json()["alarms"]["sources"].is_null()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_refreshes_leave_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let publisher = Publisher::start(folder.path()).await;
    let schools = schools();
    publisher.put("/all.xml", publisher.aggregate(&[schools.metadata()], FRESH));
    let seldom = source("skolan", "aggregate", &publisher, "/all.xml", "").replace("[1, 1]", "[3600, 3600]");
    let federation = Federation::start(plan(1, &[seldom])).await;
    until_known(&federation, federation.port(), &schools).await;
    let redis = federation.redis.as_ref().expect("a Redis server");
    let before = redis.snapshot().len();
    for round in 1..=20 {
        let renamed = schools.metadata().replace("Granviks skolor", &format!("Granviks skolor {round}"));
        publisher.put("/all.xml", publisher.aggregate(&[renamed], Said { made: round, ..FRESH }));
        let told = federation.command(&["source", "refresh"]);
        assert!(told.contains("1 changed"), "{told}");
    }
    assert_eq!(redis.snapshot().len(), before, "contents that nothing names any more were kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_suspended_is_closed_also_when_only_a_source_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let publisher = Publisher::start(folder.path()).await;
    let schools = schools();
    publisher.put("/all.xml", publisher.aggregate(&[schools.metadata()], FRESH));
    let federation =
        Federation::start(plan(1, &[source("skolan", "aggregate", &publisher, "/all.xml", "")])).await;
    let port = federation.port();
    until_known(&federation, port, &schools).await;
    signs_in(&federation, port, &schools).await;
    let key = schools.public_key().thumbprint().to_string();
    let said = ["--reason", "seen on a list", "--as", "Ada"];
    let id = schools.entity_id.as_str();
    let cases: [(&[&str], &[&str]); 3] = [
        (&["suspend", "provider", id], &["resume", "provider", id]),
        (&["suspend", "key", id, "--key", &key], &["resume", "key", &key]),
        (&["suspend", "organisation", "2120009903"], &["resume", "organisation", "2120009903"]),
    ];
    for (suspend, resume) in cases {
        let walk = || Walk::between(&federation, federation.party(), &schools, Person::asa());
        let mut under_way = walk().naming_the_provider();
        under_way.until("assert", port).await;
        let told = federation.command(&[suspend, &said].concat());
        let number =
            told.split("Revision ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a number");
        until_logged(&federation, &format!("\"revision\":{number}")).await;
        let tests::walk::Next::Assert(form) = &under_way.next else { panic!("{:?}", under_way.next) };
        let sent = under_way.browser.submit(port, form).await;
        let _ = federation.refused(&under_way.browser, port, &sent).await;
        let _ = federation.command(&[resume, &said].concat());
        let _ = eventually("it is open again", SOON, || is_known(&federation, port, &schools)).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        signs_in(&federation, port, &schools).await;
    }
}
