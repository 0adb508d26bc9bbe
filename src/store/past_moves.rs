//! What moves were expected to take, and took, as a basis for the next forecasts. It is stored with the moves.

use rusqlite::{Connection, Row, params};

use super::{Store, StoreError, parsed, stored, unsigned};
use crate::model::{Method, Millis, ZoneName};

/// One successful move. Sizes in bytes, times in ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastMove {
    pub zone: ZoneName,
    /// The host that it left, by the planner's name for it.
    pub source: String,
    /// The host to which it went.
    pub dest: String,
    pub method: Method,
    /// The memory that it used.
    pub memory: u64,
    /// The bandwidth that it was to get, in bytes per second.
    pub rate: u64,
    /// The duration by the model alone.
    pub model_ms: u64,
    /// The downtime by the model alone.
    pub model_downtime_ms: u64,
    /// The actual duration.
    pub took_ms: u64,
    /// The actual downtime; none if it was not measured.
    pub downtime_ms: Option<u64>,
    /// When it ended.
    pub ended: Millis,
}

impl PastMove {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let [started, ended] = [Millis(row.get("started_ms")?), Millis(row.get("ended_ms")?)];
        Ok(Self {
            zone: parsed(row, "zone")?,
            source: row.get("source")?,
            dest: row.get("destination")?,
            method: parsed(row, "method")?,
            memory: unsigned(row, "memory")?,
            rate: unsigned(row, "rate")?,
            model_ms: unsigned(row, "model_ms")?,
            model_downtime_ms: unsigned(row, "model_downtime_ms")?,
            took_ms: ended.since(started),
            downtime_ms: row.get::<_, Option<i64>>("downtime_ms")?.map(|ms| u64::try_from(ms).unwrap_or(0)),
            ended,
        })
    }
}

/// The successful moves of which everything is known, oldest first.
const TRIPS: &str =
    "SELECT * FROM move WHERE model_ms IS NOT NULL AND method IS NOT NULL AND started_ms IS NOT NULL
    AND ended_ms IS NOT NULL AND state IN ('EVACUATED', 'RETURNED') ORDER BY ended_ms, run, zone";

pub(super) fn read_all(connection: &Connection) -> rusqlite::Result<Vec<PastMove>> {
    connection.prepare_cached(TRIPS)?.query_map([], PastMove::read)?.collect()
}

impl Store {
    /// Stores what some moves of a run were expected to take.
    pub fn record_past_moves(&self, run: i64, trips: &[PastMove]) -> Result<(), StoreError> {
        self.write("record what moves took", |transaction| {
            for trip in trips {
                transaction.execute(
                    "UPDATE move SET source = ?3, destination = ?4, memory = ?5, rate = ?6, model_ms = ?7,
                     model_downtime_ms = ?8 WHERE run = ?1 AND zone = ?2",
                    params![
                        run,
                        trip.zone.as_str(),
                        trip.source,
                        trip.dest,
                        stored(trip.memory),
                        stored(trip.rate),
                        stored(trip.model_ms),
                        stored(trip.model_downtime_ms),
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// What earlier moves took, oldest first; as many as there are runs with them.
    pub fn past_moves(&self) -> Result<Vec<PastMove>, StoreError> {
        self.read("read what moves took", read_all)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Millis;
    use crate::store::tests::{fresh, sample};
    use crate::store::{Direction, Move, MoveState};

    #[test]
    fn what_a_move_took_is_known_as_long_as_the_move_is_and_only_if_it_went_well() {
        let (_folder, store) = fresh();
        let run = store.begin_run(Direction::Evacuate, "root", 7, Millis(0)).unwrap();
        let (ended, trip) = (sample::full_move("zz"), sample::past_move("zz"));
        let failed = Move { state: MoveState::Failed, ..sample::full_move("web") };
        store.save_moves(run, &[ended.clone(), failed]).unwrap();
        store
            .record_past_moves(run, &[trip.clone(), sample::past_move("web"), sample::past_move("unknown")])
            .unwrap();
        // What is stored of the move later does not change it.
        store.save_moves(run, &[ended]).unwrap();
        assert_eq!(store.past_moves().unwrap(), [trip]);
    }
}
