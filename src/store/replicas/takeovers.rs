//! What other hosts have reported of this host's zones that they took over while it was down. It is recorded by
//! then, and acknowledged to each of these hosts at the next contact: otherwise a repeated report could be taken
//! for a new one although the zone has come home since.

use rusqlite::{Row, params};
use uuid::Uuid;

use crate::model::{HostUri, Millis, ZoneName};
use crate::store::{Store, StoreError, parsed};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedTakeover {
    /// Who has told it.
    pub uri: HostUri,
    /// Of which zone.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// When that host has attached it.
    pub at: Millis,
}

impl RecordedTakeover {
    pub(in crate::store) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            uri: parsed(row, "host")?,
            zone: parsed(row, "zone")?,
            uuid: parsed(row, "uuid")?,
            at: Millis(row.get("taken_ms")?),
        })
    }
}

impl Store {
    /// Records that something was heard, in place of what the same host has told of the same zone before.
    pub fn record_takeover(&self, heard: &RecordedTakeover) -> Result<(), StoreError> {
        self.write("record what was heard of a zone", |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO replica (role, host, zone, uuid, taken_ms) VALUES ('taken', ?1, ?2, ?3, ?4)",
                params![heard.uri.to_string(), heard.zone.as_str(), heard.uuid.to_string(), heard.at.0],
            )?;
            Ok(())
        })
    }

    /// Records that this host knows of these that they were heard.
    pub fn acknowledge_takeovers(&self, uri: &HostUri, known: &[(Uuid, Millis)]) -> Result<(), StoreError> {
        self.write("record that a host knows what was heard", |transaction| {
            for (uuid, at) in known {
                let key = params![uri.to_string(), uuid.to_string(), at.0];
                let sql =
                    "DELETE FROM replica WHERE role = 'taken' AND host = ?1 AND uuid = ?2 AND taken_ms = ?3";
                transaction.execute(sql, key)?;
            }
            Ok(())
        })
    }

    /// All of them, by host.
    pub fn recorded_takeovers(&self) -> Result<Vec<RecordedTakeover>, StoreError> {
        self.read("read what was heard of zones", |connection| {
            connection
                .prepare_cached("SELECT * FROM replica WHERE role = 'taken' ORDER BY host, uuid")?
                .query_map([], RecordedTakeover::read)?
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::store::tests::{fresh, sample};

    #[test]
    fn what_was_heard_is_known_until_its_host_knows_it() {
        let (_folder, store) = fresh();
        let [first, again] = [sample::heard("rads://h2", 1), sample::heard("rads://h2", 2)];
        let other = sample::heard("rads://h3", 1);
        for heard in [&first, &other, &again] {
            store.record_takeover(heard).unwrap();
        }
        assert_eq!(store.recorded_takeovers().unwrap(), [again.clone(), other.clone()]);
        store.acknowledge_takeovers(&again.uri, &[(first.uuid, first.at), (other.uuid, other.at)]).unwrap();
        assert_eq!(store.recorded_takeovers().unwrap().len(), 2, "it is told of another time");
        store.acknowledge_takeovers(&again.uri, &[(again.uuid, again.at)]).unwrap();
        assert_eq!(store.recorded_takeovers().unwrap(), [other]);
    }
}
