//! The pages of the door for operators: one view each, plain data, drawn by the template of its name.
//!
//! Most of what they show comes out of a file that somebody else wrote. Every text of a view loses control characters and direction marks before it
//! is drawn ([`tame`]), whatever it is, so that no view can forget it; escaping is the templates', as everywhere.

use broker_core::{identifier::Language, moment::Timestamp};
use minijinja::{Error, Value};
use serde::Serialize;

use super::{Argument, Html, Pages, TrialFormView, TrialView, content_policy::ContentPolicy, is_turning};

/// A page that asks somebody who is invited to press its button.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct InvitationView {
    /// For whom.
    pub(crate) organisation: String,
    /// Who is invited.
    pub(crate) holder: String,
    /// What for, if that was said.
    pub(crate) purpose: Option<String>,
    /// The link's own text, for the form.
    pub(crate) link: String,
    /// Until when it holds.
    pub(crate) expires: Timestamp,
}

/// What a page says that has nothing else to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperatorMessage {
    /// The link was used in another browser.
    Used,
    /// The invitation's days are over.
    Expired,
    /// The invitation was taken back.
    Revoked,
    /// There is no such link.
    Unknown,
    /// No place is open in this browser.
    Closed,
    /// The holder has left.
    Left,
    /// A form that no page of ours sent.
    Form,
    /// The store is away.
    Away,
    /// There is no such file or change.
    Gone,
    /// What came of a test is shown once.
    Shown,
}

impl OperatorMessage {
    /// All of them.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Used,
        Self::Expired,
        Self::Revoked,
        Self::Unknown,
        Self::Closed,
        Self::Left,
        Self::Form,
        Self::Away,
        Self::Gone,
        Self::Shown,
    ];

    /// The name in its texts.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
            Self::Closed => "closed",
            Self::Left => "left",
            Self::Form => "form",
            Self::Away => "away",
            Self::Gone => "gone",
            Self::Shown => "shown",
        }
    }

    /// Whether there is a way on within the place.
    pub(super) const fn leads_on(self) -> bool {
        matches!(self, Self::Form | Self::Away | Self::Gone | Self::Shown)
    }
}

/// The place: what an organisation has, and what is on its way.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PlaceView {
    /// Whose.
    pub(crate) organisation: String,
    /// Its number.
    pub(crate) number: String,
    /// Who is here.
    pub(crate) holder: String,
    /// Until when the invitation holds.
    pub(crate) expires: Timestamp,
    /// Proves a form of this page.
    pub(crate) token: String,
    /// Proposals that something can still become of, newest first.
    pub(crate) open: Vec<ProposalRow>,
    /// Those that are decided, newest first.
    pub(crate) closed: Vec<ProposalRow>,
    /// Registered identity providers.
    pub(crate) providers: Vec<ProviderCard>,
    /// Registered relying parties.
    pub(crate) services: Vec<ServiceCard>,
    /// What the record allows.
    pub(crate) bounds: Vec<BoundRow>,
}

/// A proposal in a list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProposalRow {
    /// Its number.
    pub(crate) number: u64,
    /// What it is about.
    pub(crate) about: String,
    /// `draft`, `validated`, `approved`, `published`, `superseded`, `withdrawn` or `declined`.
    pub(crate) state: &'static str,
    /// The revision that it became.
    pub(crate) revision: Option<u64>,
    /// Who made it.
    pub(crate) author: String,
    /// When.
    pub(crate) at: Timestamp,
}

/// A registered provider.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProviderCard {
    /// What people know it by.
    pub(crate) name: String,
    /// Its entity ID.
    pub(crate) id: String,
    /// `suspended`, `hidden`, `withheld`, `no-key`.
    pub(crate) states: Vec<&'static str>,
    /// Until when its file holds.
    pub(crate) valid_until: Option<Timestamp>,
    /// Its keys.
    pub(crate) keys: Vec<KeyRow>,
}

