//! Zones that are restarted, stopped and suspended.

use crate::harness::{Lab, wait_until};

/// A running container, on a host in maintenance.
fn container() -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.set_up();
    h1.define_lxc("box");
    h1.start(&["box"]);
    h1.virsh_lxc(&["autostart", "box"]).ends(0);
    h1.maintain();
    lab
}

/// The last line of a container's log: how it ended, or that it runs on.
fn said(lab: &Lab, guest: &str) -> String {
    let log = std::fs::read_to_string(lab.shared().join(format!("{guest}.root/tick.log"))).unwrap();
    log.lines().filter(|line| !line.starts_with("tick")).map(|line| format!("{line};")).collect()
}

#[test]
fn a_container_that_runs_is_restarted_there_and_back() {
    let lab = container();
    let h1 = lab.host("h1");
    h1.sysadm(&["evacuate", "--action", "restart", "box"]).ends(0);
    lab.guests_are(&["h1:", "h2: box (lxc) running"]);
    assert_eq!(said(&lab, "box"), "poweroff;", "it has ended in order");
    let info = lab.host("h2").virsh_lxc(&["dominfo", "box"]).ends(0).stdout;
    assert!(info.lines().any(|line| line.starts_with("Autostart") && line.ends_with("enable")), "{info}");
    h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE,METHOD"])
        .ends(0)
        .says(&["box:EVACUATED:restart"]);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: box (lxc) running", "h2:"]);
    assert_eq!(said(&lab, "box"), "poweroff;poweroff;");
}

#[test]
fn a_container_that_cannot_be_booted_there_is_booted_here_again_past_the_lock() {
    let lab = container();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.order("destination.before.boot fail");
    let failed = h1.sysadm(&["evacuate", "--action", "restart", "box"]).ends(1);
    failed
        .complains(&["box: failed: h2: destination.before.boot was told to fail; it was booted again on h1"]);
    lab.guests_are(&["h1: box (lxc) running", "h2:"]);
    // The permit was for that one boot.
    h1.virsh_lxc(&["destroy", "box"]).ends(0);
    h1.virsh_lxc(&["start", "box"]).ends(1).complains(&["prevented due to system maintenance"]);
}

#[test]
fn after_kill_9_between_shutdown_and_boot_the_next_run_boots_it_here_and_moves_it() {
    let lab = container();
    let h1 = lab.host("h1");
    h1.order("journal.before.boot kill");
    h1.sysadm(&["evacuate", "--action", "restart", "box"]).ends(-1);
    lab.guests_are(&["h1: box (lxc) shut off", "h2: box (lxc) shut off"]);
    h1.sysadm(&["evacuate", "--resume"]).ends(0).complains(&["box: its move was interrupted; it is on h1"]);
    lab.guests_are(&["h1: box (lxc) running", "h2:"]);
    h1.sysadm(&["evacuate", "--action", "restart"]).ends(0);
    lab.guests_are(&["h1:", "h2: box (lxc) running"]);
}

#[test]
fn virtual_machines_are_stopped_in_order_and_booted_again_in_reverse() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.set_up();
    h1.run_kvm(&["app", "web"], &[]);
    h1.define_lxc("box");
    h1.start(&["box"]);
    h1.maintain();
    let stopped = h1.sysadm(&["evacuate", "-v", "--action", "stop", "web", "box", "app"]).ends(0).stdout;
    let order: Vec<_> = stopped.lines().filter(|line| line.contains("stopping")).collect();
    assert_eq!(order, ["sysadm: stopping web ...", "sysadm: stopping box ...", "sysadm: stopping app ..."]);
    lab.guests_are(&["h1: app shut off, box (lxc) shut off, web shut off"]);
    for guest in ["app", "web"] {
        // Not powered off.
        h1.virsh(&["domstate", "--reason", guest]).ends(0).says(&["shut off (shutdown)"]);
    }
    let list = h1.sysadm(&["evacuate", "-l"]).ends(0);
    list.says(&["web              STOPPED   -", "safe to reboot"]);
    h1.virsh(&["start", "web"]).ends(1);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    let back = h1.sysadm(&["evacuate", "-rv"]).ends(0).stdout;
    let order: Vec<_> = back.lines().filter(|line| line.contains("booting")).collect();
    assert_eq!(order, ["sysadm: booting app ...", "sysadm: booting box ...", "sysadm: booting web ..."]);
    lab.guests_are(&["h1: app running, box (lxc) running, web running"]);
}

#[test]
fn a_suspended_virtual_machine_goes_on_where_it_was() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.set_up();
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    h1.sysadm(&["evacuate", "--action", "suspend"]).ends(0);
    lab.guests_are(&["h1: web shut off"]);
    h1.sysadm(&["zone", "list", "-cnp"]).ends(0).says(&[":installed:", ":suspended"]);
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["web              SUSPENDED -"]);
    let ticks = || std::fs::read_to_string(lab.shared().join("web.log")).unwrap();
    let before = ticks();
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: web running"]);
    wait_until(30, "it ticks again", || ticks().len() > before.len() + 20);
    assert_eq!(ticks().matches("tick 0\n").count(), 1, "it was not booted anew");
}

#[test]
fn a_virtual_machine_that_does_not_heed_its_power_button_runs_on() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.configure("[migration]\nshutdown = 2\n");
    h1.run_kvm(&["web"], &["--ignore-shutdown"]);
    h1.maintain();
    for action in ["stop", "restart"] {
        let failed = h1.sysadm(&["evacuate", "--action", action]).ends(1);
        failed.complains(&[
            "web: failed: ",
            "did not shut down within 2 s; left running",
            "1 still running here",
        ]);
        lab.guests_are(&["h1: web running", "h2:"]);
    }
}
