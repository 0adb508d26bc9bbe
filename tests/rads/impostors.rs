//! Peers with a valid certificate that claim to be another host, or use what belongs to another host. The host
//! behind the agent is a real one with simulated zones.

use std::sync::Arc;

use sysadm::testing::host::{Exported, Host, HostError, Local, Remote};
use sysadm::testing::paths::Paths;
use sysadm::testing::platform::sim::{HostSettings, Scale, Sim, StorageFolder, ZoneSpec};
use sysadm::testing::store::{Store, ZoneRecord};
use sysadm_model::document::Written;
use sysadm_model::{CheckRequest, Hinted, Manifest, Method, Millis, PendingLoad, Zone, ZoneName, ZoneState};
use sysadm_model::{Role, StreamId, Token};
use sysadm_transport::{DialOptions, Dialer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::site::{Agent, Site, config, dialer};

/// A host of simulated zones on storage that all hosts share, and its store.
fn host(site: &Site, paths: &Paths, name: &str) -> (Arc<Local>, Arc<Store>, Sim) {
    let sim = Sim::open(paths);
    let storages =
        vec![StorageFolder { name: "nfs".to_owned(), folder: Some(site.ca().with_file_name("nfs")) }];
    let name_ = name.to_owned();
    sim.set_host(&HostSettings { name: name_, scale: Scale::Instant, storages, ..HostSettings::default() })
        .unwrap();
    let store = Arc::new(Store::open(&paths.database()).unwrap());
    let platform = Arc::new(sim.clone());
    (Arc::new(Local::new(name.to_owned(), platform, Arc::clone(&store), paths.clone())), store, sim)
}

/// The export of a zone that runs on h1.
async fn export(site: &Site, paths: &Paths, zone: &str) -> Exported {
    let (local, _, sim) = host(site, paths, "h1");
    let zone: ZoneName = zone.parse().unwrap();
    sim.create(ZoneSpec { memory: 1 << 30, storages: vec!["nfs".to_owned()], ..ZoneSpec::new(zone.clone()) })
        .unwrap();
    sim.start(&zone).unwrap();
    local.export(zone).await.unwrap()
}

/// A site with h1, which offers web1, an agent of h2, and connections to it as h1 and as h3.
struct Scene {
    site: Site,
    agent: Agent,
    store: Arc<Store>,
    there: Sim,
    here: Paths,
    exported: Exported,
    h1: Remote,
    h3: Remote,
}

impl Scene {
    async fn new() -> Self {
        let site = Site::new("Example");
        let (here, there, third) = (site.host("h1"), site.host("h2"), site.host("h3"));
        let exported = export(&site, &here, "web1").await;
        let (local, store, sim) = host(&site, &there, "h2");
        let roles = [("h4".to_owned(), Role::Admin)];
        let agent = Agent::serve(&there, config(|config| config.roles = roles.into()), local).await;
        let h1 = Remote::connect(agent.uri(), dialer(&here)).await.unwrap();
        let h3 = Remote::connect(agent.uri(), dialer(&third)).await.unwrap();
        Self { site, agent, store, there: sim, here, exported, h1, h3 }
    }

    fn request(&self, from: &str) -> CheckRequest {
        let manifest = self.exported.manifest.clone();
        CheckRequest {
            manifest,
            method: Method::Live,
            from: from.to_owned(),
            home: None,
            overwrite: false,
            force: false,
            pending: PendingLoad::default(),
            disk: 0,
            mappings: vec![],
            owners: vec![],
        }
    }

    /// Likewise with a zone of h2 itself, which runs there or does not; and its manifest.
    async fn with_resident(&self, runs: bool) -> Manifest {
        let zone: ZoneName = "own1".parse().unwrap();
        let spec =
            ZoneSpec { memory: 1 << 30, storages: vec!["nfs".to_owned()], ..ZoneSpec::new(zone.clone()) };
        self.there.create(spec).unwrap();
        if runs {
            self.there.start(&zone).unwrap();
        }
        self.h1.manifest(zone).await.unwrap()
    }

    /// Everything that can be done to a zone by its name and UUID, and the answers.
    async fn deeds(&self, peer: &Remote, zone: &Zone) -> Vec<(&'static str, Result<(), HostError>)> {
        let (name, uuid) = (zone.name.clone(), zone.uuid);
        let manifest = Manifest { zone: zone.clone(), ..self.exported.manifest.clone() };
        let token = Token::random();
        vec![
            ("renew", peer.renew(name.clone(), uuid, 1).await),
            ("release", peer.release(name.clone(), uuid).await),
            ("attach", peer.attach(manifest.clone()).await),
            ("open_incoming", peer.open_incoming(manifest, token.clone()).await),
            ("resume", peer.resume(name.clone(), uuid).await),
            ("destroy_incoming", peer.destroy_incoming(name.clone(), uuid).await),
            ("boot", peer.boot(name.clone(), uuid).await.map(drop)),
            ("set_autostart", peer.set_autostart(name.clone(), true).await),
            ("detach", peer.detach(name.clone(), uuid, false).await),
            ("detach gone", peer.detach(name.clone(), uuid, true).await),
            ("export", peer.export(name.clone()).await.map(drop)),
            ("send", peer.send(zone.clone(), token, vec![]).await.map(drop)),
            ("abort", peer.abort(name.clone()).await),
            ("wait_sent", peer.wait_sent(name.clone()).await),
            ("shutdown", peer.shutdown(name, uuid, 1000).await),
        ]
    }

    /// None of them is done, and each is refused with these words.
    async fn are_refused(&self, peer: &Remote, zone: &Zone, words: &str) {
        for (deed, result) in self.deeds(peer, zone).await {
            let refused = reason(result);
            assert!(
                refused.contains("is for a host's own zones") && refused.contains(words),
                "{deed}: {refused}"
            );
        }
    }
}

/// The error and its hints.
fn reason<T>(result: Result<T, HostError>) -> String {
    let error = result.map(|_| ()).unwrap_err();
    let hints = error.hints().into_iter().map(|hint| format!("\nhint: {hint}"));
    error.to_string() + &hints.collect::<String>()
}

#[tokio::test]
async fn a_reservation_is_in_the_name_of_the_certificate_whatever_its_owner_calls_itself() {
    let scene = Scene::new().await;
    scene.h1.reserve(scene.request("h9\n; trust me"), u64::MAX).await.unwrap();
    let reserved = scene.store.reservations(Millis::now()).unwrap();
    assert_eq!(reserved[0].source, "h1");
    // No reservation lasts for ever.
    assert!(reserved[0].expires < Millis::now().after(25 * 3_600_000));

    // Nor can another peer extend it by using its owner's name.
    let refused = reason(scene.h3.reserve(scene.request("h1"), 1000).await);
    assert!(refused.contains("h2 expects a zone of this name from h1"), "{refused}");
    assert_eq!(scene.store.reservations(Millis::now()).unwrap()[0].source, "h1");
}

#[tokio::test]
async fn a_token_is_good_for_the_peer_whose_migration_it_is_and_no_other() {
    let scene = Scene::new().await;
    let (manifest, token) = (scene.exported.manifest.clone(), Token::random());
    scene.h1.reserve(scene.request("h1"), 60_000).await.unwrap();
    scene.h1.open_incoming(manifest.clone(), token.clone()).await.unwrap();

    let foreign = "the token belongs to a migration of another host";
    for stream in [StreamId::Control, StreamId::Memory, StreamId::Data(3)] {
        let refused = reason(scene.h3.connect(&token, stream).await);
        assert!(refused.contains(foreign), "{refused}");
        let refused = reason(scene.h3.listen(&token, stream).await);
        assert!(refused.contains(foreign), "{refused}");
    }
    assert!(reason(scene.h3.open_incoming(manifest.clone(), token.clone()).await).contains(foreign));
    assert!(reason(scene.h3.send(manifest.zone.clone(), token.clone(), vec![]).await).contains(foreign));
    assert!(reason(scene.h3.close_incoming(token.clone()).await).contains(foreign));
    scene.agent.logged(&format!("h3 was refused a stream: {foreign}")).await;

    // It did no harm to its owner.
    let mut stream = scene.h1.connect(&token, StreamId::Memory).await.unwrap();
    let begin = serde_json::json!({"begin": {"uuid": manifest.zone.uuid, "networks": manifest.networks}});
    stream.write_all(format!("{begin}\n").as_bytes()).await.unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\"ready\"");
}

