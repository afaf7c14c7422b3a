//! A room: an ordered, durable log of entries, the machine that folds them, and the sessions that
//! follow it. Sans-IO: the shell feeds inputs and carries out outputs.
//!
//! There is one state and at most one batch in flight. Operations are decided on the state in which
//! they will stand (the *working* state) and leave for the log as one [`Commit`]; until the log
//! has answered nobody hears of them, further operations queue, and reads (attaching, pulling,
//! comparing, text) wait, so that whatever is read is *committed* (L1). When a commit fails the
//! state is thrown away and loaded anew from the log (L5).
//!
//! Start at [`Room::submit`], [`Room::committed`] and [`Room::poll_output`]. The shell's one rule:
//! drain the outputs after every input, before the next one.
//!
//! Not here: sockets, the log itself, who may do what (the shell says it on attaching).

mod batch;
mod lanes;
mod poisons;
mod reads;
mod recent;
mod rhythm;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    ClientId, Entry, Fault, Guard, Ledger, Millis, PersonId, Right, RoomId, Seq, SessionId,
    awareness::{Aware, Awareness},
    machine::Machine,
    planted,
    presence::{Peer, Presence},
};
pub use batch::Caller;
use batch::{Flight, Queued};
use lanes::Lanes;
use poisons::Poisons;
pub use reads::{Ask, Since, Start};
use recent::Recent;
use rhythm::Rhythm;

/// Bounds of one room. `docs/limits.md` gives the reasons.
#[derive(Debug, Clone)]
pub struct RoomLimits {
    /// Operations that wait to be decided.
    pub queue_ops_max: usize,
    /// Bytes of operations that wait to be decided.
    pub queue_bytes_max: usize,
    /// Operations of one batch.
    pub batch_ops_max: usize,
    /// Bytes of operations of one batch; one operation may exceed it alone.
    pub batch_bytes_max: usize,
    /// Bytes of committed entries kept in memory for those who come back soon.
    pub recent_bytes_max: usize,
    /// Bytes of a room's state and of what was logged on top of it.
    pub room_bytes_max: usize,
    /// Bytes of one session's presence.
    pub presence_bytes_max: usize,
    /// How long an operation that came early is held (L4).
    pub early_hold_ms: Millis,
    /// How long presence is gathered before it is told.
    pub presence_gather_ms: Millis,
    /// How much apart the batches of a busy room are kept for each session that is told of them, in
    /// microseconds: what is decided together is also stored, encoded and sent together.
    pub batch_gap_us_per_session: u64,
    /// How much apart batches are kept at most, and how long a busy room gathers for one.
    pub batch_gap_ms_max: Millis,
    /// How long the store is left alone after it failed.
    pub store_pause_ms: Millis,
    /// How long clients wait while the room's space is full; they are told when it is not any more.
    pub full_pause_ms: Millis,
    /// Bytes logged after which a snapshot is due, at the least; an entry counts as 1 KiB more than it
    /// has, and when the last one leaves a sixteenth is enough.
    pub snapshot_bytes_min: usize,
    /// Entries logged after which a snapshot is due.
    pub snapshot_entries_max: u64,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            queue_ops_max: 4096,
            queue_bytes_max: 16 << 20,
            batch_ops_max: 512,
            batch_bytes_max: 1 << 20,
            recent_bytes_max: 1 << 20,
            room_bytes_max: 64 << 20,
            presence_bytes_max: 4096,
            early_hold_ms: 2_000,
            presence_gather_ms: 50,
            batch_gap_us_per_session: 100,
            batch_gap_ms_max: 30,
            store_pause_ms: 1_000,
            full_pause_ms: 30_000,
            snapshot_bytes_min: 256 << 10,
            snapshot_entries_max: 2_000,
        }
    }
}

/// A room as the shell read it from the log.
pub struct Loaded {
    /// What an append must be guarded with.
    pub guard: Guard,
    /// The content's lineage (L8).
    pub lineage: u64,
    /// The kind with the state at `head`.
    pub machine: Box<dyn Machine>,
    /// The last entry's number.
    pub head: Seq,
    /// The newest snapshot in the store, if any: the state at a seq.
    pub snapshot: Option<(Seq, Bytes)>,
    /// The entries after that snapshot, up to `head`.
    pub entries: Vec<Arc<Entry>>,
    /// What de-duplicates, per client.
    pub ledgers: BTreeMap<ClientId, Ledger>,
}

