//! The UUID that identifies this database as that of one host.

use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::{Store, parsed};

/// The UUID. A database without one gets a random one, and so matches no other.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Uuid> {
    let kept = connection.query_row("SELECT uuid FROM zone WHERE place = 'host'", [], read_one).optional()?;
    Ok(kept.unwrap_or_else(Uuid::new_v4))
}

/// Creates a UUID if there is none.
pub(super) fn make(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO zone (name, uuid, brand, place, owners, since_ms, was_running)
        SELECT '', ?1, 'host', 'host', '[]', 0, 0 WHERE NOT EXISTS (SELECT 1 FROM zone WHERE place = 'host')";
    connection.execute(sql, [Uuid::new_v4().to_string()]).map(drop)
}

pub(super) fn read_one(row: &Row<'_>) -> rusqlite::Result<Uuid> {
    parsed(row, "uuid")
}

impl Store {
    /// The database's UUID, which is created with it.
    pub const fn identity(&self) -> Uuid {
        self.identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh;

    #[test]
    fn a_database_says_the_same_for_ever_and_another_one_something_else() {
        let (_folder, store) = fresh();
        let path = store.path().to_owned();
        let identity = store.identity();
        drop(store);
        assert_eq!(Store::open(&path).unwrap().identity(), identity);
        assert_eq!(Store::open_read_only(&path).unwrap().unwrap().identity(), identity);
        let (_folder, other) = fresh();
        assert_ne!(other.identity(), identity);
        assert_ne!(Store::nothing(&path).unwrap().identity(), identity);
    }
}
