//! SAML attribute names and the broker's own, both ways: one row each.
//!
//! Sources: Sweden Connect attributes 3.1 (`urn:oid:`), Inera and Sambi (`http://sambi.se/attributes/1/`), SAML subject identifiers
//! 1.0, eduPerson. Names are compared octet by octet; FriendlyName is never compared (SAML Core
//! 2.7.3.1). Neighbours: `sp/check/attributes.rs` reads with this, `idp/response.rs` writes.

use std::collections::{BTreeMap, BTreeSet};

use broker_core::{
    attribute::{
        AttributeName, Attributes,
        form::{NumberKind, kind_of_number},
    },
    subject::{SubjectCandidate, SubjectSource},
};
use certs_xml::{
    Element,
    namespace::{SAML, XSI},
};

use crate::message::trimmed;

/// NameFormat of every attribute that we write (SAML Core 8.2.2).
pub const URI_NAME_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";

/// What one attribute is called in SAML.
struct Row {
    name: AttributeName,
    /// What we call it when we write.
    saml: &'static str,
    friendly: &'static str,
    /// Other names that it comes under.
    aliases: &'static [&'static str],
}

impl Row {
    /// It has several names, and they all mean the same. A person has several affiliations, and each name may bring some.
    fn has_one_meaning(&self) -> bool {
        !self.aliases.is_empty() && self.name != AttributeName::OrgAffiliation
    }
}

macro_rules! rows {
    ($($name:ident, $saml:literal, $friendly:literal $(, $alias:literal)*;)*) => {
        const ROWS: &[Row] = &[$(Row {
            name: AttributeName::$name, saml: $saml, friendly: $friendly, aliases: &[$($alias),*],
        },)*];
    };
}

rows! {
    Surname, "urn:oid:2.5.4.4", "sn", "http://sambi.se/attributes/1/surname";
    GivenName, "urn:oid:2.5.4.42", "givenName", "http://sambi.se/attributes/1/givenName";
    MiddleName, "http://sambi.se/attributes/1/middleName", "middleName";
    DisplayName, "urn:oid:2.16.840.1.113730.3.1.241", "displayName";
    Gender, "urn:oid:1.3.6.1.5.5.7.9.3", "gender";
    PersonalIdentityNumber, "urn:oid:1.2.752.29.4.13", "personalIdentityNumber", "http://sambi.se/attributes/1/personalIdentityNumber";
    PreviousPersonalIdentityNumber, "urn:oid:1.2.752.201.3.15", "previousPersonalIdentityNumber";
    DateOfBirth, "urn:oid:1.3.6.1.5.5.7.9.1", "dateOfBirth";
    BirthName, "urn:oid:1.2.752.201.3.8", "birthName";
    Street, "urn:oid:2.5.4.9", "street";
    PostOfficeBox, "urn:oid:2.5.4.18", "postOfficeBox";
    PostalCode, "urn:oid:2.5.4.17", "postalCode";
    Locality, "urn:oid:2.5.4.7", "l";
    Country, "urn:oid:2.5.4.6", "c";
    PlaceOfBirth, "urn:oid:1.3.6.1.5.5.7.9.2", "placeOfBirth";
    CountryOfCitizenship, "urn:oid:1.3.6.1.5.5.7.9.4", "countryOfCitizenship";
    CountryOfResidence, "urn:oid:1.3.6.1.5.5.7.9.5", "countryOfResidence";
    TelephoneNumber, "urn:oid:2.5.4.20", "telephoneNumber";
    Mobile, "urn:oid:0.9.2342.19200300.100.1.41", "mobile";
    Mail, "urn:oid:0.9.2342.19200300.100.1.3", "mail";
    OrganisationName, "urn:oid:2.5.4.10", "o";
    OrganisationUnit, "urn:oid:2.5.4.11", "ou";
    OrganisationNumber, "urn:oid:2.5.4.97", "organizationIdentifier", "http://sambi.se/attributes/1/organizationIdentifier";
    OrgAffiliation, "urn:oid:1.2.752.201.3.1", "orgAffiliation", "urn:orgAffiliation", "https://idp.inera.se/attributes/userOrgAffiliation";
    TransactionIdentifier, "urn:oid:1.2.752.201.3.2", "transactionIdentifier";
    AuthContextParams, "urn:oid:1.2.752.201.3.3", "authContextParams";
    UserCertificate, "urn:oid:1.2.752.201.3.10", "userCertificate";
    UserSignature, "urn:oid:1.2.752.201.3.11", "userSignature";
    AuthServerSignature, "urn:oid:1.2.752.201.3.13", "authServerSignature";
    SignatureActivationData, "urn:oid:1.2.752.201.3.12", "sad";
    SignMessageDigest, "urn:oid:1.2.752.201.3.14", "signMessageDigest";
    ProvisionalId, "urn:oid:1.2.752.201.3.4", "prid";
    ProvisionalIdPersistence, "urn:oid:1.2.752.201.3.5", "pridPersistence";
    IdentityBinding, "urn:oid:1.2.752.201.3.6", "personalIdentityNumberBinding";
    MappedPersonalIdentityNumber, "urn:oid:1.2.752.201.3.16", "mappedPersonalIdentityNumber";
    EidasPersonIdentifier, "urn:oid:1.2.752.201.3.7", "eidasPersonIdentifier";
    EidasAddress, "urn:oid:1.2.752.201.3.9", "eidasNaturalPersonAddress";
    // `docs/conflicts.md` 14: three names and two numbers, one attribute.
    EmployeeHsaId, "urn:oid:1.2.752.29.6.2.1", "employeeHsaId", "urn:oid:1.2.752.29.4.19", "http://sambi.se/attributes/1/employeeHsaId", "urn:sambi:names:attribute:employeeHsaId";
    CommissionHsaId, "http://sambi.se/attributes/1/commissionHsaId", "commissionHsaId";
    CommissionName, "http://sambi.se/attributes/1/commissionName", "commissionName";
    CommissionPurpose, "http://sambi.se/attributes/1/commissionPurpose", "commissionPurpose";
    CommissionRight, "http://sambi.se/attributes/1/commissionRight", "commissionRight";
    HealthCareProviderHsaId, "http://sambi.se/attributes/1/healthCareProviderHsaId", "healthCareProviderHsaId";
    HealthCareProviderName, "http://sambi.se/attributes/1/healthCareProviderName", "healthCareProviderName";
    // The source spells "license" here and "licence" in the next row.
    HealthCareProfessionalLicence, "http://sambi.se/attributes/1/healthcareProfessionalLicense", "healthcareProfessionalLicense";
    HealthCareProfessionalSpeciality, "http://sambi.se/attributes/1/healthCareProfessionalLicenceSpeciality", "healthCareProfessionalLicenceSpeciality";
    GroupPrescriptionCode, "http://sambi.se/attributes/1/groupPrescriptionCode", "groupPrescriptionCode";
    PersonalPrescriptionCode, "http://sambi.se/attributes/1/personalPrescriptionCode", "personalPrescriptionCode";
    SubjectId, "urn:oasis:names:tc:SAML:attribute:subject-id", "subject-id";
    PairwiseId, "urn:oasis:names:tc:SAML:attribute:pairwise-id", "pairwise-id";
    EduPersonPrincipalName, "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "eduPersonPrincipalName";
}

