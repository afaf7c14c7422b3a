//! Spaces and their members.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::{PersonId, SpaceId};
use weft_store::{Invitation, Scope, SpaceChange, SpaceMember, SpaceView, Which};

use super::{
    ApiError,
    body::{Body, Names},
    fields,
    folders::folder_json,
    rooms::room_json,
    to_the_end,
};
use crate::{
    auth::{self, Caller, Signed},
    state::AppState,
};

/// The spaces that I see, and those that I am asked to join.
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    let me = caller.with(Scope::Read)?.person.id;
    let spaces: Vec<Value> = state.meta.spaces_of(me).await?.iter().map(space_json).collect();
    let invitations = state.meta.invitations_of(me).await?;
    let invitations: Vec<Value> = invitations.iter().map(invitation_json).collect();
    Ok(Json(json!({"spaces": spaces, "invitations": invitations})))
}

#[derive(Deserialize)]
pub(super) struct Create {
    name: Option<String>,
}

/// Makes a team's space, which is mine.
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let name = fields::label(form.name)?;
    let now = state.clock.now();
    let (id, max) = (SpaceId::new(now, auth::random()), state.config.limits.spaces_per_person_max);
    let view = state.meta.create_space(id, &name, signed.person.id, max, now).await?;
    Ok((StatusCode::CREATED, Json(space_json(&view))).into_response())
}

/// A space, with what I may see of it.
pub(super) async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
) -> Result<Json<Value>, ApiError> {
    let me = caller.with(Scope::Read)?.person.id;
    let view = seen(&state, &space, me).await?;
    let (id, now) = (view.row.id, state.clock.now());
    let folders = state.meta.folders_in(id, me, now).await?;
    let rooms_max = state.config.limits.rooms_listed_max;
    let rooms = state.meta.rooms_of(me, Which::In(id), rooms_max, now).await?;
    Ok(Json(json!({
        "space": space_json(&view),
        "folders": folders.iter().map(folder_json).collect::<Vec<_>>(),
        "rooms": rooms.iter().map(room_json).collect::<Vec<_>>(),
    })))
}

#[derive(Deserialize)]
pub(super) struct Change {
    name: Option<String>,
    archived: Option<bool>,
    #[serde(default)]
    rules: Rules,
}

#[derive(Deserialize, Default)]
struct Rules {
    links: Option<bool>,
    outsiders: Option<bool>,
}

/// Changes a space. Once this answers, nothing commits that its rules do not allow.
pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
    Body(form): Body<Change>,
) -> Result<Json<Value>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let id = fields::space(&space)?;
    let change = SpaceChange {
        name: form.name.map(|name| fields::label(Some(name))).transpose()?,
        links: form.rules.links,
        outsiders: form.rules.outsiders,
        archived: form.archived,
    };
    to_the_end(async move {
        state.meta.change_space(id, &change, signed.person.id, state.clock.now()).await?;
        if change.outsiders.is_some() || change.archived.is_some() {
            rights_changed(&state, id).await?;
        }
        Ok(Json(space_json(&seen(&state, &space, signed.person.id).await?)))
    })
    .await
}

