//! Queries about libvirt's host.

use uuid::Uuid;

use super::{Connection, VirshOutput};
use crate::platform::PlatformError;

/// The versions of the software that runs zones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// `9.0.0`
    pub libvirt: Option<String>,
    /// `QEMU 7.2.22`
    pub hypervisor: Option<String>,
}

/// The description of these queries in errors.
const WHAT: &str = "ask libvirt what it has";

impl Connection {
    /// The active networks.
    pub async fn networks(self) -> Result<Vec<String>, PlatformError> {
        let names =
            self.run(["net-list", "--name"]).await.map_err(|error| error.failed("list the networks"))?;
        Ok(names.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// A network, as XML.
    pub async fn network(self, name: &str) -> Result<VirshOutput, PlatformError> {
        self.answer(["net-dumpxml", &format!("--network={name}")]).await
    }

    /// The names of all network filters.
    pub async fn network_filters(self) -> Result<Result<Vec<String>, String>, PlatformError> {
        Ok(self.answer(["nwfilter-list"]).await?.map(|answer| second_column(&answer)))
    }

    /// The usage of each secret: type, blank, name.
    pub async fn secrets(self) -> Result<Result<Vec<String>, String>, PlatformError> {
        Ok(self.answer(["secret-list"]).await?.map(|answer| second_column(&answer)))
    }

    /// The secret with that UUID, or libvirt's error.
    pub async fn secret(self, uuid: Uuid) -> Result<VirshOutput, PlatformError> {
        self.answer(["secret-dumpxml", &uuid.to_string()]).await
    }

    /// The path of a volume in a pool.
    pub async fn volume(self, pool: &str, volume: &str) -> Result<VirshOutput, PlatformError> {
        self.answer(["vol-path", &format!("--pool={pool}"), &format!("--vol={volume}")]).await
    }

    /// The host's capabilities, as XML. Never cached.
    pub async fn capabilities(self) -> Result<String, PlatformError> {
        self.run(["capabilities"]).await.map_err(|error| error.failed("ask which user QEMU runs as"))
    }

    async fn answer<const N: usize>(self, words: [&str; N]) -> Result<VirshOutput, PlatformError> {
        match self.run(words).await {
            Ok(output) => Ok(Ok(output)),
            Err(error) => error.said(WHAT).map(Err),
        }
    }
}

//  c2177883-f1bb-47f0-914d-32a22e3a8804   ceph client.libvirt secret
//  2a8b8ed6-fd31-48e8-a189-28b9737da1c5   Unused
/// The text after the UUID on each line.
fn second_column(answer: &str) -> Vec<String> {
    let named = answer.lines().filter_map(|line| line.trim().split_once(' '));
    named.map(|(_, name)| name.trim().to_owned()).collect()
}

// Compiled against library: libvirt 9.0.0
// Using library: libvirt 9.0.0
// Using API: QEMU 9.0.0
// Running hypervisor: QEMU 7.2.22
/// Parses the output of `virsh version`.
pub fn parse_version(output: &str) -> Versions {
    let field = |name: &str| output.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Versions {
        libvirt: field("Using library:").and_then(|text| text.strip_prefix("libvirt ")).map(str::to_owned),
        hypervisor: field("Running hypervisor:").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_uuid_is_listed_by_its_name_or_what_it_is_for() {
        let secrets = " c2177883-f1bb-47f0-914d-32a22e3a8804   ceph client.libvirt secret\n \
                      1ed8a768-690a-425b-b2e5-776395e722c0   volume /x/y.img\n \
                      2a8b8ed6-fd31-48e8-a189-28b9737da1c5   Unused\n\n";
        assert_eq!(second_column(secrets), ["ceph client.libvirt secret", "volume /x/y.img", "Unused"]);
        assert_eq!(second_column(""), [""; 0]);
    }
}
