//! `sysadm zone migrate`.

use std::sync::Arc;

use serde_json::json;

use super::zoneadm_messages::{DRY_RUN, ZoneadmMessages};
use crate::admin::AttachmentError;
use crate::cancel::{Cancel, CancelReason};
use crate::cli::context::Context;
use crate::cli::evacuate::cancel;
use crate::cli::{CliError, Exit, help, policy, ui};
use crate::evacuation::{Actions, Down, Engine, EvacuationError, Finding, Job, JobState, Request};
use crate::failover;
use crate::migration::previous_config;
use crate::model::{BlockerKind, HostUri, Kind, ZoneName};
use crate::plan::Action;
use crate::store::{Direction, Move, MoveState};

/// Move a zone to another host, for good
///
/// A zone that runs migrates live, one that does not run moves cold: its configuration goes over. Its storage must be
/// one that both hosts see. The destination is asked first, books room and looks for the storage; if it has anything
/// against the zone, nothing is changed.
///
/// The zone does not belong here any more afterwards: it is 'configured' here, and no 'sysadm evacuate -r' brings it
/// back. One that is here as a guest, because its own host was evacuated, may be moved on; the return of its own host
/// follows it.
///
/// No maintenance is needed here, nor is it in the way; that of the destination is. Only one evacuation, return or
/// migration is in progress on a host. ^C: what was begun is finished. Once more: it is given up, the zone stays
/// here. If it is interrupted, 'sysadm evacuate --resume' asks both hosts and settles it, and so does the next run.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::ZONE_MIGRATE)]
pub struct Args {
    /// The zone
    #[arg(value_parser = ZoneName::typed)]
    zone: ZoneName,
    /// The other host: ssh://USER@HOST:PORT or rads://USER@HOST:PORT; user and port may be left out
    uri: HostUri,
    /// Ask the destination, check everything; change nothing anywhere
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Say only what went wrong
    #[arg(short, long)]
    quiet: bool,
    /// Overwrite the configuration that the destination has of the same zone
    #[arg(short = 'w', long, conflicts_with = "dry_run")]
    overwrite: bool,
    /// How it moves
    #[arg(short = 't', long = "type", value_name = "TYPE", value_enum, default_value_t = Type::Auto)]
    kind: Type,
    /// The result as one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Type {
    /// Live if it runs, cold if it does not
    Auto,
    /// Only live: a zone that does not run is not moved
    Live,
    /// A zone that runs is shut down when all is ready for it there, and booted there
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
    let action = if args.kind == Type::Cold { Action::Restart } else { Action::Live };
    let request = Request {
        zones: vec![args.zone.clone()],
        actions: Actions { default: Some(action), ..Actions::default() },
        only: (args.kind == Type::Live).then_some(Kind::Live),
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
            // It is not to be attached from what was left of it here.
            let stale =
                failover::withdraw(engine.local.name(), &engine.store, &engine.peers, &args.zone).await?;
            super::stale(&stale).iter().for_each(|line| ui::complain(line));
        }
    }
    Ok(ended.exit)
}

/// Of a zone that is not here, more is known than that.
async fn why_absent<T>(
    context: &Context,
    engine: &Engine,
    zone: &ZoneName,
    result: Result<T, EvacuationError>,
) -> Result<T, CliError> {
    match result {
        Err(EvacuationError::NoSuchZone(_)) => {
            let known = super::desk(context, &*context.local(Arc::clone(&engine.store))?).known().await?;
            Err(AttachmentError::from(known.why_absent(zone)).into())
        }
        result => Ok(result?),
    }
}

/// What a migration came to, or would.
struct MigrationEnd {
    exit: Exit,
    /// Why it did not go well.
    complaints: Vec<String>,
    /// What is said of it if it has moved, and ran before and does not now.
    down: Vec<String>,
    /// How it has gone.
    moved: Option<Move>,
}

impl MigrationEnd {
    fn of(moved: Move, stopped: Option<CancelReason>, findings: Vec<Finding>) -> Self {
        let reason = moved.error.clone().unwrap_or_else(|| "no reason is known".to_owned());
        let refused = moved.started.is_none() && !findings.is_empty() && stopped.is_none();
        let (exit, complaints) = match moved.state {
            MoveState::Evacuated => (Exit::Done, vec![]),
            MoveState::Unknown => (Exit::Stuck, vec![reason]),
            _ if stopped.is_some() => (Exit::Cancelled, vec![reason]),
            _ if refused => refusal(&findings),
            _ => (Exit::Error, vec![reason]),
        };
        Self { exit, complaints, down: Vec::new(), moved: Some(moved) }
    }

    /// The same, with what was found of guests that are down.
    fn beside(self, down: &[Down]) -> Self {
        let exit = if self.exit == Exit::Done && !down.is_empty() { Exit::Partly } else { self.exit };
        Self { exit, down: down.iter().map(|one| format!("down: {}", one.reason)).collect(), ..self }
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
            complaints => format!("{zone} not migrated to {uri} by {user}: {}", complaints.join("; ")),
        }
    }

    fn document(&self, args: &Args) -> Result<String, CliError> {
        let moved = self.moved.as_ref();
        let span = |one: &Move| Some(one.ended?.since(one.started?));
        let document = json!({
            "schema_version": 1, "zone": args.zone, "dest": args.uri, "dry_run": args.dry_run,
            "done": self.complaints.is_empty(), "kind": moved.and_then(|one| one.kind), "errors": self.complaints, "down": self.down,
            "bytes": moved.map(|one| one.bytes), "duration_ms": moved.and_then(span),
            "downtime_ms": moved.and_then(|one| one.downtime),
        });
        let text = serde_json::to_string_pretty(&document).map_err(|error| CliError::new(Exit::Error, error));
        Ok(format!("{}\n", text?))
    }
}

/// Everything that its destination has against a zone.
fn refusal(findings: &[Finding]) -> (Exit, Vec<String>) {
    let blockers = || findings.iter().flat_map(|one| one.blockers.iter().map(move |blocker| (one, blocker)));
    let locked = blockers().any(|(_, blocker)| blocker.kind == BlockerKind::Maintenance);
    let lines = blockers().map(|(finding, blocker)| format!("{}: {blocker}", finding.target));
    (if locked { Exit::Refused } else { Exit::Error }, lines.collect())
}
