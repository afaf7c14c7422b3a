//! One Yjs client's exchange with one room, sans-IO: when "saved" may be said, what is asked again,
//! what ends it. The client's replica is its own; which protocol carries its words is the shell's.
//!
//! The room answers each update and question under a ticket. A client is told that something is
//! saved only when everything that it sent before is durable, and never before its answer to our
//! last step 1 is (L1): until then it may have changes that we have never seen. An update that
//! lacks its predecessors is asked for once (L9).
//!
//! Some clients count: each step 2 and each update wants one signal of its own, and with a step 1
//! the client begins to count anew, at one for the step 2 that it is going to be asked for. What
//! it sent before, and what it kept while it was away and sends now, it does not count: signals for
//! those would be taken for the signals of others. Such updates tell of nothing that the client's
//! step 1 does not name.
//!
//! Start at [`Exchange::hear_client`] and [`Exchange::hear_room`]; drain [`Exchange::poll_output`]
//! after every input.
//!
//! Not here: what others did, which goes from the room to all clients at once; rates, and the codes
//! with which sockets are closed.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use crate::{
    Fault, Millis, Right,
    awareness::Aware,
    kind::doc::{Clocks, begins, check_state_vector},
    planted,
    room::{Message as FromRoom, Outcome},
};

/// Updates and questions that may be under way; above it the client is not heard.
const UNDER_WAY_MAX: usize = 256;
/// Questions among them: each may be answered with the whole state.
const QUESTIONS_MAX: usize = 4;
/// Save signals that may be waited for.
const PROMISES_MAX: usize = 4096;
/// What a client may want to have echoed, in bytes.
const ECHO_BYTES_MAX: usize = 1024;
/// Clients take a server for gone that says nothing for 30 s.
pub const QUIET_MS_MAX: Millis = 20_000;
/// y-sweet clients that wait for an echo give up after 3 s without a word.
const QUIET_MS_MAX_WHILE_SAVING: Millis = 2_000;

/// What a client expects of its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// It counts what it sends, and wants a signal for each.
    pub counts: bool,
    /// There is no word for it that somebody may only read: a change all the same ends the exchange.
    pub ends_with_readers_change: bool,
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromClient {
    /// What it has: a state vector.
    Step1(Bytes),
    /// What the room has not, by the room's step 1: an update.
    Step2(Bytes),
    /// A change: an update.
    Update(Bytes),
    /// What it tells of itself.
    Aware(Vec<Aware>),
    /// Who is here?
    WhoIsHere,
    /// To be sent back once all before it is durable.
    Echo(Bytes),
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToClient {
    /// It may do this.
    Right(Right),
    /// What the room has: a state vector.
    Step1(Bytes),
    /// What the client has not, by its step 1: an update.
    Step2(Bytes),
    /// What others tell of themselves.
    Aware(Vec<Aware>),
    /// One thing that it counts is stored, or will not be.
    Status(bool),
    /// What it wanted to have sent back.
    Echo(Bytes),
}

/// What the room is asked. Numbers are tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToRoom {
    /// Merge this update, or answer why not.
    Merge(u64, Result<Bytes, Fault>),
    /// What does one lack who has this state vector?
    Missing(u64, Bytes),
    /// Say again what the room has.
    TellState,
    /// The client tells this of itself.
    Aware(Vec<Aware>),
    /// Who is here?
    TellAware,
}

/// What the shell has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask the room.
    Ask(ToRoom),
    /// Tell the client.
    Tell(ToClient),
    /// End the exchange. Nothing follows.
    End(End),
}

/// Why an exchange ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The room gives this reason.
    Fault(Fault),
    /// The client wants more echoed than anybody may.
    EchoTooLarge,
    /// More signals would have to be kept in mind than anybody may wait for.
    TooManySignals,
    /// The room has gone on elsewhere. What was appended there is learnt by beginning anew.
    Resync,
}

