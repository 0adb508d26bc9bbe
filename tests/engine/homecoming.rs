//! A zone whose location passes it on while its home is about to fetch it, or does not know yet that it has arrived
//! there.

use sysadm::model::{Location, Method};
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState, Place, TargetKey, ZoneRecord};

use super::world::{World, live, name, state_of, until};

async fn empty(world: &World, host: &str, to: &str) {
    world.set_default_target(host, &format!("rads://{to}"));
    world.lock(host);
    let outcome = world.engine_of(host).run(Direction::Evacuate, &World::request()).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?} {:?}", world.events.all());
    world.unlock(host);
}

#[tokio::test(start_paused = true)]
async fn a_location_that_lets_a_zone_go_while_its_home_fetches_it_is_asked_where_it_went() {
    for last in ["h3", "h1"] {
        let world = World::with(Method::Live);
        empty(&world, "h1", "h2").await;
        // The return waits at home for its turn to receive, and the location is faster.
        world.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::OpenIncoming })]);
        let (outcome, ()) = tokio::join!(world.run(Direction::Return), async {
            until(|| world.away("web").is_some_and(|row| row.place == Place::Returning)).await;
            empty(&world, "h2", last).await;
            world.clear_faults();
        });
        assert_ne!(state_of(&outcome.unwrap(), "web"), MoveState::Returned);
        world.settle().await;
        assert_eq!(world.home_of("web", Method::Live).await, last, "{:?}", world.events.all());
        let location = world.away("web").map(|row| (row.place, row.location.unwrap().host));
        assert_eq!(location, (last != "h1").then(|| (Place::Away, "h3".to_owned())));
        let back = world.run(Direction::Return).await.unwrap();
        assert!(back.is_complete(), "{back:?}");
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
        world.all_room_is_given_back();
    }
}

/// Its configuration is still here, and it was shut down in order to leave: if it were booted here, it would run
/// twice.
#[tokio::test(start_paused = true)]
async fn a_zone_that_has_gone_on_before_it_was_heard_that_it_had_arrived_is_not_booted_here_again() {
    for method in [Method::Restart, Method::Cold] {
        let world = World::with(method);
        world.make_ready_for(Direction::Evacuate).await;
        let stays = Effect::Fail { at: Operation::Undefine, reason: "no".into() };
        world.set_faults("h1", &[Fault::always(stays)]);
        let outcome = world.run(Direction::Evacuate).await.unwrap();
        assert_ne!(state_of(&outcome, "web"), MoveState::Evacuated, "{outcome:?}");
        if world.seen("h2", "web").await.is_none() {
            // The move was undone, as it may be: the zone has not moved on.
            continue;
        }
        let actions = world.actions.clone();
        world.set_default_target("h2", "rads://h3");
        world.lock("h2");
        let request = sysadm::evacuation::Request { actions, ..World::request() };
        let on = world.engine_of("h2").run(Direction::Evacuate, &request).await.unwrap();
        assert!(on.is_complete(), "{on:?}");
        world.settle().await;
        assert_eq!(world.all_is_told_truly("web", method).await, "h3", "{:?}", world.events.all());
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_zone_went_that_cannot_be_asked_it_stays_open_and_says_so() {
    let world = World::with(Method::Live);
    empty(&world, "h1", "h2").await;
    world.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::OpenIncoming })]);
    let (outcome, ()) = tokio::join!(world.run(Direction::Return), async {
        until(|| world.away("web").is_some_and(|row| row.place == Place::Returning)).await;
        empty(&world, "h2", "h3").await;
        world.clear_faults();
    });
    outcome.unwrap();
    world.set_faults("h3", &[Fault::always(Effect::Down)]);
    let again = world.run(Direction::Return).await.unwrap();
    let row = again.moves.iter().find(|one| one.zone == name("web")).unwrap();
    assert_eq!((row.state, row.dest.as_ref().map(|uri| uri.host.as_str())), (MoveState::Unknown, Some("h2")));
    let why = row.error.clone().unwrap();
    assert!(!why.hint().unwrap_or_default().contains("--forget"), "{why}");
    world.clear_faults();
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn a_zone_is_found_at_another_target_when_its_location_has_forgotten_it_or_does_not_answer() {
    for down in [false, true] {
        let world = World::with(Method::Live);
        empty(&world, "h1", "h2").await;
        empty(&world, "h2", "h3").await;
        let targets = ["rads://h2", "rads://h3"].map(|uri| uri.parse().unwrap());
        world.store("h1").set_targets(&[TargetKey::Default], &targets).unwrap();
        if down {
            world.set_faults("h2", &[Fault::always(Effect::Down)]);
        } else {
            let uuid = world.seen("h3", "web").await.unwrap().uuid;
            assert!(world.store("h2").delete_zone(uuid).unwrap());
        }
        let back = world.run(Direction::Return).await.unwrap();
        assert!(back.is_complete(), "{down} {back:?} {:?}", world.events.all());
        world.clear_faults();
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
    }
}

/// A configuration with the same UUID that was here all the time has not come home.
#[tokio::test(start_paused = true)]
async fn a_record_stays_when_a_zone_that_was_to_come_home_did_not() {
    let world = World::with(Method::Live);
    empty(&world, "h1", "h2").await;
    world.set_default_target("h2", "rads://h1");
    world.set_faults("h1", &[Fault::always(Effect::Fail { at: Operation::Resume, reason: "no".into() })]);
    world.set_faults("h2", &[Fault::always(Effect::Cut { rounds: 1 })]);
    world.lock("h2");
    let outcome = world.engine_of("h2").run(Direction::Evacuate, &World::request()).await.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Failed, "{outcome:?}");
    world.clear_faults();
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h2");
    let uuid = world.seen("h2", "web").await.unwrap().uuid;
    let host = world.engine_of("h2").local;
    let known = sysadm::host::Host::location(&*host, uuid).await.unwrap();
    assert!(matches!(&known, Location::Guest(home) if home.name == "h1"), "{known:?}");
    assert!(world.store("h2").away().unwrap().is_empty());
    world.unlock("h2");
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    let guests = world.store("h2").zones().unwrap().into_iter().filter(|record| record.home.is_some());
    assert_eq!(guests.count(), 0, "nothing is kept of one that was fetched");
}

#[tokio::test(start_paused = true)]
async fn a_zone_returns_from_its_location_under_any_name_of_that() {
    let world = World::with(Method::Live);
    world.run_zone(live("other"));
    world
        .store("h1")
        .set_targets(&[TargetKey::Zone(name("web"))], &["rads://h2.example.org".parse().unwrap()])
        .unwrap();
    empty(&world, "h1", "h2").await;
    let locations: Vec<_> =
        world.store("h1").away().unwrap().iter().map(|row| row.location.clone().unwrap().host).collect();
    assert_eq!(locations, ["h2", "h2"], "one name was used for both");
    assert_eq!(world.events.count("rads://h2.example.org is the same host as rads://h2"), 1);
    // As an older record may have it.
    let row = world.away("web").unwrap();
    let renamed = ZoneRecord { location: Some("rads://h2.site".parse().unwrap()), ..row };
    world.store("h1").update_zone(&renamed).unwrap();
    assert!(world.run(Direction::Return).await.unwrap().is_complete(), "{:?}", world.events.all());
    for zone in ["web", "other"] {
        assert_eq!(world.all_is_told_truly(zone, Method::Live).await, "h1");
    }
}
