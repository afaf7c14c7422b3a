//! Pictures of people: small, of one format, named by their content.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};
use weft_core::PersonId;

use super::{
    Meta, bytes_of,
    entities::picture,
    error::{Doing, MetaError},
    people::IDS_PER_QUERY_MAX,
    person_id,
};

/// A person's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// SHA-256 of the image.
    pub hash: [u8; 32],
    /// The image, as the caller encoded it.
    pub image: Vec<u8>,
}

impl Meta {
    /// Stores a person's picture in place of the one before, or takes it away.
    pub async fn set_picture(
        &self,
        person: PersonId,
        picture: Option<&Picture>,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let id = bytes_of(person.as_bytes());
        match picture {
            Some(Picture { hash, image }) => {
                let row = picture::ActiveModel {
                    person: Set(id),
                    hash: Set(hash.to_vec()),
                    image: Set(image.clone()),
                };
                let mut replace = OnConflict::column(picture::Column::Person);
                replace.update_columns([picture::Column::Hash, picture::Column::Image]);
                let stored = picture::Entity::insert(row).on_conflict(replace);
                stored.exec_without_returning(&write.txn).await.doing("store a picture")?;
            }
            None => {
                let gone = picture::Entity::delete_by_id(id).exec(&write.txn).await;
                gone.doing("remove a picture")?;
            }
        }
        write.commit("store a picture").await
    }

    /// The person's picture, if they have one.
    pub async fn picture(&self, person: PersonId) -> Result<Option<Picture>, MetaError> {
        let row = picture::Entity::find_by_id(bytes_of(person.as_bytes())).one(&self.db).await;
        row.doing("read a picture")?
            .map(|row| Ok(Picture { hash: hash(row.hash)?, image: row.image }))
            .transpose()
    }

    /// Which of these people have a picture, and its hash.
    pub async fn pictures(
        &self,
        people: &[PersonId],
    ) -> Result<Vec<(PersonId, [u8; 32])>, MetaError> {
        let mut found = Vec::new();
        for ids in people.chunks(IDS_PER_QUERY_MAX) {
            let rows: Vec<(Vec<u8>, Vec<u8>)> = picture::Entity::find()
                .select_only()
                .column(picture::Column::Person)
                .column(picture::Column::Hash)
                .filter(picture::Column::Person.is_in(ids.iter().map(|id| bytes_of(id.as_bytes()))))
                .into_tuple()
                .all(&self.db)
                .await
                .doing("list pictures")?;
            for (person, of) in rows {
                found.push((person_id(&person)?, hash(of)?));
            }
        }
        Ok(found)
    }
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], MetaError> {
    bytes.try_into().map_err(|_| MetaError::Damaged("a picture's hash"))
}
