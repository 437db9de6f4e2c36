//! A file line by line, as much of it as something is said of: each finding beside its line, a few lines around it, and how many are left out between.

use std::collections::{BTreeMap, BTreeSet};

use metadata::lint::{Finding, Place, Severity, Tongue};
use serde_json::value::RawValue;

use crate::page::{Argument, FindingGroup, FindingView, LineRow};

/// Lines that are shown around one that something is said of.
const AROUND: usize = 2;
/// A file of at most so many lines is shown whole.
const WHOLE: usize = 60;
/// Lines with something said of them that are shown.
const MOST_LINES: usize = 40;
/// Findings of one severity that are shown.
const MOST_EACH: usize = 50;
/// Characters of a line that are shown: certificates and files without line ends have more.
const LONGEST_LINE: usize = 240;
/// How deep a JSON pointer is followed.
const DEEPEST: usize = 32;

/// Gives a text of the pages, by its key and with its arguments.
pub(super) type Words<'a> = dyn Fn(&str, &[(&str, Argument<'_>)]) -> String + 'a;

/// The table and the lists of a judged file.
pub(super) struct Told {
    /// The lists, worst first.
    pub(super) groups: Vec<FindingGroup>,
    /// The table.
    pub(super) lines: Vec<LineRow>,
    /// Lines in it.
    pub(super) shown: usize,
    /// Lines of the file.
    pub(super) total: usize,
}

/// Puts findings beside the lines of a file. `words` gives a text of the pages.
pub(super) fn told(source: &str, findings: &[&Finding], tongue: Tongue, words: &Words<'_>) -> Told {
    let lines: Vec<&str> = source.lines().collect();
    let mut sorted: Vec<&Finding> = findings.to_vec();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    // Which entity it is about is said only where a file has several.
    let abouts: BTreeSet<&str> = findings.iter().filter_map(|finding| finding.about.as_deref()).collect();
    let mut beside: BTreeMap<usize, Vec<FindingView>> = BTreeMap::new();
    let mut columns: BTreeMap<usize, usize> = BTreeMap::new();
    let mut groups: Vec<FindingGroup> = Vec::new();
    for (at, finding) in sorted.iter().enumerate() {
        // What ends too early is said of the end, which may be the line after the last.
        let place = position(source, &finding.place)
            .filter(|(line, _)| (1..=lines.len() + 1).contains(line))
            .map(|(line, column)| (line.min(lines.len()), column));
        let severity = severity(finding.severity);
        let mut view = FindingView {
            id: format!("finding-{}", at + 1),
            severity,
            word: finding.severity.word(tongue),
            what: finding.what(tongue),
            why: finding.why(tongue),
            fix: finding.fix(tongue),
            rule: finding.rule.id.to_owned(),
            place: place_words(place, words),
            about: finding.about.clone().filter(|_| abouts.len() > 1),
            shown: false,
        };
        if groups.last().is_none_or(|group| group.severity != severity) {
            groups.push(FindingGroup { severity, count: 0, findings: Vec::new(), more: 0 });
        }
        let Some(group) = groups.last_mut() else { continue };
        group.count += 1;
        if group.findings.len() >= MOST_EACH {
            group.more += 1;
            continue;
        }
        if let Some((line, column)) = place
            && (beside.contains_key(&line) || beside.len() < MOST_LINES)
        {
            view.shown = true;
            columns.entry(line).or_insert(column);
            beside.entry(line).or_default().push(view.clone());
        }
        group.findings.push(view);
    }
    let rows = rows(&lines, beside, &columns);
    let shown = rows.iter().filter(|row| row.number > 0).count();
    Told { groups, lines: rows, shown, total: lines.len() }
}

/// The name of a severity in texts and styles.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Where, in words.
pub(super) fn place_words(place: Option<(usize, usize)>, words: &Words<'_>) -> String {
    // As text, not as numbers: nobody wants a line 1 024 with a space in it.
    match place {
        None => words("operator-place-file", &[]),
        Some((line, 0)) => words("operator-place-line", &[("line", Argument::Text(&line.to_string()))]),
        Some((line, column)) => words(
            "operator-place-of",
            &[("line", Argument::Text(&line.to_string())), ("column", Argument::Text(&column.to_string()))],
        ),
    }
}

fn rows(
    lines: &[&str],
    mut beside: BTreeMap<usize, Vec<FindingView>>,
    columns: &BTreeMap<usize, usize>,
) -> Vec<LineRow> {
    if beside.is_empty() {
        return Vec::new();
    }
    let wanted: BTreeSet<usize> = if lines.len() <= WHOLE {
        (1..=lines.len()).collect()
    } else {
        let around = |line: &usize| line.saturating_sub(AROUND).max(1)..=(line + AROUND).min(lines.len());
        beside.keys().flat_map(around).collect()
    };
    let mut rows = Vec::new();
    let mut next = 1;
    for number in wanted {
        if number > next {
            rows.push(gap(number - next));
        }
        let line = lines.get(number - 1).copied().unwrap_or_default();
        rows.push(LineRow {
            number,
            text: cut(line, columns.get(&number).copied().unwrap_or(1)),
            findings: beside.remove(&number).unwrap_or_default(),
            skipped: 0,
        });
        next = number + 1;
    }
    if next <= lines.len() {
        rows.push(gap(lines.len() + 1 - next));
    }
    rows
}

