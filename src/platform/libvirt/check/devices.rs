//! Devices of a zone that this host's QEMU or libvirt was built without: `virsh domcapabilities` lists what they
//! support.
//!
//! The list is incomplete: it does not have network cards, sound cards and controllers (see `device_models`), and
//! for some elements only certain values are ever listed: then only those are checked.

use roxmltree::{Document, Node};

use super::super::domain_xml::{self, child};

/// An element of configurations whose supported values the capabilities list.
struct ListedCapability {
    /// Its path below the root, in both documents.
    path: &'static [&'static str],
    /// The child element that contains the value; empty: the element itself.
    child: &'static str,
    /// The attribute that contains the value.
    attribute: &'static str,
    /// The name of the list of supported values.
    list: &'static str,
    /// Its description in messages.
    name: &'static str,
    /// The only values that are ever listed; empty: all values are.
    only: &'static [&'static str],
}

const fn all(
    path: &'static [&'static str],
    [child, attribute]: [&'static str; 2],
    list: &'static str,
    name: &'static str,
) -> ListedCapability {
    ListedCapability { path, child, attribute, list, name, only: &[] }
}

const LISTED: &[ListedCapability] = &[
    all(&["os"], ["", "firmware"], "firmware", "firmware"),
    all(&["os", "loader"], ["", "type"], "type", "loader type"),
    all(&["os", "loader"], ["", "readonly"], "readonly", "loader with readonly="),
    all(&["os", "loader"], ["", "secure"], "secure", "loader with secure="),
    all(&["memoryBacking"], ["source", "type"], "sourceType", "memory backing"),
    all(&["devices", "disk"], ["", "device"], "diskDevice", "disk device"),
    all(&["devices", "disk"], ["", "model"], "model", "disk model"),
    ListedCapability {
        only: &["ide", "fdc", "scsi", "virtio", "usb", "sata"],
        ..all(&["devices", "disk"], ["target", "bus"], "bus", "disk bus")
    },
    all(&["devices", "graphics"], ["", "type"], "type", "graphics"),
    ListedCapability {
        only: &["vga", "cirrus", "vmvga", "qxl", "virtio", "bochs", "ramfb"],
        ..all(&["devices", "video"], ["model", "type"], "modelType", "video model")
    },
    ListedCapability {
        only: &["usb", "pci", "scsi"],
        ..all(&["devices", "hostdev"], ["", "type"], "subsysType", "passing through of devices of type")
    },
    all(&["devices", "rng"], ["", "model"], "model", "random number generator"),
    all(&["devices", "rng"], ["backend", "model"], "backendModel", "source of random numbers"),
    all(&["devices", "filesystem"], ["driver", "type"], "driverType", "file system driver"),
    all(&["devices", "tpm"], ["", "model"], "model", "TPM model"),
    all(&["devices", "tpm"], ["backend", "type"], "backendModel", "TPM backend"),
    all(&["devices", "tpm"], ["backend", "version"], "backendVersion", "TPM version"),
    all(&["devices", "redirdev"], ["", "bus"], "bus", "redirection on bus"),
    ListedCapability { only: &["spicevmc"], ..all(&["devices", "channel"], ["", "type"], "type", "channel") },
    all(&["devices", "crypto"], ["", "model"], "model", "crypto model"),
    all(&["devices", "crypto"], ["backend", "model"], "backendModel", "crypto backend"),
];

/// Descriptions of what a configuration requires and the capabilities lack. What they do not mention is not reported.
pub fn missing(config: &str, capabilities: &str) -> Vec<String> {
    let (Ok(config), Ok(capabilities)) = (domain_xml::read(config), Document::parse(capabilities)) else {
        return Vec::new();
    };
    let (domain, host) = (config.root_element(), capabilities.root_element());
    let mut found: Vec<_> = LISTED.iter().flat_map(|listed| listed.missing(domain, host)).collect();
    found.extend(missing_security(domain, host));
    found.extend(missing_enlightenments(domain, host));
    found.extend(too_many_processors(domain, host));
    let mut named = Vec::new();
    found.into_iter().for_each(|reason| {
        if !named.contains(&reason) {
            named.push(reason)
        }
    });
    named
}

