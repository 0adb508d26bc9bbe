//! Devices that are part of their host, or are connected to it.

use std::path::{Path, PathBuf};

use roxmltree::Node;
use uuid::Uuid;

use super::need::Need;
use super::storage::network;
use super::{Domain, attribute, child, number, pci_of, text_of};
use crate::model::{Against, Disk, StorageUri};

/// Adds the needs and obstacles of a device.
pub fn device(device: Node<'_, '_>, domain: &mut Domain) {
    match device.tag_name().name() {
        "emulator" => {
            domain.emulator = text_of(device).map(PathBuf::from);
            // The emulator of a virtual machine is one that libvirt knows.
            let own = domain.emulator.clone().filter(|_| domain.virt == "lxc");
            domain.needs(own.map(Need::Program));
        }
        "hostdev" => hostdev(device, domain),
        "serial" | "parallel" | "console" | "channel" | "redirdev" => character(device, domain),
        "smartcard" => smartcard(device, domain),
        "tpm" => tpm(device, domain),
        "rng" => rng(device, domain),
        "input" => input(device, domain),
        "graphics" => graphics(device, domain),
        "video" => video(device, domain),
        "audio" => audio(device, domain),
        "vsock" => {
            domain.needs([Need::Device("/dev/vhost-vsock".into())]);
            // Otherwise libvirt chooses another one at the destination.
            let is_fixed = |cid: &Node<'_, '_>| cid.attribute("auto") != Some("yes");
            let cid = child(device, "cid").filter(is_fixed);
            domain.needs(cid.and_then(|cid| number(cid.attribute("address")?)).map(Need::Cid));
        }
        "shmem" => {
            domain.obstacle(Against::Any, "memory shared with other processes of this host (shmem)");
            domain.need_path(child(device, "server").and_then(|node| node.attribute("path")), Need::Socket);
        }
        _ => {}
    }
    domain.read_file("rom", child(device, "rom").and_then(|rom| rom.attribute("file")));
}

/// The folder in which a file is created; none if libvirt creates the folder, too.
pub fn folder_of(path: &str) -> Option<PathBuf> {
    const OWN: [&str; 4] = ["/var/lib/libvirt/", "/run/libvirt/", "/var/run/libvirt/", "/var/log/libvirt/"];
    let folder = Path::new(path).parent()?;
    (path.starts_with('/') && !OWN.iter().any(|own| path.starts_with(own))).then(|| folder.to_owned())
}

fn hostdev(device: Node<'_, '_>, domain: &mut Domain) {
    let source = child(device, "source");
    let kind = device.attribute("type").unwrap_or_default();
    let part = |name: &str| source.and_then(|node| child(node, name));
    let is_optional = source.and_then(|node| node.attribute("startupPolicy")) == Some("optional");
    let (found, against) = match kind {
        "pci" => {
            let driver = child(device, "driver").and_then(|node| node.attribute("iommufd"));
            domain.needs((driver == Some("yes")).then(|| Need::Device("/dev/iommu".into())));
            (part("address").and_then(pci_of).map(Need::Pci), Against::Moves)
        }
        "usb" => (source.and_then(usb), Against::Moves),
        "mdev" => (part("address").and_then(mediated).map(Need::Mediated), Against::Moves),
        "scsi" if source.and_then(|node| node.attribute("protocol")) == Some("iscsi") => {
            match source.map(network) {
                Some(Ok(storage)) => domain.disks.push(Disk::new("hostdev", storage, false)),
                Some(Err(error)) => domain.obstacle(Against::Any, error.to_string()),
                None => {}
            }
            (None, Against::Moves)
        }
        "scsi" => match source.and_then(scsi) {
            Some(found) => (Some(found), Against::Moves),
            None => (None, Against::Any),
        },
        "scsi_host" => {
            let target = source.and_then(|node| node.attribute("wwpn"));
            let path = target.map(|wwpn| format!("/sys/kernel/config/target/vhost/{wwpn}"));
            (path.map(|path| Need::Device(path.into())), Against::Moves)
        }
        // In a container.
        "storage" => (part("block").and_then(text_of).map(|path| Need::Device(path.into())), Against::Moves),
        "misc" => (part("char").and_then(text_of).map(|path| Need::Device(path.into())), Against::Moves),
        "net" => (part("interface").and_then(text_of).map(Need::NetDevice), Against::Moves),
        _ => (None, Against::Any),
    };
    domain.obstacle(against, format!("host device passed through ({})", describe(device)));
    domain.needs(found.filter(|_| !is_optional));
}

