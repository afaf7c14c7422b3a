//! Folders of spaces.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{FolderId, Right};
use weft_store::{FolderView, NewFolder, Scope, Target};

use super::{
    ApiError,
    answers::RightName,
    body::{Body, Names},
    fields,
    grants::{self, Give, Given, Grant, grant_json},
    rooms::may_put_at,
    to_the_end,
};
use crate::{
    auth::{self, Caller, Signed},
    hub::Place,
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = NewFolderForm)]
pub(super) struct Create {
    #[schema(required)]
    space: Option<String>,
    /// Null: at the top of the space.
    parent: Option<String>,
    #[schema(required, min_length = 1, max_length = 64)]
    name: Option<String>,
}

/// Makes a folder.
#[utoipa::path(
    post,
    path = "/folders",
    request_body = Create,
    responses((status = 201, description = "The folder", body = Folder)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "write", "right": "edit"})),
    )
)]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Write)?;
    let space = fields::space(&fields::required(form.space, "space")?)?;
    let parent = form.parent.as_deref().map(fields::folder).transpose()?;
    let name = fields::label(form.name)?;
    may_put_at(&state, &signed, Place { space, folder: parent }).await?;
    let now = state.clock.now();
    let id = FolderId::new(now, auth::random());
    let new = NewFolder { id, space, parent, name, creator: signed.person.id };
    state.meta.create_folder(&new, state.config.limits.folders_per_space_max, now).await?;
    let view = open(&state, &signed, id, Right::Read).await?;
    Ok((StatusCode::CREATED, Json(folder_json(&view))).into_response())
}

#[derive(Deserialize, ToSchema)]
#[schema(as = FolderForm)]
pub(super) struct Change {
    name: Option<String>,
    space: Option<String>,
    /// Null: at the top of the space.
    #[serde(default, deserialize_with = "fields::given")]
    #[schema(value_type = Option<String>)]
    parent: Option<Option<String>>,
}

/// Renames a folder, or moves it. Once this answers, nothing commits that its new place does not allow.
#[utoipa::path(
    patch,
    path = "/folders/{folder}",
    request_body = Change,
    responses((status = 200, description = "As it is now", body = Folder)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "edit"})),
        ("x-weft-codes" = json!(["room_unavailable", "quota_exceeded"])),
    )
)]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Names(folder): Names<String>,
    Body(form): Body<Change>,
) -> Result<Json<Folder>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let view = open(&state, &signed, fields::folder(&folder)?, Right::Edit).await?;
    let id = view.row.id;
    let name = form.name.map(|name| fields::label(Some(name))).transpose()?;
    let place = place(&view, form.space.as_deref(), form.parent)?;
    if let Some(place) = place {
        if place.space != view.row.space && view.right < Right::Manage {
            return Err(ApiError::NoRight { needed: Right::Manage });
        }
        may_put_at(&state, &signed, place).await?;
    }
    to_the_end(async move {
        if let Some(name) = name {
            state.meta.rename_folder(id, &name).await?;
        }
        if let Some(Place { space, folder }) = place {
            state.meta.move_folder(id, space, folder).await?;
            state.look_at_quotas().await?;
            let rooms = state.meta.rooms_under(Target::Folder(id)).await?;
            state.hub.rights_changed_in(rooms).await?;
        }
        Ok(Json(folder_json(&open(&state, &signed, id, Right::Read).await?)))
    })
    .await
}

/// Where a folder is to be moved; `None`: nowhere.
fn place(
    view: &FolderView,
    space: Option<&str>,
    parent: Option<Option<String>>,
) -> Result<Option<Place>, ApiError> {
    if space.is_none() && parent.is_none() {
        return Ok(None);
    }
    let space = space.map(fields::space).transpose()?.unwrap_or(view.row.space);
    let folder = match parent {
        Some(parent) => parent.as_deref().map(fields::folder).transpose()?,
        None => view.row.parent.filter(|_| space == view.row.space),
    };
    Ok(Some(Place { space, folder }))
}

