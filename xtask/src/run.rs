//! Where things are, and how a chore runs another program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The root of the repository.
pub fn root() -> &'static Path {
    // Cargo says where it runs; a program built in another clone that shares the target folder may be the one it runs.
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
        Path::new(&here).parent().expect("xtask is a folder of the repository").to_path_buf()
    });
    &ROOT
}

/// The web app's folder.
pub fn web_dir() -> PathBuf {
    root().join("web")
}

/// A command of cargo, run at the root.
pub fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    command
}

/// A script of the web app: `npm ARGS` in its folder.
pub fn npm<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(web_dir()).args(args);
    command
}

/// What cargo knows of the workspace, dependencies included.
pub fn metadata() -> Result<&'static Value> {
    static METADATA: OnceLock<Value> = OnceLock::new();
    if let Some(found) = METADATA.get() {
        return Ok(found);
    }
    let text = output(&mut cargo(["metadata", "--format-version", "1"]))?;
    let parsed = serde_json::from_str(&text).context("cargo metadata gave no JSON")?;
    Ok(METADATA.get_or_init(|| parsed))
}

/// Where cargo was told to build.
pub fn target_dir() -> Result<PathBuf> {
    let target = metadata()?["target_directory"].as_str().context("no target directory")?;
    Ok(PathBuf::from(target))
}

/// A program of the release build.
pub fn release_program(name: &str) -> Result<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(target_dir()?.join("release").join(file))
}

/// Runs a command in front of the person; its failure is ours.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command out of sight; what it said is shown only if it fails.
pub fn run_quietly(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// What a command writes to its standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    if !out.status.success() {
        let errors = String::from_utf8_lossy(&out.stderr);
        bail!("{} ended with {}\n{text}{errors}", shown(command), out.status);
    }
    Ok(text)
}

/// Whether a command can be run and succeeds.
pub fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Does one step and says how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let done = work().with_context(|| format!("{what}: failed"))?;
    println!("[{}] {what}", seconds(start.elapsed()));
    Ok(done)
}

/// A span of time in a column's width.
pub fn seconds(time: Duration) -> String {
    format!("{:>6.1} s", time.as_secs_f64())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    let all: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    match all.len() {
        0..=14 => all.join(" "),
        _ => format!("{} …", all[..14].join(" ")),
    }
}
