//! Webhooks: where those who manage a space have what happens there sent to.
//!
//! A webhook that nobody answers is turned off ([`OffBecause`]), and those who manage its space are told.
//! Not here: what is told (`webhook_events`), how it gets there (`webhook_deliveries`).

use std::collections::BTreeSet;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};
use serde_json::json;
use weft_core::{
    Millis, PersonId, SpaceId,
    access::{Role, SpaceKind},
};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{webhook, webhook_delivery},
    error::{Doing, MetaError, Refusal},
    inboxes::{self, NewDelivery},
    space_id,
    spaces::{self, SpaceRow},
    time,
    webhook_deliveries::{FAILED, WAITING},
    webhook_events::{self, Event},
};

/// Names a webhook: 16 bytes as ids of rooms and people.
pub type WebhookId = [u8; 16];

/// What is sent to try a webhook out.
pub const WEBHOOK_TEST: &str = "webhook.test";

/// Why a webhook was turned off, unless somebody did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffBecause {
    /// The receiver said that it is gone.
    Gone,
    /// Nothing was taken for as long as deliveries are tried.
    Failing,
    /// More waits than may.
    TooMany,
}

impl OffBecause {
    /// The name that the API and the metadata use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::TooMany => "too_many",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Gone, Self::Failing, Self::TooMany].into_iter().find(|one| one.name() == name)
    }
}

/// A webhook, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Never changes.
    pub id: WebhookId,
    /// Whose happenings it tells.
    pub space: SpaceId,
    /// 0–64 characters.
    pub name: String,
    /// Where it tells them.
    pub url: String,
    /// Which it tells.
    pub events: BTreeSet<Event>,
    /// Whether it does.
    pub on: bool,
    /// Why not, if nobody turned it off.
    pub off_because: Option<OffBecause>,
    /// When it was made.
    pub created_at: Millis,
    /// When something was taken last.
    pub succeeded_at: Option<Millis>,
}

/// A new webhook.
pub struct NewWebhook {
    /// Fresh.
    pub id: WebhookId,
    /// 0–64 characters.
    pub name: String,
    /// Where it tells what happens.
    pub url: String,
    /// What deliveries are signed with.
    pub secret: String,
    /// Which it tells.
    pub events: BTreeSet<Event>,
}

/// What is to be changed of a webhook; `None`: stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookChange {
    /// 0–64 characters.
    pub name: Option<String>,
    /// Where it tells what happens.
    pub url: Option<String>,
    /// Which it tells.
    pub events: Option<BTreeSet<Event>>,
    /// Whether it does.
    pub on: Option<bool>,
}

/// A webhook that was turned off, of which nobody has been told yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentWebhook {
    /// Which.
    pub id: WebhookId,
    /// Its name, or else where it sent.
    pub name: String,
    /// Why.
    pub because: OffBecause,
    /// Of which space.
    pub space: SpaceRow,
    /// Who is to be told.
    pub managers: Vec<PersonId>,
}

impl Meta {
    /// The space's webhooks, the first made first.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::NoRole`] if the person does not administer the space;
    /// [`Refusal::NotATeam`] of the gallery.
    pub async fn webhooks(&self, space: SpaceId, by: PersonId) -> Result<Vec<Webhook>, MetaError> {
        check_manages(&self.db, space, by).await?;
        let rows = of_space(space).order_by_asc(webhook::Column::Id).all(&self.db).await;
        rows.doing("list webhooks")?.iter().map(from_row).collect()
    }

    /// Makes a webhook.
    ///
    /// # Errors
    /// As [`Meta::webhooks`]; [`Refusal::TooManyWebhooks`].
    pub async fn create_webhook(
        &self,
        space: SpaceId,
        new: NewWebhook,
        by: PersonId,
        webhooks_max: u64,
        now: Millis,
    ) -> Result<Webhook, MetaError> {
        let write = self.write().await?;
        check_manages(&write.txn, space, by).await?;
        let present = of_space(space).count(&write.txn).await.doing("count webhooks")?;
        if present >= webhooks_max {
            return Err(Refusal::TooManyWebhooks { limit: webhooks_max }.into());
        }
        let row = webhook::Model {
            id: new.id.to_vec(),
            space: bytes_of(space.as_bytes()),
            name: new.name,
            url: new.url,
            secret: new.secret,
            events: codes(&new.events),
            is_on: true,
            off_because: None,
            told: true,
            created_at: db_time(now),
            succeeded_at: None,
        };
        let made = from_row(&row)?;
        let stored = webhook::Entity::insert(webhook::ActiveModel::from(row).reset_all());
        stored.exec_without_returning(&write.txn).await.doing("store a webhook")?;
        note(Act::WebhookMade, &made).add(&write.txn).await?;
        write.commit("store a webhook").await?;
        Ok(made)
    }

