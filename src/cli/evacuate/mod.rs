//! `sysadm evacuate`.

pub(super) mod cancel;
mod dry_run;
mod eta;
mod list;
pub(super) mod progress;
mod row;
mod run;
mod settle;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::context::Context;
use super::{CliError, Exit, time_arg};
use crate::model::{Identifier, Message, ZoneName};
use crate::plan::Action;
use crate::store::Direction;
use list::ListArgs;
use progress::Verbosity;
use run::PreparedRun;

const USAGE: &str =
    "sysadm evacuate [OPTIONS] [ZONE]...\n       sysadm evacuate -l [--watch] [--json] [-p] [-o FIELD,...]";

/// Move zones away from this host, or bring them back
///
/// Without options, all running zones migrate live to their targets. This host must be in maintenance, so that no
/// zone starts or arrives in the meantime. Before any zone moves, all zones are prepared: the policy chooses a target
/// for each, the target is checked, room is reserved there, and access to the storage is verified. A zone that cannot
/// be moved keeps running where it is and does not hold up the others. Repeat the command to retry zones that failed.
///
/// With -r, evacuated zones move back to this host, and zones that were stopped or suspended here are booted. This
/// host must not be in maintenance then.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::EVACUATE)]
#[command(override_usage = USAGE)]
pub struct Args {
    /// Only these zones, whether or not they are running
    #[arg(value_name = "ZONE", value_parser = ZoneName::typed, conflicts_with_all = ["list", "forget", "resume"])]
    zones: Vec<ZoneName>,
    /// Include zones that are not running; their configurations move, their disks stay on the shared storage. Zones that
    /// are named are included anyway
    #[arg(short, long)]
    all: bool,
    /// Return evacuated zones to this host, and boot those that were stopped here
    #[arg(short = 'r', long = "return")]
    back: bool,
    /// Dry run: query all hosts, run all checks and print the plan, but change nothing. The host need not be in
    /// maintenance
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Report each step of each zone
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// Report errors only
    #[arg(short, long)]
    quiet: bool,
    /// Overwrite a different configuration of the zone that its destination has. Default: refuse the zone
    #[arg(short = 'w', long, conflicts_with = "dry_run")]
    overwrite: bool,
    /// Ignore software, platform and network mismatches at the destination. Capacity, storage, name and maintenance
    /// checks still apply. The zone may fail to boot there
    #[arg(long, conflicts_with_all = ["list", "forget", "resume"])]
    force_attach: bool,
    /// What to do with the zones, in place of what the policy says: see ACTIONS
    #[arg(long, value_name = "ACTION", value_parser = action(), conflicts_with_all = ["list", "forget", "resume"])]
    action: Option<Action>,
    /// Number of zones that move at the same time, 1 to 64, within the limits of the policy. Default: the outbound limit of
    /// the policy, or 3
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// With -n: write the plan to FILE. Otherwise: carry out the plan in FILE exactly, or refuse if hosts or zones have
    /// changed in a way that affects it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "resume", "forget"])]
    plan: Option<PathBuf>,
    /// Number of retries after a transient failure (lost connection, busy hypervisor), 0 to 10. sysadm waits 5 s, then
    /// 10 s, 20 s, ..., and repeats all checks. Default: what the policy says, or 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10))]
    retries: Option<u32>,
    /// Policy: decides where zones go, in which order, and what is done with each; see 'sysadm policy'. Default: the one
    /// that sysadm.toml names, or spread
    #[arg(long, value_name = "NAME", conflicts_with_all = ["list", "forget", "resume"])]
    policy: Option<Identifier>,
    /// Time limit (30s, 10m, 1h30m). When it expires no new moves start and moves in progress are aborted; those zones
    /// stay where they are. Default: none
    #[arg(long, value_name = "DURATION", value_parser = time_arg::duration)]
    deadline: Option<Duration>,
    /// Print the plan (-n), the result or the list (-l) as a JSON document
    #[arg(long, conflicts_with_all = ["parsable", "verbose"])]
    json: bool,
    /// Ask both hosts about each interrupted move, complete it or roll it back, and do nothing else. Every run begins with
    /// this
    #[arg(long, conflicts_with_all = ["list", "dry_run", "back", "forget"])]
    resume: bool,
    /// Discard the record of a zone that was evacuated or stopped, or that belongs to another host: see FORGETTING A ZONE
    #[arg(long, value_name = "ZONE", value_parser = ZoneName::typed, conflicts_with_all = ["list", "dry_run", "back"])]
    forget: Option<ZoneName>,
    /// Cancel the run in progress, as ^C does: no new moves start, moves in progress are completed. A second --cancel
    /// aborts them. Use -l --watch to see when the run has ended
    #[arg(long, exclusive = true)]
    cancel: bool,
    #[command(flatten)]
    listing: ListArgs,
}

