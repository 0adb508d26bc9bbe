//! The maintenance lock: rows in the store, and the marker file that libvirt's hooks look for.
//!
//! ```text
//!   start:  marker written and synced ─► rows committed
//!   end:    rows committed            ─► marker removed (or rewritten, while others still hold)
//! ```
//!
//! A crash between the two locks too much, never too little; the next start or end corrects that.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::file;
use crate::model::{Hinted, Millis, format_minute};
use crate::paths::Paths;
use crate::run_lock::{LockError, RunLock};
use crate::store::{Announcement, Direction, Holder, MaintenanceType, Store, StoreError};

/// Why maintenance could not be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// Maintenance of that type is held already.
    #[error("this host is in maintenance already: type '{}', started by {} on {}", .0.kind, .0.user, format_minute(.0.since, &TimeZone::system()))]
    Held(Holder),
    /// No maintenance of that type is held.
    #[error("not in maintenance (type '{kind}')")]
    NotHeld {
        kind: MaintenanceType,
        /// Somebody else holds it.
        by_others: bool,
    },
    /// An evacuation needs the maintenance.
    #[error("an evacuation of this host is in progress ({0}) and needs its maintenance")]
    Needed(String),
    /// It could not be determined whether an evacuation is in progress.
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The marker could not be written or removed.
    #[error("failed to change the lock marker {path}")]
    Marker { path: std::path::PathBuf, source: std::io::Error },
}

impl Hinted for MaintenanceError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotHeld { by_others: true, .. } => {
                vec!["'sysadm maintain -l' lists who holds it".to_owned()]
            }
            Self::Needed(_) => {
                vec!["wait for its end ('sysadm evacuate -l'), or run 'sysadm evacuate --cancel'".to_owned()]
            }
            Self::Lock(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Held(_) => vec!["to add a holder: --type NAME".to_owned()],
            Self::NotHeld { by_others: false, .. } | Self::Marker { .. } => Vec::new(),
        }
    }
}

/// Starts maintenance for one holder.
///
/// # Errors
/// [`MaintenanceError::Held`] if its type is held already; nothing changes then.
pub fn start(store: &Store, paths: &Paths, holder: &Holder) -> Result<(), MaintenanceError> {
    let marker = paths.lock_marker();
    match store.start_maintenance(holder, |all| write_marker(&marker, all))? {
        Some(present) => Err(MaintenanceError::Held(present)),
        None => Ok(()),
    }
}

/// The result of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The holder's maintenance has ended; the remaining holders still hold it.
    Held(Vec<Holder>),
    /// Maintenance was not held; its announcement was withdrawn.
    Announced,
}

/// Ends maintenance for one holder, or withdraws its announcement if maintenance is not held.
///
/// # Errors
/// [`MaintenanceError::NotHeld`] if that type is not held; [`MaintenanceError::Needed`] if it is the last holder
/// and an evacuation is in progress.
pub fn end(store: &Store, paths: &Paths, kind: &MaintenanceType) -> Result<Ended, MaintenanceError> {
    let is_last = matches!(store.holders()?.as_slice(), [last] if last.kind == *kind);
    let _no_evacuation = if is_last { keep_off(paths)? } else { None };
    let path = paths.lock_marker();
    let failed = |source| MaintenanceError::Marker { path: path.clone(), source };
    let Some((_, rest)) = store.end_maintenance(kind)? else {
        // After a crash there may be a marker without a holder.
        let by_others = !store.holders()?.is_empty();
        if !by_others {
            remove_marker(&path).map_err(failed)?;
            if store.call_off()? {
                return Ok(Ended::Announced);
            }
        }
        return Err(MaintenanceError::NotHeld { kind: kind.clone(), by_others });
    };
    if rest.is_empty() { remove_marker(&path) } else { write_marker(&path, &rest) }.map_err(failed)?;
    Ok(Ended::Held(rest))
}

