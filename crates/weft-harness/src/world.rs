//! The people and rooms of a run, and their work.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, bail};
use fastrand::Rng;
use tokio::{task::JoinSet, time::timeout};
use weft_core::{PersonId, client::Follower};
use weft_proto::{order_wire, wire::client_frame::Body as Out};

use crate::{
    Common,
    api::Api,
    ledger::{RoomLedger, Seen},
    socket::Socket,
    tally::Tally,
    typist::{Signals, Typist},
};

/// How long clients may take to get all their answers once all is well, and then to see the same.
const SETTLE_MAX: Duration = Duration::from_secs(60);

pub struct World {
    owner: String,
    people: Vec<Person>,
    rooms: Vec<Room>,
    /// What happened.
    pub tally: Arc<Tally>,
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
    typists: JoinSet<anyhow::Result<()>>,
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
        Ok(Self { owner, people, rooms, tally: Arc::default() })
    }

    /// Everybody starts to type.
    pub fn work(&self, url: &str, shift: usize, dice: &mut Rng) -> Shift {
        let tally = Arc::clone(&self.tally);
        let signals = Arc::new(Signals { tally, ..Signals::default() });
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
                dice: Rng::with_seed(dice.u64(..)),
                name: format!("s{shift}p{n}"),
            };
            typist.run()
        });
        Shift { typists: typists.collect(), signals }
    }

    /// Reads every room as a newcomer and compares it with what was told.
    pub async fn check(&self, url: &str) -> anyhow::Result<BTreeMap<String, Seen>> {
        let mut seen = BTreeMap::new();
        for room in &self.rooms {
            // Nobody else is at work; the lock is for the typists' sake.
            let mut ledger = room.ledger.lock().expect("no panic").clone();
            seen.insert(room.id.clone(), ledger.check(url, &self.owner, &room.id).await?);
            *room.ledger.lock().expect("no panic") = ledger;
        }
        Ok(seen)
    }

    /// Ends a shift once every operation has its answer. Then whatever was told is so, and each client
    /// sees what a newcomer sees.
    pub async fn finish(&self, url: &str, mut shift: Shift) -> anyhow::Result<()> {
        let settled = timeout(SETTLE_MAX, shift.settle()).await;
        settled.context("not everything is answered in time")??;
        shift.signals.goal.send_replace(self.check(url).await?);
        let joined = timeout(SETTLE_MAX, shift.join()).await;
        joined.context("not everybody sees the same in time")?
    }

    /// The same, with what had been told by a time (nanoseconds of the wall clock).
    pub async fn check_as_of(&self, url: &str, until: u64) -> anyhow::Result<()> {
        for room in &self.rooms {
            let mut ledger = room.ledger.lock().expect("no panic").as_of(until);
            ledger.check(url, &self.owner, &room.id).await?;
        }
        Ok(())
    }

    /// How many operations are known to be saved.
    pub fn saved(&self) -> usize {
        self.rooms.iter().map(|room| room.ledger.lock().expect("no panic").saved()).sum()
    }
}

impl Shift {
    /// Ends, whatever is unanswered.
    pub async fn drop_everything(self) -> anyhow::Result<()> {
        self.signals.end.send_replace(true);
        self.join().await
    }

    /// No more operations; waits until each has its answer.
    async fn settle(&mut self) -> anyhow::Result<()> {
        self.signals.quiet.store(true, Ordering::Relaxed);
        let (mut settled, all) = (self.signals.settled.subscribe(), self.typists.len());
        tokio::select! {
            _ = settled.wait_for(|settled| *settled == all) => Ok(()),
            Some(ended) = self.typists.join_next() => {
                ended??;
                bail!("a client ended before it was told to")
            }
        }
    }

    async fn join(mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.typists.join_next().await {
            ended??;
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
