//! The inbox: an ordered kind, one room for each person. The server alone puts notices in; the person
//! says what is read and takes out what is of no use any more.
//!
//! A notice says what happened, who did it and to which object, in codes: the words are the client's.
//! What one person does to one object again and again is one notice, which then counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::{
    Fault, Millis, PersonId, Right,
    machine::{Author, Kind},
    planted,
};

/// Notices of one inbox. Above it the oldest go, those that are read first.
pub const NOTICES_MAX: usize = 1_000;
/// The same by the same person about the same object within this time counts as one notice.
pub const FOLD_MS: Millis = 10 * 60 * 1000;
/// Notices that one operation of a person may name.
pub const IDS_MAX: usize = NOTICES_MAX;
/// Deliveries that are known again: those with the highest numbers. One with a lower number than all of these counts
/// as known.
pub const DELIVERED_MAX: usize = 64;

/// Names a notice for ever: the seq of the entry that added it.
pub type NoticeId = u64;

/// What can be asked of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// The server tells of something, by a delivery of that number.
    Add(u64, Told),
    /// The server says that something has its answer.
    Settle(u64, Settled),
    /// These have been read.
    MarkRead(Vec<NoticeId>),
    /// These shall stand as if they were new.
    MarkUnread(Vec<NoticeId>),
    /// All have been read up to this one.
    ReadUpTo(NoticeId),
    /// These are of no use any more.
    Remove(Vec<NoticeId>),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// A code, such as `mention`.
    pub what: String,
    /// Who did it, and what they were called then; `None`: the server.
    pub actor: Option<(PersonId, String)>,
    /// To what.
    pub object: Object,
    /// What a message needs to be helpful, such as the right that was given.
    pub params: BTreeMap<String, String>,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What sort of thing.
    pub kind: ObjectKind,
    /// Which one.
    pub id: [u8; 16],
    /// What it was called then.
    pub title: String,
}

/// Sorts of things that notices are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A room.
    Room,
    /// A folder.
    Folder,
    /// A space.
    Space,
}

impl Object {
    fn is(&self, other: &Self) -> bool {
        (self.kind, self.id) == (other.kind, other.id)
    }
}

/// Which notices have their answer, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Notices with this code …
    pub what: String,
    /// … of this person (`None`: of anybody) …
    pub actor: Option<PersonId>,
    /// … about this.
    pub object: Object,
    /// A code of what was answered.
    pub outcome: String,
}

/// A notice as the inbox holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub told: Told,
    /// When it happened last.
    pub at: Millis,
    /// How often.
    pub count: u32,
    /// Whether the person has seen it.
    pub read: bool,
    /// A code of what was answered; empty: nothing yet, or there is nothing to answer.
    pub outcome: String,
}

/// Absolute writes, carried out in this order. What is empty or `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// These are gone.
    pub removed: Vec<NoticeId>,
    /// These are now so.
    pub notices: Vec<(NoticeId, Notice)>,
    /// These are read.
    pub read: Vec<NoticeId>,
    /// These are not.
    pub unread: Vec<NoticeId>,
    /// This delivery is known from now on.
    pub delivered: Option<u64>,
}

/// An inbox's state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inbox {
    notices: BTreeMap<NoticeId, Notice>,
    /// In the order in which they came.
    delivered: Vec<u64>,
}

/// Why an inbox refused an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reject {
    NoRight,
    ServerOnly,
    Repeated,
    TooMany,
}

impl From<Reject> for Fault {
    fn from(reject: Reject) -> Self {
        match reject {
            Reject::NoRight => Self::new("no_right").with("needed", Right::Edit.name()),
            Reject::ServerOnly => Self::new("inbox.server_only"),
            Reject::Repeated => Self::new(Inbox::REPEATED),
            Reject::TooMany => Self::new("inbox.too_many").with("limit", IDS_MAX),
        }
    }
}

impl Inbox {
    /// The name of this kind.
    pub const NAME: &'static str = "inbox";
    /// The code of a delivery that is known already.
    pub const REPEATED: &'static str = "inbox.repeated";

    /// The inbox of these notices and deliveries.
    #[must_use]
    pub fn restore(notices: Vec<(NoticeId, Notice)>, delivered: Vec<u64>) -> Self {
        Self { notices: notices.into_iter().collect(), delivered }
    }

    /// The notices, in order of id.
    pub fn notices(&self) -> impl Iterator<Item = (NoticeId, &Notice)> {
        self.notices.iter().map(|(&id, notice)| (id, notice))
    }

    /// The deliveries that are known again, in the order in which they came.
    #[must_use]
    pub fn delivered(&self) -> &[u64] {
        if planted!(KeepWithoutDeliveries) { &[] } else { &self.delivered }
    }

    fn try_decide(&self, op: &Op, by: &Author) -> Result<Effect, Reject> {
        if by.right < Right::Edit {
            return Err(Reject::NoRight);
        }
        match op {
            Op::Add(delivery, told) => {
                self.must_be_new(*delivery, by)?;
                Ok(Effect { delivered: Some(*delivery), ..self.add(told, by) })
            }
            Op::Settle(delivery, settled) => {
                self.must_be_new(*delivery, by)?;
                Ok(Effect { delivered: Some(*delivery), ..self.settle(settled) })
            }
            Op::MarkRead(ids) => {
                Ok(Effect { read: self.which(ids, |notice| !notice.read)?, ..Effect::default() })
            }
            Op::MarkUnread(ids) => {
                Ok(Effect { unread: self.which(ids, |notice| notice.read)?, ..Effect::default() })
            }
            Op::ReadUpTo(last) => {
                let last = if planted!(ReadPastMark) { NoticeId::MAX } else { *last };
                let seen = self.notices.range(..=last).filter(|(_, notice)| !notice.read);
                Ok(Effect { read: seen.map(|(&id, _)| id).collect(), ..Effect::default() })
            }
            Op::Remove(ids) => {
                Ok(Effect { removed: self.which(ids, |_| true)?, ..Effect::default() })
            }
        }
    }

