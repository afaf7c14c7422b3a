//! How often what happened in a run.

use std::{collections::BTreeMap, fmt, sync::Mutex};

/// Counts by name.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u32>>);

impl Tally {
    pub fn count(&self, what: &'static str) {
        *self.0.lock().expect("no panic").entry(what).or_default() += 1;
    }

    /// Which of these never happened.
    pub fn missing(&self, of: &[&'static str]) -> Vec<&'static str> {
        let counts = self.0.lock().expect("no panic");
        of.iter().filter(|what| !counts.contains_key(**what)).copied().collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().expect("no panic");
        let counts: Vec<String> =
            counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
        f.write_str(&counts.join(", "))
    }
}
