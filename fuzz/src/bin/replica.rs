//! A document as the server holds it, driven by lines: a command and perhaps bytes in hex, answered by one
//! line. `web/e2e/histories.test.mjs` lets it take part in histories of real Yjs documents.

#![allow(clippy::print_stdout, reason = "that is where its answers go")]

use std::io::{self, BufRead as _};

use bytes::Bytes;
use weft_core::{
    PersonId, Right,
    kind::doc::Doc,
    machine::{Author, Machine as _, Merging as _, Upset},
};

const JSON_BYTES_MAX: usize = 64 << 20;

fn main() -> io::Result<()> {
    let mut doc = Doc::default();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        println!("{}", answer(&mut doc, command, rest));
    }
    Ok(())
}

/// Panics on what the test that drives it would not say.
fn answer(doc: &mut Doc, command: &str, rest: &str) -> String {
    match command {
        "new" => {
            *doc = Doc::default();
            String::new()
        }
        "reopen" => {
            *doc = Doc::open(&doc.snapshot()).expect("its own snapshot");
            String::new()
        }
        "execute" => {
            let person = Some(PersonId::from_bytes([1; 16]));
            let by = Author { person, right: Right::Edit, at: 0, seq: 2 };
            match doc.execute(&unhex(rest), &by) {
                Ok(Some(effect)) => hex(&effect),
                Ok(None) => String::new(),
                Err(Upset::Refused(fault)) => format!("refused {fault}"),
                Err(Upset::Broken(why)) => panic!("{why}"),
            }
        }
        "snapshot" => hex(&doc.snapshot()),
        "state-vector" => hex(&doc.state_vector()),
        "missing" => hex(&doc.missing_from(&unhex(rest)).expect("a state vector")),
        "digest" => hex(&doc.digest()),
        "text" => serde_json::Value::from(doc.text()).to_string(),
        "json" => {
            doc.json(Some(rest).filter(|name| !name.is_empty()), JSON_BYTES_MAX).expect("small")
        }
        _ => panic!("no command: {command}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Bytes {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(digits).collect()
}
