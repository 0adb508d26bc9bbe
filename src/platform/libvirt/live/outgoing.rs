//! The source's side.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use tokio::sync::watch;
use uuid::Uuid;

use super::documents::Documents;
use super::events::{Allowance, allow, watch_events};
use super::locked;
use super::process::{end_of, is_emulated};
use crate::config;
use crate::exec::ExecError;
use crate::failpoints::holds_incoming;
use crate::model::{Progress, Sent, StreamId};
use crate::model::{Zone, ZoneName};
use crate::paths::Paths;
use crate::platform::libvirt::job::{DEFAULT_DOWNTIME, parse_progress};
use crate::platform::libvirt::virsh::{Driver, failed, has_no_job, is_missing, is_transient, script};
use crate::platform::{PlatformError, SendFailure};

/// How virsh ended: none while it runs, then `Ok` or what went wrong.
type Outcome = Option<Result<(), SendFailure>>;

/// The migrations that leave this host now.
#[derive(Debug, Default)]
pub struct Outgoing {
    current: Mutex<HashMap<ZoneName, (Uuid, watch::Receiver<Outcome>)>>,
}

impl Outgoing {
    /// Sends a zone. Returns when its QEMU has ended here after everything was sent, or with virsh's error.
    pub async fn send(
        &self,
        zone: &Zone,
        folder: &Path,
        documents: Documents,
        (settings, downtime): (&config::Libvirt, u64),
        paths: &Paths,
    ) -> Result<Sent, PlatformError> {
        let allowance = Allowance { limit: downtime, stepwise: !is_emulated(&zone.name, paths) };
        let mut stopped = watch_events(zone.uuid, allowance)?;
        let ended = end_of(Driver::Qemu, &zone.name, paths);
        let mut outcome = self.start(zone, folder, documents, settings, (allowance.in_pass(0), paths))?;
        let gone = async {
            let ended = match ended {
                Some(ended) => ended.await.is_ok(),
                None => false,
            };
            if !ended {
                // Not found, or lost sight of: virsh's own end must do.
                std::future::pending::<()>().await;
            }
        };
        tokio::pin!(gone);
        loop {
            tokio::select! {
                // A QEMU that ends before it was stopped in order to migrate has crashed: virsh will say so.
                () = &mut gone, if stopped.moment().is_some() => return Ok(stopped.sent()),
                () = stopped.wait(), if stopped.moment().is_none() => {}
                changed = outcome.changed() => {
                    let result = outcome.borrow().clone();
                    match result {
                        Some(Ok(())) => return Ok(stopped.sent()),
                        Some(Err(failure)) => return Err(failure.of(&zone.name)),
                        None if changed.is_err() => return Err(unseen_end().of(&zone.name)),
                        None => {}
                    }
                }
            }
        }
    }

    /// Starts virsh and keeps an eye on it.
    fn start(
        &self,
        zone: &Zone,
        folder: &Path,
        documents: Documents,
        settings: &config::Libvirt,
        (downtime, paths): (u64, &Paths),
    ) -> Result<watch::Receiver<Outcome>, PlatformError> {
        let socket = |stream: StreamId| folder.join(stream.socket_name()).display().to_string();
        let mut words = vec!["migrate", "--live", "--p2p", "--undefinesource"];
        words.extend(holds_incoming(&paths.state_dir()).then_some("--suspend"));
        // Whether both hosts see the same storage was probed; libvirt only looks at the kind of file system.
        words.extend(["--unsafe", "--abort-on-error"]);
        words.extend(zone.persistent.then_some("--persistent"));
        words.extend(settings.auto_converge.then_some("--auto-converge"));
        let mut words: Vec<_> = words.into_iter().map(str::to_owned).collect();
        if settings.bandwidth > 0 {
            words.extend(["--bandwidth".to_owned(), settings.bandwidth.to_string()]);
        }
        words.extend(documents.words());
        words.extend([
            zone.uuid.to_string(),
            "--desturi".to_owned(),
            format!("qemu+unix:///system?socket={}", socket(StreamId::Control)),
            "--migrateuri".to_owned(),
            format!("unix://{}", socket(StreamId::Memory)),
        ]);
        let command = Driver::Qemu.virsh().arg(script([allow(zone.uuid, downtime), words]));
        let mut child =
            command.spawn().map_err(|error| failed(format!("migrate zone '{}'", zone.name), error))?;
        let (sender, receiver) = watch::channel(None);
        locked(&self.current).insert(zone.name.clone(), (zone.uuid, receiver.clone()));
        let uuid = zone.uuid;
        tokio::spawn(async move {
            let result = command.collect(&mut child).await.map(drop).map_err(|error| SendFailure {
                transient: is_transient(&error),
                what: match error {
                    ExecError::Failed { stderr, .. } => stderr,
                    other => crate::model::chain(&other),
                },
            });
            drop(documents);
            if result.is_err() {
                // It stays here, and the next one to migrate it expects the default.
                let _ = Driver::Qemu.virsh().args(allow(uuid, DEFAULT_DOWNTIME)).run().await;
            }
            let _ = sender.send(Some(result));
        });
        Ok(receiver)
    }

    fn find(&self, zone: &ZoneName) -> Option<(Uuid, watch::Receiver<Outcome>)> {
        locked(&self.current).get(zone).cloned()
    }

    pub async fn progress(&self, zone: &ZoneName) -> Result<Option<Progress>, PlatformError> {
        let Some((uuid, outcome)) = self.find(zone) else { return Ok(None) };
        if outcome.borrow().is_some() {
            return Ok(None);
        }
        let command = Driver::Qemu.virsh().args(["domjobinfo", "--rawstats", &uuid.to_string()]);
        match command.run().await {
            Ok(output) => Ok(parse_progress(&output)),
            // It has just ended.
            Err(ExecError::Failed { .. }) => Ok(None),
            Err(error) => Err(failed(format!("ask for the progress of '{zone}'"), error)),
        }
    }

    /// Gives a migration up, also one that another process began: `uuid` is the zone's then.
    pub async fn abort(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let outcome = self.find(zone).map(|(_, outcome)| outcome);
        let command = Driver::Qemu.virsh().args(["domjobabort", &uuid.to_string()]);
        match command.run().await {
            // It has just ended, or there was none.
            Err(_) if outcome.is_some_and(|outcome| outcome.borrow().is_some()) => Ok(()),
            Err(error) if has_no_job(&error) || is_missing(&error) => Ok(()),
            Err(error) => Err(failed(format!("abort the migration of '{zone}'"), error)),
            Ok(_) => Ok(()),
        }
    }

    /// Waits for virsh's own end.
    pub async fn wait_sent(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        let Some((_, mut outcome)) = self.find(zone) else { return Err(PlatformError::no_departure(zone)) };
        let result = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        locked(&self.current).remove(zone);
        match result {
            Some(Ok(())) => Ok(()),
            Some(Err(failure)) => Err(failure.of(zone)),
            None => Err(unseen_end().of(zone)),
        }
    }
}

fn unseen_end() -> SendFailure {
    SendFailure::permanent("nobody saw the end of its migration")
}
