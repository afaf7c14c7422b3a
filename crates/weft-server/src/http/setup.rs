//! The set-up: the printed link makes the first administrator, nothing else does.

use axum::{Json, extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::{RoomId, kind::doc::Doc};
use weft_store::{NewPerson, Person};

use super::{ApiError, body::Body, fields, people, to_the_end};
use crate::{
    auth::{Attempt, ClientAddress, Secret, check_origin_if_present},
    hub::Place,
    state::AppState,
    welcome,
};

/// Whether nobody is administrator yet, and who may make an account.
pub(super) async fn needed(State(state): State<AppState>) -> Result<Json<Value>, ApiError> {
    let needed = !state.meta.has_admin().await?;
    Ok(Json(json!({"needed": needed, "registration": state.config.registration.name()})))
}

#[derive(Deserialize)]
pub(super) struct SetUp {
    secret: Option<String>,
    username: Option<String>,
    password: Option<String>,
    email: Option<String>,
    name: Option<String>,
    workspace: Option<String>,
    language: Option<String>,
}

/// Makes the administrator, names the workspace, signs in, and puts a document there to land in.
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

        let welcome_room = match create_welcome_room(&state, &person).await {
            Ok(room) => Some(room.to_string()),
            // The account stands; its owner can make documents later.
            Err(error) => {
                tracing::error!(?error, "the welcome document was not made");
                None
            }
        };
        let signed_in = people::sign_in(&state, &headers, &person, &new.password_hash).await?;
        let answer = json!({"user": people::user(&person), "welcome_room": welcome_room});
        Ok(signed_in.answer(&state, answer))
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
