//! `sysadm evacuate`, with and without `-n`: a run, or what it would do.

use std::path::Path;
use std::sync::Arc;

use super::list::ListArgs;
use super::progress::Reporter;
use super::{Args, cancel, dry_run, list};
use crate::cancel::{Cancel, CancelReason};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, plan, policy, ui};
use crate::evacuation::{Actions, DryRun, Engine, JobState, Outcome, Planned, Request};
use crate::model::{Identifier, Millis};
use crate::plan::{About, HostKey, UnplacedZone};
use crate::store::{Direction, MoveState};

/// A run or dry run, with its engine and its request.
pub(super) struct PreparedRun<'a> {
    context: &'a Context,
    engine: Engine,
    direction: Direction,
    request: Request,
    /// The name of the policy.
    policy: Identifier,
    reporter: Arc<Reporter>,
}

impl<'a> PreparedRun<'a> {
    /// Reads the policy and the plan, and opens everything that is needed.
    pub async fn prepare(
        context: &'a mut Context,
        args: &Args,
        direction: Direction,
    ) -> Result<Self, CliError> {
        let reporter = Arc::new(Reporter::new(direction, args.verbosity()));
        let name = args.policy.clone().unwrap_or_else(|| context.config.evacuation.policy.clone());
        let policy = policy::load(context, Some(&name))?;
        let plan = args.plan.as_deref().filter(|_| !args.dry_run).map(plan::read).transpose()?;
        let bandwidth = plan.as_ref().map_or(policy.rules().bandwidth, |plan| plan.rules.bandwidth);
        context.converge(&policy.convergence, bandwidth);
        let engine = context.engine(reporter.clone(), Cancel::default())?;
        let jobs = args.jobs.unwrap_or_else(|| policy.rules().outbound);
        let request = Request {
            all: args.all,
            zones: context.zones(&engine.store, &args.zones).await?,
            actions: Actions { default: args.action, ..Actions::default() },
            only: None,
            destination: None,
            overwrite: args.overwrite,
            force: args.force_attach,
            jobs: usize::try_from(jobs).unwrap_or(usize::MAX),
            retries: args.retries.or(policy.retries).unwrap_or(1),
            policy,
            plan,
            user: Context::user(),
        };
        Ok(Self { context, engine, direction, request, policy: name, reporter })
    }

    /// Shows what the run would do, and writes the plan to the named file.
    pub async fn plan(&self, args: &Args) -> Result<Exit, CliError> {
        let found = self.engine.plan(self.direction, &self.request).await?;
        self.reporter.finish();
        if let Some(path) = &args.plan {
            write_plan(path, &self.engine, &found, &self.policy)?;
        }
        dry_run::show(self.direction, &found.planned, &found.unmanaged, args.json, args.verbosity())
    }

    /// Carries out the run, and reports how it has ended.
    pub async fn carry_out(&self, args: &Args) -> Result<Exit, CliError> {
        cancel::listen_for_signals(&self.engine.cancel);
        cancel::listen_for_deadline(&self.engine.cancel, args.deadline);
        let (engine, request, reporter) = (&self.engine, &self.request, &self.reporter);
        let outcome = engine.run(self.direction, request).await;
        reporter.finish();
        let outcome = outcome?;
        let exit = exit_of(&outcome);
        self.context.audit(&format!(
            "{}{} by {}: {} moved, {} failed, {} skipped",
            self.direction,
            if request.force { ", forced," } else { "" },
            request.user,
            outcome.moved() + outcome.resting(),
            outcome.count(MoveState::Failed) + outcome.count(MoveState::Unknown),
            outcome.count(MoveState::Skipped)
        ));
        reporter.conclude(&outcome);
        // If another run has begun meanwhile, the list is about that run.
        if outcome.stopped.is_none()
            && let Ok(Some((run, _))) = engine.store.latest_run(None)
            && run.pid == std::process::id()
        {
            reporter.compare(&run);
        }
        if args.json
            && let Err(error) = list::run(self.context, &ListArgs::default(), true).await
        {
            if exit == Exit::Done {
                return Err(error);
            }
            // The result of the run is more important than the failure to list it.
            ui::complain(error.message());
        }
        Ok(exit)
    }
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

/// Writes the plan of a dry run to a file.
fn write_plan(path: &Path, engine: &Engine, found: &DryRun, policy: &Identifier) -> Result<(), CliError> {
    let here = HostKey::Name(engine.local.name().to_owned());
    let about = About { created: Millis::now(), hosts: vec![here.clone()], policy: policy.to_string() };
    let stays = |one: &Planned| {
        let reason = match &one.job.state {
            JobState::Waiting(wait) => wait.given_up(),
            state => state.reason()?,
        };
        let zone = one.job.zone.to_string();
        Some(UnplacedZone { zone, host: here.clone(), reasons: vec![reason.text] })
    };
    let unhandled = |unmanaged_guest| UnplacedZone::unhandled(&here, unmanaged_guest);
    let left = found.planned.iter().filter_map(stays).chain(found.unmanaged.iter().map(unhandled));
    plan::write(path, &found.built.file(about, left.collect()))
}
