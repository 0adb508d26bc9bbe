//! Which other hosts have replicas of this host's zones, so that a replica can be withdrawn when the zone is
//! moved elsewhere, or gets other targets.

use rusqlite::{Row, params};
use uuid::Uuid;

use crate::model::{HostUri, ZoneName};
use crate::store::{Store, StoreError, parsed};

/// A manifest that is, or may be, with another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentReplica {
    /// With whom.
    pub uri: HostUri,
    /// The zone.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
}

impl SentReplica {
    pub(in crate::store) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { uri: parsed(row, "host")?, zone: parsed(row, "zone")?, uuid: parsed(row, "uuid")? })
    }
}

impl Store {
    /// Records that a manifest is about to be left with another host: it may be there from now on.
    pub fn record_sent_replica(&self, row: &SentReplica) -> Result<(), StoreError> {
        self.write("record with whom a manifest is left", |transaction| {
            transaction.execute(
                "INSERT INTO replica (role, host, zone, uuid) VALUES ('sent', ?1, ?2, ?3)
                 ON CONFLICT (role, host, uuid) WHERE role <> 'held' DO UPDATE SET zone = excluded.zone",
                params![row.uri.to_string(), row.zone.as_str(), row.uuid.to_string()],
            )?;
            Ok(())
        })
    }

    /// Records that manifests are with another host no more.
    pub fn drop_sent_replicas(&self, uri: &HostUri, zones: &[Uuid]) -> Result<(), StoreError> {
        self.write("record that manifests were withdrawn", |transaction| {
            for uuid in zones {
                let key = params![uri.to_string(), uuid.to_string()];
                transaction
                    .execute("DELETE FROM replica WHERE role = 'sent' AND host = ?1 AND uuid = ?2", key)?;
            }
            Ok(())
        })
    }

    /// All of them, by host and zone.
    pub fn sent_replicas(&self) -> Result<Vec<SentReplica>, StoreError> {
        self.read("read with whom manifests are left", |connection| {
            connection
                .prepare_cached("SELECT * FROM replica WHERE role = 'sent' ORDER BY host, zone")?
                .query_map([], SentReplica::read)?
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample};

    #[test]
    fn it_is_known_with_whom_a_manifest_is_until_it_is_withdrawn_there() {
        let (_folder, store) = fresh();
        let [web, db] = [("web", 1), ("db", 2)].map(|(zone, uuid)| sample::left(zone, uuid, "rads://h2"));
        let other = sample::left("web", 1, "rads://h3");
        for row in [&web, &db, &other, &web] {
            store.record_sent_replica(row).unwrap();
        }
        assert_eq!(store.sent_replicas().unwrap(), [db.clone(), web.clone(), other.clone()]);
        store.drop_sent_replicas(&web.uri, &[web.uuid, Uuid::from_u128(99)]).unwrap();
        assert_eq!(store.sent_replicas().unwrap(), [db, other]);
    }
}
