//! `sysadm evacuate -l`.

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;

#[test]
fn with_nothing_away_there_is_nothing_to_list() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: no active evacuation
    sysadm: not in maintenance; there are no zones on this host
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -p -o state"), @"[done]");
    site.done("h1", "maintain -s");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: no active evacuation
    sysadm: in maintenance; empty, safe to reboot
    [done]
    ");
}

#[test]
fn all_that_is_known_of_each_zone_can_be_listed() {
    let site = Environment::empty();
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac1            EVACUATED rads://h2                                -
    evac2            EVACUATED rads://h2                                -
    evac3            EVACUATED rads://h2                                -
    evac4            EVACUATED rads://h2                                -
    tzone1           EVACUATED rads://h2                                -
    sysadm: in maintenance; empty, safe to reboot
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -o all"), @r"
    ZONENAME         STATE     DEST                                     ERROR ORIGIN   METHOD STEP     PROGRESS BYTES  STARTED          DURATION DOWNTIME EXPSTART         EXPDURATION EXPDOWNTIME WHEN
    evac1            EVACUATED rads://h2                                -     h1       live   -        100%     4G     YYYY-MM-DD HH:MM TIME     TIME     YYYY-MM-DD HH:MM TIME        TIME        -
    evac2            EVACUATED rads://h2                                -     h1       live   -        100%     4G     YYYY-MM-DD HH:MM TIME     TIME     YYYY-MM-DD HH:MM TIME        TIME        -
    evac3            EVACUATED rads://h2                                -     h1       live   -        100%     4G     YYYY-MM-DD HH:MM TIME     TIME     YYYY-MM-DD HH:MM TIME        TIME        -
    evac4            EVACUATED rads://h2                                -     h1       cold   -        100%     NNNB   YYYY-MM-DD HH:MM TIME     -        YYYY-MM-DD HH:MM TIME        -           -
    tzone1           EVACUATED rads://h2                                -     h1       cold   -        100%     NNNB   YYYY-MM-DD HH:MM TIME     -        YYYY-MM-DD HH:MM TIME        -           -
    sysadm: in maintenance; empty, safe to reboot
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -p -o ZONENAME,DEST,ERROR,METHOD"), @r"
    evac1:rads\://h2::live
    evac2:rads\://h2::live
    evac3:rads\://h2::live
    evac4:rads\://h2::cold
    tzone1:rads\://h2::cold
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -o zonename,size"), @r#"
    ------- stderr -------
    sysadm: unknown field "size"; there are: ZONENAME,STATE,DEST,ERROR,ORIGIN,METHOD,STEP,PROGRESS,BYTES,STARTED,DURATION,DOWNTIME,EXPSTART,EXPDURATION,EXPDOWNTIME,WHEN, or all
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "evacuate -l -p"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      --output <FIELD,...>
    Usage: sysadm evacuate [OPTIONS] [ZONE]...
           sysadm evacuate -l [--watch] [--json] [-p] [-o FIELD,...]
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -a"), @r"
    ------- stderr -------
    sysadm: the argument '--list' cannot be used with '--all'
    Usage: sysadm evacuate [OPTIONS] [ZONE]...
           sysadm evacuate -l [--watch] [--json] [-p] [-o FIELD,...]
    [exit status 2]
    ");
}

#[test]
fn while_a_run_goes_on_it_is_listed_when_each_zone_moves_and_how_long_it_still_takes() {
    let site = Environment::story();
    for zone in ["big1", "big2", "big3"] {
        site.run_zone("h1", zone, |spec| spec.memory = 20 << 30);
    }
    site.done("h1", "maintain -s");
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "evacuate --jobs 1 big1 big2 big3");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: evacuation in progress
    ZONENAME         STATE     DEST                                     WHEN  ERROR
    big1             MIGRATING rads://h2                                TIME -
    big2             READY     rads://h2                                HH:MM -
    big3             READY     rads://h2                                HH:MM -
    sysadm: estimated completion HH:MM (±15s)
    [done]
    ");
    let document = || -> serde_json::Value {
        let mut command = site.command("h1", "evacuate -l --json");
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    };
    let first = document()["zones"].clone();
    let start = |zones: &serde_json::Value, zone: usize| zones[zone]["expected_start_ms"].as_i64().unwrap();
    let duration = first[0]["expected_duration_ms"].as_i64().unwrap();
    assert!((20_000..30_000).contains(&duration), "{first}");
    assert!((start(&first, 1) - start(&first, 0)).abs_diff(duration) < 1000, "{first}");
    site.set_faults("h1", &[]);
    assert_eq!(site.end(run).status, Some(0));
    // The first move was faster than expected: so the last one is expected to be as fast, and sooner. The
    // estimate of the first one is listed beside what it took.
    let zones = document()["zones"].clone();
    assert!(start(&zones, 2) < start(&first, 2), "{first} {zones}");
    assert_eq!(zones[0]["expected_duration_ms"], duration);
    assert!(zones[2]["expected_duration_ms"].as_i64().unwrap() < duration, "{zones}");
    assert!(zones[0]["duration_ms"].is_i64() && zones[0]["expected_downtime_ms"].is_i64(), "{zones}");
}

#[test]
fn the_list_is_one_document() {
    let site = Environment::locked();
    site.done("h1", "evacuate -q evac1");
    let printed = site.run("h1", "evacuate -l --json");
    let document: serde_json::Value = serde_json::from_str(&printed.stdout.replace("MS", "0")).unwrap();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["zones"].as_array().unwrap().len(), 1);
    assert_eq!(document["left"]["zones"].as_array().unwrap().len(), 4);
}

#[test]
fn on_a_pipe_the_watch_is_a_line_for_each_change() {
    let site = Environment::empty();
    let printed = site.run("h1", "evacuate -l --watch");
    let lines: Vec<serde_json::Value> =
        printed.stdout.replace("MS", "0").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().all(|line| line["state"] == "EVACUATED"), "{lines:?}");
}

#[test]
fn the_watch_goes_on_until_the_run_has_ended() {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "evacuate evac1");
    let watch = site.command("h1", "evacuate -l --watch").stdout(std::process::Stdio::piped()).spawn();
    let watch = watch.unwrap();
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    site.set_faults("h1", &[]);
    assert_eq!(site.end(run).status, Some(0));
    let printed = site.end(watch);
    let last = printed.stdout.lines().last().unwrap_or_default();
    assert!(last.contains("\"EVACUATED\""), "{printed}");
    assert_eq!(printed.status, Some(0));
}

#[test]
fn the_message_that_all_is_empty_needs_the_lock() {
    let site = Environment::ready_to_return();
    let printed = site.run("h1", "evacuate -l -o zonename");
    assert!(printed.stdout.ends_with("not in maintenance; there are no zones on this host\n"), "{printed}");
}
