//! The server's end of the lines of Yjs clients: the real exchange, between its client and its room. It
//! is a task beside the room's, so that what either says to the other takes its time; what others did
//! passes it by.

use std::collections::VecDeque;

use weft_core::{
    Fault, Millis,
    exchange::{End, Exchange, FromClient, Output, ToRoom},
    room::{Ask, Message},
};

use super::{Event, Held, Who, World, network::ToMerger};
use crate::judge::Broken;

/// Updates are of any size here.
const OP_BYTES_MAX: u64 = 1 << 20;

/// The server's end of one line.
#[derive(Default)]
pub struct Ending {
    /// There is one once the room has been asked to be followed.
    exchange: Option<Box<Exchange>>,
    /// What the client has said and nobody has heard.
    unheard: VecDeque<FromClient>,
    /// When what was said last arrives at the room, and from it.
    pub to_room: Millis,
    from_room: Millis,
}

impl World {
    /// The room has been asked for this client, so that there is somebody to hear it.
    pub(super) fn begin_exchange(&mut self, line: usize) -> Held {
        if let Who::Merger(merger) = &self.clients[self.lines[line].client].who {
            let exchange = Exchange::new(merger.habits(), OP_BYTES_MAX);
            self.lines[line].ending.exchange = Some(Box::new(exchange));
        }
        self.hear_merger(line)
    }

    pub(super) fn merger_said(&mut self, line: usize, word: FromClient) -> Held {
        self.lines[line].ending.unheard.push_back(word);
        self.hear_merger(line)
    }

    /// Hears as much as may be under way at a time.
    fn hear_merger(&mut self, line: usize) -> Held {
        loop {
            let ending = &mut self.lines[line].ending;
            let Some(exchange) = ending.exchange.as_mut().filter(|e| e.can_hear()) else {
                return Ok(());
            };
            let Some(word) = ending.unheard.pop_front() else { return Ok(()) };
            exchange.hear_client(word);
            self.drain_exchange(line)?;
        }
    }

    /// The room says something to one client, which is on its way to the exchange.
    pub(super) fn tell_exchange(&mut self, line: usize, message: Message) {
        let at = (self.now + self.dice.u64(0..3)).max(self.lines[line].ending.from_room);
        self.lines[line].ending.from_room = at;
        self.at(at, Event::FromRoom(line, Box::new(message)));
    }

    pub(super) fn exchange_hears(&mut self, line: usize, message: Message) -> Held {
        if self.lines[line].is_cut {
            return Ok(());
        }
        if let Some(exchange) = &mut self.lines[line].ending.exchange {
            exchange.hear_room(message);
            self.drain_exchange(line)?;
        }
        self.hear_merger(line)
    }

    fn drain_exchange(&mut self, line: usize) -> Held {
        while let Some(output) =
            self.lines[line].ending.exchange.as_mut().and_then(|exchange| exchange.poll_output())
        {
            match output {
                Output::Ask(question) => {
                    let at = (self.now + self.dice.u64(0..3)).max(self.lines[line].ending.to_room);
                    self.lines[line].ending.to_room = at;
                    self.at(at, Event::ToRoom(line, question));
                }
                Output::Tell(word) => self.say_to_merger(line, ToMerger::Word(word)),
                Output::End(why) => return self.end_exchange(line, &why),
            }
        }
        Ok(())
    }

    fn end_exchange(&mut self, line: usize, why: &End) -> Held {
        self.trace.note(self.now, &[16, line as u64], || {
            format!("the exchange on line {line} ends: {why:?}")
        });
        let is_fair = match why {
            End::Fault(fault) => !["missing_predecessors", "op_malformed", "op_too_large"]
                .contains(&fault.code.as_ref()),
            End::Resync => true,
            End::EchoTooLarge | End::TooManySignals => false,
        };
        if !is_fair {
            return Err(Broken(format!("the exchange on line {line} ended: {why:?}")));
        }
        self.lines[line].ending =
            Ending { to_room: self.lines[line].ending.to_room, ..Ending::default() };
        self.cut(line, 1);
        Ok(())
    }

    /// An exchange asks the room for something.
    pub(super) fn room_hears(&mut self, line: usize, question: ToRoom) -> Held {
        let (node, session) = (self.lines[line].node, self.lines[line].session);
        if !self.nodes[node].is_followed_by(session) {
            self.tell_exchange(line, Message::Trouble(Fault::new("not_attached")));
            return Ok(());
        }
        let now = self.clock(node);
        let Some(room) = self.room(node) else { return Ok(()) };
        match question {
            ToRoom::Merge(ticket, op) => room.merge(now, session, ticket, op),
            ToRoom::Missing(ticket, has) => room.ask(now, Ask::Missing(session, ticket, has)),
            ToRoom::TellState => room.ask(now, Ask::StateVector(session)),
            ToRoom::Aware(told) => room.set_awareness(now, session, told),
            ToRoom::TellAware => room.tell_aware(session),
        }
        self.drain_room(node)
    }
}
