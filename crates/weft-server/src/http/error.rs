//! What the API answers when it refuses or fails: a status, a stable code, parameters.

use std::error::Error;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use weft_core::{Fault, Right};
use weft_store::{MetaError, Refusal, Scope};

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
    /// The password is right, and a code of the second factor is needed too.
    SecondFactorNeeded,
    /// The code is not one, or has been used.
    WrongCode,
    /// The browser was not sent to the provider, or too long ago, or its answer has been taken.
    OidcExpired,
    /// The provider cannot be reached.
    OidcUnreachable,
    /// The provider has not let the person in.
    OidcRefused,
    /// What the provider says does not count.
    OidcFailed,
    /// The person is known, and may not sign in.
    AccountDeactivated,
    /// Nobody gets an account with this address, or without one.
    EmailNotAllowed,
    /// The invite link is for an address that the provider does not call the person's.
    EmailNotInvited,
    /// Somebody else signs in with this identity.
    IdentityTaken,
    /// The person has an identity of this provider already.
    IdentityLinked,
    /// The identity is not the one of whoever is signed in.
    OtherIdentity,
    /// The person has no password, without which they could not sign in any more.
    NoPassword,
    /// The sign-in is too old to manage rights or the account: it takes the password again.
    SignInAgain,
    /// The link has a password, which was not given.
    LinkPasswordNeeded,
    /// The link has another password.
    WrongLinkPassword,
    /// The right to do this is missing.
    NoRight {
        /// The least that suffices.
        needed: Right,
    },
    /// The token was made without the scope that this takes.
    NoScope {
        /// Which.
        needed: Scope,
    },
    /// Tokens cannot do this: it takes a sign-in.
    SignInNeeded,
    /// Only administrators may do this.
    NotAdmin,
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
    /// The second factor is on already.
    SecondFactorOn,
    /// Nobody would be left who administers the workspace.
    LastAdmin,
    /// Somebody must take over what others work in.
    HeirNeeded,
    /// No mail leaves this server.
    NoMail,
    /// Mail did not leave.
    MailFailed {
        /// What the other server, or the way there, has to say.
        why: String,
    },
    /// The command line has said so for good.
    SetAtStart,
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
    /// The space holds all that it may.
    QuotaExceeded,
    /// The store takes no changes, or cannot be read.
    StoreFailed,
    /// The room cannot be loaded.
    RoomUnavailable,
    /// What a room says to an update, or to a question about its content.
    Room(Fault),
}

impl ApiError {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.parts().1
    }

    fn parts(&self) -> (StatusCode, &'static str, Value) {
        match self {
            Self::BadRequest { field, reason } => {
                (StatusCode::BAD_REQUEST, "bad_request", json!({"field": field, "reason": reason}))
            }
            Self::BadJson => (StatusCode::BAD_REQUEST, "bad_json", json!({})),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "not_signed_in", json!({})),
            Self::WrongCredentials => (StatusCode::UNAUTHORIZED, "wrong_credentials", json!({})),
            Self::SecondFactorNeeded => {
                (StatusCode::UNAUTHORIZED, "second_factor_needed", json!({}))
            }
            Self::WrongCode => (StatusCode::UNAUTHORIZED, "wrong_code", json!({})),
            Self::OidcExpired => (StatusCode::GONE, "oidc_expired", json!({})),
            Self::OidcUnreachable => (StatusCode::BAD_GATEWAY, "oidc_unreachable", json!({})),
            Self::OidcRefused => (StatusCode::FORBIDDEN, "oidc_refused", json!({})),
            Self::OidcFailed => (StatusCode::BAD_GATEWAY, "oidc_failed", json!({})),
            Self::AccountDeactivated => (StatusCode::FORBIDDEN, "account_deactivated", json!({})),
            Self::EmailNotAllowed => (StatusCode::FORBIDDEN, "email_not_allowed", json!({})),
            Self::EmailNotInvited => (StatusCode::FORBIDDEN, "email_not_invited", json!({})),
            Self::IdentityTaken => (StatusCode::CONFLICT, "identity_taken", json!({})),
            Self::IdentityLinked => (StatusCode::CONFLICT, "identity_linked", json!({})),
            Self::OtherIdentity => (StatusCode::FORBIDDEN, "other_identity", json!({})),
            Self::NoPassword => (StatusCode::CONFLICT, "no_password", json!({})),
            Self::SignInAgain => (StatusCode::FORBIDDEN, "sign_in_again", json!({})),
            Self::LinkPasswordNeeded => {
                (StatusCode::UNAUTHORIZED, "link_password_needed", json!({}))
            }
            Self::WrongLinkPassword => (StatusCode::UNAUTHORIZED, "wrong_link_password", json!({})),
            Self::NoRight { needed } => {
                (StatusCode::FORBIDDEN, "no_right", json!({"needed": needed.name()}))
            }
            Self::NoScope { needed } => {
                (StatusCode::FORBIDDEN, "no_scope", json!({"needed": needed.name()}))
            }
            Self::SignInNeeded => (StatusCode::FORBIDDEN, "sign_in_needed", json!({})),
            Self::NotAdmin => (StatusCode::FORBIDDEN, "no_right", json!({"needed": "admin"})),
            Self::RegistrationClosed => (StatusCode::FORBIDDEN, "registration_closed", json!({})),
            Self::BadOrigin => (StatusCode::FORBIDDEN, "bad_origin", json!({})),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", json!({})),
            Self::BadMethod => (StatusCode::METHOD_NOT_ALLOWED, "bad_method", json!({})),
            Self::UsernameTaken => (StatusCode::CONFLICT, "username_taken", json!({})),
            Self::EmailTaken => (StatusCode::CONFLICT, "email_taken", json!({})),
            Self::KeyTaken => (StatusCode::CONFLICT, "key_taken", json!({})),
            Self::SecondFactorOn => (StatusCode::CONFLICT, "second_factor_on", json!({})),
            Self::LastAdmin => (StatusCode::CONFLICT, "last_admin", json!({})),
            Self::HeirNeeded => (StatusCode::CONFLICT, "heir_needed", json!({})),
            Self::NoMail => (StatusCode::CONFLICT, "no_mail", json!({})),
            Self::MailFailed { why } => {
                (StatusCode::BAD_GATEWAY, "mail_failed", json!({"why": why}))
            }
            Self::SetAtStart => (StatusCode::CONFLICT, "set_at_start", json!({})),
            Self::SetupDone => (StatusCode::CONFLICT, "setup_done", json!({})),
            Self::LinkExpired => (StatusCode::GONE, "link_expired", json!({})),
            Self::TooLarge { limit } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", json!({"limit": limit}))
            }
            Self::TooManyAttempts { retry_ms } => {
                let params = json!({"retry_ms": retry_ms});
                (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", params)
            }
            Self::QuotaExceeded => (StatusCode::INSUFFICIENT_STORAGE, "quota_exceeded", json!({})),
            Self::StoreFailed => (StatusCode::SERVICE_UNAVAILABLE, "store_failed", json!({})),
            Self::RoomUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "room_unavailable", json!({}))
            }
            Self::Room(fault) => room_parts(fault),
        }
    }
}

