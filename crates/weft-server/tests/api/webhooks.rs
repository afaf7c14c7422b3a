//! Webhooks, as a receiver sees them and as those who manage a space do.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, sync::mpsc};
use weft_server::{
    Config,
    config::{Limits, Registration},
};

use crate::{
    inbox::Watched,
    support::{Caller, NOW, Server, logged},
    wire::typed,
};

/// What a receiver was sent.
struct Heard {
    id: String,
    timestamp: u64,
    signature: String,
    body: String,
}

impl Heard {
    fn event(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// How a receiver answers.
#[derive(Clone)]
enum Answer {
    With(u16, &'static str),
    Redirect(String),
    Never,
}

type Plan = Arc<Mutex<VecDeque<Answer>>>;

/// Somebody who listens: answers as planned, and 204 afterwards.
struct Receiver {
    address: SocketAddr,
    heard: mpsc::UnboundedReceiver<Heard>,
    plan: Plan,
}

impl Receiver {
    async fn start() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, heard) = mpsc::unbounded_channel();
        let plan = Plan::default();
        let router = Router::new().fallback(hear).with_state((sender, Arc::clone(&plan)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, heard, plan }
    }

    fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    fn next_answer(&self, answer: Answer) {
        self.plan.lock().unwrap().push_back(answer);
    }

    async fn hears(&mut self) -> Heard {
        self.heard.recv().await.unwrap()
    }

    #[track_caller]
    fn heard_nothing_more(&mut self) {
        if let Ok(heard) = self.heard.try_recv() {
            panic!("heard {}", heard.body);
        }
    }
}

async fn hear(
    State((sender, plan)): State<(mpsc::UnboundedSender<Heard>, Plan)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    let heard = Heard {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signature: header("webhook-signature"),
        body,
    };
    let _ = sender.send(heard);
    let answer = plan.lock().unwrap().pop_front();
    match answer {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Answer::With(status, text)) => {
            (StatusCode::from_u16(status).unwrap(), text).into_response()
        }
        Some(Answer::Redirect(to)) => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response()
        }
        Some(Answer::Never) => std::future::pending().await,
    }
}

/// The signature, by hand (RFC 2104).
fn signed(secret: &str, heard: &Heard) -> String {
    let mut key = [0_u8; 64];
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    key[..bytes.len()].copy_from_slice(&bytes);
    let pad = |with: u8| key.map(|byte| byte ^ with);
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(format!("{}.{}.{}", heard.id, heard.timestamp, heard.body))
        .finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    format!("v1,{}", STANDARD.encode(outer))
}

/// A server whose webhooks may go to this machine.
fn here(change: impl FnOnce(&mut Limits)) -> impl FnOnce(&mut Config) {
    |config| {
        config.registration = Some(Registration::Open);
        config.webhook_networks = vec!["127.0.0.1".parse().unwrap()];
        change(&mut config.limits);
    }
}

