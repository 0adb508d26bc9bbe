//! Maintenance: who holds it, and what it forbids.

use crate::harness::Lab;

#[test]
fn maintenance_is_started_once_and_ended_once() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.sysadm(&["maintain", "-e"]).ends(1).complains_in_one_line(&["not in maintenance"]);
    h1.sysadm(&["maintain", "-l"]).ends(0).says(&["sysadm: not in maintenance"]);
    h1.run(&["env", "SUDO_USER=ada", "sysadm", "maintain", "-s", "-m", "a:b"]).ends(0);
    let second = h1.sysadm(&["maintain", "-s", "-m", "mine"]).ends(4);
    let second = second.complains_in_one_line(&["admin", "ada"]);
    let date = h1.sysadm(&["maintain", "-l", "-p", "-o", "DATE"]).ends(0).stdout.replace('\\', "");
    second.complains(&[date.trim()]);
    let fields = h1.sysadm(&["maintain", "-l", "-p", "-o", "TYPE,USER,MESSAGE"]).ends(0).stdout;
    assert_eq!(fields, "admin:ada:a\\:b\n");
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["maintain", "-e"]).ends(1);
}

#[test]
fn the_host_is_free_when_the_last_holder_has_ended() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.set_up();
    h1.define_kvm(&["web"], &[]);
    h1.maintain();
    h1.sysadm(&["maintain", "-s", "--type", "firmware"]).ends(0);
    h1.sysadm(&["maintain", "-e"]).ends(0).complains(&["firmware"]);
    h1.virsh(&["start", "web"]).ends(1).complains(&["system maintenance", "firmware"]);
    h1.sysadm(&["maintain", "-e", "--type", "firmware"]).ends(0);
    h1.virsh(&["start", "web"]).ends(0);
}

#[test]
fn an_evacuation_needs_the_lock_and_a_return_needs_it_gone() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.run_kvm(&["web"], &[]);
    h1.sysadm(&["evacuate"]).ends(4).complains_in_one_line(&["not in maintenance", "sysadm maintain -s"]);
    lab.guests_are(&["h1: web running", "h2:"]);
    h1.maintain();
    h1.sysadm(&["evacuate"]).ends(0);
    let refused = h1.sysadm(&["evacuate", "-r"]).ends(4);
    refused.complains_in_one_line(&["in maintenance", "admin", "sysadm maintain -e"]);
    lab.guests_are(&["h1:", "h2: web running"]);
}

#[test]
fn the_lock_and_the_away_list_survive_a_power_loss() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.set_up();
    h1.run_kvm(&["web"], &[]);
    h1.define_kvm(&["old"], &[]);
    h1.virsh(&["autostart", "web"]).ends(0);
    h1.virsh(&["autostart", "old"]).ends(0);
    h1.sysadm(&["maintain", "-s", "-m", "new kernel"]).ends(0);
    h1.sysadm(&["evacuate"]).ends(0);
    let list = h1.sysadm(&["evacuate", "-l"]).ends(0).stdout;
    h1.kill();
    h1.boot();
    h1.sysadm(&["maintain", "-l"]).ends(0).says(&["admin", "new kernel"]);
    h1.virsh(&["start", "old"]).ends(1).complains(&["prevented due to system maintenance: see sysadm(8)"]);
    assert_eq!(h1.sysadm(&["evacuate", "-l"]).ends(0).stdout, list);
    // The boot has started neither the zone that is away nor the one that is here.
    lab.guests_are(&["h1: old shut off", "h2: web running"]);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: old shut off, web running", "h2:"]);
}

#[test]
fn a_host_in_maintenance_takes_no_zone() {
    let lab = Lab::with_default_target(&["h1", "h2", "h3"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    h2.sysadm(&["maintain", "-s", "-m", "disk swap"]).ends(0);
    h1.sysadm(&["evacuate"]).ends(1).complains(&["web: failed: h2: h2 is in maintenance", "disk swap"]);
    lab.guests_are(&["h1: web running", "h2:", "h3:"]);
    // The next target accepts it.
    h1.sysadm(&["target", "set", "web", "ssh://root@h2", "ssh://root@h3"]).ends(0);
    h1.sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2:", "h3: web running"]);
}
