//! The way of an operation: lane, queue, decision, batch in flight, outcome.

use std::{
    any::Any,
    collections::BTreeMap,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;

use crate::planted;
use crate::{
    ClientId, Entry, Fault, Ledger, Millis, PersonId, Right, SessionId,
    entry::Body,
    ledger::{Known, Verdict, WINDOW},
    machine::{Author, Upset},
    room::{
        Commit, Committed, Health, Loaded, Member, Message, Outcome, Output, Poison, Recent, Room,
        RoomLimits, lanes::Place,
    },
};

/// Who made an operation, and so how a repeat is known and where the answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// A client that numbers its operations and sends them again until they are answered (L3).
    Client(ClientId, u64),
    /// A session that merges: a repeat adds nothing, its retry is the next exchange of what each
    /// side has (L9). The ticket names the operation to the session.
    Session(u64),
    /// Someone who does not follow the room and merges; the ticket names the operation to the shell.
    Caller {
        /// Names the operation.
        ticket: u64,
        /// The revision of the rights at which the caller's right was looked up.
        access: u64,
    },
    /// The server itself; the ticket names the operation to the shell.
    Server(u64),
}

/// Someone who gives an operation without following the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub person: PersonId,
    /// What the person may do.
    pub right: Right,
    /// [`Room::access`] from before that was looked up. The right holds for that revision alone.
    pub access: u64,
}

/// An operation that waits to be decided.
pub(super) struct Queued {
    pub(super) session: SessionId,
    pub(super) maker: Maker,
    /// `None`: the server itself.
    pub(super) person: Option<PersonId>,
    /// What the session may do; `None`: nothing any more.
    pub(super) right: Option<Right>,
    /// The most that the session may ever do; `None`: its credential has ended, whatever its person
    /// may do.
    pub(super) cap: Option<Right>,
    /// The operation, or why it must be refused whatever it says.
    pub(super) op: Result<Bytes, Fault>,
}

impl Queued {
    pub(super) fn weight(&self) -> usize {
        64 + self.op.as_ref().map_or(0, Bytes::len)
    }

    /// The person's right is this now.
    pub(super) fn set_right(&mut self, right: Option<Right>) {
        self.right = right.zip(self.cap).map(|(right, cap)| right.min(cap));
    }

    /// The session's credential has ended.
    pub(super) fn revoke(&mut self) {
        self.cap = if planted!(ForgetRevocation) { self.cap } else { None };
        self.right = None;
    }

    pub(super) const fn client(&self) -> Option<ClientId> {
        match self.maker {
            Maker::Client(client, _) => Some(client),
            Maker::Session(_) | Maker::Caller { .. } | Maker::Server(_) => None,
        }
    }
}

/// A batch on its way to the log.
pub(super) struct Flight {
    commit: Commit,
    pub(super) ops: Vec<Queued>,
    /// What was decided about each of `ops`.
    verdicts: Vec<Verdict>,
}

impl Room {
    /// A client's operation, or why it must be refused whatever it says (then that is its outcome).
    pub fn submit(
        &mut self,
        now: Millis,
        session: SessionId,
        client: ClientId,
        client_seq: u64,
        op: Result<Bytes, Fault>,
    ) {
        let Some(member) = self.members.get(&session) else {
            return self.send(session, Message::Trouble(Fault::new("not_attached")));
        };
        let Member { person, right, cap } = *member;
        let ledger = self.ledgers.get(&client);
        let outside =
            || Fault::new("client_window").with("from", ledger.map_or(0, Ledger::mark) + 1);
        match ledger.map_or(Known::Open, |ledger| ledger.of(client_seq)) {
            Known::Settled(verdict) if client_seq > 0 => {
                let outcome = outcome_of(verdict);
                return self.send(session, Message::Outcomes(client, vec![(client_seq, outcome)]));
            }
            Known::Open if client_seq > 0 => {}
            _ => {
                let fault = outside();
                return self.send(session, Message::Trouble(fault));
            }
        }
        let settled = ledger.map_or(0, Ledger::mark);
        let maker = Maker::Client(client, client_seq);
        let person = Some(person);
        let queued = Queued { session, maker, person, right: Some(right), cap: Some(cap), op };
        if let Some(fault) = self.turned_away(now, &queued) {
            let told = vec![(client_seq, Outcome::NotSaved(fault))];
            return self.send(session, Message::Outcomes(client, told));
        }
        match self.lanes.place(now, client, client_seq, queued, settled, WINDOW) {
            Place::Queue(run) => {
                run.into_iter().for_each(|queued| self.enqueue(now, queued));
            }
            Place::UnderWay if planted!(AnswerRepeatEarly) => {
                let outcome = (client_seq, Outcome::Accepted(self.head + 1));
                self.send(session, Message::Outcomes(client, vec![outcome]));
            }
            Place::UnderWay | Place::Held => {}
            Place::Outside => {
                let fault = Fault::new("client_window").with("from", settled + 1);
                self.send(session, Message::Trouble(fault));
            }
        }
        self.pump(now);
    }

