//! Registers everybody's files, as a federation operator does with `sparvidd organisation add` and `sparvidd metadata add`: the same
//! functions, and a file that has an error is refused here as there.

use std::path::Path;

use broker_core::{attribute::AttributeName, subject::SubjectSource};
use metadata::{addition::Choices, lint::Report};

use super::{
    SERVICE_FILE, Stopped,
    cast::{EMPLOYERS, ENTITLED},
    metadata_file, organisation_file,
    places::Folder,
};
use crate::{
    command::{
        edit::{self, Edit},
        metadata as peers, organisation as records,
    },
    config::Config,
};

/// Registers all of them: records first, since a peer needs somebody who answers for it.
///
/// # Errors
/// What the registry refuses, as the operator would be told.
pub(super) async fn all(config: Config, folder: &Folder) -> Result<(), Stopped> {
    let mut edit = Edit::of(config).await?;
    let mut read = Vec::new();
    for employer in EMPLOYERS {
        let file = folder.path(&organisation_file(employer));
        let text = String::from_utf8(edit::read_file(&file)?).map_err(Stopped::could_not)?;
        let (record, report) = ::metadata::organisation::read(&text);
        refuse(&file, &report)?;
        read.extend(record.map(records::NewRecord::from));
    }
    records::put(&mut edit, &read).await?;
    for employer in EMPLOYERS {
        let choices = Choices {
            subject_source: SubjectSource::from_key(employer.dialect.subject_source()),
            ..Choices::default()
        };
        add(&mut edit, &folder.path(&metadata_file(employer)), &choices).await?;
    }
    // The operator's decision that the service may be given what no scope stands for: HSA-id and unit.
    let entitled = ENTITLED.iter().filter_map(|key| AttributeName::from_key(key)).collect();
    let choices = Choices { attributes: Some(entitled), ..Choices::default() };
    add(&mut edit, &folder.path(SERVICE_FILE), &choices).await
}

async fn add(edit: &mut Edit, file: &Path, choices: &Choices) -> Result<(), Stopped> {
    let files = [(file.display().to_string(), edit::read_file(file)?)];
    let added = peers::put(edit, &files, choices, false).await?;
    for (_, report) in &added.reports {
        refuse(file, report)?;
    }
    Ok(())
}

/// A file of the demo that is refused is a fault of the demo: everything is said, so that it can be mended.
fn refuse(file: &Path, report: &Report) -> Result<(), Stopped> {
    if !report.has_errors() {
        return Ok(());
    }
    Err(Stopped::could_not(report.render(&file.display().to_string(), edit::tongue())))
}
