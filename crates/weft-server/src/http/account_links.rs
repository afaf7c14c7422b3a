//! Links that prove who somebody is: to set a new password without the one before, to show that an address is
//! theirs.
//!
//! Mailed links lead to the public URL, never to where a request came in: whoever asks must not choose the host.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::Millis;
use weft_store::{NewAccountLink, Person, Purpose};

use super::{ApiError, body::Body, fields, to_the_end};
use crate::{
    auth::{Attempt, ClientAddress, Secret, Signed, base_url_at_start, check_origin_if_present},
    mail::{Letter, Mailer},
    state::AppState,
};

/// How long a mailed link to set a new password lasts, in milliseconds (one hour).
const MAILED_RESET_MS: Millis = 60 * 60 * 1000;
/// How long one lasts that an administrator hands over (one day): they may not meet at once.
pub(crate) const HANDED_RESET_MS: Millis = 24 * 60 * 60 * 1000;
/// How long a link lasts that verifies an address (one day).
const VERIFY_MS: Millis = 24 * 60 * 60 * 1000;

#[derive(Deserialize, ToSchema)]
#[schema(as = AskLinkForm)]
pub(super) struct Ask {
    #[schema(required)]
    username: Option<String>,
}

/// Mails a link to set a new password, if there is somebody of that user name or address whose address is
/// verified. The answer says nothing about that, and takes as long either way.
#[utoipa::path(
    post,
    path = "/auth/reset/ask",
    request_body = Ask,
    responses((status = 204, description = "Whether or not there is such a person")),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["no_mail", "too_many_attempts", "bad_origin"])),
    )
)]
pub(super) async fn ask(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Ask>,
) -> Result<StatusCode, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let name = fields::username_or_email(form.username)?;
    if state.mail.is_none() {
        return Err(ApiError::NoMail);
    }
    state.attempts.take(Attempt::ResetFrom(address), state.clock.now())?;
    tokio::spawn(async move {
        if let Err(error) = mail_reset(&state, &name).await {
            tracing::warn!(?error, "no link was mailed");
        }
    });
    Ok(StatusCode::NO_CONTENT)
}

async fn mail_reset(state: &AppState, name: &str) -> Result<(), ApiError> {
    let Some(mail) = &state.mail else { return Ok(()) };
    let person = state.meta.person_to_reset(name).await?;
    let Some((person, email)) = person.and_then(|person| Some((person.clone(), person.email?)))
    else {
        return Ok(());
    };
    state.attempts.take(Attempt::ResetMailTo(person.id), state.clock.now())?;
    let (link, _) = make(state, Purpose::Reset, &person, Some(&email), MAILED_RESET_MS).await?;
    let link = format!("{}{link}", base_url_at_start(state));
    mail.post(Letter::reset(&email, &person.language, &person.username, &link));
    Ok(())
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ResetForm)]
pub(super) struct Reset {
    #[schema(required)]
    secret: Option<String>,
    #[schema(required, min_length = 8, max_length = 256)]
    password: Option<String>,
}

/// Whose password it is.
#[derive(Serialize, ToSchema)]
#[schema(as = ResetDone)]
pub(super) struct ResetDone {
    username: String,
}

