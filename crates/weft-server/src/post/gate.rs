//! Where letters may be sent: not into the network that this server stands in, unless an administrator says so.
//!
//! Whoever says where webhooks or notices go could otherwise have the server ask what only the server can reach: other programs of its
//! machine, its network, the metadata of its cloud. Names are no help in telling: what counts is the address that the
//! connection goes to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::auth::Network;

const URL_BYTES_MAX: usize = 2_048;

/// The rule of where letters may be sent.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    allowed: Vec<Network>,
}

impl Gate {
    /// Public addresses by https, and those of these networks by http, too.
    pub fn new(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Whether something may be sent to this address.
    pub fn lets_through(&self, address: IpAddr, is_https: bool) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.holds(address))
            || (is_https && is_public(address))
    }

    /// Reads where letters are to go.
    ///
    /// # Errors
    /// What is wrong with it, as a reason of `bad_request`.
    pub fn read(&self, text: &str) -> Result<Url, &'static str> {
        if text.len() > URL_BYTES_MAX {
            return Err("too_long");
        }
        let url = Url::parse(text).map_err(|_| "malformed")?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err("malformed"),
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("malformed");
        }
        if !is_https && self.allowed.is_empty() {
            return Err("https_needed");
        }
        let address: IpAddr = match url.host() {
            None => return Err("malformed"),
            // Names are looked up each time that something is sent.
            Some(Host::Domain(_)) => return Ok(url),
            Some(Host::Ipv4(v4)) => v4.into(),
            Some(Host::Ipv6(v6)) => v6.into(),
        };
        if self.lets_through(address, is_https) { Ok(url) } else { Err("not_allowed") }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// All but what IANA's registry of special addresses lists as not globally reachable, multicast and what is reserved.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Global unicast, without tunnels into IPv4, documentation, and what protocols keep for themselves. Where IPv4 is
/// reached by way of IPv6 alone (NAT64), the address inside counts.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(allowed: &[&str]) -> Gate {
        Gate::new(allowed.iter().map(|network| network.parse().unwrap()).collect())
    }

    #[test]
    fn only_public_addresses_are_let_through() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "169.253.1.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2001:4860:4860::8888",
            "2a00::1",
        ];
        let inner = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
            "4000::1",
        ];
        for address in public {
            assert!(gate(&[]).lets_through(address.parse().unwrap(), true), "{address}");
            assert!(!gate(&[]).lets_through(address.parse().unwrap(), false), "{address}");
        }
        for address in inner {
            assert!(!gate(&[]).lets_through(address.parse().unwrap(), true), "{address}");
        }
    }

    #[test]
    fn administrators_may_open_networks() {
        let gate = gate(&["10.0.0.0/8", "::1"]);
        for (address, is_https, through) in [
            ("10.1.2.3", false, true),
            ("::ffff:10.1.2.3", true, true),
            ("::1", false, true),
            ("127.0.0.1", true, false),
            ("11.0.0.1", false, false),
            ("11.0.0.1", true, true),
        ] {
            assert_eq!(gate.lets_through(address.parse().unwrap(), is_https), through, "{address}");
        }
    }

    #[test]
    fn urls_that_lead_inside_are_refused() {
        let long = format!("https://example.org/{}", "x".repeat(2_100));
        let check = |allowed: &[&str], url: &str, fault: Option<&str>| {
            assert_eq!(gate(allowed).read(url).err(), fault, "{url}");
        };
        check(&[], "https://example.org/in?a=b", None);
        check(&[], "https://example.org:8443/", None);
        check(&[], "https://1.1.1.1/", None);
        check(&[], "http://example.org/", Some("https_needed"));
        check(&[], "https://127.0.0.1/", Some("not_allowed"));
        // What browsers take for an address is one.
        check(&[], "https://0x7f.1/", Some("not_allowed"));
        check(&[], "https://2130706433/", Some("not_allowed"));
        check(&[], "https://0177.0.0.1/", Some("not_allowed"));
        check(&[], "https://[::ffff:127.0.0.1]/", Some("not_allowed"));
        check(&[], "https://user@example.org/", Some("malformed"));
        check(&[], "https://:secret@example.org/", Some("malformed"));
        check(&[], "https://example.org/#there", Some("malformed"));
        check(&[], "ftp://example.org/", Some("malformed"));
        check(&[], "file:///etc/passwd", Some("malformed"));
        check(&[], "example.org", Some("malformed"));
        check(&[], "", Some("malformed"));
        check(&[], &long, Some("too_long"));
        check(&["127.0.0.1"], "http://127.0.0.1:9/", None);
        check(&["127.0.0.1"], "http://1.1.1.1/", Some("not_allowed"));
        // Looked up when something is sent.
        check(&["127.0.0.1"], "http://localhost/", None);
    }
}
