//! Documents: convergence against Yjs itself, and bytes that mean harm.

use proptest::prelude::*;
use yrs::{GetString, Text, XmlElementPrelim, XmlFragment, XmlTextPrelim};

use super::*;
use crate::PersonId;

fn editor() -> Author {
    let person = Some(PersonId::from_bytes([1; 16]));
    Author { person, right: Right::Edit, at: 0, seq: 2 }
}

fn client(id: u64) -> YDoc {
    let mut options = Options::with_client_id(yrs::ClientID::new(id));
    options.offset_kind = OffsetKind::Utf16;
    YDoc::with_options(options)
}

/// Edits a client's document and returns the update that this makes.
fn edit(doc: &YDoc, at: u32, remove: u32, insert: &str) -> Bytes {
    let text = doc.get_or_insert_text("t");
    let mut txn = doc.transact_mut();
    text.remove_range(&mut txn, at, remove);
    text.insert(&mut txn, at, insert);
    txn.encode_update_v1().into()
}

fn refused(doc: &mut Doc, update: &[u8]) -> String {
    match doc.execute(&Bytes::copy_from_slice(update), &editor()) {
        Err(Upset::Refused(fault)) => fault.code.into_owned(),
        other => panic!("not refused but {other:?}"),
    }
}

#[test]
fn updates_converge_and_repeats_add_nothing() {
    let (a, b) = (client(1), client(2));
    let mut doc = Doc::default();
    let (one, two) = (edit(&a, 0, 0, "hello"), edit(&b, 0, 0, "世界"));
    assert_eq!(doc.execute(&one, &editor()), Ok(Some(one.clone())));
    assert_eq!(doc.execute(&two, &editor()), Ok(Some(two.clone())));
    assert_eq!(doc.execute(&one, &editor()), Ok(None), "a repeat is not logged");
    let mut other = Doc::default();
    other.apply(&two).unwrap();
    other.apply(&one).unwrap();
    assert_eq!(other.text(), doc.text());
    assert_eq!(other.digest(), doc.digest());
    let loaded = Doc::open(&doc.snapshot()).unwrap();
    assert_eq!((loaded.text(), loaded.digest()), (doc.text(), doc.digest()));
    assert_eq!(loaded.clocks, doc.clocks);
}

#[test]
fn a_deletion_is_a_change_once() {
    let a = client(1);
    let mut doc = Doc::default();
    let one = edit(&a, 0, 0, "abc");
    doc.execute(&one, &editor()).unwrap();
    let before = doc.digest();
    let two = edit(&a, 1, 1, "");
    assert_eq!(doc.execute(&two, &editor()), Ok(Some(two.clone())));
    assert_eq!(doc.execute(&two, &editor()), Ok(None));
    assert_ne!(doc.digest(), before);
    assert_eq!(doc.text(), "ac");
}

#[test]
fn l10_what_builds_on_something_missing_is_refused_and_leaves_nothing() {
    let a = client(1);
    let (one, two) = (edit(&a, 0, 0, "abc"), edit(&a, 3, 0, "def"));
    let gone = edit(&a, 0, 2, "");
    let mut doc = Doc::default();
    let empty = doc.digest();
    assert_eq!(refused(&mut doc, &two), "missing_predecessors");
    assert_eq!(refused(&mut doc, &gone), "missing_predecessors");
    assert_eq!(doc.digest(), empty);
    for update in [one, two, gone] {
        doc.execute(&update, &editor()).unwrap();
    }
    assert_eq!(doc.text(), "cdef");
}

#[test]
fn l10_pending_structs_that_make_a_library_panic_are_refused() {
    let poison = [
        1, 2, 129, 28, 70, 1, 0, 98, 4, 116, 114, 117, 101, 1, 1, 7, 1, 8, 1, 98, 4, 110, 117, 108,
        108, 1, 1, 1, 2, 5,
    ];
    assert_eq!(refused(&mut Doc::default(), &poison), "op_malformed");
}

#[test]
fn l10_deep_nesting_is_refused_without_recursion() {
    let nested = |depth: usize| {
        let mut update = vec![1, 1, 1, 0, 8, 1, 1, b'a', 1];
        (0..depth).for_each(|_| update.extend([117, 1]));
        update.extend([126, 0]);
        update
    };
    assert_eq!(refused(&mut Doc::default(), &nested(1_000_000)), "op_malformed");
    assert_eq!(refused(&mut Doc::default(), &nested(100)), "op_malformed");
    assert!(Doc::default().execute(&nested(90).into(), &editor()).is_ok());
    let json = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let mut update = vec![1, 1, 1, 0, 5, 1, 1, b'a', 0x90, 0x03];
    update.extend(json.as_bytes());
    update.push(0);
    assert_eq!(refused(&mut Doc::default(), &update), "op_malformed");
}

