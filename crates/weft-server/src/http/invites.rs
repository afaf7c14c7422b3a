//! Invite links: made and revoked by those who manage a room, accepted by whoever holds one.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::{Right, RoomId};
use weft_store::{Invite, NewInvite, Scope};

use super::{
    ApiError,
    body::{Body, Names},
    fields,
    rooms::{open, room_json},
    to_the_end,
};
use crate::{
    auth::{self, Attempt, Caller, ClientAddress, Secret, Signed, base_url},
    state::AppState,
};

/// How long a link lasts unless said otherwise: seven days.
pub(super) const SECONDS: u64 = 7 * 24 * 60 * 60;
/// How many people it lets in unless said otherwise.
pub(super) const USES: u64 = 20;

#[derive(Deserialize)]
pub(super) struct Create {
    right: Option<String>,
    expires_in_seconds: Option<u64>,
    uses_max: Option<u64>,
}

/// Makes a link. Its secret is in this answer and nowhere else.
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Names(room): Names<String>,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    let limits = &state.config.limits;
    let right = fields::right(form.right.as_deref())?;
    let seconds = fields::count(
        form.expires_in_seconds,
        "expires_in_seconds",
        SECONDS,
        limits.invite_seconds_max,
    )?;
    let uses_max = fields::count(form.uses_max, "uses_max", USES, limits.invite_uses_max)?;

    let secret = Secret::new();
    let now = state.clock.now();
    let new = NewInvite {
        // Links are named in the same letters as rooms.
        id: *RoomId::new(now, auth::random()).as_bytes(),
        secret_hash: secret.hash(),
        room,
        right,
        created_by: signed.person.id,
        expires_at: now.saturating_add(seconds.saturating_mul(1000)),
        uses_max,
    };
    let invite = state.meta.create_invite(&new, limits.invites_per_room_max, now).await?;
    let url = format!("{}/invite#{}", base_url(&state, &headers), secret.reveal());
    let answer = json!({"invite": invite_json(&invite), "secret": secret.reveal(), "url": url});
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// The links that still work.
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Json<Value>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    let invites = state.meta.invites(room, state.clock.now()).await?;
    let invites: Vec<Value> = invites.iter().map(invite_json).collect();
    Ok(Json(json!({"invites": invites})))
}

/// Makes a link useless. Who came by it keeps what they were given.
pub(super) async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Names((room, invite)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    let invite: RoomId = invite.parse().map_err(|_| ApiError::NotFound)?;
    state.meta.revoke_invite(room, *invite.as_bytes()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct Held {
    secret: Option<String>,
}

/// What a link promises, for people who are not signed in yet.
pub(super) async fn look(
    State(state): State<AppState>,
    address: ClientAddress,
    Body(form): Body<Held>,
) -> Result<Json<Value>, ApiError> {
    let secret = fields::required(form.secret, "secret")?;
    let now = state.clock.now();
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, now)?;
    let hash = Secret::hash_of(&secret);
    if let Some(invite) = state.meta.workspace_invite(&hash, now).await? {
        state.attempts.forgive(attempt);
        return Ok(Json(json!({
            "room": null,
            "right": null,
            "invited_by": {"name": invite.invited_by},
            "email": invite.email,
        })));
    }
    let look = state.meta.look_at_invite(&hash, now).await?;
    state.attempts.forgive(attempt);
    Ok(Json(json!({
        "room": {"id": look.room.to_string(), "kind": look.kind, "title": look.title},
        "right": look.right.name(),
        "invited_by": {"name": look.invited_by},
    })))
}

/// Takes what a link promises. Whoever is here has what a link to the workspace promises.
pub(super) async fn accept(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<Held>,
) -> Result<Json<Value>, ApiError> {
    let secret = fields::required(form.secret, "secret")?;
    let now = state.clock.now();
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, now)?;
    let hash = Secret::hash_of(&secret);
    if state.meta.workspace_invite(&hash, now).await?.is_some() {
        state.attempts.forgive(attempt);
        return Ok(Json(json!({"room": null})));
    }
    to_the_end(async move {
        let accepted = state.meta.accept_invite(&hash, signed.person.id, now).await?;
        state.attempts.forgive(attempt);
        if accepted.raised {
            state.hub.rights_changed(accepted.room).await?;
        }
        let view = state.meta.room_view(accepted.room, signed.person.id, now).await?;
        let view = view.ok_or(ApiError::LinkExpired)?;
        Ok(Json(json!({"room": room_json(&view)})))
    })
    .await
}

/// One of `invites` of `docs/api.md`.
fn invite_json(invite: &Invite) -> Value {
    json!({
        "id": RoomId::from_bytes(invite.id).to_string(),
        "right": invite.right.name(),
        "expires_at": invite.expires_at,
        "uses": invite.uses,
        "uses_max": invite.uses_max,
        "created_at": invite.created_at,
    })
}
