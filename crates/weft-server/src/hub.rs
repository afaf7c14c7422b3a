//! The hub: every loaded room of this process, the connections to it, and the way between them.
//!
//! A room is loaded when the first one asks for it and unloaded some time after the last one left.
//! A panic costs one room: its task ends, those who follow it are told to come back, and the next
//! of them loads it anew from the log. A room whose *replay* panics is set aside until the program
//! is started again.

mod attach;
mod bridge;
mod load;
mod task;
mod voice;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::{OnceCell, mpsc, oneshot};
use weft_core::{
    Body, ClientId, Entry, Fault, Guard, PersonId, RoomId, SessionId,
    room::{Commit, Room, RoomLimits},
};
use weft_proto::kinds;
use weft_store::{Appended, Log, Meta};

use crate::{
    config::Limits,
    outbox::{Close, Outbox},
    state::Clock,
};
use load::{LoadError, load};
pub(crate) use task::{Attach, Command};
use task::{Followers, Task, Tools, append_of};
pub(crate) use voice::Voice;

/// A room could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The room cannot be loaded; its content is untouched (L6).
    #[error("the room cannot be loaded")]
    Unavailable,
    /// The store takes no changes now (L5).
    #[error("the store takes no changes")]
    StoreFailed,
    /// There is no such kind of room.
    #[error("there is no such kind of room")]
    UnknownKind,
}

/// The way to a loaded room.
pub(crate) type RoomHandle = mpsc::Sender<Command>;

/// A connection, as the hub knows it.
pub(crate) struct Connection {
    pub(crate) session: SessionId,
    pub(crate) person: PersonId,
    pub(crate) sign_in: [u8; 32],
    pub(crate) outbox: Arc<Outbox>,
    /// The rooms that it follows.
    pub(crate) rooms: Mutex<BTreeMap<RoomId, RoomHandle>>,
}

impl Connection {
    pub(crate) fn rooms(&self) -> MutexGuard<'_, BTreeMap<RoomId, RoomHandle>> {
        self.rooms.lock().expect("nothing panics while it holds this lock")
    }
}

/// The hub: every loaded room of this process. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    tools: Tools,
    limits: Limits,
    rooms: Mutex<HashMap<RoomId, Arc<OnceCell<RoomHandle>>>>,
    connections: Mutex<HashMap<SessionId, Arc<Connection>>>,
    /// Rooms whose replay panicked.
    set_aside: Mutex<HashSet<RoomId>>,
    next_session: AtomicU64,
    stopping: AtomicBool,
}

