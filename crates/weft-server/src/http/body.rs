//! What comes in: JSON bodies and parts of paths, refused in the API's own words.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::{http::ApiError, state::AppState};

/// A JSON body. The content type is not asked for: `Origin` keeps other sites' pages out.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let too_large = ApiError::TooLarge { limit: state.config.limits.json_body_bytes_max };
        let patience = Duration::from_millis(state.config.limits.json_body_ms_max);
        let bytes = timeout(patience, Bytes::from_request(request, state)).await;
        let bytes =
            bytes.map_err(|_| ApiError::BadJson)?.map_err(|error| match error.status() {
                StatusCode::PAYLOAD_TOO_LARGE => too_large,
                // The sender hung up, or broke the transfer's framing.
                _ => ApiError::BadJson,
            })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| ApiError::BadJson)
    }
}

/// The variable parts of the path. One that is no UTF-8 names nothing.
pub struct Names<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for Names<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(names)| Self(names)).map_err(|_| ApiError::NotFound)
    }
}
