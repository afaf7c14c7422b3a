//! What can go wrong with metadata: the caller's doing ([`Refusal`]) or the world's.

use std::path::PathBuf;

use sea_orm::DbErr;

/// Why the metadata refused a change. Always the asker's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another person has this user name, in some spelling.
    #[error("the user name is taken")]
    UsernameTaken,
    /// Another person has this e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The owner has another room with this key.
    #[error("the key is taken")]
    KeyTaken,
    /// The owner has as many rooms as one person may have.
    #[error("the person owns {limit} rooms already")]
    TooManyRooms {
        /// The most rooms that one person may own.
        limit: u64,
    },
    /// The room has as many live invite links as it may have.
    #[error("the room has {limit} invite links already")]
    TooManyInvites {
        /// The most invite links that a room may have at a time.
        limit: u64,
    },
    /// The person has as many tokens as one person may have.
    #[error("the person has {limit} tokens already")]
    TooManyTokens {
        /// The most tokens of that sort that one person may have.
        limit: u64,
    },
    /// The password that was shown is not the person's any more.
    #[error("the password has been changed")]
    PasswordChanged,
    /// The identity that was shown is not the person's any more, or they cannot sign in.
    #[error("the identity is not the person's any more")]
    IdentityGone,
    /// Somebody else signs in with this identity.
    #[error("the identity is somebody else's")]
    IdentityTaken,
    /// The person signs in with another identity of the same provider.
    #[error("the person has an identity already")]
    HasIdentity,
    /// Without a password the person could not sign in any more.
    #[error("the person has no password")]
    NoPassword,
    /// The person has a second factor already.
    #[error("the second factor is on")]
    SecondFactorOn,
    /// Nobody would be left who administers the workspace.
    #[error("there must be an administrator")]
    LastAdmin,
    /// What the person owns, and others work in, would be nobody's.
    #[error("somebody must take over what the person owns")]
    HeirNeeded,
    /// Nobody who can sign in takes over.
    #[error("the one who takes over must be somebody else who can sign in")]
    BadHeir,
    /// There is an administrator already.
    #[error("the set-up is done")]
    SetupDone,
    /// The link is unknown, revoked, expired or used up.
    #[error("the link is not valid any more")]
    LinkExpired,
    /// The person owns as many teams as one person may.
    #[error("the person owns {limit} spaces already")]
    TooManySpaces {
        /// The most teams that one person may own.
        limit: u64,
    },
    /// The space has as many members as it may have.
    #[error("the space has {limit} members already")]
    TooManyMembers {
        /// The most members of a space, invited ones included.
        limit: u64,
    },
    /// The space has as many folders as it may have.
    #[error("the space has {limit} folders already")]
    TooManyFolders {
        /// The most folders of a space.
        limit: u64,
    },
    /// Folders would be nested too deep.
    #[error("folders may be nested {limit} deep")]
    TooDeep {
        /// How deep they may be.
        limit: u64,
    },
    /// A folder cannot be in itself.
    #[error("a folder cannot be moved into itself")]
    Inside,
    /// The space has as many webhooks as it may have.
    #[error("the space has {limit} webhooks already")]
    TooManyWebhooks {
        /// The most webhooks of a space.
        limit: u64,
    },
    /// As many deliveries that were asked for by hand wait as may.
    #[error("{limit} deliveries that were asked for wait already")]
    TooManyDeliveries {
        /// The most that may wait.
        limit: u64,
    },
    /// The space holds all that it may.
    #[error("the space holds all that it may")]
    QuotaExceeded,
    /// The role of the person does not allow it.
    #[error("the person's role in the space does not allow that")]
    NoRole,
    /// Personal spaces and the gallery have no members to change, and no name.
    #[error("the space is not a team's")]
    NotATeam,
    /// The rules of the space, or of the workspace, allow no such links.
    #[error("such links are not allowed")]
    NoLinks,
    /// As many guests have come by the link as may.
    #[error("{limit} guests have come by the link already")]
    TooManyGuests {
        /// The most guests of one link at a time.
        limit: u64,
    },
    /// There is no such person, room, space or folder.
    #[error("not found")]
    NotFound,
    /// What a room's maker or a space's owner may do cannot be granted or taken.
    #[error("the owner's right cannot be changed")]
    IsOwner,
}

/// The metadata could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// Nothing failed; the change is not allowed.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The file cannot be opened.
    #[error("cannot open the metadata at {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A newer Weft has written the file.
    #[error("the metadata has schema {found}; this program knows schemas up to {known}")]
    NewerSchema {
        /// The schema's version in the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A row holds what no version of Weft writes.
    #[error("the metadata is damaged: {0} cannot be read")]
    Damaged(&'static str),
    /// The database failed.
    #[error("metadata: could not {what}")]
    Store {
        /// What was tried.
        what: &'static str,
        /// What the database said.
        source: DbErr,
    },
}

/// Says what was tried when the database failed.
pub trait Doing<T> {
    /// Names the attempt, to complete "could not …".
    fn doing(self, what: &'static str) -> Result<T, MetaError>;
}

impl<T> Doing<T> for Result<T, DbErr> {
    fn doing(self, what: &'static str) -> Result<T, MetaError> {
        self.map_err(|source| MetaError::Store { what, source })
    }
}