#[tokio::test]
async fn a_token_is_worth_nothing_after_its_migration() {
    let scene = Scene::new().await;
    let (manifest, token) = (scene.exported.manifest.clone(), Token::random());
    scene.h1.reserve(scene.request("h1"), 60_000).await.unwrap();
    scene.h1.open_incoming(manifest.clone(), token.clone()).await.unwrap();
    drop(scene.h1.connect(&token, StreamId::Control).await.unwrap());
    scene.h1.close_incoming(token.clone()).await.unwrap();
    scene.h1.release(manifest.zone.name.clone(), manifest.zone.uuid).await.unwrap();
    // Its owner and another one, and one that never existed.
    let patient = |paths: &Paths| {
        let mut options = DialOptions::default();
        options.connect.timeout = 30;
        Arc::new(Dialer { options, tls: paths.tls_dir() })
    };
    let again = Remote::connect(scene.agent.uri(), patient(&scene.here)).await.unwrap();
    let fresh = Token::random();
    let (old, never) =
        tokio::join!(again.connect(&token, StreamId::Control), again.connect(&fresh, StreamId::Memory));
    for refused in [reason(old), reason(never)] {
        assert!(refused.contains("no zone is expected under this token"), "{refused}");
        assert!(![&token, &fresh].iter().any(|token| refused.contains(token.as_str())), "{refused}");
    }
    // And without a reservation that cannot be repaired.
    let refused = reason(scene.h1.open_incoming(manifest, token).await);
    assert!(refused.contains("no room is reserved for it on h2"), "{refused}");
}

