//! Other projects' messages, each through a login's whole run of checks: what must be refused is, what is valid and kept by several
//! implementations is accepted, and `docs/corpora.md` says of every one what became of it and why. The messages are not part of
//! this project; where the folder `../shared/corpora` (beside the project) is absent, the tests say so.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{identifier::ProviderId, moment::Timestamp, policy::ProviderPolicy};
use certs::PublicKey;
use serde_json::Value;

use super::*;
use crate::{
    binding::redirect::inflate,
    sp::{
        Allowed,
        inspect::{Against, Captured, Inspection, Seen, inspect},
    },
};

/// One message of the list, and what the list says that it is held against.
struct Message {
    id: String,
    expect: String,
    class: String,
    confirmed_by: u64,
    /// The value of a `full-text` message that must be read whole.
    value: Option<String>,
    pin: Option<String>,
    captured: Captured,
    context: Context,
}

/// Whom to trust, and what to hold a message against.
#[derive(Clone)]
struct Context {
    provider: SamlProvider,
    against: Against,
    allowed: Allowed,
}

impl Message {
    /// What it is to be judged in. The list gives each message a clock at which it is fresh; one that is to be refused for its age
    /// alone is so at ours.
    fn situation(&self) -> Context {
        let refused_for_age = self.expect == "reject" && self.id.contains("expired");
        if refused_for_age { self.context.at(NOW) } else { self.context.clone() }
    }
}

impl Context {
    fn run(&self, captured: &Captured, allow_sha1: bool) -> Inspection {
        let mut settings = SpSettings::new("", "");
        // The clock of the list fits the conditions of a message; some say that they were issued years earlier.
        settings.message_lifetime_seconds = 10 * 365 * 86_400;
        let allowed = Allowed { sha1: allow_sha1, ..self.allowed };
        inspect(captured, &self.provider, &settings, &self.against, allowed, &[], NOW)
    }

    /// The same provider, and everything else as the message itself wants it.
    fn as_it_wants(&self) -> Self {
        Self {
            against: Against::default(),
            allowed: Allowed { unsolicited: true, no_audience: true, sha1: false },
            ..self.clone()
        }
    }

    fn at(&self, at: Timestamp) -> Self {
        Self { against: Against { at: Some(at), ..self.against.clone() }, ..self.clone() }
    }
}

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if folder.join("cases.json").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED: ../shared/corpora is not here, so other projects' messages were not judged");
    None
}

fn messages() -> Option<Vec<Message>> {
    let folder = folder()?;
    let list = fs::read(folder.join("cases.json")).expect("the list");
    let list: Vec<Value> = serde_json::from_slice(&list).expect("JSON");
    assert_eq!(list.len(), 248, "the list that docs/corpora.md is about");
    Some(list.iter().map(|entry| message(&folder, entry)).collect())
}

fn message(folder: &Path, entry: &Value) -> Message {
    let text = |name: &str| entry[name].as_str().map(str::to_owned);
    let must = |name: &str| text(name).unwrap_or_else(|| panic!("{name} of {entry}"));
    let raw = fs::read(folder.join(must("file"))).expect("the file that the list names");
    let captured = if entry["encoding"] == "base64" {
        let dense: String =
            raw.iter().filter(|octet| !octet.is_ascii_whitespace()).map(|octet| char::from(*octet)).collect();
        // Some are kept as the redirect binding would send them.
        inflate(&dense).map_or_else(|_| Captured::recognise(&raw), Captured::Xml)
    } else {
        Captured::Xml(raw)
    };
    // Four do not parse, and the list names no certificate for them: any key will do, since they are to be refused.
    let key = text("pin_cert").map_or_else(|| KEY.public_key().clone(), |pin| key(&folder.join(pin)));
    let policy = ProviderPolicy {
        id: ProviderId::from(text("idp_entity_id").unwrap_or_default().as_str()),
        ..provider_policy()
    };
    Message {
        id: must("id"),
        expect: must("expect"),
        class: must("cls"),
        confirmed_by: entry["accept_confirmed_by"].as_u64().unwrap_or(0),
        value: text("value"),
        pin: text("pin_cert"),
        captured,
        context: Context {
            provider: SamlProvider { policy: policy.into(), signing_keys: vec![key], ..provider() },
            against: Against {
                at: text("clock").and_then(|clock| Timestamp::from_rfc3339(&clock)),
                acs_url: text("acs"),
                audience: text("sp_entity_id"),
                in_response_to: text("request_id"),
                asked: vec![],
            },
            // Where the list knows no request and no service, there was none.
            allowed: Allowed {
                unsolicited: entry["request_id"].is_null(),
                no_audience: entry["sp_entity_id"].is_null(),
                sha1: false,
            },
        },
    }
}

