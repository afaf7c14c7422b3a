//! Deliveries to webhooks: which are due, whose turn it is to send them, what came of them.
//!
//! Whoever sends a delivery claims it for a while, so that several servers never send the same at once; one that ends in
//! the middle leaves a claim that runs out, and the delivery is sent again, under its number. A webhook is sent one
//! delivery at a time, the oldest that is due first: a slow receiver holds up nobody but itself.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use weft_core::{Millis, PersonId, SpaceId};

use super::{
    Meta, db_time,
    entities::{webhook, webhook_delivery},
    error::{Doing, MetaError, Refusal},
    time,
    webhooks::{self, OffBecause, WebhookId},
};

/// It is to be sent.
pub const WAITING: &str = "waiting";
/// It was taken.
pub const DELIVERED: &str = "delivered";
/// It was given up.
pub const FAILED: &str = "failed";

/// Deliveries of one webhook that were asked for by hand and wait.
const BY_HAND_MAX: u64 = 10;

/// A delivery that whoever has this is to send.
#[derive(Clone)]
pub struct ClaimedDelivery {
    /// Its number, which never changes and never comes back.
    pub id: u64,
    /// Which webhook's.
    pub webhook: WebhookId,
    /// Where to.
    pub url: String,
    /// What it is signed with.
    pub secret: String,
    /// What it tells of.
    pub event: String,
    /// When that was.
    pub at: Millis,
    /// The rest of what it tells, as JSON.
    pub data: String,
    /// How often it was tried before.
    pub tries: u64,
    /// Until when it is nobody else's.
    pub until: Millis,
}

/// What came of sending a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Millis,
    /// How long it took.
    pub took_ms: u64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// A code of what went wrong, if the receiver did not take it.
    pub fault: Option<&'static str>,
    /// How the answer begins.
    pub answer: String,
    /// When to try again; `None`: it is given up.
    pub again_at: Option<Millis>,
}

/// The status with which a receiver says that it takes nothing any more.
const GONE: u16 = 410;

/// A delivery, as those who manage a webhook see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its number.
    pub id: u64,
    /// What it tells of.
    pub event: String,
    /// When that was.
    pub at: Millis,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub tries: u64,
    /// When it is tried next, if it waits.
    pub next_at: Option<Millis>,
    /// When it was tried last.
    pub tried_at: Option<Millis>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// How long the last attempt took.
    pub took_ms: Option<u64>,
    /// A code of what went wrong then.
    pub fault: Option<String>,
    /// How the last answer began.
    pub answer: Option<String>,
}

impl Meta {
    /// Deliveries of at most `count_max` webhooks that are due, claimed until then.
    ///
    /// # Errors
    /// If the metadata cannot be read or changed.
    pub async fn claim_deliveries(
        &self,
        count_max: u64,
        until: Millis,
        now: Millis,
    ) -> Result<Vec<ClaimedDelivery>, MetaError> {
        // Most of the time nothing is due: that is found without a turn to write.
        if due(&self.db, count_max, now).await?.is_empty() {
            return Ok(Vec::new());
        }
        let write = self.write().await?;
        let mut claimed = Vec::new();
        for (row, hook) in due(&write.txn, count_max, now).await? {
            let mine = webhook_delivery::Entity::update_many()
                .col_expr(webhook_delivery::Column::ClaimedUntil, Expr::value(db_time(until)))
                .filter(webhook_delivery::Column::Id.eq(row.id))
                .filter(webhook_delivery::Column::ClaimedUntil.eq(row.claimed_until))
                .exec(&write.txn)
                .await;
            if mine.doing("claim a delivery")?.rows_affected == 0 {
                continue;
            }
            let Some(hook) = hook else { continue };
            claimed.push(ClaimedDelivery {
                id: u64::try_from(row.id).unwrap_or(0),
                webhook: webhook_id(&row.webhook)?,
                url: hook.url,
                secret: hook.secret,
                event: row.event,
                at: time(row.at),
                data: row.data,
                tries: u64::try_from(row.tries).unwrap_or(0),
                until,
            });
        }
        write.commit("claim deliveries").await?;
        Ok(claimed)
    }

