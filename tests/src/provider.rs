//! A SAML identity provider in this process: reads what the broker asks, and signs genuine answers.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::role::Inbound;
use broker_saml::{
    attributes::to_saml,
    idp::{AssertionToIssue, AuthnRequest, ErrorToIssue, NameIdToIssue, ReceivedAuthnRequest, Signed},
    name_id,
    status::{SecondLevel, TopLevel},
};
use certs::{
    AlgorithmPolicy, PrivateKey, PublicKey, SignatureAlgorithm, Signer as _, xml_encryption::Encryption,
};
use url::Url;

use crate::{
    browser::{Form, Page},
    chance,
    person::Person,
};

/// The level that the providers here are registered for.
pub const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
const BINDINGS: &str = "urn:oasis:names:tc:SAML:2.0:bindings";

/// How a provider takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBy {
    /// HTTP-Redirect.
    Redirect,
    /// HTTP-POST.
    Post,
}

/// An identity provider.
pub struct Provider {
    /// Its entity ID.
    pub entity_id: String,
    /// The organisation that answers for it.
    pub organisation: String,
    /// What the provider choice calls it.
    pub name: String,
    /// What of an answer is signed.
    pub signed: Signed,
    /// How it encrypts, if it does.
    pub encrypts: Option<Encryption>,
    host: String,
    taken_by: TakenBy,
    key: Arc<PrivateKey>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("entity_id", &self.entity_id).finish_non_exhaustive()
    }
}

/// What the broker asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The request, whose signature held.
    pub request: AuthnRequest,
    /// To be given back.
    pub relay_state: Option<String>,
}

impl Asked {
    /// Where the answer goes.
    #[must_use]
    pub fn acs_url(&self) -> &str {
        self.request.acs_url.as_deref().expect("the broker says where it takes answers")
    }

    /// The form that carries an answer to the broker.
    #[must_use]
    pub fn form(&self, xml: &[u8]) -> Form {
        let mut fields = vec![("SAMLResponse".to_owned(), STANDARD.encode(xml))];
        fields.extend(self.relay_state.iter().map(|state| ("RelayState".to_owned(), state.clone())));
        Form { action: self.acs_url().to_owned(), fields }
    }
}

