//! Yjs clients: a replica of their own, the words of their protocols, and what they show their person
//! as saved. They do as the clients from npm do: `@hocuspocus/provider` 4.8, `@y-sweet/client` 0.9, and
//! y-websocket 3 with an application that listens for 102.

use bytes::Bytes;
use weft_core::{
    Body, Right,
    exchange::{FromClient, Habits, ToClient},
    kind::doc::{Doc, begins},
    machine::Machine,
};
use yrs::{ReadTxn, StateVector, Transact, updates::decoder::Decode, updates::encoder::Encode};

use super::{
    Held, Who, World,
    network::{ToMerger, ToServer},
};
use crate::{
    judge::Broken,
    replica::{document, edit, has, merge},
};

/// Such a client. Its document lives as long as its tab.
pub struct Merger {
    sort: Sort,
    document: yrs::Doc,
    /// What its person did here, in order.
    edits: Vec<Bytes>,
    /// How many of them the client has been told to be saved.
    saved: usize,
}

/// How a client finds out what is saved.
enum Sort {
    /// y-websocket: wants all it has done echoed, on each connection and with each edit.
    Websocket { echoed: Option<usize> },
    /// y-sweet: the same, and what was echoed once counts on every connection.
    Sweet { echoed: Option<usize> },
    /// Hocuspocus: counts what it sends, and a signal counts down.
    Hocuspocus {
        unsynced: usize,
        /// What it had to say while no line was open. Said when the server is first heard.
        kept: Vec<Bytes>,
        /// Whether it has heard the server on this line.
        is_heard: bool,
        /// Whether it has told the server what that has not.
        has_answered: bool,
        /// Deletions that it counts and made before it did: the server cannot tell them from those
        /// that it has kept (`docs/yjs.md`).
        doubtful: usize,
    },
}

impl Merger {
    pub fn new(sort: u64, yjs_client: u64) -> Self {
        let sort = match sort {
            0 => Sort::Websocket { echoed: None },
            1 => Sort::Sweet { echoed: None },
            _ => Sort::Hocuspocus {
                unsynced: 0,
                kept: Vec::new(),
                is_heard: false,
                has_answered: false,
                doubtful: 0,
            },
        };
        Self { sort, document: document(yjs_client), edits: Vec::new(), saved: 0 }
    }

    /// What its protocol's adapter says of it.
    pub const fn habits(&self) -> Habits {
        Habits {
            counts: matches!(self.sort, Sort::Hocuspocus { .. }),
            ends_with_readers_change: matches!(self.sort, Sort::Websocket { .. }),
        }
    }

    /// What it says first on a line.
    pub fn hello(&mut self) -> Vec<FromClient> {
        let step1 = FromClient::Step1(self.document.transact().state_vector().encode_v1().into());
        let echo = self.echo();
        match &mut self.sort {
            Sort::Websocket { echoed } => {
                *echoed = None;
                vec![echo, step1]
            }
            Sort::Sweet { .. } => vec![step1, echo],
            Sort::Hocuspocus { unsynced, is_heard, has_answered, doubtful, .. } => {
                (*unsynced, *is_heard, *has_answered, *doubtful) = (1, false, false, 0);
                vec![step1]
            }
        }
    }

    /// What it wants echoed: how much its person has done.
    fn echo(&self) -> FromClient {
        FromClient::Echo(Bytes::copy_from_slice(&self.edits.len().to_be_bytes()))
    }

    /// What it says of an edit, if it has a line.
    fn tell(&mut self, update: &Bytes, has_line: bool) -> Vec<FromClient> {
        let told = FromClient::Update(update.clone());
        let echo = self.echo();
        match &mut self.sort {
            Sort::Hocuspocus { unsynced, kept, has_answered, doubtful, .. } => {
                *unsynced += 1;
                let inserts = begins(update).is_ok_and(|begins| !begins.is_empty());
                *doubtful += usize::from(!inserts && !*has_answered);
                if !has_line {
                    kept.push(update.clone());
                    return Vec::new();
                }
                vec![told]
            }
            Sort::Websocket { .. } | Sort::Sweet { .. } if has_line => vec![told, echo],
            Sort::Websocket { .. } | Sort::Sweet { .. } => Vec::new(),
        }
    }

    /// What it has kept until the server was heard.
    fn heard(&mut self) -> Vec<Bytes> {
        match &mut self.sort {
            Sort::Hocuspocus { kept, is_heard, .. } if !*is_heard => {
                *is_heard = true;
                std::mem::take(kept)
            }
            _ => Vec::new(),
        }
    }

