//! How a change goes live, from outside: history, restoring, proposals, publications that are killed, and stores that somebody has meddled with.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tests::{
    chance,
    federation::{Federation, Plan, eventually},
    node::Node,
    person::Person,
    program::{self, sparvidd},
    redis::Redis,
    relying_party::RelyingParty,
    walk::Walk,
};

const REGISTRY: &str = "sv:head:{registry}";
const DESK: &str = "sv:head:{desk}";

/// A registry without a node: keys, a configuration, one organisation.
struct Bare {
    folder: tempfile::TempDir,
    /// Ends with it.
    _redis: Option<Redis>,
}

const RECORD: &str = "number = \"2021009903\"\nname = { sv = \"Hamnverket\" }\ndomains = [\"hamnverket.localhost\"]\n\
     scopes = [\"hamnverket.localhost\"]\nsupport = { email = \"support@hamnverket.localhost\" }\n";

impl Bare {
    fn new(on_redis: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("sparvidd-").tempdir().expect("a folder");
        let redis = on_redis.then(|| Redis::start(folder.path()));
        let _ = program::run(folder.path(), &["keys", "init", "keys", "--ec"]);
        let store = redis.as_ref().map_or_else(|| "embedded:store/registry.redb".to_owned(), Redis::url);
        let port = program::free_port();
        let config = format!(
            "issuer = \"http://broker.localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\nkeys = \"keys\"\n\
             state = \"state\"\n[store]\nurl = \"{store}\"\n",
        );
        fs::write(folder.path().join("sparvidd.toml"), config).expect("a configuration");
        fs::write(folder.path().join("hamnverket.toml"), RECORD).expect("a record");
        let bare = Self { folder, _redis: redis };
        let _ = bare.run(&["organisation", "add", "hamnverket.toml", "--as", "Anna"]);
        bare
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, words: &[&str]) -> String {
        program::run(self.path(), &[words, &["--config", "sparvidd.toml"]].concat())
    }

    fn attempt(&self, words: &[&str]) -> Output {
        program::attempt(self.path(), &[words, &["--config", "sparvidd.toml"]].concat())
    }

    /// What a command refuses with.
    fn refused(&self, words: &[&str]) -> String {
        let output = self.attempt(words);
        assert!(!output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[words, &["--json"]].concat())).expect("JSON")
    }

    /// Writes the file of a relying party; gives its name.
    fn party(&self, name: &str, path: &str) -> String {
        let file = format!("{name}.json");
        let text = format!(
            r#"{{ "client_id": "{name}", "client_name": "{name}", "redirect_uris": ["https://{name}.hamnverket.localhost/{path}"],
                "token_endpoint_auth_method": "client_secret_basic", "scope": "openid" }}"#
        );
        fs::write(self.path().join(&file), text).expect("a file");
        file
    }

    fn add(&self, name: &str, path: &str) {
        let file = self.party(name, path);
        let _ = self.run(&["metadata", "add", &file, "--as", "Anna", "--note", path]);
    }

    fn document(&self, name: &str) -> String {
        self.json(&["metadata", "show", name])["document"].as_str().expect("a document").to_owned()
    }

    fn history(&self) -> Vec<Value> {
        self.json(&["revision", "list", "--most", "1000"]).as_array().expect("a list").clone()
    }

    fn number(&self) -> u64 {
        self.history().first().and_then(|first| first["number"].as_u64()).unwrap_or_default()
    }
}

#[test]
fn history_says_who_changed_what_and_an_old_revision_comes_back() {
    for on_redis in [false, true] {
        let bare = Bare::new(on_redis);
        bare.add("journal", "one");
        bare.add("journal", "two");
        bare.add("karta", "one");
        let history = bare.history();
        let numbers: Vec<_> = history.iter().map(|one| one["number"].as_u64()).collect();
        assert_eq!(numbers, [Some(4), Some(3), Some(2), Some(1)]);
        assert_eq!(history[1]["by"]["name"], "Anna");
        assert_eq!(history[1]["note"], "two");
        assert_eq!(history[1]["changed"][0]["entry"], "oidc-client:journal");
        assert_eq!(history[1]["changed"][0]["what"], "changed");
        let difference = bare.json(&["revision", "diff", "2", "4"]);
        assert_eq!(difference["changed"].as_array().map(Vec::len), Some(2), "{difference}");
        assert!(bare.run(&["revision", "diff", "2", "3"]).contains("journal.hamnverket.localhost/two"));
        assert!(bare.run(&["revision", "show", "3"]).contains("by Anna"));

        // One entry, and then all.
        let _ = bare.run(&["revision", "restore", "2", "--entry", "journal", "--as", "Bo"]);
        assert!(bare.document("journal").contains("/one"));
        assert_eq!(bare.number(), 5);
        let _ = bare.run(&["metadata", "remove", "journal"]);
        let _ = bare.run(&["revision", "restore", "3"]);
        assert!(bare.document("journal").contains("/two"));
        assert!(bare.refused(&["metadata", "show", "karta"]).contains("karta"), "it was not there then");
        assert_eq!(bare.history()[0]["restores"], 3);
        assert!(bare.refused(&["revision", "restore", "3"]).contains("Nothing would change"));
        assert!(bare.refused(&["revision", "restore", "99"]).contains("no revision 99"));

        // What today's record refuses is not restored, and it is said.
        fs::write(
            bare.path().join("other.toml"),
            RECORD.replace("domains = [\"hamnverket.localhost\"]", "domains = [\"annan.localhost\"]"),
        )
        .expect("a record");
        let _ = bare.run(&["metadata", "remove", "journal"]);
        let _ = bare.run(&["organisation", "add", "other.toml"]);
        let before = bare.number();
        let output = bare.attempt(&["revision", "restore", "3", "--entry", "journal"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).contains("Not restored: oidc-client:journal"));
        assert_eq!(bare.number(), before);
        // Together with the record it fits.
        let _ = bare.run(&["revision", "restore", "3"]);
        assert!(bare.document("journal").contains("/two"));
    }
}

