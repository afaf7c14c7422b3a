//! A server under measurement: started on a free port in a folder of its own, ended when dropped,
//! and what the kernel says of it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(60);
/// How `/proc` counts a process's time: always hundredths of a second towards programs.
const US_PER_TICK: u64 = 10_000;

/// A running server.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Process {
    /// Starts a server and waits until it says `ready on http://…`. Its errors go to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let errors = File::options().create(true).append(true).open(log).context("its log")?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let (found, ready) = mpsc::channel();
        // Goes on reading afterwards, so that the pipe does not fill.
        thread::spawn(move || {
            while let Some(Ok(line)) = lines.next() {
                if let Some((_, url)) = line.split_once("ready on http://") {
                    // An error: nobody waits any more.
                    let _ = found.send(url.trim().parse());
                }
            }
        });
        match ready.recv_timeout(START_MAX) {
            Ok(address) => Ok(Self { child, address: address.context("its address")? }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                let said = fs::read_to_string(log).unwrap_or_default();
                bail!("{name} was not ready in time: {said}")
            }
        }
    }

    /// Tells it to stop in good order and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(told.success(), "the server could not be told to stop");
        let begin = Instant::now();
        while self.child.try_wait().context("the server stops")?.is_none() {
            if begin.elapsed() > STOP_MAX {
                bail!("the server did not stop when told to");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Processor time of all its threads so far, in microseconds.
    pub fn cpu_us(&self) -> Result<u64> {
        cpu_us(&PathBuf::from(format!("/proc/{}/stat", self.child.id())))
    }

    /// Memory that is its own or that it has read, in bytes.
    pub fn memory_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = kib.and_then(|rest| rest.split_whitespace().next()).context("VmRSS")?;
        Ok(kib.parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors: it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The generator's own processor time so far, in microseconds.
pub fn own_cpu_us() -> Result<u64> {
    cpu_us(Path::new("/proc/self/stat"))
}

fn cpu_us(stat: &Path) -> Result<u64> {
    let text = fs::read_to_string(stat).context("the server has ended")?;
    // The name, in parentheses, may hold anything.
    let (_, fields) = text.rsplit_once(") ").context("a process's stat")?;
    let mut times = fields.split(' ').skip(11).map(str::parse::<u64>);
    match (times.next(), times.next()) {
        (Some(Ok(user)), Some(Ok(system))) => Ok((user + system) * US_PER_TICK),
        _ => bail!("a process's times cannot be read"),
    }
}
