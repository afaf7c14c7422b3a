//! Quotas: what spaces hold is added up, and rooms of those that are full are told to take nothing more.
//!
//! Rooms' tasks weigh their rooms now and then, and note that in the metadata (`hub/task.rs`). One task adds up what comes of
//! it, at most every `quota_check_ms`; another weighs all rooms once when the server starts, because what was noted before a
//! crash may be older than the log. So a quota is heeded some seconds late, and a space may hold a little more than it may.
//!
//! Start at [`watch`] and [`weigh_all`].
//! Not here: what is said of quotas (`weft_store`, `http/quotas.rs`), what a full room does (`weft_core::room`).

use std::{sync::Weak, time::Duration};

use tokio::time::sleep;
use weft_core::{RoomId, kind::inbox};
use weft_proto::inbox::write_op;
use weft_store::{MetaError, NearlyFull, NewDelivery};

use crate::{
    hub::Hub,
    notify::{space_object, what},
    state::App,
};

/// Rooms that are weighed before others have their turn, and for how long they have it.
const WEIGHED_AT_ONCE: u64 = 100;
const WEIGHING_REST: Duration = Duration::from_millis(100);

/// Adds up whenever a room was weighed, until the server is gone.
pub(crate) async fn watch(app: Weak<App>) {
    loop {
        let Some(state) = app.upgrade() else { return };
        if let Err(error) = state.look_at_quotas().await {
            tracing::error!(%error, "what spaces hold cannot be added up now");
        }
        let (full, wait) = (state.hub.full(), state.config.limits.quota_check_ms);
        drop(state);
        sleep(Duration::from_millis(wait)).await;
        full.weighed.notified().await;
    }
}

/// Weighs every room, a few at a time.
pub(crate) async fn weigh_all(app: Weak<App>) {
    let mut after = None;
    loop {
        let Some(state) = app.upgrade() else { return };
        match weigh_some(&state.hub, after).await {
            Ok(None) => return,
            Ok(last) => after = last,
            Err(error) => {
                tracing::error!(%error, "what rooms take cannot be noted");
                return;
            }
        }
        drop(state);
        sleep(WEIGHING_REST).await;
    }
}

/// Weighs some rooms after that one, and gives the last of them; `None`: there are no more.
pub(crate) async fn weigh_some(
    hub: &Hub,
    after: Option<RoomId>,
) -> Result<Option<RoomId>, MetaError> {
    let noted = hub.meta().weights(after, WEIGHED_AT_ONCE).await?;
    let last = noted.last().map(|last| last.room);
    let mut other = Vec::new();
    for before in noted {
        match hub.weigh(before.room).await {
            Ok(bytes) if bytes != before.bytes => other.push((before, bytes)),
            Ok(_) => {}
            Err(error) => tracing::warn!(room = %before.room, %error, "a room cannot be weighed"),
        }
    }
    if !other.is_empty() {
        hub.meta().set_weights(&other).await?;
        hub.full().weighed.notify_one();
    }
    Ok(last)
}

impl App {
    /// Adds up what spaces hold, tells rooms whether they are full, and those who manage spaces that are nearly so.
    pub(crate) async fn look_at_quotas(&self) -> Result<(), MetaError> {
        // What was read first must not be said last.
        let _turn = self.quota_turn.lock().await;
        let found = self.meta.quotas_now().await?;
        self.hub.set_full(found.full);
        for nearly_full in found.nearly_full {
            let news = news_of(&nearly_full);
            self.meta.tell_of_quota(nearly_full.space.id, &news, self.clock.now()).await?;
            self.bell.ring();
        }
        Ok(())
    }
}

/// Those who manage a space are told that it is nearly full.
fn news_of(NearlyFull { space, used, limit, managers }: &NearlyFull) -> Vec<NewDelivery> {
    let params = [("used", used.to_string()), ("quota", limit.to_string())];
    let told = inbox::Told {
        what: what::NEARLY_FULL.to_owned(),
        actor: None,
        object: space_object(space),
        params: params.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
    };
    let op = write_op(&inbox::Op::Add(0, told)).to_vec();
    managers.iter().map(|&to| NewDelivery { to, about: None, op: op.clone() }).collect()
}
