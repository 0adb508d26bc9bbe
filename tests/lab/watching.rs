//! Tests of the observer: it notices what it is there to notice.

use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Lab, Observer, Output, wait_until};

/// The connection breaks when the zone is complete at its destination, before its source is told so: the
/// destination's libvirtd is stopped meanwhile, and finds the order to take the zone when the connection is cut.
/// Then the zone runs on at its source.
fn lose_the_answer(lab: &Lab) -> Output {
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[libvirt]\nbandwidth = 5\n[connect]\ntimeout = 3\nkeepalive = 1\n");
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("web", 5);
    h2.signal_libvirtd(Signal::STOP);
    wait_until(60, "it stands still at its source", || h1.guests() == "web paused");
    // More than keepalive messages.
    wait_until(20, "its destination is told to take it", || h2.unread_by_libvirtd() > 500);
    h2.cut();
    h2.signal_libvirtd(Signal::CONT);
    wait_until(60, "it goes on at its source", || h1.guests() == "web running");
    let ended = run.wait(90).ends(1);
    h2.mend();
    ended
}

fn lab() -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    // How long libvirt waits for a peer that does not answer, in seconds.
    let settings = h1.path("etc/libvirt/qemu.conf");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("keepalive_interval = 1", "keepalive_interval = 30")).unwrap();
    h1.libvirtd("restart");
    h1.define_kvm(&["web"], &[]);
    // Otherwise QEMU would prevent it, too: it locks the file of a disk that is not shared.
    h1.define_xml(&h1.xml("web").replace("<target dev='vda'", "<shareable/><target dev='vda'"));
    h1.start(&["web"]);
    h1.maintain();
    lab
}

#[test]
fn with_the_guard_taken_out_a_lost_answer_makes_a_zone_run_twice_and_that_is_seen() {
    let lab = lab();
    let h1 = lab.host("h1");
    std::fs::write(h1.path("var/lib/sysadm/unheld"), "").unwrap();
    let observer = Observer::start(&lab, &["web"]);
    lose_the_answer(&lab).complains(&["web: failed: "]);
    lab.guests_are(&["h1: web running", "h2: web running"]);
    let report = observer.finish();
    let uuid = h1.virsh(&["domuuid", "web"]).ends(0).stdout.trim().to_owned();
    assert_eq!(report.places.doubles, [uuid].into());
    assert_ne!(report.guests["web"].breaks, [], "two guests write to one log");
}

#[test]
fn with_the_guard_in_its_place_a_lost_answer_does_no_harm() {
    let lab = lab();
    let observer = Observer::start(&lab, &["web"]);
    lose_the_answer(&lab).complains(&["web: failed: ", "a paused copy, which is never resumed, may be left"]);
    lab.guests_are(&["h1: web running", "h2: web paused"]);
    lab.host("h1").sysadm(&["evacuate", "--resume"]).ends(0);
    assert_eq!(lab.host("h2").guests(), "", "the copy is still there");
    observer.finds_nothing_wrong();
}

#[test]
fn a_pause_that_the_tool_does_not_report_is_seen() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    let observer = Observer::start(&lab, &["web"]);
    h1.sysadm(&["evacuate"]).ends(0);
    let report = observer.finds_nothing_wrong_or_unreported();
    assert_eq!(report.reported["web"].len(), 1, "a downtime is reported, and explains the gap: {report:?}");

    h1.sysadm(&["maintain", "-e"]).ends(0);
    let observer = Observer::start(&lab, &["web"]);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    h1.virsh(&["suspend", "web"]).ends(0);
    std::thread::sleep(Duration::from_secs(1));
    h1.virsh(&["resume", "web"]).ends(0);
    let report = observer.finish();
    assert_eq!(report.reported["web"].len(), 1, "{report:?}");
    let unreported = report.unreported();
    assert!(matches!(unreported.as_slice(), [of_web] if of_web.starts_with("web: ")), "{report:?}");
    lab.guests_are(&["h1: web running", "h2:"]);
}
