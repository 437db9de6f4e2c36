//! broker/oidc
