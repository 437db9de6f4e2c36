//! What is encrypted to us opens, each algorithm; what is not is refused, and whatever a key had to do with looks like one refusal.

use std::sync::LazyLock;

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_xml::{
    NewElement,
    namespace::{SAML, SAMLP, XENC},
};

use super::*;
use crate::{
    AlgorithmPolicy, DigestAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm, Signer as _,
    xml_signature::{Profile, sign_enveloped, verify},
};

const PLAIN: &str = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a\">Åsa &amp; Ö</saml:Assertion>";

static SIGNER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate_p256().expect("a key"));
static KEYS: LazyLock<[DecryptionKey; 3]> = LazyLock::new(|| [key(), key(), key()]);

fn key() -> DecryptionKey {
    let key = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key");
    DecryptionKey::from_private_key(&key).expect("RSA")
}

fn ours() -> &'static [DecryptionKey] {
    &KEYS[..1]
}

fn encrypted(plain: &str, cipher: BlockCipher, transport: KeyTransport) -> String {
    encrypted_to(plain, KEYS[0].public_key(), Encryption { cipher, transport })
}

fn encrypted_to(plain: &str, recipient: &PublicKey, encryption: Encryption) -> String {
    let data = encrypt(plain.as_bytes(), recipient, encryption).expect("encrypted");
    let holder = NewElement::new(SAML, "EncryptedAssertion").with_child(data);
    String::from_utf8(holder.to_canonical().expect("writable")).expect("UTF-8")
}

fn gcm() -> String {
    encrypted(PLAIN, BlockCipher::Aes256Gcm, KeyTransport::OaepMgf1p)
}

fn cbc() -> String {
    encrypted(PLAIN, BlockCipher::Aes256Cbc, KeyTransport::OaepMgf1p)
}

/// What comes out of an unsigned message: the element, canonical, or the rule that refused it.
fn opened(xml: &str, keys: &[DecryptionKey]) -> Result<String, DecryptionRefused> {
    let document = Document::read(xml.as_bytes(), Limits::message()).expect("reads");
    decrypt(document.root(), keys, Enclosing::Unsigned, Limits::message()).map(text)
}

fn text(decrypted: Decrypted) -> String {
    let exclusive = certs_xml::Canonicalization::exclusive();
    let octets = certs_xml::canonicalize(decrypted.element(), &exclusive, None).expect("bounded");
    String::from_utf8(octets).expect("UTF-8")
}

/// A Response that holds `inner`, signed and verified.
fn signed(inner: &str) -> Verified<SignedElement> {
    let placed = NewElement::new(SAMLP, "Response")
        .with_attribute("ID", "_r")
        .with_child(NewElement::new(SAML, "Issuer").with_text("https://idp.example"));
    let shell = String::from_utf8(placed.to_canonical().expect("writable")).expect("UTF-8");
    // Canonical form declares a namespace again where it was not in scope, so the text can be put in as it is.
    let whole = shell.replace("</samlp:Response>", &format!("{inner}</samlp:Response>"));
    let digest = STANDARD.encode(DigestAlgorithm::Sha256.digest(whole.as_bytes()));
    let template = sign_enveloped(placed, &*SIGNER).expect("signed").to_canonical().expect("writable");
    let template = String::from_utf8(template).expect("UTF-8");
    let (_, rest) = template.split_once("<ds:DigestValue>").expect("a digest");
    let (old_digest, _) = rest.split_once("</ds:DigestValue>").expect("its end");
    let (_, rest) = template.split_once("<ds:SignedInfo>").expect("what is signed");
    let (info, _) = rest.split_once("</ds:SignedInfo>").expect("its end");
    let info = info.replace(old_digest, &digest);
    let signed_info =
        format!("<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}</ds:SignedInfo>");
    let value = STANDARD.encode(SIGNER.sign(signed_info.as_bytes()).expect("signs"));
    let signature = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>{info}</ds:SignedInfo>\
         <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
    );
    let message = whole.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1);
    let document = Document::read(message.as_bytes(), Limits::message()).expect("reads");
    let keys = [SIGNER.public_key().clone()];
    verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Message).expect("verifies")
}

/// The same inside a signed message.
fn opened_in_signed(inner: &str, keys: &[DecryptionKey]) -> Result<String, DecryptionRefused> {
    let signed = signed(inner);
    let document = signed.value().document().expect("reads");
    let holder = document.root().child(SAML.uri(), "EncryptedAssertion").expect("it is there");
    decrypt(holder, keys, Enclosing::Signed(&signed), Limits::message()).map(text)
}

