//! Whether this host's CPU has what a zone needs: `virsh hypervisor-cpu-compare`, so libvirt itself decides.
//!
//! | zone | what the destination must have |
//! |---|---|
//! | runs, with a CPU model | the features that the zone has seen since it was booted |
//! | runs, with the CPU of its host | exactly that CPU |
//! | does not run, with a CPU model | the model's features, unless its configuration disables the check (`check='none'`) |
//! | does not run, with the CPU of its host | nothing: it takes what it finds |
//!
//! QEMU gives a zone more features than libvirt reports for any host: features that libvirt says the zone's own
//! host lacks are not required elsewhere either. If libvirt cannot compare CPUs (on some architectures), the name
//! of the model must do, and for the CPU of a host its description in `virsh capabilities`.

use roxmltree::Document;

use super::super::Libvirt;
use super::super::domain_xml::{self, Domain, child};
use super::super::survey::needs::{Processor, processor_of};
use super::super::virsh::{CpuFit, CpuMismatch};
use super::platform;
use crate::model::{Blocker, CheckRequest, Method, xml};
use crate::platform::PlatformError;

/// The CPU of a host about which nothing is known: no other one is certain to be equal.
const UNKNOWN: &str = "<cpu mode='host-passthrough'/>";

/// Maximum length of a `<cpu>` element, in bytes.
const LONGEST: usize = 64 << 10;

/// The missing features, by name.
pub async fn missing(
    libvirt: &Libvirt,
    request: &CheckRequest,
    domain: &Domain,
    capabilities: &str,
) -> Result<Vec<Blocker>, PlatformError> {
    let cpu = match needed(request) {
        Ok(Some(cpu)) => cpu,
        Ok(None) => return Ok(Vec::new()),
        Err(reason) => return Ok(vec![platform(reason)]),
    };
    let model = model_of(&cpu);
    // Then libvirt starts the zone without comparing anything.
    let plain = model.as_ref().filter(|model| request.method != Method::Live && !model.has_features);
    if plain.is_some_and(|model| usable(capabilities, &model.name) == Some(true)) {
        return Ok(Vec::new());
    }
    let refusal = match libvirt.queries.compare_cpu(domain, &cpu).await? {
        CpuFit::Fits => return Ok(Vec::new()),
        CpuFit::Refused(refusal) => refusal,
        CpuFit::Unclear(what) => {
            return Err(PlatformError::Output { command: "virsh hypervisor-cpu-compare", what });
        }
    };
    let lacks = match (refusal, model) {
        (CpuMismatch::Incomparable, Some(model)) if model.is_strict => {
            let here = own(&libvirt.queries.capabilities().await?, "cpu");
            if here.as_ref() == Some(&cpu) {
                vec![]
            } else {
                vec!["the CPU of the destination is another one".to_owned()]
            }
        }
        (CpuMismatch::Incomparable, model) => model
            .filter(|model| {
                request.method == Method::Live && usable(capabilities, &model.name) == Some(false)
            })
            .map(|model| format!("no CPU {} for {}", model.name, domain.virt))
            .into_iter()
            .collect(),
        (refusal, _) => refusal.reasons(&domain.virt),
    };
    Ok(lacks.into_iter().map(platform).collect())
}

/// The required `<cpu>`. One from a peer is written anew, so that nothing else of the peer's text reaches libvirt.
///
/// # Errors
/// Why no CPU will do.
fn needed(request: &CheckRequest) -> Result<Option<String>, String> {
    let Ok(config) = domain_xml::read(&request.manifest.config) else { return Ok(None) };
    let configured = child(config.root_element(), "cpu");
    let seen = request.manifest.processor.as_deref();
    let cpu = match (request.method, seen) {
        (Method::Live, Some(seen)) => match rewritten(seen)? {
            Processor::Same => {
                return Err("the zone sees its host's own CPU, and which one that is is unknown".to_owned());
            }
            seen => seen.model().cloned(),
        },
        // Older versions do not send what the zone has seen.
        (Method::Live, None) => configured.and_then(|cpu| processor_of(cpu).model().cloned()),
        (Method::Cold | Method::Restart, _) => configured
            .filter(|cpu| cpu.attribute("check") != Some("none"))
            .and_then(|cpu| processor_of(cpu).model().cloned()),
    };
    match cpu {
        Some(cpu) if cpu.len() > LONGEST => Err("its CPU has too many features".to_owned()),
        cpu => Ok(cpu),
    }
}

/// Parses a `<cpu>` from a peer.
fn rewritten(cpu: &str) -> Result<Processor, String> {
    let odd = |what: &str| format!("the CPU that it has seen cannot be read: {what}");
    if cpu.len() > LONGEST {
        return Err(odd("it is too long"));
    }
    if let Some((_, what)) = xml::excess(cpu) {
        return Err(odd(&what));
    }
    let document = Document::parse(cpu).map_err(|_| odd("it is no XML"))?;
    Ok(processor_of(document.root_element()))
}

