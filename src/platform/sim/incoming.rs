//! Live migration, destination side.
//!
//! An image that has not arrived completely vanishes when its connection breaks. A complete one is held: it stays,
//! whatever happens to the connection, until `resume` lets it run or `destroy_incoming` destroys it.

use std::path::Path;
use std::sync::OnceLock;

use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::abilities::able;
use super::faults::{CrashPoint, Effect};
use super::record::SimZone;
use super::settings::ZoneConfig;
use super::wire::{self, StreamMessage};
use super::{Sim, config_of, locked};
use crate::model::{Aux, Manifest};
use crate::model::{StreamId, chain};
use crate::platform::PlatformError;

/// A listener for an incoming zone.
#[derive(Debug)]
pub(super) struct ExpectedArrival {
    /// The zone's UUID.
    uuid: Uuid,
    /// A connection to the control stream is accepted, but nothing is ever sent over it.
    _control: UnixListener,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl ExpectedArrival {
    /// The hypervisor ends during the migration.
    pub(super) fn vanish(&self) {
        self.task.abort();
    }
}

impl Sim {
    pub(super) fn expect(&self, manifest: &Manifest, folder: &Path) -> Result<(), PlatformError> {
        self.not_locked()?;
        let config = config_of(manifest)?;
        if !able(config.brand).live {
            let what = "a container cannot move live".to_owned();
            return Err(PlatformError::State { zone: config.name, what });
        }
        // Asked again, as after an answer that was lost.
        if locked(&self.inner.incoming).get(folder).is_some_and(|one| one.uuid == config.uuid) {
            return Ok(());
        }
        let (control, uuid) = (listen(folder, StreamId::Control)?, config.uuid);
        let listener = listen(folder, StreamId::Memory)?;
        let cancel = CancellationToken::new();
        let receiver = Receiver {
            sim: self.clone(),
            keeper: self.keeper()?,
            config,
            text: manifest.config.clone(),
            number: OnceLock::new(),
        };
        let task = tokio::spawn(receiver.run(listener, cancel.clone()));
        locked(&self.inner.incoming)
            .insert(folder.to_owned(), ExpectedArrival { uuid, _control: control, cancel, task });
        Ok(())
    }

    /// Stops listening. An incomplete image vanishes, a complete one stays.
    pub(super) async fn stop_expecting(&self, folder: &Path) -> Result<(), PlatformError> {
        let expectation = locked(&self.inner.incoming).remove(folder);
        let Some(ExpectedArrival { cancel, task, .. }) = expectation else { return Ok(()) };
        cancel.cancel();
        let _ = task.await;
        for stream in StreamId::HYPERVISOR {
            let path = folder.join(stream.socket_name());
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(PlatformError::Io { what: "remove", path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn listen(folder: &Path, stream: StreamId) -> Result<UnixListener, PlatformError> {
    let path = folder.join(stream.socket_name());
    UnixListener::bind(&path).map_err(|source| PlatformError::Io { what: "listen on", path, source })
}

/// The hypervisor's part.
struct Receiver {
    sim: Sim,
    keeper: Uuid,
    config: ZoneConfig,
    text: String,
    /// The number of the zone, once its image has begun to arrive.
    number: OnceLock<u32>,
}

/// Why an arrival failed.
enum Broken {
    /// The connection broke.
    Line,
    /// This host failed.
    Here(PlatformError),
}

impl From<std::io::Error> for Broken {
    fn from(_: std::io::Error) -> Self {
        Self::Line
    }
}

impl From<PlatformError> for Broken {
    fn from(error: PlatformError) -> Self {
        Self::Here(error)
    }
}

impl Receiver {
    async fn run(self, listener: UnixListener, cancel: CancellationToken) {
        let request = async {
            let Ok((stream, _)) = listener.accept().await else { return };
            let mut stream = BufReader::new(stream);
            if let Err(Broken::Here(error)) = self.receive(&mut stream).await {
                let refused = StreamMessage::Refused { reason: chain(&error) };
                let _ = wire::write(&mut stream, &refused).await;
            }
        };
        tokio::select! {
            () = request => {}
            () = cancel.cancelled() => {}
        }
        // There is nobody to report an error to. The next process repairs what this one leaves behind.
        let _ = self.vanish();
    }

    async fn receive(&self, stream: &mut BufReader<UnixStream>) -> Result<(), Broken> {
        match wire::read(stream).await? {
            StreamMessage::Begin { uuid, networks } if uuid == self.config.uuid => {
                if networks != self.config.networks {
                    let what = "the arriving zone has other networks than were checked".to_owned();
                    return Err(PlatformError::State { zone: self.config.name.clone(), what }.into());
                }
                self.begin()?;
            }
            _ => {
                let what = "another zone is expected here".to_owned();
                return Err(PlatformError::State { zone: self.config.name.clone(), what }.into());
            }
        }
        wire::write(stream, &StreamMessage::Ready).await?;
        loop {
            match wire::read(stream).await? {
                StreamMessage::Round { .. } => {}
                StreamMessage::Last { counter, .. } => {
                    self.whole(counter)?;
                    break;
                }
                _ => return Err(Broken::Line),
            }
        }
        self.sim.reached(CrashPoint::Whole, Some(&self.config.name));
        let lost = |effect: &Effect| matches!(effect, Effect::LoseAnswer);
        if self.sim.fault(Some(&self.config.name), lost)?.is_none() {
            wire::write(stream, &StreamMessage::Held).await?;
        }
        Ok(())
    }

    fn begin(&self) -> Result<(), PlatformError> {
        self.sim.not_locked()?;
        let (config, text) = (self.config.clone(), self.text.clone());
        let persistent = !self.sim.loses_definition(&config.name)?;
        let number = self.sim.change(|session| {
            if let Some(what) = session.host()?.lacks(&config, &self.sim.inner.paths) {
                return Err(PlatformError::State { zone: config.name, what });
            }
            let namesake =
                |zone: &SimZone| zone.config.name == config.name && zone.config.uuid != config.uuid;
            if session.zones()?.iter().any(namesake) {
                let what = "another zone has its name here".to_owned();
                return Err(PlatformError::State { zone: config.name, what });
            }
            let present = session.identified(config.uuid)?;
            let number = session.fresh_id()?;
            let record = SimZone::begin(config, text, number, self.keeper, present)?;
            session.save(&SimZone { persistent, ..record })?;
            Ok(number)
        })?;
        let _ = self.number.set(number);
        Ok(())
    }

    /// The image is complete, and held from now on.
    fn whole(&self, counter: u64) -> Result<(), PlatformError> {
        self.change(|mut record| {
            record.whole(counter);
            Some(record)
        })?
        .ok_or_else(|| PlatformError::State {
            zone: self.config.name.clone(),
            what: "its image was discarded while it arrived".to_owned(),
        })
    }

    fn vanish(&self) -> Result<(), PlatformError> {
        self.change(SimZone::vanish).map(drop)
    }

    /// Changes the zone if it is the image that arrives here.
    fn change(&self, work: impl FnOnce(SimZone) -> Option<SimZone>) -> Result<Option<()>, PlatformError> {
        self.sim.change(|session| {
            let number = self.number.get().copied();
            let arrives = |record: &SimZone| {
                number.is_some() && record.id == number && record.aux == Some(Aux::MigratingIn)
            };
            let Some(record) = session.identified(self.config.uuid)?.filter(arrives) else { return Ok(None) };
            match work(record) {
                Some(record) => session.save(&record)?,
                None => session.delete(self.config.uuid)?,
            }
            Ok(Some(()))
        })
    }
}
