//! Personal access tokens and room tokens: who may do what with which, and when that ends.

use std::collections::BTreeSet;

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;
use weft_proto::wire::{self, client_frame::Body as Out, server_frame::Body as In};

use crate::{
    support::{Answer, Caller, DAY, Server, logged},
    wire::{Socket, typed},
    yjs::Client,
};

const HOUR: u64 = 60 * 60 * 1000;

/// A new access token, by its letters and by its id.
async fn access_token(by: &Caller, scopes: &[&str], seconds: Option<u64>) -> (String, String) {
    let form = json!({"name": "program", "scopes": scopes, "expires_in_seconds": seconds});
    let made = by.post("/tokens", form).await.expect(201);
    (made["token"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

async fn room_token(by: &Caller, form: Value) -> String {
    let made = by.post("/room-tokens", form).await.expect(201);
    made["token"].as_str().unwrap().to_owned()
}

async fn revoke(by: &Caller, id: &str) {
    assert_eq!(by.delete(&format!("/tokens/{id}")).await.status, 204);
}

async fn grant(by: &Caller, room: &str, username: &str, right: &str) {
    let form = json!({"username": username, "right": right});
    by.post(&format!("/rooms/{room}/grants"), form).await.expect(200);
}

/// The status, or the code of a refusal.
fn short(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    body["error"]["code"].as_str().map_or(answer.status.to_string(), str::to_owned)
}

/// The right with which a socket of this caller follows the room, or why it does not.
async fn follows(caller: &Caller, room: &str) -> String {
    let mut socket = match caller.knock("").await {
        Ok(socket) => socket,
        Err(Error::Http(answer)) => return answer.status().as_u16().to_string(),
        Err(other) => panic!("{other:?}"),
    };
    socket.hello(1, &[]).await;
    assert!(matches!(socket.hear().await, In::Welcome(_)));
    socket.ask_for(room).await;
    match socket.hear().await {
        In::Attached(attached) => {
            attached.right().as_str_name().to_lowercase().replace("right_", "")
        }
        In::Detached(detached) => detached.why.unwrap().code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_credential_opens_what_it_is_for() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    server.person("bo").await;
    let (room, other) = (lin.document("Plan").await, lin.document("Other").await);
    let caller = |token: &str| server.stranger().bearer(token);
    let scoped = async |scope: &str| caller(&access_token(&lin, &[scope], None).await.0);
    let expired = access_token(&lin, &["read", "write", "manage"], Some(60)).await.0;
    let (revoked, id) = access_token(&lin, &["read", "write", "manage", "room-tokens"], None).await;
    let form =
        |room: &str, right: &str| json!({"room": room, "right": right, "ttl_seconds": 86_400});
    let of_revoked = room_token(&caller(&revoked), form(&room, "edit")).await;
    revoke(&lin, &id).await;
    let brief = json!({"room": room, "right": "edit", "ttl_seconds": 60});
    let gone = room_token(&lin, brief).await;
    let here = room_token(&lin, form(&room, "edit")).await;
    let elsewhere = room_token(&lin, form(&other, "edit")).await;
    server.clock.advance(HOUR);
    let callers = [
        server.stranger(),
        lin.clone(),
        scoped("read").await,
        scoped("write").await,
        scoped("manage").await,
        scoped("room-tokens").await,
        caller(&here),
        caller(&elsewhere),
        caller(&expired),
        caller(&gone),
        caller(&revoked),
        caller(&of_revoked),
    ];

    // One row for each class of endpoints, one column for each of the callers above.
    // `-` not_signed_in, `s` no_scope, `p` sign_in_needed, `n` not_found, `l` link_expired, `b` bad_request,
    // `r` no_right, or the first digit.
    let table = "
        GET    /auth/me                 -|2|2 2 2 s|- -|- - - -
        GET    /rooms                   -|2|2 2 2 s|- -|- - - -
        GET    /rooms/ROOM              -|2|2 2 2 s|2 n|- - - -
        GET    /rooms/ROOM/text         -|2|2 2 2 s|2 n|- - - -
        GET    /rooms/ROOM/people       -|2|2 2 2 s|- -|- - - -
        POST   /rooms                   -|2|s 2 s s|- -|- - - -
        PATCH  /rooms/ROOM              -|2|s s 2 s|- -|- - - -
        DELETE /rooms/ROOM              -|2|s s 2 s|- -|- - - -
        POST   /rooms/ROOM/restore      -|2|s s 2 s|- -|- - - -
        POST   /rooms/ROOM/grants       -|2|s s 2 s|- -|- - - -
        DELETE /rooms/ROOM/grants/bo    -|2|s s 2 s|- -|- - - -
        POST   /rooms/ROOM/invites      -|2|s s 2 s|- -|- - - -
        GET    /rooms/ROOM/invites      -|2|s s 2 s|- -|- - - -
        DELETE /rooms/ROOM/invites/x    -|n|s s n s|- -|- - - -
        POST   /room-tokens             -|2|s s s 2|- -|- - - -
        GET    /tokens                  -|2|p p p p|- -|- - - -
        POST   /tokens                  -|2|p p p p|- -|- - - -
        DELETE /tokens/x                -|n|p p p p|- -|- - - -
        POST   /invites/accept          -|l|p p p p|- -|- - - -
        PATCH  /auth/me                 -|2|p p p p|- -|- - - -
        POST   /auth/password           -|b|p p p p|- -|- - - -
        GET    /auth/sign-ins           -|2|p p p p|- -|- - - -
        DELETE /auth/sign-ins/x         -|n|p p p p|- -|- - - -
        POST   /auth/second-factor      -|b|p p p p|- -|- - - -
        POST   /auth/second-factor/confirm -|b|p p p p|- -|- - - -
        POST   /auth/second-factor/off  -|b|p p p p|- -|- - - -
        GET    /admin/invites           -|r|p p p p|- -|- - - -
        POST   /admin/invites           -|r|p p p p|- -|- - - -
        DELETE /admin/invites/x         -|r|p p p p|- -|- - - -
        POST   /auth/logout             -|.|p p p p|- -|- - - -";
    for row in table.lines().skip(1) {
        let mut words = row.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let expected: String = words.collect::<String>().replace('|', "");
        let body = match (method, path) {
            (_, "/room-tokens") => json!({"room": room, "right": "read"}),
            (_, "/tokens") => json!({"name": "x", "scopes": ["read"]}),
            _ => json!({
                "kind": "doc", "title": "x", "username": "bo", "right": "read", "secret": "x",
            }),
        };
        let path = path.replace("ROOM", &room);
        let mut seen = String::new();
        for (at, caller) in callers.iter().enumerate() {
            if expected.as_bytes()[at] == b'.' {
                seen.push('.');
                continue;
            }
            let method: Method = method.parse().unwrap();
            let body = (method != Method::GET).then(|| body.clone());
            seen.push(match &*short(&caller.call(method, &path, body).await) {
                "not_signed_in" => '-',
                "no_scope" => 's',
                "sign_in_needed" => 'p',
                "not_found" => 'n',
                "link_expired" => 'l',
                "bad_request" => 'b',
                "no_right" => 'r',
                code => code.chars().next().unwrap(),
            });
        }
        assert_eq!(seen, expected, "{row}");
        if row.contains("DELETE /rooms/ROOM  ") {
            lin.post(&format!("/rooms/{room}/restore"), json!({})).await.expect(200);
        }
    }

    let mut followed = Vec::new();
    for caller in &callers {
        followed.push(follows(caller, &room).await);
    }
    let expected = [
        "401",
        "manage",
        "read",
        "edit",
        "read",
        "no_right",
        "edit",
        "not_found",
        "401",
        "401",
        "401",
        "401",
    ];
    assert_eq!(followed, expected);
    let mut closed = Vec::new();
    for caller in &callers {
        closed.push(match Client::open(caller, &room).await.hear().await {
            Ok(_) => 0,
            Err(code) => code,
        });
    }
    let expected = [4401, 0, 0, 0, 0, 4403, 0, 4404, 4401, 4401, 4401, 4401];
    assert_eq!(closed, expected, "over /yjs");
}

#[tokio::test]
async fn an_access_token_is_listed_without_its_letters_and_revoked_by_its_own_person() {
    let server = Server::with(Server::limits(|limits| limits.access_tokens_per_person_max = 2));
    let server = server.await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let form =
        json!({"name": " Nightly export ", "scopes": ["write", "read"], "expires_in_seconds": 60});
    let made = lin.post("/tokens", form.clone()).await.expect(201);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("weft_pat_") && token.len() == 9 + 43, "{token}");
    let now = server.clock.now();
    let listed = json!({
        "id": made["id"], "name": "Nightly export", "scopes": ["read", "write"],
        "created_at": now, "used_at": null, "expires_at": now + 60_000,
    });
    assert_eq!(lin.get("/tokens").await.expect(200), json!({"tokens": [listed]}));
    server.stranger().bearer(token).get("/rooms").await.expect(200);
    assert_eq!(lin.get("/tokens").await.expect(200)["tokens"][0]["used_at"], now);
    assert_eq!(bo.get("/tokens").await.expect(200), json!({"tokens": []}));
    let id = made["id"].as_str().unwrap();
    bo.delete(&format!("/tokens/{id}")).await.refused(404, "not_found");
    lin.post("/tokens", form.clone()).await.expect(201);
    let full = lin.post("/tokens", form.clone()).await.refused(400, "bad_request");
    assert_eq!(full, json!({"field": "tokens", "reason": "too_many"}));
    server.stranger().bearer(token).get("/rooms").await.expect(200);
    revoke(&lin, id).await;
    server.stranger().bearer(token).get("/rooms").await.refused(401, "not_signed_in");
    lin.delete(&format!("/tokens/{id}")).await.refused(404, "not_found");
    // A browser takes no token for a sign-in, and one in the cookie is none either.
    let (other, _) = access_token(&lin, &["write"], None).await;
    let cookie = server.stranger().cookie(&other).header("origin", "http://evil.example");
    cookie.post("/rooms", json!({"kind": "doc"})).await.refused(403, "bad_origin");

    for (field, reason, value) in [
        ("name", "missing", json!("  ")),
        ("name", "too_long", json!("x".repeat(65))),
        ("scopes", "missing", json!([])),
        ("scopes", "unknown", json!(["read", "all"])),
        ("expires_in_seconds", "out_of_range", json!(0)),
        ("expires_in_seconds", "out_of_range", json!(u64::MAX)),
    ] {
        let mut form = form.clone();
        form[field] = value;
        let refused = bo.post("/tokens", form).await.refused(400, "bad_request");
        assert_eq!(refused, json!({"field": field, "reason": reason}));
    }
}

#[tokio::test]
async fn a_room_token_is_minted_within_the_minters_right() {
    let server = Server::with(Server::limits(|limits| {
        limits.room_token_seconds_max = 7_200;
        limits.room_tokens_per_person_max = 5;
    }))
    .await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("Plan").await;
    let keyed = json!({"kind": "doc", "title": "", "key": "app:1"});
    let keyed = lin.post("/rooms", keyed).await.expect(201)["id"].clone();
    let trashed = lin.post("/rooms", json!({"kind": "doc", "key": "app:old"})).await.expect(201);
    let trashed = trashed["id"].as_str().unwrap();
    lin.delete(&format!("/rooms/{trashed}")).await.expect(200);
    grant(&lin, &room, "bo", "comment").await;

    let edit = json!({"room": room, "right": "edit"});
    assert_eq!(
        bo.post("/room-tokens", edit).await.refused(403, "no_right"),
        json!({"needed": "edit"})
    );
    let by_id = json!({"room": room, "right": "comment", "name": " Ann "});
    let mut made = bo.post("/room-tokens", by_id).await.expect(201);
    let token = made["token"].take();
    assert!(token.as_str().unwrap().starts_with("weft_room_"));
    let hour = server.clock.now() + HOUR;
    assert_eq!(
        made,
        json!({
            "token": null, "expires_at": hour, "room": room, "key": null, "right": "comment", "name": "Ann",
        })
    );
    let by_key = json!({"key": "app:1", "right": "edit", "ttl_seconds": 7_200, "create": true});
    let made = lin.post("/room-tokens", by_key).await.expect(201);
    assert_eq!(
        (&made["room"], &made["key"], &made["name"]),
        (&keyed, &json!("app:1"), &Value::Null)
    );
    let of_key = server.stranger().bearer(made["token"].as_str().unwrap());
    assert_eq!(of_key.get("/rooms/app:1").await.expect(200)["right"], "edit");
    assert_eq!(of_key.get(&format!("/rooms/{}", keyed.as_str().unwrap())).await.status, 200);

    // A token lasts no longer than the token that it is minted with.
    let (short, _) = access_token(&lin, &["room-tokens"], Some(60)).await;
    let form = json!({"room": room, "right": "read"});
    let made = server.stranger().bearer(&short).post("/room-tokens", form).await.expect(201);
    assert_eq!(made["expires_at"], server.clock.now() + 60_000);

    for (form, code, params) in [
        (json!({"right": "read"}), "bad_request", json!({"field": "room", "reason": "missing"})),
        (
            json!({"room": room, "key": "k", "right": "read"}),
            "bad_request",
            json!({"field": "room", "reason": "malformed"}),
        ),
        (
            json!({"room": room, "right": "read", "create": true}),
            "bad_request",
            json!({"field": "create", "reason": "malformed"}),
        ),
        (
            json!({"room": room, "right": "manage"}),
            "bad_request",
            json!({"field": "right", "reason": "unknown"}),
        ),
        (
            json!({"room": room, "right": "read", "ttl_seconds": 7_201}),
            "bad_request",
            json!({"field": "ttl_seconds", "reason": "out_of_range"}),
        ),
        (
            json!({"key": "a b", "right": "read"}),
            "bad_request",
            json!({"field": "key", "reason": "malformed"}),
        ),
        (
            json!({"room": room, "right": "read", "name": "x".repeat(65)}),
            "bad_request",
            json!({"field": "name", "reason": "too_long"}),
        ),
        (json!({"key": "app:2", "right": "read"}), "not_found", json!({})),
        (json!({"room": "app:2", "right": "read"}), "not_found", json!({})),
        (json!({"key": room, "right": "read"}), "not_found", json!({})),
        (json!({"room": trashed, "right": "read"}), "not_found", json!({})),
        (json!({"key": "app:old", "right": "read", "create": true}), "not_found", json!({})),
    ] {
        let status = if code == "not_found" { 404 } else { 400 };
        assert_eq!(lin.post("/room-tokens", form).await.refused(status, code), params);
    }
    for _ in 0..3 {
        room_token(&lin, json!({"room": room, "right": "read"})).await;
    }
    let full = lin.post("/room-tokens", json!({"room": room, "right": "read"})).await;
    assert_eq!(full.refused(400, "bad_request"), json!({"field": "tokens", "reason": "too_many"}));
    server.clock.advance(3 * HOUR);
    room_token(&lin, json!({"room": room, "right": "read"})).await;
}

#[tokio::test]
async fn the_document_of_a_token_is_made_once_and_when_it_is_first_used() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let titles = async || {
        let rooms = lin.get("/rooms").await.expect(200)["rooms"].clone();
        let rooms = rooms.as_array().unwrap().clone();
        let title =
            |room: &Value| (room["title"].clone(), room["key"].clone(), room["kind"].clone());
        rooms.iter().map(title).collect::<Vec<_>>()
    };
    let form = json!({"key": "app:doc-1", "right": "edit", "create": true});
    let token = room_token(&lin, form.clone()).await;
    assert_eq!(titles().await, []);
    let guest = server.stranger().bearer(&token);
    // Another name means another room, which is not this token's.
    guest.get("/rooms/app:doc-2").await.refused(404, "not_found");
    assert_eq!(follows(&guest, "app:doc-2").await, "not_found");
    assert_eq!(titles().await, []);

    let attached = (0..8).map(|_| {
        let guest = guest.clone();
        tokio::spawn(async move { guest.socket().await.attach("app:doc-1").await.room })
    });
    let mut rooms = BTreeSet::new();
    for room in attached.collect::<Vec<_>>() {
        rooms.insert(room.await.unwrap());
    }
    assert_eq!(rooms.len(), 1, "two at once make one");
    assert_eq!(titles().await, [(json!("app:doc-1"), json!("app:doc-1"), json!("doc"))]);
    let room = guest.get("/rooms/app:doc-1").await.expect(200);
    assert_eq!((&room["right"], &room["owner"]["username"]), (&json!("edit"), &json!("lin")));
    assert_eq!(follows(&guest, room["id"].as_str().unwrap()).await, "edit");

    // Calls make it too, and other people's rooms of that key are others.
    let bo = server.person("bo").await;
    let of_bo = server.stranger().bearer(&room_token(&bo, form).await);
    assert_eq!(of_bo.get("/rooms/app:doc-1/text").await.status, 200);
    let made = of_bo.get("/rooms/app:doc-1").await.expect(200);
    assert_ne!(made["id"], room["id"]);
    Client::in_step(&of_bo, "app:doc-1").await;
}

#[tokio::test]
async fn a_room_token_follows_its_minters_right_and_never_exceeds_its_own() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let id = lin.document("Plan").await;
    grant(&lin, &id, "bo", "edit").await;
    let form = |right: &str| json!({"room": id, "right": right, "name": right});
    let editor = server.stranger().bearer(&room_token(&bo, form("edit")).await);
    let reader = server.stranger().bearer(&room_token(&bo, form("read")).await);
    let (mut edits, mut reads) = (editor.socket().await, reader.socket().await);
    let room = edits.attach(&id).await.room;
    assert_eq!(reads.attach(&id).await.right(), wire::Right::Read);
    assert_eq!(edits.saved(&room, 1, typed(1, "a")).await, 2);
    assert_eq!(reads.refused(&room, 1, typed(2, "b")).await, "no_right");
    let right = async |socket: &mut Socket| loop {
        if let In::Right(changed) = socket.hear().await {
            return changed.right();
        }
    };

    grant(&lin, &id, "bo", "read").await;
    assert_eq!(right(&mut edits).await, wire::Right::Read);
    assert_eq!(edits.refused(&room, 2, typed(3, "c")).await, "no_right");
    assert_eq!(editor.get(&format!("/rooms/{id}")).await.expect(200)["right"], "read");
    grant(&lin, &id, "bo", "edit").await;
    assert_eq!(right(&mut edits).await, wire::Right::Edit);
    assert_eq!(edits.saved(&room, 3, typed(4, "d")).await, 3);
    assert_eq!(reads.refused(&room, 2, typed(5, "e")).await, "no_right", "not lifted");

    let mut yjs = Client::in_step(&editor, &id).await;
    assert_eq!(lin.delete(&format!("/rooms/{id}/grants/bo")).await.status, 204);
    let gone = async |mut socket: Socket| loop {
        if let In::Detached(detached) = socket.hear().await {
            return detached.why.unwrap().code;
        }
    };
    assert_eq!(gone(edits).await, "no_access");
    assert_eq!(gone(reads).await, "no_access");
    assert_eq!(yjs.closed().await, 4403);
    editor.get(&format!("/rooms/{id}")).await.refused(404, "not_found");
    assert_eq!(follows(&editor, &id).await, "not_found");

    // The trash closes a room to the guests of its owner too.
    let of_lin = server.stranger().bearer(&room_token(&lin, form("edit")).await);
    let mut socket = of_lin.socket().await;
    socket.attach(&id).await;
    lin.delete(&format!("/rooms/{id}")).await.expect(200);
    assert_eq!(gone(socket).await, "trashed");
    of_lin.get(&format!("/rooms/{id}/text")).await.refused(404, "not_found");
    assert_eq!(follows(&of_lin, &id).await, "trashed");
}

#[tokio::test]
async fn revoking_ends_the_sockets_of_a_token_and_of_those_minted_with_it() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let id = lin.document("Plan").await;
    let (token, token_id) = access_token(&lin, &["write", "room-tokens"], None).await;
    let program = server.stranger().bearer(&token);
    let form = json!({"room": id, "right": "edit"});
    let guest = server.stranger().bearer(&room_token(&program, form.clone()).await);
    let other = server.stranger().bearer(&room_token(&lin, form).await);
    let mut sockets = Vec::new();
    for caller in [&program, &guest, &other] {
        let mut socket = caller.socket().await;
        socket.attach(&id).await;
        sockets.push(socket);
    }
    let mut yjs = Client::in_step(&guest, &id).await;
    let room = Bytes::copy_from_slice(id.parse::<weft_core::RoomId>().unwrap().as_bytes());
    revoke(&lin, &token_id).await;
    // What they send from now on is not stored, whether they have heard of it or not.
    let submit = Out::Submit(wire::Submit {
        room: room.clone(),
        client_id: sockets[1].client,
        client_seq: 1,
        op: typed(1, "late"),
    });
    sockets[1].try_say(submit).await;
    assert_eq!(sockets[2].saved(&room, 1, typed(2, "fine")).await, 2);
    for socket in &mut sockets[..2] {
        assert_eq!(socket.closed().await, (4401, "signed_out".to_owned()));
    }
    assert_eq!(yjs.closed().await, 4401);
    assert_eq!(lin.get(&format!("/rooms/{id}/text")).await.text, "fine");
    for caller in [&program, &guest] {
        assert_eq!(follows(caller, &id).await, "401");
    }

    // Signing out is the same for what a sign-in has minted.
    assert_eq!(lin.post("/auth/logout", json!({})).await.status, 204);
    assert_eq!(sockets[2].closed().await, (4401, "signed_out".to_owned()));
    other.get(&format!("/rooms/{id}")).await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn a_silent_socket_ends_when_its_token_does() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let id = lin.document("Plan").await;
    let form = json!({"room": id, "right": "read", "ttl_seconds": 60});
    let guest = server.stranger().bearer(&room_token(&lin, form).await);
    let program = server.stranger().bearer(&access_token(&lin, &["read"], Some(90)).await.0);
    let (mut first, mut second) = (guest.socket().await, program.socket().await);
    first.attach(&id).await;
    second.attach(&id).await;
    let mut yjs = Client::in_step(&guest, &id).await;
    server.clock.advance(60_000);
    assert_eq!(first.closed().await, (4401, "signed_out".to_owned()));
    assert_eq!(yjs.closed().await, 4401);
    second.say(Out::Ping(wire::Ping { nonce: 7 })).await;
    assert!(matches!(second.hear().await, In::Pong(wire::Pong { nonce: 7 })), "it lasts longer");
    server.clock.advance(30_000);
    assert_eq!(second.closed().await, (4401, "signed_out".to_owned()));
}

