//! Inboxes: operations of the server and of the person, effects and snapshots.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message as _;
use weft_core::{
    kind::inbox::NOTICES_MAX,
    machine::{Author, Upset},
};
use weft_proto::{
    inbox_wire::{InboxOp, InboxState, inbox_op::Op},
    kinds,
};

const KIND: &str = "inbox";

/// Operations of the server and of a person in turn. A replica that applies the effects has the same state;
/// a person adds nothing; what the server adds is bounded, and there once for each delivery.
pub fn ops(input: Bytes) {
    let mut inbox = kinds::open(KIND, None).expect("the kind exists");
    let mut replica = kinds::open(KIND, None).expect("the kind exists");
    let mut delivered = BTreeSet::new();
    for (op, seq) in super::parts(input).into_iter().zip(2..) {
        let before = inbox.digest();
        let author = super::author(1, seq);
        let is_server = seq % 3 != 0;
        let author = Author { person: author.person.filter(|_| !is_server), ..author };
        match inbox.execute(&op, &author) {
            Ok(effect) => {
                replica.apply(&effect.expect("every operation is logged")).expect("an effect");
                assert_eq!(replica.digest(), inbox.digest(), "the replica's state");
                let delivery = match InboxOp::decode(op).expect("it was read").op {
                    Some(Op::Add(add)) => Some(add.delivery),
                    Some(Op::Settle(settle)) => Some(settle.delivery),
                    _ => None,
                };
                assert!(is_server || delivery.is_none(), "forged");
                assert!(delivery.is_none_or(|n| delivered.insert(n)), "came twice");
            }
            Err(Upset::Refused(_)) => assert_eq!(inbox.digest(), before, "refused, but changed"),
            Err(Upset::Broken(why)) => panic!("{why}"),
        }
    }
    let state = InboxState::decode(inbox.snapshot()).expect("a state of its own");
    assert!(state.notices.len() <= NOTICES_MAX);
    super::survives(KIND, inbox.as_ref());
}

/// Effects as a log may hold them: applied or refused, and the state can be stored.
pub fn effects(input: Bytes) {
    let mut inbox = kinds::open(KIND, None).expect("the kind exists");
    for effect in super::parts(input) {
        let before = inbox.digest();
        if inbox.apply(&effect).is_err() {
            assert_eq!(inbox.digest(), before, "refused, but changed");
        }
    }
    super::survives(KIND, inbox.as_ref());
}

/// A snapshot's state.
pub fn snapshot(state: Bytes) {
    if let Some(inbox) = super::open(KIND, &state) {
        super::survives(KIND, inbox.as_ref());
    }
}
