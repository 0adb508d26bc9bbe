//! A guest that ran when its move began and runs nowhere now is said to be down.

use sysadm::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;

/// The image of evac1 is held at h2, its source has ended, and h2 loses it before it was let run.
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
    let down = "it ran before its move and does not run on h2; its memory is lost; boot it there: sysadm sim start evac1";
    let resumed = site.run("h1", "evacuate --resume");
    assert_eq!(resumed.status, Some(3), "{resumed}");
    assert!(
        resumed.stderr.contains("evac1: its move was interrupted; it is on h2, and does not run"),
        "{resumed}"
    );
    assert!(resumed.stderr.contains(&format!("evac1: down: {down}")), "{resumed}");
    let listed = site.run("h1", "evacuate -l");
    assert!(
        listed
            .stdout
            .contains(&format!("evac1            EVACUATED rads://h2                                {down}")),
        "{listed}"
    );
    assert!(site.run("h1", "evacuate -l --json").stdout.contains("sysadm sim start evac1"));
    // Those that are asked for move, and the other one is still down.
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
fn a_guest_that_went_down_at_its_refuge_is_said_to_be_down_when_it_is_to_return() {
    let site = Environment::ready_to_return();
    site.done("h2", "sim stop evac1");
    let skipped = site.run("h1", "evacuate -r");
    assert_eq!(skipped.status, Some(3), "{skipped}");
    let why = "evac1: skipped: it ran when it left and does not run on h2; boot it there: sysadm sim start evac1; or -ra returns it as it is";
    assert!(skipped.stderr.contains(why), "{skipped}");
    // Whoever wants it as it is gets it so.
    assert_eq!(site.run("h1", "evacuate -r evac1").status, Some(0));
    assert_eq!(site.whereabouts("evac1"), "h1 installed");
}
