//! Documents: updates, state vectors and snapshots, past the checker and into the machine.

#[path = "../../crates/weft-core/tests/hostile/whole.rs"]
mod whole;

use bytes::Bytes;
use weft_core::{
    kind::doc::{Doc, Known, begins, check},
    machine::{Machine as _, Merging as _, Upset},
};

/// A document's history, whoever wrote it: each update is accepted or refused, and the document is whole.
pub fn update(input: Bytes) {
    let mut doc = Doc::default();
    for (update, seq) in super::parts(input).into_iter().zip(2..) {
        let before = doc.digest();
        let news = doc.is_news(&update);
        match doc.execute(&update, &super::author(1, seq)) {
            Ok(effect) => {
                assert_eq!(
                    effect.is_some(),
                    doc.digest() != before,
                    "what is logged changes something"
                );
                assert!(effect.is_none() || news == Ok(true), "logged, but no news");
                whole::is_whole(&doc);
            }
            Err(Upset::Refused(_)) => assert_eq!(doc.digest(), before, "refused, but changed"),
            Err(Upset::Broken(why)) => panic!("{why}"),
        }
    }
}

/// A document of two clients, with deletions: `deleted in two places` of `proto/vectors/doc.json`.
const DOCUMENT: &[u8] = b"\x02\x01\xff\xff\xff\xff\xff\xff\xff\x0f\0\x04\x01\x01t\x0a\xe4\xbd\xa0\xe5\xa5\xbd\xf0\x9f\x98\x80\x04\x01\0\
    \x04\x01\x01t\x01h\x81\x01\0\x01\x84\x01\x01\x02ll\x81\x01\x03\x01\x01\x01\x02\x01\x01\x04\x01";

/// A replica with that state vector, as the document answers it.
pub fn state_vector(input: Bytes) {
    let mut doc = Doc::open(&Bytes::from_static(DOCUMENT)).expect("a whole document");
    let Ok(missing) = doc.missing_from(&input) else { return };
    let known = Known::default();
    // Bytes that this program makes pass its own checker, but for what the replica has.
    if let Err(flaw @ weft_core::kind::doc::Flaw::Malformed { .. }) = check(&missing, &known) {
        panic!("the answer: {flaw}");
    }
    begins(&missing).expect("the answer's shape");
    assert_eq!(doc.execute(&missing, &super::author(1, 2)), Ok(None), "it has what it answers");
}

/// A snapshot's state. What is stored may have something from before its place was looked at; of that a
/// library may make something else each time, but nothing worse.
pub fn snapshot(state: Bytes) {
    let Ok(doc) = Doc::open(&state) else { return };
    let again = Doc::open(&doc.snapshot()).expect("its own snapshot");
    if check(&state, &Known::default()).is_ok_and(|news| !news.misplaced) {
        assert_eq!(again.digest(), doc.digest(), "digest after a snapshot");
    }
}
