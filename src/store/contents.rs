//! Everything that is recorded, as of one moment.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use super::maintenance::HOLDERS;
use super::zones::{COLUMNS, ZONES};
use super::{
    Announcement, Entry, HeldReplica, Holder, Move, PastMove, RecordedTakeover, Reservation, Run,
    SentReplica, Store, StoreError, TargetKey, ZoneRecord, announcement, from_json, identity, past_moves,
    targets,
};
use crate::model::{HostUri, Manifest};

/// Reads one row of a table, only to check that this is possible.
type RowReader = fn(&Row<'_>) -> rusqlite::Result<()>;

/// How a row of each table is read.
pub(super) const READERS: &[(&str, RowReader)] = &[
    ("maintenance", |row| match row.get_ref("type")?.as_str()? {
        "" => Announcement::read(row).map(drop),
        _ => Holder::read(row).map(drop),
    }),
    ("target", |row| targets::read_one(row).map(drop)),
    ("run", |row| Run::read(row).map(drop)),
    ("move", |row| Move::read(row).map(drop)),
    ("journal", |row| Entry::read(row).map(drop)),
    ("zone", |row| match row.get_ref("place")?.as_str()? {
        "host" => identity::read_one(row).map(drop),
        _ => read_zone(row).map(drop),
    }),
    ("replica", |row| match row.get_ref("role")?.as_str()? {
        "held" => read_standby(row).map(drop),
        "sent" => SentReplica::read(row).map(drop),
        _ => RecordedTakeover::read(row).map(drop),
    }),
    ("reservation", |row| Reservation::read(row).map(drop)),
];

fn read_zone(row: &Row<'_>) -> rusqlite::Result<(ZoneRecord, Option<Manifest>)> {
    let manifest = row.get_ref("manifest")?.as_str_or_null()?;
    Ok((ZoneRecord::read(row)?, manifest.map(from_json).transpose()?))
}

fn read_standby(row: &Row<'_>) -> rusqlite::Result<(HeldReplica, Manifest)> {
    Ok((HeldReplica::read(row)?, from_json(row.get_ref("manifest")?.as_str()?)?))
}

/// All rows of all tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The holders of maintenance, oldest first.
    pub holders: Vec<Holder>,
    /// Announced maintenance.
    pub announcement: Option<Announcement>,
    pub targets: BTreeMap<TargetKey, Vec<HostUri>>,
    /// All runs, oldest first.
    pub runs: Vec<Run>,
    /// What each run did with each zone, with the run's number.
    pub moves: Vec<(i64, Move)>,
    /// The whole journal in order, with the runs' numbers.
    pub journal: Vec<(i64, Entry)>,
    /// The records of zones by name, with the configurations that are kept.
    pub zones: Vec<(ZoneRecord, Option<Manifest>)>,
    /// Replicas of other hosts' zones, with their manifests.
    pub held_replicas: Vec<(HeldReplica, Manifest)>,
    /// The hosts that have replicas of this host's zones.
    pub sent_replicas: Vec<SentReplica>,
    /// What other hosts have reported of zones that they took over.
    pub recorded_takeovers: Vec<RecordedTakeover>,
    /// All reservations, including expired ones.
    pub reservations: Vec<Reservation>,
    /// What earlier moves took, oldest first.
    pub past_moves: Vec<PastMove>,
}

impl Store {
    /// Reads everything. A row that is not valid is an error, which says what is wrong with it.
    pub fn contents(&self) -> Result<Contents, StoreError> {
        self.read("read all that is recorded", |connection| {
            // All tables must be of the same moment, even if another process writes meanwhile.
            let _moment = connection.unchecked_transaction()?;
            Ok(Contents {
                holders: all(connection, HOLDERS, Holder::read)?,
                announcement: announcement::read(connection)?,
                targets: targets::read_all(connection)?,
                runs: all(connection, "SELECT * FROM run ORDER BY id", Run::read)?,
                moves: all(connection, "SELECT * FROM move ORDER BY run, zone", |row| {
                    Ok((row.get("run")?, Move::read(row)?))
                })?,
                journal: all(connection, "SELECT * FROM journal ORDER BY id", |row| {
                    Ok((row.get("run")?, Entry::read(row)?))
                })?,
                zones: all(connection, &format!("SELECT {COLUMNS}, manifest FROM zone {ZONES}"), read_zone)?,
                held_replicas: all(
                    connection,
                    "SELECT * FROM replica WHERE role = 'held' ORDER BY zone, host",
                    read_standby,
                )?,
                sent_replicas: all(
                    connection,
                    "SELECT * FROM replica WHERE role = 'sent' ORDER BY host, zone",
                    SentReplica::read,
                )?,
                recorded_takeovers: all(
                    connection,
                    "SELECT * FROM replica WHERE role = 'taken' ORDER BY host, uuid",
                    RecordedTakeover::read,
                )?,
                reservations: all(connection, "SELECT * FROM reservation ORDER BY zone", Reservation::read)?,
                past_moves: past_moves::read_all(connection)?,
            })
        })
    }
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map([], read)?.collect()
}