/// Sets a new password. Once this answers, every sign-in of the person has ended, and nothing of them commits
/// any more. Signing in takes a second factor as before.
#[utoipa::path(
    post,
    path = "/auth/reset",
    request_body = Reset,
    responses((status = 200, description = "Every sign-in has ended", body = ResetDone)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["link_expired", "too_many_attempts", "bad_origin"])),
    )
)]
pub(super) async fn reset(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Reset>,
) -> Result<Json<ResetDone>, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let secret_hash = Secret::hash_of(&fields::required(form.secret, "secret")?);
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, state.clock.now())?;
    let person = state.meta.check_reset(&secret_hash, state.clock.now()).await?;
    state.attempts.forgive(attempt);
    let password = fields::password(form.password)?;
    let password_hash = state.passwords.hash(password).await?;
    to_the_end(async move {
        let reset = state.meta.reset_password(&secret_hash, &password_hash, state.clock.now());
        let (id, ended) = reset.await?;
        state.hub.signed_out(ended).await;
        tracing::info!(person = %id, "password reset");
        Ok(Json(ResetDone { username: person.username }))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[schema(as = VerifyLinkForm)]
pub(super) struct Verify {
    #[schema(required)]
    secret: Option<String>,
}

/// The address that is verified.
#[derive(Serialize, ToSchema)]
#[schema(as = VerifiedEmail)]
pub(super) struct Verified {
    email: Option<String>,
}

/// Notes that somebody reads the mail of their address.
#[utoipa::path(
    post,
    path = "/auth/verify",
    request_body = Verify,
    responses((status = 200, description = "The address is verified", body = Verified)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["link_expired", "too_many_attempts", "bad_origin"])),
    )
)]
pub(super) async fn verify(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Verify>,
) -> Result<Json<Verified>, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let secret_hash = Secret::hash_of(&fields::required(form.secret, "secret")?);
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, state.clock.now())?;
    let person = state.meta.verify_email(&secret_hash, state.clock.now()).await?;
    state.attempts.forgive(attempt);
    Ok(Json(Verified { email: person.email }))
}

/// Mails the link that verifies my address anew.
#[utoipa::path(
    post,
    path = "/auth/verify/send",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["no_mail", "too_many_attempts", "bad_request"])),
    )
)]
pub(super) async fn send_again(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<StatusCode, ApiError> {
    let mail = state.mail.as_ref().ok_or(ApiError::NoMail)?;
    let person = &signed.person;
    let email = fields::required(person.email.as_deref(), "email")?;
    if !person.email_verified {
        mail_verification(&state, mail, person, email).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Mails the link that verifies an address which a person has just entered, if mail is set up. They can have it
/// sent again, so that nothing else fails with it.
pub(super) async fn begin_verification(state: &AppState, person: &Person) {
    let (Some(mail), Some(email)) = (&state.mail, &person.email) else { return };
    if person.email_verified {
        return;
    }
    if let Err(error) = mail_verification(state, mail, person, email).await {
        tracing::warn!(?error, person = %person.id, "no link was mailed");
    }
}

async fn mail_verification(
    state: &AppState,
    mail: &Mailer,
    person: &Person,
    email: &str,
) -> Result<(), ApiError> {
    state.attempts.take(Attempt::VerifyMailTo(person.id), state.clock.now())?;
    let (link, _) = make(state, Purpose::Verify, person, Some(email), VERIFY_MS).await?;
    let link = format!("{}{link}", base_url_at_start(state));
    mail.post(Letter::verify(email, &person.language, &link));
    Ok(())
}

/// A link to set a new password that an administrator hands over, as a path, and until when it works.
pub(super) async fn handed_reset(
    state: &AppState,
    person: &Person,
) -> Result<(String, Millis), ApiError> {
    make(state, Purpose::Reset, person, None, HANDED_RESET_MS).await
}

async fn make(
    state: &AppState,
    purpose: Purpose,
    person: &Person,
    email: Option<&str>,
    lasts_ms: Millis,
) -> Result<(String, Millis), ApiError> {
    let (secret, now) = (Secret::new(), state.clock.now());
    let expires_at = now.saturating_add(lasts_ms);
    let new = NewAccountLink {
        person: person.id,
        purpose,
        secret_hash: secret.hash(),
        email: email.map(str::to_owned),
        expires_at,
    };
    state.meta.create_account_link(&new, now).await?;
    let page = match purpose {
        Purpose::Reset => "reset",
        Purpose::Verify => "verify",
    };
    Ok((format!("/{page}#{}", secret.reveal()), expires_at))
}
