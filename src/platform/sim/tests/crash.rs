//! Processes that end in the middle of a migration. The test starts itself again as the process that ends.

use std::process::{Command, Stdio};

use super::*;

const CHILD: &str = "SIM_TEST_CHILD";

/// Not a test of its own: the part of host `a` or `b` in a process that aborts at a given point.
#[tokio::test]
async fn child() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let (role, folder) = order.split_once(' ').unwrap();
    let folder = Path::new(folder);
    let point = match role {
        "source-stopped" => CrashPoint::Stopped,
        "source-acknowledged" => CrashPoint::Acknowledged,
        _ => CrashPoint::Whole,
    };
    let host = if point == CrashPoint::Whole { "b" } else { "a" };
    let hook: CrashHook = Arc::new(move |now, _| {
        if now == point {
            std::process::abort();
        }
    });
    let sim = Sim::open_with(&paths(folder, host), ticking(), hook);
    let line = folder.join("line");
    if host == "a" {
        sim.send(&zone_named("web"), &line, &[]).await.unwrap();
    } else {
        let manifest = Sim::open(&paths(folder, "a")).manifest(&name("web")).await.unwrap();
        sim.open_incoming(&manifest, &line).await.unwrap();
        std::fs::write(folder.join("ready"), "").unwrap();
        std::future::pending::<()>().await;
    }
}

fn start(role: &str, world: &World) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "platform::sim::tests::crash::child"])
        .env(CHILD, format!("{role} {}", world.folder.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for the end of the process, while this one continues.
async fn end_of(mut child: std::process::Child) -> std::process::ExitStatus {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        pause().await;
    }
}

/// A process that receives a zone at `b`.
async fn destination(world: &World) -> std::process::Child {
    let child = start("destination-whole", world);
    while !world.folder.path().join("ready").exists() {
        pause().await;
    }
    child
}

/// The states of the zone on both hosts after the source has ended at that point.
async fn after_the_source_ends_at(role: &str) -> [String; 2] {
    let world = World::with_zone(busy("web"));
    let manifest = world.a.manifest(&name("web")).await.unwrap();
    world.b.open_incoming(&manifest, &world.at("line")).await.unwrap();
    assert!(!end_of(start(role, &world)).await.success());
    world.b.close_incoming(&world.at("line")).await.unwrap();
    let words = words_of(&world, "web").await;
    assert_eq!(world.a.zone_counter(&name("web")).unwrap().goes_on, words[0] == "running");
    words
}

#[tokio::test]
async fn a_source_that_dies_before_it_has_an_answer_lets_the_zone_go_on() {
    assert_eq!(after_the_source_ends_at("source-stopped").await, ["running", "-"]);
}

#[tokio::test]
async fn a_source_that_dies_after_the_answer_does_not() {
    assert_eq!(after_the_source_ends_at("source-acknowledged").await, ["installed", "running paused"]);
}

#[tokio::test]
async fn a_destination_that_dies_with_a_whole_image_keeps_it_held() {
    let world = World::with_zone(busy("web"));
    let line = world.at("line");
    let child = destination(&world).await;
    let error = world.a.send(&zone_named("web"), &line, &[]).await.unwrap_err().to_string();
    assert!(error.contains("lost the connection"), "{error}");
    end_of(child).await;
    assert_eq!(words_of(&world, "web").await, ["running", "running paused"]);
}

#[tokio::test]
async fn a_half_image_vanishes_with_the_process_that_received_it() {
    let world = World::with_zone(busy("web"));
    world.a.set_faults(&[Fault::once(Effect::Stall { rounds: 2 })]).unwrap();
    let line = world.at("line");
    let mut child = destination(&world).await;
    let web = name("web");
    let outgoing = zone_named("web");
    let (_, ()) = tokio::join!(world.a.send(&outgoing, &line, &[]), async {
        while word(&world.b, "web").await != "running migrating-in" {
            pause().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(word(&world.b, "web").await, "-");
        world.a.abort(&web).await.unwrap();
    });
    assert_eq!(word(&world.a, "web").await, "running");
}
