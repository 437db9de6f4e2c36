//! One test for each rule of the profile. Every refused document is forged so that it breaks that rule alone: its digest and
//! its signature are right for what it says, and its genuine twin is accepted.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_xml::{
    Canonicalization, NewElement,
    canonical::{EXCLUSIVE_URI, INCLUSIVE_URI},
    namespace::{MD, SAMLP},
};

use super::*;
use crate::{DigestAlgorithm, PrivateKey, Signer as _};

const SHA256_URI: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const ENVELOPED: &str =
    r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>"#;
const EXCLUSIVE: &str = r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#;

fn key() -> PrivateKey {
    PrivateKey::generate_p256().unwrap()
}

/// A document under forgery: what a test changes before it is signed.
struct Forged {
    /// The whole document, with `{signature}` where the signature goes.
    document: String,
    /// Around and inside the signature: `{signed_info}`, `{value}`.
    signature: String,
    /// `{digest}` is replaced.
    signed_info: String,
    /// The canonical form that the digest and the signature are over.
    method: Canonicalization,
    digest: DigestAlgorithm,
}

fn reference(uri: &str, transforms: &str) -> String {
    format!(
        r#"<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod
           Algorithm="{SHA256_URI}"/><ds:DigestValue>{{digest}}</ds:DigestValue></ds:Reference>"#
    )
}

impl Forged {
    fn genuine() -> Self {
        Self {
            document: r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0">
                <saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://idp.example.se</saml:Issuer>
                {signature}<samlp:Status>å &amp; <![CDATA[<b>]]></samlp:Status></samlp:Response>"#
                .into(),
            signature: r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{signed_info}
                <ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><x/></ds:KeyInfo></ds:Signature>"#
                .into(),
            signed_info: format!(
                r#"<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_URI}"/>
                <ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>
                {}</ds:SignedInfo>"#,
                reference("#_r", &format!("{ENVELOPED}{EXCLUSIVE}"))
            ),
            method: Canonicalization::exclusive(),
            digest: DigestAlgorithm::Sha256,
        }
    }

    /// A metadata document whose reference is `uri` and whose canonical form is the one named.
    fn metadata(uri: &str, method_uri: &str) -> Self {
        let mut forged = Self::genuine();
        forged.document =
            r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:unused="urn:x"
            ID="_m" entityID="https://idp.example.se" xml:lang="sv">{signature}<x/></EntityDescriptor>"#
                .into();
        forged.signed_info = forged.signed_info.replace("#_r", uri).replace(EXCLUSIVE_URI, method_uri);
        if method_uri == INCLUSIVE_URI {
            forged.method = Canonicalization::Inclusive;
        }
        forged
    }

    fn signed_info(mut self, from: &str, to: &str) -> Self {
        assert!(self.signed_info.contains(from), "{from} stands in the genuine one");
        self.signed_info = self.signed_info.replace(from, to);
        self
    }

    fn signature(mut self, from: &str, to: &str) -> Self {
        assert!(self.signature.contains(from), "{from} stands in the genuine one");
        self.signature = self.signature.replace(from, to);
        self
    }

    fn document(mut self, from: &str, to: &str) -> Self {
        assert!(self.document.contains(from), "{from} stands in the genuine one");
        self.document = self.document.replace(from, to);
        self
    }

    fn sign(&self, key: &PrivateKey) -> String {
        let read = |source: &str| Document::read(source.as_bytes(), Limits::message()).unwrap();
        let bare = read(&self.document.replace("{signature}", ""));
        let digest = self.digest.digest(&canonicalize(bare.root(), &self.method, None).unwrap());
        let signed_info = self.signed_info.replace("{digest}", &STANDARD.encode(digest));
        let signature = self.signature.replace("{signed_info}", &signed_info);
        let unsigned = self.document.replace("{signature}", &signature);
        let document = read(&unsigned);
        let value = match document.elements().find(|element| element.local_name() == "SignedInfo") {
            Some(info) => key.sign(&canonicalize(info, &self.method, None).unwrap()).unwrap(),
            None => Vec::new(),
        };
        unsigned.replace("{value}", &STANDARD.encode(value))
    }

