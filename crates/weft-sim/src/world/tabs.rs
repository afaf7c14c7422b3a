//! Native clients: the real client's end of the protocol around a replica. What a tab has made and
//! nobody has answered outlives it.

use weft_core::{
    ClientId, Millis, Seq,
    client::{Follower, Output},
    machine::Digest,
    room::{Message, Since},
};

use super::{Event, Held, Who, World, network::ToServer};
use crate::{judge::Broken, replica::Replica};

/// A tab that shows the room.
pub struct Tab {
    client: ClientId,
    follower: Follower,
    replica: Replica,
    /// Whether it has shown the room; before that nobody can type.
    has_begun: bool,
    is_attached: bool,
}

impl Tab {
    pub fn new(kind: &'static str, client: u64, yjs_client: u64) -> Self {
        let client = ClientId(client);
        let (follower, replica) = (Follower::new(client), Replica::new(kind, yjs_client));
        Self { client, follower, replica, has_begun: false, is_attached: false }
    }

    /// The tab is loaded anew, or another one takes over what it has kept.
    pub fn reload(&mut self, kind: &'static str, yjs_client: u64) {
        let kept = self.follower.unanswered().cloned().collect();
        let next = self.follower.next_client_seq();
        *self = Self {
            follower: Follower::restore(self.client, next, kept),
            ..Self::new(kind, self.client.0, yjs_client)
        };
    }

    pub const fn id(&self) -> ClientId {
        self.client
    }

    pub const fn since(&self) -> Since {
        self.follower.since()
    }

    pub fn disconnected(&mut self) {
        self.is_attached = false;
        self.follower.disconnected();
    }

    pub fn pending(&self) -> impl Iterator<Item = (ClientId, u64)> {
        self.follower.unanswered().map(|(n, _)| (self.client, *n))
    }

    /// What must be so when all has come to rest.
    pub fn rested(&self, at: usize, head: Seq, digest: Digest) -> Held {
        if !self.is_attached {
            return Err(Broken(format!("client {at} does not follow the room")));
        }
        if let Some((n, _)) = self.follower.unanswered().next() {
            return Err(Broken(format!("client {at} has no answer to {n}")));
        }
        if self.follower.head() != head {
            let is = self.follower.head();
            return Err(Broken(format!("client {at} is at {is}, the log at {head}")));
        }
        if self.replica.digest() != digest {
            return Err(Broken(format!("client {at} differs from the log at {head}")));
        }
        Ok(())
    }
}

impl World {
    fn tab(&mut self, client: usize) -> &mut Tab {
        match &mut self.clients[client].who {
            Who::Tab(tab) => tab,
            Who::Merger(_) => unreachable!("client {client} follows the log"),
        }
    }

    pub(super) fn act_in_tab(&mut self, client: usize) -> Held {
        let (mut dice, head) = (self.dice.clone(), self.database.head());
        let tab = self.tab(client);
        if !tab.has_begun {
            return Ok(());
        }
        let op = tab.replica.operate(&mut dice, head);
        let n = tab.follower.make(op.clone());
        let id = tab.client;
        self.dice = dice;
        self.counts.ops += 1;
        self.trace.note(self.now, &[4, id.0, n], || format!("client {client} makes {}/{n}", id.0));
        self.judge.made(id, n, op)?;
        self.drain_tab(client)
    }

