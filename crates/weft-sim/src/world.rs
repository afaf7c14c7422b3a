//! The world of one schedule: its clock, what is going to happen next, and everybody in it.
//!
//! `nodes` are servers with a room each, `deliverers` what they put into an inbox, `tabs`, `mergers` and `callers`
//! are clients, `network` is between them (for Yjs clients also `exchanges`), `faults` is what goes wrong. All of
//! them only ever act on the event that is next in time.

mod callers;
mod deliverers;
mod exchanges;
mod faults;
mod mergers;
mod network;
mod nodes;
mod tabs;

use std::collections::BTreeMap;

use fastrand::Rng;
use weft_core::{
    Millis, PersonId, Right, Seq,
    exchange::ToRoom,
    kind::{doc::Doc, inbox::Inbox},
    room::Committed,
};

use crate::{
    database::{Database, Request, Rights},
    judge::{Broken, Judge},
    trace::Trace,
};
use callers::Call;
use deliverers::{Deliveries, Step};
use faults::Fault;
use mergers::Merger;
pub use network::ToServer;
use network::{Line, ToMerger};
use nodes::Node;
use tabs::Tab;
use weft_core::room::{Loaded, Message};

/// What people do in one schedule.
pub const OPS: u64 = 100;
/// The time in which they do it, and in which things go wrong.
const BUSY_MS: Millis = 4_000;
/// The time after which all must be well again.
const REST_MS: Millis = 3_000;
/// More events than that in one schedule mean that something goes in circles.
const EVENTS_MAX: u64 = 200_000;

type Held = Result<(), Broken>;

/// What was done in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Operations that people made.
    pub ops: u64,
    /// Things that went wrong.
    pub faults: u64,
    /// Operations that clients know to be stored.
    pub accepted: u64,
    /// Operations that clients know to be refused.
    pub refused: u64,
}

/// Something that is going to happen.
enum Event {
    /// A person does something at a client.
    Act(usize),
    /// Something happens at a node of which the person of the inbox is to be told.
    Tell(usize),
    /// The person makes a room quiet, or loud again.
    Mute(u64),
    /// In this pass of a node's deliverer this is next.
    Deliver(usize, u64, Step),
    /// Something goes wrong.
    Fault(Fault),
    /// A message arrives at the server's end of a line.
    ToServer(usize, ToServer),
    /// A message arrives at the client's end of a line.
    ToClient(usize, Message),
    /// The same, for a Yjs client.
    ToMerger(usize, ToMerger),
    /// A Yjs client's exchange asks the room of its line's node.
    ToRoom(usize, ToRoom),
    /// The room says something to the exchange at its end of a line.
    FromRoom(usize, Box<Message>),
    /// A client hears that it was not sent some entries, and has to pull.
    Resync(usize),
    /// The server's end of a line notices that the line is gone.
    ServerLost(usize),
    /// The client's end notices.
    ClientLost(usize),
    /// A client connects, if it is not connected.
    Connect(usize),
    /// A client wanted to be woken.
    WakeClient(usize),
    /// A room wanted to be woken.
    WakeNode(usize),
    /// A program that has looked up what it may do gives its update.
    Give(Call),
    /// A request reaches the database.
    Request(usize, u64, Request),
    /// The database carries a request out.
    Carry(u64),
    /// The database's answer reaches the life of a node that asked.
    Answer(usize, u64, Answer),
    /// A node is told of a change of rights.
    Rights(usize, u64),
    /// A room's question for rights is answered.
    LookedUp(usize, u64, Vec<PersonId>),
    /// A node hears how far the log is.
    Head(usize, Seq, u64),
    /// A node asks the database for the head.
    Poll(usize),
    /// A node that crashed starts again.
    Start(usize),
}

/// What the database answers.
enum Answer {
    /// To an append.
    Committed(Committed),
    /// To a question for everything.
    Loaded(Option<Box<Loaded>>),
    /// To a question for the head: this far is the log; and what a line has said.
    Head(Seq, u64, usize, ToServer),
    /// To a snapshot: its seq and the number of its bytes.
    Saved(Seq, Option<usize>),
}

