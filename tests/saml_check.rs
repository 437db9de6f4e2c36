//! `sparvidd saml check`, run as an operator runs it, on answers that are signed here and now.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::moment::Timestamp;
use broker_saml::idp::{AssertionToIssue, NameIdToIssue, Signed};
use certs::{PrivateKey, SignatureAlgorithm, Signer as _, xml_encryption::Encryption};
use serde_json::Value;
use tempfile::TempDir;
use tests::{
    person::Person,
    program,
    provider::{LOA3, Provider, TakenBy},
};

const ACS: &str = "https://broker.example/saml/acs";
const SP: &str = "https://broker.example/saml/metadata";
const REQUEST: &str = "_Zm9vYmFyYmF6cXV4MDEyMw";
/// When the answers here are issued: long ago, so that nothing passes by today's clock.
const ISSUED: Timestamp = Timestamp(1_795_000_000);

/// A folder with the metadata of a provider, and that provider.
struct Case {
    folder: TempDir,
    provider: Provider,
}

impl Case {
    fn new() -> Self {
        let case = Self {
            folder: tempfile::tempdir().expect("a folder"),
            provider: Provider::new("Granvik", "idp.granvik.example", "4120004249", TakenBy::Post, false),
        };
        case.file("idp.xml", case.provider.metadata().as_bytes());
        case
    }

    fn file(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, octets).expect("a file");
        path
    }

    fn answer(&self) -> AssertionToIssue {
        AssertionToIssue {
            issuer: self.provider.entity_id.clone(),
            response_id: "_response1".into(),
            assertion_id: "_assertion1".into(),
            issued_at: ISSUED,
            lifetime_seconds: 300,
            acs_url: ACS.into(),
            in_response_to: REQUEST.into(),
            audience: SP.into(),
            name_id: NameIdToIssue {
                format: broker_saml::name_id::PERSISTENT.into(),
                value: "the-name-id".into(),
                sp_name_qualifier: None,
            },
            authenticated_at: ISSUED.plus(-5),
            authn_context: LOA3.into(),
            authorities: Vec::new(),
            session_index: None,
            session_ends: None,
            attributes: broker_saml::attributes::to_saml(&Person::asa().attributes()),
            signed: Signed::Response,
        }
    }

    fn xml(&self, answer: &AssertionToIssue) -> Vec<u8> {
        answer.issue(self.provider.key()).expect("signed")
    }

    /// The genuine answer, in a file.
    fn genuine(&self) -> &'static str {
        self.file("answer.xml", &self.xml(&self.answer()));
        "answer.xml"
    }

    fn check(&self, words: &[&str]) -> Output {
        let mut all = vec!["saml", "check"];
        all.extend(words);
        if !words.contains(&"--metadata") {
            all.extend(["--metadata", "idp.xml"]);
        }
        program::attempt(self.folder.path(), &all)
    }

    /// Checks with `--json`: the exit code and what was printed.
    fn json(&self, words: &[&str]) -> (i32, Value) {
        let mut all = words.to_vec();
        all.push("--json");
        let output = self.check(&all);
        let printed = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no JSON: {}{}", text(&output.stdout), text(&output.stderr)));
        (code(&output), printed)
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn verdict<'v>(printed: &'v Value, id: &str) -> &'v str {
    let checks = printed["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id}"));
    found["verdict"].as_str().expect("a verdict")
}

fn failed(printed: &Value) -> Vec<&str> {
    let checks = printed["checks"].as_array().expect("checks");
    checks
        .iter()
        .filter(|check| check["verdict"] == "failed")
        .filter_map(|check| check["id"].as_str())
        .collect()
}

