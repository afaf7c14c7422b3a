//! What the clients were told, held against what a newcomer finds.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use bytes::Bytes;
use prost::Message;
use weft_core::{
    Seq,
    machine::{Digest, Machine},
    room::Since,
};
use weft_proto::{kinds, order_wire};

use crate::socket::Socket;

/// What is known of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nothing: it may be there, but only once.
    Nothing,
    /// It was saved.
    Saved,
}

/// What a newcomer sees of a room.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The last entry.
    pub head: Seq,
    digest: Digest,
    text: String,
}

impl Seen {
    /// Holds a replica of the room against it.
    pub fn compare(&self, head: Seq, replica: &dyn Machine) -> anyhow::Result<()> {
        ensure!(head == self.head, "a replica is at {head}, a newcomer at {}", self.head);
        let same = replica.digest() == self.digest && replica.text() == self.text;
        ensure!(same, "a replica differs at {head}: {:?} and {:?}", replica.text(), self.text);
        Ok(())
    }
}

/// Every operation that was ever made in one room. In documents each is a word of its own; in orders
/// each is one more item of a person.
#[derive(Debug, Default, Clone)]
pub struct RoomLedger {
    words: BTreeMap<String, Told>,
    items: BTreeMap<Vec<u8>, (u32, u32)>,
    /// When what was noted to be saved, in nanoseconds of the wall clock.
    saved_at: Vec<(u64, Saved)>,
}

#[derive(Debug, Clone)]
enum Saved {
    Word(String),
    ItemOf(Vec<u8>),
}

impl RoomLedger {
    pub fn made_word(&mut self, word: &str) {
        self.words.insert(word.to_owned(), Told::Nothing);
    }

    pub fn saved_word(&mut self, word: &str) {
        self.words.insert(word.to_owned(), Told::Saved);
        self.saved_at.push((now(), Saved::Word(word.to_owned())));
    }

    pub fn made_item(&mut self, person: &[u8]) {
        self.items.entry(person.to_vec()).or_default().0 += 1;
    }

    pub fn saved_item(&mut self, person: &[u8]) {
        self.items.entry(person.to_vec()).or_default().1 += 1;
        self.saved_at.push((now(), Saved::ItemOf(person.to_vec())));
    }

    /// What was made at any time, of which only that is known to be saved which was noted before.
    pub fn as_of(&self, until: u64) -> Self {
        let mut then = self.clone();
        then.words.values_mut().for_each(|told| *told = Told::Nothing);
        then.items.values_mut().for_each(|(_, saved)| *saved = 0);
        for (_, saved) in self.saved_at.iter().filter(|(at, _)| *at < until) {
            match saved {
                Saved::Word(word) => drop(then.words.insert(word.clone(), Told::Saved)),
                Saved::ItemOf(person) => then.items.entry(person.clone()).or_default().1 += 1,
            }
        }
        then
    }

    pub fn saved(&self) -> usize {
        let words = self.words.values().filter(|told| **told == Told::Saved).count();
        words + self.items.values().map(|(_, saved)| *saved as usize).sum::<usize>()
    }

    /// Reads the room as someone who has never seen it, and compares. From then on what was found
    /// is known to be saved. Gives what is seen.
    pub async fn check(&mut self, url: &str, token: &str, room: &str) -> anyhow::Result<Seen> {
        let (mut socket, _) = Socket::open(url, token, None).await?;
        let attached = socket.attach(room, Since::default()).await?;
        let state = attached.has_state.then(|| attached.state.clone());
        let mut machine = kinds::open(&attached.kind, state.as_ref()).context("its state")?;
        let mut seq = attached.state_seq;
        for entry in attached.entries {
            ensure!(entry.seq == seq + 1, "room {room}: entry {} after {seq}", entry.seq);
            seq = entry.seq;
            if let Some(weft_proto::wire::entry::Body::Effect(effect)) = entry.body {
                machine.apply(&effect).context("its entries")?;
            }
        }
        ensure!(seq == attached.head, "room {room}: entries lead to {seq}, not {}", attached.head);
        if attached.kind == "order" {
            self.check_items(room, &machine.snapshot())?;
        } else {
            self.check_words(room, &machine.text())?;
        }
        Ok(Seen { head: seq, digest: machine.digest(), text: machine.text() })
    }

    fn check_words(&mut self, room: &str, text: &str) -> anyhow::Result<()> {
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
            *seen.entry(word).or_default() += 1;
        }
        let lost: Vec<&String> = self
            .words
            .iter()
            .filter(|(word, told)| **told == Told::Saved && !seen.contains_key(word.as_str()))
            .map(|(word, _)| word)
            .collect();
        ensure!(lost.is_empty(), "room {room}: saved and lost: {lost:?}");
        let twice: Vec<_> = seen.iter().filter(|(_, count)| **count > 1).collect();
        ensure!(twice.is_empty(), "room {room}: there more than once: {twice:?}");
        let strange: BTreeSet<_> =
            seen.keys().filter(|word| !self.words.contains_key(**word)).collect();
        ensure!(strange.is_empty(), "room {room}: nobody wrote {strange:?}");
        for word in seen.keys() {
            self.words.insert((*word).to_owned(), Told::Saved);
        }
        Ok(())
    }

    fn check_items(&mut self, room: &str, state: &Bytes) -> anyhow::Result<()> {
        let state = order_wire::OrderState::decode(state.clone())?;
        let mut found: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        for quantity in &state.quantities {
            *found.entry(quantity.person_id.to_vec()).or_default() += quantity.count;
        }
        for (person, (made, saved)) in &mut self.items {
            let count = found.get(person).copied().unwrap_or(0);
            ensure!(
                (*saved..=*made).contains(&count),
                "room {room}: {count} items of one who made {made}, {saved} of them saved"
            );
            (*made, *saved) = (count, count);
        }
        let all: u32 = found.values().sum();
        let total = state.total.unwrap_or_default();
        ensure!(total.items == all, "room {room}: total {} of {all} items", total.items);
        Ok(())
    }
}

/// Nanoseconds of the wall clock.
fn now() -> u64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}
