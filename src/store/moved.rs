//! Zones that were migrated away from here, for good.
//!
//! A zone that migrates is in the away list while it moves, like every other. When it has gone it is `configured` here
//! (zones(7)): its configuration stays, with the host to which it went.

use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::{Away, Store, StoreError, parsed};
use crate::model::{HostUri, Millis};

impl Store {
    /// Takes a zone that has gone for good from the away list, and keeps its document as that of a zone that is
    /// `configured` here and attached there.
    pub fn gone_for_good(&self, row: &Away, document: &str, now: Millis) -> Result<(), StoreError> {
        self.write("record a zone that has migrated", |transaction| {
            // The one place where a move writes into the table of detached zones.
            let user: Option<String> = transaction
                .query_row(
                    "SELECT run.user FROM journal JOIN run ON run.id = journal.run WHERE journal.zone = ?1
                     ORDER BY journal.id DESC LIMIT 1",
                    [row.zone.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            transaction.execute(
                "INSERT OR REPLACE INTO detached (zone, uuid, brand, user, since_ms, moved_to, manifest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    row.zone.as_str(),
                    row.uuid.to_string(),
                    row.brand.as_str(),
                    user.unwrap_or_default(),
                    now.0,
                    row.refuge.to_string(),
                    document,
                ],
            )?;
            transaction.execute("DELETE FROM away WHERE zone = ?1", [row.zone.as_str()])?;
            Ok(())
        })
    }

    /// Where a zone was migrated to from here, last; none if it was not.
    pub fn moved_to(&self, uuid: Uuid) -> Result<Option<HostUri>, StoreError> {
        self.read("read where a zone was migrated to", |connection| {
            connection
                .query_row(
                    "SELECT moved_to FROM detached WHERE uuid = ?1 AND moved_to IS NOT NULL",
                    [uuid.to_string()],
                    |row| parsed(row, "moved_to"),
                )
                .optional()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::AwayPhase;
    use crate::store::tests::{fresh, sample};

    #[test]
    fn a_zone_that_has_gone_for_good_is_not_away_and_where_it_went_is_known() {
        let (_folder, store) = fresh();
        let (row, manifest) = sample::moving("web");
        store.begin_away(&row, &manifest).unwrap();
        assert_eq!(store.moved_to(row.uuid).unwrap(), None);
        assert!(store.away().unwrap()[0].one_way);
        for refuge in ["rads://h2", "rads://h3"] {
            let row = Away { refuge: sample::uri(refuge), ..row.clone() };
            store.gone_for_good(&row, "document", Millis(5)).unwrap();
            assert_eq!(store.away().unwrap(), []);
            assert_eq!(store.moved_to(row.uuid).unwrap(), Some(row.refuge));
        }
        assert_eq!(store.moved_to(Uuid::from_u128(1)).unwrap(), None);
        store.begin_away(&sample::away("web", AwayPhase::Leaving).0, &manifest).unwrap();
        assert!(!store.away().unwrap()[0].one_way, "it comes back this time");
    }
}
