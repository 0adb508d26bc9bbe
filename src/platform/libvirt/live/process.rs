//! The process of a zone: its QEMU, or the controller of its container.

use tokio::sync::oneshot;

use crate::model::ZoneName;
use crate::paths::Paths;
use crate::platform::libvirt::virsh::Driver;
use crate::platform::linux;

fn pid_of(driver: Driver, zone: &ZoneName, paths: &Paths) -> Option<i32> {
    let file = paths.libvirt_run().join(driver.folder()).join(format!("{}.pid", zone.platform_name()));
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Whether the zone's QEMU was started to receive a migration. If such a zone is still paused, it has not opened
/// its disks for writing; QEMU before 10 fails an assertion (`bdrv_inactivate_recurse`) when it is migrated on,
/// and the zone's memory is lost.
pub fn has_arrived(zone: &ZoneName, paths: &Paths) -> bool {
    arguments_of(zone, paths).iter().any(|argument| argument == "-incoming")
}

/// Whether the zone's CPU is emulated (TCG) instead of being the host's own.
pub fn is_emulated(zone: &ZoneName, paths: &Paths) -> bool {
    arguments_of(zone, paths).windows(2).any(|pair| match [pair[0].as_str(), pair[1].as_str()] {
        ["-accel", kind] => kind.starts_with("tcg"),
        ["-machine", machine] => machine.split(',').any(|option| option == "accel=tcg"),
        _ => false,
    })
}

fn arguments_of(zone: &ZoneName, paths: &Paths) -> Vec<String> {
    let Some(pid) = pid_of(Driver::Qemu, zone, paths) else { return Vec::new() };
    linux::arguments_of(pid)
}

/// Signals the end of the zone's process; none if the process cannot be found.
pub fn end_of(driver: Driver, zone: &ZoneName, paths: &Paths) -> Option<oneshot::Receiver<()>> {
    linux::end_of(pid_of(driver, zone, paths)?)
}
