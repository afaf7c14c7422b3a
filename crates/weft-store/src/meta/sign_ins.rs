//! Sign-ins: a token's hash, whose it is, and until when.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};
use sha2::{Digest, Sha256};
use weft_core::{Millis, PersonId};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{person, sign_in},
    error::{Doing, MetaError, Refusal},
    identities::{self, Identity},
    people::{self, Person},
    person_id, room_tokens, time,
};

/// A sign-in's last use is stored at most this often, in milliseconds: reading must stay cheap.
pub const SIGN_IN_TOUCH_MS: Millis = 60 * 60 * 1000;
/// How many of a person's sign-ins are listed: those used last.
pub const SIGN_INS_LISTED_MAX: u64 = 200;
/// Characters kept of a browser's name of itself.
const USER_AGENT_CHARS_MAX: usize = 200;

/// A valid sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Who signed in.
    pub person: Person,
    /// From then on it is not valid any more, unless it is used before.
    pub expires_at: Millis,
    /// When it was shown last who uses it: by the password, or to a provider.
    pub confirmed_at: Millis,
}

/// What somebody has shown who signs in. If it is not the person's any more, there is no sign-in.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// The password, which has this hash.
    Password(&'a str),
    /// That they are this to a provider, who saw them last at this time.
    Identity(&'a Identity, Millis),
}

/// A sign-in to be stored.
#[derive(Debug, Clone)]
pub struct NewSignIn<'a> {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Who signed in.
    pub person: PersonId,
    /// What they have shown.
    pub proof: Proof<'a>,
    /// How long it lasts after its last use, in milliseconds.
    pub idle_ms_max: Millis,
    /// What the browser or program calls itself.
    pub user_agent: &'a str,
}

/// A sign-in as its person sees it among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSignIn {
    /// Names it to its person; see [`sign_in_id`].
    pub id: [u8; 16],
    /// When it was made.
    pub created_at: Millis,
    /// When it was used last, to the hour.
    pub used_at: Millis,
    /// What the browser or program called itself.
    pub user_agent: String,
}

