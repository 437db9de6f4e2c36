//! What they encrypt we open, and what we encrypt they open: `bergshamra-enc` (RustCrypto) and the program `xmlsec1` (libxmlsec1, OpenSSL).

use std::{path::Path, process::Command, sync::LazyLock};

use bergshamra_enc::{EncContext, decrypt::decrypt_to_bytes};
use bergshamra_keys::{Key, KeysManager, loader};
use certs::{
    DecryptionKey, PublicKey, SignatureAlgorithm, Signer as _,
    xml_encryption::{BlockCipher, Enclosing, Encryption, KeyTransport, decrypt, encrypt},
    xml_signature::{Profile, SignedElement, sign_enveloped, verify},
};
use certs_proof::Verified;
use certs_xml::{
    Canonicalization, Document, Limits, NewElement, canonicalize,
    namespace::{DS, SAML, XENC},
};

use crate::{
    documents::{assertion, response},
    judges::Party,
};

static RECIPIENT: LazyLock<Party> = LazyLock::new(|| Party::rsa(2048, SignatureAlgorithm::RsaSha256));
static SIGNER: LazyLock<Party> = LazyLock::new(|| Party::rsa(2048, SignatureAlgorithm::RsaSha256));

fn recipient() -> &'static PublicKey {
    RECIPIENT.key.public_key()
}

fn plaintext() -> String {
    String::from_utf8(assertion("_a").to_canonical().expect("writable")).expect("UTF-8")
}

fn written(element: &NewElement) -> String {
    String::from_utf8(element.to_canonical().expect("writable")).expect("UTF-8")
}

/// What others fill in: everything but the two values.
fn template(encryption: Encryption) -> NewElement {
    let empty = || NewElement::new(XENC, "CipherData").with_child(NewElement::new(XENC, "CipherValue"));
    let key = NewElement::new(XENC, "EncryptedKey")
        .with_child(encryption.transport.method(XENC))
        .with_child(empty());
    NewElement::new(XENC, "EncryptedData")
        .with_attribute("Type", "http://www.w3.org/2001/04/xmlenc#Element")
        .with_child(encryption.cipher.method(XENC))
        .with_child(NewElement::new(DS, "KeyInfo").with_child(key))
        .with_child(empty())
}

/// Puts an `EncryptedData` of others into a Response of ours and signs that, as CBC needs it.
fn carried(encrypted_data: &str) -> Verified<SignedElement> {
    let (_, content) = encrypted_data.rsplit_once("<xenc:CipherValue").expect("a value");
    let value = |text: &str| {
        let (_, rest) = text.split_once('>').expect("a tag");
        rest.split_once('<').expect("its end").0.to_owned()
    };
    let (_, key) = encrypted_data.split_once("<xenc:CipherValue").expect("a value");
    let filled = |octets: String| {
        NewElement::new(XENC, "CipherData").with_child(NewElement::new(XENC, "CipherValue").with_text(octets))
    };
    let method = |from: &str| {
        let (_, rest) = from.split_once("Algorithm=\"").expect("an algorithm");
        rest.split_once('"').expect("its end").0.to_owned()
    };
    let cipher = BlockCipher::from_xml_uri(&method(encrypted_data)).expect("a cipher");
    let transport = KeyTransport::ALL
        .into_iter()
        .find(|transport| encrypted_data.contains(&marks(*transport)))
        .expect("a key transport");
    let encrypted_key = NewElement::new(XENC, "EncryptedKey")
        .with_child(transport.method(XENC))
        .with_child(filled(value(key)));
    let data = NewElement::new(XENC, "EncryptedData")
        .with_attribute("Type", "http://www.w3.org/2001/04/xmlenc#Element")
        .with_child(cipher.method(XENC))
        .with_child(NewElement::new(DS, "KeyInfo").with_child(encrypted_key))
        .with_child(filled(value(content)));
    let holder = NewElement::new(SAML, "EncryptedAssertion").with_child(data);
    let signed = written(&sign_enveloped(response(holder), &SIGNER.key).expect("signed"));
    let document = Document::read(signed.as_bytes(), Limits::message()).expect("reads");
    let keys = [SIGNER.key.public_key().clone()];
    verify(document.root(), &keys, &certs::AlgorithmPolicy::default(), Profile::Message).expect("verifies")
}

/// What only that key transport has in it.
fn marks(transport: KeyTransport) -> String {
    match transport {
        KeyTransport::OaepMgf1p => "rsa-oaep-mgf1p".to_owned(),
        KeyTransport::Oaep(digest) => format!("mgf1{}\"", format!("{digest:?}").to_lowercase()),
    }
}

