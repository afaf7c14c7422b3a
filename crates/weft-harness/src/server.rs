//! A server process: started on a free port, killed or stopped.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

const START_MAX: Duration = Duration::from_secs(30);

/// Dead connections are noticed, and slow readers fall behind, within the time of a test.
const LIMITS: [&str; 2] = ["heartbeat_ms=500", "outbox_events_bytes_max=4096"];

pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub async fn start(program: &Path, data_dir: &Path, log: &Path) -> anyhow::Result<Self> {
        Self::start_with(program, data_dir, log, &[]).await
    }

    /// With more in its environment.
    pub async fn start_with(
        program: &Path,
        data_dir: &Path,
        log: &Path,
        environment: &[(&str, &Path)],
    ) -> anyhow::Result<Self> {
        let errors = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .context("open the server's log")?;
        let mut child = Command::new(program)
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--registration", "open", "--data-dir"])
            .arg(data_dir)
            .envs(environment.iter().copied())
            .args(LIMITS.iter().flat_map(|limit| ["--limit", limit]))
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(url) = line.strip_prefix("Weft is ready on ") {
                    return Ok(url.to_owned());
                }
            }
            let said = std::fs::read_to_string(log).unwrap_or_default();
            bail!("the server ended before it was ready: {said}")
        };
        let url = tokio::time::timeout(START_MAX, ready).await.context("the server starts")??;
        // Whatever it prints later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url })
    }

    /// kill -9, and wait until it is gone.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("kill the server")
    }
}
