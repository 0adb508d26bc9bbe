//! `sysadm setup`: libvirt's hooks.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Host, Lab, wait_until};

const REFUSAL: &str = "prevented due to system maintenance: see sysadm(8)";

/// All files below libvirt's hooks, with their texts.
fn hooks(host: Host<'_>) -> Vec<(String, String)> {
    fn collect(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
        found.sort();
    }
    let mut found = Vec::new();
    collect(&host.path("etc/libvirt/hooks"), &mut found);
    found
}

#[test]
fn setup_again_changes_nothing_and_uninstall_leaves_nothing() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    assert_eq!(hooks(h1), []);
    h1.sysadm(&["setup"]).ends(0).says(&["qemu", "lxc", ": installed"]).complains(&["restart libvirtd"]);
    let installed = hooks(h1);
    assert!(installed.len() >= 2, "{installed:?}");
    let again = h1.sysadm(&["setup"]).ends(0).says(&["unchanged"]);
    assert!(!again.stdout.contains("installed"), "{}", again.stdout);
    assert_eq!(hooks(h1), installed);
    h1.sysadm(&["setup", "--uninstall"]).ends(0).says(&["removed"]);
    assert_eq!(hooks(h1), []);
    h1.sysadm(&["setup", "--uninstall"]).ends(0);
}

#[test]
fn a_hook_that_was_there_before_keeps_working() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    let [calls, theirs] = ["etc/libvirt/calls", "etc/libvirt/hooks/qemu"].map(|path| h1.path(path));
    std::fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    std::fs::write(&theirs, format!("#!/bin/sh\necho \"$@\" >>{}\ncat >/dev/null\n", calls.display()))
        .unwrap();
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o755)).unwrap();
    let before = hooks(h1);
    h1.set_up();
    h1.run_kvm(&["web"], &[]);
    let heard = || std::fs::read_to_string(&calls).unwrap_or_default();
    assert!(heard().contains("web started begin"), "{}", heard());
    h1.virsh(&["destroy", "web"]).ends(0);
    h1.maintain();
    std::fs::remove_file(&calls).unwrap();
    h1.virsh(&["start", "web"]).ends(1).complains(&[REFUSAL]);
    assert!(heard().contains("web prepare begin"), "{}", heard());
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.virsh(&["start", "web"]).ends(0);
    h1.virsh(&["destroy", "web"]).ends(0);
    h1.sysadm(&["setup", "--uninstall"]).ends(0);
    assert_eq!(hooks(h1), before);
    h1.libvirtd("restart");
    std::fs::remove_file(&calls).unwrap();
    h1.maintain();
    h1.virsh(&["start", "web"]).ends(0);
    assert!(heard().contains("web started begin"), "{}", heard());
}

#[test]
fn a_start_works_without_a_store_with_a_broken_one_and_without_sysadm() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.set_up();
    h1.define_kvm(&["web"], &[]);
    let starts = || {
        h1.virsh(&["start", "web"]).ends(0);
        h1.virsh(&["destroy", "web"]).ends(0);
    };
    let state = h1.path("var/lib/sysadm");
    for entry in std::fs::read_dir(&state).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    starts();
    std::fs::write(h1.database(), "this is not a database, whatever its name says").unwrap();
    starts();
    // A host that has nothing of sysadm but the hook.
    h1.run(&["mount", "--bind", "/var/empty", "/var/lib/sysadm"]);
    let folder = lab.folder().join("empty");
    std::fs::create_dir(&folder).unwrap();
    let sysadm = std::path::Path::new(crate::harness::SYSADM).parent().unwrap().to_str().unwrap();
    h1.run(&["mount", "--bind", folder.to_str().unwrap(), sysadm]).ends(0);
    starts();
}

#[test]
fn the_lock_holds_without_a_usable_database_and_without_sysadm() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.set_up();
    h1.define_kvm(&["web"], &[]);
    h1.maintain();
    std::fs::write(h1.database(), "this is not a database, whatever its name says").unwrap();
    let folder = lab.folder().join("empty");
    std::fs::create_dir(&folder).unwrap();
    let sysadm = std::path::Path::new(crate::harness::SYSADM).parent().unwrap().to_str().unwrap();
    h1.run(&["mount", "--bind", folder.to_str().unwrap(), sysadm]).ends(0);
    h1.virsh(&["start", "web"]).ends(1).complains(&[REFUSAL]);
}

#[test]
fn zones_go_on_running_while_libvirtd_is_restarted_under_the_lock() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.set_up();
    h1.run_kvm(&["web"], &[]);
    h1.define_lxc("box");
    h1.start(&["box"]);
    h1.maintain();
    let observer = crate::harness::Observer::start(&lab, &["web"]);
    h1.libvirtd("restart");
    wait_until(10, "libvirtd knows its guests", || h1.guests() == "box (lxc) running, web running");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let report = observer.finds_nothing_wrong();
    assert!(report.guests["web"].count > 10, "{report:?}");
    lab.guests_are(&["h1: box (lxc) running, web running"]);
}

#[test]
fn what_is_already_running_may_still_be_saved_paused_and_stopped_under_the_lock() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.set_up();
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    h1.virsh(&["suspend", "web"]).ends(0);
    h1.virsh(&["resume", "web"]).ends(0);
    let image = lab.shared().join("web.save");
    h1.virsh(&["save", "web", image.to_str().unwrap()]).ends(0);
    h1.virsh(&["restore", image.to_str().unwrap()]).ends(1).complains(&[REFUSAL]);
    lab.guests_are(&["h1: web shut off"]);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.virsh(&["restore", image.to_str().unwrap()]).ends(0);
}
