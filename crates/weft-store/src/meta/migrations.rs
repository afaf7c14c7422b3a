//! The metadata's schema and its history.
//!
//! A list of steps and one row with the number of steps done, rather than sea-orm-migration: that
//! crate brings five more along, and its table of names cannot tell a *newer* schema (which must
//! be refused) from an unknown one. Steps are only ever added at the end; each is written out
//! (never derived from today's entities), because it must do tomorrow what it did today.

use sea_orm::{
    ConnectionTrait, StatementBuilder,
    sea_query::{
        ColumnDef, Expr, ExprTrait, ForeignKey, ForeignKeyAction, Index, IndexCreateStatement,
        Query, Table, TableCreateStatement,
    },
};

use super::{
    error::{Doing, MetaError},
    spaces,
};

/// The schema that this program reads and writes.
pub const SCHEMA: i64 = 12;

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
    if done < 2 {
        second(db).await?;
    }
    if done < 3 {
        third(db).await?;
    }
    if done < 4 {
        fourth(db).await?;
    }
    if done < 5 {
        fifth(db).await?;
    }
    if done < 6 {
        sixth(db).await?;
    }
    if done < 7 {
        seventh(db).await?;
    }
    if done < 8 {
        eighth(db).await?;
    }
    if done < 9 {
        ninth(db).await?;
    }
    if done < 10 {
        tenth(db).await?;
    }
    if done < 11 {
        eleventh(db).await?;
    }
    if done < 12 {
        twelfth(db).await?;
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

/// Tokens of programs, and of people whom host applications vouch for.
async fn second(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    for table in [access_tokens(), room_tokens()] {
        execute(db, &table).await?;
    }
    for index in [
        index("access_token_person", "access_token", &["person"]),
        index("room_token_person", "room_token", &["person"]),
        index("room_token_minted_with", "room_token", &["minted_with"]),
        index("room_token_expires_at", "room_token", &["expires_at"]),
    ] {
        execute(db, &index).await?;
    }
    Ok(())
}

/// What people say about themselves, their second factor, and links with which they make themselves an account.
async fn third(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    for column in [
        ColumnDef::new("time_zone").text().take(),
        ColumnDef::new("phone").text().take(),
        ColumnDef::new("totp_secret").blob().take(),
        ColumnDef::new("totp_on").boolean().not_null().default(false).take(),
        whole("totp_step").default(0).take(),
    ] {
        execute(db, Table::alter().table("person").add_column(column)).await?;
    }
    execute(db, &recovery_codes()).await?;
    execute(db, &workspace_invites()).await
}

/// Spaces, folders, grants on both and to both. What there was stands in its owner's own space.
async fn fourth(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    for table in [
        spaces(),
        space_members(),
        folders(),
        folders_above(),
        access_grants(),
        marks("star"),
        marks("opened"),
    ] {
        execute(db, &table).await?;
    }
    for column in ["space", "folder", "trashed_with"] {
        let column = ColumnDef::new(column).blob().take();
        execute(db, Table::alter().table("room").add_column(column)).await?;
    }
    execute(db, Query::update().table("room").value("space", Expr::col("owner"))).await?;

    let gallery = spaces::GALLERY.as_bytes().to_vec();
    let mut made = Query::insert();
    made.into_table("space")
        .columns(["id", "kind", "name", "links", "outsiders", "created_at"])
        .values_panic([
            gallery.clone().into(),
            "gallery".into(),
            "".into(),
            true.into(),
            true.into(),
            0.into(),
        ]);
    execute(db, &made).await?;
    let own = [
        Expr::col("id"),
        Expr::val("personal"),
        Expr::val(""),
        Expr::val(true),
        Expr::val(true),
        Expr::col("created_at"),
    ];
    copy(db, "space", &["id", "kind", "name", "links", "outsiders", "created_at"], own, None)
        .await?;
    let columns = ["space", "person", "role_name", "joined", "invited_by", "at"];
    let person = || Expr::col("id");
    let at = || Expr::col("created_at");
    let owner = [person(), person(), Expr::val("owner"), Expr::val(true), person(), at()];
    copy(db, "space_member", &columns, owner, None).await?;
    let curator =
        [Expr::val(gallery), person(), Expr::val("admin"), Expr::val(true), person(), at()];
    copy(db, "space_member", &columns, curator, Some(Expr::col("admin").eq(true))).await?;

    let mut grants = Query::select();
    grants.from("room_grant");
    for column in [
        Expr::col("room"),
        Expr::val("person"),
        Expr::col("person"),
        Expr::col("right_name"),
        Expr::col("granted_by"),
        Expr::col("granted_at"),
    ] {
        grants.expr(column);
    }
    let mut moved = Query::insert();
    moved
        .into_table("access_grant")
        .columns(["object", "grantee_kind", "grantee", "right_name", "granted_by", "granted_at"])
        .select_from(grants)
        .expect("as many values as columns");
    execute(db, &moved).await?;
    execute(db, &Table::drop().table("room_grant").to_owned()).await?;
    for index in [
        index("space_member_person", "space_member", &["person"]),
        index("folder_space", "folder", &["space"]),
        index("folder_above_above", "folder_above", &["above"]),
        index("access_grant_grantee", "access_grant", &["grantee"]),
        index("access_grant_expires_at", "access_grant", &["expires_at"]),
        index("room_space", "room", &["space", "folder"]),
        index("opened_at", "opened", &["person", "at"]),
    ] {
        execute(db, &index).await?;
    }
    Ok(())
}

/// Accounts: reset links, verified addresses, people who have left.
async fn fifth(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    for column in [
        ColumnDef::new("email_verified").boolean().not_null().default(false).take(),
        ColumnDef::new("seen_at").big_integer().take(),
        ColumnDef::new("deactivated_at").big_integer().take(),
        ColumnDef::new("left_at").big_integer().take(),
    ] {
        execute(db, Table::alter().table("person").add_column(column)).await?;
    }
    execute(db, &account_links()).await?;
    execute(db, &pictures()).await
}

/// Links to rooms, their guests, and the audit log.
async fn sixth(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    for table in [room_links(), link_holders(), guests(), audit()] {
        execute(db, &table).await?;
    }
    for index in [
        index("link_holder_holder", "link_holder", &["holder"]),
        index("guest_link", "guest", &["link"]),
        index("guest_expires_at", "guest", &["expires_at"]),
        index("audit_at", "audit", &["at"]),
        index("audit_actor", "audit", &["actor"]),
        index("audit_person", "audit", &["person"]),
        index("audit_room", "audit", &["room"]),
        index("audit_space", "audit", &["space"]),
    ] {
        execute(db, &index).await?;
    }
    let rule = ColumnDef::new("public_links").boolean().not_null().default(true).take();
    execute(db, Table::alter().table("space").add_column(rule)).await?;
    let confirmed = whole("confirmed_at").default(0).take();
    execute(db, Table::alter().table("sign_in").add_column(confirmed)).await
}

/// Inboxes, muted rooms, requests for access.
async fn seventh(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    for table in [inboxes(), deliveries(), marks("mute"), access_requests(), mentions()] {
        execute(db, &table).await?;
    }
    execute(db, &index("mention_at", "mention", &["at"])).await
}

/// Letters about what people have not read.
async fn eighth(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    let wanted = ColumnDef::new("digest").text().not_null().default("daily").take();
    execute(db, Table::alter().table("person").add_column(wanted)).await?;
    let digests = Table::create()
        .table("digest")
        .col(blob("person").primary_key())
        .col(ColumnDef::new("due_at").big_integer())
        .col(whole("mailed_at"))
        .col(whole("mailed_to"))
        .to_owned();
    execute(db, &digests).await?;
    execute(db, &index("digest_due_at", "digest", &["due_at"])).await
}

/// Who people are to a provider of OpenID Connect. From now on a sign-in may have begun with less than a password.
async fn ninth(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    execute(db, &identities()).await?;
    execute(db, index("identity_person", "identity", &["person", "issuer"]).unique()).await?;
    let mut begun = Query::update();
    begun.table("sign_in").value("confirmed_at", Expr::col("created_at"));
    execute(db, begun.and_where(Expr::col("confirmed_at").eq(0))).await
}

/// Webhooks, and what is on its way to them.
async fn tenth(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    for table in [webhooks(), webhook_deliveries()] {
        execute(db, &table).await?;
    }
    for index in [
        index("webhook_space", "webhook", &["space"]),
        index("webhook_told", "webhook", &["told"]),
        index("webhook_delivery_webhook", "webhook_delivery", &["webhook", "id"]),
        index("webhook_delivery_state", "webhook_delivery", &["webhook", "state"]),
        index("webhook_delivery_room", "webhook_delivery", &["room", "webhook"]),
        index("webhook_delivery_due", "webhook_delivery", &["state", "next_at"]),
    ] {
        execute(db, &index).await?;
    }
    Ok(())
}

/// What rooms take, and what spaces may hold. The server weighs what there is when it starts.
async fn eleventh(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    let bytes = whole("bytes").default(0).take();
    execute(db, Table::alter().table("room").add_column(bytes)).await?;
    for column in [
        ColumnDef::new("quota").big_integer().take(),
        ColumnDef::new("quota_told").boolean().not_null().default(false).take(),
    ] {
        execute(db, Table::alter().table("space").add_column(column)).await?;
    }
    execute(db, &index("space_quota", "space", &["quota"])).await?;
    execute(db, &index("space_quota_told", "space", &["quota_told"])).await
}

/// Browsers to which notices are pushed, and up to which delivery a letter is wanted.
async fn twelfth(db: &impl ConnectionTrait) -> Result<(), MetaError> {
    execute(db, &push_subscriptions()).await?;
    for index in [
        index("push_subscription_person", "push_subscription", &["person"]),
        index("push_subscription_due_at", "push_subscription", &["due_at"]),
    ] {
        execute(db, &index).await?;
    }
    let wanted_to = whole("wanted_to").default(0).take();
    execute(db, Table::alter().table("digest").add_column(wanted_to)).await
}

/// Copies values of each person, or of those of whom a condition is true, into another table.
async fn copy<const N: usize>(
    db: &impl ConnectionTrait,
    into: &'static str,
    columns: &[&'static str; N],
    values: [Expr; N],
    only: Option<Expr>,
) -> Result<(), MetaError> {
    let mut people = Query::select();
    people.from("person");
    for value in values {
        people.expr(value);
    }
    if let Some(only) = only {
        people.and_where(only);
    }
    let mut insert = Query::insert();
    insert
        .into_table(into)
        .columns(*columns)
        .select_from(people)
        .expect("as many values as columns");
    execute(db, &insert).await
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

fn access_tokens() -> TableCreateStatement {
    Table::create()
        .table("access_token")
        .col(id().primary_key())
        .col(blob("token_hash").unique_key())
        .col(blob("person"))
        .col(text("name"))
        .col(text("scopes"))
        .col(whole("created_at"))
        .col(ColumnDef::new("used_at").big_integer())
        .col(ColumnDef::new("expires_at").big_integer())
        .to_owned()
}

fn room_tokens() -> TableCreateStatement {
    Table::create()
        .table("room_token")
        .col(blob("token_hash").primary_key())
        .col(blob("minted_with"))
        .col(blob("person"))
        .col(ColumnDef::new("room").blob())
        .col(ColumnDef::new("key").text())
        .col(text("right_name"))
        .col(ColumnDef::new("name").text())
        .col(whole("created_at"))
        .col(whole("expires_at"))
        .to_owned()
}

fn recovery_codes() -> TableCreateStatement {
    Table::create()
        .table("recovery_code")
        .col(blob("person"))
        .col(blob("code_hash"))
        .primary_key(Index::create().col("person").col("code_hash"))
        .to_owned()
}

fn workspace_invites() -> TableCreateStatement {
    Table::create()
        .table("workspace_invite")
        .col(id().primary_key())
        .col(blob("secret_hash").unique_key())
        .col(ColumnDef::new("email").text())
        .col(blob("created_by"))
        .col(whole("created_at"))
        .col(whole("expires_at"))
        .col(whole("uses"))
        .col(whole("uses_max"))
        .to_owned()
}

fn spaces() -> TableCreateStatement {
    Table::create()
        .table("space")
        .col(id().primary_key())
        .col(text("kind"))
        .col(text("name"))
        .col(ColumnDef::new("links").boolean().not_null())
        .col(ColumnDef::new("outsiders").boolean().not_null())
        .col(whole("created_at"))
        .col(ColumnDef::new("archived_at").big_integer())
        .to_owned()
}

fn space_members() -> TableCreateStatement {
    Table::create()
        .table("space_member")
        .col(blob("space"))
        .col(blob("person"))
        .col(text("role_name"))
        .col(ColumnDef::new("joined").boolean().not_null())
        .col(blob("invited_by"))
        .col(whole("at"))
        .primary_key(Index::create().col("space").col("person"))
        .to_owned()
}

fn folders() -> TableCreateStatement {
    Table::create()
        .table("folder")
        .col(id().primary_key())
        .col(blob("space"))
        .col(ColumnDef::new("parent").blob())
        .col(text("name"))
        .col(blob("creator"))
        .col(whole("created_at"))
        .col(ColumnDef::new("trashed_at").big_integer())
        .col(ColumnDef::new("trashed_with").blob())
        .to_owned()
}

fn folders_above() -> TableCreateStatement {
    Table::create()
        .table("folder_above")
        .col(blob("folder"))
        .col(blob("above"))
        .col(whole("depth"))
        .primary_key(Index::create().col("folder").col("above"))
        .to_owned()
}

fn access_grants() -> TableCreateStatement {
    Table::create()
        .table("access_grant")
        .col(blob("object"))
        .col(text("grantee_kind"))
        .col(blob("grantee"))
        .col(text("right_name"))
        .col(blob("granted_by"))
        .col(whole("granted_at"))
        .col(ColumnDef::new("expires_at").big_integer())
        .primary_key(Index::create().col("object").col("grantee_kind").col("grantee"))
        .to_owned()
}

fn account_links() -> TableCreateStatement {
    Table::create()
        .table("account_link")
        .col(blob("person"))
        .col(text("purpose"))
        .col(blob("secret_hash").unique_key())
        .col(ColumnDef::new("email").text())
        .col(whole("created_at"))
        .col(whole("expires_at"))
        .primary_key(Index::create().col("person").col("purpose"))
        .to_owned()
}

fn pictures() -> TableCreateStatement {
    Table::create()
        .table("picture")
        .col(blob("person").primary_key())
        .col(blob("hash"))
        .col(blob("image"))
        .to_owned()
}

/// A time for each person and room.
fn marks(table: &'static str) -> TableCreateStatement {
    Table::create()
        .table(table)
        .col(blob("person"))
        .col(blob("room"))
        .col(whole("at"))
        .primary_key(Index::create().col("person").col("room"))
        .to_owned()
}

/// At most one for each room. What it gives is a grant, to the link's id.
fn room_links() -> TableCreateStatement {
    Table::create()
        .table("room_link")
        .col(blob("room").primary_key())
        .col(blob("id").unique_key())
        .col(text("secret"))
        .col(ColumnDef::new("password_hash").text())
        .col(blob("created_by"))
        .col(whole("created_at"))
        .to_owned()
}

/// People and guests who have shown a link.
fn link_holders() -> TableCreateStatement {
    Table::create()
        .table("link_holder")
        .col(blob("link"))
        .col(blob("holder"))
        .col(whole("at"))
        .primary_key(Index::create().col("link").col("holder"))
        .to_owned()
}

fn guests() -> TableCreateStatement {
    Table::create()
        .table("guest")
        .col(id().primary_key())
        .col(blob("token_hash").unique_key())
        .col(blob("link"))
        .col(blob("room"))
        .col(text("name"))
        .col(whole("created_at"))
        .col(whole("expires_at"))
        .to_owned()
}

fn audit() -> TableCreateStatement {
    Table::create()
        .table("audit")
        .col(whole("id").auto_increment().primary_key())
        .col(whole("at"))
        .col(text("act"))
        .col(ColumnDef::new("actor").blob())
        .col(text("address"))
        .col(ColumnDef::new("person").blob())
        .col(ColumnDef::new("room").blob())
        .col(ColumnDef::new("folder").blob())
        .col(ColumnDef::new("space").blob())
        .col(text("params"))
        .to_owned()
}

fn inboxes() -> TableCreateStatement {
    Table::create()
        .table("inbox")
        .col(blob("person").primary_key().take())
        .col(whole("made_at"))
        .to_owned()
}

fn deliveries() -> TableCreateStatement {
    Table::create()
        .table("delivery")
        // The number of a deleted row never comes back: inboxes know deliveries by it.
        .col(whole("id").auto_increment().primary_key())
        .col(blob("person"))
        .col(ColumnDef::new("about_kind").text())
        .col(ColumnDef::new("about").blob())
        .col(blob("op"))
        .col(whole("at"))
        .to_owned()
}

fn access_requests() -> TableCreateStatement {
    Table::create()
        .table("access_request")
        .col(blob("room"))
        .col(blob("person"))
        .col(whole("at"))
        .col(ColumnDef::new("told").boolean().not_null())
        .col(ColumnDef::new("declined_at").big_integer())
        .primary_key(Index::create().col("room").col("person"))
        .to_owned()
}

fn mentions() -> TableCreateStatement {
    Table::create()
        .table("mention")
        .col(blob("room"))
        .col(text("mention"))
        .col(blob("person"))
        .col(whole("at"))
        .primary_key(Index::create().col("room").col("mention"))
        .to_owned()
}

fn identities() -> TableCreateStatement {
    Table::create()
        .table("identity")
        .col(text("issuer"))
        .col(text("subject"))
        .col(blob("person"))
        .col(whole("linked_at"))
        .primary_key(Index::create().col("issuer").col("subject"))
        .to_owned()
}

fn webhooks() -> TableCreateStatement {
    Table::create()
        .table("webhook")
        .col(id().primary_key())
        .col(blob("space"))
        .col(text("name"))
        .col(text("url"))
        .col(text("secret"))
        .col(text("events"))
        .col(ColumnDef::new("is_on").boolean().not_null())
        .col(ColumnDef::new("off_because").text())
        .col(ColumnDef::new("told").boolean().not_null())
        .col(whole("created_at"))
        .col(ColumnDef::new("succeeded_at").big_integer())
        .to_owned()
}

fn webhook_deliveries() -> TableCreateStatement {
    Table::create()
        .table("webhook_delivery")
        // The number of a deleted row never comes back: receivers know deliveries by it.
        .col(whole("id").auto_increment().primary_key())
        .col(blob("webhook"))
        .col(text("event"))
        .col(ColumnDef::new("room").blob())
        .col(whole("at"))
        .col(text("data"))
        .col(text("state"))
        .col(ColumnDef::new("by_hand").boolean().not_null())
        .col(whole("tries"))
        .col(whole("next_at"))
        .col(whole("claimed_until"))
        .col(ColumnDef::new("tried_at").big_integer())
        .col(ColumnDef::new("status").big_integer())
        .col(ColumnDef::new("took_ms").big_integer())
        .col(ColumnDef::new("fault").text())
        .col(ColumnDef::new("answer").text())
        .to_owned()
}

fn push_subscriptions() -> TableCreateStatement {
    Table::create()
        .table("push_subscription")
        .col(blob("sign_in").primary_key().take())
        .col(blob("person"))
        .col(text("endpoint").unique_key().take())
        .col(blob("public_key"))
        .col(blob("auth"))
        .col(whole("told_to"))
        .col(whole("wanted_to"))
        .col(ColumnDef::new("due_at").big_integer())
        .col(whole("tries"))
        .foreign_key(
            // However a sign-in ends, nothing is pushed to its browser any more.
            ForeignKey::create()
                .from("push_subscription", "sign_in")
                .to("sign_in", "token_hash")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
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

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, SqlxSqliteConnector};
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
    use weft_core::{PersonId, Right, RoomId, access::Role};

    use super::{super::Meta, *};

    /// Metadata as schema 1 left it: an administrator with a room, which another person may edit.
    #[tokio::test]
    async fn what_there_was_before_spaces_keeps_its_rights() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
        let db = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        first(&db).await.unwrap();
        let (lin, bo, room) = ("11".repeat(16), "22".repeat(16), "33".repeat(16));
        let token = "44".repeat(32);
        db.execute_unprepared(&format!(
            "CREATE TABLE schema_version (version bigint NOT NULL);
            INSERT INTO schema_version VALUES (1);
            INSERT INTO person (id, username, username_key, name, password_hash, admin, language, created_at)
                VALUES (x'{lin}', 'lin', 'lin', 'Lin', '', 1, 'en', 5), (x'{bo}', 'bo', 'bo', 'Bo', '', 0, 'en', 6);
            INSERT INTO room (id, kind, title, owner, created_at, changed_at)
                VALUES (x'{room}', 'doc', 'Plan', x'{lin}', 7, 7);
            INSERT INTO room_grant VALUES (x'{room}', x'{bo}', 'edit', x'{lin}', 8);
            INSERT INTO sign_in VALUES (x'{token}', x'{lin}', 5, 6, 1000, 'test');"
        ))
        .await
        .unwrap();
        db.close().await.unwrap();

        let meta = Meta::open(&path).await.unwrap();
        let (lin, bo) = (PersonId::from_bytes([0x11; 16]), PersonId::from_bytes([0x22; 16]));
        let room = RoomId::from_bytes([0x33; 16]);
        assert_eq!(meta.right(room, lin, 9).await.unwrap(), Some(Right::Manage));
        assert_eq!(meta.right(room, bo, 9).await.unwrap(), Some(Right::Edit));
        assert_eq!(meta.room_by_id(room).await.unwrap().unwrap().space, spaces::personal(lin));
        let roles = async |person| {
            let seen = meta.spaces_of(person).await.unwrap();
            seen.into_iter().map(|view| (view.row.kind.name(), view.role)).collect::<Vec<_>>()
        };
        let owner = Some(Role::Owner);
        assert_eq!(roles(lin).await, [("personal", owner), ("gallery", Some(Role::Admin))]);
        assert_eq!(roles(bo).await, [("personal", owner), ("gallery", None)]);
        assert!(meta.access_tokens(lin).await.unwrap().is_empty());
        // What it takes is not known before a server has weighed it; nothing is limited.
        let storage = meta.space_storage(spaces::personal(lin)).await.unwrap();
        assert_eq!((storage.used, storage.limit), (0, None));
        // All sign-ins of then began with a password.
        let sign_in = meta.sign_in(&[0x44; 32], 9).await.unwrap().unwrap();
        assert_eq!((sign_in.person.id, sign_in.confirmed_at), (lin, 5));
    }
}
