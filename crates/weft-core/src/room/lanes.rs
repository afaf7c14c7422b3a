//! Lanes: for each client, which number is next, what came early, and whom to answer (L3, L4).

use std::collections::BTreeMap;

use crate::{ClientId, Millis, SessionId, room::Queued};

#[derive(Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<ClientId, Lane>,
}

struct Lane {
    /// The session that speaks for the client now, if any.
    session: Option<SessionId>,
    /// The number that is to be queued next: those before it are settled, queued or in flight.
    next: u64,
    early: BTreeMap<u64, Queued>,
    early_since: Option<Millis>,
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
        if client_seq > lane.next {
            lane.early.insert(client_seq, op);
            lane.early_since.get_or_insert(now);
            return Place::Held;
        }
        lane.early.remove(&client_seq);
        let mut run = vec![op];
        lane.next += 1;
        while let Some(op) = lane.early.remove(&lane.next) {
            run.push(op);
            lane.next += 1;
        }
        lane.early_since = if lane.early.is_empty() { None } else { Some(now) };
        Place::Queue(run)
    }

    /// Whom to tell about a client's operations.
    pub(super) fn session(&self, client: ClientId) -> Option<SessionId> {
        self.lanes.get(&client)?.session
    }

    /// What was queued of this client from `next` on is no longer; it has to be sent again.
    pub(super) fn rewind(&mut self, client: ClientId, next: u64) {
        if let Some(lane) = self.lanes.get_mut(&client) {
            lane.next = next;
            lane.early.clear();
            lane.early_since = None;
        }
    }

    /// A session is gone: nobody is told about what it sent, and what came early is dropped.
    pub(super) fn forget(&mut self, session: SessionId) {
        for lane in self.lanes.values_mut().filter(|lane| lane.session == Some(session)) {
            lane.session = None;
            lane.early.clear();
            lane.early_since = None;
        }
    }

    /// Drops the lanes that nobody speaks for and that have nothing under way.
    pub(super) fn sweep(&mut self, settled: impl Fn(ClientId) -> u64) {
        self.lanes.retain(|&client, lane| {
            lane.session.is_some() || !lane.early.is_empty() || lane.next > settled(client) + 1
        });
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
                lane.early.clear();
                lane.early_since = None;
            }
        }
        missing
    }
}
