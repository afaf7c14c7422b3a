//! For administrators: who has an account, and what becomes of it.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_core::PersonId;
use weft_store::{Departure, GALLERY, ListedPerson, PeopleQuery, Person};

use super::{
    ApiError, account_links,
    body::{Body, Names},
    fields, to_the_end,
};
use crate::{
    auth::{Admin, base_url},
    state::AppState,
};

/// People in one answer, unless asked for fewer.
const PAGE: u64 = 50;
const PAGE_MAX: u64 = 200;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Part of a user name, a name or an address.
    query: Option<String>,
    /// `admin` or `member`.
    role: Option<String>,
    /// `active` or `deactivated`.
    state: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    limit: Option<u64>,
}

/// Who has an account, page by page.
#[utoipa::path(
    get,
    path = "/admin/people",
    params(Wanted),
    responses((status = 200, description = "A page of people", body = AccountPage)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    _: Admin,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<AccountPage>, ApiError> {
    let unknown = |field| ApiError::BadRequest { field, reason: "unknown" };
    let Query(wanted) =
        wanted.map_err(|_| ApiError::BadRequest { field: "query", reason: "malformed" })?;
    let limit = fields::count(wanted.limit, "limit", PAGE, PAGE_MAX)?;
    let admin = match wanted.role.as_deref() {
        None => None,
        Some("admin") => Some(true),
        Some("member") => Some(false),
        Some(_) => return Err(unknown("role")),
    };
    let active = match wanted.state.as_deref() {
        None => None,
        Some("active") => Some(true),
        Some("deactivated") => Some(false),
        Some(_) => return Err(unknown("state")),
    };
    let text = wanted.query.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let query = PeopleQuery { text, admin, active, after: wanted.after };
    // One more than is shown says whether there are others.
    let mut people = state.meta.people(&query, limit + 1, state.clock.now()).await?;
    let more = people.len() as u64 > limit;
    people.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = people.last().filter(|_| more).map(|last| last.person.username.clone());
    let people = people.into_iter().map(ListedAccount::from).collect();
    Ok(Json(AccountPage { people, next }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AccountChangeForm)]
pub(super) struct Change {
    admin: Option<bool>,
    active: Option<bool>,
}

/// Makes somebody an administrator, or deactivates them, or takes that back. Once this answers, nothing commits
/// any more of somebody who is deactivated.
#[utoipa::path(
    patch,
    path = "/admin/people/{person}",
    request_body = Change,
    responses((status = 200, description = "The person", body = AccountAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["last_admin"])),
    )
)]
pub(super) async fn change(
    State(state): State<AppState>,
    Admin(by): Admin,
    Names(person): Names<String>,
    Body(form): Body<Change>,
) -> Result<Json<AccountAnswer>, ApiError> {
    let id = person_id(&person)?;
    to_the_end(async move {
        if let Some(admin) = form.admin {
            state.meta.set_admin(id, admin, state.clock.now()).await?;
            state.hub.rights_changed_in(state.meta.rooms_of_space(GALLERY).await?).await?;
            tracing::info!(person = %id, by = %by.person.id, admin, "administrator changed");
        }
        match form.active {
            Some(true) => state.meta.reactivate(id).await?,
            Some(false) => {
                let ended = state.meta.deactivate(id, state.clock.now()).await?;
                state.hub.signed_out(ended).await;
            }
            None => {}
        }
        if let Some(active) = form.active {
            tracing::info!(person = %id, by = %by.person.id, active, "person deactivated or back");
        }
        let person = present(&state, id).await?;
        Ok(Json(AccountAnswer { person: person.into() }))
    })
    .await
}