impl ListedCapability {
    fn missing(&self, domain: Node<'_, '_>, host: Node<'_, '_>) -> Vec<String> {
        let Some(section) = below(vec![host], self.path).into_iter().next() else { return Vec::new() };
        let asked: Vec<_> =
            below(vec![domain], self.path).into_iter().filter_map(|one| self.value(one)).collect();
        let name =
            |node: &Node<'_, '_>| node.has_tag_name("enum") && node.attribute("name") == Some(self.list);
        let list = section.children().find(name);
        let values: Option<Vec<_>> =
            list.map(|list| list.children().filter_map(|value| value.text()).map(str::trim).collect());
        let is_there = |value: &str| match &values {
            _ if section.attribute("supported") == Some("no") => false,
            Some(values) => values.contains(&value) || !(self.only.is_empty() || self.only.contains(&value)),
            None => true,
        };
        let missing = asked.into_iter().filter(|value| !is_there(value));
        missing.map(|value| format!("no {}{}{value}", self.name, self.blank())).collect()
    }

    const fn blank(&self) -> &'static str {
        if let [.., b'='] = self.name.as_bytes() { "" } else { " " }
    }

    /// The value that an element asks for.
    fn value<'a>(&self, one: Node<'a, '_>) -> Option<&'a str> {
        let node = if self.child.is_empty() { Some(one) } else { child(one, self.child) };
        node?.attribute(self.attribute)
    }
}

/// All elements with that path.
fn below<'a, 'input>(from: Vec<Node<'a, 'input>>, path: &[&str]) -> Vec<Node<'a, 'input>> {
    let Some((first, rest)) = path.split_first() else { return from };
    let next = from.into_iter().flat_map(|node| node.children()).filter(|node| node.has_tag_name(*first));
    below(next.collect(), rest)
}

//   <features>
//     <sev supported='no'/>
fn missing_security(domain: Node<'_, '_>, host: Node<'_, '_>) -> Option<String> {
    let kind = child(domain, "launchSecurity")?.attribute("type")?;
    let family =
        kind.split_once('-').filter(|(family, _)| *family == "sev").map_or(kind, |(family, _)| family);
    let feature = child(child(host, "features")?, family)?;
    (feature.attribute("supported") == Some("no")).then(|| format!("no launch security {kind}"))
}

//   <features>
//     <hyperv supported='yes'>
//       <enum name='features'>
//         <value>relaxed</value>
/// Features by which Windows recognizes that it is virtualized. Older versions do not list them.
fn missing_enlightenments(domain: Node<'_, '_>, host: Node<'_, '_>) -> Vec<String> {
    let listed = child(host, "features").and_then(|features| child(features, "hyperv"));
    let values = listed.and_then(|hyperv| child(hyperv, "enum"));
    let (Some(values), Some(asked)) =
        (values, child(domain, "features").and_then(|node| child(node, "hyperv")))
    else {
        return Vec::new();
    };
    let is_there = |name: &str| values.children().any(|value| value.text().map(str::trim) == Some(name));
    let asked = asked.children().filter(|node| node.attribute("state") == Some("on"));
    // Only words and numbers: not every libvirt lists these, and every QEMU supports them.
    let asked =
        asked.map(|node| node.tag_name().name()).filter(|name| !matches!(*name, "spinlocks" | "vendor_id"));
    let missing = asked.filter(|name| !is_there(name));
    missing.map(|name| format!("no Hyper-V feature {name}")).collect()
}

