//! Migrating one zone for good.

use sysadm::evacuation::{EvacuationError, JobState, Request};
use sysadm::model::{BlockerKind, Method};
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState, Place};

use super::lines::{Break, Loss};
use super::world::{World, error_of, live, name, state_of};

const METHODS: [Method; 3] = [Method::Live, Method::Cold, Method::Restart];

/// Migrates web on from h2, where it is a guest of h1.
async fn moves_on_to(world: &World, uri: &str) {
    let request = Request {
        destination: Some(uri.parse().unwrap()),
        actions: world.actions.clone(),
        ..world.migration()
    };
    let outcome = world.engine_of("h2").run(Direction::Migrate, &request).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
}

/// h1 was emptied, and could take its zones back.
async fn evacuated(method: Method) -> World {
    let world = World::with(method);
    world.lock("h1");
    assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
    world.unlock("h1");
    world
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_migrates_goes_whether_its_host_is_in_maintenance_or_not_and_no_return_brings_it_back() {
    for method in METHODS {
        for locked in [false, true] {
            let world = World::with(method);
            world.run_zone(live("other"));
            if locked {
                world.lock("h1");
            }
            let outcome = world.run(Direction::Migrate).await.unwrap();
            assert!(outcome.is_complete(), "{method:?}: {outcome:?}");
            assert_eq!(outcome.moves.len(), 1);
            assert_eq!(world.home_of("web", method).await, "h2");
            assert_eq!(world.home_of("other", Method::Live).await, "h1");
            assert_eq!(world.away("web"), None);
            assert_eq!(world.moved_to("h1", "web").unwrap(), "rads://h2");
            world.all_room_is_given_back();
            if locked {
                world.unlock("h1");
            }
            assert_eq!(world.run(Direction::Return).await.unwrap().moves, []);
            assert_eq!(world.home_of("web", method).await, "h2");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn its_document_is_kept_and_says_what_it_was() {
    let world = World::with(Method::Live);
    let before = sysadm::platform::Platform::manifest(&world.sim("h1"), &name("web")).await.unwrap();
    world.run(Direction::Migrate).await.unwrap();
    let kept = world.store("h1").configured().unwrap().remove(0);
    let manifest = world.store("h1").manifest_of(before.zone.uuid).unwrap().unwrap();
    assert_eq!(
        (kept.user.as_deref(), kept.uuid, manifest.config),
        (Some("me"), before.zone.uuid, before.config)
    );
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_is_refused_or_fails_leaves_the_zone_as_it_was() {
    let refusal = Effect::Refuse { kind: BlockerKind::Software, reason: "no libfoo".into() };
    for method in METHODS {
        let effects =
            [refusal.clone(), Effect::Down, Effect::Fail { at: Operation::Define, reason: "no".into() }];
        for effect in effects {
            if method == Method::Live && matches!(effect, Effect::Fail { .. }) {
                continue;
            }
            let world = World::with(method);
            world.set_faults("h2", &[Fault::always(effect.clone())]);
            let outcome = world.run(Direction::Migrate).await.unwrap();
            assert_eq!(state_of(&outcome, "web"), MoveState::Failed, "{effect:?}");
            world.clear_faults();
            assert_eq!(world.all_is_told_truly("web", method).await, "h1");
            assert_eq!(world.moved_to("h1", "web"), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_whose_end_is_not_known_is_away_until_it_is_settled_and_gone_then() {
    for method in [Method::Live, Method::Restart] {
        let world = World::with(method);
        let at = if method == Method::Live { Operation::Resume } else { Operation::Undefine };
        let host = if method == Method::Live { "h2" } else { "h1" };
        world.set_faults(host, &[Fault::always(Effect::Fail { at, reason: "no".into() })]);
        let outcome = world.run(Direction::Migrate).await.unwrap();
        assert_eq!(state_of(&outcome, "web"), MoveState::Unknown, "{outcome:?}");
        let row = world.away("web").unwrap();
        assert_eq!(row.place, Place::Migrating);
        assert_eq!(world.moved_to("h1", "web"), None);
        world.settle().await;
        assert_eq!(world.home_of("web", method).await, "h2");
        assert_eq!((world.away("web"), world.moved_to("h1", "web")), (None, Some("rads://h2".to_owned())));
    }
}

#[tokio::test(start_paused = true)]
async fn its_own_targets_and_the_policy_have_no_say() {
    let world = World::with(Method::Live);
    world.set_default_target("h1", "rads://h3");
    world.lock("h3");
    assert!(world.run(Direction::Migrate).await.unwrap().is_complete());
    assert_eq!(world.home_of("web", Method::Live).await, "h2");
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_run_does_not_move_where_only_live_was_asked_for() {
    let world = World::with(Method::Cold);
    let only = Some(sysadm::model::Method::Live);
    let outcome =
        world.engine().run(Direction::Migrate, &Request { only, ..world.migration() }).await.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Skipped);
    assert_eq!(error_of(&outcome, "web"), "only a cold migration is possible, but live was requested");
    let unknown = Request { zones: vec![name("nope")], ..world.migration() };
    let error = world.engine().run(Direction::Migrate, &unknown).await.unwrap_err();
    assert!(matches!(error, EvacuationError::NoSuchZone(_)));
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_is_moved_on_is_followed_by_the_return_of_its_own_host() {
    for method in METHODS {
        let world = evacuated(method).await;
        moves_on_to(&world, "rads://h3").await;
        assert_eq!(world.home_of("web", method).await, "h3");
        assert_eq!(world.store("h2").away().unwrap(), []);
        let row = world.away("web");

        let request = Request { actions: world.actions.clone(), ..World::request() };
        let dry = world.engine().plan(Direction::Return, &request).await.unwrap();
        let job = &dry.planned[0].job;
        assert_eq!(job.state, JobState::Ready, "{job:?}");
        assert_eq!(job.peer.as_ref().unwrap().host, "h3");
        assert_eq!(world.away("web"), row, "a dry run has changed something");

        let outcome = world.run(Direction::Return).await.unwrap();
        assert!(outcome.is_complete(), "{outcome:?}");
        assert_eq!(world.all_is_told_truly("web", method).await, "h1");
        assert_eq!(world.events.count("web: h2 has migrated it to rads://h3; it returns from there"), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_is_moved_home_is_home() {
    for method in METHODS {
        let world = evacuated(method).await;
        moves_on_to(&world, "rads://h1").await;
        world.settle().await;
        assert_eq!(world.all_is_told_truly("web", method).await, "h1");
    }
}

/// What h2 knows of an earlier stay is forgotten when the zone is there again.
#[tokio::test(start_paused = true)]
async fn a_zone_that_has_come_again_is_not_looked_for_elsewhere() {
    let world = evacuated(Method::Live).await;
    moves_on_to(&world, "rads://h3").await;
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    world.lock("h1");
    assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
    world.unlock("h1");
    assert_eq!(world.moved_to("h2", "web"), None);
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
    assert_eq!(world.events.count("has migrated it"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_was_moved_on_to_where_nobody_answers_stays_there() {
    let world = evacuated(Method::Live).await;
    moves_on_to(&world, "rads://h3").await;
    world.set_faults("h3", &[Fault::always(Effect::Down)]);
    let outcome = world.run(Direction::Return).await.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Failed, "{outcome:?}");
    world.clear_faults();
    let row = world.away("web").unwrap();
    assert_eq!((row.place, row.location.unwrap().host.as_str()), (Place::Away, "h2"));
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}

/// It is not where it was brought: that its new place is not known does not mean that it has none.
#[tokio::test(start_paused = true)]
async fn a_guest_of_which_it_is_not_told_where_it_is_now_is_not_called_gone() {
    for evacuated_on in [false, true] {
        let away_from_h2 = async || {
            let world = evacuated(Method::Live).await;
            if evacuated_on {
                world.set_default_target("h2", "rads://h3");
                world.lock("h2");
                let outcome =
                    world.engine_of("h2").run(Direction::Evacuate, &World::request()).await.unwrap();
                assert!(outcome.is_complete(), "{outcome:?}");
            } else {
                moves_on_to(&world, "rads://h3").await;
            }
            world.lines.break_at(Break { at: usize::MAX, loss: Loss::Question, for_ever: false });
            world
        };
        let world = away_from_h2().await;
        let outcome = world.run(Direction::Return).await.unwrap();
        assert!(
            outcome.is_complete() || error_of(&outcome, "web").contains("h2 has evacuated it"),
            "{outcome:?}"
        );
        let mut lost = 0;
        for at in 0..world.lines.asked() {
            let world = away_from_h2().await;
            world.lines.break_at(Break { at, loss: Loss::Answer, for_ever: false });
            let outcome = world.run(Direction::Return).await.unwrap();
            let said = error_of(&outcome, "web");
            assert!(!said.contains("--forget"), "at {at}: {said}");
            lost += usize::from(said.contains("did not answer"));
        }
        assert!(lost > 0, "no answer mattered");
    }
}

#[tokio::test(start_paused = true)]
async fn a_location_that_is_too_old_to_be_asked_where_a_zone_is_now_has_it_or_has_not() {
    let world = evacuated(Method::Live).await;
    world.lines.lead_to_old_agents();
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}
