//! Personal access tokens: made, listed and revoked by people, never by tokens.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
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

#[derive(Deserialize, ToSchema)]
#[schema(as = TokenForm)]
pub(super) struct Create {
    #[schema(required, min_length = 1, max_length = 64)]
    name: Option<String>,
    #[serde(default)]
    #[schema(required, min_items = 1, value_type = Vec<ScopeName>)]
    scopes: Vec<String>,
    expires_in_seconds: Option<u64>,
}

/// Makes a token. It is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/tokens",
    request_body = Create,
    responses((status = 201, description = "The token, shown once", body = NewToken)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn create(
    State(state): State<AppState>,
    signed: Signed,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    signed.check_fresh(&state)?;
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
    let answer = NewToken { made: token_json(&token), token: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// My tokens, newest first, expired ones included.
#[utoipa::path(
    get,
    path = "/tokens",
    responses((status = 200, description = "Newest first", body = Tokens)),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<Json<Tokens>, ApiError> {
    let tokens = state.meta.access_tokens(signed.person.id).await?;
    Ok(Json(Tokens { tokens: tokens.iter().map(token_json).collect() }))
}

/// Ends a token, and the room tokens minted with it. Once this answers, none of their sockets
/// commits anything any more.
#[utoipa::path(
    delete,
    path = "/tokens/{token}",
    responses((status = 204, description = "Done")),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
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

/// A scope of a personal access token.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case", as = Scope)]
#[expect(dead_code, reason = "for the document: forms take any text, to say what is wrong with it")]
enum ScopeName {
    Read,
    Write,
    Manage,
    RoomTokens,
}

/// A personal access token, without the token.
#[derive(Serialize, ToSchema)]
struct Token {
    id: String,
    name: String,
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Vec<&'static str>,
    created_at: u64,
    used_at: Option<u64>,
    expires_at: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
}

#[derive(Serialize, ToSchema)]
struct NewToken {
    #[serde(flatten)]
    made: Token,
    /// Shown once.
    token: String,
}

fn token_json(token: &AccessToken) -> Token {
    Token {
        id: RoomId::from_bytes(token.id).to_string(),
        name: token.name.clone(),
        scopes: token.scopes.names().collect(),
        created_at: token.created_at,
        used_at: token.used_at,
        expires_at: token.expires_at,
    }
}
