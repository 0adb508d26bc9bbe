//! A zone goes only where the software of its host that it depends on is the same. Simulated hosts with Solaris 10.

use sysadm::model::Brand;
use sysadm::platform::sim::ZoneSpec;
use sysadm::store::{Direction, MoveState};

use super::world::{World, brand, error_of, live, name, state_of};

/// A whole-root zone `web` on h1: it depends on the packages that all zones have.
fn world() -> World {
    let world = World::new();
    world.sim("h1").create(ZoneSpec { autostart: false, ..brand(live("web"), Brand::LXC) }).unwrap();
    world.script.watch(&name("web"));
    world.lock("h1");
    world
}

/// The pkginfo of SUNWcsr in `/var/sadm/pkg` of a host.
fn install(world: &World, host: &str, version: &str, patches: &str) {
    let folder = world.at(host).join("var/sadm/pkg/SUNWcsr");
    std::fs::create_dir_all(&folder).unwrap();
    let info = format!("SUNW_PKG_ALLZONES=true\nVERSION={version}\nPATCHLIST={patches}\n");
    std::fs::write(folder.join("pkginfo"), info).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_zone_stays_where_its_packages_are_if_its_location_has_others() {
    let world = world();
    install(&world, "h1", "11.10.0,REV=2005.01.21.15.53", "118666-18");
    install(&world, "h2", "11.11.0", "118666-20");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
    let error = error_of(&outcome, "web");
    for finding in [
        "SUNWcsr: version mismatch (11.10.0,REV=2005.01.21.15.53 on h1, 11.11.0 on h2)",
        "patch 118666: version mismatch (18 on h1, 20 on h2)",
    ] {
        assert!(error.contains(finding), "{error}");
    }
    assert!(world.seen("h1", "web").await.is_some() && world.seen("h2", "web").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_zone_goes_where_the_same_packages_are() {
    let world = world();
    for host in ["h1", "h2"] {
        install(&world, host, "11.10.0,REV=2005.01.21.15.53", "118666-18");
    }
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_package_of_which_a_line_is_odd_is_another_one_and_moves_nothing() {
    let world = world();
    install(&world, "h1", "11.10.0", "118666-18");
    install(&world, "h2", "11.10.0", "118666 no_patch");
    let outcome = world.run(Direction::Evacuate).await.unwrap();
    let error = error_of(&outcome, "web");
    let mismatch = "SUNWcsr: version mismatch (11.10.0 on h1, (unknown ";
    assert!(error.contains(mismatch) && error.contains("\"no_patch\" is not a patch) on h2)"), "{error}");
    assert!(world.seen("h1", "web").await.is_some() && world.seen("h2", "web").await.is_none());
}
