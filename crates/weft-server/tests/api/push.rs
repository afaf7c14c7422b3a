//! Notices pushed to browsers, as a push service and the browser behind it see them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};
use web_push_native::{
    decrypt,
    p256::{
        SecretKey,
        ecdsa::{Signature, VerifyingKey, signature::Verifier},
    },
};
use weft_core::kind::inbox::Op;
use weft_server::{Config, config::Registration};

use crate::{
    inbox::{Watched, share},
    support::{Caller, DAY, MINUTE, NOW, PASSWORD, Server, logged},
};

type Answers = Arc<Mutex<VecDeque<u16>>>;

/// A push service with one browser behind it. Answers as planned, and 201 afterwards.
struct Browser {
    origin: String,
    secret: SecretKey,
    auth: [u8; 16],
    heard: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
    answers: Answers,
}

impl Browser {
    async fn start(number: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (sender, heard) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let router = Router::new().fallback(hear).with_state((sender, Arc::clone(&answers)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let secret = SecretKey::from_slice(&[number; 32]).unwrap();
        Self { origin, secret, auth: [number; 16], heard, answers }
    }

    fn endpoint(&self) -> String {
        format!("{}/to/browser", self.origin)
    }

    fn form(&self) -> Value {
        let p256dh = URL_SAFE_NO_PAD.encode(self.secret.public_key().to_sec1_bytes());
        let auth = URL_SAFE_NO_PAD.encode(self.auth);
        json!({"endpoint": self.endpoint(), "p256dh": p256dh, "auth": auth})
    }

    fn next_answer(&self, status: u16) {
        self.answers.lock().unwrap().push_back(status);
    }

    /// What is to be shown next, and the headers with which it came.
    async fn hears(&mut self) -> (HeaderMap, Value) {
        let (headers, sealed) = self.heard.recv().await.unwrap();
        let told = decrypt(sealed.to_vec(), &self.secret, &self.auth.into()).unwrap();
        (headers, serde_json::from_slice(&told).unwrap())
    }

    async fn shows(&mut self) -> Vec<String> {
        let (_, told) = self.hears().await;
        let lines = told.as_array().unwrap().iter();
        lines.map(|shown| shown["text"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn heard_nothing_more(&mut self) {
        assert!(self.heard.try_recv().is_err());
    }
}

async fn hear(
    State((sender, answers)): State<(mpsc::UnboundedSender<(HeaderMap, Bytes)>, Answers)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let _ = sender.send((headers, body));
    let answer = answers.lock().unwrap().pop_front().unwrap_or(201);
    StatusCode::from_u16(answer).unwrap()
}

fn here(config: &mut Config) {
    config.registration = Some(Registration::Open);
    config.webhook_networks = vec!["127.0.0.1".parse().unwrap()];
}

async fn subscribe(person: &Caller, browser: &Browser) {
    person.call(Method::PUT, "/auth/push", Some(browser.form())).await.expect(204);
}

/// Where notices of the sign-in are pushed, once that is so.
async fn endpoint(person: &Caller, wanted: Option<&str>) {
    loop {
        let push = person.get("/auth/push").await.expect(200);
        if push["endpoint"].as_str() == wanted {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn shared(from: &Caller, to: &str, title: &str) -> String {
    let room = from.document(title).await;
    share(from, &room, to, "read").await;
    room
}

fn part(token: &str, index: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()
}

#[tokio::test]
async fn a_notice_is_pushed_to_each_browser_sealed_and_signed() {
    let server = Server::with(here).await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let mut browser = Browser::start(7).await;
    // What was told before is in the inbox.
    shared(&lin, "bo", "Old").await;
    Watched::open(&bo).await.holds(1).await;
    let push = bo.get("/auth/push").await.expect(200);
    assert_eq!(push["endpoint"], Value::Null);
    bo.patch("/auth/me", json!({"language": "zh"})).await.expect(200);
    subscribe(&bo, &browser).await;
    endpoint(&bo, Some(&browser.endpoint())).await;

    let plan = shared(&lin, "bo", "计划").await;
    let (headers, told) = browser.hears().await;
    let shown = told.as_array().unwrap();
    assert_eq!(shown.len(), 1, "{told}");
    assert_eq!(shown[0]["text"], "lin 与你分享了“计划”");
    assert_eq!(shown[0]["path"], format!("/o/{plan}"));
    let tag = shown[0]["tag"].as_str().unwrap().to_owned();
    assert!(tag.starts_with("notice-"), "{tag}");
    assert_eq!(headers["content-encoding"], "aes128gcm");
    assert_eq!(headers["ttl"], "86400");

    // RFC 8292: whoever holds the key that the browser was told of has signed it, for this service.
    let header = headers["authorization"].to_str().unwrap();
    let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(key, push["public_key"]);
    let key = VerifyingKey::from_sec1_bytes(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    key.verify(signed.as_bytes(), &Signature::from_slice(&part(token, 2)).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&part(token, 1)).unwrap();
    assert_eq!(claims["aud"], browser.origin);
    assert_eq!(claims["exp"], NOW / 1000 + 12 * 60 * 60);

    // On another device, too; never the same twice.
    let mut phone = Browser::start(8).await;
    let form = json!({"username": "bo", "password": PASSWORD});
    let signed_in = server.stranger().post("/auth/login", form).await.expect(200);
    let again = server.stranger().bearer(signed_in["token"].as_str().unwrap());
    subscribe(&again, &phone).await;
    shared(&lin, "bo", "Next").await;
    assert_eq!(browser.shows().await, ["lin 与你分享了“Next”"]);
    assert_eq!(phone.shows().await, ["lin 与你分享了“Next”"]);
    again.delete("/auth/push").await.expect(204);
    shared(&lin, "bo", "Last").await;
    assert_eq!(browser.shows().await, ["lin 与你分享了“Last”"]);
    phone.heard_nothing_more();
    let log = logged();
    for secret in [browser.endpoint(), token.to_owned()] {
        assert!(!log.contains(&secret), "{secret}");
    }
}

#[tokio::test]
async fn what_could_not_be_pushed_comes_later_unless_it_was_read_or_closed_meanwhile() {
    // The clock jumps while something is under way, which runs out by it.
    let here = |config: &mut Config| {
        here(config);
        config.limits.webhook_ms_max = DAY;
    };
    let server = Server::with(here).await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let mut browser = Browser::start(7).await;
    subscribe(&bo, &browser).await;
    browser.next_answer(503);
    shared(&lin, "bo", "Read").await;
    assert_eq!(browser.shows().await, ["lin shared “Read” with you"]);
    let (closed, muted) = (shared(&lin, "bo", "Closed").await, shared(&lin, "bo", "Muted").await);
    let mut inbox = Watched::open(&bo).await;
    inbox.holds(3).await;
    let read = inbox.notices()[0].id;
    inbox.submit(&Op::MarkRead(vec![read])).await;
    inbox.reads(read).await;
    lin.delete(&format!("/rooms/{closed}/grants/bo")).await.expect(204);
    bo.call(Method::PUT, &format!("/rooms/{muted}/mute"), None).await.expect(204);
    for title in ["A", "B", "C", "D", "E"] {
        shared(&lin, "bo", title).await;
    }
    inbox.holds(8).await;
    browser.heard_nothing_more();

    // The power fails in between.
    let server = server.restart(here).await;
    let [lin, bo] = [lin, bo].map(|Caller { headers, .. }| Caller { headers, ..server.stranger() });
    browser.next_answer(429);
    server.clock.advance(MINUTE / 2);
    let lines = ["2 more notices"].into_iter().chain(["C", "D", "E"]);
    let words = |line: &str| match line.len() {
        1 => format!("lin shared “{line}” with you"),
        _ => line.to_owned(),
    };
    let lines: Vec<_> = lines.map(words).collect();
    assert_eq!(browser.shows().await, lines);
    server.clock.advance(MINUTE);
    assert_eq!(browser.shows().await, lines);

    // After so many tries they are given up, and only they.
    for _ in 0..server.running.state().config.limits.push_tries_max {
        browser.next_answer(500);
    }
    shared(&lin, "bo", "Lost").await;
    for _ in 0..server.running.state().config.limits.push_tries_max {
        assert_eq!(browser.shows().await, ["lin shared “Lost” with you"]);
        server.clock.advance(60 * MINUTE);
    }
    shared(&lin, "bo", "New").await;
    assert_eq!(browser.shows().await, ["lin shared “New” with you"]);
    endpoint(&bo, Some(&browser.endpoint())).await;
}

#[tokio::test]
async fn a_browser_that_is_gone_and_one_that_is_signed_out_are_told_nothing_more() {
    let server = Server::with(here).await;
    let (lin, bo, zoe) =
        (server.person("lin").await, server.person("bo").await, server.person("zoe").await);
    let (mut of_bo, mut of_zoe) = (Browser::start(7).await, Browser::start(8).await);
    subscribe(&bo, &of_bo).await;
    subscribe(&zoe, &of_zoe).await;
    of_bo.next_answer(410);
    shared(&lin, "bo", "One").await;
    of_bo.hears().await;
    endpoint(&bo, None).await;
    shared(&lin, "bo", "Two").await;
    Watched::open(&bo).await.holds(2).await;

    subscribe(&bo, &of_bo).await;
    bo.post("/auth/logout", json!({})).await.expect(204);
    shared(&lin, "bo", "Three").await;
    // Whoever signs in there next is told, and no one else.
    let cy = server.person("cy").await;
    subscribe(&zoe, &of_bo).await;
    subscribe(&cy, &of_bo).await;
    shared(&lin, "zoe", "Four").await;
    shared(&lin, "cy", "Five").await;
    assert_eq!(of_bo.shows().await, ["lin shared “Five” with you"]);
    of_bo.heard_nothing_more();
    of_zoe.heard_nothing_more();
}

#[tokio::test]
async fn what_is_no_browsers_address_is_refused() {
    let server = Server::with(here).await;
    let bo = server.person("bo").await;
    let form = Browser::start(7).await.form();
    for (field, value, reason) in [
        ("endpoint", json!("http://10.0.0.1/"), "not_allowed"),
        ("endpoint", json!("https://192.168.0.1/"), "not_allowed"),
        ("endpoint", json!("file:///etc/passwd"), "malformed"),
        ("endpoint", Value::Null, "missing"),
        ("p256dh", json!(URL_SAFE_NO_PAD.encode([4; 65])), "malformed"),
        ("p256dh", json!("BA=="), "malformed"),
        ("p256dh", Value::Null, "missing"),
        ("auth", json!(URL_SAFE_NO_PAD.encode([4; 15])), "malformed"),
        ("auth", json!("?"), "malformed"),
    ] {
        let mut wrong = form.clone();
        wrong[field] = value;
        let refused = bo.call(Method::PUT, "/auth/push", Some(wrong)).await;
        let refused = refused.refused(400, "bad_request");
        assert_eq!((&refused["field"], &refused["reason"]), (&json!(field), &json!(reason)));
    }
    endpoint(&bo, None).await;
}
