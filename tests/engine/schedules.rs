//! Whatever goes wrong, in whatever order, on both hosts and on the connection between them.

use std::time::Duration;

use proptest::prelude::*;
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::Direction;

use super::lines::{Break, Loss};
use sysadm::model::Method;

use super::world::{World, live, name};

fn any_operation() -> impl Strategy<Value = Operation> {
    prop::sample::select(Operation::ALL.to_vec())
}

fn any_effect() -> impl Strategy<Value = Effect> {
    let rounds = 0..4_u32;
    prop_oneof![
        4 => any_operation().prop_map(|at| Effect::Fail { at, reason: "told so".into() }),
        4 => any_operation().prop_map(|at| Effect::FailAfter { at, reason: "told so".into() }),
        2 => any_operation().prop_map(|at| Effect::Hang { at }),
        1 => rounds.clone().prop_map(|rounds| Effect::FailSend { rounds, reason: "told so".into() }),
        1 => rounds.clone().prop_map(|rounds| Effect::Stall { rounds }),
        1 => rounds.prop_map(|rounds| Effect::Cut { rounds }),
        1 => Just(Effect::LoseAnswer),
        1 => Just(Effect::Down),
    ]
}

fn any_faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = (any_effect(), prop::option::of(1..3_u32))
        .prop_map(|(effect, times)| Fault { times, ..Fault::always(effect) });
    prop::collection::vec(fault, 0..3)
}

fn any_break() -> impl Strategy<Value = Option<Break>> {
    let loss = prop_oneof![Just(Loss::Question), Just(Loss::Answer)];
    prop::option::of((0..40_usize, loss, any::<bool>()))
        .prop_map(|some| some.map(|(at, loss, for_ever)| Break { at, loss, for_ever }))
}

/// A run in a world with these faults; after a while there are none, and the run is aborted.
async fn run_with_trouble(
    world: &World,
    direction: Direction,
    faults: [Vec<Fault>; 2],
    broken: Option<Break>,
) {
    world.set_faults("h1", &faults[0]);
    world.set_faults("h2", &faults[1]);
    if let Some(broken) = broken {
        world.lines.break_at(broken);
    }
    let patience = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        world.cancel.escalate();
        world.cancel.escalate();
        tokio::time::sleep(Duration::from_secs(10)).await;
        world.clear_faults();
        world.lines.repair();
        // A connection that broke would abort the migration; here the test has to.
        world.abort("web").await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = world.run(direction) => {}
        () = patience => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 200, rng_seed: proptest::test_runner::RngSeed::Fixed(2026), ..ProptestConfig::default() })]

    #[test]
    fn every_zone_is_whole_in_one_place_and_that_place_is_known(
        at_h1 in any_faults(),
        at_h2 in any_faults(),
        broken in any_break(),
        back in any::<bool>(),
    ) {
        let direction = if back { Direction::Return } else { Direction::Evacuate };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::with(Method::Live);
            world.sim("h1").create(live("old")).unwrap();
            world.script.watch(&name("old"));
            world.make_ready_for(direction).await;
            run_with_trouble(&world, direction, [at_h1, at_h2], broken).await;
            world.settle().await;
            world.home_of("web", Method::Live).await;
            let home = world.home_of("old", Method::Cold).await;
            assert_eq!(world.away("old").is_some(), home == "h2");
            assert_eq!(world.script.wrong(), [] as [String; 0]);
        });
    }
}
