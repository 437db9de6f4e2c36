//! Rules about signatures, and the ways in which signed messages are wrapped around forged ones.

use broker_core::{attribute::AttributeName, failure::FailureCode as F};

use super::*;

const VICTIM: &str = "aa01@granvik.example";
const FORGED: &str = "boss@granvik.example";

/// The assertion of a message, signature included.
fn assertion_of(xml: &str) -> &str {
    let start = xml.find("<saml:Assertion").expect("an assertion");
    let end = xml.rfind("</saml:Assertion>").expect("its end") + "</saml:Assertion>".len();
    &xml[start..end]
}

fn signature_of(xml: &str) -> &str {
    let start = xml.find("<ds:Signature ").expect("a signature");
    let end = xml.find("</ds:Signature>").expect("its end") + "</ds:Signature>".len();
    &xml[start..end]
}

fn without_signature(xml: &str) -> String {
    xml.replacen(signature_of(xml), "", 1)
}

/// The same assertion, unsigned, about somebody else.
fn forged(assertion: &str, id: &str) -> String {
    without_signature(assertion).replace(VICTIM, FORGED).replace("_assertion1", id)
}

/// Whatever came of it: nobody may be accepted as the forged subject.
#[track_caller]
fn never_forged(case: &Case, xml: &str) {
    assert!(xml.contains(FORGED), "the attack forges something");
    if let Ok((result, _)) = case.run_xml(xml).result {
        panic!("accepted, as {:?}", result.value().attributes.single(AttributeName::SubjectId));
    }
}

#[test]
fn nothing_signed_is_refused() {
    let case = Case::genuine();
    let xml = without_signature(&case.written("", ""));
    assert_eq!(broken_rule(&case.run_xml(&xml)), Some((CheckId::SignaturePresent, F::SignatureMissing)));
}

#[test]
fn a_federation_may_demand_a_signed_response() {
    for (signed, expected) in [
        (Signed::Response, None),
        (Signed::Both, None),
        (Signed::Assertion, Some((CheckId::SignaturePresent, F::SignatureMissing))),
    ] {
        let mut case = Case::genuine().signed(signed);
        case.settings.require_signed_response = true;
        assert_eq!(case.broken("", ""), expected, "{signed:?}");
    }
}

#[test]
fn another_key_is_refused() {
    let case = Case::genuine();
    let bare = without_signature(&case.written("", ""));
    for (signed, id) in [
        (Signed::Response, CheckId::ResponseSignature),
        (Signed::Assertion, CheckId::AssertionSignature),
        (Signed::Both, CheckId::ResponseSignature),
    ] {
        let own = signed_as(&bare, signed, &*KEY);
        assert_eq!(broken_rule(&case.run_xml(&own)), None);
        let foreign = signed_as(&bare, signed, &*OTHER_KEY);
        assert_eq!(broken_rule(&case.run_xml(&foreign)), Some((id, F::SignatureInvalid)));
    }
}

#[test]
fn every_registered_key_is_tried() {
    let mut case = Case::genuine();
    case.provider.signing_keys.insert(0, OTHER_KEY.public_key().clone());
    assert_eq!(case.broken("", ""), None);
    case.provider.signing_keys.clear();
    assert_eq!(case.broken("", ""), Some((CheckId::ResponseSignature, F::SignatureInvalid)));
}

#[test]
fn when_both_are_signed_both_must_hold() {
    let case = Case::genuine();
    let bare = without_signature(&case.written("", ""));
    let inner = signed_as(&bare, Signed::Assertion, &*OTHER_KEY);
    let xml = sign_text(&inner, &*KEY);
    assert_eq!(broken_rule(&case.run_xml(&xml)), Some((CheckId::AssertionSignature, F::SignatureInvalid)));
    let inner = signed_as(&bare, Signed::Assertion, &*KEY);
    let xml = sign_text(&inner, &*OTHER_KEY);
    assert_eq!(broken_rule(&case.run_xml(&xml)), Some((CheckId::ResponseSignature, F::SignatureInvalid)));
}

#[test]
fn what_was_changed_after_signing_is_refused() {
    for (signed, id) in
        [(Signed::Response, CheckId::ResponseSignature), (Signed::Assertion, CheckId::AssertionSignature)]
    {
        let case = Case::genuine().signed(signed);
        let xml = case.written("", "").replace(VICTIM, FORGED);
        assert_eq!(broken_rule(&case.run_xml(&xml)), Some((id, F::SignatureInvalid)));
    }
}

