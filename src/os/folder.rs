//! This program's own folders: each has exactly the mode that it needs, whatever the umask.
//!
//! | folder | mode | why |
//! |---|---|---|
//! | `/run/sysadm` | 0711 | QEMU's user must reach the sockets of its migration, but not list the folder |
//! | `/run/sysadm/pass`, `hold` | 0700 | they decide what libvirt's hook lets pass in maintenance |
//! | `/var/lib/sysadm` | 0700 | the database, and the socket by which a run is cancelled |
//! | their parents, `/etc/sysadm/tls`, `/etc/sysadm/policies`, `/etc/libvirt/hooks` | 0755, if they are created here | nobody else may put a file there |

use std::fs::{DirBuilder, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// The mode of parents of this program's own folders.
const ABOVE: u32 = 0o755;

/// Creates a folder and its missing parents. An existing folder is left as it is.
pub fn make(path: &Path, mode: u32) -> Result<()> {
    let create = || {
        DirBuilder::new().mode(mode).create(path)?;
        // Creating it is subject to the umask.
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

/// As [`make`], but an existing folder gets that mode, too, if this user owns it.
pub fn keep(path: &Path, mode: u32) -> Result<()> {
    make(path, mode)?;
    let about = path.metadata()?;
    if about.mode() & 0o7777 == mode || about.uid() != rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Creates the folder of files that need not survive a reboot.
pub fn run(path: &Path) -> Result<()> {
    keep(path, 0o711)
}

/// Creates the folder of files that must survive a reboot.
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
        // As another program may have made them before.
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
