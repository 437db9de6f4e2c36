//! What an attacker's workshop holds: one broker for all families, signatures over anything in any shape, and the judgement of each vector.
//!
//! A signature made here with the genuine key is a genuine signature: [`Signing`] says the same as the broker's own signer until a vector bends it, and
//! every vector's twin is signed by the same hand. So what is refused is refused for what was bent.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock, OnceLock, Weak},
};

use broker_saml::idp::AssertionToIssue;
use bytes::Bytes;
use certs::{PrivateKey, PublicKey};
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value};
use tests::{
    browser::{Browser, Form, Page},
    federation::{Federation, Plan},
    leak,
    person::Person,
    provider::Asked,
    relying_party::{RelyingParty, Returned},
    walk::{Next, Outcome, Walk},
};
use tokio::{runtime::Runtime, sync::Mutex};

use super::signing::part_of;
pub(crate) use super::signing::{
    DS, ENVELOPED, EXCLUSIVE, Signing, last_replaced, part, placed, replaced, transforms,
};

/// What the genuine person is called in her subject identifier and service identity, and what the attacker would like to be.
pub(crate) const GENUINE: &str = "asabergv0@";
pub(crate) const EVIL: &str = "chefenny0@";

/// How many vectors are tried at a time.
const AT_ONCE: usize = 4;

/// The broker that every family attacks, and what an honest login gave.
pub(crate) struct Bench {
    pub(crate) federation: Federation,
    /// What the broker publishes to be encrypted to.
    encryption: PublicKey,
    /// The subject identifier of the person for the first relying party.
    subject: String,
    /// All that the first relying party is told of her.
    told: [Map<String, Value>; 2],
    /// What is seen from outside of any cryptographic failure.
    alike: OnceLock<(StatusCode, String)>,
}

impl Bench {
    pub(crate) fn port(&self) -> u16 {
        self.federation.port()
    }

