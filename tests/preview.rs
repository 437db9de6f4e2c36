//! The test sign-in at one's own provider, as it is registered and as a proposal has it: what it shows, to whom, and what it can never do.

use http::header;
use tests::{
    browser::{Browser, Form, Page},
    federation::{Federation, Plan},
    leak,
    person::Person,
    provider::{Asked, Provider},
    walk::{Next, Walk},
};

const GRANVIK: &str = "2120009903";

fn quiet() -> Plan {
    Plan { nodes: 1, notice: false, ..Plan::default() }
}

/// A browser whose place is open.
async fn inside(federation: &Federation, holder: &str) -> Browser {
    let words = ["invite", "--organisation", GRANVIK, "--holder", holder, "--right", "propose", "--json"];
    let told: serde_json::Value = serde_json::from_str(&federation.command(&words)).expect("JSON");
    let browser = federation.browser();
    let page = browser.open(federation.port(), told["link"].as_str().expect("a link")).await;
    assert_eq!(browser.submit(federation.port(), &page.form()).await.location(), "/operator");
    browser
}

/// A proposal of a file; its number.
async fn proposed(federation: &Federation, browser: &Browser, file: &str) -> String {
    let port = federation.port();
    let token = browser.open(port, "/operator/submit").await.form().field("token").to_owned();
    let file = Some(("idp.xml", file.as_bytes()));
    let page = browser.upload(port, "/operator/submit", &[("token", token.as_str())], file, &[]).await;
    let page = browser.open(port, &page.location()).await;
    let address = browser.submit(port, &page.form().pressing("do", "submit")).await.location();
    address.trim_start_matches("/operator/proposal/").split('?').next().expect("a number").to_owned()
}

/// A test that is at the provider.
async fn at_provider(federation: &Federation, browser: &Browser, address: &str, party: &str) -> Asked {
    let port = federation.port();
    let mut form = browser.open(port, address).await.form();
    if form.field("proposal").is_empty() {
        form = form.pressing("provider", &federation.granvik.entity_id).pressing("relying_party", party);
    }
    let sent = browser.submit(port, &form).await;
    assert_eq!(sent.reply.status, 200, "{}", sent.reply.text());
    federation.granvik.receive(&sent, &federation.saml_keys(port).await)
}

/// The answer of a provider.
fn answer(provider: &Provider, asked: &Asked) -> Form {
    provider.issue(asked, &provider.answer(asked, &Person::asa()))
}

