//! One run at a time on a host, and no zone is detached or attached meanwhile: a lock held by a living process, free as
//! soon as that is gone.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::paths::Paths;
use crate::store::Direction;

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it, or something else that zones must not move beside.
    #[error("{0}")]
    Busy(LockHolder),
    /// The file cannot be locked.
    #[error("failed to lock {path}")]
    Failed {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Held while this is alive.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock for what is done, or says who has it.
    pub fn take(paths: &Paths, what: impl fmt::Display) -> Result<Self, LockError> {
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
                    let holder = format!("{what}, pid {}", std::process::id());
                    file.set_len(0).and_then(|()| file.write_all(holder.as_bytes())).map_err(failed)?;
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

/// What holds the lock: what it does, and the number of its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder(String);

impl LockHolder {
    fn named_in(file: &mut File) -> Self {
        let mut text = String::new();
        let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
        Self(text)
    }

    /// The number of its process.
    pub fn pid(&self) -> Option<u32> {
        self.0.rsplit_once(", pid ")?.1.parse().ok()
    }

    /// What it does, and the number of its process, for people.
    pub fn what(&self) -> &str {
        &self.0
    }

    /// Which way its zones move, if it is a run, of which there is a list.
    pub fn direction(&self) -> Option<Direction> {
        self.0.rsplit_once(", pid ")?.0.parse().ok()
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.0;
        if self.direction().is_some() {
            write!(
                f,
                "another evacuation, return or migration is in progress ({what}); 'sysadm evacuate -l' shows it"
            )
        } else {
            write!(f, "another command is at work on this host's zones ({what}); try again when it has ended")
        }
    }
}

/// What holds the lock now, if something does.
pub fn lock_holder(paths: &Paths) -> Option<LockHolder> {
    let mut file = OpenOptions::new().read(true).open(paths.run_lock()).ok()?;
    let is_held = flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK);
    is_held.then(|| LockHolder::named_in(&mut file))
}

/// Whether some process holds the lock now.
pub fn is_running(paths: &Paths) -> bool {
    lock_holder(paths).is_some()
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
        assert_eq!(lock_holder(&paths).unwrap().pid(), Some(std::process::id()));
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
        let said = |what: &str| LockHolder(format!("{what}, pid 7")).to_string();
        for run in Direction::ALL {
            assert!(said(run.as_str()).ends_with("'sysadm evacuate -l' shows it"), "{run}");
        }
        for other in ["attach web", "detach web", "evacuate --resume", ""] {
            let said = said(other);
            assert!(said.contains(&format!("({other}, pid 7)")) && !said.contains("evacuate -l"), "{said}");
        }
        assert_eq!(LockHolder(String::new()).pid(), None);
    }
}
