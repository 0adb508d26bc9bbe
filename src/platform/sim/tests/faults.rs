//! Every fault has its effect, and leaves the zone where it belongs.

use super::*;
use crate::model::{BlockerKind, Brand, CheckRequest, Method, PendingLoad};

fn error<T: std::fmt::Debug>(result: Result<T, PlatformError>) -> String {
    result.unwrap_err().to_string()
}

fn fail(at: Operation) -> Effect {
    Effect::Fail { at, reason: format!("{at} was told to fail") }
}

/// The answer of each operation, for a zone that does not run at `a`.
async fn answer(world: &World, operation: Operation) -> Result<(), PlatformError> {
    let (sim, zone) = (&world.a, name("cold"));
    let record = sim.read(|session| session.named(&zone))?;
    let manifest = Manifest {
        zone: record.zone(),
        config: record.text,
        platform: "sim".into(),
        disks: vec![],
        networks: vec![],
        interfaces: vec![],
        obstacles: vec![],
        software: None,
        processor: None,
    };
    let (uuid, folder) = (manifest.zone.uuid, world.at("own"));
    match operation {
        Operation::Facts => sim.facts().await.map(drop),
        Operation::Inventory => sim.inventory().await.map(drop),
        Operation::Survey => sim.survey(false).await.map(drop),
        Operation::Manifest => sim.manifest(&zone).await.map(drop),
        Operation::Check => {
            let request = CheckRequest {
                manifest,
                method: Method::Cold,
                from: "h".into(),
                home: None,
                overwrite: true,
                force: false,
                pending: PendingLoad::default(),
                disk: 0,
                mappings: vec![],
                owners: vec![],
            };
            sim.check(&request).await.map(drop)
        }
        Operation::Define => sim.define(&manifest).await,
        Operation::Undefine => sim.undefine(&zone, uuid).await,
        Operation::SetAutostart => sim.set_autostart(&zone, true).await,
        Operation::Shutdown => sim.shutdown(&zone, uuid, std::time::Duration::from_secs(9)).await,
        Operation::Boot => sim.boot(&zone, uuid).await.map(drop),
        Operation::Save => sim.save(&zone, uuid).await,
        Operation::OpenIncoming => sim.open_incoming(&manifest, &folder).await,
        Operation::CloseIncoming => sim.close_incoming(&folder).await,
        Operation::Send => sim.send(&zone_named(zone.as_str()), &folder, &[]).await.map(drop),
        Operation::Progress => sim.progress(&zone).await.map(drop),
        Operation::Abort => sim.abort(&zone).await,
        Operation::WaitSent => sim.wait_sent(&zone).await,
        Operation::Resume => sim.resume(&zone, uuid).await,
        Operation::DestroyIncoming => sim.destroy_incoming(&zone, uuid).await,
    }
}

#[tokio::test]
async fn every_operation_fails_when_told_and_nothing_answers_when_down() {
    let world = World::new();
    world.a.create(spec("cold")).unwrap();
    for operation in Operation::ALL {
        world.a.set_faults(&[Fault::once(fail(*operation))]).unwrap();
        assert_eq!(error(answer(&world, *operation).await), format!("{operation} was told to fail"));
        world.a.set_faults(&[Fault::always(Effect::Down)]).unwrap();
        let said = error(answer(&world, *operation).await);
        assert!(said.contains("does not answer"), "{operation}: {said}");
    }
    world.a.set_faults(&[]).unwrap();
    assert_eq!(word(&world.a, "cold").await, "installed");
}

#[tokio::test]
async fn a_fault_keeps_to_its_zone_and_its_number_of_times() {
    let world = World::new();
    world.a.create(spec("one")).unwrap();
    world.a.create(spec("two")).unwrap();
    let effect = fail(Operation::SetAutostart);
    world.a.set_faults(&[Fault { effect, zone: Some(name("one")), times: Some(2) }]).unwrap();
    let set = async |zone: &str| world.a.set_autostart(&name(zone), true).await.is_ok();
    assert!(set("two").await);
    assert!(!set("one").await && !set("one").await);
    assert!(set("one").await);
}

#[tokio::test]
async fn an_operation_can_be_done_and_answered_with_an_error() {
    let world = World::new();
    world.a.create(spec("one")).unwrap();
    let effect = Effect::FailAfter { at: Operation::SetAutostart, reason: "lost".into() };
    world.a.set_faults(&[Fault::once(effect)]).unwrap();
    assert_eq!(error(world.a.set_autostart(&name("one"), true).await), "lost");
    assert!(seen(&world.a, "one").await.unwrap().autostart);
}

