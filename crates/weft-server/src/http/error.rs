//! What the API answers when it refuses or fails: a status, a stable code, parameters.

use std::error::Error;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use weft_core::Right;
use weft_store::{MetaError, Refusal};

use crate::hub::HubError;

/// Why a call was not carried out, one variant for each code of `docs/api.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// A field cannot be taken.
    BadRequest {
        /// Which.
        field: &'static str,
        /// Why: `missing`, `too_short`, `too_long`, `too_many`, `out_of_range`, `malformed`,
        /// `unknown`, or `owner`.
        reason: &'static str,
    },
    /// The body is no JSON of the expected shape.
    BadJson,
    /// There is no valid sign-in.
    NotSignedIn,
    /// There is no such person, or the password is another.
    WrongCredentials,
    /// The right to do this is missing.
    NoRight {
        /// The least that suffices.
        needed: Right,
    },
    /// Accounts are not made here, or not without an invite link.
    RegistrationClosed,
    /// A browser sent this from a page that is not Weft's.
    BadOrigin,
    /// There is no such thing, or one may not know of it.
    NotFound,
    /// The path exists, but not with this method.
    BadMethod,
    /// Someone has this user name.
    UsernameTaken,
    /// Someone has this e-mail address.
    EmailTaken,
    /// Another room of the owner has this key.
    KeyTaken,
    /// There is an administrator already.
    SetupDone,
    /// The link is used up, expired, revoked or unknown.
    LinkExpired,
    /// The body is too large.
    TooLarge {
        /// The most bytes that are taken.
        limit: u64,
    },
    /// Too many attempts lately.
    TooManyAttempts {
        /// When to come back, in milliseconds.
        retry_ms: u64,
    },
    /// The store takes no changes, or cannot be read.
    StoreFailed,
    /// The room cannot be loaded.
    RoomUnavailable,
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str, Value) {
        match self {
            Self::BadRequest { field, reason } => {
                (StatusCode::BAD_REQUEST, "bad_request", json!({"field": field, "reason": reason}))
            }
            Self::BadJson => (StatusCode::BAD_REQUEST, "bad_json", json!({})),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "not_signed_in", json!({})),
            Self::WrongCredentials => (StatusCode::UNAUTHORIZED, "wrong_credentials", json!({})),
            Self::NoRight { needed } => {
                (StatusCode::FORBIDDEN, "no_right", json!({"needed": needed.name()}))
            }
            Self::RegistrationClosed => (StatusCode::FORBIDDEN, "registration_closed", json!({})),
            Self::BadOrigin => (StatusCode::FORBIDDEN, "bad_origin", json!({})),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", json!({})),
            Self::BadMethod => (StatusCode::METHOD_NOT_ALLOWED, "bad_method", json!({})),
            Self::UsernameTaken => (StatusCode::CONFLICT, "username_taken", json!({})),
            Self::EmailTaken => (StatusCode::CONFLICT, "email_taken", json!({})),
            Self::KeyTaken => (StatusCode::CONFLICT, "key_taken", json!({})),
            Self::SetupDone => (StatusCode::CONFLICT, "setup_done", json!({})),
            Self::LinkExpired => (StatusCode::GONE, "link_expired", json!({})),
            Self::TooLarge { limit } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", json!({"limit": limit}))
            }
            Self::TooManyAttempts { retry_ms } => {
                let params = json!({"retry_ms": retry_ms});
                (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", params)
            }
            Self::StoreFailed => (StatusCode::SERVICE_UNAVAILABLE, "store_failed", json!({})),
            Self::RoomUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "room_unavailable", json!({}))
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, params) = self.parts();
        let body = json!({"error": {"code": code, "params": params}});
        let mut response = (status, Json(body)).into_response();
        if let Self::TooManyAttempts { retry_ms } = self {
            let seconds = HeaderValue::from(retry_ms.div_ceil(1000));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UsernameTaken => Self::UsernameTaken,
            Refusal::EmailTaken => Self::EmailTaken,
            Refusal::KeyTaken => Self::KeyTaken,
            Refusal::TooManyRooms { .. } => Self::BadRequest { field: "rooms", reason: "too_many" },
            Refusal::TooManyInvites { .. } => {
                Self::BadRequest { field: "invites", reason: "too_many" }
            }
            Refusal::SetupDone => Self::SetupDone,
            Refusal::LinkExpired => Self::LinkExpired,
            Refusal::NotFound => Self::NotFound,
            Refusal::IsOwner => Self::BadRequest { field: "username", reason: "owner" },
        }
    }
}

impl From<MetaError> for ApiError {
    fn from(error: MetaError) -> Self {
        match error {
            MetaError::Refused(refusal) => refusal.into(),
            MetaError::Open { .. }
            | MetaError::NewerSchema { .. }
            | MetaError::Damaged(_)
            | MetaError::Store { .. } => {
                tracing::error!(%error, cause = error.source(), "the metadata failed");
                Self::StoreFailed
            }
        }
    }
}

impl From<HubError> for ApiError {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Unavailable => Self::RoomUnavailable,
            HubError::StoreFailed => Self::StoreFailed,
            HubError::UnknownKind => Self::BadRequest { field: "kind", reason: "unknown" },
        }
    }
}
