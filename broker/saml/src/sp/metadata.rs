//! Our own metadata as a service provider: what [`SpSettings`] already know, and how the federation operator presents the broker.
//!
//! The document itself is built and signed in `metadata::publish`; here its settings meet the role's, so that what we publish and
//! what we check (entity ID, ACS, Audience, Recipient) cannot drift apart.

use broker_core::{
    attribute::AttributeName,
    organisation::{LocalText, OrganisationNumber},
};
use certs::Signer;
use metadata::{
    Contact,
    publish::{CannotPublish, RequestedAttribute, ServiceProvider, Validity, service_provider},
};

use super::SpSettings;
use crate::attributes::saml_name;

/// How the broker presents itself to providers and to their people.
#[derive(Debug, Clone, Default)]
pub struct Presentation {
    /// What the broker is called.
    pub display_name: LocalText,
    /// What it is for.
    pub description: LocalText,
    /// Addresses of logos with width and height in pixels.
    pub logos: Vec<(String, u32, u32)>,
    /// Where the privacy notice is.
    pub privacy_statement: LocalText,
    /// Entity categories.
    pub categories: Vec<String>,
    /// What we ask providers for; none of it is marked as required, since that depends on the relying party.
    pub attributes: Vec<AttributeName>,
    /// The federation operator's registered name, display name and home page, all or none.
    pub organisation: (LocalText, LocalText, LocalText),
    /// The federation operator's organisation number.
    pub organisation_number: Option<OrganisationNumber>,
    /// Whom to turn to.
    pub contacts: Vec<Contact>,
}

/// The signed EntityDescriptor (SAML Metadata 2.4.4, SC-DP 2.1.2).
///
/// `signing_certificates` are those of the keys that sign our requests, DER, the active one first; `encryption_certificate` that of the key
/// that assertions are encrypted to, DER: during a rollover the newest alone (SC-DP 2.1.1.2). `signer` is the metadata key.
///
/// # Errors
/// When a setting cannot be written in XML, or the key does not sign.
pub fn metadata(
    settings: &SpSettings,
    presentation: &Presentation,
    signing_certificates: Vec<Vec<u8>>,
    encryption_certificate: Option<Vec<u8>>,
    validity: Validity,
    signer: &dyn Signer,
) -> Result<Vec<u8>, CannotPublish> {
    let document = ServiceProvider {
        entity_id: settings.entity_id.clone(),
        acs_url: settings.acs_url.clone(),
        signing_certificates,
        encryption_certificates: encryption_certificate.into_iter().collect(),
        // A signed Response suffices, and where one is demanded the assertion's own signature adds nothing.
        want_assertions_signed: false,
        display_name: presentation.display_name.clone(),
        description: presentation.description.clone(),
        logos: presentation.logos.clone(),
        privacy_statement: presentation.privacy_statement.clone(),
        categories: presentation.categories.clone(),
        requested_attributes: requested(&presentation.attributes),
        organisation: presentation.organisation.clone(),
        organisation_number: presentation.organisation_number.clone(),
        contacts: presentation.contacts.clone(),
    };
    service_provider(&document, validity, signer)
}

/// Each SAML name once: a samordningsnummer travels under the name of the personnummer.
fn requested(attributes: &[AttributeName]) -> Vec<RequestedAttribute> {
    let mut requested: Vec<RequestedAttribute> = Vec::new();
    for (name, friendly) in attributes.iter().filter_map(|attribute| saml_name(*attribute)) {
        if !requested.iter().any(|known| known.name == name) {
            requested.push(RequestedAttribute {
                name: name.to_owned(),
                friendly_name: Some(friendly.to_owned()),
                is_required: false,
            });
        }
    }
    requested
}

#[cfg(test)]
mod tests {
    use certs_xml::{
        Document, Limits,
        namespace::{MD, MDUI},
    };

    use super::*;
    use crate::sp::tests::{ACS, KEY, SP};

    #[test]
    fn we_publish_what_we_check() {
        let presentation = Presentation {
            attributes: vec![
                AttributeName::DisplayName,
                AttributeName::PersonalIdentityNumber,
                AttributeName::CoordinationNumber,
            ],
            ..Presentation::default()
        };
        let validity = Validity { until: None, cache_seconds: Some(3600) };
        let settings = SpSettings::new(SP, ACS);
        let xml = metadata(&settings, &presentation, vec![vec![1]], Some(vec![2]), validity, &*KEY)
            .expect("published");
        let document = Document::read(&xml, Limits::message()).expect("readable");
        let entity = document.root();
        assert_eq!(entity.attribute("entityID"), Some(SP));
        let role = entity.child(MD.uri(), "SPSSODescriptor").expect("the role");
        let acs = role.child(MD.uri(), "AssertionConsumerService").expect("an ACS");
        assert_eq!(acs.attribute("Location"), Some(ACS));
        let keys: Vec<_> =
            role.children_named(MD.uri(), "KeyDescriptor").filter_map(|key| key.attribute("use")).collect();
        assert_eq!(keys, ["signing", "encryption"]);
        let service = role.child(MD.uri(), "AttributeConsumingService").expect("attributes are asked for");
        let names: Vec<_> = service
            .children_named(MD.uri(), "RequestedAttribute")
            .filter_map(|asked| asked.attribute("Name"))
            .collect();
        assert_eq!(names, ["urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:1.2.752.29.4.13"]);
        assert!(role.child(MDUI.uri(), "UIInfo").is_none());
    }
}
