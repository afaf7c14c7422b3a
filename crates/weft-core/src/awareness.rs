//! Awareness: what Yjs clients tell of themselves (a name, a cursor), for the sessions that merge.
//!
//! Soft state like [`crate::presence`], in the form of the Yjs protocols: each Yjs client has a clock, and a
//! state as JSON that is opaque here. A state that is not renewed for [`EXPIRES_MS`] is gone; so are a
//! session's states when it leaves. Nothing is kept of those that are gone.
//!
//! Start at [`Awareness::hear`] and [`Awareness::flush`]. Source: y-protocols 1.0, `awareness.js`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::{Fault, Millis, SessionId};

/// A state that is not renewed for so long is gone.
pub const EXPIRES_MS: Millis = 30_000;
/// Yjs clients that one session speaks for: one as a rule, some for a server's side.
pub const CLIENTS_MAX: usize = 16;
/// Yjs clients of one room whose states are kept; further ones are passed over until others go.
pub const ROOM_CLIENTS_MAX: usize = 10_000;
/// Bytes of their states, all together.
pub const ROOM_BYTES_MAX: usize = 4 << 20;

/// One Yjs client's clock and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aware {
    /// The Yjs client id.
    pub client: u64,
    /// Grows with each change.
    pub clock: u64,
    /// What it tells of itself, as JSON; `None`: it is gone.
    pub state: Option<Bytes>,
}

#[derive(Debug)]
struct Held {
    clock: u64,
    state: Bytes,
    session: SessionId,
    heard_at: Millis,
}

/// The awareness of one room.
#[derive(Debug, Default)]
pub struct Awareness {
    here: BTreeMap<u64, Held>,
    /// What the states in `here` have, in bytes.
    bytes: usize,
    changed: BTreeSet<u64>,
    gone: BTreeMap<u64, u64>,
}

impl Awareness {
    /// A session tells of Yjs clients. What is not newer than what is known is passed over.
    ///
    /// # Errors
    /// `awareness_too_large` if a state has more than `bytes_max` bytes, or the session would speak for
    /// more than [`CLIENTS_MAX`] clients; then nothing is taken.
    pub fn hear(
        &mut self,
        now: Millis,
        session: SessionId,
        told: Vec<Aware>,
        bytes_max: usize,
    ) -> Result<(), Fault> {
        let own = self.here.iter().filter(|(_, held)| held.session == session);
        let mut clients: BTreeSet<u64> = own.map(|(&client, _)| client).collect();
        let news = |aware: &&Aware| match self.here.get(&aware.client) {
            Some(held) => {
                aware.clock > held.clock || (aware.clock == held.clock && aware.state.is_none())
            }
            None => aware.state.is_some(),
        };
        let told: Vec<&Aware> = told.iter().filter(news).collect();
        clients.extend(told.iter().filter(|a| a.state.is_some()).map(|aware| aware.client));
        let fits = |aware: &&Aware| aware.state.as_ref().is_none_or(|s| s.len() <= bytes_max);
        if clients.len() > CLIENTS_MAX || !told.iter().all(fits) {
            return Err(Fault::new("awareness_too_large").with("limit", bytes_max));
        }
        for Aware { client, clock, state } in told.into_iter().cloned() {
            match state {
                Some(state) => {
                    let known = self.here.get(&client).map(|held| held.state.len());
                    let bytes = self.bytes - known.unwrap_or(0) + state.len();
                    let is_full = known.is_none() && self.here.len() >= ROOM_CLIENTS_MAX;
                    if is_full || bytes > ROOM_BYTES_MAX {
                        continue;
                    }
                    self.bytes = bytes;
                    self.here.insert(client, Held { clock, state, session, heard_at: now });
                    self.gone.remove(&client);
                    self.changed.insert(client);
                }
                None => self.remove(client, clock),
            }
        }
        Ok(())
    }

    fn remove(&mut self, client: u64, clock: u64) {
        if let Some(held) = self.here.remove(&client) {
            self.bytes -= held.state.len();
        }
        self.changed.remove(&client);
        self.gone.insert(client, clock);
    }

    /// A session goes, and with it those that it spoke for.
    pub fn leave(&mut self, session: SessionId) {
        self.remove_all(|held| held.session == session);
    }

    /// Those go that have not been heard of for [`EXPIRES_MS`].
    pub fn expire(&mut self, now: Millis) {
        self.remove_all(|held| held.heard_at + EXPIRES_MS <= now);
    }

    fn remove_all(&mut self, goes: impl Fn(&Held) -> bool) {
        let going: Vec<_> =
            self.here.iter().filter(|(_, h)| goes(h)).map(|(&c, h)| (c, h.clock)).collect();
        for (client, clock) in going {
            self.remove(client, clock);
        }
    }

