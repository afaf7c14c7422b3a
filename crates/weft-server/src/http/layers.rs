//! What every answer gets: headers that keep browsers careful, and a line in the log. What sockets pass
//! before anybody looks who is there.

use std::time::Instant;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use weft_store::Origin;

use super::ApiError;
use crate::{
    auth::{Attempt, ClientAddress},
    state::AppState,
};

/// Nothing from elsewhere, no inline script, never inside another site's page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    connect-src 'self' ws: wss:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'self'";

/// The headers of every answer.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];
/// A browser that came by https once comes by nothing else for a year.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Sets the headers of every answer.
pub async fn security_headers(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if state.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    response
}

/// Answers of the API are for one person at one time, unless they say otherwise.
pub async fn never_cached(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Says where what the request does comes from, for the audit log.
pub async fn audited(
    State(state): State<AppState>,
    address: ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    let origin = Origin::new(address.to_string(), state.clock.now());
    weft_store::audited(origin, next.run(request)).await
}

/// Counts a socket before it is opened: one that comes and goes without a sign-in has no other limit.
pub async fn sockets_per_address(
    State(state): State<AppState>,
    address: ClientAddress,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    state.attempts.take(Attempt::SocketFrom(address), state.clock.now())?;
    Ok(next.run(request).await)
}

/// One line for each request. Never its query, headers or body: they hold tokens.
pub async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let took = started.elapsed();
    metrics::histogram!("weft_http_seconds").record(took);
    metrics::counter!("weft_http_requests_total", "status" => status.to_string()).increment(1);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%method, %path, status, took_ms, "request");
    response
}
