//! A room with a small machine and a log in memory: what is said, and when.

use super::*;
use crate::{
    Body, Ledger,
    ledger::Verdict,
    machine::{Author, Damaged, Digest, Merging, Upset},
    presence::Face,
};

/// A machine that appends words; `!` is refused, `=` changes nothing, what begins with `#` panics
/// half way. Sessions can merge into it if it says so.
#[derive(Default)]
struct Words(String, bool);

impl Machine for Words {
    fn execute(&mut self, op: &Bytes, _by: &Author) -> Result<Option<Bytes>, Upset> {
        match &op[..] {
            b"!" => Err(Upset::Refused(Fault::new("bad_word"))),
            b"=" => Ok(None),
            [b'#', ..] => {
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

    fn merging(&self) -> Option<&dyn Merging> {
        self.1.then_some(self)
    }
}

impl Merging for Words {
    fn state_vector(&self) -> Bytes {
        self.0.len().to_string().into()
    }

    fn is_news(&self, update: &Bytes) -> Result<bool, Fault> {
        match &update[..] {
            b"=" => Ok(false),
            b"?" => Err(Fault::new("missing_predecessors")),
            b"!" => Err(Fault::new("op_malformed")),
            _ => Ok(true),
        }
    }

    fn missing_from(&self, state_vector: &Bytes) -> Result<Bytes, Fault> {
        let known: usize = String::from_utf8_lossy(state_vector).parse().unwrap_or_default();
        Ok(self.0[known..].to_owned().into())
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
    /// The revision of the rights in the log.
    access: u64,
    /// Commits of ledgers alone in the log.
    answers: u64,
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
        Self {
            room,
            entries,
            ledgers,
            commits,
            reload: false,
            access: 0,
            answers: 0,
            said,
            now: 1_000,
        }
    }

    fn attach(&mut self, session: SessionId) {
        self.attach_since(session, Since::default());
    }

    fn attach_since(&mut self, session: SessionId, since: Since) {
        let person = person(session);
        self.attach_as(session, person, Right::Manage, (person, "P"), since);
    }

    /// A session by a person's right to edit, with a cap and a face.
    fn attach_as(
        &mut self,
        session: SessionId,
        person: PersonId,
        cap: Right,
        (face, name): (PersonId, &str),
        since: Since,
    ) {
        let face = Face { id: face, name: name.to_owned(), guest: false };
        let (right, start) = (Right::Edit, Start::Log(since));
        self.room.ask(self.now, Ask::Attach { session, person, right, cap, face, start });
        self.drain();
    }

    fn submit(&mut self, session: SessionId, client: ClientId, n: u64, word: &'static str) {
        self.room.submit(self.now, session, client, n, Ok(Bytes::from_static(word.as_bytes())));
        self.drain();
    }

    fn set_right(&mut self, person: PersonId, right: Option<Right>) {
        let why = Fault::new("no_access");
        self.room.set_rights(self.now, None, vec![(person, right)], &why);
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
            self.answers += u64::from(commit.entries.is_empty());
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
        let mut loaded = load(&self.entries, &self.ledgers);
        (loaded.guard.access, loaded.guard.answers) = (self.access, self.answers);
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
                Output::State(ticket, state) => {
                    let said = state.map(|Replica { update, state_vector }| {
                        format!("{update:?} up to {state_vector:?}")
                    });
                    self.said.push(format!("state for {ticket}: {said:?}"));
                }
                Output::Merged(ticket, outcome) => {
                    self.said.push(format!("call {ticket} {outcome:?}"));
                }
                Output::LookUp(people) => self.said.push(format!("look up {}", people.len())),
                Output::Quarantine(Poison { op, why, .. }) => {
                    self.said.push(format!("quarantine {op:?} {why}"));
                }
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
    let mut machine = Words(String::new(), true);
    for entry in entries {
        if let Body::Effect(effect) = &entry.body {
            machine.apply(effect).expect("words");
        }
    }
    Loaded {
        guard: Guard { epoch: 1, access: 0, answers: 0 },
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
        "quarantine b\"#\" panic: a planted fault",
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
    let digest = Words("word".into(), false).digest();
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
    b.set_right(person(B), Some(Right::Read));
    b.room.ask(b.now, Ask::Barrier(5));
    b.drain();
    b.said(&["2: right read"]);
    b.commit();
    b.said(&["1: client 101 1 at 2", "all: events [2]", "passed 5"]);
    b.commit();
    b.said(&["2: client 102 1 refused no_right needed=edit"]);
    b.set_right(person(B), None);
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
fn one_who_is_signed_out_while_waiting_to_be_attached_is_not() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 1, "first");
    b.attach(B);
    b.said.clear();
    b.room.revoke(b.now, B, &Fault::new("signed_out"));
    b.drain();
    b.said(&["2: detached signed_out"]);
    b.commit();
    b.submit(B, CB, 1, "mine");
    b.said(&["1: client 101 1 at 2", "all: events [2]", "2: trouble not_attached"]);
    assert!(b.commits.is_empty());
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
fn a_room_that_everybody_left_is_stored_as_a_snapshot_soon() {
    let limits = RoomLimits { snapshot_bytes_min: 64 << 10, ..RoomLimits::default() };
    let mut b = Bench::with(limits);
    let edit = |b: &mut Bench, n| {
        b.submit(A, CA, n, "word");
        b.commit();
    };
    b.attach(A);
    b.attach(B);
    (1..=2).for_each(|n| edit(&mut b, n));
    b.said.clear();
    b.room.detach(b.now, A);
    b.room.detach(b.now, B);
    b.drain();
    b.said(&[""; 0]); // Too little was logged.
    b.attach(A);
    edit(&mut b, 3);
    b.said.clear();
    b.room.detach(b.now, A);
    b.drain();
    b.said(&["snapshot 4"]);
    assert!(!b.room.is_idle(), "it is under way");
    b.room.snapshotted(4, Some(8));
    assert!(b.room.is_idle());
    b.attach(A);
    b.said.clear();
    b.room.detach(b.now, A);
    b.drain();
    b.said(&[""; 0]); // Nothing was logged since.

    // What is on its way when the last one leaves belongs to it.
    b.attach(A);
    (4..=6).for_each(|n| edit(&mut b, n));
    b.submit(A, CA, 7, "word");
    b.said.clear();
    b.room.detach(b.now, A);
    b.drain();
    b.said(&[""; 0]);
    b.commit();
    b.said.retain(|line| line.starts_with("snapshot"));
    b.said(&["snapshot 8"]);
    b.room.snapshotted(8, Some(8));
    // Nobody is here, but nobody leaves either.
    let caller = Caller { person: person(B), right: Right::Edit, access: 0 };
    for ticket in 1..=4 {
        b.room.merge_for(b.now, ticket, caller, Bytes::from_static(b"word"));
        b.drain();
        b.commit();
    }
    b.said.retain(|line| line.starts_with("snapshot"));
    b.said(&[""; 0]);
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
    b.set_right(person(B), None);
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

#[test]
fn batches_of_a_busy_room_are_kept_apart() {
    let limits = RoomLimits {
        batch_gap_us_per_session: 10_000,
        batch_gap_ms_max: 15,
        ..RoomLimits::default()
    };
    let mut bench = Bench::with(limits);
    bench.attach(A);
    bench.attach(B);
    bench.submit(A, CA, 1, "x");
    assert_eq!(bench.commits.len(), 1, "a quiet room's edit does not wait");
    bench.commit();
    bench.pass(14);
    bench.submit(A, CA, 2, "y");
    bench.submit(B, CB, 1, "z");
    assert!(bench.commits.is_empty());
    assert_eq!(bench.room.next_wake(), Some(bench.now + 1));
    bench.pass(1);
    assert_eq!(bench.commits[0].entries.len(), 2);
}

#[test]
fn a_full_batch_does_not_wait() {
    let limits =
        RoomLimits { batch_gap_us_per_session: 10_000, batch_ops_max: 2, ..RoomLimits::default() };
    let mut bench = Bench::with(limits);
    bench.attach(A);
    bench.submit(A, CA, 1, "w");
    bench.commit();
    bench.submit(A, CA, 2, "x");
    assert!(bench.commits.is_empty());
    bench.submit(A, CA, 3, "y");
    assert_eq!(bench.commits[0].entries.len(), 2);
}

#[test]
fn a_change_of_rights_never_lifts_a_session_above_its_cap() {
    let mut b = Bench::new();
    let (lin, guest) = (person(A), PersonId::from_bytes([77; 16]));
    b.attach(A);
    b.attach_as(B, lin, Right::Read, (guest, "Guest"), Since::default());
    b.said.clear();
    b.set_right(lin, Some(Right::Manage));
    b.drain();
    b.said(&["1: right manage"]);

    // What waits, what came early and what is in flight is under the same cap.
    b.submit(A, CA, 1, "first");
    b.submit(B, CB, 1, "in the queue");
    b.submit(B, CB, 3, "early");
    b.set_right(lin, Some(Right::Edit));
    b.drain();
    b.said(&["1: right edit"]);
    b.answer(Committed::Overtaken, false);
    b.finish_reload();
    b.submit(B, CB, 2, "between");
    b.commit();
    b.said(&[
        "1: client 101 1 at 2",
        "2: client 102 1 refused no_right needed=edit",
        "all: events [2]",
    ]);
    b.commit();
    b.said(&["2: client 102 2 refused no_right needed=edit; 3 refused no_right needed=edit"]);
    assert_eq!(b.entries.len(), 2);

    // Without the person's right, the guest has none either.
    b.set_right(lin, None);
    b.drain();
    b.said(&["1: detached no_access", "2: detached no_access"]);
}

#[test]
fn one_who_waits_to_be_attached_is_under_the_cap_too() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 1, "first");
    b.attach_as(B, person(A), Right::Comment, (person(B), "Guest"), Since::default());
    b.set_right(person(A), Some(Right::Manage));
    b.drain();
    b.commit();
    b.submit(B, CB, 1, "more");
    b.commit();
    assert_eq!(b.entries.len(), 2, "a comment is no edit");
}

#[test]
fn a_right_that_is_taken_away_takes_effect_on_what_came_early() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 2, "second");
    b.set_right(person(A), Some(Right::Read));
    b.said.clear();
    b.submit(A, CA, 1, "first");
    b.commit();
    b.said(&[
        "1: right read",
        "1: client 101 1 refused no_right needed=edit; 2 refused no_right needed=edit",
    ]);
    assert_eq!(b.entries.len(), 1);
}

#[test]
fn two_faces_by_one_persons_rights_are_two_people() {
    let mut b = Bench::new();
    let guests = [PersonId::from_bytes([71; 16]), PersonId::from_bytes([72; 16])];
    b.attach_as(A, person(A), Right::Edit, (guests[0], "Ann"), Since::default());
    b.attach_as(B, person(A), Right::Edit, (guests[1], "Ben"), Since::default());
    let seen: Vec<_> = b
        .room
        .presence
        .all()
        .into_iter()
        .map(|peer| (peer.face.id, peer.face.name, peer.color))
        .collect();
    assert_eq!(seen, [(guests[0], "Ann".to_owned(), 1), (guests[1], "Ben".to_owned(), 2)]);
    assert_eq!(b.room.people(), BTreeSet::from([person(A)]), "rights are asked for once");
}

#[test]
fn l10_a_known_poison_and_whoever_sends_many_are_refused_without_loading_anew() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.submit(A, CA, 1, "#1");
    b.finish_reload();
    b.commit();
    b.submit(B, CB, 1, "#1");
    b.submit(B, CB, 2, "fine");
    b.commit();
    b.commit();
    for (n, poison) in [(2, "#2"), (3, "#3")] {
        b.submit(A, CA, n, poison);
        b.finish_reload();
        b.commit();
    }
    b.said.clear();
    b.submit(A, CA, 4, "good");
    b.submit(A, CA, 5, "#4");
    b.commit();
    b.commit();
    assert!(!b.reload, "nothing was tried");
    b.submit(B, CB, 3, "others");
    b.commit();
    b.pass(60_000);
    b.submit(A, CA, 6, "again");
    b.commit();
    b.said(&[
        "1: client 101 4 refused quarantined",
        "1: client 101 5 refused quarantined",
        "2: client 102 3 at 3",
        "all: events [3]",
        "1: client 101 6 at 4",
        "all: events [4]",
    ]);
}

fn call(b: &mut Bench, ticket: u64, access: u64, right: Right, word: &'static str) {
    let caller = Caller { person: person(B), right, access };
    b.room.merge_for(b.now, ticket, caller, Bytes::from_static(word.as_bytes()));
    b.drain();
}

#[test]
fn l1_a_caller_without_a_session_is_answered_once_it_is_durable() {
    let mut b = Bench::new();
    b.attach(A);
    b.said.clear();
    call(&mut b, 1, 0, Right::Edit, "one");
    b.room.ask(b.now, Ask::State(9, Bytes::new()));
    call(&mut b, 2, 0, Right::Edit, "!");
    call(&mut b, 3, 0, Right::Comment, "no");
    b.said(&[]);
    b.commit();
    b.said(&[
        "call 1 Some(Accepted(2))",
        "all: events [2]",
        "state for 9: Ok(\"b\\\"one\\\" up to b\\\"3\\\"\")",
        "call 2 Some(Refused(Fault { code: \"bad_word\", params: {} }))",
        "call 3 Some(Refused(Fault { code: \"no_right\", params: {\"needed\": \"edit\"} }))",
    ]);
    call(&mut b, 4, 0, Right::Edit, "two");
    b.answer(Committed::Failed, false);
    b.finish_reload();
    b.said(&[
        "all: storing false",
        "call 4 Some(NotSaved(Fault { code: \"store_failed\", params: {\"retry_ms\": \"1500\"} }))",
    ]);
    assert!(b.ledgers.is_empty());
}

#[test]
fn the_right_of_a_caller_holds_for_one_revision_of_the_rights() {
    let mut b = Bench::new();
    call(&mut b, 1, 0, Right::Edit, "one");
    call(&mut b, 2, 0, Right::Edit, "two");
    // Taken away when one is in flight and two waits: the log denies the flight.
    b.room.set_rights(b.now, Some(1), vec![], &Fault::new("no_access"));
    b.access = 1;
    b.answer(Committed::Overtaken, false);
    b.finish_reload();
    b.said(&["call 1 None", "call 2 None"]);
    call(&mut b, 3, 0, Right::Edit, "three");
    call(&mut b, 4, 1, Right::Edit, "four");
    b.commit();
    b.said(&["call 3 None", "call 4 Some(Accepted(2))", "all: events [2]"]);
}

#[test]
fn l1_the_server_itself_is_answered_once_it_is_durable_whatever_anybodys_right() {
    let mut b = Bench::new();
    b.attach(A);
    b.said.clear();
    let serve = |b: &mut Bench, ticket, word: &'static str| {
        b.room.serve(b.now, ticket, Bytes::from_static(word.as_bytes()));
        b.drain();
    };
    serve(&mut b, 1, "one");
    serve(&mut b, 2, "!");
    b.said(&[]);
    assert_eq!(b.room.people(), [person(A)].into(), "nobody's right matters to it");
    // The rights change while it is under way: it is stored all the same.
    b.room.set_rights(b.now, Some(1), vec![(person(A), None)], &Fault::new("no_access"));
    b.access = 1;
    b.answer(Committed::Overtaken, false);
    b.finish_reload();
    b.said.clear();
    b.commit();
    b.said(&[
        "call 1 Some(Accepted(2))",
        "call 2 Some(Refused(Fault { code: \"bad_word\", params: {} }))",
        "all: events [2]",
    ]);
    assert_eq!(b.entries[1].person, None);
}

