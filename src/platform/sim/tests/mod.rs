//! Two simulated hosts, a connection between them, and a minimal engine.

mod crash;
mod faults;
mod guest_ops;
mod live;
mod property;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};

use super::*;
use crate::model::Zone;
use crate::model::{Sent, StreamId};
use crate::platform::{LiveMigration, Platform, Suspend};

/// Two hosts that share storage `nfs`.
pub(super) struct World {
    pub folder: tempfile::TempDir,
    pub a: Sim,
    pub b: Sim,
}

pub(super) fn name(zone: &str) -> ZoneName {
    zone.parse().unwrap()
}

/// A clock that advances by one millisecond each time it is read.
pub(super) fn ticking() -> Clock {
    let time = AtomicI64::new(1_000_000);
    Arc::new(move || Millis(time.fetch_add(1, Ordering::Relaxed)))
}

pub(super) fn paths(folder: &Path, host: &str) -> Paths {
    Paths::new(folder.join(host))
}

pub(super) fn settings(folder: &Path, host: &str) -> HostSettings {
    let nfs = StorageFolder { name: "nfs".into(), folder: Some(folder.join("nfs")) };
    let local = StorageFolder { name: "local".into(), folder: None };
    HostSettings {
        name: host.into(),
        scale: Scale::Instant,
        storages: vec![local, nfs],
        ..HostSettings::default()
    }
}

/// A zone with disks on shared storage.
pub(super) fn spec(zone: &str) -> ZoneSpec {
    ZoneSpec { storages: vec!["nfs".into()], ..ZoneSpec::new(name(zone)) }
}

/// A zone whose migration needs ten rounds.
pub(super) fn busy(zone: &str) -> ZoneSpec {
    ZoneSpec { memory: 8 << 30, dirty_rate: 700 << 20, ..spec(zone) }
}

impl World {
    pub fn new() -> Self {
        Self::with_hook(Arc::new(|_, _| {}))
    }

    pub fn with_hook(hook: CrashHook) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = |host: &str| {
            let sim = Sim::open_with(&paths(folder.path(), host), ticking(), hook.clone());
            sim.set_host(&settings(folder.path(), host)).unwrap();
            sim
        };
        let (a, b) = (host("a"), host("b"));
        Self { folder, a, b }
    }

    /// Starts that zone at `a`.
    pub fn with_zone(spec: ZoneSpec) -> Self {
        let world = Self::new();
        world.run(spec);
        world
    }

    pub fn run(&self, spec: ZoneSpec) {
        let name = spec.name.clone();
        self.a.create(spec).unwrap();
        self.a.start(&name).unwrap();
    }

    pub fn at(&self, path: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// Everything before the transfer: the destination listens, and the connection is open. It breaks after
    /// `limit` bytes.
    pub async fn lay(&self, zone: &str, limit: u64) -> Result<(), PlatformError> {
        let manifest = self.a.manifest(&name(zone)).await?;
        let arrival = self.at(&format!("{zone}.b"));
        self.b.open_incoming(&manifest, &arrival).await?;
        let socket = self.at(&format!("{zone}.a")).join("mem");
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(socket).unwrap();
        let there = self.b.incoming_socket(&arrival, StreamId::Memory);
        tokio::spawn(async move {
            let (near, _) = listener.accept().await.unwrap();
            let Ok(far) = UnixStream::connect(there).await else { return };
            relay(near, far, limit).await;
        });
        Ok(())
    }

    pub async fn send(&self, zone: &str) -> Result<Sent, PlatformError> {
        self.a.send(&zone_named(zone), &self.at(&format!("{zone}.a")), &[]).await
    }

    pub async fn close(&self, zone: &str) {
        self.b.close_incoming(&self.at(&format!("{zone}.b"))).await.unwrap();
    }

    pub async fn transfer(&self, zone: &str) -> Result<Sent, PlatformError> {
        self.lay(zone, u64::MAX).await?;
        self.send(zone).await
    }

    /// A whole live migration from `a` to `b`.
    pub async fn migrate(&self, zone: &str) -> Result<Sent, PlatformError> {
        let uuid = self.a.manifest(&name(zone)).await?.zone.uuid;
        let sent = self.transfer(zone).await?;
        self.b.resume(&name(zone), uuid).await?;
        self.a.wait_sent(&name(zone)).await?;
        self.close(zone).await;
        Ok(sent)
    }
}

/// Carries so many bytes towards the destination, then breaks.
async fn relay(mut near: UnixStream, mut far: UnixStream, limit: u64) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    if limit == u64::MAX {
        let _ = copy_bidirectional(&mut near, &mut far).await;
        return;
    }
    let (near_read, mut near_write) = near.split();
    let (mut far_read, mut far_write) = far.split();
    let mut limited = near_read.take(limit);
    let there = tokio::io::copy(&mut limited, &mut far_write);
    let back = tokio::io::copy(&mut far_read, &mut near_write);
    // When one direction ends, so does the other.
    tokio::select! {
        _ = there => {}
        _ = back => {}
    }
    let _ = near_write.shutdown().await;
}

/// The zone as a host sees it.
pub(super) async fn seen(sim: &Sim, zone: &str) -> Option<Zone> {
    sim.inventory().await.unwrap().find(&name(zone)).cloned()
}

/// State and auxiliary state of a zone, or `-` if there is no zone.
pub(super) async fn word(sim: &Sim, zone: &str) -> String {
    match seen(sim, zone).await {
        None => "-".to_owned(),
        Some(Zone { state, aux: None, .. }) => state.to_string(),
        Some(Zone { state, aux: Some(aux), .. }) => format!("{state} {aux}"),
    }
}

/// The states of a zone on both hosts.
pub(super) async fn words_of(world: &World, zone: &str) -> [String; 2] {
    [word(&world.a, zone).await, word(&world.b, zone).await]
}

/// A zone with that name; the simulation uses nothing else of it to send it.
pub fn zone_named(zone: &str) -> crate::model::Zone {
    crate::store::tests::sample::zone(zone)
}
