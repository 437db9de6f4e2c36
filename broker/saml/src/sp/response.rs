//! The answer of a provider, taken apart in one fixed order (SAML Profiles 4.1.4, SC-DP 6.3).
//!
//! Who the person is, is read from the octets that were signed and from nothing else: the canonical octets of the Response, or of the
//! assertion where that alone is signed. What an encrypted assertion says is as well proven as its ciphertext: by the signature of the
//! Response around it, or else by its own. The rules stand in `check/`; this file says in which order they are asked, and the order is
//! that of [`CheckId::ALL`]. `sparvidd saml check` prints the very same run.

use broker_core::{
    failure::{Failure, FailureCode},
    moment::Timestamp,
    result::{AuthenticationResult, OneTimeUse, PassingOn},
    suspension::KeyFingerprint,
};
use certs::{
    DecryptionKey,
    query_signature::MessageParameter,
    xml_encryption::{Decrypted, Enclosing},
    xml_signature::{SignedElement, is_signed},
};
use certs_proof::Verified;
use certs_xml::{Document, Element, Limits};
use metadata::SamlProvider;

use super::{
    SentRequest, SpSettings,
    check::{
        Allowed, CheckId, CheckRun, Clock, Outcome, Steps, assertion, authentication, conditions, encryption,
        response, signature, subject,
    },
    inspect::Noted,
};
use crate::{
    attributes::{self, Said},
    binding::{BindingRefused, post},
    message::{Assertion, Response, is_response, name_id},
};

/// What an answer is held against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The provider that the login was sent to.
    pub provider: &'a SamlProvider,
    /// Who we are, and how strict.
    pub settings: &'a SpSettings,
    /// What was asked.
    pub sent: &'a SentRequest,
    /// What opens an encrypted assertion: every key that is or was published.
    pub decryption: &'a [DecryptionKey],
    /// The time.
    pub now: Timestamp,
}

impl Expected<'_> {
    fn clock(&self) -> Clock {
        Clock {
            now: self.now,
            skew: self.settings.skew_seconds,
            lifetime: self.settings.message_lifetime_seconds,
        }
    }

    fn provider_id(&self) -> &str {
        self.provider.policy.id.as_str()
    }
}

/// Checks the Response in a posted form; `None`: there was none, as when a Response comes in a query.
#[must_use]
pub fn run_form(form: Option<&[u8]>, expected: &Expected<'_>) -> CheckRun {
    let mut steps = Steps::new();
    let result = posted_and_checked(form, expected, &mut steps);
    CheckRun { steps: steps.finish(), result }
}

/// [`run_form`], as strict, for a test sign-in: also the names of attributes that no login reads, of an assertion whose signature held.
#[must_use]
pub fn run_form_telling(form: Option<&[u8]>, expected: &Expected<'_>) -> (CheckRun, Vec<String>) {
    let mut steps = Steps::inspecting(Allowed::default());
    let result = posted_and_checked(form, expected, &mut steps);
    let unread = steps.noted().map(Noted::unread).unwrap_or_default();
    (CheckRun { steps: steps.finish(), result }, unread)
}

/// Checks a Response that is at hand as XML, such as a file.
#[must_use]
pub fn run(xml: &[u8], expected: &Expected<'_>) -> CheckRun {
    let mut steps = Steps::new();
    let result = found_and_checked(xml, expected, &mut steps);
    CheckRun { steps: steps.finish(), result }
}

