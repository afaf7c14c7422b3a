//! The OpenAPI document, as a measure: every answer that any test gets is held against it.

use reqwest::Method;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::support::{Answer, Caller};

static DOCUMENT: OnceCell<Value> = OnceCell::const_new();

/// One call that the document describes.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub call: &'a Value,
}

impl<'a> Operation<'a> {
    pub fn id(&self) -> &'a str {
        self.call["operationId"].as_str().unwrap()
    }

    pub fn access(&self, what: &str) -> Option<&'a str> {
        self.call["x-weft-access"][what].as_str()
    }

    /// Whether it may be answered with this status and code.
    pub fn tells(&self, status: &str, code: &str) -> bool {
        let schema = &self.call["responses"][status]["content"]["application/json"]["schema"];
        let codes = &schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"];
        codes.as_array().is_some_and(|codes| codes.iter().any(|known| known == code))
    }

    fn is_of(&self, method: &Method, path: &str) -> bool {
        let (mine, asked): (Vec<_>, Vec<_>) =
            (self.path.split('/').collect(), path.split('/').collect());
        let fits = |(mine, asked): (&&str, &&str)| mine.starts_with('{') || mine == asked;
        let is_same = mine.len() == asked.len() && mine.iter().zip(&asked).all(fits);
        is_same && self.method.eq_ignore_ascii_case(method.as_str())
    }
}

/// Every server's is the same.
pub async fn document(caller: &Caller) -> &'static Value {
    let fetch = async || {
        let answer = caller.http.get(format!("{}/api/openapi.json", caller.base)).send().await;
        answer.unwrap().json().await.unwrap()
    };
    DOCUMENT.get_or_init(fetch).await
}

pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, call) in item.as_object().unwrap() {
            all.push(Operation { method, path, call });
        }
    }
    all
}

/// That the document says what this answer is.
#[track_caller]
pub fn holds(document: &Value, method: &Method, path: &str, answer: &Answer) {
    let path = path.split(['?', '#']).next().unwrap();
    let found = operations(document).into_iter().find(|operation| operation.is_of(method, path));
    let what = format!("{}: {} {}", answer.call, answer.status, answer.text);
    let Some(operation) = found else {
        assert!([404, 405].contains(&answer.status), "not in the document: {what}");
        return;
    };
    let response = &operation.call["responses"][answer.status.to_string()];
    assert!(!response.is_null(), "a status that is not in the document: {what}");
    let Some(content) = response["content"].as_object() else {
        assert_eq!(answer.text, "", "the document tells of no body: {what}");
        return;
    };
    let kind = answer.header("content-type").split(';').next().unwrap();
    let Some(media) = content.get(kind) else { panic!("{kind} is not in the document: {what}") };
    if kind == "application/json" {
        let value: Value = serde_json::from_str(&answer.text).expect("JSON");
        let faults = faults(document, &[&media["schema"]], &value);
        assert_eq!(faults, Vec::<String>::new(), "{what}");
    }
}

/// In what a value differs from these schemas, all of which it must be of, and which together name all that it has.
fn faults(document: &Value, schemas: &[&Value], value: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for &schema in schemas {
        flatten(document, schema, &mut all);
    }
    let mut found = Vec::new();
    let mut has_properties = false;
    for schema in &all {
        if let Some(choices) = schema["oneOf"].as_array() {
            let fits =
                choices.iter().filter(|choice| faults(document, &[choice], value).is_empty());
            if fits.count() != 1 {
                found.push(format!("{value} is not one of {schema}"));
            }
        }
        let types = match &schema["type"] {
            Value::Null => Vec::new(),
            Value::Array(types) => types.iter().collect(),
            one => vec![one],
        };
        if !types.is_empty() && !types.iter().any(|name| is_a(name.as_str().unwrap(), value)) {
            found.push(format!("{value} is no {}", schema["type"]));
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            found.push(format!("{value} is not in {words:?}"));
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                found.push(format!("{name} is missing"));
            }
        }
        for item in value.as_array().into_iter().flatten() {
            if schema["items"].is_object() {
                found.extend(faults(document, &[&schema["items"]], item));
            }
        }
        has_properties |= schema["properties"].is_object();
    }
    for (name, part) in value.as_object().into_iter().flatten().filter(|_| has_properties) {
        let of: Vec<&Value> =
            all.iter().filter_map(|schema| schema["properties"].get(name)).collect();
        if of.is_empty() {
            found.push(format!("{name} is not in the document"));
        } else {
            found.extend(faults(document, &of, part));
        }
    }
    found
}

/// The schema and all that it consists of.
fn flatten<'a>(document: &'a Value, schema: &'a Value, into: &mut Vec<&'a Value>) {
    match schema["$ref"].as_str() {
        Some(name) => {
            flatten(document, document.pointer(name.trim_start_matches('#')).unwrap(), into)
        }
        None => into.push(schema),
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        flatten(document, part, into);
    }
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other} is used so far"),
    }
}
