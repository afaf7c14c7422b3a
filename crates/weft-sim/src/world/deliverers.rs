//! What the person of an inbox is to be told. It is stored as a delivery before anything else; then a
//! node puts it into the inbox, under its number, and removes it. Each node has a deliverer that does so with
//! all that wait, in order, when something was stored at this node, when it starts, and some time after
//! it could not: as `notify` does in the server. Any of them may be ahead of the others, or stop
//! anywhere between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use fastrand::Rng;
use weft_core::{
    Millis,
    kind::inbox::{FOLD_MS, Inbox, NOTICES_MAX},
    room::Outcome,
};

use super::{BUSY_MS, Event, Held, REST_MS, World};
use crate::{
    database::Database,
    judge::Broken,
    ops::{News, OBJECTS},
};

/// When what could not be delivered is tried again. The server takes its time.
const AGAIN_MS: Millis = 500;
/// How long the metadata takes for something.
const LOOKING_UP_MS: std::ops::Range<Millis> = 0..2;

/// What the metadata holds of this: durable at once.
#[derive(Default)]
pub struct Deliveries {
    waiting: BTreeMap<u64, Delivery>,
    /// The last number; none is given twice.
    last: u64,
    /// The rooms that the person does not want to hear of.
    muted: BTreeSet<u64>,
}

/// Something on its way into the inbox.
#[derive(Clone)]
pub struct Delivery {
    number: u64,
    about: Option<u64>,
    op: Bytes,
}

impl Deliveries {
    /// One that waits.
    pub fn any(&self) -> Option<u64> {
        self.waiting.keys().next().copied()
    }
}

/// What was told before the schedule begins, and when. What is told again in it is the same as some of
/// that, and later that is too long ago. Some inboxes are all but full.
fn history(dice: &mut Rng) -> Vec<(Millis, News)> {
    let fillers = if dice.u64(..8) == 0 { NOTICES_MAX as u64 - 10 } else { 0 };
    let fillers = (0..fillers).map(|n| (0, News::single(n)));
    let step_ms = (BUSY_MS + REST_MS) / 20;
    fillers.chain((0..dice.u64(..20)).map(|n| (n * step_ms, News::draw(dice)))).collect()
}

/// Clocks begin here: what was told in a history is about to become too old to be counted on.
pub const CLOCK_MS: Millis = FOLD_MS;

/// Whoever delivers at a node.
#[derive(Default)]
pub struct Deliverer {
    /// How often it has begun or ended; what it had planned before is void.
    pass: u64,
    is_busy: bool,
    /// Whether something was stored while it was busy.
    is_rung: bool,
    /// What it has read of what waits, and up to where.
    read: VecDeque<Delivery>,
    after: u64,
    /// What it wants to put, as soon as the room is there.
    opening: Option<Delivery>,
    /// What it has put, and the ticket under which it hears of that.
    putting: Option<(u64, u64)>,
    /// It does nothing before.
    stopped_until: Millis,
}

impl Deliverer {
    /// All that it knew is gone.
    pub fn crash(&mut self) {
        *self = Self { pass: self.pass + 1, ..Self::default() };
    }

    /// Whether this is the ticket of what it has put.
    pub fn awaits(&self, ticket: u64) -> bool {
        self.putting.is_some_and(|(awaited, _)| awaited == ticket)
    }

    /// It does nothing for a while.
    pub fn stop_until(&mut self, until: Millis) {
        self.stopped_until = until;
    }
}

/// What a deliverer does next.
pub enum Step {
    /// Read some of what waits.
    Read,
    /// Look whether the person is to hear of it.
    Look(Delivery),
    /// Put it into the inbox.
    Put(Delivery),
    /// Remove what is in the inbox, or is not to come there.
    Remove(u64),
}

impl World {
    /// The inbox is one to which something has come before.
    pub(super) fn begin_with_history(&mut self) {
        let mut told = Vec::new();
        for ((at, news), number) in history(&mut self.dice).into_iter().zip(1..) {
            let op = news.delivered_as(number);
            self.judge.posted(number, op.clone());
            self.deliveries.last = number;
            told.push((at, op));
        }
        self.database = Database::new(self.kind, self.rights.clone(), &told);
        let known = self.judge.stored(&self.database.entries, &self.database, &self.rights, false);
        known.expect("a history breaks no rule");
    }

    /// Something happens elsewhere in the workspace, at a node, of which the person is to be told.
    pub(super) fn tell(&mut self, node: usize) -> Held {
        let news: Vec<News> = (0..[1, 1, 2, 3, 5][self.dice.usize(..5)])
            .map(|_| News::draw(&mut self.dice))
            .collect();
        if !self.nodes[node].is_up() || self.is_full() {
            // It does not happen, and whoever wanted it is told so.
            return Ok(());
        }
        for news in news {
            self.deliveries.last += 1;
            let (number, about) = (self.deliveries.last, news.about);
            let op = news.delivered_as(number);
            self.counts.ops += 1;
            self.trace.note(self.now, &[17, node as u64, number], || {
                format!("node {node} stores delivery {number}")
            });
            self.judge.posted(number, op.clone());
            self.deliveries.waiting.insert(number, Delivery { number, about, op });
        }
        self.ring(node);
        Ok(())
    }

