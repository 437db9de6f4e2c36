//! Answers that were used, come twice, or come by a way that answers do not come.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE},
};
use http::StatusCode;
use tests::{
    browser::{Form, encoded},
    federation::{Federation, Plan},
    person::Person,
    walk::{Next, Walk},
};

use super::{
    addressee::of_another_of_ours,
    kit::{Bench, Scenario, with_message},
};

fn form_of(walk: &Walk<'_>) -> Form {
    let Next::Assert(form) = &walk.next else { panic!("not at the provider") };
    form.clone()
}

/// The same form posted again by the browser that the login ended in.
async fn same_browser(bench: &Bench) {
    let mut walk = bench.at_provider().await;
    let form = form_of(&walk);
    walk.until("redeem", bench.port()).await;
    let again = walk.browser.submit(bench.port(), &form).await;
    let sent = walk.browser.open(bench.port(), &again.location()).await;
    assert_eq!(bench.turned_away(&walk.browser, &sent).await, "browser.login_used");
    bench.ends_well(walk).await;
}

/// The form in a browser that never began a login.
async fn other_browser(bench: &Bench) {
    let walk = bench.at_provider().await;
    let stranger = bench.federation.browser();
    let sent = stranger.submit(bench.port(), &form_of(&walk)).await;
    assert_eq!(bench.turned_away(&stranger, &sent).await, "browser.cookie_missing");
    bench.ends_well(walk).await;
}

/// The provider signs one assertion for two logins, by mistake or because somebody made it.
async fn signed_again(bench: &Bench) {
    let first = bench.at_provider().await;
    let used = bench.scene(&first).answer.assertion_id;
    let mut spent = first.answer();
    spent.assertion_id.clone_from(&used);
    let form = first.provider.issue(first.asked.as_ref().expect("asked"), &spent);
    let mut first = first;
    first.next = Next::Assert(form);
    bench.ends_well(first).await;
    let walk = bench.at_provider().await;
    let mut again = walk.answer();
    again.assertion_id = used;
    let form = walk.provider.issue(walk.asked.as_ref().expect("asked"), &again);
    let sent = walk.browser.submit(bench.port(), &form).await;
    assert_eq!(bench.refused(&walk, &sent).await, "provider.replayed");
    bench.ends_well(walk).await;
}

/// Twelve times at once: one answer is taken, all lead to its one notice, and the notice gives one code.
async fn in_parallel(bench: &Bench) {
    let mut walk = bench.at_provider().await;
    let form = form_of(&walk);
    let sent = at_once(bench, &walk, &form).await;
    let notices: Vec<String> = sent.iter().map(tests::browser::Page::location).collect();
    assert!(notices[0].starts_with("/login/"), "{notices:?}");
    assert!(notices.iter().all(|notice| *notice == notices[0]), "{notices:?}");
    walk.next = Next::Notice(notices[0].clone());
    walk.step(bench.port()).await;
    let Next::Accept(accept) = walk.next.clone() else { panic!("at the notice") };
    let pages = at_once(bench, &walk, &accept).await;
    let codes: Vec<String> = pages
        .iter()
        .filter(|page| page.reply.status == StatusCode::OK)
        .map(tests::browser::Page::first_button)
        .filter(|address| address.contains("code="))
        .collect();
    assert_eq!(codes.len(), 1, "one code");
    let tests::relying_party::Returned::Code(code) =
        walk.party.returned(&bench.federation.issuer, &walk.attempt, &codes[0])
    else {
        panic!("a code")
    };
    walk.next = Next::Redeem(code);
    bench.ends_well(walk).await;
}

async fn at_once(bench: &Bench, walk: &Walk<'_>, form: &Form) -> Vec<tests::browser::Page> {
    let cookies = walk.browser.cookies();
    let all: Vec<_> = (0..10)
        .map(|_| {
            let (browser, form, port) = (bench.federation.browser(), form.clone(), bench.port());
            browser.set_cookies(cookies.clone());
            tokio::spawn(async move { browser.submit(port, &form).await })
        })
        .collect();
    let mut pages = Vec::new();
    for one in all {
        pages.push(one.await.expect("an answer"));
    }
    pages
}

