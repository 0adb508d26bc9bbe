//! Evacuations, returns and migrations, and what each did with each zone. Finished runs are the history.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Expectation, Expected, Store, StoreError, history, parsed, parsed_optional, recorded, stored, unsigned,
};
use crate::model::{Brand, HostUri, Message, Method, Millis, Step, ZoneName, words};

words! {
    /// The direction of a run.
    Direction, "direction" {
        /// Zones are moved away from here.
        Evacuate = "evacuate",
        /// Zones are moved back to here.
        Return = "return",
        /// A zone is moved away from here for good.
        Migrate = "migrate",
    }
}

words! {
    /// The state of a zone in a run. sysadm(8) has EVACUATED, SKIPPED and FAILED.
    MoveState, "state of a move" {
        /// Its destination is being asked.
        Preparing = "PREPARING",
        /// It waits for its turn.
        Ready = "READY",
        /// It is being moved.
        Migrating = "MIGRATING",
        /// It is at DEST.
        Evacuated = "EVACUATED",
        /// It is back.
        Returned = "RETURNED",
        /// No attempt was made; it may still run here.
        Skipped = "SKIPPED",
        /// The attempt failed; it is where it was.
        Failed = "FAILED",
        /// It is not known where it is; the operator must act.
        Unknown = "UNKNOWN",
        /// It was shut down and stays here.
        Stopped = "STOPPED",
        /// Its memory was saved and it stays here.
        Suspended = "SUSPENDED",
    }
}

impl MoveState {
    /// Whether the run is done with the zone.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Preparing | Self::Ready | Self::Migrating => false,
            Self::Evacuated
            | Self::Returned
            | Self::Skipped
            | Self::Failed
            | Self::Unknown
            | Self::Stopped
            | Self::Suspended => true,
        }
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: i64,
    pub direction: Direction,
    /// The user who started it.
    pub user: String,
    /// The id of its process.
    pub pid: u32,
    pub started: Millis,
    /// None while it is in progress, and if it died.
    pub ended: Option<Millis>,
    /// How it ended, one word.
    pub outcome: Option<String>,
    /// When it is, or was, expected to end, if that is known.
    pub expected: Option<Expected>,
}

impl Run {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            direction: parsed(row, "direction")?,
            user: row.get("user")?,
            pid: row.get("pid")?,
            started: Millis(row.get("started_ms")?),
            ended: row.get::<_, Option<i64>>("ended_ms")?.map(Millis),
            outcome: row.get("outcome")?,
            expected: Expected::read(row)?,
        })
    }
}

/// What a run does with one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub zone: ZoneName,
    pub state: MoveState,
    /// None until it is decided.
    pub method: Option<Method>,
    /// None if it is not known.
    pub brand: Option<Brand>,
    /// Its destination, or the last target that was tried.
    pub dest: Option<HostUri>,
    /// Why it was skipped or failed.
    pub error: Option<Message>,
    pub figures: Figures,
}

/// How far a move is, and what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The step that was begun last, or at which the move failed.
    pub step: Option<Step>,
    /// Bytes sent.
    pub bytes: u64,
    /// Bytes to send in all, as far as is known.
    pub total: u64,
    /// When the move began.
    pub started: Option<Millis>,
    pub ended: Option<Millis>,
    /// Downtime in milliseconds; live migrations only.
    pub downtime: Option<u64>,
    /// The estimate, if there is one.
    pub expected: Option<Expectation>,
}

impl Figures {
    /// Those of a move that has not begun.
    pub const NONE: Self =
        Self { step: None, bytes: 0, total: 0, started: None, ended: None, downtime: None, expected: None };

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let time = |column: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Millis));
        Ok(Self {
            step: parsed_optional(row, "step")?,
            bytes: unsigned(row, "bytes")?,
            total: unsigned(row, "total")?,
            started: time("started_ms")?,
            ended: time("ended_ms")?,
            downtime: row.get::<_, Option<i64>>("downtime_ms")?.map(|ms| u64::try_from(ms).unwrap_or(0)),
            expected: Expectation::read(row)?,
        })
    }
}