#[tokio::test]
async fn a_manifest_whose_inside_is_of_another_zone_is_refused() {
    let scene = Scene::new().await;
    scene.h1.reserve(scene.request("h1"), 60_000).await.unwrap();
    let mut manifest = scene.exported.manifest.clone();
    manifest.config = manifest.config.replace("web1", "db1");
    let refused = reason(scene.h1.attach(manifest).await);
    assert!(refused.contains("its configuration is of another zone"), "{refused}");
    assert_eq!(scene.h1.inventory().await.unwrap().zones, []);
}

#[tokio::test]
async fn a_reservation_is_used_extended_and_ended_by_its_maker_and_nobody_else() {
    let scene = Scene::new().await;
    let zone = scene.exported.manifest.zone.clone();
    scene.h1.reserve(scene.request("h1"), 60_000).await.unwrap();
    let reserved = scene.store.reservations(Millis::now()).unwrap();
    let at_rest = Zone { state: ZoneState::Installed, ..zone.clone() };
    scene.are_refused(&scene.h3, &at_rest, "h2 expects a zone of this name from h1").await;
    // Nor under another name of the same zone.
    let refused = reason(scene.h3.renew("db1".parse().unwrap(), zone.uuid, 1).await);
    assert!(refused.contains("h2 expects a zone of this name from h1"), "{refused}");
    assert_eq!(scene.store.reservations(Millis::now()).unwrap(), reserved);
    assert_eq!(scene.h3.inventory().await.unwrap().zones, []);
    // Its owner cannot shorten it either.
    scene.h1.renew(zone.name.clone(), zone.uuid, 1).await.unwrap();
    assert_eq!(scene.store.reservations(Millis::now()).unwrap(), reserved);
    let token = Token::random();
    for _ in 0..2 {
        scene.h1.open_incoming(scene.exported.manifest.clone(), token.clone()).await.unwrap();
    }
    scene.h1.release(zone.name, zone.uuid).await.unwrap();
}

