//! The audit log, for administrators, for those who administer a space, and for those who manage a room.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use weft_core::{PersonId, Right, access::Role};
use weft_store::{AuditEntry, AuditQuery, Scope};

use super::{
    ApiError,
    answers::{Named, PersonInfo},
    body::Names,
    fields,
    rooms::open,
};
use crate::{
    auth::{Admin, Caller},
    state::AppState,
};

/// How many acts are in one answer unless said otherwise.
const LIMIT: u64 = 50;

#[derive(Deserialize)]
pub(super) struct Asked {
    person: Option<String>,
    room: Option<String>,
    space: Option<String>,
    before: Option<u64>,
    limit: Option<u64>,
}

type AskedFor = Result<Query<Asked>, QueryRejection>;

/// All acts, with where they came from.
#[utoipa::path(
    get,
    path = "/admin/audit",
    params(
        ("person" = Option<String>, Query, description = "What they did, and what was done about them"),
        ("room" = Option<String>, Query, description = "About this room"),
        ("space" = Option<String>, Query, description = "About this space and what stood in it then"),
        ("before" = Option<u64>, Query, description = "Those before the one of this id"),
        ("limit" = Option<u64>, Query, description = "At most so many"),
    ),
    responses((status = 200, description = "The last first", body = Acts)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["not_found"])),
    )
)]
pub(super) async fn of_all(
    State(state): State<AppState>,
    _: Admin,
    asked: AskedFor,
) -> Result<Json<Acts>, ApiError> {
    let asked = read(asked)?;
    let room = asked.room.as_deref().map(|room| room.parse().map_err(|_| ApiError::NotFound));
    let query = AuditQuery {
        person: person(&state, asked.person.as_deref()).await?,
        room: room.transpose()?,
        space: asked.space.as_deref().map(fields::space).transpose()?,
        ..AuditQuery::default()
    };
    answer(&state, &asked, query, true).await
}

/// Acts in a space and in what stood in it.
#[utoipa::path(
    get,
    path = "/spaces/{space}/audit",
    params(
        ("before" = Option<u64>, Query, description = "Those before the one of this id"),
        ("limit" = Option<u64>, Query, description = "At most so many"),
    ),
    responses((status = 200, description = "The last first", body = Acts)),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})))
)]
pub(super) async fn of_space(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
    asked: AskedFor,
) -> Result<Json<Acts>, ApiError> {
    let me = caller.with(Scope::Manage)?.person.id;
    let space = fields::space(&space)?;
    let view = state.meta.space_view(space, me).await?.ok_or(ApiError::NotFound)?;
    if view.role < Some(Role::Admin) {
        return Err(ApiError::NoRight { needed: Right::Manage });
    }
    let query = AuditQuery { space: Some(space), ..AuditQuery::default() };
    answer(&state, &read(asked)?, query, false).await
}

/// Acts about a room.
#[utoipa::path(
    get,
    path = "/rooms/{room}/audit",
    params(
        ("before" = Option<u64>, Query, description = "Those before the one of this id"),
        ("limit" = Option<u64>, Query, description = "At most so many"),
    ),
    responses((status = 200, description = "The last first", body = Acts)),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})))
)]
pub(super) async fn of_room(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    asked: AskedFor,
) -> Result<Json<Acts>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    let query = AuditQuery { room: Some(room), ..AuditQuery::default() };
    answer(&state, &read(asked)?, query, false).await
}

fn read(asked: AskedFor) -> Result<Asked, ApiError> {
    let malformed = ApiError::BadRequest { field: "before", reason: "malformed" };
    Ok(asked.map_err(|_| malformed)?.0)
}

async fn person(state: &AppState, asked: Option<&str>) -> Result<Option<PersonId>, ApiError> {
    let Some(asked) = asked else { return Ok(None) };
    if let Ok(id) = asked.parse() {
        return Ok(Some(id));
    }
    let known = state.meta.person_named(asked).await?.ok_or(ApiError::NotFound)?;
    Ok(Some(known.id))
}

/// Where people were is for administrators alone.
async fn answer(
    state: &AppState,
    asked: &Asked,
    query: AuditQuery,
    with_addresses: bool,
) -> Result<Json<Acts>, ApiError> {
    let limit = fields::count(asked.limit, "limit", LIMIT, state.config.limits.audit_listed_max)?;
    let query = AuditQuery { before: asked.before, limit: limit.saturating_add(1), ..query };
    let mut entries = state.meta.audit(query).await?;
    // One more than was asked for tells whether there are more.
    let more = entries.len() as u64 > limit;
    entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let acts = entries.into_iter().map(|entry| Act::of(entry, with_addresses)).collect();
    Ok(Json(Acts { acts, more }))
}

/// A page of what was noted.
#[derive(Serialize, ToSchema)]
pub(super) struct Acts {
    acts: Vec<Act>,
    /// There are older ones.
    more: bool,
}

/// What somebody did about rights or security.
#[derive(Serialize, ToSchema)]
struct Act {
    id: u64,
    at: u64,
    act: String,
    /// Nobody with an account, if null.
    by: Option<PersonInfo>,
    /// Whom it is about.
    person: Option<PersonInfo>,
    room: Option<ActRoom>,
    /// The folder's name.
    folder: Option<String>,
    space: Option<Named>,
    #[schema(value_type = Object)]
    params: Value,
    /// For administrators. Empty: at the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ActRoom {
    id: String,
    title: String,
}

impl Act {
    fn of(entry: AuditEntry, with_address: bool) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            act: entry.act,
            by: entry.by.as_ref().map(PersonInfo::from),
            person: entry.person.as_ref().map(PersonInfo::from),
            room: entry.room.map(|(id, title)| ActRoom { id: id.to_string(), title }),
            folder: entry.folder,
            space: entry.space.map(|(id, name)| Named::new(id, &name)),
            params: entry.params,
            address: with_address.then_some(entry.address),
        }
    }
}
