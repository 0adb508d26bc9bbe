//! The relations of this host's zones to its peers.

use uuid::Uuid;

use super::Local;
use crate::host::rights::{Named, Relation, Standing};
use crate::host::{Host, HostError};
use crate::model::{Inventory, Message, Millis, Zone, ZoneName};
use crate::store::{Reservation, ZoneRecord};

/// Maximum number of hosts for which a zone is brought.
const OWNERS: usize = 16;
const LONGEST_NAME: usize = 255;

/// What this host knows of one zone.
#[derive(Clone, Copy, Default)]
struct KnownZone<'a> {
    guest: Option<&'a Zone>,
    record: Option<&'a ZoneRecord>,
}

impl KnownZone<'_> {
    fn name(&self) -> Option<&ZoneName> {
        let configured = self.record.filter(|record| record.is_configured());
        self.guest.map(|zone| &zone.name).or(configured.map(|record| &record.zone))
    }

    /// Its relation to a peer, given its reservations.
    fn standing(&self, reservations: &[&Reservation], peer: &str, host: &str, now: Millis) -> Standing {
        let is_peer = |name: &str| name.eq_ignore_ascii_case(peer);
        let valid = || reservations.iter().filter(|one| one.expires > now);
        let is_away = self.record.is_some_and(|record| record.place.is_elsewhere());
        let owners = self.record.map(|record| &record.owners[..]).unwrap_or_default();
        let standing = |relation, reason: String| Standing { relation, reason: reason.into() };
        if owners.iter().any(|owner| is_peer(owner)) {
            return standing(Relation::Own, format!("{peer} is an owner of the zone"));
        }
        if is_away && reservations.iter().any(|one| is_peer(&one.source)) {
            return standing(Relation::Home, format!("the zone belongs to {host}"));
        }
        if valid().any(|one| is_peer(&one.source)) {
            return standing(Relation::Own, format!("{peer} is moving the zone to {host}"));
        }
        if let Some(one) = valid().next() {
            return standing(
                Relation::Expected,
                format!("{host} expects a zone of this name from {}", one.source),
            );
        }
        match (self.name(), owners) {
            (None, _) => standing(Relation::Absent, format!("{host} has no such zone")),
            (Some(_), [_, ..]) => {
                standing(Relation::Foreign, format!("the zone was brought to {host} for {}", owners.join(", ")))
            }
            (Some(name), []) => Standing {
                relation: Relation::Resident,
                reason: Message::from(format!("the zone belongs to {host}, which has no record that {peer} brought it"))
                    .with_hint(format!("to send it to {peer}: run 'sysadm zone migrate {name} rads://{peer}' on {host}"))
                    .with_hint(format!(
                        "to let {peer} take any zone of {host}: give it the role admin under [roles] in {host}'s sysadm.toml"
                    )),
            },
        }
    }
}

impl Local {
    /// The relation of a request's zones to a peer: of several zones, the one with the fewest rights.
    pub(super) async fn standing_of(&self, peer: &str, named: &Named) -> Result<Standing, HostError> {
        let failed = |error| self.failed(error);
        let now = (self.clock)();
        // A zone that the peer has brought is found without a list of zones, for which a stopped zone must not wait.
        if let (None, Some(uuid)) = (&named.zone, named.uuid) {
            let record = self.store.zone(uuid).map_err(failed)?;
            let known = KnownZone { guest: None, record: record.as_ref() };
            let standing = known.standing(&[], peer, &self.name, now);
            if standing.relation == Relation::Own {
                return Ok(standing);
            }
        }
        let zones = self.inventory().await?.zones;
        let records = self.store.zones().map_err(failed)?;
        let reserved = self.store.all_reservations().map_err(failed)?;
        let known = zones.iter().map(|zone| (&zone.name, zone.uuid));
        let known = known.chain(
            records.iter().filter(|record| record.is_configured()).map(|record| (&record.zone, record.uuid)),
        );
        let known = known.chain(reserved.iter().map(|one| (&one.zone, one.uuid)));
        let meant = known.filter(|(name, _)| named.zone.as_ref() == Some(name)).map(|(_, uuid)| uuid);
        let standings = meant.chain(named.uuid).map(|uuid| {
            let known = KnownZone {
                guest: zones.iter().find(|zone| zone.uuid == uuid),
                record: records.iter().find(|record| record.uuid == uuid),
            };
            let reserved: Vec<_> = reserved.iter().filter(|one| one.uuid == uuid).collect();
            known.standing(&reserved, peer, &self.name, now)
        });
        Ok(standings
            .min_by_key(|standing| std::cmp::Reverse(standing.relation))
            .unwrap_or_else(|| KnownZone::default().standing(&[], peer, &self.name, now)))
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
    use crate::store::{Place, tests::sample};

    #[test]
    fn a_zone_is_its_bringers_and_of_those_for_whom_it_was_brought_and_nobody_elses() {
        let now = Millis(1_000);
        let until = |expires, source: &str| {
            vec![Reservation { source: source.into(), expires, ..sample::reservation("web", 9) }]
        };
        let valid = |source| until(now.after(1), source);
        let expired = |source| until(now, source);
        let zone = sample::zone("web");
        let record = |place, owners: &[&str]| {
            let owners = owners.iter().map(|&owner| owner.to_owned()).collect();
            Some(ZoneRecord { owners, ..sample::record("web", 9, place) })
        };
        let here = |owners: &[&str]| record(Place::Here, owners);
        let away = |owners: &[&str]| record(Place::Away, owners);
        let (guest, none) = (Some(&zone), None);
        for (guest, record, reservations, expected) in [
            (none, None, vec![], Relation::Absent),
            (guest, None, vec![], Relation::Resident),
            (guest, here(&["h1"]), vec![], Relation::Foreign),
            (guest, here(&["h1", "H3"]), vec![], Relation::Own),
            (none, here(&["h3"]), vec![], Relation::Own),
            (none, here(&["h1"]), valid("h1"), Relation::Expected),
            (guest, here(&["h3"]), valid("h1"), Relation::Own),
            (guest, None, valid("h1"), Relation::Expected),
            (guest, None, expired("h1"), Relation::Resident),
            (guest, here(&["h1"]), expired("h1"), Relation::Foreign),
            (none, record(Place::Configured, &[]), vec![], Relation::Resident),
            (none, away(&[]), vec![], Relation::Absent),
            (guest, away(&[]), vec![], Relation::Resident),
            (none, away(&[]), valid("h3"), Relation::Home),
            (guest, away(&[]), expired("h3"), Relation::Home),
            (guest, away(&[]), valid("h1"), Relation::Expected),
            (none, away(&["h3"]), vec![], Relation::Own),
        ] {
            let reservations: Vec<_> = reservations.iter().collect();
            let known = KnownZone { guest, record: record.as_ref() };
            assert_eq!(known.standing(&reservations, "h3", "h2", now).relation, expected);
        }
    }
}
