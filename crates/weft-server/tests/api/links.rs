//! Links to rooms: people with an account, guests, and what ends for them when the link changes.

use reqwest::Method;
use serde_json::{Value, json};
use weft_proto::wire::{self, server_frame::Body as In};

use crate::{
    hocuspocus,
    support::{Caller, MINUTE, Server},
    wire::{Socket, typed},
    yjs::Client,
};

async fn link(by: &Caller, room: &str, form: Value) -> Value {
    let set = by.call(Method::PUT, &format!("/rooms/{room}/link"), Some(form)).await;
    set.expect(200)["link"].clone()
}

/// A public link to edit, as it is shown.
async fn public(by: &Caller, room: &str) -> Value {
    let set = link(by, room, json!({"who": "public", "right": "edit"})).await;
    json!({"room": room, "secret": set["secret"], "name": "Ann"})
}

async fn guest(server: &Server, shown: &Value) -> Caller {
    let opened = server.stranger().post("/links/open", shown.clone()).await.expect(200);
    server.stranger().bearer(opened["token"].as_str().unwrap())
}

#[tokio::test]
async fn a_guest_opens_one_room_and_nothing_else() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let (room, other) = (lin.document("Plan").await, lin.document("Other").await);
    let path = format!("/rooms/{room}/link");
    let none = json!({"link": null, "allowed": "public"});
    assert_eq!(lin.get(&path).await.expect(200), none);
    bo.get(&path).await.refused(404, "not_found");
    let set = link(&lin, &room, json!({"who": "public", "right": "edit"})).await;
    assert_eq!(lin.get(&path).await.expect(200)["link"], set);
    let secret = set["secret"].as_str().unwrap();
    assert!(set["url"].as_str().unwrap().ends_with(&format!("/o/{room}#k={secret}")));

    let stranger = server.stranger();
    let look = stranger.post("/links/look", json!({"room": room, "secret": secret})).await;
    let expected = json!({
        "kind": "doc", "title": "Plan", "who": "public", "right": "edit", "has_password": false,
    });
    assert_eq!(look.expect(200), expected);
    for (room, secret) in [(&room, "x"), (&other, secret), (&"x".repeat(26), secret)] {
        let form = json!({"room": room, "secret": secret, "name": "Ann"});
        stranger.post("/links/look", form.clone()).await.refused(410, "link_expired");
        stranger.post("/links/open", form).await.refused(410, "link_expired");
    }
    let mut form = json!({"room": room, "secret": secret});
    let refused = stranger.post("/links/open", form.clone()).await.refused(400, "bad_request");
    assert_eq!(refused, json!({"field": "name", "reason": "missing"}));
    form["name"] = json!(" Ann ");
    let opened = stranger.post("/links/open", form.clone()).await;
    let cookie = opened.header("set-cookie").to_owned();
    assert!(cookie.starts_with(&format!("weft_guest_{room}=")), "{cookie}");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"), "{cookie}");
    let body = opened.expect(200);
    assert_eq!(body["guest"]["name"], "Ann");

    // The browser speaks of its guest by name of the room; another site's page does not.
    let base = stranger.base.clone();
    let browser = stranger
        .clone()
        .header("cookie", cookie.split(';').next().unwrap())
        .header("origin", &base);
    let mine = format!("/rooms/{room}?guest={room}");
    assert_eq!(browser.get(&mine).await.expect(200)["right"], "edit");
    browser.get(&format!("/rooms/{room}")).await.refused(401, "not_signed_in");
    let again = browser.post("/links/open", json!({"room": room, "secret": secret})).await;
    assert_eq!(again.expect(200)["guest"], body["guest"], "the browser is known");
    let elsewhere = browser.header("origin", "https://evil.example");
    elsewhere.post("/links/open", form).await.refused(403, "bad_origin");

    let guest = stranger.bearer(body["token"].as_str().unwrap());
    let seen = guest.get(&format!("/rooms/{room}")).await.expect(200);
    assert_eq!((&seen["right"], &seen["space"]), (&json!("edit"), &Value::Null));
    assert_eq!(guest.merge(&room, typed(7, "hi")).await.status, 200);
    guest.get(&format!("/rooms/{other}")).await.refused(404, "not_found");
    for path in ["/rooms", "/auth/me", "/spaces", "/people?q=l", "/tokens"] {
        guest.get(path).await.refused(401, "not_signed_in");
    }
    for below in ["people", "link", "invites", "audit"] {
        guest.get(&format!("/rooms/{room}/{below}")).await.refused(401, "not_signed_in");
    }
    let people = lin.get(&format!("/rooms/{room}/people")).await.expect(200);
    assert_eq!(people["people"].as_array().unwrap().len(), 1, "a guest is in no list of people");
    assert_eq!(people["grants"][0]["to"], json!({"link": {"who": "public"}}));
}