/// The description of the device in its obstacle.
fn describe(device: Node<'_, '_>) -> String {
    let source = child(device, "source");
    let address = source.and_then(|source| child(source, "address"));
    let parts: Vec<_> = address.iter().flat_map(|node| node.attributes()).map(|part| part.value()).collect();
    let named = source.and_then(|source| {
        ["block", "char", "interface"].iter().find_map(|name| child(source, name).and_then(text_of))
    });
    format!("{} {}", attribute(device, "type"), named.unwrap_or_else(|| parts.join(":"))).trim().to_owned()
}

/// A USB device, by vendor and product or by its port.
pub fn usb(source: Node<'_, '_>) -> Option<Need> {
    let id = |name: &str| child(source, name).and_then(|node| number(node.attribute("id")?));
    if let (Some(vendor), Some(product)) = (id("vendor"), id("product")) {
        return Some(Need::Usb(format!("{vendor:04x}:{product:04x}")));
    }
    let address = child(source, "address")?;
    let [bus, device] = ["bus", "device"].map(|name| address.attribute(name).and_then(number));
    Some(Need::Device(format!("/dev/bus/usb/{:03}/{:03}", bus?, device?).into()))
}

fn mediated(address: Node<'_, '_>) -> Option<Uuid> {
    address.attribute("uuid")?.parse().ok()
}

fn scsi(source: Node<'_, '_>) -> Option<Need> {
    let adapter = child(source, "adapter")?.attribute("name")?;
    let address = child(source, "address")?;
    let part = |name: &str| address.attribute(name).and_then(number);
    Some(Need::Scsi(adapter.to_owned(), [part("bus")?, part("target")?, part("unit")?]))
}

/// A character device: its source and destination, and its log file.
fn character(device: Node<'_, '_>, domain: &mut Domain) {
    let kind = device.attribute("type").unwrap_or_default();
    for source in device.children().filter(|node| node.has_tag_name("source")) {
        stream(kind, source, domain);
    }
    let log = child(device, "log").and_then(|log| log.attribute("file"));
    domain.needs(log.and_then(folder_of).map(Need::Folder));
}

fn stream(kind: &str, source: Node<'_, '_>, domain: &mut Domain) {
    let (path, mode) = (source.attribute("path"), source.attribute("mode"));
    match (kind, mode) {
        ("dev", _) => {
            if let Some(path) = path {
                domain.bound(format!("device of this host ({path})"), Need::Device(path.into()));
            }
        }
        ("file", _) | ("unix", Some("bind" | "server")) => {
            domain.needs(path.and_then(folder_of).map(Need::Folder));
        }
        ("pipe", _) => domain.need_path(path, Need::Pipe),
        ("unix", _) => domain.need_path(path, Need::Socket),
        ("tcp" | "udp", Some("bind")) => {
            let host = source.attribute("host").map(str::to_owned);
            let service = source.attribute("service").and_then(|port| port.parse().ok());
            let port = host.clone().zip(service).filter(|_| kind == "tcp");
            domain.needs(host.map(Need::Address));
            domain.needs(port.map(|(host, port)| Need::Port(host, port)));
        }
        _ => {}
    }
}

fn smartcard(device: Node<'_, '_>, domain: &mut Domain) {
    match device.attribute("mode") {
        Some("host") => domain.obstacle(Against::Any, "smart card of this host"),
        Some("host-certificates") => {
            let database = child(device, "database").and_then(text_of);
            let database = database.unwrap_or_else(|| "/etc/pki/nssdb".to_owned());
            let reason = format!("certificates of this host ({database})");
            domain.bound(reason, Need::Folder(database.into()));
        }
        _ => character(device, domain),
    }
}

fn tpm(device: Node<'_, '_>, domain: &mut Domain) {
    let Some(backend) = child(device, "backend") else { return };
    match backend.attribute("type") {
        Some("emulator") => match child(backend, "source").and_then(|node| node.attribute("path")) {
            Some(path) => {
                let kind = child(backend, "source").and_then(|node| node.attribute("type"));
                let path = PathBuf::from(path);
                let source = if kind == Some("dir") { StorageUri::dir(path) } else { StorageUri::file(path) };
                domain.disks.push(Disk::new("tpm", source, false));
                domain.obstacle(Against::Moves, "emulated TPM with its state in a place of its own");
            }
            None => domain.obstacle(Against::Any, "emulated TPM: its state lies on this host only"),
        },
        Some("external") => character_of(backend, domain),
        _ => {
            let path = child(backend, "device").and_then(|node| node.attribute("path"));
            let path = path.unwrap_or("/dev/tpm0");
            domain.bound(format!("TPM of this host ({path})"), Need::Device(path.into()));
        }
    }
    let secret = child(backend, "encryption").and_then(|node| node.attribute("secret")?.parse().ok());
    domain.needs(secret.map(Need::Secret));
}

