//! A zone replaces an older configuration of itself: whatever goes wrong, that is not lost.

use sysadm::evacuation::{EvacuationError, Outcome, Request, recover};
use sysadm::model::{Edit, Manifest, Method};
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::platform::{ConfigEditor, Platform};
use sysadm::store::{Direction, MoveState, Place, ZoneRecord};

use super::crashes::paused;
use super::lines::{Break, Loss};
use super::script::Plan;
use super::world::{World, error_of, name, state_of};

const METHODS: [Method; 3] = [Method::Live, Method::Cold, Method::Restart];

/// h2 has an older configuration of web, with less memory, which is also returned.
async fn with_an_older_one(method: Method) -> (World, String) {
    let world = World::with(method);
    let sim = world.sim("h1");
    let manifest = sim.manifest(&name("web")).await.unwrap();
    let older = sim.edit(&manifest, &[Edit::Memory(1 << 30)]).unwrap();
    world.sim("h2").define(&Manifest { config: older.clone(), ..manifest }).await.unwrap();
    world.script.begin(None);
    (world, older)
}

async fn migrate_over_it(world: &World) -> Outcome {
    try_to_migrate_over_it(world).await.unwrap()
}

async fn try_to_migrate_over_it(world: &World) -> Result<Outcome, EvacuationError> {
    let request = Request { overwrite: true, actions: world.actions.clone(), ..world.migration() };
    world.engine().run(Direction::Migrate, &request).await
}

fn configured(world: &World, host: &str) -> Vec<ZoneRecord> {
    world.store(host).configured().unwrap()
}

/// h2's configuration of web other than that of the zone that was to come.
async fn kept(world: &World) -> Option<String> {
    let here = world.sim("h2").manifest(&name("web")).await.ok().map(|manifest| manifest.config);
    here.or_else(|| {
        let record = configured(world, "h2").pop()?;
        Some(world.store("h2").manifest_of(record.uuid).unwrap()?.config)
    })
}

