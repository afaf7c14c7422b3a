//! Workspace invites: made and revoked by administrators. `people` and `invites` know what is done with
//! one.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::RoomId;
use weft_store::{NewWorkspaceInvite, WorkspaceInvite};

use super::{
    ApiError,
    body::{Body, Names},
    fields, invites,
};
use crate::{
    auth::{self, Admin, Secret, base_url},
    state::AppState,
};

#[derive(Deserialize)]
pub(super) struct Create {
    expires_in_seconds: Option<u64>,
    uses_max: Option<u64>,
    email: Option<String>,
}

/// Makes a link. Its secret is in this answer and nowhere else.
pub(super) async fn create(
    State(state): State<AppState>,
    Admin(signed): Admin,
    headers: HeaderMap,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let limits = &state.config.limits;
    let seconds = fields::count(
        form.expires_in_seconds,
        "expires_in_seconds",
        invites::SECONDS,
        limits.invite_seconds_max,
    )?;
    let email = fields::email(form.email)?;
    let (uses, uses_most) =
        if email.is_some() { (1, 1) } else { (invites::USES, limits.invite_uses_max) };
    let uses_max = fields::count(form.uses_max, "uses_max", uses, uses_most)?;

    let secret = Secret::new();
    let now = state.clock.now();
    let new = NewWorkspaceInvite {
        // Links are named in the same letters as rooms.
        id: *RoomId::new(now, auth::random()).as_bytes(),
        secret_hash: secret.hash(),
        email: email.clone(),
        created_by: signed.person.id,
        expires_at: now.saturating_add(seconds.saturating_mul(1000)),
        uses_max,
    };
    state.meta.create_workspace_invite(&new, limits.workspace_invites_max, now).await?;
    let invite = WorkspaceInvite {
        id: new.id,
        email,
        invited_by: signed.person.name,
        created_at: now,
        expires_at: new.expires_at,
        uses: 0,
        uses_max,
    };
    let url = format!("{}/invite#{}", base_url(&state, &headers), secret.reveal());
    let answer = json!({"invite": invite_json(&invite), "secret": secret.reveal(), "url": url});
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// The links that still work.
pub(super) async fn list(State(state): State<AppState>, _: Admin) -> Result<Json<Value>, ApiError> {
    let invites = state.meta.workspace_invites(state.clock.now()).await?;
    let invites: Vec<Value> = invites.iter().map(invite_json).collect();
    Ok(Json(json!({"invites": invites})))
}

/// Makes a link useless. Who came by it keeps their account.
pub(super) async fn revoke(
    State(state): State<AppState>,
    _: Admin,
    Names(invite): Names<String>,
) -> Result<StatusCode, ApiError> {
    let invite: RoomId = invite.parse().map_err(|_| ApiError::NotFound)?;
    state.meta.revoke_workspace_invite(*invite.as_bytes()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One of `invites` of the administration in `docs/api.md`.
fn invite_json(invite: &WorkspaceInvite) -> Value {
    json!({
        "id": RoomId::from_bytes(invite.id).to_string(),
        "email": invite.email,
        "invited_by": {"name": invite.invited_by},
        "expires_at": invite.expires_at,
        "uses": invite.uses,
        "uses_max": invite.uses_max,
        "created_at": invite.created_at,
    })
}
