//! Zones that come home by themselves, and maintenance that lasts as long as zones leave.

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;

/// z1 of h1 is at h3, whose zones go to h1.
fn away_at_h3() -> Environment {
    let mut site = Environment::new();
    site.run_zone("h1", "z1", |_| {});
    site.start_agents(&["h1", "h2", "h3"]);
    site.done("h1", "target set --default rads://h3");
    site.done("h3", "target set --default rads://h1");
    empty(&site, "h1");
    site
}

fn empty(site: &Environment, host: &str) {
    site.done(host, "maintain -s");
    site.done(host, "evacuate");
    site.done(host, "maintain -e");
}

#[test]
fn a_guest_that_its_location_sends_home_is_home() {
    let site = away_at_h3();
    empty(&site, "h3");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: no active evacuation
    sysadm: not in maintenance; 1 zone(s) still running here: z1
    [done]
    ");
    for host in ["h3", "h1", "h3"] {
        let said = site.run(host, "evacuate -ra").to_string();
        assert_eq!(said.trim(), "sysadm: nothing to return\n[done]");
        assert_eq!(site.location("z1"), "h1 running");
    }
}

#[test]
fn a_guest_that_is_here_against_its_record_is_told_and_settled() {
    let mut site = away_at_h3();
    let copy = site.at("copy.db");
    site.done("h1", &format!("store backup {}", copy.display()));
    site.done("h1", "evacuate -ra");
    site.stop_agent("h1");
    let database = site.paths("h1").database();
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", database.display()));
    }
    std::fs::rename(&copy, &database).unwrap();
    site.start_agents(&["h1"]);
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    z1               EVACUATED rads://h3                                it is running here, too
    sysadm: not in maintenance; 1 zone(s) still running here: z1
    ------- stderr -------
    hint: run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back
    [done]
    ");
    let told = site.run("h1", "evacuate -lp -o ERROR").stdout;
    assert!(told.starts_with("it is running here, too"), "{told}");
    site.done("h1", "evacuate --resume");
    let listed = site.run("h1", "evacuate -l").stdout;
    assert!(listed.contains("no active evacuation"), "{listed}");
    assert_eq!(site.location("z1"), "h1 running");
}

#[test]
fn a_guest_that_is_moved_home_is_home() {
    let site = away_at_h3();
    site.done("h3", "zone migrate z1 rads://h1");
    let listed = site.run("h1", "evacuate -l").stdout;
    assert!(listed.contains("no active evacuation"), "{listed}");
    let kept = site.run("h3", "zone list -cp").stdout;
    assert!(!kept.contains("z1"), "{kept}");
    site.done("h3", "evacuate -ra");
    assert_eq!(site.location("z1"), "h1 running");
}

