//! Somebody reads the whole Redis server, or writes into it: nothing is learned, nothing is minted, and what was meddled with is in the log.

use std::{collections::BTreeMap, time::Duration};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use tests::{
    federation::{Federation, Plan, eventually},
    person::Person,
    redis::Redis,
    relying_party::RelyingParty,
    walk::{Next, Walk},
};

/// How octets could stand in a value: as they are, in hexadecimal, and in base64 at each of the three offsets within a longer text.
fn disguises(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec()];
    let lower: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    forms.push(lower.to_uppercase().into_bytes());
    forms.push(lower.into_bytes());
    for offset in 0..3 {
        let shifted = [&[0; 2][..offset], secret].concat();
        // Only whole groups that the secret alone decides.
        let start = if offset == 0 { 0 } else { 4 };
        let end = shifted.len() / 3 * 4;
        for encoded in [STANDARD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            forms.push(encoded.as_bytes()[start..end].to_vec());
        }
    }
    // Too short a piece would be found by chance.
    forms.retain(|form| form.len() >= 8);
    forms
}

fn redis(federation: &Federation) -> &Redis {
    federation.redis.as_ref().expect("Redis")
}

/// What of `secrets` is found among keys and values.
fn found_in(everything: &BTreeMap<String, Vec<u8>>, secrets: &[String]) -> Vec<String> {
    let mut sought: Vec<(&String, Vec<Vec<u8>>)> =
        secrets.iter().map(|secret| (secret, disguises(secret.as_bytes()))).collect();
    for (secret, forms) in &mut sought {
        // A handle is base64url of random octets: those octets are it, too.
        if let Ok(octets) = URL_SAFE_NO_PAD.decode(secret.as_str()) {
            forms.extend(disguises(&octets));
        }
    }
    let mut found = Vec::new();
    for (key, value) in everything {
        for (secret, forms) in &sought {
            let within = |text: &[u8]| {
                forms.iter().any(|form| text.windows(form.len()).any(|window| window == &form[..]))
            };
            if within(key.as_bytes()) || within(value) {
                found.push(format!("{secret} in {key}"));
            }
        }
    }
    found
}

