//! Response and Assertion as an identity provider writes them (SAML Profiles 4.1.4.2, SC-DP 6.2), signed.
//!
//! Neighbours: `attributes.rs` names what is said of the person, `certs::xml_signature` signs, `binding/post.rs` carries.

use broker_core::moment::Timestamp;
use certs::{
    PublicKey, Signer,
    xml_encryption::{CannotEncrypt, Encryption, encrypt},
    xml_signature::{CannotSign, sign_enveloped},
};
use certs_xml::{
    NewElement,
    namespace::{SAML, SAMLP, XS, XSI},
};

use crate::{
    attributes::{SamlAttribute, URI_NAME_FORMAT},
    status::{SecondLevel, TopLevel},
};

/// Which elements are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Signed {
    /// The Response alone (SC-DP 6.1 demands at least this).
    #[default]
    Response,
    /// The assertion alone (SAML Profiles 4.1.3.5).
    Assertion,
    /// Both.
    Both,
}

/// How the person is named.
#[derive(Clone, PartialEq, Eq)]
pub struct NameIdToIssue {
    /// The format's URI.
    pub format: String,
    /// The value.
    pub value: String,
    /// SPNameQualifier; persistent identifiers should say for whom they were made.
    pub sp_name_qualifier: Option<String>,
}

impl std::fmt::Debug for NameIdToIssue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NameIdToIssue").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Everything that goes into a Response with an assertion.
#[derive(Debug, Clone)]
pub struct AssertionToIssue {
    /// Entity ID of the identity provider.
    pub issuer: String,
    /// ID of the Response: an xs:ID, fresh.
    pub response_id: String,
    /// ID of the assertion: an xs:ID, fresh.
    pub assertion_id: String,
    /// Now: both IssueInstants and the beginning of the Conditions.
    pub issued_at: Timestamp,
    /// How long it may be presented, in seconds.
    pub lifetime_seconds: i64,
    /// The assertion consumer service: Destination and Recipient.
    pub acs_url: String,
    /// ID of the request that this answers.
    pub in_response_to: String,
    /// Entity ID of the service provider.
    pub audience: String,
    /// How the person is named.
    pub name_id: NameIdToIssue,
    /// When the person was authenticated: the original time, also on single sign-on.
    pub authenticated_at: Timestamp,
    /// The level: AuthnContextClassRef.
    pub authn_context: String,
    /// Who authenticated the person, if others did (AuthenticatingAuthority).
    pub authorities: Vec<String>,
    /// The session's name at the provider.
    pub session_index: Option<String>,
    /// When the session must end.
    pub session_ends: Option<Timestamp>,
    /// What is said of the person.
    pub attributes: Vec<SamlAttribute>,
    /// Which elements are signed.
    pub signed: Signed,
}

