//! What `evacuate -l` shows: the zones that are away, and what the latest run did with the others. Pure.

use std::collections::BTreeMap;

use super::rest::state_of;
use crate::migration::steps::{self, Interrupted};
use crate::model::{HostUri, Inventory, Message, Method, Millis, RESUME, Step, ZoneName};
use crate::store::{
    Away, AwayPhase, Direction, Expectation, Expected, Move, MoveState, Rest, RestPhase, Run,
};

/// One zone's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub zone: ZoneName,
    pub state: MoveState,
    /// Where it is, goes, or was last tried.
    pub dest: Option<HostUri>,
    /// Why it was skipped or failed.
    pub error: Option<Message>,
    /// The host to which it belongs.
    pub origin: String,
    pub kind: Option<Method>,
    /// The current step, while it moves.
    pub step: Option<Step>,
    /// Bytes sent, and to send in all.
    pub bytes: (u64, u64),
    /// When its move began.
    pub started: Option<Millis>,
    /// When its move ended.
    pub ended: Option<Millis>,
    /// In milliseconds.
    pub downtime: Option<u64>,
    /// The estimate of its move.
    pub expected: Option<Expectation>,
}

/// All lines, and the run in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// By zone name.
    pub rows: Vec<Row>,
    /// The direction of the run in progress.
    pub running: Option<Direction>,
    /// When that run is expected to end.
    pub expected: Option<Expected>,
}

/// Joins the away list and the latest run. `running` says whether that run is in progress.
pub fn rows(
    host: &str,
    away: &[Away],
    rests: &[Rest],
    latest: Option<&(Run, Vec<Move>)>,
    running: bool,
) -> Status {
    let mut rows = BTreeMap::new();
    for away in away {
        rows.insert(away.zone.clone(), of_away(away, host));
    }
    for rest in rests {
        rows.insert(rest.zone.clone(), of_rest(rest, host));
    }
    // A stopped zone and one that is away are alike here: its record says more than a run that is over.
    let resting = rests.iter().map(|rest| (&rest.zone, phase_of(rest)));
    let phases: BTreeMap<_, _> = away.iter().map(|away| (&away.zone, away.phase)).chain(resting).collect();
    let records: BTreeMap<_, _> = away.iter().map(|away| (&away.zone, away)).collect();
    let ends_here: BTreeMap<_, _> = rests.iter().map(|rest| (&rest.zone, rest)).collect();
    let (mut direction, mut expected) = (None, None);
    if let Some((run, moves)) = latest {
        let runs = running && run.ended.is_none();
        direction = runs.then_some(run.direction);
        expected = run.expected.filter(|_| runs);
        for a_move in moves {
            // It was on its way since, for good, and is not known to have arrived or stayed.
            let of_another = |away: &&Away| away.one_way && a_move.started != Some(away.started);
            if records.get(&a_move.zone).is_some_and(of_another) {
                continue;
            }
            let phase = phases.get(&a_move.zone).copied();
            let shown =
                if runs { a_move.state != MoveState::Returned } else { says_more(a_move, run, phase) };
            if shown {
                let row = of_move(a_move, host);
                let unfinished = !runs && !a_move.state.is_final();
                if let (Some(rest), true) = (ends_here.get(&a_move.zone), unfinished) {
                    rows.insert(a_move.zone.clone(), of_rest(rest, host));
                    continue;
                }
                rows.insert(
                    a_move.zone.clone(),
                    if unfinished { interrupt(row, records.get(&a_move.zone).copied(), host) } else { row },
                );
            }
        }
    }
    Status { rows: rows.into_values().collect(), running: direction, expected }
}

/// Whether a move of a run that is over says more than the away list does.
fn says_more(a_move: &Move, run: &Run, phase: Option<AwayPhase>) -> bool {
    let is_away = phase.is_some();
    match a_move.state {
        MoveState::Evacuated | MoveState::Returned | MoveState::Stopped | MoveState::Suspended => false,
        // Settled meanwhile, if it is not unfinished.
        MoveState::Unknown => phase.is_some_and(|phase| phase != AwayPhase::Away),
        // A zone that is away and could not return is still evacuated, but people need to see the reason.
        MoveState::Failed | MoveState::Skipped => run.direction == Direction::Evacuate || is_away,
        MoveState::Preparing | MoveState::Ready => run.direction == Direction::Evacuate,
        // Settled meanwhile: one that has arrived after all has not failed.
        MoveState::Migrating => match phase {
            Some(AwayPhase::Away) => run.direction == Direction::Return,
            Some(AwayPhase::Leaving | AwayPhase::Returning | AwayPhase::Aside) => true,
            None => run.direction == Direction::Evacuate,
        },
    }
}

const fn phase_of(rest: &Rest) -> AwayPhase {
    match rest.phase {
        RestPhase::Resting => AwayPhase::Away,
        RestPhase::Stopping => AwayPhase::Leaving,
    }
}