#[test]
fn the_search_finds_what_is_hidden() {
    let everything = |value: &str| [("key".to_owned(), value.as_bytes().to_vec())].into();
    let secrets = ["asalill.bergviken@granvik".to_owned()];
    assert_eq!(found_in(&everything("nothing here"), &secrets).len(), 0);
    for prefix in ["", "a", "ab", "abc"] {
        let hidden = format!("{prefix}{} and more", secrets[0]);
        assert_eq!(found_in(&everything(&hidden), &secrets).len(), 1);
        assert_eq!(found_in(&everything(&STANDARD.encode(&hidden)), &secrets).len(), 1, "after {prefix:?}");
        assert_eq!(
            found_in(&everything(&URL_SAFE_NO_PAD.encode(&hidden)), &secrets).len(),
            1,
            "after {prefix:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_no_stage_of_a_login_does_the_store_say_who_or_hold_what_opens_it() {
    let relying_parties = vec![RelyingParty::with_key("nyckel")];
    let federation = Federation::start(Plan { relying_parties, ..Plan::default() }).await;
    let mut walk = Walk::new(&federation, Person::asa());
    let mut stages = 0;
    while walk.next.name() != "done" {
        walk.step(federation.port()).await;
        let everything = redis(&federation).everything();
        assert!(everything.len() > 5, "the store is not empty: {:?}", everything.keys());
        let mut secrets = walk.person.values();
        secrets.extend(walk.secrets.iter().cloned());
        secrets.extend([
            walk.attempt.state.clone(),
            walk.attempt.nonce.clone(),
            walk.attempt.verifier.clone(),
        ]);
        secrets.extend(walk.asked.iter().map(|asked| asked.request.id.clone()));
        let found = found_in(&everything, &secrets);
        assert!(found.is_empty(), "before {}: {found:?}", walk.next.name());
        stages += 1;
    }
    assert_eq!(stages, 6);
}

/// The records that a step brings.
async fn brought(walk: &mut Walk<'_>) -> BTreeMap<String, Vec<u8>> {
    let store = redis(walk.federation);
    let before = store.everything();
    walk.step(walk.federation.port()).await;
    let mut after = store.everything();
    after.retain(|key, value| key.starts_with("sv:record:") && before.get(key) != Some(value));
    after
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_written_by_hand_or_copied_mints_nothing() {
    let federation = Federation::start(Plan { notice: false, ..Plan::default() }).await;
    let (port, store) = (federation.port(), redis(&federation));
    // At the provider: two logins, the one's records in place of the other's.
    let (mut one, mut other) =
        (Walk::new(&federation, Person::asa()), Walk::new(&federation, Person::numbered(1)));
    one.until("choose", port).await;
    other.until("choose", port).await;
    let (of_one, of_other) = (brought(&mut one).await, brought(&mut other).await);
    assert_eq!(of_one.len(), 2, "the login and its origin");
    for meddled in [of_one.values().next(), of_one.values().nth(1), None] {
        for key in of_other.keys() {
            store.overwrite(key, meddled.map_or(b"V0123456789abcdefhand-written", Vec::as_slice));
        }
        let Next::Assert(form) = other.next.clone() else { panic!("at the provider") };
        let sent = other.browser.submit(port, &form).await;
        let (_, _, code) = federation.refused(&other.browser, port, &sent).await;
        assert_eq!(code, "browser.login_unknown");
    }
    for (key, value) in &of_other {
        store.overwrite(key, value);
    }
    // At the token endpoint.
    let (of_one, of_other) = (brought(&mut one).await, brought(&mut other).await);
    let live = |records: &BTreeMap<String, Vec<u8>>| -> Vec<(String, Vec<u8>)> {
        records
            .iter()
            .filter(|(_, value)| value.first() == Some(&b'V'))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let (code_of_one, code_of_other) = (live(&of_one), live(&of_other));
    assert_eq!((code_of_one.len(), code_of_other.len()), (1, 1), "one code each");
    for meddled in [code_of_one[0].1.as_slice(), b"V0123456789abcdefhand-written"] {
        store.overwrite(&code_of_other[0].0, meddled);
        let reply = other
            .party
            .redeem(&federation.wire, port, &federation.issuer, &other.attempt, &other.outcome.code)
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()["error"].as_str()),
            (400, Some("invalid_grant")),
            "{}",
            reply.text()
        );
        assert!(reply.json().get("id_token").is_none());
    }
    let _ = one.finish(port).await;
    let lines = federation.nodes[0].log_lines();
    assert_eq!(lines.iter().filter(|line| line["outcome"] == "signed_in").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_was_put_back_or_forged_is_refused_with_an_alarm() {
    let federation = Federation::start(Plan { notice: false, ..Plan::default() }).await;
    let (port, store) = (federation.port(), redis(&federation));
    let head = "sv:head:{registry}";
    let old = store.everything().remove(head).expect("the registry has a head");
    let _ = federation.command(&["metadata", "remove", "journal"]);
    let is_known = async || {
        let attempt = federation.party().begin();
        let page = federation.browser().open(port, &attempt.path()).await;
        page.reply.status == 200
    };
    eventually("journal is unknown", Duration::from_secs(3), async || !is_known().await).await;
    let genuine = store.everything().remove(head).expect("a head");
    let alarms = || {
        let lines = federation.nodes[0].log_lines();
        let about_head = |line: &&serde_json::Value| line.to_string().contains("head is refused");
        lines.iter().filter(about_head).filter(|line| line["level"] == "ERROR").count()
    };
    assert_eq!(alarms(), 0);
    let mut forged = genuine.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let mut renumbered = genuine.clone();
    renumbered[0] ^= 1;
    for meddled in [&old, &forged, &renumbered, &b"hand-written".to_vec()] {
        let before = alarms();
        store.overwrite(head, meddled);
        eventually("an alarm is in the log", Duration::from_secs(5), async || alarms() > before).await;
        assert!(!is_known().await, "what was removed stays removed");
    }
    store.overwrite(head, &genuine);
    federation.register(federation.party());
    eventually("journal is known", Duration::from_secs(3), is_known).await;
    let _ = Walk::new(&federation, Person::asa()).finish(port).await;
}
