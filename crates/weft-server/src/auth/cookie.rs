//! The browser's sign-in: cookie `weft_session`, which scripts cannot read. As a guest a browser has one cookie for each
//! room, `weft_guest_ROOM`, and says in the query which it speaks of. While it is on its way to a provider of OpenID Connect and back it has
//! `weft_oidc`, by https with the prefix `__Host-`: no other host can plant that.

use axum::http::{HeaderMap, HeaderValue, header};

use weft_core::RoomId;

use super::SIGN_IN_IDLE_MS_MAX;

const NAME: &str = "weft_session";
const GUEST_NAME: &str = "weft_guest_";
const JOURNEY_NAME: &str = "weft_oidc";
const JOURNEY_NAME_HTTPS: &str = "__Host-weft_oidc";

/// The session's token among the cookies, if there is one.
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    value_of(headers, NAME)
}

/// The token of the browser's guest in that room, if there is one.
pub fn guest_token<'a>(headers: &'a HeaderMap, room: &str) -> Option<&'a str> {
    value_of(headers, &format!("{GUEST_NAME}{room}"))
}

/// By what a browser is known that was sent to a provider, if it is one.
pub fn journey_secret(headers: &HeaderMap, secure: bool) -> Option<&str> {
    value_of(headers, journey_name(secure))
}

const fn journey_name(secure: bool) -> &'static str {
    if secure { JOURNEY_NAME_HTTPS } else { JOURNEY_NAME }
}

fn value_of<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then_some(value))
}

/// `Set-Cookie` for a new sign-in, or to move the end of one. `secure`: people come by https.
pub fn session_cookie(token: &str, secure: bool) -> HeaderValue {
    cookie(NAME, token, SIGN_IN_IDLE_MS_MAX / 1000, secure)
}

/// `Set-Cookie` for a guest in a room.
pub fn guest_cookie(room: RoomId, token: &str, max_age_seconds: u64, secure: bool) -> HeaderValue {
    cookie(&format!("{GUEST_NAME}{room}"), token, max_age_seconds, secure)
}

/// `Set-Cookie` that moves the end of the session among the cookies, if there is one.
pub fn renewed_cookie(headers: &HeaderMap, secure: bool) -> Option<HeaderValue> {
    session_token(headers).map(|token| session_cookie(token, secure))
}

/// `Set-Cookie` that removes the session.
pub fn clearing_cookie(secure: bool) -> HeaderValue {
    cookie(NAME, "", 0, secure)
}

/// `Set-Cookie` for a browser that is sent to a provider.
pub fn journey_cookie(secret: &str, max_age_seconds: u64, secure: bool) -> HeaderValue {
    cookie(journey_name(secure), secret, max_age_seconds, secure)
}

/// `Set-Cookie` for one that is back.
pub fn clearing_journey_cookie(secure: bool) -> HeaderValue {
    cookie(journey_name(secure), "", 0, secure)
}

fn cookie(name: &str, value: &str, max_age_seconds: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age_seconds}{secure}"
    );
    let mut header =
        HeaderValue::try_from(text).expect("tokens are visible ASCII, ours and those of headers");
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_cookies() {
        let check = |lines: &[&'static str], token: Option<&str>| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            assert_eq!(session_token(&headers), token, "{lines:?}");
        };
        check(&[], None);
        check(&["a=b; weft_session=abc; c=d"], Some("abc"));
        check(&["a=b", "weft_session=abc"], Some("abc"));
        check(&["xweft_session=abc", "weft_session"], None);
    }

    #[test]
    fn cookies_are_secure_over_https_alone() {
        let text = |header: HeaderValue| header.to_str().unwrap_or("").to_owned();
        assert_eq!(
            text(session_cookie("abc", true)),
            "weft_session=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000; Secure"
        );
        assert_eq!(
            text(journey_cookie("abc", 600, true)),
            "__Host-weft_oidc=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=600; Secure"
        );
        assert_eq!(
            text(journey_cookie("abc", 600, false)),
            "weft_oidc=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"
        );
        assert_eq!(
            text(clearing_cookie(false)),
            "weft_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        );
    }
}
