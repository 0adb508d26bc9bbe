//! Runs and records that are cancelled, killed or conflict with each other.

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};
use sysadm::testing::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;
use crate::output::Printed;

fn stalled(site: &Environment, zone: &str) {
    let zone = Some(zone.parse().unwrap());
    site.set_faults("h1", &[Fault { zone, ..Fault::always(Effect::Stall { rounds: 1 }) }]);
}

fn press(child: &std::process::Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

#[test]
fn the_first_press_finishes_what_moves_and_starts_nothing_new() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "evacuate --jobs 1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    press(&run);
    std::thread::sleep(std::time::Duration::from_millis(100));
    site.set_faults("h1", &[]);
    assert_snapshot!(site.end(run), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 1/3
    ------- stderr -------
    sysadm: cancelled: no new moves start, moves in progress are completed; press ^C again to abort those
    sysadm: evacuation cancelled: 1 of 3 zone(s) moved, 2 skipped, 2 still running here.
    sysadm: evac2: skipped: cancelled before its turn
    sysadm: evac3: skipped: cancelled before its turn
    [exit status 130]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
    assert_eq!(site.location("evac2"), "h1 running");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac1            EVACUATED rads://h2                                -
    evac2            SKIPPED   rads://h2                                cancelled before its turn
    evac3            SKIPPED   rads://h2                                cancelled before its turn
    sysadm: in maintenance; 2 zone(s) still running here: evac2, evac3
    [done]
    ");
}

#[test]
fn the_second_press_gives_up_what_moves_and_it_stays() {
    let site = Environment::locked();
    stalled(&site, "evac1");
    let run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    press(&run);
    std::thread::sleep(std::time::Duration::from_millis(100));
    press(&run);
    assert_snapshot!(site.end(run), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 0/1
    ------- stderr -------
    sysadm: cancelled: no new moves start, moves in progress are completed; press ^C again to abort those
    sysadm: cancelled: moves in progress are aborted, their zones stay where they are
    sysadm: evacuation cancelled: 0 of 1 zone(s) moved, 1 failed.
    sysadm: evac1: failed: cancelled; it was not moved
    [exit status 130]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn the_deadline_gives_up_what_moves() {
    let site = Environment::locked();
    stalled(&site, "evac2");
    assert_snapshot!(site.run("h1", "evacuate --deadline 1s"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 2/3
    ------- stderr -------
    sysadm: the deadline has passed: moves in progress are aborted, their zones stay where they are
    sysadm: evacuation cancelled: 2 of 3 zone(s) moved, 1 failed, 1 still running here.
    sysadm: evac2: failed: cancelled; it was not moved
    [exit status 3]
    ");
    assert_eq!(site.location("evac2"), "h1 running");
}

#[test]
fn a_second_run_is_refused_while_the_first_goes_on() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "evacuate");
    assert_snapshot!(site.run("h1", "evacuate -a"), @r"
    ------- stderr -------
    sysadm: another evacuation, return or migration is in progress (evacuate, pid PID)
    hint: 'sysadm evacuate -l' shows its progress
    [exit status 4]
    ");
    assert_snapshot!(site.run("h1", "evacuate --forget evac1"), @r"
    ------- stderr -------
    sysadm: another evacuation, return or migration is in progress (evacuate, pid PID)
    hint: 'sysadm evacuate -l' shows its progress
    [exit status 4]
    ");
    site.set_faults("h1", &[]);
    assert_eq!(site.end(run).status, Some(0));
}

#[test]
fn one_that_was_killed_is_settled_by_resume() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let mut run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    run.kill().unwrap();
    run.wait().unwrap();
    site.set_faults("h1", &[]);
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac1            UNKNOWN   rads://h2                                interrupted while its memory went from h1 to h2; which of them has it is unknown
    sysadm: in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    ------- stderr -------
    hint: run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate --resume"), @r"
    sysadm: all interrupted moves are resolved
    ------- stderr -------
    sysadm: evac1: its move was interrupted; it is on h1
    hint: 'sysadm evacuate -l' shows where each zone is
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac1            FAILED    rads://h2                                interrupted; it was not moved
    sysadm: in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    [done]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
    assert_snapshot!(site.run("h1", "evacuate evac1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 1/1
    sysadm: evacuation completed successfully.
    [done]
    ");
}

#[test]
fn one_that_was_killed_between_here_and_there_is_finished_by_the_next_run() {
    let site = Environment::locked();
    site.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Resume })]);
    let mut run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.location("evac1") == "h1 installed, h2 running paused");
    run.kill().unwrap();
    run.wait().unwrap();
    site.set_faults("h2", &[]);
    assert_snapshot!(site.run("h1", "evacuate evac2"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 1/1
    sysadm: evacuation completed successfully.
    ------- stderr -------
    sysadm: evac1: its move was interrupted; it is on h2
    [done]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
}

#[test]
fn what_cannot_be_settled_is_stuck_until_the_other_host_answers() {
    let mut site = Environment::locked();
    site.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Resume })]);
    let mut run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.location("evac1") == "h1 installed, h2 running paused");
    run.kill().unwrap();
    run.wait().unwrap();
    site.stop_agent("h2");
    assert_snapshot!(site.run("h1", "evacuate --resume"), @r"
    ------- stderr -------
    sysadm: evac1: its location is unknown: cannot connect to rads://h2: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    [exit status 5]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -o ZONENAME,STATE,DEST"), @r"
    ZONENAME         STATE     DEST
    evac1            UNKNOWN   rads://h2
    sysadm: in maintenance; 2 zone(s) still running here: evac2, evac3
    ------- stderr -------
    hint: run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back
    [done]
    ");
}

