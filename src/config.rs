//! `/etc/sysadm/sysadm.toml`. Every key has a default; an unknown key is an error, so that typing errors are found.

mod map;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::model::{Identifier, MoveLimits, Role};
use crate::policy::Convergence;
use crate::transport::{Connect, DialOptions, Ssh};
pub use map::Maps;

/// The whole configuration. See `examples/sysadm.toml` for every key and its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// This host's name, as other hosts know it; none: the system's host name.
    pub host: Option<String>,
    /// `libvirt` or `sim`. A host is simulated only if the file says so.
    pub platform: PlatformKind,
    pub connect: Connect,
    pub ssh: Ssh,
    /// The agent, which is reached over TLS.
    pub agent: Agent,
    /// The role of each peer, by the name in its certificate; the default is `migrate`.
    pub roles: BTreeMap<String, Role>,
    /// Network names that differ at other hosts.
    pub map: Maps,
    pub evacuation: Evacuation,
    /// Limits on what this host accepts.
    pub limits: LimitsConfig,
    /// Replicas at other hosts in case this one is lost.
    pub standby: StandbyConfig,
    pub migration: MigrationConfig,
    pub libvirt: LibvirtConfig,
}

/// Which platform runs the zones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformKind {
    /// libvirt's QEMU and LXC drivers.
    #[default]
    Libvirt,
    /// Simulated zones.
    Sim,
}

/// `[agent]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Agent {
    /// The address on which `sysadm agent --listen` listens.
    pub listen: String,
    /// Maximum number of simultaneous connections.
    pub connections: usize,
}

impl Default for Agent {
    fn default() -> Self {
        Self { listen: "[::]:12302".to_owned(), connections: 256 }
    }
}

/// `[evacuation]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evacuation {
    /// The policy if the command line names none.
    pub policy: Identifier,
}

impl Default for Evacuation {
    fn default() -> Self {
        Self { policy: Identifier::default_policy() }
    }
}

/// `[standby]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StandbyConfig {
    /// Seconds between two times at which `sysadm agent --listen` leaves the manifests of all zones with their
    /// targets; 0: never.
    pub every: u64,
}

impl StandbyConfig {
    /// The interval; none if replicas are not left automatically.
    pub fn every(self) -> Option<Duration> {
        (self.every > 0).then(|| Duration::from_secs(self.every))
    }
}

/// `[limits]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Maximum number of virtual CPUs of running zones for each CPU of this host; 0: no limit.
    pub vcpus_per_cpu: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { vcpus_per_cpu: 16 }
    }
}

/// `[migration]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MigrationConfig {
    /// Seconds without progress after which a live migration is given up; 0: never.
    pub stall: u64,
    /// Maximum downtime at the end of a live migration, in ms.
    pub downtime: u64,
    /// Passes over the memory after which a live migration is given up; 0: never.
    pub passes: u32,
    /// Seconds that a zone has to shut down when it is restarted or stopped.
    pub shutdown: u64,
}

impl Default for MigrationConfig {
    fn default() -> Self {
        Self { stall: 60, downtime: 300, passes: 50, shutdown: 180 }
    }
}

impl MigrationConfig {
    /// These settings, replaced by those that a policy has.
    #[must_use]
    pub fn under(&self, convergence: &Convergence) -> Self {
        // Without `..`, so that a new setting is not forgotten here.
        let Self { stall, downtime, passes, shutdown } = *self;
        Self {
            stall: convergence.stall.unwrap_or(stall),
            downtime: convergence.downtime.unwrap_or(downtime),
            passes: convergence.passes.unwrap_or(passes),
            shutdown,
        }
    }

    pub fn policy(&self) -> MoveLimits {
        let stall = (self.stall > 0).then(|| Duration::from_secs(self.stall));
        MoveLimits { stall, passes: self.passes, shutdown: Duration::from_secs(self.shutdown) }
    }
}

/// `[libvirt]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LibvirtConfig {
    /// Memory of this host that zones never get, in MiB.
    pub headroom: u64,
    /// Slows down a zone that writes to its memory faster than the connection can send, so that its migration
    /// converges.
    pub auto_converge: bool,
    /// Bandwidth of each live migration in MiB/s; 0: unlimited.
    pub bandwidth: u64,
}

impl LibvirtConfig {
    /// The settings with each live migration also limited to that bandwidth in bytes per second. The lower limit
    /// applies.
    #[must_use]
    pub fn keeping_to(self, bandwidth: Option<u64>) -> Self {
        // libvirt counts in MiB, and takes 0 for no limit.
        let limits = [self.bandwidth, bandwidth.map_or(0, |bytes| (bytes >> 20).max(1))];
        let lower = limits.into_iter().filter(|limit| *limit > 0).min();
        Self { bandwidth: lower.unwrap_or(0), ..self }
    }
}