/// Puts a folder in the trash, with all in it. Once this answers, only who manages them finds them.
#[utoipa::path(
    delete,
    path = "/folders/{folder}",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["room_unavailable"])),
    )
)]
pub(super) async fn trash(
    State(state): State<AppState>,
    caller: Caller,
    Names(folder): Names<String>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let id = open(&state, &signed, fields::folder(&folder)?, Right::Manage).await?.row.id;
    to_the_end(async move {
        state.meta.trash_folder(id, signed.person.id, state.clock.now()).await?;
        for room in state.meta.rooms_under(Target::Folder(id)).await? {
            state.hub.trashed(room, signed.person.id).await?;
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Takes a folder out of the trash.
#[utoipa::path(
    post,
    path = "/folders/{folder}/restore",
    responses((status = 200, description = "As it is now", body = Folder)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
    )
)]
pub(super) async fn restore(
    State(state): State<AppState>,
    caller: Caller,
    Names(folder): Names<String>,
) -> Result<Json<Folder>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let id = open(&state, &signed, fields::folder(&folder)?, Right::Manage).await?.row.id;
    state.meta.restore_folder(id).await?;
    Ok(Json(folder_json(&open(&state, &signed, id, Right::Read).await?)))
}

/// The grants on a folder, and on those around it.
#[utoipa::path(
    get,
    path = "/folders/{folder}/grants",
    responses((status = 200, description = "On it, and on those around it", body = Grants)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "read", "right": "manage"})),
    )
)]
pub(super) async fn grants(
    State(state): State<AppState>,
    caller: Caller,
    Names(folder): Names<String>,
) -> Result<Json<Grants>, ApiError> {
    let signed = caller.with(Scope::Read)?;
    let id = open(&state, &signed, fields::folder(&folder)?, Right::Manage).await?.row.id;
    let grants = state.meta.grants_on_folder(id).await?;
    Ok(Json(Grants { grants: grants.iter().map(grant_json).collect() }))
}

/// Gives a right on all in a folder.
#[utoipa::path(
    post,
    path = "/folders/{folder}/grants",
    request_body = Give,
    responses((status = 200, description = "What was given", body = Given)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn grant(
    State(state): State<AppState>,
    caller: Caller,
    Names(folder): Names<String>,
    Body(form): Body<Give>,
) -> Result<Json<Given>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let id = open(&state, &signed, fields::folder(&folder)?, Right::Manage).await?.row.id;
    grants::give(state, signed, Target::Folder(id), form).await
}

/// Takes back what was given on a folder. Once this answers, nothing commits that came of it.
#[utoipa::path(
    delete,
    path = "/folders/{folder}/grants/{grantee}",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Names((folder, from)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let id = open(&state, &signed, fields::folder(&folder)?, Right::Manage).await?.row.id;
    grants::take_back(state, Target::Folder(id), from).await
}

/// The folder, if the person may do that much in it.
///
/// # Errors
/// [`ApiError::NotFound`] if it is not there or may not be known, else [`ApiError::NoRight`].
async fn open(
    state: &AppState,
    signed: &Signed,
    folder: FolderId,
    needed: Right,
) -> Result<FolderView, ApiError> {
    let view = state.meta.folder_view(folder, signed.person.id, state.clock.now()).await?;
    let view = view.ok_or(ApiError::NotFound)?;
    if view.right >= needed { Ok(view) } else { Err(ApiError::NoRight { needed }) }
}

/// A folder, as one person sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Folder {
    id: String,
    space: String,
    parent: Option<String>,
    name: String,
    right: RightName,
    trashed_at: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Grants {
    grants: Vec<Grant>,
}

pub(super) fn folder_json(FolderView { row, right }: &FolderView) -> Folder {
    Folder {
        id: row.id.to_string(),
        space: row.space.to_string(),
        parent: row.parent.map(|parent| parent.to_string()),
        name: row.name.clone(),
        right: (*right).into(),
        trashed_at: row.trashed_at,
    }
}
