//! The shell: HTTP, sockets, room tasks, people and rights. It turns requests into questions to the
//! store and operations for rooms, and decides nothing that `weft-core` could decide.
//!
//! Start at [`serve()`].

mod admin;
mod assets;
pub mod auth;
mod clock;
pub mod config;
mod digest;
pub mod http;
pub mod hub;
mod mail;
mod notify;
mod oidc;
mod outbox;
mod picture;
mod post;
mod push;
mod quarantine;
mod quotas;
mod serve;
mod state;
mod usage;
mod webhooks;
mod welcome;
mod ws;
mod yjs;

pub use admin::{
    AdminError, AdminForm, QuotaOf, Usage, create_admin, deactivate, delete_person, list_acts,
    list_people, list_quarantined, list_usage, make_admin, make_reset_link, reactivate,
    remove_second_factor, set_quota, set_registration,
};
pub use config::Config;
pub use quarantine::{Kept, Quarantine};
pub use serve::{DataDir, DataDirError, Running, StartError, serve, serve_by};
pub use state::{App, AppState, Clock};
pub use weft_store::{AuditEntry, DefaultQuotas, ListedSpace, PersonBrief, Quota};

const _: () = assert!(!weft_core::planted::IS_POSSIBLE, "no program has planted defects");
