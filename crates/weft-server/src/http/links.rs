//! A room's link: set by those who manage the room, opened by whoever holds it.
//!
//! Somebody with an account who opens it may do from then on what it gives, for as long as it is the room's link.
//! Somebody without one becomes a guest, if the link is public: with a token of their own, for this room alone.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{LinkId, PersonId, Right, RoomId};
use weft_store::{LinksAllowed, NewGuest, NewLink, Origin, RoomLink, RoomRow, Scope};

use super::{
    ApiError,
    answers::{GivenRight, LinkWho, Named, RightName},
    body::{Body, Names},
    fields,
    rooms::{Room, open, open_to_manage, room_json},
    to_the_end,
};
use crate::{
    auth::{
        self, Attempt, Caller, ClientAddress, Credential, GUEST_PREFIX, Secret, Signed, Via,
        base_url, check_origin, check_origin_if_present, guest_cookie, link_ends,
    },
    state::AppState,
};

/// The room's link, and what links it may have.
#[utoipa::path(
    get,
    path = "/rooms/{room}/link",
    responses((status = 200, description = "The link, if there is one", body = LinkState)),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})))
)]
pub(super) async fn read(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Names(room): Names<String>,
) -> Result<Json<LinkState>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    let link = state.meta.room_link(room).await?;
    let link = link.map(|link| link_json(&link, room, &base_url(&state, &headers)));
    let allowed = match state.meta.links_allowed(room).await? {
        LinksAllowed::No => Allowed::No,
        LinksAllowed::Workspace => Allowed::Workspace,
        LinksAllowed::Public => Allowed::Public,
    };
    Ok(Json(LinkState { link, allowed }))
}

#[derive(Deserialize, Default, ToSchema)]
#[schema(as = LinkForm)]
pub(super) struct Set {
    #[schema(value_type = Option<LinkWho>)]
    who: Option<String>,
    #[schema(value_type = Option<GivenRight>)]
    right: Option<String>,
    #[serde(default, deserialize_with = "fields::given")]
    #[schema(value_type = Option<u64>)]
    expires_in_seconds: Option<Option<u64>>,
    #[serde(default, deserialize_with = "fields::given")]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 256)]
    password: Option<Option<String>>,
}

/// Makes the link, or changes it: what is absent stays. Once this answers, nothing commits that it does not allow
/// any more.
#[utoipa::path(
    put,
    path = "/rooms/{room}/link",
    request_body = Set,
    responses((status = 200, description = "As it is now", body = LinkAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn set(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Names(room): Names<String>,
    Body(form): Body<Set>,
) -> Result<Json<LinkAnswer>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open_to_manage(&state, &signed, &room).await?.row.id;
    store(state, signed, headers, room, form, false).await
}

/// Gives the link another secret: whoever came by the old one goes, before this answers.
#[utoipa::path(
    post,
    path = "/rooms/{room}/link/renew",
    responses((status = 200, description = "The new link", body = LinkAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["bad_request", "sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn renew(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Names(room): Names<String>,
) -> Result<Json<LinkAnswer>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open_to_manage(&state, &signed, &room).await?.row.id;
    state.meta.room_link(room).await?.ok_or(ApiError::NotFound)?;
    store(state, signed, headers, room, Set::default(), true).await
}

async fn store(
    state: AppState,
    signed: Signed,
    headers: HeaderMap,
    room: RoomId,
    form: Set,
    renewed: bool,
) -> Result<Json<LinkAnswer>, ApiError> {
    let before = state.meta.room_link(room).await?;
    let public = match (form.who.as_deref(), &before) {
        (Some("public"), _) => true,
        (Some("workspace"), _) => false,
        (Some(_), _) => return Err(ApiError::BadRequest { field: "who", reason: "unknown" }),
        (None, Some(before)) => before.public,
        (None, None) => return Err(ApiError::BadRequest { field: "who", reason: "missing" }),
    };
    let right = match (form.right.as_deref(), &before) {
        (None, Some(before)) => before.right,
        (right, _) => fields::right(right)?,
    };
    let now = state.clock.now();
    let expires_at = match form.expires_in_seconds {
        None => before.and_then(|before| before.expires_at),
        Some(None) => None,
        Some(Some(seconds)) => {
            let max = state.config.limits.link_seconds_max;
            let seconds = fields::count(Some(seconds), "expires_in_seconds", max, max)?;
            Some(now.saturating_add(seconds.saturating_mul(1000)))
        }
    };
    let password_hash = match form.password {
        None => None,
        Some(None) => Some(None),
        Some(password) => Some(Some(state.passwords.hash(fields::password(password)?).await?)),
    };
    let new = NewLink {
        id: LinkId::new(now, auth::random()),
        secret: Secret::new().reveal().to_owned(),
        public,
        right,
        expires_at,
        password_hash,
    };
    to_the_end(async move {
        let (link, ended) = state.meta.set_link(room, new, renewed, signed.person.id, now).await?;
        took_effect(&state, room, ended).await?;
        let link = link_json(&link, room, &base_url(&state, &headers));
        Ok(Json(LinkAnswer { link }))
    })
    .await
}

/// Takes the link away: whoever came by it goes, before this answers.
#[utoipa::path(
    delete,
    path = "/rooms/{room}/link",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn turn_off(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open_to_manage(&state, &signed, &room).await?.row.id;
    to_the_end(async move {
        let ended = state.meta.remove_link(room).await?;
        took_effect(&state, room, ended).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Nobody in the room does any more what the link does not give; the guests of one that has ended are gone.
async fn took_effect(
    state: &AppState,
    room: RoomId,
    ended: Option<LinkId>,
) -> Result<(), ApiError> {
    let changed = state.hub.rights_changed(room).await;
    state.hub.signed_out(ended.map(link_ends)).await;
    Ok(changed?)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ShownLinkForm)]
pub(super) struct Held {
    #[schema(required)]
    room: Option<String>,
    #[schema(required)]
    secret: Option<String>,
    password: Option<String>,
    name: Option<String>,
}

/// What a link promises, for people who are not signed in yet. One with a password tells no title.
#[utoipa::path(
    post,
    path = "/links/look",
    request_body = Held,
    responses((status = 200, description = "What it promises", body = Look)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["link_expired", "too_many_attempts"])),
    )
)]
pub(super) async fn look(
    State(state): State<AppState>,
    address: ClientAddress,
    Body(form): Body<Held>,
) -> Result<Json<Look>, ApiError> {
    let (row, link) = shown(&state, address, &form).await?;
    let has_password = link.password_hash.is_some();
    let public = link.public && state.meta.links_allowed(row.id).await? == LinksAllowed::Public;
    Ok(Json(Look {
        kind: row.kind,
        title: (!has_password).then_some(row.title),
        who: LinkWho::of(public),
        right: link.right.into(),
        has_password,
    }))
}

