//! The planner's names of hosts. Zones are identified by their [`ZoneName`](crate::model::ZoneName)s.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{HostUri, HostUriError};

/// A host of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostKey {
    /// A name by which it cannot be reached: this host's own, or any word of an inventory file.
    Name(String),
    /// The URI of another host.
    Uri(HostUri),
}

/// Why a text cannot be the name of a host.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HostKeyError {
    #[error("a host name cannot be empty")]
    Empty,
    /// It looks like a URI but is not valid.
    #[error(transparent)]
    Uri(#[from] HostUriError),
}

impl crate::model::Hinted for HostKeyError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Uri(cause) => cause.hints(),
            Self::Empty => Vec::new(),
        }
    }
}

impl HostKey {
    /// Its URI; none if it has only a name.
    pub const fn uri(&self) -> Option<&HostUri> {
        match self {
            Self::Uri(uri) => Some(uri),
            Self::Name(_) => None,
        }
    }

    /// The name to be shown: its name, or the host in its URI.
    pub fn host(&self) -> &str {
        match self {
            Self::Uri(uri) => &uri.host,
            Self::Name(name) => name,
        }
    }

    /// Whether the key is written as this text.
    pub fn is_written(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => name == text,
            Self::Uri(uri) => uri.to_string() == text,
        }
    }
}

impl From<HostUri> for HostKey {
    fn from(uri: HostUri) -> Self {
        Self::Uri(uri)
    }
}

impl FromStr for HostKey {
    type Err = HostKeyError;

    fn from_str(text: &str) -> Result<Self, HostKeyError> {
        match text {
            "" => Err(HostKeyError::Empty),
            text if text.contains("://") => Ok(Self::Uri(text.parse()?)),
            name => Ok(Self::Name(name.to_owned())),
        }
    }
}

impl TryFrom<String> for HostKey {
    type Error = HostKeyError;

    fn try_from(text: String) -> Result<Self, HostKeyError> {
        text.parse()
    }
}

impl From<HostKey> for String {
    fn from(key: HostKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.pad(name),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_a_uri_and_a_bad_uri_is_neither() {
        let key = |text: &str| text.parse::<HostKey>();
        assert_eq!(key("h1"), Ok(HostKey::Name("h1".to_owned())));
        assert_eq!(key("ssh://root@h2"), Ok(HostKey::Uri("ssh://root@h2".parse().unwrap())));
        assert_eq!(key("").unwrap_err().to_string(), "a host name cannot be empty");
        assert_eq!(key("http://h2").unwrap_err().to_string(), "\"http://h2\": unknown scheme \"http\"");
        for text in ["h1", "node1.example.com", "ssh://root@h2", "rads://h3:99"] {
            let found = key(text).unwrap();
            assert!(found.to_string() == text && found.is_written(text), "{text}");
            assert_eq!(found.uri().is_some(), text.contains("://"));
        }
    }

    #[test]
    fn the_error_of_a_uri_keeps_its_hints() {
        use crate::model::Hinted;
        let error = "http://h2".parse::<HostKey>().unwrap_err();
        let cause = "http://h2".parse::<HostUri>().unwrap_err();
        assert!(!cause.hints().is_empty());
        assert_eq!(error.hints(), cause.hints());
    }
}
