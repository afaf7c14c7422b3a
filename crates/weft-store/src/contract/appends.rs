//! Rules of creating, appending and loading.

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{GUARD, Place, append, fill, room, table::check, with_ledgers};
use weft_core::Guard;

use crate::{Append, Appended, INLINE_BYTES_MAX, LogError};

/// L2: the log is the batches in order, from 1, without holes.
pub async fn a_room_is_created_appended_to_and_loaded(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        load 1                | none
        create 1 2 9=a        | ok
        load 1                | 7.0 1+2 9=a to 2
        append 1 3+1 9=b 5=c  | ok
        append 1 4+3          | ok
        load 1                | 7.0 1+2 3+1 4+3 5=c 9=b to 6
        history 1 0           | 1+2 3+1 4+3
        load 2                | none
        history 2 0           | no room
        ",
    )
    .await;
}

/// A room is created once, and the refused creation leaves nothing.
pub async fn a_room_that_is_there_is_not_created_again(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        create 1 2      | ok
        create 1 3 9=a  | conflict 2
        append 1 3+1    | ok
        create 1 3      | conflict 3
        load 1          | 7.0 1+2 3+1 to 3
        ",
    )
    .await;
}

/// L2: an append begins at the head plus 1, in a room that is there.
pub async fn holes_and_repeats_are_refused(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        append 1 1+1   | conflict 0
        append 1 5+1   | conflict 0
        create 1 2     | ok
        append 1 4+1   | conflict 2
        append 1 2+1   | conflict 2
        append 1 2+2   | conflict 2
        append 1 1+2   | conflict 2
        append 1 9+0   | conflict 2
        append 1 3+1   | ok
        append 1 3+1   | conflict 3
        load 1         | 7.0 1+2 3+1 to 3
        ",
    )
    .await;
}

/// A batch and what de-duplicates it are stored together or not at all (L2).
pub async fn a_refused_append_leaves_nothing(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        create 1 1 9=a          | ok
        append 1 1+1 9=b 8=b    | conflict 1
        append 1 3+1 9=b 8=b    | conflict 1
        append 1 2+1 @6.0 9=b   | denied 7.0
        append 1 2+1 @7.1 9=b   | denied 7.0
        append 1 2+0 @6.0 9=b   | denied 7.0
        append 1 3+0 9=b        | conflict 1
        append 2 1+1 9=b        | conflict 0
        load 1                  | 7.0 1+1 9=a to 1
        load 2                  | none
        ",
    )
    .await;
}

/// Once a right is taken away, nothing decided under the old rights is stored.
pub async fn an_access_revision_that_was_raised_denies(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        raise 1             | no room
        create 1 1          | ok
        raise 1             | 1
        append 1 2+1        | denied 7.1
        append 1 2+1 @7.1   | ok
        raise 1             | 2
        raise 1             | 3
        append 1 3+1 @7.2   | denied 7.3
        load 1              | 7.3 1+1 2+1 to 2
        load 2              | none
        ",
    )
    .await;
}

/// An outcome without an entry (L3) is durable as well.
pub async fn ledgers_are_stored_without_a_batch_and_in_place_of_older_ones(place: &dyn Place) {
    let log = place.open().await;
    check(
        &*log,
        "
        create 1 1 9=a          | ok
        append 1 2+0 9=b 3=x    | ok
        append 1 2+0 3=y        | denied 7.0.1
        append 1 2+1 3=y        | denied 7.0.1
        append 1 2+0 @7.0.1 3=y | ok
        append 1 2+0 @7.0.2     | ok
        append 1 2+1 @7.0.3 3=p 3=q | ok
        load 1                  | 7.0.3 1+1 2+1 3=q 9=b to 2
        raise 1                 | 1
        load 1                  | 7.1.3 1+1 2+1 3=q 9=b to 2
        create 2 1 9=z          | ok
        load 2                  | 7.0 1+1 9=z to 1
        ",
    )
    .await;
}

