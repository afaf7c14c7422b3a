//! Reads: attaching, pulling, comparing, text. All of them wait for the batch in flight, so that
//! they tell of committed state alone (L1).

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Entry, Fault, Millis, PersonId, Right, Seq, SessionId,
    machine::Digest,
    planted,
    presence::Face,
    room::{Attached, Health, Member, Message, Output, Replica, Room, recent::Beginning},
};

/// Where a session's replica stands; all 0: it has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Since {
    /// The last entry that it has applied.
    pub seq: Seq,
    /// The numbering that it knows.
    pub epoch: u64,
    /// The lineage of its content.
    pub lineage: u64,
}

/// From what a session that attaches starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It follows the log from here.
    Log(Since),
    /// It has a replica of its own, and merges (L9): it is told what the room has.
    Merge,
}

/// A read that waits for its turn.
pub enum Ask {
    /// A session wants to follow the room.
    Attach {
        /// Which.
        session: SessionId,
        /// By whose rights.
        person: PersonId,
        /// What the person may do.
        right: Right,
        /// The most that the session may ever do, whatever the person may.
        cap: Right,
        /// As whom others see it.
        face: Face,
        /// What the session has.
        start: Start,
    },
    /// A session wants the entries after a seq.
    Pull(SessionId, Seq),
    /// A session wants to know whether its state at a seq is right.
    Compare(SessionId, Seq, Digest),
    /// A session that merges is to be told what the room has.
    StateVector(SessionId),
    /// A session that merges has this state vector, and wants what it lacks; under a ticket.
    Missing(SessionId, u64, Bytes),
    /// What someone lacks who does not follow the room and has this state vector, under a ticket.
    State(u64, Bytes),
    /// The text projection, under a ticket.
    Text(u64),
    /// To know when the batch in flight has landed, under a ticket: what was decided by rights
    /// that have changed since is then in the log or nowhere.
    Barrier(u64),
}

impl Ask {
    pub(super) const fn session(&self) -> Option<SessionId> {
        match self {
            Self::Attach { session, .. }
            | Self::Pull(session, _)
            | Self::Compare(session, ..)
            | Self::StateVector(session)
            | Self::Missing(session, ..) => Some(*session),
            Self::State(..) | Self::Text(_) | Self::Barrier(_) => None,
        }
    }

    /// Who wants to follow the room, if this is about that.
    pub(super) const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Attach { person, .. } => Some(*person),
            _ => None,
        }
    }

    /// A person's right changed while this waited.
    pub(super) fn set_right(&mut self, who: PersonId, new: Right) {
        if let Self::Attach { person, right, .. } = self
            && *person == who
        {
            *right = new;
        }
    }

    /// The session that waits to be attached for this person, if any.
    pub(super) fn attaching(&self, who: PersonId) -> Option<SessionId> {
        match self {
            Self::Attach { session, person, .. } if *person == who => Some(*session),
            _ => None,
        }
    }
}

impl Room {
    /// A read, answered at once or when the batch in flight has landed.
    pub fn ask(&mut self, now: Millis, ask: Ask) {
        self.waiting.push_back(ask);
        self.pump(now);
    }

    pub(super) fn answer_reads(&mut self, now: Millis) {
        let can_read = self.flight.is_none()
            && !self.looking_up
            && matches!(self.health, Health::Ready | Health::Pausing { .. });
        let reads_anyway = planted!(ReadWorkingState) && self.health == Health::Ready;
        if !can_read && !reads_anyway {
            return;
        }
        while let Some(ask) = self.waiting.pop_front() {
            match ask {
                Ask::Attach { session, person, right, cap, face, start } => {
                    let member = Member { person, right: right.min(cap), cap };
                    self.attach(now, session, member, face, start);
                }
                Ask::Pull(session, after) => self.pull(session, after),
                Ask::Compare(session, seq, digest) => self.compare(session, seq, digest),
                Ask::StateVector(session) => self.tell_state_vector(session),
                Ask::Missing(session, ticket, state_vector) => {
                    self.tell_missing(session, ticket, &state_vector);
                }
                Ask::State(ticket, state_vector) => {
                    let state = self.state_for(&state_vector);
                    self.outputs.push_back(Output::State(ticket, state));
                }
                Ask::Text(ticket) => {
                    self.outputs.push_back(Output::Text(ticket, self.machine.text()));
                }
                Ask::Barrier(ticket) => self.outputs.push_back(Output::Passed(ticket)),
            }
        }
    }