#[test]
fn sha1_is_refused_unless_allowed_and_hmac_always() {
    let case = Case::genuine();
    let xml = case.written("", "");
    let weak =
        xml.replace("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1");
    assert_eq!(broken_rule(&case.run_xml(&weak)), Some((CheckId::ResponseSignature, F::SignatureAlgorithm)));
    let hmac = xml.replace("xmldsig-more#ecdsa-sha256", "xmldsig-more#hmac-sha256");
    assert_eq!(broken_rule(&case.run_xml(&hmac)), Some((CheckId::ResponseSignature, F::SignatureAlgorithm)));
}

#[test]
fn a_certificate_in_the_message_is_not_believed() {
    let case = Case::genuine();
    let key = PrivateKey::generate_p256().expect("a key");
    let certificate = key
        .self_signed_certificate("idp.granvik.example", std::time::UNIX_EPOCH, 36_500)
        .expect("a certificate");
    let signer = key.with_certificate(certificate).expect("its certificate");
    let xml = String::from_utf8(case.issue.issue(&signer).expect("signed")).expect("UTF-8");
    assert!(xml.contains("X509Certificate"));
    assert_eq!(broken_rule(&case.run_xml(&xml)), Some((CheckId::ResponseSignature, F::SignatureInvalid)));
}

#[test]
fn a_comment_in_a_value_neither_cuts_nor_splits_it() {
    // Canonical form has no comments: one put in afterwards leaves the signature whole, and the value must be, too.
    for signed in [Signed::Response, Signed::Assertion, Signed::Both] {
        let case = Case::genuine().signed(signed);
        let xml = case.written("", "").replace(VICTIM, "aa01@granvik<!-- -->.example");
        let (result, _) = case.run_xml(&xml).result.expect("the signature holds");
        assert_eq!(result.value().attributes.single(AttributeName::SubjectId), Some(VICTIM));
    }
}

#[test]
fn wrapping_a_forged_sibling_is_refused() {
    let case = Case::genuine().signed(Signed::Assertion);
    let xml = case.written("", "");
    let signed = assertion_of(&xml);
    let forged = forged(signed, "_evil");
    never_forged(&case, &xml.replace(signed, &format!("{forged}{signed}")));
    never_forged(&case, &xml.replace(signed, &format!("{signed}{forged}")));
}

#[test]
fn wrapping_the_signed_assertion_inside_the_forged_one_is_refused() {
    let case = Case::genuine().signed(Signed::Assertion);
    let xml = case.written("", "");
    let signed = assertion_of(&xml);
    let forged = forged(signed, "_evil");
    for end in ["</saml:Subject>", "</saml:Conditions>", "</saml:Assertion>"] {
        never_forged(&case, &xml.replace(signed, &forged.replace(end, &format!("{signed}{end}"))));
    }
    // Inside Advice an assertion may stand, but it does not vouch for the one around it.
    let advised = forged
        .replace("</saml:Conditions>", &format!("</saml:Conditions><saml:Advice>{signed}</saml:Advice>"));
    never_forged(&case, &xml.replace(signed, &advised));
}

#[test]
fn hiding_the_signed_assertion_is_refused() {
    let case = Case::genuine().signed(Signed::Assertion);
    let xml = case.written("", "");
    let signed = assertion_of(&xml);
    let forged = forged(signed, "_evil");
    let extensions = format!("<samlp:Extensions>{signed}</samlp:Extensions><samlp:Status>");
    never_forged(&case, &xml.replace(signed, &forged).replace("<samlp:Status>", &extensions));
    // The signature moved onto the forged assertion, what it covers hidden in an Object.
    let signature = signature_of(signed);
    let bare = without_signature(signed);
    let object =
        signature.replace("</ds:Signature>", &format!("<ds:Object>{bare}</ds:Object></ds:Signature>"));
    let issuer = format!("<saml:Issuer>{IDP}</saml:Issuer>");
    let carrying = forged.replacen(&issuer, &format!("{issuer}{object}"), 1);
    never_forged(&case, &xml.replace(signed, &carrying));
    // The same without an Object, what it covers in the Extensions.
    let carrying = forged.replacen(&issuer, &format!("{issuer}{signature}"), 1);
    let extensions = format!("<samlp:Extensions>{bare}</samlp:Extensions><samlp:Status>");
    never_forged(&case, &xml.replace(signed, &carrying).replace("<samlp:Status>", &extensions));
}

