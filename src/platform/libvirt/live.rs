//! Live migration of a KVM zone with libvirt, and how it is made sure that it never runs twice.
//!
//! ```text
//!   source                               destination
//!   virsh migrate --p2p --suspend  ──►   QEMU receives, and is left paused
//!   [stopped, memory sent]               [whole, paused]
//!   QEMU ends  ──────────────────────►   virsh resume, on our word only
//! ```
//!
//! Left to itself, libvirt lets the zone run at the destination and *then* hears at the source whether that
//! went well; if the line breaks just there, the source lets it run again, and it runs twice. So the
//! destination holds it (`--suspend`), and lets it go only after the source's QEMU process has ended. The end of
//! that process is waited for directly (pidfd): virsh itself returns some 200 ms later.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::job::{DEFAULT_DOWNTIME, Event, allowed_downtime, parse_event, parse_progress};
use super::virsh::{Driver, failed, script};
use crate::config;
use crate::exec::{Command, ExecError, Waiting};
use crate::host::{Channel, Progress, Sent};
use crate::model::{Zone, ZoneName};
use crate::paths::Paths;
use crate::platform::PlatformError;

/// How virsh ended: none while it runs, then `Ok` or what went wrong.
type Outcome = Option<Result<(), String>>;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The migrations that leave this host now.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    current: Mutex<HashMap<ZoneName, (Uuid, watch::Receiver<Outcome>)>>,
}

impl Leaving {
    /// Sends a zone. Returns when its QEMU has ended here after everything was sent, or with virsh's error.
    pub async fn send(
        &self,
        zone: &Zone,
        folder: &Path,
        settings: &config::Libvirt,
        paths: &Paths,
    ) -> Result<Sent, PlatformError> {
        let mut stopped = watch_events(zone.uuid)?;
        let ended = process_of(&zone.name, paths);
        let mut outcome = self.start(zone, folder, settings)?;
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
                        Some(Err(what)) => return Err(PlatformError::State { zone: zone.name.clone(), what }),
                        None if changed.is_err() => {
                            let what = "nobody saw the end of its migration".to_owned();
                            return Err(PlatformError::State { zone: zone.name.clone(), what });
                        }
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
        settings: &config::Libvirt,
    ) -> Result<watch::Receiver<Outcome>, PlatformError> {
        let socket = |channel: Channel| folder.join(channel.socket_name()).display().to_string();
        let mut words = vec!["migrate", "--live", "--p2p", "--undefinesource", "--suspend"];
        // Whether both hosts see the same storage was probed; libvirt only looks at the kind of file system.
        words.extend(["--unsafe", "--abort-on-error"]);
        words.extend(zone.persistent.then_some("--persistent"));
        words.extend(settings.auto_converge.then_some("--auto-converge"));
        let mut words: Vec<_> = words.into_iter().map(str::to_owned).collect();
        if settings.bandwidth > 0 {
            words.extend(["--bandwidth".to_owned(), settings.bandwidth.to_string()]);
        }
        words.extend([
            zone.uuid.to_string(),
            "--desturi".to_owned(),
            format!("qemu+unix:///system?socket={}", socket(Channel::Control)),
            "--migrateuri".to_owned(),
            format!("unix://{}", socket(Channel::Memory)),
        ]);
        let command = Driver::Qemu.virsh().arg(script([allow(zone.uuid, allowed_downtime(0)), words]));
        let mut child =
            command.spawn().map_err(|error| failed(format!("migrate zone '{}'", zone.name), error))?;
        let (sender, receiver) = watch::channel(None);
        locked(&self.current).insert(zone.name.clone(), (zone.uuid, receiver.clone()));
        let uuid = zone.uuid;
        tokio::spawn(async move {
            let result = command.collect(&mut child).await.map(drop).map_err(|error| match error {
                ExecError::Failed { stderr, .. } => stderr,
                other => crate::host::chain(&other),
            });
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

    pub async fn abort(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        let Some((uuid, outcome)) = self.find(zone) else { return Ok(()) };
        let command = Driver::Qemu.virsh().args(["domjobabort", &uuid.to_string()]);
        match command.run().await {
            Err(error) if outcome.borrow().is_none() => {
                Err(failed(format!("abort the migration of '{zone}'"), error))
            }
            _ => Ok(()),
        }
    }

    /// Waits for virsh's own end.
    pub async fn finish(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        let Some((_, mut outcome)) = self.find(zone) else { return Ok(()) };
        let result = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        locked(&self.current).remove(zone);
        match result {
            Some(Ok(())) => Ok(()),
            Some(Err(what)) => Err(PlatformError::State { zone: zone.clone(), what }),
            None => Err(PlatformError::State {
                zone: zone.clone(),
                what: "nobody saw the end of its migration".to_owned(),
            }),
        }
    }
}

/// The process id of the zone's QEMU, if it can be found.
fn pid_of(zone: &ZoneName, paths: &Paths) -> Option<i32> {
    let file = paths.libvirt_run().join("qemu").join(format!("{zone}.pid"));
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Whether the zone's QEMU was started to receive a migration. One that is paused since then has not opened its
/// disks for writing; QEMU before 10 ends with a failed assertion (`bdrv_inactivate_recurse`) when such a zone
/// is migrated, and the zone's memory is lost.
pub(super) fn has_arrived(zone: &ZoneName, paths: &Paths) -> bool {
    let Some(pid) = pid_of(zone, paths) else { return false };
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|&byte| byte == 0).any(|argument| argument == b"-incoming")
}

/// Is told when the zone's QEMU has ended; none if its process cannot be found.
fn process_of(zone: &ZoneName, paths: &Paths) -> Option<oneshot::Receiver<()>> {
    let process = pidfd_open(Pid::from_raw(pid_of(zone, paths)?)?, PidfdFlags::empty()).ok()?;
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: it may wait for as long as the zone lives, and must not keep the runtime from ending.
    std::thread::spawn(move || {
        while !sender.is_closed() {
            let mut fds = [PollFd::new(&process, PollFlags::IN)];
            let pause = Timespec { tv_sec: 1, tv_nsec: 0 };
            match poll(&mut fds, Some(&pause)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => {
                    let _ = sender.send(());
                    return;
                }
                Err(_) => return,
            }
        }
    });
    Some(receiver)
}

/// The words by which virsh allows a downtime, in ms. An old QEMU that cannot do it goes on with its default.
fn allow(uuid: Uuid, downtime: u64) -> Vec<String> {
    vec!["migrate-setmaxdowntime".to_owned(), uuid.to_string(), downtime.to_string()]
}

/// Raises the allowed downtime of a zone with its passes.
async fn raise_downtime(uuid: Uuid, mut passes: watch::Receiver<u32>) {
    let mut allowed = allowed_downtime(0);
    while passes.changed().await.is_ok() {
        let wanted = allowed_downtime(*passes.borrow_and_update());
        if wanted > allowed {
            allowed = wanted;
            // Where it fails, the migration has just ended.
            let _ = Driver::Qemu.virsh().args(allow(uuid, allowed)).run().await;
        }
    }
}

/// Knows the moment at which a zone was stopped in order to migrate.
#[derive(Debug)]
struct StopWatch {
    moment: watch::Receiver<Option<Instant>>,
}

/// Listens to what a zone goes through until the [`StopWatch`] is dropped.
fn watch_events(uuid: Uuid) -> Result<StopWatch, PlatformError> {
    let command = Driver::Qemu.virsh().args(["event", "--domain", &uuid.to_string()]).args([
        "--all",
        "--loop",
        "--timestamp",
    ]);
    let mut child = command.spawn().map_err(|error| failed("listen for events", error))?;
    let (sender, moment) = watch::channel(None);
    let Some(output) = child.stdout.take() else { return Ok(StopWatch { moment }) };
    let (pass, passes) = watch::channel(0);
    tokio::spawn(raise_downtime(uuid, passes));
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        loop {
            tokio::select! {
                line = lines.next_line() => match line {
                    Ok(Some(line)) => match parse_event(&line) {
                        // The last pass is of a zone that stands still already.
                        Event::Pass(number) if sender.borrow().is_none() => { pass.send_replace(number); }
                        Event::StoppedToMigrate => { sender.send_replace(Some(Instant::now())); }
                        Event::Resumed => { sender.send_replace(None); }
                        Event::Pass(_) | Event::Other => {}
                    },
                    Ok(None) | Err(_) => return,
                },
                // The migration is over, whatever became of it. Dropping the child ends it.
                () = sender.closed() => { drop(child); return }
            }
        }
    });
    Ok(StopWatch { moment })
}

impl StopWatch {
    fn moment(&self) -> Option<Instant> {
        *self.moment.borrow()
    }

