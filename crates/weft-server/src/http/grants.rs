//! Who can open a room, and why; rights that are given on rooms and folders.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{PersonId, Right, access::Reason};
use weft_store::{
    Audience, GrantView, Member, NewGrant, NewGrantee, Person, Receiver, Scope, Target,
};

use super::{
    ApiError,
    answers::{GivenRight, LinkWho, Named, PersonInfo, RightName},
    body::{Body, Names},
    fields,
    rooms::{open, open_to_manage},
    to_the_end,
};
use crate::{
    auth::{Caller, Signed},
    notify::{self, News},
    state::{App, AppState},
};

/// Everybody who can open the room, and why.
#[utoipa::path(
    get,
    path = "/rooms/{room}/people",
    responses((status = 200, description = "Who can open it, and why", body = People)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "read", "right": "read"})),
    )
)]
pub(super) async fn people(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Json<People>, ApiError> {
    let signed = caller.with(Scope::Read)?;
    let view = open(&state, &signed, &room, Right::Read).await?;
    let audience = state.meta.audience(view.row.id, state.clock.now()).await?;
    let people = audience.people.iter().map(|member| member_json(member, &audience)).collect();
    let grants = audience.grants.iter().map(grant_json).collect();
    Ok(Json(People { people, grants }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = GrantForm)]
pub(super) struct Give {
    /// Either this or `space`.
    username: Option<String>,
    /// All members of that space.
    space: Option<String>,
    #[schema(required, value_type = Option<GivenRight>)]
    right: Option<String>,
    expires_in_seconds: Option<u64>,
}

/// Gives a right on a room, in place of the one before. Once this answers, nothing commits that the
/// new right does not allow.
#[utoipa::path(
    post,
    path = "/rooms/{room}/grants",
    request_body = Give,
    responses((status = 200, description = "What was given", body = Given)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn grant(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    Body(form): Body<Give>,
) -> Result<Json<Given>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open_to_manage(&state, &signed, &room).await?.row.id;
    give(state, signed, Target::Room(room), form).await
}

/// Gives a right on a room or folder that the giver manages.
pub(super) async fn give(
    state: AppState,
    signed: Signed,
    on: Target,
    form: Give,
) -> Result<Json<Given>, ApiError> {
    let to = match (form.username, form.space) {
        (Some(username), None) => NewGrantee::Username(username),
        (None, Some(space)) => NewGrantee::Space(fields::space(&space)?),
        (None, None) => return Err(ApiError::BadRequest { field: "username", reason: "missing" }),
        (Some(_), Some(_)) => {
            return Err(ApiError::BadRequest { field: "space", reason: "malformed" });
        }
    };
    let right = fields::right(form.right.as_deref())?;
    let now = state.clock.now();
    let lasts = |seconds: u64| {
        let max = state.config.limits.grant_seconds_max;
        let seconds = fields::count(Some(seconds), "expires_in_seconds", max, max)?;
        Ok::<_, ApiError>(now.saturating_add(seconds.saturating_mul(1000)))
    };
    let expires_at = form.expires_in_seconds.map(lasts).transpose()?;
    let new = NewGrant { to, right, expires_at };
    to_the_end(async move {
        let given = state.meta.grant(on, &new, signed.person.id, now).await?;
        state.hub.rights_changed_in(state.meta.rooms_under(on).await?).await?;
        if let Receiver::Person(person) = &given.to {
            tell(&state, &signed.person, on, person.id, given.right).await?;
        }
        Ok(Json(Given { grant: grant_json(&given), person: given_person(&given) }))
    })
    .await
}

/// Tells a person what they were given. If they had asked for it, that is over.
async fn tell(
    state: &App,
    by: &Person,
    on: Target,
    to: PersonId,
    right: Right,
) -> Result<(), ApiError> {
    if to == by.id {
        return Ok(());
    }
    let object = match on {
        Target::Room(room) => {
            let row = state.meta.room_by_id(room).await?.ok_or(ApiError::NotFound)?;
            // Where only members get in, a grant lets nobody in.
            if state.meta.right(room, to, state.clock.now()).await?.is_some() {
                state.end_request(&row, to, notify::ALLOWED).await?;
            }
            notify::room_object(&row)
        }
        Target::Folder(folder) => {
            let view = state.meta.folder_view(folder, by.id, state.clock.now()).await?;
            notify::folder_object(&view.ok_or(ApiError::NotFound)?.row)
        }
    };
    let params = [("right", right.name())];
    let news = News { what: notify::what::GRANTED, actor: by, object, params: &params };
    Ok(state.tell(vec![news.to(to, Some(on))]).await?)
}

/// Takes back what was given to a person, by user name or id, or to a space. Once this answers, nothing of
/// theirs commits that came of it.
#[utoipa::path(
    delete,
    path = "/rooms/{room}/grants/{grantee}",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "bad_request", "room_unavailable"])),
    )
)]
pub(super) async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Names((room, from)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open_to_manage(&state, &signed, &room).await?.row.id;
    take_back(state, Target::Room(room), from).await
}

