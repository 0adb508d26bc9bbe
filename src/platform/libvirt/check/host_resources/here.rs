//! Asks this host's kernel and file system for resources that a zone names.

use std::fs::FileType;
use std::net::IpAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::super::domain_xml::{Need, Numbers};

#[derive(Debug)]
pub struct Here {
    /// The root of its files.
    root: PathBuf,
}

impl Default for Here {
    fn default() -> Self {
        Self { root: "/".into() }
    }
}

impl Here {
    /// The message if the resource is missing; none also for resources of libvirt's.
    pub fn misses(&self, need: &Need) -> Option<String> {
        let is_there = match need {
            Need::Device(path) | Need::File(path) => self.is(path, |_| true),
            Need::Folder(path) => self.is(path, FileType::is_dir),
            Need::Socket(path) => self.is(path, FileTypeExt::is_socket),
            Need::Pipe(path) => self.has_pipe(path),
            Need::Program(path) => self.has_program(path),
            Need::RenderNode => self.names("dev/dri").iter().any(|name| name.starts_with("renderD")),
            Need::Pci(address) => self.at("sys/bus/pci/devices").join(address).exists(),
            Need::Usb(name) => self.usb_devices().contains(name),
            Need::Mediated(uuid) => self.at("sys/bus/mdev/devices").join(uuid.to_string()).exists(),
            Need::Scsi(adapter, [bus, target, unit]) => {
                let host = adapter.strip_prefix("scsi_host").unwrap_or(adapter);
                self.is_in("sys/class/scsi_device", &format!("{host}:{bus}:{target}:{unit}"))
            }
            Need::NetDevice(name) => self.is_in("sys/class/net", name),
            Need::HugePages(size) => self.has_huge_pages(*size),
            Need::Controller(name) => self.has_controller(name),
            Need::User(name) => self.has_name("passwd", name),
            Need::Group(name) => self.has_name("group", name),
            Need::VhostUser(kind) => self.has_vhost_user(kind),
            Need::Processors(wanted) => {
                return self.online("cpu").and_then(|here| wanted.without(&here).missing("processor"));
            }
            Need::Nodes(wanted) => {
                // A kernel without NUMA has one memory node.
                let here = self.online("node").unwrap_or_else(|| Numbers::parse("0"));
                return wanted.without(&here).missing("memory node");
            }
            Need::Network(_) | Need::PortGroup(..) | Need::Filter(_) | Need::Address(_) => true,
            Need::Security(_) | Need::Tsc(_) | Need::Port(..) | Need::Cid(_) => true,
            Need::Volume(..) | Need::Secret(_) | Need::SecretFor(..) => true,
        };
        (!is_there).then(|| need.to_string())
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.at(path)).ok()
    }

    fn is(&self, path: &Path, is_so: impl Fn(&FileType) -> bool) -> bool {
        self.at(path).metadata().is_ok_and(|about| is_so(&about.file_type()))
    }

    /// A name from another host must not lead to any other file.
    fn is_in(&self, folder: &str, name: &str) -> bool {
        let is_name = !name.contains('/') && !matches!(name, "" | "." | "..");
        is_name && self.at(folder).join(name).exists()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.at(folder)).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// QEMU uses one pipe for both directions, or one for each.
    fn has_pipe(&self, path: &Path) -> bool {
        let end = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            self.is(Path::new(&name), FileTypeExt::is_fifo)
        };
        end("") || (end(".in") && end(".out"))
    }

    fn has_program(&self, path: &Path) -> bool {
        const FOLDERS: [&str; 8] = [
            "/usr/local/sbin",
            "/usr/local/bin",
            "/usr/sbin",
            "/usr/bin",
            "/sbin",
            "/bin",
            "/usr/libexec",
            "/usr/lib/qemu",
        ];
        if path.is_absolute() {
            return self.is(path, FileType::is_file);
        }
        FOLDERS.iter().any(|folder| self.is(&Path::new(folder).join(path), FileType::is_file))
    }

    /// Vendor and product of each.
    fn usb_devices(&self) -> Vec<String> {
        const FOLDER: &str = "sys/bus/usb/devices";
        let id = |device: &str, file: &str| self.read(&format!("{FOLDER}/{device}/{file}"));
        let name = |device: &String| {
            Some(format!("{}:{}", id(device, "idVendor")?.trim(), id(device, "idProduct")?.trim()))
        };
        self.names(FOLDER).iter().filter_map(name).collect()
    }

    /// Whether there are pages of that size, or the kernel may allocate some.
    fn has_huge_pages(&self, size: Option<u64>) -> bool {
        let usual = || {
            let about = self.read("proc/meminfo")?;
            let line = about.lines().find_map(|line| line.strip_prefix("Hugepagesize:"))?;
            line.trim().strip_suffix(" kB")?.parse().ok()
        };
        let Some(kib) = size.map(|size| size / 1024).or_else(usual) else { return false };
        let count = |file: &str| {
            let text = self.read(&format!("sys/kernel/mm/hugepages/hugepages-{kib}kB/{file}"));
            text.and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        count("nr_hugepages") > 0 || count("nr_overcommit_hugepages") > 0
    }

    // cpuset cpu io memory hugetlb pids rdma misc
    //
    // #subsys_name	hierarchy	num_cgroups	enabled
    // cpuset	0	1	1
    /// If the kernel does not list control groups, none is reported missing.
    fn has_controller(&self, name: &str) -> bool {
        if let Some(all) = self.read("sys/fs/cgroup/cgroup.controllers") {
            return all.split_whitespace().any(|one| one == name);
        }
        let Some(all) = self.read("proc/cgroups") else { return true };
        let older = if name == "io" { "blkio" } else { name };
        let mut lines = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.any(|words| words.first() == Some(&older) && words.last() == Some(&"1"))
    }

    // root:x:0:0:root:/root:/bin/bash
    /// A name that only a name service knows is not in the file: then it is not reported missing.
    fn has_name(&self, kind: &str, name: &str) -> bool {
        let switch = self.read("etc/nsswitch.conf").unwrap_or_default();
        let services = |line| str::strip_prefix(line, kind)?.strip_prefix(':');
        let is_here_alone = switch.lines().filter_map(services).all(|services| {
            services.split_whitespace().all(|service| matches!(service, "files" | "compat" | "systemd"))
        });
        let Some(names) = self.read(&format!("etc/{kind}")).filter(|_| is_here_alone) else { return true };
        names.lines().any(|line| line.split(':').next() == Some(name))
    }

    // {
    //   "description": "QEMU virtiofsd vhost-user-fs",
    //   "type": "fs",
    //   "binary": "/usr/libexec/virtiofsd"
    // }
    /// QEMU's list of such programs, from which libvirt chooses one.
    fn has_vhost_user(&self, kind: &str) -> bool {
        const FOLDERS: [&str; 2] = ["etc/qemu/vhost-user", "usr/share/qemu/vhost-user"];
        let program = |path: String| -> Option<PathBuf> {
            let about: serde_json::Value = serde_json::from_str(&self.read(&path)?).ok()?;
            (about.get("type")?.as_str()? == kind).then_some(about.get("binary")?.as_str()?.into())
        };
        let files = FOLDERS
            .iter()
            .flat_map(|folder| self.names(folder).into_iter().map(move |it| format!("{folder}/{it}")));
        files.filter_map(program).any(|path| self.has_program(&path))
    }

    fn online(&self, kind: &str) -> Option<Numbers> {
        let text = self.read(&format!("sys/devices/system/{kind}/online"))?;
        Some(Numbers::parse(&text)).filter(|numbers| !numbers.is_empty())
    }
}

