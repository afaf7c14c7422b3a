//! The people and rooms of a run, and their work.

use std::sync::{Arc, Mutex, atomic::Ordering};

use anyhow::Context;
use tokio::task::JoinHandle;
use weft_core::{PersonId, client::Follower};
use weft_proto::{order_wire, wire::client_frame::Body as Out};

use crate::{
    Common,
    api::Api,
    dice::Dice,
    ledger::RoomLedger,
    socket::Socket,
    typist::{Signals, Typist},
};

pub struct World {
    owner: String,
    people: Vec<Person>,
    rooms: Vec<Room>,
}

struct Person {
    token: String,
    id: Vec<u8>,
}

struct Room {
    id: String,
    is_order: bool,
    ledger: Arc<Mutex<RoomLedger>>,
}

/// Clients at work.
pub struct Shift {
    pub signals: Arc<Signals>,
    typists: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl World {
    pub async fn make(url: &str, common: &Common) -> anyhow::Result<Self> {
        let api = Api::new(url);
        let (owner, _) = api.register("owner").await?;
        let mut people = Vec::new();
        for n in 0..common.clients {
            let (token, id) = api.register(&format!("person{n}")).await?;
            let id: PersonId = id.parse().context("a person's id")?;
            people.push(Person { token, id: id.as_bytes().to_vec() });
        }
        let mut rooms = Vec::new();
        for n in 0..common.rooms {
            let is_order = n % 5 == 4;
            let kind = if is_order { "order" } else { "doc" };
            let id = api.create_room(&owner, kind, &format!("Room {n}")).await?;
            if is_order {
                add_line(url, &owner, &id).await?;
            }
            rooms.push(Room { id, is_order, ledger: Arc::default() });
        }
        for n in 0..people.len() {
            api.grant(&owner, &rooms[n % rooms.len()].id, &format!("person{n}")).await?;
        }
        Ok(Self { owner, people, rooms })
    }

    /// Everybody starts to type.
    pub fn work(&self, url: &str, comes_back: bool, shift: usize, dice: &mut Dice) -> Shift {
        let signals = Arc::new(Signals::default());
        url.clone_into(&mut signals.url.lock().expect("no panic"));
        let typists = self.people.iter().enumerate().map(|(n, person)| {
            let room = &self.rooms[n % self.rooms.len()];
            let typist = Typist {
                token: person.token.clone(),
                person: person.id.clone(),
                room: room.id.clone(),
                is_order: room.is_order,
                ledger: Arc::clone(&room.ledger),
                signals: Arc::clone(&signals),
                comes_back,
                dice: Dice::new(dice.next()),
                name: format!("s{shift}p{n}"),
            };
            tokio::spawn(typist.run())
        });
        Shift { typists: typists.collect(), signals }
    }

    /// Reads every room as a newcomer and compares it with what was told.
    pub async fn check(&self, url: &str) -> anyhow::Result<()> {
        for room in &self.rooms {
            // Nobody else is at work; the lock is for the typists' sake.
            let mut ledger = room.ledger.lock().expect("no panic").clone();
            ledger.check(url, &self.owner, &room.id).await?;
            *room.ledger.lock().expect("no panic") = ledger;
        }
        Ok(())
    }

    /// How many operations are known to be saved.
    pub fn saved(&self) -> usize {
        self.rooms.iter().map(|room| room.ledger.lock().expect("no panic").saved()).sum()
    }
}

impl Shift {
    /// No more operations; waits until each has its answer.
    pub async fn finish(self) -> anyhow::Result<()> {
        self.signals.quiet.store(true, Ordering::Relaxed);
        self.join().await
    }

    /// Ends, whatever is unanswered.
    pub async fn drop_everything(self) -> anyhow::Result<()> {
        self.signals.end.store(true, Ordering::Relaxed);
        self.join().await
    }

    async fn join(self) -> anyhow::Result<()> {
        for typist in self.typists {
            typist.await??;
        }
        Ok(())
    }
}

/// The order's only line; entry 2 of its log, so that everybody knows its id.
async fn add_line(url: &str, token: &str, room: &str) -> anyhow::Result<()> {
    use prost::Message;
    let (mut socket, client_id) = Socket::open(url, token, None).await?;
    let follower = Follower::new(weft_core::ClientId(client_id));
    let attached = socket.attach(room, follower.since()).await?;
    let line = order_wire::AddLine { name: "Noodles".into(), price_minor: 1800, stock: None };
    let op = order_wire::OrderOp { op: Some(order_wire::order_op::Op::AddLine(line)) };
    let op = op.encode_to_vec().into();
    let submit = weft_proto::wire::Submit { room: attached.room, client_id, client_seq: 1, op };
    socket.send(Out::Submit(submit)).await?;
    loop {
        if let weft_proto::wire::server_frame::Body::Outcomes(_) = socket.next().await? {
            return Ok(());
        }
    }
}
