//! Rooms that fail, and rooms that nobody needs any more.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures_channel::mpsc;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::sync::Notify;
use weft_core::{
    Right, Seq,
    machine::{Author, Damaged, Digest, Machine, Merging, Upset},
    room::{Message, Outcome, Start},
};
use weft_proto::kinds::OpenError;
use weft_store::{
    Append, Loaded, LogError, NewGrant, NewGrantee, NewPerson, NewRoom, NewSignIn, Proof,
    SqliteLog, StoredBatch, Target, personal,
};

use super::*;
use crate::{
    auth::{Credential, Via},
    outbox::Manner,
};

const NOW: u64 = 1_800_000_000_000;

/// A log that makes the next append to one room panic, or does not come to an end of weighing it.
struct Treacherous {
    log: SqliteLog,
    room: RoomId,
    armed: AtomicBool,
    stuck: AtomicBool,
    weighs: Notify,
}

#[async_trait]
impl Log for Treacherous {
    async fn create(&self, first: Append) -> Appended {
        self.log.create(first).await
    }

    async fn append(&self, append: Append) -> Appended {
        let treacherous = append.room == self.room && self.armed.swap(false, Ordering::SeqCst);
        assert!(!treacherous, "a planted fault");
        self.log.append(append).await
    }

    async fn load(&self, room: RoomId) -> Result<Option<Loaded>, LogError> {
        self.log.load(room).await
    }

    async fn raise_access(&self, room: RoomId) -> Result<u64, LogError> {
        self.log.raise_access(room).await
    }

    async fn put_snapshot(&self, room: RoomId, seq: Seq, state: Bytes) -> Result<(), LogError> {
        self.log.put_snapshot(room, seq, state).await
    }

    async fn compact(&self, room: RoomId, keep_after: Seq) -> Result<u64, LogError> {
        self.log.compact(room, keep_after).await
    }

    async fn history(
        &self,
        room: RoomId,
        after: Seq,
        bytes_max: usize,
    ) -> Result<Vec<StoredBatch>, LogError> {
        self.log.history(room, after, bytes_max).await
    }

    async fn bytes_of(&self, room: RoomId) -> Result<u64, LogError> {
        if room == self.room && self.stuck.load(Ordering::SeqCst) {
            self.weighs.notify_one();
            std::future::pending::<()>().await;
        }
        self.log.bytes_of(room).await
    }

    async fn close(&self) {
        self.log.close().await;
    }
}

/// The kinds as they are, but that one operation makes them fail.
pub fn open(kind: &str, state: Option<&Bytes>) -> Result<Box<dyn Machine>, OpenError> {
    Ok(Box::new(Brittle(kinds::open(kind, state)?)))
}

struct Brittle(Box<dyn Machine>);

/// [`letter`] of this Yjs client is what a machine fails at.
const POISON: u8 = 66;

impl Machine for Brittle {
    fn execute(&mut self, op: &Bytes, by: &Author) -> Result<Option<Bytes>, Upset> {
        assert_ne!(*op, letter(POISON), "a planted fault");
        self.0.execute(op, by)
    }

    fn apply(&mut self, effect: &Bytes) -> Result<(), Damaged> {
        self.0.apply(effect)
    }

    fn snapshot(&self) -> Bytes {
        self.0.snapshot()
    }

    fn digest(&self) -> Digest {
        self.0.digest()
    }

    fn text(&self) -> String {
        self.0.text()
    }

    fn merging(&self) -> Option<&dyn Merging> {
        self.0.merging()
    }
}

const FAILING: RoomId = RoomId::from_bytes([1; 16]);
const SOUND: RoomId = RoomId::from_bytes([2; 16]);

struct Bench {
    hub: Hub,
    log: Arc<Treacherous>,
    signed: Signed,
    dir: tempfile::TempDir,
}

/// An update that inserts a letter; each Yjs client inserts its own.
fn letter(client: u8) -> Bytes {
    let id = if client < 128 { vec![client] } else { vec![client, 1] };
    [&[1, 1][..], &id, &[0, 4, 1, 1, b't', 1, b'x', 0]].concat().into()
}

