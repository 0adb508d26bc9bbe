//! `sysadm plan`: plans for any hosts, even if they exist only in a file; nothing is moved.

mod make;
mod show;
mod simulate;

use std::path::{Path, PathBuf};

use super::{CliError, Exit};
use crate::file;
use crate::model::chain;
use crate::plan::PlanFile;

/// Plan the evacuation or return of several hosts, without moving anything
///
/// With --drain, sysadm queries the hosts to be emptied and the hosts that zones may go to, or reads an inventory
/// file, and finds a destination and a start time for every zone. No zone goes to a host that is to be emptied as well,
/// so each zone moves once.
///
/// With --return, sysadm plans how all zones that belong to the given hosts return: the order in which there is room for
/// them, which zones of other hosts must leave first, and which zones must move to a third host because they wait for each other's room.
///
/// Write the plan to a file with --output. 'sysadm evacuate --plan FILE', or 'sysadm evacuate -r --plan FILE', then
/// carries out each host's part of it.
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
    /// Show a plan file, or the differences between two
    Show {
        /// Plan file
        file: PathBuf,
        /// Show how plan file OTHER differs from FILE
        #[arg(long, value_name = "OTHER")]
        diff: Option<PathBuf>,
        /// Print a JSON document
        #[arg(long)]
        json: bool,
    },
    /// Simulate a plan: when each move ends, the downtimes, and the use of each host's network
    Simulate {
        /// Plan file
        file: PathBuf,
        /// Print a JSON document
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

/// Writes a plan to the file that the operator named; only an earlier plan is overwritten.
pub fn write(path: &Path, plan: &PlanFile) -> Result<(), CliError> {
    let failed = |error: &dyn std::error::Error| {
        CliError::new(Exit::Error, format!("failed to write {}: {}", path.display(), chain(error)))
    };
    let text = plan.text().map_err(|error| failed(&error))?;
    let is_plan =
        |present: &[u8]| std::str::from_utf8(present).is_ok_and(|text| PlanFile::parse(text).is_ok());
    match file::output(path, text.as_bytes(), is_plan) {
        // A pipe whose reader has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| failed(&error)),
    }
}

fn text_of(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| {
        CliError::new(Exit::Error, format!("failed to read {}: {}", path.display(), chain(&error)))
    })
}
