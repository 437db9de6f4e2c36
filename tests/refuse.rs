//! What must not go well, each beside a twin that does. Whatever is refused leaves one line with the code and the reference of the page that is
//! shown ([`Federation::refused`] holds them together), and nothing of the person or of what was handed out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tests::{
    browser::{Browser, Form, Page},
    federation::{Federation, Plan},
    person::Person,
    relying_party::{self, RelyingParty, Returned},
    walk::{Next, Walk},
};

async fn federation() -> Federation {
    let relying_parties = vec![RelyingParty::with_basic("journal"), RelyingParty::with_basic("annan")];
    Federation::start(Plan { relying_parties, ..Plan::default() }).await
}

/// A login that is at the provider, with the form that the genuine answer comes in.
async fn at_provider(federation: &Federation) -> (Walk<'_>, Form) {
    let mut walk = Walk::new(federation, Person::asa());
    walk.until("assert", federation.port()).await;
    let Next::Assert(form) = walk.next.clone() else { panic!("at the provider") };
    (walk, form)
}

/// Posts `form` in place of the genuine answer; gives the error page, and its code. Afterwards the genuine answer still ends the login well.
async fn refused_and_its_twin_is_not(walk: Walk<'_>, form: &Form) -> (Page, String) {
    let federation = walk.federation;
    let port = federation.port();
    let sent = walk.browser.submit(port, form).await;
    let (page, _, code) = federation.refused(&walk.browser, port, &sent).await;
    nothing_is_told(&walk);
    let _ = walk.finish(port).await;
    (page, code)
}

/// Nothing of the person, and nothing that was handed out, is in any log.
fn nothing_is_told(walk: &Walk<'_>) {
    let logs = walk.federation.logs();
    for value in walk.person.values().iter().chain(&walk.secrets) {
        assert!(!logs.contains(value.as_str()), "a log has {value}");
    }
}