    fn verdict_as(&self, profile: Profile, policy: AlgorithmPolicy) -> Result<Vec<u8>, &'static str> {
        let key = key();
        judged(&self.sign(&key), &key, profile, policy)
    }

    fn verdict(&self) -> Result<Vec<u8>, &'static str> {
        self.verdict_as(Profile::Message, AlgorithmPolicy::default())
    }
}

fn judged(
    source: &str,
    key: &PrivateKey,
    profile: Profile,
    policy: AlgorithmPolicy,
) -> Result<Vec<u8>, &'static str> {
    let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
    verify(document.root(), &[key.public_key().clone()], &policy, profile)
        .map(|signed| signed.into_value().canonical)
        .map_err(|refused| refused.rule())
}

#[test]
fn the_genuine_twin_is_accepted_and_its_signature_is_not_in_what_is_read() {
    let canonical = Forged::genuine().verdict().unwrap();
    let text = String::from_utf8(canonical).unwrap();
    assert!(text.contains("å &amp; &lt;b&gt;") && !text.contains("Signature"), "{text}");
}

#[test]
fn without_a_signature_it_is_refused() {
    let forged = Forged::genuine().document("{signature}", "");
    assert_eq!(forged.verdict(), Err("signature.missing"));
}

#[test]
fn a_signature_that_is_no_direct_child_does_not_count() {
    let forged =
        Forged::genuine().document("{signature}", "<samlp:Extensions>{signature}</samlp:Extensions>");
    assert_eq!(forged.verdict(), Err("signature.missing"));
}

#[test]
fn a_signature_stands_first_or_right_after_the_issuer() {
    let issuer = "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://idp.example.se</saml:Issuer>";
    assert!(Forged::genuine().document(issuer, "").verdict().is_ok());
    let last =
        Forged::genuine().document("{signature}", "").document("</samlp:Resp", "{signature}</samlp:Resp");
    assert_eq!(last.verdict(), Err("signature.place"));
    let after_another = Forged::genuine().document(issuer, "<samlp:Extensions/>");
    assert_eq!(after_another.verdict(), Err("signature.place"));
}

#[test]
fn a_signature_in_another_namespace_is_none() {
    let forged = Forged::genuine().signature("http://www.w3.org/2000/09/xmldsig#", "urn:other");
    assert_eq!(forged.verdict(), Err("signature.missing"));
}

#[test]
fn two_signatures_are_refused() {
    let two = r#"{signature}<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>"#;
    assert_eq!(Forged::genuine().document("{signature}", two).verdict(), Err("signature.count"));
}

#[test]
fn an_object_is_refused() {
    let forged = Forged::genuine().signature("</ds:Signature>", "<ds:Object/></ds:Signature>");
    assert_eq!(forged.verdict(), Err("signature.object"));
}

#[test]
fn unknown_content_of_the_signature_is_refused() {
    for (from, to) in [
        ("</ds:Signature>", "<ds:KeyInfo/></ds:Signature>"),
        ("</ds:Signature>", "<x/></ds:Signature>"),
        ("</ds:Signature>", "text</ds:Signature>"),
        ("{signed_info}", "{signed_info}{signed_info}"),
        ("{signed_info}", "<x>{signed_info}</x>"),
        ("<ds:KeyInfo>", "<ds:SignatureValue>AAAA</ds:SignatureValue><ds:KeyInfo>"),
        ("{value}", "<x>{value}</x>"),
        ("<ds:SignatureValue>", "<ds:SignatureValue x=\"\">"),
        ("<ds:Signature xmlns", "<ds:Signature x=\"\" xmlns"),
    ] {
        assert_eq!(Forged::genuine().signature(from, to).verdict(), Err("signature.content"), "{to}");
    }
    let ids = Forged::genuine()
        .signature("<ds:Signature xmlns", "<ds:Signature Id=\"s\" xmlns")
        .signature("<ds:SignatureValue>", "<ds:SignatureValue Id=\"v\">\n ");
    assert!(ids.verdict().is_ok(), "identifiers and white space are harmless");
    assert!(Forged::genuine().signature("<ds:KeyInfo><x/></ds:KeyInfo>", "").verdict().is_ok());
}

