//! Asks one destination for its blockers of a zone.

use std::sync::Arc;

use super::networks::Mapped;
use crate::evacuation::events::{Event, EventSink};
use crate::host::{DiskView, Exported, Host, HostError};
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

/// A request to one destination.
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
    ) -> Result<CheckRequest, Vec<Blocker>> {
        let arrival = CheckRequest {
            manifest: bound.manifest.clone(),
            kind: self.kind,
            from: self.from.to_owned(),
            home: self.home.clone(),
            overwrite: self.overwrite,
            force: self.force,
            pending,
            mappings: bound.mappings.clone(),
            owners: self.exported.owners.clone(),
        };
        let (answer, views) = futures_util::future::join(
            self.room(host, &arrival),
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
        blockers.extend(views.iter().filter_map(DiskView::blocker));
        if blockers.is_empty() {
            for note in views.iter().filter_map(DiskView::note) {
                self.events.emit(&Event::Warning(&format!("{}: {note}", arrival.manifest.zone.name)));
            }
            return Ok(arrival);
        }
        if self.mode == Mode::Reserve {
            let _ = host.release(arrival.manifest.zone.name, arrival.manifest.zone.uuid).await;
        }
        Err(blockers)
    }

    /// The move of a zone that a destination has accepted.
    pub fn task(
        &self,
        request: CheckRequest,
        record: Manifest,
        from: Arc<dyn Host>,
        to: Arc<dyn Host>,
    ) -> Task {
        Task { zone: self.exported.manifest.zone.clone(), record, request, from, to }
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
