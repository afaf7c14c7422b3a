//! Connections whose credential has expired are ended, also those that say nothing; grants that have ended take
//! effect on who is there; acts are noted for so many days.

use std::{sync::Weak, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use weft_core::Millis;

use super::{Hub, Inner};

/// How long a connection may outlive its credential, and a session a grant, without a word.
const EVERY: Duration = Duration::from_secs(1);

/// How often acts that are noted too long are forgotten: an hour.
const FORGET_EVERY_MS: Millis = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Looks for what has expired until the hub is gone.
pub(super) async fn watch(hub: Weak<Inner>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Nobody is in a room by what ended before.
    let mut looked_at = hub.upgrade().map_or(0, |hub| Hub(hub).clock().now());
    let mut acts_forgotten_at: Option<Millis> = None;
    loop {
        ticks.tick().await;
        let Some(inner) = hub.upgrade() else { return };
        let hub = Hub(inner);
        let now = hub.clock().now();
        if acts_forgotten_at.is_none_or(|at| now >= at.saturating_add(FORGET_EVERY_MS)) {
            acts_forgotten_at = Some(now);
            let kept_ms = hub.limits().audit_days_max.saturating_mul(DAY_MS);
            if let Err(error) = hub.meta().forget_acts(now.saturating_sub(kept_ms)).await {
                tracing::warn!(%error, "old acts not forgotten");
            }
        }
        let expired = hub.connections().which(|connection| connection.expires_at <= now);
        hub.end(expired).await;
        match hub.meta().rooms_with_ended_grants(looked_at, now).await {
            Ok(rooms) => {
                // What could not be noted in the log is logged there; sockets obey all the same.
                let _ = hub.rights_changed_in(rooms).await;
                looked_at = now;
            }
            Err(error) => tracing::error!(%error, "ended grants not looked for"),
        }
    }
}
