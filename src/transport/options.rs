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
    /// SSH.
    pub ssh: Ssh,
}

/// `[connect]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connect {
    /// Seconds until a host that does not answer counts as unreachable.
    pub timeout: u64,
    /// Seconds between signs of life on a connection; three that stay out end it.
    pub keepalive: u64,
    /// Where hosts are really to be found: other addresses or ports than their names say, for a network of
    /// its own for migrations, say. A host is still known by its name: that is what its certificate must say,
    /// and what known_hosts is searched for.
    pub addresses: BTreeMap<String, Address>,
}

impl Default for Connect {
    fn default() -> Self {
        Self { timeout: 10, keepalive: 5, addresses: BTreeMap::new() }
    }
}

impl Connect {
    /// The timeout.
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Where the host of that name is really to be found, if something is said about it.
    pub fn address(&self, host: &str) -> Option<&Address> {
        let bare = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        self.addresses.iter().find(|(name, _)| bare(name) == bare(host)).map(|(_, address)| address)
    }
}

/// `[ssh]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ssh {
    /// What is started on the far side. Handed to the login shell there as it stands.
    pub agent: String,
    /// Another ssh_config than `~/.ssh/config`.
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
        assert!(error.contains("line 2") && error.contains("is no address"), "{error}");
    }
}
