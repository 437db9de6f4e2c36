//! A whole, correct identity provider, and for each rule a change that breaks it alone.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{
    authority::Narrowing, moment::Timestamp, organisation::Organisation, subject::SubjectSource,
};
use certs::PrivateKey;
use proptest::prelude::*;

use super::{IdentityProvider, MOST_OCTETS, MetadataFile, entity::PERSISTENT, saml_provider};
use crate::{
    lint::{self, Place, Report, Tongue},
    peer::{ContactKind, SamlBinding},
    settings::ProviderSettings,
};

/// 2026-11-22.
pub(crate) const NOW: Timestamp = Timestamp(1_795_305_600);

pub(crate) fn organisation() -> Organisation {
    let (organisation, report) = crate::organisation::read(
        r#"
        number = "2120001355"
        name.sv = "Granviks kommun"
        domains = ["granvik.example"]
        scopes = ["granvik.example"]
        ceiling = ["http://id.elegnamnden.se/loa/1.0/loa3"]
        entitled = ["display_name", "org_affiliation", "organisation_name", "organisation_number"]
        support.email = "hjalp@granvik.example"
        "#,
    );
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    organisation.expect("no error")
}

pub(crate) fn certificate(days_from_now: i64) -> String {
    let key = PrivateKey::generate_p256().expect("generated");
    let start = u64::try_from(NOW.0 - 400 * 86_400).expect("after 1970");
    let days = u32::try_from(400 + days_from_now).expect("positive");
    let der = key.self_signed_certificate("idp", SystemTime::UNIX_EPOCH + Duration::from_secs(start), days);
    STANDARD.encode(der.expect("made"))
}

/// A correct identity provider.
pub(crate) fn good() -> String {
    include_str!("tests/idp.xml").replace("CERTIFICATE", &certificate(365))
}

fn judged(xml: &str) -> (Option<IdentityProvider>, Report) {
    let mut report = Report::new();
    let file = match MetadataFile::read(xml.as_bytes(), MOST_OCTETS) {
        Ok(file) => file,
        Err(report) => return (None, report),
    };
    file.check_signature(&mut report);
    let provider = file.entities().next().and_then(|entity| IdentityProvider::read(entity, &mut report));
    if let Some(provider) = &provider {
        report.findings.extend(lint::saml::check(provider, &organisation(), NOW).findings);
    }
    (provider, report)
}

fn with(from: &str, to: &str) -> String {
    let good = good();
    assert!(good.contains(from), "{from}");
    good.replace(from, to)
}

#[test]
fn a_correct_provider_breaks_no_rule_and_is_read_whole() {
    let (provider, report) = judged(&good());
    assert!(report.findings.is_empty(), "{}", report.render("idp.xml", Tongue::English));
    let provider = provider.expect("read");
    assert_eq!(provider.natural_subject_source(), Some(SubjectSource::SubjectId));
    let settings = ProviderSettings::of(organisation().number, SubjectSource::SubjectId);
    let built = saml_provider(&provider, &settings, &Arc::new(organisation()), &[]);
    assert_eq!(built.policy.id.as_str(), "https://idp.granvik.example/saml");
    assert_eq!(built.policy.display_name.best(&[]), Some("Granviks kommun"));
    assert_eq!(built.policy.keywords, ["Granvik", "Norra Granvik"]);
    assert!(built.policy.hidden, "it is in the category hide-from-discovery");
    assert_eq!(built.policy.assurance.len(), 1);
    assert_eq!(built.signing_keys.len(), 1);
    assert_eq!(built.single_sign_on.len(), 3);
    assert_eq!(built.single_sign_on[0].binding, SamlBinding::Redirect);
    assert!(built.want_authn_requests_signed);
    assert!(built.name_id_formats.iter().any(|format| format == PERSISTENT));
    assert_eq!(built.signing_methods.len(), 1);
    assert_eq!(built.contacts.len(), 2);
    assert_eq!(built.contacts[0].kind, ContactKind::Support);
    assert_eq!(built.contacts[0].email.as_deref(), Some("hjalp@granvik.example"));
    assert_eq!(built.contacts[1].kind, ContactKind::Other("security".into()));
    assert_eq!(built.error_url.as_deref(), Some("https://granvik.example/hjalp"));
    assert_eq!(built.valid_until, Timestamp::from_rfc3339("2030-01-01T00:00:00Z"));
}

