//! Operations that made a room fail (L10), kept in files for those who run the server: what came, from
//! whom, to which room, and what went wrong. They are not in any log, and nothing reads them but people.
//!
//! One file each: a line of JSON, then the operation's bytes. The oldest go when there are too many.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use weft_core::{Millis, PersonId, RoomId};

use crate::config::Limits;

/// What is kept of what a panic said.
const WHY_CHARS_MAX: usize = 500;

/// The folder of operations that made a room fail.
#[derive(Debug)]
pub struct Quarantine {
    dir: PathBuf,
    files_max: u64,
    bytes_max: u64,
    /// Held while files are written or removed.
    writing: Mutex<()>,
}

/// One operation that is kept, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kept {
    /// When it came, in milliseconds since 1970.
    pub at: u64,
    /// The room that failed.
    pub room: String,
    /// The id of the person who sent it; empty: the server itself.
    pub person: String,
    /// What went wrong, as far as is known.
    pub why: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
}

impl Quarantine {
    /// The quarantine in that folder, which is made when something is kept.
    #[must_use]
    pub fn new(dir: PathBuf, limits: &Limits) -> Self {
        let (files_max, bytes_max) = (limits.quarantine_files_max, limits.quarantine_bytes_max);
        Self { dir, files_max, bytes_max, writing: Mutex::default() }
    }

    /// Keeps an operation. Blocks on the disk. One that cannot be written is lost, and the log says so.
    pub(crate) fn keep(
        &self,
        at: Millis,
        room: RoomId,
        person: Option<PersonId>,
        why: &str,
        op: &[u8],
    ) {
        let sha256: String = Sha256::digest(op).iter().map(|byte| format!("{byte:02x}")).collect();
        let why = why.chars().take(WHY_CHARS_MAX).collect();
        let person = person.map(|person| person.to_string()).unwrap_or_default();
        let room = room.to_string();
        let kept = Kept { at, room, person, why, bytes: op.len(), sha256 };
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.write(&kept, op).and_then(|()| self.make_room()) {
            tracing::error!(%error, "an operation that was set aside could not be kept");
        }
    }

    fn write(&self, kept: &Kept, op: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        // In order of time, and without anything that a person has written.
        let name = format!("{:015}-{}", kept.at, &kept.sha256[..16]);
        let unfinished = self.dir.join(format!("{name}.new"));
        let mut file = File::create(&unfinished)?;
        serde_json::to_writer(&file, kept)?;
        file.write_all(b"\n")?;
        file.write_all(op)?;
        fs::rename(unfinished, self.dir.join(format!("{name}.op")))
    }

    fn make_room(&self) -> io::Result<()> {
        let (mut files, mut bytes) = (0, 0);
        for path in self.newest_first()? {
            files += 1;
            bytes += path.metadata()?.len();
            if files > self.files_max || (bytes > self.bytes_max && files > 1) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn newest_first(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(entries) => {
                for entry in entries {
                    paths.push(entry?.path());
                }
            }
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "op"));
        paths.sort_unstable_by(|a, b| b.cmp(a));
        Ok(paths)
    }

    /// What is kept, the newest first. Blocks on the disk.
    ///
    /// # Errors
    /// If the folder cannot be read. Files in it that are not of this kind are passed over.
    pub fn list(&self) -> io::Result<Vec<Kept>> {
        let read = |path: PathBuf| {
            let mut line = String::new();
            BufReader::new(File::open(path).ok()?).read_line(&mut line).ok()?;
            serde_json::from_str(&line).ok()
        };
        Ok(self.newest_first()?.into_iter().filter_map(read).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId::from_bytes([1; 16]);
    const EVE: PersonId = PersonId::from_bytes([2; 16]);

    #[test]
    fn what_is_kept_is_listed_and_the_oldest_go() {
        let dir = tempfile::tempdir().unwrap();
        let limits =
            Limits { quarantine_files_max: 3, quarantine_bytes_max: 3_000, ..Limits::default() };
        let quarantine = Quarantine::new(dir.path().join("q"), &limits);
        assert_eq!(quarantine.list().unwrap(), []);
        let at = |list: Vec<Kept>| list.into_iter().map(|kept| kept.at).collect::<Vec<_>>();
        for n in 1..=5 {
            quarantine.keep(n, ROOM, Some(EVE), "panic: \n ../x", &n.to_be_bytes());
        }
        let list = quarantine.list().unwrap();
        assert_eq!((list[0].why.as_str(), list[0].bytes), ("panic: \n ../x", 8));
        assert_eq!((&list[0].room, &list[0].person), (&ROOM.to_string(), &EVE.to_string()));
        assert_eq!(at(list), [5, 4, 3]);
        quarantine.keep(6, ROOM, Some(EVE), "", &[0; 2_700]);
        assert_eq!(at(quarantine.list().unwrap()), [6]);
        quarantine.keep(7, ROOM, Some(EVE), "", &[0; 5_000]);
        assert_eq!(at(quarantine.list().unwrap()), [7], "one is kept, however large");
        let (again, _) = (Quarantine::new(dir.path().join("q"), &limits), quarantine);
        assert_eq!(at(again.list().unwrap()), [7]);
    }
}
