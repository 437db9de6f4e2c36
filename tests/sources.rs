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
    let mut provider = Provider::new(
        "Granviks skolor",
        "skolor.granvik.localhost",
        "2120009903",
        TakenBy::Redirect,
        false,
    );
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
        (publisher.aggregate(&[renewed.metadata()], Said { made: -3_600, ..FRESH }), "somebody serves an old one"),
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