#[test]
fn each_rule_is_broken_by_its_own_change() {
    let weak = include_str!("tests/rsa1024.b64").trim();
    let expired = certificate(-10);
    let soon = certificate(20);
    let good_certificate = "<ds:X509Certificate>";
    for (from, to, rule) in [
        ("UTF-8", "ISO-8859-1", "saml.file.encoding"),
        ("<md:EntityDescriptor", "<!DOCTYPE x><md:EntityDescriptor", "saml.file.doctype"),
        ("</md:EntityDescriptor>", "", "saml.file.xml"),
        ("md:EntityDescriptor", "md:AffiliationDescriptor", "saml.file.kind"),
        ("entityID=\"https://idp.granvik.example/saml\"", "entityID=\"\"", "saml.entity.id_malformed"),
        ("md:IDPSSODescriptor", "md:SPSSODescriptor", "saml.entity.role_missing"),
        ("SAML:2.0:protocol", "SAML:1.1:protocol", "saml.entity.role_missing"),
        ("2030-01-01T00:00:00Z", "2030-01-01", "saml.entity.valid_until_malformed"),
        ("2030-01-01T00:00:00Z", "2026-11-21T00:00:00Z", "saml.entity.expired"),
        ("2030-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "saml.entity.expires_soon"),
        ("use=\"signing\"", "use=\"encryption\"", "saml.idp.signing_key_missing"),
        (good_certificate, "<ds:X509Certificate>AAAA", "saml.key.unreadable"),
        (
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            "saml.idp.sha1_declared",
        ),
        ("md:SingleSignOnService", "md:SingleLogoutService", "saml.idp.sso_missing"),
        ("https://idp.granvik.example/sso/redirect", "/sso/redirect", "saml.idp.sso_location_malformed"),
        (
            "https://idp.granvik.example/sso/redirect",
            "http://idp.granvik.example/sso",
            "saml.idp.sso_plain_http",
        ),
        (
            "https://idp.granvik.example/sso/redirect",
            "https://granvik.example.evil.example/",
            "saml.idp.sso_outside_domains",
        ),
        ("https://granvik.example/hjalp", "hjalp", "saml.idp.error_url_malformed"),
        (
            "https://idp.granvik.example/saml",
            "https://idp.annan.example/saml",
            "saml.entity.id_outside_domains",
        ),
        ("https://idp.granvik.example/saml", "urn:granvik:idp", "saml.entity.id_not_an_address"),
        (">2120001355</mdorgext", ">2021006883</mdorgext", "saml.entity.organisation_number_differs"),
        ("mdorgext:OrganizationNumber", "mdorgext:Other", "saml.entity.organisation_number_missing"),
        ("regexp=\"false\"", "regexp=\"true\"", "saml.idp.scope_regexp"),
        (">granvik.example</shibmd", ">annan.example</shibmd", "saml.idp.scope_outside_record"),
        ("shibmd:Scope", "shibmd:Other", "saml.idp.scope_missing"),
        ("loa/1.0/loa3", "loa/1.0/loa4", "saml.idp.assurance_above_ceiling"),
        ("loa/1.0/loa3", "loa/1.0/annat", "saml.idp.assurance_missing"),
        (
            "<mdui:DisplayName xml:lang=\"sv\">",
            "<mdui:DisplayName xml:lang=\"fi\">",
            "saml.idp.display_name_sv_missing",
        ),
        ("mailto:hjalp@granvik.example", "", "saml.idp.contact_missing"),
        ("mdui:Logo", "mdui:Other", "saml.idp.logo_missing"),
    ] {
        let (_, report) = judged(&with(from, to));
        assert!(report.has(rule), "{rule}: {}", report.render("idp.xml", Tongue::English));
    }
    for (certificate, rule) in [
        (weak, "saml.key.weak"),
        (weak, "saml.key.certificate_sha1"),
        (expired.as_str(), "saml.key.expired"),
        (soon.as_str(), "saml.key.expires_within_30_days"),
    ] {
        let (_, report) = judged(&include_str!("tests/idp.xml").replace("CERTIFICATE", certificate));
        assert!(report.has(rule), "{rule}: {}", report.render("idp.xml", Tongue::English));
    }
}

#[test]
fn a_file_larger_than_the_bound_is_refused() {
    let report = MetadataFile::read(good().as_bytes(), 1000).err();
    assert!(report.is_some_and(|report| report.has("saml.file.size")));
}

#[test]
fn a_link_that_is_no_web_address_never_becomes_one() {
    let (provider, _) = judged(&with("https://granvik.example/hjalp", "javascript:alert(1)"));
    let settings = ProviderSettings::of(organisation().number, SubjectSource::SubjectId);
    let built = saml_provider(&provider.expect("read"), &settings, &Arc::new(organisation()), &[]);
    assert_eq!(built.error_url, None);
}

#[test]
fn an_expired_certificate_is_a_container_all_the_same() {
    let (provider, report) = judged(&include_str!("tests/idp.xml").replace("CERTIFICATE", &certificate(-10)));
    assert!(!report.has_errors());
    assert_eq!(provider.map(|provider| provider.signing_keys().len()), Some(1));
}

#[test]
fn findings_stand_at_the_line_and_column_of_what_they_are_about() {
    let xml = with(">granvik.example</shibmd", ">annan.example</shibmd");
    let (_, report) = judged(&xml);
    let finding = report.findings.iter().find(|finding| finding.rule.id == "saml.idp.scope_outside_record");
    let line = xml.lines().position(|line| line.contains("annan.example")).map(|at| u32::try_from(at + 1));
    match (&finding.expect("found").place, line) {
        (Place::At { line: at, column: 9 }, Some(Ok(line))) => assert_eq!(*at, line),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unknown_extensions_and_bindings_do_not_block() {
    let xml = with("<md:NameIDFormat>", "<x:New xmlns:x=\"urn:x\"><x:y/></x:New><md:NameIDFormat>")
        .replace("bindings:SOAP", "bindings:New");
    let (provider, report) = judged(&xml);
    assert!(provider.is_some() && !report.has_errors());
}

#[test]
fn the_natural_source_is_never_a_guess() {
    let of = |xml: &str| judged(xml).0.expect("read").natural_subject_source();
    assert_eq!(of(&with("attribute:subject-id", "attribute:pairwise-id")), Some(SubjectSource::PairwiseId));
    let without = with("attribute:subject-id", "attribute:other");
    assert_eq!(of(&without), Some(SubjectSource::PersistentNameId));
    assert_eq!(of(&without.replace("nameid-format:persistent", "nameid-format:emailAddress")), None);
}

#[test]
fn a_report_reads_well_in_both_languages() {
    let xml = with(">granvik.example</shibmd", ">annan.example</shibmd").replace("mdui:Logo", "mdui:Other");
    let (_, report) = judged(&xml);
    insta::assert_snapshot!(report.render("idp.xml", Tongue::Swedish));
    insta::assert_snapshot!(report.render("idp.xml", Tongue::English));
}

/// Real federations' files, beside the project where there are any.
#[test]
fn the_identity_providers_of_real_federations_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/metadata");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no federation metadata beside the project");
        return;
    };
    let (mut read, mut with_keys) = (0, 0);
    for path in files.flatten().map(|entry| entry.path()) {
        let octets = std::fs::read(&path).expect("readable");
        let file = match MetadataFile::read(&octets, 64 * 1024 * 1024) {
            Ok(file) => file,
            Err(report) => panic!("{}: {}", path.display(), report.render("", Tongue::English)),
        };
        let mut report = Report::new();
        file.check_signature(&mut report);
        for entity in file.entities() {
            let mut report = Report::new();
            if let Some(provider) = IdentityProvider::read(entity, &mut report) {
                read += 1;
                with_keys += usize::from(!provider.signing_keys().is_empty());
                let _ = lint::saml::check(&provider, &organisation(), NOW);
            }
        }
    }
    eprintln!("{read} identity providers read, {with_keys} with a usable signing key");
    assert!(read > 100 && with_keys * 10 > read * 9, "{read} read, {with_keys} with keys");
}

