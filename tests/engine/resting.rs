//! Zones that stay: stopped, suspended or left running; and what becomes of them whatever happens meanwhile.

use sysadm::evacuation::{Outcome, Request};
use sysadm::model::{Aux, Brand, Method};
use sysadm::plan::Action;
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState};

use super::crashes::{paused, run_until_crash};
use super::script::Plan;
use super::steps::comes_back;
use super::world::{World, brand, error_of, live, name, state_of};

const WAYS: [Action; 2] = [Action::Stop, Action::Suspend];

fn world(action: Action) -> World {
    let mut world = World::with(Method::Live);
    world.actions.default = Some(action);
    world
}

async fn ready(world: &World, direction: Direction) {
    world.make_ready_for(direction).await;
}

fn rests(world: &World) -> Vec<String> {
    let rests = world.store("h1").stopped().unwrap();
    rests.iter().map(|rest| format!("{} {}", rest.zone, rest.place)).collect()
}

async fn runs(world: &World, zone: &str) -> bool {
    world.seen("h1", zone).await.unwrap().is_running()
}

fn booted(world: &World) -> Vec<String> {
    let events = world.events.all();
    events.iter().filter_map(|event| Some(event.strip_prefix("waking ")?.to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn zones_are_stopped_in_order_stay_and_are_booted_again_in_reverse() {
    let mut world = World::new();
    for zone in ["app", "db", "web"] {
        world.run_zone(live(zone));
    }
    world.run_zone(brand(live("ct"), Brand::LXC));
    world.actions.default = Some(Action::Stop);
    world.lock("h1");
    let zones = ["web", "ct", "app", "db"].map(name).to_vec();
    let request = Request { zones, actions: world.actions.clone(), ..World::request() };
    let outcome = world.engine().run(Direction::Evacuate, &request).await.unwrap();
    assert!(outcome.is_complete() && outcome.count(MoveState::Stopped) == 4, "{outcome:?}");
    assert_eq!(rests(&world), ["web stopped", "ct stopped", "app stopped", "db stopped"]);
    for zone in ["web", "ct", "app", "db"] {
        assert!(!runs(&world, zone).await);
    }
    // They are no longer candidates, even if all zones are requested.
    world.actions.default = Some(Action::Live);
    let again = world.run(Direction::Evacuate).await.unwrap();
    assert!(again.is_complete() && again.moves.is_empty(), "{again:?}");
    world.unlock("h1");
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    assert_eq!(booted(&world), ["db", "app", "ct", "web"]);
    for zone in ["web", "ct", "app", "db"] {
        assert!(runs(&world, zone).await);
    }
    assert_eq!(rests(&world), [] as [&str; 0]);
}

async fn run_by(world: &World, policy: &str, named: &[&str], action: Option<Action>) -> Outcome {
    let policy = sysadm::policy::parse(policy).unwrap();
    let zones = named.iter().map(|zone| name(zone)).collect();
    let actions = sysadm::evacuation::Actions { default: action, ..Default::default() };
    let request = Request { zones, policy, actions, ..World::request() };
    world.engine().run(Direction::Evacuate, &request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_others_depend_on_is_stopped_last_and_booted_first() {
    let order = "[[zones]]\nmatch = { name = \"db\" }\nafter = [\"*\"]\npriority = 9\n\
                 [[zones]]\nmatch = { name = \"dns\" }\npriority = -1\n";
    let single_host = include_str!("../../policies/single-host.toml");
    let cases: [(&[&str], Option<Action>, &[&str]); 3] = [
        (&[], None, &["app suspended", "ct stopped", "web suspended", "dns suspended", "db suspended"]),
        (&[], Some(Action::Stop), &["app stopped", "ct stopped", "web stopped", "dns stopped", "db stopped"]),
        (&["dns", "db", "web"], None, &["dns suspended", "web suspended", "db suspended"]),
    ];
    for (named, action, expected) in cases {
        let world = World::new();
        for zone in ["db", "web", "app", "dns"] {
            world.run_zone(live(zone));
        }
        world.run_zone(brand(live("ct"), Brand::LXC));
        world.lock("h1");
        let outcome = run_by(&world, &format!("{single_host}{order}"), named, action).await;
        assert!(outcome.is_complete() && outcome.resting() == expected.len(), "{outcome:?}");
        assert_eq!(rests(&world), expected);
        let one_at_a_time: Vec<_> = world
            .events
            .all()
            .iter()
            .filter_map(|event| Some(event.split_once(|c: char| !c.is_alphabetic())?.0.to_owned()))
            .filter(|word| word == "Stopping" || word == "ended")
            .collect();
        assert_eq!(one_at_a_time, ["Stopping", "ended"].repeat(expected.len()));
        world.unlock("h1");
        assert!(world.run(Direction::Return).await.unwrap().is_complete());
        let back: Vec<_> = expected.iter().rev().map(|rest| rest.split(' ').next().unwrap()).collect();
        assert_eq!(booted(&world), back);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_wins_over_the_policy() {
    let world = World::with(Method::Live);
    world.lock("h1");
    let outcome = run_by(&world, "[[zones]]\naction = \"suspend\"\n", &[], Some(Action::Live)).await;
    assert_eq!(state_of(&outcome, "web"), MoveState::Evacuated);
}

#[tokio::test(start_paused = true)]
async fn zones_rest_when_all_others_have_left() {
    let world = World::new();
    for zone in ["a", "b", "c"] {
        world.run_zone(live(zone));
    }
    world.lock("h1");
    let outcome = run_by(&world, "[[zones]]\nmatch = { name = \"a\" }\naction = \"stop\"\n", &[], None).await;
    assert!(outcome.is_complete(), "{outcome:?}");
    let events = world.events.all();
    let place = |what: &str| events.iter().position(|event| event.starts_with(what)).unwrap();
    assert!(place("Stopping").min(place("ended a")) > place("ended b").max(place("ended c")), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_suspended_zone_goes_on_where_it_was() {
    let world = world(Action::Suspend);
    ready(&world, Direction::Evacuate).await;
    let before = world.sim("h1").zone_counter(&name("web")).unwrap().value;
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Suspended);
    assert_eq!(world.seen("h1", "web").await.unwrap().aux, Some(Aux::Suspended));
    world.unlock("h1");
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    let counter = world.sim("h1").zone_counter(&name("web")).unwrap();
    assert!(counter.goes_on && counter.value > before, "{counter:?}");
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_does_not_shut_down_runs_on_and_is_named() {
    for action in [Action::Stop, Action::Restart] {
        let world = world(action);
        ready(&world, Direction::Evacuate).await;
        world.set_faults("h1", &[Fault::always(Effect::IgnoreShutdown)]);
        let outcome = world.run(Direction::Evacuate).await.unwrap();
        assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
        assert!(
            error_of(&outcome, "web").contains("did not shut down within 180 s; left running"),
            "{outcome:?}"
        );
        assert_eq!(outcome.left_running, Some(vec![name("web")]));
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
        assert_eq!(rests(&world), [] as [&str; 0]);
        world.all_room_is_given_back();
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_cannot_be_booted_there_is_booted_here_again_under_the_lock() {
    let world = World::with(Method::Restart);
    world.lock("h1");
    world.set_faults("h2", &[Fault::always(Effect::Fail { at: Operation::Boot, reason: "no".into() })]);
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(error_of(&outcome, "web"), "h2: no; it was booted again on h1");
    assert_eq!(world.all_is_told_truly("web", Method::Restart).await, "h1");
    // Maintenance applies to all others, and to this one a moment later.
    world.sim("h1").stop(&name("web")).unwrap();
    assert!(world.sim("h1").start(&name("web")).unwrap_err().to_string().contains("is in maintenance"));
    let uuid = world.seen("h1", "web").await.unwrap().uuid;
    let refused = sysadm::host::Host::boot(world.engine().local.as_ref(), name("web"), uuid).await;
    assert!(refused.unwrap_err().to_string().contains("is in maintenance"));
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_is_left_alone_runs_on_and_nothing_waits_for_it() {
    let mut world = World::with(Method::Live);
    world.run_zone(live("other"));
    world.actions.zones = [(name("web"), Action::Leave)].into();
    world.lock("h1");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!((outcome.moves.len(), outcome.left_alone), (1, vec![name("web")]));
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}

#[tokio::test(start_paused = true)]
async fn what_its_owner_does_with_a_zone_that_rests_is_respected_and_said() {
    for action in WAYS {
        let world = world(action);
        ready(&world, Direction::Evacuate).await;
        world.run(Direction::Evacuate).await.unwrap();
        world.unlock("h1");
        world.sim("h1").start(&name("web")).unwrap();
        let outcome = world.run(Direction::Return).await.unwrap();
        assert!(outcome.is_complete() && outcome.moves.is_empty(), "{outcome:?}");
        assert_eq!(world.events.count("booted by somebody else"), 1);
        assert_eq!(rests(&world), [] as [&str; 0]);
    }
    let world = world(Action::Stop);
    ready(&world, Direction::Evacuate).await;
    world.run(Direction::Evacuate).await.unwrap();
    world.sim("h1").remove(&name("web")).unwrap();
    world.unlock("h1");
    assert!(world.run(Direction::Return).await.unwrap().is_complete());
    assert_eq!(world.events.count("has been removed since"), 1);
}

fn crash(direction: Direction, action: Action, moment: usize) {
    let world = world(action);
    paused().block_on(ready(&world, direction));
    world.script.begin(Some(Plan::Crash(moment)));
    run_until_crash(&world, direction);
    let world = world.after_power_loss();
    paused().block_on(async {
        if direction == Direction::Return {
            world.lock("h1");
        }
        comes_back(&world, &format!("{direction} {action} at moment {moment}")).await;
    });
}

#[test]
fn wherever_its_process_is_killed_a_zone_that_was_to_rest_can_be_brought_back() {
    for direction in &[Direction::Evacuate, Direction::Return] {
        for action in WAYS {
            let world = world(action);
            paused().block_on(async {
                ready(&world, *direction).await;
                world.script.begin(None);
                assert!(world.run(*direction).await.unwrap().is_complete());
            });
            (0..world.script.points()).for_each(|moment| crash(*direction, action, moment));
        }
    }
}

fn word(outcome: &Outcome) -> MoveState {
    state_of(outcome, "web")
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_a_rest_says_what_became_of_it() {
    for action in WAYS {
        for &at in Operation::ALL {
            for after in [false, true] {
                let world = world(action);
                ready(&world, Direction::Evacuate).await;
                let reason = "told so".to_owned();
                let effect =
                    if after { Effect::FailAfter { at, reason } } else { Effect::Fail { at, reason } };
                world.set_faults("h1", &[Fault::always(effect.clone())]);
                let result = world.run(Direction::Evacuate).await;
                world.clear_faults();
                if let Ok(outcome) = result {
                    let running = runs(&world, "web").await;
                    match word(&outcome) {
                        MoveState::Stopped | MoveState::Suspended => assert!(!running, "{action} {effect}"),
                        MoveState::Failed => {
                            assert!(running && rests(&world).is_empty(), "{action} {effect}")
                        }
                        MoveState::Unknown => assert_eq!(rests(&world).len(), 1, "{action} {effect}"),
                        other => panic!("{action} {effect}: it ended {other}"),
                    }
                }
                comes_back(&world, &format!("{action} {effect}")).await;
            }
        }
    }
}
