//! The most that a server delivers while 99 of 100 deliveries take no longer than 100 ms.

use anyhow::Result;
use serde_json::json;

use crate::{
    Bench,
    contender::Contender,
    crowd::Shape,
    load::{Sample, measure},
    report::Section,
};

const P99_MS_MAX: f64 = 100.0;
/// A server that delivers less than this part of what was sent falls behind.
const KEPT_UP_MIN: f64 = 0.97;
/// Where the search begins and what it doubles: deliveries per second.
const FIRST: f64 = 20_000.0;
/// Doublings, and halvings of what is left between the last that held and the first that did not.
const STEPS: (u32, u32) = (7, 3);
/// The generator is what is measured when it uses so much of its processor.
const GENERATOR_FULL: f64 = 0.9;

/// Searches with each contender.
pub fn run(bench: &Bench) -> Result<Section> {
    let people = if bench.quick { 50 } else { 200 };
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for contender in bench.contenders() {
        let (most, tried) = search(bench, contender, people)?;
        let best = most.map(|index: usize| &tried[index]);
        let full = tried.iter().any(|sample| sample.generator_share > GENERATOR_FULL);
        let show = |value: fn(&Sample) -> f64, decimals: usize| {
            best.map_or_else(|| "-".to_owned(), |sample| format!("{:.*}", decimals, value(sample)))
        };
        rows.push(vec![
            contender.name().to_owned(),
            show(|sample| sample.rate / 1e3, 0),
            show(|sample| sample.p99_ms, 1),
            show(|sample| sample.server_share, 2),
            show(|sample| sample.generator_share, 2),
            if full { "the generator" } else { "the server" }.to_owned(),
        ]);
        json.push(json!({
            "server": contender.name(),
            "most_deliveries_per_second": best.map(|sample| sample.rate),
            "generator_limited": full,
            "steps": tried.iter().map(Sample::json).collect::<Vec<_>>(),
        }));
    }
    Ok(Section {
        name: "most",
        title: format!("1 document x {people} people: most deliveries with p99 <= 100 ms"),
        columns: vec![
            "server",
            "thousand/s",
            "p99 ms",
            "server CPUs",
            "generator CPUs",
            "full first",
        ],
        rows,
        failed: None,
        json: json!({"people": people, "servers": json}),
    })
}

fn holds(sample: &Sample) -> bool {
    sample.p99_ms <= P99_MS_MAX && sample.kept_up >= KEPT_UP_MIN
}

/// Doubles until it does not hold, then halves what is left. The best that held, of all tried.
fn search(
    bench: &Bench,
    contender: Contender,
    people: usize,
) -> Result<(Option<usize>, Vec<Sample>)> {
    let mut tried = Vec::new();
    let mut most = None;
    let (mut held, mut failed) = (None, None);
    let (doublings, halvings) = if bench.quick { (2, 0) } else { STEPS };
    let mut next = FIRST;
    let mut halved = 0;
    while tried.len() < (doublings + halvings) as usize {
        let mut shape = Shape { docs: 1, people, rate: 1.0 };
        shape.rate = next / shape.deliveries_per_second();
        let mut sample = measure(&bench.yard, contender, shape, bench.spans())?;
        if !holds(&sample) {
            // Once more: somebody else may have used the machine.
            sample = measure(&bench.yard, contender, shape, bench.spans())?;
        }
        let holds = holds(&sample);
        bench.say(&format!(
            "most: {} {:.0}/s {} (p99 {:.1} ms, generator {:.2})",
            contender.name(),
            next,
            if holds { "holds" } else { "does not hold" },
            sample.p99_ms,
            sample.generator_share,
        ));
        if holds {
            held = Some(next);
            most = Some(tried.len());
        } else {
            failed = Some(next);
        }
        tried.push(sample);
        next = match (held, failed) {
            (Some(held), None) => held * 2.0,
            (Some(held), Some(failed)) if halved < halvings => {
                halved += 1;
                f64::sqrt(held * failed)
            }
            (None, Some(failed)) => failed / 2.0,
            _ => break,
        };
    }
    Ok((most, tried))
}
