//! What moves were expected to take, and took: the next forecasts are made from the newest of them.

use rusqlite::{Row, params};

use super::{Store, StoreError, parsed, stored, unsigned};
use crate::model::{Kind, Millis, ZoneName};

/// So many are kept.
const KEPT: u32 = 1000;

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
    pub kind: Kind,
    /// Memory that it used.
    pub memory: u64,
    /// Bytes a second that it was to get.
    pub rate: u64,
    /// What the model alone had said.
    pub model_ms: u64,
    /// The same of its downtime.
    pub model_downtime_ms: u64,
    /// What was expected, with all that had been learnt before.
    pub expected_ms: u64,
    /// What it took.
    pub took_ms: u64,
    /// How long the zone did not answer; none if that was not measured.
    pub downtime_ms: Option<u64>,
    /// When it ended.
    pub ended: Millis,
}

impl PastTrip {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            zone: parsed(row, "zone")?,
            source: row.get("source")?,
            dest: row.get("dest")?,
            kind: parsed(row, "kind")?,
            memory: unsigned(row, "memory")?,
            rate: unsigned(row, "rate")?,
            model_ms: unsigned(row, "model_ms")?,
            model_downtime_ms: unsigned(row, "model_downtime_ms")?,
            expected_ms: unsigned(row, "expected_ms")?,
            took_ms: unsigned(row, "took_ms")?,
            downtime_ms: row.get::<_, Option<i64>>("downtime_ms")?.map(|ms| u64::try_from(ms).unwrap_or(0)),
            ended: Millis(row.get("ended_ms")?),
        })
    }
}

impl Store {
    /// Keeps what moves took; the oldest are forgotten.
    pub fn record_trips(&self, trips: &[PastTrip]) -> Result<(), StoreError> {
        self.write("record what moves took", |transaction| {
            for trip in trips {
                transaction.execute(
                    "INSERT INTO trip (zone, source, dest, kind, memory, rate, model_ms, model_downtime_ms, expected_ms,
                     took_ms, downtime_ms, ended_ms) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
                    params![
                        trip.zone.as_str(),
                        trip.source,
                        trip.dest,
                        trip.kind.as_str(),
                        stored(trip.memory),
                        stored(trip.rate),
                        stored(trip.model_ms),
                        stored(trip.model_downtime_ms),
                        stored(trip.expected_ms),
                        stored(trip.took_ms),
                        trip.downtime_ms.map(stored),
                        trip.ended.0,
                    ],
                )?;
            }
            transaction.execute("DELETE FROM trip WHERE id <= (SELECT max(id) FROM trip) - ?1", [KEPT])?;
            Ok(())
        })
    }

    /// What earlier moves took, oldest first.
    pub fn trips(&self) -> Result<Vec<PastTrip>, StoreError> {
        self.read("read what moves took", |connection| {
            connection
                .prepare_cached("SELECT * FROM trip ORDER BY id")?
                .query_map([], PastTrip::read)?
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample_trip};

    #[test]
    fn the_oldest_are_forgotten_and_the_rest_reads_back() {
        let (_folder, store) = fresh();
        let trips: Vec<_> =
            (0..u64::from(KEPT) + 5).map(|n| PastTrip { took_ms: n, ..sample_trip("web") }).collect();
        store.record_trips(&trips).unwrap();
        let read = store.trips().unwrap();
        assert_eq!(read.len(), KEPT as usize);
        assert_eq!(read, trips[5..]);
    }
}
