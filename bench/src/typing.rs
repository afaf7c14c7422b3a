//! What one delivered edit costs the server, and how long it takes.

use anyhow::Result;
use serde_json::json;

use crate::{
    Bench,
    contender::Contender,
    crowd::Shape,
    load::{Sample, measure},
    report::{Section, Spread},
};

/// Many small documents.
pub fn meetings(bench: &Bench) -> Result<Section> {
    let shape = Shape { docs: 50, people: 10, rate: 5.0 };
    let small = Shape { docs: 5, people: 4, rate: 10.0 };
    run(bench, "meetings", if bench.quick { small } else { shape })
}

/// One document that everybody is in.
pub fn lecture(bench: &Bench) -> Result<Section> {
    let shape = Shape { docs: 1, people: 200, rate: 1.0 };
    let small = Shape { docs: 1, people: 20, rate: 5.0 };
    run(bench, "lecture", if bench.quick { small } else { shape })
}

/// Measures a shape with each contender in turn, several times.
fn run(bench: &Bench, name: &'static str, shape: Shape) -> Result<Section> {
    let rounds = if bench.quick { 1 } else { 3 };
    let mut samples: Vec<(Contender, Vec<Sample>)> =
        bench.contenders().into_iter().map(|contender| (contender, Vec::new())).collect();
    for round in 0..rounds {
        for (contender, samples) in &mut samples {
            let sample = measure(&bench.yard, *contender, shape, bench.spans())?;
            bench.say(&format!(
                "{name}, round {}: {} {:.1} us, p99 {:.1} ms{}",
                round + 1,
                contender.name(),
                sample.cpu_us,
                sample.p99_ms,
                if sample.is_whole() { "" } else { ", NOT WHOLE" }
            ));
            samples.push(sample);
        }
    }
    Ok(section(name, shape, &samples))
}

fn section(name: &'static str, shape: Shape, samples: &[(Contender, Vec<Sample>)]) -> Section {
    let relay = samples.iter().find(|(contender, _)| *contender == Contender::Relay);
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for (contender, samples) in samples {
        let of = |value: fn(&Sample) -> f64| Spread::of(samples.iter().map(value));
        // In pairs of the same round, because the machine's speed drifts.
        let ratio = relay.map(|(_, relay)| {
            Spread::of(samples.iter().zip(relay).map(|(own, relay)| own.cpu_us / relay.cpu_us))
        });
        let lost: u64 = samples.iter().map(|sample| sample.missing).sum();
        let whole = samples.iter().all(Sample::is_whole);
        rows.push(vec![
            contender.name().to_owned(),
            of(|sample| sample.cpu_us).show(1),
            ratio.map_or_else(|| "-".to_owned(), |ratio| ratio.show(2)),
            of(|sample| sample.p50_ms).show(1),
            of(|sample| sample.p99_ms).show(1),
            of(|sample| sample.edits_per_message).show(2),
            if whole { "all".to_owned() } else { format!("{lost} missing") },
        ]);
        json.push(json!({
            "server": contender.name(),
            "cpu_us_per_delivery": of(|sample| sample.cpu_us).json(),
            "ratio_to_relay": ratio.map(|ratio| ratio.json()),
            "windows": samples.iter().map(Sample::json).collect::<Vec<_>>(),
        }));
    }
    let Shape { docs, people, rate } = shape;
    Section {
        name,
        title: format!("{docs} documents x {people} people x {rate} edits/s each"),
        columns: vec![
            "server",
            "CPU us/edit",
            "/ relay",
            "p50 ms",
            "p99 ms",
            "edits/message",
            "arrived",
        ],
        rows,
        failed: not_whole(samples),
        json: json!({"docs": docs, "people": people, "edits_per_second": rate, "servers": json}),
    }
}

/// Weft and the relay deliver every edit once, or something is wrong here.
fn not_whole(samples: &[(Contender, Vec<Sample>)]) -> Option<String> {
    let ours = samples.iter().filter(|(contender, _)| contender.is_ours());
    let broken = ours.filter(|(_, samples)| !samples.iter().all(Sample::is_whole));
    let names: Vec<&str> = broken.map(|(contender, _)| contender.name()).collect();
    (!names.is_empty()).then(|| format!("edits did not arrive once each: {}", names.join(", ")))
}
