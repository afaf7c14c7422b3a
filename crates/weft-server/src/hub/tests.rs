//! Rooms that fail, and rooms that nobody needs any more.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedReceiver;
use weft_core::{
    Seq,
    room::{Message, Outcome, Start},
};
use weft_store::{Append, Loaded, LogError, NewPerson, NewRoom, Person, SqliteLog, StoredBatch};

use super::*;
use crate::outbox::Manner;

const NOW: u64 = 1_800_000_000_000;

/// A log that makes the next append to one room panic.
struct Treacherous {
    log: SqliteLog,
    room: RoomId,
    armed: AtomicBool,
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

    async fn close(&self) {
        self.log.close().await;
    }
}

const FAILING: RoomId = RoomId::from_bytes([1; 16]);
const SOUND: RoomId = RoomId::from_bytes([2; 16]);

struct Bench {
    hub: Hub,
    log: Arc<Treacherous>,
    person: Person,
    _dir: tempfile::TempDir,
}

/// A session that merges, without a socket.
struct Session {
    connection: Arc<Connection>,
    said: UnboundedReceiver<Message>,
    tickets: u64,
}

impl Bench {
    async fn new(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(&dir.path().join("log"), Default::default()).await.unwrap();
        let log = Arc::new(Treacherous { log, room: FAILING, armed: AtomicBool::new(false) });
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
        let hub = Hub::new(log.clone(), Arc::clone(&meta), Clock::system(), limits);
        for id in [FAILING, SOUND] {
            hub.create(id, "doc", None).await.unwrap();
            let (kind, title, owner) = ("doc".into(), String::new(), person.id);
            let room = NewRoom { id, kind, title, key: None, owner };
            meta.create_room(&room, 10, NOW).await.unwrap();
        }
        Self { hub, log, person, _dir: dir }
    }

    async fn open(&self, room: RoomId) -> Session {
        let outbox = Arc::new(Outbox::new(Manner::Messages, self.hub.limits()));
        let connection = self.hub.connect(self.person.id, [0; 32], outbox).unwrap();
        let (answers, said) = mpsc::unbounded_channel();
        let (voice, asked) = (Voice::Yjs(answers), room.to_string());
        let attached =
            self.hub.attach(&connection, &self.person, &asked, voice, Start::Merge).await;
        attached.unwrap();
        let mut session = Session { connection, said, tickets: 0 };
        session.until(|message| matches!(message, Message::Attached(_))).await;
        session
    }
}

impl Session {
    async fn until(&mut self, wanted: impl Fn(&Message) -> bool) -> Message {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.said.recv());
            match next.await.expect("said in time") {
                Some(message) if wanted(&message) => return message,
                Some(_) => {}
                None => panic!("the room let go without a word"),
            }
        }
    }

    /// Merges an update that inserts a letter; each Yjs client inserts its own.
    async fn merge(&mut self, room: RoomId, client: u8) {
        self.tickets += 1;
        let update = Bytes::from(vec![1, 1, client, 0, 4, 1, 1, b't', 1, b'x', 0]);
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
