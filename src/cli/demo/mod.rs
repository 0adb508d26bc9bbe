//! `sysadm demo`: the whole story on three simulated hosts, told by the commands themselves.

mod site;
mod stage;
mod story;

use super::{CliError, Exit, ui};
use site::Site;
use stage::Terminal;

/// Show what this tool does, on three simulated hosts
///
/// It makes three hosts in a folder of its own, with simulated zones, real agents and real certificates on the
/// loopback interface, runs every command as an administrator would type it, and shows what it really prints.
/// It takes about a quarter of a minute, needs no rights, and leaves nothing behind.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep the hosts, and say where they are and how to go on with them
    #[arg(long)]
    keep: bool,
}

pub async fn run(args: &Args) -> Result<Exit, CliError> {
    let mut site = Site::new(args.keep)?;
    let told = async {
        site.build().await?;
        story::tell(&Terminal::new(&site)).await
    };
    // Also after ^C the agents are ended and the folder is removed.
    let result = tokio::select! {
        told = told => told.map(|()| Exit::Done),
        () = interrupted() => Ok(Exit::Cancelled),
    };
    if args.keep {
        ui::note(&site.directions());
    }
    site.close().await;
    result
}

/// Waits for SIGINT, SIGTERM or a terminal that goes away.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let one = async |kind| match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = one(SignalKind::interrupt()) => {}
        () = one(SignalKind::terminate()) => {}
        () = one(SignalKind::hangup()) => {}
    }
}
