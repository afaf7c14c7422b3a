//! Webhooks: what happens in a space is sent to where those who manage it want it.
//!
//! What is to be sent stands in the metadata from the moment at which it happened (`weft_store`'s `webhook_events`); one
//! task claims what is due and sends it, many receivers side by side and one after the other to each. What is not taken
//! is tried again, later each time; the receiver knows a repeat by its number. Form, signature and times between tries
//! are those of Standard Webhooks (<https://www.standardwebhooks.com>).
//!
//! Start at [`send`]. Not here: who may have a webhook (`http::webhooks`).

mod sign;

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use chrono::{DateTime, SecondsFormat};
use hyper::header::{self, HeaderName};
use serde_json::value::RawValue;
use tokio::{task::JoinSet, time::sleep};
use weft_core::{Millis, RoomId, kind::inbox};
use weft_proto::inbox::write_op;
use weft_store::{Attempt, ClaimedDelivery, Meta, MetaError, NewDelivery, SilentWebhook};

use crate::{
    auth::random,
    config::Limits,
    notify::{space_object, what},
    post::{Letter, Poster, Sent},
    state::{App, Clock},
};
pub(crate) use sign::Key;

/// How long after each try the next one comes, in seconds, before chance has its part.
const AGAIN_SECONDS: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// How far chance moves that, in thousandths: receivers that come back are not met by all at once.
const JITTER: u64 = 200;
/// How often it is looked whether something has become due.
const TICK: Duration = Duration::from_millis(500);
/// How much longer a delivery is claimed than sending it may take.
const CLAIM_MARGIN_MS: Millis = 20_000;
/// How often deliveries that are old are forgotten.
const SWEEP_MS: Millis = 60 * 60 * 1000;
const DAY_MS: Millis = 24 * 60 * 60 * 1000;
/// Webhooks of which people are told at once.
const SILENT_AT_ONCE: u64 = 20;

/// Sends what is due, now and whenever something becomes due, until the server is gone.
pub(crate) async fn send(app: Weak<App>) {
    let Some(bell) = app.upgrade().map(|state| state.meta.bell()) else { return };
    let mut under_way = JoinSet::new();
    let mut swept_at = None;
    loop {
        let Some(state) = app.upgrade() else { return };
        if let Err(error) = state.send_to_webhooks(&mut under_way, &mut swept_at).await {
            tracing::error!(%error, "webhooks cannot be sent now");
        }
        drop(state);
        tokio::select! {
            () = bell.notified() => {}
            Some(_) = under_way.join_next() => {}
            () = sleep(TICK) => {}
        }
    }
}

impl App {
    async fn send_to_webhooks(
        &self,
        under_way: &mut JoinSet<()>,
        swept_at: &mut Option<Millis>,
    ) -> Result<(), MetaError> {
        let limits = &self.config.limits;
        let now = self.clock.now();
        let free = limits.webhooks_at_once.saturating_sub(under_way.len() as u64);
        let until = now.saturating_add(limits.webhook_ms_max).saturating_add(CLAIM_MARGIN_MS);
        for delivery in self.meta.claim_deliveries(free, until, now).await? {
            let sender = Sender {
                meta: Arc::clone(&self.meta),
                clock: self.clock.clone(),
                poster: Arc::clone(&self.poster),
                tries_max: limits.webhook_tries_max,
            };
            under_way.spawn(sender.send(delivery));
        }
        for silent in self.meta.silent_webhooks(SILENT_AT_ONCE).await? {
            self.meta.tell_of_webhook(silent.id, &news_of(&silent), now).await?;
            self.bell.ring();
        }
        if swept_at.is_none_or(|at| now >= at.saturating_add(SWEEP_MS)) {
            *swept_at = Some(now);
            let Limits { webhook_days_max, webhook_deliveries_kept_max: kept_max, .. } = *limits;
            let before = now.saturating_sub(webhook_days_max.saturating_mul(DAY_MS));
            self.meta.forget_deliveries(before, kept_max).await?;
        }
        Ok(())
    }
}

