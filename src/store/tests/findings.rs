//! The findings of `sysadm store check`, as a table of cases.

use super::sample::{QUIET, entry, holder, manifest, name, record, reservation, run, uri};
use crate::model::{Manifest, Step};
use crate::store::{
    CheckContext, Contents, Direction, Entry, FindingKind, Mark, Move, MoveState, Needs, Place, StoreError,
    ZoneRecord, check,
};

const RUNNING: CheckContext = CheckContext { running: true, ..QUIET };
const LOCKED: CheckContext = CheckContext { marker: Some(true), ..QUIET };
const CHANGING: CheckContext = CheckContext { marker: None, ..QUIET };

#[test]
fn what_the_tables_forbid_is_damage_also_if_sqlite_was_told_to_let_it_pass() {
    let cases = [
        (
            "UPDATE zone SET relocating_to = 'ssh://root@h9' WHERE name = 'gone'",
            "CHECK constraint failed in zone",
        ),
        ("UPDATE zone SET location = NULL WHERE name = 'gone'", "CHECK constraint failed in zone"),
        ("UPDATE zone SET manifest = NULL WHERE name = 'ready'", "CHECK constraint failed in zone"),
        ("UPDATE maintenance SET begins_ms = 2", "CHECK constraint failed in maintenance"),
        ("UPDATE run SET direction = 'up' WHERE id = 1", "CHECK constraint failed in run"),
        ("UPDATE replica SET taken_by = NULL", "CHECK constraint failed in replica"),
        (
            "DROP TRIGGER zone_transition; UPDATE zone SET place = 'lost' WHERE name = 'gone'",
            "CHECK constraint failed in zone",
        ),
        ("UPDATE journal SET mark = 'maybe'", "CHECK constraint failed in journal"),
        ("DELETE FROM run", "belongs to no row of table run"),
        (
            "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'owners        TEXT NOT NULL', \
             'owners        TEXT') WHERE name = 'zone'; PRAGMA writable_schema=RESET; UPDATE zone SET owners = NULL; \
             PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'owners        TEXT', \
             'owners        TEXT NOT NULL') WHERE name = 'zone'",
            "NULL value in zone.owners",
        ),
        (
            "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema \
             WHERE name = 'target') WHERE name = 'replica'",
            "2nd reference to page",
        ),
    ];
    for (sql, words) in cases {
        let (folder, store) = super::fresh();
        super::sample::write(&store);
        let path = folder.path().join("sysadm.db");
        drop(store);
        let connection = rusqlite::Connection::open(&path).unwrap();
        let free = "PRAGMA ignore_check_constraints=1; PRAGMA foreign_keys=OFF;";
        connection.execute_batch(&format!("{free} {sql}")).unwrap();
        drop(connection);
        let store = crate::store::Store::open_read_only(&path).unwrap().unwrap();
        let findings = store.check(|| QUIET).unwrap();
        assert_eq!(findings[0].kind, FindingKind::Damaged, "{sql}: {findings:?}");
        assert!(findings.iter().any(|finding| finding.text.contains(words)), "{sql}: {findings:?}");
    }
}

#[test]
fn a_record_holds_the_configuration_of_its_zone() {
    let row = record("web", 7, Place::Away);
    let contents = Contents { zones: vec![(row, Some(manifest("other")))], ..Contents::default() };
    assert_eq!(found(&contents, &QUIET), ["contradiction web"]);
    let text = &check(&contents, &QUIET)[0].text;
    assert!(text.starts_with("its record holds the configuration of 'other'"), "{text}");
}

/// The record of 'web' in that place.
fn recorded(place: Place) -> (ZoneRecord, Option<Manifest>) {
    (record("web", 7, place), Some(manifest("web")))
}

fn found(contents: &Contents, around: &CheckContext) -> Vec<String> {
    let zone =
        |zone: Option<_>| zone.map(|zone: crate::model::ZoneName| zone.to_string()).unwrap_or_default();
    check(contents, around)
        .into_iter()
        .map(|finding| format!("{} {}", finding.kind, zone(finding.zone)))
        .collect()
}

