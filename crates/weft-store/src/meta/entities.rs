//! The tables as SeaORM sees them. Their shape is history's (`migrations`): change both.

/// Accounts.
pub mod person {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "person")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub username: String,
        pub username_key: String,
        pub name: String,
        pub email: Option<String>,
        pub email_key: Option<String>,
        pub password_hash: String,
        pub admin: bool,
        pub language: String,
        pub created_at: i64,
        pub time_zone: Option<String>,
        pub phone: Option<String>,
        pub totp_secret: Option<Vec<u8>>,
        pub totp_on: bool,
        pub totp_step: i64,
        pub email_verified: bool,
        pub seen_at: Option<i64>,
        pub deactivated_at: Option<i64>,
        pub left_at: Option<i64>,
        pub digest: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Sign-ins, by the SHA-256 of their token.
pub mod sign_in {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_in")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_hash: Vec<u8>,
        pub person: Vec<u8>,
        pub created_at: i64,
        pub used_at: i64,
        pub expires_at: i64,
        pub user_agent: String,
        pub confirmed_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rooms: what is known of them without opening them.
pub mod room {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "room")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub kind: String,
        pub title: String,
        pub key: Option<String>,
        pub owner: Vec<u8>,
        pub created_at: i64,
        pub changed_at: i64,
        pub changed_by: Option<Vec<u8>>,
        pub trashed_at: Option<i64>,
        pub trashed_by: Option<Vec<u8>>,
        pub space: Vec<u8>,
        pub folder: Option<Vec<u8>>,
        pub trashed_with: Option<Vec<u8>>,
        pub bytes: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Spaces. A person's own has the person's id.
pub mod space {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "space")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub kind: String,
        pub name: String,
        pub links: bool,
        pub outsiders: bool,
        pub created_at: i64,
        pub archived_at: Option<i64>,
        pub public_links: bool,
        /// In bytes; negative: none; null: as usual.
        pub quota: Option<i64>,
        pub quota_told: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Members of spaces, and those who are invited (`joined` is false then).
pub mod space_member {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "space_member")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub space: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        pub role_name: String,
        pub joined: bool,
        pub invited_by: Vec<u8>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Folders of spaces.
pub mod folder {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "folder")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub space: Vec<u8>,
        pub parent: Option<Vec<u8>>,
        pub name: String,
        pub creator: Vec<u8>,
        pub created_at: i64,
        pub trashed_at: Option<i64>,
        pub trashed_with: Option<Vec<u8>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Which folders a folder is in, itself included (depth 0).
pub mod folder_above {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "folder_above")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub folder: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub above: Vec<u8>,
        pub depth: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who was given which right on which room or folder. `GRANT` and `RIGHT` are words of SQL, hence the names.
pub mod access_grant {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_grant")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub object: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub grantee_kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub grantee: Vec<u8>,
        pub right_name: String,
        pub granted_by: Vec<u8>,
        pub granted_at: i64,
        pub expires_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rooms that a person has marked.
pub mod star {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "star")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub room: Vec<u8>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// When a person opened a room last.
pub mod opened {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "opened")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub room: Vec<u8>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Invite links, by the SHA-256 of their secret.
pub mod invite {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "invite")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub secret_hash: Vec<u8>,
        pub room: Vec<u8>,
        pub right_name: String,
        pub created_by: Vec<u8>,
        pub created_at: i64,
        pub expires_at: i64,
        pub uses: i64,
        pub uses_max: i64,
        pub revoked: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Links to rooms. What one gives is a row of `access_grant`, whose grantee is the link's id.
pub mod room_link {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "room_link")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub room: Vec<u8>,
        pub id: Vec<u8>,
        pub secret: String,
        pub password_hash: Option<String>,
        pub created_by: Vec<u8>,
        pub created_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who has shown a link: ids of people and of guests.
pub mod link_holder {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "link_holder")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub link: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub holder: Vec<u8>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// People without an account who came by a public link.
pub mod guest {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "guest")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub token_hash: Vec<u8>,
        pub link: Vec<u8>,
        pub room: Vec<u8>,
        pub name: String,
        pub created_at: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who did what that matters to rights and to security. Rows are only added, and go when they are old.
pub mod audit {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub at: i64,
        pub act: String,
        pub actor: Option<Vec<u8>>,
        pub address: String,
        pub person: Option<Vec<u8>>,
        pub room: Option<Vec<u8>>,
        pub folder: Option<Vec<u8>>,
        pub space: Option<Vec<u8>>,
        pub params: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What stands in for a code of the second factor, once each.
pub mod recovery_code {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "recovery_code")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub code_hash: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Links with which people make themselves an account, by id; found by the SHA-256 of their secret.
pub mod workspace_invite {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "workspace_invite")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub secret_hash: Vec<u8>,
        pub email: Option<String>,
        pub created_by: Vec<u8>,
        pub created_at: i64,
        pub expires_at: i64,
        pub uses: i64,
        pub uses_max: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Links that prove something about a person, one for each purpose; found by the SHA-256 of their secret.
pub mod account_link {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_link")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub purpose: String,
        pub secret_hash: Vec<u8>,
        pub email: Option<String>,
        pub created_at: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who people are to a provider of OpenID Connect: one for each person and issuer at most.
pub mod identity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "identity")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub issuer: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub subject: String,
        pub person: Vec<u8>,
        pub linked_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Pictures of people.
pub mod picture {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "picture")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        pub hash: Vec<u8>,
        pub image: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Client ids (L3): one for each tab or program, never given out twice.
pub mod client {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "client")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub person: Vec<u8>,
        pub created_at: i64,
        pub used_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Personal access tokens, by id; found by the SHA-256 of the token.
pub mod access_token {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_token")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub token_hash: Vec<u8>,
        pub person: Vec<u8>,
        pub name: String,
        pub scopes: String,
        pub created_at: i64,
        pub used_at: Option<i64>,
        pub expires_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Room tokens, by the SHA-256 of the token. One of `room` and `key` is there.
pub mod room_token {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "room_token")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_hash: Vec<u8>,
        pub minted_with: Vec<u8>,
        pub person: Vec<u8>,
        pub room: Option<Vec<u8>>,
        pub key: Option<String>,
        pub right_name: String,
        pub name: Option<String>,
        pub created_at: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Inboxes that have been made: entry 1 of each is in the log.
pub mod inbox {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "inbox")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        pub made_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Letters about what people have not read: when one is due, when one was sent and about which notices.
pub mod digest {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "digest")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        pub due_at: Option<i64>,
        pub mailed_at: i64,
        pub mailed_to: i64,
        pub wanted_to: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Browsers to which notices are pushed. Goes with its sign-in.
pub mod push_subscription {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "push_subscription")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sign_in: Vec<u8>,
        pub person: Vec<u8>,
        pub endpoint: String,
        pub public_key: Vec<u8>,
        pub auth: Vec<u8>,
        pub told_to: i64,
        pub wanted_to: i64,
        pub due_at: Option<i64>,
        pub tries: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What waits to be put into inboxes.
pub mod delivery {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "delivery")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub person: Vec<u8>,
        pub about_kind: Option<String>,
        pub about: Option<Vec<u8>>,
        pub op: Vec<u8>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rooms that do not notify a person.
pub mod mute {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mute")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub room: Vec<u8>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// People who ask to be let into a room, which need not exist until it is `told`.
pub mod access_request {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_request")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub room: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person: Vec<u8>,
        pub at: i64,
        pub told: bool,
        pub declined_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Mentions that have been told of, by the number that their author's client gave them.
pub mod mention {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mention")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub room: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub mention: String,
        pub person: Vec<u8>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Named values of the whole workspace.
pub mod setting {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "setting")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub value: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Where what happens in a space is sent to. The secret is as it was made: what is sent is signed with it.
pub mod webhook {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "webhook")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub space: Vec<u8>,
        pub name: String,
        pub url: String,
        pub secret: String,
        pub events: String,
        pub is_on: bool,
        pub off_because: Option<String>,
        pub told: bool,
        pub created_at: i64,
        pub succeeded_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is on its way to webhooks, and what has come of it.
pub mod webhook_delivery {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "webhook_delivery")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub webhook: Vec<u8>,
        pub event: String,
        pub room: Option<Vec<u8>>,
        pub at: i64,
        pub data: String,
        pub state: String,
        pub by_hand: bool,
        pub tries: i64,
        pub next_at: i64,
        pub claimed_until: i64,
        pub tried_at: Option<i64>,
        pub status: Option<i64>,
        pub took_ms: Option<i64>,
        pub fault: Option<String>,
        pub answer: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
