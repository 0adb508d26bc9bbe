//! `sysadm zone migrate`.

use std::sync::Arc;

use serde_json::json;

use super::zoneadm_messages::{DRY_RUN, ZoneadmMessages};
use crate::admin::AdminError;
use crate::cancel::{Cancel, CancelReason};
use crate::cli::context::Context;
use crate::cli::evacuate::cancel;
use crate::cli::{CliError, Exit, help, policy, ui};
use crate::evacuation::{Actions, Down, Engine, EvacuationError, HostRefusal, Job, JobState, Request};
use crate::failover;
use crate::migration::previous_config;
use crate::model::{BlockerKind, HostUri, Message, Method, ZoneName};
use crate::plan::Action;
use crate::store::{Direction, Move, MoveState};

/// Migrate a zone to another host permanently
///
/// A running zone migrates live. For a zone that is not running, only the configuration moves. The zone's storage must
/// be accessible to both hosts. The destination checks the zone and its storage and reserves room before anything is
/// changed; if it refuses, the zone stays as it is.
///
/// Afterwards the zone belongs to the other host. It is 'configured' here, and 'sysadm evacuate -r' does not bring it
/// back. A zone that was evacuated to this host can be migrated further; the return to its own host will find it.
///
/// This host may be in maintenance or not, but the destination must not be. Only one evacuation, return or migration
/// can be in progress on a host. ^C before the move has started cancels it; otherwise the move is completed. A second ^C
/// aborts the move, and the zone stays here. If the command is interrupted, 'sysadm evacuate --resume' or the next run
/// asks both hosts and completes the move or rolls it back.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::ZONE_MIGRATE)]
pub struct Args {
    /// Zone
    #[arg(value_parser = ZoneName::typed)]
    zone: ZoneName,
    /// Destination: ssh://[USER@]HOST[:PORT] or rads://[USER@]HOST[:PORT]
    uri: HostUri,
    /// Dry run: query the destination and run all checks, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Report errors only
    #[arg(short, long)]
    quiet: bool,
    /// Overwrite a different configuration of the zone that the destination has. Default: refuse the zone
    #[arg(short = 'w', long, conflicts_with = "dry_run")]
    overwrite: bool,
    /// Migration type
    #[arg(short = 't', long = "type", value_name = "TYPE", value_enum, default_value_t = Type::Auto)]
    method: Type,
    /// Print the result as a JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Type {
    /// Live if the zone is running, cold if it is not
    Auto,
    /// Live only; refuse a zone that is not running
    Live,
    /// Shut a running zone down once the destination is ready, and boot it there
    Cold,
}

pub async fn run(mut args: Args) -> Result<Exit, CliError> {
    let mut context = Context::load()?;
    args.zone = context.zone(&*context.store()?, &args.zone).await?;
    let messages = Arc::new(ZoneadmMessages::new(args.zone.clone(), args.quiet || args.json));
    let cancel = Cancel::default();
    let policy = policy::load(&context, None)?.of_one_move();
    context.converge(&policy.convergence, policy.rules().bandwidth);
    let engine = context.engine(messages.clone(), cancel.clone())?;
    let action = if args.method == Type::Cold { Action::Restart } else { Action::Live };
    let request = Request {
        zones: vec![args.zone.clone()],
        actions: Actions { default: Some(action), ..Actions::default() },
        only: (args.method == Type::Live).then_some(Method::Live),
        destination: Some(args.uri.clone()),
        overwrite: args.overwrite,
        jobs: 1,
        retries: policy.retries.unwrap_or(1),
        policy,
        user: Context::user(),
        ..Request::default()
    };
    let result = if args.dry_run {
        let found = engine.plan(Direction::Migrate, &request).await;
        let found = why_absent(&context, &engine, &args.zone, found).await?;
        let job = found.planned.into_iter().next().map(|one| one.job);
        if let Some(Job { state: JobState::Ready, task: Some(task), .. }) = &job
            && previous_config::is_there(task).await?
        {
            messages.finds_the_same();
        }
        job.map(MigrationEnd::would)
    } else {
        cancel::listen_for_signals(&cancel);
        let outcome = engine.run(Direction::Migrate, &request).await;
        messages.finish();
        let outcome = why_absent(&context, &engine, &args.zone, outcome).await?;
        let ended = |one| MigrationEnd::of(one, outcome.stopped, messages.findings());
        outcome.moves.into_iter().next().map(ended).map(|ended| ended.beside(&outcome.down))
    };
    let Some(ended) = result else {
        return Err(CliError::new(Exit::Error, format!("no such zone: {}", args.zone)));
    };
    if args.dry_run && ended.exit == Exit::Done {
        DRY_RUN.iter().for_each(|text| messages.say(text));
    }
    if args.json {
        ui::note(&ended.document(&args)?);
    }
    ended.complaints.iter().chain(&ended.down).for_each(|text| messages.complain(text));
    if !args.dry_run {
        context.audit(&ended.line(&args, &request.user));
        if ended.complaints.is_empty() {
            // So that it is not taken over from its replica.
            let stale =
                failover::drop_replicas(engine.local.name(), &engine.store, &engine.peers, &args.zone)
                    .await?;
            super::stale(&stale).into_iter().for_each(ui::complain);
        }
    }
    Ok(ended.exit)
}

