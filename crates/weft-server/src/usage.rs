//! What the data folder takes on its disk.

use std::{fs, io, path::Path};

use crate::serve::{DataDir, quarantine_in};

/// Bytes, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What rooms contain, large pieces aside.
    pub log: u64,
    /// Large pieces of what rooms contain.
    pub blobs: u64,
    /// People, names and rights.
    pub metadata: u64,
    /// Operations that made a room fail.
    pub quarantine: u64,
    /// What this user may still write there.
    pub free: u64,
}

/// Looks at every file.
///
/// # Errors
/// If the folder cannot be read.
pub fn measure(data_dir: &Path) -> io::Result<Usage> {
    let log = DataDir::log_in(data_dir);
    let blobs = bytes_under(&log.join("blobs"))?;
    let disk = rustix::fs::statvfs(data_dir)?;
    Ok(Usage {
        log: bytes_under(&log)?.saturating_sub(blobs),
        blobs,
        metadata: metadata(data_dir)?,
        quarantine: bytes_under(&quarantine_in(data_dir))?,
        free: disk.f_bavail.saturating_mul(disk.f_frsize),
    })
}

/// The database, and the files that it keeps beside itself.
fn metadata(data_dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("meta.db") {
            bytes += entry.metadata().map_or(0, |file| file.len());
        }
    }
    Ok(bytes)
}

/// A folder that is not there holds nothing; nor does a file that has gone meanwhile.
fn bytes_under(folder: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        match entry.metadata() {
            Ok(found) if found.is_dir() => bytes += bytes_under(&entry.path())?,
            Ok(found) => bytes += found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}
