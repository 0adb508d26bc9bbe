//! Live migration, source side.
//!
//! The zone runs until the last round. Then it is stopped, and runs again only if the destination does not
//! confirm that it is complete there. With that confirmation it is stopped for good before `send` returns: only
//! then may it be resumed at the destination.

use std::path::Path;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::abilities::able;
use super::clock::Scale;
use super::faults::{CrashPoint, Effect};
use super::precopy::{Precopy, PrecopyAction};
use super::record::SimZone;
use super::wire::{self, PAYLOAD, StreamMessage};
use super::{Sim, locked};
use crate::model::{Aux, InterfaceMapping, Millis, Network, Progress, Sent, StreamId, ZoneName, chain};
use crate::platform::{PlatformError, SendFailure};

/// How the migration ended; none while it is under way.
type SendState = Option<Result<Sent, SendFailure>>;

/// How often progress is updated in a round.
const PARTS: u64 = 16;

/// A zone being sent.
#[derive(Clone, Debug)]
pub(super) struct Departure {
    uuid: Uuid,
    cancel: CancellationToken,
    progress: watch::Receiver<Progress>,
    outcome: watch::Receiver<SendState>,
    task: AbortHandle,
}

impl Departure {
    /// The hypervisor ends during the migration.
    pub(super) fn vanish(&self) {
        self.task.abort();
    }

    async fn ended(&mut self) -> Result<Sent, SendFailure> {
        let outcome = self.outcome.wait_for(Option::is_some).await;
        outcome
            .ok()
            .and_then(|outcome| outcome.clone())
            .unwrap_or_else(|| Err(SendFailure::permanent("nobody saw its end")))
    }
}

impl Sim {
    fn departure(&self, zone: &ZoneName) -> Option<Departure> {
        locked(&self.inner.outgoing).get(zone).cloned()
    }

    pub(super) async fn depart(
        &self,
        zone: &ZoneName,
        folder: &Path,
        mappings: &[InterfaceMapping],
    ) -> Result<Sent, PlatformError> {
        let keeper = self.keeper()?;
        let record = self.change(|session| {
            let mut record = session.named(zone)?;
            if !able(record.config.brand).live {
                return Err(record.refuse("a container cannot move live"));
            }
            record.depart(keeper)?;
            session.save(&record)?;
            Ok(record)
        })?;
        let (progress, progress_seen) = watch::channel(Progress {
            sent: 0,
            remaining: record.config.memory,
            total: record.config.memory,
            dirty_rate: record.config.dirty_rate,
            ..Progress::default()
        });
        let (outcome, outcome_seen) = watch::channel(None);
        let cancel = CancellationToken::new();
        let socket = folder.join(StreamId::Memory.socket_name());
        let uuid = record.config.uuid;
        let mut bound = record.config.clone();
        bound.map_interfaces(mappings);
        let sender = Sender { sim: self.clone(), record, networks: bound.networks, progress };
        let given_up = cancel.clone();
        // A task of its own: like a hypervisor it continues even if nobody waits for it.
        let task = tokio::spawn(async move {
            let _ = outcome.send(Some(sender.run(&socket, &given_up).await));
        });
        let mut departure = Departure {
            uuid,
            cancel,
            progress: progress_seen,
            outcome: outcome_seen,
            task: task.abort_handle(),
        };
        locked(&self.inner.outgoing).insert(zone.clone(), departure.clone());
        let ended = departure.ended().await;
        if self.fault(Some(zone), |effect| matches!(effect, Effect::Unguarded))?.is_some() {
            return Ok(Sent { stopped_for: 0, bytes: 0 });
        }
        ended.map_err(|failure| failure.of(zone))
    }

    /// How many migrations share the network now, including one that is starting. If time stands still, none
    /// waits for another.
    fn sharers(&self, scale: Scale) -> u64 {
        let under_way = |departure: &&Departure| departure.outcome.borrow().is_none();
        match scale {
            Scale::Instant => 1,
            Scale::Times(_) => {
                let count = locked(&self.inner.outgoing).values().filter(under_way).count();
                u64::try_from(count).unwrap_or(u64::MAX).max(1)
            }
        }
    }

