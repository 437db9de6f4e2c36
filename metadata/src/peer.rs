//! A peer, as the role that talks to it needs it: its document and the operator's settings, joined and checked.
//!
//! Neighbours: `saml` and `oidc` build these; `registry` holds them; `broker-saml` and `broker-oidc` read them. What the login
//! itself needs stands in the `policy` of each, in neither protocol's words.

use std::{collections::BTreeSet, sync::Arc};

use broker_core::{
    identifier::RelyingPartyId,
    moment::Timestamp,
    policy::{ProviderPolicy, RelyingPartyPolicy},
};
use certs::{JwkSet, PublicKey, SignatureAlgorithm};
use serde::{Deserialize, Serialize};

use crate::secret_hash::SecretHash;

/// A SAML identity provider.
#[derive(Debug, Clone)]
pub struct SamlProvider {
    /// What the login needs to know.
    pub policy: Arc<ProviderPolicy>,
    /// The keys that its messages may be signed with, in the order of the document. Empty: none of its keys can be used (any
    /// more), and it takes no login.
    pub signing_keys: Vec<PublicKey>,
    /// Keys of its metadata that the operator has suspended: they verify nothing.
    pub suspended_keys: Vec<PublicKey>,
    /// Where it takes an AuthnRequest, in the order of the document. At least one over Redirect or POST.
    pub single_sign_on: Vec<SamlEndpoint>,
    /// It refuses requests that are not signed (SAML Metadata 2.4.3).
    pub want_authn_requests_signed: bool,
    /// The NameID formats that it offers; empty: it says nothing.
    pub name_id_formats: Vec<String>,
    /// The signature algorithms that it declares (`alg:SigningMethod`) and that we know; empty: nothing declared.
    pub signing_methods: Vec<SignatureAlgorithm>,
    /// It shows what a relying party has to say to the person (entity category `supports-user-message`, SC-UMSG).
    pub shows_user_messages: bool,
    /// Until when the document may be used (SAML Metadata 2.3.2). The role refuses the provider after it.
    pub valid_until: Option<Timestamp>,
    /// Whom to turn to.
    pub contacts: Vec<Contact>,
    /// The provider's own page for people whose login failed.
    pub error_url: Option<String>,
    /// It is told which relying party asks (Scoping/RequesterID, SAML Core 3.4.1.2).
    pub names_requesters: bool,
    /// The service provider of ours that always asks it, by name; `None`: the one that the login needs.
    pub service_provider: Option<String>,
}

/// One endpoint of SAML metadata (SAML Metadata 2.2.2, 2.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamlEndpoint {
    /// How messages get there.
    pub binding: SamlBinding,
    /// Where, exactly as written.
    pub location: String,
    /// Its number, for indexed endpoints.
    pub index: Option<u16>,
    /// Whether it is marked as the default, for indexed endpoints.
    pub is_default: Option<bool>,
    /// Where answers go, when elsewhere.
    pub response_location: Option<String>,
}

/// The bindings of SAML 2.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SamlBinding {
    /// HTTP-Redirect (SAML Bindings 3.4).
    Redirect,
    /// HTTP-POST (SAML Bindings 3.5).
    Post,
    /// SOAP (SAML Bindings 3.2).
    Soap,
    /// HTTP-Artifact (SAML Bindings 3.6).
    Artifact,
    /// Any other, by its URI; never used.
    Other(String),
}

impl SamlBinding {
    /// The binding of that URI.
    #[must_use]
    pub fn from_uri(uri: &str) -> Self {
        match uri {
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" => Self::Redirect,
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" => Self::Post,
            "urn:oasis:names:tc:SAML:2.0:bindings:SOAP" => Self::Soap,
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" => Self::Artifact,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Its URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        match self {
            Self::Redirect => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            Self::Post => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
            Self::Soap => "urn:oasis:names:tc:SAML:2.0:bindings:SOAP",
            Self::Artifact => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
            Self::Other(uri) => uri,
        }
    }
}

/// Whom to turn to at a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// For what.
    pub kind: ContactKind,
    /// A name, of a person or of a desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An address for mail, without `mailto:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telephone: Option<String>,
}

/// What a contact is for (SAML Metadata 2.3.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// Technical questions.
    Technical,
    /// Help for people.
    Support,
    /// Agreements.
    Administrative,
    /// Anything else, as the document calls it: `billing`, `other`, or the security contact of REFEDS as `security`.
    Other(String),
}

/// An OpenID Connect relying party.
#[derive(Debug, Clone)]
pub struct OidcClient {
    /// What the login needs to know.
    pub policy: Arc<RelyingPartyPolicy>,
    /// Its name at our endpoints; the same as `policy.id`.
    pub client_id: RelyingPartyId,
    /// Where answers may go, compared octet by octet. Never empty.
    pub redirect_uris: Vec<String>,
    /// How it proves who it is at the token endpoint.
    pub authentication: ClientAuthentication,
    /// What its ID tokens are signed with: RS256 when its document is silent (OIDC Registration 2).
    pub id_token_algorithm: SignatureAlgorithm,
    /// What its userinfo answers are signed with; `None`: plain JSON.
    pub userinfo_algorithm: Option<SignatureAlgorithm>,
    /// The scopes that it may ask for. `openid` is always among them.
    pub scopes: BTreeSet<String>,
    /// Its client assertions may name the token endpoint as audience (profile `swedish`); else the issuer alone.
    pub accepts_token_endpoint_audience: bool,
    /// It must use PKCE: true unless the operator waived it for this relying party (`docs/conflicts.md` 9).
    pub pkce_required: bool,
    /// How old an authentication may be when a request does not say, in seconds.
    pub default_max_age: Option<u32>,
    /// The levels wished for when a request does not say, best first.
    pub default_acr_values: Vec<String>,
    /// What it asks for people's data for, in its own words.
    pub purpose: broker_core::organisation::LocalText,
    /// Whom to turn to.
    pub contacts: Vec<Contact>,
}

/// How a relying party proves who it is at the token endpoint (OIDC Core 9).
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// A secret in the Authorization header.
    ClientSecretBasic(SecretHash),
    /// A secret in the form.
    ClientSecretPost(SecretHash),
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt {
        /// Its public keys.
        keys: JwkSet,
        /// The only algorithm that it signs with; `None`: any that we accept.
        algorithm: Option<SignatureAlgorithm>,
    },
}

impl ClientAuthentication {
    /// The name of the method in RFC 7591 and OIDC Core 9.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::ClientSecretBasic(_) => "client_secret_basic",
            Self::ClientSecretPost(_) => "client_secret_post",
            Self::PrivateKeyJwt { .. } => "private_key_jwt",
        }
    }
}
