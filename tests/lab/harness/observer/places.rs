//! Where the guests are, according to the hypervisors of all hosts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::virsh::Hypervisor;

/// What the hypervisors reported.
#[derive(Debug, Default)]
pub struct Places {
    /// UUIDs of guests that ran on two hosts at the same time.
    pub doubles: BTreeSet<String>,
    /// Names of guests that no host knew, while all of them answered.
    pub nowhere: BTreeSet<String>,
    /// How often all hosts were asked and answered.
    pub rounds: usize,
}

/// Asks all hosts, round after round; the last round begins when `over` is set.
pub fn watch(pid_files: &[PathBuf], guests: &[String], over: &AtomicBool) -> Places {
    let mut hosts: Vec<_> = pid_files.iter().cloned().map(Hypervisor::of).collect();
    let mut places = Places::default();
    loop {
        let is_last = over.load(Ordering::Relaxed);
        places.look(&mut hosts, guests);
        if is_last {
            return places;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Places {
    fn look(&mut self, hosts: &mut [Hypervisor], guests: &[String]) {
        let seen: Vec<_> = std::thread::scope(|scope| {
            let looking: Vec<_> = hosts.iter_mut().map(|host| scope.spawn(|| host.running())).collect();
            looking.into_iter().map(|look| look.join().unwrap()).collect()
        });
        for (first, second) in pairs(hosts.len()) {
            for guest in seen[first].intersection(&seen[second]) {
                if runs_on_both(guest, hosts, first, second) {
                    self.doubles.insert(guest.clone());
                }
            }
        }
        let names: Vec<_> = hosts.iter_mut().map(Hypervisor::known).collect();
        for guest in guests {
            let is_missing =
                |names: &Option<BTreeSet<String>>| names.as_ref().is_some_and(|names| !names.contains(guest));
            // A guest arrives at the other host before it is removed from the first: asked in the reverse order,
            // one of the two answers finds it.
            if names.iter().all(is_missing) && hosts.iter_mut().rev().all(|host| is_missing(&host.known())) {
                self.nowhere.insert(guest.clone());
            }
        }
        self.rounds += usize::from(names.iter().all(Option::is_some));
    }
}

fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
}

/// Two hosts are never asked at the same instant, so a guest that has just moved may be seen on both. If it was
/// seen on one, then on the other, then on the first again, it ran on both: no guest goes there and back so soon.
fn runs_on_both(guest: &str, hosts: &mut [Hypervisor], first: usize, second: usize) -> bool {
    let mut runs = |host: usize| hosts[host].running().contains(guest);
    (runs(first) && runs(second) && runs(first)) || (runs(second) && runs(first) && runs(second))
}