/// A save signal, to be given when all up to a ticket is durable.
#[derive(Debug)]
struct Promise {
    ticket: u64,
    signal: ToClient,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Exchange {
    habits: Habits,
    op_bytes_max: u64,
    right: Right,
    ticket: u64,
    /// Updates and questions that are not answered yet.
    under_way: BTreeSet<u64>,
    questions: usize,
    /// Step 1s of ours that the client has not answered yet.
    asked: usize,
    /// The ticket of its last answer to one.
    answer: u64,
    /// Whether the client counts its next answer: it does once for each step 1 of its own.
    counts_answer: bool,
    promises: VecDeque<Promise>,
    /// Signals for changes that were refused, for want of a right or of what they build on: given with
    /// the next answer to a step 1 of ours, which brings them again.
    owed: usize,
    /// Whether something was refused for want of a right, and not asked for since.
    was_refused: bool,
    /// What the client's last step 1 named, until it is clear that it counts all it sends.
    had: Option<Clocks>,
    /// Whether the client was asked once more for what an update lacked.
    asked_again: bool,
    outputs: VecDeque<Output>,
}

impl Exchange {
    /// An exchange with a room that a client has begun to follow, whose updates have so many bytes
    /// at most.
    #[must_use]
    pub const fn new(habits: Habits, op_bytes_max: u64) -> Self {
        Self {
            habits,
            op_bytes_max,
            right: Right::Read,
            ticket: 0,
            under_way: BTreeSet::new(),
            questions: 0,
            // Step 1 follows as soon as the room says what it has.
            asked: 1,
            answer: 0,
            counts_answer: true,
            promises: VecDeque::new(),
            owed: 0,
            was_refused: false,
            had: None,
            asked_again: false,
            outputs: VecDeque::new(),
        }
    }

    /// What the client may do, as far as the room has said it.
    #[must_use]
    pub const fn right(&self) -> Right {
        self.right
    }

    /// Whether the client may say something more now.
    #[must_use]
    pub fn can_hear(&self) -> bool {
        self.under_way.len() < UNDER_WAY_MAX && self.questions < QUESTIONS_MAX
    }

    /// For how long at most the client may be told nothing, in milliseconds: then it is told
    /// something that changes nothing.
    #[must_use]
    pub fn quiet_ms_max(&self) -> Millis {
        if self.promises.is_empty() { QUIET_MS_MAX } else { QUIET_MS_MAX_WHILE_SAVING }
    }

    /// The next thing for the shell to do. To be called until it returns `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The client said something.
    pub fn hear_client(&mut self, said: FromClient) {
        let heard = self.heard_from_client(said);
        self.end_unless(heard);
    }

    /// The room said something to this client alone.
    pub fn hear_room(&mut self, said: FromRoom) {
        let heard = self.heard_from_room(said);
        self.end_unless(heard);
    }

    /// Some time has passed: what the client kept while it was away has come.
    pub fn forget_what_it_had(&mut self) {
        if !self.counts_answer {
            self.had = None;
        }
    }

    fn heard_from_client(&mut self, said: FromClient) -> Result<(), End> {
        match said {
            FromClient::Step1(state_vector) => {
                self.begin_to_count(&state_vector);
                let ticket = self.next_ticket();
                self.questions += 1;
                self.ask(ToRoom::Missing(ticket, state_vector));
            }
            FromClient::Step2(update) => {
                let ticket = self.next_ticket();
                let mut signals = 1;
                if self.asked > 0 {
                    self.asked -= 1;
                    self.answer = ticket;
                    let is_counted = std::mem::take(&mut self.counts_answer);
                    signals = std::mem::take(&mut self.owed)
                        + usize::from(is_counted || planted!(CountAnswersToOurWish));
                }
                self.promise_status(signals)?;
                self.merge(ticket, update);
            }
            FromClient::Update(update) => {
                let is_counted = self.habits.counts && self.is_counted(&update);
                let ticket = self.next_ticket();
                self.promise_status(usize::from(is_counted))?;
                self.merge(ticket, update);
            }
            FromClient::Aware(told) => self.ask(ToRoom::Aware(told)),
            FromClient::WhoIsHere => self.ask(ToRoom::TellAware),
            FromClient::Echo(wanted) if wanted.len() > ECHO_BYTES_MAX => {
                return Err(End::EchoTooLarge);
            }
            FromClient::Echo(wanted) => {
                self.promise(ToClient::Echo(wanted))?;
                self.keep_promises();
            }
        }
        Ok(())
    }

