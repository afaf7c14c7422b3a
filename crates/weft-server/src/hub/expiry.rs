//! Connections whose credential has expired are ended, also those that say nothing; grants that have ended take
//! effect on who is there.

use std::{sync::Weak, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{Hub, Inner};

/// How long a connection may outlive its credential, and a session a grant, without a word.
const EVERY: Duration = Duration::from_secs(1);

/// Looks for what has expired until the hub is gone.
pub(super) async fn watch(hub: Weak<Inner>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Nobody is in a room by what ended before.
    let mut looked_at = hub.upgrade().map_or(0, |hub| Hub(hub).clock().now());
    loop {
        ticks.tick().await;
        let Some(inner) = hub.upgrade() else { return };
        let hub = Hub(inner);
        let now = hub.clock().now();
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