#[test]
fn a_genuine_answer_is_accepted_with_exit_code_0_and_shown() {
    let case = Case::new();
    let (code, printed) = case.json(&[case.genuine()]);
    assert_eq!(code, 0, "{printed}");
    assert_eq!(printed["accepted"], true);
    assert_eq!(printed["issuer"], case.provider.entity_id.as_str());
    assert_eq!(printed["name_id"], "the-name-id");
    assert_eq!(printed["assurance"], LOA3);
    for attribute in case.answer().attributes {
        let values: Vec<Value> = attribute.values.iter().map(|value| value.as_str().into()).collect();
        assert_eq!(printed["attributes"][&attribute.name], Value::Array(values));
    }
    assert_eq!(printed["failure"], Value::Null);
    assert_eq!(failed(&printed), Vec::<&str>::new());
    let output = case.check(&["answer.xml"]);
    let shown = text(&output.stdout);
    assert!(shown.contains("Accepted: every check of a login is kept.") && shown.contains("the-name-id"));
    assert!(!shown.contains('\u{1b}'), "no colour but on a terminal");
}

#[test]
fn every_check_says_what_was_expected_and_found_and_which_rule_it_is() {
    let case = Case::new();
    let (_, printed) = case.json(&[case.genuine()]);
    let checks = printed["checks"].as_array().expect("checks");
    let ids: Vec<&str> = broker_saml::sp::CheckId::ALL.iter().map(|id| id.as_str()).collect();
    let printed_ids: Vec<&str> = checks.iter().filter_map(|check| check["id"].as_str()).collect();
    assert_eq!(printed_ids[0], "metadata.valid_until");
    assert_eq!(printed_ids[1..], ids, "every check of a login, in its order");
    for check in checks {
        let mut names: Vec<&str> = check.as_object().expect("an object").keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["expected", "found", "id", "spec", "verdict"]);
        assert!(!check["spec"].as_str().expect("text").is_empty());
        if check["verdict"] == "passed" {
            assert!(!check["expected"].as_str().expect("text").is_empty(), "{check}");
            assert!(!check["found"].as_str().expect("text").is_empty(), "{check}");
        }
    }
    let shown = text(&case.check(&["answer.xml"]).stdout);
    assert!(ids.iter().all(|id| shown.contains(id)), "{shown}");
}

#[test]
fn a_broken_rule_is_exit_code_1_and_what_follows_is_not_reached() {
    let case = Case::new();
    let acs = "https://elsewhere.example/acs";
    let (code, printed) = case.json(&[case.genuine(), "--acs", acs]);
    assert_eq!(code, 1);
    assert_eq!(printed["accepted"], false);
    assert_eq!(printed["failure"], "provider.destination_mismatch");
    assert_eq!(failed(&printed), ["response.destination"]);
    assert_eq!(verdict(&printed, "signature.response"), "passed");
    assert_eq!(verdict(&printed, "response.status"), "not_reached");
    assert_eq!(verdict(&printed, "attributes.statement"), "not_reached");
    let check =
        printed["checks"].as_array().expect("checks").iter().find(|check| check["verdict"] == "failed");
    assert_eq!(check.map(|check| &check["expected"]), Some(&acs.into()));
    assert_eq!(check.map(|check| &check["found"]), Some(&ACS.into()));
    let output = case.check(&["answer.xml", "--acs", acs]);
    let shown = text(&output.stdout);
    assert!(shown.contains("Refused by response.destination: provider.destination_mismatch"), "{shown}");
    assert!(shown.contains("sparvidd failure provider.destination_mismatch"), "it says where to read on");
}

#[test]
fn nothing_of_a_refused_answer_is_shown_as_said() {
    let case = Case::new();
    let (_, printed) = case.json(&[case.genuine(), "--audience", "https://other.example"]);
    assert_eq!(failed(&printed), ["conditions.audience"]);
    for name in ["issuer", "name_id", "attributes", "assurance"] {
        assert_eq!(printed[name], Value::Null, "{name}");
    }
    let shown = text(&case.check(&["answer.xml", "--audience", "https://other.example"]).stdout);
    assert!(!shown.contains("the-name-id"), "{shown}");
}

#[test]
fn a_changed_answer_is_refused_by_its_signature() {
    let case = Case::new();
    let xml = text(&case.xml(&case.answer()));
    case.file("changed.xml", xml.replace("the-name-id", "another-id").as_bytes());
    let (code, printed) = case.json(&["changed.xml"]);
    assert_eq!((code, failed(&printed)), (1, vec!["signature.response"]));
}

