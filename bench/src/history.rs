//! A document with a long history: opening it in a fresh process, and typing into it.
//!
//! The history is a recorded one (`--trace`), or one that is made up with the same number of edits and
//! a cursor that moves about as a writer's does.

use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::{Value, json};
use yrs::{
    Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact, Update,
    merge_updates_v1, updates::decoder::Decode,
};

use crate::{
    Bench,
    contender::{Contender, Server},
    report::{Section, Spread},
    voice::{Opened, Place, Protocol},
};

/// As many as in the recorded history that is usually taken.
const EDITS: usize = 260_000;
/// Edits of one update for servers that would need many minutes otherwise; what they keep is the
/// same, because they merge. Weft gets each edit by itself.
const GATHERED: usize = 100;
/// Typing: so many edits, one each so often, and then a while in which servers may store them.
const TYPED: usize = 1_000;
const TYPED_EVERY: Duration = Duration::from_millis(5);
const TYPED_AFTER: Duration = Duration::from_secs(3);
/// How long a server may take for the whole history.
const PATIENCE: Duration = Duration::from_secs(900);

/// One step of a history: at a character, delete so many and insert some text.
type Edit = (usize, usize, String);

/// What was written, edit by edit, and all of it.
struct History {
    updates: Vec<Vec<u8>>,
    state: Vec<u8>,
}

/// What a contender was found to do.
struct Found {
    /// With the large document; a relay has none.
    large: Option<Large>,
    small_us: Spread,
}

struct Large {
    open_ms: Spread,
    open_bytes: u64,
    typing_us: Spread,
}

/// Measures each contender. Those that store nothing only pass on what is typed.
pub fn run(bench: &Bench) -> Result<Section> {
    let edits = match &bench.trace {
        Some(trace) => recorded(trace)?,
        None => made_up(if bench.quick { 2_000 } else { EDITS }),
    };
    let history = write(&edits);
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for contender in bench.contenders() {
        let Found { large, small_us } = if contender.stores() {
            measure(bench, contender, &history)?
        } else {
            measure_relay(bench, contender)?
        };
        let shown = |of: fn(&Large) -> String| large.as_ref().map_or_else(|| "-".to_owned(), of);
        let cells = [
            contender.name().to_owned(),
            shown(|large| large.open_ms.show(1)),
            shown(|large| (large.open_bytes / 1000).to_string()),
            shown(|large| large.typing_us.show(0)),
            small_us.show(0),
        ];
        bench.say(&format!("history: {}", cells.join(", ")));
        rows.push(cells.to_vec());
        json.push(json!({
            "server": contender.name(),
            "open_ms": large.as_ref().map(|large| large.open_ms.json()),
            "open_bytes": large.as_ref().map(|large| large.open_bytes),
            "cpu_us_per_edit": large.as_ref().map(|large| large.typing_us.json()),
            "small_document_cpu_us_per_edit": small_us.json(),
        }));
    }
    let of = if bench.trace.is_some() { "recorded" } else { "made-up" };
    Ok(Section {
        name: "history",
        title: format!(
            "A document of {} {of} edits: opened in a fresh process, then typed into",
            edits.len()
        ),
        columns: vec!["server", "open ms", "KB", "CPU us/edit", "in a small document"],
        rows,
        failed: None,
        json: json!({"edits": edits.len(), "trace": bench.trace.is_some(), "servers": json}),
    })
}

/// Makes the updates of a history, as a Yjs client would that sends each edit at once.
fn write(edits: &[Edit]) -> History {
    let writer = Writer::new();
    let updates = edits.iter().map(|edit| writer.write(edit)).collect();
    History { updates, state: writer.state() }
}

/// A person at a replica.
struct Writer {
    doc: Doc,
    text: TextRef,
}

