//! The set-up: the printed link makes the first administrator, nothing else does.

use axum::{Json, extract::State, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{RoomId, kind::doc::Doc};
use weft_store::{NewPerson, Person, Proof};

use super::{
    ApiError, account_links,
    answers::RegistrationName,
    body::Body,
    fields,
    people::{self, User},
    to_the_end,
};
use crate::{
    auth::{Attempt, ClientAddress, Secret, check_origin_if_present},
    config::Registration,
    hub::Place,
    state::AppState,
    welcome,
};

/// What a browser asks first.
#[derive(Serialize, ToSchema)]
pub(super) struct SetupNeeded {
    /// Nobody has been made administrator yet.
    needed: bool,
    registration: RegistrationName,
    /// Whether mail leaves this server.
    mail: bool,
    /// By way of whom people may sign in too; null: of nobody.
    oidc: Option<ProviderInfo>,
}

/// A provider of OpenID Connect.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
struct ProviderInfo {
    /// What people know it by.
    name: String,
    /// Whether whoever it vouches for gets an account.
    sign_up: bool,
}

/// Whether nobody is administrator yet, who may make an account, and whether mail leaves this server.
#[utoipa::path(
    get,
    path = "/auth/setup",
    responses((status = 200, description = "Whether the server needs its first administrator", body = SetupNeeded)),
    extensions(("x-weft-access" = json!({"credential": "none"})))
)]
pub(super) async fn needed(State(state): State<AppState>) -> Result<Json<SetupNeeded>, ApiError> {
    let needed = !state.meta.has_admin().await?;
    let registration = state.registration().await?;
    let oidc = state.oidc.as_ref().map(|oidc| ProviderInfo {
        name: oidc.config.shown_name().to_owned(),
        sign_up: oidc.config.sign_up || registration == Registration::Open,
    });
    let (registration, mail) = (registration.into(), state.mail.is_some());
    Ok(Json(SetupNeeded { needed, registration, mail, oidc }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SetUpForm)]
pub(super) struct SetUp {
    /// The part after `#` of the printed link.
    #[schema(required)]
    secret: Option<String>,
    #[schema(required, min_length = 2, max_length = 32)]
    username: Option<String>,
    #[schema(required, min_length = 8, max_length = 256)]
    password: Option<String>,
    email: Option<String>,
    name: Option<String>,
    workspace: Option<String>,
    language: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SetUpDone {
    user: User,
    /// A document to land in; null if it could not be made.
    welcome_room: Option<String>,
    /// Of the sign-in, which the cookie holds too.
    token: String,
}

/// Makes the administrator, names the workspace, signs in, and puts a document there to land in.
#[utoipa::path(
    post,
    path = "/auth/setup",
    request_body = SetUp,
    responses((status = 200, description = "Signed in as administrator", body = SetUpDone)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["setup_done", "link_expired", "username_taken", "email_taken", "too_many_attempts", "wrong_credentials", "bad_origin"])),
    )
)]
pub(super) async fn set_up(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<SetUp>,
) -> Result<Response, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let secret_hash = Secret::hash_of(&fields::required(form.secret, "secret")?);
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, state.clock.now())?;
    state.meta.check_setup(&secret_hash, state.clock.now()).await?;
    state.attempts.forgive(attempt);

    let username = fields::username(form.username)?;
    let name = fields::name(form.name, &username)?;
    let email = fields::email(form.email)?;
    let workspace = fields::workspace(form.workspace)?;
    let language = fields::language(form.language.as_deref()).to_owned();
    let password_hash = state.passwords.hash(fields::password(form.password)?).await?;
    let id = people::new_person_id(&state);
    let new = NewPerson { id, username, name, email, password_hash, admin: true, language };
    to_the_end(async move {
        let person = state.meta.set_up(&secret_hash, &new, &workspace, state.clock.now()).await?;
        tracing::info!(person = %person.id, "set up");
        account_links::begin_verification(&state, &person).await;

        let welcome_room = match create_welcome_room(&state, &person).await {
            Ok(room) => Some(room.to_string()),
            // The account stands; its owner can make documents later.
            Err(error) => {
                tracing::error!(?error, "the welcome document was not made");
                None
            }
        };
        let proof = Proof::Password(&new.password_hash);
        let signed_in = people::sign_in(&state, &headers, &person, proof).await?;
        let user = people::user(&person);
        Ok(signed_in.answer(&state, |token| SetUpDone { user, welcome_room, token }))
    })
    .await
}

async fn create_welcome_room(state: &AppState, person: &Person) -> Result<RoomId, ApiError> {
    let title = match person.language.as_str() {
        "zh" => "欢迎使用 Weft",
        _ => "Welcome to Weft",
    };
    let seed = welcome::seed(&person.language);
    Ok(state
        .hub
        .make(person.id, Place::own(person.id), Doc::NAME, title.to_owned(), None, seed)
        .await?)
}