    /// The person makes a room quiet, or loud again.
    pub(super) fn mute(&mut self, about: u64) {
        let muted = &mut self.deliveries.muted;
        if !muted.remove(&about) {
            muted.insert(about);
        }
        self.trace
            .note(self.now, &[18, about], || format!("room {about} is muted, or not any more"));
    }

    /// Something waits, as far as this node knows.
    pub(super) fn ring(&mut self, node: usize) {
        let deliverer = &mut self.nodes[node].deliverer;
        if deliverer.is_busy {
            deliverer.is_rung = true;
        } else {
            (deliverer.pass, deliverer.is_busy) = (deliverer.pass + 1, true);
            self.go_on(node, Step::Read);
        }
    }

    /// The deliverer is done for now, and has delivered all or not.
    fn end_pass(&mut self, node: usize, is_done: bool) {
        let deliverer = &mut self.nodes[node].deliverer;
        *deliverer = Deliverer {
            pass: deliverer.pass + 1,
            stopped_until: deliverer.stopped_until,
            is_rung: deliverer.is_rung,
            ..Deliverer::default()
        };
        if std::mem::take(&mut deliverer.is_rung) {
            self.ring(node);
        } else if !is_done {
            let pass = self.nodes[node].deliverer.pass;
            self.at(self.now + AGAIN_MS, Event::Deliver(node, pass, Step::Read));
        }
    }

    fn go_on(&mut self, node: usize, step: Step) {
        let Deliverer { pass, stopped_until, .. } = self.nodes[node].deliverer;
        let at = (self.now + self.dice.u64(LOOKING_UP_MS)).max(stopped_until);
        self.at(at, Event::Deliver(node, pass, step));
    }

    fn go_on_with_next(&mut self, node: usize) {
        let next = self.nodes[node].deliverer.read.pop_front();
        self.go_on(node, next.map_or(Step::Read, Step::Look));
    }

    pub(super) fn deliver(&mut self, node: usize, pass: u64, step: Step) -> Held {
        if self.nodes[node].deliverer.pass != pass {
            return Ok(());
        }
        self.nodes[node].deliverer.is_busy = true;
        match step {
            Step::Read | Step::Look(_) if self.is_unreadable() => self.end_pass(node, false),
            Step::Remove(_) if self.is_full() => self.end_pass(node, false),
            Step::Read => {
                let deliverer = &mut self.nodes[node].deliverer;
                let behind = self.deliveries.waiting.range(deliverer.after + 1..);
                deliverer.read = behind.map(|(_, delivery)| delivery.clone()).collect();
                let Some(last) = deliverer.read.back() else {
                    self.end_pass(node, true);
                    return Ok(());
                };
                deliverer.after = last.number;
                self.go_on_with_next(node);
            }
            Step::Look(Delivery { number, about: Some(about), .. })
                if self.deliveries.muted.contains(&about) =>
            {
                self.judge.muted(number);
                self.go_on(node, Step::Remove(number));
            }
            Step::Look(delivery) => self.go_on(node, Step::Put(delivery)),
            Step::Put(delivery) => {
                self.nodes[node].deliverer.opening = Some(delivery);
                if self.open(node) {
                    return self.opened(node);
                }
            }
            Step::Remove(number) => {
                self.deliveries.waiting.remove(&number);
                self.go_on_with_next(node);
            }
        }
        Ok(())
    }

    /// The room is there for whoever wants to put something into it, or could not be loaded.
    pub(super) fn opened(&mut self, node: usize) -> Held {
        let Some(delivery) = self.nodes[node].deliverer.opening.take() else { return Ok(()) };
        let (now, ticket) = (self.clock(node), self.next_ticket(node));
        let Some(room) = self.room(node) else {
            self.end_pass(node, false);
            return Ok(());
        };
        room.serve(now, ticket, delivery.op);
        self.nodes[node].deliverer.putting = Some((ticket, delivery.number));
        self.trace.note(self.now, &[19, node as u64, delivery.number], || {
            format!("node {node} puts delivery {}", delivery.number)
        });
        self.drain_room(node)
    }

    /// What became of what a deliverer has put.
    pub(super) fn heard_of_delivery(&mut self, node: usize, outcome: Option<Outcome>) -> Held {
        let Some((_, number)) = self.nodes[node].deliverer.putting.take() else { return Ok(()) };
        match outcome {
            Some(Outcome::Accepted(_)) => {}
            Some(Outcome::Refused(fault)) if fault.code == Inbox::REPEATED => {}
            Some(Outcome::Refused(fault)) => {
                return Err(Broken(format!("delivery {number} was refused: {fault}")));
            }
            Some(Outcome::NotSaved(_) | Outcome::Missing(_)) | None => {
                self.end_pass(node, false);
                return Ok(());
            }
        }
        self.judge.put(number)?;
        self.go_on(node, Step::Remove(number));
        Ok(())
    }

    /// What happens in place of something that a device does, if so: to an inbox more is told than is done there.
    pub(super) fn draw_telling(&mut self) -> Option<Event> {
        if self.kind != Inbox::NAME {
            return None;
        }
        match self.dice.u64(..100) {
            0..40 => Some(Event::Tell(self.dice.usize(..self.nodes.len()))),
            40..43 => Some(Event::Mute(self.dice.u64(..OBJECTS))),
            _ => None,
        }
    }
}
