//! `weft admin`: what needs no browser.

use std::{
    io::BufRead as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context as _, bail};
use weft_server::{
    AdminForm, Kept, ListedSpace, PersonBrief, Quota, QuotaOf,
    config::{PublicUrl, Registration},
    create_admin, deactivate, delete_person, list_acts, list_people, list_quarantined, list_usage,
    make_admin, make_reset_link, reactivate, remove_second_factor, set_quota, set_registration,
};

/// Commands of `weft admin`.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Makes an administrator. Reads the password from the first line of standard input.
    Create(Create),
    /// Lists everybody who has an account.
    People(Folder),
    /// Prints a link with which somebody sets a new password, within a day.
    ResetLink(ResetLink),
    /// Ends all sign-ins and tokens of somebody, and lets them make no others.
    Deactivate(Named),
    /// Lets somebody sign in again.
    Reactivate(Named),
    /// Removes an account for good. What its person owns goes to somebody else.
    Delete(Delete),
    /// Makes somebody an administrator, or takes that away.
    MakeAdmin(MakeAdmin),
    /// Says who may make an account, for a server that is not told so with `--registration`.
    Registration(SetRegistration),
    /// Takes away the second factor of somebody who has lost their device and their recovery codes.
    SecondFactorOff(Named),
    /// Lists what people did that matters to rights and security, the last first.
    Audit(Audit),
    /// Lists what each space holds, and what it may hold, in bytes; those that hold most first.
    Usage(Look),
    /// Says how much spaces may hold.
    Quota(SetQuota),
    /// Lists operations that made a room fail and were set aside, the newest first.
    Quarantine(Look),
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
pub struct Look {
    /// The folder of the server, which may run meanwhile.
    #[arg(long, env = "WEFT_DATA_DIR", default_value = "./weft-data", value_name = "DIR")]
    data_dir: PathBuf,
}

/// Where to work.
#[derive(clap::Args)]
pub struct Folder {
    /// The folder of the server, which must not run meanwhile.
    #[arg(long, env = "WEFT_DATA_DIR", default_value = "./weft-data", value_name = "DIR")]
    data_dir: PathBuf,
}

/// Somebody who has an account.
#[derive(clap::Args)]
pub struct Named {
    #[command(flatten)]
    folder: Folder,

    /// As they sign in.
    username: String,
}

/// For whom, and where the link leads.
#[derive(clap::Args)]
pub struct ResetLink {
    #[command(flatten)]
    named: Named,

    /// Under which address people reach the server.
    #[arg(
        long,
        env = "WEFT_PUBLIC_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    public_url: PublicUrl,
}

/// Who goes, and who stays.
#[derive(clap::Args)]
pub struct Delete {
    #[command(flatten)]
    named: Named,

    /// The user name of the one who takes over.
    #[arg(long, value_name = "USERNAME")]
    heir: String,
}

/// Who administers.
#[derive(clap::Args)]
pub struct MakeAdmin {
    #[command(flatten)]
    named: Named,

    /// Take it away instead.
    #[arg(long)]
    not: bool,
}

/// Who may make an account.
#[derive(clap::Args)]
pub struct SetRegistration {
    #[command(flatten)]
    folder: Folder,

    /// `open`, `invite` or `closed`.
    mode: Registration,
}

/// How much, and of what.
#[derive(clap::Args)]
pub struct SetQuota {
    #[command(flatten)]
    folder: Folder,

    /// `team`: each team's space of which nothing else is said; `personal`: each person's own; or the id of one space.
    #[arg(value_name = "SPACE")]
    of: Of,

    /// Bytes, with K, M, G or T for powers of 1,024; `unlimited`; of one space also `default`.
    quota: Amount,
}

#[derive(Clone, Copy)]
struct Of(QuotaOf);

impl FromStr for Of {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "team" => QuotaOf::Teams,
            "personal" => QuotaOf::Personal,
            id => QuotaOf::Space(id.parse().map_err(|_| "team, personal or the id of a space")?),
        }))
    }
}

#[derive(Clone, Copy)]
struct Amount(Quota);

