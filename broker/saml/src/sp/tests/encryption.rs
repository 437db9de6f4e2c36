//! Rules about encrypted assertions: what opens, in which message, and what must come out.

use broker_core::{attribute::AttributeName, failure::FailureCode as F};
use certs::{
    PublicKey,
    xml_encryption::{BlockCipher, Encryption, KeyTransport, encrypt},
};
use certs_xml::{NewElement, namespace::SAML};

use super::*;
use crate::sp::{
    Allowed,
    inspect::{Against, Captured, inspect},
};

const GCM: BlockCipher = BlockCipher::Aes256Gcm;
const CBC: BlockCipher = BlockCipher::Aes256Cbc;

fn recipient() -> &'static PublicKey {
    DECRYPTION[0].public_key()
}

fn encrypted_to(plaintext: &str, recipient: &PublicKey, cipher: BlockCipher) -> String {
    let encryption = Encryption { cipher, ..Encryption::default() };
    let data = encrypt(plaintext.as_bytes(), recipient, encryption).expect("encrypted");
    let holder = NewElement::new(SAML, "EncryptedAssertion").with_child(data);
    let xml = String::from_utf8(holder.to_canonical().expect("writable")).expect("UTF-8");
    // The Issuer before it does not declare the prefix for it, so it stays canonical where it is put.
    assert!(xml.starts_with("<saml:EncryptedAssertion xmlns:saml="));
    xml
}

/// The case's answer with the assertion changed from `from` to `to`, signed as the case says, and encrypted on the way.
fn written(case: &Case, from: &str, to: &str, cipher: BlockCipher) -> String {
    let assertion =
        String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
    let changed = if from.is_empty() { assertion.clone() } else { assertion.replace(from, to) };
    assert!(from.is_empty() || changed != assertion, "{from:?} is not in the assertion");
    let inner = match case.issue.signed {
        Signed::Response => changed,
        Signed::Assertion | Signed::Both => sign_text(&changed, &*KEY),
    };
    with_content(case, &encrypted_to(&inner, recipient(), cipher))
}

/// The case's Response around `content`, signed as the case says.
fn with_content(case: &Case, content: &str) -> String {
    let assertion = case.issue.assertion();
    let bare = String::from_utf8(assertion.to_canonical().expect("writable")).expect("UTF-8");
    let response = case.issue.response(assertion).to_canonical().expect("writable");
    let response = String::from_utf8(response).expect("UTF-8");
    assert!(response.contains(&bare));
    let response = response.replace(&bare, content);
    match case.issue.signed {
        Signed::Assertion => response,
        Signed::Response | Signed::Both => sign_text(&response, &*KEY),
    }
}

fn judged(case: &Case, xml: &str) -> Option<(CheckId, F)> {
    broken_rule(&case.run_xml(xml))
}

const WAYS: [Signed; 3] = [Signed::Response, Signed::Assertion, Signed::Both];

#[test]
fn an_encrypted_assertion_says_what_the_same_in_the_open_says() {
    for signed in WAYS {
        let case = Case::genuine().signed(signed);
        let (open, once) = case.run_xml(&case.written("", "")).result.expect("accepted");
        let (opened, opened_once) = case.run_xml(&written(&case, "", "", GCM)).result.expect("accepted");
        assert_eq!(format!("{:?}", open.value()), format!("{:?}", opened.value()), "{signed:?}");
        assert_eq!(open.value().attributes.single(AttributeName::SubjectId), Some("aa01@granvik.example"));
        assert_eq!(
            opened.value().attributes.single(AttributeName::SubjectId),
            open.value().attributes.single(AttributeName::SubjectId)
        );
        assert_eq!(format!("{once:?}"), format!("{opened_once:?}"), "a second use is seen");
    }
}

#[test]
fn every_cipher_opens_in_a_signed_response_and_gcm_alone_in_an_unsigned_one() {
    for cipher in BlockCipher::ALL {
        for signed in WAYS {
            let case = Case::genuine().signed(signed);
            let expected = (signed == Signed::Assertion && !cipher.is_authenticated())
                .then_some((CheckId::Decryption, F::Undecryptable));
            assert_eq!(judged(&case, &written(&case, "", "", cipher)), expected, "{cipher:?} {signed:?}");
        }
    }
}

