//! What an identity provider's `EntityDescriptor` says (SAML Metadata 2.3.2, 2.4.3), before anybody judges it.

use broker_core::{moment::Timestamp, organisation::LocalText, subject::SubjectSource};
use certs::{PublicKey, SignatureAlgorithm};
use certs_xml::{
    Element, Position,
    namespace::{ALG, MD, MDATTR, MDORGEXT, SAML, SAMLP, SHIBMD},
};

use crate::{
    lint::{
        report::{Finding, Report},
        saml::document as rule,
    },
    peer::{Contact, SamlBinding, SamlEndpoint},
    saml::{
        Placed, boolean,
        contact::contacts,
        interface::{UserInterface, local_text, user_interface},
        key::{DeclaredKey, keys},
        trimmed,
    },
};

/// `http://macedir.org/entity-category`: what kind of entity it is (RFC 8409).
pub const ENTITY_CATEGORY: &str = "http://macedir.org/entity-category";
/// The levels that an identity provider is certified for (SAML Identity Assurance Profiles 1.0).
pub const ASSURANCE_CERTIFICATION: &str = "urn:oasis:names:tc:SAML:attribute:assurance-certification";
/// REFEDS: not to be shown where people choose.
pub const HIDE_FROM_DISCOVERY: &str = "http://refeds.org/category/hide-from-discovery";
/// It shows what a relying party has to say to the person (SC-EC 6, SC-UMSG).
pub const SUPPORTS_USER_MESSAGE: &str = "http://id.swedenconnect.se/general-ec/1.0/supports-user-message";
/// The persistent NameID format (SAML Core 8.3.7).
pub const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
/// The transient NameID format (SAML Core 8.3.8).
pub const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
const SUBJECT_ID: &str = "urn:oasis:names:tc:SAML:attribute:subject-id";
const PAIRWISE_ID: &str = "urn:oasis:names:tc:SAML:attribute:pairwise-id";

/// A scope as written (shibmd:Scope).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredScope {
    /// The value.
    pub value: String,
    /// Whether it claims to be a pattern, which nobody can authorise.
    pub regexp: bool,
}

/// An identity provider, as its document has it.
#[derive(Debug, Clone)]
pub struct IdentityProvider {
    /// The entity ID, exactly as written.
    pub entity_id: String,
    /// Where the entity begins.
    pub place: Position,
    /// Where its `IDPSSODescriptor` begins.
    pub role_place: Position,
    /// The earliest of the times until which the document, the entity and the role may be used.
    pub valid_until: Option<Placed<Timestamp>>,
    /// `mdorgext:OrganizationNumber`.
    pub organisation_number: Option<Placed<String>>,
    /// `OrganizationDisplayName`.
    pub organisation_display_name: LocalText,
    /// Entity categories.
    pub categories: Vec<String>,
    /// Levels that it says it is certified for.
    pub assurance: Vec<Placed<String>>,
    /// Names of the attributes that it says it has.
    pub attributes: Vec<String>,
    /// Its keys.
    pub keys: Vec<Placed<DeclaredKey>>,
    /// Where it takes an AuthnRequest.
    pub single_sign_on: Vec<Placed<SamlEndpoint>>,
    /// It refuses requests that are not signed.
    pub want_authn_requests_signed: bool,
    /// NameID formats offered.
    pub name_id_formats: Vec<String>,
    /// Signature algorithms declared, by their URIs.
    pub signing_methods: Vec<Placed<String>>,
    /// Scopes that it says it asserts.
    pub scopes: Vec<Placed<DeclaredScope>>,
    /// Names and logos.
    pub interface: UserInterface,
    /// Whom to turn to.
    pub contacts: Vec<Contact>,
    /// The page for people whose login failed.
    pub error_url: Option<Placed<String>>,
}

