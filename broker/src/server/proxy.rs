//! Who may connect: anybody, or only the proxies that end TLS in front of us.

use std::{collections::BTreeSet, net::IpAddr};

/// The proxies in front; empty: none, and everybody connects directly.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trusted(BTreeSet<IpAddr>);

impl Trusted {
    /// These alone.
    pub(crate) fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(addresses.into_iter().map(|address| address.to_canonical()).collect())
    }

    /// Whether a connection from this address is let in.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.0.contains(&address.to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::Trusted;

    #[test]
    fn only_the_named_proxies_are_let_in() {
        let trusted = Trusted::new(["10.0.0.1".parse().expect("an address")]);
        assert!(trusted.admits("10.0.0.1".parse().expect("an address")));
        assert!(trusted.admits("::ffff:10.0.0.1".parse().expect("an address")));
        assert!(!trusted.admits("10.0.0.2".parse().expect("an address")));
        assert!(Trusted::default().admits("10.0.0.2".parse().expect("an address")));
    }
}
