//! The API for operators, from outside: every address, and every refusal beside what is done. Each answer is held against the API's own description.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tests::{
    api::{Asking, Given, JSON, XML, found, issue, problem},
    federation::{Federation, Plan, eventually},
    leak,
    relying_party::{Authentication, RelyingParty},
    wire::Reply,
};

const GRANVIK: &str = "2120009903";
const FJORDEN: &str = "2321009900";
const HAMNVERKET: &str = "2021009903";
const DESK: &str = "sv:head:{desk}";

const ASA: &str = "Åsalill Bergviken-Lund";
const BO: &str = "Boris Utterström-Ek";
const CIA: &str = "Cecilia Näckrosdotter";

struct Scene {
    federation: Federation,
    /// May propose for Granvik.
    asa: Given,
    /// Two who may publish for Granvik.
    bo: Given,
    cia: Given,
    /// May publish for Fjorden.
    other: Given,
}

impl Scene {
    async fn new() -> Self {
        Self::of(Plan { nodes: 2, ec: true, ..Plan::default() }).await
    }

    async fn of(plan: Plan) -> Self {
        let federation = Federation::start(plan).await;
        let give = |organisation, right, holder| issue(&federation, organisation, right, holder);
        let (asa, bo) = (give(GRANVIK, "propose", ASA), give(GRANVIK, "publish", BO));
        let (cia, other) = (give(GRANVIK, "publish", CIA), give(FJORDEN, "publish", "Fjordens Operatör"));
        let scene = Self { federation, asa, bo, cia, other };
        for node in 0..scene.federation.nodes.len() {
            scene.until_known(&scene.other, node).await;
        }
        scene
    }

    /// Waits until a node knows a token.
    async fn until_known(&self, given: &Given, node: usize) {
        self.until(given, node, 200).await;
    }

