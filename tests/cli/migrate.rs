//! `sysadm zone migrate`.

use insta::{allow_duplicates, assert_snapshot};
use sysadm::testing::platform::sim::{Effect, Fault, Operation};
use sysadm::testing::platform::{ConfigEditor, Platform};
use sysadm_model::{BlockerKind, Brand, Edit, Manifest};

use crate::environment::Environment;

#[test]
fn a_zone_that_runs_moves_live_and_zoneadms_sentences_are_said() {
    let site = Environment::story();
    assert_snapshot!(site.run("h1", "zone migrate evac1 rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'evac1': Importing zone configuration.
    sysadm: zone 'evac1': Attaching zone.
    sysadm: zone 'evac1': Booting zone in 'migrating-in' mode.
    sysadm: zone 'evac1': Checking migration compatibility.
    sysadm: zone 'evac1': Starting migration.
    sysadm: zone 'evac1': Suspending zone on source host.
    sysadm: zone 'evac1': Waiting for migration to complete.
    sysadm: zone 'evac1': Migration successful.
    sysadm: zone 'evac1': Halting and detaching zone on source host.
    [done]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: no active evacuation
    sysadm: not in maintenance; 2 zone(s) still running here: evac2, evac3
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -r"), @r"
    sysadm: nothing to return
    [done]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
    assert_snapshot!(site.run("h1", "zone migrate evac1 rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'evac1' was migrated to rads://h2, and is attached there
    hint: move it from h2
    [exit status 1]
    ");
}

#[test]
fn a_zone_that_does_not_run_moves_cold_and_one_that_is_to_be_restarted_says_so() {
    let site = Environment::story();
    site.run_zone("h1", "ct", |spec| spec.brand = Brand::LXC);
    site.done("h1", "maintain -s");
    assert_snapshot!(site.run("h1", "zone migrate evac4 rads://h3"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': Importing zone configuration.
    sysadm: zone 'evac4': Attaching zone.
    sysadm: zone 'evac4': Detaching zone on source host.
    sysadm: zone 'evac4': Migration successful.
    [done]
    ");
    assert_eq!(site.location("evac4"), "h3 installed");
    assert_snapshot!(site.run("h1", "zone migrate -t live tzone1 rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'tzone1': only a cold migration is possible, but live was requested
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone migrate ct rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'ct': a running lxc zone cannot be migrated live
    hint: use --action restart (zone migrate: -t cold) to shut it down and boot it there
    hint: or shut it down, and evacuate it with -a
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone migrate -t cold ct rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'ct': Importing zone configuration.
    sysadm: zone 'ct': Attaching zone.
    sysadm: zone 'ct': Shutting down zone on source host.
    sysadm: zone 'ct': Booting zone on destination host.
    sysadm: zone 'ct': Migration successful.
    sysadm: zone 'ct': Detaching zone on source host.
    [done]
    ");
    assert_eq!(site.location("ct"), "h2 running");
    assert_snapshot!(site.run("h1", "zone migrate -q evac2 rads://h2"), @"[done]");
    assert_eq!(site.location("evac2"), "h2 running");
}

#[test]
fn a_dry_run_says_everything_that_stands_against_it_and_changes_nothing() {
    let site = Environment::story();
    assert_snapshot!(site.run("h1", "zone migrate -n evac1 rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'evac1': Importing zone configuration.
    sysadm: zone 'evac1': Attaching zone.
    sysadm: zone 'evac1': Dry-run migration successful.
    sysadm: zone 'evac1': Cleaning up.
    [done]
    ");
    site.set_host("h2", |host| {
        host.memory = 2 << 30;
        host.storages.clear();
    });
    let lacks = Effect::Refuse { kind: BlockerKind::Software, reason: "libfoo 1.2 is missing".to_owned() };
    site.set_faults("h2", &[Fault::always(lacks)]);
    for line in ["zone migrate -n evac1 rads://h2", "zone migrate evac1 rads://h2"] {
        allow_duplicates! {
            assert_snapshot!(site.run("h1", line), @r"
    ------- stderr -------
    sysadm: zone 'evac1': rads://h2: disk vda (/SITE/nfs/evac1-vda.img) is not accessible
    sysadm: zone 'evac1': rads://h2: libfoo 1.2 is missing
    sysadm: zone 'evac1': rads://h2: 4G of memory needed, h2 has 2G free
    [exit status 1]
    ");
        }
    }
    assert_eq!(site.location("evac1"), "h1 running");
    assert_snapshot!(site.run("h1", "zone migrate -n evac1 rads://nowhere"), @r"
    ------- stderr -------
    sysadm: zone 'evac1': rads://nowhere: cannot connect to rads://nowhere: failed to lookup address information: Name or service not known
    [exit status 1]
    ");
}

#[test]
fn the_destinations_maintenance_counts_and_that_of_this_host_does_not() {
    let site = Environment::locked();
    site.done("h2", "maintain -s");
    for line in ["zone migrate -n evac1 rads://h2", "zone migrate evac1 rads://h2"] {
        allow_duplicates! {
            assert_snapshot!(site.run("h1", line), @r"
    ------- stderr -------
    sysadm: zone 'evac1': rads://h2: h2 is in maintenance (admin since YYYY-MM-DD HH:MM by USER)
    [exit status 4]
    ");
        }
    }
    site.done("h1", "zone migrate -q evac1 rads://h3");
    assert_eq!(site.location("evac1"), "h3 running");
}

#[test]
fn a_configuration_that_is_there_already_is_used_if_it_is_the_same_and_another_one_replaced_only_when_told() {
    let site = Environment::story();
    site.done("h1", "zone migrate -q evac4 rads://h2");
    site.done("h2", "zone migrate -q evac4 rads://h1");
    assert_eq!(site.location("evac4"), "h1 installed");
    // h2 has the same configuration of the zone, and h3 an older one.
    block_on(async {
        let manifest = site.sim("h1").manifest(&"evac4".parse().unwrap()).await.unwrap();
        site.sim("h2").define(&manifest).await.unwrap();
        let config = site.sim("h1").edit(&manifest, &[Edit::Memory(1 << 30)]).unwrap();
        site.sim("h3").define(&Manifest { config, ..manifest }).await.unwrap();
    });
    assert_snapshot!(site.run("h1", "zone migrate -n evac4 rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': Using existing zone configuration on destination.
    sysadm: zone 'evac4': Attaching zone.
    sysadm: zone 'evac4': Dry-run migration successful.
    sysadm: zone 'evac4': Cleaning up.
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone migrate evac4 rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': Using existing zone configuration on destination.
    sysadm: zone 'evac4': Attaching zone.
    sysadm: zone 'evac4': Detaching zone on source host.
    sysadm: zone 'evac4': Migration successful.
    [done]
    ");
    assert_eq!(site.location("evac4"), "h2 installed, h3 installed");
    site.done("h2", "zone migrate -q evac4 rads://h1");
    assert_snapshot!(site.run("h1", "zone migrate evac4 rads://h3"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': rads://h3: evac4 is already installed there
    hint: use -w of evacuate or migrate to replace it
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone migrate -w evac4 rads://h3"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': Importing zone configuration.
    sysadm: zone 'evac4': Attaching zone.
    sysadm: zone 'evac4': Detaching zone on source host.
    sysadm: zone 'evac4': Migration successful.
    [done]
    ");
    assert_eq!(site.location("evac4"), "h3 installed");
}

#[test]
fn a_zone_does_not_migrate_to_where_it_is() {
    let site = Environment::story();
    assert_snapshot!(site.run("h1", "zone migrate -n evac4 rads://h1"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': rads://h1: this host itself
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone migrate -w evac4 rads://h1"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': rads://h1: this host itself
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone migrate -w evac1 rads://h1"), @r"
    ------- stderr -------
    sysadm: zone 'evac1': rads://h1: this host itself
    [exit status 1]
    ");
    assert_eq!(
        (site.location("evac4"), site.location("evac1")),
        ("h1 installed".into(), "h1 running".into())
    );
}

#[test]
fn one_run_at_a_time_and_each_says_what_it_is() {
    let site = Environment::story();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "zone migrate evac1 rads://h2");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    assert_snapshot!(site.run("h1", "zone migrate evac2 rads://h2"), @r"
    ------- stderr -------
    sysadm: another evacuation, return or migration is in progress (migrate, pid PID)
    hint: 'sysadm evacuate -l' shows its progress
    [exit status 4]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: migration in progress
    ZONENAME         STATE     DEST                                     WHEN  ERROR
    evac1            MIGRATING rads://h2                                TIME  -
    sysadm: estimated completion HH:MM (±2s)
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate --cancel"), @r"
    sysadm: cancelling the migration (pid PID): no new moves start, moves in progress are completed
    ------- stderr -------
    hint: repeat --cancel to abort those
    [done]
    ");
    site.set_faults("h1", &[]);
    assert_snapshot!(site.end(run), @r"
    ------- stderr -------
    sysadm: zone 'evac1': Importing zone configuration.
    sysadm: zone 'evac1': Attaching zone.
    sysadm: zone 'evac1': Booting zone in 'migrating-in' mode.
    sysadm: zone 'evac1': Checking migration compatibility.
    sysadm: zone 'evac1': Starting migration.
    sysadm: cancelled from another terminal: no new moves start, moves in progress are completed
    sysadm: zone 'evac1': Suspending zone on source host.
    sysadm: zone 'evac1': Waiting for migration to complete.
    sysadm: zone 'evac1': Migration successful.
    sysadm: zone 'evac1': Halting and detaching zone on source host.
    [done]
    ");
}

#[test]
fn one_that_is_given_up_stays_and_the_exit_status_says_so() {
    let site = Environment::story();
    site.set_faults("h1", &[Fault::always(Effect::Stall { rounds: 1 })]);
    let run = site.start("h1", "zone migrate evac1 rads://h2");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    site.done("h1", "evacuate --cancel");
    site.done("h1", "evacuate --cancel");
    assert_snapshot!(site.end(run), @r"
    ------- stderr -------
    sysadm: zone 'evac1': Importing zone configuration.
    sysadm: zone 'evac1': Attaching zone.
    sysadm: zone 'evac1': Booting zone in 'migrating-in' mode.
    sysadm: zone 'evac1': Checking migration compatibility.
    sysadm: zone 'evac1': Starting migration.
    sysadm: cancelled from another terminal: no new moves start, moves in progress are completed
    sysadm: cancelled from another terminal: moves in progress are aborted, their zones stay where they are
    sysadm: zone 'evac1': cancelled; it was not moved
    [exit status 130]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn one_whose_end_is_not_known_is_stuck_until_it_is_settled() {
    let site = Environment::story();
    site.set_faults("h2", &[Fault::always(Effect::Fail { at: Operation::Resume, reason: "no".into() })]);
    assert_snapshot!(site.run("h1", "zone migrate evac1 rads://h2"), @r"
    ------- stderr -------
    sysadm: zone 'evac1': Importing zone configuration.
    sysadm: zone 'evac1': Attaching zone.
    sysadm: zone 'evac1': Booting zone in 'migrating-in' mode.
    sysadm: zone 'evac1': Checking migration compatibility.
    sysadm: zone 'evac1': Starting migration.
    sysadm: zone 'evac1': it is paused on h2: h2: no
    hint: run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back
    [exit status 5]
    ");
    site.set_faults("h2", &[]);
    assert_snapshot!(site.run("h1", "evacuate --resume"), @r"
    sysadm: all interrupted moves are resolved
    ------- stderr -------
    sysadm: evac1: its move was interrupted; it is on h2
    hint: 'sysadm evacuate -l' shows where each zone is
    [done]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
    assert_snapshot!(site.run("h1", "evacuate -r"), @r"
    sysadm: nothing to return
    [done]
    ");
}

#[test]
fn what_an_evacuation_has_left_is_still_listed_after_a_migration() {
    let site = Environment::locked();
    let refusal = Effect::Refuse { kind: BlockerKind::Software, reason: "libfoo 1.2 is missing".to_owned() };
    site.set_faults("h2", &[Fault::always(refusal)]);
    assert_eq!(site.run("h1", "evacuate evac1 evac2").status, Some(1));
    site.done("h1", "zone migrate -q evac1 rads://h3");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac2            FAILED    rads://h2                                h2: libfoo 1.2 is missing
    sysadm: in maintenance; 2 zone(s) still running here: evac2, evac3
    [done]
    ");
    site.set_faults("h2", &[]);
    site.done("h1", "evacuate -q evac2");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac2            EVACUATED rads://h2                                -
    sysadm: in maintenance; 1 zone(s) still running here: evac3
    [done]
    ");
}

#[test]
fn a_result_is_a_document_too() {
    let site = Environment::story();
    assert_snapshot!(site.run("h1", "zone migrate --json evac4 rads://h2"), @r#"
    {
      "bytes": 385,
      "dest": "rads://h2",
      "done": true,
      "down": [],
      "downtime_ms": null,
      "dry_run": false,
      "duration_ms": MS,
      "errors": [],
      "hint": null,
      "method": "cold",
      "schema_version": 1,
      "zone": "evac4"
    }
    [done]
    "#);
    assert_snapshot!(site.run("h1", "zone migrate --json -n evac1 rads://nowhere"), @r#"
    {
      "bytes": null,
      "dest": "rads://nowhere",
      "done": false,
      "down": [],
      "downtime_ms": null,
      "dry_run": true,
      "duration_ms": null,
      "errors": [
        "rads://nowhere: cannot connect to rads://nowhere: failed to lookup address information: Name or service not known"
      ],
      "hint": null,
      "method": null,
      "schema_version": 1,
      "zone": "evac1"
    }
    ------- stderr -------
    sysadm: zone 'evac1': rads://nowhere: cannot connect to rads://nowhere: failed to lookup address information: Name or service not known
    [exit status 1]
    "#);
}

#[test]
fn the_system_log_tells_who_has_migrated_what_and_which_run_was_forced() {
    let site = Environment::locked();
    let line = site.system_log("h1");
    site.done("h1", "zone migrate -q evac1 rads://h2");
    assert!(line().contains("evac1 migrated to rads://h2 by "));
    assert_eq!(site.run("h1", "zone migrate -q -t live evac4 rads://h2").status, Some(1));
    assert!(line().contains("evac4 not migrated to rads://h2 by "));
    site.done("h1", "evacuate -q --force-attach evac2");
    assert!(line().contains("evacuate, forced, by "));
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}
