//! The zones that are `configured` here: detached, or created from a manifest, and not attached yet. For most of
//! them this is the only place that knows their configuration.
//!
//! The record is written before the platform undefines a zone, and kept until the platform has it again. So a
//! zone that both know is attached, and its record is a leftover of an interruption, which is ignored.

use std::path::PathBuf;

use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::place::Place;
use super::zones::{COLUMNS, Configuration, ZoneRecord, find, from_json, save, settle_here};
use super::{Store, StoreError};
use crate::model::document::Written;
use crate::model::{Brand, HostUri, Manifest, Millis, ZoneName};

/// A zone that is configured here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detached {
    /// Its name.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// Its brand.
    pub brand: Brand,
    /// Where its manifest lies too, if it has a zonepath.
    pub zonepath: Option<PathBuf>,
    /// Who has detached or made it.
    pub user: String,
    /// When.
    pub since: Millis,
    /// Where it was migrated to, if it was: it is attached there, and not to be attached here.
    pub moved_to: Option<HostUri>,
    /// Where it was last, if it was given up while it was away: it may be there.
    pub last_at: Option<HostUri>,
    /// All about it.
    pub manifest: Manifest,
    /// Where and when that was written.
    pub written: Written,
}

impl Detached {
    /// That zone, as it is since its manifest was written.
    pub fn new(manifest: Manifest, written: Written, user: String) -> Self {
        Self {
            zone: manifest.zone.name.clone(),
            uuid: manifest.zone.uuid,
            brand: manifest.zone.brand,
            zonepath: manifest.zonepath().map(PathBuf::from),
            user,
            since: written.at,
            moved_to: None,
            last_at: None,
            manifest,
            written,
        }
    }

    /// The whole record, with what is `known` of the zone beside this.
    pub(crate) fn record(&self, known: Option<ZoneRecord>) -> ZoneRecord {
        let known = known.unwrap_or_else(|| ZoneRecord::new(&self.zone, self.uuid, self.brand));
        ZoneRecord {
            zone: self.zone.clone(),
            brand: self.brand,
            place: if self.moved_to.is_some() { Place::Migrated } else { Place::Configured },
            location: self.moved_to.clone().or_else(|| self.last_at.clone()),
            since: self.since,
            zonepath: self.zonepath.clone(),
            user: Some(self.user.clone()),
            written: Some(self.written.clone()),
            ..known.here()
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let record = ZoneRecord::read(row)?;
        let (Some(user), Some(written)) = (record.user, record.written) else { return Ok(None) };
        let [moved_to, last_at] = match record.place {
            Place::Migrated => [record.location, None],
            _ => [None, record.location],
        };
        Ok(Some(Self {
            zone: record.zone,
            uuid: record.uuid,
            brand: record.brand,
            zonepath: record.zonepath,
            user,
            since: record.since,
            moved_to,
            last_at,
            manifest: from_json(row.get_ref("manifest")?.as_str()?)?,
            written,
        }))
    }
}

impl Store {
    /// Records a zone that is configured here from now on, in place of what was there of it. Another zone of its name
    /// that is configured here or away is an error.
    pub fn begin_detached(&self, row: &Detached) -> Result<(), StoreError> {
        self.write("record a zone that is configured", |transaction| insert(transaction, row))
    }

    /// Keeps the configuration of a zone that comes over it. The record of one that is away has its configuration already.
    pub fn keep_previous(&self, row: &Detached) -> Result<(), StoreError> {
        self.write("keep the configuration that a zone comes over", |transaction| {
            match find(transaction, row.uuid)? {
                Some(known) if known.place.is_elsewhere() => Ok(()),
                _ => insert(transaction, row),
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

    /// All that is kept of a zone that is configured here, or was migrated.
    pub fn configured(&self, uuid: Uuid) -> Result<Option<Detached>, StoreError> {
        self.read("read the record of a configured zone", |connection| {
            let sql =
                format!("SELECT {COLUMNS}, manifest FROM zone WHERE uuid = ?1 AND manifest IS NOT NULL");
            let found =
                connection.prepare_cached(&sql)?.query_row([uuid.to_string()], Detached::read).optional()?;
            Ok(found.flatten())
        })
    }

    /// All of them by name, also those that the platform has.
    pub fn detached(&self) -> Result<Vec<Detached>, StoreError> {
        self.read("read the zones that are configured", |connection| {
            let sql = format!(
                "SELECT {COLUMNS}, manifest FROM zone WHERE place IN ('configured', 'migrated') AND manifest IS NOT NULL
                 ORDER BY name"
            );
            let rows = connection.prepare_cached(&sql)?.query_map([], Detached::read)?.collect::<Result<Vec<_>, _>>()?;
            Ok(rows.into_iter().flatten().collect())
        })
    }
}

pub(super) fn insert(transaction: &Transaction<'_>, row: &Detached) -> rusqlite::Result<()> {
    // What is left of another zone that has migrated away is no more than a note.
    transaction.execute(
        "DELETE FROM zone WHERE name = ?1 AND uuid <> ?2 AND place = 'migrated' AND manifest IS NOT NULL",
        params![row.zone.as_str(), row.uuid.to_string()],
    )?;
    let record = row.record(find(transaction, row.uuid)?);
    save(transaction, &record, &Configuration::Replace(&row.manifest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample};
    use crate::store::{Away, AwayPhase};

    #[test]
    fn a_zone_is_kept_with_all_that_is_known_of_it_until_it_is_attached() {
        let (_folder, store) = fresh();
        let [web, moved] = [sample::detached("web", 1, None), sample::detached("old", 2, Some("ssh://h2"))];
        store.begin_detached(&web).unwrap();
        migrated(&store, &moved);
        assert_eq!(store.detached().unwrap(), [moved.clone(), web.clone()]);
        // Again, under another name.
        let renamed = Detached { zone: sample::name("shop"), ..web.clone() };
        store.begin_detached(&renamed).unwrap();
        assert_eq!(store.detached().unwrap(), [moved, renamed]);
        assert!(store.zone_is_here(web.uuid).unwrap() && !store.zone_is_here(web.uuid).unwrap());
        assert!(store.delete_zone(Uuid::from_u128(2)).unwrap());
        assert_eq!(store.zones().unwrap(), []);
    }

    fn migrated(store: &Store, row: &Detached) {
        let (moving, manifest) = sample::away_with(row.zone.as_str(), row.uuid.as_u128(), AwayPhase::Leaving);
        let moving = Away { one_way: true, location: row.moved_to.clone().unwrap(), ..moving };
        store.begin_away(&moving, &manifest).unwrap();
        store.gone_for_good(row.clone()).unwrap();
    }

    #[test]
    fn a_zone_never_takes_the_place_of_another_one_of_its_name() {
        let (_folder, store) = fresh();
        let [web, other] = [1, 2].map(|uuid| sample::detached("web", uuid, None));
        store.begin_detached(&web).unwrap();
        let said = crate::model::chain(&store.begin_detached(&other).unwrap_err());
        assert!(said.contains("UNIQUE") && said.contains("zone"), "{said}");
        assert_eq!(store.detached().unwrap(), [web]);
        // One that lives elsewhere has its configuration there.
        migrated(&store, &sample::detached("old", 3, Some("rads://h2")));
        store.begin_detached(&sample::detached("old", 4, None)).unwrap();
        assert_eq!(store.detached().unwrap()[0].uuid, sample::detached("old", 4, None).uuid);
    }
}
