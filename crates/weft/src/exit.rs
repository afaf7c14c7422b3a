//! How the program ends when something is wrong: a sentence on standard error, and a code.

use std::process::ExitCode;

use weft_server::{AdminError, DataDirError, StartError};
use weft_store::{LogError, MetaError};

/// Anything that has no code of its own. (2 is clap's: the command line cannot be understood.)
const OTHER: u8 = 1;
/// Another program listens on that address.
const ADDRESS_IN_USE: u8 = 3;
/// The data folder cannot be made or written.
const DATA_DIR_NOT_WRITABLE: u8 = 4;
/// Another weft works in the data folder.
const DATA_DIR_IN_USE: u8 = 5;
/// A newer weft has written the data folder.
const NEWER_SCHEMA: u8 = 6;

/// Says on standard error what went wrong, and what to do where we know it.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("weft: {}", sentence(error));
    let (code, advice) = judge(error);
    if let Some(advice) = advice {
        eprintln!("weft: {advice}");
    }
    ExitCode::from(code)
}

/// The error and its causes, each said once.
fn sentence(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if said.last().is_none_or(|last| !last.contains(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

fn judge(error: &anyhow::Error) -> (u8, Option<&'static str>) {
    if let Some(error) = error.downcast_ref::<StartError>() {
        return match error {
            StartError::DataDir(error) => data_dir(error),
            StartError::Meta(error) => meta(error),
            StartError::Log(LogError::TooNew { .. }) => newer(),
            StartError::AddressInUse(_) => {
                (ADDRESS_IN_USE, Some("choose another address with --listen"))
            }
            StartError::Log(_) | StartError::Listen { .. } => (OTHER, None),
            StartError::Provider(_) => {
                (OTHER, Some("are the system's certificates of authorities installed?"))
            }
        };
    }
    match error.downcast_ref::<AdminError>() {
        Some(AdminError::DataDir(error)) => data_dir(error),
        Some(AdminError::Meta(error)) => meta(error),
        Some(AdminError::Form { .. } | AdminError::Nobody | AdminError::NoData) | None => {
            (OTHER, None)
        }
    }
}

fn data_dir(error: &DataDirError) -> (u8, Option<&'static str>) {
    match error {
        DataDirError::NotWritable { .. } => {
            (DATA_DIR_NOT_WRITABLE, Some("choose another folder with --data-dir"))
        }
        DataDirError::InUse { .. } => {
            (DATA_DIR_IN_USE, Some("stop that one first, or choose another --data-dir"))
        }
    }
}

fn meta(error: &MetaError) -> (u8, Option<&'static str>) {
    match error {
        MetaError::NewerSchema { .. } => newer(),
        _ => (OTHER, None),
    }
}

const fn newer() -> (u8, Option<&'static str>) {
    (NEWER_SCHEMA, Some("nothing was changed; use the newer weft, or restore a backup"))
}