/// A session that merges, without a socket.
struct Session {
    connection: Arc<Connection>,
    said: mpsc::UnboundedReceiver<Answer>,
    tickets: u64,
}

impl Bench {
    async fn new(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(&dir.path().join("log"), Default::default()).await.unwrap();
        let (armed, stuck, weighs) = Default::default();
        let log = Arc::new(Treacherous { log, room: FAILING, armed, stuck, weighs });
        let meta = Arc::new(Meta::open(&dir.path().join("meta.db")).await.unwrap());
        let new = NewPerson {
            id: PersonId::from_bytes([7; 16]),
            username: "lin".into(),
            name: "Lin".into(),
            email: None,
            password_hash: String::new(),
            admin: false,
            language: "en".into(),
        };
        let person = meta.create_person(&new, NOW).await.unwrap();
        let quarantine = Arc::new(Quarantine::new(dir.path().join("quarantine"), &limits));
        let hub = Hub::new(log.clone(), Arc::clone(&meta), Clock::system(), limits, quarantine);
        for id in [FAILING, SOUND] {
            hub.create(id, "doc", None).await.unwrap();
            let (kind, title, owner) = ("doc".into(), String::new(), person.id);
            let (space, folder) = (personal(owner), None);
            let room = NewRoom { id, kind, title, key: None, owner, space, folder, bytes: 0 };
            meta.create_room(&room, 10, NOW).await.unwrap();
        }
        let sign_in = NewSignIn {
            proof: Proof::Password(&new.password_hash),
            token_hash: [0; 32],
            person: person.id,
            idle_ms_max: 1 << 50,
            user_agent: "",
        };
        meta.create_sign_in(sign_in, NOW).await.unwrap();
        let (token_hash, expires_at, via) = ([0; 32], u64::MAX, Via::Query);
        let credential = Credential::SignIn;
        let confirmed_at = NOW;
        let signed = Signed { person, token_hash, expires_at, confirmed_at, via, credential };
        Self { hub, log, signed, dir }
    }

    async fn open(&self, room: RoomId) -> Session {
        let outbox = Arc::new(Outbox::new(Manner::Messages, self.hub.limits()));
        let connection = self.hub.connect(&self.signed, outbox).unwrap();
        let (answers, said) = mpsc::unbounded();
        let voice = Voice::Yjs { address: Bytes::new(), answers };
        let asked = room.to_string();
        let attached =
            self.hub.attach(&connection, &self.signed, &asked, voice, Start::Merge).await;
        attached.unwrap();
        let mut session = Session { connection, said, tickets: 0 };
        session.until(|message| matches!(message, Message::Attached(_))).await;
        session
    }
}

impl Session {
    async fn until(&mut self, wanted: impl Fn(&Message) -> bool) -> Message {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.said.next());
            match next.await.expect("said in time") {
                Some((_, message)) if wanted(&message) => return *message,
                Some(_) => {}
                None => panic!("the room let go without a word"),
            }
        }
    }

    /// Merges an update that inserts a letter; each Yjs client inserts its own.
    async fn merge(&mut self, room: RoomId, client: u8) {
        self.tickets += 1;
        let update = letter(client);
        let handle = self.connection.rooms()[&room].clone();
        let command = Command::Merge(self.connection.session, self.tickets, Ok(update));
        handle.send(command).await.unwrap();
    }

    async fn saved(&mut self) -> Seq {
        match self.until(|message| matches!(message, Message::Merged(..))).await {
            Message::Merged(_, Outcome::Accepted(seq)) => seq,
            other => panic!("{other:?}"),
        }
    }
}

/// While something that a room waits for does not come, nothing else of it may wait: the one could hold what the
/// other needs.
#[tokio::test]
async fn a_room_serves_while_the_metadata_is_told_of_it() {
    let limits = Limits { room_touch_ms: 1, ..Limits::default() };
    let bench = Bench::new(limits).await;
    bench.log.stuck.store(true, Ordering::SeqCst);
    let mut session = bench.open(FAILING).await;
    session.merge(FAILING, 1).await;
    assert_eq!(session.saved().await, 2);
    bench.log.weighs.notified().await;
    session.merge(FAILING, 2).await;
    assert_eq!(session.saved().await, 3);
}

