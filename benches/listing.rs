//! How long `sysadm evacuate -l` and `sysadm maintain -l` take with 1,000 zones in the store, and how long the
//! start of a zone waits for the hook; including process start. Run with `cargo bench --bench listing`.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints, starts programs and ends at the first surprise"
)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sysadm::testing::paths::Paths;
use sysadm::testing::platform::MaintenanceEnforcer;
use sysadm::testing::platform::libvirt::Libvirt;
use sysadm::testing::store::{Direction, Move, MoveState, Place, Store, ZoneRecord};
use sysadm_model::{Brand, Manifest, Millis, Zone, ZoneState};

const ZONES: usize = 1000;
const RUNS: usize = 50;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(folder.path());
    println!("{ZONES} zones in the store, {RUNS} runs each");
    println!("{:<44} {:>9} {:>9}", "command", "median", "slowest");
    for words in [
        &["evacuate", "-l"][..],
        &["evacuate", "-l", "-p", "-o", "all"],
        &["evacuate", "-l", "--json"],
        &["maintain", "-l"],
        &["--version"],
    ] {
        report(&format!("sysadm {}", words.join(" ")), || sysadm(folder.path(), words));
    }
    let paths = Paths::new(folder.path());
    let libvirt = Libvirt::new(sysadm::testing::config::LibvirtConfig::default(), paths.clone());
    let hook = libvirt.install().expect("the hooks").remove(0).0;
    report("hook, not in maintenance", || start_of_a_zone(&hook, true));
    std::fs::write(paths.lock_marker(), "admin since today by root\n").expect("a marker");
    report("hook, in maintenance", || start_of_a_zone(&hook, false));
}

fn report(what: &str, once: impl Fn()) {
    let timed = || {
        let start = Instant::now();
        once();
        start.elapsed()
    };
    let mut times: Vec<_> = (0..RUNS).map(|_| timed()).collect();
    times.sort();
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    println!("{what:<44} {:>9} {:>9}", ms(times[RUNS / 2]), ms(times[RUNS - 1]));
}

/// As libvirt asks before it starts a zone.
fn start_of_a_zone(hook: &Path, allowed: bool) {
    let output = Command::new(hook).args(["web1", "prepare", "begin", "-"]).output().expect("it starts");
    assert_eq!(output.status.success(), allowed, "{}", String::from_utf8_lossy(&output.stderr));
}

fn sysadm(root: &Path, words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_sysadm"))
        .args(words)
        .env("SYSADM_ROOT", root)
        .output()
        .expect("sysadm starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A store in which 1,000 zones were evacuated, on a host with a simulated platform.
fn fill(root: &Path) {
    let paths = Paths::new(root);
    std::fs::create_dir_all(paths.config().parent().expect("a folder")).expect("a folder");
    std::fs::write(paths.config(), "host = \"h1\"\nplatform = \"sim\"\n").expect("a configuration");
    let store = Store::open(&paths.database()).expect("a store");
    let run = store.begin_run(Direction::Evacuate, "root", 1, Millis(0)).expect("a run");
    let names: Vec<_> = (0..ZONES).map(|number| format!("zone{number}").parse().expect("a name")).collect();
    let moves: Vec<_> =
        names.iter().cloned().map(|name| Move { state: MoveState::Evacuated, ..Move::new(name) }).collect();
    store.save_moves(run, &moves).expect("moves");
    for (number, name) in names.into_iter().enumerate() {
        let zone = Zone {
            name,
            uuid: uuid::Uuid::from_u128(number as u128 + 1),
            brand: Brand::KVM,
            state: ZoneState::Running,
            aux: None,
            id: None,
            autostart: false,
            persistent: true,
            ended: None,
            memory: 4 << 30,
            cpus: 2,
        };
        // As long as the XML of a real zone.
        let manifest = Manifest {
            zone: zone.clone(),
            config: "<domain/>".repeat(600),
            platform: "sim".into(),
            disks: vec![],
            networks: vec![],
            interfaces: vec![],
            obstacles: vec![],
            software: None,
            processor: None,
        };
        let row = ZoneRecord {
            place: Place::Leaving,
            location: Some("ssh://root@h2".parse().expect("a URI")),
            was_running: true,
            since: Millis(1),
            ..ZoneRecord::of(&zone)
        };
        store.begin_move(&row, &manifest).expect("a row");
        store.update_zone(&ZoneRecord { place: Place::Away, ..row }).expect("a row");
    }
}