/// The key of a pinned certificate, whatever its size: old messages are signed with small keys.
fn key(pin: &Path) -> PublicKey {
    let pem = fs::read_to_string(pin).expect("the certificate that the list names");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body.trim()).expect("Base64");
    PublicKey::from_certificate_der_any_size(&der).expect("a key")
}

/// The rule that refused it, in our words alone.
fn why(inspection: &Inspection) -> String {
    let Some((step, code)) = inspection.steps.iter().find_map(|step| match step.verdict {
        Verdict::Failed(code) => Some((step, code)),
        _ => None,
    }) else {
        return String::new();
    };
    // The verifier of signatures ends with the rule's name.
    let rule = step.found.strip_suffix(')').and_then(|found| found.rsplit_once('(')).map(|(_, rule)| rule);
    match rule.filter(|rule| {
        rule.starts_with("signature.") || rule.starts_with("encryption.") || rule.starts_with("xml.")
    }) {
        Some(rule) => format!("`{}`: `{rule}`", step.id.as_str()),
        None => format!("`{}`: `{code}`", step.id.as_str()),
    }
}

fn holds(seen: &Seen, value: &str) -> bool {
    let mut values = seen.attributes.iter().flat_map(|attribute| &attribute.values);
    seen.name_id.as_ref().is_some_and(|name| name.value == value) || values.any(|known| known == value)
}

#[test]
fn what_several_others_accept_is_accepted() {
    let Some(messages) = messages() else { return };
    let mut accepted = 0;
    let mut wrong = Vec::new();
    for message in messages.iter().filter(|message| message.confirmed_by >= 2) {
        assert_eq!(message.expect, "accept", "{}", message.id);
        match message.context.run(&message.captured, true).result {
            Ok(_) => accepted += 1,
            Err(failure) => wrong.push(format!("{}: {failure}", message.id)),
        }
    }
    println!("valid messages that two or more others accept: {accepted} accepted");
    assert_eq!(wrong, Vec::<String>::new(), "refused, but must be accepted");
    assert_eq!(accepted, 26);
}

#[test]
fn sha_1_is_refused_unless_it_is_allowed_and_the_switch_changes_nothing_else() {
    let Some(messages) = messages() else { return };
    let mut by_sha1_alone = 0;
    for message in &messages {
        let with = message.context.run(&message.captured, true);
        let without = message.context.run(&message.captured, false);
        if with.result.is_err() {
            assert!(without.result.is_err(), "{}", message.id);
        } else if without.result.is_err() {
            assert!(why(&without).ends_with("`signature.sha1`"), "{}: {}", message.id, why(&without));
            by_sha1_alone += 1;
        }
    }
    println!("accepted with SHA-1 allowed and refused by default: {by_sha1_alone}");
    assert!(by_sha1_alone >= 20, "{by_sha1_alone}");
}

#[test]
fn what_a_login_never_lets_pass_is_refused_by_default() {
    let Some(messages) = messages() else { return };
    let (mut unsolicited, mut no_audience) = (0, 0);
    for message in &messages {
        let allowed = &message.context.allowed;
        if message.context.run(&message.captured, true).result.is_err() || *allowed == Allowed::default() {
            continue;
        }
        let strict = Context { allowed: Allowed::default(), ..message.context.clone() };
        match why(&strict.run(&message.captured, true)).as_str() {
            "`response.in_response_to`: `provider.unsolicited`" => unsolicited += 1,
            "`conditions.audience`: `provider.audience_mismatch`" => no_audience += 1,
            // The list names no service, and the message does.
            "" => {}
            other => panic!("{}: {other}", message.id),
        }
    }
    assert!(unsolicited >= 1 && no_audience >= 7, "{unsolicited} {no_audience}");
}

