//! Spaces and their members.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_core::{PersonId, SpaceId, access::Role};
use weft_store::{
    Invitation, Person, Removed, Scope, SpaceChange, SpaceMember, SpaceRow, SpaceView, Which,
    name_key,
};

use super::{
    ApiError,
    answers::{GivenRole, Named, PersonInfo, RoleName, SpaceKindName},
    body::{Body, Names},
    fields,
    folders::{Folder, folder_json},
    rooms::{Room, room_json},
    to_the_end,
};
use crate::{
    auth::{self, Caller, Signed},
    notify::{News, settled, space_object, what},
    state::{App, AppState},
};

/// The spaces that I see, and those that I am asked to join.
#[utoipa::path(
    get,
    path = "/spaces",
    responses((status = 200, description = "Personal, gallery, then teams by name", body = Spaces)),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "read"})))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Spaces>, ApiError> {
    let me = caller.with(Scope::Read)?.person.id;
    let spaces = state.meta.spaces_of(me).await?.iter().map(space_json).collect();
    let invitations = state.meta.invitations_of(me).await?.iter().map(invitation_json).collect();
    Ok(Json(Spaces { spaces, invitations }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewSpaceForm)]
pub(super) struct Create {
    #[schema(required, min_length = 1, max_length = 64)]
    name: Option<String>,
}

/// Makes a team's space, which is mine.
#[utoipa::path(
    post,
    path = "/spaces",
    request_body = Create,
    responses((status = 201, description = "The space", body = Space)),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "manage"})))
)]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let name = fields::label(form.name)?;
    let now = state.clock.now();
    let (id, max) = (SpaceId::new(now, auth::random()), state.config.limits.spaces_per_person_max);
    let view = state.meta.create_space(id, &name, signed.person.id, max, now).await?;
    Ok((StatusCode::CREATED, Json(space_json(&view))).into_response())
}

