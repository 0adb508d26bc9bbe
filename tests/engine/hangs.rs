//! Whatever hangs, wherever: a run that is aborted ends in time, and says what it does not know.

use std::time::Duration;

use sysadm::cancel::{BOUND, CancelReason, Stage};
use sysadm::evacuation::{EvacuationError, Outcome};
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState};

use super::script::HOSTS;
use sysadm::model::Method;

use super::world::{BOTH_WAYS, World, ends, error_of, state_of};

/// Long after everything that does not hang has been done.
const LATER: Duration = Duration::from_secs(5);

/// Aborts a run; returns its outcome, and how long that took.
async fn give_up(
    world: &World,
    direction: Direction,
    faults: &[(&str, Effect)],
) -> (Result<Outcome, EvacuationError>, Duration) {
    for (host, effect) in faults {
        world.sim(host).add_fault(&Fault::always(effect.clone())).unwrap();
    }
    let aborted = async {
        tokio::time::sleep(LATER).await;
        assert_eq!(world.cancel.escalate(), Stage::Finishing);
        assert_eq!(world.cancel.escalate(), Stage::Aborting);
        tokio::time::Instant::now()
    };
    let (result, aborted) = tokio::join!(world.run(direction), aborted);
    let time = tokio::time::Instant::now().saturating_duration_since(aborted);
    (result, time)
}

/// What is reported is true; once nothing hangs any more, everything is settled.
async fn is_consistent(
    world: &World,
    direction: Direction,
    method: Method,
    result: &Result<Outcome, EvacuationError>,
) -> String {
    let (from, to) = ends(direction);
    world.clear_faults();
    let said = match result {
        Ok(outcome) => {
            match state_of(outcome, "web") {
                MoveState::Evacuated | MoveState::Returned => {
                    assert_eq!(world.all_is_told_truly("web", method).await, to);
                }
                MoveState::Failed | MoveState::Skipped => {
                    assert_eq!(world.all_is_told_truly("web", method).await, from);
                }
                MoveState::Unknown => assert!(world.away("web").is_some(), "what is unknown is on the list"),
                other => panic!("it ended {other}"),
            }
            format!("{} {}", state_of(outcome, "web"), error_of(outcome, "web"))
        }
        Err(error) => {
            assert!(matches!(error, EvacuationError::GivenUp(CancelReason::Operator)), "{error}");
            error.to_string()
        }
    };
    world.settle().await;
    world.all_is_told_truly("web", method).await;
    said
}

#[tokio::test(start_paused = true)]
async fn whatever_hangs_the_second_press_ends_the_run_in_time() {
    for (direction, method) in BOTH_WAYS {
        for host in &HOSTS[..2] {
            for &at in Operation::ALL {
                let world = World::with(method);
                world.make_ready_for(direction).await;
                let (result, time) = give_up(&world, direction, &[(host, Effect::Hang { at })]).await;
                assert!(time <= BOUND, "{direction} {method:?} {host} {at}: {time:?}");
                let said = is_consistent(&world, direction, method, &result).await;
                println!("{direction} {method:?} {host} {at}: {said} ({time:?})");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_migration_ends_in_time_whatever_hangs_beside_it() {
    for direction in [Direction::Evacuate, Direction::Return] {
        let (from, _) = ends(direction);
        for host in &HOSTS[..2] {
            for &at in Operation::ALL {
                let world = World::with(Method::Live);
                world.make_ready_for(direction).await;
                let faults = [(from, Effect::Stall { rounds: 1 }), (host, Effect::Hang { at })];
                let (result, time) = give_up(&world, direction, &faults).await;
                assert!(time <= BOUND, "{direction} {host} {at}: {time:?}");
                let said = is_consistent(&world, direction, Method::Live, &result).await;
                println!("{direction} {host} {at}: {said} ({time:?})");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hypervisor_that_answers_nothing_more_leaves_the_zone_unknown_and_listed() {
    let world = World::with(Method::Live);
    world.make_ready_for(Direction::Evacuate).await;
    let faults = [
        ("h1", Effect::Stall { rounds: 1 }),
        ("h1", Effect::Hang { at: Operation::Abort }),
        ("h1", Effect::Hang { at: Operation::Progress }),
    ];
    let (outcome, _) = give_up(&world, Direction::Evacuate, &faults).await;
    let outcome = outcome.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Unknown);
    assert_eq!(error_of(&outcome, "web"), "cancelled; h1 did not report the end of the transfer within 30 s");
    let (run, moves) = world.store("h1").latest_run(None).unwrap().unwrap();
    let away = world.store("h1").away().unwrap();
    let listed = sysadm::evacuation::rows("h1", &away, &[], Some(&(run, moves)), false).rows;
    assert_eq!(listed.iter().map(|row| row.state).collect::<Vec<_>>(), [MoveState::Unknown]);
    // The hypervisor continues with what it was never told to end: that comes first.
    world.settle().await;
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn what_hangs_for_a_while_after_the_first_press_is_finished() {
    for (direction, method) in BOTH_WAYS {
        for &at in Operation::ALL {
            let world = World::with(method);
            world.make_ready_for(direction).await;
            let (from, to) = ends(direction);
            for host in [from, to] {
                world.set_faults(host, &[Fault::always(Effect::Hang { at })]);
            }
            let (result, ()) = tokio::join!(world.run(direction), async {
                tokio::time::sleep(LATER).await;
                world.cancel.escalate();
                tokio::time::sleep(LATER * 2).await;
                world.clear_faults();
            });
            let said = is_consistent(&world, direction, method, &result).await;
            assert!(!said.starts_with("UNKNOWN") && !said.starts_with("FAILED"), "{at}: {said}");
        }
    }
}
