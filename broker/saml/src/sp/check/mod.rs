//! The rules that an answer must keep: their list, and what came of each.
//!
//! | file | rules about |
//! |---|---|
//! | `signature.rs` | who signed what |
//! | `response.rs` | the envelope |
//! | `encryption.rs` | what is encrypted |
//! | `assertion.rs` | the assertion's own frame |
//! | `subject.rs` | who may present it: subject confirmation |
//! | `conditions.rs` | when, to whom, and what for |
//! | `authentication.rs` | how and when the person was authenticated |
//!
//! One function per rule; each gives an `Outcome`, and `response.rs` above runs them in the order of [`CheckId::ALL`]. The same code
//! serves a login and the operator's look at a file, so the two cannot differ. Nothing here holds a value of an attribute or a NameID.

pub(super) mod assertion;
pub(super) mod authentication;
pub(super) mod conditions;
pub(super) mod encryption;
pub(super) mod response;
pub(super) mod signature;
pub(super) mod subject;

use std::borrow::Cow;

use broker_core::{
    failure::{Failure, FailureCode},
    moment::Timestamp,
    result::{AuthenticationResult, OneTimeUse},
};
use certs::AlgorithmPolicy;
use certs_proof::Verified;

use super::inspect::Noted;

macro_rules! checks {
    ($($variant:ident, $id:literal, $spec:literal, $rule:literal;)*) => {
        /// Every rule, in the order in which they are looked at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CheckId {
            $(#[doc = concat!($rule, " (", $spec, ")")] $variant,)*
        }

        impl CheckId {
            /// Every rule, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name, for logs, reports and documentation.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// Where the rule comes from.
            #[must_use]
            pub fn spec(self) -> &'static str {
                match self { $(Self::$variant => $spec,)* }
            }

            /// The rule in one English sentence.
            #[must_use]
            pub fn rule(self) -> &'static str {
                match self { $(Self::$variant => $rule,)* }
            }
        }
    };
}

