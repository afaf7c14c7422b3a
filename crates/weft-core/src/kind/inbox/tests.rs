//! Inboxes as tables of what is told and seen, and against a slow one.

use super::*;
use proptest::prelude::*;

const MINUTE_MS: Millis = 60_000;

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn object(n: u8) -> Object {
    Object { kind: ObjectKind::Room, id: [n; 16], title: format!("room {n}") }
}

fn told(what: &str, actor: u8, about: u8) -> Told {
    let actor = Some((person(actor), format!("person {actor}")));
    Told { what: what.to_owned(), actor, object: object(about), params: BTreeMap::new() }
}

fn server(at: Millis, seq: u64) -> Author {
    Author { person: None, right: Right::Manage, at, seq }
}

fn owner(at: Millis, seq: u64) -> Author {
    Author { person: Some(person(9)), right: Right::Edit, at, seq }
}

/// Runs a script, one operation a line with what is to be seen after it: `minute who op args | expected`.
/// `who` is the server or the person whose inbox it is; deliveries are numbered by line.
fn check(script: &str) {
    let mut inbox = Inbox::default();
    let mut seq = 0;
    for (line, number) in script.lines().map(str::trim).filter(|line| !line.is_empty()).zip(1..) {
        let (asked, expected) = line.split_once('|').expect("an operation and what is seen");
        let words: Vec<&str> = asked.split_whitespace().collect();
        let at = words[0].parse::<u64>().expect("a minute") * MINUTE_MS;
        let ids = || words[3..].iter().map(|id| id.parse().expect("an id")).collect();
        let byte = |at: usize| words[at].parse::<u8>().expect("a number");
        let delivery = words
            .iter()
            .find_map(|word| word.strip_prefix('#'))
            .map_or(number, |number| number.parse().expect("a number"));
        let op = match words[2] {
            "mark-read" => Op::MarkRead(ids()),
            "mark-unread" => Op::MarkUnread(ids()),
            "read-up-to" => Op::ReadUpTo(words[3].parse().expect("an id")),
            "remove" => Op::Remove(ids()),
            "settle" => {
                let (what, outcome) = (words[3].to_owned(), words[6].to_owned());
                let actor = Some(byte(4)).filter(|actor| *actor != 0).map(person);
                Op::Settle(delivery, Settled { what, actor, object: object(byte(5)), outcome })
            }
            what => Op::Add(delivery, told(what, byte(3), byte(4))),
        };
        let author = if words[1] == "server" { server(at, seq + 1) } else { owner(at, seq + 1) };
        let before = inbox.clone();
        let seen = match inbox.decide(&op, &author) {
            Ok(effect) => {
                seq += 1;
                inbox.apply(&effect);
                show(&inbox)
            }
            Err(fault) => {
                assert_eq!(inbox, before, "a refused operation changes nothing");
                fault.to_string()
            }
        };
        assert_eq!(seen, expected.trim(), "after {asked}");
    }
}

