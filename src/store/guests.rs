//! Zones of other hosts that are here, and where those went that have left. A row is there before the zone comes.
//!
//! It says to which one host a zone belongs, as whoever brought it says: so the zone is found, and let go home. Which
//! peers may fetch it is another question, which [`super::Brought`] answers.
//!
//! What the platform does not have is no guest any more, whatever a row says: it only tells where the zone went.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{Store, StoreError, parsed, parsed_optional};
use crate::model::{Home, HostUri, ZoneName};

/// A zone of another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The zone.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// The host that it belongs to.
    pub home: Home,
    /// Where it went from here.
    pub gone_to: Option<HostUri>,
}

impl Guest {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            zone: parsed(row, "zone")?,
            uuid: parsed(row, "uuid")?,
            home: Home { name: row.get("home")?, id: parsed_optional(row, "home_id")? },
            gone_to: parsed_optional(row, "gone_to")?,
        })
    }
}

impl Store {
    /// Records a zone of another host that comes, in place of what was known of it.
    pub fn welcome(&self, guest: &Guest) -> Result<(), StoreError> {
        self.write("record a zone of another host", |transaction| insert(transaction, guest))
    }

    /// The zone of another host of that identity, here or gone.
    pub fn guest(&self, uuid: Uuid) -> Result<Option<Guest>, StoreError> {
        self.read("read whose zone it is", |connection| {
            let sql = "SELECT * FROM guest WHERE uuid = ?1";
            connection.query_row(sql, [uuid.to_string()], Guest::read).optional()
        })
    }

    /// All of them by name, here or gone.
    pub fn guests(&self) -> Result<Vec<Guest>, StoreError> {
        self.read("read the zones of other hosts", |connection| {
            connection
                .prepare_cached("SELECT * FROM guest ORDER BY zone, uuid")?
                .query_map([], Guest::read)?
                .collect()
        })
    }

    /// The zone is no other host's any more, or never came. Whether it was.
    pub fn remove_guest(&self, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("remove a zone of another host", |transaction| remove(transaction, uuid))
    }

    /// Takes a zone of another host that has left from the away list, and keeps where it went; none: it went home.
    pub fn guest_gone(&self, guest: &Guest) -> Result<(), StoreError> {
        self.write("record that a zone of another host has left", |transaction| {
            transaction.execute("DELETE FROM away WHERE uuid = ?1", [guest.uuid.to_string()])?;
            match guest.gone_to {
                Some(_) => insert(transaction, guest),
                None => remove(transaction, guest.uuid).map(drop),
            }
        })
    }
}

fn insert(transaction: &Transaction<'_>, guest: &Guest) -> rusqlite::Result<()> {
    let Guest { zone, uuid, home, gone_to } = guest;
    let (home_id, gone_to) = (home.id.map(|id| id.to_string()), gone_to.as_ref().map(ToString::to_string));
    transaction.execute(
        "INSERT OR REPLACE INTO guest (uuid, zone, home, home_id, gone_to) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![uuid.to_string(), zone.as_str(), home.name, home_id, gone_to],
    )?;
    Ok(())
}

fn remove(transaction: &Transaction<'_>, uuid: Uuid) -> rusqlite::Result<bool> {
    Ok(transaction.execute("DELETE FROM guest WHERE uuid = ?1", [uuid.to_string()])? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample};

    #[test]
    fn a_guest_is_known_with_its_home_until_it_goes_home_and_where_it_went_is_kept() {
        let (_folder, store) = fresh();
        let guest = sample::guest("web", 1, None);
        let (row, manifest) = sample::moving("web");
        let row = crate::store::Away { uuid: guest.uuid, ..row };
        store.welcome(&guest).unwrap();
        assert_eq!(store.guest(guest.uuid).unwrap().as_ref(), Some(&guest));
        store.begin_away(&row, &manifest).unwrap();
        let gone = Guest { gone_to: Some(sample::uri("rads://h3")), ..guest.clone() };
        store.guest_gone(&gone).unwrap();
        assert_eq!((store.away().unwrap(), store.guests().unwrap()), (vec![], vec![gone]));
        store.welcome(&guest).unwrap();
        store.begin_away(&row, &manifest).unwrap();
        store.guest_gone(&guest).unwrap();
        assert_eq!((store.away().unwrap(), store.guests().unwrap()), (vec![], vec![]));
        assert!(!store.remove_guest(guest.uuid).unwrap());
    }
}