#[test]
fn what_is_left_out_is_taken_from_the_document_and_said_to_be() {
    let case = Case::new();
    let (_, printed) = case.json(&[case.genuine()]);
    let taken = |printed: &Value| -> Vec<(String, String)> {
        let list = printed["taken_from_document"].as_array().expect("a list").clone();
        let mut list: Vec<_> = list
            .iter()
            .map(|taken| {
                let text = |name: &str| taken[name].as_str().expect("text").to_owned();
                (text("option"), text("value"))
            })
            .collect();
        list.sort();
        list
    };
    let issued = ISSUED.to_rfc3339();
    let own = [("--acs", ACS), ("--at", &issued), ("--audience", SP), ("--in-response-to", REQUEST)];
    assert_eq!(taken(&printed), own.map(|(option, value)| (option.to_owned(), value.to_owned())));
    let all = ["answer.xml", "--at", &issued, "--acs", ACS, "--audience", SP, "--in-response-to", REQUEST];
    let (code, printed) = case.json(&all);
    assert_eq!((code, taken(&printed)), (0, vec![]));
    assert!(text(&case.check(&["answer.xml"]).stdout).contains("taken from the document: Destination"));
    assert!(!text(&case.check(&all).stdout).contains("taken from the document"));
}

#[test]
fn each_given_value_is_held_against_the_message() {
    let case = Case::new();
    let file = case.genuine();
    for (option, value, check) in [
        ("--at", "2026-11-18T20:00:00Z", "response.issue_instant"),
        ("--acs", "https://broker.example/saml/ac", "response.destination"),
        ("--audience", "https://broker.example/saml", "conditions.audience"),
        ("--in-response-to", "_another", "response.in_response_to"),
        ("--asked", "http://id.elegnamnden.se/loa/1.0/loa4", "authn.context_asked"),
    ] {
        let (code, printed) = case.json(&[file, option, value]);
        assert_eq!((code, failed(&printed)), (1, vec![check]), "{option}");
    }
    assert_eq!(case.json(&[file, "--asked", LOA3]).0, 0);
}

#[test]
fn the_clock_is_the_one_that_is_given() {
    let case = Case::new();
    let file = case.genuine();
    let at = |seconds| ISSUED.plus(seconds).to_rfc3339();
    for (seconds, skew, exit) in [(-60, "60", 0), (-61, "60", 1), (-1, "0", 1), (299, "0", 0), (300, "0", 1)]
    {
        let (code, printed) = case.json(&[file, "--at", &at(seconds), "--skew", skew]);
        assert_eq!(code, exit, "{seconds} {skew}: {:?}", failed(&printed));
    }
    // An offset says the same time.
    let (code, _) = case.json(&[file, "--at", &at(3600).replace('Z', "+01:00")]);
    assert_eq!(code, 0);
}

#[test]
fn a_posted_field_and_a_whole_form_are_read_as_posted() {
    let case = Case::new();
    let base64 = STANDARD.encode(case.xml(&case.answer()));
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("RelayState", "a=b&c")
        .append_pair("SAMLResponse", &base64)
        .finish();
    let wrapped: Vec<&str> =
        base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let encoded: String = url::form_urlencoded::byte_serialize(base64.as_bytes()).collect();
    for (name, posted) in [
        ("field", base64.clone()),
        ("field with a line end", format!("{base64}\n")),
        ("field in lines", wrapped.join("\r\n")),
        ("field, percent-encoded", encoded),
        ("form", form),
    ] {
        case.file("posted.txt", posted.as_bytes());
        let (code, printed) = case.json(&["posted.txt"]);
        assert_eq!((code, verdict(&printed, "form")), (0, "passed"), "{name}");
    }
    case.file("twice.txt", format!("SAMLResponse=YQ%3D%3D&SAMLResponse={base64}").as_bytes());
    let (code, printed) = case.json(&["twice.txt"]);
    assert_eq!((code, failed(&printed)), (1, vec!["form"]));
    assert_eq!(verdict(&case.json(&[case.genuine()]).1, "form"), "not_applicable", "XML is no form");
}

