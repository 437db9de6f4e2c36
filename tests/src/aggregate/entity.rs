//! One entity of an aggregate, with all that entities of Swedish federations have.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs_xml::{
    Namespace, NewElement,
    namespace::{DS, IDPDISC, MD, MDATTR, MDORGEXT, MDRPI, MDUI, REMD, SAML, SHIBMD, XML},
};

use super::{Numbers, Plan, certificate::certificate};

const NAMES: [&str; 12] = [
    "Ånga",
    "Björklinge",
    "Hällestad",
    "Östervåla",
    "Kråkshult",
    "Vittangi",
    "Ullervad",
    "Norrsunda",
    "Gällö",
    "Töre",
    "Älmeboda",
    "Skånes-Fagerhult",
];
const KINDS: [(&str, &str); 5] = [
    ("kommun", "municipality"),
    ("region", "region"),
    ("skolförbund", "school association"),
    ("räddningstjänst", "rescue service"),
    ("högskola", "university college"),
];
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const URI_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

pub(super) fn id(plan: &Plan, number: usize) -> String {
    let kind = if plan.is_identity_provider(number) { "idp" } else { "sp" };
    format!("https://{kind}-{number}.federation-{}.example/saml", plan.seed)
}

pub(super) fn entity(plan: &Plan, number: usize, numbers: &mut Numbers) -> NewElement {
    let entity_id = id(plan, number);
    let host = entity_id.trim_start_matches("https://").trim_end_matches("/saml").to_owned();
    let place = NAMES[numbers.below(NAMES.len())];
    let (sv, en) = KINDS[numbers.below(KINDS.len())];
    let is_renamed = plan.edition > 0 && plan.renamed.contains(&number);
    let edition = if is_renamed { format!(" {}", plan.edition) } else { String::new() };
    let names = [
        ("sv", format!("{place} {sv} {number}{edition}")),
        ("en", format!("{place} {en} {number}{edition}")),
    ];
    let is_provider = plan.is_identity_provider(number);
    let role =
        if is_provider { identity_provider(&host, &names, numbers) } else { service(&host, &names, numbers) };
    let mut entity = NewElement::new(MD, "EntityDescriptor")
        .with_attribute("entityID", entity_id)
        .with_child(extensions(is_provider))
        .with_child(role)
        .with_child(organisation(&host, &names, numbers))
        .with_child(contact("technical", &host))
        .with_child(contact("support", &host));
    entity.push(contact("other", &host).with_attribute_in(
        REMD,
        "contactType",
        "http://refeds.org/metadata/contactType/security",
    ));
    entity_padded(entity, plan, numbers)
}

/// Draws a logo as large as is missing.
fn entity_padded(entity: NewElement, plan: &Plan, numbers: &mut Numbers) -> NewElement {
    let octets = entity.to_canonical().expect("no control characters").len();
    let missing = plan.octets_of_each.saturating_sub(octets);
    if missing < 200 {
        return entity;
    }
    // An extension of the organisation; readers that do not know it pass it by (FEDINTEROP IIP-EXT01).
    let picture = STANDARD.encode(numbers.octets((missing - 170) / 4 * 3));
    let logo = NewElement::new(MDUI, "Logo")
        .with_attribute("height", "80")
        .with_attribute("width", "240")
        .with_text(format!("data:image/png;base64,{picture}"));
    let information = NewElement::new(MDUI, "UIInfo").with_child(logo);
    let extensions = NewElement::new(MD, "Extensions").with_child(information);
    entity.with_child(
        NewElement::new(MD, "ContactPerson")
            .with_attribute("contactType", "administrative")
            .with_child(extensions),
    )
}

