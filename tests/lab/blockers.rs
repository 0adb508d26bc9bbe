//! Blockers are found before anything moves.

use crate::harness::Lab;

fn lab() -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    lab.host("h1").maintain();
    lab
}

#[test]
fn a_zone_on_storage_of_its_host_alone_stays_although_a_copy_lies_at_the_same_path() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &["--disk", "/srv/local/web.img"]);
    std::fs::copy(h1.path("local/web.img"), h2.path("local/web.img")).unwrap();
    let failed = h1.sysadm(&["evacuate"]).ends(1);
    failed.complains(&["web: failed: h2: storage /srv/local/web.img"]);
    lab.guests_are(&["h1: web running", "h2:"]);
    for host in [h1, h2] {
        let left: Vec<_> =
            std::fs::read_dir(host.path("local")).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(left, ["web.img"], "nothing is left of the probe on {}", host.name);
    }
}

#[test]
fn a_zone_on_a_bridge_that_is_missing_there_stays() {
    let lab = lab();
    let h1 = lab.host("h1");
    h1.run(&["ip", "link", "add", "br7", "type", "bridge"]).ends(0);
    h1.run_kvm(&["web"], &["--net", "br7"]);
    h1.run_kvm(&["db"], &["--net", "br0"]);
    h1.sysadm(&["evacuate"]).ends(3).complains(&["web: failed: h2: no bridge br7"]);
    lab.guests_are(&["h1: web running", "h2: db running"]);
}

#[test]
fn a_zone_does_not_replace_another_of_its_name() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &[]);
    h2.define_kvm(&["web"], &[]);
    let theirs = h2.xml("web");
    for options in [&["evacuate"][..], &["evacuate", "-w"]] {
        h1.sysadm(options).ends(1).complains(&["web: failed: h2: another zone is called web there"]);
    }
    lab.guests_are(&["h1: web running", "h2: web shut off"]);
    assert_eq!(h2.xml("web"), theirs);
}

#[test]
fn an_older_configuration_of_the_same_zone_is_overwritten_only_on_request() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &[]);
    h1.define_kvm(&["old"], &[]);
    for zone in ["web", "old"] {
        h2.define_xml(&h1.xml(zone).replace("Lab guest", "Long ago"));
    }
    let failed = h1.sysadm(&["evacuate", "-a"]).ends(1);
    failed.complains(&["web is already installed there", "hint: use -w", "old is already installed there"]);
    lab.guests_are(&["h1: old shut off, web running", "h2: old shut off, web shut off"]);
    assert!(h2.xml("web").contains("Long ago"));
    h1.sysadm(&["evacuate", "-aw"]).ends(0);
    lab.guests_are(&["h1:", "h2: old shut off, web running"]);
    for zone in ["web", "old"] {
        assert!(h2.xml(zone).contains("Lab guest"), "{}", h2.xml(zone));
    }
}

#[test]
fn a_zone_that_already_runs_there_is_left_alone() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.define_kvm(&["web"], &[]);
    h2.define_xml(&h1.xml("web"));
    h2.start(&["web"]);
    h1.sysadm(&["evacuate", "-aw"]).ends(1).complains(&["web: failed: h2: web is already running there"]);
    lab.guests_are(&["h1: web shut off", "h2: web running"]);
}

#[test]
fn a_zone_that_needs_more_memory_than_is_free_there_stays() {
    let lab = lab();
    let h1 = lab.host("h1");
    // The hosts share one machine's memory, so h2 reserves nearly all of its own.
    lab.host("h2").configure("[libvirt]\nheadroom = 1000000000\n");
    h1.run_kvm(&["web"], &[]);
    h1.define_kvm(&["old"], &[]);
    h1.sysadm(&["evacuate", "-a"]).ends(3).complains(&["web: failed: h2: 96M of memory needed, h2 has 0"]);
    // A zone that does not run needs none.
    lab.guests_are(&["h1: web running", "h2: old shut off"]);
}

#[test]
fn a_managed_save_image_is_a_named_obstacle() {
    let lab = lab();
    let h1 = lab.host("h1");
    h1.run_kvm(&["web"], &[]);
    h1.virsh(&["managedsave", "web"]).ends(0);
    h1.sysadm(&["evacuate", "-a"]).ends(3).complains(&["web: skipped: ", "managed"]);
    lab.guests_are(&["h1: web shut off", "h2:"]);
    h1.virsh(&["managedsave-remove", "web"]).ends(0);
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    lab.guests_are(&["h1:", "h2: web shut off"]);
}