    /// Nobody but the server tells of anything, and once.
    fn must_be_new(&self, delivery: u64, by: &Author) -> Result<(), Reject> {
        if by.person.is_some() && !planted!(LetAnybodyTell) {
            return Err(Reject::ServerOnly);
        }
        if self.has_had(delivery) && !planted!(DeliverAgain) {
            return Err(Reject::Repeated);
        }
        Ok(())
    }

    /// Deliveries come in order of their numbers, but for those that somebody was late with. One below all
    /// that are known has come before them, or was given up while these came.
    fn has_had(&self, delivery: u64) -> bool {
        let is_old = self.delivered.len() >= DELIVERED_MAX
            && self.delivered.iter().all(|known| delivery < *known);
        self.delivered.contains(&delivery) || (is_old && !planted!(TakeOldForNew))
    }

    /// A notice that folds gets a new id, so that whoever has read the one before has not read this one.
    fn add(&self, told: &Told, by: &Author) -> Effect {
        let actor = |told: &Told| told.actor.as_ref().map(|(person, _)| *person);
        let folds = |notice: &Notice| {
            notice.told.what == told.what
                && actor(&notice.told) == actor(told)
                && notice.told.object.is(&told.object)
                && notice.outcome.is_empty()
                && by.at.saturating_sub(notice.at) <= FOLD_MS
        };
        let before = self.notices.iter().rev().find(|(_, notice)| folds(notice));
        let mut removed: Vec<NoticeId> = before.map(|(&id, _)| id).into_iter().collect();
        let count = before.map_or(0, |(_, notice)| notice.count).saturating_add(1);
        if before.is_none() && self.notices.len() >= NOTICES_MAX {
            let may_go = |notice: &Notice| notice.read || planted!(LoseUnreadFirst);
            let oldest_read = self.notices.iter().find(|(_, notice)| may_go(notice));
            let goes = oldest_read.or_else(|| self.notices.iter().next());
            removed.extend(goes.map(|(&id, _)| id));
        }
        let (told, at, outcome) = (told.clone(), by.at, String::new());
        let read = planted!(CountOnAsRead) && before.is_some_and(|(_, notice)| notice.read);
        let notice = Notice { told, at, count, read, outcome };
        Effect { removed, notices: vec![(by.seq, notice)], ..Effect::default() }
    }

    fn settle(&self, settled: &Settled) -> Effect {
        let Settled { what, actor, object, outcome } = settled;
        let concerns = |notice: &Notice| {
            let by = notice.told.actor.as_ref().map(|(person, _)| *person);
            notice.told.what == *what
                && notice.told.object.is(object)
                && notice.outcome.is_empty()
                && (actor.is_none() || *actor == by || planted!(AnswerEverybody))
        };
        let answered =
            |notice: &Notice| Notice { read: true, outcome: outcome.clone(), ..notice.clone() };
        let concerned = self.notices.iter().filter(|(_, notice)| concerns(notice));
        let notices = concerned.map(|(&id, notice)| (id, answered(notice))).collect();
        Effect { notices, ..Effect::default() }
    }

    /// Those of the ids that name such a notice, ascending.
    fn which(
        &self,
        ids: &[NoticeId],
        wanted: impl Fn(&Notice) -> bool,
    ) -> Result<Vec<NoticeId>, Reject> {
        if ids.len() > IDS_MAX {
            return Err(Reject::TooMany);
        }
        let ids: BTreeSet<NoticeId> = ids.iter().copied().collect();
        let is_wanted = |id: &NoticeId| self.notices.get(id).is_some_and(&wanted);
        Ok(ids.into_iter().filter(is_wanted).collect())
    }
}

impl Kind for Inbox {
    type Op = Op;
    type Effect = Effect;

    fn decide(&self, op: &Op, by: &Author) -> Result<Effect, Fault> {
        self.try_decide(op, by).map_err(Fault::from)
    }

    fn apply(&mut self, effect: &Effect) {
        for id in &effect.removed {
            self.notices.remove(id);
        }
        for (id, notice) in &effect.notices {
            self.notices.insert(*id, notice.clone());
        }
        for (ids, read) in [(&effect.read, true), (&effect.unread, false)] {
            for id in ids {
                if let Some(notice) = self.notices.get_mut(id) {
                    notice.read = read;
                }
            }
        }
        if let Some(delivery) = effect.delivered {
            self.delivered.push(delivery);
            if self.delivered.len() > DELIVERED_MAX {
                let oldest = self.delivered.iter().min().copied();
                self.delivered.retain(|known| Some(*known) != oldest);
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for Notice { told, .. } in self.notices.values() {
            let who = told.actor.as_ref().map_or("", |(_, name)| name);
            let _ = writeln!(text, "{} {who} {}", told.what, told.object.title);
        }
        text.truncate(text.trim_end().len());
        text
    }
}

#[cfg(test)]
mod tests;
