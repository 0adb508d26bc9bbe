//! A run that is cancelled from elsewhere: from another terminal, by a service manager, by the loss of its terminal.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};
use sysadm::testing::platform::sim::{Effect, Fault, Operation};

use crate::environment::{Environment, terminal};

/// A run of which one zone has stalled in its migration, until the fault is removed.
fn stalled(line: &str) -> (Environment, Child) {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", line);
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    (site, run)
}

#[test]
fn another_terminal_lets_what_moves_be_finished_and_nothing_new_start() {
    let (site, run) = stalled("evacuate --jobs 1");
    assert_snapshot!(site.run("h1", "evacuate --cancel"), @r"
    sysadm: cancelling the evacuation (pid PID): no new moves start, moves in progress are completed
    ------- stderr -------
    hint: repeat --cancel to abort those
    [done]
    ");
    site.set_faults("h1", &[]);
    assert_snapshot!(site.end(run), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 1/3
    ------- stderr -------
    sysadm: cancelled from another terminal: no new moves start, moves in progress are completed
    sysadm: evacuation cancelled: 1 of 3 zone(s) moved, 2 skipped, 2 still running here.
    sysadm: evac2: skipped: cancelled before its turn
    sysadm: evac3: skipped: cancelled before its turn
    [exit status 130]
    ");
    assert_snapshot!(site.run("h1", "evacuate --cancel"), @r"
    ------- stderr -------
    sysadm: no evacuation, return or migration is in progress
    [exit status 1]
    ");
}

#[test]
fn another_terminal_asks_twice_and_what_moves_is_given_up() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::always(Effect::Stall { rounds: 1 })]);
    let run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    site.done("h1", "evacuate --cancel");
    assert_snapshot!(site.run("h1", "evacuate --cancel"), @r"
    sysadm: cancelling the evacuation (pid PID): moves in progress are aborted, their zones stay where they are
    [done]
    ");
    assert_snapshot!(site.end(run), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 0/1
    ------- stderr -------
    sysadm: cancelled from another terminal: no new moves start, moves in progress are completed
    sysadm: cancelled from another terminal: moves in progress are aborted, their zones stay where they are
    sysadm: evacuation cancelled: 0 of 1 zone(s) moved, 1 failed.
    sysadm: evac1: failed: cancelled; it was not moved
    [exit status 130]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn what_a_killed_run_leaves_is_not_taken_for_a_run() {
    let (site, mut run) = stalled("evacuate evac1");
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(site.paths("h1").run_socket().exists());
    assert_eq!(site.run("h1", "evacuate --cancel").status, Some(1));
    // Its lock is free at once.
    site.set_faults("h1", &[]);
    assert_eq!(site.run("h1", "evacuate --resume").status, Some(0));
    assert_eq!(site.run("h1", "evacuate evac1").status, Some(0));
}

#[test]
fn cancel_stands_alone() {
    let site = Environment::new();
    for other in ["-a", "-l", "-r", "evac1", "--resume", "--json", "--jobs 2"] {
        assert_eq!(site.run("h1", &format!("evacuate --cancel {other}")).status, Some(2), "{other}");
    }
}

#[test]
fn sigterm_gives_up_what_moves_and_it_stays() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::always(Effect::Stall { rounds: 1 })]);
    let run = site.start("h1", "evacuate --jobs 1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
    assert_snapshot!(site.end(run), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 0/3
    ------- stderr -------
    sysadm: SIGTERM: moves in progress are aborted, their zones stay where they are
    sysadm: evacuation cancelled: 0 of 3 zone(s) moved, 2 skipped, 1 failed, 3 still running here.
    sysadm: evac1: failed: cancelled; it was not moved
    sysadm: evac2: skipped: cancelled before its turn
    sysadm: evac3: skipped: cancelled before its turn
    [exit status 130]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn a_run_whose_readers_have_gone_goes_on_to_its_end() {
    let (site, mut run) = stalled("evacuate -v");
    drop((run.stdout.take(), run.stderr.take()));
    kill_process(Pid::from_child(&run), Signal::HUP).unwrap();
    site.set_faults("h1", &[]);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(site.location("evac3"), "h2 running");
}

#[test]
fn a_run_whose_terminal_is_lost_goes_on_to_its_end() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let (terminal, line) = terminal();
    let end = || Stdio::from(line.try_clone().unwrap());
    // Without -v, so that it draws progress bars.
    let mut command = site.command("h1", "evacuate");
    let mut run = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    drop((command, line));
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    // Whatever is written to it from now on fails (EIO).
    drop(terminal);
    kill_process(Pid::from_child(&run), Signal::HUP).unwrap();
    site.set_faults("h1", &[]);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    for zone in ["evac1", "evac2", "evac3"] {
        assert_eq!(site.location(zone), "h2 running");
    }
}

/// Waits until the run has printed that.
fn has_said(run: &mut Child, text: &str) {
    let mut words = BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(words.read_line(&mut line).unwrap() > 0, "it never said {text}");
    }
    // So that later output does not block the run.
    std::thread::spawn(move || words.lines().for_each(drop));
}

#[test]
fn a_run_that_does_all_it_was_to_do_is_completed_whatever_has_asked_it_to_stop() {
    type Ask = fn(&Child);
    let signal = |run: &Child, signal| kill_process(Pid::from_child(run), signal).unwrap();
    let asks: [(&str, &str, Ask); 3] = [
        ("", "SIGTERM: moves in progress are aborted", |run| {
            kill_process(Pid::from_child(run), Signal::TERM).unwrap()
        }),
        ("", "cancelled: no new moves start", |run| kill_process(Pid::from_child(run), Signal::INT).unwrap()),
        (" --deadline 1s", "the deadline has passed", |_| {}),
    ];
    for (option, said, ask) in asks {
        let site = Environment::locked();
        // When it is held at the destination, it is too late to cancel its move.
        site.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Resume })]);
        let mut run = site.start("h1", &format!("evacuate evac1{option}"));
        site.wait_until(|| site.run("h2", "sim show").stdout.contains("paused"));
        ask(&run);
        has_said(&mut run, said);
        site.set_faults("h2", &[]);
        let ended = site.end(run);
        assert_eq!(ended.status, Some(0), "{said}: {ended}");
        assert!(ended.stdout.contains("evacuation completed"), "{said}: {ended}");
        assert_eq!(site.location("evac1"), "h2 running");
    }
    // The loss of a terminal does not cancel anything.
    let (site, run) = stalled("evacuate evac1");
    signal(&run, Signal::HUP);
    site.set_faults("h1", &[]);
    let ended = site.end(run);
    assert_eq!(ended.status, Some(0), "{ended}");
    assert!(ended.stdout.contains("evacuation completed"), "{ended}");
}
