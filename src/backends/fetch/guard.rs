//! The addresses that may be connected to: those of the public internet alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are not public, each with the length of its prefix (IANA's registry of special
/// purposes, and multicast).
const SPECIAL_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

/// Networks within `2000::/3` that are not public: protocol assignments (Teredo among them),
/// documentation, 6to4, and documentation again.
const SPECIAL_V6: [([u16; 2], u32); 4] =
    [([0x2001, 0], 23), ([0x2001, 0xDB8], 32), ([0x2002, 0], 16), ([0x3FFF, 0], 20)];

/// The prefix of IPv4 addresses that a NAT64 gateway translates (RFC 6052).
const NAT64: u128 = 0x0064_FF9B << 96;

/// Tells whether an address is one of the public internet. What stands for an address of IPv4 is judged
/// by that.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            if bits >> 32 == NAT64 >> 32 {
                // The last 32 bits.
                #[expect(clippy::cast_possible_truncation, reason = "the rest is the prefix")]
                return is_public_v4(Ipv4Addr::from_bits(bits as u32));
            }
            is_public_v6(address)
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|(network, length)| {
        let differs = address.to_bits() ^ Ipv4Addr::from(*network).to_bits();
        differs >> (32 - length) == 0
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let prefix = u32::from(first) << 16 | u32::from(second);
    let is_global = first >> 13 == 1;
    let is_special = SPECIAL_V6.iter().any(|([one, other], length)| {
        let network = u32::from(*one) << 16 | u32::from(*other);
        (prefix ^ network) >> (32 - length) == 0
    });
    // An interface of ISATAP has an address of IPv4 at its end (RFC 5214).
    let is_isatap = matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5EFE, ..]);
    is_global && !is_special && !is_isatap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_each_network_are_known() {
        for (address, public) in [
            ("0.255.255.255", false),
            ("1.0.0.0", true),
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("126.255.255.255", true),
            ("128.0.0.0", true),
            ("169.253.255.255", true),
            ("169.254.169.254", false),
            ("169.255.0.0", true),
            ("172.15.255.255", true),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("192.0.0.192", false),
            ("192.0.1.0", true),
            ("192.167.255.255", true),
            ("192.169.0.0", true),
            ("198.17.255.255", true),
            ("198.19.255.255", false),
            ("198.20.0.0", true),
            ("223.255.255.255", true),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::8.8.8.8", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b:1::8.8.8.8", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:1ff:ffff::1", false),
            ("2001:200::1", true),
            ("2001:db8::1", false),
            ("2001:db9::1", true),
            ("2002:808:808::1", false),
            ("2606:4700::1111", true),
            ("2a00::5efe:10.0.0.1", false),
            ("2a00::5eff:10.0.0.1", true),
            ("2a00::200:5efe:10.0.0.1", false),
            ("3fff::1", false),
            ("3fff:1000::1", true),
            ("4000::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fdff::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            let parsed: IpAddr = address.parse().expect("an address");
            assert_eq!(is_public(parsed), public, "{address}");
        }
    }
}
