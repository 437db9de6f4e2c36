//! The door for operators, over a broker that runs: who comes in, what is refused, and a change from a file to what is live.

use std::time::Duration;

use http::header;
use tests::{
    browser::{Browser, Page},
    federation::{Federation, Plan, eventually},
};

const GRANVIK: &str = "2120009903";
const FJORDEN: &str = "2321009900";

/// An invitation's link, as the operator is given it.
fn invited(federation: &Federation, organisation: &str, holder: &str, right: &str) -> (String, String) {
    let words = ["invite", "--organisation", organisation, "--holder", holder, "--right", right, "--json"];
    let told: serde_json::Value = serde_json::from_str(&federation.command(&words)).expect("JSON");
    let text = |name: &str| told[name].as_str().expect("a text").to_owned();
    (text("id"), text("link"))
}

/// A browser whose place is open.
async fn inside(federation: &Federation, organisation: &str, holder: &str, right: &str) -> Browser {
    let (_, link) = invited(federation, organisation, holder, right);
    let browser = federation.browser();
    let port = federation.port();
    let page = browser.open(port, &link).await;
    assert_eq!(page.reply.status, 200, "{}", page.reply.text());
    let opened = browser.submit(port, &page.form()).await;
    assert_eq!(opened.location(), "/operator");
    browser
}

/// The token of the place's forms.
async fn token(federation: &Federation, browser: &Browser) -> String {
    browser.open(federation.port(), "/operator/submit").await.form().field("token").to_owned()
}

/// Gives a file; its page.
async fn given(federation: &Federation, browser: &Browser, octets: &[u8]) -> Page {
    let token = token(federation, browser).await;
    let port = federation.port();
    let fields = [("token", token.as_str())];
    let page = browser.upload(port, "/operator/submit", &fields, Some(("idp.xml", octets)), &[]).await;
    if page.reply.status == 303 { browser.open(port, &page.location()).await } else { page }
}

