//! Vectors that the TypeScript side replays, and golden files of what the log stores (L7).
//!
//! The files are made by the Rust side and checked here. `WEFT_UPDATE_VECTORS=1` writes them anew;
//! files under `proto/golden` are never rewritten, only added to.

use std::{fs, path::PathBuf, sync::Arc};

use bytes::Bytes;
use prost::Message;
use serde_json::json;
use weft_core::{Body, ClientId, Entry, Fault, Ledger, PersonId, Right, Verdict, machine::Author};
use weft_proto::{
    inbox_wire, kinds, log,
    order_wire::{self, order_op::Op},
};
use yrs::{OffsetKind, Options, Text, Transact, WriteTxn};

fn proto_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Holds a file to what it should be, or writes it when asked to.
fn held(name: &str, content: &str) {
    let path = proto_dir().join("vectors").join(name);
    if std::env::var_os("WEFT_UPDATE_VECTORS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(&path, content).expect("the file can be written");
    }
    let present = fs::read_to_string(&path).expect("the file is there");
    assert_eq!(present, content, "{name} is out of date");
}

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn author(n: u8, seq: u64) -> Author {
    Author { person: Some(person(n)), right: Right::Manage, at: 1_700_000_000_000 + seq, seq }
}

fn op(op: Op) -> Bytes {
    order_wire::OrderOp { op: Some(op) }.encode_to_vec().into()
}

fn add(name: &str, price_minor: u64, stock: Option<u32>) -> Bytes {
    op(Op::AddLine(order_wire::AddLine { name: name.into(), price_minor, stock }))
}

fn adjust(line: u64, delta: i32) -> Bytes {
    op(Op::Adjust(order_wire::Adjust { line, delta }))
}

#[test]
fn orders_as_the_other_side_replays_them() {
    let edit = order_wire::EditLine { line: 2, name: "Tea".into(), price_minor: 350, stock: None };
    let cases = [
        (
            "a lunch",
            vec![
                (1, add("Noodles", 1800, None)),
                (1, add("茶 tea", 300, Some(3))),
                (2, adjust(1, 2)),
                (3, adjust(2, 3)),
                (2, adjust(2, 1)),
                (3, adjust(2, -1)),
                (3, adjust(1, 1)),
                (2, adjust(2, 1)),
                (1, op(Op::EditLine(edit))),
                (1, op(Op::RemoveLine(order_wire::RemoveLine { line: 1 }))),
                (2, op(Op::Submit(order_wire::Submit {}))),
                (1, op(Op::Reopen(order_wire::Reopen {}))),
                (1, op(Op::Close(order_wire::Close {}))),
            ],
        ),
        (
            "nothing left of it",
            vec![
                (1, add("Cake", 1, Some(1))),
                (1, adjust(1, 1)),
                (1, adjust(1, -1)),
                (1, op(Op::RemoveLine(order_wire::RemoveLine { line: 1 }))),
            ],
        ),
    ];
    let mut out = Vec::new();
    for (name, ops) in cases {
        let mut machine = kinds::open("order", None).expect("a kind");
        let mut steps = Vec::new();
        for (who, op) in ops {
            let seq = steps.len() as u64 + 1;
            if let Ok(Some(effect)) = machine.execute(&op, &author(who, seq)) {
                let state = machine.snapshot();
                steps.push(json!({
                    "effect": hex(&effect), "state": hex(&state), "digest": hex(&machine.digest()),
                }));
                let reopened = kinds::open("order", Some(&state)).expect("its own state");
                assert_eq!(reopened.snapshot(), state);
            }
        }
        out.push(json!({ "name": name, "steps": steps }));
    }
    held("order.json", &format!("{}\n", serde_json::to_string_pretty(&out).expect("JSON")));
}

