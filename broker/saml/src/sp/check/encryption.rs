//! Rules about what is encrypted. The deciphering itself is in `certs::xml_encryption`; here stands what may be opened, and what must
//! come out of it.

use broker_core::failure::FailureCode;
use certs::{
    DecryptionKey,
    xml_encryption::{Decrypted, Enclosing, decrypt},
};
use certs_xml::{
    Element, Limits,
    namespace::{DS, SAML},
};

use super::{Outcome, signature::is_in_advice};
use crate::message::{Assertion, is_encrypted_assertion};

/// Opens the assertion that a Response carries, if it is encrypted. What comes out is a single assertion whose signatures, if it has
/// any, stand where one that came in the open would have them.
///
/// An unsigned Response is not opened where the federation demands a signed one: it is about to be refused for that, and our key works
/// for nobody who has not proved who they are.
pub(in crate::sp) fn opened(
    carried: Element<'_>,
    keys: &[DecryptionKey],
    enclosing: Enclosing<'_>,
    demands_response: bool,
) -> (Outcome, Option<Decrypted>) {
    if !is_encrypted_assertion(carried) {
        return (Outcome::not_applicable("the assertion is not encrypted"), None);
    }
    if demands_response && matches!(enclosing, Enclosing::Unsigned) {
        return (Outcome::not_applicable("not opened: the Response is not signed"), None);
    }
    let expected = "an assertion encrypted to a key of ours";
    match decrypt(carried, keys, enclosing, Limits::message()) {
        Ok(decrypted) => match fault(decrypted.element()) {
            None => (Outcome::of(true, FailureCode::Undecryptable, expected, "one"), Some(decrypted)),
            Some((code, found)) => (Outcome::of(false, code, expected, found), None),
        },
        Err(refused) => {
            let found = format!("{refused} ({})", refused.rule());
            (Outcome::of(false, FailureCode::Undecryptable, expected, found), None)
        }
    }
}

/// What is wrong with a plaintext: the rules that [`super::response::assertion_count`] and [`super::signature::place`] have for the
/// Response, which could not see into it.
fn fault(element: Element<'_>) -> Option<(FailureCode, &'static str)> {
    if !element.is(SAML.uri(), "Assertion") {
        return Some((FailureCode::Undecryptable, "something else than an assertion"));
    }
    let further = element.subtree().skip(1).find(|inner| {
        (inner.is(SAML.uri(), "Assertion") || is_encrypted_assertion(*inner)) && !is_in_advice(*inner)
    });
    if further.is_some() {
        return Some((FailureCode::AssertionCount, "another assertion inside it"));
    }
    let misplaced = element
        .subtree()
        .filter(|inner| inner.is(DS.uri(), "Signature"))
        .find(|signature| signature.parent() != Some(element) && !is_in_advice(*signature));
    misplaced.map(|_| (FailureCode::SignatureInvalid, "a signature elsewhere than directly inside it"))
}

/// SC-DP 6.1: a whole assertion is encrypted or nothing of it.
pub(in crate::sp) fn no_encrypted_attribute(assertion: &Assertion<'_>) -> Outcome {
    let encrypted = assertion
        .attribute_statements()
        .flat_map(Element::children)
        .filter(|child| child.is(SAML.uri(), "EncryptedAttribute"))
        .count();
    Outcome::of(encrypted == 0, FailureCode::Undecryptable, "no EncryptedAttribute", encrypted.to_string())
}