/// The actions that can be requested: `leave` is only for policies.
fn action() -> impl TypedValueParser<Value = Action> {
    let actions = Action::ALL.iter().filter(|action| **action != Action::Leave);
    PossibleValuesParser::new(actions.map(|action| action.as_str())).try_map(|word| word.parse())
}

/// The command that the options ask for.
enum EvacuateCommand<'a> {
    Watch,
    List,
    Cancel,
    Forget(&'a ZoneName),
    Resume,
    Plan(Direction),
    Move(Direction),
}

impl Args {
    fn command(&self) -> Result<EvacuateCommand<'_>, CliError> {
        if !self.listing.list && (self.listing.parsable || self.listing.output.is_some()) {
            let text = "-p and -o are for the list (-l)";
            return Err(CliError::usage(Message::from(text).with_hint("for a plan or a result: --json")));
        }
        let direction = if self.back { Direction::Return } else { Direction::Evacuate };
        Ok(match &self.forget {
            _ if self.listing.watch => EvacuateCommand::Watch,
            _ if self.listing.list => EvacuateCommand::List,
            _ if self.cancel => EvacuateCommand::Cancel,
            Some(zone) => EvacuateCommand::Forget(zone),
            None => {
                self.check(direction)?;
                match (self.resume, self.dry_run) {
                    (true, _) => EvacuateCommand::Resume,
                    (false, true) => EvacuateCommand::Plan(direction),
                    (false, false) => EvacuateCommand::Move(direction),
                }
            }
        })
    }

    /// Errors in the options of a run that the parser cannot find.
    fn check(&self, direction: Direction) -> Result<(), CliError> {
        if let (Direction::Return, Some(action @ (Action::Stop | Action::Suspend))) = (direction, self.action)
        {
            return Err(CliError::usage(format!("--action {action} is for an evacuation, not for a return")));
        }
        let is_decided = self.plan.is_some() && !self.dry_run;
        let decides = self.all || !self.zones.is_empty() || self.action.is_some() || self.policy.is_some();
        if is_decided && decides {
            let text = "--plan: what is done with which zone was decided when the plan was made";
            return Err(CliError::usage(text));
        }
        Ok(())
    }

    const fn verbosity(&self) -> Verbosity {
        match (self.verbose, self.quiet || self.json) {
            (true, _) => Verbosity::Verbose,
            (_, true) => Verbosity::Quiet,
            _ => Verbosity::Normal,
        }
    }
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let mut context = Context::load()?;
    match args.command()? {
        EvacuateCommand::Watch => watch::run(&context, &args.listing).await,
        EvacuateCommand::List => list::run(&context, &args.listing, args.json).await,
        EvacuateCommand::Cancel => cancel::ask(&context).await,
        EvacuateCommand::Forget(zone) => settle::forget(&context, zone).await,
        EvacuateCommand::Resume => settle::resume(&context, args.verbosity()).await,
        EvacuateCommand::Plan(direction) => {
            PreparedRun::prepare(&mut context, &args, direction).await?.plan(&args).await
        }
        EvacuateCommand::Move(direction) => {
            PreparedRun::prepare(&mut context, &args, direction).await?.carry_out(&args).await
        }
    }
}
