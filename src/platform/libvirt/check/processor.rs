//! Whether the processor there has what a zone needs: `virsh hypervisor-cpu-compare`, libvirt's own judgement.
//!
//! | zone | what must be there |
//! |---|---|
//! | runs, with a model | the features that it has seen since it was booted |
//! | runs, with the processor of its host | that processor exactly |
//! | does not run, with a model | its features, unless its configuration asks not to check (`check='none'`) |
//! | does not run, with the processor of its host | nothing: it takes what it finds |
//!
//! Where libvirt cannot compare (on some architectures) the model's name must do.

use roxmltree::Document;

use super::super::Libvirt;
use super::super::domain_xml::{self, Domain, child};
use super::super::survey::needs::{Processor, processor_of};
use super::super::virsh::is_plain;
use super::platform;
use crate::model::{Arrival, Blocker, Kind};
use crate::platform::PlatformError;

/// What of it is missing, each feature by its name.
pub async fn missing(
    libvirt: &Libvirt,
    arrival: &Arrival,
    domain: &Domain,
    capabilities: &str,
) -> Result<Vec<Blocker>, PlatformError> {
    let Some(cpu) = needed(arrival) else { return Ok(Vec::new()) };
    let words = ["virttype", "arch", "machine"]
        .into_iter()
        .zip([Some(&domain.virt), Some(&domain.arch), domain.machine.as_ref()])
        .filter_map(|(option, word)| Some(format!("--{option}={}", word?)));
    let words =
        ["hypervisor-cpu-compare", "--error", "/dev/stdin"].map(str::to_owned).into_iter().chain(words);
    let Err(said) = libvirt.known.ask(words, &cpu).await? else { return Ok(Vec::new()) };
    if let Some(reasons) = parse_refusal(&said, &domain.virt) {
        return Ok(reasons.into_iter().map(platform).collect());
    }
    let model = domain.cpu_model.as_deref().filter(|_| arrival.kind == Kind::Live);
    let missing = model.filter(|model| !is_usable(capabilities, model));
    Ok(missing
        .map(|model| platform(format!("no CPU {model} for {} there", domain.virt)))
        .into_iter()
        .collect())
}

/// The `<cpu>` that must be there. What comes from a peer is written anew: nothing else of it is handed on.
fn needed(arrival: &Arrival) -> Option<String> {
    let written_anew = |cpu: &String| {
        let document = Document::parse(cpu).ok()?;
        processor_of(document.root_element()).model().cloned()
    };
    let config = domain_xml::read(&arrival.manifest.config).ok()?;
    let configured = child(config.root_element(), "cpu");
    let seen = arrival.manifest.processor.as_ref().and_then(written_anew);
    match (arrival.kind, seen) {
        (Kind::Live, Some(seen)) => Some(seen),
        // Older software does not tell what the zone has seen.
        (Kind::Live, None) => processor_of(configured?).model().cloned(),
        (Kind::Cold | Kind::Restart, _) => {
            let checked = configured.filter(|cpu| cpu.attribute("check") != Some("none"))?;
            processor_of(checked).model().cloned()
        }
    }
}

/// The processor that a zone sees which runs in this document: a `<cpu>` for another host to compare with its own.
pub async fn seen(libvirt: &Libvirt, current: &str) -> Result<Option<String>, PlatformError> {
    let Ok(domain) = domain_xml::parse(current) else { return Ok(None) };
    let processor = domain_xml::read(current)
        .ok()
        .and_then(|document| child(document.root_element(), "cpu").map(processor_of))
        .unwrap_or_default();
    match processor {
        Processor::Any => Ok(None),
        Processor::Model(cpu) => Ok(Some(cpu)),
        Processor::Same => {
            let capabilities = super::capabilities_of(libvirt, &domain, None).await?;
            Ok(capabilities.ok().and_then(|capabilities| parse_host_model(&capabilities)))
        }
    }
}

