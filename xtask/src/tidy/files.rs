//! What a file may hold, and which files stand at the root.

use super::{File, Tree};

/// Larger files belong in a release or are built.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What stands at the root. Everything else has a folder.
const AT_ROOT: [&str; 23] = [
    ".cargo",
    ".ci",
    ".config",
    ".editorconfig",
    ".gitattributes",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "bench",
    "cedar",
    "crates",
    "docs",
    "fuzz",
    "proto",
    "rustfmt.toml",
    "web",
    "xtask",
];

/// Where packages may come from, as lockfiles name it.
const REGISTRIES: [&str; 2] =
    ["https://registry.npmjs.org/", "registry+https://github.com/rust-lang/crates.io-index"];

/// Beginnings of paths that exist on one machine only. In halves, or this file would offend.
const MACHINE_PATHS: [&str; 4] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("C:\\", "Users"),
];

/// `root` is where this copy of the repository stands; no file may know.
pub fn offences(tree: &Tree, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut last_at_root = "";
    for file in &tree.files {
        let first = file.path.split('/').next().unwrap_or_default();
        if !AT_ROOT.contains(&first) && first != last_at_root {
            found.push(format!("{first}: nothing of this name belongs at the root"));
            last_at_root = first;
        }
        if file.bytes > FILE_BYTES_MAX {
            found.push(format!("{}: {} bytes, above {FILE_BYTES_MAX}", file.path, file.bytes));
        }
        let Some(text) = &file.text else { continue };
        if is_rust_module(&file.path) && !text.starts_with("//!") {
            found.push(format!("{}: does not begin with `//!` and what it is", file.path));
        }
        for (index, line) in text.lines().enumerate() {
            for offence in line_offences(file, line, root) {
                found.push(format!("{}:{}: {offence}", file.path, index + 1));
            }
        }
    }
    found
}

fn line_offences(file: &File, line: &str, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    let root_tells = root.matches('/').count() > 1;
    let places = MACHINE_PATHS.iter().copied().chain(Some(root).filter(|_| root_tells));
    for place in places.filter(|place| names_a_file_below(line, place)) {
        found.push(format!("a path of one machine ({place})"));
    }
    if climbs_out(&file.path, line) {
        found.push("a path that leaves the repository".to_owned());
    }
    if let Some(source) = lockfile_source(&file.path, line)
        && !REGISTRIES.iter().any(|registry| source.starts_with(registry))
    {
        found.push(format!("a package from {source}"));
    }
    found
}

/// Whether the line goes on below the place: alone it may be a route of the web app.
fn names_a_file_below(line: &str, place: &str) -> bool {
    line.split(place).skip(1).any(|rest| {
        let rest = rest.trim_start_matches(['/', '\\']);
        rest.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '.')
    })
}

fn is_rust_module(path: &str) -> bool {
    path.ends_with(".rs") && !path.contains("/golden/")
}

/// Whether a relative path in the line has more `../` than its file has folders.
fn climbs_out(path: &str, line: &str) -> bool {
    let folders = path.matches('/').count();
    let mut rest = line;
    while let Some(start) = rest.find("../") {
        let mut steps = 0;
        rest = &rest[start..];
        while let Some(after) = rest.strip_prefix("../") {
            steps += 1;
            rest = after;
        }
        if steps > folders {
            return true;
        }
    }
    false
}

/// Where a line of a lockfile says that a package comes from.
fn lockfile_source<'a>(path: &str, line: &'a str) -> Option<&'a str> {
    let start = match path.rsplit('/').next()? {
        "package-lock.json" => "\"resolved\": \"",
        "Cargo.lock" => "source = \"",
        _ => return None,
    };
    line.trim().strip_prefix(start)?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::{Tree, offences};

    fn check(path: &str, text: &str, expected: &[&str]) {
        assert_eq!(offences(&Tree::of(&[(path, text)]), "/place/of/weft"), expected, "{path}");
    }

    #[test]
    fn offences_are_found_where_they_are() {
        check("README.md", "Weft\n", &[]);
        check("notes.txt", "", &["notes.txt: nothing of this name belongs at the root"]);
        check("xtask/a.rs", "//! What it is.\n", &[]);
        check(
            "xtask/a.rs",
            "fn a() {}\n",
            &["xtask/a.rs: does not begin with `//!` and what it is"],
        );
        check(
            "docs/a.md",
            "in\n/place/of/weft/web\n",
            &["docs/a.md:2: a path of one machine (/place/of/weft)"],
        );
        check("docs/a.md", "see ../README.md\n", &[]);
        let two_up = format!("see {}a\n", "../".repeat(2));
        check("docs/a.md", &two_up, &["docs/a.md:1: a path that leaves the repository"]);
    }

    #[test]
    fn lockfiles_name_the_public_registries_only() {
        let from = |host: &str| format!("\"resolved\": \"https://{host}/a.tgz\",\n");
        check("web/package-lock.json", &from("registry.npmjs.org"), &[]);
        check(
            "web/package-lock.json",
            &from("mirror.example"),
            &["web/package-lock.json:1: a package from https://mirror.example/a.tgz"],
        );
    }

    #[test]
    fn large_files_are_found() {
        let large = "a".repeat(1024 * 1024 + 1);
        check("docs/a.md", &large, &["docs/a.md: 1048577 bytes, above 1048576"]);
    }
}
