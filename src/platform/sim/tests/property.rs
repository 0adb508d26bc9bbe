//! Whatever goes wrong, in whatever order: at every moment at most one copy of the zone runs, and in the end
//! exactly one exists, complete and running.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn any_operation() -> impl Strategy<Value = Operation> {
    prop::sample::select(Operation::ALL.to_vec())
}

fn any_effect() -> impl Strategy<Value = Effect> {
    let rounds = 0..12_u32;
    prop_oneof![
        any_operation().prop_map(|at| Effect::Fail { at, reason: "told so".into() }),
        any_operation().prop_map(|at| Effect::FailAfter { at, reason: "told so".into() }),
        any_operation().prop_map(|at| Effect::Hang { at }),
        rounds.clone().prop_map(|rounds| Effect::FailSend { rounds, reason: "told so".into() }),
        rounds.clone().prop_map(|rounds| Effect::Stall { rounds }),
        rounds.prop_map(|rounds| Effect::Cut { rounds }),
        Just(Effect::LoseAnswer),
        Just(Effect::Down),
    ]
}

fn any_faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = (any_effect(), 1..3_u32)
        .prop_map(|(effect, times)| Fault { times: Some(times), ..Fault::always(effect) });
    prop::collection::vec(fault, 0..3)
}

/// No answer within some time is an error, too.
async fn ask<T>(question: impl Future<Output = Result<T, PlatformError>>) -> Result<T, PlatformError> {
    let answer = tokio::time::timeout(Duration::from_millis(100), question).await;
    answer.unwrap_or_else(|_| Err(PlatformError::Simulated("no answer".into())))
}

/// Tries to move the zone; then all faults are removed, and the move is finished or undone.
async fn move_and_recover(world: &World, limit: u64) {
    let (web, uuid) = (name("web"), Uuid::from_u128(1));
    let moved = async {
        ask(world.lay("web", limit)).await?;
        ask(world.send("web")).await?;
        ask(world.b.resume(&web, uuid)).await?;
        ask(world.a.wait_sent(&web)).await
    };
    let _ = moved.await;
    let _ = ask(world.a.abort(&web)).await;
    world.a.set_faults(&[]).unwrap();
    world.b.set_faults(&[]).unwrap();
    world.a.abort(&web).await.unwrap();
    world.close("web").await;
    match word(&world.a, "web").await.as_str() {
        "running" => world.b.destroy_incoming(&web, uuid).await.unwrap(),
        _ => {
            world.b.resume(&web, uuid).await.unwrap();
            world.a.undefine(&web, uuid).await.unwrap();
        }
    }
}

/// Two hosts, and whether the zone ever ran on both of them.
fn watched() -> (World, Arc<AtomicBool>) {
    let twice = Arc::new(AtomicBool::new(false));
    let folder: Arc<Mutex<Option<PathBuf>>> = Arc::default();
    let (seen_twice, seen_folder) = (twice.clone(), folder.clone());
    let hook: CrashHook = Arc::new(move |_, _| {
        let Some(folder) = locked(&seen_folder).clone() else { return };
        let goes_on = |host: &str| {
            let sim = Sim::open(&paths(&folder, host));
            sim.zone_counter(&name("web")).is_ok_and(|counter| counter.goes_on)
        };
        if goes_on("a") && goes_on("b") {
            seen_twice.store(true, Ordering::Relaxed);
        }
    });
    let world = World::with_hook(hook);
    *locked(&folder) = Some(world.folder.path().to_owned());
    (world, twice)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_zone_never_runs_twice_and_is_never_lost(
        at_a in any_faults(),
        at_b in any_faults(),
        limit in prop_oneof![3 => Just(u64::MAX), 1 => 0..800_000_u64],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (world, twice) = watched();
        world.run(ZoneSpec { uuid: Some(Uuid::from_u128(1)), ..busy("web") });
        world.a.set_faults(&at_a).unwrap();
        world.b.set_faults(&at_b).unwrap();
        let words = runtime.block_on(async {
            move_and_recover(&world, limit).await;
            words_of(&world, "web").await
        });
        prop_assert!(!twice.load(Ordering::Relaxed), "it went on at both hosts");
        let words = [words[0].as_str(), words[1].as_str()];
        prop_assert!(matches!(words, ["running", "-"] | ["-", "running"]), "{words:?}");
        let there = if words[0] == "-" { &world.b } else { &world.a };
        prop_assert!(there.zone_counter(&name("web")).unwrap().goes_on);
    }
}
