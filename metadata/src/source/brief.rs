//! What is kept of one entity: what the login, the filters and the operator's list need of its document, and no more. Ten thousand of them
//! fit where one document of the federation would not.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{
    moment::Timestamp,
    organisation::{LocalText, Organisation},
};
use certs::PublicKey;
use certs_xml::{
    Element, Position,
    namespace::{MD, MDRPI},
};
use serde::{Deserialize, Serialize};

use crate::{
    international::ascii,
    lint::{self, Severity, report::Report},
    peer::{Contact, SamlBinding, SamlEndpoint},
    saml::{
        IdentityProvider, MOST_OCTETS, MetadataFile, Placed,
        entity::DeclaredScope,
        interface::UserInterface,
        key::{DeclaredKey, KeyUse},
    },
};

/// Where everything of a brief stands: it has no places of its own.
const NOWHERE: Position = Position { line: 1, column: 1 };

/// One entity that can sign people in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brief {
    /// The entity ID, exactly as written.
    pub entity_id: String,
    /// `idp`, and what it is beside.
    pub roles: Vec<String>,
    /// Who registered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_authority: Option<String>,
    /// The organisation number, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_number: Option<String>,
    /// The organisation's name for people.
    #[serde(default, skip_serializing_if = "LocalText::is_empty")]
    pub organisation_name: LocalText,
    /// Entity categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Levels that it is certified for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assurance: Vec<String>,
    /// Its scopes, in ASCII form. Patterns are not among them: they cover what nobody has authorised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// It declares scopes, if only such as count for nothing.
    #[serde(default)]
    pub scoped: bool,
    /// The entity's own validUntil.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// The keys that verify its messages: SubjectPublicKeyInfo, base64.
    pub keys: Vec<String>,
    /// Where it takes requests, of the bindings that we use.
    pub single_sign_on: Vec<Place>,
    /// It refuses requests that are not signed.
    #[serde(default)]
    pub want_authn_requests_signed: bool,
    /// NameID formats offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_id_formats: Vec<String>,
    /// Signature algorithms declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signing_methods: Vec<String>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "LocalText::is_empty")]
    pub display_name: LocalText,
    /// Words that also find it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Whom to turn to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// Its page for people whose login failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_url: Option<String>,
}

/// An endpoint of a brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Over POST; else over Redirect.
    #[serde(default)]
    pub post: bool,
    /// Where, exactly as written.
    pub location: String,
}

/// Why an entity cannot sign anybody in: the ids of the rules that it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(pub Vec<String>);

impl Brief {
    /// Reads one `EntityDescriptor`, alone in its octets. What it says of whose it is is not judged here: that needs the records.
    ///
    /// # Errors
    /// The rules that keep it from signing anybody in.
    pub fn read(octets: &[u8], now: Timestamp) -> Result<Self, Unfit> {
        let ids = |report: &Report| {
            let mut ids: Vec<String> = report
                .findings
                .iter()
                .filter(|finding| finding.rule.severity == Severity::Error)
                .map(|finding| finding.rule.id.to_owned())
                .collect();
            ids.sort_unstable();
            ids.dedup();
            Unfit(ids)
        };
        let file = MetadataFile::read(octets, MOST_OCTETS).map_err(|report| ids(&report))?;
        let mut report = Report::new();
        let entity = file
            .entities()
            .next()
            .ok_or_else(|| Unfit(vec![lint::saml::document::NO_IDENTITY_PROVIDER.id.to_owned()]))?;
        let Some(provider) = IdentityProvider::read(entity, &mut report) else {
            return Err(ids(&report));
        };
        report.findings.extend(
            nobody().map(|nobody| lint::saml::check(&provider, &nobody, now).findings).unwrap_or_default(),
        );
        let has_key = !provider.signing_keys().is_empty();
        report.findings.retain(|finding| breaks_form(finding.rule.id, has_key));
        if report.has_errors() {
            return Err(ids(&report));
        }
        Ok(Self::of(entity, &provider))
    }

    fn of(entity: Element<'_>, provider: &IdentityProvider) -> Self {
        let mut roles: Vec<String> = entity.children().filter_map(role).map(str::to_owned).collect();
        roles.dedup();
        let exact = provider.scopes.iter().map(|scope| &scope.value).filter(|scope| !scope.regexp);
        Self {
            entity_id: provider.entity_id.clone(),
            roles,
            registration_authority: entity
                .child(MD.uri(), "Extensions")
                .and_then(|extensions| extensions.child(MDRPI.uri(), "RegistrationInfo"))
                .and_then(|info| info.attribute("registrationAuthority"))
                .map(str::to_owned),
            organisation_number: provider.organisation_number.as_ref().map(|number| number.value.clone()),
            organisation_name: provider.organisation_display_name.clone(),
            categories: provider.categories.clone(),
            assurance: provider.assurance.iter().map(|level| level.value.clone()).collect(),
            scopes: exact.filter_map(|scope| ascii(&scope.value)).collect(),
            scoped: !provider.scopes.is_empty(),
            valid_until: provider.valid_until.as_ref().map(|until| until.value),
            keys: provider.signing_keys().iter().map(|key| STANDARD.encode(key.spki_der())).collect(),
            single_sign_on: provider
                .single_sign_on
                .iter()
                .filter_map(|endpoint| place(&endpoint.value))
                .collect(),
            want_authn_requests_signed: provider.want_authn_requests_signed,
            name_id_formats: provider.name_id_formats.clone(),
            signing_methods: provider.signing_methods.iter().map(|method| method.value.clone()).collect(),
            display_name: provider.interface.display_name.clone(),
            keywords: provider.interface.keywords.clone(),
            contacts: provider.contacts.clone(),
            error_url: provider.error_url.as_ref().map(|url| url.value.clone()),
        }
    }

