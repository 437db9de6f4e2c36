//! Who is in the demo: three fictional organisations, the people who work there, and the one service.
//!
//! No real body has these names. Organisation numbers begin with 4, a group that is given to nobody, and have a correct check digit.
//! Mail addresses lie under `.example` (RFC 2606 section 2).
//!
//! Neighbours: `documents.rs` writes the files that register them, `identity_provider` and `relying_party` play them.

use super::texts::Text;

/// An organisation with an identity provider of its own.
#[derive(Debug)]
pub(super) struct Employer {
    /// Short name: of its files, its host and its colours.
    pub(super) key: &'static str,
    /// Registered name.
    pub(super) name: Text,
    /// What kind of body it is.
    pub(super) kind: Text,
    /// Organisation number, ten digits.
    pub(super) number: &'static str,
    /// The domain that its hosts are under.
    pub(super) domain: &'static str,
    /// The domain of its mail addresses; also the scope of its identifiers.
    pub(super) mail_domain: &'static str,
    /// The prefix of its HSA-ids, where it has any.
    pub(super) hsa_prefix: Option<&'static str>,
    /// Its way of saying things.
    pub(super) dialect: Dialect,
    /// The levels that its provider is registered for, highest last.
    pub(super) levels: &'static [&'static str],
    /// Who can sign in.
    pub(super) employees: &'static [Employee],
}

/// How a provider names people and their attributes: the three that a Swedish broker meets most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Sweden Connect's `urn:oid:` names and the SAML subject-id; signs with RSA.
    Municipality,
    /// Sambi's names with an HSA-id; signs with P-256, and encrypts.
    Region,
    /// `urn:oid:` names and a persistent NameID; takes requests over HTTP-POST alone; signs with P-256.
    Agency,
}

impl Dialect {
    /// What the broker is told to make subject identifiers from (`subject_source` of the provider's registration).
    pub(super) fn subject_source(self) -> &'static str {
        match self {
            Self::Municipality => "subject_id",
            Self::Region => "employee_hsa_id",
            Self::Agency => "persistent_name_id",
        }
    }
}

/// Somebody who works there.
#[derive(Debug)]
pub(super) struct Employee {
    /// Name in forms and sessions, and the personal part of every identifier.
    pub(super) id: &'static str,
    /// Given name.
    pub(super) given_name: &'static str,
    /// Family name.
    pub(super) surname: &'static str,
    /// What the employer shows of the name; differs where the person's data is protected.
    pub(super) display_name: &'static str,
    /// What they do.
    pub(super) role: Text,
    /// Where within the organisation.
    pub(super) unit: &'static str,
    /// The level that their service e-ID gives.
    pub(super) level: &'static str,
    /// Something that is special about this one.
    pub(super) remark: Option<Text>,
}

impl Employee {
    /// Whether the employer keeps the person's own name to itself.
    pub(super) fn is_protected(&self) -> bool {
        self.surname.is_empty()
    }
}

/// Level 2 of the Swedish assurance framework.
pub(super) const LOA2: &str = "http://id.elegnamnden.se/loa/1.0/loa2";
/// Level 3 of the Swedish assurance framework.
pub(super) const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
/// Level 3 in Sambi's words.
pub(super) const SAMBI_LOA3: &str = "http://id.sambi.se/loa/loa3";

/// The organisations.
pub(super) const EMPLOYERS: [&Employer; 3] = [&GRANVIK, &NORRSKEN, &VAGFRAGOR];

const GRANVIK: Employer = Employer {
    key: "granvik",
    name: Text { sv: "Granviks kommun", en: "Granvik Municipality" },
    kind: Text { sv: "kommun", en: "municipality" },
    number: "4120004249",
    domain: "granvik.localhost",
    mail_domain: "granvik.example",
    hsa_prefix: None,
    dialect: Dialect::Municipality,
    levels: &[LOA2, LOA3],
    employees: &[
        Employee {
            id: "amina.lindqvist",
            given_name: "Amina",
            surname: "Lindqvist",
            display_name: "Amina Lindqvist",
            role: Text { sv: "Sjuksköterska i hemsjukvården", en: "Nurse, home care" },
            unit: "Vård och omsorg",
            level: LOA3,
            remark: None,
        },
        Employee {
            id: "jonas.aberg",
            given_name: "Jonas",
            surname: "Åberg",
            display_name: "Jonas Åberg",
            role: Text { sv: "Biståndshandläggare", en: "Care needs assessor" },
            unit: "Vård och omsorg",
            level: LOA3,
            remark: None,
        },
        Employee {
            id: "eva.nurmi",
            given_name: "Eva",
            surname: "Nurmi",
            display_name: "Eva Nurmi",
            role: Text { sv: "Vikarie på korttidsboendet", en: "Temporary staff, short-stay home" },
            unit: "Korttidsboendet Björken",
            level: LOA2,
            remark: Some(Text {
                sv: "loggar in med reservkort, tillitsnivå 2",
                en: "signs in with a spare card, level 2",
            }),
        },
    ],
};

