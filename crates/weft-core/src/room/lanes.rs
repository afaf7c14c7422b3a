//! Lanes: for each client, which number is next, what came early, and whom to answer (L3, L4).

use std::collections::BTreeMap;

use crate::{ClientId, Millis, SessionId, planted, room::Queued};

#[derive(Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<ClientId, Lane>,
    held: Held,
}

/// How much is held that came early.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) ops: usize,
    pub(super) bytes: usize,
}

impl Held {
    fn add(&mut self, op: &Queued) {
        self.ops += 1;
        self.bytes += op.weight();
    }

    fn remove(&mut self, op: &Queued) {
        self.ops -= 1;
        self.bytes -= op.weight();
    }
}

struct Lane {
    /// The session that speaks for the client now, if any.
    session: Option<SessionId>,
    /// The number that is to be queued next: those before it are settled, queued or in flight.
    next: u64,
    early: BTreeMap<u64, Queued>,
    early_since: Option<Millis>,
}

impl Lane {
    /// Takes out the early operations that are next, one after the other.
    fn run(&mut self, held: &mut Held) -> Vec<Queued> {
        let mut run = Vec::new();
        while let Some(op) = self.early.remove(&self.next) {
            held.remove(&op);
            run.push(op);
            self.next += 1;
        }
        run
    }

    fn drop_early(&mut self, held: &mut Held) {
        std::mem::take(&mut self.early).values().for_each(|op| held.remove(op));
        self.early_since = None;
    }
}

/// What to do with an operation.
pub(super) enum Place {
    /// Queue these, in order.
    Queue(Vec<Queued>),
    /// It is under way already; its outcome will be told.
    UnderWay,
    /// It is held until those before it have come.
    Held,
    /// Too far ahead: the client does not keep to its window.
    Outside,
}

impl Lanes {
    /// An operation came, whose outcome is not known. `settled` is the client's mark.
    pub(super) fn place(
        &mut self,
        now: Millis,
        client: ClientId,
        client_seq: u64,
        op: Queued,
        settled: u64,
        window: u64,
    ) -> Place {
        let lane = self.lanes.entry(client).or_insert_with(|| Lane {
            session: None,
            next: settled + 1,
            early: BTreeMap::new(),
            early_since: None,
        });
        lane.session = Some(op.session);
        if client_seq > settled + window {
            return Place::Outside;
        }
        if client_seq < lane.next {
            return Place::UnderWay;
        }
        self.held.add(&op);
        if let Some(again) = lane.early.insert(client_seq, op) {
            self.held.remove(&again);
        }
        if planted!(IgnoreOrderOfClient) {
            lane.next = client_seq;
        }
        if client_seq > lane.next {
            lane.early_since.get_or_insert(now);
            return Place::Held;
        }
        let run = lane.run(&mut self.held);
        lane.early_since = if lane.early.is_empty() { None } else { Some(now) };
        Place::Queue(run)
    }

    /// Others may have settled numbers of clients that are known here. Gives the early operations that
    /// have an outcome by now, and those that are next.
    pub(super) fn catch_up(
        &mut self,
        now: Millis,
        settled: impl Fn(ClientId) -> u64,
    ) -> (Vec<Queued>, Vec<Queued>) {
        let (mut known, mut next) = (Vec::new(), Vec::new());
        for (&client, lane) in &mut self.lanes {
            let mark = settled(client);
            if lane.next > mark {
                continue;
            }
            lane.next = mark + 1;
            let later = lane.early.split_off(&lane.next);
            for op in std::mem::replace(&mut lane.early, later).into_values() {
                self.held.remove(&op);
                known.push(op);
            }
            next.extend(lane.run(&mut self.held));
            lane.early_since = if lane.early.is_empty() { None } else { Some(now) };
        }
        (known, next)
    }

    /// How much is held that came early.
    pub(super) const fn held(&self) -> Held {
        self.held
    }

    /// Whom to tell about a client's operations.
    pub(super) fn session(&self, client: ClientId) -> Option<SessionId> {
        self.lanes.get(&client)?.session
    }

    /// What was queued of this client from `next` on is no longer; it has to be sent again.
    pub(super) fn rewind(&mut self, client: ClientId, next: u64) {
        if let Some(lane) = self.lanes.get_mut(&client) {
            lane.next = next;
            lane.drop_early(&mut self.held);
        }
    }

    /// A session is gone: nobody is told about what it sent, and what came early is dropped.
    pub(super) fn forget(&mut self, session: SessionId) {
        for lane in self.lanes.values_mut().filter(|lane| lane.session == Some(session)) {
            lane.session = None;
            lane.drop_early(&mut self.held);
        }
    }

    /// Drops the lanes that nobody speaks for and that have nothing under way.
    pub(super) fn sweep(&mut self, settled: impl Fn(ClientId) -> u64) {
        self.lanes.retain(|&client, lane| {
            lane.session.is_some() || !lane.early.is_empty() || lane.next > settled(client) + 1
        });
    }

    /// All that came early.
    pub(super) fn early(&mut self) -> impl Iterator<Item = &mut Queued> {
        self.lanes.values_mut().flat_map(|lane| lane.early.values_mut())
    }

    /// Since when the longest-held early operation waits.
    pub(super) fn oldest_early(&self) -> Option<Millis> {
        self.lanes.values().filter_map(|lane| lane.early_since).min()
    }

    /// The clients whose early operations have waited since `before` or longer, with the number
    /// that is missing. These operations are dropped: the client sends again from there.
    pub(super) fn give_up(
        &mut self,
        before: Millis,
    ) -> Vec<(ClientId, Option<SessionId>, u64, u64)> {
        let mut missing = Vec::new();
        for (&client, lane) in &mut self.lanes {
            if lane.early_since.is_some_and(|since| since <= before) {
                let first_early = lane.early.keys().next().copied().unwrap_or(lane.next);
                missing.push((client, lane.session, first_early, lane.next));
                lane.drop_early(&mut self.held);
            }
        }
        missing
    }
}
