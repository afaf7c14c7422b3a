//! What must hold in every schedule, checked while it runs and at its end.
//!
//! The judge sees what clients make, what nodes say, what clients take for settled, and all that is
//! stored. It knows nothing of how rooms work.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use prost::Message as _;
use weft_core::{
    Body, ClientId, Entry, Right, Seq,
    room::{Message, Outcome},
};
use weft_proto::inbox_wire::InboxEffect;

use crate::{
    database::{Database, Rights},
    oracle,
};

/// A rule that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

type Held = Result<(), Broken>;

fn broken(how: String) -> Held {
    Err(Broken(how))
}

/// The one outcome of an operation, as it was first told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Accepted(Seq),
    Refused(String),
}

/// See the module's documentation.
#[derive(Default)]
pub struct Judge {
    /// The operations that each client has made, from number 1 on.
    made: BTreeMap<ClientId, Vec<Bytes>>,
    /// What nodes have said about an operation.
    told: BTreeMap<(ClientId, u64), Told>,
    /// What clients take for settled.
    settled: BTreeMap<(ClientId, u64), Result<Seq, String>>,
    /// The last number of each client in the log, and where it is.
    stored: BTreeMap<(ClientId, u64), Seq>,
    last: BTreeMap<ClientId, u64>,
    /// Clients whose sign-in has ended everywhere.
    signed_out: BTreeSet<ClientId>,
    /// What is to be told to the person of an inbox, by the number of its delivery.
    to_tell: BTreeMap<u64, Bytes>,
    /// Where deliveries are in the log.
    delivered: BTreeMap<u64, Seq>,
    /// Deliveries that a node takes for done.
    put: BTreeSet<u64>,
    /// Deliveries that the person was not to hear of, when a node looked.
    muted: BTreeSet<u64>,
}

impl Judge {
    /// A client gave an operation this number.
    pub fn made(&mut self, client: ClientId, client_seq: u64, op: Bytes) -> Held {
        let made = self.made.entry(client).or_default();
        made.push(op);
        if made.len() as u64 != client_seq {
            return broken(format!("{client:?} gave number {client_seq} to its {}th", made.len()));
        }
        Ok(())
    }

    /// A client's sign-in has ended, and every node has let go of it.
    pub fn signed_out(&mut self, client: ClientId) {
        self.signed_out.insert(client);
    }

    /// Entries were stored. `rights` are those in the metadata now. `is_late`: nobody has waited for
    /// this any more; its guard has held all the same.
    pub fn stored(
        &mut self,
        entries: &[Arc<Entry>],
        database: &Database,
        rights: &Rights,
        is_late: bool,
    ) -> Held {
        for entry in entries {
            if entry.person.is_none() {
                self.told_by_server(entry)?;
                continue;
            }
            if self.signed_out.contains(&entry.client) && !is_late {
                return broken(format!("entry {} is by one who was signed out", entry.seq));
            }
            let name = (entry.client, entry.client_seq);
            let may = |rights: &Rights| {
                let right = entry.person.and_then(|person| rights.get(&person));
                right.is_some_and(|right| *right >= Right::Edit)
            };
            if !may(&database.rights) && !may(rights) {
                return broken(format!("L1 entry {} is by one who may not edit", entry.seq));
            }
            if entry.client == ClientId::NONE {
                continue;
            }
            if let Some(before) = self.stored.insert(name, entry.seq) {
                return broken(format!("L3 {name:?} is at {before} and at {}", entry.seq));
            }
            let last = self.last.insert(entry.client, entry.client_seq).unwrap_or(0);
            if last >= entry.client_seq {
                return broken(format!("L4 {name:?} was stored after {last}"));
            }
            if let Some(Told::Refused(code)) = self.told.get(&name) {
                return broken(format!("L3 {name:?} was refused ({code}) and then stored"));
            }
        }
        Ok(())
    }

    /// The server itself has made a room, or told its person of something.
    fn told_by_server(&mut self, entry: &Entry) -> Held {
        let Body::Effect(effect) = &entry.body else { return Ok(()) };
        let delivery = InboxEffect::decode(effect.clone()).ok().and_then(|effect| effect.delivered);
        let Some(delivery) = delivery.filter(|delivery| self.to_tell.contains_key(delivery)) else {
            return broken(format!("entry {} tells what nobody was to be told", entry.seq));
        };
        match self.delivered.insert(delivery, entry.seq) {
            Some(before) => {
                broken(format!("delivery {delivery} is at {before} and at {}", entry.seq))
            }
            None => Ok(()),
        }
    }

    /// A delivery was stored: it shall come into the inbox.
    pub fn posted(&mut self, delivery: u64, op: Bytes) {
        self.to_tell.insert(delivery, op);
    }

    /// A node has found that the person is not to hear of a delivery.
    pub fn muted(&mut self, delivery: u64) {
        self.muted.insert(delivery);
    }

    /// A node takes a delivery for done: it is in the inbox, or has been given up elsewhere.
    pub fn put(&mut self, delivery: u64) -> Held {
        if !self.delivered.contains_key(&delivery) && !self.muted.contains(&delivery) {
            return broken(format!("L1 delivery {delivery} counts as put, and is not stored"));
        }
        self.put.insert(delivery);
        Ok(())
    }

