//! What must not go well, each beside a twin that does. Whatever is refused leaves one line with the code and the reference of the page that is
//! shown ([`Federation::refused`] holds them together), and nothing of the person or of what was handed out ([`nothing_is_told`]).

#[path = "refuse/code.rs"]
mod code;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_saml::idp::{AssertionToIssue, Signed};
use certs::{
    PrivateKey, SignatureAlgorithm, Signer as _,
    xml_encryption::{BlockCipher, Encryption},
};
use serde_json::Value;
use tests::{
    browser::{Form, Page, encoded},
    chance,
    federation::{Federation, Plan},
    leak,
    person::Person,
    provider::Asked,
    relying_party::{Authentication, RelyingParty, Returned},
    walk::{Next, Walk},
};

async fn federation() -> Federation {
    let relying_parties = vec![RelyingParty::with_basic("journal"), RelyingParty::with_basic("annan")];
    Federation::start(Plan { relying_parties, ec: true, ..Plan::default() }).await
}

/// A login by Granvik that is at the provider, with the form that the genuine answer comes in.
async fn at_provider(federation: &Federation) -> (Walk<'_>, Form) {
    posting(Walk::new(federation, Person::asa())).await
}

/// The same by Fjorden, which signs the assertion alone.
async fn at_fjorden(federation: &Federation, number: usize) -> (Walk<'_>, Form) {
    let mut person = Person::numbered(number);
    person.org_affiliation = format!("omli{number}@2321009900");
    person.subject_id = format!("omli{number}@fjorden.localhost");
    posting(Walk::between(federation, federation.party(), &federation.fjorden, person)).await
}

async fn posting(mut walk: Walk<'_>) -> (Walk<'_>, Form) {
    walk.until("assert", walk.federation.port()).await;
    let Next::Assert(form) = walk.next.clone() else { panic!("at the provider") };
    (walk, form)
}

/// A login at its notice.
async fn at_notice(federation: &Federation) -> (Walk<'_>, Form) {
    let mut walk = Walk::new(federation, Person::asa());
    walk.until("accept", federation.port()).await;
    let Next::Accept(form) = walk.next.clone() else { panic!("at the notice") };
    (walk, form)
}

fn asked<'w>(walk: &'w Walk<'_>) -> &'w Asked {
    walk.asked.as_ref().expect("the provider was asked")
}

/// Posts `form` in place of the genuine answer. Gives the code of the refusal; the login stays where it was.
async fn refused(walk: &Walk<'_>, form: &Form) -> String {
    let port = walk.federation.port();
    let sent = walk.browser.submit(port, form).await;
    let (page, _, code) = walk.federation.refused(&walk.browser, port, &sent).await;
    assert!(!page.reply.text().contains("code="), "nothing is handed out");
    code
}

/// The twin: the genuine login goes on to its end, as if nothing had been. No log has said a word of it.
async fn ends_well(walk: Walk<'_>) {
    nothing_is_told(&walk);
    let federation = walk.federation;
    let mut all = known(&walk);
    let outcome = walk.finish(federation.port()).await;
    assert!(!outcome.id_token.is_empty() && !outcome.userinfo.is_empty());
    all.extend([outcome.code, outcome.access_token]);
    assert_eq!(leak::in_logs(federation, &all), Vec::<String>::new());
}

/// Everything that is known of a person and her login and is nobody else's business.
fn known(walk: &Walk<'_>) -> Vec<String> {
    let mut all = walk.person.values();
    all.extend(walk.secrets.iter().cloned());
    all.extend([walk.attempt.state.clone(), walk.attempt.nonce.clone(), walk.attempt.verifier.clone()]);
    if let Next::Accept(form) = &walk.next {
        all.push(form.field("token").to_owned());
    }
    if let Authentication::Basic(secret) | Authentication::Post(secret) = &walk.party.authentication {
        all.push(secret.clone());
    }
    all
}

/// Nothing of the person, and nothing that was handed out, is in any log.
fn nothing_is_told(walk: &Walk<'_>) {
    assert_eq!(leak::in_logs(walk.federation, &known(walk)), Vec::<String>::new());
}

