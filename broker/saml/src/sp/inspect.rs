//! A captured Response, looked at by an operator: the very run of a login, on a message that a file holds.
//!
//! What a login remembers (which request, which address, when) the operator may say; what is left out is the document's own, and
//! [`Inspection::taken`] says which. Nothing that comes out of here can sign anybody in: the proof that a login needs is dropped,
//! also because an inspection may let pass what a login never does ([`Allowed`]).
//!
//! Neighbours: `response.rs` has the run, `check/` the rules. `sparvidd saml check` prints this.

use broker_core::{
    assurance::Assurance,
    failure::{Failure, FailureCode},
    identifier::ProviderId,
    moment::Timestamp,
    request::Freshness,
};
use certs::{DecryptionKey, query_signature::MessageParameter};
use certs_xml::{
    Document, Element, Limits,
    namespace::{SAML, XSI},
};
use metadata::SamlProvider;

use super::{
    Expected, SentRequest, SpSettings,
    check::{Allowed, CheckStep, Steps},
    response,
};
use crate::{
    attributes::{SamlAttribute, from_saml_name},
    binding::post,
    message::{Assertion, Response, confirmations, is_response, name_id, text_of, trimmed},
};

/// Stands for an address or a name that nobody gave and that the document does not have either; equal to none in a document.
const NOT_GIVEN: &str = "nothing was given, and the document has none";
/// The same for a request's ID, of which a report shows the beginning alone. No xs:ID has a blank.
const NO_REQUEST: &str = "a request";

/// A Response as somebody captured it.
#[derive(Clone, PartialEq, Eq)]
pub enum Captured {
    /// The body of the form that was posted.
    Form(Vec<u8>),
    /// The message itself.
    Xml(Vec<u8>),
}

impl std::fmt::Debug for Captured {
    /// The size alone: messages carry people's names.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, octets) = match self {
            Self::Form(octets) => ("Form", octets),
            Self::Xml(octets) => ("Xml", octets),
        };
        formatter.debug_tuple(name).field(&octets.len()).finish()
    }
}

impl Captured {
    /// Tells by the octets what was captured: XML; the whole form body, `SAMLResponse=…` among its fields; or the value of that
    /// field alone, in Base64, percent-encoded or not. The last two are read by the reader that a posted form meets.
    #[must_use]
    pub fn recognise(octets: &[u8]) -> Self {
        let text = octets.trim_ascii();
        if text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start().starts_with(b"<") {
            return Self::Xml(octets.to_vec());
        }
        if is_form(text) {
            return Self::Form(text.to_vec());
        }
        let mut form = b"SAMLResponse=".to_vec();
        if text.contains(&b'%') {
            form.extend_from_slice(text);
        } else {
            for octet in text {
                match octet {
                    b'+' => form.extend_from_slice(b"%2B"),
                    b'&' => form.extend_from_slice(b"%26"),
                    other => form.push(*other),
                }
            }
        }
        Self::Form(form)
    }

    fn xml(&self) -> Option<Vec<u8>> {
        match self {
            Self::Xml(xml) => Some(xml.clone()),
            Self::Form(form) => post::decode(form, MessageParameter::Response).ok().map(|posted| posted.xml),
        }
    }

    /// Whether there is a SAML message in it at all, to be read.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.xml().is_some_and(|xml| Document::read(&xml, Limits::message()).is_ok())
    }

    /// The Issuer that it names, of the Response or else of an assertion; nobody has verified it.
    #[must_use]
    pub fn issuer(&self) -> Option<String> {
        let xml = self.xml()?;
        let document = Document::read(&xml, Limits::message()).ok()?;
        Says::read(&document).issuer
    }
}

/// Whether one of the fields is called SAMLResponse. Base64 has `=` at its end alone, so it is never taken for a form.
fn is_form(text: &[u8]) -> bool {
    text.split(|octet| *octet == b'&').any(|field| field.starts_with(b"SAMLResponse="))
}

/// What the Response is held against. `None`: the document's own value.
#[derive(Debug, Clone, Default)]
pub struct Against {
    /// The time.
    pub at: Option<Timestamp>,
    /// Where the Response was posted.
    pub acs_url: Option<String>,
    /// Our entity ID.
    pub audience: Option<String>,
    /// The ID of the request that it answers.
    pub in_response_to: Option<String>,
    /// The levels that were asked for; empty: none.
    pub asked: Vec<Assurance>,
}

/// A value that was taken from the document, since nobody gave one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub what: Value,
    /// Where in the document it stands.
    pub from: &'static str,
    /// The value.
    pub value: String,
}

/// What can be taken from the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The time.
    At,
    /// Where the Response was posted.
    AcsUrl,
    /// Our entity ID.
    Audience,
    /// The ID of the request.
    InResponseTo,
}

