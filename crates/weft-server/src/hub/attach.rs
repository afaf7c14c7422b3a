//! How a connection of any protocol comes to follow a room.

use std::sync::Arc;

use weft_core::{Fault, PersonId, Right, RoomId, room::Start};
use weft_store::Person;

use super::{Attach, Command, Connection, Hub, RoomHandle, Voice};

impl Hub {
    /// Makes the connection follow the room of that id or key, if its person may read it. The
    /// room's first word to it is on its way then.
    ///
    /// # Errors
    /// The fault that the client is told: `not_found`, `trashed`, `too_many_rooms`,
    /// `room_unavailable`.
    pub(crate) async fn attach(
        &self,
        connection: &Arc<Connection>,
        person: &Person,
        asked: &str,
        voice: Voice,
        start: Start,
    ) -> Result<(RoomId, RoomHandle), Fault> {
        let not_found = || Fault::new("not_found");
        let failed = || Fault::new("room_unavailable").with("retry_ms", 2_000);
        let row = self.meta().room(asked, person.id).await.map_err(|_| failed())?;
        let row = row.ok_or_else(not_found)?;
        let right = self.right(row.id, person.id).await.ok_or_else(not_found)?;
        if row.trashed_at.is_some() {
            return Err(Fault::new("trashed"));
        }
        let limit = self.limits().rooms_per_connection_max;
        if connection.rooms().len() as u64 >= limit {
            return Err(Fault::new("too_many_rooms").with("limit", limit));
        }
        let handle = self.room(row.id).await.map_err(|_| failed())?;
        connection.outbox.resume(row.id);
        let attach = Attach {
            connection: Arc::clone(connection),
            voice,
            title: row.title,
            name: person.name.clone(),
            right,
            start,
        };
        connection.rooms().insert(row.id, handle.clone());
        handle.send(Command::Attach(Box::new(attach))).await.map_err(|_| failed())?;
        // The right may have changed after it was looked up and before the room knew of this
        // session; nothing else of this connection is read until that is settled.
        let now = self.right(row.id, person.id).await;
        if now != Some(right) {
            let (done, passed) = tokio::sync::oneshot::channel();
            let command = Command::Rights(vec![(person.id, now)], None, done);
            if handle.send(command).await.is_ok() {
                // An error: the room's task ended, and everything under way with it.
                let _ = passed.await;
            }
        }
        Ok((row.id, handle))
    }

    async fn right(&self, room: RoomId, person: PersonId) -> Option<Right> {
        self.meta().right(room, person).await.unwrap_or_else(|error| {
            tracing::error!(%room, %error, "right not known, so none");
            None
        })
    }
}
