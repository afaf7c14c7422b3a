//! The HTTP API of `docs/api.md`, one file for each resource, and all that is around it.
//!
//! Handlers check the shape of what they are sent, ask the metadata who may do what, tell the hub
//! when rights change, and decide nothing else.
//!
//! Start at [`router`].
//! Not here: who is asking (`auth`), sockets (`ws`), the web app's files (`assets`).

mod body;
mod error;
pub(crate) mod fields;
mod grants;
mod invites;
mod layers;
mod operation;
mod people;
mod rooms;
mod setup;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{delete, get, post},
};

pub use error::ApiError;

use crate::{assets, state::AppState, ws, yjs};

/// Runs `work` to its end even if the one who asked hangs up, which drops a request's future: what
/// the metadata says and what the hub has been told must not part.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down, and this request with it.
            Err(_) => Err(ApiError::StoreFailed),
        },
    }
}

/// Everything that the server answers.
pub(crate) fn router(state: AppState) -> Router {
    let body_bytes_max =
        usize::try_from(state.config.limits.json_body_bytes_max).unwrap_or(usize::MAX);
    Router::new()
        .nest("/api", api())
        .merge(operation())
        .route("/ws", get(ws::upgrade))
        .route("/yjs/{room}", get(yjs::upgrade))
        .fallback_service(assets::service(state.clone()))
        .layer(middleware::from_fn(layers::security_headers))
        .layer(middleware::from_fn(layers::log))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(state)
}

fn api() -> Router<AppState> {
    Router::new()
        .nest("/v1", v1())
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::BadMethod)
        .layer(middleware::from_fn(layers::never_cached))
}

fn v1() -> Router<AppState> {
    Router::new()
        .route("/auth/setup", get(setup::needed).post(setup::set_up))
        .route("/auth/register", post(people::register))
        .route("/auth/login", post(people::login))
        .route("/auth/logout", post(people::logout))
        .route("/auth/me", get(people::me))
        .route("/rooms", get(rooms::list).post(rooms::create))
        .route("/rooms/{room}", get(rooms::read).patch(rooms::rename).delete(rooms::trash))
        .route("/rooms/{room}/restore", post(rooms::restore))
        .route("/rooms/{room}/text", get(rooms::text))
        .route("/rooms/{room}/people", get(grants::people))
        .route("/rooms/{room}/grants", post(grants::grant))
        .route("/rooms/{room}/grants/{username}", delete(grants::revoke))
        .route("/rooms/{room}/invites", get(invites::list).post(invites::create))
        .route("/rooms/{room}/invites/{invite}", delete(invites::revoke))
        .route("/invites/look", post(invites::look))
        .route("/invites/accept", post(invites::accept))
}

fn operation() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(operation::healthz))
        .route("/readyz", get(operation::readyz))
        .route("/metrics", get(operation::metrics))
}
