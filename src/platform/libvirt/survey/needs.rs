//! What a zone needs of a host according to its XML: besides storage, networks and machine (`domain_xml`) its
//! memory, CPU and tags.
//!
//! Tags are words that an administrator puts in the zone's metadata, so that they move with the zone:
//!
//! ```text
//! virsh metadata ZONE --uri urn:sysadm:tags --key sysadm --set '<tags>gold db</tags>' --live --config
//! ```

use std::collections::BTreeSet;

use roxmltree::Node;

use super::super::domain_xml::{self, Domain, Need, child};
use super::super::virsh::is_plain;
use crate::plan::Version;

/// The XML namespace of tags in a domain's metadata.
pub const TAGS: &str = "urn:sysadm:tags";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Storage, networks, machine.
    pub domain: Domain,
    /// The size of the huge pages that back its memory, in bytes.
    pub huge_page: Option<u64>,
    /// Its memory must be in one NUMA node.
    pub one_node: bool,
    pub processor: Processor,
    /// The oldest QEMU that has its machine type.
    pub hypervisor: Option<Version>,
    pub tags: BTreeSet<String>,
}

/// What a zone needs of a CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Processor {
    /// Nothing: it is emulated, a container, or does not run, and takes what it finds when it next starts.
    #[default]
    Any,
    /// Everything that its host's CPU can do: it runs, and has seen that.
    Same,
    /// This `<cpu>`.
    Model(String),
}

impl Processor {
    /// The `<cpu>`, if there is one.
    pub const fn model(&self) -> Option<&String> {
        match self {
            Self::Model(cpu) => Some(cpu),
            Self::Any | Self::Same => None,
        }
    }
}

/// Parses the XML of a domain, running or not, on a host whose default huge pages have that size in bytes.
///
/// # Errors
/// What is wrong with the document.
pub fn parse(xml: &str, runs: bool, huge_page: u64) -> Result<Needs, String> {
    let document = domain_xml::read(xml)?;
    let root = document.root_element();
    let domain = domain_xml::parse(xml)?;
    Ok(Needs {
        huge_page: huge_page_of(&domain, huge_page),
        one_node: child(root, "numatune").and_then(|tune| child(tune, "memory")).is_some_and(is_bound),
        processor: child(root, "cpu")
            .filter(|_| runs && domain.virt == "kvm")
            .map(processor_of)
            .unwrap_or_default(),
        hypervisor: domain.machine.as_deref().and_then(machine_version),
        tags: child(root, "metadata").map(tags_of).unwrap_or_default(),
        domain,
    })
}

/// The first size in the document, or the default one.
fn huge_page_of(domain: &Domain, usual: u64) -> Option<u64> {
    domain.needs.iter().find_map(|need| match need {
        Need::HugePages(size) => Some(size.unwrap_or(usual)),
        _ => None,
    })
}

/// Whether memory may come only from one node.
fn is_bound(memory: Node<'_, '_>) -> bool {
    let strict = matches!(memory.attribute("mode"), None | Some("strict" | "restrictive"));
    let one = memory.attribute("nodeset").is_some_and(|nodes| nodes.trim().parse::<u32>().is_ok());
    strict && one
}

// <cpu mode='custom' match='exact' check='full'>
//   <model fallback='forbid'>qemu64</model>
//   <feature policy='require' name='hypervisor'/>
//   <feature policy='disable' name='svm'/>
// </cpu>
/// What a zone with this `<cpu>` needs. The `<cpu>` is written anew, using only what libvirt itself could write.
pub fn processor_of(cpu: Node<'_, '_>) -> Processor {
    let model = child(cpu, "model").and_then(|node| node.text()).map(str::trim).filter(|name| is_plain(name));
    match (cpu.attribute("mode").unwrap_or("custom"), model) {
        ("custom", Some(model)) => {
            let features = cpu.children().filter(|node| node.has_tag_name("feature")).filter_map(|node| {
                let name = node.attribute("name").filter(|name| is_plain(name))?;
                let policy = node.attribute("policy").unwrap_or("require");
                matches!(policy, "require" | "disable" | "forbid" | "force")
                    .then(|| format!("<feature policy='{policy}' name='{name}'/>"))
            });
            let features: String = features.collect();
            let exact = if cpu.attribute("match") == Some("strict") { "strict" } else { "exact" };
            Processor::Model(format!(
                "<cpu mode='custom' match='{exact}'><model fallback='forbid'>{model}</model>{features}</cpu>"
            ))
        }
        ("custom", None) => Processor::Any,
        _ => Processor::Same,
    }
}

/// `pc-i440fx-7.2` came with QEMU 7.2. Distributions have versions of their own (`pc-q35-rhel8.6.0`).
fn machine_version(machine: &str) -> Option<Version> {
    let (_, version) = machine.rsplit_once('-')?;
    version.chars().all(|c| c.is_ascii_digit() || c == '.').then(|| Version::find(version))?
}

