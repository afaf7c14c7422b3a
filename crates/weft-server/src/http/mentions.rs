//! Telling people that they are mentioned.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use weft_core::{PersonId, Right};
use weft_store::{Scope, Target};

use super::{
    ApiError,
    body::{Body, Names},
    fields,
    rooms::open,
};
use crate::{
    auth::{Attempt, Caller},
    notify::{News, room_object, what},
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = MentionForm)]
pub(super) struct Mention {
    /// Id of the person.
    #[schema(required)]
    person: Option<String>,
    /// Names the mention: `[A-Za-z0-9_-]{1,64}`.
    #[schema(required)]
    mention_id: Option<String>,
}

/// Tells a person that I mention them in a room, once for each id.
#[utoipa::path(
    post,
    path = "/rooms/{room}/mentions",
    request_body = Mention,
    responses((status = 204, description = "Told")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "write", "right": "comment"})),
        ("x-weft-codes" = json!(["too_many_attempts"])),
    )
)]
pub(super) async fn tell(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    Body(form): Body<Mention>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Write)?;
    let room = open(&state, &signed, &room, Right::Comment).await?.row;
    let number = fields::mention(form.mention_id)?;
    let unknown = ApiError::BadRequest { field: "person", reason: "unknown" };
    let person: PersonId =
        fields::required(form.person, "person")?.parse().map_err(|_| unknown.clone())?;
    let now = state.clock.now();
    state.attempts.take(Attempt::MentionBy(signed.person.id), now)?;
    if room.trashed_at.is_some() || state.meta.right(room.id, person, now).await?.is_none() {
        return Err(unknown);
    }
    if person != signed.person.id {
        let (what, object) = (what::MENTIONED, room_object(&room));
        let news = News { what, actor: &signed.person, object, params: &[] };
        let news = news.to(person, Some(Target::Room(room.id)));
        state.meta.post_mention(room.id, &number, &news, now).await?;
        state.bell.ring();
    }
    Ok(StatusCode::NO_CONTENT)
}
