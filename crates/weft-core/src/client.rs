//! The client's end of the protocol for one room, sans-IO: what to send again, what to apply next,
//! what is still unanswered. `web/src/sync` is its twin in the browser.
//!
//! The caller keeps the replica itself: it gets entries in order, each once ([`Output::Apply`]), or a
//! whole state in their place ([`Output::Reset`]).
//!
//! Start at [`Follower::make`] and [`Follower::attached`]; drain [`Follower::poll_output`] after
//! every input.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    ClientId, Entry, Fault, Millis, Seq, WINDOW, planted,
    room::{Outcome, Since},
};

/// How long a gap may heal by itself before the missing range is pulled (R2).
pub const GAP_MS: Millis = 50;
/// How long an operation that was not saved waits, unless the server says otherwise (R6).
pub const RETRY_MS: Millis = 2_000;

/// What the caller has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send an operation under this number.
    Submit(u64, Bytes),
    /// Ask for the entries after this seq.
    Pull(Seq),
    /// Apply this entry.
    Apply(Arc<Entry>),
    /// Start anew from this state; entries after it follow.
    Reset(Seq, Bytes),
    /// An operation has its durable outcome.
    Settled(u64, Result<Seq, Fault>),
    /// The content was replaced: these operations must not be merged into it (L8).
    Orphaned(Vec<Bytes>),
}

/// One room, as a client follows it.
#[derive(Debug)]
pub struct Follower {
    client: ClientId,
    epoch: u64,
    lineage: u64,
    head: Seq,
    /// Unanswered operations, in order.
    pending: VecDeque<(u64, Bytes)>,
    next_client_seq: u64,
    /// How many of `pending` are under way on this connection.
    sent: usize,
    attached: bool,
    /// Entries that came before those that they follow.
    early: BTreeMap<Seq, Arc<Entry>>,
    gap_since: Option<Millis>,
    retry_at: Option<Millis>,
    outputs: VecDeque<Output>,
}

impl Follower {
    /// A client that has nothing of the room yet.
    #[must_use]
    pub fn new(client: ClientId) -> Self {
        Self {
            client,
            epoch: 0,
            lineage: 0,
            head: 0,
            pending: VecDeque::new(),
            next_client_seq: 1,
            sent: 0,
            attached: false,
            early: BTreeMap::new(),
            gap_since: None,
            retry_at: None,
            outputs: VecDeque::new(),
        }
    }

    /// A client that has kept unanswered operations, in order of their numbers, and nothing else: a tab
    /// that was loaded anew, or the queue of one that was closed. `next_client_seq` is the number after
    /// the last that it ever gave.
    #[must_use]
    pub fn restore(client: ClientId, next_client_seq: u64, pending: Vec<(u64, Bytes)>) -> Self {
        let next_client_seq = if planted!(NumberFromOneAgain) { 1 } else { next_client_seq };
        Self { next_client_seq, pending: pending.into(), ..Self::new(client) }
    }

    /// The unanswered operations, in order of their numbers.
    pub fn unanswered(&self) -> impl Iterator<Item = &(u64, Bytes)> {
        self.pending.iter()
    }

    /// The number that the next operation will have.
    #[must_use]
    pub const fn next_client_seq(&self) -> u64 {
        self.next_client_seq
    }

    /// What to attach with.
    #[must_use]
    pub const fn since(&self) -> Since {
        Since { seq: self.head, epoch: self.epoch, lineage: self.lineage }
    }

    /// The last entry that was handed out to be applied.
    #[must_use]
    pub const fn head(&self) -> Seq {
        self.head
    }

