//! An employer's connections as a record of processing (GDPR article 30): purposes, whose data, which data, recipients, since when, on whose word
//! and on what basis, and how long it is kept here: not at all.

use std::fmt::Write as _;

use broker_core::{
    attribute::AttributeName,
    connection::DecidedBy,
    identifier::Language,
    moment::Timestamp,
    organisation::{LocalText, Organisation, OrganisationNumber},
};
use serde::Serialize;

use super::view::View;
use crate::lint::Tongue;

/// The record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessingRecord {
    /// The controller: the employer.
    pub controller: OrganisationNumber,
    /// Its name.
    pub controller_name: LocalText,
    /// When this was made.
    pub made_at: Timestamp,
    /// The revision of the registry that it is made of.
    pub revision: u64,
    /// Whose data.
    pub data_subjects: Words,
    /// How long the broker keeps it.
    pub retention: Words,
    /// Each connection.
    pub connections: Vec<Processing>,
}

/// A sentence in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Words {
    /// Swedish.
    pub sv: &'static str,
    /// English.
    pub en: &'static str,
}

impl Words {
    const fn new(sv: &'static str, en: &'static str) -> Self {
        Self { sv, en }
    }

    fn said(&self, tongue: Tongue) -> &'static str {
        match tongue {
            Tongue::Swedish => self.sv,
            Tongue::English => self.en,
        }
    }
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Processing {
    /// What is told, why, to whom.
    #[serde(flatten)]
    pub view: View,
    /// On whose word; `None`: nobody's by name, or no longer known.
    pub agreed_by: Option<String>,
}

const SUBJECTS: Words = Words::new("Personal som loggar in i tjänsten", "Staff who sign in to the service");
const RETENTION: Words = Words::new(
    "Sparas inte: uppgifterna förmedlas vid inloggningen och finns krypterade i högst fem minuter.",
    "Not kept: the data is passed on in the login, and lies encrypted for at most five minutes.",
);

impl ProcessingRecord {
    /// Of the connections of an employer, each with who decided, in readable form.
    #[must_use]
    pub fn new(
        employer: &Organisation,
        connections: Vec<Processing>,
        (made_at, revision): (Timestamp, u64),
    ) -> Self {
        Self {
            controller: employer.number.clone(),
            controller_name: employer.name.clone(),
            made_at,
            revision,
            data_subjects: SUBJECTS,
            retention: RETENTION,
            connections,
        }
    }

    fn headings(tongue: Tongue) -> [&'static str; 12] {
        match tongue {
            Tongue::Swedish => [
                "Mottagare",
                "Namn",
                "Organisation",
                "Ändamål",
                "Öppen",
                "Registrerade",
                "Uppgifter som lämnas ut",
                "Sedan",
                "Beslutat av",
                "Beslutets art",
                "Rättslig grund",
                "Lagring",
            ],
            Tongue::English => [
                "Recipient",
                "Name",
                "Organisation",
                "Purpose",
                "Open",
                "Data subjects",
                "Data passed on",
                "Since",
                "Agreed by",
                "Kind of decision",
                "Legal basis",
                "Retention",
            ],
        }
    }

    fn row(&self, one: &Processing, tongue: Tongue, label: &dyn Fn(AttributeName) -> String) -> [String; 12] {
        let wanted = language(tongue);
        let text = |text: &LocalText| text.best(&wanted).unwrap_or_default().to_owned();
        let view = &one.view;
        let open = match (view.open, tongue) {
            (true, Tongue::Swedish) => "ja",
            (true, Tongue::English) => "yes",
            (false, Tongue::Swedish) => "nej",
            (false, Tongue::English) => "no",
        };
        [
            view.relying_party.to_string(),
            text(&view.name),
            text(&view.organisation),
            text(&view.purpose),
            open.to_owned(),
            self.data_subjects.said(tongue).to_owned(),
            view.leaves.iter().map(|name| label(*name)).collect::<Vec<_>>().join(", "),
            view.since.map(|at| at.to_rfc3339()).unwrap_or_default(),
            one.agreed_by.clone().unwrap_or_default(),
            kind(view.decided_by).said(tongue).to_owned(),
            view.legal_basis.clone().unwrap_or_default(),
            self.retention.said(tongue).to_owned(),
        ]
    }

    /// As a table that other programs open (RFC 4180). `label` says what an attribute is called.
    #[must_use]
    pub fn csv(&self, tongue: Tongue, label: &dyn Fn(AttributeName) -> String) -> String {
        let line = |cells: &[String]| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
        let mut text = line(&Self::headings(tongue).map(str::to_owned));
        for one in &self.connections {
            text.push_str("\r\n");
            text.push_str(&line(&self.row(one, tongue, label)));
        }
        text.push_str("\r\n");
        text
    }

    /// As a page to print. `label` says what an attribute is called.
    #[must_use]
    pub fn html(&self, tongue: Tongue, label: &dyn Fn(AttributeName) -> String) -> String {
        let (tag, title) = match tongue {
            Tongue::Swedish => ("sv", "Register över behandlingar"),
            Tongue::English => ("en", "Record of processing"),
        };
        let name = self.controller_name.best(&language(tongue)).unwrap_or_default();
        let mut page = format!(
            "<!doctype html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\"><title>{title}</title></head><body>\n<h1>{title}</h1>\n\
             <p>{} ({}), {}</p>\n<table border=\"1\"><caption>{title}</caption>\n<thead><tr>",
            escaped(name),
            self.controller,
            self.made_at.to_rfc3339()
        );
        for heading in Self::headings(tongue) {
            let _ = write!(page, "<th scope=\"col\">{heading}</th>");
        }
        page.push_str("</tr></thead>\n<tbody>\n");
        for one in &self.connections {
            page.push_str("<tr>");
            for cell in self.row(one, tongue, label) {
                let _ = write!(page, "<td>{}</td>", escaped(&cell));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody></table>\n</body></html>\n");
        page
    }
}

fn language(tongue: Tongue) -> Vec<Language> {
    let tag = match tongue {
        Tongue::Swedish => "sv",
        Tongue::English => "en",
    };
    Language::from_tag(tag).into_iter().collect()
}

/// Who decided, in words.
#[must_use]
pub fn kind(by: DecidedBy) -> Words {
    match by {
        DecidedBy::Record => Words::new("organisationens post", "the organisation's record"),
        DecidedBy::Agreement => Words::new("eget beslut", "its own decision"),
        DecidedBy::EmployerCategory => {
            Words::new("eget förval för kategorin", "its own default for the category")
        }
        DecidedBy::Employer => Words::new("eget förval", "its own default"),
        DecidedBy::FederationCategory => {
            Words::new("federationens förval för kategorin", "the federation's default for the category")
        }
        DecidedBy::Federation => Words::new("federationens förval", "the federation's default"),
        DecidedBy::Nobody => Words::new("inget beslut", "no decision"),
    }
}

/// A cell. What a spreadsheet would run as a formula is made text.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