#[test]
fn inboxes_as_the_other_side_replays_them() {
    use inbox_wire::inbox_op::Op as In;
    let op = |op: In| -> Bytes { inbox_wire::InboxOp { op: Some(op) }.encode_to_vec().into() };
    let object = |id: u8, title: &str| inbox_wire::Object {
        kind: inbox_wire::ObjectKind::Room.into(),
        id: vec![id; 16].into(),
        title: title.into(),
    };
    let told = |delivery, what: &str, who: u8, about, params: &[(&str, &str)]| {
        let param = |(name, value): &(&str, &str)| inbox_wire::Param {
            name: (*name).into(),
            value: (*value).into(),
        };
        let told = inbox_wire::Told {
            what: what.into(),
            actor_id: if who == 0 { Bytes::new() } else { vec![who; 16].into() },
            actor_name: if who == 0 { String::new() } else { format!("林 {who}") },
            object: Some(about),
            params: params.iter().map(param).collect(),
        };
        op(In::Add(inbox_wire::Add { delivery, told: Some(told) }))
    };
    let ids = |ids: &[u64]| inbox_wire::Ids { ids: ids.to_vec() };
    let settle = inbox_wire::Settle {
        delivery: 8,
        what: "access.asked".into(),
        actor_id: vec![3; 16].into(),
        object: Some(object(2, "")),
        outcome: "allowed".into(),
    };
    let (right, role) = ([("right", "edit"), ("until", "9")], [("role", "viewer")]);
    let ops = [
        (0, told(3, "grant", 1, object(1, "Q4 计划"), &right)),
        (0, told(4, "mention", 2, object(1, "Q4 计划"), &[])),
        (0, told(5, "mention", 2, object(1, "Q4"), &[])),
        (0, told(5, "mention", 2, object(1, "Q4"), &[])),
        (0, told(6, "access.asked", 3, object(2, ""), &[])),
        (0, told(7, "invited", 0, object(3, "T"), &role)),
        (9, told(9, "grant", 1, object(1, "forged"), &[])),
        (9, op(In::MarkRead(ids(&[1, 3])))),
        (9, op(In::MarkUnread(ids(&[1])))),
        (0, op(In::Settle(settle))),
        (9, op(In::Remove(ids(&[3])))),
        (9, op(In::ReadUpTo(inbox_wire::ReadUpTo { id: 5 }))),
    ];
    let mut machine = kinds::open("inbox", None).expect("a kind");
    let mut steps = Vec::new();
    let mut refused = 0;
    for (who, op) in ops {
        let seq = steps.len() as u64 + 1;
        let mut by = author(who, seq);
        by.person = by.person.filter(|_| who > 0);
        if let Ok(Some(effect)) = machine.execute(&op, &by) {
            let state = machine.snapshot();
            steps.push(json!({
                "effect": hex(&effect), "state": hex(&state), "digest": hex(&machine.digest()),
            }));
            let reopened = kinds::open("inbox", Some(&state)).expect("its own state");
            assert_eq!(reopened.snapshot(), state);
        } else {
            refused += 1;
        }
    }
    assert_eq!(refused, 2, "the repeat and the forgery");
    let out = json!([{ "name": "a day", "steps": steps }]);
    held("inbox.json", &format!("{}\n", serde_json::to_string_pretty(&out).expect("JSON")));
}

