//! Folders of spaces: a tree, kept with a table of which is in which, so that one question finds all below or above.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use weft_core::{FolderId, Millis, PersonId, Right, SpaceId, access::Subject};

use super::{
    Meta,
    access::{self, Asked},
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{folder, folder_above, room},
    error::{Doing, MetaError, Refusal},
    folder_id, person_id, quotas, space_id, spaces, time,
};

/// How deep folders may be nested.
pub const DEPTH_MAX: usize = 8;

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRow {
    /// Never changes.
    pub id: FolderId,
    /// Where it stands.
    pub space: SpaceId,
    /// The folder that it is in; `None`: at the top of its space.
    pub parent: Option<FolderId>,
    /// 1–64 characters.
    pub name: String,
    /// Who made it.
    pub creator: PersonId,
    /// When it was made.
    pub created_at: Millis,
    /// Since when it is in the trash.
    pub trashed_at: Option<Millis>,
    /// Whether it went there by itself, and not with a folder around it.
    pub trashed_itself: bool,
}

impl From<&FolderRow> for Asked {
    fn from(row: &FolderRow) -> Self {
        Self {
            id: bytes_of(row.id.as_bytes()),
            creator: row.creator,
            space: row.space,
            folder: Some(bytes_of(row.id.as_bytes())),
            trashed: row.trashed_at.is_some(),
        }
    }
}

/// A folder as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderView {
    /// The folder.
    pub row: FolderRow,
    /// What the person may do in it.
    pub right: Right,
}

/// A folder to be made.
#[derive(Debug, Clone)]
pub struct NewFolder {
    /// A fresh id.
    pub id: FolderId,
    /// Where it stands.
    pub space: SpaceId,
    /// The folder that it is in.
    pub parent: Option<FolderId>,
    /// 1–64 characters.
    pub name: String,
    /// Who makes it.
    pub creator: PersonId,
}

impl Meta {
    /// The folder as the person sees it; `None` if they may not.
    pub async fn folder_view(
        &self,
        folder: FolderId,
        person: PersonId,
        now: Millis,
    ) -> Result<Option<FolderView>, MetaError> {
        let Some(row) = find(&self.db, folder).await? else { return Ok(None) };
        let who = access::subject(&self.db, person).await?;
        Ok(self.views_of_folders(vec![row], &who, now).await?.pop())
    }

    /// The folders of a space that the person sees, by name; nothing of the trash.
    pub async fn folders_in(
        &self,
        space: SpaceId,
        person: PersonId,
        now: Millis,
    ) -> Result<Vec<FolderView>, MetaError> {
        let rows = folder::Entity::find()
            .filter(folder::Column::Space.eq(bytes_of(space.as_bytes())))
            .filter(folder::Column::TrashedAt.is_null())
            .order_by_asc(folder::Column::Name)
            .order_by_asc(folder::Column::Id)
            .all(&self.db)
            .await
            .doing("list folders")?;
        let rows = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
        let who = access::subject(&self.db, person).await?;
        self.views_of_folders(rows, &who, now).await
    }

    /// The folders that went to the trash by themselves and that the person manages, the last first.
    pub async fn trashed_folders(
        &self,
        person: PersonId,
        count_max: u64,
        now: Millis,
    ) -> Result<Vec<FolderView>, MetaError> {
        let who = access::subject(&self.db, person).await?;
        let plain = weft_core::access::Circumstances::plain(now);
        let seen = weft_core::access::filter(&who, &plain, Right::Read);
        let rows = folder::Entity::find()
            .filter(access::on_folders(&seen))
            .filter(folder::Column::TrashedAt.is_not_null())
            .filter(Expr::col(folder::Column::TrashedWith).eq(Expr::col(folder::Column::Id)))
            .order_by_desc(folder::Column::TrashedAt)
            .limit(count_max)
            .all(&self.db)
            .await
            .doing("list folders in the trash")?;
        let rows = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
        self.views_of_folders(rows, &who, now).await
    }

