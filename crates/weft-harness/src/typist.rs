//! A client that types as fast as a quick person, and notes what it is told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use bytes::Bytes;
use fastrand::Rng;
use prost::Message;
use tokio::sync::watch;
use weft_core::{
    ClientId,
    client::{Follower, Output},
    machine::Machine,
    room::Outcome,
};
use weft_proto::{
    frame, kinds, order_wire,
    wire::{self, client_frame::Body as Out, entry::Body, server_frame::Body as In},
};
use yrs::{
    OffsetKind, Options, ReadTxn, StateVector, Text, Transact, Update, WriteTxn,
    updates::decoder::Decode,
};

use crate::{
    ledger::{RoomLedger, Seen},
    socket::{self, Lost, Socket},
    tally::Tally,
};

/// How long a client waits to be welcomed and attached, before it tries again.
const WELCOME_WAIT: Duration = Duration::from_secs(2);
/// The first wait before connecting again is drawn up to this, later ones double up to the second.
const BACKOFF_FIRST_MS: u64 = 500;
const BACKOFF_MAX_MS: u64 = 30_000;
/// Bytes of a cursor: more than any real one, so that who reads slowly falls behind soon.
const CURSOR_BYTES: usize = 4_000;

/// What all clients of a shift share.
#[derive(Default)]
pub struct Signals {
    /// Make no more operations.
    pub quiet: AtomicBool,
    /// How many have all their answers, and have made their last operation.
    pub settled: watch::Sender<usize>,
    /// What newcomers see of the rooms in the end. A client ends when it sees the same.
    pub goal: watch::Sender<BTreeMap<String, Seen>>,
    /// End, whatever is unanswered.
    pub end: watch::Sender<bool>,
    /// How often an operation was said not to be saved.
    pub not_saved: AtomicU32,
    /// Where the server is now; changes when it is started again.
    pub url: Mutex<String>,
    pub tally: Arc<Tally>,
}

pub struct Typist {
    pub token: String,
    pub person: Vec<u8>,
    pub room: String,
    pub is_order: bool,
    pub ledger: Arc<Mutex<RoomLedger>>,
    pub signals: Arc<Signals>,
    pub dice: Rng,
    /// Unlike any other client's of this run.
    pub name: String,
}

/// The client's replica and what it has under way.
struct Desk {
    follower: Option<Follower>,
    client: Option<u64>,
    replica: Replica,
    made: BTreeMap<u64, String>,
    words: u64,
    settled: bool,
}

enum Replica {
    Document(yrs::Doc),
    Order(Box<dyn Machine>),
}

