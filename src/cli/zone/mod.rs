//! `sysadm zone`, after zoneadm(8) and zonecfg(8).

mod attach;
mod create;
mod delete;
mod detach;
mod list;
mod migrate;
mod standby;
mod zoneadm_messages;

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::admin::ZoneAdmin;
use crate::host::Local;
use crate::model::{Blocker, BlockerKind, Manifest, Millis};
use crate::zonepath;
pub use create::WishError;
pub use standby::problems as standby_problems;
use standby::stale;

/// List, attach, detach, create, delete and migrate zones
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: ZoneCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ZoneCommand {
    /// List zones; by default, running ones
    List(list::Args),
    Detach(detach::Args),
    Attach(attach::Args),
    Create(create::Args),
    Delete(delete::Args),
    Migrate(migrate::Args),
    Standby(standby::Args),
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    match args.action {
        ZoneCommand::List(options) => list::run(options).await,
        ZoneCommand::Detach(options) => detach::run(options).await,
        ZoneCommand::Attach(options) => attach::run(options).await,
        ZoneCommand::Create(options) => create::run(options).await,
        ZoneCommand::Delete(options) => delete::run(options).await,
        ZoneCommand::Migrate(args) => migrate::run(args).await,
        ZoneCommand::Standby(args) => standby::run(args).await,
    }
}

pub(super) fn admin<'a>(context: &Context, local: &'a Local) -> ZoneAdmin<'a> {
    ZoneAdmin { local, peers: context.peers(Some(local)), user: Context::user(), now: Millis::now() }
}

/// Reads a manifest from a file, from the folder that contains it, or from standard input.
fn read_manifest(path: &std::path::Path) -> Result<Manifest, CliError> {
    Ok(match path.as_os_str() == "-" {
        true => zonepath::read_from(std::io::stdin().lock(), "standard input")?,
        false => zonepath::read(path)?,
    })
}

/// Prints blockers by their kinds.
fn list_findings(findings: &[Blocker]) {
    for kind in BlockerKind::ALL {
        for finding in findings.iter().filter(|finding| finding.kind == *kind) {
            ui::quote(&format!("{kind}: {finding}"));
            ui::hint(&finding.message().hints);
        }
    }
}
