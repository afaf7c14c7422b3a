//! The rules of the repository, each a function from the tree to what offends it.
//!
//! `cargo xtask tidy` and a test run them all. `arrows` holds who may depend on whom, `files` what
//! a file may hold, `docs` that the papers and the code name the same things.

mod arrows;
mod docs;
mod files;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run::{metadata, root};

/// Folders that are built, installed or run, and no part of the tree.
const NOT_OURS: [&str; 5] = [".git", "target", "node_modules", "dist", "weft-data"];

/// Reports every offence, with the file it is in.
pub fn tidy() -> Result<()> {
    let offences = offences()?;
    if !offences.is_empty() {
        bail!("the tree is not tidy:\n  {}", offences.join("\n  "));
    }
    Ok(())
}

fn offences() -> Result<Vec<String>> {
    let tree = Tree::read(root())?;
    let mut found = arrows::offences(metadata()?);
    found.extend(files::offences(&tree, &root().display().to_string()));
    found.extend(docs::offences(&tree));
    Ok(found)
}

/// The files of the repository, in order of path.
#[derive(Default)]
struct Tree {
    files: Vec<File>,
}

/// One file; `path` is relative to the root and has `/` between its parts.
struct File {
    path: String,
    bytes: u64,
    /// Absent if the file is not UTF-8.
    text: Option<String>,
}

impl Tree {
    fn read(root: &Path) -> Result<Tree> {
        let mut tree = Tree::default();
        tree.read_folder(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let cannot = || format!("cannot read {}", folder.display());
        for entry in fs::read_dir(folder).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if NOT_OURS.contains(&name.as_str()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
                continue;
            }
            let content = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            let bytes = content.len() as u64;
            self.files.push(File { path, bytes, text: String::from_utf8(content).ok() });
        }
        Ok(())
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    /// The text files whose paths begin and end so.
    fn texts<'a>(
        &'a self,
        start: &'a str,
        ends: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files.iter().filter_map(move |file| {
            let wanted = file.path.starts_with(start);
            let wanted = wanted && ends.iter().any(|end| file.path.ends_with(end));
            file.text.as_deref().filter(|_| wanted).map(|text| (file.path.as_str(), text))
        })
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            bytes: text.len() as u64,
            text: Some((*text).to_owned()),
        };
        Tree { files: files.iter().map(file).collect() }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        assert_eq!(super::offences().expect("the tree can be read"), Vec::<String>::new());
    }
}
