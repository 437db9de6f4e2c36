//! Which addresses are somebody's on the public Internet, and which networks the operator lets us into all the same.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A network: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether an address lies in it.
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                u32::from(own) & mask == u32::from(other) & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                u128::from(own) & mask == u128::from(other) & mask
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    /// `10.0.0.0/8`, `fd00::/8`, or one address.
    fn from_str(text: &str) -> Result<Self, String> {
        let unreadable = || format!("{text} is no network: write 10.0.0.0/8, fd00::/8 or one address");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| unreadable())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(unreadable());
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The public Internet, and the operator's exceptions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed(Vec<Network>);

impl Allowed {
    /// With exceptions.
    pub(crate) fn new(exceptions: Vec<Network>) -> Self {
        Self(exceptions)
    }

    /// Whether we may connect to an address. One IPv4 address in IPv6 clothes is that IPv4 address.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_public = match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        };
        is_public || self.0.iter().any(|network| network.holds(address))
    }
}

/// Not in the special-purpose registry (RFC 6890 and its successors), and not the one public address at which a cloud keeps its metadata.
fn is_public_v4(address: Ipv4Addr) -> bool {
    const SPECIAL: &[([u8; 4], u32)] = &[
        ([0, 0, 0, 0], 8),        // this network
        ([10, 0, 0, 0], 8),       // private
        ([100, 64, 0, 0], 10),    // behind a carrier's address translation
        ([127, 0, 0, 0], 8),      // this machine
        ([168, 63, 129, 16], 32), // Azure's metadata
        ([169, 254, 0, 0], 16),   // this link, and most clouds' metadata
        ([172, 16, 0, 0], 12),    // private
        ([192, 0, 0, 0], 24),     // protocols, and Oracle's metadata
        ([192, 0, 2, 0], 24),     // documentation
        ([192, 88, 99, 0], 24),   // 6to4 relays
        ([192, 168, 0, 0], 16),   // private
        ([198, 18, 0, 0], 15),    // measurements
        ([198, 51, 100, 0], 24),  // documentation
        ([203, 0, 113, 0], 24),   // documentation
        ([224, 0, 0, 0], 4),      // multicast
        ([240, 0, 0, 0], 4),      // reserved, and broadcast
    ];
    let special = |(octets, bits): &([u8; 4], u32)| {
        Network { address: Ipv4Addr::from(*octets).into(), bits: *bits }.holds(address.into())
    };
    !SPECIAL.iter().any(special)
}

/// Global unicast (2000::/3), without what carries an IPv4 address inside and without documentation. Outside it lie loopback, local and multicast
/// addresses, and those of translators (64:ff9b::/96), behind which may stand any IPv4 address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    const SPECIAL: &[(u16, u16, u32)] = &[
        (0x2001, 0x0000, 23), // protocols, Teredo among them
        (0x2001, 0x0db8, 32), // documentation
        (0x2002, 0x0000, 16), // 6to4
        (0x3fff, 0x0000, 20), // documentation
    ];
    let of = |first, second, bits| Network {
        address: Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0).into(),
        bits,
    };
    let is_in = |network: Network| network.holds(address.into());
    is_in(of(0x2000, 0, 3)) && !SPECIAL.iter().any(|(first, second, bits)| is_in(of(*first, *second, *bits)))
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Network};

    fn permits(allowed: &Allowed, address: &str) -> bool {
        allowed.permits(address.parse().unwrap_or_else(|error| panic!("{address}: {error}")))
    }

    #[test]
    fn what_is_not_public_is_not_called() {
        let allowed = Allowed::default();
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!permits(&allowed, address), "{address}");
        }
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.1.1",
            "193.10.0.1",
            "223.255.255.255",
            "::ffff:193.10.0.1",
            "2001:200::1",
            "2001:6b0::1",
            "2a00::1",
            "2606:4700::1",
        ] {
            assert!(permits(&allowed, address), "{address}");
        }
    }

    #[test]
    fn the_operators_networks_are_called_and_no_address_beside_them() {
        let networks = ["10.1.0.0/16", "fd00:1::/32", "127.0.0.1", "0.0.0.0/32"];
        let networks: Vec<Network> = networks.iter().map(|text| text.parse().expect("a network")).collect();
        let allowed = Allowed::new(networks);
        for address in ["10.1.255.255", "::ffff:10.1.2.3", "fd00:1:ffff::1", "127.0.0.1", "193.10.0.1"] {
            assert!(permits(&allowed, address), "{address}");
        }
        for address in ["10.2.0.0", "10.0.255.255", "fd00:2::1", "127.0.0.2", "::1", "0.0.0.1"] {
            assert!(!permits(&allowed, address), "{address}");
        }
    }

    #[test]
    fn a_network_is_read_or_refused() {
        let all: Allowed = Allowed::new(vec!["0.0.0.0/0".parse().expect("a network")]);
        assert!(permits(&all, "127.0.0.1") && !permits(&all, "::1"));
        for text in
            ["", "10.0.0.0/33", "::/129", "10.0.0/8", "a/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert_eq!(
            "10.0.0.0/8".parse::<Network>().map(|network| network.to_string()),
            Ok("10.0.0.0/8".into())
        );
    }
}
