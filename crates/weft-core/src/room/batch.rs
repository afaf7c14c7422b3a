//! The way of an operation: lane, queue, decision, batch in flight, outcome.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    ClientId, Entry, Fault, Ledger, Millis, PersonId, Right, SessionId,
    entry::Body,
    ledger::{Known, Verdict, WINDOW},
    machine::{Author, Upset},
    room::{
        Commit, Committed, Health, Loaded, Message, Outcome, Output, Recent, Room, lanes::Place,
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
}

/// An operation that waits to be decided.
pub(super) struct Queued {
    pub(super) session: SessionId,
    pub(super) maker: Maker,
    pub(super) person: PersonId,
    /// What the person may do; `None`: nothing any more.
    pub(super) right: Option<Right>,
    /// The operation, or why it must be refused whatever it says.
    pub(super) op: Result<Bytes, Fault>,
}

impl Queued {
    pub(super) fn weight(&self) -> usize {
        64 + self.op.as_ref().map_or(0, Bytes::len)
    }

    pub(super) const fn client(&self) -> Option<ClientId> {
        match self.maker {
            Maker::Client(client, _) => Some(client),
            Maker::Session(_) => None,
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
        let (person, right) = (member.person, Some(member.right));
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
        let maker = Maker::Client(client, client_seq);
        let queued = Queued { session, maker, person, right, op };
        if let Some(fault) = self.turned_away(&queued) {
            let told = vec![(client_seq, Outcome::NotSaved(fault))];
            return self.send(session, Message::Outcomes(client, told));
        }
        let settled = ledger.map_or(0, Ledger::mark);
        match self.lanes.place(now, client, client_seq, queued, settled, WINDOW) {
            Place::Queue(run) => {
                self.queue_bytes += run.iter().map(Queued::weight).sum::<usize>();
                self.queue.extend(run);
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
        let (person, right) = (member.person, Some(member.right));
        let queued = Queued { session, maker: Maker::Session(ticket), person, right, op };
        if let Some(fault) = self.turned_away(&queued) {
            return self.send(session, Message::Merged(ticket, Outcome::NotSaved(fault)));
        }
        self.queue_bytes += queued.weight();
        self.queue.push_back(queued);
        self.pump(now);
    }

    /// Why the room takes no operation now, if so.
    fn turned_away(&self, queued: &Queued) -> Option<Fault> {
        let failing = matches!(self.health, Health::Pausing { .. } | Health::Unloaded { .. });
        if failing {
            return Some(store_failed());
        }
        let full = self.queue.len() >= self.limits.queue_ops_max
            || self.queue_bytes + queued.weight() > self.limits.queue_bytes_max;
        full.then(|| Fault::new("busy").with("retry_ms", 500))
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
        if self.flight.is_none() && self.health == Health::Ready && !self.queue.is_empty() {
            self.form_batch(now);
        }
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
            bytes += weight;
            let seq = self.head + entries.len() as u64 + 1;
            let author = Author {
                person: Some(queued.person),
                right: queued.right.unwrap_or(Right::Read),
                at: now,
                seq,
            };
            let verdict = match self.decide(&queued, &author) {
                Ok(Some(effect)) => {
                    let (client, client_seq) = match queued.maker {
                        Maker::Client(client, client_seq) => (client, client_seq),
                        Maker::Session(_) => (ClientId::NONE, 0),
                    };
                    entries.push(Arc::new(Entry {
                        seq,
                        client,
                        client_seq,
                        person: Some(queued.person),
                        at: now,
                        body: Body::Effect(effect),
                    }));
                    Verdict::Accepted(seq)
                }
                Ok(None) => Verdict::Accepted(seq - 1),
                Err(Upset::Refused(fault)) => Verdict::Refused(fault),
                Err(Upset::Broken(_)) => {
                    // The working state is spoilt. Load it anew, and then refuse this one.
                    let culprit = Queued { op: Err(Fault::new("quarantined")), ..queued };
                    ops.push(culprit);
                    return self.start_over(ops);
                }
            };
            if let Maker::Client(client, client_seq) = queued.maker {
                let known = || self.ledgers.get(&client).cloned().unwrap_or_default();
                let ledger = ledgers.entry(client).or_insert_with(known);
                assert_eq!(ledger.mark() + 1, client_seq, "lanes queue in order (L4)");
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
            ledgers: ledgers.into_iter().collect(),
            guard: self.guard,
        };
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
        if self.recent.room_bytes() + op.len() > self.limits.room_bytes_max {
            let fault = Fault::new("room_full").with("limit", self.limits.room_bytes_max);
            return Err(Upset::Refused(fault));
        }
        catch_unwind(AssertUnwindSafe(|| self.machine.execute(op, author)))
            .unwrap_or_else(|_| Err(Upset::Broken("panic".to_owned())))
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
            Committed::Overtaken => self.start_over(flight.ops),
            Committed::Failed | Committed::Unknown => {
                self.landed = Some((flight, how));
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
        self.recent.push(&entries);
        self.ledgers.extend(ledgers);
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
        if let Some((flight, _)) = self.landed.take() {
            // What a session merged may be in the log or not: it compares and sends it again.
            self.answer(&flight.ops, |_, verdict| verdict.map_or_else(not_saved, outcome_of));
            self.turn_away_queue(&flight.ops);
            self.health = Health::Pausing { until: now + self.limits.store_pause_ms };
        }
        self.pump(now);
    }

    /// The room could not be read; it is tried again later.
    pub fn load_failed(&mut self, now: Millis) {
        if let Some((flight, Committed::Failed)) = &mut self.landed {
            // Certainly not stored: no need to keep the authors waiting.
            let ops = std::mem::take(&mut flight.ops);
            self.answer(&ops, |_, _| not_saved());
            self.turn_away_queue(&ops);
        }
        self.tell_storing(false);
        self.health = Health::Unloaded { retry_at: now + self.limits.store_pause_ms };
    }

    /// Nothing that is queued can be stored now; the authors keep it.
    fn turn_away_queue(&mut self, failed: &[Queued]) {
        let queued: Vec<Queued> = self.queue.drain(..).collect();
        self.queue_bytes = 0;
        self.answer(&queued, |_, _| not_saved());
        for client in failed.iter().chain(&queued).filter_map(Queued::client) {
            let next = self.first_unsettled(client);
            self.lanes.rewind(client, next);
        }
    }

    fn tell_storing(&mut self, ok: bool) {
        if self.told_failing == ok {
            self.told_failing = !ok;
            self.outputs.push_back(Output::Broadcast(Message::Storing(ok)));
        }
    }

    fn offer_snapshot(&mut self) {
        let limits = &self.limits;
        if self.recent.is_due(self.head, limits.snapshot_bytes_min, limits.snapshot_entries_max) {
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

fn outcome_of(verdict: &Verdict) -> Outcome {
    match verdict {
        Verdict::Accepted(seq) => Outcome::Accepted(*seq),
        Verdict::Refused(fault) => Outcome::Refused(fault.clone()),
    }
}

fn not_saved() -> Outcome {
    Outcome::NotSaved(store_failed())
}

fn store_failed() -> Fault {
    Fault::new("store_failed").with("retry_ms", 2_000)
}
