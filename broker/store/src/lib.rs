//! broker/store
