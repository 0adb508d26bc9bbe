//! The journal of steps, written ahead: an intent before each step, its outcome after it.

use rusqlite::{OptionalExtension, Row, params};

use super::{Store, StoreError, parsed};
use crate::model::{Millis, Step, ZoneName, words};

words! {
    /// What an entry says of its step.
    Mark, "journal mark" {
        /// It is about to be done.
        Intent = "intent",
        Done = "done",
        Failed = "failed",
        /// It was undone.
        Undone = "undone",
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub zone: ZoneName,
    pub step: Step,
    pub mark: Mark,
    pub at: Millis,
    /// Details for people.
    pub detail: Option<String>,
}

impl Entry {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            zone: parsed(row, "zone")?,
            step: parsed(row, "step")?,
            mark: parsed(row, "mark")?,
            at: Millis(row.get("at_ms")?),
            detail: row.get("detail")?,
        })
    }
}

impl Store {
    /// Appends an entry. The step must not begin before this has returned.
    pub fn log_step(&self, run: i64, entry: &Entry) -> Result<(), StoreError> {
        self.write("write the journal", |transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO journal (run, zone, step, mark, at_ms, detail) VALUES (?1,?2,?3,?4,?5,?6)",
                )?
                .execute(params![
                    run,
                    entry.zone.as_str(),
                    entry.step.as_str(),
                    entry.mark.as_str(),
                    entry.at.0,
                    entry.detail,
                ])?;
            Ok(())
        })
    }

    /// The step of the last intent of a zone's moves; none if it was never moved.
    pub fn last_step(&self, zone: &ZoneName) -> Result<Option<Step>, StoreError> {
        self.read("read the journal", |connection| {
            connection
                .query_row(
                    "SELECT step FROM journal WHERE zone = ?1 AND mark = 'intent' ORDER BY id DESC LIMIT 1",
                    [zone.as_str()],
                    |row| parsed(row, "step"),
                )
                .optional()
        })
    }

    /// The entries of a zone in a run, in order.
    pub fn journal(&self, run: i64, zone: &ZoneName) -> Result<Vec<Entry>, StoreError> {
        self.read("read the journal", |connection| {
            connection
                .prepare_cached("SELECT * FROM journal WHERE run = ?1 AND zone = ?2 ORDER BY id")?
                .query_map(params![run, zone.as_str()], Entry::read)?
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh;

    #[test]
    fn entries_come_back_in_the_order_they_were_written() {
        let (_folder, store) = fresh();
        let run = store.begin_run(crate::store::Direction::Evacuate, "root", 1, Millis(0)).unwrap();
        let entry = |step, mark| Entry {
            zone: "a".parse().unwrap(),
            step,
            mark,
            at: Millis(1),
            detail: Some("x".into()),
        };
        let written = [entry(Step::Reserve, Mark::Intent), entry(Step::Reserve, Mark::Done)];
        for entry in &written {
            store.log_step(run, entry).unwrap();
        }
        assert_eq!(store.journal(run, &"a".parse().unwrap()).unwrap(), written);
        assert_eq!(store.journal(run, &"b".parse().unwrap()).unwrap(), []);
    }
}
