//! Somebody reads the whole Redis server, or writes into it: nothing is learned, nothing is minted, and what was meddled with is in the log.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use serde_json::Value;
use tests::{
    federation::{Federation, Plan, eventually},
    leak,
    node::Node,
    person::Person,
    redis::Redis,
    relying_party::{self, Authentication, RelyingParty},
    walk::{Next, Walk},
};

type Records = BTreeMap<String, Vec<u8>>;

/// The head of the registry in the store.
const REGISTRY: &str = "sv:head:{registry}";
/// The head of the token keys.
const TOKEN_KEYS: &str = "sv:head:{oidc-keys}";
/// What no node wrote, framed as a record is: the attempt that put it, and octets.
const BY_HAND: &[u8] = b"V0123456789abcdefhand-written";

fn redis(federation: &Federation) -> &Redis {
    federation.redis.as_ref().expect("Redis")
}

/// Everything that whoever has the store must not have: who signs in, what opens her login, and what the nodes keep to themselves.
fn secrets(walk: &Walk<'_>) -> Vec<String> {
    let mut all = walk.person.values();
    all.extend(walk.secrets.iter().cloned());
    all.extend([walk.attempt.state.clone(), walk.attempt.nonce.clone(), walk.attempt.verifier.clone()]);
    all.extend(walk.asked.iter().map(|asked| asked.request.id.clone()));
    if let Authentication::Basic(secret) | Authentication::Post(secret) = &walk.party.authentication {
        all.push(secret.clone());
    }
    for name in [
        "node.secret",
        "registry.secret",
        "subject.secret",
        "saml-signing.pem",
        "saml-decryption.pem",
        "metadata-signing.pem",
    ] {
        let text = fs::read_to_string(walk.federation.folder.path().join("keys").join(name)).expect("a file");
        let lines = text.lines().filter(|line| line.len() >= 32 && !line.starts_with("--"));
        let before = all.len();
        all.extend(lines.map(str::to_owned));
        assert!(all.len() > before, "{name} has a secret");
    }
    all
}

/// What of it is among keys and values.
fn found_in(everything: &Records, secrets: &[String]) -> Vec<String> {
    let keys = everything.keys().map(|key| ("a key", key.as_bytes()));
    let values = everything.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
    leak::found(keys.chain(values), secrets)
}

/// Walks a login to its end and reads the whole store after each step, and at last every command that was sent to it.
async fn walk_and_read(mut walk: Walk<'_>) -> Vec<&'static str> {
    let federation = walk.federation;
    let store = redis(federation);
    let listening = store.listen();
    let mut stages = Vec::new();
    let mut largest = 0;
    while walk.next.name() != "done" {
        stages.push(walk.next.name());
        walk.step(federation.port()).await;
        let everything = store.everything();
        largest = largest.max(everything.keys().filter(|key| key.starts_with("sv:record:")).count());
        let found = found_in(&everything, &secrets(&walk));
        assert!(found.is_empty(), "before {}: {found:?}", walk.next.name());
    }
    assert!(largest >= 3, "the login was in this store: {largest} records");
    let heard: Vec<Vec<u8>> = listening.heard().iter().map(|line| unescaped(line)).collect();
    assert!(heard.len() > stages.len(), "the store was asked: {}", heard.len());
    let found = leak::found(heard.iter().map(|line| ("a command", line.as_slice())), &secrets(&walk));
    assert!(found.is_empty(), "{found:?}");
    stages
}

/// A line of MONITOR with its octets as they were sent.
fn unescaped(line: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(line.len());
    let mut rest = line.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match (octet, octet == b'\\') {
            (_, false) => octet,
            (_, true) => match rest.next() {
                Some(b'x') => {
                    let digits: Vec<u8> = rest.by_ref().take(2).collect();
                    u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16).expect("two digits")
                }
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'a') => 7,
                Some(b'b') => 8,
                Some(other) => other,
                None => break,
            },
        });
    }
    octets
}

