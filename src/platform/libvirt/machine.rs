//! Machine types: which ones this host's QEMU has, and which one to use for a zone whose own is not among them.
//!
//! A machine type guarantees that the zone's virtual hardware does not change. QEMU drops old types, so a zone
//! that was away for a long time may have none here; a newer one of the same family boots it. An older one is
//! never used, and the type of a running zone never changes.

use std::path::{Path, PathBuf};

use roxmltree::{Document, Node};

use super::domain_xml::{self, Domain};
use super::virsh::QueryCache;
use crate::model::{Brand, Edit, Manifest};
use crate::platform::PlatformError;

/// The changes that give the zone a machine type of this host; empty if it has one, or if none would do.
pub async fn updates(queries: &QueryCache, manifest: &Manifest) -> Result<Vec<Edit>, PlatformError> {
    if manifest.zone.brand != Brand::KVM || manifest.zone.is_running() {
        return Ok(Vec::new());
    }
    // The check reports a configuration that cannot be parsed.
    let Ok(domain) = domain_xml::parse(&manifest.config) else { return Ok(Vec::new()) };
    Ok(update(&domain, &queries.capabilities().await?).into_iter().collect())
}

/// The emulator with that path, if libvirt knows it, under libvirt's own name for it.
pub async fn emulator(queries: &QueryCache, path: &Path) -> Result<Option<PathBuf>, PlatformError> {
    Ok(known_emulator(path, &parse_emulators(&queries.capabilities().await?)))
}

/// The emulator that libvirt uses for an architecture if a domain names none.
pub async fn usual_emulator(queries: &QueryCache, arch: &str) -> Result<Option<PathBuf>, PlatformError> {
    Ok(parse_usual_emulator(&queries.capabilities().await?, arch))
}

/// Distributions have alternative names for QEMU. Other paths are not accepted: they could name any file.
fn known_emulator(path: &Path, known: &[PathBuf]) -> Option<PathBuf> {
    const ALIASES: [&str; 3] = ["/usr/bin/kvm", "/usr/bin/qemu-kvm", "/usr/libexec/qemu-kvm"];
    let target = ALIASES
        .iter()
        .find(|alias| Path::new(alias) == path)
        .and_then(|alias| Path::new(alias).canonicalize().ok());
    known.iter().find(|one| *one == path || Some(*one) == target.as_ref()).cloned()
}

fn update(domain: &Domain, capabilities: &str) -> Option<Edit> {
    let known = parse_machines(capabilities, &domain.arch, &domain.virt)?;
    newer(domain.machine.as_deref()?, &known).map(|newer| Edit::Machine(newer.to_owned()))
}

/// The newest type of the same family, if the machine type itself is unknown.
fn newer<'a>(machine: &str, known: &'a [String]) -> Option<&'a str> {
    if known.iter().any(|known| known == machine) {
        return None;
    }
    let (family, version) = split(machine)?;
    let of_family = known.iter().filter_map(|known| {
        let (its_family, its_version) = split(known)?;
        (its_family == family && its_version > version).then_some((its_version, known.as_str()))
    });
    of_family.max().map(|(_, name)| name)
}

/// Family and version. A distribution's own types are families of their own: `pc-q35-rhel9.4.0` is of
/// `pc-q35-rhel`. A type named by a word (`pc-q35-noble`), or an alias (`q35`, `pc`), has no version.
fn split(machine: &str) -> Option<(&str, Vec<u32>)> {
    let family = machine.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let version = machine.strip_prefix(family)?;
    let numbers: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    Some((family, numbers.filter(|numbers| numbers.len() > 1)?))
}

