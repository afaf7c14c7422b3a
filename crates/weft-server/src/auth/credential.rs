//! What a credential allows: a sign-in everything that its person may, a personal access token what
//! its scopes say, a room token and a guest's token one room.
//!
//! An endpoint says by its extractor whom it serves, so that a new one which says nothing serves
//! people alone: [`Signed`] takes sign-ins only, [`Admin`] those of administrators. [`Caller`] takes every credential, and yields
//! whose it is only to those who name a scope.

use axum::{
    extract::{FromRequestParts, Query},
    http::{Method, request::Parts},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use weft_core::{LinkId, Millis, PersonId, Right, access::Circumstances, presence::Face};
use weft_store::{
    Guest, Meta, MetaError, Origin, Person, RoomRow, RoomToken, Scope, Scopes, TokenRoom,
};

use super::{Secret, Via, authenticate, check_origin};
use crate::{http::ApiError, state::AppState};

/// With what personal access tokens begin, so that one that has leaked is known as such.
pub const ACCESS_TOKEN_PREFIX: &str = "weft_pat_";
/// With what room tokens begin.
pub const ROOM_TOKEN_PREFIX: &str = "weft_room_";
/// With what guests' tokens begin.
pub const GUEST_PREFIX: &str = "weft_guest_";

/// Someone who has shown a valid credential. As an extractor: a sign-in, not a token of programs.
#[derive(Debug, Clone)]
pub struct Signed {
    /// By whose rights. A guest has those of nobody else: then this is the guest, without an account.
    pub person: Person,
    /// Names the credential: SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// From then on it is not valid any more; a sign-in that is used before lasts longer.
    pub expires_at: Millis,
    /// When the password, or an identity, was shown for it last; tokens were made to do without.
    pub confirmed_at: Millis,
    /// How the token came.
    pub via: Via,
    /// What was shown.
    pub credential: Credential,
}

/// What was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A sign-in.
    SignIn,
    /// A personal access token with these scopes.
    Personal(Scopes),
    /// A room token.
    Room(Pass),
    /// That of a guest who came by a link.
    Guest(Pass),
}

/// What a room token allows, or that of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// What it ends with: SHA-256 of the token of the sign-in or personal access token, or [`link_ends`].
    pub minted_with: [u8; 32],
    /// What it opens.
    pub room: TokenRoom,
    /// The most that it allows.
    pub right: Right,
    /// What others see of whoever holds it; `None`: the minter.
    pub name: Option<String>,
}

impl Pass {
    /// Whether this is the room that it opens.
    #[must_use]
    pub fn opens(&self, room: &RoomRow, minter: PersonId) -> bool {
        match &self.room {
            TokenRoom::Id(id) => room.id == *id,
            TokenRoom::Key(key) => room.owner == minter && room.key.as_ref() == Some(key),
        }
    }
}

impl Signed {
    /// The most that a session of this credential may do in a room, whatever its person may;
    /// `None`: follow none.
    #[must_use]
    pub fn cap(&self) -> Option<Right> {
        match &self.credential {
            Credential::SignIn => Some(Right::Manage),
            Credential::Personal(scopes) => {
                match [Scope::Write, Scope::Manage, Scope::Read].map(|scope| scopes.allow(scope)) {
                    [true, true, _] => Some(Right::Manage),
                    [true, false, _] => Some(Right::Edit),
                    [false, _, read] => read.then_some(Right::Read),
                }
            }
            Credential::Room(pass) | Credential::Guest(pass) => Some(pass.right),
        }
    }

    /// What bounds the rights of this credential now, besides its person's.
    #[must_use]
    pub fn circumstances(&self, state: &AppState) -> Circumstances {
        let now = state.clock.now();
        let asked_again = state.config.limits.manage_session_ms_max;
        Circumstances {
            now,
            cap: self.cap().unwrap_or(Right::Read),
            is_old_session: self.confirmed_at.saturating_add(asked_again) <= now,
            is_read_only: state.hub.is_read_only(),
        }
    }

    /// That it was shown lately enough who uses this sign-in to manage rights and the account.
    ///
    /// # Errors
    /// [`ApiError::SignInAgain`].
    pub fn check_fresh(&self, state: &AppState) -> Result<(), ApiError> {
        if self.circumstances(state).is_old_session { Err(ApiError::SignInAgain) } else { Ok(()) }
    }

    /// Who others see: the person or, for a room token with a name, somebody of that name for whom
    /// the person vouches. The same name is the same face.
    #[must_use]
    pub fn face(&self) -> Face {
        let guest = matches!(self.credential, Credential::Guest(_));
        match &self.credential {
            Credential::Room(Pass { name: Some(name), .. }) => {
                let digest = Sha256::new()
                    .chain_update(b"weft face")
                    .chain_update(self.person.id.as_bytes())
                    .chain_update(name)
                    .finalize();
                Face { id: first_half(&digest.into()), name: name.clone(), guest }
            }
            _ => Face { id: self.person.id, name: self.person.name.clone(), guest },
        }
    }