/// A key of a provider.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KeyRow {
    /// `signing`, `encryption` or `both`.
    pub(crate) usage: &'static str,
    /// Such as `RSA 2048`.
    pub(crate) kind: String,
    /// The beginning of its fingerprint.
    pub(crate) fingerprint: String,
    /// When its certificate expires.
    pub(crate) expires: Option<Timestamp>,
    /// In how many days; negative once it has.
    pub(crate) days: i64,
    /// Something is to be done about that soon.
    pub(crate) urgent: bool,
    /// It may sign messages.
    pub(crate) signs: bool,
    /// When it last verified one.
    pub(crate) seen: Option<Timestamp>,
    /// It is marked as compromised.
    pub(crate) compromised: bool,
}

/// A registered relying party.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ServiceCard {
    /// What people know it by.
    pub(crate) name: String,
    /// Its client_id.
    pub(crate) id: String,
    /// `suspended`, `withheld`.
    pub(crate) states: Vec<&'static str>,
    /// How it proves who it is, by its name in OIDC Core 9.
    pub(crate) method: &'static str,
    /// Where answers go.
    pub(crate) addresses: Vec<String>,
}

/// One bound of the record.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BoundRow {
    /// `domains`, `scopes`, `hsa` or `ceiling`.
    pub(crate) what: &'static str,
    /// The values.
    pub(crate) allowed: Vec<String>,
}

/// What is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// The field's id; empty where it is about no field.
    pub(crate) field: &'static str,
    /// What, and how to mend it.
    pub(crate) text: String,
}

/// The form that takes a file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SubmitView {
    /// For whom.
    pub(crate) organisation: String,
    /// Proves the form.
    pub(crate) token: String,
    /// The largest file, in millions of octets.
    pub(crate) megabytes: u64,
    /// What was wrong with what came.
    pub(crate) problem: Option<Problem>,
    /// The address that came.
    pub(crate) url: String,
    /// The text that came.
    pub(crate) text: String,
}

/// What was found, in the page's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FindingView {
    /// The element's id on the page.
    pub(crate) id: String,
    /// `error`, `warning` or `note`.
    pub(crate) severity: &'static str,
    /// The word for that.
    pub(crate) word: &'static str,
    /// What is wrong.
    pub(crate) what: String,
    /// Why it matters.
    pub(crate) why: String,
    /// How to mend it.
    pub(crate) fix: String,
    /// Which rule.
    pub(crate) rule: String,
    /// Where, in words.
    pub(crate) place: String,
    /// Which entity, where a file has several.
    pub(crate) about: Option<String>,
    /// It stands beside its line, and the list links there.
    pub(crate) shown: bool,
}

/// Findings of one severity.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FindingGroup {
    /// Which.
    pub(crate) severity: &'static str,
    /// How many there are.
    pub(crate) count: usize,
    /// Those that are shown.
    pub(crate) findings: Vec<FindingView>,
    /// How many are not.
    pub(crate) more: usize,
}

/// A row of the file's table: a line, or how many are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineRow {
    /// The line's number; 0: lines are left out here.
    pub(crate) number: usize,
    /// What stands there.
    pub(crate) text: String,
    /// What is said of it.
    pub(crate) findings: Vec<FindingView>,
    /// How many lines are left out.
    pub(crate) skipped: usize,
}

/// Somebody in the file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PartyView {
    /// Its name among people, else among machines.
    pub(crate) name: String,
    /// Its name among machines.
    pub(crate) id: String,
    /// It was registered before.
    pub(crate) renewed: bool,
    /// What changes, in words.
    pub(crate) sentences: Vec<String>,
}

/// Why a change is held, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HoldView {
    /// What it would do.
    pub(crate) what: String,
    /// Why that matters.
    pub(crate) why: String,
    /// The safe order of steps.
    pub(crate) fix: String,
}

/// What came of judging a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It has errors.
    Refused,
    /// It lacks only what can be answered here.
    Asks,
    /// It can be handed in.
    Good,
}

