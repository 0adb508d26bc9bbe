//! A database that is damaged, truncated, missing, or removed during a run: what each command prints, and what can be
//! recovered.

use std::path::PathBuf;

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault, Operation};

use crate::environment::Environment;

/// Commands that need the database, for reading or writing.
const COMMANDS: &[&str] = &[
    "evacuate -l",
    "evacuate -lpo all",
    "evacuate -l --json",
    "evacuate -l --watch",
    "evacuate -a",
    "evacuate -ra",
    "evacuate -na",
    "evacuate --resume",
    "evacuate --forget evac1",
    "maintain -l",
    "maintain -s",
    "maintain -e",
    "target list",
    "target set --default rads://h3",
    "zone list -cv",
    "zone detach evac1",
    "zone standby --list",
    "host list",
    "host inventory",
    "store backup COPY",
    "agent --listen 127.0.0.1:0",
];

/// A host whose zones are away, without an agent.
fn away() -> (Environment, PathBuf) {
    let mut site = Environment::empty();
    site.stop_agent("h1");
    // So that nothing is left in the journal.
    site.done("h1", "target list");
    let path = site.paths("h1").database();
    (site, path)
}

/// Runs every command and checks its output.
#[track_caller]
fn each(site: &Environment, check: impl Fn(&str) -> bool) {
    for line in COMMANDS {
        let line = line.replace("COPY", &site.at("copy.db").display().to_string());
        let printed = site.run("h1", &line);
        assert_eq!(printed.status, Some(1), "{line}: {printed}");
        assert!(check(&printed.stderr), "{line}: {printed}");
    }
}

#[test]
fn a_database_that_is_cut_short_or_overwritten_is_damaged_for_every_command_and_is_kept() {
    let (site, path) = away();
    let whole = std::fs::read(&path).unwrap();
    let mut zeroed = whole.clone();
    zeroed[..4096].fill(0);
    for bytes in [&whole[..whole.len() - 4096], &whole[..5000], &whole[..0], &zeroed] {
        std::fs::write(&path, bytes).unwrap();
        each(&site, |stderr| {
            stderr.starts_with("sysadm: /SITE/h1/var/lib/sysadm/sysadm.db is damaged: ")
                && stderr.ends_with("hint: keep the file, and run 'sysadm store recover' to save what can be read of it, or restore a backup\n")
        });
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        let checked = site.run("h1", "store check");
        assert!(checked.status == Some(5) && checked.stdout.contains("is damaged: "), "{checked}");
    }
}

#[test]
fn whichever_page_is_zeroed_no_command_takes_the_database_for_a_strangers() {
    let (site, path) = away();
    let whole = std::fs::read(&path).unwrap();
    let list = site.run("h1", "evacuate -l").stdout;
    let mut damaged = 0;
    for page in 0..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        let printed = site.run("h1", "evacuate -l");
        let right = printed.status == Some(0) && printed.stdout == list;
        damaged += usize::from(!right);
        assert!(right || printed.stderr.contains("is damaged: "), "page {page}: {printed}");
        let checked = site.run("h1", "store check");
        assert!(matches!(checked.status, Some(0 | 5)), "page {page}: {checked}");
        assert!(right || checked.status == Some(5), "page {page}: {checked}");
    }
    assert!(damaged > 0);
}

