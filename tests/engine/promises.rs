//! The promises, each with an attempt to break it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sysadm::evacuation::{EvacuationError, Request};
use sysadm::model::{BlockerKind, Brand, Method, Millis};
use sysadm::platform::sim::{Effect, Fault, Operation, ZoneSpec};
use sysadm::store::{Direction, MoveState, Place, TargetKey};

use super::lines::{Break, Loss};
use super::world::{World, brand, error_of, live, name, state_of};

fn targets(world: &World, uris: &[&str]) {
    let uris: Vec<_> = uris.iter().map(|uri| uri.parse().unwrap()).collect();
    world.store("h1").set_targets(&[TargetKey::Default], &uris).unwrap();
}

/// 1. Unknown counts as running.
#[tokio::test(start_paused = true)]
async fn nothing_is_started_while_a_host_that_may_run_the_zone_cannot_be_asked() {
    let world = World::with(Method::Live);
    world.lock("h1");
    // The zone is complete at h2 and held there; h1 stopped it for good, and then h2 is gone.
    world.set_faults("h2", &[Fault::always(Effect::Fail { at: Operation::Resume, reason: "no".into() })]);
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Unknown);
    world.lines.break_at(Break { at: 0, loss: Loss::Question, for_ever: true });
    for _ in 0..2 {
        let outcome = world.run(Direction::Evacuate).await.unwrap();
        assert!(!outcome.is_complete());
        for host in ["h1", "h2"] {
            let counter = world.sim(host).zone_counter(&name("web")).unwrap();
            assert!(!counter.goes_on, "it was started on {host}");
        }
    }
    world.settle().await;
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h2");
}

/// 2. Its host can be named, even while it is not known whether it has moved.
#[tokio::test(start_paused = true)]
async fn a_zone_on_its_way_is_on_the_list_before_it_leaves() {
    let world = World::with(Method::Live);
    world.lock("h1");
    world.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let (outcome, ()) = tokio::join!(world.run(Direction::Evacuate), async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let row = world.away("web").expect("it is about to leave");
        assert_eq!((row.place, row.other_host().as_str()), (Place::Leaving, "rads://h2"));
        let kept = world.configuration_of("web").unwrap();
        assert_eq!(kept.config, manifest_text(&world).await);
        world.clear_faults();
    });
    assert!(outcome.unwrap().is_complete());
}

async fn manifest_text(world: &World) -> String {
    use sysadm::platform::Platform;
    world.sim("h1").manifest(&name("web")).await.unwrap().config
}

/// 3. No zone is stopped before its destination was checked, has reserved room, and is prepared.
#[tokio::test(start_paused = true)]
async fn a_zone_is_stopped_only_when_its_place_is_reserved_and_ready() {
    for method in [Method::Live, Method::Cold, Method::Restart] {
        let world = World::with(method);
        world.lock("h1");
        let asked = match method {
            Method::Live => Operation::Send,
            Method::Cold => Operation::Undefine,
            Method::Restart => Operation::Shutdown,
        };
        world.set_faults("h1", &[Fault::once(Effect::Hang { at: asked })]);
        let reached = Arc::new(AtomicBool::new(false));
        let (outcome, ()) = tokio::join!(world.run(Direction::Evacuate), async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            let reserved = world.store("h2").reservations(Millis::now()).unwrap();
            assert_eq!(reserved.iter().map(|one| one.zone.as_str()).collect::<Vec<_>>(), ["web"]);
            let done = world.script.moments();
            let at_h2 = |operation| done.iter().any(|m| m.host == "h2" && m.operation == operation);
            let prepared = if method == Method::Live { Operation::OpenIncoming } else { Operation::Define };
            assert!(at_h2(Operation::Check) && at_h2(prepared), "{done:?}");
            assert_eq!(world.seen("h1", "web").await.unwrap().is_running(), method != Method::Cold);
            reached.store(true, Ordering::SeqCst);
            world.clear_faults();
        });
        assert!(outcome.unwrap().is_complete() && reached.load(Ordering::SeqCst));
    }
}

/// 4. One zone's failure does not hold up the others.
#[tokio::test(start_paused = true)]
async fn a_zone_that_cannot_move_stays_as_it_was_and_the_others_go() {
    let world = World::new();
    for zone in ["a", "b", "c"] {
        world.run_zone(live(zone));
    }
    world.run_zone(brand(live("ct"), Brand::LXC));
    world.sim("h1").create(ZoneSpec { obstacles: vec!["it holds a device".into()], ..live("usb") }).unwrap();
    world.lock("h1");
    let effect = Effect::FailSend { rounds: 1, reason: "the guest does not let go".into() };
    world.set_faults("h1", &[Fault { zone: Some(name("b")), ..Fault::always(effect) }]);
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    let states = ["a", "b", "c", "ct", "usb"].map(|zone| state_of(&outcome, zone));
    use MoveState::{Evacuated, Failed, Skipped};
    assert_eq!(states, [Evacuated, Failed, Evacuated, Skipped, Skipped]);
    assert_eq!(world.all_is_told_truly("b", Method::Live).await, "h1");
    assert_eq!(world.all_is_told_truly("ct", Method::Live).await, "h1");
    assert_eq!(outcome.left_running, Some(vec![name("b"), name("ct")]));
    assert!(!outcome.is_complete());
}

