//! Presence: who is in a room right now, and where their cursor is.
//!
//! Soft state: memory only, never logged. A session is here from joining to leaving; the shell
//! makes one leave whose connection has fallen silent. Losing all of it may cost people a flicker
//! and nothing more.
//!
//! Start at [`Presence::join`] and [`Presence::flush`]. Not here: rights, sockets.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::{PersonId, SessionId};

/// Whom others see. Several sessions of one person are one face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// The person, or somebody for whom the person vouches.
    pub id: PersonId,
    /// What they are called.
    pub name: String,
    /// Whether they have no account.
    pub guest: bool,
}

/// A session as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The session: one tab or program.
    pub session: SessionId,
    /// Whose it is.
    pub face: Face,
    /// The person's colour here: a number from 1, the same for all who look.
    pub color: u32,
    /// Where the session's cursor is, in the words of the room's kind. Opaque here.
    pub data: Bytes,
}

/// Who is in one room.
#[derive(Debug, Default)]
pub struct Presence {
    here: BTreeMap<SessionId, Peer>,
    changed: BTreeSet<SessionId>,
    left: BTreeSet<SessionId>,
}

impl Presence {
    /// A session comes in, and gets its face's colour: the one that the face has here already,
    /// else the lowest free one.
    pub fn join(&mut self, session: SessionId, face: Face) -> u32 {
        let known = self.here.values().find(|peer| peer.face.id == face.id);
        let color = known.map_or_else(|| self.free_color(), |peer| peer.color);
        self.here.insert(session, Peer { session, face, color, data: Bytes::new() });
        self.changed.insert(session);
        color
    }

    fn free_color(&self) -> u32 {
        let taken: BTreeSet<u32> = self.here.values().map(|peer| peer.color).collect();
        (1..).find(|color| !taken.contains(color)).expect("there are more numbers than sessions")
    }

    /// A session's cursor moved.
    pub fn set(&mut self, session: SessionId, data: Bytes) {
        if let Some(peer) = self.here.get_mut(&session)
            && peer.data != data
        {
            peer.data = data;
            self.changed.insert(session);
        }
    }

    /// A session goes.
    pub fn leave(&mut self, session: SessionId) {
        if self.here.remove(&session).is_some() {
            self.changed.remove(&session);
            self.left.insert(session);
        }
    }

    /// The colour of a session's person.
    #[must_use]
    pub fn color_of(&self, session: SessionId) -> Option<u32> {
        self.here.get(&session).map(|peer| peer.color)
    }

    /// Everybody who is here.
    #[must_use]
    pub fn all(&self) -> Vec<Peer> {
        self.here.values().cloned().collect()
    }

    /// Whether something has changed since the last [`Presence::flush`].
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.changed.is_empty() || !self.left.is_empty()
    }

    /// What has changed since the last call: who came or moved, and who left.
    pub fn flush(&mut self) -> (Vec<Peer>, Vec<SessionId>) {
        let changed = std::mem::take(&mut self.changed);
        let here = changed.iter().filter_map(|session| self.here.get(session).cloned()).collect();
        (here, std::mem::take(&mut self.left).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(n: u8) -> Face {
        Face { id: PersonId::from_bytes([n; 16]), name: n.to_string(), guest: false }
    }

    #[test]
    fn a_person_has_one_color_and_the_lowest_free_one() {
        let mut presence = Presence::default();
        assert_eq!(presence.join(SessionId(1), face(1)), 1);
        assert_eq!(presence.join(SessionId(2), face(2)), 2);
        assert_eq!(presence.join(SessionId(3), face(1)), 1, "second tab, same face");
        presence.leave(SessionId(1));
        assert_eq!(presence.join(SessionId(4), face(3)), 3, "A is still here");
        presence.leave(SessionId(3));
        assert_eq!(presence.join(SessionId(5), face(4)), 1);
    }

    #[test]
    fn only_changes_are_flushed() {
        let mut presence = Presence::default();
        presence.join(SessionId(1), face(1));
        presence.join(SessionId(2), face(2));
        assert_eq!(presence.flush().0.len(), 2);
        presence.set(SessionId(1), Bytes::from_static(b"x"));
        presence.leave(SessionId(2));
        let (here, left) = presence.flush();
        assert_eq!(
            here.iter().map(|p| (p.session, p.data.clone())).collect::<Vec<_>>(),
            [(SessionId(1), Bytes::from_static(b"x"))]
        );
        assert_eq!(left, [SessionId(2)]);
        presence.set(SessionId(1), Bytes::from_static(b"x"));
        assert!(!presence.is_dirty(), "the same place again is no news");
    }
}
