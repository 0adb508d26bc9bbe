//! One zone of a run: the operation, its state, and what is known.

use std::fmt;
use std::sync::Arc;

use super::job_state::{Ending, IllegalTransition, JobEvent, JobState};
use super::operation::Operation;
use super::refusal::HostRefusal;
use crate::migration::Task;
use crate::model::{Brand, HostUri, Method, Millis, ZoneName};
use crate::store::{Figures, Move, MoveState, StopMethod, ZoneRecord};

/// One zone of a run.
#[derive(Clone)]
pub struct Job {
    pub zone: ZoneName,
    pub brand: Brand,
    pub operation: Operation,
    pub state: JobState,
    /// The other host: its destination, or the last one that was tried; on return, its location.
    pub peer: Option<HostUri>,
    /// The blockers of hosts, in the order in which they were asked.
    pub findings: Vec<HostRefusal>,
    /// Its move, once the destination has accepted it.
    pub task: Option<Arc<Task>>,
    pub figures: Figures,
}

impl Job {
    /// A job that is still to be checked.
    pub const fn new(zone: ZoneName, brand: Brand, operation: Operation) -> Self {
        Self {
            zone,
            brand,
            operation,
            state: JobState::Selected,
            peer: None,
            findings: Vec::new(),
            task: None,
            figures: Figures::NONE,
        }
    }

    /// A zone with which nothing is done.
    pub fn kept(zone: ZoneName, brand: Brand, state: JobState) -> Self {
        Self { state, ..Self::new(zone, brand, Operation::Keep) }
    }

    /// The targets that have not refused it yet.
    pub fn targets_left(&self) -> Vec<HostUri> {
        let Operation::Migrate { targets, .. } = &self.operation else { return Vec::new() };
        let has_refused = |target: &HostUri| self.findings.iter().any(|finding| finding.target == *target);
        targets.iter().filter(|target| !has_refused(target)).cloned().collect()
    }

    /// The method, once it is decided.
    pub fn method(&self) -> Option<Method> {
        self.task.as_ref().map(|task| task.request.method)
    }

    /// Applies an event.
    ///
    /// # Errors
    /// If it is not allowed in the job's state; nothing is changed then.
    pub fn apply(&mut self, event: JobEvent, now: Millis) -> Result<(), IllegalTransition> {
        let next = self.state.next(&event)?;
        let is_again = matches!(self.state, JobState::Retrying(_));
        match event {
            JobEvent::Select => self.findings.clear(),
            JobEvent::Check(peer) => self.peer = Some(peer),
            JobEvent::Refuse(finding) => self.findings.push(finding),
            JobEvent::Accept(task) => self.accept(task),
            JobEvent::Relocate(peer, task) => {
                if let Operation::Return(record) = &self.operation {
                    self.operation = Operation::Relocate(record.clone());
                }
                self.peer = Some(peer);
                self.accept(Some(task));
            }
            JobEvent::Start if is_again => self.figures.bytes = 0,
            JobEvent::Start => (self.figures.started, self.figures.step) = (Some(now), None),
            JobEvent::Step(step) => self.figures.step = Some(step),
            JobEvent::Finish(Ending::Moved(moved), _) => {
                (self.figures.bytes, self.figures.total) = (moved.bytes, moved.bytes);
                self.figures.downtime = moved.downtime;
            }
            JobEvent::Found(record) | JobEvent::Relocated(record) => self.find_at(record),
            JobEvent::RelocationFailed(_) => {
                if let Operation::Relocate(record) = &self.operation {
                    self.find_at(record.clone());
                }
            }
            JobEvent::Fail(step, _) | JobEvent::Lose(step, _) => {
                self.figures.step = step.or(self.figures.step);
            }
            JobEvent::Wait(_) | JobEvent::Retry(_) | JobEvent::Finish(..) | JobEvent::Skip(_) => {}
        }
        if next.is_final() && self.figures.started.is_some() {
            self.figures.ended = Some(now);
        }
        self.state = next;
        Ok(())
    }

    fn accept(&mut self, task: Option<Arc<Task>>) {
        self.figures.total = task.as_ref().map_or(0, |task| task.zone.memory);
        self.task = task;
    }

    /// The zone is there, and still has to come home.
    fn find_at(&mut self, record: Box<ZoneRecord>) {
        self.operation = Operation::Return(record);
        (self.task, self.figures) = (None, Figures::NONE);
        self.findings.clear();
    }

    /// Its row in the run.
    pub fn row(&self) -> Move {
        Move {
            zone: self.zone.clone(),
            state: self.row_state(),
            method: self.method(),
            brand: Some(self.brand),
            dest: self.peer.clone(),
            error: self.state.reason(),
            figures: self.figures,
        }
    }

    const fn row_state(&self) -> MoveState {
        match (&self.state, &self.operation) {
            (JobState::Selected | JobState::Checking, _) => MoveState::Preparing,
            (JobState::Ready | JobState::Waiting(_) | JobState::Retrying(_), _) => MoveState::Ready,
            (JobState::Running, _) => MoveState::Migrating,
            (JobState::Done(Ending::Moved(_), _), Operation::Return(_)) => MoveState::Returned,
            (JobState::Done(Ending::Moved(_), _), _) => MoveState::Evacuated,
            (JobState::Done(Ending::Booted, _), _) => MoveState::Returned,
            (JobState::Done(Ending::Stopped(StopMethod::Stop), _), _) => MoveState::Stopped,
            (JobState::Done(Ending::Stopped(StopMethod::Suspend), _), _) => MoveState::Suspended,
            (JobState::Skipped(_), _) => MoveState::Skipped,
            (JobState::Failed(_), _) => MoveState::Failed,
            (JobState::Unknown(_), _) => MoveState::Unknown,
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} {:?} {:?}", self.zone, self.operation, self.state, self.findings)
    }
}
