//! Peers that come from other federations' metadata, besides registered ones.
//!
//! A source is a signed aggregate, an MDQ responder or the address of one entity, with keys of its own. What it says is read into small
//! *briefs*, kept by content name, and listed in the source's *members*; one authenticated, numbered head names what every source has. The
//! registry of a node is what is registered, joined by what the sources have, in the order of the configuration.
//!
//! | file | what |
//! |---|---|
//! | `settings.rs` | what the operator decides about a source: kind, keys, bounds, filters, what its publisher is believed to have verified |
//! | `aggregate.rs` | a signed document, verified and taken apart |
//! | `duration.rs` | how long something may be kept, as XML Schema writes it |
//! | `brief.rs` | what is kept of one entity |
//! | `filter.rs` | ordered steps that keep or drop entities |
//! | `reading.rs` | a document of a source to its members: what is new, what changed, what went |
//! | `holding.rs` | what a source has: members, validity, counts; the index over all sources |
//! | `judged.rs` | whether a newer document may take an older one's place |
//! | `joining.rs` | which members become providers, under whose record; why the others do not |
//!
//! Pure functions; the process fetches, keeps and swaps. Neighbours: `registry` holds what joined, `saml` reads entities, `revision` has the
//! form of heads.

pub mod aggregate;
mod brief;
pub mod duration;
mod filter;
mod holding;
mod joining;
mod judged;
mod reading;
mod settings;

pub use brief::{Brief, Unfit};
pub use filter::{Filtered, What};
pub use holding::{Counts, Held, Index, Member, Members, Pins, Unreadable};
pub use joining::{InUse, Joined, Joining, Loose, Sourced, WithheldMember};
pub use judged::{NotNewer, Times, may_follow};
pub use reading::{Difference, Read, Reading};
pub use settings::{SourceKind, SourceSettings, Step, Vouches};

#[cfg(test)]
mod tests;