/// The link that somebody shows. How often this may be tried is limited.
async fn shown(
    state: &AppState,
    address: ClientAddress,
    form: &Held,
) -> Result<(RoomRow, RoomLink), ApiError> {
    let room = fields::required(form.room.as_deref(), "room")?;
    let secret = fields::required(form.secret.as_deref(), "secret")?;
    let now = state.clock.now();
    let attempt = Attempt::SecretFrom(address);
    state.attempts.take(attempt, now)?;
    let room = room.parse().map_err(|_| ApiError::LinkExpired)?;
    let found = state.meta.shown_link(room, secret, now).await?;
    state.attempts.forgive(attempt);
    Ok(found)
}

/// Takes what a link promises: as who is signed in or, without a sign-in, as a guest.
#[utoipa::path(
    post,
    path = "/links/open",
    request_body = Held,
    responses((status = 200, description = "Who may go in", body = Opened)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!([
            "not_signed_in", "bad_origin", "link_expired", "link_password_needed",
            "wrong_link_password", "too_many_attempts", "room_unavailable", "busy"
        ])),
    )
)]
pub(super) async fn open_by(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Held>,
) -> Result<Response, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let (row, link) = shown(&state, address, &form).await?;
    match auth::authenticate(&state, &headers, None, None).await {
        Ok(signed) if signed.credential == Credential::SignIn => {
            if signed.via == Via::Cookie {
                check_origin(&state, &headers)?;
            }
            Origin::acts(signed.person.id);
            let known = state.meta.right(row.id, signed.person.id, state.clock.now()).await?;
            // Whoever may do as much already needs no password.
            if known < Some(link.right) {
                check_password(&state, address, &row, &link, form.password).await?;
            }
            hold(state, signed, row.id, link.id).await
        }
        // A token of a program holds no links: whoever shows one is a stranger here.
        Ok(_) | Err(ApiError::NotSignedIn) => {
            let public = state.meta.links_allowed(row.id).await? == LinksAllowed::Public;
            if !(link.public && public) {
                return Err(ApiError::NotSignedIn);
            }
            if let Some(guest) = known_guest(&state, &headers, row.id, link.id).await? {
                let guest = Named::new(guest.person.id, &guest.person.name);
                let answer = Opened { room: None, guest: Some(guest), token: None };
                return Ok(Json(answer).into_response());
            }
            let name = match fields::optional_name(form.name)? {
                None if link.right > Right::Read => {
                    return Err(ApiError::BadRequest { field: "name", reason: "missing" });
                }
                name => name.unwrap_or_default(),
            };
            check_password(&state, address, &row, &link, form.password).await?;
            let_in(state, row.id, link, name).await
        }
        Err(error) => Err(error),
    }
}

