//! Servers: each with its own room on top of the one log, and what a shell does for it.

use std::collections::BTreeMap;

use fastrand::Rng;
use weft_core::{
    Fault, Millis, PersonId, Right, RoomId, Seq, SessionId,
    kind::inbox::Inbox,
    presence::Face,
    room::{Ask, Committed, Message, Output, Room, RoomLimits, Start},
};

use super::{
    Answer, Event, Held, Who, World,
    callers::Call,
    deliverers::{CLOCK_MS, Deliverer},
    network::{Reading, ToMerger, ToServer, tag, words},
};
use crate::{
    database::{Append, Request},
    judge::Broken,
};

/// A server.
pub struct Node {
    /// How often it has started; answers to an earlier life are for nobody.
    life: u64,
    /// Its clock is so much ahead of the world's.
    ahead_ms: Millis,
    limits: RoomLimits,
    state: State,
    /// The sessions that follow its room, or want to.
    followers: Vec<SessionId>,
    wake_at: Option<Millis>,
    /// The tickets given so far.
    pub ticket: u64,
    /// Calls that wait for what becomes of their update.
    pub calls: BTreeMap<u64, Call>,
    /// Clients whose sign-in has ended, by what they wait for.
    pub barriers: BTreeMap<u64, usize>,
    pub deliverer: Deliverer,
}

enum State {
    /// It has crashed.
    Down,
    /// Nobody has asked for the room.
    Empty,
    /// The room is being loaded for those who asked.
    Loading(Vec<(usize, ToServer)>),
    /// It serves.
    Serving(Box<Room>),
}

impl Node {
    pub fn new(kind: &str, dice: &mut Rng) -> Self {
        // One delivery waits for the other: a room that gathers for long takes too few of them.
        let gap_us = if kind == Inbox::NAME { 1_000 } else { 5_000 };
        let limits = RoomLimits {
            queue_ops_max: dice.u64(64..200) as usize,
            batch_ops_max: dice.u64(1..12) as usize,
            recent_bytes_max: dice.u64(200..4_000) as usize,
            snapshot_bytes_min: dice.u64(5_000..100_000) as usize,
            snapshot_entries_max: dice.u64(5..60),
            batch_gap_us_per_session: [0, 0, gap_us][dice.usize(..3)],
            ..RoomLimits::default()
        };
        let (ahead_ms, state) = (CLOCK_MS + dice.u64(0..5_000), State::Empty);
        Self {
            life: 0,
            ahead_ms,
            limits,
            state,
            followers: Vec::new(),
            wake_at: None,
            ticket: 0,
            calls: BTreeMap::new(),
            barriers: BTreeMap::new(),
            deliverer: Deliverer::default(),
        }
    }

    pub const fn is_up(&self) -> bool {
        !matches!(self.state, State::Down)
    }

    /// Whether a session follows its room, or wants to.
    pub fn is_followed_by(&self, session: SessionId) -> bool {
        self.followers.contains(&session)
    }

    /// Whether the room is loaded and could be let go.
    fn is_idle(&self) -> bool {
        matches!(&self.state, State::Serving(room) if room.is_idle())
    }
}

impl World {
    pub(super) fn room(&mut self, node: usize) -> Option<&mut Room> {
        match &mut self.nodes[node].state {
            State::Serving(room) => Some(room),
            State::Down | State::Empty | State::Loading(_) => None,
        }
    }

    pub(super) fn clock(&self, node: usize) -> Millis {
        self.now + self.nodes[node].ahead_ms
    }

    pub(super) fn server_hears(&mut self, line: usize, message: ToServer) -> Held {
        let node = self.lines[line].node;
        if self.lines[line].is_cut {
            return Ok(());
        }
        let message = match message {
            ToServer::Word(word) => return self.merger_said(line, word),
            message => message,
        };
        let is_cluster = self.nodes.len() > 1;
        match &mut self.nodes[node].state {
            State::Down => Ok(()),
            State::Empty => {
                self.open(node);
                self.server_hears(line, message)
            }
            State::Loading(waiting) => {
                waiting.push((line, message));
                Ok(())
            }
            // One that comes from another node must not find less here.
            State::Serving(_) if message.begins() && is_cluster => {
                self.ask_database(node, Request::Head(line, message));
                Ok(())
            }
            State::Serving(_) => self.serve(line, message),
        }
    }