/// The codes of rooms that HTTP callers can meet; with any other they are told to come back.
fn room_parts(fault: &Fault) -> (StatusCode, &'static str, Value) {
    let (status, code) = match &*fault.code {
        "no_right" => (StatusCode::FORBIDDEN, "no_right"),
        "not_found" => (StatusCode::NOT_FOUND, "not_found"),
        "not_merged" => (StatusCode::CONFLICT, "not_merged"),
        "trashed" => (StatusCode::CONFLICT, "trashed"),
        "room_full" => (StatusCode::CONFLICT, "room_full"),
        "too_large" => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        "op_too_large" => (StatusCode::PAYLOAD_TOO_LARGE, "op_too_large"),
        "op_malformed" => (StatusCode::UNPROCESSABLE_ENTITY, "op_malformed"),
        "missing_predecessors" => (StatusCode::UNPROCESSABLE_ENTITY, "missing_predecessors"),
        "quarantined" => (StatusCode::UNPROCESSABLE_ENTITY, "quarantined"),
        "quota_exceeded" => (StatusCode::INSUFFICIENT_STORAGE, "quota_exceeded"),
        "store_failed" => (StatusCode::SERVICE_UNAVAILABLE, "store_failed"),
        "busy" => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "room_unavailable"),
    };
    let number = |text: &String| text.parse::<u64>().map_or_else(|_| json!(text), |n| json!(n));
    let params = fault.params.iter().map(|(name, text)| (name.to_string(), number(text)));
    (status, code, params.collect())
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
            Refusal::TooManyTokens { .. } => {
                Self::BadRequest { field: "tokens", reason: "too_many" }
            }
            Refusal::TooManySpaces { .. } => {
                Self::BadRequest { field: "spaces", reason: "too_many" }
            }
            Refusal::TooManyMembers { .. } => {
                Self::BadRequest { field: "members", reason: "too_many" }
            }
            Refusal::TooManyFolders { .. } => {
                Self::BadRequest { field: "folders", reason: "too_many" }
            }
            Refusal::TooManyWebhooks { .. } => {
                Self::BadRequest { field: "webhooks", reason: "too_many" }
            }
            Refusal::TooManyDeliveries { .. } => {
                Self::BadRequest { field: "deliveries", reason: "too_many" }
            }
            Refusal::TooDeep { .. } => Self::BadRequest { field: "parent", reason: "too_deep" },
            Refusal::Inside => Self::BadRequest { field: "parent", reason: "inside" },
            Refusal::QuotaExceeded => Self::QuotaExceeded,
            Refusal::NoRole => Self::NoRight { needed: Right::Manage },
            Refusal::NotATeam => Self::BadRequest { field: "space", reason: "not_a_team" },
            Refusal::NoLinks => Self::BadRequest { field: "link", reason: "not_allowed" },
            Refusal::TooManyGuests { .. } => {
                Self::BadRequest { field: "guests", reason: "too_many" }
            }
            Refusal::PasswordChanged => Self::WrongCredentials,
            Refusal::IdentityGone => Self::OidcExpired,
            Refusal::IdentityTaken => Self::IdentityTaken,
            Refusal::HasIdentity => Self::IdentityLinked,
            Refusal::NoPassword => Self::NoPassword,
            Refusal::SecondFactorOn => Self::SecondFactorOn,
            Refusal::LastAdmin => Self::LastAdmin,
            Refusal::HeirNeeded => Self::HeirNeeded,
            Refusal::BadHeir => Self::BadRequest { field: "heir", reason: "unknown" },
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
            HubError::Meta(error) => error.into(),
            HubError::UnknownKind => Self::BadRequest { field: "kind", reason: "unknown" },
        }
    }
}