//   <vcpu max='255'/>
fn too_many_processors(domain: Node<'_, '_>, host: Node<'_, '_>) -> Option<String> {
    let most: u32 = child(host, "vcpu")?.attribute("max")?.parse().ok()?;
    let wanted: u32 = child(domain, "vcpu")?.text()?.trim().parse().ok()?;
    (wanted > most).then(|| format!("its machine has at most {most} processors there, not {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The output of virsh for QEMU 7.2 with libvirt 9.0, without KVM.
    const HERE: &str = include_str!("fixtures/domcapabilities.xml");

    fn without(value: &str) -> String {
        let line = format!("<value>{value}</value>");
        assert!(HERE.contains(&line), "{value}");
        HERE.replace(&line, "")
    }

    fn found(inner: &str, capabilities: &str) -> String {
        missing(&format!("<domain type='qemu'>{inner}</domain>"), capabilities).join("; ")
    }

    #[test]
    fn nothing_is_missing_for_a_zone_with_what_is_there() {
        assert_eq!(missing(include_str!("../survey/fixtures/domain.xml"), HERE), [] as [String; 0]);
        let devices = "<os><loader type='pflash' readonly='yes' secure='no'>/x</loader></os><devices>\
            <disk type='file' device='cdrom'><target bus='sata'/></disk>\
            <disk type='file' device='disk'><target bus='sd'/></disk>\
            <graphics type='spice'/><video><model type='qxl'/></video><channel type='unix'/><channel type='tcp'/>\
            <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices>";
        assert_eq!(found(devices, HERE), "");
        // Older versions list less.
        assert_eq!(found(devices, "<domainCapabilities/>"), "");
    }

    #[test]
    fn each_device_that_is_not_there_is_named_once() {
        let qxl = "<devices><video><model type='qxl'/></video><video><model type='qxl'/></video></devices>";
        assert_eq!(found(qxl, &without("qxl")), "no video model qxl");
        let device = |inner: &str| format!("<devices>{inner}</devices>");
        for (inner, value, reason) in [
            (device("<graphics type='spice'/>"), "spice", "no graphics spice"),
            (device("<channel type='spicevmc'/>"), "spicevmc", "no channel spicevmc"),
            (device("<disk device='lun'/>"), "lun", "no disk device lun"),
            (device("<disk><target bus='fdc'/></disk>"), "fdc", "no disk bus fdc"),
            (device("<tpm model='tpm-crb'/>"), "tpm-crb", "no TPM model tpm-crb"),
            (
                device("<filesystem><driver type='virtiofs'/></filesystem>"),
                "virtiofs",
                "no file system driver virtiofs",
            ),
            (device("<rng><backend model='egd'/></rng>"), "egd", "no source of random numbers egd"),
            (device("<hostdev type='pci'/>"), "pci", "no passing through of devices of type pci"),
            (
                "<memoryBacking><source type='memfd'/></memoryBacking>".into(),
                "memfd",
                "no memory backing memfd",
            ),
            ("<os><loader type='pflash'/></os>".into(), "pflash", "no loader type pflash"),
        ] {
            assert_eq!(found(&inner, HERE), "", "{inner}");
            assert_eq!(found(&inner, &without(value)), reason);
        }
        assert_eq!(found("<os><loader secure='yes'/></os>", HERE), "no loader with secure=yes");
        assert_eq!(found("<os firmware='efi'/>", HERE), "no firmware efi");
        let tpm = device("<tpm model='tpm-tis'><backend type='emulator'/></tpm>");
        assert_eq!(found(&tpm, HERE), "no TPM backend emulator");
        let none = HERE.replace("<rng supported='yes'>", "<rng supported='no'>");
        assert_eq!(found(&device("<rng model='virtio'/>"), &none), "no random number generator virtio");
        assert_eq!(found("<launchSecurity type='sev-snp'/>", HERE), "no launch security sev-snp");
        assert_eq!(found("<vcpu>300</vcpu>", HERE), "its machine has at most 255 processors there, not 300");
    }

    #[test]
    fn a_newer_libvirt_lists_more_and_is_read_the_same() {
        let newer = "<domainCapabilities><os><enum name='firmware'><value>efi</value></enum>\
            <loader supported='yes'><value>/fw.fd</value><enum name='secure'><value>yes</value></enum></loader></os>\
            <devices><crypto supported='yes'><enum name='backendModel'><value>builtin</value></enum></crypto>\
            <interface supported='yes'><enum name='backendType'><value>default</value></enum></interface></devices>\
            <features><tdx supported='yes'/><sev supported='no'/></features></domainCapabilities>";
        let fits = "<os firmware='efi'><loader secure='yes'/></os><launchSecurity type='tdx'/><devices>\
            <video><model type='none'/></video><interface type='network'/></devices>";
        assert_eq!(found(fits, newer), "");
        let lacks = "<os firmware='bios'/><launchSecurity type='sev'/><devices><crypto><backend model='lkcf'/></crypto>\
            <interface type='user'><backend type='passt'/></interface></devices>";
        assert_eq!(
            found(lacks, newer),
            "no firmware bios; no crypto backend lkcf; \
             no launch security sev"
        );
    }

    #[test]
    fn what_windows_is_told_is_looked_for_where_it_is_listed() {
        let asked = "<features><hyperv mode='custom'><relaxed state='on'/><evmcs state='on'/><avic state='off'/>\
            <spinlocks state='on' retries='8191'/></hyperv></features>";
        let listed = |values: &str| {
            format!(
                "<domainCapabilities><features><hyperv supported='yes'>{values}</hyperv></features></domainCapabilities>"
            )
        };
        let relaxed = listed("<enum name='features'><value>relaxed</value></enum>");
        assert_eq!(found(asked, &relaxed), "no Hyper-V feature evmcs");
        assert_eq!(found(asked, &listed("")), "");
        assert_eq!(found("<features><acpi/></features>", &relaxed), "");
    }

    proptest! {
        #[test]
        fn no_document_makes_the_readers_panic(
            text in "(<domain>|</domain>|<os firmware='|'/>|<devices>|<disk|<enum name='bus'>|<vcpu|\\PC){0,30}"
        ) {
            let _ = (missing(&text, HERE), missing("<domain type='kvm'/>", &text));
        }
    }
}