struct Sender {
    meta: Arc<Meta>,
    clock: Clock,
    poster: Arc<Poster>,
    tries_max: u64,
}

impl Sender {
    /// Tries a delivery once.
    async fn send(self, delivery: ClaimedDelivery) {
        let (at, began) = (self.clock.now(), Instant::now());
        let sent = match letter(&delivery, at) {
            Some(letter) => self.poster.post(&letter).await,
            None => {
                tracing::error!(id = delivery.id, "a webhook's delivery cannot be read");
                Sent { fault: Some("unreadable"), ..Sent::default() }
            }
        };
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let tries = delivery.tries.saturating_add(1);
        let again_at = (tries < self.tries_max).then(|| at.saturating_add(wait_ms(tries)));
        let (status, fault, answer) = (sent.status, sent.fault, sent.answer);
        tracing::debug!(id = delivery.id, status, fault, took_ms, "webhook tried");
        let attempt = Attempt { at, took_ms, status, fault, answer, again_at };
        if let Err(error) = self.meta.end_attempt(&delivery, &attempt, self.clock.now()).await {
            // The claim runs out, and it is sent again.
            tracing::error!(%error, id = delivery.id, "what came of a webhook's delivery is lost");
        }
    }
}

/// The delivery, signed, as it is sent at that time.
fn letter(delivery: &ClaimedDelivery, now: Millis) -> Option<Letter> {
    #[derive(serde::Serialize)]
    struct Payload<'a> {
        r#type: &'a str,
        timestamp: String,
        data: &'a RawValue,
    }
    let timestamp = DateTime::from_timestamp_millis(i64::try_from(delivery.at).ok()?)?;
    let payload = Payload {
        r#type: &delivery.event,
        timestamp: timestamp.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        data: serde_json::from_str(&delivery.data).ok()?,
    };
    let body = serde_json::to_vec(&payload).ok()?;
    let hook = RoomId::from_bytes(delivery.webhook);
    let id = format!("msg_{hook}_{}", delivery.id);
    let timestamp = now / 1000;
    let signature = Key::read(&delivery.secret)?.sign(&id, timestamp, &body);
    let headers = vec![
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (HeaderName::from_static("webhook-id"), id),
        (HeaderName::from_static("webhook-timestamp"), timestamp.to_string()),
        (HeaderName::from_static("webhook-signature"), signature),
    ];
    Some(Letter { url: delivery.url.clone(), headers, body: body.into() })
}

/// How long to wait after so many tries.
fn wait_ms(tries: u64) -> Millis {
    let last = AGAIN_SECONDS.len() - 1;
    let index = usize::try_from(tries.saturating_sub(1)).map_or(last, |index| index.min(last));
    let chance = u64::from(u32::from_le_bytes(random()));
    AGAIN_SECONDS[index] * (1000 - JITTER + chance % (2 * JITTER + 1))
}

/// Those who manage its space are told that a webhook was turned off.
fn news_of(silent: &SilentWebhook) -> Vec<NewDelivery> {
    let params = [("name", silent.name.as_str()), ("because", silent.because.name())];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let told = inbox::Told {
        what: what::WEBHOOK_OFF.to_owned(),
        actor: None,
        object: space_object(&silent.space),
        params: params.into_iter().collect(),
    };
    let op = write_op(&inbox::Op::Add(0, told)).to_vec();
    let news = |&to| NewDelivery { to, about: None, op: op.clone() };
    silent.managers.iter().map(news).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_spread() {
        for (tries, seconds) in (1..).zip(AGAIN_SECONDS) {
            for _ in 0..100 {
                let wait = wait_ms(tries);
                assert!((seconds * 800..=seconds * 1200).contains(&wait), "{tries}: {wait}");
            }
        }
        assert!(wait_ms(1_000) >= 86_400 * 800);
    }
}
