//! What the person is shown before anything leaves (Sweden Connect, Tekniska anslutningsregler 2.1.2).

use crate::{attribute::AttributeName, release::ReleasedIdentity, request::AuthenticationRequest};

/// One row of the notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// What is sent.
    pub name: AttributeName,
    /// Its values, for the person's own eyes.
    pub values: Vec<String>,
    /// The service says that it cannot do without.
    pub essential: bool,
}

/// The rows of the notice, in the attributes' order.
#[must_use]
pub fn rows(identity: &ReleasedIdentity, request: &AuthenticationRequest) -> Vec<NoticeRow> {
    identity
        .attributes
        .iter()
        .map(|(name, values)| NoticeRow {
            name,
            values: values.to_vec(),
            essential: request.attributes.iter().any(|wanted| wanted.name == name && wanted.essential),
        })
        .collect()
}
