//! What is measured: Weft by each of its protocols, the bare relay, and other back ends.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    process::Process,
    voice::{Opened, Place, Protocol},
};

/// One server, spoken to by one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// The bare relay, one write for each message and receiver.
    Relay,
    /// The bare relay, one write for all that waits for a receiver.
    BatchedRelay,
    /// Weft, by its own protocol.
    WeftNative,
    /// Weft, by y-websocket's.
    WeftYjs,
    /// Hocuspocus with SQLite.
    Hocuspocus,
    /// The y-websocket server with LevelDB.
    YWebsocket,
}

impl Contender {
    /// All of them, in the tables' order.
    pub const ALL: [Self; 6] = [
        Self::Relay,
        Self::BatchedRelay,
        Self::WeftNative,
        Self::WeftYjs,
        Self::Hocuspocus,
        Self::YWebsocket,
    ];

    /// As tables and `--only` spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::BatchedRelay => "relay-batched",
            Self::WeftNative => "weft",
            Self::WeftYjs => "weft-yjs",
            Self::Hocuspocus => "hocuspocus",
            Self::YWebsocket => "y-websocket",
        }
    }

    /// Whether it keeps what passes through it.
    pub const fn stores(self) -> bool {
        !matches!(self, Self::Relay | Self::BatchedRelay)
    }

    /// Whether we answer for it.
    pub const fn is_ours(self) -> bool {
        self.is_weft() || !self.stores()
    }

    /// Whether it is Weft.
    pub const fn is_weft(self) -> bool {
        matches!(self, Self::WeftNative | Self::WeftYjs)
    }

    /// The file that runs it, of those in `bench/peers`.
    const fn script(self) -> Option<&'static str> {
        match self {
            Self::Hocuspocus => Some("hocuspocus.mjs"),
            Self::YWebsocket => Some("y-websocket.mjs"),
            _ => None,
        }
    }

    /// How it is spoken to.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Relay | Self::BatchedRelay => Protocol::Relayed,
            Self::WeftNative => Protocol::Native,
            Self::WeftYjs | Self::YWebsocket => Protocol::Yjs,
            Self::Hocuspocus => Protocol::Hocuspocus,
        }
    }
}

/// Limits of Weft that a bench must not meet: its few people and addresses stand for many, and it sends
/// no heartbeats. Limits that bound a queue or a document stay as they are.
const LIMITS: [&str; 6] = [
    "connections_per_person_max=100000",
    "ops_per_second=1000000",
    "ops_burst=1000000",
    "frames_per_second=1000000",
    "frames_burst=1000000",
    "heartbeat_ms=3600000",
];

/// Where programs are, and where servers may write.
pub struct Yard {
    /// The program `weft`.
    pub weft: PathBuf,
    /// The folder `bench/peers`.
    pub peers: PathBuf,
    /// Data and logs, on a real disk.
    pub folder: PathBuf,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

/// A running contender.
pub struct Server {
    /// Its process.
    pub process: Process,
    contender: Contender,
}

impl Yard {
    /// Programs and an empty folder.
    pub fn new(weft: PathBuf, peers: PathBuf, folder: PathBuf) -> Result<Self> {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { weft, peers, folder, runtime, http: reqwest::Client::new() })
    }

    /// Why a contender cannot be measured here, if it cannot.
    pub fn missing(&self, contender: Contender) -> Option<String> {
        let installed = self.peers.join("node_modules/.package-lock.json").is_file();
        (contender.script().is_some() && !installed)
            .then(|| format!("{} is not installed: npm ci in bench/peers", contender.name()))
    }

    /// An empty folder for a server.
    pub fn fresh_folder(&self, contender: Contender) -> Result<PathBuf> {
        let folder = self.folder.join(contender.name());
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Starts a contender on a folder.
    pub fn start(&self, contender: Contender, folder: &Path) -> Result<Server> {
        let mut command = match contender {
            Contender::Relay | Contender::BatchedRelay => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("relay");
                if contender == Contender::BatchedRelay {
                    command.arg("--batched");
                }
                command
            }
            Contender::WeftNative | Contender::WeftYjs => {
                let mut command = Command::new(&self.weft);
                command.args(["serve", "--listen", "127.0.0.1:0", "--registration", "open"]);
                command.arg("--data-dir").arg(folder.join("data"));
                command.args(LIMITS.iter().flat_map(|limit| ["--limit", limit]));
                command.env("RUST_LOG", "warn");
                command
            }
            Contender::Hocuspocus | Contender::YWebsocket => {
                let mut command = Command::new("node");
                command.arg(self.peers.join(contender.script().unwrap_or_default())).arg(folder);
                command.env("NODE_ENV", "production");
                command
            }
        };
        let log = folder.join("server.log");
        Ok(Server { process: Process::start(&mut command, &log)?, contender })
    }

    /// Makes empty documents on a fresh server.
    pub fn make_documents(&self, server: &Server, count: usize) -> Result<Vec<Place>> {
        let address = server.process.address;
        let path = if server.contender.is_weft() { "/yjs" } else { "" };
        let place = |room, token| Place { address, path, room, token };
        if !server.contender.is_weft() {
            return Ok((0..count).map(|n| place(format!("doc-{n}"), "bench".to_owned())).collect());
        }
        self.runtime.block_on(async {
            let person = json!({
                "username": "bench", "email": "bench@example.org", "password": "a long password",
            });
            let signed = self.post(server, "/auth/register", None, &person).await?;
            let token = signed["token"].as_str().context("a token")?.to_owned();
            let mut places = Vec::new();
            for n in 0..count {
                let room = json!({"kind": "doc", "title": format!("Document {n}")});
                let made = self.post(server, "/rooms", Some(&token), &room).await?;
                let id = made["id"].as_str().context("a room's id")?.to_owned();
                places.push(place(id, token.clone()));
            }
            Ok(places)
        })
    }

    async fn post(
        &self,
        server: &Server,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Value> {
        let url = format!("http://{}/api/v1{path}", server.process.address);
        let mut request = self.http.post(url).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.with_context(|| format!("POST {path}"))?;
        let status = answer.status();
        let body = answer.text().await?;
        ensure!(status.is_success(), "POST {path}: {status} {body}");
        serde_json::from_str(&body).with_context(|| format!("POST {path}: no JSON"))
    }
}

impl Server {
    /// A connection to a document.
    pub fn open(&self, place: &Place) -> Result<Opened> {
        let name = self.contender.name();
        self.contender.protocol().open(place).with_context(|| format!("come in at {name}"))
    }

    /// So many connections to each document.
    pub fn open_all(&self, places: &[Place], people: usize) -> Result<Vec<Opened>> {
        let each = places.iter().flat_map(|place| std::iter::repeat_n(place, people));
        each.map(|place| self.open(place)).collect()
    }
}
