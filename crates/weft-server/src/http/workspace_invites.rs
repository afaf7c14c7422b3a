//! Workspace invites: made and revoked by administrators. `people`, `oidc` and `invites` know what is done
//! with one.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::RoomId;
use weft_store::{NewWorkspaceInvite, WorkspaceInvite};

use super::{
    ApiError,
    answers::ByName,
    body::{Body, Names},
    fields, invites,
};
use crate::{
    auth::{self, Admin, Secret, base_url},
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = WorkspaceInviteForm)]
pub(super) struct Create {
    expires_in_seconds: Option<u64>,
    uses_max: Option<u64>,
    email: Option<String>,
}

/// Makes a link. Its secret is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/admin/invites",
    request_body = Create,
    responses((status = 201, description = "The link, shown once", body = NewLink)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
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
    let (invite, secret) = (invite_json(&invite), secret.reveal().to_owned());
    let answer = NewLink { invite, secret, url };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// The links that still work.
#[utoipa::path(
    get,
    path = "/admin/invites",
    responses((status = 200, description = "The links that still work", body = Links)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn list(State(state): State<AppState>, _: Admin) -> Result<Json<Links>, ApiError> {
    let invites = state.meta.workspace_invites(state.clock.now()).await?;
    Ok(Json(Links { invites: invites.iter().map(invite_json).collect() }))
}

/// Makes a link useless. Who came by it keeps their account.
#[utoipa::path(
    delete,
    path = "/admin/invites/{invite}",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn revoke(
    State(state): State<AppState>,
    _: Admin,
    Names(invite): Names<String>,
) -> Result<StatusCode, ApiError> {
    let invite: RoomId = invite.parse().map_err(|_| ApiError::NotFound)?;
    state.meta.revoke_workspace_invite(*invite.as_bytes()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link to the workspace, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceInvite)]
struct Link {
    id: String,
    email: Option<String>,
    invited_by: ByName,
    expires_at: u64,
    uses: u64,
    uses_max: u64,
    created_at: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceInvites)]
pub(super) struct Links {
    invites: Vec<Link>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NewWorkspaceInvite)]
struct NewLink {
    invite: Link,
    /// Shown once.
    secret: String,
    url: String,
}

fn invite_json(invite: &WorkspaceInvite) -> Link {
    Link {
        id: RoomId::from_bytes(invite.id).to_string(),
        email: invite.email.clone(),
        invited_by: ByName { name: invite.invited_by.clone() },
        expires_at: invite.expires_at,
        uses: invite.uses,
        uses_max: invite.uses_max,
        created_at: invite.created_at,
    }
}
