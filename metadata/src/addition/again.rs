//! Changes that were prepared earlier, judged anew against what is live and what the rules say now: before a proposal is published, and before an
//! old revision is restored. What was good then is not therefore good today.

use broker_core::moment::Timestamp;
use certs::mac::MacKey;

use super::{Choices, Secrets, prepare};
use crate::{
    lint::Report,
    registry::Registry,
    revision::{Change, Entry, EntryId},
};

/// What the rules say now of changes that were prepared earlier, each about its entry. `document` finds a document by its name; `key` is what
/// client secrets are hashed with.
///
/// # Errors
/// The name of a document that is not there.
pub fn check_again(
    changes: &[Change],
    document: &dyn Fn(&str) -> Option<Vec<u8>>,
    key: &MacKey,
    registry: &Registry,
    now: Timestamp,
) -> Result<Report, String> {
    let mut all = Report::new();
    for change in changes {
        let (id, name, choices) = match change {
            Change::AddOrganisation { number, document, .. } => {
                (EntryId::Organisation(number.clone()), document, None)
            }
            Change::AddMetadata { id, entry } => match &**entry {
                Entry::Organisation { document, .. } => (id.clone(), document, None),
                Entry::SamlProvider { document, settings } => {
                    let choices = Choices {
                        organisation: Some(settings.organisation.clone()),
                        speaks_for_exactly: Some(settings.organisations.clone()),
                        subject_source: Some(settings.subject_source),
                        narrowing: Some(settings.narrowing.clone()),
                        behind: Some(settings.behind.clone()),
                        service_provider: settings.service_provider.clone(),
                        ..Choices::default()
                    };
                    (id.clone(), document, Some(choices))
                }
                Entry::OidcClient { document, settings } => {
                    let client_id = match id {
                        EntryId::OidcClient(client) => Some(client.to_string()),
                        _ => None,
                    };
                    let organisation = Some(settings.organisation.clone());
                    (id.clone(), document, Some(Choices { organisation, client_id, ..Choices::default() }))
                }
            },
            // What goes, and what is suspended, says nothing that a rule could refuse.
            Change::Remove { .. }
            | Change::Suspend { .. }
            | Change::Resume { .. }
            | Change::Connection { .. } => continue,
        };
        let octets = document(name).ok_or_else(|| name.clone())?;
        let about = match &id {
            EntryId::Organisation(number) => number.to_string(),
            EntryId::SamlProvider(provider) => provider.to_string(),
            EntryId::OidcClient(client) => client.to_string(),
        };
        let report = match choices {
            None => crate::organisation::read(&String::from_utf8_lossy(&octets)).1,
            // No secret is made for good here: what the change has stays.
            Some(choices) => prepare(&octets, &choices, Secrets { key, fresh: "" }, registry, now).report,
        };
        let mut mine = Report::new();
        // Of a file with several entities, what is said of the file and of this one.
        mine.findings.extend(
            report
                .findings
                .into_iter()
                .filter(|finding| finding.about.as_ref().is_none_or(|other| *other == about)),
        );
        all.add_about(&about, mine);
    }
    Ok(all)
}
