//! The load: people who type in documents, each on a connection of their own, and what arrives where.
//!
//! One thread, sockets by hand, and for each delivery as little work as keeping the books asks for:
//! every person knows how far they have seen each other's typing, so that an edit is counted once,
//! whatever message brings it, and a missing or repeated one shows.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read, Write},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    update::{self, client_of},
    voice::{Opened, Voice},
    wire::{End, first_frame, opcode, put_frame},
};

/// Sockets that are looked at between two looks at the clock.
const EVENTS: usize = 256;

/// How many people type where, and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Documents.
    pub docs: usize,
    /// People in each.
    pub people: usize,
    /// Edits per second of each person.
    pub rate: f64,
}

impl Shape {
    /// Edits that arrive per second when all goes well.
    pub fn deliveries_per_second(&self) -> f64 {
        (self.docs * self.people * (self.people - 1)) as f64 * self.rate
    }
}

struct Person {
    stream: TcpStream,
    voice: Voice,
    /// What came of a frame.
    partial: Vec<u8>,
    /// What the kernel has not taken yet.
    out: Vec<u8>,
    /// How many characters of each person of the document have arrived here; the last one is the seed.
    seen: Vec<u64>,
}

/// What was sent and what arrived.
#[derive(Default)]
pub struct Tally {
    /// Edits sent.
    pub sent: u64,
    /// Edits that arrived at somebody other than their author.
    pub delivered: u64,
    /// Messages that brought them.
    pub messages: u64,
    /// Arrivals of something that had arrived before.
    pub repeated: u64,
    /// Arrivals of something before what it builds on.
    pub early: u64,
    /// From the sending of an edit to each of its arrivals, in microseconds.
    pub latencies_us: Vec<u32>,
    /// How late edits were sent, in microseconds: a measure of the generator itself.
    pub lags_us: Vec<u32>,
    /// What went wrong, and how often.
    pub faults: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds what went wrong at another time.
    pub fn blame(&mut self, other: &Self) {
        self.repeated += other.repeated;
        self.early += other.early;
        for (what, count) in &other.faults {
            *self.faults.entry(what.clone()).or_default() += count;
        }
    }

    /// Whether nothing went wrong; what is still missing is another question.
    pub fn is_clean(&self) -> bool {
        self.repeated == 0 && self.early == 0 && self.faults.is_empty()
    }
}

/// People at work.
pub struct Crowd {
    shape: Shape,
    poll: Poll,
    events: Events,
    people: Vec<Person>,
    books: Books,
    /// Whose turn it is, and when within a round in which everybody has one.
    turns: Vec<(f64, usize)>,
    /// The next turn.
    turn: usize,
    scratch: Vec<u8>,
    message: Vec<u8>,
    edit: Vec<u8>,
}

/// When which edit was sent, and what has become of it.
struct Books {
    start: Instant,
    people_per_doc: usize,
    /// For each person, when each of their edits was sent: microseconds since the start.
    sent_us: Vec<Vec<u64>>,
    tally: Tally,
}

