//! Notices: what happens to people is told to them, in their inboxes.
//!
//! What causes a notice stores a delivery before it is answered ([`App::tell`]); one task puts deliveries into
//! inboxes, in order for each person, and removes them. What cannot be put there now is tried again. Nobody is
//! told of what they cannot open, nor of what they have muted: that is looked up when it is delivered.
//!
//! Start at [`deliver`].
//! Not here: what an inbox does with a notice (`weft_core::kind::inbox`), letters (`digest`), browsers (`push`).

pub(crate) mod words;

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Notify, time::timeout};
use weft_core::{
    Fault, FolderId, PersonId, Right, RoomId,
    kind::inbox::{Notice, Object, ObjectKind, Op, Settled, Told},
};
use weft_proto::inbox::{read_op, write_op};
use weft_store::{
    AskedFor, Delivery, FolderRow, MetaError, NewDelivery, Person, RoomRow, SpaceRow, Target,
    ToldOf,
};

use crate::state::App;

/// Deliveries and requests that are read at once.
const BATCH: u64 = 100;
/// When what could not be delivered is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// Of those who can answer a request so many are told; the others find it in the Share dialog.
const MANAGERS_TOLD_MAX: usize = 50;

/// Codes of notices.
pub(crate) mod what {
    /// Somebody is asked to join a space.
    pub const INVITED: &str = "space.invited";
    /// Somebody was taken out of a space.
    pub const REMOVED: &str = "space.removed";
    /// A right on a room or folder was given.
    pub const GRANTED: &str = "grant";
    /// Somebody asks to be let into a room.
    pub const ASKED: &str = "access.asked";
    /// They were let in.
    pub const ALLOWED: &str = "access.allowed";
    /// They were not.
    pub const DECLINED: &str = "access.declined";
    /// A webhook of a space was turned off, because nobody takes what it sends.
    pub const WEBHOOK_OFF: &str = "webhook.off";
    /// A space will soon hold all that it may.
    pub const NEARLY_FULL: &str = "space.nearly_full";
    /// Somebody was mentioned in a room.
    pub const MENTIONED: &str = "mention";
}

/// What happened, and by whom.
pub(crate) struct News<'a> {
    pub what: &'static str,
    pub actor: &'a Person,
    pub object: Object,
    pub params: &'a [(&'static str, &'a str)],
}

impl News<'_> {
    /// The delivery of this to somebody who may know of it.
    pub fn to(self, to: PersonId, about: Option<Target>) -> NewDelivery {
        let params = self.params.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let told = Told {
            what: self.what.to_owned(),
            actor: Some((self.actor.id, self.actor.name.clone())),
            object: self.object,
            params: params.collect(),
        };
        NewDelivery { to, about, op: write_op(&Op::Add(0, told)).to_vec() }
    }
}

/// The delivery that says to somebody that a notice has its answer. `actor` is whoever it came from.
pub(crate) fn settled(
    to: PersonId,
    what: &str,
    actor: Option<PersonId>,
    object: Object,
    outcome: &str,
) -> NewDelivery {
    let (what, outcome) = (what.to_owned(), outcome.to_owned());
    let op = Op::Settle(0, Settled { what, actor, object, outcome });
    NewDelivery { to, about: None, op: write_op(&op).to_vec() }
}

/// A room, as notices name it.
pub(crate) fn room_object(row: &RoomRow) -> Object {
    Object { kind: ObjectKind::Room, id: *row.id.as_bytes(), title: row.title.clone() }
}

/// A folder, as notices name it.
pub(crate) fn folder_object(row: &FolderRow) -> Object {
    Object { kind: ObjectKind::Folder, id: *row.id.as_bytes(), title: row.name.clone() }
}

/// A space, as notices name it.
pub(crate) fn space_object(row: &SpaceRow) -> Object {
    Object { kind: ObjectKind::Space, id: *row.id.as_bytes(), title: row.name.clone() }
}

/// Wakes whoever delivers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bell(Arc<Notify>);

impl Bell {
    /// Something waits.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until it rings, or has rung since the last time.
    pub async fn rings(&self) {
        self.0.notified().await;
    }
}

impl App {
    /// Stores what people are to be told, so that it is not lost, and has it delivered.
    pub(crate) async fn tell(&self, news: Vec<NewDelivery>) -> Result<(), MetaError> {
        self.meta.post(&news, self.clock.now()).await?;
        self.bell.ring();
        Ok(())
    }

    /// A request to be let into a room is over, if it waited: whoever could have answered is told so.
    pub(crate) async fn end_request(
        &self,
        room: &RoomRow,
        person: PersonId,
        outcome: &'static str,
    ) -> Result<bool, MetaError> {
        let now = self.clock.now();
        let declined_at = (outcome == DECLINED).then_some(now);
        let asked = AskedFor { room: room.id, person };
        if !self.meta.end_request(asked, declined_at).await? {
            return Ok(false);
        }
        let to_all = self.managers_of(room).await?.into_iter();
        let settled = |to| settled(to, what::ASKED, Some(person), room_object(room), outcome);
        self.tell(to_all.map(settled).collect()).await?;
        Ok(true)
    }

    /// Those who can answer requests, who made the room first.
    async fn managers_of(&self, room: &RoomRow) -> Result<Vec<PersonId>, MetaError> {
        let people = self.meta.audience(room.id, self.clock.now()).await?.people;
        let managers = people.into_iter().filter(|member| member.right == Right::Manage);
        Ok(managers.map(|member| member.person.id).take(MANAGERS_TOLD_MAX).collect())
    }
}