fn extensions(is_provider: bool) -> NewElement {
    let attribute = |name: &str, values: &[&str]| {
        NewElement::new(SAML, "Attribute")
            .with_attribute("Name", name)
            .with_attribute("NameFormat", URI_FORMAT)
            .with_children(
                values.iter().map(|value| NewElement::new(SAML, "AttributeValue").with_text(*value)),
            )
    };
    let categories: &[&str] = if is_provider {
        &["http://id.swedenconnect.se/general-ec/1.0/supports-user-message"]
    } else {
        &["http://id.elegnamnden.se/ec/1.0/loa3-pnr", "http://id.elegnamnden.se/st/1.0/public-sector-sp"]
    };
    let mut attributes = NewElement::new(MDATTR, "EntityAttributes")
        .with_child(attribute("http://macedir.org/entity-category", categories));
    if is_provider {
        attributes.push(attribute(
            "urn:oasis:names:tc:SAML:attribute:assurance-certification",
            &["http://id.elegnamnden.se/loa/1.0/loa2", "http://id.elegnamnden.se/loa/1.0/loa3"],
        ));
    }
    let registration = NewElement::new(MDRPI, "RegistrationInfo")
        .with_attribute("registrationAuthority", "https://federation.example")
        .with_attribute("registrationInstant", "2024-03-01T08:00:00Z")
        .with_child(
            localised(MDRPI, "RegistrationPolicy", "sv").with_text("https://federation.example/policy"),
        );
    NewElement::new(MD, "Extensions").with_child(registration).with_child(attributes)
}

fn localised(namespace: Namespace, name: &'static str, language: &str) -> NewElement {
    NewElement::new(namespace, name).with_attribute_in(XML, "lang", language)
}

fn interface(host: &str, names: &[(&str, String); 2]) -> NewElement {
    let mut interface = NewElement::new(MDUI, "UIInfo");
    for (language, name) in names {
        interface.push(localised(MDUI, "DisplayName", language).with_text(name.as_str()));
    }
    for (language, name) in names {
        interface
            .push(localised(MDUI, "Description", language).with_text(format!(
                "{name}: inloggning för anställda & förtroendevalda / sign-in for staff"
            )));
    }
    for (language, _) in names {
        interface.push(
            localised(MDUI, "InformationURL", language).with_text(format!("https://{host}/{language}/om")),
        );
        interface.push(
            localised(MDUI, "PrivacyStatementURL", language)
                .with_text(format!("https://{host}/{language}/personuppgifter")),
        );
    }
    for (width, height) in [("100", "40"), ("16", "16")] {
        interface.push(
            NewElement::new(MDUI, "Logo")
                .with_attribute("height", height)
                .with_attribute("width", width)
                .with_text(format!("https://{host}/logo-{width}.png")),
        );
    }
    interface
}

/// Two for signing, of which one is the next, and one of them for encryption.
fn keys(host: &str, numbers: &mut Numbers) -> Vec<NewElement> {
    let certificates = [certificate(host, numbers), certificate(host, numbers)];
    let key = |usage: &str, certificate: &[u8]| {
        // Lines of 64 characters, as most software writes them.
        let encoded = STANDARD.encode(certificate);
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
        let certificate =
            NewElement::new(DS, "X509Certificate").with_text(format!("\n{}\n", lines.join("\n")));
        let info = NewElement::new(DS, "KeyInfo")
            .with_child(NewElement::new(DS, "X509Data").with_child(certificate));
        NewElement::new(MD, "KeyDescriptor").with_attribute("use", usage).with_child(info)
    };
    vec![
        key("signing", &certificates[0]),
        key("signing", &certificates[1]),
        key("encryption", &certificates[0]),
    ]
}

fn endpoint(name: &'static str, binding: &str, location: String) -> NewElement {
    NewElement::new(MD, name).with_attribute("Binding", binding).with_attribute("Location", location)
}

fn role(name: &'static str, extensions: NewElement, host: &str, numbers: &mut Numbers) -> NewElement {
    NewElement::new(MD, name)
        .with_attribute("protocolSupportEnumeration", "urn:oasis:names:tc:SAML:2.0:protocol")
        .with_child(extensions)
        .with_children(keys(host, numbers))
        .with_child(endpoint("SingleLogoutService", REDIRECT, format!("https://{host}/saml/slo")))
}

fn identity_provider(host: &str, names: &[(&str, String); 2], numbers: &mut Numbers) -> NewElement {
    let scope = NewElement::new(SHIBMD, "Scope").with_attribute("regexp", "false").with_text(host);
    let extensions = NewElement::new(MD, "Extensions").with_child(scope).with_child(interface(host, names));
    let mut role =
        role("IDPSSODescriptor", extensions, host, numbers).with_attribute("WantAuthnRequestsSigned", "true");
    for format in [PERSISTENT, TRANSIENT] {
        role.push(NewElement::new(MD, "NameIDFormat").with_text(format));
    }
    for binding in [REDIRECT, POST] {
        role.push(endpoint("SingleSignOnService", binding, format!("https://{host}/saml/sso")));
    }
    role
}

