//! Invite links: made and revoked by those who manage a room, accepted by whoever holds one.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{Right, RoomId};
use weft_store::{Invite, NewInvite, Scope};

use super::{
    ApiError,
    answers::{ByName, GivenRight, RightName},
    body::{Body, Names},
    fields,
    rooms::{Room, open, open_to_manage, room_json},
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

#[derive(Deserialize, ToSchema)]
#[schema(as = RoomInviteForm)]
pub(super) struct Create {
    #[schema(required, value_type = Option<GivenRight>)]
    right: Option<String>,
    expires_in_seconds: Option<u64>,
    uses_max: Option<u64>,
}

/// Makes a link. Its secret is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/rooms/{room}/invites",
    request_body = Create,
    responses((status = 201, description = "The link, shown once", body = NewRoomLink)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Names(room): Names<String>,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open_to_manage(&state, &signed, &room).await?.row.id;
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
    let (invite, secret) = (invite_json(&invite), secret.reveal().to_owned());
    let answer = NewRoomLink { invite, secret, url };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// The links that still work.
#[utoipa::path(
    get,
    path = "/rooms/{room}/invites",
    responses((status = 200, description = "The links that still work", body = RoomLinks)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
    )
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Json<RoomLinks>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    let invites = state.meta.invites(room, state.clock.now()).await?;
    Ok(Json(RoomLinks { invites: invites.iter().map(invite_json).collect() }))
}

/// Makes a link useless. Who came by it keeps what they were given.
#[utoipa::path(
    delete,
    path = "/rooms/{room}/invites/{invite}",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Names((room, invite)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open_to_manage(&state, &signed, &room).await?.row.id;
    let invite: RoomId = invite.parse().map_err(|_| ApiError::NotFound)?;
    state.meta.revoke_invite(room, *invite.as_bytes()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SecretForm)]
pub(super) struct Held {
    /// The part after `#` of the link.
    #[schema(required)]
    secret: Option<String>,
}

/// What a link promises, for people who are not signed in yet.
#[utoipa::path(
    post,
    path = "/invites/look",
    request_body = Held,
    responses((status = 200, description = "What the link promises", body = Promise)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["link_expired", "too_many_attempts"])),
    )
)]
pub(super) async fn look(
    State(state): State<AppState>,
    address: ClientAddress,
    Body(form): Body<Held>,
) -> Result<Json<Promise>, ApiError> {
    let secret = fields::required(form.secret, "secret")?;
    let now = state.clock.now();
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, now)?;
    let hash = Secret::hash_of(&secret);
    if let Some(invite) = state.meta.workspace_invite(&hash, now).await? {
        state.attempts.forgive(attempt);
        let invited_by = ByName { name: invite.invited_by };
        return Ok(Json(Promise { room: None, right: None, invited_by, email: invite.email }));
    }
    let look = state.meta.look_at_invite(&hash, now).await?;
    state.attempts.forgive(attempt);
    let room = PromisedRoom { id: look.room.to_string(), kind: look.kind, title: look.title };
    Ok(Json(Promise {
        room: Some(room),
        right: Some(look.right.into()),
        invited_by: ByName { name: look.invited_by },
        email: None,
    }))
}

/// Takes what a link promises. Whoever is here has what a link to the workspace promises.
#[utoipa::path(
    post,
    path = "/invites/accept",
    request_body = Held,
    responses((status = 200, description = "The room", body = Accepted)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["link_expired", "too_many_attempts", "room_unavailable"])),
    )
)]
pub(super) async fn accept(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<Held>,
) -> Result<Json<Accepted>, ApiError> {
    let secret = fields::required(form.secret, "secret")?;
    let now = state.clock.now();
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, now)?;
    let hash = Secret::hash_of(&secret);
    if state.meta.workspace_invite(&hash, now).await?.is_some() {
        state.attempts.forgive(attempt);
        return Ok(Json(Accepted { room: None }));
    }
    to_the_end(async move {
        let accepted = state.meta.accept_invite(&hash, signed.person.id, now).await?;
        state.attempts.forgive(attempt);
        if accepted.raised {
            state.hub.rights_changed(accepted.room).await?;
        }
        let view = state.meta.room_view(accepted.room, signed.person.id, now).await?;
        let view = view.ok_or(ApiError::LinkExpired)?;
        Ok(Json(Accepted { room: Some(room_json(&view)) }))
    })
    .await
}

/// A link to a room, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomInvite)]
struct RoomLink {
    id: String,
    right: RightName,
    expires_at: u64,
    uses: u64,
    uses_max: u64,
    created_at: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoomInvites)]
pub(super) struct RoomLinks {
    invites: Vec<RoomLink>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NewRoomInvite)]
struct NewRoomLink {
    invite: RoomLink,
    /// Shown once.
    secret: String,
    url: String,
}

/// What a link promises. One to the workspace leads into no room.
#[derive(Serialize, ToSchema)]
#[schema(as = InviteLook)]
pub(super) struct Promise {
    room: Option<PromisedRoom>,
    right: Option<RightName>,
    invited_by: ByName,
    /// That a link to the workspace is for.
    email: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PromisedRoom {
    id: String,
    kind: String,
    title: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    room: Option<Room>,
}

fn invite_json(invite: &Invite) -> RoomLink {
    RoomLink {
        id: RoomId::from_bytes(invite.id).to_string(),
        right: invite.right.into(),
        expires_at: invite.expires_at,
        uses: invite.uses,
        uses_max: invite.uses_max,
        created_at: invite.created_at,
    }
}
