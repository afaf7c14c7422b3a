//! For administrators: what the server has set aside.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::ApiError;
use crate::{auth::Admin, state::AppState};

/// Operations that made a room fail, the newest first.
pub(super) async fn quarantine(
    State(state): State<AppState>,
    _: Admin,
) -> Result<Json<Value>, ApiError> {
    let read = tokio::task::spawn_blocking(move || state.quarantine.list());
    match read.await {
        Ok(Ok(kept)) => Ok(Json(json!({"quarantined": kept}))),
        Ok(Err(error)) => {
            tracing::error!(%error, "the quarantine cannot be read");
            Err(ApiError::StoreFailed)
        }
        // It panicked, or the runtime is going down.
        Err(_) => Err(ApiError::StoreFailed),
    }
}
