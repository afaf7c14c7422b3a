//! What a document holds and what is added to it, for callers that do not follow the room: servers and
//! scripts over HTTP, and protocols that ask and give in single requests.

use bytes::Bytes;
use tokio::sync::oneshot;
use weft_core::{
    Fault, Right, RoomId, Seq,
    kind::doc::{Doc, TooLarge},
    room::{Caller, Outcome, Replica},
};

use super::{Command, Hub};
use crate::auth::Signed;

/// How often an update is tried again because the room's rights were changing.
const ATTEMPTS_MAX: usize = 8;

impl Hub {
    /// What someone lacks who has this state vector (empty: who has nothing), committed.
    ///
    /// # Errors
    /// The fault `not_merged`, `op_malformed` (the state vector) or `room_unavailable`.
    pub(crate) async fn state(&self, room: RoomId, state_vector: Bytes) -> Result<Replica, Fault> {
        // What has nothing: a state vector of no clients.
        let state_vector =
            if state_vector.is_empty() { Bytes::from_static(&[0]) } else { state_vector };
        let (answer, state) = oneshot::channel();
        let handle = self.room(room).await.map_err(|_| unavailable())?;
        let command = Command::State(state_vector, answer);
        handle.send(command).await.map_err(|_| unavailable())?;
        state.await.map_err(|_| unavailable())?
    }

    /// Merges a Yjs update into a document and returns once that is durable, with the seq that covers
    /// it. Once a change of rights has returned, nothing commits that the new ones do not allow.
    ///
    /// # Errors
    /// The fault: what the room refuses, `op_too_large`, `not_found`, `trashed`, and `store_failed`,
    /// `busy` or `room_unavailable`, after which the same update can be given again.
    pub(crate) async fn merge(
        &self,
        signed: &Signed,
        room: RoomId,
        update: Bytes,
    ) -> Result<Seq, Fault> {
        let limit = self.limits().op_bytes_max;
        if update.len() as u64 > limit {
            return Err(Fault::new("op_too_large").with("limit", limit));
        }
        let handle = self.room(room).await.map_err(|_| unavailable())?;
        for _ in 0..ATTEMPTS_MAX {
            // The revision first: should the right change after it was looked up, the room notices.
            let (ask, access) = oneshot::channel();
            handle.send(Command::Access(ask)).await.map_err(|_| unavailable())?;
            let access = access.await.map_err(|_| unavailable())?;
            let person = signed.person.id;
            let (_, right) = self.standing(signed, room).await?;
            let cap = signed.cap().unwrap_or(Right::Read);
            let caller = Caller { person, right: right.min(cap), access };
            let (answer, outcome) = oneshot::channel();
            let command = Command::MergeFor(caller, update.clone(), answer);
            handle.send(command).await.map_err(|_| unavailable())?;
            match outcome.await.map_err(|_| unavailable())? {
                Some(Outcome::Accepted(seq)) => return Ok(seq),
                Some(Outcome::Refused(fault) | Outcome::NotSaved(fault)) => return Err(fault),
                // Rights are changing (`Missing` is about numbers, which such updates do not have).
                Some(Outcome::Missing(_)) | None => {}
            }
        }
        Err(Fault::new("busy").with("retry_ms", 1_000))
    }

    /// The document as JSON ([`Doc::json`]). The room only encodes its state; the work is done beside
    /// it, for a few documents at once.
    ///
    /// # Errors
    /// The fault `not_merged`, `too_large` or `room_unavailable`.
    pub(crate) async fn json(
        &self,
        room: RoomId,
        fragment: Option<String>,
    ) -> Result<String, Fault> {
        let limit = self.limits().document_json_bytes_max;
        let turn = self.0.json_turns.acquire().await.map_err(|_| unavailable())?;
        let state = self.state(room, Bytes::new()).await?.update;
        let work = move || match Doc::open(&state) {
            Ok(doc) => doc
                .json(fragment.as_deref(), usize::try_from(limit).unwrap_or(usize::MAX))
                .map_err(|TooLarge| Fault::new("too_large").with("limit", limit)),
            Err(damaged) => {
                tracing::error!(%room, %damaged, "a document's own state cannot be read");
                Err(unavailable())
            }
        };
        let json = tokio::task::spawn_blocking(work).await.map_err(|_| unavailable())?;
        drop(turn);
        json
    }
}

fn unavailable() -> Fault {
    Fault::new("room_unavailable").with("retry_ms", 2_000)
}
