//! How much each space holds, and how much it may hold.
//!
//! A room's row says what the room takes, as it was weighed last; a space holds the sum of its rooms, those in the trash
//! included. Only the server weighs rooms (`server/src/hub/task.rs`, `server/src/quotas.rs`), so that a sum may be some
//! seconds old, and a little beside the truth until the next time.
//!
//! Start at [`Meta::quotas_now`]. docs/decisions/0008-what-a-space-holds.md says why it is done so.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use weft_core::{Millis, PersonId, RoomId, SpaceId, access::SpaceKind};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of,
    entities::{room, space},
    error::{Doing, MetaError, Refusal},
    inboxes::{self, NewDelivery},
    people::IDS_PER_QUERY_MAX,
    room_id, settings, space_id,
    spaces::{self, SpaceRow},
    webhook_events,
};

/// How much of its quota a space holds when those who manage it are told, in hundredths.
pub const NEARLY_FULL_PERCENT: u64 = 80;
/// They are told again only after it has held less than this.
const ROOMY_PERCENT: u64 = 70;
/// A space's own quota that is no number: it may hold as much as the disk does.
const UNLIMITED: i64 = -1;

/// What is said of one space's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// What is said of all spaces of its kind.
    Default,
    /// It may hold as much as the disk does.
    Unlimited,
    /// So many bytes, 1 at least.
    Bytes(u64),
}

/// What is said of all spaces of a kind, in bytes; `None`: as much as the disk does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DefaultQuotas {
    /// Of each team's space.
    pub team: Option<u64>,
    /// Of each person's own space.
    pub personal: Option<u64>,
}

/// What a space holds, and what it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpaceStorage {
    /// Bytes of its rooms.
    pub used: u64,
    /// What is said of it.
    pub own: Quota,
    /// What comes of that, in bytes; `None`: as much as the disk does.
    pub limit: Option<u64>,
}

/// A space that will soon hold all that it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearlyFull {
    /// Which.
    pub space: SpaceRow,
    /// What it holds.
    pub used: u64,
    /// What it may hold.
    pub limit: u64,
    /// Who is to be told.
    pub managers: Vec<PersonId>,
}

/// What there is to do about quotas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuotasNow {
    /// All rooms of spaces that hold all that they may.
    pub full: BTreeSet<RoomId>,
    /// Spaces of which those who manage them are still to be told.
    pub nearly_full: Vec<NearlyFull>,
}

/// What a room takes, as it was weighed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomWeight {
    /// Which.
    pub room: RoomId,
    /// Bytes.
    pub bytes: u64,
}

#[derive(FromQueryResult)]
struct Summed {
    id: Vec<u8>,
    bytes: i64,
}

impl DefaultQuotas {
    /// What a space of that kind may hold of which nothing else is said.
    fn of(self, kind: SpaceKind) -> Option<u64> {
        match kind {
            SpaceKind::Team => self.team,
            SpaceKind::Personal => self.personal,
            SpaceKind::Gallery => None,
        }
    }

    /// What a space may hold.
    pub(super) fn limit(self, kind: SpaceKind, own: Quota) -> Option<u64> {
        match own {
            Quota::Default => self.of(kind),
            Quota::Unlimited => None,
            Quota::Bytes(bytes) => Some(bytes),
        }
    }
}

impl Quota {
    /// As rows hold it.
    pub(super) fn from_column(quota: Option<i64>) -> Self {
        match quota.map(u64::try_from) {
            None => Self::Default,
            Some(Err(_)) => Self::Unlimited,
            Some(Ok(bytes)) => Self::Bytes(bytes),
        }
    }

    fn column(self) -> Option<i64> {
        match self {
            Self::Default => None,
            Self::Unlimited => Some(UNLIMITED),
            Self::Bytes(bytes) => Some(db_bytes(bytes)),
        }
    }
}

impl SpaceStorage {
    /// Whether it holds all that it may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.used >= limit)
    }
}

