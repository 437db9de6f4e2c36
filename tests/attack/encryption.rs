//! Encrypted assertions. Anybody can encrypt to us, so a ciphertext proves nothing; and whatever does not open must look like every other cryptographic
//! failure, or the broker becomes an oracle. `kit::Bench::refused` holds the page, its status and the relying party's answer of each against the others.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{
    DigestAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm, Signer as _,
    xml_encryption::{BlockCipher, Encryption, KeyTransport, encrypt},
};

use super::kit::{EVIL, Expected, GENUINE, Scene, Signing, Vector, last_replaced, part, replaced};

const CLOSED: &[&str] = &["provider.undecryptable"];
const INVALID: &[&str] = &["provider.signature_invalid"];
const MISSING: &[&str] = &["provider.signature_missing"];
const COUNT: &[&str] = &["provider.assertion_count"];
const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const CIPHER_VALUE: &str = "<xenc:CipherValue>";

const GCM: Encryption = Encryption { cipher: BlockCipher::Aes256Gcm, transport: KeyTransport::OaepMgf1p };
const CBC: Encryption = Encryption { cipher: BlockCipher::Aes256Cbc, transport: KeyTransport::OaepMgf1p };

fn assertion_in(text: &str) -> String {
    part(text, "<saml:Assertion ", "</saml:Assertion>")
}

/// Octets, encrypted as an assertion would be.
fn sealed_to(recipient: &PublicKey, plain: &[u8], encryption: Encryption) -> String {
    let data = encrypt(plain, recipient, encryption).expect("encrypted").to_canonical().expect("written");
    let data = String::from_utf8(data).expect("UTF-8");
    format!("<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{data}</saml:EncryptedAssertion>")
}

fn sealed(scene: &Scene<'_>, plain: &str, encryption: Encryption) -> String {
    sealed_to(&scene.encryption, plain.as_bytes(), encryption)
}

/// The genuine answer, not signed, with something else where its assertion was.
fn around(scene: &Scene<'_>, instead: &str) -> String {
    let text = scene.text();
    replaced(&text, &assertion_in(&text), instead)
}

/// A signed Response with the assertion encrypted in it: what an honest provider sends.
fn in_signed_response(scene: &Scene<'_>, encryption: Encryption) -> String {
    let plain = assertion_in(&scene.text());
    scene.response(&around(scene, &sealed(scene, &plain, encryption)))
}

/// A signed assertion, encrypted, in a Response that is not signed.
fn signed_inside(scene: &Scene<'_>, encryption: Encryption) -> String {
    let plain = assertion_in(&scene.assertion(&scene.text()));
    around(scene, &sealed(scene, &plain, encryption))
}

/// A signed Response whose encrypted content is something else.
fn holding(scene: &Scene<'_>, plain: &str) -> Vec<u8> {
    scene.response(&around(scene, &sealed(scene, plain, GCM))).into()
}

/// A signed Response in which a part of the encryption's own description is another.
fn described(scene: &Scene<'_>, from: &str, to: &str) -> Vec<u8> {
    let plain = assertion_in(&scene.text());
    scene.response(&replaced(&around(scene, &sealed(scene, &plain, GCM)), from, to)).into()
}

/// The last CipherValue is the content's, the first the key's: one of them changed.
fn turned(text: &str, content: bool, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let at = if content { text.rfind(CIPHER_VALUE) } else { text.find(CIPHER_VALUE) };
    let from = at.expect("a CipherValue") + CIPHER_VALUE.len();
    let end = from + text[from..].find('<').expect("its end");
    let mut octets = STANDARD.decode(&text[from..end]).expect("base64");
    change(&mut octets);
    format!("{}{}{}", &text[..from], STANDARD.encode(octets), &text[end..]).into()
}

fn evil(scene: &Scene<'_>) -> String {
    assertion_in(&scene.text()).replace(GENUINE, EVIL)
}

const fn beside(
    name: &'static str,
    source: &'static str,
    codes: &'static [&'static str],
    forge: fn(&Scene<'_>) -> Vec<u8>,
) -> Vector {
    Vector {
        name,
        source,
        expected: Expected::Refused(codes),
        forge,
        twin: |scene| in_signed_response(scene, GCM).into(),
    }
}

const fn beside_signed_inside(
    name: &'static str,
    source: &'static str,
    codes: &'static [&'static str],
    forge: fn(&Scene<'_>) -> Vec<u8>,
) -> Vector {
    Vector {
        name,
        source,
        expected: Expected::Refused(codes),
        forge,
        twin: |scene| signed_inside(scene, GCM).into(),
    }
}

