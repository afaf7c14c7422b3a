//! `weft serve`: settings in, a server until it is told to stop.

use std::{env, net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use weft_server::{
    Config,
    auth::Network,
    config::{Limits, MailConfig, Mailbox, PublicUrl, Registration, SmtpUrl},
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

    /// Network of proxies whose `X-Forwarded-For` is believed (repeatable).
    #[arg(long, env = "WEFT_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    trusted_proxy: Vec<Network>,

    /// Sets a limit of `docs/limits.md` (repeatable); also `WEFT_LIMIT_NAME=value`.
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<String>,
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
        trusted_proxies: args.trusted_proxy,
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
