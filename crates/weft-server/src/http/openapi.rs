//! The OpenAPI document, and the page that shows it.
//!
//! Handlers declare path, method, form, answer, who may call (`x-weft-access`) and which codes they
//! refuse with above those that follow from that (`x-weft-codes`). The rest is put in here, by rule, so that it is said
//! once: names of the path, answers of refusals, security, which fields an answer always has.
//!
//! Start at [`finished`].

use std::collections::BTreeSet;

use axum::{Router, body::Bytes};
use serde_json::{Map, Value, json};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::state::AppState;

const PREFIX: &str = "/api/v1";
const DOCUMENT: &str = "/api/openapi.json";

/// The table of `docs/api.md`.
const STATUSES: [(u16, &[&str]); 13] = [
    (400, &["bad_request", "bad_json"]),
    (
        401,
        &[
            "not_signed_in",
            "wrong_credentials",
            "second_factor_needed",
            "wrong_code",
            "link_password_needed",
            "wrong_link_password",
        ],
    ),
    (
        403,
        &[
            "no_right",
            "no_scope",
            "sign_in_needed",
            "sign_in_again",
            "registration_closed",
            "bad_origin",
        ],
    ),
    (404, &["not_found"]),
    (405, &["bad_method"]),
    (
        409,
        &[
            "username_taken",
            "email_taken",
            "key_taken",
            "setup_done",
            "second_factor_on",
            "identity_linked",
            "no_password",
            "last_admin",
            "heir_needed",
            "no_mail",
            "set_at_start",
            "not_merged",
            "trashed",
            "room_full",
        ],
    ),
    (410, &["link_expired", "oidc_expired"]),
    (413, &["too_large", "op_too_large"]),
    (422, &["op_malformed", "missing_predecessors", "quarantined"]),
    (429, &["too_many_attempts", "too_many_connections"]),
    (502, &["mail_failed", "oidc_unreachable"]),
    (503, &["store_failed", "room_unavailable", "busy"]),
    (507, &["quota_exceeded"]),
];

/// What the names in paths stand for.
const NAMES: [(&str, &str); 12] = [
    ("delivery", "Number of a delivery"),
    ("folder", "Id of a folder"),
    ("grantee", "User name, or id of a person or a space"),
    ("hash", "SHA-256 of the picture, in hex"),
    ("invite", "Id of a link"),
    ("person", "Id of a person"),
    ("room", "Id of a room, or one's own key for it"),
    ("sign_in", "Id of a sign-in"),
    ("space", "Id of a space"),
    ("token", "Id of a personal access token"),
    ("username", "User name"),
    ("webhook", "Id of a webhook"),
];

/// A document without calls.
pub(super) fn beginning() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Weft")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Errors are `{\"error\": {\"code\", \"params\"}}`; codes are stable. Times are milliseconds since \
             1970. Who may make a call is in its `x-weft-access`: the credential (`none`; `sign-in`; \
             `token`, which a sign-in is too; `any`, which a room token is too), the scope that a \
             personal access token needs, and the right on the room, folder or space.",
        ))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// The page that shows the document. All of it is in the program.
pub(super) fn pages() -> Router<AppState> {
    // Nobody else is asked whether the document is valid.
    let config = Config::new([DOCUMENT]).validator_url("none").show_extensions(true);
    SwaggerUi::new("/api/docs").config(config).into()
}

/// The document with all that follows from what it says, as JSON.
pub(super) fn finished(document: OpenApi) -> Bytes {
    let mut document =
        serde_json::to_value(document).expect("a document that was made in code is JSON");
    document["servers"] = json!([{"url": "/"}]);
    document["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "weft_session"},
    });
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        for (_, schema) in schemas.iter_mut().filter(|(name, _)| !name.ends_with("Form")) {
            require_all(schema);
        }
        schemas.insert("Error".to_owned(), error());
    }
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, call) in item.as_object_mut().into_iter().flatten() {
            if let Some(call) = call.as_object_mut() {
                finish(path, method, call);
            }
        }
    }
    Bytes::from(document.to_string())
}

fn error() -> Value {
    let params = json!({"type": "object"});
    let error = json!({
        "type": "object",
        "required": ["code", "params"],
        "properties": {"code": {"type": "string"}, "params": params},
    });
    json!({"type": "object", "required": ["error"], "properties": {"error": error}})
}

/// Answers have all their fields, null ones included, but those that are declared as never null: they are left
/// out.
fn require_all(schema: &mut Value) {
    let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
    parts.into_iter().flatten().for_each(require_all);
    let Some(properties) = schema["properties"].as_object() else { return };
    let said = schema["required"].as_array().cloned().unwrap_or_default();
    let always =
        |(name, schema): &(&String, &Value)| said.contains(&json!(name)) || may_be_null(schema);
    schema["required"] = properties.iter().filter(always).map(|(name, _)| json!(name)).collect();
}

