//! Names of storage that mean the same on every host, so that the planner knows which hosts can access it.
//!
//! | storage | name |
//! |---|---|
//! | file or folder on NFS, CIFS or CephFS | server and export: `nfs:10.0.0.5:/vms` |
//! | file or folder on another file system | the file system's UUID, `ext4:…`: only its own host can access it, unless it is a cluster file system |
//! | block device | its world-wide name: `wwid:…` |
//! | anything else, and folders that their own host exports over NFS | none: no restriction |
//!
//! This only saves queries. Whether two hosts see the same storage is proven before each move, by
//! `host::storage_probe`. Nothing here accesses a network file system: its server may be down.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

use crate::model::{Disk, LocalPath, StorageUri};
use crate::platform::linux::{Mount, device_folder, device_name, device_names, mounts, unescape};

// /srv/vms	10.0.0.0/24(rw,sync,wdelay,hide,nocrossmnt,secure,root_squash,no_all_squash,sec=sys)
/// Parses `/var/lib/nfs/etab`: the exported folders.
fn parse_exports(text: &str) -> Vec<PathBuf> {
    text.lines()
        .filter_map(|line| line.split(['\t', ' ']).next())
        .filter(|path| path.starts_with('/'))
        .map(|path| unescape(path).into())
        .collect()
}

impl Mount {
    /// The name of network storage. The server is identified by its address: its name may differ on another host.
    fn remote_name(&self) -> Option<String> {
        let address = || self.options.split(',').find_map(|option| option.strip_prefix("addr="));
        match self.kind.as_str() {
            "nfs" | "nfs4" => {
                let (server, folder) = self.source.split_once(":/")?;
                Some(format!("nfs:{}:/{folder}", address().unwrap_or(server)))
            }
            "cifs" | "smb3" => {
                let (server, share) = self.source.strip_prefix("//")?.split_once('/')?;
                Some(format!("cifs://{}/{share}", address().unwrap_or(server)))
            }
            // `user@cluster.name=/folder`: the older form lists monitors, in any order.
            "ceph" => self.source.split_once('@').map(|(_, cluster)| format!("ceph:{cluster}")),
            _ => None,
        }
    }

    /// The name of storage on a device of the host.
    fn local_name(&self) -> Option<String> {
        let kinds = ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "gfs2", "ocfs2", "overlay"];
        if !kinds.contains(&self.kind.as_str()) {
            return None;
        }
        let uuid = self.uuid_of_device().or_else(|| {
            let id = rustix::fs::statvfs(&self.point).ok()?.f_fsid;
            (id != 0).then(|| format!("{id:016x}"))
        })?;
        Some(format!("{}:{uuid}", self.kind))
    }

    /// The UUID that udev has found on its device.
    fn uuid_of_device(&self) -> Option<String> {
        // btrfs has device numbers of its own.
        let device = match std::fs::metadata(&self.source).ok().filter(|_| self.source.starts_with("/dev/")) {
            Some(node) => format!("{}:{}", major(node.rdev()), minor(node.rdev())),
            None => self.device.clone(),
        };
        let found = std::fs::read_to_string(format!("/run/udev/data/b{device}")).ok()?;
        found.lines().find_map(|line| line.strip_prefix("E:ID_FS_UUID=")).map(str::to_owned)
    }
}

/// The storage that a host can access.
#[derive(Clone, Debug, Default)]
pub struct HostStorage {
    /// The mounts with their names. If several have the same mount point, the last one counts.
    mounts: Vec<(Mount, Option<String>)>,
    /// The world-wide names of its devices.
    devices: BTreeSet<String>,
    /// Its own folders that it exports over NFS.
    exported: Vec<PathBuf>,
}

impl HostStorage {
    pub fn look() -> Self {
        let name = |mount: &Mount| if mount.is_remote() { mount.remote_name() } else { mount.local_name() };
        let mounts = mounts().into_iter().map(|mount| (name(&mount), mount));
        Self {
            mounts: mounts.map(|(name, mount)| (mount, name)).collect(),
            devices: device_names().collect(),
            exported: parse_exports(&std::fs::read_to_string("/var/lib/nfs/etab").unwrap_or_default()),
        }
    }

    /// All names; none if some of the storage has another name on other hosts.
    pub fn names(&self) -> Option<BTreeSet<String>> {
        let mounted = self.mounts.iter().filter_map(|(_, name)| name.clone());
        self.exported.is_empty().then(|| mounted.chain(self.devices.iter().cloned()).collect())
    }

    /// The names of the storage that a zone writes to. For storage that it only reads, a copy will do.
    pub fn of(&self, disks: &[Disk]) -> BTreeSet<String> {
        disks.iter().filter(|disk| !disk.readonly).filter_map(|disk| self.of_disk(&disk.source)).collect()
    }

    fn of_disk(&self, source: &StorageUri) -> Option<String> {
        match source.local_path()? {
            LocalPath::File(path) | LocalPath::Dir(path) => {
                let (mount, name) = self.mount_of(path)?;
                if mount.is_remote() {
                    return name.clone();
                }
                // Symbolic links may lead elsewhere.
                let real = std::fs::canonicalize(path).ok()?;
                if self.exported.iter().any(|folder| real.starts_with(folder)) {
                    return None;
                }
                self.mount_of(&real)?.1.clone()
            }
            LocalPath::Device(path) => {
                let device = std::fs::metadata(path).ok()?.rdev();
                device_name(&device_folder(device))
            }
        }
    }

