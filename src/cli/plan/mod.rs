//! `sysadm plan`: plans for any hosts, or for none at all; nothing is moved.

mod make;
mod show;
mod simulate;

use std::path::{Path, PathBuf};

use super::{CliError, Exit};
use crate::file;
use crate::plan::PlanFile;

/// Plan how hosts are emptied or filled again, without moving anything
///
/// Asks the hosts that are to be emptied and those that zones may go to, or reads their inventory from a file, and
/// finds a place and a time for every zone. No zone goes to a host that is itself to be emptied, so each zone moves
/// once. With --return it finds the way home of all zones that belong to the named hosts: in which order they fit,
/// which zones of other hosts must leave first, and which step aside to a third host where zones wait for each other.
///
/// The plan can be kept in a file: 'sysadm evacuate --plan', or 'sysadm evacuate -r --plan', on each of the hosts
/// carries out its part.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_long_help = super::help::PLAN)]
pub struct Args {
    #[command(subcommand)]
    action: Option<PlanCommand>,
    #[command(flatten)]
    make: make::Wanted,
}

#[derive(Debug, clap::Subcommand)]
enum PlanCommand {
    /// Show a plan file, or how two of them differ
    Show {
        /// The plan file
        file: PathBuf,
        /// What this other plan does otherwise
        #[arg(long, value_name = "OTHER")]
        diff: Option<PathBuf>,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Play a plan in virtual time: when each move ends, how long zones are down, how full the lines are
    Simulate {
        /// The plan file
        file: PathBuf,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    match args.action {
        None => make::run(args.make).await,
        Some(PlanCommand::Show { file, diff: None, json }) => show::run(&read(&file)?, json),
        Some(PlanCommand::Show { file, diff: Some(other), json }) => {
            show::diff(&read(&file)?, &read(&other)?, json)
        }
        Some(PlanCommand::Simulate { file, json }) => simulate::run(&read(&file)?, json),
    }
}

/// Reads a plan file.
pub fn read(path: &Path) -> Result<PlanFile, CliError> {
    PlanFile::parse(&text_of(path)?)
        .map_err(|error| CliError::new(Exit::Error, format!("{}: {error}", path.display())))
}

/// Writes a plan where the operator wants it; an earlier plan is replaced, nothing else.
pub fn write(path: &Path, plan: &PlanFile) -> Result<(), CliError> {
    let failed = |error: &dyn std::fmt::Display| {
        CliError::new(Exit::Error, format!("failed to write {}: {error}", path.display()))
    };
    let text = plan.text().map_err(|error| failed(&error))?;
    let is_plan =
        |present: &[u8]| std::str::from_utf8(present).is_ok_and(|text| PlanFile::parse(text).is_ok());
    match file::output(path, text.as_bytes(), is_plan) {
        // A pipe whose reader has what it wants.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| failed(&error)),
    }
}

fn text_of(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path)
        .map_err(|error| CliError::new(Exit::Error, format!("failed to read {}: {error}", path.display())))
}
