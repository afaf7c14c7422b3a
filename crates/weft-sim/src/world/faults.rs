//! What goes wrong: at the database, at nodes, on lines, at clients, and with rights.

use weft_core::{
    Millis, PersonId, Right,
    kind::{doc::Doc, inbox::Inbox},
    room::Committed,
};

use super::{Answer, BUSY_MS, Event, Held, Who, World, network::Reading, person};
use crate::{
    database::{Append, Request},
    judge::Broken,
};

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// So many appends are not stored.
    AppendsFail(u64),
    /// So many appends are stored or not, now or later, and nobody is told.
    AppendsVanish(u64),
    /// Nothing can be stored for a while: the disk is full.
    Full(Millis),
    /// Everything takes so long.
    Stall(Millis),
    /// Nothing can be read for a while.
    Unreadable(Millis),
    /// The power fails under the database (and, alone on its machine, under the node).
    PowerFails,
    /// A node is killed, and starts again after so long.
    Crash(usize, Millis),
    /// A room is let go as soon as nobody follows it.
    Unload(usize),
    /// A client's line is cut, and each end notices within so long.
    Cut(usize, Millis),
    /// A client's line delivers twice, and late.
    Muddle(usize),
    /// A client reads too slowly.
    Overflow(usize),
    /// A client's line is slow for so long.
    Slow(usize, Millis),
    /// A client is loaded anew.
    Reload(usize),
    /// A client compares its replica.
    Compare(usize),
    /// A client's sign-in ends.
    SignOut(usize),
    /// A node's deliverer does nothing for so long.
    Stop(usize, Millis),
    /// A program of a person gives an update to a node. No fault, but it happens like one.
    Call(usize, PersonId),
    /// A person may now do this, or nothing.
    Right(PersonId, Option<Right>),
}

/// What is wrong with the database now.
#[derive(Default)]
pub struct Weather {
    failing: u64,
    vanishing: u64,
    full_until: Millis,
    stalled_until: Millis,
    unreadable_until: Millis,
}

impl World {
    pub(super) fn draw_fault(&mut self) -> Fault {
        let (nodes, clients) = (self.nodes.len(), self.clients.len());
        let people = self.rights.len() as u64;
        let dice = &mut self.dice;
        let node = dice.usize(..nodes);
        let client = dice.usize(..clients);
        match dice.u64(0..100) {
            0..8 => Fault::AppendsFail(dice.u64(1..4)),
            8..16 => Fault::AppendsVanish(dice.u64(1..4)),
            16..20 => Fault::Full(dice.u64(50..1_500)),
            20..26 => Fault::Stall(dice.u64(20..800)),
            26..30 => Fault::Unreadable(dice.u64(20..800)),
            30..36 => Fault::PowerFails,
            36..44 => Fault::Crash(node, dice.u64(5..600)),
            44..46 => Fault::Unload(node),
            46..60 => Fault::Cut(client, [2, 50, 1_500][dice.usize(..3)]),
            60..65 => Fault::Muddle(client),
            65..68 => Fault::Overflow(client),
            68..74 => Fault::Slow(client, dice.u64(50..1_000)),
            74..84 => Fault::Reload(client),
            84..87 => Fault::Compare(client),
            87..88 => Fault::SignOut(client),
            88..91 if self.kind == Doc::NAME => Fault::Call(node, person(dice.u64(0..people))),
            88..91 if self.kind == Inbox::NAME => Fault::Stop(node, dice.u64(100..BUSY_MS)),
            _ => {
                let rights = [None, Some(Right::Read), Some(Right::Edit), Some(Right::Manage)];
                Fault::Right(person(dice.u64(0..people)), rights[dice.usize(..4)])
            }
        }
    }

