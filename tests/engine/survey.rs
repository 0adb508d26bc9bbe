//! All hosts are surveyed in parallel; those that hang, fail or are old do not hold up the others.

use std::collections::BTreeSet;
use std::sync::Arc;

use sysadm::host::Host;
use sysadm::model::HostUri;
use sysadm::peers::survey::{LIMIT, Surveyed, survey};
use sysadm::plan::{Dirty, FleetZone, Version};
use sysadm::platform::sim::{Effect, Fault, HostSettings, Operation, Profile, ZoneSpec};

use super::world::{World, live};

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// h1 asks itself, h2 and h3.
async fn ask(world: &World) -> Surveyed {
    let engine = world.engine();
    let uris: Vec<HostUri> = ["rads://h2", "rads://h3"].map(|uri| uri.parse().unwrap()).into();
    survey(Some(Arc::clone(&engine.local) as Arc<dyn Host>), &engine.peers, &uris, false).await
}

fn names(surveyed: &Surveyed) -> Vec<String> {
    surveyed.fleet.hosts.iter().map(|host| host.name.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_holds_no_other_up_and_is_named() {
    let world = World::new();
    world.run_zone_on("h3", live("web"));
    world.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Survey })]);
    let began = tokio::time::Instant::now();
    let surveyed = ask(&world).await;
    assert_eq!(names(&surveyed), ["h1", "rads://h3"]);
    assert!(surveyed.fleet.zones[0].host.is_written("rads://h3"));
    assert_eq!(surveyed.silent, [("rads://h2".parse().unwrap(), "nothing came within 30 s".to_owned())]);
    // Not a moment longer than the time limit of one host.
    assert!(began.elapsed() < LIMIT + std::time::Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_has_not_kept_the_others_from_answering_before() {
    let world = World::new();
    world.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Survey })]);
    let engine = world.engine();
    let [slow, quick] = ["rads://h2", "rads://h3"].map(|uri| uri.parse::<HostUri>().unwrap());
    let ask = |uri: HostUri| {
        let peers = &engine.peers;
        async move { sysadm::peers::survey::ask(uri.clone().into(), peers.reach(&uri), false).await }
    };
    let began = tokio::time::Instant::now();
    tokio::select! {
        (name, answer) = ask(quick) => assert!(answer.is_ok(), "{name}"),
        (name, _) = ask(slow) => panic!("{name} came first"),
    }
    assert!(began.elapsed().as_secs() < 1, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_be_surveyed_tells_what_every_host_knows_and_one_that_cannot_be_reached_says_why()
{
    let world = World::new();
    let fail = Effect::Fail { at: Operation::Survey, reason: "no libvirt today".to_owned() };
    world.set_faults("h2", &[Fault::always(fail)]);
    let surveyed = ask(&world).await;
    assert_eq!(
        (names(&surveyed), surveyed.silent.len()),
        (["h1", "rads://h2", "rads://h3"].map(str::to_owned).to_vec(), 0)
    );
    assert_eq!(surveyed.fleet.hosts[1].networks, None);
    world.lines.cut();
    let surveyed = ask(&world).await;
    assert_eq!(names(&surveyed), ["h1"]);
    assert_eq!(surveyed.silent.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn of_an_old_agent_as_much_is_known_as_it_can_tell() {
    let world = World::new();
    world.run_zone_on("h2", live("web"));
    world.lock("h3");
    world.lines.lead_to_old_agents();
    let surveyed = ask(&world).await;
    assert_eq!(names(&surveyed), ["h1", "rads://h2", "rads://h3"]);
    let [h1, h2, h3] = surveyed.fleet.hosts.as_slice() else { panic!("{surveyed:?}") };
    assert_eq!((h1.memory - h2.memory_free, h2.memory), (4 << 30, 64 << 30));
    assert!(h3.maintenance.as_ref().is_some_and(|who| who.contains("admin")));
    // What it cannot report restricts nothing.
    assert!(h1.networks.is_some() && h2.networks.is_none() && h2.storage.is_none());
    let web = &surveyed.fleet.zones[0];
    assert_eq!(
        (web.name.as_str(), web.running, web.memory, web.memory_used),
        ("web", true, 4 << 30, 4 << 30)
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_simulated_host_was_told_to_be_is_in_its_survey() {
    let world = World::new();
    let features = words(&["avx2", "sse4.2"]);
    world.set_host("h1", |host: &mut HostSettings| {
        host.cpu_features = Some(features.clone());
        host.hypervisor = "simulated 8.1.2".to_owned();
        host.bandwidth = 1 << 20;
    });
    let profile = Profile {
        tags: words(&["gold"]),
        cpu_features: words(&["avx2"]),
        hypervisor: Some(Version(8, 1, 0)),
        load: 50,
        network_load: 1000,
    };
    let asleep = |name: &str| ZoneSpec { profile: profile.clone(), ..live(name) };
    world.run_zone(ZoneSpec { cpus: 3, ..asleep("web") });
    world.sim("h1").create(asleep("old")).unwrap();
    world.lock("h1");
    let fleet = ask(&world).await.fleet;
    let h1 = &fleet.hosts[0];
    assert_eq!((h1.hypervisor, h1.bandwidth, h1.cpus), (Some(Version(8, 1, 2)), Some(1 << 20), 16));
    assert_eq!((h1.cpu_load, h1.network_load, h1.memory_free), (0.5, 1000, 60 << 30));
    assert_eq!((h1.cpu_features.as_ref(), h1.networks.as_ref()), (Some(&features), Some(&words(&["br0"]))));
    assert!(h1.maintenance.is_some());
    let zone = |name: &str| fleet.zones.iter().find(|zone| zone.name.as_str() == name).unwrap();
    let shared = words(&[world.at("nfs").to_str().unwrap()]);
    let web = FleetZone {
        uuid: zone("web").uuid,
        brand: Some(sysadm::model::Brand::KVM),
        running: true,
        memory: 4 << 30,
        memory_used: 4 << 30,
        cpus: 3,
        cpu_load: 0.5,
        network_load: 1000,
        arch: "x86_64".to_owned(),
        cpu_features: words(&["avx2"]),
        hypervisor: Some(Version(8, 1, 0)),
        networks: words(&["br0"]),
        storage: shared.clone(),
        tags: words(&["gold"]),
        dirty: Some(Dirty { rate: 20 << 20, ..Dirty::default() }),
        ..FleetZone::new("web".parse().unwrap(), "h1".parse().unwrap())
    };
    assert_eq!(zone("web"), &web);
    let old = zone("old");
    assert_eq!((old.running, old.memory_used, old.cpu_load, old.network_load), (false, 0, 0.0, 0));
    // All hosts share it, and report it by the same name.
    assert!(fleet.hosts.iter().all(|host| host.storage.as_ref() == Some(&shared)));
}

#[tokio::test(start_paused = true)]
async fn room_that_is_reserved_is_not_free() {
    let world = World::new();
    let reservation = sysadm::store::Reservation {
        zone: super::world::name("web"),
        uuid: uuid::Uuid::new_v4(),
        source: "h9".to_owned(),
        memory: 10 << 30,
        cpus: 1,
        disk: 0,
        expires: sysadm::model::Millis::now().after(3_600_000),
    };
    let now = sysadm::model::Millis::now();
    let admit = |_: &[sysadm::store::Reservation]| Ok::<(), ()>(());
    world.store("h2").reserve(&reservation, now, admit).unwrap().unwrap();
    assert_eq!(ask(&world).await.fleet.hosts[1].memory_free, 54 << 30);
}
