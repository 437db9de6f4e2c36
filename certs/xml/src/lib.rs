//! certs/xml
