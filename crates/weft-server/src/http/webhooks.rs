//! Webhooks of spaces, for those who manage them.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_core::{RoomId, SpaceId};
use weft_store::{DeliveryRow, Event, NewWebhook, Scope, Webhook, WebhookChange, WebhookId};

use super::{
    ApiError,
    body::{Body, Names},
    fields,
};
use crate::{
    auth::{Caller, random},
    state::{App, AppState},
    webhooks::Key,
};

/// Deliveries in one answer unless said otherwise, and at most.
const LISTED: u64 = 50;
const LISTED_MAX: u64 = 200;

/// A space's webhooks, and what they can be told of.
#[utoipa::path(
    get,
    path = "/spaces/{space}/webhooks",
    responses((status = 200, description = "The first made first", body = Webhooks)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["bad_request"])),
    )
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
) -> Result<Json<Webhooks>, ApiError> {
    let me = caller.with(Scope::Manage)?.person.id;
    let webhooks = state.meta.webhooks(fields::space(&space)?, me).await?;
    Ok(Json(Webhooks {
        webhooks: webhooks.iter().map(WebhookInfo::of).collect(),
        events: Event::ALL.iter().map(|event| event.code()).collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhookForm)]
pub(super) struct Create {
    #[schema(max_length = 64)]
    name: Option<String>,
    #[schema(required)]
    url: Option<String>,
    #[schema(required)]
    events: Option<Vec<String>>,
}

/// Makes a webhook. Its secret is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/spaces/{space}/webhooks",
    request_body = Create,
    responses((status = 201, description = "The webhook, and its secret, shown once", body = NewWebhookAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let space = fields::space(&space)?;
    let (key, now) = (Key::new(), state.clock.now());
    let new = NewWebhook {
        // Webhooks are named in the same letters as rooms.
        id: *RoomId::new(now, random()).as_bytes(),
        name: fields::optional_name(form.name)?.unwrap_or_default(),
        url: url(&state, fields::required(form.url, "url")?)?,
        secret: key.reveal(),
        events: events(&fields::required(form.events, "events")?)?,
    };
    let max = state.config.limits.webhooks_per_space_max;
    let made = state.meta.create_webhook(space, new, signed.person.id, max, now).await?;
    let answer = NewWebhookAnswer { webhook: WebhookInfo::of(&made), secret: key.reveal() };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

#[derive(Deserialize, ToSchema)]
#[schema(as = WebhookForm)]
pub(super) struct Change {
    name: Option<String>,
    url: Option<String>,
    events: Option<Vec<String>>,
    on: Option<bool>,
}

/// Changes a webhook. Turned off, it sends nothing of what waits any more.
#[utoipa::path(
    patch,
    path = "/spaces/{space}/webhooks/{webhook}",
    request_body = Change,
    responses((status = 200, description = "As it is now", body = WebhookAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, webhook)): Names<(String, String)>,
    Body(form): Body<Change>,
) -> Result<Json<WebhookAnswer>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let (space, webhook) = named(&space, &webhook)?;
    let name = match form.name {
        Some(name) => Some(fields::optional_name(Some(name))?.unwrap_or_default()),
        None => None,
    };
    let change = WebhookChange {
        name,
        url: form.url.map(|text| url(&state, text)).transpose()?,
        events: form.events.as_deref().map(events).transpose()?,
        on: form.on,
    };
    let (me, now) = (signed.person.id, state.clock.now());
    let changed = state.meta.change_webhook(space, webhook, change, me, now).await?;
    Ok(Json(WebhookAnswer { webhook: WebhookInfo::of(&changed) }))
}

/// Removes a webhook, and all that waits for it or came of it.
#[utoipa::path(
    delete,
    path = "/spaces/{space}/webhooks/{webhook}",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "bad_request"])),
    )
)]
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, webhook)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let (space, webhook) = named(&space, &webhook)?;
    state.meta.remove_webhook(space, webhook, signed.person.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs with another secret from now on. It is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/spaces/{space}/webhooks/{webhook}/secret",
    responses((status = 200, description = "The secret, shown once", body = WebhookSecret)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "bad_request"])),
    )
)]
pub(super) async fn renew_secret(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, webhook)): Names<(String, String)>,
) -> Result<Json<WebhookSecret>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let (space, webhook) = named(&space, &webhook)?;
    let secret = Key::new().reveal();
    state.meta.renew_webhook_secret(space, webhook, &secret, signed.person.id).await?;
    Ok(Json(WebhookSecret { secret }))
}

/// Has `webhook.test` sent, once.
#[utoipa::path(
    post,
    path = "/spaces/{space}/webhooks/{webhook}/test",
    responses((status = 202, description = "It is on its way", body = DeliveryNumber)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["bad_request"])),
    )
)]
pub(super) async fn test(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, webhook)): Names<(String, String)>,
) -> Result<Response, ApiError> {
    let me = caller.with(Scope::Manage)?.person.id;
    let (space, webhook) = named(&space, &webhook)?;
    let delivery = state.meta.test_webhook(space, webhook, me, state.clock.now()).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryNumber { delivery })).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those before the one of this number.
    before: Option<u64>,
    /// At most so many.
    limit: Option<u64>,
}

