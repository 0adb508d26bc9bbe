//! Storage: disks and their backing stores, folders, boot files, and memory in files.

use std::path::PathBuf;

use roxmltree::Node;

use super::need::{Need, by_name};
use super::{Domain, attribute, child, live, pci_of, text_of};
use crate::model::{Against, Disk, Presence, StorageUri, StorageUriError};

/// Adds a disk and its backing stores.
pub fn disk(device: Node<'_, '_>, domain: &mut Domain) {
    let target = child(device, "target").map(|node| attribute(node, "dev")).unwrap_or_default();
    // A CD-ROM is never written to, whether it is marked as read-only or not.
    let readonly = child(device, "readonly").is_some() || device.attribute("device") == Some("cdrom");
    match source_of(device) {
        Ok(None) => {}
        Ok(Some(source)) => {
            let disk = Disk::new(target.clone(), source, readonly);
            domain.disks.push(disk.with_presence(presence(device, domain.runs)));
        }
        Err(obstacle) => {
            let is_looked_for =
                matches!(device.attribute("type"), Some("volume" | "nvme" | "vhostuser" | "vhostvdpa"));
            let against = if is_looked_for { Against::Moves } else { Against::Any };
            domain.obstacle(against, format!("disk {target}: {obstacle}"));
        }
    }
    of_host(device, domain);
    let live = |what: &str| format!("disk {target} {what}");
    if child(device, "transient").is_some() {
        domain.obstacle(Against::Live, live("is transient: libvirt moves no such disk while the zone runs"));
    }
    if child(device, "mirror").is_some() {
        domain.obstacle(Against::Live, live("is being copied (a block job)"));
    }
    if device.attribute("type") == Some("dir") && !readonly {
        domain.obstacle(Against::Live, live("is a folder that the zone writes to as a disk"));
    }
    live::disk(device, &target, domain);
    below(device, &target, readonly, domain);
    container_driver(device, domain);
}

/// Adds the driver that reads a container's storage in a format of QEMU's.
fn container_driver(device: Node<'_, '_>, domain: &mut Domain) {
    let driver = child(device, "driver").filter(|_| domain.virt == "lxc");
    let is_nbd =
        driver.is_some_and(|node| ["name", "type"].iter().any(|it| node.attribute(*it) == Some("nbd")));
    domain.needs(is_nbd.then(|| Need::Program("qemu-nbd".into())));
}

/// Adds backing stores, which are read, and data files, which are written to like the disk.
fn below(device: Node<'_, '_>, target: &str, readonly: bool, domain: &mut Domain) {
    let mut level = Some(device);
    while let Some(store) = level {
        let data = child(store, "source").and_then(|source| child(source, "dataStore"));
        if let Some(Ok(Some(source))) = data.map(source_of) {
            let is_read = readonly || store != device;
            domain.disks.push(Disk::new(format!("{target} (data)"), source, is_read));
        }
        level = child(store, "backingStore");
        if let Some(next) = level {
            if let Ok(Some(source)) = source_of(next) {
                domain.disks.push(Disk::new(format!("{target} (backing)"), source, true));
            }
            of_host(next, domain);
        }
    }
}

/// Whether a medium may be missing: libvirt removes an `optional` one from a zone that boots, and a removable one
/// that is `optional` or `requisite` from a zone that arrives running.
fn presence(device: Node<'_, '_>, runs: bool) -> Presence {
    let policy = child(device, "source").and_then(|source| source.attribute("startupPolicy"));
    let is_removable = matches!(device.attribute("device"), Some("cdrom" | "floppy"));
    match (policy, runs) {
        (Some("optional"), false) => Presence::Optional,
        (Some("optional" | "requisite"), true) if is_removable => Presence::Optional,
        _ => Presence::Needed,
    }
}