/// A backend whose source names the kind of stream.
fn character_of(backend: Node<'_, '_>, domain: &mut Domain) {
    for source in backend.children().filter(|node| node.has_tag_name("source")) {
        let kind = source.attribute("type").or_else(|| backend.attribute("type"));
        stream(kind.unwrap_or_default(), source, domain);
    }
}

fn rng(device: Node<'_, '_>, domain: &mut Domain) {
    let Some(backend) = child(device, "backend") else { return };
    match backend.attribute("model") {
        Some("random") => {
            let path = text_of(backend).unwrap_or_else(|| "/dev/urandom".to_owned());
            domain.needs([Need::Device(path.into())]);
        }
        _ => character(backend, domain),
    }
}

fn input(device: Node<'_, '_>, domain: &mut Domain) {
    let source = child(device, "source");
    let path = source.and_then(|node| node.attribute("dev").or_else(|| node.attribute("evdev")));
    if let Some(path) = path {
        domain.bound(format!("input device of this host ({path})"), Need::Device(path.into()));
    }
}

fn graphics(device: Node<'_, '_>, domain: &mut Domain) {
    let said = |name: &str| device.attribute(name);
    let mut addresses: Vec<_> = said("listen").into_iter().collect();
    for listen in device.children().filter(|node| node.has_tag_name("listen")) {
        match listen.attribute("type") {
            Some("socket") => {
                domain.needs(listen.attribute("socket").and_then(folder_of).map(Need::Folder));
            }
            Some("network") => {
                domain.needs(listen.attribute("network").map(|name| Need::Network(name.to_owned())));
                // The address at its former host.
                addresses.clear();
            }
            _ => addresses.extend(listen.attribute("address")),
        }
    }
    domain.needs(said("socket").and_then(folder_of).map(Need::Folder));
    let ports = ["port", "tlsPort", "websocket"].map(|name| said(name).and_then(|port| port.parse().ok()));
    for port in ports.into_iter().flatten().filter(|_| said("autoport") != Some("yes")) {
        // libvirt's default, unless qemu.conf has another.
        let address = addresses.first().copied().unwrap_or("127.0.0.1");
        domain.needs([Need::Port(address.to_owned(), port)]);
    }
    domain.needs(addresses.into_iter().map(|address| Need::Address(address.to_owned())));
    if said("type") == Some("sdl") {
        domain.obstacle(Against::Moves, "window on a screen of this host (sdl)");
        domain.need_path(said("xauth"), Need::File);
    }
    domain.need_path(said("address").and_then(|address| address.strip_prefix("unix:path=")), Need::Socket);
    let gl = child(device, "gl")
        .filter(|gl| gl.attribute("enable") == Some("yes") || gl.has_attribute("rendernode"));
    match (gl, gl.and_then(|gl| gl.attribute("rendernode"))) {
        (_, Some(node)) => domain.needs([Need::Device(node.into())]),
        (Some(_), None) => domain.needs([Need::RenderNode]),
        (None, None) if said("type") == Some("egl-headless") => domain.needs([Need::RenderNode]),
        (None, None) => {}
    }
}

fn video(device: Node<'_, '_>, domain: &mut Domain) {
    let acceleration = child(device, "model").and_then(|model| child(model, "acceleration"));
    domain.need_path(acceleration.and_then(|node| node.attribute("rendernode")), Need::Device);
    let driver = child(device, "driver").and_then(|node| node.attribute("name"));
    domain.needs((driver == Some("vhostuser")).then_some(Need::VhostUser("gpu")));
    let is_3d = acceleration.is_some_and(|node| node.attribute("accel3d") == Some("yes"));
    if is_3d && driver != Some("vhostuser") {
        domain.obstacle(Against::Live, "its display draws in 3D (virgl), which QEMU does not move");
    }
}

fn audio(device: Node<'_, '_>, domain: &mut Domain) {
    match device.attribute("type") {
        Some("file") => domain.needs(device.attribute("path").and_then(folder_of).map(Need::Folder)),
        Some("oss") => {
            let ends =
                device.children().filter(|node| node.has_tag_name("input") || node.has_tag_name("output"));
            for end in ends {
                domain.need_path(end.attribute("dev"), Need::Device);
            }
            domain.need_path(device.attribute("dev"), Need::Device);
        }
        Some("pipewire") => domain.need_path(device.attribute("runtimeDir"), Need::Folder),
        _ => {}
    }
}
