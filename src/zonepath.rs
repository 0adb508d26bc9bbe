//! A zone's zonepath, and the manifest that lies in it while the zone is detached.
//!
//! Hosts that share the folder see the same manifest. To attach the zone, a host first claims the manifest by
//! renaming it to a name with the host's own in it: of several hosts at once only one succeeds.
//!
//! ```text
//!                                               ┌──clear──► (none)
//!   (none) ──hold──► SUNWdetached.xml.HOST ─────┤
//!                           ▲                   └──give_back──► SUNWdetached.xml
//!                           └──────────────── claim ────────────────┘
//! ```
//!
//! While a host detaches a zone it already holds the manifest, so that no other host can claim it too early.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::file;
use crate::model::document::{self, DocumentError};
use crate::model::{LocalPath, Manifest, ZoneName};

/// The name of the manifest in the zonepath.
pub const MANIFEST: &str = "SUNWdetached.xml";

/// Why a manifest could not be read, written or claimed.
#[derive(Debug, thiserror::Error)]
pub enum ZonepathError {
    #[error("failed to {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// The path is not UTF-8.
    #[error("the name of {} is not UTF-8; rename it first", path.display())]
    NotText { path: PathBuf },
    /// The file is not a manifest.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ZonepathError {
    move |source| ZonepathError::Io { what, path: path.to_owned(), source }
}

/// Reads a manifest from a file, or from the folder that contains it.
pub fn read(path: &Path) -> Result<Manifest, ZonepathError> {
    let path = if path.is_dir() { path.join(MANIFEST) } else { path.to_owned() };
    let file = crate::file::open(&path).map_err(io("read", &path))?;
    read_from(file, &path.display().to_string())
}

/// Reads a manifest; `name` is the name of the source in errors.
pub fn read_from(reader: impl Read, name: &str) -> Result<Manifest, ZonepathError> {
    Ok(document::read_from(reader, name)?.0)
}

/// The zonepath of the zone whose manifest was read from that path: the folder that was named, or the one that
/// contains both the manifest and the zone's root. None if the manifest lies anywhere else, and for a zone
/// without a zonepath.
///
/// The result is the path as the manifest has it, if that is the path that was named. Otherwise it is the
/// folder's canonical path without symbolic links, since the hosts that share the folder need not share the
/// links.
///
/// # Errors
/// If the canonical path is not UTF-8: a manifest cannot contain it.
pub fn of(manifest: &Manifest, path: &Path) -> Result<Option<PathBuf>, ZonepathError> {
    match folder_of(manifest, path) {
        Some(folder) if folder.to_str().is_none() => Err(ZonepathError::NotText { path: folder }),
        folder => Ok(folder),
    }
}

fn folder_of(manifest: &Manifest, path: &Path) -> Option<PathBuf> {
    let before = manifest.zonepath()?;
    let root = manifest.disks.iter().find(|disk| disk.target == "/")?;
    let LocalPath::Dir(root) = root.source.local_path()? else { return None };
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

/// The zone whose manifest lies in that zonepath.
///
/// # Errors
/// Also if the file there is not a manifest.
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

/// Why only another zone may use that zonepath; none if it is free or belongs to the zone with this UUID.
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

/// Replaces the manifest in a zonepath.
pub fn replace(zonepath: &Path, text: &str) -> Result<(), ZonepathError> {
    let path = zonepath.join(MANIFEST);
    file::replace(&path, text, 0o644).map_err(io("write", &path))
}

/// Writes a manifest into its zonepath, already claimed by that host: other hosts cannot see it before [`give_back`].
pub fn hold(zonepath: &Path, host: &str, text: &str) -> Result<(), ZonepathError> {
    clear_claims(zonepath)?;
    let path = claim_of(zonepath, host);
    file::replace(&path, text, 0o644).map_err(io("write", &path))
}

/// Claims a zone's manifest for that host. False if there is none; true also if this host has claimed it before.
pub fn claim(zonepath: &Path, host: &str) -> Result<bool, ZonepathError> {
    let (path, claimed) = (zonepath.join(MANIFEST), claim_of(zonepath, host));
    match std::fs::rename(&path, &claimed) {
        Ok(()) => file::sync_folder(&path).map(|()| true).map_err(io("take", &path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(claimed.is_file()),
        Err(error) => Err(io("take", &path)(error)),
    }
}

/// Whether that host has claimed the manifest, and has not yet cleared it or given it back.
pub fn is_claimed(zonepath: &Path, host: &str) -> bool {
    claim_of(zonepath, host).is_file()
}

/// Lets other hosts claim the manifest that this host holds.
pub fn give_back(zonepath: &Path, host: &str) -> Result<(), ZonepathError> {
    let path = zonepath.join(MANIFEST);
    std::fs::rename(claim_of(zonepath, host), &path)
        .and_then(|()| file::sync_folder(&path))
        .map_err(io("give back", &path))
}

/// Removes that zone's manifest, whichever host has claimed it: the zone is attached.
pub fn clear(zonepath: &Path, uuid: Uuid) -> Result<(), ZonepathError> {
    clear_claims(zonepath)?;
    if owner(zonepath)?.is_some_and(|(_, owner)| owner == uuid) {
        let path = zonepath.join(MANIFEST);
        remove(&path).and_then(|()| file::sync_folder(&path)).map_err(io("remove", &path))?;
    }
    Ok(())
}

/// Removes claims that an interruption left behind; they would be taken for new ones.
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
