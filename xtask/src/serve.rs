//! `cargo xtask serve`: from a fresh checkout to a running server with one command.

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::run::{self, step};
use crate::{needs, web};

/// Builds the web app and the program, then becomes `weft serve`.
pub fn serve(args: &[String]) -> Result<()> {
    let args = match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => args,
    };
    needs::node()?;
    build_web_and_dependencies()?;
    step("program built", || run::run(&mut run::cargo(program())))?;
    become_server(args)
}

/// Features are always resolved for the whole workspace, never with `-p weft`: another
/// selection gives tokio other features and compiles most dependencies a second time.
fn program() -> [&'static str; 5] {
    ["build", "--release", "--workspace", "--bin", "weft"]
}

/// Builds the web app while cargo compiles what needs no web app: other people's crates.
///
/// The web app is part of the program, so our own crates have to wait for it.
pub fn build_web_and_dependencies() -> Result<()> {
    let crates = foreign_crates()?;
    thread::scope(|scope| {
        let web = scope.spawn(|| {
            step("web packages installed", web::packages)?;
            step("web app built", web::build)
        });
        let rust = step("dependencies built", || {
            let args = crates.iter().flat_map(|name| ["-p", name]);
            run::run(run::cargo(["build", "--release", "--lib"]).args(args))
        });
        let web = web.join().map_err(|_| anyhow!("the web build panicked"))?;
        rust.and(web)
    })
}

/// The crates that ours depend on directly, as `name@version`.
///
/// Named alone, without a crate of ours, they get the features that the whole workspace asks for.
fn foreign_crates() -> Result<BTreeSet<String>> {
    let metadata = run::metadata()?;
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let ours = list(&metadata["workspace_members"]);
    let mut crates = BTreeSet::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        if !ours.contains(&node["id"]) {
            continue;
        }
        for dependency in list(&node["deps"]) {
            let kinds = list(&dependency["dep_kinds"]);
            let normal = kinds.iter().any(|kind| kind["kind"].is_null());
            if normal && !ours.contains(&dependency["pkg"]) {
                crates.insert(name_and_version(metadata, &dependency["pkg"])?);
            }
        }
    }
    Ok(crates)
}

fn name_and_version(metadata: &serde_json::Value, id: &serde_json::Value) -> Result<String> {
    let packages = metadata["packages"].as_array().context("no packages in cargo's metadata")?;
    let package =
        packages.iter().find(|package| &package["id"] == id).context("unknown package")?;
    let text = |key: &str| package[key].as_str().context("a package without a name or version");
    Ok(format!("{}@{}", text("name")?, text("version")?))
}

#[cfg(unix)]
fn become_server(args: &[String]) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let error = server(args)?.exec();
    Err(error).context("cannot start the built server")
}

#[cfg(not(unix))]
fn become_server(args: &[String]) -> Result<()> {
    let status = server(args)?.status().context("cannot start the built server")?;
    std::process::exit(status.code().unwrap_or(1));
}

fn server(args: &[String]) -> Result<Command> {
    let mut command = Command::new(run::release_program("weft")?);
    command.arg("serve").args(args);
    Ok(command)
}
