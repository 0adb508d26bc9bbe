//! The network address of a host, for when the name in its URI does not resolve to the right one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::uri::split_address;

/// A name or IP address with an optional port: `10.9.0.2`, `h2-migration:12302`, `[fd00::2]:22`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// None: the scheme's default port.
    pub port: Option<u16>,
}

/// Why a text names no host. What it should be is part of the fact: it is read from files, which hints do not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("{0:?} is not an address: expected HOST, HOST:PORT, or [ADDRESS]:PORT for IPv6")]
    Address(String),
    #[error("{0:?} is not a host name: expected as in a URI, without user and port")]
    HostName(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || AddressError::Address(text.to_owned());
        let (host, port) = split_address(text).ok_or_else(bad)?;
        let port = port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or_else(bad)).transpose()?;
        Ok(Self { host, port })
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => write!(f, "{host}:{port}"),
            None => f.write_str(&host),
        }
    }
}

/// A host name as it appears in a URI; IPv6 addresses are without brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

impl HostName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HostName {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_address = text.parse::<std::net::Ipv6Addr>().is_ok();
        if is_address || matches!(split_address(&text), Some((host, None)) if host == text) {
            return Ok(Self(text));
        }
        Err(AddressError::HostName(text))
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_written_and_half_ones_are_refused() {
        for text in ["10.9.0.2", "h2-mig:12302", "[fd00::2]:22", "[fd00::2]"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in ["", "h2:", "h2:0", "h2:70000", "fd00::2", "[fd00::2", "ssh://h2", "root@h2"] {
            assert!(text.parse::<Address>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_host_is_named_without_the_rest_of_its_uri() {
        for good in ["h2", "h2.example.org", "10.9.0.2", "fd00::2"] {
            assert_eq!(HostName::try_from(good.to_owned()).unwrap().as_str(), good);
        }
        for bad in ["", "ssh://h2", "root@h2", "h2:22", "[fd00::2]", "-h2"] {
            assert!(HostName::try_from(bad.to_owned()).is_err(), "{bad:?} was taken");
        }
    }
}
