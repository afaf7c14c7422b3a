//! The hub: every loaded room of this process, the connections to it, and the way between them.
//!
//! A room is loaded when the first one asks for it and unloaded some time after the last one left.
//! A panic costs one room: its task ends, those who follow it are told to come back, and the next
//! of them loads it anew from the log. A room whose *replay* panics is set aside until the program
//! is started again.

mod attach;
mod bridge;
mod connections;
mod content;
mod expiry;
mod full;
mod inbox;
mod load;
mod pace;
mod task;
mod voice;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::{OnceCell, Semaphore, mpsc, oneshot};
use weft_core::{
    Body, ClientId, Entry, Fault, FolderId, Guard, PersonId, RoomId, SessionId, SpaceId,
    kind::inbox::Inbox,
    room::{Commit, Room, RoomLimits},
};
use weft_proto::kinds;
use weft_store::{Appended, Log, LogError, Meta, MetaError, NewRoom, Refusal, personal};

use crate::{
    auth::{Signed, random},
    config::Limits,
    outbox::{Close, Outbox},
    quarantine::Quarantine,
    state::Clock,
};
pub(crate) use connections::Connection;
use connections::Connections;
use full::FullRooms;
use load::{LoadError, load};
use pace::Pace;
pub(crate) use task::{Attach, Command};
use task::{Followers, Task, Tools, append_of};
pub(crate) use voice::{Answer, Voice};

/// Changes of rights that are under way at once, when one act changes them in many rooms: the log stores them together.
const ROOMS_TOLD_AT_ONCE: usize = 64;

/// How long a store that has failed is taken to take no changes, in milliseconds: rooms leave it alone for as long (L5).
const STORE_LEFT_ALONE_MS: u64 = 1_000;

/// Where a room is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// In which space.
    pub space: SpaceId,
    /// In which folder there; `None`: at the top.
    pub folder: Option<FolderId>,
}

impl Place {
    /// At the top of the person's own space.
    #[must_use]
    pub const fn own(person: PersonId) -> Self {
        Self { space: personal(person), folder: None }
    }
}

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
    /// The metadata refused, or failed.
    #[error(transparent)]
    Meta(#[from] MetaError),
}

impl HubError {
    /// Whether a room was not made because its owner has one of that key already.
    #[must_use]
    pub fn is_key_taken(&self) -> bool {
        matches!(self, Self::Meta(MetaError::Refused(Refusal::KeyTaken)))
    }

    /// Whether a room was not made because its space holds all that it may.
    #[must_use]
    pub fn is_quota_exceeded(&self) -> bool {
        matches!(self, Self::Meta(MetaError::Refused(Refusal::QuotaExceeded)))
    }
}

/// The way to a loaded room.
pub(crate) type RoomHandle = mpsc::Sender<Command>;

/// The hub: every loaded room of this process. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    tools: Tools,
    limits: Limits,
    rooms: Mutex<HashMap<RoomId, Arc<OnceCell<RoomHandle>>>>,
    connections: Mutex<Connections>,
    /// Rooms whose replay panicked.
    set_aside: Mutex<HashSet<RoomId>>,
    next_session: AtomicU64,
    stopping: AtomicBool,
    /// Documents that are put into JSON at once.
    json_turns: Semaphore,
}

impl Hub {
    /// A hub with no room loaded yet. To be called within a runtime: it watches for connections
    /// that have expired.
    #[must_use]
    pub fn new(
        log: Arc<dyn Log>,
        meta: Arc<Meta>,
        clock: Clock,
        limits: Limits,
        quarantine: Arc<Quarantine>,
    ) -> Self {
        let tools = Tools {
            log,
            meta,
            clock,
            pace: Pace::new(),
            quarantine,
            failed_at: Arc::default(),
            full: Arc::default(),
            idle_ms: limits.room_idle_ms,
            touch_ms: limits.room_touch_ms,
            told_ms: limits.webhook_change_ms,
        };
        let json_turns = Semaphore::new(limits.document_json_at_once as usize);
        let inner = Arc::new(Inner {
            tools,
            json_turns,
            limits,
            rooms: Mutex::default(),
            connections: Mutex::default(),
            set_aside: Mutex::default(),
            next_session: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
        });
        tokio::spawn(expiry::watch(Arc::downgrade(&inner)));
        Self(inner)
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

    /// Whether the store took no change when one was given last, a moment ago.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        let failed_at = self.0.tools.failed_at.load(Ordering::Relaxed);
        failed_at != 0 && self.clock().now() < failed_at.saturating_add(STORE_LEFT_ALONE_MS)
    }

    /// Which rooms are full.
    pub(crate) fn full(&self) -> Arc<FullRooms> {
        Arc::clone(&self.0.tools.full)
    }

    /// The spaces of exactly these rooms hold all that they may.
    pub(crate) fn set_full(&self, rooms: BTreeSet<RoomId>) {
        for room in self.0.tools.full.set(rooms) {
            if let Some(handle) = self.loaded(room) {
                // An error: what fills its mailbox has it look, too, or it is not loaded any more.
                let _ = handle.try_send(Command::LookUpQuota);
            }
        }
    }

