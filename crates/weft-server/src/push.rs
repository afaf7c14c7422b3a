//! Notices pushed to browsers whose pages need not be open: Web Push (RFC 8030), sealed for the browser alone (RFC 8291),
//! and signed, so that its push service knows who sends (RFC 8292, "VAPID").
//!
//! A browser falls due with a notice, and is told of what is unread then and new to it. What its push service does not take
//! now is tried again; a restart in between costs a repeat, which the browser knows by its tag. Nobody is told of what they
//! cannot open any more.
//!
//! Start at [`send`]. Not here: which browsers are due (`weft_store`), what they show (`web/public/push.js`).

mod seal;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use hyper::header::{self, HeaderName};
use serde::Serialize;
use tokio::{task::JoinSet, time::sleep};
use weft_core::Millis;
use weft_store::{DuePush, MetaError};

use crate::{
    auth::base_url_at_start,
    hub::HubError,
    notify::words,
    post::{Letter, Sent},
    state::App,
};
pub(crate) use seal::{PushKey, is_point};

/// How often it is looked whether something has become due.
const TICK: Duration = Duration::from_secs(1);
/// How much longer a browser is claimed than sending may take.
const CLAIM_MARGIN_MS: Millis = 20_000;
/// How long the first wait is after something was not taken; each further one is twice as long, up to the last.
const WAIT_MS: [Millis; 2] = [30_000, 3_600_000];
/// Notices that are shown one by one: a sealed message has 4 KiB. Of the others it says how many they are.
const NAMED_MAX: usize = 3;

/// Pushes what is due, now and whenever something becomes due, until the server is gone.
pub(crate) async fn send(app: Weak<App>) {
    let Some(bell) = app.upgrade().map(|state| state.push_bell.clone()) else { return };
    let mut under_way = JoinSet::new();
    loop {
        let Some(state) = app.upgrade() else { return };
        if let Err(error) = push_due(&state, &mut under_way).await {
            tracing::error!(%error, "notices cannot be pushed now");
        }
        drop(state);
        tokio::select! {
            () = bell.rings() => {}
            Some(_) = under_way.join_next() => {}
            () = sleep(TICK) => {}
        }
    }
}

async fn push_due(state: &Arc<App>, under_way: &mut JoinSet<()>) -> Result<(), MetaError> {
    let limits = &state.config.limits;
    let now = state.clock.now();
    let free = limits.pushes_at_once.saturating_sub(under_way.len() as u64);
    let until = now.saturating_add(limits.webhook_ms_max).saturating_add(CLAIM_MARGIN_MS);
    for due in state.meta.claim_pushes(free, until, now).await? {
        let state = Arc::clone(state);
        under_way.spawn(async move {
            if let Err(error) = state.push(&due).await {
                // The claim runs out, and it is tried again.
                tracing::error!(%error, person = %due.person, "a browser cannot be told now");
            }
        });
    }
    Ok(())
}

/// What a browser shows.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Shown {
    text: String,
    /// The page that it leads to.
    path: String,
    /// What is shown again under the same tag takes the place of what was shown before.
    tag: String,
}

impl App {
    /// The key by which push services know this server.
    pub(crate) async fn push_key(&self) -> Result<&PushKey, MetaError> {
        let stored = async || self.meta.push_key(&PushKey::new().secret()).await;
        self.push_key
            .get_or_try_init(async || {
                PushKey::read(&stored().await?).ok_or(MetaError::Damaged("the key of push"))
            })
            .await
    }

