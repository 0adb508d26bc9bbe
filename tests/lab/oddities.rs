//! Unusual zones.

use crate::harness::{Lab, Observer};

fn lab() -> Lab {
    Lab::with_default_target(&["h1", "h2"], "ssh://root@h2")
}

#[test]
fn autostart_goes_with_the_zone_and_leaves_nothing_behind_that_starts_at_boot() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &[]);
    h1.define_kvm(&["old"], &[]);
    for zone in ["web", "old"] {
        h1.virsh(&["autostart", zone]).ends(0);
    }
    h1.maintain();
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    let autostarted = |host: crate::harness::Host<'_>| {
        let listed = host.virsh(&["list", "--all", "--autostart", "--name"]).ends(0).stdout;
        let mut names: Vec<_> = listed.split_whitespace().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(autostarted(h2), ["old", "web"]);
    assert_eq!(std::fs::read_dir(h1.path("etc/libvirt/qemu/autostart")).unwrap().count(), 0);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-ra"]).ends(0);
    assert_eq!(autostarted(h1), ["old", "web"]);
    assert_eq!(autostarted(h2), [""; 0]);
}

#[test]
fn a_zone_that_its_owner_has_paused_stays_paused_at_its_location() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &[]);
    h1.virsh(&["suspend", "web"]).ends(0);
    h1.maintain();
    let observer = Observer::start(&lab, &["web"]);
    h1.sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2: web paused"]);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    // QEMU before 10 crashes when a zone that arrived paused is migrated on without being resumed.
    h1.sysadm(&["evacuate", "-rn"]).ends(3);
    h1.sysadm(&["evacuate", "-r"]).ends(3).complains(&["web: skipped: ", "paused", "virsh resume web"]);
    lab.guests_are(&["h1:", "h2: web paused"]);
    let report = observer.finish();
    assert_eq!(report.guests["web"].count, 0, "it was let run: {report:?}");
    // Its memory is complete, and it can go home.
    let observer = Observer::start(&lab, &["web"]);
    h2.virsh(&["resume", "web"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: web running", "h2:"]);
    observer.finds_nothing_wrong();
}

#[test]
fn a_transient_zone_moves_and_stays_transient() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &[]);
    h1.virsh(&["undefine", "web"]).ends(0);
    h1.maintain();
    let observer = Observer::start(&lab, &["web"]);
    h1.sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2: web running"]);
    h2.virsh(&["dominfo", "web"]).ends(0).says(&["Persistent:     no"]);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: web running", "h2:"]);
    h1.virsh(&["dominfo", "web"]).ends(0).says(&["Persistent:     no"]);
    observer.finds_nothing_wrong();
}

#[test]
fn a_kvm_and_an_lxc_guest_of_one_name_are_never_taken_for_each_other() {
    let lab = lab();
    let h1 = lab.host("h1");
    h1.run_kvm(&["twin", "web"], &[]);
    // The lab tells them apart by driver; their disks and logs differ.
    h1.define_lxc("twin");
    h1.maintain();
    let run = h1.sysadm(&["evacuate", "-a"]);
    // Whatever it makes of the two, it says so, harms neither, and moves the other zone.
    assert!(matches!(run.code, 0 | 3), "{run:?}");
    let [here, there] = ["h1", "h2"].map(|name| lab.host(name).guests());
    assert!(there.contains("web running"), "{there}");
    for twin in ["twin running", "twin (lxc) shut off"] {
        assert!(here.contains(twin) != there.contains(twin), "{twin}: {here} | {there}");
        assert!(run.code == 3 || there.contains(twin), "{run:?}");
    }
    if run.code == 3 {
        assert!(run.stderr.contains("twin"), "{run:?}");
    }
}

#[test]
fn a_configuration_that_was_edited_while_the_zone_runs_goes_along() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &[]);
    h1.define_xml(&h1.xml("web").replace("98304", "131072"));
    h1.maintain();
    h1.sysadm(&["evacuate"]).ends(0);
    assert!(h2.xml("web").contains("131072"), "the next boot's memory\n{}", h2.xml("web"));
    h2.virsh(&["dumpxml", "web"]).ends(0).says(&["98304"]);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    assert!(h1.xml("web").contains("131072"));
}
