//! The whole contract between the login and the protocols: two traits. Code exists per role (2 + 2), never per translation (2 x 2).

pub mod downstream;
pub mod endpoint;
pub mod upstream;

pub use downstream::{Downstream, Outcome, Refusal, ReturnTo};
pub use endpoint::{Inbound, Outbound};
pub use upstream::{Begun, Completion, Fetch, Fetched, Upstream};