impl IdentityProvider {
    /// Reads an `EntityDescriptor`. What cannot be read at all, or not understood, goes to `report`; `None`: there is no SAML
    /// identity provider in it, or it has no entity ID.
    pub fn read(entity: Element<'_>, report: &mut Report) -> Option<Self> {
        let entity_id = match entity.attribute("entityID") {
            Some(id)
                if !id.is_empty() && id.len() <= 1024 && !id.chars().any(|letter| letter.is_control()) =>
            {
                id
            }
            other => {
                report.add(
                    Finding::new(&rule::ENTITY_ID_MALFORMED, entity.position())
                        .found(other.unwrap_or_default()),
                );
                return None;
            }
        };
        let Some(role) = role(entity, "IDPSSODescriptor") else {
            let roles: Vec<_> = entity
                .children()
                .map(Element::local_name)
                .filter(|name| name.ends_with("Descriptor"))
                .collect();
            report.add(Finding::new(&rule::NO_IDENTITY_PROVIDER, entity.position()).found(roles.join(", ")));
            return None;
        };
        let organisation =
            [role, entity].into_iter().find_map(|holder| holder.child(MD.uri(), "Organization"));
        Some(Self {
            entity_id: entity_id.to_owned(),
            place: entity.position(),
            role_place: role.position(),
            valid_until: valid_until(role, report),
            organisation_number: organisation
                .and_then(|organisation| organisation.child(MD.uri(), "Extensions"))
                .and_then(|extensions| extensions.child(MDORGEXT.uri(), "OrganizationNumber"))
                .and_then(|number| Some(Placed::new(trimmed(number)?.to_owned(), number.position()))),
            organisation_display_name: organisation
                .map(|organisation| local_text(organisation, MD.uri(), "OrganizationDisplayName"))
                .unwrap_or_default(),
            categories: entity_attribute(entity, ENTITY_CATEGORY).into_iter().map(|uri| uri.value).collect(),
            assurance: entity_attribute(entity, ASSURANCE_CERTIFICATION),
            attributes: role
                .children_named(SAML.uri(), "Attribute")
                .filter_map(|attribute| attribute.attribute("Name"))
                .map(str::to_owned)
                .collect(),
            keys: keys(role),
            single_sign_on: role.children_named(MD.uri(), "SingleSignOnService").map(endpoint).collect(),
            want_authn_requests_signed: role
                .attribute("WantAuthnRequestsSigned")
                .and_then(boolean)
                .unwrap_or(false),
            name_id_formats: role
                .children_named(MD.uri(), "NameIDFormat")
                .filter_map(trimmed)
                .map(str::to_owned)
                .collect(),
            signing_methods: extensions(entity, role)
                .flat_map(|extensions| {
                    extensions.children_named(ALG.uri(), "SigningMethod").collect::<Vec<_>>()
                })
                .filter_map(|method| {
                    Some(Placed::new(method.attribute("Algorithm")?.to_owned(), method.position()))
                })
                .collect(),
            scopes: extensions(entity, role)
                .flat_map(|extensions| extensions.children_named(SHIBMD.uri(), "Scope").collect::<Vec<_>>())
                .map(scope)
                .collect(),
            interface: user_interface(role),
            contacts: contacts(entity, role),
            error_url: role
                .attributes()
                .find(|attribute| attribute.namespace().is_empty() && attribute.local_name() == "errorURL")
                .map(|attribute| Placed::new(attribute.value().to_owned(), attribute.position())),
        })
    }

    /// The keys that signatures may be verified with, each once.
    #[must_use]
    pub fn signing_keys(&self) -> Vec<PublicKey> {
        let mut usable: Vec<PublicKey> = Vec::new();
        for declared in self.keys.iter().map(|key| &key.value).filter(|key| key.signs()) {
            if let Ok(key) = &declared.key
                && !usable.contains(key)
            {
                usable.push(key.clone());
            }
        }
        usable
    }

    /// The declared signature algorithms that we know and use; SHA-1 is never among them.
    #[must_use]
    pub fn known_signing_methods(&self) -> Vec<SignatureAlgorithm> {
        self.signing_methods
            .iter()
            .filter_map(|method| SignatureAlgorithm::from_xml_uri(&method.value))
            .filter(|algorithm| !algorithm.is_sha1())
            .collect()
    }

