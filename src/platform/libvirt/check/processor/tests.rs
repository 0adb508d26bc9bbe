//! Which CPU is required, with real output of libvirt.

use super::*;
use proptest::prelude::*;

const CAPABILITIES: &str = include_str!("../fixtures/domcapabilities.xml");

#[test]
fn a_cpu_model_is_usable_or_not_or_not_listed() {
    let text = "<domainCapabilities><cpu><mode name='custom'><model usable='yes' vendor='unknown'>qemu64</model>\
                <model usable='no' vendor='AMD'>EPYC</model></mode></cpu></domainCapabilities>";
    let found = ["qemu64", "EPYC", "other"].map(|model| usable(text, model));
    assert_eq!(found, [Some(true), Some(false), None]);
}

#[test]
fn a_zone_on_its_hosts_own_processor_needs_that_very_one() {
    let cpu = own(CAPABILITIES, "mode").unwrap();
    assert!(cpu.starts_with("<cpu mode='custom' match='strict'><model fallback='forbid'>EPYC</model>"));
    assert!(cpu.contains("<feature policy='require' name='umip'/>"));
    assert!(cpu.contains("<feature policy='disable' name='vme'/>"));
    assert_eq!(rewritten(&cpu), Ok(Processor::Model(cpu.clone())), "it arrives as it left");
}

#[test]
fn a_host_whose_processor_qemu_does_not_report_is_known_by_what_libvirt_says_of_it() {
    let none = "<domainCapabilities><cpu><mode name='host-model' supported='no'/></cpu></domainCapabilities>";
    assert_eq!(own(none, "mode"), None);
    let arm = "<capabilities><host><cpu><arch>aarch64</arch><model>Neoverse-N1</model><vendor>ARM</vendor>\
               <feature name='fp'/></cpu></host><guest><cpu><model>x</model></cpu></guest></capabilities>";
    let cpu = own(arm, "cpu").unwrap();
    assert_eq!(
        cpu,
        "<cpu mode='custom' match='strict'><model fallback='forbid'>Neoverse-N1</model>\
         <feature policy='require' name='fp'/></cpu>"
    );
    assert!(model_of(&cpu).unwrap().is_strict);
    assert_eq!(own("<capabilities><host/></capabilities>", "cpu"), None);
}

/// What libvirt 9.0 says of a guest that runs here, and of this host.
#[test]
fn what_the_zones_own_host_is_said_to_lack_is_not_asked_for_elsewhere() {
    let said = "error: Failed to compare hypervisor CPU with /dev/stdin error: the CPU is incompatible with host CPU: \
                Host CPU does not provide required features: pni, svm, topoext";
    let seen = "<cpu mode='custom' match='exact'><model fallback='forbid'>qemu64</model>\
                <feature policy='require' name='topoext'/><feature policy='require' name='avx2'/></cpu>";
    let relaxed = without(seen, CpuFit::of(said.to_owned()).features());
    assert_eq!(
        relaxed,
        "<cpu mode='custom' match='exact'><model fallback='forbid'>qemu64</model><feature policy='require' name='avx2'/>\
         <feature policy='disable' name='pni'/><feature policy='disable' name='svm'/>\
         <feature policy='disable' name='topoext'/></cpu>"
    );
    assert_eq!(without(seen, &[]), seen);
    assert_eq!(rewritten(&relaxed), Ok(Processor::Model(relaxed.clone())));
}

#[test]
fn a_model_without_features_of_its_own_is_known_as_one() {
    let cpu = |features: &str| format!("<cpu match='exact'><model>EPYC</model>{features}</cpu>");
    for (features, has) in [
        ("", false),
        ("<feature policy='disable' name='svm'/>", false),
        ("<feature policy='require' name='aes'/>", true),
        ("<feature policy='force' name='aes'/>", true),
        ("<feature policy='forbid' name='aes'/>", true),
    ] {
        assert_eq!(model_of(&cpu(features)).unwrap().has_features, has, "{features}");
    }
}

