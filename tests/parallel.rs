//! Ten thousand at once, over two nodes on one Redis server: what may be used once is used once.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tests::{
    browser::Browser,
    federation::{Federation, Plan},
    person::Person,
    relying_party,
    walk::{Next, Walk},
};

/// How many in all.
const ATTEMPTS: usize = 10_000;
/// How many at a time.
const AT_ONCE: usize = 64;

/// How many may be told to try again because the store's answer was late: on a machine that does much else, it sometimes is.
const LATE: usize = ATTEMPTS / 10;

/// Two nodes, whose limits on how often one may ask stand back: here it is what is used once that is looked at.
fn plan() -> Plan {
    let more = "[limits]\nclient_per_second = 1000000\nanswers_per_login = 1000\n".to_owned();
    Plan { nodes: 2, notice: false, more, ..Plan::default() }
}

/// Calls `attempt` [`ATTEMPTS`] times, [`AT_ONCE`] at a time, and gives what came of each.
async fn in_parallel<T, F>(attempt: impl Fn(usize) -> F + Send + Sync + 'static) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let (attempt, started, outcomes) = (
        Arc::new(attempt),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(Mutex::new(Vec::with_capacity(ATTEMPTS))),
    );
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (attempt, started, outcomes) = (attempt.clone(), started.clone(), outcomes.clone());
            tokio::spawn(async move {
                loop {
                    let number = started.fetch_add(1, Ordering::Relaxed);
                    if number >= ATTEMPTS {
                        return;
                    }
                    let outcome = attempt(number).await;
                    outcomes.lock().expect("no panic while holding it").push(outcome);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("no attempt panics");
    }
    let outcomes = std::mem::take(&mut *outcomes.lock().expect("no panic while holding it"));
    assert_eq!(outcomes.len(), ATTEMPTS);
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_redeemed_once() {
    let federation = Federation::start(plan()).await;
    let mut walk = Walk::new(&federation, Person::asa());
    walk.until("redeem", federation.port()).await;
    let Next::Redeem(code) = walk.next.clone() else { panic!("at the token endpoint") };
    let ports: Vec<u16> = federation.nodes.iter().map(tests::node::Node::port).collect();
    let (party, attempt) = (federation.party().clone(), walk.attempt.clone());
    let (wire, issuer) = (federation.wire.clone(), federation.issuer.clone());
    let replies = in_parallel({
        let (wire, issuer) = (wire.clone(), issuer.clone());
        move |number| {
            let (party, attempt, code) = (party.clone(), attempt.clone(), code.clone());
            let (wire, issuer, port) = (wire.clone(), issuer.clone(), ports[number % ports.len()]);
            async move { party.redeem(&wire, port, &issuer, &attempt, &code).await }
        }
    })
    .await;
    let redeemed: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(redeemed.len(), 1, "exactly one is given tokens");
    let (late, refused): (Vec<_>, Vec<_>) =
        replies.iter().filter(|reply| reply.status != 200).partition(|reply| reply.status == 503);
    for reply in refused {
        assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (400, Some("invalid_grant")));
    }
    assert!(late.len() <= LATE, "the store was late for {}", late.len());
    // Whoever was second may be the rightful one: what the first was given is worth nothing now (RFC 6749 4.1.2).
    let token = redeemed[0].json()["access_token"].as_str().expect("an access token").to_owned();
    let reply = relying_party::userinfo(&wire, federation.port(), &issuer, &token).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_redeem_one_code_at_the_same_moment_leave_no_token_alive() {
    let federation = Federation::start(plan()).await;
    let (wire, issuer, party) = (&federation.wire, &federation.issuer, federation.party());
    let ports = [federation.nodes[0].port(), federation.nodes[1].port()];
    for number in 0..60 {
        let mut walk = Walk::new(&federation, Person::numbered(number));
        walk.until("redeem", ports[0]).await;
        let code = walk.outcome.code.clone();
        let (one, other) = tokio::join!(
            party.redeem(wire, ports[0], issuer, &walk.attempt, &code),
            party.redeem(wire, ports[1], issuer, &walk.attempt, &code),
        );
        let given: Vec<_> = [one, other]
            .iter()
            .filter_map(|reply| Some(reply.json()["access_token"].as_str()?.to_owned()))
            .collect();
        assert!(given.len() <= 1, "at most one is given tokens");
        for token in given {
            let reply = relying_party::userinfo(wire, ports[0], issuer, &token).await;
            assert_eq!(reply.status, 401, "after {number} others");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_ends_one_login_once() {
    let federation = Federation::start(plan()).await;
    let mut walk = Walk::new(&federation, Person::asa());
    walk.until("assert", federation.port()).await;
    let Next::Assert(form) = walk.next.clone() else { panic!("at the provider") };
    let ports: Vec<u16> = federation.nodes.iter().map(tests::node::Node::port).collect();
    let (wire, issuer, cookies) =
        (federation.wire.clone(), federation.issuer.clone(), walk.browser.cookies());
    let redirect_uri = federation.party().redirect_uri.clone();
    let locations = in_parallel(move |number| {
        let (browser, form, port) =
            (Browser::new(wire.clone(), &issuer), form.clone(), ports[number % ports.len()]);
        browser.set_cookies(cookies.clone());
        async move { browser.submit(port, &form).await.location() }
    })
    .await;
    let (answered, refused): (Vec<_>, Vec<_>) =
        locations.into_iter().partition(|location| location.starts_with(&redirect_uri));
    assert_eq!(answered.len(), 1, "exactly one is given a code");
    let mut pages = refused.clone();
    pages.sort();
    pages.dedup();
    assert_eq!(pages.len(), ATTEMPTS - 1, "every other has a page and a reference of its own");
    for location in refused.iter().step_by(ATTEMPTS / 20) {
        let page = walk.browser.open(federation.port(), location).await;
        let (_, code) = page.reference_and_code();
        let expected = ["browser.login_used", "provider.replayed", "broker.store_away"];
        assert!(expected.contains(&code.as_str()), "{code}");
    }
    let lines: Vec<_> = federation.nodes.iter().flat_map(tests::node::Node::log_lines).collect();
    assert_eq!(lines.iter().filter(|line| line["outcome"] == "signed_in").count(), 1);
    let late = lines.iter().filter(|line| line["code"] == "broker.store_away").count();
    assert!(late <= LATE, "the store was late for {late}");
}
