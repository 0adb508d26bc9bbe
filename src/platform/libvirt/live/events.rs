//! What libvirt tells while a zone leaves: its passes, and the moment at which it is stopped.

use std::time::Instant;

use tokio::sync::watch;
use uuid::Uuid;

use crate::model::Sent;
use crate::platform::PlatformError;
use crate::platform::converge::allowed_downtime;
use crate::platform::libvirt::virsh::{Connection, DomainEvent};

/// What downtime a zone is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// At most, in ms.
    pub limit: u64,
    /// Little at first, and more with each pass. Not for a zone whose processor is emulated (TCG): QEMU 7.2 then
    /// loses track of memory that is written while it looks for changes, and the more often it looks, the likelier
    /// the zone goes on with stale memory, whoever migrates it.
    pub stepwise: bool,
}

impl Allowance {
    /// In that pass.
    pub fn in_pass(self, pass: u32) -> u64 {
        if self.stepwise { allowed_downtime(pass, self.limit) } else { self.limit }
    }
}

/// Raises the allowed downtime of a zone with its passes, up to the limit.
async fn raise_downtime(uuid: Uuid, allowance: Allowance, mut passes: watch::Receiver<u32>) {
    let mut allowed = allowance.in_pass(0);
    while passes.changed().await.is_ok() {
        let wanted = allowance.in_pass(*passes.borrow_and_update());
        if wanted > allowed {
            allowed = wanted;
            // Where it fails, the migration has just ended.
            let _ = Connection::qemu().set_max_downtime(uuid, allowed).await;
        }
    }
}

/// Knows the moment at which a zone was stopped in order to migrate.
#[derive(Debug)]
pub struct StopWatch {
    moment: watch::Receiver<Option<Instant>>,
}

/// Listens to what a zone goes through until the [`StopWatch`] is dropped; raises the downtime that it is allowed.
pub fn watch_events(uuid: Uuid, allowance: Allowance) -> Result<StopWatch, PlatformError> {
    let mut events = Connection::qemu().events(uuid)?;
    let (sender, moment) = watch::channel(None);
    let (pass, passes) = watch::channel(0);
    tokio::spawn(raise_downtime(uuid, allowance, passes));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                event = events.next() => match event {
                    // The last pass is of a zone that stands still already.
                    Some(DomainEvent::Pass(number)) if sender.borrow().is_none() => { pass.send_replace(number); }
                    Some(DomainEvent::StoppedToMigrate) => { sender.send_replace(Some(Instant::now())); }
                    Some(DomainEvent::Resumed) => { sender.send_replace(None); }
                    Some(DomainEvent::Pass(_) | DomainEvent::Other) => {}
                    None => return,
                },
                // The migration is over, whatever became of it. Dropping the events ends them.
                () = sender.closed() => { drop(events); return }
            }
        }
    });
    Ok(StopWatch { moment })
}

impl StopWatch {
    /// That moment, once it has come.
    pub fn moment(&self) -> Option<Instant> {
        *self.moment.borrow()
    }

    /// Waits for it to come, or to be taken back.
    pub async fn wait(&mut self) {
        if self.moment.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// How long the zone has stood still.
    pub fn sent(&self) -> Sent {
        let stopped_for = self.moment().map_or(0, |moment| moment.elapsed().as_millis());
        // The streams are counted where they pass.
        Sent { stopped_for: u64::try_from(stopped_for).unwrap_or(u64::MAX), bytes: 0 }
    }
}
