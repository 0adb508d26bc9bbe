//! Estimates of a run and its moves, updated after each move.

use rusqlite::{Row, params};

use super::{Store, StoreError, stored};
use crate::model::{Millis, ZoneName};

/// When a run is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub end: Millis,
    /// By how many milliseconds it may be later, with a probability of 95 %.
    pub margin: u64,
    /// The first estimate, with which the actual end is compared.
    pub first: Millis,
}

/// The estimate of a zone's move. It is fixed when the move begins, and compared with what the move takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// When it begins.
    pub start: Millis,
    /// In milliseconds.
    pub duration: u64,
    /// In milliseconds; none if the zone does not run.
    pub downtime: Option<u64>,
}

fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|number| u64::try_from(number).ok()))
}

fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Millis>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Millis))
}

impl Expected {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let (end, first) = (time(row, "expected_ms")?, time(row, "first_expected_ms")?);
        let whole = end.zip(first).zip(number(row, "margin_ms")?);
        Ok(whole.map(|((end, first), margin)| Self { end, margin, first }))
    }
}

impl Expectation {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let whole = time(row, "expected_start_ms")?.zip(number(row, "expected_duration_ms")?);
        let downtime = number(row, "expected_downtime_ms")?;
        Ok(whole.map(|(start, duration)| Self { start, duration, downtime }))
    }

    /// Its columns: begin, duration, downtime.
    pub(super) fn columns(expectation: Option<Self>) -> [Option<i64>; 3] {
        let Some(Self { start, duration, downtime }) = expectation else { return [None; 3] };
        [Some(start.0), Some(stored(duration)), downtime.map(stored)]
    }
}

impl Store {
    /// Stores the estimates of a run and some of its moves. The first estimate of the run is kept.
    pub fn expect(
        &self,
        run: i64,
        (end, margin): (Millis, u64),
        moves: &[(ZoneName, Expectation)],
    ) -> Result<(), StoreError> {
        self.write("record what is expected of a run", |transaction| {
            transaction.execute(
                "UPDATE run SET expected_ms = ?2, margin_ms = ?3,
                 first_expected_ms = ifnull(first_expected_ms, ?2) WHERE id = ?1",
                params![run, end.0, stored(margin)],
            )?;
            for (zone, expectation) in moves {
                let [start, duration, downtime] = Expectation::columns(Some(*expectation));
                transaction
                    .prepare_cached(
                        "UPDATE move SET expected_start_ms = ?3, expected_duration_ms = ?4,
                         expected_downtime_ms = ?5 WHERE run = ?1 AND zone = ?2",
                    )?
                    .execute(params![run, zone.as_str(), start, duration, downtime])?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh;
    use crate::store::{Direction, Move};

    #[test]
    fn what_was_expected_of_a_run_at_first_stays_beside_what_is_expected_now() {
        let (_folder, store) = fresh();
        let run = store.begin_run(Direction::Evacuate, "root", 7, Millis(1)).unwrap();
        let (zone, other): (ZoneName, ZoneName) = ("web".parse().unwrap(), "db".parse().unwrap());
        store.save_moves(run, &[Move::new(zone.clone()), Move::new(other.clone())]).unwrap();
        let expectation = Expectation { start: Millis(5), duration: 20, downtime: None };
        store.expect(run, (Millis(90), 9), &[(zone.clone(), expectation)]).unwrap();
        let later = Expectation { start: Millis(50), downtime: Some(300), ..expectation };
        store.expect(run, (Millis(120), 4), &[(zone.clone(), later)]).unwrap();
        let (run, moves) = store.latest_run(None).unwrap().unwrap();
        assert_eq!(run.expected, Some(Expected { end: Millis(120), margin: 4, first: Millis(90) }));
        let expected: Vec<_> = moves.into_iter().map(|one| (one.zone, one.figures.expected)).collect();
        assert_eq!(expected, [(other, None), (zone, Some(later))]);
    }
}
