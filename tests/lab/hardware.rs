//! A zone whose virtual hardware the destination does not have stays where it is, running or not; `-n` says so
//! before.

use sysadm::testing::paths::Paths;
use sysadm::testing::platform::ConfigEditor;
use sysadm::testing::platform::libvirt::Libvirt;
use sysadm_model::{Edit, NetMap};

use crate::harness::{Host, Lab};

const CPU: &str =
    "<cpu mode='custom' match='exact' check='none'>\n    <model fallback='allow'>qemu64</model>\n  </cpu>";

fn lab() -> Lab {
    Lab::with_default_target(&["h1", "h2"], "ssh://root@h2")
}

/// Removes lines from libvirt's cached capabilities of a host's QEMU, as if QEMU had been built without these
/// features.
fn build_without(host: Host<'_>, lines: &[&str]) {
    host.libvirtd("stop");
    let known = std::fs::read_dir(host.path("var/cache/libvirt/qemu/capabilities")).unwrap();
    for file in known.map(|file| file.unwrap().path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let is_left_out = |line: &&str| lines.iter().any(|left_out| line.trim().starts_with(left_out));
        assert!(text.lines().any(|line| is_left_out(&line)), "{lines:?} is in {}", file.display());
        let rest: Vec<_> = text.lines().filter(|line| !is_left_out(line)).collect();
        std::fs::write(&file, rest.join("\n")).unwrap();
    }
    host.libvirtd("start");
}

/// Defines a zone of the lab with another piece of XML.
fn define(host: Host<'_>, zone: &str, from: &str, to: &str) {
    host.define_kvm(&[zone], &[]);
    let xml = host.xml(zone);
    assert!(xml.contains(from), "{from} is in {xml}");
    host.define_xml(&xml.replacen(from, to, 1));
}

#[test]
fn a_zone_whose_cpu_features_are_missing_there_stays_running_or_not() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let with = |check: &str, feature: &str| {
        CPU.replace("none", check)
            .replace("</model>", &format!("</model><feature policy='require' name='{feature}'/>"))
    };
    // No CPU here has this feature, which libvirt notices only when the zone is started.
    define(h1, "cold", CPU, &with("partial", "avx512f"));
    h1.virsh(&["start", "cold"]).ends(1).complains(&["required features: avx512f"]);
    define(h1, "lax", CPU, &with("none", "avx512f"));
    define(h1, "live", CPU, &with("partial", "umip"));
    h1.start(&["live", "lax"]);
    h1.sysadm(&["evacuate", "-na"])
        .ends(3)
        .complains(&["cold: ssh://root@h2: no CPU feature avx512f for qemu"]);
    build_without(h2, &["<property name='umip'"]);
    h1.maintain();
    let found = [
        "cold: ssh://root@h2: no CPU feature avx512f for qemu",
        "live: ssh://root@h2: no CPU feature umip for qemu",
        "2 of 3 zone(s) cannot move",
    ];
    h1.sysadm(&["evacuate", "-na"]).ends(3).complains(&found);
    h1.sysadm(&["evacuate", "-a"]).ends(3).complains(&["live: failed: h2: no CPU feature umip"]);
    lab.guests_are(&["h1: cold shut off, live running", "h2: lax running"]);
}

#[test]
fn a_zone_that_sees_all_of_its_hosts_cpu_moves_live_only_to_one_with_the_same() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    for zone in ["same", "other"] {
        define(h1, zone, CPU, "<cpu mode='maximum' check='none'/>");
    }
    h1.start(&["same", "other"]);
    h1.maintain();
    h1.sysadm(&["evacuate", "same"]).ends(0);
    build_without(h2, &["<property name='umip'"]);
    h1.sysadm(&["evacuate", "other"]).ends(1).complains(&["other: failed: h2: no CPU feature umip for qemu"]);
    lab.guests_are(&["h1: other running", "h2: same running"]);
}

