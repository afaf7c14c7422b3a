//! Who can open a room.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::Right;
use weft_store::Member;

use super::{
    ApiError,
    body::{Body, Names},
    fields,
    rooms::open,
    to_the_end,
};
use crate::{auth::Signed, state::AppState};

/// Everybody who can open the room.
pub(super) async fn people(
    State(state): State<AppState>,
    signed: Signed,
    Names(room): Names<String>,
) -> Result<Json<Value>, ApiError> {
    let room = open(&state, &signed, &room, Right::Read).await?.row.id;
    let members = state.meta.members(room).await?;
    let people: Vec<Value> = members.iter().map(member_json).collect();
    Ok(Json(json!({"people": people})))
}

#[derive(Deserialize)]
pub(super) struct Grant {
    username: Option<String>,
    right: Option<String>,
}

/// Gives a person a right, in place of the one before. Once this answers, nothing commits that the
/// new right does not allow.
pub(super) async fn grant(
    State(state): State<AppState>,
    signed: Signed,
    Names(room): Names<String>,
    Body(form): Body<Grant>,
) -> Result<Json<Value>, ApiError> {
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    let username = fields::required(form.username, "username")?;
    let right = fields::right(form.right.as_deref())?;
    let (by, now) = (signed.person.id, state.clock.now());
    let member = to_the_end(async move {
        let member = state.meta.grant(room, &username, right, by, now).await?;
        state.hub.rights_changed(room).await?;
        Ok(member)
    });
    Ok(Json(json!({"person": member_json(&member.await?)})))
}

/// Takes a person's right away. Once this answers, nothing of theirs commits any more.
pub(super) async fn revoke(
    State(state): State<AppState>,
    signed: Signed,
    Names((room, username)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    to_the_end(async move {
        state.meta.revoke(room, &username).await?;
        state.hub.rights_changed(room).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn member_json(member: &Member) -> Value {
    json!({
        "id": member.person.id.to_string(),
        "username": member.person.username,
        "name": member.person.name,
        "right": member.right.name(),
        "owner": member.owner,
    })
}
