//! Rules for entity attributes: categories, levels, and what a service asks for.

use std::collections::BTreeSet;

use broker_core::organisation::OrganisationNumber;
use certs_xml::{
    Element,
    namespace::{MD, MDATTR, PSC, SAML, SHIBMD, XML},
};

use crate::{
    international::ascii,
    lint::{
        report::{Finding, Report},
        rule::rules,
        saml::{Kind, wording},
    },
    saml::{
        Placed, boolean,
        entity::{ASSURANCE_CERTIFICATION, ENTITY_CATEGORY, HIDE_FROM_DISCOVERY},
        entity_attribute, trimmed,
    },
};

const URI: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";
const CATEGORY_SUPPORT: &str = "http://macedir.org/entity-category-support";
const SUBJECT_ID_REQUIRED: &str = "urn:oasis:names:tc:SAML:profiles:subject-id:req";
const RESEARCH_AND_SCHOLARSHIP: &str = "http://refeds.org/category/research-and-scholarship";
const CODE_OF_CONDUCT: &str = "https://refeds.org/category/code-of-conduct/v2";
const PUBLIC: &str = "http://id.elegnamnden.se/st/1.0/public-sector-sp";
const PRIVATE: &str = "http://id.elegnamnden.se/st/1.0/private-sector-sp";
const SIGNATURE_SERVICE: &str = "http://id.elegnamnden.se/st/1.0/sigservice";
/// What Sweden Connect no longer lets anybody declare.
const DEPRECATED: [&str; 5] = [
    "http://id.swedenconnect.se/ec/sc/uncertified-loa3-pnr",
    "http://id.swedenconnect.se/ec/sc/uncertified-loa3-hsaid",
    "http://id.swedenconnect.se/ec/1.0/loa3-hsaid",
    "http://id.swedenconnect.se/contract/sc/eid-choice-2017",
    "http://id.elegnamnden.se/loa/1.0/loa3-sigmessage",
];

