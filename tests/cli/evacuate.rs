//! `sysadm evacuate`.

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault};
use sysadm_model::Brand;

use crate::environment::Environment;

#[test]
fn all_zones_leave_and_each_is_told_of() {
    let site = Environment::locked();
    assert_snapshot!(site.run("h1", "evacuate -va --jobs 1"), @r"
    sysadm: preparing 5 zone(s) for evacuation ...
    sysadm: initializing migration of evac1 to h2 ...
    sysadm: initializing migration of evac2 to h2 ...
    sysadm: initializing migration of evac3 to h2 ...
    sysadm: initializing migration of evac4 to h2 ...
    sysadm: initializing migration of tzone1 to h2 ...
    sysadm: evacuating 5 zone(s) ...
    sysadm: migrating evac1 to h2 ...
    sysadm: migrating evac2 to h2 ...
    sysadm: migrating evac3 to h2 ...
    sysadm: migrating evac4 to h2 ...
    sysadm: migrating tzone1 to h2 ...
    sysadm: evacuation completed successfully.
    sysadm: evac1: evacuated to rads://h2
    sysadm: evac2: evacuated to rads://h2
    sysadm: evac3: evacuated to rads://h2
    sysadm: evac4: evacuated to rads://h2
    sysadm: tzone1: evacuated to rads://h2
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
    assert_eq!(site.location("evac1"), "h2 running");
    assert_eq!(site.location("tzone1"), "h2 installed");
}

#[test]
fn a_plain_run_counts_and_a_quiet_one_is_silent() {
    let site = Environment::locked();
    assert_snapshot!(site.run("h1", "evacuate"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 3/3
    sysadm: evacuation completed successfully.
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -qa"), @"[done]");
    assert_snapshot!(site.run("h1", "evacuate -a"), @r"
    sysadm: nothing to evacuate
    [done]
    ");
}

#[test]
fn only_the_zones_that_are_named_leave() {
    let site = Environment::locked();
    assert_snapshot!(site.run("h1", "evacuate -v evac2 evac4"), @r"
    sysadm: preparing 2 zone(s) for evacuation ...
    sysadm: initializing migration of evac2 to h2 ...
    sysadm: initializing migration of evac4 to h2 ...
    sysadm: evacuating 2 zone(s) ...
    sysadm: migrating evac2 to h2 ...
    sysadm: migrating evac4 to h2 ...
    sysadm: evacuation completed successfully.
    sysadm: evac2: evacuated to rads://h2
    sysadm: evac4: evacuated to rads://h2
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
    assert_snapshot!(site.run("h1", "evacuate evac1 nope"), @r"
    ------- stderr -------
    sysadm: no such zone: nope
    [exit status 1]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn nothing_leaves_a_host_that_is_not_in_maintenance() {
    let site = Environment::story();
    assert_snapshot!(site.run("h1", "evacuate -a"), @r"
    ------- stderr -------
    sysadm: this host is not in maintenance
    hint: run 'sysadm maintain -s' first, so that no zone starts or arrives while others leave
    [exit status 4]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn a_misspelt_zone_is_named_before_maintenance_is() {
    let site = Environment::story();
    assert_snapshot!(site.run("h1", "evacuate evac1 evca2"), @r"
    ------- stderr -------
    sysadm: no such zone: evca2
    [exit status 1]
    ");
    site.done("h1", "maintain -s");
    let printed = site.run("h1", "evacuate -r evca2");
    assert!(printed.status == Some(1) && printed.stderr.contains("evca2"), "{printed}");
}

#[test]
fn what_cannot_leave_is_named_and_makes_the_result_partial() {
    let site = Environment::locked();
    site.done("h1", "maintain -e");
    site.run_zone("h1", "ct", |spec| spec.brand = Brand::LXC);
    site.run_zone("h1", "big", |spec| spec.memory = 100 << 30);
    // To a host of its own: the free memory there does not depend on which zone reserves first.
    site.done("h1", "target set big rads://h3");
    site.done("h1", "maintain -s");
    assert_snapshot!(site.run("h1", "evacuate -a"), @r"
    sysadm: preparing zones for evacuation ... 7/7
    sysadm: evacuating zones ... 5/5
    ------- stderr -------
    sysadm: evacuation not complete: 5 of 7 zone(s) moved, 1 skipped, 1 failed, 2 still running here.
    sysadm: big: failed: h3: 100G of memory needed, h3 has 64G free
    sysadm: ct: skipped: a running lxc zone cannot be migrated live
    hint: use --action restart (zone migrate: -t cold) to shut it down and boot it there
    hint: or shut it down, and evacuate it with -a
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    big              FAILED    rads://h3                                h3: 100G of memory needed, h3 has 64G free
    ct               SKIPPED   -                                        a running lxc zone cannot be migrated live
    evac1            EVACUATED rads://h2                                -
    evac2            EVACUATED rads://h2                                -
    evac3            EVACUATED rads://h2                                -
    evac4            EVACUATED rads://h2                                -
    tzone1           EVACUATED rads://h2                                -
    sysadm: in maintenance; 2 zone(s) still running here: big, ct
    ------- stderr -------
    hint: use --action restart (zone migrate: -t cold) to shut it down and boot it there
    hint: or shut it down, and evacuate it with -a
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -qa"), @r"
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 2 zone(s) moved, 1 skipped, 1 failed, 2 still running here.
    sysadm: big: failed: h3: 100G of memory needed, h3 has 64G free
    sysadm: ct: skipped: a running lxc zone cannot be migrated live
    hint: use --action restart (zone migrate: -t cold) to shut it down and boot it there
    hint: or shut it down, and evacuate it with -a
    [exit status 3]
    ");
}

#[test]
fn a_zone_without_a_target_is_skipped() {
    let site = Environment::locked();
    site.done("h1", "target unset --default");
    site.done("h1", "target set evac1 evac2 rads://h2");
    assert_snapshot!(site.run("h1", "evacuate"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 2/2
    ------- stderr -------
    sysadm: evacuation not complete: 2 of 3 zone(s) moved, 1 skipped, 1 still running here.
    sysadm: evac3: skipped: no target is set
    hint: set one: sysadm target set evac3 URI
    [exit status 3]
    ");
}

#[test]
fn when_all_fail_nothing_was_changed() {
    let mut site = Environment::locked();
    site.stop_agent("h2");
    assert_snapshot!(site.run("h1", "evacuate evac1 evac2"), @r"
    sysadm: preparing zones for evacuation ... 2/2
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 2 zone(s) moved, 2 failed.
    sysadm: evac1: failed: h2: cannot connect to rads://h2: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    sysadm: evac2: failed: h2: cannot connect to rads://h2: connection refused
    [exit status 1]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn the_second_target_takes_what_the_first_refuses() {
    let site = Environment::locked();
    site.done("h1", "target set evac1 rads://h2 rads://h3");
    site.done("h2", "maintain -s -m 'new disks'");
    assert_snapshot!(site.run("h1", "evacuate -v evac1"), @r"
    sysadm: preparing 1 zone(s) for evacuation ...
    sysadm: initializing migration of evac1 to h3 ...
    sysadm: evacuating 1 zone(s) ...
    sysadm: migrating evac1 to h3 ...
    sysadm: evacuation completed successfully.
    sysadm: evac1: evacuated to rads://h3
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -v evac2"), @r"
    sysadm: preparing 1 zone(s) for evacuation ...
    sysadm: initializing migration of evac2 to h2 ...
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 1 zone(s) moved, 1 failed.
    sysadm: evac2: failed: h2: h2 is in maintenance (admin since YYYY-MM-DD HH:MM by USER: new disks)
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac1            EVACUATED rads://h3                                -
    evac2            FAILED    rads://h2                                h2: h2 is in maintenance (admin since YYYY-MM-DD HH:MM by USER: new disks)
    sysadm: in maintenance; 2 zone(s) still running here: evac2, evac3
    [done]
    ");
}

#[test]
fn a_zone_that_fails_on_the_way_stays_and_stops_no_other() {
    let site = Environment::locked();
    let reason = "the guest does not let go of a device".to_owned();
    let effect = Effect::FailSend { rounds: 1, reason };
    let zone = Some("evac2".parse().unwrap());
    site.set_faults("h1", &[Fault { zone, ..Fault::always(effect) }]);
    assert_snapshot!(site.run("h1", "evacuate"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 2/3
    ------- stderr -------
    sysadm: evacuation not complete: 2 of 3 zone(s) moved, 1 failed, 1 still running here.
    sysadm: evac2: failed: h1: zone 'evac2': the guest does not let go of a device
    [exit status 3]
    ");
    assert_eq!(site.location("evac2"), "h1 running");
    site.set_faults("h1", &[]);
    assert_snapshot!(site.run("h1", "evacuate"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 1/1
    sysadm: evacuation completed successfully.
    [done]
    ");
    assert_eq!(site.location("evac2"), "h2 running");
}

#[test]
fn the_result_is_one_document() {
    let site = Environment::locked();
    let printed = site.run("h1", "evacuate --json evac1");
    let document: serde_json::Value = serde_json::from_str(&printed.stdout.replace("MS", "0")).unwrap();
    assert_eq!(document["zones"][0]["state"], "EVACUATED");
    assert_eq!(document["safe_to_reboot"], false);
    assert_snapshot!(printed, @r#"
    {
      "expected_end_ms": null,
      "expected_margin_ms": null,
      "host": "h1",
      "left": {
        "unmanaged": [],
        "zones": [
          {
            "autostart": false,
            "aux": null,
            "brand": "kvm",
            "cpus": 1,
            "id": 2,
            "memory": 4294967296,
            "name": "evac2",
            "persistent": true,
            "state": "running",
            "uuid": "UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU"
          },
          {
            "autostart": false,
            "aux": null,
            "brand": "kvm",
            "cpus": 1,
            "id": 3,
            "memory": 4294967296,
            "name": "evac3",
            "persistent": true,
            "state": "running",
            "uuid": "UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU"
          },
          {
            "autostart": false,
            "aux": null,
            "brand": "kvm",
            "cpus": 1,
            "id": null,
            "memory": 4294967296,
            "name": "evac4",
            "persistent": true,
            "state": "installed",
            "uuid": "UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU"
          },
          {
            "autostart": false,
            "aux": null,
            "brand": "lxc",
            "cpus": 1,
            "id": null,
            "memory": 4294967296,
            "name": "tzone1",
            "persistent": true,
            "state": "installed",
            "uuid": "UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU"
          }
        ]
      },
      "left_error": null,
      "left_hint": null,
      "maintenance": [
        {
          "kind": "admin",
          "message": "new build",
          "since": MS,
          "user": "USER"
        }
      ],
      "running": null,
      "safe_to_reboot": false,
      "schema_version": 1,
      "zones": [
        {
          "bytes": 4362076160,
          "dest": "rads://h2",
          "downtime_ms": MS,
          "duration_ms": MS,
          "error": null,
          "expected_downtime_ms": MS,
          "expected_duration_ms": MS,
          "expected_start_ms": MS,
          "hint": null,
          "method": "live",
          "origin": "h1",
          "percent": 100,
          "started_ms": MS,
          "state": "EVACUATED",
          "step": null,
          "total": 4362076160,
          "zone": "evac1"
        }
      ]
    }
    [done]
    "#);
}

#[test]
fn wrong_usage_is_told() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "evacuate -np -o zonename"), @r"
    ------- stderr -------
    sysadm: -p and -o are for the list (-l)
    hint: for a plan or a result: --json
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "evacuate -nw"), @r"
    ------- stderr -------
    sysadm: the argument '--dry-run' cannot be used with '--overwrite'
    Usage: sysadm evacuate [OPTIONS] [ZONE]...
           sysadm evacuate -l [--watch] [--json] [-p] [-o FIELD,...]
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "evacuate -qv"), @r"
    ------- stderr -------
    sysadm: the argument '--quiet' cannot be used with '--verbose'
    Usage: sysadm evacuate [OPTIONS] [ZONE]...
           sysadm evacuate -l [--watch] [--json] [-p] [-o FIELD,...]
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "evacuate -p -o state"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      --list
    Usage: sysadm evacuate [OPTIONS] [ZONE]...
           sysadm evacuate -l [--watch] [--json] [-p] [-o FIELD,...]
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "evacuate --jobs 0"), @r"
    ------- stderr -------
    sysadm: invalid value '0' for '--jobs <N>': 0 is not in 1..=64
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "evacuate --deadline soon"), @r#"
    ------- stderr -------
    sysadm: invalid value 'soon' for '--deadline <DURATION>': "soon" is not a duration
    hint: write a number and its unit: 30s, 10m or 1h30m
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "evacuate a/zone"), @r#"
    ------- stderr -------
    sysadm: invalid value 'a/zone' for '[ZONE]...': zone name "a/zone": '/' is not allowed in a zone name
    [exit status 2]
    "#);
}

#[test]
fn an_existing_configuration_is_overwritten_only_on_request() {
    let site = Environment::locked();
    let uuid = Some(uuid_of(&site, "evac4"));
    site.make_zone("h2", "evac4", |spec| (spec.uuid, spec.memory) = (uuid, 1 << 30));
    assert_snapshot!(site.run("h1", "evacuate evac4"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 1 zone(s) moved, 1 failed.
    sysadm: evac4: failed: h2: evac4 is already installed there
    hint: use -w of evacuate or migrate to replace it
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "evacuate -w evac4"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 1/1
    sysadm: evacuation completed successfully.
    [done]
    ");
    assert_eq!(site.location("evac4"), "h2 installed");
}

fn uuid_of(site: &Environment, zone: &str) -> uuid::Uuid {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let inventory =
        runtime.block_on(sysadm::testing::platform::Platform::inventory(&site.sim("h1"))).unwrap();
    inventory.find(&zone.parse().unwrap()).unwrap().uuid
}
