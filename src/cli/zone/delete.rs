//! `sysadm zone delete`, after zonecfg(8).

use std::io::IsTerminal;

use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::model::ZoneName;

/// Delete the configuration of a zone
///
/// The zone's data and the manifest in its zonepath are not touched. Detach an installed zone first. Use 'sysadm
/// evacuate --forget' for an evacuated one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = crate::cli::help::ZONE_DELETE)]
pub struct Args {
    /// Zone; must be configured here
    #[arg(value_parser = ZoneName::typed)]
    zone: ZoneName,
    /// Do not ask for confirmation. Required if standard input is not a terminal
    #[arg(short = 'F', long)]
    force: bool,
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let store = context.store()?;
    let zone = &context.zone(&store, &args.zone).await?;
    let local = context.local(store)?;
    let admin = super::admin(&context, &local);
    admin.known().await?.may_delete(zone).map_err(|error| CliError::new(Exit::Error, error))?;
    if !args.force && !confirmed(zone)? {
        return Ok(Exit::Done);
    }
    let row = admin.delete(zone).await?;
    context.audit(&format!("zone '{}' ({}) deleted by {}", row.zone, row.uuid, admin.user));
    Ok(Exit::Done)
}

fn confirmed(zone: &ZoneName) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        let text = format!("zone '{zone}': input not from terminal and -F not specified: deletion not done");
        return Err(CliError::new(Exit::Error, text));
    }
    ui::print(&format!("Are you sure you want to delete zone {zone} (y/[n])? "))?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
