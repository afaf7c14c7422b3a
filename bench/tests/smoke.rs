//! A second of typing at the release server and at the relay: every edit arrives once at each of the
//! others, by every protocol. How fast is no matter here.

use std::{path::Path, process::Command};

#[test]
fn every_edit_arrives_once_at_each_of_the_others() {
    let bench = env!("CARGO_BIN_EXE_weft-bench");
    let weft = Path::new(bench).with_file_name("weft");
    assert!(weft.is_file(), "the program is not built: cargo build --release --workspace");
    let folder = tempfile::tempdir().expect("a folder");
    let done = Command::new(bench)
        .args(["run", "meetings", "--quick", "--only", "relay,relay-batched,weft,weft-yjs"])
        .arg("--folder")
        .arg(folder.path())
        .output()
        .expect("the bench runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    for server in ["relay", "relay-batched", "weft", "weft-yjs"] {
        let row = said.lines().find(|line| line.starts_with(&format!("| {server} ")));
        assert!(row.is_some_and(|row| row.ends_with(" all |")), "{server} in {said}");
    }
}