#[tokio::test]
async fn what_hangs_goes_on_when_another_process_says_so() {
    let world = World::new();
    world.a.create(spec("one")).unwrap();
    world.a.set_faults(&[Fault::once(Effect::Hang { at: Operation::SetAutostart })]).unwrap();
    let one = name("one");
    let mut hanging = world.a.set_autostart(&one, true);
    let short = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(short, &mut hanging).await.is_err());
    Sim::open(&paths(world.folder.path(), "a")).set_faults(&[]).unwrap();
    hanging.await.unwrap();
    assert!(seen(&world.a, "one").await.unwrap().autostart);
}

#[tokio::test]
async fn a_check_refuses_when_told() {
    let world = World::with_zone(spec("web"));
    let manifest = world.a.manifest(&name("web")).await.unwrap();
    let request = CheckRequest {
        manifest,
        method: Method::Live,
        from: "a".into(),
        home: None,
        overwrite: false,
        force: false,
        pending: PendingLoad::default(),
        disk: 0,
        mappings: vec![],
        owners: vec![],
    };
    world
        .b
        .set_faults(&[Fault::once(Effect::Refuse {
            kind: BlockerKind::Host,
            reason: "no mood for it".into(),
        })])
        .unwrap();
    let blockers = world.b.check(&request).await.unwrap();
    assert_eq!(blockers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["no mood for it"]);
    assert_eq!(world.b.check(&request).await.unwrap(), []);
}

/// A migration that fails leaves the zone running at the source with its counter advancing, and nothing at the
/// destination.
async fn goes_on_at_the_source(world: &World, zone: &str) {
    world.close(zone).await;
    assert_eq!(words_of(world, zone).await, ["running", "-"]);
    assert!(world.a.zone_counter(&name(zone)).unwrap().goes_on);
    world.a.set_faults(&[]).unwrap();
    world.migrate(zone).await.unwrap();
    assert_eq!(words_of(world, zone).await, ["-", "running"]);
}

#[tokio::test]
async fn a_send_that_fails_or_is_cut_after_any_round_leaves_the_zone_running() {
    for rounds in [0, 1, 5] {
        for effect in [Effect::FailSend { rounds, reason: "told so".into() }, Effect::Cut { rounds }] {
            let world = World::with_zone(busy("web"));
            world.a.set_faults(&[Fault::once(effect.clone())]).unwrap();
            let said = error(world.transfer("web").await);
            let wanted = if matches!(effect, Effect::Cut { .. }) {
                "lost the connection to the destination"
            } else {
                "told so"
            };
            assert!(said.contains(wanted), "{said}");
            goes_on_at_the_source(&world, "web").await;
        }
    }
}

#[tokio::test]
async fn a_send_that_stands_still_ends_with_an_abort() {
    let world = World::with_zone(busy("web"));
    world.a.set_faults(&[Fault::once(Effect::Stall { rounds: 2 })]).unwrap();
    world.lay("web", u64::MAX).await.unwrap();
    let zone = name("web");
    let (sent, ()) = tokio::join!(world.send("web"), async {
        while words_of(&world, "web").await != ["running migrating-out", "running migrating-in"] {
            pause().await;
        }
        for _ in 0..3 {
            pause().await;
        }
        let progress = world.a.progress(&zone).await.unwrap().unwrap();
        assert!(progress.sent > progress.total && progress.total == 8 << 30, "{progress:?}");
        world.a.abort(&zone).await.unwrap();
        assert_eq!(world.a.progress(&zone).await.unwrap(), None);
    });
    assert!(error(sent).contains("aborted"));
    goes_on_at_the_source(&world, "web").await;
}

#[tokio::test]
async fn a_zone_that_writes_too_fast_stays_with_the_reason() {
    let world = World::with_zone(ZoneSpec { dirty_rate: 2 << 30, ..spec("web") });
    let said = error(world.transfer("web").await);
    assert!(said.contains("does not converge: dirties 2048 MiB/s, the line carries 1024 MiB/s"), "{said}");
    let twice = HostSettings { bandwidth: 4 << 30, ..settings(world.folder.path(), "a") };
    world.a.set_host(&twice).unwrap();
    goes_on_at_the_source(&world, "web").await;
}