    /// How many operations have no outcome yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The next thing to do. To be called until it returns `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Follower::wake`] wants to be called next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Millis> {
        self.gap_since.map(|since| since + GAP_MS).into_iter().chain(self.retry_at).min()
    }

    /// Time has passed.
    pub fn wake(&mut self, now: Millis) {
        if self.gap_since.is_some_and(|since| since + GAP_MS <= now) {
            // Asked again should the answer be lost.
            self.gap_since = Some(now + 20 * GAP_MS);
            if !planted!(ForgetToPull) {
                self.outputs.push_back(Output::Pull(self.head));
            }
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.send();
        }
    }

    /// Makes an operation and returns its number.
    pub fn make(&mut self, op: Bytes) -> u64 {
        let client_seq = self.next_client_seq;
        self.next_client_seq += 1;
        self.pending.push_back((client_seq, op));
        self.send();
        client_seq
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.attached = false;
        if !planted!(ForgetToSendAgain) {
            self.sent = 0;
        }
        (self.gap_since, self.retry_at) = (None, None);
        self.early.clear();
    }

    /// The room is attached: `state` if the client has to start anew, then the entries after it.
    pub fn attached(
        &mut self,
        now: Millis,
        epoch: u64,
        lineage: u64,
        state: Option<(Seq, Bytes)>,
        entries: Vec<Arc<Entry>>,
    ) {
        let is_other = self.lineage != 0 && self.lineage != lineage;
        if is_other && !self.pending.is_empty() && !planted!(MergeAcrossLineages) {
            let orphans = self.pending.drain(..).map(|(_, op)| op).collect();
            self.outputs.push_back(Output::Orphaned(orphans));
        }
        (self.epoch, self.lineage, self.attached) = (epoch, lineage, true);
        if !planted!(ForgetToSendAgain) {
            self.sent = 0;
        }
        if let Some((seq, state)) = state {
            self.reset(seq, state);
        }
        self.events(now, entries);
        self.send();
    }

    /// The server sent the whole state at a seq.
    pub fn state(&mut self, now: Millis, seq: Seq, state: Bytes) {
        self.reset(seq, state);
        self.apply_early(now);
    }

    fn reset(&mut self, seq: Seq, state: Bytes) {
        self.head = seq;
        self.early.retain(|&early, _| early > seq);
        self.outputs.push_back(Output::Reset(seq, state));
    }

    /// The server sent entries (R2).
    pub fn events(&mut self, now: Millis, entries: Vec<Arc<Entry>>) {
        for entry in entries {
            if entry.seq > self.head {
                self.early.insert(entry.seq, entry);
            }
        }
        self.apply_early(now);
    }

    fn apply_early(&mut self, now: Millis) {
        if planted!(ApplyAcrossGap)
            && let Some((&first, _)) = self.early.first_key_value()
        {
            self.head = first - 1;
        }
        while let Some(entry) = self.early.remove(&(self.head + 1)) {
            self.head = entry.seq;
            if entry.client == self.client {
                // As good as an answer (R4).
                self.settle(entry.client_seq, Ok(entry.seq));
            }
            self.outputs.push_back(Output::Apply(entry));
        }
        match self.early.is_empty() {
            true => self.gap_since = None,
            false => drop(self.gap_since.get_or_insert(now)),
        }
    }

    /// The server dropped what it had to tell this session, and tells nothing more of the room before it
    /// is asked (R3); also when there is no newer entry.
    pub fn resync(&mut self) {
        if !planted!(ForgetToPull) {
            self.outputs.push_back(Output::Pull(self.head));
        }
    }

    /// The server answered an operation.
    pub fn outcome(&mut self, now: Millis, client_seq: u64, outcome: Outcome) {
        match outcome {
            Outcome::Accepted(seq) => self.settle(client_seq, Ok(seq)),
            Outcome::Refused(fault) => self.settle(client_seq, Err(fault)),
            Outcome::NotSaved(_) if planted!(DropNotSaved) => {
                self.pending.retain(|(seq, _)| *seq != client_seq);
                self.sent = self.pending.len();
            }
            Outcome::NotSaved(fault) => {
                let retry_ms = fault.params.get("retry_ms").and_then(|ms| ms.parse().ok());
                self.sent = 0;
                self.retry_at.get_or_insert(now + retry_ms.unwrap_or(RETRY_MS));
            }
            Outcome::Missing(from) => {
                self.sent = self.pending.iter().take_while(|(seq, _)| *seq < from).count();
                self.send();
            }
        }
    }

    /// The store takes changes again, or not (R6).
    pub fn storing(&mut self, ok: bool) {
        if ok && self.retry_at.take().is_some() {
            self.send();
        }
    }

    fn settle(&mut self, client_seq: u64, outcome: Result<Seq, Fault>) {
        // A repeat may be answered twice.
        if let Some(at) = self.pending.iter().position(|(seq, _)| *seq == client_seq) {
            self.pending.remove(at);
            self.sent = self.sent.saturating_sub(usize::from(at < self.sent));
            self.outputs.push_back(Output::Settled(client_seq, outcome));
            self.send();
        }
    }

    /// Sends what may be under way (R5).
    fn send(&mut self) {
        if !self.attached || self.retry_at.is_some() {
            return;
        }
        let window = self.pending.front().map_or(0, |(first, _)| first + WINDOW);
        while let Some((client_seq, op)) = self.pending.get(self.sent)
            && *client_seq < window
        {
            self.outputs.push_back(Output::Submit(*client_seq, op.clone()));
            self.sent += 1;
        }
    }
}

#[cfg(test)]
mod tests;
