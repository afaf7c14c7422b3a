//! Accounts and sign-ins.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{Millis, PersonId};
use weft_store::{Credentials, NewPerson, NewSignIn, Person, Proof, Scope, inbox_of, name_key};

use super::{
    ApiError, account_links, answers::RegistrationName, body::Body, fields, second_factor,
    to_the_end,
};
use crate::{
    auth::{
        self, Attempt, Caller, ClientAddress, SIGN_IN_IDLE_MS_MAX, Secret, Signed, Via,
        check_origin_if_present, clearing_cookie, renewed_cookie, session_cookie,
    },
    config::Registration,
    state::AppState,
};

/// How lately somebody without a password has to have shown who they are where others show theirs, in milliseconds.
const SHOWN_AGAIN_MS: Millis = 5 * 60 * 1000;

#[derive(Deserialize, ToSchema)]
#[schema(as = RegisterForm)]
pub(super) struct Register {
    #[schema(required, min_length = 2, max_length = 32)]
    username: Option<String>,
    /// Needed unless there is an invite link.
    email: Option<String>,
    #[schema(required, min_length = 8, max_length = 256)]
    password: Option<String>,
    name: Option<String>,
    /// The secret of an invite link.
    invite: Option<String>,
    language: Option<String>,
}

/// Makes an account and signs in.
#[utoipa::path(
    post,
    path = "/auth/register",
    request_body = Register,
    responses((status = 200, description = "Signed in", body = SignedInAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["registration_closed", "username_taken", "email_taken", "link_expired", "too_many_attempts", "wrong_credentials", "bad_origin"])),
    )
)]
pub(super) async fn register(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Register>,
) -> Result<Response, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let admission = admission(&state, address, form.invite.as_deref()).await?;
    let new = NewPerson {
        id: new_person_id(&state),
        username: fields::username(form.username)?,
        name: String::new(),
        email: fields::email(form.email)?.or(admission.email),
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
    let now = state.clock.now();
    let person = match admission.invite {
        Some(hash) => state.meta.create_invited_person(&new, &hash, now).await?,
        None => state.meta.create_person(&new, now).await?,
    };
    tracing::info!(person = %person.id, "registered");
    account_links::begin_verification(&state, &person).await;
    let proof = Proof::Password(&new.password_hash);
    let signed_in = sign_in(&state, &headers, &person, proof).await?;
    Ok(signed_in.answer(&state, |token| SignedInAnswer::of(&person, token)))
}

/// Why somebody may make an account.
#[derive(Default)]
pub(super) struct Admission {
    /// The link to the workspace that is used by it.
    pub invite: Option<[u8; 32]>,
    /// The address that the link is for.
    pub email: Option<String>,
}

/// Registration is open, or the invite link is valid (which is checked before anything is told of
/// user names).
async fn admission(
    state: &AppState,
    address: ClientAddress,
    invite: Option<&str>,
) -> Result<Admission, ApiError> {
    match (state.registration().await?, invite) {
        (Registration::Open, None) => Ok(Admission::default()),
        (Registration::Closed, _) | (Registration::Invite, None) => {
            Err(ApiError::RegistrationClosed)
        }
        (Registration::Open | Registration::Invite, Some(secret)) => {
            shown_invite(state, address, Secret::hash_of(secret)).await
        }
    }
}

/// What the invite link admits to that somebody shows, by the hash of its secret. How often this may be tried is limited.
///
/// # Errors
/// As [`invited`]; [`ApiError::TooManyAttempts`].
pub(super) async fn shown_invite(
    state: &AppState,
    address: ClientAddress,
    hash: [u8; 32],
) -> Result<Admission, ApiError> {
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, state.clock.now())?;
    let admission = invited(state, hash).await?;
    state.attempts.forgive(attempt);
    Ok(admission)
}

/// What the invite link admits to, by the hash of its secret.
///
/// # Errors
/// [`ApiError::LinkExpired`] if it does not work (any more).
pub(super) async fn invited(state: &AppState, hash: [u8; 32]) -> Result<Admission, ApiError> {
    let now = state.clock.now();
    if let Some(invite) = state.meta.workspace_invite(&hash, now).await? {
        return Ok(Admission { invite: Some(hash), email: invite.email });
    }
    state.meta.look_at_invite(&hash, now).await?;
    Ok(Admission::default())
}

