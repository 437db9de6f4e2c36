//! The views of a test sign-in. Neighbour: `operator.rs` draws them.

use broker_core::moment::Timestamp;
use serde::Serialize;

use super::Problem;

/// Something to choose.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NamedValue {
    /// Its name among machines.
    pub(crate) value: String,
    /// Its name among people.
    pub(crate) name: String,
}

/// Where a test begins.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TrialFormView {
    /// For whom.
    pub(crate) organisation: String,
    /// Proves the form.
    pub(crate) token: String,
    /// Which proposal is tried.
    pub(crate) proposal: Option<u64>,
    /// The provider that it is about.
    pub(crate) provider: Option<String>,
    /// Why it cannot be: `over`, `other`, `bounds`.
    pub(crate) not_tried: Option<&'static str>,
    /// The providers to choose from.
    pub(crate) providers: Vec<NamedValue>,
    /// The relying parties whose needs it can be held to.
    pub(crate) relying_parties: Vec<NamedValue>,
    /// Why it did not begin.
    pub(crate) problem: Option<Problem>,
}

/// One check.
#[derive(Clone, Serialize)]
pub(crate) struct CheckRow {
    /// Its name.
    pub(crate) id: String,
    /// Where the rule comes from.
    pub(crate) spec: String,
    /// The rule.
    pub(crate) rule: String,
    /// `passed`, `failed`, `not_applicable`, `not_reached`.
    pub(crate) verdict: String,
    /// What the rule wants.
    pub(crate) expected: String,
    /// What there was.
    pub(crate) found: String,
}

/// An attribute that was told.
#[derive(Clone, Serialize)]
pub(crate) struct ToldRow {
    /// What people call it.
    pub(crate) name: String,
    /// Its name in records.
    pub(crate) key: &'static str,
    /// What was told.
    pub(crate) values: Vec<String>,
    /// What became of it.
    pub(crate) fate: String,
}

/// An attribute that would leave.
#[derive(Clone, Serialize)]
pub(crate) struct ReleaseRow {
    /// What people call it.
    pub(crate) name: String,
    /// What would leave.
    pub(crate) values: Vec<String>,
}

/// What came of a test.
#[derive(Clone, Serialize)]
pub(crate) struct TrialView {
    /// For whom.
    pub(crate) organisation: String,
    /// Which provider.
    pub(crate) provider: String,
    /// By which proposal.
    pub(crate) proposal: Option<u64>,
    /// It is not any more what it was.
    pub(crate) draft_gone: bool,
    /// When.
    pub(crate) at: Timestamp,
    /// Its name in the log.
    pub(crate) reference: String,
    /// How many checks were kept.
    pub(crate) passed: usize,
    /// Why a login would fail.
    pub(crate) code: Option<String>,
    /// The same in the log's words, where no check says it.
    pub(crate) cause: Option<String>,
    /// How to mend it.
    pub(crate) mend: Option<String>,
    /// The check that is broken.
    pub(crate) broken: Option<CheckRow>,
    /// The others, in order.
    pub(crate) checks: Vec<CheckRow>,
    /// Somebody was proven.
    pub(crate) proven: bool,
    /// To belong to.
    pub(crate) proven_organisation: Option<String>,
    /// When the person was authenticated.
    pub(crate) authenticated_at: Option<Timestamp>,
    /// The level that was told.
    pub(crate) level: Option<String>,
    /// The level that would leave.
    pub(crate) level_leaving: Option<String>,
    /// What the identifier is made from, by its key.
    pub(crate) source: Option<String>,
    /// It was there.
    pub(crate) source_is_there: bool,
    /// The identifier.
    pub(crate) subject: Option<String>,
    /// What was told.
    pub(crate) told: Vec<ToldRow>,
    /// Names that no login reads.
    pub(crate) unread: Vec<String>,
    /// What would leave.
    pub(crate) leaving: Vec<ReleaseRow>,
    /// To whom; `None`: the default set.
    pub(crate) relying_party: Option<String>,
}

impl std::fmt::Debug for TrialView {
    /// The reference alone: the rest is about somebody.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TrialView").field("reference", &self.reference).finish_non_exhaustive()
    }
}