    fn heard_from_room(&mut self, said: FromRoom) -> Result<(), End> {
        match said {
            FromRoom::Attached(attached) => {
                self.right = attached.right;
                self.tell(ToClient::Right(self.right));
                self.tell(ToClient::Step1(attached.state_vector.unwrap_or_default()));
            }
            FromRoom::Missing(ticket, missing) => {
                self.under_way.remove(&ticket);
                self.questions -= 1;
                self.tell(ToClient::Step2(missing.map_err(End::Fault)?));
                self.keep_promises();
            }
            FromRoom::Aware(told) if !told.is_empty() => self.tell(ToClient::Aware(told)),
            FromRoom::Merged(ticket, outcome) => self.merged(ticket, outcome)?,
            FromRoom::StateVector(has) => self.tell(ToClient::Step1(has)),
            FromRoom::Right(right) => {
                self.right = right;
                self.tell(ToClient::Right(right));
                if right >= Right::Edit {
                    self.ask_for_refused();
                }
            }
            FromRoom::Storing(true) if self.right >= Right::Edit => self.ask_for_refused(),
            FromRoom::Detached(why) | FromRoom::Trouble(why) => return Err(End::Fault(why)),
            FromRoom::State { .. } => return Err(End::Resync),
            _ => {}
        }
        Ok(())
    }

    fn merged(&mut self, ticket: u64, outcome: Outcome) -> Result<(), End> {
        self.under_way.remove(&ticket);
        match outcome {
            Outcome::Accepted(_) => {
                self.asked_again = false;
                self.keep_promises();
            }
            Outcome::Refused(fault) => self.refused(ticket, fault)?,
            // As what a reader writes: known to be unsaved, and asked for once there is room.
            Outcome::NotSaved(fault)
                if fault.code == "quota_exceeded" && !self.habits.ends_with_readers_change =>
            {
                self.was_refused = true;
                self.refuse(ticket);
            }
            Outcome::NotSaved(fault) => return Err(End::Fault(fault)),
            Outcome::Missing(_) => {}
        }
        Ok(())
    }

    fn refused(&mut self, ticket: u64, fault: Fault) -> Result<(), End> {
        let lacks = fault.code == "missing_predecessors";
        let may_edit = self.right >= Right::Edit;
        // What a reader's change builds on was refused as well.
        let wants_right = fault.code == "no_right" || (lacks && !may_edit);
        if wants_right && !self.habits.ends_with_readers_change {
            self.was_refused = true;
            self.refuse(ticket);
            if may_edit && !planted!(ForgetLateRefusals) {
                self.ask_for_refused();
            }
            return Ok(());
        }
        // An answer that is still to come was given after this, and brings it.
        let is_coming = self.asked > 0 && !planted!(EndWithSecondLack);
        if !lacks || (!is_coming && self.asked_again && ticket >= self.answer) {
            return Err(End::Fault(fault));
        }
        self.owed += self.withdraw(ticket);
        if !is_coming {
            self.asked_again = true;
            if !planted!(ForgetToAskAgain) {
                self.ask_for_all();
            }
        }
        Ok(())
    }

    /// A client that counts has said step 1.
    fn begin_to_count(&mut self, state_vector: &Bytes) {
        if !self.habits.counts {
            return;
        }
        self.promises.clear();
        self.owed = 0;
        // One that is malformed is refused by the room.
        self.had = check_state_vector(state_vector).ok();
        self.counts_answer = true;
        if self.asked == 0 {
            self.ask_for_all();
        }
    }

