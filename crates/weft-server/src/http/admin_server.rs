//! For administrators: the workspace and its server. Who may register, spaces, disk, mail, versions.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_core::SpaceId;
use weft_store::{ListedSpace, SCHEMA, SpacesOrder, SpacesQuery};

use super::{
    ApiError,
    answers::{PersonInfo, RegistrationName, SpaceKindName},
    body::Body,
    fields, quotas,
};
use crate::{
    auth::{Admin, base_url_at_start},
    config::Registration,
    mail::Letter,
    state::AppState,
    usage,
};

const SPACES: u64 = 100;
const SPACES_MAX: u64 = 500;

/// Who may make an account.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistrationSetting)]
pub(super) struct RegistrationAnswer {
    registration: RegistrationName,
    /// The command line says it, so that it cannot be changed.
    set_at_start: bool,
}

/// Who may make an account, and whether the command line has said so for good.
#[utoipa::path(
    get,
    path = "/admin/registration",
    responses((status = 200, description = "Who may make an account", body = RegistrationAnswer)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn registration(
    State(state): State<AppState>,
    _: Admin,
) -> Result<Json<RegistrationAnswer>, ApiError> {
    registration_json(&state).await
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RegistrationForm)]
pub(super) struct SetRegistration {
    #[schema(required, value_type = RegistrationName)]
    registration: Option<String>,
}

/// Says who may make an account from now on.
#[utoipa::path(
    put,
    path = "/admin/registration",
    request_body = SetRegistration,
    responses((status = 200, description = "Who may make an account now", body = RegistrationAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["set_at_start"])),
    )
)]
pub(super) async fn set_registration(
    State(state): State<AppState>,
    Admin(by): Admin,
    Body(form): Body<SetRegistration>,
) -> Result<Json<RegistrationAnswer>, ApiError> {
    let mode = fields::required(form.registration, "registration")?;
    let mode: Registration = mode
        .parse()
        .map_err(|_| ApiError::BadRequest { field: "registration", reason: "unknown" })?;
    if state.config.registration.is_some() {
        return Err(ApiError::SetAtStart);
    }
    state.meta.set_registration(mode.name()).await?;
    tracing::info!(by = %by.person.id, mode = mode.name(), "registration changed");
    registration_json(&state).await
}

