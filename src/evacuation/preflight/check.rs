//! The question to one destination: is there anything against this zone, as it will be there? It is connected to networks
//! that may have other names there.

use std::sync::Arc;

use crate::evacuation::engine::{Engine, Event, EventSink};
use crate::host::{DiskView, Exported, Host, HostError};
use crate::migration::data::{MOVERS, StorageMove, choose};
use crate::migration::{LEASE, Task};
use crate::model::{
    Blocker, BlockerKind, CheckRequest, Home, HostUri, InterfaceMapping, Manifest, Message, Method,
    PendingLoad,
};
use crate::store::{StoreError, ZoneRecord};

/// A zone on its way to a destination.
pub(in crate::evacuation) struct Mapped {
    /// The configuration kept by the host to which it belongs, with the names of its networks where it is or goes.
    pub record: Manifest,
    /// As it will be there.
    pub manifest: Manifest,
    pub mappings: Vec<InterfaceMapping>,
}

impl Engine {
    /// A zone that leaves for that target.
    pub(in crate::evacuation) fn outward(
        &self,
        zone: &Manifest,
        target: &HostUri,
    ) -> Result<Mapped, Blocker> {
        let blocker = |error: Message| Blocker::new(BlockerKind::Network, error);
        let noted = zone.clone().bound_for(&self.maps.networks_of(&target.host));
        let noted = noted.map_err(|error| blocker(error.into()))?;
        let mappings = noted.mappings();
        self.bound(noted, mappings).map_err(blocker)
    }

    /// A zone that comes back, into the networks in which it was when it left.
    pub(in crate::evacuation) fn homeward(
        &self,
        zone: &Manifest,
        away: &ZoneRecord,
    ) -> Result<Mapped, Message> {
        let kept = self.kept_of(zone, away)?;
        let mappings = kept.as_ref().map_or(Ok(Vec::new()), |kept| kept.reverse_mapping(zone));
        let mapped = self.bound(zone.clone(), mappings?)?;
        Ok(Mapped { record: kept.unwrap_or(mapped.record), ..mapped })
    }

    /// What is kept of a zone that is away and is now as that manifest says, with notes of what its networks are called
    /// there.
    fn kept_of(&self, zone: &Manifest, away: &ZoneRecord) -> Result<Option<Manifest>, StoreError> {
        let kept = self.store.manifest_of(away.uuid)?;
        let known = self.store.away()?;
        // Its location has migrated it on, and has called its networks as they are called there.
        let followed = known.iter().any(|row| row.zone == away.zone && row.location != away.location);
        Ok(kept.map(|kept| if followed { kept.noted_at(zone) } else { kept }))
    }

    /// A zone that goes from its location to another host; none if its networks have other names at either of them:
    /// it would not be known which is which when it comes home.
    pub(in crate::evacuation) fn sideward(
        &self,
        zone: &Manifest,
        away: &ZoneRecord,
        target: &HostUri,
    ) -> Option<Mapped> {
        let back = self.homeward(zone, away).ok()?;
        let on = self.outward(zone, target).ok()?;
        let is_same = back.mappings.is_empty() && on.mappings.is_empty();
        is_same.then_some(Mapped { record: back.record, ..on })
    }

    fn bound(&self, record: Manifest, mappings: Vec<InterfaceMapping>) -> Result<Mapped, Message> {
        let manifest = match mappings.is_empty() {
            true => record.clone(),
            false => self.local.map_interfaces(&record, &mappings)?,
        };
        Ok(Mapped { record, manifest, mappings })
    }
}

/// Whether room is reserved at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only ask: a dry run.
    Look,
    /// Reserve room, too.
    Reserve,
}

/// What a destination has accepted.
pub(in crate::evacuation) struct Acceptance {
    pub request: CheckRequest,
    /// Who carries each piece of the zone's storage.
    pub storage: Vec<StorageMove>,
}

/// A question to one destination.
pub(in crate::evacuation) struct Check<'a> {
    /// Receives notes about storage that are no blockers.
    pub events: &'a dyn EventSink,
    pub exported: &'a Exported,
    pub method: Method,
    pub from: &'a str,
    /// The host to which the zone belongs while it is there; none: the destination itself.
    pub home: Option<Home>,
    pub overwrite: bool,
    pub force: bool,
    pub mode: Mode,
}

impl Check<'_> {
    /// Asks for all blockers, including storage, of the zone as it would be there.
    pub async fn run(
        &self,
        bound: &Mapped,
        host: &dyn Host,
        pending: PendingLoad,
    ) -> Result<Acceptance, Vec<Blocker>> {
        let mut request = CheckRequest {
            manifest: bound.manifest.clone(),
            method: self.method,
            from: self.from.to_owned(),
            home: self.home.clone(),
            overwrite: self.overwrite,
            force: self.force,
            pending,
            disk: 0,
            mappings: bound.mappings.clone(),
            owners: self.exported.owners.clone(),
        };
        let (answer, views) = futures_util::future::join(
            self.room(host, &request),
            host.verify_storage(self.exported.ticket.clone()),
        )
        .await;
        let mut blockers = match answer {
            Ok(blockers) => blockers,
            Err(error) => return Err(vec![Blocker::new(BlockerKind::Host, error)]),
        };
        let views = views.unwrap_or_else(|error| {
            blockers.push(Blocker::new(BlockerKind::Host, error));
            Vec::new()
        });
        let storage = choose(MOVERS, &views).unwrap_or_else(|reasons| {
            blockers.extend(reasons);
            Vec::new()
        });
        request.disk = storage.iter().fold(0, |sum, piece| sum.saturating_add(piece.room));
        if blockers.is_empty() && request.disk > 0 {
            // How much data there is to copy is known only now.
            let silent = |error: HostError| vec![Blocker::new(BlockerKind::Host, error.to_string())];
            blockers = self.room(host, &request).await.unwrap_or_else(silent);
        }
        if blockers.is_empty() {
            for note in views.iter().filter_map(DiskView::note) {
                self.events.emit(&Event::Warning(format!("{}: {note}", request.manifest.zone.name).into()));
            }
            return Ok(Acceptance { request, storage });
        }
        if self.mode == Mode::Reserve {
            let _ = host.release(request.manifest.zone.name, request.manifest.zone.uuid).await;
        }
        Err(blockers)
    }

    /// The move of a zone that a destination has accepted.
    pub fn task(
        &self,
        accepted: Acceptance,
        record: Manifest,
        from: Arc<dyn Host>,
        to: Arc<dyn Host>,
    ) -> Task {
        let Acceptance { request, storage } = accepted;
        Task { zone: self.exported.manifest.zone.clone(), record, request, storage, from, to }
    }

    async fn room(&self, host: &dyn Host, request: &CheckRequest) -> Result<Vec<Blocker>, HostError> {
        match self.mode {
            Mode::Look => host.check(request.clone()).await,
            Mode::Reserve => match host.reserve(request.clone(), LEASE).await {
                Ok(_) => Ok(Vec::new()),
                Err(HostError::Refused { blockers, .. }) => Ok(blockers),
                Err(error) => Err(error),
            },
        }
    }
}
