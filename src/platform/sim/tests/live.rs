//! Live migration that goes well.

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
    world.a.finish(&name("web")).await.unwrap();
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
