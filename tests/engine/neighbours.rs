//! Several hosts that are emptied: one after the other, into each other, or into the same third one.

use sysadm::evacuation::Outcome;
use sysadm::model::{Method, Millis};
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState, Reservation};

use super::world::{World, error_of, live, until};

async fn run_on(world: &World, host: &str, direction: Direction) -> Outcome {
    world.engine_of(host).run(direction, &World::request()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_location_that_is_emptied_in_turn_gives_everybody_back_to_their_origins() {
    let world = World::with(Method::Live);
    world.run_zone_on("h2", live("db"));
    world.set_default_target("h2", "rads://h3");
    world.lock("h1");
    assert!(run_on(&world, "h1", Direction::Evacuate).await.is_complete());
    world.lock("h2");
    assert!(run_on(&world, "h2", Direction::Evacuate).await.is_complete());
    assert_eq!(world.home_of("web", Method::Live).await, "h3");

    // It does not take back what it has passed on: that belongs to another host.
    world.unlock("h2");
    assert!(run_on(&world, "h2", Direction::Return).await.is_complete());
    assert_eq!(world.home_of("web", Method::Live).await, "h3");
    assert_eq!(world.home_of("db", Method::Live).await, "h2");
    world.lock("h2");
    world.unlock("h1");
    assert!(run_on(&world, "h1", Direction::Return).await.is_complete());
    assert_eq!(world.events.count("web: h2 has migrated it to rads://h3; it returns from there"), 1);
    assert_eq!(world.home_of("web", Method::Live).await, "h1");
    assert_eq!(world.home_of("db", Method::Live).await, "h2");
    for host in ["h1", "h2", "h3"] {
        assert_eq!(world.store(host).away().unwrap(), []);
    }
    assert_eq!(world.script.wrong(), [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn two_hosts_that_empty_themselves_into_each_other_are_both_refused() {
    let world = World::with(Method::Live);
    world.run_zone_on("h2", live("db"));
    world.set_default_target("h2", "rads://h1");
    world.lock("h1");
    world.lock("h2");
    let (first, second) =
        tokio::join!(run_on(&world, "h1", Direction::Evacuate), run_on(&world, "h2", Direction::Evacuate));
    assert!(error_of(&first, "web").contains("h2 is in maintenance"), "{first:?}");
    assert!(error_of(&second, "db").contains("h1 is in maintenance"), "{second:?}");
    assert_eq!(world.home_of("web", Method::Live).await, "h1");
    assert_eq!(world.home_of("db", Method::Live).await, "h2");
    world.all_room_is_given_back();
}

#[tokio::test(start_paused = true)]
async fn two_sources_never_bring_more_to_one_destination_than_it_has_room_for() {
    for room in 0..=6_u64 {
        let world = World::new();
        for number in 0..3 {
            world.run_zone_on("h1", live(&format!("a{number}")));
            world.run_zone_on("h3", live(&format!("b{number}")));
        }
        world.set_default_target("h3", "rads://h2");
        // Zones of 4 GiB each.
        world.set_host("h2", |host| host.memory = room * (4 << 30) + (1 << 30));
        world.lock("h1");
        world.lock("h3");
        let (first, second) = tokio::join!(
            run_on(&world, "h1", Direction::Evacuate),
            run_on(&world, "h3", Direction::Evacuate)
        );
        let moved = first.count(MoveState::Evacuated) + second.count(MoveState::Evacuated);
        assert_eq!(moved as u64, room, "{first:?} {second:?}");
        assert_eq!(first.count(MoveState::Failed) + second.count(MoveState::Failed), 6 - moved);
        world.all_room_is_given_back();
    }
}

#[tokio::test(start_paused = true)]
async fn a_return_with_too_little_room_brings_back_what_fits_and_says_what_waits() {
    let world = World::new();
    for number in 0..3 {
        world.run_zone(live(&format!("a{number}")));
    }
    world.lock("h1");
    assert!(run_on(&world, "h1", Direction::Evacuate).await.is_complete());
    world.unlock("h1");
    world.set_host("h1", |host| host.memory = 9 << 30);
    let partly = run_on(&world, "h1", Direction::Return).await;
    assert_eq!((partly.count(MoveState::Returned), partly.count(MoveState::Failed)), (2, 1));
    assert!(error_of(&partly, "a2").contains("of memory needed, h1 has"), "{partly:?}");
    // With more room the next pass brings the rest.
    world.set_host("h1", |_| {});
    assert!(run_on(&world, "h1", Direction::Return).await.is_complete());
    assert_eq!(world.home_of("a2", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn room_stays_reserved_while_a_zone_moves_and_no_longer_than_a_lease_without_its_owner() {
    let world = World::with(Method::Live);
    world.lock("h1");
    world.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let (engine, request) = (world.engine(), World::request());
    let soon = || Millis::now().after(60_000);
    let expires = || world.store("h2").reservations(Millis::now()).unwrap().first().map(|one| one.expires);
    let (outcome, ()) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
        until(|| world.events.count("migrating") == 1).await;
        // As if the lease had nearly expired.
        let reserved = world.store("h2").reservations(Millis::now()).unwrap().remove(0);
        let reserved = Reservation { expires: Millis::now().after(30_000), ..reserved };
        world.store("h2").reserve(&reserved, Millis::now(), |_| Ok::<_, ()>(())).unwrap().unwrap();
        assert!(expires().is_some_and(|expires| expires < soon()));
        until(|| expires().is_some_and(|expires| expires > soon())).await;
        world.clear_faults();
    });
    assert!(outcome.unwrap().is_complete());
    world.all_room_is_given_back();
}
