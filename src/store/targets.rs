//! Where zones go: an ordered list of URIs for a zone, or for all zones without one.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::{Store, StoreError, parsed};
use crate::model::{HostUri, ZoneName};

/// The key of the default; no zone can have this name.
const DEFAULT_KEY: &str = "*";

/// What a list of targets applies to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetKey {
    /// Every zone without targets of its own.
    Default,
    Zone(ZoneName),
}

/// Where the targets of a zone come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They are the zone's own.
    Own,
    /// They are the default.
    Default,
    /// There are none.
    None,
}

impl Origin {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "zone",
            Self::Default => "default",
            Self::None => "none",
        }
    }
}

impl TargetKey {
    fn as_str(&self) -> &str {
        match self {
            Self::Default => DEFAULT_KEY,
            Self::Zone(zone) => zone.as_str(),
        }
    }
}

impl Store {
    /// Sets the targets of each of `keys`, in order of preference. Replaces earlier ones; an empty list removes them.
    pub fn set_targets(&self, keys: &[TargetKey], uris: &[HostUri]) -> Result<(), StoreError> {
        self.write("set targets", |transaction| {
            for key in keys {
                transaction.execute("DELETE FROM target WHERE zone = ?1", [key.as_str()])?;
                for (position, uri) in uris.iter().enumerate() {
                    transaction.execute(
                        "INSERT INTO target (zone, position, uri) VALUES (?1, ?2, ?3)",
                        params![key.as_str(), i64::try_from(position).unwrap_or(i64::MAX), uri.to_string()],
                    )?;
                }
            }
            Ok(())
        })
    }

    /// All targets that were set.
    pub fn targets(&self) -> Result<BTreeMap<TargetKey, Vec<HostUri>>, StoreError> {
        self.read("read targets", read_all)
    }
}

pub(super) fn read_all(connection: &Connection) -> rusqlite::Result<BTreeMap<TargetKey, Vec<HostUri>>> {
    let mut statement = connection.prepare_cached("SELECT * FROM target ORDER BY zone, position")?;
    let mut rows = statement.query([])?;
    let mut targets: BTreeMap<_, Vec<_>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (key, uri) = read_one(row)?;
        targets.entry(key).or_default().push(uri);
    }
    Ok(targets)
}

pub(super) fn read_one(row: &Row<'_>) -> rusqlite::Result<(TargetKey, HostUri)> {
    let key = if row.get_ref("zone")?.as_str()? == DEFAULT_KEY {
        TargetKey::Default
    } else {
        TargetKey::Zone(parsed(row, "zone")?)
    };
    Ok((key, parsed(row, "uri")?))
}

/// The targets of one zone, and where they come from.
pub fn of_zone<'a>(all: &'a BTreeMap<TargetKey, Vec<HostUri>>, zone: &ZoneName) -> (&'a [HostUri], Origin) {
    if let Some(own) = all.get(&TargetKey::Zone(zone.clone())) {
        return (own, Origin::Own);
    }
    match all.get(&TargetKey::Default) {
        Some(default) => (default, Origin::Default),
        None => (&[], Origin::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh;

    fn uris(list: &[&str]) -> Vec<HostUri> {
        list.iter().map(|uri| uri.parse().unwrap()).collect()
    }

    #[test]
    fn a_zones_own_targets_stand_before_the_default_and_keep_their_order() {
        let (_folder, store) = fresh();
        let zone = TargetKey::Zone("evac1".parse().unwrap());
        store.set_targets(&[zone], &uris(&["ssh://z", "rads://a"])).unwrap();
        store.set_targets(&[TargetKey::Default], &uris(&["ssh://d"])).unwrap();
        let all = store.targets().unwrap();
        let (own, origin) = of_zone(&all, &"evac1".parse().unwrap());
        assert_eq!((own, origin), (uris(&["ssh://z", "rads://a"]).as_slice(), Origin::Own));
        let (default, origin) = of_zone(&all, &"evac2".parse().unwrap());
        assert_eq!((default, origin), (uris(&["ssh://d"]).as_slice(), Origin::Default));
    }

    #[test]
    fn setting_again_replaces_and_nothing_removes() {
        let (_folder, store) = fresh();
        let key = [TargetKey::Zone("a".parse().unwrap())];
        store.set_targets(&key, &uris(&["ssh://x", "ssh://y"])).unwrap();
        store.set_targets(&key, &uris(&["ssh://y"])).unwrap();
        assert_eq!(store.targets().unwrap()[&key[0]], uris(&["ssh://y"]));
        store.set_targets(&key, &[]).unwrap();
        assert!(store.targets().unwrap().is_empty());
    }
}
