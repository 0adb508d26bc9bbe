//! Maintenance that is announced and has not begun: no zone is brought where it would have to leave again.

use sysadm::model::{Method, Millis};
use sysadm::store::{Announcement, Direction, MoveState, TargetKey};

use super::world::{World, error_of, live, name, state_of};

/// Announces maintenance of that host.
fn announce(world: &World, host: &str, begins: Millis) {
    let announcement = Announcement { begins, user: "me".to_owned(), since: Millis(0), message: None };
    world.store(host).announce(&announcement).unwrap();
}

fn soon() -> Millis {
    Millis::now().after(3_600_000)
}

#[tokio::test(start_paused = true)]
async fn a_zone_goes_where_nothing_is_announced_or_stays() {
    // Overdue maintenance counts, too.
    for begins in [soon(), Millis(0)] {
        let world = World::with(Method::Live);
        let uris = ["rads://h2", "rads://h3"].map(|uri| uri.parse().unwrap());
        world.store("h1").set_targets(&[TargetKey::Default], &uris).unwrap();
        world.lock("h1");
        announce(&world, "h2", begins);
        announce(&world, "h3", begins);
        let outcome = world.run(Direction::Evacuate).await.unwrap();
        assert_eq!(state_of(&outcome, "web"), MoveState::Failed);
        for host in ["h2", "h3"] {
            let why = format!("{host} takes no more zones: its maintenance begins at ");
            assert!(error_of(&outcome, "web").contains(&why), "{outcome:?}");
        }
        assert_eq!(error_of(&outcome, "web").contains("(overdue)"), begins == Millis(0));
        world.store("h3").call_off().unwrap();
        assert!(world.run(Direction::Evacuate).await.unwrap().is_complete());
        assert_eq!(world.all_is_told_truly("web", Method::Live).await, "h3");
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_comes_home_whatever_is_announced_there_and_others_do_not_come() {
    for method in [Method::Live, Method::Cold, Method::Restart] {
        let world = World::with(method);
        world.run_zone_on("h3", live("guest"));
        world.set_default_target("h3", "rads://h1");
        world.make_ready_for(Direction::Return).await;
        announce(&world, "h1", soon());
        announce(&world, "h2", soon());
        world.lock("h3");
        let others = world.engine_of("h3").run(Direction::Evacuate, &World::request()).await.unwrap();
        assert!(error_of(&others, "guest").contains("h1 takes no more zones"), "{others:?}");
        assert!(world.run(Direction::Return).await.unwrap().is_complete(), "{method:?}");
        assert_eq!(world.all_is_told_truly("web", method).await, "h1");
        assert!(world.seen("h3", "guest").await.is_some());
        assert!(world.away(name("web").as_str()).is_none());
    }
}
