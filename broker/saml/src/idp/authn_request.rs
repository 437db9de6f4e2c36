//! AuthnRequest as an identity provider reads it, from both bindings (SAML Core 3.4.1, SC-DP 5.3, 5.4).
//!
//! Two steps: [`ReceivedAuthnRequest::read`] learns who claims to ask, so that the keys can be looked up;
//! [`ReceivedAuthnRequest::verified`] gives what those keys signed. Neighbours: `binding`, `certs`, and `sp/authn_request.rs`, which
//! writes such.

use broker_core::{moment::Timestamp, role::Inbound};
use certs::{
    AlgorithmPolicy, PublicKey,
    query_signature::{MessageParameter, RedirectQuery},
    xml_signature::{self, Profile, SignatureRefused, is_signed},
};
use certs_proof::Verified;
use certs_xml::{
    Document, Element, Limits, XmlRefused,
    namespace::{SAML, SAMLP},
};
use thiserror::Error;

use crate::{
    binding::{BindingRefused, LARGEST_CARRIER, post, redirect},
    message::{child_text, text_of},
};

/// Why a request is not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestRefused {
    /// The query or form holds no message.
    #[error(transparent)]
    Binding(#[from] BindingRefused),
    /// The message is not XML that is read.
    #[error(transparent)]
    Xml(#[from] XmlRefused),
    /// The signature does not hold, or there is none.
    #[error("signature: {0}")]
    Signature(#[from] SignatureRefused),
    /// The message is not an AuthnRequest of SAML 2.0.
    #[error("the message is not an AuthnRequest of SAML 2.0")]
    NotAuthnRequest,
    /// Something that must be there is missing, twice, or unreadable.
    #[error("{0} is missing or cannot be read")]
    Part(&'static str),
}

/// What a service provider asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthnRequest {
    /// The request's ID; the answer's InResponseTo.
    pub id: String,
    /// Entity ID of the service provider.
    pub issuer: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The address that it was sent to. Whoever answers compares it with its own (SC-DP 5.4.1).
    pub destination: Option<String>,
    /// Where the answer shall go, if the request says. Only to be used when metadata registers it.
    pub acs_url: Option<String>,
    /// The number of that address in metadata, if the request says so instead.
    pub acs_index: Option<u16>,
    /// The binding of the answer, if the request says.
    pub protocol_binding: Option<String>,
    /// The person must be authenticated anew.
    pub force_authn: bool,
    /// Nothing may be shown.
    pub is_passive: bool,
    /// The format of NameID that is wanted.
    pub name_id_format: Option<String>,
    /// The levels that are acceptable; empty: any.
    pub authn_contexts: Vec<String>,
    /// How they are to be compared; `None`: exact (SAML Core 3.3.2.2.1).
    pub comparison: Option<String>,
    /// Hops that the request may still take.
    pub proxy_count: Option<u32>,
    /// The only identity providers to choose among; empty: any.
    pub providers: Vec<String>,
    /// Requesters behind the one that asks.
    pub requesters: Vec<String>,
}

/// A request that came, before anybody vouches for it.
pub struct ReceivedAuthnRequest {
    document: Document,
    /// The raw query of a Redirect, whose signature stands beside the message; `None`: POST.
    query: Option<String>,
    relay_state: Option<String>,
    unverified: AuthnRequest,
}

impl std::fmt::Debug for ReceivedAuthnRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ReceivedAuthnRequest")
            .field("claims", &self.unverified)
            .finish_non_exhaustive()
    }
}

impl ReceivedAuthnRequest {
    /// Reads a request out of a query (HTTP-Redirect) or a form (HTTP-POST).
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(message: &Inbound) -> Result<Self, RequestRefused> {
        let (xml, relay_state, query) = match (&message.form, &message.query) {
            (Some(form), _) => {
                let posted = post::decode(form, MessageParameter::Request)?;
                (posted.xml, posted.relay_state, None)
            }
            (None, Some(query)) => {
                if query.len() > LARGEST_CARRIER {
                    return Err(BindingRefused::TooLarge.into());
                }
                let read = RedirectQuery::read(query).map_err(BindingRefused::from)?;
                if read.parameter() != MessageParameter::Request {
                    return Err(BindingRefused::Missing(MessageParameter::Request.name()).into());
                }
                let relay_state = read.unverified_relay_state().map(std::borrow::Cow::into_owned);
                (redirect::inflate(&read.unverified_message())?, relay_state, Some(query.clone()))
            }
            (None, None) => return Err(BindingRefused::Nothing.into()),
        };
        let document = Document::read(&xml, Limits::message())?;
        let unverified = parse(document.root())?;
        Ok(Self { document, query, relay_state, unverified })
    }