#[test]
fn what_the_writer_encrypts_opens() {
    for (signed, transport) in WAYS.into_iter().zip(KeyTransport::ALL) {
        let case = Case::genuine().signed(signed);
        let encryption = Encryption { cipher: GCM, transport };
        let xml = case.issue.issue_encrypted(&*KEY, recipient(), encryption).expect("issued");
        assert_eq!(judged(&case, &String::from_utf8(xml).expect("UTF-8")), None);
    }
    let refused = genuine().issue_encrypted(&*KEY, KEY.public_key(), Encryption::default());
    assert!(refused.is_err(), "nobody encrypts to such a key");
}

#[test]
fn an_encrypted_assertion_in_an_unsigned_response_must_be_signed() {
    let case = Case::genuine().signed(Signed::Assertion);
    let bare = String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
    let xml = with_content(&case, &encrypted_to(&bare, recipient(), GCM));
    assert_eq!(judged(&case, &xml), Some((CheckId::SignaturePresent, F::SignatureMissing)));
    let foreign = sign_text(&bare, &*OTHER_KEY);
    let xml = with_content(&case, &encrypted_to(&foreign, recipient(), GCM));
    assert_eq!(judged(&case, &xml), Some((CheckId::AssertionSignature, F::SignatureInvalid)));
    let changed = sign_text(&bare, &*KEY).replace("aa01@granvik.example", "boss@granvik.example");
    let xml = with_content(&case, &encrypted_to(&changed, recipient(), GCM));
    assert_eq!(judged(&case, &xml), Some((CheckId::AssertionSignature, F::SignatureInvalid)));
}

#[test]
fn a_signature_inside_a_signed_response_must_hold_too() {
    let case = Case::genuine().signed(Signed::Response);
    let bare = String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
    for cipher in [GCM, CBC] {
        let xml = with_content(&case, &encrypted_to(&sign_text(&bare, &*OTHER_KEY), recipient(), cipher));
        let failed = case.run_xml(&xml).steps.into_iter().find_map(|step| match step.verdict {
            Verdict::Failed(code) => Some((step.id, code)),
            _ => None,
        });
        assert_eq!(failed, Some((CheckId::AssertionSignature, F::SignatureInvalid)));
        let xml = with_content(&case, &encrypted_to(&sign_text(&bare, &*KEY), recipient(), cipher));
        assert_eq!(judged(&case, &xml), None);
    }
}

/// A provider that signs around another's ciphertext and changes it must not learn from the refusals what reads and what does not
/// (Jager and Somorovsky, "How to break XML encryption", 2011).
#[test]
fn what_cbc_opens_is_refused_in_one_way_until_it_is_the_signers_own() {
    let case = Case::genuine().signed(Signed::Response);
    let bare = String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
    let refused = |plain: &str, cipher| {
        let run = case.run_xml(&with_content(&case, &encrypted_to(plain, recipient(), cipher)));
        run.result.expect_err("refused")
    };
    let another = |from: &str, to: &str| {
        let changed = bare.replacen(from, to, 1);
        assert_ne!(changed, bare);
        changed
    };
    let foreign = another(IDP, "https://idp.another.example/saml");
    let plaintexts = [
        (foreign.clone(), F::IssuerMismatch),
        (sign_text(&foreign, &*OTHER_KEY), F::SignatureInvalid),
        (another("Version=\"2.0\"", "Version=\"2.1\""), F::VersionUnsupported),
        (another("<saml:Subject>", "<saml:Assertion/><saml:Subject>"), F::AssertionCount),
        ("<a/>".to_owned(), F::Undecryptable),
        ("no XML".to_owned(), F::Undecryptable),
    ];
    for (plain, precise) in plaintexts {
        assert_eq!(refused(&plain, GCM).code, precise, "nothing was changed in it: the cause may be told");
        let veiled = refused(&plain, CBC);
        assert_eq!(veiled.code, F::Undecryptable, "{precise}");
        assert!(!veiled.cause.contains("another.example"), "{}", veiled.cause);
    }
    // Its own people it knows.
    assert_eq!(refused(&another(SP, "https://other.example"), CBC).code, F::AudienceMismatch);
}

#[test]
fn where_a_signed_response_is_demanded_an_unsigned_one_is_not_opened() {
    let mut case = Case::genuine().signed(Signed::Assertion);
    case.settings.require_signed_response = true;
    let run = case.run_xml(&written(&case, "", "", GCM));
    assert_eq!(broken_rule(&run), Some((CheckId::SignaturePresent, F::SignatureMissing)));
    let step = run.steps.iter().find(|step| step.id == CheckId::Decryption).expect("the step");
    assert_eq!(step.verdict, Verdict::NotApplicable);
}

