//! A host is lost, and its zone is taken over elsewhere, from the replica that the host had left there.

use crate::harness::Lab;

#[test]
fn a_zone_of_a_lost_host_is_attached_at_its_target_and_comes_home_when_the_host_is_back() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[connect]\ntimeout = 3\n");
    h2.configure("[connect]\ntimeout = 3\n");
    h1.run_kvm(&["web"], &[]);
    h1.define_lxc("box");
    let before = h1.xml("web");
    h1.sysadm(&["zone", "standby"]).ends(0).says(&["2 zone(s)", "1 host(s)"]);
    h2.sysadm(&["zone", "standby", "-l"]).ends(0).says(&["web", "box", "h1"]);
    let take = ["zone", "attach", "--standby", "web", "--origin-is-down"];
    h2.sysadm(&take).ends(1).complains(&["h1 is up, and has or knows the zone"]);
    h1.kill();
    h2.sysadm(&take[..4])
        .ends(1)
        .complains(&["h1 does not answer, but may still be running it", "--origin-is-down"]);
    lab.host("h2").virsh(&["dominfo", "web"]).ends(1);
    h2.sysadm(&take).ends(0).says(&["zone 'web' of h1 is attached here"]);
    h2.start(&["web"]);
    assert_eq!(h2.guests(), "web running");

    h1.boot();
    // It knows of both, and runs neither.
    assert_eq!(h1.guests(), "box (lxc) shut off, web shut off");
    let told = h1.sysadm(&["zone", "standby"]).ends(0);
    told.complains(&["web: attached on ssh://root@h2 by", "evacuate -r"]);
    lab.guests_are(&["h1: box (lxc) shut off", "h2: web running"]);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: box (lxc) shut off, web running", "h2:"]);
    // libvirt changes the indentation of metadata when it reads it.
    let lines = |xml: &str| xml.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(&h1.xml("web")), lines(&before), "its configuration is as it was");
    h2.sysadm(&["zone", "standby", "-l", "-p", "-o", "ZONENAME,ATTACHED"]).ends(0).says(&["web:"]);
    h1.sysadm(&["zone", "standby", "-q"]).ends(0).complains_of_nothing();
}

#[test]
fn a_host_that_is_back_hears_of_a_zone_that_its_rescuer_has_sent_on_and_it_comes_home() {
    let lab = Lab::new(&["h1", "h2", "h3"]);
    let [h1, h2, h3] = ["h1", "h2", "h3"].map(|name| lab.host(name));
    for host in lab.hosts() {
        host.configure("[connect]\ntimeout = 3\n");
    }
    h1.sysadm(&["target", "set", "--default", "ssh://root@h2", "ssh://root@h3"]).ends(0);
    h1.run_kvm(&["web"], &[]);
    h1.sysadm(&["zone", "standby", "-q"]).ends(0);
    h1.kill();
    let take = ["zone", "attach", "--standby", "web", "--origin-is-down"];
    h2.sysadm(&take).ends(0);
    h2.start(&["web"]);
    h3.sysadm(&take).ends(1).complains(&["it is on ssh://root@h2"]);
    h2.sysadm(&["zone", "migrate", "-q", "web", "ssh://root@h3"]).ends(0);
    h1.boot();
    h1.sysadm(&["zone", "standby", "-q"]).ends(0).complains(&["web: attached on ssh://root@h2 by"]);
    lab.guests_are(&["h1:", "h2:", "h3: web running"]);
    h1.sysadm(&["evacuate", "-r"]).ends(0).complains(&["h2 has migrated it to ssh://root@h3"]);
    lab.guests_are(&["h1: web running", "h2:", "h3:"]);
    // No host claims it any more.
    h1.sysadm(&["zone", "standby", "-q"]).ends(0).complains_of_nothing();
}
