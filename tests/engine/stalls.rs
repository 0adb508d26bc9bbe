//! Live migrations that stall or do not converge are given up one by one, automatically.

use std::time::Duration;

use sysadm::evacuation::Request;
use sysadm::platform::sim::{Effect, Fault, Operation, Scale, ZoneSpec};
use sysadm::store::{Direction, MoveState};
use tokio::time::Instant;

use sysadm::model::Method;

use super::world::{World, ends, error_of, live, name, state_of};

fn stall() -> Fault {
    Fault::always(Effect::Stall { rounds: 1 })
}

#[tokio::test(start_paused = true)]
async fn one_that_stands_still_is_given_up_after_a_minute_and_goes_on_where_it_is() {
    for direction in [Direction::Evacuate, Direction::Return] {
        let world = World::with(Method::Live);
        world.make_ready_for(direction).await;
        let (from, _) = ends(direction);
        world.set_faults(from, &[stall()]);
        let begun = Instant::now();
        // It would stall again: it is not retried.
        let request = Request { retries: 3, ..World::request() };
        let outcome = world.engine().run(direction, &request).await.unwrap();
        assert!((60..65).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
        let expected = format!("made no progress for 60 s; it is still running on {from}");
        assert_eq!(error_of(&outcome, "web"), expected);
        assert_eq!(outcome.stopped, None);
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, from);
        world.all_room_is_given_back();
    }
}

#[tokio::test(start_paused = true)]
async fn the_others_go_meanwhile_and_afterwards() {
    let world = World::new();
    for zone in ["a", "b", "c"] {
        world.run_zone(live(zone));
    }
    world.lock("h1");
    world.set_faults("h1", &[Fault { zone: Some(name("a")), ..stall() }]);
    let request = Request { jobs: 1, ..World::request() };
    let outcome = world.engine().run(Direction::Evacuate, &request).await.unwrap();
    assert_eq!(
        ["a", "b", "c"].map(|zone| state_of(&outcome, zone)),
        [MoveState::Failed, MoveState::Evacuated, MoveState::Evacuated]
    );
}

#[tokio::test(start_paused = true)]
async fn it_is_noticed_although_the_hypervisor_does_not_say_how_far_it_is() {
    let world = World::with(Method::Live);
    world.make_ready_for(Direction::Evacuate).await;
    world.set_faults("h1", &[stall(), Fault::always(Effect::Hang { at: Operation::Progress })]);
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert!(error_of(&outcome, "web").starts_with("made no progress for 60 s"), "{outcome:?}");
    world.clear_faults();
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn a_hypervisor_that_does_not_give_it_up_either_holds_the_run_up_no_longer() {
    let world = World::with(Method::Live);
    world.make_ready_for(Direction::Evacuate).await;
    world.set_faults("h1", &[stall(), Fault::always(Effect::Hang { at: Operation::Abort })]);
    let begun = Instant::now();
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(100), "{:?}", begun.elapsed());
    assert_eq!(state_of(&outcome, "web"), MoveState::Unknown);
    world.settle().await;
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn one_that_changes_faster_than_it_can_be_sent_is_given_up_and_goes_on() {
    let world = World::new();
    world.set_host("h1", |host| (host.scale, host.bandwidth) = (Scale::Times(1), 100 << 20));
    world.run_zone(ZoneSpec { memory: 512 << 20, dirty_rate: 300 << 20, ..live("web") });
    world.lock("h1");
    let mut engine = world.engine();
    engine.policy.passes = 3;
    let outcome = engine.run(Direction::Evacuate, &World::request()).await.unwrap();
    assert_eq!(
        error_of(&outcome, "web"),
        "its memory changes faster than it can be sent: 300 MiB/s dirty, 100 MiB/s sent; it is still running on h1"
    );
    assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
}
