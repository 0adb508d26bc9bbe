//! Finds out whether two hosts see the same storage.
//!
//! A path that exists on both hosts proves nothing: there may be two copies. So the zone's host leaves a marker
//! (a small file with random contents) beside each writable disk, the other host looks for it, and the marker is
//! removed. Where no marker can be left (a device, a read-only folder), a fingerprint of the contents is
//! compared.

mod servers;

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ring::digest::{Context, SHA256};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::file;
use crate::model::{Blocker, BlockerKind, Disk, LocalPath, Manifest, Presence, StorageUri, chain};
use crate::platform::linux::{device_folder, device_name};
use servers::reach;

/// Maximum number of markers at the same time.
const MANY: usize = 16_384;

/// The beginning of markers' file names.
const PREFIX: &str = ".sysadm-probe-";

/// A zone as it is offered to other hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The zone's configuration.
    pub manifest: Manifest,
    /// What distinguishes its storage from other storage.
    pub ticket: ProbeTicket,
    /// The hosts that may take the zone from here, besides this host itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
}

/// The markers of one probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeTicket {
    /// One for each piece of storage, in the order of the manifest.
    pub marks: Vec<Mark>,
}

/// How to recognize one piece of storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub disk: Disk,
    /// What proves that it is the same.
    pub proof: Proof,
}

/// How storage is recognized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A file that has this content now.
    File {
        path: PathBuf,
        /// Its whole content.
        content: String,
    },
    /// The fingerprint of its contents.
    Fingerprint(String),
    /// Its servers can be reached.
    Servers,
    /// It does not exist, and need not.
    Absent,
    /// The zone's host could not produce a proof.
    None { reason: String },
}

/// What the other host sees of one piece of storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskView {
    /// Where it was looked for.
    pub source: StorageUri,
    /// What was found.
    #[serde(flatten)]
    pub seen: Seen,
}

/// The result for one piece of storage. Empty: it is the same, as far as that can be known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Why the zone cannot use it.
    pub problem: Option<String>,
    /// What the administrator must be told although the zone can use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Seen {
    fn problem(reason: impl Into<String>) -> Self {
        Self { problem: Some(reason.into()), note: None }
    }

    fn note(text: impl Into<String>) -> Self {
        Self { problem: None, note: Some(text.into()) }
    }
}

impl From<Option<String>> for Seen {
    fn from(problem: Option<String>) -> Self {
        Self { problem, note: None }
    }
}

impl DiskView {
    /// The problem as a blocker.
    pub fn blocker(&self) -> Option<Blocker> {
        let problem = self.seen.problem.as_ref()?;
        Some(Blocker::new(BlockerKind::Storage, format!("storage {} {problem}", self.source.label())))
    }

    /// The note, if there is no problem.
    pub fn note(&self) -> Option<String> {
        let note = self.seen.note.as_ref()?;
        Some(format!("storage {} {note}", self.source.label()))
    }
}

/// The markers that this host has left and not yet removed.
#[derive(Debug, Default)]
pub struct Markers {
    left: Mutex<HashSet<PathBuf>>,
}

impl Markers {
    /// Leaves a marker at each disk, or produces another proof if that is not possible.
    pub fn leave(&self, disks: &[Disk]) -> ProbeTicket {
        // Disks in one folder share a marker.
        let mut folders = BTreeMap::new();
        let marks = disks.iter().map(|disk| {
            let may_be_missing = !disk.presence.is_needed();
            let proof = match (disk.source.local_path(), disk.readonly) {
                (None, _) => Proof::Servers,
                (Some(local), _) if may_be_missing && is_missing(local.path()) => Proof::Absent,
                (Some(LocalPath::Device(path)), _) | (Some(LocalPath::File(path)), true) => by_content(path),
                (Some(LocalPath::File(path)), false) if is_block_device(path) => by_content(path),
                (Some(LocalPath::Dir(path)), _) => self.mark_in(path, &mut folders),
                (Some(LocalPath::File(path)), false) => match (path.try_exists(), path.parent()) {
                    (Ok(true), Some(folder)) => self.mark_in(folder, &mut folders),
                    _ => Proof::None { reason: "is missing on its own host".to_owned() },
                },
            };
            Mark { disk: disk.clone(), proof }
        });
        ProbeTicket { marks: marks.collect() }
    }