    /// An operation of a session that merges (or why it must be refused). The answer names the
    /// ticket.
    pub fn merge(
        &mut self,
        now: Millis,
        session: SessionId,
        ticket: u64,
        op: Result<Bytes, Fault>,
    ) {
        let Some(member) = self.members.get(&session) else {
            return self.send(session, Message::Trouble(Fault::new("not_attached")));
        };
        let Member { person, right, cap } = *member;
        let (maker, person) = (Maker::Session(ticket), Some(person));
        let queued = Queued { session, maker, person, right: Some(right), cap: Some(cap), op };
        if let Some(fault) = self.turned_away(now, &queued) {
            return self.send(session, Message::Merged(ticket, Outcome::NotSaved(fault)));
        }
        self.enqueue(now, queued);
        self.pump(now);
    }

    /// An operation of someone who does not follow the room and merges. Answered by
    /// [`Output::Merged`] with the ticket, once it is durable.
    pub fn merge_for(&mut self, now: Millis, ticket: u64, caller: Caller, op: Bytes) {
        let Caller { person, right, access } = caller;
        let maker = Maker::Caller { ticket, access };
        let op = match self.machine.merging() {
            Some(_) => Ok(op),
            None => Err(Fault::new("not_merged")),
        };
        self.take(now, ticket, maker, Some(person), right, op);
    }

    /// An operation of the server itself, which may do everything. Answered as [`Room::merge_for`]; whoever
    /// gives it again says in it how a repeat is known.
    pub fn serve(&mut self, now: Millis, ticket: u64, op: Bytes) {
        self.take(now, ticket, Maker::Server(ticket), None, Right::Manage, Ok(op));
    }

    /// Queues an operation of someone who does not follow the room.
    fn take(
        &mut self,
        now: Millis,
        ticket: u64,
        maker: Maker,
        person: Option<PersonId>,
        right: Right,
        op: Result<Bytes, Fault>,
    ) {
        let (session, right, cap) = (SessionId::NONE, Some(right), Some(right));
        let queued = Queued { session, maker, person, right, cap, op };
        if let Some(fault) = self.turned_away(now, &queued) {
            return self.outputs.push_back(Output::Merged(ticket, Some(Outcome::NotSaved(fault))));
        }
        self.enqueue(now, queued);
        self.pump(now);
    }

    fn enqueue(&mut self, now: Millis, queued: Queued) {
        self.rhythm.arrives(now, queued.session, self.flight.is_some());
        if self.queue.is_empty() {
            self.next_batch = self.next_batch.max(self.rhythm.gathers_until(now));
        }
        self.queue_bytes += queued.weight();
        self.queue.push_back(queued);
    }

    /// Why the room takes no operation now, if so.
    fn turned_away(&mut self, now: Millis, queued: &Queued) -> Option<Fault> {
        if let Health::Pausing { until: again } | Health::Unloaded { retry_at: again } = self.health
        {
            return Some(store_failed(again.saturating_sub(now)));
        }
        if self.is_full && self.would_add(queued) {
            self.told_full = true;
            return Some(quota_exceeded(self.limits.full_pause_ms));
        }
        if planted!(LeakQueue) {
            return None;
        }
        let held = self.lanes.held();
        let full = self.queue.len() + held.ops >= self.limits.queue_ops_max
            || self.queue_bytes + held.bytes + queued.weight() > self.limits.queue_bytes_max;
        full.then(|| Fault::new("busy").with("retry_ms", 500))
    }

