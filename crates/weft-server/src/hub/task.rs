//! One task owns one room: it feeds the room its inputs, one after the other, and carries out what
//! the room wants. It decides nothing.

use std::{
    collections::HashMap,
    future::{Future, pending},
    pin::Pin,
    sync::Arc,
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
    room::{Ask, Commit, Committed, Loaded, Message, Output, Room, Start},
};
use weft_proto::{frame, log as format};
use weft_store::{Append, Appended, Log, Meta};

use super::{
    Connection, bridge,
    load::{LoadError, Origin, load},
    voice::{Said, Voice},
};
use crate::state::Clock;

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
    /// An update of a session that merges, under a ticket.
    Merge(SessionId, u64, Result<Bytes, Fault>),
    /// What a session that merges lacks, by its state vector; under a ticket.
    Missing(SessionId, u64, Bytes),
    /// Who has rights that matter here now?
    People(oneshot::Sender<Vec<PersonId>>),
    /// These people's rights are now so; the log's guard has this revision (if it was raised).
    /// Answered when nothing of what they may not do any more can be stored.
    Rights(Vec<(PersonId, Option<Right>)>, Option<u64>, oneshot::Sender<()>),
    /// A session's sign-in ended. Answered as [`Command::Rights`].
    Revoke(SessionId, oneshot::Sender<()>),
    /// Everybody goes, for this reason.
    Expel(Fault),
    /// The committed text.
    Text(oneshot::Sender<String>),
    /// Answered when everything accepted so far is stored or turned away.
    Settle(oneshot::Sender<()>),
}

/// A session that wants to follow a room.
pub struct Attach {
    pub connection: Arc<Connection>,
    pub voice: Voice,
    pub title: String,
    pub name: String,
    pub right: Right,
    pub start: Start,
}

/// What the task works with.
pub struct Tools {
    pub log: Arc<dyn Log>,
    pub meta: Arc<Meta>,
    pub clock: Clock,
    /// How long a room that nobody follows stays loaded.
    pub idle_ms: u64,
    /// How long content changes are gathered before the metadata hears of them.
    pub touch_ms: u64,
}

