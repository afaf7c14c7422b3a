//! A room with a small machine and a log in memory: what is said, and when.

use super::*;
use crate::{
    Body, Ledger,
    ledger::Verdict,
    machine::{Author, Damaged, Digest, Upset},
};

/// A machine that appends words; `!` is refused, `=` changes nothing, `#` panics half way.
#[derive(Default)]
struct Words(String);

impl Machine for Words {
    fn execute(&mut self, op: &Bytes, _by: &Author) -> Result<Option<Bytes>, Upset> {
        match &op[..] {
            b"!" => Err(Upset::Refused(Fault::new("bad_word"))),
            b"=" => Ok(None),
            b"#" => {
                self.0.push_str("half");
                panic!("a planted fault");
            }
            word => {
                self.0.push_str(&String::from_utf8_lossy(word));
                Ok(Some(op.clone()))
            }
        }
    }

    fn apply(&mut self, effect: &Bytes) -> Result<(), Damaged> {
        self.0.push_str(&String::from_utf8_lossy(effect));
        Ok(())
    }

    fn snapshot(&self) -> Bytes {
        self.0.clone().into()
    }

    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        digest[0] = self.0.len() as u8;
        digest
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

const A: SessionId = SessionId(1);
const B: SessionId = SessionId(2);
const CA: ClientId = ClientId(101);
const CB: ClientId = ClientId(102);

fn person(session: SessionId) -> PersonId {
    PersonId::from_bytes([session.0 as u8; 16])
}

/// A room with its log: what is committed here is what a reload finds.
struct Bench {
    room: Room,
    entries: Vec<Arc<Entry>>,
    ledgers: BTreeMap<ClientId, Ledger>,
    commits: VecDeque<Commit>,
    reload: bool,
    said: Vec<String>,
    now: Millis,
}

impl Bench {
    fn new() -> Self {
        Self::with(RoomLimits::default())
    }

    fn with(limits: RoomLimits) -> Self {
        let body = Body::Created { kind: "words".into(), epoch: 1, lineage: 1 };
        let (client, client_seq, person, at) = (ClientId::NONE, 0, None, 0);
        let created = Arc::new(Entry { seq: 1, client, client_seq, person, at, body });
        let entries = vec![created];
        let ledgers = BTreeMap::new();
        let room = Room::new(RoomId::from_bytes([9; 16]), load(&entries, &ledgers), limits);
        let (commits, said) = (VecDeque::new(), Vec::new());
        Self { room, entries, ledgers, commits, reload: false, said, now: 1_000 }
    }

    fn attach(&mut self, session: SessionId) {
        self.attach_since(session, Since::default());
    }

    fn attach_since(&mut self, session: SessionId, since: Since) {
        let (person, right) = (person(session), Right::Edit);
        let name = format!("P{}", session.0);
        self.room
            .ask(self.now, Ask::Attach { session, person, name, right, start: Start::Log(since) });
        self.drain();
    }

    fn submit(&mut self, session: SessionId, client: ClientId, n: u64, word: &'static str) {
        self.room.submit(self.now, session, client, n, Ok(Bytes::from_static(word.as_bytes())));
        self.drain();
    }

    fn pass(&mut self, ms: Millis) {
        self.now += ms;
        self.room.wake(self.now);
        self.drain();
    }

    /// The log answers the commit that waits; when it stores it, a reload will find it.
    fn answer(&mut self, how: Committed, stored: bool) {
        let commit = self.commits.pop_front().expect("a commit is under way");
        if stored {
            assert_eq!(commit.first_seq, self.entries.len() as u64 + 1, "no holes (L2)");
            self.entries.extend(commit.entries);
            self.ledgers.extend(commit.ledgers);
        }
        self.room.committed(self.now, how);
        self.drain();
    }

    fn commit(&mut self) {
        self.answer(Committed::Ok, true);
    }

    fn finish_reload(&mut self) {
        assert!(std::mem::take(&mut self.reload), "a reload was asked for");
        let loaded = load(&self.entries, &self.ledgers);
        self.room.reloaded(self.now, loaded);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.room.poll_output() {
            match output {
                Output::Commit(commit) => self.commits.push_back(commit),
                Output::Reload => self.reload = true,
                Output::Send(to, message) => {
                    self.said.push(format!("{}: {}", to.0, show(&message)))
                }
                Output::Broadcast(message) => self.said.push(format!("all: {}", show(&message))),
                Output::Snapshot(seq, _) => self.said.push(format!("snapshot {seq}")),
                Output::Text(_, text) => self.said.push(format!("text {text}")),
                Output::Passed(ticket) => self.said.push(format!("passed {ticket}")),
            }
        }
    }

