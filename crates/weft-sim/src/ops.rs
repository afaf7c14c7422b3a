//! What people ask of ordered rooms, and what an inbox's person is told: drawn by lot, on few things, so
//! that much of it is about the same.

use bytes::Bytes;
use fastrand::Rng;
use prost::Message as _;
use weft_core::{Seq, kind::inbox::IDS_MAX};
use weft_proto::{inbox_wire as inbox, order_wire as order};

/// The rooms that notices are about.
pub const OBJECTS: u64 = 4;

/// Something that one does with an order, on the lines that the first entries may have made.
pub fn on_order(dice: &mut Rng, head: Seq) -> Bytes {
    use order::order_op::Op;
    let line = dice.u64(2..head.clamp(3, 8));
    let stock = (dice.u64(..100) < 60).then(|| dice.u64(0..20) as u32);
    // The first entries make the lines of which the others speak.
    let op = match if head < 6 { 0 } else { dice.u64(0..100) } {
        0..15 => Op::AddLine(order::AddLine { name: "soup".into(), price_minor: 350, stock }),
        15..26 => {
            let price_minor = dice.u64(0..500);
            Op::EditLine(order::EditLine { line, name: "tea".into(), price_minor, stock })
        }
        26..29 => Op::RemoveLine(order::RemoveLine { line }),
        29..31 => Op::Submit(order::Submit {}),
        31..40 => Op::Reopen(order::Reopen {}),
        _ => {
            let delta = [1, 1, 2, 3, -1, -2][dice.usize(..6)];
            Op::Adjust(order::Adjust { line, delta })
        }
    };
    order::OrderOp { op: Some(op) }.encode_to_vec().into()
}

/// Something that a person does with an inbox. Now and then it is what only the server may.
pub fn on_inbox(dice: &mut Rng, head: Seq) -> Bytes {
    use inbox::inbox_op::Op;
    let op = match dice.u64(0..100) {
        0..30 => Op::MarkRead(some_notices(dice, head)),
        30..45 => Op::MarkUnread(some_notices(dice, head)),
        45..65 => Op::ReadUpTo(inbox::ReadUpTo { id: a_notice(dice, head) }),
        65..80 => Op::Remove(some_notices(dice, head)),
        80..81 => Op::Remove(inbox::Ids { ids: (0..=IDS_MAX as u64).collect() }),
        _ => {
            let delivery = dice.u64(1..60);
            return News::draw(dice).delivered_as(delivery);
        }
    };
    inbox::InboxOp { op: Some(op) }.encode_to_vec().into()
}

/// Mostly one of the newest; it may be gone, or not there yet.
fn a_notice(dice: &mut Rng, head: Seq) -> Seq {
    match dice.u64(..100) < 80 {
        true => (head + 4).saturating_sub(dice.u64(0..24)),
        false => dice.u64(0..head + 4),
    }
}

fn some_notices(dice: &mut Rng, head: Seq) -> inbox::Ids {
    inbox::Ids { ids: (0..dice.u64(1..6)).map(|_| a_notice(dice, head)).collect() }
}

/// What the person of an inbox is to be told.
pub struct News {
    /// What about, if whoever has made that quiet is to hear nothing.
    pub about: Option<u64>,
    told: inbox::Told,
    outcome: Option<&'static str>,
}

impl News {
    /// Something that happened, or an answer to what was asked.
    pub fn draw(dice: &mut Rng) -> Self {
        let about = dice.u64(..OBJECTS);
        let outcome = (dice.u64(..100) < 12).then(|| ["allowed", "declined"][dice.usize(..2)]);
        let what = if outcome.is_some() { "asked" } else { ["mention", "asked"][dice.usize(..2)] };
        let actor_id: Bytes = match dice.u8(..4) {
            0 => Bytes::new(),
            actor => vec![actor; 16].into(),
        };
        let title = ["plan", "the plan"][dice.usize(..2)].to_owned();
        let object = inbox::Object { kind: 0, id: vec![about as u8; 16].into(), title };
        let told = inbox::Told { what: what.to_owned(), actor_id, ..inbox::Told::default() };
        let about = Some(about).filter(|_| outcome.is_none());
        Self { about, told: inbox::Told { object: Some(object), ..told }, outcome }
    }

    /// Something about what nothing else is about.
    pub fn single(n: u64) -> Self {
        let id = [&[0xff; 8][..], &n.to_be_bytes()].concat().into();
        let object = inbox::Object { kind: 2, id, title: "a space".to_owned() };
        let told = inbox::Told {
            what: "invited".to_owned(),
            object: Some(object),
            ..inbox::Told::default()
        };
        Self { about: None, told, outcome: None }
    }

    /// The operation that tells it, as the delivery of this number.
    pub fn delivered_as(self, delivery: u64) -> Bytes {
        use inbox::inbox_op::Op;
        let op = match self.outcome {
            None => Op::Add(inbox::Add { delivery, told: Some(self.told) }),
            Some(outcome) => {
                let inbox::Told { what, actor_id, object, .. } = self.told;
                let outcome = outcome.to_owned();
                Op::Settle(inbox::Settle { delivery, what, actor_id, object, outcome })
            }
        };
        inbox::InboxOp { op: Some(op) }.encode_to_vec().into()
    }
}