//     <mode name='host-model' supported='yes'>
//       <model fallback='forbid'>EPYC</model>
//       <vendor>AMD</vendor>
//       <feature policy='require' name='acpi'/>
//       <feature policy='disable' name='vme'/>
/// The processor of the host itself, which must be the same elsewhere.
fn parse_host_model(capabilities: &str) -> Option<String> {
    let document = Document::parse(capabilities).ok()?;
    let mut modes = document.descendants().filter(|node| node.has_tag_name("mode"));
    let mode = modes.find(|mode| mode.attribute("name") == Some("host-model"))?;
    let cpu = processor_of(mode).model()?.replacen("match='exact'", "match='strict'", 1);
    Some(cpu)
}

// error: Failed to compare hypervisor CPU with /dev/stdin error: the CPU is incompatible with host CPU: Host CPU does
// not provide required features: pni, avx512f
/// Reads why virsh says that a processor does not fit. None if that is not what it says.
fn parse_refusal(said: &str, virt: &str) -> Option<Vec<String>> {
    let after = |words: &str| said.split_once(words).map(|(_, rest)| rest.trim());
    let names = |list: &str| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    let each = |list: &str, reason: &dyn Fn(&str) -> String| {
        Some(names(list).iter().filter(|name| is_plain(name)).map(|name| reason(name)).collect())
            .filter(|reasons: &Vec<String>| !reasons.is_empty())
    };
    let feature = |name: &str| format!("no CPU feature {name} for {virt} there");
    if let Some(list) = after("does not provide required features:").or_else(|| after("Unknown CPU feature"))
    {
        return each(list, &feature);
    }
    if let Some(list) = after("provides forbidden features:") {
        return each(list, &|name| format!("the CPU there has {name}, which the zone must not see"));
    }
    if let Some(model) = after("Unknown CPU model") {
        return each(model, &|name| format!("no CPU {name} for {virt} there"));
    }
    if let Some(list) = after("Extra features:") {
        return Some(vec![format!("the zone sees its host's own CPU, and the one there has more: {list}")]);
    }
    let what = after("the CPU is incompatible with host CPU")?;
    Some(vec![format!("the CPU there is another one {what}").trim_end_matches([':', ' ']).to_owned()])
}

//       <model usable='yes' vendor='unknown'>qemu64</model>
//       <model usable='no' vendor='AMD'>EPYC</model>
/// Whether a CPU model is usable. One that is not listed is left to libvirt's own judgement.
fn is_usable(capabilities: &str, model: &str) -> bool {
    let Ok(document) = Document::parse(capabilities) else { return true };
    let found = document.descendants().find(|node| {
        node.has_tag_name("model") && node.text() == Some(model) && node.has_attribute("usable")
    });
    found.is_none_or(|node| node.attribute("usable") != Some("no"))
}