/// The page that the answer leads to.
async fn shown(federation: &Federation, browser: &Browser, form: &Form) -> Page {
    let address = browser.submit(federation.port(), form).await.location();
    assert!(address.starts_with("/operator/try/"), "{address}");
    browser.open(federation.port(), &address).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_sign_in_is_shown_whole_once_and_to_its_browser_alone() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let person = Person::asa();
    let browser = inside(&federation, "Britta").await;
    let colleague = inside(&federation, "Bo").await;
    let place = browser.open(port, "/operator").await;
    assert!(place.links().iter().any(|link| link == "/operator/try"), "the place leads there");
    let asked = at_provider(&federation, &browser, "/operator/try", "").await;
    let form = answer(&federation.granvik, &asked);
    let stolen = colleague.submit(port, &form).await;
    assert!(stolen.location().starts_with("/failed/"), "without the trip's cookie nothing is read");
    let address = browser.submit(port, &form).await.location();
    assert!(address.starts_with("/operator/try/"), "{address}");

    let store = federation.redis.as_ref().expect("Redis").everything();
    let mut secrets = person.values();
    secrets.extend(browser.cookies().into_values().flat_map(|value| {
        value.split('.').filter(|part| part.len() > 20).map(str::to_owned).collect::<Vec<_>>()
    }));
    let keys = store.keys().map(|key| ("a key", key.as_bytes()));
    let found =
        leak::found(keys.chain(store.iter().map(|(key, value)| (key.as_str(), value.as_slice()))), &secrets);
    assert!(found.is_empty(), "{found:?}");

    assert_eq!(federation.browser().open(port, &address).await.reply.status, 403, "nobody else");
    assert_eq!(colleague.open(port, &address).await.reply.status, 410, "not even a colleague");
    let page = browser.open(port, &address).await;
    let text = page.reply.text();
    assert_eq!(page.reply.status, 200, "{text}");
    assert!(page.reply.header(header::CACHE_CONTROL).contains("no-store"));
    for said in [
        "Inloggningen fungerar",
        &person.mail,
        &person.surname,
        "Granviks kommun",
        "conditions.audience",
        "subject_id",
        "loa3",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let (_, leaving) = text.split_once("Det här skulle lämnas ut").expect("what leaves");
    assert!(leaving.contains(&person.mail), "it would leave");
    assert!(!leaving.contains(&person.personal_identity_number), "no number by default");
    assert_eq!(browser.open(port, &address).await.reply.status, 410, "once");
    assert_eq!(
        browser.submit(port, &form).await.location(),
        "/operator/try",
        "the same answer again is nothing"
    );
    let logs = federation.logs();
    let logged = leak::found([("the log", logs.as_bytes())], &person.values());
    assert!(logged.is_empty(), "{logged:?}");
    assert!(logs.contains("a test sign-in ended"), "it is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_told_by_its_check_with_what_to_do_and_nobody_is_believed() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let browser = inside(&federation, "Britta").await;
    let person = Person::asa();
    let asked = at_provider(&federation, &browser, "/operator/try", "").await;
    let mut wrong = federation.granvik.answer(&asked, &person);
    wrong.audience = "https://another.example/sp".to_owned();
    let text = shown(&federation, &browser, &federation.granvik.issue(&asked, &wrong)).await.reply.text();
    for said in [
        "Inloggningen skulle inte fungera",
        "conditions.audience",
        "https://another.example/sp",
        "provider.audience_mismatch",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains(&person.mail), "what a broken message says is nobody's");
    // Another key.
    let asked = at_provider(&federation, &browser, "/operator/try", "").await;
    let forged = answer(&federation.granvik.with_next_key(false), &asked);
    let text = shown(&federation, &browser, &forged).await.reply.text();
    assert!(text.contains("signature.response") && !text.contains(&person.mail), "{text}");
    // Another's scope: every check is kept, and the record says no.
    let asked = at_provider(&federation, &browser, "/operator/try", "").await;
    let mut foreign = Person::asa();
    foreign.subject_id = "asa@fjorden.localhost".to_owned();
    let form = federation.granvik.issue(&asked, &federation.granvik.answer(&asked, &foreign));
    let text = shown(&federation, &browser, &form).await.reply.text();
    assert!(
        text.contains("policy.attribute_outside_authority") && text.contains("Därför stoppas inloggningen"),
        "{text}"
    );
    assert!(text.contains("Ingenting, eftersom inloggningen stoppas"), "{text}");
    // Forms that are not of the place, and providers that are not its own.
    let form = browser.open(port, "/operator/try").await.form();
    let foreign = form.clone().pressing("provider", &federation.fjorden.entity_id);
    assert_eq!(browser.submit(port, &foreign).await.reply.status, 403);
    let mine = form.pressing("provider", &federation.granvik.entity_id);
    let sites = [("sec-fetch-site", "cross-site")];
    assert_eq!(browser.submit_with(port, &mine, &sites).await.reply.status, 403, "another site's form");
    assert_eq!(federation.browser().open(port, "/operator/try").await.reply.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_relying_partys_needs_are_shown_and_it_hears_nothing() {
    let federation = Federation::start(quiet()).await;
    let browser = inside(&federation, "Britta").await;
    let party = federation.party().client_id.clone();
    let asked = at_provider(&federation, &browser, "/operator/try", &party).await;
    let page = shown(&federation, &browser, &answer(&federation.granvik, &asked)).await;
    let text = page.reply.text();
    assert!(text.contains("skulle lämnas ut till") && text.contains("Personens id hos"), "{text}");
    assert!(!federation.logs().contains("signed_in"), "no login has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_tried_by_its_author_in_that_trip_and_lives_nowhere_else() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let browser = inside(&federation, "Britta").await;
    let colleague = inside(&federation, "Bo").await;
    let next = federation.granvik.with_next_key(false);
    let file = federation.granvik.metadata_with(&next);
    let number = proposed(&federation, &browser, &file).await;
    let address = format!("/operator/try?proposal={number}");
    let proposal = browser.open(port, &format!("/operator/proposal/{number}")).await;
    assert!(proposal.links().contains(&address), "the proposal leads there");
    assert_eq!(colleague.open(port, &address).await.reply.status, 404, "its author alone");

    let asked = at_provider(&federation, &browser, &address, "").await;
    let form = answer(&next, &asked);
    assert!(colleague.submit(port, &form).await.location().starts_with("/failed/"), "no other browser");
    let text = shown(&federation, &browser, &form).await.reply.text();
    assert!(text.contains("Inloggningen fungerar") && text.contains("inte är publicerad"), "{text}");

    // The same key everywhere else: in a test of what is registered, and in a relying party's login in this very browser.
    let asked = at_provider(&federation, &browser, "/operator/try", "").await;
    let text = shown(&federation, &browser, &answer(&next, &asked)).await.reply.text();
    assert!(text.contains("Inloggningen skulle inte fungera"), "{text}");
    let pending = at_provider(&federation, &browser, &address, "").await;
    let mut walk = Walk::new(&federation, Person::asa());
    walk.browser.set_cookies(browser.cookies());
    walk.until("assert", port).await;
    let asked = walk.asked.as_ref().expect("asked");
    let sent = walk.browser.submit(port, &answer(&next, asked)).await;
    let (_, _, code) = federation.refused(&walk.browser, port, &sent).await;
    assert_eq!(code, "provider.signature_invalid");
    // The draft's answer does not end a login.
    let mut walk = Walk::new(&federation, Person::asa());
    walk.until("assert", port).await;
    let sent = walk.browser.submit(port, &answer(&next, &pending)).await;
    assert!(sent.location().starts_with("/failed/"));
    walk.next = Next::Assert(answer(&federation.granvik, walk.asked.as_ref().expect("asked")));
    let _ = walk.finish(port).await;

    // Taken back in between.
    let token = browser.open(port, "/operator/submit").await.form().field("token").to_owned();
    let withdrawn = format!("token={token}&do=withdraw");
    let _ = browser.post(port, &format!("/operator/proposal/{number}"), &withdrawn).await.location();
    let text = shown(&federation, &browser, &answer(&next, &pending)).await.reply.text();
    assert!(text.contains("inte längre densamma") && !text.contains(&Person::asa().mail), "{text}");
    let over = browser.open(port, &address).await.reply.text();
    assert!(over.contains("går inte att prova"), "{over}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_changes_scopes_or_levels_is_not_tried() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let browser = inside(&federation, "Britta").await;
    let scope = "<shibmd:Scope xmlns:shibmd=\"urn:mace:shibboleth:metadata:1.0\" regexp=\"false\">granvik.localhost</shibmd:Scope>";
    let metadata = federation.granvik.metadata();
    let drafts = [
        metadata.replacen("      <mdui:UIInfo", &format!("      {scope}\n      <mdui:UIInfo"), 1),
        metadata.replace("1.0/loa3", "1.0/loa2"),
    ];
    for file in drafts {
        assert_ne!(file, metadata);
        let number = proposed(&federation, &browser, &file).await;
        let page = browser.open(port, &format!("/operator/try?proposal={number}")).await;
        let text = page.reply.text();
        assert!(text.contains("mer än nycklar, adresser och texter") && !text.contains("<form"), "{text}");
        let token = browser.open(port, "/operator/submit").await.form().field("token").to_owned();
        let body = format!("token={token}&proposal={number}");
        assert_eq!(browser.post(port, "/operator/try", &body).await.reply.status, 422);
    }
}
