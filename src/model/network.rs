//! Networks, the interfaces connected to them, and what other hosts call them.
//!
//! ```text
//!   br0 at home ── NetMap of h2 ──► br10 at h2            Interface::there, kept with the zone's record
//!   br0 at home ◄── the record, interface by interface ── br10 at h2
//! ```
//!
//! The way back is not the inverse of the mapping: two networks may map to the same name, and the mapping may
//! have been changed since. So each interface, identified by its hardware address, returns to the network in the
//! zone's record.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Mac, Manifest};

/// The network that an interface is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// A bridge of the host.
    Bridge(String),
    /// A network that the platform manages under this name.
    Managed(String),
    /// A network device of the host, used directly.
    Device(String),
}

/// The prefix of a managed network's label, which tells it apart from a bridge or device with the same name.
const MANAGED: &str = "network:";

impl Network {
    /// A name that is unique among all networks of a host: bridges and devices share one namespace.
    pub fn label(&self) -> String {
        match self {
            Self::Bridge(name) | Self::Device(name) => name.clone(),
            Self::Managed(name) => format!("{MANAGED}{name}"),
        }
    }

    /// The name without its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Bridge(name) | Self::Managed(name) | Self::Device(name) => name,
        }
    }

    /// A network of the same kind with another name.
    #[must_use]
    pub fn called(&self, name: &NetworkName) -> Self {
        let name = name.to_string();
        match self {
            Self::Bridge(_) => Self::Bridge(name),
            Self::Managed(_) => Self::Managed(name),
            Self::Device(_) => Self::Device(name),
        }
    }
}

/// The name of a network or bridge, as an administrator writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetworkName(String);

impl NetworkName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text cannot be the name of a network. It holds the beginning of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network name: up to 63 characters without '/' and ':' are allowed")]
pub struct NetworkNameError(String);

impl FromStr for NetworkName {
    type Err = NetworkNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let odd = |c: char| c == '/' || c == ':' || c.is_control();
        let is_name = !matches!(text, "" | "." | "..") && text.trim() == text && text.len() <= 63;
        if is_name && !text.contains(odd) {
            return Ok(Self(text.to_owned()));
        }
        Err(NetworkNameError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for NetworkName {
    type Error = NetworkNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NetworkName> for String {
    fn from(name: NetworkName) -> Self {
        name.0
    }
}

/// Network names that differ between hosts: the name here, and the name at the other host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetMap(BTreeMap<NetworkName, NetworkName>);

impl NetMap {
    /// # Errors
    /// The name that is mapped twice.
    pub fn of(pairs: impl IntoIterator<Item = (NetworkName, NetworkName)>) -> Result<Self, NetworkName> {
        let mut names = BTreeMap::new();
        for (from, to) in pairs {
            if names.insert(from.clone(), to).is_some() {
                return Err(from);
            }
        }
        Ok(Self(names))
    }

    /// Pairs of the name here and the name there.
    pub fn iter(&self) -> impl Iterator<Item = (&NetworkName, &NetworkName)> {
        self.0.iter()
    }

    /// Whether all networks have the same names there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The other host's name for a network, if it differs.
    pub fn there(&self, name: &str) -> Option<&NetworkName> {
        self.0.iter().find_map(|(here, there)| (here.0 == name && here != there).then_some(there))
    }

    /// Likewise for a [`Network::label`].
    pub fn label_there(&self, label: &str) -> Option<String> {
        match label.strip_prefix(MANAGED) {
            Some(name) => self.there(name).map(|there| format!("{MANAGED}{there}")),
            None => self.there(label).map(ToString::to_string),
        }
    }
}

/// One interface of a zone. An interface that moves to another network at the zone's next boot is listed twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Identifies the interface.
    pub mac: Mac,
    pub network: Network,
    /// The network's name at the host to which the zone goes or was moved, if it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<NetworkName>,
}

/// Moves an interface from one network to another of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceMapping {
    pub mac: Mac,
    pub from: NetworkName,
    pub to: NetworkName,
}

impl Interface {
    /// An interface whose network has the same name everywhere.
    pub const fn new(mac: Mac, network: Network) -> Self {
        Self { mac, network, there: None }
    }

