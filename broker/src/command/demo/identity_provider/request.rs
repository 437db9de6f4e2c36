//! The broker's request: verified against the broker's published metadata, and answered only where that metadata says.

use std::fmt;

use broker_core::{moment::Timestamp, role::Inbound};
use broker_saml::idp::{AuthnRequest, ReceivedAuthnRequest};
use certs::{
    AlgorithmPolicy, PublicKey,
    xml_signature::{Profile, verify},
};
use certs_xml::{
    Document, Element, Limits,
    namespace::{DS, MD, MDUI, XML},
};
use metadata::SamlBinding;
use tokio::sync::OnceCell;

use super::super::web;
use crate::command::demo::texts::Tongue;

/// How old a request may be, and how far ahead of our clock, in seconds (SC-DP 5.4.1; clocks of one machine agree).
const FRESH_SECONDS: i64 = 300;

/// Where the broker publishes its SAML metadata, and the key that signs it, which the two have agreed on beforehand.
pub(in crate::command::demo) struct BrokerMetadata {
    url: String,
    key: PublicKey,
    known: OnceCell<ServiceProvider>,
}

/// The broker as a service provider, out of its metadata.
struct ServiceProvider {
    entity_id: String,
    keys: Vec<PublicKey>,
    encryption_key: Option<PublicKey>,
    acs_urls: Vec<String>,
    name: Named,
}

/// A name in both languages.
#[derive(Debug, Clone)]
pub(super) struct Named {
    sv: String,
    en: String,
}

impl Named {
    /// The name in a language.
    pub(super) fn said(&self, language: Tongue) -> &str {
        match language {
            Tongue::Swedish => &self.sv,
            Tongue::English => &self.en,
        }
    }
}

impl BrokerMetadata {
    /// To be fetched when the first request comes.
    pub(in crate::command::demo) fn at(url: String, key: PublicKey) -> Self {
        Self { url, key, known: OnceCell::new() }
    }

    async fn service_provider(&self) -> Result<&ServiceProvider, Refused> {
        self.known
            .get_or_try_init(|| async {
                let answer = web::get(&self.url, None).await.map_err(|error| Refused(error.to_string()))?;
                if !answer.status.is_success() {
                    return Err(Refused(format!("{} answered {}", self.url, answer.status)));
                }
                let refused = |what: &dyn fmt::Display| Refused(format!("{}: {what}", self.url));
                let document = Document::read(&answer.body, Limits::metadata(answer.body.len()))
                    .map_err(|error| refused(&error))?;
                let keys = std::slice::from_ref(&self.key);
                let signed = verify(document.root(), keys, &AlgorithmPolicy::default(), Profile::Metadata)
                    .map_err(|error| refused(&error))?;
                let document = signed.value().document().map_err(|error| refused(&error))?;
                read_metadata(document.root()).ok_or_else(|| refused(&"there is no service provider in it"))
            })
            .await
    }
}

fn read_metadata(entity: Element<'_>) -> Option<ServiceProvider> {
    let entity_id = entity.attribute("entityID")?.to_owned();
    let role = entity.child(MD.uri(), "SPSSODescriptor")?;
    let keys_for = |wanted: &str| -> Vec<PublicKey> {
        role.children_named(MD.uri(), "KeyDescriptor")
            .filter(|key| key.attribute("use").is_none_or(|purpose| purpose == wanted))
            .flat_map(|key| key.subtree())
            .filter(|element| element.is(DS.uri(), "X509Certificate"))
            .filter_map(|element| certificate_key(element.text()?))
            .collect()
    };
    let keys = keys_for("signing");
    let encryption_key = keys_for("encryption").into_iter().next();
    let acs_urls: Vec<String> = role
        .children_named(MD.uri(), "AssertionConsumerService")
        .filter(|service| service.attribute("Binding") == Some(SamlBinding::Post.uri()))
        .filter_map(|service| service.attribute("Location").map(str::to_owned))
        .collect();
    let name = |language: &str| {
        role.subtree()
            .filter(|element| element.is(MDUI.uri(), "DisplayName"))
            .find(|element| element.attribute_in(XML.uri(), "lang") == Some(language))
            .and_then(Element::text)
            .unwrap_or(&entity_id)
            .to_owned()
    };
    let name = Named { sv: name("sv"), en: name("en") };
    (!keys.is_empty() && !acs_urls.is_empty()).then_some(ServiceProvider {
        entity_id,
        keys,
        encryption_key,
        acs_urls,
        name,
    })
}

fn certificate_key(text: &str) -> Option<PublicKey> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let dense: String = text.split_whitespace().collect();
    PublicKey::from_certificate_der(&STANDARD.decode(dense).ok()?).ok()
}

/// What is asked, once it is known to be the broker that asks.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The answer's InResponseTo.
    pub(super) request_id: String,
    /// Where the answer goes: an address of the broker's metadata.
    pub(super) acs_url: String,
    /// The answer's Audience.
    pub(super) audience: String,
    /// To be given back.
    pub(super) relay_state: Option<String>,
    /// An earlier sign-in does not count.
    pub(super) force_authn: bool,
    /// Nothing may be shown.
    pub(super) is_passive: bool,
    /// Who asks, for people.
    pub(super) asker: Named,
    /// What the answer may be encrypted to.
    pub(super) encryption_key: Option<PublicKey>,
    levels: Vec<String>,
}

impl Asked {
    /// Whether a level is one of those that are wanted; none named: any is.
    pub(super) fn accepts(&self, level: &str) -> bool {
        self.levels.is_empty() || self.levels.iter().any(|wanted| wanted == level)
    }
}

