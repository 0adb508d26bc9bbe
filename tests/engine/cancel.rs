//! A run that is cancelled: nothing new starts, then moves in progress are aborted, too.

use std::time::Duration;

use sysadm::cancel::{CancelReason, Stage};
use sysadm::evacuation::Request;
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState};

use super::lines::{Break, Loss};
use sysadm::model::Method;

use super::world::{World, error_of, live, name, state_of, until};

fn two_zones() -> World {
    let world = World::new();
    // The bigger one goes first.
    world.run_zone(sysadm::platform::sim::ZoneSpec { memory: 8 << 30, ..live("big") });
    world.run_zone(live("small"));
    world.script.watch(&name("big"));
    world.lock("h1");
    world
}

fn one_at_once() -> Request {
    Request { jobs: 1, ..World::request() }
}

#[tokio::test(start_paused = true)]
async fn after_the_first_press_what_moves_is_finished_and_nothing_new_starts() {
    let world = two_zones();
    world.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let (engine, request) = (world.engine(), one_at_once());
    let (outcome, ()) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
        until(|| world.events.count("migrating") == 1).await;
        assert_eq!(world.cancel.escalate(), Stage::Finishing);
        tokio::time::sleep(Duration::from_secs(5)).await;
        world.clear_faults();
    });
    let outcome = outcome.unwrap();
    assert_eq!(outcome.stopped, Some(CancelReason::Operator));
    assert_eq!(state_of(&outcome, "big"), MoveState::Evacuated);
    assert_eq!(state_of(&outcome, "small"), MoveState::Skipped);
    assert_eq!(outcome.left_running, Some(vec![name("small")]));
    world.all_room_is_given_back();
    assert_eq!(world.all_is_told_truly("big", Method::Live).await, "h2");
    assert_eq!(world.all_is_told_truly("small", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn after_the_second_press_what_moves_is_given_up_and_stays() {
    for rounds in [0, 1] {
        let world = two_zones();
        world.set_faults("h1", &[Fault::always(Effect::Stall { rounds })]);
        let (engine, request) = (world.engine(), one_at_once());
        let (outcome, ()) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
            until(|| world.events.count("migrating") == 1).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            world.cancel.escalate();
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert_eq!(world.events.count("ended"), 0, "it stalls and is given time");
            assert_eq!(world.cancel.escalate(), Stage::Aborting);
        });
        let outcome = outcome.unwrap();
        assert_eq!(state_of(&outcome, "big"), MoveState::Failed);
        assert_eq!(error_of(&outcome, "big"), "cancelled; it was not moved");
        assert_eq!(world.all_is_told_truly("big", Method::Live).await, "h1");
        assert_eq!(world.all_is_told_truly("small", Method::Live).await, "h1");
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_that_gets_lost_is_asked_for_again() {
    let world = World::with(Method::Live);
    world.make_ready_for(Direction::Return).await;
    world.set_faults("h2", &[Fault::always(Effect::Stall { rounds: 1 })]);
    let run = tokio::time::timeout(Duration::from_secs(600), world.run(Direction::Return));
    let (outcome, ()) = tokio::join!(run, async {
        until(|| world.events.count("migrating web to h2") == 2).await;
        tokio::time::sleep(Duration::from_millis(5250)).await;
        // The next request is the abort: progress is asked for twice a second.
        world.lines.break_at(Break { at: 0, loss: Loss::Question, for_ever: false });
        world.cancel.raise(Stage::Aborting, CancelReason::Operator);
    });
    let outcome = outcome.expect("it stalls for ever").unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h2");
}

#[tokio::test(start_paused = true)]
async fn an_abort_that_comes_too_late_lets_the_move_end() {
    let world = two_zones();
    world.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Resume })]);
    let (engine, request) = (world.engine(), one_at_once());
    let (outcome, ()) = tokio::join!(engine.run(Direction::Evacuate, &request), async {
        let held = || world.sim("h2").zone_counter(&name("big")).is_ok_and(|counter| counter.value > 0);
        until(held).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.cancel.raise(Stage::Aborting, CancelReason::Deadline);
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.clear_faults();
    });
    let outcome = outcome.unwrap();
    assert_eq!(outcome.stopped, Some(CancelReason::Deadline));
    assert_eq!(state_of(&outcome, "big"), MoveState::Evacuated);
    assert_eq!(world.all_is_told_truly("big", Method::Live).await, "h2");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_given_up_while_it_prepares_gives_all_room_back() {
    let world = two_zones();
    world.cancel.escalate();
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(outcome.count(MoveState::Skipped), 2);
    world.all_room_is_given_back();
    assert_eq!(world.all_is_told_truly("big", Method::Live).await, "h1");
}