/// What was sent, or is to be, and what came of it.
#[utoipa::path(
    get,
    path = "/spaces/{space}/webhooks/{webhook}/deliveries",
    params(Wanted),
    responses((status = 200, description = "The last first", body = Deliveries)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
    )
)]
pub(super) async fn deliveries(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, webhook)): Names<(String, String)>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Deliveries>, ApiError> {
    let me = caller.with(Scope::Manage)?.person.id;
    let (space, webhook) = named(&space, &webhook)?;
    let malformed = ApiError::BadRequest { field: "before", reason: "malformed" };
    let Query(wanted) = wanted.map_err(|_| malformed)?;
    let limit = fields::count(wanted.limit, "limit", LISTED, LISTED_MAX)?;
    let found = state.meta.webhook_deliveries(space, webhook, me, wanted.before, limit + 1).await?;
    // One more than was asked for tells whether there are more.
    let more = found.len() as u64 > limit;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let deliveries = found.into_iter().take(limit).map(DeliveryInfo::from).collect();
    Ok(Json(Deliveries { deliveries, more }))
}

/// Has a delivery sent once more, under its number.
#[utoipa::path(
    post,
    path = "/spaces/{space}/webhooks/{webhook}/deliveries/{delivery}/again",
    responses((status = 202, description = "It is on its way", body = DeliveryNumber)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["bad_request"])),
    )
)]
pub(super) async fn send_again(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, webhook, delivery)): Names<(String, String, String)>,
) -> Result<Response, ApiError> {
    let me = caller.with(Scope::Manage)?.person.id;
    let (space, webhook) = named(&space, &webhook)?;
    let delivery = delivery.parse().map_err(|_| ApiError::NotFound)?;
    state.meta.send_again(space, webhook, delivery, me, state.clock.now()).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryNumber { delivery })).into_response())
}

fn named(space: &str, webhook: &str) -> Result<(SpaceId, WebhookId), ApiError> {
    let webhook: RoomId = webhook.parse().map_err(|_| ApiError::NotFound)?;
    Ok((fields::space(space)?, *webhook.as_bytes()))
}

fn url(state: &App, text: String) -> Result<String, ApiError> {
    let read = state.poster.gate.read(text.trim());
    let url = read.map_err(|reason| ApiError::BadRequest { field: "url", reason })?;
    Ok(url.into())
}

fn events(codes: &[String]) -> Result<BTreeSet<Event>, ApiError> {
    let unknown = ApiError::BadRequest { field: "events", reason: "unknown" };
    let events = codes.iter().map(|code| Event::named(code)).collect::<Option<BTreeSet<_>>>();
    let events = events.ok_or(unknown)?;
    if events.is_empty() {
        return Err(ApiError::BadRequest { field: "events", reason: "missing" });
    }
    Ok(events)
}

/// Where what happens in a space is sent to.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
struct WebhookInfo {
    id: String,
    name: String,
    url: String,
    events: Vec<&'static str>,
    on: bool,
    /// Why it is off, if nobody turned it off: `gone`, `failing`, `too_many`.
    off_because: Option<&'static str>,
    created_at: u64,
    /// When something was taken last.
    succeeded_at: Option<u64>,
}

impl WebhookInfo {
    fn of(webhook: &Webhook) -> Self {
        Self {
            id: RoomId::from_bytes(webhook.id).to_string(),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.iter().map(|event| event.code()).collect(),
            on: webhook.on,
            off_because: webhook.off_because.map(weft_store::OffBecause::name),
            created_at: webhook.created_at,
            succeeded_at: webhook.succeeded_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Webhooks {
    webhooks: Vec<WebhookInfo>,
    /// All that can be chosen.
    events: Vec<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct WebhookAnswer {
    webhook: WebhookInfo,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhook)]
pub(super) struct NewWebhookAnswer {
    webhook: WebhookInfo,
    secret: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct WebhookSecret {
    secret: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryNumber {
    delivery: u64,
}

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
pub(super) struct Deliveries {
    deliveries: Vec<DeliveryInfo>,
    /// There are older ones.
    more: bool,
}

/// Something that was sent, or is to be.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
struct DeliveryInfo {
    id: u64,
    event: String,
    at: u64,
    /// `waiting`, `delivered` or `failed`.
    state: String,
    tries: u64,
    /// When it is tried next, if it waits.
    next_at: Option<u64>,
    tried_at: Option<u64>,
    /// The status of the last answer.
    status: Option<u16>,
    took_ms: Option<u64>,
    /// What went wrong, if the receiver did not take it.
    fault: Option<String>,
    /// How the last answer began.
    answer: Option<String>,
}

impl From<DeliveryRow> for DeliveryInfo {
    fn from(row: DeliveryRow) -> Self {
        let DeliveryRow { id, event, at, state, tries, next_at, tried_at, status, .. } = row;
        let (took_ms, fault, answer) = (row.took_ms, row.fault, row.answer);
        Self { id, event, at, state, tries, next_at, tried_at, status, took_ms, fault, answer }
    }
}