impl Crowd {
    /// Takes over connections: those of the first document, then those of the second, …
    pub fn new(shape: Shape, opened: Vec<Opened>) -> Result<Self> {
        assert_eq!(opened.len(), shape.docs * shape.people);
        assert!(shape.people <= update::PEOPLE_MAX);
        let poll = Poll::new()?;
        let mut people = Vec::new();
        let mut dice = Rng::with_seed(1);
        let mut turns = Vec::new();
        for (index, Opened { line, voice, .. }) in opened.into_iter().enumerate() {
            let (stream, partial) = line.into_parts();
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), both)?;
            let seen = vec![0; shape.people + 1];
            people.push(Person { stream, voice, partial, out: Vec::new(), seen });
            turns.push((dice.f64(), index));
        }
        turns.sort_by(|a, b| a.0.total_cmp(&b.0));
        let books = Books {
            start: Instant::now(),
            people_per_doc: shape.people,
            sent_us: vec![Vec::new(); people.len()],
            tally: Tally::default(),
        };
        Ok(Self {
            shape,
            poll,
            events: Events::with_capacity(EVENTS),
            people,
            books,
            turns,
            turn: 0,
            scratch: vec![0; 256 << 10],
            message: Vec::new(),
            edit: Vec::new(),
        })
    }

    /// Gives each document the text that people type in, and waits until all have it.
    pub fn seed(&mut self, patience: Duration) -> Result<()> {
        for doc in 0..self.shape.docs {
            let seed = update::seed(doc, self.shape.people);
            self.send(doc * self.shape.people, &seed);
        }
        let seeded = |crowd: &Self| {
            let is_author = |index: usize| index.is_multiple_of(crowd.shape.people);
            let mut people = crowd.people.iter().enumerate();
            people.all(|(index, person)| is_author(index) || person.seen[crowd.shape.people] > 0)
        };
        let until = Instant::now() + patience;
        while !seeded(self) {
            ensure!(Instant::now() < until, "a seed did not arrive: {:?}", self.tally().faults);
            self.listen(Instant::now() + Duration::from_millis(20))?;
        }
        Ok(())
    }

    /// Everybody types for so long.
    pub fn work(&mut self, span: Duration) -> Result<()> {
        let begin = Instant::now();
        let first = self.turn;
        let round = Duration::from_secs_f64(1.0 / self.shape.rate);
        let due = |crowd: &Self, turn: usize| {
            let at = |turn: usize| {
                let (part, _) = crowd.turns[turn % crowd.turns.len()];
                (turn / crowd.turns.len()) as f64 + part
            };
            begin + round.mul_f64(at(turn) - at(first))
        };
        loop {
            let now = Instant::now();
            let mut next = due(self, self.turn);
            // A few at a time, so that what has arrived does not wait for all that is due.
            for _ in 0..16 {
                if next > now || next >= begin + span {
                    break;
                }
                let (_, person) = self.turns[self.turn % self.turns.len()];
                let lag = now.duration_since(next).as_micros();
                self.books.tally.lags_us.push(u32::try_from(lag).unwrap_or(u32::MAX));
                self.type_one(person);
                self.turn += 1;
                next = due(self, self.turn);
            }
            if now >= begin + span {
                return Ok(());
            }
            self.listen(next.min(begin + span))?;
        }
    }

    /// Nobody types for so long.
    pub fn rest(&mut self, span: Duration) -> Result<()> {
        let until = Instant::now() + span;
        while Instant::now() < until {
            self.listen(until)?;
        }
        Ok(())
    }

    /// Waits until every edit has arrived everywhere, for so long at most. How many are missing.
    pub fn settle(&mut self, patience: Duration) -> Result<u64> {
        let until = Instant::now() + patience;
        loop {
            let missing = self.missing();
            if missing == 0 || Instant::now() >= until {
                return Ok(missing);
            }
            self.listen(Instant::now() + Duration::from_millis(20))?;
        }
    }

    /// What was sent and arrived since the last call.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.books.tally)
    }

    /// What was sent and arrived since [`Self::take_tally`].
    pub fn tally(&self) -> &Tally {
        &self.books.tally
    }

    fn missing(&self) -> u64 {
        let per_doc = self.shape.people;
        let mut missing = 0;
        for (index, person) in self.people.iter().enumerate() {
            let first = index / per_doc * per_doc;
            for author in (0..per_doc).filter(|author| first + author != index) {
                missing += self.books.sent_us[first + author].len() as u64 - person.seen[author];
            }
        }
        missing
    }

    fn type_one(&mut self, person: usize) {
        let (doc, place) = (person / self.shape.people, person % self.shape.people);
        let clock = self.books.sent_us[person].len() as u64;
        let mut edit = std::mem::take(&mut self.edit);
        edit.clear();
        update::put_edit(&mut edit, doc, place, clock);
        let now_us = self.books.now_us();
        self.books.sent_us[person].push(now_us);
        self.books.tally.sent += 1;
        self.send(person, &edit);
        self.edit = edit;
    }

    /// Sends an update in somebody's name.
    pub fn send(&mut self, person: usize, update: &[u8]) {
        self.message.clear();
        let person = &mut self.people[person];
        person.voice.put_update(&mut self.message, update);
        put_frame(&mut person.out, End::Client, opcode::BINARY, &self.message);
        person.flush();
    }

    /// Takes what comes until then.
    pub fn listen(&mut self, until: Instant) -> Result<()> {
        let patience = until.saturating_duration_since(Instant::now());
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled.context("wait for the sockets")?,
        }
        // Lent for the loop, which needs the rest of us.
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let Token(index) = event.token();
            if event.is_writable() {
                self.people[index].flush();
            }
            if event.is_readable() {
                self.read(index);
            }
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, index: usize) {
        loop {
            let person = &mut self.people[index];
            match person.stream.read(&mut self.scratch) {
                Ok(0) => return self.books.fault("the server closed a connection"),
                Ok(read) => {
                    self.books.take(index, person, &self.scratch[..read]);
                    // Less than there was room for: nothing more has come yet.
                    if read < self.scratch.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => return self.books.fault(&error.to_string()),
            }
        }
    }
}