fn service(host: &str, names: &[(&str, String); 2], numbers: &mut Numbers) -> NewElement {
    let discovery = endpoint("DiscoveryResponse", IDPDISC.uri(), format!("https://{host}/discovery"));
    let mut response = NewElement::new(IDPDISC, "DiscoveryResponse").with_attribute("index", "0");
    for name in ["Binding", "Location"] {
        response = response.with_attribute(name, discovery.attribute(name).unwrap_or_default());
    }
    let extensions =
        NewElement::new(MD, "Extensions").with_child(response).with_child(interface(host, names));
    let mut role = role("SPSSODescriptor", extensions, host, numbers)
        .with_attribute("AuthnRequestsSigned", "true")
        .with_attribute("WantAssertionsSigned", "true");
    role.push(NewElement::new(MD, "NameIDFormat").with_text(PERSISTENT));
    role.push(
        endpoint("AssertionConsumerService", POST, format!("https://{host}/saml/acs"))
            .with_attribute("index", "0")
            .with_attribute("isDefault", "true"),
    );
    let mut consumer = NewElement::new(MD, "AttributeConsumingService").with_attribute("index", "0");
    for (language, name) in names {
        consumer.push(localised(MD, "ServiceName", language).with_text(name.as_str()));
    }
    for (name, friendly) in [
        ("urn:oid:1.2.752.29.4.13", "personalIdentityNumber"),
        ("urn:oid:2.16.840.1.113730.3.1.241", "displayName"),
        ("urn:oid:1.2.752.201.3.1", "orgAffiliation"),
    ] {
        consumer.push(
            NewElement::new(MD, "RequestedAttribute")
                .with_attribute("FriendlyName", friendly)
                .with_attribute("Name", name)
                .with_attribute("NameFormat", URI_FORMAT)
                .with_attribute("isRequired", "true"),
        );
    }
    role.with_child(consumer)
}

fn organisation(host: &str, names: &[(&str, String); 2], numbers: &mut Numbers) -> NewElement {
    let number = NewElement::new(MDORGEXT, "OrganizationNumber").with_text(organisation_number(numbers));
    let mut organisation =
        NewElement::new(MD, "Organization").with_child(NewElement::new(MD, "Extensions").with_child(number));
    for element in ["OrganizationName", "OrganizationDisplayName"] {
        for (language, name) in names {
            organisation.push(localised(MD, element, language).with_text(name.as_str()));
        }
    }
    for (language, _) in names {
        organisation.push(
            localised(MD, "OrganizationURL", language).with_text(format!("https://www.{host}/{language}")),
        );
    }
    organisation
}

/// Ten digits with a check digit (Luhn), of a public body by the first.
fn organisation_number(numbers: &mut Numbers) -> String {
    let digits: Vec<u32> =
        std::iter::once(2).chain((0..8).map(|_| u32::try_from(numbers.below(10)).unwrap_or(0))).collect();
    // The third digit of an organisation number is at least 2, so that it is no date.
    let digits: Vec<u32> =
        digits.iter().enumerate().map(|(at, digit)| if at == 2 { 2 + digit % 8 } else { *digit }).collect();
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
        .sum();
    digits.iter().map(u32::to_string).collect::<String>() + &((10 - sum % 10) % 10).to_string()
}

fn contact(kind: &str, host: &str) -> NewElement {
    let mut contact = NewElement::new(MD, "ContactPerson").with_attribute("contactType", kind);
    contact.push(NewElement::new(MD, "Company").with_text(host));
    contact.push(NewElement::new(MD, "GivenName").with_text("IT-enheten"));
    contact.push(NewElement::new(MD, "EmailAddress").with_text(format!("mailto:{kind}@{host}")));
    contact.push(NewElement::new(MD, "TelephoneNumber").with_text("+46 10 000 00 00"));
    contact
}
