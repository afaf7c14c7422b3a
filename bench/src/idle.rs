//! What a connection costs in memory while nobody types.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::{
    Bench,
    contender::Contender,
    crowd::{Crowd, Shape},
    report::{Section, Spread},
};

/// Connections of one document: a document's own memory is to weigh little.
const PEOPLE: usize = 100;

/// Measures each contender, several times.
pub fn run(bench: &Bench) -> Result<Section> {
    let (docs, rounds) = if bench.quick { (2, 1) } else { (50, 3) };
    let connections = docs * PEOPLE;
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for contender in bench.contenders() {
        let found: Vec<f64> =
            (0..rounds).map(|_| measure(bench, contender, docs)).collect::<Result<_>>()?;
        let spread = Spread::of(found);
        bench.say(&format!("idle: {} {:.1} KB", contender.name(), spread.median));
        rows.push(vec![contender.name().to_owned(), spread.show(1)]);
        json.push(json!({"server": contender.name(), "kilobytes": spread.json()}));
    }
    Ok(Section {
        name: "idle",
        title: format!("{connections} idle connections, {PEOPLE} to a document: memory of each"),
        columns: vec!["server", "KB"],
        rows,
        failed: None,
        json: json!({"connections": connections, "servers": json}),
    })
}

/// Thousands of bytes for each connection.
fn measure(bench: &Bench, contender: Contender, docs: usize) -> Result<f64> {
    let folder = bench.yard.fresh_folder(contender)?;
    let server = bench.yard.start(contender, &folder)?;
    let places = bench.yard.make_documents(&server, docs)?;
    // The first ones load documents and code.
    let mut first = Crowd::new(Shape { docs, people: 1, rate: 1.0 }, server.open_all(&places, 1)?)?;
    first.rest(Duration::from_millis(500))?;
    let before = server.process.memory_bytes()?;
    let shape = Shape { docs, people: PEOPLE, rate: 1.0 };
    let mut crowd = Crowd::new(shape, server.open_all(&places, PEOPLE)?)?;
    crowd.rest(Duration::from_secs(2))?;
    let after = server.process.memory_bytes()?;
    Ok((after as f64 - before as f64) / (docs * PEOPLE) as f64 / 1e3)
}