fn a_failure(method: Method) -> (&'static str, Fault) {
    let fail = |at| Fault::always(Effect::Fail { at, reason: "no".to_owned() });
    match method {
        Method::Live => ("h1", Fault::always(Effect::FailSend { rounds: 1, reason: "no".to_owned() })),
        Method::Cold => ("h1", fail(Operation::Undefine)),
        Method::Restart => ("h2", fail(Operation::Boot)),
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_zone_has_come_over_is_configured_there_when_it_does_not_stay_and_the_error_says_so() {
    for method in METHODS {
        let (world, older) = with_an_older_one(method).await;
        let (host, fault) = a_failure(method);
        world.set_faults(host, &[fault]);
        let outcome = migrate_over_it(&world).await;
        assert_eq!(state_of(&outcome, "web"), MoveState::Failed, "{outcome:?}");
        let said = error_of(&outcome, "web");
        let kept = "; the configuration that h2 had of it is kept there as configured";
        assert!(said.ends_with(kept), "{method:?}: {said}");
        world.clear_faults();
        assert_eq!(world.all_is_told_truly("web", method).await, "h1");
        let [row] = configured(&world, "h2").try_into().unwrap();
        assert_eq!((row.place, row.location), (Place::Configured, None), "{method:?}");
        let manifest = world.store("h2").manifest_of(row.uuid).unwrap().unwrap();
        assert_eq!(
            (manifest.config, manifest.zone.state),
            (older.clone(), sysadm::model::ZoneState::Configured)
        );
        world.all_room_is_given_back();
        // And the zone still comes the next time.
        assert!(migrate_over_it(&world).await.is_complete());
        assert_eq!(world.all_is_told_truly("web", method).await, "h2");
        assert_eq!(configured(&world, "h2"), [], "{method:?}: it is attached there");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_touched_stays_installed_and_nothing_is_said_of_it() {
    let (world, older) = with_an_older_one(Method::Live).await;
    let fault = Effect::Fail { at: Operation::OpenIncoming, reason: "no".to_owned() };
    world.set_faults("h2", &[Fault::always(fault)]);
    let outcome = migrate_over_it(&world).await;
    assert_eq!(error_of(&outcome, "web"), "h2: no");
    assert_eq!(world.sim("h2").manifest(&name("web")).await.unwrap().config, older);
    assert_eq!(configured(&world, "h2"), []);
}

#[tokio::test(start_paused = true)]
async fn the_same_configuration_is_in_nobodys_way_and_another_one_is() {
    for method in METHODS {
        let world = World::with(method);
        let manifest = world.sim("h1").manifest(&name("web")).await.unwrap();
        world.sim("h2").define(&manifest).await.unwrap();
        assert!(world.run(Direction::Migrate).await.unwrap().is_complete(), "{method:?}");
        assert_eq!(world.all_is_told_truly("web", method).await, "h2");
        assert_eq!(configured(&world, "h2"), []);
        let (world, older) = with_an_older_one(method).await;
        let outcome = world.run(Direction::Migrate).await.unwrap();
        let said = error_of(&outcome, "web");
        assert_eq!(said, "h2: web is already installed there");
        assert_eq!(kept(&world).await, Some(older));
    }
}

/// After everything was settled.
async fn nothing_is_lost(world: &World, method: Method, older: &str, context: &str) {
    world.clear_faults();
    world.lines.repair();
    let open = recover::settle_interrupted(&world.engine()).await.unwrap();
    assert!(open.is_empty(), "{context}: {open:?}");
    if world.moved_to("h1", "web").is_some() {
        assert_eq!(world.home_of("web", method).await, "h2", "{context}");
    } else {
        let stays = world.seen("h1", "web").await.unwrap();
        assert_eq!(stays.is_running(), method != Method::Cold, "{context}");
        assert_eq!(kept(world).await.as_deref(), Some(older), "{context}");
    }
    assert_eq!(world.script.wrong(), [] as [String; 0], "{context}");
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_the_older_configuration_is_there_unless_the_zone_is() {
    for method in METHODS {
        let (world, _) = with_an_older_one(method).await;
        assert!(migrate_over_it(&world).await.is_complete());
        let moments = world.script.moments();
        assert!(moments.len() > 8, "{moments:?}");
        for plan in moments.into_iter().flat_map(|moment| [Plan::Fail(moment), Plan::FailAfter(moment)]) {
            let (world, older) = with_an_older_one(method).await;
            world.script.begin(Some(plan));
            let outcome = try_to_migrate_over_it(&world).await;
            nothing_is_lost(&world, method, &older, &format!("{method:?} {plan:?}: {outcome:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_answer_is_lost_the_older_configuration_is_there_unless_the_zone_is() {
    for method in METHODS {
        let (world, _) = with_an_older_one(method).await;
        world.lines.break_at(Break { at: usize::MAX, loss: Loss::Question, for_ever: false });
        assert!(migrate_over_it(&world).await.is_complete());
        let questions = world.lines.asked();
        assert!(questions > 5, "{questions}");
        for at in 0..questions {
            for (loss, for_ever) in
                [(Loss::Question, false), (Loss::Question, true), (Loss::Answer, false), (Loss::Answer, true)]
            {
                let (world, older) = with_an_older_one(method).await;
                let the_break = Break { at, loss, for_ever };
                world.lines.break_at(the_break);
                let outcome = try_to_migrate_over_it(&world).await;
                nothing_is_lost(&world, method, &older, &format!("{method:?} {the_break:?}: {outcome:?}"))
                    .await;
            }
        }
    }
}

#[test]
fn whenever_the_power_is_lost_the_older_configuration_is_there_unless_the_zone_is() {
    for method in METHODS {
        let (world, _) = paused().block_on(with_an_older_one(method));
        paused().block_on(async { assert!(migrate_over_it(&world).await.is_complete()) });
        for point in 0..world.script.points() {
            let (world, older) = paused().block_on(with_an_older_one(method));
            world.script.begin(Some(Plan::Crash(point)));
            let runtime = paused();
            runtime.block_on(async {
                let run = std::panic::AssertUnwindSafe(try_to_migrate_over_it(&world));
                tokio::select! {
                    biased;
                    () = world.script.crash() => {}
                    _ = futures_util::FutureExt::catch_unwind(run) => {}
                }
            });
            runtime.shutdown_background();
            let world = world.after_power_loss();
            paused().block_on(nothing_is_lost(&world, method, &older, &format!("{method:?} at {point}")));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_leaves_is_not_configured_where_it_was_whatever_was_kept_of_it() {
    for method in METHODS {
        let world = World::with(method);
        let manifest = world.sim("h1").manifest(&name("web")).await.unwrap();
        let written = sysadm::model::document::Written::by("h1", sysadm::model::Millis(1));
        let left = ZoneRecord::configured(&manifest, written, "me".to_owned());
        world.store("h1").configure(&left, &manifest).unwrap();
        world.lock("h1");
        assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
        assert_eq!(configured(&world, "h1"), [], "{method:?}");
        // Likewise at its location.
        world.unlock("h1");
        world.store("h2").configure(&left, &manifest).unwrap();
        assert!(world.run(Direction::Return).await.unwrap().is_complete());
        assert_eq!(configured(&world, "h2"), [], "{method:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_zone_was_migrated_to_is_known_until_it_has_come_again() {
    for method in METHODS {
        let world = World::with(method);
        assert!(world.run(Direction::Migrate).await.unwrap().is_complete());
        let back = Request {
            destination: Some("rads://h1".parse().unwrap()),
            actions: world.actions.clone(),
            ..world.migration()
        };
        let (host, fault) = a_failure(method);
        let other = if host == "h1" { "h2" } else { "h1" };
        world.set_faults(other, &[fault]);
        let outcome = world.engine_of("h2").run(Direction::Migrate, &back).await.unwrap();
        assert_eq!(state_of(&outcome, "web"), MoveState::Failed, "{outcome:?}");
        assert_eq!(world.moved_to("h1", "web").as_deref(), Some("rads://h2"), "{method:?}: it did not come");
        world.clear_faults();
        assert!(world.engine_of("h2").run(Direction::Migrate, &back).await.unwrap().is_complete());
        assert_eq!(world.moved_to("h1", "web"), None, "{method:?}: it has come");
        assert_eq!(world.home_of("web", method).await, "h1");
    }
}
