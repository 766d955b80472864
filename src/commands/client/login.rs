//! `houston login`: a session for a shell.

use std::io::{IsTerminal, stdout};

use clap::Args;
use serde_json::json;

use super::remote::{Failure, Remote, RemoteArgs};
use super::{PROGRAM, print};

#[derive(Args)]
pub(in crate::commands) struct LoginArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The name to come in under.
    name: String,
    /// Be a bot: shown as one, and not answered by `houston run`.
    #[arg(long)]
    bot: bool,
    /// Print the token alone.
    #[arg(long)]
    bare: bool,
}

pub(super) fn run(args: &LoginArgs) -> Result<u8, Failure> {
    let remote = Remote::of(&args.remote).without_session();
    let signed_in = remote.post("/api/session", &json!({ "display_name": args.name }))?;
    let mut token = signed_in["token"].as_str().unwrap_or_default().to_owned();
    if args.bot {
        let session = remote.clone().with_token(&token);
        let body = json!({ "name": PROGRAM, "bot": true });
        let made = session.post("/api/sessions", &body)?;
        made["token"].as_str().unwrap_or_default().clone_into(&mut token);
    }
    // It is put into a line that a shell runs.
    if token.is_empty()
        || !token.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it))
    {
        return Err(Failure::NotHouston { url: remote.url });
    }
    if args.bare {
        print(&format!("{token}\n"))?;
    } else {
        let url = remote.url.replace('\'', "%27");
        print(&format!("export HOUSTON_URL='{url}'\nexport HOUSTON_TOKEN='{token}'\n"))?;
    }
    if stdout().is_terminal() && !args.bare {
        eprintln!("{PROGRAM}: to use it in this shell: eval \"$({PROGRAM} login NAME)\"");
    }
    Ok(0)
}
