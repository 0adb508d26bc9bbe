//! This program's own folders: each has the mode that it must have, whatever the umask of whoever makes it.
//!
//! | folder | mode | why |
//! |---|---|---|
//! | `/run/sysadm` | 0711 | QEMU's user passes through it to the sockets of its migration, and lists nothing |
//! | `/run/sysadm/pass`, `hold` | 0700 | they tell what libvirt's hook lets past the lock |
//! | `/var/lib/sysadm` | 0700 | the database, and the socket by which a run is given up |
//! | above them, `/etc/sysadm/tls`, `/etc/sysadm/policies`, `/etc/libvirt/hooks` | 0755, if they are made here | nobody else may put a file there |

use std::fs::{DirBuilder, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// The mode of folders that lead to this program's own.
const ABOVE: u32 = 0o755;

/// Makes a folder, and those above it, where they are missing. One that is there is left as it is.
///
/// # Errors
/// If it cannot be made.
pub fn make(path: &Path, mode: u32) -> Result<()> {
    let create = || {
        DirBuilder::new().mode(mode).create(path)?;
        // The umask is taken off what was asked for.
        std::fs::set_permissions(path, Permissions::from_mode(mode))
    };
    match (create(), path.parent()) {
        (Err(error), Some(above)) if error.kind() == ErrorKind::NotFound => {
            make(above, ABOVE)?;
            create().or_else(|error| unless_there(path, error))
        }
        (made, _) => made.or_else(|error| unless_there(path, error)),
    }
}

/// The same, and one that is there gets that mode, if it is this user's.
///
/// # Errors
/// If it cannot be made or changed.
pub fn keep(path: &Path, mode: u32) -> Result<()> {
    make(path, mode)?;
    let about = path.metadata()?;
    if about.mode() & 0o7777 == mode || about.uid() != rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

/// The folder of what lives no longer than its process, or the system.
///
/// # Errors
/// If it cannot be made as it must be.
pub fn run(path: &Path) -> Result<()> {
    keep(path, 0o711)
}

/// The folder of what must survive.
///
/// # Errors
/// If it cannot be made as it must be.
pub fn state(path: &Path) -> Result<()> {
    keep(path, 0o700)
}

fn unless_there(path: &Path, error: Error) -> Result<()> {
    if error.kind() == ErrorKind::AlreadyExists && path.is_dir() { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    #[test]
    fn folders_of_ours_have_their_mode_and_those_of_others_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let (run_dir, state_dir) = (root.path().join("run/sysadm"), root.path().join("var/lib/sysadm"));
        run(&run_dir).unwrap();
        state(&state_dir).unwrap();
        assert_eq!((mode(&run_dir), mode(&state_dir)), (0o711, 0o700));
        assert_eq!(mode(&root.path().join("var/lib")), 0o755);
        // As somebody else has made them before.
        for (folder, mode) in [(&run_dir, 0o700), (&state_dir, 0o777)] {
            std::fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
        }
        run(&run_dir).unwrap();
        state(&state_dir).unwrap();
        assert_eq!((mode(&run_dir), mode(&state_dir)), (0o711, 0o700));
        make(&run_dir, 0o755).unwrap();
        assert_eq!(mode(&run_dir), 0o711);
    }

    #[test]
    fn what_is_no_folder_is_an_error_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("run");
        std::fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("sysadm")] {
            assert!(make(&path, 0o711).is_err() && keep(&path, 0o711).is_err());
        }
        assert!(file.is_file());
    }
}