/// A space, with what I may see of it.
#[utoipa::path(
    get,
    path = "/spaces/{space}",
    responses((status = 200, description = "What I may see of it", body = SpaceContents)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "read", "right": "read"})),
    )
)]
pub(super) async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
) -> Result<Json<SpaceContents>, ApiError> {
    let me = caller.with(Scope::Read)?.person.id;
    let view = seen(&state, &space, me).await?;
    let (id, now) = (view.row.id, state.clock.now());
    let folders = state.meta.folders_in(id, me, now).await?;
    let rooms_max = state.config.limits.rooms_listed_max;
    let rooms = state.meta.rooms_of(me, Which::In(id), rooms_max, now).await?;
    let storage = match view.role {
        Some(role) if role >= Role::Admin => Some(state.meta.space_storage(id).await?),
        _ => None,
    };
    Ok(Json(SpaceContents {
        space: space_json(&view),
        storage_used: storage.map(|storage| storage.used),
        quota: storage.and_then(|storage| storage.limit),
        folders: folders.iter().map(folder_json).collect(),
        rooms: rooms.iter().map(room_json).collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SpaceForm)]
pub(super) struct Change {
    name: Option<String>,
    archived: Option<bool>,
    #[serde(default)]
    rules: RulesChange,
}

#[derive(Deserialize, Default, ToSchema)]
#[schema(as = RulesForm)]
struct RulesChange {
    links: Option<bool>,
    public_links: Option<bool>,
    outsiders: Option<bool>,
}

/// Changes a space. Once this answers, nothing commits that its rules do not allow.
#[utoipa::path(
    patch,
    path = "/spaces/{space}",
    request_body = Change,
    responses((status = 200, description = "As it is now", body = Space)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
    Body(form): Body<Change>,
) -> Result<Json<Space>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let id = fields::space(&space)?;
    let change = SpaceChange {
        name: form.name.map(|name| fields::label(Some(name))).transpose()?,
        links: form.rules.links,
        public_links: form.rules.public_links,
        outsiders: form.rules.outsiders,
        archived: form.archived,
    };
    to_the_end(async move {
        state.meta.change_space(id, &change, signed.person.id, state.clock.now()).await?;
        let is_rename = SpaceChange { name: change.name.clone(), ..SpaceChange::default() };
        if change != is_rename {
            rights_changed(&state, id).await?;
        }
        Ok(Json(space_json(&seen(&state, &space, signed.person.id).await?)))
    })
    .await
}

/// Members and those invited.
#[utoipa::path(
    get,
    path = "/spaces/{space}/members",
    responses((status = 200, description = "Members and those invited", body = Members)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "read", "right": "read"})),
    )
)]
pub(super) async fn members(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
) -> Result<Json<Members>, ApiError> {
    let me = caller.with(Scope::Read)?.person.id;
    let view = seen(&state, &space, me).await?;
    // The gallery's guests see who they are no more than others do.
    view.role.ok_or(ApiError::NotFound)?;
    let members = state.meta.space_members(view.row.id).await?;
    Ok(Json(Members { members: members.iter().map(member_json).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = InvitationForm)]
pub(super) struct Invite {
    #[schema(required)]
    username: Option<String>,
    #[schema(required, value_type = Option<GivenRole>)]
    role: Option<String>,
}

/// Asks somebody to join.
#[utoipa::path(
    post,
    path = "/spaces/{space}/members",
    request_body = Invite,
    responses((status = 201, description = "Invited", body = MemberAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn invite(
    State(state): State<AppState>,
    caller: Caller,
    Names(space): Names<String>,
    Body(form): Body<Invite>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let id = fields::space(&space)?;
    let username = fields::required(form.username, "username")?;
    let role = fields::role(form.role.as_deref())?;
    let (by, now) = (signed.person.id, state.clock.now());
    let max = state.config.limits.members_per_space_max;
    to_the_end(async move {
        let member = state.meta.invite_member(id, &username, role, by, max, now).await?;
        if !member.joined {
            let space = seen(&state, &space, by).await?.row;
            let (what, object) = (what::INVITED, space_object(&space));
            let params = [("role", member.role.name())];
            let news = News { what, actor: &signed.person, object, params: &params };
            state.tell(vec![news.to(member.person.id, None)]).await?;
        }
        Ok((StatusCode::CREATED, Json(MemberAnswer { member: member_json(&member) }))
            .into_response())
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RoleForm)]
pub(super) struct SetRole {
    #[schema(required, value_type = Option<GivenRole>)]
    role: Option<String>,
}

/// Gives a member another role. Once this answers, nothing commits that the new one does not allow.
#[utoipa::path(
    patch,
    path = "/spaces/{space}/members/{username}",
    request_body = SetRole,
    responses((status = 200, description = "As they are now", body = MemberAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn set_role(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, username)): Names<(String, String)>,
    Body(form): Body<SetRole>,
) -> Result<Json<MemberAnswer>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    signed.check_fresh(&state)?;
    let id = fields::space(&space)?;
    let role = fields::role(form.role.as_deref())?;
    to_the_end(async move {
        let member = state.meta.set_role(id, &username, role, signed.person.id).await?;
        rights_changed(&state, id).await?;
        Ok(Json(MemberAnswer { member: member_json(&member) }))
    })
    .await
}

/// Takes a member out, or an invitation back; I may leave. Once this answers, nothing of theirs commits.
#[utoipa::path(
    delete,
    path = "/spaces/{space}/members/{username}",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["sign_in_again", "bad_request", "room_unavailable"])),
    )
)]
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Names((space, username)): Names<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    if name_key(&username) != name_key(&signed.person.username) {
        signed.check_fresh(&state)?;
    }
    let id = fields::space(&space)?;
    to_the_end(async move {
        let view = state.meta.space_view(id, signed.person.id).await?;
        let gone = state.meta.remove_member(id, &username, signed.person.id).await?;
        rights_changed(&state, id).await?;
        if let Some(SpaceView { row, .. }) = view {
            tell_of_removal(&state, &signed.person, &row, gone).await?;
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Tells somebody that they are no member any more, or that they are not invited any more.
async fn tell_of_removal(
    state: &App,
    by: &Person,
    space: &SpaceRow,
    gone: Removed,
) -> Result<(), ApiError> {
    let (object, person) = (space_object(space), gone.person);
    let news = match gone.joined {
        true if person == by.id => return Ok(()),
        true => News { what: what::REMOVED, actor: by, object, params: &[] }.to(person, None),
        false => settled(person, what::INVITED, None, object, "withdrawn"),
    };
    Ok(state.tell(vec![news]).await?)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AnswerForm)]
pub(super) struct Answer {
    #[schema(required)]
    agree: Option<bool>,
}

/// I agree to join, or decline. Nobody else, and no token, does that for me.
#[utoipa::path(
    post,
    path = "/spaces/{space}/answer",
    request_body = Answer,
    responses((status = 200, description = "Joined", body = SpaceAnswer), (status = 204, description = "Declined")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "invited"})),
        ("x-weft-codes" = json!(["room_unavailable"])),
    )
)]
pub(super) async fn answer(
    State(state): State<AppState>,
    signed: Signed,
    Names(space): Names<String>,
    Body(form): Body<Answer>,
) -> Result<Response, ApiError> {
    let id = fields::space(&space)?;
    let agree = fields::required(form.agree, "agree")?;
    let me = signed.person.id;
    to_the_end(async move {
        let space_row = state.meta.answer_invitation(id, me, agree, state.clock.now()).await?;
        let outcome = if agree { "agreed" } else { "declined" };
        let object = space_object(&space_row);
        state.tell(vec![settled(me, what::INVITED, None, object, outcome)]).await?;
        if !agree {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        rights_changed(&state, id).await?;
        let view = seen(&state, &space, me).await?;
        Ok(Json(SpaceAnswer { space: space_json(&view) }).into_response())
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[schema(as = HandOverForm)]
pub(super) struct HandOver {
    #[schema(required)]
    username: Option<String>,
}

/// Makes another member the owner.
#[utoipa::path(
    post,
    path = "/spaces/{space}/hand-over",
    request_body = HandOver,
    responses((status = 200, description = "As it is now", body = SpaceAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "own"})),
        ("x-weft-codes" = json!(["sign_in_again", "room_unavailable"])),
    )
)]
pub(super) async fn hand_over(
    State(state): State<AppState>,
    signed: Signed,
    Names(space): Names<String>,
    Body(form): Body<HandOver>,
) -> Result<Json<SpaceAnswer>, ApiError> {
    signed.check_fresh(&state)?;
    let id = fields::space(&space)?;
    let username = fields::required(form.username, "username")?;
    let me = signed.person.id;
    to_the_end(async move {
        state.meta.hand_over(id, &username, me, state.clock.now()).await?;
        rights_changed(&state, id).await?;
        Ok(Json(SpaceAnswer { space: space_json(&seen(&state, &space, me).await?) }))
    })
    .await
}

