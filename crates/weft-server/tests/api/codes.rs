//! Every code that `docs/api.md` lists is reached, and none that it does not list.

use std::{cell::RefCell, collections::BTreeSet};

use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use weft_core::PersonId;
use weft_store::{Identity, NewPerson, NewSignIn, Proof};

use crate::{
    provider::oidc_at,
    support::{Answer, Caller, DAY, NOW, PASSWORD, Server, room_without_a_log},
    wire::typed,
};

/// The codes in the table of the API's description.
fn documented() -> BTreeSet<String> {
    let text = include_str!("../../../../docs/api.md");
    let rows = text.lines().skip_while(|line| !line.starts_with("| status | codes |"));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let mut codes = BTreeSet::new();
    for row in rows {
        let cell = row.split('|').nth(2).unwrap();
        // What stands in parentheses are parameters.
        let mut depth = 0;
        let plain: String = cell
            .chars()
            .filter(|c| {
                depth += i32::from(*c == '(');
                let keep = depth == 0;
                depth -= i32::from(*c == ')');
                keep
            })
            .collect();
        codes.extend(plain.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    codes
}

/// Somebody who has an identity and no password.
async fn vouched_for(server: &Server) -> Caller {
    let meta = &server.running.state().meta;
    let issuer = "http://127.0.0.1:1".to_owned();
    let identity = Identity { issuer, subject: "yue".to_owned() };
    let new = NewPerson {
        id: PersonId::from_bytes([9; 16]),
        username: "yue".to_owned(),
        name: "Yue".to_owned(),
        email: None,
        password_hash: String::new(),
        admin: false,
        language: "en".to_owned(),
    };
    let person = meta.create_identified_person(&new, false, &identity, None, NOW).await.unwrap().id;
    let token = "of a browser";
    let sign_in = NewSignIn {
        token_hash: Sha256::digest(token).into(),
        person,
        proof: Proof::Identity(&identity, NOW),
        idle_ms_max: DAY,
        user_agent: "",
    };
    meta.create_sign_in(sign_in, NOW).await.unwrap();
    server.stranger().bearer(token)
}

#[tokio::test]
async fn every_documented_code_is_reached() {
    let seen = RefCell::new(BTreeSet::new());
    let see = |answer: Answer, status: u16, code: &str| {
        answer.refused(status, code);
        seen.borrow_mut().insert(code.to_owned());
    };
    let limits = Server::limits(|limits| {
        limits.json_body_bytes_max = 2_000;
        limits.sign_in_attempts_per_minute = 1;
        limits.op_bytes_max = 400;
        limits.room_bytes_max = 500;
    });
    let server = Server::with(|config| {
        limits(config);
        config.oidc = Some(oidc_at("http://127.0.0.1:1"));
    })
    .await;
    let stranger = server.stranger();
    let secret = server.setup_secret();
    let (admin, welcome) = server.set_up().await;
    let bo = server.person("bo").await;

    see(admin.post("/rooms", json!({"title": "x"})).await, 400, "bad_request");
    see(admin.send(Method::POST, "/rooms", Some("{".into())).await, 400, "bad_json");
    see(stranger.get("/rooms").await, 401, "not_signed_in");
    let half = json!({"code": "123456"});
    see(stranger.post("/auth/oidc/code", half).await, 410, "oidc_expired");
    let shown = json!({"password": PASSWORD});
    see(admin.post("/auth/oidc/link", shown.clone()).await, 502, "oidc_unreachable");
    let passwordless = vouched_for(&server).await;
    see(passwordless.post("/auth/oidc/unlink", json!({})).await, 409, "no_password");
    see(passwordless.post("/auth/oidc/link", json!({})).await, 409, "identity_linked");
    let wrong = json!({"username": "admin", "password": "wrong"});
    see(stranger.post("/auth/login", wrong.clone()).await, 401, "wrong_credentials");
    see(stranger.post("/auth/login", wrong).await, 429, "too_many_attempts");
    let begun = bo.post("/auth/second-factor", json!({"password": PASSWORD})).await.expect(200);
    let device = totp_rs::Totp::from_url(begun["uri"].as_str().unwrap()).unwrap();
    let confirm =
        async |code: String| bo.post("/auth/second-factor/confirm", json!({"code": code})).await;
    see(confirm("none".to_owned()).await, 401, "wrong_code");
    confirm(device.generate(NOW / 1000).to_string()).await.expect(200);
    let again = json!({"password": PASSWORD});
    see(bo.post("/auth/second-factor", again).await, 409, "second_factor_on");
    let login = json!({"username": "bo", "password": PASSWORD});
    see(stranger.post("/auth/login", login).await, 401, "second_factor_needed");
    let grant = json!({"username": "bo", "right": "read"});
    admin.post(&format!("/rooms/{welcome}/grants"), grant).await.expect(200);
    let rename = json!({"title": "mine"});
    see(bo.patch(&format!("/rooms/{welcome}"), rename).await, 403, "no_right");
    let program = json!({"name": "x", "scopes": ["read"]});
    let program = admin.post("/tokens", program).await.expect(201);
    let program = stranger.clone().bearer(program["token"].as_str().unwrap());
    see(program.post("/rooms", json!({"kind": "doc"})).await, 403, "no_scope");
    see(program.get("/tokens").await, 403, "sign_in_needed");
    let elsewhere = stranger.clone().header("origin", "http://evil.example");
    let login = json!({"username": "bo", "password": PASSWORD});
    see(elsewhere.post("/auth/login", login).await, 403, "bad_origin");
    see(admin.get("/rooms/nothing").await, 404, "not_found");
    see(admin.delete("/rooms").await, 405, "bad_method");
    let again = json!({"username": "BO", "password": PASSWORD, "email": "new@example.org"});
    see(stranger.post("/auth/register", again).await, 409, "username_taken");
    let mine = admin.post("/rooms", json!({"kind": "doc", "title": "", "key": "k"}));
    mine.await.expect(201);
    let same = json!({"kind": "order", "title": "", "key": "k"});
    see(admin.post("/rooms", same).await, 409, "key_taken");
    let form = json!({"username": "cy", "password": PASSWORD, "email": "cy@example.org"});
    let cy = stranger.post("/auth/register", form).await.expect(200);
    let cy = stranger.clone().bearer(cy["token"].as_str().unwrap());
    let mail = json!({"username": "dee", "password": PASSWORD, "email": "CY@example.org"});
    see(stranger.post("/auth/register", mail).await, 409, "email_taken");
    let setup = json!({"secret": secret, "username": "eve", "password": PASSWORD});
    see(stranger.post("/auth/setup", setup).await, 409, "setup_done");
    see(admin.post("/invites/accept", json!({"secret": "x"})).await, 410, "link_expired");
    let team = cy.post("/spaces", json!({"name": "Team"})).await.expect(201);
    let members = format!("/spaces/{}", team["id"].as_str().unwrap());
    let invite = json!({"username": "admin", "role": "viewer"});
    cy.post(&format!("{members}/members"), invite).await.expect(201);
    admin.post(&format!("{members}/answer"), json!({"agree": true})).await.expect(200);
    see(cy.post("/auth/leave", json!({"password": PASSWORD})).await, 409, "heir_needed");
    let me = admin.get("/auth/me").await.expect(200)["user"]["id"].as_str().unwrap().to_owned();
    let off = json!({"active": false});
    see(admin.patch(&format!("/admin/people/{me}"), off).await, 409, "last_admin");
    see(admin.post("/admin/mail-test", json!({})).await, 409, "no_mail");
    let anybody = Some(json!({"registration": "open"}));
    let set = admin.call(Method::PUT, "/admin/registration", anybody).await;
    see(set, 409, "set_at_start");
    let linked = admin.document("linked").await;
    let form = json!({"who": "public", "right": "read", "password": "open sesame"});
    let put = admin.call(Method::PUT, &format!("/rooms/{linked}/link"), Some(form)).await;
    let secret = put.expect(200)["link"]["secret"].clone();
    let open = async |password: Option<&str>| {
        let form = json!({"room": linked, "secret": secret, "password": password});
        stranger.post("/links/open", form).await
    };
    see(open(None).await, 401, "link_password_needed");
    see(open(Some("wrong one")).await, 401, "wrong_link_password");
    let large = json!({"kind": "doc", "title": "x".repeat(3_000)});
    see(admin.post("/rooms", large).await, 413, "too_large");
    let room = admin.document("small").await;
    see(admin.merge(&room, vec![9; 500]).await, 413, "op_too_large");
    see(admin.merge(&room, vec![9]).await, 422, "op_malformed");
    let later = [1, 1, 5, 3, 0x84, 5, 2, 1, b'a', 0];
    see(admin.merge(&room, later.to_vec()).await, 422, "missing_predecessors");
    admin.merge(&room, typed(1, &"x".repeat(300))).await.expect(200);
    see(admin.merge(&room, typed(2, &"y".repeat(300))).await, 409, "room_full");
    let quotas = async |personal: serde_json::Value| {
        let form = json!({"team": null, "personal": personal});
        admin.call(Method::PUT, "/admin/quotas", Some(form)).await.expect(200);
    };
    quotas(json!(1)).await;
    see(admin.post("/rooms", json!({"kind": "doc", "title": ""})).await, 507, "quota_exceeded");
    quotas(json!(null)).await;
    let order = admin.post("/rooms", json!({"kind": "order", "title": ""})).await.expect(201);
    let order = order["id"].as_str().unwrap();
    see(admin.get(&format!("/rooms/{order}/json")).await, 409, "not_merged");
    admin.delete(&format!("/rooms/{room}")).await.expect(200);
    see(admin.merge(&room, typed(3, "z")).await, 409, "trashed");
    let lost = room_without_a_log(&server, &welcome).await;
    see(admin.get(&format!("/rooms/{lost}/text")).await, 503, "room_unavailable");
    let closed = server.restart(|config| config.limits.room_queue_bytes_max = 1).await;
    let admin = Caller { base: closed.stranger().base, ..admin };
    see(admin.merge(&welcome, typed(4, "w")).await, 503, "busy");
    let form = json!({"username": "fay", "password": PASSWORD, "email": "fay@example.org"});
    see(closed.stranger().post("/auth/register", form).await, 403, "registration_closed");
    let mute = Server::with(|config| {
        let (smtp, from) = ("smtp://127.0.0.1:1?tls=off", "weft@example.org");
        let (smtp, from) = (smtp.parse().unwrap(), from.parse().unwrap());
        config.mail = Some(weft_server::config::MailConfig { smtp, from });
    })
    .await;
    let (unheard, _) = mute.set_up().await;
    let address = json!({"email": "a@example.org", "password": PASSWORD});
    unheard.patch("/auth/me", address).await.expect(200);
    see(unheard.post("/admin/mail-test", json!({})).await, 502, "mail_failed");
    let old = Server::open().await;
    let cat = old.person("cat").await;
    old.clock.advance(7 * DAY);
    let token = json!({"name": "x", "scopes": ["read"]});
    see(cat.post("/tokens", token).await, 403, "sign_in_again");
    let crowded =
        Server::with(Server::limits(|limits| limits.connections_per_address_max = 1)).await;
    let first = tokio::net::TcpStream::connect(crowded.running.address()).await.unwrap();
    see(crowded.stranger().get("/auth/me").await, 429, "too_many_connections");
    drop(first);
    closed.running.state().meta.close().await;
    let token = closed.stranger().bearer("any");
    see(token.get("/auth/me").await, 503, "store_failed");

    assert_eq!(seen.into_inner(), documented());
    assert_eq!(closed.clock.now(), NOW);
}

#[tokio::test]
async fn refusals_under_api_are_always_json() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    lin.get("//api").await.refused(404, "not_found");
    lin.get("//api/").await.refused(404, "not_found");
    lin.get("//api/v2/rooms").await.refused(404, "not_found");
    lin.get("/nothing/here").await.refused(404, "not_found");
    lin.get("/rooms/%ff").await.refused(404, "not_found");
    lin.call(Method::PUT, "/auth/login", None).await.refused(405, "bad_method");
    lin.call(Method::POST, "/rooms", None).await.refused(400, "bad_json");
    lin.send(Method::POST, "/rooms", Some("[1]".into())).await.refused(400, "bad_json");
    lin.post("/rooms", json!({"kind": 5})).await.refused(400, "bad_json");
    lin.get("/rooms?trashed=maybe").await.refused(400, "bad_request");
    let answer = lin.get("/rooms").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
}
