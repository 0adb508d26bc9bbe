//! `sysadm evacuate`.

pub(super) mod cancel;
mod dry_run;
mod eta;
mod list;
pub(super) mod progress;
mod row;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::context::Context;
use super::{CliError, Exit, plan, policy, ui};
use crate::admin::GivenUp;
use crate::evacuation::cancel::{Cancel, CancelReason};
use crate::evacuation::{Actions, DryRun, Engine, EventSink, JobState, Outcome, Planned, Request, recover};
use crate::model::{Identifier, Millis, ZoneName};
use crate::plan::{About, Action, HostKey, UnplacedZone};
use crate::run_lock::RunLock;
use crate::store::{Direction, MoveState};
use list::ListArgs;
use progress::{Reporter, Verbosity};

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

/// How many zones move at once where nobody says.
const JOBS: u32 = 3;

/// To be left alone is what a zone is by itself.
fn action() -> impl TypedValueParser<Value = Action> {
    let actions = Action::ALL.iter().filter(|action| **action != Action::Leave);
    PossibleValuesParser::new(actions.map(|action| action.as_str())).try_map(|word| word.parse())
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let mut context = Context::load()?;
    if args.listing.watch {
        return watch::run(&context, &args.listing).await;
    }
    if args.listing.list {
        return list::run(&context, &args.listing, args.json).await;
    }
    if args.cancel {
        return cancel::ask(&context).await;
    }
    if let Some(zone) = &args.forget {
        return forget(&context, zone).await;
    }
    let verbosity = match (args.verbose, args.quiet || args.json) {
        (true, _) => Verbosity::Verbose,
        (_, true) => Verbosity::Quiet,
        _ => Verbosity::Normal,
    };
    let direction = if args.back { Direction::Return } else { Direction::Evacuate };
    if let (true, Some(action @ (Action::Stop | Action::Suspend))) = (args.back, args.action) {
        return Err(CliError::usage(format!("--action {action} is for an evacuation, not for a return")));
    }
    let decided = args.plan.is_some() && !args.dry_run;
    if decided && (args.all || !args.zones.is_empty() || args.action.is_some() || args.policy.is_some()) {
        return Err(CliError::usage(
            "--plan: what is done with which zone was decided when the plan was made",
        ));
    }
    let reporter = Arc::new(Reporter::new(direction, verbosity));
    let cancel = Cancel::default();
    if args.resume {
        return resume(&context, &reporter, cancel).await;
    }
    let name = args.policy.clone().unwrap_or_else(|| context.config.evacuation.policy.clone());
    let policy = policy::load(&context, Some(&name))?;
    let plan = args.plan.as_deref().filter(|_| !args.dry_run).map(plan::read).transpose()?;
    let bandwidth = plan.as_ref().map_or(policy.rules().bandwidth, |plan| plan.rules.bandwidth);
    context.converge(&policy.convergence, bandwidth);
    let engine = context.engine(reporter.clone(), cancel.clone())?;
    let request = Request {
        all: args.all,
        zones: context.zones(&engine.store, &args.zones).await?,
        actions: Actions { default: args.action, ..Actions::default() },
        only: None,
        destination: None,
        overwrite: args.overwrite,
        force: args.force_attach,
        jobs: usize::try_from(args.jobs.or(policy.limits.outbound).unwrap_or(JOBS)).unwrap_or(usize::MAX),
        retries: args.retries.or(policy.retries).unwrap_or(1),
        policy,
        plan,
        user: Context::user(),
    };
    if args.dry_run {
        let found = engine.plan(direction, &request).await?;
        reporter.finish();
        if let Some(path) = &args.plan {
            write_plan(path, &engine, &found, &name)?;
        }
        return dry_run::show(direction, &found.planned, &found.unmanaged, args.json, verbosity);
    }
    cancel::listen_for_signals(&cancel);
    cancel::listen_for_deadline(&cancel, args.deadline);
    act(&context, &engine, direction, &request, &reporter, args.json).await
}

/// Settles what was interrupted, and does nothing else.
async fn resume(context: &Context, reporter: &Arc<Reporter>, cancel: Cancel) -> Result<Exit, CliError> {
    let engine = context.engine(Arc::clone(reporter) as Arc<dyn EventSink>, cancel)?;
    let _lock = RunLock::take(&context.paths, "evacuate --resume")?;
    let settled = recover::settle_all(&engine).await?;
    reporter.finish();
    let ending = engine.store.stopped()?.iter().any(|zone| zone.place.is_interim());
    for down in &settled.down {
        ui::complain(&format!("{}: down: {}", down.zone, down.reason));
    }
    if !settled.open.is_empty() || ending {
        return Ok(Exit::Stuck);
    }
    if !settled.down.is_empty() {
        ui::say("every zone is settled, but some are down");
        return Ok(Exit::Partly);
    }
    ui::say("every zone is settled; 'sysadm evacuate -l' shows where each is");
    Ok(Exit::Done)
}

