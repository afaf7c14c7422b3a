//! Where each struct of a document stands: how deep it is nested (in how many types it is), among which others,
//! and whether others can be in it.
//!
//! A library would have to be asked for a struct's parent's parent and so on; this keeps the answer,
//! as runs of clocks with the same one. A paragraph of an editor takes three runs of 12 bytes.

use std::collections::BTreeMap;

/// In how many types a struct is; 0: in a root.
pub type Level = u16;

/// Among which others a struct is: the same number for all that are in one sequence or under one key of
/// a map. A hash: others may have it too, but then no more than a check is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Home(u32);

impl Home {
    /// Nowhere any more: the type that it was in was deleted.
    pub const GONE: Self = Self(0);

    /// What an update names by these bytes: a parent, and perhaps a key in it.
    pub fn of(name: &[u8], keyed: bool) -> Self {
        let hash = name.iter().fold(0x811c_9dc5, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193) // FNV-1a
        });
        Self(hash & !3 | 2 | u32::from(keyed))
    }

    /// Whether that is a key of a map.
    pub fn is_keyed(self) -> bool {
        self.0 & 1 == 1
    }
}

/// What is known of a struct's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// In how many types it is.
    pub level: Level,
    /// Whether others can be in it: it is a type, or was perhaps one and is gone.
    pub holds: bool,
    /// Whether it is the value of a key and may not be split. Such a struct is a run of its own.
    pub whole: bool,
    /// Among which others it is.
    pub home: Home,
}

/// For each Yjs client where a run begins, and what holds for it; in order, and never twice the same
/// in a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels(BTreeMap<u64, Vec<(u32, Standing)>>);

impl Levels {
    /// What is known of a client's struct, and where the run begins in which that holds; `None` if it is
    /// before all that is known here.
    pub fn at(&self, client: u64, clock: u32) -> Option<(u32, Standing)> {
        let runs = self.0.get(&client)?;
        let after = runs.partition_point(|&(from, _)| from <= clock);
        Some(runs[after.checked_sub(1)?])
    }

    /// This holds for the client's structs from this clock on, which is after all others.
    pub fn push(&mut self, client: u64, from: u32, standing: Standing) {
        let runs = self.0.entry(client).or_default();
        if runs.last().is_none_or(|&(_, last)| last != standing || standing.whole) {
            runs.push((from, standing));
        }
    }

    /// What comes after all that is here.
    pub fn extend(&mut self, later: Self) {
        for (client, runs) in later.0 {
            for (from, standing) in runs {
                self.push(client, from, standing);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_and_joined() {
        let standing = |level| Standing { level, ..Standing::default() };
        let mut levels = Levels::default();
        levels.push(1, 0, standing(2));
        levels.push(1, 5, standing(2));
        levels.push(1, 7, standing(3));
        let mut later = Levels::default();
        later.push(1, 9, standing(3));
        later.push(1, 10, Standing { holds: true, ..standing(3) });
        later.push(2, 4, standing(1));
        levels.extend(later);
        let level = |client, clock| levels.at(client, clock).map(|(_, s)| (s.level, s.holds));
        let of_1 = [0, 6, 7, 9, 10, 99].map(|clock| level(1, clock).unwrap());
        assert_eq!(of_1, [(2, false), (2, false), (3, false), (3, false), (3, true), (3, true)]);
        assert_eq!([level(2, 3), level(2, 4), level(3, 0)], [None, Some((1, false)), None]);
        assert_eq!(levels.0[&1].len(), 3);
    }
}
