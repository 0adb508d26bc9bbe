//! Replicas of other hosts' zones, kept here in case their host is lost.

mod sent;
mod takeovers;

use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;

use super::zones::{Configuration, find, save};
use super::{Store, StoreError, ZoneRecord, from_json, parsed, to_json, unsigned};
use crate::model::{Brand, HostUri, Manifest, Millis, Replica, ZoneName};
pub use sent::SentReplica;
pub use takeovers::RecordedTakeover;

/// All columns except for the manifests, which are long.
const HELD: &str = "SELECT zone, host, uuid, brand, via, others, since_ms, taken_ms, taken_by FROM replica WHERE role = 'held'";

/// A replica, without the manifest itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldReplica {
    pub zone: ZoneName,
    /// The name of the host to which the zone belongs.
    pub origin: String,
    pub uuid: Uuid,
    pub brand: Brand,
    /// The URI by which that host reaches this one.
    pub via: HostUri,
    /// The zone's other targets.
    pub others: Vec<HostUri>,
    /// When it was left here.
    pub since: Millis,
    /// When the zone was taken over from it, and by which user.
    pub taken: Option<(Millis, String)>,
}

impl HeldReplica {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let others: String = row.get("others")?;
        let odd = |error: crate::model::HostUriError| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
        };
        let taken = row.get::<_, Option<i64>>("taken_ms")?.map(Millis);
        Ok(Self {
            zone: parsed(row, "zone")?,
            origin: row.get("host")?,
            uuid: parsed(row, "uuid")?,
            brand: parsed(row, "brand")?,
            via: parsed(row, "via")?,
            others: others
                .split_whitespace()
                .map(|uri| uri.parse().map_err(odd))
                .collect::<Result<_, _>>()?,
            since: Millis(row.get("since_ms")?),
            taken: taken.zip(row.get("taken_by")?),
        })
    }
}