impl Provider {
    /// One on `host`, with a key of its own: P-256 or RSA of 2048 bits.
    #[must_use]
    pub fn new(name: &str, host: &str, organisation: &str, taken_by: TakenBy, ec: bool) -> Self {
        let key = if ec {
            PrivateKey::generate_p256()
        } else {
            PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256)
        };
        Self {
            entity_id: format!("https://{host}/saml"),
            organisation: organisation.to_owned(),
            name: name.to_owned(),
            signed: Signed::Response,
            encrypts: None,
            host: host.to_owned(),
            taken_by,
            key: Arc::new(key.expect("a key")),
        }
    }

    /// The key that it signs with.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The same provider after its key was replaced: another key, and all else as it was.
    #[must_use]
    pub fn with_next_key(&self, ec: bool) -> Self {
        let next = Self::new(&self.name, &self.host, &self.organisation, self.taken_by, ec);
        Self { signed: self.signed, encrypts: self.encrypts, ..next }
    }

    /// Its metadata with the signing key of `other` beside its own, as in a rollover.
    #[must_use]
    pub fn metadata_with(&self, other: &Self) -> String {
        let theirs = other.metadata();
        let end = "</md:KeyDescriptor>\n";
        let from = theirs.find("    <md:KeyDescriptor").expect("a key");
        let to = theirs.find(end).expect("its end") + end.len();
        let key = theirs.get(from..to).expect("a key");
        self.metadata().replacen(end, &format!("{end}{key}"), 1)
    }

    /// Its metadata, as its operator sends it to the federation.
    #[must_use]
    pub fn metadata(&self) -> String {
        let yesterday = chance::system_time() - Duration::from_secs(86_400);
        let certificate =
            self.key.self_signed_certificate(&self.host, yesterday, 365).expect("a certificate");
        let binding = match self.taken_by {
            TakenBy::Redirect => "HTTP-Redirect",
            TakenBy::Post => "HTTP-POST",
        };
        format!(
            r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
  <md:Extensions>
    <mdattr:EntityAttributes xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute">
      <saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="urn:oasis:names:tc:SAML:attribute:assurance-certification" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">
        <saml:AttributeValue>{LOA3}</saml:AttributeValue>
      </saml:Attribute>
    </mdattr:EntityAttributes>
  </md:Extensions>
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:Extensions>
      <mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui">
        <mdui:DisplayName xml:lang="sv">{name}</mdui:DisplayName>
      </mdui:UIInfo>
    </md:Extensions>
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>
    <md:SingleSignOnService Binding="{BINDINGS}:{binding}" Location="https://{host}/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
"#,
            entity_id = self.entity_id,
            name = self.name,
            certificate = STANDARD.encode(certificate),
            host = self.host,
        )
    }

    /// Reads the request out of what the broker told the browser, and holds its signature against the keys that the broker publishes.
    #[must_use]
    pub fn receive(&self, page: &Page, broker: &[PublicKey]) -> Asked {
        let message = match self.taken_by {
            TakenBy::Redirect => {
                // After a form of ours a page goes on instead of a redirect.
                let address = if page.reply.status == 200 { page.first_button() } else { page.location() };
                let url = Url::parse(&address)
                    .unwrap_or_else(|_| panic!("no address: {}\n{}", page.reply.status, page.reply.text()));
                assert_eq!(&url[..url::Position::AfterPath], format!("https://{}/sso", self.host));
                Inbound { query: url.query().map(str::to_owned), ..Inbound::default() }
            }
            TakenBy::Post => {
                let form = page.form();
                assert_eq!(form.action, format!("https://{}/sso", self.host));
                let body = crate::browser::encoded(&form.fields);
                Inbound { form: Some(body.into_bytes()), ..Inbound::default() }
            }
        };
        let received = ReceivedAuthnRequest::read(&message).expect("an AuthnRequest");
        let request =
            received.verified(broker, &AlgorithmPolicy::default()).expect("a signature of the broker");
        Asked { request: request.into_value(), relay_state: received.relay_state().map(str::to_owned) }
    }

    /// What answers `asked` for `person`, who was authenticated ten seconds ago: to be changed by a test, and issued.
    #[must_use]
    pub fn answer(&self, asked: &Asked, person: &Person) -> AssertionToIssue {
        let now = chance::now();
        AssertionToIssue {
            issuer: self.entity_id.clone(),
            response_id: chance::xml_id(),
            assertion_id: chance::xml_id(),
            issued_at: now,
            lifetime_seconds: 300,
            acs_url: asked.acs_url().to_owned(),
            in_response_to: asked.request.id.clone(),
            audience: asked.request.issuer.clone(),
            name_id: NameIdToIssue {
                format: name_id::TRANSIENT.to_owned(),
                value: person.name_id.clone(),
                sp_name_qualifier: None,
            },
            authenticated_at: now.plus(-10),
            authn_context: LOA3.to_owned(),
            authorities: Vec::new(),
            session_index: None,
            session_ends: None,
            attributes: to_saml(&person.attributes()),
            signed: self.signed,
        }
    }

    /// Signs an answer and puts it into the form that the browser posts.
    #[must_use]
    pub fn issue(&self, asked: &Asked, answer: &AssertionToIssue) -> Form {
        asked.form(&answer.issue(&*self.key).expect("signed"))
    }

    /// Signs an answer, encrypts its assertion to `recipient`, and puts it into the form that the browser posts.
    #[must_use]
    pub fn issue_encrypted(
        &self,
        asked: &Asked,
        answer: &AssertionToIssue,
        recipient: &PublicKey,
        encryption: Encryption,
    ) -> Form {
        asked.form(&answer.issue_encrypted(&*self.key, recipient, encryption).expect("encrypted"))
    }

    /// The form of an answer that says no.
    #[must_use]
    pub fn refuse(&self, asked: &Asked, second_level: SecondLevel) -> Form {
        let answer = ErrorToIssue {
            issuer: self.entity_id.clone(),
            response_id: chance::xml_id(),
            issued_at: chance::now(),
            acs_url: asked.acs_url().to_owned(),
            in_response_to: asked.request.id.clone(),
            top_level: TopLevel::Responder,
            second_level: Some(second_level),
        };
        asked.form(&answer.issue(&*self.key).expect("signed"))
    }

    /// The public half of its key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }
}

/// The keys by which a service provider's metadata says that it signs.
#[must_use]
pub fn published_keys(metadata: &str) -> Vec<PublicKey> {
    let (before, _, after) = around_encryption(metadata);
    keys_in(before).into_iter().chain(keys_in(after)).collect()
}

/// The key that it says may be encrypted to: one, also during a rollover.
#[must_use]
pub fn published_encryption_key(metadata: &str) -> PublicKey {
    let (_, within, after) = around_encryption(metadata);
    assert!(!after.contains("use=\"encryption\""), "one key is published");
    keys_in(within).pop().expect("a key for encryption")
}

/// What stands before, within, and after the KeyDescriptor for encryption.
fn around_encryption(metadata: &str) -> (&str, &str, &str) {
    let (before, rest) =
        metadata.split_once("<md:KeyDescriptor use=\"encryption\"").expect("a key for encryption");
    let (within, after) = rest.split_once("</md:KeyDescriptor>").expect("its end");
    (before, within, after)
}

fn keys_in(metadata: &str) -> Vec<PublicKey> {
    metadata
        .split("X509Certificate>")
        .skip(1)
        .step_by(2)
        .map(|text| {
            let base64: String = text.split('<').next().unwrap_or_default().split_whitespace().collect();
            let certificate = STANDARD.decode(base64).expect("a certificate is base64");
            PublicKey::from_certificate_der(&certificate).expect("a certificate")
        })
        .collect()
}
