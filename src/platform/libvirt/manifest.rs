//! A zone's manifest: from libvirt, from its configuration alone, and with changes.

use super::virsh::{Connection, Described};
use super::{Driver, Libvirt, NAME, check, domain_xml, live, machine};
use crate::model::{
    Aux, Brand, Disk, Edit, InterfaceMapping, LocalPath, Manifest, Obstacle, Presence, Zone, ZoneName,
};
use crate::platform::{ConfigEditor, PlatformError};

#[async_trait::async_trait]
impl ConfigEditor for Libvirt {
    fn map_interfaces(&self, config: &str, mappings: &[InterfaceMapping]) -> Result<String, PlatformError> {
        domain_xml::map_interfaces(config, mappings)
            .map_err(|what| PlatformError::Output { command: "virsh dumpxml", what })
    }

    fn edit(&self, manifest: &Manifest, edits: &[Edit]) -> Result<String, PlatformError> {
        edit(manifest, edits)
    }

    fn reread(&self, manifest: &Manifest, config: String) -> Result<Manifest, PlatformError> {
        reread(manifest, config)
    }

    fn writes_over(&self, copy: &Manifest, original: &Manifest) -> Result<Vec<String>, PlatformError> {
        domain_xml::writes_over(&copy.config, &original.config)
            .map_err(|what| PlatformError::State { zone: copy.zone.name.clone(), what })
    }

    async fn updates(&self, manifest: &Manifest) -> Result<Vec<Edit>, PlatformError> {
        machine::updates(&self.queries, manifest).await
    }
}

impl Libvirt {
    pub(super) async fn manifest_of(&self, zone: &ZoneName) -> Result<Manifest, PlatformError> {
        let (driver, uuid) = self.find(zone).await?;
        let Described { zone: found, config, current, snapshots } =
            Connection::to(driver).describe(uuid).await?;
        let zone_now = found.ok_or_else(|| PlatformError::NoSuchZone(zone.clone()))?;
        let obstacles = self.obstacles(&zone_now, snapshots);
        let has_seen = driver == Driver::Qemu && zone_now.is_running();
        let processor = if has_seen { check::seen(self, &current).await? } else { None };
        let mut manifest = with(zone_now, config, &current)
            .map_err(|what| PlatformError::Output { command: "virsh dumpxml", what })?;
        manifest.obstacles.extend(obstacles);
        manifest
            .disks
            .iter_mut()
            .filter(|disk| is_there(disk))
            .for_each(|disk| disk.presence = Presence::Needed);
        Ok(Manifest { processor, ..manifest })
    }

    /// The obstacles that do not follow from the configuration.
    fn obstacles(&self, zone: &Zone, snapshots: usize) -> Vec<Obstacle> {
        let mut found: Vec<String> = Vec::new();
        if snapshots > 0 {
            found.push(format!("{snapshots} snapshot(s); delete them, or leave the zone here"));
        }
        if zone.aux == Some(Aux::Suspended) {
            found.push(format!(
                "managed-save image on this host; start the zone, or 'virsh managedsave-remove {}'",
                zone.virsh_word()
            ));
        }
        let is_held = zone.aux == Some(Aux::Paused) && zone.brand == Brand::KVM;
        if is_held && live::has_arrived(&zone.name, &self.paths) {
            found.push(format!(
                "it arrived by migration and is paused: QEMU would crash if it left as it is; 'virsh resume {}' first",
                zone.virsh_word()
            ));
        }
        found.into_iter().map(Obstacle::from).collect()
    }
}

/// Whether storage that would be created at boot exists already: then it belongs to the zone just as its disks do.
fn is_there(disk: &Disk) -> bool {
    match disk.source.local_path() {
        Some(LocalPath::File(path)) => disk.presence == Presence::Made && path.exists(),
        _ => false,
    }
}

/// The manifest of a zone with this configuration; `current` is its present state, whose connections count,
/// rather than those after the next boot.
fn with(zone: Zone, config: String, current: &str) -> Result<Manifest, String> {
    let mut domain = domain_xml::parse(current)?;
    // As it will be after its next boot, which may be at the destination.
    let later = domain_xml::parse(&config).map(|later| later.interfaces).unwrap_or_default();
    let later: Vec<_> = later.into_iter().filter(|one| !domain.interfaces.contains(one)).collect();
    domain.interfaces.extend(later);
    Ok(Manifest {
        zone,
        config,
        platform: NAME.to_owned(),
        disks: domain.disks,
        networks: domain.networks,
        interfaces: domain.interfaces,
        obstacles: domain.obstacles,
        software: None,
        processor: None,
    })
}

/// The configuration with these changes, which still describes that zone and can be parsed.
pub(super) fn edit(manifest: &Manifest, edits: &[Edit]) -> Result<String, PlatformError> {
    let refused = |what| PlatformError::State { zone: manifest.zone.name.clone(), what };
    let config = domain_xml::edit(&manifest.config, edits).map_err(refused)?;
    let expected = edits.iter().fold(manifest.zone.clone(), |zone, edit| match edit {
        Edit::Name(name) => Zone { name: name.clone(), ..zone },
        Edit::Uuid(uuid) => Zone { uuid: *uuid, ..zone },
        Edit::Zonepath { .. } | Edit::Memory(_) | Edit::Cpus(_) | Edit::Machine(_) | Edit::Networks(_) => {
            zone
        }
    });
    domain_xml::must_be(&config, &expected).map_err(refused)?;
    Ok(config)
}

