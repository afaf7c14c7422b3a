//! Browsers to which notices are pushed: where that goes, and up to which notice they have been told.
//!
//! A subscription is a sign-in's, and goes with it. It falls due with a notice, in the transaction that ends that one's
//! delivery, and is due until somebody has seen to it. Not here: what is in the inbox, and what is pushed (the server).

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use weft_core::{Millis, PersonId};

use super::{
    Meta, bytes_of, db_time,
    entities::{push_subscription, sign_in},
    error::{Doing, MetaError},
    person_id, time,
};

/// Where a browser takes what is pushed to it, and for whose eyes that is sealed (RFC 8291).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushSubscription {
    /// The browser's address at its push service. Whoever knows it can address the browser.
    pub endpoint: String,
    /// The browser's key, a point of P-256.
    pub public_key: Vec<u8>,
    /// What it shares with this server.
    pub auth: [u8; 16],
}

/// A browser that is to be told of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePush {
    /// SHA-256 of the token of its sign-in.
    pub sign_in: [u8; 32],
    /// Who is signed in there.
    pub person: PersonId,
    /// Where that goes.
    pub subscription: PushSubscription,
    /// The last notice that it need not hear of.
    pub told_to: u64,
    /// The last delivery that it is due for.
    pub wanted_to: u64,
    /// How often it was tried in vain.
    pub tries: u64,
}

impl Meta {
    /// Has notices after `told_to` pushed to the browser of a sign-in. No other sign-in is told there any more.
    pub async fn subscribe(
        &self,
        sign_in: &[u8; 32],
        person: PersonId,
        subscription: &PushSubscription,
        told_to: u64,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        push_subscription::Entity::delete_many()
            .filter(push_subscription::Column::Endpoint.eq(&subscription.endpoint))
            .filter(push_subscription::Column::SignIn.ne(sign_in.to_vec()))
            .exec(&write.txn)
            .await
            .doing("end a subscription")?;
        let row = push_subscription::ActiveModel {
            sign_in: Set(sign_in.to_vec()),
            person: Set(bytes_of(person.as_bytes())),
            endpoint: Set(subscription.endpoint.clone()),
            public_key: Set(subscription.public_key.clone()),
            auth: Set(subscription.auth.to_vec()),
            told_to: Set(db_time(told_to)),
            wanted_to: Set(0),
            due_at: Set(None),
            tries: Set(0),
        };
        let mut replace = OnConflict::column(push_subscription::Column::SignIn);
        replace.update_columns([
            push_subscription::Column::Endpoint,
            push_subscription::Column::PublicKey,
            push_subscription::Column::Auth,
            push_subscription::Column::Tries,
        ]);
        let stored = push_subscription::Entity::insert(row).on_conflict(replace);
        stored.exec_without_returning(&write.txn).await.doing("store a subscription")?;
        write.commit("store a subscription").await
    }

    /// The address to which a sign-in's notices are pushed, if there is one.
    pub async fn subscribed(&self, sign_in: &[u8; 32]) -> Result<Option<String>, MetaError> {
        let row = push_subscription::Entity::find_by_id(sign_in.to_vec()).one(&self.db).await;
        Ok(row.doing("read a subscription")?.map(|row| row.endpoint))
    }

    /// Pushes nothing more to the browser of a sign-in.
    pub async fn unsubscribe(&self, sign_in: &[u8; 32]) -> Result<(), MetaError> {
        let write = self.write().await?;
        let gone = push_subscription::Entity::delete_by_id(sign_in.to_vec()).exec(&write.txn).await;
        gone.doing("end a subscription")?;
        write.commit("end a subscription").await
    }