#[test]
fn what_can_be_read_is_saved_and_the_damaged_file_is_kept() {
    let (site, path) = away();
    let whole = std::fs::read(&path).unwrap();
    // The first page: where everything is.
    let mut bytes = whole.clone();
    bytes[..4096].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    let list = |site: &Environment| site.run("h1", "evacuate -l").stdout;
    let recovered = site.run("h1", "store recover");
    assert!(recovered.status == Some(3), "{recovered}");
    assert!(recovered.stdout.contains("sysadm: zone: 6 row(s) recovered\n"), "{recovered}");
    assert!(
        recovered.stdout.ends_with("was kept as /SITE/h1/var/lib/sysadm/sysadm.db.damaged\n"),
        "{recovered}"
    );
    assert!(recovered.stderr.contains("lost: page 1 of the file cannot be read"), "{recovered}");
    assert_eq!(std::fs::read(path.with_extension("db.damaged")).unwrap(), bytes);
    assert_eq!(site.run("h1", "store check").status, Some(0));
    assert!(list(&site).contains("evac1            EVACUATED rads://h2"), "{}", list(&site));
    // Nothing to do.
    assert_snapshot!(site.run("h1", "store recover"), @r"
    sysadm: the database is not damaged; nothing was changed
    [done]
    ");
    site.done("h1", "maintain -e");
    site.done("h1", "evacuate -qra");
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn a_zone_whose_record_is_lost_is_named() {
    let (site, path) = away();
    let bytes = std::fs::read(&path).unwrap();
    // Each page with a configuration.
    let mut damaged = bytes.clone();
    for (page, old) in damaged.chunks_mut(4096).zip(bytes.chunks(4096)) {
        if old.windows(10).any(|window| window == b"dirty_rate") {
            page.fill(0);
        }
    }
    assert_ne!(damaged, bytes);
    std::fs::write(&path, &damaged).unwrap();
    let recovered = site.run("h1", "store recover");
    assert_eq!(recovered.status, Some(3), "{recovered}");
    for zone in ["evac1", "evac2", "evac3", "evac4", "tzone1"] {
        assert!(recovered.stderr.contains(&format!("lost: zone: {zone}")), "{recovered}");
    }
    assert!(recovered.stderr.contains("evac1 may be away: its last move was to rads://h2"), "{recovered}");
}

#[test]
fn nothing_is_recovered_while_an_agent_or_a_run_uses_the_database_or_where_there_is_none() {
    let site = Environment::empty();
    let path = site.paths("h1").database();
    let spoil = || {
        let mut bytes = std::fs::read(&path).unwrap();
        let end = bytes.len() - 4096;
        bytes[end..].fill(0xa5);
        std::fs::write(&path, &bytes).unwrap();
        bytes
    };
    site.done("h1", "target list");
    let bytes = spoil();
    let printed = site.run("h1", "store recover");
    assert_eq!(printed.status, Some(1), "{printed}");
    assert!(
        printed.stderr.contains("sysadm.db is in use by another process\nhint: stop that process first (an agent, for instance): fuser "),
        "{printed}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    let run = sysadm::testing::run_lock::RunLock::take(
        &site.paths("h1"),
        sysadm::testing::store::Direction::Evacuate,
    )
    .unwrap();
    let printed = site.run("h1", "store recover");
    assert!(
        printed.status == Some(4) && printed.stderr.contains("is in progress (evacuate, pid "),
        "{printed}"
    );
    drop(run);
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "store recover"), @r"
    ------- stderr -------
    sysadm: there is no /SITE/h1/var/lib/sysadm/sysadm.db, so nothing to recover
    [exit status 1]
    ");
    let path = site.paths("h1").database();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "dear grandmother, ".repeat(1000)).unwrap();
    assert_snapshot!(site.run("h1", "store recover"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/var/lib/sysadm/sysadm.db is not a database of sysadm
    hint: restore a backup: see 'sysadm store backup --help'
    hint: to start with an empty database, if no other host has a zone of this one: move the file away
    [exit status 1]
    ");
}

#[test]
fn a_database_that_was_taken_away_during_maintenance_is_missed_by_every_command() {
    let (site, path) = away();
    std::fs::rename(&path, site.at("elsewhere.db")).unwrap();
    let said = "sysadm: /SITE/h1/var/lib/sysadm/sysadm.db is missing, though \
                /SITE/h1/var/lib/sysadm/maintenance says that maintenance is held\n\
                hint: put the file back, or restore a backup: see 'sysadm store backup --help'\n\
                hint: to start with an empty database, if no other host has a zone of this one: \
                rm /SITE/h1/var/lib/sysadm/maintenance\n";
    each(&site, |stderr| stderr == said);
    for line in ["store check", "store check --json"] {
        let printed = site.run("h1", line);
        assert_eq!((printed.status, printed.stderr.as_str()), (Some(1), said), "{line}");
    }
    assert!(!path.exists(), "no command has made an empty one");
    std::fs::rename(site.at("elsewhere.db"), &path).unwrap();
    site.done("h1", "maintain -e");
    site.done("h1", "evacuate -qra");
    // After maintenance the journal shows that there was a database.
    std::fs::rename(&path, site.at("elsewhere.db")).unwrap();
    std::fs::write(path.with_extension("db-wal"), "").unwrap();
    let printed = site.run("h1", "evacuate -l");
    assert_eq!(printed.status, Some(1));
    assert!(
        printed.stderr.contains("its journal /SITE/h1/var/lib/sysadm/sysadm.db-wal is there"),
        "{printed}"
    );
}

#[test]
fn a_run_whose_database_is_gone_does_not_end_well() {
    for removed in [true, false] {
        let mut site = Environment::locked();
        site.stop_agent("h1");
        site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
        let run = site.start("h1", "evacuate evac1 evac2");
        site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
        let path = site.paths("h1").database();
        match removed {
            true => std::fs::remove_file(&path).unwrap(),
            false => std::fs::rename(&path, site.at("elsewhere.db")).unwrap(),
        }
        let listed = site.run("h1", "evacuate -l");
        assert_eq!(listed.status, Some(1), "{listed}");
        assert!(listed.stderr.contains("sysadm.db is missing, though process "), "{listed}");
        site.set_faults("h1", &[]);
        let ended = site.end(run);
        assert!(!matches!(ended.status, Some(0) | None), "{ended}");
        assert!(ended.stderr.contains("sysadm.db is no longer the file that this process opened"), "{ended}");
        let after = site.run("h1", "evacuate -l");
        assert!(after.status == Some(1) && after.stderr.contains("is missing, though"), "{after}");
        if !removed {
            std::fs::rename(site.at("elsewhere.db"), &path).unwrap();
            site.run("h1", "evacuate --resume");
            site.done("h1", "evacuate -qa");
            assert_eq!(site.location("evac1"), "h2 running");
        }
    }
}

#[test]
fn rows_that_the_rules_forbid_are_damage() {
    let (site, path) = away();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = "PRAGMA ignore_check_constraints=1; UPDATE zone SET relocating_to = 'ssh://root@h9'";
    connection.execute_batch(sql).unwrap();
    drop(connection);
    assert_snapshot!(site.run("h1", "store check"), @r"
    sysadm: the database is damaged: CHECK constraint failed in zone
    ------- stderr -------
    hint: keep the file, and run 'sysadm store recover' to save what can be read of it, or restore a backup
    [exit status 5]
    ");
}

#[test]
fn nobody_writes_two_places_of_a_zone() {
    let (site, path) = away();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let refused = |sql: &str| connection.execute_batch(sql).unwrap_err().to_string();
    let told =
        refused("UPDATE zone SET place = 'stopped', position = 1, location = NULL WHERE name = 'evac1'");
    assert_eq!(told, "a zone cannot go from that place to this one");
    let told = refused("DELETE FROM zone WHERE name = 'evac1'");
    assert_eq!(told, "the record of a zone that is elsewhere or stopped cannot be deleted");
    drop(connection);
    assert_eq!(site.run("h1", "store check").status, Some(0));
}

#[test]
fn a_column_that_no_sysadm_has_named_so_is_damage() {
    let (site, path) = away();
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch("ALTER TABLE zone RENAME COLUMN down TO dawn").unwrap();
    drop(database);
    assert_snapshot!(site.run("h1", "store check"), @r"
    sysadm: the database is damaged: no such column: down
    ------- stderr -------
    hint: keep the file, and run 'sysadm store recover' to save what can be read of it, or restore a backup
    [exit status 5]
    ");
    let listed = site.run("h1", "evacuate -l");
    assert!(listed.status == Some(1) && listed.stderr.contains("is damaged: "), "{listed}");
}
