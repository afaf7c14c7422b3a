//! Letters about notices that nobody has read.
//!
//! A letter falls due some time after a notice has come ([`App::letter_due`]), no more often than its person wants. It tells
//! of what is unread then and has not been in a letter, and stays due until the server of mail has taken it, so
//! that neither a restart nor an outage loses one. Nobody is told of what they cannot open any more.
//!
//! Start at [`send`]. Not here: when letters are due (`weft_store`), what they say (`mail`).

use std::{sync::Weak, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use weft_core::{
    FolderId, Millis, PersonId, RoomId,
    kind::inbox::{Notice, Object, ObjectKind},
};
use weft_store::{DueDigest, MetaError, Target};

use crate::{
    auth::base_url_at_start,
    hub::HubError,
    mail::{Letter, Mailer},
    notify::what,
    state::App,
};

/// How often letters that are due are looked for.
const EVERY: Duration = Duration::from_secs(1);
/// Letters that are read at once.
const BATCH: u64 = 100;
/// Notices that a letter names. Of the others it says how many they are.
const NAMED_MAX: usize = 20;
/// Characters of a name or title that a letter shows.
const SHOWN_CHARS_MAX: usize = 100;

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
    /// The letter about something that is new in the person's inbox, and when it is due; none without mail.
    pub(crate) fn letter_due(&self, person: PersonId) -> Option<(PersonId, Millis)> {
        let delay_ms = self.config.limits.digest_delay_ms;
        self.mail.is_some().then(|| (person, self.clock.now().saturating_add(delay_ms)))
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
        let DueDigest { person, mailed_to } = due;
        let mut lines = Vec::new();
        let mut up_to = 0;
        if person.has_mail() {
            for (id, notice) in self.hub.notices(person.id).await? {
                if id > mailed_to && !notice.read && self.may_be_told(person.id, &notice).await? {
                    up_to = id;
                    lines.push(self.line(&notice, &person.language));
                }
            }
        }
        let Some(address) = person.email.as_deref().filter(|_| !lines.is_empty()) else {
            return Ok(self.meta.digest_sent(person.id, None).await?);
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
                self.meta.digest_sent(person.id, Some((self.clock.now(), up_to))).await?;
            }
        }
        Ok(())
    }

    /// Whether the person may know of this now.
    async fn may_be_told(&self, person: PersonId, notice: &Notice) -> Result<bool, MetaError> {
        let Object { kind, id, .. } = notice.told.object;
        let about = match (kind, &*notice.told.what) {
            // That one may not open it is what these say.
            (_, what::DECLINED | what::REMOVED) | (ObjectKind::Space, _) => None,
            (ObjectKind::Room, _) => Some(Target::Room(RoomId::from_bytes(id))),
            (ObjectKind::Folder, _) => Some(Target::Folder(FolderId::from_bytes(id))),
        };
        self.may_hear(person, about).await
    }

    /// What a letter says of a notice, and where that leads.
    fn line(&self, notice: &Notice, language: &str) -> (String, Option<String>) {
        let told = &notice.told;
        let object = &told.object;
        let link = match (object.kind, &*told.what) {
            (ObjectKind::Room, code) if code != what::DECLINED => {
                let room = RoomId::from_bytes(object.id);
                Some(format!("{}/o/{room}", base_url_at_start(self)))
            }
            _ => None,
        };
        let actor = told.actor.as_ref().map_or("Weft", |(_, name)| name);
        let (name, title) = (shown(actor), shown(&object.title));
        (words(&told.what, &name, &title, language == "zh"), link)
    }
}

/// One line of bounded length, whatever people have put into it.
fn shown(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect();
    text.trim().to_owned()
}

/// The words of a notice. The web app has the same (`inbox.*`).
fn words(code: &str, name: &str, title: &str, is_zh: bool) -> String {
    // One's own space has no name.
    let of_own = match (code, is_zh) {
        (what::WEBHOOK_OFF, true) => "你的空间的一个 Webhook 已自动关闭",
        (what::WEBHOOK_OFF, false) => "A webhook of your space was turned off",
        (what::NEARLY_FULL, true) => "你的空间的存储空间即将用满",
        (what::NEARLY_FULL, false) => "Your space is nearly full",
        _ => "",
    };
    if title.is_empty() && !of_own.is_empty() {
        return of_own.to_owned();
    }
    let title = match (title, is_zh) {
        ("", true) => "无标题",
        ("", false) => "Untitled",
        _ => title,
    };
    match (code, is_zh) {
        (what::MENTIONED, true) => format!("{name} 在“{title}”中提到了你"),
        (what::MENTIONED, false) => format!("{name} mentioned you in “{title}”"),
        (what::GRANTED, true) => format!("{name} 与你分享了“{title}”"),
        (what::GRANTED, false) => format!("{name} shared “{title}” with you"),
        (what::INVITED, true) => format!("{name} 邀请你加入空间“{title}”"),
        (what::INVITED, false) => format!("{name} invites you to the space “{title}”"),
        (what::REMOVED, true) => format!("{name} 将你移出了空间“{title}”"),
        (what::REMOVED, false) => format!("{name} removed you from the space “{title}”"),
        (what::ASKED, true) => format!("{name} 申请打开“{title}”"),
        (what::ASKED, false) => format!("{name} asks to open “{title}”"),
        (what::ALLOWED, true) => format!("{name} 同意你打开“{title}”"),
        (what::ALLOWED, false) => format!("{name} let you open “{title}”"),
        (what::DECLINED, true) => format!("{name} 拒绝了你的一项权限申请"),
        (what::DECLINED, false) => format!("{name} declined a request of yours for access"),
        (what::WEBHOOK_OFF, true) => format!("“{title}”的一个 Webhook 已自动关闭"),
        (what::WEBHOOK_OFF, false) => format!("A webhook of “{title}” was turned off"),
        (what::NEARLY_FULL, true) => format!("“{title}”的存储空间即将用满"),
        (what::NEARLY_FULL, false) => format!("The space “{title}” is nearly full"),
        (_, true) => format!("{name}：“{title}”"),
        (_, false) => format!("{name}: “{title}”"),
    }
}
