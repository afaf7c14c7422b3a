//! Client ids (L3): one for each tab or program, issued here, never given out twice.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use weft_core::{ClientId, Millis, PersonId};

use super::{
    Meta, bytes_of, db_time,
    entities::client,
    error::{Doing, MetaError},
    people::IDS_PER_QUERY_MAX,
    time,
};

/// An id unused for longer is retired, in milliseconds (90 days, L3).
pub const CLIENT_IDLE_MS_MAX: Millis = 90 * 24 * 60 * 60 * 1000;
/// An id's last use is stored at most this often, in milliseconds: a reconnecting crowd must not
/// turn into a crowd of commits. Next to 90 days an hour is nothing.
const CLIENT_TOUCH_MS: Millis = 60 * 60 * 1000;

/// What became of the ids that a client says are its own. Each asked-for id is in one of the two,
/// ascending and once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimedClients {
    /// May be used on.
    pub valid: Vec<u64>,
    /// Unknown, another person's, or idle for too long: must not be used any more.
    pub retired: Vec<u64>,
}

impl Meta {
    /// Issues an id that nobody had before.
    pub async fn new_client(&self, person: PersonId, now: Millis) -> Result<ClientId, MetaError> {
        let write = self.write().await?;
        let row = client::ActiveModel {
            person: Set(bytes_of(person.as_bytes())),
            created_at: Set(db_time(now)),
            used_at: Set(db_time(now)),
            ..Default::default()
        };
        let stored =
            client::Entity::insert(row).exec(&write.txn).await.doing("issue a client id")?;
        write.commit("issue a client id").await?;
        let id = u64::try_from(stored.last_insert_id);
        id.map(ClientId).map_err(|_| MetaError::Damaged("the counter of client ids"))
    }

    /// Which of the ids the person may use on, in the order asked; these count as used at `now`. The
    /// caller bounds how many it asks for.
    pub async fn claim_clients(
        &self,
        person: PersonId,
        ids: &[u64],
        now: Millis,
    ) -> Result<ClaimedClients, MetaError> {
        let owned = self.owned(person, ids).await?;
        let mut claimed = ClaimedClients::default();
        let mut stale = Vec::new();
        let mut seen = BTreeSet::new();
        for &id in ids.iter().filter(|&&id| seen.insert(id)) {
            match owned.get(&id) {
                Some(used_at) if now <= used_at.saturating_add(CLIENT_IDLE_MS_MAX) => {
                    claimed.valid.push(id);
                    if now >= used_at.saturating_add(CLIENT_TOUCH_MS) {
                        stale.push(i64::try_from(id).expect("it came from the database as i64"));
                    }
                }
                Some(_) | None => claimed.retired.push(id),
            }
        }
        if !stale.is_empty()
            && let Err(error) = self.touch_clients(&stale, now).await
        {
            // A full disk must not cost anybody their id: only its retirement comes earlier.
            tracing::warn!(%error, "the use of client ids was not stored");
        }
        Ok(claimed)
    }

    /// When each of these ids was used last, if it is the person's.
    async fn owned(
        &self,
        person: PersonId,
        ids: &[u64],
    ) -> Result<BTreeMap<u64, Millis>, MetaError> {
        let ids: Vec<i64> = ids.iter().filter_map(|&id| i64::try_from(id).ok()).collect();
        let mut owned = BTreeMap::new();
        for ids in ids.chunks(IDS_PER_QUERY_MAX) {
            let rows = client::Entity::find()
                .filter(client::Column::Id.is_in(ids.iter().copied()))
                .filter(client::Column::Person.eq(bytes_of(person.as_bytes())))
                .all(&self.db)
                .await
                .doing("read client ids")?;
            owned.extend(
                rows.iter()
                    .filter_map(|row| Some((u64::try_from(row.id).ok()?, time(row.used_at)))),
            );
        }
        Ok(owned)
    }

    async fn touch_clients(&self, ids: &[i64], now: Millis) -> Result<(), MetaError> {
        let write = self.write().await?;
        for ids in ids.chunks(IDS_PER_QUERY_MAX) {
            let touched = client::Entity::update_many()
                .col_expr(client::Column::UsedAt, Expr::value(db_time(now)))
                .filter(client::Column::Id.is_in(ids.iter().copied()))
                .exec(&write.txn)
                .await;
            touched.doing("note the use of client ids")?;
        }
        write.commit("note the use of client ids").await
    }
}