/// What came of it.
#[derive(Debug)]
pub struct Inspection {
    /// Every rule in order, as a login would have run it.
    pub steps: Vec<CheckStep>,
    /// What the message says, if every rule is kept.
    pub result: Result<Seen, Failure>,
    /// What was taken from the document.
    pub taken: Vec<Taken>,
    /// The time that it was held against.
    pub at: Timestamp,
    /// The address and the entity ID that it was held against, and the request's ID; `None`: nobody gave one, and the document has none.
    pub acs_url: Option<String>,
    /// See `acs_url`.
    pub audience: Option<String>,
    /// See `acs_url`.
    pub in_response_to: Option<String>,
}

/// What a verified message says of a person: personal data, for the eyes of whoever has the file already.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whose message it is.
    pub issuer: ProviderId,
    /// How the provider names the person.
    pub name_id: Option<SeenNameId>,
    /// Every attribute, also those that no login reads; values that hold elements are left out.
    pub attributes: Vec<SamlAttribute>,
    /// The AuthnContextClassRef.
    pub assurance: Option<Assurance>,
    /// When the person was authenticated.
    pub authenticated_at: Timestamp,
}

impl std::fmt::Debug for Seen {
    /// The issuer alone.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Seen").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A NameID (SAML Core 2.2.2).
#[derive(Clone, PartialEq, Eq)]
pub struct SeenNameId {
    /// The value.
    pub value: String,
    /// The format's URI; `None`: unspecified.
    pub format: Option<String>,
}

impl std::fmt::Debug for SeenNameId {
    /// The format alone: the value names a person.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SeenNameId").field("format", &self.format).finish_non_exhaustive()
    }
}

/// What the run notes of an assertion whose signature held, for an inspection alone.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    says: Says,
    name_id: Option<SeenNameId>,
    attributes: Vec<SamlAttribute>,
}

impl Noted {
    /// The names of attributes that no login reads.
    pub(super) fn unread(&self) -> Vec<String> {
        let names = self.attributes.iter().map(|attribute| &attribute.name);
        names.filter(|name| from_saml_name(name).is_none()).cloned().collect()
    }

    /// Reads them from an assertion whose signature held; deciphered, if it came encrypted.
    pub(super) fn of(assertion: &Assertion<'_>) -> Self {
        let says = Says::within(&[Assertion::read(assertion.element)]);
        let named = assertion.subject().and_then(name_id);
        Self {
            says,
            name_id: named.map(|name| SeenNameId {
                value: name.value.to_owned(),
                format: name.format.map(str::to_owned),
            }),
            attributes: assertion
                .attribute_statements()
                .flat_map(|statement| statement.children_named(SAML.uri(), "Attribute").collect::<Vec<_>>())
                .map(attribute)
                .collect(),
        }
    }
}

/// An attribute as it is written; values as a login reads them.
fn attribute(element: Element<'_>) -> SamlAttribute {
    let is_nil = |value: &Element<'_>| matches!(value.attribute_in(XSI.uri(), "nil"), Some("true" | "1"));
    SamlAttribute {
        name: element.attribute("Name").unwrap_or_default().to_owned(),
        friendly_name: element.attribute("FriendlyName").map(str::to_owned),
        values: element
            .children_named(SAML.uri(), "AttributeValue")
            .filter(|value| !is_nil(value))
            .filter_map(|value| value.text().map(|text| trimmed(text).to_owned()))
            .collect(),
    }
}

/// Runs a login's checks on a captured Response of `provider`.
///
/// `settings` says how strict we are; its entity ID and address give way to those of `against`, or to the document's own.
/// `decryption` opens an encrypted assertion, as [`Expected::decryption`]. `now` is the time where neither `against` nor the document has
/// one.
#[must_use]
pub fn inspect(
    captured: &Captured,
    provider: &SamlProvider,
    settings: &SpSettings,
    against: &Against,
    allowed: Allowed,
    decryption: &[DecryptionKey],
    now: Timestamp,
) -> Inspection {
    let says = captured
        .xml()
        .and_then(|xml| Document::read(&xml, Limits::message()).ok())
        .map(|document| Says::read(&document))
        .unwrap_or_default();
    let mut held = HeldAgainst::new(against, says, now);
    let run = |held: &HeldAgainst| {
        let settings = SpSettings {
            acs_url: held.acs_url.clone().unwrap_or_else(|| NOT_GIVEN.to_owned()),
            entity_id: held.audience.clone().unwrap_or_else(|| NOT_GIVEN.to_owned()),
            own_names: held.audience.iter().cloned().collect(),
            ..settings.clone()
        };
        let id = held.in_response_to.clone().unwrap_or_else(|| NO_REQUEST.to_owned());
        let sent = SentRequest {
            id,
            asked: against.asked.clone(),
            wished: false,
            at: held.at,
            // Only a login knows whether freshness was asked for.
            freshness: Freshness::default(),
            entity_id: settings.entity_id.clone(),
        };
        let expected = Expected { provider, settings: &settings, sent: &sent, decryption, now: held.at };
        let mut steps = Steps::inspecting(allowed);
        let result = match captured {
            Captured::Form(form) => response::posted_and_checked(Some(form), &expected, &mut steps),
            Captured::Xml(xml) => response::found_and_checked(xml, &expected, &mut steps),
        };
        // The proof ends here.
        (steps, result.map(|(proven, _)| proven.into_value()))
    };
    let (mut steps, mut result) = run(&held);
    // An assertion that came encrypted says what it says only once it is open.
    if let Some(noted) = steps.noted()
        && held.complete(noted.says.clone())
    {
        (steps, result) = run(&held);
    }
    let noted = steps.noted().cloned();
    let result = result.and_then(|result| {
        let noted = noted.ok_or(FailureCode::Internal)?;
        Ok(Seen {
            issuer: result.provider,
            name_id: noted.name_id,
            attributes: noted.attributes,
            assurance: result.assurance,
            authenticated_at: result.authenticated_at,
        })
    });
    let HeldAgainst { taken, at, acs_url, audience, in_response_to } = held;
    Inspection { steps: steps.finish(), result, taken, at, acs_url, audience, in_response_to }
}

