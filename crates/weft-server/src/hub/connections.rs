//! The connections of this process, and how many each person and each token has.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use weft_core::{Millis, PersonId, RoomId, SessionId};

use super::RoomHandle;
use crate::{
    auth::{Credential, Signed},
    config::Limits,
    outbox::Outbox,
};

/// A connection, as the hub knows it.
pub(crate) struct Connection {
    pub(crate) session: SessionId,
    pub(crate) person: PersonId,
    /// From then on it may not go on.
    pub(super) expires_at: Millis,
    /// Names its credential.
    pub(crate) token_hash: [u8; 32],
    minted_with: Option<[u8; 32]>,
    /// On whose account it is: the people of a host application are not on the minter's own.
    accounts: [Option<Account>; 2],
    pub(crate) outbox: Arc<Outbox>,
    /// The rooms that it follows.
    rooms: Mutex<BTreeMap<RoomId, RoomHandle>>,
}

impl Connection {
    pub(super) fn new(session: SessionId, signed: &Signed, outbox: Arc<Outbox>) -> Self {
        Self {
            session,
            person: signed.person.id,
            expires_at: signed.expires_at,
            token_hash: signed.token_hash,
            minted_with: signed.minted_with(),
            accounts: match &signed.credential {
                Credential::SignIn | Credential::Personal(_) => {
                    [Some(Account::Person(signed.person.id)), None]
                }
                Credential::Room(_) => {
                    let all = Account::GuestsOf(signed.person.id);
                    [Some(all), Some(Account::RoomToken(signed.token_hash))]
                }
                Credential::Guest(pass) => [Some(Account::Link(pass.minted_with)), None],
            },
            outbox,
            rooms: Mutex::default(),
        }
    }

    pub(crate) fn rooms(&self) -> MutexGuard<'_, BTreeMap<RoomId, RoomHandle>> {
        self.rooms.lock().expect("nothing panics while it holds this lock")
    }

    /// Whether it ends with the credentials of these hashes.
    pub(super) fn ends_with(&self, ended: &BTreeSet<[u8; 32]>) -> bool {
        let minted_with = self.minted_with.as_ref();
        ended.contains(&self.token_hash) || minted_with.is_some_and(|hash| ended.contains(hash))
    }

    fn accounts(&self) -> impl Iterator<Item = Account> {
        self.accounts.into_iter().flatten()
    }
}

/// Something that may have so many connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Account {
    /// A person's sign-ins and access tokens.
    Person(PersonId),
    /// All room tokens that a person has minted.
    GuestsOf(PersonId),
    /// One room token.
    RoomToken([u8; 32]),
    /// All guests who came by one link.
    Link([u8; 32]),
}

impl Account {
    const fn connections_max(self, limits: &Limits) -> u64 {
        match self {
            Self::Person(_) => limits.connections_per_person_max,
            Self::GuestsOf(_) => limits.connections_by_room_tokens_max,
            Self::RoomToken(_) => limits.connections_per_room_token_max,
            Self::Link(_) => limits.connections_per_link_max,
        }
    }
}

/// All connections.
#[derive(Default)]
pub(super) struct Connections {
    all: HashMap<SessionId, Arc<Connection>>,
    counts: HashMap<Account, u64>,
}

impl Connections {
    /// Takes a connection in, unless one of its accounts has too many already.
    pub fn insert(&mut self, connection: Arc<Connection>, limits: &Limits) -> bool {
        let count = |account| self.counts.get(&account).copied().unwrap_or(0);
        let full = |account: Account| count(account) >= account.connections_max(limits);
        if connection.accounts().any(full) {
            return false;
        }
        for account in connection.accounts() {
            *self.counts.entry(account).or_default() += 1;
        }
        self.all.insert(connection.session, connection);
        true
    }

    /// Lets a connection go. Whether it was here.
    pub fn remove(&mut self, session: SessionId) -> bool {
        let Some(connection) = self.all.remove(&session) else { return false };
        for account in connection.accounts() {
            if let Some(count) = self.counts.get_mut(&account) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&account);
                }
            }
        }
        true
    }

    /// Those of which `wanted` is true.
    pub fn which(&self, wanted: impl Fn(&Connection) -> bool) -> Vec<Arc<Connection>> {
        self.all.values().filter(|connection| wanted(connection)).cloned().collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
