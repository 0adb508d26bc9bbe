//! `sysadm evacuate -r`.

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault};

use crate::environment::Environment;

#[test]
fn all_zones_return_as_they_were() {
    let site = Environment::ready_to_return();
    assert_snapshot!(site.run("h1", "evacuate -ra"), @r"
    sysadm: preparing zones for return ... 5/5
    sysadm: returning zones ... 5/5
    sysadm: return completed successfully.
    [done]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
    assert_eq!(site.location("tzone1"), "h1 installed");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: no active evacuation
    sysadm: not in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -ra"), @r"
    sysadm: nothing to return
    [done]
    ");
}

#[test]
fn each_is_told_of_and_those_that_do_not_run_stay_without_a() {
    let site = Environment::ready_to_return();
    assert_snapshot!(site.run("h1", "evacuate -rv --jobs 1"), @r"
    sysadm: preparing 5 zone(s) for return...
    sysadm: initializing return of evac1
    sysadm: initializing return of evac2
    sysadm: initializing return of evac3
    sysadm: initializing return of evac4
    sysadm: initializing return of tzone1
    sysadm: returning 3 zone(s) ...
    sysadm: migrating evac1
    sysadm: migrating evac2
    sysadm: migrating evac3
    sysadm: evac1: returned
    sysadm: evac2: returned
    sysadm: evac3: returned
    sysadm: finished in TIME (estimated TIME)
    ------- stderr -------
    sysadm: return not complete: 3 of 5 zone(s) moved, 2 skipped.
    sysadm: evac4: skipped: it is not running on h2
    hint: use -ra to return zones that are not running, too
    sysadm: tzone1: skipped: it is not running on h2
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac4            SKIPPED   rads://h2                                it is not running on h2
    tzone1           SKIPPED   rads://h2                                it is not running on h2
    sysadm: not in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    ------- stderr -------
    hint: use -ra to return zones that are not running, too
    [done]
    ");
}

#[test]
fn nothing_returns_to_a_host_in_maintenance() {
    let site = Environment::empty();
    assert_snapshot!(site.run("h1", "evacuate -ra"), @r"
    ------- stderr -------
    sysadm: this host is in maintenance (admin since YYYY-MM-DD HH:MM by USER: new build); zones cannot return
    hint: run 'sysadm maintain -e' first
    [exit status 4]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
}

#[test]
fn only_the_zones_that_are_named_return() {
    let site = Environment::ready_to_return();
    assert_snapshot!(site.run("h1", "evacuate -rv evac2"), @r"
    sysadm: preparing 1 zone(s) for return...
    sysadm: initializing return of evac2
    sysadm: returning 1 zone(s) ...
    sysadm: migrating evac2
    sysadm: return completed successfully.
    sysadm: evac2: returned
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -r evac2"), @r"
    sysadm: evac2: already on this host
    sysadm: nothing to return
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -r evac2 nope"), @r"
    ------- stderr -------
    sysadm: not away from this host: nope
    hint: 'sysadm evacuate -l' lists the zones that are away
    [exit status 1]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
}

#[test]
fn one_that_its_owner_stopped_meanwhile_stays_stopped() {
    let site = Environment::ready_to_return();
    site.done("h2", "sim stop evac1");
    assert_snapshot!(site.run("h1", "evacuate -ra"), @r"
    sysadm: preparing zones for return ... 5/5
    sysadm: returning zones ... 5/5
    sysadm: return completed successfully.
    [done]
    ");
    assert_eq!(site.location("evac1"), "h1 installed");
}

#[test]
fn one_that_was_removed_or_moved_on_is_reported_and_can_be_given_up() {
    let site = Environment::ready_to_return();
    site.done("h2", "sim remove tzone1");
    site.done("h2", "target set evac1 rads://h3");
    site.done("h2", "maintain -s");
    site.done("h2", "evacuate -q evac1");
    site.done("h2", "maintain -e");
    assert_snapshot!(site.run("h1", "evacuate -ra"), @r"
    sysadm: preparing zones for return ... 5/5
    sysadm: returning zones ... 4/4
    ------- stderr -------
    sysadm: evac1: h2 has migrated it to rads://h3; it returns from there
    sysadm: return not complete: 4 of 5 zone(s) moved, 1 failed.
    sysadm: tzone1: failed: no longer on h2: moved on or removed there
    hint: find out where it is, and bring it back there
    hint: if it exists nowhere else, 'sysadm evacuate --forget tzone1' makes it configured here
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -o ZONENAME,STATE,DEST"), @r"
    ZONENAME         STATE     DEST
    tzone1           FAILED    rads://h2
    sysadm: not in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    ------- stderr -------
    hint: find out where it is, and bring it back there
    hint: if it exists nowhere else, 'sysadm evacuate --forget tzone1' makes it configured here
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate --forget tzone1"), @r"
    sysadm: tzone1: record discarded; it was last on rads://h2 and is now configured here
    ------- stderr -------
    hint: if no other host has it: sysadm zone attach tzone1
    hint: to delete its configuration: sysadm zone delete tzone1
    [done]
    ");
    assert!(site.run("h1", "zone list -c").stdout.contains("tzone1"));

    assert_snapshot!(site.run("h1", "evacuate --forget tzone1"), @r"
    ------- stderr -------
    sysadm: tzone1 is not away from this host
    hint: 'sysadm evacuate -l' lists the zones that are away
    [exit status 1]
    ");
    // Its location does not fetch what has gone home.
    site.done("h2", "evacuate -rq");
    assert_eq!(site.location("evac1"), "h1 running");
    assert_snapshot!(site.run("h1", "evacuate -ra"), @r"
    sysadm: nothing to return
    [done]
    ");
}

#[test]
fn a_return_that_fails_leaves_the_zone_at_its_location() {
    let site = Environment::ready_to_return();
    site.set_faults("h2", &[Fault::once(Effect::Cut { rounds: 1 })]);
    assert_snapshot!(site.run("h1", "evacuate -r --retries 0 evac1"), @r"
    sysadm: preparing zones for return ... 1/1
    sysadm: returning zones ... 0/1
    ------- stderr -------
    sysadm: return not complete: 0 of 1 zone(s) moved, 1 failed.
    sysadm: evac1: failed: h2: zone 'evac1': lost the connection to the destination: it was cut
    [exit status 1]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
    assert_snapshot!(site.run("h1", "evacuate -r evac1"), @r"
    sysadm: preparing zones for return ... 1/1
    sysadm: returning zones ... 1/1
    sysadm: return completed successfully.
    [done]
    ");
}

#[test]
fn a_zone_that_is_home_already_has_nothing_to_do() {
    let site = Environment::ready_to_return();
    assert_eq!(site.run("h1", "evacuate -r evac1").status, Some(0));
    assert_snapshot!(site.run("h1", "evacuate -r evac1"), @r"
    sysadm: evac1: already on this host
    sysadm: nothing to return
    [done]
    ");
    // A zone that is not home goes home, too.
    let both = site.run("h1", "evacuate -rv evac1 evac2");
    assert_eq!(both.status, Some(0), "{both}");
    assert!(both.stdout.contains("evac1: already on this host"), "{both}");
    assert_eq!(site.location("evac2"), "h1 running");
    assert_eq!(site.run("h1", "evacuate -rn evac1").status, Some(0));
    assert_eq!(site.run("h1", "evacuate -r nope").status, Some(1));
    // A zone that is here and belongs to h1 is not at home here.
    assert_eq!(site.run("h2", "evacuate -r evac3").status, Some(1));
}

/// h2 has lost its records of the hosts that have brought zones to it.
fn location_without_records() -> Environment {
    let mut site = Environment::ready_to_return();
    site.stop_agent("h2");
    let database = site.paths("h2").database();
    std::fs::remove_file(&database).unwrap();
    ["db-wal", "db-shm"].iter().for_each(|end| drop(std::fs::remove_file(database.with_extension(end))));
    site.start_agents(&["h2"]);
    site
}

#[test]
fn a_location_that_does_not_know_whose_a_zone_is_says_how_it_comes_home() {
    let mut site = location_without_records();
    let refused = site.run("h1", "evacuate -r evac1");
    assert_eq!(refused.status, Some(1), "{refused}");
    for line in [
        "the zone belongs to h2, which has no record that h1 brought it",
        "hint: to send it to h1: run 'sysadm zone migrate evac1 rads://h1' on h2",
        "hint: to let h1 take any zone of h2: give it the role admin under [roles] in h2's sysadm.toml",
    ] {
        assert!(refused.stderr.contains(line), "{refused}");
    }
    assert_eq!(site.location("evac1"), "h2 running");
    site.done("h2", "zone migrate evac1 rads://h1");
    assert_eq!(site.location("evac1"), "h1 running");
    let settled = site.run("h1", "evacuate -r evac1");
    assert_eq!(settled.status, Some(0), "{settled}");
    assert!(!site.run("h1", "evacuate -l").stdout.contains("evac1  "));
    // The other solution.
    let config = site.paths("h2").config();
    let text = std::fs::read_to_string(&config).unwrap();
    site.stop_agent("h2");
    std::fs::write(&config, text + "[roles]\nh1 = \"admin\"\n").unwrap();
    site.start_agents(&["h2"]);
    assert_eq!(site.run("h1", "evacuate -r evac2").status, Some(0));
    assert_eq!(site.location("evac2"), "h1 running");
}
