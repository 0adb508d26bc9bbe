//! Offers one zone to its targets, or to its home.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::check::{Acceptance, Check, Mapped, Mode};
use crate::evacuation::engine::{Engine, Event};
use crate::evacuation::job::Job;
use crate::evacuation::job_state::JobEvent;
use crate::evacuation::operation::Operation;
use crate::evacuation::placement::Proposal;
use crate::evacuation::refusal::HostRefusal;
use crate::evacuation::request::Request;
use crate::evacuation::return_path::Trail;
use crate::evacuation::run_state::RunState;
use crate::host::{Exported, Host};
use crate::migration::settle::ReachedHost;
use crate::model::{
    Blocker, BlockerKind, CheckRequest, Home, HostId, HostUri, Location, Message, Method, PendingLoad,
    ZoneName,
};
use crate::peers::Connected;
use crate::store::ZoneRecord;

/// What the checks of all zones of one pass share.
pub(super) struct Preflight<'a> {
    pub engine: &'a Engine,
    pub request: &'a Request,
    pub run_state: &'a RunState,
    pub mode: Mode,
    pub connected: Connected,
    /// What a dry run has planned for each host.
    pub planned: Mutex<BTreeMap<HostId, PendingLoad>>,
}

impl Preflight<'_> {
    /// Checks one zone, and returns the event that follows. `proposal` is the planner's.
    pub async fn check(&self, job: &Job, proposal: Option<&Proposal>) -> JobEvent {
        let checked = match &job.operation {
            Operation::Migrate { method, .. } => self.leave(job, *method, proposal).await,
            Operation::Return(record) | Operation::Relocate(record) => self.bring_back(job, record).await,
            Operation::Stop { .. } | Operation::Boot(_) | Operation::Keep => Ok(JobEvent::Accept(None)),
        };
        checked.unwrap_or_else(|reason| JobEvent::Fail(None, reason))
    }

    fn host(&self, uri: &HostUri) -> Result<Arc<dyn Host>, Message> {
        let reached = self.connected.get(uri).ok_or("not connected")?;
        Ok(Arc::clone(reached.as_ref().map_err(|why| Message::of(why))?))
    }

    /// A target, and the zone as it would be there.
    fn way_to(&self, target: &HostUri, exported: &Exported) -> Result<(Arc<dyn Host>, Mapped), Vec<Blocker>> {
        let silent = |reason: Message| vec![Blocker::new(BlockerKind::Host, reason)];
        let host = self.host(target).map_err(silent)?;
        let bound = self.engine.outward(&exported.manifest, target).map_err(|blocker| vec![blocker])?;
        Ok((host, bound))
    }

    /// Warns of a zone's targets that could not be reached: it goes elsewhere, but the operator who set them
    /// should know.
    pub fn note_unreached(&self, zone: &ZoneName) {
        let left = self.run_state.job(zone).map(|job| job.targets_left()).unwrap_or_default();
        for target in left {
            if let Some(Err(reason)) = self.connected.get(&target) {
                let blockers = vec![Blocker::new(BlockerKind::Host, Message::of(reason))];
                self.run_state.report(zone, JobEvent::Refuse(HostRefusal { target, blockers }));
            }
        }
    }

    fn question<'a>(
        &'a self,
        exported: &'a Exported,
        method: Method,
        from: &'a str,
        home: Option<Home>,
    ) -> Check<'a> {
        let Request { overwrite, force, .. } = *self.request;
        Check {
            events: self.engine.events.as_ref(),
            exported,
            method,
            from,
            home,
            overwrite,
            force,
            mode: self.mode,
        }
    }

    /// Asks, in a dry run as if what it has planned for that host were there.
    async fn put(
        &self,
        check: &Check<'_>,
        bound: &Mapped,
        host: &dyn Host,
    ) -> Result<Acceptance, Vec<Blocker>> {
        if self.mode == Mode::Reserve {
            return check.run(bound, host, PendingLoad::default()).await;
        }
        let accepted = self.look(check, bound, host).await?;
        let CheckRequest { method, manifest, disk, .. } = &accepted.request;
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = planned.entry(host.id()).or_default();
        pending.disk = pending.disk.saturating_add(*disk);
        if *method != Method::Cold {
            pending.memory = pending.memory.saturating_add(manifest.zone.memory);
            pending.cpus = pending.cpus.saturating_add(manifest.zone.cpus);
        }
        drop(planned);
        Ok(accepted)
    }

    /// Only asks, as if the zones planned for that host were there.
    async fn look(
        &self,
        check: &Check<'_>,
        bound: &Mapped,
        host: &dyn Host,
    ) -> Result<Acceptance, Vec<Blocker>> {
        let pending = {
            let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
            planned.get(&host.id()).copied().unwrap_or_default()
        };
        check.run(bound, host, pending).await
    }

    /// Offers the zone to its targets: to that of the proposal, or else to all of them.
    async fn leave(
        &self,
        job: &Job,
        method: Method,
        proposal: Option<&Proposal>,
    ) -> Result<JobEvent, Message> {
        let local = &self.engine.local;
        let exported = local.export(job.zone.clone()).await.map_err(Message::from)?;
        let home = match self.engine.home_of(exported.manifest.zone.uuid) {
            Ok(Some(home)) => Some(home),
            // A zone of this host's own still belongs here while it is away, unless it is migrated for good.
            Ok(None) => self.request.destination.is_none().then(|| self.engine.here()),
            Err(error) => return Err(error.into()),
        };
        let check = self.question(&exported, method, local.name(), home);
        let event = match (exported.manifest.held(method), proposal) {
            (Some(held), _) => JobEvent::Skip(held.into()),
            (None, Some(Proposal::Nowhere(refusals))) => self.ask_all(job, &check, refusals).await,
            (None, Some(Proposal::At(target))) => {
                self.first_taker(job, &check, std::slice::from_ref(target)).await
            }
            (None, None) => self.first_taker(job, &check, &job.targets_left()).await,
        };
        let _ = local.clear_markers(exported.ticket).await;
        Ok(event)
    }

    /// Asks all targets of a zone for which the planner has no place for their blockers. A target without any is
    /// left out for the planner's own reasons.
    async fn ask_all(
        &self,
        job: &Job,
        check: &Check<'_>,
        refusals: &BTreeMap<HostUri, Vec<Blocker>>,
    ) -> JobEvent {
        let check = Check { mode: Mode::Look, home: check.home.clone(), ..*check };
        for target in job.targets_left() {
            self.run_state.report(&job.zone, JobEvent::Check(target.clone()));
            let answer = match self.way_to(&target, check.exported) {
                Ok((host, mapped)) => self.look(&check, &mapped, host.as_ref()).await,
                Err(blockers) => Err(blockers),
            };
            let blockers = answer.err().or_else(|| refusals.get(&target).cloned());
            let silent = || vec![Blocker::new(BlockerKind::Host, "no status received")];
            let blockers = blockers.unwrap_or_else(silent);
            self.run_state.report(&job.zone, JobEvent::Refuse(HostRefusal { target, blockers }));
        }
        self.refused(job)
    }

    async fn first_taker(&self, job: &Job, check: &Check<'_>, targets: &[HostUri]) -> JobEvent {
        for target in targets {
            self.run_state.report(&job.zone, JobEvent::Check(target.clone()));
            let answer = match self.way_to(target, check.exported) {
                Ok((to, mapped)) => self.put(check, &mapped, to.as_ref()).await.map(|accepted| {
                    Arc::new(check.task(accepted, mapped.record, self.engine.local.clone(), to))
                }),
                Err(blockers) => Err(blockers),
            };
            match answer {
                Ok(task) => return JobEvent::Accept(Some(task)),
                Err(blockers) => {
                    let finding = HostRefusal { target: target.clone(), blockers };
                    self.run_state.report(&job.zone, JobEvent::Refuse(finding));
                }
            }
        }
        self.refused(job)
    }

    /// All hosts that were asked have refused it.
    fn refused(&self, job: &Job) -> JobEvent {
        JobEvent::refused_by(&self.run_state.job(&job.zone).map(|job| job.findings).unwrap_or_default())
    }

    /// Finds the zone at its location, and asks this host to accept it.
    async fn bring_back(&self, job: &Job, record: &ZoneRecord) -> Result<JobEvent, Message> {
        let found = self.find(record).await;
        if let Ok((record, _)) = &found {
            self.run_state.report(&job.zone, JobEvent::Found(Box::new(record.clone())));
        }
        let location = found.as_ref().map_or(&record.location, |(record, _)| &record.location);
        if let Some(uri) = location {
            self.run_state.report(&job.zone, JobEvent::Check(uri.clone()));
        }
        let (record, location) = found?;
        let method = self.engine.return_method(&record, location.as_ref(), self.request).await;
        let method = match method {
            Ok(method) => method,
            Err(event) => return Ok(event),
        };
        let exported = location.export(job.zone.clone()).await.map_err(Message::from)?;
        let event = match exported.manifest.held(method) {
            Some(held) => Ok(JobEvent::Skip(held.into())),
            None => self.fetch(&record, method, &exported, &location).await,
        };
        let _ = location.clear_markers(exported.ticket).await;
        event
    }

    /// The host that has the zone, and its updated record: its location, or where the zone went from there.
    async fn find(&self, away: &ZoneRecord) -> Result<(ZoneRecord, Arc<dyn Host>), Message> {
        let at = |location: ReachedHost| {
            (ZoneRecord { location: Some(location.uri), ..away.clone() }, location.host)
        };
        let Some(uri) = &away.location else { return Err("it is not away".into()) };
        let trail = match self.host(uri) {
            Ok(host) => {
                let location = ReachedHost { uri: uri.clone(), host };
                self.engine.follow(away.uuid, location).await.map_err(Message::from)
            }
            Err(reason) => Err(reason),
        };
        let is_there = |trail: &Trail| trail.known != Some(Location::Unknown);
        if !trail.as_ref().is_ok_and(is_there)
            && let Some(found) = self.engine.search(away).await
        {
            let why = trail.err().unwrap_or_else(|| format!("no longer on {}", uri.host.as_str()).into());
            self.tell(away, &format!("{why}; it returns from {}, which has it", found.uri));
            return Ok(at(found));
        }
        let Trail { location, hops, .. } = trail?;
        hops.iter().for_each(|hop| self.tell(away, &format!("{hop}; it returns from there")));
        Ok(at(location))
    }

    fn tell(&self, away: &ZoneRecord, text: &str) {
        self.engine.events.emit(&Event::Warning(format!("{}: {text}", away.zone).into()));
    }

    /// Asks this host to take the zone back.
    async fn fetch(
        &self,
        record: &ZoneRecord,
        method: Method,
        exported: &Exported,
        location: &Arc<dyn Host>,
    ) -> Result<JobEvent, Message> {
        let mapped = self.engine.homeward(&exported.manifest, record)?;
        let check = self.question(exported, method, location.name(), Some(self.engine.here()));
        let to = self.engine.local.clone();
        Ok(match self.put(&check, &mapped, to.as_ref()).await {
            Ok(accepted) => {
                let task = check.task(accepted, mapped.record, Arc::clone(location), to);
                JobEvent::Accept(Some(Arc::new(task)))
            }
            Err(blockers) => {
                let refusal = Blocker::join(&blockers).about(to.name());
                JobEvent::refused([(to.name(), blockers.as_slice())], refusal)
            }
        })
    }
}