rules! {
    SEVERAL = Note [SwedenConnect: Error] "saml.category.attribute_twice", "Sweden Connect entity categories 1.5",
        what: "Entitetskategorierna står i flera attribut med samma namn." / "The entity categories stand in several attributes of one name.",
        why: "Somliga läser bara det första." / "Some only read the first.",
        fix: "Samla värdena som flera AttributeValue i ett enda Attribute." / "Gather the values as several AttributeValue in one Attribute.";
    NAME_FORMAT = Warning [SwedenConnect: Error, Swamid: Error] "saml.category.name_format", "Sweden Connect entity categories 1.5; RFC 8409 section 3.1",
        what: "Entitetsattributet {found} har inte NameFormat uri." / "The entity attribute {found} does not have the NameFormat uri.",
        why: "Den som jämför både namn och format hittar det inte." / "Who compares both name and format does not find it.",
        fix: "Skriv NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"." / "Write NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\".";
    SECTOR = [SwedenConnect: Error] "saml.sp.sector_category", "Sweden Connect rules 3.5.2",
        what: "E-tjänsten ska ha exakt en av kategorierna public-sector-sp och private-sector-sp; den har {found}." / "The service must have exactly one of the categories public-sector-sp and private-sector-sp; it has {found}.",
        why: "Den avgör vilket avtal som gäller." / "It decides which agreement holds.",
        fix: "Lägg till http://id.elegnamnden.se/st/1.0/public-sector-sp, eller private-sector-sp, enligt avtalet." / "Add http://id.elegnamnden.se/st/1.0/public-sector-sp, or private-sector-sp, as in the agreement.";
    PAIRING = [SwedenConnect: Error] "saml.idp.category_name_missing", "Sweden Connect rules 3.4",
        what: "{found} är angiven, men inte {expected}." / "{found} is declared, but not {expected}.",
        why: "Den som kan lämna personnummer eller organisationsidentitet ska också kunna lämna bara namn." / "Who can release a personal number or an organisational identity must also be able to release the name alone.",
        fix: "Lägg till {expected}." / "Add {expected}.";
    NO_SERVICE = [SwedenConnect: Warning] "saml.category.service_missing", "Sweden Connect entity categories 2",
        what: "Ingen tjänstekategori är angiven." / "No service entity category is declared.",
        why: "Den som väljer legitimeringstjänst visas bara dem som har minst en kategori gemensam med e-tjänsten." / "Who chooses an identity provider is only shown those with at least one category in common with the service.",
        fix: "Lägg till till exempel http://id.swedenconnect.se/ec/1.0/loa3-orgid." / "Add for example http://id.swedenconnect.se/ec/1.0/loa3-orgid.";
    LEVEL = [SwedenConnect: Warning] "saml.idp.category_level_missing", "Sweden Connect deployment profile 2.1.3; Sweden Connect rules 3.3",
        what: "Kategorin {found} kräver nivån {expected}, som inte står i assurance-certification." / "The category {found} needs the level {expected}, which is not in assurance-certification.",
        why: "E-tjänsten begär nivån och får ett fel." / "The service asks for the level and gets an error.",
        fix: "Lägg till nivån om tjänsten är godkänd för den; annars ta bort kategorin." / "Add the level if the provider is approved for it; otherwise remove the category.";
    OLD = [SwedenConnect: Warning] "saml.category.deprecated", "Sweden Connect identifiers 3.1; Sweden Connect rules",
        what: "{found} ska inte användas längre." / "{found} is not to be used any more.",
        why: "Ingen ny part läser den." / "No new party reads it.",
        fix: "Ta bort den, eller byt till den som ersatte den." / "Remove it, or change to the one that replaced it.";
    SIGNATURE_UNSIGNED = [SwedenConnect: Error] "saml.sp.signature_service_unsigned", "Sweden Connect deployment profile 2.1.4 and 7",
        what: "Signaturtjänsten säger inte att den signerar sina begäranden." / "The signature service does not say that it signs its requests.",
        why: "En begäran om underskrift ska alltid vara signerad." / "A request for a signature must always be signed.",
        fix: "Sätt AuthnRequestsSigned=\"true\" på SPSSODescriptor." / "Set AuthnRequestsSigned=\"true\" on SPSSODescriptor.";
    RESEARCH = Warning [Swamid: Error] "saml.sp.research_and_scholarship", "REFEDS Research and Scholarship 1.3 section 4",
        what: "E-tjänsten har kategorin Research and Scholarship men saknar {found}." / "The service is in Research and Scholarship but lacks {found}.",
        why: "Kategorin kräver visningsnamn, informationssida och teknisk kontakt; utan dem lämnas inga uppgifter." / "The category demands a display name, an information page and a technical contact; without them nothing is released.",
        fix: "Lägg till {found}." / "Add {found}.";
    CONDUCT = Warning [Swamid: Error] "saml.sp.code_of_conduct", "REFEDS Code of Conduct 2.0 section 5",
        what: "E-tjänsten har kategorin Code of Conduct 2 men saknar {found}." / "The service is in Code of Conduct 2 but lacks {found}.",
        why: "Kategorin kräver en integritetssida och att det står vad som begärs." / "The category demands a privacy page and that it says what it asks for.",
        fix: "Lägg till {found}." / "Add {found}.";
    SUBJECT_ID = Warning [Saml2int: Error, Swamid: Error] "saml.sp.subject_id_requirement", "SAML Subject Identifier Attributes 1.0 section 3.4.1",
        what: "subject-id:req är {found}; möjliga är subject-id, pairwise-id, none och any." / "The subject-id:req is {found}; possible are subject-id, pairwise-id, none and any.",
        why: "Legitimeringstjänsten vet inte vilken identitet tjänsten behöver." / "The identity provider does not know which identifier the service needs.",
        fix: "Skriv ett av de fyra värdena." / "Write one of the four values.";
    SUBJECT_ID_MISSING = [Saml2int: Note] "saml.sp.subject_id_requirement_missing", "SAML2INT SDP-SP14; SAML Subject Identifier Attributes 1.0 section 3.4.1",
        what: "E-tjänsten säger inte om den behöver subject-id eller pairwise-id." / "The service does not say whether it needs subject-id or pairwise-id.",
        why: "Den som behöver känna igen en person ska säga det här, inte räkna med NameID." / "Who needs to recognise a person says so here, and does not count on NameID.",
        fix: "Lägg till entitetsattributet urn:oasis:names:tc:SAML:profiles:subject-id:req med pairwise-id, subject-id, none eller any." / "Add the entity attribute urn:oasis:names:tc:SAML:profiles:subject-id:req with pairwise-id, subject-id, none or any.";
    HIDDEN = Note "saml.category.hide_from_discovery", "REFEDS Hide from Discovery 1.0",
        what: "Entiteten är i kategorin hide-from-discovery." / "The entity is in the category hide-from-discovery.",
        why: "Den visas inte där man väljer; en e-tjänst berörs inte." / "It is not shown where people choose; a service is not concerned.",
        fix: "Inget behöver göras om det är avsikten." / "Nothing needs to be done if that is intended.";
    SUPPORT = [Swamid: Warning] "saml.idp.category_support_missing", "SWAMID SAML WebSSO 5.1.11",
        what: "Filen säger inte vilka kategorier tjänsten lämnar uppgifter till (entity-category-support)." / "The file does not say which categories the provider releases to (entity-category-support).",
        why: "E-tjänster kan då inte veta om inloggningen räcker." / "Services then cannot know whether a login suffices.",
        fix: "Lägg till entitetsattributet http://macedir.org/entity-category-support." / "Add the entity attribute http://macedir.org/entity-category-support.";
    SWAMID_LEVEL = [Swamid: Error] "saml.idp.swamid_assurance_missing", "SWAMID SAML WebSSO 5.1.9",
        what: "Filen säger inte vilken av SWAMIDs tillitsprofiler tjänsten är godkänd för." / "The file does not say which of SWAMID's assurance profiles the provider is approved for.",
        why: "Minst AL1 krävs för att vara med." / "At least AL1 is needed to take part.",
        fix: "Lägg till http://www.swamid.se/policy/assurance/al1 (och al2, al3 om de är godkända) i assurance-certification." / "Add http://www.swamid.se/policy/assurance/al1 (and al2, al3 where approved) to assurance-certification.";
    SCOPE_FORM = Warning [SwedenConnect: Error] "saml.idp.scope_malformed", "Sweden Connect deployment profile 2.1.3.1; Shibboleth metadata Scope",
        what: "Scope {found} är varken ett organisationsnummer eller ett domännamn." / "The Scope {found} is neither an organisation number nor a domain name.",
        why: "Inget värde kan sluta på det." / "No value can end with it.",
        fix: "Skriv tio siffror utan bindestreck, eller ett domännamn utan @." / "Write ten digits without hyphen, or a domain name without @.";
    SCOPE_FOR_ORGANISATION = [SwedenConnect: Error] "saml.idp.scope_missing_for_organisation", "Sweden Connect deployment profile 2.1.3.1; Sweden Connect rules 3.7",
        what: "Kategorin {found} lämnar orgAffiliation, men filen har inget Scope." / "The category {found} releases orgAffiliation, but the file has no Scope.",
        why: "E-tjänsten ska vägra ett värde vars organisation inte står som Scope." / "The service must refuse a value whose organisation is not there as a Scope.",
        fix: "Lägg till ett shibmd:Scope för varje organisation som tjänsten svarar för." / "Add a shibmd:Scope for each organisation that the provider answers for.";
    ATTRIBUTES = [Internetstiftelsen: Error] "saml.idp.attribute_missing", "Internetstiftelsen SAML WebSSO 2.1.8",
        what: "Filen säger inte vilka attribut tjänsten kan lämna." / "The file does not say which attributes the provider can release.",
        why: "E-tjänster kan inte veta om inloggningen räcker." / "Services cannot know whether a login suffices.",
        fix: "Lägg till ett saml:Attribute i IDPSSODescriptor för vart och ett." / "Add a saml:Attribute in IDPSSODescriptor for each.";
    CONSUMING = [Internetstiftelsen: Error] "saml.sp.attribute_consuming_service_missing", "Internetstiftelsen SAML WebSSO 3.1.6",
        what: "E-tjänsten har inget AttributeConsumingService." / "The service has no AttributeConsumingService.",
        why: "Federationen kräver att det står vad som begärs; Sweden Connect vill bara ha det som kategorierna inte redan säger." / "The federation demands that it says what it asks for; Sweden Connect only wants what the categories do not say already.",
        fix: "Lägg till ett AttributeConsumingService med ServiceName, ServiceDescription och RequestedAttribute." / "Add an AttributeConsumingService with ServiceName, ServiceDescription and RequestedAttribute.";
    CONSUMING_WORDS = [Internetstiftelsen: Error] "saml.sp.attribute_consuming_service_words", "Internetstiftelsen SAML WebSSO 3.1.6",
        what: "AttributeConsumingService saknar {found}." / "The AttributeConsumingService lacks {found}.",
        why: "Texterna visas för den som ska lämna uppgifter." / "The texts are shown to who is about to release information.",
        fix: "Lägg till {found}." / "Add {found}.";
    REQUESTED_FORM = [Internetstiftelsen: Error] "saml.sp.requested_attribute_form", "Internetstiftelsen SAML WebSSO 3.1.6",
        what: "Det begärda attributet {found} saknar {expected}." / "The requested attribute {found} lacks {expected}.",
        why: "Namn, format och läsbart namn krävs, så att alla menar samma attribut." / "Name, format and readable name are needed, so that all mean the same attribute.",
        fix: "Lägg till {expected}." / "Add {expected}.";
    REQUESTED_IMPLIED = [SwedenConnect: Note] "saml.sp.requested_attribute_implied", "Sweden Connect deployment profile 2.1.2",
        what: "{found} begärs redan genom kategorin {expected}." / "{found} is already asked for by the category {expected}.",
        why: "RequestedAttribute är bara till för det som kategorierna inte omfattar." / "RequestedAttribute is only for what the categories do not cover.",
        fix: "Ta bort raden." / "Remove the line.";
    PRINCIPAL_VALUE = [SwedenConnect: Error] "saml.idp.principal_selection_value", "Sweden Connect principal selection 2.2",
        what: "RequestedPrincipalSelection innehåller ett värde." / "RequestedPrincipalSelection has a value in it.",
        why: "Där står bara namnen på det som tjänsten vill ha; ett värde vore en uppgift om en person, i allmänt spridd metadata." / "Only the names of what the provider wants stand there; a value would be information about a person, in metadata for all.",
        fix: "Ta bort texten; behåll bara Name." / "Remove the text; keep only Name.";
    NAME_ID = [SwedenConnect: Warning] "saml.role.name_id_format", "Sweden Connect deployment profile 3",
        what: "Filen räknar upp format för NameID, men inte {found}." / "The file lists formats of NameID, but not {found}.",
        why: "Alla ska stödja både persistent och transient." / "All must support both persistent and transient.",
        fix: "Lägg till <md:NameIDFormat>{found}</md:NameIDFormat>." / "Add <md:NameIDFormat>{found}</md:NameIDFormat>.";
}