async fn team(owner: &Caller) -> String {
    let made = owner.post("/spaces", json!({"name": "Team"})).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// A webhook of the space: its path, and its secret.
async fn webhook(by: &Caller, space: &str, url: &str, events: &[&str]) -> (String, String) {
    let form = json!({"name": "Listener", "url": url, "events": events});
    let made = by.post(&format!("/spaces/{space}/webhooks"), form).await.expect(201);
    let id = made["webhook"]["id"].as_str().unwrap();
    (format!("/spaces/{space}/webhooks/{id}"), made["secret"].as_str().unwrap().to_owned())
}

async fn room_in(by: &Caller, space: &str, title: &str) -> String {
    let form = json!({"kind": "doc", "title": title, "space": space});
    by.post("/rooms", form).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// The last delivery, once it is as wanted.
async fn last(by: &Caller, hook: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let all = by.get(&format!("{hook}/deliveries")).await.expect(200);
        if is_wanted(&all["deliveries"][0]) {
            return all["deliveries"][0].clone();
        }
        tokio::task::yield_now().await;
    }
}

async fn only(by: &Caller, hook: &str) -> Value {
    let space = hook.split("/webhooks/").next().unwrap();
    let all = by.get(&format!("{space}/webhooks")).await.expect(200);
    assert_eq!(all["webhooks"].as_array().unwrap().len(), 1);
    all["webhooks"][0].clone()
}

#[tokio::test]
async fn what_happens_in_a_space_is_told_in_order_and_signed() {
    let mut receiver = Receiver::start().await;
    let server = Server::with(here(|_| {})).await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let space = team(&lin).await;
    let all = lin.get(&format!("/spaces/{space}/webhooks")).await.expect(200)["events"].clone();
    let all: Vec<&str> =
        all.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    let (_, secret) = webhook(&lin, &space, &receiver.url(), &all).await;

    let room = room_in(&lin, &space, "Plan").await;
    lin.patch(&format!("/rooms/{room}"), json!({"title": "Plan B"})).await.expect(200);
    // The same title is no change.
    lin.patch(&format!("/rooms/{room}"), json!({"title": "Plan B"})).await.expect(200);
    let grants = format!("/rooms/{room}/grants");
    lin.post(&grants, json!({"username": "bo", "right": "edit"})).await.expect(200);
    lin.delete(&format!("{grants}/bo")).await.expect(204);
    let link = format!("/rooms/{room}/link");
    let form = json!({"who": "public", "right": "read", "password": "open sesame"});
    let link_secret = lin.call(Method::PUT, &link, Some(form)).await.expect(200);
    let link_secret = link_secret["link"]["secret"].as_str().unwrap().to_owned();
    lin.delete(&link).await.expect(204);
    let invite = lin.invite(&room, json!({"right": "read"})).await;
    let folder = lin.post("/folders", json!({"space": space, "name": "Old"})).await.expect(201);
    let folder = folder["id"].as_str().unwrap();
    lin.patch(&format!("/rooms/{room}"), json!({"folder": folder})).await.expect(200);
    lin.delete(&format!("/folders/{folder}")).await.expect(204);
    lin.post(&format!("/folders/{folder}/restore"), json!({})).await.expect(200);
    lin.delete(&format!("/rooms/{room}")).await.expect(200);
    lin.post(&format!("/rooms/{room}/restore"), json!({})).await.expect(200);
    let members = format!("/spaces/{space}/members");
    // Who is only invited is no member yet.
    lin.post(&members, json!({"username": "bo", "role": "viewer"})).await.expect(201);
    lin.patch(&format!("{members}/bo"), json!({"role": "editor"})).await.expect(200);
    bo.post(&format!("/spaces/{space}/answer"), json!({"agree": true})).await.expect(200);
    lin.patch(&format!("{members}/bo"), json!({"role": "admin"})).await.expect(200);
    bo.delete(&format!("{members}/bo")).await.expect(204);
    // Elsewhere.
    bo.document("Bo's own").await;
    let own = lin.get("/spaces").await.expect(200)["spaces"][0]["id"].clone();
    lin.patch(&format!("/rooms/{room}"), json!({"space": own, "folder": null})).await.expect(200);

    let mut ids = Vec::new();
    for (event, about) in [
        ("room.created", json!({"room": "Plan"})),
        ("room.renamed", json!({"room": "Plan B"})),
        ("grant.set", json!({"room": "Plan B", "person": "bo", "right": "edit"})),
        ("grant.removed", json!({"person": "bo"})),
        ("link.set", json!({"who": "public", "right": "read", "password": true})),
        ("link.removed", json!({"room": "Plan B"})),
        ("invite.made", json!({"right": "read"})),
        ("room.moved", json!({"room": "Plan B", "how": "within"})),
        ("folder.trashed", json!({"folder": "Old"})),
        ("folder.restored", json!({"folder": "Old"})),
        ("room.trashed", json!({"room": "Plan B"})),
        ("room.restored", json!({"room": "Plan B"})),
        ("member.added", json!({"person": "bo", "role": "editor", "actor": "bo"})),
        ("member.role_changed", json!({"person": "bo", "role_before": "editor", "role": "admin"})),
        ("member.removed", json!({"person": "bo", "role": "admin", "actor": "bo"})),
        ("room.moved", json!({"room": "Plan B", "how": "out"})),
    ] {
        let heard = receiver.hears().await;
        assert_eq!(heard.event(), event);
        assert_eq!(heard.signature, signed(&secret, &heard), "{event}");
        assert_eq!(heard.timestamp, NOW / 1000);
        let json = heard.json();
        assert_eq!(json["timestamp"], "2027-01-15T08:00:00Z");
        let data = &json["data"];
        assert_eq!(data["space"], json!({"id": space, "kind": "team", "name": "Team"}));
        let expected_actor = about.get("actor").cloned().unwrap_or(json!("lin"));
        assert_eq!(data["actor"]["username"], expected_actor, "{event}");
        for (name, expected) in about.as_object().unwrap() {
            let found = match name.as_str() {
                "room" => &data["room"]["title"],
                "folder" => &data["folder"]["name"],
                "person" | "actor" => &data[name]["username"],
                _ => &data[name],
            };
            assert_eq!(found, expected, "{event}: {name} of {data}");
        }
        for hidden in [&secret, &link_secret, &invite, "open sesame"] {
            assert!(!heard.body.contains(hidden), "{event}");
        }
        ids.push(heard.id);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 16, "each has a number of its own");
    receiver.heard_nothing_more();
}

#[tokio::test]
async fn what_is_not_chosen_or_not_done_is_not_told() {
    let mut receiver = Receiver::start().await;
    let server = Server::with(here(|_| {})).await;
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let (hook, _) = webhook(&lin, &space, &receiver.url(), &["grant.set", "room.trashed"]).await;
    let room = room_in(&lin, &space, "Plan").await;
    let grants = format!("/rooms/{room}/grants");
    lin.post(&grants, json!({"username": "nobody", "right": "edit"}))
        .await
        .refused(404, "not_found");
    lin.patch(&hook, json!({"on": false})).await.expect(200);
    lin.delete(&format!("/rooms/{room}")).await.expect(200);
    lin.post(&format!("/rooms/{room}/restore"), json!({})).await.expect(200);
    lin.patch(&hook, json!({"on": true})).await.expect(200);
    lin.delete(&format!("/rooms/{room}")).await.expect(200);
    assert_eq!(receiver.hears().await.event(), "room.trashed");
    let all = lin.get(&format!("{hook}/deliveries")).await.expect(200);
    assert_eq!(all["deliveries"].as_array().unwrap().len(), 1);
    receiver.heard_nothing_more();
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_under_its_number_until_it_is() {
    let mut receiver = Receiver::start().await;
    let (mut elsewhere, server) = (Receiver::start().await, Server::with(here(|_| {})).await);
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let (hook, secret) = webhook(&lin, &space, &receiver.url(), &["room.created"]).await;
    receiver.next_answer(Answer::With(500, "out of order"));
    receiver.next_answer(Answer::Redirect(elsewhere.url()));
    room_in(&lin, &space, "Plan").await;

    let first = receiver.hears().await;
    let row = last(&lin, &hook, |row| row["tries"] == 1).await;
    assert_eq!((&row["state"], &row["status"]), (&json!("waiting"), &json!(500)));
    assert_eq!((&row["fault"], &row["answer"]), (&json!("status"), &json!("out of order")));
    let wait = row["next_at"].as_u64().unwrap() - NOW;
    assert!((4_000..=6_000).contains(&wait), "{wait}");
    receiver.heard_nothing_more();

    server.clock.advance(6_000);
    let second = receiver.hears().await;
    assert_eq!((&second.id, &second.body), (&first.id, &first.body));
    assert_eq!(second.timestamp, NOW / 1000 + 6, "each try is signed anew");
    assert_eq!(second.signature, signed(&secret, &second));
    let row = last(&lin, &hook, |row| row["tries"] == 2).await;
    assert_eq!(row["status"], 307);

    server.clock.advance(6 * 60_000);
    assert_eq!(receiver.hears().await.id, first.id);
    let row = last(&lin, &hook, |row| row["state"] == "delivered").await;
    assert_eq!((&row["tries"], &row["status"]), (&json!(3), &json!(204)));
    assert_eq!((&row["fault"], &row["next_at"]), (&Value::Null, &Value::Null));
    assert_eq!(only(&lin, &hook).await["succeeded_at"], NOW + 6_000 + 6 * 60_000);

    // By hand, once more, under the same number.
    lin.post(&format!("{hook}/deliveries/{}/again", row["id"]), json!({})).await.expect(202);
    assert_eq!(receiver.hears().await.id, first.id);
    let row = last(&lin, &hook, |row| row["tries"] == 4 && row["state"] == "delivered").await;
    lin.post(&format!("{hook}/deliveries/{}0/again", row["id"]), json!({}))
        .await
        .refused(404, "not_found");
    elsewhere.heard_nothing_more();
}

#[tokio::test]
async fn a_receiver_that_is_gone_or_never_takes_anything_is_left_alone_and_managers_are_told() {
    let mut receiver = Receiver::start().await;
    let server = Server::with(here(|limits| limits.webhook_tries_max = 2)).await;
    let lin = server.person("lin").await;
    let mut inbox = Watched::open(&lin).await;
    let space = team(&lin).await;
    let (hook, _) = webhook(&lin, &space, &receiver.url(), &["room.created"]).await;
    receiver.next_answer(Answer::With(410, "bye"));
    room_in(&lin, &space, "One").await;
    receiver.hears().await;
    let gone = "webhook.off*  Team because=gone name=Listener";
    inbox.says(&[gone]).await;
    let now = only(&lin, &hook).await;
    assert_eq!((&now["on"], &now["off_because"]), (&json!(false), &json!("gone")));
    assert_eq!(last(&lin, &hook, |_| true).await["state"], "failed");
    room_in(&lin, &space, "Two").await;

    let now = lin.patch(&hook, json!({"on": true})).await.expect(200);
    assert_eq!(
        (&now["webhook"]["on"], &now["webhook"]["off_because"]),
        (&json!(true), &Value::Null)
    );
    receiver.next_answer(Answer::With(503, ""));
    receiver.next_answer(Answer::With(503, ""));
    room_in(&lin, &space, "Three").await;
    assert_eq!(receiver.hears().await.json()["data"]["room"]["title"], "Three");
    last(&lin, &hook, |row| row["tries"] == 1).await;
    server.clock.advance(6_000);
    receiver.hears().await;
    let row = last(&lin, &hook, |row| row["tries"] == 2).await;
    assert_eq!(row["state"], "failed");
    // Within minutes it is one notice.
    inbox.says(&["webhook.off*  Team because=failing name=Listener x2"]).await;
    assert_eq!(only(&lin, &hook).await["off_because"], "failing");

    // By hand it can be tried, and that turns nothing off or on.
    lin.post(&format!("{hook}/test"), json!({})).await.expect(202);
    assert_eq!(receiver.hears().await.event(), "webhook.test");
    last(&lin, &hook, |row| row["event"] == "webhook.test" && row["state"] == "delivered").await;
    assert_eq!(only(&lin, &hook).await["on"], false);
}

#[tokio::test]
async fn one_refusal_among_others_that_are_taken_turns_nothing_off() {
    let mut receiver = Receiver::start().await;
    let server = Server::with(here(|limits| limits.webhook_tries_max = 1)).await;
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let (hook, _) = webhook(&lin, &space, &receiver.url(), &["room.created"]).await;
    room_in(&lin, &space, "One").await;
    last(&lin, &hook, |row| row["state"] == "delivered").await;
    receiver.next_answer(Answer::With(400, "not this one"));
    room_in(&lin, &space, "Two").await;
    last(&lin, &hook, |row| row["state"] == "failed").await;
    assert_eq!(only(&lin, &hook).await["on"], true);
    for title in ["One", "Two"] {
        assert_eq!(receiver.hears().await.json()["data"]["room"]["title"], title);
    }
}

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else_and_is_given_up() {
    let (mut slow, mut quick) = (Receiver::start().await, Receiver::start().await);
    let server = Server::with(here(|limits| limits.webhook_ms_max = 1_000)).await;
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let (slow_hook, _) = webhook(&lin, &space, &slow.url(), &["room.created"]).await;
    webhook(&lin, &space, &quick.url(), &["room.created"]).await;
    slow.next_answer(Answer::Never);
    room_in(&lin, &space, "One").await;
    room_in(&lin, &space, "Two").await;
    slow.hears().await;
    // While the slow one has the first in its hands.
    for title in ["One", "Two"] {
        assert_eq!(quick.hears().await.json()["data"]["room"]["title"], title);
    }
    // The other comes to it when the first has been given up, not beside it.
    assert_eq!(slow.hears().await.json()["data"]["room"]["title"], "Two");
    let all = lin.get(&format!("{slow_hook}/deliveries")).await.expect(200);
    let first = &all["deliveries"][1];
    assert_eq!((&first["state"], &first["fault"]), (&json!("waiting"), &json!("timeout")));
    assert_eq!((&first["tries"], &first["status"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn what_waits_is_sent_by_the_next_server() {
    let mut receiver = Receiver::start().await;
    let server = Server::with(here(|_| {})).await;
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let (hook, _) = webhook(&lin, &space, &receiver.url(), &["room.created"]).await;
    receiver.next_answer(Answer::Never);
    room_in(&lin, &space, "Plan").await;
    let first = receiver.hears().await;
    // It ends in the middle of sending; what it had claimed is free when the claim has run out.
    let token = lin.headers.clone();
    let server = server.restart(here(|_| {})).await;
    let lin = Caller { headers: token, ..server.stranger() };
    server.clock.advance(60_000);
    let again = receiver.hears().await;
    assert_eq!((&again.id, &again.body), (&first.id, &first.body));
    last(&lin, &hook, |row| row["state"] == "delivered").await;
}

#[tokio::test]
async fn changes_of_content_are_told_without_content() {
    let mut receiver = Receiver::start().await;
    let change = here(|limits| {
        limits.room_touch_ms = 1;
        limits.webhook_change_ms = 1;
    });
    let server = Server::in_time(change).await;
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let room = room_in(&lin, &space, "Plan").await;
    webhook(&lin, &space, &receiver.url(), &["room.changed"]).await;
    for (client, words) in [(1, "a secret plan"), (2, "and more of it")] {
        lin.merge(&room, typed(client, words)).await.expect(200);
        let heard = receiver.hears().await;
        assert_eq!(heard.event(), "room.changed");
        let told = json!({"id": room, "kind": "doc", "title": "Plan"});
        assert_eq!(heard.json()["data"]["room"], told);
        assert!(!heard.body.contains(words));
    }
}

#[tokio::test]
async fn webhooks_do_not_lead_inside_and_do_not_say_what_is_there() {
    let mut inside = Receiver::start().await;
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let hooks = format!("/spaces/{space}/webhooks");
    let make =
        async |url: &str| lin.post(&hooks, json!({"url": url, "events": ["room.created"]})).await;
    for (url, reason) in [
        (inside.url().as_str(), "https_needed"),
        ("https://127.0.0.1/", "not_allowed"),
        ("https://169.254.169.254/latest/meta-data", "not_allowed"),
        ("https://[::1]/", "not_allowed"),
        ("https://lin@example.org/", "malformed"),
        ("gopher://example.org/", "malformed"),
        ("", "malformed"),
    ] {
        let params = make(url).await.refused(400, "bad_request");
        assert_eq!(params, json!({"field": "url", "reason": reason}), "{url}");
    }
    // A name tells nothing before it is looked up.
    let url = format!("https://localhost:{}/", inside.address.port());
    let (hook, _) = webhook(&lin, &space, &url, &["room.created"]).await;
    room_in(&lin, &space, "Plan").await;
    let row = last(&lin, &hook, |row| row["tries"] == 1).await;
    assert_eq!(row["fault"], "refused");
    assert_eq!((&row["status"], &row["answer"]), (&Value::Null, &json!("")));
    inside.heard_nothing_more();
}

#[tokio::test]
async fn forms_are_checked_and_webhooks_are_counted() {
    let server = Server::with(here(|limits| limits.webhooks_per_space_max = 2)).await;
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let hooks = format!("/spaces/{space}/webhooks");
    let url = "https://example.org/";
    let bad = async |form: Value, field: &str, reason: &str| {
        let params = lin.post(&hooks, form).await.refused(400, "bad_request");
        assert_eq!(params, json!({"field": field, "reason": reason}));
    };
    bad(json!({"url": url}), "events", "missing").await;
    bad(json!({"url": url, "events": []}), "events", "missing").await;
    bad(json!({"url": url, "events": ["room.eaten"]}), "events", "unknown").await;
    bad(json!({"url": url, "events": ["webhook.test"]}), "events", "unknown").await;
    bad(json!({"events": ["room.created"]}), "url", "missing").await;
    let long = "x".repeat(65);
    bad(json!({"url": url, "events": ["room.created"], "name": long}), "name", "too_long").await;
    let (hook, _) = webhook(&lin, &space, url, &["room.created"]).await;
    webhook(&lin, &space, url, &["room.created"]).await;
    bad(json!({"url": url, "events": ["room.created"]}), "webhooks", "too_many").await;
    lin.delete(&hook).await.expect(204);
    lin.get(&format!("{hook}/deliveries")).await.refused(404, "not_found");
    webhook(&lin, &space, url, &["room.created"]).await;
    // One's own space has them, too; the gallery has none.
    let spaces = lin.get("/spaces").await.expect(200)["spaces"].clone();
    webhook(&lin, spaces[0]["id"].as_str().unwrap(), url, &["room.created"]).await;
    let (admin, _) = server.set_up().await;
    let gallery = spaces[1]["id"].as_str().unwrap();
    let params = admin.get(&format!("/spaces/{gallery}/webhooks")).await;
    assert_eq!(
        params.refused(400, "bad_request"),
        json!({"field": "space", "reason": "not_a_team"})
    );
}

#[tokio::test]
async fn a_secret_is_shown_once_and_changes_are_in_the_audit_log() {
    let mut receiver = Receiver::start().await;
    let server = Server::with(here(|_| {})).await;
    let lin = server.person("lin").await;
    let space = team(&lin).await;
    let (hook, secret) = webhook(&lin, &space, &receiver.url(), &["room.created"]).await;
    let renewed =
        lin.post(&format!("{hook}/secret"), json!({})).await.expect(200)["secret"].clone();
    let renewed = renewed.as_str().unwrap();
    assert_ne!(renewed, secret);
    room_in(&lin, &space, "Plan").await;
    let heard = receiver.hears().await;
    assert_eq!(heard.signature, signed(renewed, &heard));
    last(&lin, &hook, |row| row["state"] == "delivered").await;
    lin.patch(&hook, json!({"name": "Other", "on": false})).await.expect(200);
    let audit = format!("/spaces/{space}/audit");
    let mut said = lin.get(&hook[..hook.rfind('/').unwrap()]).await.text;
    said += &lin.get(&format!("{hook}/deliveries")).await.text;
    lin.delete(&hook).await.expect(204);
    let acts = lin.get(&audit).await.expect(200)["acts"].clone();
    let acts: Vec<String> = acts
        .as_array()
        .unwrap()
        .iter()
        .map(|act| format!("{} {} {}", act["act"], act["params"]["name"], act["params"]["what"]))
        .collect();
    assert_eq!(
        acts,
        [
            r#""webhook_removed" "Other" null"#,
            r#""webhook_changed" "Other" "name off""#,
            r#""webhook_changed" "Listener" "secret""#,
            r#""webhook_made" "Listener" null"#,
            r#""space_made" null null"#,
        ]
    );
    said += &lin.get(&audit).await.text;
    let log = logged();
    for secret in [secret.as_str(), renewed] {
        assert!(!said.contains(secret) && !log.contains(secret));
    }
}

#[tokio::test]
async fn nobody_is_told_what_happens_in_the_space_of_somebody_who_cannot_sign_in() {
    let mut receiver = Receiver::start().await;
    let server = Server::with(here(|_| {})).await;
    let (admin, _) = server.set_up().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let own = lin.get("/spaces").await.expect(200)["spaces"][0]["id"].clone();
    let own = own.as_str().unwrap();
    let room = room_in(&lin, own, "Plan").await;
    webhook(&lin, own, &receiver.url(), &["room.renamed", "room.created"]).await;
    let grant = json!({"username": "bo", "right": "edit"});
    lin.post(&format!("/rooms/{room}/grants"), grant).await.expect(200);
    let me = lin.get("/auth/me").await.expect(200)["user"]["id"].clone();
    let lin_path = format!("/admin/people/{}", me.as_str().unwrap());
    let rename = async |title: &str| {
        bo.patch(&format!("/rooms/{room}"), json!({"title": title})).await.expect(200);
    };
    admin.patch(&lin_path, json!({"active": false})).await.expect(200);
    rename("unheard").await;
    admin.patch(&lin_path, json!({"active": true})).await.expect(200);
    rename("heard").await;
    assert_eq!(receiver.hears().await.json()["data"]["room"]["title"], "heard");
    // Who takes over somebody's space does not take over where its happenings were sent.
    admin.post(&format!("{lin_path}/delete"), json!({"heir": "bo"})).await.expect(204);
    rename("unheard").await;
    let hooks = bo.get(&format!("/spaces/{own}/webhooks")).await.expect(200);
    assert_eq!(hooks["webhooks"], json!([]));
    let bo_hook = webhook(&bo, own, &receiver.url(), &["room.renamed"]).await.0;
    rename("heard again").await;
    last(&bo, &bo_hook, |row| row["state"] == "delivered").await;
    assert_eq!(receiver.hears().await.json()["data"]["room"]["title"], "heard again");
    receiver.heard_nothing_more();
}