    async fn views_of_folders(
        &self,
        rows: Vec<FolderRow>,
        who: &Subject,
        now: Millis,
    ) -> Result<Vec<FolderView>, MetaError> {
        let facts = access::facts(&self.db, rows.iter().map(Asked::from).collect()).await?;
        let seen = rows.into_iter().zip(facts);
        Ok(seen
            .filter_map(|(row, facts)| Some(FolderView { right: facts.check(who, now)?, row }))
            .collect())
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such space or parent in it, [`Refusal::TooDeep`],
    /// [`Refusal::TooManyFolders`].
    pub async fn create_folder(
        &self,
        new: &NewFolder,
        folders_max: u64,
        now: Millis,
    ) -> Result<FolderRow, MetaError> {
        let write = self.write().await?;
        spaces::find(&write.txn, new.space).await?.ok_or(Refusal::NotFound)?;
        let of_space = folder::Column::Space.eq(bytes_of(new.space.as_bytes()));
        let all = folder::Entity::find().filter(of_space).count(&write.txn).await;
        if all.doing("count folders")? >= folders_max {
            return Err(Refusal::TooManyFolders { limit: folders_max }.into());
        }
        let above = above_in(&write.txn, new.space, new.parent).await?;
        if above.len() >= DEPTH_MAX {
            return Err(Refusal::TooDeep { limit: DEPTH_MAX as u64 }.into());
        }
        let row = folder::ActiveModel {
            id: Set(bytes_of(new.id.as_bytes())),
            space: Set(bytes_of(new.space.as_bytes())),
            parent: Set(new.parent.map(|parent| bytes_of(parent.as_bytes()))),
            name: Set(new.name.clone()),
            creator: Set(bytes_of(new.creator.as_bytes())),
            created_at: Set(db_time(now)),
            trashed_at: Set(None),
            trashed_with: Set(None),
        };
        let stored = folder::Entity::insert(row).exec_without_returning(&write.txn).await;
        stored.doing("store a folder")?;
        put_below(&write.txn, &bytes_of(new.id.as_bytes()), &above).await?;
        write.commit("store a folder").await?;
        Ok(FolderRow {
            id: new.id,
            space: new.space,
            parent: new.parent,
            name: new.name.clone(),
            creator: new.creator,
            created_at: now,
            trashed_at: None,
            trashed_itself: false,
        })
    }

    /// Gives a folder another name.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn rename_folder(&self, folder: FolderId, name: &str) -> Result<(), MetaError> {
        let write = self.write().await?;
        let renamed = folder::Entity::update_many()
            .filter(folder::Column::Id.eq(bytes_of(folder.as_bytes())))
            .col_expr(folder::Column::Name, Expr::value(name))
            .exec(&write.txn)
            .await;
        if renamed.doing("rename a folder")?.rows_affected == 0 {
            return Err(Refusal::NotFound.into());
        }
        write.commit("rename a folder").await
    }

