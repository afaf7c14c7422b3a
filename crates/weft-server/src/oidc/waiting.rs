//! What waits for somebody to come back: bounded in number and in time, and taken once. Time is passed in.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use weft_core::Millis;

/// Things by the hash of the secret with which somebody comes for them.
pub struct Waiting<T> {
    things: Mutex<HashMap<[u8; 32], (Millis, T)>>,
    count_max: usize,
    lasts_ms: Millis,
}

impl<T> Waiting<T> {
    /// Nothing waits.
    pub fn new(count_max: usize, lasts_ms: Millis) -> Self {
        Self { things: Mutex::default(), count_max, lasts_ms }
    }

    /// Lets something wait. If there is no room, the oldest has waited in vain.
    pub fn put(&self, key: [u8; 32], thing: T, now: Millis) {
        let mut things = self.things();
        if things.len() >= self.count_max {
            things.retain(|_, (until, _)| now < *until);
        }
        while things.len() >= self.count_max {
            let oldest = things.iter().min_by_key(|(_, (until, _))| *until).map(|(key, _)| *key);
            let Some(oldest) = oldest else { break };
            things.remove(&oldest);
        }
        things.insert(key, (now.saturating_add(self.lasts_ms), thing));
    }

    /// Takes something away, if it is still there and `fits`.
    pub fn take_if(&self, key: &[u8; 32], now: Millis, fits: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut things = self.things();
        let (until, thing) = things.get(key)?;
        if now >= *until || !fits(thing) {
            return None;
        }
        things.remove(key).map(|(_, thing)| thing)
    }

    /// A copy, if it is still there.
    pub fn look(&self, key: &[u8; 32], now: Millis) -> Option<T>
    where
        T: Clone,
    {
        let things = self.things();
        let (until, thing) = things.get(key)?;
        (now < *until).then(|| thing.clone())
    }

    fn things(&self) -> MutexGuard<'_, HashMap<[u8; 32], (Millis, T)>> {
        self.things.lock().expect("no code panics while holding what waits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_wait_for_a_while_and_are_taken_once() {
        let waiting = Waiting::new(10, 100);
        waiting.put([1; 32], 'a', 0);
        assert_eq!(waiting.take_if(&[2; 32], 0, |_| true), None);
        assert_eq!(waiting.take_if(&[1; 32], 0, |_| false), None);
        assert_eq!(waiting.look(&[1; 32], 99), Some('a'));
        assert_eq!(waiting.look(&[1; 32], 100), None);
        assert_eq!(waiting.take_if(&[1; 32], 99, |_| true), Some('a'));
        assert_eq!(waiting.take_if(&[1; 32], 99, |_| true), None);
        waiting.put([1; 32], 'b', 0);
        assert_eq!(waiting.take_if(&[1; 32], 100, |_| true), None);
    }

    #[test]
    fn the_oldest_makes_room() {
        let waiting = Waiting::new(2, 100);
        for (key, at) in [(1, 10), (2, 0), (3, 20)] {
            waiting.put([key; 32], key, at);
        }
        let there = [1, 2, 3].map(|key| waiting.look(&[key; 32], 20).is_some());
        assert_eq!(there, [true, false, true]);
        waiting.put([4; 32], 4, 200);
        assert_eq!(waiting.things().len(), 1);
    }
}
