//! Web addresses, as rules ask about them. Exact strings are kept elsewhere: nothing here is ever compared with a message.

use url::{Host, Url};

/// An absolute http or https address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebAddress {
    url: Url,
}

impl WebAddress {
    /// Reads one; `None` when it is not an absolute http or https address, has a user name, or holds white space or controls.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control() || letter == '\\') {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.host_str().is_some_and(|host| !host.is_empty());
        // `https:example.com` is repaired by the URL standard; who wrote that meant something else.
        let written_out = text.get(..8).is_some_and(|front| {
            front.to_ascii_lowercase().starts_with("http://") || front.eq_ignore_ascii_case("https://")
        });
        (plain && written_out).then_some(Self { url })
    }

    /// The host, lower case, international names in their ASCII form.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether it is https.
    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is an address of the very machine that it is opened on, by number or as `localhost` (RFC 8252 7.3).
    pub(crate) fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// Whether traffic to it cannot be read by others: https, the machine itself, or a name under `localhost` (RFC 6761 6.3).
    pub(crate) fn is_private(&self) -> bool {
        self.is_https() || self.is_loopback() || self.host().ends_with(".localhost")
    }

    /// Whether it has a fragment.
    pub(crate) fn has_fragment(&self) -> bool {
        self.url.fragment().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::WebAddress;

    #[test]
    fn only_absolute_web_addresses_without_user_names() {
        for good in ["https://a.example/x?y#z", "http://localhost:8080", "HTTPS://A.example"] {
            assert!(WebAddress::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "/x",
            "a.example",
            "https:a.example",
            "javascript:alert(1)",
            "https://user@a.example",
            "https://a.example/ x",
            "https://a.example\\@b.example",
            "urn:a:b",
        ] {
            assert!(WebAddress::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_stays_on_the_machine() {
        let of =
            |text: &str| WebAddress::parse(text).map(|address| (address.is_private(), address.is_loopback()));
        assert_eq!(of("http://127.0.0.1:3000/"), Some((true, true)));
        assert_eq!(of("http://[::1]/"), Some((true, true)));
        assert_eq!(of("http://idp.granvik.localhost:8080/"), Some((true, false)));
        assert_eq!(of("http://granvik.example/"), Some((false, false)));
        assert_eq!(of("http://localhost.evil.example/"), Some((false, false)));
    }
}