/// What an entity says it is certified for.
pub(super) fn assurance(entity: Element<'_>) -> Vec<Placed<String>> {
    entity_attribute(entity, ASSURANCE_CERTIFICATION)
}

pub(super) fn check_entity(entity: Element<'_>, report: &mut Report) {
    let attributes: Vec<_> = entity
        .child(MD.uri(), "Extensions")
        .into_iter()
        .flat_map(|extensions| extensions.children_named(MDATTR.uri(), "EntityAttributes"))
        .flat_map(|holder| holder.children_named(SAML.uri(), "Attribute"))
        .collect();
    let mut seen = false;
    for attribute in attributes {
        let name = attribute.attribute("Name").unwrap_or_default();
        if name == ENTITY_CATEGORY && std::mem::replace(&mut seen, true) {
            report.add(Finding::new(&SEVERAL, attribute.position()));
        }
        if attribute.attribute("NameFormat") != Some(URI) {
            report.add(Finding::new(&NAME_FORMAT, attribute.position()).found(name));
        }
    }
    for category in entity_attribute(entity, ENTITY_CATEGORY).into_iter().chain(assurance(entity)) {
        if DEPRECATED.contains(&category.value.as_str()) {
            report.add(Finding::new(&OLD, category.place).found(&category.value));
        }
        if category.value == HIDE_FROM_DISCOVERY {
            report.add(Finding::new(&HIDDEN, category.place));
        }
    }
}

