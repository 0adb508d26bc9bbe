//! What is mounted, and how much space there is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// A mounted file system, from `/proc/self/mountinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its mount point.
    pub point: PathBuf,
    /// As `MAJOR:MINOR`.
    pub device: String,
    /// `ext4`, `nfs4`, …
    pub kind: String,
    /// What is mounted: a device, `server:/folder`, …
    pub source: String,
    /// The file system's own options.
    pub options: String,
}

// 27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
// 77 45 254:0 /lab/h1/local /srv/local rw,relatime - ext4 /dev/vda rw,discard
// 42 27 254:0 /run/netns /run/netns rw,relatime shared:1 - ext4 /dev/vda rw
/// Parses `/proc/self/mountinfo`.
pub fn parse_mounts(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_mount).collect()
}

fn parse_mount(line: &str) -> Option<Mount> {
    let (place, what) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(2);
    let (device, _root, point) = (place.next()?, place.next()?, place.next()?);
    let mut what = what.split(' ');
    Some(Mount {
        point: unescape(point).into(),
        device: device.to_owned(),
        kind: what.next()?.to_owned(),
        source: unescape(what.next()?),
        options: what.next().unwrap_or_default().to_owned(),
    })
}

/// Decodes escapes such as `\040` for a blank.
pub fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|code| u8::from_str_radix(code, 8).ok()).filter(u8::is_ascii) {
            Some(code) => {
                plain.push(char::from(code));
                plain.push_str(part.get(3..).unwrap_or_default());
            }
            None => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

impl Mount {
    /// Whether its data comes over the network, so that access to it may block for ever.
    pub fn is_remote(&self) -> bool {
        let kind = self.kind.as_str();
        matches!(
            kind,
            "nfs" | "nfs4" | "cifs" | "smb3" | "ceph" | "9p" | "lustre" | "afs" | "autofs" | "virtiofs"
        ) || kind.starts_with("fuse")
    }
}

/// `/proc/self/mountinfo`; empty where there is none.
pub fn mount_table() -> io::Result<Vec<u8>> {
    match std::fs::read("/proc/self/mountinfo") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// What is mounted for this process.
pub fn mounts() -> Vec<Mount> {
    parse_mounts(&String::from_utf8_lossy(&mount_table().unwrap_or_default()))
}

/// The innermost of these mounts over a path. Of several at one place the last one counts.
fn mount_over<'a>(mounts: impl IntoIterator<Item = &'a Mount>, path: &Path) -> Option<&'a Mount> {
    let over = mounts.into_iter().filter(|mount| path.starts_with(&mount.point));
    over.max_by_key(|mount| mount.point.components().count())
}

/// Disk space, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskSpace {
    pub total: u64,
    pub free: u64,
}

/// The space on the host's own file systems under these folders, each counted once. A server that does not answer
/// would block whoever asks for the space of its file systems.
pub fn own_space(mounts: &[Mount], folders: &[PathBuf]) -> DiskSpace {
    let over = folders.iter().filter_map(|folder| mount_over(mounts, folder));
    let own: BTreeMap<_, _> =
        over.filter(|mount| !mount.is_remote()).map(|mount| (&mount.device, &mount.point)).collect();
    own.values().fold(DiskSpace::default(), |sum, point| {
        let Ok(found) = rustix::fs::statvfs(point.as_path()) else { return sum };
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        DiskSpace {
            total: sum.total.saturating_add(bytes(found.f_blocks)),
            free: sum.free.saturating_add(bytes(found.f_bavail)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_of_a_file_system_counts_once_and_that_of_a_server_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let here = |name: &str| folder.path().join(name);
        let text = format!(
            "1 0 8:1 / {0} rw - ext4 /dev/a rw\n2 1 0:9 / {0}/nfs rw - nfs4 srv:/x rw\n",
            folder.path().display()
        );
        let mounts = parse_mounts(&text);
        let one = own_space(&mounts, &[here("a")]);
        assert!(one.total >= one.free && one.total > 0, "{one:?}");
        let all = own_space(&mounts, &[here("a"), here("b"), here("nfs/c"), "/elsewhere".into()]);
        assert_eq!(all.total, one.total);
        assert_eq!(own_space(&mounts, &[here("nfs")]), DiskSpace::default());
    }

    #[test]
    fn this_system_has_a_root() {
        assert_eq!(mount_over(&mounts(), Path::new("/")).unwrap().point, Path::new("/"));
    }
}