//   <guest>
//     <os_type>hvm</os_type>
//     <arch name='x86_64'>
//       <emulator>/usr/bin/qemu-system-x86_64</emulator>
//       <machine maxCpus='255'>pc-i440fx-7.2</machine>
//       <machine canonical='pc-i440fx-7.2' maxCpus='255'>pc</machine>
//       <domain type='qemu'/>
//       <domain type='kvm'/>
/// Parses the machine types in `virsh capabilities`; none if the host cannot run such domains at all. Each domain
/// type may have its own list.
fn parse_machines(capabilities: &str, arch: &str, virt: &str) -> Option<Vec<String>> {
    let document = Document::parse(capabilities).ok()?;
    let is_arch = |node: &Node<'_, '_>| node.has_tag_name("arch") && node.attribute("name") == Some(arch);
    let guests = document.root_element().children().filter(|node| node.has_tag_name("guest"));
    let arch = guests.flat_map(|guest| guest.children()).find(is_arch)?;
    let is_virt = |node: &Node<'_, '_>| node.has_tag_name("domain") && node.attribute("type") == Some(virt);
    let domain = arch.children().find(is_virt)?;
    let machines = |node: Node<'_, '_>| -> Vec<String> {
        let names =
            node.children().filter(|node| node.has_tag_name("machine")).filter_map(|node| node.text());
        names.map(|name| name.trim().to_owned()).collect()
    };
    let own = machines(domain);
    Some(if own.is_empty() { machines(arch) } else { own })
}

/// Parses the emulator for that architecture.
fn parse_usual_emulator(capabilities: &str, arch: &str) -> Option<PathBuf> {
    let document = Document::parse(capabilities).ok()?;
    let is_arch = |node: &Node<'_, '_>| node.has_tag_name("arch") && node.attribute("name") == Some(arch);
    let arch = document.descendants().find(is_arch)?;
    let emulator = arch.children().find(|node| node.has_tag_name("emulator"))?;
    Some(PathBuf::from(emulator.text()?.trim()))
}

/// Parses the emulators of all architectures.
fn parse_emulators(capabilities: &str) -> Vec<PathBuf> {
    let Ok(document) = Document::parse(capabilities) else { return Vec::new() };
    let emulators = document.descendants().filter(|node| node.has_tag_name("emulator"));
    emulators.filter_map(|node| node.text()).map(|path| PathBuf::from(path.trim())).collect()
}

