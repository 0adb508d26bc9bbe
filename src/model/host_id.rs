//! The identity of a host, whatever names it is reached by.

use std::fmt;
use std::path::Path;

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A host's identity. It is never stored: each connection asks for it again.
///
/// It is derived from the UUID of the host's database, the machine id, and the root folder of all its files. So a
/// database that was copied to another machine, or to another folder on the same machine, identifies another host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostId(Uuid);

impl HostId {
    pub fn new(database: Uuid, machine: &str, root: &Path) -> Self {
        let mut digest = Context::new(&SHA256);
        digest.update(database.as_bytes());
        digest.update(machine.trim().as_bytes());
        digest.update(&[0]);
        digest.update(root.as_os_str().as_encoded_bytes());
        let digest = digest.finish();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, of_digest)| *byte = *of_digest);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// An identity that no real host has.
    #[doc(hidden)]
    pub const fn test(number: u128) -> Self {
        Self(Uuid::from_u128(number))
    }
}

impl From<Uuid> for HostId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for HostId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_database_is_that_of_another_host_and_a_host_stays_the_same() {
        let database = Uuid::from_u128(7);
        let id = |database, machine, root: &str| HostId::new(database, machine, Path::new(root));
        let host = id(database, "0123\n", "/");
        assert_eq!(host, id(database, "0123", "/"));
        for other in
            [id(Uuid::from_u128(8), "0123", "/"), id(database, "4567", "/"), id(database, "0123", "/srv")]
        {
            assert_ne!(host, other);
        }
        assert_eq!(host.to_string().parse(), Ok(host));
    }
}