fn moved(run: i64, state: MoveState) -> (i64, Move) {
    (run, Move { state, dest: Some(uri("ssh://h2")), ..Move::new(name("web")) })
}

/// A run with one zone, which is over or not.
fn one(ended: Option<i64>, state: MoveState, last: Option<(Step, Mark)>, place: Option<Place>) -> Contents {
    let last = last.map(|(step, mark)| (1, entry("web", step, mark)));
    let before: (i64, Entry) = (1, entry("web", Step::Transfer, Mark::Intent));
    Contents {
        runs: vec![run(1, Direction::Evacuate, ended)],
        moves: vec![moved(1, state)],
        journal: last.into_iter().flat_map(|last| [before.clone(), last]).collect(),
        zones: place.map(recorded).into_iter().collect(),
        ..Contents::default()
    }
}

#[test]
fn a_zone_whose_stop_was_interrupted_waits_for_somebody() {
    let with = |place| Contents {
        zones: vec![(record("web", 8, place), None)],
        ..one(None, MoveState::Migrating, Some((Step::Shutdown, Mark::Intent)), None)
    };
    assert_eq!(found(&with(Place::Stopping), &QUIET), ["interrupted web"]);
    assert_eq!(found(&with(Place::Stopping), &RUNNING), [] as [&str; 0]);
    assert_eq!(found(&with(Place::Stopped), &QUIET), ["unfinished web"]);
}

#[test]
fn what_runs_have_left_is_found() {
    use MoveState::{Evacuated, Failed, Migrating, Preparing, Ready, Returned, Skipped, Unknown};
    use Place::{Away, Leaving, Relocating, Returning};
    let intent = Some((Step::Switch, Mark::Intent));
    let done = Some((Step::Settle, Mark::Done));
    let nothing: &[&str] = &[];
    let (open, left, lost) = (&["interrupted web"][..], &["unfinished web"][..], &["dangling web"][..]);
    let cases = [
        // How the run ended, the zone's state in it, the last entry of its journal, the record of the zone; the finding.
        (Some(9), Evacuated, done, Some(Away), nothing),
        (Some(9), Returned, done, None, nothing),
        (Some(9), MoveState::Stopped, done, None, nothing),
        (Some(9), Failed, intent, None, nothing),
        (Some(9), Skipped, None, None, nothing),
        (Some(9), Unknown, intent, Some(Leaving), open),
        (Some(9), Unknown, intent, Some(Away), nothing),
        (Some(9), Evacuated, intent, Some(Away), lost),
        (Some(9), Evacuated, intent, None, lost),
        (Some(9), Returned, intent, None, lost),
        (Some(9), Migrating, intent, None, left),
        (Some(9), Ready, None, None, left),
        (None, Preparing, None, None, left),
        (None, Migrating, intent, None, left),
        (None, Migrating, intent, Some(Away), left),
        (None, Migrating, done, Some(Away), left),
        (None, Migrating, intent, Some(Leaving), open),
        (None, Migrating, intent, Some(Returning), open),
        (None, Ready, intent, Some(Relocating), open),
        (None, Evacuated, done, Some(Leaving), open),
    ];
    for (ended, state, last, place, expected) in cases {
        let contents = one(ended, state, last, place);
        assert_eq!(found(&contents, &QUIET), expected, "{ended:?} {state} {last:?} {place:?}");
    }
}

#[test]
fn a_run_that_lives_is_not_judged() {
    for place in [None, Some(Place::Leaving)] {
        let contents = one(None, MoveState::Migrating, Some((Step::Switch, Mark::Intent)), place);
        assert_eq!(found(&contents, &RUNNING), [] as [&str; 0]);
        assert_ne!(found(&contents, &QUIET), [] as [&str; 0]);
    }
    // An earlier run that died is not in progress because another one is.
    let mut contents = one(None, MoveState::Migrating, None, None);
    contents.runs.push(run(2, Direction::Evacuate, None));
    assert_eq!(found(&contents, &RUNNING), ["unfinished web"]);
}