    pub(super) fn fail(&mut self, fault: Fault) -> Held {
        self.counts.faults += 1;
        self.trace.note(self.now, &[13, self.counts.faults], || format!("fault: {fault:?}"));
        let now = self.now;
        match fault {
            Fault::AppendsFail(count) => self.weather.failing += count,
            Fault::AppendsVanish(count) => self.weather.vanishing += count,
            Fault::Full(ms) => self.weather.full_until = now + ms,
            Fault::Stall(ms) => self.weather.stalled_until = now + ms,
            Fault::Unreadable(ms) => self.weather.unreadable_until = now + ms,
            Fault::PowerFails => self.power_fails()?,
            Fault::Crash(node, ms) => {
                if self.nodes[node].is_up() {
                    self.crash(node);
                    self.at(now + ms, Event::Start(node));
                }
            }
            Fault::Unload(node) => self.unload(node),
            Fault::Cut(client, ms) => {
                if let Some(line) = self.clients[client].line {
                    self.cut(line, ms);
                }
            }
            Fault::Muddle(client) => {
                if let Some(line) = self.clients[client].line {
                    self.lines[line].is_muddled = true;
                }
            }
            Fault::Overflow(client) => {
                // One that merges is not sent less, but what waits for it is merged.
                if let (Some(line), Who::Tab(_)) =
                    (self.clients[client].line, &self.clients[client].who)
                {
                    self.lines[line].reading = Reading::Slowly;
                }
            }
            Fault::Slow(client, ms) => {
                if let Some(line) = self.clients[client].line {
                    self.lines[line].slow_until = now + ms;
                }
            }
            Fault::Reload(client) => self.reload(client),
            Fault::Compare(client) => {
                if let Who::Tab(_) = self.clients[client].who {
                    self.compare(client);
                }
            }
            Fault::SignOut(client) => self.sign_out(client)?,
            Fault::Stop(node, ms) => {
                self.nodes[node].deliverer.stop_until((now + ms).min(BUSY_MS - 500));
            }
            Fault::Call(node, person) => self.call(node, person)?,
            Fault::Right(person, right) => self.change_right(person, right),
        }
        Ok(())
    }

    /// A client is loaded anew: it keeps what its browser keeps. The server's end of its line
    /// notices later.
    fn reload(&mut self, client: usize) {
        let (kind, id) = (self.kind, self.yjs_client());
        if let Some(line) = self.clients[client].line.take() {
            self.lines[line].is_cut = true;
            self.after(0..1_000, Event::ServerLost(line));
        }
        match &mut self.clients[client].who {
            Who::Tab(tab) => tab.reload(kind, id),
            // The tab was not closed.
            Who::Merger(_) => {}
        }
        self.after(10..500, Event::Connect(client));
    }

    /// The metadata changes at once; then the log's guard is raised, then nodes are told.
    fn change_right(&mut self, person: PersonId, right: Option<Right>) {
        match right {
            Some(right) => self.rights.insert(person, right),
            None => self.rights.remove(&person),
        };
        self.ask_database(usize::MAX, Request::RaiseAccess);
    }

    /// What is under way to the disk is there or not, in order.
    fn power_fails(&mut self) -> Held {
        for (_, (node, life, request)) in std::mem::take(&mut self.requests) {
            let is_late = self.is_gone(node, life);
            if let (Request::Append(append), true) = (&request, self.dice.u64(..100) < 50) {
                // Nobody is told; whoever asked finds out by reading.
                self.store(append.clone(), is_late)?;
            } else if !matches!(request, Request::RaiseAccess) {
                break;
            } else {
                self.raise_access();
            }
        }
        for node in 0..self.nodes.len() {
            if self.nodes[node].is_up() {
                self.crash(node);
                self.after(5..600, Event::Start(node));
            }
        }
        Ok(())
    }

    /// Somebody asks the database for something; it gets there in a moment.
    pub(super) fn ask_database(&mut self, node: usize, request: Request) {
        let life = if node == usize::MAX { 0 } else { self.life(node) };
        self.after(0..3, Event::Request(node, life, request));
    }

    /// Whether nothing can be stored.
    pub(super) fn is_full(&self) -> bool {
        self.weather.full_until > self.now
    }

    /// Whether nothing can be read.
    pub(super) fn is_unreadable(&self) -> bool {
        self.weather.unreadable_until > self.now
    }

    /// Whether nobody waits for what was asked in that life of a node.
    fn is_gone(&self, node: usize, life: u64) -> bool {
        node == usize::MAX || self.life(node) != life
    }

