//! One host's survey, and how the surveys of all hosts become a [`Fleet`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Fleet, FleetHost, FleetZone, HostKey, Version};
use crate::model::{Facts, HostId, HostUri, Inventory, Zone};

/// A host's answer: itself and its zones. They have the names that the host gives them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// The identity of the host, according to the connection.
    #[serde(skip)]
    pub id: Option<HostId>,
    pub host: FleetHost,
    /// Its zones, including those that do not run.
    pub zones: Vec<FleetZone>,
    /// Zones that belong to it and are elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<Absent>,
}

/// A zone that belongs to a host and is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    pub uuid: Uuid,
    /// The host to which it was evacuated.
    pub location: HostUri,
}

impl Version {
    /// The first number with a dot in a text: `QEMU 7.2.22 (libvirt 9.0.0)` is 7.2.22.
    pub fn find(text: &str) -> Option<Self> {
        let number = |c: char| c.is_ascii_digit() || c == '.';
        text.split(|c| !number(c)).find_map(|word| {
            let mut parts = word.split('.').map(|part| part.parse().ok());
            let (major, minor) = (parts.next()??, parts.next()??);
            Some(Self(major, minor, parts.next().flatten().unwrap_or(0)))
        })
    }
}

impl Survey {
    /// A host and its zones, of which nothing else is known.
    pub const fn new(host: FleetHost, zones: Vec<FleetZone>) -> Self {
        Self { id: None, host, zones, away: Vec::new() }
    }

    /// The survey of a host whose sysadm is too old to make one. The rest is not known.
    pub fn of_facts(facts: Facts, inventory: &Inventory) -> Self {
        let key = HostKey::Name(facts.host);
        let zones = inventory.zones.iter().map(|zone| FleetZone::of(zone, key.clone())).collect();
        let host = FleetHost {
            arch: facts.arch,
            hypervisor: Version::find(&facts.hypervisor),
            memory: facts.memory,
            memory_free: facts.memory_free,
            cpus: facts.cpus,
            maintenance: facts.maintenance,
            announced: facts.announced,
            unmanaged: inventory.unmanaged.clone(),
            ..FleetHost::new(key)
        };
        Self::new(host, zones)
    }

    /// The survey with the asker's name of the host.
    #[must_use]
    pub fn named(mut self, name: &HostKey) -> Self {
        for zone in &mut self.zones {
            name.clone_into(&mut zone.host);
        }
        name.clone_into(&mut self.host.name);
        self
    }
}

impl FleetZone {
    /// A zone as its host lists it. Its memory in use is taken to be its maximum.
    pub fn of(zone: &Zone, host: HostKey) -> Self {
        Self {
            uuid: Some(zone.uuid),
            brand: Some(zone.brand),
            running: zone.is_running(),
            memory: zone.memory,
            memory_used: if zone.is_running() { zone.memory } else { 0 },
            cpus: zone.cpus,
            ..Self::new(zone.name.clone(), host)
        }
    }
}

impl Fleet {
    /// All surveys together, in their order. A zone's home is known if that host is among them.
    pub fn of(surveys: impl IntoIterator<Item = Survey>) -> Self {
        let (mut fleet, mut homes) = (Self::default(), BTreeMap::new());
        for survey in surveys {
            homes.extend(survey.away.into_iter().map(|one| (one.uuid, survey.host.name.clone())));
            fleet.hosts.push(survey.host);
            fleet.zones.extend(survey.zones);
        }
        for zone in &mut fleet.zones {
            let home = zone.uuid.and_then(|uuid| homes.get(&uuid));
            zone.home = home.filter(|home| **home != zone.host).cloned();
        }
        fleet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_version_is_found_wherever_it_stands() {
        for (text, version) in [
            ("QEMU 7.2.22 (libvirt 9.0.0)", Some(Version(7, 2, 22))),
            ("libvirt 9.0.0", Some(Version(9, 0, 0))),
            ("pc-i440fx-2.10", Some(Version(2, 10, 0))),
            ("simulated 0.1.0", Some(Version(0, 1, 0))),
            ("pc", None),
            ("virt-", None),
            ("x86 64", None),
            ("99999999999999999999.1", None),
        ] {
            assert_eq!(Version::find(text), version, "{text}");
        }
    }

    #[test]
    fn a_host_is_called_by_the_name_under_which_it_was_asked_and_so_are_its_zones() {
        let zone = |name: &str| FleetZone::new(name.parse().unwrap(), "h2".parse().unwrap());
        let host = |name: &str| FleetHost::new(name.parse().unwrap());
        let there = Survey::new(host("h2"), vec![zone("a"), zone("b")]);
        let here = Survey::new(host("h1"), Vec::new());
        let fleet = Fleet::of([here, there.named(&"ssh://root@h2".parse().unwrap())]);
        let names: Vec<_> = fleet.hosts.iter().map(|host| host.name.to_string()).collect();
        assert_eq!(names, ["h1", "ssh://root@h2"]);
        assert!(fleet.zones.iter().all(|zone| zone.host.is_written("ssh://root@h2")));
        let text = serde_json::to_string(&fleet).unwrap();
        assert_eq!(Fleet::parse(&text).unwrap(), fleet);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_search_for_a_version_panic(text in "([0-9]{0,12}|\\.|\\PC){0,20}") {
            let _ = Version::find(&text);
        }
    }
}