#[test]
fn no_processor_of_a_peers_keeps_this_host_busy() {
    let feature = |number: usize| format!("<feature policy='require' name='f{number}'/>");
    let with = |features: &str| format!("<cpu match='exact'><model>EPYC</model>{features}</cpu>");
    let many: String = (0..2_000).map(feature).collect();
    let attributes: String = (0..2_000).map(|number| format!(" a{number}=''")).collect();
    let unread = "the CPU that it has seen cannot be read: ";
    for (seen, what) in [
        (with(&many), format!("{unread}it is too long")),
        (with(&" ".repeat(1 << 20)), format!("{unread}it is too long")),
        (format!("<cpu{attributes}/>"), format!("{unread}an element has more than 1000 attributes")),
        ("<cpu".to_owned(), format!("{unread}it is no XML")),
        (UNKNOWN.to_owned(), "the zone sees its host's own CPU, and which one that is is unknown".to_owned()),
    ] {
        assert_eq!(needed(&request(Method::Live, "", Some(&seen))), Err(what));
    }
    let configured = with(&many);
    let refused = needed(&request(Method::Cold, &configured, None));
    assert_eq!(refused, Err("its CPU has too many features".to_owned()));
}

fn request(method: Method, cpu: &str, seen: Option<&str>) -> CheckRequest {
    let zone = serde_json::json!({
        "name": "web", "uuid": "00511286-3319-4f84-a168-e5fcdfb0de45", "brand": "kvm", "state": "running",
        "autostart": false, "persistent": true, "memory": 1, "cpus": 1,
    });
    let manifest = serde_json::json!({
        "zone": zone, "config": format!("<domain type='kvm'>{cpu}</domain>"), "platform": "libvirt",
        "disks": [], "networks": [], "obstacles": [], "processor": seen,
    });
    let request =
        serde_json::json!({ "manifest": manifest, "method": method, "from": "h1", "overwrite": false });
    serde_json::from_value(request).unwrap()
}

#[test]
fn a_zone_that_runs_needs_what_it_has_seen_and_one_that_does_not_what_is_configured() {
    let custom =
        "<cpu mode='custom' check='partial'><model>EPYC</model><feature policy='force' name='aes'/></cpu>";
    let unchecked = custom.replace("partial", "none");
    let seen = "<cpu match='exact'><model>EPYC</model><feature policy='require' name='lm'/><evil/></cpu>";
    let rewritten = |name: &str, policy: &str| {
        Some(format!(
            "<cpu mode='custom' match='exact'><model fallback='forbid'>EPYC</model>\
             <feature policy='{policy}' name='{name}'/></cpu>"
        ))
    };
    for (method, cpu, saw, expected) in [
        (Method::Live, custom, Some(seen), rewritten("lm", "require")),
        (Method::Live, custom, None, rewritten("aes", "force")),
        (Method::Live, "<cpu mode='host-passthrough'/>", None, None),
        (Method::Cold, custom, Some(seen), rewritten("aes", "force")),
        (Method::Restart, custom, None, rewritten("aes", "force")),
        (Method::Cold, &unchecked, None, None),
        (Method::Live, &unchecked, None, rewritten("aes", "force")),
        (Method::Cold, "<cpu mode='host-passthrough'/>", None, None),
        (Method::Cold, "<cpu mode='host-model' check='partial'/>", None, None),
        (Method::Cold, "", None, None),
    ] {
        assert_eq!(needed(&request(method, cpu, saw)), Ok(expected), "{method} {cpu} {saw:?}");
    }
}

proptest! {
    #[test]
    fn no_answer_makes_the_readers_panic(
        text in "(required features:|Unknown CPU model|incompatible with host CPU|<mode name='host-model'>|<model>|, |\\PC){0,30}"
    ) {
        let fit = CpuFit::of(text.clone());
        assert!(rewritten(&without("<cpu><model>x</model></cpu>", fit.features())).is_ok());
        let _ = (own(&text, "mode"), own(&text, "cpu"), usable(&text, "x"), rewritten(&text));
    }
}