pub(super) fn check(entity: Element<'_>, role: Element<'_>, kind: Kind, report: &mut Report) {
    let categories = entity_attribute(entity, ENTITY_CATEGORY);
    if !categories.iter().any(|category| service(&category.value).is_some()) {
        report.add(Finding::new(&NO_SERVICE, entity.position()));
    }
    let formats: BTreeSet<&str> = role.children_named(MD.uri(), "NameIDFormat").filter_map(trimmed).collect();
    for format in [crate::saml::entity::PERSISTENT, crate::saml::entity::TRANSIENT] {
        if !formats.is_empty() && !formats.contains(format) {
            report.add(Finding::new(&NAME_ID, role.position()).found(format));
        }
    }
    match kind {
        Kind::IdentityProvider => identity_provider(entity, role, &categories, report),
        Kind::ServiceProvider => service_provider(entity, role, &categories, report),
    }
}

/// The level and the kind of a service entity category: (`3`, `orgid`). SC-EC 2.
fn service(category: &str) -> Option<(&str, &str)> {
    let rest = ["http://id.elegnamnden.se/ec/1.0/loa", "http://id.swedenconnect.se/ec/1.0/loa"]
        .iter()
        .find_map(|prefix| category.strip_prefix(prefix))?;
    rest.split_once('-').filter(|(level, _)| matches!(*level, "2" | "3" | "4"))
}