    fn attach(
        &mut self,
        now: Millis,
        session: SessionId,
        member: Member,
        face: Face,
        start: Start,
    ) {
        let (state, entries, state_vector) = match start {
            Start::Log(since) => match self.resume(since) {
                Some(entries) => (None, entries, None),
                None => {
                    let (state, entries) = self.start();
                    (Some(state), entries, None)
                }
            },
            Start::Merge => match self.machine.merging() {
                Some(merging) => (None, Vec::new(), Some(merging.state_vector())),
                None => return self.send(session, Message::Detached(Fault::new("not_merged"))),
            },
        };
        let right = member.right;
        self.presence.leave(session);
        let color = self.presence.join(session, face);
        self.members.insert(session, member);
        let attached = Attached {
            epoch: self.guard.epoch,
            lineage: self.lineage,
            head: self.head,
            right,
            state,
            entries,
            state_vector,
            peers: self.presence.all(),
            color,
        };
        let merges = attached.state_vector.is_some();
        self.send(session, Message::Attached(Box::new(attached)));
        if merges {
            self.send(session, Message::Aware(self.awareness.all()));
        }
        if self.told_failing {
            self.send(session, Message::Storing(false));
        }
        self.schedule_presence(now);
    }

    /// The entries that a session lacks, if it knows this numbering and they are at hand.
    fn resume(&self, since: Since) -> Option<Vec<Arc<Entry>>> {
        let known = since.epoch == self.guard.epoch && since.lineage == self.lineage;
        if known && since.seq > 0 { self.recent.after(since.seq, self.head) } else { None }
    }

    fn pull(&mut self, session: SessionId, after: Seq) {
        if !self.members.contains_key(&session) {
            return self.send(session, Message::Trouble(Fault::new("not_attached")));
        }
        if let Some(entries) = self.recent.after(after, self.head) {
            return self.send(session, Message::Events(entries));
        }
        let ((seq, state), entries) = self.start();
        let message = self.state_message(seq, state, false);
        self.send(session, message);
        if !entries.is_empty() {
            self.send(session, Message::Events(entries));
        }
    }

    fn compare(&mut self, session: SessionId, seq: Seq, digest: Digest) {
        if !self.members.contains_key(&session) {
            return self.send(session, Message::Trouble(Fault::new("not_attached")));
        }
        let equal = seq != self.head || self.machine.digest() == digest;
        self.send(session, Message::Compared(seq, equal));
        if !equal {
            let message = self.state_message(self.head, self.machine.snapshot(), true);
            self.send(session, message);
        }
    }

    pub(super) const fn state_message(&self, seq: Seq, state: Bytes, repair: bool) -> Message {
        Message::State { seq, state, repair, epoch: self.guard.epoch, lineage: self.lineage }
    }

    fn tell_state_vector(&mut self, session: SessionId) {
        if let (true, Some(merging)) = (self.members.contains_key(&session), self.machine.merging())
        {
            let has = merging.state_vector();
            self.send(session, Message::StateVector(has));
        }
    }

    fn tell_missing(&mut self, session: SessionId, ticket: u64, state_vector: &Bytes) {
        if !self.members.contains_key(&session) {
            return self.send(session, Message::Trouble(Fault::new("not_attached")));
        }
        let missing = match self.machine.merging() {
            Some(merging) => merging.missing_from(state_vector),
            None => Err(Fault::new("not_merged")),
        };
        self.send(session, Message::Missing(ticket, missing));
    }

    fn state_for(&self, state_vector: &Bytes) -> Result<Replica, Fault> {
        let merging = self.machine.merging().ok_or_else(|| Fault::new("not_merged"))?;
        let update = merging.missing_from(state_vector)?;
        Ok(Replica { update, state_vector: merging.state_vector() })
    }

    /// What a newcomer starts from. Encodes the state only if what is at hand is too old.
    fn start(&mut self) -> Beginning {
        if let Some(start) = self.recent.start(self.head) {
            return start;
        }
        let state = self.machine.snapshot();
        self.recent.set_state(self.head, state.clone());
        ((self.head, state), Vec::new())
    }
}
