//! Where the guests are, according to the hypervisors of all hosts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the hypervisors reported.
#[derive(Debug, Default)]
pub struct Places {
    /// UUIDs of guests that ran on two hosts at the same time.
    pub doubles: BTreeSet<String>,
    /// Names of guests that no host knew, while all of them answered.
    pub nowhere: BTreeSet<String>,
    /// How often all hosts were asked.
    pub rounds: usize,
}

/// Asks all hosts, round after round; the last round begins when `over` is set.
pub fn watch(hosts: &[PathBuf], guests: &[String], over: &AtomicBool) -> Places {
    let mut places = Places::default();
    loop {
        let is_last = over.load(Ordering::Relaxed);
        let seen: Vec<_> = std::thread::scope(|scope| {
            let looking: Vec<_> = hosts.iter().map(|host| scope.spawn(|| running(host))).collect();
            looking.into_iter().map(|look| look.join().unwrap()).collect()
        });
        for (first, here) in seen.iter().enumerate() {
            for (second, there) in seen.iter().enumerate().skip(first + 1) {
                for guest in here.intersection(there) {
                    if runs_on_both(guest, &hosts[first], &hosts[second]) {
                        places.doubles.insert(guest.clone());
                    }
                }
            }
        }
        let names: Vec<_> = hosts.iter().map(|host| known(host)).collect();
        for guest in guests {
            let missing =
                |names: &Option<BTreeSet<String>>| names.as_ref().is_some_and(|names| !names.contains(guest));
            // A guest arrives at the other host before it is removed from the first: asked in the reverse order,
            // one of the two answers finds it.
            if names.iter().all(missing) && hosts.iter().rev().all(|host| missing(&known(host))) {
                places.nowhere.insert(guest.clone());
            }
        }
        places.rounds += 1;
        if is_last {
            return places;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Two hosts are never asked at the same instant, so a guest that has just moved may be seen on both. If it was
/// seen on one, then on the other, then on the first again, it ran on both: no guest goes there and back so soon.
fn runs_on_both(guest: &str, first: &Path, second: &Path) -> bool {
    let runs = |host| running(host).contains(guest);
    (runs(first) && runs(second) && runs(first)) || (runs(second) && runs(first) && runs(second))
}

/// The guests that run on a host now; paused ones do not count. Empty if the host does not answer.
fn running(pid_file: &Path) -> BTreeSet<String> {
    ask(pid_file, &["list", "--state-running", "--uuid"]).unwrap_or_default()
}

/// The names of all guests that a host knows; none if it does not answer.
fn known(pid_file: &Path) -> Option<BTreeSet<String>> {
    ask(pid_file, &["list", "--all", "--name"])
}

/// Asked inside the host, because it may be disconnected from the network.
fn ask(pid_file: &Path, question: &[&str]) -> Option<BTreeSet<String>> {
    let pid = std::fs::read_to_string(pid_file).ok()?;
    let output = Command::new("timeout")
        .args(["5", "nsenter", "--target", pid.trim(), "--net", "--mount", "--uts", "--"])
        .args(["virsh", "-q", "-r", "-c", "qemu:///system"])
        .args(question)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let lines = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| lines.lines().map(|line| line.trim().to_owned()).collect())
}