async fn hold(
    state: AppState,
    signed: Signed,
    room: RoomId,
    link: LinkId,
) -> Result<Response, ApiError> {
    to_the_end(async move {
        let (me, now) = (signed.person.id, state.clock.now());
        if state.meta.hold_link(room, link, me, now).await? {
            state.hub.rights_changed(room).await?;
        }
        // The space may be for its members alone.
        let view = state.meta.room_view(room, me, now).await?.ok_or(ApiError::LinkExpired)?;
        let answer = Opened { room: Some(room_json(&view)), guest: None, token: None };
        Ok(Json(answer).into_response())
    })
    .await
}

/// The guest that this browser is in the room already.
async fn known_guest(
    state: &AppState,
    headers: &HeaderMap,
    room: RoomId,
    link: LinkId,
) -> Result<Option<Signed>, ApiError> {
    match auth::authenticate(state, headers, None, Some(&room.to_string())).await {
        Ok(signed) => Ok(Some(signed).filter(|signed| {
            let ends = signed.minted_with() == Some(link_ends(link));
            ends && matches!(signed.credential, Credential::Guest(_))
        })),
        Err(ApiError::NotSignedIn) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn let_in(
    state: AppState,
    room: RoomId,
    link: RoomLink,
    name: String,
) -> Result<Response, ApiError> {
    let now = state.clock.now();
    let limits = &state.config.limits;
    let secret = Secret::beginning_with(GUEST_PREFIX);
    let lasts = now.saturating_add(limits.guest_seconds_max.saturating_mul(1000));
    let expires_at = link.expires_at.map_or(lasts, |end| lasts.min(end));
    let guest = NewGuest {
        id: PersonId::new(now, auth::random()),
        token_hash: secret.hash(),
        link: link.id,
        room,
        name,
        expires_at,
    };
    state.meta.create_guest(&guest, limits.guests_per_link_max, now).await?;
    let seconds = expires_at.saturating_sub(now).div_ceil(1000);
    let cookie = guest_cookie(room, secret.reveal(), seconds, state.is_https());
    let token = Some(secret.reveal().to_owned());
    let answer = Opened { room: None, guest: Some(Named::new(guest.id, &guest.name)), token };
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(answer)).into_response())
}

/// That the link's password was given, if it has one. How often this may be tried is limited.
async fn check_password(
    state: &AppState,
    address: ClientAddress,
    row: &RoomRow,
    link: &RoomLink,
    password: Option<String>,
) -> Result<(), ApiError> {
    let Some(hash) = link.password_hash.clone() else { return Ok(()) };
    let password = password.filter(|password| !password.is_empty());
    let password = password.ok_or(ApiError::LinkPasswordNeeded)?;
    if password.chars().count() > fields::PASSWORD_CHARS_MAX {
        return Err(ApiError::WrongLinkPassword);
    }
    let attempts = [Attempt::SecretFrom(address), Attempt::LinkPassword(row.id)];
    for attempt in attempts {
        state.attempts.take(attempt, state.clock.now())?;
    }
    if !state.passwords.verify(password, Some(hash)).await? {
        return Err(ApiError::WrongLinkPassword);
    }
    attempts.into_iter().for_each(|attempt| state.attempts.forgive(attempt));
    Ok(())
}

/// The room's link, and what links it may have.
#[derive(Serialize, ToSchema)]
pub(super) struct LinkState {
    link: Option<Link>,
    allowed: Allowed,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = LinksAllowed)]
enum Allowed {
    No,
    Workspace,
    Public,
}

#[derive(Serialize, ToSchema)]
pub(super) struct LinkAnswer {
    link: Link,
}

/// A room's link.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomLink)]
struct Link {
    who: LinkWho,
    right: RightName,
    expires_at: Option<u64>,
    has_password: bool,
    created_at: u64,
    secret: String,
    url: String,
}

/// What a link promises.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkLook)]
pub(super) struct Look {
    kind: String,
    /// Not told before the password.
    title: Option<String>,
    who: LinkWho,
    right: RightName,
    has_password: bool,
}

/// The room, to who is signed in; else the guest, with a token if it is a new one.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenedLink)]
pub(super) struct Opened {
    room: Option<Room>,
    guest: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<String>,
}

/// `link` of `docs/api.md`.
fn link_json(link: &RoomLink, room: RoomId, base: &str) -> Link {
    Link {
        who: LinkWho::of(link.public),
        right: link.right.into(),
        expires_at: link.expires_at,
        has_password: link.password_hash.is_some(),
        created_at: link.created_at,
        secret: link.secret.clone(),
        url: format!("{base}/o/{room}#k={}", link.secret),
    }
}
