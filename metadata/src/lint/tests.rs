//! Files that keep every rule of every profile, and for each rule a change that breaks it. A change is judged by the profiles named with it:
//! the rule is silent without them.

mod json;
mod profile;

use broker_core::moment::Timestamp;

use super::{Measure, Profile, Profiles, Report, Severity, Tongue, all_rules, document};
use crate::saml::tests::{NOW, certificate};

pub(super) fn idp() -> String {
    include_str!("tests/idp.xml").replace("CERTIFICATE", &certificate(365))
}

pub(super) fn sp() -> String {
    include_str!("tests/sp.xml").replace("CERTIFICATE", &certificate(365))
}

/// One change of a good file.
pub(super) fn with(good: &str, from: &str, to: &str) -> String {
    assert!(good.contains(from), "{from}");
    good.replace(from, to)
}

pub(super) fn judged(text: &str, profiles: &[Profile]) -> Report {
    document(text.as_bytes(), profiles.iter().copied().collect(), NOW)
}

/// How bad the breach of a rule is, if it was found.
pub(super) fn severity(report: &Report, rule: &str) -> Option<Severity> {
    report.findings.iter().find(|finding| finding.rule.id == rule).map(|finding| finding.severity)
}

/// Asserts that each profile finds the breach as bad as the rule says, and that the others do not find it.
pub(super) fn breaks(text: &str, rule: &str) {
    let declared = all_rules().into_iter().find(|one| one.id == rule).expect("a rule of that name");
    for profile in Profile::ALL {
        let report = judged(text, &[profile]);
        let expected = declared.severity_in(Profiles::from_iter([profile]));
        assert_eq!(
            severity(&report, rule),
            expected,
            "{rule} in {profile}: {}",
            report.render("file", Tongue::English)
        );
    }
}

#[test]
fn files_that_keep_every_rule_of_every_profile() {
    for file in [idp(), sp()] {
        let report = judged(&file, &Profile::ALL);
        assert!(report.findings.is_empty(), "{}", report.render("file", Tongue::English));
    }
}