fn identity_provider(
    entity: Element<'_>,
    role: Element<'_>,
    categories: &[Placed<String>],
    report: &mut Report,
) {
    let levels = assurance(entity);
    let scopes: Vec<_> = [entity, role]
        .into_iter()
        .filter_map(|holder| holder.child(MD.uri(), "Extensions"))
        .flat_map(|extensions| extensions.children_named(SHIBMD.uri(), "Scope"))
        .collect();
    for category in categories {
        let Some((level, what)) = service(&category.value) else { continue };
        let name = format!("http://id.swedenconnect.se/ec/1.0/loa{level}-name");
        if matches!(what, "pnr" | "orgid") && !categories.iter().any(|other| other.value == name) {
            report.add(Finding::new(&PAIRING, category.place).found(&category.value).expected(&name));
        }
        let held = levels.iter().any(|held| {
            let short = held.value.rsplit('/').next().unwrap_or_default();
            short.trim_start_matches("uncertified-").trim_end_matches("-nonresident") == format!("loa{level}")
        });
        if !held {
            let wanted = format!("http://id.elegnamnden.se/loa/1.0/loa{level}");
            report.add(Finding::new(&LEVEL, category.place).found(&category.value).expected(wanted));
        }
        if what == "orgid" && scopes.is_empty() {
            report.add(Finding::new(&SCOPE_FOR_ORGANISATION, role.position()).found(&category.value));
        }
    }
    for scope in scopes {
        let written = scope.text().unwrap_or_default().trim();
        let pattern = scope.attribute("regexp").and_then(boolean).unwrap_or(false);
        let number = written.len() == 10 && OrganisationNumber::parse(written).is_some();
        let domain = ascii(written).is_some_and(|name| name.contains('.'));
        if !pattern && !number && !domain {
            report.add(Finding::new(&SCOPE_FORM, scope.position()).found(written));
        }
    }
    if !levels.iter().any(|level| level.value.starts_with("http://www.swamid.se/policy/assurance/al")) {
        report.add(Finding::new(&SWAMID_LEVEL, entity.position()));
    }
    if entity_attribute(entity, CATEGORY_SUPPORT).is_empty() {
        report.add(Finding::new(&SUPPORT, entity.position()));
    }
    if role.child(SAML.uri(), "Attribute").is_none() {
        report.add(Finding::new(&ATTRIBUTES, role.position()));
    }
    for value in role.subtree().filter(|element| element.is(PSC.uri(), "MatchValue")) {
        if trimmed(value).is_some() {
            report.add(Finding::new(&PRINCIPAL_VALUE, value.position()));
        }
    }
}