/// A broker that was killed, on a store that was not, remembers what was used.
async fn after_restart(_bench: &Bench) {
    let mut federation = Federation::start(Plan { nodes: 1, ec: true, ..Plan::default() }).await;
    let port = federation.port();
    let (form, assertion, cookies) = {
        let mut walk = Walk::new(&federation, Person::asa());
        walk.until("assert", port).await;
        let answer = walk.answer();
        let form = walk.provider.issue(walk.asked.as_ref().expect("asked"), &answer);
        walk.next = Next::Assert(form.clone());
        let browser_cookies = walk.browser.cookies();
        let outcome = walk.finish(port).await;
        assert!(!outcome.userinfo.is_empty());
        (form, answer.assertion_id, browser_cookies)
    };
    federation.nodes[0].kill_hard();
    federation.restart(0).await;
    let browser = federation.browser();
    browser.set_cookies(cookies);
    let again = browser.submit(port, &form).await;
    let sent = browser.open(port, &again.location()).await;
    let (page, _, code) = federation.refused(&browser, port, &sent).await;
    assert_eq!(code, "browser.login_used");
    assert!(!page.reply.text().contains("code="));
    let mut walk = Walk::new(&federation, Person::asa());
    walk.until("assert", port).await;
    let mut twice = walk.answer();
    twice.assertion_id = assertion;
    let form = walk.provider.issue(walk.asked.as_ref().expect("asked"), &twice);
    let sent = walk.browser.submit(port, &form).await;
    let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
    assert_eq!(code, "provider.replayed");
    assert!(!walk.finish(port).await.userinfo.is_empty(), "the twin");
}

/// A body in place of the genuine form; refused with one of `codes`, and the genuine form goes through afterwards.
async fn body(bench: &Bench, codes: &[&str], make: impl Fn(&Form) -> String) {
    let walk = bench.at_provider().await;
    let form = form_of(&walk);
    let sent = walk.browser.post(bench.port(), &form.action, &make(&form)).await;
    let code = bench.turned_away(&walk.browser, &sent).await;
    assert!(codes.contains(&code.as_str()), "{code}");
    bench.ends_well(walk).await;
}

const NONE: &[&str] = &["provider.unsolicited", "provider.message_malformed"];

fn decoded(form: &Form) -> Vec<u8> {
    STANDARD.decode(form.field("SAMLResponse")).expect("base64")
}

async fn recoded(bench: &Bench, code: fn(&[u8]) -> String) {
    body(bench, NONE, |form| encoded(&with_message(form, &code(&decoded(form))).fields)).await;
}

/// White space after the document makes it as long as it takes for padding to be needed.
fn unpadded(xml: &[u8]) -> String {
    let mut xml = xml.to_vec();
    while xml.len() % 3 != 1 {
        xml.push(b' ');
    }
    STANDARD_NO_PAD.encode(xml)
}

fn of_addresses(xml: &[u8]) -> String {
    let text = URL_SAFE.encode([xml, "<!-- ~~~???ÿÿÿ -->".as_bytes()].concat());
    assert!(text.contains(['-', '_']), "the two alphabets differ here");
    text
}

async fn twice(bench: &Bench) {
    body(bench, NONE, |form| format!("{0}&{0}", encoded(&form.fields))).await;
    body(bench, NONE, |form| format!("SAMLResponse=PGEvPg%3D%3D&{}", encoded(&form.fields))).await;
    body(bench, NONE, |form| format!("{}&RelayState=other", encoded(&form.fields))).await;
}

async fn other_message(bench: &Bench) {
    body(bench, NONE, |form| encoded(&[("SAMLRequest", form.field("SAMLResponse"))])).await;
    body(bench, NONE, |_| encoded(&[("SAMLart", "AAQAAMFbLinlXaCM")])).await;
    body(bench, NONE, |_| String::new()).await;
}

/// An address can carry an answer into a log or a history; answers come by POST (SAML Profiles 4.1.2).
async fn by_address(bench: &Bench) {
    let walk = bench.at_provider().await;
    let form = form_of(&walk);
    let address = format!("/saml/acs?{}", encoded(&form.fields));
    assert_eq!(walk.browser.open(bench.port(), &address).await.reply.status, 405);
    let sent = walk.browser.post(bench.port(), &address, "").await;
    let code = bench.turned_away(&walk.browser, &sent).await;
    assert!(NONE.contains(&code.as_str()), "{code}");
    bench.ends_well(walk).await;
}

/// A good answer, posted to the address of another of our service providers (SC-DP 6.3.2).
async fn elsewhere(bench: &Bench) {
    let walk = bench.at_provider().await;
    let mut form = form_of(&walk);
    form.action = of_another_of_ours(&form.action);
    assert_ne!(form.action, form_of(&walk).action);
    let sent = walk.browser.submit(bench.port(), &form).await;
    assert_eq!(bench.refused(&walk, &sent).await, "provider.destination_mismatch");
    bench.ends_well(walk).await;
}

