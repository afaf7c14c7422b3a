//! The HTTP API of `docs/api.md`, one file for each resource, and all that is around it.
//!
//! Handlers check the shape of what they are sent, ask the metadata who may do what, tell the hub
//! when rights change, and decide nothing else.
//!
//! Start at [`router`].
//! Not here: who is asking (`auth`), sockets (`ws`), the web app's files (`assets`).

mod account;
mod admin;
mod body;
mod content;
mod error;
pub(crate) mod fields;
mod folders;
mod grants;
mod invites;
mod layers;
mod operation;
mod people;
pub(crate) mod room_tokens;
mod rooms;
mod second_factor;
mod setup;
mod spaces;
mod tokens;
mod workspace_invites;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{delete, get, patch, post, put},
};

pub(crate) use body::{Body, Names};
pub use error::ApiError;
pub(crate) use rooms::open as open_room;

use crate::{
    assets,
    state::AppState,
    ws,
    yjs::{hocuspocus, y_sweet, y_websocket},
};

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
    let op_bytes_max = usize::try_from(state.config.limits.op_bytes_max).unwrap_or(usize::MAX);
    Router::new()
        .nest("/api", api(op_bytes_max))
        .merge(operation())
        .merge(sockets(&state))
        .merge(y_sweet_calls(op_bytes_max))
        .fallback_service(assets::service(state.clone()))
        .layer(middleware::from_fn(layers::security_headers))
        .layer(middleware::from_fn(layers::log))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(state)
}

fn api(op_bytes_max: usize) -> Router<AppState> {
    Router::new()
        .nest("/v1", v1(op_bytes_max))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::BadMethod)
        .layer(middleware::from_fn(layers::never_cached))
}

fn v1(op_bytes_max: usize) -> Router<AppState> {
    let update = post(content::merge).layer(DefaultBodyLimit::max(op_bytes_max));
    Router::new()
        .route("/auth/setup", get(setup::needed).post(setup::set_up))
        .route("/auth/register", post(people::register))
        .route("/auth/login", post(people::login))
        .route("/auth/logout", post(people::logout))
        .route("/auth/me", get(people::me).patch(account::change_profile))
        .route("/auth/password", post(account::change_password))
        .route("/auth/sign-ins", get(account::sign_ins).delete(account::end_other_sign_ins))
        .route("/auth/sign-ins/{sign_in}", delete(account::end_sign_in))
        .route("/auth/second-factor", post(second_factor::begin))
        .route("/auth/second-factor/confirm", post(second_factor::confirm))
        .route("/auth/second-factor/off", post(second_factor::turn_off))
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{token}", delete(tokens::revoke))
        .route("/room-tokens", post(room_tokens::mint))
        .route("/admin/quarantine", get(admin::quarantine))
        .route("/admin/invites", get(workspace_invites::list).post(workspace_invites::create))
        .route("/admin/invites/{invite}", delete(workspace_invites::revoke))
        .route("/rooms", get(rooms::list).post(rooms::create))
        .route("/rooms/{room}", get(rooms::read).patch(rooms::change).delete(rooms::trash))
        .route("/rooms/{room}/star", put(rooms::star).delete(rooms::unstar))
        .route("/rooms/{room}/restore", post(rooms::restore))
        .route("/rooms/{room}/text", get(rooms::text))
        .route("/rooms/{room}/json", get(content::as_json))
        .route("/rooms/{room}/state", get(content::state))
        .route("/rooms/{room}/updates", update)
        .route("/rooms/{room}/people", get(grants::people))
        .route("/rooms/{room}/grants", post(grants::grant))
        .route("/rooms/{room}/grants/{username}", delete(grants::revoke))
        .route("/spaces", get(spaces::list).post(spaces::create))
        .route("/spaces/{space}", get(spaces::read).patch(spaces::change))
        .route("/spaces/{space}/members", get(spaces::members).post(spaces::invite))
        .route("/spaces/{space}/members/{username}", patch(spaces::set_role).delete(spaces::remove))
        .route("/spaces/{space}/answer", post(spaces::answer))
        .route("/spaces/{space}/hand-over", post(spaces::hand_over))
        .route("/folders", post(folders::create))
        .route("/folders/{folder}", patch(folders::change).delete(folders::trash))
        .route("/folders/{folder}/restore", post(folders::restore))
        .route("/folders/{folder}/grants", get(folders::grants).post(folders::grant))
        .route("/folders/{folder}/grants/{grantee}", delete(folders::revoke))
        .route("/rooms/{room}/invites", get(invites::list).post(invites::create))
        .route("/rooms/{room}/invites/{invite}", delete(invites::revoke))
        .route("/invites/look", post(invites::look))
        .route("/invites/accept", post(invites::accept))
}

/// The doors of all protocols.
fn sockets(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/ws", get(ws::upgrade))
        .route("/yjs/{room}", get(y_websocket::upgrade))
        .route("/hocuspocus", get(hocuspocus::upgrade))
        .route("/d/{doc}/ws/{again}", get(y_sweet::upgrade))
        .route_layer(middleware::from_fn_with_state(state.clone(), layers::sockets_per_address))
}

/// What y-sweet's servers answer to calls.
fn y_sweet_calls(op_bytes_max: usize) -> Router<AppState> {
    let update = || post(content::merge).layer(DefaultBodyLimit::max(op_bytes_max));
    Router::new()
        .route("/doc/new", post(y_sweet::create))
        .route("/doc/{doc}/auth", post(y_sweet::authorize))
        .route("/doc/{doc}/as-update", get(content::state))
        .route("/d/{doc}/as-update", get(content::state))
        .route("/doc/{doc}/update", update())
        .route("/d/{doc}/update", update())
}

fn operation() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(operation::healthz))
        .route("/readyz", get(operation::readyz))
        .route("/metrics", get(operation::metrics))
}