    /// Whether a client that counts counts this update. In doubt it does not: better no signal for
    /// what is saved than one for what is not.
    fn is_counted(&mut self, update: &Bytes) -> bool {
        // One that is malformed is refused by the room.
        let (Some(had), Ok(begins)) = (&self.had, begins(update)) else { return true };
        let is_old = |(client, clock): (&u64, &u32)| had.get(client).is_some_and(|had| clock < had);
        if begins.iter().any(is_old) || (self.counts_answer && begins.is_empty()) {
            return planted!(CountOldUpdates);
        }
        if !self.counts_answer && !begins.is_empty() {
            self.had = None;
        }
        true
    }

    fn merge(&mut self, ticket: u64, update: Bytes) {
        let is_too_large = update.len() as u64 > self.op_bytes_max;
        let op = match is_too_large {
            true => Err(Fault::new("op_too_large").with("limit", self.op_bytes_max)),
            false => Ok(update),
        };
        self.ask(ToRoom::Merge(ticket, op));
    }

    /// A change by somebody who may only read is not stored, and no signal may say that it is.
    fn refuse(&mut self, ticket: u64) {
        if !planted!(CallRefusedSaved) {
            let refused = self.withdraw(ticket);
            (0..refused).for_each(|_| self.tell(ToClient::Status(false)));
            self.owed += if planted!(ForgetOwedSignals) { 0 } else { refused };
        }
        self.keep_promises();
    }

    /// Takes back the signals that one who counts was promised for this; returns how many.
    fn withdraw(&mut self, ticket: u64) -> usize {
        let before = self.promises.len();
        self.promises.retain(|promise| promise.ticket != ticket || !self.habits.counts);
        before - self.promises.len()
    }

    /// Asks for what was refused, now that the client may edit.
    fn ask_for_refused(&mut self) {
        if std::mem::take(&mut self.was_refused) {
            self.ask_for_all();
        }
    }

    /// Asks for everything that the room has not; until that is durable nothing is called saved.
    fn ask_for_all(&mut self) {
        self.asked += 1;
        self.ask(ToRoom::TellState);
    }

    fn next_ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.under_way.insert(self.ticket);
        self.ticket
    }

    fn promise_status(&mut self, count: usize) -> Result<(), End> {
        let count = if self.habits.counts { count } else { 0 };
        (0..count).try_for_each(|_| self.promise(ToClient::Status(true)))
    }

    fn promise(&mut self, signal: ToClient) -> Result<(), End> {
        if self.promises.len() >= PROMISES_MAX {
            return Err(End::TooManySignals);
        }
        self.promises.push_back(Promise { ticket: self.ticket, signal });
        Ok(())
    }

    fn keep_promises(&mut self) {
        let settled = match self.under_way.first() {
            Some(&first) if !planted!(SaySavedBeforeCommit) => first,
            _ => u64::MAX,
        };
        // One that counts knows of a refusal: the count does not come down.
        let is_withheld = self.was_refused && !self.habits.counts && !planted!(CallRefusedSaved);
        let is_answered = self.asked == 0 && self.answer < settled;
        if is_withheld || !(is_answered || planted!(SayFirstSavedEarly)) {
            return;
        }
        while self.promises.front().is_some_and(|promise| promise.ticket < settled)
            && let Some(promise) = self.promises.pop_front()
        {
            self.tell(promise.signal);
        }
    }

    fn ask(&mut self, question: ToRoom) {
        self.outputs.push_back(Output::Ask(question));
    }

    fn tell(&mut self, word: ToClient) {
        self.outputs.push_back(Output::Tell(word));
    }

    fn end_unless(&mut self, heard: Result<(), End>) {
        if let Err(why) = heard {
            self.outputs.push_back(Output::End(why));
        }
    }
}

#[cfg(test)]
mod tests;