    /// What the message says. Nobody vouches for it: good for finding the sender's keys, or where requests need no signature.
    #[must_use]
    pub fn unverified(&self) -> &AuthnRequest {
        &self.unverified
    }

    /// The RelayState, to be given back with the answer.
    #[must_use]
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    /// Whether the request claims to be signed; then it must verify (SC-DP 5.2).
    #[must_use]
    pub fn is_signed(&self) -> bool {
        match &self.query {
            Some(query) => RedirectQuery::read(query).is_ok_and(|query| query.is_signed()),
            None => is_signed(self.document.root()),
        }
    }

    /// What one of `keys` signed: over POST the canonical octets of the request, over Redirect the message of the signed query.
    ///
    /// # Errors
    /// When it is not signed, or not so.
    pub fn verified(
        &self,
        keys: &[PublicKey],
        policy: &AlgorithmPolicy,
    ) -> Result<Verified<AuthnRequest>, RequestRefused> {
        match &self.query {
            Some(query) => {
                let query = RedirectQuery::read(query).map_err(BindingRefused::from)?;
                query.verify(keys, policy)?.try_map(|signed| {
                    let xml = redirect::inflate(signed.message())?;
                    parse(Document::read(&xml, Limits::message())?.root())
                })
            }
            None => xml_signature::verify(self.document.root(), keys, policy, Profile::Message)?
                .try_map(|signed| parse(signed.document()?.root())),
        }
    }
}

fn parse(root: Element<'_>) -> Result<AuthnRequest, RequestRefused> {
    if !root.is(SAMLP.uri(), "AuthnRequest") || root.attribute("Version") != Some("2.0") {
        return Err(RequestRefused::NotAuthnRequest);
    }
    let owned = |name: &str| root.attribute(name).map(str::to_owned);
    let policy = root.child(SAMLP.uri(), "NameIDPolicy");
    let context = root.child(SAMLP.uri(), "RequestedAuthnContext");
    let scoping = root.child(SAMLP.uri(), "Scoping");
    Ok(AuthnRequest {
        id: owned("ID").filter(|id| !id.is_empty()).ok_or(RequestRefused::Part("ID"))?,
        issuer: child_text(root, SAML.uri(), "Issuer")
            .filter(|issuer| !issuer.is_empty())
            .ok_or(RequestRefused::Part("Issuer"))?
            .to_owned(),
        issued_at: root
            .attribute("IssueInstant")
            .and_then(Timestamp::from_rfc3339)
            .ok_or(RequestRefused::Part("IssueInstant"))?,
        destination: owned("Destination"),
        acs_url: owned("AssertionConsumerServiceURL"),
        acs_index: number(root, "AssertionConsumerServiceIndex")?,
        protocol_binding: owned("ProtocolBinding"),
        force_authn: boolean(root, "ForceAuthn")?,
        is_passive: boolean(root, "IsPassive")?,
        name_id_format: policy.and_then(|policy| policy.attribute("Format")).map(str::to_owned),
        authn_contexts: texts(context, SAML.uri(), "AuthnContextClassRef"),
        comparison: context.and_then(|context| context.attribute("Comparison")).map(str::to_owned),
        proxy_count: scoping.map_or(Ok(None), |scoping| number(scoping, "ProxyCount"))?,
        providers: scoping
            .and_then(|scoping| scoping.child(SAMLP.uri(), "IDPList"))
            .into_iter()
            .flat_map(|list| list.children_named(SAMLP.uri(), "IDPEntry"))
            .filter_map(|entry| entry.attribute("ProviderID"))
            .map(str::to_owned)
            .collect(),
        requesters: texts(scoping, SAMLP.uri(), "RequesterID"),
    })
}

fn texts(parent: Option<Element<'_>>, namespace: &str, name: &str) -> Vec<String> {
    parent
        .into_iter()
        .flat_map(|parent| parent.children_named(namespace, name))
        .filter_map(text_of)
        .map(str::to_owned)
        .collect()
}

/// xs:boolean; absent is false (SAML Core 3.4.1).
fn boolean(element: Element<'_>, name: &'static str) -> Result<bool, RequestRefused> {
    match element.attribute(name) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(RequestRefused::Part(name)),
    }
}

fn number<N: std::str::FromStr>(
    element: Element<'_>,
    name: &'static str,
) -> Result<Option<N>, RequestRefused> {
    element.attribute(name).map(|text| text.parse().map_err(|_| RequestRefused::Part(name))).transpose()
}

#[cfg(test)]
mod tests;