#[test]
fn a_zone_with_devices_that_the_qemu_there_was_built_without_stays_running_or_not() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let balloon = "<memballoon model='none'/>";
    let spice = "<graphics type='spice'/><video><model type='qxl'/></video>";
    for zone in ["cold", "live"] {
        define(h1, zone, balloon, &format!("{spice}{balloon}"));
    }
    h1.run_kvm(&["plain"], &[]);
    h1.start(&["live"]);
    build_without(h2, &["<flag name='qxl'/>", "<flag name='spice'/>"]);
    // libvirt itself would report it after everything else is done.
    std::fs::write(lab.folder().join("there.xml"), h1.xml("cold")).unwrap();
    let refused = h2.virsh(&["create", lab.folder().join("there.xml").to_str().unwrap()]);
    refused.ends(1).complains(&["not support"]);
    h1.maintain();
    for zone in ["cold", "live"] {
        let found = ["no graphics spice", "no video model qxl"];
        let found = found.map(|reason| format!("{zone}: ssh://root@h2: {reason}"));
        h1.sysadm(&["evacuate", "-na"]).ends(3).complains(&found.each_ref().map(String::as_str));
    }
    h1.sysadm(&["evacuate", "-a"]).ends(3).complains(&["cold: failed: h2: no graphics spice"]);
    lab.guests_are(&["h1: cold shut off, live running", "h2: plain running"]);
}

#[test]
fn a_zone_whose_emulator_is_missing_there_stays_running_or_not() {
    let lab = lab();
    let h1 = lab.host("h1");
    h1.run(&["ln", "-s", "/usr/bin/qemu-system-x86_64", "/srv/local/qemu"]).ends(0);
    for zone in ["cold", "live"] {
        define(h1, zone, "/usr/bin/qemu-system-x86_64", "/srv/local/qemu");
    }
    h1.start(&["live"]);
    h1.maintain();
    let failed = h1.sysadm(&["evacuate", "-a"]).ends(1);
    failed.complains(&[
        "cold: failed: h2: libvirt knows no emulator /srv/local/qemu",
        "live: failed: h2: libvirt knows no",
    ]);
    lab.guests_are(&["h1: cold shut off, live running", "h2:"]);
}

#[test]
fn a_configuration_with_changes_is_one_that_libvirt_takes_and_understands_in_the_same_way() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    let firmware = "<sysinfo type='smbios'><system><entry name='uuid'>";
    h1.run(&["ip", "link", "add", "br7", "type", "bridge"]).ends(0);
    h1.define_kvm(&["web"], &["--net", "br0"]);
    let xml = h1.xml("web");
    let uuid = xml.split("<uuid>").nth(1).unwrap().split('<').next().unwrap();
    let told = format!("{firmware}{uuid}</entry></system></sysinfo><os><smbios mode='sysinfo'/>");
    h1.define_xml(&xml.replacen("<os>", &told, 1));
    let before = h1.xml("web");
    assert!(before.contains("<smbios"), "{before}");

    let zone = serde_json::json!({
        "name": "web", "uuid": uuid, "brand": "kvm", "state": "installed", "autostart": false, "persistent": true,
        "memory": 96 << 20, "cpus": 1,
    });
    let manifest = serde_json::json!({
        "zone": zone, "config": before, "platform": "libvirt", "disks": [], "networks": [], "obstacles": [],
    });
    let manifest = serde_json::from_value(manifest).unwrap();
    let libvirt = Libvirt::new(Default::default(), Paths::new(lab.folder()));
    let copy = "6b5bd03f-ed22-41e2-9128-dadfae40d005";
    let edits = [
        Edit::Name("copy".parse().unwrap()),
        Edit::Uuid(copy.parse().unwrap()),
        Edit::Memory(100 << 20),
        Edit::Cpus(2),
        Edit::Machine("pc-i440fx-6.2".to_owned()),
        Edit::Networks(NetMap::of([("br0".parse().unwrap(), "br7".parse().unwrap())]).unwrap()),
    ];
    let edited = libvirt.edit(&manifest, &edits).unwrap();
    h1.define_xml(&edited);
    let taken = h1.xml("copy");
    assert_eq!(taken, edited, "what libvirt has is what was written, to the byte");
    let understood = h1.virsh(&["dominfo", "copy"]).ends(0);
    understood.says(&[copy, "CPU(s):         2", "Max memory:     102400 KiB"]);
    assert_eq!(h1.xml("web"), before);
    // Its disk is that of the other zone, which does not run.
    h1.virsh(&["start", "copy"]).ends(0);
}
