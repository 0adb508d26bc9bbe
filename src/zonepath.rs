//! A zone's own folder, and the manifest that lies in it while the zone is detached.
//!
//! Hosts that share the folder see the same manifest. Whoever attaches the zone takes it first, under a name that
//! says who that is: of several hosts at once only one can.
//!
//! ```text
//!                                               ┌──clear──► (none)
//!   (none) ──hold──► SUNWdetached.xml.HOST ─────┤
//!                           ▲                   └──give_back──► SUNWdetached.xml
//!                           └──────────────── claim ────────────────┘
//! ```
//!
//! While a host detaches a zone its manifest is in the host's own hands, so that no other one takes it too early.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::file;
use crate::model::document::{self, DocumentError};
use crate::model::{DiskSource, Manifest, ZoneName};

/// The name of the manifest in the zonepath.
pub const MANIFEST: &str = "SUNWdetached.xml";

/// Why a manifest could not be read, written or taken.
#[derive(Debug, thiserror::Error)]
pub enum ZonepathError {
    /// It could not be used.
    #[error("failed to {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// No zonepath can be called so.
    #[error("the name of {} is not UTF-8; rename it first", path.display())]
    NotText {
        /// What is called so.
        path: PathBuf,
    },
    /// It holds something else.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl crate::model::Hinted for ZonepathError {}

fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ZonepathError {
    move |source| ZonepathError::Io { what, path: path.to_owned(), source }
}

/// The manifest in a file, or in a folder that holds one.
///
/// # Errors
/// If there is none, or something else.
pub fn read(path: &Path) -> Result<Manifest, ZonepathError> {
    let path = if path.is_dir() { path.join(MANIFEST) } else { path.to_owned() };
    let file = crate::file::open(&path).map_err(io("read", &path))?;
    read_from(file, &path.display().to_string())
}

/// The manifest that a reader gives; `name` is what it is called in errors.
///
/// # Errors
/// If it cannot be read, or is something else.
pub fn read_from(reader: impl Read, name: &str) -> Result<Manifest, ZonepathError> {
    Ok(document::read_from(reader, name)?.0)
}

/// The folder of the zone whose manifest was read from that path: the folder that was named, or the one that holds the
/// manifest and the zone's root. None for a manifest that lies anywhere else, and for a zone without such a folder.
///
/// It is called as the manifest calls it, if that is how it was named, and else by its own name, without links: hosts
/// that share it need not share links to it.
///
/// # Errors
/// If that name is no text: no manifest can hold it.
pub fn of(manifest: &Manifest, path: &Path) -> Result<Option<PathBuf>, ZonepathError> {
    match folder_of(manifest, path) {
        Some(folder) if folder.to_str().is_none() => Err(ZonepathError::NotText { path: folder }),
        folder => Ok(folder),
    }
}

fn folder_of(manifest: &Manifest, path: &Path) -> Option<PathBuf> {
    let before = manifest.zonepath()?;
    let root = manifest.disks.iter().find(|disk| disk.target == "/")?;
    let DiskSource::Dir(root) = &root.source else { return None };
    let root = root.file_name()?;
    let folder = if path.is_dir() {
        path
    } else {
        let holder = path.parent().filter(|_| path.file_name().is_some_and(|name| name == MANIFEST))?;
        let holder = if holder.as_os_str().is_empty() { Path::new(".") } else { holder };
        Some(holder).filter(|holder| holder.join(root).is_dir())?
    };
    if std::path::absolute(folder).is_ok_and(|folder| folder == before) {
        return Some(before.to_owned());
    }
    folder.canonicalize().ok()
}

/// The zone whose manifest lies in that zonepath; none if none does.
///
/// # Errors
/// If something else lies there.
pub fn owner(zonepath: &Path) -> Result<Option<(ZoneName, Uuid)>, ZonepathError> {
    let path = zonepath.join(MANIFEST);
    match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(io("look at", &path)(error)),
        Ok(about) if about.is_symlink() => {
            Err(io("read", &path)(std::io::Error::other("it is a symbolic link")))
        }
        Ok(_) => read(&path).map(|manifest| Some((manifest.zone.name, manifest.zone.uuid))),
    }
}

