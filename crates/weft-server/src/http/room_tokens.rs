//! Room tokens: what the server of a host application asks for, to give to its own people.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{Millis, Right};
use weft_store::{NewRoomToken, RoomRow, Scope, TokenRoom};

use super::{
    ApiError,
    answers::{GivenRight, RightName},
    body::Body,
    fields,
    rooms::open,
};
use crate::{
    auth::{Caller, Credential, ROOM_TOKEN_PREFIX, Secret, Signed},
    state::AppState,
};

/// How long a token lasts unless said otherwise: an hour.
const SECONDS: u64 = 60 * 60;

#[derive(Deserialize, ToSchema)]
#[schema(as = RoomTokenForm)]
pub(super) struct Mint {
    /// Id of a room, or one's own key.
    room: Option<String>,
    /// One's own key.
    key: Option<String>,
    #[schema(required, value_type = Option<GivenRight>)]
    right: Option<String>,
    ttl_seconds: Option<u64>,
    /// The document of this key is made when the token is first used.
    #[serde(default)]
    create: bool,
    name: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoomToken)]
struct Minted {
    /// Shown once.
    token: String,
    expires_at: u64,
    room: Option<String>,
    key: Option<String>,
    right: RightName,
    name: Option<String>,
}

/// Mints a token. It is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/room-tokens",
    request_body = Mint,
    responses((status = 201, description = "The token, shown once", body = Minted)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "room-tokens", "right": "read"})),
        ("x-weft-codes" = json!(["no_right"])),
    )
)]
pub(super) async fn mint(
    State(state): State<AppState>,
    caller: Caller,
    Body(form): Body<Mint>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::RoomTokens)?;
    let limits = &state.config.limits;
    let right = fields::right(form.right.as_deref())?;
    let seconds =
        fields::count(form.ttl_seconds, "ttl_seconds", SECONDS, limits.room_token_seconds_max)?;
    let name = fields::optional_name(form.name)?;
    let bad = |field, reason| Err(ApiError::BadRequest { field, reason });
    let Named { room, key } = match (form.room, fields::key(form.key)?) {
        (Some(_), None) if form.create => return bad("create", "malformed"),
        (Some(room), None) => {
            let row = open(&state, &signed, &room, right).await?.row;
            let key = row.key.clone().filter(|_| row.owner == signed.person.id);
            Named { room: existing(&row)?, key }
        }
        (None, Some(key)) => by_key(&state, &signed, key, form.create).await?,
        (None, None) => return bad("room", "missing"),
        (Some(_), Some(_)) => return bad("room", "malformed"),
    };

    let id = match &room {
        TokenRoom::Id(id) => Some(id.to_string()),
        TokenRoom::Key(_) => None,
    };
    let (secret, expires_at) = store(&state, &signed, room, right, seconds, name.clone()).await?;
    let (token, right) = (secret.reveal().to_owned(), right.into());
    let answer = Minted { token, expires_at, room: id, key, right, name };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// Stores a new token, which lasts so many seconds, but not longer than what it is minted with.
/// That the minter has this right is the caller's to know.
pub(crate) async fn store(
    state: &AppState,
    signed: &Signed,
    room: TokenRoom,
    right: Right,
    seconds: u64,
    name: Option<String>,
) -> Result<(Secret, Millis), ApiError> {
    let secret = Secret::beginning_with(ROOM_TOKEN_PREFIX);
    let now = state.clock.now();
    let mut expires_at = now.saturating_add(seconds.saturating_mul(1000));
    // A sign-in's end moves when it is used.
    if let Credential::Personal(_) = signed.credential {
        expires_at = expires_at.min(signed.expires_at);
    }
    let new = NewRoomToken {
        token_hash: secret.hash(),
        minted_with: signed.token_hash,
        person: signed.person.id,
        room,
        right,
        name,
        expires_at,
    };
    let tokens_max = state.config.limits.room_tokens_per_person_max;
    state.meta.create_room_token(&new, tokens_max, now).await?;
    Ok((secret, expires_at))
}

/// What a token is to open, and under which key it may be asked for.
struct Named {
    room: TokenRoom,
    key: Option<String>,
}

/// The person's own room with this key; with `create`, it may be made later.
async fn by_key(
    state: &AppState,
    signed: &Signed,
    key: String,
    create: bool,
) -> Result<Named, ApiError> {
    let row = state.meta.room(&key, signed.person.id).await?;
    let own = |row: &RoomRow| row.owner == signed.person.id && row.key.as_ref() == Some(&key);
    match row.filter(own) {
        Some(row) => Ok(Named { room: existing(&row)?, key: Some(key) }),
        None if create => Ok(Named { room: TokenRoom::Key(key.clone()), key: Some(key) }),
        None => Err(ApiError::NotFound),
    }
}

/// Nothing is opened that is in the trash.
fn existing(row: &RoomRow) -> Result<TokenRoom, ApiError> {
    if row.trashed_at.is_some() { Err(ApiError::NotFound) } else { Ok(TokenRoom::Id(row.id)) }
}