fn service_provider(
    entity: Element<'_>,
    role: Element<'_>,
    categories: &[Placed<String>],
    report: &mut Report,
) {
    let find = |wanted: &str| categories.iter().find(|category| category.value == wanted);
    let sector: Vec<_> = [PUBLIC, PRIVATE].into_iter().filter(|uri| find(uri).is_some()).collect();
    if sector.len() != 1 {
        let found = if sector.is_empty() { "–".to_owned() } else { sector.join(", ") };
        report.add(Finding::new(&SECTOR, entity.position()).found(found));
    }
    if let Some(category) = find(SIGNATURE_SERVICE)
        && role.attribute("AuthnRequestsSigned").and_then(boolean) != Some(true)
    {
        report.add(Finding::new(&SIGNATURE_UNSIGNED, category.place));
    }
    let info = wording::interface(role);
    let shown = |name| info.is_some_and(|info| info.children().any(|child| child.local_name() == name));
    let technical = entity.subtree().any(|person| {
        person.is(MD.uri(), "ContactPerson") && person.attribute("contactType") == Some("technical")
    });
    let requested = role.subtree().any(|element| element.is(MD.uri(), "RequestedAttribute"));
    let subject = entity_attribute(entity, SUBJECT_ID_REQUIRED);
    let lacks = |there: bool, what: &'static str| (!there).then_some(what);
    if let Some(category) = find(RESEARCH_AND_SCHOLARSHIP) {
        let missing = [
            lacks(shown("DisplayName"), "mdui:DisplayName"),
            lacks(shown("InformationURL"), "mdui:InformationURL"),
            lacks(technical, "ContactPerson contactType=\"technical\""),
        ];
        for what in missing.into_iter().flatten() {
            report.add(Finding::new(&RESEARCH, category.place).found(what));
        }
    }
    if let Some(category) = find(CODE_OF_CONDUCT) {
        let missing = [
            lacks(shown("PrivacyStatementURL"), "mdui:PrivacyStatementURL"),
            lacks(requested || !subject.is_empty(), "RequestedAttribute"),
        ];
        for what in missing.into_iter().flatten() {
            report.add(Finding::new(&CONDUCT, category.place).found(what));
        }
    }
    if subject.is_empty() {
        report.add(Finding::new(&SUBJECT_ID_MISSING, entity.position()));
    }
    for value in subject {
        if !matches!(value.value.as_str(), "subject-id" | "pairwise-id" | "none" | "any") {
            report.add(Finding::new(&SUBJECT_ID, value.place).found(&value.value));
        }
    }
    consuming(role, categories, report);
}

/// The attributes of the sets that categories stand for (SC-ATTR 2).
fn implied(kind: &str) -> &'static [&'static str] {
    match kind {
        "pnr" => &[
            "urn:oid:2.5.4.4",
            "urn:oid:2.5.4.42",
            "urn:oid:2.16.840.1.113730.3.1.241",
            "urn:oid:1.2.752.29.4.13",
        ],
        "name" => &["urn:oid:2.5.4.4", "urn:oid:2.5.4.42", "urn:oid:2.16.840.1.113730.3.1.241"],
        "orgid" => &["urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:1.2.752.201.3.1", "urn:oid:2.5.4.10"],
        _ => &[],
    }
}

fn consuming(role: Element<'_>, categories: &[Placed<String>], report: &mut Report) {
    let services: Vec<_> = role.children_named(MD.uri(), "AttributeConsumingService").collect();
    if services.is_empty() {
        report.add(Finding::new(&CONSUMING, role.position()));
    }
    for service_element in services {
        for name in ["ServiceName", "ServiceDescription"] {
            for language in ["sv", "en"] {
                let there = service_element.children_named(MD.uri(), name).any(|text| {
                    text.attribute_in(XML.uri(), "lang") == Some(language) && trimmed(text).is_some()
                });
                if !there {
                    let what = format!("{name} xml:lang=\"{language}\"");
                    report.add(Finding::new(&CONSUMING_WORDS, service_element.position()).found(what));
                }
            }
        }
        for attribute in service_element.children_named(MD.uri(), "RequestedAttribute") {
            let name = attribute.attribute("Name").unwrap_or_default();
            for wanted in ["Name", "FriendlyName", "NameFormat"] {
                if attribute.attribute(wanted).is_none() {
                    report.add(
                        Finding::new(&REQUESTED_FORM, attribute.position()).found(name).expected(wanted),
                    );
                }
            }
            let by = categories.iter().find(|category| {
                service(&category.value).is_some_and(|(_, kind)| implied(kind).contains(&name))
            });
            if let Some(by) = by {
                report.add(
                    Finding::new(&REQUESTED_IMPLIED, attribute.position()).found(name).expected(&by.value),
                );
            }
        }
    }
}