/// Members and those invited.
pub(super) async fn members(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
) -> Result<Json<Value>, ApiError> {
    let me = caller.with(Scope::Read)?.person.id;
    let view = seen(&state, &space, me).await?;
    // The gallery's guests see who they are no more than others do.
    view.role.ok_or(ApiError::NotFound)?;
    let members = state.meta.space_members(view.row.id).await?;
    Ok(Json(json!({"members": members.iter().map(member_json).collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
pub(super) struct Invite {
    username: Option<String>,
    role: Option<String>,
}

/// Asks somebody to join.
pub(super) async fn invite(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
    Body(form): Body<Invite>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let id = fields::space(&space)?;
    let username = fields::required(form.username, "username")?;
    let role = fields::role(form.role.as_deref())?;
    let (by, now) = (signed.person.id, state.clock.now());
    let max = state.config.limits.members_per_space_max;
    let member = state.meta.invite_member(id, &username, role, by, max, now).await?;
    Ok((StatusCode::CREATED, Json(json!({"member": member_json(&member)}))).into_response())
}

#[derive(Deserialize)]
pub(super) struct SetRole {
    role: Option<String>,
}

/// Gives a member another role. Once this answers, nothing commits that the new one does not allow.
pub(super) async fn set_role(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, username)): Names<(String, String)>,
    Body(form): Body<SetRole>,
) -> Result<Json<Value>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let id = fields::space(&space)?;
    let role = fields::role(form.role.as_deref())?;
    to_the_end(async move {
        let member = state.meta.set_role(id, &username, role, signed.person.id).await?;
        rights_changed(&state, id).await?;
        Ok(Json(json!({"member": member_json(&member)})))
    })
    .await
}

/// Takes a member out, or an invitation back; I may leave. Once this answers, nothing of theirs commits.
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, username)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let id = fields::space(&space)?;
    to_the_end(async move {
        state.meta.remove_member(id, &username, signed.person.id).await?;
        rights_changed(&state, id).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct Answer {
    agree: Option<bool>,
}

/// I agree to join, or decline. Nobody else, and no token, does that for me.
pub(super) async fn answer(
    State(state): State<AppState>,
    signed: Signed,
    Names(space): Names<String>,
    Body(form): Body<Answer>,
) -> Result<Response, ApiError> {
    let id = fields::space(&space)?;
    let agree = fields::required(form.agree, "agree")?;
    let me = signed.person.id;
    to_the_end(async move {
        state.meta.answer_invitation(id, me, agree, state.clock.now()).await?;
        if !agree {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        rights_changed(&state, id).await?;
        let view = seen(&state, &space, me).await?;
        Ok(Json(json!({"space": space_json(&view)})).into_response())
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct HandOver {
    username: Option<String>,
}

/// Makes another member the owner.
pub(super) async fn hand_over(
    State(state): State<AppState>,
    signed: Signed,
    Names(space): Names<String>,
    Body(form): Body<HandOver>,
) -> Result<Json<Value>, ApiError> {
    let id = fields::space(&space)?;
    let username = fields::required(form.username, "username")?;
    let me = signed.person.id;
    to_the_end(async move {
        state.meta.hand_over(id, &username, me, state.clock.now()).await?;
        rights_changed(&state, id).await?;
        Ok(Json(json!({"space": space_json(&seen(&state, &space, me).await?)})))
    })
    .await
}

async fn rights_changed(state: &AppState, space: SpaceId) -> Result<(), ApiError> {
    let rooms = state.meta.rooms_of_space(space).await?;
    Ok(state.hub.rights_changed_in(rooms).await?)
}

async fn seen(state: &AppState, space: &str, person: PersonId) -> Result<SpaceView, ApiError> {
    let id = fields::space(space)?;
    state.meta.space_view(id, person).await?.ok_or(ApiError::NotFound)
}

/// `space` of `docs/api.md`.
fn space_json(SpaceView { row, role, members }: &SpaceView) -> Value {
    json!({
        "id": row.id.to_string(),
        "kind": row.kind.name(),
        "name": row.name,
        "role": role.map(weft_core::access::Role::name),
        "members": members,
        "rules": {"links": row.links, "outsiders": row.outsiders},
        "archived_at": row.archived_at,
        "created_at": row.created_at,
    })
}

fn invitation_json(invitation: &Invitation) -> Value {
    let by = &invitation.invited_by;
    json!({
        "space": {"id": invitation.space.to_string(), "name": invitation.name},
        "role": invitation.role.name(),
        "invited_by": {"id": by.id.to_string(), "name": by.name},
        "at": invitation.at,
    })
}

fn member_json(member: &SpaceMember) -> Value {
    json!({
        "id": member.person.id.to_string(),
        "username": member.person.username,
        "name": member.person.name,
        "role": member.role.name(),
        "state": if member.joined { "member" } else { "invited" },
    })
}