/// A zone that was stopped here is where it belongs: it has no destination.
fn of_rest(rest: &Rest, host: &str) -> Row {
    let (state, error) = match rest.phase {
        RestPhase::Resting => (state_of(rest.way), None),
        RestPhase::Stopping => {
            let text = Message::from("interrupted while it was being stopped");
            (MoveState::Unknown, Some(text.with_hint(RESUME)))
        }
    };
    Row {
        zone: rest.zone.clone(),
        state,
        dest: None,
        error,
        origin: host.to_owned(),
        kind: None,
        step: None,
        bytes: (0, 0),
        started: Some(rest.started),
        ended: rest.ended,
        downtime: None,
        expected: None,
    }
}

fn of_away(away: &Away, host: &str) -> Row {
    Row {
        zone: away.zone.clone(),
        state: match away.phase {
            AwayPhase::Away => MoveState::Evacuated,
            AwayPhase::Leaving | AwayPhase::Returning | AwayPhase::Aside => MoveState::Unknown,
        },
        dest: Some(away.location.clone()),
        error: match away.phase {
            AwayPhase::Away => away.down.clone().map(|down| {
                Message::from(down).with_hint(format!(
                    "boot {} on {}",
                    away.zone,
                    away.location.host.as_str()
                ))
            }),
            AwayPhase::Leaving | AwayPhase::Returning | AwayPhase::Aside => {
                Some(interrupted(None, away.ends(host)))
            }
        },
        origin: away.home.as_ref().map_or(host, |home| &home.name).to_owned(),
        kind: Some(away.kind),
        step: None,
        bytes: (away.bytes, away.bytes),
        started: Some(away.started),
        ended: away.ended,
        downtime: away.downtime,
        expected: away.expected,
    }
}

/// What is known of an interrupted move, what is not, and which command settles it. `step` is the last one that
/// is known to have begun.
fn interrupted(step: Option<Step>, [from, to]: [&str; 2]) -> Message {
    let known = match step.and_then(steps::interrupted) {
        None => format!("interrupted on its way from {from} to {to}; which of them has it is unknown"),
        Some(Interrupted::BeforeItLeft) => format!("interrupted before it left {from}"),
        Some(Interrupted::While(what)) => {
            format!("interrupted while {what} from {from} to {to}; which of them has it is unknown")
        }
        Some(Interrupted::AfterItCame) => format!("interrupted after it had arrived on {to}"),
    };
    Message::from(known).with_hint(RESUME)
}

fn of_move(a_move: &Move, host: &str) -> Row {
    Row {
        zone: a_move.zone.clone(),
        state: a_move.state,
        dest: a_move.dest.clone(),
        error: a_move.error.clone(),
        origin: host.to_owned(),
        kind: a_move.kind,
        step: a_move.step.filter(|_| !matches!(a_move.state, MoveState::Evacuated | MoveState::Returned)),
        bytes: (a_move.bytes, a_move.total),
        started: a_move.started,
        ended: a_move.ended,
        downtime: a_move.downtime,
        expected: a_move.expected,
    }
}

/// A move whose run has died: not begun, or unfinished.
fn interrupt(row: Row, record: Option<&Away>, host: &str) -> Row {
    if let Some(record) = record.filter(|record| record.phase != AwayPhase::Away) {
        let error = Some(interrupted(row.step, record.ends(host)));
        Row { state: MoveState::Unknown, error, ..row }
    } else if row.state == MoveState::Migrating {
        let error = Some("interrupted; it was not moved".into());
        Row { state: MoveState::Failed, error, ..row }
    } else {
        let error = Some("interrupted before its turn; it was not touched".into());
        Row { state: MoveState::Skipped, error, ..row }
    }
}