/// Why no zone but its own may use that zonepath; none if every one may, or if it is that zone's own.
pub fn occupied(zonepath: &Path, uuid: Uuid) -> Option<String> {
    let holds = |what: &str| format!("its zonepath {} holds {what}", zonepath.display());
    match owner(zonepath) {
        Ok(None) => None,
        Ok(Some((_, owner))) if owner == uuid => None,
        Ok(Some((zone, _))) => {
            Some(holds(&format!("the manifest of another zone, '{zone}', which is detached")))
        }
        Err(error) => Some(holds(&format!("a manifest that is none: {}", crate::model::chain(&error)))),
    }
}

/// Puts another manifest in place of the one that lies in a zonepath.
///
/// # Errors
/// If that cannot be done.
pub fn replace(zonepath: &Path, text: &str) -> Result<(), ZonepathError> {
    let path = zonepath.join(MANIFEST);
    file::replace(&path, text, 0o644).map_err(io("write", &path))
}

/// Puts a manifest into its zonepath, in the hands of that host: others see it when it is given back.
///
/// # Errors
/// If that cannot be done.
pub fn hold(zonepath: &Path, host: &str, text: &str) -> Result<(), ZonepathError> {
    clear_claims(zonepath)?;
    let path = claim_of(zonepath, host);
    file::replace(&path, text, 0o644).map_err(io("write", &path))
}

/// Takes the manifest of a zone for that host. Whether it was there, or was taken by this host before.
///
/// # Errors
/// If that cannot be found out.
pub fn claim(zonepath: &Path, host: &str) -> Result<bool, ZonepathError> {
    let (path, claimed) = (zonepath.join(MANIFEST), claim_of(zonepath, host));
    match std::fs::rename(&path, &claimed) {
        Ok(()) => file::sync_folder(&path).map(|()| true).map_err(io("take", &path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(claimed.is_file()),
        Err(error) => Err(io("take", &path)(error)),
    }
}

/// Whether that host has taken the manifest, and not come to an end with it.
pub fn is_claimed(zonepath: &Path, host: &str) -> bool {
    claim_of(zonepath, host).is_file()
}

/// Lets others have the manifest that this host has in its hands.
///
/// # Errors
/// If that cannot be done.
pub fn give_back(zonepath: &Path, host: &str) -> Result<(), ZonepathError> {
    let path = zonepath.join(MANIFEST);
    std::fs::rename(claim_of(zonepath, host), &path)
        .and_then(|()| file::sync_folder(&path))
        .map_err(io("give back", &path))
}

/// Clears that zone's manifest away, whoever has taken it: the zone is attached.
///
/// # Errors
/// If that cannot be done.
pub fn clear(zonepath: &Path, uuid: Uuid) -> Result<(), ZonepathError> {
    clear_claims(zonepath)?;
    if owner(zonepath)?.is_some_and(|(_, owner)| owner == uuid) {
        let path = zonepath.join(MANIFEST);
        remove(&path).and_then(|()| file::sync_folder(&path)).map_err(io("remove", &path))?;
    }
    Ok(())
}

/// One that was left by an interruption would be taken for today's.
fn clear_claims(zonepath: &Path) -> Result<(), ZonepathError> {
    let entries = match std::fs::read_dir(zonepath) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(io("list", zonepath))?,
    };
    for entry in entries {
        let path = entry.map_err(io("list", zonepath))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.strip_prefix(MANIFEST).is_some_and(|rest| rest.starts_with('.')) {
            remove(&path).map_err(io("remove", &path))?;
        }
    }
    Ok(())
}

fn claim_of(zonepath: &Path, host: &str) -> PathBuf {
    zonepath.join(format!("{MANIFEST}.{}", host.replace('/', "-")))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
