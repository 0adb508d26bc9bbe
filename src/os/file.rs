//! Whole files. A file that sysadm writes is either complete under its name or not there at all, even if the disk
//! is full or the power fails.
//!
//! The content is written to a file in the same folder, under an unpredictable name that must not exist yet; it
//! is synced to the disk, and then renamed. If any of that fails, nothing is left behind.
//!
//! | | if the path exists already |
//! |---|---|
//! | [`replace`] | sysadm's own file is replaced. So is a symbolic link, without following it |
//! | [`create`] | it stays, and that is an error |
//! | [`output`] | named by an operator: streams and devices are written to, a file is replaced if the caller recognizes it |

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Error, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// What setup did with a script or another file that it installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// The file is new.
    Installed,
    /// The file had another content, and was replaced.
    Updated,
    /// The file had this content already.
    Unchanged,
    /// The file has another content, and was left as it is.
    Kept,
    Removed,
    /// There was no such file.
    Absent,
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Installed => "installed",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Kept => "edited, left unchanged",
            Self::Removed => "removed",
            Self::Absent => "not installed",
        })
    }
}

/// A file that is written but does not have its final name yet. Dropping it removes it, unless it was given that
/// name.
#[derive(Debug)]
pub struct StagedFile {
    fresh: PathBuf,
    path: PathBuf,
}

impl StagedFile {
    /// Writes the file with exactly this mode.
    pub fn write(path: &Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<Self> {
        Self::fill(path, content.as_ref(), 0o600, |_| mode)
    }

    /// `mode` is given the mode with which the system creates such a file, and returns the one to set.
    fn fill(path: &Path, content: &[u8], first: u32, mode: impl FnOnce(u32) -> u32) -> io::Result<Self> {
        let fresh = beside(path);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(first).open(&fresh)?;
        let draft = Self { fresh, path: path.to_owned() };
        file.write_all(content)?;
        let made = file.metadata()?.permissions().mode() & 0o7777;
        file.set_permissions(Permissions::from_mode(mode(made)))?;
        file.sync_all()?;
        Ok(draft)
    }

    /// Gives the file its final name; an existing file is replaced.
    pub fn replace(self) -> io::Result<()> {
        std::fs::rename(&self.fresh, &self.path)?;
        sync_folder(&self.path)
    }

    /// Gives the file its final name, unless that exists.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] if it does.
    pub fn create(self) -> io::Result<()> {
        name_new(&self.fresh, &self.path)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.fresh);
    }
}

/// Writes one of sysadm's own files with exactly this mode; an existing file is replaced.
///
/// # Errors
/// The existing file is unchanged then.
pub fn replace(path: &Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    StagedFile::write(path, content, mode)?.replace()
}

/// Writes a new file with exactly this mode.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if the path exists.
pub fn create(path: &Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    StagedFile::write(path, content, mode)?.create()
}

/// Writes to a path that an operator named: into a stream or a device, or as a file. An existing file is replaced
/// if it is empty or `is_known` accepts its content; the new file is never readable by more users than the old
/// one.
///
/// # Errors
/// Also if the path exists and must not be replaced.
pub fn output(path: &Path, content: &[u8], is_known: impl FnOnce(&[u8]) -> bool) -> io::Result<()> {
    if let Some(mut stream) = stream(path)? {
        return stream.write_all(content);
    }
    let about = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return StagedFile::fill(path, content, 0o666, |made| made)?.create();
        }
        about => about?,
    };
    if about.is_symlink() {
        return Err(Error::other("it is a symbolic link, which is not followed"));
    }
    if about.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let present = std::fs::read(path)?;
    if !present.is_empty() && !is_known(&present) {
        let text = "there is another file, which is not replaced";
        return Err(Error::new(ErrorKind::AlreadyExists, text));
    }
    let allowed = about.permissions().mode();
    StagedFile::fill(path, content, 0o666, |made| made & allowed)?.replace()
}

/// Opens what is at a path for writing, if it is not a regular file but a stream or a device.
fn stream(path: &Path) -> io::Result<Option<File>> {
    match own_descriptor(path).as_deref() {
        // Opening it again would write from its beginning.
        Some("1") => return standard_output().map(Some),
        Some("2") => return Ok(Some(io::stderr().as_fd().try_clone_to_owned()?.into())),
        Some(_) => return OpenOptions::new().append(true).open(path).map(Some),
        None => {}
    }
    let is_stream = |about: &std::fs::Metadata| !about.is_file() && !about.is_dir();
    if !path.metadata().is_ok_and(|about| is_stream(&about)) {
        return Ok(None);
    }
    let file =
        OpenOptions::new().append(true).custom_flags(OFlags::NOCTTY.bits().cast_signed()).open(path)?;
    let about = file.metadata()?;
    if about.file_type().is_block_device() || !is_stream(&about) {
        return Err(Error::other("it is neither a file nor a stream"));
    }
    Ok(Some(file))
}

/// The number of this process's file descriptor that a path such as `/dev/stdout` leads to.
fn own_descriptor(path: &Path) -> Option<String> {
    let own = Path::new("/proc/self/fd").canonicalize().ok()?;
    let mut path = path.to_owned();
    // The kernel follows 40 symbolic links, too.
    for _ in 0..40 {
        let folder = folder_of(&path);
        if folder.canonicalize().ok()? == own {
            return path.file_name()?.to_str().map(str::to_owned);
        }
        path = folder.join(path.read_link().ok()?);
    }
    None
}

/// Opens a regular file for reading. A pipe without a writer would block its reader for ever, and some devices
/// have no end.
///
/// # Errors
/// Also if the path is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    match file.metadata()?.file_type() {
        kind if kind.is_file() => Ok(file),
        kind if kind.is_dir() => Err(ErrorKind::IsADirectory.into()),
        _ => Err(Error::other("it is not a file")),
    }
}

/// Standard output without a buffer, so that every error of writing is seen.
pub fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// An unpredictable file name in the same folder.
pub fn beside(path: &Path) -> PathBuf {
    folder_of(path).join(format!(".sysadm-{}.tmp", uuid::Uuid::new_v4().simple()))
}

/// Gives a synced file a name, unless that exists. Unlike a rename, a hard link never replaces a file.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if it does.
pub fn name_new(fresh: &Path, path: &Path) -> io::Result<()> {
    match std::fs::hard_link(fresh, path) {
        // Some file systems have no hard links. There a rename must do, after one more look.
        Err(error) if error.kind() != ErrorKind::AlreadyExists && path.symlink_metadata().is_err() => {
            std::fs::rename(fresh, path)?;
        }
        result => result?,
    }
    sync_folder(path)
}

/// Syncs the folder of that file, and so the names in it, to the disk.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
