//! A mover that copies, beside the one of the project: it is reached in every phase, whichever way a zone moves, before
//! the point of no return, and is told to abandon what it has begun when the move is undone.

use std::sync::Mutex;

use sysadm::host::{DiskView, Host, HostError};
use sysadm::migration::data::{Mover, Route, StorageMove};
use sysadm::migration::{Log, MoveError, Task, migrate};
use sysadm::model::{
    Blocker, BlockerKind, CheckRequest, Manifest, Message, Method, PendingLoad, Progress, Step, StorageUri,
};

use super::world::{World, name};

/// Notes what it is asked, and whether the zone runs at its source then.
#[derive(Default)]
struct Noting {
    seen: Mutex<Vec<String>>,
    /// Where it fails.
    fails: Option<&'static str>,
    /// Where it never ends.
    hangs: Option<&'static str>,
}

impl Noting {
    async fn note(&self, route: Route<'_>, storage: &StorageUri, phase: &str) -> Result<(), HostError> {
        assert_eq!((route.zone.as_str(), route.from.name(), route.to.name()), ("web", "h1", "h2"));
        assert_eq!(storage, &StorageUri::file("/srv/web.img"));
        let zones = route.from.inventory().await?.zones;
        let runs = zones.iter().any(|zone| zone.uuid == route.uuid && zone.is_running());
        self.seen.lock().unwrap().push(format!("{phase}{}", if runs { "" } else { " (down)" }));
        if self.hangs == Some(phase) {
            std::future::pending::<()>().await;
        }
        match self.fails == Some(phase) {
            true => Err(HostError::permanent(route.to.name(), "no space left on device")),
            false => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl Mover for Noting {
    fn name(&self) -> &'static str {
        "noting"
    }

    fn fits(&self, _: &DiskView) -> Result<(), Blocker> {
        Ok(())
    }

    async fn prepare(&self, route: Route<'_>, storage: &StorageUri) -> Result<(), HostError> {
        self.note(route, storage, "prepare").await
    }

    async fn copy(&self, route: Route<'_>, storage: &StorageUri) -> Result<(), HostError> {
        self.note(route, storage, "copy").await
    }

    async fn catch_up(&self, route: Route<'_>, storage: &StorageUri) -> Result<(), HostError> {
        self.note(route, storage, "catch up").await
    }

    async fn finish(&self, route: Route<'_>, storage: &StorageUri) -> Result<(), HostError> {
        self.note(route, storage, "finish").await
    }

    async fn abandon(&self, route: Route<'_>, storage: &StorageUri) -> Result<(), HostError> {
        self.note(route, storage, "abandon").await
    }
}

/// What is begun and done, among what the mover notes.
struct Journal(&'static Noting);

impl Log for Journal {
    fn intent(&self, step: Step) -> Result<(), Message> {
        self.0.seen.lock().unwrap().push(format!("[{step}]"));
        Ok(())
    }
    fn done(&self, _: Step) -> Result<(), Message> {
        Ok(())
    }
    fn failed(&self, _: Step, _: &str) {}
    fn undone(&self, _: Step) {}
    fn progress(&self, _: Progress) {}
    fn finds_the_same(&self) {}
}

const METHODS: [Method; 3] = [Method::Live, Method::Cold, Method::Restart];

fn request(manifest: &Manifest, method: Method, disk: u64) -> CheckRequest {
    CheckRequest {
        manifest: manifest.clone(),
        method,
        from: "h1".to_owned(),
        home: None,
        overwrite: false,
        force: false,
        pending: PendingLoad::default(),
        disk,
        mappings: Vec::new(),
        owners: Vec::new(),
    }
}

/// Moves web from h1 to h2; it is given up after a while. Gives all that happened.
async fn move_with(world: &World, method: Method, mover: Noting) -> (Result<(), MoveError>, Vec<String>) {
    let mover: &'static Noting = Box::leak(Box::new(mover));
    let (from, to) = (world.engine().local, world.engine_of("h2").local);
    let manifest = from.manifest(name("web")).await.unwrap();
    let request = request(&manifest, method, 0);
    let storage = vec![StorageMove { storage: StorageUri::file("/srv/web.img"), mover, room: 0 }];
    let task = Task { zone: manifest.zone.clone(), record: manifest, request, storage, from, to };
    let (abort, aborting) = tokio::sync::watch::channel(false);
    let give_up = async {
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        abort.send_replace(true);
        std::future::pending::<()>().await;
    };
    let (journal, policy) = (Journal(mover), world.engine().policy);
    let result = tokio::select! {
        result = migrate(&task, &journal, policy, aborting) => result.map(drop),
        () = give_up => unreachable!("it never ends"),
    };
    (result, mover.seen.lock().unwrap().clone())
}

#[tokio::test(start_paused = true)]
async fn a_mover_is_reached_in_every_phase_before_the_zone_has_left() {
    for method in METHODS {
        let world = World::with(method);
        let (result, seen) = move_with(&world, method, Noting::default()).await;
        assert_eq!(result, Ok(()), "{method}");
        let expected = match method {
            Method::Live => "[reserve] prepare [prepare] copy [transfer] catch up finish [switch] [settle]",
            Method::Cold => {
                "[reserve] prepare (down) [attach] copy (down) [detach] catch up (down) finish (down) [settle]"
            }
            Method::Restart => {
                "[reserve] prepare [attach] copy [shutdown] catch up (down) finish (down) [boot] [detach] [settle]"
            }
        };
        assert_eq!(seen.join(" "), expected, "{method}");
        assert_eq!(world.home_of("web", method).await, "h2", "{method}");
        world.all_room_is_given_back();
    }
}

#[tokio::test(start_paused = true)]
async fn wherever_a_mover_fails_the_zone_stays_as_it_was_and_the_mover_abandons_what_it_has_begun() {
    for method in METHODS {
        for phase in ["prepare", "copy", "catch up", "finish"] {
            let world = World::with(method);
            let fails = Noting { fails: Some(phase), ..Noting::default() };
            let (result, seen) = move_with(&world, method, fails).await;
            let Err(MoveError::Undone { reason, is_transient: false, .. }) = result else {
                panic!("{method} {phase}: {result:?}");
            };
            let why = "storage /srv/web.img (noting): ";
            assert!(
                reason.text.starts_with(why) && reason.text.contains("no space left"),
                "{method} {phase}: {reason}"
            );
            let last = if method == Method::Cold { "abandon (down)" } else { "abandon" };
            assert_eq!(seen.last().unwrap(), last, "{method} {phase}: {seen:?}");
            assert!(seen[seen.len() - 2].starts_with(phase), "{method} {phase}: {seen:?}");
            assert_eq!(world.home_of("web", method).await, "h1", "{method} {phase}");
            world.all_room_is_given_back();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_takes_long_can_be_given_up() {
    for method in METHODS {
        let world = World::with(method);
        let hangs = Noting { hangs: Some("copy"), ..Noting::default() };
        let (result, seen) = move_with(&world, method, hangs).await;
        assert_eq!(result, Err(MoveError::Cancelled), "{method}");
        assert!(seen.last().unwrap().starts_with("abandon"), "{method}: {seen:?}");
        assert_eq!(world.home_of("web", method).await, "h1", "{method}");
        world.all_room_is_given_back();
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_mover_cannot_remove_is_said_to_be_left() {
    for method in METHODS {
        let world = World::with(method);
        world.lock("h2");
        let (result, seen) =
            move_with(&world, method, Noting { fails: Some("abandon"), ..Noting::default() }).await;
        let Err(MoveError::Leftover { reason, .. }) = result else { panic!("{method}: {result:?}") };
        let left = "what was copied of storage /srv/web.img (noting) may be left on h2: h2: no space left";
        assert!(reason.text.contains("in maintenance") && reason.text.contains(left), "{method}: {reason}");
        assert!(seen.iter().all(|one| one.starts_with('[') || one.starts_with("abandon")), "{seen:?}");
        assert_eq!(world.home_of("web", method).await, "h1", "{method}");
    }
}

/// Those of a host's reasons that are about disk space.
async fn short_of_disk(host: &dyn Host, request: CheckRequest) -> Vec<String> {
    let blockers = host.check(request).await.unwrap();
    let of_disk = blockers.iter().filter(|blocker| blocker.kind == BlockerKind::Disk);
    of_disk.map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn data_that_is_copied_reserves_disk_space_and_what_both_hosts_see_needs_none() {
    let world = World::with(Method::Cold);
    world.set_host("h2", |host| host.disk = 10 << 30);
    let (from, to) = (world.local("h1"), world.local("h2"));
    let manifest = from.manifest(name("web")).await.unwrap();
    let with = |gigabytes: u64| request(&manifest, Method::Cold, gigabytes << 30);
    assert_eq!(short_of_disk(&*to, with(10)).await, [""; 0]);
    assert_eq!(short_of_disk(&*to, with(11)).await, ["11G of disk space needed, h2 has 10G free"]);
    let refused = to.reserve(with(11), 60_000).await.unwrap_err();
    assert!(refused.to_string().contains("11G of disk space needed"), "{refused}");

    to.reserve(with(6), 60_000).await.unwrap();
    assert_eq!(to.survey(false).await.unwrap().host.disk_free, 4 << 30);
    // Another zone has what is left; this one has its own reservation.
    let other = |gigabytes| {
        let mut other = with(gigabytes);
        other.manifest.zone.uuid = uuid::Uuid::from_u128(9);
        other
    };
    assert_eq!(short_of_disk(&*to, other(5)).await, ["5G of disk space needed, h2 has 4G free"]);
    assert_eq!(short_of_disk(&*to, with(10)).await, [""; 0]);
    assert_eq!(short_of_disk(&*to, other(0)).await, [""; 0]);
    to.release(name("web"), manifest.zone.uuid).await.unwrap();
    assert_eq!(to.survey(false).await.unwrap().host.disk_free, 10 << 30);
}
