//! Room for an incoming zone: checked and reserved in one go, so that two sources never get the same room.

use super::Local;
use super::admission::Present;
use crate::host::HostError;
use crate::host::capacity::{cpus_of, memory_of};
use crate::model::{Blocker, BlockerKind, CheckRequest, Millis};
use crate::store::Reservation;

/// Maximum lease of a reservation, whatever its owner asks for, in milliseconds.
const LONGEST_LEASE: u64 = 24 * 3_600_000;

/// Maximum number of zones of one host with reservations.
const MANY: usize = 1024;

impl Local {
    /// When a lease of that many milliseconds ends.
    pub(super) fn until(&self, lease: u64) -> Millis {
        (self.clock)().after(lease.min(LONGEST_LEASE))
    }

    /// Checks everything again, reserves room, and saves the configuration that the zone replaces. Returns
    /// whether there is one. The zones of this host are listed only once.
    pub(super) async fn reserve_room(&self, request: &CheckRequest, lease: u64) -> Result<bool, HostError> {
        let zone = &request.manifest.zone;
        let (mut blockers, Present { reserved: earlier, inventory }) =
            self.blockers_but_the_same(request).await?;
        let room = self.capacity(&inventory).await?;
        let wanted = Reservation {
            zone: zone.name.clone(),
            uuid: zone.uuid,
            source: request.from.clone(),
            memory: memory_of(request),
            cpus: cpus_of(request),
            disk: request.disk,
            expires: self.until(lease),
        };
        let admit = |others: &[Reservation]| {
            // A zone that has arrived since the zones were listed may have neither been listed nor still be reserved.
            let gone = earlier.iter().filter(|one| others.iter().all(|other| other.uuid != one.uuid));
            let reserved: Vec<_> = others.iter().chain(gone).cloned().collect();
            blockers.extend(room.blockers(request, &reserved));
            let is_it = |other: &&Reservation| other.zone == wanted.zone || other.uuid == wanted.uuid;
            if let Some(other) = others.iter().find(is_it) {
                let reason = format!("{} expects a zone of this name from {}", self.name, other.source);
                blockers.push(Blocker::new(BlockerKind::Identity, reason));
            }
            if others.iter().filter(|other| other.source == wanted.source).count() >= MANY {
                let reason = format!("room is reserved there for {MANY} zones of {} already", wanted.source);
                blockers.push(Blocker::new(BlockerKind::Host, reason));
            }
            if blockers.is_empty() { Ok(()) } else { Err(blockers) }
        };
        let reserved =
            self.store.reserve(&wanted, (self.clock)(), admit).map_err(|error| self.failed(error))?;
        reserved.map_err(|blockers| self.refused(&zone.name, blockers))?;
        let noted = async {
            self.welcome(request)?;
            self.note_owners(zone, &request.from, &request.owners, &inventory)?;
            self.save_previous_config(zone.uuid, &inventory).await
        };
        noted.await.inspect_err(|_| drop(self.store.release(&zone.name, zone.uuid)))
    }
}