impl Meta {
    /// What is said of all spaces of a kind.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn default_quotas(&self) -> Result<DefaultQuotas, MetaError> {
        settings::default_quotas(&self.db).await
    }

    /// Says so.
    ///
    /// # Errors
    /// If it was not stored.
    pub async fn set_default_quotas(&self, wanted: DefaultQuotas) -> Result<(), MetaError> {
        let write = self.write().await?;
        settings::set_default_quotas(&write.txn, wanted).await?;
        write.commit("store quotas").await
    }

    /// Says how much one space may hold.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn set_space_quota(&self, space: SpaceId, quota: Quota) -> Result<(), MetaError> {
        let write = self.write().await?;
        let row = row(&write.txn, space).await?;
        if Quota::from_column(row.quota) == quota {
            return Ok(());
        }
        let set = space::Entity::update_many()
            .filter(space::Column::Id.eq(bytes_of(space.as_bytes())))
            .col_expr(space::Column::Quota, Expr::value(quota.column()));
        set.exec(&write.txn).await.doing("store a quota")?;
        let note = Note::of(Act::QuotaChanged).space(space);
        let note = match quota {
            Quota::Default => note.with("quota", "default"),
            Quota::Unlimited => note.with("quota", "unlimited"),
            Quota::Bytes(bytes) => note.with("quota", bytes),
        };
        note.add(&write.txn).await?;
        write.commit("store a quota").await
    }

    /// What a space holds, and what it may hold.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn space_storage(&self, space: SpaceId) -> Result<SpaceStorage, MetaError> {
        storage(&self.db, space).await
    }

    /// Adds up what every space holds that has a quota, and says what follows from it. Whoever has room again can be told
    /// anew.
    ///
    /// # Errors
    /// If the metadata fails.
    pub async fn quotas_now(&self) -> Result<QuotasNow, MetaError> {
        let mut now = QuotasNow::default();
        let (mut full, mut still_told) = (Vec::new(), BTreeSet::new());
        for (row, used, limit) in self.limited_spaces().await? {
            let percent = u128::from(used) * 100 / u128::from(Ord::max(limit, 1));
            if used >= limit {
                full.push(row.id.clone());
            }
            if row.quota_told && percent >= u128::from(ROOMY_PERCENT) {
                still_told.insert(row.id.clone());
            }
            if !row.quota_told && percent >= u128::from(NEARLY_FULL_PERCENT) {
                let managers = webhook_events::managers(&self.db, space_id(&row.id)?).await?;
                let space = spaces::from_row(&row)?;
                now.nearly_full.push(NearlyFull { space, used, limit, managers });
            }
        }
        for ids in full.chunks(IDS_PER_QUERY_MAX) {
            let rows = room::Entity::find()
                .select_only()
                .column(room::Column::Id)
                .filter(room::Column::Space.is_in(ids.iter().cloned()))
                .into_tuple::<Vec<u8>>()
                .all(&self.db)
                .await
                .doing("list rooms")?;
            for id in rows {
                now.full.insert(room_id(&id)?);
            }
        }
        self.forget_told_but(&still_told).await?;
        Ok(now)
    }

    /// Those who manage the space are told, by these notices, that it is nearly full.
    ///
    /// # Errors
    /// If the metadata cannot be changed.
    pub async fn tell_of_quota(
        &self,
        space: SpaceId,
        news: &[NewDelivery],
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let told = space::Entity::update_many()
            .col_expr(space::Column::QuotaTold, Expr::value(true))
            .filter(space::Column::Id.eq(bytes_of(space.as_bytes())))
            .filter(space::Column::QuotaTold.eq(false))
            .exec(&write.txn)
            .await;
        if told.doing("note that people are told")?.rows_affected > 0 {
            inboxes::post(&write.txn, news, now).await?;
        }
        write.commit("tell of a quota").await
    }

    /// At most `count_max` rooms after that one, by id, with what they were said to take last.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn weights(
        &self,
        after: Option<RoomId>,
        count_max: u64,
    ) -> Result<Vec<RoomWeight>, MetaError> {
        let mut rows = room::Entity::find()
            .select_only()
            .column(room::Column::Id)
            .column(room::Column::Bytes)
            .order_by_asc(room::Column::Id)
            .limit(count_max);
        if let Some(after) = after {
            rows = rows.filter(room::Column::Id.gt(bytes_of(after.as_bytes())));
        }
        let rows = rows.into_model::<Summed>().all(&self.db).await.doing("list rooms")?;
        let weight =
            |row: Summed| Ok(RoomWeight { room: room_id(&row.id)?, bytes: bytes(row.bytes) });
        rows.into_iter().map(weight).collect()
    }

    /// Notes what a room takes.
    ///
    /// # Errors
    /// If it was not stored.
    pub async fn set_weight(&self, room: RoomId, now: u64) -> Result<(), MetaError> {
        let write = self.write().await?;
        room::Entity::update_many()
            .filter(room::Column::Id.eq(bytes_of(room.as_bytes())))
            .col_expr(room::Column::Bytes, Expr::value(db_bytes(now)))
            .exec(&write.txn)
            .await
            .doing("note what a room takes")?;
        write.commit("note what a room takes").await
    }

    /// Notes what rooms take, where it is still said that they take what they took `before`: whoever has said
    /// something else meanwhile knows better.
    ///
    /// # Errors
    /// If it was not stored.
    pub async fn set_weights(&self, before_and_now: &[(RoomWeight, u64)]) -> Result<(), MetaError> {
        let write = self.write().await?;
        for (before, now) in before_and_now {
            room::Entity::update_many()
                .filter(room::Column::Id.eq(bytes_of(before.room.as_bytes())))
                .filter(room::Column::Bytes.eq(db_bytes(before.bytes)))
                .col_expr(room::Column::Bytes, Expr::value(db_bytes(*now)))
                .exec(&write.txn)
                .await
                .doing("note what rooms take")?;
        }
        write.commit("note what rooms take").await
    }

    /// Spaces that may hold so much and no more, with what they hold.
    async fn limited_spaces(&self) -> Result<Vec<(space::Model, u64, u64)>, MetaError> {
        let defaults = self.default_quotas().await?;
        let mut limited = Condition::any().add(space::Column::Quota.gte(0));
        for kind in [SpaceKind::Team, SpaceKind::Personal] {
            if defaults.of(kind).is_some() {
                let usual = space::Column::Quota.is_null();
                limited = limited.add(usual.and(space::Column::Kind.eq(kind.name())));
            }
        }
        // Those of whom something is remembered are looked at again, whatever is said of them now.
        limited = limited.add(space::Column::QuotaTold.eq(true));
        let rows =
            space::Entity::find().filter(limited).all(&self.db).await.doing("list spaces")?;
        let ids: Vec<Vec<u8>> = rows.iter().map(|row| row.id.clone()).collect();
        let used = used_by(&self.db, &ids).await?;
        let with_use = |row: space::Model| {
            let kind = SpaceKind::named(&row.kind)?;
            let limit = defaults.limit(kind, Quota::from_column(row.quota))?;
            let used = used.get(&row.id).copied().unwrap_or(0);
            Some((row, used, limit))
        };
        Ok(rows.into_iter().filter_map(with_use).collect())
    }

    /// Spaces other than these can be told of anew.
    async fn forget_told_but(&self, still_told: &BTreeSet<Vec<u8>>) -> Result<(), MetaError> {
        let told = space::Entity::find().filter(space::Column::QuotaTold.eq(true));
        let told = told.all(&self.db).await.doing("list spaces")?;
        let roomy: Vec<Vec<u8>> =
            told.into_iter().map(|row| row.id).filter(|id| !still_told.contains(id)).collect();
        if roomy.is_empty() {
            return Ok(());
        }
        let write = self.write().await?;
        for ids in roomy.chunks(IDS_PER_QUERY_MAX) {
            let forgotten = space::Entity::update_many()
                .filter(space::Column::Id.is_in(ids.iter().cloned()))
                .col_expr(space::Column::QuotaTold, Expr::value(false));
            forgotten.exec(&write.txn).await.doing("forget who was told")?;
        }
        write.commit("forget who was told").await
    }
}

