//! A SAML Response, posted (`broker_saml::sp`).
//!
//! `f`: the form as it came. `x`: the XML as it came. `R`, `A`, `B`: XML that the identity provider signs before it is posted: the
//! Response, the assertion, or both. `E`, `G`, `C`: XML whose assertion it signs and encrypts, with nothing around it; encrypts (GCM) in
//! a Response that it signs; or signs and encrypts (CBC) in one that it signs.

use std::{collections::HashSet, sync::LazyLock};

use broker_core::{
    moment::Timestamp,
    result::AuthenticationResult,
    role::{Completion, Inbound, Upstream as _},
    subject::SubjectSource,
};
use broker_saml::binding::post;
use certs::{
    AlgorithmPolicy, Signer as _,
    query_signature::MessageParameter,
    xml_encryption::BlockCipher,
    xml_signature::{Profile, SignedElement, verify},
};
use certs_xml::{Document, Limits, namespace::SAML};

use crate::{
    meant,
    scene::{HANDLE, IDP, SCENE, moment},
    seeds,
    sign::{Signed, encrypted, signed},
    xml::{values, writes_what_it_reads},
};

/// What the identity provider signed for the corpus, in canonical form and without the signatures in it, which differ every time.
static SIGNED: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let mut all = HashSet::new();
    for xml in seeds::responses() {
        let document = Document::read(xml.as_bytes(), Limits::message()).expect("a seed reads");
        all.extend(vouched_for(&document).map(|element| bare(element.canonical())));
    }
    all
});

/// Canonical octets without the signature of the assertion.
fn bare(canonical: &[u8]) -> String {
    const END: &str = "</ds:Signature>";
    let text = String::from_utf8_lossy(canonical).into_owned();
    let (start, end) = (text.find("<ds:Signature "), text.find(END));
    match (start, end) {
        (Some(start), Some(end)) if start < end => [&text[..start], &text[end + END.len()..]].concat(),
        _ => text,
    }
}

/// What is known of what the identity provider signed.
enum Clear {
    /// It is of the corpus, if anything.
    Corpus,
    /// It was signed just now.
    Now,
    /// It was signed just now, and this is what it was before it was encrypted.
    Before(String),
}

/// What must hold of any input.
pub fn body(octets: &[u8]) {
    let Some((letter, rest)) = meant(octets, b"fxRABEGC") else { return };
    let key = &SCENE.provider_key;
    let plainly = |how| signed(rest, how, key).map(|xml| (form(xml.as_bytes()), Clear::Now));
    let hidden = |how, cipher| {
        encrypted(rest, how, key, SCENE.recipient(), cipher)
            .map(|(xml, clear)| (form(xml.as_bytes()), Clear::Before(clear)))
    };
    let sent = match letter {
        b'f' => Some((rest.to_vec(), Clear::Corpus)),
        b'x' => Some((form(rest), Clear::Corpus)),
        b'R' => plainly(Signed::Root),
        b'A' => plainly(Signed::Assertion),
        b'B' => plainly(Signed::Both),
        b'E' => hidden(Signed::Assertion, BlockCipher::Aes256Gcm),
        b'G' => hidden(Signed::Root, BlockCipher::Aes256Gcm),
        _ => hidden(Signed::Both, BlockCipher::Aes256Cbc),
    };
    let Some((form, clear)) = sent else { return };
    if let Ok(posted) = post::decode(&form, MessageParameter::Response)
        && let Ok(document) = Document::read(&posted.xml, Limits::message())
    {
        writes_what_it_reads(&document);
    }
    let message = Inbound { path: "/saml/acs".to_owned(), form: Some(form), ..Inbound::default() };
    let handle = SCENE.sp().handle(&message);
    let first = complete(&message);
    if let Ok(accepted) = &first {
        assert_eq!(handle, Ok(Some(HANDLE.to_owned())), "an answer to our request leads back to it");
        vouched(accepted, &message, &clear);
        assert!(first == complete(&message), "one message read twice says the same");
    }
}

pub(crate) fn form(xml: &[u8]) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let xml = STANDARD.encode(xml);
    form_urlencoded::Serializer::new(String::new()).append_pair("SAMLResponse", &xml).finish().into_bytes()
}

/// What the broker takes out of a Response that is posted to it; else the name of the failure.
///
/// # Errors
/// When it refuses the Response.
pub fn accepted(xml: &[u8]) -> Result<AuthenticationResult, String> {
    complete(&Inbound { path: "/saml/acs".to_owned(), form: Some(form(xml)), ..Inbound::default() })
}