fn may_be_null(schema: &Value) -> bool {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")))
        || alternatives.into_iter().any(|schema| schema["type"] == "null")
}

fn finish(path: &str, method: &str, call: &mut Map<String, Value>) {
    let below = path.strip_prefix(PREFIX);
    let parts = below.unwrap_or(path).split('/').filter(|part| !part.is_empty());
    let words: Vec<&str> = parts.map(|part| part.trim_matches(['{', '}'])).collect();
    call.insert("operationId".to_owned(), json!(format!("{method}_{}", words.join("_"))));
    let tag = if below.is_some() { words[0] } else { "operation" };
    call.insert("tags".to_owned(), json!([tag]));
    let codes = codes(path, method, call);
    for code in &codes {
        let known = STATUSES.iter().any(|(_, all)| all.contains(&code.as_str()));
        assert!(known, "{method} {path}: the code {code} has no status");
    }
    name_parts(path, call);
    if call["x-weft-access"]["credential"] != "none" {
        call.insert("security".to_owned(), json!([{"bearer": []}, {"cookie": []}]));
    }
    call.remove("x-weft-codes");
    for (status, all) in STATUSES {
        let told: Vec<&str> = all.iter().copied().filter(|code| codes.contains(*code)).collect();
        if !told.is_empty() {
            call["responses"][status.to_string()] = refusal(status, &told);
        }
    }
}

/// Adds what the path's names stand for to what the handler says of its query.
fn name_parts(path: &str, call: &mut Map<String, Value>) {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let describe = |name: &str| {
        let (_, text) = NAMES.into_iter().find(|(known, _)| *known == name)?;
        Some(json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": text,
            "schema": {"type": "string"},
        }))
    };
    let named = names.map(|name| describe(name).expect("every name in a path is described"));
    let mut all: Vec<Value> = named.collect();
    if let Some(Value::Array(said)) = call.remove("parameters") {
        all.extend(said.into_iter().filter(|parameter| parameter["in"] != "path"));
    }
    if !all.is_empty() {
        call.insert("parameters".to_owned(), all.into());
    }
}

/// The codes that the handler names, and those that follow from who may call, and with what.
fn codes(path: &str, method: &str, call: &Map<String, Value>) -> BTreeSet<String> {
    let said = call.get("x-weft-codes").and_then(Value::as_array).into_iter().flatten();
    let mut codes: BTreeSet<String> = said.filter_map(Value::as_str).map(str::to_owned).collect();
    let mut add = |all: &[&str]| codes.extend(all.iter().map(|&code| code.to_owned()));
    let access = call.get("x-weft-access").expect("every call says who may make it");
    match access["credential"].as_str() {
        Some("sign-in") => add(&["not_signed_in", "sign_in_needed"]),
        Some("token") => add(&["not_signed_in", "no_scope"]),
        // A room token may have to make its room first.
        Some("any") => add(&["not_signed_in", "no_scope", "quota_exceeded"]),
        _ => {}
    }
    if access["credential"] != "none" && method != "get" {
        add(&["bad_origin"]);
    }
    match access["right"].as_str() {
        None => {}
        Some("admin") => add(&["no_right"]),
        Some("read" | "invited") => add(&["not_found"]),
        Some(_) => add(&["not_found", "no_right"]),
    }
    if path.contains('{') {
        add(&["not_found"]);
    }
    if let Some(body) = call.get("requestBody") {
        match body["content"].get("application/json") {
            Some(_) => add(&["bad_json", "bad_request", "too_large"]),
            None => add(&["bad_request"]),
        }
    }
    if call.contains_key("parameters") {
        add(&["bad_request"]);
    }
    if path.starts_with(PREFIX) {
        // The front door counts connections before anything is known of a call.
        add(&["store_failed", "too_many_connections"]);
    }
    codes
}

fn refusal(status: u16, codes: &[&str]) -> Value {
    let code = json!({"properties": {"code": {"enum": codes}}});
    let schema = json!({"allOf": [
        {"$ref": "#/components/schemas/Error"},
        {"properties": {"error": code}},
    ]});
    let text: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let mut refusal = json!({
        "description": text.join(", "),
        "content": {"application/json": {"schema": schema}},
    });
    if status == 429 {
        let seconds = json!({"type": "integer"});
        refusal["headers"] = json!({"Retry-After": {"description": "Seconds", "schema": seconds}});
    }
    refusal
}
