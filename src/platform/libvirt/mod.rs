//! Hosts with libvirt: KVM zones can move live, LXC zones cold. Everything is done by `virsh`: so one static
//! binary runs on every host, and each parser is tested with real output of virsh.
//!
//! Live migration is in `live`; the check whether a zone can arrive is in `check`.

mod check;
mod domain_xml;
mod facts;
mod guests;
mod hooks;
mod live;
mod machine;
mod manifest;
mod pools;
mod power;
mod survey;
mod virsh;

use std::time::Duration;

use uuid::Uuid;

use super::{
    ConfigEditor, LiveMigration, MaintenanceEnforcer, Platform, PlatformError, PlatformFacts, Suspend, linux,
};
use crate::config;
use crate::model::{Abilities, Blocker, Brand, CheckRequest, Inventory, Manifest, Software, ZoneName};
use crate::paths::Paths;
use crate::plan::Survey;
pub use virsh::Driver;
use virsh::{Code, Connection};

/// Parses a domain's XML in every way in which this module does.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_domain(xml: &str, zone: Option<&crate::model::Zone>) {
    use crate::model::{Edit, InterfaceMapping};
    let interfaces = domain_xml::parse(xml).map(|domain| domain.interfaces).unwrap_or_default();
    let other = |one: &crate::model::Interface| {
        let [from, to] = [one.network.name(), "other"].map(|name| name.parse().ok());
        Some(InterfaceMapping { mac: one.mac, from: from?, to: to? })
    };
    let _ = domain_xml::map_interfaces(xml, &interfaces.iter().filter_map(other).collect::<Vec<_>>());
    let edits = [Edit::Memory(1 << 30), Edit::Cpus(2), Edit::Machine("pc".to_owned())];
    if let Ok(stated) = domain_xml::stated(xml) {
        let same = [
            Edit::Name(stated.name),
            Edit::Uuid(stated.uuid),
            Edit::Memory(stated.memory),
            Edit::Cpus(stated.cpus),
        ];
        assert!(
            domain_xml::edit(xml, &same).is_ok_and(|edited| edited == xml),
            "what is so already is changed"
        );
    }
    for edit in edits {
        let _ = domain_xml::edit(xml, &[edit]).map(|edited| assert!(domain_xml::parse(&edited).is_ok()));
    }
    let _ = domain_xml::writes_over(xml, xml);
    check::read_config(xml);
    if let Some(zone) = zone {
        let _ = domain_xml::must_be(xml, zone);
    }
}

/// Parses a text with every parser of virsh's output.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_output(brand: Brand, text: &str) {
    check::read_output(text);
    linux::read_output(text);
    machine::read_output(text);
    survey::read_output(text);
    Driver::of(brand).into_iter().for_each(|driver| virsh::read_output(driver, text));
}

/// The platform's name in configurations and manifests.
const NAME: &str = "libvirt";

/// This host's libvirt.
#[derive(Debug)]
pub struct Libvirt {
    settings: config::LibvirtConfig,
    /// Maximum downtime of a live migration, in ms.
    downtime: u64,
    paths: Paths,
    queries: virsh::QueryCache,
    outgoing: live::Outgoing,
    incoming: live::Incoming,
}

impl Libvirt {
    /// Sends no query yet.
    pub fn new(settings: config::LibvirtConfig, paths: Paths) -> Self {
        Self {
            settings,
            downtime: config::MigrationConfig::default().downtime,
            paths,
            queries: virsh::QueryCache::default(),
            outgoing: live::Outgoing::default(),
            incoming: live::Incoming::default(),
        }
    }

    /// Sets the maximum downtime of live migrations, in ms.
    #[must_use]
    pub const fn with_downtime(mut self, downtime: u64) -> Self {
        self.downtime = downtime;
        self
    }
}

