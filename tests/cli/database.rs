//! A state folder that cannot be used: one line that names it, and nothing is changed.

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::environment::Environment;

fn database(site: &Environment) -> std::path::PathBuf {
    let path = site.paths("h1").database();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let site = Environment::new();
    std::fs::write(database(&site), "something else entirely, and long enough to be looked at").unwrap();
    assert_snapshot!(site.run("h1", "maintain -s"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db is not a database of sysadm
    hint: restore a backup: see 'sysadm store backup --help'
    hint: to start with an empty database, if no other host has a zone of this one: move the file away
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db is not a database of sysadm
    hint: restore a backup: see 'sysadm store backup --help'
    hint: to start with an empty database, if no other host has a zone of this one: move the file away
    [exit status 1]
    ");
    assert!(std::fs::read_to_string(database(&site)).unwrap().starts_with("something else"));
    assert!(!site.paths("h1").lock_marker().exists());
}

/// Each message says what to do next, as far as an empty database.
#[test]
fn whoever_follows_the_hints_about_a_file_that_is_no_database_starts_over() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    let path = database(&site);
    for end in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(path.with_extension(end));
    }
    std::fs::write(&path, "something else entirely, and long enough to be looked at").unwrap();
    let refused = site.run("h1", "maintain -l");
    assert!(
        refused.stderr.contains(
            "\nhint: to start with an empty database, if no other host has a zone of this one: move"
        ),
        "{refused}"
    );
    std::fs::rename(&path, site.at("moved-away")).unwrap();
    for command in ["maintain -l", "store recover", "evacuate -l"] {
        let refused = site.run("h1", command);
        let marker = site.paths("h1").lock_marker();
        let hint =
            "\nhint: to start with an empty database, if no other host has a zone of this one: rm /SITE";
        assert!(refused.stderr.contains(hint), "{refused}");
        assert!(marker.exists());
    }
    std::fs::remove_file(site.paths("h1").lock_marker()).unwrap();
    site.done("h1", "maintain -s");
    site.done("h1", "store check");
}

#[test]
fn one_of_a_newer_version_is_left_alone() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    Connection::open(database(&site)).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert_snapshot!(site.run("h1", "maintain -e"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db has schema version 99, this sysadm knows up to 1
    hint: use the newer sysadm that wrote it
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db has schema version 99, this sysadm knows up to 1
    hint: use the newer sysadm that wrote it
    [exit status 1]
    ");
    assert!(site.paths("h1").lock_marker().exists());
}

#[test]
fn one_that_somebody_keeps_locked_is_named_after_a_while() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    let connection = Connection::open(database(&site)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_snapshot!(site.run("h1", "maintain -e"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db has been locked by another process for more than 5 s
    hint: find out which process has it open: fuser /SITE/h1/var/lib/sysadm/sysadm.db
    [exit status 1]
    ");
    // Reading needs no lock.
    assert_eq!(site.run("h1", "maintain -l").status, Some(0));
    drop(connection);
    site.done("h1", "maintain -e");
}

#[test]
fn a_folder_in_its_place_is_named() {
    let site = Environment::new();
    std::fs::create_dir_all(database(&site)).unwrap();
    assert_snapshot!(site.run("h1", "maintain -s"), @r"
    ------- stderr -------
    sysadm: failed to create or open /SITE/h1/var/lib/sysadm/sysadm.db: it is not a file
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "maintain -l"), @r"
    ------- stderr -------
    sysadm: failed to create or open /SITE/h1/var/lib/sysadm/sysadm.db: it is not a file
    [exit status 1]
    ");
}

#[test]
fn where_nothing_can_be_written_that_is_said() {
    // No user can create a folder in /sys, not even root.
    let site = Environment::new();
    let command = site.command_below("/sys".as_ref(), "maintain -s");
    assert_snapshot!(site.finish(command), @r"
    ------- stderr -------
    sysadm: failed to create or open /sys/var/lib/sysadm/sysadm.db: Operation not permitted
    hint: run sysadm as root
    [exit status 1]
    ");
    let command = site.command_below("/sys".as_ref(), "maintain -l");
    assert_snapshot!(site.finish(command), @r"
    sysadm: not in maintenance
    [done]
    ");
}

#[test]
fn one_that_may_not_be_written_is_named() {
    let site = Environment::new();
    site.done("h1", "maintain -s");
    let path = database(&site);
    // SQLite itself refuses to write a database with an unknown format version in its header.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[18] = 9;
    std::fs::write(&path, bytes).unwrap();
    let _ = std::fs::remove_file(path.with_extension("db-wal"));
    let _ = std::fs::remove_file(path.with_extension("db-shm"));
    assert_snapshot!(site.run("h1", "maintain -e"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db is read-only
    hint: run sysadm as root, on a file system that is writable
    [exit status 1]
    ");
    assert!(site.paths("h1").lock_marker().exists());
}
