//! libvirt's events during a live migration: passes over the memory, and the moment at which the zone is stopped.

use std::time::Instant;

use tokio::sync::watch;
use uuid::Uuid;

use crate::model::Sent;
use crate::platform::PlatformError;
use crate::platform::converge::allowed_downtime;
use crate::platform::libvirt::virsh::{Connection, DomainEvent};

/// The downtime that a zone is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Maximum in ms.
    pub limit: u64,
    /// Start with a low limit and raise it with each pass. Not for a zone whose CPU is emulated (TCG): QEMU 7.2
    /// may then miss memory that is written while it looks for changes, and the more often it looks, the likelier
    /// the zone continues with stale memory, whatever program migrates it.
    pub stepwise: bool,
}

impl Allowance {
    pub fn in_pass(self, pass: u32) -> u64 {
        if self.stepwise { allowed_downtime(pass, self.limit) } else { self.limit }
    }
}

/// Raises the allowed downtime of a zone with each pass, up to the limit.
async fn raise_downtime(uuid: Uuid, allowance: Allowance, mut passes: watch::Receiver<u32>) {
    let mut allowed = allowance.in_pass(0);
    while passes.changed().await.is_ok() {
        let wanted = allowance.in_pass(*passes.borrow_and_update());
        if wanted > allowed {
            allowed = wanted;
            // If it fails, the migration has just ended.
            let _ = Connection::qemu().set_max_downtime(uuid, allowed).await;
        }
    }
}

/// Knows when a zone was stopped in order to migrate.
#[derive(Debug)]
pub struct StopWatch {
    moment: watch::Receiver<Option<Instant>>,
}

/// Follows a zone's events until the [`StopWatch`] is dropped, and raises the allowed downtime.
pub fn watch_events(uuid: Uuid, allowance: Allowance) -> Result<StopWatch, PlatformError> {
    let mut events = Connection::qemu().events(uuid)?;
    let (sender, moment) = watch::channel(None);
    let (pass, passes) = watch::channel(0);
    tokio::spawn(raise_downtime(uuid, allowance, passes));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                event = events.next() => match event {
                    // A pass after that moment is the last one: the zone is already stopped.
                    Some(DomainEvent::Pass(number)) if sender.borrow().is_none() => { pass.send_replace(number); }
                    Some(DomainEvent::StoppedToMigrate) => { sender.send_replace(Some(Instant::now())); }
                    Some(DomainEvent::Resumed) => { sender.send_replace(None); }
                    Some(DomainEvent::Pass(_) | DomainEvent::Other) => {}
                    None => return,
                },
                // The migration is over, with whatever result. Dropping the events ends them.
                () = sender.closed() => { drop(events); return }
            }
        }
    });
    Ok(StopWatch { moment })
}

impl StopWatch {
    /// The moment, once it has come.
    pub fn moment(&self) -> Option<Instant> {
        *self.moment.borrow()
    }

    /// Waits until the moment has come, or the zone has been resumed.
    pub async fn wait(&mut self) {
        if self.moment.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// How long the zone has been stopped.
    pub fn sent(&self) -> Sent {
        let stopped_for = self.moment().map_or(0, |moment| moment.elapsed().as_millis());
        // Bytes are counted where the streams are relayed.
        Sent { stopped_for: u64::try_from(stopped_for).unwrap_or(u64::MAX), bytes: 0 }
    }
}