#[test]
fn unknown_content_of_signed_info_is_refused() {
    for (from, to) in [
        ("</ds:SignedInfo>", "<x/></ds:SignedInfo>"),
        ("</ds:SignedInfo>", "text</ds:SignedInfo>"),
        ("<ds:SignedInfo>", "<ds:SignedInfo x=\"\">"),
        ("<ds:DigestMethod", "<x/><ds:DigestMethod"),
        ("</ds:DigestValue>", "</ds:DigestValue><ds:DigestValue>AAAA</ds:DigestValue>"),
        ("<ds:DigestValue>", "<ds:DigestValue x=\"\">"),
        ("<ds:Reference ", "<ds:Reference Type=\"x\" "),
        (
            "#ecdsa-sha256\"/>",
            "#ecdsa-sha256\"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>",
        ),
        ("xmlenc#sha256\"/>", "xmlenc#sha256\"><x/></ds:DigestMethod>"),
    ] {
        assert_eq!(Forged::genuine().signed_info(from, to).verdict(), Err("signature.content"), "{to}");
    }
}

#[test]
fn comments_in_what_is_read_are_refused() {
    for (from, to) in [
        ("<ds:DigestValue>", "<ds:DigestValue><!-- x -->"),
        ("<ds:SignedInfo>", "<ds:SignedInfo><!-- x -->"),
        ("<ds:Transforms>", "<ds:Transforms><!-- x -->"),
    ] {
        assert_eq!(Forged::genuine().signed_info(from, to).verdict(), Err("signature.comment"), "{to}");
    }
    let forged = Forged::genuine().signature("{value}", "{value}<!-- x -->");
    assert_eq!(forged.verdict(), Err("signature.comment"));
    assert!(Forged::genuine().document("Status>å", "Status>å<!-- x -->").verdict().is_ok());
}

#[test]
fn other_canonicalization_methods_are_refused() {
    for other in [
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        INCLUSIVE_URI,
        "",
    ] {
        let method = format!("Method Algorithm=\"{other}\"");
        let forged = Forged::genuine().signed_info(&format!("Method Algorithm=\"{EXCLUSIVE_URI}\""), &method);
        assert_eq!(forged.verdict(), Err("signature.canonicalization"), "{other}");
    }
}

#[test]
fn algorithms_outside_the_list_are_refused() {
    for other in [
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "",
    ] {
        let forged =
            Forged::genuine().signed_info("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", other);
        assert_eq!(forged.verdict(), Err("signature.algorithm"), "{other}");
    }
    for other in ["http://www.w3.org/2001/04/xmldsig-more#md5", "urn:none"] {
        assert_eq!(
            Forged::genuine().signed_info(SHA256_URI, other).verdict(),
            Err("signature.digest_algorithm"),
            "{other}"
        );
    }
}

#[test]
fn sha_1_is_refused_until_the_policy_allows_it() {
    let mut forged = Forged::genuine().signed_info(SHA256_URI, "http://www.w3.org/2000/09/xmldsig#sha1");
    forged.digest = DigestAlgorithm::Sha1;
    assert_eq!(forged.verdict(), Err("signature.sha1"));
    assert!(forged.verdict_as(Profile::Message, AlgorithmPolicy { allow_sha1: true }).is_ok());
    let rsa_sha1 = Forged::genuine().signed_info(
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    );
    assert_eq!(rsa_sha1.verdict(), Err("signature.sha1"));
}