const fn whole(name: &'static str, source: &'static str, forge: fn(&Scene<'_>) -> Vec<u8>) -> Vector {
    Vector { name, source, expected: Expected::Whole, forge, twin: forge }
}

pub(crate) const VECTORS: &[Vector] = &[
    whole("CBC inside a signed Response", "SC-DP 8", |scene| in_signed_response(scene, CBC).into()),
    whole("GCM under OAEP with SHA-256", "XML Encryption 5.5.2", |scene| {
        let transport = KeyTransport::Oaep(DigestAlgorithm::Sha256);
        in_signed_response(scene, Encryption { transport, ..GCM }).into()
    }),
    beside_signed_inside(
        "encrypted by anybody, signed by nobody",
        "encryption is no signature",
        MISSING,
        |scene| around(scene, &sealed(scene, &evil(scene), GCM)).into(),
    ),
    beside_signed_inside(
        "encrypted and signed by an unknown key",
        "encryption is no signature",
        INVALID,
        |scene| {
            let key = PrivateKey::generate_p256().expect("a key");
            let text = Signing::by(&key).on(&scene.text(), &scene.answer.assertion_id);
            around(scene, &sealed(scene, &assertion_in(&text), GCM)).into()
        },
    ),
    beside_signed_inside(
        "the signed assertion changed, and encrypted again",
        "encryption is no signature",
        INVALID,
        |scene| {
            let text = scene.assertion(&scene.text()).replace(GENUINE, EVIL);
            around(scene, &sealed(scene, &assertion_in(&text), GCM)).into()
        },
    ),
    beside(
        "another ciphertext in a signed Response",
        "the signature covers the ciphertext",
        INVALID,
        |scene| {
            let text = in_signed_response(scene, GCM);
            let start = "<saml:EncryptedAssertion";
            let genuine = part(&text, start, "</saml:EncryptedAssertion>");
            replaced(&text, &genuine, &sealed(scene, &evil(scene), GCM)).into()
        },
    ),
    beside_signed_inside(
        "CBC without a signature around it",
        "CBC has no integrity; XML Encryption 6.1",
        CLOSED,
        |scene| signed_inside(scene, CBC).into(),
    ),
    beside("one bit of CBC turned in a signed Response", "Jager, Somorovsky 2011", INVALID, |scene| {
        turned(&in_signed_response(scene, CBC), true, |octets| octets[20] ^= 1)
    }),
    beside("the last block of CBC turned in a signed Response", "Vaudenay 2002: padding", INVALID, |scene| {
        turned(&in_signed_response(scene, CBC), true, |octets| {
            let last = octets.len() - 1;
            octets[last] ^= 1;
        })
    }),
    beside_signed_inside("one bit of GCM turned", "NIST SP 800-38D", CLOSED, |scene| {
        turned(&signed_inside(scene, GCM), true, |octets| octets[40] ^= 1)
    }),
    beside_signed_inside("one bit of the GCM tag turned", "NIST SP 800-38D", CLOSED, |scene| {
        turned(&signed_inside(scene, GCM), true, |octets| {
            let last = octets.len() - 1;
            octets[last] ^= 1;
        })
    }),
    beside_signed_inside("the GCM tag shortened", "tags of 128 bits alone", CLOSED, |scene| {
        turned(&signed_inside(scene, GCM), true, |octets| octets.truncate(octets.len() - 12))
    }),
    beside_signed_inside("a ciphertext of nothing", "short ciphertexts", CLOSED, |scene| {
        turned(&signed_inside(scene, GCM), true, Vec::clear)
    }),
    beside_signed_inside("a ciphertext of five octets", "short ciphertexts", CLOSED, |scene| {
        turned(&signed_inside(scene, GCM), true, |octets| octets.truncate(5))
    }),
    beside_signed_inside(
        "one bit of the wrapped key turned",
        "Bleichenbacher 1998, Manger 2001",
        CLOSED,
        |scene| turned(&signed_inside(scene, GCM), false, |octets| octets[100] ^= 1),
    ),
    beside_signed_inside("a wrapped key of zeros", "Manger 2001", CLOSED, |scene| {
        turned(&signed_inside(scene, GCM), false, |octets| octets.fill(0))
    }),
    beside_signed_inside("a wrapped key larger than the modulus", "Manger 2001", CLOSED, |scene| {
        turned(&signed_inside(scene, GCM), false, |octets| octets.fill(0xff))
    }),
    beside_signed_inside("a wrapped key that is too short", "RFC 8017 section 7.1.2", CLOSED, |scene| {
        turned(&signed_inside(scene, GCM), false, |octets| octets.truncate(17))
    }),
    beside("encrypted to somebody else", "SC-DP 6.2", CLOSED, |scene| {
        let stranger = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key");
        let plain = assertion_in(&scene.text());
        scene.response(&around(scene, &sealed_to(stranger.public_key(), plain.as_bytes(), GCM))).into()
    }),
    beside("a key by RSA 1.5", "Bleichenbacher 1998, ASVS 11.3.1", CLOSED, |scene| {
        described(
            scene,
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
            "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        )
    }),
    beside("content by triple DES", "SC-DP 8, Sweet32", CLOSED, |scene| {
        described(scene, BlockCipher::Aes256Gcm.xml_uri(), "http://www.w3.org/2001/04/xmlenc#tripledes-cbc")
    }),
    beside("GCM named CBC", "cipher confusion", CLOSED, |scene| {
        described(scene, BlockCipher::Aes256Gcm.xml_uri(), BlockCipher::Aes256Cbc.xml_uri())
    }),
    beside_signed_inside("CBC named GCM", "cipher confusion", CLOSED, |scene| {
        replaced(
            &signed_inside(scene, CBC),
            BlockCipher::Aes256Cbc.xml_uri(),
            BlockCipher::Aes256Gcm.xml_uri(),
        )
        .into()
    }),
    beside("a cipher that nobody knows", "fail closed", CLOSED, |scene| {
        described(scene, BlockCipher::Aes256Gcm.xml_uri(), "urn:x")
    }),
    beside("a ciphertext to be fetched", "XML Encryption 3.3.1: CipherReference, SSRF", CLOSED, |scene| {
        let text = around(scene, &sealed(scene, &assertion_in(&scene.text()), GCM));
        let from = text.rfind(CIPHER_VALUE).expect("a CipherValue");
        let end =
            from + text[from..].find("</xenc:CipherValue>").expect("its end") + "</xenc:CipherValue>".len();
        let reference = "<xenc:CipherReference URI=\"http://127.0.0.1:9/c\"></xenc:CipherReference>";
        scene.response(&format!("{}{reference}{}", &text[..from], &text[end..])).into()
    }),
    beside("fifty wrapped keys", "each costs a private-key operation", CLOSED, |scene| {
        let text = around(scene, &sealed(scene, &assertion_in(&scene.text()), GCM));
        let key = part(&text, "<xenc:EncryptedKey>", "</xenc:EncryptedKey>");
        scene.response(&replaced(&text, &key, &key.repeat(50))).into()
    }),
    beside("two encrypted assertions", "SC-DP 6.2: one assertion", COUNT, |scene| {
        let plain = sealed(scene, &assertion_in(&scene.text()), GCM);
        scene.response(&around(scene, &plain.repeat(2))).into()
    }),
    beside("an encrypted assertion beside one in the open", "SC-DP 6.2: one assertion", COUNT, |scene| {
        let text = scene.text();
        let open = assertion_in(&text);
        let both = format!("{}{open}", sealed(scene, &open, GCM));
        scene.response(&replaced(&text, &open, &both)).into()
    }),
    beside("an encrypted assertion in Extensions", "wrapping", COUNT, |scene| {
        let text = scene.text();
        let hidden = sealed(scene, &evil(scene), GCM);
        let extensions = format!("<samlp:Extensions>{hidden}</samlp:Extensions><samlp:Status>");
        scene.response(&replaced(&text, "<samlp:Status>", &extensions)).into()
    }),
    beside("encrypted: an element that is no assertion", "SAML Core 2.3.4", CLOSED, |scene| {
        holding(scene, "<x></x>")
    }),
    beside("encrypted: words", "one outside behaviour", CLOSED, |scene| holding(scene, "evil")),
    beside("encrypted: nothing", "one outside behaviour", CLOSED, |scene| holding(scene, "")),
    beside("encrypted: a DOCTYPE", "XXE after decryption", CLOSED, |scene| {
        holding(
            scene,
            &format!(
                "<!DOCTYPE r [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>{}",
                assertion_in(&scene.text())
            ),
        )
    }),
    beside("encrypted: two assertions", "SC-DP 6.2: one assertion", CLOSED, |scene| {
        holding(scene, &assertion_in(&scene.text()).repeat(2))
    }),
    beside("encrypted: an encrypted assertion", "unbounded work", CLOSED, |scene| {
        let inner = sealed(scene, &assertion_in(&scene.text()), GCM);
        holding(scene, &inner)
    }),
    beside("encrypted: an assertion of another namespace", "namespace confusion", CLOSED, |scene| {
        holding(scene, &assertion_in(&scene.text()).replace(&format!("\"{SAML}\""), "\"urn:evil\""))
    }),
    beside("encrypted: a broken signature inside a good one", "fail closed", INVALID, |scene| {
        let text = scene.assertion(&scene.text()).replace(GENUINE, EVIL);
        holding(scene, &assertion_in(&text))
    }),
    beside(
        "encrypted: an assertion for somebody else",
        "surreptitious forwarding",
        &["provider.audience_mismatch"],
        |scene| {
            let text = scene.with(|answer| answer.audience = "https://evil.example/sp".into());
            holding(scene, &assertion_in(&text))
        },
    ),
    beside(
        "an encrypted attribute",
        "SAML Core 2.7.3.2: nothing that is not read is passed over",
        &["provider.undecryptable", "provider.encrypted_part"],
        |scene| {
            let text = scene.text();
            let hidden = sealed(scene, "<x></x>", GCM).replace("EncryptedAssertion", "EncryptedAttribute");
            let end = "</saml:AttributeStatement>";
            let hidden = last_replaced(&text, end, &format!("{hidden}{end}"));
            scene.response(&hidden).into()
        },
    ),
];