#[tokio::test]
async fn people_hold_a_link_and_it_is_among_what_is_shared_with_them() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("Plan").await;
    let set = link(&lin, &room, json!({"who": "workspace", "right": "comment"})).await;
    let form = json!({"room": room, "secret": set["secret"], "name": "Ann"});
    server.stranger().post("/links/open", form.clone()).await.refused(401, "not_signed_in");
    bo.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
    let opened = bo.post("/links/open", form.clone()).await.expect(200);
    assert_eq!(opened["room"]["right"], "comment");
    let shared = bo.get("/rooms?which=shared").await.expect(200);
    assert_eq!(shared["rooms"][0]["id"], json!(room));
    let people = lin.get(&format!("/rooms/{room}/people")).await.expect(200);
    assert_eq!(people["people"][1]["why"][0]["by"], "link");

    // Absent fields stay; what is given changes at once.
    let set = link(&lin, &room, json!({"right": "read", "expires_in_seconds": 60})).await;
    assert_eq!(
        (&set["who"], &set["secret"], set["expires_at"].is_u64()),
        (&json!("workspace"), &form["secret"], true)
    );
    assert_eq!(bo.get(&format!("/rooms/{room}")).await.expect(200)["right"], "read");
    server.clock.advance(MINUTE);
    bo.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
    bo.post("/links/open", form.clone()).await.refused(410, "link_expired");
    link(&lin, &room, json!({"expires_in_seconds": null})).await;
    assert_eq!(bo.get(&format!("/rooms/{room}")).await.expect(200)["right"], "read");
    let path = format!("/rooms/{room}/link");
    lin.post(&format!("{path}/renew"), json!({})).await.expect(200);
    bo.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
    assert_eq!(lin.delete(&path).await.status, 204);
    lin.post(&format!("{path}/renew"), json!({})).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_password_is_asked_for_and_guessing_is_bounded() {
    let server = Server::with(Server::limits(|l| l.link_password_attempts_per_minute = 2)).await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let set =
        link(&lin, &room, json!({"who": "public", "right": "read", "password": "open sesame"}))
            .await;
    assert_eq!(set["has_password"], true);
    let form = |password: Option<&str>| json!({"room": room, "secret": set["secret"], "password": password});
    let stranger = server.stranger();
    let look = stranger.post("/links/look", form(None)).await.expect(200);
    assert_eq!((&look["title"], &look["has_password"]), (&Value::Null, &json!(true)));
    let open = async |password| stranger.post("/links/open", form(password)).await;
    open(None).await.refused(401, "link_password_needed");
    open(Some("wrong one")).await.refused(401, "wrong_link_password");
    let token = open(Some("open sesame")).await.expect(200)["token"].clone();
    let guest = server.stranger().bearer(token.as_str().unwrap());
    assert_eq!(guest.get(&format!("/rooms/{room}")).await.expect(200)["right"], "read");
    open(Some("wrong one")).await.refused(401, "wrong_link_password");
    open(Some("open sesame")).await.refused(429, "too_many_attempts");

    // Another password is another link under the same address: who had the old one gives the new one.
    let renewed = link(&lin, &room, json!({"password": "another one"})).await;
    assert_eq!(renewed["secret"], set["secret"]);
    guest.get(&format!("/rooms/{room}")).await.refused(401, "not_signed_in");
    server.clock.advance(MINUTE);
    open(Some("another one")).await.expect(200);
}

/// A guest in the room by every protocol.
struct Everywhere {
    native: Socket,
    yjs: Client,
    y_sweet: Client,
    hocuspocus: hocuspocus::Client,
}

impl Everywhere {
    async fn come(server: &Server, guest: &Caller, room: &str) -> Self {
        let mut native = guest.socket().await;
        assert_eq!(native.attach(room).await.right(), wire::Right::Edit);
        let yjs = Client::in_step(guest, room).await;
        let y_sweet = Client::in_step_at(guest, &format!("d/{room}/ws/{room}")).await;
        let hocuspocus = hocuspocus::Client::in_step(server, room, guest).await;
        Self { native, yjs, y_sweet, hocuspocus }
    }

    /// All of them are told to go, or are closed.
    async fn gone(mut self, room: &str) {
        match self.native.next().await {
            Ok(In::Detached(detached)) => {
                let code = detached.why.unwrap().code;
                assert!(["no_access", "signed_out"].contains(&code.as_str()), "{code}");
            }
            Err((code, _)) => assert_eq!(code, 4401),
            other => panic!("{other:?}"),
        }
        self.yjs.closed().await;
        self.y_sweet.closed().await;
        self.hocuspocus.left(room).await;
    }
}

