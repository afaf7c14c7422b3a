//! A small disk of one's own, that can be filled up.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

/// A mounted tmpfs. Unmounted when dropped.
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// # Errors
    /// If this process may not mount.
    pub fn mount(path: &Path, bytes: u64) -> anyhow::Result<Self> {
        fs::create_dir_all(path)?;
        let size = format!("size={bytes},mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "weft-test"]).arg(path);
        let status = mount.status().context("run mount")?;
        ensure!(status.success(), "cannot mount a small disk: this test needs the right to mount");
        Ok(Self { path: path.to_owned() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }

    /// Takes all the space that is left.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::options().append(true).create(true).open(self.filler())?;
        let block = vec![7; 4096];
        while file.write_all(&block).is_ok() {}
        Ok(())
    }

    /// Gives it back.
    pub fn free(&self) -> anyhow::Result<()> {
        fs::remove_file(self.filler()).context("free the disk")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that was just killed may still hold a file.
        if let Err(error) = Command::new("umount").arg("-l").arg(&self.path).status() {
            println!("cannot unmount {}: {error}", self.path.display());
        }
    }
}