checks! {
    Form, "form", "SAML Bindings 3.5.4", "The form holds one SAMLResponse in Base64.";
    Readable, "xml", "SC-DP 6.2; XML 1.0, Namespaces in XML 1.0", "The message is well-formed XML of a bounded size, without a DTD.";
    ResponseElement, "response.element", "SAML Core 3.3.3", "The message is a samlp:Response.";
    SignaturePlace, "signature.place", "SAML Core 5.4.1, 5.4.2", "Signatures stand directly inside the Response or its assertion, nowhere else.";
    ResponseSignature, "signature.response", "SAML Core 5.4; SC-DP 6.1, 6.3.1, 8", "A signature of the Response is by a registered key of the provider, over exactly this Response.";
    ResponseVersion, "response.version", "SAML Core 3.2.2", "The Response is SAML 2.0.";
    InResponseTo, "response.in_response_to", "SAML Profiles 4.1.4.3; SC-DP 6.3.2", "The Response answers the request of this login.";
    ResponseIssuer, "response.issuer", "SAML Profiles 4.1.4.2", "The Issuer of the Response, if there is one, is the provider that this login was sent to.";
    Destination, "response.destination", "SAML Bindings 3.5.5.2", "The Destination is our address; a signed Response must have one.";
    ResponseIssueInstant, "response.issue_instant", "SAML Core 3.2.2; SC-DP 6.3.5", "The Response was made just now.";
    Status, "response.status", "SAML Core 3.2.2.2", "The status is Success.";
    AssertionCount, "assertion.count", "SC-DP 6.2; SAML Profiles 4.1.4.2", "The Response carries exactly one assertion, directly inside.";
    Decryption, "assertion.decrypted", "SC-DP 6.1; SAML Core 2.3.4, 6; XML Encryption 1.1 5", "An encrypted assertion opens with a key of ours; in a cipher without integrity of its own, only inside a signed Response.";
    SignaturePresent, "signature.present", "SAML Profiles 4.1.4.5; SC-DP 6.1", "The Response or its assertion is signed; the Response, where the federation demands it.";
    AssertionSignature, "signature.assertion", "SAML Core 5.4; SC-DP 6.3.1, 8", "A signature of the assertion is by a registered key of the provider, over exactly this assertion.";
    AssertionVersion, "assertion.version", "SAML Core 2.3.3", "The assertion is SAML 2.0.";
    AssertionIdentifier, "assertion.id", "SAML Core 1.3.4, 2.3.3", "The assertion has an ID, so that a second use can be seen.";
    AssertionIssuer, "assertion.issuer", "SAML Profiles 4.1.4.2", "The Issuer of the assertion is the provider that this login was sent to.";
    AssertionIssueInstant, "assertion.issue_instant", "SAML Core 2.3.3; SC-DP 6.3.5", "The assertion was made just now.";
    EncryptedParts, "assertion.encrypted_parts", "SC-DP 6.1", "No part of the assertion is encrypted by itself: the whole may be, or nothing.";
    Subject, "subject", "SAML Core 2.4.1; SAML Profiles 4.1.4.2", "The assertion has one Subject: an identifier at most, then confirmations.";
    NameId, "subject.name_id", "SAML Core 8.3.7, 8.3.8", "A persistent or transient NameID was made for us.";
    Bearer, "subject.bearer", "SAML Profiles 4.1.4.2", "A SubjectConfirmation is of the method bearer and has its data.";
    Recipient, "subject.recipient", "SAML Profiles 4.1.4.2, 4.1.4.3", "The Recipient of a bearer confirmation is our address.";
    ConfirmationInResponseTo, "subject.in_response_to", "SAML Profiles 4.1.4.2, 4.1.4.3", "That confirmation answers the request of this login.";
    ConfirmationNotBefore, "subject.not_before", "SAML Profiles 4.1.4.2", "That confirmation has no NotBefore.";
    ConfirmationNotOnOrAfter, "subject.not_on_or_after", "SAML Profiles 4.1.4.2, 4.1.4.3", "That confirmation has a NotOnOrAfter that has not passed.";
    Conditions, "conditions", "SAML Core 2.5.1; SAML Profiles 4.1.4.2", "The assertion has one Conditions element.";
    NotBefore, "conditions.not_before", "SAML Core 2.5.1.2", "NotBefore of the Conditions has passed.";
    NotOnOrAfter, "conditions.not_on_or_after", "SAML Core 2.5.1.2", "NotOnOrAfter of the Conditions has not passed.";
    Interval, "conditions.interval", "SAML Core 2.5.1.2", "NotBefore of the Conditions is earlier than their NotOnOrAfter.";
    KnownConditions, "conditions.known", "SAML Core 2.5.1, 2.5.1.3", "Every condition is one that we understand.";
    Audience, "conditions.audience", "SAML Core 2.5.1.4; SAML Profiles 4.1.4.2", "There is an AudienceRestriction, and each one names us.";
    OneTimeUse, "conditions.one_time_use", "SAML Core 2.5.1.5", "OneTimeUse is said once at most; we keep it always.";
    ProxyRestriction, "conditions.proxy_restriction", "SAML Core 2.5.1.6", "The assertion may be passed on.";
    AuthnStatement, "authn.statement", "SC-DP 6.2; SAML Profiles 4.1.4.2", "There is exactly one AuthnStatement.";
    AuthnInstant, "authn.instant", "SAML Core 2.7.2; SC-DP 6.2", "AuthnInstant is a time that is not in the future.";
    Fresh, "authn.fresh", "SC-DP 6.3.6; SAML Core 3.4.1", "The person was authenticated as recently as was asked for (ForceAuthn, max_age).";
    SessionNotOnOrAfter, "authn.session_not_on_or_after", "SAML Core 2.7.2", "SessionNotOnOrAfter, if there is one, has not passed.";
    AuthnContext, "authn.context", "SAML Core 2.7.2.2; SC-DP 6.2", "There is exactly one AuthnContextClassRef.";
    AuthnContextAsked, "authn.context_asked", "SC-DP 6.3.4", "The AuthnContextClassRef is one that was asked for.";
    AuthnContextRegistered, "authn.context_registered", "SC-DP 2.1.3; SC-RULES 1.2.3", "The level is one that the provider is registered for, within what its organisation may assert.";
    Authorities, "authn.authorities", "SAML Core 2.7.2.2", "No name of ours is among the authorities behind the provider: that would be a loop.";
    AttributeStatement, "attributes.statement", "SC-DP 6.2", "There is at most one AttributeStatement.";
    AttributeNames, "attributes.names", "SC-ATTR 3.1; SAML Core 2.7.3.1", "An attribute that comes under several of its names has the same values under each.";
}

