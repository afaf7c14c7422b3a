//! Who may depend on whom: every arrow between crates points at the core.

use serde_json::Value;

/// Each crate of ours, and those of ours that it may use. A new edge is a design change.
const ARROWS: [(&str, &[&str]); 11] = [
    ("weft-core", &[]),
    ("weft-proto", &["weft-core"]),
    ("weft-store", &["weft-core"]),
    ("weft-server", &["weft-core", "weft-proto", "weft-store"]),
    ("weft", &["weft-server", "weft-store"]),
    ("weft-harness", &["weft-core", "weft-proto"]),
    ("weft-shim", &[]),
    ("weft-sim", &["weft-core", "weft-proto"]),
    ("weft-bench", &["weft-core", "weft-proto", "weft-store"]),
    ("weft-fuzz", &["weft-core", "weft-proto"]),
    ("xtask", &[]),
];

/// What must never be a dependency of the core: runtimes, sockets, databases, wire formats, chance.
const NOT_IN_CORE: [&str; 8] =
    ["tokio", "axum", "sqlx", "sea-orm", "rand", "getrandom", "prost", "reqwest"];

pub fn offences(metadata: &Value) -> Vec<String> {
    let ours: Vec<&Value> = packages_of_ours(metadata);
    let names: Vec<&str> = ours.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut found = Vec::new();
    for package in &ours {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ARROWS.iter().find(|(ours, _)| *ours == name) else {
            found.push(format!("{name}: a crate without a line in xtask/src/tidy/arrows.rs"));
            continue;
        };
        for dependency in array(&package["dependencies"]) {
            let other = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            if names.contains(&other) && !allowed.contains(&other) {
                found.push(format!("{name}: may not depend on {other}"));
            }
            if name == "weft-core" && !for_tests && NOT_IN_CORE.contains(&other) {
                found.push(format!("{name}: may not depend on {other}, it does no IO"));
            }
        }
    }
    found
}

fn packages_of_ours(metadata: &Value) -> Vec<&Value> {
    let members = array(&metadata["workspace_members"]);
    array(&metadata["packages"]).iter().filter(|package| members.contains(&package["id"])).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::offences;

    #[test]
    fn arrows_that_point_away_from_the_core_are_found() {
        let metadata = json!({
            "workspace_members": ["core", "store", "new"],
            "packages": [
                {"id": "core", "name": "weft-core", "dependencies": [
                    {"name": "bytes", "kind": null},
                    {"name": "rand", "kind": "dev"},
                    {"name": "tokio", "kind": null},
                ]},
                {"id": "store", "name": "weft-store", "dependencies": [
                    {"name": "tokio", "kind": null},
                    {"name": "weft-core", "kind": null},
                    {"name": "weft-proto", "kind": "dev"},
                ]},
                {"id": "new", "name": "weft-proto", "dependencies": []},
                {"id": "tokio", "name": "tokio", "dependencies": [{"name": "rand", "kind": null}]},
            ],
        });
        assert_eq!(
            offences(&metadata),
            [
                "weft-core: may not depend on tokio, it does no IO",
                "weft-store: may not depend on weft-proto",
            ]
        );
    }
}