    /// Stores what came of sending a delivery, unless its claim ran out and somebody else has it.
    ///
    /// # Errors
    /// If the metadata cannot be changed.
    pub async fn end_attempt(
        &self,
        delivery: &ClaimedDelivery,
        attempt: &Attempt,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let row = webhook_delivery::Entity::find_by_id(db_time(delivery.id))
            .filter(webhook_delivery::Column::ClaimedUntil.eq(db_time(delivery.until)))
            .filter(webhook_delivery::Column::State.eq(WAITING))
            .one(db)
            .await
            .doing("read a delivery")?;
        let hook = webhook::Entity::find_by_id(delivery.webhook.to_vec()).one(db).await;
        let (Some(row), Some(hook)) = (row, hook.doing("read a webhook")?) else { return Ok(()) };
        let is_delivered = attempt.fault.is_none();
        let is_gone = attempt.status == Some(GONE);
        let again_at = attempt.again_at.filter(|_| hook.is_on && !row.by_hand && !is_gone);
        let state = match again_at {
            _ if is_delivered => DELIVERED,
            Some(_) => WAITING,
            None => FAILED,
        };
        let next_at = again_at.map_or(row.next_at, db_time);
        let ended = webhook_delivery::Entity::update_many()
            .col_expr(webhook_delivery::Column::State, Expr::value(state))
            .col_expr(webhook_delivery::Column::Tries, Expr::value(row.tries + 1))
            .col_expr(webhook_delivery::Column::NextAt, Expr::value(next_at))
            .col_expr(webhook_delivery::Column::ClaimedUntil, Expr::value(0))
            .col_expr(webhook_delivery::Column::TriedAt, Expr::value(db_time(attempt.at)))
            .col_expr(webhook_delivery::Column::Status, Expr::value(attempt.status.map(i64::from)))
            .col_expr(webhook_delivery::Column::TookMs, Expr::value(db_time(attempt.took_ms)))
            .col_expr(webhook_delivery::Column::Fault, Expr::value(attempt.fault))
            .col_expr(webhook_delivery::Column::Answer, Expr::value(attempt.answer.as_str()))
            .filter(webhook_delivery::Column::Id.eq(row.id))
            .exec(db)
            .await;
        ended.doing("end an attempt")?;
        if is_delivered {
            let succeeded = webhook::Entity::update_many()
                .col_expr(webhook::Column::SucceededAt, Expr::value(db_time(attempt.at)))
                .filter(webhook::Column::Id.eq(hook.id))
                .exec(db)
                .await;
            succeeded.doing("note that a webhook works")?;
        } else if is_gone {
            webhooks::turn_off(db, &hook.id, OffBecause::Gone, now).await?;
        } else if state == FAILED
            && !row.by_hand
            && hook.succeeded_at.is_none_or(|succeeded| succeeded < row.at)
        {
            // One that takes others refuses this one.
            webhooks::turn_off(db, &hook.id, OffBecause::Failing, now).await?;
        }
        write.commit("end an attempt").await
    }

    /// At most `count_max` deliveries of a webhook, the last first, from before that number.
    ///
    /// # Errors
    /// As [`Meta::change_webhook`].
    pub async fn webhook_deliveries(
        &self,
        space: SpaceId,
        id: WebhookId,
        by: PersonId,
        before: Option<u64>,
        count_max: u64,
    ) -> Result<Vec<DeliveryRow>, MetaError> {
        webhooks::managed(&self.db, space, id, by).await?;
        let mut rows = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::Webhook.eq(id.to_vec()));
        if let Some(before) = before {
            rows = rows.filter(webhook_delivery::Column::Id.lt(db_time(before)));
        }
        let rows = rows.order_by_desc(webhook_delivery::Column::Id).limit(count_max);
        let rows = rows.all(&self.db).await.doing("list deliveries")?;
        Ok(rows.into_iter().map(from_row).collect())
    }

    /// Has a delivery sent once more, under its number, unless it waits anyway.
    ///
    /// # Errors
    /// As [`Meta::change_webhook`]; [`Refusal::NotFound`] if there is no such delivery;
    /// [`Refusal::TooManyDeliveries`] while others that were asked for by hand wait.
    pub async fn send_again(
        &self,
        space: SpaceId,
        id: WebhookId,
        delivery: u64,
        by: PersonId,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let hook = webhooks::managed(db, space, id, by).await?;
        let row = webhook_delivery::Entity::find_by_id(db_time(delivery))
            .filter(webhook_delivery::Column::Webhook.eq(hook.id.clone()))
            .one(db)
            .await;
        let row = row.doing("read a delivery")?.ok_or(Refusal::NotFound)?;
        let mut again = webhook_delivery::Entity::update_many()
            .col_expr(webhook_delivery::Column::NextAt, Expr::value(db_time(now)))
            .filter(webhook_delivery::Column::Id.eq(row.id));
        if row.state != WAITING {
            check_by_hand(db, &hook.id).await?;
            again = again
                .col_expr(webhook_delivery::Column::State, Expr::value(WAITING))
                .col_expr(webhook_delivery::Column::ByHand, Expr::value(true))
                .col_expr(webhook_delivery::Column::ClaimedUntil, Expr::value(0));
        }
        again.exec(db).await.doing("send a delivery again")?;
        write.commit("send a delivery again").await
    }

    /// Forgets deliveries from before that time that have come to their end, and of each webhook all but the last
    /// `kept_max`.
    ///
    /// # Errors
    /// If the metadata cannot be changed.
    pub async fn forget_deliveries(&self, before: Millis, kept_max: u64) -> Result<(), MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let ended = || {
            webhook_delivery::Entity::delete_many()
                .filter(webhook_delivery::Column::State.ne(WAITING))
        };
        let old = ended().filter(webhook_delivery::Column::At.lt(db_time(before)));
        old.exec(db).await.doing("forget deliveries")?;
        let hooks = webhook::Entity::find().all(db).await.doing("list webhooks")?;
        for hook in hooks {
            let first_kept = webhook_delivery::Entity::find()
                .filter(webhook_delivery::Column::Webhook.eq(hook.id.clone()))
                .order_by_desc(webhook_delivery::Column::Id)
                .offset(kept_max.saturating_sub(1))
                .limit(1)
                .one(db)
                .await
                .doing("list deliveries")?;
            let Some(first_kept) = first_kept else { continue };
            let more = ended()
                .filter(webhook_delivery::Column::Webhook.eq(hook.id))
                .filter(webhook_delivery::Column::Id.lt(first_kept.id));
            more.exec(db).await.doing("forget deliveries")?;
        }
        write.commit("forget deliveries").await
    }
}

