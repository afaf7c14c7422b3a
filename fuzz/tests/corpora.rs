//! Every file of the corpora against its target: what once failed stays mended.

#![allow(missing_docs, reason = "tests document themselves by their names")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use weft_fuzz::TARGETS;

#[test]
fn l10_whatever_was_found_once_does_no_harm() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut failed = Vec::new();
    for target in TARGETS {
        let files = fs::read_dir(corpora.join(target.name)).expect("a corpus of its name");
        let files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        assert!(!files.is_empty(), "{}: an empty corpus", target.name);
        for file in files {
            let input = fs::read(&file).expect("a file of the corpus").into();
            if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
                failed.push(file);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