impl Store {
    /// Keeps a replica of another host's zone, in place of an earlier one. A replica from which the zone was
    /// taken over here is not replaced: its host does not know of that yet.
    pub fn hold_replica(&self, standby: &Replica, since: Millis) -> Result<(), StoreError> {
        let (zone, manifest) = (&standby.manifest.zone, &standby.manifest);
        let others: Vec<_> = standby.others.iter().map(ToString::to_string).collect();
        self.write("keep a manifest of another host", |transaction| {
            transaction.execute(
                "INSERT INTO replica (role, zone, host, uuid, brand, via, others, since_ms, manifest)
                 VALUES ('held', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (host, zone) WHERE role = 'held' DO UPDATE SET uuid = excluded.uuid, brand = excluded.brand,
                 via = excluded.via, others = excluded.others, since_ms = excluded.since_ms,
                 manifest = excluded.manifest WHERE taken_ms IS NULL",
                params![
                    zone.name.as_str(),
                    standby.origin,
                    zone.uuid.to_string(),
                    zone.brand.as_str(),
                    standby.via.to_string(),
                    others.join(" "),
                    since.0,
                    to_json(manifest)?,
                ],
            )?;
            Ok(())
        })
    }

    /// Records when, and by which user, a zone was taken over from its replica; none: it was not.
    pub fn mark_replica_taken(
        &self,
        origin: &str,
        zone: &ZoneName,
        taken: Option<(Millis, &str)>,
    ) -> Result<(), StoreError> {
        self.write("record a zone that was attached from a manifest of its lost host", |transaction| {
            transaction.execute(
                "UPDATE replica SET taken_ms = ?3, taken_by = ?4 WHERE role = 'held' AND host = ?1 AND zone = ?2",
                params![origin, zone.as_str(), taken.map(|(at, _)| at.0), taken.map(|(_, by)| by)],
            )?;
            if taken.is_none() {
                return Ok(());
            }
            // Its host may fetch it when it is back.
            let of_it = format!("{HELD} AND host = ?1 AND zone = ?2");
            let row = transaction.query_row(&of_it, [origin, zone.as_str()], HeldReplica::read).optional()?;
            let Some(row) = row else { return Ok(()) };
            let known = find(transaction, row.uuid)?;
            let mut record = known.unwrap_or_else(|| ZoneRecord::called(zone.clone(), row.uuid, row.brand));
            if !record.owners.iter().any(|owner| owner == origin) {
                record.owners.push(origin.to_owned());
            }
            save(transaction, &record, &Configuration::Keep)
        })
    }

    /// Drops a replica: its host no longer has the zone, or the zone that was taken over from it has moved on.
    pub fn drop_replica(&self, origin: &str, zone: &ZoneName) -> Result<bool, StoreError> {
        self.write("drop a manifest of another host", |transaction| {
            let dropped = transaction.execute(
                "DELETE FROM replica WHERE role = 'held' AND host = ?1 AND zone = ?2",
                params![origin, zone.as_str()],
            )?;
            Ok(dropped > 0)
        })
    }

    /// All replicas, by zone.
    pub fn held_replicas(&self) -> Result<Vec<HeldReplica>, StoreError> {
        self.read("read the manifests of other hosts", |connection| {
            connection
                .prepare_cached(&format!("{HELD} ORDER BY zone, host"))?
                .query_map([], HeldReplica::read)?
                .collect()
        })
    }

    /// The number of replicas of that host's other zones, and the total size of their manifests in bytes.
    pub fn replica_usage(&self, origin: &str, zone: &ZoneName) -> Result<(u64, u64), StoreError> {
        self.read("count the manifests of another host", |connection| {
            connection.query_row(
                "SELECT count(*) AS many, ifnull(sum(length(manifest)), 0) AS much FROM replica
                 WHERE role = 'held' AND host = ?1 AND zone <> ?2",
                params![origin, zone.as_str()],
                |row| Ok((unsigned(row, "many")?, unsigned(row, "much")?)),
            )
        })
    }

    pub fn replica_manifest(&self, origin: &str, zone: &ZoneName) -> Result<Option<Manifest>, StoreError> {
        self.read("read a manifest of another host", |connection| {
            let sql = "SELECT manifest FROM replica WHERE role = 'held' AND host = ?1 AND zone = ?2";
            let text =
                connection.query_row(sql, params![origin, zone.as_str()], |row| row.get::<_, String>(0));
            text.optional()?.as_deref().map(from_json).transpose()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample};

    #[test]
    fn what_is_left_again_takes_the_place_of_what_was_left_before() {
        let (_folder, store) = fresh();
        let mut standby = sample::standby("web", "h1");
        store.hold_replica(&standby, Millis(1)).unwrap();
        standby.manifest.zone.memory = 1;
        store.hold_replica(&standby, Millis(2)).unwrap();
        store.hold_replica(&sample::standby("web", "h3"), Millis(3)).unwrap();
        let kept: Vec<_> =
            store.held_replicas().unwrap().into_iter().map(|row| (row.origin, row.since.0)).collect();
        assert_eq!(kept, [("h1".to_owned(), 2), ("h3".to_owned(), 3)]);
        let name = sample::name("web");
        assert_eq!(store.replica_manifest("h1", &name).unwrap(), Some(standby.manifest));
        assert!(store.drop_replica("h1", &name).unwrap() && !store.drop_replica("h1", &name).unwrap());
        assert_eq!(store.replica_manifest("h1", &name).unwrap(), None);
    }

    #[test]
    fn the_manifest_of_a_zone_that_was_attached_here_is_not_replaced() {
        let (_folder, store) = fresh();
        let standby = sample::standby("web", "h1");
        store.hold_replica(&standby, Millis(1)).unwrap();
        store.mark_replica_taken("h1", &sample::name("web"), Some((Millis(2), "ada"))).unwrap();
        store.hold_replica(&standby, Millis(3)).unwrap();
        let row = store.held_replicas().unwrap().remove(0);
        assert_eq!((row.since, row.taken), (Millis(1), Some((Millis(2), "ada".to_owned()))));
        store.mark_replica_taken("h1", &sample::name("web"), None).unwrap();
        store.hold_replica(&standby, Millis(3)).unwrap();
        let row = store.held_replicas().unwrap().remove(0);
        assert_eq!((row.since, row.taken), (Millis(3), None));
    }
}
