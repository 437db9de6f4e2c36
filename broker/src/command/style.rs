//! Lines that a person likes to read: colour only on a terminal that has it, and a table where there are rows.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use metadata::lint::Report;

/// What a line is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it is.
    Plain,
    /// A heading.
    Strong,
    /// Something to use: an address, a name.
    Accent,
    /// Beside the point, useful all the same.
    Quiet,
    /// It went well.
    Good,
    /// Look at this.
    Look,
    /// It stops here.
    Stop,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Accent => AnsiColor::Cyan.on_default(),
            Self::Quiet => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Look => AnsiColor::Yellow.on_default(),
            Self::Stop => AnsiColor::Red.on_default(),
        }
    }
}

/// Where lines go.
pub(crate) struct Lines {
    out: Box<dyn Write>,
}

impl Lines {
    /// Standard output: results.
    pub(crate) fn to_stdout() -> Self {
        Self { out: Box::new(anstream::stdout()) }
    }

    /// Standard error: what went wrong.
    pub(crate) fn to_stderr() -> Self {
        Self { out: Box::new(anstream::stderr()) }
    }

    /// One line. A reader that has gone away is no error of ours.
    pub(crate) fn say(&mut self, tone: Tone, text: impl std::fmt::Display) {
        let style = tone.style();
        let _ = writeln!(self.out, "{style}{text}{style:#}");
    }

    /// A line of several tones.
    pub(crate) fn say_parts(&mut self, parts: &[(Tone, &str)]) {
        for (tone, text) in parts {
            let style = tone.style();
            let _ = write!(self.out, "{style}{text}{style:#}");
        }
        let _ = writeln!(self.out);
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        let _ = writeln!(self.out);
    }

    /// Rows under headings, each column as wide as its widest cell.
    pub(crate) fn table(&mut self, headings: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .chain(headings.get(column).map(|heading| heading.chars().count()))
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        let line = |cells: Vec<&str>| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| {
                format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())))
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.say(Tone::Quiet, line(headings.to_vec()));
        for row in rows {
            self.say(Tone::Plain, line(row.iter().map(String::as_str).collect()));
        }
    }
}

/// Prints a value as JSON on standard output, for scripts.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), super::Stopped> {
    let text = serde_json::to_string_pretty(value).map_err(super::Stopped::could_not)?;
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

/// Prints what was found in each file; whether any of it refuses the file.
pub(crate) fn reports(reports: &[(String, Report)], as_json: bool) -> Result<bool, super::Stopped> {
    let refused = reports.iter().any(|(_, report)| report.has_errors());
    if as_json {
        let files: Vec<_> = reports
            .iter()
            .map(|(file, report)| serde_json::json!({ "file": file, "refused": report.has_errors(), "findings": report.findings }))
            .collect();
        json(&files)?;
    } else {
        let mut lines = Lines::to_stderr();
        for (file, report) in reports {
            let tone = if report.has_errors() { Tone::Stop } else { Tone::Look };
            let text = report.render(file, super::edit::tongue());
            if !text.is_empty() {
                lines.say(tone, text.trim_end());
                lines.gap();
            }
        }
    }
    Ok(refused)
}
