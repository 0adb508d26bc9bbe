//! Where a zone is, and where it may be next. Pure.
//!
//! ```text
//!            ┌─► leaving ──► away ──► returning ──► here
//!            │                └─► relocating ──► away
//!   here ────┼─► migrating ──► migrated
//!            ├─► stopping ──► stopped ──► here
//!            ├─► suspending ──► suspended ──► here
//!            └─► configured ──► here
//! ```
//!
//! A zone is in exactly one place: it has one record, and the record has one place. A zone that is found on this
//! host is `here`, whatever was recorded; if one does not come back its record may be discarded, and it is
//! `configured` then. The database enforces the same rule (the trigger `zone_transition` of schema.sql), and a
//! test compares the two.

use crate::model::{ZoneName, words};

words! {
    Place, "place of a zone" {
        /// On this host, if its platform has it. Recorded only if the zone belongs to another host, or may be
        /// fetched by one.
        Here = "here",
        /// It is being evacuated, or that was interrupted.
        Leaving = "leaving",
        /// It is being migrated to another host for good, or that was interrupted.
        Migrating = "migrating",
        /// It was evacuated to another host.
        Away = "away",
        /// It is being returned, or that was interrupted.
        Returning = "returning",
        /// It is being moved from one host to the next while it is away, or that was interrupted.
        Relocating = "relocating",
        /// It is being shut down here, or that was interrupted.
        Stopping = "stopping",
        /// It was shut down here, and is booted again on return.
        Stopped = "stopped",
        /// Its memory is being saved here, or that was interrupted.
        Suspending = "suspending",
        /// Its memory was saved here, and it is booted again on return.
        Suspended = "suspended",
        /// Only its configuration is here.
        Configured = "configured",
        /// It was migrated to another host for good.
        Migrated = "migrated",
    }
}

words! {
    /// How a zone is stopped here.
    StopMethod, "way of stopping" {
        /// It is shut down.
        Stop = "stop",
        /// Its memory is saved.
        Suspend = "suspend",
    }
}

impl StopMethod {
    /// Where a zone is while that is being done.
    pub const fn stopping(self) -> Place {
        match self {
            Self::Stop => Place::Stopping,
            Self::Suspend => Place::Suspending,
        }
    }

    /// Where a zone is once that is done.
    pub const fn stopped(self) -> Place {
        match self {
            Self::Stop => Place::Stopped,
            Self::Suspend => Place::Suspended,
        }
    }
}

/// A zone cannot go from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("zone '{zone}' is recorded as {from} and cannot become {to}")]
pub struct IllegalPlace {
    pub zone: ZoneName,
    pub from: Place,
    pub to: Place,
}

impl crate::model::Hinted for IllegalPlace {}

impl Place {
    pub const fn may_become(self, next: Self) -> bool {
        use Place::{
            Away, Configured, Here, Leaving, Migrated, Migrating, Relocating, Returning, Stopped, Stopping,
            Suspended, Suspending,
        };
        match (self, next) {
            (_, Here) => true,
            // What the platform has may leave or stop, whatever an interruption has left in the record.
            (
                Here | Configured | Migrated,
                Leaving | Migrating | Stopping | Suspending | Away | Configured,
            ) => true,
            (Leaving | Returning | Relocating, Away) => true,
            (Away, Returning | Relocating) => true,
            (Migrating, Migrated) => true,
            (Stopping, Stopped) | (Suspending, Suspended | Stopped) => true,
            // Another host has taken it over, or it arrives and replaces its own configuration.
            (Stopped | Suspended, Away | Configured) => true,
            // Its record is discarded.
            (Leaving | Migrating | Away | Returning | Relocating, Configured) => true,
            (from, to) => from as u8 == to as u8,
        }
    }

    /// Whether the zone belongs to this host, or did until its move began, and is not known to be here.
    pub const fn is_elsewhere(self) -> bool {
        match self {
            Self::Leaving | Self::Migrating | Self::Away | Self::Returning | Self::Relocating => true,
            Self::Here
            | Self::Stopping
            | Self::Stopped
            | Self::Suspending
            | Self::Suspended
            | Self::Configured
            | Self::Migrated => false,
        }
    }

