//! broker/saml
