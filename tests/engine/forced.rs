//! Findings about software, platform and networks: all are reported, and `--force-attach` overrules only these.

use sysadm::evacuation::Request;
use sysadm::model::{BlockerKind, Method, Network};
use sysadm::platform::sim::{Effect, Fault, ZoneSpec};
use sysadm::store::{Direction, MoveState, TargetKey};

use super::world::{World, error_of, live, name, state_of};

fn lacks(reason: &str) -> Fault {
    Fault::always(Effect::Refuse { kind: BlockerKind::Software, reason: reason.to_owned() })
}

fn forced(world: &World) -> Request {
    Request { force: true, actions: world.actions.clone(), ..World::request() }
}

/// h1 is in maintenance, and its zones may go to h2 and to h3.
fn two_targets(world: &World) {
    let uris = ["rads://h2", "rads://h3"].map(|uri| uri.parse().unwrap());
    world.store("h1").set_targets(&[TargetKey::Default], &uris).unwrap();
    world.lock("h1");
}

#[tokio::test(start_paused = true)]
async fn what_every_target_has_against_a_zone_is_said_software_too() {
    let world = World::with(Method::Live);
    two_targets(&world);
    world.set_faults("h2", &[lacks("libfoo 1.2 is missing")]);
    world.set_host("h3", |host| host.memory = 2 << 30);
    let dry = world.engine().plan(Direction::Evacuate, &World::request()).await.unwrap();
    let found = &dry.planned[0].job.findings;
    let kinds: Vec<_> =
        found.iter().map(|one| (one.target.host.as_str(), one.blockers[0].kind.as_str())).collect();
    assert_eq!(kinds, [("h2", "software"), ("h3", "memory")], "{found:?}");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    let error = error_of(&outcome, "web");
    assert!(error.starts_with("h2: libfoo 1.2 is missing | h3: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_first_target_that_has_the_software_is_taken() {
    for method in [Method::Live, Method::Cold, Method::Restart] {
        let world = World::with(method);
        two_targets(&world);
        world.set_faults("h2", &[lacks("libfoo 1.2 is missing")]);
        assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
        world.clear_faults();
        assert_eq!(world.all_is_told_truly("web", method).await, "h3");
    }
}

#[tokio::test(start_paused = true)]
async fn software_that_is_missing_does_not_count_for_a_run_that_is_forced_there_and_back() {
    for method in [Method::Live, Method::Cold, Method::Restart] {
        let world = World::with(method);
        world.lock("h1");
        let fault = [lacks("libfoo 1.2 is missing")];
        // The host decides whether a finding of the simulated check is ignored.
        ["h1", "h2"].iter().for_each(|host| world.set_faults(host, &fault));
        assert_eq!(state_of(&world.run(Direction::Evacuate).await.unwrap(), "web"), MoveState::Failed);
        let run = async |direction| world.engine().run(direction, &forced(&world)).await.unwrap();
        assert!(run(Direction::Evacuate).await.is_complete());
        world.unlock("h1");
        assert_eq!(state_of(&world.run(Direction::Return).await.unwrap(), "web"), MoveState::Failed);
        assert!(run(Direction::Return).await.is_complete());
        world.clear_faults();
        assert_eq!(world.all_is_told_truly("web", method).await, "h1");
        let journal = world.store("h1").contents().unwrap().journal;
        let said = journal.iter().filter_map(|(run, entry)| Some((run, entry.detail.as_deref()?)));
        let runs: Vec<_> =
            said.filter(|(_, text)| text.starts_with("forced: ")).map(|(run, _)| *run).collect();
        assert_eq!(runs, [2, 4], "the runs that were forced");
    }
}

/// The planner sees that, too, and must not refuse either.
#[tokio::test(start_paused = true)]
async fn a_network_that_is_missing_does_not_count_for_a_run_that_is_forced() {
    let world = World::new();
    world.set_host("h1", |host| host.bridges = vec!["br7".to_owned()]);
    let networks = vec![Network::Bridge("br7".to_owned())];
    world.sim("h1").create(ZoneSpec { networks, ..live("web") }).unwrap();
    world.script.watch(&name("web"));
    two_targets(&world);
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    let error = error_of(&outcome, "web");
    assert!(error.contains("h2: no bridge br7") && error.contains("h3: no bridge br7"), "{error}");
    let outcome = world.engine().run(Direction::Evacuate, &forced(&world)).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!(world.all_is_told_truly("web", Method::Cold).await, "h2");
}

#[tokio::test(start_paused = true)]
async fn what_would_harm_others_counts_for_a_run_that_is_forced_too() {
    type Spoil = fn(&World);
    let reasons: [(Spoil, &str); 3] = [
        (|world| world.lock("h2"), "is in maintenance"),
        (|world| world.set_host("h2", |host| host.memory = 2 << 30), "memory"),
        (|world| world.set_host("h2", |host| host.storages.clear()), "is not accessible"),
    ];
    for (spoil, words) in reasons {
        let world = World::with(Method::Live);
        world.lock("h1");
        spoil(&world);
        world.set_faults("h2", &[lacks("libfoo 1.2 is missing")]);
        let outcome = world.engine().run(Direction::Evacuate, &forced(&world)).await.unwrap();
        let error = error_of(&outcome, "web");
        assert!(error.contains(words) && !error.contains("libfoo"), "{error}");
        world.clear_faults();
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
    }
}