    /// What its people's subject identifiers are best made from, as far as the document tells: `subject-id` or `pairwise-id`
    /// where it says that it has them, else a persistent NameID where it offers one. `None`: the operator must say, since
    /// guessing wrong would give everybody a new identity later.
    #[must_use]
    pub fn natural_subject_source(&self) -> Option<SubjectSource> {
        let declares = |name: &str| self.attributes.iter().any(|attribute| attribute == name);
        if declares(SUBJECT_ID) {
            Some(SubjectSource::SubjectId)
        } else if declares(PAIRWISE_ID) {
            Some(SubjectSource::PairwiseId)
        } else if self.name_id_formats.iter().any(|format| format == PERSISTENT) {
            Some(SubjectSource::PersistentNameId)
        } else {
            None
        }
    }

    /// What people know it by: its own name, else the organisation's, else nothing.
    #[must_use]
    pub fn display_name(&self) -> LocalText {
        if self.interface.display_name.is_empty() {
            self.organisation_display_name.clone()
        } else {
            self.interface.display_name.clone()
        }
    }
}

/// The first role of that name that speaks SAML 2.0.
pub(crate) fn role<'d>(entity: Element<'d>, name: &str) -> Option<Element<'d>> {
    entity.children_named(MD.uri(), name).find(|role| {
        role.attribute("protocolSupportEnumeration")
            .is_some_and(|protocols| protocols.split_whitespace().any(|uri| uri == SAMLP.uri()))
    })
}

/// `Extensions` of the entity and of the role.
fn extensions<'d>(entity: Element<'d>, role: Element<'d>) -> impl Iterator<Item = Element<'d>> {
    [entity, role].into_iter().filter_map(|holder| holder.child(MD.uri(), "Extensions"))
}

/// The values of an entity attribute, wherever in `Extensions` it stands.
pub(crate) fn entity_attribute(entity: Element<'_>, name: &str) -> Vec<Placed<String>> {
    entity
        .child(MD.uri(), "Extensions")
        .into_iter()
        .flat_map(|extensions| {
            extensions.children_named(MDATTR.uri(), "EntityAttributes").collect::<Vec<_>>()
        })
        .flat_map(|attributes| attributes.children_named(SAML.uri(), "Attribute").collect::<Vec<_>>())
        .filter(|attribute| attribute.attribute("Name") == Some(name))
        .flat_map(|attribute| attribute.children_named(SAML.uri(), "AttributeValue").collect::<Vec<_>>())
        .filter_map(|value| Some(Placed::new(trimmed(value)?.to_owned(), value.position())))
        .collect()
}

fn endpoint(element: Element<'_>) -> Placed<SamlEndpoint> {
    let endpoint = SamlEndpoint {
        binding: SamlBinding::from_uri(element.attribute("Binding").unwrap_or_default()),
        location: element.attribute("Location").unwrap_or_default().to_owned(),
        index: element.attribute("index").and_then(|text| text.trim().parse().ok()),
        is_default: element.attribute("isDefault").and_then(boolean),
        response_location: element.attribute("ResponseLocation").map(str::to_owned),
    };
    Placed::new(endpoint, element.position())
}

fn scope(element: Element<'_>) -> Placed<DeclaredScope> {
    let declared = DeclaredScope {
        value: trimmed(element).unwrap_or_default().to_owned(),
        regexp: element.attribute("regexp").and_then(boolean).unwrap_or(false),
    };
    Placed::new(declared, element.position())
}

/// The earliest `validUntil` of the role and all around it.
pub(crate) fn valid_until(role: Element<'_>, report: &mut Report) -> Option<Placed<Timestamp>> {
    let mut earliest: Option<Placed<Timestamp>> = None;
    let mut holder = Some(role);
    while let Some(element) = holder {
        if let Some(text) = element.attribute("validUntil") {
            match Timestamp::from_rfc3339(text.trim()) {
                Some(time) if earliest.as_ref().is_none_or(|known| time < known.value) => {
                    earliest = Some(Placed::new(time, element.position()));
                }
                Some(_) => {}
                None => {
                    report.add(Finding::new(&rule::VALID_UNTIL_MALFORMED, element.position()).found(text));
                }
            }
        }
        holder = element.parent();
    }
    earliest
}
