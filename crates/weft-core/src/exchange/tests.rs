//! Exchanges as tables: what is heard, and what comes of it.

use super::*;
use crate::{Seq, room::Attached};

const COUNTS: Habits = Habits { counts: true, ends_with_readers_change: false };
const SWEET: Habits = Habits { counts: false, ends_with_readers_change: false };
const SOCKET: Habits = Habits { counts: false, ends_with_readers_change: true };

/// Yjs client 7 types one letter at this clock; nothing but a deletion unless there is a clock.
fn update(clock: Option<u8>) -> Bytes {
    let bytes = match clock {
        None => vec![0, 1, 7, 1, 0, 1],
        Some(0) => vec![1, 1, 7, 0, 4, 1, 1, b't', 1, b'a', 0],
        Some(clock) => vec![1, 1, 7, clock, 0x84, 7, clock - 1, 1, b'a', 0],
    };
    bytes.into()
}

fn right(name: &str) -> Right {
    if name == "edit" { Right::Edit } else { Right::Read }
}

fn attached(right: Right) -> FromRoom {
    FromRoom::Attached(Box::new(Attached {
        epoch: 1,
        lineage: 1,
        head: 1,
        right,
        state: None,
        entries: Vec::new(),
        state_vector: Some(Bytes::from_static(&[0])),
        peers: Vec::new(),
        color: 0,
    }))
}

/// What is heard, in words: by whom, what, and the ticket, clock, right or code that goes with it.
fn hear(exchange: &mut Exchange, heard: &str) {
    let words: Vec<&str> = heard.split_whitespace().collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    let clock = number(1).map(|clock| clock as u8);
    let ticket = number(1).unwrap_or_default();
    let merged = |outcome| FromRoom::Merged(ticket, outcome);
    match words[0] {
        // The client has so much of what client 7 typed.
        "step1" => {
            let has = clock.map_or(vec![0], |clock| vec![1, 7, clock]);
            exchange.hear_client(FromClient::Step1(has.into()));
        }
        "step2" => exchange.hear_client(FromClient::Step2(Bytes::from_static(&[0, 0]))),
        "update" => exchange.hear_client(FromClient::Update(update(clock))),
        "echo" => exchange.hear_client(FromClient::Echo(words[1].to_owned().into())),
        "attached" => exchange.hear_room(attached(right(words[1]))),
        "accepted" => exchange.hear_room(merged(Outcome::Accepted(ticket as Seq))),
        "no_right" => exchange.hear_room(merged(Outcome::Refused(Fault::new("no_right")))),
        "lacks" => {
            let fault = Fault::new("missing_predecessors");
            exchange.hear_room(merged(Outcome::Refused(fault)));
        }
        "not_saved" => exchange.hear_room(merged(Outcome::NotSaved(Fault::new("busy")))),
        "full" => exchange.hear_room(merged(Outcome::NotSaved(Fault::new("quota_exceeded")))),
        "storing" => exchange.hear_room(FromRoom::Storing(true)),
        "missing" => exchange.hear_room(FromRoom::Missing(ticket, Ok(Bytes::new()))),
        "right" => exchange.hear_room(FromRoom::Right(right(words[1]))),
        "later" => exchange.forget_what_it_had(),
        other => panic!("{other}"),
    }
}

fn outputs(exchange: &mut Exchange) -> String {
    let mut out = Vec::new();
    while let Some(output) = exchange.poll_output() {
        out.push(match output {
            Output::Ask(ToRoom::Merge(ticket, Ok(_))) => format!("merge {ticket}"),
            Output::Ask(ToRoom::Merge(_, Err(fault))) => fault.code.into_owned(),
            Output::Ask(ToRoom::Missing(ticket, _)) => format!("question {ticket}"),
            Output::Ask(ToRoom::TellState) => "ask".to_owned(),
            Output::Tell(ToClient::Right(right)) => right.name().to_owned(),
            Output::Tell(ToClient::Step1(_)) => "step1".to_owned(),
            Output::Tell(ToClient::Step2(_)) => "step2".to_owned(),
            Output::Tell(ToClient::Status(true)) => "saved".to_owned(),
            Output::Tell(ToClient::Status(false)) => "refused".to_owned(),
            Output::Tell(ToClient::Echo(wanted)) => String::from_utf8(wanted.into()).unwrap(),
            Output::End(End::Fault(fault)) => format!("end {}", fault.code),
            Output::End(other) => format!("end {other:?}"),
            other => panic!("{other:?}"),
        });
    }
    out.join(" ")
}

