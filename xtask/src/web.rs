//! The web app: its packages, its checks and its build.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::run::{npm, root, run, run_quietly, target_dir, web_dir};

/// A copy of the lockfile that `node_modules` was made from.
const STAMP: &str = "node_modules/.weft-lockfile";

/// What in the web app's folder is no source of it.
const NOT_SOURCES: [&str; 3] = ["node_modules", "dist", "e2e"];

/// Installs the packages that the lockfile names, unless they are there already.
pub fn packages() -> Result<()> {
    let lockfile = fs::read(web_dir().join("package-lock.json"))
        .context("web/package-lock.json cannot be read")?;
    let stamp = web_dir().join(STAMP);
    if fs::read(&stamp).is_ok_and(|installed| installed == lockfile) {
        return Ok(());
    }
    run_quietly(&mut npm(["ci", "--no-audit", "--no-fund"]))?;
    fs::write(stamp, lockfile).context("web/node_modules cannot be written")
}

/// Installs what the bench compares with, unless it is there already. It is measured without, if
/// that cannot be: one of the packages compiles a database.
pub fn peers() {
    let folder = root().join("bench/peers");
    if folder.join("node_modules/.package-lock.json").is_file() {
        return;
    }
    println!("installing other back ends; the first time takes some minutes");
    let words = ["ci", "--no-audit", "--no-fund"];
    if let Err(error) = run_quietly(npm(words).current_dir(folder)) {
        println!("they cannot be installed: {error:#}");
    }
}

/// Builds `web/dist`, unless it is newer than everything that it is made of.
pub fn build() -> Result<()> {
    let built = modified(&web_dir().join("dist/index.html"));
    let newest = newest_in(&web_dir(), &NOT_SOURCES)?;
    if built.is_some() && built >= newest {
        return Ok(());
    }
    run_quietly(&mut npm(["run", "build"]))
}

/// Fails if the generated types are not what `proto/` gives today.
pub fn generated_is_fresh() -> Result<()> {
    let fresh = target_dir()?.join("web-codegen");
    let folder = Path::new("src/generated");
    let words = ["run", "codegen", "--", "--output"];
    run(npm(words).arg(&fresh))?;
    if contents(&fresh.join(folder))? != contents(&web_dir().join(folder))? {
        bail!("web/src/generated is not what proto/ gives: run `npm run codegen` in web/");
    }
    Ok(())
}

/// The files of a folder by their paths in it, and what is in them.
fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let cannot = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let name = PathBuf::from(entry.file_name());
        if entry.file_type()?.is_dir() {
            let inner = contents(&entry.path())?;
            files.extend(inner.into_iter().map(|(path, bytes)| (name.join(path), bytes)));
        } else {
            files.insert(name, fs::read(entry.path()).with_context(cannot)?);
        }
    }
    Ok(files)
}

/// When a file of a folder was last written, leaving out what has one of these names.
fn newest_in(folder: &Path, but: &[&str]) -> Result<Option<SystemTime>> {
    let mut newest = None;
    let cannot = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        if but.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let path = entry.path();
        newest = newest.max(if path.is_dir() { newest_in(&path, but)? } else { modified(&path) });
    }
    Ok(newest)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}
