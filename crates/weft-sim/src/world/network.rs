//! The network: lines between clients and servers. A line delivers in order until it is cut; then
//! what is under way is lost, and each end notices in its own time.
//!
//! A *muddled* line is worse than any socket: it may deliver operations and entries twice, or after
//! what was said later. Clients and rooms have to bear that all the same (L3, L4, R2).

use std::{fmt, sync::Arc};

use bytes::Bytes;
use weft_core::{
    Entry, Millis, Seq, SessionId,
    exchange::{FromClient, ToClient},
    machine::Digest,
    room::{Message, Since},
};

use super::{Event, Held, Who, World, exchanges::Ending};

/// What a client says.
#[derive(Debug, Clone)]
pub enum ToServer {
    /// Follow the room from there.
    Attach(Since),
    /// Follow the room with a replica of one's own.
    Merge,
    /// An operation.
    Submit(weft_core::ClientId, u64, Bytes),
    /// Entries after a seq.
    Pull(Seq),
    /// Compare a digest.
    Compare(Seq, Digest),
    /// A Yjs client's word.
    Word(FromClient),
}

impl ToServer {
    /// Whether somebody begins to follow the room.
    pub const fn begins(&self) -> bool {
        matches!(self, Self::Attach(_) | Self::Merge)
    }
}

/// What a Yjs client is told.
#[derive(Debug, Clone)]
pub enum ToMerger {
    /// By its exchange.
    Word(ToClient),
    /// By the room, as everybody is.
    Events(Vec<Arc<Entry>>),
}

impl ToMerger {
    /// A number for what is said.
    pub fn tag(&self) -> u64 {
        match self {
            Self::Events(entries) => 500 + entries.last().map_or(0, |entry| entry.seq),
            Self::Word(ToClient::Right(right)) => 10 + *right as u64,
            Self::Word(ToClient::Status(is_stored)) => 30 + u64::from(*is_stored),
            Self::Word(ToClient::Step1(_)) => 32,
            Self::Word(ToClient::Step2(update)) => 800 + update.len() as u64,
            Self::Word(ToClient::Aware(_)) => 33,
            Self::Word(ToClient::Echo(_)) => 34,
        }
    }
}

impl fmt::Display for ToMerger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events(entries) => f.write_str(&words(&Message::Events(entries.clone()))),
            Self::Word(ToClient::Step1(_)) => f.write_str("what the room has"),
            Self::Word(ToClient::Step2(_)) => f.write_str("what it lacks"),
            Self::Word(word) => write!(f, "{word:?}"),
        }
    }
}

/// Whether a client keeps up with what it is sent (R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It does.
    Well,
    /// The next entries will be too much for it.
    Slowly,
    /// It was told to pull, and is sent no entries before.
    Behind,
}

/// A line between a client and a node.
pub struct Line {
    pub client: usize,
    pub node: usize,
    pub session: SessionId,
    pub is_cut: bool,
    pub is_muddled: bool,
    pub reading: Reading,
    pub slow_until: Millis,
    pub ending: Ending,
    /// When the last message arrives at the server, and at the client.
    to_server: Millis,
    to_client: Millis,
}

impl World {
    /// A client connects to some node that is up.
    pub(super) fn connect(&mut self, client: usize) -> Held {
        if self.clients[client].line.is_some() || self.clients[client].is_signed_out {
            return Ok(());
        }
        let up: Vec<usize> =
            (0..self.nodes.len()).filter(|&node| self.nodes[node].is_up()).collect();
        if up.is_empty() {
            self.after(50..200, Event::Connect(client));
            return Ok(());
        }
        let (node, line) = (up[self.dice.usize(..up.len())], self.lines.len());
        let session = SessionId(line as u64 + 1);
        let (to_server, to_client, slow_until) = (self.now, self.now, 0);
        let (is_cut, is_muddled, reading) = (false, false, Reading::Well);
        self.lines.push(Line {
            client,
            node,
            session,
            is_cut,
            is_muddled,
            reading,
            slow_until,
            ending: Ending::default(),
            to_server,
            to_client,
        });
        self.clients[client].line = Some(line);
        self.trace.note(self.now, &[1, client as u64, node as u64], || {
            format!("client {client} connects to node {node} (line {line})")
        });
        match &mut self.clients[client].who {
            Who::Tab(tab) => {
                let since = tab.since();
                self.say_to_server(line, ToServer::Attach(since));
            }
            Who::Merger(merger) => {
                let words = merger.hello();
                self.say_to_server(line, ToServer::Merge);
                words.into_iter().for_each(|word| self.say_to_server(line, ToServer::Word(word)));
            }
        }
        Ok(())
    }

    pub(super) fn say_to_server(&mut self, line: usize, message: ToServer) {
        let can_muddle = matches!(message, ToServer::Submit(..));
        if let Some((at, again)) = self.arrival(line, can_muddle, true) {
            if let Some(again) = again {
                self.at(again, Event::ToServer(line, message.clone()));
            }
            self.at(at, Event::ToServer(line, message));
        }
    }

