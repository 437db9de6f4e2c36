//! Elements that entities of ours share.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::organisation::LocalText;
use certs_xml::{
    NewElement,
    namespace::{DS, MD, Namespace, XML},
};

use crate::peer::{Contact, ContactKind};

/// One element for each language, in the order of the languages.
pub(super) fn localised(namespace: Namespace, name: &'static str, text: &LocalText) -> Vec<NewElement> {
    text.0
        .iter()
        .map(|(language, words)| {
            NewElement::new(namespace, name)
                .with_attribute_in(XML, "lang", language.as_str())
                .with_text(words.as_str())
        })
        .collect()
}

/// A key in its certificate (SAML Metadata 2.4.1.1).
pub(super) fn key_descriptor(usage: &'static str, certificate: &[u8]) -> NewElement {
    NewElement::new(MD, "KeyDescriptor").with_attribute("use", usage).with_child(
        NewElement::new(DS, "KeyInfo").with_child(
            NewElement::new(DS, "X509Data")
                .with_child(NewElement::new(DS, "X509Certificate").with_text(STANDARD.encode(certificate))),
        ),
    )
}

/// SAML Metadata 2.3.2.1: all three parts, or nothing.
pub(super) fn organisation(
    name: &LocalText,
    display_name: &LocalText,
    url: &LocalText,
) -> Option<NewElement> {
    if name.is_empty() || display_name.is_empty() || url.is_empty() {
        return None;
    }
    Some(
        NewElement::new(MD, "Organization")
            .with_children(localised(MD, "OrganizationName", name))
            .with_children(localised(MD, "OrganizationDisplayName", display_name))
            .with_children(localised(MD, "OrganizationURL", url)),
    )
}

/// SAML Metadata 2.3.2.2.
pub(super) fn contact(contact: &Contact) -> NewElement {
    let kind = match &contact.kind {
        ContactKind::Technical => "technical",
        ContactKind::Support => "support",
        ContactKind::Administrative => "administrative",
        ContactKind::Other(kind) if kind == "billing" => "billing",
        ContactKind::Other(_) => "other",
    };
    let mut person = NewElement::new(MD, "ContactPerson").with_attribute("contactType", kind);
    let parts = [
        ("GivenName", contact.name.clone()),
        ("EmailAddress", contact.email.as_ref().map(|address| format!("mailto:{address}"))),
        ("TelephoneNumber", contact.telephone.clone()),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            person.push(NewElement::new(MD, name).with_text(value));
        }
    }
    person
}