#[test]
fn a_guest_that_was_passed_on_comes_home_with_one_command() {
    let site = away_at_h3();
    site.done("h3", "target set --default rads://h2");
    site.done("h3", "maintain -s");
    site.done("h3", "evacuate");
    assert_eq!(site.location("z1"), "h2 running");
    let kept = site.run("h3", "evacuate -l").stdout;
    assert!(kept.contains("empty, safe to reboot") && !kept.contains("z1"), "{kept}");
    assert_snapshot!(site.run("h1", "evacuate -ra"), @r"
    sysadm: preparing zones for return ... 1/1
    sysadm: returning zones ... 1/1
    sysadm: return completed successfully.
    ------- stderr -------
    sysadm: z1: h3 has migrated it to rads://h2; it returns from there
    [done]
    ");
    assert_eq!(site.location("z1"), "h1 running");
}

#[test]
fn a_guest_is_found_also_when_its_location_does_not_answer_any_more() {
    let mut site = away_at_h3();
    site.done("h3", "target set --default rads://h2");
    empty(&site, "h3");
    site.stop_agent("h3");
    site.done("h1", "target set --default rads://h3 rads://h2");
    let back = site.run("h1", "evacuate -ra");
    assert_eq!(back.status, Some(0), "{back}");
    assert!(back.stderr.contains("it returns from rads://h2, which has it"), "{back}");
    assert_eq!(site.location("z1"), "h1 running");
}

#[test]
fn a_zone_that_is_away_already_is_no_error() {
    let site = Environment::locked();
    site.done("h1", "target set evac3 rads://nowhere");
    site.done("h1", "evacuate -q evac1");
    assert_snapshot!(site.run("h1", "evacuate evac1"), @r"
    sysadm: evac1: already evacuated to rads://h2
    sysadm: nothing to evacuate
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -n evac1"), @r"
    sysadm: evac1: already evacuated to rads://h2
    sysadm: nothing to evacuate
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate evac1 nobody"), @r"
    ------- stderr -------
    sysadm: no such zone: nobody
    [exit status 1]
    ");
    assert_eq!(site.run("h1", "evacuate -q evac1").to_string().trim(), "[done]");
    assert_snapshot!(site.run("h1", "evacuate evac1 evac2"), @r"
    sysadm: evac1: already evacuated to rads://h2
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 1/1
    sysadm: evacuation completed successfully.
    [done]
    ");
    let mixed = site.run("h1", "evacuate --retries 0 evac1 evac3");
    assert_eq!(mixed.status, Some(1), "{mixed}");
}

#[test]
fn the_lock_stays_as_long_as_an_evacuation_needs_it() {
    let site = Environment::locked();
    site.done("h1", "maintain -s --type power");
    site.set_faults("h1", &[Fault::always(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "evacuate -j1");
    site.done("h1", "maintain -e");
    let refused = site.run("h1", "maintain -e --type power");
    assert_eq!(refused.status, Some(4), "{refused}");
    let expected = "sysadm: an evacuation of this host is in progress (evacuate, pid PID) and needs its maintenance\n\
                    hint: wait for its end ('sysadm evacuate -l'), or run 'sysadm evacuate --cancel'";
    assert_eq!(refused.stderr.trim(), expected);
    assert!(site.paths("h1").lock_marker().exists());

    // If maintenance is ended by other means, what has not begun is stopped.
    let database = rusqlite::Connection::open(site.paths("h1").database()).unwrap();
    database.execute("DELETE FROM maintenance", []).unwrap();
    site.set_faults("h1", &[]);
    let ended = site.end(run);
    assert_eq!(ended.status, Some(3), "{ended}");
    assert!(
        ended.stderr.contains("failed: this host is no longer in maintenance; the zone was not moved"),
        "{ended}"
    );
}

/// h1 has left its manifests with h2, and is lost.
fn lost() -> Environment {
    let mut site = Environment::story();
    site.done("h1", "zone standby -q");
    site.stop_agent("h1");
    site
}

/// h2 reports a takeover, which is true: but the zone moved on, and h3 has brought it home.
#[test]
fn what_is_heard_of_a_zone_that_others_have_brought_home_does_not_take_it_away_again() {
    let mut site = lost();
    site.done("h2", "zone attach --standby evac4 --origin-is-down");
    site.done("h2", "target set evac4 rads://h3");
    site.done("h2", "maintain -s");
    site.done("h2", "evacuate evac4");
    site.start_agents(&["h1"]);
    site.done("h3", "target set evac4 rads://h1");
    site.done("h3", "maintain -s");
    site.done("h3", "evacuate evac4");
    assert_eq!(site.location("evac4"), "h1 installed");
    for _ in 0..2 {
        let said = site.run("h1", "zone standby").to_string();
        assert!(!said.contains("evac4") && said.trim().ends_with("[done]"), "{said}");
        assert_eq!(site.location("evac4"), "h1 installed");
    }
    assert!(site.run("h1", "evacuate -l").stdout.contains("no active evacuation"));
}

#[test]
fn a_zone_of_a_host_that_is_lost_for_good_is_kept() {
    let site = lost();
    site.done("h2", "zone attach --standby evac4 --origin-is-down");
    assert_snapshot!(site.run("h2", "evacuate --forget evac4"), @r"
    sysadm: evac4: now belongs to this host, and no longer to h1
    [done]
    ");
    assert_eq!(site.run("h2", "evacuate --forget evac4").status, Some(1));
    // So it comes back, as zones that belong here do.
    site.done("h2", "target set evac4 rads://h3");
    site.done("h2", "maintain -s");
    site.done("h2", "evacuate -a");
    site.done("h2", "maintain -e");
    assert_eq!(site.location("evac4"), "h1 installed, h3 installed");
    site.done("h2", "evacuate -ra");
    assert_eq!(site.location("evac4"), "h1 installed, h2 installed");
}