fn gap(skipped: usize) -> LineRow {
    LineRow { number: 0, text: String::new(), findings: Vec::new(), skipped }
}

/// As much of a long line as is near a column, counted in characters from 1.
fn cut(line: &str, column: usize) -> String {
    let length = line.chars().count();
    if length <= LONGEST_LINE {
        return line.to_owned();
    }
    let start = column.saturating_sub(LONGEST_LINE / 3).min(length - LONGEST_LINE);
    let mut text = String::from(if start > 0 { "… " } else { "" });
    text.extend(line.chars().skip(start).take(LONGEST_LINE));
    if start + LONGEST_LINE < length {
        text.push_str(" …");
    }
    text
}

/// Line and column of a place, both from 1; column 0: the line as a whole. `None`: the file as a whole.
pub(super) fn position(source: &str, place: &Place) -> Option<(usize, usize)> {
    match place {
        Place::File => None,
        Place::At { line, column } => Some((usize::try_from(*line).ok()?, usize::try_from(*column).ok()?)),
        Place::Pointer(pointer) => {
            let offset = offset(source, pointer)?;
            let before = source.get(..offset)?;
            Some((before.matches('\n').count() + 1, 0))
        }
    }
}

/// Where the value of a JSON pointer (RFC 6901) begins, as far as there is one: what is missing is missing in what stands around it.
fn offset(source: &str, pointer: &str) -> Option<usize> {
    let start = source.find('{')?;
    let mut value: &RawValue = serde_json::from_str(source.get(start..)?).ok()?;
    for token in pointer.split('/').skip(1).take(DEEPEST) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let within = if value.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            name.parse::<usize>().ok().and_then(|at| items.get(at).copied())
        } else {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
            members.get(&name).copied()
        };
        match within {
            Some(inner) => value = inner,
            None => break,
        }
    }
    // The value is a part of the source: where it begins is how far apart the two are.
    (value.get().as_ptr() as usize).checked_sub(source.as_ptr() as usize)
}

#[cfg(test)]
mod tests {
    use metadata::lint::Place;

    use super::{LONGEST_LINE, cut, gap, position, rows};

    #[test]
    fn a_pointer_is_a_line() {
        let source =
            "{\n \"redirect_uris\": [\n  \"https://a.example/cb\",\n  \"http://b/\"\n ],\n \"a/b\": 1\n}";
        let line =
            |pointer: &str| position(source, &Place::Pointer(pointer.to_owned())).map(|(line, _)| line);
        assert_eq!(line(""), Some(1));
        assert_eq!(line("/redirect_uris/1"), Some(4));
        assert_eq!(line("/a~1b"), Some(6));
        assert_eq!(line("/redirect_uris/7"), Some(2), "what is missing is missing in the list");
        assert_eq!(line("/nobody"), Some(1));
        assert_eq!(position("no JSON", &Place::Pointer("/a".to_owned())), None);
        assert_eq!(position(source, &Place::At { line: 3, column: 9 }), Some((3, 9)));
        assert_eq!(position(source, &Place::File), None);
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_said_of() {
        let line: String = (0..2000).map(|at| if at == 1500 { '§' } else { 'å' }).collect();
        let text = cut(&line, 1501);
        assert!(text.contains('§') && text.starts_with("… ") && text.ends_with(" …"));
        assert!(text.chars().count() <= LONGEST_LINE + 4);
        assert_eq!(cut("short", 99), "short");
        assert!(cut(&line, 1).starts_with('å') && cut(&line, 99_999).ends_with('å'));
    }

    #[test]
    fn a_large_file_shows_the_lines_around_and_how_many_are_left_out() {
        let text = "x\n".repeat(1000);
        let lines: Vec<&str> = text.lines().collect();
        let shown = rows(&lines, [(500, Vec::new()), (503, Vec::new())].into(), &[].into());
        let numbers: Vec<usize> = shown.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [0, 498, 499, 500, 501, 502, 503, 504, 505, 0]);
        assert_eq!((shown[0].clone(), shown[9].clone()), (gap(497), gap(495)));
        assert!(rows(&lines, [].into(), &[].into()).is_empty(), "nothing is said: nothing is shown");
        assert_eq!(
            rows(&lines[..9], [(5, Vec::new())].into(), &[].into()).len(),
            9,
            "a small one is shown whole"
        );
    }
}
