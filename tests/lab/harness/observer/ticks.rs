//! The ticks of the guests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The ticks of a guest while it was watched.
#[derive(Debug, Default, Clone)]
pub struct Ticks {
    /// The number of ticks.
    pub count: usize,
    /// From each tick to the next, from the start to the first, and from the last to the end. These are lower
    /// bounds: from when one had been seen until the last look at which the next had not come. So however seldom
    /// the log is read, no gap is reported longer than it was.
    pub gaps: Vec<Duration>,
    /// Ticks that did not follow their predecessor: the expected one and the actual one.
    pub breaks: Vec<(u64, u64)>,
    /// What else the guest printed: why its kernel gave up, for instance.
    pub others: Vec<String>,
    next: Option<u64>,
    rest: String,
    /// When the last one was seen.
    last: Option<Instant>,
}

/// A log, from its end on.
struct Log {
    file: File,
    /// When it was last read.
    looked: Instant,
    ticks: Ticks,
}

impl Log {
    fn open(path: &PathBuf) -> Self {
        let mut file = File::open(path).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        let looked = Instant::now();
        Self { file, looked, ticks: Ticks { last: Some(looked), ..Ticks::default() } }
    }

    fn look(&mut self) {
        let looked = Instant::now();
        let mut fresh = Vec::new();
        self.file.read_to_end(&mut fresh).unwrap();
        self.ticks.read(&String::from_utf8_lossy(&fresh), self.looked);
        self.looked = looked;
    }
}

/// Follows the guests' logs.
pub fn watch(logs: &[(String, PathBuf)], over: &AtomicBool) -> BTreeMap<String, Ticks> {
    let mut logs: Vec<_> = logs.iter().map(|(guest, path)| (guest.clone(), Log::open(path))).collect();
    loop {
        let is_last = over.load(Ordering::Relaxed);
        logs.iter_mut().for_each(|(_, log)| log.look());
        if is_last {
            return logs.into_iter().map(|(guest, log)| (guest, log.ticks.ended(log.looked))).collect();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Ticks {
    /// Takes what is new in a log since it was last `looked` at.
    fn read(&mut self, fresh: &str, looked: Instant) {
        self.rest.push_str(fresh);
        while let Some(end) = self.rest.find('\n') {
            let line: String = self.rest.drain(..=end).collect();
            // The first line may be the rest of one.
            match line.trim().strip_prefix("tick ").map(str::parse) {
                Some(Ok(number)) => self.tick(number, looked),
                _ => self.others.push(line.trim().to_owned()),
            }
        }
    }

    fn tick(&mut self, number: u64, looked: Instant) {
        self.end_gap(looked);
        self.last = Some(Instant::now());
        if let Some(expected) = self.next.replace(number + 1)
            && expected != number
        {
            self.breaks.push((expected, number));
        }
        self.count += 1;
    }

    fn end_gap(&mut self, looked: Instant) {
        self.gaps.extend(self.last.map(|last| looked.saturating_duration_since(last)));
    }

    fn ended(mut self, looked: Instant) -> Self {
        self.end_gap(looked);
        self.gaps.sort_by(|a, b| b.cmp(a));
        self
    }

    /// Which gap is too long to be explained by these downtimes, longest first.
    pub fn longer_than(&self, reported: &[Duration]) -> Option<String> {
        let allowance = self.allowance();
        let reported = reported.iter().copied().chain(std::iter::repeat(Duration::ZERO));
        let (gap, downtime) =
            self.gaps.iter().zip(reported).find(|&(&gap, downtime)| gap > downtime + allowance)?;
        Some(format!("{gap:?} without a tick, {downtime:?} reported, {allowance:?} allowed"))
    }

    /// By how much a gap may be longer than the downtime that explains it: eight ticks, so that a second that is
    /// not reported is noticed. Less is not possible: a zone is stopped and continues between two ticks, and
    /// emulated guests that share a machine's few CPUs delay one another, which cannot be seen in the logs.
    fn allowance(&self) -> Duration {
        // The usual gap; none if there is only one, from the start to the end.
        8 * self.gaps.get(self.gaps.len().div_ceil(2)).copied().unwrap_or_default()
    }
}

/// A guest that ticks ten times a second, except for these gaps, in ms.
#[cfg(test)]
fn guest(gaps: &[u64]) -> Ticks {
    let gaps = gaps.iter().copied().chain([100; 9]).map(Duration::from_millis).collect();
    Ticks { gaps, ..Ticks::default() }
}

#[test]
fn a_gap_that_no_downtime_explains_is_found() {
    let found = |gaps: &[u64], reported: &[u64]| {
        let reported: Vec<_> = reported.iter().copied().map(Duration::from_millis).collect();
        guest(gaps).longer_than(&reported).is_some()
    };
    assert!(!found(&[], &[]));
    assert!(!found(&[800], &[]), "it waited for a processor");
    assert!(found(&[900], &[]), "it has not moved");
    assert!(!found(&[1100], &[300]), "its downtime, and a wait");
    assert!(found(&[1100], &[200]));
    assert!(found(&[1700, 1100], &[1500]), "each downtime explains one gap");
    assert!(!found(&[1700, 1100], &[1500, 400]));
    let silent = Ticks { gaps: vec![Duration::from_secs(1)], ..Ticks::default() };
    assert!(silent.longer_than(&[]).is_some(), "it never ticked");
}
