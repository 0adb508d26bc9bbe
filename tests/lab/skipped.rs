//! Zones for which no attempt is made.

use crate::harness::Lab;

#[test]
fn a_running_lxc_zone_is_skipped_with_the_reason() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.define_lxc("box");
    h1.start(&["box"]);
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    let partly = h1.sysadm(&["evacuate", "-a"]).ends(3);
    partly.complains(&["1 of 2 zone(s) moved", "1 still running here", "box: skipped: a running lxc zone"]);
    lab.guests_are(&["h1: box (lxc) running", "h2: web running"]);
    let list = h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE,ERROR"]).ends(0);
    list.says(&["box:SKIPPED:a running lxc zone cannot be migrated live", "web:EVACUATED:"]);
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["1 zone(s) still running here: box"]);
    // As the reason says.
    h1.virsh_lxc(&["destroy", "box"]).ends(0);
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    lab.guests_are(&["h1:", "h2: box (lxc) shut off, web running"]);
}

#[test]
fn a_running_zone_without_a_target_is_skipped_with_the_command_that_helps() {
    let lab = Lab::new(&["h1", "h2"]);
    let h1 = lab.host("h1");
    h1.run_kvm(&["web", "db"], &[]);
    h1.sysadm(&["target", "set", "web", "ssh://root@h2"]).ends(0);
    h1.maintain();
    h1.sysadm(&["evacuate"]).ends(3).complains(&["db: skipped: no target", "sysadm target set db"]);
    lab.guests_are(&["h1: db running", "h2: web running"]);
    // None moved, and none was tried.
    h1.sysadm(&["evacuate"]).ends(3);
}

#[test]
fn a_guest_whose_name_no_zone_can_have_is_told_about() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.run_kvm(&["web"], &[]);
    h1.define_kvm(&["odd"], &[]);
    let xml = h1.xml("odd");
    h1.virsh(&["undefine", "odd"]).ends(0);
    // When libvirt reads its own file again, this becomes a line break.
    h1.define_xml(&xml.replace("<name>odd</name>", "<name>an odd&#13;name</name>"));
    h1.libvirtd("restart");
    h1.maintain();
    let told = "\"an odd\\nname\" does not run and cannot be handled: ";
    h1.sysadm(&["evacuate", "-na"]).ends(3).complains(&[told, "dry-run failed: 1 of 2 zone(s) cannot move"]);
    h1.sysadm(&["evacuate", "-a"]).ends(3).complains(&["1 of 2 zone(s) moved, 1 cannot be handled", told]);
    lab.guests_are(&[r"h1: an odd\x0aname shut off", "h2: web running"]);
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["1 installed zone(s) left"]).complains(&[told]);
    h1.sysadm(&["zone", "list"]).ends(0).complains(&[told]);
    h1.sysadm(&["zone", "standby"]).ends(3).complains(&[told]);
    h1.sysadm(&["host", "inventory"]).ends(0).says(&["0/1"]).complains(&[told]);
}