    /// Whether an operation would add to the room, as far as can be told before it is decided. What the room has
    /// already is never turned away, and what must be refused is refused.
    fn would_add(&self, queued: &Queued) -> bool {
        let may_edit = queued.right.is_some_and(|right| right >= Right::Edit);
        let (Ok(op), true) = (&queued.op, may_edit && queued.person.is_some()) else {
            return false;
        };
        let Some(merging) = self.machine.merging() else { return true };
        match catch_unwind(AssertUnwindSafe(|| merging.is_news(op))) {
            Ok(Ok(is_news)) => is_news,
            // It builds on what was turned away before it.
            Ok(Err(fault)) => fault.code == "missing_predecessors",
            // The decision finds out, and sets it aside.
            Err(_) => false,
        }
    }

    /// The client's first number that has no outcome.
    pub(super) fn first_unsettled(&self, client: ClientId) -> u64 {
        let in_flight = self.flight.as_ref().and_then(|flight| {
            flight.commit.ledgers.iter().find(|(c, _)| *c == client).map(|(_, ledger)| ledger)
        });
        in_flight.or_else(|| self.ledgers.get(&client)).map_or(0, Ledger::mark) + 1
    }

    pub(super) fn report_missing(&mut self, now: Millis) {
        let Some(before) = now.checked_sub(self.limits.early_hold_ms) else { return };
        if planted!(HoldEarlyForEver) {
            return;
        }
        for (client, session, early, missing) in self.lanes.give_up(before) {
            if let Some(session) = session {
                let told = vec![(early, Outcome::Missing(missing))];
                self.send(session, Message::Outcomes(client, told));
            }
        }
    }

    /// Goes on with whatever can go on: reads, then the next batch.
    pub(super) fn pump(&mut self, now: Millis) {
        self.answer_reads(now);
        if self.may_decide() && (now >= self.next_batch || self.has_full_batch()) {
            self.form_batch(now);
        }
    }

    /// Whether something is queued that could be decided.
    pub(super) fn may_decide(&self) -> bool {
        self.flight.is_none()
            && self.health == Health::Ready
            && !self.looking_up
            && !self.queue.is_empty()
    }

    fn has_full_batch(&self) -> bool {
        self.queue.len() >= self.limits.batch_ops_max
            || self.queue_bytes >= self.limits.batch_bytes_max
    }

    /// How long the room rests between batches. The more are told of each, the more it pays to
    /// have few; a single edit in a quiet room never waits.
    fn batch_gap(&self) -> Millis {
        let gap_us = self.limits.batch_gap_us_per_session * self.members.len() as u64;
        (gap_us / 1000).min(self.limits.batch_gap_ms_max)
    }

