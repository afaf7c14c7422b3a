//! Who may come in is decided by administrators: deactivated, back, gone for good; who administers.

use serde_json::{Value, json};

use crate::{
    support::{Caller, PASSWORD, Server},
    yjs::Client,
};

async fn id_of(person: &Caller) -> String {
    let me = person.get("/auth/me").await.expect(200);
    me["user"]["id"].as_str().unwrap().to_owned()
}

async fn own_space(person: &Caller) -> String {
    let spaces = person.get("/spaces").await.expect(200);
    spaces["spaces"][0]["id"].as_str().unwrap().to_owned()
}

fn login(username: &str) -> Value {
    json!({"username": username, "password": PASSWORD})
}

#[tokio::test]
async fn whoever_is_deactivated_is_out_at_once_and_comes_back_as_they_were() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("Plan").await;
    let grant = json!({"username": "bo", "right": "edit"});
    lin.post(&format!("/rooms/{room}/grants"), grant).await.expect(200);
    let secret = lin.invite(&room, json!({"right": "edit"})).await;
    let program = json!({"name": "Nightly", "scopes": ["read", "write"]});
    let program = lin.post("/tokens", program).await.expect(201);
    let program = server.stranger().bearer(program["token"].as_str().unwrap());
    let minted = lin.post("/room-tokens", json!({"room": room, "right": "edit"})).await.expect(201);
    let guest = server.stranger().bearer(minted["token"].as_str().unwrap());
    let mut socket = lin.socket().await;
    socket.attach(&room).await;
    let mut yjs = Client::in_step(&guest, &room).await;

    let path = format!("/admin/people/{}", id_of(&lin).await);
    bo.patch(&path, json!({"active": false})).await.refused(403, "no_right");
    let answer = admin.patch(&path, json!({"active": false})).await.expect(200);
    assert_eq!(answer["person"]["state"], "deactivated");
    assert_eq!(socket.closed().await, (4401, "signed_out".to_owned()));
    assert_eq!(yjs.closed().await, 4401);
    for caller in [&lin, &program, &guest] {
        caller.get(&format!("/rooms/{room}")).await.refused(401, "not_signed_in");
    }
    let stranger = server.stranger();
    stranger.post("/auth/login", login("lin")).await.refused(401, "wrong_credentials");
    // With their own link they would come back under another name.
    stranger.post("/invites/look", json!({"secret": secret})).await.refused(410, "link_expired");
    // Their name stays on what they wrote; they are not among those who can open it.
    let seen = bo.get(&format!("/rooms/{room}")).await.expect(200);
    assert_eq!(seen["owner"]["username"], "lin");
    let people = bo.get(&format!("/rooms/{room}/people")).await.expect(200)["people"].clone();
    assert_eq!(people.as_array().unwrap().len(), 1, "{people}");

    let answer = admin.patch(&path, json!({"active": true})).await.expect(200);
    assert_eq!(answer["person"]["state"], "active");
    lin.get("/auth/me").await.refused(401, "not_signed_in");
    program.get("/rooms").await.refused(401, "not_signed_in");
    let back = stranger.post("/auth/login", login("lin")).await.expect(200);
    let lin = server.stranger().bearer(back["token"].as_str().unwrap());
    lin.get(&format!("/rooms/{room}")).await.expect(200);
    admin.patch("/admin/people/x", json!({"active": false})).await.refused(404, "not_found");
}

#[tokio::test]
async fn there_is_always_an_administrator() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let (first, second) = (id_of(&admin).await, id_of(&lin).await);
    let of = |id: &str| format!("/admin/people/{id}");
    for form in [json!({"active": false}), json!({"admin": false})] {
        admin.patch(&of(&first), form).await.refused(409, "last_admin");
    }
    let heir = json!({"heir": "lin"});
    admin.post(&format!("{}/delete", of(&first)), heir.clone()).await.refused(409, "last_admin");
    let leave = json!({"password": PASSWORD, "heir": "lin"});
    admin.post("/auth/leave", leave).await.refused(409, "last_admin");

    lin.get("/admin/people").await.refused(403, "no_right");
    let made = admin.patch(&of(&second), json!({"admin": true})).await.expect(200);
    assert_eq!(made["person"]["admin"], true);
    lin.get("/admin/people").await.expect(200);
    // Somebody who cannot sign in administers nothing.
    admin.patch(&of(&second), json!({"active": false})).await.expect(200);
    admin.patch(&of(&first), json!({"admin": false})).await.refused(409, "last_admin");
    admin.patch(&of(&second), json!({"active": true})).await.expect(200);
    admin.patch(&of(&first), json!({"admin": false})).await.expect(200);
    admin.get("/admin/people").await.refused(403, "no_right");
}

