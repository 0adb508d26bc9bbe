//! The downtimes that the tool has reported, from the journals of all hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::harness::Lab;

/// A move: the host's journal, the run and the zone.
type Move = (PathBuf, i64, String);

/// What had been reported at some moment.
pub struct Downtimes {
    journals: Vec<PathBuf>,
    before: BTreeSet<Move>,
}

impl Downtimes {
    /// What is reported now in a lab.
    pub fn of(lab: &Lab) -> Self {
        let journals: Vec<_> = lab.hosts().map(|host| host.database()).collect();
        let before = all(&journals).into_keys().collect();
        Self { journals, before }
    }

    /// What has been reported of each zone since then, longest first.
    pub fn since(&self) -> BTreeMap<String, Vec<Duration>> {
        let mut zones: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (a_move, downtime) in all(&self.journals) {
            if !self.before.contains(&a_move) {
                zones.entry(a_move.2).or_default().push(downtime);
            }
        }
        zones.values_mut().for_each(|downtimes| downtimes.sort_by(|a, b| b.cmp(a)));
        zones
    }
}

/// All moves with their downtimes.
fn all(journals: &[PathBuf]) -> BTreeMap<Move, Duration> {
    let mut moves = BTreeMap::new();
    for journal in journals.iter().filter(|journal| journal.exists()) {
        let database = Connection::open_with_flags(journal, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        let question = "SELECT run, zone, downtime_ms FROM move WHERE downtime_ms IS NOT NULL";
        let mut select = database.prepare(question).unwrap();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let a_move = (journal.clone(), row.get(0).unwrap(), row.get(1).unwrap());
            moves.insert(a_move, Duration::from_millis(row.get::<_, u32>(2).unwrap().into()));
        }
    }
    moves
}