#[test]
fn exactly_one_reference() {
    let mut forged = Forged::genuine();
    let one = reference("#_r", &format!("{ENVELOPED}{EXCLUSIVE}"));
    forged.signed_info = forged.signed_info.replace(&one, &format!("{one}{one}"));
    assert_eq!(forged.verdict(), Err("signature.reference_count"));
    forged.signed_info = forged.signed_info.replace(&one, "");
    assert_eq!(forged.verdict(), Err("signature.reference_count"));
}

#[test]
fn the_reference_is_to_the_element_that_carries_the_signature() {
    for other in
        ["#_other", "_r", "", "#", "##_r", "#xpointer(/)", "#xpointer(id('_r'))", "https://example.se/#_r"]
    {
        let forged = Forged::genuine().signed_info("URI=\"#_r\"", &format!("URI=\"{other}\""));
        assert_eq!(forged.verdict(), Err("signature.reference_uri"), "{other}");
    }
    assert_eq!(Forged::genuine().signed_info(" URI=\"#_r\"", "").verdict(), Err("signature.reference_uri"));
}

#[test]
fn the_signed_element_has_an_id_spelled_so() {
    for (to, uri) in [("", "#_r"), ("Id=\"_r\"", "#_r"), ("ID=\"\"", "#")] {
        let forged = Forged::genuine().document("ID=\"_r\"", to).signed_info("#_r", uri);
        assert_eq!(forged.verdict(), Err("signature.id"), "{to}");
    }
}