#[derive(Deserialize, ToSchema)]
#[schema(as = LoginForm)]
pub(super) struct Login {
    #[schema(required)]
    username: Option<String>,
    #[schema(required)]
    password: Option<String>,
    /// Of the second factor, or a recovery code.
    code: Option<String>,
}

/// Signs in, with a code if the person has a second factor. An unknown user name and a wrong password look and last alike.
#[utoipa::path(
    post,
    path = "/auth/login",
    request_body = Login,
    responses((status = 200, description = "Signed in", body = SignedInAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["wrong_credentials", "second_factor_needed", "wrong_code", "too_many_attempts", "bad_origin"])),
    )
)]
pub(super) async fn login(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Login>,
) -> Result<Response, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let username = fields::required(form.username, "username")?;
    let password = fields::required(form.password, "password")?;
    let Credentials { person, password_hash } =
        credentials(&state, address, &username, password).await?;
    second_factor::check(&state, &person, form.code.as_deref()).await?;
    let proof = Proof::Password(&password_hash);
    let signed_in = sign_in(&state, &headers, &person, proof).await?;
    Ok(signed_in.answer(&state, |token| SignedInAnswer::of(&person, token)))
}

/// The person of that user name, if the password is theirs. How often this may be tried is limited,
/// and an unknown user name takes as long as a wrong password.
///
/// # Errors
/// [`ApiError::WrongCredentials`], [`ApiError::TooManyAttempts`].
pub(super) async fn credentials(
    state: &AppState,
    address: ClientAddress,
    username: &str,
    password: String,
) -> Result<Credentials, ApiError> {
    if password.chars().count() > fields::PASSWORD_CHARS_MAX {
        return Err(ApiError::WrongCredentials);
    }
    let key = name_key(username);
    let attempts = [Attempt::SignInFrom(address), Attempt::SignInAs(&key)];
    for attempt in attempts {
        state.attempts.take(attempt, state.clock.now())?;
    }
    let known = state.meta.credentials(username).await?;
    let hash = known.as_ref().map(|known| known.password_hash.clone());
    // Whoever has no password is let in by none, after as long a time.
    let hash = hash.filter(|hash| !hash.is_empty());
    if !state.passwords.verify(password, hash).await? {
        note_failure(state, known.map(|known| known.person.id), "password").await;
        return Err(ApiError::WrongCredentials);
    }
    attempts.into_iter().for_each(|attempt| state.attempts.forgive(attempt));
    known.ok_or(ApiError::WrongCredentials)
}

/// That whoever is signed in is its person: they show the password or, who has none, have been to the provider minutes
/// ago. The password's hash, which is empty then.
///
/// # Errors
/// As [`credentials`]; [`ApiError::SignInAgain`].
pub(super) async fn shown_again(
    state: &AppState,
    address: ClientAddress,
    signed: &Signed,
    password: Option<String>,
) -> Result<String, ApiError> {
    if signed.person.has_password {
        let password = fields::required(password, "password")?;
        let known = credentials(state, address, &signed.person.username, password).await?;
        return Ok(known.password_hash);
    }
    if signed.confirmed_at.saturating_add(SHOWN_AGAIN_MS) <= state.clock.now() {
        return Err(ApiError::SignInAgain);
    }
    Ok(String::new())
}

/// Notes that somebody was not let in, unless that was noted often lately.
pub(super) async fn note_failure(state: &AppState, person: Option<PersonId>, reason: &'static str) {
    if state.attempts.take(Attempt::NotedFailure, state.clock.now()).is_err() {
        return;
    }
    if let Err(error) = state.meta.note_failed_sign_in(person, reason).await {
        tracing::warn!(%error, "a failed sign-in was not noted");
    }
}

/// Ends this sign-in, and the room tokens minted with it. Once this answers, none of their sockets
/// commits anything any more.
#[utoipa::path(
    post,
    path = "/auth/logout",
    responses((status = 204, description = "Done")),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn logout(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<Response, ApiError> {
    let cookie = clearing_cookie(state.is_https());
    to_the_end(async move {
        state.meta.sign_out(&signed.token_hash).await?;
        state.hub.signed_out([signed.token_hash]).await;
        Ok(())
    })
    .await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])).into_response())
}

