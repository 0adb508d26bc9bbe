//! A zone (a guest) and what can be said of it: brand, state.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Brand, Message, ZoneName};
use crate::words;

words! {
    /// A zone's state, zones(7)'s words exactly.
    ZoneState, "zone state" {
        /// The configuration is known, nothing more: so is every zone that was evacuated.
        Configured = "configured",
        /// Being installed or removed, or that was interrupted.
        Incomplete = "incomplete",
        /// Installed, but cannot run here as things are.
        Unavailable = "unavailable",
        /// Ready to be booted.
        Installed = "installed",
        /// The platform is up, no process runs.
        Ready = "ready",
        /// It runs, or the host would say that it does (paused, being moved, crashed but not ended).
        Running = "running",
        /// On its way down.
        ShuttingDown = "shutting_down",
        /// Ended, resources not yet returned.
        Down = "down",
    }
}

words! {
    /// What else is true of a zone beside its state.
    Aux, "auxiliary state" {
        /// Its image arrives here.
        MigratingIn = "migrating-in",
        /// Its image leaves here.
        MigratingOut = "migrating-out",
        /// Its memory lies in a file.
        Suspended = "suspended",
        /// Its processors are held.
        Paused = "paused",
    }
}

words! {
    /// How a zone that does not run has ended.
    Ended, "end" {
        /// It has shut down, by itself or because it was asked to.
        ShutDown = "shutdown",
        /// Somebody has ended it there.
        Destroyed = "destroyed",
        /// Nobody has: it has crashed, or its hypervisor has failed.
        Crashed = "crashed",
    }
}

words! {
    /// How a zone moves.
    Kind, "kind of migration" {
        /// It keeps running.
        Live = "live",
        /// It does not run.
        Cold = "cold",
        /// It is shut down, moves, and is booted there.
        Restart = "restart",
    }
}

/// One zone as its host sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name, unique on a host.
    pub name: ZoneName,
    /// Its identity, the same wherever it lives.
    pub uuid: Uuid,
    /// What kind of guest it is.
    pub brand: Brand,
    /// What it does now.
    pub state: ZoneState,
    /// What is special about that.
    pub aux: Option<Aux>,
    /// The hypervisor's number for it while it runs.
    pub id: Option<u32>,
    /// Boots with its host.
    pub autostart: bool,
    /// Its configuration survives its end. (libvirt's transient domains vanish.)
    pub persistent: bool,
    /// How it has ended, if it does not run and its hypervisor knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Memory that it may use, in bytes.
    pub memory: u64,
    /// Virtual processors.
    pub cpus: u32,
}

impl Zone {
    /// A word that is this zone for virsh and nothing else, nor for a shell.
    pub fn virsh_word(&self) -> String {
        self.name.virsh_word(self.uuid)
    }

    /// Whether it runs, paused or not.
    pub const fn is_running(&self) -> bool {
        match self.state {
            ZoneState::Ready | ZoneState::Running | ZoneState::ShuttingDown | ZoneState::Down => true,
            ZoneState::Configured | ZoneState::Incomplete | ZoneState::Unavailable | ZoneState::Installed => {
                false
            }
        }
    }
}

/// A guest that this tool sees but cannot handle. It counts as one that is left here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmanagedGuest {
    /// What the hypervisor calls it.
    pub name: String,
    /// Its identity, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// Why it cannot be handled.
    pub reason: String,
    /// What to do about it, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether it runs.
    pub running: bool,
}

impl UnmanagedGuest {
    /// What it is called in tables and messages.
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
    /// Those that can be handled, by name.
    pub zones: Vec<Zone>,
    /// Those that cannot.
    pub unmanaged: Vec<UnmanagedGuest>,
}

impl Inventory {
    /// The zone of that name.
    pub fn find(&self, name: &ZoneName) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == *name)
    }

    /// The guest that would be called so, and cannot be handled.
    pub fn called(&self, name: &ZoneName) -> Option<&UnmanagedGuest> {
        self.unmanaged.iter().find(|unmanaged_guest| unmanaged_guest.label() == name.as_str())
    }

    /// The zone of that identity.
    ///
    /// # Errors
    /// If it is here and cannot be handled.
    pub fn identified(&self, uuid: Uuid) -> Result<Option<&Zone>, &UnmanagedGuest> {
        match self.unmanaged.iter().find(|unmanaged_guest| unmanaged_guest.uuid == Some(uuid)) {
            Some(unmanaged_guest) => Err(unmanaged_guest),
            None => Ok(self.zones.iter().find(|zone| zone.uuid == uuid)),
        }
    }

    /// Whether there is a guest of that identity, whatever is known of it.
    pub fn has(&self, uuid: Uuid) -> bool {
        !matches!(self.identified(uuid), Ok(None))
    }

    /// Those that would have to leave and cannot be handled: with `all` also those that do not run.
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
