//! Documents: convergence against Yjs itself, and bytes that mean harm.

use proptest::prelude::*;
use yrs::{GetString, Text, Xml, XmlElementPrelim, XmlFragment, XmlTextPrelim};

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
    assert_eq!(loaded.known, doc.known);
}

#[test]
fn what_was_stored_is_read_when_it_is_needed() {
    let a = client(1);
    let mut first = Doc::default();
    first.execute(&edit(&a, 0, 0, "hello"), &editor()).unwrap();
    let stored = first.snapshot();
    let is_read = |doc: &Doc| doc.doc.get().is_some();

    let mut doc = Doc::open(&stored).unwrap();
    assert_eq!(doc.snapshot(), stored);
    assert_eq!(doc.missing_from(&Bytes::from_static(&[0])), Ok(stored.clone()));
    assert_eq!(doc.state_vector(), first.state_vector());
    assert!(!is_read(&doc), "passing it on needs no document");

    let tail = edit(&a, 5, 0, " world");
    doc.apply(&tail).unwrap();
    assert!(!is_read(&doc));
    assert_eq!(doc.text(), "hello world");
    assert_ne!(doc.snapshot(), stored, "the tail belongs to the state");

    let mut doc = Doc::open(&stored).unwrap();
    assert_eq!(doc.execute(&tail, &editor()), Ok(Some(tail.clone())));
    assert_eq!(doc.text(), "hello world");
    assert_ne!(doc.snapshot(), stored);
    first.execute(&tail, &editor()).unwrap();
    assert_eq!((doc.digest(), doc.state_vector()), (first.digest(), first.state_vector()));

    let large = edit(&client(2), 0, 0, &"x".repeat(UNREAD_BYTES_MAX));
    let doc = Doc::open(&large).unwrap();
    assert!(is_read(&doc), "reading much later would hold others up");
}

#[test]
fn what_was_stored_and_makes_no_sense_is_an_error() {
    let update = edit(&client(1), 0, 0, "hello");
    assert!(Doc::open(&update.slice(..update.len() - 1)).is_err());
    assert!(Doc::open(&edit_of_nothing_known()).is_err());
}

/// An update that builds on one that nobody has.
fn edit_of_nothing_known() -> Bytes {
    let doc = client(1);
    edit(&doc, 0, 0, "hello");
    edit(&doc, 5, 0, " world")
}

