//! `weft admin`: what needs no browser.

use std::{io::BufRead as _, path::PathBuf};

use anyhow::{Context as _, bail};
use weft_server::{AdminForm, create_admin};

/// Commands of `weft admin`.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Makes an administrator. Reads the password from the first line of standard input.
    Create(Create),
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