#[test]
fn the_rules_of_the_assertion_hold_for_an_encrypted_one() {
    for (from, to, id) in [
        (IDP, "https://idp.evil.example", CheckId::AssertionIssuer),
        (ACS, "https://evil.example/acs", CheckId::Recipient),
        (SP, "https://other.example", CheckId::Audience),
        (LOA3, "http://id.elegnamnden.se/loa/1.0/loa4", CheckId::AuthnContextAsked),
        ("Version=\"2.0\"", "Version=\"2.1\"", CheckId::AssertionVersion),
    ] {
        for signed in WAYS {
            let case = Case::genuine().signed(signed);
            let broken = judged(&case, &written(&case, from, to, GCM));
            assert_eq!(broken.map(|(rule, _)| rule), Some(id), "{signed:?}");
        }
    }
}

#[test]
fn either_of_two_keys_opens() {
    let mut case = Case::genuine();
    let bare = String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
    let xml = with_content(&case, &encrypted_to(&bare, DECRYPTION[1].public_key(), GCM));
    assert_eq!(judged(&case, &xml), Some((CheckId::Decryption, F::Undecryptable)));
    case.decryption_keys = 2;
    assert_eq!(judged(&case, &xml), None);
    case.decryption_keys = 0;
    assert_eq!(judged(&case, &xml), Some((CheckId::Decryption, F::Undecryptable)));
}

#[test]
fn whatever_a_key_has_to_do_with_is_told_alike() {
    let case = Case::genuine().signed(Signed::Assertion);
    let xml = written(&case, "", "", GCM);
    let value = |nth: usize| {
        let rest = xml.split("<xenc:CipherValue>").nth(nth).expect("a value");
        rest.split_once('<').expect("its end").0.to_owned()
    };
    let mut causes = BTreeSet::new();
    for value in [value(1), value(2)] {
        let octets = STANDARD.decode(&value).expect("Base64");
        for place in [0, 12, 100, octets.len() - 16, octets.len() - 1] {
            let mut changed = octets.clone();
            changed[place] ^= 1;
            let run = case.run_xml(&xml.replace(&value, &STANDARD.encode(changed)));
            assert_eq!(broken_rule(&run), Some((CheckId::Decryption, F::Undecryptable)));
            causes.insert(run.result.err().map(|failure| failure.cause).unwrap_or_default());
        }
        let run = case.run_xml(&xml.replace(&value, &STANDARD.encode(&octets[..octets.len() - 1])));
        causes.insert(run.result.err().map(|failure| failure.cause).unwrap_or_default());
    }
    for plain in ["", "no XML", "<a>", "<!DOCTYPE a><a/>"] {
        let run = case.run_xml(&with_content(&case, &encrypted_to(plain, recipient(), GCM)));
        assert_eq!(broken_rule(&run), Some((CheckId::Decryption, F::Undecryptable)));
        causes.insert(run.result.err().map(|failure| failure.cause).unwrap_or_default());
    }
    let foreign = encrypted_to("<a/>", DECRYPTION[1].public_key(), GCM);
    let run = case.run_xml(&with_content(&case, &foreign));
    causes.insert(run.result.err().map(|failure| failure.cause).unwrap_or_default());
    assert_eq!(causes.len(), 1, "{causes:?}");
}

#[test]
fn pkcs1_key_transport_is_refused_by_name() {
    let case = Case::genuine().signed(Signed::Assertion);
    let xml = written(&case, "", "", GCM).replace("xmlenc#rsa-oaep-mgf1p", "xmlenc#rsa-1_5");
    let run = case.run_xml(&xml);
    assert_eq!(broken_rule(&run), Some((CheckId::Decryption, F::Undecryptable)));
    assert!(run.result.is_err_and(|failure| failure.cause.contains("xmlenc#rsa-1_5")));
}

