//! A guest that ran when its move began and runs nowhere now is said to be down.

use insta::assert_snapshot;
use sysadm::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;

/// The image of evac1 is held at h2, its source has ended, and h2 loses it before it was let run.
fn lost_between() -> Environment {
    let site = Environment::locked();
    site.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Resume })]);
    let mut run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("switch"));
    run.kill().unwrap();
    run.wait().unwrap();
    site.done("h2", "sim stop evac1");
    site.set_faults("h2", &[]);
    site
}

#[test]
fn a_guest_whose_memory_was_lost_between_two_hosts_is_down_until_somebody_boots_it() {
    let site = lost_between();
    assert_snapshot!(site.run("h1", "evacuate --resume"), @"");
    assert_snapshot!(site.run("h1", "evacuate -l"), @"");
    assert!(site.run("h1", "evacuate -l --json").stdout.contains("sysadm sim start evac1"));
    // Those that are asked for move, and the other one is still down.
    assert_snapshot!(site.run("h1", "evacuate"), @"");
    assert_eq!(site.run("h1", "evacuate evac2").status, Some(0));
    site.done("h2", "sim start evac1");
    assert_snapshot!(site.run("h1", "evacuate"), @"");
    assert_eq!(site.run("h1", "evacuate -lo ERROR").stdout.matches("down").count(), 0);
}

#[test]
fn a_guest_that_went_down_at_its_refuge_is_said_to_be_down_when_it_is_to_return() {
    let site = Environment::ready_to_return();
    site.done("h2", "sim stop evac1");
    assert_snapshot!(site.run("h1", "evacuate -r evac1"), @"");
    assert_snapshot!(site.run("h1", "evacuate -r"), @"");
}
