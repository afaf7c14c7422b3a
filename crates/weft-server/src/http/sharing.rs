//! What the whole workspace says about sharing, for administrators.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_store::PeopleFound;

use super::{ApiError, body::Body, to_the_end};
use crate::{auth::Admin, state::AppState};

/// The settings.
#[utoipa::path(
    get,
    path = "/admin/sharing",
    responses((status = 200, description = "As it is", body = Sharing)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn read(
    State(state): State<AppState>,
    _: Admin,
) -> Result<Json<Sharing>, ApiError> {
    answer(&state).await
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SharingForm)]
pub(super) struct Change {
    public_links: Option<bool>,
    #[schema(value_type = Option<Findable>)]
    people_found: Option<String>,
}

/// Changes what is there. Once this answers, no guest commits anything if none may be let in.
#[utoipa::path(
    patch,
    path = "/admin/sharing",
    request_body = Change,
    responses((status = 200, description = "As it is now", body = Sharing)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn change(
    State(state): State<AppState>,
    _: Admin,
    Body(form): Body<Change>,
) -> Result<Json<Sharing>, ApiError> {
    let unknown = ApiError::BadRequest { field: "people_found", reason: "unknown" };
    let people_found = match form.people_found.as_deref() {
        None => None,
        Some(name) => Some(PeopleFound::named(name).ok_or(unknown)?),
    };
    to_the_end(async move {
        if let Some(people_found) = people_found {
            state.meta.set_people_found(people_found).await?;
        }
        if let Some(allowed) = form.public_links {
            state.meta.set_public_links(allowed).await?;
            let rooms = state.meta.rooms_with_public_links().await?;
            state.hub.rights_changed_in(rooms).await?;
        }
        answer(&state).await
    })
    .await
}

async fn answer(state: &AppState) -> Result<Json<Sharing>, ApiError> {
    let public_links = state.meta.public_links().await?;
    let people_found = match state.meta.people_found().await? {
        PeopleFound::Everybody => Findable::Everybody,
        PeopleFound::Shared => Findable::Shared,
    };
    Ok(Json(Sharing { public_links, people_found }))
}

/// What the workspace says about sharing.
#[derive(Serialize, ToSchema)]
pub(super) struct Sharing {
    /// Links may let guests in, where the space allows it, too.
    public_links: bool,
    people_found: Findable,
}

/// Whom people find who search.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Findable {
    Everybody,
    Shared,
}