impl Move {
    /// A zone of which nothing is known yet.
    pub const fn new(zone: ZoneName) -> Self {
        Self {
            zone,
            state: MoveState::Preparing,
            method: None,
            brand: None,
            dest: None,
            error: None,
            figures: Figures::NONE,
        }
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            zone: parsed(row, "zone")?,
            state: parsed(row, "state")?,
            method: parsed_optional(row, "method")?,
            brand: parsed_optional(row, "brand")?,
            dest: parsed_optional(row, "dest")?,
            error: recorded(row, "error", "hint")?,
            figures: Figures::read(row)?,
        })
    }

    pub(super) fn save(&self, run: i64, connection: &Connection) -> rusqlite::Result<()> {
        let figures = &self.figures;
        let [start, duration, downtime] = Expectation::columns(figures.expected);
        connection
            .prepare_cached(
                "INSERT INTO move (run, zone, state, method, brand, dest, step, error, bytes, total,
                 started_ms, ended_ms, downtime_ms, expected_start_ms, expected_duration_ms, expected_downtime_ms, hint)
                 VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)
                 ON CONFLICT (run, zone) DO UPDATE SET state = ?3, method = ?4, brand = ?5, dest = ?6, step = ?7, error = ?8,
                 bytes = ?9, total = ?10, started_ms = ?11, ended_ms = ?12, downtime_ms = ?13, expected_start_ms = ?14,
                 expected_duration_ms = ?15, expected_downtime_ms = ?16, hint = ?17",
            )?
            .execute(params![
                run,
                self.zone.as_str(),
                self.state.as_str(),
                self.method.map(Method::as_str),
                self.brand.as_ref().map(Brand::as_str),
                self.dest.as_ref().map(ToString::to_string),
                figures.step.map(Step::as_str),
                self.error.as_ref().map(|error| &error.text),
                stored(figures.bytes),
                stored(figures.total),
                figures.started.map(|time| time.0),
                figures.ended.map(|time| time.0),
                figures.downtime.map(stored),
                start,
                duration,
                downtime,
                self.error.as_ref().and_then(Message::hint),
            ])?;
        Ok(())
    }
}

impl Store {
    /// Begins a run; returns its number. Deletes old runs that are no longer needed.
    pub fn begin_run(
        &self,
        direction: Direction,
        user: &str,
        pid: u32,
        now: Millis,
    ) -> Result<i64, StoreError> {
        self.write("record a new run", |transaction| {
            history::forget(transaction)?;
            transaction.execute(
                "INSERT INTO run (direction, user, pid, started_ms) VALUES (?1, ?2, ?3, ?4)",
                params![direction.as_str(), user, pid, now.0],
            )?;
            Ok(transaction.last_insert_rowid())
        })
    }

    pub fn end_run(&self, run: i64, outcome: &str, now: Millis) -> Result<(), StoreError> {
        self.write("record the end of a run", |transaction| {
            transaction.execute(
                "UPDATE run SET ended_ms = ?2, outcome = ?3 WHERE id = ?1",
                params![run, now.0, outcome],
            )?;
            Ok(())
        })
    }

    /// Stores what a run does with some zones.
    pub fn save_moves(&self, run: i64, moves: &[Move]) -> Result<(), StoreError> {
        self.write("record the state of moves", |transaction| {
            moves.iter().try_for_each(|a_move| a_move.save(run, transaction))
        })
    }