/// Both CipherValues, the wrapped key first.
fn values(xml: &str) -> [String; 2] {
    let mut found = xml.split("<xenc:CipherValue>").skip(1);
    [(); 2].map(|()| found.next().and_then(|rest| rest.split_once('<')).expect("a value").0.to_owned())
}

fn with_value(xml: &str, index: usize, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let value = &values(xml)[index];
    let mut octets = STANDARD.decode(value).expect("Base64");
    change(&mut octets);
    xml.replace(value.as_str(), &STANDARD.encode(octets))
}

#[test]
fn every_cipher_opens_in_a_signed_message() {
    for cipher in BlockCipher::ALL {
        let xml = encrypted(PLAIN, cipher, KeyTransport::OaepMgf1p);
        assert_eq!(opened_in_signed(&xml, ours()).as_deref(), Ok(PLAIN), "{cipher:?}");
    }
}

#[test]
fn every_key_transport_opens() {
    for transport in KeyTransport::ALL {
        let xml = encrypted(PLAIN, BlockCipher::Aes128Gcm, transport);
        assert_eq!(opened(&xml, ours()).as_deref(), Ok(PLAIN), "{transport:?}");
    }
}

#[test]
fn gcm_alone_opens_in_an_unsigned_message() {
    for cipher in BlockCipher::ALL {
        let expected = if cipher.is_authenticated() {
            Ok(PLAIN.to_owned())
        } else {
            Err(DecryptionRefused::Unsigned(cipher))
        };
        let xml = encrypted(PLAIN, cipher, KeyTransport::OaepMgf1p);
        // Also without any key of ours: refused before a key is looked at.
        assert_eq!(opened(&xml, ours()), expected);
        if !cipher.is_authenticated() {
            assert_eq!(opened(&xml, &[]), expected);
        }
    }
}

#[test]
fn the_signature_must_be_over_the_very_document_that_holds_the_ciphertext() {
    let (other, xml) = (signed(&gcm()), cbc());
    let document = Document::read(xml.as_bytes(), Limits::message()).expect("reads");
    let refused = decrypt(document.root(), ours(), Enclosing::Signed(&other), Limits::message()).err();
    assert_eq!(refused, Some(DecryptionRefused::Unsigned(BlockCipher::Aes256Cbc)));
}

#[test]
fn either_of_two_keys_opens_and_a_stranger_does_not() {
    let second = encrypted_to(PLAIN, KEYS[1].public_key(), Encryption::default());
    assert_eq!(opened(&second, &KEYS[..2]).as_deref(), Ok(PLAIN));
    assert_eq!(opened(&gcm(), &KEYS[..2]).as_deref(), Ok(PLAIN));
    assert_eq!(opened(&second, ours()), Err(DecryptionRefused::Failed));
    assert_eq!(opened(&second, &[]), Err(DecryptionRefused::NoKey));
}

fn encrypted_key(xml: &str) -> &str {
    let start = xml.find("<xenc:EncryptedKey").expect("a key");
    let end = xml.find("</xenc:EncryptedKey>").expect("its end") + "</xenc:EncryptedKey>".len();
    &xml[start..end]
}

#[test]
fn every_wrapped_key_is_tried_up_to_four() {
    let xml = gcm();
    let own = encrypted_key(&xml);
    let foreign = encrypted_to(PLAIN, KEYS[2].public_key(), Encryption::default());
    let foreign = encrypted_key(&foreign);
    let several = |count: usize| xml.replace(own, &format!("{}{own}", foreign.repeat(count)));
    assert_eq!(opened(&several(3), &KEYS[..2]).as_deref(), Ok(PLAIN));
    assert_eq!(opened(&several(4), &KEYS[..2]), Err(DecryptionRefused::TooManyKeys { limit: 4 }));
}

