//! When maintenance of this host will begin, if that was announced: a row of the maintenance table without a
//! type. It locks nothing, but other hosts are told, so that they bring no zone here that would have to leave
//! again. Starting maintenance clears it.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, StoreError};
use crate::model::Millis;

/// Maintenance that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub begins: Millis,
    /// The user who announced it.
    pub user: String,
    /// When it was announced.
    pub since: Millis,
    pub message: Option<String>,
}

impl Announcement {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            begins: Millis(row.get("begins_ms")?),
            user: row.get("user")?,
            since: Millis(row.get("started_ms")?),
            message: row.get("message")?,
        })
    }
}

/// The announcement, if there is one.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Announcement>> {
    connection.query_row("SELECT * FROM maintenance WHERE type = ''", [], Announcement::read).optional()
}

/// Removes it; returns whether there was one.
pub(super) fn use_up(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM maintenance WHERE type = ''", [])? > 0)
}

impl Store {
    /// The announcement, if there is one.
    pub fn announcement(&self) -> Result<Option<Announcement>, StoreError> {
        self.read("read when maintenance begins", read)
    }

    /// Replaces an earlier announcement.
    pub fn announce(&self, announcement: &Announcement) -> Result<(), StoreError> {
        self.write("note when maintenance begins", |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO maintenance (type, begins_ms, user, started_ms, message)
                 VALUES ('', ?1, ?2, ?3, ?4)",
                params![announcement.begins.0, announcement.user, announcement.since.0, announcement.message],
            )?;
            Ok(())
        })
    }

    /// Removes it; returns whether there was one.
    pub fn call_off(&self) -> Result<bool, StoreError> {
        self.write("call announced maintenance off", |transaction| use_up(transaction))
    }
}

#[cfg(test)]
mod tests {
    use crate::store::tests::{fresh, sample};

    #[test]
    fn a_later_announcement_takes_the_place_of_an_earlier_one() {
        let (_folder, store) = fresh();
        assert_eq!(store.announcement().unwrap(), None);
        for begins in [5, 9] {
            store.announce(&sample::announcement(begins)).unwrap();
        }
        assert_eq!(store.announcement().unwrap(), Some(sample::announcement(9)));
        assert!(store.call_off().unwrap() && !store.call_off().unwrap());
    }

    #[test]
    fn whoever_starts_maintenance_uses_it_up_and_the_next_one_may_be_announced_then() {
        let (_folder, store) = fresh();
        store.announce(&sample::announcement(5)).unwrap();
        store.start_maintenance(&sample::holder("admin", 1, None), |_| Ok(())).unwrap();
        assert_eq!(store.announcement().unwrap(), None);
        store.announce(&sample::announcement(9)).unwrap();
        store.end_maintenance(&"admin".parse().unwrap()).unwrap();
        assert_eq!(store.announcement().unwrap(), Some(sample::announcement(9)));
    }

    #[test]
    fn maintenance_that_does_not_come_to_begin_leaves_it() {
        let (_folder, store) = fresh();
        store.announce(&sample::announcement(5)).unwrap();
        let full = || std::io::ErrorKind::StorageFull.into();
        store.start_maintenance(&sample::holder("admin", 1, None), |_| Err(full())).unwrap_err();
        assert_eq!(store.announcement().unwrap(), Some(sample::announcement(5)));
    }
}
