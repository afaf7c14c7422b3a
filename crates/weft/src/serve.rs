//! `weft serve`: settings in, a server until it is told to stop.

use std::{env, fs, net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, ensure};
use tokio::signal::unix::{Signal, SignalKind, signal};
use weft_server::{
    Config,
    auth::Network,
    config::{
        ClientSecret, EmailDomain, Issuer, Limits, MailConfig, Mailbox, OidcConfig, PublicUrl,
        Registration, SmtpUrl,
    },
};

/// Settings of a server. Each is also read from the environment, as `WEFT_…`.
#[derive(clap::Args)]
pub struct Args {
    /// Where to listen.
    #[arg(long, env = "WEFT_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR")]
    listen: SocketAddr,

    /// Where everything is stored; made if absent, for this user alone.
    #[arg(long, env = "WEFT_DATA_DIR", default_value = "./weft-data", value_name = "DIR")]
    data_dir: PathBuf,

    /// Who may make an account, for good: `open`, `invite` or `closed`. Without it administrators say so, and
    /// at first it takes an invite link.
    #[arg(long, env = "WEFT_REGISTRATION", value_name = "MODE")]
    registration: Option<Registration>,

    /// Under which address people reach the server, such as `https://weft.example.org`.
    #[arg(long, env = "WEFT_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,

    /// The server that takes mail: `smtps://user:password@host:port`, or `smtp://…` with STARTTLS. Best set in
    /// the environment, where other users of the machine do not see the password.
    #[arg(
        long, env = "WEFT_SMTP_URL", hide_env_values = true, value_name = "URL",
        requires_all = ["mail_from", "public_url"]
    )]
    smtp_url: Option<String>,

    /// Who mail is from, such as `Weft <weft@example.org>`.
    #[arg(long, env = "WEFT_MAIL_FROM", value_name = "ADDRESS", requires = "smtp_url")]
    mail_from: Option<Mailbox>,

    #[command(flatten)]
    oidc: Oidc,

    /// Network of proxies whose `X-Forwarded-For` is believed (repeatable).
    #[arg(long, env = "WEFT_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    trusted_proxy: Vec<Network>,

    /// Network into which webhooks may be sent, by http, too (repeatable). Without it they go to public addresses
    /// by https alone.
    #[arg(long, env = "WEFT_WEBHOOK_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    webhook_allow: Vec<Network>,

    /// Sets a limit of `docs/limits.md` (repeatable); also `WEFT_LIMIT_NAME=value`.
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<String>,
}

/// By way of whom people may sign in too.
#[derive(clap::Args)]
struct Oidc {
    /// A provider of OpenID Connect by way of whom people may sign in too, as it spells itself, such as
    /// `https://login.example.org`.
    #[arg(long, env = "WEFT_OIDC_ISSUER", value_name = "URL", requires = "oidc_client_id")]
    oidc_issuer: Option<Issuer>,

    /// What the provider calls this server.
    #[arg(long, env = "WEFT_OIDC_CLIENT_ID", value_name = "ID", requires = "oidc_issuer")]
    oidc_client_id: Option<String>,

    /// With what this server shows the provider that it is that, if it has to. Best set in the environment or in a file, where
    /// other users of the machine do not see it.
    #[arg(
        long,
        env = "WEFT_OIDC_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        requires = "oidc_issuer",
        conflicts_with = "oidc_client_secret_file"
    )]
    oidc_client_secret: Option<String>,

    /// A file that holds the same.
    #[arg(
        long,
        env = "WEFT_OIDC_CLIENT_SECRET_FILE",
        value_name = "FILE",
        requires = "oidc_issuer"
    )]
    oidc_client_secret_file: Option<PathBuf>,

    /// What people know the provider by: "Sign in with NAME". Its host, unless said otherwise.
    #[arg(long, env = "WEFT_OIDC_NAME", value_name = "NAME", requires = "oidc_issuer")]
    oidc_name: Option<String>,

    /// What is asked of the provider besides `openid` (repeatable).
    #[arg(
        long, env = "WEFT_OIDC_SCOPE", value_name = "SCOPE", value_delimiter = ',',
        default_values = OidcConfig::SCOPES
    )]
    oidc_scope: Vec<String>,

    /// Whoever the provider vouches for gets an account, also where registration is not open.
    #[arg(long, env = "WEFT_OIDC_SIGN_UP", requires = "oidc_issuer")]
    oidc_sign_up: bool,

    /// Only people with a verified address in this domain get an account by way of the provider (repeatable).
    #[arg(
        long,
        env = "WEFT_OIDC_EMAIL_DOMAIN",
        value_name = "DOMAIN",
        value_delimiter = ',',
        requires = "oidc_issuer"
    )]
    oidc_email_domain: Vec<EmailDomain>,
}