#[tokio::test]
async fn a_zone_that_was_brought_is_left_alone_by_all_but_those_for_whom_it_was_brought() {
    let scene = Scene::new().await;
    let zone = scene.exported.manifest.zone.clone();
    let request = CheckRequest {
        method: Method::Cold,
        owners: vec!["H5".to_owned(), "h9\n".to_owned(), "x".repeat(256)],
        ..scene.request("h1")
    };
    scene.h1.reserve(request.clone(), 60_000).await.unwrap();
    scene.h1.attach(scene.exported.manifest.clone()).await.unwrap();
    scene.h1.release(zone.name.clone(), zone.uuid).await.unwrap();
    scene.are_refused(&scene.h3, &zone, "the zone was brought to h2 for H5, h1").await;
    let refused = reason(scene.h3.reserve(CheckRequest { overwrite: true, ..request }, 1000).await);
    assert!(refused.contains("the zone was brought to h2 for H5, h1"), "{refused}");
    let [found] = &scene.h3.inventory().await.unwrap().zones[..] else { panic!("it is gone") };
    assert_eq!((found.state, found.autostart), (ZoneState::Installed, false));

    // The host for which it was brought may boot it, shut it down and fetch it.
    let h5 = Remote::connect(scene.agent.uri(), dialer(&scene.site.host("h5"))).await.unwrap();
    assert!(h5.boot(zone.name.clone(), zone.uuid).await.unwrap());
    let exported = h5.export(zone.name.clone()).await.unwrap();
    assert_eq!(exported.owners, ["H5", "h1"]);
    h5.clear_markers(exported.ticket).await.unwrap();
    h5.shutdown(zone.name.clone(), zone.uuid, 60_000).await.unwrap();
    h5.detach(zone.name.clone(), zone.uuid, true).await.unwrap();
    // Asked again, as after an answer that was lost.
    let _ = h5.detach(zone.name, zone.uuid, true).await;
    assert_eq!(h5.inventory().await.unwrap().zones, []);
}

#[tokio::test]
async fn the_zones_of_a_host_itself_are_left_alone_by_its_peers() {
    let scene = Scene::new().await;
    let manifest = scene.with_resident(true).await;
    let zone = &manifest.zone;
    let unknown = "the zone belongs to h2, which has no record that h3 brought it";
    scene.are_refused(&scene.h3, zone, unknown).await;
    let way_out = format!(
        "\nhint: to send it to h3: run 'sysadm zone migrate {} rads://h3' on h2\nhint: to let h3 take any zone of h2: give it the role admin under [roles] in h2's sysadm.toml",
        zone.name
    );
    scene.are_refused(&scene.h3, zone, &way_out).await;
    // A peer's own zone does not lend its UUID to another one's name, nor the other way round.
    scene.h3.reserve(scene.request("h3"), 60_000).await.unwrap();
    let own = scene.exported.manifest.zone.clone();
    for mixed in [Zone { name: zone.name.clone(), ..own.clone() }, Zone { uuid: zone.uuid, ..own }] {
        let refused = reason(scene.h3.send(mixed, Token::random(), vec![]).await);
        assert!(refused.contains("the zone belongs to h2"), "{refused}");
    }
    let found = scene.h3.inventory().await.unwrap();
    let found = found.find(&zone.name).unwrap();
    assert_eq!((found.state, found.autostart), (ZoneState::Running, false));
    // An administrator may.
    let h4 = Remote::connect(scene.agent.uri(), dialer(&scene.site.host("h4"))).await.unwrap();
    h4.set_autostart(zone.name.clone(), true).await.unwrap();
    h4.shutdown(zone.name.clone(), zone.uuid, 60_000).await.unwrap();
}

#[tokio::test]
async fn a_zone_that_is_configured_is_not_given_up_by_a_peer() {
    let scene = Scene::new().await;
    let manifest = scene.with_resident(false).await;
    let zone = &manifest.zone;
    let written = Written::by("h2", Millis::now());
    let record = ZoneRecord::configured(&manifest, written, "root".into());
    scene.store.configure(&record, &manifest).unwrap();
    scene.there.remove(&zone.name).unwrap();
    scene.are_refused(&scene.h3, zone, "the zone belongs to h2").await;
    assert_eq!(scene.store.configured().unwrap().len(), 1);
}

#[tokio::test]
async fn one_token_lets_one_zone_in() {
    let scene = Scene::new().await;
    let token = Token::random();
    scene.h1.reserve(scene.request("h1"), 60_000).await.unwrap();
    scene.h1.open_incoming(scene.exported.manifest.clone(), token.clone()).await.unwrap();
    let other = export(&scene.site, &scene.here, "web2").await;
    let request = CheckRequest { manifest: other.manifest.clone(), ..scene.request("h1") };
    scene.h1.reserve(request, 60_000).await.unwrap();
    let refused = reason(scene.h1.open_incoming(other.manifest, token).await);
    assert!(refused.contains("another zone is let in under this token"), "{refused}");
}