    /// What was said since the last call, presence apart.
    #[track_caller]
    fn said(&mut self, expected: &[&str]) {
        let said: Vec<String> =
            self.said.drain(..).filter(|line| !line.contains("peers")).collect();
        assert_eq!(said, expected);
    }
}

fn load(entries: &[Arc<Entry>], ledgers: &BTreeMap<ClientId, Ledger>) -> Loaded {
    let mut machine = Words::default();
    for entry in entries {
        if let Body::Effect(effect) = &entry.body {
            machine.apply(effect).expect("words");
        }
    }
    Loaded {
        guard: Guard { epoch: 1, access: 0 },
        lineage: 1,
        machine: Box::new(machine),
        head: entries.len() as u64,
        snapshot: None,
        entries: entries.to_vec(),
        ledgers: ledgers.clone(),
    }
}

fn show(message: &Message) -> String {
    let seqs = |entries: &[Arc<Entry>]| {
        let seqs: Vec<String> = entries.iter().map(|entry| entry.seq.to_string()).collect();
        seqs.join(",")
    };
    match message {
        Message::Attached(a) => match &a.state {
            Some((seq, state)) => format!(
                "attached at {} from {seq} {:?} then [{}]",
                a.head,
                String::from_utf8_lossy(state),
                seqs(&a.entries)
            ),
            None => format!("attached at {} then [{}]", a.head, seqs(&a.entries)),
        },
        Message::Detached(why) => format!("detached {why}"),
        Message::Outcomes(client, outcomes) => {
            let each = outcomes.iter().map(|(n, outcome)| match outcome {
                Outcome::Accepted(seq) => format!("{n} at {seq}"),
                Outcome::Refused(fault) => format!("{n} refused {fault}"),
                Outcome::NotSaved(fault) => format!("{n} not saved {}", fault.code),
                Outcome::Missing(from) => format!("{n} missing {from}"),
            });
            format!("client {} {}", client.0, each.collect::<Vec<_>>().join("; "))
        }
        Message::Merged(ticket, outcome) => match outcome {
            Outcome::NotSaved(fault) => format!("ticket {ticket} not saved {}", fault.code),
            Outcome::Accepted(seq) => format!("ticket {ticket} at {seq}"),
            Outcome::Refused(fault) => format!("ticket {ticket} refused {fault}"),
            Outcome::Missing(_) => unreachable!("tickets have no order"),
        },
        Message::StateVector(_) => "state vector".to_owned(),
        Message::Missing(ticket, missing) => format!("missing for {ticket}: {missing:?}"),
        Message::Events(entries) => format!("events [{}]", seqs(entries)),
        Message::State { seq, repair, .. } => format!("state {seq} repair {repair}"),
        Message::Aware(all) => format!("aware {}", all.len()),
        Message::Peers(here, left) => format!("peers {} {}", here.len(), left.len()),
        Message::Compared(seq, equal) => format!("compared {seq} {equal}"),
        Message::Right(right) => format!("right {}", right.name()),
        Message::Storing(ok) => format!("storing {ok}"),
        Message::Trouble(fault) => format!("trouble {fault}"),
    }
}

#[test]
fn l1_nothing_is_said_before_it_is_durable() {
    let mut b = Bench::new();
    b.attach(A);
    b.said(&["1: attached at 1 from 1 \"\" then []"]);
    b.submit(A, CA, 1, "one");
    b.submit(A, CA, 2, "two");
    b.attach(B);
    b.room.ask(b.now, Ask::Text(7));
    b.drain();
    b.said(&[]);
    b.commit();
    b.said(&[
        "1: client 101 1 at 2",
        "all: events [2]",
        "2: attached at 2 from 1 \"\" then [2]",
        "text one",
    ]);
    b.commit();
    b.said(&["1: client 101 2 at 3", "all: events [3]"]);
}

#[test]
fn operations_are_decided_on_the_state_in_which_they_stand() {
    let mut b = Bench::new();
    b.attach(A);
    for (n, word) in [(1, "a"), (2, "b"), (3, "!"), (4, "="), (5, "c")] {
        b.submit(A, CA, n, word);
    }
    b.said(&["1: attached at 1 from 1 \"\" then []"]);
    b.commit();
    b.commit();
    b.said(&[
        "1: client 101 1 at 2",
        "all: events [2]",
        "1: client 101 2 at 3; 3 refused bad_word; 4 at 3; 5 at 4",
        "all: events [3,4]",
    ]);
}

#[test]
fn l3_a_repeat_gets_the_answer_of_the_original_once_that_is_durable() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.said.clear();
    b.submit(A, CA, 1, "one");
    b.room.detach(b.now, A);
    b.submit(B, CA, 1, "one");
    b.said(&[]);
    b.commit();
    b.said(&["2: client 101 1 at 2", "all: events [2]"]);
    b.submit(B, CA, 1, "one");
    b.submit(B, CA, 2, "!");
    b.commit();
    b.submit(B, CA, 2, "!");
    b.said(&[
        "2: client 101 1 at 2",
        "2: client 101 2 refused bad_word",
        "2: client 101 2 refused bad_word",
    ]);
    assert_eq!(b.entries.len(), 2);
}

