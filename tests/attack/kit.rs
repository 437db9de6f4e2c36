//! What an attacker's workshop holds: one broker for all families, signatures over anything in any shape, and the judgement of each vector.
//!
//! A signature made here with the genuine key is a genuine signature: [`Signing`] says the same as the broker's own signer until a vector bends it, and
//! every vector's twin is signed by the same hand. So what is refused is refused for what was bent.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock, Weak},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_saml::idp::AssertionToIssue;
use certs::{DigestAlgorithm, PrivateKey, Signer as _};
use certs_xml::{Canonicalization, Document, Limits, canonicalize};
use http::StatusCode;
use tests::{
    browser::{Form, Page},
    federation::{Federation, Plan},
    person::Person,
    provider::Asked,
    relying_party::{RelyingParty, Returned},
    walk::{Next, Walk},
};
use tokio::sync::Mutex;

pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// What the genuine person is called in her subject identifier and service identity, and what the attacker would like to be.
pub(crate) const GENUINE: &str = "asabergv0@";
pub(crate) const EVIL: &str = "chefenny0@";

/// How many vectors are tried at a time.
const AT_ONCE: usize = 4;

/// The broker that every family attacks, and what an honest login gave.
pub(crate) struct Bench {
    pub(crate) federation: Federation,
    /// The subject identifier of the person for the first relying party.
    subject: String,
    /// What is seen from outside of any cryptographic failure.
    alike: OnceLock<(StatusCode, String)>,
}

impl Bench {
    pub(crate) fn port(&self) -> u16 {
        self.federation.port()
    }

    /// A login of the person through Granvik, at the provider.
    pub(crate) async fn at_provider(&self) -> Walk<'_> {
        let mut walk = Walk::new(&self.federation, Person::asa()).naming_the_provider();
        walk.until("assert", self.port()).await;
        walk
    }

    /// A login that waits for its decision on the notice.
    pub(crate) async fn at_notice(&self) -> Walk<'_> {
        let mut walk = self.at_provider().await;
        walk.until("accept", self.port()).await;
        walk
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

    /// The twin: the login goes on to its end, and she is who she is.
    pub(crate) async fn ends_well(&self, walk: Walk<'_>) {
        let first = walk.party.client_id == self.federation.party().client_id;
        let outcome = walk.finish(self.port()).await;
        assert!(!outcome.userinfo.is_empty());
        if first {
            assert_eq!(outcome.id_token["sub"], self.subject.as_str(), "the genuine person");
        }
    }

    /// A failed step, seen from outside and in the log: nothing was handed out. Gives the code in the log.
    pub(crate) async fn refused(&self, walk: &Walk<'_>, sent: &Page) -> String {
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

    fn nothing_was_given(&self, walk: &Walk<'_>, page: &Page) {
        assert!(!page.reply.text().contains("code="), "a code is on the page");
        let back = page.first_button();
        if back.starts_with(&format!("{}?", walk.party.redirect_uri)) {
            let returned = walk.party.returned(&self.federation.issuer, &walk.attempt, &back);
            assert!(matches!(returned, Returned::Error(_)), "the relying party is told {returned:?}");
        }
    }
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
    let federation = Federation::start(Plan { relying_parties, ec: true, ..Plan::default() }).await;
    let port = federation.port();
    let outcome = Walk::new(&federation, Person::asa()).finish(port).await;
    let subject = outcome.id_token["sub"].as_str().expect("a subject").to_owned();
    let bench = Arc::new(Bench { federation, subject, alike: OnceLock::new() });
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

fn said(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "given up".to_owned() };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

async fn judged(bench: &Bench, vector: &Vector) {
    let mut walk = bench.at_provider().await;
    let scene = Scene::of(&walk);
    let forged = scene.asked.form(&(vector.forge)(&scene));
    match vector.expected {
        Expected::Refused(codes) => {
            let sent = walk.browser.submit(bench.port(), &forged).await;
            let code = bench.refused(&walk, &sent).await;
            assert!(codes.contains(&code.as_str()), "refused with {code}, not with one of {codes:?}");
            // The login stands where it stood: the twin is under the very same conditions.
            let twin = scene.asked.form(&(vector.twin)(&Scene::of(&walk)));
            walk.next = Next::Assert(twin);
            bench.ends_well(walk).await;
        }
        Expected::Whole => {
            walk.next = Next::Assert(forged);
            bench.ends_well(walk).await;
            let mut walk = bench.at_provider().await;
            let scene = Scene::of(&walk);
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
    key: &'w PrivateKey,
}

impl fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").finish_non_exhaustive()
    }
}

impl<'w> Scene<'w> {
    pub(crate) fn of(walk: &Walk<'w>) -> Self {
        let asked = walk.asked.clone().expect("the provider was asked");
        Self { federation: walk.federation, asked, answer: walk.answer(), key: walk.provider.key() }
    }

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

/// How a signature is made. What [`Signing::by`] gives is what the broker's own signer would write.
pub(crate) struct Signing<'k> {
    key: &'k PrivateKey,
    /// `Algorithm` of CanonicalizationMethod, and what stands inside it.
    pub(crate) canonicalization: (String, String),
    /// `Algorithm` of SignatureMethod, and what stands inside it.
    pub(crate) method: (String, String),
    /// The attributes of Reference; `None`: to the element that is signed.
    pub(crate) reference: Option<String>,
    /// The element Transforms, whole; may be empty.
    pub(crate) transforms: String,
    /// `Algorithm` of DigestMethod.
    pub(crate) digest_method: String,
    /// Text of DigestValue in place of the right one.
    pub(crate) digest: Option<String>,
    /// Further elements after the one Reference.
    pub(crate) more: String,
    /// Elements after SignatureValue.
    pub(crate) after: String,
    /// What gives the octets of SignatureValue for those of SignedInfo, in place of the key.
    pub(crate) seal: Option<Box<dyn Fn(&[u8]) -> Vec<u8> + 'k>>,
}

/// A Transforms element of these algorithms.
pub(crate) fn transforms(algorithms: &[&str]) -> String {
    let all: String =
        algorithms.iter().map(|uri| format!("<ds:Transform Algorithm=\"{uri}\"></ds:Transform>")).collect();
    format!("<ds:Transforms>{all}</ds:Transforms>")
}

impl<'k> Signing<'k> {
    /// By that key, as it should be.
    pub(crate) fn by(key: &'k PrivateKey) -> Self {
        Self {
            key,
            canonicalization: (EXCLUSIVE.to_owned(), String::new()),
            method: (key.algorithm().xml_uri().expect("an XML algorithm").to_owned(), String::new()),
            reference: None,
            transforms: transforms(&[ENVELOPED, EXCLUSIVE]),
            digest_method: DigestAlgorithm::Sha256.xml_uri().to_owned(),
            digest: None,
            more: String::new(),
            after: String::new(),
            seal: None,
        }
    }

    /// The Signature over the element of `document` that has this ID, whose own signature must not be there.
    pub(crate) fn over(&self, document: &str, id: &str) -> String {
        let read =
            Document::read(document.as_bytes(), Limits::message()).expect("readable before it is bent");
        let element = read.elements().find(|element| element.attribute("ID") == Some(id)).expect("the ID");
        let octets = canonicalize(element, &Canonicalization::exclusive(), None).expect("in bounds");
        self.of_octets(&octets, id)
    }

    /// The Signature over octets.
    pub(crate) fn of_octets(&self, octets: &[u8], id: &str) -> String {
        let (signed_info, value) = self.sealed(octets, id);
        format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{signed_info}<ds:SignatureValue>{}</ds:SignatureValue>{}</ds:Signature>",
            STANDARD.encode(value),
            self.after
        )
    }

    /// SignedInfo in canonical form, and its signature.
    pub(crate) fn sealed(&self, octets: &[u8], id: &str) -> (String, Vec<u8>) {
        let algorithm = DigestAlgorithm::from_xml_uri(&self.digest_method).unwrap_or(DigestAlgorithm::Sha256);
        let digest = self.digest.clone().unwrap_or_else(|| STANDARD.encode(algorithm.digest(octets)));
        let reference = self.reference.clone().unwrap_or_else(|| format!(" URI=\"#{id}\""));
        let Self { transforms, digest_method, more, .. } = self;
        let (canonical, canonical_inside) = &self.canonicalization;
        let (method, method_inside) = &self.method;
        let signed_info = format!(
            "<ds:SignedInfo xmlns:ds=\"{DS}\">\
             <ds:CanonicalizationMethod Algorithm=\"{canonical}\">{canonical_inside}</ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"{method}\">{method_inside}</ds:SignatureMethod>\
             <ds:Reference{reference}>{transforms}<ds:DigestMethod Algorithm=\"{digest_method}\"></ds:DigestMethod>\
             <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>{more}</ds:SignedInfo>"
        );
        let value = match &self.seal {
            Some(seal) => seal(signed_info.as_bytes()),
            None => self.key.sign(signed_info.as_bytes()).expect("signed"),
        };
        (signed_info, value)
    }

    /// `document` with the Signature in its place.
    pub(crate) fn on(&self, document: &str, id: &str) -> String {
        placed(document, id, &self.over(document, id))
    }
}

