//! A guest that ran when its move began and runs nowhere now is reported as down.

use sysadm::testing::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;

/// The image of evac1 is held at h2, its source has ended, and h2 loses the image before it was resumed.
fn lost_between() -> Environment {
    let site = Environment::locked();
    site.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Resume })]);
    let mut run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h2", "sim show").stdout.contains("paused"));
    let line_of =
        |shown: &str| shown.lines().find(|line| line.starts_with("evac1")).unwrap_or_default().to_owned();
    site.wait_until(|| !line_of(&site.run("h1", "sim show").stdout).contains("running"));
    run.kill().unwrap();
    run.wait().unwrap();
    site.done("h2", "sim stop evac1");
    site.set_faults("h2", &[]);
    site
}

#[test]
fn a_guest_whose_memory_was_lost_between_two_hosts_is_down_until_somebody_boots_it() {
    let site = lost_between();
    let down = "was running before its move, is not running on h2; its memory is lost";
    let resumed = site.run("h1", "evacuate --resume");
    assert_eq!(resumed.status, Some(3), "{resumed}");
    assert!(
        resumed.stderr.contains("evac1: its move was interrupted; it is on h2, and is not running"),
        "{resumed}"
    );
    let hint = "hint: boot it where it is: sysadm sim start evac1";
    assert!(resumed.stderr.contains(&format!("evac1: down: {down}\n{hint}\n")), "{resumed}");
    let listed = site.run("h1", "evacuate -l");
    assert!(
        listed
            .stdout
            .contains(&format!("evac1            EVACUATED rads://h2                                {down}")),
        "{listed}"
    );
    assert!(site.run("h1", "evacuate -l --json").stdout.contains("\"hint\": \"boot evac1 on h2\""));
    // The requested zones move, and the other one is still down.
    let moved = site.run("h1", "evacuate");
    assert_eq!(moved.status, Some(3), "{moved}");
    assert!(moved.stderr.contains("evacuation not complete: 2 of 2 zone(s) moved, 1 down"), "{moved}");
    assert!(moved.stderr.contains(&format!("evac1: down: {down}")), "{moved}");
    assert_eq!(site.run("h1", "evacuate evac4").status, Some(0));
    site.done("h2", "sim start evac1");
    assert_eq!(site.run("h1", "evacuate").status, Some(0));
    assert_eq!(site.run("h1", "evacuate -lo ERROR").stdout.matches("down").count(), 0);
}

#[test]
fn a_guest_that_went_down_at_its_location_is_said_to_be_down_when_it_is_to_return() {
    let site = Environment::ready_to_return();
    site.done("h2", "sim stop evac1");
    let skipped = site.run("h1", "evacuate -r");
    assert_eq!(skipped.status, Some(3), "{skipped}");
    let why = "evac1: skipped: it was running when it left, and is not running on h2\nhint: boot it on h2: sysadm sim start evac1\nhint: or return it as it is with -ra\n";
    assert!(skipped.stderr.contains(why), "{skipped}");
    // It was powered off there on purpose, and comes home like that.
    assert_eq!(site.run("h1", "evacuate -r evac1").status, Some(0));
    assert_eq!(site.location("evac1"), "h1 installed");
}

#[test]
fn a_guest_that_was_lost_at_its_location_is_said_to_be_down_when_it_has_come_home_as_it_is() {
    let site = Environment::ready_to_return();
    // Those were not stopped on purpose.
    site.sim("h2").lose_power().unwrap();
    let down = "was running when it left, was no longer running there, and is back\nhint: boot it here: sysadm sim start";
    let home = site.run("h1", "evacuate -r evac1");
    assert_eq!(home.status, Some(3), "{home}");
    assert!(home.stderr.contains("return not complete: 1 of 1 zone(s) moved, 1 down"), "{home}");
    assert!(home.stderr.contains(&format!("evac1: down: {down} evac1")), "{home}");
    assert_eq!(site.location("evac1"), "h1 installed");
    // All of them; those that did not run when they left are as they were.
    let home = site.run("h1", "evacuate -ra");
    assert_eq!(home.status, Some(3), "{home}");
    assert!(home.stderr.contains("4 of 4 zone(s) moved, 2 down"), "{home}");
    for (zone, is_down) in [("evac2", true), ("evac3", true), ("evac4", false), ("tzone1", false)] {
        assert_eq!(home.stderr.contains(&format!("{zone}: down: {down} {zone}")), is_down, "{zone}: {home}");
    }
    assert_eq!(site.run("h1", "evacuate -r evac1").status, Some(0));
}

#[test]
fn a_guest_that_was_known_to_be_down_is_down_when_it_is_home() {
    let site = lost_between();
    assert_eq!(site.run("h1", "evacuate --resume").status, Some(3));
    site.done("h1", "maintain -e");
    let home = site.run("h1", "evacuate -r evac1");
    assert_eq!(home.status, Some(3), "{home}");
    assert!(home.stderr.contains("and is back\nhint: boot it here: sysadm sim start evac1\n"), "{home}");
    assert_eq!(site.location("evac1"), "h1 installed");
}

#[test]
fn a_guest_that_was_shut_down_at_its_location_comes_home_as_it_is() {
    let site = Environment::ready_to_return();
    site.done("h2", "sim stop evac1");
    site.sim("h2").lose_power().unwrap();
    assert_eq!(site.run("h1", "evacuate -r evac1").status, Some(0), "its end is known");
}

#[test]
fn a_migration_says_of_a_guest_that_it_ran_before_and_has_moved_without() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::always(Effect::Hang { at: Operation::Send })]);
    let mut run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    run.kill().unwrap();
    run.wait().unwrap();
    site.set_faults("h1", &[]);
    site.sim("h1").lose_power().unwrap();
    let moved = site.run("h1", "zone migrate evac1 rads://h2");
    assert_eq!(moved.status, Some(3), "{moved}");
    let down =
        "zone 'evac1': down: was running before an earlier move, was not running since, and was moved so";
    assert!(moved.stderr.contains(down), "{moved}");
    assert_eq!(site.location("evac1"), "h2 installed");
}
