//! The progress bars, which a run draws only on a terminal.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use sysadm::testing::platform::sim::{Effect, Fault};

use crate::environment::{Environment, terminal};

/// Everything that is drawn there.
fn drawn_on(mut terminal: File) -> Arc<Mutex<String>> {
    let drawn = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&drawn);
    std::thread::spawn(move || {
        let mut part = [0; 4096];
        // Ends with EIO when the last writer has gone.
        while let Ok(count @ 1..) = terminal.read(&mut part) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&part[..count]));
        }
    });
    drawn
}

#[test]
fn a_terminal_shows_when_all_will_have_moved_and_how_long_each_zone_still_takes() {
    let site = Environment::story();
    site.run_zone("h1", "big", |spec| spec.memory = 40 << 30);
    site.done("h1", "maintain -s");
    site.set_faults("h1", &[Fault::once(Effect::Stall { rounds: 1 })]);
    let (screen, line) = terminal();
    let drawn = drawn_on(screen.into());
    let end = || Stdio::from(line.try_clone().unwrap());
    let mut command = site.command("h1", "evacuate --jobs 1 big evac1");
    let mut run = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    drop((command, line));
    site.wait_until(|| drawn.lock().unwrap().contains("s left "));
    site.done("h1", "evacuate --cancel");
    site.done("h1", "evacuate --cancel");
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let drawn = drawn.lock().unwrap();
    assert!(drawn.contains("evacuating zones ... 0/2, estimated completion "), "{drawn}");
}

#[test]
fn a_migration_has_a_bar_below_its_sentences() {
    let site = Environment::story();
    site.run_zone("h1", "big", |spec| spec.memory = 40 << 30);
    site.set_faults("h1", &[Fault::once(Effect::Stall { rounds: 1 })]);
    let (screen, line) = terminal();
    let drawn = drawn_on(screen.into());
    let mut command = site.command("h1", "zone migrate big rads://h2");
    let mut run = command.stderr(Stdio::from(line)).stdout(Stdio::null()).spawn().unwrap();
    drop(command);
    site.wait_until(|| drawn.lock().unwrap().contains("s left "));
    site.done("h1", "evacuate --cancel");
    site.done("h1", "evacuate --cancel");
    assert_eq!(run.wait().unwrap().code(), Some(130));
    // Each on a line of its own, whatever is updated below.
    for text in ["Starting migration.", "cancelled; it was not moved"] {
        site.wait_until(|| drawn.lock().unwrap().contains(&format!("sysadm: zone 'big': {text}\r\n")));
    }
}

#[test]
fn a_pipe_shows_nothing_of_what_is_only_expected() {
    let site = Environment::locked();
    let printed = site.run("h1", "evacuate -a --jobs 1");
    assert_eq!(printed.status, Some(0));
    for words in ["about", " left", "expected"] {
        assert!(!printed.to_string().contains(words), "{printed}");
    }
}
