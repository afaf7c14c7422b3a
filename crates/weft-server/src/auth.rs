//! Who is asking: sign-ins by cookie (browsers) or bearer token (programs), personal access tokens,
//! room tokens, guests.
//!
//! A token is 32 random bytes; only its SHA-256 is stored. A browser sends its cookie with every
//! request, also with those that other sites make it send, so that whatever a cookie authorises
//! must show in `Origin` that it comes from Weft's own pages; bearer tokens need not.
//!
//! Start at [`Signed`], [`Caller`] and [`authenticate_socket`].
//! Not here: what a person may do in a room (`weft_store::Meta::right`).

mod address;
mod cookie;
mod credential;
mod limiter;
mod origin;
mod passwords;
mod secret;
mod totp;

use axum::http::{HeaderMap, header};
use weft_core::Millis;

pub use address::{ClientAddress, Network};
pub(crate) use cookie::{
    clearing_cookie, clearing_journey_cookie, guest_cookie, journey_cookie, journey_secret,
    renewed_cookie, session_cookie,
};
pub(crate) use credential::{
    ACCESS_TOKEN_PREFIX, GUEST_PREFIX, ROOM_TOKEN_PREFIX, link_ends, renewed,
};
pub use credential::{Admin, Caller, Credential, Pass, Signed};
pub(crate) use limiter::{Attempt, Attempts};
pub(crate) use origin::{
    base_url, base_url_at_start, check_origin, check_origin_if_present, reachable,
};
pub(crate) use passwords::Passwords;
pub use secret::Secret;
pub(crate) use secret::random;
pub(crate) use totp::{RECOVERY_CODES, RecoveryCode, Totp};

use crate::{http::ApiError, state::AppState};

/// A sign-in ends this long after its last use, in milliseconds (30 days).
pub const SIGN_IN_IDLE_MS_MAX: Millis = 30 * 24 * 60 * 60 * 1000;

/// How a token came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// In the browser's cookie.
    Cookie,
    /// In `Authorization: Bearer`.
    Bearer,
    /// In the query of a socket's URL.
    Query,
}

/// Who sends a request with these headers. `query_token` is the URL's `token`, for the protocols
/// that allow one there; `guest` the room of which a browser's guest speaks. Says nothing about `Origin`.
///
/// `Authorization` goes first, then the query, then the cookie; one that is present but not valid
/// is not made up for by the next.
///
/// # Errors
/// As [`authenticate_token`].
pub(crate) async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    query_token: Option<&str>,
    guest: Option<&str>,
) -> Result<Signed, ApiError> {
    let (token, via) = token(headers, query_token, guest).ok_or(ApiError::NotSignedIn)?;
    authenticate_token(state, &token, via).await
}

/// Who holds this token.
///
/// # Errors
/// [`ApiError::NotSignedIn`], [`ApiError::StoreFailed`].
pub async fn authenticate_token(
    state: &AppState,
    token: &str,
    via: Via,
) -> Result<Signed, ApiError> {
    let found = credential::look_up(&state.meta, token, via, state.clock.now()).await?;
    found.ok_or(ApiError::NotSignedIn)
}

/// Who opens a socket with these headers. A browser's must come from Weft's own pages.
///
/// # Errors
/// As [`authenticate_token`], and [`ApiError::BadOrigin`].
pub async fn authenticate_socket(
    state: &AppState,
    headers: &HeaderMap,
    query_token: Option<&str>,
    guest: Option<&str>,
) -> Result<Signed, ApiError> {
    let signed = authenticate(state, headers, query_token, guest).await?;
    if signed.via == Via::Cookie {
        check_origin(state, headers)?;
    }
    Ok(signed)
}

fn token(
    headers: &HeaderMap,
    query_token: Option<&str>,
    guest: Option<&str>,
) -> Option<(String, Via)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let bearer = scheme.eq_ignore_ascii_case("bearer");
        return bearer.then(|| (token.trim().to_owned(), Via::Bearer));
    }
    if let Some(token) = query_token {
        return Some((token.to_owned(), Via::Query));
    }
    let token = match guest {
        Some(room) => cookie::guest_token(headers, room)?,
        None => cookie::session_token(headers)?,
    };
    Some((token.to_owned(), Via::Cookie))
}
