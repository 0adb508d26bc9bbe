//! Before anything moves: each zone is offered to the target that the planner proposes, and, if that refuses, to
//! another, until one accepts it.

pub(super) mod check;
mod hosts;

use std::pin::pin;
use std::sync::Mutex;

use futures_util::StreamExt;

use crate::cancel::{QUESTIONS, Stage};
use crate::evacuation::engine::Engine;
use crate::evacuation::engine::Event;
use crate::evacuation::job::Job;
use crate::evacuation::job_state::JobEvent;
use crate::evacuation::operation::Operation;
use crate::evacuation::placement::{PlanningView, Proposal};
use crate::evacuation::request::Request;
use crate::evacuation::run_state::RunState;
use crate::model::{HostUri, ZoneName};
use check::Mode;
use hosts::Preflight;

/// How long to wait for measurements, which take less.
const MEASURING: std::time::Duration = std::time::Duration::from_secs(3);

/// How many zones are checked at the same time.
const WIDTH: usize = 4;

impl Engine {
    /// Checks all these zones, while it is measured how fast they write to their memory, which their order
    /// depends on.
    pub(super) async fn preflight(
        &self,
        jobs: &[Job],
        view: &mut PlanningView,
        request: &Request,
        mode: Mode,
        run_state: &RunState,
    ) {
        if !jobs.iter().any(|job| job.operation.is_move()) {
            return self.check_all(jobs, view, request, mode, run_state).await;
        }
        // A host that does not answer in time has reported the essentials before.
        let measuring = self.cancel.bound(QUESTIONS, tokio::time::timeout(MEASURING, self.measured(view)));
        let ((), measured) = tokio::join!(self.check_all(jobs, view, request, mode, run_state), measuring);
        if let Some(Ok(measured)) = measured {
            view.note(&measured);
        }
    }

    /// Checks all these zones. The planner chooses the target to which each is offered; those that are refused
    /// are placed again, among their remaining targets.
    async fn check_all(
        &self,
        jobs: &[Job],
        view: &PlanningView,
        request: &Request,
        mode: Mode,
        run_state: &RunState,
    ) {
        self.events.emit(&Event::Preparing(jobs.len()));
        // Of these everything is known already.
        jobs.iter().filter(|job| job.state.is_final()).for_each(|job| self.events.emit(&Event::Checked(job)));
        let connected = view.connected.clone();
        let preflight =
            &Preflight { engine: self, request, run_state, mode, connected, planned: Mutex::default() };
        let mut open: Vec<_> = jobs.iter().filter(|job| !job.state.is_final()).cloned().collect();
        while !open.is_empty() {
            open = self.check_round(preflight, &open, view).await;
        }
    }

    /// Checks each of these zones once. Returns those that are to be placed again.
    async fn check_round(&self, preflight: &Preflight<'_>, open: &[Job], view: &PlanningView) -> Vec<Job> {
        let run_state = preflight.run_state;
        let places = &view.place(open, &settled(run_state), preflight.request.force);
        let checking = open
            .iter()
            .map(|job| async move { (job, self.check_one(preflight, job, places.get(&job.zone)).await) });
        // In a dry run each zone depends on what was planned for those before it.
        let width = if preflight.mode == Mode::Reserve { WIDTH } else { 1 };
        let mut checked = pin!(futures_util::stream::iter(checking).buffered(width));
        let mut again = Vec::new();
        while let Some((job, event)) = checked.next().await {
            match refused_with_targets_left(job, &event, run_state) {
                Some(job) => again.push(job),
                // That a row cannot be written is noticed by the first move's journal, before the move.
                None => drop(run_state.apply(&job.zone, event)),
            }
        }
        again
    }

    async fn check_one(&self, preflight: &Preflight<'_>, job: &Job, proposal: Option<&Proposal>) -> JobEvent {
        let event = match self.cancel.stage() {
            Stage::Running => self.cancel.bound(QUESTIONS, preflight.check(job, proposal)).await,
            Stage::Finishing | Stage::Aborting => None,
        };
        // Room that was reserved by a request without an answer is free again when the lease ends.
        let event = event.unwrap_or_else(|| {
            preflight.run_state.cut_short();
            JobEvent::Skip("cancelled before its turn".to_owned())
        });
        if matches!(event, JobEvent::Accept(Some(_))) {
            preflight.note_unreached(&job.zone);
        }
        event
    }
}

/// The job, if hosts that were asked just now have refused it and it has other targets.
fn refused_with_targets_left(asked: &Job, event: &JobEvent, run_state: &RunState) -> Option<Job> {
    let was_refused = matches!(event, JobEvent::Fail(..) | JobEvent::Wait(_));
    let job = run_state.job(&asked.zone).filter(|_| was_refused)?;
    (job.findings.len() > asked.findings.len() && !job.targets_left().is_empty()).then_some(job)
}

/// Zones of this host with the targets that have accepted them.
fn settled(run_state: &RunState) -> Vec<(ZoneName, HostUri)> {
    let leaves = |operation: &Operation| matches!(operation, Operation::Migrate { .. });
    run_state.ready(leaves).into_iter().filter_map(|job| Some((job.zone, job.peer?))).collect()
}
