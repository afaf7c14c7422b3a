//! A server and its callers.

use std::{
    io,
    net::SocketAddr,
    sync::{LazyLock, Mutex},
};

use bytes::Bytes;
use reqwest::{Method, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use weft_core::{Right, RoomId};
use weft_server::{
    Clock, Config, Running,
    config::{Limits, Registration},
    serve_by,
};

use crate::document;

/// Some day in 2027.
pub const NOW: u64 = 1_800_000_000_000;
pub const MINUTE: u64 = 60_000;
pub const DAY: u64 = 24 * 60 * MINUTE;
pub const PASSWORD: &str = "correct horse";

pub struct Server {
    pub running: Running,
    pub clock: Clock,
    pub dir: tempfile::TempDir,
    pub http: reqwest::Client,
}

impl Server {
    /// A server where everybody may register.
    pub async fn open() -> Self {
        Self::with(|config| config.registration = Some(Registration::Open)).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), change).await
    }

    /// By the clock of this machine, for what rooms do after some time of their own accord.
    pub async fn in_time(change: impl FnOnce(&mut Config)) -> Self {
        Self::by(Clock::system(), tempfile::tempdir().unwrap(), change).await
    }

    pub async fn in_dir(dir: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Self {
        Self::by(Clock::standing(NOW), dir, change).await
    }

    async fn by(clock: Clock, dir: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Self {
        LazyLock::force(&LOG);
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config::new(listen, dir.path().join("data"));
        change(&mut config);
        let running = serve_by(config, clock.clone()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none());
        let http = http.build().unwrap();
        Self { running, clock, dir, http }
    }

    /// Stops, and starts again on the same folder.
    pub async fn restart(self, change: impl FnOnce(&mut Config)) -> Self {
        self.running.stop().await;
        Self::in_dir(self.dir, change).await
    }

    /// The same by the clock of this machine.
    pub async fn restart_in_time(self, change: impl FnOnce(&mut Config)) -> Self {
        self.running.stop().await;
        Self::by(Clock::system(), self.dir, change).await
    }

    /// Someone who is not signed in.
    pub fn stranger(&self) -> Caller {
        let base = format!("http://{}", self.running.address());
        Caller { base, headers: HeaderMap::new(), http: self.http.clone() }
    }

    /// A new account on an open server, by token.
    pub async fn person(&self, username: &str) -> Caller {
        let mail = format!("{}@example.org", username.len() + usize::from(username.as_bytes()[0]));
        let form = json!({"username": username, "password": PASSWORD, "email": format!("{username}.{mail}")});
        let answer = self.stranger().post("/auth/register", form).await.expect(200);
        self.stranger().bearer(answer["token"].as_str().unwrap())
    }

    pub fn setup_secret(&self) -> Option<String> {
        let link = self.running.setup_link()?;
        Some(link.split_once("/setup#").unwrap().1.to_owned())
    }

    /// The administrator, by token, and the welcome document.
    pub async fn set_up(&self) -> (Caller, String) {
        let form = json!({
            "secret": self.setup_secret(), "username": "admin", "password": PASSWORD, "workspace": "Team",
        });
        let answer = self.stranger().post("/auth/setup", form).await.expect(200);
        let admin = self.stranger().bearer(answer["token"].as_str().unwrap());
        (admin, answer["welcome_room"].as_str().unwrap().to_owned())
    }

    pub fn limits(change: impl FnOnce(&mut Limits)) -> impl FnOnce(&mut Config) {
        move |config| {
            config.registration = Some(Registration::Open);
            change(&mut config.limits);
        }
    }
}

#[derive(Clone)]
pub struct Caller {
    pub base: String,
    pub headers: HeaderMap,
    pub http: reqwest::Client,
}

impl Caller {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// A browser with that token, on one of the server's own pages.
    pub fn cookie(self, token: &str) -> Self {
        let origin = self.base.clone();
        self.header("cookie", &format!("weft_session={token}")).header("origin", &origin)
    }

    /// `path` is below `/api/v1`, unless it starts with two slashes.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string());
        self.send(method, path, body).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let url = match path.strip_prefix("//") {
            Some(path) => format!("{}/{path}", self.base),
            None => format!("{}/api/v1{path}", self.base),
        };
        let mut request = self.http.request(method.clone(), url).headers(self.headers.clone());
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.unwrap();
        let answer = Answer::of(format!("{method} {path}"), response).await;
        if !path.starts_with("//") {
            let document = document::document(self).await;
            document::holds(document, &method, &format!("/api/v1{path}"), &answer);
        }
        answer
    }

    /// Merges a Yjs update.
    pub async fn merge(&self, room: &str, update: impl Into<reqwest::Body>) -> Answer {
        let url = format!("{}/api/v1/rooms/{room}/updates", self.base);
        let request = self.http.post(url).headers(self.headers.clone()).body(update);
        Answer::of(format!("POST {room}/updates"), request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// A new document.
    pub async fn document(&self, title: &str) -> String {
        let room = self.post("/rooms", json!({"kind": "doc", "title": title})).await.expect(201);
        room["id"].as_str().unwrap().to_owned()
    }

    /// A new invite link's secret.
    pub async fn invite(&self, room: &str, form: Value) -> String {
        let made = self.post(&format!("/rooms/{room}/invites"), form).await.expect(201);
        made["secret"].as_str().unwrap().to_owned()
    }
}

#[derive(Debug)]
pub struct Answer {
    pub call: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub bytes: Bytes,
}

impl Answer {
    pub async fn of(call: String, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { call, status, headers, text, bytes }
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.call, self.text);
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The parameters of a refusal with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["error"]["code"], code, "{}: {}", self.call, self.text);
        body["error"]["params"].clone()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A room that the metadata knows and the log does not.
pub async fn room_without_a_log(server: &Server, like: &str) -> RoomId {
    let meta = &server.running.state().meta;
    let row = meta.room_by_id(like.parse().unwrap()).await.unwrap().unwrap();
    let id = RoomId::new(NOW, [7; 10]);
    let new = weft_store::NewRoom {
        id,
        kind: row.kind,
        title: "lost".to_owned(),
        key: None,
        owner: row.owner,
        space: row.space,
        folder: row.folder,
        bytes: 0,
    };
    meta.create_room(&new, u64::MAX, NOW).await.unwrap();
    assert_eq!(meta.right(id, row.owner, NOW).await.unwrap(), Some(Right::Manage));
    id
}

/// All that all tests of this process log, at the finest level.
static LOG: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| {
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(|| ToLog);
    log.init();
    Mutex::default()
});

struct ToLog;

impl io::Write for ToLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was logged so far.
pub fn logged() -> String {
    String::from_utf8(LOG.lock().unwrap().clone()).unwrap()
}
