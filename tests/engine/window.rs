//! N zones at the same time: never more, and never fewer while some are left.

use std::time::Duration;

use sysadm::cancel::{CancelReason, Stage};
use sysadm::evacuation::Request;
use sysadm::platform::sim::{Effect, Fault, ZoneSpec};
use sysadm::policy::ReturnOrder;
use sysadm::store::{Direction, MoveState};

use sysadm::model::Method;

use super::world::{World, live, name, state_of};

/// The largest number of simultaneous moves.
fn most_at_once(events: &[String]) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for event in events {
        if event.starts_with("migrating") {
            now += 1;
        } else if event.starts_with("ended") {
            now = now.saturating_sub(1);
        }
        most = most.max(now);
    }
    most
}

fn full(count: u64) -> World {
    let world = World::new();
    for n in 0..count {
        let zone = format!("zone{n}");
        world.run_zone(ZoneSpec { memory: (1 + n) << 28, ..live(&zone) });
        world.script.watch(&name(&zone));
    }
    world.lock("h1");
    world
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_stands_still_holds_up_one_place_and_no_other() {
    let world = full(6);
    // The biggest is the first to go.
    let stall = Fault { zone: Some(name("zone5")), ..Fault::always(Effect::Stall { rounds: 1 }) };
    world.set_faults("h1", &[stall]);
    let (engine, request) = (world.engine(), Request { jobs: 2, ..World::request() });
    let (outcome, ()) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        // In batches of two the four others would still wait.
        assert_eq!(world.events.count("EVACUATED"), 5, "{:?}", world.events.all());
        world.cancel.raise(Stage::Aborting, CancelReason::Operator);
    });
    assert_eq!(state_of(&outcome.unwrap(), "zone5"), MoveState::Failed);
    assert!(most_at_once(&world.events.all()) <= 3, "{:?}", world.events.all());
    assert_eq!(world.all_is_told_truly("zone5", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn no_more_zones_are_sent_at_once_than_were_allowed() {
    for (jobs, policy, expected) in [
        (1, "", 1),
        (2, "", 2),
        (4, "", 4),
        (6, "", 6),
        (4, "[limits]\noutbound = 2\n", 2),
        (4, "[limits]\ninbound = 1\n", 1),
    ] {
        let world = full(6);
        for n in 0..6 {
            let zone = Some(name(&format!("zone{n}")));
            world.sim("h1").add_fault(&Fault { zone, ..Fault::always(Effect::Stall { rounds: 1 }) }).unwrap();
        }
        let policy = sysadm::policy::parse(policy).unwrap();
        let (engine, request) = (world.engine(), Request { jobs, policy, ..World::request() });
        let (outcome, ()) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(world.events.count("migrating"), expected);
            world.cancel.raise(Stage::Aborting, CancelReason::Operator);
        });
        let outcome = outcome.unwrap();
        assert_eq!(outcome.count(MoveState::Failed), expected);
        assert_eq!(outcome.count(MoveState::Skipped), 6 - expected);
    }
}

fn ordered() -> Request {
    let policy = "[[zones]]\nmatch = { name = \"zone2\" }\npriority = 9\n\
                  [[zones]]\nmatch = { name = \"zone0\" }\nafter = [\"zone3\"]\n";
    Request { jobs: 1, policy: sysadm::policy::parse(policy).unwrap(), ..World::request() }
}

#[tokio::test(start_paused = true)]
async fn a_zone_with_a_higher_priority_goes_first_and_one_that_comes_after_waits_both_ways() {
    let world = full(4);
    for (direction, ended) in [(Direction::Evacuate, "EVACUATED"), (Direction::Return, "RETURNED")] {
        let before = world.events.all().len();
        world.engine().run(direction, &ordered()).await.unwrap();
        let events = world.events.all().split_off(before);
        let place = |what: &str| events.iter().position(|event| event.starts_with(what)).unwrap();
        assert_eq!(
            events.iter().find(|event| event.starts_with("migrating")).unwrap(),
            "migrating zone2 to h2"
        );
        assert!(place(&format!("ended zone3 {ended}")) < place("migrating zone0"), "{events:?}");
        if direction == Direction::Evacuate {
            world.unlock("h1");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_policy_says_so_the_last_to_leave_is_the_first_to_come_back() {
    let world = full(4);
    let mut request = ordered();
    request.policy.return_order = ReturnOrder::Reverse;
    let mut order = Vec::new();
    for direction in [Direction::Evacuate, Direction::Return] {
        let before = world.events.all().len();
        assert!(world.engine().run(direction, &request).await.unwrap().is_complete());
        let events = world.events.all().split_off(before).into_iter();
        order.push(events.filter(|event| event.starts_with("migrating")).collect::<Vec<_>>());
        if direction == Direction::Evacuate {
            world.unlock("h1");
        }
    }
    let back: Vec<_> = order[1].iter().rev().cloned().collect();
    assert_eq!(order[0], back);
    assert_eq!(back.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn zones_that_come_after_each_other_in_a_ring_move_all_the_same_and_that_is_said() {
    let world = full(3);
    // By its own patterns alone it is not a cycle.
    let policy = "[[zones]]\nmatch = { brand = \"kvm\" }\nafter = [\"zone1\"]\n\
                  [[zones]]\nmatch = { name = \"zone1\" }\nafter = [\"zone0\"]\n";
    let policy = sysadm::policy::parse(policy).unwrap();
    let request = Request { policy, ..World::request() };
    let engine = world.engine();
    let run = tokio::time::timeout(Duration::from_secs(600), engine.run(Direction::Evacuate, &request)).await;
    assert_eq!(run.expect("it hangs").unwrap().count(MoveState::Evacuated), 3);
    let said = "circular dependency in the policy: zone0 after zone1, zone1 after zone0; zone0 does not wait for the others";
    assert_eq!(world.events.count(said), 1, "{:?}", world.events.all());
    let events = world.events.all();
    let place = |what: &str| events.iter().position(|event| event.starts_with(what)).unwrap();
    assert!(place("ended zone0") < place("migrating zone1"), "{events:?}");
    assert!(place("ended zone1") < place("migrating zone2"), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn zones_that_write_much_have_the_line_for_themselves() {
    for (dirty_rate, at_once) in [(0, 3), (100 << 20, 2), (400 << 20, 1)] {
        let world = World::new();
        (0..4).for_each(|number| world.run_zone(ZoneSpec { dirty_rate, ..live(&format!("zone{number}")) }));
        world.set_host("h1", |host| host.bandwidth = 1 << 30);
        world.lock("h1");
        let outcome = world.engine().run(Direction::Evacuate, &World::request()).await.unwrap();
        assert!(outcome.is_complete(), "{outcome:?}");
        assert_eq!(most_at_once(&world.events.all()), at_once, "{dirty_rate}");
    }
}