#[tokio::test]
async fn people_of_a_host_application_are_people_of_their_own() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let id = lin.document("Plan").await;
    let mut owner = lin.socket().await;
    let me = owner.attach(&id).await.color;
    let mut faces = vec![(owner.welcome.person_id.clone(), "lin".to_owned(), me)];
    let mut sockets = Vec::new();
    for name in [Some("Ann"), Some("Ben"), Some("Ann"), None] {
        let form = json!({"room": id, "right": "read", "name": name});
        let guest = server.stranger().bearer(&room_token(&lin, form).await);
        let mut socket = guest.socket().await;
        // Client ids are not shared with the minter, nor among tokens (L3).
        let mut again = guest.knock("").await.unwrap();
        again.hello(1, &[owner.client, socket.client]).await;
        match again.hear().await {
            In::Welcome(welcome) => {
                assert_eq!(welcome.retired_ids, [owner.client]);
                assert_eq!(welcome.client_ids, [socket.client]);
            }
            other => panic!("{other:?}"),
        }
        let color = socket.attach(&id).await.color;
        faces.push((socket.welcome.person_id.clone(), socket.welcome.name.clone(), color));
        sockets.push(socket);
    }
    let (lin_face, ann, ben) = (&faces[0], &faces[1], &faces[2]);
    assert_eq!(ann.1, "Ann");
    assert!(ann.0 != ben.0 && ann.0 != lin_face.0 && ann.2 != ben.2 && ann.2 != lin_face.2);
    assert_eq!(&faces[3], ann, "the same name is the same face");
    assert_eq!(&faces[4], lin_face, "without a name it is the minter's");
    let seen: BTreeSet<_> = lin
        .socket()
        .await
        .attach(&id)
        .await
        .peers
        .into_iter()
        .map(|peer| (peer.person_id, peer.name, peer.color))
        .collect();
    assert_eq!(seen, faces.into_iter().collect());
}