#[test]
fn what_a_file_says_of_its_form_keys_and_addresses() {
    for (from, to, rule) in [
        (
            "<md:Extensions>\n      <mdorgext",
            "<md:Extensions><kalle/>\n      <mdorgext",
            "saml.form.extension_namespace",
        ),
        ("<md:Organization>", "<md:Kalle/><md:Organization>", "saml.form.element_unknown"),
        (
            "<md:Organization>",
            "<md:Organization><md:OrganizationURL xml:lang=\"de\">https://x.example/</md:OrganizationURL>",
            "saml.form.order",
        ),
        (" height=\"64\"", "", "saml.form.attribute_missing"),
        ("contactType=\"support\"", "contactType=\"help\"", "saml.form.attribute_value"),
        (
            "<md:Organization>",
            "<md:RoleDescriptor protocolSupportEnumeration=\"x\"/><md:Organization>",
            "saml.form.role_descriptor",
        ),
        ("SAML:2.0:protocol\"", "SAML:1.1:protocol\"", "saml.entity.role_unknown"),
        ("mailto:hjalp@granvik.example", "-----BEGIN PRIVATE KEY-----", "saml.key.private"),
        (
            "<ds:X509Certificate>",
            "<ds:X509Certificate>MIIBOgIBAA==</ds:X509Certificate><ds:X509Certificate>",
            "saml.key.private",
        ),
        ("<ds:X509Certificate>", "<ds:X509Certificate>-----BEGIN CERTIFICATE-----\n", "saml.key.pem_armour"),
        ("<ds:X509Certificate>MII", "<ds:X509Certificate>M II", "saml.key.whitespace"),
        (
            "http://www.w3.org/2001/04/xmlenc#sha256",
            "http://www.w3.org/2000/09/xmldsig#sha1",
            "saml.key.algorithm_weak",
        ),
        ("https://idp.granvik.example/saml", "granvik", "saml.entity.id_scheme"),
        ("https://idp.granvik.example/saml", "urn:granvik:idp", "saml.entity.id_urn"),
        (
            "Location=\"https://idp.granvik.example/slo\"",
            "Location=\"/slo\"",
            "saml.endpoint.location_malformed",
        ),
        ("https://idp.granvik.example/slo", "http://idp.granvik.example/slo", "saml.endpoint.plain_http"),
        (
            "bindings:HTTP-POST\" Location=\"https://idp.granvik.example/sso/post\"",
            "profiles:holder-of-key:SSO:browser\" Location=\"https://idp.granvik.example/hok\"",
            "saml.endpoint.holder_of_key_binding",
        ),
        (
            "bindings:HTTP-Redirect\" Location=\"https://idp.granvik.example/sso",
            "bindings:SOAP\" Location=\"https://idp.granvik.example/sso",
            "saml.idp.sso_redirect_missing",
        ),
        ("bindings:HTTP-POST\"", "bindings:SOAP\"", "saml.idp.sso_post_missing"),
        ("md:SingleLogoutService", "md:ManageNameIDService", "saml.idp.logout_missing"),
        ("https://granvik.example/hjalp?", "http://granvik.example/hjalp?", "saml.idp.error_url_not_https"),
        ("ERRORURL_CODE", "ERRORURL_KOD", "saml.idp.error_url_placeholder"),
        ("<md:KeyDescriptor>", "<md:KeyDescriptor use=\"signing\">", "saml.idp.encryption_key_missing"),
    ] {
        breaks(&with(&idp(), from, to), rule);
    }
    let long = format!("https://idp.granvik.example/{}", "a".repeat(250));
    breaks(&with(&idp(), "https://idp.granvik.example/saml", &long), "saml.entity.id_too_long");
    let error_url = " errorURL=\"https://granvik.example/hjalp?code=ERRORURL_CODE\"";
    breaks(&with(&idp(), &format!("\n     {error_url}"), ""), "saml.idp.error_url_missing");
    breaks(
        &with(
            &idp(),
            "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        ),
        "saml.key.algorithm_weak",
    );
}

#[test]
fn certificates_are_told_of_at_90_30_and_7_days() {
    let lasting = |days: i64| include_str!("tests/idp.xml").replace("CERTIFICATE", &certificate(days));
    for (days, rule) in [
        (80, "saml.key.expires_within_90_days"),
        (20, "saml.key.expires_within_30_days"),
        (5, "saml.key.expires_within_7_days"),
        (-1, "saml.key.expired"),
    ] {
        for file in [lasting(days), include_str!("tests/sp.xml").replace("CERTIFICATE", &certificate(days))] {
            let report = judged(&file, &[]);
            let rules: Vec<_> = report.findings.iter().map(|finding| finding.rule.id).collect();
            assert_eq!(rules, [rule], "{days} days");
            assert!(!report.has_errors(), "a certificate is a container (FEDINTEROP IIP-MD12)");
        }
    }
    // Seen from another moment, the same file says something else.
    let measure = |at: i64| Measure::new(Profiles::BASE, Timestamp(at)).document(idp().as_bytes());
    assert!(measure(NOW.0 + 400 * 86_400).has("saml.key.expired"));
    assert!(measure(NOW.0 - 500 * 86_400).has("saml.key.not_yet_valid"));
}

#[test]
fn weak_and_bare_keys_are_told_of() {
    let weak = include_str!("../saml/tests/rsa1024.b64").trim();
    let report = judged(&include_str!("tests/sp.xml").replace("CERTIFICATE", weak), &[]);
    assert!(report.has("saml.key.weak") && report.has("saml.key.certificate_sha1") && report.has_errors());
    let rsa = include_str!("tests/rsa2048.b64").trim();
    breaks(&include_str!("tests/idp.xml").replace("CERTIFICATE", rsa), "saml.key.rsa_below_3072");
    let modulus = include_str!("tests/rsa2048.modulus").trim();
    let start = idp().find("<ds:X509Data>").expect("there");
    let end = idp().find("</ds:X509Data>").expect("there") + "</ds:X509Data>".len();
    let bare = format!(
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    );
    let mut file = idp();
    file.replace_range(start..end, &bare);
    breaks(&file, "saml.key.without_certificate");
}

#[test]
fn a_service_provider_needs_addresses_and_keys() {
    for (from, to, rule) in [
        (
            "md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"",
            "md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:PAOS\"",
            "saml.sp.acs_missing",
        ),
        (
            "Location=\"https://journal.granvik.example/acs\"",
            "Location=\"/acs\"",
            "saml.sp.acs_location_malformed",
        ),
        (
            "HTTP-POST\" Location=\"https://journal.granvik.example/acs2\"",
            "HTTP-Redirect\" Location=\"https://journal.granvik.example/acs2\"",
            "saml.sp.acs_redirect",
        ),
        ("index=\"1\"/>", "index=\"0\"/>", "saml.sp.acs_ambiguous"),
        ("index=\"1\"/>", "index=\"1\" isDefault=\"true\"/>", "saml.sp.acs_ambiguous"),
        ("idpdisc:DiscoveryResponse", "idpdisc:Other", "saml.sp.discovery_response_missing"),
        (
            "Location=\"https://journal.granvik.example/ds\"",
            "Location=\"/ds\"",
            "saml.sp.discovery_response_malformed",
        ),
        ("<md:KeyDescriptor>", "<md:KeyDescriptor use=\"signing\">", "saml.sp.encryption_key_missing"),
        ("<md:KeyDescriptor>", "<md:KeyDescriptor use=\"encryption\">", "saml.sp.signing_key_missing"),
    ] {
        breaks(&with(&sp(), from, to), rule);
    }
}

#[test]
fn an_aggregate_is_signed_holds_for_a_while_and_names_nobody_twice() {
    let around = |attributes: &str, inside: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\"{attributes}>{inside}</md:EntitiesDescriptor>"
        )
    };
    let soon = " validUntil=\"2026-12-01T00:00:00Z\"";
    breaks(&around(soon, &idp()), "saml.file.unsigned");
    breaks(&around("", &idp()), "saml.file.valid_until_missing");
    breaks(&around(" validUntil=\"2027-11-22T00:00:00Z\"", &idp()), "saml.file.valid_until_distant");
    breaks(&around(" cacheDuration=\"1h\"", &idp()), "saml.file.cache_duration_malformed");
    breaks(&around(soon, ""), "saml.file.empty");
    assert!(!judged(&around(soon, &idp()), &Profile::ALL).has_errors());
    let expired = judged(&around(" validUntil=\"2026-11-01T00:00:00Z\"", &format!("{}{}", idp(), sp())), &[]);
    assert_eq!(expired.findings.iter().filter(|finding| finding.rule.id == "saml.entity.expired").count(), 1);
    // Nested groups are read all the same.
    let nested = around(soon, &around("", &format!("{}{}", idp(), idp())));
    breaks(&nested, "registry.entity.twice_in_file");
}