    fn mark_in(&self, folder: &Path, known: &mut BTreeMap<PathBuf, Proof>) -> Proof {
        let make = || {
            if self.left.lock().unwrap_or_else(PoisonError::into_inner).len() >= MANY {
                return Proof::None { reason: format!("{MANY} marks are left already and not taken away") };
            }
            let path = folder.join(format!("{PREFIX}{}", uuid::Uuid::new_v4().simple()));
            let content = uuid::Uuid::new_v4().to_string();
            match file::create(&path, &content, 0o644) {
                Ok(()) => {
                    self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
                    Proof::File { path, content }
                }
                Err(error) => Proof::None {
                    reason: format!("cannot be marked on its own host, in its folder: {}", chain(&error)),
                },
            }
        };
        known.entry(folder.to_owned()).or_insert_with(make).clone()
    }

    /// Removes markers that this host has left; others are not touched.
    pub fn take_away(&self, ticket: &ProbeTicket) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        for mark in &ticket.marks {
            if let Proof::File { path, .. } = &mark.proof
                && left.remove(path)
            {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

impl Drop for Markers {
    fn drop(&mut self) {
        for path in self.left.get_mut().unwrap_or_else(PoisonError::into_inner).drain() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Looks for each marker from this host.
pub async fn verify(ticket: &ProbeTicket) -> Vec<DiskView> {
    let views = ticket.marks.iter().map(|mark| async {
        let seen = match (&mark.proof, mark.disk.source.local_path()) {
            (Proof::Servers, None) => reach(mark.disk.source.scheme(), mark.disk.source.servers()).await,
            (Proof::Absent, _) => absent(&mark.disk, "is missing on its own host"),
            (Proof::File { .. } | Proof::Fingerprint(_), _) if stays_behind(&mark.disk) => {
                absent(&mark.disk, GONE)
            }
            (proof, local) => compare(proof, local).into(),
        };
        DiskView { source: mark.disk.source.clone(), seen }
    });
    futures_util::future::join_all(views).await
}

/// Looks for storage without a proof that it is the same: whether it exists, and is of the right kind.
pub async fn find(disks: &[Disk]) -> Vec<DiskView> {
    let views = disks.iter().map(|disk| async {
        let seen = match disk.source.local_path() {
            None => reach(disk.source.scheme(), disk.source.servers()).await,
            Some(local) if !disk.presence.is_needed() && is_missing(local.path()) => absent(disk, GONE),
            // libvirt takes a block device for a file, too.
            Some(LocalPath::File(path)) => {
                not_a(path, "file", |kind| kind.is_file() || kind.is_block_device()).into()
            }
            Some(LocalPath::Dir(path)) => not_a(path, "folder", std::fs::FileType::is_dir).into(),
            Some(LocalPath::Device(path)) => not_a(path, "block device", FileTypeExt::is_block_device).into(),
        };
        DiskView { source: disk.source.clone(), seen }
    });
    futures_util::future::join_all(views).await
}

/// The note for storage that does not exist at the destination.
const GONE: &str = "stays behind: it is missing";

/// The result for storage that does not exist, and need not.
fn absent(disk: &Disk, why: &str) -> Seen {
    match (disk.presence, disk.source.local_path()) {
        // A peer's word alone.
        (Presence::Needed, _) => Seen::problem(why),
        (Presence::Optional, _) => Seen::note(format!("{why}; the zone does without it")),
        (Presence::Made, Some(LocalPath::File(path))) if path.parent().is_some_and(is_missing) => {
            Seen::problem("cannot be made there: its folder is missing")
        }
        (Presence::Made, _) => Seen::default(),
    }
}

/// Whether it exists at its own host and not here, and the zone comes without it. Storage that the zone would
/// create is not left behind.
fn stays_behind(disk: &Disk) -> bool {
    disk.presence == Presence::Optional
        && disk.source.local_path().is_some_and(|local| is_missing(local.path()))
}

fn is_missing(path: &Path) -> bool {
    path.metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn is_block_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.file_type().is_block_device())
}

fn not_a(path: &Path, kind: &str, is_so: impl Fn(&std::fs::FileType) -> bool) -> Option<String> {
    match path.metadata() {
        Ok(about) if is_so(&about.file_type()) => None,
        Ok(_) => Some(format!("is there, but it is no {kind}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("is missing".to_owned()),
        Err(error) => Some(format!("cannot be looked at: {}", chain(&error))),
    }
}

fn compare(proof: &Proof, local: Option<LocalPath<'_>>) -> Option<String> {
    match (proof, local) {
        (Proof::None { reason }, _) => Some(reason.clone()),
        (Proof::File { path, content }, Some(LocalPath::File(disk) | LocalPath::Dir(disk))) => {
            // What a peer names must be a mark in the disk's own folder, and nothing else.
            let in_folder = path.parent() == disk.parent() || path.parent() == Some(disk);
            let named =
                path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
            if !in_folder || !named {
                return Some("the mark is not beside it".to_owned());
            }
            match (disk.try_exists(), read_start(path, 64)) {
                (Ok(true), Ok(found)) if found == content.as_bytes() => None,
                (Ok(true), _) => Some("is there, but it is not the same storage".to_owned()),
                (Ok(false), _) => Some("is missing".to_owned()),
                (Err(error), _) => Some(format!("cannot be looked at: {}", chain(&error))),
            }
        }
        (Proof::Fingerprint(theirs), Some(LocalPath::File(path) | LocalPath::Device(path))) => {
            match fingerprint(path) {
                Ok(ours) if ours == *theirs => None,
                Ok(_) => Some("is there, but with another content".to_owned()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("is missing".to_owned()),
                Err(error) => Some(format!("cannot be read: {}", chain(&error))),
            }
        }
        _ => Some("cannot be compared".to_owned()),
    }
}

fn by_content(path: &Path) -> Proof {
    match fingerprint(path) {
        Ok(text) => Proof::Fingerprint(text),
        Err(error) => Proof::None { reason: format!("cannot be read on its own host: {}", chain(&error)) },
    }
}

/// Opens a path from another host, if it is a regular file or a block device. Anything else there (a pipe without
/// a writer, a terminal) could block its reader for ever.
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_block_device() {
        Ok(file)
    } else {
        Err(std::io::Error::other("it is neither a file nor a block device"))
    }
}

fn read_start(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What distinguishes a device or a read-only file from another: the world-wide name if the device has one;
/// otherwise the size, and parts of the contents that are not written to while it is in use.
fn fingerprint(path: &Path) -> std::io::Result<String> {
    const MIB: u64 = 1 << 20;
    let mut file = open(path)?;
    let about = file.metadata()?;
    let (size, parts) = if about.file_type().is_block_device() {
        let device = device_folder(about.rdev());
        if let Some(name) = device_name(&device) {
            return Ok(name);
        }
        // The partition table, and ext4's UUID: they do not change while a guest runs.
        (file.seek(SeekFrom::End(0))?, vec![(0, 1024), (1128, 32)])
    } else {
        let size = about.len();
        (size, vec![(0, MIB), (size / 2, MIB), (size.saturating_sub(MIB), MIB)])
    };
    let mut hash = Context::new(&SHA256);
    for (offset, length) in parts {
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        (&mut file).take(length).read_to_end(&mut bytes)?;
        hash.update(&bytes);
    }
    let digest: String = hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{size}:{digest}"))
}

#[cfg(test)]
mod tests;