    fn serve(&mut self, line: usize, message: ToServer) -> Held {
        let (node, session) = (self.lines[line].node, self.lines[line].session);
        let now = self.clock(node);
        let person = self.clients[self.lines[line].client].person;
        let right = self.rights.get(&person).copied();
        let followers = &mut self.nodes[node].followers;
        let start = match &message {
            ToServer::Attach(since) => Some(Start::Log(*since)),
            ToServer::Merge => Some(Start::Merge),
            _ => None,
        };
        if start.is_some() {
            if right.is_none() {
                self.turn_away(line, "not_found");
                return Ok(());
            }
            followers.push(session);
        } else if !followers.contains(&session) {
            let refusal = Message::Trouble(Fault::new("not_attached"));
            self.say_to_client(line, refusal);
            return Ok(());
        }
        let is_merger = start == Some(Start::Merge);
        let State::Serving(room) = &mut self.nodes[node].state else { return Ok(()) };
        match message {
            ToServer::Attach(_) | ToServer::Merge => {
                let (Some(start), Some(right)) = (start, right) else { return Ok(()) };
                let face = Face { id: person, name: String::new(), guest: false };
                let cap = Right::Manage;
                room.ask(now, Ask::Attach { session, person, right, cap, face, start });
            }
            ToServer::Submit(client, n, op) => room.submit(now, session, client, n, Ok(op)),
            ToServer::Pull(after) => {
                self.lines[line].reading = Reading::Well;
                room.ask(now, Ask::Pull(session, after));
            }
            ToServer::Compare(seq, digest) => room.ask(now, Ask::Compare(session, seq, digest)),
            ToServer::Word(_) => unreachable!("exchanges hear words"),
        }
        if is_merger {
            self.begin_exchange(line)?;
        }
        self.drain_room(node)
    }

    pub(super) fn server_lost(&mut self, line: usize) -> Held {
        self.lines[line].is_cut = true;
        if self.lines[line].ending.to_room > self.now {
            // What the exchange has asked the room for is with it before.
            self.at(self.lines[line].ending.to_room, Event::ServerLost(line));
            return Ok(());
        }
        let (node, session) = (self.lines[line].node, self.lines[line].session);
        let now = self.clock(node);
        self.nodes[node].followers.retain(|follower| *follower != session);
        match &mut self.nodes[node].state {
            State::Serving(room) => room.detach(now, session),
            State::Loading(waiting) => waiting.retain(|(other, _)| *other != line),
            State::Down | State::Empty => {}
        }
        self.drain_room(node)
    }

    /// Carries out what the room wants, and plans when it is to be woken.
    pub(super) fn drain_room(&mut self, node: usize) -> Held {
        while let Some(output) = self.room(node).and_then(Room::poll_output) {
            match output {
                Output::Commit(commit) => {
                    self.ask_database(node, Request::Append(Append::from(&commit)));
                }
                Output::Reload => self.ask_database(node, Request::Load),
                Output::Snapshot(seq, state) => {
                    self.ask_database(node, Request::Snapshot(seq, state));
                }
                Output::Send(session, message) => {
                    self.judge.said(&message, &self.database)?;
                    if self.nodes[node].followers.contains(&session) {
                        self.say_to(node, session, message);
                    }
                }
                Output::Broadcast(message) => {
                    self.judge.said(&message, &self.database)?;
                    self.broadcast(node, &message);
                }
                Output::Quarantine(poison) => {
                    return Err(Broken(format!("an operation broke the room: {}", poison.why)));
                }
                Output::LookUp(people) => {
                    let (life, people) = (self.nodes[node].life, people.into_iter().collect());
                    self.after(0..10, Event::LookedUp(node, life, people));
                }
                Output::Merged(ticket, outcome) => {
                    if let Some(outcome) = &outcome {
                        let said = Message::Merged(ticket, outcome.clone());
                        self.judge.said(&said, &self.database)?;
                    }
                    if self.nodes[node].deliverer.awaits(ticket) {
                        self.heard_of_delivery(node, outcome)?;
                    } else {
                        self.given(node, ticket, outcome);
                    }
                }
                Output::Passed(ticket) => self.passed(node, ticket),
                Output::Text(..) | Output::State(..) => {}
            }
        }
        // What was in flight is put back in front of what waits.
        let limit = self.nodes[node].limits.queue_ops_max + self.nodes[node].limits.batch_ops_max;
        let ahead = self.nodes[node].ahead_ms;
        let Some(room) = self.room(node) else { return Ok(()) };
        if room.queued() > limit {
            return Err(Broken(format!("node {node} queues {} operations", room.queued())));
        }
        let wants = room.next_wake().map(|at| at.saturating_sub(ahead));
        let planned = self.nodes[node].wake_at;
        if let Some(at) = wants.filter(|at| planned.is_none_or(|planned| *at < planned)) {
            self.nodes[node].wake_at = Some(at);
            self.at(at, Event::WakeNode(node));
        }
        Ok(())
    }

