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
    /// There is an administrator already.
    #[error("the set-up is done")]
    SetupDone,
    /// The link is unknown, revoked, expired or used up.
    #[error("the link is not valid any more")]
    LinkExpired,
    /// There is no such person or room.
    #[error("not found")]
    NotFound,
    /// Rights of a room's owner cannot be granted or taken.
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