#[test]
fn the_wrapped_key_may_stand_beside_the_content() {
    let xml = gcm();
    let key = encrypted_key(&xml).replace("<xenc:EncryptedKey>", "<xenc:EncryptedKey Id=\"_k\">");
    let pointer = "<ds:RetrievalMethod Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\" URI=\"#_k\"/>";
    let declared = key.replace(
        "<xenc:EncryptedKey",
        "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"",
    );
    for inside in [pointer, ""] {
        let beside = xml
            .replace(encrypted_key(&xml), inside)
            .replace("</xenc:EncryptedData>", &format!("</xenc:EncryptedData>{declared}"));
        assert_eq!(opened(&beside, ours()).as_deref(), Ok(PLAIN), "{inside}");
    }
    assert_eq!(
        opened(&xml.replace(encrypted_key(&xml), pointer), ours()),
        Err(DecryptionRefused::Structure("EncryptedKey")),
        "a pointer to nowhere"
    );
}

#[test]
fn algorithms_outside_the_list_are_refused_by_name_before_a_key_is_used() {
    let xml = gcm();
    let old = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
    for transport in [
        "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        "http://www.w3.org/2001/04/xmlenc#kw-aes256",
        "http://www.w3.org/2009/xmlenc11#dh-es",
        "",
    ] {
        let refused = opened(&xml.replace(old, transport), &[]);
        assert_eq!(refused, Err(DecryptionRefused::Algorithm(transport.into())));
    }
    for cipher in
        ["http://www.w3.org/2001/04/xmlenc#tripledes-cbc", "http://www.w3.org/2009/xmlenc11#chacha20", ""]
    {
        let refused = opened(&xml.replace(BlockCipher::Aes256Gcm.xml_uri(), cipher), &[]);
        assert_eq!(refused, Err(DecryptionRefused::Algorithm(cipher.into())));
    }
}

#[test]
fn a_digest_and_a_mask_function_that_differ_are_refused_by_name() {
    let sha256 = |xml: &str| xml.replace(DigestAlgorithm::Sha1.xml_uri(), DigestAlgorithm::Sha256.xml_uri());
    let Err(DecryptionRefused::Algorithm(said)) = opened(&sha256(&gcm()), &[]) else { panic!("accepted") };
    assert_eq!(said, "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p with Sha256 and MGF1 with Sha1");
    let xml = encrypted(PLAIN, BlockCipher::Aes256Gcm, KeyTransport::Oaep(DigestAlgorithm::Sha256));
    for (mask, rule) in [("mgf1sha1", "encryption.algorithm"), ("mgf1sha224", "encryption.algorithm")] {
        let refused = opened(&xml.replace("mgf1sha256", mask), &[]).err();
        assert_eq!(refused.map(|refused| refused.rule()), Some(rule));
    }
}

#[test]
fn a_digest_that_is_not_said_is_sha1() {
    let xml = gcm();
    let said = "<ds:DigestMethod xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"></ds:DigestMethod>";
    let bare = xml
        .replace(said, "")
        .replace(&said.replace(" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", ""), "");
    assert!(!bare.contains("DigestMethod"));
    assert_eq!(opened(&bare, ours()).as_deref(), Ok(PLAIN));
}

#[test]
fn an_oaep_label_is_used() {
    let recipient = PublicEncryptingKey::from_der(KEYS[0].public_key().spki_der()).expect("RSA");
    let recipient = OaepPublicEncryptingKey::new(recipient).expect("RSA");
    let mut room = vec![0; recipient.ciphertext_size()];
    let key = [7; 32];
    let wrapped = recipient.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut room, Some(b"label")).expect("wrapped");
    let sealed = block::seal(BlockCipher::Aes256Gcm, &key, PLAIN.as_bytes()).expect("sealed");
    let xml = gcm();
    let [old_key, old_content] = values(&xml);
    let xml =
        xml.replace(&old_key, &STANDARD.encode(wrapped)).replace(&old_content, &STANDARD.encode(sealed));
    let label = format!("<xenc:OAEPparams>{}</xenc:OAEPparams><ds:DigestMethod", STANDARD.encode("label"));
    assert_eq!(opened(&xml.replacen("<ds:DigestMethod", &label, 1), ours()).as_deref(), Ok(PLAIN));
    assert_eq!(opened(&xml, ours()), Err(DecryptionRefused::Failed));
}

