//! Whether a browser's request comes from Weft's own pages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, header};

use crate::{
    http::ApiError,
    state::{App, AppState},
};

/// Refuses a request whose `Origin` is absent or not the server's own.
///
/// # Errors
/// [`ApiError::BadOrigin`].
pub fn check_origin(state: &AppState, headers: &HeaderMap) -> Result<(), ApiError> {
    let own = match &state.config.public_url {
        Some(url) => text(headers, header::ORIGIN).is_some_and(|origin| origin == url.as_str()),
        None => same_host(headers),
    };
    if own { Ok(()) } else { Err(ApiError::BadOrigin) }
}

/// Refuses a request whose `Origin` is not the server's own; programs send none.
///
/// # Errors
/// [`ApiError::BadOrigin`].
pub fn check_origin_if_present(state: &AppState, headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.contains_key(header::ORIGIN) { check_origin(state, headers) } else { Ok(()) }
}

/// Where links lead: the public URL, or wherever this request found us.
pub fn base_url(state: &App, headers: &HeaderMap) -> String {
    if let Some(url) = &state.config.public_url {
        return url.as_str().to_owned();
    }
    let host = text(headers, header::HOST).filter(|host| {
        host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
    });
    match host {
        Some(host) => format!("http://{host}"),
        None => format!("http://{}", reachable(state.address)),
    }
}

/// The address, as someone on this machine can use it.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    address
}

/// Where links lead that are made before anybody has asked for anything.
pub fn base_url_at_start(state: &App) -> String {
    base_url(state, &HeaderMap::new())
}

/// `Origin` names the host that the request was sent to. Without a public URL nobody told us which
/// names are ours; a page of another host cannot forge `Host`.
fn same_host(headers: &HeaderMap) -> bool {
    let (Some(origin), Some(host)) = (text(headers, header::ORIGIN), text(headers, header::HOST))
    else {
        return false;
    };
    let origin_host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    origin_host.is_some_and(|origin_host| origin_host.eq_ignore_ascii_case(host))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
