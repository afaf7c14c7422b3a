//! Mutated messages against the decoders of this crate: none panics, and what is read is written again as
//! something that reads the same.

#![allow(missing_docs, reason = "tests document themselves by their names")]
#![allow(clippy::print_stdout, reason = "how much was tried")]

#[path = "../../weft-core/tests/hostile/mutate.rs"]
mod mutate;

use bytes::Bytes;
use mutate::{Dice, mutated, recorded};
use weft_core::awareness::Aware;
use weft_proto::{
    frame, inbox_wire, order_wire,
    wire::{self, client_frame::Body},
    yjs::{self, Message, Sync},
};

const CASES: usize = 40_000;

fn messages(update: &[u8]) -> [Vec<u8>; 3] {
    let update = Bytes::copy_from_slice(update);
    let state = Some(Bytes::from_static(b"{\"user\":{\"name\":\"Lin\"}}"));
    let aware =
        vec![Aware { client: 300, clock: 1, state }, Aware { client: 1, clock: 2, state: None }];
    let room = Bytes::from_static(&[7; 16]);
    let submit =
        wire::Submit { room: room.clone(), client_id: 9, client_seq: 1, op: update.clone() };
    let attach = wire::Attach { room: "key".into(), since_seq: 3, epoch: 1, lineage: 1 };
    let native = [
        frame::to_server(Body::Hello(wire::Hello { version: 1, client_ids: vec![1, 2] })),
        frame::to_server(Body::Attach(attach)),
        frame::to_server(Body::Submit(submit)),
    ];
    [
        native.concat(),
        Message::Sync(Sync::Update(update)).write().to_vec(),
        Message::Awareness(aware).write().to_vec(),
    ]
}

#[test]
fn l10_mutated_messages_are_read_or_refused() {
    let updates: Vec<Vec<u8>> = recorded().into_iter().flatten().collect();
    let mut dice = Dice(3);
    let mut read = [0; 5];
    for _ in 0..CASES {
        let update = dice.pick(&updates);
        let all = messages(update);
        let message = dice.pick(&all);
        let bytes = Bytes::from(mutated(&mut dice, message, &all[1]));
        if let Ok(message) = Message::read(&bytes) {
            assert_eq!(Message::read(&message.write()), Ok(message), "{bytes:?}");
            read[0] += 1;
        }
        if let Ok(frames) = frame::read::<wire::ClientFrame>(bytes.clone()) {
            let written: Vec<u8> = frames.iter().flat_map(frame::write).collect();
            assert_eq!(frame::read::<wire::ClientFrame>(written.into()), Ok(frames), "{bytes:?}");
            read[1] += 1;
        }
        if let Ok(told) = yjs::read_awareness(&bytes) {
            assert_eq!(yjs::read_awareness(&yjs::write_awareness(&told)), Ok(told), "{bytes:?}");
            read[2] += 1;
        }
        if <order_wire::OrderOp as prost::Message>::decode(bytes.clone()).is_ok() {
            read[3] += 1;
        }
        if <inbox_wire::InboxOp as prost::Message>::decode(bytes).is_ok() {
            read[4] += 1;
        }
    }
    println!("{CASES} mutated messages: {read:?} read by each decoder");
    assert!(read[0] > 100 && read[1] > 100, "{read:?}: few are read, this tests little");
}