/// Reads a text as each of the things that are read here.
#[cfg(feature = "fuzzing")]
pub fn read_output(text: &str) {
    let _ = (is_usable(text, "qemu64"), parse_refusal(text, "kvm"), parse_host_model(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CAPABILITIES: &str = include_str!("fixtures/domcapabilities.xml");

    #[test]
    fn a_cpu_model_is_usable_unless_the_host_says_no() {
        let text = "<domainCapabilities><cpu><mode name='custom'><model usable='yes' vendor='unknown'>qemu64</model>\
                    <model usable='no' vendor='AMD'>EPYC</model></mode></cpu></domainCapabilities>";
        assert!(is_usable(text, "qemu64") && !is_usable(text, "EPYC") && is_usable(text, "other"));
    }

    #[test]
    fn each_feature_that_is_missing_is_named() {
        let virsh =
            |what: &str| format!("error: Failed to compare hypervisor CPU with /dev/stdin error: {what}");
        let incompatible = "the CPU is incompatible with host CPU";
        for (what, reasons) in [
            (
                format!("{incompatible}: Host CPU does not provide required features: pni, avx512f"),
                &["no CPU feature pni for kvm there", "no CPU feature avx512f for kvm there"][..],
            ),
            (
                format!("{incompatible}: Host CPU provides forbidden features: aes"),
                &["the CPU there has aes, which the zone must not see"],
            ),
            (
                format!(
                    "{incompatible}: Host CPU does not strictly match guest CPU: Extra features: umip, vaes"
                ),
                &["the zone sees its host's own CPU, and the one there has more: umip, vaes"],
            ),
            (incompatible.to_owned(), &["the CPU there is another one"]),
            ("internal error: Unknown CPU model nosuch".to_owned(), &["no CPU nosuch for kvm there"]),
            (
                "internal error: Unknown CPU feature nosuch".to_owned(),
                &["no CPU feature nosuch for kvm there"],
            ),
        ] {
            assert_eq!(parse_refusal(&virsh(&what), "kvm").unwrap(), reasons, "{what}");
        }
        let cannot = "unsupported configuration: unable to find any emulator to serve 'aarch64' architecture";
        assert_eq!(parse_refusal(&virsh(cannot), "kvm"), None);
    }

    #[test]
    fn a_zone_on_its_hosts_own_processor_needs_that_very_one() {
        let cpu = parse_host_model(CAPABILITIES).unwrap();
        assert!(cpu.starts_with("<cpu mode='custom' match='strict'><model fallback='forbid'>EPYC</model>"));
        assert!(cpu.contains("<feature policy='require' name='umip'/>"));
        assert!(cpu.contains("<feature policy='disable' name='vme'/>"));
        let document = Document::parse(&cpu).unwrap();
        assert_eq!(
            processor_of(document.root_element()),
            Processor::Model(cpu.clone()),
            "it arrives as it left"
        );
    }

    fn arrival(kind: Kind, cpu: &str, seen: Option<&str>) -> Arrival {
        let zone = serde_json::json!({
            "name": "web", "uuid": "00511286-3319-4f84-a168-e5fcdfb0de45", "brand": "kvm", "state": "running",
            "autostart": false, "persistent": true, "memory": 1, "cpus": 1,
        });
        let manifest = serde_json::json!({
            "zone": zone, "config": format!("<domain type='kvm'>{cpu}</domain>"), "platform": "libvirt",
            "disks": [], "networks": [], "obstacles": [], "processor": seen,
        });
        let arrival =
            serde_json::json!({ "manifest": manifest, "kind": kind, "from": "h1", "overwrite": false });
        serde_json::from_value(arrival).unwrap()
    }

    #[test]
    fn a_zone_that_runs_needs_what_it_has_seen_and_one_that_does_not_what_is_configured() {
        let custom = "<cpu mode='custom' check='partial'><model>EPYC</model><feature policy='force' name='aes'/></cpu>";
        let unchecked = custom.replace("partial", "none");
        let seen = "<cpu match='exact'><model>EPYC</model><feature policy='require' name='lm'/><evil/></cpu>";
        let rewritten = |name: &str, policy: &str| {
            Some(format!(
                "<cpu mode='custom' match='exact'><model fallback='forbid'>EPYC</model>\
                 <feature policy='{policy}' name='{name}'/></cpu>"
            ))
        };
        for (kind, cpu, saw, expected) in [
            (Kind::Live, custom, Some(seen), rewritten("lm", "require")),
            (Kind::Live, custom, None, rewritten("aes", "force")),
            (Kind::Live, "<cpu mode='host-passthrough'/>", None, None),
            (Kind::Cold, custom, Some(seen), rewritten("aes", "force")),
            (Kind::Restart, custom, None, rewritten("aes", "force")),
            (Kind::Cold, &unchecked, None, None),
            (Kind::Live, &unchecked, None, rewritten("aes", "force")),
            (Kind::Cold, "<cpu mode='host-passthrough'/>", None, None),
            (Kind::Cold, "<cpu mode='host-model' check='partial'/>", None, None),
            (Kind::Cold, "", None, None),
        ] {
            assert_eq!(needed(&arrival(kind, cpu, saw)), expected, "{kind} {cpu} {saw:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_readers_panic(
            text in "(required features:|Unknown CPU model|incompatible with host CPU|<mode name='host-model'>|<model>|, |\\PC){0,30}"
        ) {
            let _ = (parse_refusal(&text, "kvm"), parse_host_model(&text), is_usable(&text, "x"));
        }
    }
}
