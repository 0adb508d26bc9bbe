//! Every operation of either host fails, each time that it is done, before or after it has taken effect.

use std::time::Duration;

use sysadm::evacuation::{EvacuationError, Outcome, recover};
use sysadm::model::{BlockerKind, Method};
use sysadm::paths::Paths;
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState};

use super::script::{HOSTS, Moment, Plan};
use super::world::{BOTH_WAYS, World, ends, state_of};

/// Whatever a run came to: it says where the zone is, or that it does not know.
async fn is_honest(world: &World, direction: Direction, method: Method, outcome: &Outcome) {
    let (from, to) = ends(direction);
    match state_of(outcome, "web") {
        MoveState::Evacuated | MoveState::Returned => {
            assert_eq!(world.all_is_told_truly("web", method).await, to);
        }
        MoveState::Failed | MoveState::Skipped => {
            assert_eq!(world.all_is_told_truly("web", method).await, from);
            assert!(!outcome.is_complete());
        }
        MoveState::Unknown => assert!(world.away("web").is_some(), "what is unknown is on the list"),
        other => panic!("it ended {other}"),
    }
}

async fn try_with(direction: Direction, method: Method, prepare: impl AsyncFnOnce(&World)) -> String {
    let world = World::with(method);
    world.make_ready_for(direction).await;
    world.script.begin(None);
    prepare(&world).await;
    let result = world.run(direction).await;
    world.clear_faults();
    let word = match &result {
        Ok(outcome) => {
            is_honest(&world, direction, method, outcome).await;
            state_of(outcome, "web").to_string()
        }
        Err(error) => format!("not begun: {error}"),
    };
    world.all_room_is_given_back();
    world.settle().await;
    let home = world.all_is_told_truly("web", method).await;
    if result.is_err() {
        assert_eq!(home, ends(direction).0, "something was done all the same");
    }
    // And the next run succeeds.
    assert!(world.run(direction).await.unwrap().is_complete() || home == ends(direction).1);
    assert_eq!(world.all_is_told_truly("web", method).await, ends(direction).1);
    word
}

/// All operations of a run without faults.
async fn moments(direction: Direction, method: Method) -> Vec<Moment> {
    let world = World::with(method);
    world.make_ready_for(direction).await;
    world.script.begin(None);
    assert!(world.run(direction).await.unwrap().is_complete());
    world.all_is_told_truly("web", method).await;
    world.script.moments()
}

#[tokio::test(start_paused = true)]
async fn every_operation_may_fail_each_time_it_is_done() {
    for (direction, method) in BOTH_WAYS {
        let moments = moments(direction, method).await;
        assert!(moments.len() > 8, "{moments:?}");
        for moment in moments {
            for plan in [Plan::Fail(moment), Plan::FailAfter(moment)] {
                println!("{direction} {method:?} {plan:?}");
                let word =
                    try_with(direction, method, async |world: &World| world.script.begin(Some(plan))).await;
                println!("  {word}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_may_fail_always() {
    for (direction, method) in BOTH_WAYS {
        for host in &HOSTS[..2] {
            for &at in Operation::ALL {
                let reason = || "told so".to_owned();
                for effect in
                    [Effect::Fail { at, reason: reason() }, Effect::FailAfter { at, reason: reason() }]
                {
                    println!("{direction} {method:?} {host} {effect}");
                    let faults = [Fault::always(effect)];
                    let word =
                        try_with(direction, method, async |world: &World| world.set_faults(host, &faults))
                            .await;
                    println!("  {word}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_transfer_may_end_in_any_way() {
    let told = || "told so".to_owned();
    for (direction, method) in BOTH_WAYS {
        for host in &HOSTS[..2] {
            let mut effects = vec![
                Effect::LoseAnswer,
                Effect::Down,
                Effect::Refuse { kind: BlockerKind::Host, reason: told() },
            ];
            for rounds in [0, 1, 2] {
                effects.push(Effect::FailSend { rounds, reason: told() });
                effects.push(Effect::Cut { rounds });
            }
            for effect in effects {
                for times in [Some(1), None] {
                    println!("{direction} {method:?} {host} {effect} {times:?}");
                    let faults = [Fault { times, ..Fault::always(effect.clone()) }];
                    let word =
                        try_with(direction, method, async |world: &World| world.set_faults(host, &faults))
                            .await;
                    println!("  {word}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_for_a_while_goes_on_afterwards() {
    for (direction, method) in BOTH_WAYS {
        for host in &HOSTS[..2] {
            for &at in Operation::ALL {
                println!("{direction} {method:?} {host} {at}");
                let word = try_with(direction, method, async |world: &World| {
                    world.set_faults(host, &[Fault::always(Effect::Hang { at })]);
                    let sim = world.sim(host);
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_secs(20)).await;
                        sim.set_faults(&[]).unwrap();
                    });
                })
                .await;
                assert!(word == "EVACUATED" || word == "RETURNED", "{word}");
            }
        }
    }
}

/// A record that cannot be read is no record that says that nothing is away.
#[tokio::test(start_paused = true)]
async fn a_database_that_cannot_be_read_does_not_count_as_nothing_away() {
    for direction in [Direction::Evacuate, Direction::Return, Direction::Migrate] {
        let world = World::with(Method::Live);
        world.make_ready_for(Direction::Return).await;
        if direction == Direction::Evacuate {
            world.lock("h1");
        }
        let database = Paths::new(world.at("h1")).database();
        let connection = rusqlite::Connection::open(database).unwrap();
        connection.execute_batch("ALTER TABLE zone RENAME TO elsewhere").unwrap();
        let (engine, before) = (world.engine(), world.events.all().len());
        let error = world.run(direction).await.unwrap_err();
        assert!(matches!(error, EvacuationError::Store(_)), "{direction}: {error}");
        assert!(engine.plan(direction, &World::request()).await.is_err(), "{direction}");
        assert!(recover::settle_all(&engine).await.is_err(), "{direction}");
        assert_eq!(world.events.all().len(), before, "{direction}: {:?}", world.events.all());
        // It is known again where the zone is, and it comes home.
        connection.execute_batch("ALTER TABLE elsewhere RENAME TO zone").unwrap();
        if direction == Direction::Evacuate {
            world.unlock("h1");
        }
        assert!(world.run(Direction::Return).await.unwrap().is_complete(), "{direction}");
        assert_eq!(world.home_of("web", Method::Live).await, "h1", "{direction}");
    }
}
