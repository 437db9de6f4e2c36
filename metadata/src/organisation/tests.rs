use broker_core::attribute::AttributeName;
use proptest::prelude::*;

use super::{LogoSource, RecordFile, read, read_file};
use crate::lint::Place;

const GOOD: &str = r#"
number = "212000-1355"
name.sv = "Granviks kommun"
name.en = "Granvik Municipality"
domains = ["granvik.example"]
scopes = ["granvik.example"]
hsa_prefixes = ["SE2120001355-"]
ceiling = ["http://id.elegnamnden.se/loa/1.0/loa3"]
entitled = ["given_name", "surname"]

[support]
email = "hjalp@granvik.example"
"#;

fn rules(text: &str) -> Vec<&'static str> {
    let (organisation, report) = read(text);
    assert_eq!(organisation.is_none(), report.has_errors());
    report.findings.iter().map(|finding| finding.rule.id).collect()
}

fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replace(from, to)
}

#[test]
fn a_whole_record_is_read() {
    let (organisation, report) = read(GOOD);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let organisation = organisation.expect("no error");
    assert_eq!(organisation.number.as_str(), "2120001355");
    assert!(organisation.owns_host("idp.granvik.example"));
    assert!(organisation.entitled.contains(&AttributeName::GivenName));
    let again = serde_json::to_string(&organisation).expect("serialises");
    let (from_json, report) = read(&again);
    assert_eq!(from_json, Some(organisation));
    assert!(!report.has_errors());
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_the_nearest_known() {
    let (_, report) = read(&with("domains", "domaner"));
    let finding = report.findings.iter().find(|finding| finding.rule.id == "organisation.file.unknown_key");
    let finding = finding.expect("refused");
    assert_eq!(finding.place, Place::At { line: 5, column: 1 });
    assert_eq!(finding.expected.as_deref(), Some("domains"));
    assert!(rules(&with("email", "mail")).contains(&"organisation.file.unknown_key"));
}

#[test]
fn each_value_is_judged() {
    for (from, to, rule) in [
        ("212000-1355", "212000-1356", "organisation.record.number"),
        ("name.sv", "name.fi", "organisation.record.name"),
        (
            "domains = [\"granvik.example\"]",
            "domains = [\"*.granvik.example\"]",
            "organisation.record.domain",
        ),
        (
            "domains = [\"granvik.example\"]",
            "domains = [\"https://x.example\"]",
            "organisation.record.domain",
        ),
        ("domains = [\"granvik.example\"]", "domains = [\"example\"]", "organisation.record.domain_too_wide"),
        ("domains = [\"granvik.example\"]", "domains = \"granvik.example\"", "organisation.record.type"),
        ("domains = [\"granvik.example\"]", "domains = []", "organisation.record.no_domain"),
        ("scopes = [\"granvik.example\"]", "scopes = [\"@granvik.example\"]", "organisation.record.scope"),
        ("SE2120001355-", "SE", "organisation.record.hsa_prefix"),
        ("loa/1.0/loa3", "loa/1.0/loa9", "organisation.record.ceiling"),
        ("surname", "sirname", "organisation.record.attribute"),
        ("email = \"hjalp@granvik.example\"", "", "organisation.record.support_missing"),
        ("number = ", "number == ", "organisation.file.toml"),
    ] {
        let broken = rules(&with(from, to));
        assert!(broken.contains(&rule), "{to}: {broken:?}");
        assert!(!rules(GOOD).contains(&rule));
    }
}

#[test]
fn a_domain_on_this_machine_is_for_trying_out() {
    let (organisation, report) =
        read(&with("domains = [\"granvik.example\"]", "domains = [\"granvik.localhost\"]"));
    assert!(!report.has_errors() && organisation.is_some());
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn no_json_panics(text in r#"\{("(number|name|domains|support|x)":("a"|1|\[\]|\{\}|\["a",1\]),?){0,4}\}"#) {
        let _ = read(&text);
    }
}

#[test]
fn international_names_are_kept_in_their_ascii_form() {
    for (written, kept) in [
        ("räksmörgås.se", "xn--rksmrgs-5wao1o.se"),
        ("RÄKSMÖRGÅS.se", "xn--rksmrgs-5wao1o.se"),
        ("xn--RKSMRGS-5wao1o.se", "xn--rksmrgs-5wao1o.se"),
    ] {
        let text = GOOD.replace("[\"granvik.example\"]", &format!("[\"{written}\"]"));
        let (organisation, report) = read(&text);
        assert!(report.findings.is_empty(), "{written}: {:?}", report.findings);
        let organisation = organisation.expect("no error");
        assert!(organisation.owns_host(kept) && organisation.owns_scope(kept), "{written}");
        assert_eq!(organisation.domains.len(), 1);
    }
    for none in ["xn--a.se", "räksmörgås .se", "räksmörgås.se."] {
        let text = with("scopes = [\"granvik.example\"]", &format!("scopes = [\"{none}\"]"));
        assert!(rules(&text).contains(&"organisation.record.scope"), "{none}");
    }
}

#[test]
fn what_people_call_it_its_logo_and_the_services_it_opens_are_read() {
    let more = "aliases = [\" GK \", \"\"]\nlogo = \"logotyp.png\"\nrelying_parties = [\"https://journal.example\"]\n[support]";
    let (file, report) = read_file(&with("[support]", more));
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let RecordFile { organisation, logo } = file.expect("no error");
    assert_eq!(organisation.aliases, ["GK".to_owned()].into());
    assert_eq!(logo, Some(LogoSource::File("logotyp.png".to_owned())));
    assert!(organisation.lets_reach(&"https://journal.example".into()));
    assert!(!organisation.lets_reach(&"https://journal.example/".into()));
    let (silent, _) = read(GOOD);
    assert!(silent.expect("no error").lets_reach(&"anybody".into()), "without the key all are reached");
    let (closed, _) = read(&with("[support]", "relying_parties = []\n[support]"));
    assert!(!closed.expect("no error").lets_reach(&"anybody".into()), "an empty list is none");
}

#[test]
fn a_logo_is_a_file_beside_the_record_or_an_https_address() {
    let source = |written: &str| {
        let (file, report) = read_file(&with("[support]", &format!("logo = {written:?}\n[support]")));
        file.map(|file| file.logo).ok_or_else(|| report.findings[0].rule.id)
    };
    for good in ["logo.png", "Granviks vapen 2.webp"] {
        assert_eq!(source(good), Ok(Some(LogoSource::File(good.to_owned()))));
    }
    let address = "https://granvik.example/logo.png";
    assert_eq!(source(address), Ok(Some(LogoSource::Address(address.to_owned()))));
    for bad in [
        "",
        "../logo.png",
        "/etc/passwd",
        ".hidden",
        "http://granvik.example/logo.png",
        "a/b.png",
        "file:a.png",
    ] {
        assert_eq!(source(bad), Err("organisation.logo.source"), "{bad}");
    }
}

#[test]
fn a_service_without_a_name_cannot_be_opened() {
    assert!(
        rules(&with("[support]", "relying_parties = [\"a b\"]\n[support]"))
            .contains(&"organisation.record.relying_party")
    );
}