    /// Reads what [`Brief::to_document`] wrote; `None`: it is of another version, or none.
    #[must_use]
    pub fn from_document(octets: &[u8]) -> Option<Self> {
        serde_json::from_slice(octets).ok()
    }

    /// As a document, always in the same order.
    #[must_use]
    pub fn to_document(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The keys, parsed. What cannot be read any more is not among them.
    #[must_use]
    pub fn signing_keys(&self) -> Vec<PublicKey> {
        self.keys
            .iter()
            .filter_map(|key| PublicKey::from_spki_der(&STANDARD.decode(key).ok()?).ok())
            .collect()
    }

    /// The provider as its document had it, with its keys or, for a list, without.
    #[must_use]
    pub(crate) fn identity_provider(&self, with_keys: bool) -> IdentityProvider {
        let placed = |text: &String| Placed::new(text.clone(), NOWHERE);
        let mut scopes: Vec<_> = self
            .scopes
            .iter()
            .map(|scope| Placed::new(DeclaredScope { value: scope.clone(), regexp: false }, NOWHERE))
            .collect();
        if self.scoped && scopes.is_empty() {
            // Nothing but patterns: it may assert no scope, not every scope of its record.
            scopes.push(Placed::new(DeclaredScope { value: ".*".to_owned(), regexp: true }, NOWHERE));
        }
        let keys = if with_keys { self.signing_keys() } else { Vec::new() };
        IdentityProvider {
            entity_id: self.entity_id.clone(),
            place: NOWHERE,
            role_place: NOWHERE,
            valid_until: self.valid_until.map(|until| Placed::new(until, NOWHERE)),
            organisation_number: self.organisation_number.as_ref().map(placed),
            organisation_display_name: self.organisation_name.clone(),
            categories: self.categories.clone(),
            assurance: self.assurance.iter().map(placed).collect(),
            attributes: Vec::new(),
            keys: keys
                .into_iter()
                .map(|key| DeclaredKey { usage: KeyUse::Signing, certificate: None, key: Ok(key) })
                .map(|key| Placed::new(key, NOWHERE))
                .collect(),
            single_sign_on: self
                .single_sign_on
                .iter()
                .map(|place| Placed::new(place.endpoint(), NOWHERE))
                .collect(),
            want_authn_requests_signed: self.want_authn_requests_signed,
            name_id_formats: self.name_id_formats.clone(),
            signing_methods: self.signing_methods.iter().map(placed).collect(),
            scopes,
            interface: UserInterface {
                display_name: self.display_name.clone(),
                keywords: self.keywords.clone(),
                ..UserInterface::default()
            },
            contacts: self.contacts.clone(),
            error_url: self.error_url.as_ref().map(placed),
        }
    }
}

impl Place {
    fn endpoint(&self) -> SamlEndpoint {
        SamlEndpoint {
            binding: if self.post { SamlBinding::Post } else { SamlBinding::Redirect },
            location: self.location.clone(),
            index: None,
            is_default: None,
            response_location: None,
        }
    }
}

fn place(endpoint: &SamlEndpoint) -> Option<Place> {
    let post = match endpoint.binding {
        SamlBinding::Post => true,
        SamlBinding::Redirect => false,
        SamlBinding::Soap | SamlBinding::Artifact | SamlBinding::Other(_) => return None,
    };
    Some(Place { post, location: endpoint.location.clone() })
}

/// What a role is called in filters.
fn role(descriptor: Element<'_>) -> Option<&str> {
    if descriptor.namespace() != MD.uri() {
        return None;
    }
    match descriptor.local_name() {
        "IDPSSODescriptor" => Some("idp"),
        "SPSSODescriptor" => Some("sp"),
        "AttributeAuthorityDescriptor" => Some("aa"),
        "AuthnAuthorityDescriptor" => Some("authn-authority"),
        "PDPDescriptor" => Some("pdp"),
        _ => None,
    }
}

/// Whether a rule is about the document itself. Whose it is, and whether it has expired, is asked where it is used; of its keys one that can
/// be used is enough.
fn breaks_form(rule: &str, has_key: bool) -> bool {
    let is_among = |rules: &[&'static lint::Rule]| rules.iter().any(|known| known.id == rule);
    !(is_among(lint::saml::authority::RULES)
        || rule == lint::saml::endpoint::LOCATION_OUTSIDE.id
        || rule == lint::saml::document::EXPIRED.id
        || has_key && is_among(lint::saml::key::RULES))
}

/// A record of nobody, to ask rules that do not look at it.
fn nobody() -> Option<Organisation> {
    serde_json::from_value(serde_json::json!({ "number": "0000000000", "name": {} })).ok()
}