    /// Waits until a token meets a status at a node. Gently: who asks often is told to wait.
    async fn until(&self, given: &Given, node: usize, status: u16) {
        for _ in 0..20 {
            let reply = Asking::read("/token").by(given).at(&self.federation, node).await;
            if reply.status.as_u16() == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        panic!("a token does not meet {status} within 8 s");
    }

    async fn ask(&self, asking: Asking) -> Reply {
        asking.at(&self.federation, 0).await
    }

    /// Granvik's provider with a second key beside its own: nothing holds it.
    fn second_key(&self) -> String {
        self.federation.granvik.metadata_with(&self.federation.granvik.with_next_key(true))
    }

    /// Submits a file that must become a proposal; gives its number.
    async fn proposed(&self, given: &Given, xml: String) -> u64 {
        let reply = self.ask(submit(xml).by(given)).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let number = reply.json()["proposal"]["number"].as_u64().expect("a number");
        let place = format!("{}/api/v1/proposals/{number}", self.federation.issuer);
        assert_eq!(reply.header(header::LOCATION), place);
        number
    }

    async fn act(&self, given: &Given, number: u64, what: &str) -> Reply {
        self.ask(Asking::post(&format!("/proposals/{number}/{what}")).by(given)).await
    }

    async fn state(&self, number: u64) -> Value {
        let reply = self.ask(Asking::read(&format!("/proposals/{number}")).by(&self.bo)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    async fn revision(&self) -> u64 {
        let reply = self.ask(Asking::read("/metadata").by(&self.asa)).await;
        reply.json()["revision"].as_u64().expect("a number")
    }
}

fn submit(xml: impl Into<Bytes>) -> Asking {
    Asking::post("/metadata").with(XML, xml)
}

fn is(reply: &Reply, status: u16, kind: &str) {
    assert_eq!((reply.status.as_u16(), problem(reply).as_str()), (status, kind), "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_proposes_is_live_when_another_has_approved_and_published_it() {
    let scene = Scene::new().await;
    let before = scene.revision().await;
    // Only the report first.
    let dry =
        scene.ask(Asking::post("/metadata?dry_run=true").with(XML, scene.second_key()).by(&scene.asa)).await;
    assert_eq!(dry.status, 200, "{}", dry.text());
    assert!(dry.json()["proposal"].is_null());
    let said = dry.json()["changes"].to_string();
    assert!(
        said.contains("A second signing key is added") && said.contains("En andra signeringsnyckel"),
        "{said}"
    );

    let xml = scene.second_key();
    let with_note = Asking::post("/metadata?note=Ny%20nyckel").with(XML, xml.clone());
    let reply = scene.ask(with_note.by(&scene.asa)).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["proposal"]["note"], json!("Ny nyckel"));
    let number = reply.json()["proposal"]["number"].as_u64().expect("a number");
    // A profile that is asked for is judged by as well.
    let judged = Asking::post("/metadata?dry_run=true&profile=sweden-connect&profile=swamid");
    let judged = scene.ask(judged.with(XML, xml.clone()).by(&scene.asa)).await;
    assert!(judged.text().contains("\"swamid\""), "{}", judged.text());
    // The same file again is the same proposal.
    let again = scene.ask(submit(xml).by(&scene.asa)).await;
    assert_eq!((again.status.as_u16(), again.json()["proposal"]["number"].as_u64()), (200, Some(number)));
    let shown = scene.state(number).await;
    assert_eq!((&shown["state"], &shown["awaits"]), (&json!("validated"), &json!("approval")), "{shown}");
    assert_eq!(shown["author"], json!({ "by": "token", "name": ASA }));

    // Nobody publishes alone, nor without an approval, nor without the right.
    is(&scene.act(&scene.asa, number, "approve").await, 403, "right-missing");
    is(&scene.act(&scene.asa, number, "publish").await, 403, "right-missing");
    is(&scene.act(&scene.bo, number, "publish").await, 409, "proposal-not-approved");
    let approved = scene.act(&scene.bo, number, "approve").await;
    assert_eq!((approved.status.as_u16(), &approved.json()["awaits"]), (200, &json!("publication")));
    is(&scene.act(&scene.bo, number, "approve").await, 409, "approved-already");
    let published = scene.act(&scene.bo, number, "publish").await;
    assert_eq!(published.json()["revision"], json!(before + 1), "{}", published.text());
    is(&scene.act(&scene.bo, number, "publish").await, 409, "proposal-state");
    is(&scene.act(&scene.asa, number, "withdraw").await, 409, "proposal-state");

    // It is registered, with both keys, and its document can be fetched and kept.
    let listed = scene.ask(Asking::read("/metadata").by(&scene.asa)).await.json();
    let [entry] = &listed["entries"].as_array().expect("entries")[..] else { panic!("one: {listed}") };
    assert_eq!(entry["keys"].as_array().map(Vec::len), Some(2), "{entry}");
    assert_eq!((&entry["state"], &entry["subject_source"]), (&json!("live"), &json!("subject_id")));
    let id = utf8_percent_encode(entry["id"].as_str().expect("an id"), NON_ALPHANUMERIC).to_string();
    let document = Asking::read(&format!("/metadata/{id}")).by(&scene.asa);
    let reply = scene.ask(document.clone()).await;
    assert_eq!(reply.header(header::CONTENT_TYPE), XML);
    let etag = reply.header(header::ETAG).to_owned();
    assert_eq!(etag, format!("\"{}\"", entry["document"].as_str().expect("a name")));
    assert_eq!(scene.ask(document.clone().header(header::IF_NONE_MATCH, &etag)).await.status, 304);
    assert_eq!(scene.ask(document.header(header::IF_NONE_MATCH, "\"other\"")).await.status, 200);
    // To another organisation it is not there, and neither is the proposal.
    is(&scene.ask(Asking::read(&format!("/metadata/{id}")).by(&scene.other)).await, 404, "not-found");
    for what in ["approve", "withdraw", "publish"] {
        is(&scene.act(&scene.other, number, what).await, 404, "not-found");
        is(&scene.act(&scene.bo, 999, what).await, 404, "not-found");
    }
    is(&scene.ask(Asking::read(&format!("/proposals/{number}")).by(&scene.other)).await, 404, "not-found");
    let theirs = scene.ask(Asking::read("/proposals").by(&scene.other)).await.json();
    assert_eq!(theirs["proposals"], json!([]));

    let revisions = scene.ask(Asking::read("/revisions").by(&scene.asa)).await.json();
    let newest = &revisions["revisions"][0];
    assert_eq!((&newest["number"], &newest["proposal"]), (&json!(before + 1), &json!(number)), "{newest}");
    assert_eq!((&newest["by"]["name"], &newest["changed"][0]["what"]), (&json!(BO), &json!("changed")));
    let all = revisions.to_string();
    assert!(!all.contains("fjorden") && !all.contains("Operatör"), "{all}");
    let record = scene.ask(Asking::read("/organisation").by(&scene.asa)).await.json();
    assert_eq!((&record["number"], &record["domains"]), (&json!(GRANVIK), &json!(["granvik.localhost"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_over_their_own_and_a_decision_says_why() {
    let scene = Scene::new().await;
    let own = scene.proposed(&scene.bo, scene.second_key()).await;
    for what in ["approve", "publish"] {
        is(&scene.act(&scene.bo, own, what).await, 403, "own-proposal");
    }
    let decline = |given: &Given, body: &'static str| {
        Asking::post(&format!("/proposals/{own}/decline")).with(JSON, body).by(given)
    };
    is(&scene.ask(decline(&scene.bo, r#"{"reason":"x"}"#)).await, 403, "own-proposal");
    is(&scene.ask(decline(&scene.asa, r#"{"reason":"x"}"#)).await, 403, "right-missing");
    is(&scene.ask(decline(&scene.other, r#"{"reason":"x"}"#)).await, 404, "not-found");
    for bad in [r#"{"reason":" "}"#, "{}", "[", r#"{"reason":"x","more":1}"#] {
        is(&scene.ask(decline(&scene.cia, bad)).await, 400, "malformed");
    }
    is(&scene.act(&scene.cia, own, "withdraw").await, 403, "not-author");
    let declined = scene.ask(decline(&scene.cia, r#"{"reason":"Fel fil"}"#)).await;
    let said = declined.json();
    assert_eq!((&said["state"], &said["reason"]), (&json!("declined"), &json!("Fel fil")), "{said}");
    is(&scene.ask(decline(&scene.cia, r#"{"reason":"x"}"#)).await, 409, "proposal-state");

    let mine = scene.proposed(&scene.asa, scene.second_key()).await;
    assert_eq!(scene.act(&scene.asa, mine, "withdraw").await.json()["state"], json!("withdrawn"));
    let open = scene.ask(Asking::read("/proposals?open=true").by(&scene.asa)).await.json();
    assert_eq!(open["proposals"], json!([]));
    let all = scene.ask(Asking::read("/proposals").by(&scene.asa)).await.json();
    assert_eq!(all["proposals"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&all["proposals"][0]["is_own"], &all["proposals"][1]["is_own"]),
        (&json!(true), &json!(false))
    );
    let closed = scene.state(mine).await;
    assert_eq!(closed["awaits"], json!("closed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_needs_two_others_who_have_seen_why() {
    let scene = Scene::new().await;
    // A validity that ends soon where there was no end before.
    let soon = format!("validUntil=\"{}\" entityID=", in_days(3));
    let soon = scene.federation.granvik.metadata().replacen("entityID=", &soon, 1);
    let number = scene.proposed(&scene.asa, soon).await;
    let shown = scene.ask(Asking::read(&format!("/proposals/{number}")).by(&scene.bo)).await;
    let said = shown.json();
    assert_eq!(said["awaits"], json!("two_approvals"), "{said}");
    assert!(said["holds"][0]["sv"]["fix"].as_str().is_some_and(|steps| steps.contains("1.")), "{said}");

    is(&scene.act(&scene.bo, number, "publish").await, 409, "proposal-held");
    is(&scene.act(&scene.bo, number, "approve").await, 428, "see-holds-first");
    let approve = |given: &Given, etag: &str| {
        Asking::post(&format!("/proposals/{number}/approve")).by(given).header(header::IF_MATCH, etag)
    };
    is(&scene.ask(approve(&scene.bo, "*")).await, 428, "see-holds-first");
    is(&scene.ask(approve(&scene.bo, "\"an older one\"")).await, 412, "precondition-failed");
    let etag = shown.header(header::ETAG).to_owned();
    let first = scene.ask(approve(&scene.bo, &etag)).await;
    assert_eq!(first.json()["awaits"], json!("second_approval"), "{}", first.text());
    is(&scene.act(&scene.bo, number, "publish").await, 409, "proposal-held");
    // What the first one saw is an older version now.
    is(&scene.ask(approve(&scene.cia, &etag)).await, 412, "precondition-failed");
    let shown = scene.ask(Asking::read(&format!("/proposals/{number}")).by(&scene.cia)).await;
    let second = scene.ask(approve(&scene.cia, shown.header(header::ETAG))).await;
    assert_eq!(second.json()["awaits"], json!("publication"), "{}", second.text());
    assert_eq!(scene.act(&scene.cia, number, "publish").await.status, 200);
    let published = scene.state(number).await;
    assert_eq!(published["state"], json!("published"));
    assert_eq!(published["approvals"].as_array().map(Vec::len), Some(2));
}

fn in_days(days: u64) -> String {
    let at = tests::chance::system_time() + Duration::from_secs(days * 86_400);
    let seconds = at.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    broker_core::moment::Timestamp(i64::try_from(seconds).expect("a time")).to_rfc3339()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_bounded_by_the_organisation_and_tells_nothing_of_others() {
    let scene = Scene::new().await;
    let revision = scene.revision().await;
    // An entity of another organisation.
    let taken = scene.ask(submit(scene.federation.fjorden.metadata()).by(&scene.asa)).await;
    is(&taken, 422, "refused");
    assert!(found(&taken, "registry.entity.taken"), "{}", taken.text());
    assert!(!taken.text().contains(FJORDEN), "whose it is: {}", taken.text());
    // The same by its own organisation is no refusal.
    let registered = scene.federation.folder.path().join(format!("idp-{FJORDEN}.xml"));
    let own = scene.ask(submit(std::fs::read(registered).expect("a file")).by(&scene.other)).await;
    is(&own, 409, "nothing-changes");
    // A host outside the record, and its twin.
    let outside = scene
        .federation
        .granvik
        .metadata()
        .replace("https://idp.granvik.localhost/sso", "https://idp.example.com/sso");
    let refused = scene.ask(submit(outside).by(&scene.asa)).await;
    is(&refused, 422, "refused");
    let finding = &refused.json()["findings"][0];
    assert!(finding["place"]["line"].as_u64().is_some_and(|line| line > 1), "{finding}");
    assert_eq!(finding["severity"], json!("error"));
    let moved =
        scene.federation.granvik.metadata().replace("idp.granvik.localhost/sso", "nya.granvik.localhost/sso");
    assert_eq!(
        scene.ask(Asking::post("/metadata?dry_run=true").with(XML, moved).by(&scene.asa)).await.status,
        200
    );
    // A relying party whose name another has, and one of its own, whose secret is shown once.
    let harbour = issue(&scene.federation, HAMNVERKET, "propose", "Hamnens Operatör");
    scene.until_known(&harbour, 0).await;
    let stolen = RelyingParty::with_basic("journal").metadata();
    let refused = scene.ask(Asking::post("/metadata").with(JSON, stolen).by(&scene.asa)).await;
    is(&refused, 422, "refused");
    assert!(!refused.text().contains(HAMNVERKET), "{}", refused.text());
    let without = RelyingParty::new("kajplats", Authentication::Basic(String::new())).metadata();
    let mut members: Value = serde_json::from_str(&without).expect("JSON");
    members.as_object_mut().expect("an object").remove("client_secret");
    let made = scene.ask(Asking::post("/metadata").with(JSON, members.to_string()).by(&harbour)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let secret = made.json()["secret"]["client_secret"].as_str().expect("a secret").to_owned();
    let number = made.json()["proposal"]["number"].as_u64().expect("a number");
    let shown = scene.ask(Asking::read(&format!("/proposals/{number}")).by(&harbour)).await;
    assert!(!shown.text().contains(&secret));
    // A session of an operator of another organisation sees nothing of it in the listing.
    let listed = scene.ask(Asking::read("/metadata").by(&scene.asa)).await.text();
    assert!(!listed.contains("fjorden") && !listed.contains("journal"), "{listed}");
    assert_eq!(scene.revision().await, revision, "nothing was published");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_metadata_is_refused_and_says_what_it_is() {
    let scene = Scene::new().await;
    let xml = scene.second_key();
    let by_asa = |asking: Asking| scene.ask(asking.by(&scene.asa));
    for text in ["application/octet-stream", "multipart/form-data; boundary=x", "text/html", ""] {
        let reply =
            by_asa(Asking::post("/metadata").with(XML, xml.clone()).header(header::CONTENT_TYPE, text)).await;
        is(&reply, 415, "media-type");
    }
    is(&by_asa(submit(xml.clone()).header(header::CONTENT_ENCODING, "gzip")).await, 415, "media-type");
    is(&by_asa(Asking::post("/metadata").with(JSON, xml.clone())).await, 415, "media-type");
    is(&by_asa(submit("{}")).await, 415, "media-type");
    is(&by_asa(submit("")).await, 400, "malformed");
    is(&by_asa(submit(vec![b' '; 5 * 1024 * 1024])).await, 413, "too-large");
    let xxe =
        format!("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}", xml.replace("Granviks", "&e;"));
    let bomb = format!("<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>{xml}");
    let binary = vec![0xff_u8, 0xfe, 0, 1, 2, 3, 0x80];
    let files: [Vec<u8>; 6] =
        [xxe.into(), bomb.into(), b"not XML".to_vec(), b"<a>".to_vec(), binary, b"<html/>".to_vec()];
    for file in files {
        let reply = by_asa(submit(file)).await;
        is(&reply, 422, "refused");
        assert!(!reply.text().contains("root:"), "{}", reply.text());
        assert_ne!(reply.json()["findings"], json!([]), "{}", reply.text());
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    is(&by_asa(Asking::post("/metadata").with(JSON, deep)).await, 422, "refused");
    for query in
        ["profile=none", "dry_run=1", "strange=1", "dry_run=true&dry_run=true", "subject_source=name"]
    {
        is(
            &by_asa(Asking::post(&format!("/metadata?{query}")).with(XML, xml.clone())).await,
            400,
            "parameter",
        );
    }
    let long = "x".repeat(2001);
    is(
        &by_asa(Asking::post(&format!("/metadata?note={long}")).with(XML, xml.clone())).await,
        400,
        "parameter",
    );
    // Its twin.
    assert_eq!(by_asa(submit(xml)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_as_long_as_it_is_good_and_its_end_reaches_every_node() {
    let scene = Scene::new().await;
    let facts = scene.ask(Asking::read("/token").by(&scene.asa)).await.json();
    assert_eq!((&facts["holder"], &facts["right"]), (&json!(ASA), &json!("propose")));
    assert_eq!((&facts["organisation"], &facts["id"]), (&json!(GRANVIK), &json!(scene.asa.id)));

    let none = scene.ask(Asking::read("/token")).await;
    is(&none, 401, "token-missing");
    assert_eq!(none.header(header::WWW_AUTHENTICATE), "Bearer realm=\"sparvidd\"");
    let forged = Given { id: scene.asa.id.clone(), token: scene.asa.token.replace('a', "b") };
    let good_form = Given { id: String::new(), token: format!("spv_{}_{}", "0".repeat(12), "0".repeat(48)) };
    for bad in [&forged, &good_form] {
        let reply = scene.ask(Asking::read("/token").by(bad)).await;
        is(&reply, 401, "token-unknown");
        assert!(reply.header(header::WWW_AUTHENTICATE).contains("invalid_token"));
    }
    for value in ["Basic YTpi", "Bearer", "Bearer a b", "bearer "] {
        is(
            &scene.ask(Asking::read("/token").header(header::AUTHORIZATION, value)).await,
            401,
            "token-unknown",
        );
    }
    // In Swedish, with a reference that the log has; the log has no name and no token.
    let told = scene.ask(Asking::read("/token").header(header::ACCEPT_LANGUAGE, "sv-SE, en;q=0.5")).await;
    assert_eq!(told.json()["title"], json!("Token saknas"));
    let reference = told.json()["reference"].as_str().expect("a reference").to_owned();
    assert!(scene.federation.nodes[0].log().contains(&reference));

    // Renewed: the old one is nobody's at once here, and soon elsewhere.
    let renewed = scene.ask(Asking::post("/token/rotate").by(&scene.asa)).await;
    let new = Given {
        id: scene.asa.id.clone(),
        token: renewed.json()["token"].as_str().expect("a token").to_owned(),
    };
    assert_eq!(renewed.json()["expires"], facts["expires"]);
    is(&scene.ask(Asking::read("/token").by(&scene.asa)).await, 401, "token-unknown");
    assert_eq!(scene.ask(Asking::read("/token").by(&new)).await.status, 200);
    // The other node: a change is refused at once, since the desk is read anew for it.
    is(&submit("<a/>").by(&scene.asa).at(&scene.federation, 1).await, 401, "token-unknown");
    scene.until_known(&new, 1).await;

    // Given up by its holder, and taken back by the operator.
    assert_eq!(scene.ask(Asking::delete("/token").by(&new)).await.status, 204);
    is(&scene.ask(Asking::read("/token").by(&new)).await, 401, "token-revoked");
    let _ = scene.federation.command(&["token", "revoke", &scene.bo.id]);
    is(&submit("<a/>").by(&scene.bo).at(&scene.federation, 1).await, 401, "token-revoked");
    scene.until(&scene.bo, 0, 401).await;
    let listed = scene.federation.command(&["token", "list"]);
    assert!(
        listed.contains("revoked") && listed.contains(CIA) && !listed.contains(&scene.cia.token),
        "{listed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_named_in_the_store_or_a_log_and_no_token_stands_there() {
    let scene = Scene::new().await;
    let number = scene.proposed(&scene.asa, scene.second_key()).await;
    let _ = scene.act(&scene.bo, number, "approve").await;
    assert_eq!(scene.act(&scene.bo, number, "publish").await.status, 200);
    let words = |given: &Given| given.token.rsplit('_').next().expect("a secret")[..40].to_owned();
    let mut secrets: Vec<String> = [ASA, BO, CIA, "Operatör Ek"].map(str::to_owned).to_vec();
    for given in [&scene.asa, &scene.bo, &scene.cia, &scene.other] {
        secrets.extend([given.token.clone(), words(given)]);
    }
    let everything = scene.federation.redis.as_ref().expect("Redis").everything();
    assert!(everything.contains_key(DESK), "{:?}", everything.keys());
    let places = everything
        .iter()
        .flat_map(|(key, value)| [("a key", key.as_bytes()), (key.as_str(), value.as_slice())]);
    assert_eq!(leak::found(places, &secrets), Vec::<String>::new());
    assert_eq!(leak::in_logs(&scene.federation, &secrets), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_written_by_hand_is_refused_and_nobody_gets_in_by_it() {
    let scene = Scene::new().await;
    let redis = scene.federation.redis.as_ref().expect("Redis");
    let genuine = redis.everything().remove(DESK).expect("a desk");
    // Somebody who writes to the store brings back the desk of before a token was revoked, or one of their own.
    let _ = scene.federation.command(&["token", "revoke", &scene.bo.id]);
    scene.until(&scene.bo, 0, 401).await;
    let newer = redis.everything().remove(DESK).expect("a desk");
    let mut bent = newer.clone();
    let last = bent.len() - 1;
    bent[last] ^= 1;
    for by_hand in [genuine, bent, b"{\"tokens\":{}}".to_vec()] {
        redis.overwrite(DESK, &by_hand);
        let alarmed = || async {
            let lines = scene.federation.nodes[0].log_lines();
            lines.iter().any(|line| line["level"] == "ERROR" && line.to_string().contains("desk"))
        };
        eventually("the alarm", Duration::from_secs(5), alarmed).await;
        let reply = scene.ask(submit(scene.second_key()).by(&scene.bo)).await;
        assert!([401, 503].contains(&reply.status.as_u16()), "{}", reply.text());
        // Whoever is good changes nothing either, while nobody can say what holds.
        is(&scene.ask(submit(scene.second_key()).by(&scene.asa)).await, 503, "busy");
    }
    redis.overwrite(DESK, &newer);
    assert_eq!(scene.ask(submit(scene.second_key()).by(&scene.asa)).await.status, 201, "it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_at_the_same_moment_each_become_a_proposal_and_only_one_of_two_is_live() {
    let scene = Scene::new().await;
    let files: Vec<String> = (0..6).map(|_| scene.second_key()).collect();
    let sent = files.iter().enumerate().map(|(index, file)| {
        let given = if index % 2 == 0 { &scene.asa } else { &scene.cia };
        submit(file.clone()).by(given).at(&scene.federation, index % 2)
    });
    let mut sending = Vec::new();
    for one in sent {
        sending.push(one);
    }
    let replies = all(sending).await;
    let mut numbers: Vec<u64> = Vec::new();
    for reply in &replies {
        let reference = reply.json()["reference"].as_str().unwrap_or("none").to_owned();
        let logs = scene.federation.logs();
        let why: Vec<&str> = logs.lines().filter(|line| line.contains(&reference)).collect();
        assert_eq!(reply.status, 201, "{} {why:?}", reply.text());
        numbers.push(reply.json()["proposal"]["number"].as_u64().expect("a number"));
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), files.len(), "each has its own number");
    let (one, other) = (numbers[0], numbers[1]);
    for number in [one, other] {
        assert_eq!(scene.act(&scene.bo, number, "approve").await.status, 200);
    }
    let both = all(vec![
        Asking::post(&format!("/proposals/{one}/publish")).by(&scene.bo).at(&scene.federation, 0),
        Asking::post(&format!("/proposals/{other}/publish")).by(&scene.bo).at(&scene.federation, 1),
    ])
    .await;
    let statuses: Vec<u16> = both.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409, 503].contains(status)), "{statuses:?}");
    let open = scene.ask(Asking::read("/proposals?open=true").by(&scene.bo)).await.json();
    assert_eq!(open["proposals"], json!([]), "what it overtook is closed");
}

/// All of them at once.
async fn all<F: Future<Output = Reply>>(futures: Vec<F>) -> Vec<Reply> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<Reply>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(reply) = future.as_mut().poll(context)
            {
                *done = Some(reply);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

async fn raw(federation: &Federation, method: Method, path: &str) -> Reply {
    let host = federation.issuer.trim_start_matches("http://");
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host)
        .header(header::ORIGIN, HeaderValue::from_static("https://elsewhere.example"))
        .body(Full::new(Bytes::new()))
        .expect("a request");
    federation.wire.send(federation.port(), request).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_too_often_waits_and_hinders_nobody_else() {
    let more = "[api]\nrequests_per_minute = 12\n".to_owned();
    let scene = Scene::of(Plan { ec: true, more, ..Plan::default() }).await;
    let mut refused = 0;
    for _ in 0..20 {
        let reply = scene.ask(Asking::read("/token").by(&scene.asa)).await;
        if reply.status == 429 {
            is(&reply, 429, "too-many-requests");
            assert_eq!(reply.header(header::RETRY_AFTER), "60");
            refused += 1;
        }
    }
    assert!((6..=10).contains(&refused), "{refused}");
    assert_eq!(scene.ask(Asking::read("/token").by(&scene.bo)).await.status, 200);
    // Guesses at somebody's token hinder the guesser.
    let guess = Given { id: String::new(), token: "spv_no".to_owned() };
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(scene.ask(Asking::read("/token").by(&guess)).await.status.as_u16());
    }
    assert!(
        statuses[..15].iter().all(|status| *status == 401) && statuses[35..].contains(&429),
        "{statuses:?}"
    );
    assert_eq!(scene.ask(Asking::read("/token").by(&scene.bo)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_there_is_not_or_another_method_is_a_problem_too() {
    let federation = Federation::start(Plan { ec: true, ..Plan::default() }).await;
    let missing = raw(&federation, Method::GET, "/api/v1/nothing").await;
    is(&missing, 404, "not-found");
    let wrong = raw(&federation, Method::PUT, "/api/v1/metadata").await;
    is(&wrong, 405, "method-not-allowed");
    assert_eq!(wrong.header(header::ALLOW), "POST, GET, HEAD");
    let preflight = raw(&federation, Method::OPTIONS, "/api/v1/metadata").await;
    assert_eq!(preflight.status, 405, "no other site's page is let in");
    assert!(preflight.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none());
    let head = raw(&federation, Method::HEAD, "/api/v1/openapi.json").await;
    assert!(head.status == 200 && head.body.is_empty());
    // Every type of problem leads somewhere.
    let explained = Asking::read("/problems/token-expired").at(&federation, 0).await.json();
    assert_eq!(explained["status"], json!(401));
    is(&Asking::read("/problems/none").at(&federation, 0).await, 404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_switched_off_there_is_nothing() {
    let more = "[api]\nenabled = false\n".to_owned();
    let federation = Federation::start(Plan { nodes: 0, ec: true, more, ..Plan::default() }).await;
    for path in ["/api/v1/openapi.json", "/api/v1/token", "/api"] {
        let reply = raw(&federation, Method::GET, path).await;
        assert!(reply.status == 404 && reply.header(header::CONTENT_TYPE).starts_with("text/html"), "{path}");
    }
}