/// Keeps evacuations from beginning while the returned lock is held. Other commands that hold the run lock do not
/// need maintenance, and are not waited for.
fn keep_off(paths: &Paths) -> Result<Option<RunLock>, MaintenanceError> {
    match RunLock::take(paths, "maintain -e") {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::Busy(Some(holder))) if holder.direction() == Some(Direction::Evacuate) => {
            Err(MaintenanceError::Needed(holder.what()))
        }
        Err(LockError::Busy(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// When announced maintenance begins and why, on one line for people. If that time has passed (`now`), it may
/// still begin.
pub fn foretell(announcement: &Announcement, now: Millis) -> String {
    let begins = format_minute(announcement.begins, &TimeZone::system());
    let overdue = if announcement.begins < now { " (overdue)" } else { "" };
    let message = announcement.message.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    format!("{begins}{overdue}{message}")
}

/// The holders on one line for people; none if there are none.
pub fn describe(holders: &[Holder]) -> Option<String> {
    let one = |holder: &Holder| {
        let since = format_minute(holder.since, &TimeZone::system());
        let message = holder.message.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        format!("{} since {since} by {}{message}", holder.kind, holder.user)
    };
    (!holders.is_empty()).then(|| holders.iter().map(one).collect::<Vec<_>>().join("; "))
}

/// Writes the marker. Its text is what a refused user reads.
fn write_marker(path: &Path, holders: &[Holder]) -> std::io::Result<()> {
    let text: String = describe(holders).unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    file::replace(path, text + "\n", 0o644)
}

fn remove_marker(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => file::sync_folder(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(kind: &str) -> Holder {
        Holder {
            kind: kind.parse().unwrap(),
            user: "ada".into(),
            since: Millis(0),
            message: Some("new\nbuild".into()),
        }
    }

    #[test]
    fn the_marker_is_there_exactly_while_somebody_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let store = Store::open(&paths.database()).unwrap();
        let marker = paths.lock_marker();
        start(&store, &paths, &holder("admin")).unwrap();
        start(&store, &paths, &holder("firmware")).unwrap();
        let text = std::fs::read_to_string(&marker).unwrap();
        assert!(text.contains("admin since") && text.contains("firmware since"), "{text}");
        assert_eq!(text.lines().count(), 1, "a message cannot break the line");
        assert!(matches!(start(&store, &paths, &holder("admin")), Err(MaintenanceError::Held(_))));
        let ended = end(&store, &paths, &"admin".parse().unwrap()).unwrap();
        assert!(matches!(ended, Ended::Held(rest) if rest.len() == 1));
        assert!(!std::fs::read_to_string(&marker).unwrap().contains("admin"));
        end(&store, &paths, &"firmware".parse().unwrap()).unwrap();
        assert!(!marker.exists());
    }

    #[test]
    fn the_last_holder_does_not_go_while_an_evacuation_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let store = Store::open(&paths.database()).unwrap();
        let (admin, power) = (MaintenanceType::default(), "power".parse().unwrap());
        start(&store, &paths, &holder("admin")).unwrap();
        start(&store, &paths, &holder("power")).unwrap();
        let run = RunLock::take(&paths, Direction::Evacuate).unwrap();
        assert!(matches!(end(&store, &paths, &power).unwrap(), Ended::Held(rest) if rest.len() == 1));
        let error = end(&store, &paths, &admin).unwrap_err().to_string();
        assert!(error.contains(&format!("(evacuate, pid {})", std::process::id())), "{error}");
        assert!(error.contains("needs its maintenance"), "{error}");
        assert!(paths.lock_marker().exists() && store.holders().unwrap().len() == 1);
        assert!(matches!(end(&store, &paths, &power), Err(MaintenanceError::NotHeld { .. })));
        drop(run);
        for other in [Direction::Return, Direction::Migrate] {
            let run = RunLock::take(&paths, other).unwrap();
            end(&store, &paths, &admin).unwrap();
            start(&store, &paths, &holder("admin")).unwrap();
            drop(run);
        }
        assert!(end(&store, &paths, &admin).is_ok());
        assert!(!paths.lock_marker().exists());
    }

    #[test]
    fn a_marker_that_a_crash_left_is_put_away_by_the_next_end() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let store = Store::open(&paths.database()).unwrap();
        std::fs::write(paths.lock_marker(), "left over").unwrap();
        assert!(matches!(
            end(&store, &paths, &MaintenanceType::default()),
            Err(MaintenanceError::NotHeld { .. })
        ));
        assert!(!paths.lock_marker().exists());
    }

    #[test]
    fn what_was_announced_is_called_off_or_used_up_and_stays_when_its_time_has_passed() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let store = Store::open(&paths.database()).unwrap();
        let (admin, user) = (MaintenanceType::default(), "ada".to_owned());
        let message = Some("new disks".to_owned());
        let announcement = Announcement { begins: Millis(60_000), user, since: Millis(0), message };
        store.announce(&announcement).unwrap();
        assert!(!paths.lock_marker().exists(), "it locks nothing");
        let told = |now| foretell(&store.announcement().unwrap().unwrap(), Millis(now));
        let minute = format_minute(Millis(60_000), &TimeZone::system());
        assert_eq!(told(0), format!("{minute}: new disks"));
        assert_eq!(told(60_001), format!("{minute} (overdue): new disks"));
        assert_eq!(end(&store, &paths, &admin).unwrap(), Ended::Announced);
        assert!(matches!(end(&store, &paths, &admin), Err(MaintenanceError::NotHeld { .. })));

        store.announce(&announcement).unwrap();
        start(&store, &paths, &holder("admin")).unwrap();
        assert_eq!(end(&store, &paths, &admin).unwrap(), Ended::Held(vec![]));
        assert_eq!(store.announcement().unwrap(), None);
    }
}
