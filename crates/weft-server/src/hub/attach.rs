//! How a connection of any protocol comes to follow a room.

use std::sync::Arc;

use weft_core::{Fault, PersonId, Right, RoomId, kind::doc::Doc, room::Start};
use weft_store::{MetaError, RoomRow, TokenRoom, inbox_of};

use super::{Attach, Command, Connection, Hub, HubError, Place, RoomHandle, Voice, revoke};
use crate::{
    auth::{Credential, Signed, renewed},
    outbox::Close,
};

/// When somebody may try again to make a room in a space that is full, in milliseconds.
const FULL_RETRY_MS: u64 = 30_000;

impl Hub {
    /// Makes the connection follow the room of that id or key, if its credential and its person's
    /// right allow that. The room's first word to it is on its way then.
    ///
    /// # Errors
    /// The fault that the client is told: `not_found`, `no_right`, `trashed`, `signed_out`,
    /// `too_many_rooms`, `quota_exceeded`, `room_unavailable`.
    pub(crate) async fn attach(
        &self,
        connection: &Arc<Connection>,
        signed: &Signed,
        asked: &str,
        voice: Voice,
        start: Start,
    ) -> Result<(RoomId, RoomHandle), Fault> {
        let failed = || Fault::new("room_unavailable").with("retry_ms", 2_000);
        let no_right = || Fault::new("no_right").with("needed", Right::Read.name());
        let cap = signed.cap().ok_or_else(no_right)?;
        let inbox = own_inbox(signed, asked, &voice);
        let (room, title) = match inbox {
            Some(inbox) => (inbox, String::new()),
            None => {
                let row = self.find(signed, asked).await.map_err(|error| {
                    if error.is_quota_exceeded() {
                        return Fault::new("quota_exceeded").with("retry_ms", FULL_RETRY_MS);
                    }
                    tracing::error!(%error, "room not found out");
                    failed()
                })?;
                row.map(|row| (row.id, row.title)).ok_or_else(|| Fault::new("not_found"))?
            }
        };
        let end = |why: &Fault| {
            if why.code == "signed_out" {
                connection.outbox.close(Close { code: 4401, why: "signed_out" });
            }
        };
        // A name that was changed since the connection began is the new one from here on.
        let (signed, right) = &self.standing(signed, room).await.inspect_err(end)?;
        let limit = self.limits().rooms_per_connection_max;
        if connection.rooms().len() as u64 >= limit {
            return Err(Fault::new("too_many_rooms").with("limit", limit));
        }
        let handle = match inbox {
            Some(_) => self.inbox(signed.person.id).await,
            None => self.room(room).await,
        };
        let handle = handle.map_err(|_| failed())?;
        connection.outbox.resume(room);
        let attach = Attach {
            connection: Arc::clone(connection),
            voice,
            title,
            right: *right,
            cap,
            face: signed.face(),
            start,
        };
        connection.rooms().insert(room, handle.clone());
        if signed.credential == Credential::SignIn && inbox.is_none() {
            self.note_opened(room, signed.person.id);
        }
        handle.send(Command::Attach(Box::new(attach))).await.map_err(|_| failed())?;
        // Right and credential may have ended after they were looked up and before the room knew
        // of this session; nothing else of this connection is read until that is settled.
        match self.standing(signed, room).await.inspect_err(end) {
            Ok((_, now)) if now == *right => {}
            Ok((_, now)) => {
                let (done, passed) = tokio::sync::oneshot::channel();
                let command = Command::Rights(vec![(signed.person.id, Some(now))], None, done);
                if handle.send(command).await.is_ok() {
                    // An error: the room's task ended, and everything under way with it.
                    let _ = passed.await;
                }
            }
            // What may have been opened before is known to be there (R10).
            Err(why) if why.code == "not_found" => {
                revoke(&handle, connection.session, Fault::new("no_access")).await;
            }
            Err(why) => revoke(&handle, connection.session, why).await,
        }
        Ok((room, handle))
    }

    /// Notes, later, that a person opened a room: for their list of recent ones, which nobody waits for.
    fn note_opened(&self, room: RoomId, person: PersonId) {
        let hub = self.clone();
        tokio::spawn(async move {
            let noted = hub.meta().note_opened(room, person, hub.clock().now()).await;
            if let Err(error) = noted {
                tracing::warn!(%room, %error, "an opening was not noted");
            }
        });
    }

    /// The room that somebody means by this id or key. By a room token nobody means any but its
    /// own, which is made now if the token says so and it is not there yet. Says nothing about
    /// rights.
    ///
    /// # Errors
    /// [`HubError::Meta`]; [`HubError::StoreFailed`] if the room could not be made.
    pub(crate) async fn find(
        &self,
        signed: &Signed,
        asked: &str,
    ) -> Result<Option<RoomRow>, HubError> {
        let owner = signed.person.id;
        let row = self.meta().room(asked, owner).await?;
        let (Credential::Room(pass) | Credential::Guest(pass)) = &signed.credential else {
            return Ok(row);
        };
        match (row.filter(|row| pass.opens(row, owner)), &pass.room) {
            (None, TokenRoom::Key(key)) if key == asked => {
                match self
                    .make(owner, Place::own(owner), Doc::NAME, key.clone(), Some(key.clone()), None)
                    .await
                {
                    // Somebody else was faster.
                    Err(error) if error.is_key_taken() => {}
                    made => drop(made?),
                }
                let row = self.meta().room(asked, owner).await?;
                Ok(row.filter(|row| pass.opens(row, owner)))
            }
            (row, _) => Ok(row),
        }
    }

    /// Whose this credential is, and what that person may do in the room, as that is now.
    ///
    /// # Errors
    /// Why they may not follow it: `signed_out`, `not_found`, `trashed`. What cannot be read is
    /// taken for `not_found`.
    pub(super) async fn standing(
        &self,
        signed: &Signed,
        room: RoomId,
    ) -> Result<(Signed, Right), Fault> {
        let looked_up = async {
            let now = self.clock().now();
            let Some(signed) = renewed(self.meta(), signed, now).await? else {
                return Ok(Err(Fault::new("signed_out")));
            };
            let right = self.meta().right(room, signed.person.id, now).await?;
            if room == inbox_of(signed.person.id) {
                return Ok(right.map(|right| (signed, right)).ok_or(Fault::new("not_found")));
            }
            let row = self.meta().room_by_id(room).await?;
            Ok(match (right, row) {
                (Some(_), Some(row)) if row.trashed_at.is_some() => Err(Fault::new("trashed")),
                (Some(right), Some(_)) => Ok((signed, right)),
                _ => Err(Fault::new("not_found")),
            })
        };
        looked_up.await.unwrap_or_else(|error: MetaError| {
            tracing::error!(%room, %error, "right not known, so none");
            Err(Fault::new("not_found"))
        })
    }
}

/// The person's inbox, if that is what they mean. It is opened by a sign-in alone and by the native protocol:
/// for anybody and anything else it is not there.
fn own_inbox(signed: &Signed, asked: &str, voice: &Voice) -> Option<RoomId> {
    let inbox = inbox_of(signed.person.id);
    let is_own = matches!(voice, Voice::Native { .. })
        && signed.credential == Credential::SignIn
        && asked == inbox.to_string();
    is_own.then_some(inbox)
}