/// Whoever comes first has the seq; the other learns the head and leaves no trace.
pub async fn of_two_writers_that_overlap_exactly_one_wins(place: &dyn Place) {
    let (one, other) = (place.open().await, place.open().await);
    fill(&*one, room(1), 1).await;
    let mut head = 1;
    for turn in 0..50_u64 {
        // Batches of different lengths, so that only the first seq can tell that they overlap.
        let a = with_ledgers(append(room(1), head + 1, 1), &[(1000 + turn, "a")]);
        let b = with_ledgers(append(room(1), head + 1, 2), &[(2000 + turn, "b")]);
        let (a, b) = tokio::join!(one.append(a), other.append(b));
        let winner = match (a, b) {
            (Appended::Ok, Appended::Conflict { head: now }) if now == head + 1 => 1,
            (Appended::Conflict { head: now }, Appended::Ok) if now == head + 2 => 2,
            both => panic!("at {head}: {both:?}"),
        };
        head += winner;
        let loaded = one.load(room(1)).await.unwrap().unwrap();
        assert_eq!(loaded.head, head);
        let of_turn: Vec<_> =
            loaded.ledgers.iter().filter(|(client, _)| client.0 % 1000 == turn).collect();
        assert_eq!(of_turn.len(), 1, "the loser's ledger is not stored");
        assert_eq!(of_turn[0].0.0 / 1000, winner);
    }
}

/// No handle decides on what it remembers, if another one has changed it since.
pub async fn what_another_handle_changed_counts(place: &dyn Place) {
    let (one, other) = (place.open().await, place.open().await);
    for (log, table) in [
        (&one, "create 1 1 | ok \n append 1 2+1 9=a | ok"),
        (&other, "append 1 3+1 | ok \n create 2 1 | ok"),
        (&one, "append 1 3+1 | conflict 3 \n create 2 2 | conflict 1 \n append 2 2+1 | ok"),
        (&other, "append 2 2+1 | conflict 2 \n raise 1 | 1 \n snapshot 1 3 | ok"),
        (&one, "append 1 4+1 | denied 7.1 \n compact 1 9 | 2"),
        (&other, "append 1 4+1 @7.1 9=b | ok \n load 1 | 7.1 at 3 4+1 9=b to 4"),
        (&one, "raise 1 | 2 \n append 2 3+1 | ok \n load 1 | 7.2 at 3 4+1 9=b to 4"),
        (&other, "append 1 5+1 @7.2 | ok \n history 2 0 | 1+1 2+1 3+1"),
        (&one, "history 1 0 | 1+1 2+1 3+1 4+1 5+1 \n append 1 6+0 @7.1 | denied 7.2"),
    ] {
        check(&**log, table).await;
    }
}

/// Appends of many rooms go together and do not disturb one another.
pub async fn many_rooms_at_once_all_succeed(place: &dyn Place) {
    const ROOMS: u64 = 300;
    let log = place.open().await;
    let mut tasks = JoinSet::new();
    for number in 0..ROOMS {
        let log = log.clone();
        tasks.spawn(async move {
            assert_eq!(log.create(append(room(number), 1, 1)).await, Appended::Ok);
            for seq in 2..=5 {
                let next = with_ledgers(append(room(number), seq, 1), &[(number, "a"), (7, "b")]);
                assert_eq!(log.append(next).await, Appended::Ok, "room {number}");
            }
        });
    }
    tasks.join_all().await;
    for number in 0..ROOMS {
        let loaded = log.load(room(number)).await.unwrap().unwrap();
        assert_eq!(loaded.head, 5);
        assert_eq!(loaded.batches.len(), 5);
        assert_eq!(loaded.ledgers.len(), if number == 7 { 1 } else { 2 });
    }
}