/// Why a request is refused, for the log.
#[derive(Debug)]
pub(super) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads and verifies a request that was sent to `own_url`.
pub(super) async fn read(
    message: &Inbound,
    broker: &BrokerMetadata,
    own_url: &str,
    now: Timestamp,
) -> Result<Asked, Refused> {
    let refused = |error: &dyn fmt::Display| Refused(error.to_string());
    let received = ReceivedAuthnRequest::read(message).map_err(|error| refused(&error))?;
    let peer = broker.service_provider().await?;
    // Our metadata says WantAuthnRequestsSigned: an unsigned request is refused (SC-DP 5.2).
    let verified = received
        .verified(&peer.keys, &AlgorithmPolicy::default())
        .map_err(|error| refused(&error))?
        .into_value();
    let acs_url = acceptable(&verified, peer, own_url, now)?;
    Ok(Asked {
        request_id: verified.id,
        acs_url,
        audience: peer.entity_id.clone(),
        relay_state: received.relay_state().map(str::to_owned),
        force_authn: verified.force_authn,
        is_passive: verified.is_passive,
        asker: peer.name.clone(),
        encryption_key: peer.encryption_key.clone(),
        levels: verified.authn_contexts,
    })
}

fn acceptable(
    request: &AuthnRequest,
    peer: &ServiceProvider,
    own_url: &str,
    now: Timestamp,
) -> Result<String, Refused> {
    let refused = |what: &str| Err(Refused(what.to_owned()));
    if request.issuer != peer.entity_id {
        return refused("the Issuer is nobody that we know");
    }
    // SC-DP 5.3: Destination must be there and be ours.
    if request.destination.as_deref() != Some(own_url) {
        return refused("the Destination is another");
    }
    if now.since(request.issued_at).abs() > FRESH_SECONDS {
        return refused("the request is too old, or from the future");
    }
    if request.protocol_binding.as_deref().is_some_and(|binding| binding != SamlBinding::Post.uri()) {
        return refused("answers go over HTTP-POST alone");
    }
    if request.comparison.as_deref().is_some_and(|comparison| comparison != "exact") {
        return refused("levels are compared exactly and in no other way");
    }
    // SC-DP 5.4.2: the address that is asked for must be one of the metadata's; none asked for: the first.
    let wanted = request.acs_url.as_deref();
    let found = peer.acs_urls.iter().find(|url| wanted.is_none_or(|wanted| wanted == url.as_str()));
    match found {
        Some(url) if request.acs_index.is_none() => Ok(url.clone()),
        _ => refused("the AssertionConsumerService is not in the broker's metadata"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "http://idp.localhost:1/sso";
    const NOW: Timestamp = Timestamp(1_000_000);

    fn peer() -> ServiceProvider {
        ServiceProvider {
            encryption_key: None,
            entity_id: "http://broker.localhost/saml/metadata".to_owned(),
            keys: Vec::new(),
            acs_urls: vec!["http://broker.localhost/saml/acs".to_owned()],
            name: Named { sv: String::new(), en: String::new() },
        }
    }

    fn request() -> AuthnRequest {
        AuthnRequest {
            id: "_1".to_owned(),
            issuer: "http://broker.localhost/saml/metadata".to_owned(),
            issued_at: NOW,
            destination: Some(OWN.to_owned()),
            acs_url: Some("http://broker.localhost/saml/acs".to_owned()),
            acs_index: None,
            protocol_binding: Some(SamlBinding::Post.uri().to_owned()),
            force_authn: false,
            is_passive: false,
            name_id_format: None,
            authn_contexts: Vec::new(),
            comparison: None,
            proxy_count: None,
            providers: Vec::new(),
            requesters: Vec::new(),
        }
    }

    fn is_taken(change: impl FnOnce(&mut AuthnRequest)) -> bool {
        let mut request = request();
        change(&mut request);
        acceptable(&request, &peer(), OWN, NOW).is_ok()
    }

    #[test]
    fn an_answer_goes_to_a_registered_address_alone() {
        assert!(is_taken(|_| {}));
        assert!(is_taken(|request| request.acs_url = None));
        assert!(!is_taken(|request| request.acs_url = Some("http://evil.localhost/saml/acs".to_owned())));
        assert!(!is_taken(|request| request.acs_index = Some(0)));
    }

    #[test]
    fn a_request_is_from_the_broker_to_us_and_fresh() {
        assert!(!is_taken(|request| request.issuer = "http://other.localhost/".to_owned()));
        assert!(!is_taken(|request| request.destination = None));
        assert!(!is_taken(|request| request.destination = Some("http://idp.localhost:2/sso".to_owned())));
        assert!(!is_taken(|request| request.issued_at = NOW.plus(-FRESH_SECONDS - 1)));
        assert!(!is_taken(|request| request.issued_at = NOW.plus(FRESH_SECONDS + 1)));
    }

    #[test]
    fn what_is_not_offered_is_refused_and_not_ignored() {
        assert!(!is_taken(|request| request.comparison = Some("minimum".to_owned())));
        assert!(!is_taken(|request| request.protocol_binding = Some(SamlBinding::Artifact.uri().to_owned())));
    }

    #[test]
    fn levels_are_compared_exactly() {
        let asked = |levels: &[&str]| Asked {
            request_id: String::new(),
            acs_url: String::new(),
            audience: String::new(),
            relay_state: None,
            force_authn: false,
            is_passive: false,
            asker: Named { sv: String::new(), en: String::new() },
            encryption_key: None,
            levels: levels.iter().map(|level| (*level).to_owned()).collect(),
        };
        assert!(asked(&[]).accepts("a"));
        assert!(asked(&["b", "a"]).accepts("a"));
        assert!(!asked(&["b"]).accepts("a"));
    }
}