/// Of each webhook to which nothing is under way the first delivery that is due.
async fn due(
    db: &impl ConnectionTrait,
    count_max: u64,
    now: Millis,
) -> Result<Vec<(webhook_delivery::Model, Option<webhook::Model>)>, MetaError> {
    let now = db_time(now);
    let mut busy = Query::select();
    busy.column(webhook_delivery::Column::Webhook)
        .from(webhook_delivery::Entity)
        .and_where(webhook_delivery::Column::State.eq(WAITING))
        .and_where(webhook_delivery::Column::ClaimedUntil.gt(now));
    let mut first = Query::select();
    first
        .expr(Expr::col(webhook_delivery::Column::Id).min())
        .from(webhook_delivery::Entity)
        .and_where(webhook_delivery::Column::State.eq(WAITING))
        .and_where(webhook_delivery::Column::NextAt.lte(now))
        .and_where(webhook_delivery::Column::Webhook.not_in_subquery(busy))
        .group_by_col(webhook_delivery::Column::Webhook);
    let rows = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::Id.in_subquery(first))
        .order_by_asc(webhook_delivery::Column::NextAt)
        .limit(count_max)
        .all(db)
        .await
        .doing("read due deliveries")?;
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        let hook = webhook::Entity::find_by_id(row.webhook.clone()).one(db).await;
        let hook = hook.doing("read a webhook")?;
        due.push((row, hook));
    }
    Ok(due)
}

/// Nobody is to send thousands by hand.
pub async fn check_by_hand(db: &impl ConnectionTrait, hook: &[u8]) -> Result<(), MetaError> {
    let waiting = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::Webhook.eq(hook.to_vec()))
        .filter(webhook_delivery::Column::State.eq(WAITING))
        .filter(webhook_delivery::Column::ByHand.eq(true));
    if waiting.count(db).await.doing("count deliveries")? >= BY_HAND_MAX {
        return Err(Refusal::TooManyDeliveries { limit: BY_HAND_MAX }.into());
    }
    Ok(())
}

fn webhook_id(bytes: &[u8]) -> Result<WebhookId, MetaError> {
    bytes.try_into().map_err(|_| MetaError::Damaged("a webhook's id"))
}

fn from_row(row: webhook_delivery::Model) -> DeliveryRow {
    let next_at = (row.state == WAITING).then(|| time(row.next_at));
    DeliveryRow {
        id: u64::try_from(row.id).unwrap_or(0),
        event: row.event,
        at: time(row.at),
        state: row.state,
        tries: u64::try_from(row.tries).unwrap_or(0),
        next_at,
        tried_at: row.tried_at.map(time),
        status: row.status.and_then(|status| u16::try_from(status).ok()),
        took_ms: row.took_ms.map(time),
        fault: row.fault,
        answer: row.answer,
    }
}