#[test]
fn what_other_projects_refuse_is_refused() {
    let Some(messages) = messages() else { return };
    let mut refused = 0;
    let mut wrong = Vec::new();
    for message in messages.iter().filter(|message| message.expect == "reject") {
        match message.situation().run(&message.captured, true).result {
            Err(_) => refused += 1,
            Ok(_) => wrong.push(&message.id),
        }
    }
    println!("messages that must be refused: {refused} refused");
    assert_eq!(wrong, Vec::<&String>::new(), "accepted, but must be refused");
    assert_eq!(refused, 153);
}

/// An attack that is refused for a wrong address or a wrong key proves nothing. So each also meets everything that a genuine message
/// under the same certificate is accepted with; and, each of them, what it asks for itself with every certificate of the list
/// trusted, which the genuine ones pass.
#[test]
fn an_attack_is_refused_where_its_genuine_twin_is_accepted() {
    let Some(messages) = messages() else { return };
    let keys: Vec<PublicKey> =
        messages.iter().flat_map(|message| message.context.provider.signing_keys.clone()).collect();
    let trusting = |message: &Message| {
        let mut context = message.context.as_it_wants();
        let id = ProviderId::from(message.captured.issuer().unwrap_or_default().as_str());
        context.provider.policy = ProviderPolicy { id, ..provider_policy() }.into();
        context.provider.signing_keys.clone_from(&keys);
        context.run(&message.captured, true)
    };
    let twins: Vec<&Message> = messages
        .iter()
        .filter(|message| message.expect == "accept" && message.pin.is_some())
        .filter(|message| message.context.run(&message.captured, true).result.is_ok())
        .collect();
    for twin in twins.iter().filter(|twin| twin.context.against.at.is_some()) {
        let mut context = twin.context.clone();
        context.provider.signing_keys.clone_from(&keys);
        assert!(context.run(&twin.captured, true).result.is_ok(), "{} with every key trusted", twin.id);
    }
    let (mut attacks, mut beside_a_twin, mut runs) = (0, 0, 0);
    for attack in messages.iter().filter(|message| message.expect == "reject" && message.class == "attack") {
        assert!(trusting(attack).result.is_err(), "{} as it wants", attack.id);
        let of_pin: Vec<_> =
            twins.iter().filter(|twin| attack.pin.is_some() && twin.pin == attack.pin).collect();
        for twin in &of_pin {
            let inspection = twin.context.run(&attack.captured, true);
            assert!(inspection.result.is_err(), "{} where {} is accepted", attack.id, twin.id);
            runs += 1;
        }
        attacks += 1;
        beside_a_twin += usize::from(!of_pin.is_empty());
    }
    println!(
        "{attacks} attacks refused as they want it, every certificate trusted; {beside_a_twin} of them also in all \
         {runs} situations in which a genuine message under the same certificate is accepted"
    );
    assert_eq!((attacks, beside_a_twin), (33, 13));
}

#[test]
fn a_value_with_a_comment_in_it_is_read_whole_or_refused() {
    let Some(messages) = messages() else { return };
    let mut judged = 0;
    for message in messages.iter().filter(|message| message.expect == "full-text") {
        for context in [message.context.clone(), message.context.as_it_wants()] {
            if let Ok(seen) = context.run(&message.captured, true).result {
                let value = message.value.as_deref().expect("the value that the list names");
                assert!(holds(&seen, value), "{} was cut short", message.id);
            }
        }
        judged += 1;
    }
    assert_eq!(judged, 4);
}

