//! Who is asking: sign-ins by cookie (browsers) or bearer token (programs).
//!
//! A token is 32 random bytes; only its SHA-256 is stored. A browser sends its cookie with every
//! request, also with those that other sites make it send, so that whatever a cookie authorises
//! must show in `Origin` that it comes from Weft's own pages; bearer tokens need not.
//!
//! Start at [`authenticate`] and [`authenticate_socket`].
//! Not here: what a person may do in a room (`weft_store::Meta::right`).

mod address;
mod cookie;
mod limiter;
mod origin;
mod passwords;
mod secret;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};
use weft_core::Millis;
use weft_store::Person;

pub use address::{ClientAddress, Network};
pub(crate) use cookie::{clearing_cookie, renewed_cookie, session_cookie};
pub(crate) use limiter::{Attempt, Attempts};
pub(crate) use origin::{
    base_url, base_url_at_start, check_origin, check_origin_if_present, reachable,
};
pub(crate) use passwords::Passwords;
pub use secret::Secret;
pub(crate) use secret::random;

use crate::{http::ApiError, state::AppState};

/// A sign-in ends this long after its last use, in milliseconds (30 days).
pub const SIGN_IN_IDLE_MS_MAX: Millis = 30 * 24 * 60 * 60 * 1000;

/// Someone who is signed in.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who.
    pub person: Person,
    /// Names the sign-in: SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// From then on the sign-in is not valid any more, unless it is used before.
    pub expires_at: Millis,
    /// How the token came.
    pub via: Via,
}

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
/// that allow one there. Says nothing about `Origin`.
///
/// `Authorization` goes first, then the query, then the cookie; one that is present but not valid
/// is not made up for by the next.
///
/// # Errors
/// [`ApiError::NotSignedIn`], [`ApiError::StoreFailed`].
pub async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    query_token: Option<&str>,
) -> Result<Signed, ApiError> {
    let (token, via) = token(headers, query_token).ok_or(ApiError::NotSignedIn)?;
    let token_hash = Secret::hash_of(&token);
    let sign_in = state.meta.sign_in(&token_hash, state.clock.now()).await?;
    let sign_in = sign_in.ok_or(ApiError::NotSignedIn)?;
    Ok(Signed { person: sign_in.person, token_hash, expires_at: sign_in.expires_at, via })
}

/// Who opens a socket with these headers. A browser's must come from Weft's own pages.
///
/// # Errors
/// As [`authenticate`], and [`ApiError::BadOrigin`].
pub async fn authenticate_socket(
    state: &AppState,
    headers: &HeaderMap,
    query_token: Option<&str>,
) -> Result<Signed, ApiError> {
    let signed = authenticate(state, headers, query_token).await?;
    if signed.via == Via::Cookie {
        check_origin(state, headers)?;
    }
    Ok(signed)
}

impl FromRequestParts<AppState> for Signed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let signed = authenticate(state, &parts.headers, None).await?;
        if signed.via == Via::Cookie && parts.method != Method::GET && parts.method != Method::HEAD
        {
            check_origin(state, &parts.headers)?;
        }
        Ok(signed)
    }
}

fn token(headers: &HeaderMap, query_token: Option<&str>) -> Option<(String, Via)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let bearer = scheme.eq_ignore_ascii_case("bearer");
        return bearer.then(|| (token.trim().to_owned(), Via::Bearer));
    }
    if let Some(token) = query_token {
        return Some((token.to_owned(), Via::Query));
    }
    Some((cookie::session_token(headers)?.to_owned(), Via::Cookie))
}
