//! Networks with other names on another host: a zone is connected accordingly there, and as it was when it is back.

use sysadm::config::Config;
use sysadm::evacuation::Request;
use sysadm::model::{Method, Network};
use sysadm::platform::Platform;
use sysadm::platform::sim::{Effect, Fault, Operation, ZoneSpec};
use sysadm::store::{Direction, MoveState};

use super::world::{World, brand, error_of, live, name, state_of};

/// Zone `web` of h1 has interfaces in br0, br1 and br2, and h2 calls the first two br10.
fn mapped(method: Method) -> World {
    let mut world = World::new();
    world.maps = maps("br0 = \"br10\"\nbr1 = \"br10\"\n");
    world.set_host("h1", |host| host.bridges = ["br0", "br1", "br2"].map(str::to_owned).to_vec());
    world.set_host("h2", |host| host.bridges = ["br10", "br2"].map(str::to_owned).to_vec());
    let networks = ["br0", "br1", "br2"].map(|name| Network::Bridge(name.to_owned())).to_vec();
    let spec = ZoneSpec { networks, ..live("web") };
    match method {
        Method::Live => world.run_zone(spec),
        Method::Cold => world.sim("h1").create(spec).unwrap(),
        Method::Restart => {
            world.run_zone(brand(spec, sysadm::model::Brand::LXC));
            world.actions.zones = [(name("web"), sysadm::plan::Action::Restart)].into();
        }
    }
    world.script.watch(&name("web"));
    world
}

fn maps(networks: &str) -> sysadm::config::Maps {
    Config::parse(&format!("[map.H2.net]\n{networks}")).unwrap().map
}

async fn config(world: &World, host: &str) -> String {
    world.sim(host).manifest(&name("web")).await.unwrap().config
}

async fn networks(world: &World, host: &str) -> Vec<String> {
    let manifest = world.sim(host).manifest(&name("web")).await.unwrap();
    manifest.interfaces.iter().map(|one| one.network.label()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_zone_is_plugged_into_what_its_location_calls_its_networks_and_comes_back_as_it_was() {
    for method in [Method::Live, Method::Cold, Method::Restart] {
        let mut world = mapped(method);
        let before = config(&world, "h1").await;
        world.lock("h1");
        let outcome = world.run(Direction::Evacuate).await.unwrap();
        assert!(outcome.is_complete(), "{method:?}: {outcome:?}");
        assert_eq!(world.all_is_told_truly("web", method).await, "h2");
        assert_eq!(networks(&world, "h2").await, ["br10", "br10", "br2"], "{method:?}");
        assert_eq!(world.configuration_of("web").unwrap().config, before);

        // What sysadm.toml says by then does not matter.
        world.maps = maps("br0 = \"br99\"\nbr2 = \"br98\"\n");
        let world = world.after_power_loss();
        world.unlock("h1");
        let outcome = world.run(Direction::Return).await.unwrap();
        assert!(outcome.is_complete(), "{method:?}: {outcome:?}");
        assert_eq!(world.all_is_told_truly("web", method).await, "h1");
        assert_eq!(config(&world, "h1").await, before, "{method:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_that_the_location_does_not_have_is_refused_under_its_name_there() {
    let mut world = mapped(Method::Live);
    world.maps = maps("br0 = \"br11\"\nbr1 = \"br10\"\n");
    world.lock("h1");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(error_of(&outcome, "web"), "h2: no bridge br11 (for br0)");
    world.maps = maps("br0 = \"br10\"\n");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(error_of(&outcome, "web"), "h2: no bridge br1");
    assert_eq!(world.home_of("web", Method::Live).await, "h1");
    world.all_room_is_given_back();
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_does_not_get_there_stays_plugged_in_as_it_was() {
    let world = mapped(Method::Live);
    let before = config(&world, "h1").await;
    world.lock("h1");
    let reason = "no".to_owned();
    world.set_faults("h1", &[Fault::always(Effect::FailSend { rounds: 1, reason })]);
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
    assert_eq!(
        (world.all_is_told_truly("web", Method::Live).await, config(&world, "h1").await),
        ("h1", before)
    );
}

/// From h2, where it is a guest, to h3, which calls br10 br20 and br2 br10.
async fn moves_on(world: &mut World) {
    world.set_host("h3", |host| host.bridges = ["br20", "br10"].map(str::to_owned).to_vec());
    world.maps = Config::parse("[map.h3.net]\nbr10 = \"br20\"\nbr2 = \"br10\"\n").unwrap().map;
    let destination = Some("rads://h3".parse().unwrap());
    let request = Request { destination, actions: world.actions.clone(), ..world.migration() };
    let outcome = world.engine_of("h2").run(Direction::Migrate, &request).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!(networks(world, "h3").await, ["br20", "br20", "br10"]);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_its_location_has_migrated_on_comes_back_as_it_was() {
    for method in [Method::Live, Method::Cold, Method::Restart] {
        for fails_first in [false, true] {
            let mut world = mapped(method);
            let before = config(&world, "h1").await;
            world.lock("h1");
            assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
            world.unlock("h1");
            moves_on(&mut world).await;
            if fails_first {
                let at = if method == Method::Live { Operation::OpenIncoming } else { Operation::Define };
                world.set_faults("h1", &[Fault::always(Effect::Fail { at, reason: "no".to_owned() })]);
                let outcome = world.run(Direction::Return).await.unwrap();
                assert_eq!(state_of(&outcome, "web"), MoveState::Failed, "{outcome:?}");
                world.clear_faults();
                assert_eq!(world.away("web").unwrap().location.unwrap().host, "h3");
            }
            let outcome = world.run(Direction::Return).await.unwrap();
            assert!(outcome.is_complete(), "{method:?}: {outcome:?}");
            assert_eq!(config(&world, "h1").await, before, "{method:?} {fails_first}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_location_that_is_emptied_in_turn_plugs_it_in_again_as_it_came() {
    let mut world = mapped(Method::Live);
    let before = config(&world, "h1").await;
    world.set_host("h3", |host| host.bridges = ["br7", "br2"].map(str::to_owned).to_vec());
    world.set_default_target("h2", "rads://h3");
    let run = async |world: &World, host: &str, direction| {
        let outcome = world.engine_of(host).run(direction, &World::request()).await.unwrap();
        assert!(outcome.is_complete(), "{outcome:?}");
    };
    world.lock("h1");
    run(&world, "h1", Direction::Evacuate).await;
    world.maps = Config::parse("[map.h3.net]\nbr10 = \"br7\"\n").unwrap().map;
    world.lock("h2");
    run(&world, "h2", Direction::Evacuate).await;
    assert_eq!(networks(&world, "h3").await, ["br7", "br7", "br2"]);
    for host in ["h2", "h1"] {
        world.unlock(host);
        run(&world, host, Direction::Return).await;
    }
    assert_eq!(config(&world, "h1").await, before);
}
