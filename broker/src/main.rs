//! The process: `sparvidd`. Everything meets here; nothing depends on it.
//!
//! | path | what |
//! |---|---|
//! | `command/` | what a person types: serve, demo, keys, check, organisation, metadata, saml |
//! | `config/` | the TOML file, every problem with its line |
//! | `wiring.rs` | a running node: store, keys, registry, pages, made from the configuration |
//! | `server/` | sockets: accept, TLS, bounds, drain |
//! | `route.rs` | which path goes to which endpoint |
//! | `endpoint/` | one file per address: parse, call the core through `drive`, respond |
//! | `drive.rs`, `drive/` | the login's trips to the store, in order |
//! | `choice_index.rs` | what the choice of organisation is searched by |
//! | `cookie.rs`, `respond.rs`, `failed.rs` | what a browser is given |
//! | `outbound.rs` | the one client for what we fetch from others |
//! | `page/` | the pages |
//! | `registry_watch.rs`, `desk.rs`, `oidc_keys.rs` | what is followed in the store while serving |
//! | `source_watch/` | other federations' metadata: asked, followed, looked up |
//! | `registry_edit.rs`, `journal.rs`, `prune.rs`, `proposals.rs`, `seen.rs` | how the registry changes: one publication after the other, with a record |
//! | `own_metadata.rs`, `feed.rs` | what we publish: about ourselves, and of the federation |
//! | `alarm.rs` | what somebody must look at though logins go on |
//! | `key_use.rs` | which key of which provider verified a message, noted and written |
//! | `work.rs` | XML and public-key work, off the threads that serve connections |
//! | `throttle.rs` | how often one may ask |
//! | `moment.rs` | the clock and the generator |
//! | `telemetry/` | the log |

mod alarm;
mod api;
mod choice_index;
mod command;
mod config;
mod connections;
mod cookie;
mod desk;
mod drive;
mod endpoint;
mod failed;
mod feed;
mod heavy_work;
mod journal;
mod key_use;
mod moment;
mod oidc_keys;
mod operator;
mod outbound;
mod own_metadata;
mod page;
mod proposals;
mod prune;
mod registry_edit;
mod registry_watch;
mod respond;
mod route;
mod seen;
mod server;
mod source_watch;
mod telemetry;
mod throttle;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
