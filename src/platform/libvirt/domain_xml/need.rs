//! What a domain names of its host that is neither storage nor a network of it: a device, a folder for its log, a processor.
//! `docs/what-is-checked.md` has the table; whether a host has it is found out in `check::belongings`.

use std::collections::HashSet;
use std::path::PathBuf;

use uuid::Uuid;

use super::numbers::Numbers;
use crate::model::{BlockerKind, format_bytes};

/// One thing of its host that a domain names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// A device, or another file of the kernel's.
    Device(PathBuf),
    /// A file that each host has for itself.
    File(PathBuf),
    /// A folder in which a file or socket is made.
    Folder(PathBuf),
    /// A socket at which somebody listens.
    Socket(PathBuf),
    /// A pipe, or two with this beginning.
    Pipe(PathBuf),
    /// A program: its path, or its name alone.
    Program(PathBuf),
    /// A device that draws (`/dev/dri/renderD128`), whichever.
    RenderNode,
    /// A PCI device, by its address.
    Pci(String),
    /// A USB device, by vendor and product.
    Usb(String),
    /// A mediated device.
    Mediated(Uuid),
    /// A SCSI device: the host's adapter, and bus, target and unit there.
    Scsi(String, [u32; 3]),
    /// A network device beside those that its interfaces are plugged into.
    NetDevice(String),
    /// A network of libvirt's that is active, beside those that its interfaces are plugged into.
    Network(String),
    /// A group of ports of a network.
    PortGroup(String, String),
    /// A network filter.
    Filter(String),
    /// An address to listen on.
    Address(String),
    /// A port of an address that nobody listens on while it runs.
    Port(String, u16),
    /// A number among the zones that run, by which they are reached past all networks (vsock).
    Cid(u32),
    /// Huge pages of that size in bytes; none: of the usual one.
    HugePages(Option<u64>),
    /// Processors.
    Processors(Numbers),
    /// Memory nodes.
    Nodes(Numbers),
    /// A controller of control groups, by the name that the newer ones have.
    Controller(&'static str),
    /// A driver of security labels.
    Security(String),
    /// A user, by name.
    User(String),
    /// A group of users, by name.
    Group(String),
    /// A program that serves a kind of device (`fs`, `gpu`) to QEMU, whichever.
    VhostUser(&'static str),
    /// A clock of that frequency, in Hz, or a processor that can make one.
    Tsc(u64),
    /// A volume of a pool of libvirt's: pool and volume.
    Volume(String, String),
    /// A secret of libvirt's.
    Secret(Uuid),
    /// A secret by what it is for: the kind of that, and its name.
    SecretFor(String, String),
}

impl Need {
    /// What a blocker is about that it makes.
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

/// A user or a group that is stated by name; none if it is by number: `+107`.
pub fn by_name(text: &str) -> Option<String> {
    let is_number = text.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then(|| text.to_owned())
}

/// Each of them once, and processors and memory nodes all together, where the first of them stood.
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

/// What is said if it is missing.
impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Device(path) | Self::File(path) => write!(f, "no {} there", path.display()),
            Self::Folder(path) => write!(f, "no folder {} there", path.display()),
            Self::Socket(path) => write!(f, "no socket {} there", path.display()),
            Self::Pipe(path) => write!(f, "no pipe {} there", path.display()),
            Self::Program(path) => write!(f, "no program {} there", path.display()),
            Self::RenderNode => write!(f, "no render node in /dev/dri there"),
            Self::Pci(address) => write!(f, "no PCI device {address} there"),
            Self::Usb(name) => write!(f, "no USB device {name} there"),
            Self::Mediated(uuid) => write!(f, "no mediated device {uuid} there"),
            Self::Scsi(adapter, [bus, target, unit]) => {
                write!(f, "no SCSI device {bus}:{target}:{unit} of {adapter} there")
            }
            Self::NetDevice(name) => write!(f, "no network device {name} there"),
            Self::Network(name) => write!(f, "no active network {name} there"),
            Self::PortGroup(network, name) => write!(f, "no port group {name} of network {network} there"),
            Self::Filter(name) => write!(f, "no network filter {name} there"),
            Self::Address(address) => write!(f, "no address {address} there"),
            Self::Port(address, port) => write!(f, "port {port} of {address} is in use there"),
            Self::Cid(cid) => write!(f, "another zone has the number {cid} (vsock) there"),
            Self::HugePages(Some(size)) => write!(f, "no huge pages of {} there", format_bytes(*size)),
            Self::HugePages(None) => write!(f, "no huge pages there"),
            Self::Processors(all) => f.write_str(&all.missing("processor").unwrap_or_default()),
            Self::Nodes(all) => f.write_str(&all.missing("memory node").unwrap_or_default()),
            Self::Controller(name) => write!(f, "no control groups of {name} there"),
            Self::Security(name) => write!(f, "no security driver {name} there"),
            Self::User(name) => write!(f, "no user {name} there"),
            Self::Group(name) => write!(f, "no group {name} there"),
            Self::VhostUser(kind) => write!(f, "no vhost-user program of type {kind} there"),
            Self::Tsc(frequency) => write!(f, "no time stamp counter of {frequency} Hz there"),
            Self::Volume(pool, volume) => write!(f, "no volume {volume} of pool {pool} there"),
            Self::Secret(uuid) => write!(f, "no secret {uuid} there"),
            Self::SecretFor(kind, name) => write!(f, "no secret for {kind} {name} there"),
        }
    }
}
