//! What the host is: its versions, its architecture, its memory.

use std::path::Path;

use super::virsh::Versions;
use crate::model::{Brand, Manifest, Package, Software, System};
use crate::platform::PlatformError;

impl Versions {
    /// For people.
    pub fn describe(&self) -> String {
        let libvirt =
            self.libvirt.as_ref().map_or("libvirt".to_owned(), |version| format!("libvirt {version}"));
        match &self.hypervisor {
            Some(hypervisor) => format!("{hypervisor} ({libvirt})"),
            None => libvirt,
        }
    }

    /// What of it a zone depends on: libvirt, since an older one drops what it does not know of a configuration and
    /// says nothing, and QEMU as well if the zone brings its memory. Nothing if it is a container.
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

/// The architecture of the machine.
pub fn architecture() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

/// Memory of the host, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// What of it can be had.
    pub available: u64,
}

/// Reads the host's memory.
pub fn memory() -> Result<Memory, PlatformError> {
    let path = Path::new("/proc/meminfo");
    let text = std::fs::read_to_string(path).map_err(|source| PlatformError::Io {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    parse_meminfo(&text).ok_or_else(|| PlatformError::Output {
        command: "/proc/meminfo",
        what: "no MemTotal or MemAvailable".to_owned(),
    })
}

// MemTotal:       24684084 kB
// MemAvailable:   23512340 kB
fn parse_meminfo(text: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    Some(Memory { total: field("MemTotal")?, available: field("MemAvailable")? })
}

/// Reads a text as each of the things that are read here.
#[cfg(feature = "fuzzing")]
pub fn read_output(text: &str) {
    let _ = parse_meminfo(text);
}

#[cfg(test)]
mod tests {
    use super::super::virsh::parse_version;
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let text = "MemTotal:       24684084 kB\nMemFree:        22628192 kB\nMemAvailable:   23512340 kB\n";
        assert_eq!(
            parse_meminfo(text),
            Some(Memory { total: 24_684_084 << 10, available: 23_512_340 << 10 })
        );
        assert_eq!(parse_meminfo("MemTotal: 1 kB\n"), None);
    }

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