#[test]
fn whatever_a_key_has_to_do_with_is_one_refusal() {
    type Change = fn(&mut Vec<u8>);
    let changes: [Change; 8] = [
        |octets| octets[0] ^= 1,
        |octets| octets[13] ^= 1,
        |octets| *octets.last_mut().expect("an octet") ^= 1,
        |octets| *octets.last_mut().expect("an octet") ^= 0x80,
        |octets| octets.truncate(octets.len() - 1),
        |octets| octets.truncate(16),
        |octets| octets.clear(),
        |octets| octets.extend([0; 16]),
    ];
    for (index, change) in (0..2).flat_map(|index| changes.iter().map(move |change| (index, change))) {
        assert_eq!(opened(&with_value(&gcm(), index, change), ours()), Err(DecryptionRefused::Failed));
        // In CBC a changed octet may still decipher to something that reads: that is why it must be signed.
        let changed = opened_in_signed(&with_value(&cbc(), index, change), ours());
        assert!(changed == Err(DecryptionRefused::Failed) || (index == 1 && changed.is_ok()), "{changed:?}");
    }
}

#[test]
fn a_plaintext_that_does_not_read_is_the_same_refusal() {
    let large = format!("<a>{}</a>", "x".repeat(200));
    for plain in [
        "",
        "text",
        "<a/><b/>",
        "<a>",
        "<!DOCTYPE a><a/>",
        "<?pi?><a/>",
        "<p:a/>",
        "<saml:a/></in-context><in-context>",
        "<saml:a/><saml:b/>",
        "<saml:a/>text",
        &large.replace("<a>", "<a b='1' b='2'>"),
    ] {
        let xml = encrypted(plain, BlockCipher::Aes256Gcm, KeyTransport::OaepMgf1p);
        assert_eq!(opened(&xml, ours()), Err(DecryptionRefused::Failed), "{plain}");
        let xml = encrypted(plain, BlockCipher::Aes256Cbc, KeyTransport::OaepMgf1p);
        assert_eq!(opened_in_signed(&xml, ours()), Err(DecryptionRefused::Failed), "{plain}");
    }
    let xml = encrypted(&large, BlockCipher::Aes256Gcm, KeyTransport::OaepMgf1p);
    let document = Document::read(xml.as_bytes(), Limits::message()).expect("reads");
    let small = Limits { octets: 100, ..Limits::message() };
    let refused = decrypt(document.root(), ours(), Enclosing::Unsigned, small).err();
    assert_eq!(refused, Some(DecryptionRefused::Failed), "the limits hold for the plaintext");
}

/// Enciphers `plain`, which must be whole blocks, without any padding of its own.
fn cbc_of(plain: &[u8]) -> String {
    let recipient = PublicEncryptingKey::from_der(KEYS[0].public_key().spki_der()).expect("RSA");
    let recipient = OaepPublicEncryptingKey::new(recipient).expect("RSA");
    let mut room = vec![0; recipient.ciphertext_size()];
    let wrapped = recipient.encrypt(&OAEP_SHA1_MGF1SHA1, &[7; 32], &mut room, None).expect("wrapped");
    let key =
        EncryptingKey::cbc(UnboundCipherKey::new(&AES_256, &[7; 32]).expect("a key")).expect("a cipher");
    let mut octets = plain.to_vec();
    let iv = [9; 16];
    key.less_safe_encrypt(&mut octets, EncryptionContext::Iv128(FixedLength::from(iv))).expect("enciphered");
    let xml = cbc();
    let [old_key, old_content] = values(&xml);
    let content = [iv.as_slice(), &octets].concat();
    xml.replace(&old_key, &STANDARD.encode(wrapped)).replace(&old_content, &STANDARD.encode(content))
}

#[test]
fn padding_is_whatever_its_last_octet_says_up_to_a_block() {
    let padded = |padding: &[u8]| {
        opened_in_signed(&cbc_of(&[b"<a>".as_slice(), b"123456789", b"</a>", padding].concat()), ours())
    };
    let plain = Ok("<a>123456789</a>".to_owned());
    let mut random = [0xA5; 16];
    random[15] = 16;
    assert_eq!(padded(&random), plain, "XML Encryption 5.2: the other octets are arbitrary");
    assert_eq!(padded(&[16; 16]), plain);
    for last in [0, 17, 32, 0x80, 0xFF] {
        random[15] = last;
        assert_eq!(padded(&random), Err(DecryptionRefused::Failed), "{last}");
    }
    // What would read, were it not for the padding.
    assert_eq!(padded(b"               \0"), Err(DecryptionRefused::Failed));
    assert_eq!(padded(b"                "), Err(DecryptionRefused::Failed), "a space is 32");
    assert_eq!(padded(&[b" ".repeat(15), vec![1]].concat()), plain);
}

