//! What virsh says of CPUs: `hypervisor-cpu-compare` and `hypervisor-cpu-baseline --features`.

use std::collections::BTreeSet;

use super::{Connection, is_plain};
use crate::platform::PlatformError;

/// Whether a CPU is sufficient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CpuFit {
    Fits,
    /// It is not, or that is unknown.
    Refused(CpuMismatch),
    /// libvirt's message is not about CPUs.
    Unclear(String),
}

impl CpuFit {
    /// Parses libvirt's message.
    pub fn of(said: String) -> Self {
        parse(&said).map_or(Self::Unclear(said), Self::Refused)
    }

    /// The features that make the difference.
    pub fn features(&self) -> &[String] {
        match self {
            Self::Refused(refusal) => refusal.features(),
            Self::Fits | Self::Unclear(_) => &[],
        }
    }
}

/// Why a CPU is not sufficient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CpuMismatch {
    /// These features are missing.
    Lacks(Vec<String>),
    /// These features are present, and must not be.
    Forbids(Vec<String>),
    /// These features are present, and the exact CPU that is required does not have them.
    Extra(Vec<String>),
    /// An unknown model.
    Model(String),
    Other(String),
    /// libvirt cannot compare CPUs of such machines.
    Incomparable,
}

impl CpuMismatch {
    /// The features that make the difference.
    fn features(&self) -> &[String] {
        match self {
            Self::Lacks(names) | Self::Forbids(names) | Self::Extra(names) => names,
            Self::Model(_) | Self::Other(_) | Self::Incomparable => &[],
        }
    }

    /// To be shown to people, for machines of that kind.
    pub fn reasons(&self, virt: &str) -> Vec<String> {
        match self {
            Self::Lacks(names) => {
                names.iter().map(|name| format!("no CPU feature {name} for {virt}")).collect()
            }
            Self::Forbids(names) => {
                names.iter().map(|name| format!("the CPU has {name}, which the zone must not see")).collect()
            }
            Self::Extra(names) => {
                let names = names.join(", ");
                vec![format!(
                    "the zone sees its host's own CPU, and the one of the destination has more: {names}"
                )]
            }
            Self::Model(name) => vec![format!("no CPU {name} for {virt}")],
            Self::Other(what) => {
                vec![
                    format!("the CPU of the destination is another one {what}")
                        .trim_end_matches([':', ' '])
                        .to_owned(),
                ]
            }
            Self::Incomparable => Vec::new(),
        }
    }
}

/// The messages of libvirt and virsh if they cannot compare at all: other architectures, older versions.
const INCOMPARABLE: [&str; 5] = [
    "comparing with the hypervisor CPU is not supported",
    "does not support reporting CPU model",
    "cannot compare CPUs of",
    "not supported by the connection driver",
    "unknown command: 'hypervisor-cpu-compare'",
];

// error: Failed to compare hypervisor CPU with /dev/stdin error: the CPU is incompatible with host CPU: Host CPU does
// not provide required features: pni, avx512f
/// Parses the message of virsh. None: it is not about a CPU.
fn parse(said: &str) -> Option<CpuMismatch> {
    let after = |words: &str| said.split_once(words).map(|(_, rest)| rest.trim());
    let names = |list: &str| {
        let names = list.split(',').map(str::trim).filter(|name| is_plain(name)).map(str::to_owned);
        Some(names.collect::<Vec<_>>()).filter(|names| !names.is_empty())
    };
    if let Some(list) = after("does not provide required features:").or_else(|| after("Unknown CPU feature"))
    {
        return names(list).map(CpuMismatch::Lacks);
    }
    if let Some(list) = after("provides forbidden features:") {
        return names(list).map(CpuMismatch::Forbids);
    }
    if let Some(list) = after("Extra features:") {
        return names(list).map(CpuMismatch::Extra);
    }
    if let Some(model) = after("Unknown CPU model") {
        return is_plain(model).then(|| CpuMismatch::Model(model.to_owned()));
    }
    if INCOMPARABLE.iter().any(|words| said.contains(words)) {
        return Some(CpuMismatch::Incomparable);
    }
    after("the CPU is incompatible with host CPU").map(|what| CpuMismatch::Other(what.to_owned()))
}