impl Status {
    /// Adds a remark to zones that are away and here. Existing remarks are kept.
    pub fn tell_what_is_here(&mut self, away: &[Away], here: &Inventory) {
        let settled = away.iter().filter(|away| away.phase == AwayPhase::Away && !away.one_way);
        for away in settled {
            let Some(zone) = here.zones.iter().find(|zone| zone.uuid == away.uuid) else { continue };
            let Some(row) = self.rows.iter_mut().find(|row| row.zone == away.zone) else { continue };
            let is = if zone.is_running() { "running " } else { "" };
            row.error.get_or_insert_with(|| Message::from(format!("it is {is}here, too")).with_hint(RESUME));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ZoneState;
    use crate::store::RestWay;
    use crate::store::tests::{sample, sample_away, sample_zone};

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
        let rests = [
            sample::rest("a", RestWay::Stop, RestPhase::Resting),
            sample::rest("b", RestWay::Suspend, RestPhase::Resting),
            sample::rest("c", RestWay::Stop, RestPhase::Stopping),
        ];
        let listed = |direction, state| {
            let moves = ["a", "b", "c"].map(|zone| a_move(zone, state)).to_vec();
            rows("h1", &[], &rests, Some(&(run(direction, state.is_final()), moves)), false)
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
        let status = rows("h1", &[sample_away("a")], &[], Some(&latest), false);
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
        let status = rows("h1", &[sample_away("a")], &[], Some(&latest), false);
        assert_eq!(states(&status), ["a EVACUATED", "b FAILED"]);
    }

    #[test]
    fn a_run_that_died_never_says_that_it_is_in_progress() {
        let moves = vec![a_move("a", MoveState::Migrating), a_move("b", MoveState::Ready)];
        let latest = (run(Direction::Evacuate, false), moves);
        let leaving = Away { phase: AwayPhase::Leaving, ..sample_away("a") };
        let status = rows("h1", std::slice::from_ref(&leaving), &[], Some(&latest), false);
        assert_eq!(states(&status), ["a UNKNOWN", "b SKIPPED"]);
        let settled = rows("h1", &[], &[], Some(&latest), false);
        assert_eq!(states(&settled), ["a FAILED", "b SKIPPED"]);
        let arrived = rows("h1", &[sample_away("a")], &[], Some(&latest), false);
        assert_eq!(states(&arrived), ["a EVACUATED", "b SKIPPED"]);
        let status = rows("h1", &[leaving], &[], Some(&latest), true);
        assert_eq!(states(&status), ["a MIGRATING", "b READY"]);
        assert_eq!(status.running, Some(Direction::Evacuate));
    }

    #[test]
    fn that_a_migration_was_interrupted_says_more_than_what_an_evacuation_before_it_has_left() {
        let latest =
            (run(Direction::Evacuate, true), ["a", "b"].map(|zone| a_move(zone, MoveState::Failed)).to_vec());
        let leaving = Away { phase: AwayPhase::Leaving, one_way: true, ..sample_away("a") };
        let status = rows("h1", &[leaving], &[], Some(&latest), false);
        assert_eq!(states(&status), ["a UNKNOWN", "b FAILED"]);
    }

    #[test]
    fn a_guest_that_leaves_in_a_run_is_listed_as_that_run_says() {
        let leaving = Away { phase: AwayPhase::Leaving, one_way: true, ..sample_away("a") };
        let moving = Move { started: Some(leaving.started), ..a_move("a", MoveState::Migrating) };
        let latest = (run(Direction::Evacuate, false), vec![moving]);
        let listed =
            |running| states(&rows("h1", std::slice::from_ref(&leaving), &[], Some(&latest), running));
        assert_eq!(listed(true), ["a MIGRATING"]);
        assert_eq!(listed(false), ["a UNKNOWN"]);
    }

    #[test]
    fn of_an_interrupted_move_is_said_what_is_known_and_what_settles_it() {
        let aside = Some("rads://h3".parse().unwrap());
        for &step in Step::ALL {
            for (phase, from, to) in [
                (AwayPhase::Leaving, "h1", "h2"),
                (AwayPhase::Returning, "h2", "h1"),
                (AwayPhase::Aside, "h2", "h3"),
            ] {
                let away = Away { phase, aside: aside.clone(), ..sample_away("a") };
                let text = interrupted(Some(step), away.ends("h1"));
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
        let listed = |direction, state, away: &[Away]| {
            let latest = (run(direction, state == MoveState::Unknown), vec![a_move("a", state)]);
            states(&rows("h1", away, &[], Some(&latest), false))
        };
        let (there, open) = ([sample_away("a")], [Away { phase: AwayPhase::Returning, ..sample_away("a") }]);
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

    fn told(phase: AwayPhase, change: impl FnOnce(&mut Away), state: ZoneState) -> Option<Message> {
        let mut away = sample::away("a", phase).0;
        let mut zone = sample_zone("a");
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
        let of = |state| told(AwayPhase::Away, |_| {}, state);
        assert_eq!(of(ZoneState::Running), Some(Message::from("it is running here, too").with_hint(RESUME)));
        assert_eq!(of(ZoneState::Installed), Some(Message::from("it is here, too").with_hint(RESUME)));
    }

    #[test]
    fn what_is_told_already_stays_and_another_zone_of_the_name_is_none() {
        let down = told(AwayPhase::Away, |away| away.down = Some("it is down".into()), ZoneState::Running);
        assert_eq!(down.unwrap().text, "it is down");
        let other = told(AwayPhase::Away, |away| away.uuid = uuid::Uuid::from_u128(99), ZoneState::Running);
        assert_eq!(other, None);
        let half = told(AwayPhase::Leaving, |_| {}, ZoneState::Running).unwrap();
        assert!(half.text.starts_with("interrupted"), "{half}");
    }
}