#[tokio::test]
async fn whatever_ends_a_link_ends_its_guests_by_every_protocol() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let form = json!({"name": "Design"});
    let space = admin.post("/spaces", form).await.expect(201)["id"].as_str().unwrap().to_owned();
    let form = json!({"kind": "doc", "title": "Plan", "space": space});
    let room = admin.post("/rooms", form).await.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/rooms/{room}/link");
    let in_space = format!("/spaces/{space}");
    let rules = |name: &str, value: bool| json!({"rules": {name: value}});
    for what in ["renew", "off", "password", "links", "public_links", "outsiders", "workspace"] {
        let shown = public(&admin, &room).await;
        let guest = guest(&server, &shown).await;
        let everywhere = Everywhere::come(&server, &guest, &room).await;
        let code = match what {
            "renew" => {
                admin.post(&format!("{path}/renew"), json!({})).await.expect(200);
                "not_signed_in"
            }
            "off" => {
                assert_eq!(admin.delete(&path).await.status, 204);
                "not_signed_in"
            }
            "password" => {
                link(&admin, &room, json!({"password": "open sesame"})).await;
                "not_signed_in"
            }
            "workspace" => {
                let off = json!({"public_links": false});
                admin.patch("/admin/sharing", off).await.expect(200);
                "not_found"
            }
            rule => {
                admin.patch(&in_space, rules(rule, false)).await.expect(200);
                "not_found"
            }
        };
        let status = if code == "not_found" { 404 } else { 401 };
        guest.get(&format!("/rooms/{room}")).await.refused(status, code);
        guest.merge(&room, typed(9, "late")).await.refused(status, code);
        everywhere.gone(&room).await;
        assert_ne!(server.stranger().post("/links/open", shown).await.status, 200, "{what}");
        let on = json!({"rules": {"links": true, "public_links": true, "outsiders": true}});
        admin.patch(&in_space, on).await.expect(200);
        admin.patch("/admin/sharing", json!({"public_links": true})).await.expect(200);
        admin.delete(&path).await;
    }
}

#[tokio::test]
async fn a_link_that_expires_ends_its_guests() {
    let open = |config: &mut weft_server::Config| {
        config.registration = Some(weft_server::config::Registration::Open);
    };
    let server = Server::in_time(open).await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let shown = public(&lin, &room).await;
    let guest = guest(&server, &shown).await;
    let everywhere = Everywhere::come(&server, &guest, &room).await;
    link(&lin, &room, json!({"expires_in_seconds": 1})).await;
    everywhere.gone(&room).await;
}

#[tokio::test]
async fn a_smaller_right_takes_effect_on_guests_who_are_there() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let guest = guest(&server, &public(&lin, &room).await).await;
    let mut socket = guest.socket().await;
    let id = socket.attach(&room).await.room;
    socket.saved(&id, 1, typed(1, "one")).await;
    link(&lin, &room, json!({"right": "read"})).await;
    assert_eq!(socket.refused(&id, 2, typed(2, "two")).await, "no_right");
    link(&lin, &room, json!({"right": "edit"})).await;
    socket.saved(&id, 3, typed(3, "three")).await;
}

#[tokio::test]
async fn guests_of_one_link_are_so_many() {
    let server = Server::with(Server::limits(|limits| limits.guests_per_link_max = 1)).await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let shown = public(&lin, &room).await;
    guest(&server, &shown).await;
    let refused = server.stranger().post("/links/open", shown).await.refused(400, "bad_request");
    assert_eq!(refused, json!({"field": "guests", "reason": "too_many"}));
}

#[tokio::test]
async fn links_are_for_rooms_whose_rules_allow_them() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let own = lin.get("/spaces").await.expect(200)["spaces"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/rooms/{room}/link");
    let set = async |who: &str| {
        let form = json!({"who": who, "right": "read"});
        lin.call(Method::PUT, &path, Some(form)).await
    };
    let not_allowed = json!({"field": "link", "reason": "not_allowed"});
    lin.patch(&format!("/spaces/{own}"), json!({"rules": {"public_links": false}}))
        .await
        .expect(200);
    assert_eq!(lin.get(&path).await.expect(200)["allowed"], "workspace");
    assert_eq!(set("public").await.refused(400, "bad_request"), not_allowed);
    set("workspace").await.expect(200);
    lin.patch(&format!("/spaces/{own}"), json!({"rules": {"links": false}})).await.expect(200);
    assert_eq!(lin.get(&path).await.expect(200)["allowed"], "no");
    assert_eq!(set("workspace").await.refused(400, "bad_request"), not_allowed);
    let bad = json!({"who": "all", "right": "read"});
    let bad = lin.call(Method::PUT, &path, Some(bad)).await.refused(400, "bad_request");
    assert_eq!(bad, json!({"field": "who", "reason": "unknown"}));
}
