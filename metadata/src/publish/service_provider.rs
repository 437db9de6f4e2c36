//! Our SAML service provider's `EntityDescriptor` (SAML Metadata 2.4.4; Sweden Connect deployment profile 2.1.2).

use broker_core::{
    moment::Timestamp,
    organisation::{LocalText, OrganisationNumber},
};
use certs::{
    DigestAlgorithm, SignatureAlgorithm, Signer,
    xml_encryption::{BlockCipher, KeyTransport},
    xml_signature::{CannotSign, sign_enveloped},
};
use certs_xml::{
    CannotWrite, NewElement,
    namespace::{ALG, MD, MDATTR, MDORGEXT, MDUI, SAML, SAMLP},
};

use crate::{
    peer::{Contact, SamlBinding},
    publish::element::{contact, key_descriptor, localised, organisation},
    saml::entity::{ENTITY_CATEGORY, PERSISTENT, TRANSIENT},
};

const URI_NAME_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";

/// What to say.
#[derive(Debug, Clone)]
pub struct ServiceProvider {
    /// Our entity ID; also the address where this document is.
    pub entity_id: String,
    /// Where Responses are posted.
    pub acs_url: String,
    /// Certificates of the keys that sign AuthnRequests, DER: the active one first, then those of a rollover.
    pub signing_certificates: Vec<Vec<u8>>,
    /// Certificates of the keys that assertions may be encrypted to, DER: during a rollover only the newest (SC-DP 2.1.1.2). Each says
    /// which algorithms we decrypt, those that we would have first.
    pub encryption_certificates: Vec<Vec<u8>>,
    /// Whether assertions must be signed themselves, beside the Response.
    pub want_assertions_signed: bool,
    /// What we are called, at providers too.
    pub display_name: LocalText,
    /// What we are for.
    pub description: LocalText,
    /// Addresses of logos with width and height in pixels.
    pub logos: Vec<(String, u32, u32)>,
    /// Where our privacy notice is.
    pub privacy_statement: LocalText,
    /// Entity categories.
    pub categories: Vec<String>,
    /// What we ask for. Empty: no AttributeConsumingService (Sweden Connect asks for one only beyond the categories).
    pub requested_attributes: Vec<RequestedAttribute>,
    /// The federation operator's registered name, display name and home page, all or none.
    pub organisation: (LocalText, LocalText, LocalText),
    /// The federation operator's organisation number.
    pub organisation_number: Option<OrganisationNumber>,
    /// Whom to turn to.
    pub contacts: Vec<Contact>,
}

/// One attribute that we ask for, by its SAML name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedAttribute {
    /// The name, a URI.
    pub name: String,
    /// What people call it.
    pub friendly_name: Option<String>,
    /// A login without it is of no use.
    pub is_required: bool,
}

/// How long the document may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Until when.
    pub until: Option<Timestamp>,
    /// How often to look for a new one, in seconds.
    pub cache_seconds: Option<u32>,
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotPublish {
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] CannotSign),
    /// A value cannot be written.
    #[error(transparent)]
    Write(#[from] CannotWrite),
}

/// Builds and signs the document; `signer` is the metadata key.
///
/// The identifier follows from what the document says, so it changes when, and only when, that does.
///
/// # Errors
/// When a setting holds a character that XML cannot carry, or the key does not sign.
pub fn service_provider(
    settings: &ServiceProvider,
    validity: Validity,
    signer: &dyn Signer,
) -> Result<Vec<u8>, CannotPublish> {
    let unsigned = entity(settings, validity);
    let digest = DigestAlgorithm::Sha256.digest(&unsigned.to_canonical()?);
    let identifier: String = digest.iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    let signed = sign_enveloped(unsigned.with_attribute("ID", format!("_{identifier}")), signer)?;
    Ok(signed.to_canonical()?)
}

fn entity(settings: &ServiceProvider, validity: Validity) -> NewElement {
    let mut entity = NewElement::new(MD, "EntityDescriptor")
        .with_attribute("entityID", settings.entity_id.as_str())
        .with_optional_attribute("validUntil", validity.until.map(Timestamp::to_rfc3339))
        .with_optional_attribute(
            "cacheDuration",
            validity.cache_seconds.map(|seconds| format!("PT{seconds}S")),
        )
        .with_child(entity_extensions(settings))
        .with_child(role(settings));
    let (name, display_name, url) = &settings.organisation;
    if let Some(mut element) = organisation(name, display_name, url) {
        if let Some(number) = &settings.organisation_number {
            // SAML Metadata 2.3.2.1: Extensions come first.
            let extensions = NewElement::new(MD, "Extensions")
                .with_child(NewElement::new(MDORGEXT, "OrganizationNumber").with_text(number.as_str()));
            element.insert_after_first(MD, "Extensions", extensions);
        }
        entity.push(element);
    }
    entity.with_children(settings.contacts.iter().map(contact))
}