#[test]
fn ordered_rooms_take_no_updates_of_callers_and_have_no_state_for_them() {
    let mut b = Bench::new();
    let guard = Guard { epoch: 1, access: 0, answers: 0 };
    let loaded =
        Loaded { machine: Box::new(Words::default()), guard, ..load(&b.entries, &b.ledgers) };
    b.room = Room::new(b.room.id(), loaded, RoomLimits::default());
    call(&mut b, 1, 0, Right::Edit, "one");
    b.room.ask(b.now, Ask::State(2, Bytes::new()));
    b.drain();
    let fault = "Fault { code: \"not_merged\", params: {} }";
    b.said(&[&format!("call 1 Some(Refused({fault}))"), &format!("state for 2: Err({fault})")]);
}

/// What another node has stored of a client meanwhile.
fn elsewhere(b: &mut Bench, client: ClientId, verdicts: &[Verdict]) {
    let mut ledger = b.ledgers.get(&client).cloned().unwrap_or_default();
    for verdict in verdicts {
        ledger.settle(verdict.clone(), b.now);
        match verdict {
            Verdict::Accepted(seq) => {
                let (person, at, client_seq) = (Some(person(A)), b.now, ledger.mark());
                let body = Body::Effect(Bytes::from_static(b"x"));
                let entry = Entry { seq: *seq, client, client_seq, person, at, body };
                b.entries.push(Arc::new(entry));
            }
            Verdict::Refused(_) => b.answers += 1,
        }
    }
    b.ledgers.insert(client, ledger);
}

