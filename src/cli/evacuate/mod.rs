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
pub struct Args {
    /// Only these zones, whether or not they are running
    #[arg(value_name = "ZONE", value_parser = ZoneName::typed, conflicts_with_all = ["list", "forget", "resume"])]
    zones: Vec<ZoneName>,
    /// Include zones that are not running; their configurations move, their disks stay on the shared storage
    #[arg(short, long)]
    all: bool,
    /// Return evacuated zones to this host, and boot those that were stopped here
    #[arg(short = 'r', long = "return")]
    back: bool,
    /// Dry run: query all hosts, run all checks and print the plan, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Report each step of each zone
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// Report errors only
    #[arg(short, long)]
    quiet: bool,
    /// Replace a different configuration of the same zone at its destination. Without this option such a zone is refused
    #[arg(short = 'w', long, conflicts_with = "dry_run")]
    overwrite: bool,
    /// Ignore software, platform and network mismatches at the destination. Capacity, storage, name and maintenance
    /// checks still apply. The zone may fail to boot there
    #[arg(long, conflicts_with_all = ["list", "forget", "resume"])]
    force_attach: bool,
    /// What to do with the zones, in place of what the policy says. live: migrate them live, or cold if they are not
    /// running. restart: shut each one down once its destination is ready, and boot it there. stop, suspend: shut them
    /// down or save their memory, and leave them on this host; -r boots them in reverse order. With -r: live or restart
    #[arg(long, value_name = "ACTION", value_parser = action(), conflicts_with_all = ["list", "forget", "resume"])]
    action: Option<Action>,
    /// Number of zones that move at the same time, 1 to 64. Default: the outbound limit of the policy, or 3
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
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    deadline: Option<Duration>,
    /// Print the plan (-n), the result or the list (-l) as a JSON document
    #[arg(long, conflicts_with_all = ["parsable", "verbose"])]
    json: bool,
    /// Ask both hosts about each interrupted move, and complete it or roll it back. Every run does this first
    #[arg(long, conflicts_with_all = ["list", "dry_run", "back", "forget"])]
    resume: bool,
    /// Discard the record of a zone that was evacuated or stopped. The zone itself stays as it is, but is no longer
    /// listed and will not be returned. An evacuated zone becomes 'configured' here; attach it with 'sysadm zone attach'
    /// if no other host has it. A zone that is here but belongs to another host will belong to this host
    #[arg(long, value_name = "ZONE", value_parser = ZoneName::typed, conflicts_with_all = ["list", "dry_run", "back"])]
    forget: Option<ZoneName>,
    /// Ask the run in progress to stop, as ^C does: no new moves start, moves in progress are completed. Repeat to abort
    /// those as well. Use -l --watch to see when the run has ended
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
        ui::say("all interrupted moves are resolved, but some zones are down");
        return Ok(Exit::Partly);
    }
    ui::say("all interrupted moves are resolved; 'sysadm evacuate -l' shows where each zone is");
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
            ("it is stopped here, and will not be booted on return".to_owned(), ", stopped here,".to_owned())
        }
        Some(GivenUp::Here(refuge)) => (
            format!("it was recorded as evacuated to {refuge}, but is here"),
            format!(", recorded at {refuge},"),
        ),
        Some(GivenUp::Configured(refuge)) => (
            format!(
                "it was last on {refuge} and is now configured here; 'sysadm zone attach {zone}' attaches it if no other host has it, 'sysadm zone delete {zone}' deletes its configuration"
            ),
            format!(", last at {refuge},"),
        ),
        Some(GivenUp::Home(home)) => {
            context.audit(&format!("{zone}, of {home}, made a zone of this host by {}", desk.user));
            ui::say(&format!("{zone}: now belongs to this host, and no longer to {home}"));
            return Ok(Exit::Done);
        }
        None => {
            let text = format!("{zone} is not away from this host; 'sysadm evacuate -l' lists what is");
            return Err(CliError::new(Exit::Error, text));
        }
    };
    context.audit(&format!("record of {zone}{audited} discarded by {}", desk.user));
    ui::say(&format!("{zone}: record discarded; {said}"));
    Ok(Exit::Done)
}