#[test]
fn a_later_run_of_the_zone_has_the_last_word() {
    let mut contents = one(None, MoveState::Migrating, Some((Step::Switch, Mark::Intent)), None);
    contents.runs.push(run(2, Direction::Evacuate, Some(9)));
    contents.moves.push(moved(2, MoveState::Evacuated));
    contents.journal.push((2, entry("web", Step::Settle, Mark::Done)));
    assert_eq!(found(&contents, &QUIET), [] as [&str; 0]);
    contents.journal.push((2, entry("web", Step::Settle, Mark::Intent)));
    assert_eq!(found(&contents, &QUIET), ["dangling web"]);
}

#[test]
fn a_step_of_a_zone_that_no_run_lists_is_found() {
    let contents = Contents {
        moves: Vec::new(),
        ..one(Some(9), MoveState::Ready, Some((Step::Detach, Mark::Intent)), None)
    };
    let findings = check(&contents, &QUIET);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].text.contains("step detach of run 1"), "{}", findings[0].text);
}

#[test]
fn the_marker_and_the_table_must_agree() {
    let held = Contents { holders: vec![holder("admin", 1, None)], ..Contents::default() };
    let free = Contents::default();
    let nothing: &[&str] = &[];
    for (contents, around, expected) in [
        (&held, LOCKED, nothing),
        (&held, CHANGING, nothing),
        (&held, QUIET, &["marker "]),
        (&free, QUIET, nothing),
        (&free, CHANGING, nothing),
        (&free, LOCKED, &["marker "]),
    ] {
        assert_eq!(found(contents, &around), expected, "{contents:?} {around:?}");
    }
}

#[test]
fn only_reservations_that_have_expired_are_found() {
    let contents = Contents {
        reservations: vec![reservation("a", 99), reservation("b", 100), reservation("c", 101)],
        ..Contents::default()
    };
    assert_eq!(found(&contents, &QUIET), ["expired a", "expired b"]);
}

#[test]
fn what_settles_itself_needs_nobody() {
    let needs: Vec<_> = FindingKind::ALL.iter().map(|kind| kind.needs()).collect();
    use Needs::{Backup, Nobody, Operator};
    assert_eq!(needs, [Backup, Backup, Operator, Operator, Operator, Nobody, Nobody]);
}

#[test]
fn damage_is_all_that_is_said_of_a_damaged_database() {
    let check = |sql: &str| {
        let (_folder, store) = super::fresh();
        super::sample::write(&store);
        store.lock().execute_batch(sql).unwrap();
        store
            .check(|| QUIET)
            .map(|findings| findings.into_iter().map(|finding| (finding.kind, finding.text)).collect())
    };
    let damaged = |sql: &str, words: &str| {
        let findings: Vec<_> = check(sql).unwrap();
        assert_eq!(findings[0].0, FindingKind::Damaged);
        assert!(findings.iter().all(|(kind, _)| *kind == FindingKind::Damaged), "{findings:?}");
        assert!(findings[0].1.contains(words), "{findings:?}");
    };
    damaged("PRAGMA foreign_keys=OFF; DELETE FROM run WHERE id = 2", "belongs to no row of table run");
    damaged(
        "UPDATE move SET state = 'LOST' WHERE zone = 'web'",
        "column state: \"LOST\" is not a state of a move",
    );
    damaged("UPDATE zone SET manifest = '{' WHERE name = 'web'", "EOF while parsing");
    damaged(
        "PRAGMA writable_schema=ON; DELETE FROM sqlite_schema WHERE name = 'journal_by_zone'; PRAGMA writable_schema=RESET",
        "never used",
    );
    assert!(
        matches!(check("DROP TABLE target"), Ok::<Vec<_>, StoreError>(found) if found[0].0 == FindingKind::Damaged)
    );
}
