//! What the API answers with, as types: the same ones are serialised and described in the OpenAPI document, so that neither says what the other does not.

use std::collections::BTreeMap;

use broker_core::{
    moment::Timestamp,
    organisation::{LocalText, Organisation},
};
use metadata::{
    desk::{Actor, Awaiting, Proposal, Right, State, Token},
    lint,
    revision::{EntryId, difference::Sentence},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An answer as JSON.
pub(super) fn written(answer: &impl Serialize) -> String {
    // Plain data with text for names: it can always be written.
    serde_json::to_string(answer).unwrap_or_default()
}

/// Where in a file. All members absent: the file as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Place {
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// The character within the line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    /// A JSON pointer (RFC 6901).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}

/// How bad a breach is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Badness {
    /// The file is refused.
    Error,
    /// It works, but not as well as it should, or not for long.
    Warning,
    /// Worth knowing.
    Note,
}

/// What, why and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct FindingWords {
    /// What is wrong.
    what: String,
    /// Why it matters.
    why: String,
    /// How to mend it.
    fix: String,
}

/// A breach of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Finding {
    /// The rule's stable name.
    rule: String,
    /// How bad it is, in the profiles that the file was judged by.
    severity: Badness,
    /// Which of these have the rule; absent where it is the base alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    profiles: Vec<String>,
    /// Where the rule comes from: a specification and its section, or a decision.
    #[serde(default)]
    source: String,
    /// Where in the file.
    #[serde(default)]
    place: Place,
    /// The party that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// What stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<String>,
    /// What should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    /// In Swedish.
    sv: FindingWords,
    /// In English.
    en: FindingWords,
}

impl Finding {
    /// Those of a report, the worst first.
    pub(super) fn all(report: &lint::Report) -> Vec<Self> {
        let mut findings: Vec<_> = report.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings.into_iter().filter_map(Self::of).collect()
    }

    /// One, as its own JSON says it: a test shows that every rule's has this form.
    fn of(finding: &impl Serialize) -> Option<Self> {
        serde_json::to_value(finding).and_then(serde_json::from_value).ok()
    }

    /// The rule's name.
    pub(super) fn rule(&self) -> &str {
        &self.rule
    }

    pub(super) fn is_error(&self) -> bool {
        self.severity == Badness::Error
    }
}

/// What becomes of an entry, in words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct EntryChange {
    /// Whose entry: the kind, a colon, and the entity ID or `client_id`.
    entry: String,
    /// One sentence for each thing that changes.
    sentences: Vec<Told>,
}

/// One sentence.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Told {
    /// What it is about: `key_added`, `endpoint`, `scope` ...
    about: String,
    /// In Swedish.
    sv: String,
    /// In English.
    en: String,
}

impl EntryChange {
    pub(super) fn all(words: &[(EntryId, Vec<Sentence>)]) -> Vec<Self> {
        let told = |sentence: &Sentence| Told {
            about: serde_json::to_value(sentence.kind)
                .ok()
                .and_then(|kind| kind.as_str().map(str::to_owned))
                .unwrap_or_default(),
            sv: sentence.sv.clone(),
            en: sentence.en.clone(),
        };
        words
            .iter()
            .map(|(id, sentences)| Self {
                entry: id.to_string(),
                sentences: sentences.iter().map(told).collect(),
            })
            .collect()
    }
}

/// What came of a file that the rules take.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Submitted {
    /// The proposal that it became; absent after `dry_run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proposal: Option<ProposalSummary>,
    /// What was found, the worst first: no error, perhaps warnings and notes.
    pub(super) findings: Vec<Finding>,
    /// What it would change, in words.
    pub(super) changes: Vec<EntryChange>,
    /// Why two other people must approve it, each with the safe order of steps; empty: one is enough.
    pub(super) holds: Vec<Finding>,
    /// A client secret that was made for the relying party. It is shown this once, and works when the proposal is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<MadeSecret>,
}

/// A secret and whose it is.
#[derive(Serialize, JsonSchema)]
pub(super) struct MadeSecret {
    /// Whose.
    pub(super) client_id: String,
    /// The secret.
    pub(super) client_secret: String,
}

impl std::fmt::Debug for MadeSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeSecret").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Person {
    /// How they came in.
    by: Way,
    /// Their name; not told of the federation operator's staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// How somebody came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// The federation operator.
    Operator,
    /// The API.
    Token,
    /// The page for operators.
    Invitation,
}