/// The attribute of a SAML name; `None`: unknown, and ignored (default deny).
///
/// A samordningsnummer has no SAML name of its own: it comes as a personal number and is told apart by its value.
#[must_use]
pub fn from_saml_name(name: &str) -> Option<AttributeName> {
    row_of(name).map(|row| row.name)
}

fn row_of(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.saml == name || row.aliases.contains(&name))
}

/// Name and FriendlyName that an attribute is written under.
#[must_use]
pub fn saml_name(name: AttributeName) -> Option<(&'static str, &'static str)> {
    let written = match name {
        // SC-ATTR 3.1: personalIdentityNumber holds either kind of number.
        AttributeName::CoordinationNumber => AttributeName::PersonalIdentityNumber,
        other => other,
    };
    ROWS.iter().find(|row| row.name == written).map(|row| (row.saml, row.friendly))
}

/// An attribute as an assertion says it.
#[derive(Clone, PartialEq, Eq)]
pub struct SamlAttribute {
    /// Its Name, a URI.
    pub name: String,
    /// Its FriendlyName, for people who read the message.
    pub friendly_name: Option<String>,
    /// Its values.
    pub values: Vec<String>,
}

impl std::fmt::Debug for SamlAttribute {
    /// The name alone: values are personal.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SamlAttribute").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What to write into an assertion, in the order of the names: one Attribute for each SAML name (SC-ATTR 3.1).
#[must_use]
pub fn to_saml(attributes: &Attributes) -> Vec<SamlAttribute> {
    let mut written: Vec<SamlAttribute> = Vec::new();
    for (name, values) in attributes.iter() {
        let Some((saml, friendly)) = saml_name(name) else { continue };
        match written.iter_mut().find(|attribute| attribute.name == saml) {
            Some(attribute) => attribute.values.extend_from_slice(values),
            None => written.push(SamlAttribute {
                name: saml.to_owned(),
                friendly_name: Some(friendly.to_owned()),
                values: values.to_vec(),
            }),
        }
    }
    written
}

/// What AttributeStatements say.
pub(crate) struct Said {
    pub(crate) attributes: Attributes,
    /// An attribute that comes under two of its names with different values: nobody can know which are meant.
    pub(crate) ambiguous: Option<AttributeName>,
}

/// Reads AttributeStatements. Unknown attributes, empty values, and values with elements inside are left out; a value given twice
/// (under two names of one attribute) counts once. A samordningsnummer has no name of its own and is told apart by its value.
pub(crate) fn read<'d>(statements: impl IntoIterator<Item = Element<'d>>) -> Said {
    let mut said = Said { attributes: Attributes::new(), ambiguous: None };
    // What came under which name, of attributes that have several.
    let mut names: BTreeMap<AttributeName, BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
    let elements =
        statements.into_iter().flat_map(|statement| statement.children_named(SAML.uri(), "Attribute"));
    for element in elements.filter(|element| is_known_format(element.attribute("NameFormat"))) {
        let Some(written) = element.attribute("Name") else { continue };
        let Some(row) = row_of(written) else { continue };
        for value in element.children_named(SAML.uri(), "AttributeValue") {
            let is_nil = matches!(value.attribute_in(XSI.uri(), "nil"), Some("true" | "1"));
            let Some(text) = value.text().map(trimmed).filter(|text| !text.is_empty() && !is_nil) else {
                continue;
            };
            if row.has_one_meaning() {
                names
                    .entry(row.name)
                    .or_default()
                    .entry(written)
                    .or_default()
                    .insert(text.to_ascii_lowercase());
            }
            let name = match (row.name, kind_of_number(text)) {
                (AttributeName::PersonalIdentityNumber, Some(NumberKind::Coordination)) => {
                    AttributeName::CoordinationNumber
                }
                (name, _) => name,
            };
            if !said.attributes.values(name).iter().any(|known| known == text) {
                said.attributes.add(name, text);
            }
        }
    }
    said.ambiguous = names.iter().find_map(|(name, under)| {
        let mut under = under.values();
        let first = under.next()?;
        under.any(|other| other != first).then_some(*name)
    });
    said
}