#[test]
fn prefixes_may_be_declared_around_the_ciphertext() {
    let bare = PLAIN.replace(" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "");
    for cipher in [BlockCipher::Aes256Gcm, BlockCipher::Aes256Cbc] {
        let xml = encrypted(&bare, cipher, KeyTransport::OaepMgf1p);
        assert_eq!(opened_in_signed(&xml, ours()).as_deref(), Ok(PLAIN));
    }
}

#[test]
fn what_is_not_as_saml_has_it_is_refused() {
    let xml = gcm();
    let structure = |name| Err(DecryptionRefused::Structure(name));
    let [_, content] = values(&xml);
    let cases = [
        (xml.replace("#Element\"", "#Content\""), structure("EncryptedData")),
        (
            xml.replace("<saml:EncryptedAssertion ", "<saml:EncryptedAssertion a=\"1\" ")
                .replace("</saml:E", "x</saml:E"),
            structure("EncryptedData"),
        ),
        (xml.replace("</saml:E", "<saml:Issuer/></saml:E"), structure("EncryptedData")),
        (xml.replace("xenc:EncryptedData", "xenc:EncryptedDatum"), structure("EncryptedData")),
        (xml.replace(&content, "*"), structure("CipherValue")),
        (xml.replace(&content, "<!-- x -->"), structure("CipherValue")),
        (xml.replace("xenc:CipherData", "xenc:CipherDatum"), structure("EncryptedData")),
        (xml.replace("xenc:CipherValue", "xenc:CipherReference"), Err(DecryptionRefused::Reference)),
        (xml.replace(encrypted_key(&xml), ""), structure("EncryptedKey")),
    ];
    for (changed, expected) in cases {
        assert_ne!(changed, xml);
        assert_eq!(opened(&changed, ours()), expected);
    }
    let twice = xml.replace(
        "</saml:E",
        "<xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"/></saml:E",
    );
    assert_eq!(opened(&twice, ours()), structure("EncryptedData"));
    // The type may be left out, and base64 may be folded.
    let untyped = xml.replace(" Type=\"http://www.w3.org/2001/04/xmlenc#Element\"", "");
    assert_eq!(opened(&untyped, ours()).as_deref(), Ok(PLAIN));
    let folded = xml.replace(&content, &format!("\n  {}\n{}\n", &content[..8], &content[8..]));
    assert_eq!(opened(&folded, ours()).as_deref(), Ok(PLAIN));
}

#[test]
fn a_key_in_a_way_that_we_refuse_does_not_hide_one_that_we_accept() {
    let xml = gcm();
    let own = encrypted_key(&xml);
    let old = own.replace("xmlenc#rsa-oaep-mgf1p", "xmlenc#rsa-1_5");
    assert_eq!(opened(&xml.replace(own, &format!("{old}{own}")), ours()).as_deref(), Ok(PLAIN));
}

#[test]
fn two_encryptions_of_the_same_share_nothing() {
    let (one, two) = (gcm(), gcm());
    let ([key, content], [other_key, other_content]) = (values(&one), values(&two));
    assert_ne!(key, other_key);
    assert_ne!(&content[..16], &other_content[..16], "the IV");
    assert_ne!(content, other_content);
}

#[test]
fn nothing_is_encrypted_to_a_key_that_cannot_decrypt() {
    let refused = encrypt(b"<a/>", SIGNER.public_key(), Encryption::default()).err();
    assert_eq!(refused, Some(CannotEncrypt::Key));
}

#[test]
fn metadata_says_each_algorithm_as_messages_do() {
    use certs_xml::namespace::MD;
    for transport in KeyTransport::ALL {
        let [message, metadata] = [XENC, MD].map(|namespace| {
            let octets = transport.method(namespace).to_canonical().expect("writable");
            String::from_utf8(octets).expect("UTF-8")
        });
        let said =
            |text: &str| text.split_once(" Algorithm=").map(|(_, said)| said.replace("xenc:Enc", "md:Enc"));
        assert!(metadata.starts_with("<md:EncryptionMethod xmlns:md="));
        assert_eq!(said(&message), said(&metadata));
    }
}

#[test]
fn debug_shows_no_content() {
    let document = gcm();
    let document = Document::read(document.as_bytes(), Limits::message()).expect("reads");
    let decrypted = decrypt(document.root(), ours(), Enclosing::Unsigned, Limits::message()).expect("opens");
    assert!(!format!("{decrypted:?}").contains("Åsa"));
}