//   <sysadm:tags xmlns:sysadm="urn:sysadm:tags">db gold</sysadm:tags>
fn tags_of(metadata: Node<'_, '_>) -> BTreeSet<String> {
    let tags = metadata.children().filter(|node| node.has_tag_name((TAGS, "tags")));
    // Each tag in an element of its own is accepted, too.
    let text = tags.flat_map(|node| node.descendants()).filter(Node::is_text).filter_map(|node| node.text());
    let word = |c: char| c.is_whitespace() || c == ',';
    text.flat_map(|text| text.split(word)).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needs(inner: &str) -> Needs {
        parse(&format!("<domain type='kvm'>{inner}</domain>"), true, 2 << 20).unwrap()
    }

    #[test]
    fn what_virsh_prints_of_a_running_zone_is_read() {
        let needs = parse(include_str!("fixtures/domain.xml"), true, 2 << 20).unwrap();
        assert_eq!(needs.hypervisor, Some(Version(7, 2, 0)));
        assert_eq!(needs.tags, BTreeSet::from(["db".to_owned(), "gold".to_owned()]));
        assert_eq!((needs.huge_page, needs.one_node), (None, false));
        // The CPU is emulated.
        assert_eq!((needs.processor, needs.domain.virt.as_str()), (Processor::Any, "qemu"));
    }

    #[test]
    fn huge_pages_have_the_size_that_is_said_or_the_usual_one() {
        let backing = |inner: &str| needs(&format!("<memoryBacking>{inner}</memoryBacking>")).huge_page;
        assert_eq!(backing("<nosharepages/>"), None);
        assert_eq!(backing("<hugepages/>"), Some(2 << 20));
        assert_eq!(backing("<hugepages><page size='1' unit='G'/></hugepages>"), Some(1 << 30));
        assert_eq!(backing("<hugepages><page size='2048' unit='KiB'/></hugepages>"), Some(2 << 20));
        assert_eq!(
            backing("<hugepages><page size='18446744073709551615' unit='G'/></hugepages>"),
            Some(2 << 20)
        );
    }

    #[test]
    fn only_memory_that_is_bound_to_one_node_must_lie_in_one() {
        let tune = |attributes: &str| needs(&format!("<numatune><memory {attributes}/></numatune>")).one_node;
        assert!(
            tune("mode='strict' nodeset='1'")
                && tune("nodeset='0'")
                && tune("mode='restrictive' nodeset='0'")
        );
        assert!(
            !tune("mode='preferred' nodeset='1'")
                && !tune("mode='strict' nodeset='0-1'")
                && !tune("placement='auto'")
        );
        assert!(!needs("").one_node);
    }

    #[test]
    fn a_zone_needs_the_processor_that_it_has_seen() {
        let custom = "<cpu match='exact'><model>EPYC</model><feature policy='disable' name='svm'/>\
                      <feature policy='optional' name='x'/><feature name=\"a'b\"/></cpu>";
        assert_eq!(
            needs(custom).processor,
            Processor::Model(
                "<cpu mode='custom' match='exact'><model fallback='forbid'>EPYC</model>\
                 <feature policy='disable' name='svm'/></cpu>"
                    .to_owned()
            )
        );
        for mode in ["host-passthrough", "host-model", "maximum"] {
            let xml = format!("<domain type='kvm'><cpu mode='{mode}'/></domain>");
            assert_eq!(parse(&xml, true, 0).unwrap().processor, Processor::Same, "{mode}");
            assert_eq!(parse(&xml, false, 0).unwrap().processor, Processor::Any, "{mode}");
        }
        assert_eq!(needs("").processor, Processor::Any);
        let stopped = parse(&format!("<domain type='kvm'>{custom}</domain>"), false, 0);
        assert_eq!(stopped.unwrap().processor, Processor::Any);
    }

    #[test]
    fn tags_are_words_or_elements_of_their_own_namespace() {
        let tags = |inner: &str| {
            let tags = needs(&format!("<metadata>{inner}</metadata>")).tags;
            tags.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(tags("<s:tags xmlns:s='urn:sysadm:tags'>gold, db\n web</s:tags>"), "db gold web");
        assert_eq!(
            tags("<s:tags xmlns:s='urn:sysadm:tags'><s:tag>a</s:tag><s:tag>b</s:tag></s:tags>"),
            "a b"
        );
        assert_eq!(tags("<s:tags xmlns:s='urn:other'>gold</s:tags><tags>x</tags>"), "");
    }

    #[test]
    fn the_version_of_a_machine_is_that_of_qemu_only_where_qemu_counts() {
        assert_eq!(machine_version("pc-i440fx-2.10"), Some(Version(2, 10, 0)));
        assert_eq!(machine_version("virt-8.1"), Some(Version(8, 1, 0)));
        for other in ["pc-q35-rhel8.6.0", "pc", "q35", "s390-ccw-virtio", "pc-"] {
            assert_eq!(machine_version(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(
            xml in "(<domain type='kvm'>|</domain>|<cpu>|</cpu>|<model>|</model>|<numatune>|<memory nodeset='|'/>|<os><type machine='pc-|\\PC){0,30}"
        ) {
            let _ = parse(&xml, true, 1);
        }
    }
}
