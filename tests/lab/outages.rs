//! The connection breaks, the power fails, the tool is killed: in the middle of a live migration.

use rustix::process::Signal;

use crate::harness::{Host, Lab, Observer, wait_until};

/// A zone that takes some ten seconds to go to h2, and maintenance. A broken connection is noticed within some
/// seconds.
fn lab(target: &str) -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], target);
    let h1 = lab.host("h1");
    h1.configure("[libvirt]\nbandwidth = 8\n[connect]\ntimeout = 3\nkeepalive = 1\n");
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    lab
}

/// An incomplete image goes by itself.
#[track_caller]
fn becomes_empty(host: Host<'_>) {
    wait_until(60, &format!("nothing is left on {}", host.name), || host.guests().is_empty());
    let left = || std::fs::read_dir(host.path("run/sysadm")).into_iter().flatten().count();
    wait_until(60, &format!("no sockets are left on {}", host.name), || left() == 0);
}

/// The zone can still go.
#[track_caller]
fn goes_after_all(lab: &Lab) {
    lab.host("h1").configure("");
    lab.host("h1").sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2: web running"]);
}

fn the_line_is_cut(target: &str) {
    let lab = lab(target);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    if target.starts_with("rads") {
        lab.certificates();
        h2.agent();
    }
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 10);
    h2.cut();
    let failed = run.wait(90).ends(1);
    failed.complains(&["web: failed: "]);
    assert_eq!(h1.guests(), "web running");
    assert_eq!(h1.state_of("web"), "FAILED");
    h2.mend();
    becomes_empty(h2);
    goes_after_all(&lab);
    observer.finds_nothing_wrong();
}

#[test]
fn when_the_line_is_cut_over_ssh_the_zone_stays_and_nothing_is_left_there() {
    the_line_is_cut("ssh://root@h2");
}

#[test]
fn when_the_line_is_cut_over_rads_the_zone_stays_and_nothing_is_left_there() {
    the_line_is_cut("rads://h2");
}

#[test]
fn a_short_break_of_the_line_does_no_harm() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[libvirt]\nbandwidth = 8\n");
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 10);
    h2.cut();
    std::thread::sleep(std::time::Duration::from_millis(800));
    h2.mend();
    run.wait(90).ends(0);
    lab.guests_are(&["h1:", "h2: web running"]);
    observer.finds_nothing_wrong();
}

#[test]
fn when_the_destination_loses_power_the_zone_stays() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 10);
    h2.kill();
    run.wait(90).ends(1).complains(&["web: failed: "]);
    assert_eq!(h1.guests(), "web running");
    h2.boot();
    lab.guests_are(&["h1: web running", "h2:"]);
    goes_after_all(&lab);
    observer.finds_nothing_wrong();
}

#[test]
fn when_the_tool_is_killed_resume_settles_what_was_under_way() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 10);
    run.signal(Signal::KILL);
    run.wait(10).ends(-1);
    assert_eq!(h1.state_of("web"), "UNKNOWN");
    let list = h1.sysadm(&["evacuate", "-l"]).ends(0);
    list.says(&["1 zone(s) still running here: web"]).complains(&["hint: run 'sysadm evacuate --resume'"]);
    wait_until(60, "libvirt has given it up", || h2.guests().is_empty());
    h1.sysadm(&["evacuate", "--resume"]).ends(0).complains(&["web", "it is on h1"]);
    assert_eq!(h1.state_of("web"), "FAILED");
    lab.guests_are(&["h1: web running", "h2:"]);
    becomes_empty(h2);
    goes_after_all(&lab);
    observer.finds_nothing_wrong();
}

#[test]
fn when_the_tool_is_killed_the_next_evacuation_settles_it_and_goes_on() {
    let lab = lab("ssh://root@h2");
    let h1 = lab.host("h1");
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 10);
    run.signal(Signal::KILL);
    run.wait(10).ends(-1);
    h1.configure("");
    // At once: libvirt may still be busy with the first.
    wait_until(60, "a next evacuation succeeds", || h1.sysadm(&["evacuate"]).code == 0);
    lab.guests_are(&["h1:", "h2: web running"]);
    observer.finds_nothing_wrong();
}

