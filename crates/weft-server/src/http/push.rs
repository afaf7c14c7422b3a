//! Whether notices are pushed to this browser. A sign-in's business, and gone with it.

use axum::{Json, extract::State, http::StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_store::PushSubscription;

use super::{ApiError, body::Body, fields};
use crate::{auth::Signed, push::is_point, state::AppState};

/// What notices are pushed with, and where to.
#[derive(Serialize, ToSchema)]
#[schema(as = Push)]
pub(super) struct PushAnswer {
    /// Whom the browser is to listen to: this server's key, a point of P-256 in base64url.
    public_key: String,
    /// The browser's address at its push service; null: nothing is pushed.
    endpoint: Option<String>,
}

/// Whether notices are pushed to the browser of this sign-in.
#[utoipa::path(
    get,
    path = "/auth/push",
    responses((status = 200, description = "Whether they are", body = PushAnswer)),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn read(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<Json<PushAnswer>, ApiError> {
    let public_key = state.push_key().await?.public();
    let endpoint = state.meta.subscribed(&signed.token_hash).await?;
    Ok(Json(PushAnswer { public_key, endpoint }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PushForm)]
pub(super) struct Subscription {
    /// Where the browser takes it, as its `PushSubscription` says.
    #[schema(required)]
    endpoint: Option<String>,
    /// The browser's key, in base64url.
    #[schema(required)]
    p256dh: Option<String>,
    /// What it shares with this server, in base64url.
    #[schema(required)]
    auth: Option<String>,
}

/// Has notices that come from now on pushed to the browser of this sign-in.
#[utoipa::path(
    put,
    path = "/auth/push",
    request_body = Subscription,
    responses((status = 204, description = "Done")),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn set(
    State(state): State<AppState>,
    signed: Signed,
    Body(form): Body<Subscription>,
) -> Result<StatusCode, ApiError> {
    let endpoint = fields::required(form.endpoint, "endpoint")?;
    let endpoint = state.poster.gate.read(&endpoint);
    let endpoint = endpoint.map_err(|reason| ApiError::BadRequest { field: "endpoint", reason })?;
    let public_key = bytes(form.p256dh, "p256dh")?;
    if !is_point(&public_key) {
        return Err(malformed("p256dh"));
    }
    let auth = bytes(form.auth, "auth")?.try_into().map_err(|_| malformed("auth"))?;
    let subscription = PushSubscription { endpoint: endpoint.into(), public_key, auth };
    let person = signed.person.id;
    let notices = state.hub.notices(person).await?;
    let told_to = notices.last().map_or(0, |(id, _)| *id);
    state.meta.subscribe(&signed.token_hash, person, &subscription, told_to).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pushes nothing more to the browser of this sign-in.
#[utoipa::path(
    delete,
    path = "/auth/push",
    responses((status = 204, description = "Done")),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn remove(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<StatusCode, ApiError> {
    state.meta.unsubscribe(&signed.token_hash).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn bytes(value: Option<String>, field: &'static str) -> Result<Vec<u8>, ApiError> {
    URL_SAFE_NO_PAD.decode(fields::required(value, field)?).map_err(|_| malformed(field))
}

const fn malformed(field: &'static str) -> ApiError {
    ApiError::BadRequest { field, reason: "malformed" }
}
