//! The papers and the code name the same limits, rules and codes.

use std::collections::BTreeSet;

use super::Tree;

/// Where the server's limits may be named.
const CONFIG: [&str; 2] =
    ["crates/weft-server/src/config/limits.rs", "crates/weft-server/src/config.rs"];
const LIMITS: &str = "docs/limits.md";
const PROTOCOL: &str = "docs/protocol.md";
const API: &str = "docs/api.md";

pub fn offences(tree: &Tree) -> Vec<String> {
    let mut found = limits(tree);
    found.extend(rules(tree));
    found.extend(codes(tree));
    found
}

/// Every limit that can be set has its reason in `docs/limits.md`.
fn limits(tree: &Tree) -> Vec<String> {
    let Some(names) = CONFIG.iter().find_map(|path| limit_names(tree.text(path)?)) else {
        return vec![format!("{}: holds no limits", CONFIG.join(", "))];
    };
    let Some(text) = tree.text(LIMITS) else {
        return vec![format!("{LIMITS}: missing")];
    };
    let explained: BTreeSet<&str> = backticked(text).collect();
    let missing = names.into_iter().filter(|name| !explained.contains(name));
    missing.map(|name| format!("{LIMITS}: does not explain `{name}`")).collect()
}

/// The names in a `limits!` list (`name = default, …`), or the fields of `struct Limits`.
fn limit_names(config: &str) -> Option<Vec<&str>> {
    let list = |start: &str| config.split_once(start)?.1.split_once("\n}").map(|(body, _)| body);
    let (body, sign) = match list("\nlimits! {") {
        Some(body) => (body, '='),
        None => (list("struct Limits {")?, ':'),
    };
    let lines = body.lines().map(str::trim).filter(|line| !line.starts_with(['/', '#', '"']));
    let names = lines.filter_map(|line| line.split_once(sign)?.0.split_whitespace().last());
    let names: Vec<&str> = names.filter(|name| is_word(name)).collect();
    Some(names).filter(|names| !names.is_empty())
}

/// Every rule that a comment cites stands in `docs/protocol.md`.
fn rules(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.text(PROTOCOL) else {
        return vec![format!("{PROTOCOL}: missing")];
    };
    let known: BTreeSet<&str> = text.split("**").filter(|part| is_rule(part)).collect();
    let mut found = Vec::new();
    for (path, text) in tree.texts("", &[".rs", ".ts", ".tsx", ".mjs"]) {
        for (index, line) in text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else { continue };
            let words = comment.split(|letter: char| !letter.is_ascii_alphanumeric());
            for word in words.filter(|word| is_rule(word) && !known.contains(word)) {
                found.push(format!("{path}:{}: cites {word}, no rule of {PROTOCOL}", index + 1));
            }
        }
    }
    found
}

/// `R3`, `L10`: the letters that `docs/protocol.md` uses, and a number.
fn is_rule(word: &str) -> bool {
    let digits = word.strip_prefix(['R', 'L']).unwrap_or_default();
    matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Every code that a fault is made with stands in `docs/protocol.md` or `docs/api.md`.
fn codes(tree: &Tree) -> Vec<String> {
    let papers = [PROTOCOL, API].map(|path| tree.text(path).unwrap_or_default()).concat();
    let known: BTreeSet<&str> = backticked(&papers).collect();
    let mut found = Vec::new();
    for source in ["crates/weft-core/src/", "crates/weft-server/src/"] {
        let files = tree.texts(source, &[".rs"]).filter(|(path, _)| !path.ends_with("/tests.rs"));
        for (path, text) in files {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (index, line) in code.lines().enumerate() {
                for code in codes_of(line).filter(|code| !known.contains(code)) {
                    let place = format!("{path}:{}", index + 1);
                    found.push(format!("{place}: the code `{code}` stands in no document"));
                }
            }
        }
    }
    found
}

/// What stands as a literal where faults take their code.
fn codes_of(line: &str) -> impl Iterator<Item = &str> {
    ["Fault::new(\"", "Fault::of(\"", "ApiError::new(\"", "code: \""]
        .into_iter()
        .flat_map(|start| line.split(start).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|code| code.split('.').all(is_word))
}

fn backticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_word(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.bytes().all(letters)
}

#[cfg(test)]
mod tests {
    use super::{API, CONFIG, LIMITS, PROTOCOL, Tree, codes, limits, rules};

    #[test]
    fn limits_without_a_reason_are_found() {
        let config = "
/// What may be set.
pub struct Limits {
    /// Bytes of one message.
    pub frame_bytes_max: usize,
    #[serde(default)]
    pub(crate) heartbeat_ms: u64,
}
pub struct Other { pub ignored: u64 }
";
        let list = "
limits! {
    frame_bytes_max = 65_536, \"bytes\",
        \"why = this\";
    heartbeat_ms = 15_000, \"milliseconds\", \"why\";
}
";
        for config in [config, list] {
            let tree = Tree::of(&[(CONFIG[1], config), (LIMITS, "| `frame_bytes_max` | why |")]);
            assert_eq!(limits(&tree), ["docs/limits.md: does not explain `heartbeat_ms`"]);
        }
    }

    #[test]
    fn citations_of_unknown_rules_are_found() {
        let test = "// Held by R1 and L10.\nlet L7 = 1; // see L2\n";
        let tree = Tree::of(&[(PROTOCOL, "**R1** a. **L10** b."), ("xtask/a.rs", test)]);
        assert_eq!(rules(&tree), ["xtask/a.rs:2: cites L2, no rule of docs/protocol.md"]);
    }

    #[test]
    fn codes_that_no_document_explains_are_found() {
        let code = "Fault::new(\"known\");\nFault { code: \"order.unknown\" }\n\
            #[cfg(test)]\nFault::new(\"made_up\")\n";
        let path = "crates/weft-core/src/a.rs";
        let tree = Tree::of(&[(PROTOCOL, "`known`"), (API, ""), (path, code)]);
        assert_eq!(
            codes(&tree),
            ["crates/weft-core/src/a.rs:2: the code `order.unknown` stands in no document"]
        );
    }
}