    /// At most so many browsers that are to be told of something now. They are due again at `until`, should nobody
    /// say by then what has come of it.
    pub async fn claim_pushes(
        &self,
        count_max: u64,
        until: Millis,
        now: Millis,
    ) -> Result<Vec<DuePush>, MetaError> {
        let due = || {
            push_subscription::Entity::find()
                .filter(push_subscription::Column::DueAt.lte(db_time(now)))
                .order_by_asc(push_subscription::Column::DueAt)
                .limit(count_max)
        };
        // Most of the time there is nothing, and nobody who writes is held up.
        if due().one(&self.db).await.doing("look for what is to be pushed")?.is_none() {
            return Ok(Vec::new());
        }
        let write = self.write().await?;
        let rows = due().all(&write.txn).await.doing("look for what is to be pushed")?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let sign_in = sign_in::Entity::find_by_id(row.sign_in.clone()).one(&write.txn).await;
            let is_valid = sign_in
                .doing("read a sign-in")?
                .is_some_and(|sign_in| now < time(sign_in.expires_at));
            if is_valid {
                let key = row.sign_in.clone();
                claimed.push(from_row(row)?);
                push_subscription::Entity::update_many()
                    .col_expr(push_subscription::Column::DueAt, Expr::value(Some(db_time(until))))
                    .filter(push_subscription::Column::SignIn.eq(key))
                    .exec(&write.txn)
                    .await
                    .doing("claim what is to be pushed")?;
            } else {
                let gone = push_subscription::Entity::delete_by_id(row.sign_in).exec(&write.txn);
                gone.await.doing("end a subscription")?;
            }
        }
        write.commit("claim what is to be pushed").await?;
        Ok(claimed)
    }

    /// The browser has been told of notices up to that one, or there was nothing to tell. What has come meanwhile is
    /// due.
    pub async fn pushed(&self, due: &DuePush, told_to: u64, now: Millis) -> Result<(), MetaError> {
        self.note_push(due, |row| {
            row.told_to = row.told_to.max(db_time(told_to));
            row.due_at = (time(row.wanted_to) > due.wanted_to).then(|| db_time(now));
            row.tries = 0;
        })
        .await
    }

    /// The browser could not be told, and is due later.
    pub async fn push_put_off(&self, due: &DuePush, due_at: Millis) -> Result<(), MetaError> {
        self.note_push(due, |row| {
            row.due_at = Some(db_time(due_at));
            row.tries = row.tries.saturating_add(1);
        })
        .await
    }

    /// The browser takes nothing any more.
    pub async fn push_ended(&self, due: &DuePush) -> Result<(), MetaError> {
        let write = self.write().await?;
        push_subscription::Entity::delete_many()
            .filter(push_subscription::Column::SignIn.eq(due.sign_in.to_vec()))
            .filter(push_subscription::Column::Endpoint.eq(&due.subscription.endpoint))
            .exec(&write.txn)
            .await
            .doing("end a subscription")?;
        write.commit("end a subscription").await
    }

    /// Changes the row of what was due, unless the browser has another address since.
    async fn note_push(
        &self,
        due: &DuePush,
        change: impl FnOnce(&mut push_subscription::Model),
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let row = push_subscription::Entity::find_by_id(due.sign_in.to_vec()).one(&write.txn).await;
        let row = row.doing("read a subscription")?;
        let Some(mut row) = row.filter(|row| row.endpoint == due.subscription.endpoint) else {
            return Ok(());
        };
        change(&mut row);
        store(&write.txn, row).await?;
        write.commit("note what was pushed").await
    }
}

/// The person's browsers are to be told of what this delivery has brought.
pub async fn fall_due(
    db: &impl ConnectionTrait,
    person: PersonId,
    delivery: u64,
    now: Millis,
) -> Result<(), MetaError> {
    let rows = push_subscription::Entity::find()
        .filter(push_subscription::Column::Person.eq(bytes_of(person.as_bytes())))
        .all(db)
        .await
        .doing("look for subscriptions")?;
    for mut row in rows {
        row.due_at = row.due_at.or(Some(db_time(now)));
        row.wanted_to = db_time(delivery);
        store(db, row).await?;
    }
    Ok(())
}

/// Stores what may change of a row.
async fn store(db: &impl ConnectionTrait, row: push_subscription::Model) -> Result<(), MetaError> {
    let row = push_subscription::ActiveModel {
        sign_in: Set(row.sign_in),
        told_to: Set(row.told_to),
        wanted_to: Set(row.wanted_to),
        due_at: Set(row.due_at),
        tries: Set(row.tries),
        ..Default::default()
    };
    push_subscription::Entity::update(row).exec(db).await.doing("store a subscription")?;
    Ok(())
}

fn from_row(row: push_subscription::Model) -> Result<DuePush, MetaError> {
    const DAMAGED: MetaError = MetaError::Damaged("a subscription");
    Ok(DuePush {
        sign_in: row.sign_in.try_into().map_err(|_| DAMAGED)?,
        person: person_id(&row.person)?,
        subscription: PushSubscription {
            endpoint: row.endpoint,
            public_key: row.public_key,
            auth: row.auth.try_into().map_err(|_| DAMAGED)?,
        },
        told_to: time(row.told_to),
        wanted_to: time(row.wanted_to),
        tries: time(row.tries),
    })
}
