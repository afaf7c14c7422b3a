//! The Yjs updates that people's typing makes, and what is inside those that come back.
//!
//! Everybody types at a place of their own in the middle of a text: between two characters of a
//! seed that was there before. Only insertions of ASCII text are met here; servers may merge several into
//! one update.

use anyhow::{Context, Result, bail};

use crate::wire::{blob, number, put_blob, put_number};

/// Who inserted a character, and as their how-manieth.
pub type Id = (u64, u64);

/// The shared text's name.
const TEXT: &[u8] = b"t";
/// Client ids of one document; the last is the seed's.
const CLIENTS_PER_DOC: u64 = 1024;
/// People of one document at most.
pub const PEOPLE_MAX: usize = CLIENTS_PER_DOC as usize - 1;
/// Yjs draws client ids of 32 bits; these take as many bytes.
const FIRST_CLIENT: u64 = 1 << 30;

/// The Yjs client id of one person of one document.
pub const fn client_of(doc: usize, person: usize) -> u64 {
    FIRST_CLIENT + doc as u64 * CLIENTS_PER_DOC + person as u64
}

/// The Yjs client id of a document's seed.
pub const fn seed_of(doc: usize) -> u64 {
    client_of(doc, PEOPLE_MAX)
}

/// The text that a document begins with: a place for each of `people`.
pub fn seed(doc: usize, people: usize) -> Vec<u8> {
    let mut out = Vec::new();
    put_insert(&mut out, (seed_of(doc), 0), None, None, &"s".repeat(people + 1));
    out
}

/// A person's `clock`-th character, typed behind their last one.
pub fn put_edit(out: &mut Vec<u8>, doc: usize, person: usize, clock: u64) {
    let (me, seed) = (client_of(doc, person), seed_of(doc));
    let left = clock.checked_sub(1).map_or((seed, person as u64), |last| (me, last));
    put_insert(out, (me, clock), Some(left), Some((seed, person as u64 + 1)), "a");
}

/// Appends an update that inserts ASCII text between two characters (none: the text's ends).
pub fn put_insert(
    out: &mut Vec<u8>,
    (client, clock): Id,
    left: Option<Id>,
    right: Option<Id>,
    text: &str,
) {
    const STRING: u8 = 4;
    put_number(out, 1); // Clients,
    put_number(out, 1); // structs of the first,
    put_number(out, client);
    put_number(out, clock);
    out.push(
        STRING | if left.is_some() { 0x80 } else { 0 } | if right.is_some() { 0x40 } else { 0 },
    );
    for (client, clock) in left.into_iter().chain(right) {
        put_number(out, client);
        put_number(out, clock);
    }
    if left.is_none() && right.is_none() {
        put_number(out, 1); // The parent is a root, by name.
        put_blob(out, TEXT);
    }
    put_blob(out, text.as_bytes());
    put_number(out, 0); // Nothing is deleted.
}

/// Tells of each run of characters in an update: its client, first clock and length.
///
/// # Errors
/// If the update holds anything but insertions of text.
pub fn read_runs(update: &[u8], mut run: impl FnMut(u64, u64, u64)) -> Result<()> {
    let mut rest = update;
    let bytes = &mut rest;
    let clients = number(bytes).context("an update without an end")?;
    for _ in 0..clients {
        let mut head = || Some((number(bytes)?, number(bytes)?, number(bytes)?));
        let (structs, client, mut clock) = head().context("an update without an end")?;
        for _ in 0..structs {
            let len = read_struct(bytes)?;
            run(client, clock, len);
            clock += len;
        }
    }
    Ok(())
}

fn read_struct(bytes: &mut &[u8]) -> Result<u64> {
    let mut read = || {
        let (&info, rest) = bytes.split_first()?;
        *bytes = rest;
        let ids = (info >> 7) + (info >> 6 & 1);
        for _ in 0..2 * ids {
            number(bytes)?;
        }
        if ids == 0 && number(bytes)? == 1 {
            blob(bytes)?;
        }
        Some((info & 0x3f, blob(bytes)?))
    };
    match read().context("an update without an end")? {
        (4, text) => Ok(text.len() as u64),
        (other, _) => bail!("an update with content {other}, which nobody here has made"),
    }
}

#[cfg(test)]
mod tests {
    use yrs::{
        Doc, GetString, ReadTxn, Transact, Update, merge_updates_v1, updates::decoder::Decode,
    };

    use super::*;

    fn edit(person: usize, clock: u64) -> Vec<u8> {
        let mut update = Vec::new();
        put_edit(&mut update, 3, person, clock);
        update
    }

    #[test]
    fn edits_are_what_yjs_makes_of_typing_in_the_middle_of_a_text() {
        let doc = Doc::new();
        let text = doc.get_or_insert_text("t");
        let mut txn = doc.transact_mut();
        for update in [seed(3, 2), edit(1, 0), edit(0, 0), edit(0, 1)] {
            txn.apply_update(Update::decode_v1(&update).expect("it decodes")).expect("it applies");
        }
        assert!(!txn.has_missing_updates());
        assert_eq!(text.get_string(&txn), "saasas");
    }

    #[test]
    fn an_edit_has_the_size_of_real_ones() {
        assert!((25..=30).contains(&edit(1, 200).len()), "{}", edit(1, 200).len());
    }

    #[test]
    fn edits_are_found_in_a_merged_update() {
        let parts = [seed(3, 2), edit(0, 0), edit(0, 1), edit(1, 0)];
        let merged = merge_updates_v1(&parts).expect("they merge");
        let mut found = Vec::new();
        read_runs(&merged, |client, clock, len| {
            found.extend((clock..clock + len).map(|clock| (client, clock)));
        })
        .expect("only text");
        found.sort_unstable();
        let expected = [
            (client_of(3, 0), 0),
            (client_of(3, 0), 1),
            (client_of(3, 1), 0),
            (seed_of(3), 0),
            (seed_of(3), 1),
            (seed_of(3), 2),
        ];
        assert_eq!(found, expected);
    }
}
