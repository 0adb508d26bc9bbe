//! Maintenance below the tool: hook scripts that make libvirt itself refuse to start or receive zones.
//!
//! libvirt runs `/etc/libvirt/hooks/qemu`, then every script in `/etc/libvirt/hooks/qemu.d/` (since 6.5; live
//! migration needs 6.8 anyway), and likewise for `lxc`. Ours is installed in that folder, so an existing hook is
//! neither changed nor replaced. The script only looks for the marker file of [`crate::maintenance`]: it takes
//! about a millisecond, works even if sysadm is broken or removed, and refuses only while the marker exists or
//! the zone's boot is blocked: see [`boot_lock`](crate::boot_lock).

use std::path::{Path, PathBuf};

use crate::file::{self, FileChange};
use crate::model::Message;
use crate::paths::Paths;

use super::{Driver, Libvirt};
use crate::platform::{EnforcerError, MaintenanceEnforcer};

/// The script, with a placeholder for the marker's path.
const SCRIPT: &str = include_str!("hook.sh");

/// The kind of error for a script that is not ours.
const NOT_OURS: std::io::ErrorKind = std::io::ErrorKind::AlreadyExists;

/// A line that every version of our script contains.
const SIGNATURE: &str = "# Installed by 'sysadm setup'";

fn scripts(paths: &Paths) -> impl Iterator<Item = PathBuf> {
    let folder = paths.libvirt_hooks();
    // First in the folder's alphabetical order.
    Driver::ALL.into_iter().map(move |driver| folder.join(format!("{}.d", driver.folder())).join("00-sysadm"))
}

impl MaintenanceEnforcer for Libvirt {
    fn install(&self) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError> {
        install(&self.paths)
    }

    fn uninstall(&self) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError> {
        uninstall(&self.paths)
    }

    fn gap(&self) -> Option<Message> {
        let missing = scripts(&self.paths).find(|path| must_be_ours(path).is_err())?;
        let fact =
            format!("libvirt does not enforce maintenance: the hook {} is not installed", missing.display());
        Some(Message::from(fact).with_hint("install it: sysadm setup"))
    }

    fn note(&self, changes: &[(PathBuf, FileChange)]) -> Option<Message> {
        let is_new = changes.iter().any(|(_, change)| *change == FileChange::Installed);
        let fact = Message::from("libvirt loads new hooks only when it starts");
        is_new.then(|| {
            fact.with_hint("restart it (running zones are not affected): systemctl restart libvirtd")
        })
    }
}

/// Installs the hooks. Repeating it changes nothing.
fn install(paths: &Paths) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError> {
    let text = SCRIPT
        .replace("@MARKER@", &paths.lock_marker().display().to_string())
        .replace("@PERMITS@", &paths.boot_permits().display().to_string())
        .replace("@BLOCKS@", &paths.boot_blocks().display().to_string());
    scripts(paths)
        .map(|path| {
            let change =
                write_script(&path, &text).map_err(|source| EnforcerError { path: path.clone(), source })?;
            Ok((path, change))
        })
        .collect()
}