#[test]
fn the_transforms_are_the_two_in_their_order() {
    let genuine = format!("{ENVELOPED}{EXCLUSIVE}");
    let xslt = r#"<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>"#;
    let xpath = r#"<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>"#;
    let comments = r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"/>"#;
    let inclusive = format!(r#"<ds:Transform Algorithm="{INCLUSIVE_URI}"/>"#);
    for wrong in [
        String::new(),
        ENVELOPED.into(),
        EXCLUSIVE.into(),
        format!("{EXCLUSIVE}{ENVELOPED}"),
        format!("{ENVELOPED}{ENVELOPED}"),
        format!("{ENVELOPED}{EXCLUSIVE}{EXCLUSIVE}"),
        format!("{ENVELOPED}{xslt}"),
        format!("{xpath}{EXCLUSIVE}"),
        format!("{ENVELOPED}{comments}"),
        format!("{ENVELOPED}{inclusive}"),
    ] {
        assert_eq!(
            Forged::genuine().signed_info(&genuine, &wrong).verdict(),
            Err("signature.transforms"),
            "{wrong}"
        );
    }
    let no_transforms =
        Forged::genuine().signed_info(&format!("<ds:Transforms>{genuine}</ds:Transforms>"), "");
    assert_eq!(no_transforms.verdict(), Err("signature.content"));
}

#[test]
fn a_prefix_list_is_followed_and_bounded() {
    let with = |prefixes: &str| {
        let list = format!(r#"<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE_URI}" PrefixList="{prefixes}"/>"#);
        let transform = format!(r#"<ds:Transform Algorithm="{EXCLUSIVE_URI}">{list}</ds:Transform>"#);
        Forged::genuine().document("ID=", "xmlns:xs=\"urn:xs\" ID=").signed_info(EXCLUSIVE, &transform)
    };
    assert_eq!(with("xs").verdict(), Err("signature.digest"), "the digest was made without the list");
    let mut carried = with("xs samlp");
    carried.method = Canonicalization::Exclusive { inclusive_prefixes: vec!["xs".into(), "samlp".into()] };
    assert_eq!(carried.verdict(), Err("signature.value"), "the method of SignedInfo itself has no list");
    let list = format!(r#"<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE_URI}" PrefixList="xs samlp"/>"#);
    let carried = carried.signed_info(
        &format!("Method Algorithm=\"{EXCLUSIVE_URI}\"/>"),
        &format!("Method Algorithm=\"{EXCLUSIVE_URI}\">{list}</ds:CanonicalizationMethod>"),
    );
    let text = String::from_utf8(carried.verdict().unwrap()).unwrap();
    assert!(text.contains("xmlns:xs=\"urn:xs\""), "{text}");
    assert_eq!(with(&"p ".repeat(65)).verdict(), Err("signature.prefix_list"));
}

#[test]
fn values_are_base64() {
    let digest = Forged::genuine().signed_info("<ds:DigestValue>", "<ds:DigestValue>*");
    assert_eq!(digest.verdict(), Err("signature.base64"));
    assert_eq!(Forged::genuine().signature("{value}", "{value}*").verdict(), Err("signature.base64"));
    assert!(Forged::genuine().signed_info("{digest}", "\n {digest}\n ").verdict().is_ok());
}

#[test]
fn another_key_is_refused_and_one_of_several_suffices() {
    let (key, other) = (key(), PrivateKey::generate_p256().unwrap());
    let rsa = PrivateKey::generate_p384().unwrap();
    let source = Forged::genuine().sign(&key);
    let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
    let with = |keys: &[&PrivateKey]| {
        let keys: Vec<_> = keys.iter().map(|key| key.public_key().clone()).collect();
        verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Message)
            .map(|signed| signed.value().key())
            .map_err(|refused| refused.rule())
    };
    assert_eq!(with(&[&other, &rsa, &key]), Ok(key.public_key().thumbprint()));
    assert_eq!(with(&[&other]), Err("signature.value"));
    assert_eq!(with(&[&rsa]), Err("signature.key"));
    assert_eq!(with(&[]), Err("signature.key"));
}

#[test]
fn changed_content_is_refused() {
    let key = key();
    let source = Forged::genuine().sign(&key);
    let judge = |source: &str| judged(source, &key, Profile::Message, AlgorithmPolicy::default());
    assert!(judge(&source).is_ok());
    assert_eq!(judge(&source.replace("å &amp;", "ä &amp;")), Err("signature.digest"));
    assert_eq!(judge(&source.replace("Version=\"2.0\"", "Version=\"2.1\"")), Err("signature.digest"));
    assert_eq!(judge(&source.replace("<ds:SignedInfo>", "<ds:SignedInfo Id=\"x\">")), Err("signature.value"));
    // Differences that canonical form does not see are no differences.
    assert!(judge(&source.replace("Status>å", "Status>&#229;<!-- x -->")).is_ok());
}

#[test]
fn text_cut_by_a_comment_is_read_whole() {
    let key = key();
    let forged = Forged::genuine().document("https://idp.example.se", "https://idp.example.se.evil.example");
    let source = forged.sign(&key).replace("idp.example.se.evil", "idp.example.se<!-- x -->.evil");
    let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
    let keys = [key.public_key().clone()];
    let signed = verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Message).unwrap();
    let read = signed.value().document().unwrap();
    let issuer = read.root().child(SAML.uri(), "Issuer").and_then(|issuer| issuer.text());
    assert_eq!(issuer, Some("https://idp.example.se.evil.example"));
}

#[test]
fn a_message_wrapped_around_a_signed_one_gains_nothing() {
    let key = key();
    let signed = Forged::genuine().sign(&key);
    let stolen = signed.split_once("<ds:Signature").and_then(|(_, rest)| rest.split_once("</ds:Signature>"));
    let signature = format!("<ds:Signature{}</ds:Signature>", stolen.unwrap().0);
    let judge = |source: &str| judged(source, &key, Profile::Message, AlgorithmPolicy::default());
    let open = r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol""#;
    // The genuine message inside, the attacker's around it, without and with the genuine signature moved out.
    let around =
        |id: &str, signature: &str| format!("{open} ID=\"{id}\">{signature}{signed}</samlp:Response>");
    assert_eq!(judge(&around("_evil", "")), Err("signature.missing"));
    let bare = signed.replace(&signature, "");
    let moved = format!(
        "{open} ID=\"_evil\">{signature}<samlp:Extensions>{bare}</samlp:Extensions></samlp:Response>"
    );
    assert_eq!(judge(&moved), Err("signature.reference_uri"));
    // The same identifier twice does not even read.
    let twice = moved.replace("_evil", "_r");
    assert!(Document::read(twice.as_bytes(), Limits::message()).is_err());
}

#[test]
fn metadata_may_leave_the_reference_empty_and_use_inclusive_form_at_the_root_alone() {
    let policy = AlgorithmPolicy::default();
    for (uri, method) in
        [("", EXCLUSIVE_URI), ("#_m", EXCLUSIVE_URI), ("", INCLUSIVE_URI), ("#_m", INCLUSIVE_URI)]
    {
        let forged = Forged::metadata(uri, method);
        assert!(forged.verdict_as(Profile::Metadata, policy).is_ok(), "{uri} {method}");
        assert_eq!(
            forged.verdict_as(Profile::Message, policy).is_ok(),
            (uri, method) == ("#_m", EXCLUSIVE_URI)
        );
    }
    // An entity inside an aggregate is referred to by its ID and in exclusive form.
    let key = key();
    for (uri, method, expected) in [
        ("#_m", EXCLUSIVE_URI, None),
        ("", EXCLUSIVE_URI, Some("signature.reference_uri")),
        ("#_m", INCLUSIVE_URI, Some("signature.canonicalization")),
    ] {
        let inner = Forged::metadata(uri, method).sign(&key);
        let source =
            format!("<md:EntitiesDescriptor xmlns:md=\"{}\">{inner}</md:EntitiesDescriptor>", MD.uri());
        let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
        let entity = document.root().children().next().unwrap();
        let refused = verify(entity, &[key.public_key().clone()], &policy, Profile::Metadata).err();
        assert_eq!(refused.map(|refused| refused.rule()), expected, "{uri} {method}");
    }
}

#[test]
fn a_signed_part_of_an_unsigned_message_verifies_where_it_stands() {
    let key = key();
    let inner = Forged::genuine().sign(&key);
    let source = format!("<outer xmlns:saml=\"{}\" xmlns=\"urn:d\" a=\"1\">{inner}</outer>", SAML.uri());
    let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
    let keys = [key.public_key().clone()];
    let part = document.root().children().next().unwrap();
    assert!(verify(part, &keys, &AlgorithmPolicy::default(), Profile::Message).is_ok());
    let root = verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Message);
    assert_eq!(root.err(), Some(SignatureRefused::NoSignature));
}

fn response() -> NewElement {
    NewElement::new(SAMLP, "Response")
        .with_attribute("ID", "_a1")
        .with_attribute("Destination", "https://sp.example.se/?a=1&b=\"<\t\n")
        .with_child(NewElement::new(SAML, "Issuer").with_text("https://idp.härnösand.example"))
        .with_child(NewElement::new(SAMLP, "Status").with_text(" \r\n ]]> & "))
}

#[test]
fn what_we_sign_verifies_with_every_algorithm() {
    use SignatureAlgorithm as A;
    let keys = [
        PrivateKey::generate_rsa(2048, A::RsaSha256).unwrap(),
        PrivateKey::generate_rsa(2048, A::RsaSha384).unwrap(),
        PrivateKey::generate_rsa(2048, A::RsaSha512).unwrap(),
        PrivateKey::generate_p256().unwrap(),
        PrivateKey::generate_p384().unwrap(),
        PrivateKey::generate_p521().unwrap(),
    ];
    for key in keys {
        let signed = sign_enveloped(response(), &key).unwrap();
        let octets = signed.to_canonical().unwrap();
        let source = String::from_utf8(octets.clone()).unwrap();
        let canonical = judged(&source, &key, Profile::Message, AlgorithmPolicy::default()).unwrap();
        assert_eq!(canonical, response().to_canonical().unwrap(), "what is read is what was meant");
        let document = Document::read(&octets, Limits::message()).unwrap();
        let order: Vec<_> = document.root().children().map(Element::local_name).collect();
        assert_eq!(order, ["Issuer", "Signature", "Status"], "SAML 2.0 core, section 3.2.1");
    }
}

#[test]
fn a_signed_assertion_in_a_signed_response_verifies_at_both_levels() {
    let key = key();
    let assertion = NewElement::new(SAML, "Assertion")
        .with_attribute("ID", "_inner")
        .with_child(NewElement::new(SAML, "Issuer").with_text("a"));
    let assertion = sign_enveloped(assertion, &key).unwrap();
    let octets = sign_enveloped(response().with_child(assertion), &key).unwrap().to_canonical().unwrap();
    let document = Document::read(&octets, Limits::message()).unwrap();
    let keys = [key.public_key().clone()];
    let outer = verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Message).unwrap();
    let outer = outer.value().document().unwrap();
    let inner = outer.root().child(SAML.uri(), "Assertion").unwrap();
    let inner = verify(inner, &keys, &AlgorithmPolicy::default(), Profile::Message).unwrap();
    assert!(inner.value().document().unwrap().root().is(SAML.uri(), "Assertion"));
}