/// One append: entries with consecutive seqs, and the ledgers that go with them (L2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Number of the first entry; head + 1.
    pub first_seq: Seq,
    /// May be empty: then only ledgers are stored.
    pub entries: Vec<Arc<Entry>>,
    /// New ledgers of the clients concerned.
    pub ledgers: Vec<(ClientId, Ledger)>,
    /// What must still hold.
    pub guard: Guard,
}

/// How the log answered a [`Commit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// Durable.
    Ok,
    /// Someone else appended, or rights changed: load anew and decide again.
    Overtaken,
    /// Not stored.
    Failed,
    /// Perhaps stored: load anew before anyone is answered.
    Unknown,
}

/// What a client is told about one of its operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Durable: stored at, or covered by, this seq.
    Accepted(Seq),
    /// Durable: it will never take effect.
    Refused(Fault),
    /// No outcome yet: keep it and send it again.
    NotSaved(Fault),
    /// It came early: send again from this number on.
    Missing(u64),
}

/// What a room says to sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The session follows the room from here.
    Attached(Box<Attached>),
    /// The session no longer follows the room.
    Detached(Fault),
    /// Answers to operations of one client.
    Outcomes(ClientId, Vec<(u64, Outcome)>),
    /// The answer to a session's operation, under its ticket.
    Merged(u64, Outcome),
    /// What the room has, as a Yjs state vector.
    StateVector(Bytes),
    /// What a session that merges lacks, as a Yjs update, under its ticket.
    Missing(u64, Result<Bytes, Fault>),
    /// Entries, consecutive.
    Events(Vec<Arc<Entry>>),
    /// The state at a seq, in place of events.
    State {
        /// The seq.
        seq: Seq,
        /// The state.
        state: Bytes,
        /// Whether it replaces a replica that differed.
        repair: bool,
        /// The numbering.
        epoch: u64,
        /// The content's lineage.
        lineage: u64,
    },
    /// Who came or moved, and who left.
    Peers(Vec<Peer>, Vec<SessionId>),
    /// The same for sessions that merge.
    Aware(Vec<Aware>),
    /// Whether a replica is equal at this seq.
    Compared(Seq, bool),
    /// The session may now do this.
    Right(Right),
    /// Whether the store takes changes.
    Storing(bool),
    /// A frame could not be served.
    Trouble(Fault),
}

/// Everything with which a replica starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The numbering.
    pub epoch: u64,
    /// The content's lineage.
    pub lineage: u64,
    /// The committed head.
    pub head: Seq,
    /// What the session may do.
    pub right: Right,
    /// The state to start from; `None`: the session's own state at the seq it named.
    pub state: Option<(Seq, Bytes)>,
    /// What follows that.
    pub entries: Vec<Arc<Entry>>,
    /// For a session that merges: what the room has, as a Yjs state vector.
    pub state_vector: Option<Bytes>,
    /// Who is here.
    pub peers: Vec<Peer>,
    /// The person's colour.
    pub color: u32,
}

/// What the shell has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Append to the log, then call [`Room::committed`].
    Commit(Commit),
    /// Load the room anew, then call [`Room::reloaded`] or [`Room::load_failed`].
    Reload,
    /// Tell one session.
    Send(SessionId, Message),
    /// Tell every attached session.
    Broadcast(Message),
    /// Store the state at a seq, off the commit's path, then call [`Room::snapshotted`].
    Snapshot(Seq, Bytes),
    /// The text that was asked for under this ticket.
    Text(u64, String),
    /// The answer to [`Ask::State`] with this ticket.
    State(u64, Result<Replica, Fault>),
    /// What became of an operation of [`Room::merge_for`] or [`Room::serve`] with this ticket. `None`: the room's rights
    /// have changed, and it was not looked at; the caller's right is to be looked up anew.
    Merged(u64, Option<Outcome>),
    /// Keep an operation that made the room fail, for those who run the server.
    Quarantine(Poison),
    /// The batch that was in flight at [`Ask::Barrier`] with this ticket has landed.
    Passed(u64),
    /// The rights have changed and the room was not told how: look up, as they are now, those of these
    /// people, then call [`Room::looked_up`]. Nothing is decided before.
    LookUp(BTreeSet<PersonId>),
}

/// What someone lacks who merges, and what they have then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// A Yjs update (v1).
    pub update: Bytes,
    /// What the room has, as a Yjs state vector (v1).
    pub state_vector: Bytes,
}

/// An operation that made the room fail (L10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poison {
    /// Who sent it; `None`: the server itself.
    pub person: Option<PersonId>,
    /// The operation.
    pub op: Bytes,
    /// What went wrong, as far as is known.
    pub why: String,
}

/// One session in the room.
struct Member {
    person: PersonId,
    /// What the session may do: as the person, but never more than `cap`.
    right: Right,
    /// The most that the session may ever do.
    cap: Right,
}