#[tokio::test]
async fn what_somebody_owned_goes_to_their_heir_in_place() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let (lin, bo, cy) =
        (server.person("lin").await, server.person("bo").await, server.person("cy").await);
    let keyed = async |caller: &Caller, title: &str| {
        let form = json!({"kind": "doc", "title": title, "key": "plan"});
        caller.post("/rooms", form).await.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let (plan, _) = (keyed(&lin, "Plan").await, keyed(&bo, "Other").await);
    let grant = json!({"username": "cy", "right": "read"});
    lin.post(&format!("/rooms/{plan}/grants"), grant).await.expect(200);
    let team = lin.post("/spaces", json!({"name": "Team"})).await.expect(201);
    let team = team["id"].as_str().unwrap();
    let gallery = lin.get("/spaces").await.expect(200)["spaces"][1]["id"].clone();
    let shown = json!({"kind": "doc", "title": "Shown", "space": gallery});
    let shown = lin.post("/rooms", shown).await.expect(201)["id"].as_str().unwrap().to_owned();
    let own = own_space(&lin).await;
    let mut socket = lin.socket().await;
    socket.attach(&plan).await;

    let path = format!("/admin/people/{}/delete", id_of(&lin).await);
    let refused = admin.post(&path, json!({})).await.refused(400, "bad_request");
    assert_eq!(refused, json!({"field": "heir", "reason": "missing"}));
    for heir in ["nobody", "lin"] {
        let refused = admin.post(&path, json!({"heir": heir})).await.refused(400, "bad_request");
        assert_eq!(refused, json!({"field": "heir", "reason": "unknown"}));
    }
    let gone = admin.post(&path, json!({"heir": "bo"})).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    assert_eq!(socket.closed().await, (4401, "signed_out".to_owned()));
    server.stranger().post("/auth/login", login("lin")).await.refused(401, "wrong_credentials");

    let spaces = bo.get("/spaces").await.expect(200)["spaces"].clone();
    let of = |id: &str| spaces.as_array().unwrap().iter().find(|space| space["id"] == id).cloned();
    let (before, teams) = (of(&own).unwrap(), of(team).unwrap());
    assert_eq!((&before["kind"], &before["name"]), (&json!("team"), &json!("lin")));
    assert_eq!((&before["role"], &teams["role"]), (&json!("owner"), &json!("owner")));
    let room = bo.get(&format!("/rooms/{plan}")).await.expect(200);
    assert_eq!((&room["owner"]["username"], &room["right"]), (&json!("bo"), &json!("manage")));
    assert_eq!(room["key"], json!(null), "the heir has another one of that key");
    assert_eq!(bo.get(&format!("/rooms/{shown}")).await.expect(200)["right"], "manage");
    // Grants in it are as they were.
    assert_eq!(cy.get(&format!("/rooms/{plan}")).await.expect(200)["right"], "read");

    // The name is free, and nobody is found by what took its place.
    let again = server.person("lin").await;
    again.get(&format!("/rooms/{plan}")).await.refused(404, "not_found");
    let listed = admin.get("/admin/people").await.expect(200)["people"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 4, "{listed}");
    admin.post(&path, json!({"heir": "bo"})).await.refused(404, "not_found");
}

#[tokio::test]
async fn people_leave_and_name_an_heir_or_none() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let (secret, shared) = (lin.document("Secret").await, lin.document("Shared").await);
    let grant = json!({"username": "bo", "right": "edit"});
    lin.post(&format!("/rooms/{shared}/grants"), grant).await.expect(200);
    let team = lin.post("/spaces", json!({"name": "Team"})).await.expect(201);
    let team = team["id"].as_str().unwrap();
    let invite = json!({"username": "bo", "role": "editor"});
    lin.post(&format!("/spaces/{team}/members"), invite).await.expect(201);
    bo.post(&format!("/spaces/{team}/answer"), json!({"agree": true})).await.expect(200);

    let wrong = json!({"password": "a guess"});
    lin.post("/auth/leave", wrong).await.refused(401, "wrong_credentials");
    lin.post("/auth/leave", json!({"password": PASSWORD})).await.refused(409, "heir_needed");
    let unknown = json!({"password": PASSWORD, "heir": "nobody"});
    lin.post("/auth/leave", unknown).await.refused(400, "bad_request");
    lin.post(&format!("/spaces/{team}/hand-over"), json!({"username": "bo"})).await.expect(200);
    let left = lin.post("/auth/leave", json!({"password": PASSWORD})).await;
    assert_eq!(left.status, 204, "{}", left.text);
    lin.get("/auth/me").await.refused(401, "not_signed_in");

    // What others may see can be read; the rest went to the trash.
    let seen = bo.get(&format!("/rooms/{shared}")).await.expect(200);
    assert_eq!((&seen["right"], &seen["owner"]["name"]), (&json!("read"), &json!("")));
    let meta = &server.running.state().meta;
    let trashed = async |room: &str| {
        meta.room_by_id(room.parse().unwrap()).await.unwrap().unwrap().trashed_at.is_some()
    };
    assert_eq!((trashed(&secret).await, trashed(&shared).await), (true, false));
    let members = bo.get(&format!("/spaces/{team}/members")).await.expect(200);
    assert_eq!(members["members"].as_array().unwrap().len(), 1, "{members}");

    let cy = server.person("cy").await;
    let kept = cy.document("Kept").await;
    let heir = json!({"password": PASSWORD, "heir": "bo"});
    assert_eq!(cy.post("/auth/leave", heir).await.status, 204);
    assert_eq!(bo.get(&format!("/rooms/{kept}")).await.expect(200)["right"], "manage");
}
