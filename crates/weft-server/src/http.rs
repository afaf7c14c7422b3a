//! The HTTP API of `docs/api.md`, one file for each resource, and all that is around it.
//!
//! Handlers check the shape of what they are sent, ask the metadata who may do what, tell the hub
//! when rights change, and decide nothing else.
//!
//! Start at [`router`].
//! Not here: who is asking (`auth`), sockets (`ws`), the web app's files (`assets`).

mod account;
pub(crate) mod account_links;
mod admin;
mod admin_people;
mod admin_server;
mod answers;
mod audit;
mod body;
mod content;
mod error;
pub(crate) mod fields;
mod folders;
mod grants;
mod identity;
mod invites;
mod layers;
mod links;
mod mentions;
mod oidc;
mod openapi;
mod operation;
mod people;
mod people_search;
mod pictures;
mod push;
mod quotas;
mod requests;
pub(crate) mod room_tokens;
mod rooms;
mod second_factor;
mod setup;
mod sharing;
mod spaces;
mod tokens;
mod webhooks;
mod workspace_invites;

use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::header,
    middleware,
    routing::{get, post},
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use weft_store::{Origin, audited};

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
    // Who acts from where goes along.
    let work = async {
        match Origin::present() {
            Some(origin) => tokio::spawn(audited(origin, work)).await,
            None => tokio::spawn(work).await,
        }
    };
    match work.await {
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
    let picture_bytes_max =
        usize::try_from(state.config.limits.picture_bytes_max).unwrap_or(usize::MAX);
    let (v1, calls) = v1(op_bytes_max, picture_bytes_max).split_for_parts();
    let (operation, document) = operation().split_for_parts();
    let document = openapi::finished(document.nest("/api/v1", calls));
    Router::new()
        .nest("/api", api(v1, document))
        .merge(openapi::pages())
        .merge(operation)
        .merge(sockets(&state))
        .merge(y_sweet_calls(op_bytes_max))
        .fallback_service(assets::service(state.clone()))
        .layer(middleware::from_fn_with_state(state.clone(), layers::audited))
        .layer(middleware::from_fn_with_state(state.clone(), layers::security_headers))
        .layer(middleware::from_fn(layers::log))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(state)
}

fn api(v1: Router<AppState>, document: Bytes) -> Router<AppState> {
    let document = async || ([(header::CONTENT_TYPE, "application/json")], document);
    Router::new()
        .nest("/v1", v1)
        .route("/openapi.json", get(document))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::BadMethod)
        .layer(middleware::from_fn(layers::never_cached))
}

/// Every call, under the path and the method that its handler declares: those are in the document
/// too (`openapi`), so that there is no call without a description.
fn v1(op_bytes_max: usize, picture_bytes_max: usize) -> OpenApiRouter<AppState> {
    let picture = routes!(pictures::set, pictures::remove);
    OpenApiRouter::default()
        .routes(routes!(setup::needed, setup::set_up))
        .routes(routes!(people::register))
        .routes(routes!(people::login))
        .routes(routes!(people::logout))
        .routes(routes!(account::confirm))
        .routes(routes!(people::me, account::change_profile))
        .routes(routes!(account::change_password))
        .routes(routes!(account::sign_ins, account::end_other_sign_ins))
        .routes(routes!(account::end_sign_in))
        .routes(routes!(push::read, push::set, push::remove))
        .routes(routes!(second_factor::begin))
        .routes(routes!(second_factor::confirm))
        .routes(routes!(second_factor::turn_off))
        .routes(routes!(account_links::reset))
        .routes(routes!(account_links::ask))
        .routes(routes!(account_links::verify))
        .routes(routes!(account_links::send_again))
        .routes(routes!(account::leave))
        .routes(routes!(oidc::start))
        .routes(routes!(oidc::join))
        .routes(routes!(oidc::callback))
        .routes(routes!(oidc::second_step))
        .routes(routes!(identity::read))
        .routes(routes!(identity::link))
        .routes(routes!(identity::unlink))
        .routes(routes!(identity::confirm))
        .routes(picture.layer(DefaultBodyLimit::max(picture_bytes_max)))
        .routes(routes!(pictures::list))
        .routes(routes!(pictures::read))
        .routes(routes!(admin_people::list))
        .routes(routes!(admin_people::change))
        .routes(routes!(admin_people::delete))
        .routes(routes!(admin_people::reset_link))
        .routes(routes!(admin_people::sign_out))
        .routes(routes!(admin_server::registration, admin_server::set_registration))
        .routes(routes!(admin_server::spaces))
        .routes(routes!(quotas::read, quotas::set))
        .routes(routes!(quotas::read_of_space, quotas::set_of_space))
        .routes(routes!(admin_server::storage))
        .routes(routes!(admin_server::mail))
        .routes(routes!(admin_server::test_mail))
        .routes(routes!(admin_server::versions))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(room_tokens::mint))
        .routes(routes!(admin::quarantine))
        .routes(routes!(audit::of_all))
        .routes(routes!(sharing::read, sharing::change))
        .routes(routes!(workspace_invites::list, workspace_invites::create))
        .routes(routes!(workspace_invites::revoke))
        .routes(routes!(rooms::list, rooms::create))
        .routes(routes!(rooms::read, rooms::change, rooms::trash))
        .routes(routes!(rooms::star, rooms::unstar))
        .routes(routes!(rooms::mute, rooms::unmute))
        .routes(routes!(requests::list, requests::ask))
        .routes(routes!(requests::answer))
        .routes(routes!(mentions::tell))
        .routes(routes!(rooms::restore))
        .routes(routes!(rooms::text))
        .routes(routes!(content::as_json))
        .routes(routes!(content::state))
        .routes(routes!(content::merge).layer(DefaultBodyLimit::max(op_bytes_max)))
        .routes(routes!(grants::people))
        .routes(routes!(grants::grant))
        .routes(routes!(grants::revoke))
        .routes(routes!(links::read, links::set, links::turn_off))
        .routes(routes!(links::renew))
        .routes(routes!(links::look))
        .routes(routes!(links::open_by))
        .routes(routes!(audit::of_room))
        .routes(routes!(people_search::search))
        .routes(routes!(invites::list, invites::create))
        .routes(routes!(invites::revoke))
        .routes(routes!(invites::look))
        .routes(routes!(invites::accept))
        .routes(routes!(spaces::list, spaces::create))
        .routes(routes!(spaces::read, spaces::change))
        .routes(routes!(spaces::members, spaces::invite))
        .routes(routes!(spaces::set_role, spaces::remove))
        .routes(routes!(audit::of_space))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::change, webhooks::remove))
        .routes(routes!(webhooks::renew_secret))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::send_again))
        .routes(routes!(spaces::answer))
        .routes(routes!(spaces::hand_over))
        .routes(routes!(folders::create))
        .routes(routes!(folders::change, folders::trash))
        .routes(routes!(folders::restore))
        .routes(routes!(folders::grants, folders::grant))
        .routes(routes!(folders::revoke))
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

fn operation() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::beginning())
        .routes(routes!(operation::healthz))
        .routes(routes!(operation::readyz))
        // Figures, for this machine alone: no call of the API.
        .route("/metrics", get(operation::metrics))
}