    fn say_to(&mut self, node: usize, session: SessionId, message: Message) {
        self.trace.note(self.now, &[7, node as u64, session.0, tag(&message)], || {
            format!("node {node} says to line {}: {}", session.0 - 1, words(&message))
        });
        if let Message::Detached(_) = message {
            self.nodes[node].followers.retain(|follower| *follower != session);
        }
        let line = session.0 as usize - 1;
        match self.clients[self.lines[line].client].who {
            Who::Tab(_) => self.say_to_client(line, message),
            Who::Merger(_) => self.tell_exchange(line, message),
        }
    }

    /// The room says something to everybody.
    fn broadcast(&mut self, node: usize, message: &Message) {
        for session in self.nodes[node].followers.clone() {
            let line = session.0 as usize - 1;
            match (&self.clients[self.lines[line].client].who, message) {
                (Who::Tab(_), _) => self.say_to(node, session, message.clone()),
                (Who::Merger(_), Message::Events(entries)) => {
                    self.say_to_merger(line, ToMerger::Events(entries.clone()));
                }
                // The exchange has to know of it.
                (Who::Merger(_), Message::State { .. }) => {
                    self.tell_exchange(line, message.clone())
                }
                (Who::Merger(_), _) => {}
            }
        }
    }

    /// A client cannot follow the room.
    fn turn_away(&mut self, line: usize, why: &'static str) {
        match self.clients[self.lines[line].client].who {
            Who::Tab(_) => self.say_to_client(line, Message::Detached(Fault::new(why))),
            Who::Merger(_) => self.cut(line, 1),
        }
    }

    pub(super) fn wake_node(&mut self, node: usize) -> Held {
        self.nodes[node].wake_at = None;
        let now = self.clock(node);
        if let Some(room) = self.room(node) {
            room.wake(now);
        }
        self.drain_room(node)
    }

    /// The database has answered.
    pub(super) fn answered(&mut self, node: usize, life: u64, answer: Answer) -> Held {
        let is_past = self.nodes[node].life != life;
        let now = self.clock(node);
        let answer = match answer {
            // The room was let go meanwhile.
            Answer::Head(_, _, line, message) if is_past => {
                return self.server_hears(line, message);
            }
            _ if is_past => return Ok(()),
            answer => answer,
        };
        match (answer, &mut self.nodes[node].state) {
            (Answer::Committed(how), State::Serving(room)) => {
                self.trace.note(self.now, &[8, node as u64, how as u64], || {
                    format!("node {node}: the commit is {how:?}")
                });
                room.committed(now, how);
                if how == Committed::Ok {
                    self.publish(node);
                }
            }
            (Answer::Loaded(Some(loaded)), State::Serving(room)) => {
                self.trace.note(self.now, &[9, node as u64, loaded.head], || {
                    format!("node {node} has loaded the room anew at {}", loaded.head)
                });
                room.reloaded(now, *loaded);
            }
            (Answer::Loaded(None), State::Serving(room)) => room.load_failed(now),
            (Answer::Loaded(loaded), State::Loading(waiting)) => {
                let waiting = std::mem::take(waiting);
                return self.loaded(node, loaded.map(|loaded| *loaded), waiting);
            }
            (Answer::Head(head, answers, line, message), State::Serving(room)) => {
                room.noticed(head, answers);
                if !self.lines[line].is_cut {
                    return self.serve(line, message);
                }
            }
            (Answer::Saved(seq, bytes), State::Serving(room)) => room.snapshotted(seq, bytes),
            _ => {}
        }
        self.drain_room(node)
    }