/// Takes back a right on a room or folder that the asker manages.
pub(super) async fn take_back(
    state: AppState,
    on: Target,
    from: String,
) -> Result<StatusCode, ApiError> {
    to_the_end(async move {
        state.meta.revoke(on, &from).await?;
        state.hub.rights_changed_in(state.meta.rooms_under(on).await?).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Everybody who can open a room by a role or a grant, and the grants.
#[derive(Serialize, ToSchema)]
pub(super) struct People {
    people: Vec<MemberInfo>,
    grants: Vec<Grant>,
}

/// Someone who can open a room, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomMember)]
struct MemberInfo {
    #[serde(flatten)]
    person: PersonInfo,
    right: RightName,
    /// They made the room.
    owner: bool,
    why: Vec<Why>,
}

/// One reason for which somebody can open a room.
#[derive(Serialize, ToSchema)]
struct Why {
    by: WhyBy,
    right: RightName,
    /// Of a role, or of the space that was given something.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// That the grant is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    folder: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WhyBy {
    Creator,
    Role,
    Grant,
    SpaceGrant,
    Folder,
    Gallery,
    Link,
}

/// A right that was given.
#[derive(Serialize, ToSchema)]
pub(super) struct Grant {
    to: GrantedTo,
    right: RightName,
    expires_at: Option<u64>,
    /// That it is on, if that is around what was asked for.
    folder: Option<Named>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum GrantedTo {
    Person(PersonInfo),
    Space(Named),
    Link(OfLink),
}

/// Whoever holds the room's link.
#[derive(Serialize, ToSchema)]
struct OfLink {
    who: LinkWho,
}

/// What was just given, and to whom if that is a person.
#[derive(Serialize, ToSchema)]
pub(super) struct Given {
    grant: Grant,
    person: Option<GivenPerson>,
}

#[derive(Serialize, ToSchema)]
struct GivenPerson {
    #[serde(flatten)]
    person: PersonInfo,
    right: RightName,
    owner: bool,
}

fn member_json(member: &Member, audience: &Audience) -> MemberInfo {
    let why = member.why.iter().map(|(reason, right)| why(*reason, *right, audience));
    MemberInfo {
        person: (&member.person).into(),
        right: member.right.into(),
        owner: member.owner,
        why: why.collect(),
    }
}

fn why(reason: Reason, right: Right, audience: &Audience) -> Why {
    let plain = |by| Why { by, right: right.into(), name: None, folder: None, expires_at: None };
    match reason {
        Reason::Creator => plain(WhyBy::Creator),
        Reason::Role(role) => Why { name: Some(role.name().to_owned()), ..plain(WhyBy::Role) },
        Reason::Gallery => plain(WhyBy::Gallery),
        Reason::Grant(at) => {
            let Some(grant) = audience.grants.get(at) else { return plain(WhyBy::Grant) };
            let (by, name) = match (&grant.to, &grant.folder) {
                (Receiver::Space { name, .. }, _) => (WhyBy::SpaceGrant, Some(name.clone())),
                (Receiver::Person(_), Some(_)) => (WhyBy::Folder, None),
                (Receiver::Person(_), None) => (WhyBy::Grant, None),
                (Receiver::Link { .. }, _) => (WhyBy::Link, None),
            };
            Why { name, folder: folder_of(grant), expires_at: grant.expires_at, ..plain(by) }
        }
    }
}

fn folder_of(grant: &GrantView) -> Option<Named> {
    grant.folder.as_ref().map(|(id, name)| Named::new(id, name))
}

pub(super) fn grant_json(grant: &GrantView) -> Grant {
    let to = match &grant.to {
        Receiver::Person(person) => GrantedTo::Person(person.into()),
        Receiver::Space { id, name } => GrantedTo::Space(Named::new(id, name)),
        Receiver::Link { public } => GrantedTo::Link(OfLink { who: LinkWho::of(*public) }),
    };
    Grant { to, right: grant.right.into(), expires_at: grant.expires_at, folder: folder_of(grant) }
}

fn given_person(grant: &GrantView) -> Option<GivenPerson> {
    let Receiver::Person(person) = &grant.to else { return None };
    Some(GivenPerson { person: person.into(), right: grant.right.into(), owner: false })
}