    /// A node says something to a session, or to all.
    pub fn said(&mut self, message: &Message, database: &Database) -> Held {
        match message {
            Message::Outcomes(client, outcomes) => {
                for (client_seq, outcome) in outcomes {
                    self.told(*client, *client_seq, outcome, database)?;
                }
            }
            Message::Events(entries) => self.shown(entries, database)?,
            Message::Attached(attached) => {
                if attached.head > database.head() {
                    return broken(format!("L1 attached at {}, not stored", attached.head));
                }
                self.shown(&attached.entries, database)?;
            }
            Message::State { seq, repair, .. } => {
                if *seq > database.head() {
                    return broken(format!("L1 the state at {seq} was sent, not stored"));
                }
                if *repair {
                    return broken(format!("R8 a replica differed at {seq}"));
                }
            }
            Message::Merged(_, Outcome::Accepted(seq)) if *seq > database.head() => {
                return broken(format!("L1 merged at {seq}, not stored"));
            }
            _ => {}
        }
        Ok(())
    }

    fn shown(&self, entries: &[Arc<Entry>], database: &Database) -> Held {
        for entry in entries {
            if database.entries.get(entry.seq as usize - 1).map(Arc::as_ref) != Some(entry) {
                return broken(format!("L1 entry {} was shown and is not stored so", entry.seq));
            }
        }
        Ok(())
    }

    fn told(&mut self, client: ClientId, n: u64, outcome: &Outcome, database: &Database) -> Held {
        let name = (client, n);
        let told = match outcome {
            Outcome::Accepted(seq) => Told::Accepted(*seq),
            Outcome::Refused(fault) => Told::Refused(fault.code.to_string()),
            Outcome::NotSaved(_) | Outcome::Missing(_) => return Ok(()),
        };
        match &told {
            Told::Accepted(seq) if *seq > database.head() => {
                return broken(format!("L1 {name:?} was accepted at {seq}, not stored"));
            }
            Told::Accepted(seq) if self.stored.get(&name).is_some_and(|at| at != seq) => {
                return broken(format!("L3 {name:?} was accepted at {seq}, but is elsewhere"));
            }
            Told::Refused(code) if self.stored.contains_key(&name) => {
                return broken(format!("L3 {name:?} was refused ({code}), but is stored"));
            }
            _ => {}
        }
        match self.told.insert(name, told.clone()) {
            Some(before) if before != told => {
                broken(format!("L3 {name:?} was {before:?} and then {told:?}"))
            }
            _ => Ok(()),
        }
    }

    /// A client takes an operation for settled.
    pub fn settled(&mut self, client: ClientId, n: u64, outcome: Result<Seq, String>) -> Held {
        let name = (client, n);
        let agrees = match (&outcome, self.told.get(&name), self.stored.get(&name)) {
            (Ok(seq), _, Some(at)) => seq == at,
            (Ok(seq), Some(Told::Accepted(told)), None) => seq == told,
            (Err(code), Some(Told::Refused(told)), None) => code == told,
            _ => false,
        };
        if !agrees {
            return broken(format!("L3 {name:?} counts as {outcome:?}, which is not so"));
        }
        match self.settled.insert(name, outcome) {
            Some(_) => broken(format!("L3 {name:?} was settled twice")),
            None => Ok(()),
        }
    }

    /// Everything has come to rest. `pending` says whether a client still has an operation.
    pub fn rested(&self, pending: impl Fn(ClientId, u64) -> bool) -> Held {
        for (&client, made) in &self.made {
            for n in 1..=made.len() as u64 {
                match (self.settled.contains_key(&(client, n)), pending(client, n)) {
                    (true, true) => {
                        return broken(format!("L3 {client:?}/{n} is settled and pending"));
                    }
                    (false, false) => return broken(format!("L3 {client:?}/{n} is gone")),
                    _ => {}
                }
            }
        }
        if let Some(name) = self.stored.keys().find(|name| self.op(name).is_none()) {
            return broken(format!("L3 {name:?} is stored and was never made"));
        }
        let is_lost = |n: &&u64| !self.delivered.contains_key(n) && !self.muted.contains(n);
        match self.to_tell.keys().find(is_lost) {
            Some(delivery) => broken(format!("delivery {delivery} is lost")),
            None => Ok(()),
        }
    }

    fn op(&self, (client, n): &(ClientId, u64)) -> Option<&Bytes> {
        self.made.get(client)?.get(*n as usize - 1)
    }

    /// The room is what was asked of it, in the log's order.
    pub fn asked(&self, kind: &str, entries: &[Arc<Entry>], state: &Bytes) -> Held {
        let Some(mut oracle) = oracle::of(kind) else { return Ok(()) };
        let delivered: BTreeMap<Seq, u64> =
            self.delivered.iter().map(|(n, at)| (*at, *n)).collect();
        for entry in entries.iter().filter(|entry| matches!(entry.body, Body::Effect(_))) {
            let op = match delivered.get(&entry.seq) {
                Some(delivery) => self.to_tell.get(delivery),
                None => self.op(&(entry.client, entry.client_seq)),
            };
            oracle.accept(entry, op.expect("what is stored was made"))?;
        }
        for (name, outcome) in &self.settled {
            if let (Err(code), Some(op)) = (outcome, self.op(name)) {
                let how = |Broken(how)| Broken(format!("{name:?}: {how}"));
                oracle.refuse(op, code).map_err(how)?;
            }
        }
        oracle.compare(state)
    }

    /// How many operations were accepted and how many refused, as their makers know.
    pub fn counts(&self) -> (usize, usize) {
        let accepted = self.settled.values().filter(|outcome| outcome.is_ok()).count();
        (accepted + self.put.len(), self.settled.len() - accepted)
    }
}
