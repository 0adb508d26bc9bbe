//! The power fails at every moment of a run, and the next run repairs everything.

use futures_util::FutureExt;
use sysadm::store::Direction;

use super::script::Plan;
use sysadm::model::Method;

use super::world::{BOTH_WAYS, MIGRATIONS, World, ends};

/// Runs until the power fails. Everything that the run had started is gone with the runtime.
pub fn run_until_crash(world: &World, direction: Direction) {
    let runtime = paused();
    runtime.block_on(async {
        let run = std::panic::AssertUnwindSafe(world.run(direction)).catch_unwind();
        tokio::select! {
            biased;
            () = world.script.crash() => {}
            _ = run => {}
        }
    });
    runtime.shutdown_background();
}

pub fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn crash_at(direction: Direction, method: Method, point: usize) {
    let world = World::with(method);
    paused().block_on(world.make_ready_for(direction));
    world.script.begin(Some(Plan::Crash(point)));
    run_until_crash(&world, direction);
    let wrong = world.script.wrong();
    assert!(wrong.is_empty(), "{direction} {method:?} at moment {point}: {wrong:?}");
    let world = world.after_power_loss();
    paused().block_on(async {
        match world.run(direction).await {
            Ok(outcome) => assert!(outcome.is_complete(), "{outcome:?}"),
            // What was open is settled first, and a zone that has left for good is not a zone of this host.
            Err(error) => assert!(direction == Direction::Migrate, "{error}"),
        }
        assert_eq!(world.all_is_told_truly("web", method).await, ends(direction).1);
        assert_eq!(world.away("web").is_some(), direction == Direction::Evacuate);
    });
}

#[test]
fn after_a_power_loss_at_any_moment_the_next_run_finishes() {
    for (direction, method) in BOTH_WAYS.into_iter().chain(MIGRATIONS) {
        let world = World::with(method);
        paused().block_on(world.make_ready_for(direction));
        world.script.begin(None);
        paused().block_on(async { assert!(world.run(direction).await.unwrap().is_complete()) });
        let points = world.script.points();
        assert!(points > 15, "{points}");
        for point in 0..points {
            crash_at(direction, method, point);
        }
    }
}
