//! Reports as SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format): what code review and build services read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lint::{
    excerpt::Lines,
    report::{Finding, Report},
    rule::{Rule, Severity, Tongue},
};

/// A file that was judged: its name, its text where it is text, and what was found.
pub type Judged<'a> = (&'a str, Option<&'a str>, &'a Report);

/// One run over some files. `version` is that of the program.
#[must_use]
pub fn sarif(files: &[Judged<'_>], version: &str) -> Value {
    let mut used: BTreeMap<&str, &'static Rule> = BTreeMap::new();
    for finding in files.iter().flat_map(|(_, _, report)| &report.findings) {
        used.insert(finding.rule.id, finding.rule);
    }
    let index: BTreeMap<&str, usize> = used.keys().enumerate().map(|(at, id)| (*id, at)).collect();
    let results: Vec<Value> = files
        .iter()
        .flat_map(|(name, text, report)| {
            let lines = text.map(Lines::of);
            let of = |finding: &Finding| result(finding, name, lines.as_ref(), &index);
            report.findings.iter().map(of).collect::<Vec<_>>()
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "sparvidd",
                "version": version,
                "rules": used.values().map(|rule| described(rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "artifacts": files.iter().map(|(name, ..)| json!({ "location": { "uri": uri(name) } })).collect::<Vec<_>>(),
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn described(rule: &Rule) -> Value {
    let plain = |text: &str| text.replace("{found}", "…").replace("{expected}", "…");
    let (what, why, fix) = (plain(rule.what.en), plain(rule.why.en), plain(rule.fix.en));
    json!({
        "id": rule.id,
        "shortDescription": { "text": what },
        "fullDescription": { "text": why },
        "help": {
            "text": format!("{why}\n\n{fix}\n\n({})", rule.source),
            "markdown": format!("{why}\n\n**{fix}**\n\n{}", rule.source),
        },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "source": rule.source,
            "profiles": rule.profiles.iter().map(|(profile, severity)| (profile.name(), level(*severity))).collect::<BTreeMap<_, _>>(),
        },
    })
}

fn result(finding: &Finding, name: &str, lines: Option<&Lines<'_>>, index: &BTreeMap<&str, usize>) -> Value {
    let mut location = json!({ "physicalLocation": { "artifactLocation": { "uri": uri(name) } } });
    if let Some((line, column)) = lines.and_then(|lines| lines.position(&finding.place)) {
        location["physicalLocation"]["region"] = json!({ "startLine": line, "startColumn": column });
    }
    if let Some(about) = &finding.about {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": about }]);
    }
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index.get(finding.rule.id),
        "level": level(finding.severity),
        "message": { "text": format!("{} {}", finding.what(Tongue::English), finding.fix(Tongue::English)) },
        "locations": [location],
        "properties": { "profiles": finding.profiles() },
    })
}

/// A file's name as a URI reference: what may not stand in one is escaped (RFC 3986).
fn uri(name: &str) -> String {
    name.bytes()
        .map(|octet| match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                char::from(octet).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::sarif;
    use crate::lint::{Profiles, document};
    use broker_core::moment::Timestamp;

    #[test]
    fn each_result_names_a_rule_of_the_run_and_the_line_it_speaks_of() {
        let source = "{\n \"issuer\": \"http://op.example\"\n}";
        let report = document(source.as_bytes(), Profiles::all(), Timestamp(1_795_305_600));
        let run = &sarif(&[("a b.json", Some(source), &report)], "1")["runs"][0];
        let results = run["results"].as_array().expect("results");
        assert_eq!(results.len(), report.findings.len());
        for result in results {
            let at = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small");
            assert_eq!(run["tool"]["driver"]["rules"][at]["id"], result["ruleId"]);
            assert!(
                run["tool"]["driver"]["rules"][at]["help"]["text"]
                    .as_str()
                    .is_some_and(|text| text.len() > 20)
            );
        }
        let plain =
            results.iter().find(|result| result["ruleId"] == "oidc.discovery.address").expect("found");
        assert_eq!(plain["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
        assert_eq!(plain["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20b.json");
        assert_eq!(plain["level"], "error");
    }
}
