//! The audit log: what is noted, who reads it, and what it does not hold. Signing in anew, and finding people.

use serde_json::{Value, json};

use crate::support::{Caller, DAY, PASSWORD, Server};

async fn acts(by: &Caller, path: &str) -> Vec<Value> {
    by.get(path).await.expect(200)["acts"].as_array().unwrap().clone()
}

fn codes(acts: &[Value]) -> Vec<&str> {
    acts.iter().map(|act| act["act"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_changed_whose_rights_is_noted_with_the_change() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("Plan").await;
    let grants = format!("/rooms/{room}/grants");
    lin.post(&grants, json!({"username": "bo", "right": "edit"})).await.expect(200);
    lin.post(&grants, json!({"username": "nobody", "right": "edit"}))
        .await
        .refused(404, "not_found");
    lin.delete(&format!("{grants}/bo")).await;
    lin.delete(&format!("{grants}/bo")).await;
    let secret = lin.invite(&room, json!({"right": "read"})).await;
    bo.post("/invites/accept", json!({"secret": secret})).await.expect(200);

    let of_room = acts(&lin, &format!("/rooms/{room}/audit")).await;
    assert_eq!(codes(&of_room), ["invite_accepted", "invite_made", "grant_taken", "granted"]);
    let granted = &of_room[3];
    assert_eq!(
        (&granted["by"]["username"], &granted["person"]["username"], &granted["params"]),
        (&json!("lin"), &json!("bo"), &json!({"right": "edit"}))
    );
    assert_eq!(
        (&granted["room"]["title"], &granted["at"]),
        (&json!("Plan"), &json!(server.clock.now()))
    );
    assert_eq!(granted.get("address"), None, "where people are is for administrators");
    bo.get(&format!("/rooms/{room}/audit")).await.refused(403, "no_right");

    let of_bo = acts(&admin, "/admin/audit?person=bo").await;
    assert_eq!(
        codes(&of_bo),
        ["invite_accepted", "grant_taken", "granted", "signed_in", "account_made"]
    );
    assert_eq!(of_bo[0]["address"], "127.0.0.1");
    assert_eq!(acts(&admin, &format!("/admin/audit?room={room}&person=bo")).await.len(), 3);
    lin.get("/admin/audit").await.refused(403, "no_right");

    // Page by page.
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let page = admin.get(&format!("/admin/audit?limit=2{before}")).await.expect(200);
        let acts = page["acts"].as_array().unwrap();
        seen.extend(acts.iter().map(|act| act["id"].as_u64().unwrap()));
        if page["more"] == false {
            break;
        }
        before = format!("&before={}", seen.last().unwrap());
    }
    assert_eq!(seen.len(), acts(&admin, "/admin/audit").await.len());
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    admin.get("/admin/audit?limit=0").await.refused(400, "bad_request");
    admin.get("/admin/audit?before=x").await.refused(400, "bad_request");
    admin.get("/admin/audit?person=nobody").await.refused(404, "not_found");
}

#[tokio::test]
async fn spaces_tell_their_admins_what_happened_in_them() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let made = lin.post("/spaces", json!({"name": "Design"})).await.expect(201);
    let space = made["id"].as_str().unwrap();
    let members = format!("/spaces/{space}/members");
    lin.post(&members, json!({"username": "bo", "role": "editor"})).await.expect(201);
    bo.post(&format!("/spaces/{space}/answer"), json!({"agree": true})).await.expect(200);
    let form = json!({"kind": "doc", "title": "Plan", "space": space});
    let room = bo.post("/rooms", form).await.expect(201);
    let room = room["id"].as_str().unwrap();
    bo.delete(&format!("/rooms/{room}")).await.expect(200);
    lin.patch(&format!("{members}/bo"), json!({"role": "admin"})).await.expect(200);
    lin.patch(&format!("/spaces/{space}"), json!({"rules": {"links": false}})).await.expect(200);
    lin.post(&format!("/spaces/{space}/hand-over"), json!({"username": "bo"})).await.expect(200);
    lin.delete(&format!("{members}/lin")).await;
    let path = format!("/spaces/{space}/audit");
    let noted = acts(&bo, &path).await;
    assert_eq!(
        codes(&noted),
        [
            "member_left",
            "handed_over",
            "rules_changed",
            "role_changed",
            "room_trashed",
            "member_joined",
            "member_invited",
            "space_made",
        ]
    );
    assert_eq!(noted[3]["params"], json!({"from": "editor", "role": "admin"}));
    assert_eq!(noted[2]["params"], json!({"rule": "links", "value": false}));
    lin.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn sign_ins_and_what_guards_them_are_noted_without_secrets() {
    let server = Server::with(Server::limits(|limits| limits.audited_failures_per_hour = 2)).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let stranger = server.stranger();
    for username in ["lin", "my secret password", "lin"] {
        let form = json!({"username": username, "password": "a wrong password"});
        stranger.post("/auth/login", form).await.refused(401, "wrong_credentials");
    }
    let made = lin.post("/tokens", json!({"name": "export", "scopes": ["read"]})).await.expect(201);
    lin.delete(&format!("/tokens/{}", made["id"].as_str().unwrap())).await;
    let form = json!({"password": PASSWORD, "new_password": "battery staple"});
    assert_eq!(lin.post("/auth/password", form).await.status, 204);
    lin.patch("/auth/me", json!({"email": "lin@example.net", "password": "battery staple"}))
        .await
        .expect(200);
    lin.post("/auth/logout", json!({})).await;
    let noted = acts(&admin, "/admin/audit?limit=200").await;
    assert_eq!(
        codes(&noted)[..8],
        [
            "signed_out",
            "email_changed",
            "password_changed",
            "token_revoked",
            "token_made",
            "sign_in_failed",
            "sign_in_failed",
            "signed_in",
        ],
        "the third failure is not noted"
    );
    assert_eq!(noted[6]["person"]["username"], "lin");
    assert_eq!(
        (&noted[6]["by"], &noted[6]["params"]),
        (&Value::Null, &json!({"reason": "password"}))
    );
    assert_eq!(noted[5]["person"], Value::Null);
    let text = format!("{noted:?}");
    for secret in [PASSWORD, "battery", "my secret", "weft_pat_", "a wrong", "@example"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn what_was_noted_long_ago_is_forgotten() {
    let server = Server::with(Server::limits(|limits| limits.audit_days_max = 2)).await;
    let (admin, _) = server.set_up().await;
    server.person("lin").await;
    assert!(!acts(&admin, "/admin/audit?person=lin").await.is_empty());
    server.clock.advance(3 * DAY);
    // The hub looks once a second, by its own clock.
    while !acts(&admin, "/admin/audit?person=lin").await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn rights_are_managed_by_those_who_showed_their_password_lately() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    server.person("bo").await;
    let room = lin.document("Plan").await;
    let grants = format!("/rooms/{room}/grants");
    let form = json!({"username": "bo", "right": "edit"});
    lin.post(&grants, form.clone()).await.expect(200);
    server.clock.advance(7 * DAY);
    lin.post(&grants, form.clone()).await.refused(403, "sign_in_again");
    lin.delete(&format!("{grants}/bo")).await.refused(403, "sign_in_again");
    let token = json!({"name": "x", "scopes": ["read"]});
    lin.post("/tokens", token.clone()).await.refused(403, "sign_in_again");
    lin.patch("/auth/me", json!({"email": "new@example.net"})).await.refused(403, "sign_in_again");
    // Everything else goes on.
    lin.patch(&format!("/rooms/{room}"), json!({"title": "Plans"})).await.expect(200);
    lin.patch("/auth/me", json!({"name": "Lin Yue"})).await.expect(200);
    let wrong = json!({"password": "a wrong password"});
    lin.post("/auth/confirm", wrong).await.refused(401, "wrong_credentials");
    assert_eq!(lin.post("/auth/confirm", json!({"password": PASSWORD})).await.status, 204);
    lin.post(&grants, form).await.expect(200);
    lin.post("/tokens", token).await.expect(201);
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_a_name() {
    let server = Server::with(Server::limits(|l| l.people_searches_per_minute = 14)).await;
    let (admin, _) = server.set_up().await;
    let (lin, bo) = (server.person("lin").await, server.person("bob").await);
    server.person("林月").await;
    let form = json!({"name": "Robert 100% Xu", "email": "bo@example.net", "password": PASSWORD});
    bo.patch("/auth/me", form).await.expect(200);
    let found = async |asked: &str| {
        let answer = lin.get(&format!("/people?q={asked}")).await.expect(200);
        let names = answer["people"].as_array().unwrap().iter();
        names.map(|person| person["username"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("BO").await, ["bob"]);
    assert_eq!(found("rob").await, ["bob"]);
    assert_eq!(found("xu").await, ["bob"]);
    assert_eq!(found("%E6%9E%97").await, ["林月"]);
    assert_eq!(found("bo@example.net").await, ["bob"], "a whole address");
    for nobody in ["bo@example", "ob", "%25", "_o", "lin", "x%5C"] {
        assert_eq!(found(nobody).await, [""; 0], "{nobody}");
    }
    assert_eq!(found("").await, [""; 0], "there is no team yet");
    admin.patch("/admin/sharing", json!({"people_found": "shared"})).await.expect(200);
    assert_eq!(found("bob").await, [""; 0]);
    let team = lin.post("/spaces", json!({"name": "Design"})).await.expect(201);
    let team = format!("/spaces/{}", team["id"].as_str().unwrap());
    let form = json!({"username": "bob", "role": "viewer"});
    lin.post(&format!("{team}/members"), form).await.expect(201);
    bo.post(&format!("{team}/answer"), json!({"agree": true})).await.expect(200);
    assert_eq!(found("").await, ["bob"]);
    lin.get("/people?q=b").await.refused(429, "too_many_attempts");
    admin.patch("/admin/sharing", json!({"people_found": "all"})).await.refused(400, "bad_request");
    bo.get("/admin/sharing").await.refused(403, "no_right");
}
