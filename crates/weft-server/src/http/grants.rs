//! Who can open a room, and why; rights that are given on rooms and folders.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::{Right, access::Reason};
use weft_store::{Audience, GrantView, Member, NewGrant, NewGrantee, Receiver, Scope, Target};

use super::{
    ApiError,
    body::{Body, Names},
    fields,
    rooms::open,
    to_the_end,
};
use crate::{
    auth::{Caller, Signed},
    state::AppState,
};

/// Everybody who can open the room, and why.
pub(super) async fn people(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Json<Value>, ApiError> {
    let signed = caller.with(Scope::Read)?;
    let view = open(&state, &signed, &room, Right::Read).await?;
    let audience = state.meta.audience(view.row.id, state.clock.now()).await?;
    let people: Vec<Value> =
        audience.people.iter().map(|member| member_json(member, &audience)).collect();
    let grants: Vec<Value> = audience.grants.iter().map(grant_json).collect();
    Ok(Json(json!({"people": people, "grants": grants})))
}

#[derive(Deserialize)]
pub(super) struct Give {
    username: Option<String>,
    space: Option<String>,
    right: Option<String>,
    expires_in_seconds: Option<u64>,
}

/// Gives a right on a room, in place of the one before. Once this answers, nothing commits that the
/// new right does not allow.
pub(super) async fn grant(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    Body(form): Body<Give>,
) -> Result<Json<Value>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    give(state, signed, Target::Room(room), form).await
}

/// Gives a right on a room or folder that the giver manages.
pub(super) async fn give(
    state: AppState,
    signed: Signed,
    on: Target,
    form: Give,
) -> Result<Json<Value>, ApiError> {
    let to = match (form.username, form.space) {
        (Some(username), None) => NewGrantee::Username(username),
        (None, Some(space)) => NewGrantee::Space(fields::space(&space)?),
        (None, None) => return Err(ApiError::BadRequest { field: "username", reason: "missing" }),
        (Some(_), Some(_)) => {
            return Err(ApiError::BadRequest { field: "space", reason: "malformed" });
        }
    };
    let right = fields::right(form.right.as_deref())?;
    let now = state.clock.now();
    let lasts = |seconds: u64| {
        let max = state.config.limits.grant_seconds_max;
        let seconds = fields::count(Some(seconds), "expires_in_seconds", max, max)?;
        Ok::<_, ApiError>(now.saturating_add(seconds.saturating_mul(1000)))
    };
    let expires_at = form.expires_in_seconds.map(lasts).transpose()?;
    let new = NewGrant { to, right, expires_at };
    to_the_end(async move {
        let given = state.meta.grant(on, &new, signed.person.id, now).await?;
        state.hub.rights_changed_in(state.meta.rooms_under(on).await?).await?;
        Ok(Json(json!({"grant": grant_json(&given), "person": person_json(&given)})))
    })
    .await
}

/// Takes back what was given to a person, by user name or id, or to a space. Once this answers, nothing of
/// theirs commits that came of it.
pub(super) async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Names((room, from)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    take_back(state, Target::Room(room), from).await
}

/// Takes back a right on a room or folder that the asker manages.
pub(super) async fn take_back(
    state: AppState,
    on: Target,
    from: String,
) -> Result<StatusCode, ApiError> {
    to_the_end(async move {
        state.meta.revoke(on, &from).await?;
        state.hub.rights_changed_in(state.meta.rooms_under(on).await?).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn member_json(member: &Member, audience: &Audience) -> Value {
    let why = member.why.iter().map(|(reason, right)| reason_json(*reason, *right, audience));
    json!({
        "id": member.person.id.to_string(),
        "username": member.person.username,
        "name": member.person.name,
        "right": member.right.name(),
        "owner": member.owner,
        "why": why.collect::<Vec<_>>(),
    })
}

fn reason_json(reason: Reason, right: Right, audience: &Audience) -> Value {
    let right = right.name();
    match reason {
        Reason::Creator => json!({"by": "creator", "right": right}),
        Reason::Role(role) => json!({"by": "role", "right": right, "name": role.name()}),
        Reason::Gallery => json!({"by": "gallery", "right": right}),
        Reason::Grant(at) => {
            let Some(grant) = audience.grants.get(at) else {
                return json!({"by": "grant", "right": right});
            };
            let (by, name) = match (&grant.to, &grant.folder) {
                (Receiver::Space { name, .. }, _) => ("space_grant", Some(name)),
                (Receiver::Person(_), Some(_)) => ("folder", None),
                (Receiver::Person(_), None) => ("grant", None),
            };
            json!({
                "by": by,
                "right": right,
                "name": name,
                "folder": folder_of(grant),
                "expires_at": grant.expires_at,
            })
        }
    }
}

fn folder_of(grant: &GrantView) -> Value {
    grant
        .folder
        .as_ref()
        .map_or(Value::Null, |(id, name)| json!({"id": id.to_string(), "name": name}))
}

/// `grant` of `docs/api.md`.
pub(super) fn grant_json(grant: &GrantView) -> Value {
    let to = match &grant.to {
        Receiver::Person(person) => json!({"person": {
            "id": person.id.to_string(), "username": person.username, "name": person.name,
        }}),
        Receiver::Space { id, name } => {
            json!({"space": {"id": id.to_string(), "name": name}})
        }
    };
    json!({
        "to": to,
        "right": grant.right.name(),
        "expires_at": grant.expires_at,
        "folder": folder_of(grant),
    })
}

/// Whom a right was given to, as one of `people`; null if that is a space.
fn person_json(grant: &GrantView) -> Value {
    let Receiver::Person(person) = &grant.to else { return Value::Null };
    json!({
        "id": person.id.to_string(),
        "username": person.username,
        "name": person.name,
        "right": grant.right.name(),
        "owner": false,
    })
}
