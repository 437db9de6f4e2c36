//! What the judges are asked about: messages and metadata of ours, and templates for others to sign, with awkward content.

use certs::{SignatureAlgorithm, Signer};
use certs_xml::{
    NewElement,
    namespace::{MD, MDUI, SAML, SAMLP, XML},
};

/// Text that canonical forms get wrong.
pub(crate) const AWKWARD: [&str; 6] = [
    "Härnösands kommun, Åsa Öberg",
    "<&>\"' ]]> &amp; &#13;",
    " \t\r\n leading and trailing \r\n\t ",
    "line\rfeeds\r\nof\nall kinds",
    "\u{1F642}\u{10FFFD}\u{E000}\u{FFFD}\u{85}\u{2028}",
    "",
];

fn issuer() -> NewElement {
    NewElement::new(SAML, "Issuer").with_text("https://idp.example.se/å?a=1&b=2")
}

pub(crate) fn assertion(id: &str) -> NewElement {
    let attributes = AWKWARD.iter().map(|text| {
        NewElement::new(SAML, "Attribute")
            .with_attribute("Name", *text)
            .with_attribute("FriendlyName", "displayName")
            .with_child(NewElement::new(SAML, "AttributeValue").with_text(*text))
    });
    NewElement::new(SAML, "Assertion")
        .with_attribute("ID", id)
        .with_attribute("Version", "2.0")
        .with_child(issuer())
        .with_child(NewElement::new(SAML, "AttributeStatement").with_children(attributes))
}

pub(crate) fn response(assertion: NewElement) -> NewElement {
    NewElement::new(SAMLP, "Response")
        .with_attribute("ID", "_response")
        .with_attribute("Version", "2.0")
        .with_attribute("Destination", "https://sp.example.se/acs?x=\"<&\t\n\r>'")
        .with_child(issuer())
        .with_child(NewElement::new(SAMLP, "Status").with_child(NewElement::new(SAMLP, "StatusCode")))
        .with_child(assertion)
}

pub(crate) fn request() -> NewElement {
    NewElement::new(SAMLP, "AuthnRequest")
        .with_attribute("ID", "_request-1.a")
        .with_child(issuer())
        .with_child(NewElement::new(SAMLP, "NameIDPolicy"))
}

pub(crate) fn metadata() -> NewElement {
    let names = AWKWARD.iter().map(|text| {
        NewElement::new(MDUI, "DisplayName").with_attribute_in(XML, "lang", "sv").with_text(*text)
    });
    NewElement::new(MD, "EntityDescriptor")
        .with_attribute("ID", "_metadata")
        .with_attribute("entityID", "https://idp.example.se/entity")
        .with_child(
            NewElement::new(MD, "IDPSSODescriptor").with_child(
                NewElement::new(MD, "Extensions")
                    .with_child(NewElement::new(MDUI, "UIInfo").with_children(names)),
            ),
        )
}

/// A document written as others write: mixed prefixes, default namespaces, comments, white space, character data, references;
/// with an empty signature for `signer`'s algorithm. `prefix` is that of the signature's elements, `""` the default namespace.
pub(crate) fn template(signer: &dyn Signer, prefix: &str, prefix_list: Option<&str>) -> String {
    let algorithm = signer.algorithm();
    let digest = match algorithm {
        SignatureAlgorithm::RsaSha384 | SignatureAlgorithm::EcdsaSha384 => {
            "http://www.w3.org/2001/04/xmldsig-more#sha384"
        }
        SignatureAlgorithm::RsaSha512 | SignatureAlgorithm::EcdsaSha512 => {
            "http://www.w3.org/2001/04/xmlenc#sha512"
        }
        _ => "http://www.w3.org/2001/04/xmlenc#sha256",
    };
    let method = algorithm.xml_uri().expect("an algorithm for XML");
    let (open, declared) = match prefix {
        "" => (String::new(), "xmlns".to_owned()),
        _ => (format!("{prefix}:"), format!("xmlns:{prefix}")),
    };
    let list = prefix_list.map_or(String::new(), |list| {
        format!(
            "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{list}\"/>"
        )
    });
    let signature = format!(
        "<{open}Signature {declared}='http://www.w3.org/2000/09/xmldsig#'>\n  <{open}SignedInfo>\
         <{open}CanonicalizationMethod Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'/>\n\
         <{open}SignatureMethod Algorithm=\"{method}\"/><{open}Reference URI=\"#_t1\"><{open}Transforms>\
         <{open}Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
         <{open}Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">{list}</{open}Transform>\
         </{open}Transforms><{open}DigestMethod Algorithm=\"{digest}\"/><{open}DigestValue></{open}DigestValue>\
         </{open}Reference></{open}SignedInfo>\n<{open}SignatureValue></{open}SignatureValue></{open}Signature>"
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- before -->\n\
         <p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol' xmlns:xs='http://www.w3.org/2001/XMLSchema' \
         xmlns:unused=\"urn:unused\" xmlns='urn:oasis:names:tc:SAML:2.0:assertion' Version=\"2.0\" ID='_t1' \
         Destination=\"a&#9;b&#xA;c  d&quot;&lt;\">\n\
         <Issuer>https://idp.exämple.se<!-- cut -->/path</Issuer>{signature}\n\
         <p:Status><p:StatusCode Value='urn:x'/></p:Status><Assertion ID=\"_t2\" xml:lang=\"sv\">\
         <AttributeValue xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\" b=\"1\" \
         a='2'><![CDATA[<å>]]>&amp;&#13;&#229;\u{1F642}</AttributeValue>\
         <s:Other xmlns:s=\"urn:s\" xmlns=\"\"><plain/><s:inner s:z='1' a='2'/></s:Other></Assertion>\n</p:Response>\n"
    )
}