#[test]
fn restoring_lifts_no_suspension_and_brings_no_old_secret_back() {
    let bare = Bare::new(false);
    bare.add("journal", "one");
    let secret = || bare.json(&["metadata", "show", "journal"])["entry"]["settings"]["secret"].clone();
    let first = secret();
    let file = bare.party("journal", "two");
    let _ = bare.run(&["metadata", "add", &file, "--renew-secret"]);
    let second = secret();
    assert_ne!(first, second);
    let suspend = ["suspend", "relying-party", "journal", "--reason", "en prövning", "--as", "Bo"];
    let _ = bare.run(&suspend);
    assert_eq!(bare.history()[0]["by"]["name"], "Bo");
    assert_eq!(bare.history()[0]["other"][0], "suspensions");
    let _ = bare.run(&["revision", "restore", "2"]);
    assert!(bare.document("journal").contains("/one"));
    assert_eq!(secret(), second);
    assert!(bare.run(&["suspend", "list"]).contains("journal"));
}

#[test]
fn a_proposal_is_approved_by_another_person_and_published() {
    for on_redis in [false, true] {
        let bare = Bare::new(on_redis);
        let file = bare.party("journal", "one");
        let propose =
            |file: &str, name: &str| bare.run(&["metadata", "add", file, "--propose", "--as", name]);
        assert!(propose(&file, "Anna").contains("Proposal 1 waits"));
        assert!(bare.refused(&["metadata", "show", "journal"]).contains("Nobody"), "it is not live");
        assert!(bare.run(&["proposal", "list"]).contains("waits for approval"));
        assert!(bare.run(&["proposal", "show", "1"]).contains("oidc-client:journal is new"));
        assert!(bare.refused(&["proposal", "approve", "1", "--as", " anna"]).contains("another person"));
        assert!(bare.refused(&["proposal", "withdraw", "1", "--as", "Bo"]).contains("its author"));
        let _ = bare.run(&["proposal", "approve", "1", "--as", "Bo"]);
        let _ = bare.run(&["proposal", "publish", "1", "--as", "Bo", "--note", "som avtalat"]);
        assert!(bare.document("journal").contains("/one"));
        let newest = &bare.history()[0];
        assert_eq!((&newest["proposal"], &newest["approvals"][0]), (&Value::from(1), &Value::from("Bo")));
        assert!(bare.refused(&["proposal", "publish", "1", "--as", "Bo"]).contains("is published"));

        // Declined, withdrawn, and overtaken by what became live.
        let (two, three) = (bare.party("journal", "two"), bare.party("karta", "one"));
        let _ = (propose(&two, "Anna"), propose(&three, "Anna"), propose(&three, "Anna"));
        let _ = bare.run(&["proposal", "decline", "3", "--reason", "inte nu", "--as", "Bo"]);
        let _ = bare.run(&["proposal", "withdraw", "4", "--as", "Anna"]);
        bare.add("journal", "three");
        assert!(
            bare.refused(&["proposal", "publish", "2", "--as", "Bo"]).contains("superseded by revision 3")
        );
        let states: Vec<_> = bare
            .json(&["proposal", "list", "--all"])
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["state"]["is"].clone())
            .collect();
        assert_eq!(states, ["withdrawn", "declined", "superseded", "published"]);
        // What the rules refuse by now is not published.
        let _ = propose(&three, "Anna");
        fs::write(
            bare.path().join("other.toml"),
            RECORD.replace(
                "domains = [\"hamnverket.localhost\"]",
                "domains = [\"annan.localhost\", \"journal.hamnverket.localhost\"]",
            ),
        )
        .expect("a record");
        let _ = bare.run(&["organisation", "add", "other.toml"]);
        let number = bare.number();
        for words in [["proposal", "approve", "5", "--as", "Bo"], ["proposal", "publish", "5", "--as", "Bo"]]
        {
            assert!(bare.refused(&words).contains("Nothing was changed"), "{words:?}");
        }
        assert_eq!(bare.number(), number);
    }
}

