//! Spaces, folders, and that what changes in them takes effect on who is there.

use reqwest::Method;
use serde_json::{Value, json};
use weft_proto::wire::{self, server_frame::Body as In};

use crate::{
    support::{Caller, Server},
    wire::typed,
};

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// A team of lin's, with these members.
async fn team(lin: &Caller, members: &[(&str, &Caller, &str)]) -> String {
    let space = id(&lin.post("/spaces", json!({"name": "Design"})).await.expect(201));
    for (username, caller, role) in members {
        let form = json!({"username": username, "role": role});
        lin.post(&format!("/spaces/{space}/members"), form).await.expect(201);
        let agree = json!({"agree": true});
        caller.post(&format!("/spaces/{space}/answer"), agree).await.expect(200);
    }
    space
}

async fn document(by: &Caller, space: &str, folder: Option<&str>) -> String {
    let form = json!({"kind": "doc", "title": "Plan", "space": space, "folder": folder});
    id(&by.post("/rooms", form).await.expect(201))
}

async fn folder(by: &Caller, space: &str, parent: Option<&str>, name: &str) -> String {
    let form = json!({"space": space, "parent": parent, "name": name});
    id(&by.post("/folders", form).await.expect(201))
}

#[tokio::test]
async fn a_team_is_made_and_described() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let space = team(&lin, &[]).await;
    let form = json!({"username": "BO", "role": "commenter"});
    let member = lin.post(&format!("/spaces/{space}/members"), form).await.expect(201);
    assert_eq!(member["member"]["state"], "invited");
    let mine = bo.get("/spaces").await.expect(200);
    let kinds: Vec<_> = mine["spaces"].as_array().unwrap().iter().map(|s| &s["kind"]).collect();
    assert_eq!(kinds, ["personal", "gallery"]);
    assert_eq!(mine["invitations"][0]["space"]["name"], "Design");
    assert_eq!(mine["invitations"][0]["invited_by"]["name"], "lin");
    bo.get(&format!("/spaces/{space}")).await.refused(404, "not_found");
    let answer = format!("/spaces/{space}/answer");
    let joined = bo.post(&answer, json!({"agree": true})).await.expect(200);
    assert_eq!(
        (&joined["space"]["role"], &joined["space"]["members"]),
        (&json!("commenter"), &json!(2))
    );
    bo.post(&answer, json!({"agree": true})).await.refused(404, "not_found");

    let plans = folder(&lin, &space, None, " Plans ").await;
    let room = document(&lin, &space, Some(&plans)).await;
    let seen = bo.get(&format!("/spaces/{space}")).await.expect(200);
    assert_eq!(
        (&seen["folders"][0]["name"], &seen["folders"][0]["right"]),
        (&json!("Plans"), &json!("comment"))
    );
    assert_eq!(seen["rooms"][0]["folder"], json!({"id": plans, "name": "Plans"}));
    assert_eq!(seen["rooms"][0]["space"], json!({"id": space, "kind": "team", "name": "Design"}));
    let people = bo.get(&format!("/rooms/{room}/people")).await.expect(200);
    let why = &people["people"][1]["why"];
    assert_eq!(*why, json!([{"by": "role", "right": "comment", "name": "commenter"}]));

    bo.call(Method::PUT, &format!("/rooms/{room}/star"), None).await.expect(204);
    let starred = bo.get("/rooms?which=starred").await.expect(200);
    assert_eq!(
        (&starred["rooms"][0]["id"], &starred["rooms"][0]["starred"]),
        (&json!(room), &json!(true))
    );
    assert_eq!(lin.get("/rooms?which=starred").await.expect(200), json!({"rooms": []}));
    bo.delete(&format!("/rooms/{room}/star")).await.expect(204);
    assert_eq!(bo.get("/rooms?which=starred").await.expect(200), json!({"rooms": []}));

    for (path, body, field, reason) in [
        ("/spaces", json!({"name": " "}), "name", "too_short"),
        ("/spaces", json!({}), "name", "missing"),
        (
            &*format!("/spaces/{space}/members"),
            json!({"username": "bo", "role": "owner"}),
            "role",
            "unknown",
        ),
        ("/folders", json!({"name": "x"}), "space", "missing"),
    ] {
        let refused = lin.post(path, body).await.refused(400, "bad_request");
        assert_eq!((&refused["field"], &refused["reason"]), (&json!(field), &json!(reason)));
    }
    let own = lin.get("/spaces").await.expect(200)["spaces"][0].clone();
    let rename = lin.patch(&format!("/spaces/{}", id(&own)), json!({"name": "x"})).await;
    assert_eq!(rename.refused(400, "bad_request")["reason"], "not_a_team");
}