#[test]
fn a_return_that_is_killed_is_settled_as_well() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.sysadm(&["evacuate"]).ends(0);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h2.configure("[libvirt]\nbandwidth = 8\n");
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate", "-r"]);
    h1.wait_until_sent("web", 10);
    run.signal(Signal::KILL);
    run.wait(10).ends(-1);
    wait_until(60, "libvirt has given it up", || h1.guests().is_empty());
    h1.sysadm(&["evacuate", "--resume"]).ends(0).complains(&["web", "it is on h2"]);
    // It is away, and its last return failed.
    h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE,DEST"])
        .ends(0)
        .says(&["web:FAILED:ssh\\://root@h2"]);
    h2.configure("");
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: web running", "h2:"]);
    observer.finds_nothing_wrong();
}

#[test]
fn when_this_host_loses_power_in_the_middle_the_zone_is_still_its_own() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 10);
    h1.kill();
    run.wait(10).ends(-1);
    h1.boot();
    // The other end notices by itself that nothing is sent any more.
    wait_until(120, "nothing is left on h2", || h2.guests().is_empty());
    h1.sysadm(&["evacuate", "--resume"]).ends(3).complains(&["web", "it is on h1", "web: down: "]);
    lab.guests_are(&["h1: web shut off", "h2:"]);
    h1.configure("");
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    lab.guests_are(&["h1:", "h2: web shut off"]);
}

#[test]
fn a_disk_that_fills_up_in_the_middle_leaves_the_zone_running_somewhere() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let small = "cp -a /var/lib/sysadm /root/.ssh/kept && mount -t tmpfs -o size=1m none /var/lib/sysadm \
                 && cp -a /root/.ssh/kept/. /var/lib/sysadm/";
    h1.run(&["sh", "-c", small]).ends(0);
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 10);
    h1.run(&["sh", "-c", "cat /dev/zero >/var/lib/sysadm/filler"]);
    let ended = run.wait(90);
    assert!(matches!(ended.code, 1 | 3 | 5), "{ended:?}");
    ended.complains(&["the disk is full"]);
    let places = lab.location();
    assert!(places.contains("web running"), "{places}");
    h1.run(&["rm", "/var/lib/sysadm/filler"]).ends(0);
    h1.sysadm(&["evacuate", "--resume"]).ends(0);
    h1.configure("");
    h1.sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2: web running"]);
    h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE"]).ends(0).says(&["web:EVACUATED\n"]);
    observer.finds_nothing_wrong();
    let _ = h2;
}

#[test]
fn a_zone_that_its_owner_ends_in_the_middle_is_not_brought_back_to_life() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 10);
    h1.virsh(&["destroy", "web"]).ends(0);
    let ended = run.wait(90);
    assert!(matches!(ended.code, 1 | 3 | 5), "{ended:?}");
    ended.complains(&["web"]);
    wait_until(60, "nothing is left on h2", || h2.guests().is_empty());
    // It is not known how it ended: that it is down is reported once.
    h1.sysadm(&["evacuate", "--resume"]).ends(3).complains(&["web: down: "]);
    h1.sysadm(&["evacuate", "--resume"]).ends(0);
    lab.guests_are(&["h1: web shut off", "h2:"]);
    observer.finds_nothing_wrong();
}

#[test]
fn whenever_the_tool_is_killed_the_zone_ends_up_running_on_one_host() {
    let lab = lab("ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[libvirt]\nbandwidth = 60\n[connect]\ntimeout = 3\nkeepalive = 1\n");
    let observer = Observer::start(&lab, &["web"]);
    let mut ends = Vec::new();
    for after in [400, 800, 1200, 1500, 1800, 2100, 2400, 2700] {
        let run = h1.start_sysadm(&["evacuate"]);
        std::thread::sleep(std::time::Duration::from_millis(after));
        run.signal(Signal::KILL);
        run.wait(10);
        // libvirt may still be aborting it.
        wait_until(60, "it is settled", || h1.sysadm(&["evacuate", "--resume"]).code == 0);
        let places = || [h1.guests(), h2.guests()];
        wait_until(60, "what did not arrive is gone", || places().iter().any(String::is_empty));
        let places = places();
        assert!(places.contains(&"web running".to_owned()), "killed after {after} ms: {places:?}");
        let listed = h1.state_of("web");
        let is_home = places[0] == "web running";
        assert_eq!(
            listed == "EVACUATED",
            !is_home,
            "killed after {after} ms: {places:?}, listed as {listed}"
        );
        ends.push(is_home);
        if !is_home {
            h1.sysadm(&["maintain", "-e"]).ends(0);
            h1.sysadm(&["evacuate", "-r"]).ends(0);
            h1.maintain();
        }
    }
    lab.guests_are(&["h1: web running", "h2:"]);
    observer.finds_nothing_wrong();
    assert!(ends.contains(&true), "it was never in time: {ends:?}");
}