/// Whether the room takes operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    /// It does.
    Ready,
    /// The state is being loaded anew.
    Loading,
    /// Loading failed; to be tried again then.
    Unloaded { retry_at: Millis },
    /// The store failed; operations are turned away until then.
    Pausing { until: Millis },
}

/// A room. See the module's documentation.
pub struct Room {
    id: RoomId,
    limits: RoomLimits,
    machine: Box<dyn Machine>,
    guard: Guard,
    lineage: u64,
    head: Seq,
    recent: Recent,
    ledgers: BTreeMap<ClientId, Ledger>,
    members: BTreeMap<SessionId, Member>,
    presence: Presence,
    awareness: Awareness,
    presence_due: Option<Millis>,
    lanes: Lanes,
    queue: VecDeque<Queued>,
    queue_bytes: usize,
    flight: Option<Flight>,
    rhythm: Rhythm,
    /// No batch is formed before, unless a full one waits.
    next_batch: Millis,
    /// What became of the flight that made the present loading necessary, and when.
    landed: Option<(Flight, Committed, Millis)>,
    waiting: VecDeque<Ask>,
    poisons: Poisons,
    health: Health,
    /// Whether rights have changed that are still to be looked up.
    looking_up: bool,
    /// How far the log is, as was heard while the room was being loaded.
    noticed: Option<(Seq, u64)>,
    /// Whether sessions were told that the store does not take changes.
    told_failing: bool,
    /// The last one has left, and the state was not looked at since.
    left: bool,
    /// Whether the room's space has all that it may hold.
    is_full: bool,
    /// Whether somebody was turned away for that.
    told_full: bool,
    outputs: VecDeque<Output>,
}

impl Room {
    /// The room as it was loaded.
    #[must_use]
    pub fn new(id: RoomId, loaded: Loaded, limits: RoomLimits) -> Self {
        let recent =
            Recent::new(loaded.snapshot, loaded.entries, loaded.head, limits.recent_bytes_max);
        Self {
            id,
            limits,
            machine: loaded.machine,
            guard: loaded.guard,
            lineage: loaded.lineage,
            head: loaded.head,
            recent,
            ledgers: loaded.ledgers,
            members: BTreeMap::new(),
            presence: Presence::default(),
            awareness: Awareness::default(),
            presence_due: None,
            lanes: Lanes::default(),
            queue: VecDeque::new(),
            queue_bytes: 0,
            flight: None,
            rhythm: Rhythm::default(),
            next_batch: 0,
            landed: None,
            waiting: VecDeque::new(),
            poisons: Poisons::default(),
            health: Health::Ready,
            looking_up: false,
            noticed: None,
            told_failing: false,
            left: false,
            is_full: false,
            told_full: false,
            outputs: VecDeque::new(),
        }
    }

    /// The room's id.
    #[must_use]
    pub const fn id(&self) -> RoomId {
        self.id
    }

    /// The committed head.
    #[must_use]
    pub const fn head(&self) -> Seq {
        self.head
    }

