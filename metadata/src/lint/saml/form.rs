//! Rules for the form of an entity: what the schema of SAML metadata demands. Readers that check against the schema refuse the whole file
//! for one breach, with everybody else in it.

use certs_xml::{
    Element,
    namespace::{DS, MD, MDUI, SAML, XML},
};

use crate::{
    lint::{
        report::{Finding, Report},
        rule::rules,
    },
    saml::boolean,
};

rules! {
    EXTENSION_NAMESPACE = Error "saml.form.extension_namespace", "SAML Metadata 2.3.1 and 2.3.2 (schema of Extensions)",
        what: "<{found}> i Extensions hör inte till någon annan namnrymd än metadata." / "<{found}> within Extensions is not in a namespace other than that of metadata.",
        why: "Extensions är till för andras element. Den som kontrollerar mot schemat vägrar hela filen." / "Extensions is for elements of others. Who checks against the schema refuses the whole file.",
        fix: "Ta bort elementet, eller ge det sin egen namnrymd (xmlns:prefix=\"…\")." / "Remove the element, or give it a namespace of its own (xmlns:prefix=\"…\").";
    ELEMENT_UNKNOWN = Error "saml.form.element_unknown", "SAML Metadata 2 (schema)",
        what: "<{found}> får inte stå i {expected}." / "<{found}> must not stand in {expected}.",
        why: "Schemat känner inget sådant element där, så det blir utan verkan eller vägras." / "The schema knows no such element there, so it has no effect or is refused.",
        fix: "Rätta namnet eller flytta elementet dit det hör." / "Correct the name or move the element to where it belongs.";
    ORDER = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.form.order", "SAML Metadata 2 (schema)",
        what: "<{found}> står efter <{expected}>, men ska stå före." / "<{found}> stands after <{expected}>, but belongs before it.",
        why: "Vi läser filen ändå, men den som kontrollerar mot schemat vägrar den." / "We read the file all the same, but who checks against the schema refuses it.",
        fix: "Flytta <{found}> till före <{expected}>." / "Move <{found}> to before <{expected}>.";
    ATTRIBUTE_MISSING = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.form.attribute_missing", "SAML Metadata 2 (schema)",
        what: "<{found}> saknar attributet {expected}." / "<{found}> lacks the attribute {expected}.",
        why: "Utan det kan elementet inte användas." / "Without it the element cannot be used.",
        fix: "Lägg till {expected}." / "Add {expected}.";
    ATTRIBUTE_VALUE = Error "saml.form.attribute_value", "SAML Metadata 2 (schema)",
        what: "Attributet har värdet {found}; möjliga är {expected}." / "The attribute has the value {found}; possible are {expected}.",
        why: "Ett annat värde betyder ingenting, och kan läsas olika av olika parter." / "Another value means nothing, and different parties may read it differently.",
        fix: "Skriv ett av {expected}." / "Write one of {expected}.";
    ROLE_DESCRIPTOR = Note [Internetstiftelsen: Error] "saml.form.role_descriptor", "Internetstiftelsen SAML WebSSO 2.1.12; SAML Metadata 2.4.1",
        what: "Filen har ett RoleDescriptor ({found}), som inte används här." / "The file has a RoleDescriptor ({found}), which is not used here.",
        why: "Det beskriver ett annat protokoll, ofta WS-Federation. Somliga läsare stannar vid det." / "It describes another protocol, often WS-Federation. Some readers stop at it.",
        fix: "Inget behöver göras här. Kräver en federation det, ta bort elementet innan filen signeras." / "Nothing needs to be done here. Where a federation demands it, remove the element before the file is signed.";
    NO_ROLE = Note "saml.entity.role_unknown", "SAML Metadata 2.4.3 and 2.4.4",
        what: "Entiteten är varken legitimeringstjänst eller e-tjänst för SAML 2.0 (roller: {found})." / "The entity is neither identity provider nor service provider for SAML 2.0 (roles: {found}).",
        why: "Den kan inte delta i någon inloggning här." / "It can take part in no login here.",
        fix: "Inget behöver göras om den har ett annat syfte." / "Nothing needs to be done if it has another purpose.";
}

