//! Evacuating running KVM zones from one real host to another with `sysadm evacuate`, compared with the same
//! zones moved by `virsh migrate`, one after another and several at once. All in one run, on hosts of the lab.
//!
//! `cargo bench --bench evacuate [-- ROUNDS [JOBS]]`, as root on Debian after `tests/lab/lab.sh install`. Prints
//! the median of the rounds, the longest gap between two ticks of any guest (its downtime, as a user of the guest
//! sees it), and both as ratios.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints, starts programs and ends at the first surprise"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Milliseconds between the ticks of a guest.
const TICK: &str = "10";

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let rounds = numbers.next().unwrap_or(3);
    let lab = Lab::up(numbers.next().unwrap_or(3));
    for guests in [6, 12] {
        lab.add_guests(guests);
        let mut results: BTreeMap<usize, Vec<(Duration, Duration)>> = BTreeMap::new();
        for _ in 0..rounds {
            for (number, way) in WAYS.iter().enumerate() {
                results.entry(number).or_default().push(lab.measure(way, guests));
            }
        }
        report(guests, lab.jobs, rounds, &results);
    }
}

/// A way to move all zones from h1 to h2.
struct Way {
    name: &'static str,
    /// Where sysadm is to bring them. Set before the clock starts: targets are not set for every evacuation.
    target: Option<&'static str>,
    go: fn(&Lab, usize),
}

const WAYS: &[Way] = &[
    Way {
        name: "virsh, one after another (qemu+ssh)",
        target: None,
        go: |lab, guests| lab.virsh(guests, 1, "qemu+ssh://root@h2/system", ""),
    },
    Way {
        name: "xargs -P virsh (qemu+ssh)",
        target: None,
        go: |lab, guests| lab.virsh(guests, lab.jobs, "qemu+ssh://root@h2/system", ""),
    },
    Way {
        name: "xargs -P virsh (qemu+tcp, p2p, all in clear)",
        target: None,
        go: |lab, guests| lab.virsh(guests, lab.jobs, "qemu+tcp://h2/system", "--p2p"),
    },
    Way { name: "sysadm evacuate (ssh://)", target: Some("ssh://root@h2"), go: |lab, _| lab.evacuate() },
    Way { name: "sysadm evacuate (rads://)", target: Some("rads://h2"), go: |lab, _| lab.evacuate() },
];

fn report(guests: usize, jobs: usize, rounds: usize, results: &BTreeMap<usize, Vec<(Duration, Duration)>>) {
    let median = |number: usize, pick: fn(&(Duration, Duration)) -> Duration| {
        let mut times: Vec<_> = results[&number].iter().map(pick).collect();
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let (serial, parallel) = (median(0, |pair| pair.0), median(1, |pair| pair.0));
    let gap = median(1, |pair| pair.1);
    println!("\n{guests} running KVM zones of 96 MiB, {jobs} at once, median of {rounds} rounds");
    println!("{:<46} {:>8} {:>10} {:>10} {:>9} {:>9}", "", "time", "/ serial", "/ xargs", "gap", "/ xargs");
    for (number, way) in WAYS.iter().enumerate() {
        let (time, longest) = (median(number, |pair| pair.0), median(number, |pair| pair.1));
        println!(
            "{:<46} {:>6.2} s {:>10.2} {:>10.2} {:>6.0} ms {:>9.2}",
            way.name,
            time,
            time / serial,
            time / parallel,
            longest * 1000.0,
            longest / gap
        );
    }
}

/// Two hosts and what runs for them. Everything ends with it.
struct Lab {
    folder: tempfile::TempDir,
    agents: Vec<Child>,
    /// Number of simultaneous moves.
    jobs: usize,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/lab.sh")
}

fn sysadm() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sysadm"))
}