#[async_trait::async_trait]
impl Platform for Libvirt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self, brand: Brand) -> Option<Abilities> {
        Driver::of(brand).map(Driver::abilities)
    }

    fn boot_command(&self, zone: &ZoneName, uuid: Uuid, brand: Brand) -> String {
        let driver = Driver::of(brand).unwrap_or(Driver::Qemu);
        format!("virsh -c {} start {}", driver.uri(), zone.virsh_word(uuid))
    }

    async fn facts(&self) -> Result<PlatformFacts, PlatformError> {
        let versions = self.queries.versions().await?;
        let memory = linux::memory()?;
        let space = linux::own_space(&linux::mounts(), &pools::folders(&self.paths));
        let headroom = self.settings.headroom.saturating_mul(1 << 20);
        Ok(PlatformFacts {
            hypervisor: versions.describe(),
            arch: linux::architecture(),
            memory: memory.total,
            memory_free: memory.available.saturating_sub(headroom),
            cpus: std::thread::available_parallelism()
                .map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
            disk: space.total,
            disk_free: space.free,
        })
    }

    async fn inventory(&self) -> Result<Inventory, PlatformError> {
        Self::inventory_of(&self.lists().await?).await
    }

    async fn survey(&self, measure: bool) -> Result<Survey, PlatformError> {
        survey::survey(self, measure).await
    }

    async fn manifest(&self, zone: &ZoneName) -> Result<Manifest, PlatformError> {
        self.manifest_of(zone).await
    }

    async fn check(&self, request: &CheckRequest) -> Result<Vec<Blocker>, PlatformError> {
        check::check(self, request).await
    }

    async fn software(&self, manifest: &Manifest) -> Result<Option<Software>, PlatformError> {
        Ok(self.queries.versions().await?.software(manifest))
    }

    async fn define(&self, manifest: &Manifest) -> Result<(), PlatformError> {
        let zone = &manifest.zone;
        let driver = Driver::of(zone.brand).ok_or_else(|| PlatformError::State {
            zone: zone.name.clone(),
            what: format!("libvirt has no {} zones", zone.brand),
        })?;
        let what = || format!("define zone '{}'", manifest.zone.name);
        domain_xml::must_be(&manifest.config, &manifest.zone).map_err(|reason| PlatformError::State {
            zone: manifest.zone.name.clone(),
            what: format!("its configuration is refused: {reason}"),
        })?;
        Connection::to(driver).define(&manifest.config).await.map_err(|error| error.failed(what()))
    }

    async fn undefine(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        for (driver, listed) in self.lists().await? {
            if !listed.iter().any(|domain| domain.uuid == uuid) {
                continue;
            }
            let libvirt = Connection::to(driver);
            let Some(found) = libvirt.zone(uuid).await? else { continue };
            if found.is_running() {
                let what = "it runs; only a zone that does not run can be detached".to_owned();
                return Err(PlatformError::State { zone: zone.clone(), what });
            }
            match libvirt.undefine(uuid).await {
                // libvirt itself was faster, at the end of a migration.
                Err(error) if error.code != Code::NoDomain => {
                    return Err(error.failed(format!("undefine zone '{zone}'")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn shutdown(&self, zone: &ZoneName, uuid: Uuid, limit: Duration) -> Result<(), PlatformError> {
        self.shut_down(zone, uuid, limit).await
    }

    async fn boot(&self, zone: &ZoneName, uuid: Uuid) -> Result<bool, PlatformError> {
        self.start(zone, uuid).await
    }

    async fn set_autostart(&self, zone: &ZoneName, autostart: bool) -> Result<(), PlatformError> {
        let (driver, uuid) = self.find(zone).await?;
        let set = Connection::to(driver).set_autostart(uuid, autostart).await;
        set.map_err(|error| error.failed(format!("set autostart of zone '{zone}'")))
    }

    fn live(&self) -> Option<&dyn LiveMigration> {
        Some(self)
    }

    fn suspend(&self) -> Option<&dyn Suspend> {
        Some(self)
    }

    fn editor(&self) -> Option<&dyn ConfigEditor> {
        Some(self)
    }

    fn enforcer(&self) -> Option<&dyn MaintenanceEnforcer> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_boots_a_zone_is_one_for_a_shell_whatever_the_zone_is_called() {
        let libvirt = Libvirt::new(config::LibvirtConfig::default(), Paths::new("/"));
        let uuid = Uuid::from_u128(7);
        let command =
            |name: &str, brand| libvirt.boot_command(&ZoneName::of_platform(name).unwrap(), uuid, brand);
        assert_eq!(command("web-1.example", Brand::KVM), "virsh -c qemu:///system start web-1.example");
        assert_eq!(command("box", Brand::LXC), "virsh -c lxc:///system start box");
        for name in
            ["Windows 10", "müller", "-rf", "7", "$(reboot)", "a;b", "00511286-3319-4f84-a168-e5fcdfb0de45"]
        {
            assert_eq!(command(name, Brand::KVM), format!("virsh -c qemu:///system start {uuid}"), "{name}");
        }
    }
}
