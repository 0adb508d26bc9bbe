//! Whole files. Whatever sysadm writes as a file is all there under its name or not there at all, also on a full disk
//! and after a power loss.
//!
//! The content is written beside the file that it will be, under a name that nobody can foresee and that must not exist
//! yet, is given to the disk, and gets its name then. If any of that fails nothing is left behind.
//!
//! | | what is at the path already |
//! |---|---|
//! | [`replace`] | a file of sysadm's own: it goes. A symbolic link goes too, and is not followed |
//! | [`create`] | nothing: whatever is there stays, and that is an error |
//! | [`output`] | what an operator has named: streams and devices are written to, a file goes if the caller knows it |

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Error, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// What was done with a script, or with another file that setup installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It is new here.
    Installed,
    /// It was there in another form.
    Updated,
    /// It was there already.
    Unchanged,
    /// It was there in another form, which stays.
    Kept,
    /// It was taken away.
    Removed,
    /// It was not there.
    Absent,
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Installed => "installed",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Kept => "edited, stays as it is",
            Self::Removed => "removed",
            Self::Absent => "not installed",
        })
    }
}

/// A content that lies beside the file that it will be. It goes with this, unless it gets its name.
#[derive(Debug)]
pub struct Draft {
    fresh: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Writes it, with exactly these rights.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn write(path: &Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<Self> {
        Self::fill(path, content.as_ref(), 0o600, |_| mode)
    }

    /// The rights are known when it is seen with which ones such a file is made.
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

    /// Gives it its name, in place of what has it.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn replace(self) -> io::Result<()> {
        std::fs::rename(&self.fresh, &self.path)?;
        sync_folder(&self.path)
    }

    /// Gives it its name, unless something has it.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], or if that cannot be done.
    pub fn create(self) -> io::Result<()> {
        name_new(&self.fresh, &self.path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.fresh);
    }
}

/// Writes a file of sysadm's own with exactly these rights, in place of what is there.
///
/// # Errors
/// If that cannot be done; what was there is as it was.
pub fn replace(path: &Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    Draft::write(path, content, mode)?.replace()
}

/// Writes a file that must not be there yet, with exactly these rights.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`], or if that cannot be done.
pub fn create(path: &Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    Draft::write(path, content, mode)?.create()
}

/// Writes what an operator wants to have at a path that they have named: into a stream or a device, or as a file. A file
/// that is there is replaced if it is empty or `is_known` by its content; its rights do not grow.
///
/// # Errors
/// If that cannot be done, or something is there that is not to be replaced.
pub fn output(path: &Path, content: &[u8], is_known: impl FnOnce(&[u8]) -> bool) -> io::Result<()> {
    if let Some(mut stream) = stream(path)? {
        return stream.write_all(content);
    }
    let about = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Draft::fill(path, content, 0o666, |made| made)?.create();
        }
        about => about?,
    };
    if about.is_symlink() {
        return Err(Error::other("it is a symbolic link, which is not followed; name the file itself"));
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
    Draft::fill(path, content, 0o666, |made| made & allowed)?.replace()
}

/// What is at a path, if it is not a file but something that is written to.
fn stream(path: &Path) -> io::Result<Option<File>> {
    match own_descriptor(path).as_deref() {
        // To open it anew would begin at its start again.
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

/// The number of the descriptor of this process that a path like `/dev/stdout` stands for.
fn own_descriptor(path: &Path) -> Option<String> {
    let own = Path::new("/proc/self/fd").canonicalize().ok()?;
    let mut path = path.to_owned();
    // As many links as the kernel follows.
    for _ in 0..40 {
        let folder = folder_of(&path);
        if folder.canonicalize().ok()? == own {
            return path.file_name()?.to_str().map(str::to_owned);
        }
        path = folder.join(path.read_link().ok()?);
    }
    None
}

/// Opens what is a file to read it. A pipe without a writer would keep its reader waiting for ever, and some devices have
/// no end.
///
/// # Errors
/// If it is something else, or cannot be read.
pub fn open(path: &Path) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    match file.metadata()?.file_type() {
        kind if kind.is_file() => Ok(file),
        kind if kind.is_dir() => Err(ErrorKind::IsADirectory.into()),
        _ => Err(Error::other("it is not a file")),
    }
}

/// Standard output as it is: without a buffer that hides what could not be written.
///
/// # Errors
/// If there is none.
pub fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// A name in the folder of that file that nobody can foresee.
pub fn beside(path: &Path) -> PathBuf {
    folder_of(path).join(format!(".sysadm-{}.tmp", uuid::Uuid::new_v4().simple()))
}

/// Gives a file that is on the disk a name, unless something has it. A link, unlike a rename, never replaces anything.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`], or if that cannot be done.
pub fn name_new(fresh: &Path, path: &Path) -> io::Result<()> {
    match std::fs::hard_link(fresh, path) {
        // Some file systems know no links: there a rename must do, after one more look.
        Err(error) if error.kind() != ErrorKind::AlreadyExists && path.symlink_metadata().is_err() => {
            std::fs::rename(fresh, path)?;
        }
        result => result?,
    }
    sync_folder(path)
}

/// Gives the names in the folder of that file to the disk.
///
/// # Errors
/// If that cannot be done.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
