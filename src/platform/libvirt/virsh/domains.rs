//! Queries and commands about a driver's domains.

use std::time::Duration;

use uuid::Uuid;

use super::{Connection, Driver, LibvirtError, ListedDomain, Usages, list, stats};
use crate::model::Zone;
use crate::platform::PlatformError;

/// Time limit for saving or restoring the memory of a zone.
const IMAGE: Duration = Duration::from_secs(3600);

/// All that libvirt says of one domain.
pub struct Described {
    /// None: the domain is gone.
    pub zone: Option<Zone>,
    /// Its state after the next boot, as XML.
    pub config: String,
    /// Its present state, as XML.
    pub current: String,
    /// The number of its snapshots.
    pub snapshots: usize,
}

impl Connection {
    /// Whether this libvirt has the driver.
    pub async fn answers(self) -> Result<bool, PlatformError> {
        match self.run(["uri"]).await {
            Ok(_) => Ok(true),
            Err(error) if error.code == super::Code::NoDriver => Ok(false),
            Err(error) => Err(error.failed("ask libvirt")),
        }
    }

    /// All domains, defined or running. The outer error is libvirt's.
    pub async fn list(self) -> Result<Result<Vec<ListedDomain>, PlatformError>, LibvirtError> {
        let output = self.run(["list", "--all", "--id", "--name", "--uuid"]).await?;
        Ok(list::parse_list(&output))
    }

    /// The zones of these domains; each is none if it is gone since it was listed, or an error if it cannot be
    /// handled.
    pub async fn zones(
        self,
        listed: &[ListedDomain],
    ) -> Result<Vec<Result<Option<Zone>, PlatformError>>, PlatformError> {
        let commands = listed.iter().flat_map(|domain| about(domain.uuid)).collect();
        let answers = self.each(commands).await?;
        let parse = |answer: &[String]| match answer {
            [info, state] => list::parse_zone(self.driver.brand(), info, state),
            _ => Ok(None),
        };
        Ok(answers.chunks(2).map(parse).collect())
    }

    /// The zone with that UUID, if there is one.
    pub async fn zone(self, uuid: Uuid) -> Result<Option<Zone>, PlatformError> {
        match self.batch(&about(uuid)).await?.as_slice() {
            // Another zone may have this one's UUID as its name.
            [info, state] => {
                Ok(list::parse_zone(self.driver.brand(), info, state)?.filter(|zone| zone.uuid == uuid))
            }
            _ => Ok(None),
        }
    }

    /// Whether libvirt can describe the domain at all.
    pub async fn tells_of(self, uuid: Uuid) -> Result<(), LibvirtError> {
        self.run([&format!("dominfo {uuid}")]).await.map(drop)
    }

    pub async fn describe(self, uuid: Uuid) -> Result<Described, PlatformError> {
        let [info, state] = about(uuid);
        let mut commands = vec![
            info,
            state,
            format!("dumpxml --inactive --security-info {uuid}"),
            format!("dumpxml {uuid}"),
        ];
        if self.driver == Driver::Qemu {
            commands.push(format!("snapshot-list --name {uuid}"));
        }
        let answers = self.batch(&commands).await?;
        let [info, state, config, current, rest @ ..] = answers.as_slice() else {
            return Err(PlatformError::Output { command: "virsh", what: "too few answers".to_owned() });
        };
        let snapshots = rest.iter().flat_map(|names| names.lines()).filter(|name| !name.trim().is_empty());
        Ok(Described {
            zone: list::parse_zone(self.driver.brand(), info, state)?,
            config: config.trim_start().to_owned(),
            current: current.clone(),
            snapshots: snapshots.count(),
        })
    }

    /// The present XML of each of these domains; empty if it is gone.
    pub async fn documents(self, domains: impl Iterator<Item = Uuid>) -> Result<Vec<String>, PlatformError> {
        self.each(domains.map(|uuid| format!("dumpxml {uuid}")).collect()).await
    }

    /// The domain's XML in a form for another host, now and after its next boot.
    pub async fn migratable(self, uuid: Uuid) -> Result<Vec<String>, PlatformError> {
        let commands = [
            format!("dumpxml --migratable --security-info {uuid}"),
            format!("dumpxml --inactive --security-info {uuid}"),
        ];
        self.batch(&commands).await
    }

    /// The resources that the listed domains use. With `measure` it starts to measure how fast they write to
    /// their memory: a second later the next call returns the result.
    pub async fn usages(self, listed: &[ListedDomain], measure: bool) -> Result<Usages, PlatformError> {
        let commands = stats::commands(self.driver, listed);
        let wanted = commands.len();
        let also = if measure { stats::measure(self.driver, listed) } else { Vec::new() };
        let answers = self.each(commands.into_iter().chain(also).collect()).await?;
        Ok(stats::parse(self.driver, listed, answers.get(..wanted).unwrap_or_default()))
    }

    /// Defines a domain by its XML.
    pub async fn define(self, xml: &str) -> Result<(), LibvirtError> {
        let define = self.virsh().args(["define", "/dev/stdin"]).stdin(xml);
        define.run().await.map(drop).map_err(LibvirtError::new)
    }

    /// Removes the definition of a domain. Its data stays.
    pub async fn undefine(self, uuid: Uuid) -> Result<(), LibvirtError> {
        let uuid = uuid.to_string();
        match self.driver {
            Driver::Qemu => self.run(["undefine", "--keep-nvram", &uuid]).await.map(drop),
            Driver::Lxc => self.run(["undefine", &uuid]).await.map(drop),
        }
    }

    /// Starts a domain, from its saved memory if there is any.
    pub async fn start(self, uuid: Uuid) -> Result<(), LibvirtError> {
        let start = self.virsh().timeout(IMAGE).args(["start", &uuid.to_string()]);
        start.run().await.map(drop).map_err(LibvirtError::new)
    }

    pub async fn shutdown(self, uuid: Uuid) -> Result<(), LibvirtError> {
        self.run(["shutdown", &uuid.to_string()]).await.map(drop)
    }

    /// Saves the memory of a domain to a file of libvirt's own, and ends the domain.
    pub async fn managed_save(self, uuid: Uuid) -> Result<(), LibvirtError> {
        let save = self.virsh().timeout(IMAGE).args(["managedsave", &uuid.to_string()]);
        save.run().await.map(drop).map_err(LibvirtError::new)
    }

    /// Powers a domain off.
    pub async fn destroy(self, uuid: Uuid) -> Result<(), LibvirtError> {
        self.run(["destroy", &uuid.to_string()]).await.map(drop)
    }

    /// Sets whether the domain starts with the host.
    pub async fn set_autostart(self, uuid: Uuid, autostart: bool) -> Result<(), LibvirtError> {
        let uuid = uuid.to_string();
        match autostart {
            true => self.run(["autostart", &uuid]).await.map(drop),
            false => self.run(["autostart", &uuid, "--disable"]).await.map(drop),
        }
    }
}

fn about(uuid: Uuid) -> [String; 2] {
    [format!("dominfo {uuid}"), format!("domstate --reason {uuid}")]
}