    /// Moves a folder, with all in it, into a space and a folder there.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such folder, space, or parent in it;
    /// [`Refusal::Inside`] if the parent is the folder itself or in it; [`Refusal::TooDeep`];
    /// [`Refusal::QuotaExceeded`] if its rooms do not fit into another space.
    pub async fn move_folder(
        &self,
        id: FolderId,
        space: SpaceId,
        parent: Option<FolderId>,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let before = find(db, id).await?.ok_or(Refusal::NotFound)?;
        spaces::find(db, space).await?.ok_or(Refusal::NotFound)?;
        let own = bytes_of(id.as_bytes());
        let around = above_in(db, space, parent).await?;
        if around.contains(&own) {
            return Err(Refusal::Inside.into());
        }
        // Each below, with how far below it is; the folder itself first.
        let below = folder_above::Entity::find()
            .filter(folder_above::Column::Above.eq(own.clone()))
            .order_by_asc(folder_above::Column::Depth)
            .all(db)
            .await
            .doing("read folders")?;
        let deepest = below.last().map_or(0, |row| usize::try_from(row.depth).unwrap_or(DEPTH_MAX));
        if around.len() + 1 + deepest > DEPTH_MAX {
            return Err(Refusal::TooDeep { limit: DEPTH_MAX as u64 }.into());
        }
        if before.space != space {
            let folders = below.iter().map(|row| row.folder.clone());
            let rooms = room::Entity::find().filter(room::Column::Folder.is_in(folders));
            let bytes = quotas::bytes_in(db, rooms).await?;
            if bytes > 0 {
                quotas::check_fits(db, space, bytes).await?;
            }
        }
        for row in &below {
            // What is around it inside the moved folder stays, from it outwards.
            let within = folder_above::Entity::find()
                .filter(folder_above::Column::Folder.eq(row.folder.clone()))
                .filter(folder_above::Column::Depth.lte(row.depth))
                .filter(folder_above::Column::Depth.gt(0))
                .order_by_asc(folder_above::Column::Depth)
                .all(db)
                .await
                .doing("read folders")?;
            let mut above: Vec<Vec<u8>> = within.into_iter().map(|row| row.above).collect();
            above.extend(around.iter().cloned());
            folder_above::Entity::delete_many()
                .filter(folder_above::Column::Folder.eq(row.folder.clone()))
                .exec(db)
                .await
                .doing("move a folder")?;
            put_below(db, &row.folder, &above).await?;
        }
        let from = (before.space != space).then(|| before.space.to_string());
        let note = Note::of(Act::FolderMoved).folder(&FolderRow { space, ..before });
        note.with_some("from", from).add(db).await?;
        let space = bytes_of(space.as_bytes());
        folder::Entity::update_many()
            .filter(folder::Column::Id.is_in(below.iter().map(|row| row.folder.clone())))
            .col_expr(folder::Column::Space, Expr::value(space.clone()))
            .exec(db)
            .await
            .doing("move a folder")?;
        folder::Entity::update_many()
            .filter(folder::Column::Id.eq(own))
            .col_expr(
                folder::Column::Parent,
                Expr::value(parent.map(|parent| bytes_of(parent.as_bytes()))),
            )
            .exec(db)
            .await
            .doing("move a folder")?;
        room::Entity::update_many()
            .filter(room::Column::Folder.is_in(below.iter().map(|row| row.folder.clone())))
            .col_expr(room::Column::Space, Expr::value(space))
            .exec(db)
            .await
            .doing("move a folder's rooms")?;
        write.commit("move a folder").await
    }

    /// Puts a folder in the trash, with all in it that is not there yet.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn trash_folder(
        &self,
        id: FolderId,
        by: PersonId,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let row = find(&write.txn, id).await?.ok_or(Refusal::NotFound)?;
        if row.trashed_at.is_some() {
            return Ok(());
        }
        let own = bytes_of(id.as_bytes());
        folder::Entity::update_many()
            .filter(folder::Column::Id.in_subquery(below(&own)))
            .filter(folder::Column::TrashedAt.is_null())
            .col_expr(folder::Column::TrashedAt, Expr::value(db_time(now)))
            .col_expr(folder::Column::TrashedWith, Expr::value(own.clone()))
            .exec(&write.txn)
            .await
            .doing("trash a folder")?;
        room::Entity::update_many()
            .filter(room::Column::Folder.in_subquery(below(&own)))
            .filter(room::Column::TrashedAt.is_null())
            .col_expr(room::Column::TrashedAt, Expr::value(db_time(now)))
            .col_expr(room::Column::TrashedBy, Expr::value(bytes_of(by.as_bytes())))
            .col_expr(room::Column::TrashedWith, Expr::value(own))
            .exec(&write.txn)
            .await
            .doing("trash a folder's rooms")?;
        Note::of(Act::FolderTrashed).folder(&row).add(&write.txn).await?;
        write.commit("trash a folder").await
    }

    /// Takes a folder out of the trash, with what went there with it; to the top of its space if the folder
    /// around it is in the trash still.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn restore_folder(&self, id: FolderId) -> Result<(), MetaError> {
        let row = find(&self.db, id).await?.ok_or(Refusal::NotFound)?;
        if row.trashed_at.is_none() {
            return Ok(());
        }
        let parent = match row.parent {
            None => None,
            Some(parent) => find(&self.db, parent).await?.filter(|row| row.trashed_at.is_none()),
        };
        if row.parent.is_some() && parent.is_none() {
            self.move_folder(id, row.space, None).await?;
        }
        let write = self.write().await?;
        let own = bytes_of(id.as_bytes());
        // One that went with a folder around it takes along what is in it.
        let with: Vec<Vec<u8>> = vec![own.clone(), trashed_with(&write.txn, &own).await?];
        folder::Entity::update_many()
            .filter(folder::Column::Id.in_subquery(below(&own)))
            .filter(folder::Column::TrashedWith.is_in(with.iter().cloned()))
            .col_expr(folder::Column::TrashedAt, Expr::value(None::<i64>))
            .col_expr(folder::Column::TrashedWith, Expr::value(None::<Vec<u8>>))
            .exec(&write.txn)
            .await
            .doing("restore a folder")?;
        room::Entity::update_many()
            .filter(room::Column::Folder.in_subquery(below(&own)))
            .filter(room::Column::TrashedWith.is_in(with))
            .col_expr(room::Column::TrashedAt, Expr::value(None::<i64>))
            .col_expr(room::Column::TrashedBy, Expr::value(None::<Vec<u8>>))
            .col_expr(room::Column::TrashedWith, Expr::value(None::<Vec<u8>>))
            .exec(&write.txn)
            .await
            .doing("restore a folder's rooms")?;
        Note::of(Act::FolderRestored).folder(&row).add(&write.txn).await?;
        write.commit("restore a folder").await
    }
}

