//! Who holds this host in maintenance. Each type is one holder; the host is in service when the last one is gone.

use std::fmt;
use std::str::FromStr;

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::{Store, StoreError, announcement, parsed};
use crate::model::Millis;

/// All holders, oldest first.
pub(super) const HOLDERS: &str = "SELECT * FROM maintenance WHERE type <> '' ORDER BY started_ms, type";

/// The name of a holder: 1 to 32 lower-case letters, digits and `-`, starting with a letter. Solaris has `admin`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MaintenanceType(String);

impl Default for MaintenanceType {
    fn default() -> Self {
        Self("admin".to_owned())
    }
}

/// A text is not the name of a holder.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a maintenance type: 1 to 32 lower-case letters, digits and '-', a letter first")]
pub struct MaintenanceTypeError(String);

impl FromStr for MaintenanceType {
    type Err = MaintenanceTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.len() <= 32 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MaintenanceTypeError(text.to_owned()))
        }
    }
}

impl fmt::Display for MaintenanceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    pub kind: MaintenanceType,
    /// The user who started it.
    pub user: String,
    pub since: Millis,
    pub message: Option<String>,
}

impl Holder {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            kind: parsed(row, "type")?,
            user: row.get("user")?,
            since: Millis(row.get("started_ms")?),
            message: row.get("message")?,
        })
    }
}

impl Store {
    /// All holders, oldest first. Empty: the host is in service.
    pub fn holders(&self) -> Result<Vec<Holder>, StoreError> {
        self.read("read the maintenance state", |connection| {
            connection.prepare_cached(HOLDERS)?.query_map([], Holder::read)?.collect()
        })
    }

    /// Adds a holder, unless one of that type exists: then that one is returned, and nothing changes. Clears the
    /// announcement. `mark` is called within the transaction; if it fails, nothing was changed.
    pub fn start_maintenance(
        &self,
        holder: &Holder,
        mark: impl FnOnce(&[Holder]) -> std::io::Result<()>,
    ) -> Result<Option<Holder>, StoreError> {
        self.write("start maintenance", |transaction| {
            let present = transaction
                .query_row(
                    "SELECT * FROM maintenance WHERE type = ?1",
                    [holder.kind.to_string()],
                    Holder::read,
                )
                .optional()?;
            if present.is_some() {
                return Ok(present);
            }
            transaction.execute(
                "INSERT INTO maintenance (type, user, started_ms, message) VALUES (?1, ?2, ?3, ?4)",
                params![holder.kind.to_string(), holder.user, holder.since.0, holder.message],
            )?;
            announcement::use_up(transaction)?;
            let all = transaction
                .prepare(HOLDERS)?
                .query_map([], Holder::read)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            // The marker is written before the row is durable: a crash in between locks too much, never too little.
            mark(&all).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            Ok(None)
        })
    }

    /// Removes a holder. Returns it with those that remain; none if it did not exist.
    pub fn end_maintenance(
        &self,
        kind: &MaintenanceType,
    ) -> Result<Option<(Holder, Vec<Holder>)>, StoreError> {
        self.write("end maintenance", |transaction| {
            let ended = transaction
                .query_row(
                    "DELETE FROM maintenance WHERE type = ?1 RETURNING *",
                    [kind.to_string()],
                    Holder::read,
                )
                .optional()?;
            let Some(ended) = ended else { return Ok(None) };
            let rest = transaction
                .prepare(HOLDERS)?
                .query_map([], Holder::read)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(Some((ended, rest)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh;

    fn holder(kind: &str) -> Holder {
        Holder { kind: kind.parse().unwrap(), user: "root".into(), since: Millis(1), message: None }
    }

    #[test]
    fn a_second_start_of_one_type_tells_who_holds_it() {
        let (_folder, store) = fresh();
        assert_eq!(store.start_maintenance(&holder("admin"), |_| Ok(())).unwrap(), None);
        let other = Holder { user: "eve".into(), ..holder("admin") };
        assert_eq!(store.start_maintenance(&other, |_| Ok(())).unwrap(), Some(holder("admin")));
    }

    #[test]
    fn the_host_is_free_when_the_last_holder_is_gone() {
        let (_folder, store) = fresh();
        for kind in ["admin", "firmware"] {
            store.start_maintenance(&holder(kind), |_| Ok(())).unwrap();
        }
        let (_, rest) = store.end_maintenance(&"admin".parse().unwrap()).unwrap().unwrap();
        assert_eq!(rest, [holder("firmware")]);
        let (_, rest) = store.end_maintenance(&"firmware".parse().unwrap()).unwrap().unwrap();
        assert_eq!(rest, []);
        assert_eq!(store.end_maintenance(&"firmware".parse().unwrap()).unwrap(), None);
    }

    #[test]
    fn a_marker_that_cannot_be_written_leaves_no_holder() {
        let (_folder, store) = fresh();
        let failed =
            store.start_maintenance(&holder("admin"), |_| Err(std::io::ErrorKind::StorageFull.into()));
        assert!(failed.is_err());
        assert_eq!(store.holders().unwrap(), []);
    }

    #[test]
    fn types_are_plain_words() {
        for bad in ["", "A", "9x", "a:b", "a b", &"x".repeat(33)] {
            assert!(bad.parse::<MaintenanceType>().is_err(), "{bad:?}");
        }
    }
}