#[test]
fn what_was_sent_is_read_octet_by_octet() {
    assert_eq!(unescaped(r#""SET" "a\x00\xff\"\\\n""#), b"\"SET\" \"a\x00\xff\"\\\n\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_no_stage_of_a_login_does_the_store_say_who_or_hold_what_opens_it() {
    let relying_parties = vec![RelyingParty::with_basic("journal"), RelyingParty::with_key("nyckel")];
    let federation = Federation::start(Plan { relying_parties, ..Plan::default() }).await;
    let stages = walk_and_read(Walk::new(&federation, Person::asa())).await;
    assert_eq!(stages, ["authorize", "choose", "assert", "notice", "accept", "redeem", "userinfo"]);
    let [_, by_key] = &federation.relying_parties[..] else { panic!("two relying parties") };
    let named = Walk::between(&federation, by_key, &federation.granvik, Person::numbered(1));
    let stages = walk_and_read(named.naming_the_provider()).await;
    assert_eq!(stages, ["authorize", "assert", "notice", "accept", "redeem", "userinfo"]);
}

/// Every file under a folder.
fn files(folder: &Path, into: &mut Records) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, into);
        } else if path.is_file() {
            into.insert(path.display().to_string(), fs::read(&path).expect("a file"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_a_node_with_its_own_store_says_who_signed_in() {
    let federation = Federation::start(Plan { nodes: 0, ..Plan::default() }).await;
    let mut walk = Walk::new(&federation, Person::asa());
    while walk.next.name() != "done" {
        walk.step(federation.port()).await;
        let mut kept = Records::new();
        for folder in ["store", "state0"] {
            files(&federation.folder.path().join(folder), &mut kept);
        }
        assert!(kept.len() > 2, "{:?}", kept.keys());
        let found = found_in(&kept, &secrets(&walk));
        assert!(found.is_empty(), "before {}: {found:?}", walk.next.name());
    }
}

/// The records that a step brings.
async fn brought(walk: &mut Walk<'_>) -> Records {
    let store = redis(walk.federation);
    let before = store.everything();
    walk.step(walk.federation.port()).await;
    let mut after = store.everything();
    after.retain(|key, value| key.starts_with("sv:record:") && before.get(key) != Some(value));
    after
}

/// Lines that an operator is woken by, and that have `words`.
fn alarms(federation: &Federation, words: &str) -> usize {
    let lines = federation.nodes[0].log_lines();
    let wanted = |line: &&Value| line["level"] == "ERROR" && line.to_string().contains(words);
    lines.iter().filter(wanted).count()
}

fn signed_in(federation: &Federation) -> usize {
    let lines = federation.nodes[0].log_lines();
    lines.iter().filter(|line| line["outcome"] == "signed_in").count()
}

/// Ways to meddle with a record: another's octets, octets of nobody, a tombstone of nobody, its own with one bit turned, its own cut short.
fn meddled(own: &[u8], others: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = others.iter().map(|value| value.to_vec()).collect();
    all.push(BY_HAND.to_vec());
    all.push([b"T0123456789abcdef0123456789abcdef", BY_HAND].concat());
    // One bit of the seal, one of the time that stands before it, one of the name of the nodes' key.
    for at in [own.len() - 1, own.len() / 2, 40, 20, 18, 17] {
        let mut turned = own.to_vec();
        turned[at] ^= 1;
        all.push(turned);
    }
    all.push(own[..own.len() / 2].to_vec());
    all.push(own[..17].to_vec());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_written_by_hand_or_copied_is_none() {
    let federation = Federation::start(Plan { ec: true, notice: false, ..Plan::default() }).await;
    let (port, store) = (federation.port(), redis(&federation));
    // Two logins at the provider; the one's records in place of the other's.
    let (mut one, mut other) =
        (Walk::new(&federation, Person::asa()), Walk::new(&federation, Person::numbered(1)));
    one.until("choose", port).await;
    other.until("choose", port).await;
    let (of_one, of_other) = (brought(&mut one).await, brought(&mut other).await);
    assert_eq!((of_one.len(), of_other.len()), (2, 2), "the login and its origin, each");
    let Next::Assert(form) = other.next.clone() else { panic!("at the provider") };
    let foreign: Vec<&[u8]> = of_one.values().map(Vec::as_slice).collect();
    let largest = of_other.values().max_by_key(|value| value.len()).expect("the login");
    for value in meddled(largest, &foreign) {
        for key in of_other.keys() {
            store.overwrite(key, &value);
        }
        let before = alarms(&federation, "tampering");
        let sent = other.browser.submit(port, &form).await;
        let (_, _, code) = federation.refused(&other.browser, port, &sent).await;
        assert_eq!(code, "browser.login_unknown", "{value:?}");
        assert!(alarms(&federation, "tampering") > before, "no alarm for {value:?}");
    }
    // Its own two exchanged.
    for (key, value) in of_other.keys().zip(of_other.values().rev()) {
        store.overwrite(key, value);
    }
    let sent = other.browser.submit(port, &form).await;
    let (_, _, code) = federation.refused(&other.browser, port, &sent).await;
    assert_eq!(code, "browser.login_unknown");
    assert_eq!(signed_in(&federation), 0);
    // Put back as they were, it goes on: it was the records alone.
    for (key, value) in &of_other {
        store.overwrite(key, value);
    }
    let _ = one.finish(port).await;
    let _ = other.finish(port).await;
    assert_eq!(signed_in(&federation), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_or_a_token_written_by_hand_or_copied_opens_nothing() {
    let federation = Federation::start(Plan { ec: true, notice: false, ..Plan::default() }).await;
    let (port, store) = (federation.port(), redis(&federation));
    let (wire, issuer, party) = (&federation.wire, &federation.issuer, federation.party());
    let (mut one, mut other) =
        (Walk::new(&federation, Person::asa()), Walk::new(&federation, Person::numbered(1)));
    one.until("assert", port).await;
    other.until("assert", port).await;
    // The key and the record of what a step made live.
    let live = async |walk: &mut Walk<'_>| {
        let mut records = brought(walk).await;
        records.retain(|key, value| value.first() == Some(&b'V') && !key.ends_with(":answer"));
        assert_eq!(records.len(), 1, "{:?}", records.keys());
        records.pop_first().expect("one record")
    };
    let (code_of_one, code_of_other) = (live(&mut one).await, live(&mut other).await);
    for value in meddled(&code_of_other.1, &[&code_of_one.1]) {
        store.overwrite(&code_of_other.0, &value);
        let before = alarms(&federation, "tampering");
        let reply = party.redeem(wire, port, issuer, &other.attempt, &other.outcome.code).await;
        assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (400, Some("invalid_grant")));
        assert!(reply.json().get("id_token").is_none() && reply.json().get("access_token").is_none());
        assert!(alarms(&federation, "tampering") > before, "no alarm for {value:?}");
    }
    store.overwrite(&code_of_other.0, &code_of_other.1);
    let (token_of_one, token_of_other) = (live(&mut one).await, live(&mut other).await);
    let Next::Userinfo(token) = other.next.clone() else { panic!("the relying party has its tokens") };
    for value in meddled(&token_of_other.1, &[&token_of_one.1, &code_of_other.1]) {
        store.overwrite(&token_of_other.0, &value);
        let before = alarms(&federation, "tampering");
        let reply = relying_party::userinfo(wire, port, issuer, &token).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (401, 0), "{value:?}");
        assert!(alarms(&federation, "tampering") > before, "no alarm for {value:?}");
    }
    store.overwrite(&token_of_other.0, &token_of_other.1);
    let (person, outcome) = (other.person.clone(), other.finish(port).await);
    assert_eq!(outcome.userinfo["name"], person.display_name.as_str(), "each has her own");
    let _ = one.finish(port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_was_put_back_or_forged_is_refused_with_an_alarm() {
    let federation = Federation::start(Plan { ec: true, notice: false, ..Plan::default() }).await;
    let (port, store) = (federation.port(), redis(&federation));
    let old = store.everything().remove(REGISTRY).expect("the registry has a head");
    let _ = federation.command(&["metadata", "remove", "journal"]);
    let is_known = async || {
        let attempt = federation.party().begin();
        let page = federation.browser().open(port, &attempt.path()).await;
        page.reply.status == 200
    };
    eventually("journal is unknown", Duration::from_secs(3), async || !is_known().await).await;
    let everything = store.everything();
    let genuine = everything[REGISTRY].clone();
    assert_eq!(alarms(&federation, ""), 0);
    let text = String::from_utf8(genuine.clone()).expect("a head is text");
    let lines: Vec<&str> = text.lines().collect();
    let (number, manifest) = (lines[1], lines[2]);
    let former = String::from_utf8(old.clone()).expect("a head is text");
    let former_manifest = former.lines().nth(2).expect("a manifest").to_owned();
    let number: u64 = number.parse().expect("a number");
    let mut turned = genuine.clone();
    let last = turned.len() - 2;
    turned[last] ^= 1;
    let forged = [
        old.clone(),
        turned,
        // What was registered, under a number that would be taken.
        text.replace(&format!("\n{number}\n"), &format!("\n{}\n", number + 1))
            .replace(manifest, &former_manifest)
            .into_bytes(),
        former.replace(&format!("\n{}\n", number - 1), &format!("\n{}\n", number + 1)).into_bytes(),
        // Another genuine thing of the store.
        everything[TOKEN_KEYS].clone(),
        b"hand-written".to_vec(),
        Vec::new(),
    ];
    for value in &forged {
        let before = alarms(&federation, "head is refused");
        store.overwrite(REGISTRY, value);
        eventually("an alarm is in the log", Duration::from_secs(5), async || {
            alarms(&federation, "head is refused") > before
        })
        .await;
        assert!(!is_known().await, "what was removed stays removed: {value:?}");
    }
    store.overwrite(REGISTRY, &genuine);
    federation.register(federation.party());
    eventually("journal is known", Duration::from_secs(3), is_known).await;
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_of_the_registry_that_was_exchanged_is_not_read() {
    let mut federation = Federation::start(Plan { ec: true, notice: false, ..Plan::default() }).await;
    let (port, config) = (federation.port(), federation.nodes[0].config().to_owned());
    // What a thief of Granvik's place would write: the metadata with a key of their own.
    let granvik = federation.granvik.entity_id.clone();
    let is_of = |value: &[u8]| String::from_utf8_lossy(value).contains(&format!("entityID=\"{granvik}\""));
    let everything = redis(&federation).everything();
    let (key, genuine) = everything
        .iter()
        .find(|(key, value)| key.starts_with("sv:kept:") && is_of(value))
        .expect("Granvik's metadata is in the store");
    let certificate = |value: &str| {
        value.split("X509Certificate>").nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned)
    };
    let own = certificate(&String::from_utf8_lossy(genuine)).expect("a certificate");
    let thiefs = certificate(&federation.fjorden.metadata()).expect("a certificate");
    let exchanged = String::from_utf8_lossy(genuine).replace(&own, &thiefs);
    assert_ne!(exchanged.as_bytes(), genuine.as_slice());
    // A node that has nothing on its disk yet.
    let anew = async |federation: &mut Federation| {
        federation.nodes[0].kill_hard();
        fs::remove_dir_all(federation.folder.path().join("state0")).expect("the node's state");
        federation.nodes[0] = Node::start_alone(port, &config).await;
    };
    redis(&federation).overwrite(key, exchanged.as_bytes());
    anew(&mut federation).await;
    let health = async || federation.document(port, "/health").await.status;
    eventually("an alarm is in the log", Duration::from_secs(20), async || {
        alarms(&federation, "does not have that SHA-256") > 0
    })
    .await;
    assert_eq!(health().await, 503, "no login begins here");
    let sent = federation.browser().open(port, &federation.party().begin().path()).await;
    assert!(sent.location().starts_with("/failed/"), "{}", sent.location());
    redis(&federation).overwrite(key, genuine);
    federation.nodes[0].well().await;
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_keys_that_were_forged_are_not_published_and_do_not_sign() {
    let mut federation = Federation::start(Plan { ec: true, notice: false, ..Plan::default() }).await;
    let (port, config) = (federation.port(), federation.nodes[0].config().to_owned());
    let everything = redis(&federation).everything();
    let genuine = everything[TOKEN_KEYS].clone();
    let published = federation.document(port, "/oidc/jwks").await.body;
    let mut turned = genuine.clone();
    let middle = turned.len() / 2;
    turned[middle] ^= 1;
    for value in [&turned, &everything[REGISTRY], &BY_HAND.to_vec()] {
        let before = alarms(&federation, "token keys");
        redis(&federation).overwrite(TOKEN_KEYS, value);
        eventually("an alarm is in the log", Duration::from_secs(5), async || {
            alarms(&federation, "token keys") > before
        })
        .await;
        assert_eq!(federation.document(port, "/oidc/jwks").await.body, published);
        let _ = Walk::new(&federation, Person::asa()).finish(port).await;
    }
    // A node that has never seen the genuine ones signs nothing.
    federation.nodes[0].kill_hard();
    federation.nodes[0] = Node::start_alone(port, &config).await;
    assert_eq!(federation.document(port, "/oidc/jwks").await.status, 503);
    assert_eq!(federation.document(port, "/health").await.status, 503);
    redis(&federation).overwrite(TOKEN_KEYS, &genuine);
    federation.nodes[0].well().await;
    assert_eq!(federation.document(port, "/oidc/jwks").await.body, published);
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
}
