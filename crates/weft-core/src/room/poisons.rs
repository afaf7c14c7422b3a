//! Operations that made the room fail (L10), so that the same one does not do it again: loading a room
//! anew for each of them would let one person keep it from everybody.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::{Millis, PersonId};

/// Operations that are known again. The oldest are forgotten.
const KNOWN_MAX: usize = 64;
/// Times that one person may make the room fail within [`PERIOD_MS`]; then none of their operations is
/// tried until that is over.
const FAILURES_MAX: usize = 3;
const PERIOD_MS: Millis = 60_000;

#[derive(Default)]
pub(super) struct Poisons {
    known: BTreeSet<[u8; 32]>,
    /// The newest last.
    order: VecDeque<[u8; 32]>,
    failures: VecDeque<(Millis, Option<PersonId>)>,
}

impl Poisons {
    /// This operation of this person made the room fail.
    pub(super) fn note(&mut self, now: Millis, person: Option<PersonId>, op: &Bytes) {
        let hash = hash_of(op);
        if self.known.insert(hash) {
            self.order.push_back(hash);
        }
        if self.order.len() > KNOWN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.failures.push_back((now, person));
    }

    /// Whether an operation of this person is to be refused untried.
    pub(super) fn refuses(&mut self, now: Millis, person: Option<PersonId>, op: &Bytes) -> bool {
        if self.known.is_empty() {
            return false;
        }
        while self.failures.front().is_some_and(|(at, _)| at + PERIOD_MS <= now) {
            self.failures.pop_front();
        }
        let of_person = self.failures.iter().filter(|(_, who)| *who == person).count();
        of_person >= FAILURES_MAX || self.known.contains(&hash_of(op))
    }
}

fn hash_of(op: &Bytes) -> [u8; 32] {
    Sha256::digest(op).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVE: Option<PersonId> = Some(PersonId::from_bytes([1; 16]));
    const LIN: Option<PersonId> = Some(PersonId::from_bytes([2; 16]));

    fn op(n: u64) -> Bytes {
        Bytes::copy_from_slice(&n.to_be_bytes())
    }

    #[test]
    fn a_poison_is_known_whoever_sends_it_and_whoever_sends_many_has_to_wait() {
        let mut poisons = Poisons::default();
        assert!(!poisons.refuses(0, EVE, &op(1)));
        poisons.note(0, EVE, &op(1));
        assert!(poisons.refuses(1, EVE, &op(1)) && poisons.refuses(1, LIN, &op(1)));
        assert!(!poisons.refuses(1, EVE, &op(2)));
        poisons.note(1, EVE, &op(2));
        poisons.note(2, EVE, &op(3));
        assert!(poisons.refuses(59_999, EVE, &op(4)) && !poisons.refuses(59_999, LIN, &op(4)));
        assert!(!poisons.refuses(60_000, EVE, &op(4)));
        assert!(poisons.refuses(60_000, EVE, &op(3)), "known for longer");
    }

    #[test]
    fn memory_is_bounded() {
        let mut poisons = Poisons::default();
        for n in 0..1_000 {
            assert!(!poisons.refuses(n * PERIOD_MS, EVE, &op(n)));
            poisons.note(n * PERIOD_MS, EVE, &op(n));
        }
        assert_eq!((poisons.known.len(), poisons.order.len()), (KNOWN_MAX, KNOWN_MAX));
        assert!(poisons.failures.len() <= 2);
        assert!(poisons.refuses(u64::MAX / 2, LIN, &op(999)));
        assert!(!poisons.refuses(u64::MAX / 2, LIN, &op(900)));
    }
}
