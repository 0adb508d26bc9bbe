//! Before anything moves: each zone is offered to the target that the planner has for it, and, if that refuses, to
//! another, until one has nothing against it.

mod candidate;
pub(super) mod check;
mod networks;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Mutex;

use futures_util::StreamExt;

use crate::evacuation::cancel::{QUESTIONS, Stage};
use crate::evacuation::engine::Engine;
use crate::evacuation::events::Event;
use crate::evacuation::job::{Candidate, Finding, Intent, Prepared, Readiness, note, unprepared};
use crate::evacuation::placement::{PlanningView, Proposal};
use crate::evacuation::request::Request;
use crate::evacuation::run_state::RunState;
use crate::model::{HostUri, ZoneName};
use candidate::{Preflight, refused_by};
use check::Mode;

/// How long is waited for what is measured, longer than that takes.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// How many zones are prepared at once.
const WIDTH: usize = 4;

impl Engine {
    /// Prepares all candidates, while it is measured how they write to their memory: the order of their moves heeds that.
    pub(super) async fn prepare_and_measure(
        &self,
        candidates: &[Candidate],
        view: &mut PlanningView,
        request: &Request,
        mode: Mode,
        run_state: &RunState,
    ) -> Vec<Prepared> {
        let moves = |one: &Candidate| matches!(one.intent, Intent::Leave { .. } | Intent::Return(_));
        if !candidates.iter().any(moves) {
            return self.prepare_all(candidates, view, request, mode, run_state).await;
        }
        // A host that does not answer in time has said what matters before.
        let measuring = self.cancel.bound(QUESTIONS, tokio::time::timeout(PATIENCE, self.measured(view)));
        let (prepared, measured) =
            tokio::join!(self.prepare_all(candidates, view, request, mode, run_state), measuring);
        if let Some(Ok(measured)) = measured {
            view.note(&measured);
        }
        prepared
    }

    /// Prepares all candidates; results in their order. The planner says to which target each zone is offered; those
    /// that are refused there are placed again, among the targets that are left.
    async fn prepare_all(
        &self,
        candidates: &[Candidate],
        view: &PlanningView,
        request: &Request,
        mode: Mode,
        run_state: &RunState,
    ) -> Vec<Prepared> {
        self.events.emit(&Event::Preparing(candidates.len()));
        let connected = view.connected.clone();
        let preflight = &Preflight { engine: self, request, mode, connected, planned: Mutex::default() };
        let (mut open, mut tries) = (candidates.to_vec(), Attempts::default());
        while !open.is_empty() {
            let mut again = Vec::new();
            {
                let places = &view.place(&open, &tries.settled(), request.force);
                let preparing = open.iter().map(|candidate| async move {
                    let place = places.get(&candidate.zone);
                    (candidate, self.prepare_one(preflight, candidate, place, run_state).await)
                });
                // What a dry run has planned is known one zone after the other.
                let width = if mode == Mode::Book { WIDTH } else { 1 };
                let mut prepared = pin!(futures_util::stream::iter(preparing).buffered(width));
                while let Some((candidate, prepared)) = prepared.next().await {
                    match tries.note(candidate, prepared) {
                        Err(candidate) => again.push(candidate),
                        Ok(ended) => {
                            // A board that cannot be written is found out by the first move's journal, before the move.
                            let _ = run_state.change(&ended.zone, |a_move| note(a_move, ended));
                            self.events.emit(&Event::Prepared(ended));
                        }
                    }
                }
            }
            open = again;
        }
        tries.into_list(candidates)
    }

    async fn prepare_one(
        &self,
        preflight: &Preflight<'_>,
        candidate: &Candidate,
        place: Option<&Proposal>,
        run_state: &RunState,
    ) -> Prepared {
        let prepared = match self.cancel.stage() {
            Stage::Running => self.cancel.bound(QUESTIONS, preflight.prepare(candidate, place)).await,
            Stage::Finishing | Stage::Aborting => None,
        };
        // Room that was booked for it by a question without an answer is free again when the lease ends.
        let mut prepared = prepared.unwrap_or_else(|| {
            run_state.cut_short();
            unprepared(candidate, Readiness::Skipped("cancelled before its turn".to_owned()))
        });
        if matches!(prepared.readiness, Readiness::Ready(_)) {
            prepared.findings.extend(preflight.unreached(candidate));
        }
        prepared
    }
}

/// What was found out so far, zone by zone.
#[derive(Default)]
struct Attempts {
    ended: BTreeMap<ZoneName, Prepared>,
    /// What targets have said to zones that are offered to another one now.
    findings: BTreeMap<ZoneName, Vec<Finding>>,
}

impl Attempts {
    /// Notes an answer. Gives the zone with the targets that are left instead, if it is to be placed again.
    fn note(&mut self, candidate: &Candidate, mut prepared: Prepared) -> Result<&Prepared, Candidate> {
        let mut findings = self.findings.remove(&candidate.zone).unwrap_or_default();
        findings.append(&mut prepared.findings);
        let turned_down = matches!(prepared.readiness, Readiness::Failed(_) | Readiness::Waits(_));
        if let Intent::Leave { kind, targets } = &candidate.intent
            && turned_down
            && !findings.is_empty()
        {
            let asked = |target: &HostUri| findings.iter().any(|finding| finding.target == *target);
            let left: Vec<_> = targets.iter().filter(|target| !asked(target)).cloned().collect();
            if !left.is_empty() {
                self.findings.insert(candidate.zone.clone(), findings);
                let intent = Intent::Leave { kind: *kind, targets: left };
                return Err(Candidate { intent, ..candidate.clone() });
            }
            prepared.readiness = refused_by(&findings);
        }
        prepared.findings = findings;
        Ok(self.ended.entry(candidate.zone.clone()).insert_entry(prepared).into_mut())
    }

    /// Zones that have found a target, and which.
    fn settled(&self) -> Vec<(ZoneName, HostUri)> {
        let ready = self.ended.values().filter(|one| matches!(one.readiness, Readiness::Ready(_)));
        ready.filter_map(|one| Some((one.zone.clone(), one.peer.clone()?))).collect()
    }

    fn into_list(mut self, candidates: &[Candidate]) -> Vec<Prepared> {
        candidates.iter().filter_map(|candidate| self.ended.remove(&candidate.zone)).collect()
    }
}
