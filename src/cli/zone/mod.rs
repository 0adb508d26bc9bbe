//! `sysadm zone`, after zoneadm(8).

mod list;
mod migrate;
mod sentences;
mod standby;

use super::{CliError, Exit};
pub use standby::problems as standby_problems;

/// Work with the zones of this host
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List zones: those that run, unless options say more
    List(list::Args),
    Migrate(migrate::Args),
    Standby(standby::Args),
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    match args.action {
        Action::List(args) => list::run(args).await,
        Action::Migrate(args) => migrate::run(args).await,
        Action::Standby(args) => standby::run(args).await,
    }
}