#[test]
fn the_certificate_goes_along_where_there_is_one() {
    let key = key();
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    let certificate = key.self_signed_certificate("spårvidd", epoch, 30).unwrap();
    let key = key.with_certificate(certificate.clone()).unwrap();
    let octets = sign_enveloped(response(), &key).unwrap().to_canonical().unwrap();
    let document = Document::read(&octets, Limits::message()).unwrap();
    let found = document.elements().find(|element| element.is(DS.uri(), "X509Certificate"));
    assert_eq!(found.and_then(Element::text), Some(STANDARD.encode(certificate).as_str()));
    assert!(
        verify(document.root(), &[key.public_key().clone()], &AlgorithmPolicy::default(), Profile::Message)
            .is_ok()
    );
}

#[test]
fn metadata_is_signed_before_everything_else() {
    let key = key();
    let entity = NewElement::new(MD, "EntityDescriptor")
        .with_attribute("ID", "_m")
        .with_child(NewElement::new(MD, "SPSSODescriptor"));
    let octets = sign_enveloped(entity, &key).unwrap().to_canonical().unwrap();
    let document = Document::read(&octets, Limits::message()).unwrap();
    let order: Vec<_> = document.root().children().map(Element::local_name).collect();
    assert_eq!(order, ["Signature", "SPSSODescriptor"]);
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let key = key();
    for wrong in ["", "1a", "a b", "å", "a\"", "#a"] {
        let element = NewElement::new(SAMLP, "Response").with_attribute("ID", wrong);
        assert_eq!(sign_enveloped(element, &key).err(), Some(CannotSign::NoId), "{wrong}");
    }
    assert_eq!(sign_enveloped(NewElement::new(SAMLP, "Response"), &key).err(), Some(CannotSign::NoId));
    let twice = sign_enveloped(sign_enveloped(response(), &key).unwrap(), &key);
    assert_eq!(twice.err(), Some(CannotSign::AlreadySigned));
    let pss = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaPssSha256).unwrap();
    let refused = sign_enveloped(response(), &pss).err();
    assert_eq!(refused, Some(CannotSign::Algorithm(SignatureAlgorithm::RsaPssSha256)));
    let control = response().with_child(NewElement::new(SAML, "Advice").with_text("\u{1}"));
    assert!(matches!(sign_enveloped(control, &key), Err(CannotSign::Value(_))));
}

#[test]
fn debug_and_errors_show_no_content() {
    let key = key();
    let source = Forged::genuine().document("ID=", "Secret=\"191212121212\" ID=").sign(&key);
    let document = Document::read(source.as_bytes(), Limits::message()).unwrap();
    let keys = [key.public_key().clone()];
    let signed = verify(document.root(), &keys, &AlgorithmPolicy::default(), Profile::Message).unwrap();
    assert!(!format!("{signed:?}").contains("191212121212"));
}
