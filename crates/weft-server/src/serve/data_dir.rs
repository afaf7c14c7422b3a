//! The folder where everything is stored, used by one Weft at a time.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Only the one who runs the server may look inside.
const MODE: u32 = 0o700;

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made or written.
    #[error("cannot write to the data folder {path}")]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process works in it.
    #[error("the data folder {path} is in use by another weft")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

/// The folder, ours until this is dropped (or the process dies, however it dies).
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder if it is absent, and keeps others out of it.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn lock(path: &Path) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::NotWritable { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(MODE).create(path).map_err(failed)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("weft.lock"))
            .map_err(failed)?;
        warn_if_others_can_look(path);
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of what rooms contain.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        Self::log_in(&self.path)
    }

    /// Where the data folder at `path` has what rooms contain.
    #[must_use]
    pub fn log_in(path: &Path) -> PathBuf {
        path.join("log")
    }

    /// The folder of operations that made a room fail.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        quarantine_in(&self.path)
    }

    /// The file of people, names and rights.
    #[must_use]
    pub fn metadata(&self) -> PathBuf {
        metadata_in(&self.path)
    }
}

/// Where the data folder at `path` has its quarantine.
pub fn metadata_in(path: &Path) -> PathBuf {
    path.join("meta.db")
}

/// The folder of operations that made a room fail, in this data folder.
pub fn quarantine_in(path: &Path) -> PathBuf {
    path.join("quarantine")
}

/// A folder that was there before keeps its mode: it may serve other purposes too.
fn warn_if_others_can_look(path: &Path) {
    let mode = path.metadata().map_or(MODE, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        let mode = format!("{:03o}", mode & 0o777);
        tracing::warn!(path = %path.display(), mode, "others on this machine can look into the data folder");
    }
}