#[tokio::test]
async fn guests_are_counted_by_token_and_not_on_the_minters_account() {
    let server = Server::with(Server::limits(|limits| {
        limits.connections_per_person_max = 1;
        limits.connections_per_room_token_max = 2;
        limits.connections_by_room_tokens_max = 3;
    }))
    .await;
    let lin = server.person("lin").await;
    let id = lin.document("Plan").await;
    let _own = lin.socket().await;
    let form = json!({"room": id, "right": "read"});
    let one = server.stranger().bearer(&room_token(&lin, form.clone()).await);
    let two = server.stranger().bearer(&room_token(&lin, form).await);
    let full = (4429, "too_many_connections".to_owned());
    let first = one.socket().await;
    let _second = one.socket().await;
    assert_eq!(one.knock("").await.unwrap().closed().await, full);
    let _third = two.socket().await;
    assert_eq!(two.knock("").await.unwrap().closed().await, full);
    // Who leaves makes room.
    drop(first);
    while two.knock("").await.unwrap().answers_hello().await.is_err() {}
}

#[tokio::test]
async fn a_token_in_a_url_is_not_logged() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let id = lin.document("Plan").await;
    let (token, _) = access_token(&lin, &["read", "room-tokens"], Some(DAY / 1000)).await;
    let program = server.stranger().bearer(&token);
    let guest = room_token(&program, json!({"room": id, "right": "edit", "name": "Ann"})).await;
    let mut socket = server.stranger().knock(&format!("?token={guest}")).await.unwrap();
    socket.answers_hello().await.unwrap();
    let mut socket = server.stranger().knock(&format!("?token={token}")).await.unwrap();
    socket.answers_hello().await.unwrap();
    server.stranger().get(&format!("//yjs/{id}?token={guest}")).await;
    server.stranger().bearer(&guest).get(&format!("/rooms/{id}")).await.expect(200);
    server.running.stop().await;
    let text = logged();
    for secret in [&token, &guest] {
        assert!(!text.contains(secret.as_str()), "{secret} is in the log");
    }
}
