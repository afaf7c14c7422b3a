//! What happened, as a number that two equal runs share, and as text for those who want to read it.

use std::fmt;

use weft_core::Millis;

/// The record of one run.
pub struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// An empty record, which keeps text if that is wanted: it makes a run many times slower.
    pub fn new(keeps_text: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: keeps_text.then(Vec::new) }
    }

    /// Notes something. The numbers go into the hash; the words are made only if they are kept.
    pub fn note(&mut self, now: Millis, what: &[u64], words: impl FnOnce() -> String) {
        for number in [&[now], what].concat() {
            // FNV-1a over whole numbers, with a shift so that high bits reach the low ones.
            self.hash = (self.hash ^ number).wrapping_mul(0x0000_0100_0000_01b3);
            self.hash ^= self.hash >> 29;
        }
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{now:>6} ms  {}", words()));
        }
    }

    /// A number that differs if anything noted does.
    pub const fn hash(&self) -> u64 {
        self.hash
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().flatten().try_for_each(|line| writeln!(f, "{line}"))
    }
}
