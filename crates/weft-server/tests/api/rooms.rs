//! Rooms and who may do what in them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, NOW, Server};

#[tokio::test]
async fn a_room_is_made_and_described() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let form = json!({"kind": "order", "title": " Friday lunch ", "key": "lunch:1"});
    let room = lin.post("/rooms", form).await.expect(201);
    let me = lin.get("/auth/me").await.expect(200)["user"].clone();
    let expected = json!({
        "id": room["id"],
        "key": "lunch:1",
        "kind": "order",
        "title": "Friday lunch",
        "owner": {"id": me["id"], "username": "lin", "name": "lin"},
        "right": "manage",
        "created_at": NOW,
        "changed_at": NOW,
        "changed_by": null,
        "trashed_at": null,
        "space": {"id": me["id"], "kind": "personal", "name": ""},
        "folder": null,
        "starred": false,
        "opened_at": null,
        "muted": false,
    });
    assert_eq!(room, expected);
    assert_eq!(lin.get("/rooms/lunch:1").await.expect(200), expected);
    assert_eq!(lin.get("/rooms").await.expect(200), json!({"rooms": [expected]}));

    for (form, field) in [
        (json!({"kind": "sheet", "title": ""}), "kind"),
        (json!({"kind": "doc", "title": "x".repeat(201)}), "title"),
        (json!({"kind": "doc", "title": "", "key": "a/b"}), "key"),
        (json!({"kind": "doc", "title": "", "template": "letter"}), "template"),
        (json!({"kind": "order", "title": "", "template": "page"}), "template"),
    ] {
        assert_eq!(lin.post("/rooms", form).await.refused(400, "bad_request")["field"], field);
    }
}

#[tokio::test]
async fn the_text_of_an_empty_document_is_empty() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let answer = lin.get(&format!("/rooms/{room}/text")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
}

/// Every call about a room, with what it takes to be allowed.
fn calls(room: &str) -> Vec<(Method, String, Option<Value>, &'static str)> {
    let at = |rest: &str| format!("/rooms/{room}{rest}");
    vec![
        (Method::GET, at(""), None, "read"),
        (Method::GET, at("/text"), None, "read"),
        (Method::GET, at("/people"), None, "read"),
        (Method::PATCH, at(""), Some(json!({"title": "x"})), "edit"),
        (Method::POST, at("/restore"), None, "manage"),
        (Method::POST, at("/grants"), Some(json!({"username": "bo", "right": "edit"})), "manage"),
        (Method::DELETE, at("/grants/bo"), None, "manage"),
        (Method::POST, at("/invites"), Some(json!({"right": "edit"})), "manage"),
        (Method::GET, at("/invites"), None, "manage"),
        (Method::DELETE, at("/invites/00000000000000000000000000"), None, "manage"),
        (Method::DELETE, at(""), None, "manage"),
    ]
}

async fn answers(caller: &Caller, room: &str) -> Vec<(String, u16, String)> {
    let mut answers = Vec::new();
    for (method, path, body, needed) in calls(room) {
        let answer = caller.call(method, &path, body).await;
        answers.push((needed.to_owned(), answer.status, answer.text));
    }
    answers
}

#[tokio::test]
async fn strangers_cannot_tell_a_room_from_none() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let bo = server.person("bo").await;
    let room =
        lin.post("/rooms", json!({"kind": "doc", "title": "", "key": "k"})).await.expect(201);
    let room = room["id"].as_str().unwrap();
    let missing = answers(&bo, "00000000000000000000000001").await;
    for (_, status, text) in &missing {
        assert_eq!((*status, text.contains("\"not_found\"")), (404, true), "{text}");
    }
    assert_eq!(answers(&bo, room).await, missing);
    assert_eq!(answers(&bo, "k").await, missing, "another's key means nothing");
    for (_, status, text) in answers(&server.stranger(), room).await {
        assert_eq!((status, text.contains("\"not_signed_in\"")), (401, true), "{text}");
    }
    assert_eq!(lin.get("/rooms").await.expect(200)["rooms"][0]["title"], "");
}