fn bad_word() -> Verdict {
    Verdict::Refused(Fault::new("bad_word"))
}

#[test]
fn l3_what_was_decided_elsewhere_while_it_waited_here_is_not_decided_again() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 1, "one");
    b.submit(A, CA, 2, "two");
    b.submit(A, CA, 3, "three");
    elsewhere(&mut b, CA, &[Verdict::Accepted(2), bad_word()]);
    b.said.clear();
    b.answer(Committed::Overtaken, false);
    b.finish_reload();
    b.commit();
    b.said(&[
        "all: events [2]",
        "1: client 101 1 at 2; 2 refused bad_word; 3 at 3",
        "all: events [3]",
    ]);
}

#[test]
fn l3_what_came_early_goes_on_when_those_before_it_were_decided_elsewhere() {
    let mut b = Bench::new();
    b.attach(A);
    b.submit(A, CA, 2, "two");
    b.submit(A, CA, 4, "four");
    b.said.clear();
    elsewhere(&mut b, CA, &[Verdict::Accepted(2), bad_word(), Verdict::Accepted(3)]);
    b.room.noticed(3, 1);
    b.drain();
    b.finish_reload();
    b.commit();
    b.said(&[
        "all: events [2,3]",
        "1: client 101 2 refused bad_word",
        "1: client 101 4 at 4",
        "all: events [4]",
    ]);
}

