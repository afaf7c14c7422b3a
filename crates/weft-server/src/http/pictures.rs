//! Pictures of people.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};
use weft_core::PersonId;
use weft_store::{BlobHash, Scope};

use super::{ApiError, body::Names};
use crate::{
    auth::{Caller, Signed},
    picture::{BadPicture, MEDIA_TYPE, redraw},
    state::AppState,
};

/// People asked about at a time.
const PEOPLE_MAX: usize = 200;
/// The address holds a hash of the content: whoever has it need not ask again.
const FOR_GOOD: &str = "private, max-age=31536000, immutable";

/// A picture.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "for the document: such bodies are taken and given as bytes")]
pub(super) struct PictureFile(Vec<u8>);

/// The path of a picture.
#[derive(Serialize, ToSchema)]
pub(super) struct PictureAnswer {
    picture: String,
}

/// Takes a picture in place of the one before.
#[utoipa::path(
    put,
    path = "/auth/picture",
    request_body(content = PictureFile, content_type = "application/octet-stream"),
    responses((status = 200, description = "Where it is", body = PictureAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["too_large"])),
    )
)]
pub(super) async fn set(
    State(state): State<AppState>,
    signed: Signed,
    File(file): File,
) -> Result<Json<PictureAnswer>, ApiError> {
    let turn = Arc::clone(&state.picture_turns).acquire_owned().await;
    let turn = turn.expect("nobody closes the semaphore");
    let pixels_max = state.config.limits.picture_pixels_max;
    // The turn moves along: a caller that hangs up does not let more run at once.
    let drawn = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        redraw(&file, pixels_max)
    });
    let drawn = drawn.await;
    let refused = |reason| ApiError::BadRequest { field: "picture", reason };
    let picture = match drawn {
        Ok(Ok(picture)) => picture,
        Ok(Err(BadPicture::TooLarge)) => return Err(refused("too_large")),
        // A decoder that panics has met something that is no picture.
        Ok(Err(BadPicture::Malformed)) | Err(_) => return Err(refused("malformed")),
    };
    state.meta.set_picture(signed.person.id, Some(&picture)).await?;
    Ok(Json(PictureAnswer { picture: url(signed.person.id, picture.hash) }))
}

/// Takes my picture away.
#[utoipa::path(
    delete,
    path = "/auth/picture",
    responses((status = 204, description = "Done")),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn remove(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<StatusCode, ApiError> {
    state.meta.set_picture(signed.person.id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The paths of pictures, by the ids of people.
#[derive(Serialize, ToSchema)]
pub(super) struct Pictures {
    pictures: BTreeMap<String, String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Of {
    /// Ids of people, with commas between them.
    of: String,
}

/// Where the pictures of these people are; those without one are left out.
#[utoipa::path(
    get,
    path = "/pictures",
    params(Of),
    responses((status = 200, description = "Where the pictures are", body = Pictures)),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "read"})))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    of: Result<Query<Of>, QueryRejection>,
) -> Result<Json<Pictures>, ApiError> {
    caller.with(Scope::Read)?;
    let bad = |reason| ApiError::BadRequest { field: "of", reason };
    let Query(Of { of }) = of.map_err(|_| bad("missing"))?;
    let ids: Vec<PersonId> = of.split(',').filter_map(|id| id.parse().ok()).collect();
    if ids.len() > PEOPLE_MAX {
        return Err(bad("too_many"));
    }
    let found = state.meta.pictures(&ids).await?;
    let pictures = found.into_iter().map(|(id, hash)| (id.to_string(), url(id, hash)));
    Ok(Json(Pictures { pictures: pictures.collect() }))
}

/// A picture. Under another hash there is none.
#[utoipa::path(
    get,
    path = "/pictures/{person}/{hash}",
    responses((status = 200, description = "The picture", body = PictureFile, content_type = "image/webp")),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "read"})))
)]
pub(super) async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Names((person, hash)): Names<(String, String)>,
) -> Result<Response, ApiError> {
    caller.with(Scope::Read)?;
    let id = person.parse().map_err(|_| ApiError::NotFound)?;
    let picture = state.meta.picture(id).await?.ok_or(ApiError::NotFound)?;
    if BlobHash(picture.hash).to_string() != hash {
        return Err(ApiError::NotFound);
    }
    let headers = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, FOR_GOOD)];
    Ok((headers, picture.image).into_response())
}

fn url(person: PersonId, hash: [u8; 32]) -> String {
    format!("/api/v1/pictures/{person}/{}", BlobHash(hash))
}

/// A body of bytes, as large as a picture may be (the route's body limit).
pub(super) struct File(Bytes);

impl FromRequest<AppState> for File {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let limits = &state.config.limits;
        let patience = Duration::from_millis(limits.json_body_ms_max);
        let cut_off = ApiError::BadRequest { field: "body", reason: "malformed" };
        let bytes = timeout(patience, Bytes::from_request(request, state)).await;
        bytes.map_err(|_| cut_off.clone())?.map(Self).map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge { limit: limits.picture_bytes_max },
            // The sender hung up, or broke the transfer's framing.
            _ => cut_off,
        })
    }
}
