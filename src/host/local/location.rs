//! Where a zone is, as far as this host knows.

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::{Inventory, Location};
use crate::store::{Away, Detached, Guest, Reservation};

/// All that says something of it.
#[derive(Default)]
struct Signs {
    booked: Vec<Reservation>,
    inventory: Inventory,
    away: Vec<Away>,
    guests: Vec<Guest>,
    detached: Vec<Detached>,
}

impl Signs {
    /// What they come to for one zone. What its platform has is here, whatever else is written.
    fn of(&self, uuid: Uuid) -> Location {
        let guest = self.guests.iter().find(|guest| guest.uuid == uuid);
        if self.inventory.has(uuid) {
            return guest.map_or(Location::Here, |guest| Location::Guest(guest.home.clone()));
        }
        if self.booked.iter().any(|one| one.uuid == uuid) {
            return Location::Coming;
        }
        if let Some(away) = self.away.iter().find(|away| away.uuid == uuid) {
            return Location::Evacuated(away.refuge.clone());
        }
        if let Some(next) = guest.and_then(|guest| guest.gone_to.clone()) {
            return Location::Migrated(next);
        }
        match self.detached.iter().find(|row| row.uuid == uuid) {
            Some(row) => row.moved_to.clone().map_or(Location::Configured, Location::Migrated),
            None => Location::Unknown,
        }
    }
}

impl Local {
    /// Where that zone is, as far as is known here.
    pub(super) async fn find(&self, uuid: Uuid) -> Result<Location, HostError> {
        // In this order: a zone that comes is among the one or the other.
        let booked = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        let inventory = self.inventory().await?;
        let away = self.store.away().map_err(|error| self.failed(error))?;
        let detached = self.store.detached().map_err(|error| self.failed(error))?;
        let guests = self.store.guests().map_err(|error| self.failed(error))?;
        Ok(Signs { booked, inventory, away, guests, detached }.of(uuid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{sample, sample_away, sample_zone};

    #[test]
    fn what_the_platform_has_is_here_and_what_is_booked_comes_whatever_else_is_written() {
        let uuid = sample_zone("web").uuid;
        let booked = vec![Reservation { uuid, ..sample::booking("web", 1) }];
        let inventory = Inventory { zones: vec![sample_zone("web")], unmanaged: vec![] };
        let away = vec![Away { uuid, ..sample_away("web") }];
        let detached = |to| vec![Detached { uuid, ..sample::detached("web", 1, to) }];
        let guests = |to| vec![Guest { uuid, ..sample::guest("web", 1, to) }];
        let none = Signs::default;
        let evacuated = Location::Evacuated(away[0].refuge.clone());
        let migrated = Location::Migrated(sample::uri("ssh://h2"));
        for (signs, expected) in [
            (none(), Location::Unknown),
            (Signs { guests: guests(None), ..none() }, Location::Unknown),
            (
                Signs { guests: guests(Some("ssh://h2")), detached: detached(None), ..none() },
                migrated.clone(),
            ),
            (
                Signs { guests: guests(None), inventory: inventory.clone(), ..none() },
                Location::Guest(guests(None)[0].home.clone()),
            ),
            (Signs { detached: detached(None), ..none() }, Location::Configured),
            (Signs { detached: detached(Some("ssh://h2")), ..none() }, migrated),
            (Signs { away: away.clone(), detached: detached(None), ..none() }, evacuated),
            (Signs { booked: booked.clone(), away: away.clone(), ..none() }, Location::Coming),
            (Signs { booked, inventory, away, detached: detached(None), ..none() }, Location::Here),
        ] {
            assert_eq!(signs.of(uuid), expected);
            assert_eq!(signs.of(Uuid::from_u128(99)), Location::Unknown);
        }
    }
}