/// What came of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is kept.
    Passed,
    /// It is broken; nothing after it was looked at.
    Failed(FailureCode),
    /// It does not concern this message.
    NotApplicable,
    /// An earlier rule was broken.
    NotReached,
}

/// One rule and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckStep {
    /// Which rule.
    pub id: CheckId,
    /// What came of it.
    pub verdict: Verdict,
    /// What the rule wants to see; empty where it was not reached.
    pub expected: Cow<'static, str>,
    /// What there was; empty where it was not reached.
    pub found: String,
}

/// Every rule in order with what came of it, and the result.
#[derive(Debug)]
pub struct CheckRun {
    /// One step for each of [`CheckId::ALL`], in that order.
    pub steps: Vec<CheckStep>,
    /// Who was authenticated and the mark of the message, or the rule that was broken.
    pub result: Result<(Verified<AuthenticationResult>, OneTimeUse), Failure>,
}

/// What one rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) expected: Cow<'static, str>,
    pub(super) found: String,
}

impl Outcome {
    /// Kept, or broken with `code`.
    pub(super) fn of(
        holds: bool,
        code: FailureCode,
        expected: impl Into<Cow<'static, str>>,
        found: impl AsRef<str>,
    ) -> Self {
        let verdict = if holds { Verdict::Passed } else { Verdict::Failed(code) };
        Self { verdict, expected: expected.into(), found: shortened(found.as_ref()) }
    }

    /// The rule does not concern this message.
    pub(super) fn not_applicable(found: impl AsRef<str>) -> Self {
        Self {
            verdict: Verdict::NotApplicable,
            expected: Cow::Borrowed(""),
            found: shortened(found.as_ref()),
        }
    }
}

/// What a peer wrote, short enough for a log line and without control characters.
fn shortened(written: &str) -> String {
    const LONGEST: usize = 200;
    let mut text: String = written
        .chars()
        .take(LONGEST)
        .map(|character| if character.is_control() { '\u{FFFD}' } else { character })
        .collect();
    if text.len() < written.len() {
        text.push('…');
    }
    text
}

/// A request's ID as a log may have it: where it begins. The rest is the handle of a login that may still be under way, ours or another's.
fn request_id(id: &str) -> String {
    const SHOWN: usize = 9;
    if id == ABSENT { id.to_owned() } else { id.chars().take(SHOWN).chain(['…']).collect() }
}

/// What to say of a part that is not there.
pub(super) const ABSENT: &str = "nothing";

/// What to say of a part that is not there and would have to be.
pub(super) const LET_PASS: &str = "nothing; let pass in this inspection";

/// What an inspection may let pass and a login never does. Each is a rule of the profile that some providers break; to look past it
/// shows what else is wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// The Response or its confirmation names no request (SAML Profiles 4.1.5). One that is named must be the request of this login.
    pub unsolicited: bool,
    /// There is no AudienceRestriction. One that is there must name us all the same.
    pub no_audience: bool,
    /// Signatures with SHA-1 (SC-DP section 8).
    pub sha1: bool,
}

/// The steps taken so far.
#[derive(Debug, Default)]
pub(super) struct Steps {
    taken: Vec<CheckStep>,
    /// `None`: this is a login.
    inspection: Option<Inspecting>,
}

/// What an inspection has beyond a login.
#[derive(Debug)]
struct Inspecting {
    allowed: Allowed,
    noted: Option<Noted>,
}

impl Steps {
    /// Those of a login.
    pub(super) fn new() -> Self {
        Self { taken: Vec::with_capacity(CheckId::ALL.len()), inspection: None }
    }

    /// Those of an inspection.
    pub(super) fn inspecting(allowed: Allowed) -> Self {
        Self { inspection: Some(Inspecting { allowed, noted: None }), ..Self::new() }
    }

    /// Whether an answer that names no request is looked at further.
    pub(super) fn request_may_be_absent(&self) -> bool {
        self.inspection.as_ref().is_some_and(|inspecting| inspecting.allowed.unsolicited)
    }

    /// Whether an assertion without AudienceRestriction is looked at further.
    pub(super) fn audience_may_be_absent(&self) -> bool {
        self.inspection.as_ref().is_some_and(|inspecting| inspecting.allowed.no_audience)
    }

