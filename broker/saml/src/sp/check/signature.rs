//! Who signed what. The signature itself is verified in `certs::xml_signature`; here stands which element must carry one.

use broker_core::failure::FailureCode;
use certs::{
    AlgorithmPolicy, PublicKey,
    xml_signature::{self, Profile, SignatureRefused, SignedElement},
};
use certs_proof::Verified;
use certs_xml::{
    Element,
    namespace::{DS, SAML},
};

use super::Outcome;
use crate::message::is_response;

/// A signature anywhere else than directly inside the Response or its assertion signs nothing that we read, and honest providers
/// write none. What stands in an assertion's Advice is never read (SAML Core 2.6).
pub(in crate::sp) fn place(response: Element<'_>) -> Outcome {
    let misplaced = response
        .subtree()
        .filter(|element| element.is(DS.uri(), "Signature"))
        .find(|signature| !is_in_place(*signature) && !is_in_advice(*signature));
    let found = match misplaced.and_then(Element::parent) {
        Some(parent) => format!("one inside <{}>", parent.qualified_name()),
        None => "none elsewhere".to_owned(),
    };
    Outcome::of(
        misplaced.is_none(),
        FailureCode::SignatureInvalid,
        "signatures directly inside the Response or its assertion",
        found,
    )
}

fn is_in_place(signature: Element<'_>) -> bool {
    signature.parent().is_some_and(|parent| match parent.parent() {
        None => is_response(parent),
        Some(above) => parent.is(SAML.uri(), "Assertion") && above.parent().is_none(),
    })
}

/// Whether an element stands inside the Advice of some assertion. What is called so in another place is no Advice, and hides nothing.
pub(super) fn is_in_advice(element: Element<'_>) -> bool {
    let is_advice = |above: Element<'_>| {
        above.is(SAML.uri(), "Advice")
            && above.parent().is_some_and(|around| around.is(SAML.uri(), "Assertion"))
    };
    std::iter::successors(element.parent(), |above| above.parent()).any(is_advice)
}

/// Verifies the signature that `element` carries; no outcome but "not applicable" where it carries none.
pub(in crate::sp) fn verified(
    element: Element<'_>,
    keys: &[PublicKey],
    policy: &AlgorithmPolicy,
) -> (Outcome, Option<Verified<SignedElement>>) {
    if !xml_signature::is_signed(element) {
        return (Outcome::not_applicable("no signature"), None);
    }
    let expected = "a signature by a registered key of the provider";
    match xml_signature::verify(element, keys, policy, Profile::Message) {
        Ok(signed) => {
            let found = format!("{:?} by key {}", signed.value().algorithm(), signed.value().key());
            (Outcome::of(true, FailureCode::SignatureInvalid, expected, found), Some(signed))
        }
        Err(refused) => {
            let found = format!("{} ({})", refused, refused.rule());
            (Outcome::of(false, code_of(&refused), expected, found), None)
        }
    }
}

fn code_of(refused: &SignatureRefused) -> FailureCode {
    match refused {
        SignatureRefused::NoSignature => FailureCode::SignatureMissing,
        SignatureRefused::SignatureMethod(_)
        | SignatureRefused::DigestMethod(_)
        | SignatureRefused::CanonicalizationMethod(_)
        | SignatureRefused::Sha1 => FailureCode::SignatureAlgorithm,
        _ => FailureCode::SignatureInvalid,
    }
}

/// Something must be signed; the Response itself where the federation demands it.
pub(in crate::sp) fn present(
    response_is_signed: bool,
    assertion_is_signed: bool,
    demands_response: bool,
) -> Outcome {
    let found = match (response_is_signed, assertion_is_signed) {
        (true, true) => "both are signed",
        (true, false) => "the Response is signed",
        (false, true) => "the assertion is signed",
        (false, false) => "nothing is signed",
    };
    let (holds, expected) = if demands_response {
        (response_is_signed, "a signed Response")
    } else {
        (response_is_signed || assertion_is_signed, "a signed Response or a signed assertion")
    };
    Outcome::of(holds, FailureCode::SignatureMissing, expected, found)
}