    pub(super) fn tab_hears(&mut self, client: usize, message: Message) -> Held {
        let now = self.now;
        let tab = self.tab(client);
        let id = tab.client;
        match message {
            Message::Attached(attached) => {
                (tab.is_attached, tab.has_begun) = (true, true);
                let attached = *attached;
                if attached.head < tab.follower.head() {
                    let (was, is) = (tab.follower.head(), attached.head);
                    return Err(Broken(format!("client {client} went back from {was} to {is}")));
                }
                let (epoch, lineage) = (attached.epoch, attached.lineage);
                tab.follower.attached(now, epoch, lineage, attached.state, attached.entries);
            }
            Message::Outcomes(client, outcomes) if client == id => {
                for (n, outcome) in outcomes {
                    tab.follower.outcome(now, n, outcome);
                }
            }
            Message::Events(entries) => tab.follower.events(now, entries),
            Message::State { seq, state, .. } => tab.follower.state(now, seq, state),
            Message::Storing(ok) => tab.follower.storing(ok),
            Message::Trouble(fault) => {
                return Err(Broken(format!("client {client} heard {fault}")));
            }
            _ => {}
        }
        self.drain_tab(client)
    }

    pub(super) fn resync(&mut self, line: usize) -> Held {
        let client = self.lines[line].client;
        if self.lines[line].is_cut || self.clients[client].line != Some(line) {
            return Ok(());
        }
        self.tab(client).follower.resync();
        self.drain_tab(client)
    }

    /// Compares the tab's replica with the room, as a tab does that has come to rest.
    pub(super) fn compare(&mut self, client: usize) {
        let line = self.clients[client].line;
        let tab = self.tab(client);
        if let (true, Some(line)) = (tab.is_attached, line) {
            let question = ToServer::Compare(tab.follower.head(), tab.replica.digest());
            self.say_to_server(line, question);
        }
    }

    pub(super) fn wake_client(&mut self, client: usize) -> Held {
        self.clients[client].wake_at = None;
        let now = self.now;
        if let Who::Tab(tab) = &mut self.clients[client].who {
            tab.follower.wake(now);
            self.drain_tab(client)?;
        }
        Ok(())
    }

    pub(super) fn drain_tab(&mut self, client: usize) -> Held {
        let line = self.clients[client].line;
        let mut fresh = None;
        while let Some(output) = self.tab(client).follower.poll_output() {
            let tab = self.tab(client);
            let id = tab.client;
            match output {
                Output::Submit(n, op) => {
                    if let Some(line) = line {
                        self.say_to_server(line, ToServer::Submit(id, n, op));
                    }
                }
                Output::Pull(after) => {
                    if let Some(line) = line {
                        self.say_to_server(line, ToServer::Pull(after));
                    }
                }
                Output::Apply(entry) => tab.replica.apply(&entry),
                Output::Reset(_, state) => {
                    let yjs_client = self.yjs_client();
                    let tab = self.tab(client);
                    let kept: Vec<_> =
                        tab.follower.unanswered().map(|(_, op)| op.clone()).collect();
                    tab.replica.reset(&state, kept.iter(), yjs_client);
                }
                Output::Settled(n, outcome) => {
                    if outcome.is_err() {
                        fresh = Some(self.yjs_client());
                    }
                    let outcome = outcome.map_err(|fault| fault.code.to_string());
                    self.trace.note(self.now, &[5, id.0, n, u64::from(outcome.is_ok())], || {
                        format!("client {client} takes {}/{n} for {outcome:?}", id.0)
                    });
                    self.judge.settled(id, n, outcome)?;
                }
                Output::Orphaned(_) => {
                    return Err(Broken(format!("client {client} keeps work of another lineage")));
                }
            }
        }
        if let Some(yjs_client) = fresh {
            // What was refused is not seen any more.
            let tab = self.tab(client);
            let kept: Vec<_> = tab.follower.unanswered().map(|(_, op)| op.clone()).collect();
            tab.replica.see(kept.iter(), yjs_client);
        }
        self.schedule_client(client);
        Ok(())
    }

    fn schedule_client(&mut self, client: usize) {
        let wants: Option<Millis> = self.tab(client).follower.next_wake();
        let planned = self.clients[client].wake_at;
        if let Some(at) = wants.filter(|at| planned.is_none_or(|planned| *at < planned)) {
            self.clients[client].wake_at = Some(at);
            self.at(at, Event::WakeClient(client));
        }
    }
}
