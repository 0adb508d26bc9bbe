//! What Linux itself tells in /proc and /sys.

use std::path::Path;

/// The world-wide name of a block device (SCSI, NVMe, multipath, LVM).
/// `folder` is the device's own in `/sys`.
pub fn device_name(folder: &Path) -> Option<String> {
    ["dm/uuid", "wwid", "device/wwid"].iter().find_map(|file| {
        let name = std::fs::read_to_string(folder.join(file)).ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| format!("wwid:{name}"))
    })
}