    /// The next thing for the shell to do. To be called until it returns `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How many operations wait to be decided.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Whether nobody follows the room and nothing is under way, so that it may be unloaded.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.members.is_empty()
            && self.queue.is_empty()
            && self.flight.is_none()
            && self.waiting.is_empty()
            && !self.recent.is_saving()
            && !matches!(self.health, Health::Loading)
    }

    /// When [`Room::wake`] wants to be called next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Millis> {
        let health = match self.health {
            Health::Unloaded { retry_at } => Some(retry_at),
            Health::Pausing { until } => Some(until),
            Health::Ready | Health::Loading => None,
        };
        let hold = self.limits.early_hold_ms;
        let early = self.lanes.oldest_early().map(|at| at + hold);
        let batch = self.may_decide().then_some(self.next_batch);
        [health, self.presence_due, self.awareness.next_expiry(), early, batch]
            .into_iter()
            .flatten()
            .min()
    }

    /// Time has passed.
    pub fn wake(&mut self, now: Millis) {
        match self.health {
            Health::Unloaded { retry_at } if retry_at <= now => {
                self.health = Health::Loading;
                self.outputs.push_back(Output::Reload);
            }
            Health::Pausing { until } if until <= now => self.health = Health::Ready,
            _ => {}
        }
        self.report_missing(now);
        self.awareness.expire(now);
        self.schedule_presence(now);
        if self.presence_due.is_some_and(|due| due <= now) {
            self.flush_presence();
        }
        self.pump(now);
    }

    /// A session's person moved the cursor.
    pub fn set_presence(&mut self, now: Millis, session: SessionId, data: Bytes) {
        if data.len() <= self.limits.presence_bytes_max && self.members.contains_key(&session) {
            self.presence.set(session, data);
            self.schedule_presence(now);
        }
    }

    /// A session tells of Yjs clients.
    pub fn set_awareness(&mut self, now: Millis, session: SessionId, told: Vec<Aware>) {
        if !self.members.contains_key(&session) {
            return;
        }
        let bytes_max = self.limits.presence_bytes_max;
        if let Err(fault) = self.awareness.hear(now, session, told, bytes_max) {
            self.send(session, Message::Trouble(fault));
        }
        self.schedule_presence(now);
    }

    /// A session that merges asks who is here.
    pub fn tell_aware(&mut self, session: SessionId) {
        if self.members.contains_key(&session) {
            self.send(session, Message::Aware(self.awareness.all()));
        }
    }

    /// Keeps the next batches so much apart for each session, in microseconds.
    pub const fn set_batch_gap(&mut self, us_per_session: u64) {
        self.limits.batch_gap_us_per_session = us_per_session;
    }

    /// The colour of a session's person, if the session is here.
    #[must_use]
    pub fn color_of(&self, session: SessionId) -> Option<u32> {
        self.presence.color_of(session)
    }

    /// A session goes. What it has sent stays accepted.
    pub fn detach(&mut self, now: Millis, session: SessionId) {
        self.waiting.retain(|ask| ask.session() != Some(session));
        self.forget(now, session);
        self.pump(now);
    }

    /// The room's space has all that it may hold, or has room again. While it is full what would add anything is
    /// turned away as by a store that fails: its authors keep it, and are told when it is time to send it again.
    pub fn set_full(&mut self, is_full: bool) {
        self.is_full = is_full;
        if !is_full && std::mem::take(&mut self.told_full) {
            self.outputs.push_back(Output::Broadcast(Message::Storing(true)));
        }
    }

    /// These people may now do this here, or (`None`) nothing any more, for this reason; the log's guard
    /// has this revision, if it was raised. It goes for all sessions by these people's rights, each
    /// within its cap; what they have sent and is not yet decided is decided by the new right.
    pub fn set_rights(
        &mut self,
        now: Millis,
        access: Option<u64>,
        rights: Vec<(PersonId, Option<Right>)>,
        why: &Fault,
    ) {
        // All of it before anything is decided: the guard holds for the new rights alone.
        self.guard.access = self.guard.access.max(access.unwrap_or_default());
        for (person, right) in rights {
            self.set_right(now, person, right, why);
            if planted!(DecideBetweenRights) {
                self.pump(now);
            }
        }
        self.pump(now);
    }

    fn set_right(&mut self, now: Millis, person: PersonId, right: Option<Right>, why: &Fault) {
        let under_way = self.flight.iter_mut().flat_map(|flight| &mut flight.ops);
        let waiting = self.queue.iter_mut().chain(self.lanes.early());
        let concerned =
            |op: &&mut Queued| op.person == Some(person) && !planted!(KeepRightsOfQueued);
        for op in waiting.chain(under_way).filter(concerned) {
            op.set_right(right);
        }
        let mut told = Vec::new();
        let members = self.members.iter_mut().filter(|(_, member)| member.person == person);
        for (&session, member) in members {
            let right = right.map(|right| right.min(member.cap));
            if right != Some(member.right) {
                member.right = right.unwrap_or(member.right);
                told.push((session, right));
            }
        }
        for (session, right) in told {
            match right {
                Some(right) => self.send(session, Message::Right(right)),
                None => self.expel(now, session, why.clone()),
            }
        }
        match right {
            Some(right) => self.waiting.iter_mut().for_each(|ask| ask.set_right(person, right)),
            None => {
                let asking: Vec<_> =
                    self.waiting.iter().filter_map(|ask| ask.attaching(person)).collect();
                self.waiting.retain(|ask| ask.attaching(person).is_none());
                for session in asking {
                    self.send(session, Message::Detached(why.clone()));
                }
            }
        }
    }

    /// A session's credential ended: it goes, also if it only waits to be attached, and what it has
    /// sent and is not yet decided is dropped.
    pub fn revoke(&mut self, now: Millis, session: SessionId, why: &Fault) {
        let dropped: BTreeSet<ClientId> = self
            .queue
            .iter()
            .filter(|queued| queued.session == session && !planted!(KeepQueueOfRevoked))
            .filter_map(Queued::client)
            .collect();
        // Later operations of these clients would leave a gap.
        let goes = |client: ClientId| dropped.contains(&client);
        self.queue.retain(|op| {
            (op.session != session || planted!(KeepQueueOfRevoked))
                && !op.client().is_some_and(goes)
        });
        self.queue_bytes = self.queue.iter().map(Queued::weight).sum();
        // What is in flight lands or not; should it have to be decided again, it is refused.
        let under_way = self.flight.iter_mut().flat_map(|flight| &mut flight.ops);
        under_way.filter(|op| op.session == session).for_each(Queued::revoke);
        for client in dropped {
            let next = self.first_unsettled(client);
            self.lanes.rewind(client, next);
        }
        let attaching = |ask: &Ask| ask.person().is_some() && ask.session() == Some(session);
        if self.waiting.iter().any(attaching) && !self.members.contains_key(&session) {
            self.send(session, Message::Detached(why.clone()));
        }
        self.waiting.retain(|ask| ask.session() != Some(session));
        self.expel(now, session, why.clone());
        self.pump(now);
    }

    /// The revision of the rights as the room knows it.
    #[must_use]
    pub const fn access(&self) -> u64 {
        self.guard.access
    }

    /// What was asked for with [`Output::LookUp`].
    pub fn looked_up(&mut self, now: Millis, rights: Vec<(PersonId, Option<Right>)>) {
        self.looking_up = false;
        self.set_rights(now, None, rights, &Fault::new("no_access"));
    }

    /// The room's log is at least here: perhaps someone else has appended.
    pub fn noticed(&mut self, head: Seq, answers: u64) {
        let is_behind =
            head > self.head || (answers > self.guard.answers && !planted!(IgnoreAnswers));
        if !is_behind || planted!(IgnoreNotices) {
            return;
        }
        match self.health {
            // A batch in flight is going to find out by itself.
            Health::Ready | Health::Pausing { .. } if self.flight.is_none() => {
                self.health = Health::Loading;
                self.outputs.push_back(Output::Reload);
            }
            // What is being read may be older than that.
            Health::Loading => self.noticed = Some((head, answers)),
            _ => {}
        }
    }

    /// Everybody whose rights matter here now: who follows the room, wants to, or has something
    /// under way.
    #[must_use]
    pub fn people(&self) -> BTreeSet<PersonId> {
        let under_way = self.flight.iter().flat_map(|flight| &flight.ops);
        let members = self.members.values().map(|member| member.person);
        let asking = self.waiting.iter().filter_map(Ask::person);
        self.queue
            .iter()
            .chain(under_way)
            .filter_map(|op| op.person)
            .chain(members)
            .chain(asking)
            .collect()
    }

    /// Whether everything that was accepted has been stored or turned away.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.queue.is_empty() && self.flight.is_none() && self.landed.is_none()
    }

    /// Everybody goes, for this reason.
    pub fn expel_all(&mut self, now: Millis, why: &Fault) {
        let sessions: Vec<SessionId> = self.members.keys().copied().collect();
        for session in sessions {
            self.expel(now, session, why.clone());
        }
        let asking: Vec<SessionId> = self.waiting.iter().filter_map(Ask::session).collect();
        for session in asking {
            self.send(session, Message::Detached(why.clone()));
        }
        self.waiting.retain(|ask| ask.session().is_none());
    }

    fn expel(&mut self, now: Millis, session: SessionId, why: Fault) {
        if self.members.contains_key(&session) {
            self.send(session, Message::Detached(why));
        }
        self.forget(now, session);
    }

    fn forget(&mut self, now: Millis, session: SessionId) {
        if self.members.remove(&session).is_some() {
            self.presence.leave(session);
            self.awareness.leave(session);
            self.lanes.forget(session);
            self.schedule_presence(now);
            self.left = self.members.is_empty();
            if self.left && self.flight.is_none() && self.health == Health::Ready {
                self.offer_snapshot();
            }
        }
    }

    fn schedule_presence(&mut self, now: Millis) {
        if self.presence.is_dirty() || self.awareness.is_dirty() {
            self.presence_due.get_or_insert(now + self.limits.presence_gather_ms);
        }
    }

    fn flush_presence(&mut self) {
        self.presence_due = None;
        let (here, left) = self.presence.flush();
        if !here.is_empty() || !left.is_empty() {
            self.outputs.push_back(Output::Broadcast(Message::Peers(here, left)));
        }
        if self.awareness.is_dirty() {
            let changed = self.awareness.flush();
            self.outputs.push_back(Output::Broadcast(Message::Aware(changed)));
        }
    }

    fn send(&mut self, to: SessionId, message: Message) {
        self.outputs.push_back(Output::Send(to, message));
    }
}

#[cfg(test)]
mod tests;