fn check(habits: Habits, table: &str) {
    let mut exchange = Exchange::new(habits, 100);
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (heard, expected) = line.split_once('|').unwrap();
        hear(&mut exchange, heard);
        assert_eq!(outputs(&mut exchange), expected.trim(), "{line}");
    }
}

#[test]
fn l1_a_signal_waits_for_the_answer_to_step_1_and_for_all_before_it() {
    check(
        SWEET,
        "
        echo a        |
        attached edit | edit step1
        step1         | question 1
        missing 1     | step2
        update 0      | merge 2
        accepted 2    |
        step2         | merge 3
        echo b        |
        accepted 3    | a b
        echo c        | c
        update 1      | merge 4
        echo d        |
        update 2      | merge 5
        accepted 5    |
        accepted 4    | d
        ",
    );
}

#[test]
fn l1_one_that_counts_has_one_signal_for_each_thing_that_it_counts() {
    check(
        COUNTS,
        "
        attached edit | edit step1
        step1 2       | question 1
        missing 1     | step2
        update 0      | merge 2
        update 1      | merge 3
        update -      | merge 4
        accepted 2    |
        accepted 3    |
        accepted 4    |
        step2         | merge 5
        update 2      | merge 6
        accepted 5    | saved
        accepted 6    | saved
        step2         | merge 7
        accepted 7    | saved
        ",
    );
}

#[test]
fn a_step_1_begins_to_count_anew() {
    check(
        COUNTS,
        "
        attached edit | edit step1
        step1         | question 1
        step2         | merge 2
        update 0      | merge 3
        accepted 2    |
        step1 1       | ask question 4
        missing 1     | step2
        accepted 3    |
        missing 4     | step2
        step2         | merge 5
        accepted 5    | saved
        ",
    );
}

#[test]
fn what_was_kept_is_old_until_it_is_clear_that_all_is_counted() {
    let begin = "
        attached edit | edit step1
        step1 2       | question 1
        missing 1     | step2
        step2         | merge 2
        accepted 2    | saved
        ";
    check(COUNTS, &format!("{begin} update 1 | merge 3 \n accepted 3 |"));
    check(COUNTS, &format!("{begin} later | \n update 1 | merge 3 \n accepted 3 | saved"));
    let live = "update 2 | merge 3 \n accepted 3 | saved";
    check(COUNTS, &format!("{begin} {live} \n update 1 | merge 4 \n accepted 4 | saved"));
}

#[test]
fn l9_what_an_update_lacks_is_asked_for_once() {
    check(
        SOCKET,
        "
        attached edit | edit step1
        step2         | merge 1
        accepted 1    |
        update 1      | merge 2
        echo a        |
        lacks 2       | ask
        step2         | merge 3
        lacks 3       | end missing_predecessors
        ",
    );
    check(
        COUNTS,
        "
        attached edit | edit step1
        step2         | merge 1
        accepted 1    | saved
        update 1      | merge 2
        lacks 2       | ask
        step2         | merge 3
        accepted 3    | saved
        ",
    );
}

/// Words that build on one that was lost are all lost with it, and one answer brings them all.
#[test]
fn l9_further_updates_that_lack_the_same_are_no_reason_to_go() {
    check(
        COUNTS,
        "
        attached edit | edit step1
        step2         | merge 1
        accepted 1    | saved
        update 1      | merge 2
        update 2      | merge 3
        lacks 2       | ask
        update 3      | merge 4
        lacks 3       |
        step2         | merge 5
        lacks 4       | ask
        accepted 5    |
        step2         | merge 6
        accepted 6    | saved saved saved
        ",
    );
    // Before the first answer: that one brings them.
    check(
        SOCKET,
        "
        update 1      | merge 1
        update 2      | merge 2
        echo a        |
        attached edit | edit step1
        lacks 1       |
        lacks 2       |
        step2         | merge 3
        accepted 3    | a
        ",
    );
}