/// What a sign-in is called where its token and the token's hash must not be seen. Nobody finds
/// either from it.
#[must_use]
pub fn sign_in_id(token_hash: &[u8; 32]) -> [u8; 16] {
    let digest = Sha256::new().chain_update(b"weft sign-in id").chain_update(token_hash).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

impl Meta {
    /// Stores a sign-in, and forgets those of the same person that have expired.
    ///
    /// # Errors
    /// [`Refusal::PasswordChanged`] or [`Refusal::IdentityGone`] if what was shown is not the person's any more.
    pub async fn create_sign_in(&self, new: NewSignIn<'_>, now: Millis) -> Result<(), MetaError> {
        let write = self.write().await?;
        let confirmed_at = check(&write.txn, new.person, new.proof, now).await?;
        let person = bytes_of(new.person.as_bytes());
        let expired = sign_in::Entity::delete_many()
            .filter(sign_in::Column::Person.eq(person.clone()))
            .filter(sign_in::Column::ExpiresAt.lte(db_time(now)))
            .exec(&write.txn)
            .await;
        expired.doing("forget old sign-ins")?;
        let user_agent: String = new.user_agent.chars().take(USER_AGENT_CHARS_MAX).collect();
        let row = sign_in::ActiveModel {
            token_hash: Set(new.token_hash.to_vec()),
            person: Set(person),
            created_at: Set(db_time(now)),
            used_at: Set(db_time(now)),
            expires_at: Set(db_time(now.saturating_add(new.idle_ms_max))),
            user_agent: Set(user_agent.clone()),
            confirmed_at: Set(db_time(confirmed_at)),
        };
        let stored = sign_in::Entity::insert(row).exec_without_returning(&write.txn).await;
        stored.doing("store a sign-in")?;
        let note = Note::of(Act::SignedIn).by(new.person).person(new.person);
        note.with("user_agent", user_agent).add(&write.txn).await?;
        note_seen(&write.txn, &new.token_hash, now).await?;
        write.commit("store a sign-in").await
    }

    /// The sign-in of the token with this hash, if it is valid now. A use moves its end, stored
    /// at most every [`SIGN_IN_TOUCH_MS`].
    pub async fn sign_in(
        &self,
        token_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Option<SignIn>, MetaError> {
        let row = sign_in::Entity::find_by_id(token_hash.to_vec()).one(&self.db).await;
        let Some(row) = row.doing("read a sign-in")? else { return Ok(None) };
        if now >= time(row.expires_at) {
            return Ok(None);
        }
        let id = person_id(&row.person)?;
        let Some(person) = people::active(&self.db, id).await? else { return Ok(None) };
        let confirmed_at = time(row.confirmed_at);
        let valid = |expires_at| SignIn { person, expires_at: time(expires_at), confirmed_at };
        if now < time(row.used_at).saturating_add(SIGN_IN_TOUCH_MS) {
            return Ok(Some(valid(row.expires_at)));
        }
        let expires_at = db_time(now).saturating_add(row.expires_at - row.used_at);
        if let Err(error) = self.touch_sign_in(token_hash, expires_at, now).await {
            // A full disk must not sign people out: they can still read.
            tracing::warn!(%error, "a sign-in's use was not stored");
            return Ok(Some(valid(row.expires_at)));
        }
        Ok(Some(valid(expires_at)))
    }

    /// Notes that somebody has shown for a sign-in again that they are its person.
    ///
    /// # Errors
    /// [`Refusal::PasswordChanged`] or [`Refusal::IdentityGone`] if what was shown is not the person's any more;
    /// [`Refusal::NotFound`] if the sign-in has ended.
    pub async fn confirm_sign_in(
        &self,
        token_hash: &[u8; 32],
        person: PersonId,
        proof: Proof<'_>,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let confirmed_at = check(&write.txn, person, proof, now).await?;
        let confirmed = sign_in::Entity::update_many()
            .col_expr(sign_in::Column::ConfirmedAt, Expr::value(db_time(confirmed_at)))
            .filter(sign_in::Column::TokenHash.eq(token_hash.to_vec()))
            .exec(&write.txn)
            .await;
        if confirmed.doing("confirm a sign-in")?.rows_affected == 0 {
            return Err(Refusal::NotFound.into());
        }
        Note::of(Act::SignInConfirmed).person(person).add(&write.txn).await?;
        write.commit("confirm a sign-in").await
    }

    async fn touch_sign_in(
        &self,
        token_hash: &[u8; 32],
        expires_at: i64,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let touched = sign_in::Entity::update_many()
            .col_expr(sign_in::Column::UsedAt, Expr::value(db_time(now)))
            .col_expr(sign_in::Column::ExpiresAt, Expr::value(expires_at))
            .filter(sign_in::Column::TokenHash.eq(token_hash.to_vec()))
            .filter(sign_in::Column::UsedAt.lt(db_time(now)))
            .exec(&write.txn)
            .await;
        touched.doing("store a sign-in's use")?;
        note_seen(&write.txn, token_hash, now).await?;
        write.commit("store a sign-in's use").await
    }

    /// Ends a sign-in, and the room tokens minted with it. Whether there was one.
    pub async fn sign_out(&self, token_hash: &[u8; 32]) -> Result<bool, MetaError> {
        let write = self.write().await?;
        let gone = sign_in::Entity::delete_by_id(token_hash.to_vec()).exec(&write.txn).await;
        let gone = gone.doing("end a sign-in")?;
        if gone.rows_affected > 0 {
            Note::of(Act::SignedOut).add(&write.txn).await?;
        }
        room_tokens::end_minted_with(&write.txn, token_hash).await?;
        write.commit("end a sign-in").await?;
        Ok(gone.rows_affected > 0)
    }

    /// The person's sign-ins that are valid now, those used last first, up to
    /// [`SIGN_INS_LISTED_MAX`].
    pub async fn sign_ins(
        &self,
        person: PersonId,
        now: Millis,
    ) -> Result<Vec<ListedSignIn>, MetaError> {
        let rows = of_person(person)
            .filter(sign_in::Column::ExpiresAt.gt(db_time(now)))
            .order_by_desc(sign_in::Column::UsedAt)
            .order_by_desc(sign_in::Column::CreatedAt)
            .limit(SIGN_INS_LISTED_MAX)
            .all(&self.db)
            .await
            .doing("list sign-ins")?;
        let listed = |row: sign_in::Model| {
            Ok(ListedSignIn {
                id: sign_in_id(&hash_of(row.token_hash)?),
                created_at: time(row.created_at),
                used_at: time(row.used_at),
                user_agent: row.user_agent,
            })
        };
        rows.into_iter().map(listed).collect()
    }

    /// Ends one of the person's sign-ins, and the room tokens minted with it. Its hash.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if the person has none of this id.
    pub async fn end_sign_in(&self, person: PersonId, id: [u8; 16]) -> Result<[u8; 32], MetaError> {
        let write = self.write().await?;
        let found = hashes(&write.txn, person).await?.into_iter();
        let found = found.filter(|hash| sign_in_id(hash) == id).collect::<Vec<_>>();
        let [token_hash] = found[..] else { return Err(Refusal::NotFound.into()) };
        end(&write.txn, &found).await?;
        Note::of(Act::SignInsEnded).person(person).with("count", 1).add(&write.txn).await?;
        write.commit("end a sign-in").await?;
        Ok(token_hash)
    }

    /// Ends all the person's sign-ins but one, and the room tokens minted with them. Their hashes.
    pub async fn end_other_sign_ins(
        &self,
        person: PersonId,
        kept: &[u8; 32],
    ) -> Result<Vec<[u8; 32]>, MetaError> {
        let write = self.write().await?;
        let ended = end_all(&write.txn, person, Some(kept)).await?;
        let note = Note::of(Act::SignInsEnded).person(person);
        note.with("count", ended.len()).add(&write.txn).await?;
        write.commit("end sign-ins").await?;
        Ok(ended)
    }
}

/// That what was shown is the person's still, and when they showed it.
async fn check(
    db: &impl ConnectionTrait,
    person: PersonId,
    proof: Proof<'_>,
    now: Millis,
) -> Result<Millis, MetaError> {
    match proof {
        Proof::Password(hash) => people::check_password(db, person, hash).await.map(|()| now),
        Proof::Identity(identity, seen_at) => {
            identities::check(db, person, identity).await.map(|()| seen_at.min(now))
        }
    }
}

/// Notes when the person of a sign-in was here last, which is known also when they have signed out.
async fn note_seen(
    db: &impl ConnectionTrait,
    token_hash: &[u8; 32],
    now: Millis,
) -> Result<(), MetaError> {
    let mut of_sign_in = Query::select();
    of_sign_in
        .column(sign_in::Column::Person)
        .from(sign_in::Entity)
        .and_where(sign_in::Column::TokenHash.eq(token_hash.to_vec()));
    let seen = person::Entity::update_many()
        .col_expr(person::Column::SeenAt, Expr::value(db_time(now)))
        .filter(person::Column::Id.in_subquery(of_sign_in))
        .exec(db)
        .await;
    seen.doing("note when somebody was here")?;
    Ok(())
}

/// Ends all the person's sign-ins but `kept`, and the room tokens minted with them, within the caller's
/// transaction. Their hashes.
pub async fn end_all(
    db: &impl ConnectionTrait,
    person: PersonId,
    kept: Option<&[u8; 32]>,
) -> Result<Vec<[u8; 32]>, MetaError> {
    let mut ended = hashes(db, person).await?;
    ended.retain(|hash| Some(hash) != kept);
    end(db, &ended).await?;
    Ok(ended)
}

async fn end(db: &impl ConnectionTrait, ended: &[[u8; 32]]) -> Result<(), MetaError> {
    for token_hash in ended {
        let gone = sign_in::Entity::delete_by_id(token_hash.to_vec()).exec(db).await;
        gone.doing("end a sign-in")?;
        room_tokens::end_minted_with(db, token_hash).await?;
    }
    Ok(())
}

async fn hashes(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<[u8; 32]>, MetaError> {
    let rows = of_person(person).all(db).await.doing("read sign-ins")?;
    rows.into_iter().map(|row| hash_of(row.token_hash)).collect()
}

fn of_person(person: PersonId) -> sea_orm::Select<sign_in::Entity> {
    sign_in::Entity::find().filter(sign_in::Column::Person.eq(bytes_of(person.as_bytes())))
}

fn hash_of(bytes: Vec<u8>) -> Result<[u8; 32], MetaError> {
    bytes.try_into().map_err(|_| MetaError::Damaged("a sign-in's hash"))
}
