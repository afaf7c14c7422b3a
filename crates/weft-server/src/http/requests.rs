//! Asking to be let into a room, and being let in.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{PersonId, Right, RoomId, kind::inbox::Object};
use weft_store::{NewGrant, NewGrantee, Scope, Target};

use super::{
    ApiError,
    answers::{GivenRight, PersonInfo},
    body::{Body, Names},
    fields,
    rooms::open,
    to_the_end,
};
use crate::{
    auth::{Attempt, Caller, Signed},
    notify::{ALLOWED, DECLINED, News, room_object, what},
    state::AppState,
};

/// I ask to be let in. Says and costs the same whether or not there is such a room: that is looked up later.
#[utoipa::path(
    post,
    path = "/rooms/{room}/access-requests",
    responses((status = 204, description = "Asked")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["too_many_attempts"])),
    )
)]
pub(super) async fn ask(
    State(state): State<AppState>,
    signed: Signed,
    Names(room): Names<String>,
) -> Result<StatusCode, ApiError> {
    let now = state.clock.now();
    state.attempts.take(Attempt::AccessRequestBy(signed.person.id), now)?;
    // Keys name rooms of one's own alone, which one need not ask for.
    if let Ok(room) = room.parse::<RoomId>() {
        state.meta.ask_for_access(room, signed.person.id, now).await?;
        state.bell.ring();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Who waits to be let in.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessRequests)]
pub(super) struct Waiting {
    requests: Vec<Request>,
}

/// Somebody who asks to be let in.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessRequest)]
struct Request {
    person: PersonInfo,
    at: u64,
}

/// Who waits to be let in.
#[utoipa::path(
    get,
    path = "/rooms/{room}/access-requests",
    responses((status = 200, description = "The first first", body = Waiting)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
    )
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Json<Waiting>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    let waiting = state.meta.access_requests(room).await?;
    let requests = waiting.iter().map(|it| Request { person: (&it.person).into(), at: it.at });
    Ok(Json(Waiting { requests: requests.collect() }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AccessAnswerForm)]
pub(super) struct Answer {
    /// Null declines.
    #[serde(default, deserialize_with = "fields::given")]
    #[schema(required, value_type = Option<GivenRight>)]
    allow: Option<Option<String>>,
}

/// Lets somebody in, with a right, or declines. Either way they are told.
#[utoipa::path(
    post,
    path = "/rooms/{room}/access-requests/{person}",
    request_body = Answer,
    responses((status = 204, description = "Answered")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["room_unavailable"])),
    )
)]
pub(super) async fn answer(
    State(state): State<AppState>,
    caller: Caller,
    Names((room, person)): Names<(String, String)>,
    Body(form): Body<Answer>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row;
    let person: PersonId = person.parse().map_err(|_| ApiError::NotFound)?;
    let allow = fields::required(form.allow, "allow")?;
    let right = allow.map(|right| fields::right(Some(&right))).transpose()?;
    let waits = state.meta.access_requests(room.id).await?;
    let asker = waits.into_iter().find(|request| request.person.id == person);
    let asker = asker.ok_or(ApiError::NotFound)?.person;
    to_the_end(async move {
        let news = |what, object, params| News { what, actor: &signed.person, object, params };
        let Some(right) = right else {
            if state.end_request(&room, person, DECLINED).await? {
                // Who is not let in does not learn what it is called.
                let nameless = Object { title: String::new(), ..room_object(&room) };
                state.tell(vec![news(what::DECLINED, nameless, &[]).to(person, None)]).await?;
            }
            return Ok(StatusCode::NO_CONTENT);
        };
        let (on, now) = (Target::Room(room.id), state.clock.now());
        let to = NewGrantee::Username(asker.username.clone());
        let grant = NewGrant { to, right, expires_at: None };
        state.meta.grant(on, &grant, signed.person.id, now).await?;
        state.hub.rights_changed(room.id).await?;
        if state.meta.right(room.id, person, now).await?.is_none() {
            // The space's rules let nobody in but its members.
            state.meta.revoke(on, &asker.username).await?;
            return Err(ApiError::BadRequest { field: "allow", reason: "not_allowed" });
        }
        let params = [("right", right.name())];
        let news = news(what::ALLOWED, room_object(&room), &params);
        state.tell(vec![news.to(person, Some(on))]).await?;
        state.end_request(&room, person, ALLOWED).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
