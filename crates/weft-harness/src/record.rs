//! What a program wrote below a folder and when it synced it, as `weft-shim` recorded it; and folders as
//! a power failure might have left them.
//!
//! What was written to a file before its last sync is there. Of what was written since, some is there and
//! some is not, in any order, and a write may have reached the disk in part. A name that a folder got or
//! lost is there for certain once the file or the folder was synced.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use fastrand::Rng;

/// Disks write this much at once or not at all.
const SECTOR: usize = 512;

/// One thing that the program did.
pub struct Record {
    /// When, in nanoseconds of the wall clock.
    pub time: u64,
    number: u64,
    path: PathBuf,
    act: Act,
}

enum Act {
    Write(u64, Vec<u8>),
    Truncate(u64),
    /// Covers what was done before that number.
    Sync(u64),
    Rename(PathBuf),
    Unlink,
}

/// Reads a record.
pub fn read(file: &Path) -> anyhow::Result<Vec<Record>> {
    let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
    let (mut records, mut rest) = (Vec::new(), &bytes[..]);
    while !rest.is_empty() {
        ensure!(rest.len() >= 33, "the record ends in the middle");
        let number = |at: usize| u64::from_le_bytes(rest[at..at + 8].try_into().expect("8 bytes"));
        let length = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().expect("4 bytes"));
        let (kind, time, own, offset) = (rest[0], number(1), number(9), number(17));
        let (path_end, data_len) = (33 + length(25) as usize, length(29) as usize);
        ensure!(rest.len() >= path_end + data_len, "the record ends in the middle");
        let text = |bytes: &[u8]| PathBuf::from(String::from_utf8_lossy(bytes).into_owned());
        let data = &rest[path_end..path_end + data_len];
        let act = match kind {
            1 => Act::Write(offset, data.to_vec()),
            2 => Act::Truncate(offset),
            3 => Act::Sync(own),
            4 => Act::Rename(text(data)),
            5 => Act::Unlink,
            other => bail!("a record of kind {other}"),
        };
        records.push(Record { time, number: own, path: text(&rest[33..path_end]), act });
        rest = &rest[path_end + data_len..];
    }
    Ok(records)
}

/// A file with what is not synced yet.
#[derive(Default, Clone)]
struct File {
    synced: Vec<u8>,
    pending: Vec<(u64, Change)>,
    /// Whether its name is certain.
    is_named: bool,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let (start, end) = (*offset as usize, *offset as usize + data.len());
                content.resize(content.len().max(end), 0);
                content[start..end].copy_from_slice(data);
            }
            Self::Truncate(length) => content.resize(*length as usize, 0),
        }
    }

    /// A write of which some sectors are lost.
    fn tear(&self, content: &mut Vec<u8>, dice: &mut Rng) {
        let Self::Write(offset, data) = self else { return self.apply(content) };
        for (n, sector) in data.chunks(SECTOR).enumerate() {
            if dice.u64(0..2) == 0 {
                Self::Write(offset + (n * SECTOR) as u64, sector.to_vec()).apply(content);
            }
        }
    }
}

/// All files, as far as the record was played.
#[derive(Default)]
pub struct Disk {
    files: BTreeMap<PathBuf, File>,
    /// Files that were unlinked or replaced, which a power failure may bring back.
    gone: Vec<(PathBuf, File)>,
    /// A file whose syncs do nothing: to see that this is noticed.
    unsynced: Option<String>,
}

impl Disk {
    /// Nothing yet. Syncs of files of the name `unsynced` do nothing.
    pub fn new(unsynced: Option<String>) -> Self {
        Self { unsynced, ..Self::default() }
    }

    /// Plays one record.
    pub fn play(&mut self, record: &Record) {
        let change = match &record.act {
            Act::Write(offset, data) => Change::Write(*offset, data.clone()),
            Act::Truncate(length) => Change::Truncate(*length),
            Act::Sync(covered) => return self.sync(&record.path, *covered),
            Act::Rename(to) => {
                if let Some(mut file) = self.files.remove(&record.path) {
                    file.is_named = false;
                    let before = self.files.insert(to.clone(), file);
                    self.gone.extend(before.map(|before| (to.clone(), before)));
                }
                return;
            }
            Act::Unlink => {
                let file = self.files.remove(&record.path);
                self.gone.extend(file.map(|file| (record.path.clone(), file)));
                return;
            }
        };
        let file = self.files.entry(record.path.clone()).or_default();
        file.pending.push((record.number, change));
    }

    fn sync(&mut self, path: &Path, covered: u64) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if self.unsynced.as_deref() == Some(&*name) {
            return;
        }
        if let Some(file) = self.files.get_mut(path) {
            let later = file.pending.iter().position(|(number, _)| *number >= covered);
            let later = file.pending.split_off(later.unwrap_or(file.pending.len()));
            let synced = std::mem::replace(&mut file.pending, later);
            synced.iter().for_each(|(_, change)| change.apply(&mut file.synced));
            file.is_named = true;
            let name = path.to_owned();
            self.gone.retain(|(gone, _)| *gone != name);
        } else {
            // A folder: the names in it are certain now, and those that are gone are gone.
            let within = |file: &Path| file.parent() == Some(path);
            self.gone.retain(|(gone, _)| !within(gone));
            let files = self.files.iter_mut().filter(|(file, _)| within(file));
            files.for_each(|(_, file)| file.is_named = true);
        }
    }

    /// Makes a folder as a power failure now might leave it. Paths below `from` come to stand below `to`.
    pub fn fail(&self, from: &Path, to: &Path, dice: &mut Rng) -> anyhow::Result<()> {
        // Of what is not synced: nothing, everything, some, or all up to some point.
        let manner = dice.u64(0..4);
        let mut left: BTreeMap<&Path, &File> = BTreeMap::new();
        for (path, file) in &self.gone {
            if dice.u64(0..4) == 0 {
                left.insert(path, file);
            }
        }
        for (path, file) in &self.files {
            if file.is_named || dice.u64(0..2) == 0 {
                left.insert(path, file);
            }
        }
        for (path, file) in left {
            let mut content = file.synced.clone();
            let until = dice.u64(0..file.pending.len() as u64 + 1) as usize;
            for (n, (_, change)) in file.pending.iter().enumerate() {
                match (manner, dice.u64(0..4)) {
                    (0, _) => {}
                    (1, _) => change.apply(&mut content),
                    (2, 0 | 1) => change.apply(&mut content),
                    (2, 2) => change.tear(&mut content, dice),
                    (3, _) if n < until => change.apply(&mut content),
                    (3, _) if n == until => change.tear(&mut content, dice),
                    _ => {}
                }
            }
            let target = to.join(path.strip_prefix(from).context("a path below the folder")?);
            fs::create_dir_all(target.parent().context("a file has a folder")?)?;
            fs::write(&target, content)?;
        }
        Ok(())
    }
}
