//! Rules of snapshots, compaction, history and reopening.

use bytes::Bytes;

use weft_core::Guard;

use super::{
    GUARD, Place, append, content, fill, room,
    table::{check, state},
};
use crate::{Append, Appended};

/// A snapshot spares the batches up to it; the newest counts.
pub async fn loading_starts_from_the_newest_snapshot(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        create 1 2     | ok
        append 1 3+1   | ok
        append 1 4+2   | ok
        snapshot 1 3   | ok
        load 1         | 7.0 at 3 4+2 to 5
        snapshot 1 5   | ok
        load 1         | 7.0 at 5 to 5
        append 1 6+1   | ok
        load 1         | 7.0 at 5 6+1 to 6
        snapshot 1 6   | ok
        snapshot 1 6   | ok
        load 1         | 7.0 at 6 to 6
        history 1 0    | 1+2 3+1 4+2 6+1
        ",
    )
    .await;
}

/// A snapshot that no batch ends at, of the future for instance, is refused.
pub async fn snapshots_stand_where_batches_end(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        snapshot 1 0   | not an end
        snapshot 1 1   | not an end
        create 1 2     | ok
        append 1 3+3   | ok
        snapshot 1 0   | not an end
        snapshot 1 1   | not an end
        snapshot 1 4   | not an end
        snapshot 1 6   | not an end
        load 1         | 7.0 1+2 3+3 to 5
        snapshot 1 2   | ok
        load 1         | 7.0 at 2 3+3 to 5
        ",
    )
    .await;
}

/// Compaction is invisible but for the space.
pub async fn compaction_changes_nothing_that_is_loaded(place: &dyn Place) {
    let log = place.open().await;
    fill(&*log, room(1), 200).await;
    check(
        &*log,
        "
        snapshot 1 190     | ok
        append 1 201+1 9=a | ok
        ",
    )
    .await;
    let before = log.load(room(1)).await.unwrap();
    assert_eq!(log.compact(room(1), 180).await.unwrap(), 180);
    assert_eq!(log.load(room(1)).await.unwrap(), before);
    assert_eq!(log.compact(room(1), 180).await.unwrap(), 0);
    assert_eq!(log.compact(room(1), 200).await.unwrap(), 10);
    assert_eq!(log.load(room(1)).await.unwrap(), before);
    check(&*log, "append 1 202+1 | ok").await;
    assert_eq!(log.load(room(1)).await.unwrap().unwrap().head, 202);
}

/// The newest batch tells the head, and a snapshot must be there before its batches go.
pub async fn compaction_spares_the_newest_batch_and_what_no_snapshot_covers(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        compact 1 9    | 0
        create 1 2     | ok
        append 1 3+1   | ok
        append 1 4+2   | ok
        compact 1 5    | 0
        snapshot 1 3   | ok
        compact 1 1    | 0
        compact 1 9    | 2
        load 1         | 7.0 at 3 4+2 to 5
        snapshot 1 5   | ok
        compact 1 9    | 0
        load 1         | 7.0 at 5 to 5
        append 1 6+1   | ok
        compact 1 9    | 1
        load 1         | 7.0 at 5 6+1 to 6
        ",
    )
    .await;
}

/// Nothing is lost for history, wherever it lies.
pub async fn history_is_whole_after_compaction(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        create 1 2     | ok
        append 1 3+1   | ok
        append 1 4+3   | ok
        append 1 7+1   | ok
        snapshot 1 7   | ok
        append 1 8+2   | ok
        append 1 10+1  | ok
        compact 1 3    | 2
        compact 1 6    | 1
        history 1 0    | 1+2 3+1 4+3 7+1 8+2 10+1
        history 1 1    | 1+2 3+1 4+3 7+1 8+2 10+1
        history 1 2    | 3+1 4+3 7+1 8+2 10+1
        history 1 5    | 4+3 7+1 8+2 10+1
        history 1 6    | 7+1 8+2 10+1
        history 1 8    | 8+2 10+1
        history 1 9    | 10+1
        history 1 10   |
        history 1 99   |
        ",
    )
    .await;
}

/// A reader of a long history bounds what it holds in memory.
pub async fn history_comes_in_parts(place: &dyn Place) {
    let log = place.open().await;
    fill(&*log, room(1), 30).await;
    check(
        &*log,
        "
        snapshot 1 30 | ok
        compact 1 10  | 10
        compact 1 20  | 10
        ",
    )
    .await;
    let whole = log.history(room(1), 0, usize::MAX).await.unwrap();
    assert_eq!(whole.len(), 30);
    for bytes_max in [0, 1, 50, 100, 200, 500] {
        let (mut parts, mut after) = (Vec::new(), 0);
        loop {
            let part = log.history(room(1), after, bytes_max).await.unwrap();
            let Some(last) = part.last() else { break };
            let bytes: usize = part.iter().map(|batch| batch.data.len()).sum();
            assert!(part.len() == 1 || bytes <= bytes_max, "{bytes} bytes of {bytes_max}");
            after = last.last_seq();
            parts.extend(part);
        }
        assert_eq!(parts, whole, "in parts of {bytes_max} bytes");
    }
}