    /// When the next one expires, unless it is heard of before.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Millis> {
        self.here.values().map(|held| held.heard_at + EXPIRES_MS).min()
    }

    /// Everybody who is here.
    #[must_use]
    pub fn all(&self) -> Vec<Aware> {
        self.here.keys().filter_map(|&client| self.aware(client)).collect()
    }

    fn aware(&self, client: u64) -> Option<Aware> {
        let held = self.here.get(&client)?;
        Some(Aware { client, clock: held.clock, state: Some(held.state.clone()) })
    }

    /// Whether something has changed since the last [`Awareness::flush`].
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }

    /// What has changed since the last call.
    pub fn flush(&mut self) -> Vec<Aware> {
        let changed = std::mem::take(&mut self.changed);
        let gone = std::mem::take(&mut self.gone);
        let gone = gone.into_iter().map(|(client, clock)| Aware { client, clock, state: None });
        changed.iter().filter_map(|&client| self.aware(client)).chain(gone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SessionId = SessionId(1);
    const B: SessionId = SessionId(2);

    fn here(client: u64, clock: u64) -> Aware {
        Aware { client, clock, state: Some(Bytes::from_static(b"{}")) }
    }

    fn gone(client: u64, clock: u64) -> Aware {
        Aware { client, clock, state: None }
    }

    #[test]
    fn newer_clocks_win_and_leaving_takes_along() {
        let mut awareness = Awareness::default();
        awareness.hear(0, A, vec![here(1, 5), here(2, 1)], 10).unwrap();
        assert_eq!(awareness.flush(), [here(1, 5), here(2, 1)]);
        awareness.hear(1, B, vec![here(1, 4), here(3, 0), gone(9, 9)], 10).unwrap();
        assert_eq!(awareness.flush(), [here(3, 0)]);
        awareness.hear(2, B, vec![here(1, 6)], 10).unwrap();
        awareness.leave(A);
        assert_eq!(awareness.flush(), [here(1, 6), gone(2, 1)]);
        awareness.hear(3, B, vec![gone(1, 6)], 10).unwrap();
        assert_eq!(awareness.flush(), [gone(1, 6)]);
        assert_eq!(awareness.all(), [here(3, 0)]);
    }

    #[test]
    fn what_is_not_renewed_expires() {
        let mut awareness = Awareness::default();
        awareness.hear(0, A, vec![here(1, 1), here(2, 1)], 10).unwrap();
        awareness.hear(10_000, A, vec![here(2, 2)], 10).unwrap();
        awareness.flush();
        assert_eq!(awareness.next_expiry(), Some(30_000));
        awareness.expire(30_000);
        assert_eq!(awareness.flush(), [gone(1, 1)]);
        assert_eq!(awareness.next_expiry(), Some(40_000));
    }

    #[test]
    fn a_room_holds_so_many_and_no_more() {
        let mut awareness = Awareness::default();
        let count = ROOM_CLIENTS_MAX as u64;
        for client in 0..count + 10 {
            awareness.hear(0, SessionId(client), vec![here(client, 1)], 10).unwrap();
        }
        assert_eq!(awareness.all().len(), ROOM_CLIENTS_MAX);
        awareness.hear(0, SessionId(0), vec![here(0, 2)], 10).unwrap();
        awareness.hear(0, SessionId(1), vec![gone(1, 2)], 10).unwrap();
        awareness.hear(0, SessionId(count), vec![here(count, 1)], 10).unwrap();
        assert_eq!(awareness.all().len(), ROOM_CLIENTS_MAX);
        assert_eq!(awareness.bytes, 2 * ROOM_CLIENTS_MAX);
        awareness.expire(EXPIRES_MS);
        assert_eq!(awareness.bytes, 0);
        let large = |client| {
            let state = Some(Bytes::from(vec![b' '; 1 << 20]));
            Aware { client, clock: 1, state }
        };
        awareness.hear(0, A, (0..5).map(large).collect(), 1 << 20).unwrap();
        assert_eq!((awareness.all().len(), awareness.bytes), (4, ROOM_BYTES_MAX));
    }

    #[test]
    fn a_million_messages_leave_nothing_behind() {
        let mut awareness = Awareness::default();
        for n in 0..1_000_000_u64 {
            // Each session comes with a client of its own and moves; every other one goes by itself.
            let session = SessionId(n / 4);
            match n % 4 {
                3 if n / 4 % 2 == 0 => awareness.leave(session),
                3 => awareness.hear(n, session, vec![gone(n / 4, 9)], 10).unwrap(),
                clock => awareness.hear(n, session, vec![here(n / 4, clock)], 10).unwrap(),
            }
            if n % 64 == 63 {
                awareness.flush();
            }
        }
        let left = (awareness.here.len(), awareness.changed.len(), awareness.gone.len());
        assert_eq!((left, awareness.bytes), ((0, 0, 0), 0));
    }

    #[test]
    fn a_session_speaks_for_few_and_leaves_no_memory_behind() {
        let mut awareness = Awareness::default();
        let many = (0..17).map(|client| here(client, 1)).collect();
        assert!(awareness.hear(0, A, many, 10).is_err());
        assert!(awareness.hear(0, A, vec![here(1, 1)], 1).is_err(), "too large");
        for client in 0..100_000 {
            awareness.hear(0, A, vec![here(client, 1)], 10).unwrap();
            awareness.hear(0, A, vec![gone(client, 1)], 10).unwrap();
            awareness.flush();
        }
        assert!(awareness.all().is_empty());
        assert!(!awareness.is_dirty());
    }
}
