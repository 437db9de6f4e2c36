//! Two browsers. What one was given is carried into the other at every step of a login: never does the victim end signed in as the attacker, nor the
//! attacker as the victim, and each login still ends well where it began.

use tests::{
    browser::{Browser, Form},
    relying_party::Returned,
    walk::{Next, Walk},
};

use super::kit::{Bench, Scenario};

fn form_of(walk: &Walk<'_>) -> Form {
    match &walk.next {
        Next::Assert(form) | Next::Accept(form) => form.clone(),
        other => panic!("no form at {}", other.name()),
    }
}

/// Both logins, each at the step before the named request.
async fn both<'b>(bench: &'b Bench, next: &str) -> (Walk<'b>, Walk<'b>) {
    (bench.genuine(next).await, bench.attackers(next).await)
}

async fn both_end(bench: &Bench, victim: Walk<'_>, attacker: Walk<'_>) {
    bench.ends_well(victim).await;
    bench.ends_as_himself(attacker).await;
}

/// Both have the other's cookies beside their own: what a neighbour on the same domain could plant, or a shared machine holds.
fn with_both_cookies(victim: &Walk<'_>, attacker: &Walk<'_>) {
    let all: std::collections::BTreeMap<_, _> =
        victim.browser.cookies().into_iter().chain(attacker.browser.cookies()).collect();
    victim.browser.set_cookies(all.clone());
    attacker.browser.set_cookies(all);
}

async fn posted(bench: &Bench, browser: &Browser, form: &Form, expected: &str) {
    let sent = browser.submit(bench.port(), form).await;
    assert_eq!(bench.turned_away(browser, &sent).await, expected);
}

async fn opened(bench: &Bench, browser: &Browser, address: &str, expected: &str) {
    let sent = browser.open(bench.port(), address).await;
    assert_eq!(bench.turned_away(browser, &sent).await, expected);
}

/// At the choice: the other's links open nothing.
async fn choice(bench: &Bench) {
    let (mut victim, mut attacker) = (
        Walk::new(&bench.federation, tests::person::Person::asa()),
        Walk::new(&bench.federation, tests::person::Person::numbered(6)),
    );
    victim.until("choose", bench.port()).await;
    attacker.until("choose", bench.port()).await;
    for (mine, other) in [(&victim, &attacker), (&attacker, &victim)] {
        let Next::Choose(link) = &other.next else { panic!("at the choice") };
        let login = link.split_once("/choose").expect("a link of the choice").0;
        for address in [link.as_str(), login, &format!("{login}/cancel")] {
            opened(bench, &mine.browser, address, "browser.cookie_missing").await;
        }
    }
    both_end(bench, victim, attacker).await;
}

/// At the provider: the victim answers the attacker's request. What comes back belongs to the attacker's login, which this browser does not have.
async fn provider(bench: &Bench) {
    let (victim, attacker) = both(bench, "assert").await;
    let asked = attacker.asked.as_ref().expect("asked");
    let lured = attacker.provider.issue(asked, &attacker.provider.answer(asked, &victim.person));
    posted(bench, &victim.browser, &lured, "browser.cookie_missing").await;
    both_end(bench, victim, attacker).await;
}

/// At the ACS: login CSRF, and the theft of an answer.
async fn answer(bench: &Bench) {
    let (victim, attacker) = both(bench, "assert").await;
    posted(bench, &victim.browser, &form_of(&attacker), "browser.cookie_missing").await;
    posted(bench, &attacker.browser, &form_of(&victim), "browser.cookie_missing").await;
    both_end(bench, victim, attacker).await;
}

/// RelayState is nobody's proof of anything.
async fn relay_state(bench: &Bench) {
    let (mut victim, attacker) = both(bench, "assert").await;
    let mut form = form_of(&victim);
    form.fields[1].1 = form_of(&attacker).field("RelayState").to_owned();
    victim.next = Next::Assert(form);
    both_end(bench, victim, attacker).await;
}

/// The Response in the form of the other, in the browser of either.
async fn response(bench: &Bench) {
    let (victim, attacker) = both(bench, "assert").await;
    let (theirs, his) = (form_of(&victim), form_of(&attacker));
    let mixed = |message: &Form, rest: &Form| Form {
        action: rest.action.clone(),
        fields: vec![message.fields[0].clone(), rest.fields[1].clone()],
    };
    posted(bench, &victim.browser, &mixed(&his, &theirs), "browser.cookie_missing").await;
    posted(bench, &attacker.browser, &mixed(&theirs, &his), "browser.cookie_missing").await;
    both_end(bench, victim, attacker).await;
}