/// A file that was judged.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReviewView {
    /// For whom.
    pub(crate) organisation: String,
    /// Proves the forms.
    pub(crate) token: String,
    /// Where the forms go.
    pub(crate) action: String,
    /// What came of it.
    pub(crate) verdict: Verdict,
    /// How many errors.
    pub(crate) errors: usize,
    /// What to call the file.
    pub(crate) file: String,
    /// Its size in thousands of octets, rounded up.
    pub(crate) size: usize,
    /// When it was judged.
    pub(crate) at: Timestamp,
    /// `client_id`, `subject_source`.
    pub(crate) questions: Vec<&'static str>,
    /// The sources to choose from.
    pub(crate) sources: Vec<&'static str>,
    /// The one that was chosen.
    pub(crate) subject_source: &'static str,
    /// The name that was given.
    pub(crate) client_id: String,
    /// The message that was given.
    pub(crate) note: String,
    /// Who is in it.
    pub(crate) parties: Vec<PartyView>,
    /// Why it will be held.
    pub(crate) holds: Vec<HoldView>,
    /// What was found, worst first.
    pub(crate) groups: Vec<FindingGroup>,
    /// The lines that something is said of.
    pub(crate) lines: Vec<LineRow>,
    /// How many lines are shown.
    pub(crate) lines_shown: usize,
    /// How many there are.
    pub(crate) lines_total: usize,
    /// Why what was pressed was not done.
    pub(crate) problem: Option<Problem>,
    /// All of it as text.
    pub(crate) report: String,
}

/// An entry that a proposal changes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EntryView {
    /// Its name.
    pub(crate) id: String,
    /// What changes, in words.
    pub(crate) sentences: Vec<String>,
}

/// Something that happened to a proposal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EventView {
    /// When.
    pub(crate) at: Timestamp,
    /// What, in words.
    pub(crate) what: String,
    /// By whom.
    pub(crate) by: Option<String>,
}

/// A secret that was made.
#[derive(Clone, Serialize)]
pub(crate) struct SecretView {
    /// Whose.
    pub(crate) client_id: String,
    /// The secret.
    pub(crate) secret: String,
}

impl std::fmt::Debug for SecretView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretView").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// What whoever is here may do with a proposal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct May {
    /// Take it back.
    pub(crate) withdraw: bool,
    /// Approve it.
    pub(crate) approve: bool,
    /// Publish it.
    pub(crate) publish: bool,
    /// Say no.
    pub(crate) decline: bool,
    /// Try it in this browser.
    pub(crate) try_it: bool,
}

/// A proposal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProposalView {
    /// For whom.
    pub(crate) organisation: String,
    /// Proves the forms.
    pub(crate) token: String,
    /// Where the forms go.
    pub(crate) action: String,
    /// Its number.
    pub(crate) number: u64,
    /// As in [`ProposalRow`].
    pub(crate) state: &'static str,
    /// The revision that it became.
    pub(crate) revision: Option<u64>,
    /// Why it was declined.
    pub(crate) reason: Option<String>,
    /// It was handed in just now, here.
    pub(crate) received: bool,
    /// A secret that was made with it.
    pub(crate) secret: Option<SecretView>,
    /// How many other people need to approve it still; 0: none, or it is decided.
    pub(crate) needed: usize,
    /// Who made it.
    pub(crate) author: String,
    /// When.
    pub(crate) at: Timestamp,
    /// What the author says of it.
    pub(crate) note: String,
    /// What it changes.
    pub(crate) entries: Vec<EntryView>,
    /// Why it is held.
    pub(crate) holds: Vec<HoldView>,
    /// What was found when it was made.
    pub(crate) findings: Vec<FindingView>,
    /// What whoever looks may do.
    pub(crate) may: May,
    /// What has happened, the first first.
    pub(crate) history: Vec<EventView>,
    /// Why what was pressed was not done.
    pub(crate) problem: Option<Problem>,
}

