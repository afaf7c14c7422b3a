//! People to share with, found by what somebody types.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_store::Scope;

use super::{ApiError, answers::PersonInfo, fields::NAME_CHARS};
use crate::{
    auth::{Attempt, Caller},
    state::AppState,
};

#[derive(Deserialize)]
pub(super) struct Search {
    q: Option<String>,
}

/// People whose name or user name begins so, or whose address this is; without a question those of my teams, among whom the
/// app looks by pinyin. How often one may ask is limited, so that nobody copies the directory.
#[utoipa::path(
    get,
    path = "/people",
    params(("q" = Option<String>, Query, description = "How a name begins, or a whole e-mail address")),
    responses((status = 200, description = "By user name", body = Found)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage"})),
        ("x-weft-codes" = json!(["too_many_attempts"])),
    )
)]
pub(super) async fn search(
    State(state): State<AppState>,
    caller: Caller,
    search: Result<Query<Search>, QueryRejection>,
) -> Result<Json<Found>, ApiError> {
    let me = caller.with(Scope::Manage)?.person.id;
    let malformed = ApiError::BadRequest { field: "q", reason: "malformed" };
    let asked = search.map_err(|_| malformed)?.0.q.unwrap_or_default();
    let asked = asked.trim();
    if asked.chars().count() > NAME_CHARS[1] {
        return Err(ApiError::BadRequest { field: "q", reason: "too_long" });
    }
    state.attempts.take(Attempt::PeopleBy(me), state.clock.now())?;
    let limits = &state.config.limits;
    let found = if asked.is_empty() {
        state.meta.people_near(me, limits.people_near_max).await?
    } else {
        state.meta.people_found_by(me, asked, limits.people_found_max).await?
    };
    Ok(Json(Found { people: found.iter().map(PersonInfo::from).collect() }))
}

/// People who were found.
#[derive(Serialize, ToSchema)]
#[schema(as = PeopleFound)]
pub(super) struct Found {
    people: Vec<PersonInfo>,
}