    pub(super) fn say_to_client(&mut self, line: usize, message: Message) {
        let can_muddle = matches!(message, Message::Events(_));
        if can_muddle && self.lines[line].reading != Reading::Well {
            let is_first = self.lines[line].reading == Reading::Slowly;
            if let (true, Some((at, _))) = (is_first, self.arrival(line, false, false)) {
                self.lines[line].reading = Reading::Behind;
                self.at(at, Event::Resync(line));
            }
            return;
        }
        if let Some((at, again)) = self.arrival(line, can_muddle, false) {
            if let Some(again) = again {
                self.at(again, Event::ToClient(line, message.clone()));
            }
            self.at(at, Event::ToClient(line, message));
        }
    }

    pub(super) fn say_to_merger(&mut self, line: usize, said: ToMerger) {
        if let Some((at, _)) = self.arrival(line, false, false) {
            self.at(at, Event::ToMerger(line, said));
        }
    }

    /// When a message arrives, and when it does again, if it does.
    fn arrival(
        &mut self,
        line: usize,
        can_muddle: bool,
        to_server: bool,
    ) -> Option<(Millis, Option<Millis>)> {
        let (now, dice) = (self.now, &mut self.dice);
        let line = &mut self.lines[line];
        if line.is_cut {
            return None;
        }
        let slow = if line.slow_until > now { dice.u64(50..400) } else { 0 };
        let last = if to_server { &mut line.to_server } else { &mut line.to_client };
        let at = (now + dice.u64(0..8) + slow).max(*last);
        if !(line.is_muddled && can_muddle) {
            *last = at;
            return Some((at, None));
        }
        let late = if dice.u64(..100) < 40 { dice.u64(1..150) } else { 0 };
        Some((at + late, (dice.u64(..100) < 30).then(|| at + dice.u64(0..200))))
    }

    /// A line is gone; each end notices within its time.
    pub(super) fn cut(&mut self, line: usize, notice_ms: Millis) {
        if !std::mem::replace(&mut self.lines[line].is_cut, true) {
            self.after(0..notice_ms, Event::ServerLost(line));
            self.after(0..notice_ms, Event::ClientLost(line));
        }
    }

    pub(super) fn client_lost(&mut self, line: usize) -> Held {
        self.lines[line].is_cut = true;
        let client = self.lines[line].client;
        if self.clients[client].line == Some(line) {
            self.trace.note(self.now, &[2, client as u64], || {
                format!("client {client} has lost line {line}")
            });
            self.clients[client].line = None;
            if let Who::Tab(tab) = &mut self.clients[client].who {
                tab.disconnected();
            }
            self.after(20..250, Event::Connect(client));
        }
        Ok(())
    }

    pub(super) fn client_hears(&mut self, line: usize, message: Message) -> Held {
        let client = self.lines[line].client;
        if self.lines[line].is_cut || self.clients[client].line != Some(line) {
            return Ok(());
        }
        self.trace.note(self.now, &[3, client as u64, tag(&message)], || {
            format!("client {client} hears {}", words(&message))
        });
        let goes = match &message {
            Message::Detached(_) => true,
            Message::Trouble(fault) => fault.code == "not_attached",
            _ => false,
        };
        if goes {
            // It comes back, and finds out what it may do.
            self.cut(line, 1);
            return Ok(());
        }
        self.tab_hears(client, message)
    }
}

/// A number for the sort of a message.
pub(super) fn tag(message: &Message) -> u64 {
    match message {
        Message::Attached(attached) => 100 + attached.head,
        Message::Detached(_) => 1,
        Message::Outcomes(client, outcomes) => 200 + client.0 * 1_000 + outcomes.len() as u64,
        Message::Merged(ticket, _) => 300 + ticket,
        Message::StateVector(_) => 2,
        Message::Missing(ticket, _) => 400 + ticket,
        Message::Events(entries) => 500 + entries.last().map_or(0, |entry| entry.seq),
        Message::State { seq, .. } => 600 + seq,
        Message::Peers(..) => 3,
        Message::Aware(_) => 4,
        Message::Compared(seq, _) => 700 + seq,
        Message::Right(right) => 10 + *right as u64,
        Message::Storing(ok) => 20 + u64::from(*ok),
        Message::Trouble(_) => 5,
    }
}

/// What a message says, for those who read.
pub(super) fn words(message: &Message) -> String {
    match message {
        Message::Attached(attached) => {
            let state = attached.state.as_ref().map(|(seq, _)| *seq);
            format!("attached at {} (state {state:?})", attached.head)
        }
        Message::Outcomes(client, outcomes) => format!("outcomes of {}: {outcomes:?}", client.0),
        Message::Events(entries) => {
            let names: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}={}/{}", entry.seq, entry.client.0, entry.client_seq))
                .collect();
            format!("events {}", names.join(" "))
        }
        Message::State { seq, repair, .. } => format!("the state at {seq} (repair {repair})"),
        Message::Peers(..) => "who is here".to_owned(),
        Message::Missing(ticket, _) => format!("what it lacks (ticket {ticket})"),
        Message::StateVector(_) => "what the room has".to_owned(),
        other => format!("{other:?}"),
    }
}