fn complete(message: &Inbound) -> Result<AuthenticationResult, String> {
    match SCENE.sp().complete(message, &IDP.into(), &SCENE.remembered, moment()) {
        Ok(Completion::Done { result, once }) => {
            assert!(once.until > moment().now, "a message that is accepted can be marked as used");
            Ok((*result).into_value())
        }
        Ok(Completion::WishRefused(refusal)) => Err(refusal.code.to_string()),
        Ok(Completion::Fetch { .. }) => panic!("a posted answer has nothing to fetch"),
        Err(failure) => Err(failure.code.to_string()),
    }
}

/// What a good signature of the identity provider stands for in this document: the whole, or its assertion.
fn vouched_for(document: &Document) -> impl Iterator<Item = SignedElement> {
    let keys = [SCENE.provider_key.public_key().clone()];
    let root = document.root();
    let held = [Some(root), root.child(SAML.uri(), "Assertion")].map(move |element| {
        let verified = verify(element?, &keys, &AlgorithmPolicy::default(), Profile::Message);
        verified.ok().map(certs_proof::Verified::into_value)
    });
    held.into_iter().flatten()
}

/// Everything that was read of the person stands in octets that the identity provider signed.
fn vouched(accepted: &AuthenticationResult, message: &Inbound, clear: &Clear) {
    let posted = message.form.as_deref().map(|form| post::decode(form, MessageParameter::Response));
    let Some(Ok(posted)) = posted else { panic!("what was accepted has a form with a message") };
    let xml = match clear {
        Clear::Before(xml) => xml.as_bytes(),
        Clear::Corpus | Clear::Now => &posted.xml,
    };
    let received = Document::read(xml, Limits::message()).expect("what was accepted reads");
    let outermost = vouched_for(&received).next().and_then(|element| element.document().ok());
    let document = match (outermost, clear) {
        (Some(document), Clear::Corpus) => {
            let canonical = bare(document.source().as_bytes());
            assert!(SIGNED.contains(&canonical), "nobody signed what was accepted");
            document
        }
        (Some(document), Clear::Now | Clear::Before(_)) => document,
        // The signature is around the ciphertext; it was made over nothing else than this.
        (None, Clear::Before(_)) => received,
        (None, Clear::Corpus | Clear::Now) => panic!("what was accepted carries a good signature"),
    };
    let signed = values(&document);
    let stands = |value: &str| assert!(signed.contains(value), "a value that nobody signed");
    accepted.attributes.iter().flat_map(|(_, values)| values).for_each(|value| stands(value));
    assert!(accepted.provider == IDP.into(), "the answer is of the provider that was asked");
    for subject in &accepted.subjects {
        if subject.source == SubjectSource::PersistentNameId {
            // Issuer, we and the value, each behind its length.
            let value = signed.iter().any(|text| subject.value.ends_with(&format!("{}:{text}", text.len())));
            assert!(value, "a NameID that nobody signed");
        } else {
            stands(&subject.value);
        }
    }
    stands(accepted.assurance.as_ref().expect("a level").as_str());
    let times: HashSet<Timestamp> = signed.iter().filter_map(|text| Timestamp::from_rfc3339(text)).collect();
    assert!(times.contains(&accepted.authenticated_at), "a time of authentication that nobody signed");
    assert!(accepted.session_ends.is_none_or(|end| times.contains(&end)), "an end that nobody signed");
    accepted.authorities.iter().for_each(|authority| stands(authority));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_get_to_the_end() {
        for xml in seeds::responses() {
            let message = Inbound {
                path: "/saml/acs".to_owned(),
                form: Some(form(xml.as_bytes())),
                ..Inbound::default()
            };
            let accepted = complete(&message).expect("a genuine answer is accepted");
            assert_eq!(accepted.attributes.iter().count(), 3);
            vouched(&accepted, &message, &Clear::Corpus);
        }
    }

    #[test]
    fn encrypted_answers_get_to_the_end() {
        let response = include_bytes!("scene/response.xml");
        for (how, cipher) in [
            (Signed::Assertion, BlockCipher::Aes256Gcm),
            (Signed::Root, BlockCipher::Aes256Gcm),
            (Signed::Both, BlockCipher::Aes256Cbc),
        ] {
            let (xml, _) =
                encrypted(response, how, &SCENE.provider_key, SCENE.recipient(), cipher).expect("encrypted");
            let outcome = accepted(xml.as_bytes());
            assert!(outcome.is_ok(), "{how:?} {cipher:?}: {:?}", outcome.err());
        }
    }

    #[test]
    #[should_panic(expected = "nobody signed what was accepted")]
    fn an_answer_that_is_not_of_the_corpus_is_noticed() {
        let unsigned = include_str!("scene/response.xml").replace("_response1", "_response2");
        let xml = signed(unsigned.as_bytes(), Signed::Root, &SCENE.provider_key).expect("signed");
        body(&[b"x".as_slice(), xml.as_bytes()].concat());
    }
}