/// Keeps what a dry run has found.
fn write_plan(path: &Path, engine: &Engine, found: &DryRun, policy: &Identifier) -> Result<(), CliError> {
    let here = HostKey::Name(engine.local.name().to_owned());
    let about = About { created: Millis::now(), hosts: vec![here.clone()], policy: policy.to_string() };
    let stays = |one: &Planned| {
        let reason = match &one.job.state {
            JobState::Waiting(wait) => wait.refusal.clone(),
            state => state.reason()?,
        };
        let zone = one.job.zone.to_string();
        Some(UnplacedZone { zone, host: here.clone(), reasons: vec![reason] })
    };
    let unhandled = |unmanaged_guest| UnplacedZone::unhandled(&here, unmanaged_guest);
    let left = found.planned.iter().filter_map(stays).chain(found.unmanaged.iter().map(unhandled));
    plan::write(path, &found.built.file(about, left.collect()))
}

async fn act(
    context: &Context,
    engine: &Engine,
    direction: Direction,
    request: &Request,
    reporter: &Reporter,
    json: bool,
) -> Result<Exit, CliError> {
    let outcome = engine.run(direction, request).await;
    reporter.finish();
    let outcome = outcome?;
    let exit = exit_of(&outcome);
    context.audit(&format!(
        "{direction}{} by {}: {} moved, {} failed, {} skipped",
        if request.force { ", forced," } else { "" },
        request.user,
        outcome.moved() + outcome.resting(),
        outcome.count(MoveState::Failed) + outcome.count(MoveState::Unknown),
        outcome.count(MoveState::Skipped)
    ));
    reporter.conclude(&outcome);
    // Whoever has begun another one meanwhile reads of that there.
    if outcome.stopped.is_none()
        && let Ok(Some((run, _))) = engine.store.latest_run(None)
        && run.pid == std::process::id()
    {
        reporter.compare(&run);
    }
    if json && let Err(error) = list::run(context, &ListArgs::default(), true).await {
        if exit == Exit::Done {
            return Err(error);
        }
        // How the run has ended says more than that it could not be listed.
        ui::complain(&error.message());
    }
    Ok(exit)
}

/// The exit status of a run.
fn exit_of(outcome: &Outcome) -> Exit {
    let moved = outcome.moved() + outcome.resting();
    let failed = outcome.count(MoveState::Failed);
    if outcome.count(MoveState::Unknown) > 0 {
        Exit::Stuck
    } else if outcome.stopped == Some(CancelReason::Operator) {
        Exit::Cancelled
    } else if outcome.is_complete() {
        Exit::Done
    } else if moved == 0 && failed == outcome.moves.len() && failed > 0 {
        Exit::Error
    } else {
        Exit::Partly
    }
}

async fn forget(context: &Context, zone: &ZoneName) -> Result<Exit, CliError> {
    let store = context.store()?;
    let zone = &context.zone(&store, zone).await?;
    let local = context.local(store)?;
    let desk = super::zone::desk(context, &local);
    let (said, audited) = match desk.give_up(zone).await? {
        Some(GivenUp::Stopped) => {
            ("it rests here, and is not booted on return".to_owned(), ", at rest here,".to_owned())
        }
        Some(GivenUp::Here(refuge)) => {
            (format!("it was recorded as away at {refuge}, and is here"), format!(", recorded at {refuge},"))
        }
        Some(GivenUp::Configured(refuge)) => (
            format!(
                "it was last at {refuge} and is configured here; 'sysadm zone attach {zone}' attaches it if it is nowhere else, 'sysadm zone delete {zone}' drops its configuration"
            ),
            format!(", last at {refuge},"),
        ),
        Some(GivenUp::Home(home)) => {
            context.audit(&format!("{zone}, of {home}, kept for good by {}", desk.user));
            ui::say(&format!("{zone}: {home} is given up; it belongs here from now on"));
            return Ok(Exit::Done);
        }
        None => {
            let text = format!("{zone} is not away from this host; 'sysadm evacuate -l' lists what is");
            return Err(CliError::new(Exit::Error, text));
        }
    };
    context.audit(&format!("{zone}{audited} given up by {}", desk.user));
    ui::say(&format!("{zone}: given up; {said}"));
    Ok(Exit::Done)
}