/// The XML inside a form.
fn xml(form: &Form) -> String {
    String::from_utf8(STANDARD.decode(form.field("SAMLResponse")).expect("base64")).expect("UTF-8")
}

/// `text` with the first `from` replaced, which must be there.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

/// The part of `text` from `start` through `end`.
fn part<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text.find(start).unwrap_or_else(|| panic!("{start} is not in {text}"));
    let through = text[from..].find(end).unwrap_or_else(|| panic!("{end} is not in {text}")) + end.len();
    &text[from..from + through]
}

fn codes(federation: &Federation) -> Vec<Value> {
    federation.nodes[0].refusals().iter().map(|line| line["code"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_goes_well_leaves_one_line_that_tells_nothing() {
    let federation = federation().await;
    let (walk, _) = at_provider(&federation).await;
    ends_well(walk).await;
    let lines = federation.nodes[0].log_lines();
    let logins: Vec<_> = lines.iter().filter(|line| line.get("outcome").is_some()).collect();
    assert_eq!(logins.len(), 1, "{logins:?}");
    assert_eq!(logins[0]["outcome"], "signed_in");
    assert_eq!(logins[0]["provider"], federation.granvik.entity_id.as_str());
    assert_eq!(logins[0]["relying_party"], federation.party().client_id.as_str());
    let released = logins[0]["released"].as_str().expect("names of what was sent");
    assert!(released.split(' ').any(|name| name == "display_name"), "{released}");
    assert!(logins[0]["reference"].as_str().is_some_and(|reference| !reference.is_empty()));
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
        format!("{redirect_uri}#a"),
        redirect_uri.replace("https", "http"),
        redirect_uri.to_uppercase(),
        redirect_uri.replace("/callback", "/x/../callback"),
        redirect_uri.replace("https://", "https://journal@"),
        federation.relying_parties[1].redirect_uri.clone(),
    ];
    for other in &others {
        let sent = browser.open(port, &genuine.clone().with("redirect_uri", other).path()).await;
        assert!(sent.location().starts_with("/failed/"), "{}", sent.location());
        let (page, _, code) = federation.refused(&browser, port, &sent).await;
        assert_eq!(code, "relying_party.return_address_unregistered", "{other}");
        assert!(!page.reply.text().contains(other.as_str()), "{other} is on the page");
    }
    let without = browser.open(port, &genuine.clone().with("redirect_uri", "").path()).await;
    let (_, _, code) = federation.refused(&browser, port, &without).await;
    assert!(code.starts_with("relying_party."), "{code}");
    let twice = format!("{}&{}", genuine.path(), encoded(&[("redirect_uri", "https://evil.example/")]));
    let (page, _, _) = federation.refused(&browser, port, &browser.open(port, &twice).await).await;
    assert!(!page.reply.text().contains("evil.example"));
    let sent = browser.open(port, &genuine.clone().with("client_id", "okand").path()).await;
    let (_, _, code) = federation.refused(&browser, port, &sent).await;
    assert_eq!(code, "relying_party.unknown");
    assert_eq!(codes(&federation).len(), others.len() + 3, "one line each, reloads none");
    assert!(browser.cookies().is_empty(), "no login began");
    assert_eq!(browser.open(port, &genuine.path()).await.reply.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_good_challenge_goes_back_with_an_error() {
    let federation = federation().await;
    let (port, browser, party) = (federation.port(), federation.browser(), federation.party());
    let genuine = party.begin();
    let refused = [
        genuine.clone().with("code_challenge", "").with("code_challenge_method", ""),
        genuine.clone().with("code_challenge", ""),
        // The challenge is the verifier: what anybody learns who sees the request.
        genuine.clone().with("code_challenge_method", "plain").with("code_challenge", &genuine.verifier),
        genuine.clone().with("code_challenge_method", ""),
        genuine.clone().with("code_challenge_method", "s256"),
    ];
    for attempt in &refused {
        let sent = browser.open(port, &attempt.path()).await;
        let returned = party.returned(&federation.issuer, attempt, &sent.location());
        assert_eq!(returned, Returned::Error("invalid_request".into()));
    }
    assert_eq!(codes(&federation), vec!["relying_party.pkce_required"; refused.len()]);
    let (walk, _) = at_provider(&federation).await;
    ends_well(walk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_cookie_a_login_is_not_resumed_and_the_way_back_is_offered() {
    let federation = federation().await;
    let port = federation.port();
    let stranger = federation.browser();
    let mut choosing = Walk::new(&federation, Person::asa());
    choosing.until("choose", port).await;
    let Next::Choose(link) = choosing.next.clone() else { panic!("at the choice") };
    let login = link.split_once("/choose").expect("a link of the choice").0;
    for address in [link.clone(), login.to_owned(), format!("{login}/cancel")] {
        let sent = stranger.open(port, &address).await;
        let (_, _, code) = federation.refused(&stranger, port, &sent).await;
        assert_eq!(code, "browser.cookie_missing", "{address}");
    }
    let (walk, form) = posting(choosing).await;
    let sent = stranger.submit(port, &form).await;
    let (page, _, code) = federation.refused(&stranger, port, &sent).await;
    assert_eq!(code, "browser.cookie_missing");
    assert_eq!(page.first_button(), federation.party().start_uri(), "the page knows which service it was");
    assert!(!page.reply.text().contains("code="), "nothing is resumed");
    let mut walk = walk;
    walk.until("notice", port).await;
    let Next::Notice(address) = walk.next.clone() else { panic!("at the notice") };
    let sent = stranger.open(port, &address).await;
    let (page, _, code) = federation.refused(&stranger, port, &sent).await;
    assert_eq!(code, "browser.cookie_missing");
    let told = leak::found([("the page", &page.reply.body[..])], &walk.person.values());
    assert!(told.is_empty(), "{told:?}");
    assert!(stranger.cookies().is_empty());
    ends_well(walk).await;
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
    forged.set_cookies([(name.clone(), secret)].into());
    let sent = forged.submit(port, &form).await;
    let (_, _, code) = federation.refused(&forged, port, &sent).await;
    assert_eq!(code, "browser.login_unknown");
    // A cookie that was never handed out.
    forged.set_cookies([(name, format!("{}.29000000", &chance::text()[..27]))].into());
    let sent = forged.submit(port, &form).await;
    assert!(!sent.location().contains("code="));
    let _ = federation.refused(&forged, port, &sent).await;
    // And the other way round: my answer in somebody's browser does not sign them in as me.
    let sent = attacker.browser.submit(port, &form).await;
    let (_, _, code) = federation.refused(&attacker.browser, port, &sent).await;
    assert_eq!(code, "browser.cookie_missing");
    ends_well(victim).await;
    ends_well(attacker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_used_leads_to_its_notice_and_then_nowhere() {
    let federation = federation().await;
    let port = federation.port();
    let (mut walk, form) = at_provider(&federation).await;
    walk.until("notice", port).await;
    let Next::Notice(notice) = walk.next.clone() else { panic!("at the notice") };
    for _ in 0..2 {
        let again = walk.browser.submit(port, &form).await;
        assert_eq!(again.location(), notice, "while the notice waits, that is where one is sent");
        assert_eq!(walk.browser.open(port, &notice).await.reply.status, 200);
    }
    walk.until("redeem", port).await;
    // Its notice is over now, and says so each time.
    for _ in 0..2 {
        let again = walk.browser.submit(port, &form).await;
        let sent = walk.browser.open(port, &again.location()).await;
        let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
        assert_eq!(code, "browser.login_used");
    }
    ends_well(walk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_ends_one_login_alone() {
    let federation = federation().await;
    let port = federation.port();
    let (first, _) = at_provider(&federation).await;
    let (second, genuine) = at_provider(&federation).await;
    let used = first.answer();
    let form = first.provider.issue(asked(&first), &used);
    // The answer to the first login in the second one's browser, which has both cookies: it is the first one's.
    let both = first.browser.cookies().into_iter().chain(second.browser.cookies()).collect();
    second.browser.set_cookies(both);
    let swapped = Form {
        action: form.action.clone(),
        fields: vec![form.fields[0].clone(), ("RelayState".into(), genuine.field("RelayState").to_owned())],
    };
    let notice = second.browser.submit(port, &swapped).await;
    let selector = first.browser.cookies().into_keys().next().expect("a cookie");
    let selector = selector.rsplit_once("login-").expect("a login's cookie").1.to_owned();
    assert!(notice.location().starts_with(&format!("/login/{selector}/")), "{}", notice.location());
    // The provider signs the same assertion again, for the second login.
    let mut again = second.answer();
    again.assertion_id.clone_from(&used.assertion_id);
    let replay = second.provider.issue(asked(&second), &again);
    assert_eq!(refused(&second, &replay).await, "provider.replayed");
    ends_well(second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_of_another_provider_is_refused() {
    let federation = federation().await;
    let fjorden = &federation.fjorden;
    let (walk, _) = at_provider(&federation).await;
    // In its own name.
    let form = fjorden.issue(asked(&walk), &fjorden.answer(asked(&walk), &walk.person));
    assert_eq!(refused(&walk, &form).await, "provider.issuer_mismatch");
    // In the name of the one that was asked.
    let form = fjorden.issue(asked(&walk), &walk.answer());
    assert_eq!(refused(&walk, &form).await, "provider.signature_invalid");
    // Signed by the one that was asked, in another's name.
    let mut answer = walk.answer();
    answer.issuer.clone_from(&fjorden.entity_id);
    assert_eq!(refused(&walk, &walk.provider.issue(asked(&walk), &answer)).await, "provider.issuer_mismatch");
    ends_well(walk).await;
    let (walk, _) = at_fjorden(&federation, 1).await;
    ends_well(walk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_changed_on_the_way_is_refused() {
    let federation = federation().await;
    let (walk, genuine) = at_provider(&federation).await;
    let text = xml(&genuine);
    let form = |changed: &str| asked(&walk).form(changed.as_bytes());
    let changed = replaced(&text, "asabergv0@granvik", "chef@granvik");
    assert_eq!(refused(&walk, &form(&changed)).await, "provider.signature_invalid");
    let unsigned = replaced(&text, part(&text, "<ds:Signature", "</ds:Signature>"), "");
    assert_eq!(refused(&walk, &form(&unsigned)).await, "provider.signature_missing");
    let emptied = replaced(&text, part(&text, "<ds:SignatureValue>", "</ds:SignatureValue>"), "");
    assert!(refused(&walk, &form(&emptied)).await.starts_with("provider."));
    let entity = format!(
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>{}",
        replaced(&text, "asabergv0@granvik", "&e;@granvik")
    );
    assert!(refused(&walk, &form(&entity)).await.starts_with("provider."), "a DTD is never read");
    ends_well(walk).await;
}

/// Comments are not signed (exclusive canonical form), so anybody can put one in: whoever reads a text only up to it takes her for somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_comment_within_a_value_changes_nobody() {
    let federation = federation().await;
    let (walk, _) = at_provider(&federation).await;
    let twin = walk.finish(federation.port()).await;
    let (mut walk, genuine) = at_provider(&federation).await;
    let text = xml(&genuine);
    let split = replaced(&text, "asabergv0@granvik.localhost", "asabergv0@granvik<!-- -->.localhost");
    walk.next = Next::Assert(asked(&walk).form(split.as_bytes()));
    let outcome = walk.finish(federation.port()).await;
    assert_eq!(outcome.id_token["sub"], twin.id_token["sub"]);
    assert_eq!(outcome.userinfo, twin.userinfo);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_assertion_carries_no_other_with_it() {
    let federation = federation().await;
    let (walk, genuine) = at_fjorden(&federation, 1).await;
    let text = xml(&genuine);
    let signed = part(&text, "<saml:Assertion ", "</saml:Assertion>");
    let signature = part(signed, "<ds:Signature", "</ds:Signature>");
    let id = part(signed, " ID=\"", "\" ");
    let evil = replaced(&replaced(signed, signature, ""), id, " ID=\"_evil\" ").replace("omli1@", "chef@");
    assert_ne!(evil, signed);
    let end = "</saml:Assertion>";
    let advised = replaced(
        &evil,
        "</saml:Conditions>",
        &format!("</saml:Conditions><saml:Advice>{signed}</saml:Advice>"),
    );
    let moved =
        replaced(signature, "</ds:Signature>", &format!("<ds:Object>{signed}</ds:Object></ds:Signature>"));
    let under_it = replaced(&evil, "</saml:Issuer>", &format!("</saml:Issuer>{moved}"));
    let inside = replaced(&evil, end, &format!("{signed}{end}"));
    let aside = format!("<samlp:Extensions>{signed}</samlp:Extensions>");
    let in_extensions =
        replaced(&text, signed, &evil).replacen("<samlp:Status>", &format!("{aside}<samlp:Status>"), 1);
    assert!(in_extensions.contains(&aside));
    for wrapped in [
        replaced(&text, signed, &format!("{evil}{signed}")),
        replaced(&text, signed, &format!("{signed}{evil}")),
        replaced(&text, signed, &advised),
        replaced(&text, signed, &under_it),
        replaced(&text, signed, &inside),
        replaced(&text, signed, &evil),
        in_extensions,
    ] {
        let code = refused(&walk, &asked(&walk).form(wrapped.as_bytes())).await;
        let expected =
            ["provider.assertion_count", "provider.signature_missing", "provider.signature_invalid"];
        assert!(expected.contains(&code.as_str()), "{code}: {wrapped}");
    }
    // Out of the answer to another login, in the envelope of this one.
    let (other, others) = at_fjorden(&federation, 2).await;
    let others = xml(&others);
    let spliced = replaced(&text, signed, part(&others, "<saml:Assertion ", end));
    let code = refused(&walk, &asked(&walk).form(spliced.as_bytes())).await;
    assert_eq!(code, "provider.in_response_to_mismatch");
    nothing_is_told(&other);
    ends_well(walk).await;
    ends_well(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_a_rule_is_refused_by_it() {
    let federation = federation().await;
    let (walk, _) = at_provider(&federation).await;
    type Change = fn(&mut AssertionToIssue);
    let broken: [(&str, Change); 7] = [
        ("provider.destination_mismatch", |answer| answer.acs_url = "https://evil.example/acs".into()),
        ("provider.audience_mismatch", |answer| answer.audience = "https://evil.example/sp".into()),
        ("provider.expired", |answer| answer.issued_at = answer.issued_at.plus(-3_600)),
        ("provider.not_yet_valid", |answer| answer.issued_at = answer.issued_at.plus(3_600)),
        ("provider.not_yet_valid", |answer| answer.authenticated_at = answer.issued_at.plus(3_600)),
        ("policy.assurance_above_ceiling", |answer| {
            answer.authn_context = "http://id.elegnamnden.se/loa/1.0/loa4".into();
        }),
        ("policy.subject_missing", |answer| answer.attributes.clear()),
    ];
    for (code, change) in broken {
        let mut answer = walk.answer();
        change(&mut answer);
        assert_eq!(refused(&walk, &walk.provider.issue(asked(&walk), &answer)).await, code);
    }
    ends_well(walk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_answer_that_does_not_open_looks_like_a_bad_signature() {
    let federation = federation().await;
    let (walk, _) = at_provider(&federation).await;
    let key = federation.encryption_key(federation.port()).await;
    let stranger = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key");
    let (gcm, cbc) =
        (Encryption::default(), Encryption { cipher: BlockCipher::Aes256Cbc, ..Encryption::default() });
    let mut answer = walk.answer();
    let foreign = walk.provider.issue_encrypted(asked(&walk), &answer, stranger.public_key(), gcm);
    // Not signed around it, CBC has no integrity: it is not even tried.
    answer.signed = Signed::Assertion;
    let unsigned = walk.provider.issue_encrypted(asked(&walk), &answer, &key, cbc);
    for form in [foreign, unsigned] {
        let sent = walk.browser.submit(federation.port(), &form).await;
        let (page, _, code) = federation.refused(&walk.browser, federation.port(), &sent).await;
        assert_eq!(code, "provider.undecryptable");
        assert_eq!(page.reference_and_code().1, "provider.signature_invalid");
    }
    ends_well(walk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_asked_for_is_refused() {
    let federation = federation().await;
    let port = federation.port();
    let (walk, genuine) = at_provider(&federation).await;
    let mut answer = walk.answer();
    answer.in_response_to = "_okand".into();
    assert_eq!(refused(&walk, &walk.provider.issue(asked(&walk), &answer)).await, "provider.unsolicited");
    // In the form of ours, of a login of this very browser, and of no trip.
    let ours = &asked(&walk).request.id;
    answer.in_response_to = format!("{}{}", &ours[..9], "A".repeat(27));
    assert_eq!(refused(&walk, &walk.provider.issue(asked(&walk), &answer)).await, "browser.login_unknown");
    let mut without = genuine.clone();
    without.fields.retain(|(name, _)| name != "SAMLResponse");
    let code = refused(&walk, &without).await;
    assert!(["provider.unsolicited", "provider.message_malformed"].contains(&code.as_str()), "{code}");
    // In an address: a Response is taken by POST alone.
    let address = format!("/saml/acs?{}", encoded(&genuine.fields));
    assert_eq!(walk.browser.open(port, &address).await.reply.status, 405);
    // An answer that says to what, in its signed part alone, answers nothing.
    let (other, form) = at_fjorden(&federation, 1).await;
    let silent = replaced(&xml(&form), part(&xml(&form), " InResponseTo=\"", "\" "), " ");
    assert_eq!(refused(&other, &asked(&other).form(silent.as_bytes())).await, "provider.unsolicited");
    ends_well(walk).await;
    ends_well(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notice_is_decided_on_its_own_page_alone() {
    let federation = federation().await;
    let port = federation.port();
    let (walk, genuine) = at_notice(&federation).await;
    let (other, others) = at_notice(&federation).await;
    let with_token = |token: &str| Form {
        action: genuine.action.clone(),
        fields: vec![("decision".into(), "accept".into()), ("token".into(), token.to_owned())],
    };
    // What another site can make the browser send: the cookie comes along, the page's token does not.
    let mut without = genuine.clone();
    without.fields.retain(|(name, _)| name == "decision");
    let guessed = chance::text();
    for form in [without, with_token(""), with_token(&guessed), with_token(others.field("token"))] {
        assert_eq!(refused(&walk, &form).await, "browser.page_expired");
    }
    // A token that leaked, sent by a page of another site.
    for headers in [
        [("sec-fetch-site", "cross-site"), ("origin", "null")],
        [("sec-fetch-site", "same-site"), ("origin", "http://evil.localhost")],
        [("sec-fetch-mode", "navigate"), ("origin", "https://evil.example")],
    ] {
        let sent = walk.browser.submit_with(port, &genuine, &headers).await;
        let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
        assert_eq!(code, "browser.page_expired", "{headers:?}");
    }
    // Without the cookie the token is worth nothing.
    let stranger = federation.browser();
    let sent = stranger.submit(port, &genuine).await;
    let (_, _, code) = federation.refused(&stranger, port, &sent).await;
    assert_eq!(code, "browser.cookie_missing");
    // Nor by a link.
    let link = format!("{}?{}", genuine.action, encoded(&genuine.fields));
    let shown: Page = walk.browser.open(port, &link).await;
    assert_eq!(shown.form().action, genuine.action, "the notice is shown, and not decided");
    ends_well(walk).await;
    ends_well(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_declined_is_not_sent() {
    let federation = federation().await;
    let port = federation.port();
    let (walk, accepting) = at_notice(&federation).await;
    // Anything but a clear yes is a no.
    let declining = Form {
        action: accepting.action.clone(),
        fields: vec![
            ("token".into(), accepting.field("token").to_owned()),
            ("decision".into(), "Accept".into()),
        ],
    };
    let page = walk.browser.submit(port, &declining).await;
    let returned = walk.party.returned(&federation.issuer, &walk.attempt, &page.first_button());
    assert_eq!(returned, Returned::Error("access_denied".into()));
    assert_eq!(codes(&federation), ["policy.notice_declined"]);
    // Too late.
    let sent = walk.browser.submit(port, &accepting).await;
    let (reference, code) = walk.browser.open(port, &sent.location()).await.reference_and_code();
    assert_eq!(code, "browser.login_used");
    let refusals = federation.nodes[0].refusals();
    assert!(refusals.iter().all(|line| line["reference"] == reference.as_str()), "one login: {refusals:?}");
    assert_eq!(codes(&federation), ["policy.notice_declined", "browser.login_used"]);
    nothing_is_told(&walk);
    let (walk, _) = at_notice(&federation).await;
    ends_well(walk).await;
}