impl From<&Actor> for Person {
    fn from(actor: &Actor) -> Self {
        let by = match actor {
            Actor::Operator { .. } => return Self { by: Way::Operator, name: None },
            Actor::Token { .. } => Way::Token,
            Actor::Invitation { .. } => Way::Invitation,
        };
        Self { by, name: Some(actor.name().to_owned()) }
    }
}

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProposalState {
    /// Its author keeps it; nobody is asked yet.
    Draft,
    /// It waits for approval.
    Validated,
    /// It has the approvals that it needed when the last was given, and waits to be published.
    Approved,
    /// It is live.
    Published,
    /// What it would change has been changed since.
    Superseded,
    /// Its author took it back.
    Withdrawn,
    /// Somebody else said no.
    Declined,
}

impl From<&State> for ProposalState {
    fn from(state: &State) -> Self {
        match state {
            State::Draft => Self::Draft,
            State::Validated => Self::Validated,
            State::Approved => Self::Approved,
            State::Published { .. } => Self::Published,
            State::Superseded { .. } => Self::Superseded,
            State::Withdrawn => Self::Withdrawn,
            State::Declined { .. } => Self::Declined,
        }
    }
}

/// A proposal in short.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct ProposalSummary {
    /// Its number.
    number: u64,
    /// Where it stands.
    state: ProposalState,
    /// The revision that it became, or that overtook it.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    /// Why it was declined, in the words of whoever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who made it.
    author: Person,
    /// Whether that is you.
    is_own: bool,
    /// When.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// The entries that it changes.
    entries: Vec<String>,
    /// What its author says of it.
    note: String,
}

impl ProposalSummary {
    pub(super) fn of(proposal: &Proposal, reader: &Actor) -> Self {
        let (revision, reason) = match &proposal.state {
            State::Published { revision } => (Some(*revision), None),
            State::Superseded { by } => (Some(*by), None),
            State::Declined { reason } => (None, Some(reason.clone())),
            State::Draft | State::Validated | State::Approved | State::Withdrawn => (None, None),
        };
        Self {
            number: proposal.id,
            state: (&proposal.state).into(),
            revision,
            reason,
            author: (&proposal.author).into(),
            is_own: proposal.author.is_same_person(reader),
            at: proposal.at.to_rfc3339(),
            entries: proposal.before.keys().map(ToString::to_string).collect(),
            note: proposal.note.clone(),
        }
    }
}

/// The proposals of an organisation.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Proposals {
    /// The newest first.
    pub(super) proposals: Vec<ProposalSummary>,
}

/// Everything about a proposal. Its ETag changes with it, and with the reasons for which it is held.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProposalDetail {
    /// In short.
    #[serde(flatten)]
    pub(super) summary: ProposalSummary,
    /// The number of the revision that it was made against.
    pub(super) base: u64,
    /// What was found: of an open one by the rules of now, else as it was shown.
    pub(super) findings: Vec<Finding>,
    /// What it would change, in words; of one that is closed, nothing.
    pub(super) changes: Vec<EntryChange>,
    /// Why two other people must approve it.
    pub(super) holds: Vec<Finding>,
    /// What it still needs.
    pub(super) awaits: Awaits,
    /// Who has approved.
    pub(super) approvals: Vec<Happening>,
    /// What has happened to it, the first first.
    pub(super) history: Vec<Happening>,
}

/// What a proposal still needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Awaits {
    /// Nothing any more: it is closed.
    Closed,
    /// To be published.
    Publication,
    /// The approval of another person than its author.
    Approval,
    /// The approval of two other people who have seen why it is held.
    TwoApprovals,
    /// That of one more.
    SecondApproval,
}

impl Awaits {
    pub(super) fn of(awaiting: &Awaiting) -> Self {
        match awaiting {
            Awaiting::Nothing => Self::Publication,
            Awaiting::Approval => Self::Approval,
            Awaiting::SecondApproval { more: 0 | 1, .. } => Self::SecondApproval,
            Awaiting::SecondApproval { .. } => Self::TwoApprovals,
        }
    }
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Happening {
    /// What: `made`, `approved`, `published` ...
    pub(super) what: String,
    /// When.
    #[schemars(extend("format" = "date-time"))]
    pub(super) at: String,
    /// By whom; absent: by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<Person>,
}

impl ProposalDetail {
    /// `findings` and `holds` are those of now for an open one.
    pub(super) fn happenings(proposal: &Proposal) -> (Vec<Happening>, Vec<Happening>) {
        let approvals = proposal.approvals.iter().map(|approval| Happening {
            what: "approved".to_owned(),
            at: approval.at.to_rfc3339(),
            by: Some((&approval.by).into()),
        });
        let history = proposal.history.iter().map(|event| Happening {
            what: serde_json::to_value(&event.what)
                .ok()
                .and_then(|what| what.get("happened").and_then(|name| name.as_str().map(str::to_owned)))
                .unwrap_or_default(),
            at: event.at.to_rfc3339(),
            by: event.by.as_ref().map(Person::from),
        });
        (approvals.collect(), history.collect())
    }
}

/// What came of an approval.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Approved {
    /// What the proposal still needs.
    pub(super) awaits: Awaits,
}

