//! What must survive: maintenance, targets, runs, zones that are away, stopped or detached here, the journal,
//! reservations.
//!
//! It is one SQLite database (mode 0600, WAL, `synchronous=FULL`): when a function here has returned `Ok`, its
//! changes are on the disk. Readers never wait for writers. Nothing here reads the clock or asks a host.
//!
//! Deleted data is overwritten (`secure_delete`): so everything that can be read from a damaged file was valid,
//! and [`recover`](recover()) saves it. If a file is removed, moved away or replaced while it is open, that is an
//! error for every process that has it open ([`StoreError::Gone`]).
//!
//! The database does not grow without limit. The newest 30 runs are kept with their moves and their journal, and
//! of the older ones the newest evacuation or return, and the newest run of each zone that is away, stopped here
//! or not settled; of what moves took, the newest 1000 are kept.

mod announcement;
mod backup;
mod check;
mod columns;
mod contents;
mod contradiction;
mod database_file;
mod error;
mod expected;
mod file_kind;
mod finding;
mod guests;
mod history;
mod identity;
mod integrity;
mod journal;
mod maintenance;
mod past_moves;
mod place;
mod recover;
mod replicas;
mod reservations;
mod runs;
mod schema;
mod targets;
#[cfg(test)]
pub(crate) mod tests;
mod transitions;
mod zone_record;
mod zones;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::backup::StepResult;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use uuid::Uuid;

pub use announcement::Announcement;
pub use check::{CheckContext, check, damaged};
use columns::{from_json, to_json};
pub(crate) use columns::{parsed, parsed_optional, recorded, stored, unsigned};
pub use contents::Contents;
use database_file::{Inode, has_journal, immutable, inode, is_there, make};
pub(crate) use database_file::{prepare_file, write_ahead};
pub use error::StoreError;
pub use expected::{Expectation, Expected};
pub use finding::{Finding, FindingKind, Needs};
pub use journal::{Entry, Mark};
pub use maintenance::{Holder, MaintenanceType};
pub use past_moves::PastMove;
pub use place::{IllegalPlace, Place, StopMethod};
#[cfg(feature = "fuzzing")]
pub(crate) use recover::read_anything;
pub use recover::{Recovered, recover};
pub use replicas::{HeldReplica, RecordedTakeover, SentReplica};
pub use reservations::Reservation;
pub use runs::{Direction, Figures, Move, MoveState, Run};
pub use targets::{Origin as TargetOrigin, TargetKey, of_zone as targets_of};
pub use zone_record::ZoneRecord;

/// How long a writer waits for another one before the database counts as locked.
const BUSY: Duration = Duration::from_secs(5);

/// SQLite's own mutex is not needed: the store has a lock.
const NO_MUTEX: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

/// The open database of one host.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// The UUID that identifies the host.
    identity: Uuid,
    connection: Mutex<Connection>,
    /// Device and inode at the time of opening, if it is a file.
    inode: Option<Inode>,
}

impl Store {
    /// Opens the database for reading and writing; creates or upgrades it if necessary.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, BUSY)
    }

    /// With another time limit, for tests.
    fn open_within(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        if !is_there(path)? {
            make(path)?;
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)
            .map_err(|source| StoreError::open(path, source))?;
        Self::set_up(&connection, patience).map_err(|source| StoreError::open(path, source))?;
        schema::upgrade_file(&connection, path)?;
        Self::on(connection, path, inode(path))
    }

    /// Opens the database for reading only; none if it does not exist, which means that nothing was ever done.
    pub fn open_read_only(path: &Path) -> Result<Option<Self>, StoreError> {
        if !is_there(path)? {
            return Ok(None);
        }
        let connection = match Self::reader(path, OpenFlags::SQLITE_OPEN_READ_ONLY, path) {
            // The file that readers share cannot be created. Without a journal the database itself is complete.
            Err(StoreError::ReadOnly { .. } | StoreError::Full { .. } | StoreError::Query { .. })
                if !has_journal(path) =>
            {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                Self::reader(&immutable(path), flags, path)
            }
            result => result,
        }?;
        Self::on(connection, path, inode(path)).map(Some)
    }

    /// An empty database in memory, for a host that has none yet.
    pub fn nothing(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory().map_err(|source| StoreError::open(path, source))?;
        schema::upgrade(&connection, path)?;
        Self::on(connection, path, None)
    }

    fn on(connection: Connection, path: &Path, inode: Option<Inode>) -> Result<Self, StoreError> {
        let identity = identity::read(&connection).map_err(|source| StoreError::open(path, source))?;
        Ok(Self { path: path.to_owned(), identity, connection: Mutex::new(connection), inode })
    }

    fn reader(name: &Path, flags: OpenFlags, path: &Path) -> Result<Connection, StoreError> {
        let failed = |source| StoreError::open(path, source);
        let connection = Connection::open_with_flags(name, flags | NO_MUTEX).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        if schema::check(&connection, path)? == schema::known() {
            return Ok(connection);
        }
        // The queries are for the newest tables, and a reader must not change the file.
        let mut upgraded = Connection::open_in_memory().map_err(failed)?;
        if backup::copy_pages(&connection, &mut upgraded).map_err(failed)? != StepResult::Done {
            return Err(StoreError::Locked { path: path.to_owned() });
        }
        schema::upgrade(&upgraded, path)?;
        Ok(upgraded)
    }

    fn set_up(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
        connection.busy_timeout(patience)?;
        // The first statement that reads the file, so here a file that is not a database is noticed.
        write_ahead(connection)?;
        connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;")
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a query.
    fn read<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.must_be_the_same()?;
        work(&self.lock()).map_err(|source| StoreError::query(&self.path, what, source))
    }

    /// Writes in one transaction, which takes the write lock at its beginning.
    fn write<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.must_be_the_same()?;
        let mut connection = self.lock();
        let result = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        result.map_err(|source| StoreError::query(&self.path, what, source))
    }

    /// What is written into a file that no longer has a name is lost.
    fn must_be_the_same(&self) -> Result<(), StoreError> {
        match self.inode {
            Some(opened) if inode(&self.path) != Some(opened) => {
                Err(StoreError::Gone { path: self.path.clone() })
            }
            _ => Ok(()),
        }
    }
}