#[test]
fn what_comes_out_is_one_assertion() {
    let case = Case::genuine();
    let bare = String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
    let judge = |plain: &str| judged(&case, &with_content(&case, &encrypted_to(plain, recipient(), GCM)));
    assert_eq!(judge(&bare), None);
    let undecryptable = Some((CheckId::Decryption, F::Undecryptable));
    assert_eq!(judge(&bare.replace("saml:Assertion", "saml:Assertions")), undecryptable);
    assert_eq!(judge(&bare.replacen("tc:SAML:2.0:assertion", "tc:SAML:1.0:assertion", 1)), undecryptable);
    assert_eq!(judge(&format!("{bare}{}", bare.replace("_assertion1", "_second"))), undecryptable);
    let inner = bare.replace("_assertion1", "_second");
    let nested = bare.replace("</saml:Assertion>", &format!("{inner}</saml:Assertion>"));
    assert_eq!(judge(&nested), Some((CheckId::Decryption, F::AssertionCount)));
    let again = bare.replace("</saml:Assertion>", "<saml:EncryptedAssertion/></saml:Assertion>");
    assert_eq!(judge(&again), Some((CheckId::Decryption, F::AssertionCount)));
    let advice = format!("<saml:Advice>{inner}</saml:Advice><saml:AuthnStatement");
    assert_eq!(judge(&bare.replacen("<saml:AuthnStatement", &advice, 1)), None, "SAML Core 2.6");
    let hidden = sign_text(&bare, &*KEY)
        .replace("<ds:Signature ", "<saml:x><ds:Signature ")
        .replace("</ds:Signature>", "</ds:Signature></saml:x>");
    assert_eq!(judge(&hidden), Some((CheckId::Decryption, F::SignatureInvalid)));
}

#[test]
fn an_assertion_is_encrypted_or_in_the_open_and_there_is_one() {
    for signed in WAYS {
        let case = Case::genuine().signed(signed);
        let bare =
            String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
        let inner = if signed == Signed::Response { bare } else { sign_text(&bare, &*KEY) };
        let second = encrypted_to(&inner.replace("_assertion1", "_second"), recipient(), GCM);
        for content in [
            format!("{inner}{second}"),
            format!("{second}{inner}"),
            format!("{second}{second}"),
            String::new(),
        ] {
            let broken = judged(&case, &with_content(&case, &content));
            assert_eq!(broken, Some((CheckId::AssertionCount, F::AssertionCount)), "{signed:?}");
        }
        // Canonical form declares the prefix once, where it is first used.
        let second = second.replacen(" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "", 1);
        let hidden =
            format!("<saml:x xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{second}</saml:x>");
        let broken = judged(&case, &with_content(&case, &hidden));
        assert_eq!(broken, Some((CheckId::AssertionCount, F::AssertionCount)));
    }
}

#[test]
fn a_prefix_may_be_declared_around_the_ciphertext_in_a_signed_response() {
    let case = Case::genuine();
    let bare = String::from_utf8(case.issue.assertion().to_canonical().expect("writable")).expect("UTF-8");
    let leaning = bare.replacen(" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "", 1);
    for cipher in [GCM, CBC] {
        assert_eq!(judged(&case, &with_content(&case, &encrypted_to(&leaning, recipient(), cipher))), None);
    }
}

#[test]
fn an_attribute_is_not_encrypted_by_itself() {
    let from = "</saml:AttributeStatement>";
    let to = "<saml:EncryptedAttribute></saml:EncryptedAttribute></saml:AttributeStatement>";
    breaks(from, to, CheckId::EncryptedParts, F::EncryptedPart);
}

#[test]
fn nothing_that_was_decrypted_stands_in_the_steps() {
    let case = Case::genuine();
    let run = case.run_xml(&written(&case, "<saml:Conditions ", "<saml:Kondition ", GCM));
    let said = format!("{:?} {:?}", run.steps, run.result.as_ref().err());
    assert!(run.result.is_err());
    assert!(!said.contains("aa01@") && !said.contains("Anna"), "{said}");
}

#[test]
fn an_inspection_opens_with_the_keys_that_it_is_given() {
    let case = Case::genuine();
    let captured = Captured::recognise(written(&case, "", "", GCM).as_bytes());
    let against = Against { audience: Some(SP.into()), ..Against::default() };
    let inspected = |keys: &[DecryptionKey]| {
        inspect(&captured, &case.provider, &case.settings, &against, Allowed::default(), keys, NOW).result
    };
    let seen = inspected(&DECRYPTION[..1]).expect("it opens");
    assert!(seen.attributes.iter().any(|attribute| attribute.values == ["Anna Ålm"]));
    assert!(inspected(&[]).is_err_and(|failure| failure.code == F::Undecryptable));
}
