//! The writes that take a zone from one place to another. Which they may be is said in `place`.
//!
//! The record is there before a zone leaves, before it is asked to stop and before the platform forgets it, and until it is
//! back, runs again or was given up on purpose; no new maintenance and no new run erases it.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::place::Place;
use super::zone_record::ZoneRecord;
use super::zones::{Configuration, find, save};
use super::{Store, StoreError};
use crate::model::{HostUri, Manifest};

impl Store {
    /// Records a zone that is about to leave, with its whole configuration. Another zone of its name that is away is an
    /// error: this may be all that there is of that one.
    pub fn begin_move(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that leaves", |transaction| {
            put(transaction, record, &Configuration::Replace(manifest))
        })
    }

    /// Records a zone that is about to move on or to come back, with the notes in its configuration of what its networks are
    /// called where it is.
    pub fn begin_return(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that leaves its location", |transaction| {
            update(transaction, record, &Configuration::Replace(manifest))
        })
    }

    /// Records a zone that is about to be stopped or suspended, after all others.
    pub fn begin_stop(&self, record: &ZoneRecord) -> Result<(), StoreError> {
        self.write("record a zone that is being stopped", |transaction| {
            let last = "SELECT ifnull(max(position), 0) FROM zone";
            let last: i64 = transaction.query_row(last, [], |row| row.get(0))?;
            let record = ZoneRecord { position: Some(last + 1), ..record.clone() };
            put(transaction, &record, &Configuration::Drop)
        })
    }

    /// Changes what is recorded of a zone that is away or was stopped. Its configuration stays. One that was given up or has
    /// come home meanwhile stays so.
    pub fn update_zone(&self, record: &ZoneRecord) -> Result<(), StoreError> {
        self.write("change the record of a zone", |transaction| {
            update(transaction, record, &Configuration::Keep)
        })
    }

    /// Records a zone of which only the configuration is here from now on: it was detached, created or given up. Another
    /// zone of its name that is configured here or away is an error.
    pub fn configure(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that is configured", |transaction| configure(transaction, record, manifest))
    }

    /// Keeps the configuration of a zone that comes over it. The record of one that is away has its configuration already.
    pub fn keep_previous(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("keep the configuration that a zone comes over", |transaction| {
            match find(transaction, record.uuid)? {
                Some(known) if known.place.is_elsewhere() => Ok(()),
                _ => configure(transaction, record, manifest),
            }
        })
    }

    /// The configuration that is kept of a zone does not hold any more: it is attached, here or elsewhere.
    pub fn forget_configured(&self, uuid: Uuid) -> Result<(), StoreError> {
        self.write("forget the configuration of a zone", |transaction| match find(transaction, uuid)? {
            Some(record) if matches!(record.place, Place::Configured | Place::Migrated) => {
                settle_here(transaction, record)
            }
            _ => Ok(()),
        })
    }

    /// Records that a zone which was being migrated is where it was to go, for good. Its user is who has begun the move, if
    /// the journal knows that.
    pub fn end_migration(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that has migrated", |transaction| {
            let user: Option<String> = transaction
                .query_row(
                    "SELECT run.user FROM journal JOIN run ON run.id = journal.run WHERE journal.zone = ?1
                     ORDER BY journal.id DESC LIMIT 1",
                    [record.zone.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            configure(
                transaction,
                &ZoneRecord { user: user.or(record.user.clone()), ..record.clone() },
                manifest,
            )
        })
    }

    /// Records that a zone of another host has gone on to that one; none: it went home, and nothing is kept of it.
    pub fn passed_on(&self, uuid: Uuid, to: Option<&HostUri>) -> Result<(), StoreError> {
        self.write("record that a zone of another host has left", |transaction| {
            let Some(record) = find(transaction, uuid)? else { return Ok(()) };
            let here = ZoneRecord { home: record.home.clone().filter(|_| to.is_some()), ..record.here() };
            match to {
                Some(_) => {
                    let gone = ZoneRecord { place: Place::Migrated, location: to.cloned(), ..here };
                    save(transaction, &gone, &Configuration::Drop)
                }
                None => settle_here(transaction, here),
            }
        })
    }

    /// Records that a zone is here: it is back, has never left, runs again or was attached. Returns whether it
    /// was recorded as being elsewhere.
    pub fn zone_is_here(&self, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("record that a zone is here", |transaction| {
            let Some(record) = find(transaction, uuid)? else { return Ok(false) };
            let was_elsewhere = record.place != Place::Here;
            settle_here(transaction, record)?;
            Ok(was_elsewhere)
        })
    }

    /// Removes the record of a zone that is configured here or was migrated. Returns whether there was one.
    pub fn delete_zone(&self, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("delete the record of a zone", |transaction| {
            Ok(transaction.execute("DELETE FROM zone WHERE uuid = ?1", [uuid.to_string()])? > 0)
        })
    }
}

/// Writes a record. Whose the zone is stays.
fn put(
    transaction: &Transaction<'_>,
    record: &ZoneRecord,
    configuration: &Configuration<'_>,
) -> rusqlite::Result<()> {
    let (home, owners) =
        find(transaction, record.uuid)?.map_or_else(Default::default, |known| (known.home, known.owners));
    let record = ZoneRecord { home: record.home.clone().or(home), owners, ..record.clone() };
    save(transaction, &record, configuration)
}

/// The same, if the zone is still away, or still stopped.
fn update(
    transaction: &Transaction<'_>,
    record: &ZoneRecord,
    configuration: &Configuration<'_>,
) -> rusqlite::Result<()> {
    let is_as_before = |known: &ZoneRecord| match record.place.is_stop() {
        true => known.place.is_stop(),
        false => known.place.is_elsewhere(),
    };
    match find(transaction, record.uuid)?.filter(is_as_before) {
        Some(ZoneRecord { position, .. }) => {
            put(transaction, &ZoneRecord { position, ..record.clone() }, configuration)
        }
        None => Ok(()),
    }
}

fn configure(
    transaction: &Transaction<'_>,
    record: &ZoneRecord,
    manifest: &Manifest,
) -> rusqlite::Result<()> {
    // What is left of another zone that has migrated away is no more than a note.
    transaction.execute(
        "DELETE FROM zone WHERE name = ?1 AND uuid <> ?2 AND place = 'migrated' AND manifest IS NOT NULL",
        params![record.zone.as_str(), record.uuid.to_string()],
    )?;
    put(transaction, record, &Configuration::Replace(manifest))
}

/// Records that a zone is here. Its configuration is known to the platform.
fn settle_here(transaction: &Transaction<'_>, record: ZoneRecord) -> rusqlite::Result<()> {
    save(transaction, &record.here(), &Configuration::Drop)
}

#[cfg(test)]
mod tests;
