//! For those who run the server: alive, ready, figures.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{http::ApiError, state::AppState};

/// The process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    responses((status = 200, description = "It lives", body = String)),
    extensions(("x-weft-access" = json!({"credential": "none"})))
)]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Requests can be served.
#[utoipa::path(
    get,
    path = "/readyz",
    responses((status = 200, description = "Ready", body = String), (status = 503, description = "Not ready", body = String)),
    extensions(("x-weft-access" = json!({"credential": "none"})))
)]
pub async fn readyz(State(state): State<AppState>) -> Response {
    if state.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

/// Figures for Prometheus. They tell of people's habits, hence from this machine alone, and not
/// through a proxy on it.
pub async fn metrics(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<String, ApiError> {
    let proxied =
        headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
    if proxied || !peer.ip().to_canonical().is_loopback() {
        return Err(ApiError::NotFound);
    }
    Ok(state.metrics.render())
}