    /// Decides what is queued on the working state and sends it to the log.
    fn form_batch(&mut self, now: Millis) {
        let mut entries = Vec::new();
        let mut ledgers: BTreeMap<ClientId, Ledger> = BTreeMap::new();
        let mut ops = Vec::new();
        let mut verdicts = Vec::new();
        let mut bytes = 0;
        while let Some(queued) = self.queue.pop_front() {
            let weight = queued.weight();
            let is_full = ops.len() >= self.limits.batch_ops_max
                || (bytes + weight > self.limits.batch_bytes_max && !ops.is_empty());
            if is_full {
                self.queue.push_front(queued);
                break;
            }
            self.queue_bytes -= weight;
            if let Maker::Caller { ticket, access } = queued.maker
                && access != self.guard.access
                && !planted!(TrustOldRightOfCaller)
            {
                self.outputs.push_back(Output::Merged(ticket, None));
                continue;
            }
            if let Maker::Client(client, client_seq) = queued.maker
                && let Some(ledger) = self.ledgers.get(&client)
                && client_seq <= ledger.mark()
                && !planted!(DecideAgain)
            {
                // Decided elsewhere while it waited here. Who cannot ask any more is not told.
                if let Known::Settled(verdict) = ledger.of(client_seq) {
                    verdicts.push(verdict.clone());
                    ops.push(queued);
                }
                continue;
            }
            bytes += weight;
            let seq = self.head + entries.len() as u64 + 1;
            let author = Author {
                person: queued.person,
                right: queued.right.unwrap_or(Right::Read),
                at: now,
                seq: if planted!(DecideForCommittedHead) { self.head + 1 } else { seq },
            };
            let verdict = match self.decide(&queued, &author) {
                Ok(Some(effect)) => {
                    let (client, client_seq) = match queued.maker {
                        Maker::Client(client, client_seq) => (client, client_seq),
                        Maker::Session(_) | Maker::Caller { .. } | Maker::Server(_) => {
                            (ClientId::NONE, 0)
                        }
                    };
                    entries.push(Arc::new(Entry {
                        seq,
                        client,
                        client_seq,
                        person: queued.person,
                        at: now,
                        body: Body::Effect(effect),
                    }));
                    Verdict::Accepted(seq)
                }
                Ok(None) => Verdict::Accepted(seq - 1),
                Err(Upset::Refused(fault)) => Verdict::Refused(fault),
                Err(Upset::Broken(why)) => {
                    // The working state is spoilt. Load it anew, and then refuse this one.
                    if let Ok(op) = &queued.op {
                        self.poisons.note(now, queued.person, op);
                        let poison = Poison { person: queued.person, op: op.clone(), why };
                        self.outputs.push_back(Output::Quarantine(poison));
                    }
                    let culprit = Queued { op: Err(Fault::new("quarantined")), ..queued };
                    ops.push(culprit);
                    return self.start_over(ops);
                }
            };
            let is_silent = planted!(RefuseWithoutLedger) && matches!(verdict, Verdict::Refused(_));
            if let Maker::Client(client, client_seq) = queued.maker
                && !is_silent
            {
                let known = || self.ledgers.get(&client).cloned().unwrap_or_default();
                let ledger = ledgers.entry(client).or_insert_with(known);
                let is_next = ledger.mark() + 1 == client_seq;
                assert!(is_next || planted!(DecideAgain), "lanes queue in order (L4)");
                ledger.settle(verdict.clone(), now);
            }
            verdicts.push(verdict);
            ops.push(queued);
        }
        if entries.is_empty() && ledgers.is_empty() {
            // Nothing to store: what these add is in the log already, or they were refused.
            self.answer(&ops, |at, _| outcome_of(&verdicts[at]));
            return self.pump(now);
        }
        let commit = Commit {
            first_seq: self.head + 1,
            entries,
            ledgers: match planted!(CommitWithoutLedgers) {
                true => Vec::new(),
                false => ledgers.into_iter().collect(),
            },
            guard: self.guard,
        };
        if planted!(AnswerBeforeCommit) {
            self.answer(&ops, |at, _| outcome_of(&verdicts[at]));
        }
        if planted!(ShowBeforeCommit) {
            let entries = commit.entries.clone();
            self.outputs.push_back(Output::Broadcast(Message::Events(entries)));
        }
        self.next_batch = now + self.batch_gap();
        self.rhythm.departs(now, self.limits.batch_gap_ms_max);
        self.outputs.push_back(Output::Commit(commit.clone()));
        self.flight = Some(Flight { commit, ops, verdicts });
    }

    fn decide(&mut self, queued: &Queued, author: &Author) -> Result<Option<Bytes>, Upset> {
        let op = queued.op.as_ref().map_err(|fault| Upset::Refused(fault.clone()))?;
        if queued.right.is_none_or(|right| right < Right::Edit) {
            // A session that merges tells what it has without being asked to change anything.
            if let (Maker::Session(_), Some(_), Some(merging)) =
                (queued.maker, queued.right, self.machine.merging())
                && !merging.is_news(op).map_err(Upset::Refused)?
            {
                return Ok(None);
            }
            let fault = Fault::new("no_right").with("needed", Right::Edit.name());
            return Err(Upset::Refused(fault));
        }
        if self.poisons.refuses(author.at, queued.person, op) {
            return Err(Upset::Refused(Fault::new("quarantined")));
        }
        if self.recent.room_bytes() + op.len() > self.limits.room_bytes_max {
            let fault = Fault::new("room_full").with("limit", self.limits.room_bytes_max);
            return Err(Upset::Refused(fault));
        }
        catch_unwind(AssertUnwindSafe(|| self.machine.execute(op, author)))
            .unwrap_or_else(|panic| Err(Upset::Broken(said_by(&*panic))))
    }

