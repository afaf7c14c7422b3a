//! What a server is told from outside: where to listen, where to store, who may register, limits.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use crate::auth::Network;

mod limits;
mod mail;
mod oidc;

pub use limits::{LimitRow, Limits};
pub use mail::{MailConfig, Mailbox, SmtpUrl};
pub use oidc::{ClientSecret, EmailDomain, Issuer, OidcConfig};

/// Everything that a server is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where everything is stored. Made with mode 0700 if absent.
    pub data_dir: PathBuf,
    /// Who may make an account; `None`: what an administrator has said, at first those with an invite link.
    pub registration: Option<Registration>,
    /// Under which address people reach the server, if it is not the one it listens on.
    pub public_url: Option<PublicUrl>,
    /// How mail leaves, if it does. Links in it need `public_url`.
    pub mail: Option<MailConfig>,
    /// By way of whom people may sign in too.
    pub oidc: Option<OidcConfig>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Networks into which webhooks may be sent, by http, too; otherwise they go to public addresses by https.
    pub webhook_networks: Vec<Network>,
    /// Every limit, by name.
    pub limits: Limits,
}

impl Config {
    /// The defaults, with this address and folder.
    #[must_use]
    pub fn new(listen: SocketAddr, data_dir: PathBuf) -> Self {
        Self {
            listen,
            data_dir,
            registration: None,
            public_url: None,
            mail: None,
            oidc: None,
            trusted_proxies: Vec::new(),
            webhook_networks: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    Open,
    /// Whoever holds an invite link.
    Invite,
    /// Nobody.
    Closed,
}

impl Registration {
    /// The name that settings and the API use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for Registration {
    type Err = BadSetting;
    fn from_str(text: &str) -> Result<Self, BadSetting> {
        [Self::Open, Self::Invite, Self::Closed]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| BadSetting(format!("{text:?} is none of open, invite, closed")))
    }
}

/// A setting that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSetting(pub String);

/// `https://host[:port]`, as a browser writes it in `Origin`: no path, lower case, no default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether traffic to it is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = BadSetting;
    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let bad = || BadSetting(format!("{text:?} is not like https://weft.example.org"));
        let lower = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let (scheme, host) = lower.split_once("://").ok_or_else(bad)?;
        let default_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(bad()),
        };
        let host = host.strip_suffix(default_port).unwrap_or(host);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(bad());
        }
        Ok(Self(format!("{scheme}://{host}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_are_origins() {
        let check = |text: &str, origin: Option<&str>| {
            let parsed = text.parse::<PublicUrl>().ok();
            assert_eq!(parsed.as_ref().map(PublicUrl::as_str), origin, "{text}");
        };
        check("https://Weft.example.org/", Some("https://weft.example.org"));
        check("https://weft.example.org:443", Some("https://weft.example.org"));
        check("http://10.0.0.7:8080", Some("http://10.0.0.7:8080"));
        check("http://[::1]:8080", Some("http://[::1]:8080"));
        check("https://example.org/weft", None);
        check("https://", None);
        check("ftp://example.org", None);
        check("https://user@example.org", None);
        check("example.org", None);
    }
}
