//! One zone is offered to its targets, or to its home.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::check::{Check, Mode, describe, join};
use super::networks::Mapped;
use crate::evacuation::engine::Engine;
use crate::evacuation::events::Event;
use crate::evacuation::job::{Candidate, Finding, Intent, Prepared, Readiness, UNSETTLED, unprepared};
use crate::evacuation::peers::Connected;
use crate::evacuation::placement::Proposal;
use crate::evacuation::request::Request;
use crate::evacuation::return_path::{Trail, way_back};
use crate::evacuation::wait::Wait;
use crate::host::{Exported, Host};
use crate::migration::Task;
use crate::model::chain;
use crate::model::{Arrival, Blocker, BlockerKind, Home, HostId, HostUri, Kind, Location, PendingLoad};
use crate::store::Away;

/// What the preparations of one run have in common.
pub(super) struct Preflight<'a> {
    pub engine: &'a Engine,
    pub request: &'a Request,
    pub mode: Mode,
    pub connected: Connected,
    /// What a dry run has sent to each host.
    pub planned: Mutex<BTreeMap<HostId, PendingLoad>>,
}

impl Preflight<'_> {
    /// Prepares one. `place` is what the planner makes of it.
    pub async fn prepare(&self, candidate: &Candidate, place: Option<&Proposal>) -> Prepared {
        match &candidate.intent {
            Intent::Skip(reason) => unprepared(candidate, Readiness::Skipped(reason.clone())),
            Intent::Unsettled(peer, why) => {
                let why = why.clone().unwrap_or_else(|| UNSETTLED.to_owned());
                Prepared { peer: peer.clone(), ..unprepared(candidate, Readiness::Unsettled(why)) }
            }
            Intent::Leave { kind, targets } => self.leave(candidate, *kind, targets, place).await,
            Intent::Return(away) => self.come_back(candidate, away).await,
            Intent::Rest(plan) => unprepared(candidate, Readiness::Rest(plan.clone())),
            Intent::Wake(rest) => unprepared(candidate, Readiness::Wake(rest.clone())),
        }
    }

    fn host(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String> {
        let reached = self.connected.get(uri).ok_or_else(|| "not connected".to_owned())?;
        Ok(Arc::clone(reached.as_ref().map_err(ToString::to_string)?))
    }

    /// A target, and the zone as it will be there.
    fn way_to(&self, target: &HostUri, exported: &Exported) -> Result<(Arc<dyn Host>, Mapped), Vec<Blocker>> {
        let silent = |reason: String| vec![Blocker::new(BlockerKind::Host, reason)];
        let host = self.host(target).map_err(silent)?;
        let bound = self.engine.outward(&exported.manifest, target).map_err(|blocker| vec![blocker])?;
        Ok((host, bound))
    }

    /// The targets of a zone that could not be reached: it goes elsewhere, and who has named them wants to know.
    pub fn unreached(&self, candidate: &Candidate) -> Vec<Finding> {
        let Intent::Leave { targets, .. } = &candidate.intent else { return Vec::new() };
        let of_target = |target: &HostUri| match self.connected.get(target) {
            Some(Err(reason)) => {
                let blockers = vec![Blocker::new(BlockerKind::Host, reason.to_string())];
                Some(Finding { target: target.clone(), blockers })
            }
            _ => None,
        };
        targets.iter().filter_map(of_target).collect()
    }

    fn check<'a>(
        &'a self,
        exported: &'a Exported,
        kind: Kind,
        from: &'a str,
        home: Option<Home>,
    ) -> Check<'a> {
        let Request { overwrite, force, .. } = *self.request;
        Check {
            events: self.engine.events.as_ref(),
            exported,
            kind,
            from,
            home,
            overwrite,
            force,
            mode: self.mode,
        }
    }

    /// Asks, in a dry run as if what it has planned for that host were there.
    async fn put(&self, check: &Check<'_>, bound: &Mapped, host: &dyn Host) -> Result<Arrival, Vec<Blocker>> {
        if self.mode == Mode::Book {
            return check.run(bound, host, PendingLoad::default()).await;
        }
        let arrival = self.look(check, bound, host).await?;
        if arrival.kind != Kind::Cold {
            let zone = &arrival.manifest.zone;
            let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
            let pending = planned.entry(host.id()).or_default();
            pending.memory = pending.memory.saturating_add(zone.memory);
            pending.cpus = pending.cpus.saturating_add(zone.cpus);
        }
        Ok(arrival)
    }

    /// Only asks, as if what was planned for that host were there.
    async fn look(
        &self,
        check: &Check<'_>,
        bound: &Mapped,
        host: &dyn Host,
    ) -> Result<Arrival, Vec<Blocker>> {
        let pending = {
            let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
            planned.get(&host.id()).copied().unwrap_or_default()
        };
        check.run(bound, host, pending).await
    }

    /// Offers the zone to its targets: those that the planner has for it, or else all of them.
    async fn leave(
        &self,
        candidate: &Candidate,
        kind: Kind,
        targets: &[HostUri],
        place: Option<&Proposal>,
    ) -> Prepared {
        let local = &self.engine.local;
        let blank = unprepared(candidate, Readiness::Failed(String::new()));
        let exported = match local.export(candidate.zone.clone()).await {
            Ok(exported) => exported,
            Err(error) => return Prepared { readiness: Readiness::Failed(error.to_string()), ..blank },
        };
        let home = match self.engine.home_of(exported.manifest.zone.uuid) {
            Ok(Some(home)) => Some(home),
            // Of its own zones, this host's are those that come back.
            Ok(None) => self.request.destination.is_none().then(|| self.engine.here()),
            Err(error) => return Prepared { readiness: Readiness::Failed(chain(&error)), ..blank },
        };
        let check = self.check(&exported, kind, local.name(), home);
        let prepared = match (exported.manifest.held(kind), place) {
            (Some(held), _) => Prepared { readiness: Readiness::Skipped(held), ..blank },
            (None, Some(Proposal::Nowhere(refusals))) => self.stay(blank, &check, targets, refusals).await,
            (None, Some(Proposal::At(target))) => {
                self.first_taker(blank, &check, std::slice::from_ref(target)).await
            }
            (None, None) => self.first_taker(blank, &check, targets).await,
        };
        let _ = local.clear_markers(exported.ticket).await;
        prepared
    }

    /// Asks all targets of a zone for which the planner has no place what they have against it. One that has nothing
    /// is left out for the planner's own reasons.
    async fn stay(
        &self,
        mut prepared: Prepared,
        check: &Check<'_>,
        targets: &[HostUri],
        refusals: &BTreeMap<HostUri, Vec<Blocker>>,
    ) -> Prepared {
        let check = Check { mode: Mode::Look, home: check.home.clone(), ..*check };
        for target in targets {
            self.engine.events.emit(&Event::Checking(&prepared.zone, target.host.as_str()));
            let answer = match self.way_to(target, check.exported) {
                Ok((host, bound)) => self.look(&check, &bound, host.as_ref()).await,
                Err(blockers) => Err(blockers),
            };
            let blockers = answer.err().or_else(|| refusals.get(target).cloned());
            let silent = || vec![Blocker::new(BlockerKind::Host, "it has not said how it is")];
            let blockers = blockers.unwrap_or_else(silent);
            prepared.peer = Some(target.clone());
            prepared.findings.push(Finding { target: target.clone(), blockers });
        }
        prepared.readiness = refused_by(&prepared.findings);
        prepared
    }

    async fn first_taker(&self, mut prepared: Prepared, check: &Check<'_>, targets: &[HostUri]) -> Prepared {
        for target in targets {
            self.engine.events.emit(&Event::Checking(&prepared.zone, target.host.as_str()));
            prepared.peer = Some(target.clone());
            let answer = match self.way_to(target, check.exported) {
                Ok((to, bound)) => match self.put(check, &bound, to.as_ref()).await {
                    Ok(arrival) => {
                        let (manifest, from) = (bound.record, self.engine.local.clone());
                        Ok(Task { arrival, manifest, from, to })
                    }
                    Err(blockers) => Err(blockers),
                },
                Err(blockers) => Err(blockers),
            };
            match answer {
                Ok(task) => {
                    return Prepared { readiness: Readiness::Ready(Box::new(task)), ..prepared };
                }
                Err(blockers) => prepared.findings.push(Finding { target: target.clone(), blockers }),
            }
        }
        Prepared { readiness: refused_by(&prepared.findings), ..prepared }
    }

    /// Finds the zone at its refuge, and asks this host to take it.
    async fn come_back(&self, candidate: &Candidate, away: &Away) -> Prepared {
        self.engine.events.emit(&Event::Checking(&candidate.zone, away.refuge.host.as_str()));
        let (away, readiness) = match self.find(away).await {
            Ok((away, refuge)) => {
                let readiness = self.fetch(&away, refuge).await;
                (away, readiness.unwrap_or_else(|readiness| readiness))
            }
            Err(reason) => (away.clone(), Readiness::Failed(reason)),
        };
        Prepared {
            peer: Some(away.refuge.clone()),
            away: Some(Box::new(away)),
            ..unprepared(candidate, readiness)
        }
    }

    /// The host that has the zone, and its record as it is then: its refuge, or where the zone went from there.
    async fn find(&self, away: &Away) -> Result<(Away, Arc<dyn Host>), String> {
        let trail = match self.host(&away.refuge) {
            Ok(refuge) => self.engine.follow(away, refuge).await.map_err(String::from),
            Err(reason) => Err(reason),
        };
        let is_there = |trail: &Trail| trail.known != Some(Location::Unknown);
        if !trail.as_ref().is_ok_and(is_there)
            && let Some((found, host)) = self.engine.search(away).await
        {
            let why =
                trail.err().unwrap_or_else(|| format!("it is no longer on {}", away.refuge.host.as_str()));
            self.tell(away, &format!("{why}; it returns from {}, which has it", found.refuge));
            return Ok((found, host));
        }
        let Trail { away: found, host, hops, .. } = trail?;
        hops.iter().for_each(|hop| self.tell(away, &format!("{hop}; it returns from there")));
        Ok((found, host))
    }

    fn tell(&self, away: &Away, text: &str) {
        self.engine.events.emit(&Event::Warning(&format!("{}: {text}", away.zone)));
    }

    async fn fetch(&self, away: &Away, refuge: Arc<dyn Host>) -> Result<Readiness, Readiness> {
        let failed = |reason: String| Readiness::Failed(reason);
        let kind = way_back(away, refuge.as_ref(), self.request, &*self.engine.local).await?;
        let exported = refuge.export(away.zone.clone()).await.map_err(|error| failed(error.to_string()))?;
        let readiness = match (exported.manifest.held(kind), self.engine.homeward(&exported.manifest, away)) {
            (Some(held), _) => Readiness::Skipped(held),
            (None, Err(reason)) => failed(reason),
            (None, Ok(bound)) => {
                let check = self.check(&exported, kind, refuge.name(), Some(self.engine.here()));
                let to = self.engine.local.clone();
                match self.put(&check, &bound, to.as_ref()).await {
                    Ok(arrival) => {
                        let (manifest, from) = (bound.record, Arc::clone(&refuge));
                        Readiness::Ready(Box::new(Task { arrival, manifest, from, to }))
                    }
                    Err(blockers) => refused([(to.name(), blockers.as_slice())], join(&blockers)),
                }
            }
        };
        let _ = refuge.clear_markers(exported.ticket).await;
        Ok(readiness)
    }
}

/// What becomes of a zone that all of these have refused.
pub(super) fn refused_by(findings: &[Finding]) -> Readiness {
    refused(
        findings.iter().map(|one| (one.target.host.as_str(), one.blockers.as_slice())),
        describe(findings),
    )
}

/// What becomes of a zone that none of these takes.
fn refused<'a>(answers: impl IntoIterator<Item = (&'a str, &'a [Blocker])>, reason: String) -> Readiness {
    Wait::of(answers, &reason).map_or(Readiness::Failed(reason), Readiness::Waits)
}