impl FromStr for Amount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = || {
            let (digits, power) = match text.split_at_checked(text.len().checked_sub(1)?)? {
                (digits, "K") => (digits, 1),
                (digits, "M") => (digits, 2),
                (digits, "G") => (digits, 3),
                (digits, "T") => (digits, 4),
                _ => (text, 0),
            };
            digits.parse::<u64>().ok()?.checked_mul(1024_u64.pow(power)).filter(|&bytes| bytes > 0)
        };
        match text {
            "default" => Ok(Self(Quota::Default)),
            "unlimited" => Ok(Self(Quota::Unlimited)),
            _ => bytes().map(|bytes| Self(Quota::Bytes(bytes))).ok_or("such as 500M, or unlimited"),
        }
    }
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
        Command::People(folder) => people(&folder).await,
        Command::ResetLink(asked) => reset_link(&asked).await,
        Command::Deactivate(Named { folder, username }) => {
            deactivate(&folder.data_dir, &username).await?;
            eprintln!("weft: {username} cannot sign in any more");
            Ok(())
        }
        Command::Reactivate(Named { folder, username }) => {
            reactivate(&folder.data_dir, &username).await?;
            eprintln!("weft: {username} can sign in");
            Ok(())
        }
        Command::Delete(Delete { named: Named { folder, username }, heir }) => {
            delete_person(&folder.data_dir, &username, &heir).await?;
            eprintln!("weft: {username} is gone; what they owned is {heir}'s");
            Ok(())
        }
        Command::MakeAdmin(MakeAdmin { named: Named { folder, username }, not }) => {
            make_admin(&folder.data_dir, &username, !not).await?;
            let now = if not { "is no administrator" } else { "is an administrator" };
            eprintln!("weft: {username} {now}");
            Ok(())
        }
        Command::Registration(SetRegistration { folder, mode }) => {
            set_registration(&folder.data_dir, mode).await?;
            eprintln!("weft: registration is {}", mode.name());
            Ok(())
        }
        Command::SecondFactorOff(named) => second_factor_off(&named).await,
        Command::Audit(audit) => list_audit(&audit).await,
        Command::Usage(Look { data_dir }) => usage(&data_dir).await,
        Command::Quota(SetQuota { folder, of: Of(of), quota: Amount(quota) }) => {
            set_quota(&folder.data_dir, of, quota).await?;
            let of = match of {
                QuotaOf::Teams => "spaces of teams".to_owned(),
                QuotaOf::Personal => "people's own spaces".to_owned(),
                QuotaOf::Space(id) => format!("space {id}"),
            };
            eprintln!("weft: the quota of {of} is {}", shown(quota));
            Ok(())
        }
        Command::Quarantine(Look { data_dir }) => list_quarantine(&data_dir),
    }
}

#[expect(clippy::print_stdout, reason = "the list is what was asked for")]
async fn people(Folder { data_dir }: &Folder) -> anyhow::Result<()> {
    let people = list_people(data_dir).await?;
    for listed in &people {
        let person = &listed.person;
        let role = if person.admin { "admin" } else { "member" };
        let state = if person.deactivated_at.is_some() { "deactivated" } else { "active" };
        let email = person.email.as_deref().unwrap_or("-");
        println!("{} {role} {state} {email} {:?}", person.username, person.name);
    }
    eprintln!("weft: {} people have an account", people.len());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the link is what was asked for")]
async fn reset_link(ResetLink { named, public_url }: &ResetLink) -> anyhow::Result<()> {
    let link = make_reset_link(&named.folder.data_dir, &named.username).await?;
    println!("{public_url}{link}");
    Ok(())
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

async fn second_factor_off(Named { folder, username }: &Named) -> anyhow::Result<()> {
    if remove_second_factor(&folder.data_dir, username).await? {
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
async fn usage(data_dir: &Path) -> anyhow::Result<()> {
    let usage = list_usage(data_dir).await?;
    for ListedSpace { id, kind, name, owner, rooms, storage, .. } in &usage.spaces {
        let quota = limit(storage.limit);
        let owner = owner.as_ref().map_or("-", |owner| owner.username.as_str());
        let (kind, used) = (kind.name(), storage.used);
        println!("{id} {kind} used={used} quota={quota} rooms={rooms} owner={owner} {name:?}");
    }
    let (team, personal) = (limit(usage.defaults.team), limit(usage.defaults.personal));
    eprintln!("weft: unless said otherwise, a team's quota is {team}, a person's {personal}");
    Ok(())
}

fn limit(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string())
}

fn shown(quota: Quota) -> String {
    match quota {
        Quota::Default => "the default".to_owned(),
        Quota::Unlimited => limit(None),
        Quota::Bytes(bytes) => limit(Some(bytes)),
    }
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