#[tokio::test]
async fn a_lost_answer_leaves_it_running_here_and_held_there_until_it_is_thrown_away() {
    let world = World::with_zone(busy("web"));
    world.b.set_faults(&[Fault::once(Effect::LoseAnswer)]).unwrap();
    assert!(error(world.transfer("web").await).contains("lost the connection"));
    world.close("web").await;
    assert_eq!(words_of(&world, "web").await, ["running", "running paused"]);
    assert!(!world.b.zone_counter(&name("web")).unwrap().goes_on);
    let uuid = seen(&world.a, "web").await.unwrap().uuid;
    assert!(error(world.a.destroy_incoming(&name("web"), uuid).await).contains("not discarded"));
    world.b.destroy_incoming(&name("web"), uuid).await.unwrap();
    goes_on_at_the_source(&world, "web").await;
}

#[tokio::test]
async fn a_line_that_breaks_at_any_byte_leaves_exactly_one_that_runs() {
    for limit in [0, 10, 100, 70_000, 400_000] {
        let world = World::with_zone(busy("web"));
        world.lay("web", limit).await.unwrap();
        world.send("web").await.unwrap_err();
        goes_on_at_the_source(&world, "web").await;
    }
}

#[tokio::test]
async fn a_zone_that_its_owner_stops_on_the_way_stays_stopped_and_here() {
    let world = World::with_zone(busy("web"));
    world.a.set_faults(&[Fault::once(Effect::Stall { rounds: 1 })]).unwrap();
    world.lay("web", u64::MAX).await.unwrap();
    let (sent, ()) = tokio::join!(world.send("web"), async {
        while word(&world.b, "web").await != "running migrating-in" {
            pause().await;
        }
        world.a.stop(&name("web")).unwrap();
        world.a.abort(&name("web")).await.unwrap();
    });
    assert!(error(sent).contains("stopped while it moved"));
    world.close("web").await;
    assert_eq!(words_of(&world, "web").await, ["installed", "-"]);
}

#[tokio::test]
async fn a_container_and_a_zone_that_does_not_run_cannot_be_sent() {
    let world = World::with_zone(ZoneSpec { brand: Brand::LXC, ..spec("box") });
    assert!(error(world.send("box").await).contains("cannot move live"));
    world.a.create(spec("cold")).unwrap();
    assert!(error(world.send("cold").await).contains("it is installed, not running"));
    assert_eq!(word(&world.a, "box").await, "running");
}

#[tokio::test]
async fn an_arrival_is_refused_where_its_disk_is_missing_or_the_host_is_locked() {
    let world = World::with_zone(ZoneSpec { storages: vec!["local".into()], ..spec("web") });
    assert!(error(world.transfer("web").await).contains("web-vda.img is not here"));
    world.close("web").await;
    assert_eq!(words_of(&world, "web").await, ["running", "-"]);
    world.run(spec("good"));
    std::fs::write(paths(world.folder.path(), "b").lock_marker(), "").unwrap();
    assert!(error(world.transfer("good").await).contains("in maintenance"));
    assert_eq!(words_of(&world, "good").await, ["running", "-"]);
}

#[tokio::test]
async fn a_configuration_is_there_again_after_an_image_over_it_has_vanished() {
    let world = World::with_zone(busy("web"));
    let manifest = world.a.manifest(&name("web")).await.unwrap();
    world.b.define(&manifest).await.unwrap();
    world.b.set_autostart(&name("web"), true).await.unwrap();
    world.a.set_faults(&[Fault::once(Effect::Cut { rounds: 3 })]).unwrap();
    world.transfer("web").await.unwrap_err();
    world.close("web").await;
    assert_eq!(words_of(&world, "web").await, ["running", "installed"]);
    assert!(seen(&world.b, "web").await.unwrap().autostart);
}

#[tokio::test]
async fn only_an_image_that_is_held_is_let_run_and_twice_does_no_harm() {
    let world = World::with_zone(spec("web"));
    let uuid = seen(&world.a, "web").await.unwrap().uuid;
    let resume = async || world.b.resume(&name("web"), uuid).await;
    assert!(error(resume().await).contains("no such zone"));
    world.transfer("web").await.unwrap();
    resume().await.unwrap();
    let counter = world.b.zone_counter(&name("web")).unwrap();
    resume().await.unwrap();
    assert_eq!(world.b.zone_counter(&name("web")).unwrap(), counter);
    assert!(error(world.b.destroy_incoming(&name("web"), uuid).await).contains("not discarded"));
    world.b.stop(&name("web")).unwrap();
    assert!(error(resume().await).contains("no image of it is held"));
}
