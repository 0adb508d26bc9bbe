//! Which other hosts have replicas of this host's zones, so that a replica can be withdrawn when the zone is
//! moved elsewhere, or gets other targets.

use rusqlite::{Row, params};
use uuid::Uuid;

use super::{Store, StoreError, parsed};
use crate::model::{HostUri, ZoneName};

/// A manifest that is, or may be, with another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftRow {
    /// With whom.
    pub uri: HostUri,
    /// The zone.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
}

impl LeftRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { uri: parsed(row, "host")?, zone: parsed(row, "zone")?, uuid: parsed(row, "uuid")? })
    }
}

impl Store {
    /// Records that a manifest is about to be left with another host: it may be there from now on.
    pub fn leave_with(&self, row: &LeftRow) -> Result<(), StoreError> {
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
    pub fn withdrawn(&self, uri: &HostUri, zones: &[Uuid]) -> Result<(), StoreError> {
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
    pub fn left_with(&self) -> Result<Vec<LeftRow>, StoreError> {
        self.read("read with whom manifests are left", |connection| {
            connection
                .prepare_cached("SELECT * FROM replica WHERE role = 'sent' ORDER BY host, zone")?
                .query_map([], LeftRow::read)?
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
            store.leave_with(row).unwrap();
        }
        assert_eq!(store.left_with().unwrap(), [db.clone(), web.clone(), other.clone()]);
        store.withdrawn(&web.uri, &[web.uuid, Uuid::from_u128(99)]).unwrap();
        assert_eq!(store.left_with().unwrap(), [db, other]);
    }
}
