//! Personal access tokens: made, listed and revoked by people, never by tokens.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::RoomId;
use weft_store::{AccessToken, NewAccessToken, Scope, Scopes};

use super::{
    ApiError,
    body::{Body, Names},
    fields, to_the_end,
};
use crate::{
    auth::{self, ACCESS_TOKEN_PREFIX, Secret, Signed},
    state::AppState,
};

/// How long a token may last that does not last for ever: five years.
const SECONDS_MAX: u64 = 5 * 365 * 24 * 60 * 60;

#[derive(Deserialize)]
pub(super) struct Create {
    name: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    expires_in_seconds: Option<u64>,
}

/// Makes a token. It is in this answer and nowhere else.
pub(super) async fn create(
    State(state): State<AppState>,
    signed: Signed,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let name = fields::required(fields::optional_name(form.name)?, "name")?;
    let scopes = scopes(&form.scopes)?;
    let seconds = form
        .expires_in_seconds
        .map(|seconds| fields::count(Some(seconds), "expires_in_seconds", 1, SECONDS_MAX))
        .transpose()?;
    let now = state.clock.now();
    let secret = Secret::beginning_with(ACCESS_TOKEN_PREFIX);
    let new = NewAccessToken {
        // Tokens are named in the same letters as rooms.
        id: *RoomId::new(now, auth::random()).as_bytes(),
        token_hash: secret.hash(),
        person: signed.person.id,
        name,
        scopes,
        expires_at: seconds.map(|seconds| now.saturating_add(seconds * 1000)),
    };
    let tokens_max = state.config.limits.access_tokens_per_person_max;
    let token = state.meta.create_access_token(&new, tokens_max, now).await?;
    let mut answer = token_json(&token);
    answer["token"] = json!(secret.reveal());
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// My tokens, newest first, expired ones included.
pub(super) async fn list(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<Json<Value>, ApiError> {
    let tokens = state.meta.access_tokens(signed.person.id).await?;
    let tokens: Vec<Value> = tokens.iter().map(token_json).collect();
    Ok(Json(json!({"tokens": tokens})))
}

/// Ends a token, and the room tokens minted with it. Once this answers, none of their sockets
/// commits anything any more.
pub(super) async fn revoke(
    State(state): State<AppState>,
    signed: Signed,
    Names(token): Names<String>,
) -> Result<StatusCode, ApiError> {
    let id: RoomId = token.parse().map_err(|_| ApiError::NotFound)?;
    to_the_end(async move {
        let token_hash = state.meta.revoke_access_token(signed.person.id, *id.as_bytes()).await?;
        state.hub.signed_out([token_hash]).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn scopes(names: &[String]) -> Result<Scopes, ApiError> {
    if names.is_empty() {
        return Err(ApiError::BadRequest { field: "scopes", reason: "missing" });
    }
    let scopes = names.iter().map(|name| Scope::named(name)).collect::<Option<Scopes>>();
    scopes.ok_or(ApiError::BadRequest { field: "scopes", reason: "unknown" })
}

/// One of `tokens` of `docs/api.md`.
fn token_json(token: &AccessToken) -> Value {
    json!({
        "id": RoomId::from_bytes(token.id).to_string(),
        "name": token.name,
        "scopes": token.scopes.names().collect::<Vec<_>>(),
        "created_at": token.created_at,
        "used_at": token.used_at,
        "expires_at": token.expires_at,
    })
}