/// What may stand in an element of metadata, in order. Names with the same number may be mixed.
fn order(parent: &str) -> Option<&'static [(&'static str, u8)]> {
    Some(match parent {
        "EntitiesDescriptor" => &[("Extensions", 1), ("EntityDescriptor", 2), ("EntitiesDescriptor", 2)],
        "EntityDescriptor" => &[
            ("Extensions", 1),
            ("RoleDescriptor", 2),
            ("IDPSSODescriptor", 2),
            ("SPSSODescriptor", 2),
            ("AuthnAuthorityDescriptor", 2),
            ("AttributeAuthorityDescriptor", 2),
            ("PDPDescriptor", 2),
            ("AffiliationDescriptor", 2),
            ("Organization", 3),
            ("ContactPerson", 4),
            ("AdditionalMetadataLocation", 5),
        ],
        "IDPSSODescriptor" => &[
            ("Extensions", 1),
            ("KeyDescriptor", 2),
            ("Organization", 3),
            ("ContactPerson", 4),
            ("ArtifactResolutionService", 5),
            ("SingleLogoutService", 6),
            ("ManageNameIDService", 7),
            ("NameIDFormat", 8),
            ("SingleSignOnService", 9),
            ("NameIDMappingService", 10),
            ("AssertionIDRequestService", 11),
            ("AttributeProfile", 12),
        ],
        "SPSSODescriptor" => &[
            ("Extensions", 1),
            ("KeyDescriptor", 2),
            ("Organization", 3),
            ("ContactPerson", 4),
            ("ArtifactResolutionService", 5),
            ("SingleLogoutService", 6),
            ("ManageNameIDService", 7),
            ("NameIDFormat", 8),
            ("AssertionConsumerService", 9),
            ("AttributeConsumingService", 10),
        ],
        "KeyDescriptor" => &[("EncryptionMethod", 2)],
        "Organization" => &[
            ("Extensions", 1),
            ("OrganizationName", 2),
            ("OrganizationDisplayName", 3),
            ("OrganizationURL", 4),
        ],
        "ContactPerson" => &[
            ("Extensions", 1),
            ("Company", 2),
            ("GivenName", 3),
            ("SurName", 4),
            ("EmailAddress", 5),
            ("TelephoneNumber", 6),
        ],
        "AttributeConsumingService" => {
            &[("ServiceName", 1), ("ServiceDescription", 2), ("RequestedAttribute", 3)]
        }
        _ => return None,
    })
}

/// Looks at every element of an entity, whatever its roles.
pub(super) fn check(entity: Element<'_>, report: &mut Report) {
    for element in entity.subtree() {
        if element.namespace() == MDUI.uri() {
            localised(element, report);
        }
        if element.namespace() != MD.uri() {
            continue;
        }
        match element.local_name() {
            "Extensions" => extensions(element, report),
            "RoleDescriptor" => {
                let kind = element.attributes().find(|attribute| attribute.local_name() == "type");
                let kind = kind.map_or("", |attribute| attribute.value());
                report.add(Finding::new(&ROLE_DESCRIPTOR, element.position()).found(kind));
            }
            name => {
                children(element, report);
                attributes(element, name, report);
            }
        }
    }
    let saml2 = |name| crate::saml::role(entity, name).is_some();
    if !saml2("IDPSSODescriptor") && !saml2("SPSSODescriptor") {
        let roles: Vec<_> =
            entity.children().map(Element::local_name).filter(|name| name.ends_with("Descriptor")).collect();
        report.add(Finding::new(&NO_ROLE, entity.position()).found(roles.join(", ")));
    }
}

/// Looks at the groups around entities.
pub(crate) fn check_groups(root: Element<'_>, report: &mut Report) {
    let groups = root.subtree().filter(|element| element.is(MD.uri(), "EntitiesDescriptor"));
    for group in groups {
        children(group, report);
        if let Some(found) = group.child(MD.uri(), "Extensions") {
            extensions(found, report);
        }
    }
}

/// `Extensions`: any element of another namespace, in any number, none of our own or of no namespace.
fn extensions(element: Element<'_>, report: &mut Report) {
    for child in
        element.children().filter(|child| child.namespace().is_empty() || child.namespace() == MD.uri())
    {
        report.add(Finding::new(&EXTENSION_NAMESPACE, child.position()).found(child.qualified_name()));
    }
}

