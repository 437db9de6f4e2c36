//! A report as it was shown to whoever made a proposal: it says the same to whoever approves it, whatever the rules have become.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lint::{Report, Severity};

/// What was found, in the words of then.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShownReport {
    /// In the order in which they were found, at most [`ShownReport::MOST`].
    pub findings: Vec<ShownFinding>,
    /// How many there were beyond that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

/// One breach of one rule, as its JSON says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownFinding {
    /// The rule's name.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// In Swedish.
    pub sv: ShownWords,
    /// In English.
    pub en: ShownWords,
    /// The rest: where, about whom, what stands there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What, why and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownWords {
    /// What is wrong.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// How to mend it.
    pub fix: String,
}

impl ShownReport {
    /// More findings than this are counted and not kept.
    pub const MOST: usize = 200;

    /// A report, to be kept.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut findings: Vec<_> = report.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.rule.severity));
        let kept = findings.iter().take(Self::MOST);
        Self {
            // A finding is plain data whose JSON has these members; what could not be written would not have been shown.
            findings: kept
                .filter_map(|finding| serde_json::to_value(finding).ok())
                .filter_map(|value| serde_json::from_value(value).ok())
                .collect(),
            left_out: report.findings.len().saturating_sub(Self::MOST),
        }
    }

    /// Whether the rule of that name was broken.
    #[must_use]
    pub fn has(&self, rule_id: &str) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule_id)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}
