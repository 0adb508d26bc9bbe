//! What moves were expected to take, and took: the next forecasts are made from that. It is kept with the moves.

use rusqlite::{Connection, Row, params};

use super::{Store, StoreError, parsed, stored, unsigned};
use crate::model::{Method, Millis, ZoneName};

/// One move that went well. Sizes in bytes, times in ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastTrip {
    /// The zone.
    pub zone: ZoneName,
    /// The host that it left, as the planner called it.
    pub source: String,
    /// The host to which it went.
    pub dest: String,
    /// How it moved.
    pub kind: Method,
    /// Memory that it used.
    pub memory: u64,
    /// Bytes a second that it was to get.
    pub rate: u64,
    /// What the model alone had said.
    pub model_ms: u64,
    /// The same of its downtime.
    pub model_downtime_ms: u64,
    /// What it took.
    pub took_ms: u64,
    /// How long the zone did not answer; none if that was not measured.
    pub downtime_ms: Option<u64>,
    /// When it ended.
    pub ended: Millis,
}

impl PastTrip {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let [started, ended] = [Millis(row.get("started_ms")?), Millis(row.get("ended_ms")?)];
        Ok(Self {
            zone: parsed(row, "zone")?,
            source: row.get("source")?,
            dest: row.get("destination")?,
            kind: parsed(row, "kind")?,
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

/// The moves that went well and of which all is known, oldest first.
const TRIPS: &str =
    "SELECT * FROM move WHERE model_ms IS NOT NULL AND kind IS NOT NULL AND started_ms IS NOT NULL
    AND ended_ms IS NOT NULL AND state IN ('EVACUATED', 'RETURNED') ORDER BY ended_ms, run, zone";

pub(super) fn read_all(connection: &Connection) -> rusqlite::Result<Vec<PastTrip>> {
    connection.prepare_cached(TRIPS)?.query_map([], PastTrip::read)?.collect()
}

impl Store {
    /// Keeps beside moves of a run what they were expected to take.
    pub fn record_trips(&self, run: i64, trips: &[PastTrip]) -> Result<(), StoreError> {
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
    pub fn trips(&self) -> Result<Vec<PastTrip>, StoreError> {
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
        let (ended, trip) = (sample::full_move("zz"), sample::trip("zz"));
        let failed = Move { state: MoveState::Failed, ..sample::full_move("web") };
        store.save_moves(run, &[ended.clone(), failed]).unwrap();
        store.record_trips(run, &[trip.clone(), sample::trip("web"), sample::trip("unknown")]).unwrap();
        // What is written of the move later leaves it.
        store.save_moves(run, &[ended]).unwrap();
        assert_eq!(store.trips().unwrap(), [trip]);
    }
}
