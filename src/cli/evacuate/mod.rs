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
use super::{CliError, Exit};
use crate::model::{Identifier, ZoneName};
use crate::plan::Action;
use crate::store::Direction;
use list::ListArgs;
use progress::Verbosity;
use run::PreparedRun;

/// Move all zones away from this host, or back
///
/// Without options, the zones that run migrate live to their targets. This host must be in maintenance, so that
/// none starts or arrives meanwhile. Every zone is prepared before the first one moves: the policy chooses one of its
/// targets, which is asked, room is booked, storage is probed. A zone that cannot move stays as it is, where it is, and stops no
/// other. It can be repeated: zones that failed are tried again.
///
/// With -r, zones that are away come back from where they are, in the same way, and zones that rest here are booted
/// again; then this host must not be in maintenance.
///
/// ^C, or --cancel from another terminal: nothing new starts, what moves is finished. Once more: what moves is
/// given up, too; those zones stay here. SIGTERM does that at once. A terminal that is closed does not end it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::EVACUATE)]
pub struct Args {
    /// Only these zones, in whatever state they are
    #[arg(value_name = "ZONE", value_parser = ZoneName::typed, conflicts_with_all = ["list", "forget", "resume"])]
    zones: Vec<ZoneName>,
    /// Zones that do not run, too: their configurations move
    #[arg(short, long)]
    all: bool,
    /// Bring evacuated zones back to this host
    #[arg(short = 'r', long = "return")]
    back: bool,
    /// Ask every host, check everything, print the plan; change nothing anywhere
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Say what happens with each zone
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// Say only what went wrong
    #[arg(short, long)]
    quiet: bool,
    /// Overwrite the configuration that a destination has of the same zone
    #[arg(short = 'w', long, conflicts_with = "dry_run")]
    overwrite: bool,
    /// Let zones go where their software, platform or networks are not as they need them: the destination still finds
    /// that, and does not refuse it. Room, storage, names and maintenance count as ever. Such a zone may not boot there
    #[arg(long, conflicts_with_all = ["list", "forget", "resume"])]
    force_attach: bool,
    /// What is done with the zones, whatever the policy says: live moves them, live if they run, and their
    /// configurations if they do not; restart shuts each down when all is ready for it there, and boots it there; stop
    /// and suspend let them rest here, until they are booted again by -r, in reverse order. With -r: live or restart
    #[arg(long, value_name = "ACTION", value_parser = action(), conflicts_with_all = ["list", "forget", "resume"])]
    action: Option<Action>,
    /// How many zones move at once, 1 to 64. Default: what the policy lets leave one host, or 3
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// With -n: write the plan to this file. Without: do exactly what the plan in this file says, and nothing if hosts
    /// or zones have changed in a way that matters to it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "resume", "forget"])]
    plan: Option<PathBuf>,
    /// How often a move is tried again that failed for a reason that may pass: a line that broke, a hypervisor that
    /// was busy. After 5 s, then 10 s, 20 s, ...; checked and booked anew each time. Default: what the policy says, or 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10))]
    retries: Option<u32>,
    /// The policy: where zones may go, which placement is good, what is done with which zone. Default: what
    /// sysadm.toml says, or spread
    #[arg(long, value_name = "NAME", conflicts_with_all = ["list", "forget", "resume"])]
    policy: Option<Identifier>,
    /// After this time (30s, 10m, 1h30m) nothing new starts, and moves in flight are given up: those zones stay
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    deadline: Option<Duration>,
    /// The plan of -n, the result, or the list of -l as one JSON document
    #[arg(long, conflicts_with_all = ["parsable", "verbose"])]
    json: bool,
    /// Ask both hosts what became of each interrupted move, and finish or undo it; every run does that first
    #[arg(long, conflicts_with_all = ["list", "dry_run", "back", "forget"])]
    resume: bool,
    /// Give up a zone that is away or rests here: it stays as it is, is no longer listed, and never returned. One that
    /// is away is configured here then: 'sysadm zone attach' takes it if it is nowhere else. Of one that is here and
    /// belongs to another host, give that host up: it belongs here then
    #[arg(long, value_name = "ZONE", value_parser = ZoneName::typed, conflicts_with_all = ["list", "dry_run", "back"])]
    forget: Option<ZoneName>,
    /// Ask the run that is in progress to stop, as ^C would: nothing new starts, what moves is finished. Once more
    /// gives that up, too. -l --watch shows when it has ended
    #[arg(long, exclusive = true)]
    cancel: bool,
    #[command(flatten)]
    listing: ListArgs,
}

/// To be left alone is what a zone is by itself.
fn action() -> impl TypedValueParser<Value = Action> {
    let actions = Action::ALL.iter().filter(|action| **action != Action::Leave);
    PossibleValuesParser::new(actions.map(|action| action.as_str())).try_map(|word| word.parse())
}

/// What the options ask for.
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
    /// Which of the commands these options are.
    fn command(&self) -> Result<EvacuateCommand<'_>, CliError> {
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

    /// What the parser cannot find wrong with the options of a run.
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
