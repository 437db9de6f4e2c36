//! Nothing about other organisations is told: what a finding says of another's entry is left out, unless the file says it itself.
//!
//! A name that is taken, a key that another provider has, a service that asks for a level: whoever submits a file learns that it is so, not whose.

use broker_core::organisation::OrganisationNumber;
use metadata::{
    Registry,
    desk::ShownFinding,
    lint::{Finding, Place, Report, all_rules},
    revision::EntryId,
};

/// What belongs to others in a registry, as somebody of one organisation must not learn it.
pub(super) struct Others {
    names: Vec<String>,
}

impl Others {
    /// Those beside `own`.
    pub(super) fn than(own: &OrganisationNumber, registry: &Registry) -> Self {
        let entries = &registry.manifest().entries;
        let names = entries.iter().filter_map(|(id, entry)| match id {
            EntryId::Organisation(number) => (number != own).then(|| number.to_string()),
            EntryId::SamlProvider(id) => (entry.organisation() != Some(own)).then(|| id.to_string()),
            EntryId::OidcClient(id) => (entry.organisation() != Some(own)).then(|| id.to_string()),
        });
        Self { names: names.collect() }
    }

    /// Whether a text names another's, which `file` does not.
    fn reveals(&self, text: &str, file: &str) -> bool {
        self.names.iter().any(|name| text.contains(name.as_str()) && !file.contains(name.as_str()))
    }

    /// Leaves out of a report what it says of others and the file does not.
    pub(super) fn leave_out(&self, mut report: Report, file: &str) -> Report {
        for finding in &mut report.findings {
            for value in [&mut finding.found, &mut finding.expected] {
                if value.as_deref().is_some_and(|text| self.reveals(text, file)) {
                    *value = None;
                }
            }
            if finding.expected.as_deref().is_some_and(|text| self.is_name(text))
                && finding.rule.id == "registry.entity.taken"
            {
                // Whose it is stays unsaid also where the file names that organisation: its own claim would be confirmed.
                finding.expected = None;
            }
        }
        report
    }

    fn is_name(&self, text: &str) -> bool {
        self.names.iter().any(|name| name == text)
    }

    /// Leaves the same out of findings that were kept. One of a rule that there is no more, and that names another, is not told.
    pub(super) fn leave_out_kept<'a>(&self, findings: impl IntoIterator<Item = &'a ShownFinding>) -> Report {
        let mut report = Report::new();
        for kept in findings {
            let text =
                |name: &str| kept.rest.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
            let Some(rule) = all_rules().into_iter().find(|rule| rule.id == kept.rule) else { continue };
            let place = kept.rest.get("place");
            let number =
                |name: &str| place?.get(name)?.as_u64().and_then(|number| u32::try_from(number).ok());
            let place = match (number("line"), number("column")) {
                (Some(line), Some(column)) => Place::At { line, column },
                _ => match place.and_then(|place| place.get("pointer")).and_then(serde_json::Value::as_str) {
                    Some(pointer) => Place::Pointer(pointer.to_owned()),
                    None => Place::File,
                },
            };
            let mut finding = Finding::new(rule, place);
            (finding.severity, finding.about) = (kept.severity, text("about"));
            (finding.found, finding.expected) = (text("found"), text("expected"));
            report.findings.push(finding);
        }
        self.leave_out(report, "")
    }
}

#[cfg(test)]
mod tests {
    use metadata::lint::{Finding, Place, Report, Tongue, all_rules};

    use super::Others;

    fn finding(found: &str, expected: &str) -> Report {
        let rule = all_rules().into_iter().find(|rule| rule.id == "registry.entity.taken").expect("the rule");
        let mut report = Report::new();
        report.add(Finding::new(rule, Place::File).found(found).expected(expected));
        report
    }

    #[test]
    fn what_a_finding_says_of_others_is_left_out_unless_the_file_says_it() {
        let others =
            Others { names: vec!["https://idp.fjorden.example".to_owned(), "2321009900".to_owned()] };
        let report = others.leave_out(
            finding("https://idp.fjorden.example", "2321009900"),
            "<a https://idp.fjorden.example>",
        );
        let [told] = &report.findings[..] else { panic!("one") };
        assert_eq!(told.found.as_deref(), Some("https://idp.fjorden.example"), "the file says it itself");
        assert_eq!(told.expected, None);
        assert!(!told.what(Tongue::English).contains("2321009900"));
        let own = others.leave_out(finding("https://idp.granvik.example", "2120009903"), "");
        assert_eq!(own.findings[0].expected.as_deref(), Some("2120009903"));
        let hidden = others.leave_out(finding("the key of https://idp.fjorden.example", "x"), "");
        assert_eq!(hidden.findings[0].found, None);
        let claimed = others.leave_out(finding("x", "2321009900"), "organisation 2321009900");
        assert_eq!(claimed.findings[0].expected, None);
    }
}
