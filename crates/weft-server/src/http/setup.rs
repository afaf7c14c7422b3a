//! The set-up: the printed link makes the first administrator, nothing else does.

use axum::{Json, extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::RoomId;
use weft_store::{NewPerson, NewRoom, Person};

use super::{ApiError, body::Body, fields, people, to_the_end};
use crate::{
    auth::{self, Attempt, ClientAddress, Secret, check_origin_if_present},
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
        let signed_in = people::sign_in(&state, &headers, &person).await?;
        let answer = json!({"user": people::user(&person), "welcome_room": welcome_room});
        Ok(signed_in.answer(&state, answer))
    })
    .await
}

async fn create_welcome_room(state: &AppState, person: &Person) -> Result<RoomId, ApiError> {
    let now = state.clock.now();
    let id = RoomId::new(now, auth::random());
    let title = match person.language.as_str() {
        "zh" => "欢迎使用 Weft",
        _ => "Welcome to Weft",
    };
    state.hub.create(id, "doc", welcome::seed(&person.language)).await?;
    let new = NewRoom {
        id,
        kind: "doc".to_owned(),
        title: title.to_owned(),
        key: None,
        owner: person.id,
    };
    state.meta.create_room(&new, state.config.limits.rooms_per_person_max, now).await?;
    Ok(id)
}