/// Serves until SIGINT or SIGTERM.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let config = Config {
        limits: limits(&args.limit, env::vars())?,
        listen: args.listen,
        data_dir: args.data_dir,
        registration: args.registration,
        public_url: args.public_url,
        mail: mail(args.smtp_url.as_deref(), args.mail_from)?,
        oidc: oidc(args.oidc)?,
        trusted_proxies: args.trusted_proxy,
        webhook_networks: args.webhook_allow,
    };
    let https = config.public_url.as_ref().is_some_and(PublicUrl::is_https);
    // Listened for before anything starts, so that an early signal ends it in good order too.
    let mut stop = Stop::listen().context("cannot listen for signals")?;

    let server = weft_server::serve(config).await?;
    if !server.address().ip().is_loopback() && !https {
        tracing::warn!(
            "others can reach this server, but not by https: passwords and content cross the \
             network in the open. Put a proxy with a certificate in front, and say so with --public-url"
        );
    }
    if let Some(link) = server.setup_link() {
        say(&format!("Open this link to set up Weft: {link}"));
    }
    say(&format!("Weft is ready on {}", server.local_url()));
    stop.told().await;
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}

/// How mail leaves. The URL is not read by the command line's own parser, which would print what it cannot take.
fn mail(smtp_url: Option<&str>, from: Option<Mailbox>) -> anyhow::Result<Option<MailConfig>> {
    let (Some(url), Some(from)) = (smtp_url, from) else { return Ok(None) };
    let smtp: SmtpUrl = url.parse().context("--smtp-url cannot be used")?;
    Ok(Some(MailConfig { smtp, from }))
}

fn oidc(args: Oidc) -> anyhow::Result<Option<OidcConfig>> {
    let (Some(issuer), Some(client_id)) = (args.oidc_issuer, args.oidc_client_id) else {
        return Ok(None);
    };
    let client_secret = match args.oidc_client_secret_file {
        Some(file) => {
            let secret = fs::read_to_string(&file);
            Some(secret.with_context(|| format!("cannot read {}", file.display()))?)
        }
        None => args.oidc_client_secret,
    };
    let client_secret =
        client_secret.map(|secret| secret.trim_end_matches(['\r', '\n']).to_owned());
    ensure!(
        client_secret.as_ref().is_none_or(|secret| !secret.is_empty()),
        "the secret of --oidc-client-id is empty"
    );
    Ok(Some(OidcConfig {
        issuer,
        client_id,
        client_secret: client_secret.map(ClientSecret::new),
        name: args.oidc_name,
        scopes: args.oidc_scope,
        sign_up: args.oidc_sign_up,
        email_domains: args.oidc_email_domain,
    }))
}

/// Limits of the environment, then those of the command line on top.
fn limits(
    given: &[String],
    environment: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<Limits> {
    let mut limits = Limits::default();
    for (name, value) in environment {
        if let Some(name) = name.strip_prefix("WEFT_LIMIT_") {
            limits.set_from(&format!("{}={value}", name.to_ascii_lowercase()))?;
        }
    }
    for limit in given {
        limits.set_from(limit)?;
    }
    Ok(limits)
}

/// The only use of standard output.
#[expect(clippy::print_stdout, reason = "these two lines are what other programs wait for")]
fn say(line: &str) {
    println!("{line}");
}

struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_goes_over_the_environment() -> anyhow::Result<()> {
        let env = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment = [
            env("WEFT_LIMIT_JSON_BODY_BYTES_MAX", "5"),
            env("WEFT_LIMIT_ROOMS_LISTED_MAX", "6"),
            env("WEFT_LISTEN", "x"),
        ];
        let limits = limits(&["json_body_bytes_max=7".to_owned()], environment.into_iter())?;
        assert_eq!((limits.json_body_bytes_max, limits.rooms_listed_max), (7, 6));
        Ok(())
    }

    #[test]
    fn an_unknown_limit_is_refused() {
        assert!(limits(&["nonsense=7".to_owned()], std::iter::empty()).is_err());
    }
}
