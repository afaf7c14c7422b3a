//! Which rooms stand in a space that holds all that it may, for the rooms' tasks to look up.
//!
//! Whoever adds up what spaces hold (`quotas.rs`) says so here. A room's task compares a number before each command, and
//! looks its room up when that has changed: nobody has to find the tasks, nor miss one that is just being started.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;
use weft_core::RoomId;

/// See the module's documentation.
#[derive(Default)]
pub struct FullRooms {
    rooms: Mutex<BTreeSet<RoomId>>,
    version: AtomicU64,
    /// Rings when a room takes something else than before, so that it is time to add up.
    pub weighed: Notify,
}

impl FullRooms {
    /// Another number means that other rooms are full. It begins at 0, with none.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub fn contains(&self, room: RoomId) -> bool {
        self.rooms().contains(&room)
    }

    /// Exactly these are full; gives those with which it was otherwise before.
    pub fn set(&self, full: BTreeSet<RoomId>) -> Vec<RoomId> {
        let mut rooms = self.rooms();
        let changed: Vec<RoomId> = rooms.symmetric_difference(&full).copied().collect();
        if !changed.is_empty() {
            *rooms = full;
            self.version.fetch_add(1, Ordering::Release);
        }
        changed
    }

    fn rooms(&self) -> MutexGuard<'_, BTreeSet<RoomId>> {
        self.rooms.lock().expect("nothing panics while it holds this lock")
    }
}