fn children(element: Element<'_>, report: &mut Report) {
    let Some(known) = order(element.local_name()) else { return };
    let mut last: Option<(u8, Element<'_>)> = None;
    for child in element.children() {
        let rank = if child.is(DS.uri(), "Signature") {
            0
        } else if child.is(DS.uri(), "KeyInfo") {
            1
        } else if child.is(SAML.uri(), "Attribute") {
            13
        } else if child.namespace() == MD.uri() {
            match known.iter().find(|(name, _)| *name == child.local_name()) {
                Some((_, rank)) => *rank,
                None => {
                    report.add(
                        Finding::new(&ELEMENT_UNKNOWN, child.position())
                            .found(child.qualified_name())
                            .expected(element.local_name()),
                    );
                    continue;
                }
            }
        } else {
            // Extensions by others survive wherever they stand (FEDINTEROP IIP-MD05).
            continue;
        };
        match last {
            Some((before, other)) if rank < before => report.add(
                Finding::new(&ORDER, child.position())
                    .found(child.qualified_name())
                    .expected(other.qualified_name()),
            ),
            _ => last = Some((rank, child)),
        }
    }
}

fn attributes(element: Element<'_>, name: &str, report: &mut Report) {
    let mut need = |names: &[&str]| {
        for wanted in names.iter().filter(|wanted| element.attribute(wanted).is_none()) {
            report.add(
                Finding::new(&ATTRIBUTE_MISSING, element.position())
                    .found(element.qualified_name())
                    .expected(*wanted),
            );
        }
    };
    match name {
        "IDPSSODescriptor" | "SPSSODescriptor" => need(&["protocolSupportEnumeration"]),
        "AssertionConsumerService" | "ArtifactResolutionService" => need(&["Binding", "Location", "index"]),
        "SingleSignOnService" | "SingleLogoutService" | "ManageNameIDService" => {
            need(&["Binding", "Location"])
        }
        "AttributeConsumingService" => need(&["index"]),
        "RequestedAttribute" => need(&["Name"]),
        "ContactPerson" => need(&["contactType"]),
        "OrganizationName"
        | "OrganizationDisplayName"
        | "OrganizationURL"
        | "ServiceName"
        | "ServiceDescription" => localised(element, report),
        _ => {}
    }
    for attribute in element.attributes().filter(|attribute| attribute.namespace().is_empty()) {
        let value = attribute.value();
        let (good, possible) = match (name, attribute.local_name()) {
            ("KeyDescriptor", "use") => (matches!(value, "signing" | "encryption"), "signing, encryption"),
            ("ContactPerson", "contactType") => (
                matches!(value, "technical" | "support" | "administrative" | "billing" | "other"),
                "technical, support, administrative, billing, other",
            ),
            (
                _,
                "isDefault"
                | "isRequired"
                | "WantAuthnRequestsSigned"
                | "AuthnRequestsSigned"
                | "WantAssertionsSigned",
            ) => (boolean(value).is_some(), "true, false"),
            (_, "index") => (value.trim().parse::<u16>().is_ok(), "0–65535"),
            _ => continue,
        };
        if !good {
            report.add(Finding::new(&ATTRIBUTE_VALUE, attribute.position()).found(value).expected(possible));
        }
    }
}

/// Elements whose text is in one language say which.
fn localised(element: Element<'_>, report: &mut Report) {
    let wanted: &[&str] = match element.local_name() {
        "UIInfo" | "DiscoHints" | "IPHint" | "DomainHint" | "GeolocationHint" => return,
        "Logo" => &["height", "width"],
        _ => &[],
    };
    for name in wanted.iter().filter(|name| element.attribute(name).is_none()) {
        report.add(
            Finding::new(&ATTRIBUTE_MISSING, element.position())
                .found(element.qualified_name())
                .expected(*name),
        );
    }
    if wanted.is_empty() && element.attribute_in(XML.uri(), "lang").is_none() {
        report.add(
            Finding::new(&ATTRIBUTE_MISSING, element.position())
                .found(element.qualified_name())
                .expected("xml:lang"),
        );
    }
}