    pub(super) fn progress_of(&self, zone: &ZoneName) -> Option<Progress> {
        let departure = self.departure(zone)?;
        let goes_on = departure.outcome.borrow().is_none();
        goes_on.then(|| *departure.progress.borrow())
    }

    /// Cancels a migration, and waits for its end.
    pub(super) async fn give_up(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        if let Some(mut departure) = self.departure(zone) {
            departure.cancel.cancel();
            let _ = departure.ended().await;
            return Ok(());
        }
        match self.read(|session| session.named(zone)) {
            Ok(record) if record.aux == Some(Aux::MigratingOut) => {
                Err(record.refuse("another process moves it"))
            }
            _ => Ok(()),
        }
    }

    /// Deletes the configuration of a zone that was sent.
    pub(super) async fn put_away(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        let Some(mut departure) = self.departure(zone) else { return Err(PlatformError::no_departure(zone)) };
        let ended = departure.ended().await;
        locked(&self.inner.outgoing).remove(zone);
        ended.map_err(|failure| failure.of(zone))?;
        self.forget(zone, departure.uuid)
    }
}

/// The hypervisor's part.
struct Sender {
    sim: Sim,
    record: SimZone,
    /// The networks of the zone at the destination.
    networks: Vec<Network>,
    progress: watch::Sender<Progress>,
}

impl Sender {
    async fn run(&self, socket: &Path, cancel: &CancellationToken) -> Result<Sent, SendFailure> {
        let result = tokio::select! {
            result = self.transfer(socket) => result,
            () = cancel.cancelled() => Err(SendFailure::permanent("it was aborted")),
        };
        if result.is_err() {
            self.change(|record, now| {
                record.go_on(now);
                Ok(())
            })?;
        }
        result
    }

    /// Everything from the first byte to the confirmation. May be dropped wherever it waits.
    async fn transfer(&self, socket: &Path) -> Result<Sent, SendFailure> {
        let broke = |error: std::io::Error| {
            SendFailure::transient(format!("lost the connection to the destination: {error}"))
        };
        let stream = UnixStream::connect(socket).await.map_err(broke)?;
        let mut stream = BufReader::new(stream);
        let begin = StreamMessage::Begin { uuid: self.record.config.uuid, networks: self.networks.clone() };
        wire::write(&mut stream, &begin).await.map_err(broke)?;
        expect(StreamMessage::Ready, wire::read(&mut stream).await.map_err(broke)?)?;

        let host = self.sim.host().map_err(said)?;
        let mut copy = Precopy::new(self.record.config.memory, self.record.config.dirty_rate, host.bandwidth);
        let mut time = self.sim.now().map_err(said)?;
        loop {
            self.trouble(copy.rounds()).await?;
            match copy.next() {
                PrecopyAction::Round(bytes) => {
                    self.progress.send_modify(|progress| {
                        (progress.pass, progress.rate) = (copy.rounds(), host.bandwidth);
                    });
                    let end = self
                        .spend(time, bytes, || copy.time(bytes).saturating_mul(self.sim.sharers(host.scale)))
                        .await?;
                    copy.lasted(end.since(time));
                    time = end;
                    let round = StreamMessage::Round { bytes, payload: bytes.min(PAYLOAD) };
                    wire::write(&mut stream, &round).await.map_err(broke)?;
                }
                PrecopyAction::Last(bytes) => {
                    let (counter, stopped) = self.stop()?;
                    self.sim.reached(CrashPoint::Stopped, Some(&self.record.config.name));
                    // The guest is stopped, so this takes precedence over other migrations.
                    self.spend(stopped, bytes, || copy.time(bytes)).await?;
                    let last = StreamMessage::Last { bytes, payload: bytes.min(PAYLOAD), counter };
                    wire::write(&mut stream, &last).await.map_err(broke)?;
                    expect(StreamMessage::Held, wire::read(&mut stream).await.map_err(broke)?)?;
                    return self.leave(stopped);
                }
                PrecopyAction::Hopeless => return Err(SendFailure::permanent(copy.hopeless())),
            }
        }
    }

