//! What a run would do, without changing anything anywhere.

use std::sync::Arc;

use super::engine::Engine;
use super::job::Job;
use super::job_state::JobState;
use super::operation::Operation;
use super::preflight::check::Mode;
use super::recover::Unsettled;
use super::request::{EvacuationError, Request};
use super::run_state::RunState;
use crate::model::{Method, UnmanagedGuest};
use crate::plan::{BuiltPlan, MoveEta};
use crate::store::{Direction, Place, StoreError};

#[derive(Clone, Debug)]
pub struct DryRun {
    /// For each zone.
    pub planned: Vec<Planned>,
    /// Guests that cannot be handled.
    pub unmanaged: Vec<UnmanagedGuest>,
    /// The plan.
    pub built: BuiltPlan,
}

/// One zone of a dry run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The zone's job, with the result of its checks.
    pub job: Job,
    /// Bytes to send.
    pub size: u64,
    /// The duration in milliseconds; none if nothing is known.
    pub estimate: Option<u64>,
    /// When the move begins after the first one of all, and the zone's downtime, by the planner.
    pub eta: Option<MoveEta>,
}

impl Engine {
    /// Finds out what [`run`](Self::run) would do.
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

    /// How long a move will take: by the planner, or by earlier moves.
    fn estimate(&self, job: Job, eta: Option<MoveEta>) -> Result<Planned, StoreError> {
        /// The bandwidth to assume if nothing is known: a gigabit per second, in bytes.
        const RATE: u64 = 117_000_000;
        let Some(task) = job.task.as_ref().filter(|_| job.state == JobState::Ready) else {
            return Ok(Planned { job, size: 0, estimate: None, eta: None });
        };
        let (size, estimate) = match task.request.method {
            Method::Live => {
                let size = task.zone.memory;
                let known = match &job.peer {
                    Some(peer) => self.store.past_rate(peer)?,
                    None => None,
                };
                (size, Some(size.saturating_mul(1000) / known.unwrap_or(RATE).max(1)))
            }
            Method::Cold => (task.request.manifest.config.len() as u64, Some(1000)),
            // Only the guest knows how long it takes to shut down and to boot.
            Method::Restart => (task.request.manifest.config.len() as u64, None),
        };
        let estimate = eta.map(|eta| eta.duration_ms).or(estimate);
        Ok(Planned { job, size, estimate, eta })
    }
}
