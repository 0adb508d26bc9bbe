//! How long runs are kept, with their moves and their journal, so that the database does not grow without limit.

use rusqlite::Transaction;

/// How many of the newest runs are kept before a new one begins.
const KEPT: u32 = 29;

/// Deletes runs with their moves and steps, except for the newest ones, the newest that `evacuate -l` may show,
/// and the newest of each zone that is away or stopped here, whose move is not settled, or of which the end of a
/// step is missing; and except for the run by which a zone left that is away: it returns by the same method.
const OVER: &str = "
    WITH newest AS (
        SELECT zone, max(run) AS run FROM (SELECT zone, run FROM move UNION ALL SELECT zone, run FROM journal)
        GROUP BY zone),
    ending AS (
        SELECT newest.*,
            (SELECT state FROM move WHERE move.run = newest.run AND move.zone = newest.zone) AS state,
            (SELECT mark FROM journal WHERE journal.run = newest.run AND journal.zone = newest.zone
             ORDER BY id DESC LIMIT 1) AS mark
        FROM newest)
    DELETE FROM run WHERE id NOT IN (
        SELECT * FROM (SELECT id FROM run ORDER BY id DESC LIMIT ?1)
        UNION SELECT max(id) FROM run WHERE direction <> 'migrate' HAVING max(id) IS NOT NULL
        UNION SELECT run FROM ending WHERE zone IN (SELECT name FROM zone WHERE place NOT IN ('here', 'configured', 'migrated'))
            OR state = 'UNKNOWN' OR (mark = 'intent' AND ifnull(state, '') NOT IN ('FAILED', 'SKIPPED'))
        UNION SELECT max(run) FROM journal WHERE mark = 'intent'
            AND zone IN (SELECT name FROM zone WHERE place NOT IN ('here', 'configured', 'migrated')) GROUP BY zone
        UNION SELECT run FROM move JOIN zone ON zone.name = move.zone AND zone.since_ms = move.started_ms)";

/// Deletes what is no longer needed, before a new run.
pub(super) fn forget(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(OVER, [KEPT]).map(drop)
}

#[cfg(test)]
mod tests {
    use crate::model::{Millis, Step};
    use crate::store::tests::{fresh, sample};
    use crate::store::{Direction, Mark, Move, MoveState, Place, Store, ZoneRecord};

    fn rows(store: &Store) -> (usize, usize, usize) {
        let contents = store.contents().unwrap();
        (contents.runs.len(), contents.moves.len(), contents.journal.len())
    }

    /// A run of one zone, which is over.
    fn round(store: &Store, direction: Direction, zone: &str, state: MoveState, last: Mark) -> i64 {
        let run = store.begin_run(direction, "root", 7, Millis(1)).unwrap();
        store.save_moves(run, &[Move { state, ..Move::new(zone.parse().unwrap()) }]).unwrap();
        store.log_step(run, &sample::entry(zone, Step::Transfer, Mark::Intent)).unwrap();
        store.log_step(run, &sample::entry(zone, Step::Transfer, last)).unwrap();
        store.end_run(run, "ended", Millis(2)).unwrap();
        run
    }

    #[test]
    fn the_move_by_which_a_zone_left_is_kept_as_long_as_it_is_away() {
        let (_folder, store) = fresh();
        let run = store.begin_run(Direction::Evacuate, "root", 7, Millis(1)).unwrap();
        store.save_moves(run, &[sample::full_move("web")]).unwrap();
        sample::begin(&store, &sample::evacuated("web"), &sample::manifest("web"));
        for _ in 0..40 {
            round(&store, Direction::Return, "web", MoveState::Failed, Mark::Done);
        }
        assert_eq!(store.departures().unwrap(), [sample::full_move("web")]);
    }

    #[test]
    fn however_many_rounds_there_were_the_history_does_not_grow() {
        let (_folder, store) = fresh();
        for _ in 0..100 {
            round(&store, Direction::Evacuate, "web", MoveState::Evacuated, Mark::Done);
            round(&store, Direction::Return, "web", MoveState::Returned, Mark::Done);
        }
        assert_eq!(rows(&store), (30, 30, 60));
        assert_eq!(store.latest_run(None).unwrap().unwrap().0.id, 200);
    }

    #[test]
    fn what_is_still_told_of_a_zone_is_kept_however_long_ago_it_was() {
        let (_folder, store) = fresh();
        let (done, intent) = (Mark::Done, Mark::Intent);
        let away = round(&store, Direction::Evacuate, "away", MoveState::Evacuated, done);
        let row = sample::evacuated("away");
        sample::begin(&store, &row, &sample::manifest("away"));
        let rests = round(&store, Direction::Evacuate, "rests", MoveState::Stopped, done);
        let stopping = sample::record("rests", 8, Place::Stopping);
        store.begin_stop(&stopping).unwrap();
        store.update_zone(&ZoneRecord { place: Place::Stopped, ..stopping }).unwrap();
        let unknown = round(&store, Direction::Evacuate, "unknown", MoveState::Unknown, intent);
        let dangling = round(&store, Direction::Evacuate, "dangling", MoveState::Evacuated, intent);
        let settled = round(&store, Direction::Evacuate, "settled", MoveState::Failed, intent);
        let listed = round(&store, Direction::Return, "listed", MoveState::Failed, done);
        let before = store.check(|| sample::QUIET).unwrap();
        for _ in 0..40 {
            round(&store, Direction::Migrate, "other", MoveState::Evacuated, done);
        }
        let left: Vec<_> = store.contents().unwrap().runs.iter().map(|run| run.id).take(6).collect();
        assert_eq!(left[..5], [away, rests, unknown, dangling, listed]);
        assert!(left[5] > settled + 5);
        assert_eq!(store.check(|| sample::QUIET).unwrap(), before);
        assert_eq!(store.last_step(&row.zone).unwrap(), Some(Step::Transfer));
        assert_eq!(store.latest_run(None).unwrap().unwrap().0.id, listed);
    }
}