/// A proposal is live.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Published {
    /// As this revision, on every node within two seconds.
    pub(super) revision: u64,
}

/// Why a proposal is declined.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decline {
    /// Why; its author reads it.
    #[schemars(length(min = 1, max = 2000))]
    pub(super) reason: String,
}

/// The right of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenRight {
    /// Make proposals, and withdraw one's own.
    Propose,
    /// Also approve, decline and publish proposals of others. Nobody publishes alone.
    Publish,
}

impl From<Right> for TokenRight {
    fn from(right: Right) -> Self {
        match right {
            Right::Propose => Self::Propose,
            Right::Publish => Self::Publish,
        }
    }
}

/// Who you are here.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TokenFacts {
    /// The token's name, which is no secret.
    id: String,
    /// For whom it speaks.
    organisation: String,
    /// What it may do.
    right: TokenRight,
    /// Whose it is.
    holder: String,
    /// What its holder calls it.
    label: String,
    /// When it was issued.
    #[schemars(extend("format" = "date-time"))]
    issued: String,
    /// When it ends.
    #[schemars(extend("format" = "date-time"))]
    expires: String,
    /// When its secret was last renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    rotated: Option<String>,
}

impl From<&Token> for TokenFacts {
    fn from(token: &Token) -> Self {
        Self {
            id: token.id.clone(),
            organisation: token.organisation.to_string(),
            right: token.right.into(),
            holder: token.holder.clone(),
            label: token.label.clone(),
            issued: token.at.to_rfc3339(),
            expires: token.expires.to_rfc3339(),
            rotated: token.rotated.map(Timestamp::to_rfc3339),
        }
    }
}

/// A token's new secret, shown this once. The old one opens nothing any more.
#[derive(Serialize, JsonSchema)]
pub(super) struct RotatedToken {
    /// The whole token, to be sent from now on.
    #[schemars(regex(pattern = "^spv_[0-9a-f]{12}_[0-9a-f]{48}$"))]
    pub(super) token: String,
    /// When it ends: when the old one would have.
    #[schemars(extend("format" = "date-time"))]
    pub(super) expires: String,
}

impl std::fmt::Debug for RotatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RotatedToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// The organisation's record: what bounds its metadata and its assertions. The federation operator alone changes it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OrganisationRecord {
    /// Organisation number, ten digits.
    number: String,
    /// Registered names, by language.
    name: BTreeMap<String, String>,
    /// Domains that are proven: entity IDs, endpoints and return addresses lie within them.
    domains: Vec<String>,
    /// Scopes that its providers may assert.
    scopes: Vec<String>,
    /// Beginnings of HSA-ids that they may assert.
    hsa_prefixes: Vec<String>,
    /// The highest levels of assurance that they may assert.
    ceiling: Vec<String>,
    /// Identity-bearing attributes beyond these that they may assert.
    may_assert: Vec<String>,
    /// Attributes that its relying parties may be given.
    entitled: Vec<String>,
}

impl From<&Organisation> for OrganisationRecord {
    fn from(record: &Organisation) -> Self {
        let texts = |values: &std::collections::BTreeSet<String>| values.iter().cloned().collect();
        let keys = |names: &std::collections::BTreeSet<broker_core::attribute::AttributeName>| {
            names.iter().map(|name| name.key().to_owned()).collect()
        };
        Self {
            number: record.number.to_string(),
            name: by_language(&record.name),
            domains: texts(&record.domains),
            scopes: texts(&record.scopes),
            hsa_prefixes: texts(&record.hsa_prefixes),
            ceiling: record.ceiling.iter().map(|level| level.as_str().to_owned()).collect(),
            may_assert: keys(&record.may_assert),
            entitled: keys(&record.entitled),
        }
    }
}

pub(super) fn by_language(text: &LocalText) -> BTreeMap<String, String> {
    text.0.iter().map(|(language, words)| (language.as_str().to_owned(), words.clone())).collect()
}