/// What the owner alone may: the security table knows calls, not what their forms say.
#[tokio::test]
async fn admins_make_no_admins_and_archive_nothing() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let (ann, _ben) = (server.person("ann").await, server.person("ben").await);
    let space = team(&lin, &[("bo", &bo, "admin"), ("ann", &ann, "admin")]).await;
    let path = |rest: &str| format!("/spaces/{space}{rest}");
    let to_admin = json!({"username": "ben", "role": "admin"});
    for (method, path, body) in [
        (Method::POST, path("/members"), Some(to_admin)),
        (Method::PATCH, path("/members/ann"), Some(json!({"role": "admin"}))),
        (Method::DELETE, path("/members/ann"), None),
        (Method::PATCH, path(""), Some(json!({"archived": true}))),
    ] {
        let refused = bo.call(method.clone(), &path, body.clone()).await;
        assert_eq!(refused.refused(403, "no_right")["needed"], "manage", "{method} {path}");
        let done = lin.call(method.clone(), &path, body).await;
        assert!(done.status < 300, "{method} {path}: {}", done.text);
    }
}

#[tokio::test]
async fn a_role_that_changes_takes_effect_on_open_sockets() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let space = team(&lin, &[("bo", &bo, "editor")]).await;
    let room = document(&lin, &space, None).await;
    let (mut a, mut b) = (lin.socket().await, bo.socket().await);
    a.attach(&room).await;
    let attached = b.attach(&room).await;
    assert_eq!(attached.right(), wire::Right::Edit);
    let bytes = attached.room;
    assert_eq!(b.saved(&bytes, 1, typed(1, "x")).await, 2);
    assert_eq!(b.events().await, [2]);

    let member = format!("/spaces/{space}/members/bo");
    lin.patch(&member, json!({"role": "viewer"})).await.expect(200);
    let right = wire::Right::Read.into();
    assert_eq!(b.hear().await, In::Right(wire::RightChanged { room: bytes.clone(), right }));
    assert_eq!(b.refused(&bytes, 2, typed(2, "y")).await, "no_right");
    lin.delete(&member).await.expect(204);
    assert_eq!(b.detached().await, "no_access");
    bo.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
    assert_eq!(bo.socket().await.refused_room(&room).await, "not_found");
}

#[tokio::test]
async fn rules_moves_and_the_trash_take_effect_on_open_sockets() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let space = team(&lin, &[]).await;
    let plans = folder(&lin, &space, None, "Plans").await;
    let grants = format!("/folders/{plans}/grants");
    let grant = json!({"username": "bo", "right": "edit"});
    lin.post(&grants, grant).await.expect(200);
    let room = document(&lin, &space, Some(&plans)).await;
    // A guest of the folder sees the room, and where it stands in it, but not the space.
    let seen = bo.get(&format!("/rooms/{room}")).await.expect(200);
    assert_eq!((&seen["space"], &seen["folder"]["name"]), (&Value::Null, &json!("Plans")));
    assert_eq!(bo.get("/rooms?which=shared").await.expect(200)["rooms"][0]["id"], *room);

    let mut socket = bo.socket().await;
    assert_eq!(socket.attach(&room).await.right(), wire::Right::Edit);
    lin.patch(&format!("/spaces/{space}"), json!({"rules": {"outsiders": false}}))
        .await
        .expect(200);
    assert_eq!(socket.detached().await, "no_access");
    lin.patch(&format!("/spaces/{space}"), json!({"rules": {"outsiders": true}})).await.expect(200);

    socket.attach(&room).await;
    let path = format!("/rooms/{room}");
    let moved = lin.patch(&path, json!({"folder": null})).await.expect(200);
    assert_eq!(moved["folder"], Value::Null);
    assert_eq!(socket.detached().await, "no_access");
    lin.patch(&path, json!({"folder": plans})).await.expect(200);

    socket.attach(&room).await;
    lin.delete(&format!("/folders/{plans}")).await.expect(204);
    assert_eq!(socket.detached().await, "trashed");
    let trash = lin.get("/rooms?which=trashed").await.expect(200);
    assert_eq!((&trash["folders"][0]["name"], &trash["rooms"]), (&json!("Plans"), &json!([])));
    lin.post(&format!("/folders/{plans}/restore"), json!({})).await.expect(200);
    socket.attach(&room).await;
    lin.delete(&format!("{grants}/bo")).await.expect(204);
    assert_eq!(socket.detached().await, "no_access");
}

