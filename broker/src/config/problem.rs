//! Something wrong in the configuration, said so that it can be mended.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// The broker does not start.
    Error,
    /// It starts, and somebody should look.
    Warning,
}

/// One problem.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    /// Stable identifier.
    pub(crate) id: &'static str,
    /// How bad.
    pub(crate) severity: Severity,
    /// Which line of the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// What and where.
    pub(crate) what: String,
    /// How to mend it.
    pub(crate) fix: String,
    #[serde(skip)]
    offset: Option<usize>,
}

impl Problem {
    /// A problem that keeps the broker from starting.
    pub(crate) fn error(id: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, severity: Severity::Error, line: None, what: what.into(), fix: fix.into(), offset: None }
    }

    /// A problem that does not.
    pub(crate) fn warning(id: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(id, what, fix) }
    }

    /// Where in the text it stands, octets from its beginning.
    pub(crate) fn at(mut self, offset: Option<usize>) -> Self {
        self.offset = offset;
        self
    }
}

/// All problems of one file.
#[derive(Debug, Clone)]
pub(crate) struct Problems {
    path: PathBuf,
    text: String,
    list: Vec<Problem>,
}

impl Problems {
    /// None so far.
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), list: Vec::new() }
    }

    /// One problem, without a line.
    pub(crate) fn one(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), text: String::new(), list: vec![problem] }
    }

    /// Adds one.
    pub(crate) fn add(&mut self, mut problem: Problem) {
        if problem.line.is_none() {
            problem.line = problem
                .offset
                .and_then(|offset| self.text.get(..offset))
                .map(|before| before.bytes().filter(|byte| *byte == b'\n').count() + 1);
        }
        self.list.push(problem);
        self.list.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
    }

    /// Adds one about a key, at the line where the key is first written.
    pub(crate) fn add_about(&mut self, key: &str, problem: Problem) {
        let offset = self
            .text
            .split_inclusive('\n')
            .scan(0, |at, line| {
                let start = *at;
                *at += line.len();
                Some((start, line))
            })
            .find(|(_, line)| {
                let line = line.trim_start();
                line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
                    || line.trim_end() == format!("[{key}]")
            })
            .map(|(start, _)| start);
        self.add(problem.at(offset));
    }

    /// Whether the broker would not start.
    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The problems, in the order of their lines.
    pub(crate) fn list(&self) -> &[Problem] {
        &self.list
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let severity = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            write!(f, "{}", self.path.display())?;
            if let Some(line) = problem.line {
                write!(f, ":{line}")?;
            }
            writeln!(f, ": {severity}: {} [{}]", problem.what, problem.id)?;
            write!(f, "    {}", problem.fix)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