/// If the zone is not here, its record explains why.
async fn why_absent<T>(
    context: &Context,
    engine: &Engine,
    zone: &ZoneName,
    result: Result<T, EvacuationError>,
) -> Result<T, CliError> {
    match result {
        Err(EvacuationError::NoSuchZone(_)) => {
            let known = super::admin(context, &*context.local(Arc::clone(&engine.store))?).known().await?;
            Err(AdminError::from(known.why_absent(zone)).into())
        }
        result => Ok(result?),
    }
}

/// The result of a migration, or of a dry run.
struct MigrationEnd {
    exit: Exit,
    /// Why it failed.
    complaints: Vec<Message>,
    /// The report if the zone has moved, and ran before but not now.
    down: Vec<Message>,
    /// The zone's move.
    moved: Option<Move>,
}

impl MigrationEnd {
    fn of(moved: Move, stopped: Option<CancelReason>, findings: Vec<HostRefusal>) -> Self {
        let reason = moved.error.clone().unwrap_or_else(|| "unknown reason".into());
        let refused = moved.figures.started.is_none() && !findings.is_empty() && stopped.is_none();
        let (exit, complaints) = match moved.state {
            MoveState::Evacuated => (Exit::Done, vec![]),
            MoveState::Unknown => (Exit::Stuck, vec![reason]),
            _ if stopped.is_some() => (Exit::Cancelled, vec![reason]),
            _ if refused => refusal(&findings),
            _ => (Exit::Error, vec![reason]),
        };
        Self { exit, complaints, down: Vec::new(), moved: Some(moved) }
    }

    /// Adds the report about guests that are down.
    fn beside(self, down: &[Down]) -> Self {
        let exit = if self.exit == Exit::Done && !down.is_empty() { Exit::Partly } else { self.exit };
        Self { exit, down: down.iter().map(|one| one.reason.clone().about("down")).collect(), ..self }
    }

    fn would(job: Job) -> Self {
        let (exit, complaints) = match job.state {
            JobState::Ready => (Exit::Done, vec![]),
            JobState::Unknown(reason) => (Exit::Stuck, vec![reason]),
            _ if !job.findings.is_empty() => refusal(&job.findings),
            state => (Exit::Error, state.reason().into_iter().collect()),
        };
        Self { exit, complaints, down: Vec::new(), moved: None }
    }

    fn line(&self, args: &Args, user: &str) -> String {
        let (zone, uri) = (&args.zone, &args.uri);
        match self.complaints.as_slice() {
            [] => format!("{zone} migrated to {uri} by {user}"),
            complaints => {
                let why = Message::join(complaints.iter().cloned(), "; ");
                format!("{zone} not migrated to {uri} by {user}: {why}")
            }
        }
    }

    fn document(&self, args: &Args) -> Result<String, CliError> {
        let moved = self.moved.as_ref();
        let texts = |all: &[Message]| -> Vec<_> { all.iter().map(ToString::to_string).collect() };
        let all = self.complaints.iter().chain(&self.down).cloned();
        let span = |one: &Move| Some(one.figures.ended?.since(one.figures.started?));
        let document = json!({
            "schema_version": 1, "zone": args.zone, "dest": args.uri, "dry_run": args.dry_run,
            "done": self.complaints.is_empty(), "method": moved.and_then(|one| one.method), "errors": texts(&self.complaints),
            "down": texts(&self.down), "hint": Message::join(all, "; ").hint(),
            "bytes": moved.map(|one| one.figures.bytes), "duration_ms": moved.and_then(span),
            "downtime_ms": moved.and_then(|one| one.figures.downtime),
        });
        let text = serde_json::to_string_pretty(&document).map_err(|error| CliError::new(Exit::Error, error));
        Ok(format!("{}\n", text?))
    }
}

/// All blockers of the destination.
fn refusal(findings: &[HostRefusal]) -> (Exit, Vec<Message>) {
    let blockers = || findings.iter().flat_map(|one| one.blockers.iter().map(move |blocker| (one, blocker)));
    let locked = blockers().any(|(_, blocker)| blocker.kind == BlockerKind::Maintenance);
    let lines = blockers().map(|(finding, blocker)| blocker.message().about(&finding.target));
    (if locked { Exit::Refused } else { Exit::Error }, lines.collect())
}
