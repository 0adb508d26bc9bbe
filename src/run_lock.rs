//! One run at a time on a host, during which no zone is detached or attached: a lock held by a running process,
//! which is free as soon as that process ends.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::paths::Paths;
use crate::store::Direction;

/// The description of a holder that has not yet written its own.
const UNNAMED: &str = "another command is at work on this host's zones; try again when it has ended";

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run holds the lock, or another command during which zones must not move.
    #[error("{}", .0.as_ref().map_or_else(|| UNNAMED.to_owned(), LockHolder::to_string))]
    Busy(Option<LockHolder>),
    /// The file cannot be locked.
    #[error("failed to lock {path}")]
    Failed { path: PathBuf, source: io::Error },
}

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock for an activity.
    ///
    /// # Errors
    /// If another process holds the lock, or the file cannot be locked.
    pub fn take(paths: &Paths, activity: impl Into<Activity>) -> Result<Self, LockError> {
        let path = paths.run_lock();
        let failed = |source| LockError::Failed { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            crate::folder::state(folder).map_err(failed)?;
        }
        // Never follow a symbolic link: its target is not the lock, and must not be emptied.
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
        let mut file = options.open(&path).map_err(failed)?;
        // A process that only queries the lock holds it for an instant.
        for attempt in 0..5 {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    let holder = LockHolder { pid: std::process::id(), activity: activity.into() };
                    let text = serde_json::to_vec(&holder).map_err(|error| failed(error.into()))?;
                    file.set_len(0).and_then(|()| file.write_all(&text)).map_err(failed)?;
                    return Ok(Self { _file: file });
                }
                Err(Errno::WOULDBLOCK) if attempt < 4 => {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "an instant, before there is anything to hold up"
                    )]
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                Err(Errno::WOULDBLOCK) => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        Err(LockError::Busy(LockHolder::named_in(&mut file)))
    }
}

/// What the lock is held for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// An evacuation, return or migration, which `evacuate -l` lists.
    Run(Direction),
    /// Another command, as it is typed.
    Command(String),
}

impl From<Direction> for Activity {
    fn from(direction: Direction) -> Self {
        Self::Run(direction)
    }
}

impl From<&str> for Activity {
    fn from(command: &str) -> Self {
        Self::Command(command.to_owned())
    }
}

impl From<String> for Activity {
    fn from(command: String) -> Self {
        Self::Command(command)
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(direction) => direction.fmt(f),
            Self::Command(command) => f.write_str(command),
        }
    }
}

/// The holder of the lock. The lock file contains it as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Its process id.
    pub pid: u32,
    pub activity: Activity,
}

impl LockHolder {
    /// None if the file is still empty, because the lock was taken only just now.
    fn named_in(file: &mut File) -> Option<Self> {
        let mut text = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The direction of the run, if the holder is one.
    pub const fn direction(&self) -> Option<Direction> {
        match self.activity {
            Activity::Run(direction) => Some(direction),
            Activity::Command(_) => None,
        }
    }

    /// The activity and the process id, for people.
    pub fn what(&self) -> String {
        format!("{}, pid {}", self.activity, self.pid)
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what();
        match self.activity {
            Activity::Run(_) => write!(
                f,
                "another evacuation, return or migration is in progress ({what}); 'sysadm evacuate -l' shows it"
            ),
            Activity::Command(_) => write!(
                f,
                "another command is at work on this host's zones ({what}); try again when it has ended"
            ),
        }
    }
}

fn held(paths: &Paths) -> Option<File> {
    let file = OpenOptions::new().read(true).open(paths.run_lock()).ok()?;
    (flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)).then_some(file)
}

/// The process that holds the lock, if there is one that has described itself.
pub fn lock_holder(paths: &Paths) -> Option<LockHolder> {
    held(paths).and_then(|mut file| LockHolder::named_in(&mut file))
}

/// Whether a process holds the lock now.
pub fn is_running(paths: &Paths) -> bool {
    held(paths).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        assert!(!is_running(&paths));
        let first = RunLock::take(&paths, Direction::Evacuate).unwrap();
        assert!(is_running(&paths));
        let error = RunLock::take(&paths, Direction::Return).unwrap_err().to_string();
        assert!(error.contains(&format!("evacuate, pid {}", std::process::id())), "{error}");
        assert_eq!(lock_holder(&paths).unwrap().pid, std::process::id());
        drop(first);
        // A child that another test is starting has a copy of the descriptor until it executes its program.
        let free = || {
            std::thread::sleep(std::time::Duration::from_millis(10));
            !is_running(&paths)
        };
        assert!((0..500).any(|_| free()));
        RunLock::take(&paths, Direction::Return).unwrap();
    }

    #[test]
    fn what_holds_the_lock_is_called_what_it_is() {
        let said = |activity: Activity| LockHolder { pid: 7, activity }.to_string();
        for &run in Direction::ALL {
            assert!(said(run.into()).ends_with("'sysadm evacuate -l' shows it"), "{run}");
        }
        // A command may look like a run, or contain what looks like another process.
        for other in ["attach web", "detach web", "evacuate --resume", "evacuate", "evacuate, pid 9"] {
            let said = said(other.into());
            assert!(said.contains(&format!("({other}, pid 7)")) && !said.contains("evacuate -l"), "{said}");
        }
    }

    #[test]
    fn a_lock_file_that_does_not_say_who_holds_it_is_held_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let _lock = RunLock::take(&paths, "attach web").unwrap();
        for text in ["", "evacuate, pid 1", "{\"pid\":1}"] {
            std::fs::write(paths.run_lock(), text).unwrap();
            assert!(is_running(&paths) && lock_holder(&paths).is_none(), "{text}");
            assert_eq!(RunLock::take(&paths, Direction::Return).unwrap_err().to_string(), UNNAMED);
        }
    }
}
