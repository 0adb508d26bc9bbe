//! Cancelling a run: ^C, ^C again, a deadline.

use rustix::process::Signal;

use crate::harness::{Lab, Observer};

/// Three running zones that take some seconds each, in maintenance.
fn lab() -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.configure("[libvirt]\nbandwidth = 10\n");
    h1.run_kvm(&["large"], &["--memory", "128"]);
    h1.run_kvm(&["small"], &[]);
    h1.maintain();
    lab
}

#[test]
fn after_one_interrupt_what_moves_is_finished_and_nothing_new_starts() {
    let lab = lab();
    let h1 = lab.host("h1");
    let observer = Observer::start(&lab, &["large", "small"]);
    let run = h1.start_sysadm(&["evacuate", "--jobs", "1"]);
    h1.wait_until_sent("large", 3);
    run.signal(Signal::INT);
    let cancelled = run.wait(120).ends(130);
    cancelled.complains(&[
        "no new moves start",
        "cancelled: 1 of 2 zone(s) moved",
        "small: skipped: cancelled",
    ]);
    observer.finds_nothing_wrong();
    lab.guests_are(&["h1: small running", "h2: large running"]);
    let list = h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE"]).ends(0).stdout;
    assert_eq!(list, "large:EVACUATED\nsmall:SKIPPED\n");
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["1 zone(s) still running here: small"]);
    h1.sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2: large running, small running"]);
}

#[test]
fn after_two_interrupts_moves_in_flight_are_given_up_and_their_zones_stay() {
    let lab = lab();
    let h1 = lab.host("h1");
    let observer = Observer::start(&lab, &["large", "small"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("large", 3);
    h1.wait_until_sent("small", 3);
    run.signal(Signal::INT);
    crate::harness::wait_until(5, "the first interrupt is heard", || {
        run.stderr().contains("no new moves start")
    });
    run.signal(Signal::INT);
    run.wait(10).ends(130).complains(&["large: failed: cancelled", "small: failed: cancelled"]);
    observer.finds_nothing_wrong();
    lab.guests_are(&["h1: large running, small running", "h2:"]);
    let list = h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE"]).ends(0).stdout;
    assert_eq!(list, "large:FAILED\nsmall:FAILED\n");
    // Nothing is left that would block the next attempt.
    h1.configure("");
    h1.sysadm(&["evacuate"]).ends(0);
    lab.guests_are(&["h1:", "h2: large running, small running"]);
}

#[test]
fn a_zone_that_writes_faster_than_the_line_carries_can_be_given_up_too() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.configure("[libvirt]\nbandwidth = 3\nauto_converge = false\n");
    h1.run_kvm(&["busy"], &["--dirty", "40", "--dirtyset", "32"]);
    h1.maintain();
    let observer = Observer::start(&lab, &["busy"]);
    let run = h1.start_sysadm(&["evacuate"]);
    h1.wait_until_sent("busy", 5);
    // Once is enough: a service manager kills soon after.
    run.signal(Signal::TERM);
    run.wait(15).ends(130);
    observer.finds_nothing_wrong();
    lab.guests_are(&["h1: busy running", "h2:"]);
}

#[test]
fn when_the_deadline_has_passed_what_still_moves_stays() {
    let lab = lab();
    let h1 = lab.host("h1");
    let observer = Observer::start(&lab, &["large", "small"]);
    let late = h1.sysadm(&["evacuate", "--jobs", "1", "--deadline", "7s"]);
    late.ends(3).complains(&["deadline", "large: failed: ", "small: skipped: "]);
    observer.finds_nothing_wrong();
    lab.guests_are(&["h1: large running, small running", "h2:"]);
}
