//! What a run would do, found out without changing anything anywhere.

use std::sync::Arc;

use super::engine::Engine;
use super::error::EvacuationError;
use super::job::Job;
use super::job_state::JobState;
use super::operation::Operation;
use super::preflight::check::Mode;
use super::recover::Unsettled;
use super::request::Request;
use super::run_state::RunState;
use crate::model::{Method, UnmanagedGuest};
use crate::plan::{BuiltPlan, MoveEta};
use crate::store::{Direction, Place, StoreError};

/// What a run would do.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// Zone by zone.
    pub planned: Vec<Planned>,
    /// Guests that cannot be handled.
    pub unmanaged: Vec<UnmanagedGuest>,
    /// The planner's part.
    pub built: BuiltPlan,
}

/// One line of a dry run's plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The zone, with what was found out about it.
    pub job: Job,
    /// Bytes that must cross.
    pub size: u64,
    /// How long that takes, in milliseconds; none if nothing is known.
    pub estimate: Option<u64>,
    /// When it begins after the first move of all, and how long the zone does not answer, as the planner has it.
    pub eta: Option<MoveEta>,
}

impl Engine {
    /// Finds out what [`run`](Self::run) would do. Changes nothing, anywhere.
    ///
    /// # Errors
    /// If nothing could be found out.
    pub async fn plan(&self, direction: Direction, request: &Request) -> Result<DryRun, EvacuationError> {
        let open = self.store.away()?.into_iter().filter(|row| row.place != Place::Away);
        let open: Vec<_> = open.map(|row| Unsettled { row, why: None }).collect();
        let (request, mut view, candidates) = self.see(direction, &open, request).await?;
        let (store, events) = (Arc::clone(&self.store), Arc::clone(&self.events));
        let run_state = RunState::dry(direction, store, events, candidates.list);
        self.preflight(&run_state.jobs(), &mut view, &request, Mode::Look, &run_state).await;
        if let Some((_, advice)) = self.plan_relocations(&request, &run_state).await {
            advice.tell(&run_state);
        }
        let ready = run_state.ready(Operation::is_move);
        let moving: Vec<_> = ready.into_iter().filter_map(|job| Some((job.zone, job.peer?))).collect();
        let built = view.timed(&moving);
        let etas = built.etas(&[], 0);
        let estimate = |job: Job| {
            let eta = etas.get(&job.zone).copied();
            self.estimate(job, eta)
        };
        let planned = run_state.jobs().into_iter().map(estimate).collect::<Result<_, _>>()?;
        Ok(DryRun { planned, unmanaged: candidates.unmanaged, built })
    }

    /// How long a move will take: as the planner says, or by what earlier ones took.
    fn estimate(&self, job: Job, eta: Option<MoveEta>) -> Result<Planned, StoreError> {
        /// What a line carries if nothing is known of it: a gigabit, in bytes a second.
        const RATE: u64 = 117_000_000;
        let Some(task) = job.task.as_ref().filter(|_| job.state == JobState::Ready) else {
            return Ok(Planned { job, size: 0, estimate: None, eta: None });
        };
        let (size, estimate) = match task.request.kind {
            Method::Live => {
                let size = task.zone.memory;
                let known = match &job.peer {
                    Some(peer) => self.store.past_rate(peer)?,
                    None => None,
                };
                (size, Some(size.saturating_mul(1000) / known.unwrap_or(RATE).max(1)))
            }
            Method::Cold => (task.request.manifest.config.len() as u64, Some(1000)),
            // How long its guest takes to end and to come up only that knows.
            Method::Restart => (task.request.manifest.config.len() as u64, None),
        };
        let estimate = eta.map(|eta| eta.duration_ms).or(estimate);
        Ok(Planned { job, size, estimate, eta })
    }
}
