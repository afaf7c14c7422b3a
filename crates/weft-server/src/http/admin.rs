//! For administrators: what the server has set aside.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use crate::{auth::Admin, quarantine::Kept, state::AppState};

#[derive(Serialize, ToSchema)]
pub(super) struct Quarantined {
    quarantined: Vec<Kept>,
}

/// Operations that made a room fail, the newest first.
#[utoipa::path(
    get,
    path = "/admin/quarantine",
    responses((status = 200, description = "The newest first", body = Quarantined)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn quarantine(
    State(state): State<AppState>,
    _: Admin,
) -> Result<Json<Quarantined>, ApiError> {
    let read = tokio::task::spawn_blocking(move || state.quarantine.list());
    match read.await {
        Ok(Ok(quarantined)) => Ok(Json(Quarantined { quarantined })),
        Ok(Err(error)) => {
            tracing::error!(%error, "the quarantine cannot be read");
            Err(ApiError::StoreFailed)
        }
        // It panicked, or the runtime is going down.
        Err(_) => Err(ApiError::StoreFailed),
    }
}
