//! One zone is offered to its targets, or to its home.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::ask::{Ask, Finding, Mode, describe, join};
use super::bound::Bound;
use super::connect::Connected;
use super::prepared::{Prepared, Readiness, unprepared};
use super::scene::Place;
use super::select::{Candidate, Intent};
use super::wait::Wait;
use super::way_back::way_back;
use super::{Engine, Event, Options, short};
use crate::host::{Host, Offer, chain};
use crate::migration::Task;
use crate::model::{Arrival, Beside, Blocker, BlockerKind, HostUri, Kind};
use crate::store::Away;

/// What the preparations of one run have in common.
pub(super) struct Round<'a> {
    pub engine: &'a Engine,
    pub options: &'a Options,
    pub mode: Mode,
    pub connected: Connected,
    /// What a dry run has sent to each host, by name.
    pub planned: Mutex<BTreeMap<String, Beside>>,
}

impl Round<'_> {
    /// Prepares one. `place` is what the planner makes of it.
    pub async fn prepare(&self, candidate: &Candidate, place: Option<&Place>) -> Prepared {
        match &candidate.intent {
            Intent::Skip(reason) => unprepared(candidate, Readiness::Skipped(reason.clone())),
            Intent::Unsettled => unprepared(candidate, Readiness::Unsettled),
            Intent::Leave { kind, targets } => self.leave(candidate, *kind, targets, place).await,
            Intent::Return(away) => self.come_back(candidate, away).await,
            Intent::Rest(bed) => unprepared(candidate, Readiness::Rest(bed.clone())),
            Intent::Wake(rest) => unprepared(candidate, Readiness::Wake(rest.clone())),
        }
    }

    fn host(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String> {
        self.connected.get(uri).cloned().unwrap_or_else(|| Err("not connected".to_owned()))
    }

    /// A target, and the zone as it will be there.
    fn way_to(&self, target: &HostUri, offer: &Offer) -> Result<(Arc<dyn Host>, Bound), Vec<Blocker>> {
        let silent = |reason: String| vec![Blocker::new(BlockerKind::Host, reason)];
        let host = self.host(target).map_err(silent)?;
        let bound = self.engine.outward(&offer.manifest, target).map_err(|blocker| vec![blocker])?;
        Ok((host, bound))
    }

    /// The targets of a zone that could not be reached: it goes elsewhere, and who has named them wants to know.
    pub fn unreached(&self, candidate: &Candidate) -> Vec<Finding> {
        let Intent::Leave { targets, .. } = &candidate.intent else { return Vec::new() };
        let of_target = |target: &HostUri| match self.connected.get(target) {
            Some(Err(reason)) => {
                let blockers = vec![Blocker::new(BlockerKind::Host, reason.clone())];
                Some(Finding { target: target.clone(), blockers })
            }
            _ => None,
        };
        targets.iter().filter_map(of_target).collect()
    }

    fn ask<'a>(&self, offer: &'a Offer, kind: Kind, from: &'a str) -> Ask<'a> {
        let Options { overwrite, force, .. } = *self.options;
        Ask { offer, kind, from, overwrite, force, mode: self.mode }
    }

    /// Asks, in a dry run as if what it has planned for that host were there.
    async fn put(&self, ask: &Ask<'_>, bound: &Bound, host: &dyn Host) -> Result<Arrival, Vec<Blocker>> {
        if self.mode == Mode::Book {
            return ask.ask(bound, host, Beside::default()).await;
        }
        let arrival = self.look(ask, bound, host).await?;
        if arrival.kind != Kind::Cold {
            let zone = &arrival.manifest.zone;
            let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
            let beside = planned.entry(host.name().to_owned()).or_default();
            beside.memory = beside.memory.saturating_add(zone.memory);
            beside.cpus = beside.cpus.saturating_add(zone.cpus);
        }
        Ok(arrival)
    }

    /// Only asks, as if what was planned for that host were there.
    async fn look(&self, ask: &Ask<'_>, bound: &Bound, host: &dyn Host) -> Result<Arrival, Vec<Blocker>> {
        let beside = {
            let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
            planned.get(host.name()).copied().unwrap_or_default()
        };
        ask.ask(bound, host, beside).await
    }

    /// Offers the zone to its targets: those that the planner has for it, or else all of them.
    async fn leave(
        &self,
        candidate: &Candidate,
        kind: Kind,
        targets: &[HostUri],
        place: Option<&Place>,
    ) -> Prepared {
        let local = &self.engine.local;
        let blank = unprepared(candidate, Readiness::Failed(String::new()));
        let offer = match local.offer(candidate.zone.clone()).await {
            Ok(offer) => offer,
            Err(error) => return Prepared { readiness: Readiness::Failed(error.to_string()), ..blank },
        };
        let ask = self.ask(&offer, kind, local.name());
        let prepared = match place {
            _ if !offer.manifest.obstacles.is_empty() => {
                Prepared { readiness: Readiness::Skipped(offer.manifest.obstacles.join("; ")), ..blank }
            }
            Some(Place::Nowhere(refusals)) => self.stay(blank, &ask, targets, refusals).await,
            Some(Place::At(target)) => self.first_taker(blank, &ask, std::slice::from_ref(target)).await,
            None => self.first_taker(blank, &ask, targets).await,
        };
        let _ = local.unmark(offer.ticket).await;
        prepared
    }

    /// Asks all targets of a zone for which the planner has no place what they have against it. One that has nothing
    /// is left out for the planner's own reasons.
    async fn stay(
        &self,
        mut prepared: Prepared,
        ask: &Ask<'_>,
        targets: &[HostUri],
        refusals: &BTreeMap<HostUri, Vec<Blocker>>,
    ) -> Prepared {
        let ask = Ask { mode: Mode::Look, ..*ask };
        for target in targets {
            self.engine.watcher.event(&Event::Initializing(&prepared.zone, short(target)));
            let answer = match self.way_to(target, ask.offer) {
                Ok((host, bound)) => self.look(&ask, &bound, host.as_ref()).await,
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

    async fn first_taker(&self, mut prepared: Prepared, ask: &Ask<'_>, targets: &[HostUri]) -> Prepared {
        for target in targets {
            self.engine.watcher.event(&Event::Initializing(&prepared.zone, short(target)));
            prepared.peer = Some(target.clone());
            let answer = match self.way_to(target, ask.offer) {
                Ok((to, bound)) => match self.put(ask, &bound, to.as_ref()).await {
                    Ok(arrival) => self.not_here(arrival, to.as_ref()).await.map(|arrival| {
                        let (manifest, from) = (bound.record, self.engine.local.clone());
                        Task { arrival, manifest, from, to }
                    }),
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

    /// A booking that lies in this host's own store was made here, under whatever name: taking the zone from here would
    /// be the end of it there. (One that is only asked, and may overwrite nothing, finds the zone itself in its way.)
    async fn not_here(&self, arrival: Arrival, to: &dyn Host) -> Result<Arrival, Vec<Blocker>> {
        let silent = |error: crate::store::StoreError| vec![Blocker::new(BlockerKind::Host, chain(&error))];
        let booked = self.engine.store.reservations(Engine::now()).map_err(silent)?;
        let zone = &arrival.manifest.zone;
        if booked.iter().any(|one| one.uuid == zone.uuid && one.source == self.engine.local.name()) {
            let _ = to.release(zone.name.clone(), zone.uuid).await;
            return Err(vec![Blocker::new(BlockerKind::Identity, "it is there: that is this host itself")]);
        }
        Ok(arrival)
    }

    /// Finds the zone at its refuge, and asks this host to take it.
    async fn come_back(&self, candidate: &Candidate, away: &Away) -> Prepared {
        self.engine.watcher.event(&Event::Initializing(&candidate.zone, short(&away.refuge)));
        let found = match self.host(&away.refuge) {
            Ok(refuge) => self.engine.follow(away, refuge).await,
            Err(reason) => Err(reason),
        };
        let (away, readiness) = match found {
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

    async fn fetch(&self, away: &Away, refuge: Arc<dyn Host>) -> Result<Readiness, Readiness> {
        let failed = |reason: String| Readiness::Failed(reason);
        let kind = way_back(away, refuge.as_ref(), self.options, self.engine.local.platform()).await?;
        let offer = refuge.offer(away.zone.clone()).await.map_err(|error| failed(error.to_string()))?;
        let readiness = match self.engine.homeward(&offer.manifest, away) {
            _ if !offer.manifest.obstacles.is_empty() => {
                Readiness::Skipped(offer.manifest.obstacles.join("; "))
            }
            Err(reason) => failed(reason),
            Ok(bound) => {
                let (ask, to) = (self.ask(&offer, kind, refuge.name()), self.engine.local.clone());
                match self.put(&ask, &bound, to.as_ref()).await {
                    Ok(arrival) => {
                        let (manifest, from) = (bound.record, Arc::clone(&refuge));
                        Readiness::Ready(Box::new(Task { arrival, manifest, from, to }))
                    }
                    Err(blockers) => refused([(to.name(), blockers.as_slice())], join(&blockers)),
                }
            }
        };
        let _ = refuge.unmark(offer.ticket).await;
        Ok(readiness)
    }
}

/// What becomes of a zone that all of these have refused.
pub(super) fn refused_by(findings: &[Finding]) -> Readiness {
    refused(findings.iter().map(|one| (short(&one.target), one.blockers.as_slice())), describe(findings))
}

/// What becomes of a zone that none of these takes.
fn refused<'a>(answers: impl IntoIterator<Item = (&'a str, &'a [Blocker])>, reason: String) -> Readiness {
    Wait::of(answers, &reason).map_or(Readiness::Failed(reason), Readiness::Waits)
}
