//! Whom to turn to (SAML Metadata 2.3.2.2; REFEDS security contact).

use certs_xml::{
    Element,
    namespace::{MD, REMD},
};

use crate::{
    peer::{Contact, ContactKind},
    saml::trimmed,
};

/// The contacts of an entity and of one of its roles.
pub(super) fn contacts(entity: Element<'_>, role: Element<'_>) -> Vec<Contact> {
    [entity, role]
        .into_iter()
        .flat_map(|element| element.children_named(MD.uri(), "ContactPerson").collect::<Vec<_>>())
        .map(contact)
        .collect()
}

fn contact(person: Element<'_>) -> Contact {
    let part = |name| person.child(MD.uri(), name).and_then(trimmed).map(str::to_owned);
    let name = [part("GivenName"), part("SurName")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let kind = match person.attribute("contactType") {
        Some("technical") => ContactKind::Technical,
        Some("support") => ContactKind::Support,
        Some("administrative") => ContactKind::Administrative,
        Some("other")
            if person.attribute_in(REMD.uri(), "contactType")
                == Some("http://refeds.org/metadata/contactType/security") =>
        {
            ContactKind::Other("security".to_owned())
        }
        other => ContactKind::Other(other.unwrap_or("other").to_owned()),
    };
    Contact {
        kind,
        name: if name.is_empty() { part("Company") } else { Some(name) },
        email: part("EmailAddress").map(|address| match address.strip_prefix("mailto:") {
            Some(bare) => bare.to_owned(),
            None => address,
        }),
        telephone: part("TelephoneNumber"),
    }
}
