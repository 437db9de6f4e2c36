//! What every implementation refuses before it asks, and how it says so. The numbers are in [`crate::keyspace`].
//!
//! Neighbours: [`crate::embedded`], [`crate::redis`] and [`crate::admin_socket`] use it.

use std::time::Duration;

use broker_core::port::{Pending, Put, StoreError};

use crate::keyspace::{self, MAX_VALUE};

/// Something stands where a fresh record should.
pub(crate) fn occupied() -> StoreError {
    StoreError::Unexpected("something stands already where a new record should".to_owned())
}

/// Holds values to the cap.
pub(crate) fn check_value(value: &[u8]) -> Result<(), StoreError> {
    if value.len() > MAX_VALUE {
        return Err(StoreError::Unexpected(format!("a value is larger than {MAX_VALUE} octets")));
    }
    Ok(())
}

/// Holds lifetimes to at least a millisecond: less is none, and Redis refuses it.
pub(crate) fn check_lifetime(lifetime: Duration) -> Result<(), StoreError> {
    if lifetime < Duration::from_millis(1) {
        return Err(StoreError::Unexpected("a lifetime is shorter than a millisecond".to_owned()));
    }
    Ok(())
}

/// Holds everything that is to be put to the caps.
pub(crate) fn check_puts(puts: &[Put]) -> Result<(), StoreError> {
    puts.iter().try_for_each(|put| {
        check_value(&put.value)?;
        check_lifetime(put.lifetime)
    })
}

/// Holds contents to the names that they were asked by.
pub(crate) fn contents_as_named(
    names: &[String],
    found: Vec<Option<Vec<u8>>>,
) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    if names.len() != found.len() {
        return Err(StoreError::Unexpected(format!("{} contents for {} names", found.len(), names.len())));
    }
    for (name, content) in names.iter().zip(&found) {
        if content.as_ref().is_some_and(|content| keyspace::content_name(content) != *name) {
            return Err(StoreError::Unexpected(format!("content {name} does not have that SHA-256")));
        }
    }
    Ok(found)
}

/// A verb that is refused before the store is asked.
pub(crate) fn refused<'a, T: Send + 'a>(why: &'static str) -> Pending<'a, T> {
    Box::pin(std::future::ready(Err(StoreError::Unexpected(why.to_owned()))))
}
