//! Who signs in. The values are such that finding one anywhere means that it leaked.

use broker_core::attribute::{AttributeName, Attributes};

/// An employee, as the employer's directory has her. The number is of nobody: it is in the range of test numbers.
#[derive(Debug, Clone)]
pub struct Person {
    /// What is shown.
    pub display_name: String,
    /// Family name.
    pub surname: String,
    /// Given name.
    pub given_name: String,
    /// Mail address.
    pub mail: String,
    /// The service identity.
    pub org_affiliation: String,
    /// Personnummer.
    pub personal_identity_number: String,
    /// What the subject identifier is made from.
    pub subject_id: String,
    /// NameID of this login.
    pub name_id: String,
}

impl Person {
    /// An employee of Granvik.
    #[must_use]
    pub fn asa() -> Self {
        Self::numbered(0)
    }

    /// One of many employees of Granvik.
    #[must_use]
    pub fn numbered(number: usize) -> Self {
        Self {
            display_name: format!("Åsa \"Ö\" <Bergviken> & dotter {number}"),
            surname: format!("Bergviken-{number}"),
            given_name: format!("Åsalill{number}"),
            mail: format!("asalill.bergviken.{number}@granvik.localhost"),
            org_affiliation: format!("asabergv{number}@2120009903"),
            personal_identity_number: "199001012385".to_owned(),
            subject_id: format!("asabergv{number}@granvik.localhost"),
            name_id: format!("nameid-{}", crate::chance::text()),
        }
    }

    /// What the employer says of her.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::new();
        for (name, value) in [
            (AttributeName::DisplayName, &self.display_name),
            (AttributeName::Surname, &self.surname),
            (AttributeName::GivenName, &self.given_name),
            (AttributeName::Mail, &self.mail),
            (AttributeName::OrgAffiliation, &self.org_affiliation),
            (AttributeName::PersonalIdentityNumber, &self.personal_identity_number),
            (AttributeName::SubjectId, &self.subject_id),
        ] {
            attributes.add(name, value.as_str());
        }
        attributes
    }

    /// Every value that belongs to her alone.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        [
            &self.display_name,
            &self.surname,
            &self.given_name,
            &self.mail,
            &self.org_affiliation,
            &self.personal_identity_number,
            &self.subject_id,
            &self.name_id,
        ]
        .map(Clone::clone)
        .to_vec()
    }
}