async fn rights_changed(state: &AppState, space: SpaceId) -> Result<(), ApiError> {
    let rooms = state.meta.rooms_of_space(space).await?;
    Ok(state.hub.rights_changed_in(rooms).await?)
}

async fn seen(state: &AppState, space: &str, person: PersonId) -> Result<SpaceView, ApiError> {
    let id = fields::space(space)?;
    state.meta.space_view(id, person).await?.ok_or(ApiError::NotFound)
}

/// A space, as one person sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Space {
    id: String,
    kind: SpaceKindName,
    /// Empty of a personal space and of the gallery.
    name: String,
    role: Option<RoleName>,
    members: u64,
    rules: Rules,
    archived_at: Option<u64>,
    created_at: u64,
}

/// Limits above all grants.
#[derive(Serialize, ToSchema)]
#[schema(as = SpaceRules)]
struct Rules {
    links: bool,
    /// They may let guests in.
    public_links: bool,
    outsiders: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Spaces {
    spaces: Vec<Space>,
    invitations: Vec<InvitationInfo>,
}

/// A space that I am asked to join.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationInfo {
    space: Named,
    role: RoleName,
    invited_by: Named,
    at: u64,
}

/// What I may see of a space.
#[derive(Serialize, ToSchema)]
pub(super) struct SpaceContents {
    space: Space,
    /// Bytes of its rooms, those in the trash included; null to those who do not manage the space.
    storage_used: Option<u64>,
    /// In bytes; null: as much as the disk does, or I do not manage the space.
    quota: Option<u64>,
    folders: Vec<Folder>,
    rooms: Vec<Room>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SpaceAnswer {
    space: Space,
}

/// A member of a space, or somebody who is invited.
#[derive(Serialize, ToSchema)]
#[schema(as = SpaceMember)]
struct MemberInfo {
    #[serde(flatten)]
    person: PersonInfo,
    role: RoleName,
    state: MemberState,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum MemberState {
    Member,
    Invited,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Members {
    members: Vec<MemberInfo>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct MemberAnswer {
    member: MemberInfo,
}

fn space_json(SpaceView { row, role, members }: &SpaceView) -> Space {
    Space {
        id: row.id.to_string(),
        kind: row.kind.into(),
        name: row.name.clone(),
        role: role.map(RoleName::from),
        members: *members,
        rules: Rules { links: row.links, public_links: row.public_links, outsiders: row.outsiders },
        archived_at: row.archived_at,
        created_at: row.created_at,
    }
}

fn invitation_json(invitation: &Invitation) -> InvitationInfo {
    InvitationInfo {
        space: Named::new(invitation.space, &invitation.name),
        role: invitation.role.into(),
        invited_by: (&invitation.invited_by).into(),
        at: invitation.at,
    }
}

fn member_json(member: &SpaceMember) -> MemberInfo {
    MemberInfo {
        person: (&member.person).into(),
        role: member.role.into(),
        state: if member.joined { MemberState::Member } else { MemberState::Invited },
    }
}