/// Appends that are sent together are decided one by one.
pub async fn one_refusal_does_not_spoil_the_others(place: &dyn Place) {
    let log = place.open().await;
    for number in 0..20 {
        fill(&*log, room(number), 1).await;
    }
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let log = log.clone();
        let mut next = with_ledgers(append(room(number), 2, 1), &[(1, "a")]);
        match number % 4 {
            0 => next.first_seq = 3,
            1 => next.guard.epoch = 6,
            _ => {}
        }
        tasks.spawn(async move {
            let wanted = match number % 4 {
                0 => Appended::Conflict { head: 1 },
                1 => Appended::Denied { guard: GUARD },
                _ => Appended::Ok,
            };
            assert_eq!(log.append(next).await, wanted, "room {number}");
            let loaded = log.load(room(number)).await.unwrap().unwrap();
            let stored = usize::from(wanted == Appended::Ok);
            assert_eq!((loaded.batches.len(), loaded.ledgers.len()), (1 + stored, stored));
        });
    }
    tasks.join_all().await;
}

/// A payload may be small, large, or as large as still goes in a row.
pub async fn large_payloads_come_back_whole(place: &dyn Place) {
    let log = place.open().await;
    let sizes = [1, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, 2_000_000];
    fill(&*log, room(1), 1).await;
    for (seq, size) in (2..).zip(sizes) {
        let data = Bytes::from_iter((0..size).map(|i| (i * 31 % 251) as u8));
        let next = Append { data: data.clone(), ..append(room(1), seq, 1) };
        assert_eq!(log.append(next).await, Appended::Ok, "{size}");
        let loaded = log.load(room(1)).await.unwrap().unwrap();
        assert_eq!(loaded.batches.last().map(|batch| &batch.data), Some(&data), "{size}");
        log.put_snapshot(room(1), seq, data.clone()).await.unwrap();
        let loaded = log.load(room(1)).await.unwrap().unwrap();
        assert_eq!(loaded.snapshot, Some((seq, data)), "{size}");
    }
}

/// After closing, an append fails for certain.
pub async fn a_closed_log_stores_nothing(place: &dyn Place) {
    let log = place.open().await;
    fill(&*log, room(1), 2).await;
    log.close().await;
    check(&*log, "append 1 3+1 | failed").await;
    log.close().await;
    check(&*place.open().await, "load 1 | 7.0 1+1 2+1 to 2").await;
}

/// Mistakes of the caller are refused before they can do harm.
pub async fn what_makes_no_sense_is_refused(place: &dyn Place) {
    let log = place.open().await;
    check(&*log, "create 1 0 | failed").await;
    fill(&*log, room(2), 1).await;
    let sound = append(room(2), 2, 1);
    let guarded =
        |epoch, access| Append { guard: Guard { epoch, access, ..GUARD }, ..sound.clone() };
    for (what, refused) in [
        ("data without entries", Append { count: 0, ..sound.clone() }),
        ("seq 0", Append { first_seq: 0, ..sound.clone() }),
        ("seq too high", Append { first_seq: u64::MAX, ..sound.clone() }),
        ("epoch too high", guarded(u64::MAX, 0)),
        ("access too high", guarded(7, u64::MAX)),
        ("client too high", with_ledgers(sound.clone(), &[(u64::MAX, "")])),
    ] {
        assert!(matches!(log.append(refused).await, Appended::Failed(_)), "{what}");
    }
    let highest = i64::MAX as u64;
    let old = Append { guard: Guard { access: highest - 1, ..GUARD }, ..append(room(4), 1, 1) };
    assert_eq!(log.create(old).await, Appended::Ok);
    assert!(matches!(log.raise_access(room(4)).await, Ok(access) if access == highest));
    assert!(matches!(log.raise_access(room(4)).await, Err(LogError::Unavailable(_))));
    assert_eq!(log.load(room(4)).await.unwrap().unwrap().guard.access, highest);
    let late = Append { first_seq: 2, ..append(room(3), 1, 1) };
    assert!(matches!(log.create(late).await, Appended::Failed(_)));
    check(
        &*log,
        "
        load 1 | none
        load 2 | 7.0 1+1 to 1
        load 3 | none
        ",
    )
    .await;
}