/// The sessions that a room's task serves. Outlives a panic of the task, so that they can be told.
#[derive(Default)]
pub struct Followers(HashMap<SessionId, Follower>);

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
        match &self.voice {
            Voice::Native { asked } => {
                if let Some(frame) = frame::of_message(room, kind, asked, &self.title, message) {
                    self.connection.outbox.answer(frame);
                }
            }
            Voice::Yjs(adapter) => {
                // An error: the connection is ending.
                let _ = adapter.send(message.clone());
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
        for (_, follower) in self.0.drain() {
            follower.detach(room, "", &Message::Detached(why.clone()));
        }
    }
}

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
    saving: Option<Work<(Seq, Option<usize>)>>,
    texts: HashMap<u64, oneshot::Sender<String>>,
    barriers: HashMap<u64, oneshot::Sender<()>>,
    settling: Vec<oneshot::Sender<()>>,
    ticket: u64,
    /// The last change that the metadata has not heard of, and when it shall.
    changed: Option<(PersonId, Millis)>,
    touch_due: Option<Millis>,
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
            texts: HashMap::new(),
            barriers: HashMap::new(),
            settling: Vec::new(),
            ticket: 0,
            changed: None,
            touch_due: None,
        }
    }

    /// Serves until nobody follows the room any more, for a while.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>, may_end: MayEnd<'_>) {
        let mut idle_since = Instant::now();
        let idle = Duration::from_millis(self.tools.idle_ms);
        loop {
            if !self.room.is_idle() {
                idle_since = Instant::now();
            }
            let now = self.tools.clock.now();
            let wake = self.room.next_wake().into_iter().chain(self.touch_due).min();
            let wake =
                wake.map(|at| Instant::now() + Duration::from_millis(at.saturating_sub(now)));
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
                (seq, bytes) = work(&mut self.saving) => {
                    self.saving = None;
                    self.room.snapshotted(seq, bytes);
                }
                command = commands.recv() => match command {
                    Some(command) => self.carry_out(command),
                    None => return self.touch().await,
                },
                () = tokio::time::sleep_until(wake) => {
                    let now = self.tools.clock.now();
                    self.room.wake(now);
                    if self.touch_due.is_some_and(|due| due <= now) {
                        self.touch().await;
                    }
                    if self.room.is_idle() && idle_since.elapsed() >= idle && may_end(&commands) {
                        return self.touch().await;
                    }
                }
            }
            self.drain();
        }
    }

    fn carry_out(&mut self, command: Command) {
        let now = self.tools.clock.now();
        match command {
            Command::Attach(attach) => {
                let Attach { connection, voice, title, name, right, start } = *attach;
                let (session, person) = (connection.session, connection.person);
                let follower = Follower { connection, voice, name: name.clone(), title, moves: 0 };
                self.followers.0.insert(session, follower);
                self.room.ask(now, Ask::Attach { session, person, name, right, start });
            }
            Command::Detach(session) => {
                self.followers.0.remove(&session);
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
                if let Some(access) = access {
                    self.room.set_access(access);
                }
                for (person, right) in rights {
                    self.room.set_right(now, person, right, &Fault::new("no_access"));
                }
                self.barrier(now, done);
            }
            Command::Revoke(session, done) => {
                self.room.revoke(now, session, &Fault::new("signed_out"));
                self.barrier(now, done);
            }
            Command::Expel(why) => self.room.expel_all(now, &why),
            Command::Text(answer) => {
                self.ticket += 1;
                self.texts.insert(self.ticket, answer);
                self.room.ask(now, Ask::Text(self.ticket));
            }
            Command::Settle(done) => self.settling.push(done),
        }
    }

    /// Shows a native cursor of a document to the sessions that merge.
    fn bridge_presence(&mut self, now: Millis, session: SessionId, data: &[u8]) {
        let (Some(follower), Some(color)) =
            (self.followers.0.get_mut(&session), self.room.color_of(session))
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

    fn commit(&mut self, commit: Commit) {
        let last = commit.entries.last().map(|entry| (entry.person, entry.at));
        if let Some((Some(person), at)) = last {
            self.changed = Some((person, at));
            self.touch_due.get_or_insert(at + self.tools.touch_ms);
        }
        let append = append_of(self.room.id(), &commit);
        let log = Arc::clone(&self.tools.log);
        let room = self.room.id();
        self.committing = Some(Box::pin(async move {
            match log.append(append).await {
                Appended::Ok => Committed::Ok,
                Appended::Conflict { .. } | Appended::Denied { .. } => Committed::Overtaken,
                Appended::Failed(why) => {
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
            if let Some(follower) = self.followers.0.remove(&session) {
                follower.detach(room, kind, message);
            }
            return;
        }
        let Some(follower) = self.followers.0.get(&session) else { return };
        if let Message::Compared(_, false) = message {
            metrics::counter!("weft_replica_repairs_total").increment(1);
            tracing::warn!(%room, "a replica differed and is repaired");
        }
        follower.say(room, kind, message);
    }

    fn broadcast(&self, message: &Message) {
        let room = self.room.id();
        let said = Said::new(room, &self.origin.kind, message);
        for follower in self.followers.0.values() {
            if let (Message::State { .. }, Voice::Yjs(_)) = (message, &follower.voice) {
                follower.say(room, &self.origin.kind, message);
            } else if let Some(bytes) = said.to(&follower.voice) {
                follower.connection.outbox.event(room, self.room.head(), bytes);
            }
        }
    }

    fn save(&mut self, seq: Seq, state: Bytes) {
        let Origin { kind, epoch, lineage } = self.origin.clone();
        let bytes = state.len();
        let snapshot =
            format::encode_snapshot(&format::Snapshot { seq, state, kind, epoch, lineage });
        let (log, room) = (Arc::clone(&self.tools.log), self.room.id());
        self.saving = Some(Box::pin(async move {
            if let Err(error) = log.put_snapshot(room, seq, snapshot).await {
                tracing::warn!(%room, %error, "snapshot not stored; the log still has everything");
                return (seq, None);
            }
            if let Err(error) = log.compact(room, seq).await {
                tracing::warn!(%room, %error, "log not compacted");
            }
            (seq, Some(bytes))
        }));
    }

    /// Tells the metadata who changed the room last.
    async fn touch(&mut self) {
        self.touch_due = None;
        if let Some((person, at)) = self.changed.take() {
            let room = self.room.id();
            if let Err(error) = self.tools.meta.touch(room, person, at).await {
                tracing::warn!(%room, %error, "time of change not noted");
            }
        }
    }
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
