//! Networks, the interfaces that are plugged into them, and what another host calls them.
//!
//! ```text
//!   br0 at home ── NetMap of h2 ──► br10 at h2            Interface::there, kept with the zone's record
//!   br0 at home ◄── the record, interface by interface ── br10 at h2
//! ```
//!
//! The way back is not the mapping turned round: two networks may have one name at the other host, and the mapping may
//! be another one by then. So an interface, known by its hardware address, goes back to where the record has it from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Mac, Manifest};

/// One network connection.
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

/// What stands before the name of a managed network among all that zones can be plugged into.
const MANAGED: &str = "network:";

impl Network {
    /// Its name among all that zones can be plugged into: a bridge is found like any other device.
    pub fn label(&self) -> String {
        match self {
            Self::Bridge(name) | Self::Device(name) => name.clone(),
            Self::Managed(name) => format!("{MANAGED}{name}"),
        }
    }

    /// Its own name.
    pub fn name(&self) -> &str {
        match self {
            Self::Bridge(name) | Self::Managed(name) | Self::Device(name) => name,
        }
    }

    /// One of the same kind.
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
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NetworkName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = |c: char| c == '/' || c == ':' || c.is_control();
        let is_name = !matches!(text, "" | "." | "..") && text.trim() == text && text.len() <= 63;
        if is_name && !text.contains(odd) {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(80).collect();
        Err(format!("{shown:?} is no name of a network; up to 63 characters without '/' and ':' are allowed"))
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for NetworkName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<NetworkName> for String {
    fn from(name: NetworkName) -> Self {
        name.0
    }
}

/// What a host calls the networks of others, where it has another name for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetMap(BTreeMap<NetworkName, NetworkName>);

impl NetMap {
    /// These names, the one for the other.
    ///
    /// # Errors
    /// The name that is there twice.
    pub fn of(pairs: impl IntoIterator<Item = (NetworkName, NetworkName)>) -> Result<Self, NetworkName> {
        let mut names = BTreeMap::new();
        for (from, to) in pairs {
            if names.insert(from.clone(), to).is_some() {
                return Err(from);
            }
        }
        Ok(Self(names))
    }

    /// Each name with the other one.
    pub fn iter(&self) -> impl Iterator<Item = (&NetworkName, &NetworkName)> {
        self.0.iter()
    }

    /// Whether all names are the same there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the network of that name is called there, if it has another name.
    pub fn there(&self, name: &str) -> Option<&NetworkName> {
        self.0.iter().find_map(|(here, there)| (here.0 == name && here != there).then_some(there))
    }

    /// The same for a [`Network::label`].
    pub fn label_there(&self, label: &str) -> Option<String> {
        match label.strip_prefix(MANAGED) {
            Some(name) => self.there(name).map(|there| format!("{MANAGED}{there}")),
            None => self.there(label).map(ToString::to_string),
        }
    }
}

/// One interface of a zone. One that will be elsewhere after the zone's next boot is listed twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its hardware address, by which it is known.
    pub mac: Mac,
    /// What it is plugged into.
    pub network: Network,
    /// What that is called where the zone goes, or was brought, if it has another name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<NetworkName>,
}

/// One change: the interface goes from the network of one name to the one of the other name, of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceMapping {
    /// The interface.
    pub mac: Mac,
    /// Where it is.
    pub from: NetworkName,
    /// Where it goes.
    pub to: NetworkName,
}

impl Interface {
    /// One that is in that network everywhere.
    pub const fn new(mac: Mac, network: Network) -> Self {
        Self { mac, network, there: None }
    }

    /// Where these changes bring it, if they are about it.
    pub fn goes_to<'a>(&self, mappings: &'a [InterfaceMapping]) -> Option<&'a NetworkName> {
        let of_this =
            |mapping: &&InterfaceMapping| mapping.mac == self.mac && mapping.from.0 == self.network.name();
        mappings.iter().find(of_this).map(|mapping| &mapping.to)
    }

    /// The same after these changes.
    #[must_use]
    pub fn with_mapping(&self, mappings: &[InterfaceMapping]) -> Self {
        let network =
            self.goes_to(mappings).map_or_else(|| self.network.clone(), |to| self.network.called(to));
        Self { network, ..self.clone() }
    }

    /// What changes about it when it goes to where its network may have another name.
    fn mapping(&self) -> Option<InterfaceMapping> {
        let from = self.network.name().parse().ok()?;
        self.there.clone().map(|to| InterfaceMapping { mac: self.mac, from, to })
    }
}

/// Why a zone's interfaces cannot be plugged into what another host calls their networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Two networks of one interface would become one, and could not be told apart on the way back.
    #[error(
        "its interface {mac} is in {now} now and in {then} after its next boot, and both are {there} there"
    )]
    Merged {
        /// The interface.
        mac: Mac,
        /// The one network.
        now: String,
        /// The other one.
        then: String,
        /// What they become.
        there: String,
    },
    /// The refuge does not tell the interfaces.
    #[error("the sysadm there is too old to give it its networks of here back ({})", .0.join(", "))]
    NotTold(Vec<String>),
}

impl crate::Hinted for MappingError {}

impl Manifest {
    /// The same with a note at each interface what its network is called where the zone goes.
    ///
    /// # Errors
    /// If that could not be undone.
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

    /// What changes about it where it goes.
    pub fn mappings(&self) -> Vec<InterfaceMapping> {
        self.interfaces.iter().filter_map(Interface::mapping).collect()
    }

    /// The record of a zone that others have brought on to where it is `now`, with notes of what its networks are called
    /// there: its interfaces are known by their hardware addresses alone.
    #[must_use]
    pub fn noted_at(mut self, now: &Self) -> Self {
        if now.interfaces.is_empty() {
            return self;
        }
        let mut seen = BTreeMap::new();
        // From the last one: where one that is listed twice will be after its next boot is where it is once it was booted.
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

    /// What brings the zone, as it is `now` where it was brought, back into the networks with which it has left: this
    /// is what was recorded then. An interface that is new, or that somebody has plugged in elsewhere, stays as it is.
    ///
    /// # Errors
    /// If its interfaces are not told over there.
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