/// One of the pages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OperatorPage<'a> {
    /// A link was followed.
    Invitation(&'a InvitationView),
    /// Nothing to show but words; with the reference of what is in the log.
    Message(OperatorMessage, Option<&'a str>),
    /// The place.
    Place(&'a PlaceView),
    /// The form.
    Submit(&'a SubmitView),
    /// The report.
    Review(&'a ReviewView),
    /// A proposal.
    Proposal(&'a ProposalView),
    /// Where a test sign-in begins.
    TrialForm(&'a TrialFormView),
    /// What came of one.
    Trial(&'a TrialView),
}

impl Pages {
    /// The language of an operator's page: Swedish or English, as rules speak no other.
    pub(crate) fn operator_language(&self, accept_language: Option<&str>) -> Language {
        self.texts.negotiate_among(&["sv", "en"], accept_language)
    }

    /// A page of the door for operators.
    pub(crate) fn operator(&self, language: &Language, page: OperatorPage<'_>) -> Html {
        let (template, policy) = page.drawn_by();
        self.render(template, language, policy, self.operator_content(language, page))
    }

    pub(super) fn try_operator(&self, language: &Language, page: OperatorPage<'_>) -> Result<Html, Error> {
        let (template, policy) = page.drawn_by();
        self.try_render(template, language, policy, self.operator_content(language, page))
    }

    /// A text of the operators' pages.
    pub(crate) fn operator_text(
        &self,
        language: &Language,
        key: &str,
        arguments: &[(&str, Argument<'_>)],
    ) -> String {
        self.text(language, key, arguments)
    }

    fn operator_content(&self, language: &Language, page: OperatorPage<'_>) -> Value {
        match page {
            OperatorPage::Invitation(view) => tamed(view),
            OperatorPage::Place(view) => tamed(view),
            OperatorPage::Submit(view) => tamed(view),
            OperatorPage::Review(view) => tamed(view),
            OperatorPage::Proposal(view) => tamed(view),
            OperatorPage::TrialForm(view) => tamed(view),
            OperatorPage::Trial(view) => tamed(view),
            OperatorPage::Message(message, reference) => {
                let said = |part: &str| {
                    self.text(language, &format!("operator-message-{}-{part}", message.key()), &[])
                };
                let on = message.leads_on();
                minijinja::context! {
                    title => said("title"),
                    what => said("what"),
                    next => said("next"),
                    way => on.then_some("/operator"),
                    button => on.then(|| said("button")),
                    reference => reference,
                }
            }
        }
    }
}

impl OperatorPage<'_> {
    fn drawn_by(self) -> (&'static str, ContentPolicy) {
        match self {
            Self::Invitation(_) => ("operator_invitation.html", ContentPolicy::OwnForm),
            Self::Message(..) => ("operator_message.html", ContentPolicy::Quiet),
            Self::Place(_) => ("operator_place.html", ContentPolicy::OwnForm),
            Self::Submit(_) => ("operator_submit.html", ContentPolicy::HelpedForm),
            Self::Review(_) => ("operator_review.html", ContentPolicy::HelpedForm),
            Self::Proposal(_) => ("operator_proposal.html", ContentPolicy::HelpedForm),
            Self::TrialForm(_) => ("operator_try.html", ContentPolicy::OwnForm),
            Self::Trial(_) => ("operator_tried.html", ContentPolicy::Quiet),
        }
    }
}

/// A view as a template sees it, every text tame.
fn tamed(view: &impl Serialize) -> Value {
    // A view is plain data with names for keys: it always becomes JSON.
    let mut value = serde_json::to_value(view).unwrap_or_default();
    tame_all(&mut value);
    Value::from(minijinja::value::Serde(value))
}

/// Depth is that of our own views.
fn tame_all(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) if text.chars().any(is_wild) => *text = tame(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(tame_all),
        serde_json::Value::Object(members) => members.values_mut().for_each(tame_all),
        _ => {}
    }
}

/// A text in which control characters and direction marks are seen instead of obeyed; lines stay lines.
fn tame(text: &str) -> String {
    text.chars().map(|character| if is_wild(character) { '\u{fffd}' } else { character }).collect()
}

fn is_wild(character: char) -> bool {
    (character.is_control() && character != '\n' && character != '\t') || is_turning(character)
}