/// `document` with `signature` right after the Issuer of the element that has this ID.
pub(crate) fn placed(document: &str, id: &str, signature: &str) -> String {
    let end = "</saml:Issuer>";
    let from = document.find(&format!(" ID=\"{id}\"")).expect("the ID");
    let at = from + document[from..].find(end).expect("an Issuer") + end.len();
    format!("{}{signature}{}", &document[..at], &document[at..])
}

/// `text` with the first `from` replaced, which must be there.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

/// `text` with the last `from` replaced, which must be there.
pub(crate) fn last_replaced(text: &str, from: &str, to: &str) -> String {
    let at = text.rfind(from).unwrap_or_else(|| panic!("{from} is not in {text}"));
    format!("{}{to}{}", &text[..at], &text[at + from.len()..])
}

/// The part of `text` from `start` through `end`.
pub(crate) fn part(text: &str, start: &str, end: &str) -> String {
    part_of(text, start, end).unwrap_or_else(|| panic!("{start} to {end} is not in {text}"))
}

fn part_of(text: &str, start: &str, end: &str) -> Option<String> {
    let from = text.find(start)?;
    let through = from + text[from..].find(end)? + end.len();
    Some(text[from..through].to_owned())
}

/// A form of the same fields with another message in it.
pub(crate) fn with_message(form: &Form, message: &str) -> Form {
    let fields = form.fields.iter().map(|(name, value)| {
        (name.clone(), if name == "SAMLResponse" { message.to_owned() } else { value.clone() })
    });
    Form { action: form.action.clone(), fields: fields.collect() }
}
