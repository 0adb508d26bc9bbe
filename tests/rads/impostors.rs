//! Peers with a good certificate that say they were somebody else, or use what belongs to somebody else. The host
//! behind the agent is a real one with simulated zones.

use std::sync::Arc;

use sysadm::host::{Channel, Host, HostError, Local, Offer, Remote, Token};
use sysadm::model::{Arrival, Beside, Kind, Millis, ZoneName};
use sysadm::paths::Paths;
use sysadm::platform::sim::{HostSettings, Scale, Sim, Storage, ZoneSpec};
use sysadm::store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::site::{Agent, Site, config, dialer};

/// A host of simulated zones on storage that all hosts share, and its store.
fn host(site: &Site, paths: &Paths, name: &str) -> (Arc<Local>, Arc<Store>, Sim) {
    let sim = Sim::open(paths);
    let storages = vec![Storage { name: "nfs".to_owned(), folder: Some(site.ca().with_file_name("nfs")) }];
    let name_ = name.to_owned();
    sim.set_host(&HostSettings { name: name_, scale: Scale::Instant, storages, ..HostSettings::default() })
        .unwrap();
    let store = Arc::new(Store::open(&paths.database()).unwrap());
    let platform = Arc::new(sim.clone());
    (Arc::new(Local::new(name.to_owned(), platform, Arc::clone(&store), paths.clone())), store, sim)
}

/// The offer of a zone that runs on h1.
async fn offer(site: &Site, paths: &Paths, zone: &str) -> Offer {
    let (local, _, sim) = host(site, paths, "h1");
    let zone: ZoneName = zone.parse().unwrap();
    sim.create(ZoneSpec { memory: 1 << 30, storages: vec!["nfs".to_owned()], ..ZoneSpec::new(zone.clone()) })
        .unwrap();
    sim.start(&zone).unwrap();
    local.offer(zone).await.unwrap()
}

/// A site with h1, which offers web1, an agent of h2, and connections to it as h1 and as h3.
struct Scene {
    _site: Site,
    agent: Agent,
    store: Arc<Store>,
    here: Paths,
    offer: Offer,
    h1: Remote,
    h3: Remote,
}

impl Scene {
    async fn new() -> Self {
        let site = Site::new("Example");
        let (here, there, third) = (site.host("h1"), site.host("h2"), site.host("h3"));
        let offer = offer(&site, &here, "web1").await;
        let (local, store, _) = host(&site, &there, "h2");
        let agent = Agent::serve(&there, config(|_| {}), local).await;
        let h1 = Remote::connect(agent.uri(), dialer(&here)).await.unwrap();
        let h3 = Remote::connect(agent.uri(), dialer(&third)).await.unwrap();
        Self { _site: site, agent, store, here, offer, h1, h3 }
    }

    fn arrival(&self, from: &str) -> Arrival {
        let manifest = self.offer.manifest.clone();
        Arrival {
            manifest,
            kind: Kind::Live,
            from: from.to_owned(),
            overwrite: false,
            force: false,
            beside: Beside::default(),
            plugs: vec![],
            owners: vec![],
        }
    }
}

fn reason<T>(result: Result<T, HostError>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn a_booking_is_in_the_name_of_the_certificate_whatever_its_owner_calls_itself() {
    let scene = Scene::new().await;
    scene.h1.reserve(scene.arrival("h9\n; trust me"), u64::MAX).await.unwrap();
    let booked = scene.store.reservations(Millis::now()).unwrap();
    assert_eq!(booked[0].source, "h1");
    // Nobody books for ever.
    assert!(booked[0].expires < Millis::now().after(25 * 3_600_000));

    // Neither can another one extend it by taking its owner's name.
    let refused = reason(scene.h3.reserve(scene.arrival("h1"), 1000).await);
    assert!(refused.contains("h2 expects a zone of this name from h1"), "{refused}");
    assert_eq!(scene.store.reservations(Millis::now()).unwrap()[0].source, "h1");
}

#[tokio::test]
async fn a_token_is_good_for_the_peer_whose_migration_it_is_and_no_other() {
    let scene = Scene::new().await;
    let (manifest, token) = (scene.offer.manifest.clone(), Token::random());
    scene.h1.reserve(scene.arrival("h1"), 60_000).await.unwrap();
    scene.h1.open_arrival(manifest.clone(), token.clone()).await.unwrap();

    let foreign = "the token belongs to a migration of another host";
    for channel in Channel::ALL {
        let refused = reason(scene.h3.connect(&token, channel).await);
        assert!(refused.contains(foreign), "{refused}");
        let refused = reason(scene.h3.listen(&token, channel).await);
        assert!(refused.contains(foreign), "{refused}");
    }
    assert!(reason(scene.h3.open_arrival(manifest.clone(), token.clone()).await).contains(foreign));
    assert!(reason(scene.h3.send(manifest.zone.clone(), token.clone(), vec![]).await).contains(foreign));
    assert!(reason(scene.h3.close_arrival(token.clone()).await).contains(foreign));
    scene.agent.logged(&format!("h3 was refused a stream: {foreign}")).await;

    // It was no harm to its owner.
    let mut stream = scene.h1.connect(&token, Channel::Memory).await.unwrap();
    let begin = serde_json::json!({"begin": {"uuid": manifest.zone.uuid, "networks": manifest.networks}});
    stream.write_all(format!("{begin}\n").as_bytes()).await.unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\"ready\"");
}

#[tokio::test]
async fn a_token_is_worth_nothing_after_its_migration() {
    let scene = Scene::new().await;
    let (manifest, token) = (scene.offer.manifest.clone(), Token::random());
    scene.h1.reserve(scene.arrival("h1"), 60_000).await.unwrap();
    scene.h1.open_arrival(manifest.clone(), token.clone()).await.unwrap();
    drop(scene.h1.connect(&token, Channel::Control).await.unwrap());
    scene.h1.close_arrival(token.clone()).await.unwrap();
    scene.h1.release(manifest.zone.name.clone(), manifest.zone.uuid).await.unwrap();
    // Its owner and another one, and one that never was.
    let patient = |paths: &Paths| {
        let config = config(|config| config.connect.timeout = 30);
        Arc::new(sysadm::transport::Dialer { config, paths: paths.clone() })
    };
    let again = Remote::connect(scene.agent.uri(), patient(&scene.here)).await.unwrap();
    let fresh = Token::random();
    let (old, never) =
        tokio::join!(again.connect(&token, Channel::Control), again.connect(&fresh, Channel::Memory));
    for refused in [reason(old), reason(never)] {
        assert!(refused.contains("no zone is expected under this token"), "{refused}");
        assert!(![&token, &fresh].iter().any(|token| refused.contains(token.as_str())), "{refused}");
    }
    // And without a booking it cannot be made good again.
    let refused = reason(scene.h1.open_arrival(manifest, token).await);
    assert!(refused.contains("no room is booked for it on h2"), "{refused}");
}

#[tokio::test]
async fn a_manifest_whose_inside_is_of_another_zone_is_refused() {
    let scene = Scene::new().await;
    scene.h1.reserve(scene.arrival("h1"), 60_000).await.unwrap();
    let mut manifest = scene.offer.manifest.clone();
    manifest.config = manifest.config.replace("web1", "db1");
    let refused = reason(scene.h1.attach(manifest).await);
    assert!(refused.contains("its configuration is of another zone"), "{refused}");
    assert_eq!(scene.h1.inventory().await.unwrap().zones, []);
}