/// A body of another type: what a script of another site may send without asking, and what SOAP sends.
async fn other_types(bench: &Bench) {
    let walk = bench.at_provider().await;
    let form = form_of(&walk);
    for kind in ["text/xml", "text/plain", "application/json", "multipart/form-data; boundary=x"] {
        let sent =
            bench.raw(&walk, "POST", "/saml/acs", &[("content-type", kind)], encoded(&form.fields)).await;
        assert_eq!(
            bench.turned_away(&walk.browser, &sent).await,
            "relying_party.request_malformed",
            "{kind}"
        );
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let sent = bench.raw(&walk, method, "/saml/acs", &kind, encoded(&form.fields)).await;
        assert_eq!(sent.reply.status, 405, "{method}");
    }
    bench.ends_well(walk).await;
}

/// The answer of one login in the form of another, both of this browser: it ends its own login, whatever RelayState says.
async fn crossed(bench: &Bench) {
    let (mut first, second) = (bench.at_provider().await, bench.at_provider().await);
    let both: std::collections::BTreeMap<_, _> =
        first.browser.cookies().into_iter().chain(second.browser.cookies()).collect();
    first.browser.set_cookies(both.clone());
    second.browser.set_cookies(both);
    let (mut one, other) = (form_of(&first), form_of(&second));
    one.fields[1].1 = other.field("RelayState").to_owned();
    first.next = Next::Assert(one);
    bench.ends_well(first).await;
    bench.ends_well(second).await;
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "the same form in the same browser",
        source: "ASVS 6.8.3",
        run: |bench| Box::pin(same_browser(bench)),
    },
    Scenario {
        name: "the form in another browser",
        source: "ASVS 6.8.3; SC-DP 6.1",
        run: |bench| Box::pin(other_browser(bench)),
    },
    Scenario {
        name: "one assertion signed for two logins",
        source: "SAML Profiles 4.1.4.5",
        run: |bench| Box::pin(signed_again(bench)),
    },
    Scenario {
        name: "ten answers and ten decisions at once",
        source: "ASVS 2.3.1: a race",
        run: |bench| Box::pin(in_parallel(bench)),
    },
    Scenario {
        name: "a used answer after the broker was killed",
        source: "ASVS 6.8.3",
        run: |bench| Box::pin(after_restart(bench)),
    },
    Scenario {
        name: "SAMLResponse or RelayState twice",
        source: "parameter pollution",
        run: |bench| Box::pin(twice(bench)),
    },
    Scenario {
        name: "a request, an artifact or nothing in place of a Response",
        source: "SAML Bindings 3.5.4, 3.6",
        run: |bench| Box::pin(other_message(bench)),
    },
    Scenario {
        name: "a Response in an address",
        source: "SAML Profiles 4.1.2",
        run: |bench| Box::pin(by_address(bench)),
    },
    Scenario {
        name: "an answer at the address of another of our service providers",
        source: "SC-DP 6.3.2; decision 6",
        run: |bench| Box::pin(elsewhere(bench)),
    },
    Scenario {
        name: "a body of another type, another method",
        source: "ASVS 4.1.1; SAML Bindings 3.2 (SOAP)",
        run: |bench| Box::pin(other_types(bench)),
    },
    Scenario {
        name: "RelayState of another login of the same browser",
        source: "SAML Bindings 3.5.3",
        run: |bench| Box::pin(crossed(bench)),
    },
    Scenario {
        name: "base64 without its padding",
        source: "RFC 4648 section 3.2",
        run: |bench| Box::pin(recoded(bench, unpadded)),
    },
    Scenario {
        name: "base64 of addresses",
        source: "RFC 4648 section 5",
        run: |bench| Box::pin(recoded(bench, of_addresses)),
    },
    Scenario {
        name: "base64 of base64",
        source: "two decoders",
        run: |bench| Box::pin(recoded(bench, |xml| STANDARD.encode(STANDARD.encode(xml)))),
    },
    Scenario {
        name: "base64 with octets that are none in between",
        source: "RFC 4648 section 3.3",
        run: |bench| Box::pin(recoded(bench, |xml| format!("*{}", STANDARD.encode(xml)))),
    },
    Scenario {
        name: "base64 with words after its end",
        source: "RFC 4648 section 3.3",
        run: |bench| {
            Box::pin(recoded(bench, |xml| format!("{}PGEvPg==", STANDARD.encode([xml, b"\n\n"].concat()))))
        },
    },
];
