//! The relations of this host's zones to its peers.

use uuid::Uuid;

use super::Local;
use crate::host::rights::{Named, Relation, Standing};
use crate::host::{Host, HostError};
use crate::model::{Inventory, Zone};
use crate::store::Reservation;

/// Maximum number of hosts for which a zone is brought.
const OWNERS: usize = 16;
const LONGEST_NAME: usize = 255;

/// Everything that identifies the relation of one zone.
#[derive(Default)]
struct Signs {
    /// Its name, or its UUID.
    called: String,
    /// It is here, or configured here.
    is_here: bool,
    /// It belongs here, and is recorded as away.
    is_away: bool,
    /// Its reservations: valid ones first, then expired ones.
    reserved: Vec<Reservation>,
    has_run_out: Vec<Reservation>,
    /// The host that has brought it, and those for which it was brought.
    owners: Vec<String>,
}

impl Signs {
    fn relation(&self, peer: &str, host: &str) -> Standing {
        let is_peer = |name: &str| name.eq_ignore_ascii_case(peer);
        let by_peer = |one: &&Reservation| is_peer(&one.source);
        let is_brought_home =
            self.is_away && self.reserved.iter().chain(&self.has_run_out).find(by_peer).is_some();
        let standing = |relation, reason: String| Standing { relation, reason };
        if self.owners.iter().any(|owner| is_peer(owner)) {
            return standing(Relation::Own, format!("it was brought there for {peer}"));
        }
        if is_brought_home {
            return standing(Relation::Home, format!("it belongs to {host}"));
        }
        if self.reserved.iter().find(by_peer).is_some() {
            return standing(Relation::Own, format!("{peer} brings it"));
        }
        if let Some(reservation) = self.reserved.first() {
            let reason = format!("{host} expects a zone of this name from {}", reservation.source);
            return standing(Relation::Expected, reason);
        }
        match (self.is_here, &self.owners[..]) {
            (false, _) => standing(Relation::Absent, format!("{host} has no such zone")),
            (true, owners @ [_, ..]) => {
                standing(Relation::Foreign, format!("it was brought there for {}", owners.join(", ")))
            }
            (true, []) => standing(
                Relation::Resident,
                format!(
                    "it is a zone of {host}, which does not know that {peer} brought it; on {host} 'sysadm zone migrate {} rads://{peer}' sends it there, or '[roles]' in sysadm.toml gives {peer} the role admin",
                    self.called
                ),
            ),
        }
    }
}

impl Local {
    /// The relation of a request's zones to a peer: of several zones, the one with the fewest rights.
    pub(super) async fn standing_of(&self, peer: &str, named: &Named) -> Result<Standing, HostError> {
        let failed = |error| self.failed(error);
        // A zone that the peer has brought is found without a list of zones, for which a stopped zone must not wait.
        if let (None, Some(uuid)) = (&named.zone, named.uuid) {
            let owners = self.owners_of(uuid)?;
            let signs = Signs { owners, ..Signs::default() };
            let standing = signs.relation(peer, &self.name);
            if standing.relation == Relation::Own {
                return Ok(standing);
            }
        }
        let zones = self.inventory().await?.zones;
        let records = self.store.zones().map_err(failed)?;
        let configured: Vec<_> = records.iter().filter(|record| record.is_configured()).collect();
        let reserved = self.store.all_reservations().map_err(failed)?;
        let known = zones.iter().map(|zone| (&zone.name, zone.uuid));
        let known = known.chain(configured.iter().map(|record| (&record.zone, record.uuid)));
        let known = known.chain(reserved.iter().map(|one| (&one.zone, one.uuid)));
        let meant = known.filter(|(name, _)| named.zone.as_ref() == Some(name)).map(|(_, uuid)| uuid);
        let mut meant: Vec<Uuid> = meant.chain(named.uuid).collect();
        meant.sort_unstable();
        meant.dedup();
        let now = (self.clock)();
        let mut least: Option<Standing> = None;
        for uuid in meant {
            let (boot_blocks, has_run_out) = reserved
                .iter()
                .filter(|one| one.uuid == uuid)
                .cloned()
                .partition(|one: &Reservation| one.expires > now);
            let zone = zones.iter().find(|zone| zone.uuid == uuid).map(|zone| &zone.name);
            let zone = zone.or_else(|| configured.iter().find(|row| row.uuid == uuid).map(|row| &row.zone));
            let signs = Signs {
                called: zone.map_or_else(|| uuid.to_string(), ToString::to_string),
                is_here: zones.iter().any(|zone| zone.uuid == uuid)
                    || configured.iter().any(|row| row.uuid == uuid),
                is_away: records.iter().any(|row| row.uuid == uuid && row.place.is_elsewhere()),
                reserved: boot_blocks,
                has_run_out,
                owners: self.owners_of(uuid)?,
            };
            let standing = signs.relation(peer, &self.name);
            if least.as_ref().is_none_or(|least| least.relation < standing.relation) {
                least = Some(standing);
            }
        }
        Ok(least.unwrap_or_else(|| Signs::default().relation(peer, &self.name)))
    }