    /// Puts operations back in front of the queue and loads the state anew.
    fn start_over(&mut self, ops: Vec<Queued>) {
        for op in ops.into_iter().rev() {
            self.queue_bytes += op.weight();
            self.queue.push_front(op);
        }
        self.health = Health::Loading;
        self.outputs.push_back(Output::Reload);
    }

    /// The log has answered the [`Commit`].
    pub fn committed(&mut self, now: Millis, how: Committed) {
        let flight = self.flight.take().expect("the shell answers each commit once");
        match how {
            Committed::Ok => self.land(flight),
            Committed::Unknown if planted!(TakeUnknownForStored) => self.land(flight),
            Committed::Overtaken if planted!(TakeOvertakenForStored) => self.land(flight),
            Committed::Failed if planted!(KeepStateOfFailedCommit) => {
                let not_saved = self.not_saved();
                self.answer(&flight.ops, |_, _| not_saved.clone());
                self.turn_away_queue(&flight.ops);
            }
            Committed::Overtaken => self.start_over(flight.ops),
            Committed::Failed | Committed::Unknown => {
                self.landed = Some((flight, how, now));
                self.health = Health::Loading;
                self.outputs.push_back(Output::Reload);
                self.tell_storing(false);
            }
        }
        self.pump(now);
    }

    fn land(&mut self, flight: Flight) {
        let Flight { commit: Commit { entries, ledgers, .. }, ops, verdicts } = flight;
        self.head += entries.len() as u64;
        self.guard.answers += u64::from(entries.is_empty());
        self.recent.push(&entries);
        if !planted!(ForgetLedgers) {
            self.ledgers.extend(ledgers);
        }
        self.answer(&ops, |at, _| outcome_of(&verdicts[at]));
        if !entries.is_empty() {
            self.outputs.push_back(Output::Broadcast(Message::Events(entries)));
        }
        self.tell_storing(true);
        self.offer_snapshot();
        let ledgers = &self.ledgers;
        self.lanes.sweep(|client| ledgers.get(&client).map_or(0, Ledger::mark));
    }

    /// Tells the authors of these operations what became of them. `outcome` gets an operation's
    /// place and what its client's ledger says of it.
    fn answer(&mut self, ops: &[Queued], outcome: impl Fn(usize, Option<&Verdict>) -> Outcome) {
        let mut told: BTreeMap<(SessionId, ClientId), Vec<(u64, Outcome)>> = BTreeMap::new();
        for (at, op) in ops.iter().enumerate() {
            match op.maker {
                Maker::Session(ticket) => {
                    let message = Message::Merged(ticket, outcome(at, None));
                    self.send(op.session, message);
                }
                Maker::Caller { ticket, .. } | Maker::Server(ticket) => {
                    self.outputs.push_back(Output::Merged(ticket, Some(outcome(at, None))));
                }
                Maker::Client(client, client_seq) => {
                    let Some(session) = self.lanes.session(client) else { continue };
                    let verdict = match self.ledgers.get(&client).map(|l| l.of(client_seq)) {
                        Some(Known::Settled(verdict)) => Some(verdict),
                        _ => None,
                    };
                    let outcome = (client_seq, outcome(at, verdict));
                    told.entry((session, client)).or_default().push(outcome);
                }
            }
        }
        for ((session, client), outcomes) in told {
            self.send(session, Message::Outcomes(client, outcomes));
        }
    }