impl Connection {
    /// libvirt's capabilities for KVM as XML; none if this host has no KVM.
    pub async fn kvm_capabilities(self) -> Result<Option<String>, PlatformError> {
        match self.run(["domcapabilities", "--virttype", "kvm"]).await {
            Ok(capabilities) => Ok(Some(capabilities)),
            Err(error) => error.said("ask for capabilities").map(|_| None),
        }
    }

    /// The features of a CPU: a `<cpu>`, or a host's capabilities. None if libvirt cannot tell.
    pub async fn cpu_features(self, cpu: String) -> Option<BTreeSet<String>> {
        let baseline = ["hypervisor-cpu-baseline", "--virttype", "kvm", "--features", "/dev/stdin"];
        parse_features(&self.virsh().args(baseline).stdin(cpu).run().await.ok()?)
    }
}

// <cpu mode='custom' match='exact'>
//   <model fallback='forbid'>EPYC-Milan</model>
//   <vendor>AMD</vendor>
//   <feature policy='require' name='3dnowprefetch'/>
//   <feature policy='disable' name='abm'/>
// </cpu>
/// Parses the output of `virsh hypervisor-cpu-baseline --features`.
pub fn parse_features(output: &str) -> Option<BTreeSet<String>> {
    let document = roxmltree::Document::parse(output).ok()?;
    let has = |node: &roxmltree::Node<'_, '_>| {
        node.has_tag_name("feature") && node.attribute("policy") == Some("require")
    };
    let features = document.root_element().children().filter(has);
    Some(features.filter_map(|node| node.attribute("name")).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn virsh(what: &str) -> Option<CpuMismatch> {
        parse(&format!("error: Failed to compare hypervisor CPU with /dev/stdin error: {what}"))
    }

    #[test]
    fn each_feature_that_is_missing_is_named() {
        let incompatible = "the CPU is incompatible with host CPU";
        for (what, reasons) in [
            (
                format!("{incompatible}: Host CPU does not provide required features: pni, avx512f"),
                &["no CPU feature pni for kvm", "no CPU feature avx512f for kvm"][..],
            ),
            (
                format!("{incompatible}: Host CPU provides forbidden features: aes"),
                &["the CPU has aes, which the zone must not see"],
            ),
            (
                format!(
                    "{incompatible}: Host CPU does not strictly match guest CPU: Extra features: umip, vaes"
                ),
                &["the zone sees its host's own CPU, and the one of the destination has more: umip, vaes"],
            ),
            (incompatible.to_owned(), &["the CPU of the destination is another one"]),
            ("internal error: Unknown CPU model nosuch".to_owned(), &["no CPU nosuch for kvm"]),
            ("internal error: Unknown CPU feature nosuch".to_owned(), &["no CPU feature nosuch for kvm"]),
        ] {
            assert_eq!(virsh(&what).unwrap().reasons("kvm"), reasons, "{what}");
        }
    }

    #[test]
    fn that_libvirt_cannot_compare_is_told_from_a_line_that_broke() {
        for cannot in [
            "Operation not supported: comparing with the hypervisor CPU is not supported for arch aarch64",
            "operation failed: QEMU '/usr/bin/qemu-system-x86_64' does not support reporting CPU model for virttype 'kvm'",
        ] {
            assert_eq!(virsh(cannot), Some(CpuMismatch::Incomparable), "{cannot}");
        }
        for broken in [
            "End of file while reading data: Input/output error",
            "Cannot recv data: Connection reset by peer",
            "Timed out during operation: cannot acquire state change lock",
            "internal error: client socket is closed",
            "Cannot check QEMU binary /nosuch: No such file or directory",
            "unsupported configuration: unable to find any emulator to serve 'aarch64' architecture",
            "",
        ] {
            assert_eq!(virsh(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_processor_has_what_is_required_and_not_what_is_disabled() {
        let features = parse_features(include_str!("fixtures/baseline.xml")).unwrap();
        assert!(["apic", "clflushopt", "lm", "x2apic"].iter().all(|name| features.contains(*name)));
        assert!(!["avx2", "abm", "svm"].iter().any(|name| features.contains(*name)));
        assert_eq!(parse_features("<cpu/>"), Some(BTreeSet::new()));
        assert_eq!(parse_features("error"), None);
    }

    proptest! {
        #[test]
        fn no_output_makes_the_reader_panic(text in "(<cpu>|</cpu>|<feature policy='require' name='|'/>|\\PC){0,30}") {
            let _ = parse_features(&text);
        }
    }
}
