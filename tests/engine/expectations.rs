//! Estimates of a run and of each zone: stored before anything moves, and updated after each move.

use sysadm::evacuation::Request;
use sysadm::store::{Direction, MoveState};

use sysadm::model::Method;

use super::world::{World, live};

fn with_zones(zones: &[&str]) -> World {
    let world = World::new();
    zones.iter().for_each(|zone| world.run_zone(live(zone)));
    world.lock("h1");
    world
}

#[tokio::test(start_paused = true)]
async fn what_was_expected_is_kept_beside_what_came_of_it() {
    let world = with_zones(&["web", "db"]);
    world.sim("h1").create(live("cold")).unwrap();
    assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
    for zone in ["web", "db", "cold"] {
        let (away, departures) = (world.away(zone).unwrap(), world.store("h1").departures().unwrap());
        let departure = departures.into_iter().find(|departure| departure.zone == away.zone).unwrap();
        let expected = departure.figures.expected.unwrap();
        assert!(expected.duration > 0, "{departure:?}");
        assert!(departure.figures.ended.is_some_and(|ended| ended >= away.since), "{departure:?}");
        // A zone that does not run has no downtime.
        assert_eq!(expected.downtime.is_some(), zone != "cold", "{departure:?}");
    }
    let (run, _) = world.store("h1").latest_run(None).unwrap().unwrap();
    let (expected, ended) = (run.expected.unwrap(), run.ended.unwrap());
    assert!(expected.first > expected.end && expected.end <= ended, "{run:?}");
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_waits_is_expected_anew_when_another_one_has_moved() {
    let world = with_zones(&["a", "b", "c"]);
    let request = Request { jobs: 1, ..World::request() };
    let outcome = world.engine().run(Direction::Evacuate, &request).await.unwrap();
    let expected = outcome.moves.iter().map(|a_move| a_move.figures.expected.unwrap().duration);
    let mut expected: Vec<_> = expected.collect();
    expected.sort_unstable();
    // Simulated moves take no time: so the last one, which has not begun when the first one has ended, will take
    // none either.
    assert!(expected[0] < expected[2], "{expected:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_expected_of_zones_that_do_not_move() {
    let world = with_zones(&["web"]);
    world.set_default_target("h1", "rads://nowhere");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!((outcome.moves[0].state, outcome.moves[0].figures.expected), (MoveState::Failed, None));
    let (run, _) = world.store("h1").latest_run(None).unwrap().unwrap();
    assert_eq!(run.expected, None);
    assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h1");
}