/// 4. Nor does what an earlier run left open.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_settled_stops_no_other_zone() {
    let world = World::with(Method::Live);
    world.lock("h1");
    let never = Effect::Fail { at: Operation::Resume, reason: "no".into() };
    world.set_faults("h2", &[Fault { zone: Some(name("web")), ..Fault::always(never) }]);
    assert_eq!(state_of(&world.run(Direction::Evacuate).await.unwrap(), "web"), MoveState::Unknown);
    world.unlock("h1");
    world.run_zone(live("other"));
    world.lock("h1");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(state_of(&outcome, "other"), MoveState::Evacuated);
    assert!(!outcome.is_complete());
    world.settle().await;
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h2");
}

/// 8. Blockers of a destination are found before anything moves.
#[tokio::test(start_paused = true)]
async fn a_destination_that_cannot_take_the_zone_is_found_before_anything_moves() {
    type Spoil = fn(&World);
    let unfit: [(&str, Spoil); 5] = [
        ("is in maintenance", |world| world.lock("h2")),
        ("of memory needed", |world| world.set_host("h2", |host| host.memory = 1 << 30)),
        ("cannot connect", |world| targets(world, &["rads://nowhere"])),
        ("no bridge br0", |world| world.set_host("h2", |host| host.bridges.clear())),
        ("is not accessible", |world| world.set_host("h2", |host| host.storages.clear())),
    ];
    for (words, spoil) in unfit {
        let world = World::with(Method::Live);
        world.lock("h1");
        spoil(&world);
        let outcome = world.run(Direction::Evacuate).await.unwrap();
        assert!(error_of(&outcome, "web").contains(words), "{outcome:?}");
        assert_eq!(world.events.count("migrating"), 0, "{words}: it was tried");
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
    }
}

/// 8. … and checked again at the moment of each move.
#[tokio::test(start_paused = true)]
async fn a_destination_that_enters_maintenance_meanwhile_takes_no_further_zone() {
    for method in [Method::Live, Method::Cold] {
        let world = World::with(method);
        world.run_zone(ZoneSpec { memory: 8 << 30, ..live("first") });
        world.lock("h1");
        world.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
        let (engine, request) = (world.engine(), Request { jobs: 1, ..World::request() });
        let (outcome, ()) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            world.lock("h2");
            world.clear_faults();
        });
        let outcome = outcome.unwrap();
        assert!(error_of(&outcome, "web").contains("is in maintenance"), "{outcome:?}");
        assert_eq!(world.all_is_told_truly("web", method).await, "h1");
        assert_eq!(world.all_is_told_truly("first", Method::Live).await, "h1");
        world.all_room_is_given_back();
    }
}

/// 8. The next target accepts what the first refuses.
#[tokio::test(start_paused = true)]
async fn the_second_target_takes_what_the_first_one_does_not() {
    type Spoil = fn(&World);
    let reasons: [Spoil; 4] = [
        |world| world.lock("h2"),
        |world| targets(world, &["rads://nowhere", "rads://h3"]),
        |world| world.set_faults("h2", &[Fault::always(Effect::Down)]),
        |world| {
            world.set_faults(
                "h2",
                &[Fault::once(Effect::Refuse { kind: BlockerKind::Host, reason: "no mood".into() })],
            )
        },
    ];
    for spoil in reasons {
        for method in [Method::Live, Method::Cold] {
            let world = World::with(method);
            targets(&world, &["rads://h2", "rads://h3"]);
            world.lock("h1");
            spoil(&world);
            let outcome = world.run(Direction::Evacuate).await.unwrap();
            assert!(outcome.is_complete(), "{outcome:?}");
            world.clear_faults();
            assert_eq!(world.all_is_told_truly("web", method).await, "h3");
        }
    }
}

/// 9. Nothing erases the record of zones that are away.
#[tokio::test(start_paused = true)]
async fn new_maintenance_and_new_runs_keep_the_record_of_zones_that_are_away() {
    let world = World::with(Method::Live);
    world.lock("h1");
    assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
    let row = world.away("web").unwrap();
    world.unlock("h1");
    world.run_zone(live("later"));
    world.lock("h1");
    assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
    assert_eq!(world.away("web"), Some(row));
    // A zone with the same name that was created meanwhile is another one.
    world.unlock("h1");
    world.run_zone(live("web"));
    world.lock("h1");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_ne!(state_of(&outcome, "web"), MoveState::Evacuated);
    assert_eq!(world.away("web").unwrap().place, Place::Away);
}

#[tokio::test]
async fn the_lock_decides_which_way_zones_may_move() {
    let world = World::with(Method::Live);
    let refused = world.run(Direction::Evacuate).await.unwrap_err();
    assert!(matches!(refused, EvacuationError::NotInMaintenance));
    world.lock("h1");
    let refused = world.run(Direction::Return).await.unwrap_err();
    assert!(matches!(refused, EvacuationError::InMaintenance(_)));
}

/// Reservations of others are not touched.
#[tokio::test(start_paused = true)]
async fn room_that_another_host_has_reserved_for_a_namesake_stays_reserved() {
    let world = World::with(Method::Live);
    world.lock("h1");
    let theirs = sysadm::store::Reservation {
        zone: name("web"),
        uuid: uuid::Uuid::from_u128(7),
        source: "h3".to_owned(),
        memory: 1 << 30,
        cpus: 1,
        disk: 0,
        expires: Millis::now().after(1_000_000),
    };
    let reserved = world.store("h2").reserve(&theirs, Millis::now(), |_| Ok::<_, ()>(())).unwrap();
    assert!(reserved.is_ok());
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert!(error_of(&outcome, "web").contains("expects a zone of this name from h3"), "{outcome:?}");
    assert_eq!(world.store("h2").reservations(Millis::now()).unwrap(), [theirs]);
}
