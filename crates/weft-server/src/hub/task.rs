//! One task owns one room: it feeds the room its inputs, one after the other, and carries out what
//! the room wants. It decides nothing.

use std::{
    collections::{BTreeSet, HashMap},
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use weft_core::{
    ClientId, Fault, Millis, PersonId, Right, RoomId, Seq, SessionId,
    awareness::Aware,
    kind::doc::Doc,
    presence::Face,
    room::{
        Ask, Caller, Commit, Committed, Loaded, Message, Outcome, Output, Poison, Replica, Room,
        Start,
    },
};
use weft_proto::{frame, log as format, yjs::hocuspocus::addressed};
use weft_store::{Append, Appended, Log, Meta};

use super::{
    Connection, bridge,
    full::FullRooms,
    load::{LoadError, Origin, load},
    pace::Pace,
    voice::{Said, Voice},
};
use crate::{outbox::Outbox, quarantine::Quarantine, state::Clock};

/// What a room's task is asked to do.
pub enum Command {
    /// A session wants to follow the room.
    Attach(Box<Attach>),
    /// A session goes.
    Detach(SessionId),
    /// A client's operation, or why it must be refused.
    Submit(SessionId, ClientId, u64, Result<Bytes, Fault>),
    /// Entries after a seq.
    Pull(SessionId, Seq),
    /// Compare a digest at a seq.
    Compare(SessionId, Seq, [u8; 8]),
    /// A session's cursor.
    Presence(SessionId, Bytes),
    /// What a session that merges tells of its Yjs clients.
    Aware(SessionId, Vec<Aware>),
    /// A session that merges asks who is here.
    TellAware(SessionId),
    /// A session that merges is to be told again what the room has.
    TellState(SessionId),
    /// The application's words for all sessions that have an address, as a message about the
    /// room without it.
    Relay(Bytes),
    /// An update of a session that merges, under a ticket.
    Merge(SessionId, u64, Result<Bytes, Fault>),
    /// What a session that merges lacks, by its state vector; under a ticket.
    Missing(SessionId, u64, Bytes),
    /// Who has rights that matter here now?
    People(oneshot::Sender<Vec<PersonId>>),
    /// These people's rights are now so; the log's guard has this revision (if it was raised).
    /// Answered when nothing of what they may not do any more can be stored.
    Rights(Rights, Option<u64>, oneshot::Sender<()>),
    /// A session must go, for this reason. Answered as [`Command::Rights`].
    Revoke(SessionId, Fault, oneshot::Sender<()>),
    /// Everybody goes, for this reason.
    Expel(Fault),
    /// What someone lacks who has this state vector.
    State(Bytes, oneshot::Sender<Result<Replica, Fault>>),
    /// The revision of the rights as the room knows it.
    Access(oneshot::Sender<u64>),
    /// An update of someone who does not follow the room. Answered once it is durable; with `None` if
    /// the rights have changed since that revision.
    MergeFor(Caller, Bytes, oneshot::Sender<Option<Outcome>>),
    /// An operation of the server itself. Answered once it is durable.
    Serve(Bytes, oneshot::Sender<Option<Outcome>>),
    /// The committed text.
    Text(oneshot::Sender<String>),
    /// Other rooms are full than before, perhaps this one.
    LookUpQuota,
    /// Answered when everything accepted so far is stored or turned away.
    Settle(oneshot::Sender<()>),
}

/// What people may do in the room; `None`: nothing.
pub type Rights = Vec<(PersonId, Option<Right>)>;

/// A session that wants to follow a room.
pub struct Attach {
    pub connection: Arc<Connection>,
    pub voice: Voice,
    pub title: String,
    /// What the session's person may do.
    pub right: Right,
    /// The most that the session may ever do.
    pub cap: Right,
    /// As whom others see it.
    pub face: Face,
    pub start: Start,
}

/// What the task works with.
pub struct Tools {
    pub log: Arc<dyn Log>,
    pub meta: Arc<Meta>,
    pub clock: Clock,
    pub pace: Pace,
    pub quarantine: Arc<Quarantine>,
    /// When the store failed last; 0 once it has taken a change since.
    pub failed_at: Arc<AtomicU64>,
    /// Which rooms are full.
    pub full: Arc<FullRooms>,
    /// How long a room that nobody follows stays loaded.
    pub idle_ms: u64,
    /// How long content changes are gathered before the metadata hears of them.
    pub touch_ms: u64,
    /// How often a webhook hears of changes of one room, at most.
    pub told_ms: u64,
}

/// The sessions that a room's task serves. Outlives a panic of the task, so that they can be told.
#[derive(Default)]
pub struct Followers {
    all: HashMap<SessionId, Follower>,
    /// Into these something was put and not flushed.
    unflushed: Vec<Arc<Outbox>>,
}

struct Follower {
    connection: Arc<Connection>,
    voice: Voice,
    name: String,
    title: String,
    /// How often the cursor has moved, for those who want a clock with it.
    moves: u64,
}

impl Follower {
    fn say(&self, room: RoomId, kind: &str, message: &Message) {
        let session = self.connection.session;
        match &self.voice {
            Voice::Native { asked } => {
                if let Some(frame) = frame::of_message(room, kind, asked, &self.title, message) {
                    self.connection.outbox.put(frame);
                }
            }
            Voice::Yjs { answers, .. } => {
                // An error: the connection is ending.
                let _ = answers.unbounded_send((session, Box::new(message.clone())));
            }
        }
    }

    /// Says the last word to a connection, which from then on is told that it does not follow the
    /// room.
    fn detach(&self, room: RoomId, kind: &str, message: &Message) {
        self.connection.rooms().remove(&room);
        self.say(room, kind, message);
    }
}

impl Followers {
    /// Tells everybody that the room is gone for now.
    pub fn detach_all(&mut self, room: RoomId, why: &Fault) {
        for (_, follower) in self.all.drain() {
            follower.detach(room, "", &Message::Detached(why.clone()));
            self.unflushed.push(Arc::clone(&follower.connection.outbox));
        }
        self.unflushed.drain(..).for_each(|outbox| outbox.flush());
    }
}

/// Sockets that a room writes to before it lets others have its turn.
const FLUSHES_AT_ONCE: usize = 64;
/// Bytes that a room takes more than the metadata knows; above it the metadata hears of that at once.
const UNNOTED_BYTES_MAX: u64 = 1024 * 1024;
/// A room's entries go to the archive by so many, because each time makes a file; snapshots come more often.
const ARCHIVED_ENTRIES: Seq = 2_000;
/// How soon an idle room asks again whether it may end.
const RECONSIDER: Duration = Duration::from_secs(1);

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub struct Task<'a> {
    room: Room,
    origin: Origin,
    tools: &'a Tools,
    followers: &'a mut Followers,
    committing: Option<Work<Committed>>,
    loading: Option<Work<Result<(Origin, Loaded), LoadError>>>,
    saving: Option<Work<Saved>>,
    looking_up: Option<Work<Rights>>,
    noting: Option<Work<()>>,
    texts: HashMap<u64, oneshot::Sender<String>>,
    states: HashMap<u64, oneshot::Sender<Result<Replica, Fault>>>,
    merges: HashMap<u64, oneshot::Sender<Option<Outcome>>>,
    barriers: HashMap<u64, oneshot::Sender<()>>,
    settling: Vec<oneshot::Sender<()>>,
    ticket: u64,
    /// The last change that the metadata has not heard of, and when it shall.
    changed: Option<(PersonId, Millis)>,
    touch_due: Option<Millis>,
    /// Bytes that the room takes; `None`: it is weighed before the metadata hears of it.
    weight: Option<u64>,
    /// Bytes of these that the metadata has not heard of.
    unnoted: u64,
    /// Which [`FullRooms::version`] the room has heard of.
    full_version: u64,
}

