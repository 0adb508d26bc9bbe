//! The jobs of one run. Everything that happens to a zone goes through [`RunState::apply`]: the state of its job,
//! its row in the store (which `evacuate -l` and `--json` show), and the events for the screen all follow from
//! it. Nothing else writes these rows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::engine::{Event, EventSink};
use super::job::Job;
use super::job_state::{IllegalTransition, JobEvent, JobState};
use super::operation::Operation;
use super::refusal::Wait;
use crate::model::{Hinted, Message, Millis, Progress, Step, ZoneName};
use crate::store::{Direction, Expectation, Mark, Move, Store, StoreError};

/// Why an event could not be applied or recorded.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The run has no such zone.
    #[error("zone {0} is not part of this run")]
    NoSuchJob(ZoneName),
    /// The event is not allowed in this state.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The event was applied, but not recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Hinted for JobError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Store(error) => error.hints(),
            Self::NoSuchJob(_) | Self::Illegal(_) => Vec::new(),
        }
    }
}

/// The jobs of one run.
pub struct RunState {
    direction: Direction,
    store: Arc<Store>,
    events: Arc<dyn EventSink>,
    /// The run's number; none for a dry run.
    run: Option<i64>,
    /// Each with its position in the order of selection.
    jobs: Mutex<BTreeMap<ZoneName, (usize, Job)>>,
    cut_short: AtomicBool,
}

impl RunState {
    /// The jobs of a run that is in the store.
    ///
    /// # Errors
    /// If their rows cannot be written.
    pub fn begin(
        direction: Direction,
        store: Arc<Store>,
        events: Arc<dyn EventSink>,
        run: i64,
        jobs: Vec<Job>,
    ) -> Result<Self, StoreError> {
        let begun = Self { run: Some(run), ..Self::dry(direction, store, events, jobs) };
        begun.store.save_moves(run, &begun.moves())?;
        Ok(begun)
    }

