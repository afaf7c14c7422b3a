//! The OpenAPI document, what `docs/api.md` says, and the page that shows it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    document::{document, operations},
    support::Server,
};

const PAPER: &str = include_str!("../../../../docs/api.md");

/// `GET /rooms/{}` for each call of a table in the paper.
fn calls_in_the_paper() -> BTreeSet<String> {
    let rows = PAPER.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let mut calls = BTreeSet::new();
    for cell in cells.filter(|cell| cell.contains('/')) {
        let words: Vec<&str> =
            cell.split(['`', ' ', ',']).filter(|word| !word.is_empty()).collect();
        let (methods, paths): (Vec<&str>, Vec<&str>) =
            words.iter().partition(|word| word.bytes().all(|byte| byte.is_ascii_uppercase()));
        for method in methods {
            for path in paths.iter().filter(|path| path.starts_with('/')) {
                calls.insert(format!("{method} {}", nameless(path)));
            }
        }
    }
    calls
}

/// The path with its names left out, which differ.
fn nameless(path: &str) -> String {
    let path = path.split('?').next().unwrap();
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn the_paper_and_the_document_have_the_same_calls() {
    let server = Server::open().await;
    let document = document(&server.stranger()).await;
    let calls: BTreeSet<String> = operations(document)
        .iter()
        .filter_map(|operation| {
            let path = operation.path.strip_prefix("/api/v1")?;
            Some(format!("{} {}", operation.method.to_uppercase(), nameless(path)))
        })
        .collect();
    let paper: BTreeSet<String> = calls_in_the_paper();
    let missing: Vec<_> = calls.difference(&paper).collect();
    assert!(missing.is_empty(), "not in docs/api.md: {missing:?}");
    let made_up: Vec<_> = paper.difference(&calls).collect();
    assert!(made_up.is_empty(), "in docs/api.md only: {made_up:?}");
    assert!(calls.len() > 50, "{}", calls.len());
}

#[tokio::test]
async fn the_paper_and_the_document_give_codes_the_same_status() {
    let server = Server::open().await;
    let document = document(&server.stranger()).await;
    let mut seen = BTreeSet::new();
    for operation in operations(document) {
        for (status, response) in operation.call["responses"].as_object().unwrap() {
            let parts = &response["content"]["application/json"]["schema"]["allOf"];
            let codes = &parts[1]["properties"]["error"]["properties"]["code"]["enum"];
            for code in codes.as_array().into_iter().flatten() {
                let row = format!("| {status} | ");
                let row = PAPER.lines().find(|line| line.starts_with(&row)).expect(status);
                let code = code.as_str().unwrap();
                // What needs a defect of the server stands below the table.
                let is_told = row.contains(&format!("`{code}`"))
                    || PAPER.contains(&format!("{status} `{code}`"));
                assert!(is_told, "{status} {code}");
                seen.insert(code.to_owned());
            }
        }
    }
    assert!(seen.len() > 25, "{seen:?}");
}

#[tokio::test]
async fn every_call_is_described() {
    let server = Server::open().await;
    let document = document(&server.stranger()).await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for operation in operations(document) {
        let what = operation.id();
        assert!(ids.insert(what), "{what} twice");
        assert!(operation.call["summary"].is_string(), "{what}");
        let credential = operation.access("credential").unwrap();
        let scope = operation.access("scope");
        match credential {
            "none" | "sign-in" => assert_eq!(scope, None, "{what}"),
            "token" | "any" => assert!(scope.is_some(), "{what}"),
            other => panic!("{what}: {other}"),
        }
        assert_eq!(operation.call["security"].is_array(), credential != "none", "{what}");
        let names = operation.path.matches('{').count();
        let parameters = operation.call["parameters"].as_array();
        let parameters = parameters.into_iter().flatten();
        let in_path = parameters.filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(in_path, names, "{what}");
    }
    // Nothing is named that is not there.
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document.pointer(name).is_some_and(Value::is_object), "{name}");
    }
}

#[tokio::test]
async fn the_page_that_shows_it_comes_from_the_program() {
    let server = Server::open().await;
    let anyone = server.stranger();
    let page = anyone.get("//api/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    assert!(!page.text.contains("https://"), "{}", page.text);
    let begin = anyone.get("//api/docs/swagger-initializer.js").await;
    assert!(begin.text.contains("/api/openapi.json"), "{}", begin.text);
    anyone.get("//api/docs/../v1/none").await.refused(404, "not_found");
    assert_eq!(anyone.get("//api/docs/none.js").await.status, 404);
}