#[test]
fn news_is_what_inserts_or_deletes_something() {
    let a = client(1);
    let mut doc = Doc::default();
    let one = edit(&a, 0, 0, "abcd");
    doc.execute(&one, &editor()).unwrap();
    let deletion = edit(&a, 1, 2, "");
    assert_eq!(doc.is_news(&one), Ok(false));
    assert_eq!(doc.is_news(&deletion), Ok(true));
    doc.execute(&deletion, &editor()).unwrap();
    assert_eq!(doc.is_news(&deletion), Ok(false));
    let all = a.transact().encode_state_as_update_v1(&StateVector::default());
    assert_eq!(doc.is_news(&all.into()), Ok(false));
    assert_eq!(doc.is_news(&edit(&a, 0, 0, "x")), Ok(true));
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
fn a_mention_is_a_name_within_its_line() {
    let doc = client(1);
    let fragment = doc.get_or_insert_xml_fragment("default");
    {
        let mut txn = doc.transact_mut();
        let paragraph = fragment.push_back(&mut txn, XmlElementPrelim::empty("paragraph"));
        paragraph.push_back(&mut txn, XmlTextPrelim::new("Ask "));
        let mention = paragraph.push_back(&mut txn, XmlElementPrelim::empty("mention"));
        mention.insert_attribute(&mut txn, "id", "7");
        mention.insert_attribute(&mut txn, "label", "林月");
        paragraph.push_back(&mut txn, XmlTextPrelim::new(" today"));
        paragraph.push_back(&mut txn, XmlElementPrelim::empty("mention"));
        let next = fragment.push_back(&mut txn, XmlElementPrelim::empty("paragraph"));
        next.push_back(&mut txn, XmlTextPrelim::new("end"));
    }
    let state = doc.transact().encode_state_as_update_v1(&StateVector::default());
    assert_eq!(Doc::open(&state.into()).unwrap().text(), "Ask @林月 today\nend");
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

#[test]
fn l10_types_nest_so_deep_and_no_deeper() {
    // Arrays in arrays: each but the first names the one before as its parent.
    let nested = |depth: u32| {
        let number = |out: &mut Vec<u8>, mut value: u32| {
            while value > 0x7f {
                out.push((value & 0x7f) as u8 | 0x80);
                value >>= 7;
            }
            out.push(value as u8);
        };
        let mut update = vec![1];
        number(&mut update, depth);
        update.extend([1, 0]);
        update.extend([7, 1, 1, b'a', 0]);
        for parent in 0..depth - 1 {
            update.extend([7, 0, 1]);
            number(&mut update, parent);
            update.push(0);
        }
        update.push(0);
        update
    };
    assert_eq!(refused(&mut Doc::default(), &nested(100_000)), "op_malformed");
    assert_eq!(refused(&mut Doc::default(), &nested(501)), "op_malformed");
    let mut doc = Doc::default();
    doc.execute(&nested(500).into(), &editor()).unwrap();
    let deepest = [1, 1, 1, 0xf4, 0x03, 7, 0, 1, 0xf3, 0x03, 0, 0];
    assert_eq!(refused(&mut doc, &deepest), "op_malformed", "one deeper, in an update of its own");
    let beside = [1, 1, 1, 0xf4, 0x03, 0x87, 1, 0xf3, 0x03, 0, 0];
    doc.execute(&Bytes::copy_from_slice(&beside), &editor()).unwrap();
    let within = [1, 1, 1, 0xf5, 0x03, 7, 0, 1, 0xf4, 0x03, 0, 0];
    assert_eq!(refused(&mut doc, &within), "op_malformed", "in what is beside the deepest");
    let mut doc = Doc::open(&doc.snapshot()).unwrap();
    assert_eq!(refused(&mut doc, &within), "op_malformed", "after it was loaded");
    // Deleting the outermost deletes all of them, recursively.
    doc.execute(&Bytes::from_static(&[0, 1, 1, 1, 0, 1]), &editor()).unwrap();
    assert_eq!(doc.json(None, 100), Ok(r#"{"a":null}"#.to_owned()));
}

#[test]
fn characters_outside_the_first_plane_are_read_wherever_they_are() {
    let text = edit(&client(1), 0, 0, "a👋b");
    let mut doc = Doc::default();
    doc.execute(&text, &editor()).unwrap();
    assert_eq!(doc.text(), "a👋b");
    // In an array, in a map.
    let mut nested = vec![1, 2, 3, 0, 0x27, 1, 1, b'm', 1, b'k', 0, 4, 0, 3, 0, 4];
    nested.extend("👋".bytes());
    nested.push(0);
    doc.execute(&nested.into(), &editor()).unwrap();
    assert_eq!(doc.json(None, 100).unwrap(), r#"{"m":{"k":["👋"]},"t":"a👋b"}"#);
    // A paragraph beside the text, which makes it a fragment.
    let node = [1, 1, 2, 0, 7, 1, 1, b't', 3, 1, b'p', 0];
    doc.execute(&Bytes::copy_from_slice(&node), &editor()).unwrap();
    assert_eq!(doc.json(Some("t"), 100).unwrap(), r#"{"type":"doc","content":[{"type":"p"}]}"#);
    assert_eq!(doc.text(), "");
    assert_eq!(doc.json(None, 10), Err(TooLarge));
}

#[test]
fn l10_what_is_in_something_that_holds_nothing_is_refused() {
    let mut doc = Doc::default();
    doc.execute(&edit(&client(1), 0, 0, "abc"), &editor()).unwrap();
    let in_a_letter = [1, 1, 2, 0, 4, 0, 1, 1, 1, b'x', 0];
    assert_eq!(refused(&mut doc, &in_a_letter), "op_malformed");
    let format_without_json = [1, 1, 2, 0, 0x86, 1, 0, 1, b'b', 1, b'{', 0];
    assert_eq!(refused(&mut doc, &format_without_json), "op_malformed");
}

#[test]
fn what_is_known_in_part_goes_where_that_part_is() {
    let one = edit(&client(1), 0, 0, "abc");
    let mut doc = Doc::default();
    doc.execute(&one, &editor()).unwrap();
    // The whole text again, and more of it: as a script sends what it has.
    let longer = [1, 1, 1, 0, 4, 1, 1, b't', 5, b'a', b'b', b'c', b'd', b'e', 0];
    let effect = doc.execute(&Bytes::copy_from_slice(&longer), &editor()).unwrap().unwrap();
    assert_eq!(&effect[..], [1, 1, 1, 3, 0x84, 1, 2, 2, b'd', b'e', 0], "only what is new");
    assert_eq!(doc.text(), "abcde");
    // The same, but from elsewhere by its own account.
    let elsewhere = [1, 1, 1, 0, 4, 1, 1, b'u', 6, b'a', b'b', b'c', b'd', b'e', b'f', 0];
    doc.execute(&Bytes::copy_from_slice(&elsewhere), &editor()).unwrap();
    assert_eq!(doc.json(None, 100).unwrap(), r#"{"t":"abcdef"}"#);
    assert_eq!(Doc::open(&doc.snapshot()).unwrap().json(None, 100).unwrap(), r#"{"t":"abcdef"}"#);
}

#[test]
fn l10_xml_hooks_which_the_library_reads_otherwise_are_refused() {
    let hook = [1, 1, 1, 0, 7, 1, 1, b'a', 5, 1, b'h', 0];
    assert_eq!(refused(&mut Doc::default(), &hook), "op_malformed");
}

/// Whether an update is taken by a document that has these; one that it takes reads the same when it is loaded.
fn takes(before: &[&[u8]], update: &[u8]) -> bool {
    let mut doc = Doc::default();
    for update in before {
        doc.execute(&Bytes::copy_from_slice(update), &editor()).unwrap();
    }
    match doc.execute(&Bytes::copy_from_slice(update), &editor()) {
        Ok(_) => {
            assert_eq!(Doc::open(&doc.snapshot()).unwrap().digest(), doc.digest(), "{update:?}");
            true
        }
        Err(Upset::Refused(fault)) if fault.code == "op_malformed" => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn l10_the_value_of_a_key_is_not_split() {
    let value = [1, 1, 1, 0, 0x24, 1, 1, b'm', 1, b'k', 2, b'a', b'b', 0];
    let after = |clock| [1, 1, 2, 0, 0x84, 1, clock, 1, b'x', 0];
    assert!(!takes(&[&value], &after(0)), "beside its first letter");
    assert!(takes(&[&value], &after(1)), "beside its last one: it is replaced");
    let gone = |start, len| [0, 1, 1, 1, start, len];
    assert!(!takes(&[&value], &gone(0, 1)));
    assert!(!takes(&[&value], &gone(1, 1)));
    assert!(takes(&[&value], &gone(0, 2)));
    // Two values that were replaced, as one who keeps what is deleted tells of them.
    let replaced = [1, 1, 1, 0, 0x28, 1, 1, b'm', 1, b'k', 2, 126, 126, 1, 1, 1, 0, 2];
    assert!(takes(&[&replaced], &after(0)));
    // The rest of a value that is known in part, and then its middle.
    let longer = [1, 1, 1, 0, 0x24, 1, 1, b'm', 1, b'k', 4, b'a', b'b', b'c', b'd', 0];
    assert!(takes(&[&value], &longer));
    assert!(!takes(&[&value, &longer], &after(2)));
    assert!(takes(&[&value, &longer], &after(3)));
}

#[test]
fn l10_what_is_put_where_no_client_puts_it_is_refused() {
    let text = [1, 1, 1, 0, 4, 1, 1, b't', 2, b'a', b'b', 0];
    let other = [1, 1, 2, 0, 4, 1, 1, b'u', 2, b'c', b'd', 0];
    let value = [1, 1, 3, 0, 0x28, 1, 1, b'm', 1, b'k', 1, 126, 0];
    let known: [&[u8]; 3] = [&text, &other, &value];
    let between = |left: u8, right: u8| [1, 1, 9, 0, 0xc4, left, 0, right, 1, 1, b'x', 0];
    assert!(takes(&known, &between(1, 1)));
    assert!(!takes(&known, &between(1, 2)), "between two texts");
    let value_with_neighbours = [1, 1, 9, 0, 0xc8, 3, 0, 3, 0, 1, 126, 0];
    assert!(!takes(&known, &value_with_neighbours), "between a value and itself");
    let before_a_value = [1, 1, 9, 0, 0x48, 3, 0, 1, 126, 0];
    assert!(!takes(&known, &before_a_value));
    let bold = [1, 1, 9, 0, 0x86, 3, 0, 1, b'b', 4, b't', b'r', b'u', b'e', 0];
    assert!(!takes(&known, &bold), "bold from the value of a key on");
    // Yjs 13.6 puts back so what was deleted together with its neighbours.
    let redone = [1, 1, 9, 0, 0xc4, 1, 0, 1, 0, 1, b'x', 0];
    assert!(takes(&known, &redone));
}

#[test]
fn what_was_accepted_before_it_was_looked_at_is_still_read() {
    let value = [1, 1, 1, 0, 0x24, 1, 1, b'm', 1, b'k', 2, b'a', b'b', 0];
    let split = [1, 1, 2, 0, 0x84, 1, 0, 1, b'x', 0];
    let mut doc = Doc::default();
    for effect in [&value[..], &split[..]] {
        doc.apply(&Bytes::copy_from_slice(effect)).unwrap();
    }
    Doc::open(&doc.snapshot()).unwrap();
}
