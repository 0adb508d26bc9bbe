//! Room that is reserved on this host for zones that will arrive. A reservation ends with the arrival, at its owner's
//! request, or when its lease expires.

use rusqlite::{Row, params};
use uuid::Uuid;

use super::{Store, StoreError, parsed, stored, unsigned};
use crate::model::{Millis, ZoneName};

/// One reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub zone: ZoneName,
    pub uuid: Uuid,
    /// The host that it comes from.
    pub source: String,
    /// Memory in bytes.
    pub memory: u64,
    pub cpus: u32,
    /// In bytes.
    pub disk: u64,
    /// The end of the lease.
    pub expires: Millis,
}

impl Reservation {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            zone: parsed(row, "zone")?,
            uuid: parsed(row, "uuid")?,
            source: row.get("source")?,
            memory: unsigned(row, "memory")?,
            cpus: row.get("cpus")?,
            disk: unsigned(row, "disk")?,
            expires: Millis(row.get("expires_ms")?),
        })
    }
}

impl Store {
    /// Reserves room, if `admit` finds that it fits beside the valid reservations of others. Both are one
    /// transaction, so two sources never reserve the same room.
    pub fn reserve<E>(
        &self,
        wanted: &Reservation,
        now: Millis,
        admit: impl FnOnce(&[Reservation]) -> Result<(), E>,
    ) -> Result<Result<(), E>, StoreError> {
        self.write("reserve room", |transaction| {
            // A zone that belongs here may be recovered by the host that was bringing it.
            transaction.execute(
                "DELETE FROM reservation WHERE expires_ms <= ?1 AND uuid NOT IN
                 (SELECT uuid FROM zone WHERE place IN ('leaving', 'migrating', 'away', 'returning', 'relocating'))",
                [now.0],
            )?;
            let others = transaction
                .prepare("SELECT * FROM reservation WHERE expires_ms > ?4 AND NOT (zone = ?1 AND uuid = ?2 AND source = ?3)")?
                .query_map(
                    params![wanted.zone.as_str(), wanted.uuid.to_string(), wanted.source, now.0],
                    Reservation::read,
                )?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            if let Err(refusal) = admit(&others) {
                return Ok(Err(refusal));
            }
            transaction.execute(
                "INSERT OR REPLACE INTO reservation (zone, uuid, source, memory, cpus, disk, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    wanted.zone.as_str(),
                    wanted.uuid.to_string(),
                    wanted.source,
                    stored(wanted.memory),
                    wanted.cpus,
                    stored(wanted.disk),
                    wanted.expires.0
                ],
            )?;
            Ok(Ok(()))
        })
    }

    /// Extends a reservation, and never shortens it. Returns whether there is one.
    pub fn renew(&self, zone: &ZoneName, uuid: Uuid, expires: Millis) -> Result<bool, StoreError> {
        self.write("extend a reservation", |transaction| {
            let sql = "UPDATE reservation SET expires_ms = max(expires_ms, ?3) WHERE zone = ?1 AND uuid = ?2";
            Ok(transaction.execute(sql, params![zone.as_str(), uuid.to_string(), expires.0])? > 0)
        })
    }

    /// Removes a reservation; another zone's with the same name stays. Returns whether there was one.
    pub fn release(&self, zone: &ZoneName, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("give reserved room back", |transaction| {
            let sql = "DELETE FROM reservation WHERE zone = ?1 AND uuid = ?2";
            Ok(transaction.execute(sql, [zone.as_str(), &uuid.to_string()])? > 0)
        })
    }

    /// All reservations, including expired ones.
    pub fn all_reservations(&self) -> Result<Vec<Reservation>, StoreError> {
        self.reservations(Millis(i64::MIN))
    }

    /// All reservations that are valid now.
    pub fn reservations(&self, now: Millis) -> Result<Vec<Reservation>, StoreError> {
        self.read("read reservations", |connection| {
            connection
                .prepare_cached("SELECT * FROM reservation WHERE expires_ms > ?1 ORDER BY zone")?
                .query_map([now.0], Reservation::read)?
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh;

    fn wanted(zone: &str, source: &str) -> Reservation {
        Reservation {
            zone: zone.parse().unwrap(),
            uuid: Uuid::from_u128(1),
            source: source.into(),
            memory: 10,
            cpus: 1,
            disk: 0,
            expires: Millis(100),
        }
    }

    #[test]
    fn a_reservation_is_seen_by_the_next_one_until_its_lease_ends() {
        let (_folder, store) = fresh();
        store.reserve(&wanted("a", "h1"), Millis(0), |_| Ok::<_, ()>(())).unwrap().unwrap();
        let sum = |others: &[Reservation]| others.iter().map(|other| other.memory).sum::<u64>();
        let seen = store.reserve(&wanted("b", "h1"), Millis(99), |others| Err::<(), _>(sum(others))).unwrap();
        assert_eq!(seen, Err(10));
        let seen =
            store.reserve(&wanted("b", "h1"), Millis(100), |others| Err::<(), _>(sum(others))).unwrap();
        assert_eq!(seen, Err(0));
    }

    #[test]
    fn a_refused_reservation_is_not_kept_and_one_reserved_again_counts_once() {
        let (_folder, store) = fresh();
        assert_eq!(store.reserve(&wanted("a", "h1"), Millis(0), |_| Err("full")).unwrap(), Err("full"));
        assert_eq!(store.reservations(Millis(0)).unwrap(), []);
        for _ in 0..2 {
            store.reserve(&wanted("a", "h1"), Millis(0), |_| Ok::<_, ()>(())).unwrap().unwrap();
        }
        assert_eq!(store.reservations(Millis(0)).unwrap().len(), 1);
        assert!(!store.release(&"a".parse().unwrap(), Uuid::from_u128(2)).unwrap());
        assert!(store.release(&"a".parse().unwrap(), Uuid::from_u128(1)).unwrap());
    }
}