#[test]
fn of_two_who_change_at_once_each_is_live_or_told() {
    let bare = Bare::new(true);
    let files: Vec<String> = (0..8).map(|number| bare.party(&format!("party{number}"), "one")).collect();
    let running: Vec<_> = files
        .iter()
        .map(|file| {
            Command::new(sparvidd())
                .current_dir(bare.path())
                .args(["metadata", "add", file, "--config", "sparvidd.toml"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts")
        })
        .collect();
    let done = running.into_iter().map(|mut child| child.wait().expect("it ends").success());
    let done: Vec<bool> = done.collect();
    assert!(done.iter().all(|done| *done), "others were faster, and each was tried anew: {done:?}");
    assert_eq!(bare.number(), 9);
    let entries: Vec<String> =
        bare.history().iter().map(|one| one["changed"][0]["entry"].to_string()).collect();
    for number in 0..8 {
        assert!(entries.iter().any(|entry| entry.contains(&format!("party{number}"))), "{entries:?}");
    }
}

/// How many publications are killed on each store.
const KILLED: usize = 40;

#[test]
fn a_publication_that_is_killed_leaves_the_old_registry_or_the_new() {
    for on_redis in [true, false] {
        let bare = Bare::new(on_redis);
        bare.add("journal", "begin");
        let began = Instant::now();
        bare.add("journal", "warm");
        // When a publication is killed: around the moment in which its head moves, which is found by trying.
        let mut around = began.elapsed().mul_f64(0.8);
        let (mut old, mut new) = (0, 0);
        for round in 0..KILLED {
            let before = bare.number();
            let path = format!("round{round}");
            let file = bare.party("journal", &path);
            let mut child = Command::new(sparvidd())
                .current_dir(bare.path())
                .args(["metadata", "add", &file, "--as", "Anna", "--config", "sparvidd.toml"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts");
            let [high, low] = chance::octets();
            let at = f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX);
            std::thread::sleep(around.mul_f64(0.7 + at * 0.6));
            let _ = child.kill();
            let _ = child.wait();
            // Whole, one or the other, and the chain holds from the newest to the first.
            let history = bare.history();
            let number = history[0]["number"].as_u64().expect("a number");
            assert_eq!(history.len() as u64, number, "the chain is whole");
            let is_new = bare.document("journal").contains(&path);
            assert_eq!(is_new, number == before + 1, "round {round}: {before} -> {number}");
            if is_new {
                new += 1;
                around = around.mul_f64(0.93);
            } else {
                old += 1;
                around = around.mul_f64(1.07);
            }
        }
        eprintln!("redis: {on_redis}; {KILLED} killed: {old} left the old registry, {new} the new");
        assert!(old > 0 && new > 0, "some were killed before the head moved, and some after");
        // What is live can be changed as before, and what was left is not in the way of a sweep.
        bare.add("journal", "end");
        assert!(bare.document("journal").contains("/end"));
        let _ = bare.run(&["revision", "prune"]);
        assert!(bare.document("journal").contains("/end"));
        assert_eq!(bare.history().len() as u64, bare.number());
    }
}

async fn health(federation: &Federation) -> Value {
    serde_json::from_slice(&federation.document(federation.port(), "/health").await.body).expect("JSON")
}

async fn alarm(federation: &Federation, kind: &str) {
    eventually(&format!("the alarm {kind} in /health and in the log"), Duration::from_secs(10), async || {
        let lines = federation.nodes[0].log_lines();
        let wanted = format!("\"{}", kind[..1].to_uppercase() + &kind[1..]);
        let logged = lines.iter().any(|line| line["level"] == "ERROR" && line.to_string().contains(&wanted));
        logged && health(federation).await["alarms"].get(kind).is_some()
    })
    .await;
}

async fn quiet(federation: &Federation) {
    eventually("no alarm", Duration::from_secs(10), async || {
        health(federation).await["alarms"].as_object().is_some_and(serde_json::Map::is_empty)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_writes_into_the_store_is_refused_and_seen_and_logins_go_on() {
    let federation = Federation::start(Plan { ec: true, notice: false, ..Plan::default() }).await;
    let port = federation.port();
    let store = federation.redis.as_ref().expect("Redis");
    let party = RelyingParty::with_basic("karta");
    let file = federation.folder.path().join("karta.json");
    fs::write(&file, party.metadata()).expect("a file");
    let propose =
        ["metadata", "add", "karta.json", "--organisation", "2021009903", "--propose", "--as", "Anna"];
    let _ = federation.command(&propose);
    let old_desk = store.everything()[DESK].clone();
    let _ = federation.command(&["proposal", "withdraw", "1", "--as", "Anna"]);
    let _ = federation.command(&propose);
    quiet(&federation).await;
    let everything = store.everything();
    let (desk, registry) = (everything[DESK].clone(), everything[REGISTRY].clone());
    let text = String::from_utf8(desk.clone()).expect("a head is text");
    let document = format!("sv:kept:{{{}}}", text.lines().nth(2).expect("a name"));
    let command = |words: &[&str]| {
        let config = federation.nodes[0].config().to_str().expect("UTF-8");
        program::attempt(federation.folder.path(), &[words, &["--config", config]].concat())
    };

    let flipped = |octets: &[u8]| {
        let mut flipped = octets.to_vec();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        flipped
    };
    // By hand, an octet turned, rolled back, copied from another head; and the document exchanged or taken from elsewhere.
    let forged =
        [(DESK, b"by hand".to_vec()), (DESK, flipped(&desk)), (DESK, old_desk), (DESK, registry.clone())];
    for (key, value) in forged {
        store.overwrite(key, &value);
        alarm(&federation, "desk").await;
        let refused = command(&["proposal", "list"]);
        assert!(!refused.status.success(), "a command goes by it: {value:?}");
        let refused = command(&["proposal", "publish", "2", "--as", "Bo"]);
        assert!(!refused.status.success());
        let _ = Walk::new(&federation, Person::asa()).finish(port).await;
        store.overwrite(DESK, &desk);
        quiet(&federation).await;
    }
    let genuine = everything[&document].clone();
    for value in [flipped(&genuine), b"{}".to_vec()] {
        store.overwrite(&document, &value);
        let refused = command(&["proposal", "list"]);
        assert!(!refused.status.success(), "an exchanged document is read");
        store.overwrite(&document, &genuine);
    }

    // The record of the newest revision: exchanged under its name, as a node reads it when the head moves.
    let text = String::from_utf8(registry).expect("a head is text");
    let record = format!("sv:kept:{{{}}}", text.lines().nth(4).expect("a record"));
    let genuine = everything[&record].clone();
    store.overwrite(&record, &flipped(&genuine));
    let refused = command(&["revision", "list"]);
    assert!(!refused.status.success(), "an exchanged record is read");
    store.overwrite(&record, &genuine);
    let _ = federation.command(&["revision", "list"]);

    // An older head of the registry is refused by commands too, by what this machine has seen.
    let _ = federation.command(&["proposal", "publish", "2", "--as", "Bo"]);
    let newest = store.everything()[REGISTRY].clone();
    let number = String::from_utf8_lossy(&newest).lines().nth(1).and_then(|line| line.parse::<u64>().ok());
    eventually("the node follows", Duration::from_secs(10), async || {
        health(&federation).await["revision"].as_u64() == number
    })
    .await;
    store.overwrite(REGISTRY, text.as_bytes());
    alarm(&federation, "registry").await;
    let refused = command(&["revision", "list"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("older"), "{refused:?}");
    let refused = command(&["metadata", "remove", "karta"]);
    assert!(!refused.status.success(), "a command builds on it");
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
    store.overwrite(REGISTRY, &newest);
    quiet(&federation).await;
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
    // Nobody's name can be read in the store.
    for (key, value) in store.everything() {
        assert!(!String::from_utf8_lossy(&value).contains("Anna"), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_up_remembers_the_desk_that_it_has_seen() {
    let mut federation = Federation::start(Plan { ec: true, notice: false, ..Plan::default() }).await;
    let (port, config) = (federation.port(), federation.nodes[0].config().to_owned());
    fs::write(federation.folder.path().join("karta.json"), RelyingParty::with_basic("karta").metadata())
        .expect("a file");
    let propose =
        ["metadata", "add", "karta.json", "--organisation", "2021009903", "--propose", "--as", "Anna"];
    let _ = federation.command(&propose);
    let old = federation.redis.as_ref().expect("Redis").everything();
    let _ = federation.command(&["proposal", "withdraw", "1", "--as", "Anna"]);
    quiet(&federation).await;
    federation.nodes[0].kill_hard();
    let store = federation.redis.as_ref().expect("Redis");
    store.restore(&old.into_iter().filter(|(key, _)| key.starts_with("sv:kept:") || key == DESK).collect());
    federation.nodes[0] = Node::start_alone(port, &config).await;
    alarm(&federation, "desk").await;
    federation.nodes[0].well().await;
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
}