/// What was given, with what was taken from the document.
struct HeldAgainst {
    taken: Vec<Taken>,
    at: Timestamp,
    acs_url: Option<String>,
    audience: Option<String>,
    in_response_to: Option<String>,
}

impl HeldAgainst {
    fn new(against: &Against, mut says: Says, now: Timestamp) -> Self {
        let mut taken = Vec::new();
        let at = against.at.unwrap_or_else(|| match says.at.take() {
            Some((from, at)) => {
                taken.push(Taken { what: Value::At, from, value: at.to_rfc3339() });
                at
            }
            None => now,
        });
        let mut held = Self {
            taken,
            at,
            acs_url: against.acs_url.clone(),
            audience: against.audience.clone(),
            in_response_to: against.in_response_to.clone(),
        };
        held.complete(says);
        held
    }

    /// Takes what nobody gave; whether there was any.
    fn complete(&mut self, says: Says) -> bool {
        let before = self.taken.len();
        for (what, slot, own) in [
            (Value::AcsUrl, &mut self.acs_url, says.acs_url),
            (Value::Audience, &mut self.audience, says.audience),
            (Value::InResponseTo, &mut self.in_response_to, says.in_response_to),
        ] {
            if let (None, Some((from, value))) = (&slot, own) {
                self.taken.push(Taken { what, from, value: value.clone() });
                *slot = Some(value);
            }
        }
        self.taken.len() > before
    }
}

/// A value of the document and where it stands.
type Own<T = String> = Option<(&'static str, T)>;

/// What a document says by itself; nobody has verified it.
#[derive(Debug, Clone, Default)]
struct Says {
    issuer: Option<String>,
    at: Own<Timestamp>,
    acs_url: Own,
    audience: Own,
    in_response_to: Own,
}

impl Says {
    fn read(document: &Document) -> Self {
        let root = document.root();
        if !is_response(root) {
            return Self::default();
        }
        let response = Response::read(root);
        let assertions: Vec<_> = response.assertions().map(Assertion::read).collect();
        let within = Self::within(&assertions);
        let at = response.issue_instant.and_then(Timestamp::from_rfc3339);
        Self {
            issuer: response.issuer.and_then(text_of).map(str::to_owned).or(within.issuer),
            at: at.map(|at| ("IssueInstant of the Response", at)),
            acs_url: own("Destination", response.destination).or(within.acs_url),
            audience: within.audience,
            in_response_to: own("InResponseTo of the Response", response.in_response_to)
                .or(within.in_response_to),
        }
    }

    /// What assertions say, whatever stands around them.
    fn within(assertions: &[Assertion<'_>]) -> Self {
        // Of the first confirmation that has it: a rule looks at all of them later.
        let confirmed = |name| {
            let mut all = assertions.iter().filter_map(Assertion::subject).flat_map(confirmations);
            all.find_map(|confirmation| confirmation.data?.attribute(name))
        };
        let audience = assertions
            .iter()
            .filter_map(Assertion::conditions)
            .filter_map(|conditions| conditions.child(SAML.uri(), "AudienceRestriction"))
            .filter_map(|restriction| restriction.child(SAML.uri(), "Audience"))
            .find_map(text_of);
        let issuer = assertions.iter().find_map(|assertion| assertion.issuer().and_then(text_of));
        Self {
            issuer: issuer.map(str::to_owned),
            at: None,
            acs_url: own("Recipient", confirmed("Recipient")),
            audience: own("Audience", audience),
            in_response_to: own("InResponseTo of the confirmation", confirmed("InResponseTo")),
        }
    }
}

fn own(from: &'static str, value: Option<&str>) -> Own {
    value.filter(|value| !value.is_empty()).map(|value| (from, value.to_owned()))
}
