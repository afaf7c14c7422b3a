//! Awareness: its bytes, and a room of three sessions that tell it.

use bytes::Bytes;
use weft_core::{
    SessionId,
    awareness::{Awareness, CLIENTS_MAX, EXPIRES_MS},
};
use weft_proto::yjs::{read_awareness, write_awareness};

/// Bytes of one state at most; small, so that some are too large.
const STATE_BYTES_MAX: usize = 64;

/// What three sessions tell in turn, a second after one another. What is told to others is in the end what
/// is there, and nothing is left when all have gone.
pub fn awareness(input: Bytes) {
    let mut room = Awareness::default();
    let mut now = 0;
    for (told, session) in super::parts(input).into_iter().zip((1..=3).cycle().map(SessionId)) {
        now += 1_000;
        let Ok(told) = read_awareness(&told) else {
            room.leave(session);
            continue;
        };
        assert_eq!(read_awareness(&write_awareness(&told)).as_ref(), Ok(&told));
        // An error: too much; that nothing was taken shows below.
        let _ = room.hear(now, session, told, STATE_BYTES_MAX);
        let all = room.all();
        assert!(all.len() <= 3 * CLIENTS_MAX, "{} clients of three sessions", all.len());
        let state = |aware: &weft_core::awareness::Aware| aware.state.clone().unwrap_or_default();
        assert!(all.iter().all(|aware| state(aware).len() <= STATE_BYTES_MAX));
        for aware in room.flush().into_iter().filter(|aware| aware.state.is_some()) {
            assert!(all.contains(&aware), "told, but not here: {aware:?}");
        }
        assert!(!room.is_dirty());
    }
    room.expire(now + EXPIRES_MS);
    assert!(room.all().is_empty() && room.next_expiry().is_none());
}
