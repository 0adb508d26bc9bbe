//! Live migrations without faults.

use super::*;

#[tokio::test]
async fn a_zone_moves_with_its_identity_and_its_counter_goes_on() {
    let world = World::with_zone(busy("web"));
    let before = seen(&world.a, "web").await.unwrap();
    world.a.sleep_until(Millis(5000)).await.unwrap();
    let sent = world.transfer("web").await.unwrap();
    assert!((1..=300).contains(&sent.stopped_for), "{sent:?}");
    assert_eq!(words_of(&world, "web").await, ["installed", "running paused"]);
    let held = world.b.zone_counter(&name("web")).unwrap();
    assert!(!held.goes_on && held.value > 5000, "{held:?}");
    world.b.resume(&name("web"), before.uuid).await.unwrap();
    world.a.wait_sent(&name("web")).await.unwrap();
    assert_eq!(words_of(&world, "web").await, ["-", "running"]);
    world.b.sleep_until(Millis(70)).await.unwrap();
    assert_eq!(
        world.b.zone_counter(&name("web")).unwrap(),
        Counter { value: held.value + 70, goes_on: true }
    );
    assert_eq!(seen(&world.b, "web").await.unwrap().uuid, before.uuid);
}

#[tokio::test]
async fn the_configuration_arrives_as_it_was() {
    let world = World::with_zone(spec("web"));
    let before = world.a.manifest(&name("web")).await.unwrap();
    world.migrate("web").await.unwrap();
    let after = world.b.manifest(&name("web")).await.unwrap();
    assert_eq!((after.config, after.disks, after.networks), (before.config, before.disks, before.networks));
}

#[tokio::test]
async fn in_scaled_time_progress_can_be_watched_and_grows() {
    let folder = tempfile::tempdir().unwrap();
    let host = |host: &str| {
        let sim = Sim::open(&paths(folder.path(), host));
        let settings = HostSettings { scale: Scale::Times(10), ..settings(folder.path(), host) };
        sim.set_host(&settings).unwrap();
        sim
    };
    let (a, b) = (host("a"), host("b"));
    let world = World { folder, a, b };
    world.run(ZoneSpec { memory: 4 << 30, ..spec("web") });
    let zone = name("web");
    let (sent, seen) = tokio::join!(world.transfer("web"), async {
        let mut seen: Vec<crate::model::Progress> = Vec::new();
        while word(&world.a, "web").await != "installed" {
            seen.extend(world.a.progress(&zone).await.unwrap());
            pause().await;
        }
        seen
    });
    // 4 GiB take 4 s, 400 ms of the test's time; then 64 MiB in at most the maximum downtime.
    assert!(sent.unwrap().stopped_for > 0);
    assert!(seen.len() > 2 && seen.is_sorted_by_key(|progress| progress.sent), "{seen:?}");
    assert!(seen.iter().all(|progress| progress.total == 4 << 30), "{seen:?}");
}

#[tokio::test]
async fn several_zones_move_at_once_and_each_keeps_its_own_counter() {
    let world = World::new();
    let zones = ["one", "two", "three"];
    for zone in zones {
        world.run(busy(zone));
        world.a.sleep_until(world.a.now().unwrap().after(100_000)).await.unwrap();
    }
    let moves = futures_util::future::join_all(zones.map(|zone| world.migrate(zone))).await;
    assert!(moves.iter().all(|sent| sent.as_ref().is_ok_and(|sent| sent.stopped_for < 100_000)), "{moves:?}");
    let counters = zones.map(|zone| world.b.zone_counter(&name(zone)).unwrap().value / 100_000);
    assert_eq!(counters, [3, 2, 1]);
}
