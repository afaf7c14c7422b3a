//! The inbox between its core types and `proto/inbox.proto`. The server writes operations itself: see [`write_op`].

use bytes::Bytes;
use prost::Message;
use weft_core::{
    PersonId,
    kind::inbox::{Effect, Inbox, Notice, NoticeId, Object, ObjectKind, Op, Settled, Told},
    machine::Damaged,
};

use crate::{FormatError, inbox_wire as wire, kinds::Wired, log::person_from_wire};

/// An operation's bytes, as the server gives them to an inbox.
#[must_use]
pub fn write_op(op: &Op) -> Bytes {
    use wire::inbox_op::Op as W;
    let ids = |ids: &[NoticeId]| wire::Ids { ids: ids.to_vec() };
    let op = match op {
        Op::Add(delivery, told) => {
            W::Add(wire::Add { delivery: *delivery, told: Some(told_to_wire(told)) })
        }
        Op::Settle(delivery, settled) => W::Settle(wire::Settle {
            delivery: *delivery,
            what: settled.what.clone(),
            actor_id: settled.actor.map(|id| person(&id)).unwrap_or_default(),
            object: Some(object_to_wire(&settled.object)),
            outcome: settled.outcome.clone(),
        }),
        Op::MarkRead(read) => W::MarkRead(ids(read)),
        Op::MarkUnread(unread) => W::MarkUnread(ids(unread)),
        Op::ReadUpTo(id) => W::ReadUpTo(wire::ReadUpTo { id: *id }),
        Op::Remove(removed) => W::Remove(ids(removed)),
    };
    wire::InboxOp { op: Some(op) }.encode_to_vec().into()
}

/// An operation from such bytes.
///
/// # Errors
/// [`FormatError`] if these are no bytes of an operation.
pub fn read_op(bytes: &Bytes) -> Result<Op, FormatError> {
    Inbox::op(bytes)
}

/// An inbox from a snapshot of one.
///
/// # Errors
/// [`Damaged`] if these are no bytes of an inbox.
pub fn read_state(bytes: &Bytes) -> Result<Inbox, Damaged> {
    Inbox::state(bytes)
}

impl Wired for Inbox {
    fn op(bytes: &Bytes) -> Result<Op, FormatError> {
        use wire::inbox_op::Op as W;
        let op = wire::InboxOp::decode(bytes.clone())?.op.ok_or(FormatError::Field("op"))?;
        Ok(match op {
            W::Add(add) => Op::Add(add.delivery, told(add.told)?),
            W::Settle(settle) => {
                let wire::Settle { delivery, what, actor_id, object: about, outcome } = settle;
                let actor = person_from_wire(&actor_id)?;
                Op::Settle(delivery, Settled { what, actor, object: object(about)?, outcome })
            }
            W::MarkRead(read) => Op::MarkRead(read.ids),
            W::MarkUnread(unread) => Op::MarkUnread(unread.ids),
            W::ReadUpTo(last) => Op::ReadUpTo(last.id),
            W::Remove(removed) => Op::Remove(removed.ids),
        })
    }

    fn effect_bytes(effect: &Effect) -> Bytes {
        let notices = effect.notices.iter().map(|(id, notice)| notice_to_wire(*id, notice));
        wire::InboxEffect {
            removed: effect.removed.clone(),
            notices: notices.collect(),
            read: effect.read.clone(),
            unread: effect.unread.clone(),
            delivered: effect.delivered,
        }
        .encode_to_vec()
        .into()
    }

    fn effect(bytes: &Bytes) -> Result<Effect, FormatError> {
        let effect = wire::InboxEffect::decode(bytes.clone())?;
        Ok(Effect {
            removed: effect.removed,
            notices: effect.notices.into_iter().map(notice).collect::<Result<_, _>>()?,
            read: effect.read,
            unread: effect.unread,
            delivered: effect.delivered,
        })
    }

    fn state_bytes(&self) -> Bytes {
        let notices = self.notices().map(|(id, notice)| notice_to_wire(id, notice)).collect();
        let delivered = self.delivered().to_vec();
        wire::InboxState { notices, delivered }.encode_to_vec().into()
    }

    fn state(bytes: &Bytes) -> Result<Self, Damaged> {
        let damaged = |e: FormatError| Damaged(e.to_string());
        let state = wire::InboxState::decode(bytes.clone()).map_err(|e| damaged(e.into()))?;
        let notices = state.notices.into_iter().map(notice).collect::<Result<_, _>>();
        Ok(Self::restore(notices.map_err(damaged)?, state.delivered))
    }
}

fn person(id: &PersonId) -> Bytes {
    Bytes::copy_from_slice(id.as_bytes())
}

fn notice_to_wire(id: NoticeId, notice: &Notice) -> wire::Notice {
    wire::Notice {
        id,
        told: Some(told_to_wire(&notice.told)),
        at_ms: notice.at,
        count: notice.count,
        read: notice.read,
        outcome: notice.outcome.clone(),
    }
}

fn notice(notice: wire::Notice) -> Result<(NoticeId, Notice), FormatError> {
    let wire::Notice { id, told: what, at_ms, count, read, outcome } = notice;
    Ok((id, Notice { told: told(what)?, at: at_ms, count, read, outcome }))
}

fn told_to_wire(told: &Told) -> wire::Told {
    let (actor_id, actor_name) = match &told.actor {
        None => (Bytes::new(), String::new()),
        Some((id, name)) => (person(id), name.clone()),
    };
    let param = |(name, value): (&String, &String)| wire::Param {
        name: name.clone(),
        value: value.clone(),
    };
    wire::Told {
        what: told.what.clone(),
        actor_id,
        actor_name,
        object: Some(object_to_wire(&told.object)),
        params: told.params.iter().map(param).collect(),
    }
}

fn told(told: Option<wire::Told>) -> Result<Told, FormatError> {
    let told = told.ok_or(FormatError::Field("told"))?;
    let actor = person_from_wire(&told.actor_id)?.map(|id| (id, told.actor_name));
    let params = told.params.into_iter().map(|param| (param.name, param.value)).collect();
    Ok(Told { what: told.what, actor, object: object(told.object)?, params })
}

fn object_to_wire(object: &Object) -> wire::Object {
    let kind = match object.kind {
        ObjectKind::Room => wire::ObjectKind::Room,
        ObjectKind::Folder => wire::ObjectKind::Folder,
        ObjectKind::Space => wire::ObjectKind::Space,
    };
    let id = Bytes::copy_from_slice(&object.id);
    wire::Object { kind: kind.into(), id, title: object.title.clone() }
}

fn object(object: Option<wire::Object>) -> Result<Object, FormatError> {
    let wire::Object { kind, id, title } = object.ok_or(FormatError::Field("object"))?;
    let kind = match wire::ObjectKind::try_from(kind) {
        Ok(wire::ObjectKind::Room) => ObjectKind::Room,
        Ok(wire::ObjectKind::Folder) => ObjectKind::Folder,
        Ok(wire::ObjectKind::Space) => ObjectKind::Space,
        Err(_) => return Err(FormatError::Field("object.kind")),
    };
    let id = id[..].try_into().map_err(|_| FormatError::Field("object.id"))?;
    Ok(Object { kind, id, title })
}
