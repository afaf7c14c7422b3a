//! Mutated Yjs updates against documents: none panics, and whatever is accepted leaves a document that is
//! whole. `WEFT_CASES` and `WEFT_SEED` run more, or others.

#![allow(missing_docs, reason = "tests document themselves by their names")]
#![allow(clippy::disallowed_methods, reason = "whoever runs more of it names seed and count")]
#![allow(clippy::print_stdout, reason = "how much was tried")]

mod mutate;
mod whole;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bytes::Bytes;
use mutate::{Dice, mutated, recorded};
use weft_core::{
    kind::doc::Doc,
    machine::{Machine as _, Upset},
};
use whole::{editor, is_whole};

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Whether a mutated update was accepted, and if so whether the document reads the same when loaded; or
/// the panic that it caused.
fn try_one(doc: &mut Doc, update: &Bytes) -> Result<Option<bool>, String> {
    let tried = catch_unwind(AssertUnwindSafe(|| match doc.execute(update, &editor()) {
        Ok(_) => Ok(Some(is_whole(doc))),
        Err(Upset::Refused(_)) => Ok(None),
        Err(Upset::Broken(why)) => Err(why),
    }));
    tried.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text
            .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
            .unwrap_or_default())
    })
}

#[test]
fn l10_mutated_updates_do_no_harm() {
    let (cases, seed) = (number("WEFT_CASES", 60_000), number("WEFT_SEED", 1));
    let documents = recorded();
    let all: Vec<&Vec<u8>> = documents.iter().flatten().collect();
    let mut dice = Dice(seed);
    let (mut accepted, mut moved, mut failures) = (0_u64, 0_u64, Vec::new());
    for case in 0..cases / 20 {
        let document = dice.pick(&documents);
        let known = dice.below(document.len() + 1);
        let mut history: Vec<Bytes> = document[..known].iter().map(|u| u.clone().into()).collect();
        let mut doc = Doc::default();
        for update in &history {
            doc.execute(update, &editor()).expect("recorded updates are good");
        }
        for _ in 0..20 {
            let original = match known {
                n if n < document.len() && dice.below(2) == 0 => &document[n],
                _ => *dice.pick(&all),
            };
            let other = *dice.pick(&all);
            let update = Bytes::from(mutated(&mut dice, original, other));
            match try_one(&mut doc, &update) {
                Ok(Some(same)) => {
                    accepted += 1;
                    history.push(update);
                    if !same {
                        moved += 1;
                        break;
                    }
                }
                Ok(None) => {}
                Err(why) => {
                    let history: Vec<_> = history.iter().map(|update| update.to_vec()).collect();
                    failures.push(format!(
                        "case {case}: {why}\n after {history:?}\n {update:?} {:?}",
                        update.to_vec()
                    ));
                    break;
                }
            }
        }
    }
    println!(
        "{cases} mutated updates of seed {seed}: {accepted} accepted, {moved} of them with text in \
         another order when loaded, {} failed",
        failures.len()
    );
    assert!(moved * 20 < accepted, "text is in order but for a few");
    assert!(accepted > cases / 100, "few are accepted: this tests little");
    assert!(
        failures.is_empty(),
        "{} failures; the first of seed {seed}:\n{}",
        failures.len(),
        failures[..failures.len().min(8)].join("\n")
    );
}
