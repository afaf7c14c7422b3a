//! The second factor: a code from the person's device, which signing in takes besides the password.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_store::Person;

use super::{ApiError, body::Body, fields, people};
use crate::{
    auth::{Attempt, ClientAddress, RECOVERY_CODES, RecoveryCode, Signed, Totp},
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorForm)]
pub(super) struct Begin {
    /// Needed of whoever has one.
    password: Option<String>,
}

/// What an authenticator app is told.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub(super) struct Begun {
    secret: String,
    uri: String,
}

/// Makes a secret for the person's device. Nothing takes its codes until one has been confirmed.
#[utoipa::path(
    post,
    path = "/auth/second-factor",
    request_body = Begin,
    responses((status = 200, description = "What an authenticator app is told", body = Begun)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["wrong_credentials", "sign_in_again", "too_many_attempts", "second_factor_on"])),
    )
)]
pub(super) async fn begin(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<Begin>,
) -> Result<Json<Begun>, ApiError> {
    people::shown_again(&state, address, &signed, form.password).await?;
    let totp = Totp::fresh(&signed.person.username);
    state.meta.begin_second_factor(signed.person.id, totp.secret()).await?;
    Ok(Json(Begun { secret: totp.letters(), uri: totp.uri() }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ConfirmForm)]
pub(super) struct Confirm {
    #[schema(required)]
    code: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub(super) struct Confirmed {
    /// Each works once in place of a code.
    recovery_codes: Vec<String>,
}

/// Turns the second factor on: the person's device has shown a right code. The recovery codes are in
/// this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/auth/second-factor/confirm",
    request_body = Confirm,
    responses((status = 200, description = "The recovery codes", body = Confirmed)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["wrong_code", "too_many_attempts", "second_factor_on", "not_found"])),
    )
)]
pub(super) async fn confirm(
    State(state): State<AppState>,
    signed: Signed,
    Body(form): Body<Confirm>,
) -> Result<Json<Confirmed>, ApiError> {
    let code = fields::required(form.code, "code")?;
    let person = &signed.person;
    let factor = state.meta.second_factor(person.id).await?;
    let factor = factor.filter(|factor| !factor.on).ok_or(ApiError::NotFound)?;
    let (attempt, now) = (Attempt::CodeOf(person.id), state.clock.now());
    state.attempts.take(attempt, now)?;
    let totp = Totp::of(factor.secret, &person.username);
    let step = totp.step_of(&digits(&code), now).ok_or(ApiError::WrongCode)?;
    let codes: [RecoveryCode; RECOVERY_CODES] = std::array::from_fn(|_| RecoveryCode::fresh());
    let hashes = codes.each_ref().map(RecoveryCode::hash);
    state.meta.turn_on_second_factor(person.id, totp.secret(), step, &hashes).await?;
    state.attempts.forgive(attempt);
    tracing::info!(person = %person.id, "second factor turned on");
    Ok(Json(Confirmed { recovery_codes: codes.iter().map(RecoveryCode::reveal).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = TurnOffForm)]
pub(super) struct TurnOff {
    /// Needed of whoever has one.
    password: Option<String>,
    #[schema(required)]
    code: Option<String>,
}

/// Takes the second factor away.
#[utoipa::path(
    post,
    path = "/auth/second-factor/off",
    request_body = TurnOff,
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["wrong_credentials", "sign_in_again", "wrong_code", "second_factor_needed", "too_many_attempts", "not_found"])),
    )
)]
pub(super) async fn turn_off(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<TurnOff>,
) -> Result<StatusCode, ApiError> {
    let code = fields::required(form.code, "code")?;
    if !signed.person.second_factor {
        return Err(ApiError::NotFound);
    }
    people::shown_again(&state, address, &signed, form.password).await?;
    check(&state, &signed.person, Some(&code)).await?;
    state.meta.remove_second_factor(signed.person.id).await?;
    tracing::info!(person = %signed.person.id, "second factor turned off");
    Ok(StatusCode::NO_CONTENT)
}

/// That somebody who has shown the password shows a code too, if they have a second factor: one of
/// their device's or of their recovery codes, which is used up by it.
///
/// # Errors
/// [`ApiError::SecondFactorNeeded`] if there is no code, [`ApiError::WrongCode`],
/// [`ApiError::TooManyAttempts`].
pub(super) async fn check(
    state: &AppState,
    person: &Person,
    code: Option<&str>,
) -> Result<(), ApiError> {
    let factor = state.meta.second_factor(person.id).await?;
    let Some(factor) = factor.filter(|factor| factor.on) else { return Ok(()) };
    let code = code.filter(|code| !code.trim().is_empty()).ok_or(ApiError::SecondFactorNeeded)?;
    let (attempt, now) = (Attempt::CodeOf(person.id), state.clock.now());
    state.attempts.take(attempt, now)?;
    let totp = Totp::of(factor.secret, &person.username);
    let right = match totp.step_of(&digits(code), now) {
        Some(step) => state.meta.use_code(person.id, step).await?,
        None => {
            let hash = RecoveryCode::typed(code).hash();
            state.meta.use_recovery_code(person.id, &hash).await?
        }
    };
    if !right {
        people::note_failure(state, Some(person.id), "code").await;
        return Err(ApiError::WrongCode);
    }
    state.attempts.forgive(attempt);
    Ok(())
}

/// Devices show codes in two groups.
fn digits(code: &str) -> String {
    code.split_whitespace().collect()
}