    /// Tells one browser what it is due for.
    async fn push(&self, due: &DuePush) -> Result<(), HubError> {
        let began_at = self.clock.now();
        let Some(person) = self.meta.person(due.person).await? else {
            return Ok(self.meta.push_ended(due).await?);
        };
        let notices = match self.hub.notices(person.id).await {
            Ok(notices) => notices,
            Err(HubError::Meta(error)) => return Err(error.into()),
            // An inbox that cannot be read now.
            Err(_) => return self.put_off_push(due, began_at).await,
        };
        let (mut told_to, mut shown) = (due.told_to, Vec::new());
        for (id, notice) in notices.into_iter().filter(|(id, _)| *id > due.told_to) {
            told_to = id;
            if !notice.read && self.may_be_told(person.id, &notice).await? {
                shown.push(Shown {
                    text: words::line(&notice, &person.language),
                    path: words::path(&notice).unwrap_or_else(|| "/inbox".to_owned()),
                    tag: format!("notice-{id}"),
                });
            }
        }
        let shown = shortened(shown, &person.language);
        if !shown.is_empty() {
            let sent = self.post_push(due, &shown).await?;
            tracing::debug!(person = %person.id, status = sent.status, fault = sent.fault, "pushed");
            match (sent.fault, sent.status) {
                (None, _) => {}
                // No such browser any more, or it was told to listen to another server.
                (Some(_), Some(401 | 403 | 404 | 410)) => {
                    return Ok(self.meta.push_ended(due).await?);
                }
                // These are given up; what comes next is tried again.
                _ if due.tries.saturating_add(1) >= self.config.limits.push_tries_max => {}
                _ => return self.put_off_push(due, began_at).await,
            }
        }
        Ok(self.meta.pushed(due, told_to, self.clock.now()).await?)
    }

    async fn put_off_push(&self, due: &DuePush, began_at: Millis) -> Result<(), HubError> {
        let [first, most] = WAIT_MS;
        let wait = first.saturating_mul(1 << due.tries.min(16)).min(most);
        Ok(self.meta.push_put_off(due, began_at.saturating_add(wait)).await?)
    }

    async fn post_push(&self, due: &DuePush, shown: &[Shown]) -> Result<Sent, MetaError> {
        const DAMAGED: MetaError = MetaError::Damaged("a subscription");
        let body = serde_json::to_vec(shown).expect("text is JSON");
        let to = &due.subscription;
        let body = seal::seal(body, to).ok_or(DAMAGED)?;
        let base_url = base_url_at_start(self);
        let key = self.push_key().await?;
        let sign = key.sign(&to.endpoint, &base_url, self.clock.now()).ok_or(DAMAGED)?;
        let headers = vec![
            (header::AUTHORIZATION, sign),
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_ENCODING, "aes128gcm".to_owned()),
            (HeaderName::from_static("ttl"), self.config.limits.push_seconds.to_string()),
            (HeaderName::from_static("urgency"), "normal".to_owned()),
        ];
        let letter = Letter { url: to.endpoint.clone(), headers, body: body.into() };
        Ok(self.poster.post(&letter).await)
    }
}

/// The newest, and a line that says how many more there are.
fn shortened(mut shown: Vec<Shown>, language: &str) -> Vec<Shown> {
    let more = shown.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        let text = match (language, more) {
            ("zh", _) => format!("另有 {more} 条新通知"),
            (_, 1) => "1 more notice".to_owned(),
            (_, _) => format!("{more} more notices"),
        };
        let rest = Shown { text, path: "/inbox".to_owned(), tag: "notices".to_owned() };
        shown.splice(..more, [rest]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_notices_are_counted_and_the_longest_fit_into_one_message() {
        let long = |n| Shown {
            text: "\u{1f9f5}".repeat(100 + 100 + 40),
            path: format!("/o/{}", "0".repeat(26)),
            tag: format!("notice-{n}"),
        };
        let check = |count: u64, texts: &[&str], language: &str| {
            let shown = shortened((1..=count).map(long).collect(), language);
            let tags: Vec<_> = shown.iter().map(|shown| shown.tag.as_str()).collect();
            assert_eq!(tags, texts);
            let bytes = serde_json::to_vec(&shown).unwrap().len();
            assert!(bytes <= 3_993, "{bytes}");
            shown.into_iter().next().map(|shown| shown.text)
        };
        check(1, &["notice-1"], "en");
        check(3, &["notice-1", "notice-2", "notice-3"], "en");
        let first = check(4, &["notices", "notice-2", "notice-3", "notice-4"], "en");
        assert_eq!(first.unwrap(), "1 more notice");
        let first = check(9, &["notices", "notice-7", "notice-8", "notice-9"], "zh");
        assert_eq!(first.unwrap(), "另有 6 条新通知");
    }
}
