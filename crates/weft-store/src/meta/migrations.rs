//! The metadata's schema and its history.
//!
//! A list of steps and one row with the number of steps done, rather than sea-orm-migration: that
//! crate brings five more along, and its table of names cannot tell a *newer* schema (which must
//! be refused) from an unknown one. Steps are only ever added at the end; each is written out
//! (never derived from today's entities), because it must do tomorrow what it did today.

use sea_orm::{
    ConnectionTrait, StatementBuilder,
    sea_query::{ColumnDef, Index, IndexCreateStatement, Query, Table, TableCreateStatement},
};

use super::error::{Doing, MetaError};

/// The schema that this program reads and writes.
pub const SCHEMA: i64 = 1;

/// Brings the schema to [`SCHEMA`], within the caller's transaction.
///
/// # Errors
/// [`MetaError::NewerSchema`] if the file is ahead of this program.
pub async fn run(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    let version_table = Table::create()
        .table("schema_version")
        .if_not_exists()
        .col(ColumnDef::new("version").big_integer().not_null())
        .to_owned();
    execute(db, &version_table).await?;
    let found = version(db).await?;
    let done = found.unwrap_or(0);
    if done > SCHEMA {
        return Err(MetaError::NewerSchema { found: done, known: SCHEMA });
    }
    if done < 1 {
        first(db).await?;
    }
    match found {
        Some(SCHEMA) => Ok(()),
        Some(_) => {
            execute(db, Query::update().table("schema_version").value("version", SCHEMA)).await
        }
        None => {
            let mut row = Query::insert();
            row.into_table("schema_version").columns(["version"]).values_panic([SCHEMA.into()]);
            execute(db, &row).await
        }
    }
}

async fn version(db: &impl ConnectionTrait) -> Result<Option<i64>, MetaError> {
    let query = Query::select().column("version").from("schema_version").to_owned();
    let row = db.query_one(&query).await.doing("read the schema's version")?;
    row.map(|row| row.try_get("", "version")).transpose().doing("read the schema's version")
}

/// People, sign-ins, rooms, grants, invite links, clients, settings.
async fn first(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    for table in [people(), sign_ins(), rooms(), grants(), invites(), clients(), settings()] {
        execute(db, &table).await?;
    }
    for index in [
        index("room_owner_key", "room", &["owner", "key"]).unique().to_owned(),
        index("sign_in_person", "sign_in", &["person"]),
        index("room_grant_person", "room_grant", &["person"]),
        index("invite_room", "invite", &["room"]),
        index("client_person", "client", &["person"]),
    ] {
        execute(db, &index).await?;
    }
    Ok(())
}

fn people() -> TableCreateStatement {
    Table::create()
        .table("person")
        .col(id().primary_key())
        .col(text("username"))
        .col(text("username_key").unique_key())
        .col(text("name"))
        .col(ColumnDef::new("email").text())
        .col(ColumnDef::new("email_key").text().unique_key())
        .col(text("password_hash"))
        .col(ColumnDef::new("admin").boolean().not_null())
        .col(text("language"))
        .col(whole("created_at"))
        .to_owned()
}

fn sign_ins() -> TableCreateStatement {
    Table::create()
        .table("sign_in")
        .col(blob("token_hash").primary_key())
        .col(blob("person"))
        .col(whole("created_at"))
        .col(whole("used_at"))
        .col(whole("expires_at"))
        .col(text("user_agent"))
        .to_owned()
}

fn rooms() -> TableCreateStatement {
    Table::create()
        .table("room")
        .col(id().primary_key())
        .col(text("kind"))
        .col(text("title"))
        .col(ColumnDef::new("key").text())
        .col(blob("owner"))
        .col(whole("created_at"))
        .col(whole("changed_at"))
        .col(ColumnDef::new("changed_by").blob())
        .col(ColumnDef::new("trashed_at").big_integer())
        .col(ColumnDef::new("trashed_by").blob())
        .to_owned()
}

fn grants() -> TableCreateStatement {
    Table::create()
        .table("room_grant")
        .col(blob("room"))
        .col(blob("person"))
        .col(text("right_name"))
        .col(blob("granted_by"))
        .col(whole("granted_at"))
        .primary_key(Index::create().col("room").col("person"))
        .to_owned()
}

fn invites() -> TableCreateStatement {
    Table::create()
        .table("invite")
        .col(id().primary_key())
        .col(blob("secret_hash").unique_key())
        .col(blob("room"))
        .col(text("right_name"))
        .col(blob("created_by"))
        .col(whole("created_at"))
        .col(whole("expires_at"))
        .col(whole("uses"))
        .col(whole("uses_max"))
        .col(ColumnDef::new("revoked").boolean().not_null())
        .to_owned()
}

fn clients() -> TableCreateStatement {
    Table::create()
        .table("client")
        // Auto-increment also promises that the number of a deleted row never comes back.
        .col(whole("id").auto_increment().primary_key())
        .col(blob("person"))
        .col(whole("created_at"))
        .col(whole("used_at"))
        .to_owned()
}

fn settings() -> TableCreateStatement {
    Table::create().table("setting").col(text("name").primary_key()).col(text("value")).to_owned()
}

fn id() -> ColumnDef {
    blob("id")
}

fn blob(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn whole(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

async fn execute(
    db: &impl ConnectionTrait,
    statement: &impl StatementBuilder,
) -> Result<(), MetaError> {
    db.execute(statement).await.doing("change the schema")?;
    Ok(())
}
