//! Host URIs: `ssh://[user@]host[:port]` and `rads://[user@]host[:port]`, after rad-uri(7).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// How another host is reached.
    Scheme, "scheme" {
        /// Over SSH: only the port of sshd must be open.
        Ssh = "ssh",
        /// Over TLS, to the agent.
        Rads = "rads",
    }
}

/// The port that IANA assigned to RAD over TLS.
const RADS_PORT: u16 = 12302;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostUri {
    pub scheme: Scheme,
    /// None: the scheme's default user.
    pub user: Option<String>,
    /// Name or address; IPv6 without brackets.
    pub host: String,
    /// None: the scheme's default (ssh: from ssh_config, or 22; rads: 12302).
    pub port: Option<u16>,
}

/// Which part of a text is not as in a host URI.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HostUriError {
    /// The text has no `://`.
    #[error("{0:?} has no scheme")]
    NoScheme(String),
    /// An unknown scheme.
    #[error("{uri:?}: unknown scheme {scheme:?}")]
    Scheme {
        uri: String,
        /// The part before `://`.
        scheme: String,
    },
    #[error("{uri:?}: invalid user {user:?}")]
    User {
        uri: String,
        /// The part before `@`.
        user: String,
    },
    /// The URI contains a password.
    #[error("a password in a URI is not accepted: it would be stored in clear text")]
    Password,
    #[error("{uri:?}: invalid host {host:?}")]
    Host { uri: String, host: String },
    #[error("{uri:?}: invalid port {port:?}")]
    Port {
        uri: String,
        /// The part after the last `:`.
        port: String,
    },
    /// A path, query or fragment.
    #[error("{uri:?}: unexpected {rest:?} after the host")]
    Rest {
        uri: String,
        /// What follows the authority.
        rest: String,
    },
}

impl crate::Hinted for HostUriError {
    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NoScheme(_) | Self::Scheme { .. } => "write ssh://HOST or rads://HOST",
            Self::User { .. } => "a user name has letters, digits, '_', '-' and '.'",
            Self::Password => "use a key or a certificate",
            Self::Host { .. } => "write a name, an IPv4 address or an [IPv6] address",
            Self::Port { .. } => "a port is a number from 1 to 65535",
            Self::Rest { .. } => "a host URI ends with the host or the port",
        };
        vec![hint.to_owned()]
    }
}

impl HostUri {
    pub fn rads_port(&self) -> u16 {
        self.port.unwrap_or(RADS_PORT)
    }
}

impl FromStr for HostUri {
    type Err = HostUriError;

    fn from_str(uri: &str) -> Result<Self, Self::Err> {
        let whole = || uri.to_owned();
        let (scheme, rest) = uri.split_once("://").ok_or_else(|| HostUriError::NoScheme(whole()))?;
        let scheme =
            scheme.parse().map_err(|_| HostUriError::Scheme { uri: whole(), scheme: scheme.to_owned() })?;
        let (authority, tail) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if !tail.is_empty() && tail != "/" {
            return Err(HostUriError::Rest { uri: whole(), rest: tail.to_owned() });
        }
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(HostUriError::Password),
            Some((user, address)) => (Some(check_user(uri, user)?), address),
            None => (None, authority),
        };
        let bad_host = || HostUriError::Host { uri: whole(), host: address.to_owned() };
        let (host, port) = split_address(address).ok_or_else(bad_host)?;
        let port = port
            .map(|port| match port.parse::<u16>() {
                Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => Ok(number),
                _ => Err(HostUriError::Port { uri: whole(), port: port.to_owned() }),
            })
            .transpose()?;
        Ok(Self { scheme, user, host, port })
    }
}

fn check_user(uri: &str, user: &str) -> Result<String, HostUriError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if user.is_empty() || user.starts_with('-') || !user.chars().all(plain) {
        return Err(HostUriError::User { uri: uri.to_owned(), user: user.to_owned() });
    }
    Ok(user.to_owned())
}

/// Splits host and port; none if the host is not valid.
pub(super) fn split_address(address: &str) -> Option<(String, Option<&str>)> {
    if let Some(inner) = address.strip_prefix('[') {
        let (host, after) = inner.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port),
            None if after.is_empty() => None,
            None => return None,
        };
        return Some((host.to_owned(), port));
    }
    let (host, port) = match address.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let good =
        !host.is_empty() && host.len() <= 253 && !host.starts_with(['-', '.']) && host.chars().all(plain);
    good.then(|| (host.to_owned(), port))
}

impl TryFrom<String> for HostUri {
    type Error = HostUriError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HostUri> for String {
    fn from(uri: HostUri) -> Self {
        uri.to_string()
    }
}

impl fmt::Display for HostUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}://", self.scheme);
        if let Some(user) = &self.user {
            text.push_str(user);
            text.push('@');
        }
        if self.host.contains(':') {
            text.push_str(&format!("[{}]", self.host));
        } else {
            text.push_str(&self.host);
        }
        if let Some(port) = self.port {
            text.push_str(&format!(":{port}"));
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_wrong_part_is_named() {
        let message = |text: &str| text.parse::<HostUri>().unwrap_err().to_string();
        assert!(message("h2").contains("no scheme"));
        assert!(message("radg://h2").contains("unknown scheme \"radg\""));
        assert!(message("ssh://a b@h2").contains("invalid user \"a b\""));
        assert!(message("ssh://-o@h2").contains("invalid user \"-o\""));
        assert!(message("ssh://root:secret@h2").contains("password"));
        assert!(!message("ssh://root:secret@h2").contains("secret"));
        assert!(message("ssh://").contains("invalid host \"\""));
        assert!(message("ssh://-oProxyCommand=x").contains("invalid host"));
        assert!(message("ssh://[::1").contains("invalid host"));
        assert!(message("rads://h2:0").contains("invalid port \"0\""));
        assert!(message("rads://h2:99999").contains("invalid port \"99999\""));
        assert!(message("rads://h2:+22").contains("invalid port \"+22\""));
        assert!(message("rads://h2/system").contains("\"/system\" after the host"));
    }

    #[test]
    fn good_uris_read_back_as_written() {
        for text in ["ssh://h2", "ssh://root@h2", "rads://h3:4000", "ssh://a@[fe80::1]:22", "rads://10.0.0.1"]
        {
            assert_eq!(text.parse::<HostUri>().unwrap().to_string(), text);
        }
        assert_eq!("rads://h2".parse::<HostUri>().unwrap().rads_port(), 12302);
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused_and_what_parses_reads_back(text in "\\PC{0,60}|(ssh|rads)://\\PC{0,30}") {
            if let Ok(uri) = text.parse::<HostUri>() {
                prop_assert_eq!(uri.to_string().parse::<HostUri>(), Ok(uri));
            }
        }
    }
}