/// Whether no process on this host can listen on that address, or on none that the name resolves to.
pub async fn misses_address(address: &str) -> bool {
    let address = address.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = address.parse() {
        return !is_own(address);
    }
    // Any address, or one that belongs to an interface by its name.
    if matches!(address, "" | "*") || address.contains('%') {
        return false;
    }
    let found = tokio::time::timeout(Duration::from_secs(5), tokio::net::lookup_host((address, 0))).await;
    match found {
        Ok(Ok(mut found)) => !found.any(|one| is_own(one.ip())),
        _ => true,
    }
}

/// Whether a process listens on it already.
pub fn is_taken(address: &str, port: u16) -> bool {
    let listener = std::net::TcpListener::bind((address.trim_matches(['[', ']']), port));
    listener.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

/// The kernel refuses to bind an address of another host.
fn is_own(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn host() -> (tempfile::TempDir, Here) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (path, text) in [
            ("dev/hwrng", ""),
            ("srv/logs/x.log", ""),
            ("usr/bin/qemu-pr-helper", ""),
            ("dev/dri/renderD128", ""),
            ("sys/bus/pci/devices/0000:3b:00.1/class", ""),
            ("sys/bus/usb/devices/1-1/idVendor", "046d\n"),
            ("sys/bus/usb/devices/1-1/idProduct", "c52b\n"),
            ("sys/bus/mdev/devices/c2177883-f1bb-47f0-914d-32a22e3a8804/x", ""),
            ("sys/class/scsi_device/2:0:1:0/x", ""),
            ("sys/class/net/br0/x", ""),
            ("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "4\n"),
            ("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n"),
            ("sys/kernel/mm/hugepages/hugepages-64kB/nr_overcommit_hugepages", "7\n"),
            ("proc/meminfo", "MemTotal: 1 kB\nHugepagesize:       2048 kB\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpuset cpu memory\n"),
            ("etc/nsswitch.conf", "passwd: files systemd\n"),
            ("etc/group", "root:x:0:\nkvm:x:107:qemu\n"),
            ("usr/libexec/virtiofsd", ""),
            ("usr/share/qemu/vhost-user/50-fs.json", r#"{"type": "fs", "binary": "/usr/libexec/virtiofsd"}"#),
            ("etc/qemu/vhost-user/50-gpu.json", r#"{"type": "gpu", "binary": "/usr/libexec/gone"}"#),
            ("etc/qemu/vhost-user/60-odd.json", "{"),
            ("etc/passwd", "root:x:0:0::/:/bin/sh\nqemu:x:107:107::/:/bin/false\n"),
            ("sys/devices/system/cpu/online", "0-3\n"),
            ("sys/devices/system/node/online", "0-1\n"),
        ] {
            make(root, path, text);
        }
        let here = Here { root: root.to_owned() };
        (folder, here)
    }

    #[test]
    fn each_thing_is_found_where_the_kernel_or_the_file_system_has_it_and_named_where_not() {
        let (folder, here) = host();
        let fifo = |name: &str| {
            let mode = rustix::fs::Mode::from(0o600);
            let path = folder.path().join(name);
            rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        };
        ["srv/pipe", "srv/two.in", "srv/two.out", "srv/half.in"].into_iter().for_each(fifo);
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("srv/s.sock")).unwrap();
        let there = uuid::uuid!("c2177883-f1bb-47f0-914d-32a22e3a8804");
        let numbers = Numbers::parse;
        for (need, missed) in [
            (Need::Device("/dev/hwrng".into()), None),
            (Need::Device("/dev/hwrng7".into()), Some("no /dev/hwrng7")),
            (Need::File("/root/key".into()), Some("no /root/key")),
            (Need::Folder("/srv/logs".into()), None),
            (Need::Folder("/srv/logs/x.log".into()), Some("no folder /srv/logs/x.log")),
            (Need::Socket("/srv/s.sock".into()), None),
            (Need::Socket("/srv/pipe".into()), Some("no socket /srv/pipe")),
            (Need::Pipe("/srv/pipe".into()), None),
            (Need::Pipe("/srv/two".into()), None),
            (Need::Pipe("/srv/half".into()), Some("no pipe /srv/half")),
            (Need::Program("qemu-pr-helper".into()), None),
            (Need::Program("/usr/bin/qemu-pr-helper".into()), None),
            (Need::Program("ovs-vsctl".into()), Some("no program ovs-vsctl")),
            (Need::RenderNode, None),
            (Need::Pci("0000:3b:00.1".into()), None),
            (Need::Pci("0000:3b:00.2".into()), Some("no PCI device 0000:3b:00.2")),
            (Need::Usb("046d:c52b".into()), None),
            (Need::Usb("046d:c52c".into()), Some("no USB device 046d:c52c")),
            (Need::Mediated(there), None),
            (
                Need::Mediated(uuid::Uuid::nil()),
                Some("no mediated device 00000000-0000-0000-0000-000000000000"),
            ),
            (Need::Scsi("scsi_host2".into(), [0, 1, 0]), None),
            (Need::Scsi("scsi_host2".into(), [0, 2, 0]), Some("no SCSI device 0:2:0 of scsi_host2")),
            (Need::NetDevice("br0".into()), None),
            (Need::NetDevice("../net/br0".into()), Some("no network device ../net/br0")),
            (Need::HugePages(Some(2 << 20)), None),
            (Need::HugePages(None), None),
            (Need::HugePages(Some(64 << 10)), None),
            (Need::HugePages(Some(1 << 30)), Some("no huge pages of 1G")),
            (Need::HugePages(Some(16 << 30)), Some("no huge pages of 16G")),
            (Need::Controller("memory"), None),
            (Need::Controller("io"), Some("no control groups of io")),
            (Need::User("qemu".into()), None),
            (Need::User("kvm".into()), Some("no user kvm")),
            (Need::Group("kvm".into()), None),
            (Need::Group("qemu".into()), Some("no group qemu")),
            (Need::VhostUser("fs"), None),
            (Need::VhostUser("gpu"), Some("no vhost-user program of type gpu")),
            (Need::Processors(numbers("0-3")), None),
            (Need::Processors(numbers("2,500-503")), Some("no processor 500, nor 501-503")),
            (Need::Nodes(numbers("1")), None),
            (Need::Nodes(numbers("0,2")), Some("no memory node 2")),
        ] {
            assert_eq!(here.misses(&need).as_deref(), missed, "{need:?}");
        }
        std::fs::remove_dir_all(folder.path().join("dev/dri")).unwrap();
        assert_eq!(here.misses(&Need::RenderNode).as_deref(), Some("no render node in /dev/dri"));
    }

    #[test]
    fn what_a_kernel_does_not_tell_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let here = Here { root: folder.path().to_owned() };
        for need in [
            Need::Controller("cpu"),
            Need::Processors(Numbers::parse("7")),
            Need::Nodes(Numbers::parse("0")),
            Need::User("qemu".into()),
        ] {
            assert_eq!(here.misses(&need), None, "{need:?}");
        }
        make(
            folder.path(),
            "proc/cgroups",
            "#subsys_name\thierarchy\tnum_cgroups\tenabled\nblkio\t0\t1\t1\ncpu\t0\t1\t0\n",
        );
        assert_eq!(here.misses(&Need::Controller("io")), None);
        assert_eq!(here.misses(&Need::Controller("cpu")).as_deref(), Some("no control groups of cpu"));
        make(folder.path(), "etc/passwd", "root:x:0:0::/:/bin/sh\n");
        make(folder.path(), "etc/nsswitch.conf", "passwd: files sss\n");
        assert_eq!(here.misses(&Need::User("qemu".into())), None, "another service may know it");
    }

    #[test]
    fn a_port_is_taken_while_somebody_listens_on_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_taken("127.0.0.1", port) && !is_taken("192.0.2.7", port) && !is_taken("no such", port));
    }

    #[tokio::test]
    async fn an_address_is_here_if_one_could_listen_on_it() {
        for (address, missed) in [
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("localhost", false),
            ("192.0.2.7", true),
            ("2001:db8::7", true),
            ("no-such-host.invalid", true),
            ("fe80::1%eth0", false),
            ("*", false),
            ("[::1]", false),
        ] {
            assert_eq!(misses_address(address).await, missed, "{address}");
        }
    }
}
