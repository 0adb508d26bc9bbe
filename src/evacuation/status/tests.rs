//! What is listed of zones.

use super::*;
use crate::model::Millis;
use crate::model::ZoneState;
use crate::store::{Figures, tests::sample};

fn run(direction: Direction, ended: bool) -> Run {
    Run {
        id: 1,
        direction,
        user: "root".into(),
        pid: 1,
        started: Millis(1),
        ended: ended.then_some(Millis(2)),
        outcome: None,
        expected: None,
    }
}

fn a_move(zone: &str, state: MoveState) -> Move {
    Move { state, error: Some("why".into()), ..Move::new(zone.parse().unwrap()) }
}

#[test]
fn zones_that_rest_are_listed_as_they_rest_and_without_a_destination() {
    let stopped = [
        sample::record("a", 1, Place::Stopped),
        sample::record("b", 2, Place::Suspended),
        sample::record("c", 3, Place::Stopping),
    ];
    let listed = |direction, state| {
        let moves = ["a", "b", "c"].map(|zone| a_move(zone, state)).to_vec();
        rows("h1", &stopped, &[], Some(&(run(direction, state.is_final()), moves)), false)
    };
    for state in [MoveState::Stopped, MoveState::Migrating] {
        let status = listed(Direction::Evacuate, state);
        assert_eq!(states(&status), ["a STOPPED", "b SUSPENDED", "c UNKNOWN"]);
        assert!(status.rows.iter().all(|row| row.dest.is_none()));
        assert!(status.rows[2].error.as_ref().unwrap().hints == [RESUME]);
    }
    // The reason why a zone could not be booted again is what people need to see.
    assert_eq!(states(&listed(Direction::Return, MoveState::Failed))[0], "a FAILED");
}

fn states(status: &Status) -> Vec<String> {
    status.rows.iter().map(|row| format!("{} {}", row.zone, row.state)).collect()
}

#[test]
fn after_a_partial_evacuation_moved_and_failed_zones_are_listed() {
    let latest = (
        run(Direction::Evacuate, true),
        vec![
            a_move("a", MoveState::Evacuated),
            a_move("b", MoveState::Failed),
            a_move("c", MoveState::Skipped),
        ],
    );
    let status = rows("h1", &[sample::evacuated("a")], &[], Some(&latest), false);
    assert_eq!(states(&status), ["a EVACUATED", "b FAILED", "c SKIPPED"]);
    assert_eq!(status.running, None);
}

#[test]
fn after_a_whole_return_nothing_is_listed() {
    let latest = (run(Direction::Return, true), vec![a_move("a", MoveState::Returned)]);
    assert_eq!(rows("h1", &[], &[], Some(&latest), false).rows, []);
}

#[test]
fn zones_of_earlier_runs_that_are_away_stay_listed() {
    let latest = (run(Direction::Evacuate, true), vec![a_move("b", MoveState::Failed)]);
    let status = rows("h1", &[sample::evacuated("a")], &[], Some(&latest), false);
    assert_eq!(states(&status), ["a EVACUATED", "b FAILED"]);
}

#[test]
fn a_run_that_died_never_says_that_it_is_in_progress() {
    let moves = vec![a_move("a", MoveState::Migrating), a_move("b", MoveState::Ready)];
    let latest = (run(Direction::Evacuate, false), moves);
    let leaving = sample::record("a", 7, Place::Leaving);
    let status = rows("h1", std::slice::from_ref(&leaving), &[], Some(&latest), false);
    assert_eq!(states(&status), ["a UNKNOWN", "b SKIPPED"]);
    let settled = rows("h1", &[], &[], Some(&latest), false);
    assert_eq!(states(&settled), ["a FAILED", "b SKIPPED"]);
    let arrived = rows("h1", &[sample::evacuated("a")], &[], Some(&latest), false);
    assert_eq!(states(&arrived), ["a EVACUATED", "b SKIPPED"]);
    let status = rows("h1", &[leaving], &[], Some(&latest), true);
    assert_eq!(states(&status), ["a MIGRATING", "b READY"]);
    assert_eq!(status.running, Some(Direction::Evacuate));
}

