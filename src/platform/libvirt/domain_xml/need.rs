//! What a domain names of its host besides storage and networks: a device, a folder for its log, a CPU.
//! `docs/what-is-checked.md` has the table; `check::host_resources` finds out whether a host has it.

use std::collections::HashSet;
use std::path::PathBuf;

use uuid::Uuid;

use super::numbers::Numbers;
use crate::model::{BlockerKind, format_bytes};

/// Something of its host that a domain names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// A device node, or another file of the kernel's.
    Device(PathBuf),
    /// A file that each host has for itself.
    File(PathBuf),
    /// A folder in which a file or socket is created.
    Folder(PathBuf),
    /// A socket on which a program listens.
    Socket(PathBuf),
    /// A named pipe, or two with this prefix.
    Pipe(PathBuf),
    /// A program: its path, or only its name.
    Program(PathBuf),
    /// Any render node (`/dev/dri/renderD128`).
    RenderNode,
    /// A PCI device, by its address.
    Pci(String),
    /// A USB device, by vendor and product.
    Usb(String),
    Mediated(Uuid),
    /// A SCSI device: the host's adapter; bus, target and unit.
    Scsi(String, [u32; 3]),
    /// A network device, besides those that its interfaces are connected to.
    NetDevice(String),
    /// An active network of libvirt's, besides those that its interfaces are connected to.
    Network(String),
    /// A port group of a network.
    PortGroup(String, String),
    /// A network filter.
    Filter(String),
    /// An address to listen on.
    Address(String),
    /// A port that is free to listen on.
    Port(String, u16),
    /// A vsock context id, unique among the running zones.
    Cid(u32),
    /// Huge pages of that size in bytes; none: of the default size.
    HugePages(Option<u64>),
    Processors(Numbers),
    /// NUMA nodes.
    Nodes(Numbers),
    /// A cgroup controller, by its name in cgroup v2.
    Controller(&'static str),
    /// A security driver.
    Security(String),
    /// A user name.
    User(String),
    /// A group name.
    Group(String),
    /// Any vhost-user program for a kind of device (`fs`, `gpu`).
    VhostUser(&'static str),
    /// A TSC of that frequency in Hz, or a CPU that can scale to it.
    Tsc(u64),
    /// A volume of a libvirt storage pool: pool and volume.
    Volume(String, String),
    /// A libvirt secret.
    Secret(Uuid),
    /// A libvirt secret by its usage: type and name.
    SecretFor(String, String),
}

impl Need {
    /// The kind of the blocker if it is missing.
    pub const fn kind(&self) -> BlockerKind {
        match self {
            Self::NetDevice(_)
            | Self::Network(_)
            | Self::PortGroup(..)
            | Self::Filter(_)
            | Self::Address(_)
            | Self::Port(..) => BlockerKind::Network,
            Self::Volume(..) | Self::Secret(_) | Self::SecretFor(..) => BlockerKind::Storage,
            _ => BlockerKind::Platform,
        }
    }
}

/// A user or group given by name; none if it is given by number: `+107`.
pub fn by_name(text: &str) -> Option<String> {
    let is_number = text.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then(|| text.to_owned())
}

/// Removes duplicates, and unites all CPUs and all NUMA nodes at the place of their first occurrence.
pub fn each_once(needs: Vec<Need>) -> Vec<Need> {
    let all = |of: fn(&Need) -> Option<&Numbers>| Numbers::union(needs.iter().filter_map(of));
    let processors = all(|need| if let Need::Processors(some) = need { Some(some) } else { None });
    let nodes = all(|need| if let Need::Nodes(some) = need { Some(some) } else { None });
    let mut known = HashSet::new();
    let joined = needs.into_iter().map(|need| match need {
        Need::Processors(_) => Need::Processors(processors.clone()),
        Need::Nodes(_) => Need::Nodes(nodes.clone()),
        need => need,
    });
    joined.filter(|need| known.insert(need.clone())).collect()
}

/// The message if it is missing.
impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Device(path) | Self::File(path) => write!(f, "no {}", path.display()),
            Self::Folder(path) => write!(f, "no folder {}", path.display()),
            Self::Socket(path) => write!(f, "no socket {}", path.display()),
            Self::Pipe(path) => write!(f, "no pipe {}", path.display()),
            Self::Program(path) => write!(f, "no program {}", path.display()),
            Self::RenderNode => write!(f, "no render node in /dev/dri"),
            Self::Pci(address) => write!(f, "no PCI device {address}"),
            Self::Usb(name) => write!(f, "no USB device {name}"),
            Self::Mediated(uuid) => write!(f, "no mediated device {uuid}"),
            Self::Scsi(adapter, [bus, target, unit]) => {
                write!(f, "no SCSI device {bus}:{target}:{unit} of {adapter}")
            }
            Self::NetDevice(name) => write!(f, "no network device {name}"),
            Self::Network(name) => write!(f, "no active network {name}"),
            Self::PortGroup(network, name) => write!(f, "no port group {name} of network {network}"),
            Self::Filter(name) => write!(f, "no network filter {name}"),
            Self::Address(address) => write!(f, "no address {address}"),
            Self::Port(address, port) => write!(f, "port {port} of {address} is in use"),
            Self::Cid(cid) => write!(f, "another zone has the number {cid} (vsock)"),
            Self::HugePages(Some(size)) => write!(f, "no huge pages of {}", format_bytes(*size)),
            Self::HugePages(None) => write!(f, "no huge pages"),
            Self::Processors(all) => f.write_str(&all.missing("processor").unwrap_or_default()),
            Self::Nodes(all) => f.write_str(&all.missing("memory node").unwrap_or_default()),
            Self::Controller(name) => write!(f, "no control groups of {name}"),
            Self::Security(name) => write!(f, "no security driver {name}"),
            Self::User(name) => write!(f, "no user {name}"),
            Self::Group(name) => write!(f, "no group {name}"),
            Self::VhostUser(kind) => write!(f, "no vhost-user program of type {kind}"),
            Self::Tsc(frequency) => write!(f, "no time stamp counter of {frequency} Hz"),
            Self::Volume(pool, volume) => write!(f, "no volume {volume} of pool {pool}"),
            Self::Secret(uuid) => write!(f, "no secret {uuid}"),
            Self::SecretFor(kind, name) => write!(f, "no secret for {kind} {name}"),
        }
    }
}
