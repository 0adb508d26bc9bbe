//! Zones that were migrated away from here, for good.
//!
//! A zone that migrates is in the away list while it moves, like every other. When it has gone it is `configured` here
//! (zones(7)): its configuration stays, with the host to which it went.

use rusqlite::OptionalExtension;
use uuid::Uuid;

use super::{Detached, Store, StoreError, detached, parsed};
use crate::model::HostUri;

impl Store {
    /// Takes a zone that has gone for good from the away list, and keeps it as one that is `configured` here and attached
    /// where it was moved to. Its user is who has begun the move, if the journal knows that.
    pub fn gone_for_good(&self, row: Detached) -> Result<(), StoreError> {
        self.write("record a zone that has migrated", |transaction| {
            let user: Option<String> = transaction
                .query_row(
                    "SELECT run.user FROM journal JOIN run ON run.id = journal.run WHERE journal.zone = ?1
                     ORDER BY journal.id DESC LIMIT 1",
                    [row.zone.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            let row = Detached { user: user.unwrap_or_else(|| row.user.clone()), ..row.clone() };
            detached::insert(transaction, &row)?;
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
    use crate::store::tests::{fresh, sample};
    use crate::store::{Away, AwayPhase};

    #[test]
    fn a_zone_that_has_gone_for_good_is_not_away_and_where_it_went_is_known() {
        let (_folder, store) = fresh();
        let (row, manifest) = sample::moving("web");
        store.begin_away(&row, &manifest).unwrap();
        assert_eq!(store.moved_to(row.uuid).unwrap(), None);
        assert!(store.away().unwrap()[0].one_way);
        for refuge in ["rads://h2", "rads://h3"] {
            let row = Away { refuge: sample::uri(refuge), ..row.clone() };
            let gone = Detached { uuid: row.uuid, ..sample::detached("web", 7, Some(refuge)) };
            store.gone_for_good(gone).unwrap();
            assert_eq!(store.away().unwrap(), []);
            assert_eq!(store.moved_to(row.uuid).unwrap(), Some(row.refuge));
        }
        assert_eq!(store.moved_to(Uuid::from_u128(1)).unwrap(), None);
        store.begin_away(&sample::away("web", AwayPhase::Leaving).0, &manifest).unwrap();
        assert!(!store.away().unwrap()[0].one_way, "it comes back this time");
    }
}