#[test]
fn a_zone_that_its_location_has_lost_is_configured_here_when_it_is_given_up() {
    let site = Environment::ready_to_return();
    // Its manifest can be printed before, too.
    let printed = site.run("h1", "zone detach -n evac1");
    assert_eq!(printed.status, Some(0));
    assert!(printed.stdout.contains("evac1"), "{}", printed.stdout);
    site.done("h1", "evacuate --forget evac1");
    // It runs on the other host: it cannot be attached here.
    let refused = site.run("h1", "zone attach evac1");
    assert_eq!(refused.status, Some(1));
    assert!(refused.stderr.contains("it is on rads://h2"), "{}", refused.stderr);
    site.done("h2", "sim stop evac1");
    site.done("h2", "zone detach evac1");
    site.done("h2", "zone delete -F evac1");
    site.done("h1", "zone attach evac1");
    assert_eq!(site.location("evac1"), "h1 installed");
}

#[test]
fn a_zone_that_was_given_up_comes_home_all_the_same() {
    let site = Environment::ready_to_return();
    site.done("h1", "evacuate --forget evac1");
    site.done("h2", "zone migrate evac1 rads://h1");
    assert_eq!(site.location("evac1"), "h1 running");
    // Its record is gone: it is here.
    site.done("h1", "sim stop evac1");
    site.done("h1", "zone detach evac1");
    site.done("h1", "zone delete -F evac1");
    assert_eq!(site.run("h1", "zone list -cn").stdout.matches("evac1").count(), 0);
}

/// Starts a run with one zone, cancels it while the zone moves, and lets it continue.
fn stopped_too_late(site: &Environment, sender: &str, line: &str) -> Printed {
    site.set_faults(sender, &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", line);
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    site.done("h1", "evacuate --cancel");
    site.set_faults(sender, &[]);
    site.end(run)
}

#[test]
fn whoever_cancels_a_run_that_does_all_the_same_has_cancelled_nothing() {
    let site = Environment::locked();
    assert_snapshot!(stopped_too_late(&site, "h1", "evacuate evac1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 1/1
    sysadm: evacuation completed successfully.
    ------- stderr -------
    sysadm: cancelled from another terminal: no new moves start, moves in progress are completed
    [done]
    ");
    let listed = site.run("h1", "evacuate -l").stdout;
    assert!(
        listed.contains("evac1            EVACUATED rads://h2                                -"),
        "{listed}"
    );
    site.done("h1", "maintain -e");
    assert_snapshot!(stopped_too_late(&site, "h2", "evacuate -r"), @r"
    sysadm: preparing zones for return ... 1/1
    sysadm: returning zones ... 1/1
    sysadm: return completed successfully.
    ------- stderr -------
    sysadm: cancelled from another terminal: no new moves start, moves in progress are completed
    [done]
    ");
    assert_eq!(stopped_too_late(&site, "h1", "zone migrate evac1 rads://h2").status, Some(0));
    assert_eq!(site.location("evac1"), "h2 running");
}

#[test]
fn what_fails_by_itself_while_a_run_is_cancelled_is_no_more_than_not_complete() {
    let site = Environment::locked();
    let zone = Some("evac2".parse().unwrap());
    let refused =
        Fault { zone, ..Fault::always(Effect::Fail { at: Operation::OpenIncoming, reason: "no".into() }) };
    site.set_faults("h2", &[refused]);
    let ended = stopped_too_late(&site, "h1", "evacuate --retries 0 evac1 evac2");
    assert_eq!(ended.status, Some(3), "{ended}");
    assert!(ended.stderr.contains("evacuation not complete: 1 of 2 zone(s) moved, 1 failed"), "{ended}");
}