#[test]
fn a_refusal_elsewhere_is_noticed_though_the_head_stays() {
    let mut b = Bench::new();
    b.attach(A);
    b.said.clear();
    b.room.noticed(1, 0);
    b.drain();
    assert!(!b.reload, "nothing is new");
    elsewhere(&mut b, CA, &[bad_word()]);
    b.room.noticed(1, 1);
    b.drain();
    b.finish_reload();
    b.submit(A, CA, 1, "one");
    b.said(&["1: client 101 1 refused bad_word"]);
}

#[test]
fn nothing_is_decided_while_rights_are_looked_up_that_changed_elsewhere() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.submit(A, CA, 1, "one");
    b.submit(B, CB, 1, "two");
    b.said.clear();
    b.access = 1;
    b.answer(Committed::Overtaken, false);
    b.finish_reload();
    b.submit(A, CA, 2, "three");
    b.said(&["look up 2"]);
    assert!(b.commits.is_empty());
    let rights = vec![(person(A), Some(Right::Edit)), (person(B), None)];
    b.room.looked_up(b.now, rights);
    b.drain();
    b.commit();
    b.said(&["2: detached no_access", "1: client 101 1 at 2; 2 at 3", "all: events [2,3]"]);
}

#[test]
fn what_is_held_early_counts_as_what_waits() {
    let limits = RoomLimits { queue_ops_max: 2, ..RoomLimits::default() };
    let mut b = Bench::with(limits);
    b.attach(A);
    b.said.clear();
    b.submit(A, CA, 2, "two");
    b.submit(A, CA, 3, "three");
    b.submit(A, CA, 4, "four");
    b.said(&["1: client 101 4 not saved busy"]);
}