/// The secret of one cookie under the name of the other.
async fn cookie(bench: &Bench) {
    let (victim, attacker) = both(bench, "assert").await;
    let name = victim.browser.cookies().into_keys().next().expect("a cookie");
    let secret = attacker.browser.cookies().into_values().next().expect("a cookie");
    let forged = bench.federation.browser();
    forged.set_cookies([(name, secret)].into());
    posted(bench, &forged, &form_of(&victim), "browser.login_unknown").await;
    both_end(bench, victim, attacker).await;
}

/// The attacker's cookie is planted beside the victim's own. His answer then ends his login, whose state the victim's relying party did not give.
async fn planted(bench: &Bench) {
    let (victim, mut attacker) = both(bench, "assert").await;
    with_both_cookies(&victim, &attacker);
    let mut page = victim.browser.submit(bench.port(), &form_of(&attacker)).await;
    page = victim.browser.open(bench.port(), &page.location()).await;
    let accept = page.form().pressing("decision", "accept");
    let onward = victim.browser.submit(bench.port(), &accept).await.first_button();
    assert!(!onward.contains(&victim.attempt.state), "the state is the attacker's");
    let Returned::Code(code) = attacker.party.returned(&bench.federation.issuer, &attacker.attempt, &onward)
    else {
        panic!("a code")
    };
    // A relying party that does not look at the state sends its own verifier, and has no use of the code either.
    let reply = victim
        .party
        .redeem(&bench.federation.wire, bench.port(), &bench.federation.issuer, &victim.attempt, &code)
        .await;
    assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (400, Some("invalid_grant")));
    attacker.next = Next::Done;
    bench.ends_well(victim).await;
}

/// The address of a notice, and its form.
async fn notice(bench: &Bench) {
    let (victim, attacker) = both(bench, "accept").await;
    for (mine, other) in [(&victim, &attacker), (&attacker, &victim)] {
        opened(bench, &mine.browser, &form_of(other).action, "browser.cookie_missing").await;
        posted(bench, &mine.browser, &form_of(other), "browser.cookie_missing").await;
    }
    both_end(bench, victim, attacker).await;
}

/// The token of one notice on the other.
async fn notice_token(bench: &Bench) {
    let (victim, attacker) = both(bench, "accept").await;
    let swapped = |mine: &Form, other: &Form| Form {
        action: mine.action.clone(),
        fields: vec![("token".into(), other.field("token").to_owned()), ("decision".into(), "accept".into())],
    };
    let (theirs, his) = (form_of(&victim), form_of(&attacker));
    posted(bench, &victim.browser, &swapped(&theirs, &his), "browser.page_expired").await;
    posted(bench, &attacker.browser, &swapped(&his, &theirs), "browser.page_expired").await;
    with_both_cookies(&victim, &attacker);
    posted(bench, &victim.browser, &swapped(&theirs, &his), "browser.page_expired").await;
    // The address of one notice's tag under the other's login.
    let login = theirs.action.rsplit_once('/').expect("a tag").0;
    let tag = his.action.rsplit_once('/').expect("a tag").1;
    let sent = victim.browser.open(bench.port(), &format!("{login}/{tag}")).await;
    let code = bench.turned_away(&victim.browser, &sent).await;
    assert!(["browser.page_expired", "browser.login_unknown"].contains(&code.as_str()), "{code}");
    both_end(bench, victim, attacker).await;
}

/// The address of a failed page in another browser: an error, the service's name and nothing of the person.
async fn failed_page(bench: &Bench) {
    let (victim, attacker) = both(bench, "assert").await;
    let mut broken = form_of(&victim);
    broken.fields[0].1 = "PGEvPg==".into();
    let sent = victim.browser.submit(bench.port(), &broken).await;
    // Opened twice in the wrong browser first: the page is for anybody, since nothing of anybody is on it.
    let shown = attacker.browser.open(bench.port(), &sent.location()).await;
    assert!(!shown.reply.text().contains("code="));
    for walk in [&victim, &attacker] {
        let told = tests::leak::found([("the page", &shown.reply.body[..])], &walk.person.values());
        assert!(told.is_empty(), "{told:?}");
        assert!(shown.reply.headers.get(http::header::SET_COOKIE).is_none());
    }
    let _ = bench.turned_away(&victim.browser, &sent).await;
    both_end(bench, victim, attacker).await;
}

/// A page that leads onward shows its code to the browser of the login alone.
async fn onward(bench: &Bench) {
    let (mut victim, attacker) = both(bench, "accept").await;
    let form = form_of(&victim);
    victim.step(bench.port()).await;
    posted(bench, &attacker.browser, &form, "browser.cookie_missing").await;
    both_end(bench, victim, attacker).await;
}

