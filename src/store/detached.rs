//! The zones that are `configured` here: detached, or made from a manifest, and not attached yet. For most of them
//! this is the only place that knows how they are configured.
//!
//! A row is there before the platform forgets a zone, and until the platform has it again. So a zone that both know
//! is attached, and its row is left over from an interruption: [`configured`] does not heed it.

use std::path::PathBuf;

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Row, Transaction, params};
use uuid::Uuid;

use super::{Store, StoreError, parsed, parsed_optional};
use crate::model::document::{self, DocumentError, Written};
use crate::model::{Brand, HostUri, Inventory, Manifest, Millis, ZoneName};

/// One zone that is configured here.
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

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let odd =
            |error: DocumentError| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into());
        let (manifest, written) =
            document::read(row.get_ref("manifest")?.as_bytes()?, "table detached").map_err(odd)?;
        Ok(Self {
            zone: parsed(row, "zone")?,
            uuid: parsed(row, "uuid")?,
            brand: parsed(row, "brand")?,
            zonepath: match row.get_ref("zonepath")? {
                ValueRef::Null => None,
                path => Some(PathBuf::from(path.as_str()?)),
            },
            user: row.get("user")?,
            since: Millis(row.get("since_ms")?),
            moved_to: parsed_optional(row, "moved_to")?,
            last_at: parsed_optional(row, "last_at")?,
            manifest,
            written,
        })
    }
}

/// Those that are configured and nothing more: the platform has no zone of their identity.
pub fn configured(rows: Vec<Detached>, inventory: &Inventory) -> Vec<Detached> {
    rows.into_iter().filter(|row| !inventory.has(row.uuid)).collect()
}

impl Store {
    /// Records a zone that is configured here from now on, in place of what was there of it. Another zone of its name
    /// that is configured here is an error, unless it has migrated away.
    pub fn begin_detached(&self, row: &Detached) -> Result<(), StoreError> {
        self.write("record a zone that is detached", |transaction| insert(transaction, row))
    }

    /// Takes the row of that zone away: it is attached, or nobody wants it any more. Whether there was one.
    pub fn remove_detached(&self, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("remove a zone from those that are detached", |transaction| {
            Ok(transaction.execute("DELETE FROM detached WHERE uuid = ?1", [uuid.to_string()])? > 0)
        })
    }

    /// All of them by name, also those that the platform has.
    pub fn detached(&self) -> Result<Vec<Detached>, StoreError> {
        self.read("read the zones that are detached", |connection| {
            connection
                .prepare_cached("SELECT * FROM detached ORDER BY zone")?
                .query_map([], Detached::read)?
                .collect()
        })
    }
}

pub(super) fn insert(transaction: &Transaction<'_>, row: &Detached) -> rusqlite::Result<()> {
    let odd = |error: DocumentError| rusqlite::Error::ToSqlConversionFailure(error.into());
    let text = document::write(&row.manifest, &row.written).map_err(odd)?;
    // What is left of another zone that has migrated away is no more than a note.
    transaction.execute(
        "DELETE FROM detached WHERE zone = ?1 AND uuid <> ?2 AND moved_to IS NOT NULL",
        params![row.zone.as_str(), row.uuid.to_string()],
    )?;
    // Of every other zone of that name this may be the only configuration: that is an error.
    transaction.execute(
        "INSERT INTO detached (zone, uuid, brand, zonepath, user, since_ms, moved_to, last_at, manifest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (uuid) DO UPDATE SET zone = excluded.zone, brand = excluded.brand,
         zonepath = excluded.zonepath, user = excluded.user, since_ms = excluded.since_ms,
         moved_to = excluded.moved_to, last_at = excluded.last_at, manifest = excluded.manifest",
        params![
            row.zone.as_str(),
            row.uuid.to_string(),
            row.brand.as_str(),
            row.zonepath.as_ref().map(|path| path.display().to_string()),
            row.user,
            row.since.0,
            row.moved_to.as_ref().map(ToString::to_string),
            row.last_at.as_ref().map(ToString::to_string),
            text,
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample};

    #[test]
    fn a_zone_is_kept_with_all_that_is_known_of_it_until_it_is_attached() {
        let (_folder, store) = fresh();
        let [web, moved] = [sample::detached("web", 1, None), sample::detached("old", 2, Some("ssh://h2"))];
        store.begin_detached(&web).unwrap();
        store.begin_detached(&moved).unwrap();
        assert_eq!(store.detached().unwrap(), [moved.clone(), web.clone()]);
        // Again, under another name.
        let renamed = Detached { zone: sample::name("shop"), ..web.clone() };
        store.begin_detached(&renamed).unwrap();
        assert_eq!(store.detached().unwrap(), [moved, renamed]);
        assert!(store.remove_detached(web.uuid).unwrap() && !store.remove_detached(web.uuid).unwrap());
    }

    #[test]
    fn a_zone_never_takes_the_place_of_another_one_of_its_name() {
        let (_folder, store) = fresh();
        let [web, other] = [1, 2].map(|uuid| sample::detached("web", uuid, None));
        store.begin_detached(&web).unwrap();
        let said = crate::model::chain(&store.begin_detached(&other).unwrap_err());
        assert!(said.contains("UNIQUE") && said.contains("detached.zone"), "{said}");
        assert!(store.gone_for_good(sample::detached("web", 2, Some("rads://h2"))).is_err());
        assert_eq!(store.detached().unwrap(), [web]);
        // One that lives elsewhere has its configuration there.
        store.begin_detached(&sample::detached("old", 3, Some("rads://h2"))).unwrap();
        store.begin_detached(&sample::detached("old", 4, None)).unwrap();
        assert_eq!(store.detached().unwrap()[0].uuid, sample::detached("old", 4, None).uuid);
    }

    #[test]
    fn a_zone_that_the_platform_has_is_attached_whatever_a_row_says() {
        let row = sample::detached("web", 1, None);
        let zone = |name: &str, uuid| crate::model::Zone {
            name: sample::name(name),
            uuid,
            ..sample::manifest("web").zone
        };
        let host = |zones| Inventory { zones, unmanaged: vec![] };
        let left = |zones| configured(vec![row.clone()], &host(zones)).len();
        assert_eq!(left(vec![]), 1);
        assert_eq!(left(vec![zone("web", row.uuid)]), 0);
        assert_eq!(left(vec![zone("renamed", row.uuid)]), 0);
        assert_eq!(left(vec![zone("web", Uuid::from_u128(99))]), 1, "that is another zone of its name");
    }
}
