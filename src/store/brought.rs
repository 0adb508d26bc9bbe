//! Which peers may fetch a zone that is here: those that brought it, and those for which they did.
//!
//! There may be several, one for each host that the zone came through, and each is known by the name in its certificate.
//! To which one of them the zone belongs is another question, which [`super::Guest`] answers.

use std::collections::HashSet;

use rusqlite::{Row, params};
use uuid::Uuid;

use super::{Store, StoreError, parsed};

/// One host for which one zone is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// The zone.
    pub uuid: Uuid,
    /// The host, by its own name.
    pub host: String,
}

impl Brought {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { uuid: parsed(row, "uuid")?, host: row.get("host")? })
    }
}

impl Store {
    /// Records for which hosts a zone is brought; `is_here`: beside those that are known. What was known of zones of which
    /// there is no trace any more (`present` are on the platform) goes.
    pub fn bring(
        &self,
        uuid: Uuid,
        hosts: &[String],
        is_here: bool,
        present: &HashSet<Uuid>,
    ) -> Result<(), StoreError> {
        self.write("record whose zone comes", |transaction| {
            let traces =
                "SELECT uuid FROM brought EXCEPT SELECT uuid FROM away EXCEPT SELECT uuid FROM detached
                          EXCEPT SELECT uuid FROM reservation";
            let mut gone: Vec<Uuid> = transaction
                .prepare_cached(traces)?
                .query_map([], |row| parsed(row, "uuid"))?
                .collect::<rusqlite::Result<_>>()?;
            gone.retain(|one| !present.contains(one));
            if !is_here {
                gone.push(uuid);
            }
            for uuid in gone {
                transaction.execute("DELETE FROM brought WHERE uuid = ?1", [uuid.to_string()])?;
            }
            let sql = "INSERT OR IGNORE INTO brought (uuid, host) VALUES (?1, ?2)";
            hosts
                .iter()
                .try_for_each(|host| transaction.execute(sql, params![uuid.to_string(), host]).map(drop))
        })
    }

    /// For which hosts a zone is here, or was.
    pub fn brought(&self, uuid: Uuid) -> Result<Vec<String>, StoreError> {
        self.read("read whose zone it is", |connection| {
            connection
                .prepare_cached("SELECT host FROM brought WHERE uuid = ?1 ORDER BY host")?
                .query_map([uuid.to_string()], |row| row.get(0))?
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;
    use crate::store::tests::{fresh, sample};

    fn hosts(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_zone_that_comes_anew_is_of_those_that_bring_it_now() {
        let (_folder, store) = fresh();
        let uuid = Uuid::from_u128(1);
        let (none, here) = (HashSet::new(), HashSet::from([uuid]));
        store.bring(uuid, &hosts(&["h1", "h3"]), false, &none).unwrap();
        store.bring(uuid, &hosts(&["h4"]), true, &here).unwrap();
        assert_eq!(store.brought(uuid).unwrap(), ["h1", "h3", "h4"]);
        store.bring(uuid, &hosts(&["h5"]), false, &none).unwrap();
        assert_eq!(store.brought(uuid).unwrap(), ["h5"]);
    }

    #[test]
    fn what_is_known_of_a_zone_goes_with_its_last_trace() {
        let (_folder, store) = fresh();
        let [here, away, detached, gone, new] = [1, 7, 22, 4, 5].map(Uuid::from_u128);
        for uuid in [here, away, detached, gone] {
            store.bring(uuid, &hosts(&["h1"]), false, &[here, away, detached, gone].into()).unwrap();
        }
        let (row, manifest) = sample::away("web", crate::store::AwayPhase::Away);
        store.begin_away(&row, &manifest).unwrap();
        store.begin_detached(&sample::detached("ready", 22, None)).unwrap();
        let booking = sample::booking("guest", 99);
        store.reserve(&booking, Millis(0), |_| Ok::<_, ()>(())).unwrap().unwrap();
        store.bring(booking.uuid, &hosts(&["h1"]), false, &[here, gone].into()).unwrap();
        store.bring(new, &hosts(&["h1"]), false, &[here].into()).unwrap();
        let known = [here, away, detached, gone, booking.uuid].map(|uuid| store.brought(uuid).unwrap().len());
        assert_eq!(known, [1, 1, 1, 0, 1]);
    }
}
