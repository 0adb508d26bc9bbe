//! A zone that finds no room at first waits for it, in passes, as long as there may be some.

use std::time::Duration;

use sysadm::cancel::Stage;
use sysadm::evacuation::{JobState, Outcome, Request};
use sysadm::model::{CheckRequest, Manifest, Method, Millis, PendingLoad};
use sysadm::platform::sim::{Effect, Fault, Operation, ZoneSpec};
use sysadm::store::{Direction, MoveState, Reservation};
use tokio::time::Instant;

use super::world::{World, error_of, live, name, state_of, until};

const GIB: u64 = 1 << 30;

async fn run_on(world: &World, host: &str, direction: Direction, retries: u32) -> Outcome {
    let request = Request { retries, ..World::request() };
    world.engine_of(host).run(direction, &request).await.unwrap()
}

/// h1 with so many zones of 4 GiB, and h2 with that much memory.
fn leaving(zones: usize, memory: u64) -> World {
    let world = World::new();
    (0..zones).for_each(|number| world.run_zone(live(&format!("a{number}"))));
    world.set_host("h2", |host| host.memory = memory);
    world.lock("h1");
    world
}

/// Reserves room on h2 for a zone that does not come.
fn reserve_for_nobody(world: &World, memory: u64) {
    let zone = Reservation {
        zone: name("ghost"),
        uuid: "6fa459ea-ee8a-3ca4-894e-db77e160355e".parse().unwrap(),
        source: "h9".to_owned(),
        memory,
        cpus: 1,
        disk: 0,
        expires: Millis::now().after(3_600_000),
    };
    world.store("h2").reserve(&zone, Millis::now(), |_| Ok::<_, ()>(())).unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn room_that_a_failed_move_gives_back_is_used_at_once_by_one_that_waits() {
    let world = leaving(2, 5 * GIB);
    world.set_faults("h1", &[Fault { zone: Some(name("a0")), ..Fault::always(Effect::Cut { rounds: 1 }) }]);
    let begun = Instant::now();
    let outcome = run_on(&world, "h1", Direction::Evacuate, 0).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(world.events.count("waiting a1 waits for room: 3G more memory on h2; next pass after a0"), 1);
    assert_eq!(
        (state_of(&outcome, "a0"), state_of(&outcome, "a1")),
        (MoveState::Failed, MoveState::Evacuated)
    );
    world.all_room_is_given_back();
}

#[tokio::test(start_paused = true)]
async fn nothing_moves_before_every_zone_was_prepared_once() {
    let world = leaving(3, 9 * GIB);
    run_on(&world, "h1", Direction::Evacuate, 0).await;
    let events = world.events.all();
    let first = events.iter().position(|event| event.starts_with("migrating")).unwrap();
    let prepared = events[..first].iter().filter(|event| event.starts_with("initializing")).count();
    assert_eq!(prepared, 3, "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn zones_that_fit_exactly_fit_one_after_the_other_too() {
    for jobs in 1..=3 {
        let world = leaving(3, 12 * GIB);
        let request = Request { jobs, ..World::request() };
        let outcome = world.engine().run(Direction::Evacuate, &request).await.unwrap();
        assert!(outcome.is_complete(), "{outcome:?}");
        assert_eq!(world.events.count("waiting"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn two_hosts_that_are_full_of_each_others_zones_fill_themselves_again_in_passes() {
    for (room_1, room_2) in [(5, 5), (5, 1), (1, 5)] {
        let world = World::new();
        let names =
            |letter: &str| (0..3).map(|number| name(&format!("{letter}{number}"))).collect::<Vec<_>>();
        for (host, letter) in [("h1", "a"), ("h2", "b")] {
            names(letter).iter().for_each(|zone| world.run_zone_on(host, live(zone.as_str())));
        }
        world.set_default_target("h2", "rads://h1");
        for (host, letter) in [("h1", "a"), ("h2", "b")] {
            world.lock(host);
            let request = Request { zones: names(letter), ..World::request() };
            let outcome = world.engine_of(host).run(Direction::Evacuate, &request).await.unwrap();
            assert_eq!(outcome.count(MoveState::Evacuated), 3, "{outcome:?}");
            world.unlock(host);
        }
        world.set_host("h1", |host| host.memory = (12 + room_1) * GIB);
        world.set_host("h2", |host| host.memory = (12 + room_2) * GIB);
        let (first, second) = tokio::join!(
            run_on(&world, "h1", Direction::Return, 3),
            run_on(&world, "h2", Direction::Return, 3)
        );
        assert!(first.is_complete() && second.is_complete(), "{first:?} {second:?} {:?}", world.events.all());
        assert!(world.events.count("waits for room") > 0);
        for (host, letter) in [("h1", "a"), ("h2", "b")] {
            for zone in names(letter) {
                assert_eq!(world.home_of(zone.as_str(), Method::Live).await, host);
            }
        }
        world.all_room_is_given_back();
    }
}

#[tokio::test(start_paused = true)]
async fn an_evacuation_waits_for_zones_that_its_destination_is_just_giving_back() {
    let world = World::new();
    world.set_default_target("h3", "rads://h2");
    ["c0", "c1"].iter().for_each(|zone| world.run_zone_on("h3", live(zone)));
    world.lock("h3");
    assert!(run_on(&world, "h3", Direction::Evacuate, 0).await.is_complete());
    world.unlock("h3");
    world.run_zone(live("web"));
    world.lock("h1");
    world.set_host("h2", |host| host.memory = 9 * GIB);
    world.set_faults("h2", &[Fault::always(Effect::Hang { at: Operation::Send })]);
    let (back, (outcome, row)) = tokio::join!(run_on(&world, "h3", Direction::Return, 0), async {
        until(|| world.events.count("migrating c") == 4).await;
        let watch = async {
            // Not because of its own time limit, but because it sees that zones are leaving.
            until(|| world.events.count("waiting web") == 2).await;
            let (_, moves) = world.store("h1").latest_run(None).unwrap().unwrap();
            world.clear_faults();
            moves.into_iter().next().unwrap()
        };
        tokio::join!(run_on(&world, "h1", Direction::Evacuate, 0), watch)
    });
    assert!(back.is_complete() && outcome.is_complete(), "{back:?} {outcome:?}");
    assert_eq!(row.state, MoveState::Ready);
    assert_eq!(row.error, Some("waits for room: 3G more memory on h2; asked again in 10 s".into()));
    assert_eq!(world.home_of("web", Method::Live).await, "h2");
}

#[tokio::test(start_paused = true)]
async fn room_that_is_reserved_for_somebody_who_does_not_come_is_not_waited_for_without_end() {
    let world = leaving(1, 5 * GIB);
    reserve_for_nobody(&world, 4 * GIB);
    let begun = Instant::now();
    let outcome = run_on(&world, "h1", Direction::Evacuate, 0).await;
    assert_eq!(begun.elapsed().as_secs(), 5 + 10 + 20 + 40 + 80 + 120 + 120);
    assert_eq!(state_of(&outcome, "a0"), MoveState::Failed);
    assert_eq!(error_of(&outcome, "a0"), "h2: 4G of memory needed, h2 has 1G free");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_under_way_one_retry_is_all_and_what_never_fits_gets_none() {
    for (memory, retries, seconds) in [(4, 0, 0), (4, 1, 5), (4, 2, 15), (100, 2, 0)] {
        let world = World::new();
        world.run_zone_on("h2", ZoneSpec { memory: 62 * GIB, ..live("here") });
        world.run_zone(ZoneSpec { memory: memory * GIB, ..live("web") });
        world.lock("h1");
        let begun = Instant::now();
        let outcome = run_on(&world, "h1", Direction::Evacuate, retries).await;
        assert_eq!(begun.elapsed().as_secs(), seconds);
        assert_eq!(error_of(&outcome, "web"), format!("h2: {memory}G of memory needed, h2 has 2G free"));
        assert!(!outcome.is_complete());
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_given_up_while_zones_wait_for_room_ends_at_once() {
    let world = leaving(1, 5 * GIB);
    reserve_for_nobody(&world, 4 * GIB);
    let (outcome, pressed) = tokio::join!(run_on(&world, "h1", Direction::Evacuate, 0), async {
        until(|| world.events.count("waiting a0") == 2).await;
        assert_eq!(world.cancel.escalate(), Stage::Finishing);
        Instant::now()
    });
    assert_eq!(pressed.elapsed(), Duration::ZERO);
    assert_eq!(state_of(&outcome, "a0"), MoveState::Skipped);
    assert!(outcome.stopped.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_names_what_would_wait_and_reserves_nothing() {
    let world = leaving(3, 9 * GIB);
    let planned = world.engine().plan(Direction::Evacuate, &World::request()).await.unwrap().planned;
    let jobs: Vec<_> = planned.iter().map(|plan| &plan.job).collect();
    assert!(jobs[..2].iter().all(|job| job.state == JobState::Ready && job.method() == Some(Method::Live)));
    assert_eq!(jobs[2].state.reason(), Some("waits for room: 3G more memory on h2".into()));
    assert!(matches!(&jobs[2].state, JobState::Waiting(wait)
        if wait.given_up().text == "h2: 4G of memory needed, h2 has 1G free"));
    world.all_room_is_given_back();
}

#[tokio::test(start_paused = true)]
async fn processors_are_not_overbooked_either() {
    let world = World::new();
    // 16 for each.
    world.set_host("h2", |host| host.cpus = 1);
    world.run_zone_on("h2", ZoneSpec { cpus: 2, ..live("here") });
    for number in 0..3 {
        world.run_zone(ZoneSpec { cpus: 6, ..live(&format!("a{number}")) });
    }
    world.lock("h1");
    let outcome = run_on(&world, "h1", Direction::Evacuate, 0).await;
    assert_eq!((outcome.count(MoveState::Evacuated), outcome.count(MoveState::Failed)), (2, 1));
    assert_eq!(
        world.events.count("waiting a2 waits for room: 4 more virtual processor(s) on h2; next pass"),
        1
    );
    assert_eq!(
        error_of(&outcome, "a2"),
        "h2: 6 virtual processor(s) needed, h2 has 2 left of 16 (16 for each of its 1)"
    );
}

#[tokio::test(start_paused = true)]
async fn each_host_is_connected_to_once_in_a_run() {
    let world = leaving(3, 9 * GIB);
    for direction in [Direction::Evacuate, Direction::Return] {
        let before = world.lines.laid();
        let request = Request { retries: 1, ..World::request() };
        let outcome = world.engine().run(direction, &request).await.unwrap();
        assert!(world.events.count("waiting") > 0 && outcome.moved() == 2, "{outcome:?}");
        assert_eq!(world.lines.laid() - before, 1, "{direction}: {:?}", world.events.all());
        if direction == Direction::Evacuate {
            world.unlock("h1");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_lists_its_guests_once_for_a_reservation() {
    // Nothing is there; the same zone, and it may be overwritten; the same zone with the same configuration.
    for (is_there, overwrite) in [(false, false), (true, true), (true, false)] {
        let world = World::with(Method::Live);
        let manifest = world.engine().local.manifest(name("web")).await.unwrap();
        if is_there {
            let spec = ZoneSpec { uuid: Some(manifest.zone.uuid), memory: GIB, ..live("web") };
            world.sim("h2").create(spec).unwrap();
        }
        let there = match is_there && !overwrite {
            true => world.engine_of("h2").local.manifest(name("web")).await.unwrap(),
            false => manifest.clone(),
        };
        let request = CheckRequest {
            manifest: Manifest { config: there.config, ..manifest },
            method: Method::Live,
            from: "h1".to_owned(),
            home: None,
            overwrite,
            force: false,
            pending: PendingLoad::default(),
            disk: 0,
            mappings: Vec::new(),
            owners: Vec::new(),
        };
        world.script.begin(None);
        let replaces = world.engine_of("h2").local.reserve(request, 60_000).await.unwrap();
        assert_eq!(replaces, is_there);
        let moments = world.script.moments();
        let listings = moments.iter().filter(|one| one.host == "h2" && one.operation == Operation::Inventory);
        assert_eq!(listings.count(), 1, "{moments:?}");
    }
}