#[test]
fn l3_a_refusal_alone_is_stored_too() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 1, "!");
    assert_eq!(b.commits[0].entries, []);
    assert_eq!(
        b.commits[0].ledgers[0].1.recent().collect::<Vec<_>>(),
        [&Verdict::Refused(Fault::new("bad_word"))]
    );
}

#[test]
fn l3_more_than_a_window_ahead_or_behind_is_no_client_of_ours() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 65, "x");
    b.submit(A, CA, 0, "x");
    b.said(&[
        "1: attached at 1 from 1 \"\" then []",
        "1: trouble client_window from=1",
        "1: trouble client_window from=1",
    ]);
}

#[test]
fn l4_an_early_operation_waits_two_seconds_for_those_before_it() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 2, "two");
    b.submit(A, CA, 3, "three");
    assert!(b.commits.is_empty());
    b.submit(A, CA, 1, "one");
    b.commit();
    b.said(&[
        "1: attached at 1 from 1 \"\" then []",
        "1: client 101 1 at 2; 2 at 3; 3 at 4",
        "all: events [2,3,4]",
    ]);
    b.submit(A, CA, 5, "five");
    b.pass(1_999);
    b.said(&[]);
    b.pass(1);
    b.said(&["1: client 101 5 missing 4"]);
    b.submit(A, CA, 4, "four");
    b.submit(A, CA, 5, "five");
    b.commit();
    b.commit();
    assert_eq!(b.entries.len(), 6);
}

#[test]
fn l5_a_failed_commit_rolls_back_and_nobody_is_told_otherwise() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 1, "one");
    b.submit(A, CA, 2, "two");
    b.attach(B);
    b.answer(Committed::Failed, false);
    b.said(&["1: attached at 1 from 1 \"\" then []", "all: storing false"]);
    b.finish_reload();
    b.said(&[
        "1: client 101 1 not saved store_failed",
        "1: client 101 2 not saved store_failed",
        "2: attached at 1 from 1 \"\" then []",
        "2: storing false",
    ]);
    b.submit(A, CA, 1, "one");
    b.said(&["1: client 101 1 not saved store_failed"]);
    b.pass(1_000);
    b.submit(A, CA, 1, "one");
    b.commit();
    b.said(&["1: client 101 1 at 2", "all: events [2]", "all: storing true"]);
    b.submit(A, CA, 2, "two");
    b.commit();
    b.said(&["1: client 101 2 at 3", "all: events [3]"]);
}

#[test]
fn l5_an_unknown_outcome_is_settled_by_reading_before_anyone_is_answered() {
    for (stored, told) in
        [(true, "1: client 101 1 at 2"), (false, "1: client 101 1 not saved store_failed")]
    {
        let mut b = Bench::new();
        b.attach(A);
        b.submit(A, CA, 1, "one");
        b.answer(Committed::Unknown, stored);
        b.said(&["1: attached at 1 from 1 \"\" then []", "all: storing false"]);
        b.finish_reload();
        match stored {
            true => b.said(&["all: events [2]", told]),
            false => b.said(&[told]),
        }
        b.pass(1_000);
        b.submit(A, CA, 1, "one");
        if !stored {
            b.commit();
        }
        assert_eq!(b.entries.len(), 2, "once and only once");
    }
}

#[test]
fn l5_a_room_that_cannot_be_read_tries_again_and_takes_nothing() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 1, "one");
    b.answer(Committed::Failed, false);
    b.reload = false;
    b.room.load_failed(b.now);
    b.drain();
    b.said(&[
        "1: attached at 1 from 1 \"\" then []",
        "all: storing false",
        "1: client 101 1 not saved store_failed",
    ]);
    b.submit(A, CA, 1, "one");
    b.said(&["1: client 101 1 not saved store_failed"]);
    b.pass(1_000);
    b.finish_reload();
    b.pass(1_000);
    b.submit(A, CA, 1, "one");
    b.commit();
    b.said(&["1: client 101 1 at 2", "all: events [2]", "all: storing true"]);
}