#[test]
fn counts_that_the_bytes_cannot_hold_are_refused() {
    for update in [
        &[][..],
        &[0xff, 0xff, 0xff, 0x7f],
        &[1, 0xff, 0xff, 0xff, 0x7f, 1, 0],
        &[0, 0xff, 0xff, 0xff, 0x7f],
        &[0, 1, 1, 0xff, 0xff, 0xff, 0x7f],
        &[1, 1, 1, 0, 8, 1, 1, b'a', 0xff, 0xff, 0xff, 0x7f],
        &[0xff; 12],
        &[0, 0, 0],
    ] {
        assert_eq!(refused(&mut Doc::default(), update), "op_malformed", "{update:?}");
    }
}

#[test]
fn two_that_wait_for_each_other_are_refused() {
    // Client 1's struct has client 2's as its origin, and the other way round.
    let update = [2, 1, 1, 0, 0x84, 2, 0, 1, b'a', 1, 2, 0, 0x84, 1, 0, 1, b'b', 0];
    assert_eq!(refused(&mut Doc::default(), &update), "missing_predecessors");
}

#[test]
fn a_reader_writes_nothing() {
    let reader = Author { right: Right::Comment, ..editor() };
    let one = edit(&client(1), 0, 0, "x");
    let fault = Fault::new("no_right").with("needed", "edit");
    assert_eq!(Doc::default().execute(&one, &reader), Err(Upset::Refused(fault)));
}

#[test]
fn text_is_blocks_on_lines_and_roots_by_name() {
    let doc = client(1);
    let fragment = doc.get_or_insert_xml_fragment("default");
    let title = doc.get_or_insert_text("a title");
    {
        let mut txn = doc.transact_mut();
        title.insert(&mut txn, 0, "Title");
        let list = fragment.push_back(&mut txn, XmlElementPrelim::empty("list"));
        for text in ["one", "two"] {
            let item = list.push_back(&mut txn, XmlElementPrelim::empty("item"));
            let paragraph = item.push_back(&mut txn, XmlElementPrelim::empty("p"));
            let run = paragraph.push_back(&mut txn, XmlTextPrelim::new(text));
            run.format(&mut txn, 0, 2, [("bold".into(), true.into())].into());
        }
        fragment.push_back(&mut txn, XmlElementPrelim::empty("p"));
        let last = fragment.push_back(&mut txn, XmlElementPrelim::empty("p"));
        last.push_back(&mut txn, XmlTextPrelim::new("end"));
    }
    let state = doc.transact().encode_state_as_update_v1(&StateVector::default());
    let loaded = Doc::open(&state.into()).unwrap();
    assert_eq!(loaded.text(), "Title\none\ntwo\n\nend");
}

proptest! {
    /// Random histories of three clients: what the checker lets through is what Yjs integrates,
    /// in any order in which predecessors come first; and every replica agrees.
    #[test]
    fn replicas_agree_in_any_fitting_order(
        edits in proptest::collection::vec((0..3_usize, any::<u32>(), 0..4_u32, "[a-z好]{0,4}"), 1..40),
        order in any::<u64>(),
    ) {
        let clients: Vec<YDoc> = (1..=3).map(client).collect();
        let mut lanes: Vec<Vec<Bytes>> = vec![Vec::new(); 3];
        for (who, at, remove, insert) in edits {
            let text = clients[who].get_or_insert_text("t");
            let len = text.len(&clients[who].transact());
            let at = at.checked_rem(len + 1).unwrap_or(0);
            lanes[who].push(edit(&clients[who], at, remove.min(len - at), &insert));
        }
        let mut doc = Doc::default();
        let mut other = Doc::default();
        for update in lanes.iter().flatten() {
            doc.execute(update, &editor()).unwrap();
        }
        // Another order that keeps each client's own.
        let mut next = [0; 3];
        let mut seed = order;
        while next.iter().zip(&lanes).any(|(&n, lane)| n < lane.len()) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let who = (seed >> 33) as usize % 3;
            if let Some(update) = lanes[who].get(next[who]) {
                other.execute(update, &editor()).unwrap();
                next[who] += 1;
            }
        }
        let oracle = client(9);
        for update in lanes.iter().flatten() {
            oracle.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
        }
        let text = oracle.get_or_insert_text("t");
        let expected = text.get_string(&oracle.transact());
        prop_assert_eq!(doc.text(), expected);
        prop_assert_eq!(doc.digest(), other.digest());
        prop_assert_eq!(doc.digest(), Doc::open(&doc.snapshot()).unwrap().digest());
    }

    /// Mutated updates never panic, never leave pending structs, and never spoil a document.
    #[test]
    fn mutated_updates_do_no_harm(
        flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..6),
    ) {
        let a = client(1);
        let mut doc = Doc::default();
        doc.execute(&edit(&a, 0, 0, "some text 好"), &editor()).unwrap();
        let mut bytes = edit(&a, 3, 2, "more").to_vec();
        for (at, value) in flips {
            let at = usize::from(at) % bytes.len();
            bytes[at] = value;
        }
        match doc.execute(&bytes.into(), &editor()) {
            Ok(_) | Err(Upset::Refused(_)) => {
                let loaded = Doc::open(&doc.snapshot()).unwrap();
                prop_assert_eq!(loaded.digest(), doc.digest());
            }
            Err(Upset::Broken(_)) => {} // The room is loaded anew.
        }
    }
}
