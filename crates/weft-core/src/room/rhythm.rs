//! How long a room waits with the first operation of a batch, so that the batch carries the work of several
//! people.
//!
//! Storing a batch and telling of it costs the same whether one edit is in it or five. So a room into
//! which many type at once gathers for some milliseconds. Nobody is made to wait for nothing: a room into
//! which one or two type does not gather, and those who wait for each answer before they go on (importers,
//! scripts) do not count, because gathering would only slow them down. Whoever sends without waiting is known by
//! an operation that comes before the last one was answered; a program that is always answered in time is
//! tried now and then.
//!
//! Start at [`Rhythm::arrives`] and [`Rhythm::departs`].

use std::{collections::BTreeMap, mem};

use crate::{Millis, SessionId};

/// Operations that a batch is meant to carry. With more each would cost little less.
const COMPANY: u64 = 5;
/// Rooms that gather for long enough end that at the same moments, so that they are woken together and their batches
/// share commits.
const BEAT_MS: Millis = 8;
/// Over how long rates are taken, roughly.
const MEMORY_MS: Millis = 500;
/// Operations are counted in thousandths, and rates are theirs per second.
const UNIT: u64 = 1_000_000;
/// Who comes so much later than the last batch with something of theirs would hardly be slowed down.
const THINKS_MS: Millis = 60;
/// How long somebody counts who has not waited for an answer, and how often a room gathers once that sees
/// nobody who does not.
const TRIED_MS: Millis = 2_000;

/// What is known of somebody who has sent something lately.
#[derive(Debug, Clone, Copy, Default)]
struct Sender {
    /// Has an operation in the queue.
    is_waiting: bool,
    /// When the last batch left with one.
    left: Millis,
    /// Sends without waiting, as was seen last, until then.
    streams_until: Millis,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    senders: BTreeMap<SessionId, Sender>,
    /// Operations since the last batch, and those of them that did not wait for an answer.
    came: [u64; 2],
    /// Such operations a second, lately, in thousandths.
    rates: [u64; 2],
    /// When the last batch left.
    left: Millis,
    /// When a room of senders who seem to wait for answers may gather again.
    try_at: Millis,
    /// How long the room gathers for its next batch, and the longest that it may.
    gather_ms: Millis,
    gather_ms_max: Millis,
}

impl Rhythm {
    /// An operation joins the queue while a batch is in flight, or not.
    pub fn arrives(&mut self, now: Millis, session: SessionId, in_flight: bool) {
        self.came[0] += 1;
        if session == SessionId::NONE {
            return;
        }
        let left = self.left;
        let sender = self.senders.entry(session).or_default();
        if sender.is_waiting || (in_flight && sender.left == left) {
            sender.streams_until = now + TRIED_MS;
        }
        let is_free = now < sender.streams_until || now >= sender.left + THINKS_MS;
        sender.is_waiting = true;
        self.came[1] += u64::from(is_free);
    }

    /// Until when the room gathers if the first operation of its next batch comes now.
    pub const fn gathers_until(&self, now: Millis) -> Millis {
        let until = now + self.gather_ms;
        if self.gather_ms < 2 * BEAT_MS {
            return until;
        }
        let beat = until.next_multiple_of(BEAT_MS);
        if beat <= now + self.gather_ms_max { beat } else { until - until % BEAT_MS }
    }

