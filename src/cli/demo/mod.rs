//! `sysadm demo`: the main story on three simulated hosts, shown by the commands themselves.

mod site;
mod stage;
mod story;

use super::{CliError, Exit, ui};
use site::Site;
use stage::Terminal;

/// Demonstrate sysadm on three simulated hosts
///
/// Creates three hosts in a temporary directory, with simulated zones but real agents, certificates and TLS
/// connections over the loopback interface. Runs a whole evacuation and return on them, and shows each command with
/// its actual output. The demo takes about 20 seconds, needs no privileges and leaves nothing behind.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep the hosts, and print how to continue to use them
    #[arg(long)]
    keep: bool,
}

pub async fn run(args: &Args) -> Result<Exit, CliError> {
    let mut site = Site::new(args.keep)?;
    let told = async {
        site.build().await?;
        story::tell(&Terminal::new(&site)).await
    };
    // Even after ^C the agents are ended and the folder is removed.
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

/// Waits for SIGINT, SIGTERM or the end of the terminal.
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
