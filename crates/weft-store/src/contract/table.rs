//! Tables of calls and their answers.

use bytes::Bytes;
use weft_core::{ClientId, Guard, RoomId, Seq};

use super::{GUARD, append, content, room};
use crate::{Appended, Loaded, Log, LogError, StoredBatch};

/// Makes the calls of the table in order and compares the answers.
///
/// | call | answer |
/// |---|---|
/// | `create ROOM COUNT [CLIENT=LEDGER ...]` | `ok`, `conflict HEAD`, `denied EPOCH.ACCESS`, `failed` |
/// | `append ROOM FIRST+COUNT [@EPOCH.ACCESS] [CLIENT=LEDGER ...]` | the same |
/// | `raise ROOM` | the access revision, `no room` |
/// | `snapshot ROOM SEQ` | `ok`, `not an end` |
/// | `compact ROOM SEQ` | batches moved |
/// | `bytes ROOM` | bytes |
/// | `history ROOM AFTER` | `FIRST+COUNT ...`, `no room` |
/// | `load ROOM` | `none`, or `EPOCH.ACCESS [at SEQ] FIRST+COUNT ... [CLIENT=LEDGER ...] to HEAD` |
///
/// Rooms are numbers. A batch or snapshot with a content that is not its own shows a `!`.
///
/// # Panics
/// If an answer differs.
pub async fn check(log: &dyn Log, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (call, wanted) = line.split_once('|').expect("a line is `call | answer`");
        assert_eq!(answer(log, call).await, wanted.trim(), "{call}");
    }
}

async fn answer(log: &dyn Log, call: &str) -> String {
    let words: Vec<&str> = call.split_whitespace().collect();
    let [verb, id, rest @ ..] = words.as_slice() else { panic!("no call: {call}") };
    let id = room(number(id));
    match (*verb, rest) {
        ("create", [count, ledgers @ ..]) => {
            let mut first = append(id, 1, number(count) as u32);
            first.ledgers = ledgers.iter().map(|text| ledger(text)).collect();
            appended(log.create(first).await)
        }
        ("append", [batch, rest @ ..]) => {
            let (first_seq, count) = batch.split_once('+').expect("a batch is FIRST+COUNT");
            let mut next = append(id, number(first_seq), number(count) as u32);
            for word in rest {
                match word.strip_prefix('@') {
                    Some(text) => next.guard = guard(text),
                    None => next.ledgers.push(ledger(word)),
                }
            }
            appended(log.append(next).await)
        }
        ("raise", []) => said(log.raise_access(id).await, |access| access.to_string()),
        ("snapshot", [seq]) => {
            let seq = number(seq);
            said(log.put_snapshot(id, seq, state(id, seq)).await, |()| "ok".into())
        }
        ("compact", [seq]) => said(log.compact(id, number(seq)).await, |n| n.to_string()),
        ("bytes", []) => said(log.bytes_of(id).await, |bytes| bytes.to_string()),
        ("history", [after]) => {
            let history = log.history(id, number(after), usize::MAX).await;
            said(history, |batches| shown(id, &batches))
        }
        ("load", []) => said(log.load(id).await, |loaded| match loaded {
            None => "none".into(),
            Some(loaded) => shown_whole(id, &loaded),
        }),
        _ => panic!("no call: {call}"),
    }
}

/// What a snapshot holds in these tests.
#[must_use]
pub fn state(room: RoomId, seq: Seq) -> Bytes {
    format!("{room} at {seq}").into()
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn guard(text: &str) -> Guard {
    let mut numbers = text.split('.').map(number).chain([0, 0]);
    let mut next = || numbers.next().expect("a guard is EPOCH.ACCESS or EPOCH.ACCESS.ANSWERS");
    Guard { epoch: next(), access: next(), answers: next() }
}

fn ledger(text: &str) -> (ClientId, Bytes) {
    let (client, data) = text.split_once('=').expect("a ledger is CLIENT=LEDGER");
    (ClientId(number(client)), data.to_owned().into())
}

fn appended(appended: Appended) -> String {
    match appended {
        Appended::Ok => "ok".into(),
        Appended::Conflict { head } => format!("conflict {head}"),
        Appended::Denied { guard } => format!("denied {}", shown_guard(guard)),
        Appended::Failed(_) => "failed".into(),
        Appended::Unknown(reason) => format!("unknown: {reason}"),
    }
}

fn shown_guard(Guard { epoch, access, answers }: Guard) -> String {
    if answers == 0 { format!("{epoch}.{access}") } else { format!("{epoch}.{access}.{answers}") }
}

fn said<T>(result: Result<T, LogError>, show: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => show(value),
        Err(LogError::NoRoom(_)) => "no room".into(),
        Err(LogError::NotAnEnd { .. }) => "not an end".into(),
        Err(error) => format!("{error:?}"),
    }
}

fn shown_whole(room: RoomId, loaded: &Loaded) -> String {
    let mut words = Vec::new();
    words.push(shown_guard(loaded.guard));
    if let Some((seq, bytes)) = &loaded.snapshot {
        words.push(format!("at {seq}{}", if *bytes == state(room, *seq) { "" } else { "!" }));
    }
    if !loaded.batches.is_empty() {
        words.push(shown(room, &loaded.batches));
    }
    for (client, data) in &loaded.ledgers {
        words.push(format!("{}={}", client.0, String::from_utf8_lossy(data)));
    }
    words.push(format!("to {}", loaded.head));
    assert_eq!(loaded.guard.epoch, GUARD.epoch, "nothing raises the epoch here");
    words.join(" ")
}

fn shown(room: RoomId, batches: &[StoredBatch]) -> String {
    let word = |batch: &StoredBatch| {
        let own = batch.data == content(room, batch.first_seq, batch.count);
        format!("{}+{}{}", batch.first_seq, batch.count, if own { "" } else { "!" })
    };
    batches.iter().map(word).collect::<Vec<_>>().join(" ")
}