/// [`run_form`] with the steps at hand.
pub(super) fn posted_and_checked(
    form: Option<&[u8]>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<Answer, Failure> {
    posted(form, steps).and_then(|xml| checked(&xml, expected, steps))
}

/// [`run`] with the steps at hand.
pub(super) fn found_and_checked(
    xml: &[u8],
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<Answer, Failure> {
    steps.take(CheckId::Form, Outcome::not_applicable("no form"))?;
    checked(xml, expected, steps)
}

/// What a root's start tag may be: honest ones are a few hundred octets.
const START_TAG: Limits = Limits { octets: 16 * 1024, ..Limits::message() };

/// The InResponseTo of a Response that nobody has verified yet: good for finding a login, and for nothing else.
///
/// Only the root's start tag is read: this runs before anything is known of who sends, on the thread that serves connections, so that it
/// must cost no more than a look through the octets. [`checked`] then reads the whole and compares what was signed.
///
/// # Errors
/// [`FailureCode::MessageMalformed`] when it is no Response at all; `Ok(None)` is a Response that answers nothing.
pub(super) fn in_response_to(xml: &[u8]) -> Result<Option<String>, Failure> {
    let malformed = |cause: String| Failure::new(FailureCode::MessageMalformed, cause);
    let root = empty_root(xml).ok_or_else(|| malformed("the message has no root element".to_owned()))?;
    let document = Document::read(&root, START_TAG).map_err(|refused| malformed(refused.to_string()))?;
    let root = document.root();
    if !is_response(root) {
        return Err(malformed("the message is no samlp:Response".to_owned()));
    }
    Ok(root.attribute("InResponseTo").map(str::to_owned))
}

/// Whether so much of a message says all that [`in_response_to`] reads of the whole: it has the root's start tag, or is no XML.
pub(super) fn is_enough(xml: &[u8]) -> bool {
    let text = xml.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(xml).trim_ascii_start();
    text.first().is_some_and(|octet| *octet != b'<') || empty_root(xml).is_some()
}

/// The root's start tag as an element without content. Only white space, comments, processing instructions and an XML declaration are
/// looked past; what comes out for a document that begins otherwise does not read.
fn empty_root(xml: &[u8]) -> Option<Vec<u8>> {
    let mut rest = xml.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(xml).trim_ascii_start();
    loop {
        let past: &[u8] = match rest {
            [b'<', b'?', ..] => b"?>",
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            _ => break,
        };
        let end = rest.windows(past.len()).position(|found| found == past)?;
        rest = rest.get(end + past.len()..)?.trim_ascii_start();
    }
    let mut quote = None;
    let end = rest.iter().position(|octet| match (quote, octet) {
        (None, b'>') => true,
        (None, b'"' | b'\'') => {
            quote = Some(*octet);
            false
        }
        (Some(open), octet) if open == *octet => {
            quote = None;
            false
        }
        _ => false,
    })?;
    let tag = rest.get(..end)?;
    Some([tag.strip_suffix(b"/").unwrap_or(tag), b"/>"].concat())
}

fn posted(form: Option<&[u8]>, steps: &mut Steps) -> Result<Vec<u8>, Failure> {
    let posted =
        form.ok_or(BindingRefused::Nothing).and_then(|form| post::decode(form, MessageParameter::Response));
    let found = posted.as_ref().map_or_else(ToString::to_string, |_| "one".to_owned());
    steps.take(
        CheckId::Form,
        Outcome::of(posted.is_ok(), FailureCode::MessageMalformed, "one SAMLResponse", found),
    )?;
    posted
        .map(|posted| posted.xml)
        .map_err(|refused| Failure::new(FailureCode::MessageMalformed, refused.to_string()))
}

/// Who was authenticated, and the mark of the message.
pub(super) type Answer = (Verified<AuthenticationResult>, OneTimeUse);
/// The result and the mark, out of one verified message.
type Proven = Verified<(AuthenticationResult, OneTimeUse)>;

fn checked(xml: &[u8], expected: &Expected<'_>, steps: &mut Steps) -> Result<Answer, Failure> {
    let document = readable(xml, steps)?;
    let root = document.root();
    steps.take(CheckId::ResponseElement, response::element(root))?;
    steps.take(CheckId::SignaturePlace, signature::place(root))?;
    let keys = &expected.provider.signing_keys;
    let (outcome, signed) = signature::verified(root, keys, &steps.algorithms());
    steps.take(CheckId::ResponseSignature, outcome)?;
    let proven = match signed {
        Some(signed) => signed_response(signed, root, expected, steps)?,
        None => signed_assertion(root, expected, steps)?,
    };
    let once = proven.value().1.clone();
    Ok((proven.map(|(result, _)| result), once))
}

/// The Response is signed: everything is read from its canonical octets, or from what they hold encrypted. An assertion in it that is
/// signed as well must verify, too.
fn signed_response(
    signed: Verified<SignedElement>,
    received: Element<'_>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<Proven, Failure> {
    let document = canonical(signed.value())?;
    let response = Response::read(document.root());
    let carried = envelope(&response, true, expected, steps)?;
    let decrypted = opened(carried, Enclosing::Signed(&signed), expected, steps)?;
    let assertion = decrypted.as_ref().map_or(carried, Decrypted::element);
    let said = covered(received, decrypted.as_ref(), expected, steps)
        .and_then(|()| identity(&Assertion::read(assertion), expected, steps));
    let said = said.map_err(|failure| match (&decrypted, steps.last()) {
        (Some(decrypted), Some(broken)) => encryption::veiled(decrypted, broken, failure),
        _ => failure,
    });
    // `assertion` lies in the octets of `signed`, or was deciphered out of them.
    signed.try_map(|signed| said.map(|said| by_key(said, &signed)))
}

/// A signature of the assertion itself, in a Response that is signed.
fn covered(
    received: Element<'_>,
    decrypted: Option<&Decrypted>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<(), Failure> {
    // The signature of an assertion in the open is verified where it came: the prefixes that it lists may be declared outside the
    // assertion. The Response's own signature covers the same element, so nothing can stand here that does not stand in the canonical
    // octets.
    let came = match decrypted {
        Some(decrypted) => Some(decrypted.element()),
        None => Response::read(received).assertions().next(),
    };
    let is_signed = came.is_some_and(is_signed);
    steps.take(
        CheckId::SignaturePresent,
        signature::present(true, is_signed, expected.settings.require_signed_response),
    )?;
    let outcome = match came {
        Some(came) => signature::verified(came, &expected.provider.signing_keys, &steps.algorithms()).0,
        None => Outcome::not_applicable("no signature"),
    };
    steps.take(CheckId::AssertionSignature, outcome)
}

/// The Response is not signed: it can only fail the login. The person is read from the assertion's canonical octets.
fn signed_assertion(
    received: Element<'_>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<Proven, Failure> {
    let response = Response::read(received);
    let carried = envelope(&response, false, expected, steps)?;
    let decrypted = opened(carried, Enclosing::Unsigned, expected, steps)?;
    let came = decrypted.as_ref().map_or(carried, Decrypted::element);
    steps.take(
        CheckId::SignaturePresent,
        signature::present(false, is_signed(came), expected.settings.require_signed_response),
    )?;
    let (outcome, signed) = signature::verified(came, &expected.provider.signing_keys, &steps.algorithms());
    steps.take(CheckId::AssertionSignature, outcome)?;
    let signed = signed.ok_or(FailureCode::SignatureMissing)?;
    signed.try_map(|signed| {
        let document = canonical(&signed)?;
        let said = identity(&Assertion::read(document.root()), expected, steps)?;
        Ok(by_key(said, &signed))
    })
}

/// The result with the key that verified it: so that a suspension of that key still ends the login later on.
fn by_key(
    (result, once): (AuthenticationResult, OneTimeUse),
    signed: &SignedElement,
) -> (AuthenticationResult, OneTimeUse) {
    let key = Some(KeyFingerprint::new(*signed.key().as_bytes()));
    (AuthenticationResult { key, ..result }, once)
}

/// The assertion that `carried` holds encrypted, if it is.
fn opened(
    carried: Element<'_>,
    enclosing: Enclosing<'_>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<Option<Decrypted>, Failure> {
    let demands_response = expected.settings.require_signed_response;
    let (outcome, decrypted) = encryption::opened(carried, expected.decryption, enclosing, demands_response);
    steps.take(CheckId::Decryption, outcome)?;
    Ok(decrypted)
}

fn readable(xml: &[u8], steps: &mut Steps) -> Result<Document, Failure> {
    let document = Document::read(xml, Limits::message());
    let found = document.as_ref().map_or_else(ToString::to_string, |_| "such a document".to_owned());
    steps.take(
        CheckId::Readable,
        Outcome::of(document.is_ok(), FailureCode::MessageMalformed, "well-formed XML without a DTD", found),
    )?;
    document.map_err(|refused| Failure::new(FailureCode::MessageMalformed, refused.to_string()))
}

/// The octets that were signed, read anew.
fn canonical(signed: &SignedElement) -> Result<Document, Failure> {
    signed.document().map_err(|refused| {
        Failure::new(FailureCode::SignatureInvalid, format!("what was signed does not read: {refused}"))
    })
}

/// The envelope's rules, in order; gives the one assertion, which may be encrypted.
fn envelope<'d>(
    response: &Response<'d>,
    is_signed: bool,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<Element<'d>, Failure> {
    let settings = expected.settings;
    steps.take(CheckId::ResponseVersion, response::version(response.version))?;
    let may_be_absent = steps.request_may_be_absent();
    let outcome = response::in_response_to(response.in_response_to, &expected.sent.id, may_be_absent);
    steps.take(CheckId::InResponseTo, outcome)?;
    steps.take(CheckId::ResponseIssuer, response::issuer(response, expected.provider_id(), is_signed))?;
    steps.take(CheckId::Destination, response::destination(response, &settings.acs_url, is_signed))?;
    steps.take(CheckId::ResponseIssueInstant, response::issue_instant(response, expected.clock()))?;
    steps.take(CheckId::Status, response::status(response))?;
    steps.take(CheckId::AssertionCount, response::assertion_count(response))?;
    let mut carried = response.assertions().chain(response.encrypted_assertions());
    carried.next().ok_or_else(|| FailureCode::AssertionCount.into())
}

/// The assertion's rules, in order, and what it says of the person.
fn identity(
    assertion: &Assertion<'_>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<(AuthenticationResult, OneTimeUse), Failure> {
    let clock = expected.clock();
    steps.note(|| Noted::of(assertion));
    steps.take(CheckId::AssertionVersion, response::version(assertion.version))?;
    steps.take(CheckId::AssertionIdentifier, assertion::identifier(assertion))?;
    steps.take(CheckId::AssertionIssuer, assertion::issuer(assertion, expected.provider_id()))?;
    steps.take(CheckId::AssertionIssueInstant, assertion::issue_instant(assertion, clock))?;
    steps.take(CheckId::EncryptedParts, assertion::encrypted_parts(assertion))?;
    let confirmed_until = confirmed(assertion, expected, steps)?;
    let passing_on = restricted(assertion, expected, steps)?;
    let authentication = authenticated(assertion, expected, steps)?;
    steps.take(CheckId::AttributeStatement, assertion::attribute_statements(assertion))?;

    let Said { attributes, ambiguous } = attributes::read(assertion.attribute_statements());
    steps.take(CheckId::AttributeNames, assertion::attribute_names(ambiguous))?;
    let mut subjects = attributes::subject_candidates(&attributes);
    let named = assertion.subject().and_then(name_id);
    subjects.extend(named.and_then(|id| id.candidate(expected.provider_id(), &expected.settings.entity_id)));
    let once = one_time_use(assertion, confirmed_until, expected)?;
    let Authentication { at, session_ends, assurance, authorities } = authentication;
    let result = AuthenticationResult {
        provider: expected.provider.policy.id.clone(),
        // Whoever verified the octets that this was read from says by which key.
        key: None,
        subjects,
        attributes,
        assurance: Some(assurance),
        authenticated_at: at,
        session_ends,
        authorities,
        passing_on,
    };
    Ok((result, once))
}

/// The subject's rules; gives the latest time until which the assertion could be presented.
fn confirmed(
    assertion: &Assertion<'_>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<Timestamp, Failure> {
    steps.take(CheckId::Subject, subject::subject(assertion))?;
    steps.take(CheckId::NameId, subject::name_id(assertion, &expected.settings.own_names))?;
    let (outcome, mut data) = subject::bearer(assertion);
    steps.take(CheckId::Bearer, outcome)?;
    steps.take(CheckId::Recipient, subject::recipient(&mut data, &expected.settings.acs_url))?;
    let may_be_absent = steps.request_may_be_absent();
    let outcome = subject::in_response_to(&mut data, &expected.sent.id, may_be_absent);
    steps.take(CheckId::ConfirmationInResponseTo, outcome)?;
    steps.take(CheckId::ConfirmationNotBefore, subject::not_before(&mut data))?;
    steps.take(CheckId::ConfirmationNotOnOrAfter, subject::not_on_or_after(&mut data, expected.clock()))?;
    data.into_iter().filter_map(subject::end_of).max().ok_or_else(|| FailureCode::SubjectConfirmation.into())
}

/// The conditions; gives how far the assertion may be passed on.
fn restricted(
    assertion: &Assertion<'_>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<PassingOn, Failure> {
    let clock = expected.clock();
    let (outcome, conditions) = conditions::conditions(assertion);
    steps.take(CheckId::Conditions, outcome)?;
    let conditions = conditions.ok_or(FailureCode::AudienceMismatch)?;
    steps.take(CheckId::NotBefore, conditions::not_before(conditions, clock))?;
    steps.take(CheckId::NotOnOrAfter, conditions::not_on_or_after(conditions, clock))?;
    steps.take(CheckId::Interval, conditions::interval(conditions))?;
    steps.take(CheckId::KnownConditions, conditions::known(conditions))?;
    let may_be_absent = steps.audience_may_be_absent();
    let outcome = conditions::audience(conditions, &expected.settings.entity_id, may_be_absent);
    steps.take(CheckId::Audience, outcome)?;
    steps.take(CheckId::OneTimeUse, conditions::one_time_use(conditions))?;
    let (outcome, passing_on) = conditions::proxy_restriction(conditions);
    steps.take(CheckId::ProxyRestriction, outcome)?;
    Ok(passing_on)
}

struct Authentication {
    at: Timestamp,
    session_ends: Option<Timestamp>,
    assurance: broker_core::assurance::Assurance,
    authorities: Vec<String>,
}

fn authenticated(
    assertion: &Assertion<'_>,
    expected: &Expected<'_>,
    steps: &mut Steps,
) -> Result<Authentication, Failure> {
    let clock = expected.clock();
    let (outcome, statement) = authentication::statement(assertion);
    steps.take(CheckId::AuthnStatement, outcome)?;
    let statement = statement.ok_or(FailureCode::AuthnStatement)?;
    let (outcome, at) = authentication::instant(statement, clock);
    steps.take(CheckId::AuthnInstant, outcome)?;
    let at = at.ok_or(FailureCode::AuthnStatement)?;
    steps.take(CheckId::Fresh, authentication::fresh(at, expected.sent))?;
    let (outcome, session_ends) = authentication::session_end(statement, clock);
    steps.take(CheckId::SessionNotOnOrAfter, outcome)?;
    let (outcome, assurance) = authentication::context(statement);
    steps.take(CheckId::AuthnContext, outcome)?;
    let assurance = assurance.ok_or(FailureCode::AuthnStatement)?;
    steps.take(CheckId::AuthnContextAsked, authentication::context_asked(&assurance, expected.sent))?;
    steps.take(
        CheckId::AuthnContextRegistered,
        authentication::context_registered(&assurance, &expected.provider.policy),
    )?;
    let (outcome, authorities) = authentication::authorities(statement, &expected.settings.own_names);
    steps.take(CheckId::Authorities, outcome)?;
    Ok(Authentication { at, session_ends, assurance, authorities })
}

/// The mark that makes a second use visible on every node (SAML Profiles 4.1.4.5; SC-DP 6.3). It is kept until the assertion could no
/// longer pass: the confirmation's end, or the age at which IssueInstant refuses it, whichever comes first.
fn one_time_use(
    assertion: &Assertion<'_>,
    confirmed_until: Timestamp,
    expected: &Expected<'_>,
) -> Result<OneTimeUse, Failure> {
    let id = assertion.id.ok_or(FailureCode::MessageMalformed)?;
    let issued =
        assertion.issue_instant.and_then(Timestamp::from_rfc3339).ok_or(FailureCode::MessageMalformed)?;
    let settings = expected.settings;
    let until =
        confirmed_until.min(issued.plus(settings.message_lifetime_seconds)).plus(settings.skew_seconds);
    let mut name = Vec::new();
    for part in ["saml assertion", expected.provider_id(), id] {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    Ok(OneTimeUse { name, until })
}