/// Two answers that were our wish bring the same, and the client counts neither: a signal too many would
/// be taken for that of a later edit.
#[test]
fn l1_an_answer_that_was_our_wish_has_no_signal() {
    check(
        COUNTS,
        "
        attached read | read step1
        step2         | merge 1
        accepted 1    | saved
        update 0      | merge 2
        no_right 2    | refused
        right edit    | edit ask
        right read    | read
        update 1      | merge 3
        no_right 3    | refused
        right edit    | edit ask
        step2         | merge 4
        step2         | merge 5
        accepted 4    |
        accepted 5    | saved saved
        ",
    );
}

#[test]
fn l1_what_was_refused_is_not_called_saved_and_comes_with_the_right() {
    check(
        COUNTS,
        "
        attached read | read step1
        step2         | merge 1
        no_right 1    | refused
        update 1      | merge 2
        lacks 2       | refused
        right edit    | edit ask
        step2         | merge 3
        accepted 3    | saved saved
        ",
    );
    check(
        SWEET,
        "
        attached read | read step1
        step2         | merge 1
        accepted 1    |
        update 0      | merge 2
        echo a        |
        no_right 2    |
        echo b        |
        right edit    | edit ask
        step2         | merge 3
        accepted 3    | a b
        ",
    );
    check(SOCKET, "attached read | read step1 \n step2 | merge 1 \n no_right 1 | end no_right");
}

/// It was decided before the right was given, and the answer was on its way.
#[test]
fn a_refusal_that_comes_after_the_right_is_asked_for_at_once() {
    for habits in [COUNTS, SWEET] {
        let refused = if habits.counts { "refused ask" } else { "ask" };
        check(
            habits,
            &format!(
                "attached read | read step1 \n right edit | edit \n step2 | merge 1 \n no_right 1 | {refused}"
            ),
        );
    }
}

#[test]
fn what_is_too_much_or_cannot_be_stored_ends_it() {
    check(SWEET, "attached edit | edit step1 \n step2 | merge 1 \n not_saved 1 | end busy");
    let mut exchange = Exchange::new(SWEET, 3);
    exchange.hear_client(FromClient::Update(update(Some(1))));
    assert_eq!(outputs(&mut exchange), "op_too_large");
    exchange.hear_client(FromClient::Echo(vec![0; ECHO_BYTES_MAX + 1].into()));
    assert_eq!(outputs(&mut exchange), "end EchoTooLarge");
    for _ in 0..PROMISES_MAX {
        exchange.hear_client(FromClient::Echo(Bytes::new()));
    }
    assert_eq!(outputs(&mut exchange), "");
    exchange.hear_client(FromClient::Echo(Bytes::new()));
    assert_eq!(outputs(&mut exchange), "end TooManySignals");
}

#[test]
fn one_that_asks_much_is_not_heard_and_one_that_waits_hears_something_soon() {
    let mut exchange = Exchange::new(SWEET, 100);
    assert_eq!(exchange.quiet_ms_max(), 20_000);
    for _ in 0..QUESTIONS_MAX {
        assert!(exchange.can_hear());
        exchange.hear_client(FromClient::Step1(Bytes::new()));
    }
    assert!(!exchange.can_hear());
    exchange.hear_room(FromRoom::Missing(1, Ok(Bytes::new())));
    assert!(exchange.can_hear());
    exchange.hear_client(FromClient::Echo(Bytes::new()));
    assert_eq!(exchange.quiet_ms_max(), 2_000);
}

#[test]
fn what_a_full_space_does_not_take_is_asked_for_once_there_is_room() {
    check(
        COUNTS,
        "
        attached edit | edit step1
        step1         | question 1
        missing 1     | step2
        step2         | merge 2
        accepted 2    | saved
        update 0      | merge 3
        update 1      | merge 4
        full 3        | refused
        full 4        | refused
        storing       | ask
        step2         | merge 5
        accepted 5    | saved saved
        storing       |
        ",
    );
    check(
        SWEET,
        "
        attached edit | edit step1
        step2         | merge 1
        accepted 1    |
        update 0      | merge 2
        echo a        |
        full 2        |
        echo b        |
        storing       | ask
        step2         | merge 3
        accepted 3    | a b
        ",
    );
    // There is no word for it: the client comes back, and finds out then.
    check(
        SOCKET,
        "
        attached edit | edit step1
        step2         | merge 1
        full 1        | end quota_exceeded
        ",
    );
}

#[test]
fn who_may_only_read_is_not_asked_again_when_there_is_room() {
    check(
        COUNTS,
        "
        attached read | read step1
        step2         | merge 1
        no_right 1    | refused
        storing       |
        ",
    );
}
