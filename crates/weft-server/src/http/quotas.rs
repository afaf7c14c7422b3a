//! For administrators: how much spaces may hold.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_store::{DefaultQuotas, Quota, SpaceStorage};

use super::{
    ApiError,
    body::{Body, Names},
    fields, to_the_end,
};
use crate::{auth::Admin, state::AppState};

/// The most that can be said: whole numbers up to it are exact in every JSON reader.
const BYTES_MAX: u64 = (1 << 53) - 1;

/// How much spaces may hold of which nothing else is said, in bytes; null: as much as the disk does.
#[derive(Serialize, ToSchema)]
pub(super) struct Quotas {
    /// Of each team's space.
    team: Option<u64>,
    /// Of each person's own space.
    personal: Option<u64>,
}

/// How much spaces may hold of which nothing else is said.
#[utoipa::path(
    get,
    path = "/admin/quotas",
    responses((status = 200, description = "As it is", body = Quotas)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn read(
    State(state): State<AppState>,
    _: Admin,
) -> Result<Json<Quotas>, ApiError> {
    quotas_json(&state).await
}

#[derive(Deserialize, ToSchema)]
#[schema(as = QuotasForm)]
pub(super) struct SetQuotas {
    #[serde(default, deserialize_with = "fields::given")]
    #[schema(required, value_type = Option<u64>, minimum = 1)]
    team: Option<Option<u64>>,
    #[serde(default, deserialize_with = "fields::given")]
    #[schema(required, value_type = Option<u64>, minimum = 1)]
    personal: Option<Option<u64>>,
}

/// Says how much spaces may hold of which nothing else is said. Once this answers, rooms obey.
#[utoipa::path(
    put,
    path = "/admin/quotas",
    request_body = SetQuotas,
    responses((status = 200, description = "As it is now", body = Quotas)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn set(
    State(state): State<AppState>,
    Admin(by): Admin,
    Body(form): Body<SetQuotas>,
) -> Result<Json<Quotas>, ApiError> {
    let team = fields::required(form.team, "team")?;
    let team = team.map(|bytes| in_range(bytes, "team")).transpose()?;
    let personal = fields::required(form.personal, "personal")?;
    let personal = personal.map(|bytes| in_range(bytes, "personal")).transpose()?;
    to_the_end(async move {
        state.meta.set_default_quotas(DefaultQuotas { team, personal }).await?;
        tracing::info!(by = %by.person.id, team, personal, "quotas changed");
        state.look_at_quotas().await?;
        quotas_json(&state).await
    })
    .await
}

async fn quotas_json(state: &AppState) -> Result<Json<Quotas>, ApiError> {
    let DefaultQuotas { team, personal } = state.meta.default_quotas().await?;
    Ok(Json(Quotas { team, personal }))
}

/// Where a space's quota comes from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum QuotaSet {
    /// From what is said of all spaces of its kind.
    Default,
    /// It may hold as much as the disk does.
    Unlimited,
    /// It has one of its own.
    Bytes,
}

/// What a space holds, and what it may hold.
#[derive(Serialize, ToSchema)]
#[schema(as = SpaceStorage)]
pub(super) struct Storage {
    /// Bytes of its rooms, those in the trash included.
    storage_used: u64,
    /// In bytes; null: as much as the disk does.
    quota: Option<u64>,
    quota_set: QuotaSet,
}

impl From<SpaceStorage> for Storage {
    fn from(storage: SpaceStorage) -> Self {
        Self {
            storage_used: storage.used,
            quota: storage.limit,
            quota_set: match storage.own {
                Quota::Default => QuotaSet::Default,
                Quota::Unlimited => QuotaSet::Unlimited,
                Quota::Bytes(_) => QuotaSet::Bytes,
            },
        }
    }
}

/// What a space holds, and what it may hold.
#[utoipa::path(
    get,
    path = "/admin/spaces/{space}/quota",
    responses((status = 200, description = "As it is", body = Storage)),
    extensions(("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})))
)]
pub(super) async fn read_of_space(
    State(state): State<AppState>,
    _: Admin,
    Names(space): Names<String>,
) -> Result<Json<Storage>, ApiError> {
    let space = fields::space(&space)?;
    Ok(Json(state.meta.space_storage(space).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SpaceQuotaForm)]
pub(super) struct SetQuota {
    #[schema(required, value_type = Option<QuotaSet>)]
    quota_set: Option<String>,
    /// In bytes, with `bytes`.
    #[schema(minimum = 1)]
    quota: Option<u64>,
}

/// Says how much a space may hold. Once this answers, its rooms obey.
#[utoipa::path(
    put,
    path = "/admin/spaces/{space}/quota",
    request_body = SetQuota,
    responses((status = 200, description = "As it is now", body = Storage)),
    extensions(
        ("x-weft-access" = json!({"credential": "sign-in", "right": "admin"})),
        ("x-weft-codes" = json!(["sign_in_again"])),
    )
)]
pub(super) async fn set_of_space(
    State(state): State<AppState>,
    Admin(by): Admin,
    Names(space): Names<String>,
    Body(form): Body<SetQuota>,
) -> Result<Json<Storage>, ApiError> {
    let space = fields::space(&space)?;
    let quota = match fields::required(form.quota_set.as_deref(), "quota_set")? {
        "default" => Quota::Default,
        "unlimited" => Quota::Unlimited,
        "bytes" => Quota::Bytes(in_range(fields::required(form.quota, "quota")?, "quota")?),
        _ => return Err(ApiError::BadRequest { field: "quota_set", reason: "unknown" }),
    };
    to_the_end(async move {
        state.meta.set_space_quota(space, quota).await?;
        tracing::info!(by = %by.person.id, %space, ?quota, "a space's quota changed");
        state.look_at_quotas().await?;
        Ok(Json(state.meta.space_storage(space).await?.into()))
    })
    .await
}

fn in_range(bytes: u64, field: &'static str) -> Result<u64, ApiError> {
    if (1..=BYTES_MAX).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(ApiError::BadRequest { field, reason: "out_of_range" })
    }
}
