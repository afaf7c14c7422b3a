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
use prost::Message;
use weft_core::{
    ClientId, Fault,
    client::{Follower, Output},
    room::Outcome,
};
use weft_proto::{
    frame, order_wire,
    wire::{self, client_frame::Body as Out, entry::Body, server_frame::Body as In},
};
use yrs::{
    OffsetKind, Options, ReadTxn, Text, Transact, Update, WriteTxn, updates::decoder::Decode,
};

use crate::{dice::Dice, ledger::RoomLedger, socket::Socket};

/// What all clients of a run share.
#[derive(Default)]
pub struct Signals {
    /// Make no more operations.
    pub quiet: AtomicBool,
    /// End, whatever is unanswered.
    pub end: AtomicBool,
    /// How often an operation was said not to be saved.
    pub not_saved: AtomicU32,
    /// Where the server is now; changes when it is started again.
    pub url: Mutex<String>,
}

pub struct Typist {
    pub token: String,
    pub person: Vec<u8>,
    pub room: String,
    pub is_order: bool,
    pub ledger: Arc<Mutex<RoomLedger>>,
    pub signals: Arc<Signals>,
    /// Whether to come back when the connection is lost.
    pub comes_back: bool,
    pub dice: Dice,
    /// Unlike any other client's of this run.
    pub name: String,
}

/// The client's replica and what it has under way.
struct Desk {
    follower: Option<Follower>,
    client: Option<u64>,
    doc: yrs::Doc,
    made: BTreeMap<u64, String>,
    words: u64,
}

impl Typist {
    /// Types until told to end, or (if it does not come back) until the connection is lost.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut options = Options::with_client_id(yrs::ClientID::new(self.dice.next() >> 12));
        options.offset_kind = OffsetKind::Utf16;
        let doc = yrs::Doc::with_options(options);
        let mut desk = Desk { follower: None, client: None, doc, made: BTreeMap::new(), words: 0 };
        loop {
            let url = self.signals.url.lock().expect("no panic").clone();
            let served = self.serve(&url, &mut desk).await;
            if let Some(follower) = &mut desk.follower {
                follower.disconnected();
            }
            match served {
                Ok(()) => return Ok(()),
                Err(error) if error.is::<Refused>() => return Err(error),
                Err(_) if !self.comes_back || self.signals.end.load(Ordering::Relaxed) => {
                    return Ok(());
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(self.dice.pick(20..100))).await,
            }
        }
    }

    async fn serve(&mut self, url: &str, desk: &mut Desk) -> anyhow::Result<()> {
        let (mut socket, client) = Socket::open(url, &self.token, desk.client).await?;
        desk.client = Some(client);
        let follower = desk.follower.get_or_insert_with(|| Follower::new(ClientId(client)));
        let attached = socket.attach(&self.room, follower.since()).await?;
        let state = attached.has_state.then(|| (attached.state_seq, attached.state.clone()));
        let entries = entries(attached.entries)?;
        follower.attached(now(), attached.epoch, attached.lineage, state, entries);
        let room = attached.room;
        loop {
            self.carry_out(&mut socket, &room, desk).await?;
            let follower = desk.follower.as_mut().context("attached")?;
            let quiet = self.signals.quiet.load(Ordering::Relaxed);
            let done = quiet && follower.pending() == 0;
            if done || self.signals.end.load(Ordering::Relaxed) {
                return Ok(());
            }
            let pause = Duration::from_millis(self.dice.pick(5..40));
            tokio::select! {
                body = socket.next() => hear(follower, body?, &self.signals)?,
                () = tokio::time::sleep(pause) => {
                    if !quiet && follower.pending() < 200 {
                        self.make(desk);
                    }
                }
            }
            if let Some(follower) = &mut desk.follower {
                follower.wake(now());
            }
        }
    }

    /// Makes one operation.
    fn make(&mut self, desk: &mut Desk) {
        let (op, word) = if self.is_order {
            let adjust = order_wire::Adjust { line: 2, delta: 1 };
            let op = order_wire::order_op::Op::Adjust(adjust);
            self.ledger.lock().expect("no panic").made_item(&self.person);
            (order_wire::OrderOp { op: Some(op) }.encode_to_vec(), String::new())
        } else {
            desk.words += 1;
            let word = format!("{}-{}", self.name, desk.words);
            self.ledger.lock().expect("no panic").made_word(&word);
            let mut txn = desk.doc.transact_mut();
            let text = txn.get_or_insert_text("t");
            // At the start, the end, or after one of the spaces that stand between words.
            let at = if self.dice.pick(0..2) == 0 { 0 } else { text.len(&txn) };
            text.insert(&mut txn, at, &format!("{word} "));
            (txn.encode_update_v1(), word)
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
                    if let weft_core::Body::Effect(effect) = &entry.body
                        && entry.client.0 != client_id
                    {
                        self.merge(desk, effect)?;
                    }
                }
                Output::Reset(_, state) => self.merge(desk, &state)?,
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
                    return Err(Refused(client_seq, fault).into());
                }
                Output::Orphaned(_) => bail!("the content was replaced"),
            }
        }
        Ok(())
    }

    fn merge(&self, desk: &Desk, update: &Bytes) -> anyhow::Result<()> {
        if !self.is_order && !update.is_empty() {
            desk.doc.transact_mut().apply_update(Update::decode_v1(update)?)?;
            anyhow::ensure!(!desk.doc.transact().has_missing_updates(), "an update came too early");
        }
        Ok(())
    }
}

/// No operation of a run may be refused.
#[derive(Debug)]
struct Refused(u64, Fault);

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "operation {} was refused: {}", self.0, self.1)
    }
}

fn hear(follower: &mut Follower, body: In, signals: &Signals) -> anyhow::Result<()> {
    match body {
        In::Events(events) => follower.events(now(), entries(events.entries)?),
        In::State(state) => follower.state(now(), state.seq, state.state),
        In::Resync(resync) => follower.resync(resync.head),
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
        In::Detached(detached) => bail!("detached: {:?}", detached.why),
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