    async fn wait(&mut self) {
        if self.moment.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn sent(&self) -> Sent {
        let stopped_for = self.moment().map_or(0, |moment| moment.elapsed().as_millis());
        // The streams are counted where they pass.
        Sent { stopped_for: u64::try_from(stopped_for).unwrap_or(u64::MAX), bytes: 0 }
    }
}

/// The migrations that arrive here now. For each a virsh waits, connected, for the one word that lets the zone
/// run: starting one only then would lengthen the downtime.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    waiting: Mutex<HashMap<Uuid, Waiting>>,
    folders: Mutex<HashMap<PathBuf, Uuid>>,
}

impl Arriving {
    pub fn open(&self, uuid: Uuid, folder: &Path) -> Result<(), PlatformError> {
        // QEMU makes its socket here and is not root: it may, whoever knows the folder's secret name.
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o1733))
            .map_err(|source| PlatformError::Io { what: "open", path: folder.to_owned(), source })?;
        let virsh = Command::new("virsh").args(["-c", Driver::Qemu.uri()]);
        let virsh = virsh.spawn_waiting().map_err(|error| failed("wait for an arrival", error))?;
        locked(&self.waiting).insert(uuid, virsh);
        locked(&self.folders).insert(folder.to_owned(), uuid);
        Ok(())
    }

    pub fn close(&self, folder: &Path) -> Result<(), PlatformError> {
        if let Some(uuid) = locked(&self.folders).remove(folder) {
            locked(&self.waiting).remove(&uuid);
        }
        Ok(())
    }

    pub async fn resume(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let waiting = locked(&self.waiting).remove(&uuid);
        if let Some(virsh) = waiting
            && virsh.tell(&format!("resume {uuid}"), "resumed").await
        {
            return Ok(());
        }
        let command = Driver::Qemu.virsh().args(["resume", &uuid.to_string()]);
        match command.run().await {
            Err(error) if !error.stderr().contains("already running") => {
                Err(failed(format!("let zone '{zone}' run"), error))
            }
            _ => Ok(()),
        }
    }
}