impl Typist {
    /// Types until told to be quiet, and then until everything is answered and others see the same; or
    /// until told to end.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut end = self.signals.end.subscribe();
        tokio::select! {
            served = self.serve() => served,
            _ = end.wait_for(|end| *end) => Ok(()),
        }
    }

    async fn serve(&mut self) -> anyhow::Result<()> {
        let replica = if self.is_order {
            Replica::Order(kinds::open("order", None)?)
        } else {
            let mut options = Options::with_client_id(yrs::ClientID::new(self.dice.u64(..) >> 12));
            options.offset_kind = OffsetKind::Utf16;
            Replica::Document(yrs::Doc::with_options(options))
        };
        let (made, words, settled) = (BTreeMap::new(), 0, false);
        let mut desk = Desk { follower: None, client: None, replica, made, words, settled };
        let mut attempt = 0;
        loop {
            let error = match self.connect(&mut desk).await {
                Ok((mut socket, room)) => {
                    attempt = 0;
                    match self.work(&mut socket, &room, &mut desk).await {
                        Ok(()) => return Ok(()),
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            match error.downcast_ref::<Lost>() {
                None => return Err(error.context(format!("client {}", self.name))),
                Some(Lost(why)) if why == socket::SILENT => self.signals.tally.count("silent"),
                Some(Lost(_)) => {}
            }
            if let Some(follower) = &mut desk.follower {
                follower.disconnected();
            }
            let whole = BACKOFF_MAX_MS.min(BACKOFF_FIRST_MS << attempt);
            let least = if attempt == 0 { 0 } else { whole / 2 };
            attempt = (attempt + 1).min(16);
            tokio::time::sleep(Duration::from_millis(self.dice.u64(least..whole))).await;
        }
    }

    /// Opens a connection and attaches the room on it.
    async fn connect(&self, desk: &mut Desk) -> anyhow::Result<(Socket, Bytes)> {
        let url = self.signals.url.lock().expect("no panic").clone();
        let opening = async {
            let (mut socket, client) = Socket::open(&url, &self.token, desk.client).await?;
            desk.client = Some(client);
            let follower = desk.follower.get_or_insert_with(|| Follower::new(ClientId(client)));
            let attached = socket.attach(&self.room, follower.since()).await?;
            let state = attached.has_state.then(|| (attached.state_seq, attached.state.clone()));
            let entries = entries(attached.entries)?;
            follower.attached(now(), attached.epoch, attached.lineage, state, entries);
            Ok((socket, attached.room))
        };
        match tokio::time::timeout(WELCOME_WAIT, opening).await {
            Ok(opened) => opened,
            Err(_) => bail!(Lost("not welcomed".into())),
        }
    }

    async fn work(
        &mut self,
        socket: &mut Socket,
        room: &Bytes,
        desk: &mut Desk,
    ) -> anyhow::Result<()> {
        loop {
            self.carry_out(socket, room, desk).await?;
            socket.beat().await?;
            let quiet = self.signals.quiet.load(Ordering::Relaxed);
            let follower = desk.follower.as_mut().context("attached")?;
            if quiet && follower.pending() == 0 && !desk.settled {
                desk.settled = true;
                self.signals.settled.send_modify(|settled| *settled += 1);
            }
            if let Some(seen) = self.signals.goal.borrow().get(&self.room)
                && follower.head() >= seen.head
            {
                return seen.compare(follower.head(), desk.replica.machine()?.as_ref());
            }
            let pause = Duration::from_millis(self.dice.u64(5..40));
            tokio::select! {
                body = socket.next() => hear(follower, body?, &self.signals)?,
                () = tokio::time::sleep(pause) => {
                    if !quiet {
                        self.move_cursor(socket, room).await?;
                        if follower.pending() < 200 {
                            self.make(desk);
                        }
                    }
                }
            }
            if let Some(follower) = &mut desk.follower {
                follower.wake(now());
            }
        }
    }

    async fn move_cursor(&mut self, socket: &mut Socket, room: &Bytes) -> anyhow::Result<()> {
        let (room, data) = (room.clone(), vec![self.dice.u64(..) as u8; CURSOR_BYTES].into());
        socket.send(Out::Presence(wire::SetPresence { room, data })).await
    }

    /// Makes one operation.
    fn make(&mut self, desk: &mut Desk) {
        let (op, word) = match &desk.replica {
            Replica::Order(_) => {
                let adjust = order_wire::Adjust { line: 2, delta: 1 };
                let op = order_wire::order_op::Op::Adjust(adjust);
                self.ledger.lock().expect("no panic").made_item(&self.person);
                (order_wire::OrderOp { op: Some(op) }.encode_to_vec(), String::new())
            }
            Replica::Document(doc) => {
                desk.words += 1;
                let word = format!("{}-{}", self.name, desk.words);
                self.ledger.lock().expect("no panic").made_word(&word);
                let mut txn = doc.transact_mut();
                let text = txn.get_or_insert_text("t");
                // At the start, the end, or after one of the spaces that stand between words.
                let at = if self.dice.u64(0..2) == 0 { 0 } else { text.len(&txn) };
                text.insert(&mut txn, at, &format!("{word} "));
                (txn.encode_update_v1(), word)
            }
        };
        if let Some(follower) = &mut desk.follower {
            desk.made.insert(follower.make(op.into()), word);
        }
    }

    async fn carry_out(
        &self,
        socket: &mut Socket,
        room: &Bytes,
        desk: &mut Desk,
    ) -> anyhow::Result<()> {
        let client_id = desk.client.context("a client id")?;
        while let Some(output) = desk.follower.as_mut().and_then(Follower::poll_output) {
            let room = room.clone();
            match output {
                Output::Submit(client_seq, op) => {
                    socket
                        .send(Out::Submit(wire::Submit { room, client_id, client_seq, op }))
                        .await?;
                }
                Output::Pull(after_seq) => {
                    socket.send(Out::Pull(wire::Pull { room, after_seq })).await?;
                }
                Output::Apply(entry) => {
                    if let weft_core::Body::Effect(effect) = &entry.body {
                        desk.replica.apply(effect, entry.client.0 == client_id)?;
                    }
                }
                Output::Reset(_, state) => desk.replica.reset(&state)?,
                Output::Settled(client_seq, Ok(_)) => {
                    let word = desk.made.remove(&client_seq).unwrap_or_default();
                    let mut ledger = self.ledger.lock().expect("no panic");
                    if self.is_order {
                        ledger.saved_item(&self.person);
                    } else {
                        ledger.saved_word(&word);
                    }
                }
                Output::Settled(client_seq, Err(fault)) => {
                    bail!("operation {client_seq} was refused: {fault}");
                }
                Output::Orphaned(_) => bail!("the content was replaced"),
            }
        }
        Ok(())
    }
}

impl Replica {
    fn apply(&mut self, effect: &Bytes, is_own: bool) -> anyhow::Result<()> {
        match self {
            Self::Document(_) if is_own => Ok(()),
            Self::Document(doc) => merge(doc, effect),
            Self::Order(machine) => Ok(machine.apply(effect)?),
        }
    }

    fn reset(&mut self, state: &Bytes) -> anyhow::Result<()> {
        match self {
            Self::Document(_) if state.is_empty() => {}
            Self::Document(doc) => merge(doc, state)?,
            Self::Order(machine) => *machine = kinds::open("order", Some(state))?,
        }
        Ok(())
    }

    /// The same, as a server would hold it.
    fn machine(&self) -> anyhow::Result<Box<dyn Machine>> {
        let (kind, state) = match self {
            Self::Document(doc) => {
                ("doc", doc.transact().encode_state_as_update_v1(&StateVector::default()).into())
            }
            Self::Order(machine) => ("order", machine.snapshot()),
        };
        Ok(kinds::open(kind, Some(&state))?)
    }
}

fn merge(doc: &yrs::Doc, update: &Bytes) -> anyhow::Result<()> {
    doc.transact_mut().apply_update(Update::decode_v1(update)?)?;
    anyhow::ensure!(!doc.transact().has_missing_updates(), "an update came too early");
    Ok(())
}

fn hear(follower: &mut Follower, body: In, signals: &Signals) -> anyhow::Result<()> {
    match body {
        In::Events(events) => follower.events(now(), entries(events.entries)?),
        In::State(state) => follower.state(now(), state.seq, state.state),
        In::Resync(_) => {
            signals.tally.count("resync");
            follower.resync();
        }
        In::Storing(storing) => follower.storing(storing.ok),
        In::Outcomes(outcomes) => {
            use wire::outcome::Is;
            for outcome in outcomes.outcomes {
                let is = match outcome.is.context("an outcome")? {
                    Is::Accepted(seq) => Outcome::Accepted(seq),
                    Is::Refused(fault) => Outcome::Refused(frame::fault_from_wire(fault)),
                    Is::NotSaved(fault) => {
                        signals.not_saved.fetch_add(1, Ordering::Relaxed);
                        Outcome::NotSaved(frame::fault_from_wire(fault))
                    }
                    Is::Missing(from) => Outcome::Missing(from),
                };
                follower.outcome(now(), outcome.client_seq, is);
            }
        }
        In::Detached(detached) => return Err(socket::gone(detached)),
        In::Trouble(trouble) => bail!("trouble: {:?}", trouble.fault),
        _ => {}
    }
    Ok(())
}

fn entries(entries: Vec<wire::Entry>) -> anyhow::Result<Vec<Arc<weft_core::Entry>>> {
    let known =
        |entry: &wire::Entry| matches!(entry.body, Some(Body::Created(_) | Body::Effect(_)));
    entries.into_iter().filter(known).map(|entry| Ok(Arc::new(frame::entry(entry)?))).collect()
}

/// Milliseconds of this process.
fn now() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}
