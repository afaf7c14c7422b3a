//! How far apart rooms keep their batches, by how much all of them send.
//!
//! Writing to sockets is what a busy server does most. What is decided in one batch goes out as one
//! message to each session, so the more is being sent, the longer rooms gather: a server with too
//! much to do sends fewer, larger messages and does not fall behind.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread::available_parallelism,
};

use weft_core::Millis;

/// Room batches are this far apart for each session while the server is at ease, in microseconds:
/// one room then keeps less than a tenth of a core busy with sending.
const AT_EASE_US: u64 = 100;
/// Messages a second and core up to which a server is at ease: some tenth of what a core can send.
const AT_EASE_PER_CORE: u64 = 12_500;
/// Messages are counted in slots of so many milliseconds.
const SLOT_MS: u64 = 100;

/// Counts what is sent. Shared by all rooms; off by a few when they count at the same time.
#[derive(Debug)]
pub struct Pace {
    at_ease: u64,
    slot: AtomicU64,
    sent: AtomicU64,
    /// Messages a second in the last full slot.
    rate: AtomicU64,
}

impl Pace {
    /// A server that has sent nothing yet.
    pub fn new() -> Self {
        Self::with_cores(available_parallelism().map_or(1, usize::from) as u64)
    }

    fn with_cores(cores: u64) -> Self {
        let zero = AtomicU64::default;
        Self { at_ease: cores * AT_EASE_PER_CORE, slot: zero(), sent: zero(), rate: zero() }
    }

    /// A room sends so many messages.
    pub fn count(&self, now: Millis, messages: usize) {
        let slot = now / SLOT_MS;
        let before = self.slot.swap(slot, Relaxed);
        if slot > before {
            let ms = (slot - before).saturating_mul(SLOT_MS);
            self.rate.store(self.sent.swap(0, Relaxed).saturating_mul(1000) / ms, Relaxed);
        }
        self.sent.fetch_add(messages as u64, Relaxed);
    }

    /// How far apart batches should be for each session of a room, in microseconds. Grows with the
    /// square of the rate, so that it is felt before a core is full.
    pub fn gap_us(&self) -> u64 {
        let rate = self.rate.load(Relaxed).max(self.at_ease);
        AT_EASE_US * (rate * rate / (self.at_ease * self.at_ease))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_gathers_longer_until_it_is_at_ease_again() {
        let pace = Pace::with_cores(2);
        pace.count(1_000, 2_000);
        pace.count(1_100, 10_000);
        assert_eq!(pace.gap_us(), AT_EASE_US, "20,000 a second");
        pace.count(1_200, 1);
        assert_eq!(pace.gap_us(), AT_EASE_US * 16, "100,000 a second");
        pace.count(9_000, 1);
        assert_eq!(pace.gap_us(), AT_EASE_US);
    }
}
