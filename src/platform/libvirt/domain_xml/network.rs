//! Interfaces: their networks, and what else of its host each of them names.

use roxmltree::Node;

use super::devices::{folder_of, usb};
use super::need::Need;
use super::{Domain, child, pci_of};
use crate::model::{Against, Interface, Mac, Network};

pub fn interface(device: Node<'_, '_>, domain: &mut Domain) {
    of_host(device, domain);
    let Some((_, network)) = network_of(device) else { return };
    domain.networks.push(network.clone());
    domain.interfaces.extend(mac_of(device).map(|mac| Interface::new(mac, network)));
}

/// The network of an interface, and the attribute of its `<source>` that names it.
pub fn network_of(device: Node<'_, '_>) -> Option<(&'static str, Network)> {
    let source = child(device, "source")?;
    let (attribute, network): (_, fn(String) -> Network) = match device.attribute("type")? {
        // In a running zone, an interface in a managed network looks like one on the bridge or device behind that.
        "network" | "bridge" | "direct" if source.has_attribute("network") => ("network", Network::Managed),
        "bridge" => ("bridge", Network::Bridge),
        "direct" | "ethernet" => ("dev", Network::Device),
        _ => return None,
    };
    Some((attribute, network(source.attribute(attribute)?.to_owned())))
}

pub fn mac_of(device: Node<'_, '_>) -> Option<Mac> {
    child(device, "mac")?.attribute("address")?.parse().ok()
}

fn of_host(device: Node<'_, '_>, domain: &mut Domain) {
    let source = child(device, "source");
    let said = |name: &str| source.and_then(|node| node.attribute(name));
    let owned = |name: &str| said(name).map(str::to_owned);
    match device.attribute("type") {
        Some("hostdev") if source.is_some() => {
            domain.obstacle(Against::Moves, "network device of this host passed through");
            let address = source.and_then(|node| child(node, "address"));
            domain.needs(match address.and_then(|node| node.attribute("type")) {
                Some("usb") => source.and_then(usb),
                _ => address.and_then(pci_of).map(Need::Pci),
            });
        }
        Some("vdpa") => {
            let path = said("dev").unwrap_or_default();
            domain.bound(format!("vDPA device of this host ({path})"), Need::Device(path.into()));
        }
        Some("vhostuser") if said("mode") == Some("server") => {
            domain.needs(said("path").and_then(folder_of).map(Need::Folder));
        }
        Some("vhostuser") => {
            domain.need_path(said("path"), Need::Socket);
            // With passt: the device for outgoing traffic.
            domain.needs(owned("dev").map(Need::NetDevice));
        }
        Some("server") => domain.needs(owned("address").map(Need::Address)),
        Some("udp") => {
            let local = source.and_then(|node| child(node, "local"));
            domain.needs(local.and_then(|node| node.attribute("address")).map(|it| Need::Address(it.into())));
        }
        Some("user") => domain.needs(owned("dev").map(Need::NetDevice)),
        Some("network") | Some("bridge") => {
            let group = owned("network").zip(owned("portgroup"));
            domain.needs(group.map(|(network, name)| Need::PortGroup(network, name)));
        }
        _ => {}
    }
    parts(device, domain);
}

fn parts(device: Node<'_, '_>, domain: &mut Domain) {
    for part in device.children().filter(Node::is_element) {
        let said = |name: &str| part.attribute(name);
        match part.tag_name().name() {
            "filterref" => domain.needs(said("filter").map(|name| Need::Filter(name.to_owned()))),
            "script" | "downscript" => domain.need_path(said("path"), Need::Program),
            // Another program creates it.
            "target" if said("managed") == Some("no") => {
                domain.needs(said("dev").map(|name| Need::NetDevice(name.to_owned())));
            }
            "backend" => {
                domain.need_path(said("tap"), Need::Device);
                domain.need_path(said("vhost"), Need::Device);
                domain.needs(said("logFile").and_then(folder_of).map(Need::Folder));
                domain.needs((said("type") == Some("passt")).then(|| Need::Program("passt".into())));
            }
            "driver" if said("name") == Some("vhost") => {
                domain.needs([Need::Device("/dev/vhost-net".into())]);
            }
            "virtualport" => {
                let program = match said("type") {
                    Some("openvswitch") => Some("ovs-vsctl"),
                    Some("midonet") => Some("mm-ctl"),
                    Some("802.1Qbg") => Some("lldpad"),
                    _ => None,
                };
                domain.needs(program.map(|name| Need::Program(name.into())));
            }
            "portForward" => {
                domain.needs(said("dev").map(|name| Need::NetDevice(name.to_owned())));
                domain.needs(said("address").map(|name| Need::Address(name.to_owned())));
            }
            _ => {}
        }
    }
}