fn show(inbox: &Inbox) -> String {
    let one = |(id, notice): (NoticeId, &Notice)| {
        let Notice { told, at, count, read, outcome } = notice;
        let mark = if *read { "" } else { "*" };
        let outcome = if outcome.is_empty() { String::new() } else { format!(" {outcome}") };
        let by = told.actor.as_ref().map_or(0, |(person, _)| person.as_bytes()[0]);
        let minute = at / MINUTE_MS;
        format!("{id}{mark} {} {by} {} x{count} @{minute}{outcome}", told.what, told.object.id[0])
    };
    inbox.notices().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_server_tells_and_the_person_reads() {
    check(
        "
        0 server mention 1 1   | 1* mention 1 1 x1 @0
        0 server grant 2 1     | 1* mention 1 1 x1 @0, 2* grant 2 1 x1 @0
        1 owner mark-read 1 7  | 1 mention 1 1 x1 @0, 2* grant 2 1 x1 @0
        1 owner mark-unread 1  | 1* mention 1 1 x1 @0, 2* grant 2 1 x1 @0
        1 owner read-up-to 1   | 1 mention 1 1 x1 @0, 2* grant 2 1 x1 @0
        1 owner read-up-to 99  | 1 mention 1 1 x1 @0, 2 grant 2 1 x1 @0
        2 owner remove 1 1 3   | 2 grant 2 1 x1 @0
        ",
    );
}

#[test]
fn nobody_else_tells_anything() {
    check(
        "
        0 owner mention 1 1                | inbox.server_only
        0 owner settle mention 1 1 allowed | inbox.server_only
        ",
    );
    let reader = Author { right: Right::Read, ..owner(0, 1) };
    let fault = Inbox::default().decide(&Op::MarkRead(vec![1]), &reader).unwrap_err();
    assert_eq!(fault.code, "no_right");
}

#[test]
fn a_repeated_delivery_is_one_notice() {
    check(
        "
        0 server mention 1 1 #5            | 1* mention 1 1 x1 @0
        0 server mention 1 1 #5            | inbox.repeated
        0 server settle mention 1 1 ok #5  | inbox.repeated
        0 server mention 1 1 #6            | 2* mention 1 1 x2 @0
        ",
    );
}

#[test]
fn what_is_older_than_all_known_deliveries_is_a_repeat() {
    let mut inbox = Inbox::default();
    let mut add = |delivery| {
        let added = inbox.decide(&Op::Add(delivery, told("mention", 1, 1)), &server(0, delivery));
        added.map(|effect| inbox.apply(&effect)).map_err(|fault| fault.code)
    };
    let repeated = Err(Inbox::REPEATED.into());
    let most = DELIVERED_MAX as u64;
    for delivery in 10..9 + most {
        assert_eq!(add(delivery), Ok(()));
    }
    // Somebody was late with this one.
    assert_eq!(add(5), Ok(()));
    assert_eq!(add(4), repeated);
    for delivery in 100..103 {
        assert_eq!(add(delivery), Ok(()));
    }
    // Not among the last that came, nor those with the highest numbers.
    for delivery in [4, 5, 9, 10, 11] {
        assert_eq!(add(delivery), repeated);
    }
    assert_eq!(inbox.delivered().len(), DELIVERED_MAX);
}

#[test]
fn the_same_again_folds_into_one_that_is_new() {
    check(
        "
        0 server mention 1 1   | 1* mention 1 1 x1 @0
        9 server mention 1 1   | 2* mention 1 1 x2 @9
        9 owner mark-read 1    | 2* mention 1 1 x2 @9
        9 owner mark-read 2    | 2 mention 1 1 x2 @9
        19 server mention 1 1  | 5* mention 1 1 x3 @19
        19 server mention 2 1  | 5* mention 1 1 x3 @19, 6* mention 2 1 x1 @19
        19 server mention 1 2  | 5* mention 1 1 x3 @19, 6* mention 2 1 x1 @19, 7* mention 1 2 x1 @19
        19 owner remove 6 7    | 5* mention 1 1 x3 @19
        30 server mention 1 1  | 5* mention 1 1 x3 @19, 9* mention 1 1 x1 @30
        ",
    );
}

#[test]
fn what_has_its_answer_is_read_and_is_not_folded_into() {
    check(
        "
        0 server asked 1 1               | 1* asked 1 1 x1 @0
        0 server asked 2 1               | 1* asked 1 1 x1 @0, 2* asked 2 1 x1 @0
        0 server settle asked 1 1 yes    | 1 asked 1 1 x1 @0 yes, 2* asked 2 1 x1 @0
        1 server asked 1 1               | 1 asked 1 1 x1 @0 yes, 2* asked 2 1 x1 @0, 4* asked 1 1 x1 @1
        1 server settle asked 0 1 no     | 1 asked 1 1 x1 @0 yes, 2 asked 2 1 x1 @0 no, 4 asked 1 1 x1 @1 no
        1 server settle asked 0 1 yes    | 1 asked 1 1 x1 @0 yes, 2 asked 2 1 x1 @0 no, 4 asked 1 1 x1 @1 no
        ",
    );
}

#[test]
fn the_oldest_read_ones_go_first_and_then_the_oldest() {
    let mut inbox = Inbox::default();
    let mut seq = 0;
    let mut add = |inbox: &mut Inbox| {
        seq += 1;
        // Far enough apart not to fold.
        let author = server(seq * 20 * MINUTE_MS, seq);
        let effect = inbox.decide(&Op::Add(seq, told("mention", 1, 1)), &author).unwrap();
        inbox.apply(&effect);
    };
    for _ in 0..NOTICES_MAX {
        add(&mut inbox);
    }
    let read = inbox.decide(&Op::MarkRead(vec![3, 500]), &owner(0, 0)).unwrap();
    inbox.apply(&read);
    add(&mut inbox);
    let ids = |inbox: &Inbox| inbox.notices().map(|(id, _)| id).collect::<Vec<_>>();
    assert!(!ids(&inbox).contains(&3) && ids(&inbox).contains(&1));
    add(&mut inbox);
    assert!(!ids(&inbox).contains(&500) && ids(&inbox).contains(&1));
    add(&mut inbox);
    assert!(!ids(&inbox).contains(&1) && ids(&inbox).len() == NOTICES_MAX);
    assert_eq!(inbox.delivered().len(), DELIVERED_MAX);
    let fault = inbox.decide(&Op::Remove(vec![1; IDS_MAX + 1]), &owner(0, 0)).unwrap_err();
    assert_eq!(fault.to_string(), "inbox.too_many limit=1000");
}

/// The slow and obvious inbox: a list of everything that was told and done, gone through anew each time.
#[derive(Default)]
struct Slow(Vec<(Op, Millis, u64)>);

impl Slow {
    /// Each notice as its id, code, actor, object, count and whether it is read.
    fn notices(&self) -> Vec<(u64, String, u8, u8, u32, bool)> {
        let mut rows: Vec<(u64, String, u8, u8, u32, bool)> = Vec::new();
        let mut times: BTreeMap<u64, Millis> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (op, at, seq) in &self.0 {
            match op {
                Op::Add(delivery, told) => {
                    assert!(seen.insert(*delivery), "accepted twice");
                    let (actor, about) =
                        (told.actor.as_ref().unwrap().0.as_bytes()[0], told.object.id[0]);
                    let same = |row: &&(u64, String, u8, u8, u32, bool)| {
                        (row.1.as_str(), row.2, row.3) == (told.what.as_str(), actor, about)
                            && at - times[&row.0] <= FOLD_MS
                    };
                    let last = rows.iter().filter(same).max_by_key(|row| row.0).cloned();
                    rows.retain(|row| last.as_ref().is_none_or(|last| row.0 != last.0));
                    let count = last.map_or(1, |row| row.4 + 1);
                    rows.push((*seq, told.what.clone(), actor, about, count, false));
                    times.insert(*seq, *at);
                }
                Op::MarkRead(ids) | Op::MarkUnread(ids) => {
                    let read = matches!(op, Op::MarkRead(_));
                    rows.iter_mut().filter(|row| ids.contains(&row.0)).for_each(|r| r.5 = read);
                }
                Op::ReadUpTo(last) => {
                    rows.iter_mut().filter(|row| row.0 <= *last).for_each(|row| row.5 = true);
                }
                Op::Remove(ids) => rows.retain(|row| !ids.contains(&row.0)),
                Op::Settle(..) => unreachable!("not among them"),
            }
        }
        rows
    }
}

fn any_op() -> impl Strategy<Value = Op> {
    let ids = || proptest::collection::vec(0..30_u64, 0..4);
    prop_oneof![
        6 => (0..40_u64, 0..2_u8, 1..3_u8, 1..3_u8).prop_map(|(delivery, what, actor, about)| {
            Op::Add(delivery, told(["mention", "grant"][usize::from(what)], actor, about))
        }),
        1 => ids().prop_map(Op::MarkRead),
        1 => ids().prop_map(Op::MarkUnread),
        1 => (0..30_u64).prop_map(Op::ReadUpTo),
        1 => ids().prop_map(Op::Remove),
    ]
}

proptest! {
    #[test]
    fn an_inbox_is_what_a_slow_one_is(
        ops in proptest::collection::vec((any_op(), 0..8_u64), 1..60),
    ) {
        let (mut inbox, mut replica, mut slow) = (Inbox::default(), Inbox::default(), Slow::default());
        let (mut seq, mut at) = (0, 0);
        for (op, minutes) in ops {
            at += minutes * MINUTE_MS;
            let author = if matches!(op, Op::Add(..)) { server(at, seq + 1) } else { owner(at, seq + 1) };
            if let Ok(effect) = inbox.decide(&op, &author) {
                seq += 1;
                inbox.apply(&effect);
                replica.apply(&effect);
                slow.0.push((op, at, seq));
            }
            let seen: Vec<_> = inbox
                .notices()
                .map(|(id, n)| {
                    let actor = n.told.actor.as_ref().unwrap().0.as_bytes()[0];
                    (id, n.told.what.clone(), actor, n.told.object.id[0], n.count, n.read)
                })
                .collect();
            prop_assert_eq!(seen, slow.notices());
            prop_assert_eq!(&inbox, &replica);
            let notices = inbox.notices().map(|(id, n)| (id, n.clone())).collect();
            prop_assert_eq!(&Inbox::restore(notices, inbox.delivered().to_vec()), &inbox);
        }
    }
}
