//! Where a request comes from, as far as limits are concerned.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

use crate::{config::BadSetting, http::ApiError, state::AppState};

/// An address, or for IPv6 its /64, which one household or machine has to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Who sent a request: the socket's other end or, if that is a trusted proxy, the last address
    /// of `X-Forwarded-For` that is not one.
    #[must_use]
    pub fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.holds(address));
        let mut address = plain(peer);
        let hops = headers.get_all("x-forwarded-for").iter().rev();
        let hops = hops.filter_map(|line| line.to_str().ok()).flat_map(|line| line.rsplit(','));
        for hop in hops {
            if !is_trusted(address) {
                break;
            }
            let Ok(hop) = hop.trim().parse() else { break };
            address = plain(hop);
        }
        Self(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.expect("the server is made with connect info").0.ip();
        Ok(Self::of(peer, &parts.headers, &state.config.trusted_proxies))
    }
}

/// A network in CIDR notation, such as `10.0.0.0/8` or `::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    prefix: u32,
}

impl Network {
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        (self.bits ^ bits(address)).checked_shr(128 - self.prefix).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = BadSetting;
    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let bad = || BadSetting(format!("{text:?} is not a network such as 10.0.0.0/8"));
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| bad())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return Err(bad());
        }
        Ok(Self { bits: bits(address), prefix: 128 - width + prefix })
    }
}

/// IPv4 as IPv6 (`::ffff:…`), so that one rule serves both.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// A dual-stack socket shows IPv4 peers as IPv6.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
