//! One run at a time on a host, and no zone is detached or attached meanwhile: a lock held by a living process, free as
//! soon as that is gone.

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

/// What is said of a holder that has not said yet what it is.
const UNNAMED: &str = "another command is at work on this host's zones; try again when it has ended";

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it, or something else that zones must not move beside.
    #[error("{}", .0.as_ref().map_or_else(|| UNNAMED.to_owned(), LockHolder::to_string))]
    Busy(Option<LockHolder>),
    /// The file cannot be locked.
    #[error("failed to lock {path}")]
    Failed {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl crate::model::Hinted for LockError {}

/// Held while this is alive.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock for what is done, or says who has it.
    ///
    /// # Errors
    /// If something else has it, or the file cannot be locked.
    pub fn take(paths: &Paths, activity: impl Into<Activity>) -> Result<Self, LockError> {
        let path = paths.run_lock();
        let failed = |source| LockError::Failed { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            crate::folder::state(folder).map_err(failed)?;
        }
        // What a link leads to is nobody's lock, and is not emptied.
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
        let mut file = options.open(&path).map_err(failed)?;
        // One that only looks holds it for an instant.
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
    /// An evacuation, return or migration, of which there is a list.
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

/// Who holds the lock. The lock file contains it as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The number of its process.
    pub pid: u32,
    /// What it does.
    pub activity: Activity,
}

impl LockHolder {
    /// None if the file does not say: its holder has it since this instant.
    fn named_in(file: &mut File) -> Option<Self> {
        let mut text = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Which way its zones move, if it is a run, of which there is a list.
    pub const fn direction(&self) -> Option<Direction> {
        match self.activity {
            Activity::Run(direction) => Some(direction),
            Activity::Command(_) => None,
        }
    }

    /// What it does, and the number of its process, for people.
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

/// Who holds the lock now, if somebody does and has said so.
pub fn lock_holder(paths: &Paths) -> Option<LockHolder> {
    held(paths).and_then(|mut file| LockHolder::named_in(&mut file))
}

/// Whether some process holds the lock now.
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
        // A child that another test starts just now has a copy of the descriptor until it has become its program.
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
        // A command may be called as a run, or hold what looks like another process.
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