fn run(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Lab {
    fn up(jobs: usize) -> Self {
        let mut lab = Self { folder: tempfile::tempdir().expect("a folder"), agents: Vec::new(), jobs };
        run(lab.lab(&["up"]).args(["h1", "h2"]));
        let authority = lab.path().join("ca");
        run(Command::new(sysadm()).args(["cert", "init-ca", "--dir"]).arg(&authority));
        for host in ["h1", "h2"] {
            run(Command::new(sysadm()).args(["cert", "issue", host, "--dir"]).arg(&authority));
            let tls = lab.path().join(host).join("etc/sysadm/tls");
            std::fs::create_dir_all(&tls).expect("a folder");
            for (from, to) in [
                ("ca.pem", "ca.pem"),
                (&format!("{host}.pem"), "host.pem"),
                (&format!("{host}.key"), "host.key"),
            ] {
                std::fs::copy(authority.join(from), tls.join(to)).expect("a copy");
            }
            let agent = lab.on(host, &["sysadm", "agent", "--listen"]).stderr(Stdio::null()).spawn();
            lab.agents.push(agent.expect("an agent"));
        }
        lab
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn lab(&self, words: &[&str]) -> Command {
        let mut command = Command::new(script());
        command.arg(words[0]).arg(self.path()).args(&words[1..]);
        command.env("LAB_PATH", sysadm().parent().expect("a folder")).stdin(Stdio::null());
        command
    }

    fn on(&self, host: &str, words: &[&str]) -> Command {
        let mut command = self.lab(&["exec", host]);
        command.args(words);
        command
    }

    fn add_guests(&self, guests: usize) {
        for number in 1..=guests {
            let name = format!("e{number}");
            if !self.path().join("shared").join(format!("{name}.log")).exists() {
                run(self.lab(&["define", "h1", "kvm", &name]).args(["--tick", TICK]));
                run(&mut self.lab(&["start", "h1", &name]));
            }
        }
    }

    /// Time, and longest gap of all guests.
    fn measure(&self, way: &Way, guests: usize) -> (Duration, Duration) {
        if let Some(target) = way.target {
            self.lock(target);
        }
        let observer = Observer::start(self.path(), guests);
        let start = Instant::now();
        (way.go)(self, guests);
        let took = start.elapsed();
        let gap = observer.stop();
        self.bring_back(guests);
        (took, gap)
    }

    fn virsh(&self, guests: usize, jobs: usize, uri: &str, more: &str) {
        let script = format!(
            "seq 1 {guests} | xargs -P {jobs} -I N virsh -q migrate --live --persistent --undefinesource {more} eN {uri}"
        );
        run(&mut self.on("h1", &["sh", "-c", &script]));
    }

    fn lock(&self, target: &str) {
        run(&mut self.on("h1", &["sysadm", "target", "set", "--default", target]));
        run(&mut self.on("h1", &["sysadm", "maintain", "-s"]));
    }

    fn evacuate(&self) {
        run(&mut self.on("h1", &["sysadm", "evacuate", "-a", "--jobs", &self.jobs.to_string()]));
    }

    fn bring_back(&self, guests: usize) {
        if self.on("h1", &["sysadm", "maintain", "-e"]).output().is_ok_and(|output| output.status.success()) {
            run(&mut self.on("h1", &["sysadm", "evacuate", "-ra", "--jobs", "4"]));
        } else {
            let script = format!(
                "seq 1 {guests} | xargs -P 4 -I N virsh -q migrate --live --p2p --persistent --undefinesource eN qemu+tcp://h1/system"
            );
            run(&mut self.on("h2", &["sh", "-c", &script]));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        let _ = self.lab(&["down"]).output();
    }
}

/// Watches the guests' ticks.
struct Observer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Observer {
    fn start(folder: &Path, guests: usize) -> Self {
        let logs: Vec<_> =
            (1..=guests).map(|number| folder.join("shared").join(format!("e{number}.log"))).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || watch(&logs, &stopped));
        Self { stop, thread }
    }

    fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the observer")
    }
}

/// The longest time in which one of the logs did not grow.
fn watch(logs: &[PathBuf], stopped: &AtomicBool) -> Duration {
    let mut files: Vec<_> = logs
        .iter()
        .map(|path| {
            let mut file = File::open(path).expect("a log");
            file.seek(SeekFrom::End(0)).expect("its end");
            (file, Instant::now())
        })
        .collect();
    let mut longest = Duration::ZERO;
    let mut buffer = [0; 4096];
    while !stopped.load(Ordering::Relaxed) {
        for (file, last) in &mut files {
            if file.read(&mut buffer).is_ok_and(|count| count > 0) {
                longest = longest.max(last.elapsed());
                *last = Instant::now();
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    longest
}
