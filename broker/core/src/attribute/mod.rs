//! What can be said of a person, in neither protocol's words.
//!
//! [`AttributeName`] is closed: an attribute that is not in it does not exist for the broker (default deny). The SAML names stand in
//! `broker-saml/attributes.rs`, the claim names in `broker-oidc/claims.rs`.

pub mod form;
mod name;

use std::collections::BTreeMap;

pub use name::AttributeName;
use serde::{Deserialize, Serialize};

/// Attributes and their values, each value whole as the peer wrote it, in a stable order.
///
/// Debug shows the names and how many values there are, never a value: values are personal data.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<AttributeName, Vec<String>>);

impl Attributes {
    /// No attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one value.
    pub fn add(&mut self, name: AttributeName, value: impl Into<String>) {
        self.0.entry(name).or_default().push(value.into());
    }

    /// Replaces all values of a name; no values removes it.
    pub fn set(&mut self, name: AttributeName, values: Vec<String>) {
        if values.is_empty() {
            self.0.remove(&name);
        } else {
            self.0.insert(name, values);
        }
    }

    /// All values of a name; empty when there is none.
    #[must_use]
    pub fn values(&self, name: AttributeName) -> &[String] {
        self.0.get(&name).map_or(&[], Vec::as_slice)
    }

    /// The value, when there is exactly one.
    #[must_use]
    pub fn single(&self, name: AttributeName) -> Option<&str> {
        match self.values(name) {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The names that have a value, in order.
    pub fn names(&self) -> impl Iterator<Item = AttributeName> + '_ {
        self.0.keys().copied()
    }

    /// Names with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (AttributeName, &[String])> + '_ {
        self.0.iter().map(|(name, values)| (*name, values.as_slice()))
    }

    /// Only the attributes that `keep` says yes to.
    #[must_use]
    pub fn filtered(mut self, mut keep: impl FnMut(AttributeName, &[String]) -> bool) -> Self {
        self.0.retain(|name, values| keep(*name, values));
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, values)| (name, values.len()))).finish()
    }
}
