//! Letters about notices that nobody has read.
//!
//! A letter falls due some time after a notice has come ([`App::letter_due`]), no more often than its person wants. It tells
//! of what is unread then and has not been in a letter, and stays due until the server of mail has taken it, so
//! that neither a restart nor an outage loses one. Nobody is told of what they cannot open any more.
//!
//! Start at [`send`]. Not here: when letters are due (`weft_store`), what they say (`mail`).

use std::{sync::Weak, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use weft_core::{Millis, PersonId, kind::inbox::Notice};
use weft_store::{DueDigest, MetaError};

use crate::{
    auth::base_url_at_start,
    hub::HubError,
    mail::{Letter, Mailer},
    notify::words,
    state::App,
};

/// How often letters that are due are looked for.
const EVERY: Duration = Duration::from_secs(1);
/// Letters that are read at once.
const BATCH: u64 = 100;
/// Notices that a letter names. Of the others it says how many they are.
const NAMED_MAX: usize = 20;

/// Sends the letters that are due until the server is gone.
pub(crate) async fn send(app: Weak<App>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(state) = app.upgrade() else { return };
        let Some(mail) = &state.mail else { return };
        if let Err(error) = state.send_due(mail).await {
            tracing::error!(%error, "letters about notices cannot be sent now");
        }
    }
}

impl App {
    /// When the letter about something that is new in an inbox since then is due; none without mail.
    pub(crate) fn letter_due(&self, since: Millis) -> Option<Millis> {
        let delay_ms = self.config.limits.digest_delay_ms;
        self.mail.is_some().then(|| since.saturating_add(delay_ms))
    }

    async fn send_due(&self, mail: &Mailer) -> Result<(), MetaError> {
        for due in self.meta.due_digests(self.clock.now(), BATCH).await? {
            let person = due.person.id;
            match self.send_digest(mail, due).await {
                Ok(()) => {}
                Err(HubError::Meta(error)) => return Err(error),
                // An inbox that cannot be read now: no other letter waits for it.
                Err(_) => self.put_off(person).await?,
            }
        }
        Ok(())
    }

    async fn put_off(&self, person: PersonId) -> Result<(), MetaError> {
        let again_at = self.clock.now().saturating_add(self.config.limits.digest_delay_ms);
        self.meta.digest_put_off(person, again_at).await
    }

    async fn send_digest(&self, mail: &Mailer, due: DueDigest) -> Result<(), HubError> {
        let DueDigest { person, mailed_to, .. } = &due;
        let mut lines = Vec::new();
        let mut up_to = 0;
        if person.has_mail() {
            for (id, notice) in self.hub.notices(person.id).await? {
                if id > *mailed_to && !notice.read && self.may_be_told(person.id, &notice).await? {
                    up_to = id;
                    lines.push(self.line(&notice, &person.language));
                }
            }
        }
        let Some(address) = person.email.as_deref().filter(|_| !lines.is_empty()) else {
            return Ok(self.meta.digest_sent(&due, None, self.clock.now()).await?);
        };
        lines.reverse();
        let more = lines.len().saturating_sub(NAMED_MAX);
        lines.truncate(NAMED_MAX);
        let url = base_url_at_start(self);
        let letter = Letter::digest(address, &person.language, &lines, more, &url);
        match mail.send(&letter).await {
            Err(error) if !error.is_final() => self.put_off(person.id).await?,
            // What is refused for good would be refused again.
            Ok(()) | Err(_) => {
                self.meta.digest_sent(&due, Some(up_to), self.clock.now()).await?;
            }
        }
        Ok(())
    }

    /// What a letter says of a notice, and where that leads.
    fn line(&self, notice: &Notice, language: &str) -> (String, Option<String>) {
        let link = words::path(notice).map(|path| format!("{}{path}", base_url_at_start(self)));
        (words::line(notice, language), link)
    }
}