impl Person {
    /// Writes what waits, as far as the kernel takes it.
    fn flush(&mut self) {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(written) => drop(self.out.drain(..written)),
                // An error that is not "later" shows when the socket is read.
                Err(_) => return,
            }
        }
    }
}

impl Books {
    fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    fn fault(&mut self, what: &str) {
        *self.tally.faults.entry(what.to_owned()).or_default() += 1;
    }

    /// Takes what one person has read.
    fn take(&mut self, index: usize, person: &mut Person, read: &[u8]) {
        let now_us = self.now_us();
        let mut partial = std::mem::take(&mut person.partial);
        let mut rest = if partial.is_empty() {
            read
        } else {
            partial.extend_from_slice(read);
            &partial[..]
        };
        loop {
            match first_frame(rest) {
                Ok(Some(frame)) => {
                    self.hear(index, person, frame.opcode, frame.payload, now_us);
                    rest = &rest[frame.len..];
                }
                Ok(None) => break,
                Err(error) => {
                    self.fault(&error.to_string());
                    rest = &[];
                    break;
                }
            }
        }
        person.partial = rest.to_vec();
    }

    fn hear(&mut self, index: usize, person: &mut Person, kind: u8, payload: &[u8], now_us: u64) {
        match kind {
            opcode::BINARY => {}
            opcode::PING => {
                put_frame(&mut person.out, End::Client, opcode::PONG, payload);
                return person.flush();
            }
            opcode::CLOSE => return self.fault("the server closed a connection"),
            _ => return,
        }
        self.tally.messages += 1;
        let Person { voice, seen, .. } = person;
        let heard = voice.each_update(payload, |update| {
            update::read_runs(update, |client, clock, len| {
                self.arrived(index, seen, client, clock, len, now_us);
            })
        });
        if let Err(error) = heard {
            self.fault(&error.to_string());
        }
    }

    /// A run of characters arrived at a person who has seen so much of each.
    fn arrived(
        &mut self,
        index: usize,
        seen: &mut [u64],
        client: u64,
        clock: u64,
        len: u64,
        now_us: u64,
    ) {
        let doc = index / self.people_per_doc;
        let author = client.wrapping_sub(client_of(doc, 0)) as usize;
        if author == update::PEOPLE_MAX {
            seen[self.people_per_doc] = clock + len;
            return;
        }
        if author >= self.people_per_doc {
            return self.fault("an edit by nobody of this document");
        }
        let author_index = doc * self.people_per_doc + author;
        if author_index == index {
            return;
        }
        let before = seen[author];
        if clock > before {
            self.tally.early += 1;
        } else if clock < before {
            self.tally.repeated += 1;
        }
        for new in before.max(clock)..clock + len {
            if let Some(&sent_us) = self.sent_us[author_index].get(new as usize) {
                let took = now_us.saturating_sub(sent_us);
                self.tally.latencies_us.push(u32::try_from(took).unwrap_or(u32::MAX));
                self.tally.delivered += 1;
            }
        }
        seen[author] = before.max(clock + len);
    }
}