/// Ends all sign-ins of somebody. Once this answers, nothing of them commits any more.
#[utoipa::path(
    delete,
    path = "/admin/people/{person}/sign-ins",
    responses((status = 204, description = "Done")),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn sign_out(
    State(state): State<AppState>,
    _: Admin,
    Names(person): Names<String>,
) -> Result<StatusCode, ApiError> {
    let id = person_id(&person)?;
    to_the_end(async move {
        let ended = state.meta.end_sign_ins(id).await?;
        state.hub.signed_out(ended).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// A link with which somebody sets a new password, to be handed over. It is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/admin/people/{person}/reset-link",
    responses((status = 200, description = "A link to be handed over", body = ResetLink)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn reset_link(
    State(state): State<AppState>,
    Admin(by): Admin,
    headers: HeaderMap,
    Names(person): Names<String>,
) -> Result<Json<ResetLink>, ApiError> {
    let person = present(&state, person_id(&person)?).await?;
    let (link, expires_at) = account_links::handed_reset(&state, &person).await?;
    tracing::info!(person = %person.id, by = %by.person.id, "link to reset a password made");
    let url = format!("{}{link}", base_url(&state, &headers));
    Ok(Json(ResetLink { url, expires_at }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AccountDeleteForm)]
pub(super) struct Delete {
    /// User name of the one who takes over.
    #[schema(required)]
    heir: Option<String>,
}

/// Removes an account for good; what the person owns goes to somebody else. Once this answers, nothing of theirs
/// commits any more.
#[utoipa::path(
    post,
    path = "/admin/people/{person}/delete",
    request_body = Delete,
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["last_admin"])),
    )
)]
pub(super) async fn delete(
    State(state): State<AppState>,
    Admin(by): Admin,
    Names(person): Names<String>,
    Body(form): Body<Delete>,
) -> Result<StatusCode, ApiError> {
    let id = person_id(&person)?;
    let heir = heir(&state, &fields::required(form.heir, "heir")?).await?;
    to_the_end(async move {
        let departing = Box::pin(state.meta.depart(id, Some(heir), state.clock.now()));
        let departure = departing.await?;
        tracing::info!(person = %id, by = %by.person.id, %heir, "person removed");
        departed(&state, departure).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Who is to take over, by user name.
///
/// # Errors
/// [`ApiError::BadRequest`] if there is nobody of that name.
pub(super) async fn heir(state: &AppState, username: &str) -> Result<PersonId, ApiError> {
    let heir = state.meta.person_named(username).await?;
    let heir = heir.ok_or(ApiError::BadRequest { field: "heir", reason: "unknown" })?;
    Ok(heir.id)
}

/// Tells sockets and rooms that somebody has left.
pub(super) async fn departed(state: &AppState, departure: Departure) -> Result<(), ApiError> {
    state.hub.signed_out(departure.ended).await;
    let mut rooms = departure.rooms;
    for space in departure.spaces {
        rooms.extend(state.meta.rooms_of_space(space).await?);
    }
    Ok(state.hub.rights_changed_in(rooms).await?)
}

/// Somebody who has not left.
async fn present(state: &AppState, id: PersonId) -> Result<Person, ApiError> {
    let person = state.meta.person(id).await?.filter(|person| !person.username.is_empty());
    person.ok_or(ApiError::NotFound)
}

fn person_id(text: &str) -> Result<PersonId, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound)
}

/// Whether somebody can sign in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum AccountState {
    Active,
    Deactivated,
}

/// Somebody with an account, as administrators see them.
#[derive(Serialize, ToSchema)]
pub(super) struct Account {
    id: String,
    username: String,
    name: String,
    email: Option<String>,
    email_verified: bool,
    second_factor: bool,
    admin: bool,
    state: AccountState,
    created_at: u64,
}

/// The same in a list.
#[derive(Serialize, ToSchema)]
struct ListedAccount {
    #[serde(flatten)]
    account: Account,
    /// Where they are signed in.
    sign_ins: u64,
    /// To the hour; null: not since this is noted.
    seen_at: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct AccountPage {
    people: Vec<ListedAccount>,
    /// After whom the next page begins; null: there is none.
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct AccountAnswer {
    person: Account,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ResetLink {
    url: String,
    expires_at: u64,
}

impl From<ListedPerson> for ListedAccount {
    fn from(listed: ListedPerson) -> Self {
        let ListedPerson { person, sign_ins, seen_at } = listed;
        Self { account: person.into(), sign_ins, seen_at }
    }
}

impl From<Person> for Account {
    fn from(person: Person) -> Self {
        let state = match person.deactivated_at {
            Some(_) => AccountState::Deactivated,
            None => AccountState::Active,
        };
        Self {
            id: person.id.to_string(),
            username: person.username,
            name: person.name,
            email: person.email,
            email_verified: person.email_verified,
            second_factor: person.second_factor,
            admin: person.admin,
            state,
            created_at: person.created_at,
        }
    }
}