proptest! {
    #[test]
    fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = MetadataFile::read(&octets, MOST_OCTETS);
    }

    /// A correct file with a piece cut out or replaced.
    #[test]
    fn no_mutation_panics(start in 0_usize..4500, length in 0_usize..60, with in "[<>/\"a&;:= ]{0,6}") {
        let xml = include_str!("tests/idp.xml");
        let (Some(front), Some(back)) = (xml.get(..start), xml.get(start + length..)) else { return Ok(()) };
        let _ = judged(&format!("{front}{with}{back}"));
    }
}

pub(crate) mod signature;

/// What the provider of a document may say, under a record that also has an international domain.
fn authority_of(document: &str, narrowing: Narrowing) -> broker_core::authority::Authority {
    let mut record = organisation();
    record.domains.insert("xn--rksmrgs-5wao1o.example".to_owned());
    record.scopes.insert("xn--rksmrgs-5wao1o.example".to_owned());
    let mut report = Report::new();
    let file = MetadataFile::read(document.as_bytes(), MOST_OCTETS).expect("read");
    let entity = file.entities().next().expect("an entity");
    let provider = IdentityProvider::read(entity, &mut report).expect("a provider");
    report.findings.extend(lint::saml::check(&provider, &record, NOW).findings);
    assert!(!report.has("saml.idp.scope_outside_record"), "{}", report.render("idp.xml", Tongue::English));
    let settings = ProviderSettings {
        narrowing,
        ..ProviderSettings::of(record.number.clone(), SubjectSource::SubjectId)
    };
    saml_provider(&provider, &settings, &Arc::new(record), &[]).policy.authority.clone()
}

