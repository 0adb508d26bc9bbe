//! Every point of a move, before and after every step on both sides, and everything that can befall a host or a
//! line there.

use std::collections::BTreeSet;

use sysadm::evacuation::recover;
use sysadm::failpoints::Failpoint;
use sysadm::model::Step;
use sysadm::plan::Action;
use sysadm::platform::sim::{Effect, Fault};
use sysadm::store::{AwayPhase, Direction};

use super::crashes::{paused, run_until_crash};
use super::script::{Blow, HOSTS, Plan};
use super::world::{Kindly, World, ends};

/// The points that a move of that kind comes to.
fn points_of(direction: Direction, kind: Kindly) -> Vec<Failpoint> {
    let world = World::with(kind);
    paused().block_on(async {
        world.make_ready_for(direction).await;
        world.script.begin(None);
        assert!(world.run(direction).await.unwrap().is_complete());
    });
    let reached: BTreeSet<_> = world.script.failpoints_hit().iter().map(Failpoint::to_string).collect();
    Failpoint::all().filter(|point| reached.contains(&point.to_string())).collect()
}

#[test]
fn all_that_is_done_with_zones_comes_to_every_point_that_there_is() {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    for kind in [Kindly::Live, Kindly::Cold, Kindly::Restart] {
        reached.extend(points_of(Direction::Evacuate, kind).iter().map(Failpoint::to_string));
    }
    reached.extend(
        super::resting::points_of(Direction::Evacuate, Action::Suspend).iter().map(Failpoint::to_string),
    );
    let all: BTreeSet<_> = Failpoint::all().map(|point| point.to_string()).collect();
    assert_eq!(all.difference(&reached).collect::<Vec<_>>(), [] as [&String; 0]);
    assert!(all.len() > 2 * Step::ALL.len());
}

/// The host that has the zone, and whether it runs there. No other may have it.
pub async fn only_home(world: &World, context: &str) -> (&'static str, bool) {
    let mut homes = Vec::new();
    for host in HOSTS {
        if let Some(zone) = world.seen(host, "web").await {
            homes.push((host, zone.is_running() && zone.aux.is_none()));
        }
    }
    assert_eq!(homes.len(), 1, "{context}: it is at {homes:?}; events {:?}", world.events.all());
    homes[0]
}

fn strike(direction: Direction, kind: Kindly, point: Failpoint, blow: Blow) {
    let context = format!("{direction} {kind:?} {point} {blow:?}");
    let world = World::with(kind);
    paused().block_on(world.make_ready_for(direction));
    world.script.begin(Some(Plan::At(point, blow, ends(direction))));
    run_until_crash(&world, direction);
    let wrong = world.script.wrong();
    assert!(wrong.is_empty(), "{context}: {wrong:?}");
    let events = world.events.all();
    let (source, destination) = ends(direction);
    let victim = match blow {
        Blow::SourceKilled => Some(source),
        Blow::DestinationKilled => Some(destination),
        _ => None,
    };
    // Whoever lost its power boots again, and its line is whole.
    let world = if victim == Some("h1") { world.after_power_loss() } else { world };
    world.lines.repair();
    if let Some(victim) = victim {
        world.sim(victim).boot_host().unwrap();
    }
    let context = format!("{context}; events {events:?}");
    paused().block_on(async {
        let open = recover::settle_interrupted(&world.engine()).await.unwrap();
        assert!(open.is_empty(), "{context}: still open: {open:?} {:?}", world.events.all());
        let (home, runs) = only_home(&world, &context).await;
        match world.away("web") {
            None if direction == Direction::Migrate => {
                let gone = (home == destination).then(|| "rads://h2".to_owned());
                assert_eq!(world.moved_to("h1", "web"), gone, "{context}");
            }
            None => assert_eq!(home, "h1", "{context}: it is away and h1 does not know"),
            Some(row) => {
                assert_eq!((row.phase, row.refuge.host.as_str()), (AwayPhase::Away, home), "{context}");
            }
        }
        // One that no power loss could stop goes on.
        if kind != Kindly::Cold && victim.is_none() {
            assert!(runs, "{context}: it does not run at {home}");
        }
        if direction != Direction::Migrate || home == source {
            let outcome = world.run(direction).await.unwrap();
            // One that lost its power with its host comes home so, and that is told.
            let is_down = victim.is_some() && outcome.moved() == 1 && outcome.down.len() == 1;
            assert!(outcome.is_complete() || is_down || home == destination, "{context}: {outcome:?}");
        }
        assert_eq!(only_home(&world, &context).await.0, destination, "{context}");
        let seen = world.seen(destination, "web").await.unwrap();
        assert!(seen.autostart, "{context}: it has lost its autostart");
        let wrong = world.script.wrong();
        assert!(wrong.is_empty(), "{context}: {wrong:?}");
    });
}

/// Every point x everything that can befall.
fn strike_everywhere(direction: Direction, kind: Kindly) {
    let points = points_of(direction, kind);
    let mut cases = 0;
    for point in points {
        for blow in Blow::ALL {
            strike(direction, kind, point, blow);
            cases += 1;
        }
    }
    assert!(cases > 80, "{cases}");
}

#[test]
fn wherever_a_live_evacuation_is_struck_the_zone_is_whole_in_one_place() {
    strike_everywhere(Direction::Evacuate, Kindly::Live);
}

#[test]
fn wherever_a_cold_evacuation_is_struck_the_zone_is_whole_in_one_place() {
    strike_everywhere(Direction::Evacuate, Kindly::Cold);
}

#[test]
fn wherever_a_live_return_is_struck_the_zone_is_whole_in_one_place() {
    strike_everywhere(Direction::Return, Kindly::Live);
}

#[test]
fn wherever_a_cold_return_is_struck_the_zone_is_whole_in_one_place() {
    strike_everywhere(Direction::Return, Kindly::Cold);
}

#[test]
fn wherever_a_restart_is_struck_the_zone_is_whole_and_goes_on_in_one_place() {
    strike_everywhere(Direction::Evacuate, Kindly::Restart);
}

#[test]
fn wherever_a_restart_back_is_struck_the_zone_is_whole_and_goes_on_in_one_place() {
    strike_everywhere(Direction::Return, Kindly::Restart);
}

#[test]
fn wherever_a_migration_is_struck_the_zone_is_whole_in_one_place_and_has_gone_for_good_or_not_at_all() {
    for kind in [Kindly::Live, Kindly::Cold, Kindly::Restart] {
        strike_everywhere(Direction::Migrate, kind);
    }
}

/// Those who watch must be able to see it: with the guard taken out, one lost answer makes a zone run twice.
#[test]
fn without_the_guard_a_zone_runs_twice_and_that_is_seen() {
    let struck = |effects: &[Effect]| {
        let world = World::with(Kindly::Live);
        paused().block_on(async {
            world.make_ready_for(Direction::Evacuate).await;
            world.script.begin(None);
            for host in ["h1", "h2"] {
                let faults: Vec<_> = effects.iter().cloned().map(Fault::always).collect();
                world.set_faults(host, &faults);
            }
            let _ = world.run(Direction::Evacuate).await;
            world.clear_faults();
            // One more look, when all is over.
            let _ = world.run(Direction::Evacuate).await;
        });
        world.script.wrong()
    };
    assert_eq!(struck(&[Effect::LoseAnswer]), [] as [String; 0]);
    let seen = struck(&[Effect::LoseAnswer, Effect::Unguarded]);
    assert!(seen.iter().any(|wrong| wrong.contains("web goes on twice")), "{seen:?}");
}