    /// Records for whom a zone comes for which room has just been reserved. A zone that belongs here belongs to
    /// no other host.
    pub(super) fn note_owners(
        &self,
        zone: &Zone,
        from: &str,
        owners: &[String],
        here: &Inventory,
    ) -> Result<(), HostError> {
        let record = self.store.zone(zone.uuid).map_err(|error| self.failed(error))?;
        if from == self.name || record.is_some_and(|record| record.place.is_elsewhere()) {
            return Ok(());
        }
        let is_good =
            |name: &&String| name.len() <= LONGEST_NAME && name.bytes().all(|byte| byte.is_ascii_graphic());
        let mut hosts: Vec<_> = owners.iter().filter(is_good).take(OWNERS).cloned().collect();
        hosts.push(from.to_owned());
        let present = here.zones.iter().map(|zone| zone.uuid).collect();
        let is_here = std::collections::HashSet::contains(&present, &zone.uuid);
        self.store.bring(zone, &hosts, is_here, &present).map_err(|error| self.failed(error))
    }

    /// The hosts that may fetch a zone.
    pub(super) fn owners_of(&self, uuid: Uuid) -> Result<Vec<String>, HostError> {
        let record = self.store.zone(uuid).map_err(|error| self.failed(error))?;
        Ok(record.map(|record| record.owners).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::sample;

    #[test]
    fn a_zone_is_its_bringers_and_of_those_for_whom_it_was_brought_and_nobody_elses() {
        let by = |source: &str| vec![Reservation { source: source.into(), ..sample::reservation("web", 9) }];
        let owners = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let here = || Signs { is_here: true, ..Signs::default() };
        let away = || Signs { is_away: true, ..Signs::default() };
        for (signs, expected) in [
            (Signs::default(), Relation::Absent),
            (here(), Relation::Resident),
            (Signs { owners: owners(&["h1"]), ..here() }, Relation::Foreign),
            (Signs { owners: owners(&["h1", "H3"]), ..here() }, Relation::Own),
            (Signs { owners: owners(&["h3"]), ..Signs::default() }, Relation::Own),
            (Signs { owners: owners(&["h1"]), reserved: by("h1"), ..Signs::default() }, Relation::Expected),
            (Signs { owners: owners(&["h3"]), reserved: by("h1"), ..here() }, Relation::Own),
            (Signs { reserved: by("h1"), ..here() }, Relation::Expected),
            (Signs { has_run_out: by("h1"), ..here() }, Relation::Resident),
            (Signs { owners: owners(&["h1"]), has_run_out: by("h1"), ..here() }, Relation::Foreign),
            (away(), Relation::Absent),
            (Signs { is_here: true, ..away() }, Relation::Resident),
            (Signs { reserved: by("h3"), ..away() }, Relation::Home),
            (Signs { is_here: true, has_run_out: by("h3"), ..away() }, Relation::Home),
            (Signs { is_here: true, reserved: by("h1"), ..away() }, Relation::Expected),
            (Signs { owners: owners(&["h3"]), ..away() }, Relation::Own),
        ] {
            assert_eq!(signs.relation("h3", "h2").relation, expected);
        }
    }
}