/// Adds what the source of a disk needs of its host besides the storage itself.
fn of_host(disk: Node<'_, '_>, domain: &mut Domain) {
    let Some(source) = child(disk, "source") else { return };
    match disk.attribute("type") {
        Some("nvme") => domain.needs(child(source, "address").and_then(pci_of).map(Need::Pci)),
        Some("vhostuser") => domain.need_path(source.attribute("path"), Need::Socket),
        Some("vhostvdpa") => domain.need_path(source.attribute("dev"), Need::Device),
        _ => {}
    }
    if source.has_attribute("fdgroup") {
        domain.obstacle(
            Against::Any,
            "disk files passed as file descriptors when the zone was started (fdgroup)",
        );
    }
    if let Some(reservations) = child(source, "reservations") {
        match child(reservations, "source") {
            Some(helper) => domain.need_path(helper.attribute("path"), Need::Socket),
            None => domain.needs([Need::Program("qemu-pr-helper".into())]),
        }
    }
    for identity in source.children().filter(|node| node.has_tag_name("identity")) {
        domain.need_path(identity.attribute("agentsock"), Need::Socket);
        domain.need_path(identity.attribute("keyfile"), Need::File);
        domain.needs(identity.attribute("user").and_then(by_name).map(Need::User));
        domain.needs(identity.attribute("group").and_then(by_name).map(Need::Group));
    }
    domain.need_path(child(source, "knownHosts").and_then(|node| node.attribute("path")), Need::File);
    // If the source names no servers, they are in the configuration file.
    let config = child(source, "config").filter(|_| child(source, "host").is_some());
    domain.need_path(config.and_then(|node| node.attribute("file")), Need::File);
}

