//! Who may connect: anybody, or only the proxies that end TLS in front of us.

use std::{collections::BTreeSet, net::IpAddr};

use http::HeaderMap;

/// The proxies in front; empty: none, and everybody connects directly.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trusted(BTreeSet<IpAddr>);

impl Trusted {
    /// These alone.
    pub(crate) fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(addresses.into_iter().map(|address| address.to_canonical()).collect())
    }

    /// Whether there is a proxy in front at all.
    pub(crate) fn is_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether a connection from this address is let in.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.0.contains(&address.to_canonical())
    }
}

/// Whom the proxy in front says that it speaks for: the last address of `X-Forwarded-For`, which it wrote itself. What stands before may be
/// anybody's invention.
pub(super) fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    let bracketed = last.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let without_port = || last.rsplit_once(':').map(|(address, _)| address);
    last.parse().ok().or_else(|| bracketed.or_else(without_port)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{Trusted, forwarded_for};

    #[test]
    fn the_proxy_in_front_is_believed_and_nobody_before_it() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-for", HeaderValue::from_static(value));
            }
            forwarded_for(&headers).map(|address| address.to_string())
        };
        assert_eq!(of(&["192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(of(&["10.9.9.9, 192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(of(&["10.9.9.9", "192.0.2.1:4711"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(of(&["[2001:db8::1]:4711"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(of(&["2001:db8::1"]).as_deref(), Some("2001:db8::1"));
        for nothing in [&[][..], &["unknown"], &["192.0.2.1, "]] {
            assert_eq!(of(nothing), None);
        }
    }

    #[test]
    fn only_the_named_proxies_are_let_in() {
        let trusted = Trusted::new(["10.0.0.1".parse().expect("an address")]);
        assert!(trusted.admits("10.0.0.1".parse().expect("an address")));
        assert!(trusted.admits("::ffff:10.0.0.1".parse().expect("an address")));
        assert!(!trusted.admits("10.0.0.2".parse().expect("an address")));
        assert!(Trusted::default().admits("10.0.0.2".parse().expect("an address")));
    }
}
