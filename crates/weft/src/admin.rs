//! `weft admin`: what needs no browser.

use std::{
    io::BufRead as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use weft_server::{
    AdminForm, Kept, PersonBrief, create_admin, list_acts, list_quarantined, remove_second_factor,
};

/// Commands of `weft admin`.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Makes an administrator. Reads the password from the first line of standard input.
    Create(Create),
    /// Takes away the second factor of somebody who has lost their device and their recovery codes.
    SecondFactorOff(Named),
    /// Lists what people did that matters to rights and security, the last first.
    Audit(Audit),
    /// Lists operations that made a room fail and were set aside, the newest first.
    Quarantine(Quarantine),
}

/// Which acts.
#[derive(clap::Args)]
pub struct Audit {
    /// The folder of the server, which may run meanwhile.
    #[arg(long, env = "WEFT_DATA_DIR", default_value = "./weft-data", value_name = "DIR")]
    data_dir: PathBuf,

    /// Only what this person did, or what was done about them.
    #[arg(long)]
    username: Option<String>,

    /// How many.
    #[arg(long, default_value_t = 100)]
    limit: u64,
}

/// Where to look.
#[derive(clap::Args)]
pub struct Quarantine {
    /// The folder of the server, which may run meanwhile.
    #[arg(long, env = "WEFT_DATA_DIR", default_value = "./weft-data", value_name = "DIR")]
    data_dir: PathBuf,
}

/// Somebody who has an account.
#[derive(clap::Args)]
pub struct Named {
    /// The folder of the server, which must not run meanwhile.
    #[arg(long, env = "WEFT_DATA_DIR", default_value = "./weft-data", value_name = "DIR")]
    data_dir: PathBuf,

    /// As they sign in.
    #[arg(long)]
    username: String,
}

/// Who is to be made.
#[derive(clap::Args)]
pub struct Create {
    /// The folder of the server, which must not run meanwhile.
    #[arg(long, env = "WEFT_DATA_DIR", default_value = "./weft-data", value_name = "DIR")]
    data_dir: PathBuf,

    /// 2–32 letters and digits of any script and `_ . -`.
    #[arg(long)]
    username: String,

    /// An e-mail address, if there is one.
    #[arg(long)]
    email: Option<String>,
}

/// Carries a command out.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(create) => self::create(create).await,
        Command::SecondFactorOff(named) => second_factor_off(&named).await,
        Command::Audit(audit) => list_audit(&audit).await,
        Command::Quarantine(Quarantine { data_dir }) => list_quarantine(&data_dir),
    }
}

async fn create(create: Create) -> anyhow::Result<()> {
    let mut password = String::new();
    let read = std::io::stdin().lock().read_line(&mut password);
    if read.context("cannot read the password from standard input")? == 0 {
        bail!("standard input holds no password");
    }
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let form = AdminForm { username: create.username, email: create.email, password };
    create_admin(&create.data_dir, form).await?;
    eprintln!("weft: the administrator is made and can sign in");
    Ok(())
}

async fn second_factor_off(Named { data_dir, username }: &Named) -> anyhow::Result<()> {
    if remove_second_factor(data_dir, username).await? {
        eprintln!("weft: {username} signs in with the password alone now");
    } else {
        eprintln!("weft: {username} had no second factor");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the list is what was asked for")]
async fn list_audit(Audit { data_dir, username, limit }: &Audit) -> anyhow::Result<()> {
    for act in list_acts(data_dir, username.as_deref(), *limit).await? {
        let of = |person: &Option<PersonBrief>| {
            person.as_ref().map_or_else(|| "-".to_owned(), |person| person.username.clone())
        };
        let room = act.room.as_ref().map_or_else(|| "-".to_owned(), |(id, _)| id.to_string());
        let space = act.space.as_ref().map_or_else(|| "-".to_owned(), |(id, _)| id.to_string());
        let from = if act.address.is_empty() { "here" } else { &act.address };
        println!(
            "{} {} by={} from={from} person={} room={room} space={space} {}",
            act.at,
            act.act,
            of(&act.by),
            of(&act.person),
            act.params,
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the list is what was asked for")]
fn list_quarantine(data_dir: &Path) -> anyhow::Result<()> {
    let kept = list_quarantined(data_dir).context("cannot read the quarantine")?;
    for kept in &kept {
        let Kept { at, room, person, why, bytes, sha256 } = kept;
        println!("{at} room={room} person={person} bytes={bytes} sha256={sha256} {why:?}");
    }
    eprintln!("weft: {} operations are set aside", kept.len());
    Ok(())
}
