//! An inbox, as a list that is gone through from its beginning each time.

use bytes::Bytes;
use prost::Message as _;
use weft_core::{Entry, Millis, Seq};
use weft_proto::inbox_wire::{self as wire, inbox_op::Op};

use super::{Held, Oracle};
use crate::judge::Broken;

/// The most that an inbox holds, and the most that one may name at once.
const NOTICES_MAX: usize = 1_000;
/// The same again within ten minutes is one notice.
const SAME_MS: Millis = 600_000;

/// What was told, the oldest first.
#[derive(Default)]
pub struct Told(Vec<wire::Notice>);

impl Oracle for Told {
    fn accept(&mut self, entry: &Entry, op: &Bytes) -> Held {
        let by_server = entry.person.is_none();
        match read(op)? {
            Op::Add(wire::Add { told: Some(told), .. }) if by_server => {
                self.tell(entry.seq, entry.at, told);
            }
            Op::Settle(answer) if by_server => self.answer(&answer),
            Op::MarkRead(which) if may_name(&which) => {
                self.mark(true, |id| which.ids.contains(&id))
            }
            Op::MarkUnread(which) if may_name(&which) => {
                self.mark(false, |id| which.ids.contains(&id));
            }
            Op::ReadUpTo(last) => self.mark(true, |id| id <= last.id),
            Op::Remove(which) if may_name(&which) => {
                self.0.retain(|notice| !which.ids.contains(&notice.id));
            }
            op => {
                let how = format!("entry {} should have been refused: {op:?}", entry.seq);
                return Err(Broken(how));
            }
        }
        Ok(())
    }

    fn refuse(&self, op: &Bytes, code: &str) -> Held {
        let due = match read(op)? {
            Op::Add(_) | Op::Settle(_) => Some("inbox.server_only"),
            Op::MarkRead(which) | Op::MarkUnread(which) | Op::Remove(which) => {
                (!may_name(&which)).then_some("inbox.too_many")
            }
            Op::ReadUpTo(_) => None,
        };
        // Who may do nothing may not do this either.
        match code == "no_right" || Some(code) == due {
            true => Ok(()),
            false => Err(Broken(format!("refused with {code}, where {due:?} is due"))),
        }
    }

    fn compare(&self, state: &Bytes) -> Held {
        let state = wire::InboxState::decode(state.clone()).map_err(|e| Broken(e.to_string()))?;
        if state.notices == self.0 {
            return Ok(());
        }
        let unread = |notices: &[wire::Notice]| notices.iter().filter(|n| !n.read).count();
        let (is, must_be) = (unread(&state.notices), unread(&self.0));
        let differs = state.notices.iter().zip(&self.0).find(|(is, must_be)| is != must_be);
        Err(Broken(format!(
            "the inbox has {} notices ({is} unread) and not {} ({must_be} unread): {differs:?}",
            state.notices.len(),
            self.0.len(),
        )))
    }
}

impl Told {
    /// The newest that says the same is counted on, unless it has its answer or is too old; it is news
    /// all the same. If nothing is counted on, an inbox that is full loses one: the oldest that was
    /// read, or the oldest.
    fn tell(&mut self, id: Seq, at_ms: Millis, told: wire::Told) {
        let same = |notice: &wire::Notice| {
            is_about(notice, &told.what, told.object.as_ref())
                && by(notice) == Some(&told.actor_id)
                && notice.at_ms + SAME_MS >= at_ms
        };
        let mut count = 1;
        if let Some(at) = self.0.iter().rposition(same) {
            count += self.0.remove(at).count;
        } else if self.0.len() == NOTICES_MAX {
            let goes = self.0.iter().position(|notice| notice.read).unwrap_or(0);
            self.0.remove(goes);
        }
        let (told, read, outcome) = (Some(told), false, String::new());
        self.0.push(wire::Notice { id, told, at_ms, count, read, outcome });
    }

    /// What waits for this answer has it, and need not be read any more.
    fn answer(&mut self, answer: &wire::Settle) {
        for notice in &mut self.0 {
            let is_by = answer.actor_id.is_empty() || by(notice) == Some(&answer.actor_id);
            if is_by && is_about(notice, &answer.what, answer.object.as_ref()) {
                notice.read = true;
                notice.outcome.clone_from(&answer.outcome);
            }
        }
    }

    fn mark(&mut self, read: bool, which: impl Fn(Seq) -> bool) {
        self.0.iter_mut().filter(|n| which(n.id)).for_each(|notice| notice.read = read);
    }
}

fn read(op: &Bytes) -> Result<Op, Broken> {
    let op = wire::InboxOp::decode(op.clone()).map_err(|e| Broken(e.to_string()))?;
    op.op.ok_or_else(|| Broken("no operation of an inbox".to_owned()))
}

fn may_name(which: &wire::Ids) -> bool {
    which.ids.len() <= NOTICES_MAX
}

fn by(notice: &wire::Notice) -> Option<&Bytes> {
    notice.told.as_ref().map(|told| &told.actor_id)
}

/// Whether a notice has no answer and says that of this, whatever it is called by now.
fn is_about(notice: &wire::Notice, what: &str, object: Option<&wire::Object>) -> bool {
    let name = |object: Option<&wire::Object>| object.map(|o| (o.kind, o.id.clone()));
    let told = notice.told.as_ref();
    told.is_some_and(|told| told.what == what && name(told.object.as_ref()) == name(object))
        && notice.outcome.is_empty()
}