async fn registration_json(state: &AppState) -> Result<Json<RegistrationAnswer>, ApiError> {
    let registration = state.registration().await?.into();
    let set_at_start = state.config.registration.is_some();
    Ok(Json(RegistrationAnswer { registration, set_at_start }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `team` (from the start): the gallery and the spaces of teams. `personal`: people's own.
    kind: Option<String>,
    /// `age` (from the start): the gallery, then the oldest first. `used`: those that hold most first.
    sort: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    limit: Option<u64>,
}

impl Wanted {
    fn query(&self) -> Result<SpacesQuery, ApiError> {
        let unknown = |field| ApiError::BadRequest { field, reason: "unknown" };
        let malformed = || ApiError::BadRequest { field: "after", reason: "malformed" };
        let space = |text: &str| text.parse::<SpaceId>().map_err(|_| malformed());
        let personal = match self.kind.as_deref() {
            None | Some("team") => false,
            Some("personal") => true,
            Some(_) => return Err(unknown("kind")),
        };
        let order = match (self.sort.as_deref(), self.after.as_deref()) {
            (None | Some("age"), after) => SpacesOrder::Age(after.map(space).transpose()?),
            (Some("used"), None) => SpacesOrder::Use(None),
            (Some("used"), Some(after)) => {
                let (used, id) = after.split_once('-').ok_or_else(malformed)?;
                let used = used.parse().map_err(|_| malformed())?;
                SpacesOrder::Use(Some((used, space(id)?)))
            }
            (Some(_), _) => return Err(unknown("sort")),
        };
        Ok(SpacesQuery { personal, order })
    }
}

/// Where the page after this space begins.
fn next_of(order: SpacesOrder, last: &ListedSpace) -> String {
    match order {
        SpacesOrder::Age(_) => last.id.to_string(),
        SpacesOrder::Use(_) => format!("{}-{}", last.storage.used, last.id),
    }
}

/// The gallery and the spaces of teams, or people's own, page by page.
#[utoipa::path(
    get,
    path = "/admin/spaces",
    params(Wanted),
    responses((status = 200, description = "A page of spaces", body = SpacePage)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn spaces(
    State(state): State<AppState>,
    _: Admin,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<SpacePage>, ApiError> {
    let Query(wanted) =
        wanted.map_err(|_| ApiError::BadRequest { field: "limit", reason: "malformed" })?;
    let limit = fields::count(wanted.limit, "limit", SPACES, SPACES_MAX)?;
    let query = wanted.query()?;
    let mut spaces = state.meta.all_spaces(query, limit + 1).await?;
    let more = spaces.len() as u64 > limit;
    spaces.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = spaces.last().filter(|_| more).map(|last| next_of(query.order, last));
    let spaces = spaces.into_iter().map(SpaceOfAll::from).collect();
    Ok(Json(SpacePage { spaces, next }))
}

/// A space as administrators see it, who need not be members.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedSpace)]
struct SpaceOfAll {
    id: String,
    kind: SpaceKindName,
    name: String,
    owner: Option<PersonInfo>,
    members: u64,
    rooms: u64,
    #[serde(flatten)]
    storage: quotas::Storage,
    created_at: u64,
    archived_at: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SpacePage {
    spaces: Vec<SpaceOfAll>,
    /// After which the next page begins; null: there is none.
    next: Option<String>,
}

impl From<ListedSpace> for SpaceOfAll {
    fn from(space: ListedSpace) -> Self {
        Self {
            id: space.id.to_string(),
            kind: space.kind.into(),
            name: space.name,
            owner: space.owner.as_ref().map(PersonInfo::from),
            members: space.members,
            rooms: space.rooms,
            storage: space.storage.into(),
            created_at: space.created_at,
            archived_at: space.archived_at,
        }
    }
}

/// Bytes, by what they are for.
#[derive(Serialize, ToSchema)]
pub(super) struct Storage {
    log_bytes: u64,
    blob_bytes: u64,
    metadata_bytes: u64,
    quarantine_bytes: u64,
    free_bytes: u64,
}

/// What the data folder takes on the disk, and what is free there.
#[utoipa::path(
    get,
    path = "/admin/storage",
    responses((status = 200, description = "What is used, and what is free", body = Storage)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn storage(
    State(state): State<AppState>,
    _: Admin,
) -> Result<Json<Storage>, ApiError> {
    let data_dir = state.config.data_dir.clone();
    let measured = tokio::task::spawn_blocking(move || usage::measure(&data_dir));
    match measured.await {
        Ok(Ok(usage)) => Ok(Json(Storage {
            log_bytes: usage.log,
            blob_bytes: usage.blobs,
            metadata_bytes: usage.metadata,
            quarantine_bytes: usage.quarantine,
            free_bytes: usage.free,
        })),
        Ok(Err(error)) => {
            tracing::error!(%error, "the data folder cannot be measured");
            Err(ApiError::StoreFailed)
        }
        // It panicked, or the runtime is going down.
        Err(_) => Err(ApiError::StoreFailed),
    }
}

/// An attempt to send a letter that failed.
#[derive(Serialize, ToSchema)]
pub(super) struct MailFailure {
    at: u64,
    why: String,
}

/// Mail since the start; `mail` alone where none leaves this server.
#[derive(Serialize, ToSchema)]
#[schema(as = MailState)]
#[serde(untagged)]
pub(super) enum MailAnswer {
    Off {
        mail: bool,
    },
    On {
        mail: bool,
        server: String,
        from: String,
        waiting: usize,
        sent: u64,
        failed: u64,
        sent_at: Option<u64>,
        failure: Option<MailFailure>,
    },
}

/// Whether mail is set up, and how it goes.
#[utoipa::path(
    get,
    path = "/admin/mail",
    responses((status = 200, description = "Whether mail leaves this server, and how that goes", body = MailAnswer)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn mail(State(state): State<AppState>, _: Admin) -> Json<MailAnswer> {
    let Some(mail) = &state.mail else { return Json(MailAnswer::Off { mail: false }) };
    let so_far = mail.state();
    Json(MailAnswer::On {
        mail: true,
        server: mail.server().to_owned(),
        from: mail.from(),
        waiting: mail.waiting(),
        sent: so_far.sent,
        failed: so_far.failed,
        sent_at: so_far.sent_at,
        failure: so_far.failure.map(|(at, why)| MailFailure { at, why }),
    })
}

/// Sends a letter to the administrator's own address, and answers when the server of mail has taken it.
#[utoipa::path(
    post,
    path = "/admin/mail-test",
    responses((status = 204, description = "The server of mail has taken it")),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["no_mail", "mail_failed", "bad_request"])),
    )
)]
pub(super) async fn test_mail(
    State(state): State<AppState>,
    Admin(signed): Admin,
) -> Result<StatusCode, ApiError> {
    let mail = state.mail.as_ref().ok_or(ApiError::NoMail)?;
    let email = fields::required(signed.person.email.as_deref(), "email")?;
    let letter = Letter::test(email, &signed.person.language, &base_url_at_start(&state));
    match mail.send(&letter).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(ApiError::MailFailed { why: error.why }),
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Versions {
    weft: String,
    metadata_schema: i64,
}

/// What runs here.
#[utoipa::path(
    get,
    path = "/admin/versions",
    responses((status = 200, description = "What runs here", body = Versions)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn versions(_: Admin) -> Json<Versions> {
    Json(Versions { weft: env!("CARGO_PKG_VERSION").to_owned(), metadata_schema: SCHEMA })
}