/// Parses a text with every parser of this file.
#[cfg(feature = "fuzzing")]
pub fn read_output(text: &str) {
    let _ = (parse_emulators(text), parse_usual_emulator(text, "x86_64"));
    let _ = parse_machines(text, "x86_64", "kvm").map(|known| newer("pc-i440fx-2.0", &known).is_some());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CAPABILITIES: &str = include_str!("fixtures/capabilities.xml");

    fn updated(virt: &str, arch: &str, machine: &str, capabilities: &str) -> Option<String> {
        let domain = Domain {
            virt: virt.to_owned(),
            arch: arch.to_owned(),
            machine: Some(machine.to_owned()),
            ..Domain::default()
        };
        match update(&domain, capabilities)? {
            Edit::Machine(machine) => Some(machine),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_machine_that_qemu_has_dropped_becomes_the_newest_of_its_family() {
        let here = |machine| updated("qemu", "x86_64", machine, CAPABILITIES);
        assert_eq!(here("pc-i440fx-1.1").as_deref(), Some("pc-i440fx-7.2"));
        assert_eq!(here("pc-q35-1.4").as_deref(), Some("pc-q35-7.2"));
        for known in ["pc-i440fx-2.10", "pc-q35-7.2", "pc", "q35"] {
            assert_eq!(here(known), None, "{known} is here");
        }
        for newer in ["pc-i440fx-9.2", "pc-q35-10.0"] {
            assert_eq!(here(newer), None, "{newer} would become an older one");
        }
        for other in ["pc-q35-rhel7.6.0", "pc-i440fx-jammy", "virt-2.6", "pc-1.0", "nosuch", ""] {
            assert_eq!(here(other), None, "{other} is of another family");
        }
        assert_eq!(updated("qemu", "s390x", "s390-ccw-virtio-2.4", CAPABILITIES), None);
        assert_eq!(updated("xen", "x86_64", "pc-i440fx-1.1", CAPABILITIES), None);
    }

    #[test]
    fn every_family_is_counted_by_its_own_versions() {
        let known = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (machine, there, expected) in [
            ("virt-2.6", "virt-9.0 virt-10.1 virt", Some("virt-10.1")),
            ("s390-ccw-virtio-2.4", "s390-ccw-virtio-8.0 s390-ccw-virtio", Some("s390-ccw-virtio-8.0")),
            ("pseries-2.1", "pseries-8.2 powernv10", Some("pseries-8.2")),
            ("pc-q35-rhel7.6.0", "pc-q35-rhel9.4.0 pc-q35-rhel8.6.0 pc-q35-9.0", Some("pc-q35-rhel9.4.0")),
            ("pc-q35-4.0.1", "pc-q35-4.0 pc-q35-4.2", Some("pc-q35-4.2")),
            ("pc-q35-4.1", "pc-q35-4.0", None),
            ("pc-q35-noble", "pc-q35-9.0 pc-q35-noble-v2", None),
        ] {
            assert_eq!(newer(machine, &known(there)), expected, "{machine}");
        }
    }

    #[test]
    fn a_kind_of_domain_with_a_list_of_its_own_has_those_machines_alone() {
        let capabilities = "<capabilities><guest><arch name='x86_64'><machine>pc-q35-9.0</machine>\
            <domain type='qemu'/><domain type='kvm'><machine>pc-q35-8.0</machine></domain></arch></guest></capabilities>";
        assert_eq!(updated("kvm", "x86_64", "pc-q35-2.4", capabilities).as_deref(), Some("pc-q35-8.0"));
        assert_eq!(updated("qemu", "x86_64", "pc-q35-2.4", capabilities).as_deref(), Some("pc-q35-9.0"));
    }

    #[test]
    fn only_an_emulator_that_libvirt_knows_is_asked_for_anything() {
        let known = parse_emulators(CAPABILITIES);
        let own = Path::new("/usr/bin/qemu-system-x86_64");
        assert_eq!(known_emulator(own, &known).as_deref(), Some(own));
        for other in
            ["/etc/hostname", "/bin/sh", "qemu-system-x86_64", "/usr/bin/../bin/qemu-system-x86_64", "", "/"]
        {
            assert_eq!(known_emulator(Path::new(other), &known), None, "{other}");
        }
        assert_eq!(known_emulator(own, &parse_emulators("<capabilities/>")), None);
        assert_eq!(parse_usual_emulator(CAPABILITIES, "x86_64").as_deref(), Some(own));
        assert_eq!(parse_usual_emulator(CAPABILITIES, "s390x"), None);
    }

    proptest! {
        #[test]
        fn what_is_chosen_is_there_and_newer(
            family in "(pc-i440fx-|virt-|pc-q35-rhel)", version in (0_u32..12, 0_u32..12),
            known in prop::collection::vec(("(pc-i440fx-|virt-|pc-q35-rhel)", 0_u32..12, 0_u32..12), 0..9),
        ) {
            let name = |family: &str, major, minor| format!("{family}{major}.{minor}");
            let names: Vec<_> = known.iter().map(|(family, major, minor)| name(family, *major, *minor)).collect();
            if let Some(chosen) = newer(&name(&family, version.0, version.1), &names) {
                let (_, major, minor) = known.iter().find(|(f, a, b)| name(f, *a, *b) == chosen).unwrap();
                prop_assert!(chosen.starts_with(&family) && (*major, *minor) > version);
            }
        }

        #[test]
        fn no_output_makes_the_reader_panic(text in "(<capabilities>|<guest>|<arch name='x86_64'>|<machine>|9.|\\PC){0,30}") {
            let _ = (parse_machines(&text, "x86_64", "kvm"), parse_emulators(&text), split(&text));
        }
    }
}
