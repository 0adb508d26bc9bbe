//! Names that an administrator chooses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that an administrator chose for a policy or a group. Like a zone name it can never be taken for an option,
/// a path or a host URI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

impl Identifier {
    /// The policy that applies if none is named.
    pub fn default_policy() -> Self {
        Self("spread".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text cannot be an administrator's name for something. It holds the beginning of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a name: 1 to 63 letters, digits, '_', '-' and '.' are allowed, the first a letter or digit"
)]
pub struct IdentifierError(String);

impl FromStr for Identifier {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && text.len() <= 63 && text.chars().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(IdentifierError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Identifier {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Identifier> for String {
    fn from(name: Identifier) -> Self {
        name.0
    }
}
