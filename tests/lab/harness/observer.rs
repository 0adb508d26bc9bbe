//! Watches guests from outside, with no code of the tool: on which hosts they run, and whether they tick.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Lab;

/// Two threads that watch until [`finish`](Self::finish).
pub struct Observer {
    over: Arc<AtomicBool>,
    places: Option<JoinHandle<Places>>,
    ticks: Option<JoinHandle<BTreeMap<String, Ticks>>>,
}

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// Guests that ran on two hosts at the same time.
    pub doubles: BTreeSet<String>,
    /// Guests that were known to no host, while all of them answered.
    pub nowhere: BTreeSet<String>,
    /// How often all hosts were looked at.
    pub rounds: usize,
    /// What each guest said.
    pub guests: BTreeMap<String, Ticks>,
}

/// What a guest said while it was watched.
#[derive(Debug, Default, Clone)]
pub struct Ticks {
    /// How many ticks.
    pub count: usize,
    /// The longest time without one.
    pub longest_gap: Duration,
    /// Ticks that did not follow their predecessor: the one expected, the one that came.
    pub breaks: Vec<(u64, u64)>,
    next: Option<u64>,
    rest: String,
    last: Option<Instant>,
}

#[derive(Default)]
struct Places {
    doubles: BTreeSet<String>,
    nowhere: BTreeSet<String>,
    rounds: usize,
}

impl Observer {
    /// Watches these KVM guests of a lab, and on which hosts anything runs.
    pub fn start(lab: &Lab, guests: &[&str]) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let pid_files: Vec<_> = lab.hosts().map(|host| host.path("pid")).collect();
        let logs: Vec<_> = guests
            .iter()
            .map(|guest| ((*guest).to_owned(), lab.shared().join(format!("{guest}.log"))))
            .collect();
        let (stop, stop_too) = (Arc::clone(&over), Arc::clone(&over));
        let names: Vec<_> = guests.iter().map(|guest| (*guest).to_owned()).collect();
        Self {
            over,
            places: Some(std::thread::spawn(move || watch_places(&pid_files, &names, &stop))),
            ticks: Some(std::thread::spawn(move || watch_ticks(&logs, &stop_too))),
        }
    }

    /// Says what was seen.
    pub fn finish(mut self) -> Report {
        self.over.store(true, Ordering::Relaxed);
        let places = self.places.take().unwrap().join().unwrap();
        let guests = self.ticks.take().unwrap().join().unwrap();
        Report { doubles: places.doubles, nowhere: places.nowhere, rounds: places.rounds, guests }
    }

    /// Nothing may have run twice, and no tick may be lost or repeated.
    #[track_caller]
    pub fn finds_nothing_wrong(self) -> Report {
        let report = self.finish();
        assert!(report.rounds > 0, "the hosts were never looked at");
        assert!(report.doubles.is_empty(), "these ran on two hosts at once: {:?}", report.doubles);
        assert!(report.nowhere.is_empty(), "these were known to no host: {:?}", report.nowhere);
        for (guest, ticks) in &report.guests {
            assert!(ticks.breaks.is_empty(), "{guest}: ticks were lost or repeated: {:?}", ticks.breaks);
            assert!(ticks.count > 0, "{guest} never ticked");
        }
        report
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

// ---- places ----------------------------------------------------------------------------------------

/// Looks at all hosts, round after round.
fn watch_places(hosts: &[PathBuf], guests: &[String], over: &AtomicBool) -> Places {
    let mut places = Places::default();
    while !over.load(Ordering::Relaxed) {
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
            // A guest goes to the other host before it is taken from the first: asked the other way round, one of
            // the two answers finds it.
            if names.iter().all(missing) && hosts.iter().rev().all(|host| missing(&known(host))) {
                places.nowhere.insert(guest.clone());
            }
        }
        places.rounds += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    places
}

/// Two hosts are never asked at the same instant, so a guest that has just moved may be seen on both. Seen
/// on one, then on the other, then on the first again, it ran on both: no guest goes there and back so soon.
fn runs_on_both(guest: &str, first: &Path, second: &Path) -> bool {
    let runs = |host| running(host).contains(guest);
    (runs(first) && runs(second) && runs(first)) || (runs(second) && runs(first) && runs(second))
}

/// The guests that run on a host now; those that are paused do not run. Nothing if it does not answer.
fn running(pid_file: &Path) -> BTreeSet<String> {
    ask(pid_file, &["list", "--state-running", "--uuid"]).unwrap_or_default()
}

/// The names of all guests that a host knows; none if it does not answer.
fn known(pid_file: &Path) -> Option<BTreeSet<String>> {
    ask(pid_file, &["list", "--all", "--name"])
}

/// Asked inside the host, because its cable may be cut.
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
    let words = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| words.split_whitespace().map(str::to_owned).collect())
}

// ---- ticks -----------------------------------------------------------------------------------------

/// Follows the guests' logs from their ends on.
fn watch_ticks(logs: &[(String, PathBuf)], over: &AtomicBool) -> BTreeMap<String, Ticks> {
    let mut guests: BTreeMap<String, Ticks> = BTreeMap::new();
    let mut files: Vec<_> = logs
        .iter()
        .map(|(guest, log)| {
            let mut file = std::fs::File::open(log).unwrap();
            file.seek(SeekFrom::End(0)).unwrap();
            guests.insert(guest.clone(), Ticks::default());
            (guest, file)
        })
        .collect();
    loop {
        let last_round = over.load(Ordering::Relaxed);
        for (guest, file) in &mut files {
            let mut fresh = Vec::new();
            file.read_to_end(&mut fresh).unwrap();
            if let Some(ticks) = guests.get_mut(*guest) {
                ticks.read(&String::from_utf8_lossy(&fresh));
            }
        }
        if last_round {
            return guests;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Ticks {
    fn read(&mut self, fresh: &str) {
        self.rest.push_str(fresh);
        while let Some(end) = self.rest.find('\n') {
            let line: String = self.rest.drain(..=end).collect();
            // The first line may be the rest of one.
            if let Some(Ok(number)) = line.trim().strip_prefix("tick ").map(str::parse) {
                self.tick(number);
            }
        }
    }

    fn tick(&mut self, number: u64) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            self.longest_gap = self.longest_gap.max(now - last);
        }
        if let Some(expected) = self.next.replace(number + 1)
            && expected != number
        {
            self.breaks.push((expected, number));
        }
        self.count += 1;
    }
}
