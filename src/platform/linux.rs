//! Reads /proc and /sys.

mod machine;
mod mounts;
mod process;

use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

use super::PlatformError;
pub use machine::{Machine, carried};
#[cfg(any(test, feature = "fuzzing"))]
pub use mounts::parse_mounts;
pub use mounts::{Mount, mount_table, mounts, own_space, unescape};
pub use process::end_of;

/// The world-wide name of a block device (SCSI, NVMe, multipath, LVM). `folder` is the device's folder in `/sys`.
pub fn device_name(folder: &Path) -> Option<String> {
    ["dm/uuid", "wwid", "device/wwid"].iter().find_map(|file| {
        let name = std::fs::read_to_string(folder.join(file)).ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| format!("wwid:{name}"))
    })
}

/// The folder in `/sys` of the block device with that number.
pub fn device_folder(number: u64) -> PathBuf {
    PathBuf::from(format!("/sys/dev/block/{}:{}", major(number), minor(number)))
}

/// The world-wide names of the host's block devices.
pub fn device_names() -> impl Iterator<Item = String> {
    let devices = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
    devices.filter_map(|device| device_name(&device.path()))
}

/// Whether there is a network device with that name. A name from another host cannot make this look at another path.
pub fn has_network_device(name: &str) -> bool {
    let is_name = !name.contains('/') && !matches!(name, "" | "." | "..");
    is_name && Path::new("/sys/class/net").join(name).exists()
}

/// The command line of a process; empty if it does not exist.
pub fn arguments_of(pid: i32) -> Vec<String> {
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The architecture of this machine.
pub fn architecture() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

/// The host's memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub total: u64,
    /// What a new process could use.
    pub available: u64,
}

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

/// Parses a text with every parser of this file.
#[cfg(feature = "fuzzing")]
pub fn read_output(text: &str) {
    let _ = parse_meminfo(text);
    machine::read_output(text);
}

#[cfg(test)]
mod tests {
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
}