    /// Changes a webhook. One that is turned off forgets what waits; turned on, it begins anew.
    ///
    /// # Errors
    /// As [`Meta::webhooks`]; [`Refusal::NotFound`] if the space has no such webhook.
    pub async fn change_webhook(
        &self,
        space: SpaceId,
        id: WebhookId,
        change: WebhookChange,
        by: PersonId,
        now: Millis,
    ) -> Result<Webhook, MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let mut row = managed(db, space, id, by).await?;
        let mut what = Vec::new();
        if let Some(name) = change.name.filter(|name| *name != row.name) {
            row.name = name;
            what.push("name");
        }
        if let Some(url) = change.url.filter(|url| *url != row.url) {
            row.url = url;
            what.push("url");
        }
        let events = change.events.as_ref().map(codes);
        if let Some(events) = events.filter(|events| *events != row.events) {
            row.events = events;
            what.push("events");
        }
        if let Some(on) = change.on.filter(|on| *on != row.is_on) {
            (row.is_on, row.off_because, row.told) = (on, None, true);
            what.push(if on { "on" } else { "off" });
            if !on {
                forget_waiting(db, &row.id, now).await?;
            }
        }
        let changed = from_row(&row)?;
        let stored = webhook::Entity::update(webhook::ActiveModel::from(row).reset_all());
        stored.exec(db).await.doing("change a webhook")?;
        if !what.is_empty() {
            let note = note(Act::WebhookChanged, &changed);
            note.with("what", what.join(" ")).add(db).await?;
        }
        write.commit("change a webhook").await?;
        Ok(changed)
    }

    /// Signs what a webhook sends with another secret from now on.
    ///
    /// # Errors
    /// As [`Meta::change_webhook`].
    pub async fn renew_webhook_secret(
        &self,
        space: SpaceId,
        id: WebhookId,
        secret: &str,
        by: PersonId,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let row = managed(&write.txn, space, id, by).await?;
        let renewed = webhook::Entity::update_many()
            .col_expr(webhook::Column::Secret, Expr::value(secret))
            .filter(webhook::Column::Id.eq(id.to_vec()))
            .exec(&write.txn)
            .await;
        renewed.doing("renew a webhook's secret")?;
        let note = note(Act::WebhookChanged, &from_row(&row)?);
        note.with("what", "secret").add(&write.txn).await?;
        write.commit("renew a webhook's secret").await
    }

    /// Removes a webhook, and all that waits for it or came of it.
    ///
    /// # Errors
    /// As [`Meta::change_webhook`].
    pub async fn remove_webhook(
        &self,
        space: SpaceId,
        id: WebhookId,
        by: PersonId,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let row = managed(&write.txn, space, id, by).await?;
        let gone = webhook_delivery::Entity::delete_many()
            .filter(webhook_delivery::Column::Webhook.eq(id.to_vec()))
            .exec(&write.txn)
            .await;
        gone.doing("remove a webhook's deliveries")?;
        webhook::Entity::delete_by_id(id.to_vec())
            .exec(&write.txn)
            .await
            .doing("remove a webhook")?;
        note(Act::WebhookRemoved, &from_row(&row)?).add(&write.txn).await?;
        write.commit("remove a webhook").await
    }

    /// Has something sent to try the webhook out, once. The number of the delivery.
    ///
    /// # Errors
    /// As [`Meta::change_webhook`]; [`Refusal::TooManyDeliveries`] while others that were asked for by hand wait.
    pub async fn test_webhook(
        &self,
        space: SpaceId,
        id: WebhookId,
        by: PersonId,
        now: Millis,
    ) -> Result<u64, MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let row = managed(db, space, id, by).await?;
        super::webhook_deliveries::check_by_hand(db, &row.id).await?;
        let name = spaces::find(db, space).await?.map(|space| space.name).unwrap_or_default();
        let data = json!({"space": {"id": space.to_string(), "name": name}});
        let number =
            webhook_events::store(db, row.id, WEBHOOK_TEST, None, &data, (now, now), true).await?;
        write.commit("try a webhook out").await?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// At most `count_max` webhooks that were turned off, of which nobody has been told.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn silent_webhooks(&self, count_max: u64) -> Result<Vec<SilentWebhook>, MetaError> {
        let rows = webhook::Entity::find().filter(webhook::Column::Told.eq(false)).limit(count_max);
        let mut silent = Vec::new();
        for row in rows.all(&self.db).await.doing("list webhooks")? {
            let hook = from_row(&row)?;
            let Some(because) = hook.off_because else { continue };
            let Some(space) = spaces::find(&self.db, hook.space).await? else { continue };
            let managers = webhook_events::managers(&self.db, hook.space).await?;
            let name = hook.label();
            silent.push(SilentWebhook { id: hook.id, name, because, space, managers });
        }
        Ok(silent)
    }

    /// Those who manage the webhook's space are told, by these notices, that it was turned off.
    ///
    /// # Errors
    /// If the metadata cannot be changed.
    pub async fn tell_of_webhook(
        &self,
        id: WebhookId,
        news: &[NewDelivery],
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let told = webhook::Entity::update_many()
            .col_expr(webhook::Column::Told, Expr::value(true))
            .filter(webhook::Column::Id.eq(id.to_vec()))
            .filter(webhook::Column::Told.eq(false))
            .exec(&write.txn)
            .await;
        if told.doing("note that people are told")?.rows_affected > 0 {
            inboxes::post(&write.txn, news, now).await?;
        }
        write.commit("tell of a webhook").await
    }
}