#[test]
fn while_the_space_is_full_nothing_is_added_and_everything_else_goes_on() {
    let mut b = Bench::new();
    b.attach(A);
    b.attach(B);
    b.submit(A, CA, 1, "one");
    b.commit();
    b.said.clear();
    b.room.set_full(true);
    b.drain();
    b.said(&[]);
    b.submit(A, CA, 1, "one");
    b.submit(A, CA, 2, "two");
    b.submit(B, CB, 1, "?");
    b.said(&[
        "1: client 101 1 at 2",
        "1: client 101 2 not saved quota_exceeded",
        "2: client 102 1 not saved quota_exceeded",
    ]);
    // Nothing is added by what is there, and what must be refused is refused.
    b.submit(B, CB, 1, "=");
    b.submit(B, CB, 2, "!");
    b.commit();
    b.commit();
    b.room.ask(b.now, Ask::Text(7));
    b.drain();
    b.said(&["2: client 102 1 at 2", "2: client 102 2 refused bad_word", "text one"]);
    b.room.set_full(false);
    b.drain();
    b.said(&["all: storing true"]);
    b.submit(A, CA, 2, "two");
    b.commit();
    b.said(&["1: client 101 2 at 3", "all: events [3]"]);
    b.room.set_full(true);
    b.room.set_full(false);
    b.drain();
    b.said(&[]);
}

#[test]
fn a_full_space_turns_away_calls_and_sessions_that_merge_but_not_the_server() {
    let mut b = Bench::new();
    b.attach(A);
    b.said.clear();
    b.room.set_full(true);
    b.room.merge(b.now, A, 3, Ok(Bytes::from_static(b"one")));
    let caller = Caller { person: person(B), right: Right::Edit, access: 0 };
    b.room.merge_for(b.now, 4, caller, Bytes::from_static(b"two"));
    let reader = Caller { right: Right::Read, ..caller };
    b.room.merge_for(b.now, 5, reader, Bytes::from_static(b"two"));
    b.drain();
    let full = r#"Some(NotSaved(Fault { code: "quota_exceeded", params: {"retry_ms": "30000"} }))"#;
    let no_right = r#"Some(Refused(Fault { code: "no_right", params: {"needed": "edit"} }))"#;
    b.said(&[
        "1: ticket 3 not saved quota_exceeded",
        &format!("call 4 {full}"),
        &format!("call 5 {no_right}"),
    ]);
    b.room.serve(b.now, 6, Bytes::from_static(b"three"));
    b.drain();
    b.commit();
    b.said(&["call 6 Some(Accepted(2))", "all: events [2]"]);
}