    /// The jobs of a dry run, which are not stored.
    pub fn dry(direction: Direction, store: Arc<Store>, events: Arc<dyn EventSink>, jobs: Vec<Job>) -> Self {
        let jobs = jobs.into_iter().enumerate().map(|(place, job)| (job.zone.clone(), (place, job)));
        let jobs = Mutex::new(jobs.collect());
        Self { direction, store, events, run: None, jobs, cut_short: AtomicBool::new(false) }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<ZoneName, (usize, Job)>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The run's number; none for a dry run.
    pub const fn run(&self) -> Option<i64> {
        self.run
    }

    /// Something is left undone because the run was cancelled.
    pub fn cut_short(&self) {
        self.cut_short.store(true, Ordering::Relaxed);
    }

    /// Whether something is left undone.
    pub fn is_cut_short(&self) -> bool {
        self.cut_short.load(Ordering::Relaxed)
    }

    /// Applies an event to a zone's job, stores it, and reports it. Returns the job afterwards.
    ///
    /// # Errors
    /// If the event is not allowed, or could not be stored.
    pub fn apply(&self, zone: &ZoneName, event: JobEvent) -> Result<Job, JobError> {
        let told = event.clone();
        let (before, job) = {
            let mut jobs = self.locked();
            let (_, job) = jobs.get_mut(zone).ok_or_else(|| JobError::NoSuchJob(zone.clone()))?;
            let before = job.state.clone();
            job.apply(event, Millis::now())?;
            (before, job.clone())
        };
        let saved = self.save(&job);
        self.tell(&before, &told, &job);
        saved.map(|()| job).map_err(JobError::Store)
    }

    /// Likewise, if nothing depends on whether it is stored: an error is only reported.
    pub fn report(&self, zone: &ZoneName, event: JobEvent) {
        if let Err(error) = self.apply(zone, event) {
            self.events.emit(&Event::Warning(Message::from(error).about(zone)));
        }
    }

    fn save(&self, job: &Job) -> Result<(), StoreError> {
        self.run.map_or(Ok(()), |run| self.store.save_moves(run, &[job.row()]))
    }

    /// Emits the event for a change.
    fn tell(&self, before: &JobState, event: &JobEvent, job: &Job) {
        let (zone, peer) = (&job.zone, job.peer.as_ref().map_or("", |peer| peer.host.as_str()));
        let checked = matches!(before, JobState::Selected | JobState::Checking);
        match (event, &job.state) {
            (JobEvent::Check(_), _) => self.events.emit(&Event::Checking(zone, peer)),
            (JobEvent::Step(step), _) => self.tell_step(job, *step, Mark::Intent),
            (JobEvent::Retry(text), _) => self.events.emit(&Event::Retrying(zone, text)),
            (JobEvent::RelocationFailed(why), _) => {
                let why = why.clone().about(format!("{zone}: it has not gone to {peer}"));
                self.events.emit(&Event::Warning(why));
            }
            (_, JobState::Running) => self.events.emit(&match &job.operation {
                Operation::Relocate(_) => Event::Relocating(zone, peer),
                Operation::Stop { method, .. } => Event::Stopping(zone, *method),
                Operation::Boot(_) => Event::Booting(zone),
                Operation::Keep | Operation::Migrate { .. } | Operation::Return(_) => {
                    Event::Migrating(zone, peer)
                }
            }),
            (_, JobState::Waiting(wait)) if wait.is_told() => {
                self.events.emit(&Event::Waiting(zone, &wait.message()));
            }
            (_, JobState::Ready | JobState::Waiting(_)) if checked => self.events.emit(&Event::Checked(job)),
            (_, state) if state.is_final() && checked => self.events.emit(&Event::Checked(job)),
            // A zone that waited in vain has not begun, and is reported at the end of the run.
            (_, state) if state.is_final() && !matches!(before, JobState::Waiting(_)) => {
                self.events.emit(&Event::Ended(&job.row()));
            }
            _ => {}
        }
    }

    fn tell_step(&self, job: &Job, step: Step, mark: Mark) {
        if let Some(method) = job.method() {
            self.events.emit(&Event::Step { zone: &job.zone, method, step, mark });
        }
    }

    pub fn step_done(&self, zone: &ZoneName, step: Step) {
        if let Some(job) = self.job(zone) {
            self.tell_step(&job, step, Mark::Done);
        }
    }

    /// Updates the progress of a zone's transfer.
    pub fn progress(&self, zone: &ZoneName, progress: Progress) {
        let job = {
            let mut jobs = self.locked();
            let Some((_, job)) = jobs.get_mut(zone) else { return };
            job.figures.bytes = progress.sent;
            job.figures.total = progress.sent.saturating_add(progress.remaining).max(job.figures.total);
            job.clone()
        };
        if self.save(&job).is_ok() {
            self.events.emit(&Event::Progress(&job.row()));
        }
    }

    /// Stores when the last move is expected to end, by how many ms it may be later, and the estimates of the
    /// moves that have not begun.
    pub fn expect(
        &self,
        end: (Millis, u64),
        of: impl Fn(&ZoneName) -> Option<Expectation>,
    ) -> Result<(), StoreError> {
        let mut changed = Vec::new();
        let has_not_begun = |job: &&mut Job| job.figures.started.is_none() && !job.state.is_final();
        for job in self.locked().values_mut().map(|(_, job)| job).filter(has_not_begun) {
            if let Some(expectation) = of(&job.zone) {
                job.figures.expected = Some(expectation);
                changed.push((job.zone.clone(), expectation));
            }
        }
        // Not the whole rows: each move writes its own state meanwhile.
        self.run.map_or(Ok(()), |run| self.store.expect(run, end, &changed))
    }

    pub fn job(&self, zone: &ZoneName) -> Option<Job> {
        self.locked().get(zone).map(|(_, job)| job.clone())
    }

    /// All jobs, in the order of selection.
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs: Vec<_> = self.locked().values().cloned().collect();
        jobs.sort_by_key(|(place, _)| *place);
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    /// The jobs that are ready and have such an operation.
    pub fn ready(&self, is_such: impl Fn(&Operation) -> bool) -> Vec<Job> {
        let mut jobs = self.jobs();
        jobs.retain(|job| job.state == JobState::Ready && is_such(&job.operation));
        jobs
    }

    /// The jobs that wait for room, and for what.
    pub fn waiting(&self) -> Vec<(ZoneName, Wait)> {
        let waits = |job: Job| match job.state {
            JobState::Waiting(wait) => Some((job.zone, wait)),
            _ => None,
        };
        self.jobs().into_iter().filter_map(waits).collect()
    }

    /// The jobs to be checked, including those that wait for room.
    pub fn select_again(&self) -> Vec<Job> {
        for (zone, _) in self.waiting() {
            self.report(&zone, JobEvent::Select);
        }
        let mut jobs = self.jobs();
        jobs.retain(|job| job.state == JobState::Selected);
        jobs
    }

    /// Their rows, by zone name.
    pub fn moves(&self) -> Vec<Move> {
        self.locked().values().map(|(_, job)| job.row()).collect()
    }
}