#[test]
fn two_entities_do_not_share_keys_or_names() {
    let key = certificate(365);
    let first = include_str!("tests/idp.xml").replace("CERTIFICATE", &key);
    let around = |second: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{first}{second}</md:EntitiesDescriptor>"
        )
    };
    let other = with(&first, "idp.granvik.example/saml", "idp2.granvik.example/saml");
    breaks(&around(&other), "saml.key.of_another_entity");
    breaks(&around(&other), "saml.interface.display_name_taken");
    breaks(
        &around(&with(&other, ">2120001355</mdorgext", ">2021006883</mdorgext")),
        "saml.key.of_another_organisation",
    );
    let own = with(&idp(), "idp.granvik.example/saml", "idp2.granvik.example/saml");
    let report = judged(&around(&own), &Profile::ALL);
    assert!(!report.has("saml.key.of_another_entity") && !report.has("saml.key.of_another_organisation"));
}

#[test]
fn the_signature_of_a_trusted_source_is_by_its_key_and_by_nothing_weak() {
    use crate::saml::tests::signature::{signed, signed_by};
    let (key, file) = signed_by();
    let by = |keys: &[certs::PublicKey], file: &str| {
        Measure::new(Profiles::BASE, NOW).signed_by(keys).document(file.as_bytes())
    };
    assert!(!by(std::slice::from_ref(&key), &file).has("saml.file.signature_untrusted"));
    assert!(by(std::slice::from_ref(&key), &signed()).has("saml.file.signature_untrusted"), "another's key");
    assert!(
        by(std::slice::from_ref(&key), &file.replace("idp.granvik", "idq.granvik"))
            .has("saml.file.signature_untrusted")
    );
    assert!(by(&[key], &idp()).has("saml.file.signature_untrusted"), "unsigned");
    let old =
        file.replace("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1");
    breaks(&old, "saml.file.signature_weak");
}