/// Our names are URIs and mean one thing under any of SAML's own formats; another format makes another attribute of a name (SAML Core 2.7.3.1).
fn is_known_format(format: Option<&str>) -> bool {
    const FORMATS: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:";
    format.is_none_or(|format| {
        format.strip_prefix(FORMATS).is_some_and(|kind| matches!(kind, "uri" | "unspecified" | "basic"))
    })
}

/// Every attribute value that a subject identifier may be made from.
pub(crate) fn subject_candidates(attributes: &Attributes) -> Vec<SubjectCandidate> {
    const SOURCES: [(AttributeName, SubjectSource); 4] = [
        (AttributeName::SubjectId, SubjectSource::SubjectId),
        (AttributeName::PairwiseId, SubjectSource::PairwiseId),
        (AttributeName::OrgAffiliation, SubjectSource::OrgAffiliation),
        (AttributeName::EmployeeHsaId, SubjectSource::EmployeeHsaId),
    ];
    SOURCES
        .iter()
        .flat_map(|(name, source)| {
            let values = attributes.values(*name).iter();
            values.map(|value| SubjectCandidate { source: *source, value: value.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use certs_xml::{Document, Limits};

    use super::*;

    fn of(statement: &str) -> Attributes {
        said(statement).attributes
    }

    fn said(statement: &str) -> Said {
        let xml = format!(
            "<a:AttributeStatement xmlns:a='urn:oasis:names:tc:SAML:2.0:assertion' \
             xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>{statement}</a:AttributeStatement>"
        );
        let document = Document::read(xml.as_bytes(), Limits::message()).expect("well-formed");
        read([document.root()])
    }

    fn one(name: &str, value: &str) -> String {
        format!("<a:Attribute Name='{name}'><a:AttributeValue>{value}</a:AttributeValue></a:Attribute>")
    }

    #[test]
    fn every_attribute_has_a_name_and_no_name_means_two() {
        let mut names = BTreeSet::new();
        for row in ROWS {
            for name in row.aliases.iter().chain([&row.saml]) {
                assert!(names.insert(*name), "{name} stands twice");
            }
        }
        for name in AttributeName::ALL {
            let (saml, _) = saml_name(*name).unwrap_or_else(|| panic!("{name} has no SAML name"));
            if *name != AttributeName::CoordinationNumber {
                assert_eq!(from_saml_name(saml), Some(*name));
            }
        }
    }

    #[test]
    fn an_hsa_id_is_one_attribute_under_all_its_names() {
        for name in [
            "urn:oid:1.2.752.29.6.2.1",
            "urn:oid:1.2.752.29.4.19",
            "http://sambi.se/attributes/1/employeeHsaId",
            "urn:sambi:names:attribute:employeeHsaId",
        ] {
            let read = of(&one(name, "SE2321000016-A1"));
            assert_eq!(read.values(AttributeName::EmployeeHsaId), ["SE2321000016-A1"], "{name}");
        }
        let twice = one("urn:oid:1.2.752.29.6.2.1", "SE1") + &one("urn:oid:1.2.752.29.4.19", "SE1");
        assert_eq!(of(&twice).values(AttributeName::EmployeeHsaId), ["SE1"]);
    }

    #[test]
    fn different_values_under_two_names_of_one_attribute_are_ambiguous() {
        let (oid, sambi) = ("urn:oid:1.2.752.29.6.2.1", "http://sambi.se/attributes/1/employeeHsaId");
        let both = |one_value: &str, other: &str| said(&(one(oid, one_value) + &one(sambi, other))).ambiguous;
        assert_eq!(both("SE2321000016-A1", "SE2321000016-A1"), None);
        assert_eq!(both("SE2321000016-A1", "se2321000016-a1"), None, "case makes no difference");
        assert_eq!(both("SE2321000016-A1", "SE2321000016-B2"), Some(AttributeName::EmployeeHsaId));
        let twice = one(oid, "SE2321000016-A1") + &one(oid, "SE2321000016-B2");
        assert_eq!(said(&twice).ambiguous, None, "two values under one name are two");
        let number = one("urn:oid:1.2.752.29.4.13", "191212121212")
            + &one("http://sambi.se/attributes/1/personalIdentityNumber", "197010631237");
        assert_eq!(said(&number).ambiguous, Some(AttributeName::PersonalIdentityNumber));
        let affiliations =
            one("urn:oid:1.2.752.201.3.1", "a@2021006883") + &one("urn:orgAffiliation", "b@2021006883");
        assert_eq!(said(&affiliations).ambiguous, None);
        assert_eq!(said(&affiliations).attributes.values(AttributeName::OrgAffiliation).len(), 2);
    }

    #[test]
    fn a_name_of_another_format_is_another_attribute() {
        let with = |format: &str| {
            let format = format!("NameFormat='{format}'");
            of(&one("urn:oid:2.5.4.4", "Alm").replacen(
                "<a:Attribute ",
                &format!("<a:Attribute {format} "),
                1,
            ))
        };
        for known in ["uri", "unspecified", "basic"] {
            let read = with(&format!("urn:oasis:names:tc:SAML:2.0:attrname-format:{known}"));
            assert_eq!(read.values(AttributeName::Surname), ["Alm"], "{known}");
        }
        assert!(with("urn:example:format").is_empty());
    }

    #[test]
    fn a_friendly_name_names_nothing() {
        let read = of(
            "<a:Attribute Name='urn:x' FriendlyName='mail'><a:AttributeValue>a@b</a:AttributeValue></a:Attribute>",
        );
        assert!(read.is_empty());
    }

    #[test]
    fn a_samordningsnummer_is_told_apart_by_its_day() {
        let kind = |value| of(&one("urn:oid:1.2.752.29.4.13", value)).names().next();
        assert_eq!(kind("191212121212"), Some(AttributeName::PersonalIdentityNumber));
        assert_eq!(kind("197010631237"), Some(AttributeName::CoordinationNumber));
        assert_eq!(kind("197010911233"), Some(AttributeName::CoordinationNumber));
        assert_eq!(kind("197010601230"), Some(AttributeName::PersonalIdentityNumber));
        assert_eq!(kind("19701063-1230"), Some(AttributeName::PersonalIdentityNumber));
        assert_eq!(kind("åäö"), Some(AttributeName::PersonalIdentityNumber));
    }

    #[test]
    fn a_value_is_whole_or_absent() {
        let mail = "urn:oid:0.9.2342.19200300.100.1.3";
        assert_eq!(of(&one(mail, " a@b<!-- -->.evil\n")).values(AttributeName::Mail), ["a@b.evil"]);
        assert!(of(&one(mail, "a@b<a:X/>.evil")).is_empty());
        assert!(of(&one(mail, "  ")).is_empty());
        assert!(
            of(&format!("<a:Attribute Name='{mail}'><a:AttributeValue i:nil='true'>a@b</a:AttributeValue></a:Attribute>"))
                .is_empty()
        );
    }

    #[test]
    fn both_kinds_of_number_leave_under_one_name() {
        let mut attributes = Attributes::new();
        attributes.add(AttributeName::CoordinationNumber, "197010631230");
        attributes.add(AttributeName::DisplayName, "Å");
        let written = to_saml(&attributes);
        assert_eq!(
            written.iter().map(|attribute| attribute.name.as_str()).collect::<Vec<_>>(),
            ["urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:1.2.752.29.4.13"]
        );
    }
}
