//! Parts that many forms and answers share, in the shapes of `docs/api.md`.

use serde::Serialize;
use utoipa::ToSchema;
use weft_core::{
    Right,
    access::{Role, SpaceKind},
};
use weft_store::PersonBrief;

use crate::config::Registration;

/// Enums of other crates in the API's words: what they derive is no promise to callers, these are.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $of:ident as $schema:ident { $($word:ident),* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Serialize, ToSchema)]
        #[serde(rename_all = "lowercase")]
        #[schema(as = $schema)]
        pub(super) enum $name { $($word),* }

        impl From<$of> for $name {
            fn from(it: $of) -> Self {
                match it { $($of::$word => Self::$word),* }
            }
        }
    )*};
}

words! {
    /// What somebody may do in a room or folder; each includes the ones before it.
    RightName = Right as Right { Read, Comment, Edit, Manage }
    /// What a member of a space is there; each may what the ones before it may.
    RoleName = Role as Role { Viewer, Commenter, Editor, Admin, Owner }
    /// Whose a space is.
    SpaceKindName = SpaceKind as SpaceKind { Personal, Team, Gallery }
    /// Who may make an account.
    RegistrationName = Registration as Registration { Open, Invite, Closed }
}

/// For whom a room's link is: people with an account, or guests, too.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LinkWho {
    Workspace,
    Public,
}

impl LinkWho {
    pub(super) const fn of(public: bool) -> Self {
        if public { Self::Public } else { Self::Workspace }
    }
}

/// A right that can be given to others.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document: forms take any text, to say what is wrong with it")]
pub(super) enum GivenRight {
    Read,
    Comment,
    Edit,
}

/// A role that can be given to others.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document: forms take any text, to say what is wrong with it")]
pub(super) enum GivenRole {
    Viewer,
    Commenter,
    Editor,
    Admin,
}

/// A person, as others see them.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub(super) struct PersonInfo {
    id: String,
    username: String,
    name: String,
}

impl From<&PersonBrief> for PersonInfo {
    fn from(person: &PersonBrief) -> Self {
        let PersonBrief { id, username, name } = person.clone();
        Self { id: id.to_string(), username, name }
    }
}

/// A person or a thing, and its name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Named {
    id: String,
    name: String,
}

impl Named {
    pub(super) fn new(id: impl ToString, name: &str) -> Self {
        Self { id: id.to_string(), name: name.to_owned() }
    }
}

impl From<&PersonBrief> for Named {
    fn from(person: &PersonBrief) -> Self {
        Self::new(person.id, &person.name)
    }
}

/// Somebody of whom others are told the name alone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ByName {
    pub(super) name: String,
}

/// Bytes of a Yjs update (v1).
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "for the document: such bodies are taken and given as bytes")]
pub(super) struct YjsUpdate(Vec<u8>);
