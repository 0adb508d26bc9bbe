//! The sections of sysadm.toml that say how other hosts are reached.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::model::Address;

/// How other hosts are dialled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DialOptions {
    /// Timeouts and addresses.
    pub connect: Connect,
    pub ssh: Ssh,
}

/// `[connect]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connect {
    /// Seconds after which a host that does not answer counts as unreachable.
    pub timeout: u64,
    /// Seconds between keepalive messages on a connection; it is closed after three without an answer.
    pub keepalive: u64,
    /// Addresses or ports at which hosts are reached instead of those in their URIs, such as a separate network
    /// for migrations. A host is still known by its name: its certificate must contain it, and known_hosts is
    /// searched for it.
    pub addresses: BTreeMap<String, Address>,
}

impl Default for Connect {
    fn default() -> Self {
        Self { timeout: 10, keepalive: 5, addresses: BTreeMap::new() }
    }
}

impl Connect {
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// The address at which that host is reached, if one is configured.
    pub fn address(&self, host: &str) -> Option<&Address> {
        let bare = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        self.addresses.iter().find(|(name, _)| bare(name) == bare(host)).map(|(_, address)| address)
    }
}

/// `[ssh]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ssh {
    /// The command that is started at the other host. The login shell there gets it unchanged.
    pub agent: String,
    /// An ssh_config other than `~/.ssh/config`.
    pub config: Option<PathBuf>,
}

impl Default for Ssh {
    fn default() -> Self {
        Self { agent: "sysadm agent --stdio".to_owned(), config: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_at_its_address_whatever_the_case_of_its_name_and_with_the_dot_of_the_root() {
        let config = toml::from_str::<DialOptions>("[connect.addresses]\nH2 = \"10.9.0.2:4000\"\n").unwrap();
        assert_eq!(config.connect.address("h2").unwrap().to_string(), "10.9.0.2:4000");
        assert_eq!(config.connect.address("h2.").unwrap().to_string(), "10.9.0.2:4000");
        assert_eq!(config.connect.address("h3"), None);
        let error = toml::from_str::<DialOptions>("[connect.addresses]\nh2 = \"10.9.0.2:\"\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 2") && error.contains("is not an address"), "{error}");
    }
}
