//! What holds for every document that has accepted something.

use weft_core::{
    PersonId, Right,
    kind::doc::Doc,
    machine::{Author, Machine as _, Merging as _},
};

pub fn editor() -> Author {
    let person = Some(PersonId::from_bytes([1; 16]));
    Author { person, right: Right::Edit, at: 0, seq: 2 }
}

/// Checks everything that a server reads from a document against a fresh load of it; false if its text
/// stands in another order there. That is so for characters of which a half was moved, and for what would
/// stand before its right neighbour and after its left one where these are the other way round: what the
/// library makes of these depends on the order in which it learns of them. Yjs itself sends both now and then
/// (the second when something is redone), so they are not refused. The test beside this bounds how many there may be.
pub fn is_whole(doc: &Doc) -> bool {
    let load = |doc: &Doc| Doc::open(&doc.snapshot()).expect("what was accepted can be loaded");
    let (mut fresh, json) = (load(doc), |doc: &Doc| doc.json(None, 1 << 20).expect("small"));
    assert_eq!(fresh.digest(), doc.digest(), "digest");
    assert_eq!(fresh.state_vector().len(), doc.state_vector().len(), "state vector");
    serde_json::from_str::<serde_json::Value>(&json(doc)).expect("what is written is JSON");
    doc.json(Some("default"), 1 << 20).expect("small");
    assert_eq!(load(&fresh).digest(), doc.digest(), "digest when loaded twice");
    let missing = doc.missing_from(&fresh.state_vector()).expect("its own state vector");
    assert_eq!(fresh.execute(&missing, &editor()), Ok(None), "it lacks nothing");
    (fresh.text(), json(&fresh)) == (doc.text(), json(doc))
}
