//! A file that was given and is not handed in: sealed records, bound to the browser that gave it, gone after a day. A file may hold a client's secret, so
//! it lies in the store as no content does. It is never changed: an answer to a question makes another record of the same parts.

use std::io::{Read as _, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{moment::Timestamp, subject::SubjectSource};
use broker_store::{
    record::{Binding, Handle, Place, RecordKind},
    vault::{Found, NewRecord, VaultError},
};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde::{Deserialize, Serialize};

use super::{LARGEST_FILE, visit::Visit};
use crate::{moment, wiring::Node};

/// How long it is kept.
const KEPT_SECONDS: i64 = 24 * 3600;
/// Octets of a part, packed; as base64 it fits into a record.
const PART: usize = 90 * 1024;

/// What is kept beside the octets.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Given {
    /// What the person calls it.
    pub(super) name: String,
    /// When it came.
    pub(super) at: Timestamp,
    /// A secret for a relying party that needs one.
    pub(super) fresh: String,
    /// What a relying party is to be called, where the file does not say.
    pub(super) client_id: Option<String>,
    /// What identities are made from, where the file does not say.
    pub(super) subject_source: Option<SubjectSource>,
    parts: Vec<Handle>,
}

/// A file that was given, with its octets.
pub(super) struct Opened {
    /// What is kept beside.
    pub(super) given: Given,
    /// The file.
    pub(super) octets: Vec<u8>,
}

/// Keeps a file; gives the name of its page.
pub(super) async fn keep(
    node: &Node,
    visit: &Visit,
    name: &str,
    octets: &[u8],
) -> Result<Handle, VaultError> {
    let moment = moment::moment();
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
    let packed = packer.write_all(octets).and_then(|()| packer.finish());
    let packed = packed.map_err(|error| VaultError::Unfit(error.to_string()))?;
    let parts: Vec<(Handle, String)> =
        packed.chunks(PART).map(|part| (node.vault.new_handle(moment), STANDARD.encode(part))).collect();
    let given = Given {
        name: name.chars().filter(|letter| !letter.is_control()).take(100).collect(),
        at: moment.now,
        fresh: base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(moment.random::<32>()),
        client_id: None,
        subject_source: None,
        parts: parts.iter().map(|(handle, _)| handle.clone()).collect(),
    };
    let ends = moment.now.plus(KEPT_SECONDS);
    let head = node.vault.new_handle(moment);
    let records: Result<Vec<NewRecord<'_>>, VaultError> = parts
        .iter()
        .map(|(handle, part)| NewRecord::new(place(RecordKind::GivenPart, handle, visit), part, ends))
        .chain(std::iter::once(NewRecord::new(place(RecordKind::GivenFile, &head, visit), &given, ends)))
        .collect();
    node.vault.put_all(moment, &records?).await?;
    Ok(head)
}

/// Keeps the answers to questions about a file, under a new name; the file is the same.
pub(super) async fn answer(node: &Node, visit: &Visit, given: &Given) -> Result<Handle, VaultError> {
    let moment = moment::moment();
    let head = node.vault.new_handle(moment);
    let ends = given.at.plus(KEPT_SECONDS);
    node.vault.put(moment, place(RecordKind::GivenFile, &head, visit), given, ends).await?;
    Ok(head)
}

/// The file of a page's name; `None`: there is none, or not for this browser.
pub(super) async fn open(node: &Node, visit: &Visit, name: &str) -> Result<Option<Opened>, VaultError> {
    let moment = moment::moment();
    let Some(head) = Handle::parse(name) else { return Ok(None) };
    let read = node.vault.read::<Given, ()>(moment, place(RecordKind::GivenFile, &head, visit)).await;
    let Some(given) = live(read)? else { return Ok(None) };
    let mut packed = Vec::new();
    for handle in &given.parts {
        let read = node.vault.read::<String, ()>(moment, place(RecordKind::GivenPart, handle, visit)).await;
        let Some(part) = live(read)? else { return Ok(None) };
        packed.extend(STANDARD.decode(part).map_err(|_| VaultError::Corrupt)?);
    }
    let mut octets = Vec::new();
    let bound = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX).saturating_add(1);
    DeflateDecoder::new(packed.as_slice())
        .take(bound)
        .read_to_end(&mut octets)
        .map_err(|_| VaultError::Corrupt)?;
    Ok(Some(Opened { given, octets }))
}

/// Octets that no node wrote here are as if there were none.
fn live<T>(read: Result<Found<T, ()>, VaultError>) -> Result<Option<T>, VaultError> {
    match read {
        Ok(Found::Live(value)) => Ok(Some(value)),
        Ok(Found::Spent(()) | Found::Absent) | Err(VaultError::Corrupt) => Ok(None),
        Err(error) => Err(error),
    }
}

fn place<'a>(kind: RecordKind, handle: &'a Handle, visit: &'a Visit) -> Place<'a> {
    Place { kind, handle, binding: Binding::Cookie(visit.binding()) }
}
