//! How mail leaves: through which server, and under which address.

use std::{fmt, str::FromStr};

pub use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor, transport::smtp::AsyncSmtpTransportBuilder};

use super::BadSetting;

/// Where mail goes on its way out, and from whom it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// The server that takes it.
    pub smtp: SmtpUrl,
    /// Who it is from.
    pub from: Mailbox,
}

/// `smtps://user:password@host:port`, or `smtp://…` where the connection is encrypted by STARTTLS before
/// anything is said. `smtp://…?tls=off` says all of it in the open. Shows its password to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(String);

impl SmtpUrl {
    /// Host and port, as they were written.
    #[must_use]
    pub fn server(&self) -> &str {
        server(&self.0)
    }

    /// A way to that server.
    pub(crate) fn transport(&self) -> AsyncSmtpTransportBuilder {
        transport(&self.0).expect("it was tried when the setting was read")
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({})", self.server())
    }
}

impl FromStr for SmtpUrl {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        // Not the text itself: it may hold a password.
        let bad =
            || BadSetting("is not like smtps://user:password@mail.example.org:465".to_owned());
        let usable = !server(text).is_empty() && transport(text).is_some();
        if usable { Ok(Self(text.to_owned())) } else { Err(bad()) }
    }
}

fn server(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or("");
    rest.rsplit_once('@').map_or(rest, |(_, server)| server)
}

/// The library's own default for `smtp://` would be to encrypt nothing.
fn transport(url: &str) -> Option<AsyncSmtpTransportBuilder> {
    let url = match url.split_once('?') {
        None if url.starts_with("smtp://") => format!("{url}?tls=required"),
        None if url.starts_with("smtps://") => url.to_owned(),
        Some((plain, "tls=off")) if plain.starts_with("smtp://") => plain.to_owned(),
        _ => return None,
    };
    AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_without_passwords() {
        let check = |text: &str, server: Option<&str>| {
            let url = text.parse::<SmtpUrl>();
            assert_eq!(url.as_ref().ok().map(SmtpUrl::server), server, "{text}");
            assert!(!format!("{url:?}").contains("geheim"), "{url:?}");
        };
        check("smtps://weft:geheim@mail.example.org:465", Some("mail.example.org:465"));
        check("smtps://weft%40example.org:geheim@mail.example.org", Some("mail.example.org"));
        check("smtp://weft:geheim@mail.example.org:587", Some("mail.example.org:587"));
        check("smtp://127.0.0.1:2525?tls=off", Some("127.0.0.1:2525"));
        check("smtp://weft:geheim@mail.example.org?tls=opportunistic", None);
        check("smtps://mail.example.org?tls=off", None);
        check("https://weft:geheim@mail.example.org", None);
        check("smtps://", None);
        check("mail.example.org", None);
    }
}
