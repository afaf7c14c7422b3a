//! What a chore needs of the machine: found, installed where we may, or named.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::run;

/// The oldest Node that builds the web app.
const NODE_MIN: (u32, u32) = (20, 19);

/// Node and npm, new enough.
///
/// # Errors
/// Says what is missing and where to get it.
pub fn node() -> Result<()> {
    let how = "Install Node 20.19 or newer with npm: https://nodejs.org/en/download";
    let version = run::output(Command::new("node").arg("--version"))
        .with_context(|| format!("Node is missing. {how}"))?;
    let version = version.trim();
    if node_version(version).is_none_or(|found| found < NODE_MIN) {
        bail!("Node {version} is too old. {how}");
    }
    run::output(Command::new("npm").arg("--version"))
        .with_context(|| format!("npm is missing. {how}"))?;
    Ok(())
}

fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A C++ compiler, for libFuzzer.
///
/// `CXX` names another one than the machine's.
pub fn cxx() -> Result<()> {
    let named = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let is_there = || run::works(Command::new(&named).arg("--version"));
    if !is_there() {
        install(&["g++"]).context("a C++ compiler is missing. Install one, or name it in CXX")?;
    }
    if is_there() {
        Ok(())
    } else {
        bail!("a C++ compiler is missing although its package is installed")
    }
}

/// Python 3.10 or newer, with what makes environments of their own.
pub fn python() -> Result<()> {
    let check = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))";
    let is_there = || run::works(Command::new("python3").args(["-c", check]));
    if !is_there() {
        install(&["python3", "python3-venv"]).context("Python 3.10 with venv is missing")?;
    }
    if is_there() {
        Ok(())
    } else {
        bail!("Python 3.10 with venv is missing although its package is installed")
    }
}

/// A Chromium for the browser tests, and letters for Chinese text in it.
///
/// `CHROMIUM` names another one than the machine's.
pub fn chromium() -> Result<PathBuf> {
    if find_chromium().is_none() {
        install(&["chromium"])
            .context("Chromium is missing. Install it, or name one in CHROMIUM")?;
    }
    if !has_chinese_font() {
        install(&["fonts-noto-cjk"])
            .context("no font for Chinese is installed. Install Noto Sans CJK")?;
    }
    find_chromium().context("Chromium is missing although its package is installed")
}

fn find_chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut places = names.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name)));
    places.find(|place| place.is_file())
}

fn has_chinese_font() -> bool {
    match run::output(Command::new("fc-list").args([":lang=zh", "family"])) {
        Ok(fonts) => !fonts.trim().is_empty(),
        Err(_) => cfg!(not(target_os = "linux")),
    }
}

/// cargo-nextest, where the person has it; `cargo test` does the same without it.
pub fn has_nextest() -> bool {
    run::works(&mut run::cargo(["nextest", "--version"]))
}

/// Installs packages of the system, if we are root on a machine with apt-get.
fn install(packages: &[&str]) -> Result<()> {
    static UPDATED: OnceLock<()> = OnceLock::new();
    let root = run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || !Path::new("/usr/bin/apt-get").is_file() {
        bail!("not root on a machine with apt-get, so nothing is installed: {packages:?}");
    }
    if UPDATED.set(()).is_ok() {
        run::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    }
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    run::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
}

#[cfg(test)]
mod tests {
    use super::node_version;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(node_version("v20.19.2"), Some((20, 19)));
        assert_eq!(node_version("v8.1.0"), Some((8, 1)));
        assert_eq!(node_version("20.19.2"), None);
        assert_eq!(node_version("v20"), None);
    }
}
