//! What is recorded of one zone: where it is, and what its platform does not tell.
//!
//! What the platform has is here, whatever the record says: a crash may come between the two. A record that says no more
//! than that the zone is here is removed.

use std::path::PathBuf;

use rusqlite::Row;
use rusqlite::types::ValueRef;
use uuid::Uuid;

use super::place::Place;
use super::{from_json, parsed, parsed_optional};
use crate::model::document::Written;
use crate::model::{Brand, Home, HostUri, Location, Manifest, Millis, Zone, ZoneName};

/// What is recorded of one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneRecord {
    /// The zone.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// Its brand.
    pub brand: Brand,
    pub place: Place,
    /// The other host: where the zone is, goes, or was last.
    pub location: Option<HostUri>,
    pub relocating_to: Option<HostUri>,
    /// The host that it belongs to, if that is another one.
    pub home: Option<Home>,
    /// The hosts that may fetch it: those that brought it, and those for which they did.
    pub owners: Vec<String>,
    /// Its position in the order in which zones were stopped here.
    pub position: Option<i64>,
    /// When it began to leave or to stop.
    pub since: Millis,
    /// Whether it ran before it left.
    pub was_running: bool,
    /// Why it does not run although it ran when it left, as far as was seen.
    pub down: Option<String>,
    /// Its zonepath, in which its manifest lies too, if it is configured.
    pub zonepath: Option<PathBuf>,
    /// The user who detached or created it.
    pub user: Option<String>,
    /// Where and when its manifest was written, if it is configured.
    pub written: Option<Written>,
}

impl ZoneRecord {
    /// A zone of which no more is known than that it is here.
    pub fn of(zone: &Zone) -> Self {
        Self::called(zone.name.clone(), zone.uuid, zone.brand)
    }

    /// The same, of which this is known.
    pub const fn called(zone: ZoneName, uuid: Uuid, brand: Brand) -> Self {
        Self {
            zone,
            uuid,
            brand,
            place: Place::Here,
            location: None,
            relocating_to: None,
            home: None,
            owners: Vec::new(),
            position: None,
            since: Millis(0),
            was_running: false,
            down: None,
            zonepath: None,
            user: None,
            written: None,
        }
    }

    /// A zone of which only this configuration is here.
    pub fn configured(manifest: &Manifest, written: Written, user: String) -> Self {
        Self {
            place: Place::Configured,
            since: written.at,
            zonepath: manifest.zonepath().map(PathBuf::from),
            user: Some(user),
            written: Some(written),
            ..Self::of(&manifest.zone)
        }
    }

    /// The record of the same zone, which is here now.
    pub(super) fn here(self) -> Self {
        Self { home: self.home, owners: self.owners, ..Self::called(self.zone, self.uuid, self.brand) }
    }

    /// Whether the record says only that the zone is here.
    pub(super) fn is_void(&self) -> bool {
        self.place == Place::Here && self.home.is_none() && self.owners.is_empty()
    }

    /// Where the zone is: here if `is_present` on this host's platform, or as recorded.
    pub fn known_location(&self, is_present: bool) -> Location {
        if is_present {
            return self.home.clone().map_or(Location::Here, Location::Guest);
        }
        match (self.place, &self.location) {
            (Place::Migrated, Some(to)) => Location::Migrated(to.clone()),
            (Place::Configured, _) => Location::Configured,
            (place, Some(at)) if place.is_elsewhere() => Location::Evacuated(at.clone()),
            _ => Location::Unknown,
        }
    }

    /// Whether only its configuration is here: it may be attached, unless its host has it.
    pub const fn is_configured(&self) -> bool {
        matches!(self.place, Place::Configured | Place::Migrated) && self.written.is_some()
    }

    /// The other host, as messages call it.
    pub fn other_host(&self) -> String {
        self.location.as_ref().map_or_else(|| "another host".to_owned(), ToString::to_string)
    }

    /// The hosts from and to which it moves, or has moved, as this host `here` calls them.
    pub fn ends<'a>(&'a self, here: &'a str) -> [&'a str; 2] {
        let host = |uri: &'a Option<HostUri>| uri.as_ref().map_or("another host", |uri| uri.host.as_str());
        match self.place {
            Place::Returning => [host(&self.location), here],
            Place::Relocating => [host(&self.location), host(&self.relocating_to)],
            _ => [here, host(&self.location)],
        }
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let home = row.get::<_, Option<String>>("home")?;
        let home_id = parsed_optional(row, "home_id")?;
        let owners: String = row.get("owners")?;
        let written = row.get::<_, Option<String>>("written")?;
        Ok(Self {
            zone: parsed(row, "name")?,
            uuid: parsed(row, "uuid")?,
            brand: parsed(row, "brand")?,
            place: parsed(row, "place")?,
            location: parsed_optional(row, "location")?,
            relocating_to: parsed_optional(row, "relocating_to")?,
            home: home.map(|name| Home { name, id: home_id }),
            owners: from_json(&owners)?,
            position: row.get("position")?,
            since: Millis(row.get("since_ms")?),
            was_running: row.get("was_running")?,
            down: row.get("down")?,
            zonepath: match row.get_ref("zonepath")? {
                ValueRef::Null => None,
                path => Some(PathBuf::from(path.as_str()?)),
            },
            user: row.get("user")?,
            written: written.as_deref().map(from_json).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::sample;

    #[test]
    fn what_the_platform_has_is_here_whatever_is_recorded() {
        for (record, _) in sample::contents().zones {
            let expected = match &record.home {
                Some(home) => Location::Guest(home.clone()),
                None => Location::Here,
            };
            assert_eq!(record.known_location(true), expected, "{}", record.zone);
            let location = record.location.clone();
            let expected = match record.place {
                Place::Here | Place::Stopping | Place::Stopped | Place::Suspending | Place::Suspended => {
                    Location::Unknown
                }
                Place::Leaving | Place::Migrating | Place::Away | Place::Returning | Place::Relocating => {
                    Location::Evacuated(location.unwrap())
                }
                Place::Configured => Location::Configured,
                Place::Migrated => Location::Migrated(location.unwrap()),
            };
            assert_eq!(record.known_location(false), expected, "{}", record.zone);
        }
    }
}