    /// What waited leaves as a batch. The room gathers at most so long for the next one.
    pub fn departs(&mut self, now: Millis, gather_ms_max: Millis) {
        let passed = now.saturating_sub(self.left);
        for (rate, came) in self.rates.iter_mut().zip(mem::take(&mut self.came)) {
            // An average whose memory fades: exact for a long gap, stable for a short one.
            *rate = (*rate * MEMORY_MS + came * UNIT) / (MEMORY_MS + passed);
        }
        self.left = now;
        self.senders.retain(|_, sender| {
            if mem::take(&mut sender.is_waiting) {
                sender.left = now;
            }
            now < sender.left + THINKS_MS || now < sender.streams_until
        });
        let gather = |rate: u64| match rate * gather_ms_max < UNIT {
            true => 0,
            false => (COMPANY * UNIT / rate).min(gather_ms_max),
        };
        let [all, free] = self.rates.map(gather);
        let tries = free == 0 && all > 0 && now >= self.try_at;
        if tries {
            self.try_at = now + TRIED_MS;
        }
        self.gather_ms = if tries { all } else { free };
        self.gather_ms_max = gather_ms_max;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATHER_MS_MAX: Millis = 30;
    /// How long a batch is in flight.
    const FLIGHT_MS: Millis = 2;

    /// What came of some seconds.
    #[derive(Debug, Default)]
    struct Run {
        operations: u64,
        batches: u64,
        /// Of all operations together, and of the one that waited longest.
        waited_ms: Millis,
        longest_ms: Millis,
    }

    /// Lets `people` act for ten seconds. Each acts first at a moment of its own; `next` says when again, by
    /// the times of the action and, once it is there, of its answer.
    fn run(
        people: u64,
        next: impl Fn(u64, Millis, Option<Millis>) -> Option<Millis>,
        asks: bool,
    ) -> Run {
        let mut due: Vec<(Millis, u64)> = (0..people).map(|who| (1 + who * 7 % 97, who)).collect();
        let (mut rhythm, mut run) = (Rhythm::default(), Run::default());
        let mut queue: Vec<(Millis, u64)> = Vec::new();
        let mut flight: Option<(Millis, Vec<(Millis, u64)>)> = None;
        let mut ready_at = 0;
        for now in 0..10_000 {
            if let Some((_, landed)) = flight.take_if(|(lands, _)| *lands <= now) {
                for (at, who) in landed.into_iter().filter(|_| asks) {
                    due.extend(next(who, at, Some(now)).map(|again| (again, who)));
                }
            }
            let acting: Vec<_> = due.extract_if(.., |(at, _)| *at <= now).collect();
            for (_, who) in acting {
                rhythm.arrives(now, SessionId(who + 1), flight.is_some());
                if queue.is_empty() {
                    ready_at = rhythm.gathers_until(now);
                }
                queue.push((now, who));
                if !asks {
                    due.extend(next(who, now, None).map(|again| (again, who)));
                }
            }
            if flight.is_none() && !queue.is_empty() && now >= ready_at {
                rhythm.departs(now, GATHER_MS_MAX);
                run.batches += 1;
                run.operations += queue.len() as u64;
                for (at, _) in &queue {
                    run.waited_ms += now - at;
                    run.longest_ms = run.longest_ms.max(now - at);
                }
                flight = Some((now + FLIGHT_MS, mem::take(&mut queue)));
            }
        }
        run
    }

    /// People who type, each about so many times a second, without waiting for anybody.
    fn typing(people: u64, per_second: u64) -> Run {
        let uneven = move |who: u64, at: Millis| {
            500 / per_second + (who * 37 + at * 13) % (1_000 / per_second)
        };
        run(people, move |who, at, _| Some(at + uneven(who, at).max(1)), false)
    }

    #[test]
    fn many_that_type_share_batches_and_wait_no_longer_than_they_do_not_notice() {
        for (people, per_second, company) in [(10, 5, 2), (200, 1, 4), (10, 20, 3)] {
            let busy = typing(people, per_second);
            assert!(busy.operations >= company * busy.batches, "{people}: {busy:?}");
            assert!(busy.longest_ms <= GATHER_MS_MAX, "{people}: {busy:?}");
        }
    }

    #[test]
    fn one_program_that_streams_shares_batches_with_itself() {
        let streams = typing(1, 200);
        assert!(streams.operations >= 3 * streams.batches, "{streams:?}");
    }

    #[test]
    fn few_that_type_are_not_held_up() {
        for people in [1, 2, 3] {
            let few = typing(people, 8);
            // A flight is all that anybody waits for.
            assert!(few.longest_ms <= FLIGHT_MS, "{people}: {few:?}");
        }
    }

    #[test]
    fn those_who_wait_for_answers_keep_their_pace() {
        for people in [1, 2, 5, 50] {
            for think_ms in [0, 1, 3] {
                let asking = run(people, |_, _, answered| Some(answered? + think_ms), true);
                let turn = FLIGHT_MS + think_ms.max(1);
                assert!(asking.operations * 2 * turn >= people * 10_000, "{people}: {asking:?}");
            }
        }
    }

    #[test]
    fn a_room_that_was_busy_forgets_it() {
        let mut rhythm = Rhythm::default();
        for now in 0..1_000 {
            rhythm.arrives(now, SessionId(1 + now % 20), false);
            rhythm.departs(now, GATHER_MS_MAX);
        }
        let mut later = |now| {
            rhythm.arrives(now, SessionId(1), false);
            rhythm.departs(now, GATHER_MS_MAX);
            rhythm.gather_ms
        };
        assert_eq!(later(60_000), 0);
    }

    #[test]
    fn callers_without_a_session_wait_for_answers() {
        let mut rhythm = Rhythm::default();
        let mut gathered = 0;
        for now in 0..10_000 {
            rhythm.arrives(now, SessionId::NONE, true);
            rhythm.departs(now, GATHER_MS_MAX);
            gathered += rhythm.gather_ms;
        }
        // Each time is a try.
        assert!(gathered <= 10_000 / TRIED_MS * GATHER_MS_MAX, "{gathered}");
    }
}