/// Codes put into the other's relying-party session, past its own look at the state.
async fn code(bench: &Bench) {
    let (victim, attacker) = both(bench, "redeem").await;
    let fresh = victim.party.begin();
    for (walk, attempt) in [(&victim, &attacker.attempt), (&attacker, &fresh)] {
        let address =
            format!("{}?code={}&state={}", walk.party.redirect_uri, walk.outcome.code, walk.attempt.state);
        assert!(!address.contains(&attempt.state), "state tells the relying party");
        let reply = walk
            .party
            .redeem(
                &bench.federation.wire,
                bench.port(),
                &bench.federation.issuer,
                attempt,
                &walk.outcome.code,
            )
            .await;
        assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (400, Some("invalid_grant")));
    }
    // A code that came into wrong hands is spent: the twins are logins of their own.
    both_end(bench, bench.genuine("assert").await, bench.attackers("assert").await).await;
}

/// The nonce in the ID token is the one of the login that the code came from.
async fn nonce(bench: &Bench) {
    let (victim, attacker) = both(bench, "redeem").await;
    let (theirs, his) = (victim.attempt.nonce.clone(), attacker.attempt.nonce.clone());
    let (victim, attacker) = (victim.finish(bench.port()).await, attacker.finish(bench.port()).await);
    assert_eq!(victim.id_token["nonce"], theirs.as_str());
    assert_eq!(attacker.id_token["nonce"], his.as_str());
    assert_ne!(victim.id_token["sub"], attacker.id_token["sub"]);
}

/// A login that was begun in one tab and one in another, answered crosswise: each ends its own.
async fn tabs(bench: &Bench) {
    let (victim, attacker) = both(bench, "assert").await;
    with_both_cookies(&victim, &attacker);
    both_end(bench, victim, attacker).await;
}

/// The request itself: an authorization request that somebody else made begins his login, and its end is not the victim's session.
async fn begun_by_another(bench: &Bench) {
    let (victim, mut attacker) = both(bench, "assert").await;
    attacker.browser.set_cookies(victim.browser.cookies());
    let page = victim.browser.open(bench.port(), &attacker.attempt.path()).await;
    assert_eq!(victim.browser.cookies().len(), 2, "a login of its own: {}", page.reply.status);
    attacker.next = Next::Authorize;
    both_end(bench, victim, attacker).await;
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "the request of one begun in the browser of the other",
        source: "RFC 9700 section 4.7",
        run: |bench| Box::pin(begun_by_another(bench)),
    },
    Scenario { name: "the links of the choice", source: "ASVS 3.5.1", run: |bench| Box::pin(choice(bench)) },
    Scenario {
        name: "the victim answers the attacker's request at the provider",
        source: "login CSRF; SC-DP 6.1",
        run: |bench| Box::pin(provider(bench)),
    },
    Scenario {
        name: "the answer of one posted by the other",
        source: "login CSRF; SC-DP 6.1",
        run: |bench| Box::pin(answer(bench)),
    },
    Scenario { name: "RelayState", source: "SAML Bindings 3.5.3", run: |bench| Box::pin(relay_state(bench)) },
    Scenario {
        name: "the Response in the other's form",
        source: "SAML Bindings 3.5.3",
        run: |bench| Box::pin(response(bench)),
    },
    Scenario {
        name: "the cookie's secret under the other's name",
        source: "ASVS 3.3.3",
        run: |bench| Box::pin(cookie(bench)),
    },
    Scenario {
        name: "the attacker's cookie planted beside the victim's",
        source: "cookie tossing, RFC 6265bis 8.6",
        run: |bench| Box::pin(planted(bench)),
    },
    Scenario { name: "the notice and its form", source: "ASVS 3.5.1", run: |bench| Box::pin(notice(bench)) },
    Scenario {
        name: "the token of the notice",
        source: "ASVS 3.5.1",
        run: |bench| Box::pin(notice_token(bench)),
    },
    Scenario {
        name: "the address of a failed page",
        source: "ASVS 14.2.1",
        run: |bench| Box::pin(failed_page(bench)),
    },
    Scenario {
        name: "the decision sent again by the other",
        source: "ASVS 2.3.1",
        run: |bench| Box::pin(onward(bench)),
    },
    Scenario { name: "the code", source: "RFC 9700 section 4.5", run: |bench| Box::pin(code(bench)) },
    Scenario { name: "the nonce", source: "ASVS 10.5.1", run: |bench| Box::pin(nonce(bench)) },
    Scenario {
        name: "two logins in one browser",
        source: "design decision 6",
        run: |bench| Box::pin(tabs(bench)),
    },
];