/// The manifest with everything that this configuration says. The rest is kept.
pub(super) fn reread(manifest: &Manifest, config: String) -> Result<Manifest, PlatformError> {
    let odd = |what| PlatformError::State {
        zone: manifest.zone.name.clone(),
        what: format!("its configuration: {what}"),
    };
    let domain_xml::DomainSettings { name, uuid, brand, memory, cpus } =
        domain_xml::stated(&config).map_err(odd)?;
    let zone = Zone { name, uuid, brand, memory, cpus, ..manifest.zone.clone() };
    let mut read = with(zone, config.clone(), &config).map_err(odd)?;
    let before = domain_xml::parse(&manifest.config).map(|domain| domain.obstacles).unwrap_or_default();
    read.obstacles.extend(manifest.obstacles_beside(&before));
    // Storage that its host has found to exist remains required.
    let is_known =
        |disk: &Disk| manifest.disks.iter().any(|one| one.source == disk.source && one.presence.is_needed());
    for disk in read.disks.iter_mut().filter(|disk| disk.presence == Presence::Made) {
        if is_known(disk) {
            disk.presence = Presence::Needed;
        }
    }
    Ok(Manifest { software: manifest.software.clone(), processor: manifest.processor.clone(), ..read })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Network;

    const CONFIG: &str = "<domain type='kvm'><name>web</name><uuid>00511286-3319-4f84-a168-e5fcdfb0de45</uuid>\
        <memory unit='MiB'>96</memory><vcpu>2</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os><devices>\
        <disk type='file'><source file='/s/a.img'/><target dev='vda'/></disk>\
        <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>\
        <shmem name='x'/></devices></domain>";

    /// A manifest that differs in every respect.
    fn unmanaged_guest(config: &str) -> Manifest {
        let zone = serde_json::json!({
            "name": "web", "uuid": "00511286-3319-4f84-a168-e5fcdfb0de45", "brand": "lxc", "state": "configured",
            "autostart": true, "persistent": true, "memory": 1, "cpus": 1,
        });
        let manifest = serde_json::json!({
            "zone": zone, "config": config, "platform": "sim", "disks": [], "networks": [], "obstacles": ["x"],
            "processor": "<cpu/>",
        });
        serde_json::from_value(manifest).unwrap()
    }

    #[test]
    fn a_manifest_is_read_from_a_configuration_alone_and_keeps_what_that_does_not_say() {
        let before = unmanaged_guest("");
        let manifest = reread(&before, CONFIG.to_owned()).unwrap();
        let zone = &manifest.zone;
        assert_eq!((zone.brand, zone.memory, zone.cpus), (Brand::KVM, 96 << 20, 2));
        assert_eq!((zone.state, zone.autostart), (before.zone.state, true));
        assert_eq!((manifest.platform.as_str(), manifest.config.as_str()), ("libvirt", CONFIG));
        assert_eq!(manifest.disks.iter().map(|disk| disk.target.as_str()).collect::<Vec<_>>(), ["vda"]);
        assert_eq!(manifest.networks, [Network::Bridge("br0".into())]);
        assert_eq!(manifest.interfaces.len(), 1);
        assert_eq!(
            manifest.obstacles,
            ["memory shared with other processes of this host (shmem)", "x"].map(Obstacle::from)
        );
        // An obstacle that followed from the old configuration is gone.
        let without = reread(&manifest, CONFIG.replace("<shmem name='x'/>", "")).unwrap();
        assert_eq!(without.obstacles, ["x"].map(Obstacle::from));
        assert_eq!(reread(&without, CONFIG.to_owned()).unwrap().obstacles, manifest.obstacles);
        assert_eq!(manifest.processor, before.processor);
        let said = reread(&before, CONFIG.replace("<name>", "<nome>")).unwrap_err().to_string();
        assert!(said.contains("zone 'web': its configuration: ") && said.contains(" at 1:"), "{said}");
    }

    #[test]
    fn what_is_edited_is_another_zone_if_it_was_said_so_and_nobody_elses_before() {
        let manifest = unmanaged_guest(CONFIG);
        let name: ZoneName = "copy".parse().unwrap();
        let edits =
            [Edit::Name(name.clone()), Edit::Uuid(uuid::Uuid::nil()), Edit::Memory(1 << 30), Edit::Cpus(4)];
        let copy = reread(&manifest, edit(&manifest, &edits).unwrap()).unwrap().zone;
        assert_eq!((copy.name, copy.uuid, copy.memory, copy.cpus), (name, uuid::Uuid::nil(), 1 << 30, 4));
        let other = Manifest { config: CONFIG.replace(">web<", ">db<"), ..manifest };
        let said = edit(&other, &[Edit::Cpus(4)]).unwrap_err().to_string();
        assert_eq!(said, "zone 'web': the configuration is of \"db\", not of zone 'web'");
    }
}