#[tokio::test]
async fn a_panic_costs_one_room_until_the_next_one_asks_for_it() {
    let bench = Bench::new(Limits::default()).await;
    let mut failing = bench.open(FAILING).await;
    let mut sound = bench.open(SOUND).await;
    failing.merge(FAILING, 1).await;
    assert_eq!(failing.saved().await, 2);
    bench.log.armed.store(true, Ordering::SeqCst);
    failing.merge(FAILING, 2).await;
    match failing.until(|message| matches!(message, Message::Detached(_))).await {
        Message::Detached(why) => assert_eq!(why.code, "room_unavailable"),
        other => panic!("{other:?}"),
    }
    assert!(failing.connection.rooms().is_empty());
    sound.merge(SOUND, 1).await;
    assert_eq!(sound.saved().await, 2, "others do not notice");
    let mut again = bench.open(FAILING).await;
    assert_eq!(bench.hub.text(FAILING).await.unwrap(), "x", "what was saved, and no more");
    again.merge(FAILING, 2).await;
    assert_eq!(again.saved().await, 3);
}

#[tokio::test]
async fn l10_what_makes_a_machine_panic_is_set_aside_and_the_room_goes_on() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let told = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let bench = Bench::new(Limits::default()).await;
    let [mut eve, mut bo] = [bench.open(SOUND).await, bench.open(SOUND).await];
    bo.merge(SOUND, 1).await;
    assert_eq!(bo.saved().await, 2);
    for _ in 0..2 {
        // The second time it is refused untried.
        eve.merge(SOUND, POISON).await;
        match eve.until(|message| matches!(message, Message::Merged(..))).await {
            Message::Merged(_, Outcome::Refused(why)) => assert_eq!(why.code, "quarantined"),
            other => panic!("{other:?}"),
        }
        bo.merge(SOUND, 2).await;
        bo.saved().await;
    }
    eve.merge(SOUND, 3).await;
    assert_eq!(eve.saved().await, 4, "nobody was detached, and nothing else is refused");
    assert_eq!(bench.hub.text(SOUND).await.unwrap(), "xxx");

    let quarantine = &bench.hub.0.tools.quarantine;
    let kept = async {
        while quarantine.list().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), kept).await.expect("kept in a file");
    let kept = quarantine.list().unwrap();
    let person = bench.signed.person.id.to_string();
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0].room, &kept[0].person), (&SOUND.to_string(), &person));
    assert!(kept[0].why.contains("a planted fault"), "{}", kept[0].why);
    let mut files = std::fs::read_dir(bench.dir.path().join("quarantine")).unwrap();
    let file = std::fs::read(files.next().unwrap().unwrap().path()).unwrap();
    assert!(file.ends_with(&letter(POISON)), "with its bytes");
    assert!(files.next().is_none());
    assert!(told.render().contains("\nweft_quarantined_total 1\n"), "{}", told.render());
}

#[tokio::test]
async fn a_room_that_nobody_follows_leaves_memory_and_comes_back_whole() {
    let limits = Limits { room_idle_ms: 1, ..Limits::default() };
    let bench = Bench::new(limits).await;
    let mut session = bench.open(SOUND).await;
    session.merge(SOUND, 1).await;
    session.saved().await;
    assert!(bench.hub.loaded(SOUND).is_some());
    bench.hub.disconnect(&session.connection).await;
    let unloaded = async {
        while bench.hub.rooms().contains_key(&SOUND) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), unloaded).await.expect("unloaded");
    assert_eq!(bench.hub.text(SOUND).await.unwrap(), "x");
}

#[tokio::test]
async fn a_credential_that_has_ended_meanwhile_opens_nothing() {
    let bench = Bench::new(Limits::default()).await;
    let outbox = Arc::new(Outbox::new(Manner::Messages, bench.hub.limits()));
    let connection = bench.hub.connect(&bench.signed, Arc::clone(&outbox)).unwrap();
    // Signed out by somebody who did not see this connection yet.
    bench.hub.meta().sign_out(&bench.signed.token_hash).await.unwrap();
    let (answers, _said) = mpsc::unbounded();
    let (voice, asked) = (Voice::Yjs { address: Bytes::new(), answers }, SOUND.to_string());
    let attached = bench.hub.attach(&connection, &bench.signed, &asked, voice, Start::Merge).await;
    assert_eq!(attached.err().unwrap().code, "signed_out");
    assert!(outbox.is_closing());
    assert!(connection.rooms().is_empty());
}

