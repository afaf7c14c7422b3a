//! Blobs: large payloads as files named by their content, `blobs/ab/<SHA-256 in hex>`.
//!
//! A blob is durable before anything refers to it: temporary file, fsync, rename, fsync of the
//! directories. It is never changed, and its hash is checked at every read. Nothing removes
//! blobs yet: one that no row refers to any more only costs space.

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::dir;

/// The SHA-256 of a blob's content, which is its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
    /// The name of this content.
    #[must_use]
    pub fn of(data: &[u8]) -> Self {
        Self(Sha256::digest(data).into())
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobHash({self})")
    }
}

/// Why a blob could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// A file could not be read or written.
    #[error("blob: {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The file's content is not what its name says.
    #[error("blob {0} is damaged")]
    Damaged(BlobHash),
    /// The work was cut short, because the program stops.
    #[error("blob: interrupted")]
    Interrupted,
}

/// A folder of blobs. Clones share it.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: Arc<PathBuf>,
}

/// Bytes that wait to be synced at most: a file system may make the log's syncs, which edits wait for,
/// wait for all of them.
const SYNC_BYTES: usize = 1 << 20;

/// Temporary files that this process has made, for their names.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

impl Blobs {
    /// Opens the folder, making it if need be, and clears away what a crash left half-written.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn open(root: &Path) -> Result<Self, BlobError> {
        let tmp = root.join("tmp");
        dir::create(&tmp).map_err(failed("cannot create", &tmp))?;
        clear_left_over(&tmp).map_err(failed("cannot clear", &tmp))?;
        dir::sync(root).map_err(failed("cannot sync", root))?;
        Ok(Self { root: Arc::new(root.to_owned()) })
    }

    /// Stores the content durably and gives its name. Storing it again writes it again, which
    /// also heals a damaged file.
    ///
    /// # Errors
    /// [`BlobError::Io`]: nothing is stored under the name, or the same as before.
    pub async fn put(&self, data: Bytes) -> Result<BlobHash, BlobError> {
        let blobs = self.clone();
        off_runtime(move || blobs.write(&data)).await
    }

    /// The content of that name.
    ///
    /// # Errors
    /// [`BlobError::Io`]; [`BlobError::Damaged`] if the content does not match the name.
    pub async fn get(&self, hash: BlobHash) -> Result<Bytes, BlobError> {
        let path = self.path(hash);
        off_runtime(move || {
            let data = fs::read(&path).map_err(failed("cannot read", &path))?;
            if BlobHash::of(&data) != hash {
                return Err(BlobError::Damaged(hash));
            }
            Ok(data.into())
        })
        .await
    }

    fn write(&self, data: &[u8]) -> Result<BlobHash, BlobError> {
        let hash = BlobHash::of(data);
        let path = self.path(hash);
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let tmp = self.root.join("tmp").join(format!("{}-{number}", process::id()));
        let written = self.write_and_rename(data, &tmp, &path);
        if written.is_err() {
            // A full disk wants the space back; a file that was never made is no matter.
            let _ = fs::remove_file(&tmp);
        }
        written.map(|()| hash)
    }

    fn write_and_rename(&self, data: &[u8], tmp: &Path, path: &Path) -> Result<(), BlobError> {
        let folder = path.parent().expect("a blob's path has a folder");
        dir::create(folder).map_err(failed("cannot create", folder))?;
        let mut file = dir::create_file(tmp).map_err(failed("cannot create", tmp))?;
        file.set_len(0).map_err(failed("cannot empty", tmp))?;
        for slice in data.chunks(SYNC_BYTES) {
            file.write_all(slice).map_err(failed("cannot write", tmp))?;
            file.sync_data().map_err(failed("cannot sync", tmp))?;
        }
        file.sync_all().map_err(failed("cannot sync", tmp))?;
        fs::rename(tmp, path).map_err(failed("cannot rename to", path))?;
        dir::sync(folder).map_err(failed("cannot sync", folder))?;
        dir::sync(&self.root).map_err(failed("cannot sync", &self.root))
    }

    fn path(&self, hash: BlobHash) -> PathBuf {
        let name = hash.to_string();
        self.root.join(&name[..2]).join(name)
    }
}

/// Removes the temporary files of earlier processes. Those of a process with the same number are
/// written over in time.
fn clear_left_over(tmp: &Path) -> io::Result<()> {
    let ours = format!("{}-", process::id());
    for file in fs::read_dir(tmp)? {
        let file = file?;
        if !file.file_name().to_string_lossy().starts_with(&ours) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BlobError {
    let path = path.to_owned();
    move |source| BlobError::Io { what, path, source }
}

/// Runs file work where it may block.
async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(BlobError::Interrupted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_put_is_got_under_its_hash() {
        let home = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(home.path()).unwrap();
        let hash = blobs.put(Bytes::from_static(b"soup")).await.unwrap();
        assert_eq!(hash, BlobHash::of(b"soup"));
        assert_eq!(blobs.put(Bytes::from_static(b"soup")).await.unwrap(), hash);
        let again = Blobs::open(home.path()).unwrap();
        assert_eq!(again.get(hash).await.unwrap(), &b"soup"[..]);
        assert_eq!(fs::read_dir(home.path().join("tmp")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_damaged_or_missing_blob_is_an_error_and_putting_it_again_heals_it() {
        let home = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(home.path()).unwrap();
        let hash = blobs.put(Bytes::from_static(b"soup")).await.unwrap();
        let path = blobs.path(hash);
        fs::write(&path, b"soap").unwrap();
        assert!(matches!(blobs.get(hash).await, Err(BlobError::Damaged(h)) if h == hash));
        fs::remove_file(&path).unwrap();
        assert!(matches!(blobs.get(hash).await, Err(BlobError::Io { .. })));
        blobs.put(Bytes::from_static(b"soup")).await.unwrap();
        assert_eq!(blobs.get(hash).await.unwrap(), &b"soup"[..]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn blobs_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&home.path().join("blobs")).unwrap();
        let path = blobs.path(blobs.put(Bytes::from_static(b"soup")).await.unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&home.path().join("blobs")), 0o700);
    }
}