impl Writer {
    fn new() -> Self {
        let doc =
            Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..Options::default() });
        let text = doc.get_or_insert_text("t");
        Self { doc, text }
    }

    /// Makes an edit, in the words of one update.
    fn write(&self, (at, deleted, inserted): &Edit) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        if *deleted > 0 {
            self.text.remove_range(&mut txn, *at as u32, *deleted as u32);
        }
        if !inserted.is_empty() {
            self.text.insert(&mut txn, *at as u32, inserted);
        }
        txn.encode_update_v1()
    }

    /// Takes what another one wrote.
    fn read(&self, update: &[u8]) -> Result<()> {
        Ok(self.doc.transact_mut().apply_update(Update::decode_v1(update)?)?)
    }

    fn state(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn has_as_much_as(&self, other: &Self) -> bool {
        self.doc.transact().state_vector() == other.doc.transact().state_vector()
    }

    fn content(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    /// Types in the middle of the text; an update for each character.
    fn type_on(&self, count: usize) -> Vec<Vec<u8>> {
        let middle = self.content().len() / 2;
        (0..count).map(|n| self.write(&(middle + n, 0, "b".to_owned()))).collect()
    }
}

fn measure(bench: &Bench, contender: Contender, history: &History) -> Result<Found> {
    let folder = bench.yard.fresh_folder(contender)?;
    let server = bench.yard.start(contender, &folder)?;
    let mut places = bench.yard.make_documents(&server, 2)?;
    let (large, small) = (Writer::new(), Writer::new());
    large.read(&history.state)?;
    bring_in(&server, contender, &places[0], history, &large)?;
    server.process.stop()?;

    let rounds = if bench.quick { 1 } else { 3 };
    let (mut open_ms, mut open_bytes) = (Vec::new(), 0);
    let (mut large_us, mut small_us) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let server = bench.yard.start(contender, &folder)?;
        places.iter_mut().for_each(|place| place.address = server.process.address);
        // The first handshake of a process is not the document's doing.
        drop(server.open(&places[1])?);
        let start = Instant::now();
        let (took, bytes) = complete(server.open(&places[0])?, &large, start)?;
        open_ms.push(took.as_secs_f64() * 1e3);
        open_bytes = bytes;
        for (place, writer, us) in
            [(&places[0], &large, &mut large_us), (&places[1], &small, &mut small_us)]
        {
            us.push(type_into(bench, &server, place, writer)?);
            complete(server.open(place)?, writer, Instant::now())?;
        }
        rest(&server)?;
        server.process.stop()?;
    }
    let (open_ms, typing_us) = (Spread::of(open_ms), Spread::of(large_us));
    let large = Some(Large { open_ms, open_bytes, typing_us });
    Ok(Found { large, small_us: Spread::of(small_us) })
}

/// What passing on takes, which is a part of what all others do.
fn measure_relay(bench: &Bench, contender: Contender) -> Result<Found> {
    let folder = bench.yard.fresh_folder(contender)?;
    let server = bench.yard.start(contender, &folder)?;
    let place = bench.yard.make_documents(&server, 1)?.remove(0);
    let rounds = if bench.quick { 1 } else { 3 };
    let small = Writer::new();
    let small_us: Vec<f64> =
        (0..rounds).map(|_| type_into(bench, &server, &place, &small)).collect::<Result<_>>()?;
    server.process.stop()?;
    Ok(Found { large: None, small_us: Spread::of(small_us) })
}

/// Sends a history, and waits until the server has and has stored all of it.
fn bring_in(
    server: &Server,
    contender: Contender,
    place: &Place,
    history: &History,
    writer: &Writer,
) -> Result<()> {
    // Weft's own protocol has a window; by this one the socket itself holds us back.
    let protocol = if contender.is_weft() { Protocol::Yjs } else { contender.protocol() };
    let Opened { mut line, mut voice, .. } = protocol.open(place)?;
    line.ignore_answers()?;
    let gathered = if contender.is_weft() { 1 } else { GATHERED };
    for updates in history.updates.chunks(gathered) {
        let mut message = Vec::new();
        voice.put_update(&mut message, &merge_updates_v1(updates)?);
        line.send(&message)?;
    }
    let begin = Instant::now();
    loop {
        let copy = Writer::new();
        for update in server.open(place)?.state {
            copy.read(&update)?;
        }
        if copy.has_as_much_as(writer) {
            break;
        }
        ensure!(begin.elapsed() < PATIENCE, "the history did not arrive");
        thread::sleep(Duration::from_millis(500));
    }
    rest(server)
}

/// Waits until a server has nothing more to do.
fn rest(server: &Server) -> Result<()> {
    let begin = Instant::now();
    loop {
        let before = server.process.cpu_us()?;
        thread::sleep(TYPED_AFTER);
        if server.process.cpu_us()? - before < 100_000 {
            return Ok(());
        }
        ensure!(begin.elapsed() < PATIENCE, "the server does not come to rest");
    }
}

/// When the whole document was there, and how many bytes had come for it.
///
/// Some servers first say that they have nothing, and send the rest when they have read it.
fn complete(opened: Opened, writer: &Writer, start: Instant) -> Result<(Duration, u64)> {
    let Opened { mut line, voice, state } = opened;
    let (mut took, mut bytes) = (start.elapsed(), line.received);
    let copy = Writer::new();
    for update in &state {
        copy.read(update)?;
    }
    while !copy.has_as_much_as(writer) {
        let message = line.receive().context("the document does not become whole")?;
        (took, bytes) = (start.elapsed(), line.received);
        voice.each_update(&message, |update| copy.read(update))?;
    }
    ensure!(copy.content() == writer.content(), "the document is not the one that was written");
    Ok((took, bytes))
}

