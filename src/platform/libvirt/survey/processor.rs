//! `virsh domcapabilities` and `virsh hypervisor-cpu-baseline --features`: what processors can do.
//!
//! A CPU model is a name for a set of features, and hosts differ in single ones: so models are taken apart. libvirt
//! itself does that, in the same way for a host and for what a zone needs.

use std::collections::BTreeSet;

use crate::exec::ExecError;
use crate::platform::PlatformError;
use crate::platform::libvirt::Driver;
use crate::platform::libvirt::virsh::failed;

/// Names of features.
pub type Features = BTreeSet<String>;

/// What this host's processors can do for zones that run on them: nothing if the host has no KVM, none if libvirt
/// cannot tell (on some architectures).
pub async fn of_host() -> Result<Option<Features>, PlatformError> {
    let command = Driver::Qemu.virsh().args(["domcapabilities", "--virttype", "kvm"]);
    match command.run().await {
        Ok(capabilities) => Ok(taken_apart(capabilities).await),
        Err(error @ ExecError::Failed { .. }) => match failed("ask for capabilities", error) {
            down @ PlatformError::Down { .. } => Err(down),
            _ => Ok(Some(Features::new())),
        },
        Err(error) => Err(failed("ask for capabilities", error)),
    }
}

/// The features of a processor: a `<cpu>`, or a host's capabilities. None if libvirt cannot tell.
pub async fn taken_apart(cpu: String) -> Option<Features> {
    let command = Driver::Qemu.virsh().args([
        "hypervisor-cpu-baseline",
        "--virttype",
        "kvm",
        "--features",
        "/dev/stdin",
    ]);
    parse(&command.stdin(cpu).run().await.ok()?)
}

// <cpu mode='custom' match='exact'>
//   <model fallback='forbid'>EPYC-Milan</model>
//   <vendor>AMD</vendor>
//   <feature policy='require' name='3dnowprefetch'/>
//   <feature policy='disable' name='abm'/>
// </cpu>
/// Reads what `virsh hypervisor-cpu-baseline --features` prints.
fn parse(output: &str) -> Option<Features> {
    let document = roxmltree::Document::parse(output).ok()?;
    let has = |node: &roxmltree::Node<'_, '_>| {
        node.has_tag_name("feature") && node.attribute("policy") == Some("require")
    };
    let features = document.root_element().children().filter(has);
    Some(features.filter_map(|node| node.attribute("name")).map(str::to_owned).collect())
}

/// Reads a text as what is read here.
#[cfg(feature = "fuzzing")]
pub fn read_output(text: &str) {
    let _ = parse(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_processor_has_what_is_required_and_not_what_is_disabled() {
        let features = parse(include_str!("fixtures/baseline.xml")).unwrap();
        assert!(["apic", "clflushopt", "lm", "x2apic"].iter().all(|name| features.contains(*name)));
        assert!(!["avx2", "abm", "svm"].iter().any(|name| features.contains(*name)));
        assert_eq!(parse("<cpu/>"), Some(Features::new()));
        assert_eq!(parse("error"), None);
    }

    proptest! {
        #[test]
        fn no_output_makes_the_reader_panic(text in "(<cpu>|</cpu>|<feature policy='require' name='|'/>|\\PC){0,30}") {
            let _ = parse(&text);
        }
    }
}