    /// The newest run with those of its moves that have not succeeded, or not yet, by zone name. (A zone that was
    /// evacuated is `away` in the table of zones; one that has returned or was migrated is of no interest.) A migration
    /// counts only while it is in progress, that is while the process `living` does it: what an earlier
    /// evacuation has left to do is more important than a zone that was migrated, and one that was interrupted on
    /// its way is `leaving` there.
    pub fn latest_run(&self, living: Option<u32>) -> Result<Option<(Run, Vec<Move>)>, StoreError> {
        self.read("read the latest run", |connection| {
            let run = connection
                .query_row(
                    "SELECT * FROM run WHERE direction <> 'migrate' OR (ended_ms IS NULL AND pid = ?1) ORDER BY id DESC LIMIT 1",
                    [living],
                    Run::read,
                )
                .optional()?;
            let Some(run) = run else { return Ok(None) };
            let moves = connection
                .prepare_cached(
                    "SELECT * FROM move WHERE run = ?1 AND state NOT IN ('EVACUATED', 'RETURNED') AND zone NOT IN
                     (SELECT zone FROM move JOIN run ON run.id = move.run
                      WHERE run.id > ?1 AND direction = 'migrate' AND state = 'EVACUATED'
                      UNION SELECT name FROM zone WHERE place = 'migrated' AND manifest IS NOT NULL AND since_ms >= ?2) ORDER BY zone",
                )?
                .query_map([run.id, run.started.0], Move::read)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some((run, moves)))
        })
    }

    /// The moves by which the zones left that are away, and the stops of those that were stopped: the moves that began when
    /// the places of their zones did.
    pub fn departures(&self) -> Result<Vec<Move>, StoreError> {
        self.read("read the moves of zones that are away", |connection| {
            connection
                .prepare_cached(
                    "SELECT move.* FROM move JOIN zone ON zone.name = move.zone AND zone.since_ms = move.started_ms
                     ORDER BY run",
                )?
                .query_map([], Move::read)?
                .collect()
        })
    }

    /// The rate in bytes per second of the newest ten successful live moves to that host; none if there were none.
    pub fn past_rate(&self, dest: &HostUri) -> Result<Option<u64>, StoreError> {
        self.read("read past moves", |connection| {
            connection.query_row(
                "SELECT sum(bytes) * 1000 / max(sum(ended_ms - started_ms), 1) FROM (SELECT * FROM move
                 WHERE dest = ?1 AND method = 'live' AND state IN ('EVACUATED', 'RETURNED')
                 ORDER BY run DESC LIMIT 10)",
                [dest.to_string()],
                |row| Ok(row.get::<_, Option<i64>>(0)?.and_then(|rate| u64::try_from(rate).ok())),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;
    use crate::store::tests::{fresh, sample};

    #[test]
    fn a_move_reads_back_as_it_was_written() {
        let (_folder, store) = fresh();
        let run = store.begin_run(Direction::Evacuate, "root", 7, Millis(5)).unwrap();
        let full = Move {
            state: MoveState::Failed,
            method: Some(Method::Live),
            brand: Some(Brand::KVM),
            dest: Some("ssh://h2".parse().unwrap()),
            error: Some(Message::from("did not converge").with_hint("try later").with_hint("or restart it")),
            figures: Figures {
                step: Some(Step::Transfer),
                bytes: 1 << 40,
                total: 9,
                started: Some(Millis(6)),
                ended: Some(Millis(8)),
                downtime: Some(3),
                expected: Some(Expectation { start: Millis(5), duration: 4, downtime: Some(2) }),
            },
            ..Move::new("evac1".parse().unwrap())
        };
        store.save_moves(run, &[full.clone(), Move::new("evac2".parse().unwrap())]).unwrap();
        store.end_run(run, "failed", Millis(9)).unwrap();
        let (read, moves) = store.latest_run(None).unwrap().unwrap();
        assert_eq!((read.ended, read.outcome.as_deref()), (Some(Millis(9)), Some("failed")));
        assert_eq!(moves, [full, Move::new("evac2".parse().unwrap())]);
    }

    #[test]
    fn a_migration_hides_what_is_left_of_an_evacuation_only_while_it_goes_on() {
        let (_folder, store) = fresh();
        let failed = |zone: &str| Move { state: MoveState::Failed, ..Move::new(zone.parse().unwrap()) };
        let run = store.begin_run(Direction::Evacuate, "root", 7, Millis(1)).unwrap();
        store.save_moves(run, &[failed("evac1"), failed("evac2")]).unwrap();
        store.end_run(run, "ended", Millis(2)).unwrap();
        let migration = store.begin_run(Direction::Migrate, "root", 8, Millis(3)).unwrap();
        let moving = Move { state: MoveState::Migrating, ..Move::new("evac1".parse().unwrap()) };
        store.save_moves(migration, &[moving]).unwrap();
        let latest = |living| {
            let (run, moves) = store.latest_run(living).unwrap().unwrap();
            (run.id, moves.into_iter().map(|one| one.zone.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(latest(Some(8)), (migration, vec!["evac1".to_owned()]));
        // It was killed, whatever process runs now.
        for living in [None, Some(9)] {
            assert_eq!(latest(living), (run, vec!["evac1".to_owned(), "evac2".to_owned()]));
        }
        // And the zone had arrived, as was found out later.
        let manifest = sample::manifest("evac1");
        store.begin_move(&sample::record("evac1", 7, Place::Migrating), &manifest).unwrap();
        store.end_migration(&sample::record("evac1", 7, Place::Migrated), &manifest).unwrap();
        assert_eq!(latest(None), (run, vec!["evac2".to_owned()]));
    }

    #[test]
    fn the_past_rate_counts_only_moves_that_went_well() {
        let (_folder, store) = fresh();
        let dest: HostUri = "ssh://h2".parse().unwrap();
        assert_eq!(store.past_rate(&dest).unwrap(), None);
        let run = store.begin_run(Direction::Evacuate, "root", 7, Millis(0)).unwrap();
        let moved = |zone: &str, state, bytes| Move {
            state,
            method: Some(Method::Live),
            dest: Some(dest.clone()),
            figures: Figures { bytes, started: Some(Millis(0)), ended: Some(Millis(2000)), ..Figures::NONE },
            ..Move::new(zone.parse().unwrap())
        };
        let moves = [moved("a", MoveState::Evacuated, 200), moved("b", MoveState::Failed, 9999)];
        store.save_moves(run, &moves).unwrap();
        assert_eq!(store.past_rate(&dest).unwrap(), Some(100));
    }
}