#[test]
fn that_a_migration_was_interrupted_says_more_than_what_an_evacuation_before_it_has_left() {
    let latest =
        (run(Direction::Evacuate, true), ["a", "b"].map(|zone| a_move(zone, MoveState::Failed)).to_vec());
    let leaving = sample::record("a", 7, Place::Migrating);
    let status = rows("h1", &[leaving], &[], Some(&latest), false);
    assert_eq!(states(&status), ["a UNKNOWN", "b FAILED"]);
}

#[test]
fn a_guest_that_leaves_in_a_run_is_listed_as_that_run_says() {
    let leaving = sample::record("a", 7, Place::Migrating);
    let moving = Move {
        figures: Figures { started: Some(leaving.since), ..Figures::NONE },
        ..a_move("a", MoveState::Migrating)
    };
    let latest = (run(Direction::Evacuate, false), vec![moving]);
    let listed = |running| states(&rows("h1", std::slice::from_ref(&leaving), &[], Some(&latest), running));
    assert_eq!(listed(true), ["a MIGRATING"]);
    assert_eq!(listed(false), ["a UNKNOWN"]);
}

#[test]
fn of_an_interrupted_move_is_said_what_is_known_and_what_settles_it() {
    for &step in Step::ALL {
        for (place, from, to) in
            [(Place::Leaving, "h1", "h2"), (Place::Returning, "h2", "h1"), (Place::Relocating, "h2", "h3")]
        {
            let text = interrupted(Some(step), sample::record("a", 7, place).ends("h1"));
            assert_eq!(text.hints, [RESUME]);
            let text = text.text;
            assert!(text.contains(from) || text.contains(&format!("arrived on {to}")), "{text}");
            let may_be_anywhere = !matches!(step, Step::Reserve | Step::Prepare | Step::Settle);
            assert_eq!(text.contains("which of them has it is unknown"), may_be_anywhere, "{text}");
        }
    }
}

#[test]
fn what_an_interrupted_run_left_is_shown_as_it_was_settled() {
    let listed = |direction, state, away: &[ZoneRecord]| {
        let latest = (run(direction, state == MoveState::Unknown), vec![a_move("a", state)]);
        states(&rows("h1", away, &[], Some(&latest), false))
    };
    let (there, open) = ([sample::evacuated("a")], [sample::record("a", 7, Place::Returning)]);
    for state in [MoveState::Migrating, MoveState::Unknown] {
        for direction in [Direction::Evacuate, Direction::Return] {
            assert_eq!(listed(direction, state, &open), ["a UNKNOWN"]);
        }
        assert_eq!(listed(Direction::Evacuate, state, &there), ["a EVACUATED"]);
        assert_eq!(listed(Direction::Return, state, &[]), [] as [String; 0]);
    }
    assert_eq!(listed(Direction::Evacuate, MoveState::Migrating, &[]), ["a FAILED"]);
    // As after a return that failed in another way.
    assert_eq!(listed(Direction::Return, MoveState::Migrating, &there), ["a FAILED"]);
}

fn told(place: Place, change: impl FnOnce(&mut ZoneRecord), state: ZoneState) -> Option<Message> {
    let mut away = sample::record("a", 7, place);
    let mut zone = sample::zone("a");
    (zone.uuid, zone.state) = (away.uuid, state);
    away.down = None;
    change(&mut away);
    let away = [away];
    let mut status = rows("h1", &away, &[], None, false);
    status.tell_what_is_here(&away, &Inventory { zones: vec![zone], unmanaged: Vec::new() });
    status.rows[0].error.clone()
}

#[test]
fn a_zone_that_counts_as_away_and_is_here_is_told() {
    let of = |state| told(Place::Away, |_| {}, state);
    assert_eq!(of(ZoneState::Running), Some(Message::from("it is running here, too").with_hint(RESUME)));
    assert_eq!(of(ZoneState::Installed), Some(Message::from("it is here, too").with_hint(RESUME)));
}

#[test]
fn what_is_told_already_stays_and_another_zone_of_the_name_is_none() {
    let down = told(Place::Away, |away| away.down = Some("it is down".into()), ZoneState::Running);
    assert_eq!(down.unwrap().text, "it is down");
    let other = told(Place::Away, |away| away.uuid = uuid::Uuid::from_u128(99), ZoneState::Running);
    assert_eq!(other, None);
    let half = told(Place::Leaving, |_| {}, ZoneState::Running).unwrap();
    assert!(half.text.starts_with("interrupted"), "{half}");
}