    /// Whose the client ids are that this credential uses (L3). Each token has its own: whoever
    /// holds one must not speak for a tab of the person's.
    #[must_use]
    pub fn holder(&self) -> PersonId {
        match self.credential {
            Credential::SignIn | Credential::Guest(_) => self.person.id,
            Credential::Personal(_) | Credential::Room(_) => first_half(&self.token_hash),
        }
    }

    /// What this credential ends with, if that is another one.
    #[must_use]
    pub const fn minted_with(&self) -> Option<[u8; 32]> {
        match &self.credential {
            Credential::Room(pass) | Credential::Guest(pass) => Some(pass.minted_with),
            Credential::SignIn | Credential::Personal(_) => None,
        }
    }
}

/// What the tokens of a link's guests end with, in place of a hash.
#[must_use]
pub fn link_ends(link: LinkId) -> [u8; 32] {
    Sha256::new().chain_update(b"weft link").chain_update(link.as_bytes()).finalize().into()
}

/// A guest as a person: without a user name, an address or any right but the link's.
fn stand_in(guest: &Guest) -> Person {
    Person {
        id: guest.id,
        username: String::new(),
        name: guest.name.clone(),
        email: None,
        email_verified: false,
        admin: false,
        language: "en".to_owned(),
        time_zone: None,
        phone: None,
        second_factor: false,
        digest: weft_store::Digest::Off,
        has_password: false,
        created_at: guest.created_at,
        deactivated_at: None,
    }
}

fn first_half(hash: &[u8; 32]) -> PersonId {
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    PersonId::from_bytes(id)
}

/// Where a credential is looked up.
#[derive(Clone, Copy)]
enum Sort {
    SignIn,
    Personal,
    Room,
    Guest,
}

/// The valid credential with this token.
///
/// # Errors
/// If the metadata cannot be read.
pub async fn look_up(
    meta: &Meta,
    token: &str,
    via: Via,
    now: Millis,
) -> Result<Option<Signed>, MetaError> {
    let sort = if token.starts_with(ACCESS_TOKEN_PREFIX) {
        Sort::Personal
    } else if token.starts_with(ROOM_TOKEN_PREFIX) {
        Sort::Room
    } else if token.starts_with(GUEST_PREFIX) {
        Sort::Guest
    } else {
        Sort::SignIn
    };
    find(meta, sort, Secret::hash_of(token), via, now).await
}

/// What somebody has shown, and whose it is, as that is now; `None` if it is not valid any more.
///
/// # Errors
/// If the metadata cannot be read.
pub async fn renewed(
    meta: &Meta,
    signed: &Signed,
    now: Millis,
) -> Result<Option<Signed>, MetaError> {
    let sort = match signed.credential {
        Credential::SignIn => Sort::SignIn,
        Credential::Personal(_) => Sort::Personal,
        Credential::Room(_) => Sort::Room,
        Credential::Guest(_) => Sort::Guest,
    };
    find(meta, sort, signed.token_hash, signed.via, now).await
}

async fn find(
    meta: &Meta,
    sort: Sort,
    token_hash: [u8; 32],
    via: Via,
    now: Millis,
) -> Result<Option<Signed>, MetaError> {
    let mut confirmed_at = Millis::MAX;
    let (person, expires_at, credential) = match sort {
        Sort::SignIn => match meta.sign_in(&token_hash, now).await? {
            Some(found) => {
                confirmed_at = found.confirmed_at;
                (found.person, found.expires_at, Credential::SignIn)
            }
            None => return Ok(None),
        },
        Sort::Guest => match meta.guest(&token_hash, now).await? {
            Some(guest) => {
                let pass = Pass {
                    minted_with: link_ends(guest.link),
                    room: TokenRoom::Id(guest.room),
                    // A link gives no more; what it gives now is looked up like any right.
                    right: Right::Edit,
                    name: None,
                };
                (stand_in(&guest), guest.expires_at, Credential::Guest(pass))
            }
            None => return Ok(None),
        },
        Sort::Personal => match meta.access_token(&token_hash, now).await? {
            Some((person, found)) => {
                let expires_at = found.expires_at.unwrap_or(Millis::MAX);
                (person, expires_at, Credential::Personal(found.scopes))
            }
            None => return Ok(None),
        },
        Sort::Room => match meta.room_token(&token_hash, now).await? {
            Some(RoomToken { person, minted_with, room, right, name, expires_at }) => {
                let pass = Pass { minted_with, room, right, name };
                (person, expires_at, Credential::Room(pass))
            }
            None => return Ok(None),
        },
    };
    Ok(Some(Signed { person, token_hash, expires_at, confirmed_at, via, credential }))
}

impl FromRequestParts<AppState> for Signed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(signed) = Caller::from_request_parts(parts, state).await?;
        match signed.credential {
            Credential::SignIn => Ok(signed),
            Credential::Personal(_) => Err(ApiError::SignInNeeded),
            Credential::Room(_) | Credential::Guest(_) => Err(ApiError::NotSignedIn),
        }
    }
}