/// Who I am, and where.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    user: User,
    /// The room that is my inbox.
    inbox: String,
    workspace: Workspace,
    server: ServerInfo,
}

#[derive(Serialize, ToSchema)]
struct Workspace {
    name: String,
    registration: RegistrationName,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Server)]
struct ServerInfo {
    version: &'static str,
    room_token_seconds_max: u64,
}

/// Who I am, and where. A browser's cookie gets its thirty days anew.
#[utoipa::path(
    get,
    path = "/auth/me",
    responses((status = 200, description = "Who I am, and where", body = Me)),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "read"})))
)]
pub(super) async fn me(
    State(state): State<AppState>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Read)?;
    let answer = Me {
        user: user(&signed.person),
        inbox: inbox_of(signed.person.id).to_string(),
        workspace: Workspace {
            name: state.meta.workspace_name().await?,
            registration: state.registration().await?.into(),
        },
        server: ServerInfo {
            version: env!("CARGO_PKG_VERSION"),
            room_token_seconds_max: state.config.limits.room_token_seconds_max,
        },
    };
    let mut response = Json(answer).into_response();
    if signed.via == Via::Cookie
        && let Some(cookie) = renewed_cookie(&headers, state.is_https())
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[derive(Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub(super) struct SignedInAnswer {
    user: User,
    /// Of the sign-in, which the cookie holds too.
    token: String,
}

impl SignedInAnswer {
    pub(super) fn of(person: &Person, token: String) -> Self {
        Self { user: user(person), token }
    }
}

/// A sign-in just made: its token is known here and nowhere else.
pub(super) struct SignedIn(Secret);

/// Stores a new sign-in of somebody who has just shown who they are.
///
/// # Errors
/// [`ApiError::WrongCredentials`] or [`ApiError::OidcExpired`] if that is not so any more.
pub(super) async fn sign_in(
    state: &AppState,
    headers: &HeaderMap,
    person: &Person,
    proof: Proof<'_>,
) -> Result<SignedIn, ApiError> {
    let token = Secret::new();
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let new = NewSignIn {
        token_hash: token.hash(),
        person: person.id,
        proof,
        idle_ms_max: SIGN_IN_IDLE_MS_MAX,
        user_agent: user_agent.unwrap_or(""),
    };
    state.meta.create_sign_in(new, state.clock.now()).await?;
    Ok(SignedIn(token))
}

impl SignedIn {
    /// `Set-Cookie` with the token.
    pub(super) fn cookie(&self, state: &AppState) -> HeaderValue {
        session_cookie(self.0.reveal(), state.is_https())
    }

    /// An answer with the token, which is set as cookie too.
    pub(super) fn answer<T: Serialize>(
        self,
        state: &AppState,
        answer: impl FnOnce(String) -> T,
    ) -> Response {
        let cookie = self.cookie(state);
        let answer = answer(self.0.reveal().to_owned());
        (AppendHeaders([(header::SET_COOKIE, cookie)]), Json(answer)).into_response()
    }
}

/// An id for a new account.
pub(super) fn new_person_id(state: &AppState) -> PersonId {
    PersonId::new(state.clock.now(), auth::random())
}

/// `user` of `docs/api.md`: what a person sees of themselves.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    id: String,
    username: String,
    name: String,
    email: Option<String>,
    /// Whether a link that was mailed there has been opened.
    email_verified: bool,
    phone: Option<String>,
    /// `en` or `zh`.
    language: String,
    time_zone: Option<String>,
    second_factor: bool,
    /// How often letters may tell of what I have not read: `off`, `hourly` or `daily`.
    digest: &'static str,
    /// Who signs in by way of a provider alone has none.
    has_password: bool,
    admin: bool,
}

pub(super) fn user(person: &Person) -> User {
    User {
        id: person.id.to_string(),
        username: person.username.clone(),
        name: person.name.clone(),
        email: person.email.clone(),
        email_verified: person.email_verified,
        phone: person.phone.clone(),
        language: person.language.clone(),
        time_zone: person.time_zone.clone(),
        second_factor: person.second_factor,
        digest: person.digest.name(),
        has_password: person.has_password,
        admin: person.admin,
    }
}
