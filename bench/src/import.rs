//! Small edits in one document while somebody brings 20 MB into another.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    Bench,
    contender::Contender,
    crowd::{Crowd, Shape},
    report::{Section, Spread, percentile},
    update::{client_of, put_insert, read_runs},
    voice::Opened,
};

/// Who types meanwhile.
const SHAPE: Shape = Shape { docs: 1, people: 10, rate: 20.0 };
/// Text of one update.
const PART_BYTES: usize = 1 << 20;
const PARTS: usize = 20;
/// How long an import may take.
const PATIENCE: Duration = Duration::from_secs(60);

struct Found {
    quiet_p99_ms: f64,
    import_p99_ms: f64,
    import_ms: f64,
    whole: bool,
}

/// Measures each contender, several times.
pub fn run(bench: &Bench) -> Result<Section> {
    let rounds = if bench.quick { 1 } else { 3 };
    let mut rows = Vec::new();
    let mut whole_ours = true;
    let mut json = Vec::new();
    for contender in bench.contenders().into_iter().filter(|contender| contender.stores()) {
        let found: Vec<Found> =
            (0..rounds).map(|_| measure(bench, contender)).collect::<Result<_>>()?;
        let of = |value: fn(&Found) -> f64| Spread::of(found.iter().map(value));
        let (quiet, busy) = (of(|found| found.quiet_p99_ms), of(|found| found.import_p99_ms));
        let took = of(|found| found.import_ms);
        bench.say(&format!("import: {} p99 {:.1} ms", contender.name(), busy.median));
        let whole = found.iter().all(|found| found.whole);
        whole_ours &= whole || !contender.is_ours();
        rows.push(vec![
            contender.name().to_owned(),
            quiet.show(1),
            busy.show(1),
            took.show(0),
            if whole { "all" } else { "NOT ALL" }.to_owned(),
        ]);
        json.push(json!({
            "server": contender.name(),
            "quiet_p99_ms": quiet.json(),
            "import_p99_ms": busy.json(),
            "import_ms": took.json(),
            "whole": whole,
        }));
    }
    Ok(Section {
        name: "import",
        title: format!(
            "{} people x {} edits/s while {} MB come into another document in updates of 1 MiB",
            SHAPE.people,
            SHAPE.rate,
            PARTS * PART_BYTES / 1_000_000
        ),
        columns: vec!["server", "p99 ms without", "p99 ms meanwhile", "import ms", "arrived"],
        rows,
        failed: (!whole_ours).then(|| "edits did not arrive once each".to_owned()),
        json: json!({"servers": json}),
    })
}

fn measure(bench: &Bench, contender: Contender) -> Result<Found> {
    let folder = bench.yard.fresh_folder(contender)?;
    let server = bench.yard.start(contender, &folder)?;
    let places = bench.yard.make_documents(&server, 2)?;
    let mut crowd = Crowd::new(SHAPE, server.open_all(&places[..1], SHAPE.people)?)?;
    crowd.seed(PATIENCE)?;
    let spans = bench.spans();
    crowd.work(spans.warm)?;
    let mut blame = crowd.take_tally();
    crowd.work(spans.window)?;
    let mut quiet = crowd.take_tally();

    let (writer, reader) = (server.open(&places[1])?, server.open(&places[1])?);
    let parts = if bench.quick { 3 } else { PARTS };
    let import = std::thread::spawn(move || bring_in(writer, reader, parts));
    while !import.is_finished() {
        crowd.work(Duration::from_millis(50))?;
    }
    let took = import.join().ok().context("the import ended")??;
    let mut meanwhile = crowd.take_tally();
    let missing = crowd.settle(PATIENCE)?;
    for tally in [&quiet, &meanwhile, crowd.tally()] {
        blame.blame(tally);
    }
    Ok(Found {
        quiet_p99_ms: percentile(&mut quiet.latencies_us, 99) / 1e3,
        import_p99_ms: percentile(&mut meanwhile.latencies_us, 99) / 1e3,
        import_ms: took.as_secs_f64() * 1e3,
        whole: missing == 0 && blame.is_clean(),
    })
}

/// Sends part after part, each once somebody else has the last; how long all of it takes.
fn bring_in(writer: Opened, reader: Opened, parts: usize) -> Result<Duration> {
    let Opened { line: mut sending, voice: mut writes, .. } = writer;
    let Opened { line: mut receiving, voice: reads, .. } = reader;
    sending.ignore_answers()?;
    let client = client_of(1, 0);
    let text = "a".repeat(PART_BYTES);
    let start = Instant::now();
    let mut arrived = 0;
    for part in 0..parts {
        let clock = (part * PART_BYTES) as u64;
        let left = clock.checked_sub(1).map(|last| (client, last));
        let mut update = Vec::new();
        put_insert(&mut update, (client, clock), left, None, &text);
        let mut message = Vec::new();
        writes.put_update(&mut message, &update);
        sending.send(&message)?;
        while arrived < (part + 1) * PART_BYTES {
            let message = receiving.receive()?;
            reads.each_update(&message, |update| {
                read_runs(update, |_, _, len| arrived += len as usize)
            })?;
            ensure!(start.elapsed() < PATIENCE, "the import did not arrive in time");
        }
    }
    Ok(start.elapsed())
}