/// The XML inside a form.
fn xml(form: &Form) -> String {
    String::from_utf8(STANDARD.decode(form.field("SAMLResponse")).expect("base64")).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_address_that_is_not_registered_is_never_gone_to() {
    let federation = federation().await;
    let (port, browser) = (federation.port(), federation.browser());
    let genuine = federation.party().begin();
    let redirect_uri = &federation.party().redirect_uri;
    let others = [
        "https://evil.example/callback".to_owned(),
        format!("{redirect_uri}/"),
        format!("{redirect_uri}?a=b"),
        redirect_uri.replace("https", "http"),
        redirect_uri.to_uppercase(),
        redirect_uri.replace("/callback", "/x/../callback"),
    ];
    for other in &others {
        let sent = browser.open(port, &genuine.clone().with("redirect_uri", other).path()).await;
        let (page, _, code) = federation.refused(&browser, port, &sent).await;
        assert_eq!(code, "relying_party.return_address_unregistered", "{other}");
        assert!(!page.reply.text().contains(other.as_str()), "{other} is on the page");
    }
    let sent = browser.open(port, &genuine.clone().with("client_id", "okand").path()).await;
    let (_, _, code) = federation.refused(&browser, port, &sent).await;
    assert_eq!(code, "relying_party.unknown");
    assert_eq!(federation.nodes[0].refusals().len(), others.len() + 1, "one line each, reloads none");
    assert_eq!(browser.open(port, &genuine.path()).await.reply.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_good_challenge_goes_back_with_an_error() {
    let federation = federation().await;
    let (port, browser, party) = (federation.port(), federation.browser(), federation.party());
    let genuine = party.begin();
    let without = genuine.clone().with("code_challenge", "").with("code_challenge_method", "");
    let plain = genuine.clone().with("code_challenge_method", "plain");
    let silent = genuine.clone().with("code_challenge_method", "");
    for attempt in [without, plain, silent] {
        let sent = browser.open(port, &attempt.path()).await;
        let returned = party.returned(&federation.issuer, &attempt, &sent.location());
        assert_eq!(returned, Returned::Error("invalid_request".into()));
    }
    let codes: Vec<_> = federation.nodes[0].refusals().iter().map(|line| line["code"].clone()).collect();
    assert_eq!(codes, ["relying_party.pkce_required"; 3]);
    assert_eq!(browser.open(port, &genuine.path()).await.reply.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_cookie_a_login_is_not_resumed_and_the_way_back_is_offered() {
    let federation = federation().await;
    let port = federation.port();
    let (walk, form) = at_provider(&federation).await;
    let stranger = federation.browser();
    let sent = stranger.submit(port, &form).await;
    let (page, _, code) = federation.refused(&stranger, port, &sent).await;
    assert_eq!(code, "browser.cookie_missing");
    assert_eq!(page.first_button(), federation.party().start_uri(), "the page knows which service it was");
    assert!(!page.reply.text().contains("code="), "nothing is resumed");
    nothing_is_told(&walk);
    let _ = walk.finish(port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_another_login_opens_nothing() {
    let federation = federation().await;
    let port = federation.port();
    let (victim, form) = at_provider(&federation).await;
    let (attacker, _) = at_provider(&federation).await;
    // The attacker's secret under the victim's name: what one could make of a cookie of one's own.
    let name = victim.browser.cookies().into_keys().next().expect("a cookie");
    let secret = attacker.browser.cookies().into_values().next().expect("a cookie");
    let forged = federation.browser();
    forged.set_cookies([(name, secret)].into());
    let sent = forged.submit(port, &form).await;
    let (_, _, code) = federation.refused(&forged, port, &sent).await;
    assert_eq!(code, "browser.login_unknown");
    // And the other way round: my answer in somebody's browser does not sign them in as me.
    let sent = attacker.browser.submit(port, &form).await;
    let (_, _, code) = federation.refused(&attacker.browser, port, &sent).await;
    assert_eq!(code, "browser.cookie_missing");
    nothing_is_told(&victim);
    let _ = victim.finish(port).await;
    let _ = attacker.finish(port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_used_leads_to_its_notice_and_then_nowhere() {
    let federation = federation().await;
    let port = federation.port();
    let (mut walk, form) = at_provider(&federation).await;
    walk.step(port).await;
    let again = walk.browser.submit(port, &form).await;
    assert!(again.location().ends_with("/notice"), "while the notice waits, that is where one is sent");
    assert_eq!(walk.browser.open(port, &again.location()).await.reply.status, 200);
    walk.until("redeem", port).await;
    // Its notice is over now, and says so each time.
    for _ in 0..2 {
        let again = walk.browser.submit(port, &form).await;
        let sent = walk.browser.open(port, &again.location()).await;
        let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
        assert_eq!(code, "browser.login_used");
    }
    // The same assertion for another login of the same browser.
    let (other, _) = at_provider(&federation).await;
    other.browser.set_cookies(other.browser.cookies().into_iter().chain(walk.browser.cookies()).collect());
    let sent = other.browser.submit(port, &form).await;
    assert!(!sent.location().starts_with(&federation.party().redirect_uri));
    nothing_is_told(&walk);
    let _ = walk.finish(port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_of_another_provider_is_refused() {
    let federation = federation().await;
    let fjorden = &federation.fjorden;
    // In its own name.
    let (walk, _) = at_provider(&federation).await;
    let asked = walk.asked.clone().expect("asked");
    let form = fjorden.issue(&asked, &fjorden.answer(&asked, &walk.person));
    assert_eq!(refused_and_its_twin_is_not(walk, &form).await.1, "provider.issuer_mismatch");
    // In the name of the one that was asked.
    let (walk, _) = at_provider(&federation).await;
    let mut answer = walk.answer();
    let form = fjorden.issue(walk.asked.as_ref().expect("asked"), &answer);
    assert_eq!(refused_and_its_twin_is_not(walk, &form).await.1, "provider.signature_invalid");
    // Signed by the one that was asked, in another's name.
    let (walk, _) = at_provider(&federation).await;
    answer = walk.answer();
    answer.issuer.clone_from(&fjorden.entity_id);
    let form = walk.provider.issue(walk.asked.as_ref().expect("asked"), &answer);
    assert_eq!(refused_and_its_twin_is_not(walk, &form).await.1, "provider.issuer_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_changed_on_the_way_is_refused() {
    let federation = federation().await;
    let (walk, genuine) = at_provider(&federation).await;
    let text = xml(&genuine);
    let changed = text.replace("asabergv0@granvik", "chef@granvik");
    assert_ne!(text, changed);
    let asked = walk.asked.clone().expect("asked");
    assert_eq!(
        refused_and_its_twin_is_not(walk, &asked.form(changed.as_bytes())).await.1,
        "provider.signature_invalid"
    );
    let (walk, genuine) = at_provider(&federation).await;
    let text = xml(&genuine);
    let (start, end) =
        (text.find("<ds:Signature").expect("a signature"), text.find("</ds:Signature>").expect("its end"));
    let unsigned = format!("{}{}", &text[..start], &text[end + "</ds:Signature>".len()..]);
    let asked = walk.asked.clone().expect("asked");
    assert_eq!(
        refused_and_its_twin_is_not(walk, &asked.form(unsigned.as_bytes())).await.1,
        "provider.signature_missing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_asked_for_is_refused() {
    let federation = federation().await;
    let (walk, _) = at_provider(&federation).await;
    let mut answer = walk.answer();
    answer.in_response_to = "_okand".into();
    let form = walk.provider.issue(walk.asked.as_ref().expect("asked"), &answer);
    assert_eq!(refused_and_its_twin_is_not(walk, &form).await.1, "provider.unsolicited");
    let (walk, genuine) = at_provider(&federation).await;
    let mut form = genuine.clone();
    form.fields.retain(|(name, _)| name != "SAMLResponse");
    let (_, code) = refused_and_its_twin_is_not(walk, &form).await;
    assert!(["provider.unsolicited", "provider.message_malformed"].contains(&code.as_str()), "{code}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_worth_nothing_to_another_client_with_another_verifier_or_twice() {
    let federation = federation().await;
    let (port, wire, issuer) = (federation.port(), &federation.wire, &federation.issuer);
    let invalid_grant = |reply: &tests::wire::Reply| {
        assert_eq!(
            (reply.status.as_u16(), reply.json()["error"].as_str()),
            (400, Some("invalid_grant")),
            "{}",
            reply.text()
        );
    };
    let with_code = async || {
        let mut walk = Walk::new(&federation, Person::asa());
        walk.until("redeem", port).await;
        walk
    };
    // Another client, which proves who it is: the code stays good for its owner.
    let walk = with_code().await;
    let code = walk.outcome.code.clone();
    invalid_grant(&federation.relying_parties[1].redeem(wire, port, issuer, &walk.attempt, &code).await);
    // Nobody in particular.
    let mut impostor = federation.party().clone();
    impostor.authentication = relying_party::Authentication::Basic("fel".into());
    let reply = impostor.redeem(wire, port, issuer, &walk.attempt, &code).await;
    assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (401, Some("invalid_client")));
    let outcome = walk.finish(port).await;
    // Twice: the second time is refused, and ends what the first was given.
    let reply = relying_party::userinfo(wire, port, issuer, &outcome.access_token).await;
    assert_eq!(reply.status, 200);
    let used = Walk::new(&federation, Person::asa());
    invalid_grant(&federation.party().redeem(wire, port, issuer, &used.attempt, &outcome.code).await);
    let reply = relying_party::userinfo(wire, port, issuer, &outcome.access_token).await;
    assert_eq!(reply.status, 401);
    // Another verifier.
    let walk = with_code().await;
    let mut attempt = walk.attempt.clone();
    attempt.verifier = federation.party().begin().verifier;
    invalid_grant(&federation.party().redeem(wire, port, issuer, &attempt, &walk.outcome.code).await);
    nothing_is_told(&walk);
    let codes: Vec<_> = federation.nodes[0].refusals().iter().map(|line| line["code"].clone()).collect();
    assert_eq!(
        codes,
        [
            "relying_party.code_invalid",
            "relying_party.authentication_failed",
            "relying_party.code_invalid",
            "relying_party.token_invalid",
            "relying_party.pkce_mismatch",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notice_is_decided_on_its_own_page_alone() {
    let federation = federation().await;
    let port = federation.port();
    let (mut walk, _) = at_provider(&federation).await;
    walk.step(port).await;
    let Next::Accept(genuine) = walk.next.clone() else { panic!("at the notice") };
    // What another site can make the browser send: the cookie comes along, the page's token does not.
    let mut without = genuine.clone();
    without.fields.retain(|(name, _)| name == "decision");
    let mut wrong = without.clone();
    wrong.fields.push(("token".into(), tests::chance::text()));
    for form in [without, wrong] {
        let sent = walk.browser.submit(port, &form).await;
        let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
        assert_eq!(code, "browser.page_expired");
    }
    // Without the cookie the token is worth nothing.
    let stranger: Browser = federation.browser();
    let sent = stranger.submit(port, &genuine).await;
    let (_, _, code) = federation.refused(&stranger, port, &sent).await;
    assert_eq!(code, "browser.cookie_missing");
    nothing_is_told(&walk);
    let _ = walk.finish(port).await;
}
