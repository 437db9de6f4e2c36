//! Rules about SubjectConfirmation, each broken alone.

use broker_core::{failure::FailureCode as F, subject::SubjectSource};

use super::*;

fn data() -> String {
    format!(
        "<saml:SubjectConfirmationData InResponseTo=\"_{HANDLE}\" NotOnOrAfter=\"{}\" Recipient=\"{ACS}\"></saml:SubjectConfirmationData>",
        NOW.plus(300)
    )
}

fn confirmation() -> String {
    format!(
        "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">{}</saml:SubjectConfirmation>",
        data()
    )
}

#[test]
fn there_is_one_subject() {
    let subject = "<saml:Subject>";
    breaks(subject, "<saml:Subject></saml:Subject><saml:Subject>", CheckId::Subject, F::SubjectConfirmation);
}

#[test]
fn the_identifier_comes_before_the_confirmations_and_once() {
    let name = |value: &str| {
        format!(
            "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">{value}</saml:NameID>"
        )
    };
    let (own, confirmation) = (format!("{}{}", name("p1"), confirmation()), confirmation());
    breaks(&own, &format!("{confirmation}{}", name("p1")), CheckId::Subject, F::SubjectConfirmation);
    breaks(
        &own,
        &format!("{}{}{confirmation}", name("p1"), name("p2")),
        CheckId::Subject,
        F::SubjectConfirmation,
    );
    accepts(&own, &confirmation);
}

#[test]
fn the_confirmation_is_of_the_method_bearer() {
    for method in ["holder-of-key", "sender-vouches"] {
        breaks("cm:bearer", &format!("cm:{method}"), CheckId::Bearer, F::SubjectConfirmation);
    }
    breaks(&confirmation(), "", CheckId::Bearer, F::SubjectConfirmation);
    breaks(&data(), "", CheckId::Bearer, F::SubjectConfirmation);
}

#[test]
fn the_recipient_is_our_address() {
    let recipient = |url: &str| format!("Recipient=\"{url}\"");
    breaks(&recipient(ACS), &recipient("https://evil.example/acs"), CheckId::Recipient, F::RecipientMismatch);
    breaks(&format!(" {}", recipient(ACS)), "", CheckId::Recipient, F::RecipientMismatch);
}

#[test]
fn the_confirmation_answers_our_request() {
    let own = format!("<saml:SubjectConfirmationData InResponseTo=\"_{HANDLE}\"");
    let other = "<saml:SubjectConfirmationData InResponseTo=\"_other\"";
    breaks(&own, other, CheckId::ConfirmationInResponseTo, F::InResponseToMismatch);
    breaks(&own, "<saml:SubjectConfirmationData", CheckId::ConfirmationInResponseTo, F::InResponseToMismatch);
}

#[test]
fn a_bearer_confirmation_has_no_not_before() {
    let start = format!("InResponseTo=\"_{HANDLE}\" NotOnOrAfter");
    let with = format!("InResponseTo=\"_{HANDLE}\" NotBefore=\"{NOW}\" NotOnOrAfter");
    breaks(&start, &with, CheckId::ConfirmationNotBefore, F::SubjectConfirmation);
}

#[test]
fn the_confirmation_has_not_ended() {
    let end = |offset: i64| format!("NotOnOrAfter=\"{}\" Recipient", NOW.plus(offset));
    breaks(&end(300), &end(-58), CheckId::ConfirmationNotOnOrAfter, F::Expired);
    accepts(&end(300), &end(-57));
    breaks(&end(300), "Recipient", CheckId::ConfirmationNotOnOrAfter, F::SubjectConfirmation);
    breaks(
        &end(300),
        "NotOnOrAfter=\"soon\" Recipient",
        CheckId::ConfirmationNotOnOrAfter,
        F::SubjectConfirmation,
    );
}

#[test]
fn one_confirmation_that_holds_is_enough() {
    let own = confirmation();
    let wrong = own.replace(ACS, "https://elsewhere.example/acs");
    accepts(&own, &format!("{wrong}{own}"));
    let key = own.replace("cm:bearer", "cm:holder-of-key");
    accepts(&own, &format!("{key}{own}"));
}

#[test]
fn two_halves_of_a_confirmation_are_not_one() {
    let own = confirmation();
    let wrong_recipient = own.replace(ACS, "https://elsewhere.example/acs");
    let wrong_request = own.replace(HANDLE, "other");
    breaks(
        &own,
        &format!("{wrong_recipient}{wrong_request}"),
        CheckId::ConfirmationInResponseTo,
        F::InResponseToMismatch,
    );
}

#[test]
fn a_transient_name_is_no_subject() {
    let case = Case::genuine();
    let xml = case.written("nameid-format:persistent", "nameid-format:transient");
    let (result, _) = case.run_xml(&xml).result.expect("accepted");
    assert!(result.value().subjects.iter().all(|subject| subject.source != SubjectSource::PersistentNameId));
}

#[test]
fn a_pseudonym_was_made_for_us() {
    let name = |qualifier: &str, value: &str| {
        format!(
            "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\"{qualifier}>{value}</saml:NameID>"
        )
    };
    let own = name("", "p1");
    accepts(&own, &name(&format!(" SPNameQualifier=\"{SP}\""), "p1"));
    breaks(
        &own,
        &name(" SPNameQualifier=\"https://other.example\"", "p1"),
        CheckId::NameId,
        F::AudienceMismatch,
    );
    breaks(&own, &name(" SPNameQualifier=\"\"", "p1"), CheckId::NameId, F::AudienceMismatch);
    breaks(&own, &name("", ""), CheckId::NameId, F::MessageMalformed);
    breaks(&own, &name("", &"å".repeat(257)), CheckId::NameId, F::MessageMalformed);
    accepts(&own, &name("", &"å".repeat(256)));
    breaks(&own, &name("", "p1<saml:X></saml:X>"), CheckId::NameId, F::MessageMalformed);
    let mail = own.replace("2.0:nameid-format:persistent", "1.1:nameid-format:emailAddress");
    accepts(&own, &mail.replace(">p1", " SPNameQualifier=\"https://other.example\">p1"));
}