impl Webhook {
    /// What people call it.
    fn label(&self) -> String {
        if self.name.is_empty() { self.url.clone() } else { self.name.clone() }
    }
}

fn note(act: Act, hook: &Webhook) -> Note {
    Note::of(act).space(hook.space).with("name", hook.label())
}

fn of_space(space: SpaceId) -> sea_orm::Select<webhook::Entity> {
    webhook::Entity::find().filter(webhook::Column::Space.eq(bytes_of(space.as_bytes())))
}

/// The space's webhook of that id, if the person manages it.
pub async fn managed(
    db: &impl ConnectionTrait,
    space: SpaceId,
    id: WebhookId,
    by: PersonId,
) -> Result<webhook::Model, MetaError> {
    check_manages(db, space, by).await?;
    let row = of_space(space).filter(webhook::Column::Id.eq(id.to_vec())).one(db).await;
    Ok(row.doing("read a webhook")?.ok_or(Refusal::NotFound)?)
}

async fn check_manages(
    db: &impl ConnectionTrait,
    space: SpaceId,
    person: PersonId,
) -> Result<(), MetaError> {
    match spaces::with_role(db, space, person, Role::Admin).await?.kind {
        SpaceKind::Personal | SpaceKind::Team => Ok(()),
        SpaceKind::Gallery => Err(Refusal::NotATeam.into()),
    }
}

/// Turns a webhook off, of its own accord, within the caller's transaction.
pub async fn turn_off(
    db: &impl ConnectionTrait,
    hook: &[u8],
    because: OffBecause,
    now: Millis,
) -> Result<(), MetaError> {
    let off = webhook::Entity::update_many()
        .col_expr(webhook::Column::IsOn, Expr::value(false))
        .col_expr(webhook::Column::OffBecause, Expr::value(because.name()))
        .col_expr(webhook::Column::Told, Expr::value(false))
        .filter(webhook::Column::Id.eq(hook.to_vec()))
        .filter(webhook::Column::IsOn.eq(true))
        .exec(db)
        .await;
    off.doing("turn a webhook off")?;
    forget_waiting(db, hook, now).await
}

/// What waits for a webhook that is off is not sent any more, but by hand.
async fn forget_waiting(
    db: &impl ConnectionTrait,
    hook: &[u8],
    now: Millis,
) -> Result<(), MetaError> {
    let forgotten = webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::State, Expr::value(FAILED))
        .filter(webhook_delivery::Column::Webhook.eq(hook.to_vec()))
        .filter(webhook_delivery::Column::State.eq(WAITING))
        .filter(webhook_delivery::Column::ByHand.eq(false))
        // What is under way is ended by whoever sends it.
        .filter(webhook_delivery::Column::ClaimedUntil.lte(db_time(now)))
        .exec(db)
        .await;
    forgotten.doing("forget deliveries")?;
    Ok(())
}

/// Removes all webhooks of a space within the caller's transaction.
pub async fn remove_all(db: &impl ConnectionTrait, space: SpaceId) -> Result<(), MetaError> {
    let mut ids = Query::select();
    ids.column(webhook::Column::Id)
        .from(webhook::Entity)
        .and_where(webhook::Column::Space.eq(bytes_of(space.as_bytes())));
    let gone = webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::Webhook.in_subquery(ids))
        .exec(db)
        .await;
    gone.doing("remove webhooks' deliveries")?;
    let gone = webhook::Entity::delete_many()
        .filter(webhook::Column::Space.eq(bytes_of(space.as_bytes())))
        .exec(db)
        .await;
    gone.doing("remove webhooks")?;
    Ok(())
}

fn codes(events: &BTreeSet<Event>) -> String {
    events.iter().map(|event| event.code()).collect::<Vec<_>>().join(" ")
}

fn from_row(row: &webhook::Model) -> Result<Webhook, MetaError> {
    let because = row.off_because.as_deref().map(OffBecause::named);
    Ok(Webhook {
        id: row.id.as_slice().try_into().map_err(|_| MetaError::Damaged("a webhook's id"))?,
        space: space_id(&row.space)?,
        name: row.name.clone(),
        url: row.url.clone(),
        // Events that another version of the program knows are kept, and not told.
        events: row.events.split(' ').filter_map(Event::named).collect(),
        on: row.is_on,
        off_because: because
            .map(|because| because.ok_or(MetaError::Damaged("why a webhook is off")))
            .transpose()?,
        created_at: time(row.created_at),
        succeeded_at: row.succeeded_at.map(time),
    })
}