    /// What a vector has at hand, of a login that is at the provider.
    pub(crate) fn scene<'w>(&self, walk: &Walk<'w>) -> Scene<'w> {
        let asked = walk.asked.clone().expect("the provider was asked");
        let encryption = self.encryption.clone();
        Scene {
            federation: walk.federation,
            asked,
            answer: walk.answer(),
            encryption,
            key: walk.provider.key(),
        }
    }

    /// A login of the person through Granvik, at the provider.
    pub(crate) async fn at_provider(&self) -> Walk<'_> {
        self.genuine("assert").await
    }

    /// A login of the person through Granvik, whose next request is the named one.
    pub(crate) async fn genuine(&self, next: &str) -> Walk<'_> {
        let mut walk = Walk::new(&self.federation, Person::asa()).naming_the_provider();
        walk.until(next, self.port()).await;
        walk
    }

    /// The same of a colleague, in a browser of his own.
    pub(crate) async fn attackers(&self, next: &str) -> Walk<'_> {
        let mut walk = Walk::new(&self.federation, Person::numbered(6)).naming_the_provider();
        walk.until(next, self.port()).await;
        walk
    }

    /// The colleague's login goes on to its end: he is himself.
    pub(crate) async fn ends_as_himself(&self, walk: Walk<'_>) {
        let outcome = walk.finish(self.port()).await;
        assert_ne!(outcome.id_token["sub"], self.subject.as_str(), "the attacker is the victim");
        assert_eq!(outcome.userinfo["email"], Person::numbered(6).mail.as_str());
    }

    /// What came in whichever browser is an error page without anything of a login on it. Gives the code in the log.
    pub(crate) async fn turned_away(&self, browser: &Browser, sent: &Page) -> String {
        let (page, _, code) = self.federation.refused(browser, self.port(), sent).await;
        assert!(!page.reply.text().contains("code="), "a code is on the page");
        let told = leak::found([("the page", &page.reply.body[..])], &Person::asa().values());
        assert!(told.is_empty(), "{told:?}");
        code
    }

    /// A login whose code has come, and has not been redeemed.
    pub(crate) async fn with_code(&self, party: &'static str) -> Walk<'_> {
        let federation = &self.federation;
        let party = self.party(party);
        let mut walk =
            Walk::between(federation, party, &federation.granvik, Person::asa()).naming_the_provider();
        walk.until("redeem", self.port()).await;
        walk
    }

    /// The relying party of that name.
    pub(crate) fn party(&self, name: &str) -> &RelyingParty {
        let known = self.federation.relying_parties.iter().find(|party| party.client_id == name);
        known.unwrap_or_else(|| panic!("no relying party {name}"))
    }

    /// The twin: the login goes on to its end, and she is who she is, in every claim: nothing is cut, added or somebody else's.
    pub(crate) async fn ends_well(&self, walk: Walk<'_>) {
        let first = walk.party.client_id == self.federation.party().client_id;
        let outcome = walk.finish(self.port()).await;
        assert!(!outcome.userinfo.is_empty());
        if first {
            assert_eq!(told(&outcome), self.told, "the genuine person, whole");
        }
    }

    /// A request in any shape, with the cookies of a login's browser.
    pub(crate) async fn raw(
        &self,
        walk: &Walk<'_>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Page {
        let issuer = &self.federation.issuer;
        let cookies: Vec<String> =
            walk.browser.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut builder = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            builder = builder.header("host", issuer.trim_start_matches("http://"));
        }
        if !cookies.is_empty() && !headers.iter().any(|(name, _)| *name == "cookie") {
            builder = builder.header("cookie", cookies.join("; "));
        }
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Full::new(Bytes::from(body))).expect("a request");
        let reply = self.federation.wire.send(self.port(), request).await;
        let url = url::Url::parse(&format!("{issuer}/")).expect("an address");
        Page { url, reply: reply.unwrap_or_else(|error| panic!("{method} {path}: {error}")) }
    }

    /// A failed step, seen from outside and in the log: nothing was handed out. Gives the code in the log.
    pub(crate) async fn refused(&self, walk: &Walk<'_>, sent: &Page) -> String {
        if sent.location().starts_with(&format!("{}?", walk.party.redirect_uri)) {
            return self.straight_back(walk, &sent.location());
        }
        let (page, reference, code) = self.federation.refused(&walk.browser, self.port(), sent).await;
        self.nothing_was_given(walk, &page);
        if is_cryptographic(&code) {
            let (_, shown) = page.reference_and_code();
            assert_eq!(
                shown, "provider.signature_invalid",
                "one code outside for every cryptographic failure"
            );
            let seen = (page.reply.status, seen_from_outside(&page, walk, &reference));
            assert_eq!(
                &seen,
                self.alike.get_or_init(|| seen.clone()),
                "one page for every cryptographic failure"
            );
        }
        code
    }

    /// An error that the relying party was told without a page between. Gives the code of the newest line in the log that such an error has.
    fn straight_back(&self, walk: &Walk<'_>, address: &str) -> String {
        let returned = walk.party.returned(&self.federation.issuer, &walk.attempt, address);
        assert!(matches!(returned, Returned::Error(_)), "the relying party is told {returned:?}");
        let lines = self.federation.nodes[0].refusals();
        let codes = lines.iter().rev().filter_map(|line| line["code"].as_str());
        let told = ["provider.denied", "provider.other_status", "provider.request_refused"];
        codes.into_iter().find(|code| told.contains(code)).unwrap_or_default().to_owned()
    }

    fn nothing_was_given(&self, walk: &Walk<'_>, page: &Page) {
        assert!(!page.reply.text().contains("code="), "a code is on the page");
        let back = page.first_button();
        if back.starts_with(&format!("{}?", walk.party.redirect_uri)) {
            let returned = walk.party.returned(&self.federation.issuer, &walk.attempt, &back);
            assert!(matches!(returned, Returned::Error(_)), "the relying party is told {returned:?}");
        }
    }
}

/// What the tokens of a login say of the person, without what differs between any two logins.
fn told(outcome: &Outcome) -> [Map<String, Value>; 2] {
    const OF_THE_LOGIN: [&str; 6] = ["iat", "exp", "nonce", "at_hash", "auth_time", "jti"];
    [&outcome.id_token, &outcome.userinfo].map(|claims| {
        let lasting = claims.iter().filter(|(name, _)| !OF_THE_LOGIN.contains(&name.as_str()));
        lasting.map(|(name, value)| (name.clone(), value.clone())).collect()
    })
}

/// Failures whose cause only the log tells (design decision 13).
fn is_cryptographic(code: &str) -> bool {
    ["signature_invalid", "signature_missing", "signature_algorithm", "undecryptable"]
        .iter()
        .any(|name| code == format!("provider.{name}"))
}

/// A page without what differs between any two logins: reference, time and the relying party's own state.
fn seen_from_outside(page: &Page, walk: &Walk<'_>, reference: &str) -> String {
    let text = page.reply.text().replace(reference, "REFERENCE").replace(&walk.attempt.state, "STATE");
    let mut parts = text.split("<time");
    let mut seen = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        seen.push_str(part.split_once("</time>").map_or("", |(_, rest)| rest));
    }
    seen
}