#[test]
fn the_scopes_that_a_document_declares_bound_what_its_provider_may_say() {
    let scope = |value: &str, regexp: &str| {
        let declared = with_scopes(&format!("<shibmd:Scope regexp=\"{regexp}\">{value}</shibmd:Scope>"));
        authority_of(&declared, Narrowing::default())
    };
    let silent = authority_of(&with_scopes(""), Narrowing::default());
    for own in ["granvik.example", "2120001355", "räksmörgås.example", "XN--rksmrgs-5wao1o.example"] {
        assert!(silent.scope(own).is_some(), "{own}: the record's, where the document is silent");
    }
    let one = scope("Granvik.example", "false");
    assert_eq!(one.scope("granvik.example"), Some("granvik.example"));
    assert_eq!(one.scope("2120001355"), None, "the record has it and the document does not");
    for written in ["räksmörgås.example", "xn--rksmrgs-5wao1o.example"] {
        let international = scope(written, "false");
        for met in ["räksmörgås.example", "xn--rksmrgs-5wao1o.example"] {
            assert_eq!(international.scope(met), Some("xn--rksmrgs-5wao1o.example"), "{written} {met}");
        }
        assert_eq!(international.scope("granvik.example"), None);
    }
    let pattern = scope(".*", "true");
    assert_eq!(pattern.scope("granvik.example"), None, "a pattern is nothing");
    let narrowed = authority_of(
        &with_scopes(""),
        Narrowing { scopes: Some(["2120001355".to_owned()].into()), ..Narrowing::default() },
    );
    assert!(narrowed.scope("2120001355").is_some() && narrowed.scope("granvik.example").is_none());
}

/// The correct document with other scopes.
fn with_scopes(scopes: &str) -> String {
    let mut document = good();
    while let Some(start) = document.find("<shibmd:Scope") {
        let end = document[start..].find("</shibmd:Scope>").expect("closed") + "</shibmd:Scope>".len();
        document.replace_range(start..start + end, "");
    }
    let place = "<mdui:UIInfo";
    assert!(document.contains(place));
    document.replacen(place, &format!("{scopes}{place}"), 1)
}
