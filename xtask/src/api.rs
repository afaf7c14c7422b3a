//! The API held against its own document: schemathesis makes calls out of it, good and bad ones, and looks
//! whether the answers are of the status, type and shape that it tells of.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs, process};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run::{self, run, run_quietly};

/// Of PyPI.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance";
/// Calls of each sort for each operation.
const EXAMPLES: &str = "10";
/// How long each of the two runs may take, in seconds.
const SECONDS_MAX: &str = "60";
/// Calls that would end the sign-in with which all are made.
const NOT_SIGNED_IN: [&str; 1] = ["/api/v1/auth/logout"];
/// Where each call may be made as often as it takes.
const LIMITS: [&str; 6] = [
    "sign_in_attempts_per_minute",
    "sign_in_attempts_per_address_per_minute",
    "code_attempts_per_hour",
    "secret_attempts_per_minute",
    "registrations_per_hour",
    "attempt_counters_max",
];

/// As nobody, and as an administrator who is signed in.
pub fn api() -> Result<()> {
    let schemathesis = installed()?;
    let server = Server::start()?;
    let token = server.set_up()?;
    let document = format!("{}/api/openapi.json", server.url);
    let calls = || {
        let mut command = Command::new(&schemathesis);
        command.current_dir(&server.folder).args(["run", &document, "--checks", CHECKS]);
        command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES]);
        command.args(["--max-time", SECONDS_MAX, "--generation-deterministic", "--no-color"]);
        command.args(["--warnings", "off", "--suppress-health-check", "all"]);
        command
    };
    let as_nobody = run(&mut calls());
    let mut signed_in = calls();
    signed_in.args(["--header", &format!("Authorization: Bearer {token}")]);
    signed_in.args(NOT_SIGNED_IN.iter().flat_map(|path| ["--exclude-path", path]));
    as_nobody.and(run(&mut signed_in))
}

/// The program, in an environment of its own that is kept from run to run.
fn installed() -> Result<PathBuf> {
    let folder = run::target_dir()?.join("schemathesis");
    let (stamp, bin) = (folder.join("weft-installed"), folder.join("bin"));
    if !fs::read_to_string(&stamp).is_ok_and(|installed| installed == SCHEMATHESIS) {
        run_quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let words =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", SCHEMATHESIS];
        run_quietly(Command::new(bin.join("python")).args(words))?;
        fs::write(stamp, SCHEMATHESIS)?;
    }
    Ok(bin.join("schemathesis"))
}

/// A release server with a folder of its own, which goes with it.
struct Server {
    child: Child,
    folder: PathBuf,
    url: String,
    secret: String,
}

impl Server {
    fn start() -> Result<Self> {
        let folder = env::temp_dir().join(format!("weft-api-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let mut command = Command::new(run::release_program("weft")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--registration", "open"]);
        command.arg("--data-dir").arg(folder.join("data"));
        command
            .args(LIMITS.iter().flat_map(|name| ["--limit".to_owned(), format!("{name}=1000000")]));
        let log = fs::File::create(folder.join("log"))?;
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut server = Self { child, folder, url: String::new(), secret: String::new() };
        for line in lines {
            let line = line?;
            if let Some((_, secret)) = line.split_once("/setup#") {
                server.secret = word(secret);
            }
            if let Some((_, url)) = line.split_once("Weft is ready on ") {
                server.url = word(url);
            }
            if !server.secret.is_empty() && !server.url.is_empty() {
                return Ok(server);
            }
        }
        bail!("the server ended before it was ready: {}", server.log())
    }

    /// Makes the administrator; the token of their sign-in.
    fn set_up(&self) -> Result<String> {
        let form = serde_json::json!({
            "secret": self.secret, "username": "admin", "password": "correct horse battery",
        });
        let (form, host) = (form.to_string(), self.url.trim_start_matches("http://"));
        let mut stream = TcpStream::connect(host)?;
        write!(
            stream,
            "POST /api/v1/auth/setup HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{form}",
            form.len(),
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let answer: Value = serde_json::from_str(body).context("the set-up answered no JSON")?;
        answer["token"].as_str().map(str::to_owned).context("the set-up gave no token")
    }

    fn log(&self) -> String {
        fs::read_to_string(Path::new(&self.folder).join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Errors: it has ended, or its folder is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().trim_end_matches('/').to_owned()
}
