//! Accounts and sign-ins.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::PersonId;
use weft_store::{NewPerson, NewSignIn, Person, name_key};

use super::{ApiError, body::Body, fields, to_the_end};
use crate::{
    auth::{
        self, Attempt, ClientAddress, SIGN_IN_IDLE_MS_MAX, Secret, Signed, Via,
        check_origin_if_present, clearing_cookie, renewed_cookie, session_cookie,
    },
    config::Registration,
    state::AppState,
};

#[derive(Deserialize)]
pub(super) struct Register {
    username: Option<String>,
    email: Option<String>,
    password: Option<String>,
    name: Option<String>,
    invite: Option<String>,
    language: Option<String>,
}

/// Makes an account and signs in.
pub(super) async fn register(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Register>,
) -> Result<Response, ApiError> {
    check_origin_if_present(&state, &headers)?;
    may_register(&state, address, form.invite.as_deref()).await?;
    let new = NewPerson {
        id: new_person_id(&state),
        username: fields::username(form.username)?,
        name: String::new(),
        email: fields::email(form.email)?,
        password_hash: String::new(),
        admin: false,
        language: fields::language(form.language.as_deref()).to_owned(),
    };
    if form.invite.is_none() {
        fields::required(new.email.as_ref(), "email")?;
    }
    let name = fields::name(form.name, &new.username)?;
    let password = fields::password(form.password)?;
    state.attempts.take(Attempt::RegisterFrom(address), state.clock.now())?;
    let password_hash = state.passwords.hash(password).await?;
    let new = NewPerson { name, password_hash, ..new };
    let person = state.meta.create_person(&new, state.clock.now()).await?;
    tracing::info!(person = %person.id, "registered");
    let signed_in = sign_in(&state, &headers, &person).await?;
    Ok(signed_in.answer(&state, json!({"user": user(&person)})))
}

/// Registration is open, or the invite link is valid (which is checked before anything is told of
/// user names).
async fn may_register(
    state: &AppState,
    address: ClientAddress,
    invite: Option<&str>,
) -> Result<(), ApiError> {
    match (state.config.registration, invite) {
        (Registration::Open, None) => Ok(()),
        (Registration::Closed, _) | (Registration::Invite, None) => {
            Err(ApiError::RegistrationClosed)
        }
        (Registration::Open | Registration::Invite, Some(secret)) => {
            let attempt = Attempt::SecretFrom(address);
            let now = state.clock.now();
            state.attempts.take(attempt, now)?;
            state.meta.look_at_invite(&Secret::hash_of(secret), now).await?;
            state.attempts.forgive(attempt);
            Ok(())
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Login {
    username: Option<String>,
    password: Option<String>,
}

/// Signs in. An unknown user name and a wrong password look and last alike.
pub(super) async fn login(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Login>,
) -> Result<Response, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let username = fields::required(form.username, "username")?;
    let password = fields::required(form.password, "password")?;
    if password.chars().count() > fields::PASSWORD_CHARS_MAX {
        return Err(ApiError::WrongCredentials);
    }
    let key = name_key(&username);
    let attempts = [Attempt::SignInFrom(address), Attempt::SignInAs(&key)];
    for attempt in attempts {
        state.attempts.take(attempt, state.clock.now())?;
    }
    let known = state.meta.credentials(&username).await?;
    let hash = known.as_ref().map(|known| known.password_hash.clone());
    if !state.passwords.verify(password, hash).await? {
        return Err(ApiError::WrongCredentials);
    }
    let person = known.ok_or(ApiError::WrongCredentials)?.person;
    attempts.into_iter().for_each(|attempt| state.attempts.forgive(attempt));
    let signed_in = sign_in(&state, &headers, &person).await?;
    Ok(signed_in.answer(&state, json!({"user": user(&person)})))
}

/// Ends this sign-in. Once this answers, none of its sockets commits anything any more.
pub(super) async fn logout(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<Response, ApiError> {
    let cookie = clearing_cookie(state.is_https());
    to_the_end(async move {
        state.meta.sign_out(&signed.token_hash).await?;
        state.hub.signed_out(signed.token_hash).await;
        Ok(())
    })
    .await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])).into_response())
}

/// Who I am, and where. A browser's cookie gets its thirty days anew.
pub(super) async fn me(
    State(state): State<AppState>,
    headers: HeaderMap,
    signed: Signed,
) -> Result<Response, ApiError> {
    let answer = json!({
        "user": user(&signed.person),
        "workspace": {
            "name": state.meta.workspace_name().await?,
            "registration": state.config.registration.name(),
        },
        "server": {"version": env!("CARGO_PKG_VERSION")},
    });
    let mut response = Json(answer).into_response();
    if signed.via == Via::Cookie
        && let Some(cookie) = renewed_cookie(&headers, state.is_https())
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// A sign-in just made: its token is known here and nowhere else.
pub(super) struct SignedIn(Secret);

/// Stores a new sign-in.
pub(super) async fn sign_in(
    state: &AppState,
    headers: &HeaderMap,
    person: &Person,
) -> Result<SignedIn, ApiError> {
    let token = Secret::new();
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let new = NewSignIn {
        token_hash: token.hash(),
        person: person.id,
        idle_ms_max: SIGN_IN_IDLE_MS_MAX,
        user_agent: user_agent.unwrap_or(""),
    };
    state.meta.create_sign_in(new, state.clock.now()).await?;
    Ok(SignedIn(token))
}

impl SignedIn {
    /// `answer` with the token, which is set as cookie too.
    pub(super) fn answer(self, state: &AppState, mut answer: Value) -> Response {
        answer["token"] = json!(self.0.reveal());
        let cookie = session_cookie(self.0.reveal(), state.is_https());
        (AppendHeaders([(header::SET_COOKIE, cookie)]), Json(answer)).into_response()
    }
}

/// An id for a new account.
pub(super) fn new_person_id(state: &AppState) -> PersonId {
    PersonId::new(state.clock.now(), auth::random())
}

/// `user` of `docs/api.md`: what a person sees of themselves.
pub(super) fn user(person: &Person) -> Value {
    json!({
        "id": person.id.to_string(),
        "username": person.username,
        "name": person.name,
        "email": person.email,
        "admin": person.admin,
    })
}