/// What came of storing a snapshot.
struct Saved {
    seq: Seq,
    /// Its size, if it was stored.
    bytes: Option<usize>,
    /// What the room took afterwards, if that is known.
    weight: Option<u64>,
}

/// Whether the task may end: nobody can reach it any more.
pub type MayEnd<'a> = &'a (dyn Fn(&mpsc::Receiver<Command>) -> bool + Send + Sync);

impl<'a> Task<'a> {
    pub fn new(room: Room, origin: Origin, tools: &'a Tools, followers: &'a mut Followers) -> Self {
        Self {
            room,
            origin,
            tools,
            followers,
            committing: None,
            loading: None,
            saving: None,
            looking_up: None,
            noting: None,
            texts: HashMap::new(),
            states: HashMap::new(),
            merges: HashMap::new(),
            barriers: HashMap::new(),
            settling: Vec::new(),
            ticket: 0,
            changed: None,
            touch_due: None,
            weight: None,
            unnoted: 0,
            full_version: 0,
        }
    }

    /// Serves until nobody follows the room any more, for a while.
    ///
    /// All that takes time is under way beside one another and waited for here alone: what waits for a lock or a
    /// connection while something else that has it is not polled would wait for ever.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>, may_end: MayEnd<'_>) {
        let mut idle_since = Instant::now();
        let idle = Duration::from_millis(self.tools.idle_ms);
        loop {
            if !self.room.is_idle() {
                idle_since = Instant::now();
            }
            let touch_due = self.touch_due.filter(|_| self.noting.is_none());
            let due = self.room.next_wake().into_iter().chain(touch_due).min();
            let wake = due.map(|at| Instant::now() + self.tools.clock.until(at));
            let wake = wake.unwrap_or_else(|| (idle_since + idle).max(Instant::now() + RECONSIDER));
            tokio::select! {
                biased;
                how = work(&mut self.committing) => {
                    self.committing = None;
                    self.room.committed(self.tools.clock.now(), how);
                }
                loaded = work(&mut self.loading) => {
                    self.loading = None;
                    self.reloaded(loaded);
                }
                saved = work(&mut self.saving) => {
                    self.saving = None;
                    self.weight = saved.weight;
                    self.room.snapshotted(saved.seq, saved.bytes);
                }
                rights = work(&mut self.looking_up) => {
                    self.looking_up = None;
                    self.room.looked_up(self.tools.clock.now(), rights);
                }
                () = work(&mut self.noting) => self.noting = None,
                command = commands.recv() => match command {
                    Some(command) => self.carry_out(command),
                    None => return self.end().await,
                },
                () = tokio::time::sleep_until(wake) => {
                    // A clock that was set back must not hold up what is due.
                    let now = self.tools.clock.now().max(due.unwrap_or_default());
                    self.room.wake(now);
                    if touch_due.is_some_and(|due| due <= now) {
                        self.touch();
                    }
                    if self.room.is_idle() && idle_since.elapsed() >= idle && may_end(&commands) {
                        return self.end().await;
                    }
                }
            }
            self.drain();
            self.flush().await;
        }
    }

    fn carry_out(&mut self, command: Command) {
        let now = self.tools.clock.now();
        let full_version = self.tools.full.version();
        if full_version != self.full_version {
            self.full_version = full_version;
            self.room.set_full(self.tools.full.contains(self.room.id()));
        }
        match command {
            Command::Attach(attach) => {
                let Attach { connection, voice, title, right, cap, face, start } = *attach;
                let (session, person) = (connection.session, connection.person);
                let name = face.name.clone();
                let follower = Follower { connection, voice, name, title, moves: 0 };
                self.followers.all.insert(session, follower);
                let ask = Ask::Attach { session, person, right, cap, face, start };
                self.room.ask(now, ask);
            }
            Command::Detach(session) => {
                self.followers.all.remove(&session);
                self.room.detach(now, session);
            }
            Command::Submit(session, client, client_seq, op) => {
                self.room.submit(now, session, client, client_seq, op);
            }
            Command::Pull(session, after) => self.room.ask(now, Ask::Pull(session, after)),
            Command::Compare(session, seq, digest) => {
                self.room.ask(now, Ask::Compare(session, seq, digest));
            }
            Command::Presence(session, data) => {
                self.bridge_presence(now, session, &data);
                self.room.set_presence(now, session, data);
            }
            Command::Aware(session, told) => {
                let cursor = told.iter().find_map(|aware| {
                    bridge::from_awareness(aware.client, aware.state.as_deref()?)
                });
                if let Some(data) = cursor {
                    self.room.set_presence(now, session, data);
                }
                self.room.set_awareness(now, session, told);
            }
            Command::Relay(message) => self.relay(&message),
            Command::TellAware(session) => self.room.tell_aware(session),
            Command::TellState(session) => self.room.ask(now, Ask::StateVector(session)),
            Command::Merge(session, ticket, op) => self.room.merge(now, session, ticket, op),
            Command::Missing(session, ticket, state_vector) => {
                self.room.ask(now, Ask::Missing(session, ticket, state_vector));
            }
            Command::People(answer) => {
                // The asker may be gone; then nobody needs to know.
                let _ = answer.send(self.room.people().into_iter().collect());
            }
            Command::Rights(rights, access, done) => {
                self.room.set_rights(now, access, rights, &Fault::new("no_access"));
                self.barrier(now, done);
            }
            Command::Revoke(session, why, done) => {
                self.room.revoke(now, session, &why);
                self.barrier(now, done);
            }
            Command::Expel(why) => self.room.expel_all(now, &why),
            Command::State(state_vector, answer) => {
                self.ticket += 1;
                self.states.insert(self.ticket, answer);
                self.room.ask(now, Ask::State(self.ticket, state_vector));
            }
            Command::Access(answer) => {
                // The asker may be gone; then nobody needs to know.
                let _ = answer.send(self.room.access());
            }
            Command::MergeFor(caller, update, answer) => {
                self.ticket += 1;
                self.merges.insert(self.ticket, answer);
                self.room.merge_for(now, self.ticket, caller, update);
            }
            Command::Serve(op, answer) => {
                self.ticket += 1;
                self.merges.insert(self.ticket, answer);
                self.room.serve(now, self.ticket, op);
            }
            Command::Text(answer) => {
                self.ticket += 1;
                self.texts.insert(self.ticket, answer);
                self.room.ask(now, Ask::Text(self.ticket));
            }
            // It has been, before this.
            Command::LookUpQuota => {}
            Command::Settle(done) => self.settling.push(done),
        }
    }

    /// Shows a native cursor of a document to the sessions that merge.
    fn bridge_presence(&mut self, now: Millis, session: SessionId, data: &[u8]) {
        let (Some(follower), Some(color)) =
            (self.followers.all.get_mut(&session), self.room.color_of(session))
        else {
            return;
        };
        if self.origin.kind == Doc::NAME
            && let Some((client, state)) = bridge::to_awareness(data, &follower.name, color)
        {
            follower.moves += 1;
            let aware = Aware { client, clock: follower.moves, state: Some(state) };
            self.room.set_awareness(now, session, vec![aware]);
        }
    }

    /// Passes an application's words on. Soft like presence: neither logged nor kept.
    fn relay(&mut self, message: &Bytes) {
        for follower in self.followers.all.values() {
            if let Voice::Yjs { address, .. } = &follower.voice
                && !address.is_empty()
            {
                let outbox = &follower.connection.outbox;
                outbox.put(addressed(address, message));
                self.followers.unflushed.push(Arc::clone(outbox));
            }
        }
    }

    fn barrier(&mut self, now: Millis, done: oneshot::Sender<()>) {
        self.ticket += 1;
        self.barriers.insert(self.ticket, done);
        self.room.ask(now, Ask::Barrier(self.ticket));
    }

    fn reloaded(&mut self, loaded: Result<(Origin, Loaded), LoadError>) {
        let now = self.tools.clock.now();
        let room = self.room.id();
        match loaded {
            Ok((_, loaded)) => {
                tracing::info!(%room, head = loaded.head, "room loaded anew");
                // What was counted may not have been stored, and others may have stored more.
                self.weight = None;
                self.room.reloaded(now, loaded);
            }
            Err(error) if error.is_passing() => {
                tracing::warn!(%room, %error, "room cannot be loaded anew, trying again");
                self.room.load_failed(now);
            }
            // Ends the task; whoever comes back finds out whether the room can be loaded.
            Err(error) => panic!("room {room} cannot be loaded anew: {error}"),
        }
    }

    /// Carries out what the room wants.
    fn drain(&mut self) {
        while let Some(output) = self.room.poll_output() {
            match output {
                Output::Commit(commit) => self.commit(commit),
                Output::Reload => {
                    let (log, room) = (Arc::clone(&self.tools.log), self.room.id());
                    self.loading = Some(Box::pin(async move { load(&log, room).await }));
                }
                Output::Send(session, message) => self.send(session, &message),
                Output::Broadcast(message) => self.broadcast(&message),
                Output::Snapshot(seq, state) => self.save(seq, state),
                Output::Text(ticket, text) => {
                    let _ = self.texts.remove(&ticket).map(|answer| answer.send(text));
                }
                Output::State(ticket, state) => {
                    let _ = self.states.remove(&ticket).map(|answer| answer.send(state));
                }
                Output::Merged(ticket, outcome) => {
                    let _ = self.merges.remove(&ticket).map(|answer| answer.send(outcome));
                }
                Output::Quarantine(poison) => self.quarantine(poison),
                Output::LookUp(people) => self.look_up(people),
                Output::Passed(ticket) => {
                    let _ = self.barriers.remove(&ticket).map(|done| done.send(()));
                }
            }
        }
        if self.room.is_settled() {
            for done in self.settling.drain(..) {
                let _ = done.send(());
            }
        }
    }

    /// Sends on what was said: one write to each socket, whatever was said to it.
    async fn flush(&mut self) {
        for (n, outbox) in self.followers.unflushed.drain(..).enumerate() {
            if n % FLUSHES_AT_ONCE == FLUSHES_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            outbox.flush();
        }
    }

    /// Keeps an operation that made the room fail, for those who run the server.
    fn quarantine(&self, Poison { person, op, why }: Poison) {
        let (room, at) = (self.room.id(), self.tools.clock.now());
        metrics::counter!("weft_quarantined_total").increment(1);
        tracing::error!(%room, ?person, bytes = op.len(), %why, "an operation is set aside");
        let quarantine = Arc::clone(&self.tools.quarantine);
        tokio::task::spawn_blocking(move || quarantine.keep(at, room, person, &why, &op));
    }

    /// Asks the metadata what these people may do now. What cannot be read is no right.
    fn look_up(&mut self, people: BTreeSet<PersonId>) {
        let (meta, room) = (Arc::clone(&self.tools.meta), self.room.id());
        let now = self.tools.clock.now();
        self.looking_up = Some(Box::pin(async move {
            let mut rights = Vec::new();
            for person in people {
                let right = meta.right(room, person, now).await.unwrap_or_else(|error| {
                    tracing::error!(%room, %error, "right not known, so none");
                    None
                });
                rights.push((person, right));
            }
            rights
        }));
    }

    fn commit(&mut self, commit: Commit) {
        let last = commit.entries.last().map(|entry| (entry.person, entry.at));
        if let Some((Some(person), at)) = last {
            self.changed = Some((person, at));
            self.touch_due.get_or_insert(at + self.tools.touch_ms);
        }
        let append = append_of(self.room.id(), &commit);
        let bytes = append.data.len() as u64;
        self.weight = self.weight.map(|weight| weight + bytes);
        self.unnoted += bytes;
        if self.unnoted >= UNNOTED_BYTES_MAX && self.changed.is_some() {
            self.touch_due = Some(self.tools.clock.now());
        }
        let log = Arc::clone(&self.tools.log);
        let room = self.room.id();
        let (failed_at, clock) = (Arc::clone(&self.tools.failed_at), self.tools.clock.clone());
        self.committing = Some(Box::pin(async move {
            match log.append(append).await {
                Appended::Ok => {
                    failed_at.store(0, Ordering::Relaxed);
                    Committed::Ok
                }
                Appended::Conflict { .. } | Appended::Denied { .. } => Committed::Overtaken,
                Appended::Failed(why) => {
                    failed_at.store(clock.now(), Ordering::Relaxed);
                    tracing::error!(%room, %why, "not stored");
                    Committed::Failed
                }
                Appended::Unknown(why) => {
                    tracing::error!(%room, %why, "perhaps not stored");
                    Committed::Unknown
                }
            }
        }));
    }

    fn send(&mut self, session: SessionId, message: &Message) {
        let (room, kind) = (self.room.id(), &self.origin.kind);
        if let Message::Detached(_) = message {
            if let Some(follower) = self.followers.all.remove(&session) {
                follower.detach(room, kind, message);
                self.followers.unflushed.push(Arc::clone(&follower.connection.outbox));
            }
            return;
        }
        let Some(follower) = self.followers.all.get(&session) else { return };
        if let Message::Compared(_, false) = message {
            metrics::counter!("weft_replica_repairs_total").increment(1);
            tracing::warn!(%room, "a replica differed and is repaired");
        }
        follower.say(room, kind, message);
        self.followers.unflushed.push(Arc::clone(&follower.connection.outbox));
    }

    fn broadcast(&mut self, message: &Message) {
        let room = self.room.id();
        self.tools.pace.count(self.tools.clock.now(), self.followers.all.len());
        self.room.set_batch_gap(self.tools.pace.gap_us());
        let said = Said::new(room, &self.origin.kind, message);
        for follower in self.followers.all.values() {
            self.followers.unflushed.push(Arc::clone(&follower.connection.outbox));
            if let (Message::State { .. } | Message::Storing(true), Voice::Yjs { .. }) =
                (message, &follower.voice)
            {
                follower.say(room, &self.origin.kind, message);
            } else {
                said.to(&follower.voice, &follower.connection.outbox, self.room.head());
            }
        }
    }

    fn save(&mut self, seq: Seq, state: Bytes) {
        let Origin { kind, epoch, lineage } = self.origin.clone();
        let bytes = state.len();
        let snapshot =
            format::encode_snapshot(&format::Snapshot { seq, state, kind, epoch, lineage });
        let (log, room) = (Arc::clone(&self.tools.log), self.room.id());
        let meta = Arc::clone(&self.tools.meta);
        self.saving = Some(Box::pin(async move {
            if let Err(error) = log.put_snapshot(room, seq, snapshot).await {
                tracing::warn!(%room, %error, "snapshot not stored; the log still has everything");
                return Saved { seq, bytes: None, weight: None };
            }
            if let Err(error) = log.compact(room, seq - seq % ARCHIVED_ENTRIES).await {
                tracing::warn!(%room, %error, "log not compacted");
            }
            let weight = weighed(&log, room).await;
            if let Some(weight) = weight
                && let Err(error) = meta.set_weight(room, weight).await
            {
                tracing::warn!(%room, %error, "what the room takes is not noted");
            }
            Saved { seq, bytes: Some(bytes), weight }
        }));
    }

    /// Tells the metadata who changed the room last, and what it takes now.
    fn touch(&mut self) {
        self.touch_due = None;
        let Some((person, at)) = self.changed.take() else { return };
        self.unnoted = 0;
        let (room, told_ms, known) = (self.room.id(), self.tools.told_ms, self.weight);
        let (log, meta) = (Arc::clone(&self.tools.log), Arc::clone(&self.tools.meta));
        let full = Arc::clone(&self.tools.full);
        self.noting = Some(Box::pin(async move {
            let weight = if known.is_some() { known } else { weighed(&log, room).await };
            if let Err(error) = meta.touch(room, person, at, weight, told_ms).await {
                tracing::warn!(%room, %error, "time of change not noted");
            }
            full.weighed.notify_one();
        }));
    }

    /// Tells the metadata what it has not heard of yet.
    async fn end(mut self) {
        // Nobody waits for the snapshot, and nobody polls it any more.
        self.saving = None;
        if let Some(noting) = self.noting.take() {
            noting.await;
        }
        self.touch();
        if let Some(noting) = self.noting.take() {
            noting.await;
        }
    }
}

/// What the room takes, if the log can tell.
async fn weighed(log: &Arc<dyn Log>, room: RoomId) -> Option<u64> {
    let bytes = log.bytes_of(room).await;
    bytes.inspect_err(|error| tracing::warn!(%room, %error, "the room cannot be weighed")).ok()
}

/// What the log stores of a commit.
pub fn append_of(room: RoomId, commit: &Commit) -> Append {
    let ledgers = commit.ledgers.iter();
    Append {
        room,
        first_seq: commit.first_seq,
        count: u32::try_from(commit.entries.len()).expect("a batch is bounded"),
        data: if commit.entries.is_empty() {
            Bytes::new()
        } else {
            format::encode_batch(&commit.entries)
        },
        ledgers: ledgers.map(|(client, l)| (*client, format::encode_ledger(l))).collect(),
        guard: commit.guard,
    }
}

/// What is under way, or for ever if nothing is.
async fn work<T>(work: &mut Option<Work<T>>) -> T {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}
