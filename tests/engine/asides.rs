//! Hosts that are full of each other's zones: the zones that must leave first are reported, and if there is a
//! third host, one zone is relocated.

use std::collections::BTreeSet;

use sysadm::evacuation::{JobState, Outcome, Request, recover};
use sysadm::failpoints::Failpoint;
use sysadm::store::{Direction, MoveState, Place, TargetKey};

use super::crashes::{paused, run_until_crash};
use super::script::{Blow, Plan};
use super::steps::only_home;
use sysadm::model::Method;

use super::world::{World, hint_of, live, name, state_of};

const GIB: u64 = 1 << 30;

async fn back(world: &World, host: &str, retries: u32) -> Outcome {
    let request = Request { retries, ..World::request() };
    world.engine_of(host).run(Direction::Return, &request).await.unwrap()
}

/// h1 is full of db, which belongs to h2, and h2 of web, which belongs to h1. h3 has that much memory.
async fn ring(third: u64) -> World {
    let world = World::with(Method::Live);
    world.run_zone_on("h2", live("db"));
    world.set_default_target("h2", "rads://h1");
    let targets = ["rads://h2", "rads://h3"].map(|uri| uri.parse().unwrap());
    world.store("h1").set_targets(&[TargetKey::Default], &targets[..1]).unwrap();
    for (host, zone) in [("h1", "web"), ("h2", "db")] {
        world.lock(host);
        let request = Request { zones: vec![name(zone)], ..World::request() };
        assert!(world.engine_of(host).run(Direction::Evacuate, &request).await.unwrap().is_complete());
        world.unlock(host);
    }
    world.store("h1").set_targets(&[TargetKey::Default], &targets).unwrap();
    world.set_host("h1", |host| host.memory = 4 * GIB);
    world.set_host("h2", |host| host.memory = 4 * GIB);
    world.set_host("h3", |host| host.memory = third);
    world
}

async fn all_are_home(world: &World) {
    for (zone, home) in [("web", "h1"), ("db", "h2")] {
        assert_eq!(world.home_of(zone, Method::Live).await, home);
    }
    assert_eq!(world.script.wrong(), [] as [String; 0]);
    world.all_room_is_given_back();
}

#[tokio::test(start_paused = true)]
async fn a_zone_steps_aside_and_it_is_said_who_must_leave_first() {
    let world = ring(8 * GIB).await;
    let outcome = back(&world, "h1", 0).await;
    assert_eq!(world.events.count("stepping aside web to h3"), 1, "{:?}", world.events.all());
    assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
    let error = hint_of(&outcome, "web");
    assert!(error.contains("db of h2 must leave first: run 'sysadm evacuate -r db' on h2"), "{error}");
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h3");
    assert!(back(&world, "h2", 0).await.is_complete());
    assert!(back(&world, "h1", 0).await.is_complete());
    all_are_home(&world).await;
}

#[tokio::test(start_paused = true)]
async fn two_returns_at_once_untie_the_ring() {
    let world = ring(8 * GIB).await;
    let (first, second) = tokio::join!(back(&world, "h1", 3), back(&world, "h2", 3));
    assert!(first.is_complete() && second.is_complete(), "{first:?} {second:?} {:?}", world.events.all());
    all_are_home(&world).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_third_host_it_is_said_that_they_wait_for_each_other() {
    let world = ring(2 * GIB).await;
    let outcome = back(&world, "h1", 0).await;
    assert_eq!(world.events.count("stepping aside"), 0);
    let error = hint_of(&outcome, "web");
    assert!(error.contains("db cannot leave: rads://h2: 4G of memory missing; it waits for web"), "{error}");
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h2");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_so_and_moves_nothing() {
    let world = ring(8 * GIB).await;
    let found = world.engine().plan(Direction::Return, &World::request()).await.unwrap();
    let JobState::Waiting(wait) = &found.planned[0].job.state else { panic!("{:?}", found.planned) };
    assert_eq!(wait.to_string(), "waits for room: 4G more memory on h1");
    assert_eq!(
        wait.message().hints,
        ["it can go to h3 until then; db of h2 must leave first: run 'sysadm \
         evacuate -r db' on h2"]
    );
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h2");
    world.all_room_is_given_back();
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_somebody_has_brought_back_by_hand_is_at_home() {
    let world = World::with(Method::Cold);
    world.make_ready_for(Direction::Return).await;
    let zone = name("web");
    let location = world.sim("h2");
    let uuid = world.seen("h2", "web").await.unwrap().uuid;
    location.remove(&zone).unwrap();
    let spec = sysadm::platform::sim::ZoneSpec { uuid: Some(uuid), ..live("web") };
    world.sim("h1").create(spec).unwrap();
    world.settle().await;
    assert!(world.away("web").is_none(), "{:?}", world.events.all());
}

fn points() -> Vec<Failpoint> {
    paused().block_on(async {
        let world = ring(8 * GIB).await;
        world.script.begin(None);
        back(&world, "h1", 0).await;
        let reached: BTreeSet<_> = world.script.failpoints_hit().iter().map(Failpoint::to_string).collect();
        Failpoint::all().filter(|point| reached.contains(&point.to_string())).collect()
    })
}

fn strike(point: Failpoint, blow: Blow) {
    let world = paused().block_on(ring(8 * GIB));
    world.script.begin(Some(Plan::At(point, blow, ("h2", "h3"))));
    run_until_crash(&world, Direction::Return);
    let context = format!("{point} {blow:?}; events {:?}", world.events.all());
    let victim = match blow {
        Blow::SourceKilled => Some("h2"),
        Blow::DestinationKilled => Some("h3"),
        Blow::OriginKilled => Some("h1"),
        _ => None,
    };
    let world = if victim == Some("h1") { world.after_power_loss() } else { world };
    world.lines.repair();
    if let Some(victim) = victim {
        world.sim(victim).boot_host().unwrap();
    }
    paused().block_on(async {
        let open = recover::settle_interrupted(&world.engine()).await.unwrap();
        assert!(open.is_empty(), "{context}: still open: {open:?} {:?}", world.events.all());
        let (home, _) = only_home(&world, &context).await;
        let row = world.away("web").unwrap();
        assert_eq!((row.place, row.location.unwrap().host.as_str()), (Place::Away, home), "{context}");
        assert!(["h2", "h3"].contains(&home), "{context}");
        // Whatever happened in between: both come home.
        back(&world, "h1", 0).await;
        assert!(back(&world, "h2", 0).await.is_complete(), "{context}: {:?}", world.events.all());
        assert!(back(&world, "h1", 0).await.is_complete(), "{context}: {:?}", world.events.all());
        let (home, runs) = only_home(&world, &context).await;
        assert_eq!(home, "h1", "{context}");
        // A zone that no power failure has stopped runs on.
        assert!(runs || victim.is_some(), "{context}: it does not run");
        assert_eq!(world.script.wrong(), [] as [String; 0], "{context}");
    });
}

#[test]
fn wherever_a_zone_that_steps_aside_is_struck_it_is_whole_in_one_place_and_comes_home() {
    let mut cases = 0;
    for point in points() {
        for blow in Blow::ALL.into_iter().chain([Blow::OriginKilled]) {
            strike(point, blow);
            cases += 1;
        }
    }
    assert!(cases > 80, "{cases}");
}
