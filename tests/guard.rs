//! The rollover guard at the operator's command, and a rollover under load: in the safe order nobody is locked out, the unsafe one is held.

use std::{
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tests::{
    federation::{Federation, Plan},
    person::Person,
    program,
    provider::Provider,
    walk::Walk,
};

async fn federation() -> Federation {
    Federation::start(Plan { nodes: 2, notice: false, ec: true, ..Plan::default() }).await
}

fn attempt(federation: &Federation, words: &[&str]) -> Output {
    let config = federation.nodes[0].config().to_str().expect("UTF-8").to_owned();
    program::attempt(federation.folder.path(), &[words, &["--config", &config]].concat())
}

/// Held: nothing changed, the rule is named, and so are the steps.
fn is_held(output: &Output, rule: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in [rule, "The change is held", "Nothing was changed", "--despite-hold"] {
        assert!(said.contains(words), "{words} is not in: {said}");
    }
}

fn is_made(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn write(federation: &Federation, name: &str, text: &str) {
    std::fs::write(federation.folder.path().join(name), text).expect("a file");
}

const ADD: [&str; 2] = ["metadata", "add"];
const OF_GRANVIK: [&str; 2] = ["--organisation", "2120009903"];

fn add(federation: &Federation, file: &str, more: &[&str]) -> Output {
    attempt(federation, &[&ADD[..], &[file], &OF_GRANVIK[..], more].concat())
}

async fn signs_in(federation: &Federation, provider: &Provider, node: usize) {
    let walk = Walk::between(federation, federation.party(), provider, Person::asa()).naming_the_provider();
    let _ = walk.finish(federation.nodes[node].port()).await;
}

/// When the keys of Granvik's provider last verified a message, as `metadata show` tells it.
fn last_used(federation: &Federation, provider: &Provider) -> Option<String> {
    let shown = federation.command(&["metadata", "show", &provider.entity_id, "--json"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let fingerprint = provider.public_key().thumbprint().to_string();
    let keys = shown["keys"].as_array().expect("keys");
    let key = keys.iter().find(|key| key["fingerprint"] == fingerprint.as_str())?;
    key["last_used"].as_str().map(str::to_owned)
}

/// Waits until the nodes have written that this key verified a message: at most once a minute.
async fn seen(federation: &Federation, provider: &Provider) {
    let began = Instant::now();
    while last_used(federation, provider).is_none() {
        assert!(began.elapsed() < Duration::from_secs(150), "the key's use was never written");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Waits until every node has the newest revision.
async fn live(federation: &Federation) {
    let listed = federation.command(&["revision", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let read = format!("\"revision\":{}", listed[0]["number"]);
    let began = Instant::now();
    while !federation.nodes.iter().all(|node| node.log().contains(&read)) {
        assert!(began.elapsed() < Duration::from_secs(60), "the revision never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_own_command_is_told_and_must_say_why() {
    let federation = federation().await;
    let next = federation.granvik.with_next_key(true);
    write(&federation, "next.xml", &next.metadata());
    write(&federation, "both.xml", &federation.granvik.metadata_with(&next));
    // Nobody has signed in yet: nothing is at stake.
    let looked = add(&federation, "next.xml", &["--dry-run"]);
    is_made(&looked);
    let said = String::from_utf8_lossy(&looked.stderr);
    assert!(!said.contains("guard."), "{said}");

    signs_in(&federation, &federation.granvik, 0).await;
    seen(&federation, &federation.granvik).await;
    is_held(&add(&federation, "next.xml", &[]), "guard.key.in_use_removed");
    is_made(&add(&federation, "both.xml", &[]));
    is_held(&add(&federation, "next.xml", &[]), "guard.key.in_use_removed");
    let looked = add(&federation, "next.xml", &["--dry-run"]);
    is_made(&looked);
    let said = String::from_utf8_lossy(&looked.stderr).into_owned();
    assert!(said.contains("guard.key.in_use_removed") && said.contains("would be held"), "{said}");

    // A provider that is used is not removed; one that is not, is.
    let gone = |provider: &Provider| attempt(&federation, &["metadata", "remove", &provider.entity_id]);
    is_held(&gone(&federation.granvik), "guard.entity.removed_in_use");
    is_made(&gone(&federation.fjorden));
    // A record that takes the scope away.
    let record = std::fs::read_to_string(federation.folder.path().join("granvik.toml")).expect("a record");
    let scope = "scopes = [\"granvik.localhost\"]";
    assert!(record.contains(scope));
    write(&federation, "narrow.toml", &record.replace(scope, "scopes = []"));
    is_held(&attempt(&federation, &["organisation", "add", "narrow.toml"]), "guard.scope.removed");
    is_made(&attempt(&federation, &["organisation", "add", "granvik.toml"]));

    // What must be, may be, for a reason that stays in the history.
    let said = add(&federation, "next.xml", &["--despite-hold", "  "]);
    assert_eq!(said.status.code(), Some(2), "a reason that says nothing");
    is_made(&add(&federation, "next.xml", &["--despite-hold", "the old key is lost"]));
    let listed = federation.command(&["revision", "list", "--json"]);
    assert!(listed.contains("the old key is lost"), "{listed}");
    live(&federation).await;
    signs_in(&federation, &next, 1).await;
}

/// People sign in without pause on every node, by the key that the provider signs with at that moment.
struct Load {
    switched: AtomicBool,
    stopped: AtomicBool,
    done: AtomicUsize,
    by_new: AtomicUsize,
    /// Logins under way that began with the old key.
    old_under_way: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollover_in_the_safe_order_locks_nobody_out_and_the_unsafe_one_is_held() {
    let federation = Arc::new(federation().await);
    let next = Arc::new(federation.granvik.with_next_key(true));
    write(&federation, "next.xml", &next.metadata());
    write(&federation, "both.xml", &federation.granvik.metadata_with(&next));
    let load = Arc::new(Load {
        switched: AtomicBool::new(false),
        stopped: AtomicBool::new(false),
        done: AtomicUsize::new(0),
        by_new: AtomicUsize::new(0),
        old_under_way: AtomicUsize::new(0),
    });
    let tasks: Vec<_> = (0..4)
        .map(|number| {
            let (federation, next, load) = (federation.clone(), next.clone(), load.clone());
            tokio::spawn(async move {
                while !load.stopped.load(Ordering::SeqCst) {
                    load.old_under_way.fetch_add(1, Ordering::SeqCst);
                    if load.switched.load(Ordering::SeqCst) {
                        load.old_under_way.fetch_sub(1, Ordering::SeqCst);
                        signs_in(&federation, &next, number % 2).await;
                        load.by_new.fetch_add(1, Ordering::SeqCst);
                    } else {
                        signs_in(&federation, &federation.granvik, number % 2).await;
                        load.old_under_way.fetch_sub(1, Ordering::SeqCst);
                    }
                    load.done.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
        })
        .collect();
    seen(&federation, &federation.granvik).await;
    is_held(&add(&federation, "next.xml", &[]), "guard.key.in_use_removed");

    // 1. Both keys are published, and every node has read that.
    is_made(&add(&federation, "both.xml", &[]));
    live(&federation).await;
    is_held(&add(&federation, "next.xml", &[]), "guard.key.in_use_removed");
    // 2. The provider signs with the new one.
    load.switched.store(true, Ordering::SeqCst);
    while load.old_under_way.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // 3. The new one has verified messages.
    seen(&federation, &next).await;
    // 4. The old one goes.
    is_made(&add(&federation, "next.xml", &[]));
    live(&federation).await;
    let (done, by_new) = (load.done.load(Ordering::SeqCst), load.by_new.load(Ordering::SeqCst));
    let began = Instant::now();
    while load.done.load(Ordering::SeqCst) < done + 40 {
        assert!(began.elapsed() < Duration::from_secs(60), "the load stands still");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    load.stopped.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.expect("no login failed");
    }
    assert!(by_new > 0);
    let refusals: Vec<Value> = federation.nodes.iter().flat_map(tests::node::Node::refusals).collect();
    assert!(refusals.is_empty(), "{refusals:?}");
    println!("{} logins, none failed", load.done.load(Ordering::SeqCst));
}
