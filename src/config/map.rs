//! `[map."HOST"]`: network names that differ at other hosts.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{HostName, NetMap};

/// The differing names, by the other host's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<HostName, HostMap>")]
pub struct Maps(BTreeMap<HostName, HostMap>);

/// `[map."HOST"]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HostMap {
    /// The network name here, and the one there.
    net: NetMap,
}

impl Maps {
    /// The network names that differ at that host; empty for most hosts.
    pub fn networks_of(&self, host: &str) -> NetMap {
        let of_host = self.0.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(host));
        of_host.map(|(_, map)| map.net.clone()).unwrap_or_default()
    }
}

/// One host has two sections.
#[derive(Debug, thiserror::Error)]
#[error("{name} and {twin} are one host")]
pub struct TwinError {
    name: String,
    twin: String,
}

impl TryFrom<BTreeMap<HostName, HostMap>> for Maps {
    type Error = TwinError;

    fn try_from(maps: BTreeMap<HostName, HostMap>) -> Result<Self, Self::Error> {
        let names: Vec<_> = maps.keys().map(HostName::as_str).collect();
        for (place, name) in names.iter().enumerate() {
            if let Some(twin) = names.iter().skip(place + 1).find(|other| other.eq_ignore_ascii_case(name)) {
                return Err(TwinError { name: (*name).to_owned(), twin: (*twin).to_owned() });
            }
        }
        Ok(Self(maps))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn maps(text: &str) -> Result<super::Maps, String> {
        Config::parse(text).map(|config| config.map)
    }

    #[test]
    fn a_host_is_found_by_its_name_whatever_its_case() {
        let maps = maps("[map.\"h2\".net]\nbr0 = \"br10\"\nbr1 = \"br10\"\n").unwrap();
        let there = |host: &str| maps.networks_of(host).there("br1").map(ToString::to_string);
        let br10 = || Some("br10".to_owned());
        assert_eq!(["H2", "h2", "h3"].map(there), [br10(), br10(), None]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, place, what) in [
            ("[map.h2.net]\nbr0 = \"a/b\"\n", "line 2, column", "\"a/b\" is not a network name"),
            ("[map.h2.net]\n\"\" = \"br1\"\n", "line 2, column", "\"\" is not a network name"),
            ("[map.h2.net]\nbr0 = 5\n", "line 2, column 7", "expected a string"),
            ("[map.h2]\nnets = {}\n", "line 2, column 1", "unknown field `nets`"),
            ("[map.\"ssh://h2\".net]\nbr0 = \"br1\"\n", "line 1, column", "\"ssh://h2\" is not a host name"),
            ("[map.h2]\n[map.H2]\n", "line 1, column", "H2 and h2 are one host"),
        ] {
            let error = maps(text).unwrap_err();
            assert!(error.starts_with(place) && error.contains(what), "{text}: {error}");
        }
    }
}
