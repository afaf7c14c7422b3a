//! Real rooms and clients on a simulated clock, network and database.
//!
//! One seed gives everything: how many nodes and clients there are, what people do, what fails and
//! when. The same seed gives the same run, to the last message; [`Run::hash`] says so in a number.
//! What must hold is checked while it runs, and once faults have stopped.
//!
//! Not here: sockets, files and threads of the real program. `weft-harness` drives those.
//!
//! Start at [`run`] and [`world`].

mod database;
mod judge;
mod ops;
mod oracle;
mod replica;
mod trace;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use weft_core::kind::{doc::Doc, inbox::Inbox, order::Order};
pub use world::Counts;
use world::World;

/// The kinds of rooms that are simulated.
pub const KINDS: [&str; 3] = [Order::NAME, Doc::NAME, Inbox::NAME];

/// What came of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Equal for equal runs.
    pub hash: u64,
    /// What was done in it.
    pub counts: Counts,
    /// The rule that was broken, if any.
    pub broken: Option<String>,
    /// What happened, a line each, if that was wanted.
    pub trace: String,
}

/// Runs the schedule of a seed with rooms of a kind.
#[must_use]
pub fn run(kind: &'static str, seed: u64, keeps_text: bool) -> Run {
    let mut world = World::new(kind, seed, keeps_text);
    let ended = catch_unwind(AssertUnwindSafe(|| world.run()));
    let broken = match ended {
        Ok(ended) => ended.err().map(|broken| broken.0),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Some(format!("panic: {}", text.unwrap_or_default()))
        }
    };
    let (hash, trace) = (world.trace.hash(), world.trace.to_string());
    Run { hash, counts: world.counts, broken, trace }
}