    fn mount_of(&self, path: &Path) -> Option<&(Mount, Option<String>)> {
        let over = self.mounts.iter().filter(|(mount, _)| path.starts_with(&mount.point));
        over.max_by_key(|(mount, _)| mount.point.components().count())
    }
}

/// Parses a text with every parser of this file.
#[cfg(feature = "fuzzing")]
pub fn read_output(text: &str) {
    let _ = crate::platform::linux::parse_mounts(text).iter().map(Mount::remote_name).count();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::linux::parse_mounts;
    use proptest::prelude::*;

    const MOUNTS: &str = include_str!("fixtures/mountinfo.txt");

    /// In the format of the kernel's documentation: the hosts of the tests mount nothing over a network.
    const REMOTE: &str = "\
90 27 0:50 / /srv/vms rw,relatime shared:9 - nfs4 nas.example.org:/vms rw,vers=4.2,clientaddr=10.0.0.1,addr=10.0.0.5\n\
91 27 0:51 / /srv/old rw - nfs nas:/old\\040vms rw,vers=3,addr=10.0.0.5\n\
92 27 0:52 / /srv/win rw - cifs //win/vms rw,username=x,addr=10.0.0.6\n\
93 27 0:53 / /srv/ceph rw - ceph vm@aaaa-bbbb.fs=/vms rw,name=vm\n\
94 27 0:54 / /srv/mons rw - ceph 10.0.0.1:6789,10.0.0.2:6789:/ rw\n\
95 27 0:55 / /srv/gluster rw - fuse.glusterfs localhost:/vol rw\n";

    #[test]
    fn every_mount_is_read() {
        let mounts = parse_mounts(MOUNTS);
        assert_eq!(mounts.len(), MOUNTS.lines().count());
        let local = mounts.iter().find(|mount| mount.point == Path::new("/srv/local")).unwrap();
        assert_eq!(
            (local.kind.as_str(), local.source.as_str(), local.device.as_str()),
            ("ext4", "/dev/vda", "254:0")
        );
    }

    #[test]
    fn what_is_on_a_network_is_named_by_its_server_and_what_that_exports() {
        let names: Vec<_> = parse_mounts(REMOTE).iter().map(|mount| mount.remote_name()).collect();
        let names: Vec<_> = names.iter().map(|name| name.as_deref().unwrap_or("-")).collect();
        assert_eq!(
            names,
            [
                "nfs:10.0.0.5:/vms",
                "nfs:10.0.0.5:/old vms",
                "cifs://10.0.0.6/vms",
                "ceph:aaaa-bbbb.fs=/vms",
                "-",
                "-"
            ]
        );
    }

    #[test]
    fn a_file_belongs_to_the_innermost_mount_over_it() {
        let mounts = parse_mounts(&format!("{MOUNTS}{REMOTE}"));
        let mounts = mounts.into_iter().map(|mount| (mount.clone(), mount.remote_name())).collect();
        let storage = HostStorage { mounts, ..HostStorage::default() };
        let disk = |path: &str, readonly| Disk::new("vda", StorageUri::file(path), readonly);
        let names = |path, readonly| storage.of(&[disk(path, readonly)]).into_iter().collect::<Vec<_>>();
        assert_eq!(names("/srv/vms/a.img", false), ["nfs:10.0.0.5:/vms"]);
        assert_eq!(names("/srv/vms-else/a.img", false), [] as [String; 0]);
        // A copy of storage that is only read will do.
        assert_eq!(names("/srv/vms/a.iso", true), [] as [String; 0]);
    }

    #[test]
    fn two_files_of_one_folder_lie_on_the_same_storage_and_their_host_sees_it() {
        let folder = tempfile::tempdir().unwrap();
        let storage = HostStorage::look();
        let name = |file: &str| {
            let path = folder.path().join(file);
            std::fs::write(&path, "").unwrap();
            storage.of(&[Disk::new("vda", StorageUri::file(path), false)])
        };
        let (a, b) = (name("a"), name("b"));
        assert_eq!(a, b);
        assert!(storage.names().is_none_or(|names| a.is_subset(&names)), "{a:?}");
    }

    #[test]
    fn what_a_host_exports_has_no_name_there_since_others_know_it_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let exports = parse_exports(&format!("{}\t10.0.0.0/24(rw,sync)\n", path.display()));
        assert_eq!(exports, [path.as_path()]);
        assert_eq!(parse_exports("# none\n"), [] as [PathBuf; 0]);
        let storage = HostStorage { exported: exports, ..HostStorage::look() };
        let disk = Disk::new("/", StorageUri::dir(path), false);
        assert_eq!((storage.names(), storage.of(&[disk])), (None, BTreeSet::new()));
    }

    proptest! {
        #[test]
        fn no_output_makes_the_reader_panic(text in "(1 2 0:1 / /a rw|\\\\0| - |nfs|ceph| |:/|//|@|\\PC){0,30}") {
            let _ = parse_mounts(&text).iter().map(Mount::remote_name).count();
            let _ = (unescape(&text), parse_exports(&text));
        }
    }
}