/// The CPU that the running zone in this document sees: a `<cpu>` for another host to compare with its own.
pub async fn seen(libvirt: &Libvirt, current: &str) -> Result<Option<String>, PlatformError> {
    let Ok(domain) = domain_xml::parse(current) else { return Ok(None) };
    let processor = domain_xml::read(current)
        .ok()
        .and_then(|document| child(document.root_element(), "cpu").map(processor_of))
        .unwrap_or_default();
    let cpu = match processor {
        Processor::Any => return Ok(None),
        Processor::Model(cpu) => cpu,
        Processor::Same => match of_host(libvirt, &domain).await? {
            Some(cpu) => cpu,
            None => return Ok(Some(UNKNOWN.to_owned())),
        },
    };
    Ok(Some(without(&cpu, libvirt.queries.compare_cpu(&domain, &cpu).await?.features())))
}

/// This host's CPU, as zones see it that get all of it. None: libvirt does not know it.
async fn of_host(libvirt: &Libvirt, domain: &Domain) -> Result<Option<String>, PlatformError> {
    let answer = libvirt.queries.machine(domain).await?;
    let capabilities =
        answer.map_err(|what| PlatformError::Output { command: "virsh domcapabilities", what })?;
    match own(&capabilities, "mode") {
        Some(cpu) => Ok(Some(cpu)),
        None => Ok(own(&libvirt.queries.capabilities().await?, "cpu")),
    }
}

/// The `<cpu>` without requirements on these features.
fn without(cpu: &str, features: &[String]) -> String {
    let feature = |policy: &str, name: &str| format!("<feature policy='{policy}' name='{name}'/>");
    features.iter().fold(cpu.to_owned(), |cpu, name| {
        let policies = ["require", "force", "forbid", "disable"];
        let rest = policies.into_iter().fold(cpu, |cpu, policy| cpu.replace(&feature(policy, name), ""));
        rest.replace("</cpu>", &format!("{}</cpu>", feature("disable", name)))
    })
}

//     <mode name='host-model' supported='yes'>
//       <model fallback='forbid'>EPYC</model>
//       <vendor>AMD</vendor>
//       <feature policy='require' name='acpi'/>
//       <feature policy='disable' name='vme'/>
//
//   <host>
//     <cpu>
//       <arch>aarch64</arch>
//       <model>Neoverse-N1</model>
//       <vendor>ARM</vendor>
/// The host's own CPU, which must be the same elsewhere: from `virsh domcapabilities` the host's `mode`, from `virsh
/// capabilities` the host's `cpu`.
fn own(capabilities: &str, element: &str) -> Option<String> {
    let document = Document::parse(capabilities).ok()?;
    let mut found = document.descendants().filter(|node| node.has_tag_name(element));
    let own = found.find(|node| match element {
        "mode" => node.attribute("name") == Some("host-model"),
        _ => node.parent_element().is_some_and(|parent| parent.has_tag_name("host")),
    });
    let cpu = processor_of(own?).model()?.replacen("match='exact'", "match='strict'", 1);
    Some(cpu)
}

/// The requirements of a `<cpu>` that was written anew.
struct Model {
    name: String,
    /// It must be exactly that CPU.
    is_strict: bool,
    /// It requires features besides the model's.
    has_features: bool,
}

fn model_of(cpu: &str) -> Option<Model> {
    let document = Document::parse(cpu).ok()?;
    let root = document.root_element();
    let is_wanted = |node: roxmltree::Node<'_, '_>| {
        matches!(node.attribute("policy"), Some("require" | "force" | "forbid"))
    };
    Some(Model {
        name: child(root, "model")?.text()?.to_owned(),
        is_strict: root.attribute("match") == Some("strict"),
        has_features: root.children().any(is_wanted),
    })
}

//       <model usable='yes' vendor='unknown'>qemu64</model>
//       <model usable='no' vendor='AMD'>EPYC</model>
/// Whether a CPU model is usable. None: not listed.
fn usable(capabilities: &str, model: &str) -> Option<bool> {
    let document = Document::parse(capabilities).ok()?;
    let found = document.descendants().find(|node| {
        node.has_tag_name("model") && node.text() == Some(model) && node.has_attribute("usable")
    });
    match found?.attribute("usable") {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    }
}

/// Parses a text with every parser of this file.
#[cfg(feature = "fuzzing")]
pub fn read_output(text: &str) {
    let _ = (usable(text, "qemu64"), own(text, "mode"), own(text, "cpu"), rewritten(text));
}

#[cfg(test)]
mod tests;
