//! A client at work, as the lines of what it does.

use super::*;
use crate::Body;

const ME: ClientId = ClientId(7);

fn entry(seq: Seq, client: u64, client_seq: u64) -> Arc<Entry> {
    let body = Body::Effect(Bytes::new());
    Arc::new(Entry { seq, client: ClientId(client), client_seq, person: None, at: 0, body })
}

fn drain(follower: &mut Follower) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(output) = follower.poll_output() {
        out.push(match output {
            Output::Submit(n, _) => format!("submit {n}"),
            Output::Pull(after) => format!("pull {after}"),
            Output::Apply(entry) => format!("apply {}", entry.seq),
            Output::Reset(seq, _) => format!("reset {seq}"),
            Output::Settled(n, Ok(seq)) => format!("saved {n} at {seq}"),
            Output::Settled(n, Err(fault)) => format!("refused {n}: {fault}"),
            Output::Orphaned(ops) => format!("orphaned {}", ops.len()),
        });
    }
    out
}

fn attached(pending: u64) -> Follower {
    let mut follower = Follower::new(ME);
    for _ in 0..pending {
        follower.make(Bytes::new());
    }
    follower.attached(0, 1, 1, Some((1, Bytes::new())), vec![]);
    follower
}

#[test]
fn r2_a_gap_is_pulled_after_50_ms() {
    let mut follower = attached(0);
    follower.events(100, vec![entry(3, 1, 1)]);
    assert_eq!(drain(&mut follower), ["reset 1"]);
    follower.wake(149);
    assert_eq!(drain(&mut follower), [""; 0]);
    follower.wake(150);
    assert_eq!(drain(&mut follower), ["pull 1"]);
    follower.events(160, vec![entry(2, 1, 1), entry(3, 1, 2), entry(2, 1, 1)]);
    assert_eq!(drain(&mut follower), ["apply 2", "apply 3"]);
    assert_eq!(follower.next_wake(), None);
}

#[test]
fn r3_a_resync_is_pulled_even_if_no_entry_was_dropped() {
    let mut follower = attached(0);
    drain(&mut follower);
    // Cursors were dropped, or "the store takes changes": the server tells no more until it is asked.
    follower.resync();
    assert_eq!(drain(&mut follower), ["pull 1"]);
}

#[test]
fn r4_an_own_entry_is_an_answer_and_a_second_one_is_none() {
    let mut follower = attached(1);
    follower.events(1, vec![entry(2, 7, 1)]);
    follower.outcome(1, 1, Outcome::Accepted(2));
    assert_eq!(drain(&mut follower), ["reset 1", "submit 1", "saved 1 at 2", "apply 2"]);
}

#[test]
fn r5_all_unanswered_are_sent_again_in_order_within_the_window() {
    let mut follower = attached(66);
    let sent = drain(&mut follower);
    assert_eq!((sent.len(), sent[1].as_str(), sent[64].as_str()), (65, "submit 1", "submit 64"));
    follower.outcome(1, 1, Outcome::Accepted(2));
    assert_eq!(drain(&mut follower), ["saved 1 at 2", "submit 65"]);
    follower.disconnected();
    follower.attached(2, 1, 1, None, vec![]);
    let again = drain(&mut follower);
    assert_eq!((again.len(), again[0].as_str(), again[63].as_str()), (64, "submit 2", "submit 65"));
}

#[test]
fn r6_not_saved_is_sent_again_with_all_that_follows() {
    let mut follower = attached(2);
    drain(&mut follower);
    let fault = Fault::new("store_failed").with("retry_ms", 300);
    follower.outcome(1_000, 1, Outcome::NotSaved(fault));
    follower.make(Bytes::new());
    follower.wake(1_299);
    assert_eq!(drain(&mut follower), [""; 0]);
    follower.wake(1_300);
    assert_eq!(drain(&mut follower), ["submit 1", "submit 2", "submit 3"]);
    follower.outcome(1_400, 1, Outcome::NotSaved(Fault::new("busy")));
    follower.storing(true);
    assert_eq!(drain(&mut follower), ["submit 1", "submit 2", "submit 3"]);
}

#[test]
fn r7_what_is_missing_is_sent_again() {
    let mut follower = attached(3);
    drain(&mut follower);
    follower.outcome(1, 3, Outcome::Missing(2));
    assert_eq!(drain(&mut follower), ["submit 2", "submit 3"]);
}

#[test]
fn l8_unsent_work_is_not_merged_into_other_content() {
    let mut follower = attached(1);
    drain(&mut follower);
    follower.disconnected();
    follower.attached(1, 1, 2, Some((1, Bytes::new())), vec![]);
    assert_eq!(drain(&mut follower), ["orphaned 1", "reset 1"]);
}
