//! `[map."HOST"]`: what other hosts call things otherwise.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{HostName, HostUri, NetMap};
use crate::plan::Fleet;

/// What each host calls otherwise, by the host's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<HostName, HostMap>")]
pub struct Maps(BTreeMap<HostName, HostMap>);

/// `[map."HOST"]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HostMap {
    /// Networks: the name here, and the name there.
    net: NetMap,
}

impl Maps {
    /// What the host of that name calls its networks; nothing is said of most.
    pub fn networks_of(&self, host: &str) -> NetMap {
        let of_host = self.0.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(host));
        of_host.map(|(_, map)| map.net.clone()).unwrap_or_default()
    }

    /// Tells a planner. Hosts that the fleet knows by a URI are found by its host part.
    pub fn apply(&self, fleet: &mut Fleet) {
        for host in &mut fleet.hosts {
            let uri = host.name.parse::<HostUri>();
            let networks = self.networks_of(uri.as_ref().map_or(&host.name, |uri| &uri.host));
            // An inventory file may say it itself.
            if !networks.is_empty() {
                host.net_map = networks;
            }
        }
    }
}

impl TryFrom<BTreeMap<HostName, HostMap>> for Maps {
    type Error = String;

    fn try_from(maps: BTreeMap<HostName, HostMap>) -> Result<Self, String> {
        let names: Vec<_> = maps.keys().map(HostName::as_str).collect();
        for (place, name) in names.iter().enumerate() {
            if let Some(twin) = names.iter().skip(place + 1).find(|other| other.eq_ignore_ascii_case(name)) {
                return Err(format!("{name} and {twin} are one host"));
            }
        }
        Ok(Self(maps))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::plan::{Fleet, FleetHost};

    fn maps(text: &str) -> Result<super::Maps, String> {
        Config::parse(text).map(|config| config.map)
    }

    #[test]
    fn a_host_is_found_by_its_name_whatever_its_case_and_however_it_is_reached() {
        let maps = maps("[map.\"h2\".net]\nbr0 = \"br10\"\nbr1 = \"br10\"\n").unwrap();
        let host = |name: &str| FleetHost { name: name.to_owned(), ..FleetHost::default() };
        let names = ["ssh://root@H2:22", "rads://h2", "h2", "h3"];
        let mut fleet = Fleet { hosts: names.map(host).to_vec(), zones: vec![] };
        maps.apply(&mut fleet);
        let there = |host: &FleetHost| host.net_map.there("br1").map(ToString::to_string);
        let found: Vec<_> = fleet.hosts.iter().map(there).collect();
        let br10 = || Some("br10".to_owned());
        assert_eq!(found, [br10(), br10(), br10(), None]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, place, what) in [
            ("[map.h2.net]\nbr0 = \"a/b\"\n", "line 2, column", "\"a/b\" is no name of a network"),
            ("[map.h2.net]\n\"\" = \"br1\"\n", "line 2, column", "\"\" is no name of a network"),
            ("[map.h2.net]\nbr0 = 5\n", "line 2, column 7", "expected a string"),
            ("[map.h2]\nnets = {}\n", "line 2, column 1", "unknown field `nets`"),
            (
                "[map.\"ssh://h2\".net]\nbr0 = \"br1\"\n",
                "line 1, column",
                "\"ssh://h2\" is no name of a host",
            ),
            ("[map.h2]\n[map.H2]\n", "line 1, column", "H2 and h2 are one host"),
        ] {
            let error = maps(text).unwrap_err();
            assert!(error.starts_with(place) && error.contains(what), "{text}: {error}");
        }
    }
}
