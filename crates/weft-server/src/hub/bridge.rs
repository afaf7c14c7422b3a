//! Cursors of a document between the native protocol's presence and the awareness of Yjs clients, so
//! that both kinds of editors see each other.

use bytes::Bytes;
use serde_json::{Value, json};

/// The palette of `web/src/theme`, for editors that want a colour and not a number. From the 13th
/// on colours repeat.
const COLORS: [&str; 12] = [
    "#000DB8", "#9E6D00", "#0A7E81", "#855FC2", "#1F4730", "#300C3A", "#7A4F5D", "#647650",
    "#490F01", "#934319", "#185B81", "#1F1F1F",
];

/// A native cursor as an awareness state: the Yjs client id and the state's JSON.
pub(super) fn to_awareness(data: &[u8], name: &str, color: u32) -> Option<(u64, Bytes)> {
    let data: Value = serde_json::from_slice(data).ok()?;
    let client = data.get("clientId")?.as_u64()?;
    let color = COLORS[(color as usize).saturating_sub(1) % COLORS.len()];
    let mut state = json!({"user": {"name": name, "color": color}});
    let (anchor, head) = (data.get("anchor"), data.get("head"));
    if let (Some(anchor @ Value::Object(_)), Some(head @ Value::Object(_))) = (anchor, head) {
        state["cursor"] = json!({"anchor": anchor, "head": head});
    }
    Some((client, state.to_string().into()))
}

/// An awareness state as a native cursor.
pub(super) fn from_awareness(client: u64, state: &[u8]) -> Option<Bytes> {
    let state: Value = serde_json::from_slice(state).ok()?;
    let cursor = state.get("cursor").cloned().unwrap_or_default();
    let end = |name: &str| cursor.get(name).cloned().unwrap_or(Value::Null);
    let data = json!({
        "clientId": client, "anchor": end("anchor"), "head": end("head"), "idle": false,
    });
    Some(data.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_there_and_back() {
        let native = json!({"clientId": 7, "anchor": {"a": 1}, "head": {"a": 2}, "idle": false});
        let (client, state) = to_awareness(native.to_string().as_bytes(), "Lin", 14).unwrap();
        let parsed: Value = serde_json::from_slice(&state).unwrap();
        assert_eq!(
            parsed,
            json!({
                "user": {"name": "Lin", "color": "#9E6D00"},
                "cursor": {"anchor": {"a": 1}, "head": {"a": 2}},
            })
        );
        let back: Value = serde_json::from_slice(&from_awareness(client, &state).unwrap()).unwrap();
        assert_eq!(back, native);
    }

    #[test]
    fn what_is_no_cursor_is_passed_over() {
        assert_eq!(to_awareness(b"{", "x", 1), None);
        assert_eq!(to_awareness(br#"{"clientId": -1}"#, "x", 1), None);
        assert_eq!(from_awareness(1, b"nonsense"), None);
        let nowhere = from_awareness(1, b"[]").unwrap();
        assert!(nowhere.starts_with(b"{"));
    }
}