#[test]
fn an_aggregate_is_judged_as_it_is_read_and_only_by_its_key() {
    let (key, file) = crate::saml::tests::signature::signed_by();
    let measure = Measure::new(Profiles::BASE, NOW);
    let by = |keys: &[certs::PublicKey], file: &str| measure.signed_by(keys).aggregate(file.as_bytes());
    let report = by(std::slice::from_ref(&key), &file);
    assert!(report.has("saml.entity.role_unknown"), "{}", report.render("file", Tongue::English));
    for broken in
        [file.replace("idp.granvik", "idq.granvik"), file.replace("</md:Entity", " </md:Entity"), idp()]
    {
        let report = by(std::slice::from_ref(&key), &broken);
        let rules: Vec<_> = report.findings.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(rules, ["saml.file.signature_untrusted"], "what is not signed is not worth a look");
    }
    assert!(by(&[], &file).has("saml.file.signature_untrusted"), "no key: nobody is believed");
}

#[test]
fn an_organisation_record_is_judged_by_the_same_door() {
    let report = judged("number = \"212000-1355\"\ndomaner = [\"granvik.example\"]\n", &[]);
    assert!(report.has("organisation.file.unknown_key"));
    assert!(judged("{\"number\": \"1\"}", &[]).has("organisation.record.number"));
    assert!(judged("no metadata at all", &[]).has("saml.file.xml"));
    assert!(judged("", &[]).has_errors());
}

#[test]
fn what_is_registered_bounds_a_file_that_is_judged_against_it() {
    let organisation = crate::saml::tests::organisation();
    let registry = crate::Registry::from_peers([std::sync::Arc::new(organisation)], [], []);
    let measure = Measure::new(Profiles::BASE, NOW).against(&registry);
    let good = with(&idp(), "http://www.swamid.se/policy/assurance/al1", "https://refeds.org/other");
    let report = measure.document(good.as_bytes());
    assert!(!report.has_errors(), "{}", report.render("file", Tongue::English));
    let outside = with(&idp(), "https://idp.granvik.example/sso/redirect", "https://evil.example/");
    assert!(measure.document(outside.as_bytes()).has("saml.idp.sso_outside_domains"));
    let strange = with(&idp(), ">2120001355</mdorgext", ">2021006883</mdorgext");
    assert!(measure.document(strange.as_bytes()).has("registry.organisation.unknown"));
}

/// Each rule is named where it is shown to be broken.
#[test]
fn every_rule_has_a_test() {
    let tests = [
        include_str!("../saml/tests.rs"),
        include_str!("../saml/tests/signature.rs"),
        include_str!("../oidc/tests.rs"),
        include_str!("../addition/tests.rs"),
        include_str!("../organisation/tests.rs"),
        include_str!("../logo/tests.rs"),
        include_str!("../logo/tests.rs"),
        include_str!("../revision/guard/tests.rs"),
        include_str!("tests.rs"),
        include_str!("tests/json.rs"),
        include_str!("tests/profile.rs"),
    ]
    .concat();
    let untested: Vec<_> =
        all_rules().iter().map(|rule| rule.id).filter(|id| !tests.contains(&format!("\"{id}\""))).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn every_rule_has_a_name_of_its_own_and_all_its_texts() {
    let rules = all_rules();
    for pair in rules.windows(2) {
        assert_ne!(pair[0].id, pair[1].id);
    }
    for rule in rules {
        assert!(rule.id.split('.').count() == 3, "{}", rule.id);
        for text in [rule.what, rule.why, rule.fix] {
            for words in [text.sv, text.en] {
                assert!(words.len() > 10, "{}", rule.id);
            }
        }
        assert!(rule.source.len() > 3, "{}", rule.id);
    }
}

proptest::proptest! {
    /// Good files with a piece cut out or replaced, by every profile at once.
    #[test]
    fn no_mutation_panics(start in 0_usize..7000, length in 0_usize..80, with in "[<>/\"a&;:= {}]{0,6}", which in 0_usize..4) {
        let file = [include_str!("tests/idp.xml"), include_str!("tests/sp.xml"), json::REGISTRATION, json::DISCOVERY][which];
        let (Some(front), Some(back)) = (file.get(..start), file.get(start + length..)) else { return Ok(()) };
        let text = format!("{front}{with}{back}");
        let report = document(text.as_bytes(), Profiles::all(), NOW);
        let lines = super::excerpt::Lines::of(&text);
        for finding in &report.findings {
            let _ = finding.render("file", Some(&lines), Tongue::Swedish);
        }
    }
}
