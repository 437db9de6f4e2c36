//! Rules about what is encrypted. The deciphering itself is in `certs::xml_encryption`; here stands what may be opened, and what must
//! come out of it.

use broker_core::failure::{Failure, FailureCode};
use certs::{
    DecryptionKey,
    xml_encryption::{Decrypted, Enclosing, decrypt},
};
use certs_xml::{
    Element, Limits,
    namespace::{DS, SAML},
};

use super::{CheckId, Outcome, signature::is_in_advice};
use crate::message::is_encrypted_assertion;

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
            Some((code, found)) => {
                let code = if decrypted.is_authenticated() { code } else { FailureCode::Undecryptable };
                (Outcome::of(false, code, expected, found), None)
            }
        },
        Err(refused) => {
            let found = format!("{refused} ({})", refused.rule());
            (Outcome::of(false, FailureCode::Undecryptable, expected, found), None)
        }
    }
}

/// How a refusal looks from outside when `broken` is the rule that what was decrypted does not keep.
///
/// A cipher without integrity of its own is opened inside a signed Response alone, and whoever signed that may be a provider that holds
/// another one's ciphertext and puts it into messages of its own, changed a little each time. Were a plaintext that reads refused in
/// another way than one that does not, the refusals would decipher it piece by piece. So both are one refusal, until the plaintext says
/// that it is the signer's own: up to the assertion's Issuer.
pub(in crate::sp) fn veiled(decrypted: &Decrypted, broken: CheckId, failure: Failure) -> Failure {
    if decrypted.is_authenticated() || broken > CheckId::AssertionIssuer {
        return failure;
    }
    let cause = format!("{}: what was decrypted does not keep this rule", broken.as_str());
    Failure::new(FailureCode::Undecryptable, cause)
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
