//! A document's content over HTTP, as servers and scripts use it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use weft_core::kind::doc::{Block, compose};
use yrs::{Doc, GetString, Transact, Update, updates::decoder::Decode};

use crate::{
    support::{Answer, Caller, Server},
    wire::typed,
};

async fn state(of: &Caller, room: &str, state_vector: &str) -> Answer {
    let answer = of.get(&format!("/rooms/{room}/state?state_vector={state_vector}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    answer
}

fn apply(replica: &Doc, update: &[u8]) -> String {
    let update = Update::decode_v1(update).unwrap();
    replica.transact_mut().apply_update(update).unwrap();
    replica.get_or_insert_text("t").get_string(&replica.transact())
}

#[tokio::test]
async fn a_script_follows_a_document_by_what_it_lacks() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let replica = Doc::new();
    assert_eq!(lin.merge(&room, typed(1, "one")).await.expect(200), json!({"seq": 2}));
    let first = state(&lin, &room, "").await;
    assert_eq!(apply(&replica, &first.bytes), "one");
    assert_eq!(lin.merge(&room, typed(2, "two")).await.expect(200), json!({"seq": 3}));
    assert_eq!(lin.merge(&room, typed(1, "one")).await.expect(200), json!({"seq": 3}), "again");
    let second = state(&lin, &room, first.header("weft-state-vector")).await;
    assert!(second.bytes.len() < state(&lin, &room, "").await.bytes.len(), "only what it lacks");
    assert_eq!(apply(&replica, &second.bytes).len(), 6);
    let third = state(&lin, &room, second.header("weft-state-vector")).await;
    assert_eq!(&third.bytes[..], [0, 0]);
    for bad in ["*", "AQ", &URL_SAFE_NO_PAD.encode([0xff; 20])] {
        let answer = lin.get(&format!("/rooms/{room}/state?state_vector={bad}")).await;
        assert_eq!(answer.refused(400, "bad_request")["field"], "state_vector", "{bad}");
    }
    let server = server.restart(|_| ()).await;
    let lin = Caller { base: server.stranger().base, ..lin };
    assert_eq!(lin.get(&format!("/rooms/{room}/text")).await.text.len(), 6, "it was durable");
}

#[tokio::test]
async fn content_is_for_those_who_may() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("x").await;
    let update = || typed(1, "one");
    bo.merge(&room, update()).await.refused(404, "not_found");
    bo.get(&format!("/rooms/{room}/state")).await.refused(404, "not_found");
    bo.get(&format!("/rooms/{room}/json")).await.refused(404, "not_found");
    server.stranger().merge(&room, update()).await.refused(401, "not_signed_in");
    let grants = format!("/rooms/{room}/grants");
    lin.post(&grants, json!({"username": "bo", "right": "comment"})).await.expect(200);
    assert_eq!(bo.merge(&room, update()).await.refused(403, "no_right")["needed"], "edit");
    assert_eq!(state(&bo, &room, "").await.bytes, [0, 0][..]);
    lin.post(&grants, json!({"username": "bo", "right": "edit"})).await.expect(200);
    bo.merge(&room, update()).await.expect(200);
    lin.delete(&format!("{grants}/bo")).await.expect(204);
    bo.merge(&room, typed(2, "two")).await.refused(404, "not_found");
    assert_eq!(lin.get(&format!("/rooms/{room}/text")).await.text, "one");
}

#[tokio::test]
async fn an_update_may_be_larger_than_a_call() {
    let server = Server::with(Server::limits(|limits| limits.json_body_bytes_max = 100)).await;
    let lin = server.person("lin").await;
    let room = lin.document("").await;
    lin.merge(&room, typed(1, &"x".repeat(1_000_000))).await.expect(200);
    let limit = server.running.state().config.limits.op_bytes_max;
    let large = vec![0; limit as usize + 1];
    assert_eq!(lin.merge(&room, large).await.refused(413, "op_too_large")["limit"], limit);
}

#[tokio::test]
async fn a_document_as_json() {
    let server = Server::with(Server::limits(|limits| limits.document_json_bytes_max = 400)).await;
    let lin = server.person("lin").await;
    let room = lin.document("").await;
    let get = async |query: &str| lin.get(&format!("/rooms/{room}/json{query}")).await;
    assert_eq!(get("").await.expect(200), json!({}));
    let blocks = [Block::Heading(2, "你好"), Block::Task("one"), Block::Paragraph("")];
    lin.merge(&room, compose(1, &blocks)).await.expect(200);
    let page = json!({"type": "doc", "content": [
        {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "你好"}]},
        {"type": "taskList", "content": [{
            "type": "taskItem", "attrs": {"checked": false},
            "content": [{"type": "paragraph", "content": [{"type": "text", "text": "one"}]}],
        }]},
        {"type": "paragraph", "content": []},
    ]});
    assert_eq!(get("").await.expect(200), json!({"default": page}));
    let answer = get("?fragment=default").await;
    assert_eq!(answer.expect(200), page);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(get("?fragment=none").await.expect(200), json!({"type": "doc", "content": []}));
    lin.merge(&room, typed(2, &"x".repeat(400))).await.expect(200);
    assert_eq!(get("").await.refused(413, "too_large"), json!({"limit": 400}));
    get("?fragment=default").await.expect(200);
}

#[tokio::test]
async fn the_quarantine_is_for_administrators() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let bo = server.person("bo").await;
    let empty: Value = json!({"quarantined": []});
    assert_eq!(admin.get("/admin/quarantine").await.expect(200), empty);
    assert_eq!(bo.get("/admin/quarantine").await.refused(403, "no_right")["needed"], "admin");
    server.stranger().get("/admin/quarantine").await.refused(401, "not_signed_in");
    let one = json!({
        "at": 1, "room": "r", "person": "p", "why": "panic", "bytes": 2, "sha256": "00",
    });
    let folder = server.dir.path().join("data/quarantine");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("000000000000001-00.op"), format!("{one}\nxx")).unwrap();
    let list = admin.get("/admin/quarantine").await.expect(200);
    assert_eq!(list, json!({"quarantined": [one]}));
}