impl Default for LibvirtConfig {
    fn default() -> Self {
        Self { headroom: 256, auto_converge: true, bandwidth: 0 }
    }
}

/// Why the configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("failed to read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The file is not valid.
    #[error("{path} is not a valid configuration: {what}")]
    Parse {
        path: PathBuf,
        /// Line, column and reason.
        what: String,
    },
}

impl Config {
    /// How other hosts are dialled.
    pub fn dial_options(&self) -> DialOptions {
        DialOptions { connect: self.connect.clone(), ssh: self.ssh.clone() }
    }

    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|what| ConfigError::Parse { path: path.to_owned(), what }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
        }
    }

    /// Parses the text of a configuration.
    ///
    /// # Errors
    /// What is wrong, with line and column, on one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let position = error.span().map(|span| {
                let before = &text[..span.start.min(text.len())];
                let line = before.matches('\n').count() + 1;
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                format!("line {line}, column {column}: ")
            });
            format!("{}{}", position.unwrap_or_default(), error.message().replace('\n', " "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_named_with_its_line() {
        let error = Config::parse("[ssh]\nagnet = \"x\"\n").unwrap_err();
        assert!(error.starts_with("line 2, column 1: unknown field `agnet`"), "{error}");
    }

    #[test]
    fn of_two_limits_of_bandwidth_the_lower_one_holds_and_none_is_none() {
        const MIB: u64 = 1 << 20;
        let cases = [
            (0, None, 0),
            (8, None, 8),
            (0, Some(3 * MIB), 3),
            (8, Some(3 * MIB), 3),
            (2, Some(3 * MIB), 2),
            (0, Some(MIB / 2), 1),
        ];
        for (own, policy, holds) in cases {
            let settings = LibvirtConfig { bandwidth: own, ..LibvirtConfig::default() };
            assert_eq!(settings.keeping_to(policy).bandwidth, holds, "{own} {policy:?}");
        }
    }

    #[test]
    fn what_the_policy_says_of_convergence_holds_over_the_configuration() {
        let settings = MigrationConfig { stall: 60, downtime: 777, passes: 50, shutdown: 180 };
        let convergence = Convergence { stall: Some(0), passes: Some(9), downtime: None };
        assert_eq!(
            settings.under(&convergence),
            MigrationConfig { stall: 0, downtime: 777, passes: 9, shutdown: 180 }
        );
        assert_eq!(settings.under(&Convergence::default()), settings);
    }

    const EXAMPLE: &str = include_str!("../examples/sysadm.toml");

    #[test]
    fn the_commented_example_means_the_defaults() {
        assert_eq!(Config::parse(EXAMPLE).unwrap(), Config::default());
    }

    /// The example with its commented keys and sections enabled. Prose has a blank after its `#`.
    fn in_force() -> String {
        let line = |line: &str| match line.strip_prefix('#') {
            Some(key) if !key.is_empty() && !key.starts_with(' ') => format!("{key}\n"),
            _ => "\n".to_owned(),
        };
        EXAMPLE.lines().map(line).collect()
    }

    #[test]
    fn the_example_with_its_keys_in_force_is_accepted_and_means_the_defaults_where_there_are_any() {
        let config = Config::parse(&in_force()).unwrap();
        assert_eq!(config.map.networks_of("h2").there("br0").unwrap().as_str(), "br10");
        assert_eq!(config.roles.values().collect::<Vec<_>>(), [&Role::Migrate, &Role::Observe]);
        let without = Config {
            host: None,
            platform: PlatformKind::default(),
            roles: BTreeMap::new(),
            map: Maps::default(),
            connect: Connect { addresses: BTreeMap::new(), ..config.connect.clone() },
            ssh: Ssh { config: None, ..config.ssh.clone() },
            ..config
        };
        assert_eq!(without, Config::default());
    }

    #[test]
    fn every_key_is_in_the_example() {
        let text = in_force();
        // Every key must be in the example: the error for an unknown field lists all of them.
        for section in ["", "connect", "ssh", "agent", "evacuation", "limits", "migration", "libvirt"] {
            let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
            let error = Config::parse(&format!("{header}no_such_key = 1\n")).unwrap_err();
            let (_, known) = error.split_once("expected").unwrap();
            for key in known.split('`').skip(1).step_by(2) {
                let here = text.lines().any(|line| {
                    line.split('=').next().is_some_and(|name| name.trim() == key)
                        || line == format!("[{key}]")
                        || line.starts_with(&format!("[{key}."))
                        || line == format!("[{section}.{key}]")
                });
                assert!(here, "{key} of [{section}] is not in examples/sysadm.toml");
            }
        }
    }
}
