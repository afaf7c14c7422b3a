//! What every [`Log`] must do, whatever its database; for the tests of each.
//!
//! [`log_contract!`](crate::log_contract) makes a test of each rule, given a [`Place`]. Most are
//! tables, one call a line: see [`table::check`].

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use weft_core::{ClientId, Guard, RoomId, Seq};

use crate::{Append, Appended, Log};

pub mod appends;
pub mod archive;
pub mod table;

/// Where one log is kept. A new place is an empty log.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the log that is kept here; more than one handle may be open.
    async fn open(&self) -> Arc<dyn Log>;
}

/// Makes a test of every rule; the argument makes a new [`Place`](crate::contract::Place).
#[macro_export]
macro_rules! log_contract {
    ($place:expr) => {
        $crate::log_contract!($place, appends:
            a_room_is_created_appended_to_and_loaded,
            a_room_that_is_there_is_not_created_again,
            holes_and_repeats_are_refused,
            a_refused_append_leaves_nothing,
            an_access_revision_that_was_raised_denies,
            ledgers_are_stored_without_a_batch_and_in_place_of_older_ones,
            of_two_writers_that_overlap_exactly_one_wins,
            what_another_handle_changed_counts,
            many_rooms_at_once_all_succeed,
            one_refusal_does_not_spoil_the_others,
            large_payloads_come_back_whole,
            a_closed_log_stores_nothing,
            what_makes_no_sense_is_refused,
        );
        $crate::log_contract!($place, archive:
            loading_starts_from_the_newest_snapshot,
            snapshots_stand_where_batches_end,
            compaction_changes_nothing_that_is_loaded,
            compaction_spares_the_newest_batch_and_what_no_snapshot_covers,
            history_is_whole_after_compaction,
            history_comes_in_parts,
            reopening_keeps_everything,
            much_is_archived_in_several_segments,
            concurrent_compactions_do_not_double,
            what_a_room_takes_is_all_of_its_batches_and_snapshots,
        );
    };
    ($place:expr, $module:ident: $($rule:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rule() {
            $crate::contract::$module::$rule(&$place).await;
        }
    )*};
}

/// The guard that rooms of these tests begin with.
pub const GUARD: Guard = Guard { epoch: 7, access: 0, answers: 0 };

/// A room; a higher number sorts later.
#[must_use]
pub fn room(number: u64) -> RoomId {
    RoomId::new(number, [3; 10])
}

/// What the batch at `first_seq` holds in these tests.
#[must_use]
pub fn content(room: RoomId, first_seq: Seq, count: u32) -> Bytes {
    if count == 0 { Bytes::new() } else { format!("{room}:{first_seq}+{count}").into() }
}

/// An append with that content, without ledgers.
#[must_use]
pub fn append(room: RoomId, first_seq: Seq, count: u32) -> Append {
    let data = content(room, first_seq, count);
    Append { room, first_seq, count, data, ledgers: Vec::new(), guard: GUARD }
}

/// The same with these ledgers.
#[must_use]
pub fn with_ledgers(mut append: Append, ledgers: &[(u64, &str)]) -> Append {
    let ledger = |&(client, text): &(u64, &str)| (ClientId(client), text.to_owned().into());
    append.ledgers = ledgers.iter().map(ledger).collect();
    append
}

/// Creates the room with one entry and appends batches of one entry up to `head`.
///
/// # Panics
/// If the log does not store them.
pub async fn fill(log: &dyn Log, room: RoomId, head: Seq) {
    assert_eq!(log.create(append(room, 1, 1)).await, Appended::Ok);
    for seq in 2..=head {
        assert_eq!(log.append(append(room, seq, 1)).await, Appended::Ok);
    }
}