/// The broker of all families that run at the same time; it ends with the last of them.
pub(crate) async fn bench() -> Arc<Bench> {
    static SHARED: Mutex<Weak<Bench>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(bench) = shared.upgrade() {
        return bench;
    }
    let relying_parties = vec![
        RelyingParty::with_basic("journal"),
        RelyingParty::with_basic("annan"),
        RelyingParty::with_key("nyckel"),
        RelyingParty::with_key("granne"),
    ];
    // Each wrong proof is to be refused for what is wrong with it, not for being one of many.
    let more = "[limits]\nguesses_per_minute = 100000\n".to_owned();
    let federation = Federation::start(Plan { relying_parties, ec: true, more, ..Plan::default() }).await;
    let port = federation.port();
    let outcome = Walk::new(&federation, Person::asa()).finish(port).await;
    let subject = outcome.id_token["sub"].as_str().expect("a subject").to_owned();
    let encryption = federation.encryption_key(port).await;
    let told = told(&outcome);
    assert_eq!(told[1]["email"], Person::asa().mail.as_str(), "there is something to compare");
    let bench = Arc::new(Bench { federation, encryption, subject, told, alike: OnceLock::new() });
    *shared = Arc::downgrade(&bench);
    bench
}

/// What has to come of a vector.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// Refused, with one of these codes in the log.
    Refused(&'static [&'static str]),
    /// Harmless: the login ends with the genuine person, whole.
    Whole,
}

/// An answer of the provider that an attacker has had in hand, beside one that is right.
#[derive(Clone, Copy)]
pub(crate) struct Vector {
    /// What is tried, in a few words; unique within its family.
    pub(crate) name: &'static str,
    /// Where it is described: a rule that it breaks or a vulnerability that it was.
    pub(crate) source: &'static str,
    /// What has to come of it.
    pub(crate) expected: Expected,
    /// The octets that are posted.
    pub(crate) forge: fn(&Scene<'_>) -> Vec<u8>,
    /// The same hand, nothing bent: must sign in.
    pub(crate) twin: fn(&Scene<'_>) -> Vec<u8>,
}

/// A vector beside a genuinely signed Response.
pub(crate) const fn on_response(
    name: &'static str,
    source: &'static str,
    codes: &'static [&'static str],
    forge: fn(&Scene<'_>) -> Vec<u8>,
) -> Vector {
    Vector { name, source, expected: Expected::Refused(codes), forge, twin: signed_response }
}

/// A vector beside a Response whose assertion alone is signed.
pub(crate) const fn on_assertion(
    name: &'static str,
    source: &'static str,
    codes: &'static [&'static str],
    forge: fn(&Scene<'_>) -> Vec<u8>,
) -> Vector {
    Vector { name, source, expected: Expected::Refused(codes), forge, twin: signed_assertion }
}

/// A vector that changes nothing of who she is.
pub(crate) const fn harmless(
    name: &'static str,
    source: &'static str,
    forge: fn(&Scene<'_>) -> Vec<u8>,
) -> Vector {
    Vector { name, source, expected: Expected::Whole, forge, twin: signed_response }
}

fn signed_response(scene: &Scene<'_>) -> Vec<u8> {
    scene.response(&scene.text()).into()
}

fn signed_assertion(scene: &Scene<'_>) -> Vec<u8> {
    scene.assertion(&scene.text()).into()
}

/// A scenario that is more than one answer: it asserts for itself, twin included.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    pub(crate) run: fn(&Bench) -> Running<'_>,
}

pub(crate) type Running<'b> = Pin<Box<dyn Future<Output = ()> + Send + 'b>>;

/// Runs a family. All share one runtime, as they share the broker: connections live as long as the runtime that opened them.
pub(crate) fn run(family: impl Future<Output = ()>) {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    RUNTIME.block_on(family);
}

/// Tries all vectors of a family and fails with the names of those that did not end as they must.
pub(crate) async fn vectors(family: &'static [Vector]) {
    at_once(family, |vector| vector.name, |bench, vector| Box::pin(judged(bench, vector))).await;
}

/// The same for scenarios.
pub(crate) async fn scenarios(family: &'static [Scenario]) {
    at_once(family, |scenario| scenario.name, |bench, scenario| (scenario.run)(bench)).await;
}

async fn at_once<T: Sync>(
    family: &'static [T],
    name: fn(&T) -> &'static str,
    run: for<'b> fn(&'b Bench, &'static T) -> Running<'b>,
) {
    let bench = bench().await;
    let mut failed = Vec::new();
    for some in family.chunks(AT_ONCE) {
        let running: Vec<_> = some
            .iter()
            .map(|one| {
                let bench = bench.clone();
                (name(one), tokio::spawn(async move { run(&bench, one).await }))
            })
            .collect();
        for (name, running) in running {
            if let Err(error) = running.await {
                failed.push(format!("{name}: {}", said(error)));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), family.len(), failed.join("\n"));
}

/// The judge itself: what it must not pass, it does not.
pub(crate) async fn the_judge_is_not_blind() {
    let bench = bench().await;
    let genuine: Vector = on_response("", "", &["provider.signature_invalid"], signed_response);
    let changed: Vector =
        harmless("", "", |scene| replaced(&scene.response(&scene.text()), GENUINE, EVIL).into());
    let somebody_else: Vector = harmless("", "", |scene| {
        let other = Person::numbered(6);
        let text = scene.text().replace(&Person::asa().subject_id, &other.subject_id);
        scene.response(&text).into()
    });
    let a_value_cut: Vector = harmless("", "", |scene| {
        let text = replaced(&scene.text(), &Person::asa().mail, "berg@granvik.localhost");
        scene.response(&text).into()
    });
    let another_code: Vector = on_response("", "", &["provider.expired"], |scene| scene.text().into());
    let broken_twin = Vector {
        twin: |_| b"<x/>".to_vec(),
        ..on_response("", "", &["provider.signature_missing"], |scene| scene.text().into())
    };
    for vector in [genuine, changed, somebody_else, a_value_cut, another_code, broken_twin] {
        let bench = bench.clone();
        let judged = tokio::spawn(async move { judged(&bench, &vector).await });
        assert!(judged.await.is_err(), "a vector passed that must not");
    }
}

fn said(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "given up".to_owned() };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

async fn judged(bench: &Bench, vector: &Vector) {
    let mut walk = bench.at_provider().await;
    let scene = bench.scene(&walk);
    let forged = scene.asked.form(&(vector.forge)(&scene));
    match vector.expected {
        Expected::Refused(codes) => {
            let sent = walk.browser.submit(bench.port(), &forged).await;
            let code = bench.refused(&walk, &sent).await;
            assert!(codes.contains(&code.as_str()), "refused with {code}, not with one of {codes:?}");
            // The login stands where it stood: the twin is under the very same conditions.
            let twin = scene.asked.form(&(vector.twin)(&bench.scene(&walk)));
            walk.next = Next::Assert(twin);
            bench.ends_well(walk).await;
        }
        Expected::Whole => {
            walk.next = Next::Assert(forged);
            bench.ends_well(walk).await;
            let mut walk = bench.at_provider().await;
            let scene = bench.scene(&walk);
            let twin = scene.asked.form(&(vector.twin)(&scene));
            walk.next = Next::Assert(twin);
            bench.ends_well(walk).await;
        }
    }
}

/// What a vector has at hand: a login that is at the provider, and the genuine answer to it.
pub(crate) struct Scene<'w> {
    pub(crate) federation: &'w Federation,
    pub(crate) asked: Asked,
    pub(crate) answer: AssertionToIssue,
    /// What the broker publishes to be encrypted to.
    pub(crate) encryption: PublicKey,
    key: &'w PrivateKey,
}

impl fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").finish_non_exhaustive()
    }
}