/// Types into a document that somebody else has open: the server's processor time for an edit, in
/// microseconds, what it does a little later included.
fn type_into(bench: &Bench, server: &Server, place: &Place, writer: &Writer) -> Result<f64> {
    let count = if bench.quick { 50 } else { TYPED };
    let (opened, other) = (server.open(place)?, server.open(place)?);
    let Opened { mut line, mut voice, .. } = opened;
    line.ignore_answers()?;
    other.line.ignore_answers()?;
    let updates = writer.type_on(count);

    let resting = (server.process.cpu_us()?, Instant::now());
    thread::sleep(TYPED_AFTER);
    let rest_us = (server.process.cpu_us()? - resting.0) as f64;
    let rest_share = rest_us / resting.1.elapsed().as_micros() as f64;

    let (before, start) = (server.process.cpu_us()?, Instant::now());
    for (n, update) in updates.iter().enumerate() {
        let due = TYPED_EVERY * u32::try_from(n)?;
        thread::sleep(due.saturating_sub(start.elapsed()));
        let mut message = Vec::new();
        voice.put_update(&mut message, update);
        line.send(&message)?;
    }
    thread::sleep(TYPED_AFTER);
    let used_us = (server.process.cpu_us()? - before) as f64;
    let rested_us = rest_share * start.elapsed().as_micros() as f64;
    Ok((used_us - rested_us) / count as f64)
}

/// A history of the public collection of editing traces: `txns`, each with `patches` of position,
/// number of characters deleted, text inserted. Its end is a mark that nothing else makes.
fn recorded(trace: &Path) -> Result<Vec<Edit>> {
    let is_packed = trace.extension().is_some_and(|extension| extension == "gz");
    let mut unpack = Command::new(if is_packed { "gzip" } else { "cat" });
    if is_packed {
        unpack.arg("-dc");
    }
    let out = unpack.arg(trace).output().context("unpack the trace")?;
    ensure!(out.status.success(), "the trace cannot be read: {}", trace.display());
    let trace: Value = serde_json::from_slice(&out.stdout).context("the trace is no JSON")?;
    let list = |value: &Value| value.as_array().cloned().context("a list in the trace");
    let mut edits = Vec::new();
    for txn in list(&trace["txns"])? {
        for patch in list(&txn["patches"])? {
            let count = |n: usize| patch[n].as_u64().context("a number in the trace");
            let inserted = patch[2].as_str().context("a text in the trace")?.to_owned();
            edits.push((usize::try_from(count(0)?)?, usize::try_from(count(1)?)?, inserted));
        }
    }
    edits.push((0, 0, END.to_owned()));
    Ok(edits)
}

/// A made-up history: seven characters typed for three taken back, and now and then the cursor goes elsewhere.
fn made_up(count: usize) -> Vec<Edit> {
    let mut dice = Rng::with_seed(4);
    let (mut edits, mut cursor, mut len) = (Vec::with_capacity(count), 0, 0);
    while edits.len() + 1 < count {
        if dice.u64(..60) == 0 {
            cursor = dice.u64(..len as u64 + 1) as usize;
        }
        if cursor > 0 && dice.u64(..10) < 3 {
            cursor -= 1;
            len -= 1;
            edits.push((cursor, 1, String::new()));
        } else {
            let letter = char::from(b'a' + dice.u64(..26) as u8);
            edits.push((cursor, 0, letter.to_string()));
            cursor += 1;
            len += 1;
        }
    }
    edits.push((0, 0, END.to_owned()));
    edits
}

/// The last insertion of a history: who has it has everything before.
const END: &str = "#";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_history_is_the_same_each_time_and_can_be_written() {
        let edits = made_up(500);
        assert_eq!((edits.len(), &edits), (500, &made_up(500)));
        let history = write(&edits);
        let (copy, by_edit) = (Writer::new(), Writer::new());
        copy.read(&history.state).expect("it applies");
        history.updates.iter().for_each(|update| by_edit.read(update).expect("it applies"));
        assert_eq!(copy.content(), by_edit.content());
        let deleted = edits.iter().filter(|edit| edit.1 == 1).count();
        assert_eq!(copy.content().len(), edits.len() - 2 * deleted);
        assert!((100..200).contains(&deleted), "{deleted}");
    }
}
