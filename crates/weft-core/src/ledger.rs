//! What a room remembers of one client, so that a repeat gets the answer of the original (L3).

use std::collections::VecDeque;

use crate::{Fault, Millis, Seq};

/// Operations of one client that may be unanswered at once, and so the number of answers to keep.
pub const WINDOW: u64 = 64;

/// The one durable outcome of a client's operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Stored at this seq, or already covered by what was stored up to it.
    Accepted(Seq),
    /// Will never take effect.
    Refused(Fault),
}

/// The outcomes of one client in one room: all up to `mark`, the last [`WINDOW`] of them by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    mark: u64,
    recent: VecDeque<Verdict>,
    used_at: Millis,
}

/// What a ledger knows about a client's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// No outcome yet.
    Open,
    /// This was the outcome.
    Settled(&'a Verdict),
    /// Settled so long ago that a client which keeps to [`WINDOW`] cannot ask.
    Forgotten,
}

impl Ledger {
    /// The ledger as it was stored. `recent` are the outcomes of the numbers up to `mark`.
    #[must_use]
    pub fn restore(mark: u64, recent: Vec<Verdict>, used_at: Millis) -> Option<Self> {
        let fits = recent.len() as u64 <= mark.min(WINDOW);
        fits.then(|| Self { mark, recent: recent.into(), used_at })
    }

    /// Every number up to here has its outcome.
    #[must_use]
    pub const fn mark(&self) -> u64 {
        self.mark
    }

    /// The outcomes that are kept, of the last numbers up to the mark.
    pub fn recent(&self) -> impl Iterator<Item = &Verdict> {
        self.recent.iter()
    }

    /// When the client last had an outcome here.
    #[must_use]
    pub const fn used_at(&self) -> Millis {
        self.used_at
    }

    /// Notes the outcome of the next number.
    pub fn settle(&mut self, verdict: Verdict, now: Millis) {
        self.mark += 1;
        self.used_at = now;
        self.recent.push_back(verdict);
        if self.recent.len() as u64 > WINDOW {
            self.recent.pop_front();
        }
    }

    /// The outcome of a number.
    #[must_use]
    pub fn of(&self, client_seq: u64) -> Known<'_> {
        if client_seq > self.mark {
            return Known::Open;
        }
        let age = (self.mark - client_seq) as usize;
        match self.recent.len().checked_sub(age + 1) {
            Some(index) => Known::Settled(&self.recent[index]),
            None => Known::Forgotten,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_64_outcomes_are_known() {
        let mut ledger = Ledger::default();
        for n in 1..=100 {
            ledger.settle(Verdict::Accepted(n + 1), n);
        }
        assert_eq!(ledger.of(101), Known::Open);
        assert_eq!(ledger.of(100), Known::Settled(&Verdict::Accepted(101)));
        assert_eq!(ledger.of(37), Known::Settled(&Verdict::Accepted(38)));
        assert_eq!(ledger.of(36), Known::Forgotten);
        assert_eq!(ledger.used_at(), 100);
    }

    #[test]
    fn a_ledger_with_more_answers_than_numbers_is_damaged() {
        assert_eq!(Ledger::restore(1, vec![Verdict::Accepted(2), Verdict::Accepted(3)], 0), None);
    }
}