fn quiet() -> Plan {
    Plan { notice: false, ..Plan::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_opens_once_in_one_browser_until_it_is_revoked() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let (id, link) = invited(&federation, GRANVIK, "Britta Karlströmsson", "propose");
    let (first, second) = (federation.browser(), federation.browser());
    assert_eq!(first.open(port, "/operator").await.reply.status, 403, "nobody is in before");
    for _ in 0..3 {
        let page = second.open(port, &link).await;
        assert_eq!(page.reply.status, 200, "looking at it consumes nothing");
        assert!(page.reply.header(header::CACHE_CONTROL).contains("no-store"));
        assert_eq!(page.reply.header(header::REFERRER_POLICY), "no-referrer");
    }
    let form = first.open(port, &link).await.form();
    let elsewhere = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    assert_eq!(first.submit_with(port, &form, &elsewhere).await.reply.status, 403, "another site's form");
    let opened = first.submit(port, &form).await;
    assert_eq!(opened.location(), "/operator", "no secret in the address");
    let cookie = opened.reply.header(header::SET_COOKIE).to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let place = first.open(port, "/operator").await;
    assert_eq!(place.reply.status, 200);
    assert!(place.reply.text().contains("Granviks kommun") && place.reply.text().contains("Karlströmsson"));
    assert!(!place.reply.text().contains("Region Fjorden"), "nothing of others");
    let reused = second.open(port, &link).await;
    assert_eq!(reused.reply.status, 410);
    assert!(reused.reply.text().contains("redan använd"), "{}", reused.reply.text());
    assert_eq!(second.submit(port, &form).await.reply.status, 410, "nor by its form");
    assert_eq!(first.submit(port, &form).await.location(), "/operator", "again in its own browser");
    // The other browser with the first one's invitation, and a secret of its own making.
    let mut cookies = first.cookies();
    let forged: Vec<String> = cookies.values().map(|value| value.replacen('.', ".A", 1)).collect();
    cookies.values_mut().zip(forged).for_each(|(value, forged)| *value = forged);
    second.set_cookies(cookies);
    assert_eq!(second.open(port, "/operator").await.reply.status, 403);
    let unknown = second.open(port, "/operator/invitation/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(unknown.reply.status, 404);
    let _ = federation.command(&["invite", "revoke", &id]);
    eventually("the place is closed", Duration::from_secs(5), || async {
        first.open(port, "/operator").await.reply.status == 410
    })
    .await;
    let logs = federation.logs();
    assert!(
        !logs.contains("Karlströmsson") && !logs.contains(&link[link.len() - 27..]),
        "nothing in the log"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_not_of_the_place_changes_nothing() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let browser = inside(&federation, GRANVIK, "Britta", "propose").await;
    let other = inside(&federation, GRANVIK, "Bo", "propose").await;
    let (own, strange) = (token(&federation, &browser).await, token(&federation, &other).await);
    let file = federation.granvik.metadata();
    for (token, headers, why) in [
        ("", &[][..], "no token"),
        (strange.as_str(), &[][..], "another place's token"),
        (own.as_str(), &[("sec-fetch-site", "cross-site")][..], "another site"),
        (own.as_str(), &[("origin", "https://evil.example")][..], "another origin"),
    ] {
        let file = Some(("idp.xml", file.as_bytes()));
        let page = browser.upload(port, "/operator/submit", &[("token", token)], file, headers).await;
        assert_eq!(page.reply.status, 403, "{why}");
    }
    let file = Some(("idp.xml", file.as_bytes()));
    let sent = [("sec-fetch-site", "same-origin")];
    let page = browser.upload(port, "/operator/submit", &[("token", &own)], file, &sent).await;
    assert_eq!(page.reply.status, 303);
    let address = page.location();
    assert_eq!(other.open(port, &address).await.reply.status, 404, "a file is its own browser's");
    assert_eq!(browser.open(port, &address).await.reply.status, 200);
    let form = browser.open(port, "/operator").await.form();
    assert_eq!(browser.post(port, "/operator/leave", "token=x").await.reply.status, 403);
    let left = browser.submit(port, &form).await;
    assert_eq!(left.reply.status, 200, "{}", left.reply.text());
    assert_eq!(browser.open(port, "/operator").await.reply.status, 403, "left is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_metadata_is_told_by_its_field_and_nothing_is_lost() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let browser = inside(&federation, GRANVIK, "Britta", "propose").await;
    for (octets, said) in [
        (&b"PK\x03\x04\x00\x00"[..], "inte en textfil"),
        (&b"<a>\xe5</a>"[..], "UTF-8"),
        (&b" \n"[..], "tom"),
        (&vec![b'a'; 3 * 1024 * 1024][..], "större än"),
    ] {
        let page = given(&federation, &browser, octets).await;
        assert_eq!(page.reply.status, 422);
        let text = page.reply.text();
        assert!(
            text.contains(said) && text.contains("href=\"#file\"") && text.contains("aria-invalid"),
            "{text}"
        );
    }
    let token = token(&federation, &browser).await;
    let nothing = browser.upload(port, "/operator/submit", &[("token", &token)], None, &[]).await;
    assert_eq!(nothing.reply.status, 422);
    let inside_address = "https://127.0.0.1/metadata";
    let fields = [("token", token.as_str()), ("url", inside_address)];
    let inward = browser.upload(port, "/operator/submit", &fields, None, &[]).await;
    assert_eq!(inward.reply.status, 422);
    assert!(inward.reply.text().contains(inside_address), "what was written stands there still");
    let broken = given(&federation, &browser, b"<md:EntityDescriptor>\n <unclosed>\n").await;
    assert_eq!(broken.reply.status, 200);
    let text = broken.reply.text();
    assert!(text.contains("Filen går inte att använda än") && text.contains("id=\"line-"), "{text}");
    assert!(!text.contains("value=\"submit\""), "it cannot be handed in");
    let again = browser.open(port, broken.url.path()).await;
    assert_eq!(again.reply.status, 200, "a reload shows it again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_entity_and_scripts_in_every_field_are_told_as_text() {
    let federation = Federation::start(quiet()).await;
    let browser = inside(&federation, GRANVIK, "Britta", "propose").await;
    let foreign = given(&federation, &browser, federation.fjorden.metadata().as_bytes()).await;
    let text = foreign.reply.text();
    assert!(text.contains("registry.entity.taken") && !text.contains("value=\"submit\""), "{text}");
    let script = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x202E;";
    let file = federation.granvik.metadata();
    // Every attribute and every text, one at a time, so that one that cannot be read hides no other.
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (open, close) in [('"', '"'), ('>', '<')] {
        let mut rest = 0;
        while let Some(at) = file[rest..].find(open) {
            let start = rest + at + 1;
            let Some(end) = file[start..].find(close) else { break };
            if end > 0 && end < 200 && !file[start..start + end].trim().is_empty() {
                places.push((start, start + end));
            }
            rest = start + end + usize::from(open == '"');
        }
    }
    assert!(places.len() > 12, "{places:?}");
    // No more from one place than it may give in a minute.
    for places in places.chunks(8) {
        let browser = inside(&federation, GRANVIK, "Siv", "propose").await;
        for (start, end) in places {
            let hostile = format!("{}{script}{}", &file[..*start], &file[*end..]);
            let page = given(&federation, &browser, hostile.as_bytes()).await;
            let text = page.reply.text();
            assert_eq!(page.reply.status, 200, "{text}");
            assert!(!text.contains("<script>alert") && !text.contains('\u{202e}'), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_goes_from_a_file_to_what_is_live_by_two_people() {
    let federation = Federation::start(quiet()).await;
    let port = federation.port();
    let author = inside(&federation, GRANVIK, "Britta", "publish").await;
    let colleague = inside(&federation, GRANVIK, "Bo", "publish").await;
    let weak = inside(&federation, GRANVIK, "Siv", "propose").await;
    let stranger = inside(&federation, FJORDEN, "Ulf", "publish").await;
    let file = federation.granvik.metadata().replace(">Granviks kommun<", ">Granviks kommun (ny)<");
    let page = given(&federation, &author, file.as_bytes()).await;
    let text = page.reply.text();
    assert!(text.contains("Filen går att använda") && text.contains("Granviks kommun (ny)"), "{text}");
    let form = page.form().pressing("do", "submit").pressing("note", "Vi byter namn");
    let address = author.submit(port, &form).await.location();
    assert!(address.starts_with("/operator/proposal/1?"), "{address}");
    assert_eq!(author.submit(port, &form).await.location(), address, "the same again is the same proposal");
    let receipt = author.open(port, &address).await.reply.text();
    assert!(receipt.contains("Tack, ändring 1 är inlämnad"), "{receipt}");

    let proposal = "/operator/proposal/1";
    for other in [proposal, "/operator/proposal/99"] {
        assert_eq!(stranger.open(port, other).await.reply.status, 404, "of others there is none");
    }
    let pressed = async |browser: &Browser, what: &str| {
        let token = token(&federation, browser).await;
        browser.post(port, proposal, &format!("token={token}&do={what}&reason=")).await
    };
    assert_eq!(pressed(&author, "approve").await.reply.status, 422, "nobody approves their own");
    assert_eq!(pressed(&weak, "approve").await.reply.status, 422, "without the right");
    assert_eq!(pressed(&stranger, "approve").await.reply.status, 404, "another organisation");
    assert_eq!(pressed(&colleague, "publish").await.reply.status, 422, "not before it is approved");
    assert_eq!(pressed(&colleague, "decline").await.reply.status, 422, "not without a reason");
    assert_eq!(pressed(&colleague, "withdraw").await.reply.status, 422, "not somebody else's");
    assert!(!federation.command(&["metadata", "list"]).contains("(ny)"), "nothing is live yet");
    assert_eq!(pressed(&colleague, "approve").await.location(), proposal);
    assert_eq!(pressed(&colleague, "publish").await.location(), proposal);
    assert!(federation.command(&["metadata", "list"]).contains("(ny)"), "it is live");
    let done = author.open(port, proposal).await.reply.text();
    assert!(done.contains("Publicerad i revision"), "{done}");
    assert_eq!(pressed(&author, "withdraw").await.reply.status, 422, "too late");
}