/// All that was answered is there after closing and opening.
pub async fn reopening_keeps_everything(place: &dyn Place) {
    let log = place.open().await;
    fill(&*log, room(1), 50).await;
    check(
        &*log,
        "
        snapshot 1 40        | ok
        compact 1 30         | 30
        raise 1              | 1
        append 1 51+0 @7.1 4=x | ok
        ",
    )
    .await;
    let (loaded, history) =
        (log.load(room(1)).await.unwrap(), log.history(room(1), 0, usize::MAX).await.unwrap());
    log.close().await;
    let log = place.open().await;
    assert_eq!(log.load(room(1)).await.unwrap(), loaded);
    assert_eq!(log.history(room(1), 0, usize::MAX).await.unwrap(), history);
    check(&*log, "append 1 51+1 @7.1.1 | ok").await;
}

/// Megabytes are archived in pieces, each of a bounded size.
pub async fn much_is_archived_in_several_segments(place: &dyn Place) {
    let log = place.open().await;
    fill(&*log, room(1), 1).await;
    for seq in 2..=40 {
        let data = Bytes::from(vec![seq as u8; 300_000]);
        let next = Append { data, ..append(room(1), seq, 1) };
        assert_eq!(log.append(next).await, Appended::Ok);
    }
    check(&*log, "snapshot 1 40 | ok").await;
    let history = log.history(room(1), 0, usize::MAX).await.unwrap();
    check(&*log, "compact 1 40 | 39").await;
    assert_eq!(log.history(room(1), 0, usize::MAX).await.unwrap(), history);
    check(&*log, "load 1 | 7.0 at 40 to 40").await;
}

/// Two at once share the work or one of them does it.
pub async fn concurrent_compactions_do_not_double(place: &dyn Place) {
    let (one, other) = (place.open().await, place.open().await);
    fill(&*one, room(1), 100).await;
    check(&*one, "snapshot 1 100 | ok").await;
    let history = one.history(room(1), 0, usize::MAX).await.unwrap();
    let (a, b) = tokio::join!(one.compact(room(1), 90), other.compact(room(1), 90));
    assert_eq!(a.unwrap() + b.unwrap(), 90);
    assert_eq!(one.history(room(1), 0, usize::MAX).await.unwrap(), history);
}

/// Each byte counts once, in the journal, in the tables, in a file of its own, and archived; another room's do not.
pub async fn what_a_room_takes_is_all_of_its_batches_and_snapshots(place: &dyn Place) {
    let log = place.open().await;
    check(&*log, "bytes 1 | 0").await;
    fill(&*log, room(1), 3).await;
    fill(&*log, room(2), 9).await;
    let batches: u64 = (1..=3).map(|seq| content(room(1), seq, 1).len() as u64).sum();
    assert_eq!(log.bytes_of(room(1)).await.unwrap(), batches);
    check(&*log, "append 1 4+0 9=a | ok").await;
    assert_eq!(log.bytes_of(room(1)).await.unwrap(), batches, "ledgers are no content");

    let large = Bytes::from(vec![7; 300_000]);
    let next = Append { data: large.clone(), ..append(room(1), 4, 1) };
    let next = Append { guard: Guard { answers: 1, ..GUARD }, ..next };
    assert_eq!(log.append(next).await, Appended::Ok);
    assert_eq!(log.bytes_of(room(1)).await.unwrap(), batches + 300_000);
    let all = log.history(room(1), 0, usize::MAX).await.unwrap();

    // The newest two snapshots are kept.
    for seq in [2, 3, 4] {
        log.put_snapshot(room(1), seq, state(room(1), seq)).await.unwrap();
    }
    let snapshots = 2 * state(room(1), 4).len() as u64;
    assert_eq!(log.bytes_of(room(1)).await.unwrap(), batches + 300_000 + snapshots);

    assert_eq!(log.compact(room(1), 3).await.unwrap(), 3);
    let archived = log.bytes_of(room(1)).await.unwrap() - 300_000 - snapshots;
    assert!(archived > 0, "the archive counts");
    assert_eq!(log.history(room(1), 0, usize::MAX).await.unwrap(), all);
    let before = log.bytes_of(room(1)).await.unwrap();
    log.close().await;
    assert_eq!(place.open().await.bytes_of(room(1)).await.unwrap(), before, "after opening anew");
}
