//! Other projects' messages: what must be refused is. The messages are not part of this project; where the folder
//! `../shared/corpora` (beside the project) is absent, the test says so.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{identifier::ProviderId, moment::Timestamp, policy::ProviderPolicy};
use certs::{AlgorithmPolicy, PublicKey};
use certs_xml::{Document, Limits};
use serde_json::Value;

use super::*;
use crate::binding::redirect::inflate;

/// One message of the list.
struct Message {
    id: String,
    expect: String,
    confirmed_by: u64,
    xml: Vec<u8>,
    case: Case,
}

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if folder.join("cases.json").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED: ../shared/corpora is not here, so other projects' messages were not judged");
    None
}

fn message(folder: &std::path::Path, entry: &Value) -> Option<Message> {
    let text = |name: &str| entry[name].as_str().map(str::to_owned);
    let raw = fs::read(folder.join(text("file")?)).expect("the file that the list names");
    let xml = if entry["encoding"] == "base64" {
        let text: String =
            raw.into_iter().filter(|octet| !octet.is_ascii_whitespace()).map(char::from).collect();
        // Some are kept as the redirect binding would send them.
        inflate(&text).ok().or_else(|| STANDARD.decode(&text).ok())?
    } else {
        raw
    };
    let pem =
        fs::read_to_string(folder.join(text("pin_cert")?)).expect("the certificate that the list names");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = PublicKey::from_certificate_der_any_size(&STANDARD.decode(body).ok()?).ok()?;
    // A login that the message fits as well as may be: where the list names no request, the message's own.
    let own_request = Document::read(&xml, Limits::message())
        .ok()
        .and_then(|document| document.root().attribute("InResponseTo").map(str::to_owned));
    let mut case = Case::genuine();
    let policy = ProviderPolicy {
        id: ProviderId::from(text("idp_entity_id").unwrap_or_default().as_str()),
        ..provider_policy()
    };
    case.provider = SamlProvider { policy: policy.into(), signing_keys: vec![key], ..provider() };
    case.settings =
        SpSettings::new(text("sp_entity_id").unwrap_or_default(), text("acs").unwrap_or_default());
    case.settings.algorithms = AlgorithmPolicy { allow_sha1: true };
    case.settings.message_lifetime_seconds = 10 * 365 * 86_400;
    case.sent.id = text("request_id").or(own_request).unwrap_or_default();
    case.sent.asked.clear();
    case.now = text("clock").and_then(|clock| Timestamp::from_rfc3339(&clock)).unwrap_or(NOW);
    let confirmed_by = entry["accept_confirmed_by"].as_u64().unwrap_or(0);
    Some(Message { id: text("id")?, expect: text("expect")?, confirmed_by, xml, case })
}

/// The list gives each message a clock at which it is fresh. One is to be refused for its age alone: that shows at ours.
fn is_refused_today(message: &Message) -> bool {
    let mut settings = message.case.settings.clone();
    settings.message_lifetime_seconds = 300;
    let expected = Expected {
        provider: &message.case.provider,
        settings: &settings,
        sent: &message.case.sent,
        decryption: &[],
        now: NOW,
    };
    message.id.contains("expired")
        && run(&message.xml, &expected).result.is_err_and(|failure| failure.code == FailureCode::Expired)
}

#[test]
fn what_other_projects_refuse_is_refused() {
    let Some(folder) = folder() else { return };
    let list = fs::read(folder.join("cases.json")).expect("the list");
    let list: Vec<Value> = serde_json::from_slice(&list).expect("JSON");
    let (mut rejected, mut accepted, mut acceptable) = (0, 0, 0);
    let mut wrong = Vec::new();
    for message in list.iter().filter_map(|entry| message(&folder, entry)) {
        let expected = Expected {
            provider: &message.case.provider,
            settings: &message.case.settings,
            sent: &message.case.sent,
            decryption: &[],
            now: message.case.now,
        };
        let run = run(&message.xml, &expected);
        match message.expect.as_str() {
            "reject" if run.result.is_ok() && !is_refused_today(&message) => wrong.push(message.id),
            "reject" => rejected += 1,
            "accept" => {
                acceptable += 1;
                accepted += usize::from(run.result.is_ok());
                if let (Err(failure), true) = (&run.result, message.confirmed_by >= 1) {
                    println!(
                        "refused, though {} others accept it: {}: {failure}",
                        message.confirmed_by, message.id
                    );
                }
            }
            _ => {}
        }
    }
    println!(
        "other projects' messages: {rejected} refused as they must be, {accepted} of {acceptable} valid ones accepted"
    );
    assert!(rejected > 100, "the list was read");
    assert_eq!(wrong, Vec::<String>::new(), "accepted, but must be refused");
}
