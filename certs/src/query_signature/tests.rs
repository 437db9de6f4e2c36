//! One test for each rule of the redirect binding's signature, each refusal beside its genuine twin.

use super::*;
use crate::PrivateKey;

fn signed() -> (PrivateKey, String) {
    let key = PrivateKey::generate_p256().unwrap();
    let query = signed_query(MessageParameter::Request, "fZJ+/=", Some("å &=+%?"), &key).unwrap();
    (key, query)
}

fn judged(query: &str, key: &PrivateKey) -> Result<SignedQuery, &'static str> {
    let read = RedirectQuery::read(query).map_err(|refused| refused.rule())?;
    let keys = [key.public_key().clone()];
    read.verify(&keys, &AlgorithmPolicy::default())
        .map(Verified::into_value)
        .map_err(|refused| refused.rule())
}

#[test]
fn what_we_sign_verifies_and_reads_as_it_was_meant() {
    let (key, query) = signed();
    assert!(
        query
            .starts_with("SAMLRequest=fZJ%2B%2F%3D&RelayState=%C3%A5%20%26%3D%2B%25%3F&SigAlg=http%3A%2F%2F")
    );
    let read = judged(&query, &key).unwrap();
    assert_eq!((read.message(), read.relay_state()), ("fZJ+/=", Some("å &=+%?")));
    assert_eq!(read.parameter(), MessageParameter::Request);
    assert_eq!(
        (read.algorithm(), read.key()),
        (SignatureAlgorithm::EcdsaSha256, key.public_key().thumbprint())
    );
}

#[test]
fn without_relay_state_there_is_no_such_parameter() {
    let key = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).unwrap();
    let query = signed_query(MessageParameter::Response, "AAAA", None, &key).unwrap();
    assert!(query.starts_with("SAMLResponse=AAAA&SigAlg="));
    assert_eq!(judged(&query, &key).unwrap().relay_state(), None);
    // An empty one is one, and was not signed.
    assert_eq!(judged(&format!("{query}&RelayState="), &key).err(), Some("signature.value"));
}

#[test]
fn the_octets_count_as_they_came_in_the_order_of_the_binding() {
    let (key, query) = signed();
    // Another sender's way to write the same values: lower-case escapes, `+` for a space, another order, other parameters.
    let raw = "SAMLRequest=fZJ%2b%2f%3d&RelayState=%c3%a5+x&SigAlg=http%3a%2f%2fwww.w3.org%2f2001%2f04%2fxmldsig-more%23ecdsa-sha256";
    let signature = STANDARD.encode(key.sign(raw.as_bytes()).unwrap());
    let signature = utf8_percent_encode(&signature, ESCAPED);
    let [message, relay_state, algorithm] = raw.split('&').collect::<Vec<_>>().try_into().unwrap();
    let shuffled = format!("other=1&{algorithm}&Signature={signature}&{relay_state}&{message}");
    let read = judged(&shuffled, &key).unwrap();
    assert_eq!((read.message(), read.relay_state()), ("fZJ+/=", Some("å x")));
    // The same values written our way are other octets.
    assert!(judged(&query, &key).is_ok());
    assert_eq!(judged(&query.replace("%2B%2F", "%2b%2f"), &key).err(), Some("signature.value"));
}

#[test]
fn a_changed_value_is_refused() {
    let (key, query) = signed();
    assert_eq!(judged(&query.replace("fZJ", "fZK"), &key).err(), Some("signature.value"));
    assert_eq!(
        judged(&query.replace("RelayState=%C3%A5", "RelayState=%C3%A4"), &key).err(),
        Some("signature.value")
    );
    assert_eq!(judged(&query.replace("SAMLRequest", "SAMLResponse"), &key).err(), Some("signature.value"));
    let other = PrivateKey::generate_p256().unwrap();
    assert_eq!(judged(&query, &other).err(), Some("signature.value"));
    let unable = PrivateKey::generate_p384().unwrap();
    assert_eq!(judged(&query, &unable).err(), Some("signature.key"));
}

#[test]
fn a_parameter_twice_is_refused() {
    let (key, query) = signed();
    for twice in ["SAMLRequest=x", "RelayState=x", "SigAlg=x", "Signature=x", "SAMLRequest"] {
        assert_eq!(judged(&format!("{query}&{twice}"), &key).err(), Some("query.parameter_twice"), "{twice}");
        assert_eq!(judged(&format!("{twice}&{query}"), &key).err(), Some("query.parameter_twice"), "{twice}");
    }
    assert!(judged(&format!("a=1&{query}&a=2"), &key).is_ok(), "other parameters are none of ours");
}

#[test]
fn an_unusual_spelling_of_a_parameter_is_refused() {
    let (key, query) = signed();
    assert_eq!(judged(&format!("{query}&SAML%52equest=x"), &key).err(), Some("query.parameter_name"));
    assert_eq!(judged(&format!("{query}&Relay%53tate=x"), &key).err(), Some("query.parameter_name"));
}