#[test]
fn an_overtaken_batch_is_decided_again() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 1, "one");
    b.answer(Committed::Overtaken, false);
    b.finish_reload();
    b.commit();
    b.said(&["1: attached at 1 from 1 \"\" then []", "1: client 101 1 at 2", "all: events [2]"]);
}

#[test]
fn an_operation_that_panics_is_set_aside_and_harms_nobody() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.submit(A, CA, 1, "fine");
    b.submit(B, CB, 1, "#");
    b.submit(A, CA, 2, "good");
    b.commit();
    b.finish_reload();
    b.commit();
    b.said(&[
        "1: attached at 1 from 1 \"\" then []",
        "2: attached at 1 from 1 \"\" then []",
        "1: client 101 1 at 2",
        "all: events [2]",
        "1: client 101 2 at 3",
        "2: client 102 1 refused quarantined",
        "all: events [3]",
    ]);
    b.room.ask(b.now, Ask::Text(1));
    b.drain();
    b.said(&["text finegood"]);
}

#[test]
fn r1_one_who_comes_back_gets_what_is_missing_and_no_more() {
    let mut b = Bench::new();
    b.attach(A);
    for (n, word) in [(1, "a"), (2, "b")] {
        b.submit(A, CA, n, word);
        b.commit();
    }
    b.said.clear();
    b.attach_since(B, Since { seq: 2, epoch: 1, lineage: 1 });
    b.attach_since(B, Since { seq: 3, epoch: 1, lineage: 1 });
    b.attach_since(B, Since { seq: 2, epoch: 2, lineage: 1 });
    b.attach_since(B, Since { seq: 9, epoch: 1, lineage: 1 });
    b.said(&[
        "2: attached at 3 then [3]",
        "2: attached at 3 then []",
        "2: attached at 3 from 1 \"\" then [2,3]",
        "2: attached at 3 from 1 \"\" then [2,3]",
    ]);
}

#[test]
fn r2_a_pull_is_answered_from_memory_or_with_the_state() {
    let mut b = Bench::with(RoomLimits { recent_bytes_max: 120, ..RoomLimits::default() });
    b.attach(A);
    for n in 1..=5 {
        b.submit(A, CA, n, "word");
        b.commit();
    }
    b.said.clear();
    b.room.ask(b.now, Ask::Pull(A, 5));
    b.room.ask(b.now, Ask::Pull(A, 1));
    b.room.ask(b.now, Ask::Pull(B, 1));
    b.drain();
    b.said(&["1: events [6]", "1: state 6 repair false", "2: trouble not_attached"]);
}

#[test]
fn r8_a_replica_that_differs_is_repaired() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 1, "word");
    b.commit();
    b.said.clear();
    let digest = Words("word".into()).digest();
    b.room.ask(b.now, Ask::Compare(A, 2, digest));
    b.room.ask(b.now, Ask::Compare(A, 2, [9; 8]));
    b.room.ask(b.now, Ask::Compare(A, 1, [9; 8]));
    b.drain();
    b.said(&[
        "1: compared 2 true",
        "1: compared 2 false",
        "1: state 2 repair true",
        "1: compared 1 true",
    ]);
}

#[test]
fn a_right_that_is_taken_away_takes_effect_on_what_waits() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.submit(A, CA, 1, "first");
    b.submit(B, CB, 1, "mine");
    b.said.clear();
    b.room.set_right(b.now, person(B), Some(Right::Read), &Fault::new("no_access"));
    b.room.ask(b.now, Ask::Barrier(5));
    b.drain();
    b.said(&["2: right read"]);
    b.commit();
    b.said(&["1: client 101 1 at 2", "all: events [2]", "passed 5"]);
    b.commit();
    b.said(&["2: client 102 1 refused no_right needed=edit"]);
    b.room.set_right(b.now, person(B), None, &Fault::new("no_access"));
    b.submit(B, CB, 2, "more");
    b.said(&["2: detached no_access", "2: trouble not_attached"]);
    assert_eq!(b.entries.len(), 2);
}

