//! Asks one destination for its blockers of a zone.

use std::sync::Arc;

use super::networks::Mapped;
use crate::evacuation::events::{Event, EventSink};
use crate::host::{DiskView, Exported, Host, HostError};
use crate::migration::data::{MOVERS, StorageMove, choose};
use crate::migration::{LEASE, Task};
use crate::model::{Blocker, BlockerKind, CheckRequest, Home, Manifest, Method, PendingLoad};

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
    pub kind: Method,
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
            kind: self.kind,
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
            Err(error) => return Err(vec![Blocker::new(BlockerKind::Host, error.to_string())]),
        };
        let views = views.unwrap_or_else(|error| {
            blockers.push(Blocker::new(BlockerKind::Host, error.to_string()));
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
                self.events.emit(&Event::Warning(&format!("{}: {note}", request.manifest.zone.name)));
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

    async fn room(&self, host: &dyn Host, arrival: &CheckRequest) -> Result<Vec<Blocker>, HostError> {
        match self.mode {
            Mode::Look => host.check(arrival.clone()).await,
            Mode::Reserve => match host.reserve(arrival.clone(), LEASE).await {
                Ok(_) => Ok(Vec::new()),
                Err(HostError::Refused { blockers, .. }) => Ok(blockers),
                Err(error) => Err(error),
            },
        }
    }
}