/// The source of a disk or of one of its backing stores; none for an empty drive.
pub fn source_of(disk: Node<'_, '_>) -> Result<Option<StorageUri>, String> {
    let Some(source) = child(disk, "source") else { return Ok(None) };
    let path = |name: &str| source.attribute(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    match disk.attribute("type") {
        Some("file") => Ok(path("file").map(StorageUri::file)),
        Some("block") => Ok(path("dev").map(StorageUri::device)),
        Some("dir") => Ok(path("dir").map(StorageUri::dir)),
        Some("network") => network(source).map(Some).map_err(|error| error.to_string()),
        other => {
            Err(format!("storage of type '{}' cannot be checked at a destination", other.unwrap_or("?")))
        }
    }
}

/// Network storage as in its `<source>`: `host::storage_probe::servers` has the format of servers.
pub fn network(source: Node<'_, '_>) -> Result<StorageUri, StorageUriError> {
    let hosts = source.children().filter(|node| node.has_tag_name("host"));
    let mut servers: Vec<_> = hosts.map(server).collect();
    let config = child(source, "config").and_then(|node| node.attribute("file"));
    if let Some(config) = config.filter(|_| servers.is_empty()) {
        servers.push(format!("conf:{config}"));
    }
    StorageUri::network(&attribute(source, "protocol"), servers, &attribute(source, "name"))
}

fn server(host: Node<'_, '_>) -> String {
    if let Some(path) = host.attribute("socket") {
        return format!("unix:{path}");
    }
    let name = attribute(host, "name");
    let place = match host.attribute("port") {
        Some(port) if name.parse::<std::net::Ipv6Addr>().is_ok() => format!("[{name}]:{port}"),
        Some(port) => format!("{name}:{port}"),
        None => name,
    };
    match host.attribute("transport") {
        Some("rdma") => format!("rdma:{place}"),
        _ => place,
    }
}

/// Adds a folder, or what else the zone sees as a folder.
pub fn filesystem(device: Node<'_, '_>, domain: &mut Domain) {
    let target = child(device, "target").map(|node| attribute(node, "dir")).unwrap_or_default();
    let is_container = domain.virt == "lxc";
    if !is_container {
        let reason = format!("folder of this host shared into the zone ({target})");
        domain.obstacle(Against::Live, reason);
    }
    let source = child(device, "source");
    let attribute = |name: &str| source.and_then(|node| node.attribute(name));
    // Served by a daemon that another program starts.
    domain.need_path(attribute("socket"), Need::Socket);
    if attribute("socket").is_some() {
        domain.obstacle(Against::Moves, format!("folder served by a process of this host ({target})"));
    }
    let program = child(device, "binary").and_then(|node| node.attribute("path"));
    domain.need_path(program, Need::Program);
    let driver = child(device, "driver").and_then(|node| node.attribute("type"));
    // libvirt chooses the program.
    let is_chosen = driver == Some("virtiofs") && program.is_none() && attribute("socket").is_none();
    domain.needs(is_chosen.then_some(Need::VhostUser("fs")));
    container_driver(device, domain);
    let source = match device.attribute("type").unwrap_or("mount") {
        "mount" => attribute("dir").map(StorageUri::dir),
        "file" => attribute("file").map(StorageUri::file),
        "block" => attribute("dev").map(StorageUri::device),
        "volume" => {
            let reason =
                format!("folder {target}: storage of type 'volume' cannot be checked at a destination");
            domain.obstacle(Against::Moves, reason);
            None
        }
        // RAM file systems have no contents while the zone does not run, and `bind` is a folder of the
        // container's own.
        _ => None,
    };
    let readonly = child(device, "readonly").is_some();
    // A virtual machine's name for it is not a path, even if it looks like one.
    let target = if is_container { target } else { format!("filesystem {target}") };
    domain.disks.extend(source.map(|source| Disk::new(target, source, readonly)));
}

/// Adds memory in files, and the sources of memory.
pub fn memory(device: Node<'_, '_>, domain: &mut Domain) {
    if device.attribute("model") == Some("sgx-epc") {
        domain.needs([Need::Device("/dev/sgx_vepc".into())]);
    }
    let Some(source) = child(device, "source") else { return };
    if let Some(path) = child(source, "path").and_then(text_of) {
        if path.starts_with("/dev/") {
            domain.bound(format!("memory device of this host ({path})"), Need::Device(path.into()));
        } else {
            let readonly = child(device, "target").is_some_and(|node| child(node, "readonly").is_some());
            domain.disks.push(Disk::new("memory", StorageUri::file(path), readonly));
        }
    }
}

/// Adds the storage of a pstore device: a file that is created when it is first needed.
pub fn pstore(device: Node<'_, '_>, domain: &mut Domain) {
    if let Some(path) = child(device, "path").and_then(text_of) {
        domain.disks.push(Disk::new("pstore", StorageUri::file(path), false).with_presence(Presence::Made));
    }
}

/// Adds the file of a lock manager's lease.
pub fn lease(device: Node<'_, '_>, domain: &mut Domain) {
    let path = child(device, "target").and_then(|target| target.attribute("path"));
    domain.disks.extend(path.map(|path| Disk::new("lease", StorageUri::file(path), false)));
}

/// Adds the files that the zone boots from. Only NVRAM is written to, and may be created anew.
pub fn boot(part: Node<'_, '_>, os: Node<'_, '_>, domain: &mut Domain) {
    let name = part.tag_name().name();
    let is_written = matches!(name, "nvram" | "varstore");
    // The source of NVRAM is in an element of its own, as for a disk, or in an attribute.
    let path = text_of(part).or_else(|| part.attribute("path").map(str::to_owned));
    let source = path.map(|path| Ok(Some(StorageUri::file(path))));
    match source.unwrap_or_else(|| source_of(part)) {
        Ok(None) => {}
        Ok(Some(source)) => {
            // libvirt knows the template of a firmware, too.
            let is_flash = |node: Node<'_, '_>| node.attribute("type") == Some("pflash");
            let is_made = is_written
                && (part.has_attribute("template")
                    || os.has_attribute("firmware")
                    || child(os, "loader").is_some_and(is_flash));
            let presence = if is_made { Presence::Made } else { Presence::Needed };
            domain.disks.push(Disk::new(name, source, !is_written).with_presence(presence));
        }
        Err(obstacle) => {
            let is_volume = part.attribute("type") == Some("volume");
            let against = if is_volume { Against::Moves } else { Against::Any };
            domain.obstacle(against, format!("{name}: {obstacle}"));
        }
    }
    if is_written {
        of_host(part, domain);
        domain.read_file(&format!("{name} template"), part.attribute("template"));
    }
}