    /// The network to which these mappings move the interface, if they mention it.
    pub fn goes_to<'a>(&self, mappings: &'a [InterfaceMapping]) -> Option<&'a NetworkName> {
        let of_this =
            |mapping: &&InterfaceMapping| mapping.mac == self.mac && mapping.from.0 == self.network.name();
        mappings.iter().find(of_this).map(|mapping| &mapping.to)
    }

    /// The interface after these mappings.
    #[must_use]
    pub fn with_mapping(&self, mappings: &[InterfaceMapping]) -> Self {
        let network =
            self.goes_to(mappings).map_or_else(|| self.network.clone(), |to| self.network.called(to));
        Self { network, ..self.clone() }
    }

    /// The mapping that this interface needs at a host where its network has another name.
    fn mapping(&self) -> Option<InterfaceMapping> {
        let from = self.network.name().parse().ok()?;
        self.there.clone().map(|to| InterfaceMapping { mac: self.mac, from, to })
    }
}

/// Why a zone's interfaces cannot be mapped to another host's networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Two networks of one interface would become the same, and could not be told apart on the way back.
    #[error(
        "its interface {mac} is in {now} now and in {then} after its next boot, and both are called {there} there"
    )]
    Merged {
        mac: Mac,
        /// The network that it is in now.
        now: String,
        /// The network that it will be in after the next boot.
        then: String,
        /// The name that both have at the other host.
        there: String,
    },
    /// The other host did not list the interfaces.
    #[error("the sysadm there is too old to restore its networks here ({})", .0.join(", "))]
    NotTold(Vec<String>),
}

impl crate::Hinted for MappingError {}

impl Manifest {
    /// The manifest with each interface's network name at the destination noted.
    ///
    /// # Errors
    /// If the mapping could not be undone later.
    pub fn bound_for(mut self, names: &NetMap) -> Result<Self, MappingError> {
        for one in &mut self.interfaces {
            one.there = names.there(one.network.name()).cloned();
        }
        let there =
            |one: &Interface| one.there.as_ref().map_or(one.network.name(), NetworkName::as_str).to_owned();
        for (place, one) in self.interfaces.iter().enumerate() {
            let twin = |other: &&Interface| {
                other.mac == one.mac && other.network != one.network && there(other) == there(one)
            };
            if let Some(other) = self.interfaces.iter().skip(place + 1).find(twin) {
                let [now, then] = [one, other].map(|one| one.network.name().to_owned());
                return Err(MappingError::Merged { mac: one.mac, now, then, there: there(one) });
            }
        }
        Ok(self)
    }

    pub fn mappings(&self) -> Vec<InterfaceMapping> {
        self.interfaces.iter().filter_map(Interface::mapping).collect()
    }

    /// The record of a zone that other hosts have moved on, with its network names updated from `now`, the
    /// manifest at its present host. Interfaces are matched by hardware address.
    #[must_use]
    pub fn noted_at(mut self, now: &Self) -> Self {
        if now.interfaces.is_empty() {
            return self;
        }
        let mut seen = BTreeMap::new();
        // From the last entry: an interface listed twice has been booted into its second network by then.
        let mut noted = |one: &Interface| {
            let place = seen.entry(one.mac).and_modify(|place| *place += 1).or_insert(0);
            let there =
                &now.interfaces.iter().rev().filter(|other| other.mac == one.mac).nth(*place)?.network;
            let name: NetworkName = there.name().parse().ok()?;
            (*there != one.network && *there == one.network.called(&name)).then_some(name)
        };
        for one in self.interfaces.iter_mut().rev() {
            one.there = noted(one);
        }
        self
    }

    /// The mappings that return the zone to the networks it left: `self` is the record made then, `now` the
    /// manifest at the location. An interface that is new, or that was connected to another network there, is left
    /// as it is.
    ///
    /// # Errors
    /// If the other host did not list the interfaces.
    pub fn reverse_mapping(&self, now: &Self) -> Result<Vec<InterfaceMapping>, MappingError> {
        let back: Vec<_> = self
            .mappings()
            .into_iter()
            .map(|InterfaceMapping { mac, from, to }| InterfaceMapping { mac, from: to, to: from })
            .collect();
        if !back.is_empty() && now.interfaces.is_empty() && !now.networks.is_empty() {
            return Err(MappingError::NotTold(back.iter().map(|mapping| mapping.to.to_string()).collect()));
        }
        let is_there = |mapping: &InterfaceMapping| {
            let is = |one: &Interface| one.mac == mapping.mac && one.network.name() == mapping.from.0;
            now.interfaces.iter().any(is)
        };
        Ok(back.into_iter().filter(is_there).collect())
    }
}

#[cfg(test)]
mod tests;