#[test]
fn documents_and_their_digests() {
    let client = |id: u64| {
        let mut options = Options::with_client_id(yrs::ClientID::new(id));
        options.offset_kind = OffsetKind::Utf16;
        yrs::Doc::with_options(options)
    };
    let typed = |doc: &yrs::Doc, at: u32, remove: u32, insert: &str| -> Bytes {
        let mut txn = doc.transact_mut();
        let text = txn.get_or_insert_text("t");
        text.remove_range(&mut txn, at, remove);
        text.insert(&mut txn, at, insert);
        txn.encode_update_v1().into()
    };
    let (a, b) = (client(1), client(9_007_199_254_740_991));
    let updates = [
        ("one client", vec![typed(&a, 0, 0, "hello")]),
        ("two clients", vec![typed(&b, 0, 0, "你好😀")]),
        ("deleted in two places", vec![typed(&a, 1, 1, ""), typed(&a, 3, 1, "")]),
        ("deleted side by side", vec![typed(&b, 0, 1, ""), typed(&b, 0, 1, "")]),
    ];
    let mut machine = kinds::open("doc", None).expect("a kind");
    let empty = json!({ "name": "empty", "update": "0000", "digest": hex(&machine.digest()) });
    let mut out = vec![empty];
    for (name, updates) in updates {
        for update in updates {
            machine.apply(&update).expect("an update");
        }
        let state = machine.snapshot();
        let loaded = kinds::open("doc", Some(&state)).expect("its own state");
        assert_eq!(loaded.digest(), machine.digest());
        // Blocks of several clients may be written in either order; the digest must not care.
        out.push(json!({ "name": name, "update": hex(&state), "digest": hex(&machine.digest()) }));
    }
    let updated = std::env::var_os("WEFT_UPDATE_VECTORS").is_some();
    let path = proto_dir().join("vectors/doc.json");
    if updated {
        held("doc.json", &format!("{}\n", serde_json::to_string_pretty(&out).expect("JSON")));
    }
    let present: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(path).expect("the file is there")).expect("JSON");
    for (there, here) in present.iter().zip(&out) {
        assert_eq!((&there["name"], &there["digest"]), (&here["name"], &here["digest"]));
    }
    assert_eq!(present.len(), out.len());
}

fn sample_entries() -> Vec<Arc<Entry>> {
    let entry = |seq, client, person, body| {
        let client_seq = if client == 0 { 0 } else { 3 };
        Arc::new(Entry {
            seq,
            client: ClientId(client),
            client_seq,
            person,
            at: 1_700_000_000_000,
            body,
        })
    };
    vec![
        entry(1, 0, None, Body::Created { kind: "doc".into(), epoch: 1, lineage: 1 }),
        entry(2, 77, Some(person(5)), Body::Effect(Bytes::from_static(&[0, 0]))),
    ]
}

fn sample_ledger() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.settle(Verdict::Accepted(2), 10);
    ledger.settle(Verdict::Refused(Fault::new("room_full").with("limit", 9)), 20);
    ledger
}

fn sample_snapshot() -> log::Snapshot {
    let state = Bytes::from_static(&[0, 0]);
    log::Snapshot { seq: 2, state, kind: "doc".into(), epoch: 1, lineage: 1 }
}

/// What version 1 wrote, for ever.
fn golden(name: &str, present: &Bytes) -> Bytes {
    let path = proto_dir().join("golden").join(name);
    if !path.exists() && std::env::var_os("WEFT_UPDATE_VECTORS").is_some() {
        fs::write(&path, present).expect("the file can be written");
    }
    fs::read(&path).expect("the file is there").into()
}

#[test]
fn l7_what_version_1_wrote_is_read() {
    let batch = golden("batch.v1.bin", &log::encode_batch(&sample_entries()));
    assert_eq!(log::decode_batch(1, &batch), Ok(sample_entries()));
    let ledger = golden("ledger.v1.bin", &log::encode_ledger(&sample_ledger()));
    assert_eq!(log::decode_ledger(&ledger), Ok(sample_ledger()));
    let snapshot = golden("snapshot.v1.bin", &log::encode_snapshot(&sample_snapshot()));
    assert_eq!(log::decode_snapshot(&snapshot), Ok(sample_snapshot()));
}

#[test]
fn l7_what_a_newer_version_wrote_is_refused() {
    let mut newer = log::encode_batch(&sample_entries()).to_vec();
    newer[0] = 2;
    let refused = log::decode_batch(1, &newer.into());
    assert_eq!(refused, Err(weft_proto::FormatError::Version(2, 1)));
    assert!(log::decode_batch(2, &log::encode_batch(&sample_entries())).is_err(), "other seqs");
    assert!(log::decode_ledger(&Bytes::new()).is_err());
}
