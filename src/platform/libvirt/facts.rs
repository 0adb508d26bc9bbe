//! What the versions of libvirt and its hypervisor mean for people and zones.

use super::virsh::Versions;
use crate::model::{Brand, Manifest, Package, Software, System};

impl Versions {
    /// To be shown to people.
    pub fn describe(&self) -> String {
        let libvirt =
            self.libvirt.as_ref().map_or("libvirt".to_owned(), |version| format!("libvirt {version}"));
        match &self.hypervisor {
            Some(hypervisor) => format!("{hypervisor} ({libvirt})"),
            None => libvirt,
        }
    }

    /// The software that a zone depends on: libvirt, since an older one silently drops unknown parts of a
    /// configuration, and QEMU too if the zone brings its memory. None for a container.
    pub fn software(&self, manifest: &Manifest) -> Option<Software> {
        let package =
            |name: &str, version: &str| Package { name: name.to_owned(), version: version.to_owned() };
        let qemu = self.hypervisor.as_deref().and_then(|text| text.strip_prefix("QEMU "));
        let qemu = qemu.filter(|_| manifest.zone.is_running()).map(|version| package("qemu", version));
        let libvirt = self.libvirt.as_deref().map(|version| package("libvirt", version));
        let packages = libvirt.into_iter().chain(qemu).collect();
        let software = Software { system: System::Hypervisor, packages, patches: Vec::new() };
        (manifest.zone.brand == Brand::KVM).then_some(software)
    }
}

#[cfg(test)]
mod tests {
    use super::super::virsh::parse_version;
    use super::*;

    #[test]
    fn the_versions_of_libvirt_and_qemu_are_told_apart() {
        let output = "Compiled against library: libvirt 9.0.0\nUsing library: libvirt 9.0.1\n\
                      Using API: QEMU 9.0.0\nRunning hypervisor: QEMU 7.2.22\n\n";
        let versions = parse_version(output);
        assert_eq!(versions.describe(), "QEMU 7.2.22 (libvirt 9.0.1)");
        assert_eq!(parse_version("Using library: libvirt 9.0.1\n").describe(), "libvirt 9.0.1");
        assert_eq!(parse_version("").describe(), "libvirt");
    }

    #[test]
    fn a_zone_that_runs_depends_on_qemu_and_every_virtual_machine_on_libvirt() {
        let versions = parse_version("Using library: libvirt 9.0.0\nRunning hypervisor: QEMU 7.2.22\n");
        let depends = |brand: &str, state: &str| {
            let zone = serde_json::json!({
                "name": "web", "uuid": "00511286-3319-4f84-a168-e5fcdfb0de45", "brand": brand, "state": state,
                "autostart": false, "persistent": true, "memory": 1, "cpus": 1,
            });
            let manifest = serde_json::json!({
                "zone": zone, "config": "", "platform": "libvirt", "disks": [], "networks": [], "obstacles": [],
            });
            let software = versions.software(&serde_json::from_value(manifest).unwrap())?;
            assert_eq!(software.system, System::Hypervisor);
            let packages = software.packages.iter().map(|one| format!("{} {}", one.name, one.version));
            Some(packages.collect::<Vec<_>>().join(", "))
        };
        assert_eq!(depends("kvm", "running").as_deref(), Some("libvirt 9.0.0, qemu 7.2.22"));
        assert_eq!(depends("kvm", "installed").as_deref(), Some("libvirt 9.0.0"));
        assert_eq!(depends("lxc", "running"), None);
    }
}