/// See the module's documentation.
pub struct World {
    pub trace: Trace,
    pub counts: Counts,
    kind: &'static str,
    now: Millis,
    dice: Rng,
    judge: Judge,
    events: BTreeMap<(Millis, u64), Event>,
    next_event: u64,
    database: Database,
    /// The rights in the metadata, which change before the database's guard does.
    rights: Rights,
    deliveries: Deliveries,
    requests: BTreeMap<u64, (usize, u64, Request)>,
    busy_until: Millis,
    weather: faults::Weather,
    is_calm: bool,
    nodes: Vec<Node>,
    lines: Vec<Line>,
    clients: Vec<Client>,
    next_yjs_client: u64,
}

/// Somebody's tab or program.
struct Client {
    person: PersonId,
    line: Option<usize>,
    wake_at: Option<Millis>,
    is_signed_out: bool,
    /// How many nodes have not let go of it yet.
    barriers: usize,
    who: Who,
}

enum Who {
    /// One that follows the log.
    Tab(Box<Tab>),
    /// One that brings a replica of its own.
    Merger(Box<Merger>),
}

fn person(n: u64) -> PersonId {
    PersonId::from_bytes([n as u8 + 1; 16])
}

impl World {
    /// The world of a seed, before anything has happened.
    pub fn new(kind: &'static str, seed: u64, keeps_text: bool) -> Self {
        let mut dice = Rng::with_seed(seed ^ 0x5eed_0000_0000_0000);
        let nodes = [1, 1, 1, 2, 3][dice.usize(..5)];
        let people = dice.u64(2..4);
        let rights: Rights = (0..people).map(|n| (person(n), Right::Manage)).collect();
        let mut world = Self {
            trace: Trace::new(keeps_text),
            counts: Counts::default(),
            kind,
            now: 0,
            judge: Judge::default(),
            events: BTreeMap::new(),
            next_event: 0,
            database: Database::new(kind, rights.clone(), &[]),
            rights,
            deliveries: Deliveries::default(),
            requests: BTreeMap::new(),
            busy_until: 0,
            weather: faults::Weather::default(),
            is_calm: false,
            nodes: Vec::new(),
            lines: Vec::new(),
            clients: Vec::new(),
            next_yjs_client: 1,
            dice,
        };
        for _ in 0..nodes {
            let node = Node::new(kind, &mut world.dice);
            world.nodes.push(node);
        }
        if kind == Inbox::NAME {
            world.begin_with_history();
        }
        let tabs = world.dice.u64(2..if kind == Inbox::NAME { 7 } else { 5 });
        let mergers = if kind == Doc::NAME { world.dice.u64(0..3) } else { 0 };
        for n in 0..tabs + mergers {
            let id = world.yjs_client();
            let who = match n < tabs {
                true => Who::Tab(Box::new(Tab::new(kind, n + 1, id))),
                false => Who::Merger(Box::new(Merger::new(world.dice.u64(0..3), id))),
            };
            let person = person(world.dice.u64(0..people));
            world.clients.push(Client {
                person,
                line: None,
                wake_at: None,
                is_signed_out: false,
                barriers: 0,
                who,
            });
            world.at(n, Event::Connect(n as usize));
        }
        world.plan();
        world
    }

    /// What people are going to do, and what is going to go wrong.
    fn plan(&mut self) {
        for _ in 0..OPS {
            let (at, who) = (self.dice.u64(20..BUSY_MS), self.dice.usize(..self.clients.len()));
            let telling = self.draw_telling();
            self.at(at, telling.unwrap_or(Event::Act(who)));
        }
        for _ in 0..self.dice.u64(10..17) {
            let at = self.dice.u64(20..BUSY_MS);
            let fault = self.draw_fault();
            self.at(at, Event::Fault(fault));
        }
        if self.nodes.len() > 1 {
            for node in 0..self.nodes.len() {
                self.at(node as u64 * 300, Event::Poll(node));
            }
        }
    }

    /// Something happens at a time; what was planned first for one time happens first.
    fn at(&mut self, at: Millis, event: Event) {
        self.next_event += 1;
        self.events.insert((at.max(self.now), self.next_event), event);
    }

