//! Simulated zones: a platform without requirements. Anyone can try the program on it in a minute, and every way
//! in which a move can go wrong can be provoked.
//!
//! A host is one SQLite database, and folders with a small file for each disk. Its time is virtual. A live
//! migration uses the same streams as a real one, with real bytes, and has the same outcomes: a zone runs here or
//! there and never on both hosts, and an image that is complete at the destination is held there until it is
//! resumed or destroyed. The states of a zone are in `record.rs`, the faults in `faults.rs`.

mod abilities;
mod check;
mod clock;
mod database;
mod editor;
mod faults;
mod guest_ops;
mod incoming;
mod outage;
mod outgoing;
mod platform;
mod power;
mod precopy;
mod process_lock;
mod record;
mod settings;
mod survey;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::PlatformError;
use crate::boot_lock;
use crate::model::{Aux, Manifest, Millis, ZoneName};
use crate::paths::Paths;
pub use clock::Scale;
use database::{Database, SimTransaction};
pub use faults::{CrashPoint, Effect, Fault, Operation};
pub use guest_ops::Counter;
use process_lock::ProcessLock;
use record::SimZone;
#[cfg(test)]
pub use settings::Profile;
pub use settings::{HostSettings, StorageFolder, ZoneConfig, ZoneSpec};

/// Returns the real time.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Called at each moment at which a test may want to end the process.
pub type CrashHook = Arc<dyn Fn(CrashPoint, Option<&ZoneName>) + Send + Sync>;

/// A simulated host. Clones are the same host; others with the same paths, in this process or another, share its
/// database.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Inner>,
}

struct Inner {
    paths: Paths,
    database: Database,
    clock: Clock,
    hook: CrashHook,
    keeper: Mutex<Option<ProcessLock>>,
    outgoing: Mutex<HashMap<ZoneName, outgoing::Departure>>,
    incoming: Mutex<HashMap<PathBuf, incoming::ExpectedArrival>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn io_error(what: &'static str, path: &Path) -> impl Fn(std::io::Error) -> PlatformError {
    move |source| PlatformError::Io { what, path: path.to_owned(), source }
}

/// The configuration in a manifest.
fn config_of(manifest: &Manifest) -> Result<ZoneConfig, PlatformError> {
    let refuse = |what: String| PlatformError::State { zone: manifest.zone.name.clone(), what };
    if manifest.platform != "sim" {
        return Err(refuse(format!("it is a zone of {}, this host simulates", manifest.platform)));
    }
    let config: ZoneConfig = serde_json::from_str(&manifest.config)
        .map_err(|error| refuse(format!("its configuration cannot be read: {error}")))?;
    if (&config.name, config.uuid) != (&manifest.zone.name, manifest.zone.uuid) {
        return Err(refuse("its configuration is of another zone".to_owned()));
    }
    Ok(config)
}

/// A short pause in real time before looking again.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

impl Sim {
    /// The simulated host of these paths. Nothing is read or created yet.
    pub fn open(paths: &Paths) -> Self {
        Self::open_with(paths, Arc::new(Millis::now), Arc::new(|_, _| {}))
    }

    /// Likewise, with another clock, and a hook that is called at each [`CrashPoint`].
    pub fn open_with(paths: &Paths, clock: Clock, hook: CrashHook) -> Self {
        let inner = Inner {
            paths: paths.clone(),
            database: Database::new(paths.simulation()),
            clock,
            hook,
            keeper: Mutex::default(),
            outgoing: Mutex::default(),
            incoming: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&SimTransaction<'_>) -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        self.inner.database.read((self.inner.clock)(), work)
    }

    fn change<T>(
        &self,
        work: impl FnOnce(&SimTransaction<'_>) -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        self.inner.database.change((self.inner.clock)(), work)
    }

    fn reached(&self, point: CrashPoint, zone: Option<&ZoneName>) {
        (self.inner.hook)(point, zone);
    }

    /// The id under which this process moves zones.
    fn keeper(&self) -> Result<Uuid, PlatformError> {
        let mut keeper = locked(&self.inner.keeper);
        if let Some(keeper) = &*keeper {
            return Ok(keeper.id);
        }
        // Creates the folder.
        self.change(|_| Ok(()))?;
        let folder = self.inner.database.folder();
        Ok(keeper.insert(ProcessLock::new(folder).map_err(io_error("make a lock in", folder))?).id)
    }

    /// Ends the migrations of processes that no longer exist.
    fn put_in_order(&self) -> Result<(), PlatformError> {
        let own = locked(&self.inner.keeper).as_ref().map(|keeper| keeper.id);
        let orphan = |record: &SimZone| {
            let keeper = record.keeper.filter(|keeper| Some(*keeper) != own);
            keeper.is_some_and(|keeper| !process_lock::lives(self.inner.database.folder(), keeper))
        };
        if !self.read(|session| Ok(session.zones()?.iter().any(orphan)))? {
            return Ok(());
        }
        self.change(|session| {
            for mut record in session.zones()?.into_iter().filter(orphan) {
                let uuid = record.config.uuid;
                let rest = if record.aux == Some(Aux::MigratingIn) {
                    record.vanish()
                } else {
                    record.go_on(session.now()?);
                    Some(record)
                };
                match rest {
                    Some(record) => session.save(&record)?,
                    None => session.delete(uuid)?,
                }
            }
            Ok(())
        })
    }

    /// As libvirt's hooks do on a real host: no zone boots or arrives during maintenance.
    fn not_locked(&self) -> Result<(), PlatformError> {
        if self.inner.paths.lock_marker().exists() {
            let what = "this host is in maintenance: no zone boots or arrives here; see sysadm(8)";
            return Err(PlatformError::Simulated(what.to_owned()));
        }
        Ok(())
    }

    /// As libvirt's hooks do on a real host: no zone with a boot block boots.
    fn not_held(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        match boot_lock::blocked_by(&self.inner.paths, uuid) {
            None => Ok(()),
            Some(pid) => {
                let what = format!(
                    "boot prevented: it is on its way to another host; if that was interrupted: 'sysadm evacuate --resume' on the host whose run moves it, or end process {pid}"
                );
                Err(PlatformError::State { zone: zone.clone(), what })
            }
        }
    }

    /// Waits until that virtual time, or jumps to it.
    pub async fn sleep_until(&self, time: Millis) -> Result<(), PlatformError> {
        let (scale, now) = self.read(|session| Ok((session.host()?.scale, session.now()?)))?;
        match scale {
            Scale::Instant => {
                self.change(|session| session.jump(time))?;
                tokio::task::yield_now().await;
            }
            Scale::Times(times) => {
                tokio::time::sleep(Duration::from_millis(time.since(now)) / times.max(1)).await;
            }
        }
        Ok(())
    }

    /// Deletes a zone that does not run.
    fn forget(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        self.change(|session| match session.identified(uuid)? {
            Some(record) if record.zone().is_running() => Err(PlatformError::State {
                zone: zone.clone(),
                what: "it runs; only a zone that does not run can be detached".to_owned(),
            }),
            Some(_) => session.delete(uuid),
            None => Ok(()),
        })
    }
}
