//! Transient failures are retried, with pauses; permanent ones are not.

use std::time::Duration;

use sysadm::cancel::Stage;
use sysadm::evacuation::Request;
use sysadm::platform::sim::{Effect, Fault, Operation, ZoneSpec};
use sysadm::store::{Direction, Mark, MoveState};
use tokio::time::Instant;

use sysadm::model::Method;

use super::world::{BOTH_WAYS, World, ends, error_of, live, name, state_of, until};

fn retries(retries: u32) -> Request {
    Request { retries, jobs: 1, ..World::request() }
}

fn cut(times: Option<u32>) -> Fault {
    Fault { times, ..Fault::always(Effect::Cut { rounds: 1 }) }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_breaks_twice_is_tried_a_third_time_and_each_is_written_down() {
    for direction in [Direction::Evacuate, Direction::Return] {
        let world = World::with(Method::Live);
        world.make_ready_for(direction).await;
        let (from, to) = ends(direction);
        world.set_faults(from, &[cut(Some(2))]);
        let begun = Instant::now();
        let outcome = world.engine().run(direction, &retries(2)).await.unwrap();
        assert!(outcome.is_complete(), "{outcome:?}");
        assert_eq!(begun.elapsed().as_secs(), 5 + 10);
        assert_eq!(world.events.count("retrying web"), 2);
        assert_eq!(world.events.count("trying again in 10 s (2 of 2)"), 1);
        let (run, _) = world.store("h1").latest_run(None).unwrap().unwrap();
        let journal = world.store("h1").journal(run.id, &name("web")).unwrap();
        let failed: Vec<_> = journal.iter().filter(|entry| entry.mark == Mark::Failed).collect();
        assert_eq!(failed.len(), 2);
        assert!(
            failed.iter().all(|entry| entry.detail.as_ref().unwrap().contains("it was cut")),
            "{failed:?}"
        );
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, to);
        world.all_room_is_given_back();
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_says_how_many_there_were() {
    let world = World::with(Method::Live);
    world.make_ready_for(Direction::Evacuate).await;
    world.set_faults("h1", &[cut(None)]);
    let outcome = world.engine().run(Direction::Evacuate, &retries(3)).await.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
    assert!(error_of(&outcome, "web").ends_with("it was cut; tried 4 times"), "{outcome:?}");
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn what_stays_is_not_tried_again() {
    for (direction, method) in BOTH_WAYS {
        for &at in Operation::ALL {
            let world = World::with(method);
            world.make_ready_for(direction).await;
            let reason = "it does not fit".to_owned();
            world.set_faults(ends(direction).1, &[Fault::always(Effect::Fail { at, reason })]);
            let _ = world.engine().run(direction, &retries(3)).await;
            assert_eq!(world.events.count("retrying"), 0, "{direction} {method:?} {at}");
        }
    }
}

fn two_zones() -> World {
    let world = World::new();
    // The bigger one goes first.
    world.run_zone(ZoneSpec { memory: 8 << 30, ..live("big") });
    world.run_zone(live("small"));
    world.lock("h1");
    world
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_refuses_meanwhile_is_not_asked_again() {
    let world = two_zones();
    world.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let (engine, request) = (world.engine(), retries(3));
    let (outcome, ()) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
        until(|| world.events.count("migrating") == 1).await;
        world.lock("h2");
        world.clear_faults();
    });
    let outcome = outcome.unwrap();
    assert!(error_of(&outcome, "small").contains("h2 is in maintenance"), "{outcome:?}");
    assert_eq!(world.events.count("retrying"), 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_lets_the_others_go() {
    let world = two_zones();
    world.set_faults("h1", &[Fault { zone: Some(name("big")), ..cut(Some(1)) }]);
    let outcome = world.engine().run(Direction::Evacuate, &retries(1)).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
    let events = world.events.all();
    let at = |words: &str| events.iter().position(|event| event.starts_with(words)).unwrap();
    assert!(at("retrying big") < at("ended small") && at("ended small") < at("ended big"), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_given_up_while_it_waits_ends_at_once() {
    for presses in [1, 2] {
        let world = World::with(Method::Live);
        world.make_ready_for(Direction::Evacuate).await;
        world.set_faults("h1", &[cut(None)]);
        let (engine, request) = (world.engine(), retries(9));
        let (outcome, pressed) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
            until(|| world.events.count("retrying") == 2).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            (0..presses).for_each(|_| assert_ne!(world.cancel.escalate(), Stage::Running));
            Instant::now()
        });
        assert_eq!(pressed.elapsed(), Duration::ZERO);
        assert_eq!(state_of(&outcome.unwrap(), "web"), MoveState::Failed);
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
    }
}
