//! What must hold for any bytes that come from outside, one [`Target`] for each decoder.
//!
//! A target panics if it does not hold. The files of `fuzz/corpus` are replayed by this crate's tests,
//! by `cargo test`; `cargo xtask fuzz` looks for new ones, led by coverage (libFuzzer, feature `libfuzzer`).
//!
//! Start at [`TARGETS`].

mod inbox;
mod order;
mod presence;
mod stored;
mod wire;
mod yjs;

use bytes::{Buf as _, Bytes};
use weft_core::{
    PersonId, Right,
    machine::{Author, Machine},
};

/// One decoder and what holds for it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is its corpus' folder too.
    pub name: &'static str,
    /// Panics if what must hold does not.
    pub run: fn(Bytes),
}

/// All of them.
pub const TARGETS: [Target; 14] = [
    Target { name: "awareness", run: presence::awareness },
    Target { name: "hocuspocus", run: wire::hocuspocus },
    Target { name: "inbox-effects", run: inbox::effects },
    Target { name: "inbox-ops", run: inbox::ops },
    Target { name: "inbox-snapshot", run: inbox::snapshot },
    Target { name: "log", run: stored::log },
    Target { name: "native", run: wire::native },
    Target { name: "order-effects", run: order::effects },
    Target { name: "order-ops", run: order::ops },
    Target { name: "order-snapshot", run: order::snapshot },
    Target { name: "state-vector", run: yjs::state_vector },
    Target { name: "update", run: yjs::update },
    Target { name: "update-snapshot", run: yjs::snapshot },
    Target { name: "y-websocket", run: wire::y_websocket },
];

/// Input that stands for several messages: each behind its length in two bytes, the last one cut where
/// the input ends.
fn parts(mut input: Bytes) -> Vec<Bytes> {
    let mut parts = Vec::new();
    while input.len() >= 2 {
        let len = usize::from(input.get_u16_le()).min(input.len());
        parts.push(input.split_to(len));
    }
    parts
}

/// The person of that number, who may do everything.
fn author(person: u8, seq: u64) -> Author {
    let person = Some(PersonId::from_bytes([person; 16]));
    Author { person, right: Right::Manage, at: 1_000 * seq, seq }
}

/// A machine that is opened from a snapshot is the one that wrote it.
fn survives(kind: &str, machine: &dyn Machine) {
    let again = open(kind, &machine.snapshot()).expect("its own snapshot");
    assert_eq!(again.digest(), machine.digest(), "digest after a snapshot");
    assert_eq!(again.text(), machine.text(), "text after a snapshot");
}

fn open(kind: &str, state: &Bytes) -> Option<Box<dyn Machine>> {
    weft_proto::kinds::open(kind, Some(state)).ok()
}