/// An administrator who is signed in.
pub struct Admin(pub Signed);

impl FromRequestParts<AppState> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let signed = Signed::from_request_parts(parts, state).await?;
        if !signed.person.admin {
            return Err(ApiError::NotAdmin);
        }
        if parts.method != Method::GET {
            signed.check_fresh(state)?;
        }
        Ok(Self(signed))
    }
}

/// Someone who calls with any valid credential.
pub struct Caller(Signed);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let guest = Query::<GuestQuery>::try_from_uri(&parts.uri);
        let guest = guest.ok().and_then(|Query(query)| query.guest);
        let signed = authenticate(state, &parts.headers, None, guest.as_deref()).await?;
        if signed.via == Via::Cookie && parts.method != Method::GET && parts.method != Method::HEAD
        {
            check_origin(state, &parts.headers)?;
        }
        if !matches!(signed.credential, Credential::Guest(_)) {
            Origin::acts(signed.person.id);
        }
        Ok(Self(signed))
    }
}

/// Which of a browser's guests calls.
#[derive(Deserialize)]
struct GuestQuery {
    guest: Option<String>,
}

impl Caller {
    /// A sign-in, or a personal access token with this scope. For a room token and a guest there is nothing
    /// here: they are strangers.
    ///
    /// # Errors
    /// [`ApiError::NoScope`], [`ApiError::NotSignedIn`].
    pub fn with(self, scope: Scope) -> Result<Signed, ApiError> {
        match &self.0.credential {
            Credential::Room(_) | Credential::Guest(_) => Err(ApiError::NotSignedIn),
            _ => self.with_or_room_token(scope),
        }
    }

    /// As [`Caller::with`], or a room token, or a guest. Whoever asks for this must find the room by
    /// `Hub::find` and bound the right by [`Signed::cap`]: see `http::rooms::open_content`.
    ///
    /// # Errors
    /// [`ApiError::NoScope`].
    pub fn with_or_room_token(self, scope: Scope) -> Result<Signed, ApiError> {
        match &self.0.credential {
            Credential::Personal(scopes) if !scopes.allow(scope) => {
                Err(ApiError::NoScope { needed: scope })
            }
            _ => Ok(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use weft_core::RoomId;

    use super::*;

    fn signed(credential: Credential) -> Signed {
        let person = Person {
            id: PersonId::from_bytes([1; 16]),
            username: "lin".to_owned(),
            name: "Lin".to_owned(),
            email: None,
            email_verified: false,
            admin: false,
            language: "en".to_owned(),
            time_zone: None,
            phone: None,
            second_factor: false,
            digest: weft_store::Digest::Off,
            has_password: true,
            created_at: 0,
            deactivated_at: None,
        };
        let (token_hash, via) = ([7; 32], Via::Bearer);
        Signed { person, token_hash, expires_at: 1, confirmed_at: 1, via, credential }
    }

    fn pass(right: Right, name: Option<&str>) -> Credential {
        let room = TokenRoom::Id(RoomId::from_bytes([2; 16]));
        Credential::Room(Pass { minted_with: [8; 32], room, right, name: name.map(str::to_owned) })
    }

    #[test]
    fn scopes_bound_what_a_session_may_do() {
        let cap = |scopes: &[Scope]| {
            signed(Credential::Personal(scopes.iter().copied().collect())).cap().map(Right::name)
        };
        assert_eq!(cap(&[]), None);
        assert_eq!(cap(&[Scope::RoomTokens]), None);
        assert_eq!(cap(&[Scope::Read]), Some("read"));
        assert_eq!(cap(&[Scope::Manage]), Some("read"));
        assert_eq!(cap(&[Scope::Write]), Some("edit"));
        assert_eq!(cap(&[Scope::Write, Scope::Manage]), Some("manage"));
        assert_eq!(signed(pass(Right::Comment, None)).cap(), Some(Right::Comment));
    }

    #[test]
    fn names_are_faces_and_client_ids_are_the_tokens_own() {
        let lin = signed(Credential::SignIn);
        let of_lin = Face { id: lin.person.id, name: "Lin".to_owned(), guest: false };
        assert_eq!(lin.face(), of_lin);
        assert_eq!(lin.holder(), lin.person.id);
        let (ann, ann_again, ben) = (
            signed(pass(Right::Edit, Some("Ann"))),
            signed(pass(Right::Read, Some("Ann"))),
            signed(pass(Right::Edit, Some("Ben"))),
        );
        assert_eq!(ann.face(), ann_again.face());
        assert_ne!(ann.face().id, ben.face().id);
        assert_ne!(ann.face().id, lin.person.id);
        let nameless = signed(pass(Right::Edit, None));
        assert_eq!(nameless.face(), of_lin);
        assert_ne!(nameless.holder(), lin.person.id);
    }
}