fn canonical(octets: &[u8]) -> String {
    let document = Document::read(octets, Limits::message()).expect("reads");
    let octets = canonicalize(document.root(), &Canonicalization::exclusive(), None).expect("bounded");
    String::from_utf8(octets).expect("UTF-8")
}

/// What we make of it.
fn ours(encrypted_data: &str) -> String {
    let signed = carried(encrypted_data);
    let document = signed.value().document().expect("reads");
    let holder = document.root().child(SAML.uri(), "EncryptedAssertion").expect("it is there");
    let key = DecryptionKey::from_private_key(&RECIPIENT.key).expect("RSA");
    let opened = decrypt(holder, &[key], Enclosing::Signed(&signed), Limits::message()).expect("it opens");
    let octets = canonicalize(opened.element(), &Canonicalization::exclusive(), None).expect("bounded");
    String::from_utf8(octets).expect("UTF-8")
}

fn every_way() -> impl Iterator<Item = Encryption> {
    let ciphers = BlockCipher::ALL.into_iter().map(|cipher| Encryption { cipher, ..Encryption::default() });
    ciphers.chain(
        KeyTransport::ALL.into_iter().map(|transport| Encryption { transport, ..Encryption::default() }),
    )
}

fn bergshamra(key: Key) -> EncContext {
    let mut manager = KeysManager::new();
    manager.add_key(key);
    EncContext::new(manager)
}

#[test]
fn what_we_encrypt_bergshamra_opens() {
    let pem = RECIPIENT.key.to_pkcs8_pem().expect("an exportable key");
    let context = bergshamra(loader::load_pem_auto(pem.as_bytes(), None).expect("a key that it reads"));
    for encryption in every_way() {
        let data = encrypt(plaintext().as_bytes(), recipient(), encryption).expect("encrypted");
        let opened = decrypt_to_bytes(&context, &written(&data))
            .unwrap_or_else(|error| panic!("{encryption:?}: {error}"));
        // Both write what they decrypted anew, as a document.
        assert!(canonical(&opened) == plaintext(), "{encryption:?}");
    }
}

#[test]
fn what_bergshamra_encrypts_we_open() {
    let context = bergshamra(loader::load_x509_cert_der(&RECIPIENT.certificate).expect("a certificate"));
    for encryption in every_way() {
        let data = bergshamra_enc::encrypt::encrypt(
            &context,
            &written(&template(encryption)),
            plaintext().as_bytes(),
        )
        .unwrap_or_else(|error| panic!("{encryption:?}: {error}"));
        assert_eq!(ours(&data), plaintext(), "{encryption:?}");
    }
}

/// The version in Debian 12 (1.2.37) has no `xmlenc11#rsa-oaep`.
fn ways_of_xmlsec1() -> impl Iterator<Item = Encryption> {
    every_way().filter(|encryption| encryption.transport == KeyTransport::OaepMgf1p)
}

fn xmlsec1(folder: &Path, arguments: &[&str]) -> String {
    let run = Command::new("xmlsec1").current_dir(folder).args(arguments).output();
    let run = run.expect("xmlsec1 is installed: tests/run install");
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("UTF-8")
}

fn pem(label: &str, der: &[u8]) -> String {
    certs::certificate::certificate_pem(der).replace("CERTIFICATE", label)
}

#[test]
fn what_we_encrypt_xmlsec1_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = RECIPIENT.key.to_pkcs8_pem().expect("an exportable key");
    std::fs::write(folder.path().join("key.pem"), key.as_bytes()).expect("a file");
    for encryption in ways_of_xmlsec1() {
        let data = encrypt(plaintext().as_bytes(), recipient(), encryption).expect("encrypted");
        std::fs::write(folder.path().join("data.xml"), written(&data)).expect("a file");
        let opened = xmlsec1(folder.path(), &["--decrypt", "--privkey-pem", "key.pem", "data.xml"]);
        assert!(canonical(opened.as_bytes()) == plaintext(), "{encryption:?}");
    }
}

#[test]
fn what_xmlsec1_encrypts_we_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    put("certificate.pem", &pem("CERTIFICATE", &RECIPIENT.certificate));
    put("plain.xml", &plaintext());
    for encryption in ways_of_xmlsec1() {
        put("template.xml", &written(&template(encryption)));
        let session = format!("aes-{}", encryption.cipher.key_octets() * 8);
        let data = xmlsec1(
            folder.path(),
            &[
                "--encrypt",
                "--pubkey-cert-pem",
                "certificate.pem",
                "--session-key",
                &session,
                "--xml-data",
                "plain.xml",
                "template.xml",
            ],
        );
        assert_eq!(ours(&data), plaintext(), "{encryption:?}");
    }
}
