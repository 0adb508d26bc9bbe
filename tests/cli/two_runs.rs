//! Two commands at the same time on one host: the second run is refused, and commands that only read never wait.

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;

#[test]
fn the_second_run_is_refused_in_either_direction_and_the_first_is_named() {
    let site = Environment::ready_to_return();
    site.set_faults("h2", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "evacuate -r evac1");
    for line in ["evacuate", "evacuate -r", "evacuate --resume", "evacuate --forget evac2"] {
        let mut command = site.command("h1", line);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{line}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            format!(
                "sysadm: another evacuation, return or migration is in progress (return, pid {})\nhint: 'sysadm evacuate -l' shows its progress\n",
                run.id()
            ),
            "{line}"
        );
    }
    site.set_faults("h2", &[]);
    assert_eq!(site.end(run).status, Some(0));
}

#[test]
fn the_lock_of_a_killed_run_is_free_at_once() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let mut run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    assert_eq!(site.run("h1", "evacuate").status, Some(4));
    site.set_faults("h1", &[]);
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(site.run("h1", "evacuate").status, Some(0));
    assert_eq!(site.location("evac1"), "h2 running");
}

#[test]
fn what_holds_the_lock_is_not_taken_for_a_run_that_was_killed() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let mut run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    run.kill().unwrap();
    run.wait().unwrap();
    let _lock = sysadm::testing::run_lock::RunLock::take(&site.paths("h1"), "attach web").unwrap();
    assert_snapshot!(site.run("h1", "evacuate -l -o zonename,state"), @r"
    ZONENAME         STATE
    evac1            UNKNOWN
    sysadm: in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    ------- stderr -------
    hint: run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate"), @r"
    ------- stderr -------
    sysadm: another command is working on this host's zones (attach web, pid PID)
    hint: try again when it has ended
    [exit status 4]
    ");
}

#[test]
fn the_list_is_given_while_a_run_goes_on_and_somebody_writes() {
    let site = Environment::story();
    // Slow enough that its estimate is not overdue meanwhile.
    site.run_zone("h1", "big", |spec| spec.memory = 40 << 30);
    site.done("h1", "maintain -s");
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "evacuate --jobs 1 big");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    let writer = rusqlite::Connection::open(site.paths("h1").database()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; UPDATE move SET error = 'half written'").unwrap();
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: evacuation in progress
    ZONENAME         STATE     DEST                                     WHEN  ERROR
    big              MIGRATING rads://h2                                TIME -
    sysadm: estimated completion HH:MM (±17s)
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -p -o zonename,state"), @r"
    big:MIGRATING
    [done]
    ");
    let document: serde_json::Value =
        serde_json::from_str(&site.run("h1", "evacuate -l --json").stdout.replace("MS", "0")).unwrap();
    assert_eq!(
        (&document["running"], &document["zones"][0]["state"]),
        (&"evacuate".into(), &"MIGRATING".into())
    );
    writer.execute_batch("ROLLBACK").unwrap();
    site.set_faults("h1", &[]);
    assert_eq!(site.end(run).status, Some(0));
}