#[test]
fn one_id_on_two_elements_is_refused() {
    let case = Case::genuine().signed(Signed::Assertion);
    let xml = case.written("", "");
    let signed = assertion_of(&xml);
    let twin = forged(signed, "_assertion1");
    let run = case.run_xml(&xml.replace(signed, &format!("{twin}{signed}")));
    assert_eq!(broken_rule(&run), Some((CheckId::Readable, F::MessageMalformed)));
    let forged_response = xml.replace("_response1", "_assertion1").replace(VICTIM, FORGED);
    assert_eq!(broken_rule(&case.run_xml(&forged_response)), Some((CheckId::Readable, F::MessageMalformed)));
}

#[test]
fn wrapping_the_signed_response_is_refused() {
    let case = Case::genuine();
    let signed = case.written("", "");
    let bare = without_signature(&signed).replace(VICTIM, FORGED);
    let outer = bare.replace("_response1", "_evil").replace("_assertion1", "_evil2");
    // The genuine Response inside the forged one, with and without a signature of the forged one that refers to it.
    for holder in ["samlp:Extensions", "samlp:Status"] {
        let inner = format!("<{holder}>{signed}</{holder}>");
        let xml = outer.replace("<samlp:Status>", &format!("{inner}<samlp:Status>"));
        never_forged(&case, &xml);
        let signature = signature_of(&signed);
        let inner = format!("<samlp:Extensions>{}</samlp:Extensions>", without_signature(&signed));
        let xml = outer.replace("<samlp:Status>", &format!("{signature}{inner}<samlp:Status>"));
        never_forged(&case, &xml);
    }
    // The genuine Response inside an Object of the forged one's signature.
    let signature = signature_of(&signed);
    let object = signature.replace(
        "</ds:Signature>",
        &format!("<ds:Object>{}</ds:Object></ds:Signature>", without_signature(&signed)),
    );
    never_forged(&case, &outer.replace("<samlp:Status>", &format!("{object}<samlp:Status>")));
}

#[test]
fn an_assertion_signed_within_another_response_does_not_vouch_for_this_one() {
    // The signature of the Response does not cover an assertion that was put in later.
    let case = Case::genuine();
    let xml = case.written("", "");
    let assertion = assertion_of(&xml);
    let forged = assertion.replace(VICTIM, FORGED).replace("_assertion1", "_evil");
    never_forged(&case, &xml.replace(assertion, &forged));
    never_forged(&case, &xml.replace(assertion, &format!("{assertion}{forged}")));
}

#[test]
fn a_signature_where_none_belongs_is_refused() {
    let case = Case::genuine();
    let xml = case.written("", "");
    let signature = signature_of(&xml).to_owned();
    let bare = without_signature(&xml);
    for before in ["<samlp:StatusCode", "<saml:Audience>", "<saml:AttributeValue"] {
        let moved = bare.replacen(before, &format!("{signature}{before}"), 1);
        assert_eq!(
            broken_rule(&case.run_xml(&moved)),
            Some((CheckId::SignaturePlace, F::SignatureInvalid)),
            "{before}"
        );
    }
}

#[test]
fn two_signatures_of_one_element_are_refused() {
    let case = Case::genuine();
    let xml = case.written("", "");
    let signature = signature_of(&xml);
    let twice = xml.replace(signature, &signature.repeat(2));
    assert_eq!(broken_rule(&case.run_xml(&twice)), Some((CheckId::ResponseSignature, F::SignatureInvalid)));
}

#[test]
fn what_is_called_advice_outside_an_assertion_hides_nothing() {
    let extensions = |inner: &str| {
        let advice =
            format!("<saml:Advice xmlns:saml=\"{}\">{inner}</saml:Advice>", certs_xml::namespace::SAML.uri());
        format!("<samlp:Extensions>{advice}</samlp:Extensions><samlp:Status>")
    };
    let twin = extensions("<x:y xmlns:x=\"urn:x\"></x:y>");
    accepts("<samlp:Status>", &twin);
    let assertion = extensions("<saml:EncryptedAssertion></saml:EncryptedAssertion>");
    breaks("<samlp:Status>", &assertion, CheckId::AssertionCount, F::AssertionCount);
    let signature =
        extensions("<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:Signature>");
    breaks("<samlp:Status>", &signature, CheckId::SignaturePlace, F::SignatureInvalid);
    // Nor in another part of the assertion.
    let part = "<saml:Advice><saml:EncryptedID></saml:EncryptedID></saml:Advice></saml:AuthnStatement>";
    breaks("</saml:AuthnStatement>", part, CheckId::EncryptedParts, F::EncryptedPart);
}