const NORRSKEN: Employer = Employer {
    key: "norrsken",
    name: Text { sv: "Region Norrsken", en: "Region Norrsken" },
    kind: Text { sv: "region, med HSA-id", en: "region, with HSA-ids" },
    number: "4321007777",
    domain: "norrsken.localhost",
    mail_domain: "norrsken.example",
    hsa_prefix: Some("SE4321007777-"),
    dialect: Dialect::Region,
    levels: &[SAMBI_LOA3],
    employees: &[
        Employee {
            id: "karin.ohman",
            given_name: "Karin",
            surname: "Öhman",
            display_name: "Karin Öhman",
            role: Text { sv: "Överläkare, medicinkliniken", en: "Senior physician, internal medicine" },
            unit: "Medicinkliniken",
            level: SAMBI_LOA3,
            remark: None,
        },
        Employee {
            id: "tomasz.wisniewski",
            given_name: "Tomasz",
            surname: "Wiśniewski",
            display_name: "Tomasz Wiśniewski",
            role: Text { sv: "Sjuksköterska, avdelning 14", en: "Nurse, ward 14" },
            unit: "Avdelning 14",
            level: SAMBI_LOA3,
            remark: None,
        },
        Employee {
            id: "li.sandberg",
            given_name: "Li",
            surname: "Sandberg",
            display_name: "Li Sandberg",
            role: Text { sv: "Vårdplanerare", en: "Discharge planner" },
            unit: "Samordningsenheten",
            level: SAMBI_LOA3,
            remark: None,
        },
    ],
};

const VAGFRAGOR: Employer = Employer {
    key: "vagfragor",
    name: Text { sv: "Myndigheten för vägfrågor", en: "Agency for Road Affairs" },
    kind: Text { sv: "statlig myndighet", en: "government agency" },
    number: "4021005154",
    domain: "vagfragor.localhost",
    mail_domain: "vagfragor.example",
    hsa_prefix: None,
    dialect: Dialect::Agency,
    levels: &[LOA3],
    employees: &[
        Employee {
            id: "peter.holm",
            given_name: "Peter",
            surname: "Holm",
            display_name: "Peter Holm",
            role: Text { sv: "Utredare, anpassade bilar", en: "Investigator, adapted vehicles" },
            unit: "Enheten för tillgänglighet",
            level: LOA3,
            remark: None,
        },
        Employee {
            id: "sara.mukasa",
            given_name: "Sara",
            surname: "Mukasa",
            display_name: "Sara Mukasa",
            role: Text { sv: "Handläggare, körkortsmedicin", en: "Case officer, driving fitness" },
            unit: "Enheten för tillgänglighet",
            level: LOA3,
            remark: None,
        },
        Employee {
            id: "h4711",
            given_name: "",
            surname: "",
            display_name: "Handläggare 4711",
            role: Text { sv: "Jurist", en: "Legal officer" },
            unit: "Rättsenheten",
            level: LOA3,
            remark: Some(Text {
                sv: "har skyddade uppgifter: myndigheten lämnar inte ut namnet",
                en: "has protected data: the agency does not give out the name",
            }),
        },
    ],
};

/// The service that people sign in to.
#[derive(Debug)]
pub(super) struct Service {
    /// Its `client_id`.
    pub(super) client_id: &'static str,
    /// What it is called.
    pub(super) name: Text,
    /// The host label in front of its owner's domain.
    pub(super) host_label: &'static str,
    /// Who owns it.
    pub(super) owner: &'static Employer,
}

/// The service.
pub(super) const SERVICE: Service = Service {
    client_id: "vardplaneringen",
    name: Text { sv: "Vårdplaneringen", en: "Care Planning" },
    host_label: "vardplaneringen",
    owner: &NORRSKEN,
};

/// What the federation operator lets the owner's services have, as the keys of its organisation record. No personal numbers.
pub(super) const ENTITLED: [&str; 9] = [
    "display_name",
    "given_name",
    "surname",
    "mail",
    "org_affiliation",
    "organisation_name",
    "organisation_number",
    "organisation_unit",
    "employee_hsa_id",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use broker_core::{attribute::AttributeName, organisation::OrganisationNumber};

    use super::{EMPLOYERS, ENTITLED};

    #[test]
    fn organisation_numbers_are_well_formed_and_belong_to_nobody() {
        for employer in EMPLOYERS {
            assert!(OrganisationNumber::parse(employer.number).is_some(), "{}", employer.key);
            assert!(employer.number.starts_with('4'), "{}", employer.key);
        }
    }

    #[test]
    fn an_hsa_prefix_carries_the_organisation_number() {
        for employer in EMPLOYERS {
            if let Some(prefix) = employer.hsa_prefix {
                assert_eq!(prefix, format!("SE{}-", employer.number));
            }
        }
    }

    #[test]
    fn people_are_told_apart_and_their_levels_are_registered() {
        for employer in EMPLOYERS {
            let ids: BTreeSet<&str> = employer.employees.iter().map(|employee| employee.id).collect();
            assert_eq!(ids.len(), employer.employees.len());
            assert!(employer.employees.iter().all(|employee| employer.levels.contains(&employee.level)));
        }
    }

    #[test]
    fn what_the_service_is_entitled_to_exists_and_holds_no_number() {
        for key in ENTITLED {
            let name = AttributeName::from_key(key);
            assert!(name.is_some(), "{key}");
            assert!(
                name != Some(AttributeName::PersonalIdentityNumber)
                    && name != Some(AttributeName::CoordinationNumber)
            );
        }
    }
}