#[test]
fn signing_out_drops_what_waits() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.submit(A, CA, 1, "first");
    b.submit(B, CB, 1, "mine");
    b.said.clear();
    b.room.revoke(b.now, B, &Fault::new("signed_out"));
    b.drain();
    b.commit();
    b.said(&["2: detached signed_out", "1: client 101 1 at 2", "all: events [2]"]);
    assert!(b.commits.is_empty());
    b.attach(B);
    b.submit(B, CB, 1, "mine");
    b.commit();
    assert_eq!(b.entries.len(), 3, "it can be sent again");
}

#[test]
fn a_full_queue_turns_operations_away() {
    let limits = RoomLimits { queue_ops_max: 1, ..RoomLimits::default() };
    let mut b = Bench::with(limits);
    b.attach(A);
    b.said.clear();
    for n in 1..=3 {
        b.submit(A, CA, n, "word");
    }
    b.said(&["1: client 101 3 not saved busy"]);
    b.commit();
    b.commit();
    b.submit(A, CA, 3, "word");
    b.commit();
    assert_eq!(b.entries.len(), 4);
}

#[test]
fn a_full_room_refuses() {
    let limits = RoomLimits { room_bytes_max: 60, ..RoomLimits::default() };
    let mut b = Bench::with(limits);
    b.attach(A);
    b.said.clear();
    b.submit(A, CA, 1, "a longer word");
    b.commit();
    b.said(&["1: client 101 1 refused room_full limit=60"]);
}

#[test]
fn snapshots_are_taken_now_and_then() {
    let limits = RoomLimits { snapshot_entries_max: 3, ..RoomLimits::default() };
    let mut b = Bench::with(limits);
    b.attach(A);
    for n in 1..=5 {
        b.submit(A, CA, n, "word");
        b.commit();
        b.said.retain(|line| line.starts_with("snapshot"));
        if n == 4 {
            b.said(&["snapshot 3"]);
            b.room.snapshotted(3, Some(8));
        }
    }
    b.said(&["snapshot 6"]);
}

#[test]
fn presence_is_gathered() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.said.clear();
    b.room.set_presence(b.now, A, Bytes::from_static(b"x"));
    b.room.set_presence(b.now, B, Bytes::from(vec![0; 5000]));
    b.drain();
    assert_eq!(b.said, [""; 0]);
    b.pass(50);
    assert_eq!(b.said, ["all: peers 2 0"]);
    b.room.detach(b.now, B);
    b.pass(50);
    assert_eq!(b.said[1..], ["all: peers 0 1"]);
    assert!(!b.room.is_idle());
    b.room.detach(b.now, A);
    assert!(b.room.is_idle());
}

#[test]
fn l9_a_session_that_merges_is_answered_by_ticket_and_leaves_no_ledger() {
    let mut b = Bench::new();
    b.attach(A);
    b.said.clear();
    let merge = |b: &mut Bench, ticket, word: &'static str| {
        b.room.merge(b.now, A, ticket, Ok(Bytes::from_static(word.as_bytes())));
        b.drain();
    };
    merge(&mut b, 1, "one");
    merge(&mut b, 2, "=");
    merge(&mut b, 3, "two");
    b.said(&[]);
    b.commit();
    b.said(&["1: ticket 1 at 2", "all: events [2]"]);
    b.commit();
    b.said(&["1: ticket 2 at 2", "1: ticket 3 at 3", "all: events [3]"]);
    assert!(b.ledgers.is_empty());
    merge(&mut b, 4, "=");
    assert!(b.commits.is_empty(), "it adds nothing, and nothing is under way");
    b.said(&["1: ticket 4 at 3"]);
    merge(&mut b, 5, "three");
    merge(&mut b, 6, "=");
    b.answer(Committed::Unknown, true);
    b.finish_reload();
    b.said(&[
        "all: storing false",
        "all: events [4]",
        "1: ticket 5 not saved store_failed",
        "1: ticket 6 not saved store_failed",
    ]);
}

#[test]
fn one_who_has_lost_the_right_is_told_nothing_more() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.submit(A, CA, 1, "one");
    b.said.clear();
    b.room.ask(b.now, Ask::Missing(B, 1, Bytes::from_static(&[0])));
    b.room.ask(b.now, Ask::StateVector(B));
    b.room.ask(b.now, Ask::Pull(B, 1));
    b.room.set_right(b.now, person(B), None, &Fault::new("no_access"));
    b.drain();
    b.said(&["2: detached no_access"]);
    b.commit();
    b.said(&[
        "1: client 101 1 at 2",
        "all: events [2]",
        "2: trouble not_attached",
        "2: trouble not_attached",
    ]);
}