impl Hub {
    /// A hub with no room loaded yet.
    #[must_use]
    pub fn new(log: Arc<dyn Log>, meta: Arc<Meta>, clock: Clock, limits: Limits) -> Self {
        let tools = Tools {
            log,
            meta,
            clock,
            idle_ms: limits.room_idle_ms,
            touch_ms: limits.room_touch_ms,
        };
        Self(Arc::new(Inner {
            tools,
            limits,
            rooms: Mutex::default(),
            connections: Mutex::default(),
            set_aside: Mutex::default(),
            next_session: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
        }))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.0.tools.meta
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.tools.clock
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Acquire)
    }

    /// Commits entry 1 of a new room (L2). `seed` is a first operation by the server, if any (for
    /// a document a Yjs update).
    ///
    /// # Errors
    /// [`HubError::UnknownKind`]; [`HubError::StoreFailed`] if it was not, or perhaps not, stored.
    pub async fn create(
        &self,
        room: RoomId,
        kind: &str,
        seed: Option<Bytes>,
    ) -> Result<(), HubError> {
        if !kinds::KINDS.contains(&kind) {
            return Err(HubError::UnknownKind);
        }
        let guard = Guard { epoch: 1, access: 0 };
        let created = Body::Created { kind: kind.to_owned(), epoch: guard.epoch, lineage: 1 };
        let bodies = [Some(created), seed.map(Body::Effect)].into_iter().flatten();
        let at = self.clock().now();
        let entry = |(seq, body)| {
            let (client, client_seq, person) = (ClientId::NONE, 0, None);
            Arc::new(Entry { seq, client, client_seq, person, at, body })
        };
        let entries = (1..).zip(bodies).map(entry).collect();
        let commit = Commit { first_seq: 1, entries, ledgers: Vec::new(), guard };
        match self.0.tools.log.create(append_of(room, &commit)).await {
            Appended::Ok => Ok(()),
            other => {
                tracing::error!(%room, ?other, "room not created");
                Err(HubError::StoreFailed)
            }
        }
    }

    /// Someone's rights in a room changed in the metadata. Returns once nothing commits any more
    /// that the new rights do not allow.
    ///
    /// # Errors
    /// [`HubError::StoreFailed`] if the log could not note it: sockets of this process obey the
    /// new rights all the same.
    pub async fn rights_changed(&self, room: RoomId) -> Result<(), HubError> {
        let raised = self.0.tools.log.raise_access(room).await;
        if let Some(handle) = self.loaded(room) {
            let (ask, people) = oneshot::channel();
            if handle.send(Command::People(ask)).await.is_ok() {
                let mut rights = Vec::new();
                for person in people.await.unwrap_or_default() {
                    let right = self.meta().right(room, person).await;
                    rights.push((person, right.map_err(|_| HubError::StoreFailed)?));
                }
                let (done, passed) = oneshot::channel();
                let command = Command::Rights(rights, raised.as_ref().ok().copied(), done);
                if handle.send(command).await.is_ok() {
                    // An error: the room's task ended, and everything under way with it.
                    let _ = passed.await;
                }
            }
        }
        raised.map(drop).map_err(|error| {
            tracing::error!(%room, %error, "change of rights not noted in the log");
            HubError::StoreFailed
        })
    }

    /// The room went to the trash: everybody leaves it.
    ///
    /// # Errors
    /// As [`Hub::rights_changed`].
    pub async fn trashed(&self, room: RoomId, by: PersonId) -> Result<(), HubError> {
        if let Some(handle) = self.loaded(room) {
            let name = self.meta().person(by).await.ok().flatten().map(|person| person.name);
            let why = Fault::new("trashed").with("by", name.unwrap_or_default());
            // An error: the room is not loaded any more.
            let _ = handle.send(Command::Expel(why)).await;
        }
        self.rights_changed(room).await
    }

    /// A sign-in ended: its sockets are closed. Returns once nothing of them commits any more.
    pub async fn signed_out(&self, sign_in: [u8; 32]) {
        let connections: Vec<_> =
            self.connections().values().filter(|c| c.sign_in == sign_in).cloned().collect();
        for connection in connections {
            connection.outbox.close(Close { code: 4401, why: "signed_out" });
            let rooms: Vec<RoomHandle> = connection.rooms().values().cloned().collect();
            for room in rooms {
                let (done, passed) = oneshot::channel();
                if room.send(Command::Revoke(connection.session, done)).await.is_ok() {
                    // An error: the room's task ended, and everything under way with it.
                    let _ = passed.await;
                }
            }
        }
    }

    /// The committed text projection.
    ///
    /// # Errors
    /// [`HubError::Unavailable`] if the room cannot be loaded.
    pub async fn text(&self, room: RoomId) -> Result<String, HubError> {
        let (answer, text) = oneshot::channel();
        let handle = self.room(room).await?;
        handle.send(Command::Text(answer)).await.map_err(|_| HubError::Unavailable)?;
        text.await.map_err(|_| HubError::Unavailable)
    }

    /// Finishes what was accepted, tells clients to come back, and ends their connections.
    pub async fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        let patience = Duration::from_millis(self.limits().socket_stop_ms_max);
        let settle = async {
            let rooms: Vec<_> =
                self.rooms().values().filter_map(|cell| cell.get().cloned()).collect();
            for room in rooms {
                let (done, settled) = oneshot::channel();
                if room.send(Command::Settle(done)).await.is_ok() {
                    // An error: the room's task ended, and everything under way with it.
                    let _ = settled.await;
                }
            }
        };
        if tokio::time::timeout(patience, settle).await.is_err() {
            tracing::warn!("not everything could be stored in time; its authors know");
        }
        let connections: Vec<_> = self.connections().values().cloned().collect();
        for connection in &connections {
            crate::ws::say_goodbye(&connection.outbox);
        }
        let gone = async {
            while !self.connections().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(patience, gone).await;
    }

    /// A new connection; `None` if its person has too many already.
    pub(crate) fn connect(
        &self,
        person: PersonId,
        sign_in: [u8; 32],
        outbox: Arc<Outbox>,
    ) -> Option<Arc<Connection>> {
        let session = SessionId(self.0.next_session.fetch_add(1, Ordering::Relaxed));
        let connection =
            Arc::new(Connection { session, person, sign_in, outbox, rooms: Mutex::default() });
        let mut connections = self.connections();
        let of_person = connections.values().filter(|c| c.person == person).count() as u64;
        if of_person >= self.limits().connections_per_person_max {
            return None;
        }
        connections.insert(session, Arc::clone(&connection));
        metrics::gauge!("weft_connections").increment(1);
        Some(connection)
    }

    /// A connection has ended: it leaves the rooms that it follows.
    pub(crate) async fn disconnect(&self, connection: &Connection) {
        if self.connections().remove(&connection.session).is_some() {
            metrics::gauge!("weft_connections").decrement(1);
        }
        let rooms = std::mem::take(&mut *connection.rooms());
        for room in rooms.into_values() {
            // An error: the room's task ended before.
            let _ = room.send(Command::Detach(connection.session)).await;
        }
    }

    /// The way to a room, which is loaded if it is not yet.
    pub(crate) async fn room(&self, room: RoomId) -> Result<RoomHandle, HubError> {
        if self.set_aside().contains(&room) {
            return Err(HubError::Unavailable);
        }
        let cell = Arc::clone(self.rooms().entry(room).or_default());
        let handle = cell.get_or_try_init(|| self.start(room, &cell)).await;
        handle.cloned().map_err(|error: LoadError| {
            tracing::error!(%room, %error, "room cannot be loaded");
            if matches!(error, LoadError::Panicked) {
                self.set_aside().insert(room);
            }
            self.forget(room, &cell);
            HubError::Unavailable
        })
    }

    async fn start(
        &self,
        room: RoomId,
        cell: &Arc<OnceCell<RoomHandle>>,
    ) -> Result<RoomHandle, LoadError> {
        let (origin, loaded) = load(&self.0.tools.log, room).await?;
        let (handle, commands) = mpsc::channel(self.limits().room_mailbox_max as usize);
        let room = Room::new(room, loaded, self.room_limits());
        tokio::spawn(self.clone().serve(room, origin, commands, Arc::clone(cell)));
        Ok(handle)
    }

    fn serve(
        self,
        room: Room,
        origin: load::Origin,
        commands: mpsc::Receiver<Command>,
        cell: Arc<OnceCell<RoomHandle>>,
    ) -> impl Future<Output = ()> + Send {
        let id = room.id();
        async move {
            metrics::gauge!("weft_rooms_loaded").increment(1);
            let mut followers = Followers::default();
            let may_end = |commands: &mpsc::Receiver<Command>| self.may_end(id, &cell, commands);
            let task = Task::new(room, origin, &self.0.tools, &mut followers);
            let run = AssertUnwindSafe(task.run(commands, &may_end));
            if run.catch_unwind().await.is_err() {
                metrics::counter!("weft_room_panics_total").increment(1);
                tracing::error!(room = %id, "a room failed and is loaded anew when asked for");
                self.forget(id, &cell);
                let why = Fault::new("room_unavailable").with("retry_ms", 1_000);
                followers.detach_all(id, &why);
            }
            metrics::gauge!("weft_rooms_loaded").decrement(1);
        }
    }

    /// Lets go of a room if nobody holds a way to it or has put anything into its mailbox.
    fn may_end(
        &self,
        room: RoomId,
        cell: &Arc<OnceCell<RoomHandle>>,
        commands: &mpsc::Receiver<Command>,
    ) -> bool {
        let mut rooms = self.rooms();
        // The map and the task hold the cell; the cell holds one sender.
        let unreached = commands.sender_strong_count() == 1 && Arc::strong_count(cell) == 2;
        if unreached && commands.is_empty() {
            rooms.remove(&room);
            return true;
        }
        false
    }

    /// Lets go of a room that has failed, unless it was loaded anew meanwhile.
    fn forget(&self, room: RoomId, cell: &Arc<OnceCell<RoomHandle>>) {
        let mut rooms = self.rooms();
        if rooms.get(&room).is_some_and(|present| Arc::ptr_eq(present, cell)) {
            rooms.remove(&room);
        }
    }

    fn loaded(&self, room: RoomId) -> Option<RoomHandle> {
        self.rooms().get(&room)?.get().cloned()
    }

    fn room_limits(&self) -> RoomLimits {
        let limits = self.limits();
        RoomLimits {
            room_bytes_max: limits.room_bytes_max as usize,
            presence_bytes_max: limits.presence_bytes_max as usize,
            recent_bytes_max: limits.room_recent_bytes_max as usize,
            queue_bytes_max: limits.room_queue_bytes_max as usize,
            ..RoomLimits::default()
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<OnceCell<RoomHandle>>>> {
        self.0.rooms.lock().expect("nothing panics while it holds this lock")
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Connection>>> {
        self.0.connections.lock().expect("nothing panics while it holds this lock")
    }

    fn set_aside(&self) -> MutexGuard<'_, HashSet<RoomId>> {
        self.0.set_aside.lock().expect("nothing panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests;
