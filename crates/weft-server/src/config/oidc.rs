//! Through whom people may sign in besides with a password: one provider of OpenID Connect.

use std::{net::IpAddr, str::FromStr};

pub use openidconnect::ClientSecret;
use openidconnect::{IssuerUrl, url::Host};

use super::BadSetting;

/// The provider, and how far it is trusted.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    /// Whose word counts.
    pub issuer: Issuer,
    /// What the provider calls this server.
    pub client_id: String,
    /// With what this server shows that it is that; `None`: the provider takes it for a public client. Never printed.
    pub client_secret: Option<ClientSecret>,
    /// What people know the provider by; `None`: its host.
    pub name: Option<String>,
    /// What is asked of the provider besides `openid`.
    pub scopes: Vec<String>,
    /// Whether whoever it vouches for gets an account, also where registration is not open.
    pub sign_up: bool,
    /// In which of these domains the verified address of a new account must be; empty: anywhere, or nowhere.
    pub email_domains: Vec<EmailDomain>,
}

impl OidcConfig {
    /// What the provider is asked for unless said otherwise.
    pub const SCOPES: [&str; 2] = ["profile", "email"];

    /// What people know the provider by.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        let host = || self.issuer.0.url().host_str().unwrap_or_default();
        self.name.as_deref().unwrap_or_else(host)
    }
}

/// `https://…`, exactly as the provider spells itself. `http://…` on this machine alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(IssuerUrl);

impl Issuer {
    /// As the library has it.
    pub(crate) const fn url(&self) -> &IssuerUrl {
        &self.0
    }

    /// As the provider spells itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is on this machine, where nobody listens in.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self.0.url().host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => false,
        }
    }
}

impl FromStr for Issuer {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let bad = || BadSetting(format!("{text:?} is not like https://login.example.org"));
        let issuer = Self(IssuerUrl::new(text.to_owned()).map_err(|_| bad())?);
        let url = issuer.0.url();
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        match url.scheme() {
            "https" if plain && url.has_host() => Ok(issuer),
            "http" if plain && issuer.is_local() => Ok(issuer),
            _ => Err(bad()),
        }
    }
}

/// `example.org`: what stands behind the `@` of an address, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailDomain(String);

impl EmailDomain {
    /// Whether the address is in it. Those below it are others.
    #[must_use]
    pub fn holds(&self, email: &str) -> bool {
        email.rsplit_once('@').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(&self.0))
    }
}

impl FromStr for EmailDomain {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
        if text.is_empty() || !text.chars().all(fits) {
            return Err(BadSetting(format!("{text:?} is not like example.org")));
        }
        Ok(Self(text.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_encrypted_or_local() {
        let check = |text: &str, fits: bool| {
            let issuer = text.parse::<Issuer>();
            assert_eq!(issuer.as_ref().ok().map(Issuer::as_str), fits.then_some(text));
        };
        check("https://login.example.org", true);
        check("https://login.example.org/realms/weft", true);
        check("https://login.example.org/", true);
        check("http://127.0.0.1:4000", true);
        check("http://[::1]:4000", true);
        check("http://localhost:4000/oidc", true);
        check("http://login.example.org", false);
        check("http://localhost.example.org", false);
        check("https://user@login.example.org", false);
        check("https://login.example.org/?a=b", false);
        check("https://login.example.org/#a", false);
        check("ftp://login.example.org", false);
        check("login.example.org", false);
        check("", false);
    }

    #[test]
    fn addresses_are_in_their_own_domain_alone() {
        let domain: EmailDomain = "Example.org".parse().unwrap();
        assert!(domain.holds("lin@example.org"));
        assert!(domain.holds("lin@EXAMPLE.ORG"));
        assert!(!domain.holds("lin@mail.example.org"));
        assert!(!domain.holds("lin@evil-example.org"));
        assert!(!domain.holds("example.org"));
        assert!("@example.org".parse::<EmailDomain>().is_err());
    }
}
