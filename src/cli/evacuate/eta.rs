//! Estimates for people. Pure: the caller passes the time and the time zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{Millis, format_minute, format_span};
use crate::store::{Expectation, Expected, MoveState, Run};

/// `estimated completion 14:32 (±4m)`: the end of a run.
pub fn end_of_run((end, margin): (Millis, u64), now: Millis, zone: &TimeZone) -> String {
    let time = clock(end, now, zone);
    if end.after(margin) < now {
        return format!("estimated completion {time} (overdue)");
    }
    format!("estimated completion {time} (±{})", roughly(margin))
}

/// `14:32`: the estimated start of a zone that waits, or `due`. `1m05s`: the remaining time of one that moves, or
/// `overdue`. None for all others.
pub fn when(
    state: MoveState,
    started: Option<Millis>,
    expected: Option<Expectation>,
    now: Millis,
    zone: &TimeZone,
) -> Option<String> {
    let expected = expected?;
    match (state, started) {
        (MoveState::Preparing | MoveState::Ready, None) if expected.start <= now => Some("due".to_owned()),
        (MoveState::Preparing | MoveState::Ready, None) => Some(clock(expected.start, now, zone)),
        (MoveState::Migrating, Some(started)) => Some(match left(started, expected, now) {
            None => "overdue".to_owned(),
            Some(left) => format_span(left),
        }),
        _ => None,
    }
}

/// `1m05s left`, or `overdue`: for a zone that moves, beside its progress bar.
pub fn beside_bar(started: Option<Millis>, expected: Option<Expectation>, now: Millis) -> Option<String> {
    Some(match left(started?, expected?, now) {
        None => "overdue".to_owned(),
        Some(left) => format!("{} left", format_span(left)),
    })
}

/// Milliseconds until a zone is expected to have arrived; none if it should have.
fn left(started: Millis, expected: Expectation, now: Millis) -> Option<u64> {
    Some(started.after(expected.duration).since(now)).filter(|left| *left > 0)
}

/// `finished in 4m10s (estimated 3m05s)`: a run and its first estimate; none if it is in progress or had no estimate.
pub fn compared(run: &Run) -> Option<String> {
    let Expected { first, .. } = run.expected?;
    let [took, expected] = [run.ended?, first].map(|end| format_span(end.since(run.started)));
    Some(format!("finished in {took} (estimated {expected})"))
}

/// The time of day; with the date, if it is too far away.
fn clock(time: Millis, now: Millis, zone: &TimeZone) -> String {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    match Timestamp::from_millisecond(time.0) {
        Ok(moment) if time.since(now) < DAY && now.since(time) < DAY => {
            moment.to_zoned(zone.clone()).strftime("%H:%M").to_string()
        }
        _ => format_minute(time, zone),
    }
}

/// `40s`, `4m`, `2h`: one number, rounded up.
fn roughly(ms: u64) -> String {
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    if ms <= 90_000 {
        format!("{}s", ms.div_ceil(1000))
    } else if ms <= 90 * MINUTE {
        format!("{}m", ms.div_ceil(MINUTE))
    } else {
        format!("{}h", ms.div_ceil(HOUR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Direction;

    const NOON: i64 = 12 * 60 * 60 * 1000;
    const MINUTE: u64 = 60_000;
    const DAY: u64 = 24 * 60 * MINUTE;

    #[test]
    fn the_end_of_a_run_is_told_with_its_margin_and_with_the_date_if_it_is_far_away() {
        let noon = Millis(NOON);
        for (end, margin, now, text) in [
            (noon.after(32 * MINUTE), 4 * MINUTE, noon, "estimated completion 12:32 (±4m)"),
            (noon.after(32 * MINUTE), 4 * MINUTE + 1, noon, "estimated completion 12:32 (±5m)"),
            (noon.after(10_000), 300, noon, "estimated completion 12:00 (±1s)"),
            (noon.after(10_000), 0, noon, "estimated completion 12:00 (±0s)"),
            (noon.after(DAY), 120 * MINUTE, noon, "estimated completion 1970-01-02 12:00 (±2h)"),
            // Within the margin, and beyond it.
            (noon, 4 * MINUTE, noon.after(3 * MINUTE), "estimated completion 12:00 (±4m)"),
            (noon, 4 * MINUTE, noon.after(5 * MINUTE), "estimated completion 12:00 (overdue)"),
        ] {
            assert_eq!(end_of_run((end, margin), now, &TimeZone::UTC), text);
        }
    }

    #[test]
    fn margins_are_one_round_number() {
        let spans = [1, 40_000, 90_000, 90_001, 4 * MINUTE, 90 * MINUTE, 90 * MINUTE + 1].map(roughly);
        assert_eq!(spans, ["1s", "40s", "90s", "2m", "4m", "90m", "2h"]);
    }

    #[test]
    fn a_zone_that_waits_has_a_time_and_one_that_moves_how_long_it_still_takes() {
        use MoveState::{Evacuated, Failed, Migrating, Preparing, Ready};
        let (noon, begun) = (Millis(NOON), Some(Millis(NOON - 10_000)));
        let expected = |start: Millis| Some(Expectation { start, duration: 75_000, downtime: Some(50) });
        let later = expected(noon.after(32 * MINUTE));
        for (state, started, expected, text) in [
            (Ready, None, later, Some("12:32")),
            (Preparing, None, later, Some("12:32")),
            (Ready, None, expected(noon.after(2 * DAY)), Some("1970-01-03 12:00")),
            (Ready, None, expected(noon), Some("due")),
            (Migrating, begun, later, Some("1m05s")),
            (Migrating, Some(Millis(NOON - 75_000)), later, Some("overdue")),
            // It is tried again after a pause; it has ended; nothing is known.
            (Ready, begun, later, None),
            (Evacuated, begun, later, None),
            (Failed, None, later, None),
            (Ready, None, None, None),
        ] {
            let found = when(state, started, expected, noon, &TimeZone::UTC);
            assert_eq!(found.as_deref(), text, "{state} {started:?} {expected:?}");
        }
        assert_eq!(beside_bar(begun, later, noon).as_deref(), Some("1m05s left"));
        assert_eq!(beside_bar(begun, later, noon.after(65_000)).as_deref(), Some("overdue"));
        assert_eq!(beside_bar(begun, None, noon), None);
    }

    #[test]
    fn what_a_run_took_is_compared_with_what_was_expected_at_first() {
        let run = |ended, expected| Run {
            id: 1,
            direction: Direction::Evacuate,
            user: "root".into(),
            pid: 1,
            started: Millis(0),
            ended,
            outcome: None,
            expected,
        };
        let expected = Some(Expected { end: Millis(249_000), margin: 9, first: Millis(185_000) });
        let text = compared(&run(Some(Millis(250_000)), expected));
        assert_eq!(text.as_deref(), Some("finished in 4m10s (estimated 3m05s)"));
        assert_eq!(compared(&run(None, expected)), None);
        assert_eq!(compared(&run(Some(Millis(1)), None)), None);
    }
}