#[tokio::test]
async fn a_revoked_caller_commits_nothing_after_the_change_of_rights_has_returned() {
    let bench = Bench::new(Limits::default()).await;
    let (hub, meta) = (&bench.hub, bench.hub.meta());
    let new = NewPerson {
        id: PersonId::from_bytes([8; 16]),
        username: "bo".into(),
        name: "Bo".into(),
        email: None,
        password_hash: String::new(),
        admin: false,
        language: "en".into(),
    };
    let bo = meta.create_person(&new, NOW).await.unwrap();
    let owner = bench.signed.person.id;
    let to = NewGrantee::Username("bo".into());
    let grant = NewGrant { to, right: Right::Edit, expires_at: None };
    meta.grant(Target::Room(SOUND), &grant, owner, NOW).await.unwrap();
    hub.rights_changed(SOUND).await.unwrap();
    let sign_in = NewSignIn {
        proof: Proof::Password(&new.password_hash),
        token_hash: [8; 32],
        person: bo.id,
        idle_ms_max: 1 << 50,
        user_agent: "",
    };
    meta.create_sign_in(sign_in, NOW).await.unwrap();
    let signed = Signed { person: bo, token_hash: [8; 32], ..bench.signed.clone() };
    for client in 1..=3 {
        hub.merge(&signed, SOUND, letter(client)).await.unwrap();
    }
    let revoked = AtomicBool::new(false);
    let writing = async {
        for client in 4..200 {
            let began_after = revoked.load(Ordering::SeqCst);
            match hub.merge(&signed, SOUND, letter(client)).await {
                Ok(_) => assert!(!began_after, "committed after it was revoked"),
                Err(fault) => return fault.code,
            }
        }
        panic!("never refused");
    };
    let revoking = async {
        meta.revoke(Target::Room(SOUND), "bo").await.unwrap();
        hub.rights_changed(SOUND).await.unwrap();
        revoked.store(true, Ordering::SeqCst);
        hub.state(SOUND, Bytes::new()).await.unwrap()
    };
    let (code, after) = tokio::join!(writing, revoking);
    assert_eq!(code, "not_found");
    let now = hub.state(SOUND, Bytes::new()).await.unwrap();
    assert_eq!(now, after, "nothing was added since");
    // Others' updates go through a change of rights.
    let (merged, changed) =
        tokio::join!(hub.merge(&bench.signed, SOUND, letter(250)), hub.rights_changed(SOUND));
    changed.unwrap();
    merged.unwrap();
}

#[tokio::test]
async fn what_is_put_into_an_inbox_again_is_in_there_once() {
    use weft_core::kind::inbox::{Object, ObjectKind, Op, Told};

    let world = Bench::new(Limits::default()).await;
    let person = world.signed.person.id;
    let told = |title: &str| Told {
        what: "mention".to_owned(),
        actor: None,
        object: Object { kind: ObjectKind::Room, id: [1; 16], title: title.to_owned() },
        params: std::collections::BTreeMap::new(),
    };
    // The power fails after it was put there and before that was noted.
    for _ in 0..2 {
        world.hub.put_in_inbox(person, &Op::Add(7, told("one"))).await.unwrap();
    }
    // The inbox was made before, and the power failed before that was noted.
    let room = weft_store::inbox_of(person);
    world.hub.create(room, "inbox", None).await.unwrap();
    world.hub.put_in_inbox(person, &Op::Add(8, told("two"))).await.unwrap();
    let text = world.hub.text(room).await.unwrap();
    assert_eq!(text, "mention  two");
    let refused = world.hub.put_in_inbox(person, &Op::MarkRead(vec![0; 1_001])).await;
    assert_eq!(refused.unwrap_err().code, "inbox.too_many");
}