#[tokio::test]
async fn a_grant_ends_by_itself() {
    let server = Server::in_time(|config| {
        config.registration = Some(weft_server::config::Registration::Open)
    })
    .await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("x").await;
    let grant = json!({"username": "bo", "right": "edit", "expires_in_seconds": 2});
    let given = lin.post(&format!("/rooms/{room}/grants"), grant).await.expect(200);
    assert!(given["grant"]["expires_at"].is_u64());
    let mut socket = bo.socket().await;
    assert_eq!(socket.attach(&room).await.right(), wire::Right::Edit);
    assert_eq!(socket.detached().await, "no_access");
    bo.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn links_are_for_spaces_that_allow_them() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let space = team(&lin, &[]).await;
    let room = document(&lin, &space, None).await;
    let secret = lin.invite(&room, json!({"right": "read"})).await;
    lin.patch(&format!("/spaces/{space}"), json!({"rules": {"links": false}})).await.expect(200);
    let form = json!({"secret": secret});
    bo.post("/invites/look", form.clone()).await.refused(410, "link_expired");
    bo.post("/invites/accept", form.clone()).await.refused(410, "link_expired");
    let invite = lin.post(&format!("/rooms/{room}/invites"), json!({"right": "read"})).await;
    assert_eq!(invite.refused(400, "bad_request")["reason"], "not_allowed");
    lin.patch(&format!("/spaces/{space}"), json!({"rules": {"links": true}})).await.expect(200);
    bo.post("/invites/accept", form).await.expect(200);
}

#[tokio::test]
async fn everybody_reads_the_gallery_and_adds_to_it() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let spaces = lin.get("/spaces").await.expect(200);
    let gallery = id(&spaces["spaces"][1]);
    let room = document(&lin, &gallery, None).await;
    let seen = bo.get(&format!("/spaces/{gallery}")).await.expect(200);
    assert_eq!(
        (&seen["rooms"][0]["id"], &seen["rooms"][0]["right"]),
        (&json!(room), &json!("read"))
    );
    assert_eq!(bo.get("/rooms").await.expect(200), json!({"rooms": []}));
    bo.patch(&format!("/rooms/{room}"), json!({"title": "x"})).await.refused(403, "no_right");
    bo.get(&format!("/spaces/{gallery}/members")).await.refused(404, "not_found");
    admin.delete(&format!("/rooms/{room}")).await.expect(200);
    bo.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_is_opened_is_recent() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let (first, second) = (lin.document("first").await, lin.document("second").await);
    let mut socket = lin.socket().await;
    for room in [&second, &first] {
        socket.attach(room).await;
    }
    // It is noted while nobody waits for it.
    let rooms = loop {
        let recent = lin.get("/rooms?which=recent").await.expect(200);
        let rooms = recent["rooms"].as_array().unwrap().clone();
        if rooms.len() == 2 {
            break rooms;
        }
        tokio::task::yield_now().await;
    };
    assert!(rooms.iter().all(|room| room["opened_at"].is_u64()));
    lin.get("/rooms?which=other").await.refused(400, "bad_request");
}
