//! Zones and unmanaged guests, and their states.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Brand, Message, ZoneName};
use crate::words;

words! {
    /// A zone's state, with exactly the words of zones(7).
    ZoneState, "zone state" {
        /// Only the configuration is known, as of every evacuated zone.
        Configured = "configured",
        /// Installation or removal is under way or was interrupted.
        Incomplete = "incomplete",
        /// Installed, but cannot run here at present.
        Unavailable = "unavailable",
        Installed = "installed",
        /// The virtual platform exists; no process runs.
        Ready = "ready",
        /// Running, or reported as running by the host (paused, being migrated, crashed but not ended).
        Running = "running",
        /// Shutting down.
        ShuttingDown = "shutting_down",
        /// Ended, but its resources are not yet released.
        Down = "down",
    }
}

words! {
    /// What else is true of a zone besides its state.
    Aux, "auxiliary state" {
        /// Its memory is arriving from another host.
        MigratingIn = "migrating-in",
        /// Its memory is being sent to another host.
        MigratingOut = "migrating-out",
        /// Its memory is saved in a file.
        Suspended = "suspended",
        /// Its virtual CPUs are stopped.
        Paused = "paused",
    }
}

words! {
    /// How a zone that does not run has ended.
    Ended, "end" {
        /// It shut down, by itself or on request.
        ShutDown = "shutdown",
        /// It was powered off.
        Destroyed = "destroyed",
        /// It crashed, or its hypervisor failed.
        Crashed = "crashed",
    }
}

words! {
    /// The method by which a zone is moved.
    Method, "method of migration" {
        /// The zone keeps running.
        Live = "live",
        /// The zone does not run.
        Cold = "cold",
        /// The zone is shut down, moved, and booted at the destination.
        Restart = "restart",
    }
}

/// A zone as its host sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Unique on a host.
    pub name: ZoneName,
    /// The same on every host.
    pub uuid: Uuid,
    pub brand: Brand,
    pub state: ZoneState,
    pub aux: Option<Aux>,
    /// The hypervisor's number for a running zone.
    pub id: Option<u32>,
    /// The zone boots with its host.
    pub autostart: bool,
    /// The configuration remains when the zone ends. (libvirt's transient domains vanish.)
    pub persistent: bool,
    /// How the zone ended, if it does not run and the hypervisor knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Maximum memory in bytes.
    pub memory: u64,
    pub cpus: u32,
}

impl Zone {
    /// An argument that virsh takes for this zone and no other, and that a shell does not interpret.
    pub fn virsh_word(&self) -> String {
        self.name.virsh_word(self.uuid)
    }

    /// Whether the zone runs, paused or not.
    pub const fn is_running(&self) -> bool {
        match self.state {
            ZoneState::Ready | ZoneState::Running | ZoneState::ShuttingDown | ZoneState::Down => true,
            ZoneState::Configured | ZoneState::Incomplete | ZoneState::Unavailable | ZoneState::Installed => {
                false
            }
        }
    }
}

/// A guest that is visible but cannot be handled. An evacuation counts it as left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmanagedGuest {
    /// The hypervisor's name for it.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    pub reason: String,
    /// What to do about it, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    pub running: bool,
}

impl UnmanagedGuest {
    /// The name shown in tables and messages.
    pub fn label(&self) -> String {
        ZoneName::label(&self.name)
    }

    /// What is said of it.
    pub fn message(&self) -> Message {
        Message::recorded(self.to_string(), self.hint.as_deref())
    }
}

impl fmt::Display for UnmanagedGuest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = if self.running { "runs" } else { "does not run" };
        write!(f, "{} {does} and cannot be handled: {}", self.label(), self.reason)
    }
}

/// All guests of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Sorted by name.
    pub zones: Vec<Zone>,
    pub unmanaged: Vec<UnmanagedGuest>,
}

impl Inventory {
    pub fn find(&self, name: &ZoneName) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == *name)
    }

    /// The unmanaged guest that is shown under that name.
    pub fn called(&self, name: &ZoneName) -> Option<&UnmanagedGuest> {
        self.unmanaged.iter().find(|unmanaged_guest| unmanaged_guest.label() == name.as_str())
    }

    /// # Errors
    /// If the guest with that UUID cannot be handled.
    pub fn identified(&self, uuid: Uuid) -> Result<Option<&Zone>, &UnmanagedGuest> {
        match self.unmanaged.iter().find(|unmanaged_guest| unmanaged_guest.uuid == Some(uuid)) {
            Some(unmanaged_guest) => Err(unmanaged_guest),
            None => Ok(self.zones.iter().find(|zone| zone.uuid == uuid)),
        }
    }

    /// Whether a guest with that UUID exists, managed or not.
    pub fn has(&self, uuid: Uuid) -> bool {
        !matches!(self.identified(uuid), Ok(None))
    }

    /// The guests that an evacuation should move but cannot; with `all`, including those that do not run.
    pub fn unhandled(&self, all: bool) -> impl Iterator<Item = &UnmanagedGuest> {
        self.unmanaged.iter().filter(move |unmanaged_guest| unmanaged_guest.running || all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web() -> Zone {
        Zone {
            name: "web".parse().unwrap(),
            uuid: Uuid::from_u128(7),
            brand: Brand::KVM,
            state: ZoneState::Running,
            aux: None,
            id: Some(3),
            autostart: true,
            persistent: true,
            ended: None,
            memory: 96 << 20,
            cpus: 1,
        }
    }

    #[test]
    fn every_state_word_reads_back() {
        for state in ZoneState::ALL {
            assert_eq!(state.as_str().parse::<ZoneState>().as_ref(), Ok(state));
        }
    }

    #[test]
    fn virsh_is_told_a_name_only_if_it_takes_it_for_that_zone() {
        for (name, is_name) in [
            ("web1", true),
            ("1web", true),
            ("7", false),
            ("Windows%2010", false),
            ("00511286-3319-4f84-a168-e5fcdfb0de45", false),
        ] {
            let zone = Zone { name: name.parse().unwrap(), ..web() };
            assert_eq!(zone.virsh_word() == name, is_name, "{name}");
            assert!(is_name || zone.virsh_word() == zone.uuid.to_string());
        }
    }

    #[test]
    fn a_guest_that_cannot_be_handled_is_neither_a_zone_nor_gone() {
        let (zone, uuid) = (web(), Uuid::from_u128(77));
        let unmanaged_guest = |name: &str, uuid| UnmanagedGuest {
            name: name.into(),
            uuid,
            reason: "odd".into(),
            hint: None,
            running: uuid.is_some(),
        };
        let unmanaged = vec![unmanaged_guest("a b", Some(uuid)), unmanaged_guest("a\nb", None)];
        let inventory = Inventory { zones: vec![zone.clone()], unmanaged };
        assert_eq!(inventory.identified(zone.uuid), Ok(Some(&zone)));
        assert_eq!(inventory.identified(uuid), Err(&inventory.unmanaged[0]));
        assert_eq!(inventory.identified(Uuid::nil()), Ok(None));
        assert!(inventory.has(uuid) && inventory.has(zone.uuid) && !inventory.has(Uuid::nil()));
        let told: Vec<_> = inventory.unhandled(true).map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["a%20b runs and cannot be handled: odd", "\"a\\nb\" does not run and cannot be handled: odd"]
        );
        assert_eq!(inventory.unhandled(false).count(), 1);
    }
}
