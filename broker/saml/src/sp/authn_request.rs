//! AuthnRequest (SAML Core 3.4.1, SC-DP 5): built, always signed, put into a URL or a form.
//!
//! The request's ID is `_` and the login's handle, so that the answer's InResponseTo leads back to the login also when a provider
//! drops RelayState. Neighbours: `binding` carries it, `authn_context.rs` chooses the levels, `idp/authn_request.rs` reads such.

use broker_core::{
    assurance::{Assurance, AssuranceProfile},
    failure::{Failure, FailureCode},
    moment::{Moment, Timestamp},
    request::{AuthenticationRequest, Freshness},
    role::{Begun, Outbound, upstream::Remembered},
    subject::SubjectSource,
};
use certs::{Signer, query_signature::MessageParameter, xml_signature::sign_enveloped};
use certs_xml::{
    NewElement,
    namespace::{SAML, SAMLP},
};
use metadata::{SamlBinding, SamlEndpoint, SamlProvider};
use serde::{Deserialize, Serialize};

use super::{SpSettings, user_message};
use crate::{
    authn_context::levels_to_ask,
    binding::{LONGEST_RELAY_STATE, post, redirect},
    name_id::PERSISTENT,
};

/// The longest URL that we send a browser to when there is another way, in octets: what old proxies and servers still take.
const LONGEST_URL: usize = 2_000;

/// What we remember of a request until its answer comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRequest {
    /// The request's ID: the InResponseTo that the answer must carry.
    pub id: String,
    /// The levels that were asked for; empty: none, any will do.
    pub asked: Vec<Assurance>,
    /// They were but wished for: an answer at another level is no fault (OIDC Core 5.5.1.1).
    #[serde(default)]
    pub wished: bool,
    /// When it was sent.
    pub at: Timestamp,
    /// How fresh the authentication must be.
    pub freshness: Freshness,
    /// Which of our service providers asked, by entity ID: the answer is for that one alone.
    pub entity_id: String,
}

impl SentRequest {
    /// Whether a refusal may be about levels that were but wished for. Besides NoAuthnContext: RequestUnsupported and the like, and a plain
    /// Requester, which providers answer that know no RequestedAuthnContext at all.
    pub(super) fn may_refuse_the_wish(&self, refusal: FailureCode) -> bool {
        self.wished
            && !self.asked.is_empty()
            && matches!(refusal, FailureCode::ProviderNoAuthnContext | FailureCode::ProviderRequestRefused)
    }

    /// Reads back what [`SentRequest::remember`] wrote.
    ///
    /// # Errors
    /// [`FailureCode::Internal`]: the record was sealed by us, so this is a fault of ours.
    pub fn recall(remembered: &Remembered) -> Result<Self, Failure> {
        serde_json::from_str(&remembered.0).map_err(|_| {
            Failure::new(FailureCode::Internal, "what was remembered of a SAML request does not read")
        })
    }

    /// Writes it for the core to keep.
    ///
    /// # Errors
    /// [`FailureCode::Internal`], in theory: it is strings and numbers.
    pub fn remember(&self) -> Result<Remembered, Failure> {
        serde_json::to_string(self)
            .map(Remembered)
            .map_err(|_| Failure::new(FailureCode::Internal, "a SAML request cannot be remembered"))
    }
}

/// The ID of the request that a handle stands for. An xs:ID may not begin with a digit, hence the underscore.
#[must_use]
pub fn request_id(handle: &str) -> String {
    format!("_{handle}")
}

/// The handle of a request's ID, unless the ID cannot be one of ours.
#[must_use]
pub fn handle_of(request_id: &str) -> Option<&str> {
    request_id.strip_prefix('_').filter(|handle| is_handle(handle))
}

/// Letters, digits, `-` and `_`: safe in a URL, in an xs:ID and as RelayState.
pub(super) fn is_handle(text: &str) -> bool {
    (1..=LONGEST_RELAY_STATE).contains(&text.len())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
}

pub(super) fn begin(
    request: &AuthenticationRequest,
    profile: AssuranceProfile,
    provider: &SamlProvider,
    handle: &str,
    settings: &SpSettings,
    signer: &dyn Signer,
    moment: Moment<'_>,
) -> Result<Begun, Failure> {
    if !is_handle(handle) {
        return Err(Failure::new(FailureCode::Internal, "a handle that a SAML request cannot carry"));
    }
    let sent = SentRequest {
        id: request_id(handle),
        asked: levels_to_ask(&request.assurance, profile, &provider.policy, &settings.output_map)?,
        wished: !request.assurance.essential,
        at: moment.now,
        freshness: request.freshness,
        entity_id: settings.entity_id.clone(),
    };
    let outbound = send(request, provider, handle, &sent, settings, signer)?;
    Ok(Begun { outbound, remembered: sent.remember()? })
}