/// Algorithms that we accept (SAML Metadata Profile for Algorithm Support 1.0), and what kind of entity we are.
fn entity_extensions(settings: &ServiceProvider) -> NewElement {
    use DigestAlgorithm as D;
    use SignatureAlgorithm as S;
    let digests = [D::Sha256, D::Sha384, D::Sha512].map(|algorithm| {
        NewElement::new(ALG, "DigestMethod").with_attribute("Algorithm", algorithm.xml_uri())
    });
    let signatures =
        [S::EcdsaSha256, S::EcdsaSha384, S::EcdsaSha512, S::RsaSha256, S::RsaSha384, S::RsaSha512]
            .into_iter()
            .filter_map(SignatureAlgorithm::xml_uri)
            .map(|uri| NewElement::new(ALG, "SigningMethod").with_attribute("Algorithm", uri));
    let mut extensions = NewElement::new(MD, "Extensions").with_children(digests).with_children(signatures);
    if !settings.categories.is_empty() {
        let values = settings
            .categories
            .iter()
            .map(|category| NewElement::new(SAML, "AttributeValue").with_text(category.as_str()));
        extensions.push(
            NewElement::new(MDATTR, "EntityAttributes").with_child(
                NewElement::new(SAML, "Attribute")
                    .with_attribute("Name", ENTITY_CATEGORY)
                    .with_attribute("NameFormat", URI_NAME_FORMAT)
                    .with_children(values),
            ),
        );
    }
    extensions
}

fn role(settings: &ServiceProvider) -> NewElement {
    let mut role = NewElement::new(MD, "SPSSODescriptor")
        .with_attribute("AuthnRequestsSigned", "true")
        // Said only when wanted: some providers take "false" as a wish for no signature at all.
        .with_optional_attribute("WantAssertionsSigned", settings.want_assertions_signed.then_some("true"))
        .with_attribute("protocolSupportEnumeration", SAMLP.uri());
    let interface = interface(settings);
    if interface.children().next().is_some() {
        role.push(NewElement::new(MD, "Extensions").with_child(interface));
    }
    for certificate in &settings.signing_certificates {
        role.push(key_descriptor("signing", certificate));
    }
    for certificate in &settings.encryption_certificates {
        role.push(key_descriptor("encryption", certificate).with_children(encryption_methods()));
    }
    for format in [PERSISTENT, TRANSIENT] {
        role.push(NewElement::new(MD, "NameIDFormat").with_text(format));
    }
    role.push(
        NewElement::new(MD, "AssertionConsumerService")
            .with_attribute("Binding", SamlBinding::Post.uri())
            .with_attribute("Location", settings.acs_url.as_str())
            .with_attribute("index", "0")
            .with_attribute("isDefault", "true"),
    );
    if !settings.requested_attributes.is_empty() {
        role.push(attribute_consuming_service(settings));
    }
    role
}

/// SAML Metadata 2.4.1.1. Peers take the first that they know, so ciphers with integrity come first; SC-DP section 8 lets a peer use nothing
/// beyond its mandatory algorithms (CBC, RSA-OAEP with SHA-1) that is not named here. The key transports of XML Encryption 1.1 are taken and not named:
/// their mask function is an element that the schema of SAML metadata does not know, and peers that validate strictly (pyFF) refuse the whole file.
fn encryption_methods() -> impl Iterator<Item = NewElement> {
    let ciphers = BlockCipher::ALL.into_iter().map(|cipher| cipher.method(MD));
    ciphers.chain([KeyTransport::OaepMgf1p.method(MD)])
}

fn interface(settings: &ServiceProvider) -> NewElement {
    let logos = settings.logos.iter().map(|(address, width, height)| {
        NewElement::new(MDUI, "Logo")
            .with_attribute("width", width.to_string())
            .with_attribute("height", height.to_string())
            .with_text(address.as_str())
    });
    NewElement::new(MDUI, "UIInfo")
        .with_children(localised(MDUI, "DisplayName", &settings.display_name))
        .with_children(localised(MDUI, "Description", &settings.description))
        .with_children(logos)
        .with_children(localised(MDUI, "PrivacyStatementURL", &settings.privacy_statement))
}

/// SAML Metadata 2.4.4.1.
fn attribute_consuming_service(settings: &ServiceProvider) -> NewElement {
    let requested = settings.requested_attributes.iter().map(|attribute| {
        NewElement::new(MD, "RequestedAttribute")
            .with_attribute("Name", attribute.name.as_str())
            .with_attribute("NameFormat", URI_NAME_FORMAT)
            .with_optional_attribute("FriendlyName", attribute.friendly_name.as_deref())
            .with_attribute("isRequired", if attribute.is_required { "true" } else { "false" })
    });
    NewElement::new(MD, "AttributeConsumingService")
        .with_attribute("index", "0")
        .with_attribute("isDefault", "true")
        .with_children(localised(MD, "ServiceName", &settings.display_name))
        .with_children(localised(MD, "ServiceDescription", &settings.description))
        .with_children(requested)
}

#[cfg(test)]
mod tests;
