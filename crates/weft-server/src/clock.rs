//! The clock: the system's, or one that a test sets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use weft_core::Millis;

/// Tells the time. Clones of a set clock tell the same.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now` until it is moved on.
    #[must_use]
    pub fn standing(now: Millis) -> Self {
        Self(Some(Arc::new(AtomicU64::new(now))))
    }

    /// Moves a standing clock on; the system's clock does not care.
    pub fn advance(&self, by: Millis) {
        if let Some(now) = &self.0 {
            now.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> Millis {
        u64::try_from(self.since_1970().as_millis()).unwrap_or(Millis::MAX)
    }

    /// How long it is until then, to the microsecond: whoever waits for the same moment is woken at the same
    /// moment.
    #[must_use]
    pub fn until(&self, at: Millis) -> Duration {
        Duration::from_millis(at).saturating_sub(self.since_1970())
    }

    fn since_1970(&self) -> Duration {
        match &self.0 {
            Some(now) => Duration::from_millis(now.load(Ordering::SeqCst)),
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }
}