/// Removes the hooks.
fn uninstall(paths: &Paths) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError> {
    scripts(paths)
        .map(|path| match must_be_ours(&path).and_then(|_| std::fs::remove_file(&path)) {
            Ok(()) => {
                // A folder that is empty now was created by us.
                let _ = path.parent().map(std::fs::remove_dir);
                Ok((path, FileChange::Removed))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((path, FileChange::Absent)),
            Err(error) if error.kind() == NOT_OURS => Ok((path, FileChange::Kept)),
            Err(source) => Err(EnforcerError { path, source }),
        })
        .collect()
}

fn write_script(path: &Path, text: &str) -> std::io::Result<FileChange> {
    let present = match must_be_ours(path) {
        Ok(present) if present == text => return Ok(FileChange::Unchanged),
        Ok(_) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if let Some(folder) = path.parent() {
        crate::folder::make(folder, 0o755)?;
    }
    // libvirt may run it at any moment: it must be complete or absent.
    file::replace(path, text, 0o755)?;
    Ok(if present { FileChange::Updated } else { FileChange::Installed })
}

/// The text of an existing script. A script of another origin is neither replaced nor removed.
fn must_be_ours(path: &Path) -> std::io::Result<String> {
    // The kind is what the error is known by where it is handled, and where its hint comes from.
    let strange = || std::io::Error::new(NOT_OURS, "it is not a hook of sysadm");
    if path.symlink_metadata()?.is_symlink() {
        return Err(strange());
    }
    let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    if text.contains(SIGNATURE) { Ok(text) } else { Err(strange()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot_lock::{BootBlock, BootPermit, blocked_by, is_permitted};
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn run(script: &Path, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(script).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    }

    #[test]
    fn a_script_of_somebody_elses_is_neither_replaced_nor_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let path = install(&paths).unwrap().remove(0).0;
        let put = |link: bool| {
            std::fs::remove_file(&path).unwrap();
            let other = folder.path().join("other");
            std::fs::write(if link { &other } else { &path }, "#!/bin/sh\nexit 0\n").unwrap();
            link.then(|| std::os::unix::fs::symlink(&other, &path).unwrap());
        };
        for link in [false, true] {
            put(link);
            let said = crate::model::chain(&install(&paths).unwrap_err());
            assert!(said.ends_with("00-sysadm: it is not a hook of sysadm"), "{said}");
            assert_eq!(uninstall(&paths).unwrap()[0].1, FileChange::Kept);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "#!/bin/sh\nexit 0\n");
            assert_eq!(path.is_symlink(), link);
        }
    }

    #[test]
    fn installing_twice_changes_nothing_and_removing_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let changes = |result: Result<Vec<(PathBuf, FileChange)>, EnforcerError>| {
            result.unwrap().into_iter().map(|(_, change)| change).collect::<Vec<_>>()
        };
        assert_eq!(changes(install(&paths)), [FileChange::Installed; 2]);
        assert_eq!(changes(install(&paths)), [FileChange::Unchanged; 2]);
        assert_eq!(changes(uninstall(&paths)), [FileChange::Removed; 2]);
        assert_eq!(changes(uninstall(&paths)), [FileChange::Absent; 2]);
        assert_eq!(std::fs::read_dir(paths.libvirt_hooks()).unwrap().count(), 0);
    }

    fn boots(script: &Path, xml: &str) -> bool {
        let mut command = Command::new(script);
        command.args(["web", "prepare", "begin", "-"]).stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // A script that does not need all of its input may have ended.
        let _ = child.stdin.take().unwrap().write_all(xml.as_bytes());
        child.wait().unwrap().success()
    }

    #[test]
    fn a_pass_lets_its_own_zone_past_the_lock_while_its_giver_lives() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let script = install(&paths).unwrap().remove(0).0;
        std::fs::create_dir_all(paths.state_dir()).unwrap();
        std::fs::write(paths.lock_marker(), "admin\n").unwrap();
        let (ours, other) = (uuid::Uuid::from_u128(7), uuid::Uuid::from_u128(8));
        let xml = |uuid: uuid::Uuid| {
            format!("<domain type='kvm'>\n  <name>web</name>\n  <uuid>{uuid}</uuid>\n</domain>\n")
        };
        assert!(!boots(&script, &xml(ours)));
        let pass = BootPermit::new(&paths, ours).unwrap();
        assert!(boots(&script, &xml(ours)) && is_permitted(&paths, ours));
        assert!(!boots(&script, &xml(other)) && !is_permitted(&paths, other));
        // What an owner can add to the XML comes after the real UUID.
        let trick = xml(other).replace("</domain>", &format!("  <uuid>{ours}</uuid>\n</domain>"));
        assert!(!boots(&script, &trick));
        assert!(!boots(&script, "<uuid>../../maintenance</uuid>") && !boots(&script, ""));
        drop(pass);
        assert!(!boots(&script, &xml(ours)) && !is_permitted(&paths, ours));
        // A permit that a killed process has left behind: no process has that id.
        std::fs::write(paths.boot_permits().join(ours.to_string()), "4194305\n7\n").unwrap();
        assert!(!boots(&script, &xml(ours)) && !is_permitted(&paths, ours));
    }

    /// A program with an awkward name that waits for the end of its input.
    fn waiting(folder: &Path) -> std::process::Child {
        let program = folder.join("a) S (1 2) 3");
        std::os::unix::fs::symlink("/bin/sh", &program).unwrap();
        Command::new(program).args(["-c", "read -r line"]).stdin(Stdio::piped()).spawn().unwrap()
    }

    #[test]
    fn a_slip_is_its_givers_alone_and_not_that_of_a_process_with_its_number_of_before() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let script = install(&paths).unwrap().remove(0).0;
        let uuid = uuid::Uuid::from_u128(7);
        let xml = format!("<domain type='kvm'>\n  <uuid>{uuid}</uuid>\n</domain>\n");
        drop(BootBlock::new(&paths, uuid).unwrap());
        let mut other = waiting(folder.path());
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", other.id())).unwrap();
        let start: u64 = stat.split(' ').rev().nth(52 - 22).unwrap().parse().unwrap();
        for (text, holds) in [
            (format!("{}\n{start}\n", other.id()), true),
            (format!("{}\n{}\n", other.id(), start - 1), false),
            // As an older version wrote it.
            (format!("{}\n", other.id()), true),
            (String::new(), false),
        ] {
            std::fs::write(paths.boot_blocks().join(uuid.to_string()), &text).unwrap();
            assert_eq!(blocked_by(&paths, uuid), holds.then(|| other.id().to_string()), "{text:?}");
            assert_eq!(boots(&script, &xml), !holds, "{text:?}");
        }
        drop(other.stdin.take());
        other.wait().unwrap();
    }

    #[test]
    fn who_is_kept_from_booting_a_zone_is_told_what_helps() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let script = install(&paths).unwrap().remove(0).0;
        let uuid = uuid::Uuid::from_u128(7);
        let _hold = BootBlock::new(&paths, uuid).unwrap();
        std::fs::write(folder.path().join("xml"), format!("<uuid>{uuid}</uuid>\n")).unwrap();
        let xml = std::fs::File::open(folder.path().join("xml")).unwrap();
        let output = Command::new(script).args(["web", "prepare", "begin", "-"]).stdin(xml).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("'sysadm evacuate --resume' on the host"), "{said}");
        assert!(said.contains(&format!("or end process {}\n", std::process::id())), "{said}");
    }

    #[test]
    fn a_zone_is_called_by_its_name_whatever_that_is() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let script = install(&paths).unwrap().remove(0).0;
        std::fs::create_dir_all(paths.state_dir()).unwrap();
        std::fs::write(paths.lock_marker(), "admin since today by ada\n").unwrap();
        for name in ["Windows 10", "müller", "-n", r"a\cb\033[2J", "100%s", "it's", "$(id)`id`", "*"] {
            let (allowed, text) = run(&script, &[name, "prepare", "begin", "-"]);
            let told = "boot prevented due to system maintenance: see sysadm(8) [admin since today by ada]";
            assert_eq!((allowed, text), (false, format!("zone '{name}': {told}\n")));
        }
    }

    #[test]
    fn a_zone_that_is_held_is_not_booted_while_its_holder_lives() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let script = install(&paths).unwrap().remove(0).0;
        let (ours, other) = (uuid::Uuid::from_u128(7), uuid::Uuid::from_u128(8));
        let xml = |uuid: uuid::Uuid| format!("<domain type='kvm'>\n  <uuid>{uuid}</uuid>\n</domain>\n");
        let hold = BootBlock::new(&paths, ours).unwrap();
        assert_eq!(blocked_by(&paths, ours), Some(std::process::id().to_string()));
        assert!(!boots(&script, &xml(ours)) && boots(&script, &xml(other)) && boots(&script, ""));
        // Not even with a permit, and without the maintenance lock.
        let pass = BootPermit::new(&paths, ours).unwrap();
        std::fs::create_dir_all(paths.state_dir()).unwrap();
        assert!(!boots(&script, &xml(ours)));
        std::fs::write(paths.lock_marker(), "admin\n").unwrap();
        assert!(!boots(&script, &xml(ours)));
        drop(hold);
        assert!(boots(&script, &xml(ours)) && blocked_by(&paths, ours).is_none());
        drop(pass);
        std::fs::remove_file(paths.lock_marker()).unwrap();
        std::fs::write(paths.boot_blocks().join(ours.to_string()), "4194305\n7\n").unwrap();
        assert!(boots(&script, &xml(ours)), "its holder is gone");
    }

    #[test]
    fn starts_and_arrivals_are_refused_only_while_the_marker_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        let script = install(&paths).unwrap().remove(0).0;
        assert!(run(&script, &["evac4", "prepare", "begin", "-"]).0);
        std::fs::create_dir_all(paths.state_dir()).unwrap();
        std::fs::write(paths.lock_marker(), "admin since today by ada\n").unwrap();
        for operation in ["prepare", "migrate", "restore"] {
            let (allowed, text) = run(&script, &["evac4", operation, "begin", "-"]);
            assert!(!allowed, "{operation}");
            assert!(text.contains("prevented due to system maintenance: see sysadm(8)"), "{text}");
            assert!(text.contains("admin since today by ada") && text.contains("'evac4'"), "{text}");
        }
        // Refusing these would end running zones.
        for operation in ["reconnect", "start", "started", "stopped", "release", "attach"] {
            assert!(run(&script, &["evac4", operation, "begin", "-"]).0, "{operation}");
        }
    }
}