#[test]
fn standard_input_is_read() {
    let case = Case::new();
    let mut child = Command::new(program::sparvidd())
        .current_dir(case.folder.path())
        .args(["saml", "check", "-", "--metadata", "idp.xml"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program can be run");
    child.stdin.take().expect("a pipe").write_all(&case.xml(&case.answer())).expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn what_cannot_be_run_is_exit_code_2_with_a_reason() {
    let case = Case::new();
    let file = case.genuine();
    case.file("empty.xml", b" \n");
    case.file("service.xml", br#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://sp.example"/>"#);
    for (words, says) in [
        (vec!["absent.xml"], "absent.xml cannot be read"),
        (vec!["empty.xml"], "empty.xml is empty"),
        (vec![file, "--metadata", "absent.xml"], "absent.xml cannot be read"),
        (vec![file, "--metadata", "answer.xml"], "samlp:Response"),
        (vec![file, "--metadata", "service.xml"], "no identity provider for SAML 2.0"),
        (vec![file, "--at", "yesterday"], "2026-03-02T08:15:30Z"),
        (vec![file, "--skew", "301"], "301"),
        (vec![file, "--unheard-of"], "--unheard-of"),
    ] {
        let output = case.check(&words);
        assert_eq!(code(&output), 2, "{words:?}");
        assert_eq!(text(&output.stdout), "", "{words:?}");
        assert!(text(&output.stderr).contains(says), "{words:?}: {}", text(&output.stderr));
    }
}

#[test]
fn of_several_providers_the_one_that_the_message_names_is_taken() {
    let case = Case::new();
    let other = Provider::new("Norrsken", "idp.norrsken.example", "2321000016", TakenBy::Post, true);
    let aggregate = |providers: &[&Provider]| {
        let all: String = providers.iter().map(|provider| provider.metadata()).collect();
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{all}</md:EntitiesDescriptor>"
        )
    };
    case.file("both.xml", aggregate(&[&other, &case.provider]).as_bytes());
    let (code, printed) = case.json(&[case.genuine(), "--metadata", "both.xml"]);
    assert_eq!((code, &printed["issuer"]), (0, &case.provider.entity_id.as_str().into()));

    let third = Provider::new("Tredje", "idp.tredje.example", "5560000167", TakenBy::Post, true);
    case.file("others.xml", aggregate(&[&other, &third]).as_bytes());
    let output = case.check(&["answer.xml", "--metadata", "others.xml"]);
    assert_eq!(self::code(&output), 2);
    let said = text(&output.stderr);
    assert!([&case.provider, &other, &third].iter().all(|one| said.contains(&one.entity_id)), "{said}");

    // Alone it is the provider that the login was sent to, whoever answered.
    case.file("other.xml", other.metadata().as_bytes());
    let (code, printed) = case.json(&["answer.xml", "--metadata", "other.xml"]);
    assert_eq!((code, failed(&printed)), (1, vec!["signature.response"]));
}

#[test]
fn metadata_that_has_expired_refuses_as_a_login_does() {
    let case = Case::new();
    let until = |time: Timestamp| {
        let tag = "<md:EntityDescriptor ";
        case.provider.metadata().replace(tag, &format!("{tag}validUntil=\"{}\" ", time.to_rfc3339()))
    };
    let file = case.genuine();
    case.file("idp.xml", until(ISSUED.plus(1)).as_bytes());
    assert_eq!(case.json(&[file]).0, 0);
    case.file("idp.xml", until(ISSUED).as_bytes());
    let (code, printed) = case.json(&[file]);
    assert_eq!((code, failed(&printed)), (1, vec!["metadata.valid_until"]));
    assert_eq!(verdict(&printed, "signature.response"), "not_reached");
}

/// The genuine answer without its signature.
fn unsigned(case: &Case) -> String {
    let xml = text(&case.xml(&case.answer()));
    let (before, rest) = xml.split_once("<ds:Signature ").expect("a signature");
    let (_, after) = rest.split_once("</ds:Signature>").expect("its end");
    format!("{before}{after}")
}

/// A Response in canonical form, signed by hand: with what the writer would never write.
fn signed(case: &Case, xml: &str, digest_uri: &str, algorithm: &'static digest::Algorithm) -> String {
    let sum = STANDARD.encode(digest::digest(algorithm, xml.as_bytes()));
    let namespace = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
    let inner = format!(
        "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#_response1\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{digest_uri}\"></ds:DigestMethod>\
         <ds:DigestValue>{sum}</ds:DigestValue></ds:Reference>",
    );
    let signed_info = format!("<ds:SignedInfo {namespace}>{inner}</ds:SignedInfo>");
    let value = STANDARD.encode(case.provider.key().sign(signed_info.as_bytes()).expect("signs"));
    let end = xml.find("</saml:Issuer>").expect("an issuer") + "</saml:Issuer>".len();
    format!(
        "{}<ds:Signature {namespace}><ds:SignedInfo>{inner}</ds:SignedInfo>\
         <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>{}",
        &xml[..end],
        &xml[end..]
    )
}

/// The genuine answer with a digest of SHA-1.
fn with_sha1(case: &Case) -> String {
    let uri = "http://www.w3.org/2000/09/xmldsig#sha1";
    signed(case, &unsigned(case), uri, &digest::SHA1_FOR_LEGACY_USE_ONLY)
}

/// The answer with `part` taken out before it is signed.
fn without(case: &Case, part: &str) -> Vec<u8> {
    let xml = unsigned(case);
    assert!(xml.contains(part), "{part} is not in {xml}");
    let uri = "http://www.w3.org/2001/04/xmlenc#sha256";
    signed(case, &xml.replace(part, ""), uri, &digest::SHA256).into_bytes()
}

#[test]
fn sha_1_is_refused_unless_it_is_allowed_and_then_it_is_said_aloud() {
    let case = Case::new();
    case.file("old.xml", with_sha1(&case).as_bytes());
    let (code, printed) = case.json(&["old.xml"]);
    assert_eq!((code, &printed["failure"]), (1, &"provider.signature_algorithm".into()));
    assert!(text(&case.check(&["old.xml"]).stdout).contains("here alone: --allow-sha1"));
    let (code, printed) = case.json(&["old.xml", "--allow-sha1"]);
    assert_eq!((code, &printed["let_pass"][0]), (0, &"--allow-sha1".into()));
    assert_eq!(printed["refused_at_login"], "provider.signature_algorithm");
    let shown = text(&case.check(&["old.xml", "--allow-sha1"]).stdout);
    assert!(shown.contains("A login is refused: provider.signature_algorithm"), "{shown}");
    // The switch lets SHA-1 pass and nothing else.
    let changed = with_sha1(&case).replace("the-name-id", "another-id");
    case.file("changed.xml", changed.as_bytes());
    assert_eq!(failed(&case.json(&["changed.xml", "--allow-sha1"]).1), ["signature.response"]);
}

#[test]
fn what_a_login_never_lets_pass_can_be_looked_past() {
    let case = Case::new();
    case.file("unsolicited.xml", &without(&case, &format!(" InResponseTo=\"{REQUEST}\"")));
    let audience =
        format!("<saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction>");
    case.file("no-audience.xml", &without(&case, &audience));
    for (file, option, failure) in [
        ("unsolicited.xml", "--allow-unsolicited", "provider.unsolicited"),
        ("no-audience.xml", "--allow-no-audience", "provider.audience_mismatch"),
    ] {
        let (code, printed) = case.json(&[file]);
        assert_eq!((code, &printed["failure"]), (1, &failure.into()));
        assert!(text(&case.check(&[file]).stdout).contains(&format!("here alone: {option}")), "{file}");
        let (code, printed) = case.json(&[file, option]);
        assert_eq!((code, &printed["refused_at_login"]), (0, &failure.into()), "{file}");
    }
    // What is there must be ours all the same.
    let genuine = case.genuine();
    for (option, given, value, check) in [
        ("--allow-unsolicited", "--in-response-to", "_another", "response.in_response_to"),
        ("--allow-no-audience", "--audience", "https://other.example", "conditions.audience"),
    ] {
        let (code, printed) = case.json(&[genuine, option, given, value]);
        assert_eq!((code, failed(&printed)), (1, vec![check]));
    }
}

#[test]
fn an_encrypted_assertion_is_opened_with_a_key_of_ours_and_says_its_own_values_then() {
    let case = Case::new();
    let [ours, other] =
        [(); 2].map(|()| PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key"));
    for (name, key) in [("ours.pem", &ours), ("other.pem", &other)] {
        case.file(name, key.to_pkcs8_pem().expect("PEM").as_bytes());
    }
    let signer = case.provider.key();
    let xml = case
        .answer()
        .issue_encrypted(signer, ours.public_key(), Encryption::default())
        .expect("signed and encrypted");
    case.file("hidden.xml", &xml);

    let (code, printed) = case.json(&["hidden.xml"]);
    assert_eq!((code, &printed["failure"]), (1, &"provider.undecryptable".into()));
    assert!(text(&case.check(&["hidden.xml"]).stdout).contains("--key saml-decryption.pem"));

    let (code, printed) = case.json(&["hidden.xml", "--key", "other.pem"]);
    assert_eq!((code, &printed["failure"]), (1, &"provider.undecryptable".into()));

    // Two keys, as during a change of keys.
    let (code, printed) = case.json(&["hidden.xml", "--key", "other.pem", "--key", "ours.pem"]);
    assert_eq!((code, &printed["name_id"]), (0, &"the-name-id".into()));
    let taken = printed["taken_from_document"].as_array().expect("a list");
    assert!(taken.iter().any(|taken| taken["option"] == "--audience" && taken["value"] == SP), "{taken:?}");
    let words = ["hidden.xml", "--key", "ours.pem", "--audience", "https://other.example"];
    assert_eq!(failed(&case.json(&words).1), ["conditions.audience"], "what is given stays");

    for no_key in ["idp.xml", "absent.pem"] {
        let output = case.check(&["hidden.xml", "--key", no_key]);
        assert_eq!(self::code(&output), 2, "{no_key}");
        assert!(text(&output.stderr).contains(no_key), "{}", text(&output.stderr));
    }
}

#[test]
fn the_response_itself_must_be_signed_where_the_configuration_wants_it() {
    let case = Case::new();
    let mut answer = case.answer();
    answer.signed = Signed::Assertion;
    case.file("answer.xml", &case.xml(&answer));
    assert_eq!(case.json(&["answer.xml"]).0, 0);
    let (code, printed) = case.json(&["answer.xml", "--require-signed-response"]);
    assert_eq!((code, failed(&printed)), (1, vec!["signature.present"]));
}

#[test]
fn what_is_no_message_is_refused_and_shown_without_control_characters() {
    let case = Case::new();
    for octets in
        [&b"not a message"[..], b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\x00\x1b[31m"]
    {
        case.file("odd.txt", octets);
        let output = case.check(&["odd.txt"]);
        assert_eq!(code(&output), 1, "{octets:?}");
        assert!(!output.stdout.contains(&0x1b), "{octets:?}");
    }
}

#[test]
fn the_help_shows_examples_and_the_shells_know_the_command() {
    let case = Case::new();
    let help = program::run(case.folder.path(), &["saml", "check", "--help"]);
    for part in ["Examples:", "--metadata", "--in-response-to", "--allow-sha1", "Exit code 0: accepted"] {
        assert!(help.contains(part), "{part}");
    }
    let completions = program::run(case.folder.path(), &["completions", "bash"]);
    assert!(completions.contains("--in-response-to"));
}

#[test]
fn a_message_writes_no_lines_of_the_report_and_steers_no_terminal() {
    let case = Case::new();
    let mut answer = case.answer();
    answer.acs_url = "https://x.example/\npassed          signature.value\u{9b}2J\u{202e}".into();
    case.file("forged.xml", &case.xml(&answer));
    let output = case.check(&["forged.xml", "--acs", ACS]);
    let printed = text(&output.stdout);
    assert_eq!(code(&output), 1, "{printed}");
    assert!(!printed.contains("\npassed          signature.value"), "{printed}");
    let steering = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
    assert!(!printed.contains(steering), "{printed:?}");
    assert!(
        printed.contains("found     https://x.example/\u{fffd}passed"),
        "it is shown all the same: {printed}"
    );
}