/// What a request came to.
pub(crate) const ALLOWED: &str = "allowed";
/// What a request came to.
pub(crate) const DECLINED: &str = "declined";

/// Delivers what waits, now and whenever something comes, until the server is gone.
pub(crate) async fn deliver(app: Weak<App>, bell: Bell) {
    loop {
        let Some(state) = app.upgrade() else { return };
        let is_done = state.deliver_all().await.unwrap_or_else(|error| {
            tracing::error!(%error, "notices cannot be delivered now");
            false
        });
        drop(state);
        if is_done {
            bell.rings().await;
        } else {
            let _ = timeout(AGAIN, bell.rings()).await;
        }
    }
}

/// What became of a delivery.
enum Put {
    /// Something new is in the inbox.
    New,
    /// There is nothing more to do.
    Done,
    /// It has to be tried again.
    NotNow,
}

impl App {
    /// Whether nothing waits any more.
    async fn deliver_all(&self) -> Result<bool, MetaError> {
        loop {
            let requests = self.meta.untold_requests(BATCH).await?;
            if requests.is_empty() {
                break;
            }
            for asked in requests {
                self.tell_of_request(asked).await?;
            }
        }
        // Who cannot be told now is told nothing later first.
        let mut held = BTreeSet::new();
        let mut after = 0;
        loop {
            let deliveries = self.meta.deliveries(after, BATCH).await?;
            let Some(last) = deliveries.last() else { return Ok(held.is_empty()) };
            after = last.id;
            for delivery in deliveries {
                let (id, to) = (delivery.id, delivery.to);
                if held.contains(&to) {
                    continue;
                }
                // From before anybody can see the notice.
                let at = self.clock.now();
                match self.put(delivery).await? {
                    Put::New => {
                        let letter_due = self.letter_due(at);
                        let told = ToldOf { person: to, at, letter_due };
                        self.meta.delivered(id, Some(&told)).await?;
                        self.push_bell.ring();
                    }
                    Put::Done => self.meta.delivered(id, None).await?,
                    Put::NotNow => drop(held.insert(to)),
                }
            }
        }
    }

    /// Tells those who can answer a request of it. A request for what is not there, or can be opened by who asks,
    /// is over.
    async fn tell_of_request(&self, asked: AskedFor) -> Result<(), MetaError> {
        let now = self.clock.now();
        let row = self.meta.room_by_id(asked.room).await?.filter(|row| row.trashed_at.is_none());
        let (Some(room), Some(person)) = (row, self.meta.person(asked.person).await?) else {
            return self.meta.end_request(asked, None).await.map(drop);
        };
        if self.meta.right(room.id, person.id, now).await?.is_some() {
            return self.meta.end_request(asked, None).await.map(drop);
        }
        let news = |to| {
            let (what, object) = (what::ASKED, room_object(&room));
            let news = News { what, actor: &person, object, params: &[] };
            news.to(to, Some(Target::Room(room.id)))
        };
        let news: Vec<_> = self.managers_of(&room).await?.into_iter().map(news).collect();
        self.meta.request_told(asked, &news, now).await
    }

    /// Puts one delivery into its inbox, unless its person is not to hear of it.
    async fn put(&self, Delivery { id, to, about, op }: Delivery) -> Result<Put, MetaError> {
        if !self.may_hear(to, about).await? {
            return Ok(Put::Done);
        }
        let (op, put) = match read_op(&Bytes::from(op)) {
            Ok(Op::Add(_, told)) => (Op::Add(id, told), Put::New),
            Ok(Op::Settle(_, settled)) => (Op::Settle(id, settled), Put::Done),
            Ok(_) | Err(_) => {
                tracing::error!(id, "a delivery cannot be read, and is dropped");
                return Ok(Put::Done);
            }
        };
        match self.hub.put_in_inbox(to, &op).await {
            Ok(()) => Ok(put),
            Err(fault) if is_passing(&fault) => Ok(Put::NotNow),
            Err(fault) => {
                tracing::error!(id, %to, %fault, "a delivery was refused, and is dropped");
                Ok(Put::Done)
            }
        }
    }

    /// Whether the person may know of this now.
    pub(crate) async fn may_be_told(
        &self,
        person: PersonId,
        notice: &Notice,
    ) -> Result<bool, MetaError> {
        let Object { kind, id, .. } = notice.told.object;
        let about = match (kind, &*notice.told.what) {
            // That one may not open it is what these say.
            (_, what::DECLINED | what::REMOVED) | (ObjectKind::Space, _) => None,
            (ObjectKind::Room, _) => Some(Target::Room(RoomId::from_bytes(id))),
            (ObjectKind::Folder, _) => Some(Target::Folder(FolderId::from_bytes(id))),
        };
        self.may_hear(person, about).await
    }

    /// Whether the person may open what this is about, and has not muted it.
    pub(crate) async fn may_hear(
        &self,
        to: PersonId,
        about: Option<Target>,
    ) -> Result<bool, MetaError> {
        let now = self.clock.now();
        match about {
            None => Ok(self.meta.person(to).await?.is_some()),
            Some(Target::Room(room)) => {
                let row = self.meta.room_by_id(room).await?;
                Ok(row.is_some_and(|row| row.trashed_at.is_none())
                    && self.meta.right(room, to, now).await?.is_some()
                    && !self.meta.is_muted(room, to).await?)
            }
            Some(Target::Folder(folder)) => {
                let view = self.meta.folder_view(folder, to, now).await?;
                Ok(view.is_some_and(|view| view.row.trashed_at.is_none()))
            }
        }
    }
}

fn is_passing(fault: &Fault) -> bool {
    matches!(&*fault.code, "room_unavailable" | "store_failed" | "busy")
}
