//! Peers that come from other federations' metadata, besides registered ones.
//!
//! | file | what |
//! |---|---|
//! | `aggregate.rs` | a signed document with many entities, verified and taken apart while it is read |
//! | `duration.rs` | how long something may be kept, as XML Schema writes it |

pub mod aggregate;
pub mod duration;
