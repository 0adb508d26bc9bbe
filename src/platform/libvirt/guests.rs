//! The domains of all drivers.

use std::io::ErrorKind;
use std::path::PathBuf;

use uuid::Uuid;

use super::Libvirt;
use super::virsh::{Code, Connection, Driver, ListedDomain};
use crate::model::{Inventory, Message, UnmanagedGuest, Zone, ZoneName, chain};
use crate::platform::PlatformError;

impl Libvirt {
    /// The domains of each driver that this host has. It is an error if a driver does not answer and may have
    /// guests: they may be running all the same.
    pub(super) async fn lists(&self) -> Result<Vec<(Driver, Vec<ListedDomain>)>, PlatformError> {
        // Each query is a process, so containers are queried only if there may be some.
        let worth = |driver: &Driver| *driver == Driver::Qemu || self.trace_of(*driver).is_some();
        let asked = Driver::ALL.into_iter().filter(worth);
        let asked = asked.map(|driver| async move { (driver, Connection::to(driver).list().await) });
        let asked = futures_util::future::join_all(asked);
        let mut lists = Vec::new();
        let mut absent = None;
        for (driver, answer) in asked.await {
            match answer {
                Ok(listed) => lists.push((driver, listed?)),
                Err(error) if error.code == Code::NoDriver => match self.trace_of(driver) {
                    Some(trace) => {
                        let source = error.into_source();
                        return Err(PlatformError::Unseen {
                            service: "libvirt",
                            brand: driver.brand(),
                            trace,
                            source,
                        });
                    }
                    None => absent = Some(error),
                },
                Err(error) => return Err(error.failed("list the zones")),
            }
        }
        match absent {
            Some(error) if lists.is_empty() => Err(error.failed("list the zones")),
            _ => Ok(lists),
        }
    }

    /// A sign that a driver has domains, defined or running. A folder that cannot be read counts as one.
    pub(super) fn trace_of(&self, driver: Driver) -> Option<PathBuf> {
        let is_document = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "xml");
        [self.paths.libvirt_config(), self.paths.libvirt_run()].into_iter().find_map(|folder| {
            let folder = folder.join(driver.folder());
            match std::fs::read_dir(&folder) {
                Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).find(is_document),
                Err(error) => (error.kind() != ErrorKind::NotFound).then_some(folder),
            }
        })
    }

    /// The guests of one driver. A domain that exists but that libvirt cannot describe is an unmanaged guest.
    pub(super) async fn guests(driver: Driver, listed: &[ListedDomain]) -> Result<Inventory, PlatformError> {
        let zones = Connection::to(driver).zones(listed).await?;
        let (mut result, mut untold) = (Inventory::default(), Vec::new());
        for (domain, zone) in listed.iter().zip(zones) {
            match (ZoneName::of_platform(&domain.name), zone) {
                (Err(error), _) => {
                    let hint = match driver {
                        Driver::Qemu => {
                            format!("when it is down, rename it: virsh domrename {} NAME", domain.uuid)
                        }
                        Driver::Lxc => "define it again under another name".to_owned(),
                    };
                    result.unmanaged.push(domain.unmanaged_guest(Message::from(error).with_hint(hint)));
                }
                (_, Ok(Some(zone))) if zone.uuid == domain.uuid => result.zones.push(zone),
                (_, Ok(_)) => untold.push(domain),
                (_, Err(error)) => result.unmanaged.push(domain.unmanaged_guest(error)),
            }
        }
        for domain in untold {
            match Self::asked_again(driver, domain).await {
                Ok(zone) => result.zones.extend(zone),
                Err(reason) => result.unmanaged.push(domain.unmanaged_guest(reason)),
            }
        }
        Ok(result)
    }

    /// Asks once more about a domain that libvirt did not describe: none if it is gone by now, or why there is no
    /// description.
    async fn asked_again(driver: Driver, domain: &ListedDomain) -> Result<Option<Zone>, Message> {
        let libvirt = Connection::to(driver);
        match libvirt.tells_of(domain.uuid).await {
            Err(error) if error.code == Code::NoDomain => return Ok(None),
            asked => asked.map_err(|error| chain(&error.into_source()))?,
        }
        let zone = libvirt.zone(domain.uuid).await?;
        zone.map(Some).ok_or_else(|| "libvirt lists the guest but does not describe it".into())
    }

    /// The guests of all drivers.
    pub(super) async fn inventory_of(
        lists: &[(Driver, Vec<ListedDomain>)],
    ) -> Result<Inventory, PlatformError> {
        let parts = futures_util::future::try_join_all(
            lists.iter().map(|(driver, listed)| Self::guests(*driver, listed)),
        );
        let mut all = Inventory::default();
        for part in parts.await? {
            all.zones.extend(part.zones);
            all.unmanaged.extend(part.unmanaged);
        }
        all.zones.sort_by(|a, b| a.name.cmp(&b.name));
        // The two drivers have separate namespaces, but this program needs unique names.
        let twins: Vec<_> = all
            .zones
            .windows(2)
            .filter(|pair| pair[0].name == pair[1].name)
            .map(|pair| pair[0].name.clone())
            .collect();
        for zone in all.zones.extract_if(.., |zone| twins.contains(&zone.name)) {
            let reason = "a KVM and an LXC domain have the same name".to_owned();
            let hint = Some("rename one of them".to_owned());
            let (name, uuid) = (zone.name.platform_name(), Some(zone.uuid));
            all.unmanaged.push(UnmanagedGuest { name, uuid, reason, hint, running: zone.is_running() });
        }
        Ok(all)
    }

    pub(super) async fn find(&self, zone: &ZoneName) -> Result<(Driver, Uuid), PlatformError> {
        for (driver, listed) in self.lists().await? {
            if let Some(found) = listed.iter().find(|domain| domain.is(zone)) {
                return Ok((driver, found.uuid));
            }
        }
        Err(PlatformError::NoSuchZone(zone.clone()))
    }
}