    /// The room was loaded for the first ones who asked, or not.
    fn loaded(
        &mut self,
        node: usize,
        loaded: Option<weft_core::room::Loaded>,
        waiting: Vec<(usize, ToServer)>,
    ) -> Held {
        let Some(loaded) = loaded else {
            self.nodes[node].state = State::Empty;
            for (line, _) in waiting {
                self.turn_away(line, "room_unavailable");
            }
            return self.opened(node);
        };
        self.trace.note(self.now, &[10, node as u64, loaded.head], || {
            format!("node {node} has loaded the room at {}", loaded.head)
        });
        let limits = self.nodes[node].limits.clone();
        let room = Room::new(RoomId::from_bytes([7; 16]), loaded, limits);
        self.nodes[node].state = State::Serving(Box::new(room));
        for (line, message) in waiting {
            self.server_hears(line, message)?;
        }
        self.opened(node)
    }

    /// Whether the node has the room; if not, it loads it.
    pub(super) fn open(&mut self, node: usize) -> bool {
        if let State::Empty = self.nodes[node].state {
            self.nodes[node].state = State::Loading(Vec::new());
            self.ask_database(node, Request::Load);
        }
        self.room(node).is_some()
    }

    /// The other nodes are told that the log has grown; each may miss it.
    fn publish(&mut self, node: usize) {
        let (head, answers) = (self.database.head(), self.database.guard.answers);
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            if self.is_calm || self.dice.u64(..100) < 75 {
                self.after(1..30, Event::Head(other, head, answers));
            }
        }
    }

    pub(super) fn noticed(&mut self, node: usize, head: Seq, answers: u64) -> Held {
        if let Some(room) = self.room(node) {
            room.noticed(head, answers);
        }
        self.drain_room(node)
    }

    pub(super) fn poll(&mut self, node: usize) -> Held {
        self.at(self.now + 1_000, Event::Poll(node));
        self.noticed(node, self.database.head(), self.database.guard.answers)
    }

    /// The node is told what everybody may do, now that the guard has this revision.
    pub(super) fn tell_rights(&mut self, node: usize, access: u64) -> Held {
        let now = self.clock(node);
        let rights = self.rights.clone();
        let ticket = self.next_ticket(node);
        if let Some(room) = self.room(node) {
            let right = |person: PersonId| (person, rights.get(&person).copied());
            let people = room.people().into_iter().map(right).collect();
            room.set_rights(now, Some(access), people, &Fault::new("no_access"));
            room.ask(now, Ask::Barrier(ticket));
        }
        self.drain_room(node)
    }

    pub(super) fn looked_up(&mut self, node: usize, life: u64, people: Vec<PersonId>) -> Held {
        if self.nodes[node].life != life {
            return Ok(());
        }
        let now = self.clock(node);
        let right = |person: PersonId| (person, self.rights.get(&person).copied());
        let rights = people.into_iter().map(right).collect();
        if let Some(room) = self.room(node) {
            room.looked_up(now, rights);
        }
        self.drain_room(node)
    }

    /// The node loses all that it has in memory, and its lines.
    pub(super) fn crash(&mut self, node: usize) {
        self.trace.note(self.now, &[11, node as u64], || format!("node {node} crashes"));
        self.nodes[node].life += 1;
        self.nodes[node].state = State::Down;
        self.nodes[node].followers.clear();
        self.nodes[node].calls.clear();
        self.nodes[node].barriers.clear();
        self.nodes[node].deliverer.crash();
        for line in 0..self.lines.len() {
            if self.lines[line].node == node && !self.lines[line].is_cut {
                self.lines[line].is_cut = true;
                self.after(0..800, Event::ClientLost(line));
            }
        }
    }

    pub(super) fn start(&mut self, node: usize) -> Held {
        if !self.nodes[node].is_up() {
            self.trace.note(self.now, &[12, node as u64], || format!("node {node} starts"));
            self.nodes[node].state = State::Empty;
            if self.kind == Inbox::NAME {
                self.ring(node);
            }
        }
        Ok(())
    }

    /// The node lets go of a room that nobody follows.
    pub(super) fn unload(&mut self, node: usize) {
        if self.nodes[node].is_idle() {
            self.nodes[node].life += 1;
            self.nodes[node].state = State::Empty;
        }
    }

    pub(super) fn life(&self, node: usize) -> u64 {
        self.nodes[node].life
    }
}