impl<'w> Scene<'w> {
    /// The genuine answer, not signed.
    pub(crate) fn text(&self) -> String {
        self.issued(&self.answer)
    }

    /// The genuine answer with a change, not signed.
    pub(crate) fn with(&self, change: impl FnOnce(&mut AssertionToIssue)) -> String {
        let mut answer = self.answer.clone();
        change(&mut answer);
        self.issued(&answer)
    }

    fn issued(&self, answer: &AssertionToIssue) -> String {
        let octets = answer.issue(self.key).expect("signed");
        let text = String::from_utf8(octets).expect("UTF-8");
        let mut bare = text.clone();
        while let Some(signature) = part_of(&bare, "<ds:Signature ", "</ds:Signature>") {
            bare = bare.replace(&signature, "");
        }
        bare
    }

    /// The genuine key, to be bent.
    pub(crate) fn signing(&self) -> Signing<'w> {
        Signing::by(self.key)
    }

    /// `text` with its Response signed as it should be.
    pub(crate) fn response(&self, text: &str) -> String {
        self.signing().on(text, &self.answer.response_id)
    }

    /// `text` with its assertion signed as it should be.
    pub(crate) fn assertion(&self, text: &str) -> String {
        self.signing().on(text, &self.answer.assertion_id)
    }

    /// `text` with its Response signed by `signing`.
    pub(crate) fn bent(&self, bend: impl FnOnce(&mut Signing<'w>)) -> Vec<u8> {
        let mut signing = self.signing();
        bend(&mut signing);
        signing.on(&self.text(), &self.answer.response_id).into()
    }
}

/// A form of the same fields with another message in it.
pub(crate) fn with_message(form: &Form, message: &str) -> Form {
    let fields = form.fields.iter().map(|(name, value)| {
        (name.clone(), if name == "SAMLResponse" { message.to_owned() } else { value.clone() })
    });
    Form { action: form.action.clone(), fields: fields.collect() }
}