    /// What the room takes, in bytes.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) async fn weigh(&self, room: RoomId) -> Result<u64, LogError> {
        self.0.tools.log.bytes_of(room).await
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Acquire)
    }

    /// Makes a room of somebody's: entry 1 of its log first (L2), then its name. A log that nobody knows
    /// of does no harm; a name without a log would be a room that cannot be opened. `seed` is a first
    /// operation by the server, if any (for a document a Yjs update).
    ///
    /// # Errors
    /// [`HubError::UnknownKind`]; [`HubError::Meta`] if the key is taken ([`HubError::is_key_taken`]),
    /// its owner has too many rooms, or the space holds all that it may ([`HubError::is_quota_exceeded`]); [`HubError::StoreFailed`] if it was not, or perhaps not, stored.
    pub async fn make(
        &self,
        owner: PersonId,
        place: Place,
        kind: &str,
        title: String,
        key: Option<String>,
        seed: Option<Bytes>,
    ) -> Result<RoomId, HubError> {
        let rooms_max = self.limits().rooms_per_person_max;
        self.meta().check_room(owner, place.space, key.as_deref(), rooms_max).await?;
        let now = self.clock().now();
        let id = RoomId::new(now, random());
        let bytes = self.create(id, kind, seed).await?;
        let Place { space, folder } = place;
        let new = NewRoom { id, kind: kind.to_owned(), title, key, owner, space, folder, bytes };
        self.meta().create_room(&new, rooms_max, now).await?;
        self.0.tools.full.weighed.notify_one();
        Ok(id)
    }

    /// Begins a room's log, and gives the bytes that it takes.
    async fn create(&self, room: RoomId, kind: &str, seed: Option<Bytes>) -> Result<u64, HubError> {
        if !kinds::KINDS.contains(&kind) {
            return Err(HubError::UnknownKind);
        }
        let guard = Guard { epoch: 1, access: 0, answers: 0 };
        let created = Body::Created { kind: kind.to_owned(), epoch: guard.epoch, lineage: 1 };
        let bodies = [Some(created), seed.map(Body::Effect)].into_iter().flatten();
        let at = self.clock().now();
        let entry = |(seq, body)| {
            let (client, client_seq, person) = (ClientId::NONE, 0, None);
            Arc::new(Entry { seq, client, client_seq, person, at, body })
        };
        let entries = (1..).zip(bodies).map(entry).collect();
        let commit = Commit { first_seq: 1, entries, ledgers: Vec::new(), guard };
        let append = append_of(room, &commit);
        let bytes = append.data.len() as u64;
        match self.0.tools.log.create(append).await {
            Appended::Ok => Ok(bytes),
            // Somebody else was faster, or the power failed before it was noted.
            Appended::Conflict { .. } if kind == Inbox::NAME => Ok(bytes),
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
                    let right = self.meta().right(room, person, self.clock().now()).await;
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

    /// As [`Hub::rights_changed`], for many rooms. All are told, also when one cannot be.
    ///
    /// # Errors
    /// As [`Hub::rights_changed`], of one of them.
    pub async fn rights_changed_in(&self, rooms: Vec<RoomId>) -> Result<(), HubError> {
        let told = stream::iter(rooms).map(|room| self.rights_changed(room));
        told.buffer_unordered(ROOMS_TOLD_AT_ONCE).fold(Ok(()), async |all, one| all.and(one)).await
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

    /// Sign-ins or access tokens with these hashes ended: their sockets are closed, and those of the
    /// room tokens minted with them. Returns once nothing of them commits any more.
    pub async fn signed_out(&self, token_hashes: impl IntoIterator<Item = [u8; 32]>) {
        let ended = token_hashes.into_iter().collect();
        let connections = self.connections().which(|connection| connection.ends_with(&ended));
        self.end(connections).await;
    }

    /// Ends connections whose credential is not valid any more. Returns once nothing of them
    /// commits any more.
    async fn end(&self, connections: Vec<Arc<Connection>>) {
        let why = Close { code: 4401, why: "signed_out" };
        connections.iter().for_each(|connection| connection.outbox.close(why));
        for connection in connections {
            let rooms: Vec<RoomHandle> = connection.rooms().values().cloned().collect();
            for room in rooms {
                revoke(&room, connection.session, Fault::new(why.why)).await;
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
        let connections = self.connections().which(|_| true);
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

    /// A new connection; `None` if its person or token has too many already.
    pub(crate) fn connect(&self, signed: &Signed, outbox: Arc<Outbox>) -> Option<Arc<Connection>> {
        let session = SessionId(self.0.next_session.fetch_add(1, Ordering::Relaxed));
        let connection = Arc::new(Connection::new(session, signed, outbox));
        if !self.connections().insert(Arc::clone(&connection), self.limits()) {
            return None;
        }
        metrics::gauge!("weft_connections").increment(1);
        Some(connection)
    }

    /// A connection has ended: it leaves the rooms that it follows.
    pub(crate) async fn disconnect(&self, connection: &Connection) {
        if self.connections().remove(connection.session) {
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

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.0.connections.lock().expect("nothing panics while it holds this lock")
    }

    fn set_aside(&self) -> MutexGuard<'_, HashSet<RoomId>> {
        self.0.set_aside.lock().expect("nothing panics while it holds this lock")
    }
}

/// Makes a session leave a room. Returns once nothing of it commits any more.
async fn revoke(room: &RoomHandle, session: SessionId, why: Fault) {
    let (done, passed) = oneshot::channel();
    if room.send(Command::Revoke(session, why, done)).await.is_ok() {
        // An error: the room's task ended, and everything under way with it.
        let _ = passed.await;
    }
}

#[cfg(test)]
mod tests;