#[tokio::test]
async fn each_right_allows_what_it_says() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let bo = server.person("bo").await;
    let room = lin.document("x").await;
    let rights = ["read", "comment", "edit", "manage"];
    for held in &rights[..3] {
        let grant = json!({"username": "bo", "right": held});
        let granted = lin.post(&format!("/rooms/{room}/grants"), grant).await.expect(200);
        assert_eq!(granted["person"]["right"], *held);
        let rank = |right: &str| rights.iter().position(|r| *r == right);
        for (needed, status, text) in answers(&bo, &room).await {
            if rank(&needed) <= rank(held) {
                assert_eq!(status, 200, "{held} {needed}: {text}");
            } else {
                assert_eq!(status, 403, "{held} {needed}: {text}");
                assert!(text.contains(&format!("\"needed\":\"{needed}\"")), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_right_taken_away_is_gone() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let bo = server.person("bo").await;
    let room = lin.document("x").await;
    let path = format!("/rooms/{room}");
    let grant = json!({"username": "BO", "right": "edit"});
    lin.post(&format!("{path}/grants"), grant).await.expect(200);
    assert_eq!(
        bo.patch(&path, json!({"title": "by bo"})).await.expect(200)["changed_by"]["name"],
        "bo"
    );
    assert_eq!(bo.get("/rooms").await.expect(200)["rooms"][0]["title"], "by bo");
    let people = lin.get(&format!("{path}/people")).await.expect(200);
    let people: Vec<_> = people["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (&p["username"], &p["right"], &p["owner"]))
        .collect();
    assert_eq!(
        people,
        [
            (&json!("lin"), &json!("manage"), &json!(true)),
            (&json!("bo"), &json!("edit"), &json!(false))
        ]
    );

    assert_eq!(lin.delete(&format!("{path}/grants/bo")).await.status, 204);
    bo.get(&path).await.refused(404, "not_found");
    assert_eq!(bo.get("/rooms").await.expect(200), json!({"rooms": []}));
    lin.delete(&format!("{path}/grants/nobody")).await.refused(404, "not_found");

    let owner = json!({"username": "lin", "right": "read"});
    let refused = lin.post(&format!("{path}/grants"), owner).await.refused(400, "bad_request");
    assert_eq!(refused, json!({"field": "username", "reason": "owner"}));
    lin.delete(&format!("{path}/grants/lin")).await.refused(400, "bad_request");
    let manage = json!({"username": "bo", "right": "manage"});
    lin.post(&format!("{path}/grants"), manage).await.refused(400, "bad_request");
}

#[tokio::test]
async fn the_trash_hides_a_room_from_all_but_its_owner() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let bo = server.person("bo").await;
    let room = lin.document("x").await;
    let path = format!("/rooms/{room}");
    let grant = json!({"username": "bo", "right": "edit"});
    lin.post(&format!("{path}/grants"), grant).await.expect(200);
    let ids = async |caller: &Caller, query: &str| {
        let rooms = caller.get(&format!("/rooms{query}")).await.expect(200);
        rooms["rooms"].as_array().unwrap().len()
    };
    assert_eq!(lin.delete(&path).await.expect(200)["trashed_at"], NOW);
    server.clock.advance(1);
    assert_eq!(lin.delete(&path).await.expect(200)["trashed_at"], NOW);
    bo.get(&path).await.refused(404, "not_found");
    assert_eq!((ids(&lin, "").await, ids(&lin, "?trashed=true").await), (0, 1));
    assert_eq!((ids(&bo, "").await, ids(&bo, "?trashed=true").await), (0, 0));
    assert_eq!(
        lin.post(&format!("{path}/restore"), json!({})).await.expect(200)["trashed_at"],
        json!(null)
    );
    assert_eq!(bo.get(&path).await.expect(200)["right"], "edit");
    assert_eq!((ids(&lin, "?trashed=false").await, ids(&bo, "").await), (1, 1));
}

#[tokio::test]
async fn a_person_owns_so_many_rooms() {
    let server = Server::with(Server::limits(|limits| limits.rooms_per_person_max = 1)).await;
    let lin = server.person("lin").await;
    lin.document("x").await;
    let more = lin.post("/rooms", json!({"kind": "doc", "title": ""})).await;
    assert_eq!(more.refused(400, "bad_request"), json!({"field": "rooms", "reason": "too_many"}));
}