/// What [`Meta::space_storage`] says, as the caller's transaction sees it.
async fn storage(db: &impl ConnectionTrait, space: SpaceId) -> Result<SpaceStorage, MetaError> {
    let row = row(db, space).await?;
    let kind = SpaceKind::named(&row.kind).ok_or(MetaError::Damaged("a space's kind"))?;
    let own = Quota::from_column(row.quota);
    let limit = settings::default_quotas(db).await?.limit(kind, own);
    let used = used_by(db, std::slice::from_ref(&row.id)).await?;
    Ok(SpaceStorage { used: used.get(&row.id).copied().unwrap_or(0), own, limit })
}

/// Whether so many bytes more fit into the space.
///
/// # Errors
/// [`Refusal::QuotaExceeded`]; [`Refusal::NotFound`].
pub async fn check_fits(
    db: &impl ConnectionTrait,
    space: SpaceId,
    more: u64,
) -> Result<(), MetaError> {
    let storage = storage(db, space).await?;
    let fits = storage.limit.is_none_or(|limit| storage.used.saturating_add(more) <= limit);
    if fits && !storage.is_full() { Ok(()) } else { Err(Refusal::QuotaExceeded.into()) }
}

/// Bytes of these rooms, as they were weighed last.
pub async fn bytes_in(
    db: &impl ConnectionTrait,
    rooms: Select<room::Entity>,
) -> Result<u64, MetaError> {
    let sum = rooms.select_only().column_as(sum_of_bytes(), "bytes").into_tuple::<Option<i64>>();
    Ok(sum.one(db).await.doing("add up rooms")?.flatten().map_or(0, bytes))
}

/// What these spaces hold; those without rooms are left out.
pub async fn used_by(
    db: &impl ConnectionTrait,
    spaces: &[Vec<u8>],
) -> Result<BTreeMap<Vec<u8>, u64>, MetaError> {
    let mut used = BTreeMap::new();
    for ids in spaces.chunks(IDS_PER_QUERY_MAX) {
        let sums = room::Entity::find()
            .select_only()
            .column_as(room::Column::Space, "id")
            .column_as(sum_of_bytes(), "bytes")
            .filter(room::Column::Space.is_in(ids.iter().cloned()))
            .group_by(room::Column::Space)
            .into_model::<Summed>()
            .all(db)
            .await
            .doing("add up rooms")?;
        used.extend(sums.into_iter().map(|row| (row.id, bytes(row.bytes))));
    }
    Ok(used)
}

/// PostgreSQL adds whole numbers up to a decimal one.
pub fn sum_of_bytes() -> Expr {
    room::Column::Bytes.sum().cast_as("bigint")
}

async fn row(db: &impl ConnectionTrait, space: SpaceId) -> Result<space::Model, MetaError> {
    let row = space::Entity::find_by_id(bytes_of(space.as_bytes())).one(db).await;
    Ok(row.doing("read a space")?.ok_or(Refusal::NotFound)?)
}

/// Bytes as the rest of the program counts them; fewer than none is damage, shown as none.
pub fn bytes(column: i64) -> u64 {
    u64::try_from(column).unwrap_or(0)
}

/// Bytes as the database counts them.
pub fn db_bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
