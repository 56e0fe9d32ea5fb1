//! Which addresses are in a VPC?

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses, as `10.0.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether the block contains this address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let width: u32 = if self.address.is_ipv4() { 32 } else { 128 };
        let rest = width.saturating_sub(self.prefix.into());
        let leading = |address| bits(address).checked_shr(rest).unwrap_or_default();
        self.address.is_ipv4() == address.is_ipv4() && leading(self.address) == leading(address)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => Ipv6Addr::to_bits(address),
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("expected a block of addresses such as 10.0.0.0/16, found `{text}`");
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= most).ok_or_else(wrong)?;
        Ok(Self { address, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_contains_what_has_its_prefix() {
        let table = [
            ("10.200.0.0/16", "10.200.255.255", true),
            ("10.200.0.0/16", "10.201.0.0", false),
            ("10.200.0.0/16", "fd00::1", false),
            ("0.0.0.0/0", "10.1.4.17", true),
            ("10.1.4.17/32", "10.1.4.17", true),
            ("10.1.4.17/32", "10.1.4.18", false),
            ("fd00::/8", "fd00:1::1", true),
            ("fd00::/8", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
        ];
        for (network, address, contained) in table {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), contained, "{network:?} {address}");
        }
    }

    #[test]
    fn another_text_is_refused() {
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "", "/8"] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains("such as 10.0.0.0/16"), "{error}");
        }
    }
}