/// Why no answer with an encrypted assertion was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotIssue {
    /// It could not be written or signed.
    #[error(transparent)]
    Sign(#[from] CannotSign),
    /// It could not be encrypted.
    #[error(transparent)]
    Encrypt(#[from] CannotEncrypt),
}

/// An answer without an assertion (SC-DP 6.4).
#[derive(Debug, Clone)]
pub struct ErrorToIssue {
    /// Entity ID of the identity provider.
    pub issuer: String,
    /// ID of the Response: an xs:ID, fresh.
    pub response_id: String,
    /// Now.
    pub issued_at: Timestamp,
    /// The assertion consumer service.
    pub acs_url: String,
    /// ID of the request that this answers.
    pub in_response_to: String,
    /// Whose fault.
    pub top_level: TopLevel,
    /// What happened.
    pub second_level: Option<SecondLevel>,
}

impl AssertionToIssue {
    /// The Response's octets, signed as [`AssertionToIssue::signed`] says.
    ///
    /// # Errors
    /// When a value cannot stand in XML, an ID is none, or the key does not sign.
    pub fn issue(&self, signer: &dyn Signer) -> Result<Vec<u8>, CannotSign> {
        let assertion = match self.signed {
            Signed::Response => self.assertion(),
            Signed::Assertion | Signed::Both => sign_enveloped(self.assertion(), signer)?,
        };
        let response = self.response(assertion);
        let response = match self.signed {
            Signed::Assertion => response,
            Signed::Response | Signed::Both => sign_enveloped(response, signer)?,
        };
        Ok(response.to_canonical()?)
    }

    /// Like [`AssertionToIssue::issue`], with the assertion encrypted to `recipient` (SAML Core 2.3.4): signed first where it is signed, so
    /// that its signature is encrypted with it.
    ///
    /// # Errors
    /// As for `issue`, and when nothing can be encrypted to that key.
    pub fn issue_encrypted(
        &self,
        signer: &dyn Signer,
        recipient: &PublicKey,
        encryption: Encryption,
    ) -> Result<Vec<u8>, CannotIssue> {
        let assertion = match self.signed {
            Signed::Response => self.assertion(),
            Signed::Assertion | Signed::Both => sign_enveloped(self.assertion(), signer)?,
        };
        let plaintext = assertion.to_canonical().map_err(CannotSign::from)?;
        let encrypted = NewElement::new(SAML, "EncryptedAssertion")
            .with_child(encrypt(&plaintext, recipient, encryption)?);
        let response = self.response(encrypted);
        let response = match self.signed {
            Signed::Assertion => response,
            Signed::Response | Signed::Both => sign_enveloped(response, signer)?,
        };
        Ok(response.to_canonical().map_err(CannotSign::from)?)
    }

    /// The Response around `assertion`, not signed.
    pub(crate) fn response(&self, assertion: NewElement) -> NewElement {
        let frame = Frame {
            id: &self.response_id,
            issued_at: self.issued_at,
            acs_url: &self.acs_url,
            in_response_to: &self.in_response_to,
            issuer: &self.issuer,
        };
        frame.response(TopLevel::Success, None).with_child(assertion)
    }

    /// The assertion, not signed. Order of the children: SAML Core 2.3.3 (schema).
    pub(crate) fn assertion(&self) -> NewElement {
        NewElement::new(SAML, "Assertion")
            .with_attribute("ID", &*self.assertion_id)
            .with_attribute("Version", "2.0")
            .with_attribute("IssueInstant", self.issued_at.to_rfc3339())
            .with_child(NewElement::new(SAML, "Issuer").with_text(&*self.issuer))
            .with_child(self.subject())
            .with_child(self.conditions())
            .with_child(self.authn_statement())
            .with_children(self.attribute_statement())
    }

    fn subject(&self) -> NewElement {
        let data = NewElement::new(SAML, "SubjectConfirmationData")
            .with_attribute("InResponseTo", &*self.in_response_to)
            .with_attribute("NotOnOrAfter", self.issued_at.plus(self.lifetime_seconds).to_rfc3339())
            .with_attribute("Recipient", &*self.acs_url);
        let confirmation = NewElement::new(SAML, "SubjectConfirmation")
            .with_attribute("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
            .with_child(data);
        let name_id = NewElement::new(SAML, "NameID")
            .with_attribute("Format", &*self.name_id.format)
            .with_optional_attribute("SPNameQualifier", self.name_id.sp_name_qualifier.as_deref())
            .with_text(&*self.name_id.value);
        NewElement::new(SAML, "Subject").with_child(name_id).with_child(confirmation)
    }

    fn conditions(&self) -> NewElement {
        let audience = NewElement::new(SAML, "Audience").with_text(&*self.audience);
        NewElement::new(SAML, "Conditions")
            .with_attribute("NotBefore", self.issued_at.to_rfc3339())
            .with_attribute("NotOnOrAfter", self.issued_at.plus(self.lifetime_seconds).to_rfc3339())
            .with_child(NewElement::new(SAML, "AudienceRestriction").with_child(audience))
    }

    fn authn_statement(&self) -> NewElement {
        let authorities = self
            .authorities
            .iter()
            .map(|authority| NewElement::new(SAML, "AuthenticatingAuthority").with_text(&**authority));
        let context = NewElement::new(SAML, "AuthnContext")
            .with_child(NewElement::new(SAML, "AuthnContextClassRef").with_text(&*self.authn_context))
            .with_children(authorities);
        NewElement::new(SAML, "AuthnStatement")
            .with_attribute("AuthnInstant", self.authenticated_at.to_rfc3339())
            .with_optional_attribute("SessionIndex", self.session_index.as_deref())
            .with_optional_attribute("SessionNotOnOrAfter", self.session_ends.map(Timestamp::to_rfc3339))
            .with_child(context)
    }

    /// No statement where nothing is said: an empty one is not valid (SAML Core 2.7.3).
    fn attribute_statement(&self) -> Option<NewElement> {
        let attributes = self.attributes.iter().map(|attribute| {
            let values = attribute.values.iter().map(|value| {
                NewElement::new(SAML, "AttributeValue")
                    .with_attribute_in(XSI, "type", format!("{}:string", XS.prefix()))
                    .with_text(&**value)
            });
            NewElement::new(SAML, "Attribute")
                .with_attribute("Name", &*attribute.name)
                .with_attribute("NameFormat", URI_NAME_FORMAT)
                .with_optional_attribute("FriendlyName", attribute.friendly_name.as_deref())
                .with_children(values)
        });
        (!self.attributes.is_empty())
            .then(|| NewElement::new(SAML, "AttributeStatement").with_children(attributes))
    }
}

impl ErrorToIssue {
    /// The Response's octets, signed.
    ///
    /// # Errors
    /// When a value cannot stand in XML, the ID is none, or the key does not sign.
    pub fn issue(&self, signer: &dyn Signer) -> Result<Vec<u8>, CannotSign> {
        let frame = Frame {
            id: &self.response_id,
            issued_at: self.issued_at,
            acs_url: &self.acs_url,
            in_response_to: &self.in_response_to,
            issuer: &self.issuer,
        };
        let response = frame.response(self.top_level, self.second_level);
        Ok(sign_enveloped(response, signer)?.to_canonical()?)
    }
}

/// What every Response has.
struct Frame<'a> {
    id: &'a str,
    issued_at: Timestamp,
    acs_url: &'a str,
    in_response_to: &'a str,
    issuer: &'a str,
}

impl Frame<'_> {
    fn response(&self, top_level: TopLevel, second_level: Option<SecondLevel>) -> NewElement {
        let code = |uri: &str| NewElement::new(SAMLP, "StatusCode").with_attribute("Value", uri);
        let nested = second_level.map(|second| code(second.uri()));
        NewElement::new(SAMLP, "Response")
            .with_attribute("ID", self.id)
            .with_attribute("Version", "2.0")
            .with_attribute("IssueInstant", self.issued_at.to_rfc3339())
            .with_attribute("Destination", self.acs_url)
            .with_attribute("InResponseTo", self.in_response_to)
            .with_child(NewElement::new(SAML, "Issuer").with_text(self.issuer))
            .with_child(
                NewElement::new(SAMLP, "Status").with_child(code(top_level.uri()).with_children(nested)),
            )
    }
}
