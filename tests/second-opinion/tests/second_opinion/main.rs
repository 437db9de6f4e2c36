//! | file | what is asked |
//! |---|---|
//! | `ours.rs` | does what we sign verify in both, and do they hash the octets that we hash? |
//! | `theirs.rs` | does what they sign within the profile verify in ours? |
//! | `encryption.rs` | does what they encrypt open in ours, and what we encrypt in theirs? |
//! | `mutated.rs` | over a seeded corpus of broken documents: do we ever accept what both refuse, or read what nobody signed? |
//! | `streamed.rs` | the same of metadata that is verified while it is read |
//! | `tree.rs`, `changes.rs`, `rewritings.rs` | documents as they are written, and how they are broken |
//! | `judges.rs`, `documents.rs` | the three verifiers behind one question, and what they are asked about |

mod changes;
mod documents;
mod encryption;
mod judges;
mod mutated;
mod ours;
mod rewritings;
mod streamed;
mod theirs;
mod tree;