#[test]
fn the_document_says_what_became_of_each() {
    let Some(messages) = messages() else { return };
    let mut counted: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut rows = String::new();
    for message in &messages {
        let inspection = message.situation().run(&message.captured, true);
        let default = message.situation().run(&message.captured, false);
        let (ours, because) = match (&inspection.result, &default.result) {
            (Ok(_), Ok(_)) => ("accepted", switches(message)),
            (Ok(_), Err(_)) => ("accepted", join("SHA-1 allowed", &switches(message))),
            (Err(_), _) => ("refused", why(&inspection)),
        };
        let says = if message.expect == "accept" {
            format!("accept ({} of 3 others)", message.confirmed_by)
        } else {
            message.expect.clone()
        };
        *counted.entry((message.expect.clone(), ours)).or_default() += 1;
        let _ = writeln!(rows, "| {} | {says} | {ours} | {because} |", message.id);
    }
    let mut document = INTRODUCTION.to_owned();
    for ((expect, ours), count) in &counted {
        let _ = writeln!(document, "| {expect} | {ours} | {count} |");
    }
    document.push_str(REASONS);
    document.push_str(&rows);
    document.push_str(TOKENS);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/corpora.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &document).expect("docs/corpora.md can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == document,
        "UPDATE_DOCS=1 cargo test -p broker-saml corpora writes docs/corpora.md anew"
    );
}

/// What was let pass that a login never does.
fn switches(message: &Message) -> String {
    let strict = Context { allowed: Allowed::default(), ..message.context.clone() };
    match why(&strict.run(&message.captured, true)).as_str() {
        "" => String::new(),
        broken if broken.contains("unsolicited") => "no request: let pass".to_owned(),
        _ => "no audience: let pass".to_owned(),
    }
}

fn join(one: &str, other: &str) -> String {
    if other.is_empty() { one.to_owned() } else { format!("{one}; {other}") }
}

const INTRODUCTION: &str = "\
# Other projects' messages

What became of the 248 SAML messages of other projects' test suites in a login's own run of checks: ruby-saml, python3-saml, php-saml, node-saml,
samlify, xml-crypto. The messages are not part of this project; this table is written by a test where they are at hand
(`UPDATE_DOCS=1 cargo test -p broker-saml corpora`), and compared by it afterwards. `sparvidd saml check` runs the same code.

Each message meets the certificate, the clock, the addresses and the request that its list names; where the list names none, the message's own. What is to be
refused for its age alone meets our clock. Three things are let pass here that a login never lets pass, and the last column says where it was needed: signatures with SHA-1, an answer that
names no request, and an assertion without audience. Most certificates of the
list hold RSA keys of 1024 bits, which no registered provider may have, and messages may be old, since some were issued years before their conditions begin.
In all else this is the default.

| the list says | we | messages |
|---|---|---|
";

const REASONS: &str = "
Every valid message that two or more of three other implementations accept is accepted (26). Every message that must be refused is refused (153).
Each of the 33 attacks among these is refused also when every certificate of the list is trusted and everything else is as the message wants it.

Where the list says accept and we refuse, nobody else accepts either, but for these:

| rule | why |
|---|---|
| `signature.canonicalization` | inclusive C14N and C14N with comments are outside the profile: the context of an element must not change what was signed, and a comment must not be signed text ([deviations](deviations.md)) |
| `signature.place` | a signature within Advice, inside of what is signed: our verifier knows one signature an element, at the schema's place |
| `assertion.decrypted` | the list has no key that opens these; CBC is opened only inside of what is signed |
| `response.issuer`, `assertion.issuer` | the Issuer of the assertion and the Issuer of the Response differ, or a signed Response has none; a login goes to one provider (SAML Profiles 4.1.4.2) |
| `response.issue_instant` | issued three years after the time at which its conditions hold; at no one time would all of it be true |

The last column names the check, and after it the failure's code or the rule of the signature verifier.

| message | the list says | we | why |
|---|---|---|---|
";

const TOKENS: &str = "
# Other projects' tokens

The 401 JWS cases of Project Wycheproof (`certs/tests/jws_vectors.rs` runs all of them, and the examples of RFC 7515 and RFC 7520):

| cases | the list says | we | why |
|---|---|---|---|
| 32 | valid | verified | |
| 325 | invalid | refused | |
| 4 (346, 347, 350, 351) | valid | refused, and verified once the label is right | the key is labelled with another algorithm than the token's: `PS256` for a PS384 token, and `ES521`, which does not exist. A key is held to its label (RFC 8725, section 3.1) |
| 30 | invalid | refused | HMAC |
| 10 | valid | refused | HMAC: whoever can check such a token can make one, so it proves nothing to a third, and no algorithm of ours takes a shared secret |
";