    /// A request has reached the database, which does one thing after the other.
    pub(super) fn take_request(&mut self, node: usize, life: u64, request: Request) -> Held {
        let begin = self.busy_until.max(self.weather.stalled_until).max(self.now);
        self.busy_until = begin + self.dice.u64(0..4);
        let id = self.next_event + 1;
        self.requests.insert(id, (node, life, request));
        self.at(self.busy_until, Event::Carry(id));
        Ok(())
    }

    pub(super) fn carry_out(&mut self, id: u64) -> Held {
        let Some((node, life, request)) = self.requests.remove(&id) else { return Ok(()) };
        let is_full = self.is_full();
        let is_late = self.is_gone(node, life);
        let answer = match request {
            Request::Append(_) if is_full => Answer::Committed(Committed::Failed),
            Request::Append(_) if self.weather.failing > 0 => {
                self.weather.failing -= 1;
                Answer::Committed(Committed::Failed)
            }
            Request::Append(append) if self.weather.vanishing > 0 => {
                self.weather.vanishing -= 1;
                match self.dice.u64(0..3) {
                    0 => {}
                    1 => drop(self.store(append, is_late)?),
                    // Later, when whoever asked has read and gone on.
                    _ => {
                        self.after(10..400, Event::Request(usize::MAX, 0, Request::Append(append)))
                    }
                }
                Answer::Committed(Committed::Unknown)
            }
            Request::Append(append) => Answer::Committed(match self.store(append, is_late)? {
                true => Committed::Ok,
                false => Committed::Overtaken,
            }),
            Request::Load if self.is_unreadable() => Answer::Loaded(None),
            Request::Load => Answer::Loaded(Some(Box::new(self.database.load()))),
            Request::Head(line, message) => {
                Answer::Head(self.database.head(), self.database.guard.answers, line, message)
            }
            Request::Snapshot(seq, state) => {
                let bytes = if is_full { None } else { self.database.put_snapshot(seq, &state) };
                Answer::Saved(seq, bytes)
            }
            Request::RaiseAccess if is_full => {
                self.after(20..100, Event::Request(node, life, Request::RaiseAccess));
                return Ok(());
            }
            Request::RaiseAccess => {
                self.raise_access();
                return Ok(());
            }
        };
        if node != usize::MAX {
            self.after(0..3, Event::Answer(node, life, answer));
        }
        Ok(())
    }

    fn raise_access(&mut self) {
        self.database.guard.access += 1;
        self.database.rights = self.rights.clone();
        let access = self.database.guard.access;
        for node in 0..self.nodes.len() {
            let within = if self.nodes.len() == 1 { 5 } else { 1_500 };
            self.after(0..within, Event::Rights(node, access));
        }
    }

    /// Stores a batch. `is_late`: whoever asked for it has given it up long since.
    fn store(&mut self, append: Append, is_late: bool) -> Result<bool, Broken> {
        let Some(entries) = self.database.append(append) else { return Ok(false) };
        let head = self.database.head();
        self.trace.note(self.now, &[14, head], || format!("the log is at {head}"));
        self.judge.stored(&entries, &self.database, &self.rights, is_late)?;
        Ok(true)
    }

    /// From now on nothing goes wrong any more.
    pub(super) fn calm(&mut self) {
        self.trace.note(self.now, &[15], || "all is well from here on".to_owned());
        (self.weather, self.is_calm) = (Weather::default(), true);
        for node in 0..self.nodes.len() {
            self.at(self.now, Event::Start(node));
        }
        if self.nodes.len() == 1 {
            // An append that was given up may have been stored since. Others would have told of it.
            self.at(self.now + 1_000, Event::Poll(0));
        }
        for line in 0..self.lines.len() {
            let line_is = &mut self.lines[line];
            (line_is.is_muddled, line_is.slow_until) = (false, 0);
            if line_is.is_cut {
                self.at(self.now, Event::ServerLost(line));
                self.at(self.now, Event::ClientLost(line));
            }
        }
        for client in 0..self.clients.len() {
            self.at(self.now, Event::Connect(client));
        }
    }
}