    /// The signature algorithms that are accepted: SHA-1 in an inspection that asks for it, and in no login, whatever its settings.
    pub(super) fn algorithms(&self) -> AlgorithmPolicy {
        AlgorithmPolicy {
            allow_sha1: self.inspection.as_ref().is_some_and(|inspecting| inspecting.allowed.sha1),
        }
    }

    /// Keeps what an inspection shows of an assertion whose signature held, should it keep every rule.
    pub(super) fn note(&mut self, noted: impl FnOnce() -> Noted) {
        if let Some(inspecting) = &mut self.inspection {
            inspecting.noted = Some(noted());
        }
    }

    /// What was kept.
    pub(super) fn noted(&self) -> Option<&Noted> {
        self.inspection.as_ref()?.noted.as_ref()
    }

    /// Writes down what came of a rule, and goes no further when it is broken.
    pub(super) fn take(&mut self, id: CheckId, outcome: Outcome) -> Result<(), Failure> {
        let Outcome { verdict, expected, found } = outcome;
        let broken = match verdict {
            Verdict::Failed(code) => {
                Some(Failure::new(code, format!("{}: expected {expected}, found {found}", id.as_str())))
            }
            Verdict::Passed | Verdict::NotApplicable | Verdict::NotReached => None,
        };
        self.taken.push(CheckStep { id, verdict, expected, found });
        broken.map_or(Ok(()), Err)
    }

    /// The rule that was looked at last.
    pub(super) fn last(&self) -> Option<CheckId> {
        self.taken.last().map(|step| step.id)
    }

    /// One step for each rule: those that were not reached are said to be.
    pub(super) fn finish(mut self) -> Vec<CheckStep> {
        let reached = self.taken.len();
        self.taken.extend(CheckId::ALL.iter().skip(reached).map(|id| CheckStep {
            id: *id,
            verdict: Verdict::NotReached,
            expected: Cow::Borrowed(""),
            found: String::new(),
        }));
        self.taken
    }
}

/// Our clock, and how far a provider's may be from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) skew: i64,
    pub(super) lifetime: i64,
}

impl Clock {
    /// Whether `instant` has come, for a provider whose clock is at most the skew ahead.
    pub(super) fn has_come(self, instant: Timestamp) -> bool {
        instant <= self.now.plus(self.skew)
    }

    /// Whether `instant` is still ahead, for a provider whose clock is at most the skew behind.
    pub(super) fn is_ahead(self, instant: Timestamp) -> bool {
        instant > self.now.plus(-self.skew)
    }

    /// IssueInstant: there, readable, not in the future, not old.
    pub(super) fn made_just_now(self, instant: Option<&str>) -> Outcome {
        let expected =
            || format!("a time at most {} s before {} (skew {} s)", self.lifetime, self.now, self.skew);
        let (holds, code) = match instant.and_then(Timestamp::from_rfc3339) {
            None => (false, FailureCode::MessageMalformed),
            Some(instant) if !self.has_come(instant) => (false, FailureCode::NotYetValid),
            Some(instant) => (self.is_ahead(instant.plus(self.lifetime)), FailureCode::Expired),
        };
        Outcome::of(holds, code, expected(), instant.unwrap_or(ABSENT))
    }

    /// A start of validity that may be left out.
    pub(super) fn not_before(self, instant: Option<&str>) -> Outcome {
        let Some(written) = instant else { return Outcome::not_applicable(ABSENT) };
        let (holds, code) = match Timestamp::from_rfc3339(written) {
            None => (false, FailureCode::MessageMalformed),
            Some(instant) => (self.has_come(instant), FailureCode::NotYetValid),
        };
        Outcome::of(holds, code, format!("a time not after {} (skew {} s)", self.now, self.skew), written)
    }

    /// An end of validity that may be left out.
    pub(super) fn not_on_or_after(self, instant: Option<&str>) -> Outcome {
        let Some(written) = instant else { return Outcome::not_applicable(ABSENT) };
        let (holds, code) = match Timestamp::from_rfc3339(written) {
            None => (false, FailureCode::MessageMalformed),
            Some(instant) => (self.is_ahead(instant), FailureCode::Expired),
        };
        Outcome::of(holds, code, format!("a time after {} (skew {} s)", self.now, self.skew), written)
    }
}