    /// A save signal: how many edits are saved by it, if that is all or said in it.
    fn signalled(&mut self, word: &ToClient) -> Option<usize> {
        match (&mut self.sort, word) {
            (Sort::Websocket { echoed } | Sort::Sweet { echoed }, ToClient::Echo(wanted)) => {
                let count = wanted[..].try_into().ok().map(usize::from_be_bytes)?;
                *echoed = (*echoed).max(Some(count));
                Some(count)
            }
            (Sort::Hocuspocus { unsynced, .. }, ToClient::Status(true)) => {
                *unsynced = unsynced.saturating_sub(1);
                (*unsynced == 0).then_some(self.edits.len())
            }
            _ => None,
        }
    }

    /// Whether it shows its person that all is saved.
    fn shows_saved(&self) -> bool {
        match &self.sort {
            Sort::Websocket { echoed } | Sort::Sweet { echoed } => {
                *echoed == Some(self.edits.len())
            }
            Sort::Hocuspocus { unsynced, doubtful, .. } => unsynced <= doubtful,
        }
    }

    fn state(&self, theirs: &StateVector) -> Bytes {
        self.document.transact().encode_state_as_update_v1(theirs).into()
    }

    /// What must be so when all has come to rest.
    pub fn rested(&self, at: usize, right: Right, stored: &dyn Machine) -> Held {
        if let Some(n) = self.edits[..self.saved].iter().position(|edit| !has(stored, edit)) {
            return Err(Broken(format!("L2 client {at} has lost edit {n}, which was saved")));
        }
        // What was refused to one who may only read is with nobody else, and not called saved.
        if right < Right::Edit && !self.edits.is_empty() {
            return Ok(());
        }
        if !self.shows_saved() {
            return Err(Broken(format!("client {at} was not told that all is saved")));
        }
        let own = Doc::open(&self.state(&StateVector::default()));
        if own.map(|doc| doc.digest()) != Ok(stored.digest()) {
            return Err(Broken(format!("client {at} differs from the log")));
        }
        Ok(())
    }
}

impl World {
    fn merger(&mut self, client: usize) -> &mut Merger {
        match &mut self.clients[client].who {
            Who::Merger(merger) => merger,
            Who::Tab(_) => unreachable!("client {client} merges"),
        }
    }

    pub(super) fn act_in_merger(&mut self, client: usize) -> Held {
        let mut dice = self.dice.clone();
        let line = self.clients[client].line;
        let merger = self.merger(client);
        let update = edit(&merger.document, &mut dice);
        merger.edits.push(update.clone());
        let told = merger.tell(&update, line.is_some());
        self.dice = dice;
        self.counts.ops += 1;
        self.trace.note(self.now, &[6, client as u64], || format!("client {client} types"));
        self.say_all(line, told);
        Ok(())
    }

    fn say_all(&mut self, line: Option<usize>, words: Vec<FromClient>) {
        for word in words {
            if let Some(line) = line {
                self.say_to_server(line, ToServer::Word(word));
            }
        }
    }

    pub(super) fn merger_hears(&mut self, line: usize, said: ToMerger) -> Held {
        let client = self.lines[line].client;
        if self.lines[line].is_cut || self.clients[client].line != Some(line) {
            return Ok(());
        }
        self.trace.note(self.now, &[3, client as u64, said.tag()], || {
            format!("client {client} hears {said}")
        });
        for update in self.merger(client).heard() {
            self.say_to_server(line, ToServer::Word(FromClient::Update(update)));
        }
        let merger = self.merger(client);
        match said {
            ToMerger::Events(entries) => {
                for entry in entries {
                    if let Body::Effect(update) = &entry.body {
                        merge(&merger.document, update);
                    }
                }
            }
            ToMerger::Word(ToClient::Step1(has)) => {
                let theirs = StateVector::decode_v1(&has).map_err(|e| Broken(e.to_string()))?;
                let rest = merger.state(&theirs);
                if let Sort::Hocuspocus { has_answered, .. } = &mut merger.sort {
                    *has_answered = true;
                }
                self.say_to_server(line, ToServer::Word(FromClient::Step2(rest)));
            }
            ToMerger::Word(ToClient::Step2(update)) => merge(&merger.document, &update),
            ToMerger::Word(word) => {
                if let Some(count) = merger.signalled(&word) {
                    return self.saved(client, count);
                }
            }
        }
        Ok(())
    }

    /// A client takes so many of its edits for saved.
    fn saved(&mut self, client: usize, count: usize) -> Held {
        let Who::Merger(merger) = &mut self.clients[client].who else { return Ok(()) };
        while merger.saved < count {
            if !has(&*self.database.content, &merger.edits[merger.saved]) {
                let n = merger.saved;
                return Err(Broken(format!("L1 client {client} takes edit {n} for saved")));
            }
            merger.saved += 1;
        }
        Ok(())
    }
}