#[test]
fn exactly_one_message() {
    let (key, query) = signed();
    assert_eq!(judged(&format!("{query}&SAMLResponse=x"), &key).err(), Some("query.message_count"));
    assert_eq!(judged("RelayState=x", &key).err(), Some("query.message_missing"));
    assert_eq!(judged("", &key).err(), Some("query.message_missing"));
}

#[test]
fn half_a_signature_is_refused_and_none_is_none() {
    let (key, query) = signed();
    let (unsigned, _) = query.split_once("&SigAlg").unwrap();
    let (half, _) = query.split_once("&Signature").unwrap();
    assert_eq!(judged(half, &key).err(), Some("query.half_signed"));
    assert_eq!(judged(&format!("{unsigned}&Signature=AAAA"), &key).err(), Some("query.half_signed"));
    assert_eq!(judged(unsigned, &key).err(), Some("signature.missing"));
    let read = RedirectQuery::read(unsigned).unwrap();
    assert!(!read.is_signed());
    assert_eq!(read.unverified_message(), "fZJ+/=");
    assert_eq!(read.unverified_relay_state().as_deref(), Some("å &=+%?"));
    assert_eq!(unsigned, unsigned_query(MessageParameter::Request, "fZJ+/=", Some("å &=+%?")));
}

#[test]
fn algorithms_outside_the_list_are_refused() {
    let (key, query) = signed();
    for (other, rule) in [
        ("http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23hmac-sha1", "signature.algorithm"),
        ("http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23rsa-sha1", "signature.sha1"),
        ("", "signature.algorithm"),
    ] {
        let ours = "http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23ecdsa-sha256";
        assert_eq!(judged(&query.replace(ours, other), &key).err(), Some(rule));
    }
}

#[test]
fn a_signature_value_is_base64_perhaps_in_lines() {
    let (key, query) = signed();
    assert_eq!(judged(&format!("{query}*"), &key).err(), Some("signature.base64"));
    assert!(judged(&format!("{query}%0D%0A"), &key).is_ok());
}

#[test]
fn an_unknown_encoding_is_refused() {
    let (key, query) = signed();
    let deflate = "SAMLEncoding=urn%3Aoasis%3Anames%3Atc%3ASAML%3A2.0%3Abindings%3AURL-Encoding%3ADEFLATE";
    assert!(judged(&format!("{query}&{deflate}"), &key).is_ok());
    assert_eq!(judged(&format!("{query}&SAMLEncoding=urn:other"), &key).err(), Some("query.encoding"));
}

#[test]
fn values_are_utf_8() {
    assert_eq!(RedirectQuery::read("SAMLRequest=%FF").err(), Some(QueryRefused::NotUtf8("SAMLRequest")));
    assert_eq!(
        RedirectQuery::read("SAMLRequest=a&RelayState=%FF").err(),
        Some(QueryRefused::NotUtf8("RelayState"))
    );
}

#[test]
fn an_algorithm_without_an_xml_name_does_not_sign() {
    let pss = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaPssSha256).unwrap();
    let refused = signed_query(MessageParameter::Request, "AAAA", None, &pss).err();
    assert_eq!(refused, Some(CannotSignQuery::Algorithm(SignatureAlgorithm::RsaPssSha256)));
}

/// `r || s` as ASN.1, the way a plain cryptographic library signs.
fn asn1(fixed: &[u8]) -> Vec<u8> {
    let number = |octets: &[u8]| {
        let first = octets.iter().position(|octet| *octet != 0).unwrap();
        let padding = usize::from(octets[first] >= 0x80);
        let mut der = vec![2, u8::try_from(octets.len() - first + padding).unwrap()];
        der.resize(2 + padding, 0);
        der.extend_from_slice(&octets[first..]);
        der
    };
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let content = [number(r), number(s)].concat();
    let length = u8::try_from(content.len()).unwrap();
    let header = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    [header, content].concat()
}

#[test]
fn an_ecdsa_signature_may_also_come_as_asn1() {
    let keys = [PrivateKey::generate_p256(), PrivateKey::generate_p384(), PrivateKey::generate_p521()];
    for key in keys.map(Result::unwrap) {
        let query = signed_query(MessageParameter::Request, "AAAA", None, &key).unwrap();
        let (signed, _) = query.split_once("&Signature=").unwrap();
        // Several, since the numbers vary in length.
        for _ in 0..20 {
            let der = asn1(&key.sign(signed.as_bytes()).unwrap());
            let with = |der: &[u8]| {
                let signature = STANDARD.encode(der);
                judged(&format!("{signed}&Signature={}", utf8_percent_encode(&signature, ESCAPED)), &key)
                    .err()
            };
            assert_eq!(with(&der), None);
            assert_eq!(with(&[der.as_slice(), &[0]].concat()), Some("signature.value"));
            assert_eq!(with(&der[..der.len() - 1]), Some("signature.value"));
            assert_eq!(with(&[0x30, 0x00]), Some("signature.value"));
        }
    }
}
