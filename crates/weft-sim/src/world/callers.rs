//! Programs that give an update without following the room, by HTTP; and sign-ins that end.

use bytes::Bytes;
use weft_core::{
    Fault, Millis, PersonId, Right, SessionId,
    room::{Ask, Caller, Outcome},
};

use super::{Event, Held, Who, World};
use crate::replica::{document, edit};

/// A call that has looked up what its person may do, and not given its update yet.
#[derive(Debug, Clone)]
pub struct Call {
    node: usize,
    caller: Caller,
    update: Bytes,
}

/// How long a call may take between looking up rights and giving the update.
const LOOKING_UP_MS: std::ops::Range<Millis> = 0..40;

impl World {
    /// Somebody's program gives an update.
    pub(super) fn call(&mut self, node: usize, person: PersonId) -> Held {
        let right: Option<Right> = self.rights.get(&person).copied();
        let yjs_client = self.yjs_client();
        let (Some(right), Some(room)) = (right, self.room(node)) else { return Ok(()) };
        let caller = Caller { person, right, access: room.access() };
        let update = edit(&document(yjs_client), &mut self.dice);
        self.after(LOOKING_UP_MS, Event::Give(Call { node, caller, update }));
        Ok(())
    }

    pub(super) fn give(&mut self, call: Call) -> Held {
        let (now, node) = (self.clock(call.node), call.node);
        let ticket = self.next_ticket(node);
        if let Some(room) = self.room(node) {
            room.merge_for(now, ticket, call.caller, call.update.clone());
            self.nodes[node].calls.insert(ticket, call);
        }
        self.drain_room(node)
    }

    /// What became of a call's update; `None`: the rights have changed, and it looks them up again.
    pub(super) fn given(&mut self, node: usize, ticket: u64, outcome: Option<Outcome>) {
        if let (Some(call), None) = (self.nodes[node].calls.remove(&ticket), outcome)
            && let Some(right) = self.rights.get(&call.caller.person).copied()
            && let Some(room) = self.room(node)
        {
            let caller = Caller { right, access: room.access(), ..call.caller };
            self.after(LOOKING_UP_MS, Event::Give(Call { caller, ..call }));
        }
    }

    /// A client's sign-in ends: every node lets go of its sessions, and it does not come back.
    pub(super) fn sign_out(&mut self, client: usize) -> Held {
        self.clients[client].is_signed_out = true;
        let serving: Vec<usize> =
            (0..self.nodes.len()).filter(|&node| self.room(node).is_some()).collect();
        self.clients[client].barriers = serving.len();
        for node in serving {
            let (now, ticket) = (self.clock(node), self.next_ticket(node));
            let lines = 0..self.lines.len();
            let own =
                lines.filter(|&l| self.lines[l].client == client && self.lines[l].node == node);
            let sessions: Vec<SessionId> = own.map(|line| self.lines[line].session).collect();
            let Some(room) = self.room(node) else { continue };
            for session in sessions {
                room.revoke(now, session, &Fault::new("signed_out"));
            }
            room.ask(now, Ask::Barrier(ticket));
            self.nodes[node].barriers.insert(ticket, client);
            self.drain_room(node)?;
        }
        if let Some(line) = self.clients[client].line {
            self.cut(line, 1);
        }
        Ok(())
    }

    /// A node has let go of a client. When all have, nothing of it may be stored any more.
    pub(super) fn passed(&mut self, node: usize, ticket: u64) {
        if let Some(client) = self.nodes[node].barriers.remove(&ticket) {
            let gone = &mut self.clients[client];
            gone.barriers -= 1;
            if let (0, Who::Tab(tab)) = (gone.barriers, &gone.who) {
                self.judge.signed_out(tab.id());
            }
        }
    }

    pub(super) fn next_ticket(&mut self, node: usize) -> u64 {
        self.nodes[node].ticket += 1;
        self.nodes[node].ticket
    }
}
