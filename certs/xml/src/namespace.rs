//! Every namespace that this project writes, each with the one prefix that it is written with.
//!
//! The list is closed: because prefixes are unique here, an element of ours can never need one prefix for two meanings, and
//! writing it cannot fail for that. Neighbours: `tree.rs` writes with these; readers compare with [`Namespace::uri`].

/// A namespace and the prefix that we write it with. Only this file makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace {
    uri: &'static str,
    prefix: &'static str,
}

impl Namespace {
    const fn new(prefix: &'static str, uri: &'static str) -> Self {
        Self { uri, prefix }
    }

    /// The name of the namespace.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        self.uri
    }

    /// The prefix that we write it with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        self.prefix
    }
}

macro_rules! namespaces {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $uri:literal;)*) => {
        $($(#[$doc])* pub const $name: Namespace = Namespace::new($prefix, $uri);)*
        #[cfg(test)]
        const ALL: &[Namespace] = &[$($name),*];
    };
}

namespaces! {
    /// `xml:lang`, `xml:id`: bound without being declared (Namespaces in XML 1.0, section 3).
    XML = "xml", "http://www.w3.org/XML/1998/namespace";
    /// SAML 2.0 assertions.
    SAML = "saml", "urn:oasis:names:tc:SAML:2.0:assertion";
    /// SAML 2.0 protocol messages.
    SAMLP = "samlp", "urn:oasis:names:tc:SAML:2.0:protocol";
    /// SAML 2.0 metadata.
    MD = "md", "urn:oasis:names:tc:SAML:2.0:metadata";
    /// XML Signature 1.1.
    DS = "ds", "http://www.w3.org/2000/09/xmldsig#";
    /// XML Signature 1.1, the names new in that version.
    DSIG11 = "dsig11", "http://www.w3.org/2009/xmldsig11#";
    /// XML Encryption 1.0 and 1.1.
    XENC = "xenc", "http://www.w3.org/2001/04/xmlenc#";
    /// XML Encryption 1.1, the names new in that version.
    XENC11 = "xenc11", "http://www.w3.org/2009/xmlenc11#";
    /// Exclusive canonical XML 1.0: `InclusiveNamespaces`.
    EC = "ec", "http://www.w3.org/2001/10/xml-exc-c14n#";
    /// SAML metadata for user interfaces: names, logos, descriptions.
    MDUI = "mdui", "urn:oasis:names:tc:SAML:metadata:ui";
    /// SAML metadata entity attributes: entity categories, assurance certification.
    MDATTR = "mdattr", "urn:oasis:names:tc:SAML:metadata:attribute";
    /// SAML metadata registration and publication information.
    MDRPI = "mdrpi", "urn:oasis:names:tc:SAML:metadata:rpi";
    /// SAML metadata algorithm support.
    ALG = "alg", "urn:oasis:names:tc:SAML:metadata:algsupport";
    /// Shibboleth metadata: `Scope`.
    SHIBMD = "shibmd", "urn:mace:shibboleth:metadata:1.0";
    /// SAML identity provider discovery: `DiscoveryResponse`.
    IDPDISC = "idpdisc", "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol";
    /// SAML request initiation: `RequestInitiator`.
    INIT = "init", "urn:oasis:names:tc:SAML:profiles:SSO:request-init";
    /// REFEDS metadata: the security contact.
    REMD = "remd", "http://refeds.org/metadata";
    /// `PrincipalSelection` of the Swedish eID framework.
    PSC = "psc", "http://id.swedenconnect.se/authn/1.0/principal-selection/ns";
    /// `SignMessage` of the Swedish eID framework.
    CSIG = "csig", "http://id.elegnamnden.se/csig/1.1/dss-ext/ns";
    /// `UserMessage` of the Swedish eID framework.
    UMSG = "umsg", "http://id.swedenconnect.se/authn/1.0/user-message/ns";
    /// `OrganizationNumber` of the Swedish eID framework.
    MDORGEXT = "mdorgext", "http://id.swedenconnect.se/authn/1.0/md-org-ext/ns";
    /// SAML asynchronous logout: `Asynchronous`.
    ASLO = "aslo", "urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo";
    /// XML Schema, named in values of `xsi:type`.
    XS = "xs", "http://www.w3.org/2001/XMLSchema";
    /// XML Schema instance: `xsi:type`, `xsi:nil`.
    XSI = "xsi", "http://www.w3.org/2001/XMLSchema-instance";
    /// SOAP 1.1 envelopes, for the back channels of SAML.
    SOAP = "soap", "http://schemas.xmlsoap.org/soap/envelope/";
}

/// The name of the namespace of declarations themselves; nothing may be bound to it.
pub(crate) const XMLNS_URI: &str = "http://www.w3.org/2000/xmlns/";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::ALL;

    #[test]
    fn every_prefix_and_every_name_stands_once() {
        assert_eq!(ALL.iter().map(|namespace| namespace.prefix()).collect::<HashSet<_>>().len(), ALL.len());
        assert_eq!(ALL.iter().map(|namespace| namespace.uri()).collect::<HashSet<_>>().len(), ALL.len());
    }
}