/// Redirect where it is offered, unless the URL grows long and POST is offered too (`docs/conflicts.md` 5).
fn send(
    request: &AuthenticationRequest,
    provider: &SamlProvider,
    handle: &str,
    sent: &SentRequest,
    settings: &SpSettings,
    signer: &dyn Signer,
) -> Result<Outbound, Failure> {
    let endpoint =
        |binding: &SamlBinding| provider.single_sign_on.iter().find(|endpoint| endpoint.binding == *binding);
    let element = |endpoint: &SamlEndpoint| element(request, provider, &endpoint.location, sent, settings);
    let by_post = endpoint(&SamlBinding::Post);
    if let Some(redirect_endpoint) = endpoint(&SamlBinding::Redirect) {
        let redirected = |element: NewElement| -> Result<String, Failure> {
            let xml = element.to_canonical().map_err(unwritable)?;
            let location = &redirect_endpoint.location;
            redirect::encode(location, MessageParameter::Request, &xml, Some(handle), signer)
                .map_err(|refused| Failure::new(FailureCode::KeyMissing, refused.to_string()))
        };
        let url = redirected(element(redirect_endpoint))?;
        if url.len() <= LONGEST_URL {
            return Ok(Outbound::Redirect { url });
        }
        if by_post.is_none() {
            // An address that a server on the way cuts off ends the login; words that are not shown do not.
            let wordless = AuthenticationRequest { message: None, ..request.clone() };
            let element = self::element(&wordless, provider, &redirect_endpoint.location, sent, settings);
            return Ok(Outbound::Redirect { url: redirected(element)? });
        }
    }
    let Some(post_endpoint) = by_post else {
        return Err(Failure::new(
            FailureCode::ProviderUnusable,
            format!("{} takes requests neither over Redirect nor over POST", provider.policy.id),
        ));
    };
    let signed = sign_enveloped(element(post_endpoint), signer)
        .map_err(|refused| Failure::new(FailureCode::KeyMissing, refused.to_string()))?;
    let xml = signed.to_canonical().map_err(unwritable)?;
    Ok(post::encode(&post_endpoint.location, MessageParameter::Request, &xml, Some(handle)))
}

fn unwritable(refused: certs_xml::CannotWrite) -> Failure {
    Failure::new(FailureCode::ProviderUnusable, refused.to_string())
}

/// The element, without its signature. Order of the children: SAML Core 3.4.1 (schema).
fn element(
    request: &AuthenticationRequest,
    provider: &SamlProvider,
    destination: &str,
    sent: &SentRequest,
    settings: &SpSettings,
) -> NewElement {
    NewElement::new(SAMLP, "AuthnRequest")
        .with_attribute("ID", &*sent.id)
        .with_attribute("Version", "2.0")
        .with_attribute("IssueInstant", sent.at.to_rfc3339())
        .with_attribute("Destination", destination)
        // SC-DP 5.3: explicit, also when false. SAML has no max_age: without force an old session could only disappoint
        // (`docs/conflicts.md` 12). In silence force is a sure no, and an old session may be young enough.
        .with_attribute(
            "ForceAuthn",
            (request.freshness.force || request.freshness.max_age.is_some() && !request.passive).to_string(),
        )
        .with_attribute("IsPassive", request.passive.to_string())
        .with_attribute("ProtocolBinding", SamlBinding::Post.uri())
        .with_attribute("AssertionConsumerServiceURL", &*settings.acs_url)
        .with_child(NewElement::new(SAML, "Issuer").with_text(&*settings.entity_id))
        .with_children(user_message::extensions(request, provider))
        .with_child(name_id_policy(provider))
        .with_children(requested_authn_context(&sent.asked))
        .with_children(scoping(request, provider))
}

/// A format is named only where the provider's people are known by it: then a transient one would be of no use.
fn name_id_policy(provider: &SamlProvider) -> NewElement {
    let format = (provider.policy.subject_source == SubjectSource::PersistentNameId).then_some(PERSISTENT);
    NewElement::new(SAMLP, "NameIDPolicy")
        .with_attribute("AllowCreate", "true")
        .with_optional_attribute("Format", format)
}

fn requested_authn_context(asked: &[Assurance]) -> Option<NewElement> {
    let levels = asked
        .iter()
        .map(|level| NewElement::new(SAML, "AuthnContextClassRef").with_text(level.as_str()))
        .collect::<Vec<_>>();
    (!levels.is_empty()).then(|| {
        NewElement::new(SAMLP, "RequestedAuthnContext")
            .with_attribute("Comparison", "exact")
            .with_children(levels)
    })
}

/// SAML Core 3.4.1.2: we are one hop of those that the relying party allows; who asks is said where the provider's registration wants it
/// (SC-DP 7.1); and of the providers that the relying party named, those that stand behind this one (SC-DP 5.3.2).
///
/// The list is what the relying party wishes, and the provider's to follow. Which one it was, the answer says.
fn scoping(request: &AuthenticationRequest, provider: &SamlProvider) -> Option<NewElement> {
    let proxy_count = request.hops_left.map(|hops| hops.saturating_sub(1).to_string());
    let requesters: Vec<&str> = if provider.names_requesters {
        let behind = request.requesters.iter().map(String::as_str);
        std::iter::once(request.relying_party.as_str()).chain(behind).collect()
    } else {
        Vec::new()
    };
    let wanted: Vec<NewElement> = request
        .providers
        .iter()
        .filter(|name| provider.policy.behind.contains(name))
        .map(|name| NewElement::new(SAMLP, "IDPEntry").with_attribute("ProviderID", name.as_str()))
        .collect();
    if proxy_count.is_none() && requesters.is_empty() && wanted.is_empty() {
        return None;
    }
    let requesters = requesters.into_iter().map(|id| NewElement::new(SAMLP, "RequesterID").with_text(id));
    Some(
        NewElement::new(SAMLP, "Scoping")
            .with_optional_attribute("ProxyCount", proxy_count)
            .with_children(
                (!wanted.is_empty()).then(|| NewElement::new(SAMLP, "IDPList").with_children(wanted)),
            )
            .with_children(requesters),
    )
}

#[cfg(test)]
mod tests;
