//! One measurement of typing: a fresh server, a crowd, a while to warm up, a window that counts.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    contender::{Contender, Server, Yard},
    crowd::{Crowd, Shape, Tally},
    process::own_cpu_us,
    report::percentile,
};

/// How long the parts of a measurement last.
#[derive(Clone, Copy)]
pub struct Spans {
    /// Everybody is there and nobody types: what the server uses then is taken off.
    pub rest: Duration,
    /// Before anything counts.
    pub warm: Duration,
    /// What counts.
    pub window: Duration,
}

/// How long servers may take to catch up after a window.
const SETTLE: Duration = Duration::from_secs(10);

/// What a window found.
#[derive(Debug)]
pub struct Sample {
    /// Processor time of the server for each delivered edit, in microseconds, less what it uses at rest.
    pub cpu_us: f64,
    /// Half of the deliveries took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// Deliveries per second.
    pub rate: f64,
    /// Deliveries for each message that brought some.
    pub edits_per_message: f64,
    /// How much of what was to be delivered in the window was.
    pub kept_up: f64,
    /// Edits that had not arrived some seconds after the window.
    pub missing: u64,
    /// Arrivals of what had arrived already.
    pub repeated: u64,
    /// Arrivals of what builds on something that had not arrived.
    pub early: u64,
    /// Of one processor, what the server used.
    pub server_share: f64,
    /// Of one processor, what the generator used. Near 1, the generator is what is measured.
    pub generator_share: f64,
    /// How late the generator sent 99 of 100 edits, in milliseconds.
    pub lag_p99_ms: f64,
    /// What else went wrong.
    pub faults: BTreeMap<String, u64>,
}

/// Measures once, with a fresh server.
pub fn measure(yard: &Yard, contender: Contender, shape: Shape, spans: Spans) -> Result<Sample> {
    let folder = yard.fresh_folder(contender)?;
    let server = yard.start(contender, &folder)?;
    let places = yard.make_documents(&server, shape.docs)?;
    let opened = server.open_all(&places, shape.people)?;
    let mut crowd = Crowd::new(shape, opened)?;
    crowd.seed(SETTLE).with_context(|| format!("{}: begin", contender.name()))?;
    let sample = window(&server, &mut crowd, shape, spans)?;
    Ok(sample)
}

fn window(server: &Server, crowd: &mut Crowd, shape: Shape, spans: Spans) -> Result<Sample> {
    let resting = (server.process.cpu_us()?, Instant::now());
    crowd.rest(spans.rest)?;
    let rest_us = (server.process.cpu_us()? - resting.0) as f64;
    let rest_share = rest_us / resting.1.elapsed().as_micros() as f64;

    crowd.work(spans.warm)?;
    let earlier = crowd.take_tally();
    let before = (server.process.cpu_us()?, own_cpu_us()?, Instant::now());
    crowd.work(spans.window)?;
    let elapsed_us = before.2.elapsed().as_micros() as f64;
    let server_us = (server.process.cpu_us()? - before.0) as f64;
    let own_us = (own_cpu_us()? - before.1) as f64;
    let mut tally = crowd.take_tally();
    let missing = crowd.settle(SETTLE)?;
    tally.blame(&earlier);
    tally.blame(crowd.tally());
    let Tally { sent, delivered, messages, mut latencies_us, mut lags_us, .. } = tally;
    let due = sent as f64 * (shape.people - 1) as f64;
    Ok(Sample {
        cpu_us: (server_us - rest_share * elapsed_us) / delivered as f64,
        p50_ms: percentile(&mut latencies_us, 50) / 1e3,
        p99_ms: percentile(&mut latencies_us, 99) / 1e3,
        rate: delivered as f64 / elapsed_us * 1e6,
        edits_per_message: delivered as f64 / messages as f64,
        kept_up: delivered as f64 / due,
        missing,
        repeated: tally.repeated,
        early: tally.early,
        server_share: server_us / elapsed_us,
        generator_share: own_us / elapsed_us,
        lag_p99_ms: percentile(&mut lags_us, 99) / 1e3,
        faults: tally.faults,
    })
}

impl Sample {
    /// Whether every edit arrived once, in order, and nothing else happened.
    pub fn is_whole(&self) -> bool {
        self.missing == 0 && self.repeated == 0 && self.early == 0 && self.faults.is_empty()
    }

    /// For the file.
    pub fn json(&self) -> Value {
        json!({
            "cpu_us_per_delivery": self.cpu_us,
            "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms,
            "deliveries_per_second": self.rate,
            "deliveries_per_message": self.edits_per_message,
            "kept_up": self.kept_up,
            "missing": self.missing,
            "repeated": self.repeated,
            "early": self.early,
            "server_share": self.server_share,
            "generator_share": self.generator_share,
            "generator_lag_p99_ms": self.lag_p99_ms,
            "faults": self.faults,
        })
    }
}