async fn trashed_with(db: &impl ConnectionTrait, folder: &[u8]) -> Result<Vec<u8>, MetaError> {
    let row = folder::Entity::find_by_id(folder.to_vec()).one(db).await;
    Ok(row.doing("read a folder")?.and_then(|row| row.trashed_with).unwrap_or_default())
}

/// The folder of that id, as the caller's transaction sees it.
pub async fn find(db: &impl ConnectionTrait, id: FolderId) -> Result<Option<FolderRow>, MetaError> {
    let row = folder::Entity::find_by_id(bytes_of(id.as_bytes())).one(db).await;
    row.doing("read a folder")?.map(|row| from_row(&row)).transpose()
}

/// The folders around what stands in this folder of this space, from it outwards.
///
/// # Errors
/// [`Refusal::NotFound`] if the space has no such folder, or it is in the trash.
async fn above_in(
    db: &impl ConnectionTrait,
    space: SpaceId,
    parent: Option<FolderId>,
) -> Result<Vec<Vec<u8>>, MetaError> {
    let Some(parent) = parent else { return Ok(Vec::new()) };
    check_place(db, space, parent).await?;
    let rows = folder_above::Entity::find()
        .filter(folder_above::Column::Folder.eq(bytes_of(parent.as_bytes())))
        .order_by_asc(folder_above::Column::Depth)
        .all(db)
        .await
        .doing("read folders")?;
    Ok(rows.into_iter().map(|row| row.above).collect())
}

/// Whether something may stand in this folder of this space.
///
/// # Errors
/// [`Refusal::NotFound`] if the space has no such folder, or it is in the trash.
pub async fn check_place(
    db: &impl ConnectionTrait,
    space: SpaceId,
    folder: FolderId,
) -> Result<(), MetaError> {
    let row = find(db, folder).await?;
    row.filter(|row| row.space == space && row.trashed_at.is_none())
        .map(drop)
        .ok_or_else(|| Refusal::NotFound.into())
}

/// Notes what is around a folder, from it outwards; and itself.
async fn put_below(
    db: &impl ConnectionTrait,
    folder: &[u8],
    above: &[Vec<u8>],
) -> Result<(), MetaError> {
    let rows = [folder.to_vec()].into_iter().chain(above.iter().cloned()).zip(0..);
    let rows = rows.map(|(above, depth)| folder_above::ActiveModel {
        folder: Set(folder.to_vec()),
        above: Set(above),
        depth: Set(depth),
    });
    let stored = folder_above::Entity::insert_many(rows).exec_without_returning(db).await;
    stored.doing("store a folder's place")?;
    Ok(())
}

/// The folder and all in it.
fn below(folder: &[u8]) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(folder_above::Column::Folder)
        .from(folder_above::Entity)
        .and_where(folder_above::Column::Above.eq(folder.to_vec()))
        .to_owned()
}

fn from_row(row: &folder::Model) -> Result<FolderRow, MetaError> {
    Ok(FolderRow {
        id: folder_id(&row.id)?,
        space: space_id(&row.space)?,
        parent: row.parent.as_deref().map(folder_id).transpose()?,
        name: row.name.clone(),
        creator: person_id(&row.creator)?,
        created_at: time(row.created_at),
        trashed_at: row.trashed_at.map(time),
        trashed_itself: row.trashed_with.as_ref() == Some(&row.id),
    })
}
