//! One's identity at the provider of OpenID Connect: linked to the account, unlinked, shown again. A sign-in's business.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiError,
    body::Body,
    oidc::{JourneyAnswer, leave, own_path, provider},
    people,
};
use crate::{
    auth::{Attempt, ClientAddress, Signed},
    oidc::Purpose,
    state::AppState,
};

const SETTINGS: &str = "/settings";

/// By way of whom I can sign in.
#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
pub(super) struct IdentityAnswer {
    /// What the provider is called.
    provider: String,
    /// Since when; null: I do not.
    linked_at: Option<u64>,
}

/// Whether I sign in by way of the provider.
#[utoipa::path(
    get,
    path = "/auth/oidc/identity",
    responses((status = 200, description = "Whether I do", body = IdentityAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["not_found"])),
    )
)]
pub(super) async fn read(
    State(state): State<AppState>,
    signed: Signed,
) -> Result<Json<IdentityAnswer>, ApiError> {
    let config = &provider(&state)?.config;
    let linked_at = state.meta.identity_since(signed.person.id, config.issuer.as_str()).await?;
    Ok(Json(IdentityAnswer { provider: config.shown_name().to_owned(), linked_at }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = LinkIdentityForm)]
pub(super) struct Link {
    password: Option<String>,
}

/// Begins to link an identity to my account: the browser goes to the provider, and comes back to the settings.
#[utoipa::path(
    post,
    path = "/auth/oidc/link",
    request_body = Link,
    responses((status = 200, description = "Where to go", body = JourneyAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["not_found", "wrong_credentials", "sign_in_again", "too_many_attempts", "identity_linked", "oidc_unreachable"])),
    )
)]
pub(super) async fn link(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    signed: Signed,
    Body(form): Body<Link>,
) -> Result<Response, ApiError> {
    let issuer = provider(&state)?.config.issuer.as_str();
    people::shown_again(&state, address, &signed, form.password).await?;
    let person = signed.person.id;
    if state.meta.identity_since(person, issuer).await?.is_some() {
        return Err(ApiError::IdentityLinked);
    }
    let purpose = Purpose::Link { person, token_hash: signed.token_hash };
    go(&state, address, &headers, &signed, purpose, SETTINGS.to_owned()).await
}

#[derive(Deserialize, ToSchema)]
#[schema(as = UnlinkIdentityForm)]
pub(super) struct Unlink {
    #[schema(required)]
    password: Option<String>,
}

/// Unlinks my identity. Whoever has no password stays linked: they could not sign in any more.
#[utoipa::path(
    post,
    path = "/auth/oidc/unlink",
    request_body = Unlink,
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["not_found", "wrong_credentials", "too_many_attempts", "no_password"])),
    )
)]
pub(super) async fn unlink(
    State(state): State<AppState>,
    address: ClientAddress,
    signed: Signed,
    Body(form): Body<Unlink>,
) -> Result<StatusCode, ApiError> {
    let issuer = provider(&state)?.config.issuer.as_str();
    if !signed.person.has_password {
        return Err(ApiError::NoPassword);
    }
    people::shown_again(&state, address, &signed, form.password).await?;
    state.meta.unlink_identity(signed.person.id, issuer).await?;
    tracing::info!(person = %signed.person.id, "identity unlinked");
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ConfirmIdentityForm)]
pub(super) struct Confirm {
    /// The path of the app to come back to.
    #[serde(rename = "return")]
    return_to: Option<String>,
}

/// Begins to show again for this sign-in who I am: the browser goes to the provider, which asks for the password there.
#[utoipa::path(
    post,
    path = "/auth/oidc/confirm",
    request_body = Confirm,
    responses((status = 200, description = "Where to go", body = JourneyAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in"})),
        ("x-weft-codes" = json!(["not_found", "too_many_attempts", "oidc_unreachable"])),
    )
)]
pub(super) async fn confirm(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    signed: Signed,
    Body(form): Body<Confirm>,
) -> Result<Response, ApiError> {
    let issuer = provider(&state)?.config.issuer.as_str();
    let return_to = own_path(form.return_to, SETTINGS)?;
    let person = signed.person.id;
    state.meta.identity_since(person, issuer).await?.ok_or(ApiError::NotFound)?;
    let purpose = Purpose::Confirm { person, token_hash: signed.token_hash };
    go(&state, address, &headers, &signed, purpose, return_to).await
}

async fn go(
    state: &AppState,
    address: ClientAddress,
    headers: &HeaderMap,
    signed: &Signed,
    purpose: Purpose,
    return_to: String,
) -> Result<Response, ApiError> {
    state.attempts.take(Attempt::OidcFrom(address), state.clock.now())?;
    let language = if signed.person.language == "zh" { "zh" } else { "en" };
    Ok(leave(state, headers, purpose, return_to, language).await?.answer())
}