    /// Whether the zone is leaving this host, or was when that was interrupted.
    pub const fn is_departure(self) -> bool {
        matches!(self, Self::Leaving | Self::Migrating)
    }

    /// Whether the zone was stopped here, or is being stopped, and is booted again on return.
    pub const fn is_stop(self) -> bool {
        matches!(self, Self::Stopping | Self::Stopped | Self::Suspending | Self::Suspended)
    }

    /// Whether the zone is on its way between two places, or was when its process died.
    pub const fn is_interim(self) -> bool {
        matches!(
            self,
            Self::Leaving
                | Self::Migrating
                | Self::Returning
                | Self::Relocating
                | Self::Stopping
                | Self::Suspending
        )
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, params};

    use super::*;
    use crate::store::Store;

    /// The table of zones alone, with a zone in that place.
    fn with_a_zone(connection: &Connection, place: Place) {
        let location = (place.is_elsewhere() || place == Place::Migrated).then_some("ssh://h2");
        let is_written = place == Place::Configured;
        let free = "UPDATE zone SET place = 'here', location = NULL, relocating_to = NULL, position = NULL WHERE name <> '';
            DELETE FROM zone WHERE name <> '';";
        connection.execute_batch(free).unwrap();
        let sql = "INSERT INTO zone (name, uuid, brand, place, location, relocating_to, owners, position, since_ms, was_running,
            user, written, manifest) VALUES ('web', 'u', 'kvm', ?1, ?2, ?3, '[]', ?4, 0, 0, ?5, ?5, '{}')";
        let (to, position) =
            ((place == Place::Relocating).then_some("ssh://h3"), place.is_stop().then_some(1));
        let values = params![place.as_str(), location, to, position, is_written.then_some("{}")];
        connection.execute(sql, values).unwrap();
    }

    fn move_to(connection: &Connection, place: Place) -> rusqlite::Result<usize> {
        let location = (place.is_elsewhere() || place == Place::Migrated).then_some("ssh://h2");
        let (to, position) =
            ((place == Place::Relocating).then_some("ssh://h3"), place.is_stop().then_some(1));
        let written = (place == Place::Configured).then_some("{}");
        connection.execute(
            "UPDATE zone SET place = ?1, location = ?2, relocating_to = ?3, position = ?4, user = ?5, written = ?5
             WHERE name <> ''",
            params![place.as_str(), location, to, position, written],
        )
    }

    #[test]
    fn the_database_holds_the_same_rule() {
        let store = Store::nothing(std::path::Path::new("nowhere")).unwrap();
        let connection = store.lock();
        for &from in Place::ALL {
            for &to in Place::ALL {
                with_a_zone(&connection, from);
                let moved = move_to(&connection, to);
                assert_eq!(moved.is_ok(), from.may_become(to), "{from} to {to}: {moved:?}");
                if let Err(error) = moved {
                    assert!(error.to_string().contains("a zone cannot go from that place"), "{error}");
                }
            }
            with_a_zone(&connection, from);
            let deleted = connection.execute("DELETE FROM zone WHERE name <> ''", []);
            let may_be_forgotten = matches!(from, Place::Here | Place::Configured | Place::Migrated);
            assert_eq!(deleted.is_ok(), may_be_forgotten, "{from}: {deleted:?}");
        }
        for sql in ["UPDATE zone SET place = 'here' WHERE name = ''", "DELETE FROM zone WHERE name = ''"] {
            assert!(connection.execute(sql, []).is_err(), "the host itself stays");
        }
    }

    #[test]
    fn a_zone_that_is_elsewhere_is_not_lost_on_the_way_to_another_place() {
        for &from in Place::ALL {
            assert!(from.may_become(from) && from.may_become(Place::Here), "{from}");
            // Only a zone that is here can be stopped, and only one that was on its way can arrive.
            assert!(!from.is_elsewhere() || !(from.may_become(Place::Stopping)), "{from}");
            assert_eq!(
                from.may_become(Place::Stopped),
                matches!(from, Place::Stopping | Place::Suspending | Place::Stopped)
            );
            assert_eq!(from.may_become(Place::Migrated), matches!(from, Place::Migrating | Place::Migrated));
        }
    }
}
