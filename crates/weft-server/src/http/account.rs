//! What people do with their own account: what they say about themselves, their password, and where
//! they are signed in. A sign-in's business, never a token's.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::RoomId;
use weft_store::{ProfileChange, Proof, sign_in_id};

use super::{
    ApiError, account_links, admin_people,
    body::{Body, Names},
    fields,
    people::{self, User},
    second_factor, to_the_end,
};
use crate::{
    auth::{ClientAddress, Signed, clearing_cookie},
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = ProfileForm)]
pub(super) struct Profile {
    name: Option<String>,
    email: Option<String>,
    language: Option<String>,
    time_zone: Option<String>,
    phone: Option<String>,
    /// How often letters may tell of what I have not read: `off`, `hourly` or `daily`.
    digest: Option<String>,
    password: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct UserAnswer {
    user: User,
}

/// Changes what a person says about themselves: what is absent stays, what is empty is taken away. Another
/// address takes the password: whoever reads its mail can set a new one.
#[utoipa::path(
    patch,
    path = "/auth/me",
    request_body = Profile,
    responses((status = 200, description = "What I say about myself now", body = UserAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!([
            "sign_in_again", "email_taken", "wrong_credentials", "too_many_attempts",
        ])),
    )
)]
pub(super) async fn change_profile(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<Profile>,
) -> Result<Json<UserAnswer>, ApiError> {
    // Whoever has somebody's mail may become them.
    if form.email.is_some() {
        signed.check_fresh(&state)?;
    }
    let username = &signed.person.username;
    let change = ProfileChange {
        name: form.name.map(|name| fields::name(Some(name), username)).transpose()?,
        email: form.email.map(|email| fields::email(Some(email))).transpose()?,
        language: form.language.map(|language| fields::language(Some(&language)).to_owned()),
        time_zone: form.time_zone.map(|zone| fields::time_zone(&zone)).transpose()?,
        phone: form.phone.map(fields::phone).transpose()?,
        digest: form.digest.map(|digest| fields::digest(&digest)).transpose()?,
    };
    let moves = change.email.as_ref().is_some_and(|email| *email != signed.person.email);
    if moves {
        people::shown_again(&state, address, &signed, form.password).await?;
    }
    let person = state.meta.change_profile(signed.person.id, change).await?;
    if moves {
        account_links::begin_verification(&state, &person).await;
    }
    Ok(Json(UserAnswer { user: people::user(&person) }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ConfirmForm)]
pub(super) struct Confirm {
    #[schema(required)]
    password: Option<String>,
}

/// Shows the password again for this sign-in, which may manage rights and the account for a while then.
#[utoipa::path(
    post,
    path = "/auth/confirm",
    request_body = Confirm,
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["wrong_credentials", "too_many_attempts", "not_found"])),
    )
)]
pub(super) async fn confirm(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<Confirm>,
) -> Result<StatusCode, ApiError> {
    let password = fields::required(form.password, "password")?;
    let known = people::credentials(&state, address, &signed.person.username, password).await?;
    let (person, now) = (signed.person.id, state.clock.now());
    let proof = Proof::Password(&known.password_hash);
    state.meta.confirm_sign_in(&signed.token_hash, person, proof, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = LeaveForm)]
pub(super) struct Leave {
    /// Needed of whoever has one.
    password: Option<String>,
    code: Option<String>,
    heir: Option<String>,
}