    /// Something happens in a while.
    fn after(&mut self, ms: std::ops::Range<Millis>, event: Event) {
        let at = self.now + self.dice.u64(ms);
        self.at(at, event);
    }

    /// A Yjs client id that nobody has used.
    fn yjs_client(&mut self) -> u64 {
        self.next_yjs_client += 1;
        self.next_yjs_client
    }

    /// Runs the schedule, and then waits until all must be well again.
    pub fn run(&mut self) -> Held {
        self.run_until(BUSY_MS)?;
        self.calm();
        self.run_until(BUSY_MS + REST_MS)?;
        self.rested()
    }

    fn run_until(&mut self, end: Millis) -> Held {
        while let Some((&(at, _), _)) = self.events.first_key_value()
            && at < end
            && let Some((_, event)) = self.events.pop_first()
        {
            self.now = at;
            if self.next_event > EVENTS_MAX {
                return Err(Broken("it goes in circles".to_owned()));
            }
            self.happen(event)?;
        }
        self.now = end;
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Held {
        match event {
            Event::Act(client) => self.act(client),
            Event::Tell(node) => self.tell(node),
            Event::Mute(room) => {
                self.mute(room);
                Ok(())
            }
            Event::Deliver(node, pass, step) => self.deliver(node, pass, step),
            Event::Fault(fault) => self.fail(fault),
            Event::ToServer(line, message) => self.server_hears(line, message),
            Event::ToClient(line, message) => self.client_hears(line, message),
            Event::ToMerger(line, said) => self.merger_hears(line, said),
            Event::ToRoom(line, question) => self.room_hears(line, question),
            Event::FromRoom(line, message) => self.exchange_hears(line, *message),
            Event::Resync(line) => self.resync(line),
            Event::ServerLost(line) => self.server_lost(line),
            Event::ClientLost(line) => self.client_lost(line),
            Event::Connect(client) => self.connect(client),
            Event::WakeClient(client) => self.wake_client(client),
            Event::WakeNode(node) => self.wake_node(node),
            Event::Give(call) => self.give(call),
            Event::Request(node, life, request) => self.take_request(node, life, request),
            Event::Carry(id) => self.carry_out(id),
            Event::Answer(node, life, answer) => self.answered(node, life, answer),
            Event::Rights(node, access) => self.tell_rights(node, access),
            Event::LookedUp(node, life, people) => self.looked_up(node, life, people),
            Event::Head(node, head, answers) => self.noticed(node, head, answers),
            Event::Poll(node) => self.poll(node),
            Event::Start(node) => self.start(node),
        }
    }

    /// A person does something at a client.
    fn act(&mut self, client: usize) -> Held {
        match &mut self.clients[client].who {
            Who::Tab(_) => self.act_in_tab(client),
            Who::Merger(_) => self.act_in_merger(client),
        }
    }

    /// All that people made is stored once, refused or still with its maker, and who follows the room
    /// has what the log says.
    fn rested(&mut self) -> Held {
        let (accepted, refused) = self.judge.counts();
        (self.counts.accepted, self.counts.refused) = (accepted as u64, refused as u64);
        let tabs = self.clients.iter().filter_map(|client| match &client.who {
            Who::Tab(tab) => Some(tab),
            Who::Merger(_) => None,
        });
        let pending: std::collections::BTreeSet<_> = tabs.flat_map(|tab| tab.pending()).collect();
        if let Some(delivery) = self.deliveries.any() {
            return Err(Broken(format!("delivery {delivery} still waits")));
        }
        self.judge.rested(|client, n| pending.contains(&(client, n)))?;
        let truth = self.database.load();
        self.judge.asked(self.kind, &self.database.entries, &truth.machine.snapshot())?;
        for at in 0..self.clients.len() {
            let client = &self.clients[at];
            let right = self.rights.get(&client.person);
            let Some(&right) = right.filter(|_| !client.is_signed_out) else { continue };
            match &client.who {
                Who::Tab(tab) => tab.rested(at, truth.head, truth.machine.digest())?,
                Who::Merger(merger) => merger.rested(at, right, &*truth.machine)?,
            }
        }
        Ok(())
    }
}