    /// The faults that apply after that many rounds.
    async fn trouble(&self, rounds: u32) -> Result<(), SendFailure> {
        let now = |effect: &Effect| match effect {
            Effect::FailSend { rounds: at, .. }
            | Effect::Stall { rounds: at }
            | Effect::Cut { rounds: at } => *at == rounds,
            _ => false,
        };
        match self.sim.fault(Some(&self.record.config.name), now).map_err(said)? {
            Some((_, Effect::FailSend { reason, .. })) => Err(SendFailure::permanent(reason)),
            Some((_, Effect::Stall { .. })) => std::future::pending().await,
            Some(_) => Err(SendFailure::transient("lost the connection to the destination: it was cut")),
            None => Ok(()),
        }
    }

    /// Sends that many bytes, beginning at `start`; `lasts` says at each moment how many milliseconds that takes.
    /// Returns the time when it is done.
    async fn spend(&self, start: Millis, bytes: u64, lasts: impl Fn() -> u64) -> Result<Millis, SendFailure> {
        let before = *self.progress.borrow();
        let part =
            |of: u64, n: u64| u64::try_from(u128::from(of) * u128::from(n) / u128::from(PARTS)).unwrap_or(0);
        self.progress.send_modify(|progress| progress.remaining = bytes);
        let mut time = start;
        for n in 1..=PARTS {
            let (lasts, done) = (lasts(), part(bytes, n));
            time = time.after(part(lasts, n) - part(lasts, n - 1));
            self.sim.sleep_until(time).await.map_err(said)?;
            self.progress.send_modify(|progress| {
                progress.sent = before.sent.saturating_add(done);
                progress.remaining = bytes.saturating_sub(done);
            });
        }
        self.change(|_, _| Ok(()))?;
        Ok(time)
    }

    /// Stops the guest. Returns its counter and the time.
    fn stop(&self) -> Result<(u64, Millis), SendFailure> {
        self.change(|record, now| Ok((record.freeze(now), now)))
    }

    /// The zone is complete at the destination. From now on it cannot run here any more.
    fn leave(&self, stopped: Millis) -> Result<Sent, SendFailure> {
        let now = self.change(|record, now| {
            record.left();
            Ok(now)
        })?;
        self.sim.reached(CrashPoint::Acknowledged, Some(&self.record.config.name));
        Ok(Sent { stopped_for: now.since(stopped), bytes: self.progress.borrow().sent })
    }

    /// Changes the zone, if it is still the one whose migration began.
    fn change<T>(
        &self,
        work: impl FnOnce(&mut SimZone, Millis) -> Result<T, PlatformError>,
    ) -> Result<T, SendFailure> {
        let (uuid, id) = (self.record.config.uuid, self.record.id);
        self.sim
            .change(|session| {
                let mut record = session
                    .identified(uuid)?
                    .ok_or_else(|| self.record.refuse("it was removed while it moved"))?;
                record.departs(id)?;
                let value = work(&mut record, session.now()?)?;
                session.save(&record)?;
                Ok(value)
            })
            .map_err(said)
    }
}

fn expect(wanted: StreamMessage, found: StreamMessage) -> Result<(), SendFailure> {
    match found {
        StreamMessage::Refused { reason } => {
            Err(SendFailure::permanent(format!("the destination refuses: {reason}")))
        }
        found if found == wanted => Ok(()),
        _ => Err(SendFailure::permanent("the destination answers something odd")),
    }
}

/// An error without the zone's name, which the caller adds.
fn said(error: PlatformError) -> SendFailure {
    let transient = error.is_transient();
    let what = match error {
        PlatformError::State { what, .. } => what,
        other => chain(&other),
    };
    SendFailure { what, transient }
}
