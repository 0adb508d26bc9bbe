//! `sysadm store`.

use insta::assert_snapshot;
use rusqlite::Connection;
use sysadm::testing::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;

const WHOLE: &str = "sysadm: the database is intact and no record needs attention\n[done]";

/// A host in the middle of moving evac1.
fn evacuating() -> (Environment, std::process::Child) {
    let site = Environment::locked();
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = site.start("h1", "evacuate evac1");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    (site, run)
}

#[test]
fn nothing_waits_where_nothing_went_wrong() {
    let site = Environment::new();
    assert_eq!(site.run("h1", "store check").to_string(), WHOLE);
    assert!(!site.paths("h1").database().exists());
    let site = Environment::empty();
    assert_eq!(site.run("h1", "store check").to_string(), WHOLE);
    site.done("h1", "maintain -e");
    site.done("h1", "evacuate -qra");
    for host in ["h1", "h2"] {
        assert_eq!(site.run(host, "store check").to_string(), WHOLE);
    }
    assert_snapshot!(site.run("h1", "store check --json"), @r#"
    {
      "findings": [],
      "host": "h1",
      "schema_version": 1
    }
    [done]
    "#);
}

#[test]
fn what_was_interrupted_waits_until_it_is_settled() {
    let (site, mut run) = evacuating();
    run.kill().unwrap();
    run.wait().unwrap();
    site.set_faults("h1", &[]);
    let before = std::fs::read(site.paths("h1").database()).unwrap();
    assert_snapshot!(site.run("h1", "store check"), @r"
    sysadm: evac1: its move to rads://h2 was interrupted
    ------- stderr -------
    hint: run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "store check --json"), @r#"
    {
      "findings": [
        {
          "hint": "run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back",
          "kind": "interrupted",
          "needs": "operator",
          "text": "its move to rads://h2 was interrupted",
          "zone": "evac1"
        }
      ],
      "host": "h1",
      "schema_version": 1
    }
    [exit status 3]
    "#);
    assert_eq!(std::fs::read(site.paths("h1").database()).unwrap(), before);
    site.done("h1", "evacuate --resume");
    assert_snapshot!(site.run("h1", "store check"), @r"
    sysadm: evac1: run 1 was interrupted at step transfer; this was resolved later, nothing to do
    sysadm: the database is intact and no record needs attention
    [done]
    ");
    site.done("h1", "evacuate -qa");
    assert_eq!(site.run("h1", "store check").to_string(), WHOLE);
}

#[test]
fn an_evacuation_that_runs_is_neither_judged_nor_held_up() {
    let (site, run) = evacuating();
    assert_eq!(site.run("h1", "store check").to_string(), WHOLE);
    let copy = site.at("copy.db");
    assert_snapshot!(site.run("h1", &format!("store backup {}", copy.display())), @"[done]");
    site.set_faults("h1", &[]);
    assert_eq!(site.end(run).status, Some(0));
    let copy = Connection::open(copy).unwrap();
    let row = copy.query_row("SELECT name || ' ' || place FROM zone WHERE place <> 'host'", [], |row| {
        row.get::<_, String>(0)
    });
    assert_eq!(row.unwrap(), "evac1 leaving");
}

#[test]
fn a_marker_that_tells_something_else_is_found() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    let marker = site.paths("h1").lock_marker();
    std::fs::rename(&marker, site.at("marker")).unwrap();
    assert_snapshot!(site.run("h1", "store check"), @r"
    sysadm: the host is in maintenance, but the lock marker is missing, so zones can start
    ------- stderr -------
    hint: restore it with 'sysadm maintain -s --type again', then run 'sysadm maintain -e --type again'
    [exit status 3]
    ");
    site.done("h1", "maintain -s --type again");
    site.done("h1", "maintain -e --type again");
    assert_eq!(site.run("h1", "store check").to_string(), WHOLE);
    site.done("h1", "maintain -e");
    std::fs::rename(site.at("marker"), &marker).unwrap();
    assert_snapshot!(site.run("h1", "store check"), @r"
    sysadm: a crash left a lock marker that still blocks zones from starting
    ------- stderr -------
    hint: remove it: sysadm maintain -e
    [exit status 3]
    ");
    assert_eq!(site.run("h1", "maintain -e").status, Some(1));
    assert_eq!(site.run("h1", "store check").to_string(), WHOLE);
}

#[test]
fn damage_is_found_and_not_copied() {
    let site = Environment::new();
    site.done("h1", "target set --default rads://h2");
    let path = site.paths("h1").database();
    let backup = format!("store backup {}", site.at("copy.db").display());
    site.done("h1", &backup);
    // The second page, which begins with its type.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096] = 0xff;
    std::fs::write(&path, &bytes).unwrap();
    assert_snapshot!(site.run("h1", "store check"), @r"
    sysadm: the database is damaged: database disk image is malformed
    ------- stderr -------
    hint: keep the file, and run 'sysadm store recover' to save what can be read of it, or restore a backup
    [exit status 5]
    ");
    std::fs::rename(site.at("copy.db"), site.at("good.db")).unwrap();
    assert_snapshot!(site.run("h1", &backup), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db is damaged: database disk image is malformed
    hint: keep the file, and run 'sysadm store recover' to save what can be read of it, or restore a backup
    [exit status 1]
    ");
    assert!(!site.at("copy.db").exists());
    std::fs::rename(site.at("good.db"), &path).unwrap();
    assert_eq!(site.run("h1", "store check").to_string(), WHOLE);
    assert!(site.run("h1", "target list").stdout.contains("rads://h2"));
}

#[test]
fn a_database_that_cannot_be_looked_at_is_named() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    let path = site.paths("h1").database();
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert_snapshot!(site.run("h1", "store check"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db has schema version 99, this sysadm knows up to 1
    hint: use the newer sysadm that wrote it
    [exit status 1]
    ");
    std::fs::write(&path, "dear grandmother, ".repeat(100)).unwrap();
    assert_snapshot!(site.run("h1", "store check"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db is not a database of sysadm
    hint: restore a backup: see 'sysadm store backup --help'
    hint: to start with an empty database, if no other host has a zone of this one: move the file away
    [exit status 1]
    ");
}

#[test]
fn a_backup_overwrites_nothing_and_says_where_it_cannot_be() {
    let site = Environment::new();
    let backup = |file: &str| site.run("h1", &format!("store backup {}", site.at(file).display()));
    assert_snapshot!(backup("copy.db"), @r"
    ------- stderr -------
    sysadm: there is no /SITE/h1/var/lib/sysadm/sysadm.db yet, so nothing to copy
    [exit status 1]
    ");
    site.done("h1", "maintain -s");
    assert_eq!(backup("copy.db").to_string(), "[done]");
    assert_snapshot!(backup("copy.db"), @r"
    ------- stderr -------
    sysadm: /SITE/copy.db already exists; a backup overwrites nothing
    [exit status 1]
    ");
    assert_snapshot!(backup("no/such/folder/copy.db"), @r"
    ------- stderr -------
    sysadm: failed to create or open /SITE/no/such/folder/copy.db: No such file or directory
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "store backup"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      <FILE>
    Usage: sysadm store backup <FILE>
    [exit status 2]
    ");
}

#[test]
fn a_backup_with_a_bare_name_lies_in_the_current_folder() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    let mut command = site.command("h1", "store backup copy.db");
    command.current_dir(site.at(""));
    assert_eq!(site.finish(command).to_string(), "[done]");
    assert!(site.at("copy.db").is_file());
}