    /// The room was read anew from the log.
    pub fn reloaded(&mut self, now: Millis, loaded: Loaded) {
        let before = self.head;
        assert!(loaded.head >= before, "a log does not lose what it has acknowledged");
        let known = loaded.guard.epoch == self.guard.epoch;
        let people = self.people();
        let has_changed = loaded.guard.access > self.guard.access;
        if has_changed && !people.is_empty() && !planted!(IgnoreRightsOnReload) {
            self.looking_up = true;
            self.outputs.push_back(Output::LookUp(people));
        }
        self.machine = loaded.machine;
        (self.guard, self.lineage, self.head) = (loaded.guard, loaded.lineage, loaded.head);
        let room = self.limits.recent_bytes_max;
        self.recent = Recent::new(loaded.snapshot, loaded.entries, loaded.head, room);
        self.ledgers = loaded.ledgers;
        self.health = Health::Ready;
        if self.head > before && known {
            match self.recent.after(before, self.head) {
                Some(entries) => {
                    self.outputs.push_back(Output::Broadcast(Message::Events(entries)));
                }
                None => {
                    let message = self.state_message(self.head, self.machine.snapshot(), false);
                    self.outputs.push_back(Output::Broadcast(message));
                }
            }
        }
        let ledgers = &self.ledgers;
        let mark = |client| ledgers.get(&client).map_or(0, Ledger::mark);
        let (settled, next) = match planted!(ForgetToCatchUp) {
            true => (Vec::new(), Vec::new()),
            false => self.lanes.catch_up(now, mark),
        };
        let not_saved = self.not_saved();
        let told = |_, verdict: Option<&Verdict>| verdict.map_or(not_saved.clone(), outcome_of);
        self.answer(&settled, told);
        self.queue_bytes += next.iter().map(Queued::weight).sum::<usize>();
        self.queue.extend(next);
        if let Some((flight, _, failed_at)) = self.landed.take() {
            // What a session merged may be in the log or not: it compares and sends it again.
            self.answer(&flight.ops, told);
            self.turn_away_queue(&flight.ops);
            let until = failed_at + self.limits.store_pause_ms;
            if until > now {
                self.health = Health::Pausing { until };
            }
        }
        if let Some((head, answers)) = self.noticed.take() {
            self.noticed(head, answers);
        }
        self.pump(now);
    }

    /// The room could not be read; it is tried again later.
    pub fn load_failed(&mut self, now: Millis) {
        if let Some((flight, Committed::Failed, _)) = &mut self.landed {
            // Certainly not stored: no need to keep the authors waiting.
            let ops = std::mem::take(&mut flight.ops);
            let not_saved = self.not_saved();
            self.answer(&ops, |_, _| not_saved.clone());
            self.turn_away_queue(&ops);
        }
        self.tell_storing(false);
        self.health = Health::Unloaded { retry_at: now + self.limits.store_pause_ms };
    }

    /// Nothing that is queued can be stored now; the authors keep it.
    fn turn_away_queue(&mut self, failed: &[Queued]) {
        let queued: Vec<Queued> = self.queue.drain(..).collect();
        self.queue_bytes = 0;
        let not_saved = self.not_saved();
        self.answer(&queued, |_, _| not_saved.clone());
        for client in failed.iter().chain(&queued).filter_map(Queued::client) {
            let next = self.first_unsettled(client);
            self.lanes.rewind(client, next);
        }
    }

    fn not_saved(&self) -> Outcome {
        Outcome::NotSaved(store_failed(self.limits.store_pause_ms))
    }

    fn tell_storing(&mut self, ok: bool) {
        if self.told_failing == ok {
            self.told_failing = !ok;
            self.outputs.push_back(Output::Broadcast(Message::Storing(ok)));
        }
    }

    /// Has the state stored if that is due. It must be the one at the head.
    pub(super) fn offer_snapshot(&mut self) {
        let RoomLimits { snapshot_bytes_min, snapshot_entries_max, .. } = self.limits;
        let left = mem::take(&mut self.left);
        if self.recent.is_due(self.head, snapshot_bytes_min, snapshot_entries_max, left) {
            let state = self.machine.snapshot();
            self.recent.set_state(self.head, state.clone());
            self.recent.saving();
            self.outputs.push_back(Output::Snapshot(self.head, state));
        }
    }

    /// A snapshot was stored (with this many bytes), or not.
    pub fn snapshotted(&mut self, seq: crate::Seq, bytes: Option<usize>) {
        self.recent.saved(bytes.map(|bytes| (seq, bytes)));
    }
}

/// What a panic said.
fn said_by(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panic: {}", text.unwrap_or_default())
}

fn outcome_of(verdict: &Verdict) -> Outcome {
    match verdict {
        Verdict::Accepted(seq) => Outcome::Accepted(*seq),
        Verdict::Refused(fault) => Outcome::Refused(fault.clone()),
    }
}

/// The room's space is full; who waits is told earlier if it is not any more.
fn quota_exceeded(again_ms: Millis) -> Fault {
    Fault::new("quota_exceeded").with("retry_ms", again_ms)
}

/// The store does not take changes; it is tried again in so many milliseconds.
fn store_failed(again_ms: Millis) -> Fault {
    // Somewhat later, so that a client does not come a moment too early.
    Fault::new("store_failed").with("retry_ms", again_ms + 500)
}