/// Removes my account for good. What I own goes to an heir; without one, what only I could open goes to the
/// trash. Once this answers, nothing of mine commits any more.
#[utoipa::path(
    post,
    path = "/auth/leave",
    request_body = Leave,
    responses((status = 204, description = "My account is gone")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["wrong_credentials", "sign_in_again", "second_factor_needed", "wrong_code", "too_many_attempts", "last_admin", "heir_needed"])),
    )
)]
pub(super) async fn leave(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<Leave>,
) -> Result<Response, ApiError> {
    let person = &signed.person;
    people::shown_again(&state, address, &signed, form.password).await?;
    let heir = match form.heir.filter(|heir| !heir.trim().is_empty()) {
        Some(heir) => Some(admin_people::heir(&state, &heir).await?),
        None => None,
    };
    // Last, as it uses a code up.
    second_factor::check(&state, person, form.code.as_deref()).await?;
    let (id, cookie) = (person.id, clearing_cookie(state.is_https()));
    to_the_end(async move {
        let departing = Box::pin(state.meta.depart(id, heir, state.clock.now()));
        let departure = departing.await?;
        tracing::info!(person = %id, "person left");
        admin_people::departed(&state, departure).await
    })
    .await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])).into_response())
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordForm)]
pub(super) struct Change {
    /// The one before. Needed of whoever has one.
    password: Option<String>,
    #[schema(required, min_length = 8, max_length = 256)]
    new_password: Option<String>,
}

/// Changes the password, or sets the first one. Once this answers, every other sign-in of the person has ended, and nothing
/// of them commits any more.
#[utoipa::path(
    post,
    path = "/auth/password",
    request_body = Change,
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["wrong_credentials", "sign_in_again", "too_many_attempts"])),
    )
)]
pub(super) async fn change_password(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<Change>,
) -> Result<StatusCode, ApiError> {
    let new_password = fields::new_password(form.new_password)?;
    let verified = people::shown_again(&state, address, &signed, form.password).await?;
    let password_hash = state.passwords.hash(new_password).await?;
    to_the_end(async move {
        let (person, kept) = (signed.person.id, &signed.token_hash);
        let changed = state.meta.change_password(person, &verified, &password_hash, kept);
        let ended = changed.await?;
        state.hub.signed_out(ended).await;
        tracing::info!(%person, "password changed");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

#[derive(Serialize, ToSchema)]
pub(super) struct SignIns {
    sign_ins: Vec<SignIn>,
}

#[derive(Serialize, ToSchema)]
struct SignIn {
    id: String,
    created_at: u64,
    used_at: u64,
    user_agent: String,
    /// It is the one that asks.
    current: bool,
}

/// Where I am signed in, the last used first.
#[utoipa::path(
    get,
    path = "/auth/sign-ins",
    responses((status = 200, description = "The last used first", body = SignIns)),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn sign_ins(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<Json<SignIns>, ApiError> {
    let sign_ins = state.meta.sign_ins(signed.person.id, state.clock.now()).await?;
    let current = sign_in_id(&signed.token_hash);
    let sign_ins = sign_ins
        .into_iter()
        .map(|sign_in| SignIn {
            id: RoomId::from_bytes(sign_in.id).to_string(),
            created_at: sign_in.created_at,
            used_at: sign_in.used_at,
            user_agent: sign_in.user_agent,
            current: sign_in.id == current,
        })
        .collect();
    Ok(Json(SignIns { sign_ins }))
}

/// Ends one of my sign-ins, and the room tokens minted with it. Once this answers, none of their
/// sockets commits anything any more.
#[utoipa::path(
    delete,
    path = "/auth/sign-ins/{sign_in}",
    responses((status = 204, description = "Done")),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn end_sign_in(
    State(state): State<AppState>,
    signed: Signed,
    Names(sign_in): Names<String>,
) -> Result<StatusCode, ApiError> {
    // Sign-ins are named in the same letters as rooms.
    let id: RoomId = sign_in.parse().map_err(|_| ApiError::NotFound)?;
    to_the_end(async move {
        let ended = state.meta.end_sign_in(signed.person.id, *id.as_bytes()).await?;
        state.hub.signed_out([ended]).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Ends all my sign-ins but this one, as [`end_sign_in`] ends one.
#[utoipa::path(
    delete,
    path = "/auth/sign-ins",
    responses((status = 204, description = "Done")),
    extensions(("x-weft-access" = json!({"credential": "sign-in"})))
)]
pub(super) async fn end_other_sign_ins(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<StatusCode, ApiError> {
    to_the_end(async move {
        let ended = state.meta.end_other_sign_ins(signed.person.id, &signed.token_hash).await?;
        state.hub.signed_out(ended).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
