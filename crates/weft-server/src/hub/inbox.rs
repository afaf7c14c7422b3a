//! People's inboxes: rooms that are made when they are first needed, and that the server itself writes to.

use bytes::Bytes;
use tokio::sync::oneshot;
use weft_core::{
    Fault, PersonId,
    kind::inbox::{Inbox, Notice, NoticeId, Op},
    room::Outcome,
};
use weft_proto::inbox::{read_state, write_op};
use weft_store::inbox_of;

use super::{Command, Hub, HubError, RoomHandle, load};

impl Hub {
    /// The way to the person's inbox. It is made if it is not there yet: entry 1 of its log first (L2), then
    /// the note that there is one, from which on an inbox without a log is one that cannot be loaded (L6).
    ///
    /// # Errors
    /// [`HubError::StoreFailed`], [`HubError::Meta`] if it could not be made; [`HubError::Unavailable`].
    pub(super) async fn inbox(&self, person: PersonId) -> Result<RoomHandle, HubError> {
        let room = inbox_of(person);
        if !self.meta().has_inbox(person).await? {
            self.create(room, Inbox::NAME, None).await?;
            self.meta().note_inbox(person, self.clock().now()).await?;
        }
        self.room(room).await
    }

    /// What is in the person's inbox and stored, the oldest first.
    ///
    /// # Errors
    /// [`HubError::Unavailable`] if it cannot be read.
    pub(crate) async fn notices(
        &self,
        person: PersonId,
    ) -> Result<Vec<(NoticeId, Notice)>, HubError> {
        if !self.meta().has_inbox(person).await? {
            return Ok(Vec::new());
        }
        let unavailable = |error: &dyn std::fmt::Display| {
            tracing::warn!(%person, %error, "an inbox cannot be read");
            HubError::Unavailable
        };
        let loaded = load(&self.0.tools.log, inbox_of(person)).await;
        let (_, loaded) = loaded.map_err(|error| unavailable(&error))?;
        let inbox = read_state(&loaded.machine.snapshot()).map_err(|error| unavailable(&error))?;
        Ok(inbox.notices().map(|(id, notice)| (id, notice.clone())).collect())
    }

    /// Does something in the person's inbox for the server, once: a repeat of a delivery is as good as done.
    ///
    /// # Errors
    /// The fault that the room answers; `room_unavailable`, `store_failed` and `busy` pass.
    pub(crate) async fn put_in_inbox(&self, person: PersonId, op: &Op) -> Result<(), Fault> {
        let unavailable = || Fault::new("room_unavailable").with("retry_ms", 2_000);
        let handle = self.inbox(person).await.map_err(|error| {
            tracing::warn!(%person, %error, "an inbox cannot be reached");
            unavailable()
        })?;
        let op: Bytes = write_op(op);
        let (answer, outcome) = oneshot::channel();
        handle.send(Command::Serve(op, answer)).await.map_err(|_| unavailable())?;
        match outcome.await.map_err(|_| unavailable())? {
            Some(Outcome::Accepted(_)) => Ok(()),
            Some(Outcome::Refused(fault)) if fault.code == Inbox::REPEATED => Ok(()),
            Some(Outcome::Refused(fault) | Outcome::NotSaved(fault)) => Err(fault),
            Some(Outcome::Missing(_)) | None => Err(unavailable()),
        }
    }
}
